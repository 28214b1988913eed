"""Dispatched agencies on a county made by hand, the arithmetic visible: measures, and what the cells of notebook 12 judge."""

import json
from math import comb, exp, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from agencies_stand_in import LETTERS, TOWNS, agencies, changes, county, documents, form, leaders, rows_of
from statsmodels.stats.inter_rater import cohens_kappa

from huying.claims.rules import NOT_SUPPORTED, SUPPORTED, judge
from huying.counted import find_medians, student
from huying.measures import agencies as measures
from huying.measures.agencies import conditional_odds_ratio
from huying.scales import ordinal_logit
from run_notebook import StandIn, run_notebook

SERIES = json.loads((Path(__file__).parents[1] / "oracle" / "exact" / "answers.json").read_text("utf-8"))["series"]
CORE, URGENT = ([f"L06_{letter}_{task}" for letter in LETTERS] for task in ("core", "urgent"))
FORMULA = "asked + not_asked ~ month + is_after + since"


def row(frame, claim, part="", place="county"):
    own = frame[(frame["claim"] == claim) & (frame["part"] == part) & (frame["place"] == place)]
    assert len(own) == 1, (claim, part, place, len(own))
    return own.iloc[0]


def three(fact):
    return [fact["estimate"], fact["low"], fact["high"]]


# --- who manages the agencies -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def roster(tmp_path_factory):
    homes = {
        "personnel_home": ["county", "county", "town", "county"],
        "payroll_home": ["county", "town", "town", "county"],
    }
    return county(tmp_path_factory.mktemp("roster"), {("agencies", "2022"): agencies(**homes)})


@pytest.fixture(scope="module")
def managed(roster):
    return rows_of(roster, "P21", "P22")


def test_personnel_and_pay_must_both_lie_with_the_county(managed):
    fact = row(managed, "P21")
    assert three(fact) == [2 / 4] * 3 and (fact["method"], fact["period"]) == ("count", "2022")


def test_the_index_is_the_mean_over_agencies_of_the_mean_of_their_parts(managed):
    """A1 (1 + .6 + 0)/3, A2 (0 + .2 + 0)/3, A3 leave alone, for nothing was called and attendance is not known: 0, A4 (0 + .25 + 0)/3."""
    fact = row(managed, "P22")
    assert fact["estimate"] == pytest.approx((1.6 / 3 + 0.2 / 3 + 0 + 0.25 / 3) / 4)
    assert fact["low"] == fact["high"] == fact["estimate"]
    assert row(managed, "P22", "attendance")["estimate"] == pytest.approx(1 / 3)
    assert row(managed, "P22", "meetings")["estimate"] == pytest.approx((0.6 + 0.2 + 0.25) / 3)
    assert row(managed, "P22", "leave")["n"] == 4
    assert row(managed, "P22", "kind_market")["estimate"] == pytest.approx((0.2 / 3 + 0.25 / 3) / 2)


def test_a_roster_without_the_optional_columns_says_so(tmp_path):
    nothing, none = pd.array([None] * 4, dtype="boolean"), pd.array([None] * 4, dtype="Int64")
    table = agencies(attendance_by_town=nothing, leave_by_town=nothing, meetings_called=none, meetings_attended=none)
    fact = row(rows_of(county(tmp_path, {("agencies", "2022"): table}), "P22"), "P22")
    assert np.isnan(fact["estimate"]) and fact["reason"] == "no eligible case"


def test_an_average_is_taken_period_by_period(tmp_path):
    """2021 A1 and A2: .5333 and .0667; 2022 A1 alone."""
    roster = agencies()
    here = county(tmp_path, {("agencies", "2021"): roster[:2], ("agencies", "2022"): roster[:1]})
    rows = rows_of(here, "P22")
    table = rows[(rows["claim"] == "P22") & (rows["part"] == "")].set_index("period")
    assert table["estimate"].to_dict() == pytest.approx({"2021": (1.6 + 0.2) / 6, "2022": 1.6 / 3})
    assert list(table["n"]) == [2, 1]
    kinds = rows[(rows["claim"] == "P22") & rows["part"].str.startswith("kind_")]
    assert sorted(zip(kinds["period"], kinds["part"], strict=True)) == [
        ("2021", "kind_market"), ("2021", "kind_police"), ("2022", "kind_police")]  # fmt: skip


# --- head changes -----------------------------------------------------------------------------------------------------

