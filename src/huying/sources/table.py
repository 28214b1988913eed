"""Any table file as text cells with their line numbers; refuses what would have to be guessed, sets aside single bad lines.

Takes personal data out at the door: columns that name or reach a person are dropped, in all others numbers are masked.
"""

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self

import pandas as pd

from huying.kinds import clean_text
from huying.ledgers import REJECTED, full_header
from huying.scrub import CONTROL, INVISIBLE, MARKED, NAME, hash_keys, mask_cells, mask_text
from huying.sources.excel import MOST_COLUMNS, MOST_UNPACKED, Cells, Fault, Note, column_letters, read_sheet
from huying.words import LANGUAGES, InputError, Place, Text, say

REPEAT = "\x1f"  # stands between a header that occurs again and its count
_TOTALS = ("合计", "合 计", "总计", "总 计", "小计", "Total", "total", "TOTAL", "Grand total", "Subtotal")
_TEXT_FORMULA = re.compile(r'=\s*"([^"]*)"')  # Excel's way to keep the zeros of ="0012" in a csv
_WEB_PAGE = re.compile(rb"[\xef\xbb\xbf\xff\xfe]*\s*(?:<\s*[!?/]?\s*[a-z-]|mime-version:)", re.I)
Remark = tuple[Place, str, str]  # where, a key `clean.note_…`, and which cells or names


@dataclass(frozen=True)
class RawTable:
    """A table as its file holds it.

    `text` has text cells only; its index is the line (or sheet row) in the file; a header that occurs again carries the
    suffix `\\x1f2`. `rejected` (REJECTED) names whole rows, and single cells, which then are empty in `text`. `dropped` counts the filled cells of each personal column that was left out. `notes`: what the reader repaired or saw; `shift`: see `Cells`.
    """

    text: pd.DataFrame
    place: Place
    encoding: str
    rejected: pd.DataFrame
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Remark, ...] = field(default=(), kw_only=True)
    shift: int = field(default=0, kw_only=True)
    n_masked: int = field(default=0, kw_only=True)  # cells in which something personal was masked

    def in_usual_days(self, columns: Iterable[str]) -> Self:
        """The table with Excel's serial days in these columns as days of its usual calendar, where the workbook has the other."""
        text = self.text.copy() if self.shift else self.text
        for name in columns if self.shift else ():
            serial = pd.to_numeric(text[name].where(text[name].str.fullmatch(r"[1-6]\d{4}(\.\d+)?")), errors="coerce")
            text[name] = text[name].where(serial.isna(), (serial + self.shift).astype(str))
        return replace(self, text=text)


def read_table(path: str | Path, *, sheet: str | None = None, header_row: int = 1, repeats: bool = False) -> RawTable:
    """The cells of a csv, tsv, txt, xlsx, xlsm or xls file as text.

    The bytes tell the format, never the ending. `repeats` allows headers that repeat or are empty (wjx matrices).
    Raises InputError.
    """
    path, place = Path(path), Place(Path(path).name)
    content = read_content(path, place)
    if _WEB_PAGE.match(content[:4096].replace(b"\0", b"")):
        raise InputError("sources.web_page", place)
    kind = {b"PK\x03\x04": "xlsx", b"\xd0\xcf\x11\xe0": "xls"}.get(content[:4], "csv")
    read = read_lines(content, place, header_row) if kind == "csv" else read_sheet(path, place, kind, sheet, header_row)
    del content  # a large file is not held while its cells are put in order
    if not len((raw := finish(read, repeats)).text) and not len(raw.rejected):
        raise InputError("sources.no_rows", read.place)
    return raw


def read_content(path: Path, place: Place, most: int = MOST_UNPACKED) -> bytes:
    """The bytes of a file; raises InputError where it is empty, too large, no ordinary file, or cannot be opened."""
    try:
        if path.exists() and not path.is_file():  # a folder, a pipe, a device without end
            raise InputError("sources.no_ordinary_file", place)
        if path.stat().st_size > most:
            raise InputError("sources.too_large", place, most=most >> 20)
        content = path.read_bytes()
    except OSError as error:
        raise InputError("sources.cannot_open", place, why=error.strerror or type(error).__name__) from error
    if not content:
        raise InputError("sources.empty_file", place)
    return content


def is_valid(content: bytes, encoding: str) -> bool:
    """Whether bytes are strictly valid in `encoding`."""
    with suppress(UnicodeDecodeError):
        deque(io.TextIOWrapper(io.BytesIO(content), encoding, newline=""), 0)
        return True
    return False


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
    has_nul, utf8 = b"\0" in content, "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"
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


