"""A weighted table of two questions and its test; says nothing of association where one question has one answer only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError
from scipy import linalg, optimize, special, stats
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import WLS

from huying import labels
from huying.design import Design, degrees, estimate_covariance
from huying.estimates import COUNTY, LEADING, estimate_shares
from huying.intervals import Bools, Floats, Ints
from huying.words import EstimateError, near, say

NO_ANSWERS, NO_VARIATION, NOT_ESTIMABLE = "no answers", "no variation", "not estimable"


@dataclass(frozen=True)
class Association:
    """A test of independence: Pearson's X² of the weighted table, and its corrected F with `ndf` and `ddf` degrees of freedom.

    `reason` says why there is none (`no answers`, `no variation`, `not estimable`); then all but `n` is missing.
    """

    n: int
    reason: str = ""
    X2: float = np.nan
    F: float = np.nan
    ndf: float = np.nan
    ddf: float = np.nan
    p: float = np.nan

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


def crosstab(design: Design, a: Ints, b: Ints, names_a: list[str], names_b: list[str], fewest: int = 20) -> Crosstab:
    """Shares of answers `b` within each answer of `a` for the county, with intervals, and the test of independence.

    `a` and `b` are codes from 0 (an index of its names), -1 where missing: whoever misses one of them is left out of the
    base, not of the design. Intervals are those of `estimate_shares` (Korn and Graubard 1998).
    """
    base = (a >= 0) & (b >= 0)
    cells = [(row, column) for row in range(len(names_a)) for column in range(len(names_b))]
    if not cells:
        return Crosstab(pd.DataFrame(columns=["row", "column", *LEADING]), Association(0, NO_ANSWERS))
    shares = {str(k): np.where(base & (a == row), b == column, np.nan) for k, (row, column) in enumerate(cells)}
    made = estimate_shares(design, pd.DataFrame(shares), fewest=fewest)
    answers = pd.DataFrame([(names_a[row], names_b[column]) for row, column in cells], columns=["row", "column"])
    table = answers.join(made.loc[made["place"] == COUNTY, list(LEADING)].reset_index(drop=True))
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
        return Association(n, NO_VARIATION if n else NO_ANSWERS)
    inside = np.zeros((len(base), shape[0] * shape[1]))
    inside[np.flatnonzero(base), rows * shape[1] + columns] = 1.0
    weight = design.weight * base
    p = weight @ inside / weight.sum()
    influences = np.where(base[:, None], inside - p, 0.0) / weight.sum()
    inverse = np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)
    contrasts = inverse[:, None] * np.kron(*(linalg.helmert(size).T for size in shape))
    bottom, nu = contrasts.T @ (p[:, None] * contrasts) / n, degrees(design, base)
    if nu < 1 or np.linalg.matrix_rank(bottom) < len(bottom):
        return Association(n, NOT_ESTIMABLE)
    middles = (estimate_covariance(one, influences) for one in (design, replace(design, margins=())))
    effects, unraked = (np.linalg.solve(bottom, contrasts.T @ middle @ contrasts) for middle in middles)
    # Beyond rounding: of design effects, which are about 1.
    free, all_free = (int((np.linalg.eigvals(one).real > 1e-9).sum()) for one in (effects, unraked))
    if free < all_free or not free:  # what weights fix by their margins has no error to be set against
        return Association(n, NOT_ESTIMABLE)
    total = float(np.trace(effects))
    expected = np.outer(*(p.reshape(shape).sum(axis=axis) for axis in (1, 0))).ravel()
    pearson, ndf = n * float(((p - expected) ** 2 / expected).sum()), total**2 / float((effects * effects.T).sum())
    p_value = float(stats.f.sf(pearson / total, ndf, ndf * nu))
    return Association(n, "", pearson, pearson / total, ndf, ndf * nu, p_value)


# --- regressions ------------------------------------------------------------------------------------------------------

Move = tuple[int, Floats, Floats, bool]  # a column; all columns before and after a change; whether it is a slope
LINEAR, LOGISTIC = "linear", "logistic"
QUOTED, NAME = re.compile(r"'[^']*'|\"[^\"]*\""), re.compile(r"[^\W\d]\w*")
PLAIN = re.compile(r"(?:C\((\w+)\b[^:]*\)|([^\W\d]\w*))(?:\[T\.(.*)\])?")  # a column of a variable as itself
TOLERANCE = 1e-9  # of a column's length: what is left of it beside the others


@dataclass(frozen=True)
class Regression:
    """A regression: `table` has a row a term, `covariance` is that of the coefficients, `df` serves every limit and p.

    Columns of the table: term, coefficient, se, low, high, t, p; of a logistic one also odds_ratio, odds_low, odds_high and
    the average marginal effect, in probability: effect, effect_se, effect_low, effect_high (missing where a term has none).
    """

    table: pd.DataFrame
    covariance: pd.DataFrame
    formula: str
    model: str
    n: int
    df: float

    def __repr__(self) -> str:
        lang = self.table.attrs.get("labels", "").rpartition("/")[2] or None
        head = say(f"regressions.{self.model}", lang, formula=self.formula, n=self.n, df=f"{self.df:g}")
        return f"{head}\n{self.table.to_string(index=False, float_format='{:.4g}'.format)}"


def regress(design: Design, frame: pd.DataFrame, formula: str, linear: bool = False) -> Regression:
    """The regression that `formula` describes, over the rows of `frame` (one a unit of the design).

    Logistic where the outcome is true and false (or 1 and 0), else linear; `linear` asks for that of any outcome. Text
    becomes a column a level against the first by name; `C(x, contr.treatment("b"))` chooses another. A row with a missing
    value is left out of the base, not of the design.

    Weighted pseudo maximum likelihood; variance linearised over PSUs within strata (Fuller 1975; Binder 1983), finite
    population and calibration as in `estimates`; df = PSUs - strata + 1 - columns, PSUs counted where somebody is in the
    base: R survey's `svyglm`. With df of 0 or less there are no limits and no p. Raises EstimateError for a formula that
    cannot be read, a column that is not there, and where there is no finite answer.
    """
    outcome, (rows, base) = formula.partition("~")[0].strip(), _rows(frame, formula)
    y, columns, spec = _read(rows, formula, outcome)
    kind = LOGISTIC if np.isin(y, (0.0, 1.0)).all() and not linear else LINEAR
    x, names = columns.to_numpy(), columns.columns
    _check(outcome, y, columns)
    if kind == LOGISTIC:
        _check_separated(outcome, y, columns)
    weight, size = design.weight[base], len(names)
    beta, bread, residual = _fit(y, x, weight, kind)
    own, moves = (x * residual[:, None]) @ bread, list(_moves(rows, spec, list(names))) if kind == LOGISTIC else []
    effects = [_effect(x, move, weight, beta, own) for move in moves]
    influence = np.zeros((len(base), size + len(moves)))
    influence[base] = np.column_stack([own, *(moved for _, moved in effects)])
    whole = estimate_covariance(design, influence)
    covariance, effect_se = whole[:size, :size], np.sqrt(np.diag(whole)[size:])
    df, se = float(degrees(design, base) + 1 - len(beta)), np.sqrt(np.diag(covariance))
    times = stats.t.ppf(0.975, df) if df > 0 else np.nan
    table = pd.DataFrame({"term": names, "coefficient": beta, "se": se, "low": beta - times * se})
    t = np.divide(beta, se, out=np.full(len(beta), np.nan), where=se > 0)
    table = table.assign(high=beta + times * se, t=t, p=2 * stats.t.sf(np.abs(t), df) if df > 0 else np.nan)
    if kind == LOGISTIC:
        odds = {"odds_ratio": "coefficient", "odds_low": "low", "odds_high": "high"}
        table = table.assign(**{name: np.exp(table[of]) for name, of in odds.items()})
        effect = pd.Series([effect for effect, _ in effects], [move[0] for move in moves], dtype=float)
        ends = {"effect_low": effect - times * effect_se, "effect_high": effect + times * effect_se}
        table = table.join(pd.DataFrame({"effect": effect, "effect_se": effect_se, **ends}))
    return Regression(table, pd.DataFrame(covariance, names, names), formula, kind, len(y), df)


def _fit(y: Floats, x: Floats, weight: Floats, kind: str) -> tuple[Floats, Floats, Floats]:
    """Coefficients, the inverse of the weighted information, and each row's residual (observed less fitted)."""
    scaled = weight / weight.mean()
    if kind == LINEAR:
        beta = WLS(y, x, weights=scaled).fit(method="qr").params
        fitted, spread = x @ beta, np.ones_like(y)
    else:
        glm = GLM(y, x, family=Binomial(), freq_weights=scaled)
        beta = glm.fit(maxiter=100, tol_criterion="params", atol=1e-11, rtol=1e-11).params
        fitted = special.expit(x @ beta)
        spread = fitted * (1 - fitted)
    inverse = np.linalg.inv(np.linalg.qr(x * np.sqrt(weight * spread)[:, None], mode="r"))
    return np.asarray(beta), inverse @ inverse.T, y - fitted


