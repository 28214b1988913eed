"""What few answers can show: shares of small towns, drawn on the strength of the others, and the next wave of a survey.

Refuses a model where too few towns have a share, and a change past 100%. The model is Fay and Herriot's on the arcsine scale
(`huying.small_areas`), benchmarked to the county's own estimate. A next wave: two of n respondents each, a two-sided test at
5%, power 80%; the variance of the difference is that of simple random samples times the design effect, less what the waves
share through villages that are kept (Kish 1965).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from huying.counted import unsaid, values
from huying.estimates import COUNTY
from huying.intervals import STUDENT, Bools, Floats
from huying.small_areas import share_fay_herriot
from huying.survey import Survey, correlate

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
        # Nothing for any place, with the reason of its direct share or, where it has one, that towns are too few.
        why = rows["reason"].replace("", NO_MODEL).to_numpy()
        part = np.where(rows["place"] == COUNTY, FACTOR, TOWN)
        return unsaid(rows["place"], why, rows["n"].to_numpy(), part=part, wave=rows["wave"].to_numpy())
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


RISE, POWER, LEVEL = 0.10, 0.80, 0.95
Z_TEST, Z_POWER = float(stats.norm.ppf((1 + LEVEL) / 2)), float(stats.norm.ppf(POWER))
MOST_SHARED = 0.95  # a correlation of 1 would promise a change from nobody
DETECTABLE, NEEDED = "detectable_change", f"n_for_{100 * RISE:.0f}_points"


def size_for_share(p: float, rise: float = RISE, deff: float = 1.0, shared: float = 0.0) -> float:
    """Respondents a wave with which a share that rises from `p` by `rise` is seen; missing where it would pass 100%.

    The formula of R's power.prop.test (Fleiss, Levin and Paik 2003, chapter 4, without continuity correction) times
    `deff`; `shared` is the correlation of the two waves' estimates.

    >>> round(size_for_share(0.5, 0.1), 4)
    387.3385
    """
    after = p + rise
    if not (p >= 0 and after <= 1 and rise > 0 and deff > 0):
        return np.nan
    middle, before_after = (p + after) / 2, (p * (1 - p), after * (1 - after))
    null = 2 * middle * (1 - middle) * (1 - shared)
    apart = sum(before_after) - 2 * shared * np.sqrt(before_after[0] * before_after[1])
    return float(deff * ((Z_TEST * np.sqrt(null) + Z_POWER * np.sqrt(apart)) / rise) ** 2)


def rise_of_share(p: float, n: float, deff: float = 1.0, shared: float = 0.0) -> float:
    """The smallest rise from `p` that `n` respondents a wave would show; missing where even 100% would not be seen."""

    def lacks(rise: float) -> float:
        return size_for_share(p, rise, deff, shared) - n

    if not (0 <= p < 1 and n > 0 and deff > 0) or lacks(1 - p) > 0:
        return np.nan
    return float(optimize.brentq(lacks, 1e-6, 1 - p, xtol=1e-14, rtol=1e-12))


def size_for_mean(spread: float, rise: float = RISE, shared: float = 0.0, listed: float = np.inf) -> float:
    """Respondents a wave with which a mean or ratio that rises by `rise` is seen: 1 / (1/N + rise^2 / (2 s^2 (1-r) z^2)).

    `spread`: s, the standard error times the square root of n, so that it holds the design effect (before the finite
    population `listed` is credited). z is the sum of the two quantiles (Cochran 1977, chapter 4).

    >>> round(size_for_mean(1.0, 0.5), 2)
    62.79
    """
    needed = 2 * (1 - shared) * (spread * (Z_TEST + Z_POWER) / rise) ** 2
    return float(1 / (1 / listed + 1 / needed)) if needed > 0 else np.nan


def correlate_waves(survey: Survey, since: Survey, column: str) -> float:
    """The correlation of the county's means of a column in two waves, 0 to .95: what the villages kept bring as they stand.

    (v1 + v2 - v of the difference) / (2 s1 s2). One wave alone: 0, as if the next went to new villages. A correlation
    below 0 is chance and counts as 0.
    """
    if not len(survey.frame) or not len(since.frame):
        return 0.0
    return float(np.clip(correlate(*survey.beside(since, column))[COUNTY], 0.0, MOST_SHARED))


def plan_next(rows: pd.DataFrame, shared: float = 0.0, listed: pd.Series | None = None) -> pd.DataFrame:
    """Two rows a place of `rows` (estimates of one wave): the smallest rise that the next wave would show, and the respondents it needs for +10 points.

    The part names which of the two. Shares use the design effect behind their interval (n / n_eff), means and ratios their
    standard error; `shared` as of `correlate_waves`. `listed`: the people in the population by place, where the sample is a
    large part of them; endless where it is missing.
    """
    population = (pd.Series(dtype=float) if listed is None else listed).reindex(rows["place"]).fillna(np.inf)
    pairs = [_plan(row, shared, size) for row, size in zip(rows.to_dict("records"), population, strict=True)]
    rises, sizes = np.array(pairs, dtype=float).reshape(-1, 2).T
    why, parts = rows["reason"].replace("", "not estimable").to_numpy(), []
    for part, numbers in ((DETECTABLE, rises), (NEEDED, np.ceil(np.round(sizes, 9)))):
        given = {"part": part, "wave": rows["wave"].to_numpy()}
        parts.append(values(rows["place"], numbers, rows["n"].to_numpy(dtype=float), why, **given))
    return pd.concat(parts, ignore_index=True)


def _plan(row: Mapping[Any, Any], shared: float, listed: float) -> tuple[float, float]:
    """The smallest rise seen and the respondents for +10 points, of one row; missing where it would pass 100%."""
    p, n, n_eff, se = (float(row[key]) for key in ("estimate", "n", "n_eff", "se"))
    if row["method"] != STUDENT:
        deff = n / n_eff if n_eff > 0 else np.nan
        return rise_of_share(p, n, deff, shared), size_for_share(p, RISE, deff, shared)
    if not (se > 0 and n < listed):
        return np.nan, np.nan
    rise = float((Z_TEST + Z_POWER) * np.sqrt(2 * (1 - shared)) * se)
    size = size_for_mean(se * np.sqrt(n / (1 - n / listed)), RISE, shared, listed)
    return rise if p + rise <= 1 else np.nan, size if p + RISE <= 1 else np.nan
