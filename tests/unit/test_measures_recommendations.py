"""The recommendations on counties made by hand: every number with its arithmetic, and what must not be said."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from agencies_stand_in import TOWNS, agencies, changes, documents, form, leaders, register

from huying.derived import Scope
from huying.design import Design
from huying.estimates import COUNTY
from huying.intervals import COUNT, POOLED
from huying.measures import recommendations
from huying.measures.recommendations import find_step_medians, gap_of_means, list_town_months, name_slowest, tell
from huying.survey import Survey
from run_notebook import StandIn, judged, run_notebook

TOML = """[wave.2023]
from = 2023-05-08
to = 2023-06-02
[period.2022]
from = 2022-01-01
to = 2022-12-31
as_of = 2023-01-06
[thresholds]
fewest_residents = 5
"""


@pytest.fixture
def county(tmp_path):
    """A county of six towns with these ledgers and forms of 2023."""

    def make(ledgers=None, forms=()):
        return StandIn(tmp_path, {"towns": register(), **(ledgers or {})}, forms, TOML)

    return make


def rows_of(here, *claims):
    """The rows of the last of `claims`, as the cells of the notebook judge them; the others' cells run before."""
    rows = judged("21", here, "2023", claims=claims)
    return rows[rows["claim"] == claims[-1]]


def part(rows, name="", place=COUNTY):
    own = rows[(rows["part"] == name) & (rows["place"] == place)]
    assert len(own) == 1, (name, place, len(own))
    return own.iloc[0]


# --- residents --------------------------------------------------------------------------------------------------------


def people(towns, villages, **answers):
    return {"resident": form("resident", towns, **answers).assign(village_id=villages)}


def ten(**more):
    """Ten residents of one town, six of them aware; one of the four others left R11 blank with the rest of the form."""
    answers = {"R09": [1, 2, 3, 3, 4, 2, 1, 4, 98, 4], "R11": [1, 1, 1, None, None, 1, 1, None, None, None], "R11_1": [1, 0, 1, None, None, 1, 0, None, None, None],
               "R25": [1] * 10, "R25_1": [1, 1, 0, 1, 1, 1, 0, 1, 1, 0]}  # fmt: skip
    return people(["T01"] * 10, ["v1"] * 5 + ["v2"] * 5, **{**answers, **more})


def test_awareness_and_who_was_reached(county):
    rows = rows_of(county(forms=ten()), "S11")
    assert part(rows, place="T01")["estimate"] == pytest.approx(0.6)  # cannot say is not aware
    reach = part(rows, "reach_official_account", "T01")
    assert (reach["estimate"], reach["n"]) == (pytest.approx(3 / 5), 5)
    assert part(rows, "wanted_official_account", "T01")["estimate"] == pytest.approx(7 / 10)


def knowing(n, rng):
    used = rng.integers(0, 2, n)
    marks = {f"R10_{row}": list(rng.choice([1, 2, 98], n)) for row in "abcde"}
    return {"R09": [2] * n, "R11": [1] * n, "R11_1": list(used), "R11_2": [0] * n, "R11_3": [0] * n, "R25": [1] * n,
            "R03": list(rng.integers(18, 80, n)), "R06": list(rng.integers(1, 4, n)), **marks}  # fmt: skip


def test_new_media_beside_knowledge_is_an_adjusted_association(county):
    rng = np.random.default_rng(5)
    answers = knowing(40, rng)
    here = county(forms=people(["T01"] * 20 + ["T02"] * 20, [f"v{k // 5}" for k in range(40)], **answers))
    row = part(rows_of(here, "S11"), "association_new_media")
    right = np.mean([np.array(answers[f"R10_{k}"]) == key for k, key in here.book.items["R10"].right.items()], axis=0)
    school = np.array(answers["R06"])
    x = np.column_stack([answers["R11_1"], np.ones(40), answers["R03"], school == 2, school == 3]).astype(float)
    assert row["estimate"] == pytest.approx(np.linalg.lstsq(x, right, rcond=None)[0][0])
    assert (row["n"], row["df"]) == (40, 8 - 2 + 1 - 5) and "association" in row["remark"]