def _moves(rows: pd.DataFrame, spec: Any, names: list[str]) -> Iterator[Move]:
    """For each column of a variable that stands in the formula as itself: its number, and the columns before and after a change.

    A level against the first, true against false, else one more of the number, which is then a slope. A variable that also
    stands there in another form (`np.log(x)`, `x**2`) gives none, nor does the intercept or a product.
    """
    parts = {part: PLAIN.fullmatch(part) for name in names for part in name.split(":")}
    bent = {name for part, found in parts.items() if not found for name in NAME.findall(part)}
    for k, (found, name) in enumerate((parts.get(column), column) for column in names):
        if found is None or (name := found[1] or found[2]) not in rows or name in bent:
            continue
        values, levels = rows[name], {str(level): level for level in rows[name].unique()}
        first = set(levels) - {other[3] for other in parts.values() if other and name in (other[1], other[2])}
        if found[3] and (len(first) > 1 or not first or found[3] not in levels):
            continue
        before, after = (levels[first.pop()], levels[found[3]]) if found[3] else (0.0, 1.0)
        changed = [rows.assign(**{name: pd.Series(value, rows.index, values.dtype)}) for value in (before, after)]
        below, above = (np.asarray(spec.get_model_matrix(made, context={"np": np}), float) for made in changed)
        yield k, below, above, not found[3] and not values.isin((0.0, 1.0)).all()


