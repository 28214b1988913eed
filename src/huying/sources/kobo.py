"""Exports of KoboToolbox and ODK, by names or by labels, bound to the items of a form; moves no answer and guesses no column."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from huying.codebook import Item, own_words
from huying.kinds import clean_series, parse_instants
from huying.ledgers import set_aside
from huying.sources.exports import ARROW, NONE_OF_THEM, clean_rows, columns_of, join_ticks, with_weight
from huying.sources.table import REPEAT, RawTable, drop_personal, read_table
from huying.sources.wjx import JOINT, META_COLUMNS, Answers, squash, stem
from huying.words import LANGUAGES, InputError, say

NO_VALUE, UNEQUAL = "n/a", " ≠ "  # of older servers; between two columns of an answer that differ
META = {"serial": ("_id", "KEY"), "village_id": ("village_id",), "interviewer_id": ("interviewer_id",)}
Found = dict[str, str]


def read_kobo(path: str | Path, items: Sequence[Item], weight: str = "") -> Answers:
    """The answers of one form: groups by any sign between names, several choices in one column, in one an option, or in both.

    A row that the platform's review did not approve is set aside. Raises InputError for an item without a column, or with two.
    """
    raw = without_tags(drop_personal(read_table(path, repeats=True)))
    raw = replace(raw, text=raw.text.replace(NO_VALUE, ""))
    last = {name: header for header in reversed(list(raw.text)) for name in (stem(header), re.split(r"\W", header)[-1])}
    for header in (last[name] for name in ("_validation_status", "ReviewState") if name in last):
        out = raw.text[header].str.casefold().isin(("not approved", "validation_status_not_approved", "rejected"))
        refused = set_aside(raw.place, header, raw.text[header][out], "not_approved")
        raw = replace(raw, text=raw.text[~out], rejected=pd.concat([raw.rejected, refused], ignore_index=True))
    found = find_columns(raw, items)
    text = pd.concat([answers_of(item, found, raw.text) for item in items], axis=1)
    return Answers(**{**vars(raw), "text": text}, meta=with_weight(read_meta(raw, last), raw, weight), numbering="code")


def without_tags(raw: RawTable) -> RawTable:
    """The table without a row of HXL tags below its header."""
    first = raw.text.iloc[0].str.strip() if len(raw.text) else pd.Series(dtype="str")
    if not (first.str.startswith("#") | first.eq("")).all() or first.eq("").all():
        return raw
    note = (replace(raw.place, row=int(raw.text.index[0])), "hxl_row", "")
    return replace(raw, text=raw.text.iloc[1:], notes=(*raw.notes, note))


def named(item: Item) -> Iterator[tuple[str, str, list[str]]]:
    """Each cell, tick and text of one's own words of an item: its name in a form, and its wordings."""
    for cell, column, row in item.parts if item.is_matrix else [(item.id, item.name, "")]:
        own = dict(item.rows).get(str(row))
        yield cell, column, [*map("".join, zip(item.text, own, strict=True)), *own] if own else [*item.text]
    for option in item.options:
        if item.type == "multi":
            both = map("".join, zip(item.text, option.text, strict=True))
            yield f"{item.id}_{option.code}", f"{item.name}/{option.key}", [*both]
        if option.code in item.fill_in:
            name, wording = own_words(item, option)
            yield f"{item.id}_{option.code}_text", name, [*wording]


def find_columns(raw: RawTable, items: Sequence[Item]) -> Found:
    """Which header holds each cell, tick and text of one's own words: by their names, or by their wording where more fit so."""
    by_name, by_words = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for cell, name, wordings in (one for item in items for one in named(item)):
        by_name[slashed(name)].append(cell)
        for words in dict.fromkeys(map(stem, wordings)):
            by_words[words].append(cell)
    found, unclear = max(bind(raw, by_name, slashed), bind(raw, by_words, stem), key=lambda way: len(way[0]))
    for what, headers in unclear.items():
        raise InputError("sources.column_twice", raw.place, what=what, columns=headers)
    ticked = {item.id: item.variables for item in items if item.type == "multi" and item.id not in found}
    columns_of({item.id: ticked.get(item.id, item.cells) for item in items}, found, items, raw)
    return found


def slashed(name: str) -> str:
    """A name with its groups, each sign between them as a slash."""
    return re.sub(r"\W", "/", name)


def bind(raw: RawTable, known: Mapping[str, list[str]], told: Callable[[str], str]) -> tuple[Found, Found]:
    """The header of each cell, and the headers that leave it open which is which.

    The longest end of a header, from some sign on, that is known; equal ends go to their cells in the order of the form.
    """
    ends: dict[str, list[str]] = defaultdict(list)
    for header in map(str, raw.text):
        bare = header.split(REPEAT)[0]
        starts = [0, *(sign.end() for sign in re.finditer(r"\W", bare))]
        if end := next((end for end in (told(bare[start:]) for start in starts) if end in known), ""):
            ends[end].append(header)
    found, unclear = Found(), Found()
    for end, headers in ends.items():
        if len(cells := [cell for cell in known[end] if cell not in found]) == len(headers):
            found |= zip(cells, headers, strict=True)
        else:
            unclear[" / ".join(known[end])] = ", ".join(header.replace(REPEAT, " ") for header in headers)
    return found, unclear