def small_survey(**columns):
    """Six people of one town, each a PSU."""
    frame = pd.DataFrame({"town": "T01", "village": None, **columns}, index=pd.Index(list("abcdef"), name="row_id"))
    design = Design(np.zeros(6, dtype=np.int64), np.arange(6), np.ones(6), ("T01",))
    return Survey(frame, design, "resident", "2023", None, Scope({}), {}, pd.DataFrame(), 5, "x/en", pd.DataFrame())


@pytest.mark.parametrize("used", [0.0, 1.0])
def test_no_slope_where_nobody_used_new_media_or_all_did(used):
    survey = small_survey(used=used, score=[0.1, 0.4, 0.3, 0.2, 0.6, 0.5])
    row = recommendations.associate(survey, "score ~ used", "used").iloc[0]
    assert np.isnan(row["estimate"])
    assert row[["reason", "remark"]].tolist() == ["not estimable", ""]


def test_no_slope_from_too_few_answers():
    survey = small_survey(used=[0.0, 1, 0, 1, 0, 1], score=[0.1, 0.4, np.nan, np.nan, 0.6, 0.5])
    assert recommendations.associate(survey, "score ~ used", "used")["reason"].tolist() == ["too few answers"]


def test_an_association_without_a_variance_is_not_told():
    row = tell(0.3, 0.0, 5, 6).iloc[0]
    assert row[["reason", "remark"]].tolist() == ["not estimable", ""] and np.isnan(row["estimate"])


def test_what_people_know_and_whether_they_can_object(county):
    right = {"a": 1, "b": 2, "c": 1, "d": 2, "e": 1}
    marks = {f"R10_{row}": [key] * 4 + [98] * 2 + [None] * 4 for row, key in right.items()}
    marks["R10_a"] = [2] * 4 + [98] * 2 + [None] * 4  # wrong in one row of five
    rows = rows_of(county(forms=ten(**marks, R24_f=[5, 4, 3, 98, 1, 4, 2, 2, 3, 3])), "S11", "S12")
    score, able = part(rows, place="T01"), part(rows, "knows_how_to_object", "T01")
    assert (score["estimate"], score["n"]) == (pytest.approx(4 * 0.8 / 6), 6)
    assert (able["estimate"], able["n"]) == (pytest.approx(3 / 10), 10)


def test_where_it_matters_most_is_a_region_of_ranks():
    frame = pd.DataFrame({"place": [*TOWNS[:4], COUNTY], "estimate": [0.45, 0.1, 0.7, np.nan, 0.4], "low": [0.3, 0.05, 0.6, np.nan, 0.3],
                          "high": [0.6, 0.2, 0.8, np.nan, 0.5], "se": 0.02, "n": 200.0, "n_eff": [30.0, 200.0, 200.0, np.nan, 500.0], "df": 9.0,
                          "method": POOLED})  # fmt: skip
    table = recommendations.rank_need(frame, register(), 0.5)
    assert table["place"].tolist() == ["T02", "T01", "T03", "T04"]  # the greatest need first
    assert table["shortfall"].round(9).tolist()[:3] == [0.4, 0.05, -0.2]
    assert table["people_short"].round(9).tolist()[:3] == [320, 40, -160]  # 800 adults each
    assert table[["low", "high"]].iloc[:3].to_numpy().tolist() == [[1, 1], [2, 3], [2, 3]]
    assert table.loc[3, ["estimate", "low", "high", "shortfall", "people_short"]].isna().all()


# --- leaders ----------------------------------------------------------------------------------------------------------


def rated(importance, adequacy, n=18, **more):
    cells = {
        f"L11_{row}_{name}": [value] * n
        for row in "abcde"
        for name, value in (("importance", importance), ("adequacy", adequacy))
    }
    return {**cells, **more}


