import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from demo_county.spelling import as_written
from huying.kinds import (
    NOTHING,
    Choice,
    Day,
    Flag,
    Id,
    Instant,
    Label,
    Number,
    Whole,
    clean_series,
    clean_text,
    parse_instants,
)
from huying.ledgers import REJECTED, Column, Table, full_header, no_rejects
from huying.words import InputError, Place, Text

PLACE = Place("calls.csv")
COLOURS = Choice({"r": Text("红", "red"), "g": Text("绿（浅）", "green")})
KINDS = [Label(), Id(), Whole(), Number(0, 9), Instant(), Day(), COLOURS, Flag()]


def parse(kind, *cells):
    """The values (missing as None) and which cells did not fit."""
    values, bad = kind.parse(clean_series(pd.Series(cells, dtype=object)))
    return [None if pd.isna(value) else value for value in values], list(bad)


def table(*columns, key=(), **rest):
    return Table("t", Text("表", "table"), tuple(columns), key, **rest)


def column(name, kind, **rest):
    return Column(name, kind, Text(f"中{name}", f"the {name}"), **rest)


def text(index=2, **cells):
    frame = pd.DataFrame(cells, dtype=object)
    return frame.set_axis(range(index, index + len(frame)))


# --- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (" a ", "a"),
        ("\u3000甲镇\u00a0", "甲镇"),  # ideographic and no-break blanks
        ("\ufeff甲\u200b镇", "甲镇"),  # byte-order mark and zero-width blank inside
        ("３４", "34"),
        ("ＡＢ（甲）", "AB(甲)"),
        ("三十四", "三十四"),
        ("", ""),
    ],
)
def test_clean_text(raw, clean):
    assert clean_text(raw) == clean
    assert clean_series(pd.Series([raw, raw, "z"], dtype=object)).tolist() == [clean, clean, "z"]


def test_a_missing_cell_is_blank():
    assert clean_series(pd.Series(["a", None, np.nan], dtype=object)).tolist() == ["a", "", ""]
    assert clean_series(pd.Series([], dtype=object)).tolist() == []


def test_full_header():
    assert full_header("\ufeff1、 您的\u3000 年龄\n是 ") == "1、 您的 年龄 是"


@pytest.mark.parametrize("kind", [Label(), Id()], ids=["label", "id"])
@pytest.mark.parametrize(
    "cell", ["NA", "None", "nan", "NULL", "true", "0", "001", "12345678901234567890", "1-2", "甲|乙"]
)
def test_text_stays_text(kind, cell):
    assert parse(kind, cell) == ([cell], [False])


@pytest.mark.parametrize("cell", ["1.23457E+19", "1E+05", "9.0e+15"])
def test_an_id_in_scientific_notation_has_lost_digits(cell):
    assert parse(Id(), cell) == ([cell], [True])
    assert parse(Label(), cell) == ([cell], [False])


@pytest.mark.parametrize(
    ("cell", "value"),
    [("7", 7), ("+7", 7), ("7.0", 7), ("７", 7), ("007", 7), (" 7 ", 7), ("0", 0), ("9", 9), ("10", None), ("-1", None), ("7.5", None),
     ("1e1", None), ("7人", None), ("50%", None), ("七", None), ("NA", None), ("inf", None), ("9" * 30, None)],
)  # fmt: skip
def test_whole(cell, value):
    assert parse(Whole(0, 9), cell) == ([value], [value is None])


@pytest.mark.parametrize(
    ("cell", "value"),
    [("0.5", 0.5), ("1e-3", 0.001), ("１．５", 1.5), ("1", 1.0), ("2.01", None), ("1e400", None), ("inf", None), ("nan", None),
     ("50%", None), ("1,5", None), (".5", None), ("0x1", None)],
)  # fmt: skip
def test_number(cell, value):
    assert parse(Number(0, 2), cell) == ([value], [value is None])


def test_a_number_without_limits_is_finite():
    assert parse(Number(), "1e308", "1e400", "-1e400") == ([1e308, None, None], [False, True, True])


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2022-09-30 16:05", "2022-09-30 16:05:00"),
        ("2022-09-30 16:05:09", "2022-09-30 16:05:09"),
        ("2022-09-30T16:05:09.250", "2022-09-30 16:05:09"),
        ("2022/9/3 6:05", "2022-09-03 06:05:00"),
        ("2022.09.30", "2022-09-30 00:00:00"),
        ("2022年9月30日", "2022-09-30 00:00:00"),
        ("2022年9月30日16时05分", "2022-09-30 16:05:00"),
        ("２０２２-０９-３０　１６：０５", "2022-09-30 16:05:00"),
        ("2022-09-30 16:05:00 +08:00", "2022-09-30 16:05:00"),
        ("2022-09-30T03:05:00-05:00", "2022-09-30 16:05:00"),
        ("2022-09-30 08:05 GMT+00:00", "2022-09-30 16:05:00"),
        ("45047", "2023-05-01 00:00:00"),  # serial 44927 is 2023-01-01; 31 + 28 + 31 + 30 = 120 days on
        ("45047.5", "2023-05-01 12:00:00"),  # half a day
        ("44834.6701388889", "2022-09-30 16:05:00"),  # 93 days before 2023-01-01; .67014 x 1440 = 965 min = 16 h 5
        ("2024-02-29", "2024-02-29 00:00:00"),
    ],
)
def test_instants(cell, value):
    assert parse(Instant(), cell) == ([pd.Timestamp(value)], [False])