def answers_of(item: Item, found: Mapping[str, str], text: pd.DataFrame) -> pd.DataFrame:
    """The cells of an item in words: names, codes and labels as labels, ticks as the options ticked, one's own words in brackets."""
    sign = {"multi": JOINT, "ranking": ARROW}.get(item.type, "")
    cells = {cell: text[found[cell]].map(reader(item, text[found[cell]], sign)) for cell in item.cells if cell in found}
    if item.type == "multi" and set(item.variables) <= set(found):
        rows, names = clean_rows(text[[found[name] for name in item.variables]]), [o.text.zh for o in item.options]
        # Nothing ticked is what a form of ODK cannot tell from no answer.
        ticks = pd.Series([join_ticks(row, names) for row in rows], text.index, dtype="str").replace(NONE_OF_THEM, "")
        one = cells.get(item.id, ticks)
        same = one.str.split(JOINT).map(frozenset) == ticks.str.split(JOINT).map(frozenset)
        cells[item.id] = ticks.where(same | (one == ""), one + UNEQUAL + ticks)
    for option in (o for o in item.options if f"{item.id}_{o.code}_text" in found):
        own = clean_series(text[found[f"{item.id}_{option.code}_text"]]).str.translate(str.maketrans("〖〗", "[]"))
        for cell, answers in cells.items():
            whole = [add_words(one, option.text.zh, words, sign) for one, words in zip(answers, own, strict=True)]
            cells[cell] = pd.Series(whole, text.index, dtype="str")
    return pd.DataFrame(cells, text.index, dtype="str")


def add_words(answer: str, label: str, words: str, sign: str) -> str:
    """An answer with the words of one's own behind the option that they belong to."""
    parts = answer.split(sign) if sign else [answer]
    return sign.join(f"{part}〖{words}〗" if words and part == label else part for part in parts)


def reader(item: Item, column: pd.Series, sign: str) -> Callable[[str], str]:
    """Reads a cell as the labels of options: by names, by codes or by labels, as most of the column can be read."""
    labels = {squash(text): option.text.zh for option in item.options for text in reversed(option.text)}
    names, codes = ({key(o): o.text.zh for o in item.options} for key in (lambda o: o.key, lambda o: str(o.code)))

    def read(text: str, way: Mapping[str, str]) -> str:
        parts = split_labels(squash(text), labels, sign) if way is labels else text.split() if sign else [text.strip()]
        return sign.join(way[part] for part in parts) if parts and all(part in way for part in parts) else ""

    best = max([names, labels, codes], key=lambda way: sum(read(text, way) != "" for text in column.unique()))
    return lambda text: read(text, best) or text.strip()


def split_labels(text: str, labels: Mapping[str, str], sign: str) -> list[str]:
    """The labels that stand one after another in a text without blanks, the longest first; last what is no label."""
    parts = [] if sign and text not in labels else [text]
    while text and parts[-1:] != [text]:
        part = max((label for label in labels if label and text.startswith(label)), key=len, default=text)
        parts, text = [*parts, part], text[len(part) :]
    return parts


def read_meta(raw: RawTable, last: Mapping[str, str]) -> pd.DataFrame:
    """The platform's columns under the names META_COLUMNS: a form was sent when the person was done, else when it reached the server.

    KoboToolbox writes the latter without an offset, in UTC.
    """

    def of(*names: str) -> pd.Series:
        known = [clean_series(raw.text[last[name]]) for name in names if name in last]
        return known[0] if known else pd.Series("", raw.text.index, dtype=object)

    arrived, ended = of("_submission_time", "SubmissionDate"), parse_instants(of("end"))
    has_offset = arrived.str.contains(r"(?:Z|[+-]\d\d:?(?:\d\d)?)$") & arrived.str.contains("[T:]")
    arrived = arrived.where(has_offset | (arrived == ""), arrived + "+00:00")
    took = (ended - parse_instants(of("start"))).dt.total_seconds()
    seconds = took.where(took >= 0).round().astype("Int64").astype("string").fillna("").astype(object)
    asked = ("village", "interviewer")
    said = {f"{name}_id": [stem(say(f"questionnaire.{name}", lang)) for lang in LANGUAGES] for name in asked}
    meta = {**{name: of(*headers, *said.get(name, ())) for name, headers in META.items()}, "seconds": seconds}
    meta["village_id"] = meta["village_id"].str.split(" ").str[0]  # of a label the id, which stands first
    meta["submitted_at"] = of("end").where(ended.notna(), arrived)
    return pd.DataFrame("", raw.text.index, list(META_COLUMNS)).assign(**meta)
