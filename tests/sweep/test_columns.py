"""Each column of each ledger and each item of each form spoilt in turn: read rightly, set aside or refused, as listed here, and never in silence.

The expected outcome is worked out from what the column declares, by this file alone: `row` and `cell` are set aside with the
cell as it stood, `blank` and `same` are read so, a number or a moment is the value that must come.
"""

import re
from dataclasses import replace

import pandas as pd
import pytest

from huying.clean.answers import clean_answers
from huying.clean.cells import Matcher
from huying.clean.ledgers import clean_ledger
from huying.codebook import house_codebook
from huying.folder import FORMS, Span, Survey
from huying.kinds import Choice, Day, Flag, Id, Instant, Label, Number, Whole
from huying.ledgers import TABLES, no_rejects
from huying.sources.table import RawTable
from huying.sources.wjx import META_COLUMNS, Answers
from huying.words import InputError, Place

PLACES = {"town": Matcher({"T01": ["甲镇"], "T02": ["乙镇"]}), "dept": Matcher({"K01": ["自然资源局"]})}
KNOWN = {"towns": {"T01"}}
DAYS = (pd.Timestamp("2022-01-01"), pd.Timestamp("2023-12-31"), pd.Timestamp("2024-01-06"))
NOTHING = ["", "　", "／", "N/A", "—", "无", "未"]
BLANK, ROW, CELL, REFUSED = "blank", "row", "cell", "refused"


def example(table):
    """The one row of a table's example under the Chinese titles."""
    cells = [cell if isinstance(cell, str) else cell.zh for cell in table.example]
    return dict(zip([column.title.zh for column in table.columns], cells, strict=True))


def clean(table, row, **more):
    text = pd.DataFrame([row], index=[2], dtype="str")
    known = KNOWN | ({} if table.name == "org_map" else {"org_map": {"O01"}})
    return clean_ledger(table, RawTable(text, Place("x.csv"), "utf-8", no_rejects()), PLACES, known=known, **more)


def spoilt(column, table):
    """Cells that people write into this column, and what must become of each."""
    kind, gone = column.kind, CELL if column.optional else ROW
    if isinstance(kind, Label) and (column.name not in ("town", "dept", "town_id") or table == "towns"):
        if column.optional:
            yield from ((word, BLANK) for word in NOTHING)
        yield "", BLANK if column.optional else ROW
        if isinstance(kind, Id):
            yield "1.23456E+17", gone
        return
    if column.name in ("town", "dept"):
        yield from (("无此镇局", ROW), ("甲镇、乙镇", ROW), ("", BLANK if column.optional else ROW))
        return
    if column.name == "town_id" and table != "towns":
        yield "", ROW
        return
    for word in NOTHING:
        yield (
            word,
            gone if isinstance(kind, Flag) and word in "无未" and word.strip() else BLANK if column.optional else ROW,
        )
    yield "看情况", gone
    if isinstance(kind, Flag):
        yield from (
            ("是", True),
            ("no", False),
            ("１", True),
            ("TRUE", True),
            ("False", False),
            ("2", gone),
            ("√", gone),
        )
    elif isinstance(kind, Choice):
        for code, label in kind.options.items():
            yield from ((code.upper(), code), (f" {label.zh} ", code), (label.en.upper(), code))
    elif isinstance(kind, Whole | Number):
        low, high = kind.low, kind.high
        yield from (
            (f"{low + 1 if low > float('-inf') else 1}人", gone),
            ("三", gone),
            ("nan", gone),
            ("inf", gone),
            ("1e999", gone),
        )
        if low > float("-inf"):
            yield str(low - 1), gone
        if high < 1e9:
            yield str(high + 1), gone
        if low <= 1 <= high:
            yield from (("１", 1), ("1.0", 1), ("+1", 1))
        yield "1,234", 1234 if low <= 1234 <= high else gone
        yield from (("12,34", gone), ("1，234", 1234 if low <= 1234 <= high else gone))
        if isinstance(kind, Whole):
            yield "1.5", gone
    elif isinstance(kind, Instant):
        day = isinstance(kind, Day)
        yield from (
            ("5/6/2022", gone),
            ("22/05/06", gone),
            ("2022-13-01", gone),
            ("2022-05-06 25:00", gone),
            ("2022-05-06 上午13:00", gone),
        )
        yield from ((word, pd.Timestamp("2022-05-06") if day else pd.Timestamp(f"2022-05-06 {hour}")) for word, hour in (
            ("2022年5月6日 下午3:05", "15:05"), ("2022/5/6 3:05 PM", "15:05"), ("2022-05-06T07:05:00Z", "15:05"), ("20220506 1505", "15:05"),
            ("2022-05-06T15:05:00.000+08:00", "15:05"), ("44687.6284722222", "15:05"), ("2022.5.6", "00:00")))  # fmt: skip
        yield from (("2024-03-01", gone), ("2031-05-06", gone))  # after the day on which the data were taken


@pytest.mark.parametrize("name", TABLES)
def test_a_spoilt_cell_is_read_rightly_or_told(name):
    """All variants of the example row at once, so without the rules between rows, which have their own tests."""
    table, rows, wanted = replace(TABLES[name], key=(), rules=()), [], []
    for at, column in enumerate(table.columns):
        times = [one for one in table.columns if isinstance(one.kind, Instant) and isinstance(column.kind, Instant)]
        others = {
            one.title.zh: "" if one.optional else ("2023-12-30", "2022-01-02")[table.columns.index(one) < at]
            for one in times
        }
        for cell, outcome in spoilt(column, name):
            rows.append({**example(table), **others, column.title.zh: cell})
            wanted.append((column, cell, outcome))
    text = pd.DataFrame(rows, index=range(2, len(rows) + 2), dtype="str")
    done = clean_ledger(table, RawTable(text, Place("x.csv"), "utf-8", no_rejects()), PLACES, known=KNOWN, days=DAYS)
    assert len(done.kept) + (done.rejected["level"] == ROW).sum() == len(rows)
    wrong = [
        (column.name, cell, outcome, got)
        for line, (column, cell, outcome) in enumerate(wanted, 2)
        if (got := told(done, line, column)) != outcome
    ]
    assert not wrong, wrong[:5]


