"""A weighted table of two questions and its test; says nothing of association where one question has one answer only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import linalg, stats

from huying import labels
from huying.estimates import COUNTY, LEADING, Design, degrees, estimate_covariance, estimate_shares
from huying.intervals import Ints
from huying.words import say

NO_ANSWERS, NO_VARIATION, NOT_ESTIMABLE = "no answers", "no variation", "not estimable"

ROUNDING = 1e-9  # of design effects, which are about 1


@dataclass(frozen=True)
class Association:
    """A test of independence: Pearson's X² of the weighted table, and its corrected F with `ndf` and `ddf` degrees of freedom.

    `reason` says why there is none (`no answers`, `no variation`, `not estimable`); then all but `n` is missing.
    """

    X2: float
    F: float
    ndf: float
    ddf: float
    p: float
    n: int
    reason: str = ""

    def say(self, lang: str | None = None) -> str:
        """The test in one line."""
        if self.reason:
            return say(f"crosstabs.{self.reason.replace(' ', '_')}", lang)
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return say("crosstabs.test", lang, **{**vars(self), "p": p})


@dataclass(frozen=True)
class Crosstab:
    """`table`: a row for each answer `row` and `column`, `estimate` the share of `column` within `row`; `test`: of both."""

    table: pd.DataFrame
    test: Association

    def __repr__(self) -> str:
        words, about = labels.of(self.table), self.table.attrs
        wide = self.table.set_index(["row", "column"])["estimate"].unstack(sort=False)
        for axis, key in enumerate(("row", "column")):
            wide = wide.set_axis([words.value(about.get(key, key), value) for value in wide.axes[axis]], axis=axis)
        title = " × ".join(words.measure(about[key]) for key in ("row", "column") if key in about)
        with pd.option_context("display.unicode.east_asian_width", True):
            return f"{title}\n{wide.to_string(float_format='{:.1%}'.format)}\n{self.test.say(words.lang)}"


def crosstab(
    design: Design, a: Ints, b: Ints, names_a: Sequence[str], names_b: Sequence[str], fewest: int = 20
) -> Crosstab:
    """Shares of answers `b` within each answer of `a` for the county, with intervals, and the test of independence.

    `a` and `b` are codes from 0 (an index of its names), -1 where missing: whoever misses one of them is left out of the
    base, not of the design. Intervals are those of `estimate_shares` (Korn and Graubard 1998).
    """
    base = (a >= 0) & (b >= 0)
    cells = [(row, column) for row in range(len(names_a)) for column in range(len(names_b))]
    if not cells:
        return Crosstab(pd.DataFrame(columns=["row", "column", *LEADING]), _none(0, NO_ANSWERS))
    shares = {str(k): np.where(base & (a == row), b == column, np.nan) for k, (row, column) in enumerate(cells)}
    made = estimate_shares(design, pd.DataFrame(shares), fewest=fewest)
    made = made[made["place"] == COUNTY].reset_index(drop=True)
    answers = {"row": [names_a[row] for row, _ in cells], "column": [names_b[column] for _, column in cells]}
    table = pd.concat([pd.DataFrame(answers), made[list(LEADING)]], axis=1)
    return Crosstab(table, rao_scott(design, a, b))


def rao_scott(design: Design, a: Ints, b: Ints) -> Association:
    """Pearson's X² of the weighted table of codes `a` and `b` (-1 = missing), with the second-order correction as F.

    The weighted shares p of the cells, at the n of the base, give X². With V the design's covariance of p and C the
    contrasts of interaction, D = (C' diag(1/p) C / n)^-1 C' diag(1/p) V diag(1/p) C holds the generalised design effects;
    F = X² / tr D has tr(D)² / tr(D²) and that times (PSUs - strata) degrees of freedom (Rao and Scott 1984; Thomas and
    Rao 1987), as R's `svychisq(statistic = "F")` on the design cut to those who answered both. (Left uncut, R counts
    those who did not answer in its X², not in its F.) Of raked weights V credits each margin by the residual weighted by
    the base weights, as R's `calibrate(calfun = "raking")`; R's `rake` sweeps unweighted means ten times, which is the
    same only where base weights are equal.
    """
    base = (a >= 0) & (b >= 0)
    rows, columns = (np.unique(code[base], return_inverse=True)[1] for code in (a, b))
    n, shape = int(base.sum()), tuple(int(code.max(initial=-1)) + 1 for code in (rows, columns))
    if min(shape) < 2:
        return _none(n, NO_VARIATION if n else NO_ANSWERS)
    inside = np.zeros((len(base), shape[0] * shape[1]))
    inside[np.flatnonzero(base), rows * shape[1] + columns] = 1.0
    weight = design.weight * base
    p = weight @ inside / weight.sum()
    influences = np.where(base[:, None], inside - p, 0.0) / weight.sum()
    inverse = np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)
    contrasts = inverse[:, None] * np.kron(*(linalg.helmert(size).T for size in shape))
    bottom = contrasts.T @ (p[:, None] * contrasts) / n
    nu = degrees(design, base)
    if nu < 1 or np.linalg.matrix_rank(bottom) < len(bottom):
        return _none(n, NOT_ESTIMABLE)
    effects, unraked = (
        np.linalg.solve(bottom, contrasts.T @ estimate_covariance(one, influences) @ contrasts)
        for one in (design, replace(design, margins=()))
    )
    free, all_free = (int((np.linalg.eigvals(one).real > ROUNDING).sum()) for one in (effects, unraked))
    if (
        free < all_free or not free
    ):  # weights that meet the margins fix the table, or a part of it: no error is left there
        return _none(n, NOT_ESTIMABLE)
    total = float(np.trace(effects))
    expected = np.outer(*(p.reshape(shape).sum(axis=axis) for axis in (1, 0))).ravel()
    pearson = n * float(((p - expected) ** 2 / expected).sum())
    ndf = total**2 / float((effects * effects.T).sum())
    return Association(pearson, pearson / total, ndf, ndf * nu, float(stats.f.sf(pearson / total, ndf, ndf * nu)), n)


def _none(n: int, reason: str) -> Association:
    return Association(np.nan, np.nan, np.nan, np.nan, np.nan, n, reason)
