"""A form for the field: its conditions against the rules of the codebook, its limits, hostile names, and villages by enumeration."""

import random
import re
from fractions import Fraction

import docx
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from xlsform_stand_in import XlsForm, holds

from huying import cli, codebook
from huying.deliver import sampling
from huying.deliver.conditions import Form
from huying.words import LANGUAGES, CountyError

LONG = "很" * 300
HOSTILE = [
    "<script>alert(1)</script>",
    "=1+1",
    LONG,
    "𪚥龘\U0001f600",
    "${x}",
    "+86",
    "a\\u000bb\\u001b[31m",
    "& ' \\\" >",
    "@SUM(1)",
    "-2+3",
]
BOOK = """
[[item]]
id = "A1"
name = "first"
form = "resident"
type = "single"
zh = "甲"
en = "A"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }, { code = 3, key = "z", zh = "三", en = "Three" }, { code = 9, key = "no", zh = "拒答", en = "Refused" }]
missing = { 9 = "refused" }
"""
RULES = """
[[item]]
id = "A1"
name = "one"
form = "resident"
type = "single"
zh = "甲"
en = "A"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }, { code = 3, key = "z", zh = "三", en = "Three" }, { code = 9, key = "no", zh = "拒答", en = "Refused" }]
missing = { 9 = "refused" }

[[item]]
id = "A2"
name = "many"
form = "resident"
type = "multi"
zh = "乙"
en = "B"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }]

[[item]]
id = "A3"
name = "amount"
form = "resident"
type = "number"
zh = "丙"
en = "C"
range = [0, 50]
missing = { 98 = "does_not_know", -1 = "refused" }
missing_from = [[900, 999]]

[[item]]
id = "A4"
name = "count"
form = "resident"
type = "whole"
zh = "丁"
en = "D"
range = [0, 50]

[[item]]
id = "A5"
name = "order"
form = "resident"
type = "ranking"
zh = "戊"
en = "E"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }, { code = 3, key = "z", zh = "三", en = "Three" }]

[[item]]
id = "A6"
name = "rows"
form = "resident"
type = "matrix_single"
zh = "己"
en = "F"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 0, key = "y", zh = "零", en = "Nought" }]
rows = [{ id = "a", zh = "甲行", en = "Row A" }, { id = "b", zh = "乙行", en = "Row B" }]

[[item]]
id = "A7"
name = "last"
form = "resident"
type = "text"
zh = "庚"
en = "G"
asked_if = "%s"
"""
CONDITIONS = [
    *("A1 = 1", "A1 != 1", "A1 in 1,9", "A1 not in 1,2", "A1 >= 2", "A1 < 1", "A1", "A1 != 7", "A2_1 = 1", "A2_1 = 0"),
    *(
        "A2_2 != 1",
        "A2_1",
        "A2_1 < 5",
        "A3 > 10",
        "A3 != 98",
        "A3 <= 50",
        "A3 in 1,2,98",
        "A3 not in 3,4",
        "A3",
        "A4 < A3",
    ),
    *(
        "A3 = A4",
        "A5_1 = 1",
        "A5_2 <= 2",
        "A5_3 > 7",
        "A6_a = 0",
        "A6_b != 1",
        "any of A6_a, A6_b = 1",
        "A6_a, A6_b = 1",
    ),
    *("A1 = 1 and A3 > 10 or A4 = 0", "A1 = 1 and (A3 > 10 or A4 = 0)", "(A1 = 2 or A2_1 = 1) and not_there"),
]


def form_of(toml, name="resident"):
    return Form(name, codebook.parse_codebook(toml).form(name))