def told(done, line, column):
    """What became of a row: set aside, its cell set aside, blank, or the value read."""
    level = list(done.rejected.loc[done.rejected["row"] == line, "level"])
    if level == [ROW] and line not in done.kept.index:
        return ROW
    value = done.kept.loc[line, {"town": "town_id", "dept": "dept_id"}.get(column.name, column.name)]
    assert level == [] or (level == [CELL] and pd.isna(value))
    return CELL if level else BLANK if pd.isna(value) else value


@pytest.mark.parametrize("name", TABLES)
def test_headers_that_are_gone_twice_or_broken(name):
    table, row = TABLES[name], example(TABLES[name])
    for column in table.columns:
        title = column.title.zh
        broken = {(f"{title[:1]}\n {title[1:]}" if key == title else key): cell for key, cell in row.items()}
        assert len(clean(table, broken).kept) == 1
        without = {key: cell for key, cell in row.items() if key != title}
        if column.optional:
            assert len(clean(table, without).kept) == 1
        else:
            with pytest.raises(InputError, match=re.escape(title)):
                clean(table, without)
        with pytest.raises(InputError, match=re.escape(title)):
            clean(table, {**row, column.name: "x"})
        with pytest.raises(InputError, match=column.name):
            clean(table, row, rename={f"{column.name}x": title})


# --- forms ----------------------------------------------------------------------------------------------------------------

N = 8
SURVEY, SPAN = (
    Survey("resident", "2023", "wjx", text="x.csv"),
    Span(*(pd.Timestamp(d).date() for d in ("2023-05-01", "2023-06-01", "2023-06-01"))),
)


def answers(items, cells, codes=None):
    index = pd.RangeIndex(2, N + 2)
    names = [name for item in items for name in item.cells]
    text = pd.DataFrame({name: cells.get(name, [""] * N) for name in names}, index=index, dtype="str")
    meta = pd.DataFrame({name: [""] * N for name in META_COLUMNS}, index=index, dtype="str")
    number = None if codes is None else pd.DataFrame(codes, index=index, dtype="str")
    return Answers(text, Place("x.csv"), "utf-8", no_rejects(), {}, meta, number, "position")


def read(item, cells, codes=None):
    """One item alone, without its skip rule, asked of all."""
    return clean_answers(answers([item], cells, codes), [item], SURVEY, SPAN, PLACES["town"], ["T01", "T02"])


def alone(item):
    return replace(item, asked_if="", ends_if="", optional=False)


@pytest.mark.parametrize("form", FORMS)
def test_a_spoilt_item_is_read_rightly_or_told(form):
    wrong = []
    for item in map(alone, house_codebook().form(form)):
        name = item.cells[0]
        if item.role == "town" or (item.options_from and not item.options):
            continue
        if item.type in ("single", "dropdown", "matrix_single", "scale", "multi") and len(item.options) > 1:
            right, other = (option.text.zh for option in item.options[:2])
            one, two = ([place] * N for place in ("1", "2"))
            words = [right] * N
            by_text = [right, other][:1] * N if item.type != "multi" else words
            number = [right] * N if item.type == "multi" else one
            moved = [other] * N if item.type == "multi" else two
            tries = {
                "same": ({name: by_text}, None, None),
                "both": ({name: by_text}, {name: number}, None),
                "moved": ({name: by_text}, {name: moved}, REFUSED),
                "reworded": ({name: [f"完全{right}"] * N}, None, REFUSED),
                "reworded beside numbers": ({name: [f"完全{right}"] * N}, {name: number}, REFUSED),
                "one slip": ({name: [*words[:-1], "不在选项里"]}, None, CELL),
                "blanks": ({name: [*words[:-2], "(空)", "(跳过)"]}, None, None),
            }
        elif item.type in ("whole", "number"):
            low, high = item.range or (0, 99)
            fit, unit = str(int(low) + 1), "斤"
            tries = {
                "same": ({name: [fit] * N}, None, None),
                "point zero": ({name: [f"{fit}.0"] * N}, None, None),
                "wrong unit": ({name: [f"{fit}{unit}"] * N}, None, REFUSED),
                "one wrong unit": ({name: [*[fit] * (N - 1), f"{fit}{unit}"]}, None, CELL),
                "out of range": ({name: [*[fit] * (N - 1), str(int(high) + 1000)]}, None, CELL),
                "other by number": ({name: [fit] * N}, {name: [str(int(low) + 2)] * N}, REFUSED),
                "nothing": ({name: [*[fit] * (N - 2), "无", "/"]}, None, None),
            }
        else:
            continue
        for what, (cells, codes, outcome) in tries.items():
            try:
                done = read(item, cells, codes)
                got = {"row": ROW, "cell": CELL}[done.rejected["level"].iloc[0]] if len(done.rejected) else None
                assert got is None or len(done.rejected) == 1
            except InputError as error:
                got = REFUSED
                assert error.key == "clean.at_odds" and item.id in str(error)
            if got != outcome:
                wrong.append((item.id, item.type, what, outcome, got))
    assert not wrong, wrong[:8]


def test_the_sweep_is_wide():
    assert sum(len(list(spoilt(column, name))) for name, table in TABLES.items() for column in table.columns) >= 1500