def below(content: bytes, encoding: str, above: int) -> Iterator[str]:
    """The lines of a text with their ends below the first so many, one after another: all at once take several times the file's size."""
    lines = io.TextIOWrapper(io.BytesIO(content), encoding.removesuffix("-sig"), newline="")
    return islice(chain([next(lines, "").lstrip("\ufeff")], lines), above, None)


def mark_undecodable(content: bytes, encoding: str) -> bytes:
    """The text with a mark, which the parser sets aside, for each line that does not decode: also a line, so that the others keep their numbers."""
    lines, plain = io.BytesIO(content), encoding.removesuffix("-sig")
    return b"".join(line if b"\0" not in line and is_valid(line, plain) else b"\0\n" for line in lines)


def read_lines(content: bytes, place: Place, header_row: int) -> Cells:
    """The records of a delimited text; those of another width than the header, or that do not decode, are faults.

    Raises InputError for no header, a wrong delimiter, an open quote, and when most records have another width.
    """
    encoding, mixed = detect_encoding(content, place)
    content = mark_undecodable(content, encoding) if mixed else content
    above, notes = header_row - 1, list[Note]()
    told = re.fullmatch(r'"?sep=(.)"?\s*', next(below(content, encoding, above), ""), re.I)
    if told:  # which Excel itself does not show
        notes, above = [(above + 1, "sep_line", told[1])], above + 1
    above = next((n for n, line in enumerate(below(content, encoding, above), above) if line.strip()), -1)
    if above < 0:
        raise InputError("sources.no_header", place, row=header_row)
    mark = told[1] if told else decide_delimiter([*islice(below(content, encoding, above), 100)], place)
    (_, header), *body = records(csv.reader(below(content, encoding, above), delimiter=mark, strict=True), place, above)
    unread = {line for line, row in body if mixed and "\0" in "".join(row)}
    good = {line: row for line, row in body if len(row) == len(header) and line not in unread}
    wrong = {n: f"{len(row)}/{len(header)}" for n, row in body if row and n not in good and n not in unread}
    if len(wrong) > len(good):
        most = Counter(wrong.values()).most_common(1)[0][0]
        hint = likely_header(header, [row for _, row in body], [line for line, _ in body])
        raise InputError("sources.other_width", Place(place.file, row=min(wrong)), n=most, width=len(header), hint=hint)
    formulas = [line for line, row in good.items() if any(_TEXT_FORMULA.fullmatch(cell) for cell in row)]
    for row in (good[line] for line in formulas):
        row[:] = [_TEXT_FORMULA.sub(r"\1", cell) for cell in row]
    notes += [(formulas[0], "text_formula", str(len(formulas)))] if formulas else []
    faults: list[Fault] = [(line, None, "", "encoding") for line in unread]
    faults += [(line, None, widths, "fields") for line, widths in wrong.items()]
    return Cells(place, header, list(good.values()), list(good), encoding, faults, notes)


def likely_header(header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int]) -> Text:
    """Which row looks like the header where the first does not: of the next ten the first that fills all columns, each otherwise."""
    widest = max((len([*filter(str.strip, row)]) for row in rows[:10]), default=0)
    found = (line for line, row in zip(lines, rows[:10], strict=False) if len({*filter(str.strip, row)}) == widest > 1)
    row = next(found, 0) if len([*filter(str.strip, header)]) < widest else 0
    return Text(*(say("sources.likely_header", lang, row=row) if row else "" for lang in LANGUAGES))


