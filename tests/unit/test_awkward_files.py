"""Files as offices and programs write them: each is read rightly, or refused, or set aside, and `check` lists what was repaired.

The inputs are made here, cell by cell; what must come out is written beside them.
"""

import json
import zipfile
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from huying.clean.intake import Intake
from huying.cli import main
from huying.codebook import house_codebook
from huying.drafting.county import names_of
from huying.drafting.questions import read_questions
from huying.folder import read_county
from huying.prepare import clean_and_mark
from huying.report import read_report
from huying.report.statements import line_starts, position
from huying.sources.exports import read_export
from huying.sources.table import read_table
from huying.words import InputError

HEAD = """[county]
id = "awkward"
name_zh = "某县"
name_en = "A County"
lang = "en"
is_synthetic = true
sampling = "convenience"

[period.2022]
from = 2022-01-01
to = 2022-12-31
as_of = 2023-01-06

[[ledger]]
table = "towns"
file = "towns.csv"
"""
LEDGER = '\n[[ledger]]\ntable = "{table}"\nfile = "{file}"\nperiod = "2022"\n'
TOWNS = "town_id,name_zh,name_en,type\nT01,甲镇,Jia,镇\nT02,乙镇,Yi,镇\n"
CALLS = ["call_id", "town", "called_at", "dispatched_at", "dept", "responded_at", "closed_at", "feedback_at", "status"]
OLD_XLS = Path(__file__).parent / "data" / "old.xls"
POINTS = ["point_id", "town", "bank", "opened_on", "last_loan_on", "loans", "days_to_loan", "days_before"]


@pytest.fixture(autouse=True)
def results(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
    monkeypatch.setenv("HUYING_LANG", "en")


def county(folder, *tables, towns=TOWNS, more=""):
    """A county with a register and these ledgers (table, file)."""
    (folder / "towns.csv").write_text(towns, "utf-8")
    (folder / "county.toml").write_text(
        HEAD + "".join(LEDGER.format(table=t, file=f) for t, f in tables) + more, "utf-8"
    )
    return read_county(folder)


def taken(declared):
    """The intake of a county, with the errors of its files."""
    intake = Intake(declared, house_codebook())
    return intake, [fault.say("en") for fault in intake.try_all()]


def call(key, *times, dept="应急局", **more):
    stamps = [*times, *["2022-03-01 10:00"] * (2 - len(times))][:2]
    return [
        key,
        "甲镇",
        *stamps,
        dept,
        "2022-03-02 10:00",
        "2022-03-03 10:00",
        "2022-03-03 11:00",
        "closed",
        *more.values(),
    ]


def workbook(path, rows, change=lambda sheet: None, epoch=None):
    book = Workbook()
    book.epoch = epoch or book.epoch
    for row in rows:
        book.active.append(row)
    change(book.active)
    book.save(path)
    return path


def noted(table):
    return {key: detail for _, key, detail in table.notes}


# --- workbooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (19, "19"),
        (19.5, "19.5"),
        ("19", "19"),
        ("30%", "30%"),
        ("1,234", "1,234"),
        ("１９", "１９"),
        ("＋5", "＋5"),
        ("1.2e3", "1.2e3"),
    ],
)
def test_a_number_merged_over_rows_is_counted_once_and_told(tmp_path, value, kept):
    def merge(sheet):
        sheet.merge_cells("A2:A4")
        sheet.merge_cells("B2:B4")

    table = read_table(
        workbook(
            tmp_path / "a.xlsx", [["镇街", "笔数", "x"], ["甲镇", value, 1], [None, None, 2], [None, None, 3]], merge
        )
    )
    assert table.text["镇街"].tolist() == ["甲镇"] * 3
    assert table.text["笔数"].tolist() == [kept, "", ""]
    assert noted(table) == {"filled_down": "A2:A4", "not_filled": "B2:B4"}


