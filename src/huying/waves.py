"""Two waves of one survey beside each other: shared villages as shared PSUs, or independent samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.estimates import STUDENT, Bools, Design, limits, rate


def stacked(
    first: Design, first_names: npt.NDArray[Any], second: Design, second_names: npt.NDArray[Any]
) -> tuple[Design, Bools]:
    """Both waves' people as one design whose PSUs are the names, so that changes keep their covariance; and who is of the second.

    Calibration is credited in each wave by itself: the margins of the second are other categories than those of the first.
    """
    psu = np.unique(np.concatenate([first_names, second_names]), return_inverse=True)[1].astype(np.int64)
    shift = [int(margin.max(initial=-1)) + 1 for margin in first.margins]
    pairs = zip(first.margins, second.margins, shift, strict=True)
    margins = tuple(np.concatenate([a, b + s]) for a, b, s in pairs)
    weight, stratum, prior = (
        np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("weight", "stratum", "prior")
    )
    design = Design(stratum, psu, weight, first.places, margins=margins, base=prior)
    return design, np.arange(len(weight)) >= len(first.weight)


def independent_sum(first: pd.DataFrame, second: pd.DataFrame, sign: float = 1.0) -> pd.DataFrame:
    """`first` plus `sign` times `second`, estimate frames of independent samples, at the places of `first`.

    Variances add, degrees of freedom are Welch's (1947). Forms carry no name, so who answered twice cannot be known; where
    the same people answer alike a change has too wide an interval, not too narrow a one.
    """
    other = second.set_index("place").reindex(first["place"]).set_axis(first.index)
    variances = [rows["se"].to_numpy(dtype=float) ** 2 for rows in (first, other)]
    freedom = [rows["df"].to_numpy(dtype=float) for rows in (first, other)]
    pairs = zip(variances, freedom, strict=True)
    bottom = sum(np.divide(v**2, df, out=np.zeros(len(v)), where=df > 0) for v, df in pairs)
    total, least = sum(variances), np.minimum(*freedom)
    made = first.assign(
        estimate=first["estimate"] + sign * other["estimate"].astype(float),
        se=np.sqrt(total),
        df=np.divide(total**2, bottom, out=least.copy(), where=bottom > 0),
        **dict.fromkeys(("n_eff", "deff"), np.nan),
        n=np.minimum(first["n"], other["n"]),
        method=STUDENT,
        reason=first["reason"].where(first["reason"] != "", other["reason"].fillna("")),
    )
    made["low"], made["high"] = limits(made)
    return made.assign(reliability=rate(made))
