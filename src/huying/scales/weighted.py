"""Weights of persons, checked; refuses one that is not above 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from huying.errors import EstimateError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def as_weights(weight: Any, n: int) -> Floats:
    """Weights as numbers above 0, all 1 where none are given; raises EstimateError."""
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=float)
    if len(weights) != n:
        raise EstimateError("scales.unequal", got=f"{n}, {len(weights)}")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if len(bad):
        raise EstimateError("estimates.bad_weight", rows=", ".join(map(str, bad[:5])))
    return weights