def _effect(x: Floats, move: Move, weight: Floats, beta: Floats, own: Floats) -> tuple[float, Floats]:
    """An average marginal effect of a logistic regression and its influence, a value a person.

    The mean over the base, all else as it is, of the change in the probability that a move makes: of its slope where the
    variable is a number. The variance counts that of the coefficients (the delta method) and that of a mean over sampled
    people, with their covariance (Graubard and Korn 1999; Stata's `margins, vce(unconditional)`); R's margins takes the
    people as given.
    """
    _, below, above, is_slope = move
    if is_slope:
        p, step = special.expit(x @ beta), above - below
        spread, slope = p * (1 - p), step @ beta
        change, turn = spread * slope, spread[:, None] * (step + ((1 - 2 * p) * slope)[:, None] * x)
    else:
        p, q = special.expit(below @ beta), special.expit(above @ beta)
        change, turn = q - p, (q * (1 - q))[:, None] * above - (p * (1 - p))[:, None] * below
    effect = float(np.average(change, weights=weight))
    return effect, (change - effect + own @ (weight @ turn)) / weight.sum()


# --- the formula --------------------------------------------------------------------------------------------------------


def _rows(frame: pd.DataFrame, formula: str) -> tuple[pd.DataFrame, Bools]:
    """The columns that the formula names, as floats and categories, over the rows that have them all; and which rows."""
    try:
        needed = {str(name) for name in Formula(formula).required_variables}
    except FormulaicError as error:
        raise EstimateError("regressions.unreadable", formula=formula) from error
    known = [str(name) for name in frame.columns]
    for name in sorted(needed - set(known)):
        raise EstimateError("regressions.no_column", column=name, close=near(name, known))
    needed |= set(NAME.findall(QUOTED.sub("", formula))) & set(known)
    rows = pd.DataFrame({name: _plain(frame[name]) for name in frame.columns if name in needed})
    base = rows.notna().all(axis=1).to_numpy()
    rows = rows[base]
    for name in rows.columns[rows.dtypes == "category"]:
        rows[name] = rows[name].cat.remove_unused_categories()
    if not len(rows):
        raise EstimateError("regressions.nobody", formula=formula)
    return rows, base


