import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from huying.codebook import house_codebook
from huying.estimates import estimate_means, estimate_shares
from huying.folder import read_county
from huying.store import Cleaned
from huying.survey import stacked
from huying.weights import (
    analysed,
    dispositions,
    group_people,
    margin_totals,
    resident_sample,
    staff_sample,
    town_codes,
)
from huying.words import EstimateError

BOOK = house_codebook()
SEX, AGE = (next(item for item in BOOK.form("resident") if item.role == role) for role in ("sex", "age"))
TOWNS = pd.DataFrame(
    {"town_id": ["T01", "T02"], "adults": [1200, 400], "staff_listed": pd.array([10, None], dtype="Int64")}
)
MARGINS = pd.DataFrame(
    [("T01", "sex", "female", 720), ("T01", "sex", "male", 480), ("T02", "sex", "female", 200), ("T02", "sex", "male", 200),
     ("T01", "age", "60+", 600), ("T01", "age", "18-39", 600), ("T02", "age", "60+", 200), ("T02", "age", "18-39", 200)],
    columns=["town_id", "item", "category", "adults"],
)  # fmt: skip


@pytest.fixture
def county(tmp_path):
    def make(sampling="probability", exclude="[]"):
        head = f'[county]\nid = "x"\nname_zh = "甲县"\nname_en = "A"\nsampling = "{sampling}"\nis_synthetic = true\n'
        (tmp_path / "county.toml").write_text(f"{head}[exclude]\nflags = {exclude}\n", "utf-8")
        return read_county(tmp_path)

    return make


def residents(wave="2023"):
    """T01: villages of 12 and 8 answers; T02: one village of 10. In each half men and women, young and old by turns."""
    n = 30
    return pd.DataFrame(
        {
            "row_id": [f"{wave}#{i}" for i in range(n)], "wave": wave, "disposition": "complete",
            "town_id": ["T01"] * 20 + ["T02"] * 10, "village_id": ["V1"] * 12 + ["V2"] * 8 + ["V9"] * 10,
            "R03": pd.array([30, 30, 70, 70] * 7 + [30, 70], dtype="Int16"), "R04": pd.array([1, 2] * 15, dtype="Int16"),
            "R09": pd.array([1, None, 3] * 10, dtype="Int16"), "R09_missing": [None, "does_not_know", None] * 10,
        }
    )  # fmt: skip


def cleaned(*rows, flags=(), ledgers=("towns", "margins"), form="resident"):
    tables = {("towns", ""): TOWNS, ("margins", ""): MARGINS}
    return Cleaned(
        {form: pd.concat(rows, ignore_index=True)}, {key: table for key, table in tables.items() if key[0] in ledgers},
        pd.DataFrame(), pd.DataFrame(flags, columns=["row_id", "flag", "detail"]), pd.DataFrame(), "0" * 64,
    )  # fmt: skip


# --- who is analysed --------------------------------------------------------------------------------------------------


def test_analysed_are_complete_forms_of_the_wave_without_an_excluded_flag():
    rows = residents().head(5).assign(disposition=["complete", "refused", "complete", "complete", "under_age"])
    flags = [("2023#0", "duplicate", ""), ("2023#2", "speeder", "")]
    data = cleaned(rows, residents("2024"), flags=flags)
    assert analysed(data, "resident", "2023", ("duplicate",))["row_id"].tolist() == ["2023#2", "2023#3"]
    assert analysed(data, "resident", "2023", ())["row_id"].tolist() == ["2023#0", "2023#2", "2023#3"]
    assert len(analysed(data, "resident", "2024", ("duplicate",))) == 30
    assert analysed(data, "resident", "2025", ()).empty


def test_dispositions_count_every_form():
    rows = residents().head(4).assign(disposition=["complete", "complete", "refused", "complete"])
    table = dispositions(
        cleaned(rows, flags=[("2023#0", "duplicate", ""), ("2023#2", "duplicate", "")]), ("duplicate",)
    )
    assert table.set_index("ending")["n"].to_dict() == {"complete": 2, "excluded": 1, "refused": 1}
    assert table["n"].sum() == 4
    assert dispositions(cleaned(rows[:0]), ()).columns.tolist() == ["form", "wave", "town_id", "ending", "n"]


def test_a_town_that_is_not_in_the_register():
    rows = pd.DataFrame({"town_id": ["T02", "T09", "T01", "T08"]})
    with pytest.raises(EstimateError, match="not in the register: T08, T09"):
        town_codes(rows, TOWNS)
    assert town_codes(rows.iloc[[0, 2]], TOWNS).tolist() == [1, 0]


# --- groups -----------------------------------------------------------------------------------------------------------


