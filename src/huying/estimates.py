"""Design-based estimates for all towns in one pass; refuses a number where the design gives no variance.

Taylor linearisation (Binder 1983): a share, mean or ratio R = sum(w y)/sum(w x) has the influence w (y - R x)/sum(w x);
totals of influences over primary sampling units give its variance within strata. Calibration is credited by taking each
influence's residual on the margins that the weights were raked to (Deville and Sarndal 1992). Intervals of shares:
Korn and Graubard (1998), at an effective sample size from a design effect pooled over towns (definitions, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from huying.errors import EstimateError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Term = tuple[float, Floats, Bools]  # coefficient, values, who is in the base
Rows = dict[str, Any]  # columns of an estimates frame, for one indicator
LEADING = ("estimate", "low", "high", "n", "n_eff", "df", "deff", "reliability", "reason", "method", "se")
COLUMNS = ("indicator", "place", "wave", *LEADING)
POOLED, OWN, STUDENT, EXACT, COUNT = "korn-graubard pooled", "korn-graubard", "t", "exact", "count"
COUNTY = "county"


@dataclass(frozen=True)
class Design:
    """How the units were sampled. Arrays are one a unit; strata and PSUs are codes from 0, PSUs nested in strata.

    `fpc` is the number of PSUs in the population of each stratum. `margins` are the categories to which `base` was raked
    to give `weight`: give both, or the variance is that of fixed weights.
    """

    stratum: Ints
    psu: Ints
    weight: Floats
    places: tuple[str, ...]
    fpc: Floats | None = None
    margins: tuple[Ints, ...] = ()
    base: Floats | None = None

    def __post_init__(self) -> None:
        bad = np.flatnonzero(~(np.isfinite(self.weight) & (self.weight > 0)))
        if len(bad):
            raise EstimateError("estimates.bad_weight", rows=", ".join(map(str, bad[:5])))
        if (self.owner[self.psu] != self.stratum).any():
            raise EstimateError("estimates.psu_in_two_strata")

    @cached_property
    def owner(self) -> Ints:
        """The stratum of each PSU, -1 for a code that no unit has."""
        owner = np.full(int(self.psu.max(initial=-1)) + 1, -1, dtype=np.int64)
        owner[self.psu] = self.stratum
        return owner

    @cached_property
    def psus(self) -> Ints:
        """The number of PSUs of each stratum."""
        return np.bincount(self.owner[self.owner >= 0], minlength=len(self.places))

    @property
    def prior(self) -> Floats:
        """The weights before raking."""
        return self.weight if self.base is None else self.base

    @cached_property
    def calibration(self) -> tuple[Ints, Floats, Floats]:
        """Each unit's cell (the same category in every margin), the roots of the cells' prior weights, and what margins span.

        The last is an orthonormal basis of the margins' categories over the cells, each times its root. By Gram and Schmidt,
        for that keeps zeros: a town where all say the same gets no variance from the rounding of others.
        """
        cell, cells = pd.MultiIndex.from_arrays(self.margins).factorize()
        root = np.sqrt(np.bincount(cell, self.prior))
        marks = pd.get_dummies(cells.to_frame(index=False).astype("category")).to_numpy(dtype=float)
        basis = np.zeros((len(root), 0))
        for mark in marks.T * root:
            left = mark - basis @ (basis.T @ mark)
            left = left - basis @ (basis.T @ left)  # what rounding has left of the first time
            if np.linalg.norm(left) > 1e-9 * np.linalg.norm(mark):
                basis = np.column_stack([basis, left / np.linalg.norm(left)])
        return cell, root, basis

    def psu_totals(self, influence: Floats) -> Floats:
        """The weighted total of `influence` in each PSU."""
        return np.asarray(np.bincount(self.psu, self.weight * influence, minlength=len(self.owner)), dtype=np.float64)


def kish(weight: Floats, by: Ints, size: int) -> Floats:
    """Kish's factor n sum(w^2) / sum(w)^2 for each of `size` groups (Kish 1965, section 11.7); missing where empty."""
    n, s, q = (np.bincount(by, values, minlength=size) for values in (np.ones_like(weight), weight, weight**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(n * q / s**2)


def ratio(design: Design, num: Floats, den: Floats, domain: Ints, size: int) -> tuple[Floats, Floats]:
    """sum(w num)/sum(w den) in each of `size` domains, missing where that is zero, and each unit's influence, unweighted."""
    above, below = (np.bincount(domain, design.weight * part, minlength=size) for part in (num, den))
    value = np.divide(above, below, out=np.full(size, np.nan), where=below > 0)
    scale = np.divide(1.0, below, out=np.zeros(size), where=below > 0)
    return value, (num - np.nan_to_num(value)[domain] * den) * scale[domain]


def credited(design: Design, influence: Floats) -> Floats:
    """`influence` less its regression on the calibration margins, weighted by the weights before raking.

    R's `rake` sweeps unweighted means instead, which is right only where the base weights are equal.
    """
    if not design.margins:
        return influence
    cell, root, basis = design.calibration
    mean = np.bincount(cell, design.prior * influence) / root
    return np.asarray(influence - (basis @ (basis.T @ mean) / root)[cell])


def _deviations(design: Design, influences: Floats) -> tuple[Floats, Ints]:
    """Each PSU's totals of the influences (a column an estimate) less their stratum's mean, and its stratum.

    They are multiplied by the root of n/(n-1) (1 - n/N): their products add up to variances. A stratum with one PSU is
    centred at the mean of all PSUs (as Stata's `centered`).
    """
    used, n = design.owner >= 0, design.psus.astype(float)
    columns = [design.psu_totals(credited(design, one))[used] for one in np.atleast_2d(influences.T)]
    z, owner = np.column_stack(columns), design.owner[used]
    centre = np.zeros((len(n), z.shape[1]))
    np.add.at(centre, owner, z)
    centre /= np.maximum(n, 1)[:, None]
    centre[n == 1] = z.sum(axis=0) / max(len(z), 1)
    left = 1.0 if design.fpc is None else 1 - n / design.fpc
    scale = np.where(n > 1, left * n / np.maximum(n - 1, 1), 1.0)
    return (z - centre[owner]) * np.sqrt(scale)[owner, None], owner


def estimate_covariance(design: Design, influences: Floats) -> Floats:
    """The county's covariance matrix of estimates whose influences (a row a unit, a column an estimate) are given.

    Taylor linearisation (Binder 1983), as R's `svyrecvar`: calibration is credited, the finite population counts.
    """
    apart, _ = _deviations(design, influences)
    return np.asarray(apart.T @ apart)


def degrees(design: Design, base: Bools) -> int:
    """PSUs less strata among the units in `base`: what R's `degf` counts of a design cut to them."""
    psus = np.unique(design.psu[base])
    return len(psus) - len(np.unique(design.owner[psus]))


def pooled_rho(design: Design, y: Floats, base: Bools) -> float:
    """The intraclass correlation of shares `y` within PSUs, pooled over strata by analysis of variance, at least 0."""
    m, sums = (np.bincount(design.psu, values, minlength=len(design.owner)) for values in (base, y * base))
    m, sums, owner = m[m > 0], sums[m > 0], design.owner[m > 0]
    per_town = np.bincount(owner, m, minlength=len(design.places))
    outer = np.bincount(owner, sums, minlength=len(per_town)) / np.maximum(per_town, 1)
    df_b, df_w = int(len(m) - (per_town > 0).sum()), int(m.sum() - len(m))
    if df_b <= 0 or df_w <= 0:
        return 0.0
    between = float((m * (sums / m - outer[owner]) ** 2).sum() / df_b)
    within = float(((y**2 * base).sum() - (sums**2 / m).sum()) / df_w)
    squares = np.bincount(owner, m**2, minlength=len(per_town))
    size = float((m.sum() - (squares / np.maximum(per_town, 1)).sum()) / df_b)
    bottom = between + (size - 1) * within
    return max(0.0, (between - within) / bottom) if bottom > 0 else 0.0


def korn_graubard(p: Floats, n_eff: Floats, level: Any = 0.95) -> tuple[Floats, Floats]:
    """Limits of shares `p` at effective sizes `n_eff`: Clopper and Pearson's at x = p n_eff (Korn and Graubard 1998)."""
    with np.errstate(invalid="ignore"):
        low, high = proportion_confint(np.clip(p, 0, 1) * n_eff, n_eff, 1 - np.asarray(level), method="beta")
    return np.asarray(low), np.asarray(high)


def limits(frame: pd.DataFrame, level: Any = 0.95) -> tuple[Floats, Floats]:
    """Two-sided limits of the rows of an estimates frame at `level` (one number, or one a row), by each row's method."""
    estimate, n_eff, se, df = (frame[c].to_numpy(dtype=float) for c in ("estimate", "n_eff", "se", "df"))
    low, high = korn_graubard(estimate, n_eff, level)
    with np.errstate(invalid="ignore"):
        half = stats.t.ppf((1 + np.asarray(level, dtype=float)) / 2, np.where(df > 0, df, np.nan)) * se
    is_t, is_count = (frame["method"] == STUDENT).to_numpy(), (frame["method"] == COUNT).to_numpy()
    low = np.where(is_t, estimate - half, np.where(is_count, estimate, low))
    return low, np.where(is_t, estimate + half, np.where(is_count, estimate, high))


def p_above(frame: pd.DataFrame, threshold: float) -> tuple[Floats, Floats]:
    """One-sided p values of "not above `threshold`" and "not below `threshold`", the inversions of `limits`."""
    estimate, n_eff, se, df = (frame[c].to_numpy(dtype=float) for c in ("estimate", "n_eff", "se", "df"))
    x = estimate * n_eff
    with np.errstate(invalid="ignore", divide="ignore"):
        above = np.where(x <= 0, 1.0, stats.beta.cdf(threshold, x, n_eff - x + 1))
        below = np.where(x >= n_eff, 1.0, stats.beta.sf(threshold, x + 1, n_eff - x))
        gap = estimate - threshold
        # Of a full list nothing is left to chance.
        t = np.where(se > 0, gap / np.where(se > 0, se, 1.0), np.copysign(np.inf, gap))
        up, down = stats.t.sf(t, df), stats.t.cdf(t, df)
    is_t = (frame["method"] == STUDENT).to_numpy()
    return np.where(is_t, up, above), np.where(is_t, down, below)


def estimate_shares(design: Design, indicators: pd.DataFrame, *, wave: str = "", fewest: int = 20) -> pd.DataFrame:
    """Shares of every column of `indicators` (1, 0, missing = not in the base) for every stratum and the county.

    A tidy frame with COLUMNS, one row an indicator and place. Towns use the pooled design effect, the county its own.
    `fewest` is the number of answers below which a place's value is not stated.
    """
    return _estimate(design, _over_one(indicators), _share_rows, wave, fewest)


def estimate_means(design: Design, indicators: pd.DataFrame, *, wave: str = "", fewest: int = 20) -> pd.DataFrame:
    """Means of every column of `indicators`, as `estimate_shares`, with Student intervals at each place's own variance."""
    return _estimate(design, _over_one(indicators), _place_rows, wave, fewest)


def estimate_ratios(
    design: Design, name: str, num: Floats, den: Floats, *, wave: str = "", fewest: int = 20
) -> pd.DataFrame:
    """The ratio sum(w num)/sum(w den) for every stratum and the county, with Student intervals."""
    return _estimate(design, {name: (num, den)}, _place_rows, wave, fewest)


def estimate_sum(design: Design, name: str, parts: Sequence[Term], *, wave: str = "", fewest: int = 20) -> pd.DataFrame:
    """The sum of coefficient x mean over `parts` (coefficient, values, base), for every stratum and the county.

    Coefficients 1 and -1 give a difference: of two domains, of two items of one respondent, or of two waves that share
    PSUs. The covariance of the parts is kept. n is the smallest of the parts' bases.
    """
    rows = []
    for whole in (False, True):
        domain, size = _domain(design, whole)
        means = [(c, ratio(design, np.where(k, v, 0.0), k.astype(float), domain, size)) for c, v, k in parts]
        influence = sum((c * turn for c, (_, turn) in means), np.zeros(len(design.weight)))
        own = _variance_rows(design, influence, np.logical_or.reduce([k for _, _, k in parts]), whole)
        n = np.min([np.bincount(domain[k], minlength=size) for _, _, k in parts], axis=0)
        value = np.sum([c * mean for c, (mean, _) in means], axis=0)
        given = {"indicator": name, "estimate": value, "n": n, "method": STUDENT}
        rows.append(own | given | dict.fromkeys(("deff", "n_eff"), np.nan))
    return _tidy(rows, wave, fewest)


def _over_one(indicators: pd.DataFrame) -> dict[str, tuple[Floats, Any]]:
    """The columns as numbers over one: their ratios are means."""
    return {name: (indicators[name].to_numpy(dtype=float, na_value=np.nan), 1.0) for name in indicators}


def _estimate(
    design: Design, pairs: dict[str, tuple[Floats, Any]], rows_of: Any, wave: str, fewest: int
) -> pd.DataFrame:
    """The rows of every ratio, for the strata and for the county; who lacks a number of the two is not in its base."""
    rows: list[Rows] = []
    for name, (num, den) in pairs.items():
        base = np.isfinite(num) & np.isfinite(den)
        parts = np.where(base, num, 0.0), np.where(base, den, 0.0), base
        rows += [rows_of(design, name, *parts, whole) for whole in (False, True)]
    return _tidy(rows, wave, fewest)


def _domain(design: Design, whole: bool) -> tuple[Ints, int]:
    """Every unit's domain, and their number: the whole county, or the strata."""
    return (np.zeros_like(design.stratum), 1) if whole else (design.stratum, len(design.places))


def _variance_rows(design: Design, influence: Floats, base: Bools, whole: bool) -> Rows:
    """Standard errors and degrees of freedom, for the county as a whole or for its strata."""
    size = len(design.places)
    if whole:
        variance, df = np.diag(estimate_covariance(design, influence)), np.array([degrees(design, base)])
    else:
        apart, owner = _deviations(design, influence)
        variance = np.where(design.psus > 1, np.bincount(owner, apart[:, 0] ** 2, minlength=size), np.nan)
        df = np.bincount(design.owner[np.unique(design.psu[base])], minlength=size) - 1
    return {"place": [COUNTY] if whole else list(design.places), "se": np.sqrt(variance), "df": df * 1.0}


def _place_rows(design: Design, name: str, y: Floats, x: Floats, base: Bools, whole: bool) -> Rows:
    domain, size = _domain(design, whole)
    value, influence = ratio(design, y, x, domain, size)
    rows = _variance_rows(design, influence, base, whole)
    n = np.bincount(domain[base], minlength=size)
    w, spread = (np.bincount(domain, design.weight * v, minlength=size) for v in (base, influence**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        deff = rows["se"] ** 2 * (n - 1) / (spread * w)
        n_eff = n / np.where(deff > 0, deff, np.nan)
    return rows | {"indicator": name, "estimate": value, "n": n, "deff": deff, "method": STUDENT, "n_eff": n_eff}


def _share_rows(design: Design, name: str, y: Floats, x: Floats, base: Bools, whole: bool) -> Rows:
    rows = _place_rows(design, name, y, x, base, whole)
    if whole:
        return rows | {"method": OWN, "n_eff": _own_size(design, rows, base)}
    n, town, villages = rows["n"], design.stratum[base], rows["df"] + 1
    rho = pooled_rho(design, y, base)
    left = 1.0 if design.fpc is None else np.maximum(1 - design.psus / design.fpc, 1e-9)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_psu = n / villages
        n_eff = n / (kish(design.weight[base], town, len(n)) * (1 + (per_psu - 1) * rho) * left)
    return rows | {"method": POOLED, "n_eff": n_eff, "rho": rho}


def _own_size(design: Design, rows: Rows, base: Bools) -> Floats:
    """Korn and Graubard's size at the place's own variance, with their correction for degrees of freedom, at most n."""
    p, se, n, df = (float(rows[c][0]) for c in ("estimate", "se", "n", "df"))
    if not se > 0:
        return np.array([n / kish(design.weight[base], np.zeros(int(n), dtype=np.int64), 1)[0] if n else np.nan])
    shrink = (stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, df)) ** 2 if df > 0 else np.nan
    size = p * (1 - p) / se**2 * shrink
    return np.array([min(n, size) if design.fpc is None else size])


def _tidy(rows: Sequence[Rows], wave: str, fewest: int) -> pd.DataFrame:
    parts = {c: [np.broadcast_to(own.get(c, np.nan), len(own["place"])) for own in rows] for c in rows[0]}
    frame = pd.DataFrame({c: np.concatenate(part) for c, part in parts.items()} | {"wave": wave})
    frame["low"], frame["high"] = limits(frame)
    few, one = frame["n"] < fewest, ~(frame["df"] > 0)
    frame["reason"] = np.select([few, one], ["too few answers", "one psu"], "")
    frame["reliability"] = rate(frame)
    for column in ("estimate", "low", "high", "se", "deff", "n_eff"):
        frame[column] = frame[column].mask(few if column in ("estimate", "n_eff") else few | one)
    return frame[[*COLUMNS, *(["rho"] if "rho" in frame else [])]]


def rate(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """The reliability of rows whose reason is known.

    To be read with care: interval wider than 30 points, under 8 degrees of freedom, or relative width over 130%.
    """
    width = frame["high"] - frame["low"]
    relative = width / frame["estimate"].where(frame["estimate"] > 0)
    is_share = frame["method"] != STUDENT
    is_unsteady = (frame["df"] < 8) | (is_share & ((width > 0.30) | (relative > 1.30)))
    why = [frame["reason"] == "too few answers", frame["reason"] != "", is_unsteady]
    return np.select(why, ["too few answers", "not estimable", "read with care"], "ok")


def with_weights(design: Design, weight: Floats) -> Design:
    """The design with other weights and no margins to credit."""
    return replace(design, weight=weight, margins=(), base=None)
