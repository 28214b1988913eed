"""Any table file as text cells with their line numbers; refuses what would have to be guessed, sets aside single bad lines."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from huying.contract import INVISIBLE, REJECTED, full_header
from huying.errors import InputError, Place
from huying.sources.excel import MOST_COLUMNS, Cells, Fault, column_letters, read_sheet

REPEAT = "\x1f"  # stands between a header that occurs again and its count
_TOTALS = ("合计", "合 计", "总计", "总 计", "小计", "Total", "total", "TOTAL", "Grand total", "Subtotal")
_MARKS = (",", ";", "\t")
BAD_LINE = b"\0\n"  # what a line that cannot be decoded becomes, so that the lines after it keep their numbers


@dataclass(frozen=True)
class RawTable:
    """A table as its file holds it.

    `text` has text cells only; its index is the line (or sheet row) in the file; a header that occurs again carries the
    suffix `\\x1f2`. `rejected` (REJECTED) names whole rows, and single cells, which then are empty in `text`. `dropped` counts the filled cells of each personal column that was left out.
    """

    text: pd.DataFrame
    place: Place
    encoding: str
    rejected: pd.DataFrame
    dropped: Mapping[str, int] = field(default_factory=dict)


def read_table(path: str | Path, *, sheet: str | None = None, header_row: int = 1, repeats: bool = False) -> RawTable:
    """The cells of a csv, tsv, txt, xlsx, xlsm or xls file as text.

    The bytes tell the format, never the ending. `repeats` allows headers that repeat or are empty (wjx matrices).
    Raises InputError.
    """
    path = Path(path)
    place = Place(path.name)
    content = read_content(path, place)
    kind = kind_of(content, place)
    is_text = kind == "csv"
    cells = read_lines(content, place, header_row) if is_text else read_sheet(path, place, kind, sheet, header_row)
    raw = finish(cells, repeats)
    if not len(raw.text) and not len(raw.rejected):
        raise InputError("sources.no_rows", cells.place)
    return raw


def read_content(path: Path, place: Place) -> bytes:
    """The bytes of a file; raises InputError where it is empty or cannot be opened."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError("sources.cannot_open", place, why=error.strerror or type(error).__name__) from error
    if not content:
        raise InputError("sources.empty_file", place)
    return content


def is_valid(content: bytes, encoding: str) -> bool:
    """Whether bytes are strictly valid in `encoding`."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def detect_encoding(content: bytes, place: Place) -> tuple[str, bool]:
    """The encoding, and whether some lines do not hold to it; raises InputError where no encoding fits.

    Byte-order mark, then strict UTF-8, then strict GB18030: the other order reads UTF-8 as wrong Chinese without error.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not content.startswith(codecs.BOM_UTF32_LE):
        if is_valid(content, "utf-16"):
            return "utf-16", False
        raise InputError("sources.no_encoding", place)
    if content.count(0) * 20 > len(content):
        raise InputError("sources.utf16", place)
    has_nul = b"\0" in content
    utf8 = "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"
    if is_valid(content, "utf-8"):
        return utf8, has_nul
    lines = content.splitlines()[:1000]
    marked = [line for line in lines if not line.isascii()]
    leading = [line for line in lines[:1] if not line.isascii()] or marked
    if utf8 == "utf-8-sig" or sum(is_valid(line, "utf-8") for line in leading) * 2 > len(leading):
        return utf8, True
    mixed = not is_valid(content, "gb18030")
    if mixed and sum(is_valid(line, "gb18030") for line in marked) * 2 < len(marked):
        raise InputError("sources.no_encoding", place)
    return "gb18030", mixed or has_nul


def decode_lines(content: bytes, encoding: str, mixed: bool) -> list[str]:
    """The lines of a text with their ends; one that does not decode becomes a mark that the parser sets aside."""
    plain = encoding.removesuffix("-sig")
    if mixed:
        lines = io.BytesIO(content)
        content = b"".join(line if b"\0" not in line and is_valid(line, plain) else BAD_LINE for line in lines)
    return list(io.StringIO(content.decode(plain).lstrip("\ufeff"), newline=""))


def kind_of(content: bytes, place: Place) -> str:
    """`xlsx`, `xls` or `csv`, by the first bytes; raises InputError for a web page."""
    if content.startswith(b"PK\x03\x04"):
        return "xlsx"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|meta|head|\?xml|style|div)", content, re.I):
        raise InputError("sources.web_page", place)
    return "csv"


