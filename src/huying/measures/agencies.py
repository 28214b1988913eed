"""Dispatched agencies from their ledgers: who manages them, whether a town was asked, who reported; complete lists, no p values.

Rows come back in the shape of an estimate, for the county; days are calendar days, months are counted from the first change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from huying.claims.judged import NO_BASELINE
from huying.counted import NO_CASE, find_ends, values
from huying.estimates import COUNTY, EXACT
from huying.exact import conditional_odds_ratio, median_unbiased, newcombe_difference

REPORT_DAYS, SERIES_MONTHS, SEGMENT_MONTHS = 30, 24, 3
UNBOUNDED = 20.0  # a log odds ratio that has no limit on this side; a table needs both of its signs and no infinity
NO_CHANGE = "no head change"
ASKED = {"written": True, "oral": True, "none": False}


def rate_management(agencies: pd.DataFrame) -> pd.DataFrame:
    """The roster with three parts of each agency's management by the town, 0 to 1, and their mean `index`.

    attendance: the town keeps it; meetings: share of the meetings called that were attended; leave: the town approves it. A
    part that is not recorded is left out of the mean.
    """
    called = agencies["meetings_called"].astype(float)
    attendance, leave = (
        agencies[f"{name}_by_town"].astype("boolean").astype(float) for name in ("attendance", "leave")
    )
    meetings = agencies["meetings_attended"].astype(float) / called.where(called > 0)
    parts = {"attendance": attendance, "meetings": meetings, "leave": leave}
    return agencies.assign(**parts, index=pd.DataFrame(parts).mean(axis=1))


# --- head changes -----------------------------------------------------------------------------------------------------


def time_reports(changes: pd.DataFrame, periods: Mapping[str, Any]) -> pd.DataFrame:
    """The changes with report_days (to the new head's report to the town), age_days and what they say at REPORT_DAYS.

    in_time and never_reported are missing for a change too young to tell on the day up to which its period is complete (or,
    of a ledger without one, the last day written in it), and throughout where the ledger never fills the date of reporting.
    """
    dates = changes[["changed_on", "reported_on"]].apply(pd.to_datetime)
    age = (find_ends(changes, periods, dates.max(axis=1), "as_of") - dates["changed_on"]).dt.days
    days = (dates["reported_on"] - dates["changed_on"]).dt.days
    can_tell = (age >= REPORT_DAYS) & (days.groupby(changes["period"]).transform("count") > 0)
    told = {"in_time": days <= REPORT_DAYS, "never_reported": days.isna()}
    flags = {name: flag.astype("boolean").where(can_tell) for name, flag in told.items()}
    return changes.assign(report_days=days, age_days=age, **flags)


# --- before and after the mechanism -----------------------------------------------------------------------------------


def find_mechanism_day(documents: pd.DataFrame) -> pd.Timestamp:
    """The day on which a mechanism came into force (else was issued), as the register of documents has it; missing without one."""
    papers = documents[documents["kind"] == "mechanism"]
    return pd.to_datetime(papers["effective_on"]).fillna(pd.to_datetime(papers["issued_on"])).min()


def split_at_mechanism(changes: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """Every change once, with was_asked (missing where nobody knows), is_after, and `since` (months from the mechanism's month).

    is_after is missing where the register of documents has no day of a mechanism. A period that is not the only one is blank.
    """
    day, once = find_mechanism_day(documents), changes.drop_duplicates("event_id", ignore_index=True)
    changed = pd.to_datetime(once["changed_on"])
    number = changed.dt.year * 12 + changed.dt.month
    return once.assign(
        period=once["period"] if changes["period"].nunique() == 1 else "",
        was_asked=once["consulted"].map(ASKED).astype("boolean"),
        is_after=(changed >= day).astype("boolean") if pd.notna(day) else pd.array([pd.NA] * len(once), "boolean"),
        since=number - (day.year * 12 + day.month) if pd.notna(day) else np.nan,
    )


def _tally(split: pd.DataFrame) -> tuple[int, int, int, int]:
    """Asked and known changes after the mechanism, asked and known before it."""
    sides = [split.loc[split["is_after"].eq(after).fillna(False), "was_asked"] for after in (True, False)]
    k1, n1, k0, n0 = (int(v) for side in sides for v in (side.sum(), side.count()))
    return k1, n1, k0, n0


def compare_odds(split: pd.DataFrame) -> pd.DataFrame:
    """The log of the conditional odds ratio of being asked, after against before, with exact limits: finite, or with a reason.

    With a cell of 0 the maximum likelihood estimate is infinite: the median-unbiased one stands in its place, and the limit
    that does not exist is written as UNBOUNDED; it still decides a claim by the limit that it has (Hirji, Tsiatis and Mehta
    1989).
    """
    k1, n1, k0, n0 = _tally(split)
    reason = NO_CHANGE if not n1 + n0 else NO_BASELINE if not n0 else NO_CASE if not n1 else ""
    reason = reason or ("" if 0 < k1 + k0 < n1 + n0 else "separation")
    if len(split) and split["is_after"].isna().all():
        reason, n1 = "no mechanism date", int(split["was_asked"].count())
    if reason:
        return _say(split, np.nan, n1 + n0, reason, method=EXACT)
    found = conditional_odds_ratio(k1, n1, k0, n0)
    with np.errstate(divide="ignore"):
        estimate, low, high = np.log(found[:3])
    limits = dict(zip(("low", "high"), np.clip([low, high], -UNBOUNDED, UNBOUNDED), strict=True))
    if np.isinf(estimate):
        estimate, limits["remark"] = median_unbiased(k1, n1, k0, n0), "one_sided"
    return _say(split, estimate, n1 + n0, method=EXACT, **limits)


def _say(split: pd.DataFrame, value: float, n: int, reason: str = NO_CHANGE, **columns: Any) -> pd.DataFrame:
    period = split["period"].iloc[0] if len(split) else ""
    return values([COUNTY], [value], [n], reason, period=period, measure="was_asked", **columns)


def read_as_ratio(logs: pd.DataFrame) -> pd.DataFrame:
    """Odds ratios from rows of their logarithms; a limit that does not exist is missing above and 0 below."""
    told = logs[["estimate", "low", "high"]].astype(float)
    shown = np.exp(told).mask(told >= UNBOUNDED).mask(told <= -UNBOUNDED, 0.0)
    return logs.assign(**{name: shown[name] for name in shown})


def compare_shares(split: pd.DataFrame) -> pd.DataFrame:
    """The share asked after the mechanism less that before it, Newcombe's (1998) limits."""
    k1, n1, k0, n0 = _tally(split)
    gap, low, high = newcombe_difference(k1, n1, k0, n0)
    return _say(split, gap, n1 + n0, low=low, high=high, method="newcombe")


def list_series(split: pd.DataFrame) -> list[pd.DataFrame]:
    """The monthly series of changes, as a list of one table, or of none where a segmented regression has no finite answer.

    A row a month with a known change: month (from the first change), asked, not_asked, is_after, since (months from the
    mechanism after it, else 0). None where the changes span fewer than 24 months, a segment has fewer than 3, or a month
    parts the asked changes of a segment from the others.
    """
    if split["is_after"].isna().all():
        return []
    known = split[split["was_asked"].notna()]
    tally = known.groupby(known["since"].astype(float))["was_asked"].agg(["sum", "count"]).astype(float).reset_index()
    asked, since = tally["sum"], tally["since"]
    months = pd.DataFrame({"month": since - split["since"].min(), "asked": asked, "not_asked": tally["count"] - asked})
    months = months.assign(is_after=(since >= 0).astype(int), since=since.clip(lower=0.0))
    sides = [side for _, side in months.groupby("is_after") if len(side) >= SEGMENT_MONTHS and not _is_parted(side)]
    is_long = months["month"].max() - months["month"].min() + 1 >= SERIES_MONTHS
    return [months] if is_long and len(sides) == 2 else []


def _is_parted(side: pd.DataFrame) -> bool:
    """Whether all or none of a segment were asked, or a month, itself possibly mixed, parts the asked from the others."""
    yes, no = (side.loc[side[name] > 0, "month"] for name in ("asked", "not_asked"))
    return not (yes.min() < no.max() and yes.max() > no.min())