FIVE = [("T01", "2021-03-01", "none", "2021-03-31", None), ("T01", "2022-10-01", "written", "2022-11-01", "w1"),
        ("T02", "2022-09-15", "oral", None, None), ("T02", "2021-05-01", "unknown", "2021-05-02", None),
        ("T03", "2022-12-20", "none", None, None)]  # fmt: skip


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    return rows_of(county(tmp_path_factory.mktemp("five"), {("agency_events", "2022"): changes(FIVE)}), "P23", "P24")


def test_unknown_consultations_are_counted_both_ways_by_town_and_county(five):
    fact = row(five, "P23")
    assert three(fact) == [2 / 4, 2 / 5, 3 / 5] and fact["n"] == 5
    assert three(row(five, "P23", place="T01")) == [1 / 2] * 3
    assert three(row(five, "P23", place="T02")) == [0.0, 0.0, 1 / 2]
    empty = five[
        (five["claim"] == "P23") & (five["part"] == "") & (five["reason"] == "no eligible case: no head change")
    ]
    assert list(empty["place"]) == ["T04", "T05", "T06"]
    assert row(five, "P23", "with_consent_document")["estimate"] == 1 / 5
    assert fact["reason"] == "few cases"


def test_where_nobody_knows_anything(tmp_path):
    nobody = pd.Series([pd.NA], dtype="boolean")
    ledger = changes([("T01", "2021-03-01", "unknown", None, None)]).assign(period="")
    fact = county(tmp_path).bounded(ledger, nobody).set_index("place").loc["county"]
    assert np.isnan(fact["estimate"]) and (fact["low"], fact["high"], fact["reason"]) == (0.0, 1.0, "nobody knows")


def test_only_changes_old_enough_to_have_been_reported_count(five):
    """Data of 2023-01-06: the change of 20 December is 17 days old and left out. Reports after 30, 31, never, 1 days: 2 of 4."""
    assert row(five, "P24")["estimate"] == 2 / 4 and row(five, "P24")["n"] == 4
    assert row(five, "P24", "never_reported")["estimate"] == 1 / 4
    assert (
        row(five, "P24", "median_days")["estimate"] == 31
    )  # 1, 30, 31 and two that are censored, after 17 and 113 days


def test_a_ledger_without_a_period_goes_by_the_last_day_written_in_it():
    """The last day is 20 December 2022: the change of that day is left out, that of 15 September (96 days) is kept."""
    timed = measures.time_reports(changes(FIVE).assign(period=""), {})
    assert timed["in_time"].count() == 4 and list(timed["age_days"]) == [659, 80, 96, 598, 0]


def test_a_ledger_that_never_records_reports_does_not_say_that_nobody_reported(tmp_path):
    never = changes([(town, day, how, None, doc) for town, day, how, _, doc in FIVE]).assign(period="")
    timed = measures.time_reports(never, {})
    assert timed["in_time"].isna().all() and timed["never_reported"].isna().all()
    assert (
        row(rows_of(county(tmp_path, {("agency_events", "2022"): never}), "P24"), "P24")["reason"] == "no report date"
    )
    assert np.isnan(find_medians(timed, timed["report_days"], timed["age_days"])["estimate"].item())


def test_what_leaders_say_is_merged_by_town_and_agency(tmp_path):
    """T01 a: one says not asked, one does not know: not asked. T02 a: asked and not asked: unknown. T03 a: asked, but the third
    says that nobody was replaced: unknown. T04 to T06 a: asked. Agency b of T01 to T03: not asked. 9 changes, 4 of 7 known."""
    L03 = {
        "L03_a": [1, 1, 98, 1, 1, 1, 1, 1, 2, *[1] * 9],
        "L03_b": [1] * 9 + [2] * 9,
        **{f"L03_{k}": [2] * 18 for k in "cde"},
    }
    L04 = {"L04_a": [3, 98, None, 1, 3, 98, 1, 2, None, *[2, 1, 98] * 3], "L04_b": [3] * 9 + [None] * 9}
    survey = county(tmp_path, {}, {"leader": leaders(**L03, **L04)}).survey("leader")
    replaced = measures.Said("head_changed_", yes=["yes"], no=["no"])
    fact = measures.merge_leaders(survey, replaced, measures.Said("consulted_", ["none"], ["written", "oral"])).iloc[0]
    assert fact["n"] == 9 and fact["estimate"] == pytest.approx(4 / 7) and fact["method"] == "count"
    assert (fact["low"], fact["high"]) == (4 / 9, 6 / 9)  # the two unknown ones as asked, and as not asked
    assert fact["wave"] == "2023"


