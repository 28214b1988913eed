"""A first codebook from a 问卷星 export, for a person to complete; claims nothing that the export does not show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from huying.contract import INVISIBLE
from huying.errors import InputError
from huying.sources.personal import drop_personal
from huying.sources.table import RawTable, read_table
from huying.sources.wjx import FILL_IN, JOINT, MARKS, is_meta, split_header, stem

_HEAD = """# A draft made from {file}. To complete by hand, then remove this line:
# - without an export by number, codes are in the order in which answers appear: put them in the order of the form;
# - every `en` that says TODO, and every option that nobody chose (its wording is not in the export);
# - `asked_if` where answers were skipped; `missing` for options such as "does not know"; `exclusive`, `range`, `role`.
"""
_MOST_OPTIONS = 30


@dataclass
class Question:
    """One question of the export: its number, stem, columns of the text export, row titles and number columns."""

    number: int | None
    stem: str
    columns: list[str]
    rows: list[str] = field(default_factory=list)
    coded: list[str] = field(default_factory=list)


def find_questions(headers: Iterable[str]) -> list[Question]:
    """The questions of a text export; a header without a number after a matrix is a further row of it."""
    found: list[Question] = []
    for header in headers:
        if is_meta(header):
            continue
        number, rest = split_header(header)
        title, dash, row = rest.rpartition("—")
        if number is None and not dash and found and found[-1].rows:
            found[-1].columns.append(header)
            found[-1].rows.append(rest.strip())
        else:
            found.append(
                Question(number, (title if dash else rest).rstrip("—").strip(), [header], [row.strip()] if dash else [])
            )
    return found


def add_coded(questions: list[Question], headers: Iterable[str]) -> None:
    """Give each question its columns of the number export: the same header, its number, or its stem before an option."""
    owner = {header: question for question in questions for header in question.columns}
    for header in headers:
        number, rest = split_header(header)
        by_number = [q for q in questions if number is not None and q.number == number]
        by_stem = [q for q in questions if stem(rest).startswith(stem(q.stem))]
        hits = [owner[header]] if header in owner else by_number or by_stem
        if hits and not is_meta(header):
            hits[0].coded.append(header)


def option_of(header: str, question: Question) -> str:
    """The option that a split column stands for."""
    rest = split_header(header)[1].strip().removeprefix(question.stem).strip()
    found = re.fullmatch("[^(\uff08]*[(\uff08](.*)[)\uff09]", rest, re.S)
    return found[1].strip() if found else rest


def bare(cells: pd.Series) -> pd.Series:
    """Texts without fill-in words, skips and blanks."""
    filled = cells[~cells.str.strip().isin(["", *MARKS])].astype(object)
    return filled.map(lambda text: FILL_IN.sub("", text).translate(INVISIBLE).strip())


def options_by_code(texts: pd.Series, codes: pd.Series) -> list[str] | None:
    """Option texts in the order of their numbers, "" for a number nobody chose; None unless text and number are one to one."""
    pairs = pd.DataFrame({"text": texts, "code": codes.reindex(texts.index).str.strip()}).drop_duplicates()
    fits = pairs["code"].str.fullmatch(r"[1-9]\d?\d?").all() and pairs["text"].is_unique and pairs["code"].is_unique
    if not len(pairs) or not fits or (pairs["text"] == pairs["code"]).all():
        return None
    by_code = dict(zip(pairs["code"].astype(int), pairs["text"], strict=True))
    return [by_code.get(code, "") for code in range(1, max(by_code) + 1)]


def describe(question: Question, text: pd.DataFrame, coded: pd.DataFrame | None) -> tuple[str, list[str]]:
    """The type of a question and its options, in the order of the number export where there is one, else as they occur."""
    cells = bare(pd.concat([text[column] for column in question.columns], ignore_index=True))
    matrix = "matrix_single" if question.rows else "single"
    if len(question.coded) > len(question.columns):
        return "multi", [option_of(header, question) for header in question.coded]
    if not question.rows and cells.str.contains(JOINT).any():
        return "multi", list(dict.fromkeys(part for cell in cells for part in cell.split(JOINT)))
    if coded is not None and len(question.coded) == len(question.columns):
        options = options_by_code(cells, pd.concat([coded[column] for column in question.coded], ignore_index=True))
        if options:
            return matrix, options
    elif 0 < cells.nunique() <= min(_MOST_OPTIONS, len(cells) / 3) and not cells.str.fullmatch(r"-?\d+").all():
        return matrix, list(cells.drop_duplicates())
    if question.rows:
        return "matrix_scale", sorted(cells.unique())[:_MOST_OPTIONS]
    return ("whole" if len(cells) and cells.str.fullmatch(r"-?\d+").all() else "text"), []


def write_item(question: Question, position: int, text: pd.DataFrame, coded: pd.DataFrame | None) -> str:
    """One `[[item]]` of the codebook."""
    kind, options = describe(question, text, coded)
    cells = pd.concat([text[column] for column in question.columns], ignore_index=True)
    lines = [f"# {mark} stands {n} times" for mark, n in cells.str.strip().value_counts().items() if mark in MARKS]
    wording = {"zh": question.stem or "TODO", "en": f"TODO translate question {position}"}
    lines += [
        "[[item]]",
        f'id = "Q{position}"',
        'form = "draft"',
        f'type = "{kind}"',
        *(f"{k} = {quote(v)}" for k, v in wording.items()),
    ]
    if question.rows:
        rows = [{"id": str(i), "zh": row or "TODO", "en": f"TODO row {i}"} for i, row in enumerate(question.rows, 1)]
        lines += ["rows = [", *(inline(row) for row in rows), "]"]
    if options:
        listed = [
            {"code": i, "zh": option or f"TODO option {i}", "en": f"TODO option {i}"}
            for i, option in enumerate(options, 1)
        ]
        open_ended = [
            i for i, option in enumerate(options, 1) if option and cells.str.contains(f"{option}〖", regex=False).any()
        ]
        lines += ["options = [", *(inline(option) for option in listed), "]"]
        lines += [f"fill_in = {open_ended}"] if open_ended else []
    return "\n".join(lines) + "\n"


def quote(text: str) -> str:
    """A text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(values: Mapping[str, object]) -> str:
    """A line of a TOML list: one inline table."""
    return "  { " + ", ".join(f"{k} = {v if isinstance(v, int) else quote(str(v))}" for k, v in values.items()) + " },"