@pytest.mark.parametrize("value", ["0012", "GD-7", datetime(2022, 3, 1)])
def test_a_key_or_a_day_merged_over_rows_is_filled_down(tmp_path, value):
    rows = [["编号", "x"], [value, "a"], [None, "b"]]
    table = read_table(workbook(tmp_path / "a.xlsx", rows, lambda sheet: sheet.merge_cells("A2:A3")))
    assert table.text["编号"].nunique() == 1 and noted(table) == {"filled_down": "A2:A3"}


def test_one_total_of_three_points_is_one_total(tmp_path):
    rows = [POINTS] + [
        [f"ZY{n}", "甲镇", "某银行", "2022-04-18", "2022-11-17", 19 if n == 1 else None, 11, 20] for n in (1, 2, 3)
    ]
    workbook(tmp_path / "points.xlsx", rows, lambda sheet: sheet.merge_cells("F2:F4"))
    intake, faults = taken(county(tmp_path, ("bank_points", "points.xlsx")))
    assert not faults and intake.ledgers["bank_points", "2022"]["loans"].sum() == 19  # not 57
    assert ("points.xlsx", "Sheet", "2", "not_filled", "F2:F4") in intake.notes


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("0000000", 1, "0000001"),
        ('"GD"000', 7, "GD007"),
        ("General", 7, "7"),
        ("0.00", 7, "7"),
        ("#,##0", 1234, "1234"),
        ("0%", 1, "1"),
        (r"\G\D000", 7, "GD007"),
        ("000-0000", 1234567, "123-4567"),
        ("0000000;-0000000", 7, "0000007"),
        ("0000000;;;@", 7, "0000007"),
        ("[$-804]0000_ ", 7, "0007"),
        ('"2022-"000', 7, "2022-007"),
        ("00", 3, "03"),
    ],
)
def test_ids_are_read_as_their_number_format_shows_them(tmp_path, form, value, text):
    def style(sheet):
        sheet["A2"].number_format = form

    table = read_table(workbook(tmp_path / "a.xlsx", [["编号", "x"], [value, "a"]], style))
    assert table.text["编号"].tolist() == [text]
    assert ("number_format" in noted(table)) == (text != str(value))


@pytest.mark.parametrize("column", [2, 3])
def test_a_day_kept_as_a_number_in_a_workbook_that_counts_from_1904(tmp_path, column):
    """2022-03-01 11:00 is day 43159 + 11/24 there (44621 + 11/24 from 1900: 1462 days apart)."""
    rows = [
        CALLS,
        call("C1", datetime(2022, 3, 1, 10), datetime(2022, 3, 1, 11)),
        call("C2", "2022-03-01 10:30", "2022-03-01 11:30"),
    ]
    rows[2][column] = 43159 + 11 / 24
    workbook(tmp_path / "calls.xlsx", rows, epoch=CALENDAR_MAC_1904)
    intake, faults = taken(county(tmp_path, ("calls", "calls.xlsx")))
    got = intake.ledgers["calls", "2022"].set_index("call_id")
    assert not faults and got.loc["C2", CALLS[column]] == pd.Timestamp("2022-03-01 11:00")
    assert got.loc["C1", "called_at"] == pd.Timestamp("2022-03-01 10:00")
    assert "calendar_1904" in {note for _, _, _, note, _ in intake.notes}


def test_an_old_workbook_that_counts_from_1904_says_so(tmp_path):
    """Its record of the calendar (22 00, two bytes: 01 00) stands before that of precision (0E 00)."""
    content = OLD_XLS.read_bytes()
    (tmp_path / "a.xls").write_bytes(content.replace(b"\x22\0\2\0\0\0\x0e\0", b"\x22\0\2\0\1\0\x0e\0"))
    usual, other = read_table(OLD_XLS), read_table(tmp_path / "a.xls")
    assert (usual.shift, other.shift) == (0, 1462) and set(noted(other)) - set(noted(usual)) == {"calendar_1904"}


@pytest.mark.parametrize(
    ("value", "is_so"), [(True, True), (False, False), ("TRUE", True), ("false", False), ("是", True)]
)
def test_a_truth_of_excel_in_a_yes_no_column(tmp_path, value, is_so):
    workbook(tmp_path / "calls.xlsx", [[*CALLS, "is_cross_duty"], call("C1", duty=value)])
    intake, _ = taken(county(tmp_path, ("calls", "calls.xlsx")))
    assert intake.ledgers["calls", "2022"]["is_cross_duty"].tolist() == [is_so]


