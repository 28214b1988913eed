"""Claims P21 to P28 on a county made by hand, the arithmetic visible."""

import datetime as dt
import json
from math import exp, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import LETTERS, TOWNS, agencies, changes, documents, form, leaders, study

from huying.claims import NOT_SUPPORTED, SUPPORTED, judge
from huying.exact import conditional_odds_ratio
from huying.problems import agencies as problem
from huying.problems import cooperation
from huying.problems.facts import Found

SERIES = json.loads((Path(__file__).parents[1] / "oracle" / "exact" / "answers.json").read_text("utf-8"))["series"]
CORE, URGENT = ([f"L06_{letter}_{task}" for letter in LETTERS] for task in ("core", "urgent"))


def found_by(claim, here):
    found = Found()
    problem.FINDERS[claim](here, found)
    return found


def facts(claim, here):
    return found_by(claim, here).frame()


def row(frame, sub="", place="county", **equal):
    own = frame[(frame["sub"] == sub) & (frame["place"] == place)]
    for column, value in equal.items():
        own = own[own[column] == value]
    assert len(own) == 1, (sub, place, len(own))
    return own.iloc[0]


def three(fact):
    return [fact["estimate"], fact["low"], fact["high"]]


# --- P21, P22: the roster ---------------------------------------------------------------------------------------------


def test_p21_needs_personnel_and_pay_at_the_county(tmp_path):
    roster = agencies(
        personnel_home=["county", "county", "town", "county"], payroll_home=["county", "town", "town", "county"]
    )
    table = facts("P21", study(tmp_path, {("agencies", "2022"): roster}))
    assert three(row(table)) == [2 / 4] * 3 and row(table)["method"] == "count"
    assert row(table, "personnel")["estimate"] == 3 / 4
    assert row(table, "pay")["estimate"] == 2 / 4
    assert row(table, "kind_police")["estimate"] == 1 / 2  # A1 yes, A3 no
    assert set(table["period"]) == {"2022"}


def test_p22_is_the_mean_over_agencies_of_the_mean_of_the_parts(tmp_path):
    """A1 (1 + .6 + 0)/3, A2 (0 + .2 + 0)/3, A3 leave alone, for nothing was called and attendance is not known: 0, A4 (0 + .25 + 0)/3."""
    table = facts("P22", study(tmp_path, {("agencies", ""): agencies()}))
    assert row(table)["estimate"] == pytest.approx((1.6 / 3 + 0.2 / 3 + 0 + 0.25 / 3) / 4)
    assert row(table)["low"] == row(table)["high"] == row(table)["estimate"]
    assert row(table, "attendance")["estimate"] == pytest.approx(1 / 3)
    assert row(table, "meetings")["estimate"] == pytest.approx((0.6 + 0.2 + 0.25) / 3)
    assert row(table, "leave")["n"] == 4
    assert row(table, "kind_market")["estimate"] == pytest.approx((0.2 / 3 + 0.25 / 3) / 2)


def test_p22_without_the_optional_columns_says_so(tmp_path):
    nothing = pd.array([None] * 4, dtype="boolean")
    none = pd.array([None] * 4, dtype="Int64")
    roster = agencies(attendance_by_town=nothing, leave_by_town=nothing, meetings_called=none, meetings_attended=none)
    fact = row(facts("P22", study(tmp_path, {("agencies", ""): roster})))
    assert np.isnan(fact["estimate"]) and fact["reason"] == "no eligible case"


# --- P23, P24: head changes ---------------------------------------------------------------------------------------------

FIVE = [("T01", "2021-03-01", "none", "2021-03-31", None), ("T01", "2022-10-01", "written", "2022-11-01", "w1"),
        ("T02", "2022-09-15", "oral", None, None), ("T02", "2021-05-01", "unknown", "2021-05-02", None),
        ("T03", "2022-12-20", "none", None, None)]  # fmt: skip


def test_p23_counts_the_unknown_both_ways_by_town_and_county(tmp_path):
    table = facts("P23", study(tmp_path, {("agency_events", "2022"): changes(FIVE)}))
    assert three(row(table)) == [2 / 4, 2 / 5, 3 / 5] and row(table)["n"] == 5
    assert three(row(table, place="T01")) == [1 / 2] * 3
    assert three(row(table, place="T02")) == [0.0, 0.0, 1 / 2]
    assert list(table.loc[(table["sub"] == "") & (table["reason"] == "no head change"), "place"]) == [
        "T04",
        "T05",
        "T06",
    ]
    assert row(table, "with consent document")["estimate"] == 1 / 5
    assert judge("MOST", 0.5, *three(row(table)))[1] == "interval across the bar"