def test_groups_of_sex_and_age():
    rows = pd.DataFrame({SEX.id: pd.array([1, 2, None], dtype="Int16")})
    assert group_people(rows, SEX, ["male", "female"]).codes.tolist() == [0, 1, -1]
    ages = pd.DataFrame({AGE.id: pd.array([17, 18, 39, 40, 59, 60, 99, None], dtype="Int16")})
    named = group_people(ages, AGE, ["18-39", "40-59", "60+"])
    assert named.codes.tolist() == [-1, 0, 0, 1, 1, 2, 2, -1]
    assert named.tolist()[1:-1] == ["18-39", "18-39", "40-59", "40-59", "60+", "60+"]


def test_margin_totals_in_natural_order():
    names, totals = margin_totals(MARGINS, TOWNS, SEX)
    assert (names, totals.tolist()) == (["male", "female"], [[480, 720], [200, 200]])
    names, totals = margin_totals(MARGINS, TOWNS, AGE)
    assert (names, totals.tolist()) == (["18-39", "60+"], [[600, 600], [200, 200]])


def renamed(**names):
    return MARGINS.assign(category=MARGINS["category"].replace(names))


@pytest.mark.parametrize(("man", "woman"), [("男", "女"), ("Male", "FEMALE")])
def test_a_margin_may_name_its_sexes_in_the_words_of_the_question(man, woman):
    names, totals = margin_totals(renamed(male=man, female=woman), TOWNS, SEX)
    assert (names, totals.tolist()) == (["male", "female"], [[480, 720], [200, 200]])


def test_ages_of_a_margin_begin_with_their_first_year():
    table = renamed(**{"18-39": "9岁至39岁", "60+": "60岁及以上"})  # in the order of years, not of texts
    names, totals = margin_totals(table, TOWNS, AGE)
    assert (names, totals.tolist()) == (["9岁至39岁", "60岁及以上"], [[600, 600], [200, 200]])


@pytest.mark.parametrize(
    ("table", "item", "named"),
    [
        (renamed(male="男性"), SEX, "男性"),
        (renamed(**{"60+": "≥60"}), AGE, "≥60"),
        (MARGINS.replace({"category": {"female": "女"}}).where(MARGINS["town_id"] == "T01", MARGINS), SEX, "女"),
        (renamed(**{"60+": "18+"}), AGE, "18-39|18\\+"),
    ],
)
def test_a_category_that_nobody_knows_or_that_has_two_names_is_named(table, item, named):
    with pytest.raises(EstimateError, match=f"no category ({named})"):
        margin_totals(table, TOWNS, item)


def test_one_margin_alone_is_met(county):
    data = cleaned(residents())
    data.ledgers["margins", ""] = MARGINS[MARGINS["item"] == "age"]
    rows, design, told = resident_sample(data, county(), BOOK, "2023")
    young = rows["age_group"].eq("18-39").to_numpy()
    assert [round(design.weight[(design.stratum == town) & young].sum()) for town in (0, 1)] == [600, 200]
    assert len(design.margins) == 1 and not told["remark"].any() and set(rows["sex_group"]) == {"male", "female"}


def test_a_margin_whose_question_nobody_asked_is_named(county):
    data = cleaned(residents())
    data.ledgers["margins", ""] = MARGINS.assign(item=MARGINS["item"].replace("sex", "schooling"))
    with pytest.raises(EstimateError, match="has margin schooling, but no question asks for it"):
        resident_sample(data, county(), BOOK, "2023")


# --- residents --------------------------------------------------------------------------------------------------------


def test_residents_without_margins_keep_their_base_weights(county):
    got = resident_sample(cleaned(residents(), ledgers=("towns",)), county(), BOOK, "2023")
    # T01: 1200 / (2 villages x 12) = 50 and 1200 / (2 x 8) = 75; T02: 400 / (1 x 10) = 40.
    assert got.design.weight.tolist() == [50] * 12 + [75] * 8 + [40] * 10
    assert got.design.stratum.tolist() == [0] * 20 + [1] * 10
    assert got.design.psu.tolist() == [0] * 12 + [1] * 8 + [2] * 10
    assert got.diagnostics["n"].tolist() == [20, 10]
    # Kish of T01: 20 x (12 x 2500 + 8 x 5625) / 1200^2 = 1.0417.
    assert got.diagnostics["kish"].tolist() == pytest.approx([1.0417, 1], abs=1e-4)


def test_residents_are_raked_to_their_towns(county):
    got = resident_sample(cleaned(residents()), county(), BOOK, "2023")
    sums = got.rows.assign(w=got.design.weight).groupby(["town_id", "R04"])["w"].sum()
    assert sums.tolist() == pytest.approx([480, 720, 200, 200])
    sums = got.rows.assign(w=got.design.weight).groupby(["town_id", "R03"])["w"].sum()
    assert sums.tolist() == pytest.approx([600, 600, 200, 200])
    assert not got.diagnostics["merged"].any()
    assert got.design.base.tolist() == [50] * 12 + [75] * 8 + [40] * 10


