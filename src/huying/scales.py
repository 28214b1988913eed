"""Scales of several items, agreement of raters, models of ordered answers, with weights and PSUs; refuses too few items.

A person with a missing answer, a pair with a missing rating is left out. Weights are sampling weights: they change the
value, and only the PSUs say how sure it is.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats
from scipy.special import expit

from huying.design import Design, degrees, estimate_covariance
from huying.intervals import Floats, Ints
from huying.words import EstimateError

Statistic = Callable[[Floats, Floats], float]
LEAST_UNIQUE = 0.005  # a unique variance may not vanish (a Heywood case); the bound of R's factanal


def as_weights(weight: Any, n: int) -> Floats:
    """Weights as numbers above 0, all 1 where none are given; raises EstimateError."""
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=float)
    if len(weights) != n:
        raise EstimateError("scales.unequal", got=f"{n}, {len(weights)}")
    if len(bad := np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))):
        raise EstimateError("estimates.bad_weight", rows=", ".join(map(str, bad[:5])))
    return weights


def fixed_design(stratum: Any, psu: Any, weight: Floats) -> Design:
    """The design of persons with their weights, with codes for strata and PSUs, a PSU being a stratum's own."""
    labels, strata = np.unique(np.asarray(stratum).astype(str), return_inverse=True)
    names = pd.MultiIndex.from_arrays([strata, np.asarray(psu).astype(str)])
    return Design(strata.astype(np.int64), names.factorize(sort=True)[0].astype(np.int64), weight, tuple(labels))


# --- reliability --------------------------------------------------------------------------------------------------------


def cronbach_alpha(items: Any, weight: Any = None) -> float:
    """The share of the variance of the items' sum that is common to them if all measure alike (Cronbach 1951).

    Of items that are passed (1) or not (0) it is formula 20 of Kuder and Richardson (1937), all variances over n. `items` holds a row a person and a column an item; `weight` is one a person. Not a number where the sum does not vary
    or fewer than two persons answered all. Raises EstimateError for fewer than two items.
    """
    spread = covariance(*complete(items, weight, least=2))
    k, total = len(spread), float(spread.sum())
    return k / (k - 1) * (1 - float(np.trace(spread)) / total) if total > 1e-12 else np.nan


def mcdonald_omega(items: Any, weight: Any = None) -> float:
    """Omega total of one factor: (sum of loadings)^2 over itself plus the unique variances (McDonald 1999, eq. 6.20b).

    In the items' own units, so that it is the reliability of their sum. One factor by maximum likelihood, which unlike
    least residuals is the same for covariances and correlations. Not a number where an item does not vary or fewer
    persons answered than there are items. Raises EstimateError for fewer than three items: two do not identify a factor.
    """
    rows, weights = complete(items, weight, least=3)
    spread = covariance(rows, weights)
    scale = np.sqrt(np.diag(spread))
    if len(rows) <= len(scale) or not (scale > 1e-12).all():
        return np.nan
    correlation = spread / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:  # an item that is the sum of others
        return np.nan
    loadings, unique = one_factor(correlation)
    common = float(loadings @ scale) ** 2
    return common / (common + float(unique @ scale**2))


def complete(items: Any, weight: Any, least: int) -> tuple[Floats, Floats]:
    """The rows without a missing answer and their weights; raises EstimateError for too few items or unfit weights."""
    if (table := pd.DataFrame(items)).shape[1] < least:
        raise EstimateError("scales.few_items", least=least, got=table.shape[1])
    rows = np.asarray(table.to_numpy(dtype=float, na_value=np.nan))
    weights, kept = as_weights(weight, len(rows)), np.isfinite(rows).all(axis=1)
    return rows[kept], weights[kept]


def covariance(rows: Floats, weights: Floats) -> Floats:
    """The weighted covariances of the columns, with the sum of weights as denominator."""
    if not len(rows):
        return np.zeros(2 * rows.shape[1:])
    share = weights / weights.sum()
    centred = rows - share @ rows
    return np.asarray((centred * share[:, None]).T @ centred)


def one_factor(correlation: Floats) -> tuple[Floats, Floats]:
    """Loadings and unique variances of one factor by maximum likelihood, concentrated over the latter (Joreskog 1967)."""

    def loadings(unique: Floats) -> tuple[Floats, Floats]:
        root = np.sqrt(unique)
        values, vectors = np.linalg.eigh(correlation / np.outer(root, root))
        return root * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0)), values[:-1]

    def misfit(unique: Floats) -> tuple[float, Floats]:
        own, rest = loadings(unique)
        return float((rest - np.log(rest) - 1).sum()), (own**2 + unique - np.diag(correlation)) / unique**2

    start, bounds = 0.5 / np.diag(np.linalg.inv(correlation)), [(LEAST_UNIQUE, 1.0)] * len(correlation)
    how = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000}
    fit = optimize.minimize(misfit, np.clip(start, LEAST_UNIQUE, 1.0), jac=True, bounds=bounds, options=how)
    return loadings(fit.x)[0], np.asarray(fit.x)


