"""A small county taken in file by file: every row and cell is in the accounts, whatever the order in which files are declared."""

from dataclasses import replace

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from huying.clean import intake as intake_module
from huying.clean.intake import COUNTS, Intake, county_lists, data_hash
from huying.codebook import parse_codebook
from huying.folder import read_county
from huying.words import CountyError

HEAD = """[county]
id = "x"
name_zh = "甲县"
name_en = "A County"
is_synthetic = true
sampling = "convenience"

[wave.2023]
from = 2023-05-08
to = 2023-06-02
"""
BOOK = """
[[item]]
id = "Q1"
form = "resident"
type = "dropdown"
zh = "您在哪个镇街"
en = "Your town"
options_from = "towns"
role = "town"

[[item]]
id = "Q2"
form = "resident"
type = "whole"
zh = "您的周岁"
en = "Your age"
range = [18, 99]

[[item]]
id = "Q3"
form = "resident"
type = "text"
zh = "您的建议"
en = "Your advice"
"""
FILES = {
    "towns.csv": "town_id,name_zh,name_en,type,aliases\nT02,乙镇,Town B,镇,\nT01,甲镇,Town A,镇,老甲\nT03,丙镇,Town C,镇,\n",
    "departments.csv": "dept_id,name_zh,name_en,aliases\nK1,应急局,Emergency,\n",
    # GD1 stands twice, GD2 names no town that is registered, GD4's answer has no time
    "calls.csv": "call_id,town,called_at,dispatched_at,dept,responded_at,status,手机号\n"
    "GD1,老甲,2023-05-08 09:00,2023-05-08 10:00,应急局,2023-05-09 10:00,closed,13812345678\n"
    "GD1,甲镇,2023-05-08 09:00,2023-05-08 10:00,应急局,,closed,\n"
    "GD2,无名镇,2023-05-08 09:00,2023-05-08 10:00,应急局,,closed,\n"
    "GD3,T02,2023-05-08 09:00,2023-05-08 10:00,K1,,closed,13912345678\n"
    "GD4,T02,2023-05-08 09:00,2023-05-08 10:00,K1,昨天,closed,\n",
    # one without a town, one too old, a number in the advice
    "people.csv": "序号,提交答卷时间,1、您在哪个镇街,2、您的周岁,3、您的建议\n"
    "1,2023/5/10 9:00:00,甲镇,42,好\n2,2023/5/10 9:10:00,不知何处,50,\n3,2023/5/10 9:20:00,乙镇,133,打我电话13812345678\n",
}
TABLES = ("towns", "departments", "calls")


