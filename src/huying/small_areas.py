"""Small-area estimates beside direct ones, and honest ranks; refuses a model with more to fit than towns to fit it from.

Fay and Herriot (1979): the direct estimate of a town is y = x'beta + u + e, with u of variance tau2 between towns and e of
known sampling variance. Each town's estimate lies between its direct one and the regression, the nearer to the latter the
larger its sampling variance. Shares are taken to the arcsine scale, on which that variance is 1/(4 n_eff) whatever the share.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from huying.errors import EstimateError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
RESTRICTED, ADJUSTED = 0.0, 1.0  # the power of tau2 by which the restricted likelihood is multiplied
GRID = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 13)])
STEPS, CLOSE = 100, 1e-13
NIL = 1e-9  # of the least sampling variance: a tau2 below it is zero but for rounding
REPLICATES = 500  # of the bootstrap
Z = float(stats.norm.ppf(0.975))


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
    """Direct estimates of several replicates at once, shape (replicates, areas), with their variances and regressors."""

    y: Floats
    variance: Floats
    x: Floats

    def products(self, w: Floats) -> Floats:
        """X' diag(w) X for each replicate's weights, shape (replicates, p, p)."""
        return np.asarray(np.tensordot(w, self.x[:, :, None] * self.x[:, None, :], axes=1))

    def regression(self, w: Floats) -> tuple[Floats, Floats]:
        """Weighted least squares: beta, shape (replicates, p), and the inverses of X' diag(w) X."""
        inverse = np.asarray(np.linalg.inv(self.products(w)), dtype=np.float64)
        return np.asarray(np.einsum("bpq,bq->bp", inverse, (w * self.y) @ self.x)), inverse

    def likelihood(self, tau2: Floats, power: float) -> Floats:
        """The logarithm of tau2^power times the restricted likelihood at one tau2 a replicate, without constants."""
        w = 1 / (tau2[:, None] + self.variance)
        beta, _ = self.regression(w)
        logs = np.log(w).sum(axis=1) - np.linalg.slogdet(self.products(w))[1]
        with np.errstate(divide="ignore"):
            extra = power * np.log(tau2) if power else 0.0
        return np.asarray(0.5 * (logs - (w * (self.y - beta @ self.x.T) ** 2).sum(axis=1)) + extra)

    def score(self, tau2: Floats, power: float) -> tuple[Floats, Floats]:
        """The slope of `likelihood` and its expected information: (y'PPy - tr P)/2 + power/tau2 and tr(PP)/2 + power/tau2^2."""
        w = 1 / (tau2[:, None] + self.variance)
        beta, inverse = self.regression(w)
        second = inverse @ self.products(w**2)
        trace = w.sum(axis=1) - np.trace(second, axis1=1, axis2=2)
        both = (w**2).sum(axis=1) - 2 * np.trace(inverse @ self.products(w**3), axis1=1, axis2=2)
        both += np.einsum("bpq,bqp->b", second, second)
        residual = w * (self.y - beta @ self.x.T)
        slope, information = 0.5 * ((residual**2).sum(axis=1) - trace), 0.5 * both
        return (slope + power / tau2, information + power / tau2**2) if power else (slope, information)

    def top(self, power: float) -> Floats:
        """A tau2 for each replicate above which the likelihood only falls, from y'PPy <= rss/tau2^2 and tr P >= (m-p)/(tau2+D)."""
        beta, _ = self.regression(np.ones_like(self.y))
        rss, worst = ((self.y - beta @ self.x.T) ** 2).sum(axis=1), float(self.variance.max())
        left = len(self.x) - self.x.shape[1] - 2 * power
        b = 2 * power * worst + rss
        return np.asarray((b + np.sqrt(b**2 + 4 * left * rss * worst)) / (2 * left))


