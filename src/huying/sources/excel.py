"""Excel sheets as rows of text; refuses, before a parser sees it, a bomb, a password, a stray cell or a choice of sheet."""

import datetime as dt
import posixpath
import re
import zipfile
import zlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import python_calamine as calamine

from huying.kinds import clean_text
from huying.words import InputError, Place

MOST_COLUMNS = 5_000
MOST_UNPACKED = 400 * 2**20  # bytes; a sheet of half a million rows and ten columns has about 250 MB of XML
Fault = tuple[int, int | None, str, str]  # row, position of the column (None: the whole row), value, reason
Note = tuple[int | None, str, str]  # what was repaired or seen: first row, a key `clean.note_…`, which cells or names
_FILLED = re.compile(rb'[<:]c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
_CELL = re.compile(rb"[<:]c\s([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.S)
_PLACE = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE = re.compile(rb"[<:](?:v|t)(?:\s[^>]*)?>([^<]+)<")
_FORMULA = re.compile(rb"[<:]f[\s>/]")
_STYLED = re.compile(rb"[<:]c\s(?=[^>]*\br=\"([A-Z]+)(\d+)\")(?=[^>]*\bs=\"(\d+)\")(?![^>]*\bt=\"(?!n\"))[^>]*>")
_ZEROS = re.compile(r'((?:"[^"]*"|\\.)*)(0(?:[-/ \\"]*0)+)')  # a format of ids: all digits shown, letters before them
# What a format says beside its signs, which are in the group: colour, language, gaps, and the forms of other values.
_BESIDE = re.compile(r'("[^"]*"|\\.)|\[(?:\$[^]]*|[a-z]+\d*)\]|[_*].|;.*', re.I | re.S)
_AMOUNT = re.compile(r"[-+]?(0|[1-9]\d{0,8}|[1-9]\d{0,2}(,\d{3})+)(\.\d+)?(e[+-]?\d+)?%?", re.I)
_MODE_1904 = b"\x22\0\2\0\1\0\x0e\0\2\0"  # in an old xls: its record of the calendar, and the head of the next


class Cells(NamedTuple):
    """What a format hands over: the header, the records below it and their lines, and what was set aside.

    `place` names the file and the sheet, `encoding` the encoding of a text, else the format. `shift`: days that its serial
    numbers lack to be days of Excel's usual calendar.
    """

    place: Place
    header: list[str]
    rows: list[list[str]]
    lines: Sequence[int]
    encoding: str
    faults: list[Fault]
    notes: list[Note]
    shift: int = 0


def column_number(letters: bytes) -> int:
    """The column `A` as 1, `XFD` as 16384."""
    return reduce(lambda number, letter: number * 26 + letter - 64, letters, 0)


def column_letters(number: int) -> str:
    """The column 1 as `A`, 16384 as `XFD`."""
    return column_letters((number - 1) // 26) + chr(65 + (number - 1) % 26) if number else ""


class Package(NamedTuple):
    """What of an xlsx the parser does not tell: the XML of each sheet by its name, formats of ids by style, calendar, macros."""

    sheets: dict[str, bytes]
    ids: dict[int, tuple[str, str]]
    calendar_1904: bool
    macros: bool


def read_package(path: Path, place: Place) -> Package:
    """The parts of an xlsx, its sheets in the order of the tabs; raises InputError for a package that is not whole."""
    try:
        with zipfile.ZipFile(path) as package:
            if sum(member.file_size for member in package.infolist()) > MOST_UNPACKED:
                raise InputError("sources.zip_bomb", place, most=MOST_UNPACKED >> 20)
            links = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
            targets = {link.get("Id"): posixpath.join("/xl", link.get("Target", "")) for link in links}
            found, workbook = {}, package.read("xl/workbook.xml")
            for sheet in ElementTree.fromstring(workbook).iterfind("{*}sheets/{*}sheet"):
                link = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
                found[sheet.get("name", "")] = package.read(posixpath.normpath(targets[link]).lstrip("/"))
            names, is_1904 = package.namelist(), bool(re.search(rb'date1904="(1|true)"', workbook))
            ids = formats_of_ids(package.read("xl/styles.xml")) if "xl/styles.xml" in names else {}
            return Package(found, ids, is_1904, any(name.endswith("vbaProject.bin") for name in names))
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ElementTree.ParseError, NotImplementedError) as error:
        raise InputError("sources.damaged", place) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise InputError("sources.password", place) from error


def formats_of_ids(styles: bytes) -> dict[int, tuple[str, str]]:
    """The styles whose number format shows every digit of an id, such as 0000000 or 00-00: letters before it and the form, by style."""
    parts = {part.tag.rpartition("}")[2]: part for part in ElementTree.fromstring(styles)}
    codes = {form.get("numFmtId"): form.get("formatCode", "") for form in parts.get("numFmts", ())}
    used = enumerate(_BESIDE.sub(r"\1", codes.get(style.get("numFmtId"), "")) for style in parts.get("cellXfs", ()))
    found = {n: match for n, code in used if (match := _ZEROS.fullmatch(code))}
    return {n: (re.sub(r'[\\"]', "", match[1]), re.sub(r'[\\"]', "", match[2])) for n, match in found.items()}


def apply_formats(rows: list[list[str]], xml: bytes, ids: dict[int, tuple[str, str]], header_row: int) -> list[Note]:
    """Show whole numbers as their format of ids does, in place; a note where one is."""
    shown = []
    for letters, row, style in _STYLED.findall(xml) if ids else ():
        r, c = int(row), column_number(letters) - 1
        if int(style) in ids and header_row < r <= len(rows) and c < len(rows[r - 1]) and rows[r - 1][c].isdigit():
            prefix, form = ids[int(style)]
            form = "0" * (len(rows[r - 1][c]) - form.count("0")) + form  # the first takes all digits that are left
            digits = iter(rows[r - 1][c].zfill(form.count("0")))
            rows[r - 1][c] = prefix + "".join(next(digits) if sign == "0" else sign for sign in form)
            shown.append((r, letters.decode()))
    return [(shown[0][0], "number_format", ", ".join(dict.fromkeys(name for _, name in shown)))] if shown else []


def fill_down(rows: list[list[str]], merged: Any, values: Sequence[Sequence[Any]], header_row: int) -> list[Note]:
    """Fill merged cells down, in place, but not a number, which would be counted again and again; notes of both."""
    told: dict[str, list[tuple[int, str]]] = {"filled_down": [], "not_filled": []}
    for (top, left), (bottom, _) in sorted(merged):
        if header_row <= top < min(bottom, len(rows) - 1) and left < len(rows[top]) and rows[top][left]:
            is_amount = not isinstance(values[top][left], bool) and _AMOUNT.fullmatch(clean_text(rows[top][left]))
            letters, key = column_letters(left + 1), "not_filled" if is_amount else "filled_down"
            told[key].append((top + 1, f"{letters}{top + 1}:{letters}{bottom + 1}"))
            for row in rows[top + 1 : bottom + 1] if not is_amount else ():
                row[left] = rows[top][left]
    return [(cells[0][0], key, ", ".join(cell for _, cell in cells)) for key, cells in told.items() if cells]


def check_extent(xml: bytes, place: Place) -> None:
    """Raise InputError for more columns than a table has, and for a cell far from all others (it would fill memory)."""
    cells = _FILLED.findall(xml)  # none where cells stand without a reference, one after the other
    lowest = max(cells, key=lambda cell: int(cell[1]), default=(b"A", b"1"))
    last = max(cells, key=lambda cell: column_number(cell[0]), default=(b"A", b"1"))
    n_rows, n_columns = int(lowest[1]), column_number(last[0])
    if n_rows * n_columns > max(5_000_000, 50 * len(cells)):
        far = b"".join(last if n_columns > MOST_COLUMNS else lowest).decode()
        raise InputError("sources.stray_cell", place, cell=far, n=len(cells))
    if n_columns > MOST_COLUMNS:
        raise InputError("sources.too_many_columns", place, n=n_columns, most=MOST_COLUMNS)


def find_valueless(xml: bytes) -> list[Fault]:
    """Faults for error cells and for formulas that were never calculated: the parser takes both for blank cells."""
    faults: list[Fault] = []
    for attributes, body in _CELL.findall(xml) if b't="e"' in xml or _FORMULA.search(xml) else ():
        cell, value, is_error = _PLACE.search(attributes), _VALUE.search(body), b't="e"' in attributes
        if cell and (is_error or (_FORMULA.search(body) and not value and b't="str"' not in attributes)):
            shown = f"{b''.join(cell.groups()).decode()} {value[1].decode() if value else '='}"
            reason = "error_cell" if is_error else "not_calculated"
            faults.append((int(cell[2]), column_number(cell[1]) - 1, shown, reason))
    return faults


def choose_sheet(shown: dict[str, str], filled: dict[str, bool], wanted: str | None, place: Place) -> str:
    """The sheet to read; raises InputError unless it is named or the only one that shows and is filled.

    A hidden first sheet makes the choice doubtful too: it is often last year's.
    """
    hidden = [name for name, how in shown.items() if how != "Visible"]
    visible = [name for name, how in shown.items() if how == "Visible" and filled[name]]
    listed = {"visible": ", ".join(visible), "hidden": ", ".join(hidden) or "-"}
    if wanted is not None and wanted not in shown:
        raise InputError("sources.no_sheet", place, wanted=wanted, **listed)
    if wanted is None and not any(filled.values()):
        raise InputError("sources.empty_file", place)
    if wanted is None and (len(visible) != 1 or next(iter(shown)) in hidden):
        raise InputError("sources.name_sheet", place, **listed)
    return wanted if wanted is not None else visible[0]


def cell_text(value: Any) -> str:
    """A cell as text: dates in ISO form, whole numbers without a point."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value.isoformat(" ", "seconds") if isinstance(value, dt.datetime) else str(value)


def read_sheet(path: Path, place: Place, kind: str, wanted: str | None, header_row: int) -> Cells:
    """One sheet of a workbook from its header on, its merged texts filled down and formats of ids applied. Raises InputError.

    An old xls holds no text by which error cells, uncalculated formulas and formats of ids could be told: they are empty
    there, or plain numbers.
    """
    if kind == "xls" and "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise InputError("sources.password", place)
    is_1904 = kind == "xls" and _MODE_1904 in path.read_bytes()
    package = read_package(path, place) if kind == "xlsx" else Package({}, {}, is_1904, False)
    try:
        with calamine.load_workbook(str(path)) as book:
            filled = {name: bool(_VALUE.search(xml) or _FORMULA.search(xml)) for name, xml in package.sheets.items()}
            filled = filled or {name: book.get_sheet_by_name(name).total_height > 0 for name in book.sheet_names}
            shown = {m.name: str(m.visible).rpartition(".")[2] for m in book.sheets_metadata}
            name = choose_sheet(shown, filled, wanted, place)
            place, xml = Place(place.file, name), package.sheets.get(name, b"")
            check_extent(xml, place)
            sheet = book.get_sheet_by_name(name)
            values, merged = sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or []
    except calamine.PasswordError as error:
        raise InputError("sources.password", place) from error
    except calamine.CalamineError as error:
        raise InputError("sources.damaged", place) from error
    rows = [[cell_text(value) for value in row] for row in values]
    if len(rows) < header_row or not any(rows[header_row - 1]):
        raise InputError("sources.no_header", place, row=header_row)
    notes = [*apply_formats(rows, xml, package.ids, header_row), *fill_down(rows, merged, values, header_row)]
    for key, word in (("unread_sheets", "Visible"), ("hidden_sheets", "Hidden"), ("very_hidden_sheets", "VeryHidden")):
        if names := [one for one, how in shown.items() if how == word and filled[one] and one != name]:
            notes.append((None, key, ", ".join(names)))
    notes += [(None, key, "") for key in ("macros", "calendar_1904") if getattr(package, key)]
    faults = [fault for fault in find_valueless(xml) if fault[0] > header_row]
    floats = ((r, c, v) for r, row in enumerate(values, 1) for c, v in enumerate(row) if isinstance(v, float))
    large = [(r, c, v) for r, c, v in floats if r > header_row and abs(v) >= 1e15]  # Excel keeps 15 digits
    faults += [(r, c, f"{column_letters(c + 1)}{r} {v:.0e}", "digits_lost") for r, c, v in large]
    # So many days lie between the first days of Excel's two calendars.
    lines, shift = range(header_row + 1, len(rows) + 1), 1462 * package.calendar_1904
    return Cells(place, rows[header_row - 1], rows[header_row:], lines, kind, faults, notes, shift)
