"""Rights on paper and in use, on hand-made lists: what was due and done, what a weight weighs, what the conference changed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import TOWNS, agencies, changes, documents, form, leaders, study

from huying.claims import house_claims, judge_claim
from huying.problems import rights


def facts(made, claim, sub=""):
    return rights.find(made).frame().query("claim == @claim and sub == @sub").set_index("place")


def row(made, claim, sub="", place="county"):
    return facts(made, claim, sub).loc[place]


def verdicts(made, claim):
    judged = judge_claim(house_claims()[claim], rights.find(made).frame().query("claim == @claim"))
    return judged[judged["sub"] == ""].set_index("place")["verdict"].to_dict()


def papers(*rows):
    """Documents from (title, kind, issued on, in force from)."""
    table = pd.DataFrame(rows, columns=["title", "kind", "issued_on", "effective_on"]).assign(doc_no="1", town_id=None)
    return table.assign(
        issued_on=pd.to_datetime(table["issued_on"]), effective_on=pd.to_datetime(table["effective_on"])
    )


# --- mechanisms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "n", "verdict"), [
    ([], 4, "not supported"),
    ([("丁", "mechanism", "2022-08-20", None)], 4, "not supported"),  # the same title, registered twice
    ([("戊", "mechanism", None, None)], 4, "not supported"),  # no day of issue
    ([("戊", "plan", "2022-08-20", None)], 4, "not supported"),
    ([("戊", "mechanism", "2022-08-20", None)], 5, "supported"),
])  # fmt: skip
def test_five_mechanisms(tmp_path, more, n, verdict):
    four = [(name, "mechanism", "2022-08-20", "2022-09-01") for name in "甲乙丙丁"]
    made = study(tmp_path, {("documents", ""): papers(*four, *more)})
    assert row(made, "B01")["estimate"] == n and verdicts(made, "B01") == {"county": verdict}


def test_none_issued_is_not_unknown(tmp_path):
    made = study(tmp_path, {("documents", ""): papers(("甲", "plan", "2022-08-20", None))})
    assert row(made, "B01")["estimate"] == 0 and verdicts(made, "B01") == {"county": "not supported"}


def staff(**answers):
    """Ten staff of each of two towns, forty listed in each."""
    return form("staff", ["T01"] * 10 + ["T02"] * 10, **answers)


def test_who_has_heard_of_them(tmp_path):
    yes = {f"S20_{k}": [1] * k + [0] * (20 - k) for k in range(1, 7)}
    made = study(tmp_path, {("documents", ""): documents()}, {"staff": staff().assign(**yes, S20_missing=None)})
    assert [row(made, "B01", f"heard_{k}")["estimate"] for k in range(1, 6)] == pytest.approx(
        [k / 20 for k in range(1, 6)]
    )
    assert facts(made, "B01", "heard_6").empty  # "none of them" is no mechanism
    unlisted = study(tmp_path, {("documents", ""): documents()}, {"staff": staff()})
    assert set(rights.find(unlisted).frame().query("claim == 'B01'")["sub"]) == {""}


# --- rights used when they could have been ----------------------------------------------------------------------------

CHANGES = changes([
    ("T01", "2022-08-31", "none", None, None),  # the day before the mechanism
    ("T01", "2022-09-01", "written", None, None), ("T02", "2022-10-01", "oral", None, None),
    ("T02", "2022-11-01", "none", None, None), ("T02", "2022-12-01", "unknown", None, None),
])  # fmt: skip


def granted(tmp_path, assessed, events=CHANGES, register=None):
    flags = pd.array(assessed, dtype="boolean")
    tables = {"agencies": agencies(assessed_by_town=flags), "agency_events": events,
              "documents": documents() if register is None else register}  # fmt: skip
    return study(tmp_path, {(name, ""): table for name, table in tables.items()})


def test_rights_used_of_all_occasions(tmp_path):
    made = granted(tmp_path, [True, True, False, None])
    head = row(made, "B02")  # heads: 2 of 3 known and 1 unknown; appraisals: 2 of 3 known and 1 unknown
    assert [head["estimate"], head["low"], head["high"], head["n"]] == pytest.approx([4 / 6, 4 / 8, 6 / 8, 8])
    assert row(made, "B02", "granted")["estimate"] == 1
    for sub in ("consulted", "assessed"):
        assert [row(made, "B02", sub)[c] for c in ("estimate", "low", "high")] == pytest.approx([2 / 3, 2 / 4, 3 / 4])
    assert verdicts(made, "B02") == {"county": "not supported"}


@pytest.mark.parametrize(("assessed", "verdict"), [
    ([True] * 4, "supported"),
    ([True] * 3 + [None], "cannot say"),  # no failure is known, but one case is unknown
    ([True] * 3 + [False], "not supported"),
])  # fmt: skip
def test_one_failure_refutes_and_an_unknown_case_leaves_it_open(tmp_path, assessed, verdict):
    made = granted(tmp_path, assessed, CHANGES[1:3])
    assert verdicts(made, "B02") == {"county": verdict}
    assert row(made, "B02")["reason"] == ("unknown answers" if verdict == "cannot say" else "")


def test_no_mechanism_no_occasion(tmp_path):
    made = granted(tmp_path, [True] * 4, register=papers(("甲", "plan", "2022-08-20", None)))
    assert row(made, "B02", "granted")["estimate"] == 0 and row(made, "B02")["reason"] == "no mechanism date"


# --- what leaders say -------------------------------------------------------------------------------------------------


def answers(**towns):
    """L09 rows c, d and e of the three leaders of six towns: c and d used everywhere, e as given by town (else used)."""
    given = [said for town in TOWNS for said in towns.get(town, [1, 2, 98])]
    return {"L09_c": [2, 1, 2] * 6, "L09_d": [98, 98, 1] * 6, "L09_e": given}


@pytest.mark.parametrize(("towns", "bounds", "verdict"), [
    ({}, (1, 1, 1), "supported"),  # one leader who used it is enough
    ({"T02": [2, 3, 2]}, (5 / 6, 5 / 6, 5 / 6), "not supported"),  # no occasion and not used: not used
    ({"T02": [2, 3, 2], "T03": [2, 98, 2]}, (4 / 5, 4 / 6, 5 / 6), "not supported"),  # one leader of T03 does not know
    ({"T03": [2, 98, 2]}, (None, 5 / 6, 1), "cannot say"),
])  # fmt: skip
def test_rights_that_every_town_used(tmp_path, towns, bounds, verdict):
    made = study(tmp_path, forms={"leader": leaders(**answers(**towns))})
    head = row(made, "B03")
    assert [None if np.isnan(head[c]) else head[c] for c in ("estimate", "low", "high")] == pytest.approx(list(bounds))
    assert head["n"] == 6 and verdicts(made, "B03") == {"county": verdict} and head["wave"] == "2023"
    assert row(made, "B03", "c")["estimate"] == row(made, "B03", "d")["estimate"] == 1
    assert row(made, "B03", "e")["low"] == pytest.approx(bounds[1])


def test_a_town_that_failed_one_right_is_known_to_fail(tmp_path):
    given = answers(T02=[98, 98, 98]) | {"L09_c": [2, 1, 2, 2, 2, 2] + [2, 1, 2] * 4}
    head = row(study(tmp_path, forms={"leader": leaders(**given)}), "B03")
    assert [head["estimate"], head["low"], head["high"]] == pytest.approx([5 / 6] * 3)  # e unknown, but c not used


def test_leaders_answers_come_out_for_the_county_alone(tmp_path):
    made = study(tmp_path, forms={"leader": leaders(**answers(T02=[2, 2, 2]))})
    found = rights.find(made)
    assert set(found.frame()["place"]) == {"county"} and not found.tables
    two = leaders(**answers())[:6]  # a county's share over two towns would tell of them
    assert rights.find(study(tmp_path, forms={"leader": two})).frame().empty


# --- appraisal --------------------------------------------------------------------------------------------------------

WEIGHTS = pd.DataFrame({"dept_id": ["K01", "K02", "K03", "K01"], "year": [2022, 2022, 2022, 2021], "town_weight": [0.4, 0.3, 0.2, 0.9],
                        "other_weight": [0.6, 0.7, 0.8, 0.1], "agency_weight": [0.4, None, None, None]})  # fmt: skip
SCORES = pd.DataFrame(
    {"dept_id": ["K01", "K02", "K03"], "year": 2022, "town_score": [70, 90, 80], "other_score": [90, 80, 84]}
)


def appraised(tmp_path, weights=WEIGHTS, scores=SCORES):
    tables = {("appraisal_weights", ""): weights} | ({} if scores is None else {("appraisal_scores", ""): scores})
    return study(tmp_path, tables)


def test_nominal_weight(tmp_path):
    made = appraised(tmp_path)
    assert facts(made, "B04")["estimate"].to_dict() == {"K01": 0.4, "K02": 0.3, "K03": 0.2}
    found = verdicts(made, "B04")
    assert found == {"K01": "supported", "K02": "supported", "K03": "not supported", "county": "not supported"}
    assert facts(made, "B04", "agency weight")["estimate"].to_dict() == {"K01": 0.4}


def test_effective_weight(tmp_path):
    # towns' part 28, 27, 16 (mean 71/3); other part 54, 56, 67.2; total 82, 83, 83.2 (mean 82.7333...)
    # deviations of the part 13/3, 10/3, -23/3; of the total -11/15, 4/15, 7/15
    # sum of products (-143 + 40 - 161) / 45 = -264/45; sum of squares (121 + 16 + 49) / 225 = 186/225
    # share = -264/45 x 225/186 = -1320/186 = -7.0968: in a row of three the part runs against the total
    made = appraised(tmp_path)
    assert row(made, "B04", "effective")["estimate"] == pytest.approx(-1320 / 186)
    table = rights.find(made).tables["appraisal"].set_index("dept_id")
    assert table["total"].tolist() == pytest.approx([82, 83, 83.2])


def test_effective_weight_of_equal_spread(tmp_path):
    # w = .5 for all; towns 60, 70, 80, other 70, 70, 70: all the variance of the total is the towns'
    half = WEIGHTS[:3].assign(town_weight=0.5, other_weight=0.5)
    only = SCORES.assign(town_score=[60, 70, 80], other_score=70)
    assert row(appraised(tmp_path, half, only), "B04", "effective")["estimate"] == pytest.approx(1)
    # other 80, 70, 90: parts -5, 0, 5 and 0, -5, 5; total -5, -5, 10: (25 + 50) / 150
    both = SCORES.assign(town_score=[60, 70, 80], other_score=[80, 70, 90])
    assert row(appraised(tmp_path, half, both), "B04", "effective")["estimate"] == pytest.approx(75 / 150)


def test_ranks_under_other_weights(tmp_path):
    made = appraised(tmp_path)
    table = rights.find(made).tables["appraisal"].set_index("dept_id")
    assert table["rank"].tolist() == [3, 2, 1]  # 82, 83, 83.2
    assert table["rank_25"].tolist() == [1, 3, 2]  # 85, 82.5, 83
    assert table["rank_30"].tolist() == [1, 2, 3]  # 84, 83, 82.8
    assert table["rank_35"].tolist() == [2, 1, 3]  # 83, 83.5, 82.6
    assert [row(made, "B04", f"ranks moved at {w}%")["estimate"] for w in (25, 30, 35)] == [3, 2, 3]


def test_equal_totals_share_a_rank(tmp_path):
    # .3 x 80 + .7 x 90 = .2 x 72 + .8 x 90.75 = 87, however the sum is rounded
    weights = WEIGHTS[:3].assign(town_weight=[0.3, 0.2, 0.3], other_weight=[0.7, 0.8, 0.7])
    scores = SCORES.assign(town_score=[80, 72, 10], other_score=[90, 90.75, 10])
    assert rights.find(appraised(tmp_path, weights, scores)).tables["appraisal"]["rank"].tolist() == [1, 1, 3]


def test_weights_without_scores(tmp_path):
    made = appraised(tmp_path, scores=None)
    assert row(made, "B04", "effective")["reason"] == "no data: appraisal_scores" and len(facts(made, "B04")) == 3
    assert facts(made, "B04", "ranks moved at 25%").empty


def test_lighter_or_heavier(tmp_path):
    made = study(tmp_path, forms={"staff": staff(S13=[1, 2, 2, 3, 3, 4, 4, 5, 5, 98] + [1] * 10)})
    assert facts(made, "B05").loc[["T01", "T02"], "estimate"].tolist() == pytest.approx(
        [3 / 10, 1]
    )  # 98 stays in the base
    assert facts(made, "B05", "heavier").loc[["T01", "T02"], "estimate"].tolist() == pytest.approx([4 / 10, 0])
    assert row(made, "B05")["estimate"] == pytest.approx(13 / 20)  # forty listed in each town
    assert set(facts(made, "B05")["wave"]) == {"2023"}


# --- the list and the conference --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("decisions", "versions", "value", "remark", "verdict"), [
    ("refused admitted admitted refused admitted pending", "a b", 2, "", "supported"),
    ("refused admitted admitted refused admitted pending", "a a", 0, "one_version", "not supported"),
    ("admitted admitted admitted", "a b", 0, "", "not supported"),
])  # fmt: skip
def test_requests_refused(tmp_path, decisions, versions, value, remark, verdict):
    said, names = decisions.split(), versions.split()
    table = pd.DataFrame({"request_id": [f"R{k}" for k in range(len(said))], "decision": said,
                          "list_version": [*names, *[None] * (len(said) - len(names))]})  # fmt: skip
    made = study(tmp_path, {("admissions", ""): table})
    assert row(made, "B06")["estimate"] == value and row(made, "B06")["remark"] == remark
    assert verdicts(made, "B06") == {"county": verdict}
    assert row(made, "B06", "versions")["estimate"] == len(set(names))
    if "pending" in said:
        rate = row(made, "B06", "refusal rate")
        # R 4.2.2: binom.test(2, 5): the pending one is not decided
        assert [rate[c] for c in ("estimate", "low", "high")] == pytest.approx(
            [0.4, 0.052744950526, 0.853367200365], abs=1e-10
        )


def test_a_ledger_without_versions_cannot_say(tmp_path):
    table = pd.DataFrame({"request_id": ["R1"], "decision": "refused", "list_version": [None]})
    made = study(tmp_path, {("admissions", ""): table})
    assert row(made, "B06")["reason"] == "not recorded" and verdicts(made, "B06") == {"county": "cannot say"}


def calls(*rows, **columns):
    """Calls from (day of dispatch, overlapping duties, times returned, times passed on)."""
    day = pd.to_datetime([r[0] for r in rows])
    table = {"call_id": [f"C{k}" for k in range(len(rows))], "town_id": "T01", "dept_id": "K01", "called_at": day, "dispatched_at": day,
             "status": "closed", "is_cross_duty": pd.array([r[1] for r in rows], dtype="boolean"), "reopened_of": None,
             "returned_n": pd.array([r[2] for r in rows], dtype="Int64"), "transfer_n": pd.array([r[3] for r in rows], dtype="Int64"),
             **{f"{name}_at": day + pd.Timedelta(days=1) for name in ("responded", "closed", "feedback")}}  # fmt: skip
    return pd.DataFrame({**table, **columns})


CALLS = calls(
    ("2022-06-01 10:00", True, 1, 0), ("2022-06-02 10:00", True, 0, 2), ("2022-06-03 10:00", True, 1, 1),
    ("2022-06-30 23:00", True, 0, 0),  # 3 of 4 before
    ("2022-07-01 00:00", True, 1, 0), ("2022-08-02 10:00", True, 0, 0), ("2022-08-03 10:00", True, 0, 0),
    ("2022-08-04 10:00", True, 0, 0),  # 1 of 4 from the first day on
    ("2022-08-05 10:00", False, 9, 9), ("2022-08-06 10:00", None, 9, 9),  # clear duties, and nobody knows whose
)  # fmt: skip
RULES = papers(("联席会议", "conference", "2022-06-20", "2022-07-01"))


def conferred(tmp_path, table=CALLS, register=RULES, **cases):
    tables = {("calls", "2022"): table, **{(name, "2022"): rows for name, rows in cases.items()}}
    return study(tmp_path, tables | ({} if register is None else {("documents", ""): register}))


def test_passed_on_before_and_after(tmp_path):
    made = conferred(tmp_path)
    head = row(made, "B10")
    # R 4.2.2: binom.test(1, 4)
    assert [head[c] for c in ("estimate", "low", "high")] == pytest.approx(
        [0.25, 0.006309463210, 0.805879550317], abs=1e-10
    )
    assert head["period"] == "2022" and verdicts(made, "B10") == {"county": "not supported"}
    assert row(made, "B10", "before")["estimate"] == 0.75
    ratio, spread = row(made, "B10", "ratio"), np.sqrt(1 / 1 - 1 / 4 + 1 / 3 - 1 / 4)  # Katz: 1/k - 1/n of both
    assert [ratio[c] for c in ("estimate", "low", "high")] == pytest.approx(
        [1 / 3, np.exp(-1.959964 * spread) / 3, np.exp(1.959964 * spread) / 3])  # fmt: skip


def test_none_passed_on_is_no_proof_of_none_ever(tmp_path):
    made = conferred(
        tmp_path,
        CALLS.assign(
            returned_n=pd.array([1] * 4 + [0] * 6, dtype="Int64"), transfer_n=pd.array([0] * 10, dtype="Int64")
        ),
    )
    assert row(made, "B10")["estimate"] == 0 and verdicts(made, "B10") == {"county": "cannot say"}


def cases(*rows):
    """Conference cases from (referred on, ruled on or None, returned again)."""
    return pd.DataFrame({"case_id": [f"J{k}" for k in range(len(rows))], "referred_on": pd.to_datetime([r[0] for r in rows]),
                         "ruled_on": pd.to_datetime(pd.Series([r[1] for r in rows], dtype="str")),
                         "is_returned_after": pd.array([r[2] for r in rows], dtype="boolean")})  # fmt: skip


def test_rulings(tmp_path):
    # days to a ruling 10, 20, 30, and one open for 36 days: left 3/4, 2/4 (half: the median), 1/4
    made = conferred(tmp_path, joint_conference=cases(("2022-07-01", "2022-07-11", True), ("2022-07-01", "2022-07-21", False),
                                                      ("2022-07-01", "2022-07-31", False), ("2022-12-01", None, True)))  # fmt: skip
    assert row(made, "B10", "days to a ruling")["estimate"] == 20
    assert row(made, "B10", "returned after a ruling")["estimate"] == pytest.approx(
        1 / 3
    )  # the open one has no ruling yet


def test_the_first_case_dates_the_conference_where_no_document_does(tmp_path):
    made = conferred(
        tmp_path, register=None, joint_conference=cases(("2022-08-03", None, None), ("2022-09-01", None, None))
    )
    assert row(made, "B10")["n"] == 2 and row(made, "B10", "before")["n"] == 6


@pytest.mark.parametrize(("table", "register", "reason"), [
    (CALLS, None, "no conference date"),
    (CALLS.assign(is_cross_duty=pd.array([None] * 10, dtype="boolean")), RULES, "not recorded"),
    (CALLS[:4], RULES, "no eligible call"),  # none after
])  # fmt: skip
def test_what_cannot_be_told(tmp_path, table, register, reason):
    made = conferred(tmp_path, table, register)
    assert row(made, "B10")["reason"] == reason and verdicts(made, "B10") == {"county": "cannot say"}


def test_finders_without_their_ledgers_say_which(tmp_path):
    missing = rights.find(replace(study(tmp_path), samples={})).missing
    assert missing["B02"] in ("agencies", "agency_events", "documents") and missing["B04"] == "appraisal_weights"
    assert missing["B03"] == "leaders" and missing["B10"] == "calls"