@pytest.mark.parametrize("sampling", ["quota", "convenience"])
@pytest.mark.parametrize("ledgers", [("towns",), ("towns", "margins")])
def test_without_known_probabilities_the_base_weight_is_one(county, sampling, ledgers):
    got = resident_sample(cleaned(residents(), ledgers=ledgers), county(sampling), BOOK, "2023")
    base = got.design.weight if got.design.base is None else got.design.base
    assert base.tolist() == [1] * 30


def test_groups_stand_beside_the_answers_by_name(county):
    got = resident_sample(cleaned(residents()), county(), BOOK, "2023").rows
    assert got["sex_group"].tolist()[:2] == ["male", "female"] and got["age_group"].tolist()[:3:2] == ["18-39", "60+"]


def test_where_no_village_of_a_town_is_known_the_psu_is_the_person(county):
    rows = residents().assign(village_id=[None] * 10 + [""] * 10 + ["V9"] * 10)
    got = resident_sample(cleaned(rows, ledgers=("towns",)), county(), BOOK, "2023")
    assert len(set(got.design.psu[:20])) == 20 and len(set(got.design.psu[20:])) == 1


def test_answers_without_a_village_are_one_psu_of_a_town_that_has_others(county):
    rows = residents().assign(village_id=["V1"] * 6 + [None] * 6 + [""] * 8 + ["V1"] * 10)
    got = resident_sample(cleaned(rows, ledgers=("towns",)), county(), BOOK, "2023")
    assert len(set(got.design.psu[6:20])) == 1
    assert len(set(got.design.psu)) == 3  # a village of the same number in the other town is another village


def test_excluded_flags_leave_the_sample(county):
    data = cleaned(residents(), flags=[("2023#0", "duplicate", "")])
    assert len(resident_sample(data, county(exclude='["duplicate"]'), BOOK, "2023").rows) == 29
    assert len(resident_sample(data, county(exclude='["duplicate"]'), BOOK, "2023", exclude=()).rows) == 30


def test_a_town_without_margins_is_named(county):
    data = cleaned(residents())
    data.ledgers["margins", ""] = MARGINS[MARGINS["town_id"] == "T01"]
    got = resident_sample(data, county(), BOOK, "2023").diagnostics.set_index("place").loc["T02"]
    assert got["remark"] == "unweighted" and got["note"].startswith("the margins file has no count")


@pytest.mark.parametrize(
    "make", [lambda d, c: resident_sample(d, c, BOOK, "2023"), lambda d, c: staff_sample(d, c, "2023")]
)
def test_no_register(county, make):
    data = cleaned(residents(), ledgers=())
    data.forms["staff"] = data.forms["resident"]
    with pytest.raises(EstimateError, match="no register of towns"):
        make(data, county())


# --- staff and waves --------------------------------------------------------------------------------------------------


def test_staff_are_a_part_of_those_listed(county):
    rows = pd.DataFrame(
        {"row_id": list("abcdef"), "wave": "2023", "disposition": "complete", "town_id": ["T01"] * 4 + ["T02"] * 2}
    )
    got = staff_sample(cleaned(rows, form="staff"), county(), "2023")
    assert got.design.weight.tolist() == [2.5] * 4 + [1] * 2  # 10 listed / 4 answers; nobody knows how many T02 lists
    assert got.design.fpc.tolist() == [10, np.inf]
    assert got.design.psu.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("listed", "weight", "population"),
    [(10, 2.5, 10), (4, 1.0, 4), (3, 1.0, np.inf), (0, 1.0, np.inf), (None, 1.0, np.inf)],
)
def test_a_list_counts_where_it_is_not_shorter_than_what_came(county, listed, weight, population):
    rows = pd.DataFrame({"row_id": list("abcd"), "wave": "2023", "disposition": "complete", "town_id": "T01"})
    data = cleaned(rows, form="staff")
    data.ledgers["towns", ""] = TOWNS.assign(staff_listed=pd.array([listed, 1], dtype="Int64"))
    got = staff_sample(data, county(), "2023")
    assert got.design.weight.tolist() == [weight] * 4 and got.design.fpc[0] == population
    assert got.diagnostics["n"].tolist() == [4, 0]
    assert got.diagnostics["remark"].tolist() == ["more_forms_than_listed" if listed in (0, 3) else "", ""]


def test_of_a_town_that_lists_one_person_and_heard_him_all_is_known(county):
    rows = pd.DataFrame({"row_id": ["a"], "wave": "2023", "disposition": "complete", "town_id": "T02"})
    data = cleaned(rows, form="staff")
    data.ledgers["towns", ""] = TOWNS.assign(staff_listed=[10, 1])
    assert staff_sample(data, county(), "2023").design.fpc.tolist() == [10, 1]