def test_the_least_needy_support_decides(county):
    given = rated(5, 3, L11_b_adequacy=[4] * 17 + [None])
    rows = rows_of(county(forms={"leader": leaders(**given)}), "S23")
    headline = part(rows)
    assert (headline["estimate"], headline["n"], headline["method"]) == (1, 17, COUNT)
    # one of 18 leaders did not say: a gap of -4 or 4, (17 - 4)/18 and (17 + 4)/18; both above half a point
    assert headline[["low", "high"]].tolist() == [pytest.approx(13 / 18), pytest.approx(21 / 18)]
    assert headline["verdict"] == "supported"
    assert [part(rows, f"gap_{name}")["estimate"] for name in ("people", "technology")] == [2, 1]
    pair = [part(rows, f"{side}_technology") for side in ("importance", "adequacy")]
    assert [(row["estimate"], row["n"]) for row in pair] == [(5, 17), (4, 17)]  # only who gave both


def test_who_rates_one_side_alone_is_left_out_of_both(county):
    given = rated(5, 3, L11_a_importance=[1] + [5] * 17, L11_a_adequacy=[None] + [3] * 17)
    rows = rows_of(county(forms={"leader": leaders(**given)}), "S23")
    assert [part(rows, f"{side}_people")["estimate"] for side in ("importance", "gap")] == [5, 2]


def test_one_support_without_a_gap_is_enough_against_it(county):
    rows = rows_of(county(forms={"leader": leaders(**rated(4, 2, L11_e_adequacy=[5] * 18))}), "S23")
    assert (part(rows)["estimate"], part(rows)["verdict"]) == (-1, "not supported")


def test_leaders_are_never_told_apart(county):
    rows = rows_of(county(forms={"leader": leaders(**rated(5, 3))}), "S23")
    assert set(rows["place"]) == {COUNTY} and len(rows) == 16


def test_too_few_leaders_are_not_told(county):
    few = rows_of(county(forms={"leader": leaders(1, **rated(5, 3, 3))}), "S23")
    assert few["estimate"].isna().all() and set(few["reason"]) == {"too few answers"}


# --- agencies ---------------------------------------------------------------------------------------------------------


def test_rights_exercised_over_due(county):
    events = changes([("T01", "2022-08-01", "none", None, None), ("T01", "2022-09-01", "written", None, None),
                      ("T02", "2022-10-01", "oral", None, None), ("T02", "2022-11-01", "unknown", None, None)])  # fmt: skip
    roster = agencies(assessed_by_town=pd.array([True, False, False, None], dtype="boolean"))
    given = {("agency_events", "2022"): events, "agencies": roster, "documents": documents()}
    row = part(rows_of(county(given), "S21"))  # due since September: 3 changes and 4 heads; used 2 + 1, unknown 1 + 1
    assert row[["estimate", "low", "high", "n"]].tolist() == [pytest.approx(v) for v in (3 / 5, 3 / 7, 5 / 7, 7)]
    assert (row["verdict"], row["reason"]) == ("cannot say", "few cases")


def test_management_index(county):
    # (1 + .6 + 0)/3, (0 + .2 + 0)/3, 0 alone, (0 + .25 + 0)/3: .5333, .0667, 0, .0833
    row = part(rows_of(county({"agencies": agencies()}), "S22"))
    assert row["estimate"] == pytest.approx((1.6 / 3 + 0.2 / 3 + 0.25 / 3) / 4)


def appraised(town, other, weight=0.3):
    table = pd.DataFrame({"dept_id": [f"K{k}" for k in range(len(town))], "year": 2022})
    weights = table.assign(town_weight=weight, other_weight=1 - weight, agency_weight=np.nan)
    return {"appraisal_weights": weights, "appraisal_scores": table.assign(town_score=town, other_score=other)}


