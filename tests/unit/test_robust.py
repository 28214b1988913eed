"""Specification curves on small frames: what each choice does to the data, and how often the verdict stands."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import aware_of, ids, margins, residents, staff, study

from huying.claims import house_claims, judge_claim
from huying.estimates import COUNTY
from huying.problems import calls, curves, parallel, robust
from huying.problems.curves import AS_NO, AS_YES, DECLARED, LEFT_OUT
from huying.problems.facts import Found

SAME = {"claim": "P16", "place": "county", "wave": "2023", "period": ""}


def table(rows):
    """Specifications from (flags, missing, bar, verdict, is_headline)."""
    names = ["flags", "missing", "bar", "verdict", "is_headline"]
    return pd.DataFrame(rows, columns=names).assign(**SAME, weights="raked", clock="", estimate=0.4)


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


def test_the_verdict_stands_in_three_of_eight():
    row = robust.standing(table(CURVE)).iloc[0]
    assert row["share"] == pytest.approx(3 / 8) and row["n"] == 8


def test_a_place_without_a_value_is_left_out():
    assert robust.standing(table(CURVE).assign(estimate=np.nan)).empty


def test_turning_compares_specifications_that_differ_in_one_choice():
    """missing: all four AS_YES differ from their DECLARED. bar: .45 against .5 differs once of four. flags: once of four (.45)."""
    rows = robust.turning(table(CURVE))
    assert rows[["choice", "n_changed", "n_compared"]].to_numpy().tolist() == [
        ["missing", 4, 4],
        ["flags", 1, 4],
        ["bar", 1, 4],
    ]


# --- missing answers --------------------------------------------------------------------------------------------------


def test_awareness_with_missing_answers_four_ways(tmp_path):
    """20 people: 6 aware, 8 not, 4 cannot say, 2 blank. Declared 6/18; left out 6/14; as no 6/20; as yes 12/20."""
    rows = residents(["T01"] * 20, R09=[1] * 6 + [4] * 8 + [98] * 4 + [None] * 2)
    sample = study(tmp_path, {"resident": [rows]}, 1).samples["resident", "2023"]
    means = {DECLARED: np.nanmean(parallel.aware(sample))}
    means |= {
        w: np.nanmean(parallel.aware(curves.answering(sample, "R09", a)))
        for w, a in ((LEFT_OUT, None), (AS_NO, 4), (AS_YES, 1))
    }
    assert means == pytest.approx({DECLARED: 6 / 18, LEFT_OUT: 6 / 14, AS_NO: 6 / 20, AS_YES: 12 / 20})


def test_who_was_not_asked_stays_out(tmp_path):
    """4 had business: 2 to the old unit, 1 elsewhere, 1 blank; 6 had none and were not asked."""
    rows = residents(["T01"] * 10, R13=[1] * 4 + [2] * 6, R15=[1, 1, 2, None] + [None] * 6)
    rows["R15_missing"] = rows["R15_missing"].astype(object).where(rows["R13"] == 1, "skipped")
    sample = study(tmp_path, {"resident": [rows]}, 1).samples["resident", "2023"]
    hits = parallel.first_old(curves.answering(sample, "R15", 1))
    assert np.nansum(hits) == 3 and np.isfinite(hits).sum() == 4


def test_quiz_three_ways(tmp_path):
    """A town of 7 + 5. First: S07a right, S07b cannot say. Second: both blank. Left out 1, -; as no 1/2, 0; as yes 1, 1."""
    rows = staff(["T01"] * 2, S07a=[7, None], S07b=[98, None])
    made = study(tmp_path, {"staff": [rows]}, 1)
    ways = curves.quiz_ways(made, made.samples["staff", "2023"])
    nan = pytest.approx([1.0, np.nan], nan_ok=True)
    assert ways[LEFT_OUT].tolist() == nan and ways[AS_NO].tolist() == [0.5, 0.0] and ways[AS_YES].tolist() == [1.0, 1.0]
    assert ways[DECLARED].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)


def test_a_choice_that_alters_nothing_is_none():
    one, two = np.array([1.0, np.nan]), np.array([1.0, 0.0])
    assert list(curves.distinct({"a": one, "b": two, "c": one.copy()})) == ["a", "b"]


# --- weights and flags ------------------------------------------------------------------------------------------------


def test_cell_weights_by_hand(tmp_path):
    """Men 600 of 1000, young 500: cells 300, 300, 200, 200 over 6, 6, 4 and 4 people."""
    people = [(1, 30)] * 6 + [(1, 70)] * 6 + [(2, 30)] * 4 + [(2, 70)] * 4
    rows = residents(["T01"] * 20).assign(
        R04=pd.array([s for s, _ in people], dtype="Int16"), R03=pd.array([a for _, a in people], dtype="Int16")
    )
    made = study(tmp_path, {"resident": [rows]}, 1, {("margins", ""): margins(1, male=600)})
    design = curves.cell_design(made, made.samples["resident", "2023"])
    weight = dict(zip(people, design.weight, strict=True))
    # women old (4 people) are too few: they join their neighbour in the order, women young, and so all 400 go to 8
    assert weight == pytest.approx({(1, 30): 50, (1, 70): 50, (2, 30): 50, (2, 70): 50})
    assert design.weight.sum() == pytest.approx(1000)


def test_cells_of_five_stand_alone(tmp_path):
    """Men 600, young 700 of 1000: cells 420, 180, 280, 120, each over 5 people, whatever order the towns come in."""
    people = [(s, a) for s in (1, 2) for a in (30, 70) for _ in range(5)]
    columns = {"R04": [s for s, _ in people], "R03": [a for _, a in people]}
    rows = residents(["T01"] * 20).assign(**{k: pd.array(v, dtype="Int16") for k, v in columns.items()})
    made = study(tmp_path, {"resident": [rows]}, 1, {("margins", ""): margins(1, male=600, young=700)})
    weight = dict(zip(people, curves.cell_design(made, made.samples["resident", "2023"]).weight, strict=True))
    assert weight == pytest.approx({(1, 30): 84, (1, 70): 36, (2, 30): 56, (2, 70): 24})


def test_flagged_forms_are_left_out_and_kept(tmp_path):
    rows = residents(["T01"] * 20, R09=[1] * 20)
    made = study(tmp_path, {"resident": [rows]}, 1, flags=["resident2023#0", "resident2023#3"])
    assert {name: len(sample.rows) for name, sample in curves.flagged(made, "resident", "2023")} == {
        "excluded": 18,
        "kept": 20,
    }
    unflagged = study(tmp_path, {"resident": [rows]}, 1)
    assert [name for name, _ in curves.flagged(unflagged, "resident", "2023")] == ["excluded"]


# --- ledgers ----------------------------------------------------------------------------------------------------------


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


def shares(ways):
    return {way: float(np.nanmean(hit)) for way, hit in ways.items()}


def test_calls_whose_time_is_not_recorded(tmp_path):
    """B07: 6 of 10, 6 of the 8 recorded, 6, 8. B08: slips of 7 of 9 closed calls, the open one never in time: 7/10, 7/8, 7/10, 9/10."""
    made = study(tmp_path, {}, 1, {("calls", "2022"): ledger_of_calls()})
    timed = calls.timed_calls(made)
    assert shares(curves.call_ways(timed, "B07")) == pytest.approx(
        {DECLARED: 0.6, LEFT_OUT: 6 / 8, AS_NO: 0.6, AS_YES: 0.8}
    )
    assert shares(curves.call_ways(timed, "B08")) == pytest.approx(
        {DECLARED: 0.7, LEFT_OUT: 7 / 8, AS_NO: 0.7, AS_YES: 0.9}
    )
    assert shares(curves.call_ways(timed, "B09")) == pytest.approx(
        dict.fromkeys((DECLARED, LEFT_OUT, AS_NO, AS_YES), 0.9)
    )


def test_a_ledger_without_response_times_is_not_filled_in(tmp_path):
    made = study(tmp_path, {}, 1, {("calls", "2022"): ledger_of_calls().assign(responded_at=pd.NaT)})
    ways = curves.call_ways(calls.timed_calls(made), "B07")
    assert list(curves.distinct(ways)) == [DECLARED] and np.isnan(ways[DECLARED]).all()


def test_calls_have_eight_clocks_and_two_bars(tmp_path):
    """A bar of 105% is none: 8 clocks x 3 ways (as no repeats as declared) x 2 bars."""
    made = study(tmp_path, {}, 1, {("calls", "2022"): ledger_of_calls()})
    found = robust.find(made)
    rows = found.tables["specifications"]
    assert len(rows[rows["claim"] == "B07"]) == 48 and set(rows["bar"]) == {1.0, 0.95}
    assert rows.loc[rows["is_headline"], "clock"].unique().tolist() == ["next 17:30 24:00"]
    assert rows.loc[rows["is_headline"], "claim"].tolist() == ["B07", "B08", "B09"]


def marks(*cells):
    return pd.DataFrame(
        [(*cell, f"m{k}") for k, cell in enumerate(cells)], columns=["town_id", "in_use", "mark"]
    ).assign(old_id="O1")


def test_marks_not_found_count_both_ways(tmp_path):
    """T01 old, new, new, none: 1/3; as new 1/4; as old 2/4. T02 new x 4: 0. At .30 the county's share of towns: 1/2, 0, 1/2."""
    check = marks(*(("T01", v) for v in ("old", "new", "new", "none")), *[("T02", "new")] * 4)
    found = robust.find(study(tmp_path, {}, 2, {("unit_check", "2023"): check}))
    rows = found.tables["specifications"].query("bar == .3").set_index("missing")
    assert rows["estimate"].to_dict() == {DECLARED: 0.5, AS_NO: 0.0, AS_YES: 0.5}
    assert rows["verdict"].to_dict() == {DECLARED: "supported", AS_NO: "not supported", AS_YES: "supported"}
    fact = found.frame().iloc[0]
    # bars .25, .30, .35: 1/3 passes the first two; 1/4 passes .25; 1/2 all three: 6 of 9 as the headline
    assert [fact["claim"], fact["sub"], fact["period"], fact["n"]] == ["P13", "robustness", "2023", 9]
    assert fact["estimate"] == pytest.approx(6 / 9)