@pytest.mark.parametrize("header", ["责任\n部门", "责任 部门", "责任\u3000部门\t", "责任\u200b部门"])
def test_a_header_with_a_line_break_is_the_header(tmp_path, header):
    workbook(tmp_path / "calls.xlsx", [[*CALLS[:4], header, *CALLS[5:]], call("C1")])
    intake, faults = taken(county(tmp_path, ("calls", "calls.xlsx")))
    assert not faults and intake.ledgers["calls", "2022"]["dept_id"].tolist() == ["应急局"]


@pytest.mark.parametrize("file", ["a.xlsx", "a.csv", "b.csv"])
def test_a_title_above_the_header_is_told_with_the_row_of_the_header(tmp_path, file):
    rows = [["呼叫台账"], ["编号", "镇街", "笔数"], ["1", "甲镇", "3"], ["2", "乙镇", "4"]]
    if file == "a.xlsx":
        workbook(tmp_path / file, rows)
    else:
        title = "呼叫台账,," if file == "a.csv" else "呼叫台账"
        (tmp_path / file).write_text("\n".join([title, *(",".join(row) for row in rows[1:])]), "utf-8")
    with pytest.raises(InputError) as error:
        read_table(tmp_path / file)
    assert "header_row = 2" in error.value.say("en") and "header_row = 2" in error.value.say("zh")
    assert len(read_table(tmp_path / file, header_row=2).text) == 2


def test_sheets_that_are_not_read_and_macros_are_told(tmp_path):
    book = Workbook()
    book.active.append(["x", "y"])
    book.active.append(["1", "2"])
    for name, state in (("去年", "hidden"), ("底稿", "veryHidden"), ("说明", "visible")):
        sheet = book.create_sheet(name)
        sheet.append(["z"])
        sheet.sheet_state = state
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a") as package:
        package.writestr("xl/vbaProject.bin", b"x")
    table = read_table(tmp_path / "a.xlsx", sheet="Sheet")
    assert noted(table) == {
        "unread_sheets": "说明",
        "hidden_sheets": "去年",
        "very_hidden_sheets": "底稿",
        "macros": "",
    }


def test_digits_that_excel_lost_are_said_to_be_lost(tmp_path):
    """17 digits: a number in a workbook keeps 15; a csv saved by Excel has zeros in their place."""
    table = read_table(workbook(tmp_path / "a.xlsx", [["编号", "x"], [33010219900101234, "a"]]))
    (tmp_path / "a.csv").write_text("编号,x\n33010219900101200,a\n33010219900105600,b\n", "utf-8")
    saved = read_table(tmp_path / "a.csv")
    for one in (table, saved):
        assert set(one.rejected["reason"]) == {"digits_lost"} and set(one.text["编号"]) == {""}
    (tmp_path / "b.csv").write_text("编号,x\n33010219900101200,a\n33010219900105634,b\n", "utf-8")
    assert read_table(tmp_path / "b.csv").rejected.empty


