"""Any table file as text cells with their line numbers; refuses what would have to be guessed, sets aside single bad lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from huying.contract import full_header, set_aside
from huying.errors import InputError, Place
from huying.sources.excel import MOST_COLUMNS, Fault, Grid, Note, column_letters, read_grid
from huying.sources.lines import blocks, count_lines, detect_encoding, open_lines, other_reading

REPEAT = "\x1f"  # stands between a header that occurs again and its count
LONGEST_CELL = 100_000
_BATCH = 20_000
_LOOSE_QUOTE = re.compile(rb'"(?<=[^\s,;"]")[^\s,;"]')
_TOTALS = [word + colon for word in ("合计", "合 计", "总计", "总 计", "小计", "Total", "total", "TOTAL", "Grand total", "Subtotal")
           for colon in ("", "：", ":")]  # fmt: skip
_MARKS = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True)
class RawTable:
    """A table as its file holds it.

    `text` has text cells only; its index is the line (or sheet row) in the file; a header that occurs again carries the
    suffix `\\x1f2`. `rejected` (columns REJECTED) names whole rows where `column` is empty, else single cells, which
    then are empty in `text`. `notes` are keys of `words` with their values.
    """

    text: pd.DataFrame
    place: Place
    encoding: str
    notes: tuple[Note, ...]
    rejected: pd.DataFrame
    hidden_sheets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cells:
    """What a format hands over: the header record, the cells below it by position, its notes and what it set aside."""

    header: list[str]
    frame: pd.DataFrame
    encoding: str
    notes: list[Note]
    faults: list[Fault]
    hidden: tuple[str, ...] = ()
    has_marks: bool = False  # whether lines that do not decode, or NUL, may stand in the cells


def read_table(
    path: str | Path, *, sheet: str | None = None, header_row: int = 1, expect: Collection[str] | None = None,
    repeats: bool = False,
) -> RawTable:  # fmt: skip
    """The cells of a csv, tsv, txt, xlsx, xlsm or xls file as text.

    The bytes tell the format, never the ending. `expect` holds header texts of which at least one must be found: it
    confirms the decoding. `repeats` allows headers that repeat or are empty (wjx matrices). Raises InputError.
    """
    path = Path(path)
    place = Place(path.name)
    kind = kind_of(path, place)
    if kind == "csv":
        cells = read_lines(path, place, header_row, expect)
    else:
        grid = read_grid(path, place, kind, sheet, header_row)
        place = Place(path.name, grid.sheet)
        cells = cells_of_grid(grid, place, header_row, expect)
    by_name = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls"}.get(path.suffix.lower(), "csv")
    notes: list[Note] = [("sources.renamed", {"found": kind, "ending": path.suffix})] if by_name != kind else []
    raw = finish(cells, place, notes + cells.notes, repeats)
    if not len(raw.text) and not len(raw.rejected):
        raise InputError("sources.no_rows", place)
    return raw


def kind_of(path: Path, place: Place) -> str:
    """`xlsx`, `xls` or `csv`, by the first bytes; raises InputError for an empty file, a web page, a missing file."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise InputError("sources.cannot_open", place, why=error.strerror or type(error).__name__) from error
    if not head:
        raise InputError("sources.empty_file", place)
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|meta|head|\?xml|style|div)", head, re.I):
        raise InputError("sources.web_page", place)
    return "csv"


def cells_of_grid(grid: Grid, place: Place, header_row: int, expect: Collection[str] | None) -> Cells:
    """The rows of a sheet as Cells; raises InputError when the sheet has no header there."""
    if len(grid.rows) < header_row or not any(grid.rows[header_row - 1]):
        raise InputError("sources.no_header", place, row=header_row)
    header, body = grid.rows[header_row - 1], grid.rows[header_row:]
    check_expected(header, enumerate(grid.rows[:60], 1), place, expect, grid.kind)
    frame = to_frame([pa.array(column, pa.large_string()) for column in zip(*body, strict=True)], len(header))
    frame.index = pd.RangeIndex(header_row + 1, header_row + 1 + len(body))
    faults = [fault for fault in grid.faults if fault[0] > header_row]
    return Cells(header, frame, grid.kind, grid.notes, faults, grid.hidden)


