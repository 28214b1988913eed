"""Old and new structures side by side, by hand: marks, plans and their months, the quiz, practice, and the notebook that judges them."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import opened, residents, staff

from huying.measures.structure import index_practice, score_quiz
from run_notebook import StandIn, judged

WAVE = "[wave.2023]\nfrom = 2023-05-08\nto = 2023-06-02\n"
SCHEME = {"town": {"office": 7, "psu": 5}, "pilot": {"bureau": 3, "office": 5, "psu": 6}, "plaque": "文明实践"}
TOWNS = pd.DataFrame({"town_id": ["T01", "T02"], "type": ["town", "pilot"]})


def marks(town, *in_use, period="2023"):
    return pd.DataFrame(
        {
            "town_id": town,
            "old_id": "O01",
            "mark": [f"m{k}" for k in range(len(in_use))],
            "in_use": in_use,
            "period": period,
        }
    )


def of_claim(rows, claim, part=""):
    return rows[(rows["claim"] == claim) & (rows["part"] == part)].set_index("place")


# --- marks ------------------------------------------------------------------------------------------------------------


def test_the_index_is_the_mean_over_marks_that_were_found(tmp_path):
    """T01: old, both, new, one not found: (1 + .5 + 0) / 3 = .5; T02: old, old: 1; T03 was not checked."""
    check = pd.concat([marks("T01", "old", "both", "new", "none"), marks("T02", "old", "old")], ignore_index=True)
    ledgers = {("unit_check", "2023"): check.drop(columns="period")}
    rows = of_claim(judged("11", StandIn(tmp_path, ledgers), claims=["P13"]), "P13").loc[["T01", "T02", "T03"]]
    assert rows["estimate"].tolist()[:2] == [0.5, 1.0] and np.isnan(rows.loc["T03", "estimate"])
    assert rows["n"].tolist() == [3, 2, 0] and set(rows["period"]) == {"2023"}


def test_each_period_has_its_own_index_and_none_has_an_empty_one(tmp_path):
    each = {"2023": marks("T01", "old"), "2022": marks("T01", "new")}
    ledgers = {("unit_check", period): check.drop(columns="period") for period, check in each.items()}
    rows = judged("11", StandIn(tmp_path, ledgers), claims=["P13"])
    found = rows[(rows["claim"] == "P13") & (rows["part"] == "") & (rows["place"] == "T01")]
    assert found.set_index("period")["estimate"].to_dict() == {"2022": 0.0, "2023": 1.0}
    empty = {key: check.iloc[:0] for key, check in ledgers.items()}
    nothing = of_claim(judged("11", StandIn(tmp_path, empty), claims=["P13"]), "P13")
    assert set(nothing.index) == {"T01", "T02", "T03", "county"} and nothing["estimate"].isna().all()


def test_towns_that_run_on_old_marks_are_named(tmp_path):
    """T01: 1 of 4 old: .25, below the threshold of .3; T02: 3 of 10 exactly on it, which counts; T03 not checked: 1 of 2 towns."""
    check = pd.concat(
        [marks("T01", "old", "new", "new", "new"), marks("T02", *["old"] * 3, *["new"] * 7)], ignore_index=True
    )
    rows = judged("11", StandIn(tmp_path, {("unit_check", "2023"): check.drop(columns="period")}), claims=["P13"])
    told = of_claim(rows, "P13")
    assert told["verdict"].to_dict() == {
        "T01": "not supported",
        "T02": "supported",
        "T03": "cannot say",
        "county": "supported",
    }
    assert told.loc["county", "estimate"] == 0.5 and told.loc["county", "n"] == 2


# --- plans ------------------------------------------------------------------------------------------------------------


def plans(*rows):
    """Plans from (town, number or None, issued, in force)."""
    frame = pd.DataFrame(rows, columns=["town_id", "doc_no", "issued_on", "effective_on"]).assign(
        kind="plan", title="方案"
    )
    return frame.assign(
        issued_on=pd.to_datetime(frame["issued_on"]), effective_on=pd.to_datetime(frame["effective_on"])
    )


def test_a_plan_counts_with_number_and_date(tmp_path):
    papers = plans(
        ("T01", "1", "2021-12-01", "2022-01-20"),
        ("T02", None, "2021-12-01", "2022-01-20"),
        ("T03", "3", None, "2022-01-20"),
    )
    rows = of_claim(judged("11", StandIn(tmp_path, {"documents": papers}, toml=WAVE), claims=["P11", "P12"]), "P11")
    assert rows["estimate"].to_dict() == {"T01": 1, "T02": 0, "T03": 0, "county": pytest.approx(1 / 3)}
    assert rows.loc["county", "verdict"] == "not supported"


@pytest.mark.parametrize(
    ("start", "months", "verdict"),
    [
        ("2022-05-08", 12, "supported"),
        ("2022-05-09", 11, "not supported"),
        ("2022-01-20", 15, "supported"),
        ("2023-05-08", 0, "not supported"),
    ],
)
def test_months_from_entry_into_force_to_the_first_day_of_field_work(tmp_path, start, months, verdict):
    """Field work begins on 8 May 2023; a month counts when its day has come."""
    papers = plans(
        ("T01", "1", "2021-12-01", start), ("T01", "2", "2021-12-01", "2023-05-08")
    )  # the first in force counts
    rows = of_claim(
        judged("11", StandIn(tmp_path, {"documents": papers}, toml=WAVE, towns=1), claims=["P11", "P12"]), "P12"
    )
    assert rows.loc["T01", ["estimate", "verdict"]].tolist() == [months, verdict]
    assert rows.loc["county", "estimate"] == float(months >= 12)


# --- the quiz ---------------------------------------------------------------------------------------------------------


def answers(**given):
    """Answers of staff as derived variables: None is not asked, 0 and `cannot_say` are who cannot say."""
    names = ["rural_economy", "agrotech", "family_planning", "culture", "civil_affairs"]
    columns = {f"says_successor_{name}": given.get(name, [None] * len(given["town"])) for name in names}
    frame = pd.DataFrame(columns, dtype="string").assign(town=pd.array(given["town"], dtype="string"))
    numbers = {f"says_{name}": pd.array(given[name], dtype="Float64") for name in ("offices", "institutions")}
    return frame.assign(**numbers)


def test_the_quiz_is_keyed_by_the_towns_own_scheme():
    """A town has 7 offices and 5 institutions, the pilot 3 bureaus + 5 offices = 8, and 6."""
    staff_frame = answers(town=["T01", "T02", "T01", "T01"], offices=[7, 7, 0, None], institutions=[5, 6, 5, None])
    empty = pd.DataFrame({"old_id": [], "new_unit": []}, dtype="str")
    scores = score_quiz(staff_frame, empty, TOWNS, SCHEME)
    assert [None if pd.isna(score) else score for score in scores] == [1.0, 0.5, 0.5, None]


def test_several_successors_may_be_right_and_cannot_say_is_wrong():
    """O08 went to N12 and N13, O01 to none that is known: only the first is a question. Offices and institutions right: 2 of 3 at least."""
    succession = pd.DataFrame({"old_id": ["O08", "O08", "O01"], "new_unit": ["N12", "N13", None]})
    people = answers(
        town=["T01"] * 4,
        offices=[7] * 4,
        institutions=[5] * 4,
        rural_economy=["N13", "N14", "cannot_say", None],
        agrotech=["N12"] * 4,
    )
    assert score_quiz(people, succession, TOWNS, SCHEME).tolist() == pytest.approx([1, 2 / 3, 2 / 3, 1])


def test_who_overrates_what_they_know(tmp_path):
    """Of ten staff four say that they know the reform well, and three of these score 1 of 2, below .6."""
    rows = staff(["T01"] * 10, S07a=[7] * 10, S07b=[5] + [4] * 9, S08=[5, 4, 4, 5] + [2] * 6)
    known = judged("11", opened(tmp_path, {"staff": [rows]}, 1), "2023", claims=["P15"])
    assert of_claim(known, "P15").loc["T01", "estimate"] == pytest.approx((1 + 9 * 0.5) / 10)
    assert of_claim(known, "P15", "overrates").loc["T01", "estimate"] == pytest.approx(0.3)


# --- practice ---------------------------------------------------------------------------------------------------------


def two_surveys(folder, first, plates, daily, size=24, n_staff=12):
    people = residents(["T01"] * size, R13=[1] * size, R15=first, R19=plates, villages=4)
    rows = staff(["T01"] * n_staff, S09=daily, S10_a=[1] * n_staff, S10_b=[2] * n_staff)
    return opened(folder, {"resident": [people], "staff": [rows]}, 1)


def test_practice_is_the_mean_of_four_shares(tmp_path):
    """First to the centre or a new unit 12 of 24, new plates 6 of 24, the new structure by day 9 of 12, names that are new 1 of 2."""
    county = two_surveys(tmp_path, [2, 3, 1, 1] * 6, [1, 2, 3, 2] * 6, [1, 2, 2, 5] * 3)
    practice = index_practice(county.survey("resident"), county.survey("staff")).set_index("place")
    assert practice["estimate"].tolist() == pytest.approx([(0.5 + 0.25 + 0.75 + 0.5) / 4] * 2)
    assert practice.loc["T01", "n"] == 24 and practice.loc["T01", "low"] < 0.5 < practice.loc["T01", "high"]


def test_the_two_surveys_are_independent(tmp_path):
    """Variances add; degrees of freedom by Welch, between the smaller and the sum of the two."""
    county = two_surveys(tmp_path, [2, 1, 1] * 8, [1, 2, 3, 2, 2] * 4 + [1] * 4, [1, 2, 5] * 4)
    people, workers = county.survey("resident"), county.survey("staff")
    own = [
        people.combine({"went_new_first": 0.25, "saw_new_plate": 0.25}),
        workers.combine({"runs_new": 0.25, "names_new": 0.25}),
    ]
    one, two = (rows.set_index("place").loc["T01"] for rows in own)
    both = index_practice(people, workers).set_index("place").loc["T01"]
    assert both["se"] == pytest.approx(np.hypot(one["se"], two["se"])) and both["estimate"] == pytest.approx(
        one["estimate"] + two["estimate"]
    )
    assert min(one["df"], two["df"]) <= both["df"] <= one["df"] + two["df"]


def test_a_town_where_one_survey_is_too_small_has_no_practice(tmp_path):
    county = two_surveys(tmp_path, [2, 1] * 12, [1, 2] * 12, [1, 2, 5], n_staff=3)
    row = index_practice(county.survey("resident"), county.survey("staff")).set_index("place").loc["T01"]
    assert np.isnan(row["estimate"]) and row["reason"] == row["reliability"] == "too few answers"


def test_the_gap_is_what_paper_claims_beyond_practice(tmp_path):
    """The roster meets three of four prescriptions (no plaque), practice is .5: gap .25, its interval practice's own turned round."""
    county = two_surveys(tmp_path, [2, 3, 1, 1] * 6, [1, 2, 3, 2] * 6, [1, 2, 2, 5] * 3)
    units = [("office", None)] * 7 + [("psu", 1)] * 5
    roster = pd.DataFrame({"town_id": "T01", "unit_id": [f"N{k:02d}" for k in range(12)], "name": "文体中心", "class": [c for c, _ in units],
                           "domain": "d", "welfare_class": pd.array([w for _, w in units], dtype="Int64"), "plaque": None})  # fmt: skip
    county.cleaned.ledgers["org_roster", ""] = roster.astype({"plaque": "str"}).assign(plaque=None)
    practice = index_practice(county.survey("resident"), county.survey("staff")).set_index("place").loc["T01"]
    row = of_claim(judged("11", county, "2023", claims=["P18"]), "P18").loc["T01"]
    assert row["estimate"] == pytest.approx(0.25)
    assert [row["low"], row["high"]] == pytest.approx([0.75 - practice["high"], 0.75 - practice["low"]])