# --- before and after the mechanism -----------------------------------------------------------------------------------


def events(k0, n0, k1, n1):
    """Changes of which k0 of n0 before and k1 of n1 after September 2022 were consulted."""
    make = lambda k, n, day: [("T01", day, "written" if i < k else "none", None, None) for i in range(n)]  # noqa: E731
    ledger = changes([*make(k0, n0, "2022-03-01"), *make(k1, n1, "2022-09-01")])
    return {"agency_events": ledger, "documents": documents()}


def split_of(*counts):
    tables = events(*counts)
    return measures.split_at_mechanism(tables["agency_events"].assign(period=""), tables["documents"])


def expect(odds, k0, n0, k1, n1):
    """The difference of two shares that an odds ratio expects given all margins, by going through every table."""
    asked = k0 + k1
    tables = range(max(0, asked - n0), min(n1, asked) + 1)
    weight = [comb(n1, k) * comb(n0, asked - k) * odds**k for k in tables]
    mean = sum(k * w for k, w in zip(tables, weight, strict=True)) / sum(weight)
    return mean / n1 - (asked - mean) / n0


def test_the_difference_bears_the_exact_conditional_interval(tmp_path):
    """R: fisher.test on 9 of 15 against 3 of 26: 10.64417 (1.923599 to 81.16646), each as the difference that it expects."""
    counts = (3, 26, 9, 15)
    fact = row(rows_of(county(tmp_path, events(*counts)), "P25"), "P25")
    said = [expect(odds, *counts) for odds in (10.6441738, 1.92359908, 81.1664554)]
    assert three(fact) == pytest.approx(said, abs=1e-8) and fact["estimate"] == pytest.approx(9 / 15 - 3 / 26)
    assert (fact["method"], fact["n"], fact["verdict"]) == ("exact", 41, SUPPORTED)
    assert expect(1.0, *counts) == pytest.approx(0, abs=1e-12)  # no difference exactly where the odds are equal


@pytest.mark.parametrize(("counts", "open_end"), [((0, 20, 6, 12), 6 / 12), ((7, 20, 0, 12), -7 / 20)])
def test_an_end_without_a_limit_is_the_widest_difference_that_the_margins_allow(counts, open_end):
    fact = measures.compare_shares(split_of(*counts)).iloc[0]
    k0, n0, k1, n1 = counts
    assert fact["estimate"] == pytest.approx(k1 / n1 - k0 / n0)
    assert (fact["high"] if open_end > 0 else fact["low"]) == pytest.approx(open_end) and fact["remark"] == ""


def test_the_log_of_the_conditional_odds_ratio(tmp_path):
    """R: fisher.test on 9 of 15 against 3 of 26, solved to 1e-14 (oracle/exact): 10.64417 (1.923599 to 81.16646)."""
    table, said = rows_of(county(tmp_path, events(3, 26, 9, 15)), "P25"), (10.6441738, 1.92359908, 81.1664554)
    fact = measures.compare_odds(split_of(3, 26, 9, 15)).iloc[0]
    assert three(fact) == [pytest.approx(log(v), rel=1e-6) for v in said]
    assert three(row(table, "P25", "odds_ratio")) == [pytest.approx(v, rel=1e-6) for v in said]
    assert [row(table, "P25", part)["estimate"] for part in ("before", "after")] == [3 / 26, 9 / 15]
    assert "series" not in set(table["part"]), "the changes span 7 months"


@pytest.mark.parametrize(
    ("counts", "verdict"), [((0, 20, 6, 12), SUPPORTED), ((7, 20, 0, 12), NOT_SUPPORTED), ((8, 20, 12, 12), SUPPORTED)]
)
def test_an_empty_cell_is_finite_and_decided_by_the_limit_that_it_has(tmp_path, counts, verdict):
    k0, n0, k1, n1 = counts
    fact = measures.compare_odds(split_of(*counts)).iloc[0]
    assert np.isfinite(three(fact)).all() and fact["remark"] == "one_sided"
    assert fact["low"] <= fact["estimate"] <= fact["high"]
    _, *ends = conditional_odds_ratio(k1, n1, k0, n0)
    real = [v for v in ends if 0 < v < np.inf]
    assert len(real) == 1 and min(abs(fact["low"] - log(real[0])), abs(fact["high"] - log(real[0]))) < 1e-12
    assert judge("TREND", 0.0, *three(fact))[0] == verdict
    ratio = row(rows_of(county(tmp_path, events(*counts)), "P25"), "P25", "odds_ratio")
    assert ratio["estimate"] == pytest.approx(exp(fact["estimate"]))
    assert np.isnan(ratio["high"]) if ends[1] == np.inf else ratio["low"] == 0


