"""Rights on paper and in use, on hand-made lists: what was due and done, what a weight weighs, what the conference changed."""

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import TOWNS, agencies, changes, documents, form, leaders

from huying.measures import services
from huying.words import EstimateError
from run_notebook import StandIn, judged

TOML = """[wave.2023]
from = 2023-05-08
to = 2023-06-02
[period.2022]
from = 2021-01-01
to = 2022-12-31
as_of = 2023-01-06
"""


@pytest.fixture
def look(tmp_path):
    """The rows of a claim, as the cells of the notebook judge them on a county of six towns."""

    def make(claim, ledgers=None, forms=(), wave="2023"):
        county = StandIn(tmp_path, ledgers or {}, forms, TOML, towns=6)
        return judged("03", county, wave, claims=[claim])

    return make


def row(rows, part="", place="county"):
    own = rows[(rows["part"] == part) & (rows["place"] == place)]
    assert len(own) == 1, (part, place, len(own))
    return own.iloc[0]


def interval(rows, part="", place="county"):
    return [row(rows, part, place)[name] for name in ("estimate", "low", "high")]


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
def test_five_mechanisms(look, more, n, verdict):
    four = [(name, "mechanism", "2022-08-20", "2022-09-01") for name in "甲乙丙丁"]
    found = row(look("B01", {"documents": papers(*four, *more)}))
    assert (found["estimate"], found["verdict"]) == (n, verdict)


def test_none_issued_is_not_unknown(look):
    found = row(look("B01", {"documents": papers(("甲", "plan", "2022-08-20", None))}))
    assert (found["estimate"], found["verdict"]) == (0, "not supported")


# --- rights used when they could have been ----------------------------------------------------------------------------

CHANGES = changes([
    ("T01", "2022-08-31", "none", None, None),  # the day before the mechanism
    ("T01", "2022-09-01", "written", None, None), ("T02", "2022-10-01", "oral", None, None),
    ("T02", "2022-11-01", "none", None, None), ("T02", "2022-12-01", "unknown", None, None),
])  # fmt: skip


def granted(assessed, events=CHANGES, register=None):
    roster = agencies(assessed_by_town=pd.array(assessed, dtype="boolean"))
    return {"agencies": roster, "agency_events": events, "documents": documents() if register is None else register}


def test_rights_used_of_all_occasions(look):
    found = look("B02", granted([True, True, False, None]))
    # heads: 2 of 3 known and 1 unknown; appraisals: 2 of 3 known and 1 unknown
    assert interval(found) == pytest.approx([4 / 6, 4 / 8, 6 / 8]) and row(found)["n"] == 8
    assert row(found, "granted")["estimate"] == 1
    for right in ("consulted", "assessed"):
        assert interval(found, right) == pytest.approx([2 / 3, 2 / 4, 3 / 4])
    assert row(found)["verdict"] == "not supported"


@pytest.mark.parametrize(("assessed", "verdict"), [
    ([True] * 4, "supported"),
    ([True] * 3 + [None], "cannot say"),  # no failure is known, but one case is unknown
    ([True] * 3 + [False], "not supported"),
])  # fmt: skip
def test_one_failure_refutes_and_an_unknown_case_leaves_it_open(look, assessed, verdict):
    found = row(look("B02", granted(assessed, CHANGES[1:3])))
    assert found["verdict"] == verdict
    assert ("unknown answers" in found["reason"]) == (verdict == "cannot say")


def test_no_mechanism_no_occasion(look):
    found = look("B02", granted([True] * 4, register=papers(("甲", "plan", "2022-08-20", None))))
    assert row(found, "granted")["estimate"] == 0
    assert "no mechanism date" in row(found)["reason"] and row(found)["n"] == 0
    assert services.list_occasions(CHANGES, agencies(assessed_by_town=True), pd.NaT).empty


# --- what leaders say -------------------------------------------------------------------------------------------------

USED = ["used_proposals", "used_planning", "used_overall_management"]


def answers(**towns):
    """The rows c, d and e of the question for the three leaders of six towns: c and d used everywhere, e as given by town (else used)."""
    given = [said for town in TOWNS for said in towns.get(town, [1, 2, 98])]
    return {"L09_c": [2, 1, 2] * 6, "L09_d": [98, 98, 1] * 6, "L09_e": given}


