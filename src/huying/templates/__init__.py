"""An empty workbook for each ledger with drop-downs, limits, an example row and explanations; asks for nothing that `check` refuses.

Headers, options, limits and rules all come from the declarations of `huying.ledgers`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from huying.contract import Choice, Column, Day, Flag, Instant, Label, Number, Table, Whole
from huying.errors import HuyingError
from huying.folder import County
from huying.ledgers import TABLES
from huying.sources.table import read_table
from huying.store import write_bytes
from huying.templates.explanations import HEAD, explain, sheet_name, snippet
from huying.templates.guards import LAST_ROW, LISTS, guard_of, mark_blanks
from huying.words import LANGUAGES, Text, say

__all__ = ["snippet", "write_templates"]

REGISTERS = ("towns", "departments")
NAMED_IN = {"town": "towns", "dept": "departments"}
STAMP = dt.datetime(2023, 1, 1)
EXAMPLE = PatternFill("solid", start_color="FFFFF2CC", end_color="FFFFF2CC")
FORMATS = ((Day, "yyyy-mm-dd"), (Instant, "yyyy-mm-dd hh:mm"), (Label, "@"))  # as text, 2022-2 does not become a day
Registers = Mapping[str, Sequence[str]]  # the county's own names and ids, by the column that asks for them


def write_templates(county: County, folder: Path, lang: str) -> list[Path]:
    """Write one workbook for each ledger into `folder`, headers and options in `lang`; the files, in the order of TABLES.

    The same county gives the same bytes. Towns and departments can be picked where the county's registers can be read.
    """
    registers = read_registers(county, lang)
    files = []
    for table in TABLES.values():
        files.append(folder / f"{table.name}.xlsx")
        write_bytes(files[-1], template(table, registers, lang))
    return files


def read_registers(county: County, lang: str) -> Registers:
    """The county's own names of towns and departments and ids of towns; empty where there is no register that can be read."""
    towns, departments = register(county, "towns"), register(county, "departments")
    name, none = f"name_{lang}", ()
    names = {"town": towns.get(name, none), "town_id": towns.get("town_id", none), "dept": departments.get(name, none)}
    return {column: list(found) for column, found in names.items() if len(found)}


def register(county: County, name: str) -> pd.DataFrame:
    """The rows of a register, none where the county does not declare it or its file is at fault (`check` says why)."""
    frames = [pd.DataFrame()]
    for entry in (entry for entry in county.ledgers if entry.table == name):
        with contextlib.suppress(HuyingError):
            raw = read_table(county.path(entry.file), sheet=entry.sheet, header_row=entry.header_row)
            frames.append(TABLES[name].check(raw.text, raw.place, entry.columns).kept)
    return pd.concat(frames, ignore_index=True)


def template(table: Table, registers: Registers, lang: str) -> bytes:
    """The workbook: the sheet to fill in, the explanations in both languages, and a hidden sheet with the lists."""
    book = openpyxl.Workbook()
    sheet, lists = book.active, book.create_sheet(LISTS)
    sheet.title, lists.sheet_state = sheet_name(table, lang), "hidden"
    for place, (column, value) in enumerate(zip(table.columns, example_row(table, registers, lang), strict=True), 1):
        fill_column(sheet, place, column, value, lang)
        if guard := guard_of(table, column, choices_of(column, table, registers, lang), lists, lang):
            guard.add(f"{get_column_letter(place)}2:{get_column_letter(place)}{LAST_ROW}")
            sheet.add_data_validation(guard)
    mark_blanks(sheet, table)
    sheet["A2"].comment = note(say("templates.example", lang))
    sheet.freeze_panes = "A2"
    explain(book.create_sheet(say("templates.explanations", lang), 1), table, lang)
    return as_bytes(book)


def fill_column(sheet: Any, place: int, column: Column, value: Any, lang: str) -> None:
    """The header with what belongs below it in a comment, the formats of the cells, and the example."""
    letter = get_column_letter(place)
    head, cell = sheet.cell(1, place, column.title(lang)), sheet.cell(2, place, value)
    head.font, head.fill, cell.fill = Font(bold=not column.optional), HEAD, EXAMPLE
    head.alignment = Alignment(wrap_text=True, vertical="top")
    languages = sorted(LANGUAGES, key=lambda language: language != lang)
    head.comment = note("\n".join(part for language in languages for part in words_of(column, language)))
    sheet.column_dimensions[letter].width = max(14, 2 * len(column.title.zh) + 2, len(column.title.en) * 0.8)
    shape = next((shape for kind, shape in FORMATS if isinstance(column.kind, kind)), None)
    if shape:
        sheet.column_dimensions[letter].number_format = cell.number_format = shape


def words_of(column: Column, lang: str) -> list[str]:
    """Title, whether required, content and unit."""
    need = say("templates.required", lang) + ": " + say("templates.no" if column.optional else "templates.yes", lang)
    unit = [say("templates.unit", lang) + ": " + column.unit_word(lang)] if column.unit else []
    return [column.title(lang), need, column.describe(lang), *unit]


def example_row(table: Table, registers: Registers, lang: str) -> list[Any]:
    """The example as cells of their kind: labels for codes, the county's first town and department where known."""
    named = {name: [examples(TABLES[of], lang)[1]] for name, of in NAMED_IN.items()} | dict(registers)
    named = {} if table.name in REGISTERS else named
    pairs = zip(table.columns, examples(table, lang), strict=True)
    return [as_cell(column, named.get(column.name, [text])[0] if text else "", lang) for column, text in pairs]


def examples(table: Table, lang: str) -> list[str]:
    """The texts of a table's example."""
    return [text(lang) if isinstance(text, Text) else text for text in table.example]


def as_cell(column: Column, text: str, lang: str) -> Any:
    """A text as the cell that Excel would hold."""
    value = column.kind.read(pd.Series([text], dtype=object)).iloc[0]
    if pd.isna(value):
        return None
    if isinstance(column.kind, Instant):
        return value.date() if isinstance(column.kind, Day) else value.to_pydatetime()
    if isinstance(column.kind, Choice):
        return column.kind.options[str(int(value)) if isinstance(column.kind, Flag) else value](lang)
    return int(value) if isinstance(column.kind, Whole) else float(value) if isinstance(column.kind, Number) else value


def choices_of(column: Column, table: Table, registers: Registers, lang: str) -> Sequence[str]:
    """The texts that can be picked: labels of codes, or names of the registers; none where anything may be written."""
    if isinstance(column.kind, Choice):
        return [label(lang) for label in column.kind.options.values()]
    return () if table.name in REGISTERS else registers.get(column.name, ())


def note(text: str) -> Comment:
    """A comment that is large enough for its text."""
    comment = Comment(text, "huying")
    comment.width, comment.height = 320, 40 + 20 * text.count("\n") + len(text)
    return comment


def as_bytes(book: Any) -> bytes:
    """The saved workbook with fixed dates, so that the same declarations give the same bytes."""
    book.properties.created = STAMP
    raw, out = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2023-01-01T00:00:00Z", old.read(name))
            info = zipfile.ZipInfo(name, STAMP.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return out.getvalue()
