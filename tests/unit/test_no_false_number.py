"""Inputs that once gave a false number without a word: each is set aside or refused by name, and the rest stays as it was."""

import pandas as pd
import pytest

from huying.clean.intake import Intake
from huying.codebook import parse_codebook
from huying.folder import read_county
from huying.words import CountyError, InputError

HEAD = """[county]
id = "x"
name_zh = "甲县"
name_en = "A County"
is_synthetic = true
sampling = "convenience"

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[period.2022]
from = 2022-01-01
to = 2022-12-31
as_of = 2023-01-06
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
role = "age"

[[item]]
id = "Q3"
form = "resident"
type = "single"
zh = "您听说过改革吗"
en = "Have you heard of the reform?"
options = [{ code = 1, zh = "听过", en = "Yes" }, { code = 2, zh = "没听过", en = "No" }, { code = 3, zh = "记不清", en = "Not sure" }]
"""
TOWNS = ["T01,甲镇,A,镇,41000", "T02,乙镇,B,镇,32000", 'T03,丙乡,C,乡,"21,000"', "T04,丁街道,D,街道,"]
NAMES = ["甲镇", "乙镇", "丙乡", "丁街道"]
CALL = {"call_id": "C1", "town": "甲镇", "called_at": "2022-03-01 09:00", "dispatched_at": "2022-03-01 10:00", "dept": "应急局",
        "responded_at": "2022-03-02 10:00", "closed_at": "2022-03-03 10:00", "status": "closed", "returned_n": "0"}  # fmt: skip


def make(folder, towns=TOWNS, people=None, numbers=None, calls=None, ledger="", villages=None):
    """A county of four towns: its residents by text (and by number), its calls."""
    header = "序号,提交答卷时间,村编号,1、您在哪个镇街,2、您的周岁,3、您听说过改革吗\n"
    files = {
        "towns.csv": "\n".join(["town_id,name_zh,name_en,type,pop", *towns]),
        "departments.csv": "dept_id,name_zh,name_en\nK1,应急局,E\n",
    }
    tables = {"towns": "", "departments": ""}
    survey = ""
    if people is not None:
        survey = '[[survey]]\nform = "resident"\nwave = "2023"\nreader = "wjx"\ntext = "people.csv"\n'
        for name, rows in (("people.csv", people), ("numbers.csv", numbers)):
            lines = [
                f"{n},2023/5/10 9:{n % 60:02d}:00," + ",".join(map(str, row)) for n, row in enumerate(rows or (), 1)
            ]
            files |= {name: header + "\n".join(lines)} if rows else {}
        survey += 'number = "numbers.csv"\n' if numbers else ""
    if calls is not None:
        files["calls.csv"] = pd.DataFrame(calls).to_csv(index=False)
        tables["calls"] = 'period = "2022"\n' + ledger
    if villages:
        files["villages.csv"], tables["villages"] = (
            "\n".join(["village_id,town_id,name,adults,is_sampled", *villages]),
            "",
        )
    entries = [f'[[ledger]]\ntable = "{name}"\nfile = "{name}.csv"\n{more}' for name, more in tables.items()]
    (folder / "county.toml").write_text("\n".join([HEAD, survey, *entries]), "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return Intake(read_county(folder), parse_codebook(BOOK))


def rejected(done, level="row"):
    found = done.rejected[done.rejected["level"] == level]
    return found[["column", "value", "reason"]].to_numpy().tolist()


PEOPLE = [("", name, 40 + k, "听过") for name in NAMES for k in range(6)]
CODES = [("", NAMES.index(town) + 1, age, 1) for _, town, age, _ in PEOPLE]


# --- the register and the exports -----------------------------------------------------------------------------------------


def test_towns_are_read_by_name_and_position_alike(tmp_path):
    done = make(tmp_path, people=PEOPLE, numbers=CODES).run()
    assert done.forms["resident"]["town_id"].value_counts().to_dict() == {"T01": 6, "T02": 6, "T03": 6, "T04": 6}
    towns = done.ledgers["towns", ""].set_index("town_id")
    assert towns.loc["T03", "pop"] == 21000 and towns.loc["T03", "type"] == "town"  # 乡, and a thousands separator


def test_a_town_that_the_register_lacks_gives_its_residents_to_nobody(tmp_path):
    """Without T02 each later position would be the next town's."""
    with pytest.raises(InputError) as error:
        make(tmp_path, towns=[TOWNS[0], *TOWNS[2:]], people=PEOPLE, numbers=CODES).run()
    assert error.value.key == "clean.at_odds" and "丙乡" in error.value.say("zh") and "Q1" in error.value.say("en")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("T02,乙镇,B,城,32000", "type"),
        ("T01,乙镇,B,镇,32000", "town_id"),
        (",乙镇,B,镇,32000", "town_id"),
        ("t01,乙镇,B,镇,1", "town_id"),
    ],
)
def test_a_register_that_lost_a_row_stops_the_surveys(tmp_path, row, reason):
    intake = make(tmp_path, towns=[TOWNS[0], row, *TOWNS[2:]], people=PEOPLE, numbers=CODES, calls=[CALL])
    faults = [fault.say("en") for fault in intake.try_all()]
    assert len(faults) == 1 and "towns.csv, row 3" in faults[0] and reason in faults[0] and "not read" in faults[0]
    assert len(intake.ledgers["calls", "2022"]) == 1 and not intake.forms