@pytest.mark.parametrize(("towns", "bounds", "verdict"), [
    ({}, (1, 1, 1), "supported"),  # one leader who used it is enough
    ({"T02": [2, 3, 2]}, (5 / 6, 5 / 6, 5 / 6), "not supported"),  # no occasion and not used: not used
    ({"T02": [2, 3, 2], "T03": [2, 98, 2]}, (4 / 5, 4 / 6, 5 / 6), "not supported"),  # one leader of T03 does not know
    ({"T03": [2, 98, 2]}, (1, 5 / 6, 1), "cannot say"),  # of the five that are known all; T03 may not have
])  # fmt: skip
def test_rights_that_every_town_used(look, towns, bounds, verdict):
    found = look("B03", forms={"leader": leaders(**answers(**towns))})
    assert interval(found) == pytest.approx(list(bounds))
    head = row(found)
    assert (head["n"], head["verdict"], head["wave"]) == (6, verdict, "2023")


def test_towns_whose_leaders_sent_no_form_count_both_ways(look):
    """T01 to T05 sent all forms and used the rights; T06 none: 5 of 6 at least, 6 at most, so nothing is proved."""
    sent = leaders(**answers())
    found = look("B03", forms={"leader": sent[sent["town_id"] != "T06"]})
    assert interval(found) == pytest.approx([1, 5 / 6, 1])
    assert (row(found)["n"], row(found)["verdict"], row(found)["reason"]) == (6, "cannot say", "unknown answers")


def test_each_right_by_itself(tmp_path):
    rows = leaders(**answers(T02=[2, 3, 2], T03=[2, 98, 2]))
    survey = StandIn(tmp_path, {}, {"leader": rows}, TOML, towns=6).survey("leader", wave="2023")
    shares = [services.tally_use(survey, [right]).iloc[0] for right in USED]
    assert [share["estimate"] for share in shares[:2]] == [1, 1] and shares[2]["low"] == pytest.approx(4 / 6)


def test_a_town_that_failed_one_right_is_known_to_fail(look):
    given = answers(T02=[98, 98, 98]) | {"L09_c": [2, 1, 2, 2, 2, 2] + [2, 1, 2] * 4}
    found = look("B03", forms={"leader": leaders(**given)})
    assert interval(found) == pytest.approx([5 / 6] * 3)  # e unknown, but c not used


def test_leaders_answers_come_out_for_the_county_alone(look, tmp_path):
    rows = leaders(**answers(T02=[2, 2, 2]))
    assert set(look("B03", forms={"leader": rows})["place"]) == {"county"}
    two = look("B03", forms={"leader": rows[:6]})  # a county's share over two towns would tell of them
    assert np.isnan(row(two)["estimate"]) and "too few answers" in row(two)["reason"]
    survey = StandIn(tmp_path, {}, {"leader": rows}, TOML, towns=6).survey("leader", wave="2023")
    with pytest.raises(EstimateError):
        survey.by_town(lambda frame, town: pd.DataFrame({"place": sorted(set(town)), "estimate": 1.0}))


def test_leaders_who_were_not_asked_in_a_wave_leave_no_row(look):
    staff_2024 = form("staff", ["T01"] * 20, S13=[1] * 20).assign(wave="2024")
    assert look("B03", forms={"leader": leaders(**answers()), "staff": staff_2024}, wave="2024").empty


# --- appraisal --------------------------------------------------------------------------------------------------------

WEIGHTS = pd.DataFrame({"dept_id": ["K01", "K02", "K03", "K01"], "year": [2022, 2022, 2022, 2021], "town_weight": [0.4, 0.3, 0.2, 0.9],
                        "other_weight": [0.6, 0.7, 0.8, 0.1], "agency_weight": [0.4, None, None, None]})  # fmt: skip
SCORES = pd.DataFrame(
    {"dept_id": ["K01", "K02", "K03"], "year": 2022, "town_score": [70, 90, 80], "other_score": [90, 80, 84]}
)
DEPARTMENTS = pd.DataFrame({"dept_id": ["K01", "K02", "K03"], "name_zh": list("甲乙丙"), "name_en": list("ABC")})


def appraised(weights=WEIGHTS, scores=SCORES, departments=DEPARTMENTS):
    given = {"appraisal_weights": weights, "appraisal_scores": scores, "departments": departments}
    return {name: rows for name, rows in given.items() if rows is not None}


def ranked(weights=WEIGHTS, scores=SCORES):
    return services.rank_departments(services.keep_latest(weights), services.keep_latest(scores))


def test_nominal_weight(look):
    found = look("B04", appraised())
    heads = found[found["part"] == ""].set_index("place")
    assert heads["estimate"].drop("county").to_dict() == {"K01": 0.4, "K02": 0.3, "K03": 0.2}
    said = {"K01": "supported", "K02": "supported", "K03": "not supported", "county": "not supported"}
    assert heads["verdict"].to_dict() == said