def test_effective_weight_and_what_a_greater_one_would_do(county):
    rows = rows_of(county(appraised([90.0, 80.0, 70.0], [60.0, 70.0, 78.0])), "S24")
    # at 30%: 69, 73, 75.6; parts 27, 24, 21. cov = (3 x -3.533 + 0 + -3 x 3.067)/2 = -9.9; var = (12.484 + .218 + 9.404)/2 = 11.053
    assert part(rows)["estimate"] == pytest.approx(-9.9 / 11.0533, abs=1e-4)
    assert part(rows, "tau_at_30")["estimate"] == 1
    # at 50%: 75, 75, 74: ranks 1, 1, 3 against 3, 2, 1; one tied pair, two discordant: -2 / sqrt(3 x 2)
    assert part(rows, "tau_at_50")["estimate"] == pytest.approx(-2 / np.sqrt(6))
    assert part(rows, "moved_at_50")["estimate"] == 3


def test_scores_that_are_all_equal_decide_nothing(county):
    rows = rows_of(county(appraised([80.0, 80.0], [80.0, 80.0])), "S24")
    assert np.isnan(part(rows)["estimate"]) and np.isnan(part(rows, "tau_at_40")["estimate"])
    assert part(rows)["verdict"] == "cannot say"


# --- calls ------------------------------------------------------------------------------------------------------------


def ledger(rows):
    """Calls from (town, department, day, answered in time), answered on the day or never."""
    day = pd.to_datetime([f"{r[2]} 09:00" for r in rows])
    done = [d + pd.Timedelta(hours=1) if r[3] else pd.NaT for d, r in zip(day, rows, strict=True)]
    table = pd.DataFrame({"call_id": [f"c{k}" for k in range(len(rows))], "town_id": [r[0] for r in rows], "dept_id": [r[1] for r in rows],
                          "called_at": day, "dispatched_at": day, "responded_at": pd.Series(done, dtype="datetime64[ns]")})  # fmt: skip
    empty = {
        name: pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns]") for name in ("closed_at", "feedback_at")
    }
    return table.assign(**empty, status="open", returned_n=pd.array([0] * len(rows), dtype="Int64"),
                        transfer_n=pd.array([0] * len(rows), dtype="Int64"), reopened_of=None, is_cross_duty=False)  # fmt: skip


def calls_of(rows):
    return {("calls", "2022"): ledger(rows)}


def test_a_town_without_a_call_counts_as_zero(county):
    towns = [town for town in TOWNS for _ in range(8)]
    asked = form("staff", towns, S14=[4, 6] * 24, S15=[3, 2] * 24)
    here = county(calls_of([(town, "K1", "2022-03-01", True) for town in TOWNS if town != "T02"]), {"staff": asked})
    names, _ = run_notebook("21", here, wave="2023", draw=False, claims=["S31"])
    rows = here.recorded
    assert part(rows, place="T01")["estimate"] == pytest.approx(5 / 10)
    silent = part(rows, place="T02")
    assert silent[["estimate", "high", "verdict"]].tolist() == [0, 0, "supported"] and "no_call" in silent["remark"]
    assert silent["n"] == 40  # eight people, 4 or 6 matters each
    sizes = rows[rows["part"] == "n_for_10_points"].set_index("place")["estimate"]
    assert set(sizes.index) == {*TOWNS, COUNTY} - {"T02"}
    assert sizes["T01"] < 40 < sizes[COUNTY] < 240  # never more than are listed
    need = recommendations.rank_need(names["propensity"], here.towns, 0.5).set_index("place")
    assert need.loc["T02", ["shortfall", "people_short", "low"]].tolist() == [0.5, 400, 1]


def test_departments_and_the_funnel(county):
    rows = [("T01", "K1", "2022-03-01", True)] * 200 + [("T01", "K2", "2022-03-01", k < 5) for k in range(20)]
    table = rows_of(county(calls_of(rows)), "S32").set_index("place")
    assert table.loc[["K1", "K2"], ["estimate", "n"]].to_numpy().tolist() == [[1, 200], [0.25, 20]]
    assert table["remark"].str.contains("outside_limits").to_dict() == {"K1": True, "K2": True, COUNTY: False}
    said = {"K1": "not supported", "K2": "supported", COUNTY: "supported"}  # a department that needs it
    assert table["verdict"].to_dict() == said


