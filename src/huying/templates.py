"""An empty workbook for each ledger, and the data dictionary; asks for nothing that `check` refuses.

Headers, options, limits, rules and explanations all come from the declarations of `huying.ledgers` and the codebook.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from huying.clean.intake import Intake
from huying.codebook import Item, house_codebook
from huying.folder import FORMS, County
from huying.kinds import Choice, Day, Instant, Label, Number, Whole
from huying.ledgers import TABLES, Column, Table
from huying.store import beside
from huying.words import LANGUAGES, HuyingError, Text, say

NAMED_IN = {"town": "towns", "dept": "departments"}  # the registers
HEAD, EXAMPLE, BLANK = (PatternFill("solid", start_color=c, end_color=c) for c in ("FFD9E1F2", "FFFFF2CC", "FFF8CBAD"))
LISTS = "lists"
LARGEST = 1e15  # Excel keeps 15 digits
FORMATS = ((Day, "yyyy-mm-dd"), (Instant, "yyyy-mm-dd hh:mm"), (Label, "@"))  # as text, 2022-2 does not become a day
Registers = Mapping[str, Sequence[str]]  # the county's own names and ids, by the column that asks for them


def write_templates(county: County, folder: Path, lang: str) -> list[Path]:
    """Write one workbook for each ledger into `folder`, headers and options in `lang`; the files, in the order of TABLES.

    Towns and departments can be picked where the county's registers can be read.
    """
    registers, files = read_registers(county, lang), [folder / f"{name}.xlsx" for name in TABLES]
    for file, table in zip(files, TABLES.values(), strict=True):
        with beside(file) as temporary:
            template(table, {} if table.name in NAMED_IN.values() else registers, lang).save(temporary)
    return files


def read_registers(county: County, lang: str) -> Registers:
    """The county's own names of towns and departments and ids of towns; `check` says why a register cannot be read."""
    intake, name = Intake(county, house_codebook()), f"name_{lang}"
    for entry in (entry for entry in intake.in_order() if entry.table in NAMED_IN.values()):
        with contextlib.suppress(HuyingError):
            intake.take_ledger(entry)
    rows = {table: frame for (table, _), frame in intake.ledgers.items()}
    found = {"town": ("towns", name), "town_id": ("towns", "town_id"), "dept": ("departments", name)}
    return {column: list(rows[table][of]) for column, (table, of) in found.items() if len(rows.get(table, ()))}


def template(table: Table, registers: Registers, lang: str) -> openpyxl.Workbook:
    """The workbook: the sheet to fill in, the explanations in both languages, and a hidden sheet with the lists."""
    book = openpyxl.Workbook()
    sheet, lists = book.active, book.create_sheet(LISTS)
    sheet.title, lists.sheet_state = sheet_name(table, lang), "hidden"
    for place, (column, value) in enumerate(zip(table.columns, example_row(table, registers, lang), strict=True), 1):
        letter = get_column_letter(place)
        cells = f"{letter}2:{letter}5000"  # down to here they are guarded
        fill_column(sheet, place, column, value, lang)
        if guard := guard_of(table, column, choices_of(column, registers, lang), lists, lang):
            guard.add(cells)
            sheet.add_data_validation(guard)
        if not column.optional:  # no validation sees a cell that nobody has touched
            is_lacking = f'AND(COUNTA($A2:${get_column_letter(len(table.columns))}2)>0,TRIM({letter}2)="")'
            sheet.conditional_formatting.add(cells, FormulaRule(formula=[is_lacking], fill=BLANK))
    sheet.freeze_panes = "A2"
    explain(book.create_sheet(say("templates.explanations", lang), 1), table, lang)
    for cell in (cell for page in book for row in page.iter_rows() for cell in row):
        cell.data_type = "s" if cell.data_type in ("f", "e") else cell.data_type  # a town's name is no formula
    return book


