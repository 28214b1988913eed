import pandas as pd
import pytest

from huying.clean.cells import Matcher
from huying.clean.flags import count_rows, say_rejected
from huying.clean.ledgers import clean_ledger, known_ids
from huying.folder import check_printed, read_county
from huying.kinds import Choice
from huying.ledgers import TABLES
from huying.sources.table import read_table
from huying.words import LANGUAGES, CountyError, all_words, say

TOWNS = {"town": Matcher({"T01": ["均值镇"], "T02": ["方差镇"]})}


def cleaned(tmp_path, table, lines, known=None):
    """The ledger of a hand-made csv, whose first line is the header and line 2 the first row."""
    file = tmp_path / f"{table}.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return clean_ledger(TABLES[table], read_table(file), TOWNS, known=known)


def told(done):
    return [(r.row, r.column, r.value, r.reason) for r in done.rejected.itertuples()]


def lines_of(done):
    """The rejected rows in words, the language first."""
    entries = done.rejected.to_dict("records")
    return {lang: [say_rejected(entry, lang) for entry in entries] for lang in LANGUAGES}


def adds_up(done, n):
    assert n == len(done.kept) + count_rows(done.rejected)


# --- each bad input of its own --------------------------------------------------------------------------------------------

CHECKS = [
    "镇街,原机构编号,核查项,在用名称,核查日期",
    "均值镇,O01,门牌,新机构,2023-05-10",
    "均值镇,O77,门牌,原站所,2023-05-10",
]


def test_an_old_unit_without_a_mapping(tmp_path):
    done = cleaned(tmp_path, "unit_check", CHECKS, {"org_map": {"O01", "O02"}})
    assert told(done) == [(3, "原机构编号", "O77", "unmapped")] and list(done.kept["old_id"]) == ["O01"]
    adds_up(done, 2)
    assert lines_of(done) == {
        "zh": ["unit_check.csv，第 3 行，“原机构编号”列：实为“O77”，新旧机构对照表中没有这个原机构（或它的行已被剔除）。请先在对照表中补上或改正；该行已剔除"],
        "en": ["unit_check.csv, row 3, column 原机构编号: got O77; the map of old units has no such unit (or its rows were set aside). "
               "Add it to the map, or correct the map, first; the row was set aside"],
    }  # fmt: skip


@pytest.mark.parametrize("known", [None, {}, {"towns": {"T01"}}])
def test_a_county_without_the_other_ledger_is_not_asked_for_it(tmp_path, known):
    assert len(cleaned(tmp_path, "unit_check", CHECKS, known).kept) == 2


def test_known_ids_are_those_of_what_was_cleaned():
    ledgers = {("org_map", ""): pd.DataFrame({"old_id": ["O01", "O01", "O02"], "new_unit": ["N1", "N2", "N1"]}),
               ("towns", "2022"): pd.DataFrame({"town_id": ["T01"]}), ("towns", "2023"): pd.DataFrame({"town_id": ["T02"]}),
               ("calls", "2022"): pd.DataFrame({"call_id": ["C1"]})}  # fmt: skip
    assert known_ids(ledgers) == {"org_map": {"O01", "O02"}, "towns": {"T01", "T02"}}


def test_a_village_of_a_town_that_the_register_lacks(tmp_path):
    lines = ["村编号,镇街编号,村名,成年人口,是否入样", "V1,T01,一村,900,是", "V2,T99,二村,800,否"]
    done = cleaned(tmp_path, "villages", lines, {"towns": {"T01", "T02"}})
    assert told(done) == [(3, "镇街编号", "T99", "no_such_town")]


MAP = "原机构编号,原机构名称,原机构英文名,新机构编号,关系,承接份额,生效日期"


def unit(old, new, share, day=""):
    return f"{old},某站,Some station,{new},一分多,{share},{day}"