def test_a_department_without_a_weight_is_unknown_and_no_failure(look):
    found = look("B04", appraised(WEIGHTS[:2]))
    assert row(found, place="K03")["verdict"] == "cannot say"
    assert (row(found)["estimate"], row(found)["n"], row(found)["verdict"]) == (1, 2, "supported")


def test_effective_weight(look):
    # towns' part 28, 27, 16 (mean 71/3); other part 54, 56, 67.2; total 82, 83, 83.2 (mean 82.7333...)
    # deviations of the part 13/3, 10/3, -23/3; of the total -11/15, 4/15, 7/15
    # sum of products (-143 + 40 - 161) / 45 = -264/45; sum of squares (121 + 16 + 49) / 225 = 186/225
    # share = -264/45 x 225/186 = -1320/186 = -7.0968: in a row of three the part runs against the total
    found = look("B04", appraised())
    assert row(found, "effective")["estimate"] == pytest.approx(-1320 / 186)
    assert row(found, "effective")["verdict"] == "not supported"
    assert ranked()["total"].tolist() == pytest.approx([82, 83, 83.2])


def test_effective_weight_of_equal_spread():
    # w = .5 for all; towns 60, 70, 80, other 70, 70, 70: all the variance of the total is the towns'
    half = WEIGHTS[:3].assign(town_weight=0.5, other_weight=0.5)
    only = ranked(half, SCORES.assign(town_score=[60, 70, 80], other_score=70))
    assert services.variance_share(only["town_part"], only["total"]) == pytest.approx(1)
    # other 80, 70, 90: parts -5, 0, 5 and 0, -5, 5; total -5, -5, 10: (25 + 50) / 150
    both = ranked(half, SCORES.assign(town_score=[60, 70, 80], other_score=[80, 70, 90]))
    assert services.variance_share(both["town_part"], both["total"]) == pytest.approx(75 / 150)
    assert services.variance_share(both["other_part"], both["total"]) == pytest.approx(75 / 150)
    flat = ranked(half, SCORES.assign(town_score=70, other_score=70))
    assert np.isnan(services.variance_share(flat["town_part"], flat["total"]))


def test_ranks_under_other_weights(look):
    table = ranked()
    assert table["rank"].tolist() == [3, 2, 1]  # 82, 83, 83.2
    assert table["rank_25"].tolist() == [1, 3, 2]  # 85, 82.5, 83
    assert table["rank_30"].tolist() == [1, 2, 3]  # 84, 83, 82.8
    assert table["rank_35"].tolist() == [2, 1, 3]  # 83, 83.5, 82.6
    found = look("B04", appraised())
    assert [row(found, f"ranks_moved_at_{w}")["estimate"] for w in (25, 30, 35)] == [3, 2, 3]


def test_equal_totals_share_a_rank():
    # .3 x 80 + .7 x 90 = .2 x 72 + .8 x 90.75 = 87, however the sum is rounded
    weights = WEIGHTS[:3].assign(town_weight=[0.3, 0.2, 0.3], other_weight=[0.7, 0.8, 0.7])
    scores = SCORES.assign(town_score=[80, 72, 10], other_score=[90, 90.75, 10])
    assert ranked(weights, scores)["rank"].tolist() == [1, 1, 3]


def test_weights_without_scores(look):
    found = look("B04", appraised(scores=None, departments=None))
    assert (found["part"] == "").sum() == 4 and np.isnan(row(found, "effective")["estimate"])
    assert np.isnan(row(found, "ranks_moved_at_25")["estimate"])  # nobody's rank is known, which is not that none moved


def test_lighter_by_those_who_compared(look):
    said = [1, 2, 2, 3, 3, 4, 4, 5, 5, 98] + [1] * 10
    found = look("B05", forms={"staff": form("staff", ["T01"] * 10 + ["T02"] * 10, S13=said)})
    towns = [row(found, place=town)["estimate"] for town in ("T01", "T02")]
    assert towns == pytest.approx([3 / 10, 1])  # 98 stays in the base
    assert row(found)["estimate"] == pytest.approx(13 / 20)  # as many listed in either town
    assert set(found["wave"]) == {"2023"}


# --- the list and the conference --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("decisions", "versions", "value", "remark", "verdict"), [
    ("refused admitted admitted refused admitted pending", "a b", 2, "", "supported"),
    ("refused admitted admitted refused admitted pending", "a a", 0, "one_version", "not supported"),
    ("admitted admitted admitted", "a b", 0, "", "not supported"),
])  # fmt: skip
def test_requests_refused(look, decisions, versions, value, remark, verdict):
    said, names = decisions.split(), versions.split()
    table = pd.DataFrame({"request_id": [f"R{k}" for k in range(len(said))], "decision": said,
                          "list_version": [*names, *[None] * (len(said) - len(names))]})  # fmt: skip
    found = look("B06", {("admissions", "2022"): table})
    head = row(found)
    assert (head["estimate"], head["verdict"]) == (value, verdict) and ("one_version" in head["remark"]) == bool(remark)
    assert (head["period"], row(found, "versions")["estimate"]) == ("", len(set(names)))
    if "pending" in said:
        assert interval(found, "refusal_rate") == pytest.approx([0.4] * 3)  # 2 of 5: the pending one is not decided


