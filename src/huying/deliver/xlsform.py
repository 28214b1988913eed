"""A questionnaire as an XLSForm for KoboToolbox and ODK, in both languages; names the item that such a form cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from huying.clean.cells import YOUNGEST_TYPED
from huying.codebook import Item, own_words
from huying.deliver.conditions import NUMBERS, Form, either, quoted
from huying.errors import CountyError
from huying.store import beside, hash_of
from huying.words import LANGUAGES, Text, say

LANGUAGE = Text("中文 (zh)", "English (en)")
TYPES = {
    "multi": "select_multiple",
    "ranking": "rank",
    "whole": "integer",
    "number": "decimal",
    "text": "text",
    "date": "date",
}
RESERVED = ("start", "end", "meta", "data", "introduction", "village_id", "interviewer_id")
SURVEY = (
    "type",
    "name",
    "label",
    "appearance",
    "relevant",
    "constraint",
    "constraint_message",
    "required",
    "required_message",
)
SPOKEN = ("label", "constraint_message", "required_message")
Row = dict[str, Any]


def write_xlsform(file: Path, form: Form, title: str, form_id: str, lang: str, villages: Mapping[str, str]) -> None:
    """Write the form with its sheets survey, choices and settings; `villages` can be picked by the interviewer."""
    survey = [*opening(villages), *(row for item in form.items for row in rows_of(form, item))]
    names = [row["name"] for row in survey if "name" in row and not row["type"].startswith("end")]
    for item in form.items:
        own = [item.name, *(own_words(item, option)[0] for option in item.options if option.code in item.fill_in)]
        for name in (name for name in own if names.count(name) > 1 or name in RESERVED):
            raise CountyError("questionnaire.name_taken", item=item.id, name=name)
    choices = [{"list_name": "village_id", "name": key, "label": Text(name, name)} for key, name in villages.items()]
    for item in form.items:
        keys = [option.key for option in item.options]
        for key in (key for key in keys if re.search(r"[\s'\"]", key) or keys.count(key) > 1):
            raise CountyError("questionnaire.bad_choice", item=item.id, key=key)
        choices += [{"list_name": item.name, "name": option.key, "label": option.text} for option in item.options]
    version = hash_of(map(str, [*survey, *choices]))[:10]
    settings = [{"form_title": title, "form_id": form_id, "version": version, "default_language": LANGUAGE(lang)}]
    with beside(file) as temporary, xlsxwriter.Workbook(str(temporary)) as book:
        sheets = (("survey", SURVEY, survey), ("choices", ("list_name", "name", "label"), choices))
        for sheet, columns, rows in (*sheets, ("settings", tuple(settings[0]), settings)):
            fill(book.add_worksheet(sheet), columns, rows)


def fill(sheet: Any, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """A sheet with its header, a text column in each language; every cell is text, so that nothing is a formula."""
    spread = [(name, lang) for name in columns for lang in (LANGUAGES if name in SPOKEN else ("",))]
    for place, (name, lang) in enumerate(spread):
        sheet.write_string(0, place, f"{name}::{LANGUAGE(lang)}" if lang else name)
        for n, row in enumerate(rows, 1):
            value = row.get(name, "")
            if text := plain(value(lang)) if lang and value else value:
                sheet.write_string(n, place, text)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(spread), 24)


def plain(text: str) -> str:
    """A text as any document can hold it: without control characters, and with no ${name} that a form would take for an answer."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "", text).replace("${", "$ {")


def opening(villages: Mapping[str, str]) -> Iterator[Row]:
    """What stands before the questions: times, village and interviewer, and the words of consent."""
    yield from ({"type": name, "name": name} for name in ("start", "end"))
    if villages:
        yield {
            "type": "select_one village_id",
            "name": "village_id",
            "label": spoken("village"),
            "appearance": "minimal autocomplete",
        }
    yield {"type": "text", "name": "interviewer_id", "label": spoken("interviewer")}
    yield {"type": "note", "name": "introduction", "label": spoken("introduction")}


def spoken(key: str, **values: Any) -> Text:
    """Words of the house in both languages, with values that may be so too."""
    return Text(
        *(
            say(f"questionnaire.{key}", lang, **{k: v(lang) if callable(v) else v for k, v in values.items()})
            for lang in LANGUAGES
        )
    )


def rows_of(form: Form, item: Item) -> Iterator[Row]:
    """An item as rows: a question, a group of them for a matrix, and a text for each option with words of one's own.

    Who ended the form before is asked nothing more.
    """
    before = form.items[: form.number[item.id] - 1]
    open_still = [f"not({form.as_xpath(one, 'ends_if')})" for one in before if one.ends_if]
    kind = TYPES.get(item.type, "select_one")
    typed = f"{kind} {item.name}" if item.options else kind
    need = {} if item.optional else {"required": "yes", "required_message": spoken("required")}
    by_row = item.is_matrix and "*" in item.asked_if
    asked = " and ".join([*open_still, *([] if by_row or not item.asked_if else [form.as_xpath(item, "asked_if")])])
    look = "minimal" if item.type == "dropdown" else ""
    if not item.is_matrix:
        label = {"type": typed, "name": item.name, "label": item.text, "appearance": look, "relevant": asked}
        yield {**label, **need, **limits(form, item, item.name, "")}
    else:
        yield {
            "type": "begin group",
            "name": item.name,
            "label": item.text,
            "appearance": "field-list",
            "relevant": asked,
        }
        for (row, text), column in zip(item.rows, item.columns, strict=True):
            rule = form.as_xpath(item, "asked_if", row) if by_row else ""
            answer = {"type": typed, "name": column, "label": text, "relevant": rule}
            yield {**answer, **need, **limits(form, item, column, row)}
        yield {"type": "end group"}
    for option in (option for option in item.options if option.code in item.fill_in and not item.is_matrix):
        name, label = own_words(item, option)
        yield {"type": "text", "name": name, "label": label, "relevant": f"selected(${{{item.name}}}, '{option.key}')"}


def limits(form: Form, item: Item, column: str, row: str) -> Row:
    """What an answer must hold to, with the words that say so."""
    must, told = list[str](), list[Text]()
    if item.range and item.type in NUMBERS:
        low = min(item.range[0], YOUNGEST_TYPED) if item.role == "age" else item.range[0]  # a child ends the form
        spans = [
            f"(. >= {first:.15g} and . <= {last:.15g})" for first, last in ((low, item.range[1]), *item.missing_from)
        ]
        must.append(either([*spans, *(f". = {code}" for code in item.missing)]))
        told += [allowed(item)]
    if item.type == "multi" and item.max_choices:
        must.append(f"count-selected(.) <= {item.max_choices}")
        told.append(spoken("most", n=item.max_choices))
    alone = [option for option in item.options if option.code in item.exclusive and item.type == "multi"]
    if alone:
        must += [f"not(selected(., '{option.key}') and count-selected(.) > 1)" for option in alone]
        told.append(spoken("alone", options=lambda lang: quoted(alone, lang)))
    if broken := form.as_xpath(item, "contradicts", row):
        rule = form.read(item, "contradicts", row)
        for other in (form.cells[name][0] for name in (rule.columns if rule else ())):
            if form.number[other.id] > form.number[item.id]:
                raise CountyError("questionnaire.looks_ahead", item=item.id, rule=item.contradicts, name=other.id)
        must.append(f"not({broken})".replace(f"${{{column}}}", "."))
        told.append(spoken("never", rule=lambda lang: form.in_words(item, "contradicts", lang, row)))
    message = Text(*(say("questionnaire.semicolon", lang).join(text(lang) for text in told) for lang in LANGUAGES))
    return {"constraint": " and ".join(must), "constraint_message": message} if must else {}


def allowed(item: Item) -> Text:
    """The numbers that an item takes, its codes for no answer among them."""
    low, high = item.range or (0, 0)
    text = spoken("between", low=f"{low:g}", high=f"{high:g}")
    codes = [str(code) for code in item.missing] + [f"{first:g}–{last:g}" for first, last in item.missing_from]
    more = spoken("or_code", codes=", ".join(codes)) if codes else Text("", "")
    return Text(*map("".join, zip(text, more, strict=True)))