@pytest.mark.parametrize(
    ("sampling", "villages", "remarks"),
    [
        ("probability", ["V1"] * 20 + [None] * 10, ["", "as_if_at_random"]),
        ("probability", ["V1"] + [""] * 19 + ["V9"] * 10, ["", ""]),  # one village is known
        ("quota", [None] * 30, ["", ""]),  # of such a sample it is said of every interval
    ],
)
def test_where_no_village_is_known_the_town_is_as_if_drawn_at_random(county, sampling, villages, remarks):
    rows = residents().assign(village_id=villages)
    for ledgers in (("towns",), ("towns", "margins")):
        told = resident_sample(cleaned(rows, ledgers=ledgers), county(sampling), BOOK, "2023").diagnostics
        assert told["remark"].tolist() == remarks
    told = resident_sample(cleaned(rows.head(20), ledgers=("towns",)), county(sampling), BOOK, "2023").diagnostics
    assert told["remark"].tolist() == ["", ""]  # of a town without answers nothing is said


def test_given_weights_are_taken_as_they_are(county):
    rows = residents().assign(given_weight=np.arange(1.0, 31.0))
    got = resident_sample(cleaned(rows), county(), BOOK, "2023")
    assert got.design.weight.tolist() == list(range(1, 31)) and not got.design.margins


def test_a_town_whose_adults_are_not_known_leaves_no_base_weights(county):
    data = cleaned(residents(), ledgers=("towns",))
    data.ledgers["towns", ""] = TOWNS.assign(adults=[1200, None])
    assert resident_sample(data, county(), BOOK, "2023").design.weight.tolist() == [1] * 30


def test_a_survey_that_did_not_ask_for_the_town_is_one_stratum_without_a_name(county):
    rows = residents().assign(town_id=None, village_id=None)
    for ledgers in ((), ("towns", "margins")):
        got = resident_sample(cleaned(rows, ledgers=ledgers), county("quota"), BOOK, "2023")
        assert got.design.places == ("",) and got.design.weight.tolist() == [1] * 30
        assert got.diagnostics[["place", "n"]].to_numpy().tolist() == [["county", 30]]


def test_more_staff_answered_than_are_listed(county):
    rows = pd.DataFrame({"row_id": range(12), "wave": "2023", "disposition": "complete", "town_id": "T01"})
    got = staff_sample(cleaned(rows, form="staff"), county(), "2023")
    assert (got.design.fpc[0], set(got.design.weight)) == (np.inf, {1.0})
    note = got.diagnostics.loc[0, ["remark", "note"]].tolist()
    assert note[0] == "more_forms_than_listed" and note[1].startswith(
        "12 staff forms came, the register lists 10 people"
    )
    table = estimate_shares(got.design, pd.DataFrame({"y": [1.0] * 10 + [0] * 2}), fewest=5).iloc[0]
    low, high = proportion_confint(10, 12, method="beta")  # 10 of 12 of a list without end: Clopper and Pearson
    assert (table["low"], table["high"]) == (pytest.approx(low), pytest.approx(high))


def test_two_waves_share_their_villages(county):
    data = cleaned(residents(), residents("2024").assign(village_id=["V1"] * 12 + ["V3"] * 8 + ["V9"] * 10))
    first, second = (resident_sample(data, county(), BOOK, wave) for wave in ("2023", "2024"))
    names = [(s.rows["town_id"] + "/" + s.rows["village_id"]).to_numpy(dtype=object) for s in (first, second)]
    both, is_late = stacked(first.design, names[0], second.design, names[1])
    assert is_late.tolist() == [False] * 30 + [True] * 30
    assert len(set(both.psu)) == 4  # V1, V2, V3 of T01 and V9
    assert (both.psu[:12] == both.psu[30:42]).all()
    assert both.weight.tolist() == [*first.design.weight, *second.design.weight]
    assert both.prior.tolist() == [*first.design.prior, *second.design.prior]
    for margin, one, two in zip(both.margins, first.design.margins, second.design.margins, strict=True):
        assert set(margin[:30]).isdisjoint(margin[30:])  # each wave was raked on its own
        assert len(set(margin)) == len(set(one)) + len(set(two))


def test_a_town_that_lists_no_staff_and_has_no_answers_warns_of_nothing(county):
    rows = pd.DataFrame({"row_id": list("abcd"), "wave": "2023", "disposition": "complete", "town_id": "T01"})
    data = cleaned(rows, form="staff")
    data.ledgers["towns", ""] = TOWNS.assign(staff_listed=[10, 0])
    got = staff_sample(data, county(), "2023")
    table = estimate_means(got.design, pd.DataFrame({"y": [1.0, 0.0, 1.0, 1.0]}), fewest=1).set_index("place")
    assert got.design.fpc.tolist() == [10, np.inf] and table["n"].tolist() == [4, 0, 4]
