import numpy as np
import pandas as pd
import pytest

from huying.claims import house_claims
from huying.codebook import TYPES, WHY_MISSING, holds, house_codebook, names_in, parse_codebook
from huying.errors import CountyError

BOOK = house_codebook()


def item(name="Q1", more="", kind="single"):
    return f'[[item]]\nid = "{name}"\nform = "resident"\ntype = "{kind}"\nzh = "问"\nen = "Ask"\n{more}\n'


# --- the house's questionnaire ----------------------------------------------------------------------------------------


def test_seventy_items_in_four_forms():
    sizes = {form: len(BOOK.form(form)) for form in ("resident", "staff", "leader", "department")}
    assert sizes == {"resident": 27, "staff": 23, "leader": 14, "department": 6}  # 27 + 23 + 14 + 6 = 70
    assert len(BOOK.items) == 70


@pytest.mark.parametrize("one", BOOK.items.values(), ids=lambda i: i.id)
def test_every_item_is_sound(one):
    assert one.type in TYPES
    assert one.text.zh and one.text.en
    codes = [option.code for option in one.options]
    assert len(set(codes)) == len(codes)
    assert set(one.missing.values()) <= set(WHY_MISSING)
    assert set(one.exclusive) <= set(codes) and set(one.fill_in) <= set(codes)
    assert bool(one.rows) == one.is_matrix
    if one.type in ("single", "multi", "matrix_single"):
        assert codes or one.options_from
    if one.is_matrix:
        assert set(one.attention) | set(one.reverse) | set(one.decoy) <= {row for row, _ in one.rows}
    assert len(one.variables) == (len(one.rows) if one.is_matrix else len(codes) if one.type == "multi" else 1)
    rows = [row for row, _ in one.rows] or [""]
    for rule in (one.asked_if, one.ends_if):
        for row in rows:
            names = [name.replace("*", row) for name in names_in(rule)]
            holds(
                rule,
                pd.DataFrame(
                    {name: [1.0] for name in names} | {v: [1.0] for i in BOOK.items.values() for v in i.variables}
                ),
                row,
            )


def test_variables_are_one_of_a_kind():
    names = [name for one in BOOK.items.values() for name in one.variables]
    assert len(set(names)) == len(names)
    for one in BOOK.items.values():
        assert {BOOK.item_of(name).id for name in (*one.variables, *one.cells)} == {one.id}


def test_claims_of_items_are_ids():
    """An item may serve a claim that is not yet tested, but it writes its id."""
    named = {claim for one in BOOK.items.values() for claim in one.claims}
    assert named & set(house_claims())
    assert all(name[0].isupper() and name[1:].isdigit() for name in named)


def test_cells_and_variables():
    book = parse_codebook(
        item("M", 'options = [{code = 3, zh = "三", en = "three"}, {code = 97, zh = "其他", en = "other"}]', "multi")
        + item("X", 'rows = [{id = "a", zh = "甲", en = "a"}, {id = "b_core", zh = "乙", en = "b"}]', "matrix_scale")
        + item("S")
    )
    assert (book.items["M"].variables, book.items["M"].cells) == (("M_3", "M_97"), ("M",))
    assert book.items["X"].variables == book.items["X"].cells == ("X_a", "X_b_core")
    assert (book.items["S"].variables, book.items["S"].cells) == (("S",), ("S",))
    assert [book.item_of(name).id for name in ("M_97", "X_a", "S")] == ["M", "X", "S"]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (item(kind="choice"), "item Q1: choice is not known"),
        (item(more='wording = "x"'), "item Q1: wording is not known"),
        (item(more='missing = {98 = "forgot"}'), "item Q1"),
        (item() + item(more="optional = true"), "these item ids occur twice: Q1."),
        (item() + item(), "these item ids occur twice: Q1."),
        (item(more='asked_if = "Q9 = 1"'), "Q1: the rule 'Q9 = 1' speaks of Q9"),
        (item(more='ends_if = "Q1 = 1 and Q8_a = 2"'), "speaks of Q8_a"),
    ],
)
def test_a_codebook_that_contradicts_itself(toml, said):
    with pytest.raises(CountyError) as caught:
        parse_codebook(toml)
    assert said in str(caught.value)


def test_one_language_is_not_enough():
    with pytest.raises(ValueError, match="item Q1: a text needs both zh and en"):
        parse_codebook('[[item]]\nid = "Q1"\nform = "resident"\ntype = "single"\nzh = "问"\n')


# --- rules ------------------------------------------------------------------------------------------------------------

ANSWERS = pd.DataFrame(
    {"Q1": [1, 2, 3, None], "Q2": [3, 2, 1, 2], "Q3_a": [1, 0, 1, 0], "Q3_b": [0, 1, None, 1]}
).astype("Int64")


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("", "1111"),  # no rule asks everybody
        ("Q1 = 2", "0100"),  # the fourth did not answer: no comparison holds
        ("Q1 != 2", "1010"),
        ("Q1 < 2", "1000"),
        ("Q1 <= 2", "1100"),
        ("Q1 > 2", "0010"),
        ("Q1>=2", "0110"),
        ("Q1 in 1,3", "1010"),
        ("Q1 in 1, 3", "1010"),
        ("Q1 not in 1,3", "0100"),
        ("Q1 <= Q2", "1100"),  # 1<=3, 2<=2, not 3<=1, missing
        ("Q2 != Q1", "1010"),
        ("Q1 >= 2 and Q2 = 2", "0100"),
        ("Q1 = -99", "0000"),
    ],
)
def test_rules(rule, wanted):
    got = holds(rule, ANSWERS)
    assert got.dtype == np.bool_
    assert "".join(str(int(v)) for v in got) == wanted


@pytest.mark.parametrize(("row", "wanted"), [("a", "1010"), ("b", "0101")])
def test_a_rule_about_the_row_of_a_matrix(row, wanted):
    assert "".join(str(int(v)) for v in holds("Q3_* = 1", ANSWERS, row)) == wanted


@pytest.mark.parametrize("rule", ["Q1", "Q1 ~ 2", "= 2", "Q1 is 2"])
def test_a_rule_that_cannot_be_read(rule):
    with pytest.raises(CountyError, match="cannot be read"):
        holds(rule, ANSWERS)


def test_names_in():
    assert names_in("Q1 = 1 and Q3_* in 1,2") == ["Q1", "Q3_*"]
    assert names_in("") == []
