"""Calls as waiting times on hand-made ledgers: who is too young to be late, what is not recorded, curves beside R."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from huying import waiting
from huying.counted import counted, find_ends, find_medians, student, tally, unsaid
from huying.workdays import Rule, calendar

RULE, CHINA = Rule(), calendar()
MOMENTS = ("called_at", "dispatched_at", "responded_at", "closed_at", "feedback_at")


FLAGS = (
    "is_answered_on_time",
    "is_closed_with_slip_on_time",
    "is_closed_on_time",
    "is_closed",
    "was_returned",
    "is_repeated_soon",
)


def rate(found, flag, towns=()):
    """The counted share of a flag: a row a town of `towns`, then the county (index: place)."""
    counts = tally(found[flag], found["town_id"], list(towns))
    return counted(counts.index, counts["yes"], counts["known"], exact=True).set_index("place")


def ledger(*rows, **columns):
    """Calls from (dispatched, responded, closed, feedback), called when dispatched, in May 2022 unless a month is given."""
    frame = pd.DataFrame(index=range(len(rows)))
    for name in MOMENTS:
        full = [
            t if t is None or t[:2] == "20" else f"2022-05-{t}"
            for t in (row[max(0, MOMENTS.index(name) - 1)] for row in rows)
        ]
        frame[name] = pd.Series(pd.to_datetime(full, format="mixed")).astype("datetime64[ns]")
    plain = {"call_id": [f"c{i}" for i in range(len(frame))], "town_id": "T01", "dept_id": "K01", "returned_n": 0,
             "transfer_n": 0, "reopened_of": None, "status": np.where(frame["closed_at"].isna(), "open", "closed")}  # fmt: skip
    return frame.assign(**{**plain, **columns}).astype({"returned_n": "Int64", "transfer_n": "Int64"})


def timed(calls, as_of="2022-06-30", rule=RULE):
    return waiting.time_calls(calls, rule, CHINA, pd.Timestamp(as_of))


# May 2022: Tue 10, Wed 11, Thu 12, Fri 13, Sat 14, Sun 15, Mon 16, Tue 17, Wed 18
FOUR = ledger(
    ("10 10:00", "12 20:00", "17 09:00", "17 10:00"),  # answered on day 2, closed and fed back on day 5
    ("10 10:00", "13 08:00", "17 09:00", "18 10:00"),  # answered on day 3, the slip a day late
    ("10 17:31", "13 08:00", "18 09:00", None),  # received on Wed: day 2 and day 5, no slip
    ("10 10:00", None, None, None),
)


def test_waits_and_promptness():
    found = timed(FOUR)
    assert found["answer_days"].astype(object).where(found["answer_days"].notna(), None).tolist() == [2, 3, 2, None]
    assert found["closing_days"].fillna(-1).tolist() == [5, 5, 5, -1]
    assert found["is_answered_on_time"].tolist() == [True, False, True, False]
    assert found["is_closed_on_time"].tolist() == [True, True, True, False]
    assert found["is_closed_with_slip_on_time"].tolist() == [True, False, False, False]
    assert found["is_closed"].tolist() == [True, True, True, False]


@pytest.mark.parametrize(("as_of", "age", "two", "five"), [
    ("2022-05-12", 1, False, False),  # Wed is over; Thu, the last day for an answer, is not
    ("2022-05-12 23:59", 1, False, False),  # the hour of `as_of` says nothing: it is a day
    ("2022-05-13", 2, True, False),
    ("2022-05-14", 3, True, False),  # Wed, Thu, Fri
    ("2022-05-15", 3, True, False),
    ("2022-05-17", 4, True, False),
    ("2022-05-18", 5, True, True),
    ("2022-05-09", 0, False, False),
])  # fmt: skip
def test_a_call_is_old_enough_when_its_last_day_was_over(as_of, age, two, five):
    found = timed(ledger(("10 10:00", None, None, None)), as_of).iloc[0]
    assert (found["age_days"], found["is_answer_due"], found["is_closing_due"]) == (age, two, five)


def test_what_happened_after_the_data_were_taken_has_not_happened():
    found = timed(FOUR, "2022-05-17")
    assert found["answer_days"].count() == 3 and found["closing_days"].count() == 2 and found["slip_days"].count() == 1


def test_each_call_may_have_its_own_day():
    taken = pd.Series(pd.to_datetime(["2022-05-13", "2022-05-12", "2022-05-13", "2022-05-18"]))
    assert waiting.time_calls(FOUR, RULE, CHINA, taken)["age_days"].tolist() == [2, 1, 1, 5]


def test_data_of_december_need_no_notice_for_january():
    found = timed(ledger(("2026-12-30 10:00", None, None, None)), "2026-12-31")
    assert found["age_days"].tolist() == [0] and not found["is_answer_due"].any()


def test_a_limit_that_ends_in_a_year_without_a_notice_is_not_known():
    """Five days from 30 December end in January, whose holidays no notice has named: neither due nor late."""
    rows = [("2027-01-04 10:00", None, None, None)] * 2 + [("10 10:00", None, None, None), ("2026-12-30 10:00", None, None, None)]  # fmt: skip
    found = timed(ledger(*rows, status=["open", "withdrawn", "open", "open"]), "2027-01-20")
    assert found["is_deadline_unknown"].tolist() == [True, False, False, True]
    assert found["is_closing_due"].tolist() == [False, False, True, False]


def test_what_a_ledger_never_records_is_missing_and_not_a_no():
    bare = ledger(
        ("10 10:00", None, "11 10:00", None), ("10 10:00", None, None, None), returned_n=pd.NA, transfer_n=pd.NA
    )
    found = timed(bare)
    for name in ("is_answered_on_time", "is_closed_with_slip_on_time", "was_returned", "is_repeated_soon"):
        assert found.loc[0, [name]].isna().all(), name
    assert found["is_closed_on_time"].tolist() == [True, False]
    assert rate(found, "is_answered_on_time").loc["county", ["n", "reason"]].tolist() == [0, "no eligible case"]
    assert rate(found, "is_closed_on_time").loc["county", ["estimate", "n"]].tolist() == [1 / 2, 2]


def test_a_call_closed_at_an_unstated_time_is_closed_and_neither_prompt_nor_late():
    found = timed(ledger(("10 10:00", "11", None, None), ("10 10:00", "11", "12", "12"), status="closed"))
    assert found["is_closed"].tolist() == [True, True]
    assert found["is_closed_on_time"].isna().tolist() == [True, False]
    curve = waiting.waiting_curves(found)
    assert curve[curve["kind"] == "closed"][["wait_days", "share"]].to_numpy().tolist() == [[0, 0], [1, 0], [2, 1]]


def test_called_again_within_ninety_days():
    starts = ["2022-01-01", "2022-04-01", "2022-01-01", "2022-04-02", "2022-01-05", "2022-01-06", "2022-01-04", "2022-02-01"]  # fmt: skip
    of = [
        None,
        "c0",
        None,
        "c2",
        "c4",
        None,
        "c5",
        "c5",
    ]  # 90 days; 91 days; itself; before it (c6) and then after (c7)
    calls = ledger(*[(day, None, None, None) for day in starts], reopened_of=of)
    found = timed(calls)
    assert found.index[found["is_repeated_soon"].fillna(False)].tolist() == [0, 5]
    assert (
        timed(calls, "2022-04-10")["is_repeat_due"].sum() == 5
    )  # 1, 1, 4, 5 and 6 January; 9 January would be the last


def test_rates_by_place_count_what_is_eligible():
    calls = FOUR.assign(
        town_id=["T01", "T01", "T01", "T02"],
        status=["closed", "closed", "closed", "withdrawn"],
        returned_n=pd.array([1, 0, 0, 0]),
    )
    found, towns = timed(calls), ["T01", "T02", "T03"]
    assert rate(found, "is_answered_on_time", towns).loc["T01", ["estimate", "n"]].tolist() == [2 / 3, 3]
    closed = rate(found, "is_closed", towns)
    assert closed.loc["T01", "estimate"] == 1
    assert closed.loc["T01", "low"] == pytest.approx(0.025 ** (1 / 3))  # Clopper-Pearson with no failure
    returned = rate(found, "was_returned", towns)
    assert returned.loc["T01", "high"] == pytest.approx(0.9057007, abs=1e-6)  # R binom.test(1, 3)
    for town in ("T02", "T03"):  # only a withdrawn call; no call
        assert closed.loc[town, ["n", "reason"]].tolist() == [0, "no eligible case"]
        assert closed.loc[town, ["estimate", "low", "high"]].isna().all()


def test_a_withdrawn_call_is_neither_prompt_nor_late_but_may_have_been_returned():
    found = timed(ledger(("10 10:00", "11", None, None), status="withdrawn", returned_n=pd.array([1])))
    assert found[["is_answered_on_time", "is_closed_on_time", "is_closed", "is_repeated_soon"]].isna().all(axis=None)
    assert found["was_returned"].tolist() == [True]


def test_a_call_too_young_leaves_the_share():
    found = timed(FOUR, "2022-05-13")
    answered = rate(found, "is_answered_on_time").loc["county"]
    assert answered[["estimate", "n"]].tolist() == [1 / 3, 3]  # the third was received on Wed
    assert rate(found, "is_closed_on_time").loc["county", "n"] == 0
    assert rate(found, "is_closed_with_slip_on_time").loc["county", "n"] == 0


# survival 3.5 of R: s <- survfit(Surv(time, factor(cause, 0:2)) ~ 1, d); s$pstate
TIME = np.array([1.0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8])
CAUSE = np.array([1, 2, 1, 0, 1, 1, 0, 2, 1, 0, 1, 0])


def test_kaplan_meier_by_hand():
    left = waiting.left_by([1.0, 2, 2, 3], [True, True, False, True])
    assert left.to_dict() == pytest.approx({1: 3 / 4, 2: 3 / 4 * 2 / 3, 3: 0})  # 4, 3 and 1 at risk
    assert waiting.left_by([], []).empty


def test_the_median_is_the_first_day_on_which_half_or_fewer_are_left():
    days, age = pd.Series([1, 2, None, 3]), pd.Series([9, 9, 2, 9])
    assert waiting.median_days(days, age) == 2
    assert np.isnan(waiting.median_days(days.mask(days > 1), pd.Series([9, 9, 9, 9])))  # three of four are left
    assert np.isnan(waiting.median_days(days.head(0), age.head(0)))


def test_closing_by_route_is_survfit_and_adds_up_to_all_that_is_closed():
    calls = pd.DataFrame({"closing_days": np.where(CAUSE > 0, TIME, np.nan), "was_returned": CAUSE == 2})
    table = waiting.closing_by_route(calls.assign(age_days=TIME, status="open", closed_at=pd.NaT))
    assert table["direct_route"].to_list() == pytest.approx([1 / 12, 1 / 6, 17 / 48, 7 / 15, 0.63541666666666663])
    assert table["passed_on"].iloc[-1] == pytest.approx(0.195833333333333331, rel=1e-12)
    assert (table.sum(axis=1) + waiting.left_by(TIME, CAUSE > 0)).to_list() == pytest.approx([1.0] * 5)


def test_a_curve_at_the_limit_is_the_share_when_all_calls_are_old_enough():
    found = timed(pd.concat([FOUR, ledger(("12 10:00", "18", None, None), status="withdrawn")], ignore_index=True))
    curve = waiting.waiting_curves(found)
    at_two = curve[(curve["kind"] == "answered") & (curve["wait_days"] <= 2)]["share"].iloc[-1]
    assert at_two == 2 / 4 == rate(found, "is_answered_on_time").loc["county", "estimate"]


def test_the_curve_ends_with_the_last_whole_day():
    calls = ledger(("10 10:00", "11", None, None), ("10 10:00", "13 09:00", None, None), ("10 10:00", None, None, None))
    curve = waiting.waiting_curves(
        timed(calls, "2022-05-13")
    )  # the answer of the 13th: day 3 is not over for the third call
    assert curve[["wait_days", "share"]].to_numpy().tolist() == [
        [0, 0],
        [1, pytest.approx(1 / 3)],
        [2, pytest.approx(1 / 3)],
    ]


def test_closing_by_route():
    found = waiting.closing_by_route(timed(FOUR.assign(returned_n=pd.array([0, 2, 0, 0]))))
    assert found.index.tolist() == [5] and list(found) == ["direct_route", "passed_on"]
    assert found.loc[5].tolist() == pytest.approx([2 / 4, 1 / 4])


def test_funnel_flags_by_the_exact_tail():
    # Centre 439/445. A perfect department is no outlier: P(5 of 5) = (439/445)^5 = 0.93
    rows = counted(["K1", "K2", "K3", "K4"], [5, 40, 394, 0], [5, 40, 400, 0]).assign(period="2022")
    assert not waiting.funnel(rows)["is_outside"].any()
    assert waiting.common_share(rows) == 439 / 445
    # Centre 1/2, n = 10: P(X = 0) = 2^-10 = 0.00098 lies outside 0.1% a side, P(X <= 1) = 11/1024 does not
    counts = counted("abcd", [0, 10, 1, 9], [10, 10, 10, 10]).assign(period="2022")
    half = waiting.funnel(counts)
    assert half["is_outside"].tolist() == [True, True, False, False]
    assert half["remark"].tolist() == ["outside_limits", "outside_limits", "", ""]
    nine = counted("ab", [0, 9], [9, 9]).assign(
        period="2022"
    )  # P(X = 0) = 2^-9 = 0.00195: outside 0.2% a side, not 0.1%
    assert not waiting.funnel(nine)["is_outside"].any()
    later = counted("abcd", [0, 0, 1, 1], [10, 10, 10, 10]).assign(period="2023")  # centre 1/20: nobody is outside
    both = waiting.funnel(pd.concat([counts, later]))
    assert both["is_outside"].tolist() == [True, True, False, False] + 4 * [False]


def test_funnel_limits_by_hand():
    # n = 2, p = 1/2: P(0) = 1/4, P(<=1) = 3/4. At 2.5%: r = 0, a = (1/4 - 1/40)/(1/4) = 0.9, (0 - 0.9)/2 < 0, so 0;
    # at 97.5%: r = 2, a = (1 - 0.975)/(1/4) = 0.1, (2 - 0.1)/2 = 0.95
    low, high = waiting.funnel_limits(0.5, np.array([2.0]), 0.95)
    assert (low[0], high[0]) == (0, pytest.approx(0.95))


def test_every_clock_is_compared_and_withdrawn_calls_are_left_out():
    calls = pd.concat([FOUR, ledger(("12 10:00", None, None, None), status="withdrawn")], ignore_index=True)
    table = waiting.compare_clocks(calls, CHINA, pd.Timestamp("2022-06-30"))
    assert len(table.drop_duplicates(["count_from", "cutoff", "day_ends"])) == 8 and set(table["n_answered"]) == {4}
    by_rule = table.set_index(["count_from", "cutoff", "day_ends"])["answered"]
    assert by_rule["next_day", "17:30", "24:00"] == 2 / 4
    assert by_rule["next_day", "17:30", "17:30"] == 1 / 4  # 20:00 on the last day is late
    assert by_rule["next_day", "24:00", "24:00"] == 1 / 4  # 17:31 counts as Tuesday's: the answer on Friday is late
    assert by_rule["same_day", "17:30", "24:00"] == 0


def test_the_curve_of_a_funnel_spans_all_departments_and_narrows_with_n():
    rows = counted(["K1", "K2"], [30, 60], [60, 120]).assign(period="2022")
    curve = waiting.funnel_curve(rows)
    assert (curve["n"].iloc[0], curve["n"].iloc[-1]) == (3, 132) and curve["n"].is_unique  # a tenth beyond the largest
    assert waiting.funnel_curve(rows.assign(n=5.0))["n"].iloc[-1] == 10
    assert (curve["low998"] <= curve["low95"]).all() and (curve["high95"] <= curve["high998"]).all()
    last = curve.iloc[-1]  # of so many nearly the normal's: .5 +- 1.96 and 3.09 x sqrt(.25 / 132)
    for ends, z in ((("low95", "high95"), 1.96), (("low998", "high998"), 3.09)):
        assert last[list(ends)].tolist() == pytest.approx([0.5 - z * 0.0435, 0.5 + z * 0.0435], abs=0.006)


def test_counts_and_numbers_say_how_they_were_found():
    rows = counted(["a", "b"], [3, 0], [4, 0])
    assert rows[["estimate", "low", "high"]].to_numpy()[0].tolist() == [0.75] * 3
    assert set(rows["method"]) == {"count"} and rows["n_eff"].isna().all()
    assert rows["reliability"].tolist() == ["ok", "not estimable"] and rows["reason"].tolist() == [
        "",
        "no eligible case",
    ]
    exact = counted(["a"], [3], [4], exact=True).iloc[0]
    assert (exact["method"], exact["n_eff"]) == ("exact", 4) and exact["low"] < 0.75 < exact["high"]
    assert unsaid(["a", "b"], "no call")[["n", "reason"]].to_numpy().tolist() == [[0, "no call"]] * 2


def test_the_countys_number_has_students_limits():
    """t of 4 degrees at 97.5%: 2.776445."""
    row = student(2.0, 0.5, 4, 9).iloc[0]
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx([2, 2 - 2.776445 / 2, 2 + 2.776445 / 2])
    assert row[["place", "se", "df", "n", "method"]].tolist() == ["county", 0.5, 4, 9, "t"]
    assert student(2.0, 0.5, 1, 9)["low"].item() == pytest.approx(2 - 12.706205 / 2)
    assert np.isnan(student(2.0, 0.5, 0, 9)[["low", "high"]].to_numpy()).all()


def test_medians_and_tallies_are_those_of_each_period_and_town():
    rows = pd.DataFrame({"period": ["2022", "2022", "2022", "2023"]})
    found = find_medians(rows, pd.Series([1, 2, 3, 7]), pd.Series([9, 9, 9, 9]))
    assert found[["period", "estimate", "n"]].to_numpy().tolist() == [["2022", 2, 3], ["2023", 7, 1]]
    none = find_medians(rows.head(0), pd.Series(dtype=float), pd.Series(dtype=float), "no call")
    assert none[["place", "period", "reason"]].to_numpy().tolist() == [["county", "", "no call"]]
    flags, town = pd.Series([True, False, None, True]), pd.Series(["T01", "T01", "T01", None])
    counts = tally(flags, town, ["T01", "T02"])  # a row of no town is the county's alone
    assert counts.to_dict("index") == {
        "T01": {"yes": 1, "known": 2, "total": 3}, "T02": {"yes": 0, "known": 0, "total": 0}, "county": {"yes": 2, "known": 3, "total": 4}
    }  # fmt: skip


def test_a_period_ends_as_declared_or_with_the_last_day_written():
    span = SimpleNamespace(last="2022-12-31", as_of="2023-01-15")
    rows = pd.DataFrame({"period": ["2022", "2023", "2023"]})
    written = pd.Series(pd.to_datetime(["2022-05-01", "2023-03-01", "2023-04-01"]))
    for end, day in (("last", "2022-12-31"), ("as_of", "2023-01-15")):
        found = find_ends(rows, {"2022": span}, written, end)
        assert found.dt.strftime("%Y-%m-%d").tolist() == [day, "2023-04-01", "2023-04-01"]


def test_an_empty_ledger_has_no_rate():
    found = timed(FOUR.head(0))
    assert [rate(found, flag).loc["county", "n"] for flag in FLAGS] == [0] * len(FLAGS)
    assert waiting.waiting_curves(found).empty and waiting.closing_by_route(found).empty
    nobody = counted(["K01"], [0], [0]).assign(period="2022")
    assert not waiting.funnel(nobody)["is_outside"].any() and np.isnan(waiting.common_share(nobody))
    assert waiting.funnel_curve(nobody)["low95"].isna().all()


def test_where_no_call_has_a_closing_time_a_missing_slip_alone_is_no_rate():
    """One slip in time, one missing: the second would else be a rate of nought for every town."""
    calls = ledger(("10 10:00", "11", None, "12"), ("10 10:00", "11", None, None), status="closed")
    assert timed(calls)["is_closed_with_slip_on_time"].isna().all() and timed(calls)["is_closed"].all()