def test_p23_where_nobody_knows_anything(tmp_path):
    fact = row(
        facts("P23", study(tmp_path, {("agency_events", ""): changes([("T01", "2021-03-01", "unknown", None, None)])}))
    )
    assert np.isnan(fact["estimate"]) and (fact["low"], fact["high"], fact["reason"]) == (0.0, 1.0, "nobody knows")


def test_p24_counts_only_changes_old_enough_to_have_been_reported(tmp_path):
    """Data of 2023-01-06: the change of 20 December is 17 days old and left out. Reports after 30, 31, never, 1 days: 2 of 4."""
    table = facts("P24", study(tmp_path, {("agency_events", "2022"): changes(FIVE)}))
    assert row(table)["estimate"] == 2 / 4 and row(table)["n"] == 4
    assert row(table, "never reported")["estimate"] == 1 / 4
    assert row(table, "median days")["estimate"] == 31  # 1, 30, 31 and two that are censored, after 17 and 113 days


def test_p24_without_a_period_goes_by_the_last_day_in_the_ledger(tmp_path):
    """The last day is 20 December 2022: the change of that day is left out, that of 15 September (96 days) is kept."""
    assert row(facts("P24", study(tmp_path, {("agency_events", ""): changes(FIVE)})))["n"] == 4


def test_p24_a_ledger_that_never_records_reports_does_not_say_that_nobody_reported(tmp_path):
    never = changes([(town, day, how, None, doc) for town, day, how, _, doc in FIVE])
    fact = row(facts("P24", study(tmp_path, {("agency_events", "2022"): never})))
    assert np.isnan(fact["estimate"]) and fact["reason"] == "no report date"


def test_what_leaders_say_is_merged_by_town_and_agency(tmp_path):
    """T01 a: one says not asked, one does not know: not asked. T02 a: asked and not asked: unknown. T03 a: asked, but the third
    says that nobody was replaced: unknown. T04 to T06 a: asked. Agency b of T01 to T03: not asked. 9 changes, 4 of 7 known."""
    L03 = {
        "L03_a": [1, 1, 98, 1, 1, 1, 1, 1, 2, *[1] * 9],
        "L03_b": [1] * 9 + [2] * 9,
        **{f"L03_{k}": [2] * 18 for k in "cde"},
    }
    L04 = {"L04_a": [3, 98, None, 1, 3, 98, 1, 2, None, *[2, 1, 98] * 3], "L04_b": [3] * 9 + [None] * 9}
    here = study(tmp_path, {("agency_events", ""): changes(FIVE)}, {"leader": leaders(**L03, **L04)})
    fact = row(facts("P23", here), "leaders say")
    assert fact["n"] == 9 and fact["estimate"] == pytest.approx(4 / 7) and fact["method"] == "exact"
    # R: binom.test(4, 9)$conf.int[1] = .1369957, binom.test(6, 9)$conf.int[2] = .9251454
    assert (fact["low"], fact["high"]) == (pytest.approx(0.1369957, abs=1e-6), pytest.approx(0.9251454, abs=1e-6))


# --- P25: before and after ----------------------------------------------------------------------------------------------


def events(k0, n0, k1, n1):
    """Changes of which k0 of n0 before and k1 of n1 after September 2022 were consulted."""
    make = lambda k, n, day: [("T01", day, "written" if i < k else "none", None, None) for i in range(n)]  # noqa: E731
    return {
        ("agency_events", ""): changes([*make(k0, n0, "2022-03-01"), *make(k1, n1, "2022-09-01")]),
        ("documents", ""): documents(),
    }


