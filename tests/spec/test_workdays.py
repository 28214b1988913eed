"""The working-day clock as a table of rules: notices of 2022 to 2026, hours, weekends, years without a notice."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from huying.words import CalendarError
from huying.workdays import FIRST, Rule, calendar, starts, wait_days

CHINA, RULE = calendar(), Rule()
RULES = [Rule(a, b, c) for a in ("next", "same") for b in ("17:30", "24:00") for c in ("24:00", "17:30")]

# The day of dispatch is not counted; a make-up Saturday or Sunday is.
VECTORS = [  # dispatched, is it a working day, answer by (2), close by (5)
    (
        "2022-01-28",
        1,
        "2022-01-30",
        "2022-02-09",
    ),  # Sat 29 and Sun 30 January are worked; Spring Festival to 6 February
    ("2022-04-01", 1, "2022-04-06", "2022-04-11"),
    ("2022-04-29", 1, "2022-05-06", "2022-05-10"),
    ("2022-09-28", 1, "2022-09-30", "2022-10-10"),
    ("2022-09-30", 1, "2022-10-09", "2022-10-12"),  # 8 and 9 October are worked
    ("2022-10-07", 0, "2022-10-09", "2022-10-12"),  # dispatched on a holiday: the same limits
    ("2022-10-08", 1, "2022-10-10", "2022-10-13"),
    ("2022-12-30", 1, "2023-01-04", "2023-01-09"),
    ("2023-01-20", 1, "2023-01-29", "2023-02-01"),
    ("2023-04-21", 1, "2023-04-24", "2023-04-27"),
    ("2023-09-28", 1, "2023-10-08", "2023-10-11"),
    ("2024-02-08", 1, "2024-02-18", "2024-02-21"),
    ("2025-01-24", 1, "2025-01-27", "2025-02-07"),
    ("2026-02-13", 1, "2026-02-24", "2026-02-27"),
    ("2026-09-24", 1, "2026-09-29", "2026-10-09"),
]


def moments(*texts):
    return pd.Series(pd.to_datetime(list(texts), format="mixed")).astype("datetime64[ns]")


def nth_day(days, number):
    """The day on which the count of working days reaches each number."""
    found = FIRST + np.searchsorted(days.index, number).astype("timedelta64[D]")
    days.position(found)
    return found


def deadlines(start, n, rule, days):
    """The n-th counted working day after each start, which ends at `rule.day_ends`."""
    due = pd.Series(pd.NaT, index=start.index, dtype="datetime64[ns]")
    began = start.notna().to_numpy()
    due[began] = nth_day(days, starts(start[began], rule, days) + n)
    return due


def due(start, n, rule=RULE, days=CHINA):
    return str(deadlines(moments(start), n, rule, days).iloc[0].date())


def wait(start, end, rule=RULE, days=CHINA):
    return int(wait_days(moments(start), moments(end), rule, days).iloc[0])


@pytest.mark.parametrize(("day", "works", "two", "five"), VECTORS)
def test_deadlines_of_the_official_notices(day, works, two, five):
    place = CHINA.position(np.array([day], dtype="datetime64[D]"))[0]
    assert CHINA.index[place] - CHINA.index[place - 1] == works
    assert (due(f"{day} 10:00", 2), due(f"{day} 10:00", 5)) == (two, five)
    assert (wait(f"{day} 10:00", f"{two} 23:59"), wait(f"{day} 10:00", f"{five} 23:59")) == (2, 5)


# May 2022: Thu 5, Fri 6, Sat 7 (worked), Sun 8, Mon 9, Tue 10, Wed 11, Thu 12, Fri 13, Sat 14, Sun 15, Mon 16, Tue 17
@pytest.mark.parametrize(("start", "rule", "limit"), [
    ("2022-05-10 17:29", RULE, "2022-05-12"),  # received on Tue: Wed 1, Thu 2
    ("2022-05-10 17:30", RULE, "2022-05-12"),  # the cut-off itself is in time
    ("2022-05-10 17:31", RULE, "2022-05-13"),  # received on Wed: Thu 1, Fri 2
    ("2022-05-10 17:31", Rule(cutoff="24:00"), "2022-05-12"),
    ("2022-05-10", RULE, "2022-05-12"),  # no hour: in time
    ("2022-05-13 20:00", RULE, "2022-05-17"),  # Friday night: received on Sat, Mon 1, Tue 2, as on Friday noon
    ("2022-05-13 12:00", RULE, "2022-05-17"),
    ("2022-05-14 09:00", RULE, "2022-05-17"),
    ("2022-05-15 20:00", RULE, "2022-05-18"),  # Sunday night: received on Mon, Tue 1, Wed 2
    ("2022-05-06 10:00", RULE, "2022-05-09"),  # Sat 7 is worked: Sat 1, Mon 2
    ("2022-05-10 17:29", Rule("same"), "2022-05-11"),  # Tue 1, Wed 2
    ("2022-05-10 17:31", Rule("same"), "2022-05-12"),  # Wed 1, Thu 2
    ("2022-05-14 09:00", Rule("same"), "2022-05-17"),  # a Saturday cannot be the first counted day: Mon 1, Tue 2
    ("2022-05-13 20:00", Rule("same"), "2022-05-17"),
])  # fmt: skip
def test_limit_of_two_working_days(start, rule, limit):
    assert due(start, 2, rule) == limit


@pytest.mark.parametrize(("start", "end", "rule", "days"), [
    ("2022-05-10 10:00", "2022-05-10 15:00", RULE, 0),  # the same day is not counted
    ("2022-05-10 10:00", "2022-05-11 08:00", RULE, 1),
    ("2022-05-10 10:00", "2022-05-12 20:00", RULE, 2),  # the day ends at midnight
    ("2022-05-10 10:00", "2022-05-12 20:00", Rule(day_ends="17:30"), 3),  # or at 17:30, and the slip is Friday's
    ("2022-05-10 10:00", "2022-05-12", Rule(day_ends="17:30"), 2),  # no hour: before the end of the day
    ("2022-05-10 10:00", "2022-05-14 10:00", RULE, 4),  # on Saturday the 4th day (Mon) has not ended; Wed, Thu, Fri have
    ("2022-05-10 10:00", "2022-05-16 10:00", RULE, 4),
    ("2022-05-13 20:00", "2022-05-13 21:00", RULE, 0),  # received on Sat, answered on Fri
    ("2022-05-10 10:00", "2022-05-10 15:00", Rule("same"), 1),
    ("2022-05-13 20:00", "2022-05-13 21:00", Rule("same"), 1),
    ("2022-05-14 10:00", "2022-05-14 11:00", RULE, 1),  # answered on a day off: within the next working day, Monday
])  # fmt: skip
def test_waits_are_whole_working_days(start, end, rule, days):
    assert wait(start, end, rule) == days


def test_a_missing_end_is_a_missing_wait():
    found = wait_days(moments("2022-05-10", "2022-05-10"), moments("2022-05-11", None), RULE, CHINA)
    assert found.dtype == "Int64" and found.isna().tolist() == [False, True] and found[0] == 1
    assert deadlines(moments(None, "2022-05-10"), 2, RULE, CHINA).isna().tolist() == [True, False]


def test_weekdays_need_no_notice_and_know_no_make_up_days():
    assert due("2022-09-30 10:00", 2, days=calendar("weekdays")) == "2022-10-04"
    assert due("2031-01-03 10:00", 5, days=calendar("weekdays")) == "2031-01-10"


@pytest.mark.parametrize(
    ("start", "year"), [("2026-12-30 10:00", "2027"), ("2027-03-01 10:00", "2027"), ("2003-06-02", "2003")]
)
def test_a_year_without_notice_is_refused_and_named(start, year):
    with pytest.raises(CalendarError) as error:
        due(start, 5)
    assert (
        error.value.values["year"] == year
        and year in error.value.say("en")
        and "calendar_file" in error.value.say("zh")
    )


def own_days(tmp_path, first, last, off=(), name="own.csv"):
    days = pd.date_range(first, last)
    works = (days.day_of_week < 5) & ~days.strftime("%Y-%m-%d").isin(list(off))
    pd.DataFrame({"day": days.strftime("%Y/%m/%d"), "is_workday": works.astype(int)}).to_csv(
        tmp_path / name, index=False
    )
    return tmp_path / name


def test_a_county_adds_a_year(tmp_path):
    own = calendar("china", own_days(tmp_path, "2027-01-01", "2027-12-31", off=["2027-01-01"]))
    assert due("2026-12-30 10:00", 5, days=own) == "2027-01-07"  # Thu 31; Fri 1 off; Mon 4, Tue 5, Wed 6, Thu 7
    assert due("2022-09-30 10:00", 2, days=own) == "2022-10-09"


def test_a_county_adds_a_day_of_closure(tmp_path):
    own = calendar("china", own_days(tmp_path, "2022-05-11", "2022-05-11", off=["2022-05-11"]))
    assert due("2022-05-10 10:00", 2, days=own) == "2022-05-13"


@pytest.mark.parametrize(("text", "key"), [
    ("day,is_workday\n2027-01-01,0\n2027-01-02,yes\n", "workdays.bad_day"),
    ("day,is_workday\n2027-01-01,0\n2027-01-01,1\n", "workdays.bad_day"),
    ("day,is_workday\n2027-01-01,0\n03.01.2027,1\n", "workdays.bad_day"),
    ("date,off\n2027-01-01,0\n", "workdays.bad_columns"),
    ("day,is_workday\n2027-01-01,0\n2027-01-03,1\n", "workdays.gap"),  # 2 January would have to be guessed
])  # fmt: skip
def test_an_unfit_calendar_file_is_refused_with_its_place(tmp_path, text, key):
    file = tmp_path / "own.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(CalendarError) as error:
        calendar("china", file)
    assert error.value.key == key and str(file) in error.value.say("en")
    assert error.value.place.row == (3 if key == "workdays.bad_day" else None)


MINUTES = st.integers(0, 3 * 365 * 1440)
MOMENT = MINUTES.map(lambda m: pd.Timestamp("2022-01-01") + pd.Timedelta(minutes=m))


@settings(max_examples=200, deadline=None)
@given(first=MOMENT, second=MOMENT, n=st.integers(1, 20), rule=st.sampled_from(RULES))
def test_a_later_dispatch_never_has_an_earlier_deadline(first, second, n, rule):
    early, late = deadlines(moments(*sorted((first, second))), n, rule, CHINA)
    assert early <= late


@settings(max_examples=200, deadline=None)
@given(start=MOMENT, minutes=st.integers(0, 30 * 1440), n=st.integers(1, 15), rule=st.sampled_from(RULES))
def test_the_wait_is_n_or_less_exactly_when_the_deadline_is_kept(start, minutes, n, rule):
    end = start + pd.Timedelta(minutes=minutes)
    begun, ended = moments(start), moments(end)
    last = deadlines(begun, n, rule, CHINA).iloc[0]
    in_hours = rule.day_ends == "24:00" or end - end.normalize() <= pd.Timedelta(hours=17, minutes=30)
    kept = end.normalize() < last or (end.normalize() == last and in_hours)
    assert (wait_days(begun, ended, rule, CHINA).iloc[0] <= n) == kept
