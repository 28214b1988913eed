"""Excel sheets as rows of text; refuses, before a parser sees it, a bomb, a password, a stray cell or a choice of sheet."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import python_calamine as calamine

from huying.errors import InputError, Place

MOST_COLUMNS = 5_000
MOST_UNPACKED = 800 * 2**20  # bytes; a sheet of a million rows and ten columns has about 500 MB of XML
LARGEST_EXACT = 1e15  # Excel keeps 15 digits
Fault = tuple[int, int | None, str, str]  # row, position of the column (None: the whole row), value, reason
Note = tuple[str, dict[str, Any]]
_FILLED = re.compile(rb'[<:]c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
_BARE = re.compile(rb"[<:]c(?:\s[^>]*)?(?<!/)>")
_CELL = re.compile(rb"[<:]c\s([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.S)
_VALUE = re.compile(rb"[<:](?:v|t)(?:\s[^>]*)?>([^<]+)<")
_FORMULA = re.compile(rb"[<:]f[\s>/]")
_HIDDEN = re.compile(rb'[<:](?:row|col)\s[^>]*hidden="(?:1|true)"')


@dataclass(frozen=True)
class Cells:
    """What a format hands over: the header, the records below it and their lines, what to tell a reader, what was set aside.

    `place` names the file and the sheet, `encoding` the encoding of a text, else the format.
    """

    place: Place
    header: list[str]
    rows: list[list[str]]
    lines: Sequence[int]
    encoding: str
    notes: list[Note]
    faults: list[Fault]


@dataclass
class Extent:
    """What streaming over a sheet's XML has seen: filled cells, how far they reach, faults, formulas, hidden parts."""

    cells: int = 0
    last_row: tuple[int, str] = (0, "")
    last_column: tuple[int, str] = (0, "")
    formulas: int = 0
    hidden: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, xml: bytes) -> None:
        """Take in one block of XML that ends before a cell begins."""
        found = [(letters.decode(), int(row)) for letters, row in _FILLED.findall(xml)]
        self.hidden += len(_HIDDEN.findall(xml))
        if not found:  # cells may stand without a reference, one after the other
            self.cells += len(_BARE.findall(xml))
            return
        self.cells += len(found)
        letters, row = max(found, key=lambda cell: cell[1])
        self.last_row = max(self.last_row, (row, f"{letters}{row}"))
        letters, row = max(found, key=lambda cell: (len(cell[0]), cell[0]))
        self.last_column = max(self.last_column, (column_number(letters), f"{letters}{row}"))
        if b't="e"' in xml or _FORMULA.search(xml):
            self.add_faults(xml)

    def add_faults(self, xml: bytes) -> None:
        """Count formulas; set aside error cells and formulas that were never calculated."""
        for attributes, body in _CELL.findall(xml):
            cell = re.search(rb'\br="([A-Z]+)(\d+)"', attributes)
            has_formula, value = bool(_FORMULA.search(body)), _VALUE.search(body)
            self.formulas += has_formula
            is_error, is_text = b't="e"' in attributes, b't="str"' in attributes
            if cell and (is_error or (has_formula and not value and not is_text)):
                letters, row = cell[1].decode(), int(cell[2])
                shown = f"{letters}{row} {value[1].decode() if value else '='}"
                reason = "error_cell" if is_error else "not_calculated"
                self.faults.append((row, column_number(letters) - 1, shown, reason))

    def check(self, place: Place) -> None:
        """Raise InputError for more columns than a table has, and for a cell far from all others (it would fill memory)."""
        box = self.last_row[0] * self.last_column[0]
        if box > max(5_000_000, 50 * self.cells):
            far = self.last_column[1] if self.last_column[0] > MOST_COLUMNS else self.last_row[1]
            raise InputError("sources.stray_cell", place, cell=far, n=self.cells)
        if self.last_column[0] > MOST_COLUMNS:
            raise InputError("sources.too_many_columns", place, n=self.last_column[0], most=MOST_COLUMNS)


def column_number(letters: str) -> int:
    """The column `A` as 1, `XFD` as 16384."""
    return reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)


def column_letters(number: int) -> str:
    """The column 1 as `A`, 16384 as `XFD`."""
    return column_letters((number - 1) // 26) + chr(65 + (number - 1) % 26) if number else ""


def inspect_package(path: Path, place: Place) -> tuple[dict[str, Extent], list[Note]]:
    """What each sheet of an xlsx holds, by sheet name; raises InputError for a package that is unsafe or not whole."""
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                raise InputError("sources.zip_bomb", place, most=MOST_UNPACKED >> 20)
            if unsafe := [m.filename for m in members if re.search(r"^/|\\|:|(^|/)\.\.(/|$)", m.filename)]:
                raise InputError("sources.unsafe_member", place, member=unsafe[0])
            extents = {
                m.filename: scan_member(package, m, place) for m in members if m.filename.endswith((".xml", ".rels"))
            }
            sheets = {name: extents.get(member, Extent()) for name, member in sheet_members(package).items()}
            macros = [m for m in members if m.filename.lower().endswith("vbaproject.bin")]
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ElementTree.ParseError, NotImplementedError) as error:
        raise InputError("sources.damaged", place) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise InputError("sources.password", place) from error
    return sheets, [("sources.macros", {})] if macros else []