def test_p25_is_the_log_of_the_conditional_odds_ratio(tmp_path):
    """R: fisher.test on 9 of 15 against 3 of 26, solved to 1e-14 (oracle/exact): 10.64417 (1.923599 to 81.16646)."""
    table = facts("P25", study(tmp_path, events(3, 26, 9, 15)))
    assert three(row(table)) == [pytest.approx(log(v), rel=1e-6) for v in (10.6441738, 1.92359908, 81.1664554)]
    assert row(table)["method"] == "exact" and row(table)["n"] == 41
    assert three(row(table, "odds ratio")) == [pytest.approx(v, rel=1e-6) for v in (10.6441738, 1.92359908, 81.1664554)]
    assert (row(table, "before")["estimate"], row(table, "after")["estimate"]) == (3 / 26, 9 / 15)
    assert row(table, "difference")["estimate"] == pytest.approx(9 / 15 - 3 / 26)
    assert judge("TREND", 0.0, *three(row(table))) == (SUPPORTED, "")
    assert "series" not in set(table["sub"]), "the changes span 7 months"


@pytest.mark.parametrize(
    ("counts", "verdict"), [((0, 20, 6, 12), SUPPORTED), ((7, 20, 0, 12), NOT_SUPPORTED), ((8, 20, 12, 12), SUPPORTED)]
)
def test_p25_with_an_empty_cell_is_finite_and_decided_by_the_limit_that_it_has(tmp_path, counts, verdict):
    k0, n0, k1, n1 = counts
    fact = row(facts("P25", study(tmp_path, events(*counts))))
    assert np.isfinite(three(fact)).all() and fact["remark"] == "one_sided"
    assert fact["low"] <= fact["estimate"] <= fact["high"]
    exact = conditional_odds_ratio(k1, n1, k0, n0)
    real = [v for v in (exact.low, exact.high) if 0 < v < np.inf]
    assert len(real) == 1 and min(abs(fact["low"] - log(real[0])), abs(fact["high"] - log(real[0]))) < 1e-12
    assert judge("TREND", 0.0, *three(fact))[0] == verdict
    ratio = row(facts("P25", study(tmp_path, events(*counts))), "odds ratio")
    assert ratio["estimate"] == pytest.approx(exp(fact["estimate"]))
    assert np.isnan(ratio["high"]) if exact.high == np.inf else ratio["low"] == 0


@pytest.mark.parametrize(("counts", "reason"), [((0, 9, 0, 14), "separation"), ((0, 0, 4, 14), "no baseline"), ((4, 14, 0, 0), "no eligible case"),
                                                ((0, 0, 0, 0), "no head change")])  # fmt: skip
def test_p25_says_why_it_has_no_number(tmp_path, counts, reason):
    fact = row(facts("P25", study(tmp_path, events(*counts))))
    assert np.isnan(fact["estimate"]) and fact["reason"] == reason


def test_p25_without_a_mechanism_in_the_register(tmp_path):
    other = documents().assign(kind="plan")
    fact = row(facts("P25", study(tmp_path, {**events(3, 26, 9, 15), ("documents", ""): other})))
    assert np.isnan(fact["estimate"]) and fact["reason"] == "no mechanism date"


def test_p25_goes_by_the_day_in_force_and_by_the_day_of_issue_where_there_is_none(tmp_path):
    assert problem.mechanism_day(study(tmp_path, {("documents", ""): documents()})) == dt.datetime(2022, 9, 1)
    unset = documents().assign(effective_on=pd.to_datetime(pd.Series([None], dtype="str")))
    assert problem.mechanism_day(study(tmp_path, {("documents", ""): unset})) == dt.datetime(2022, 8, 20)


def test_the_series_beside_r():
    """R: glm(cbind(k, n - k) ~ month + after + I((month - 18) * after), binomial), over 30 months."""
    month, k, n = (np.array(SERIES[c], dtype=float) for c in ("month", "k", "n"))
    fit = problem.level_change(month, k, n, SERIES["starts"])
    assert (fit["estimate"], fit["se"]) == (
        pytest.approx(SERIES["level"], rel=1e-7),
        pytest.approx(SERIES["se"], rel=1e-7),
    )
    assert fit["df"] == (n > 0).sum() - 4
    assert fit["estimate"] != pytest.approx(SERIES["wrong_without_trend"], rel=1e-2)
    assert problem.level_change(month[:23], k[:23], n[:23], 12) == {}, "23 months are too few"
    assert problem.level_change(month, np.where(month >= 18, n, k), n, 18) == {}, "after it everybody was consulted"
    late = np.where(month < 18, np.where(month < 9, 0, n), k)
    assert problem.level_change(month, late, n, 18) == {}, "month 9 parts them"


