"""Small-area estimates beside direct ones, and honest ranks; refuses a model with more to fit than towns to fit it from.

Fay and Herriot (1979): the direct estimate of a town is y = x'beta + u + e, with u of variance tau2 between towns and e of
known sampling variance. Each town's estimate lies between its direct one and the regression, the nearer to the latter the
larger its sampling variance. Shares are taken to the arcsine scale, on which that variance is 1/(4 n_eff) whatever the share.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from huying.errors import EstimateError
from huying.intervals import Bools, Floats

RESTRICTED, ADJUSTED = 0.0, 1.0  # the power of tau2 by which the restricted likelihood is multiplied
GRID = np.concatenate([[0.0], np.geomspace(1e-8, 1.1, 50)])
NIL = 1e-9  # of the least sampling variance: a tau2 below it is zero but for rounding


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
        left = len(self.x) - self.x.shape[1] - 2 * power
        b = 2 * power * worst + rss
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
    tau2 = maximise(areas, RESTRICTED)
    is_adjusted = tau2 <= NIL * areas.variance.min()
    tau2 = maximise(areas, ADJUSTED) if is_adjusted else tau2
    w, inverse, _ = areas.regression(tau2)
    beta = inverse @ areas.x.T @ (w * areas.y)
    d, direct = np.where(known, variance, np.inf), np.where(known, y, 0.0)
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
    mean = float(np.average(shares["estimate"], weights=weight))
    factor = total / mean if mean > 0 else 1.0
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
    half = stats.norm.ppf(0.975) * np.sqrt(fit.mse)
    sides = {"estimate": 0, "low": -1, "high": 1}
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
    table = pd.DataFrame({"rank": np.nan, "rank_low": np.nan, "rank_high": np.nan}, index=range(len(known)))
    table.loc[known, "rank"] = 1.0 + np.searchsorted(value, estimate[known], side="left")
    table.loc[known, "rank_low"] = 1.0 + np.searchsorted(highs, low[known], side="left")
    table.loc[known, "rank_high"] = 1.0 * np.searchsorted(lows, high[known], side="right")
    return table
