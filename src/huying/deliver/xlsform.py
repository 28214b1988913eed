"""A questionnaire as an XLSForm for KoboToolbox and ODK, in both languages; names the item that such a form cannot hold."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from huying.clean.cells import YOUNGEST_TYPED
from huying.codebook import Item, own_words
from huying.deliver.conditions import NUMBERS, Form, either
from huying.errors import CountyError
from huying.store import hash_of, write_bytes
from huying.words import LANGUAGES, Text, say

LANGUAGE = Text("中文 (zh)", "English (en)")
TYPES = {"multi": "select_multiple", "ranking": "rank", "whole": "integer", "number": "decimal"}
TYPES |= {"text": "text", "date": "date"}
RESERVED = ("start", "end", "meta", "data", "introduction")
TEXT_ONLY = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
TEXT_ONLY |= {"in_memory": True}
Row = dict[str, Any]


def write_xlsform(file: Path, form: Form, settings: Mapping[str, str], villages: Mapping[str, str]) -> None:
    """Write the form with its sheets survey, choices and settings; `villages` can be picked by the interviewer."""
    survey = [*opening(villages), *(row for item in form.items for row in rows_of(form, item))]
    picks = {key: Text(*[f"{key} {name}"] * 2) for key, name in villages.items()}
    choices = [{"list_name": "village_id", "name": key, "label": label} for key, label in picks.items()]
    names = Counter(row.get("name", "") for row in survey)
    for item in form.items:
        own = [own_words(item, option)[0] for option in item.options if option.code in item.fill_in]
        for name in (name for name in (item.name, *own) if names[name] > 1 or name in RESERVED):
            raise CountyError("questionnaire.name_taken", item=item.id, name=name)
        keys = Counter(option.key for option in item.options)
        for key in (key for key, n in keys.items() if n > 1 or re.search(r"[\s'\"]", key)):
            raise CountyError("questionnaire.bad_choice", item=item.id, key=key)
        choices += [{"list_name": item.name, "name": option.key, "label": option.text} for option in item.options]
    version = hash_of(map(str, [*survey, *choices]))[:10]
    sheets = {"survey": survey, "choices": choices, "settings": [{**settings, "version": version}]}
    write_book(file, {name: ((), pd.DataFrame(map(spread, rows))) for name, rows in sheets.items()})


def write_book(file: Path, sheets: Mapping[str, tuple[tuple[str, ...], pd.DataFrame]]) -> None:
    """Write a workbook of tables, each below its lines; every text is text, so that nothing is a formula."""
    content = io.BytesIO()  # a full disk is then told by the one who writes, in one message
    with pd.ExcelWriter(content, engine="xlsxwriter", engine_kwargs={"options": TEXT_ONLY}) as book:
        for name, (lines, table) in sheets.items():
            table.to_excel(book, sheet_name=name, index=False, startrow=len(lines))
            for n, line in enumerate(lines):
                book.sheets[name].write_string(n, 0, line)
            book.sheets[name].freeze_panes(len(lines) + 1, 0)
            book.sheets[name].set_column(0, len(table.columns), 20)
    write_bytes(file, content.getvalue())


def spread(row: Row) -> dict[str, str]:
    """A row with a column for each language of its texts."""
    found = dict[str, str]()
    for key, value in row.items():
        in_both = isinstance(value, Text)
        found |= {f"{key}::{LANGUAGE(lang)}": plain(value(lang)) for lang in LANGUAGES} if in_both else {key: value}
    return found


def plain(text: str) -> str:
    """A text as any document can hold it: without control characters, and with no ${name} that a form would take for an answer."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "", text).replace("${", "$ {")


def spoken(key: str) -> Text:
    """Words of the house in both languages."""
    return Text(*(say(f"questionnaire.{key}", lang) for lang in LANGUAGES))


def opening(villages: Mapping[str, str]) -> Iterator[Row]:
    """What stands before the questions: times, village and interviewer, and the words of consent."""
    yield from ({"type": name, "name": name} for name in ("start", "end"))
    if villages:
        pick = {"type": "select_one village_id", "name": "village_id", "appearance": "minimal autocomplete"}
        yield {**pick, "label": spoken("village")}
    yield {"type": "text", "name": "interviewer_id", "label": spoken("interviewer")}
    yield {"type": "note", "name": "introduction", "label": spoken("introduction")}


def rows_of(form: Form, item: Item) -> Iterator[Row]:
    """An item as rows: a question, a group of them for a matrix, and a text for each option with words of one's own.

    Who ended the form before is asked nothing more.
    """
    ends = [form.as_xpath(one, "ends_if") for one in form.items[: form.number(item) - 1]]
    kind, by_row = TYPES.get(item.type, "select_one"), item.is_matrix and "*" in item.asked_if
    asked = [*(f"not({end})" for end in ends if end), "" if by_row else form.as_xpath(item, "asked_if")]
    head = {"name": item.name, "label": item.text, "relevant": " and ".join(filter(None, asked))}
    need = {} if item.optional else {"required": "yes", "required_message": spoken("required")}
    answer = {"type": f"{kind} {item.name}" if item.options else kind, **need}
    if item.is_matrix:
        yield {"type": "begin group", **head, "appearance": "field-list"}
        for (row, text), column in zip(item.rows, item.columns, strict=True):
            rule = form.as_xpath(item, "asked_if", row) if by_row else ""
            yield {**answer, "name": column, "label": text, "relevant": rule, **limits(form, item, column, row)}
        yield {"type": "end group"}
        return
    yield {**answer, **head, "appearance": "minimal" * (item.type == "dropdown"), **limits(form, item, item.name)}
    for option in (option for option in item.options if option.code in item.fill_in):
        name, label = own_words(item, option)
        yield {"type": "text", "name": name, "label": label, "relevant": f"selected(${{{item.name}}}, '{option.key}')"}


def limits(form: Form, item: Item, column: str, row: str = "") -> Row:
    """What an answer must hold to, with the words that say so; raises CountyError for a rule about an answer that is not yet given."""
    must = list[str]()
    if item.range and item.type in NUMBERS:
        low = min(item.range[0], YOUNGEST_TYPED) if item.role == "age" else item.range[0]  # a child ends the form
        ends = ((low, item.range[1]), *item.missing_from)
        spans = [f"(. >= {first:.15g} and . <= {last:.15g})" for first, last in ends]
        must.append(either([*spans, *(f". = {code}" for code in item.missing)]))
    if item.type == "multi":
        must += [f"count-selected(.) <= {item.max_choices}"] if item.max_choices else []
        alone = [option.key for option in item.options if option.code in item.exclusive]
        must += [f"not(selected(., '{key}') and count-selected(.) > 1)" for key in alone]
    if rule := form.read(item, "contradicts", row):
        if late := [name for name in rule.columns if form.number(form.cells[name][0]) > form.number(item)]:
            told = {"item": item.id, "rule": item.contradicts, "name": form.cells[late[0]][0].id}
            raise CountyError("questionnaire.looks_ahead", **told)
        must.append(f"not({form.as_xpath(item, 'contradicts', row)})".replace(f"${{{column}}}", "."))
    told_in = [say("questionnaire.semicolon", lang).join(form.limits(item, lang, row)) for lang in LANGUAGES]
    return {"constraint": " and ".join(must), "constraint_message": Text(*told_in)} if must else {}