def test_a_name_beside_the_number_of_another_town_is_a_disagreement(tmp_path):
    people = [*PEOPLE, ("", "戊镇", 44, "听过")]
    done = make(tmp_path, people=people, numbers=[*CODES, ("", 2, 44, 1)]).run()
    assert rejected(done) == [["Q1", "戊镇", "exports_disagree"]] and len(done.forms["resident"]) == len(PEOPLE)


def test_an_option_that_another_number_stands_for_stops_the_file_by_name(tmp_path):
    people = [*PEOPLE, *[("", "甲镇", 30 + k, "没听过") for k in range(6)]]
    with pytest.raises(InputError) as error:
        make(tmp_path, people=people, numbers=[*CODES, *[("", 1, 30 + k, 3) for k in range(6)]]).run()
    said = error.value.say()
    assert error.value.key == "clean.at_odds" and all(word in said for word in ("Q3", "没听过", "3 ", "people.csv"))


def test_an_option_in_other_words_stops_the_file_by_name(tmp_path):
    people = [*PEOPLE, *[("", "甲镇", 30 + k, "没有听过") for k in range(6)]]
    with pytest.raises(InputError, match="没有听过") as error:
        make(tmp_path, people=people).run()
    assert error.value.key == "clean.at_odds"


def test_a_single_slip_costs_the_cell(tmp_path):
    done = make(tmp_path, people=[*PEOPLE, ("", "甲镇", 30, "没有听过")]).run()
    assert rejected(done, "cell") == [["Q3", "没有听过", "unknown_option"]] and rejected(done) == []


def test_years_are_no_age_and_an_unknown_village_is_no_psu(tmp_path):
    villages = ["V1,T01,甲一村,900,1"]
    people = [("V1", "甲镇", "40", "听过"), ("V9", "甲镇", "88年", "听过"), ("", "甲镇", "41岁", "听过")]
    done = make(tmp_path, people=people, villages=villages).run()
    assert rejected(done, "cell") == [["Q2", "88年", "not_a_number"], ["village_id", "V9", "no_such_village"]]
    assert done.forms["resident"]["village_id"].fillna("").tolist() == ["V1", "", ""]


# --- ledgers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", " ", "无", "／", "/", "N/A", "n/a", "未", "—", "－", "暂无", "\u3000"])
def test_words_for_nothing_in_an_optional_cell_are_blank(tmp_path, word):
    calls = [CALL, {**CALL, "call_id": "C2", "status": "open", "closed_at": word, "responded_at": word}]
    done = make(tmp_path, calls=calls).run()
    rows = done.ledgers["calls", "2022"]
    assert rows["closed_at"].isna().tolist() == [False, True] and done.rejected.empty


