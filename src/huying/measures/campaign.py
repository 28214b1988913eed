"""Towns that had a campaign beside the others, in a wave and from wave to wave; refuses to read a cause out of one town.

Every town that answered takes part, however few its answers: its own value is not shown, and to leave out towns would be to
choose them.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import student, unsaid, values
from huying.estimates import COUNTY
from huying.intervals import Bools, Floats
from huying.survey import Survey

PERMUTATION, ASSOCIATION, SIGNIFICANT = "permutation", "association", 0.05
NO_CAMPAIGN, NONE_BEFORE = "no campaign to compare", "no wave before the campaign"
MOST_ASSIGNMENTS, DRAWS = 200_000, 9_999  # above the first assignments are drawn at random, so many of them
ENDLESS = 1e6  # degrees of freedom of a variance that is taken as known


def compare_levels(survey: Survey, column: str, campaign: Mapping[str, Any]) -> pd.DataFrame:
    """The mean share in the campaign's towns less that in the others, and how rare so great a difference would be by chance.

    `campaign`: `towns`, the ids. Parts campaign_difference (with its sampling error) and campaign_p (the share of choices
    of as many towns that differ as much).
    """
    return _compare(measure_levels(survey, column), survey, campaign)


def compare_changes(
    survey: Survey, since: Survey, column: str, campaign: Mapping[str, Any], waves: Mapping[str, Any]
) -> pd.DataFrame:
    """As `compare_levels`, of the change since an earlier wave; says where no wave came before the campaign (`on`, a day).

    `waves`: the field time of each wave by name, with its first and last day. Parts end in _of_change.
    """
    day, before, after = campaign.get("on"), waves.get(since.wave), waves.get(survey.wave)
    is_after = day and before and after and before.last < day <= after.first
    why = survey.absent or since.absent or ("" if is_after else NONE_BEFORE)
    return _compare(measure_changes(survey, since, column), survey, campaign, "_of_change", why)


def measure_levels(survey: Survey, column: str) -> pd.DataFrame:
    """Each town's share (estimate), its sampling variance p(1 - p)/n_eff at the pooled design effect, df; index place."""
    rows = _of_towns(replace(survey, fewest=1).share(column))
    p = rows["estimate"]
    return pd.DataFrame({"estimate": p, "variance": p * (1 - p) / rows["n_eff"], "df": np.inf})


def measure_changes(survey: Survey, since: Survey, column: str) -> pd.DataFrame:
    """Each town's change, as `measure_levels`, shared villages as shared PSUs.

    A town whose one village gives no variance has that of two waves that share nothing.
    """
    apart = sum(measure_levels(wave, column)["variance"] for wave in (since, survey))
    rows = _of_towns(replace(survey, fewest=1).change(column, since))
    variance, df = (rows["se"] ** 2).fillna(apart.reindex(rows.index)), rows["df"].where(rows["se"].notna(), np.inf)
    return pd.DataFrame({"estimate": rows["estimate"], "variance": variance, "df": df})


def _of_towns(rows: pd.DataFrame) -> pd.DataFrame:
    """The towns that answered, indexed by place."""
    return rows[rows["estimate"].notna() & (rows["place"] != COUNTY)].set_index("place")


def _compare(
    towns: pd.DataFrame, survey: Survey, campaign: Mapping[str, Any], what: str = "", why: str = ""
) -> pd.DataFrame:
    parts = [f"campaign_difference{what}", f"campaign_p{what}"]
    treated = towns.index.isin([str(town) for town in campaign.get("towns", ())])
    if not 0 < treated.sum() < len(towns):
        reason = survey.absent or why or NO_CAMPAIGN
        return unsaid([COUNTY, COUNTY], reason, part=parts, wave=survey.wave)
    difference, p, smallest_p = permutation_p(towns["estimate"].to_numpy(dtype=float), treated)
    share = np.where(treated, 1 / treated.sum(), 1 / (~treated).sum())
    se, df = satterthwaite(share**2 * towns["variance"].to_numpy(), towns["df"].to_numpy(dtype=float))
    gap = student(difference, se, df, len(towns)).assign(reason=why, df=df if df < ENDLESS else np.nan)
    small = f"smallest p: {smallest_p:.3f}".replace("0.", ".") if smallest_p > SIGNIFICANT else ""
    chance = values([COUNTY], [p], [len(towns)], method=PERMUTATION).assign(reason=small)
    return pd.concat([gap, chance], ignore_index=True).assign(part=parts, wave=survey.wave, remark=ASSOCIATION)


def satterthwaite(variance: Floats, df: Floats) -> tuple[float, float]:
    """The standard error of a sum of independent terms, and its degrees of freedom (Satterthwaite 1946), at most ENDLESS."""
    total, bottom = float(variance.sum()), float((variance**2 / df).sum())
    return float(np.sqrt(total)), min(total**2 / bottom, ENDLESS) if bottom > 0 else ENDLESS


def permutation_p(y: Floats, treated: Bools) -> tuple[float, float, float]:
    """Whether the treated units (towns) differ from the others by more than a chance choice of as many units would show.

    The difference of means, its two-sided p value, and the smallest p that the most extreme choice would have got: with one
    treated town of 18 it is 1/18, and no outcome whatever can be significant at 5%. All choices are gone through, or, where
    there are more than MOST_ASSIGNMENTS, DRAWS of them with the observed one added (Phipson and Smyth 2010). It tests the
    sharp hypothesis of no effect in any unit, and holds as a test only if the treated units could as well have been others
    (Fisher 1935; Rosenbaum 2002).

    >>> permutation_p(np.array([9.0, 1.0, 2.0, 3.0]), np.array([True, False, False, False]))[2]
    0.25
    """
    chosen = np.flatnonzero(treated)
    size, rest = len(chosen), len(y) - len(chosen)
    if comb(len(y), size) <= MOST_ASSIGNMENTS:
        picks = np.array(list(itertools.combinations(range(len(y)), size)))
    else:
        rng = np.random.default_rng(0)
        picks = np.array([chosen, *(rng.permutation(len(y))[:size] for _ in range(DRAWS))])
    inside = y[picks].sum(axis=1)
    here, apart = y[treated].mean() - y[~treated].mean(), np.abs(inside / size - (y.sum() - inside) / rest)
    p, smallest_p = (float((apart >= most - 1e-9 * np.ptp(y)).mean()) for most in (abs(here), apart.max()))
    return float(here), p, smallest_p