def test_head_changes_of_which_nobody_knows(tmp_path):
    """None 5, oral 3, unknown 2. Declared 5/8 within 5/10 and 7/10: cannot say. Left out 5/8, as no 5/10, as yes 7/10."""
    events = pd.DataFrame({"event_id": range(10), "agency_id": "A1", "town_id": "T01", "changed_on": pd.Timestamp("2022-05-05"),
                           "consulted": ["none"] * 5 + ["oral"] * 3 + ["unknown"] * 2, "consent_doc": pd.Series([None] * 10, dtype="str"),
                           "reported_on": pd.NaT})  # fmt: skip
    rows = robust.find(study(tmp_path, {}, 1, {("agency_events", ""): events})).tables["specifications"]
    at = rows[rows["bar"] == 0.5].set_index("missing")
    assert at["estimate"].to_dict() == pytest.approx({DECLARED: 5 / 8, LEFT_OUT: 5 / 8, AS_NO: 0.5, AS_YES: 0.7})
    said = {DECLARED: "cannot say", LEFT_OUT: "supported", AS_NO: "not supported", AS_YES: "supported"}
    assert at["verdict"].to_dict() == said and set(rows["place"]) == {COUNTY}


# --- all together -----------------------------------------------------------------------------------------------------


@pytest.fixture
def whole(tmp_path):
    towns, answers = aware_of([6, 12, 20, 9], 30)
    asked = [98 if k % 9 == 0 else a for k, a in enumerate(answers)]
    rng = np.random.default_rng(4)
    business = [1 if k % 2 else 2 for k in range(120)]
    first = [int(rng.integers(1, 3)) if b == 1 else None for b in business]
    people = residents(towns, R09=asked, R13=business, R15=first)
    people["R15_missing"] = people["R15_missing"].astype(object).where(people["R13"] == 1, "skipped")
    desks = [town for town in ids(4) for _ in range(10)]
    workers = staff(
        desks, S07a=[7, 6] * 20, S07b=[5, 98] * 20, S14=[4] * 40, S15=[3, 1] * 10 + [0] * 20, S16_1=[0] * 40
    )
    check = marks(*((town, v) for town in ids(4) for v in ("old", "new", "both", "none")))
    ledgers = {
        ("margins", ""): margins(4, male=520),
        ("calls", "2022"): ledger_of_calls(),
        ("unit_check", "2023"): check,
    }
    return study(tmp_path, {"resident": [people], "staff": [workers]}, 4, ledgers, flags=["resident2023#5"])


