"""Specification curves on small frames: what each choice does to the data, and how often the verdict stands."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import aware_of, ids, margins, register, residents

from huying.claims.declared import house_claims
from huying.claims.rules import judge_claim
from huying.estimates import COUNTY
from huying.measures import specifications
from huying.measures.specifications import AS_NO, AS_YES, DECLARED, LEFT_OUT
from run_notebook import StandIn, run_notebook

SAME = {"place": "county", "wave": "2023", "period": ""}
TOML = """[wave.2023]
from = 2023-05-08
to = 2023-06-02
[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06
[exclude]
flags = ["duplicate"]
"""
CURVE = [
    ("excluded", DECLARED, 0.5, "supported", True),
    ("excluded", DECLARED, 0.45, "cannot say", False),
    ("excluded", AS_YES, 0.5, "not supported", False),
    ("excluded", AS_YES, 0.45, "not supported", False),
    ("kept", DECLARED, 0.5, "supported", False),
    ("kept", DECLARED, 0.45, "supported", False),
    ("kept", AS_YES, 0.5, "not supported", False),
    ("kept", AS_YES, 0.45, "not supported", False),
]


def opened(folder, rows=None, n=1, ledgers=None, **how):
    forms = {} if rows is None else {"resident": rows}
    return StandIn(folder, {"towns": register(n), **(ledgers or {})}, forms, TOML, **how)


def table(rows):
    names = ["flags", "missing", "threshold", "verdict", "is_headline"]
    return pd.DataFrame(rows, columns=names).assign(**SAME, weights="raked", clock="", estimate=0.4)


def test_the_verdict_stands_in_three_of_eight():
    row = specifications.standing(table(CURVE)).iloc[0]
    assert row["estimate"] == pytest.approx(3 / 8) and row["n"] == 8


def test_a_place_without_a_value_is_left_out():
    assert specifications.standing(table(CURVE).assign(estimate=np.nan)).empty


def test_turning_compares_specifications_that_differ_in_one_choice():
    """missing: all four AS_YES differ from their DECLARED. threshold: .45 against .5 differs once of four. flags: once of four."""
    rows = specifications.turning(table(CURVE))
    assert rows[["choice", "n_changed", "n_compared"]].to_numpy().tolist() == [
        ["missing", 4, 4], ["flags", 1, 4], ["threshold", 1, 4]]  # fmt: skip


def ways(survey, variable):
    return specifications._ways(survey.answers.numbers(variable), specifications._silent(survey, variable))


def test_awareness_with_missing_answers_four_ways(tmp_path):
    """20 people: 6 aware, 8 not, 4 cannot say, 2 blank. Declared 6/18; left out 6/14; as no 6/20; as yes 12/20."""
    rows = residents(["T01"] * 20, R09=[1] * 6 + [4] * 8 + [98] * 4 + [None] * 2)
    survey = opened(tmp_path, rows).survey("resident", "2023")
    means = {way: np.nanmean(value) for way, value in ways(survey, "aware").items()}
    assert means == pytest.approx({DECLARED: 6 / 18, LEFT_OUT: 6 / 14, AS_NO: 6 / 20, AS_YES: 12 / 20})


def test_who_was_not_asked_stays_out(tmp_path):
    """4 had business: 2 to the old unit, 1 elsewhere, 1 blank; 6 had none and were not asked."""
    rows = residents(["T01"] * 10, R13=[1] * 4 + [2] * 6, R15=[1, 1, 2, None] + [None] * 6)
    rows["R15_missing"] = rows["R15_missing"].astype(object).where(rows["R13"] == 1, "skipped")
    hits = ways(opened(tmp_path, rows).survey("resident", "2023"), "went_old_first")[AS_YES]
    assert np.nansum(hits) == 3 and np.isfinite(hits).sum() == 4


def test_a_choice_that_alters_nothing_is_none():
    own, silent = np.array([1.0, np.nan]), np.array([False, True])
    assert list(specifications._ways(own, silent)) == [DECLARED, AS_NO, AS_YES]  # already left out
    assert list(specifications._ways(own, np.array([False, False]))) == [DECLARED]


@pytest.mark.parametrize(("sizes", "young", "expected"), [
    # men 600 of 1000, young 500: women old (4 people) are too few and join women young, so all 400 go to 8
    ({(1, 30): 6, (1, 70): 6, (2, 30): 4, (2, 70): 4}, 500, {(1, 30): 50, (1, 70): 50, (2, 30): 50, (2, 70): 50}),
    # men 600, young 700: cells 420, 180, 280, 120, each over 5 people
    (dict.fromkeys([(1, 30), (1, 70), (2, 30), (2, 70)], 5), 700, {(1, 30): 84, (1, 70): 36, (2, 30): 56, (2, 70): 24}),
])  # fmt: skip
def test_cell_weights_by_hand(tmp_path, sizes, young, expected):
    people = [person for person, n in sizes.items() for _ in range(n)]
    columns = {"R04": [s for s, _ in people], "R03": [a for _, a in people]}
    rows = residents(["T01"] * 20).assign(**{k: pd.array(v, dtype="Int16") for k, v in columns.items()})
    county = opened(tmp_path, rows, ledgers={"margins": margins(1, male=600, young=young)})
    survey = county.survey("resident", "2023")
    weight = specifications._by_cell(county, survey).weight
    order = [
        (s, a) for s, a in zip(survey.frame["sex"].map({"male": 1, "female": 2}), survey.frame["age"], strict=True)
    ]
    assert dict(zip(order, weight, strict=True)) == pytest.approx(expected)
    assert weight.sum() == pytest.approx(1000)


def test_flagged_forms_are_left_out_and_kept(tmp_path):
    rows = residents(["T01"] * 20, R09=[1] * 20)
    county = opened(tmp_path, rows, flags=["resident2023#0", "resident2023#3"])
    found = specifications._flagged(county, county.survey("resident", "2023"))
    assert {name: len(survey.frame) for name, survey in found} == {"excluded": 18, "kept": 20}
    unflagged = opened(tmp_path, rows)
    assert [name for name, _ in specifications._flagged(unflagged, unflagged.survey("resident", "2023"))] == [
        "excluded"
    ]


def test_every_combination_for_every_town(tmp_path):
    """2 flags x 3 weights x 3 ways (no blanks: as no repeats as declared) x 3 thresholds = 54, at four towns and the county."""
    towns, answers = aware_of([6, 12, 20, 9], 30)
    rows = residents(towns, R09=[98 if k % 9 == 0 else a for k, a in enumerate(answers)])
    county = opened(tmp_path, rows, 4, {"margins": margins(4, male=520)}, flags=["resident2023#5"])
    survey, claim = county.survey("resident", "2023"), house_claims()["P16"]
    made = specifications.judge_all(claim, specifications.vary_survey(county, survey, "aware"))
    assert made.groupby("place").size().to_dict() == dict.fromkeys([*ids(4), COUNTY], 54)
    assert made.groupby("place")["is_headline"].sum().eq(1).all()
    assert not made.duplicated(["place", *specifications.CHOICES]).any()
    head = made[made["is_headline"]].set_index("place")["verdict"]
    own = judge_claim(claim, survey.share("aware").assign(part="", remark="")).set_index("place")["verdict"]
    assert head.to_dict() == own.to_dict()


def ledger_of_calls():
    """Ten calls of one town on Monday 2022-03-07: answers on day 1 (6), day 9 (2), never written (2); one call still open."""
    days = ["2022-03-08"] * 6 + ["2022-03-18"] * 2 + [None] * 2
    return pd.DataFrame({
        "call_id": [f"C{k}" for k in range(10)], "town_id": "T01", "dept_id": "K01", "called_at": pd.Timestamp("2022-03-07 08:00"),
        "dispatched_at": pd.Timestamp("2022-03-07 09:00"), "responded_at": pd.to_datetime(days),
        "closed_at": pd.to_datetime(["2022-03-09"] * 9 + [None]), "feedback_at": pd.to_datetime(["2022-03-09"] * 7 + [None] * 3),
        "status": ["closed"] * 9 + ["open"], "is_cross_duty": False, "returned_n": 0, "transfer_n": 0,
        "reopened_of": pd.Series([None] * 10, dtype="str"),
    })  # fmt: skip


def answered(county):
    return specifications.vary_clock(county, county.ledger("calls"), "is_answered_on_time", "responded_at")


def test_calls_whose_answer_is_not_recorded(tmp_path):
    """6 of 10, 6 of the 8 recorded, 6, 8; as no repeats as declared. Eight clocks, of which the county's own comes first."""
    made = answered(opened(tmp_path, ledgers={("calls", "2022"): ledger_of_calls()}))
    own = made[made["clock"] == "next 17:30 24:00"].set_index("missing")["estimate"]
    assert own.to_dict() == pytest.approx({DECLARED: 0.6, LEFT_OUT: 6 / 8, AS_YES: 0.8})
    assert made["clock"].nunique() == 8 and made["clock"].iloc[0] == "next 17:30 24:00"
    judged = specifications.judge_all(house_claims()["B07"], made)
    assert len(judged) == 48 and set(judged["threshold"]) == {1.0, 0.95}  # a threshold of 105% is none


def test_a_ledger_without_response_times_is_not_filled_in(tmp_path):
    made = answered(opened(tmp_path, ledgers={("calls", "2022"): ledger_of_calls().assign(responded_at=pd.NaT)}))
    assert set(made["missing"]) == {DECLARED} and made["estimate"].isna().all()


def test_head_changes_of_which_nobody_knows(tmp_path):
    """None 10, oral 6, unknown 4. Declared 10/16 within 10/20 and 14/20: cannot say. Left out 10/16, as no 10/20, as yes 14/20."""
    consulted = ["none"] * 10 + ["oral"] * 6 + ["unknown"] * 4
    events = pd.DataFrame({"event_id": range(20), "consulted": consulted, "town_id": "T01"})
    county = opened(tmp_path, ledgers={("agency_events", "2022"): events})
    names, _ = run_notebook("31", county, claims=["P23"], draw=False)
    at = names["consulted"].query("threshold == .5").set_index("missing")
    assert at["estimate"].to_dict() == pytest.approx({DECLARED: 5 / 8, LEFT_OUT: 5 / 8, AS_NO: 0.5, AS_YES: 0.7})
    assert at["verdict"].to_dict() == {
        DECLARED: "cannot say", LEFT_OUT: "supported", AS_NO: "not supported", AS_YES: "supported"}  # fmt: skip