def fill_column(sheet: Any, place: int, column: Column, value: Any, lang: str) -> None:
    """The header, the formats of the cells, and the example."""
    letter = get_column_letter(place)
    head, cell = sheet.cell(1, place, column.title(lang)), sheet.cell(2, place, value)
    head.font, head.fill, cell.fill = Font(bold=not column.optional), HEAD, EXAMPLE
    head.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions[letter].width = max(14, 2 * len(column.title.zh) + 2, len(column.title.en) * 0.8)
    if shape := next((shape for kind, shape in FORMATS if isinstance(column.kind, kind)), None):
        sheet.column_dimensions[letter].number_format = cell.number_format = shape


def example_row(table: Table, registers: Registers, lang: str) -> list[Any]:
    """The example as cells of their kind: labels for codes, the county's first town and department where known."""
    named = {name: [examples_of(TABLES[of], lang)[1]] for name, of in NAMED_IN.items()} | dict(registers)
    pairs = zip(table.columns, examples_of(table, lang), strict=True)
    return [as_cell(column, named.get(column.name, [text])[0] if text else "", lang) for column, text in pairs]


def examples_of(table: Table, lang: str) -> list[str]:
    """The texts of a table's example."""
    return [text(lang) if isinstance(text, Text) else text for text in table.example]


def as_cell(column: Column, text: str, lang: str) -> Any:
    """A text as the cell that Excel would hold."""
    if isinstance(column.kind, Choice) and text:
        return column.kind.options[text](lang)
    value = column.kind.read(pd.Series([text], dtype=object)).iloc[0]
    return None if pd.isna(value) else value


def choices_of(column: Column, registers: Registers, lang: str) -> Sequence[str]:
    """The texts that can be picked: labels of codes, or names of the registers; none where anything may be written."""
    if isinstance(column.kind, Choice):
        return [label(lang) for label in column.kind.options.values()]
    return registers.get(column.name, ())


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
    if isinstance((kind := column.kind), Instant):
        low, high = (str((pd.Timestamp(day) - pd.Timestamp("1899-12-30")).days) for day in (kind.low, kind.high))
        low = f"MAX({low},{cell_of(table, column.after)})" if column.after else low
        return {"type": "date", "formula1": low, "formula2": high}
    if isinstance(kind, Whole | Number):
        low, high = (f"{min(max(limit, -LARGEST), LARGEST):.15g}" for limit in (kind.low, kind.high))
        for rule in (rule for rule in table.rules if rule.name == "AtMost" and rule.column == column.name):
            whole = cell_of(table, rule.more["whole"])
            high = f'IF({whole}="",{high},MIN({high},{whole}))'
        return {"type": "whole" if isinstance(kind, Whole) else "decimal", "formula1": low, "formula2": high}
    return {"type": "textLength", "formula1": "1", "formula2": "32767"}


def cell_of(table: Table, name: str) -> str:
    """The cell of a column in the first row below the header; Excel moves it along with the row."""
    return f"${get_column_letter([column.name for column in table.columns].index(name) + 1)}2"


# --- explanations -----------------------------------------------------------------------------------------------------


def snippet(table: Table, file: str, lang: str | None = None) -> str:
    """The lines of county.toml that declare the filled template; the sheet is named since the workbook has two."""
    return f'[[ledger]]\ntable = "{table.name}"\nfile = "{file}"\nsheet = "{sheet_name(table, lang)}"\n'


def sheet_name(table: Table, lang: str | None = None) -> str:
    """The title of the ledger, or its short name where a sheet cannot be called so (31 characters at most, no slash)."""
    title = table.title(lang)
    return title if len(title) <= 31 and not re.search(r"[\[\]:*?/\\]", title) else table.name


def explain(sheet: Any, table: Table, lang: str) -> None:
    """The explanations: what a row is, then every column and rule in both languages, and the lines that declare the file."""
    rows = table.rows or table.title
    about = [say("templates.about", word, title=table.title(word), rows=rows(word)) for word in LANGUAGES]
    top, columns = [*about, both("marked"), ""], [explained(table, column) for column in table.columns]
    rules = [text for words in rules_of(table) for text in words]
    declared = snippet(table, f"raw/{table.name}.xlsx", lang).splitlines()
    below = ["", *([both("rules"), *rules] if rules else []), "", *each("declare"), *declared]
    for row in (*([text] for text in top), heads(), *columns, *([text] for text in below)):
        sheet.append(row)
    for cell in sheet[len(top) + 1]:
        cell.font, cell.fill = Font(bold=True), HEAD
    for letter, width in zip("ABCDEFGH", (20, 22, 26, 10, 18, 46, 46, 40), strict=True):
        sheet.column_dimensions[letter].width = width