def decide_delimiter(lines: Sequence[str], place: Place) -> str:
    """The delimiter that gives the header most fields; raises InputError for full-width commas."""
    widths = {mark: len(next(csv.reader(lines, delimiter=mark), [])) for mark in ",;\t"}
    if widths[(best := max(widths, key=lambda mark: widths[mark]))] == 1 and "，" in lines[0]:
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
    lines, notes = pd.Index(cells.lines, dtype="int64"), list(cells.notes)
    columns = (pd.Series([row[i] for row in cells.rows], lines, "str") for i in range(len(cells.header)))
    frame = pd.DataFrame(dict(enumerate(column.str.replace(CONTROL, " ", regex=True) for column in columns)), lines)
    header = [" ".join(re.sub(CONTROL, " ", text.translate(INVISIBLE)).split()) for text in cells.header]
    if len(header) > 1 and not header[0] and not repeats and is_numbered(frame[0]):  # R and pandas write so
        frame, notes = frame.drop(columns=0), [*notes, (None, "index_column", "")]
    used = [i for i in frame if header[i] or repeats or (frame[i] != "").any()]
    hint = likely_header(header, cells.rows, cells.lines)
    names = unique_headers([header[i] for i in used], used, cells.place, repeats, hint)
    tidied = [f"{cells.header[i]!r}" for i in used if header[i] != cells.header[i].strip()]
    notes += [(None, "header_tidied", ", ".join(tidied))] if tidied else []
    again = [name.replace(REPEAT, " ") for name in names if REPEAT in name]
    notes += [(None, "header_repeated", ", ".join(again[:20]))] if again else []
    kept, faults = take_out_rows(frame[used], [header[i] for i in used])
    gone = frame.index.difference([*kept.index, *(fault[0] for fault in faults)])
    inside = [str(row) for row in gone if row < kept.index.max()]
    notes += [(int(inside[0]), "blank_rows", ", ".join(inside[:20]))] if inside else []
    frame, faults = kept, [*faults, *cells.faults, *lost_digits(kept)]
    by_column, told = dict(zip(used, names, strict=True)), []
    for row, i, value, reason in sorted(faults, key=lambda fault: fault[0]):
        column = "" if i is None else by_column.get(i, column_letters(i + 1))
        told.append((cells.place.file, cells.place.sheet, row, column, value, reason, "row" if i is None else "cell"))
        if row in frame.index and i in frame:
            frame.loc[row, i] = ""
    rejected = pd.DataFrame(told, columns=list(REJECTED)).astype({"row": "int64"})
    remarks = tuple((replace(cells.place, row=row), key, detail) for row, key, detail in notes)
    text = frame.set_axis(names, axis=1)
    return RawTable(text, cells.place, cells.encoding, rejected, notes=remarks, shift=cells.shift)


def is_numbered(cells: pd.Series) -> bool:
    """Whether a column counts its rows, from 0 or 1."""
    return len(cells) > 0 and any(list(cells) == [str(n) for n in range(k, k + len(cells))] for k in (0, 1))


def lost_digits(frame: pd.DataFrame) -> Iterator[Fault]:
    """Faults for long numbers that all end in zeros after 15 digits: Excel saved them so."""
    for i in frame:
        if len(long := frame[i][frame[i].str.fullmatch(r"\d{16,}")]) > 1 and long.str.fullmatch(r"\d{15}0+").all():
            yield from ((row, i, value, "digits_lost") for row, value in long.items())


def unique_headers(header: list[str], used: Sequence[int], place: Place, repeats: bool, hint: Any = "") -> list[str]:
    """Headers made unique by suffix; raises InputError for too many, and for repeated or nameless ones of a ledger."""
    if len(header) > MOST_COLUMNS:
        raise InputError("sources.too_many_columns", place, n=len(header), most=MOST_COLUMNS)
    letters, names = dict[str, list[str]](), list[str]()
    for text, position in zip(header, used, strict=True):
        (at := letters.setdefault(full_header(text), [])).append(column_letters(position + 1))
        names.append(text if len(at) == 1 else f"{text}{REPEAT}{len(at)}")
    if not repeats and "" in letters:
        raise InputError("sources.nameless", place, columns=", ".join(letters[""]), hint=hint)
    for twice, columns in ((text, at) for text, at in letters.items() if len(at) > 1 and not repeats):
        raise InputError("sources.same_header", place, columns=", ".join(columns), name=twice)
    return names


def take_out_rows(frame: pd.DataFrame, header: list[str]) -> tuple[pd.DataFrame, list[Fault]]:
    """The frame without blank rows, header rows in the middle and total rows; the last two as faults."""
    blank = again = starts_open = pd.Series(True, index=frame.index)
    total = ~blank
    for i in frame.columns[:3]:
        total |= starts_open & frame[i].str.removesuffix(":").str.removesuffix("：").isin(_TOTALS)
        starts_open = starts_open & (frame[i].str.strip() == "")
    for i, name in zip(frame, header, strict=True):
        bare = frame[i].str.strip()
        blank, again = blank & (bare == ""), again & (bare == name)
    again &= ~blank
    reasons = {"header_again": again, "total": total & ~again}
    faults: list[Fault] = [(row, None, "", why) for why, mask in reasons.items() for row in frame.index[mask]]
    kept = ~(blank | again | total)
    return frame if kept.all() else frame[kept], faults


