import tomllib
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from huying.claims.declared import house_claims
from huying.codebook import RESERVED, TYPES, WHY_MISSING, holds, house_codebook, names_in, parse_codebook
from huying.words import CountyError, EstimateError, Place

BOOK = house_codebook()
RAW = tomllib.loads(files("huying").joinpath("data/codebook.toml").read_text("utf-8"))["item"]


def item(name="Q1", more="", kind="single"):
    return f'[[item]]\nid = "{name}"\nform = "resident"\ntype = "{kind}"\nzh = "问"\nen = "Ask"\n{more}\n'


# --- the house's questionnaire ----------------------------------------------------------------------------------------


def test_seventy_items_in_four_forms():
    sizes = {form: len(BOOK.form(form)) for form in ("resident", "staff", "leader", "department")}
    assert sizes == {"resident": 27, "staff": 23, "leader": 14, "department": 6}  # 27 + 23 + 14 + 6 = 70
    assert len(BOOK.items) == 70


def unsound(one):
    """What is wrong with an item."""
    codes, rows = [option.code for option in one.options], [row for row, _ in one.rows]
    n_variables = len(rows) if one.is_matrix else len(codes) if one.type == "multi" else 1
    holds_so = {
        "type": one.type in TYPES,
        "text": all(one.text),
        "codes": len(set(codes)) == len(codes) and set(one.exclusive) | set(one.fill_in) <= set(codes),
        "options": bool(codes or one.options_from) or one.type not in ("single", "multi", "matrix_single"),
        "missing": set(one.missing.values()) <= set(WHY_MISSING),
        "rows": bool(rows) == one.is_matrix,
        "noted rows": not one.is_matrix or set(one.attention) | set(one.reverse) | set(one.decoy) <= set(rows),
        "variables": len(one.variables) == n_variables,
    }
    return [name for name, is_so in holds_so.items() if not is_so]


def test_every_item_is_sound():
    assert {key: unsound(one) for key, one in BOOK.items.items() if unsound(one)} == {}


def test_every_rule_can_be_asked():
    variables = {name: [1.0] for one in BOOK.items.values() for name in one.variables}
    for one in BOOK.items.values():
        for rule in (one.asked_if, one.ends_if):
            for row in [row for row, _ in one.rows] or [""]:
                named = {name.replace("*", row): [1.0] for name in names_in(rule)}
                holds(rule, pd.DataFrame({**named, **variables}), row)


def test_variables_are_one_of_a_kind():
    names = [name for one in BOOK.items.values() for name in one.variables]
    assert len(set(names)) == len(names)


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


OPTIONS = 'options = [{{code = 1, key = "{}", zh = "一", en = "one"}}, {{code = 2, key = "{}", zh = "二", en = "two"}}]'
# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (item(kind="choice"), "row 4: type: expected"),
        (item(more='wording = "x"'), "row 7: unknown key wording"),
        (item(more='missing = {98 = "forgot"}'), "row 7: 98: expected"),
        (item() + item("Q2", more="max_choices = 0"), "row 14: max_choices: expected a whole number from 1"),
        (item(more="range = [1, 2, 3]"), "row 7: range: expected two in square brackets"),
        (item(more="optional = 1"), "row 7: optional: expected true or false"),
        (item(more="exclusive = [9]"), "row 7: Q1: exclusive speaks of 9"),
        (item(more="attention = {a = 1}"), "row 7: Q1: attention speaks of a"),
        (item(more=OPTIONS.format("x", "y").replace("code = 2", "code = 1")), "Q1: options speaks of 1"),
        (item() + item("Q2", more='asked_if = "Q1 == 1"'), "row 14: the rule “Q1 == 1” cannot be read at “=”"),
        (item() + item("Q2", more='asked_if = "Q1 in"'), "row 14: "),
        (item() + item("Q2", more='asked_if = "(Q1 = 1"'), "row 14: "),
        (item() + item("Q2", more='asked_if = "mean of Q1"'), "row 14: "),
        (item(more='asked_if = "Q2 = 1"') + item("Q2"), "the rule 'Q2 = 1' speaks of Q2, which is not asked before it"),
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
    with pytest.raises(CountyError, match=r"row 1: \[item\] lacks the key en"):
        parse_codebook('[[item]]\nid = "Q1"\nform = "resident"\ntype = "single"\nzh = "问"\n')


# --- names ------------------------------------------------------------------------------------------------------------

ROWS = 'rows = [{{id = "a", name = "{}", zh = "甲", en = "a"}}, {{id = "b", name = "{}", zh = "乙", en = "b"}}]'


def test_everything_in_the_house_has_a_name_of_its_own():
    written = [(raw["name"], [o["key"] for o in raw.get("options", [])], {r["id"]: r["name"] for r in raw.get("rows", [])})
               for raw in RAW]  # fmt: skip
    items = [BOOK.items[raw["id"]] for raw in RAW]
    assert written == [(item.name, [o.key for o in item.options], item.row_names) for item in items]


@pytest.mark.parametrize("form", ["resident", "staff", "leader", "department"])
def test_columns_are_one_of_a_kind(form):
    columns = [name for one in BOOK.form(form) for name in one.columns]
    assert len(set(columns)) == len(columns)
    assert not set(columns) & set(RESERVED)
    for one in BOOK.form(form):
        assert len(one.columns) == len(one.variables)


def test_reasons_not_to_answer_have_one_key_each():
    """Who does not know says `cannot_say`, who refuses `refused`, whatever else `other`, in every item."""
    for one in BOOK.items.values():
        keys = {option.code: option.key for option in one.options}
        why = {keys[code]: reason for code, reason in one.missing.items() if code in keys}
        assert all((key == "cannot_say") == (reason == "does_not_know") for key, reason in why.items()), one.id
        assert all((key == "refused") == (reason == "refused") for key, reason in why.items()), one.id
        assert all(keys[code] == "other" for code in one.fill_in), one.id


