"""What few answers can show: shares of small towns, drawn on the strength of the others, and the next wave of a survey.

Refuses a model where too few towns have a share, and a change past 100%. The model is Fay and Herriot's on the arcsine scale
(`huying.measures.precision`), benchmarked to the county's own estimate. A next wave: two of n respondents each, a two-sided test at
5%, power 80%; the variance of the difference is that of simple random samples times the design effect, less what the waves
share through villages that are kept (Kish 1965).
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from huying.counted import unsaid, values
from huying.estimates import COUNTY
from huying.intervals import STUDENT, Bools, Floats
from huying.survey import Survey, correlate
from huying.words import EstimateError

RESTRICTED, RAISED = 0.0, 1.0  # the power of tau2 by which the restricted likelihood is multiplied
GRID = np.concatenate([[0.0], np.geomspace(1e-8, 1.1, 50)])


class FayHerriot(NamedTuple):
    """A fitted model: regression `beta` (p), `tau2`, and for each area the `eblup` and its `mse` (Datta and Lahiri 2000).

    `is_adjusted`: the restricted likelihood had its maximum at tau2 = 0, so that the adjusted one was taken.
    `is_synthetic`: areas without a direct estimate, which get the regression alone.
    """

    beta: Floats
    tau2: float
    eblup: Floats
    mse: Floats
    is_adjusted: bool
    is_synthetic: Bools


# --- the likelihood ---------------------------------------------------------------------------------------------------


class Areas(NamedTuple):
    """Direct estimates with their sampling variances and regressors, a row an area."""

    y: Floats
    variance: Floats
    x: Floats

    def regression(self, tau2: float) -> tuple[Floats, Floats, Floats]:
        """Weights at one tau2, the inverse of X'WX, and P = W - WX (X'WX)^-1 X'W, with which y'Py is the weighted residual."""
        w = 1 / (tau2 + self.variance)
        weighted = w[:, None] * self.x
        inverse = np.asarray(np.linalg.inv(self.x.T @ weighted), dtype=np.float64)
        return w, inverse, np.diag(w) - weighted @ inverse @ weighted.T

    def likelihood(self, tau2: float, power: float) -> float:
        """The logarithm of tau2^power times the restricted likelihood, without constants."""
        w, inverse, p = self.regression(tau2)
        logs = np.log(w).sum() + np.linalg.slogdet(inverse)[1]
        return float(0.5 * (logs - self.y @ p @ self.y) + (power * np.log(tau2) if power else 0.0))

    def slope(self, tau2: float, power: float) -> float:
        """The slope of `likelihood`: (y'PPy - tr P)/2 + power/tau2."""
        p = self.regression(tau2)[2]
        return float(0.5 * (((p @ self.y) ** 2).sum() - np.trace(p)) + (power / tau2 if power else 0.0))

    def top(self, power: float) -> float:
        """A tau2 above which the likelihood only falls, from y'PPy <= rss/tau2^2 and tr P >= (m-p)/(tau2+D)."""
        rss, worst = float(np.linalg.lstsq(self.x, self.y)[1].sum()), float(self.variance.max())
        left, b = len(self.x) - self.x.shape[1] - 2 * power, 2 * power * worst + rss
        return float((b + np.sqrt(b**2 + 4 * left * rss * worst)) / (2 * left))


def maximise(areas: Areas, power: float) -> float:
    """The tau2 of the greatest likelihood: the best of the roots of its slope, between neighbours on a grid.

    Zero where the likelihood only falls. A single starting point may end on a lesser of two maxima.
    """
    grid = areas.top(power) * (GRID[1:] if power else GRID)
    slopes = [areas.slope(tau2, power) for tau2 in grid]
    falls = [k for k in range(len(grid) - 1) if slopes[k] > 0 >= slopes[k + 1]]
    roots = [optimize.brentq(areas.slope, *grid[k : k + 2], args=(power,), xtol=1e-300, rtol=1e-14) for k in falls]
    return float(max([0.0, *roots] if slopes[0] <= 0 else roots, key=lambda tau2: areas.likelihood(tau2, power)))


def check(known: Bools, variance: Floats, x: Floats) -> None:
    """Raise EstimateError for too few areas, regressors that repeat each other or are missing, or variances not above 0."""
    p = x.shape[1]
    if known.sum() < p + 3:
        raise EstimateError("small_areas.too_few", areas=int(known.sum()), needed=p + 3)
    if not np.isfinite(x).all() or np.linalg.matrix_rank(x[known]) < p:
        raise EstimateError("small_areas.regressors")
    if not (variance[known] > 0).all():
        raise EstimateError("small_areas.variance")


def fay_herriot(y: Floats, variance: Floats, x: Floats) -> FayHerriot:
    """The model fitted to direct estimates `y` (missing where there is none) with sampling variances, both one an area.

    `x` has the shape (areas, p) and holds its own column of ones. tau2 maximises the restricted likelihood; where its
    maximum is at 0, tau2 times that likelihood is maximised (Li and Lahiri 2010): zero would say that all towns follow the
    regression exactly. MSE: g1 + g2 + 2 g3 of Prasad and Rao (1990), as Datta and Lahiri (2000) give it for REML; with the
    adjusted likelihood tau2 lies too high, and so does the MSE. Raises EstimateError (see `check`).

    >>> fit = fay_herriot(np.array([1.0, 3.0, 1.0, 3.0, 2.0]), np.full(5, 0.5), np.ones((5, 1)))
    >>> round(fit.tau2, 6), fit.eblup.round(6).tolist()  # equal variances: tau2 = s^2 - D = 1 - .5
    (0.5, [1.5, 2.5, 1.5, 2.5, 2.0])
    """
    known = np.isfinite(y) & np.isfinite(variance)
    check(known, variance, x)
    areas = Areas(y[known], variance[known], x[known])
    # A tau2 below so much of the least sampling variance is zero but for rounding.
    is_adjusted = (tau2 := maximise(areas, RESTRICTED)) <= 1e-9 * areas.variance.min()
    tau2 = maximise(areas, RAISED) if is_adjusted else tau2
    w, inverse, _ = areas.regression(tau2)
    beta, d, direct = inverse @ areas.x.T @ (w * areas.y), np.where(known, variance, np.inf), np.where(known, y, 0.0)
    pull = 1 - tau2 / (tau2 + d)  # towards the regression
    g2, g3 = pull**2 * ((x @ inverse) * x).sum(axis=1), pull**2 / (tau2 + d) * 2 / (w**2).sum()
    eblup, mse = pull * (x @ beta) + (1 - pull) * direct, tau2 * pull + g2 + 2 * g3
    return FayHerriot(beta, tau2, eblup, mse, is_adjusted, ~known)


# --- shares -----------------------------------------------------------------------------------------------------------


def to_share(angle: Floats) -> Floats:
    """sin^2 of an angle, itself kept between 0 and pi/2: beyond them a larger angle would give a smaller share."""
    return np.asarray(np.sin(np.clip(angle, 0.0, np.pi / 2)) ** 2)


def benchmark(shares: pd.DataFrame, weight: Floats, total: float) -> tuple[pd.DataFrame, float]:
    """Shares and their limits, moved so that the mean of `estimate` by `weight` is `total`: all times a factor; and the factor.

    The ratio keeps 0 at 0 and the shares' own ratios; a difference could leave [0, 1]. Where it would carry a share past 1,
    the shares of those who have it not are multiplied instead.
    """
    factor = total / mean if (mean := float(np.average(shares["estimate"], weights=weight))) > 0 else 1.0
    if shares["estimate"].max() * factor > 1:
        return 1 - (1 - shares) * (1 - total) / (1 - mean), factor
    return (shares * factor).clip(upper=1.0), factor


def share_fay_herriot(
    p: Floats, n_eff: Floats, x: Floats, weight: Floats, total: float
) -> tuple[pd.DataFrame, FayHerriot, float]:
    """Small-area shares: a frame (estimate, low, high; one row an area), the model, and the factor of the benchmark.

    `p` and `n_eff` are direct shares and effective sizes, missing where there is no answer to speak of; `weight` is each
    area's population, `total` the county's direct share, which the areas with a direct one are benchmarked to. On the
    scale y = asin(sqrt p) the sampling variance is 1/(4 n_eff) (Jiang and others 2001; Casas-Cordero, Encina and Lahiri
    2016); the interval is built there, kept within 0 and pi/2 and turned back, so that it stays within 0 and 1 and is not
    symmetric. Raises EstimateError.
    """
    known = np.isfinite(p) & np.isfinite(n_eff)
    fit = fay_herriot(np.arcsin(np.sqrt(np.where(known, p, np.nan))), 1 / (4 * np.where(known, n_eff, np.nan)), x)
    half, sides = stats.norm.ppf(0.975) * np.sqrt(fit.mse), {"estimate": 0, "low": -1, "high": 1}
    shares = pd.DataFrame({name: to_share(fit.eblup + sign * half) for name, sign in sides.items()})
    moved, factor = benchmark(shares, np.where(known, weight, 0.0), total)
    return moved, fit, factor


# --- ranks ------------------------------------------------------------------------------------------------------------


def joint_level(places: int) -> float:
    """The level of each of `places` intervals that all hold together at 95% (Bonferroni).

    >>> round(joint_level(18), 5)
    0.99722
    """
    return 1 - 0.05 / places


def rank_regions(estimate: Floats, low: Floats, high: Floats) -> pd.DataFrame:
    """Each place's rank (1 = lowest value; equal values share the best) and the first and last rank that it may have.

    `low` and `high` are simultaneous limits. A place stands surely above those whose interval ends before its own begins,
    and surely below those whose interval begins after its own has ended: all true ranks lie in their regions together at
    the intervals' joint level (Klein, Wright and Wieczorek 2020). Complete lists have low = high = estimate: exact ranks,
    ties left open. A place without limits has no rank, and the others are ranked without it.
    """
    known = np.isfinite(estimate) & np.isfinite(low) & np.isfinite(high)
    value, lows, highs = (np.sort(v[known]) for v in (estimate, low, high))
    ranks = {"rank": 1.0 + np.searchsorted(value, estimate[known], side="left")}
    ranks["rank_low"] = 1.0 + np.searchsorted(highs, low[known], side="left")
    ranks["rank_high"] = 1.0 * np.searchsorted(lows, high[known], side="right")
    return pd.DataFrame(ranks, np.flatnonzero(known)).reindex(range(len(known)))


# --- the model of small areas -----------------------------------------------------------------------------------------


FEW = 100  # with more answers a small-area estimate is hardly nearer to the truth than the direct one
TOWN, FACTOR = "small_area", "benchmark"


def borrow_strength(rows: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    """Small-area shares of all towns (part `small_area`), and the county's factor of the benchmark (part `benchmark`).

    `rows`: the direct shares of one wave, every town in the order of the register `towns`, then the county. n stays that of
    the direct share; `remark` says what rests on the regression alone, and where the adjusted likelihood was used. Without
    a model every row says why.
    """
    own, county = rows[rows["place"] != COUNTY].reset_index(drop=True), rows[rows["place"] == COUNTY].iloc[0]
    known = (own["estimate"].notna() & own["n_eff"].notna()).to_numpy()
    x = regressors(towns, known) if known.any() else np.ones((len(known), 1))
    size = towns["adults"].to_numpy(dtype=float, na_value=np.nan)
    if known.sum() < x.shape[1] + 3 or np.isnan(county["estimate"]) or np.isnan(size).any():
        # Nothing for any place, with the reason of its direct share or, where it has one, that towns are too few.
        why = rows["reason"].replace("", "too few towns").to_numpy()
        part = np.where(rows["place"] == COUNTY, FACTOR, TOWN)
        return unsaid(rows["place"], why, rows["n"].to_numpy(), part=part, wave=rows["wave"].to_numpy())
    p, n_eff = (own[name].to_numpy(dtype=float) for name in ("estimate", "n_eff"))
    small, fit, factor = share_fay_herriot(p, n_eff, x, size, float(county["estimate"]))
    adjusted = "adjusted_likelihood" if fit.is_adjusted else ""
    remark = np.where(fit.is_synthetic, f"synthetic; {adjusted}".rstrip("; "), adjusted)
    read = np.where(small["high"] - small["low"] > 0.30, "read with care", "ok")
    given = {"method": "fay-herriot", "reason": "", "remark": remark, "part": TOWN, "reliability": read}
    made = own.assign(**small, **given, **dict.fromkeys(("se", "n_eff", "df", "deff", "rho"), np.nan))
    whole = values([COUNTY], [factor], [known.sum()], part=FACTOR, wave=county["wave"])
    return pd.concat([made, whole], ignore_index=True)


def regressors(towns: pd.DataFrame, known: Bools) -> Floats:
    """A column of ones and three covariates (standardised), one row a town, less those that the known towns cannot tell apart.

    Declared before any fit, for reasons that hold in any county: streets are urban, where offices are near and notices many;
    larger towns have more staff to tell people; with more villages the same staff reach fewer of them.
    """
    x, people = np.ones((len(towns), 1)), np.log(towns["pop"].astype(float))
    for covariate in (towns["type"] == "street", people, towns["n_villages"]):
        column = covariate.to_numpy(dtype=float)
        spread = column[known].std()
        wider = np.column_stack([x, (column - column[known].mean()) / (spread if spread > 0 else 1.0)])
        x = wider if np.isfinite(wider).all() and np.linalg.matrix_rank(wider[known]) == wider.shape[1] else x
    return x


RISE, POWER, LEVEL = 0.10, 0.80, 0.95
Z_TEST, Z_POWER = float(stats.norm.ppf((1 + LEVEL) / 2)), float(stats.norm.ppf(POWER))
DETECTABLE, NEEDED = "detectable_change", f"n_for_{100 * RISE:.0f}_points"


def size_for_share(p: float, rise: float = RISE, deff: float = 1.0, shared: float = 0.0) -> float:
    """Respondents a wave with which a share that rises from `p` by `rise` is seen; missing where it would pass 100%.

    The formula of R's power.prop.test (Fleiss, Levin and Paik 2003, chapter 4, without continuity correction) times
    `deff`; `shared` is the correlation of the two waves' estimates.

    >>> round(size_for_share(0.5, 0.1), 4)
    387.3385
    """
    after = p + rise
    if not (p >= 0 and after <= 1 and rise > 0 and deff > 0):
        return np.nan
    middle, before_after = (p + after) / 2, (p * (1 - p), after * (1 - after))
    null = 2 * middle * (1 - middle) * (1 - shared)
    apart = sum(before_after) - 2 * shared * np.sqrt(before_after[0] * before_after[1])
    return float(deff * ((Z_TEST * np.sqrt(null) + Z_POWER * np.sqrt(apart)) / rise) ** 2)


def rise_of_share(p: float, n: float, deff: float = 1.0, shared: float = 0.0) -> float:
    """The smallest rise from `p` that `n` respondents a wave would show; missing where even 100% would not be seen."""

    def lacks(rise: float) -> float:
        return size_for_share(p, rise, deff, shared) - n

    if not (0 <= p < 1 and n > 0 and deff > 0) or lacks(1 - p) > 0:
        return np.nan
    return float(optimize.brentq(lacks, 1e-6, 1 - p, xtol=1e-14, rtol=1e-12))


def size_for_mean(spread: float, rise: float = RISE, shared: float = 0.0, listed: float = np.inf) -> float:
    """Respondents a wave with which a mean or ratio that rises by `rise` is seen: 1 / (1/N + rise^2 / (2 s^2 (1-r) z^2)).

    `spread`: s, the standard error times the square root of n, so that it holds the design effect (before the finite
    population `listed` is credited). z is the sum of the two quantiles (Cochran 1977, chapter 4).

    >>> round(size_for_mean(1.0, 0.5), 2)
    62.79
    """
    needed = 2 * (1 - shared) * (spread * (Z_TEST + Z_POWER) / rise) ** 2
    return float(1 / (1 / listed + 1 / needed)) if needed > 0 else np.nan


def correlate_waves(survey: Survey, since: Survey, column: str) -> float:
    """The correlation of the county's means of a column in two waves, 0 to .95: what the villages kept bring as they stand.

    (v1 + v2 - v of the difference) / (2 s1 s2). One wave alone: 0, as if the next went to new villages. A correlation
    below 0 is chance and counts as 0.
    """
    if not len(survey.frame) or not len(since.frame):
        return 0.0
    # A correlation of 1 would promise a change from nobody.
    return float(np.clip(correlate(*survey.beside(since, column))[COUNTY], 0.0, 0.95))


def plan_next(rows: pd.DataFrame, shared: float = 0.0, listed: pd.Series | None = None) -> pd.DataFrame:
    """Two rows a place of `rows` (estimates of one wave): the smallest rise that the next wave would show, and the respondents it needs for +10 points.

    The part names which of the two. Shares use the design effect behind their interval (n / n_eff), means and ratios their
    standard error; `shared` as of `correlate_waves`. `listed`: the people in the population by place, where the sample is a
    large part of them; endless where it is missing.
    """
    population = (pd.Series(dtype=float) if listed is None else listed).reindex(rows["place"]).fillna(np.inf)
    pairs = [_plan(row, shared, size) for row, size in zip(rows.to_dict("records"), population, strict=True)]
    rises, sizes = np.array(pairs, dtype=float).reshape(-1, 2).T
    told = {"n": rows["n"].to_numpy(dtype=float), "wave": rows["wave"].to_numpy()}
    told["reason"] = rows["reason"].replace("", "not estimable").to_numpy()
    numbers = {DETECTABLE: rises, NEEDED: np.ceil(np.round(sizes, 9))}
    parts = [values(rows["place"], number, part=part, **told) for part, number in numbers.items()]
    return pd.concat(parts, ignore_index=True)


def _plan(row: dict[Any, Any], shared: float, listed: float) -> tuple[float, float]:
    """The smallest rise seen and the respondents for +10 points, of one row; missing where it would pass 100%."""
    p, n, n_eff, se = (float(row[key]) for key in ("estimate", "n", "n_eff", "se"))
    if row["method"] != STUDENT:
        deff = n / n_eff if n_eff > 0 else np.nan
        return rise_of_share(p, n, deff, shared), size_for_share(p, RISE, deff, shared)
    if not (se > 0 and n < listed):
        return np.nan, np.nan
    rise = float((Z_TEST + Z_POWER) * np.sqrt(2 * (1 - shared)) * se)
    size = size_for_mean(se * np.sqrt(n / (1 - n / listed)), RISE, shared, listed)
    return rise if p + rise <= 1 else np.nan, size if p + RISE <= 1 else np.nan