def person(rng):
    """Answers by chance, as a form holds them and as the cleaned table does."""
    one, many = rng.choice(["", "x", "y", "z", "no"]), rng.sample(["x", "y"], rng.randint(0, 2))
    amount = rng.choice(["", "98", "-1", "950", "0", "1", "2", "3", "10", "10.5", "11", "50"])
    count, order = rng.choice(["", "0", "3", "10", "50"]), rng.sample(["x", "y", "z"], rng.randint(0, 3))
    a, b = rng.choice(["", "x", "y"]), rng.choice(["", "x", "y"])
    told = {"one": one, "many": " ".join(many), "amount": amount, "count": count, "order": " ".join(order), "rows_a": a, "rows_b": b}  # fmt: skip
    gone = amount in ("", "98", "-1", "950")
    row = {"A1": {"x": 1, "y": 2, "z": 3}.get(one), "A2_1": int("x" in many) if many else None, "A2_2": int("y" in many) if many else None, "A3": None if gone else float(amount), "A4": int(count) if count else None}  # fmt: skip
    row |= {f"A5_{n}": order.index(key) + 1 if key in order else None for n, key in enumerate("xyz", 1)}
    return told, row | {f"A6_{name}": {"x": 1, "y": 0}.get(value) for name, value in (("a", a), ("b", b))}


@pytest.mark.parametrize("rule", [rule for rule in CONDITIONS if "not_there" not in rule])
def test_a_condition_holds_for_whom_the_rule_holds(rule):
    """lxml evaluates the XPath, `codebook.holds` the rule: equal for 400 people with answers missing in every way."""
    form, rng = form_of(RULES % rule), random.Random(3)
    people = [person(rng) for _ in range(400)]
    table = pd.DataFrame([row for _, row in people], dtype="Float64")
    wanted = codebook.holds(rule, table)
    xpath = form.as_xpath(form.items[-1], "asked_if")
    assert [holds(xpath, told) for told, _ in people] == list(wanted)
    assert all(form.in_words(form.items[-1], "asked_if", lang) for lang in LANGUAGES)


def test_words_of_a_condition():
    form = form_of(RULES % "A1 = 1 and (A3 > 10 or A6_a = 0)")
    item = form.items[-1]
    assert form.in_words(item, "asked_if", "zh") == "第1题选“一”，且(第3题 > 10或第6题“甲行”一行选“零”)"
    assert (
        form.in_words(item, "asked_if", "en")
        == "question 1 is “One” and (question 3 > 10 or question 6, row “Row A”, is “Nought”)"
    )


@pytest.mark.parametrize(("rule", "named"), [("A1 = A4", "A1"), ("A4 > A1", "A1")])
def test_a_rule_that_has_no_xpath_is_named(rule, named):
    form = form_of(RULES % rule)
    with pytest.raises(CountyError) as error:
        form.as_xpath(form.items[-1], "asked_if")
    said = error.value.say("en")
    assert "A7" in said and rule in said and f"for {named} is" in said and error.value.say("zh")


# ---------------------------------------------------------------- the verb

HEAD = '[county]\nid = "x"\nname_zh = "{zh}"\nname_en = "{en}"\nsampling = "probability"\nis_synthetic = {synthetic}\n'
REGISTERS = '[[ledger]]\ntable = "towns"\nfile = "towns.csv"\n[[ledger]]\ntable = "villages"\nfile = "villages.csv"\n'


def county_in(folder, book, zh="某县", en="X", synthetic="true", village="一村"):
    folder.mkdir()
    (folder / "county.toml").write_text(HEAD.format(zh=zh, en=en, synthetic=synthetic) + REGISTERS, "utf-8")
    (folder / "towns.csv").write_text("town_id,name_zh,name_en,type\nT01,东镇,East,镇\nT02,西镇,West,镇\n", "utf-8")
    quoted = village.replace('"', '""')
    rows = [f'T0{t}V{v},T0{t},"{quoted}",{100 * v},0' for t in (1, 2) for v in range(1, 5)]
    (folder / "villages.csv").write_text(
        "village_id,town_id,name,adults,is_sampled\n" + "\n".join(rows) + "\n", "utf-8"
    )
    (folder / "codebook.toml").write_text(book, "utf-8")
    return folder


def run(folder, *more):
    return cli.main(["questionnaire", str(folder), "-o", str(folder / "out"), *more])