def heads() -> list[str]:
    """The heads of what `explained` tells of a column."""
    return [both("column"), *each("title"), both("required"), both("unit"), *each("content"), both("rule")]


def explained(table: Table, column: Column) -> list[str]:
    """One column: names, whether it is required, unit, contents, and the day it may not precede."""
    afters = [(lang, table.by_name[column.after].title(lang)) for lang in LANGUAGES if column.after]
    rule = " / ".join(say("contract.rule_after", lang, after=after) for lang, after in afters)
    unit, need = " / ".join(dict.fromkeys(map(column.unit_word, LANGUAGES))), both("no" if column.optional else "yes")
    return [column.name, *column.title, need, unit, *map(column.describe, LANGUAGES), rule]


def rules_of(table: Table) -> list[tuple[str, ...]]:
    """The key and the rules between columns and rows, each in every language."""
    titles = [(lang, {name: other.title(lang) for name, other in TABLES.items()}) for lang in LANGUAGES]
    return list(zip(*(table.rule_words(lang, names) for lang, names in titles), strict=True))


def each(word: str) -> list[str]:
    """A word of this room in each language."""
    return [say(f"templates.{word}", lang) for lang in LANGUAGES]


def both(word: str) -> str:
    """A word of this room in both languages, in one cell."""
    return " / ".join(each(word))


# --- the dictionary ---------------------------------------------------------------------------------------------------


def markdown(head: list[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """A Markdown table."""
    lines = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells] for cells in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def item_row(item: Item) -> list[str]:
    """One item: id, type, wording, codes, missing codes, when it is asked, claims."""
    codes = "; ".join(f"{o.code} {o.text.zh} / {o.text.en}" for o in item.options) or item.options_from
    if item.range:
        codes = f"{item.range[0]:g}–{item.range[1]:g}" + (f" {item.unit.zh} / {item.unit.en}" if item.unit else "")
    rows = "; ".join(f"{key} {text.zh} / {text.en}" for key, text in item.rows)
    missing = "; ".join(f"{code} = {why}" for code, why in item.missing.items())
    wording = f"{item.text.zh} / {item.text.en}" + (f" ({rows})" if rows else "")
    use = ", ".join(item.claims) or item.role
    return [item.id, item.type, wording, codes, missing, item.asked_if or item.ends_if, use]


def ledger_lines(declared: Table) -> list[str]:
    """One ledger: what a row is, its rules, and its columns with titles, contents and an example."""
    about = [" / ".join(declared.rows), ""] if declared.rows else []
    rules = [f"- {' / '.join(words)}" for words in rules_of(declared)]
    examples = zip(declared.columns, examples_of(declared, "zh"), strict=True)
    columns = markdown([*heads(), both("example_head")], ([*explained(declared, c), text] for c, text in examples))
    return [f"### `{declared.name}` {' / '.join(declared.title)}", "", *about, *rules, "", *columns]


def dictionary() -> str:
    """The whole dictionary as Markdown, in both languages."""
    lines = ["<!-- Generated by `huying dictionary`; edit the declarations, not this file. -->"]
    about = (line for lang in LANGUAGES for line in (say("dictionary.about", lang), ""))
    lines += ["# 数据字典 / Data dictionary", "", *about, "## 问卷 / Questionnaires", ""]
    head = ["id", "type", "题目 / wording", "选项 / codes", "缺失码 / missing", "提问条件 / rule", "用途 / serves"]
    for form in FORMS:
        lines += [f"### {' / '.join(say(f'dictionary.{form}', lang) for lang in LANGUAGES)}", ""]
        lines += markdown(head, map(item_row, house_codebook().form(form)))
    lines += ["## 台账 / Ledgers", "", *(line for declared in TABLES.values() for line in ledger_lines(declared))]
    return "\n".join(lines).rstrip() + "\n"
