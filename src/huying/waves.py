"""Two waves of one survey beside each other: shared villages as shared PSUs, or independent samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.estimates import STUDENT, Design, is_unsteady, limits


def stacked(
    first: Design, first_names: npt.NDArray[Any], second: Design, second_names: npt.NDArray[Any]
) -> tuple[Design, npt.NDArray[np.bool_]]:
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


def independent_change(early: pd.DataFrame, late: pd.DataFrame) -> pd.DataFrame:
    """`late` less `early`, two estimate frames of independent samples by place; degrees of freedom: Welch (1947).

    Forms carry no name, so who answered twice cannot be known; where the same people answer alike the interval is too wide,
    not too narrow.
    """
    late = late.set_index("place").loc[early["place"]].reset_index()
    v0, v1 = early["se"].to_numpy(dtype=float) ** 2, late["se"].to_numpy(dtype=float) ** 2
    parts = [np.divide(v**2, df, out=np.zeros(len(v)), where=df > 0) for v, df in ((v0, early["df"]), (v1, late["df"]))]
    bottom = parts[0] + parts[1]
    least = np.minimum(early["df"], late["df"]).to_numpy(dtype=float)
    df = np.divide((v0 + v1) ** 2, bottom, out=least.copy(), where=bottom > 0)
    gap = late.assign(
        estimate=late["estimate"] - early["estimate"],
        se=np.sqrt(v0 + v1),
        df=df,
        n_eff=np.nan,
        deff=np.nan,
        n=np.minimum(early["n"], late["n"]),
        method=STUDENT,
        reason=early["reason"].where(early["reason"] != "", late["reason"]),
    )
    gap["low"], gap["high"] = limits(gap)
    said = np.select(
        [gap["reason"] == "too few answers", gap["reason"] != "", is_unsteady(gap)],
        ["too few answers", "not estimable", "read with care"],
        "ok",
    )
    return gap.assign(reliability=said)
