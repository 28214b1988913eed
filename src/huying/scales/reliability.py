"""How far items measure one thing, and how sure that is over PSUs; refuses a scale of too few items.

A person with a missing answer is left out. Weights are sampling weights: they change the value, and only the PSUs say how
sure it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from huying.errors import EstimateError
from huying.estimates import Floats, Ints
from huying.scales.weighted import as_weights, fixed_design

Statistic = Callable[[Floats, Floats], float]
LEAST_UNIQUE = 0.005  # a unique variance may not vanish (a Heywood case); the bound of R's factanal


def cronbach_alpha(items: Any, weight: Any = None) -> float:
    """The share of the variance of the items' sum that is common to them if all measure alike (Cronbach 1951).

    `items` holds a row a person and a column an item; `weight` is one a person. Not a number where the sum does not vary
    or fewer than two persons answered all. Raises EstimateError for fewer than two items.
    """
    spread = covariance(*complete(items, weight, least=2))
    k, total = len(spread), float(spread.sum())
    return k / (k - 1) * (1 - float(np.trace(spread)) / total) if total > 1e-12 else np.nan


def kr20(items: Any, weight: Any = None) -> float:
    """Formula 20 of Kuder and Richardson (1937): alpha of items that are passed (1) or not (0).

    Items' variances p q and the sum's variance both have the denominator n: with n - 1 in one of them only, as often
    seen, it is no longer alpha. Raises EstimateError for fewer than two items or another value.
    """
    rows, weights = complete(items, weight, least=2)
    strange = rows[(rows != 0) & (rows != 1)]
    if len(strange):
        raise EstimateError("scales.not_binary", got=f"{strange[0]:g}")
    return cronbach_alpha(rows, weights)


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
    table = pd.DataFrame(items)
    if table.shape[1] < least:
        raise EstimateError("scales.few_items", least=least, got=table.shape[1])
    rows = np.asarray(table.to_numpy(dtype=float, na_value=np.nan))
    weights = as_weights(weight, len(rows))
    kept = np.isfinite(rows).all(axis=1)
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
        gap = own**2 + unique - np.diag(correlation)
        return float((rest - np.log(rest) - 1).sum()), gap / unique**2

    start = 0.5 / np.diag(np.linalg.inv(correlation))
    bounds = [(LEAST_UNIQUE, 1.0)] * len(correlation)
    fit = optimize.minimize(misfit, np.clip(start, LEAST_UNIQUE, 1.0), jac=True, method="L-BFGS-B", bounds=bounds,
                            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000})  # fmt: skip
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
    known = found[np.isfinite(found)]
    if len(known) < 0.9 * n:
        return np.nan, np.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


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