def scan_member(package: zipfile.ZipFile, member: zipfile.ZipInfo, place: Place) -> Extent:
    """The extent of one XML member, streamed to its end, which also proves its checksum; refuses a DOCTYPE."""
    extent, rest = Extent(), b""
    is_sheet = "/worksheets/" in member.filename
    with package.open(member) as stream:
        while block := stream.read(1 << 20):
            rest += block
            if b"<!DOCTYPE" in rest:
                raise InputError("sources.doctype", place, member=member.filename)
            cut = max(rest.rfind(b"<c "), rest.rfind(b":c ")) if is_sheet else len(rest) - 16
            if cut > 0:
                if is_sheet:
                    extent.add(rest[:cut])
                rest = rest[cut:]
    if is_sheet:
        extent.add(rest)
    return extent


def sheet_members(package: zipfile.ZipFile) -> dict[str, str]:
    """The member that holds each sheet, by the sheet's name, in the order of the tabs."""
    links = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    found = {}
    for element in ElementTree.fromstring(package.read("xl/workbook.xml")).iter():
        if element.tag.rpartition("}")[2] == "sheet":
            link = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
            found[element.get("name", "")] = posixpath.normpath(posixpath.join("/xl", targets[link])).lstrip("/")
    return found


def choose_sheet(book: Any, filled: dict[str, bool], wanted: str | None, place: Place) -> tuple[str, tuple[str, ...]]:
    """The sheet to read and the hidden ones; raises InputError unless it is named or the only one that shows and is filled.

    A hidden first sheet makes the choice doubtful too: it is often last year's.
    """
    shows = {m.name: m.visible == calamine.SheetVisibleEnum.Visible for m in book.sheets_metadata}
    hidden = tuple(name for name, is_shown in shows.items() if not is_shown)
    visible = [name for name, is_shown in shows.items() if is_shown and filled[name]]
    listed = {"visible": ", ".join(visible), "hidden": ", ".join(hidden) or "-"}
    if wanted is not None and wanted not in shows:
        raise InputError("sources.no_sheet", place, wanted=wanted, **listed)
    if wanted is None and not any(filled.values()):
        raise InputError("sources.empty_file", place)
    if wanted is None and (len(visible) != 1 or next(iter(shows)) in hidden):
        raise InputError("sources.name_sheet", place, **listed)
    return wanted if wanted is not None else visible[0], hidden


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
    """One sheet of a workbook from its header on; vertically merged cells are filled down. Raises InputError.

    An old xls holds no text by which error cells and uncalculated formulas could be told: they are empty there.
    """
    notes: list[Note] = []
    extents: dict[str, Extent] = {}
    if kind == "xlsx":
        extents, notes = inspect_package(path, place)
    elif "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise InputError("sources.password", place)
    try:
        with calamine.load_workbook(str(path)) as book:
            filled = {
                name: extents[name].cells > 0 if name in extents else book.get_sheet_by_name(name).total_height > 0
                for name in book.sheet_names
            }
            name, hidden = choose_sheet(book, filled, wanted, place)
            place, extent = Place(place.file, name), extents.get(name, Extent())
            extent.check(place)
            sheet = book.get_sheet_by_name(name)
            values, merged = sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or []
    except calamine.PasswordError as error:
        raise InputError("sources.password", place) from error
    except calamine.CalamineError as error:
        raise InputError("sources.damaged", place) from error
    rows = [[cell_text(value) for value in row] for row in values]
    faults = extent.faults + take_out_lost_digits(values, rows)
    notes += [("sources.formulas", {"n": extent.formulas})] if extent.formulas else []
    notes += [("sources.hidden_parts", {"n": extent.hidden})] if extent.hidden else []
    notes += [("sources.hidden_sheets", {"sheets": ", ".join(hidden)})] if hidden else []
    notes += fill_down(rows, merged, header_row)
    if len(rows) < header_row or not any(rows[header_row - 1]):
        raise InputError("sources.no_header", place, row=header_row)
    below = range(header_row + 1, len(rows) + 1)
    faults = [fault for fault in faults if fault[0] > header_row]
    return Cells(place, rows[header_row - 1], rows[header_row:], below, kind, notes, faults)


def take_out_lost_digits(values: list[list[Any]], rows: list[list[str]]) -> list[Fault]:
    """Faults for numbers of more digits than Excel keeps (identity numbers); the cells become empty."""
    faults: list[Fault] = []
    for r, row in enumerate(values):
        for c, value in enumerate(row):
            if isinstance(value, float) and abs(value) >= LARGEST_EXACT:
                rows[r][c] = ""
                faults.append((r + 1, c, f"{column_letters(c + 1)}{r + 1} {value:.0e}", "digits_lost"))
    return faults


def fill_down(rows: list[list[str]], merged: list[Any], header_row: int) -> list[Note]:
    """Write the text of each vertically merged cell below the header into all its rows; the note of what was filled."""
    filled = []
    for (top, left), (bottom, _) in merged:
        if header_row <= top < min(bottom, len(rows)) and rows[top][left : left + 1] not in ([], [""]):
            for row in rows[top + 1 : bottom + 1]:
                row[left] = rows[top][left]
            filled.append(f"{column_letters(left + 1)}{top + 1}:{column_letters(left + 1)}{bottom + 1}")
    shown = ", ".join(filled[:5]) + (" …" if len(filled) > 5 else "")
    return [("sources.filled_down", {"n": len(filled), "ranges": shown})] if filled else []
