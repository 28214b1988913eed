"""Which columns of an export make a question: by number, title and dash, by response sets; refuses a twin of another survey."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from huying.kinds import clean_text
from huying.sources.exports import NO_TICKS, TICKS, Labelled
from huying.sources.table import RawTable
from huying.sources.wjx import FILL_IN, MARKS, is_meta, serial_keys, split_header, squash, stem
from huying.words import InputError

_PART = re.compile(r"(?P<title>.*?)\s*(?:\[(?P<row>[^\[\]]+)\]|[(\uff08](?P<option>.*)[)\uff09])\s*", re.S)


@dataclass
class Question:
    """One question: the form's number, its wording, its columns in the export, and the row or option that each stands for.

    `options`: code and words; `missing`: codes that are no answer. `remarks`: what a person should look at, keys of `words`.
    """

    number: int | None
    title: str
    headers: list[str]
    parts: list[str]
    coded: list[str] = field(default_factory=list)
    type: str = "text"
    options: list[tuple[int, str]] = field(default_factory=list)
    missing: dict[int, str] = field(default_factory=dict)
    missing_from: list[tuple[float, float]] = field(default_factory=list)
    fill_in: list[int] = field(default_factory=list)
    range: list[int] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)
    joint: str = ""
    unit: str = ""
    remarks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def remark(self, key: str, **values: Any) -> None:
        self.remarks.append((key, values))


def group_headers(headers: Sequence[str], labelled: Labelled | None, text: pd.DataFrame) -> list[Question]:
    """Columns of one question beside each other: the same number, or the same title before a row or option.

    A column without number or title belongs to the matrix before it where their answers are alike.
    """
    if labelled:
        return group_variables(headers, labelled)
    found: list[Question] = []
    is_numbered = any(split_header(header)[0] for header in headers)
    for header in headers:
        number, rest = split_header(header)
        title, part = split_part(rest)
        last = found[-1] if found else None
        same_number = last and number is not None and number == last.number
        same_title = last and part and title and number == last.number and stem(title) == stem(last.title)
        bare_row = False
        if last and is_numbered and number is None and not part and last.parts[0] and "—" in last.headers[0]:
            answers, others = (set(text[name]) - {"", *MARKS} for name in (header, last.headers[0]))
            bare_row = bool(answers & others) or not answers
        if last and (same_number or same_title or bare_row):
            last.headers.append(header)
            last.parts.append(part if part and (not title or stem(title) == stem(last.title)) else rest.strip())
        else:
            found.append(Question(number, title or rest.strip(), [header], [part]))
    for question in (one for one in found if len(one.headers) == 1):  # on its own: its whole header is its wording
        question.title, question.parts = split_header(question.headers[0])[1].strip(), [""]
    return found


def split_part(rest: str) -> tuple[str, str]:
    """The question's wording and the row or option that a header names; no part where it names none."""
    title, dash, row = rest.rpartition("—")
    if dash:
        return title.rstrip("—").strip(), row.strip()
    found = _PART.fullmatch(rest)
    return (found["title"].strip(), (found["row"] or found["option"] or "").strip()) if found else (rest.strip(), "")


def group_variables(headers: Sequence[str], labelled: Labelled) -> list[Question]:
    """The variables of a labelled file, its response sets as one question each."""
    owner = {name: key for key, found in labelled.sets.items() for name in found["variable_list"]}
    found: dict[str, Question] = {}
    for name in headers:
        words, key = labelled.column_labels.get(name) or name, owner.get(name)
        title = labelled.sets[key]["label"] or key if key else words
        question = found.setdefault(f"set {key}" if key else name, Question(None, title, [], []))
        question.headers.append(name)
        question.parts.append(words if key else "")
    return list(found.values())


def split_groups(questions: Sequence[Question], text: pd.DataFrame) -> list[Question]:
    """Take own words out of a group of ticks: a column of them is a question of its own."""
    found = []
    for question in questions:
        named = list(zip(question.headers, question.parts, strict=True))
        ticks = [(header, part) for header, part in named if is_ticks(text[header].map(bare), part)]
        if len(named) > 1 and 0 < len(words := [pair for pair in named if pair not in ticks]) <= len(ticks):
            found += [Question(question.number, f"{question.title}—{part}", [header], [""]) for header, part in words]
            question.headers, question.parts = [header for header, _ in ticks], [part for _, part in ticks]
        found.append(question)
    return found


def add_coded(questions: Sequence[Question], raw: RawTable, other: RawTable, headers: Sequence[str]) -> None:
    """Give each question its columns of the number export: the same header, its number, or its wording before an option.

    Raises InputError where the other export is no twin.
    """
    check_pair(raw, other)
    owner = {header: question for question in questions for header in question.headers}
    for header in headers:
        number, rest = split_header(header)
        by_number = [q for q in questions if number is not None and q.number == number]
        by_title = [q for q in questions if stem(rest).startswith(stem(q.title))]
        if hits := [owner[header]] if header in owner else by_number or by_title:
            hits[0].coded.append(header)


def check_pair(raw: RawTable, other: RawTable) -> None:
    """Raise InputError for two files that are one, stand the wrong way round, or have no row in common."""
    if raw.text.equals(other.text) or numeric_share(raw.text) > numeric_share(other.text):
        raise InputError("sources.not_a_pair", raw.place, other=other.place.file)
    headers = ([split_header(str(header)) for header in table.text] for table in (raw, other))
    first, second = ({n: stem(rest)[:4] for n, rest in own if n and rest[:1] not in ("(", "\uff08")} for own in headers)
    is_other = first and second and 2 * len(first.items() & second.items()) < max(1, len(first.keys() & second.keys()))
    if is_other or not serial_keys(raw).isin(serial_keys(other)).any():
        raise InputError("sources.not_one_survey", raw.place, other=other.place.file)


def numeric_share(text: pd.DataFrame) -> float:
    """The share of filled answers that are numbers: near 1 in an export by number."""
    cells = text[[name for name in text if not is_meta(str(name))]].stack()
    filled = cells[cells != ""]
    return float(filled.str.fullmatch(r"-?\d+(\.0)?").mean()) if len(filled) else 0.0


def bare(text: str) -> str:
    """An answer without the words filled in; skips and blanks are nothing."""
    return "" if text.strip() in MARKS else clean_text(FILL_IN.sub("", text))


def is_ticks(cells: pd.Series, part: str) -> bool:
    """Whether a column ticks an option: 0/1, yes/no, or the option's own words where it was chosen."""
    values = {text.removesuffix(".0").casefold() for text in cells.unique()} - {"", *NO_TICKS}
    return bool(part) and (values <= {*TICKS} or {squash(text) for text in values} == {squash(part)})