def test_the_headline_is_the_evidences_own(whole):
    rows = robust.find(whole).tables["specifications"]
    head = rows[rows["is_headline"] & (rows["place"] == COUNTY)].set_index("claim")
    facts = pd.concat([parallel.find(whole).frame(), calls.find(whole).frame()], ignore_index=True)
    assert set(head.index) == {"P13", "P15", "P16", "P17", "P32", "B07", "B08", "B09"}
    for claim, row in head.iterrows():
        own = facts[(facts["claim"] == claim) & (facts["sub"] == "")]
        judged = judge_claim(replace(house_claims()[claim], subs={}), own)
        said = judged[judged["place"] == COUNTY].iloc[0]
        assert row["verdict"] == said["verdict"] and row["estimate"] == pytest.approx(said["estimate"]), claim


def test_awareness_has_every_combination_for_every_town(whole):
    """2 flags x 3 weights x 3 ways (no blanks: as no repeats as declared) x 3 bars = 54, at four towns and the county."""
    rows = robust.find(whole).tables["specifications"].query("claim == 'P16'")
    assert rows.groupby("place").size().to_dict() == dict.fromkeys([*ids(4), COUNTY], 54)
    assert rows.groupby("place")["is_headline"].sum().eq(1).all()
    assert not rows.duplicated(["place", *robust.CHOICES]).any()


def test_robustness_is_one_fact_a_place(whole):
    facts = robust.find(whole).frame()
    assert set(facts["sub"]) == {"robustness"} and facts["estimate"].between(0, 1).all()
    assert not facts.duplicated(["claim", "place", "wave", "period"]).any()
    assert set(facts.loc[facts["claim"] == "P15", "place"]) == {COUNTY}


def test_a_county_without_data_has_no_curve(tmp_path):
    found: Found = robust.find(study(tmp_path, {}, 2))
    assert not found.facts and not found.tables