# --- how sure: PSUs drawn again ---------------------------------------------------------------------------------------


def psu_bootstrap(
    statistic: Statistic, items: Any, stratum: Any, psu: Any, weight: Any = None, n: int = 999, seed: int = 0
) -> tuple[float, float]:
    """The 2.5% and 97.5% points of `statistic(items, weight)` over `n` samples of PSUs drawn again within strata.

    In a stratum of m PSUs, m - 1 are drawn with replacement and weights are multiplied by m/(m - 1) (Rao and Wu 1988; Rao,
    Wu and Yue 1992): the variance of a total is then unbiased, where m drawn of m understate it by 1/m, a half where there
    are two villages. Strata with one PSU are put together. Not numbers where there is one PSU or the statistic is missing in
    more than a tenth of the samples.
    """
    rows = np.asarray(pd.DataFrame(items).to_numpy(dtype=float, na_value=np.nan))
    weights = as_weights(weight, len(rows))
    design = fixed_design(stratum, psu, weights)
    unit, owner = design.psu, put_together(design.owner)
    if len(owner) < 2:
        return np.nan, np.nan
    rng, found = np.random.default_rng(seed), np.empty(n)
    strata = np.split(np.argsort(owner, kind="stable"), np.flatnonzero(np.diff(np.sort(owner))) + 1)
    for draw in range(n):
        again = weights * redrawn(strata, rng)[unit]
        kept = again > 0
        found[draw] = statistic(rows[kept], again[kept])
    if len(known := found[np.isfinite(found)]) < 0.9 * n:
        return np.nan, np.nan
    return float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))


def put_together(owner: Ints) -> Ints:
    """Each PSU's stratum, the lonely PSUs in one of their own."""
    lonely = np.bincount(owner)[owner] == 1
    if lonely.sum() == 1 and len(owner) > 1:  # alone among the lonely: joins a stratum that is not
        lonely |= owner == owner[~lonely][0]
    return np.where(lonely, -1, owner)


def redrawn(strata: Sequence[Ints], rng: np.random.Generator) -> Floats:
    """One bootstrap factor a PSU: how often it was drawn, times m/(m - 1); `strata` hold the places of their PSUs."""
    factor = np.zeros(sum(map(len, strata)))
    for own in strata:
        m = len(own)
        factor[own] = np.bincount(rng.integers(0, m, m - 1), minlength=m) * m / (m - 1)
    return factor


# --- agreement ----------------------------------------------------------------------------------------------------------


def weighted_kappa(a: Any, b: Any, psu: Any = None) -> pd.Series:
    """How far two ratings agree beyond chance, nearer misses counting less (Cohen 1968, quadratic weights): estimate, low …, n.

    `a` and `b` are numbers at equal steps, one pair a row. The interval is Student's over a jackknife that leaves out one
    PSU at a time (by default one pair): pairs of one town are not independent. Its limits stay within -1 and 1. Missing
    where both always give one and the same rating.
    """
    first, second = (pd.Series(ratings, dtype=float).to_numpy() for ratings in (a, b))
    pairs = pd.DataFrame({"a": first, "b": second, "unit": np.arange(len(first)) if psu is None else np.asarray(psu)})
    pairs = pairs.dropna()
    value = agreement(pairs)
    left = np.array([agreement(pairs[pairs["unit"] != out]) for out in pairs["unit"].unique()])
    df = float(len(left) - 1)
    se = float(np.sqrt(df / len(left) * ((left - left.mean()) ** 2).sum())) if df > 0 else np.nan
    half = float(stats.t.ppf(0.975, df)) * se if df > 0 else np.nan
    low, high = (float(np.clip(value + sign * half, -1, 1)) for sign in (-1, 1))
    return pd.Series({"estimate": value, "se": se, "low": low, "high": high, "df": df, "n": len(pairs)})


def agreement(pairs: pd.DataFrame) -> float:
    """One less the mean squared distance over that of any a with any b: kappa at quadratic weights (Fleiss and Cohen 1973)."""
    a, b = pairs["a"], pairs["b"]
    by_chance = a.var(ddof=0) + b.var(ddof=0) + (a.mean() - b.mean()) ** 2
    return float(1 - ((a - b) ** 2).mean() / by_chance) if by_chance > 0 else np.nan


# --- ordered answers ----------------------------------------------------------------------------------------------------


class Ordinal(NamedTuple):
    """A cumulative logit model: log odds of a higher answer, their standard errors, df, n, and why there are none."""

    coefficients: Floats
    se: Floats
    df: float
    n: int
    reason: str = ""


