"""The data dictionary and what a template explains, made from codebook and ledgers, so that they cannot differ from what is checked."""

import re
from collections.abc import Iterable
from typing import Any

from openpyxl.styles import Font, PatternFill

from huying.codebook import Item, house_codebook
from huying.folder import FORMS
from huying.ledgers import TABLES, Column, Table
from huying.words import LANGUAGES, Text, say

HEAD = PatternFill("solid", start_color="FFD9E1F2", end_color="FFD9E1F2")


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
    after = table.by_name[column.after].title if column.after else None
    rule = " / ".join(say("contract.rule_after", lang, after=after(lang)) for lang in LANGUAGES) if after else ""
    unit = " / ".join(dict.fromkeys(map(column.unit_word, LANGUAGES)))
    need = both("no" if column.optional else "yes")
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


# --- a ledger explained -----------------------------------------------------------------------------------------------


def table(head: list[str], rows: Iterable[Iterable[object]]) -> list[str]:
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
    examples = [cell.zh if isinstance(cell, Text) else cell for cell in declared.example]
    columns = zip(declared.columns, examples, strict=True)
    return [
        f"### `{declared.name}` {' / '.join(declared.title)}",
        "",
        *([" / ".join(declared.rows), ""] if declared.rows else []),
        *(f"- {' / '.join(words)}" for words in rules_of(declared)),
        "",
        *table([*heads(), both("example_head")], ([*explained(declared, column), text] for column, text in columns)),
    ]


def dictionary() -> str:
    """The whole dictionary as Markdown, in both languages."""
    lines = ["<!-- Generated by `huying dictionary`; edit the declarations, not this file. -->"]
    lines += ["# 数据字典 / Data dictionary", ""]
    lines += [line for lang in LANGUAGES for line in (say("dictionary.about", lang), "")]
    lines += ["## 问卷 / Questionnaires", ""]
    head = ["id", "type", "题目 / wording", "选项 / codes", "缺失码 / missing", "提问条件 / rule", "用途 / serves"]
    for form in FORMS:
        lines += [f"### {' / '.join(say(f'dictionary.{form}', lang) for lang in LANGUAGES)}", ""]
        lines += table(head, map(item_row, house_codebook().form(form)))
    lines += ["## 台账 / Ledgers", ""]
    for declared in TABLES.values():
        lines += ledger_lines(declared)
    return "\n".join(lines).rstrip() + "\n"