def make(folder, order=TABLES, files=FILES):
    entries = [f'[[ledger]]\ntable = "{name}"\nfile = "{name}.csv"\n' for name in order]
    survey = '[[survey]]\nform = "resident"\nwave = "2023"\nreader = "wjx"\ntext = "people.csv"\n'
    (folder / "county.toml").write_text("\n".join([HEAD, survey, *entries]), "utf-8")
    (folder / "codebook.toml").write_text(BOOK, "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return read_county(folder)


def test_every_row_and_cell_is_in_the_accounts(tmp_path):
    told = []
    done = Intake(make(tmp_path), parse_codebook(BOOK), told.append).run()
    counts = done.counts.set_index("file")[list(COUNTS[1:7])]
    assert counts.T.to_dict("list") == {  # read, kept, rejected, cells set aside, flags, personal
        "towns.csv": [3, 3, 0, 0, 0, 0],
        "departments.csv": [1, 1, 0, 0, 0, 0],
        "calls.csv": [5, 3, 2, 1, 0, 2],
        "people.csv": [3, 2, 1, 1, 0, 1],
    }
    assert told == ["towns.csv", "departments.csv", "calls.csv", "people.csv"]
    calls = done.ledgers["calls", ""]
    assert calls[["call_id", "town_id", "dept_id"]].to_numpy().tolist() == [
        ["GD1", "T01", "K1"],
        ["GD3", "T02", "K1"],
        ["GD4", "T02", "K1"],
    ]
    assert calls["responded_at"].isna().tolist() == [False, True, True]
    rows = done.forms["resident"]
    assert rows["town_id"].tolist() == ["T01", "T02"] and rows["Q2"].fillna(-1).tolist() == [42, -1]
    assert rows.loc[1, "Q3"] == "打我电话[手机号]"
    assert not done.rejected.astype(str).apply(lambda column: column.str.contains("1381234|1391234")).to_numpy().any()
    assert done.notes[["file", "note", "detail"]].to_numpy().tolist() == [
        ["calls.csv", "unknown_name", "无名镇 → 甲镇, 乙镇, 丙镇"],
        ["county.toml", "silent_town", "resident 2023: T03"],
    ]
    assert done.data_hash == data_hash(read_county(tmp_path))


def test_the_countys_name_may_stand_before_that_of_a_town_or_a_department(tmp_path):
    plain = FILES["calls.csv"]
    said = plain.replace("老甲", "甲县甲镇").replace("应急局", "甲县应急局")
    assert said.count("甲县") > 3
    for number, text in enumerate((plain, said)):
        (folder := tmp_path / str(number)).mkdir()
        rows = Intake(make(folder, files={**FILES, "calls.csv": text}), parse_codebook(BOOK)).run().ledgers["calls", ""]
        assert rows[["town_id", "dept_id"]].to_numpy().tolist() == [["T01", "K1"], ["T02", "K1"], ["T02", "K1"]]


def test_registers_are_read_first_wherever_they_are_declared(tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = (
        Intake(make(folder, order), parse_codebook(BOOK)).run()
        for folder, order in zip(folders, (TABLES, TABLES[::-1]), strict=True)
    )
    for key, rows in one.ledgers.items():
        pd.testing.assert_frame_equal(rows, two.ledgers[key])
    pd.testing.assert_frame_equal(one.forms["resident"], two.forms["resident"])


def test_a_ledger_in_two_files_is_one(tmp_path):
    """A key of the first file is taken in the second too: GD3 is the same again, gd4 and GD1 are other rows."""
    head, gd1, _, _, gd3, _ = FILES["calls.csv"].splitlines()
    rows = ["GD9,乙镇,2023-05-08 09:00,2023-05-08 10:00,应急局,,open,", gd3, gd1.replace("closed", "open")]
    more = "\n".join([head, *rows, "gd4,T02,2023-05-08 09:00,2023-05-08 10:00,K1,,closed,"])
    county = make(tmp_path, files={**FILES, "more.csv": more})
    file = tmp_path / "county.toml"
    file.write_text(file.read_text("utf-8") + '\n[[ledger]]\ntable = "calls"\nfile = "more.csv"\n', "utf-8")
    county = read_county(tmp_path)
    done = Intake(county, parse_codebook(BOOK)).run()
    assert done.ledgers["calls", ""]["call_id"].tolist() == ["GD1", "GD3", "GD4", "GD9"]
    second = done.rejected[done.rejected["file"] == "more.csv"]
    assert second[["row", "value", "reason"]].to_numpy().tolist() == [
        [3, "GD3", "repeated"],
        [4, "GD1", "key_taken"],
        [5, "gd4", "key_taken"],
    ]
    assert done.counts.set_index("file").loc["more.csv", ["n_read", "n_kept", "n_rejected"]].tolist() == [4, 1, 3]


def test_the_export_by_number_is_set_against_the_one_by_text(tmp_path):
    """Options of the county by their place in its register, where T02 stands first: 2 is T01, and 1 is not."""
    numbers = "序号,提交答卷时间,1、您在哪个镇街,2、您的周岁,3、您的建议\n"
    numbers += "1,2023/5/10 9:00:00,2,43,好\n2,2023/5/10 9:10:00,3,50,\n3,2023/5/10 9:20:00,1,33,\n"
    make(tmp_path, files={**FILES, "numbers.csv": numbers})
    file = tmp_path / "county.toml"
    file.write_text(
        file.read_text("utf-8").replace('text = "people.csv"', 'text = "people.csv"\nnumber = "numbers.csv"'), "utf-8"
    )
    done = Intake(read_county(tmp_path), parse_codebook(BOOK)).run()
    assert done.forms["resident"]["town_id"].tolist() == [
        "T01",
        "T02",
    ]  # a number gives nobody a town beside another name
    assert done.forms["resident"]["Q2"].fillna(-1).tolist() == [-1, -1]  # 42 is not 43, nor 133 33
    told = done.rejected[done.rejected["reason"] == "exports_disagree"]
    assert ["2", "不知何处", "row"] in told[["row", "value", "level"]].astype(str).replace("3", "2").to_numpy().tolist()


def test_a_survey_that_asks_for_the_town_needs_the_register(tmp_path):
    with pytest.raises(CountyError) as error:
        Intake(make(tmp_path, ("departments",)), parse_codebook(BOOK)).run()
    assert error.value.key == "batch.no_register"


def test_every_file_that_cannot_be_taken_is_told_at_once(tmp_path):
    county = make(tmp_path, files={**FILES, "departments.csv": "x\n1\n", "people.csv": "y\n1\n"})
    faults = list(Intake(county, parse_codebook(BOOK)).try_all())
    assert len(faults) >= 2
    assert any("departments.csv" in fault.say("en") for fault in faults)


def test_the_hash_follows_every_file(tmp_path):
    county = make(tmp_path)
    before = {data_hash(county)}
    for name in (*FILES, "county.toml", "codebook.toml", "claims.toml", "indicators.toml", "frozen.toml"):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        before.add(data_hash(read_county(tmp_path)))
    report = '[report]\nfile = "report.txt"\n'
    for text in ("one", "two"):
        (tmp_path / "county.toml").write_text(
            (tmp_path / "county.toml").read_text("utf-8").replace(report, "") + report, "utf-8"
        )
        (tmp_path / "report.txt").write_text(text, "utf-8")
        before.add(data_hash(read_county(tmp_path)))
    (tmp_path / "notes.txt").write_text("no part of it", "utf-8")
    assert len(before) == 12 and data_hash(read_county(tmp_path)) in before


def test_lists_of_the_county_stand_as_in_its_registers_and_new_units_by_their_id():
    towns = pd.DataFrame({"town_id": ["T02", "T01", "T02"], "name_zh": ["乙镇", "甲镇", "乙镇"]})
    roster = pd.DataFrame({"unit_id": ["U2", "U1", "U2"], "name": ["乙办", "甲办", "乙办"]})
    papers = pd.DataFrame({"kind": ["mechanism", "plan", "mechanism"], "title": ["联席", "方案", "会商"]})
    found = county_lists({"towns": towns, "org_roster": roster, "documents": papers})
    found = {name: [(code, key, label.zh) for code, key, label in rows] for name, rows in found.items()}
    assert found == {
        "towns": [(1, "T02", "乙镇"), (2, "T01", "甲镇")],
        "departments": [],
        "old_units": [],
        "new_units": [(1, "U1", "甲办"), (2, "U2", "乙办")],
        "mechanisms": [(1, "m1", "联席"), (2, "m2", "会商")],
    }


# --- what stands beside the files of a small county -----------------------------------------------------------------------

PERIOD = "[period.2022]\nfrom = 2022-01-01\nto = 2022-12-31\nas_of = 2023-01-06\n"
SURVEY = '[[survey]]\nform = "resident"\nwave = "2023"\nreader = "wjx"\ntext = "people.csv"\n'
NO_TOWN = parse_codebook(BOOK[BOOK.index('\n[[item]]\nid = "Q2"') :])
ADVICE = "序号,提交答卷时间,1、您的周岁,2、您的建议\n1,2023/5/10 9:00:00,42,好\n"


def declared(folder, ledgers=(), files=(), survey="", more="", book=BOOK):
    """A county of these ledgers (file by table, with more of its entry after a comma), these files and nothing else."""
    entries = [
        f'[[ledger]]\ntable = "{table}"\nfile = "{file}"\n{rest}\n'
        for table, file, rest in ((*one, "")[:3] for one in ledgers)
    ]
    (folder / "county.toml").write_text("\n".join([HEAD, more, survey, *entries]), "utf-8")
    for name, text in {**FILES, **dict(files)}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return Intake(read_county(folder), book if not isinstance(book, str) else parse_codebook(book))


def taken(intake):
    """The county as far as it can be taken; the first fault is raised."""
    for fault in intake.try_all():
        raise fault
    return intake.gather()


def ledgers(*tables):
    return [(table, f"{table}.csv") for table in tables]


def notes(done, name):
    return done.notes.loc[done.notes["note"] == name, ["file", "row", "detail"]].to_numpy().tolist()


def test_a_file_in_a_folder_is_named_with_it_everywhere(tmp_path):
    files = {
        "in/calls.csv": FILES["calls.csv"].replace("老甲", "甲县甲镇"),
        "of/people.csv": FILES["people.csv"].replace("甲镇", "甲县甲镇"),
    }
    tables = [*ledgers("departments", "towns"), ("calls", "in/calls.csv")]
    done = taken(declared(tmp_path, tables, files, SURVEY.replace("people", "of/people")))
    assert done.counts["file"].tolist() == ["towns.csv", "departments.csv", "in/calls.csv", "of/people.csv"]
    assert set(done.rejected["file"]) == {"in/calls.csv", "of/people.csv"}
    assert done.forms["resident"]["row_id"].tolist() == ["of/people.csv#2", "of/people.csv#4"]
    repaired = done.flags[done.flags["flag"] == "town_repaired"]
    assert repaired[["row_id", "file"]].to_numpy().tolist() == [
        ["in/calls.csv#2", "in/calls.csv"],
        ["of/people.csv#2", "of/people.csv"],
    ]
    assert done.counts["n_flags"].tolist() == [0, 0, 1, 1]
    assert notes(done, "unknown_name") == [["in/calls.csv", "", "无名镇 → 甲镇, 乙镇, 丙镇"]]


def test_a_rejected_row_keeps_where_it_belongs_as_far_as_that_can_be_read(tmp_path):
    done = taken(declared(tmp_path, ledgers(*TABLES), survey=SURVEY))
    told = done.rejected[["file", "row", "reason", "town_id", "dept_id"]].to_numpy().tolist()
    assert sorted(told) == [
        ["calls.csv", 3, "key_taken", "T01", "K1"],
        ["calls.csv", 4, "town_unknown", "", "K1"],
        ["calls.csv", 6, "unfit", "T02", "K1"],
        ["people.csv", 3, "town_unknown", "", ""],
        ["people.csv", 4, "out_of_range", "", ""],
    ]


def test_a_character_that_charts_cannot_show_is_told_with_its_first_row(tmp_path):
    rare = (
        FILES["towns.csv"]
        .replace("甲镇,Town A", "甲\U00031234镇,Town A")
        .replace("丙镇,Town C,镇,", "丙\U00031234镇,Town C,镇,老\U00031235")
    )
    told = notes(taken(declared(tmp_path, ledgers("towns"), {"towns.csv": rare})), "unknown_glyphs")
    assert told == [["towns.csv", "3", "\U00031234 (U+31234)"], ["towns.csv", "4", "\U00031235 (U+31235)"]]


@pytest.mark.parametrize(
    ("more", "key"),
    [('[exclude]\nflags = ["duplicate", "dupe"]\n', "batch.no_flag"), ('[exclude]\nflags = ["duplicate"]\n', ""),
     ('[campaign]\ntowns = ["T01", "T9"]\n', "folder.no_such_town"), ('[campaign]\ntowns = ["T01", "T02"]\n', ""),
     ("[printed]\nA14 = 650\n", "clean.printed_percent"), ("[printed]\nA14 = 65\n", "")],
)  # fmt: skip
def test_what_the_declaration_names_has_to_exist(tmp_path, more, key):
    def run():
        return taken(declared(tmp_path, ledgers("towns"), more=more))

    if key:
        with pytest.raises(CountyError) as error:
            run()
        assert error.value.key == key
    else:
        assert len(run().ledgers["towns", ""]) == 3


@pytest.mark.parametrize(
    ("tables", "survey", "book", "more", "key"),
    [((), SURVEY, BOOK, "", "batch.no_register"), (("departments",), "", BOOK, "", "batch.no_register"), ((), SURVEY, NO_TOWN, "", ""),
     ((), SURVEY, NO_TOWN, '[campaign]\ntowns = ["T01"]\n', ""), (("towns",), SURVEY, BOOK, "", ""), (("towns", "phones"), "", BOOK, "", "batch.no_table"),
     (("towns", "departments", "calls"), "", BOOK, PERIOD, "folder.ledger_period"), (("towns", "departments"), "", BOOK, PERIOD, "")],
)  # fmt: skip
def test_a_county_declares_what_its_tables_need(tmp_path, tables, survey, book, more, key):
    files = {"phones.csv": "x\n1\n", **({"people.csv": ADVICE} if book is NO_TOWN else {})}
    intake = declared(tmp_path, ledgers(*tables), files, survey, more, book)
    if key:
        with pytest.raises(CountyError) as error:
            taken(intake)
        assert error.value.key == key
    else:
        done = taken(intake)
        assert set(done.counts["file"]) == {f"{name}.csv" for name in (*tables, *(["people"] if survey else []))}
        assert bool(notes(done, "silent_town")) == ("towns" in tables and bool(survey))


BAD = {
    "departments.csv": FILES["departments.csv"] + ",空局,Nameless,\n",
    "towns.csv": FILES["towns.csv"] + "T04,丁镇,Town D,城,\n",
}
ASKS_UNIT = (
    BOOK
    + '\n[[item]]\nid = "Q4"\nform = "resident"\ntype = "dropdown"\nzh = "您在哪个单位"\nen = "Your unit"\noptions_from = "{}"\n'
)
UNITS = "old_id,old_name,old_name_en,new_unit,relation,share\nO1,乙站,B,N1,一分多,0.5\nO1,甲站,A,N2,一分多,0.5\nO2,丙站,C,N3,一对一,1\n"


@pytest.mark.parametrize(
    ("asked", "files", "lost"),
    [("departments", ("departments.csv",), "departments.csv, row 3"), ("departments", ("towns.csv",), "towns.csv, row 5"), ("", ("departments.csv",), ""),
     ("no town", ("towns.csv",), ""), ("departments", (), "")],
)  # fmt: skip
def test_a_survey_is_not_read_where_a_list_that_it_asks_for_lost_a_row(tmp_path, asked, files, lost):
    book = NO_TOWN if asked == "no town" else parse_codebook(ASKS_UNIT.format(asked) if asked else BOOK)
    people = "序号,提交答卷时间,1、您在哪个镇街,2、您的周岁,3、您的建议,4、您在哪个单位\n1,2023/5/10 9:00:00,甲镇,42,好,应急局\n"
    files = {**{name: BAD[name] for name in files}, "people.csv": ADVICE if asked == "no town" else people}
    intake = declared(tmp_path, ledgers("towns", "departments"), files, SURVEY, book=book)
    told = [fault.say("en") for fault in intake.try_all()]
    assert [lost in one for one in told] == ([True] if lost else []) and ("resident" in intake.forms) == (not lost)
    if asked == "departments" and not lost:
        assert intake.gather().forms["resident"]["Q4"].tolist() == [1]  # the first of the list


@pytest.mark.parametrize(
    ("bad", "is_lost"),
    [("O2,丙站,C,N4,没有这种,\n", False), ("O3,丁站,D,N4,没有这种,1\n", True), ("O2,丙站,C,N3,一对一,1\n", False), ("合计,,,,,2\n", False)],
)  # fmt: skip
def test_a_unit_of_several_rows_is_lost_with_its_last(tmp_path, bad, is_lost):
    """A row that others stand for, one that says the same again and a total lose nothing."""
    people = "序号,提交答卷时间,1、您在哪个镇街,2、您的周岁,3、您的建议,4、您在哪个单位\n1,2023/5/10 9:00:00,甲镇,42,好,丙站\n"
    intake = declared(
        tmp_path,
        ledgers("towns", "org_map"),
        {"org_map.csv": UNITS + bad, "people.csv": people},
        SURVEY,
        book=ASKS_UNIT.format("old_units"),
    )
    faults = [fault.key for fault in intake.try_all()]
    assert faults == (["clean.register_lost"] if is_lost else []) and len(intake.rejected[1]) == 1
    if not is_lost:
        assert intake.gather().forms["resident"]["Q4"].tolist() == [2]


def test_a_row_that_the_first_file_of_a_register_lost_stays_lost_after_the_second(tmp_path):
    tables = [("towns", "towns.csv"), ("towns", "more.csv")]
    intake = declared(
        tmp_path,
        tables,
        {"towns.csv": BAD["towns.csv"], "more.csv": "town_id,name_zh,name_en,type\nT05,戊镇,E,镇\n"},
        SURVEY,
    )
    assert [fault.key for fault in intake.try_all()] == ["clean.register_lost"]
    assert intake.ledgers["towns", ""]["town_id"].tolist() == ["T02", "T01", "T03", "T05"]


def test_ids_that_name_no_row_of_their_partner_are_counted(tmp_path):
    calls = (
        FILES["calls.csv"].replace("手机号", "reopened_of").replace("13812345678", "").replace("13912345678", "GD1")
        + "GD5,T02,2023-05-08,2023-05-08,K1,,closed,GD7\n"
    )
    cases = "case_id,call_id,referred_on\nA,GD1,2023-06-01\nB,GD9,2023-06-01\nC,,2023-06-01\n"
    centres = "centre_id,town,level,village_id,is_built\nZ1,甲镇,town,V1,1\n"
    files = {
        "calls.csv": calls,
        "joint_conference.csv": cases,
        "centres.csv": centres,
        "villages.csv": "village_id,town_id,name,adults,is_sampled\nV1,T01,一村,9,1\n",
    }
    done = taken(declared(tmp_path, ledgers("towns", "departments", "calls", "joint_conference", "centres"), files))
    assert [told for *_, told in notes(done, "no_partner")] == [
        "joint_conference : call_id → calls, 1 / 2",
        "calls : reopened_of → calls, 1 / 2",
    ]
    done = taken(declared(tmp_path, ledgers("towns", "villages", "centres", "joint_conference"), files))
    assert notes(done, "no_partner") == []  # every centre has its village, and of calls nothing is known


def test_personal_cells_are_counted_wherever_they_are_found_and_masked(tmp_path):
    papers = "title,kind,town,手机号\n请示 13812345678,plan,甲镇,13812345678\n方案,plan,,13912345678\n,plan,,\n"
    done = taken(declared(tmp_path, ledgers("towns", "documents"), {"documents.csv": papers}))
    assert done.counts.set_index("file").loc["documents.csv", list(COUNTS[1:7])].tolist() == [3, 2, 1, 0, 0, 3]
    assert done.ledgers["documents", ""]["title"].tolist() == ["请示 [手机号]", "方案"]


def test_a_row_that_cleaning_loses_stops_the_run(tmp_path, monkeypatch):
    clean = intake_module.clean_ledger
    monkeypatch.setattr(
        intake_module, "clean_ledger", lambda *a, **how: replace(done := clean(*a, **how), kept=done.kept[1:])
    )
    with pytest.raises(AssertionError, match=r"towns.csv: 3 rows read, 2 kept and 0 rejected"):
        taken(declared(tmp_path, ledgers("towns")))


def test_a_workbook_that_counts_from_1904_moves_its_days_and_no_count(tmp_path):
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    for row in (
        ("title", "kind", "town", "issued_on"),
        ("方案", "plan", "甲镇", 43597),
        ("41000", "plan", "乙镇", None),
    ):
        book.active.append(row)
    book.save(tmp_path / "papers.xlsx")
    rows = taken(declared(tmp_path, [("towns", "towns.csv"), ("documents", "papers.xlsx")])).ledgers["documents", ""]
    assert rows["issued_on"].dropna().astype(str).tolist() == ["2023-05-13"]  # 45059 of the usual calendar
    assert rows["title"].tolist() == ["方案", "41000"]


def test_the_forms_of_a_kobo_survey_and_of_departments_are_read_by_their_names(tmp_path):
    survey = SURVEY.replace("wjx", "kobo").replace("text", "file")
    kobo = "_id,end,q1,q2,q3\n1,2023-05-10T09:00:00,甲镇,42,好\n"
    done = taken(declared(tmp_path, ledgers("towns"), {"people.csv": kobo}, survey))
    assert done.forms["resident"][["town_id", "Q2", "Q3"]].to_numpy().tolist() == [["T01", 42, "好"]]
    assert [told for *_, told in notes(done, "silent_town")] == ["resident 2023: T02", "resident 2023: T03"]
    book = BOOK[BOOK.index('\n[[item]]\nid = "Q2"') :].replace("resident", "department")
    done = taken(
        declared(
            tmp_path, ledgers("towns"), {"people.csv": ADVICE}, SURVEY.replace("resident", "department"), book=book
        )
    )
    assert len(done.forms["department"]) == 1 and notes(done, "silent_town") == []


def test_a_unit_is_called_as_most_of_its_rows_call_it_and_as_the_first_of_as_many():
    rows = [("O1", "甲站"), ("O1", "乙站"), ("O1", "乙站"), ("O2", "丁站"), ("O2", "丙站"), ("O3", "戊站")]
    found = county_lists({"org_map": pd.DataFrame(rows, columns=["old_id", "old_name"])})
    assert [(code, key, label.zh) for code, key, label in found["old_units"]] == [
        (1, "O1", "乙站"),
        (2, "O2", "丁站"),
        (3, "O3", "戊站"),
    ]
    turned = county_lists({"org_map": pd.DataFrame([("O2", "丙站"), ("O2", "丁站")], columns=["old_id", "old_name"])})
    assert turned["old_units"][0][2].zh == "丙站"
    named = pd.DataFrame({"town_id": ["T1", "T2"], "name_zh": ["甲镇", "乙镇"], "name_en": ["A Town", None]})
    assert [label for *_, label in county_lists({"towns": named})["towns"]] == [("甲镇", "A Town"), ("乙镇", "乙镇")]


def test_more_towns_than_the_questions_own_codes_leave_room_for_are_read_all_the_same(tmp_path):
    book = BOOK.replace('role = "town"\n', 'role = "town"\noptions = [{ code = 3, zh = "其他", en = "Elsewhere" }]\n')
    people = FILES["people.csv"].replace("不知何处", "其他")
    done = taken(declared(tmp_path, ledgers("towns"), {"people.csv": people}, SURVEY, book=book))
    assert done.forms["resident"]["town_id"].fillna("").tolist() == ["T01", "", "T02"]
    assert done.forms["resident"]["Q1"].tolist() == [1002, 3, 1001]  # T02 stands first in the register
