"""Small-area estimates beside the direct ones of towns with few answers, and rank regions; refuses a bare league table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.estimates import COUNT, COUNTY, estimate_shares, limits
from huying.problems import parallel
from huying.problems.facts import Found, Study, values
from huying.samples import Sample
from huying.small_areas import FayHerriot, joint_level, rank_regions, share_fay_herriot

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FEW = 100  # with more answers a small-area estimate is hardly nearer to the truth than the direct one
FAY_HERRIOT, SYNTHETIC, ADJUSTED = "fay-herriot", "synthetic", "adjusted_likelihood"
CARE = 0.30
# The claims that a share of respondents decides in a town: means and ratios have no arcsine scale.
INDICATORS: Mapping[str, tuple[str, Callable[[Sample], Floats]]] = {
    "P16": ("resident", parallel.aware), "P17": ("resident", parallel.first_old), "B05": ("staff", parallel.lighter)}  # fmt: skip
FEWEST = {"resident": "fewest_residents", "staff": "fewest_staff"}
# Declared before any fit, for reasons that hold in any county: streets are urban, where offices are near and notices many;
# larger towns have more staff to tell people; with more villages the same staff reach fewer of them.
COVARIATES: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "street": lambda towns: (towns["type"] == "street").astype(float),
    "log population": lambda towns: np.log(towns["pop"].astype(float)),
    "villages": lambda towns: towns["n_villages"].astype(float),
}


def find(study: Study) -> Found:
    """Subs `small area` and `benchmark` of the claims of INDICATORS, with tables `small_*`."""
    found = Found()
    for claim, (form, _) in INDICATORS.items():
        for wave in study.waves(form):
            beside(study, found, claim, wave)
    return found


def regressors(towns: pd.DataFrame, known: Bools) -> Floats:
    """A column of ones and the COVARIATES (standardised), one row a town, less those that the known towns cannot tell apart."""
    x = np.ones((len(towns), 1))
    for column in (covariate(towns).to_numpy(dtype=float) for covariate in COVARIATES.values()):
        spread = column[known].std()
        wider = np.column_stack([x, (column - column[known].mean()) / (spread if spread > 0 else 1.0)])
        if np.isfinite(wider).all() and np.linalg.matrix_rank(wider[known]) == wider.shape[1]:
            x = wider
    return x


def beside(study: Study, found: Found, claim: str, wave: str) -> None:
    """The small-area estimates of one claim and wave; none where the towns with a direct estimate are too few for the model."""
    form, indicator = INDICATORS[claim]
    sample, fewest = study.samples[form, wave], study.county.thresholds[FEWEST[form]]
    shares = estimate_shares(sample.design, pd.DataFrame({claim: indicator(sample)}), wave=wave, fewest=fewest)
    towns, county = shares[shares["place"] != COUNTY].reset_index(drop=True), shares[shares["place"] == COUNTY].iloc[0]
    known = (towns["estimate"].notna() & towns["n_eff"].notna()).to_numpy()
    x = regressors(study.towns, known) if known.any() else np.ones((len(known), 1))
    if known.sum() < x.shape[1] + 3 or np.isnan(county["estimate"]):
        return
    share, size = (towns[name].to_numpy(dtype=float) for name in ("estimate", "n_eff"))
    people = study.towns["adults" if form == "resident" else "staff_listed"].to_numpy(dtype=float, na_value=np.nan)
    if np.isnan(people).any():
        return
    small, fit, factor = share_fay_herriot(share, size, x, people, float(county["estimate"]))
    found.tables[f"small_{claim}_{wave}"] = side_by_side(towns, small)
    found.add(claim, as_facts(towns, small, fit)[(towns["n"] < FEW).to_numpy()], sub="small area", wave=wave)
    found.add(claim, values([COUNTY], [factor], [known.sum()]), sub="benchmark", wave=wave)


def side_by_side(towns: pd.DataFrame, small: pd.DataFrame) -> pd.DataFrame:
    """town_id; direct, small and their limits; n; `synthetic`: the town has too few answers of its own."""
    both = {"town_id": towns["place"]}
    for name, frame in (("direct", towns), ("small", small)):
        both |= {name: frame["estimate"], f"{name}_low": frame["low"], f"{name}_high": frame["high"]}
    return pd.DataFrame({**both, "n": towns["n"], "synthetic": small["is_synthetic"]})


def as_facts(towns: pd.DataFrame, small: pd.DataFrame, fit: FayHerriot) -> pd.DataFrame:
    """Rows of facts with what they rest on in `remark`: the regression alone, and the adjusted likelihood."""
    remark = small["is_synthetic"].map({True: SYNTHETIC, False: ""})
    if fit.is_adjusted:
        remark = remark.map(lambda said: "; ".join(filter(None, (said, ADJUSTED))))
    care = np.where(small["high"] - small["low"] > CARE, "read with care", "ok")
    return pd.DataFrame({"place": towns["place"], **small[["estimate", "low", "high"]], "se": np.sqrt(small["mse"]),
                         "n": towns["n"], "method": FAY_HERRIOT, "reliability": care, "reason": "", "remark": remark})  # fmt: skip


# --- ranks ------------------------------------------------------------------------------------------------------------


def rank_tables(facts: pd.DataFrame, ids: Collection[str]) -> dict[str, pd.DataFrame]:
    """Tables `ranks_<claim>_<wave or period>` (town_id, estimate, rank, rank_low, rank_high) of the headline facts of the towns `ids`.

    Simultaneous intervals by Bonferroni: towns share raked margins and a pooled design effect, so they are not independent
    as Sidak's level asks. Counts have exact ranks. A place whose value is not stated is listed without a rank.
    """
    towns = facts[(facts["sub"] == "") & facts["place"].isin(ids)]
    tables = {}
    for (claim, wave, period), rows in towns.groupby(["claim", "wave", "period"], sort=False):
        table = ranked(rows.reset_index(drop=True))
        if table["rank"].notna().sum() > 1:
            tables["_".join(filter(None, ("ranks", claim, wave, period)))] = table
    return tables


def ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """The places of one claim with their rank regions, 1 = lowest value."""
    stated = rows["estimate"].notna() & ((rows["method"] == COUNT) | rows["low"].notna())
    low, high = limits(rows, joint_level(max(1, int(stated.sum()))))
    regions = rank_regions(
        rows["estimate"].to_numpy(dtype=float), *(np.where(stated, end, np.nan) for end in (low, high))
    )
    return pd.concat([rows[["place", "estimate"]].rename(columns={"place": "town_id"}), regions], axis=1)
