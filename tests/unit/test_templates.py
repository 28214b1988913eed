import datetime as dt
import re
from dataclasses import replace
from functools import cache, partial

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from huying.clean.cells import Matcher
from huying.clean.intake import Intake
from huying.clean.ledgers import clean_ledger
from huying.codebook import house_codebook
from huying.folder import read_county
from huying.kinds import Choice, Flag, Instant, Number, Whole
from huying.ledgers import TABLES, no_rejects
from huying.sources.table import RawTable, drop_personal, read_table
from huying.templates import snippet, write_templates
from huying.words import LANGUAGES, Place, all_words

HEAD = '[county]\nid = "x"\nname_zh = "某县"\nname_en = "X"\nsampling = "quota"\nis_synthetic = true\n'
REGISTERS = (
    '\n[[ledger]]\ntable = "towns"\nfile = "towns.csv"\n\n[[ledger]]\ntable = "departments"\nfile = "departments.csv"\n'
)
TOWNS = Matcher({"W1": ["东镇", "East Town"], "W2": ["西街道", "West, Old Subdistrict"]})
PLACES = {"town": TOWNS, "dept": Matcher({"D1": ["民政局", "Civil Affairs"], "D2": ["水务局", "Water"]})}
KNOWN = {"org_map": {"O01"}, "towns": {"W1", "W2"}}
OUTSIDE = {Whole: lambda kind: (kind.low - 1, kind.high + 1, "三"), Number: lambda kind: (kind.low - 0.5, kind.high + 0.5, "三成"),
           Instant: lambda kind: (dt.datetime(1989, 12, 31), dt.datetime(2100, 1, 2), "9月30日")}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The templates in each language of a county with two towns and two departments."""
    county = tmp_path_factory.mktemp("county")
    (county / "county.toml").write_text(HEAD + REGISTERS, "utf-8")
    (county / "towns.csv").write_text(
        "镇街编号,镇街名称,英文名称,类型,常住人口,成年人口,村(社区)数\nW1,东镇,East Town,镇,100,80,2\nW2,西街道,\"West, Old Subdistrict\",街道,100,80,2\n", "utf-8")  # fmt: skip
    (county / "departments.csv").write_text(
        "部门编号,部门名称,英文名称\nD1,民政局,Civil Affairs\nD2,水务局,Water\n", "utf-8"
    )
    for lang in LANGUAGES:
        assert [file.stem for file in write_templates(read_county(county), county / lang, lang)] == list(TABLES)
    return {lang: county / lang for lang in LANGUAGES}


def sheet_of(name, lang):
    return re.search(r'sheet = "(.*)"', snippet(TABLES[name], "x.xlsx", lang))[1]


book_of = cache(openpyxl.load_workbook)  # nobody writes into one


def read(folders, name, lang):
    """The sheet that the snippet names, as `check` reads it; the same table every time."""
    return read_once(folders[lang] / f"{name}.xlsx", sheet_of(name, lang))


@cache
def read_once(file, sheet):
    raw = drop_personal(read_table(file, sheet=sheet))
    assert not raw.dropped
    return raw


def clean(name, raw):
    return clean_ledger(TABLES[name], raw, PLACES, known=KNOWN)


def clean_all(name, text, raw):
    """Variants of the example row cleaned at once: that they repeat one another's key is no fault."""
    table = replace(TABLES[name], key=())
    return clean_ledger(table, RawTable(text, raw.place, "xlsx", no_rejects()), PLACES, known=KNOWN)


def stacked(rows):
    """Variants of one row as the lines of one file."""
    return pd.concat(rows).set_axis(range(2, len(rows) + 2))


def guards(folders, name, lang):
    """By column: whether the template lets a value into the first row, as Excel evaluates its validation there."""
    book = book_of(folders[lang] / f"{name}.xlsx")
    sheet = book[sheet_of(name, lang)]
    by_letter = {str(guard.sqref).split("2:")[0]: guard for guard in sheet.data_validations.dataValidation}
    assert all(guard.showErrorMessage and guard.error and guard.errorStyle == "stop" for guard in by_letter.values())
    return {column.name: partial(allows, book, sheet, by_letter.get(cell.column_letter))
            for column, cell in zip(TABLES[name].columns, sheet[1], strict=True)}  # fmt: skip


def allows(book, sheet, guard, value):
    if value is None:
        return guard is None or bool(guard.allow_blank)
    if guard is None:
        return True
    if guard.type == "list":
        page, cells = guard.formula1.split("!")
        return value in [cell.value for (cell,) in book[page][cells.replace("$", "")]]
    if guard.type == "textLength":
        return int(guard.formula1) <= len(str(value)) <= int(guard.formula2)
    number = serial(value)
    if isinstance(number, str) or (guard.type == "whole" and number != int(number)):
        return False
    return limit(sheet, guard.formula1) <= number <= limit(sheet, guard.formula2)