def to_frame(columns: Sequence[Any], width: int) -> pd.DataFrame:
    """Arrow columns as a frame of `str` columns named 0, 1, 2 …, without a copy; `width` empty ones where there is none."""
    columns = columns or [pa.array([], pa.large_string())] * width
    frame: pd.DataFrame = pa.table(list(columns), names=[str(i) for i in range(width)]).to_pandas()
    return frame.set_axis(range(width), axis=1)


@dataclass(frozen=True)
class Opening:
    """How the lines of a delimited text file are read: `above` lines stand before its header; `mixed` lines may not decode."""

    encoding: str
    mixed: bool
    mark: str
    above: int
    header: list[str]

    def lines(self, path: Path) -> Iterator[str]:
        """The lines from the header on."""
        return islice(open_lines(path, self.encoding, self.mixed), self.above, None)

    def notes(self) -> list[Note]:
        return [("sources.read_as", {"encoding": self.encoding, "mark": _MARKS.get(self.mark, self.mark)})]


def open_text(path: Path, place: Place, header_row: int, expect: Collection[str] | None) -> Opening:
    """The encoding, delimiter and header of a text file; raises InputError for no header or a wrong delimiter."""
    encoding, mixed = detect_encoding(path, place)
    start = list(islice(open_lines(path, encoding, mixed), header_row + 60))
    asked = re.match(r'"?sep=(.)"?\s*$', start[0], re.I)
    above = max(header_row - 1, 1 if asked else 0)
    while above < len(start) and not start[above].strip():
        above += 1
    if above >= len(start):
        raise InputError("sources.no_header", place, row=header_row)
    mark = asked[1] if asked else decide_delimiter(start[above:], place)
    csv.field_size_limit(1 << 30)
    header = next(csv.reader(start[above:], delimiter=mark))
    top = enumerate(csv.reader(start, delimiter=mark), 1)
    check_expected(header, top, place, expect, encoding, other_reading(path, encoding))
    return Opening(encoding, mixed, mark, above, header)


def read_lines(path: Path, place: Place, header_row: int, expect: Collection[str] | None) -> Cells:
    """The records of a delimited text file as Cells; raises InputError for an open quote, no header, a wrong delimiter."""
    opened = open_text(path, place, header_row, expect)
    faults: list[Fault] = []
    frame = read_plain(path, opened)
    if frame is None:
        frame, faults = read_carefully(opened.lines(path), opened.mark, opened.above, place)
    return Cells(opened.header, frame, opened.encoding, opened.notes(), faults, has_marks=opened.mixed)


def plain_rows(path: Path, opened: Opening) -> int | None:
    """How many records stand below the header where every line is one of them, None where the slower parser must look."""
    if opened.mixed or opened.encoding == "utf-16":
        return None
    if any(
        (b'"' in block and _LOOSE_QUOTE.search(block)) or block.count(b"\r") != block.count(b"\r\n")
        for block in blocks(path)
    ):
        return None
    return count_lines(path) - opened.above - 1


def plain_options(opened: Opening) -> tuple[Any, Any, Any]:
    """How Arrow is to read the records below the header: as text, no cell missing."""
    names = [str(i) for i in range(len(opened.header))]
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False)
    read = arrow_csv.ReadOptions(
        column_names=names, skip_rows=opened.above + 1, encoding=opened.encoding.removesuffix("-sig")
    )
    return read, arrow_csv.ParseOptions(delimiter=opened.mark, newlines_in_values=True), convert


def read_plain(path: Path, opened: Opening) -> pd.DataFrame | None:
    """The records below the header where every line is one of them, else None: then the slower parser must look.

    A quote that swallows lines, a blank line or a record of another width all make the two counts differ.
    """
    n_rows = plain_rows(path, opened)
    try:
        table = arrow_csv.read_csv(path, *plain_options(opened)) if n_rows is not None else None
    except pa.ArrowInvalid:
        return None
    if table is None or table.num_rows != n_rows:
        return None
    first = opened.above + 2
    return to_frame(table.columns, len(opened.header)).set_axis(pd.RangeIndex(first, first + table.num_rows), axis=0)


