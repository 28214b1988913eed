"""How far two raters agree beyond chance, over PSUs; refuses a rating that is no category.

A pair with a missing rating is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from huying.errors import EstimateError
from huying.estimates import Ints


class Kappa(NamedTuple):
    """Cohen's kappa with its standard error, 95% limits, degrees of freedom and number of pairs."""

    estimate: float
    se: float
    low: float
    high: float
    df: float
    n: int


def weighted_kappa(a: Any, b: Any, categories: Sequence[Any], psu: Any = None) -> Kappa:
    """How far two ratings agree beyond chance, nearer misses counting less (Cohen 1968, quadratic weights).

    `a` and `b` are ratings from `categories`, in their order, one pair a row. The interval is Student's over a jackknife
    that leaves out one PSU at a time (by default one pair): pairs of one town are not independent. Its limits stay within
    -1 and 1. Raises EstimateError for a rating that is no category.
    """
    first, second = (rated(ratings, categories) for ratings in (a, b))
    if len(first) != len(second):
        raise EstimateError("scales.unequal", got=f"{len(first)}, {len(second)}")
    kept, k = (first >= 0) & (second >= 0), len(categories)
    units = np.arange(len(first)) if psu is None else np.unique(np.asarray(psu).astype(str), return_inverse=True)[1]
    first, second, units = first[kept], second[kept], units[kept]
    value = kappa(first, second, k)
    left = np.array([kappa(first[units != out], second[units != out], k) for out in np.unique(units)])
    df = float(len(left) - 1)
    se = float(np.sqrt(df / len(left) * ((left - left.mean()) ** 2).sum())) if df > 0 else np.nan
    half = float(stats.t.ppf(0.975, df)) * se if df > 0 else np.nan
    low, high = (float(np.clip(value + sign * half, -1, 1)) for sign in (-1, 1))
    return Kappa(value, se, low, high, df, len(first))


def rated(ratings: Any, categories: Sequence[Any]) -> Ints:
    """The place of each rating among `categories`, -1 where it is missing; raises EstimateError for another rating."""
    given = pd.Series(ratings)
    codes = np.asarray(pd.Index(categories).get_indexer(given), dtype=np.int64)
    strange = (codes < 0) & given.notna().to_numpy()
    if strange.any():
        raise EstimateError("scales.bad_category", got=given[strange].iloc[0], known=", ".join(map(str, categories)))
    return np.where(given.isna(), -1, codes)


def kappa(first: Ints, second: Ints, k: int) -> float:
    """Agreement beyond chance over the most there could be; missing where both always give one and the same rating."""
    if not len(first):
        return np.nan
    table = np.bincount(first * k + second, minlength=k * k).reshape(k, k)
    with np.errstate(invalid="ignore"):
        return float(cohens_kappa(table, wt="quadratic", return_results=False))