def serial(value):
    """A day as Excel counts it: day 1 is 1900-01-01, and 1900 a leap year by its error."""
    return (value - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1) if isinstance(value, dt.datetime) else value


def limit(sheet, formula):
    """A limit, the few functions in it evaluated; Excel's MAX and MIN pass over cells without a number."""
    cells = {found: serial(sheet[found.replace("$", "")].value) for found in re.findall(r"\$[A-Z]+2", formula)}
    code = re.sub(r"\$([A-Z]+)2", r"c_\1", formula).replace('=""', " is None")
    names = {f"c_{found[1:-1]}": value for found, value in cells.items()}

    def numbers(pick):
        return lambda *values: pick(value for value in values if isinstance(value, int | float))

    return eval(code, {"MAX": numbers(max), "MIN": numbers(min), "IF": lambda a, b, c: b if a else c, **names})


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", TABLES)
def test_the_template_as_written_is_one_row_kept(folders, name, lang):
    raw = read(folders, name, lang)
    done = clean(name, raw)
    assert (len(done.kept), len(done.rejected), len(done.flags)) == (1, 0, 0)
    assert done.kept.notna().sum(axis=1).iloc[0] == sum(bool(example) for example in TABLES[name].example)
    if "town" in TABLES[name].by_name:
        assert list(done.kept["town_id"]) == ["W1"]
    assert list(raw.text.columns) == [column.title(lang) for column in TABLES[name].columns]