def replaced(path, *pairs):
    """The workbook with texts replaced in all its parts."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            for old, new in pairs:
                content = content.replace(old, new)
            package.writestr(name, content)
    return path


def test_a_strict_workbook_is_read_as_any_other(tmp_path):
    """Strict Open XML (ISO 29500) has other names for the same parts."""

    def style(sheet):
        sheet["A2"].number_format = "0000"

    file = workbook(tmp_path / "a.xlsx", [["编号", "镇街"], [7, "甲镇"], [None, None], ["0008", "乙镇"]], style)
    old, new = b"http://schemas.openxmlformats.org/", b"http://purl.oclc.org/ooxml/"
    pairs = [
        (b"spreadsheetml/2006/main", b"spreadsheetml/main"),
        (b"officeDocument/2006/relationships", b"officeDocument/relationships"),
    ]
    replaced(file, *((old + one, new + other) for one, other in pairs))
    assert read_table(file).text.to_numpy().tolist() == [["0007", "甲镇"], ["0008", "乙镇"]]


def test_a_carriage_return_that_a_workbook_escapes_is_a_blank(tmp_path):
    file = workbook(tmp_path / "calls.xlsx", [CALLS, call("C3", dept="应急局Q")])
    replaced(file, (b"Q</t>", b"_x000D_\n</t>"), ("甲镇</t>".encode(), "甲镇_x000D_</t>".encode()))
    intake, faults = taken(county(tmp_path, ("calls", "calls.xlsx")))
    row = intake.ledgers["calls", "2022"].iloc[0]
    assert not faults and row[["call_id", "town_id", "dept_id"]].tolist() == ["C3", "T01", "应急局"]


# --- csv and what is none ---------------------------------------------------------------------------------------------


def test_text_written_as_a_formula_is_text(tmp_path):
    (tmp_path / "a.csv").write_text('编号,x\n="0012",1\n"=""0013""",2\n0014,3\n', "utf-8")
    table = read_table(tmp_path / "a.csv")
    assert table.text["编号"].tolist() == ["0012", "0013", "0014"] and noted(table) == {"text_formula": "2"}


@pytest.mark.parametrize(("first", "mark"), [("sep=;", ";"), ('"sep=|"', "|"), ("SEP=,", ",")])
def test_the_line_that_names_the_separator(tmp_path, first, mark):
    (tmp_path / "a.csv").write_text("\n".join([first, f"a{mark}b", f"1{mark}2"]), "utf-8")
    table = read_table(tmp_path / "a.csv")
    assert table.text.to_dict("list") == {"a": ["1"], "b": ["2"]} and list(table.text.index) == [3]
    assert noted(table) == {"sep_line": mark}


def test_a_column_of_row_numbers_without_a_name_is_left_out_and_told(tmp_path):
    for start in (0, 1):
        rows = "".join(f"{n},T{n}\n" for n in range(start, start + 3))
        (tmp_path / "a.csv").write_text(f",town\n{rows}", "utf-8")
        table = read_table(tmp_path / "a.csv")
        assert list(table.text) == ["town"] and "index_column" in noted(table)
    (tmp_path / "a.csv").write_text(",town\n5,a\n9,b\n", "utf-8")
    with pytest.raises(InputError, match="have no name"):
        read_table(tmp_path / "a.csv")


def test_a_second_header_row_is_joined_and_told(tmp_path):
    (tmp_path / "a.csv").write_text(
        "Respondent ID,Which?,,Sex\n,Radio,Paper,Response\n1,Radio,,f\n2,,Paper,m\n", "utf-8"
    )
    table, _ = read_export(tmp_path / "a.csv")
    assert list(table.text) == ["Respondent ID", "Which?—Radio", "Which?—Paper", "Sex"]
    assert "second_header" in noted(table) and len(table.text) == 2


def test_blank_rows_and_tidied_headers_are_told(tmp_path):
    table = read_table(workbook(tmp_path / "a.xlsx", [["编\n号", "x"], ["1", "a"], [], [], ["2", "b"]]))
    assert noted(table) == {"header_tidied": repr("编\n号"), "blank_rows": "3, 4"}


HTML = "<{0}><tr><td>编号</td></tr></{0}>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize(
    "text",
    [
        HTML.format("table"),
        " \n< div ><p>x</p>",
        "<!-- x --><html>",
        "<?xml version='1.0'?>",
        "<br/>x",
        "MIME-Version: 1.0\nx",
    ],
)
def test_a_web_page_is_called_a_web_page_whatever_its_name(tmp_path, text, encoding):
    (tmp_path / "a.xls").write_bytes(text.encode(encoding))
    with pytest.raises(InputError) as error:
        read_table(tmp_path / "a.xls")
    assert error.value.key == "sources.web_page"


