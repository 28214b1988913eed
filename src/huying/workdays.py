"""Working-day arithmetic on the Chinese calendar; refuses a year that has no official notice.

A wait is a whole number of counted working days: the smallest n such that the event is not later than the end of the
n-th counted day. The day of receipt is not counted (Civil Code, article 201) unless `count_from` says so.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import chinese_calendar
import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.words import CalendarError, Place

Ints = npt.NDArray[np.int64]
FIRST, LAST = np.datetime64("1990-01-01"), np.datetime64("2099-12-31")


@dataclass(frozen=True)
class Rule:
    """How a clock runs: the first counted day, the hour after which a slip counts as the next day's, the end of a day.

    `cutoff` "24:00" is no cut-off. What a county may write here is checked with its `county.toml`.
    """

    count_from: str = "next"
    cutoff: str = "17:30"
    day_ends: str = "24:00"


@dataclass(frozen=True)
class Calendar:
    """Which days are working days: `index[i]` counts the working days from FIRST up to day i, `known[i]` says whether i is decided."""

    index: Ints
    known: npt.NDArray[np.bool_]

    def position(self, days: npt.NDArray[np.datetime64]) -> Ints:
        """The place of each day in the calendar; raises CalendarError for a day in a year without notice."""
        if (bad := ~self.knows(days)).any():
            day = str(days.astype("datetime64[D]")[bad][0])
            raise CalendarError("workdays.no_notice", day=day, year=day[:4])
        return np.asarray((days.astype("datetime64[D]") - FIRST).astype(np.int64))

    def knows(self, days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
        """Whether each day lies in a year with a notice."""
        place = (days.astype("datetime64[D]") - FIRST).astype(np.int64)
        return np.asarray((place >= 0) & (place < len(self.index)) & self.known[np.clip(place, 0, len(self.known) - 1)])

    def at_most(self, days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
        """Each day, or the last day of a year with a notice where it lies after that: so many days are over at least."""
        return np.asarray(np.minimum(days, FIRST + np.flatnonzero(self.known)[-1]))

    def up_to(self, days: npt.NDArray[np.datetime64]) -> Ints:
        """W(d): how many working days there are up to and including each day."""
        return np.asarray(self.index[self.position(days)], dtype=np.int64)


@cache
def calendar(name: str = "china", extra: Path | None = None) -> Calendar:
    """The calendar `china` (official notices 2004 to 2026) or `weekdays` (Monday to Friday), changed by the CSV `extra`.

    `extra` has the columns day, is_workday (1 or 0); its days add a year or replace what a notice says. Raises
    CalendarError for an unfit row or days that leave undecided ones before them.
    """
    days = np.arange(FIRST, LAST + 1)
    works, known = np.asarray(np.is_busday(days)), np.ones(len(days), dtype=bool)
    if name == "china":
        notices = chinese_calendar.constants
        known = np.isin(days.astype("datetime64[Y]"), np.array(list(notices.holidays), dtype="datetime64[Y]"))
        for table, value in ((notices.holidays, False), (notices.workdays, True)):
            works[(np.array(list(table), dtype="datetime64[D]") - FIRST).astype(int)] = value
    if extra is not None:
        place, own = added_days(extra)
        works[place], known[place] = own, True
    span = np.flatnonzero(known)
    if len(hole := np.flatnonzero(~known[span[0] : span[-1]])):
        day = str(days[span[0] + hole[0]])
        raise CalendarError("workdays.gap", Place(str(extra)), day=day, year=day[:4])
    return Calendar(np.cumsum(works).astype(np.int64), known)


def added_days(file: Path) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The places of the days in a county's own calendar file, and whether each is a working day; raises CalendarError."""
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise CalendarError("workdays.not_csv", Place(str(file))) from error
    if not {"day", "is_workday"} <= set(table.columns):
        raise CalendarError("workdays.bad_columns", Place(str(file)), got=", ".join(map(str, table.columns)))
    day = pd.to_datetime(table["day"].str.strip().str.replace("/", "-"), format="%Y-%m-%d", errors="coerce")
    if not (fits := day.between(FIRST, LAST) & table["is_workday"].isin(["0", "1"]) & ~day.duplicated()).all():
        row = int(np.flatnonzero(~fits)[0])
        raise CalendarError("workdays.bad_day", Place(str(file), row=row + 2), got=", ".join(table.iloc[row]))
    place = (day.to_numpy().astype("datetime64[D]") - FIRST).astype(np.int64)
    return place, (table["is_workday"] == "1").to_numpy(dtype=bool)


def counted_day(moments: pd.Series, late_after: str) -> npt.NDArray[np.datetime64]:
    """The calendar day that each moment belongs to: after `late_after` it is the next day's; midnight means no hour."""
    days = np.asarray(moments.to_numpy(), dtype="datetime64[D]")
    if late_after == "24:00":
        return days
    hour, minute = map(int, late_after.split(":"))
    late = ((moments - moments.dt.normalize()) > pd.Timedelta(hours=hour, minutes=minute)).to_numpy()
    return np.asarray(days + late.astype("timedelta64[D]"))


def start_day(start: pd.Series, rule: Rule) -> npt.NDArray[np.datetime64]:
    """The last day before the first that each clock counts."""
    began = counted_day(start, rule.cutoff)
    return began if rule.count_from == "next" else began - np.timedelta64(1, "D")


def starts(start: pd.Series, rule: Rule, days: Calendar) -> Ints:
    """How many working days had passed when each clock started: the n-th counted day is this count plus n."""
    return days.up_to(start_day(start, rule))


def wait_days(start: pd.Series, end: pd.Series, rule: Rule, days: Calendar) -> pd.Series:
    """Working days waited, Int64, missing where `end` is: n or less exactly when the event keeps the n-day limit.

    Missing also where one of the two lies in a year without a notice. At least 0, and at least 1 where the day of dispatch
    is itself the first counted day.
    """
    least, waits = int(rule.count_from == "same"), pd.Series(pd.NA, index=start.index, dtype="Int64")
    before = counted_day(end, rule.day_ends) - np.timedelta64(1, "D")
    done = days.knows(before) & days.knows(start_day(start, rule)) & (end.notna() & start.notna()).to_numpy()
    waits[done] = np.maximum(least, days.up_to(before[done]) - starts(start[done], rule, days) + 1)
    return waits