@pytest.mark.parametrize("name", TABLES)
def test_what_check_refuses_the_template_forbids(folders, name):
    raw, may = read(folders, name, "zh"), guards(folders, name, "zh")
    spoilt, columns = [], []  # the example row with one cell changed, and the title of its column
    for column in TABLES[name].columns:
        bad = [None] if not column.optional else []
        bad += (
            ["没有这一项"]
            if isinstance(column.kind, Choice | Flag) or column.name in ("town", "dept", "town_id")
            else []
        )
        bad = [
            value
            for value in bad
            if value is None or name not in ("towns", "departments") or isinstance(column.kind, Choice)
        ]
        bad += next((list(make(column.kind)) for kind, make in OUTSIDE.items() if isinstance(column.kind, kind)), [])
        for value in bad:
            assert not may[column.name](value), (column.name, value)
            shown = "" if value is None else value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
            spoilt.append(raw.text.assign(**{column.title.zh: shown}))
            columns.append(column.title.zh)
    assert len(columns) > 1
    done = clean_all(name, stacked(spoilt), raw)
    found = done.rejected.groupby(done.rejected["row"].astype(int))[["column", "level"]].agg(list).to_dict("index")
    for n, (text, column) in enumerate(zip(spoilt, columns, strict=True), 2):
        # each row once, and for the cell that was changed
        if found.get(n) != {"column": [column], "level": ["cell" if n in done.kept.index else "row"]}:
            alone = clean(
                name, RawTable(text, raw.place, "xlsx", no_rejects())
            )  # beside the others, by a rule between rows
            assert list(alone.rejected["column"]) == [column]
            assert list(alone.rejected["level"]) == ["cell" if len(alone.kept) else "row"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", TABLES)
def test_what_the_template_offers_check_accepts(folders, name, lang):
    """Every option and both limits of every column, one at a time in the example row."""
    raw, may = read(folders, name, lang), guards(folders, name, lang)
    book = book_of(folders[lang] / f"{name}.xlsx")
    options = {re.sub(r"2:.*", "", str(g.sqref)): [c.value for (c,) in book["lists"][g.formula1.split("!")[1].replace("$", "")]]
               for g in book[sheet_of(name, lang)].data_validations.dataValidation if g.type == "list"}  # fmt: skip
    rows = []
    for column, cell in zip(TABLES[name].columns, book[sheet_of(name, lang)][1], strict=True):
        offered = list(options.get(cell.column_letter, []))
        assert bool(offered) or not isinstance(column.kind, Choice | Flag)
        offered += [column.kind.low, column.kind.high] if isinstance(column.kind, Whole | Number) else []
        for value in offered:
            if isinstance(value, int | float) and TABLES[name].rules:
                continue  # another cell of the row limits it too: below
            assert may[column.name](value), (column.name, value)
            rows.append(raw.text.assign(**{cell.value: str(value)}))
    if rows:
        done = clean_all(name, stacked(rows), raw)
        for n in set(range(2, len(rows) + 2)) - set(
            done.kept.index
        ):  # beside the others, by a rule between rows: alone
            alone = clean(name, RawTable(rows[n - 2], raw.place, "xlsx", no_rejects()))
            assert len(alone.kept) == 1, alone.rejected.to_string()


def test_limits_that_follow_the_row(folders):
    """Lent 3 of 36; attended 9 of 12; reported not before the change on 2022-10-08."""
    assert [guards(folders, "quota", "zh")["borrowed_out"](n) for n in (0, 36, 37)] == [True, True, False]
    assert [guards(folders, "agencies", "zh")["meetings_attended"](n) for n in (12, 13)] == [True, False]
    reported = guards(folders, "agency_events", "zh")["reported_on"]
    assert [reported(dt.datetime(2022, 10, day)) for day in (7, 8)] == [False, True]


def test_excel_shows_days_as_days_and_keeps_text(folders):
    sheet = openpyxl.load_workbook(folders["zh"] / "admissions.xlsx")[sheet_of("admissions", "zh")]
    formats = {cell.value: sheet.cell(2, cell.column).number_format for cell in sheet[1]}
    assert formats["申请日期"] == "yyyy-mm-dd" and formats["清单版本"] == "@"  # else 2022-2 becomes a day
    assert sheet["C2"].value == dt.datetime(2022, 9, 5) and sheet.freeze_panes == "A2"
    assert sheet["A2"].fill.start_color.rgb == "FFFFF2CC"
    assert sheet.column_dimensions["F"].number_format == "@"
    painted = {str(area.sqref) for area in sheet.conditional_formatting}
    assert painted == {f"{letter}2:{letter}5000" for letter in "ABCE"}  # the required columns


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_explanations_speak_both_languages(folders, lang):
    book = openpyxl.load_workbook(folders[lang] / "quota.xlsx")
    assert book.sheetnames[1] == all_words()["templates.explanations"](lang) and book["lists"].sheet_state == "hidden"
    rows = [[cell for cell in row if cell] for row in book.worksheets[1].iter_rows(values_only=True)]
    table = TABLES["quota"]
    assert table.rows.zh in rows[0][0] and table.rows.en in rows[1][0]
    assert ["borrowed_out", "借出人数", "lent to others", "否 / no", "名 / posts"] in [row[:5] for row in rows]
    texts = {text for row in rows for text in row}
    assert {
        "“借出人数”不大于“实有人数”",
        "lent to others is at most filled",
        "“镇街 + 年度 + 编制类别”不得重复",
    } <= texts
    assert set(snippet(table, "raw/quota.xlsx", lang).splitlines()) <= texts


def test_a_day_that_follows_another_is_explained(folders):
    rows = list(openpyxl.load_workbook(folders["zh"] / "agency_events.xlsx").worksheets[1].iter_rows(values_only=True))
    assert next(row[7] for row in rows if row[0] == "reported_on") == "不早于“调整日期” / not before changed on"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("broken", [False, True])
def test_a_county_that_declares_all_templates_as_they_are_passes_check(tmp_path, lang, broken):
    """Without a register, or with one that cannot be read, the examples still agree with each other."""
    (tmp_path / "county.toml").write_text(HEAD + (REGISTERS.split("\n\n")[0] if broken else ""), "utf-8")
    (tmp_path / "towns.csv").write_bytes(b"")
    write_templates(read_county(tmp_path), tmp_path, lang)
    lines = [snippet(table, f"{name}.xlsx", lang) for name, table in TABLES.items()]
    (tmp_path / "county.toml").write_text(HEAD + "\n" + "\n".join(lines), "utf-8")
    intake = Intake(read_county(tmp_path), house_codebook())
    assert [fault.say() for fault in intake.try_all()] == []
    assert {row["file"]: (row["n_kept"], row["n_rejected"]) for row in intake.counts} == {
        f"{name}.xlsx": (1, 0) for name in TABLES
    }


JUNK = st.sampled_from(
    [
        "",
        " ",
        "?",
        "0",
        "1",
        "-1",
        "30%",
        "1.03",
        "999999999999",
        "2022-13-01",
        "45047",
        "是",
        "西街道",
        "东",
        "乙镇",
        "O77",
        "合计",
    ]
)


@settings(max_examples=80, database=None, derandomize=True)
@given(data=st.data())
def test_no_row_is_lost_whatever_is_done_to_a_template(folders, data):
    name = data.draw(st.sampled_from(list(TABLES)))
    raw = read(folders, name, "zh")
    text = pd.concat([raw.text] * data.draw(st.integers(1, 6)), ignore_index=True)
    cells = st.tuples(st.integers(0, len(text) - 1), st.integers(0, text.shape[1] - 1), JUNK)
    for row, column, junk in data.draw(st.lists(cells, max_size=12)):
        text.iloc[row, column] = junk
    text.index = range(2, len(text) + 2)
    done = clean(name, RawTable(text, Place("x.xlsx", "1"), "xlsx", no_rejects()))
    lost = done.rejected.loc[done.rejected["level"] == "row", "row"]
    assert sorted([*done.kept.index, *lost]) == list(text.index)
    assert set(done.rejected["level"]) <= {"row", "cell"}
    assert {f"clean.reason_{reason}" for reason in done.rejected["reason"]} <= set(all_words())