@pytest.mark.parametrize(("counts", "reason"), [((0, 9, 0, 14), "separation"), ((0, 0, 4, 14), "no baseline"),
                                                ((4, 14, 0, 0), "no eligible case"), ((0, 0, 0, 0), "no eligible case: no head change")])  # fmt: skip
def test_why_there_is_no_odds_ratio(counts, reason):
    fact = measures.compare_odds(split_of(*counts)).iloc[0]
    assert np.isnan(fact["estimate"]) and fact["reason"] == reason


def test_a_register_without_a_mechanism():
    ledger = events(3, 26, 9, 15)["agency_events"].assign(period="")
    split = measures.split_at_mechanism(ledger, documents().assign(kind="plan"))
    fact = measures.compare_odds(split).iloc[0]
    assert np.isnan(fact["estimate"]) and (fact["reason"], fact["n"]) == ("no mechanism date", 41)
    assert measures.list_series(split) == [] and np.isnan(measures.compare_shares(split)["estimate"].item())


def test_the_day_in_force_counts_and_the_day_of_issue_where_there_is_none():
    assert measures.find_mechanism_day(documents()) == pd.Timestamp("2022-09-01")
    unset = documents().assign(effective_on=pd.to_datetime(pd.Series([None], dtype="str")))
    assert measures.find_mechanism_day(unset) == pd.Timestamp("2022-08-20")


def test_a_change_that_two_periods_list_counts_once():
    ledger = events(3, 26, 9, 15)["agency_events"]
    twice = pd.concat([ledger.assign(period="2021"), ledger.assign(period="2022")])
    split = measures.split_at_mechanism(twice, documents())
    assert len(split) == 41 and set(split["period"]) == {""}


def series_of(month, k, n, starts=18):
    """Changes of which k of n in each month were asked, the mechanism in month `starts` (January 2020 is month 0)."""
    asked = [(m, how) for m, yes, all_ in zip(month, k, n, strict=True)
             for how in ["written"] * int(yes) + ["none"] * int(all_ - yes)]  # fmt: skip
    day = [f"{2020 + int(m) // 12}-{1 + int(m) % 12:02d}-10" for m, _ in asked]
    ledger = changes([("T01", when, how, None, None) for when, (_, how) in zip(day, asked, strict=True)])
    start = f"{2020 + starts // 12}-{1 + starts % 12:02d}-01"
    split = measures.split_at_mechanism(ledger.assign(period=""), documents(start))
    return measures.list_series(split)


def test_the_series_beside_r():
    """R: glm(cbind(k, n - k) ~ month + after + I((month - 18) * after), binomial), over 30 months."""
    month, k, n = (np.array(SERIES[c], dtype=float) for c in ("month", "k", "n"))
    (months,) = series_of(month, k, n, SERIES["starts"])
    fit = smf.glm(FORMULA, months, family=sm.families.Binomial()).fit(tol=1e-14)
    changed = months[["asked", "not_asked"]].sum().sum()
    fact = student(fit.params["is_after"], fit.bse["is_after"], fit.df_resid, changed).iloc[0]
    assert (fact["estimate"], fact["se"]) == (
        pytest.approx(SERIES["level"], rel=1e-7),
        pytest.approx(SERIES["se"], rel=1e-7),
    )
    assert fact["df"] == (n > 0).sum() - 4 and fact["n"] == n.sum()
    assert fact["estimate"] != pytest.approx(SERIES["wrong_without_trend"], rel=1e-2)
    assert series_of(month[:23], k[:23], n[:23], 12) == [], "23 months are too few"
    assert series_of(month, np.where(month >= 18, n, k), n, 18) == [], "after it everybody was consulted"
    late = np.where(month < 18, np.where(month < 9, 0, n), k)
    assert series_of(month, late, n, 18) == [], "month 9 parts them"