@pytest.mark.parametrize(
    "cell",
    ["5/1/2023", "13/1/2023", "01-05-2023", "22-9-30", "22/09/30 16:05", "9月30日", "2022-13-01", "2023-02-29", "2022-09-31",
     "2022-09-30 24:30", "2022-09-30 16:61", "2022-09-30 上午13:00", "2022-09-30 晚上8:00", "2022-09-30 下午0:10", "2022-09-30 AM 9:10 PM", "16:05", "昨天", "2022", "202209", "20221330", "123", "99999",
     "2022-09-116:05", "1989-12-31", "2100-01-02", "2022-09-30 09:00-10:30", "2022-09-30 09:00 -10:30", "2022-09-30 09:00~10:30",
     "2022-09-30 09:00+99:99", "2022-09-30 09:00+15:00", "2022-09-30 09:00 UTC"],
)  # fmt: skip
def test_what_could_be_another_day_is_refused(cell):
    assert parse(Instant(), cell) == ([None], [True])
    assert parse(Day(), cell) == ([None], [True])


def test_a_column_of_refused_instants_and_none():
    assert parse_instants(pd.Series(["x", ""], dtype=object)).isna().all()
    told = parse_instants(
        pd.Series(["x2023-05-01", "第2023-05-01", "45047.19991231"], dtype=object)
    )  # none is read from within
    assert list(told.isna()) == [True, True, False] and told[2].date() == dt.date(2023, 5, 1)
    assert len(parse_instants(pd.Series([], dtype=object))) == 0


def test_a_day_drops_the_hour():
    assert parse(Day(), "2022-09-30 23:59", "45047.9") == (
        [pd.Timestamp("2022-09-30"), pd.Timestamp("2023-05-01")],
        [False, False],
    )


def test_choice_by_code_or_label_in_either_language():
    assert parse(COLOURS, "r", "红", "RED", "绿(浅)", "绿（浅）", "blue", "") == (
        ["r", "r", "r", "g", "g", None, None],
        [False] * 5 + [True, False],
    )


def test_flag():
    assert parse(Flag(), "是", "yes", "1", "否", "No", "0", "", "也许", "2") == (
        [True, True, True, False, False, False, None, None, None], [False] * 7 + [True, True])  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: type(k).__name__)
def test_blank_is_missing_and_fits(kind):
    values, bad = kind.parse(pd.Series(["", ""], dtype=object))
    assert values.isna().all() and not bad.any()
    values, bad = kind.parse(pd.Series("", index=pd.RangeIndex(0)))
    assert len(values) == len(bad) == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: type(k).__name__)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_kinds_describe_themselves(kind, lang):
    assert kind.describe(lang) and "{" not in kind.describe(lang)


# --- tables -----------------------------------------------------------------------------------------------------------

CALLS = table(
    column("id", Id()), column("start", Instant()), column("end", Instant(), optional=True, after="start"),
    column("n", Whole(0, 5), optional=True, aliases=("次数", "times")), key=("id",),
)  # fmt: skip


def test_titles_names_and_aliases_are_found():
    for names in (
        ("id", "start", "end", "n"),
        ("中id", "中start", "中end", "中n"),
        ("The ID", " the start", "the\u3000end", "次数"),
    ):
        got = CALLS.check(text(**dict(zip(names, (["01"], ["2022-09-30"], [""], ["3"]), strict=True))), PLACE)
        assert got.kept.to_dict("records") == [{"id": "01", "start": pd.Timestamp("2022-09-30"), "end": pd.NaT, "n": 3}]
        assert list(got.kept.index) == [2]


def test_missing_column_names_file_wanted_and_found():
    with pytest.raises(InputError) as caught:
        CALLS.check(text(id=["1"], 开始=["2022-09-30"]), PLACE)
    assert str(caught.value) == (
        "calls.csv: expected a column start / 中start / the start, found: id, 开始. Correct the header, or map it under `columns` in county.toml"
    )
    assert "实有各列：id, 开始" in caught.value.say("zh")


def test_rename_maps_a_column_to_a_header():
    cells = text(id=["1"], 开始=["2022-09-30"], n=["9"])
    got = CALLS.check(cells.drop(columns="n"), PLACE, {"start": "开始"})
    assert got.kept["start"].tolist() == [pd.Timestamp("2022-09-30")]
    with pytest.raises(InputError, match="expected a column Times, found: id, 开始"):
        CALLS.check(
            cells.drop(columns="n"), PLACE, {"start": "开始", "n": "Times"}
        )  # an optional column, but asked for


