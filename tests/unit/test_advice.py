"""The recommendations on counties made by hand: every number with its arithmetic, and what must not be said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import TOWNS, agencies, changes, documents, form, leaders, study

from huying.claims import claims_of, judge_claim
from huying.estimates import COUNT, COUNTY, POOLED, STUDENT, Design
from huying.problems import advice, advice_ledgers
from huying.problems.advice_ledgers import around, log_ratio, slowest, step_medians, town_months, within_towns
from huying.problems.associations import regress, student
from huying.problems.calls import timed_calls
from huying.problems.facts import Found
from huying.problems.next_wave import overlap, plan, rise_of_mean, rise_of_share, size_for_mean, size_for_share
from huying.samples import Sample


def facts(found, claim, sub=""):
    table = found.frame()
    return table[(table["claim"] == claim) & (table["sub"] == sub)].set_index("place")


def verdicts(county, found, claim):
    table = found.frame()
    judged = judge_claim(claims_of(county)[claim], table[table["claim"] == claim])
    return judged[judged["sub"] == ""].set_index("place")["verdict"]


def residents(at, towns, villages, wave="2023", weight=None, **answers):
    """`at` with residents of one wave who answered `answers`; 5 answers are enough for a town."""
    rows = form("resident", towns, **answers).assign(village_id=villages, wave=wave)
    psu = np.unique([f"{t}/{v}" for t, v in zip(towns, villages, strict=True)], return_inverse=True)[1].astype(np.int64)
    design = Design(
        np.array([TOWNS.index(t) for t in towns]), psu, np.ones(len(rows)) if weight is None else weight, tuple(TOWNS)
    )
    county = replace(at.county, thresholds={**at.county.thresholds, "fewest_residents": 5})
    return replace(
        at, county=county, samples={**at.samples, ("resident", wave): Sample(rows, design, pd.DataFrame(), wave)}
    )


# --- the next wave ----------------------------------------------------------------------------------------------------


def test_design_effect_and_shared_villages():
    plain = size_for_share(0.5, 0.1)
    assert plain == pytest.approx(387.34, abs=0.01)  # the textbook's 388 in each group, from 50% to 60%
    assert size_for_share(0.5, 0.1, deff=2) == pytest.approx(2 * plain)
    # 2 x .55 x .45 x (1 - .5) = .2475; .25 + .24 - 2 x .5 x sqrt(.25 x .24) = .2450510
    # (1.9599640 x sqrt(.2475) + .8416212 x sqrt(.2450510))^2 / .01 = (.9750700 + .4166248)^2 / .01 = 193.6814
    assert size_for_share(0.5, 0.1, shared=0.5) == pytest.approx(193.6814, abs=1e-3)


@pytest.mark.parametrize("p", [0.0, 0.02, 0.3, 0.5, 0.88])
def test_the_size_for_a_rise_shows_that_rise(p):
    assert rise_of_share(p, size_for_share(p, 0.1, 1.6, 0.2), 1.6, 0.2) == pytest.approx(0.1, abs=1e-9)


@pytest.mark.parametrize("value", [size_for_share(0.95), size_for_share(np.nan), size_for_share(0.5, deff=np.nan),
                                   rise_of_share(0.9, 5), rise_of_share(1.0, 500), rise_of_share(np.nan, 50), size_for_mean(0.0)])  # fmt: skip
def test_a_change_past_100_percent_and_an_unknown_start_have_no_number(value):
    assert np.isnan(value)


def test_a_full_list_never_needs_more_than_are_listed():
    # z = 1.9599640 + .8416212 = 2.8015852; 2 x .5^2 x z^2 / .1^2 = 392.44; 1 / (1/40 + 1/392.44) = 36.30
    assert size_for_mean(0.5) == pytest.approx(392.44, abs=0.01)
    assert size_for_mean(0.5, listed=40) == pytest.approx(36.30, abs=0.01)
    assert rise_of_mean(0.05) == pytest.approx(2.8015852 * np.sqrt(2) * 0.05)


def test_the_plan_of_shares_means_and_ratios():
    found = Found()
    frame = pd.DataFrame({"place": ["a", "b", "c", "d", "e"], "estimate": [0.5, 0.6, 0.6, np.nan, 0.95], "n": [100.0, 100.0, 100.0, 3.0, 100.0],
                          "n_eff": [50.0, np.nan, np.nan, np.nan, 100.0], "se": [0.07, 0.05, 0.05, np.nan, 0.02], "wave": "2023",
                          "method": [POOLED, STUDENT, STUDENT, POOLED, POOLED], "reason": ["", "", "", "too few answers", ""]})  # fmt: skip
    plan(found, "S11", frame, listed=pd.Series({"a": np.inf, "b": np.inf, "c": 200.0, "d": np.inf, "e": np.inf}))
    sizes, rises = facts(found, "S11", "n for +10 points"), facts(found, "S11", "detectable change")
    assert sizes.loc["a", "estimate"] == 775  # deff 100 / 50: 2 x 387.34 = 774.68
    assert sizes.loc["b", "estimate"] == 393  # s = .05 x sqrt(100) = .5: 392.44
    assert (
        sizes.loc["c", "estimate"] == 160
    )  # s = .05 x sqrt(100 / .5) = .7071: 784.89, 1 / (1/200 + 1/784.89) = 159.38
    assert rises.loc["b", "estimate"] == pytest.approx(0.19810, abs=1e-5)
    assert rises.loc["a", "estimate"] > 0.1 and sizes["wave"].eq("2023").all()
    assert sizes["reason"].tolist() == ["", "", "", "too few answers", "not estimable"]
    assert sizes["method"].eq(COUNT).all()


# --- residents --------------------------------------------------------------------------------------------------------

PEOPLE = {"towns": ["T01"] * 10, "villages": ["v1"] * 5 + ["v2"] * 5}


def ten(at, **more):
    """Ten residents of one town, six of them aware; the fourth left R11 blank."""
    answers = {"R09": [1, 2, 3, 3, 4, 2, 1, 4, 98, 4], "R11": [1, 1, 1, None, None, 1, 1, None, None, None], "R11_1": [1, 0, 1, None, None, 1, 0, None, None, None],
               "R25": [1] * 10, "R25_1": [1, 1, 0, 1, 1, 1, 0, 1, 1, 0]}  # fmt: skip
    return residents(at, **PEOPLE, **{**answers, **more})


@pytest.fixture
def at(tmp_path):
    return study(tmp_path)


def test_awareness_and_who_was_reached(at):
    found = Found()
    advice.s11(ten(at), found)
    assert facts(found, "S11").loc["T01", "estimate"] == pytest.approx(0.6)  # cannot say is not aware
    assert facts(found, "S11", "reach_1").loc["T01", ["estimate", "n"]].tolist() == [pytest.approx(3 / 5), 5]
    assert facts(found, "S11", "wanted_1").loc["T01", "estimate"] == pytest.approx(7 / 10)
    gap = facts(found, "S11", "gap_1").loc["T01"]  # without the one who left R11 blank: 6 of 9 want it, 3 of 9 have it
    assert gap["estimate"] == pytest.approx(6 / 9 - 3 / 9)
    assert gap["n"] == 9
    assert gap["estimate"] != pytest.approx(0.7 - 0.6)  # two bases set against each other
    assert facts(found, "S11", "villages kept").empty  # one wave


def test_the_gap_is_paired(at):
    # of nine: +1 for the 2nd, 5th, 8th and 9th, -1 for the 3rd, else 0; village sums 1 and 2 around 3/9 each of 4 and 5 people:
    # z = (1 - 4/3)/9 and (2 - 5/3)/9, so that the variance is 2 x 2 x (1/27)^2 and se = 2/27
    found = Found()
    advice.s11(ten(at), found)
    assert facts(found, "S11", "gap_1").loc["T01", "se"] == pytest.approx(2 / 27)


def knowing(n, rng):
    used = rng.integers(0, 2, n)
    marks = {f"R10_{row}": list(rng.choice([1, 2, 98], n)) for row in "abcde"}
    return {"R09": [2] * n, "R11": [1] * n, "R11_1": list(used), "R11_2": [0] * n, "R11_3": [0] * n, "R25": [1] * n,
            "R03": list(rng.integers(18, 80, n)), "R06": list(rng.integers(1, 4, n)), **marks}  # fmt: skip


def test_new_media_beside_knowledge_is_an_adjusted_association(at):
    rng = np.random.default_rng(5)
    answers = knowing(40, rng)
    found, who = Found(), residents(at, ["T01"] * 20 + ["T02"] * 20, [f"v{k // 5}" for k in range(40)], **answers)
    advice.s11(who, found)
    row = facts(found, "S11", "association: new media").loc[COUNTY]
    right = np.mean([np.array(answers[f"R10_{k}"]) == key for k, key in who.book.items["R10"].right.items()], axis=0)
    school = np.array(answers["R06"])
    x = np.column_stack([answers["R11_1"], np.ones(40), answers["R03"], school == 2, school == 3]).astype(float)
    assert row["estimate"] == pytest.approx(np.linalg.lstsq(x, right, rcond=None)[0][0])
    assert (row["remark"], row["n"], row["df"]) == ("association", 40, 8 - 2 + 1 - 5)


def test_no_slope_where_nobody_used_new_media_or_all_did(at):
    design = Design(np.zeros(6, dtype=int), np.arange(6), np.ones(6), ("all",))
    y = np.array([0.1, 0.4, 0.3, 0.2, 0.6, 0.5])
    for same in (np.zeros(6), np.ones(6)):
        assert np.isnan(regress(design, y, np.column_stack([same, np.ones(6)]))[0])
    assert student(np.nan, np.nan, np.nan, 6).iloc[0][["reason", "remark"]].tolist() == ["not estimable", ""]


def test_what_people_know_and_whether_they_can_object(at):
    found, n = Found(), 10
    right = {"a": 1, "b": 2, "c": 1, "d": 2, "e": 1}
    marks = {f"R10_{row}": [key] * 4 + [98] * 2 + [None] * 4 for row, key in right.items()}
    marks["R10_a"] = [2] * 4 + [98] * 2 + [None] * 4  # wrong in one row of five
    advice.s12(ten(at, **marks, R24_f=[5, 4, 3, 98, 1, 4, 2, 2, 3, 3]), found)
    score = facts(found, "S12").loc["T01"]
    assert (score["estimate"], score["n"]) == (pytest.approx(4 * 0.8 / 6), 6)
    able = facts(found, "S12", "knows how to object").loc["T01"]
    assert (able["estimate"], able["n"]) == (pytest.approx(3 / n), n)


def test_overlap_of_two_waves(at):
    y = [1, 1, 1, 1, 4, 4, 1, 4, 4, 4]
    twice = residents(residents(at, **PEOPLE, R09=y), **PEOPLE, wave="2024", R09=y)
    same = overlap(twice, "resident", lambda s: (s.column("R09") == 1).astype(float))
    assert same == (0.95, 1.0, 2)  # the same answers again correlate fully, which no plan may count on
    fresh = residents(residents(at, **PEOPLE, R09=y), ["T01"] * 10, ["v2"] * 5 + ["v3"] * 5, wave="2024", R09=y)
    assert overlap(fresh, "resident", lambda s: (s.column("R09") == 1).astype(float)).kept == 0.5
    assert overlap(residents(at, **PEOPLE, R09=y), "resident", advice.aware)[0] == 0.0


def test_where_it_matters_most_is_a_region_of_ranks(at):
    found = Found()
    frame = pd.DataFrame({"place": [*TOWNS[:4], COUNTY], "estimate": [0.1, 0.45, 0.7, np.nan, 0.4], "low": [0.05, 0.3, 0.6, np.nan, 0.3],
                          "high": [0.2, 0.6, 0.8, np.nan, 0.5], "se": 0.02, "n": 200.0, "n_eff": [200.0, 30.0, 200.0, np.nan, 500.0], "df": 9.0,
                          "method": POOLED})  # fmt: skip
    advice.prioritise(at, found, "S11", frame, "2023")
    table = found.tables["priorities"].set_index("town_id")
    assert table["need"].round(9).tolist()[:3] == [0.4, 0.05, -0.2]
    assert table["weighted"].round(9).tolist()[:3] == [320, 40, -160]  # 800 adults each
    assert table[["first", "last"]].iloc[:3].to_numpy().tolist() == [[1, 1], [2, 3], [2, 3]]
    assert table.loc["T04", ["need", "weighted", "first", "last"]].isna().all()
    assert COUNTY not in table.index and "rank" not in table


# --- leaders ----------------------------------------------------------------------------------------------------------


def rated(importance, adequacy, n=18, **more):
    cells = {
        f"L11_{row}_{name}": [value] * n
        for row in "abcde"
        for name, value in (("importance", importance), ("adequacy", adequacy))
    }
    return {**cells, **more}


def test_the_least_needy_support_decides(tmp_path):
    given = rated(5, 3, L11_b_adequacy=[4] * 17 + [None])
    county, found = study(tmp_path, forms={"leader": leaders(**given)}), Found()
    advice.s23(county, found)
    headline = facts(found, "S23").loc[COUNTY]
    assert (headline["estimate"], headline["n"], headline["method"]) == (-1, 17, COUNT)
    assert [facts(found, "S23", f"gap_{row}").loc[COUNTY, "estimate"] for row in "ab"] == [2, 1]
    assert found.tables["supports"].set_index("support").loc[
        "b", ["importance", "adequacy", "n", "unknown"]
    ].tolist() == [5, 4, 17, 1]
    assert verdicts(county.county, found, "S23").tolist() == ["supported"]


def test_one_support_without_a_gap_is_enough_against_it(tmp_path):
    county, found = study(tmp_path, forms={"leader": leaders(**rated(4, 2, L11_e_adequacy=[5] * 18))}), Found()
    advice.s23(county, found)
    assert facts(found, "S23").loc[COUNTY, "estimate"] == 1
    assert verdicts(county.county, found, "S23").tolist() == ["not supported"]


def test_leaders_are_never_told_apart(tmp_path):
    found = Found()
    advice.s23(study(tmp_path, forms={"leader": leaders(**rated(5, 3))}), found)
    assert set(found.frame()["place"]) == {COUNTY}
    assert "town_id" not in found.tables["supports"]
    few = Found()
    advice.s23(study(tmp_path, forms={"leader": leaders(1, **rated(5, 3, 3))}), few)
    assert few.frame()[["estimate", "reason"]].to_numpy().tolist() == [
        [pytest.approx(np.nan, nan_ok=True), "too few answers"]
    ]
    assert not few.tables


# --- agencies ---------------------------------------------------------------------------------------------------------


def test_rights_exercised_over_due(tmp_path):
    events = changes([("T01", "2022-08-01", "none", None, None), ("T01", "2022-09-01", "written", None, None),
                      ("T02", "2022-10-01", "oral", None, None), ("T02", "2022-11-01", "unknown", None, None)])  # fmt: skip
    roster = agencies(assessed_by_town=pd.array([True, False, False, None], dtype="boolean"))
    county = study(
        tmp_path, {("agency_events", "2022"): events, ("agencies", ""): roster, ("documents", ""): documents()}
    )
    found = Found()
    advice_ledgers.s21(county, found)
    row = facts(found, "S21").loc[COUNTY]  # due since September: 3 changes and 4 heads; used 2 + 1, unknown 1 + 1
    assert row[["estimate", "low", "high", "n"]].tolist() == [pytest.approx(v) for v in (3 / 5, 3 / 7, 5 / 7, 7)]
    assert facts(found, "S21", "consulted").loc[COUNTY, "estimate"] == 1
    assert facts(found, "S21", "assessed").loc[COUNTY, "estimate"] == pytest.approx(1 / 3)
    assert verdicts(county.county, found, "S21").tolist() == ["supported"]


def test_management_index(tmp_path):
    county, found = study(tmp_path, {("agencies", ""): agencies()}), Found()
    advice_ledgers.s22(county, found)
    # (1 + .6 + 0)/3, (0 + .2 + 0)/3, 0 alone, (0 + .25 + 0)/3: .5333, .0667, 0, .0833
    assert facts(found, "S22").loc[COUNTY, "estimate"] == pytest.approx((1.6 / 3 + 0.2 / 3 + 0.25 / 3) / 4)


def appraised(tmp_path, town, other, weight=0.3):
    table = pd.DataFrame({"dept_id": [f"K{k}" for k in range(len(town))], "year": 2022})
    weights = table.assign(town_weight=weight, other_weight=1 - weight, agency_weight=np.nan)
    return study(tmp_path, {("appraisal_weights", ""): weights, ("appraisal_scores", ""): table.assign(town_score=town, other_score=other)})  # fmt: skip


def test_effective_weight_and_what_a_greater_one_would_do(tmp_path):
    county, found = appraised(tmp_path, [90.0, 80.0, 70.0], [60.0, 70.0, 78.0]), Found()
    advice_ledgers.s24(county, found)
    # at 30%: 69, 73, 75.6; parts 27, 24, 21. cov = (3 x -3.533 + 0 + -3 x 3.067)/2 = -9.9; var = (12.484 + .218 + 9.404)/2 = 11.053
    assert facts(found, "S24").loc[COUNTY, "estimate"] == pytest.approx(-9.9 / 11.0533, abs=1e-4)
    assert facts(found, "S24", "tau at 30%").loc[COUNTY, "estimate"] == 1
    # at 50%: 75, 75, 74: ranks 1, 1, 3 against 3, 2, 1; one tied pair, two discordant: -2 / sqrt(3 x 2)
    assert facts(found, "S24", "tau at 50%").loc[COUNTY, "estimate"] == pytest.approx(-2 / np.sqrt(6))
    assert facts(found, "S24", "moved at 50%").loc[COUNTY, "estimate"] == 3
    flow = found.tables["rank_flow"]
    assert flow.loc[flow["w"] == "nominal", "rank"].tolist() == [3, 2, 1]
    assert set(flow["w"]) == {"nominal", "30%", "40%", "50%"}


def test_scores_that_are_all_equal_decide_nothing(tmp_path):
    county, found = appraised(tmp_path, [80.0, 80.0], [80.0, 80.0]), Found()
    advice_ledgers.s24(county, found)
    assert found.frame().set_index("sub").loc[["", "tau at 40%"], "estimate"].isna().all()
    assert verdicts(county.county, found, "S24").tolist() == ["cannot say"]


# --- calls ------------------------------------------------------------------------------------------------------------


def ledger(rows, as_text="%Y-%m-%d"):
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


def test_a_town_without_a_call_counts_as_zero(tmp_path):
    towns = [town for town in TOWNS for _ in range(8)]
    asked = form("staff", towns, S14=[4, 6] * 24, S15=[3, 2] * 24)
    calls = ledger([(town, "K1", "2022-03-01", True) for town in TOWNS if town != "T02"])
    county, found = study(tmp_path, {("calls", "2022"): calls}, {"staff": asked}), Found()
    advice.s31(county, found)
    rows = facts(found, "S31")
    assert rows.loc["T01", "estimate"] == pytest.approx(5 / 10)
    assert rows.loc["T02", ["estimate", "high", "remark"]].tolist() == [0, 0, "no_call"]
    assert verdicts(county.county, found, "S31")["T02"] == "supported"
    sizes = facts(found, "S31", "n for +10 points")["estimate"]
    assert set(sizes.index) == {*TOWNS, COUNTY} - {"T02"}
    assert sizes["T01"] < 40 < sizes[COUNTY] < 240  # never more than are listed
    need = found.tables["priorities"].set_index("town_id")
    assert need.loc["T02", ["need", "weighted", "first"]].tolist() == [0.5, 400, 1]


def test_departments_and_the_funnel(tmp_path):
    rows = [("T01", "K1", "2022-03-01", True)] * 200 + [("T01", "K2", "2022-03-01", k < 5) for k in range(20)]
    county, found = study(tmp_path, {("calls", "2022"): ledger(rows)}), Found()
    advice_ledgers.s32(county, found)
    table = facts(found, "S32")
    assert table[["estimate", "n"]].to_numpy().tolist() == [[1, 200], [0.25, 20]]
    assert table.loc["K2", "remark"] == "outside_limits"
    said = verdicts(county.county, found, "S32")
    assert said.to_dict() == {
        "K1": "not supported",
        "K2": "supported",
        COUNTY: "supported",
    }  # a department that needs it


@pytest.mark.parametrize(("answered", "reason"), [(True, "no eligible call"), (False, "no response time")])
def test_a_department_without_an_eligible_call(tmp_path, answered, reason):
    young = ledger([("T01", "K1", "2023-01-06", answered)])  # the day of the data
    county, found = study(tmp_path, {("calls", "2022"): young}), Found()
    advice_ledgers.s32(county, found)
    row = facts(found, "S32").loc["K1"]
    assert np.isnan(row["estimate"]) and row["reason"] == reason


NEED = [("T01", "2022-01-01", "12345", 40), ("T01", "2022-01-01", "grid", 10), ("T01", "2022-02-01", "12345", 30),
        ("T01", "2022-02-01", "grid", 20), ("T01", "2022-03-01", "12345", 50)]  # fmt: skip


def test_town_months(tmp_path):
    rows = [("T01", "K1", "2022-01-05", True), ("T01", "K1", "2022-01-06", False), *[("T01", "K1", "2022-02-08", True)] * 4,
            ("T01", "K1", "2022-03-08", True)]  # fmt: skip
    need = pd.DataFrame(NEED, columns=["town_id", "month", "channel", "n"]).assign(
        month=lambda t: pd.to_datetime(t["month"])
    )
    county = study(tmp_path, {("calls", "2022"): ledger(rows), ("need_counts", ""): need})
    table = town_months(county, timed_calls(county), "2022")
    own = table[table["town_id"] == "T01"]
    own = own.set_index(own["month"].astype(str))
    assert own.loc["2022-02", ["before", "calls"]].tolist() == [0.5, 100 * 4 / 50]  # one of two answered in January
    assert np.isnan(own.loc["2022-03", "calls"])  # March lacks a channel: no need to set the calls against
    bare = study(tmp_path, {("calls", "2022"): ledger(rows)})
    own = town_months(bare, timed_calls(bare), "2022").set_index(["town_id", "month"])
    assert own.loc[("T01", pd.Period("2022-03")), ["before", "calls"]].tolist() == [1, 1]
    assert own.loc[("T01", pd.Period("2022-04")), ["before", "calls"]].tolist() == [1, 0]  # no call is no gap
    assert np.isnan(own.loc[("T02", pd.Period("2022-04")), "before"])


def test_slope_within_towns_by_hand():
    panel = pd.DataFrame({"town_id": ["a", "a", "b", "b", "c", "c"], "month": [2, 3] * 3, "before": [0.2, 0.6, 0.5, 0.9, 0.1, 0.5],
                          "calls": [10, 14, 50, 52, 5, 8]})  # fmt: skip
    # within towns x = -.2, .2 each; y = -2, 2, -1, 1, -1.5, 1.5: slope (.8 + .4 + .6) / (6 x .04) = 7.5
    # town sums of x e: .8 - 7.5 x .08 = .2, .4 - .6 = -.2, .6 - .6 = 0; variance 3/2 x (.04 + .04) / .24^2
    slope, se, df, n, reason = within_towns(panel)
    assert (slope, se) == (pytest.approx(7.5), pytest.approx(np.sqrt(1.5 * 0.08) / 0.24))
    assert (df, n, reason) == (2, 6, "")


@pytest.mark.parametrize("towns, months", [(2, 3), (4, 1)])
def test_too_little_for_a_slope(towns, months):
    panel = pd.DataFrame([(f"T{t}", m, 0.1 * m + 0.01 * t, t + m) for t in range(towns) for m in range(months)],
                         columns=["town_id", "month", "before", "calls"])  # fmt: skip
    assert within_towns(panel)[4] == "too few answers"


def test_towns_that_never_vary_say_nothing(tmp_path):
    rows = [(town, "K1", f"2022-{month:02d}-08", True) for town in TOWNS for month in (1, 2, 3, 4)]
    county, found = study(tmp_path, {("calls", "2022"): ledger(rows)}), Found()
    advice_ledgers.s33(county, found)
    row = facts(found, "S33").loc[COUNTY]
    assert np.isnan(row["estimate"]) and row["reason"] == "too few answers"
    assert verdicts(county.county, found, "S33").tolist() == ["cannot say"]


def test_nobody_was_asked_about_a_case(tmp_path):
    towns = [town for town in TOWNS[:2] for _ in range(8)]
    asked = form("staff", towns, S14=[4, 6, 5, 5] * 4, S15=[4, 3, 2, 3] * 4, S17_a=[1, 1, 2, 2] * 4)
    county, found = study(tmp_path, forms={"staff": asked}), Found()
    advice.s34(county, found)
    headline = facts(found, "S34").loc[COUNTY]
    assert np.isnan(headline["estimate"]) and headline["reason"] == "not asked"
    assert verdicts(county.county, found, "S34").tolist() == ["cannot say"]
    sub = facts(found, "S34", "calls where a past call was answered in time").loc[COUNTY]
    assert sub["estimate"] == pytest.approx(7 / 10 - 5 / 10)
    assert (sub["n"], sub["remark"]) == (16, "association")


# --- warnings ---------------------------------------------------------------------------------------------------------


def warnings_on(*rows):
    return pd.DataFrame({"event_id": [f"E{k}" for k in range(len(rows))], "dept_id": [r[0] for r in rows],
                         "happened_on": pd.to_datetime([r[1] for r in rows]), "step": "warning"})  # fmt: skip


def test_thirty_days_around_a_warning(tmp_path):
    rows = [
        ("T01", "K1", day, True)
        for day in ("2022-05-01", "2022-05-02", "2022-05-31", "2022-06-01", "2022-06-30", "2022-07-01")
    ]
    county = study(tmp_path, {("calls", "2022"): ledger([*rows, ("T01", "K2", "2022-06-01", True)])})
    near = around(timed_calls(county), warnings_on(("K1", "2022-06-01")))
    assert near["day"].dt.strftime("%m-%d").tolist() == ["05-02", "05-31", "06-01", "06-30"]
    assert near["is_after"].tolist() == [False, False, True, True]


def around_warnings(tmp_path, n, prompt_after=True):
    """`n` departments, each warned in June, with four calls before (two answered in time) and four after (three)."""
    calls, events = [], []
    for k in range(n):
        events.append((f"K{k:02d}", "2022-06-01"))
        calls += [("T01", f"K{k:02d}", "2022-05-16", yes) for yes in ((True,) * 4 if k % 2 else (False,) * 4)]
        calls += [("T01", f"K{k:02d}", "2022-06-15", prompt_after and yes) for yes in (True, True, True, False)]
    return study(tmp_path, {("calls", "2022"): ledger(calls), ("accountability", ""): warnings_on(*events)})


def test_fewer_than_ten_warnings_decide_nothing(tmp_path):
    county, found = around_warnings(tmp_path, 9), Found()
    advice_ledgers.s35(county, found)
    assert facts(found, "S35").loc[COUNTY, "reason"] == "fewer than 10 events"
    assert facts(found, "S35", "events").loc[COUNTY, "estimate"] == 9
    assert facts(found, "S35", "after").empty
    assert verdicts(county.county, found, "S35").tolist() == ["cannot say"]


def test_ten_warnings(tmp_path):
    county, found = around_warnings(tmp_path, 10), Found()
    advice_ledgers.s35(county, found)
    row = facts(found, "S35").loc[COUNTY]
    # after 30 of 40, before 20 of 40: log 1.5. A department's sum of (y - .75)/30 is 0 after; before it is (4 - 2)/20 = .1 or -.1:
    # 10/9 x 10 x .1^2 = 1/9
    assert row[["estimate", "se", "df"]].tolist() == [pytest.approx(np.log(1.5)), pytest.approx(1 / 3), 9]
    assert row["remark"] == "association"
    assert facts(found, "S35", "before").loc[COUNTY, ["estimate", "n"]].tolist() == [0.5, 40]


def test_a_warning_needs_calls_on_both_sides(tmp_path):
    county, found = around_warnings(tmp_path, 10), Found()
    county.cleaned.ledgers["accountability", ""].loc[0, "happened_on"] = pd.Timestamp("2022-01-10")
    advice_ledgers.s35(county, found)
    assert facts(found, "S35", "events").loc[COUNTY, "estimate"] == 10
    assert facts(found, "S35", "events with calls on both sides").loc[COUNTY, "estimate"] == 9
    assert facts(found, "S35").loc[COUNTY, "reason"] == "fewer than 10 events"


def test_no_logarithm_of_nothing(tmp_path):
    near = pd.DataFrame(
        {"dept_id": ["a", "a", "b", "b"], "on_time": [1.0, 0.0, 1.0, 0.0], "is_after": [False, True] * 2}
    )
    assert log_ratio(near).iloc[0]["reason"] == "separation"
    alone = near.assign(dept_id="a", on_time=[1.0, 1.0, 0.0, 0.0])
    assert log_ratio(alone).iloc[0]["reason"] == "too few answers"


# --- joint conference -------------------------------------------------------------------------------------------------


def cases(*rows):
    """Cases from (referred, accepted, heard, ruled), days of June 2022."""
    names = ("referred_on", "accepted_on", "heard_on", "ruled_on")
    return pd.DataFrame({name: pd.to_datetime(pd.Series([None if r[k] is None else f"2022-06-{r[k]:02d}" for r in rows], dtype="str"))
                         for k, name in enumerate(names)}).assign(case_id=range(len(rows)), is_returned_after=pd.NA)  # fmt: skip


def test_the_slowest_step_is_named(tmp_path):
    table = cases((1, 2, 9, 10), (1, 3, 13, 14), (1, 4, 20, 22), (1, 2, None, None), (1, None, None, 5))
    # accepting: 1, 2, 3, 1, and the last case is past it unrecorded: the median of four is 1; hearing: 7, 10, 16 and one open: 10;
    # ruling: 1, 1, 2
    medians = step_medians(table, pd.Timestamp("2022-12-31"))
    assert medians == {"accept": (1.0, 4), "hear": (10.0, 4), "rule": (1.0, 3)}
    county, found = study(tmp_path, {("joint_conference", "2022"): table}), Found()
    advice_ledgers.s36(county, found)
    row = facts(found, "S36").loc[COUNTY]
    assert row[["estimate", "n", "remark"]].tolist() == [0.8, 5, "slowest_hear"]  # four of five ruled within 30 days
    assert facts(found, "S36", "median days_hear").loc[COUNTY, "estimate"] == 10


def test_a_step_that_half_never_finish_is_the_slowest():
    medians = step_medians(cases((1, 2, 3, None), (1, 3, 5, None), (1, 2, 9, 10)), pd.Timestamp("2022-12-31"))
    assert np.isnan(medians["rule"][0]) and slowest(medians) == "slowest_rule"


@pytest.mark.parametrize("rows", [[(1, None, None, 9), (2, None, None, 20)], [(1, 3, 5, 7), (2, 4, 6, 8)]])
def test_no_step_is_named_where_steps_are_unrecorded_or_equal(rows):
    assert slowest(step_medians(cases(*rows), pd.Timestamp("2022-12-31"))) == ""