def maximise(areas: Areas, power: float) -> Floats:
    """The tau2 of the greatest likelihood of each replicate: a grid, then Fisher scoring kept between its neighbours.

    Zero where the likelihood only falls. A single starting point may end on a lesser of two maxima.
    """
    grid = areas.top(power)[:, None] * GRID
    heights = np.column_stack([areas.likelihood(grid[:, k], power) for k in range(len(GRID))])
    best, rows = heights.argmax(axis=1), np.arange(len(grid))
    low, high = grid[rows, np.maximum(best - 1, 0)], grid[rows, np.minimum(best + 1, len(GRID) - 1)]
    at = np.where(best == 0, high / 2, grid[rows, best])
    flat = (best == 0) & ((areas.score(np.zeros(len(grid)), 0.0)[0] <= 0) | (high == 0)) if not power else high == 0
    tau2, left = np.where(flat, 0.0, at), np.flatnonzero(~flat)
    for _ in range(STEPS):
        if not len(left):
            break
        part = Areas(areas.y[left], areas.variance, areas.x)
        slope, information = part.score(at[left], power)
        low[left], high[left] = np.where(slope > 0, at[left], low[left]), np.where(slope > 0, high[left], at[left])
        step = at[left] + slope / information
        inside = (step > low[left]) & (step < high[left])
        at[left], before = np.where(inside, step, (low[left] + high[left]) / 2), at[left]
        tau2[left] = at[left]
        left = left[np.abs(at[left] - before) > CLOSE * (at[left] + areas.variance.min())]
    return tau2


def variance_between(areas: Areas) -> tuple[Floats, Bools]:
    """tau2 of each replicate, and where REML gave zero so that the adjusted likelihood stepped in (Li and Lahiri 2010)."""
    tau2 = maximise(areas, RESTRICTED)
    zero = tau2 <= NIL * areas.variance.min()
    if zero.any():
        tau2[zero] = maximise(Areas(areas.y[zero], areas.variance, areas.x), ADJUSTED)
    return tau2, zero


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
    areas = Areas(y[known][None, :], variance[known], x[known])
    tau2, adjusted = variance_between(areas)
    eblup, mse, beta = predict(areas, tau2, known, x)
    return FayHerriot(beta[0], float(tau2[0]), eblup[0], mse[0], bool(adjusted[0]), ~known)


def predict(areas: Areas, tau2: Floats, known: Bools, x: Floats) -> tuple[Floats, Floats, Floats]:
    """EBLUPs and MSEs of all areas, shape (replicates, areas), and beta; an area without `y` has an infinite variance."""
    w = 1 / (tau2[:, None] + areas.variance)
    beta, inverse = areas.regression(w)
    fitted = beta @ x.T
    d = np.full(len(x), np.inf)
    d[known] = areas.variance
    pull = 1 - tau2[:, None] / (tau2[:, None] + d)  # towards the regression
    direct = np.zeros(fitted.shape)
    direct[:, known] = areas.y - fitted[:, known]
    g2 = pull**2 * np.einsum("mp,bpq,mq->bm", x, inverse, x)
    g3 = pull**2 / (tau2[:, None] + d) * (2 / (w**2).sum(axis=1))[:, None]
    return fitted + (1 - pull) * direct, tau2[:, None] * pull + g2 + 2 * g3, beta


# --- shares -----------------------------------------------------------------------------------------------------------


def to_share(angle: Floats) -> Floats:
    """sin^2 of an angle, itself kept between 0 and pi/2: beyond them a larger angle would give a smaller share."""
    return np.asarray(np.sin(np.clip(angle, 0.0, np.pi / 2)) ** 2)


class Benchmark(NamedTuple):
    """How shares are moved so that their mean is the county's: all times `factor`, or 1 - share times `rest`.

    The ratio keeps 0 at 0 and the shares' own ratios; a difference could leave [0, 1]. Where it would carry a share past 1
    (`is_past`), the shares of those who have it not are multiplied instead. One benchmark a replicate.
    """

    factor: Floats
    rest: Floats
    is_past: Bools

    def of(self, share: Floats) -> Floats:
        """Shares or their limits, moved."""
        factor, rest, past = (v[..., None] for v in (self.factor, self.rest, self.is_past))
        return np.where(past, 1 - (1 - share) * rest, np.minimum(share * factor, 1.0))