def test_what_a_column_is_of_its_item():
    book = parse_codebook(
        item("Q1", f'name = "heard"\n{OPTIONS.format("read", "told")}')
        + item("Q2", f'name = "source"\n{OPTIONS.format("paper", "friends")}', "multi")
        + item("Q3", f'name = "knows"\n{ROWS.format("old_unit", "new_unit")}', "matrix_single")
    )
    assert book.items["Q1"].columns == ("heard",)
    assert book.items["Q2"].columns == ("source_paper", "source_friends")
    assert book.items["Q3"].columns == ("knows_old_unit", "knows_new_unit")
    assert [book.items["Q2"].parts[1], book.items["Q3"].parts[1]] == [
        ("Q2_2", "source_friends", book.items["Q2"].options[1]),
        ("Q3_b", "knows_new_unit", "b"),
    ]


def test_without_names_the_ids_stand_for_them():
    book = parse_codebook(
        item("M", 'options = [{code = 3, zh = "三", en = "three"}, {code = 97, zh = "其他", en = "other"}]', "multi")
        + item("X", 'rows = [{id = "a", zh = "甲", en = "a"}, {id = "b_core", zh = "乙", en = "b"}]', "matrix_scale")
        + item("Y", 'rows = [{id = "1", zh = "甲", en = "a"}, {id = "10", zh = "乙", en = "b"}]', "matrix_single")
        + item("S07a")
    )
    columns = [one.columns for one in book.items.values()]
    assert columns == [("m_o3", "m_o97"), ("x_a", "x_b_core"), ("y_r1", "y_r10"), ("s07a",)]


def test_two_forms_may_have_the_same_names():
    both = item("Q1", 'name = "agree"') + item("Q2", 'name = "agree"').replace("resident", "staff")
    assert [one.columns for one in parse_codebook(both).items.values()] == [("agree",), ("agree",)]


@pytest.mark.parametrize(
    ("toml", "en", "zh"),
    [
        (item(more='name = "Heard"'), "Q1: 'Heard' cannot be a name", "Q1：“Heard”不能用作名称"),
        (item(more='name = "2nd"'), "Q1: '2nd' cannot be a name", "Q1：“2nd”不能用作名称"),
        (item(more='name = "heard reform"'), "Q1: 'heard reform' cannot be", "Q1：“heard reform”不能"),
        (item(more='name = "听说"'), "Q1: '听说' cannot be", "Q1：“听说”不能"),
        (item(more='name = "mean"'), "Q1: 'mean' cannot be", "Q1：“mean”不能"),  # `mean of …` is a rule
        (item(more="name = 5"), "row 7: name: expected one line of text", "第 7 行：name 应为"),
        (item("问1"), "问1: '问1' cannot be", "问1：“问1”不能"),  # no name, and the id will not do
        (item(more=OPTIONS.format("yes", "not")), "Q1: 'not' cannot be", "Q1：“not”不能"),
        (item(more=ROWS.format("a", "b-core"), kind="matrix_single"), "Q1: 'b-core' cannot be", "Q1：“b-core”不能"),
        (item(more=OPTIONS.format("yes", "yes")), "Q1: the name 'yes' is taken already, in Q1", "名称“yes”已在 Q1 中"),
        (item(more=ROWS.format("a", "a"), kind="matrix_scale"), "Q1: the name 'a' is taken already", "“a”已在 Q1 中"),
        (
            item("Q1", 'name = "heard"') + item("Q2", 'name = "heard"'),
            "Q2: the name 'heard' is taken already, in Q1",
            "Q2：名称“heard”已在 Q1 中用过",
        ),
        (item("Q1") + item("q1"), "q1: the name 'q1' is taken already, in Q1", "q1：名称“q1”已在 Q1 中用过"),
        (
            item("Q1", f'name = "learned"\n{OPTIONS.format("early", "late")}', "multi")
            + item("Q2", 'name = "learned_late"'),
            "Q2: the name 'learned_late' is taken already, in Q1",
            "Q2：名称“learned_late”已在 Q1 中用过",
        ),
        (
            item("Q1", 'name = "knows_a"') + item("Q2", f'name = "knows"\n{ROWS.format("a", "b")}', "matrix_single"),
            "Q2: the name 'knows_a' is taken already, in Q1",
            "Q2：名称“knows_a”已在 Q1 中用过",
        ),
        (item(more='name = "town"'), "Q1: the frame itself has a column 'town'", "Q1：列名“town”由数据表自己使用"),
        (
            item(more=f'name = "age"\n{OPTIONS.format("group", "exact")}', kind="multi"),
            "Q1: the frame itself has a column 'age_group'",
            "Q1：列名“age_group”由数据表自己使用",
        ),
    ],
)
def test_names_that_are_refused(toml, en, zh):
    with pytest.raises(CountyError) as caught:
        parse_codebook(toml, Place("codebook.toml"))
    for lang, said in (("en", en), ("zh", zh)):
        line = caught.value.say(lang)
        assert said in line and line.startswith("codebook.toml") and "\n" not in line


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


@pytest.mark.parametrize("rule", ["Q1 ~ 2", "= 2", "Q1 is 2"])
def test_a_rule_that_cannot_be_read(rule):
    with pytest.raises(EstimateError, match="cannot be read"):
        holds(rule, ANSWERS)


def test_names_in():
    assert names_in("Q1 = 1 and Q3_* in 1,2") == ["Q1", "Q3_*"]
    assert names_in("") == []