def test_a_department_of_the_register_without_a_call(county):
    registered = pd.DataFrame({"dept_id": ["K1", "K2"], "name_zh": ["甲局", "乙局"], "name_en": ["A", "B"]})
    here = county({**calls_of([("T01", "K1", "2022-03-01", True)] * 3), "departments": registered})
    table = rows_of(here, "S32").set_index("place")
    assert table.loc["K2", ["n", "verdict", "reason"]].tolist() == [0, "cannot say", "no eligible case: no call"]


@pytest.mark.parametrize(("answered", "reason"), [(True, "no eligible case: no call"), (False, "no response time")])
def test_a_department_without_an_eligible_call(county, answered, reason):
    young = county(calls_of([("T01", "K1", "2023-01-06", answered)]))  # the day of the data
    row = part(rows_of(young, "S32"), place="K1")
    assert np.isnan(row["estimate"]) and row["reason"] == reason


NEED = [("T01", "2022-01-01", "12345", 40), ("T01", "2022-01-01", "grid", 10), ("T01", "2022-02-01", "12345", 30),
        ("T01", "2022-02-01", "grid", 20), ("T01", "2022-03-01", "12345", 50)]  # fmt: skip


def months_of(here):
    table = list_town_months(here.ledger("calls"), here.ledger("need_counts"), here.town_ids, here.declared.periods)
    return table.set_index(["town_id", table["month"].astype(str)])


def test_town_months(county):
    rows = [("T01", "K1", "2022-01-05", True), ("T01", "K1", "2022-01-06", False), *[("T01", "K1", "2022-02-08", True)] * 4,
            ("T01", "K1", "2022-03-08", True)]  # fmt: skip
    need = pd.DataFrame(NEED, columns=["town_id", "month", "channel", "n"])
    own = months_of(county({**calls_of(rows), "need_counts": need.assign(month=pd.to_datetime(need["month"]))}))
    assert own.loc[("T01", "2022-02"), ["before", "calls"]].tolist() == [0.5, 100 * 4 / 50]  # one of two in January
    assert np.isnan(own.loc[("T01", "2022-03"), "calls"])  # March lacks a channel: no need to set the calls against
    own = months_of(county(calls_of(rows)))
    assert own.loc[("T01", "2022-03"), ["before", "calls"]].tolist() == [1, 1]
    assert own.loc[("T01", "2022-04"), ["before", "calls"]].tolist() == [1, 0]  # no call is no gap
    assert np.isnan(own.loc[("T02", "2022-04"), "before"])


def panel(rows):
    return pd.DataFrame(rows, columns=["town_id", "month", "before", "calls"]).assign(period="2022")


HALVES = [("a", 1, 0.2, 10), ("a", 2, 0.6, 14), ("a", 3, 0.4, 9), ("b", 1, 0.5, 50), ("b", 2, 0.9, 52), ("b", 3, 0.5, 51),
          ("c", 1, 0.1, 5), ("c", 2, 0.5, 8), ("c", 3, 0.3, 6)]  # fmt: skip


