"""Every kind of cell by itself: what a text means, worked by hand; what means nothing is a fault, never a guess."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from huying.clean import cells
from huying.clean.cells import ANSWERED, SILENT, Cell, Matcher
from huying.clean.flags import all_rejected
from huying.codebook import WHY_MISSING, parse_codebook

BLANK, SKIPPED, REFUSED = (WHY_MISSING.index(why) for why in ("blank", "skipped", "refused"))
BOOK = parse_codebook("""
[[item]]
id = "Q1"
form = "resident"
type = "single"
zh = "甲"
en = "A"
options = [{ code = 5, zh = "是", en = "Yes" }, { code = 9, zh = "否", en = "No" }]
missing = { 77 = "refused" }

[[item]]
id = "Q2"
form = "resident"
type = "number"
zh = "乙"
en = "B"
range = [0, 20]
missing_from = [[15, 20]]

[[item]]
id = "Q3"
form = "resident"
type = "whole"
zh = "丙"
en = "C"

[[item]]
id = "Q4"
form = "resident"
type = "whole"
zh = "丁"
en = "D"
range = [18, 130]
unit = { zh = "岁", en = "years" }
missing = { -77 = "refused" }
role = "age"
""")
ONE, NUMBER, WHOLE, AGE = (BOOK.items[key] for key in ("Q1", "Q2", "Q3", "Q4"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-05-10", "2023-05-10"),
        ("2023/5/1", "2023-05-01"),
        ("2023.12.31", "2023-12-31"),
        ("2023年5月1日", "2023-05-01"),
        ("2024-02-29", "2024-02-29"),
        ("2023-02-29", ""),  # no leap year
        ("2023-13-01", ""),
        ("23-5-1", ""),
        ("五月一日", ""),
        ("", ""),
        ("2023-05-10 9:05", "2023-05-10 09:05:00"),
        ("2023/5/10 23:59:58", "2023-05-10 23:59:58"),
        ("2023-05-10T09:05:00.000", "2023-05-10 09:05:00"),
        ("2023-05-10 24:01", ""),
        ("2023-05-10 9:60", ""),
    ],
)
def test_a_day_with_an_hour_or_without(text, day):
    assert cells.iso_dates([text]) == [day]
    assert cells.date_reader([text])(text) == (0.0, ANSWERED if day else cells.NO_DATE if text else SILENT, False)


@pytest.mark.parametrize(
    ("text", "state"), [("拒答", REFUSED), ("REFUSED", REFUSED), ("无", BLANK), ("(跳过)", SKIPPED)]
)
def test_words_in_place_of_a_day(text, state):
    assert cells.date_reader([text])(text)[1] == state


def test_a_ranking_is_known_by_its_order():
    orders = {}
    read = cells.ranking_reader({"甲": 1, "乙": 2, "丙": 3}, orders)
    said = [read(text)[:2] for text in ("甲→乙", "乙→甲", "甲→乙", "丙〖写的〗→甲", "丙")]
    assert said == [(0.0, ANSWERED), (1.0, ANSWERED), (0.0, ANSWERED), (2.0, ANSWERED), (3.0, ANSWERED)]
    assert orders == {(1, 2): 0, (2, 1): 1, (3, 1): 2, (3,): 3}
    for text in ("甲→甲", "甲→丁", "丁"):  # twice, and what is no option
        assert read(text)[1] == cells.NO_RANKING
    assert read("")[1] == SILENT and len(orders) == 4


def test_numbers_of_an_export_are_places_or_codes():
    by_place, by_code = cells.code_reader(ONE, "position"), cells.code_reader(ONE, "code")
    assert [by_place(text)[0] for text in ("1", "2", "2.0")] == [5, 9, 9]
    assert [by_place(text)[1] for text in ("0", "3", "5", "-3", "-2", "")] == [cells.UNKNOWN] * 3 + [
        SKIPPED,
        BLANK,
        SILENT,
    ]
    assert [by_code(text)[0] for text in ("5", "9", "77")] == [5, 9, 77]
    assert by_code("1")[1] == by_code("2")[1] == cells.UNKNOWN


@pytest.mark.parametrize(
    ("text", "value", "state"),
    [("0", 0, ANSWERED), ("20", None, BLANK), ("15", None, BLANK), ("14.9", 14.9, ANSWERED), ("-1", None, cells.OUT_OF_RANGE),
     ("20.5", None, cells.OUT_OF_RANGE), ("3 件", 3, ANSWERED), ("3件事", None, cells.NOT_A_NUMBER), (".5", None, cells.NOT_A_NUMBER)],
)  # fmt: skip
def test_a_number_in_its_range_and_outside_of_what_means_no_answer(text, value, state):
    got, how, is_repaired = cells.number_reader(NUMBER, 2023)(text)
    assert how == state and not is_repaired and (got == value if value is not None else np.isnan(got))


def test_a_whole_number_without_a_range_has_no_fraction_and_room_for_any_count():
    read = cells.number_reader(WHOLE, 2023)
    assert [read(text)[0] for text in ("2147483647", "-5", "7.0")] == [2147483647, -5, 7]
    assert (read("7.5")[1], read("2147483648")[1]) == (cells.NOT_A_NUMBER, cells.OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("text", "seconds"), [("136", 136), ("136秒", 136), ("2分16秒", 136), ("1小时1分1秒", 3661), ("2时", 7200), ("3分钟", 180), ("0", 0),
                         ("418.0", 418), ("418.0秒", 418), ("6:58", 418), ("00:06:58", 418), ("1:00:00", 3600)]
)  # fmt: skip
def test_how_long_it_took(text, seconds):
    assert cells.read_duration(text) == (seconds, ANSWERED, False)
    assert cells.read_duration(f"{text}左右")[1] == cells.NOT_A_NUMBER


def cell_of(*said):
    """A cell of several rows from its values, and from its states where there is none."""
    value = np.array([one if isinstance(one, float) else np.nan for one in said])
    state = np.array([ANSWERED if isinstance(one, float) else one for one in said], dtype=np.int8)
    return Cell(value, state, np.zeros(len(said), dtype=bool))


def test_two_exports_of_one_cell():
    """Equal, different, words that name nothing, number silent, said by one and blank in the other, silent in both."""
    text = cell_of(1.0, 1.0, cells.UNKNOWN, 2.0, BLANK, SILENT, SILENT, SKIPPED)
    number = cell_of(1.0, 2.0, 3.0, SILENT, 1.0, SILENT, cells.UNKNOWN, SKIPPED)
    found = cells.reconcile(text, number)
    assert found.state.tolist() == [
        ANSWERED,
        cells.DISAGREE,
        cells.DISAGREE,
        ANSWERED,
        cells.DISAGREE,
        SILENT,
        cells.UNKNOWN,
        SKIPPED,
    ]
    assert np.nan_to_num(found.value, nan=-1).tolist() == [1, -1, -1, 2, -1, -1, -1, -1]


@pytest.mark.parametrize(("text", "state"), [("没有", BLANK), ("无", BLANK), ("NA", ANSWERED), ("null", ANSWERED), ("说不清", WHY_MISSING.index("does_not_know")),
                                             ("没有意见", ANSWERED), ("(跳过)", SKIPPED), ("", SILENT)])  # fmt: skip
def test_free_words(text, state):
    assert cells.read_words(text) == (0.0, state, False)


def test_nothing_but_an_age_or_a_town_is_repaired():
    """Whatever else is read is an answer as it stands, or none; of an age and a town the rows below say it."""
    towns = cells.town_reader(ONE, Matcher({"T1": ["均值镇"], "T2": ["样本镇"], "T3": ["样本街道"]}), {"T1": 1})
    readers = (cells.option_reader(ONE), cells.code_reader(ONE, "position"), cells.code_reader(ONE, "code"), cells.read_words, towns,
               cells.ranking_reader({"是": 0}, {}), cells.number_reader(WHOLE, 2023), cells.number_reader(AGE, 2023), cells.read_duration)  # fmt: skip
    texts = (
        "是",
        "是┋否",
        "是→否",
        "1",
        "5",
        "7.5",
        "250",
        "-77",
        "99999999999",
        "-3",
        "拒答",
        "没有",
        "均值镇",
        "样本",
        "东岭镇",
        "",
    )
    assert not any(read(text)[2] for read in readers for text in texts)
    assert towns("均值") == (1.0, ANSWERED, True)
    assert [towns(text)[1] for text in ("样本", "东岭镇", "样本镇")] == [  # the last is no town of the form
        cells.TOWN_AMBIGUOUS, cells.TOWN_UNKNOWN, cells.TOWN_UNKNOWN]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "age", "is_repaired"),
    [("10", 10, False), ("9", None, False), ("130", 130, False), ("131", None, False), ("42 YEARS", 42, False), ("42岁", 42, False),
     ("2005", 18, True), ("2006", None, False), ("1900", 123, True), ("1899", None, False), ("1893", None, False)],
)  # fmt: skip
def test_an_age_from_ten_on_or_a_year_of_birth_that_makes_one(text, age, is_repaired):
    value, state, mended = cells.number_reader(AGE, 2023)(text)
    assert (state, mended) == (cells.OUT_OF_RANGE if age is None else ANSWERED, is_repaired)
    assert value == age if age else np.isnan(value)


def test_an_age_is_counted_in_no_other_unit_and_no_other_number_is_a_year_of_birth():
    assert cells.number_reader(AGE, 2023)("42个")[1] == cells.NOT_A_NUMBER
    assert cells.number_reader(AGE, 2023)("-77")[1] == REFUSED
    founded = cells.number_reader(replace(WHOLE, range=(1990, 2023)), 2023)
    assert [founded(text)[1] for text in ("1990", "1968", "50", "10")] == [ANSWERED] + [cells.OUT_OF_RANGE] * 3


@pytest.mark.parametrize(
    ("text", "found"),
    [("甲", {0: ""}), ("乙┋甲", {1: "", 0: ""}), ("甲〖 写的 〗┋乙", {0: "写的", 1: ""}), ("甲┋乙〖x┋y〗", {0: "", 1: "x┋y"}), ("┋", {}),
     ("丙", None), ("甲┋丙", None), ("甲┋", None), ("", None)],
)  # fmt: skip
def test_the_options_that_a_cell_names(text, found):
    assert cells.chosen(text, {"甲": 0, "乙": 1}) == found


def test_one_option_of_several_at_most_where_one_is_asked_for():
    single, many = (cells.option_reader(replace(ONE, type=kind)) for kind in ("single", "multi"))
    assert [single(text)[1] for text in ("否", "是┋否", "┋")] == [ANSWERED, cells.UNKNOWN, cells.UNKNOWN]
    assert [many(text)[0] for text in ("是", "否", "是┋否", "┋")] == [1, 2, 3, 0]  # bits


def odd_words(item, answers, asked=True):
    """What is at odds among answers, each of a text and a state, of people who were asked."""
    texts, states = zip(*answers, strict=True)
    cell = Cell(np.zeros(len(texts)), np.array(states, dtype=np.int8), np.zeros(len(texts), dtype=bool))
    found = cells.at_odds(item, pd.Series(texts, dtype="str"), cell, np.full(len(texts), asked))
    return [(words, len(rows), of) for words, rows, of in found]


UNKNOWN, DISAGREE, TOWN_UNKNOWN, NO_NUMBER = cells.UNKNOWN, cells.DISAGREE, cells.TOWN_UNKNOWN, cells.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("item", "answers", "found"),
    [
        ("single", [("对", UNKNOWN)] * 4 + [("是", ANSWERED)], []),  # four may be slips
        ("single", [("对", UNKNOWN)] * 5 + [("是", ANSWERED)] * 30, [("对", 5, 5)]),
        ("single", [("是", DISAGREE)] * 5 + [("是", ANSWERED)] * 5, []),  # a half is not mostly
        ("single", [("是", DISAGREE)] * 6 + [("是", ANSWERED)] * 5, [("是", 6, 11)]),
        ("single", [(f"对{n}", UNKNOWN) for n in range(9)], []),  # each once
        ("whole", [(f"第{n}", NO_NUMBER) for n in range(5)] + [("3", ANSWERED)] * 4 + [("", SILENT)] * 9, [("", 5, 9)]),
        ("whole", [(f"第{n}", NO_NUMBER) for n in range(5)] + [("3", ANSWERED)] * 5, []),
        ("multi", [("是〖x〗┋对", UNKNOWN)] * 5 + [("否", ANSWERED)], [("对", 5, 5)]),  # what was known in these cells is not at odds
        ("town", [("某镇", TOWN_UNKNOWN)] * 9, []),  # people's own spelling
        ("town", [("甲镇", DISAGREE)] * 5, [("甲镇", 5, 5)]),
        ("text", [("对", ANSWERED)] * 9, []),
    ],
)  # fmt: skip
def test_words_that_do_not_fit_five_times_and_mostly_are_at_odds(item, answers, found):
    items = {"single": ONE, "multi": replace(ONE, type="multi"), "town": replace(ONE, role="town"), "whole": WHOLE}
    asked_of = items.get(item, replace(WHOLE, type="text"))
    assert odd_words(asked_of, answers) == found and odd_words(asked_of, answers, asked=False) == []


@pytest.mark.parametrize(
    ("text", "number", "state"),
    [(UNKNOWN, SILENT, UNKNOWN), (UNKNOWN, UNKNOWN, UNKNOWN), (UNKNOWN, BLANK, DISAGREE), (TOWN_UNKNOWN, 3.0, DISAGREE), (1.0, UNKNOWN, ANSWERED),
     (1.0, BLANK, DISAGREE), (BLANK, 1.0, DISAGREE), (REFUSED, BLANK, REFUSED), (NO_NUMBER, 3.0, NO_NUMBER), (cells.OUT_OF_RANGE, BLANK, cells.OUT_OF_RANGE),
     (SILENT, 3.0, ANSWERED), (SILENT, BLANK, BLANK)],
)  # fmt: skip
def test_a_number_stands_beside_words_only_where_they_name_what_the_number_may_contradict(text, number, state):
    assert cells.reconcile(cell_of(text), cell_of(number)).state.tolist() == [state]


REGISTER = {"T1": ["均值镇"], "T2": ["样本镇"], "T3": ["样本街道"], "T4": ["城关镇街道", "北"], "T5": ["县南镇"], "T6": ["南镇"], "T7": ["同名镇"], "T8": ["同名镇"]}  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "found"),
    [("均值镇", ("T1", "exact")), ("（均值 镇）", ("T1", "exact")), ("t1", ("T1", "exact")), ("均值", ("T1", "repaired")), ("", (None, "blank")),
     ("样本", (None, "ambiguous")), ("同名镇", (None, "ambiguous")), ("样本镇政府", ("T2", "repaired")), ("样本镇人民政府", ("T2", "repaired")),
     ("样本街办", ("T3", "repaired")), ("样本街道办事处", ("T3", "repaired")), ("人民政府", (None, "unknown")), ("均值乡", (None, "unknown")),
     ("城关镇", (None, "unknown")), ("城关镇街道", ("T4", "exact")), ("东岭", (None, "unknown")), ("东岭镇", (None, "unknown")),
     ("示例县均值镇", ("T1", "repaired")), ("示例县均值", ("T1", "repaired")), ("外县均值镇", (None, "unknown")), ("示例县", (None, "unknown")),
     ("北", ("T4", "exact")), ("示例县北", (None, "unknown")),  # one character is too little of a name
     ("示例县南镇", ("T6", "repaired"))],  # the longest name of the county that stands before
)  # fmt: skip
def test_a_name_without_its_office_type_or_county(typed, found):
    assert Matcher(REGISTER, ["示例", "示例县"]).find(typed) == found


def test_each_rejected_row_is_named_once():
    source = pd.DataFrame({"file": "a.csv", "sheet": "", "row": [2, 3, 4], "column": ["", "年龄", "x"], "value": ["13812345678", "a", "b"],
                           "reason": ["empty", "not_a_number", "unpaired"], "level": ["row", "cell", "row"]})  # fmt: skip
    found = pd.DataFrame(
        {
            "file": "a.csv",
            "sheet": "",
            "row": [2, 3, 4, 5],
            "column": "",
            "value": "",
            "reason": "town_unknown",
            "level": "row",
        }
    )
    table = all_rejected(source, found)
    assert table[["row", "level"]].to_numpy().tolist() == [[2, "row"], [3, "cell"], [4, "row"], [3, "row"], [5, "row"]]
    assert table.loc[0, "value"] == "[手机号]" and list(table.columns) == list(source.columns)