@pytest.mark.parametrize("ends", ["\r", "\r\n"])
def test_line_ends_of_old_macs_and_windows(tmp_path, ends):
    (tmp_path / "a.csv").write_bytes(ends.join(["编号,镇街", "1,甲镇", "2,乙镇", ""]).encode("gb18030"))
    assert read_table(tmp_path / "a.csv").text["镇街"].tolist() == ["甲镇", "乙镇"]


def test_a_file_of_a_gigabyte_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(InputError) as error:
        read_table(tmp_path / "a.csv")
    assert error.value.key == "sources.too_large" and "400" in error.value.say("en")


def test_ids_that_another_ledger_lacks_are_counted(tmp_path):
    """Of three cases one names a call as it stands, one without its zeros, one none at all."""
    workbook(tmp_path / "calls.xlsx", [CALLS, call("0007"), call("0008")])
    cases = [
        ["case_id", "call_id", "referred_on"],
        *([f"L{n}", one, "2022-04-01"] for n, one in enumerate(("0007", "8", None))),
    ]
    workbook(tmp_path / "cases.xlsx", cases)
    declared = county(tmp_path, ("calls", "calls.xlsx"), ("joint_conference", "cases.xlsx"))
    notes = Intake(declared, house_codebook()).run().notes
    told = notes.loc[notes["note"] == "no_partner", "detail"].tolist()
    assert told == ["joint_conference 2022: call_id → calls, 1 / 2"]


def test_a_device_or_a_folder_is_no_file(tmp_path):
    for path in ("/dev/zero", tmp_path):
        with pytest.raises(InputError, match="no ordinary file"):
            read_table(path)
        with pytest.raises(InputError, match="no ordinary file"):
            read_report(tmp_path if path == tmp_path else __import__("pathlib").Path(path))


# --- a whole county ---------------------------------------------------------------------------------------------------


def check(folder, capsys):
    code = main(["check", str(folder), "--lang", "en"])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_check_lists_what_was_repaired_with_its_place(tmp_path, capsys):
    rows = [[*CALLS[:4], "责任\n部门", *CALLS[5:]], [1, *call("")[1:]]]
    workbook(tmp_path / "calls.xlsx", rows, lambda sheet: setattr(sheet["A2"], "number_format", "0000"))
    county(tmp_path, ("calls", "calls.xlsx"))
    code, said = check(tmp_path, capsys)
    assert code == 0
    assert "calls.xlsx, sheet Sheet, row 2: ids were written as their number format shows them" in said
    assert "line breaks and extra blanks were taken out of headers" in said
    cleaned = clean_and_mark(read_county(tmp_path))
    assert set(cleaned.notes["note"]) == {"number_format", "header_tidied"}
    main(["check", str(tmp_path), "--json"])
    assert {note["note"] for note in json.loads(capsys.readouterr().out)["notes"]} == {"number_format", "header_tidied"}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("鄠邑镇", "鄠邑镇"),
        ("甲\u202e乙镇", "甲乙镇"),
        ("甲\t乙镇", "甲 乙镇"),
        ("甲\u200f镇", "甲镇"),
        ("浐猇溇藠昇杧峂𠮷镇",) * 2,
    ],
)
def test_names_of_towns_are_kept_and_cleaned(tmp_path, capsys, name, read):
    declared = county(tmp_path, towns=TOWNS.replace("甲镇", name))
    intake, _ = taken(declared)
    assert intake.ledgers["towns", ""]["name_zh"].iloc[0] == read and not intake.notes


def test_a_name_that_the_font_lacks_is_named(tmp_path, capsys):
    county(tmp_path, towns=TOWNS.replace("甲镇", "甲\U0002a701镇"))
    assert "towns.csv, row 2" in (said := check(tmp_path, capsys)[1]) and "U+2A701" in said