def test_shares_that_do_not_add_to_one(tmp_path):
    rows = [unit("O01", "N1", 0.7), unit("O01", "N2", 0.3),  # .7 + .3 = 1
            unit("O02", "N1", 0.7), unit("O02", "N2", 0.2),  # .7 + .2 = .9: both rows go
            unit("O03", "N1", ""), unit("O03", "N2", ""),  # none is given
            unit("O04", "N1", 0.333), unit("O04", "N2", 0.333), unit("O04", "N3", 0.333),  # .999: within .005
            unit("O05", "N1", 1), unit("O05", "N2", "")]  # the second without a share  # fmt: skip
    done = cleaned(tmp_path, "org_map", [MAP, *rows])
    assert told(done) == [
        (4, "承接份额", "O02: 0.7 + 0.2 = 0.9", "shares_not_one"),
        (5, "承接份额", "O02: 0.7 + 0.2 = 0.9", "shares_not_one"),
    ]
    adds_up(done, 11)
    assert lines_of(done)["zh"][0] == (
        "org_map.csv，第 4 行，“承接份额”列：实为“O02: 0.7 + 0.2 = 0.9”，这个原机构的承接份额之和不是 1，它的各行都未采用。请核对并改正份额；该行已剔除"
    )
    assert "the shares of this old unit do not add to 1" in lines_of(done)["en"][0]


def test_a_map_that_changes_on_a_date_adds_to_one_from_each_date(tmp_path):
    rows = [unit("O01", "N1", 0.7, "2022-01-20"), unit("O01", "N2", 0.3, "2022-01-20"), unit("O01", "N3", 1, "2024-01-01"),
            unit("O02", "N1", 0.7, "2022-01-20"), unit("O02", "N2", 0.3, "2022-03-01"),  # 1 in all
            unit("O03", "N1", 1, "2022-01-20"), unit("O03", "N2", 0.4, "2024-01-01")]  # fmt: skip
    assert [(row, reason) for row, _, _, reason in told(cleaned(tmp_path, "org_map", [MAP, *rows]))] == [
        (7, "shares_not_one"),
        (8, "shares_not_one"),
    ]


def test_a_unit_that_lost_a_row_no_longer_adds_to_one(tmp_path):
    done = cleaned(tmp_path, "org_map", [MAP, unit("O01", "N1", 0.7), unit("O01", "N2", "30%")])
    assert {row: reason for row, _, _, reason in told(done)} == {2: "shares_not_one", 3: "per_cent"}
    adds_up(done, 2)


def test_a_head_change_without_its_date(tmp_path):
    lines = [
        "流水号,机构编号,镇街,调整日期,是否征求镇街意见",
        "E1,A1,均值镇,,书面征求",
        "E2,A1,均值镇,2022-10-08,不清楚",
    ]
    done = cleaned(tmp_path, "agency_events", lines)
    assert told(done) == [(2, "调整日期", "", "no_change_date")]
    adds_up(done, 2)
    assert lines_of(done) == {
        "zh": ["agency_events.csv，第 2 行，“调整日期”列：负责人调整没有日期，无法判断在机制实行之前还是之后。请按任免文件补填调整日期；该行已剔除"],
        "en": ["agency_events.csv, row 2, column 调整日期: a change of head without its date: it cannot be placed before or after the mechanism. "
               "Fill in the day of the appointment document; the row was set aside"],
    }  # fmt: skip


ROSTER = "机构编号,镇街,类别,人事关系,工资关系,通知参会次数,实际参会次数"


def test_an_agency_in_two_towns_is_in_neither(tmp_path):
    rows = ["A01,均值镇,综合执法,镇街,镇街,9,9", "A02,均值镇政府,市场监管,镇街,镇街,9,9", "A02,方差镇,市场监管,镇街,镇街,9,9",
            "A03,均值镇,司法所,镇街,镇街,9,9", "A03,均值镇政府,司法所,镇街,镇街,8,8",  # one town, spelt in two ways
            "A02,均值镇,市场监管,?,镇街,9,9"]  # fmt: skip
    done = cleaned(tmp_path, "agencies", [ROSTER, *rows])
    assert told(done) == [
        (3, "机构编号", "A02: T01, T02", "agency_in_two_towns"),
        (4, "机构编号", "A02: T01, T02", "agency_in_two_towns"),
        (7, "机构编号", "A02: T01, T02", "agency_in_two_towns"),
        (6, "机构编号", "A03", "key_taken"),
    ]
    assert list(done.kept["agency_id"]) == ["A01", "A03"]
    adds_up(done, 6)
    assert lines_of(done)["zh"][0].startswith(
        "agencies.csv，第 3 行，“机构编号”列：实为“A02: T01, T02”，同一机构列在不止一个镇街"
    )
    assert lines_of(done)["en"][0].startswith(
        "agencies.csv, row 3, column 机构编号: got A02: T01, T02; the agency is listed in more than one town"
    )


