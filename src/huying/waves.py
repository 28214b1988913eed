"""Two waves of one survey beside each other: shared villages as shared PSUs, or independent samples."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.estimates import COUNTY, Design, Term, estimate_sum, rate
from huying.intervals import MOVER, NEEDED, NOW, STUDENT, THEN, Bools, limits


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
        method=first["method"].where(first["method"] == other["method"], STUDENT),
        reason=first["reason"].where(first["reason"] != "", other["reason"].fillna("")),
    )
    made["low"], made["high"] = limits(made)
    return made.assign(reliability=rate(made))


def correlate(design: Design, late: Term, early: Term) -> pd.Series:
    """The correlation of the two waves' estimates by place, from the variances of both and of their difference.

    0 where the waves share no PSU: what rounding or a common centre would leave is nothing.
    """
    late_se, early_se, both_se = (
        estimate_sum(design, "", terms, fewest=0)["se"].to_numpy() for terms in ([late], [early], [late, early])
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (late_se**2 + early_se**2 - both_se**2) / (2 * late_se * early_se)
    seen = [np.bincount(design.psu[base], minlength=len(design.owner)) > 0 for _, _, base in (late, early)]
    shared = np.bincount(np.maximum(design.owner, 0), seen[0] & seen[1], minlength=len(design.places)) > 0
    is_shared = np.append(shared, shared.any())
    return pd.Series(np.where(is_shared, np.clip(np.nan_to_num(r), -1, 1), 0.0), [*design.places, COUNTY])


def change_of_shares(change: pd.DataFrame, now: pd.DataFrame, then: pd.DataFrame, r: pd.Series | float) -> pd.DataFrame:
    """`change` with Zou and Donner's (2008) limits from those of both shares, at the correlation `r` of the two.

    The columns that the limits at any level rest on stand beside it, named as of NOW and THEN.
    """
    parts = [
        share.set_index("place").reindex(change["place"])[list(NEEDED)].add_prefix(prefix).set_axis(change.index)
        for prefix, share in ((NOW, now), (THEN, then))
    ]
    correlation = r if isinstance(r, float) else r.reindex(change["place"]).to_numpy()
    is_known = change["reason"].isin(["", "no variation"])
    made = pd.concat([change.assign(r=correlation, method=MOVER, n_eff=np.nan), *parts], axis=1)
    made["reason"] = change["reason"].mask(is_known, "")
    made["low"], made["high"] = (np.where(is_known, end, np.nan) for end in limits(made))
    return made.assign(reliability=rate(made))