def ordinal_logit(y: Any, predictors: Any, weight: Any = None, stratum: Any = None, psu: Any = None) -> Ordinal:
    """The cumulative logit model logit P(answer <= k) = threshold_k - x coefficient (McCullagh 1980), design-based.

    Weighted pseudo-likelihood; standard errors by linearisation over PSUs within strata (Binder 1983), as R survey's
    svyolr, without a finite population; df = PSUs - strata - predictors. `y` holds ordered numbers, `predictors` a row a
    person; rows with a missing value are left out. Where answers or a predictor do not vary, or a predictor parts the
    answers, there are no numbers and `reason` is `separation`; without degrees of freedom it is `too few answers`.
    """
    answers = pd.Series(y).to_numpy(dtype=float, na_value=np.nan)
    columns = pd.DataFrame(predictors).to_numpy(dtype=float, na_value=np.nan)
    n, w = len(answers), as_weights(weight, len(answers))
    kept = np.isfinite(answers) & np.isfinite(columns).all(axis=1)
    strata, psus = np.zeros(n) if stratum is None else stratum, np.arange(n) if psu is None else psu
    at = fixed_design(np.asarray(strata)[kept], np.asarray(psus)[kept], w[kept])
    found, codes = np.unique(answers[kept], return_inverse=True)
    x, p, q = columns[kept], columns.shape[1], len(found) - 1
    df = float(degrees(at, np.isfinite(at.weight)) - p)
    none = Ordinal(np.full(p, np.nan), np.full(p, np.nan), df, len(x))
    if q < 1 or np.linalg.matrix_rank(np.column_stack([np.ones(len(x)), x])) <= p:
        return none._replace(reason="separation")
    place, scores, hessian = fitted(codes, x, q, at.weight)
    if place is None:
        return none._replace(reason="separation")
    if df <= 0:
        return none._replace(coefficients=place[:p], reason="too few answers")
    se = np.sqrt(np.diag(estimate_covariance(at, scores @ np.linalg.inv(-hessian))))
    return Ordinal(place[:p], se[:p], df, len(x))


def fitted(codes: Ints, x: Floats, q: int, weight: Floats) -> tuple[Floats | None, Floats, Floats]:
    """Coefficients then thresholds at the maximum, each row's score, and the Hessian; no place where there is no maximum.

    Newton's steps, halved until the likelihood rises: it is concave (Pratt 1981), so the maximum is the only one.
    """
    p = x.shape[1]
    share = np.cumsum(np.bincount(codes, weight))[:-1] / weight.sum()
    place = np.concatenate([np.zeros(p), np.log(share / (1 - share))])
    value, scores, hessian = likelihood(place, codes, x, q, weight)
    for _ in range(100):
        step = np.linalg.solve(-hessian, weight @ scores)
        gain = float(step @ (weight @ scores))
        halved = (r for r in 0.5 ** np.arange(30) if likelihood(place + r * step, codes, x, q, weight)[0] >= value)
        rise = next(halved, 0.0)
        place = place + rise * step
        value, scores, hessian = likelihood(place, codes, x, q, weight)
        if np.ptp(x @ place[:p]) > 30.0:  # so far apart in log odds: the model has no finite answer
            return None, scores, hessian
        if gain <= 1e-20 * max(1.0, abs(value)) or rise == 0:
            break
    return place, scores, hessian


def likelihood(place: Floats, codes: Ints, x: Floats, q: int, weight: Floats) -> tuple[float, Floats, Floats]:
    """The weighted log likelihood (minus infinity where thresholds are out of order), rows' scores, and the Hessian."""
    p = x.shape[1]
    cuts = np.concatenate([[-np.inf], place[p:], [np.inf]])
    if (np.diff(cuts[1:-1]) <= 0).any():
        return -np.inf, np.zeros((len(x), p + q)), -np.eye(p + q)
    line, marks = x @ place[:p], np.eye(q + 2)[:, 1:-1]
    (above, upper), (below, lower) = ((cuts[codes + k] - line, np.column_stack([-x, marks[codes + k]])) for k in (1, 0))
    chance = np.maximum(expit(above) - expit(below), 1e-300)
    dense = [expit(end) * expit(-end) for end in (above, below)]
    bent = [d * (1 - 2 * expit(end)) for d, end in zip(dense, (above, below), strict=True)]
    first = [dense[0] / chance, -dense[1] / chance]
    second = [bent[0] / chance - first[0] ** 2, -bent[1] / chance - first[1] ** 2, -first[0] * first[1]]
    scores = upper * first[0][:, None] + lower * first[1][:, None]
    cross = (upper * (weight * second[2])[:, None]).T @ lower
    hessian = (upper * (weight * second[0])[:, None]).T @ upper + (lower * (weight * second[1])[:, None]).T @ lower
    return float(weight @ np.log(chance)), scores, hessian + cross + cross.T
