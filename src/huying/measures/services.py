"""Rights and items given to the towns, on paper and in use, and their service centres; refuses to tell of the leaders of a town.

What is built is not taken for what is in use, nor a blank for a no. `spans`: the county's periods by name, each with `last`
(its last day) and `as_of` (the day on which its data were taken).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import bounded, find_ends
from huying.estimates import COUNTY
from huying.ledgers import LISTS
from huying.measures.agencies import ASKED
from huying.survey import NOT_ASKED
from huying.surveys import Census
from huying.workdays import Calendar, Rule, wait_days

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
    """The county's share of towns that used every right of `columns`, as their leaders say; base: all towns.

    One leader who says that the town used a right is enough; that it did not needs the answers of all who were asked, and
    otherwise nobody knows: who sent no form has not answered. One town that did not is enough for "not all".
    """

    def tally(frame: pd.DataFrame, town: pd.Series) -> pd.DataFrame:
        said, where = frame[list(columns)], town.to_numpy()
        used, is_known = said.fillna(False).groupby(where).any(), said.notna().groupby(where).all()
        every = used.astype("boolean").where(used | is_known).all(axis=1, skipna=False)
        return bounded([COUNTY], [every.sum()], [every.count()], [len(every)])

    return leaders.by_town(tally, "" if set(columns) <= set(leaders.frame) else NOT_ASKED)


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
    return float(part.cov(total) / spread) if (spread := total.var()) > 0 else np.nan


# --- lists and items --------------------------------------------------------------------------------------------------


def tabulate_lists(lists: pd.DataFrame, towns: Sequence[str], spans: Mapping[str, Any]) -> pd.DataFrame:
    """By period and town (index, every town of the register) whether each list is published and of the year in which the period ends.

    Updated since the period ended is not out of date.
    """
    when = lists["updated_on"].fillna(lists["published_on"])
    is_current = lists["published_on"].notna() & (when.dt.year >= find_ends(lists, spans, when).dt.year)
    found = is_current.groupby([lists["period"], lists["town_id"], lists["list"]]).any()
    axes = [sorted(set(lists["period"])) or [""], list(towns), list(LISTS.options)]
    grid = pd.MultiIndex.from_product(axes, names=["period", "town_id", "list"])
    return found.reindex(grid, fill_value=False).astype(bool).unstack("list").reindex(columns=axes[2])


def tabulate_use(items: pd.DataFrame, log: pd.DataFrame, taken: pd.DataFrame, towns: Any, spans: Any) -> pd.DataFrame:
    """Every item in every town: period, item_id, town_id, cases in the last 90 days of the period, has_case, is_taken, is_used.

    is_taken: the town has taken the item over (true throughout where no ledger tells); is_used: whether an item that it has
    taken over had a case, else missing.
    """
    ends, day = find_ends(log, spans, log["accepted_at"]), log["accepted_at"].dt.normalize()
    recent = log[(day <= ends) & (day > ends.dt.normalize() - pd.Timedelta(days=90))]
    axes = [sorted(set(log["period"])), items["item_id"].unique(), list(towns)]
    grid = pd.MultiIndex.from_product(axes, names=["period", "item_id", "town_id"])
    use = recent.groupby(grid.names).size().rename("cases").reindex(grid, fill_value=0).reset_index()
    own = pd.MultiIndex.from_frame(taken.loc[taken["accepted_on"].notna(), ["item_id", "town_id"]])
    use["is_taken"] = pd.MultiIndex.from_frame(use[["item_id", "town_id"]]).isin(own) if len(taken) else True
    use["has_case"] = use["cases"] > 0
    return use.assign(is_used=use["has_case"].astype("boolean").where(use["is_taken"]))


# --- transactions -----------------------------------------------------------------------------------------------------


def time_transactions(log: pd.DataFrame, rule: Rule, days: Calendar, spans: Mapping[str, Any]) -> pd.DataFrame:
    """The log with wait_days (working days to the end, or to the day the data were taken), is_open, and kept_promise.

    kept_promise: finished within the promised working days; missing without a promise, and where a transaction is not
    finished and not yet due. A log that never says when anything was finished does not say that all is open, or late.
    """
    taken = find_ends(log, spans, log[["accepted_at", "finished_at"]].max(axis=1), "as_of").dt.normalize()
    says_when = log["finished_at"].notna().groupby(log["period"]).transform("any").astype(bool)
    is_open = log["finished_at"].isna() & says_when
    waited = wait_days(log["accepted_at"], log["finished_at"].fillna(taken), rule, days)
    in_time = (waited <= log["promise_days"]).astype("boolean")
    is_young = is_open & in_time.fillna(False)
    return log.assign(wait_days=waited, is_open=is_open, kept_promise=in_time.where(says_when & ~is_young))
