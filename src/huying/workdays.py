"""Working-day arithmetic on the Chinese calendar; refuses a year that has no official notice.

A wait is a whole number of counted working days: the smallest n such that the event is not later than the end of the
n-th counted day. The day of receipt is not counted (Civil Code, article 201) unless `count_from` says so.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import chinese_calendar
import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.errors import CalendarError

Ints = npt.NDArray[np.int64]
FIRST, LAST = 1990, 2099


@dataclass(frozen=True)
class Rule:
    """How a clock runs: the first counted day, the hour after which a slip counts as the next day's, the end of a day."""

    count_from: str = "next"
    cutoff: str | None = "17:30"
    day_ends: str = "24:00"


@dataclass(frozen=True)
class Calendar:
    """Which days are working days: `index[i]` counts the working days up to day i, `known[i]` says whether i is decided."""

    name: str
    first: np.datetime64
    index: Ints
    known: npt.NDArray[np.bool_]

    def position(self, days: npt.NDArray[np.datetime64]) -> Ints:
        """The place of each day in the calendar; raises CalendarError for a day in a year without notice."""
        place = (days.astype("datetime64[D]") - self.first).astype(np.int64)
        bad = (place < 0) | (place >= len(self.index)) | ~self.known[np.clip(place, 0, len(self.known) - 1)]
        if bad.any():
            day = str(days.astype("datetime64[D]")[bad][0])
            raise CalendarError("workdays.no_notice", day=day, year=day[:4])
        return place

    def up_to(self, days: npt.NDArray[np.datetime64]) -> Ints:
        """W(d): how many working days there are up to and including each day."""
        return self.index[self.position(days)]

    def nth(self, number: Ints) -> npt.NDArray[np.datetime64]:
        """The day on which the count of working days reaches each number."""
        place = np.searchsorted(self.index, number)
        days = self.first + np.minimum(place, len(self.index) - 1).astype("timedelta64[D]")
        self.position(np.atleast_1d(days))
        return np.asarray(days)


@cache
def calendar(name: str = "china", extra: Path | None = None) -> Calendar:
    """The calendar `china` (official notices 2004 to 2026, and the days of the CSV `extra`) or `weekdays` (Monday to Friday).

    `extra` has the columns day, is_workday and must hold every day of each year that it adds.
    """
    first = np.datetime64(f"{FIRST}-01-01")
    days = first + np.arange((dt.date(LAST, 12, 31) - dt.date(FIRST, 1, 1)).days + 1).astype("timedelta64[D]")
    works, known = np.is_busday(days), np.ones(len(days), dtype=bool)
    if name == "china":
        years = days.astype("datetime64[Y]").astype(int) + 1970
        constants = chinese_calendar.constants
        known = np.isin(years, [day.year for day in constants.holidays])
        for table, value in ((constants.holidays, False), (constants.workdays, True)):
            works[[(day - dt.date(FIRST, 1, 1)).days for day in table]] = value
        if extra is not None:
            added = pd.read_csv(extra, dtype=str)
            place = (pd.to_datetime(added["day"]).to_numpy().astype("datetime64[D]") - first).astype(int)
            works[place], known[place] = added["is_workday"].to_numpy() == "1", True
    return Calendar(name, first, np.cumsum(works).astype(np.int64), known)


def counted_day(moments: pd.Series, late_after: str | None) -> npt.NDArray[np.datetime64]:
    """The calendar day that each moment belongs to: after `late_after` it is the next day's; midnight means no hour."""
    days = np.asarray(moments.to_numpy(), dtype="datetime64[D]")
    if late_after in (None, "24:00"):
        return days
    hour, minute = map(int, str(late_after).split(":"))
    late = ((moments - moments.dt.normalize()) > pd.Timedelta(hours=hour, minutes=minute)).to_numpy()
    return np.asarray(days + late.astype("timedelta64[D]"))


def starts(start: pd.Series, rule: Rule, days: Calendar) -> Ints:
    """How many working days had passed when each clock started: the n-th counted day is this count plus n."""
    began = counted_day(start, rule.cutoff)
    return days.up_to(began if rule.count_from == "next" else began - np.timedelta64(1, "D"))


def deadlines(start: pd.Series, n: int, rule: Rule, days: Calendar) -> pd.Series:
    """The n-th counted working day after each start (a day; it ends at `rule.day_ends`).

    Raises CalendarError when the start or the deadline falls in a year without an official notice.
    """
    return pd.Series(days.nth(starts(start, rule, days) + n), index=start.index).astype("datetime64[ns]")


def wait_days(start: pd.Series, end: pd.Series, rule: Rule, days: Calendar) -> pd.Series:
    """Working days waited, Int64, missing where `end` is: n or less exactly when the event keeps the n-day limit."""
    waits = pd.Series(pd.NA, index=start.index, dtype="Int64")
    done = (end.notna() & start.notna()).to_numpy()
    if done.any():
        finished = counted_day(end[done], rule.day_ends)
        waits[done] = np.maximum(0, days.up_to(finished - np.timedelta64(1, "D")) + 1 - starts(start[done], rule, days))
    return waits