def test_a_ledger_without_versions_cannot_say(look):
    found = look(
        "B06", {"admissions": pd.DataFrame({"request_id": ["R1"], "decision": "refused", "list_version": None})}
    )
    assert "not recorded" in row(found)["reason"] and row(found)["verdict"] == "cannot say"


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


def conferred(table=CALLS, register=RULES, **cases):
    ledgers = {("calls", "2022"): table, **{(name, "2022"): rows for name, rows in cases.items()}}
    return ledgers | ({} if register is None else {"documents": register})


def test_passed_on_before_and_after(look):
    found = look("B10", conferred())
    assert interval(found) == pytest.approx([0.25] * 3)  # counted: 1 of 4
    assert (row(found)["period"], row(found)["verdict"]) == ("2022", "not supported")
    assert row(found, "before")["estimate"] == 0.75
    spread = np.sqrt(1 / 1 - 1 / 4 + 1 / 3 - 1 / 4)  # Katz: 1/k - 1/n of both
    assert interval(found, "ratio") == pytest.approx(
        [1 / 3, np.exp(-1.959964 * spread) / 3, np.exp(1.959964 * spread) / 3])  # fmt: skip
    assert row(found, "ratio")["n"] == 8


def test_none_passed_on_is_counted(look):
    none = CALLS.assign(
        returned_n=pd.array([1] * 4 + [0] * 6, dtype="Int64"), transfer_n=pd.array([0] * 10, dtype="Int64")
    )
    found = row(look("B10", conferred(none)))
    assert (found["estimate"], found["verdict"]) == (0, "supported")


def cases(*rows):
    """Conference cases from (referred on, ruled on or None, returned again)."""
    return pd.DataFrame({"case_id": [f"J{k}" for k in range(len(rows))], "referred_on": pd.to_datetime([r[0] for r in rows]),
                         "ruled_on": pd.to_datetime(pd.Series([r[1] for r in rows], dtype="str")),
                         "is_returned_after": pd.array([r[2] for r in rows], dtype="boolean")})  # fmt: skip


def test_rulings(look):
    # days to a ruling 10, 20, 30, and one open for 36 days: left 3/4, 2/4 (half: the median), 1/4
    made = cases(
        ("2022-07-01", "2022-07-11", True), ("2022-07-01", "2022-07-21", False),
        ("2022-07-01", "2022-07-31", False), ("2022-12-01", None, True),
    )  # fmt: skip
    found = look("B10", conferred(joint_conference=made))
    assert row(found, "days_to_a_ruling")["estimate"] == 20
    assert row(found, "returned_after_a_ruling")["estimate"] == pytest.approx(1 / 3)  # the open one has no ruling yet


def test_the_first_case_dates_the_conference_where_no_document_does(look):
    first = cases(("2022-08-03", None, None), ("2022-09-01", None, None))
    found = look("B10", conferred(register=None, joint_conference=first))
    assert row(found)["n"] == 2 and row(found, "before")["n"] == 6


@pytest.mark.parametrize(("table", "register", "reason"), [
    (CALLS, None, "no conference date"),
    (CALLS.assign(is_cross_duty=pd.array([None] * 10, dtype="boolean")), RULES, "not recorded"),
    (CALLS[:4], RULES, "no eligible case: no call"),  # none after
])  # fmt: skip
def test_what_cannot_be_told(look, table, register, reason):
    found = row(look("B10", conferred(table, register)))
    assert reason in found["reason"] and found["verdict"] == "cannot say"


def test_a_county_without_ledgers_says_what_lacks(tmp_path):
    rows = judged("03", StandIn(tmp_path, {}, toml=TOML, towns=6), "2023")
    said = rows[rows["place"] == "county"].set_index("claim")["reason"].to_dict()
    lacking = {"B02": "agencies", "B03": "leaders", "B04": "appraisal_weights", "B05": "staff", "B10": "calls"}
    assert {claim: said[claim] for claim in lacking} == {claim: f"no data: {name}" for claim, name in lacking.items()}
    assert (rows["part"] == "").all() and (rows["verdict"] == "cannot say").all()