def benchmark(share: Floats, weight: Floats, total: Any) -> Benchmark:
    """The benchmark of shares, shape (..., areas), whose mean by `weight` shall be `total`."""
    mean, total = np.asarray((share * weight).sum(axis=-1) / weight.sum()), np.asarray(total, dtype=float)
    factor = np.divide(total, mean, out=np.ones_like(mean), where=mean > 0)
    rest = np.divide(1 - total, 1 - mean, out=np.ones_like(mean), where=mean < 1)
    return Benchmark(factor, rest, np.asarray(share.max(axis=-1) * factor > 1))


def share_fay_herriot(
    p: Floats, n_eff: Floats, x: Floats, weight: Floats, total: float, replicates: int = REPLICATES, seed: int = 0
) -> tuple[pd.DataFrame, FayHerriot, float]:
    """Small-area shares: a frame (estimate, low, high, mse, is_synthetic; one row an area), the model, and the factor.

    `p` and `n_eff` are direct shares and effective sizes, missing where there is no answer to speak of; `weight` is each
    area's population, `total` the county's direct share, which the areas with a direct one are benchmarked to. On the scale y = asin(sqrt p) the sampling variance is
    1/(4 n_eff) (Jiang and others 2001; Casas-Cordero, Encina and Lahiri 2016); the interval is built there, kept within
    0 and pi/2 and turned back, so that it stays within 0 and 1 and is not symmetric. The MSE of the benchmarked share
    comes from a parametric bootstrap (Hadam, Wuerz and Kreutzmann 2020). Raises EstimateError.
    """
    known = np.isfinite(p) & np.isfinite(n_eff)
    angle, variance = np.arcsin(np.sqrt(np.where(known, p, np.nan))), 1 / (4 * np.where(known, n_eff, np.nan))
    fit = fay_herriot(angle, variance, x)
    half = Z * np.sqrt(fit.mse)
    estimate, low, high = (to_share(fit.eblup + k * half) for k in (0, -1, 1))
    moved = benchmark(estimate, np.where(known, weight, 0.0), total)
    frame = pd.DataFrame({"estimate": moved.of(estimate), "low": moved.of(low), "high": moved.of(high),
                          "mse": share_mse(fit, variance, x, weight, replicates, seed), "is_synthetic": fit.is_synthetic})  # fmt: skip
    return frame, fit, float(moved.factor)


def share_mse(
    fit: FayHerriot, variance: Floats, x: Floats, weight: Floats, replicates: int = REPLICATES, seed: int = 0
) -> Floats:
    """The mean squared error of each area's benchmarked share over counties drawn from the fitted model, each fitted anew.

    True angles x'beta + u, direct ones with their sampling error; each replicate is benchmarked to its own direct mean.
    Of first order: it takes tau2 as known, and so lies about g3 below the formula's.
    """
    rng, known, m = np.random.default_rng(seed), ~fit.is_synthetic, len(x)
    mean, spread, heard = x @ fit.beta, np.sqrt(variance[known]), np.where(known, weight, 0.0)
    truth = mean + np.sqrt(fit.tau2) * rng.standard_normal((replicates, m))
    errors = spread * rng.standard_normal((replicates, len(spread)))
    drawn = Areas(truth[:, known] + errors, variance[known], x[known])
    tau2, _ = variance_between(drawn)
    shares = to_share(predict(drawn, tau2, known, x)[0])
    totals = (to_share(drawn.y) @ weight[known]) / weight[known].sum()
    squares = (benchmark(shares, heard, totals).of(shares) - to_share(truth)) ** 2
    return np.asarray(squares.sum(axis=0) / replicates)


# --- ranks ------------------------------------------------------------------------------------------------------------


def joint_level(places: int, level: float = 0.95, how: str = "bonferroni") -> float:
    """The level of each of `places` intervals that all hold together at `level`: Bonferroni's, or Sidak's (independent places).

    >>> round(joint_level(18), 5), round(joint_level(18, how="sidak"), 5)
    (0.99722, 0.99715)
    """
    return level ** (1 / places) if how == "sidak" else 1 - (1 - level) / places


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