@pytest.mark.parametrize(
    "row", ["county,丙镇,Bing,镇\n", f"T03,{'镇' * 1000},Long,镇\n", f"{'T' * 100},丙镇,Bing,镇\n"]
)
def test_ids_and_names_that_outputs_could_not_bear_are_set_aside(tmp_path, row):
    intake, _ = taken(county(tmp_path, towns=TOWNS + row))
    assert intake.ledgers["towns", ""]["town_id"].tolist() == ["T01", "T02"]
    assert intake.rejected[0]["row"].tolist() == [4]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("frozen.toml", b"\x00\xff garbage", "frozen.toml, row 1: it is not in UTF-8"),
        ("frozen.toml", b"frozen_on = 3\n", "frozen.toml, row 1: frozen_on: expected"),
        ("frozen.toml", b"rules = [1]\n", "frozen.toml, row 1: rules: expected a table"),
        ("codebook.toml", b"this is no toml", "codebook.toml: not valid TOML"),
        ("codebook.toml", '[[item]]\nzh = "问"\n'.encode("gb18030"), "codebook.toml, row 2: it is not in UTF-8"),
        ("codebook.toml", b"item = 3\n", "codebook.toml, row 1: item: expected a table"),
        (
            "indicators.toml",
            b"[[indicators]]\n",
            "indicators.toml, row 1: unknown key indicators; did you mean indicator?",
        ),
        ("claims.toml", b"claim = 3\n", "claims.toml, row 1: claim: expected a table"),
        ("claims.toml", b"[[claim]]\nid = 'Z'\n", "claims.toml, row 1: [claim] lacks the key zh"),
    ],
)
def test_a_declaration_that_cannot_be_read_is_one_line_of_check(tmp_path, capsys, file, content, said):
    county(tmp_path)
    (tmp_path / file).write_bytes(content)
    code, told = check(tmp_path, capsys)
    assert code == 2 and said in told and "Traceback" not in told


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\x81\x00", "no CSV in UTF-8"), (b"", "no CSV in UTF-8"), ("day,is_workday,元旦\n".encode("gb18030"), "no CSV in UTF-8"),
     (b"day,is_workday\n2027-13-01,1\n", "row 2: expected a day"), (b"tag\n1\n", "expected the columns day, is_workday")],
)  # fmt: skip
def test_a_calendar_that_cannot_be_read_is_found_by_check(tmp_path, capsys, content, said):
    county(tmp_path)
    file = tmp_path / "county.toml"
    file.write_text(file.read_text("utf-8").replace('lang = "en"', 'lang = "en"\ncalendar_file = "days.csv"'), "utf-8")
    (tmp_path / "days.csv").write_bytes(content)
    code, told = check(tmp_path, capsys)
    assert code == 2 and said in told


def test_a_campaign_outside_the_register_and_a_ledger_without_its_period(tmp_path, capsys):
    workbook(tmp_path / "calls.xlsx", [CALLS, call("C1")])
    county(tmp_path, more='\n[campaign]\ntowns = ["T99"]\n\n[[ledger]]\ntable = "calls"\nfile = "calls.xlsx"\n')
    code, told = check(tmp_path, capsys)
    assert code == 2
    assert "county.toml, row 19: [campaign]: no town of the register has the id T99" in told
    assert "the ledger calls belongs to a period" in told