def decide_delimiter(start: Sequence[str], place: Place) -> str:
    """The delimiter that gives the header most fields; raises InputError for full-width commas."""
    widths = {mark: len(next(csv.reader(start, delimiter=mark), [])) for mark in _MARKS}
    best = max(widths, key=lambda mark: widths[mark])
    if widths[best] == 1 and "，" in start[0]:
        raise InputError("sources.full_width_comma", place)
    return best


def read_carefully(lines: Iterable[str], mark: str, above: int, place: Place) -> tuple[pd.DataFrame, list[Fault]]:
    """The records of the header's width as a frame, the others as faults; batches keep the memory near the file's size.

    Raises InputError for a quote that does not close, and when most records have another width than the header.
    """
    numbers, parts, faults = zip(*careful_batches(lines, mark, above, place), strict=True)
    filled = [columns for columns in parts if len(columns[0])] or parts[:1]
    frame = to_frame([pa.chunked_array(column) for column in zip(*filled, strict=True)], len(parts[0]))
    return frame.set_axis(np.concatenate(numbers), axis=0), [fault for found in faults for fault in found]


def careful_batches(
    lines: Iterable[str], mark: str, above: int, place: Place, size: int = _BATCH
) -> Iterator[tuple[Any, list[Any], list[Fault]]]:
    """Line numbers, columns and faults of `size` records at a time, at least once; raises InputError as `read_carefully`."""
    rows = records(csv.reader(lines, delimiter=mark, strict=True), place, above)
    width, n_good, wrong, first = len(next(rows)[1]), 0, Counter[str](), 0
    empty = [pa.array([], pa.large_string())] * width
    while (batch := list(islice(rows, size))) or not first:
        good = [pair for pair in batch if len(pair[1]) == width]
        faults: list[Fault] = [(line, None, *fault_of(row, width)) for line, row in batch if row and len(row) != width]
        starts, fields = zip(*good, strict=True) if good else ((), ())
        columns = [pa.array(column, pa.large_string()) for column in zip(*fields, strict=True)] if good else empty
        first = first or next((line for line, _, _, reason in faults if reason == "fields"), 0) or -1
        wrong.update(value for _, _, value, reason in faults if reason == "fields")
        n_good += len(good)
        yield np.array(starts, dtype=np.int64), columns, faults
    if wrong.total() > n_good:
        raise InputError("sources.other_width", Place(place.file, row=first), n=wrong.most_common(1)[0][0], width=width)