# --- what leaders and staff say ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def led(tmp_path_factory):
    """Each of 18 leaders rates five agencies: 4, 5, 3 for the first four; the police 4, unknown, 3; all 1 in urgent tasks.

    12 secretaries and mayors: 7 keep, 3 change, 2 unknown; the organisation officers do not count.
    """
    given = {cell: [4, 5, 3] * 6 for cell in CORE[:4]} | {CORE[4]: [4, 98, 3] * 6} | {cell: [1] * 18 for cell in URGENT}
    wishes = [1, 1, 2] * 3 + [1, 2, 1] + [2, 98, 1] + [2, 98, 1]
    turned = pd.array([True, True, False, None], dtype="boolean")
    log_ = pd.DataFrame({"duty_id": list("pqrs"), "agency_id": "A1", "turned_up": turned})
    forms = {"leader": leaders(**given, L07=wishes)}
    return rows_of(county(tmp_path_factory.mktemp("led"), {("duty_log", "2022"): log_}, forms), "P26", "P27", "P28")


def test_ratings_of_leaders_and_agencies_with_the_unknown_both_ways(led):
    """6 x (4 x 2 + 1) = 54 high, 90 - 6 = 84 known."""
    fact = row(led, "P26")
    assert three(fact) == [54 / 84, 54 / 90, 60 / 90] and (fact["n"], fact["verdict"]) == (90, SUPPORTED)
    assert three(row(led, "P26", "kind_police")) == [6 / 12, 6 / 18, 12 / 18]
    assert three(row(led, "P27")) == [0.0] * 3
    assert set(led.loc[led["claim"].isin(["P26", "P27", "P28"]), "place"]) == {"county"}


def test_attendance_is_counted_from_the_log(led):
    fact = row(led, "P27", "attendance")
    assert fact["estimate"] == pytest.approx(2 / 3) and fact["n"] == 3 and fact["period"] == "2022"


def test_what_secretaries_and_mayors_want_unknown_both_ways(led):
    assert three(row(led, "P28")) == [7 / 10, 7 / 12, 9 / 12] and row(led, "P28")["method"] == "count"
    assert three(row(led, "P28", "secretary")) == [4 / 6] * 3  # T01 to T04 keep
    assert three(row(led, "P28", "mayor")) == [3 / 4, 3 / 6, 5 / 6]
    assert row(led, "P28", "option_town_leading")["estimate"] == 3 / 10


def test_forms_that_did_not_come_bound_it(tmp_path):
    """5 towns sent all, T06 none: 10 of 12 came, 8 keep. All but 2 have answered, so at least 8 and at most 10 keep."""
    rows = leaders(L07=[1, 1, 2] * 4 + [2, 2, 2] * 2)
    survey = county(tmp_path, {}, {"leader": rows[rows["town_id"] != "T06"]}).survey("leader")
    fact = survey.share("prefers_as_now", by=None, where="is_head", population=12).iloc[0]
    assert fact["estimate"] == 8 / 10 and fact["n"] == 10 and fact["method"] == "count"
    assert (fact["low"], fact["high"]) == (8 / 12, 10 / 12)


def staff_form(per_town=6, **answers):
    return form("staff", [town for town in TOWNS for _ in range(per_town)], **answers)


def test_the_staffs_share_of_ratings_and_the_paired_difference(tmp_path):
    """Staff 3, 4, 5, unknown, 2, 4: 3 of 5 are high, mean 3.6. Leaders 4, 5, 3: mean 4; towns alike, so the difference is .4."""
    given = {cell: [4, 5, 3] * 6 for cell in (*CORE, *URGENT)}
    rated = {f"S19_{letter}": [3, 4, 5, 98, 2, 4] * 6 for letter in LETTERS}
    table = rows_of(county(tmp_path, {}, {"leader": leaders(**given), "staff": staff_form(**rated)}), "P26")
    assert row(table, "P26", "staff")["estimate"] == pytest.approx(3 / 5)
    land, gap = row(table, "P26", "staff_land"), row(table, "P26", "leaders_less_staff")
    assert land["estimate"] == pytest.approx(3 / 5) and land["n"] == 30
    assert gap["estimate"] == pytest.approx(0.4) and gap["df"] == 5  # six towns
    assert set(table.loc[table["claim"] == "P26", "place"]) == {"county"}