def hostile_book():
    """A form whose every text is hostile."""
    options = ", ".join(f'{{ code = {n}, zh = "{text}", en = "{text}" }}' for n, text in enumerate(HOSTILE, 1))
    kinds = {"single": options, "multi": options, "ranking": options, "matrix_single": options, "whole": "", "text": ""}
    items = [
        f'[[item]]\nid = "A{n}"\nname = "a{n}"\nform = "resident"\ntype = "{kind}"\nzh = "{HOSTILE[n]}"\nen = "{HOSTILE[n]}"\n'
        + (f"options = [{listed}]\n" if listed else "")
        + ("fill_in = [2]\nexclusive = [2]\n" if kind == "multi" else "")
        + (f'rows = [{{ id = "r", zh = "{HOSTILE[1]}", en = "{HOSTILE[1]}" }}]\n' if kind == "matrix_single" else "")
        for n, (kind, listed) in enumerate(kinds.items())
    ]
    return "\n".join(items)


def texts_of(file):
    paper = docx.Document(file)
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join(
        [*(p.text for p in paper.paragraphs), *cells, *(p.text for p in paper.sections[0].footer.paragraphs)]
    )


@pytest.mark.parametrize("name", HOSTILE[:4] + HOSTILE[7:])
def test_hostile_names_stay_whole_and_harmless(tmp_path, name):
    """As wording, options and rows, as the county's name and as a village's: no formula in any workbook, no text cut."""
    folder = county_in(
        tmp_path / "c", hostile_book(), *[name[:200].replace('\\"', "'")] * 2, village=name[:100].replace("\\", "")
    )
    assert run(folder) == 0
    for file in (folder / "out").glob("*.xlsx"):
        for sheet in openpyxl.load_workbook(file):
            assert [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"] == []
    form = XlsForm(folder / "out" / "resident_xlsform.xlsx")
    labels = {row["label::中文 (zh)"] for row in form.survey} | {row["label::中文 (zh)"] for row in form.choices["a0"]}
    shown = {
        text.encode().decode("unicode_escape") if "\\u" in text else text
        for text in ("=1+1", LONG, "𪚥龘\U0001f600", "+86", "@SUM(1)")
    }
    assert shown <= labels and "<script>alert(1)</script>" in labels and "$ {x}" in labels and "ab[31m" in labels
    for lang in LANGUAGES:
        printed, pasted = (
            texts_of(folder / "out" / f"resident_print_{lang}.docx"),
            (folder / "out" / f"resident_wjx_{lang}.txt").read_text("utf-8-sig"),
        )
        assert all(text in printed and text in pasted for text in (LONG, "=1+1", "<script>alert(1)</script>"))


def test_a_synthetic_county_says_so_everywhere(tmp_path):
    assert run(county_in(tmp_path / "c", BOOK)) == 0 == run(county_in(tmp_path / "d", BOOK, synthetic="false"))
    for folder, is_there in (("c", True), ("d", False)):
        out = tmp_path / folder / "out"
        said = [texts_of(file) for file in out.glob("*.docx")] + [
            file.read_text("utf-8-sig") for file in out.glob("*.txt")
        ]
        said += [XlsForm(out / "resident_xlsform.xlsx").settings[0]["form_title"]]
        said += [str(openpyxl.load_workbook(out / "sampling.xlsx")[lang]["A1"].value) for lang in LANGUAGES]
        assert [("合成数据 SYNTHETIC" in text) for text in said] == [is_there] * 7


def test_the_editions_say_the_same(tmp_path):
    """Each question has in both languages the same number, options and rules."""
    folder = county_in(tmp_path / "c", RULES % "A1 = 1 and A3 > 10")
    assert run(folder) == 0
    for kind, read in (("print", texts_of), ("wjx", lambda file: file.read_text("utf-8-sig"))):
        ending = "docx" if kind == "print" else "txt"
        both = [read(folder / "out" / f"resident_{kind}_{lang}.{ending}") for lang in LANGUAGES]
        assert len({text.count("\n") for text in both}) == 1
        assert len({tuple(re.findall(r"^\d+\. ", text, re.M)) for text in both}) == 1
    form = XlsForm(folder / "out" / "resident_xlsform.xlsx")
    for row in [*form.survey, *(choice for listed in form.choices.values() for choice in listed)]:
        for name in ("label", "constraint_message", "required_message"):
            assert bool(row.get(f"{name}::中文 (zh)")) == bool(row.get(f"{name}::English (en)"))


def test_limits_and_ends(tmp_path):
    """Codes for no answer may be written, others not; a child may be written down and then ends the form."""
    book = BOOK + """
[[item]]
id = "A2"
name = "years"
form = "resident"
type = "whole"
zh = "岁数"
en = "Age"
range = [18, 99]
missing = { -99 = "refused" }
ends_if = "A2 < 18"
role = "age"

[[item]]
id = "A3"
name = "most"
form = "resident"
type = "multi"
zh = "多选"
en = "Several"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }, { code = 3, key = "none", zh = "无", en = "None" }, { code = 4, key = "z", zh = "四", en = "Four" }]
exclusive = [3]
max_choices = 2

[[item]]
id = "A4"
name = "fewer"
form = "resident"
type = "whole"
zh = "不多于"
en = "No more"
contradicts = "A4 > A2"
"""  # fmt: skip
    folder = county_in(tmp_path / "c", book)
    assert run(folder) == 0
    rows = {row["name"]: row for row in XlsForm(folder / "out" / "resident_xlsform.xlsx").survey}
    taken = {
        value: holds(rows["years"]["constraint"], {}, value)
        for value in ("9", "10", "17", "18", "99", "100", "-99", "-98")
    }
    assert taken == {
        "9": False,
        "10": True,
        "17": True,
        "18": True,
        "99": True,
        "100": False,
        "-99": True,
        "-98": False,
    }
    several = {value: holds(rows["most"]["constraint"], {}, value) for value in ("x", "x y", "x y z", "none", "x none")}
    assert several == {"x": True, "x y": True, "x y z": False, "none": True, "x none": False}
    assert [holds(rows["most"]["relevant"], {"years": years}) for years in ("17", "18", "-99", "")] == [
        False,
        True,
        True,
        True,
    ]
    assert [holds(rows["fewer"]["constraint"], {"years": years}, "30") for years in ("20", "30", "-99", "")] == [
        False,
        True,
        True,
        True,
    ]


def fault(tmp_path, capsys, book, *more):
    """The exit code, and the one message."""
    code = run(county_in(tmp_path / "c", book), "--lang", "en", *more)
    return code, capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('name = "last"', 'name = "start"'), "A7: XLSForm uses the name 'start' itself"),
        (('asked_if = "A1 = 1"', 'contradicts = "A1 = A4"'), "A7: XLSForm cannot express the rule 'A1 = A4' (contradicts)"),
        (("range = [0, 50]\nmissing", 'range = [0, 50]\ncontradicts = "A3 > A4"\nmissing'), "speaks of A4, which comes later"),
        (('type = "text"', 'type = "dropdown"\noptions_from = "departments"'), "A7: its options are the county's list of departments"),
        (('name = "many"', 'name = "one_text"\nfill_in = [1]'), ""),
    ],
)  # fmt: skip
def test_what_cannot_be_expressed_is_said_with_item_and_rule(tmp_path, capsys, change, said):
    code, err = fault(tmp_path, capsys, (RULES % "A1 = 1").replace(*change, 1), "--form", "resident")
    assert (code, said in err, err.count("\n")) == ((2, True, 0) if said else (0, True, 0))