def records(reader: Any, place: Place, above: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on; raises InputError with that line for a quote that does not close."""
    line = above + 1
    try:
        for record in reader:
            yield line, record
            line = above + reader.line_num + 1
    except csv.Error as error:
        raise InputError("sources.open_quote", Place(place.file, row=line)) from error


def fault_of(row: list[str], width: int) -> tuple[str, str]:
    """Value and reason for a record of another width."""
    return ("", "encoding") if any("\0" in cell for cell in row) else (f"{len(row)}/{width}", "fields")


def check_expected(
    header: list[str], top: Iterable[tuple[int, list[str]]], place: Place, expect: Collection[str] | None, read_as: str,
    other: str = "-",
) -> None:  # fmt: skip
    """Raise InputError unless a header text of `expect` is found; says in which line it stands, or how else it reads."""
    wanted = {full_header(text).casefold() for text in expect or ()}
    if not wanted or wanted & {full_header(text).casefold() for text in header}:
        return
    for line, row in top:
        if wanted & {full_header(text).casefold() for text in row}:
            raise InputError("sources.header_elsewhere", place, row=line)
    shown = f"{read_as}: {', '.join(header[:12])}"
    raise InputError(
        "sources.header_unknown", place, wanted=", ".join(list(expect or ())[:8]), shown=shown, other=other
    )


def finish(cells: Cells, place: Place, notes: list[Note], repeats: bool) -> RawTable:
    """Cells as a RawTable: headers checked; blank, repeated-header and total rows and unfit cells taken out."""
    frame = cells.frame
    header = [
        re.sub(r"\s+", " ", re.sub("[\u200b-\u200d\u2060\ufeff\u00ad]", "", text)).strip() for text in cells.header
    ]
    changed = sum(new != old for new, old in zip(header, cells.header, strict=True))
    notes = notes + ([("sources.headers_tidied", {"n": changed})] if changed else [])
    used = [i for i in frame if header[i] or repeats or (frame[i] != "").any()]
    header, frame = [header[i] for i in used], frame[used]
    names = unique_headers(header, used, place, repeats)
    frame, faults, n_blank = take_out_rows(frame, header, cells.has_marks)
    notes = notes + ([("sources.blank_rows", {"n": n_blank})] if n_blank else [])
    faults += cells.faults + long_cells(frame)
    by_column = dict(zip(used, names, strict=True))
    frame = empty_cells(frame, [(row, i) for row, i, _, _ in faults if i is not None])
    parts = [set_aside(place, "" if i is None else by_column.get(i, column_letters(i + 1)), pd.Series([value], index=[row]), reason)
             for row, i, value, reason in sorted(faults, key=lambda fault: fault[0])]  # fmt: skip
    rejected = pd.concat([set_aside(place, "", pd.Series(dtype=object), ""), *parts], ignore_index=True)
    return RawTable(frame.set_axis(names, axis=1), place, cells.encoding, tuple(notes), rejected, cells.hidden)


def unique_headers(header: list[str], used: list[int], place: Place, repeats: bool) -> list[str]:
    """Headers made unique by suffix; raises InputError for too many, and for repeated or nameless ones of a ledger."""
    if len(header) > MOST_COLUMNS:
        raise InputError("sources.too_many_columns", place, n=len(header), most=MOST_COLUMNS)
    letters: dict[str, list[str]] = {}
    names = []
    for text, position in zip(header, used, strict=True):
        letters.setdefault(full_header(text), []).append(column_letters(position + 1))
        n = len(letters[full_header(text)])
        names.append(text if n == 1 else f"{text}{REPEAT}{n}")
    if not repeats and "" in letters:
        raise InputError("sources.nameless", place, columns=", ".join(letters[""]))
    twice = next((text for text, columns in letters.items() if len(columns) > 1), None)
    if not repeats and twice is not None:
        raise InputError("sources.same_header", place, columns=", ".join(letters[twice]), name=twice)
    return names


def take_out_rows(frame: pd.DataFrame, header: list[str], has_marks: bool) -> tuple[pd.DataFrame, list[Fault], int]:
    """The frame without blank rows, header rows in the middle, total rows and undecoded rows; these as faults; the blanks."""
    first = frame.iloc[:, 0]
    starts_open = first.str.strip() == ""
    blank, again, total = starts_open.copy(), first.str.strip() == header[0], first.isin(_TOTALS)
    blank[starts_open] = (frame[starts_open].apply(lambda column: column.str.strip()) == "").all(axis=1)
    again[again] = (frame[again].apply(lambda column: column.str.strip()) == header).all(axis=1)
    for i in frame.columns[1:3] if starts_open.any() else ():
        total |= starts_open & frame[i].isin(_TOTALS)
        starts_open &= frame[i].str.strip() == ""
    undecoded = pd.Series(False, index=frame.index)
    for i in frame if has_marks else ():
        undecoded |= frame[i].str.contains("\0", regex=False)
    reasons = {"encoding": undecoded, "header_again": again & ~undecoded, "total": total & ~again & ~undecoded}
    faults: list[Fault] = [(row, None, "", why) for why, mask in reasons.items() for row in frame.index[mask]]
    out = blank | again | total | undecoded
    return (frame[~out] if out.any() else frame), faults, int(blank.sum())


def long_cells(frame: pd.DataFrame) -> list[Fault]:
    """Faults for cells longer than any answer: mostly a damaged file."""
    faults: list[Fault] = []
    for i in frame:
        length = frame[i].str.len()
        faults += [(row, i, f"{n} characters", "too_long") for row, n in length[length > LONGEST_CELL].items()]
    return faults


def empty_cells(frame: pd.DataFrame, places: list[tuple[int, int]]) -> pd.DataFrame:
    """The frame with the cells at these rows and columns emptied."""
    frame = frame.copy() if places else frame
    for row, column in places:
        if row in frame.index and column in frame:
            frame.loc[row, column] = ""
    return frame