def test_the_agreement_is_that_of_the_median_ratings(tmp_path):
    """Leaders' medians 4 in T01 to T03 and 2 in T04 to T06; the staff's the same in T01, T02, T04, T05 and swapped in T03, T06: of
    30 pairs 20 agree, by chance half would, so kappa = (2/3 - 1/2)/(1/2) = 1/3 with any weights, for there are two answers."""
    leader, said = [4] * 9 + [2] * 9, [4] * 12 + [2] * 6 + [2] * 12 + [4] * 6
    rated = {f"S19_{letter}": said for letter in LETTERS}
    here = county(tmp_path, {}, {"leader": leaders(**dict.fromkeys(CORE, leader)), "staff": staff_form(**rated)})
    staff = here.survey("staff")
    sides = measures.compare_sides(here.survey("leader"), staff, "cooperation_core_", "cooperation_").set_index("part")
    fact = sides.loc["weighted_kappa"]
    assert fact["estimate"] == pytest.approx(1 / 3) and fact["n"] == 30
    assert fact["estimate"] == pytest.approx(cohens_kappa([[10, 5], [5, 10]]).kappa), "as statsmodels has it"
    # the towns are the PSUs: six of them, five degrees of freedom, not 29
    assert fact["df"] == 5 and fact["low"] < 0 < fact["high"]
    assert sides.loc["leaders_less_staff", "estimate"] == pytest.approx((0 + 0 + 2 + 0 + 0 - 2) / 6)
    alpha, omega = measures.measure_reliability(staff, "cooperation_", 19).to_dict("records")
    assert alpha["estimate"] == pytest.approx(1.0), "five items that are one"
    assert np.isnan(omega["estimate"]) and omega["reason"] == "not estimable"


def test_the_bootstrap_does_not_hang_on_the_order_of_the_rows(tmp_path):
    rng = np.random.default_rng(5)
    rated = {f"S19_{letter}": [int(v) for v in rng.integers(1, 6, 36)] for letter in LETTERS}
    rows = staff_form(**rated)
    told = []
    for turn, table in enumerate((rows, rows.sample(frac=1, random_state=1).reset_index(drop=True))):
        (tmp_path / str(turn)).mkdir()
        staff = county(tmp_path / str(turn), {}, {"staff": table}).survey("staff")
        told.append(measures.measure_reliability(staff, "cooperation_", 9)[["estimate", "low", "high"]])
    pd.testing.assert_frame_equal(*told)


def test_old_stations_running_turn_the_ratings(tmp_path):
    """Two answers only: 3 of 4 rate 4 where the new set-up runs, 1 of 4 where the old does: log odds log(1/3) - log 3 = -2 log 3."""
    run, said = [1, 1, 1, 1, 4, 4, 4, 4] * 6, [4, 4, 4, 2, 4, 2, 2, 2] * 6
    rated = {f"S19_{letter}": said for letter in LETTERS} | {"S09": run}
    staff = county(tmp_path, {}, {"staff": staff_form(8, **rated)}).survey("staff")
    long = measures.stack_ratings(staff, "cooperation_", "old_running")
    fit = ordinal_logit(long["rating"], long[["old_running"]], long["weight"], long["town"], long["person"])
    fact = student(fit.coefficients[0], fit.se[0], fit.df, fit.n, fit.reason).iloc[0]
    assert fact["estimate"] == pytest.approx(-2 * log(3), rel=1e-8) and fact["n"] == 5 * 48
    assert fact["df"] == 48 - 6 - 1 and fact["low"] < fact["estimate"] < fact["high"]


def test_a_county_too_small_to_hide_a_leader_says_nothing(tmp_path):
    given = {cell: [4, 5, 3] * 2 for cell in (*CORE, *URGENT)}
    rows = rows_of(county(tmp_path, {}, {"leader": leaders(2, L07=[1] * 6, **given)}, n_towns=2), "P26", "P27", "P28")
    told = rows[rows["claim"].isin(["P26", "P27", "P28"]) & (rows["part"] != "attendance")]
    assert told["estimate"].isna().all() and set(told["reason"]) <= {"too few answers", "not asked"}


def test_staff_alone_say_no_headline(tmp_path):
    rated = {f"S19_{letter}": [3, 4, 5, 98, 2, 4] * 6 for letter in LETTERS}
    fact = row(rows_of(county(tmp_path, {}, {"staff": staff_form(**rated)}), "P26"), "P26")
    assert np.isnan(fact["estimate"]) and fact["verdict"] == "cannot say"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_county_without_any_of_it_runs_to_the_end(tmp_path, lang):
    names, _ = run_notebook("12", StandIn(tmp_path, {}, lang=lang), lang=lang, draw=False)
    rows = names["county"].recorded
    assert set(rows["claim"]) == {f"P2{k}" for k in range(1, 9)} and rows["estimate"].isna().all()
    assert set(rows["verdict"]) <= {"cannot say", ""}
