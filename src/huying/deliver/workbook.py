"""The evidence as a workbook for analysts: names beside ids, numbers as numbers with their units; holds no formula."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xlsxwriter

from huying import counties
from huying.claims.statements import STATEMENT
from huying.deliver.content import Content
from huying.estimates import COUNTY
from huying.labels import Labels
from huying.store import plain, write_bytes
from huying.units import read_lists, say_noun
from huying.words import say

CLOSED = ("single", "dropdown", "scale", "multi", "ranking", "matrix_single", "matrix_scale")
HIDDEN, WIDEST, LONGEST = "*", 60, 31  # a value that is not stated; characters of a column; of a sheet's name
SAID = ["claim", "text", "place", "place_name", "when", "value", "unit", "low", "high", "interval", "n", "n_of"]
SAID += ["verdict"]
SAID += ["certainty", "caution", "threshold", "measure", "base", "question", "source", "rule_frozen_on"]


class Shown(NamedTuple):
    """A number and the format in which a cell shows it."""

    number: float
    format: str


class Sheet(NamedTuple):
    """A table with its key in the words of workbooks; cells are texts, numbers, or numbers with a format."""

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_workbook(content: Content, file: Path) -> None:
    """Write what the ledger and the prepared county hold, in the county's language."""
    county, evidence, told = content.county, content.evidence, content.said[[*STATEMENT, "rule_frozen_on"]]
    rows = [
        {**fact, **said, **as_cells(fact, said, county.lang)}
        for fact, said in zip(evidence.to_dict("records"), told.to_dict("records"), strict=True)
    ]
    sheets = [Sheet("evidence", SAID, [[row[name] for name in SAID] for row in rows])]
    latest = [row for row, index in zip(rows, evidence.index, strict=True) if index in content.latest.index]
    for key, places in (("towns", county.town_ids), ("departments", county.departments)):
        sheets += [across(latest, f"{key}_{name}", places, county.labels, name) for name in ("value", "verdict")]
    sheets += [topline(county), *accounts(county), dictionary(county)]
    made = io.BytesIO()  # a full disk is then told by the one who writes, in one message
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False, "in_memory": True}) as book:
        write(book, county, [sheet for sheet in sheets if sheet.rows])
    write_bytes(file, made.getvalue())


def as_cells(fact: dict[str, Any], said: dict[str, Any], lang: str) -> dict[str, Any]:
    """The cells of a row that are numbers, in the digits in which they are said, with the words of unit and noun."""
    unit = read_lists()["unit"].get(fact["unit"], {})
    found = re.search(r"\.(\d+)", said["value"])
    digits = len(found[1]) if found else 0
    is_share = fact["unit"] == "share"
    times = 1 if is_share else unit.get("times", 1)

    def shown(value: Any, more: int) -> Any:
        if not np.isfinite(value):  # a limit that is open has no number; the column beside it says which
            return ""
        places = f".{'0' * (digits + more)}" if digits + more else ""
        return Shown(float(value) * times, f"0{places}{'%' if is_share else ''}") if said["value"] else HIDDEN

    low, high = (fact[f"{end}_family"] if pd.notna(fact[f"{end}_family"]) else fact[end] for end in ("low", "high"))
    noun = say_noun(fact["n_of"], lang) if fact["n_of"] else ""
    word = unit.get(lang, "").replace("{n}", "").replace("{noun}", noun).strip()
    numbers = {"value": shown(fact["estimate"], 0), "low": shown(low, 1), "high": shown(high, 1), "unit": word}
    return numbers | {"n": fact["n"], "n_of": noun, "verdict": said["verdict_word"]}


def across(latest: Sequence[dict[str, Any]], key: str, places: Sequence[str], words: Labels, name: str) -> Sheet:
    """A row a place and a column a claim: its value, or its verdict after adjustment, of the latest wave or period that has one."""
    found = {(row["place"], row["claim"]): row for row in latest}
    known = {claim for place, claim in found if place in places}
    claims = [claim for claim in dict.fromkeys(row["claim"] for row in latest) if claim in known]
    here = [*places, COUNTY] if claims else []
    cells = [[p, words.place(p), *(found.get((p, claim), {}).get(name, "") for claim in claims)] for p in here]
    return Sheet(key, ["place", "place_name", *claims], cells)


def topline(county: counties.County) -> Sheet:
    """Every closed question of the latest wave of each form: answers with counts, shares and intervals, of the whole county."""
    rows = list[list[Any]]()
    for form in county.cleaned.forms:
        survey, words = county.survey(form), county.labels.of_form(form)
        asked = survey.questions()
        for question in asked.loc[asked["question_type"].isin(CLOSED), "question"]:
            made = survey.topline(question)
            for row in made.to_dict("records"):
                numbers = [float(row[name]) for name in ("estimate", "low", "high")]
                shares = [Shown(number, "0.0%") if np.isfinite(number) else HIDDEN for number in numbers]
                if row["low"] == row["high"]:  # everybody answered: a count has no interval
                    shares[1:] = "", ""
                measure = words.measure(row["measure"]) if "measure" in row else ""
                answer = words.value(made.attrs.get("answer", question), row["answer"])
                told = [words.question(question), measure, answer, row["count"], *shares, row["n"]]
                rows.append(
                    [words.value("form", form), survey.wave, question, *told, words.value("reason", row["reason"])]
                )
    columns = ["form", "wave", "question", "text", "row", "answer", "count", "share", "low", "high", "n", "caution"]
    return Sheet("topline", columns, rows)