def test_a_form_that_cannot_be_made_does_not_keep_the_others(tmp_path, capsys):
    other = BOOK.replace('"resident"', '"staff"').replace('"A1"', '"B1"')
    code, err = fault(tmp_path, capsys, (RULES % "A1 = A4") + other)
    assert code == 1 and "not written" in err and (tmp_path / "c" / "out" / "staff_xlsform.xlsx").is_file()
    assert run(tmp_path / "c", "--lang", "en") == 2 and "not overwritten" in capsys.readouterr().err
    assert run(tmp_path / "c", "--lang", "en", "--form", "leader", "--force") == 2
    assert "no form 'leader'. It has: resident, staff" in capsys.readouterr().err


def test_a_register_with_a_rejected_row_draws_nothing(tmp_path, capsys):
    folder = county_in(tmp_path / "c", BOOK)
    with (folder / "villages.csv").open("a", encoding="utf-8") as file:
        file.write("T02V9,T02,九村,many,0\n")
    assert run(folder, "--lang", "en") == 2 and "register of villages" in capsys.readouterr().err
    assert not (folder / "out" / "sampling.xlsx").exists()


@pytest.mark.parametrize(
    "name", ["resident_xlsform.xlsx", "resident_print_en.docx", "resident_wjx_zh.txt", "sampling.xlsx"]
)
def test_a_file_that_cannot_be_written_is_named(tmp_path, capsys, name):
    """As where Word or Excel holds it on Windows: one message, and nothing half-written is left."""
    folder = county_in(tmp_path / "c", BOOK)
    (folder / "out" / name).mkdir(parents=True)
    assert run(folder, "--lang", "en", "--force") == 2
    err = capsys.readouterr().err
    assert name in err and err.count("\n") == 1 and list((folder / "out").glob(".*")) == []