def read_lines(content: bytes, place: Place, header_row: int) -> Cells:
    """The records of a delimited text; those of another width than the header, or that do not decode, are faults.

    Raises InputError for no header, a wrong delimiter, an open quote, and when most records have another width.
    """
    encoding, mixed = detect_encoding(content, place)
    lines = decode_lines(content, encoding, mixed)
    above = header_row - 1
    while above < len(lines) and not lines[above].strip():
        above += 1
    if above >= len(lines):
        raise InputError("sources.no_header", place, row=header_row)
    mark = decide_delimiter(lines[above:], place)
    (_, header), *body = records(csv.reader(lines[above:], delimiter=mark, strict=True), place, above)
    unread = {line for line, row in body if mixed and "\0" in "".join(row)}
    good = {line: row for line, row in body if len(row) == len(header) and line not in unread}
    known = good.keys() | unread
    wrong = {line: f"{len(row)}/{len(header)}" for line, row in body if row and line not in known}
    if len(wrong) > len(good):
        most = Counter(wrong.values()).most_common(1)[0][0]
        raise InputError("sources.other_width", Place(place.file, row=min(wrong)), n=most, width=len(header))
    faults: list[Fault] = [(line, None, "", "encoding") for line in unread]
    faults += [(line, None, widths, "fields") for line, widths in wrong.items()]
    return Cells(place, header, list(good.values()), list(good), encoding, faults)


def decide_delimiter(lines: Sequence[str], place: Place) -> str:
    """The delimiter that gives the header most fields; raises InputError for full-width commas."""
    widths = {mark: len(next(csv.reader(lines, delimiter=mark), [])) for mark in _MARKS}
    best = max(widths, key=lambda mark: widths[mark])
    if widths[best] == 1 and "，" in lines[0]:
        raise InputError("sources.full_width_comma", place)
    return best


def records(reader: Any, place: Place, above: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on; raises InputError with that line for a quote that does not close."""
    line, same = above + 1, dict[str, str]()  # equal cells share their memory
    try:
        for record in reader:
            yield line, [same.setdefault(cell, cell) for cell in record]
            line = above + reader.line_num + 1
    except csv.Error as error:
        raise InputError("sources.open_quote", Place(place.file, row=line)) from error


def finish(cells: Cells, repeats: bool) -> RawTable:
    """Cells as a RawTable: headers checked; blank, repeated-header and total rows and unfit cells taken out."""
    lines = pd.Index(cells.lines, dtype="int64")
    frame = pd.DataFrame(cells.rows, index=lines, columns=range(len(cells.header)), dtype="str")
    header = [" ".join(text.translate(INVISIBLE).split()) for text in cells.header]
    used = [i for i in frame if header[i] or repeats or (frame[i] != "").any()]
    names = unique_headers([header[i] for i in used], used, cells.place, repeats)
    frame, faults = take_out_rows(frame[used], [header[i] for i in used])
    by_column, told = dict(zip(used, names, strict=True)), []
    for row, i, value, reason in sorted((*faults, *cells.faults), key=lambda fault: fault[0]):
        column = "" if i is None else by_column.get(i, column_letters(i + 1))
        told.append((cells.place.file, cells.place.sheet, row, column, value, reason, "row" if i is None else "cell"))
        if row in frame.index and i in frame:
            frame.loc[row, i] = ""
    rejected = pd.DataFrame(told, columns=list(REJECTED)).astype({"row": "int64"})
    return RawTable(frame.set_axis(names, axis=1), cells.place, cells.encoding, rejected)


def unique_headers(header: Sequence[str], used: Sequence[int], place: Place, repeats: bool) -> list[str]:
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


def take_out_rows(frame: pd.DataFrame, header: list[str]) -> tuple[pd.DataFrame, list[Fault]]:
    """The frame without blank rows, header rows in the middle and total rows; the last two as faults."""
    bare = frame.apply(lambda column: column.str.strip())
    blank = (bare == "").all(axis=1)
    again = (bare == header).all(axis=1) & ~blank
    total = pd.Series(False, index=frame.index)
    starts_open = ~total
    for i in frame.columns[:3]:
        total |= starts_open & frame[i].str.removesuffix(":").str.removesuffix("：").isin(_TOTALS)
        starts_open &= bare[i] == ""
    reasons = {"header_again": again, "total": total & ~again}
    faults: list[Fault] = [(row, None, "", why) for why, mask in reasons.items() for row in frame.index[mask]]
    return frame[~(blank | again | total)].copy(), faults
