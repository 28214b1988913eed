"""A small county taken in file by file: every row and cell is in the accounts, whatever the order in which files are declared."""

import pandas as pd
import pytest

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
    (tmp_path / "notes.txt").write_text("no part of it", "utf-8")
    assert len(before) == 10 and data_hash(read_county(tmp_path)) in before


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