# --- P26 to P28: leaders' forms -----------------------------------------------------------------------------------------


def test_p26_counts_ratings_of_leaders_and_agencies_with_the_unknown_both_ways(tmp_path):
    """Each of 18 leaders rates five agencies: 4, 5, 3 for the first four; the police 4, unknown, 3. 6 x (4 x 2 + 1) = 54 high,
    90 - 6 = 84 known."""
    given = {cell: [4, 5, 3] * 6 for cell in CORE[:4]} | {CORE[4]: [4, 98, 3] * 6} | {cell: [1] * 18 for cell in URGENT}
    found = found_by("P26", study(tmp_path, {}, {"leader": leaders(**given)}))
    table = found.frame()
    assert three(row(table)) == [54 / 84, 54 / 90, 60 / 90] and row(table)["n"] == 90
    assert judge("MOST", 0.5, *three(row(table))) == (SUPPORTED, "")
    assert three(row(table, "kind_police")) == [6 / 12, 6 / 18, 12 / 18]
    counts = found.tables["cooperation"]
    police = counts[(counts["kind"] == "police") & (counts["task"] == "core")].set_index("answer")["n"]
    assert police.to_dict() == {1: 0, 2: 0, 3: 6, 4: 6, 5: 0, 98: 6}
    assert "town_id" not in counts and set(table["place"]) == {"county"}
    urgent = facts("P27", study(tmp_path, {}, {"leader": leaders(**given)}))
    assert three(row(urgent)) == [0.0] * 3


def test_p27_attendance_is_counted_from_the_log(tmp_path):
    log_ = pd.DataFrame(
        {"duty_id": list("pqrs"), "agency_id": "A1", "turned_up": pd.array([True, True, False, None], dtype="boolean")}
    )
    table = facts(
        "P27", study(tmp_path, {("duty_log", "2022"): log_}, {"leader": leaders(**{c: [4] * 18 for c in URGENT})})
    )
    fact = row(table, "attendance")
    assert fact["estimate"] == pytest.approx(2 / 3) and fact["n"] == 3 and fact["period"] == "2022"


def staff_form(per_town=6, **answers):
    towns = [town for town in TOWNS for _ in range(per_town)]
    return form("staff", towns, **answers)


def test_p26_staff_is_the_share_of_ratings_and_the_difference_is_paired(tmp_path):
    """Staff 3, 4, 5, unknown, 2, 4: 3 of 5 are high, mean 3.6. Leaders 4, 5, 3: mean 4; towns alike, so the difference is .4."""
    given = {cell: [4, 5, 3] * 6 for cell in (*CORE, *URGENT)}
    rated = {f"S19_{letter}": [3, 4, 5, 98, 2, 4] * 6 for letter in LETTERS}
    table = facts("P26", study(tmp_path, {}, {"leader": leaders(**given), "staff": staff_form(**rated)}))
    assert row(table, "staff")["estimate"] == pytest.approx(3 / 5)
    assert row(table, "staff_land")["estimate"] == pytest.approx(3 / 5) and row(table, "staff_land")["n"] == 30
    assert row(table, "leaders less staff")["estimate"] == pytest.approx(0.4)
    assert row(table, "leaders less staff")["df"] == 5  # six towns
    assert set(table["place"]) == {"county"}


def test_p28_all_have_answered_unknown_both_ways(tmp_path):
    """12 secretaries and mayors: 7 keep, 3 change, 2 unknown; the organisation officers do not count."""
    answers = [1, 1, 2] * 3 + [1, 2, 1] + [2, 98, 1] + [2, 98, 1]
    found = found_by("P28", study(tmp_path, {}, {"leader": leaders(L07=answers)}))
    table = found.frame()
    assert three(row(table)) == [7 / 10, 7 / 12, 9 / 12] and row(table)["method"] == "count"
    assert three(row(table, "secretary")) == [4 / 6] * 3  # T01 to T04 keep
    assert three(row(table, "mayor")) == [3 / 4, 3 / 6, 5 / 6]
    assert row(table, "option_2")["estimate"] == 3 / 10
    counts = found.tables["preferences"].set_index(["office", "option"])["n"]
    assert counts["mayor", 98] == 2 and counts["secretary", 1] == 4 and counts.sum() == 12