# --- personal data ----------------------------------------------------------------------------------------------------

_HEADER = (
    r"(?:第?\d+[题、..])?请?(?:留下|填写|输入|提供)?(?:您|你|本人)?的?(?:来自|微信|用户|联系|手机|真实|户主|受访者|答题者)?"
    r"(?:ip|ip_?(?:province|city)|openid|open_id|unionid|昵称|nick_?name|姓名|名字|(?:full|respondent)_?name|手机|电话|tel|phone|mobile"
    r"|qq|微信|wechat|微信号|身份证|id_?card|邮箱|电子邮件|e-?mail|银行卡|车牌|家庭住址|住址|经度|纬度|经纬度|方式|头像)"
    r"(?:号码?|地址|_?number|_?no)?(?:\(.*\))?[::]?"
)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:\(.*\))?")  # of a computer, with its place as 问卷星 gives it


def drop_personal(raw: RawTable, keys: Collection[str] = (), known: Collection[str] = ()) -> RawTable:
    """The table without columns that identify a person, counted by what was filled in them, and scrubbed (`scrub_table`).

    A column goes by its header, or because more than half of its filled cells are phone or identity numbers, IP
    addresses, e-mails or WeChat ids. Beside such a column, one of people's names goes too. `keys` and `known` stay.
    """
    open_to = [name for name in raw.text if name not in {*keys, *known}]
    bare = {name: full_header(name.split(REPEAT)[0]).replace(" ", "") for name in open_to}
    gone = [name for name in bare if re.fullmatch(_HEADER, bare[name], re.I)]
    if by_cells := [name for name in bare if name not in gone and share(raw.text[name], is_personal) > 0.5]:
        gone += by_cells
        gone += [name for name in bare if name not in gone and looks_like_names(raw.text[name])]
    filled = {mask_text(name): int((raw.text[name].str.strip() != "").sum()) for name in gone}
    rejected = raw.rejected.assign(value=raw.rejected["value"].where(~raw.rejected["column"].isin(gone), ""))
    return scrub_table(replace(raw, text=raw.text.drop(columns=gone), rejected=rejected, dropped=filled), keys)


def scrub_table(raw: RawTable, keys: Collection[str] = ()) -> RawTable:
    """The table with numbers of people masked in its cells, headers and names of file and sheet; `n_masked` counts the cells.

    In `keys` a phone or identity number becomes a mark that is the same everywhere, so that rows still find each other.
    """
    cells = {name: (hash_keys if name in keys else mask_cells)(column) for name, column in raw.text.items()}
    changed = {name: int((column != raw.text[name]).sum()) for name, column in cells.items()}
    place = replace(raw.place, file=mask_text(raw.place.file), sheet=mask_text(raw.place.sheet))
    headers: list[str] = []
    for name in map(mask_text, raw.text):
        headers.append(f"{name}{REPEAT}{len(headers)}" if name in headers else name)
    notes = [(replace(at, file=place.file, sheet=place.sheet), key, mask_text(told)) for at, key, told in raw.notes]
    notes += [(place, "key_hashed", f"{mask_text(name)} ({changed[name]})") for name in keys if changed.get(name)]
    rejected = raw.rejected.assign(file=place.file, sheet=place.sheet, column=mask_cells(raw.rejected["column"]))
    text = pd.DataFrame(cells, index=raw.text.index).set_axis(headers, axis=1)
    held = {"rejected": rejected, "notes": tuple(notes), "n_masked": sum(changed.values())}
    return replace(raw, text=text, place=place, **held)


def is_personal(text: str) -> bool:
    """Whether a clean cell is a number of a person and nothing else."""
    # No number alone is longer, whatever stands between its digits.
    return bool(_ADDRESS.fullmatch(text) or (len(text) < 60 and MARKED.fullmatch(mask_text(text))))


def share(cells: pd.Series, matches: Callable[[str], object]) -> float:
    """The share of filled cells that match, from at most 1,000 of them, spread over the column."""
    filled = cells[cells.str.strip() != ""]
    some = filled.iloc[:: max(1, len(filled) // 1000)]
    return sum(n for text, n in Counter(some).items() if matches(clean_text(text))) / max(1, len(some))


def looks_like_names(cells: pd.Series) -> bool:
    """Whether a column holds Chinese names of people, mostly different ones."""
    return share(cells, NAME.fullmatch) > 0.8 and cells.nunique() > 0.6 * (cells != "").sum()