def accounts(county: counties.County) -> list[Sheet]:
    """Rows read, kept and rejected by file, with the reasons, and flags by file."""
    lost = county.rejected.groupby(["file", "reason", "level"]).size().reset_index(name="count")
    for name in ("reason", "level"):
        lost[name] = [county.labels.value(name, value) for value in lost[name]]
    flags = county.flags.groupby(["file", "flag"]).size().reset_index(name="count")
    flags["flag"] = [county.labels.value("flag", flag) for flag in flags["flag"]]
    made = {"counts": county.cleaned.counts, "rejected": lost, "flags": flags}
    return [Sheet(key, list(frame), frame.to_numpy(dtype=object).tolist()) for key, frame in made.items()]


def dictionary(county: counties.County) -> Sheet:
    """Every column of the forms: its question's wording, and its answers."""
    rows = list[list[Any]]()
    for item in county.book.items.values():
        answers = "; ".join(f"{o.key}: {o.text(county.lang)}" for o in item.options)
        form = county.labels.value("form", item.form)
        rows += [[form, column, item.id, item.text(county.lang), answers] for column in item.columns]
    return Sheet("dictionary", ["form", "column", "item", "text", "answer"], rows)


def write(book: Any, county: counties.County, sheets: Sequence[Sheet]) -> None:
    """The cover with links to every sheet, the notes, and the sheets."""
    lang, bold, link = county.lang, book.add_format({"bold": True, "font_size": 16}), book.get_default_url_format()
    cover, notes = (book.add_worksheet(say(f"workbook.{key}", lang)) for key in ("cover", "notes"))
    cover.write_string(0, 0, plain(say("workbook.title", lang, county=county.declared.name(lang))), bold)
    lines = [*repr(county).split("\n")[1:], say("workbook.made_from", lang, hash=county.cleaned.data_hash[:16])]
    for n, line in enumerate(lines, 1):
        cover.write_string(n, 0, plain(line))
    for n, key in enumerate(("notes", *(sheet.key for sheet in sheets)), len(lines) + 2):
        name = say(f"workbook.{key}", lang)[:LONGEST]
        cover.write_url(n, 0, f"internal:'{name}'!A1", link, name)
        cover.write_string(n, 1, say(f"workbook.about_{key}", lang))
    for n in range(1, 8):
        notes.write_string(n - 1, 0, say(f"workbook.note_{n}", lang))
    for sheet in (cover, notes):
        sheet.set_column(0, 0, 32 if sheet is cover else 110, book.add_format({"text_wrap": True}))
        sheet.set_column(1, 1, 80)
    for n, sheet in enumerate(sheets, 1):
        write_sheet(book, county, sheet, f"table_{n}")


def write_sheet(book: Any, county: counties.County, sheet: Sheet, name: str) -> None:
    """One table with its heading, its filter and its frozen header; numbers in their formats."""
    lang, formats, wrap = county.lang, dict[str, Any](), book.add_format({"text_wrap": True, "valign": "top"})
    page = book.add_worksheet(say(f"workbook.{sheet.key}", lang)[:LONGEST])
    synthetic = f"  [{say('charts.synthetic', lang)}]" if county.declared.is_synthetic else ""
    about = plain(say(f"workbook.about_{sheet.key}", lang) + synthetic)
    page.write_string(0, 0, about, book.add_format({"bold": True}))
    page.write_url(1, 0, f"internal:'{say('workbook.cover', lang)}'!A1", None, say("workbook.cover", lang))
    claims = county.declared_claims
    named = {one: f"{one} {claims[one].text(lang)}" for one in sheet.columns if one in claims}
    heads = [named.get(one) or say(f"workbook.column_{one}", lang) for one in sheet.columns]
    for n, row in enumerate(sheet.rows, 3):
        for place, value in enumerate(row):
            if isinstance(value, Shown):
                formats.setdefault(value.format, book.add_format({"num_format": value.format, "valign": "top"}))
                page.write_number(n, place, value.number, formats[value.format])
            elif isinstance(value, str):
                page.write_string(n, place, plain(value), wrap)
            elif pd.notna(value) and np.isfinite(float(value)):
                page.write_number(n, place, float(value))
    columns = [{"header": plain(head)[:255], "header_format": wrap} for head in heads]
    how = {"name": name, "columns": columns, "style": "Table Style Light 1"}
    page.add_table(2, 0, 2 + len(sheet.rows), len(heads) - 1, how)
    for place, _ in enumerate(heads):
        longest = max((len(str(row[place])) for row in sheet.rows if not isinstance(row[place], Shown)), default=0)
        width = min(max(10, longest * (1.8 if lang == "zh" else 1)), WIDEST, max(14, longest * 2))
        page.set_column(place, place, width)
    page.freeze_panes(3, 2)