def test_appraisal_weights_of_103_per_cent(tmp_path):
    lines = [
        "部门,年度,镇街评价权重,其他部分权重",
        "民政局,2022,0.3,0.7",
        "水务局,2022,0.35,0.68",
        "交通局,2022,0.333,0.664",
        "教育局,2022,0.4,0.61",
    ]
    done = cleaned(tmp_path, "appraisal_weights", lines)
    assert told(done) == [  # .333 + .664 = .997 is within .005, .4 + .61 = 1.01 is not
        (3, "镇街评价权重", "0.35 + 0.68 = 1.03", "weights_not_one"),
        (5, "镇街评价权重", "0.4 + 0.61 = 1.01", "weights_not_one"),
    ]
    adds_up(done, 4)
    assert lines_of(done)["zh"][0] == (
        "appraisal_weights.csv，第 3 行，“镇街评价权重”列：实为“0.35 + 0.68 = 1.03”，两部分权重之和不是 1（即 100%）。请按考核办法核对两个权重；该行已剔除"
    )
    assert "got 0.35 + 0.68 = 1.03; the two weights do not add to 1 (100%)" in lines_of(done)["en"][0]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("30%", "per_cent"), ("30％", "per_cent"), ("30", "per_cent"), ("30.5 %", "per_cent"), ("103%", "per_cent"), ("100", "per_cent"),
     ("-0.3", "unfit"), ("1.03", "per_cent"), ("三成", "unfit"), ("3000", "unfit")],
)  # fmt: skip
def test_a_per_cent_where_a_share_belongs(tmp_path, cell, reason):
    done = cleaned(tmp_path, "appraisal_weights", ["部门,年度,镇街评价权重,其他部分权重", f"民政局,2022,{cell},0.7"])
    assert told(done) == [(2, "镇街评价权重", cell, reason)]
    if reason == "per_cent":
        assert "30% 请写 0.3" in lines_of(done)["zh"][0] and "write 30% as 0.3" in lines_of(done)["en"][0]


@pytest.mark.parametrize(
    ("table", "head", "good", "bad", "reason", "shown"),
    [
        ("quota", "镇街,年度,编制类别,编制数,实有人数,借出人数", "均值镇,2022,行政编制,9,8,8", "方差镇,2022,行政编制,9,8,9", "lent_above_filled", "9 > 8"),
        ("centres", "中心(站)编号,镇街,层级,是否建成,窗口数,已定B岗的窗口数", "Z1,均值镇,镇街便民服务中心,是,8,", "Z2,方差镇,镇街便民服务中心,是,8,9",
         "deputies_above_windows", "9 > 8"),
        ("centres", "中心(站)编号,镇街,层级,是否建成,窗口数,核查时无人的窗口数", "Z1,均值镇,镇街便民服务中心,是,,3", "Z2,方差镇,镇街便民服务中心,是,2,3",
         "unmanned_above_windows", "3 > 2"),
        ("agencies", ROSTER, "A1,均值镇,司法所,镇街,镇街,9,9", "A2,方差镇,司法所,镇街,镇街,9,10", "attended_above_called", "10 > 9"),
    ],
)  # fmt: skip
def test_a_part_above_its_whole(tmp_path, table, head, good, bad, reason, shown):
    done = cleaned(tmp_path, table, [head, good, bad])
    assert [(row, value, why) for row, _, value, why in told(done)] == [(3, shown, reason)] and list(
        done.kept.index
    ) == [2]
    adds_up(done, 2)
    assert (
        say(f"clean.reason_{reason}", "zh") in lines_of(done)["zh"][0]
        and "Check the two columns" in lines_of(done)["en"][0]
    )