def aligned(other: RawTable, raw: RawTable) -> pd.DataFrame:
    """The rows of the number export in the order of the text export, by 序号 where both have it."""
    if "序号" in raw.text and "序号" in other.text and other.text["序号"].is_unique:
        frame = other.text.set_index("序号", drop=False).reindex(raw.text["序号"]).fillna("")
        return frame.reset_index(drop=True)
    return other.text.reset_index(drop=True)


def numeric_share(text: pd.DataFrame) -> float:
    """The share of filled answers that are numbers: near 1 in an export by number."""
    cells = text[[name for name in text if not is_meta(name)]].stack()
    filled = cells[cells != ""]
    return float(filled.str.fullmatch(r"-?\d+(\.0)?").mean()) if len(filled) else 0.0


def draft_codebook(text_path: str | Path, number_path: str | Path | None = None) -> str:
    """The TOML of a codebook with items Q1, Q2 …: stems, types and options as the export shows them, TODO for the rest.

    Raises InputError where the two files are the same, or stand the wrong way round.
    """
    raw, _ = drop_personal(read_table(text_path, repeats=True))
    questions = find_questions(raw.text)
    coded = None
    if number_path is not None:
        other, _ = drop_personal(read_table(number_path, repeats=True))
        if numeric_share(raw.text) > numeric_share(other.text) or raw.text.equals(other.text):
            raise InputError("sources.not_a_pair", raw.place, other=other.place.file)
        add_coded(questions, other.text)
        coded = aligned(other, raw)
    text = raw.text.reset_index(drop=True)
    items = [write_item(question, position, text, coded) for position, question in enumerate(questions, 1)]
    return _HEAD.format(file=quote(raw.place.file)) + "\n" + "\n".join(items)
