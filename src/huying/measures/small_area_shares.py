"""Shares of towns with few answers, drawn on the strength of the others; refuses a model where too few towns have a share.

A Fay-Herriot model on the arcsine scale (`huying.small_areas`), benchmarked to the county's own estimate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.counted import unsaid, values
from huying.estimates import COUNTY
from huying.small_areas import share_fay_herriot

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FEW = 100  # with more answers a small-area estimate is hardly nearer to the truth than the direct one
FAY_HERRIOT, SYNTHETIC, ADJUSTED, NO_MODEL = "fay-herriot", "synthetic", "adjusted_likelihood", "too few towns"
CARE = 0.30
TOWN, FACTOR = "small_area", "benchmark"


def borrow_strength(rows: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    """Small-area shares of all towns (part `small_area`), and the county's factor of the benchmark (part `benchmark`).

    `rows`: the direct shares of one wave, every town in the order of the register `towns`, then the county. n stays that of
    the direct share; `remark` says what rests on the regression alone, and where the adjusted likelihood was used. Without
    a model every row says why.
    """
    own, county = rows[rows["place"] != COUNTY].reset_index(drop=True), rows[rows["place"] == COUNTY].iloc[0]
    known = (own["estimate"].notna() & own["n_eff"].notna()).to_numpy()
    x = regressors(towns, known) if known.any() else np.ones((len(known), 1))
    size = towns["adults"].to_numpy(dtype=float, na_value=np.nan)
    if known.sum() < x.shape[1] + 3 or np.isnan(county["estimate"]) or np.isnan(size).any():
        return _no_model(rows)
    p, n_eff = (own[name].to_numpy(dtype=float) for name in ("estimate", "n_eff"))
    small, fit, factor = share_fay_herriot(p, n_eff, x, size, float(county["estimate"]))
    adjusted = ADJUSTED if fit.is_adjusted else ""
    remark = np.where(fit.is_synthetic, f"{SYNTHETIC}; {adjusted}".rstrip("; "), adjusted)
    given: dict[str, Any] = {"method": FAY_HERRIOT, "reason": "", "remark": remark, "part": TOWN}
    given |= dict.fromkeys(("se", "n_eff", "df", "deff", "rho"), np.nan)
    given["reliability"] = np.where(small["high"] - small["low"] > CARE, "read with care", "ok")
    made = own.assign(**small, **given)
    whole = values([COUNTY], [factor], [known.sum()], part=FACTOR, wave=county["wave"])
    return pd.concat([made, whole], ignore_index=True)


def _no_model(rows: pd.DataFrame) -> pd.DataFrame:
    """Nothing for any place, with the reason of its direct share or, where it has one, that towns are too few."""
    part = np.where(rows["place"] == COUNTY, FACTOR, TOWN)
    why = rows["reason"].replace("", NO_MODEL).to_numpy()
    return unsaid(rows["place"], why, rows["n"].to_numpy(), part=part, wave=rows["wave"].to_numpy())


def regressors(towns: pd.DataFrame, known: Bools) -> Floats:
    """A column of ones and three covariates (standardised), one row a town, less those that the known towns cannot tell apart.

    Declared before any fit, for reasons that hold in any county: streets are urban, where offices are near and notices many;
    larger towns have more staff to tell people; with more villages the same staff reach fewer of them.
    """
    x, people = np.ones((len(towns), 1)), np.log(towns["pop"].astype(float))
    for covariate in (towns["type"] == "street", people, towns["n_villages"]):
        column = covariate.to_numpy(dtype=float)
        spread = column[known].std()
        wider = np.column_stack([x, (column - column[known].mean()) / (spread if spread > 0 else 1.0)])
        if np.isfinite(wider).all() and np.linalg.matrix_rank(wider[known]) == wider.shape[1]:
            x = wider
    return x
