"""What a template lets into a cell: options, limits and their messages, from the declaration of the column; nothing that `check` refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from huying.contract import Column, Instant, Label, Number, Table, Whole
from huying.rules import AtMost
from huying.words import say

LAST_ROW = 5000  # down to here the cells are guarded
LISTS = "lists"
DAY_ZERO = pd.Timestamp("1899-12-30")
LARGEST = 1e15  # Excel keeps 15 digits
BLANK = PatternFill("solid", start_color="FFF8CBAD", end_color="FFF8CBAD")


def guard_of(table: Table, column: Column, options: Sequence[str], lists: Any, lang: str) -> DataValidation | None:
    """The validation of a column, a list or limits, with its message; None for a text that may be anything."""
    if not options and column.optional and isinstance(column.kind, Label):
        return None
    allowed = listed(options, lists) if options else limits(table, column)
    guard = DataValidation(allow_blank=column.optional, showErrorMessage=True, errorStyle="stop", **allowed)
    word = {"textLength": "filled", "list": "listed" if column.note is None else ""}.get(str(guard.type), "")
    content = say(f"templates.{word}", lang) if word else column.describe(lang)
    guard.errorTitle = say("templates.wrong_title", lang)[:32]  # Excel takes 32 and 255 characters
    guard.error = say("templates.wrong", lang, title=column.title(lang), content=content)[:255]
    return guard


def listed(options: Sequence[str], lists: Any) -> dict[str, Any]:
    """A list that lies on the sheet of lists: written into the rule itself it could not hold a comma or 256 characters."""
    place = 1 if lists.cell(1, 1).value is None else lists.max_column + 1
    for row, option in enumerate(options, 1):
        lists.cell(row, place, option)
    letter = get_column_letter(place)
    return {"type": "list", "formula1": f"{LISTS}!${letter}$1:${letter}${len(options)}"}


def limits(table: Table, column: Column) -> dict[str, Any]:
    """The limits of a number, day or text; a part stays below its whole, a day behind the one that it follows."""
    kind = column.kind
    if isinstance(kind, Instant):
        low, high = (str((pd.Timestamp(day) - DAY_ZERO).days) for day in (kind.low, kind.high))
        low = f"MAX({low},{cell_of(table, column.after)})" if column.after else low
        return {"type": "date", "formula1": low, "formula2": high}
    if isinstance(kind, Whole | Number):
        low, high = (f"{min(max(limit, -LARGEST), LARGEST):.15g}" for limit in (kind.low, kind.high))
        for rule in (rule for rule in table.rules if isinstance(rule, AtMost) and rule.column == column.name):
            whole = cell_of(table, rule.whole)
            high = f'IF({whole}="",{high},MIN({high},{whole}))'
        return {"type": "whole" if isinstance(kind, Whole) else "decimal", "formula1": low, "formula2": high}
    return {"type": "textLength", "formula1": "1", "formula2": "32767"}


def cell_of(table: Table, name: str) -> str:
    """The cell of a column in the first row below the header; Excel moves it along with the row."""
    return f"${get_column_letter([column.name for column in table.columns].index(name) + 1)}2"


def mark_blanks(sheet: Any, table: Table) -> None:
    """Paint required cells that are blank in a row that has begun: no validation sees a cell nobody has touched."""
    last = get_column_letter(len(table.columns))
    for place, column in enumerate(table.columns, 1):
        if not column.optional:
            letter = get_column_letter(place)
            rule = FormulaRule(formula=[f'AND(COUNTA($A2:${last}2)>0,TRIM({letter}2)="")'], fill=BLANK)
            sheet.conditional_formatting.add(f"{letter}2:{letter}{LAST_ROW}", rule)