# --- numbers that the report prints ----------------------------------------------------------------------------------------

HEAD = '[county]\nid = "x"\nname_zh = "某县"\nname_en = "X"\nsampling = "quota"\nis_synthetic = true\n\n'


def county(tmp_path, printed):
    (tmp_path / "county.toml").write_text(HEAD + printed, "utf-8")
    return read_county(tmp_path)


@pytest.mark.parametrize(
    ("printed", "row", "zh", "en"),
    [
        ("[printed]\nA13 = { admin_total = 78, admin_towns = 120 }\n", 9, "A13：admin_towns = 120 大于其总数 admin_total = 78", "A13: admin_towns = 120 is larger than its total admin_total = 78"),
        ("[printed]\nD10 = 24\nA13 = { psu_total = 100, psu_towns = 104 }\n", 10, "psu_towns = 104 大于", "psu_towns = 104 is larger"),
        ("[printed.A13]\npsu_total = 100\npsu_towns = 104\n", 10, "psu_towns = 104 大于", "psu_towns = 104 is larger"),
        ("[printed]\nA14 = { percent = 65.0, towns = 170, total = 160 }\n", 9, "A14：towns = 170 大于其总数 total = 160", "A14: towns = 170 is larger"),
        ("[printed]\nA14 = { percent = 650 }\n", 9, "percent = 650 不是 0 至 100 的百分数", "percent = 650 is no per cent from 0 to 100"),
        ("[printed]\nA14 = 650\n", 9, "percent = 650 不是", "percent = 650 is no per cent"),
        ('[printed]\nA13 = { admin_total = "*" }\n', 9, "admin_total 应为数，实为 '*'", "admin_total: expected a number, got '*'"),
        ("[printed]\nA13 = { admin_total = -1 }\n", 9, "admin_total = -1 应为", "admin_total = -1 should be"),
    ],
)  # fmt: skip
def test_a_printed_plan_smaller_than_its_part(tmp_path, printed, row, zh, en):
    with pytest.raises(CountyError) as caught:
        check_printed(county(tmp_path, printed))
    assert zh in caught.value.say("zh") and en in caught.value.say("en")
    assert (caught.value.place.file, caught.value.place.row) == (str(tmp_path / "county.toml"), row)


@pytest.mark.parametrize(
    "printed",
    ["", "[printed]\nA13 = { admin_total = 120, admin_towns = 78, psu_total = 160, psu_towns = 104, year = 2022 }\nA14 = { percent = 65.0, towns = 104 }\nD10 = 24\n",
     "[printed]\nA13 = { admin_towns = 78 }\nA14 = 65.0\n", "[printed]\nA13 = { admin_total = 78, admin_towns = 78 }\n"],
)  # fmt: skip
def test_printed_numbers_that_agree(tmp_path, printed):
    check_printed(county(tmp_path, printed))


# --- the declarations ------------------------------------------------------------------------------------------------------


def test_every_rule_has_words_and_speaks_of_columns_that_exist():
    words = all_words()
    for table in TABLES.values():
        titles = {lang: {name: other.title(lang) for name, other in TABLES.items()} for lang in LANGUAGES}
        assert all("{" not in text for lang in LANGUAGES for text in table.rule_words(lang, titles[lang]))
        for rule in table.rules:
            assert f"clean.reason_{rule.reason}" in words and rule.column in table.by_name
            if rule.name == "InLedger":
                assert rule.more["of"] in TABLES[rule.more["ledger"]].by_name
        for column in table.columns:
            assert f"clean.reason_{column.blank}" in words
            assert all(
                column.describe(lang) and bool(column.unit_word(lang)) == bool(column.unit) for lang in LANGUAGES
            )


def test_every_ledger_says_what_a_row_is_and_gives_an_example():
    for table in TABLES.values():
        assert table.rows and len(table.example) == len(table.columns), table.name
        for column, example in zip(table.columns, table.example, strict=True):
            assert example or column.optional, (table.name, column.name)
            assert not isinstance(column.kind, Choice) or not example or example in column.kind.options