def _plain(column: pd.Series) -> pd.Series:
    """A column as floats (true and false as 1 and 0) or as categories; raises EstimateError for dates and the like."""
    column = column.convert_dtypes() if column.dtype == object else column
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("Float64").astype(float)
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype(object).astype("category")
    raise EstimateError("regressions.bad_kind", column=column.name, got=str(column.dtype))


def _read(rows: pd.DataFrame, formula: str, outcome: str) -> tuple[Floats, pd.DataFrame, Any]:
    """The outcome and the columns of numbers that the formula makes of the rows, and formulaic's account of them."""
    try:
        with np.errstate(all="ignore"):
            made = Formula(formula).get_model_matrix(rows, context={"np": np}, na_action="ignore")
        left, right = made.lhs, pd.DataFrame(made.rhs).astype(float)
    except (FormulaicError, AttributeError) as error:
        raise EstimateError("regressions.unreadable", formula=formula) from error
    if left.shape[1] != 1:
        raise EstimateError("regressions.bad_outcome", column=outcome, got=str(left.columns[0]))
    y = left.to_numpy(dtype=float)[:, 0]
    for name, values in zip([outcome, *right.columns], [y, *right.to_numpy().T], strict=True):
        if not np.isfinite(values).all():
            raise EstimateError("regressions.not_finite", column=str(name))
    return y, right, made.rhs.model_spec


def _check(outcome: str, y: Floats, columns: pd.DataFrame) -> None:
    """Raise EstimateError where no regression has an answer."""
    if len(np.unique(y)) < 2:
        raise EstimateError("regressions.constant", column=outcome, got=f"{y[0]:g}", n=len(y))
    if len(y) <= columns.shape[1]:
        raise EstimateError("regressions.too_few", n=len(y), columns=columns.shape[1])
    x = columns.to_numpy()
    size = np.sqrt((x**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(x / np.where(size > 0, size, 1.0), mode="r")))
    if (left < TOLERANCE).any():
        raise EstimateError("regressions.collinear", columns=", ".join(columns.columns[left < TOLERANCE]))


def _check_separated(outcome: str, y: Floats, columns: pd.DataFrame) -> None:
    """Raise EstimateError where some weighing of the columns puts every 1 on one side of every 0: odds ratios have no end.

    The linear programme of Konis (2007), which also finds outcomes separated but for ties (Albert and Anderson 1984).
    """
    x = columns.to_numpy()
    scaled = x / np.abs(x).max(axis=0)
    sides = np.unique(np.where(y[:, None] > 0, scaled, -scaled), axis=0)
    found = optimize.linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=(-1, 1))
    if -found.fun > 1e-6:
        moved = (np.abs(found.x) > 1e-6) & (np.ptp(x, axis=0) > 0)
        raise EstimateError("regressions.separated", column=outcome, columns=", ".join(columns.columns[moved]))