def test_an_unfit_optional_cell_costs_the_cell_and_never_the_row(tmp_path):
    calls = [
        CALL,
        {**CALL, "call_id": "C2", "closed_at": "上周五", "returned_n": "两次"},
        {**CALL, "call_id": "C3", "closed_at": "2021-01-01"},
    ]
    done = make(tmp_path, calls=calls).run()
    assert len(done.ledgers["calls", "2022"]) == 3 and rejected(done) == []
    assert rejected(done, "cell") == [
        ["closed_at", "上周五", "unfit"],
        ["returned_n", "两次", "unfit"],
        ["closed_at", "2021-01-01", "before"],
    ]


def test_rows_outside_the_period_and_times_after_the_data_were_taken(tmp_path):
    other = [{**CALL, "call_id": f"C{year}", "called_at": f"{year}-03-01", "dispatched_at": f"{year}-03-01", "responded_at": "", "closed_at": ""}
             for year in (2012, 2019, 2021, 2023, 2030)]  # fmt: skip
    late = {**CALL, "call_id": "C9", "closed_at": "2023-01-07"}
    done = make(tmp_path, calls=[CALL, *other, late]).run()
    assert done.ledgers["calls", "2022"]["call_id"].tolist() == ["C1", "C9"]
    assert {reason for *_, reason in rejected(done)} == {"outside_period", "after_as_of"}
    assert rejected(done, "cell") == [["closed_at", "2023-01-07", "after_as_of"]]


def test_offsets_from_utc_are_honoured(tmp_path):
    calls = [
        {
            **CALL,
            "called_at": "2022-03-01T00:30:00.000Z",
            "dispatched_at": "2022-03-01T01:00:00+00:00",
            "responded_at": "2022-03-03T17:00:00Z",
        }
    ]
    row = make(tmp_path, calls=calls).run().ledgers["calls", "2022"].iloc[0]
    assert [str(row[name]) for name in ("called_at", "dispatched_at", "responded_at")] == [
        "2022-03-01 08:30:00", "2022-03-01 09:00:00", "2022-03-04 01:00:00"]  # fmt: skip


def test_own_words_of_a_column_are_mapped(tmp_path):
    calls = [{**CALL, "status": "已销号"}, {**CALL, "call_id": "C2", "status": "在办", "closed_at": ""}]
    ledger = 'values = { status = { "已销号" = "closed", "在办" = "open" } }\n'
    assert make(tmp_path, calls=calls, ledger=ledger).run().ledgers["calls", "2022"]["status"].tolist() == [
        "closed",
        "open",
    ]
    assert len(rejected(make(tmp_path, calls=calls).run())) == 2


@pytest.mark.parametrize(("ledger", "key"), [
    ('columns = { close_at = "销号时刻" }\n', "contract.no_such_column"),
    ('columns = { closed_at = "没有这列" }\n', "contract.no_column"),
    ('values = { stauts = { "在办" = "open" } }\n', "contract.no_such_column"),
    ('values = { status = { "在办" = "opened" } }\n', "contract.no_such_value"),
])  # fmt: skip
def test_a_misspelt_key_is_refused_with_the_nearest(tmp_path, ledger, key):
    with pytest.raises((CountyError, InputError)) as error:
        make(tmp_path, calls=[CALL], ledger=ledger).run()
    assert not key or error.value.key == key


def test_headers_are_compared_without_breaks_and_two_for_one_column_are_refused(tmp_path):
    broken = {("责任\n部门" if name == "dept" else name): cell for name, cell in CALL.items()}
    assert len(make(tmp_path, calls=[broken]).run().ledgers["calls", "2022"]) == 1
    for other in ("镇街", "Town", "to wn"):  # the last two differ from `town` by case and a blank alone
        with pytest.raises(InputError) as error:
            make(tmp_path, calls=[{**CALL, other: "乙镇"}]).run()
        assert error.value.key == "contract.two_columns" and other in error.value.say("en")
