"""Delegated items and service centres from their ledgers; refuses to take what is built for what is in use, or a blank for a no.

`spans`: the county's periods by name, each with `last` (its last day) and `as_of` (the day on which its data were taken).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import by_period, find_ends, values
from huying.estimates import COUNTY
from huying.ledgers import LISTS
from huying.scales import cronbach_alpha
from huying.workdays import Calendar, Rule, wait_days

RECENT_DAYS, IDLE_DAYS = 90, 30
FEWEST_PLACES = 10  # a reliability of fewer marks would be chance
Spans = Mapping[str, Any]


# --- lists and items --------------------------------------------------------------------------------------------------


def tabulate_lists(lists: pd.DataFrame, towns: Sequence[str], spans: Spans) -> pd.DataFrame:
    """By period and town (index, every town of the register) whether each list is published and of the year in which the period ends.

    Updated since the period ended is not out of date.
    """
    when = lists["updated_on"].fillna(lists["published_on"])
    is_current = lists["published_on"].notna() & (when.dt.year >= find_ends(lists, spans, when).dt.year)
    found = is_current.groupby([lists["period"], lists["town_id"], lists["list"]]).any()
    axes = [sorted(set(lists["period"])) or [""], list(towns), list(LISTS.options)]
    grid = pd.MultiIndex.from_product(axes, names=["period", "town_id", "list"])
    return found.reindex(grid, fill_value=False).astype(bool).unstack("list").reindex(columns=axes[2])


def tabulate_use(
    items: pd.DataFrame, log: pd.DataFrame, taken: pd.DataFrame, towns: Sequence[str], spans: Spans
) -> pd.DataFrame:
    """Every item in every town: period, item_id, town_id, cases in the last 90 days of the period, has_case, is_taken, is_used.

    is_taken: the town has taken the item over (true throughout where no ledger tells); is_used: whether an item that it has
    taken over had a case, else missing.
    """
    ends = find_ends(log, spans, log["accepted_at"])
    day = log["accepted_at"].dt.normalize()
    recent = log[(day <= ends) & (day > ends.dt.normalize() - pd.Timedelta(days=RECENT_DAYS))]
    axes = [sorted(set(log["period"])), items["item_id"].unique(), list(towns)]
    grid = pd.MultiIndex.from_product(axes, names=["period", "item_id", "town_id"])
    use = recent.groupby(grid.names).size().rename("cases").reindex(grid, fill_value=0).reset_index()
    own = pd.MultiIndex.from_frame(taken.loc[taken["accepted_on"].notna(), ["item_id", "town_id"]])
    use["is_taken"] = pd.MultiIndex.from_frame(use[["item_id", "town_id"]]).isin(own) if len(taken) else True
    use["has_case"] = use["cases"] > 0
    return use.assign(is_used=use["has_case"].astype("boolean").where(use["is_taken"]))


# --- transactions -----------------------------------------------------------------------------------------------------


def time_transactions(log: pd.DataFrame, rule: Rule, days: Calendar, spans: Spans) -> pd.DataFrame:
    """The log with wait_days (working days to the end, or to the day the data were taken), is_open, and kept_promise.

    kept_promise: finished within the promised working days; missing without a promise, and where a transaction is not
    finished and not yet due. A log that never says when anything was finished does not say that all is open, or late.
    """
    taken = find_ends(log, spans, log[["accepted_at", "finished_at"]].max(axis=1), "as_of").dt.normalize()
    says_when = _is_ever_filled(log, "finished_at")
    is_open = log["finished_at"].isna() & says_when
    waited = wait_days(log["accepted_at"], log["finished_at"].fillna(taken), rule, days)
    in_time = (waited <= log["promise_days"]).astype("boolean")
    is_young = is_open & in_time.fillna(False)
    return log.assign(wait_days=waited, is_open=is_open, kept_promise=in_time.where(says_when & ~is_young))


def keep_lowest(parts: pd.DataFrame) -> pd.DataFrame:
    """Each place's lowest known share with its interval; while another share is unknown it may lie as low as 0."""
    keys = ["period", "place"]
    least = parts.sort_values("estimate", kind="stable").drop_duplicates(keys).sort_index()
    lacks = parts["estimate"].isna().groupby([parts[key] for key in keys]).transform("any")
    return least.assign(low=least["low"].mask(lacks & least["estimate"].notna(), 0.0)).reset_index(drop=True)


# --- centres and stations ---------------------------------------------------------------------------------------------


def mark_use(places: pd.DataFrame, spans: Spans) -> pd.DataFrame:
    """The places with idle_days (from the last transaction to the check) and is_used: built, and idle for at most 30 days.

    A place that was not checked on a stated day is taken as checked on the last day of its period. A ledger that never
    fills the day of the last transaction says nothing of use.
    """
    checked = places["checked_on"].fillna(find_ends(places, spans, places["checked_on"]))
    idle = (checked - places["last_txn_on"]).dt.days
    is_told = checked.notna() & _is_ever_filled(places, "last_txn_on")
    recent = (idle <= IDLE_DAYS).astype("boolean").where(is_told)
    return places.assign(idle_days=idle, is_used=places["is_built"].astype("boolean") & recent)


def _is_ever_filled(rows: pd.DataFrame, column: str) -> pd.Series:
    """Whether a row's period has the column filled anywhere: a ledger that never fills it does not say no."""
    return rows[column].notna().groupby(rows["period"]).transform("any").astype(bool)


def measure_reliability(places: pd.DataFrame, checks: Sequence[str]) -> pd.DataFrame:
    """How far the checks measure one thing: KR-20 over the places of each period with all checks known (Kuder and Richardson 1937)."""

    def one(part: pd.DataFrame) -> pd.DataFrame:
        marks = part[list(checks)].dropna().astype(float)
        return values([COUNTY], [cronbach_alpha(marks) if len(marks) >= FEWEST_PLACES else np.nan], len(marks))

    return by_period(places, one)