def test_p28_forms_that_did_not_come_widen_it_as_a_finite_population(tmp_path):
    """5 towns sent all, T06 none: 10 of 12 came, 8 keep. All but 2 have answered, so at least 8 and at most 10 keep."""
    rows = leaders(L07=[1, 1, 2] * 4 + [2, 2, 2] * 2)
    rows = rows[rows["town_id"] != "T06"]
    fact = row(facts("P28", study(tmp_path, {}, {"leader": rows})))
    assert fact["estimate"] == 8 / 10 and fact["n"] == 10 and fact["method"] == "exact"
    # M = 8 of 12: P(X >= 8 of 10) = C(8,8) C(4,2)/C(12,10) = 6/66 = .09 > .025: in. M = 10: P(X <= 8) = C(10,8)/66 = 45/66: in.
    assert (fact["low"], fact["high"]) == (8 / 12, 10 / 12)


def test_a_county_too_small_to_hide_a_leader_says_nothing(tmp_path):
    given = {cell: [4, 5, 3] * 2 for cell in (*CORE, *URGENT)}
    here = study(tmp_path, {}, {"leader": leaders(2, L07=[1] * 6, **given)}, n_towns=2)
    for claim in ("P26", "P27", "P28"):
        assert found_by(claim, here).frame().empty and not found_by(claim, here).tables


def test_bounded_states_nothing_below_the_fewest():
    fact = cooperation.bounded(["county"], [2], [3], [4], fewest=5).iloc[0]
    assert np.isnan(three(fact)).all() and fact["reason"] == fact["reliability"] == "too few answers"


def test_p26_agreement_is_that_of_the_median_ratings(tmp_path):
    """Leaders' medians 4 in T01 to T03 and 2 in T04 to T06; the staff's the same in T01, T02, T04, T05 and swapped in T03, T06: of
    30 pairs 20 agree, by chance half would, so kappa = (2/3 - 1/2)/(1/2) = 1/3 with any weights, for there are two answers."""
    leader = [4] * 9 + [2] * 9
    staff = [4] * 12 + [2] * 6 + [2] * 12 + [4] * 6
    given = dict.fromkeys((*CORE, *URGENT), leader)
    rated = {f"S19_{letter}": staff for letter in LETTERS}
    table = facts("P26", study(tmp_path, {}, {"leader": leaders(**given), "staff": staff_form(**rated)}))
    fact = row(table, "weighted kappa")
    assert fact["estimate"] == pytest.approx(1 / 3) and fact["n"] == 30
    # the towns are the PSUs: six of them, five degrees of freedom, not 29
    assert fact["df"] == 5 and fact["low"] < 0 < fact["high"]
    assert row(table, "leaders less staff")["estimate"] == pytest.approx((0 + 0 + 2 + 0 + 0 - 2) / 6)
    assert row(table, "alpha")["estimate"] == pytest.approx(1.0), "five items that are one"
    assert np.isnan(row(table, "omega")["estimate"]) and row(table, "omega")["reason"] == "not estimable"


def test_p26_old_running_turns_the_ratings(tmp_path):
    """Two answers only: 3 of 4 rate 4 where the new set-up runs, 1 of 4 where the old does: log odds log(1/3) - log 3 = -2 log 3."""
    run, said = [1, 1, 1, 1, 4, 4, 4, 4] * 6, [4, 4, 4, 2, 4, 2, 2, 2] * 6
    given = {cell: [4, 4, 4] * 6 for cell in (*CORE, *URGENT)}
    rated = {f"S19_{letter}": said for letter in LETTERS} | {"S09": run}
    table = facts("P26", study(tmp_path, {}, {"leader": leaders(**given), "staff": staff_form(8, **rated)}))
    fact = row(table, "ordinal: old running")
    assert fact["estimate"] == pytest.approx(-2 * log(3), rel=1e-8) and fact["n"] == 5 * 48
    assert fact["df"] == 48 - 6 - 1 and fact["low"] < fact["estimate"] < fact["high"]


def test_p26_staff_alone_say_no_headline(tmp_path):
    rated = {f"S19_{letter}": [3, 4, 5, 98, 2, 4] * 6 for letter in LETTERS}
    table = facts("P26", study(tmp_path, {}, {"staff": staff_form(**rated)}))
    assert "" not in set(table["sub"]) and "weighted kappa" not in set(table["sub"])