def test_optional_columns_may_be_absent_and_others_are_named():
    got = CALLS.check(text(id=["1"], start=["2022-09-30"], note=["x"]), PLACE)
    assert list(got.kept.columns) == ["id", "start", "end", "n"]
    assert got.kept["n"].dtype == "Int64" and got.kept["end"].isna().all()


def test_rows_set_aside_with_line_value_and_reason():
    got = CALLS.check(
        text(
            id=["1", "2", "", "4", "5", "5", "1", "8"],
            start=[
                "2022-09-30 10:00",
                "5/1/2023",
                "2022-09-30",
                "",
                "2022-09-30",
                "2022-09-30",
                "2022-09-30 10:00",
                "2022-09-30 10:00",
            ],
            end=["2022-09-30 11:00", "", "", "", "", "2022-10-01", "2022-09-30 11:00", "2022-09-30 09:30"],
        ),
        PLACE,
    )
    assert list(got.kept.index) == [2, 6, 9] and got.kept["end"].isna().tolist() == [False, True, True]
    assert list(got.rejected.columns) == list(REJECTED)
    assert got.rejected[["row", "column", "value", "reason", "level"]].to_numpy().tolist() == [
        [3, "start", "5/1/2023", "unfit", "row"],  # could be January or May
        [4, "id", "", "empty", "row"],
        [5, "start", "", "empty", "row"],
        [7, "id", "5", "key_taken", "row"],  # another row under the number of line 6
        [8, "id", "1", "repeated", "row"],  # line 2 again, to the letter
        [9, "end", "2022-09-30 09:30", "before", "cell"],  # ended before it began: when it ended is not known
    ]
    assert set(got.rejected["file"]) == {"calls.csv"}
    assert len(got.kept) + (got.rejected["level"] == "row").sum() == 8


def test_an_end_at_the_start_or_without_start_is_no_fault():
    got = CALLS.check(text(id=["1", "2"], start=["2022-09-30 10:00"] * 2, end=["2022-09-30 10:00", ""]), PLACE)
    assert len(got.kept) == 2 and got.rejected.empty


def test_a_row_with_two_faults_is_set_aside_once():
    got = CALLS.check(text(id=[""], start=["x"], n=["99"]), PLACE)
    assert len(got.rejected) == 1 and got.kept.empty


def test_a_key_of_two_columns_with_a_missing_part_does_not_repeat():
    pairs = table(column("old", Id()), column("new", Id(), optional=True), key=("old", "new"))
    got = pairs.check(text(old=["1", "1", "1", "1"], new=["a", "b", "", ""]), PLACE)
    assert list(got.kept.index) == [2, 3, 4, 5]


def test_no_rows():
    got = CALLS.check(text(id=[], start=[], end=[], n=[]), PLACE)
    assert got.kept.empty and got.rejected.empty
    assert list(no_rejects().columns) == list(REJECTED)


# --- there and back ---------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2099, 12, 31)).map(lambda m: m.replace(microsecond=0))
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).filter(
    lambda t: clean_text(t) == t and t != "" and t.casefold() not in NOTHING
)
VALUES = {
    "label": (Label(), WORDS),
    "id": (Id(), st.from_regex(r"[0-9A-Z]{1,24}(-[0-9]{1,6})?", fullmatch=True)),
    "whole": (Whole(-(10**6), 10**9), st.integers(-(10**6), 10**9)),
    "number": (Number(), st.integers(-(10**9), 10**9).map(lambda k: k / 1000)),
    "instant": (Instant(), MOMENTS.map(pd.Timestamp)),
    "day": (Day(), MOMENTS.map(lambda m: pd.Timestamp(m).normalize())),
    "choice": (COLOURS, st.sampled_from(list(COLOURS.options))),
    "flag": (Flag(), st.booleans()),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("lang", ["zh", "en"])
@settings(database=None, deadline=None, max_examples=60, derandomize=True)
@given(data=st.data())
def test_what_an_office_writes_is_read_back(name, lang, data):
    kind, values = VALUES[name]
    wanted = data.draw(st.lists(st.one_of(st.none(), values), min_size=1, max_size=12))
    one = table(column("x", kind, optional=True))
    empty = kind.parse(pd.Series([""] * len(wanted), dtype=object))[0]
    rows = pd.DataFrame({"x": pd.Series(wanted, dtype=empty.dtype)})
    got = one.check(as_written(one, rows, lang), PLACE)
    assert got.rejected.empty
    assert [None if pd.isna(v) else v for v in got.kept["x"]] == wanted


def test_what_an_office_writes_has_titles_and_labels():
    colours = table(column("c", COLOURS), column("n", Whole()))
    rows = pd.DataFrame({"c": ["g", None], "n": pd.array([3, None], dtype="Int64")})
    assert as_written(colours, rows).to_dict("list") == {"中c": ["绿（浅）", ""], "中n": ["3", ""]}
    assert list(as_written(colours, rows, "en").columns) == ["the c", "the n"]


def test_labels_of_a_choice_differ():
    assert isinstance(COLOURS, Choice)
    assert COLOURS.describe("zh") == "r = 红; g = 绿（浅）"