# ---------------------------------------------------------------- villages


@settings(max_examples=60)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(1, 6))
def test_villages_are_drawn_with_the_probability_that_is_written_down(sizes, n):
    """By enumeration: over every interval of the start that draws alike, each unit is drawn as often as its probability says."""
    chances = sampling.inclusion(sizes, n)
    assert sum(chances) == min(n, len(sizes)) and max(chances) <= 1
    common = np.lcm.reduce([chance.denominator for chance in chances])
    counts = np.zeros(len(sizes), dtype=int)
    for k in range(int(common)):  # the draw changes at multiples of 1/common alone: its middle stands for the interval
        drawn = sampling.draw(chances, Fraction(2 * k + 1, 2 * int(common)))
        assert len(drawn) == min(n, len(sizes)) == len(set(drawn))
        counts[drawn] += 1
    assert [Fraction(int(count), int(common)) for count in counts] == chances


@pytest.mark.parametrize(
    ("sizes", "n", "wanted"),
    [
        ([100, 200, 300, 400], 2, ["1/5", "2/5", "3/5", "4/5"]),  # n·M_i/M
        ([800, 100, 50, 50], 2, ["1", "1/2", "1/4", "1/4"]),  # 2 · 800 ÷ 1000 exceeds 1; the others anew: 100 ÷ 200
        ([900, 90, 5, 5], 3, ["1", "1", "1/2", "1/2"]),  # then 2 · 90 ÷ 100 exceeds 1 too
        ([10, 20], 5, ["1", "1"]),  # fewer villages than are wanted
    ],
)
def test_certain_units(sizes, n, wanted):
    assert sampling.inclusion(sizes, n) == [Fraction(one) for one in wanted]


def test_the_sheet_and_its_weights(tmp_path):
    """A person's weight is 1 ÷ (n·M_i/M · m/M_i) = M ÷ (n m), the same for all where no village is certain; the seed decides."""
    folder = county_in(tmp_path / "c", BOOK)
    made = []
    for seed in ("5", "5", "6"):
        assert run(folder, "--force", "--villages", "2", "--people", "10", "--seed", seed) == 0
        book = openpyxl.load_workbook(folder / "out" / "sampling.xlsx")
        rows = list(book["en"].iter_rows(min_row=4, values_only=True))
        assert len(rows) == 4 and {row[1] for row in rows} == {"East", "West"}
        assert [row[5] for row in rows] == pytest.approx([2 * row[4] / 1000 for row in rows])
        assert [row[7] for row in rows] == pytest.approx([1000 / (2 * 10)] * 4)
        assert f"seed {seed}" in book["en"]["A2"].value and f"种子 {seed}" in book["zh"]["A2"].value
        made.append(rows)
    assert made[0] == made[1] != made[2]
