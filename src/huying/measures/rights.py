"""Rights given to the towns, on paper and in use: occasions, appraisals, the joint conference; refuses to tell of the leaders of a town."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from huying.census import Census
from huying.counted import bounded, decided, find_ends, find_medians
from huying.estimates import COUNTY
from huying.measures.agencies import ASKED
from huying.survey import NOT_ASKED

SCENARIOS = (0.25, 0.30, 0.35)  # weights of the towns' rating, the same for every department


# --- rights used when they could have been ----------------------------------------------------------------------------


def list_occasions(changes: pd.DataFrame, agencies: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Every occasion since `day` on which a town could have used a right: right, was_used (missing where nobody knows).

    consulted: a change of head, used where the town was asked in writing or orally; assessed: an agency whose head is due
    for appraisal, used where the town appraised. Without a day there was no occasion.
    """
    since = changes[changes["changed_on"] >= day].drop_duplicates("event_id")
    due = agencies.drop_duplicates("agency_id", keep="last").iloc[: len(agencies) * pd.notna(day)]
    said = {"consulted": since["consulted"].map(ASKED), "assessed": due["assessed_by_town"]}
    parts = [pd.DataFrame({"right": right, "was_used": used.astype("boolean")}) for right, used in said.items()]
    return pd.concat(parts, ignore_index=True)


def tally_use(leaders: Census, columns: Sequence[str]) -> pd.DataFrame:
    """The county's share of towns that used every right of `columns`, as their leaders say; base: towns with a leader's form.

    One leader who says that the town used a right is enough; that it did not needs the answers of all who were asked, and
    otherwise nobody knows. One town that did not is enough for "not all".
    """

    def tally(frame: pd.DataFrame, town: pd.Series) -> pd.DataFrame:
        every = reduce(operator.and_, (_used_in(frame[name], town) for name in columns))
        return decided(bounded([COUNTY], [every.sum()], [every.count()], [len(every)]))

    return leaders.by_town(tally, "" if set(columns) <= set(leaders.frame) else NOT_ASKED)


def _used_in(said: pd.Series, town: pd.Series) -> pd.Series:
    """Whether each town used a right: true where a leader says so, false where all say no, else missing."""
    where = town.to_numpy()
    used, is_known = said.fillna(False).groupby(where).any(), said.notna().groupby(where).all()
    return used.astype("boolean").where(used | is_known)


# --- appraisal --------------------------------------------------------------------------------------------------------


def keep_latest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last year of a yearly table of departments, indexed by dept_id."""
    return rows[rows["year"] == rows["year"].max()].drop_duplicates("dept_id").set_index("dept_id")


def rank_departments(weights: pd.DataFrame, scores: pd.DataFrame, steps: Sequence[float] = SCENARIOS) -> pd.DataFrame:
    """Departments (index) with town_part, other_part, total, rank (1 = best), and rank_25 …: the ranks with one weight of `steps` for all.

    `weights`: town_weight, other_weight; `scores`: town_score, other_score; both indexed by dept_id.
    """
    rows = weights[["town_weight", "other_weight"]].join(scores[["town_score", "other_score"]], how="inner")
    town, other = rows["town_score"].astype(float), rows["other_score"].astype(float)
    table = pd.DataFrame({"town_part": rows["town_weight"] * town, "other_part": rows["other_weight"] * other})
    table["total"] = table["town_part"] + table["other_part"]
    totals = {"rank": table["total"], **{f"rank_{100 * w:.0f}": w * town + (1 - w) * other for w in steps}}
    # rounded, so that equal scores stay equal whatever the order of the sum
    ranks = {name: total.round(9).rank(ascending=False, method="min").astype(int) for name, total in totals.items()}
    return table.assign(**ranks)


def variance_share(part: pd.Series, total: pd.Series) -> float:
    """cov(part, total)/var(total): the shares of all parts of a total add to one (Wang and Stanley 1970; Shorrocks 1982)."""
    spread = total.var()
    return float(part.cov(total) / spread) if spread > 0 else np.nan


# --- the joint conference ---------------------------------------------------------------------------------------------


def find_median_days(cases: pd.DataFrame, spans: Mapping[str, Any]) -> pd.DataFrame:
    """The median days from referral to ruling by period, open cases censored at the period's as_of (Kaplan and Meier 1958)."""
    taken = find_ends(cases, spans, cases[["referred_on", "ruled_on"]].max(axis=1), "as_of")
    days, age = ((end - cases["referred_on"]).dt.days for end in (cases["ruled_on"], taken))
    return find_medians(cases, days, age)