def test_an_own_variable_that_speaks_of_no_question_is_found_by_check(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("序号,提交答卷时间,1、您好\n1,2022/5/10 9:00:00,好\n", "utf-8")
    (tmp_path / "codebook.toml").write_text(
        '[[item]]\nid = "Q1"\nform = "resident"\ntype = "text"\nzh = "您好"\nen = "Hi"\n', "utf-8"
    )
    rule = '[[indicator]]\nname = "x"\nform = "resident"\nwhen = "{}"\nzh = "甲"\nen = "A"\n'
    more = '\n[wave.2022]\nfrom = 2022-01-01\nto = 2022-12-31\n\n[[survey]]\nform = "resident"\nwave = "2022"\nreader = "wjx"\ntext = "a.csv"\n'
    county(tmp_path, more=more)
    for when, code in (("q9 = 1", 2), ("weight > 1", 0)):
        (tmp_path / "indicators.toml").write_text(rule.format(when), "utf-8")
        assert check(tmp_path, capsys)[0] == code


def test_a_report_that_is_none_is_found_by_check(tmp_path, capsys):
    (tmp_path / "report.txt").write_bytes(b"\x00\x01" * 50)
    county(tmp_path, more='\n[report]\nfile = "report.txt"\n')
    code, told = check(tmp_path, capsys)
    assert code == 2 and "report.txt" in told


def test_one_byte_changed_in_the_evidence_is_one_line(tmp_path, capsys, monkeypatch):
    from huying.prepare import results_folder
    from huying.store import read_parquet, write_parquet

    file = results_folder(county(tmp_path)) / "evidence.parquet"
    rows = pd.DataFrame({"claim": [f"P{n}" for n in range(300)], "estimate": range(300)})
    write_parquet(file, rows)
    assert read_parquet(file).equals(rows)
    whole = file.read_bytes()
    for at in (60, len(whole) // 3, len(whole) - 60):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        code, told = check(tmp_path, capsys)
        assert code == 2 and "damaged or was changed" in told


def test_flags_are_counted_by_file_and_join_on_it(tmp_path):
    (tmp_path / "raw").mkdir()
    rows = [CALLS, call("C1"), [*call("C2")[:1], "甲镇政府", *call("C2")[2:]]]
    workbook(tmp_path / "raw" / "calls.xlsx", rows)
    declared = county(tmp_path, ("calls", "raw/calls.xlsx"))
    done = Intake(declared, house_codebook()).run()
    assert done.flags[["file", "flag"]].to_numpy().tolist() == [["raw/calls.xlsx", "town_repaired"]]
    assert done.counts.set_index("file")["n_flags"].to_dict() == {"towns.csv": 0, "raw/calls.xlsx": 1}


# --- reports ----------------------------------------------------------------------------------------------------------


def test_a_report_has_a_length_that_is_said(tmp_path):
    text = "本县的镇街均已挂牌，一年来办结了群众的呼叫。\n"
    (tmp_path / "a.txt").write_text(text * 10_000, "utf-8")
    with pytest.raises(InputError, match="230000 characters, at most 200000"):
        read_report(tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text(text + "共" + "1" * 32_000 + "个。\n", "utf-8")
    with pytest.raises(InputError, match="row 2: this line has a run of 40 digits"):
        read_report(tmp_path / "b.txt")


def test_lines_and_columns_are_those_of_the_text():
    text = "甲\n\n乙丙\n"
    assert [position(text, n) for n in range(len(text))] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3)]
    assert line_starts(text) == [0, 2, 3, 6]


def test_a_report_written_where_a_file_stands_is_one_line(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("本县的镇街均已挂牌。\n", "utf-8")
    (tmp_path / "taken").write_text("x", "utf-8")
    assert main(["read-report", str(tmp_path / "a.txt"), "-o", str(tmp_path / "taken"), "--lang", "en"]) == 2
    assert "cannot be written" in capsys.readouterr().err


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_matrix_whose_rows_are_numbered_and_a_ranking_are_one_question_each(tmp_path):
    """As newer exports write them: the number on every row; codes follow one order in all rows; numbers are the form's."""
    header = "序号,1、您的性别,2、请评价：—窗口态度好,2、办事不用跑,2、知道找谁,3、把原因排序,5、您的职业\n"
    says, ranks = ["同意", "一般", "不同意"], ["编制→习惯→场所", "习惯→场所", "场所→编制→习惯"]
    rows = [
        f"{n},{'男女'[n % 2]},{says[n % 3]},{says[(n + 1) % 3]},{says[-(n % 2)]},{ranks[n % 3]},务农\n"
        for n in range(30)
    ]
    (tmp_path / "a.csv").write_text(header + "".join(rows), "utf-8")
    questions = read_questions(read_export(tmp_path / "a.csv")[0])
    assert names_of(questions) == ["q1", "q2", "q3", "q5"]
    assert [question.type for question in questions] == ["single", "matrix_single", "ranking", "single"]
    assert questions[1].parts == ["窗口态度好", "办事不用跑", "知道找谁"]
    assert questions[1].options == [(1, "同意"), (2, "一般"), (3, "不同意")]
    assert {text for _, text in questions[2].options} == {"编制", "习惯", "场所"}