@pytest.mark.parametrize(
    ("is_per_need", "times", "units"), [(False, 1, ["count", "points"]), (True, 100, ["share", "points"])]
)
def test_calls_after_prompt_months_and_after_the_others(is_per_need, times, units):
    # medians .4, .5, .3: above them February of each town: 14, 52, 8; the others 10, 9, 50, 51, 5, 6
    rows = recommendations.compare_months(panel(HALVES).assign(is_per_need=is_per_need)).set_index("part")
    mean, other = (14 + 52 + 8) / 3, (10 + 9 + 50 + 51 + 5 + 6) / 6
    assert rows["estimate"].tolist() == pytest.approx([(mean - other) / times, mean / times, other / times])
    assert rows["n"].tolist() == [9, 3, 6] and rows["unit"].tolist() == [
        units[1] if is_per_need else "count",
        units[0],
        units[0],
    ]
    # the same by least squares on the indicator, variance by towns as R's svyglm has it: G/(G - 1) times the plain sandwich
    first = [False, True, False] * 3
    calls, groups = [row[3] / times for row in HALVES], np.repeat([0, 1, 2], 3)
    fit = sm.OLS(calls, sm.add_constant(np.array(first, dtype=float))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    assert rows.loc["", ["estimate", "se", "df"]].tolist() == pytest.approx(
        [fit.params[1], fit.bse[1] * np.sqrt(3 / 2), 2]
    )


def test_too_few_months_say_nothing_of_halves():
    rows = recommendations.compare_months(panel(HALVES[:6]).assign(is_per_need=False))
    assert rows[["part", "reason"]].to_numpy().tolist() == [["", "too few answers"]]
    empty = recommendations.compare_months(panel([]).assign(is_per_need=[]))
    assert empty[["part", "reason"]].to_numpy().tolist() == [["", "too few answers"]]


def test_calls_that_never_change_have_no_interval():
    table = panel([(f"T{t}", m, 0.1 * m, 5) for t in range(4) for m in range(3)]).assign(is_per_need=False)
    assert recommendations.compare_months(table)["reason"].tolist() == ["no variation", "", ""]


def test_towns_that_never_vary_say_nothing(county):
    rows = [(town, "K1", f"2022-{month:02d}-08", True) for town in TOWNS for month in (1, 2, 3, 4)]
    row = part(rows_of(county(calls_of(rows)), "S33"))
    assert np.isnan(row["estimate"])
    assert row[["reason", "verdict"]].tolist() == ["too few answers", "cannot say"]


def test_nobody_was_asked_about_a_case(county):
    towns = [town for town in TOWNS[:2] for _ in range(8)]
    asked = form("staff", towns, S14=[4, 6, 5, 5] * 4, S15=[4, 3, 2, 3] * 4, S17_a=[1, 1, 2, 2] * 4)
    rows = rows_of(county(forms={"staff": asked}), "S31", "S34")
    headline, gap = part(rows), part(rows, "calls_where_a_past_call_was_answered_in_time")
    assert np.isnan(headline["estimate"])
    assert headline[["reason", "verdict", "n"]].tolist() == ["not asked", "cannot say", 16]
    assert gap["estimate"] == pytest.approx(7 / 10 - 5 / 10)
    assert gap["n"] == 16 and "association" in gap["remark"]


# --- warnings ---------------------------------------------------------------------------------------------------------


def warnings_on(*rows):
    return pd.DataFrame({"event_id": [f"E{k}" for k in range(len(rows))], "dept_id": [r[0] for r in rows],
                         "happened_on": pd.to_datetime([r[1] for r in rows]), "step": "warning"})  # fmt: skip


def test_thirty_days_around_a_warning(county):
    days = ("2022-05-01", "2022-05-02", "2022-05-31", "2022-06-01", "2022-06-30", "2022-07-01")
    rows = [*[("T01", "K1", day, True) for day in days], ("T01", "K2", "2022-06-01", True)]
    calls = county(calls_of(rows)).ledger("calls")
    near = recommendations.pair_with_events(calls, warnings_on(("K1", "2022-06-01")))
    assert near["day"].dt.strftime("%m-%d").tolist() == ["05-02", "05-31", "06-01", "06-30"]
    assert near["is_after"].tolist() == [False, False, True, True] and near["has_both"].all()


def around_warnings(n, first="2022-06-01"):
    """`n` departments, each warned in June, with four calls before (two answered in time) and four after (three)."""
    calls, events = [], []
    for k in range(n):
        events.append((f"K{k:02d}", "2022-06-01" if k else first))
        calls += [("T01", f"K{k:02d}", "2022-05-16", yes) for yes in ((True,) * 4 if k % 2 else (False,) * 4)]
        calls += [("T01", f"K{k:02d}", "2022-06-15", yes) for yes in (True, True, True, False)]
    return {**calls_of(calls), "accountability": warnings_on(*events)}


def test_fewer_than_ten_warnings_decide_nothing(county):
    rows = rows_of(county(around_warnings(9)), "S35")
    assert part(rows)[["reason", "verdict"]].tolist() == ["fewer than 10 events", "cannot say"]
    assert part(rows, "events")["estimate"] == 9


def test_ten_warnings(county):
    here = county(around_warnings(10))
    row = part(rows_of(here, "S35"))
    # after 30 of 40, before 20 of 40: 10 points. A department's sum of (y - .75)/40 is 0 after; before it is (4 - 2)/40 = .05 or
    # -.05: 10/9 x 10 x .05^2 = 1/36
    assert row[["estimate", "df", "unit"]].tolist() == [pytest.approx(0.25), 9, "points"]
    assert row["high"] - row["estimate"] == pytest.approx(2.262157 / 6, abs=1e-6)  # t(.975, 9) x 1/6
    assert "association" in row["remark"]


def test_a_warning_needs_calls_on_both_sides(county):
    rows = rows_of(county(around_warnings(10, first="2022-01-10")), "S35")
    assert part(rows, "events")["estimate"] == 10
    assert part(rows, "events_with_calls_on_both_sides")["estimate"] == 9
    assert part(rows)["reason"] == "fewer than 10 events"


def test_no_difference_without_two_clusters_or_any_variation():
    near = pd.DataFrame({"dept_id": ["a", "a", "b", "b"], "on_time": 1.0})
    after = np.array([False, True] * 2)
    assert gap_of_means(near, "on_time", after, "dept_id").iloc[0]["reason"] == "no variation"
    assert gap_of_means(near.assign(dept_id="a"), "on_time", after, "dept_id").iloc[0]["reason"] == "too few answers"
    assert gap_of_means(near, "on_time", np.ones(4, dtype=bool), "dept_id").iloc[0]["reason"] == "too few answers"


# --- joint conference -------------------------------------------------------------------------------------------------


def cases(*rows):
    """Cases from (referred, accepted, heard, ruled), days of June 2022."""
    names = ("referred_on", "accepted_on", "heard_on", "ruled_on")
    return pd.DataFrame({name: pd.to_datetime(pd.Series([None if r[k] is None else f"2022-06-{r[k]:02d}" for r in rows], dtype="str"))
                         for k, name in enumerate(names)}).assign(case_id=range(len(rows)), is_returned_after=pd.NA)  # fmt: skip


def medians(*rows):
    return find_step_medians(cases(*rows).assign(period="2022"), {"2022": pd.Timestamp("2022-12-31")})


def test_the_slowest_step_is_named(county):
    table = [(1, 2, 9, 10), (1, 3, 13, 14), (1, 4, 20, 22), (1, 2, None, None), (1, None, None, 5)]
    # accepting: 1, 2, 3, 1, and the last case is past it unrecorded: the median of four is 1; hearing: 7, 10, 16 and one open: 10;
    # ruling: 1, 1, 2
    found = medians(*table).set_index("part")[["estimate", "n"]]
    assert found.to_numpy().tolist() == [[1, 4], [10, 4], [1, 3]]
    assert found.index.tolist() == ["median_days_accept", "median_days_hear", "median_days_rule"]
    rows = rows_of(county({("joint_conference", "2022"): cases(*table)}), "S36")
    assert part(rows)[["estimate", "n"]].tolist() == [0.8, 5]  # four of five ruled within 30 days
    assert "slowest_hear" in part(rows)["remark"]
    assert part(rows, "median_days_hear")["estimate"] == 10


def test_a_step_that_half_never_finish_is_the_slowest():
    found = medians((1, 2, 3, None), (1, 3, 5, None), (1, 2, 9, 10))
    assert np.isnan(found["estimate"].iloc[2]) and name_slowest(found)["2022"] == "slowest_rule"


@pytest.mark.parametrize("rows", [[(1, None, None, 9), (2, None, None, 20)], [(1, 3, 5, 7), (2, 4, 6, 8)]])
def test_no_step_is_named_where_steps_are_unrecorded_or_equal(rows):
    assert not name_slowest(medians(*rows)).any()
