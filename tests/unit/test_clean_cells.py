"""Every kind of cell by itself: what a text means, worked by hand; what means nothing is a fault, never a guess."""

import numpy as np
import pandas as pd
import pytest

from huying.clean import cells
from huying.clean.cells import ANSWERED, SILENT, Cell
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
""")
ONE, NUMBER, WHOLE = (BOOK.items[key] for key in ("Q1", "Q2", "Q3"))


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
    assert cells.date_reader([text])(text)[1] == (ANSWERED if day else cells.NO_DATE if text else SILENT)


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
    assert table.loc[0, "value"] == "[手机号]"
