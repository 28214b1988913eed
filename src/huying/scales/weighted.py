"""Weights and PSUs of persons, checked; refuses a weight that is not above 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from huying.errors import EstimateError
from huying.estimates import Design, Floats


def as_weights(weight: Any, n: int) -> Floats:
    """Weights as numbers above 0, all 1 where none are given; raises EstimateError."""
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=float)
    if len(weights) != n:
        raise EstimateError("scales.unequal", got=f"{n}, {len(weights)}")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if len(bad):
        raise EstimateError("estimates.bad_weight", rows=", ".join(map(str, bad[:5])))
    return weights


def fixed_design(stratum: Any, psu: Any, weight: Floats) -> Design:
    """The design of persons with their weights, with codes for strata and PSUs, a PSU being a stratum's own."""
    labels, strata = np.unique(np.asarray(stratum).astype(str), return_inverse=True)
    names = pd.MultiIndex.from_arrays([strata, np.asarray(psu).astype(str)])
    return Design(strata.astype(np.int64), names.factorize(sort=True)[0].astype(np.int64), weight, tuple(labels))
