"""The questions of an export that no questionnaire describes: columns, types, options as far as they show; guesses no wording.

What cannot be told from an export is a remark with the question: the order of options without their numbers, options that
nobody chose, whether a number is a code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from huying.clean.cells import TYPED, iso_date
from huying.codebook import MOST_OPTIONS
from huying.contract import clean_text
from huying.errors import InputError
from huying.sources.exports import ARROW, NO_TICKS, TICKS, Export, code_words
from huying.sources.spss import Labelled
from huying.sources.table import REPEAT, RawTable
from huying.sources.wjx import FILL_IN, JOINT, MARKS, is_meta, serial_keys, split_header, squash, stem

MOST = 10**9
MOST_LISTED = 100  # answers that can be options; what has more is an open question
_PART = re.compile(r"(?P<title>.*?)\s*(?:\[(?P<row>[^\[\]]+)\]|[(\uff08](?P<option>.*)[)\uff09])\s*", re.S)
_NUMBER = re.compile(r"[-−–+]?\d+(\.\d+)?")
_NOTHING = ("NA", "N/A", "NaN", "NULL", "null", "#N/A", "None")
_RANKS = re.compile(
    r"第?\s*[一二三四五六七八九十\d]+\s*[位名选]?|(?:rank|choice|排名|排序)\s*\d+|\d+(?:st|nd|rd|th)(?: choice)?", re.I
)


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
    remarks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def rows(self) -> list[str]:
        """The rows of a matrix."""
        return self.parts if self.type.startswith("matrix") else []

    def remark(self, key: str, **values: Any) -> None:
        self.remarks.append((key, values))


def read_questions(export: Export, other: RawTable | None = None, skip: Sequence[str] = ()) -> list[Question]:
    """The questions of an export and, where there is one, of its twin by number; `skip` are columns that are none.

    Raises InputError where the two files are the same, stand the wrong way round, or are not of one survey.
    """
    raw = export.raw
    if other is not None:
        check_pair(raw, other)
    headers = [str(name) for name in raw.text if not is_meta(str(name)) and name not in skip]
    found = split_groups(group_headers(headers, export.labelled), raw.text)
    if other is not None:
        add_coded(found, [str(name) for name in other.text if not is_meta(str(name)) and name not in skip])
        coded = other.text.set_axis(serial_keys(other), axis=0).reindex(serial_keys(raw)).fillna("")
        coded = coded.set_axis(raw.text.index, axis=0)
    for question in found:
        cells = raw.text[question.headers].apply(lambda column: column.map(bare))
        codes = coded[question.coded] if other is not None and question.coded else None
        if export.labelled and declared(question, export.labelled, cells):
            continue
        describe(question, cells, codes)
        raw_cells = raw.text[question.headers].stack()
        question.fill_in = [code for code, text in question.options if has_words(raw_cells, text)]
        marks = raw_cells.str.strip().value_counts().filter([mark for mark in MARKS if mark])
        for mark, n in marks.items():
            question.remark("new.marked", mark=mark, n=int(n))
        is_number = question.type in ("whole", "number", "matrix_scale")
        if is_number and len(marks) and pd.to_numeric(filled_of(cells), errors="coerce").min() >= 0:
            question.range = [0, MOST]  # below it a mark is no number
    return found


def check_pair(raw: RawTable, other: RawTable) -> None:
    """Raise InputError for two files that are one, stand the wrong way round, or have no row in common."""
    if raw.text.equals(other.text) or numeric_share(raw.text) > numeric_share(other.text):
        raise InputError("sources.not_a_pair", raw.place, other=other.place.file)
    numbers = [{split_header(str(name))[0] for name in table.text} - {None} for table in (raw, other)]
    if not serial_keys(raw).isin(serial_keys(other)).any() or (all(numbers) and not numbers[0] & numbers[1]):
        raise InputError("sources.not_one_survey", raw.place, other=other.place.file)


def numeric_share(text: pd.DataFrame) -> float:
    """The share of filled answers that are numbers: near 1 in an export by number."""
    cells = text[[name for name in text if not is_meta(str(name))]].stack()
    filled = cells[cells != ""]
    return float(filled.str.fullmatch(r"-?\d+(\.0)?").mean()) if len(filled) else 0.0


def bare(text: str) -> str:
    """An answer without the words filled in; skips and blanks are nothing."""
    return "" if text.strip() in MARKS else clean_text(FILL_IN.sub("", text))


def has_words(cells: pd.Series, option: str) -> bool:
    """Whether an option was answered in own words as well."""
    return bool(option) and bool(cells.str.contains(f"{option}〖", regex=False).any())


# --- which columns belong together -------------------------------------------------------------------------------------


def group_headers(headers: Sequence[str], labelled: Labelled | None) -> list[Question]:
    """Columns of one question beside each other: the same number, or the same title before a row or option."""
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
        bare_row = last and is_numbered and number is None and not part and last.parts[0] and "—" in last.headers[0]
        if last and (same_number or same_title or bare_row):
            last.headers.append(header)
            last.parts.append(part if part and (not title or stem(title) == stem(last.title)) else rest.strip())
        else:
            found.append(Question(number, title or rest.strip(), [header], [part]))
    return [alone(question) if len(question.headers) == 1 else question for question in found]


def split_part(rest: str) -> tuple[str, str]:
    """The question's wording and the row or option that a header names; no part where it names none."""
    title, dash, row = rest.rpartition("—")
    if dash:
        return title.rstrip("—").strip(), row.strip()
    found = _PART.fullmatch(rest)
    return (found["title"].strip(), (found["row"] or found["option"] or "").strip()) if found else (rest.strip(), "")


def alone(question: Question) -> Question:
    """A column on its own has its whole header as its wording, unless a dash says that it is a matrix of one row."""
    if "—" not in question.headers[0]:
        question.title, question.parts = split_header(question.headers[0])[1].strip(), [""]
    return question


def group_variables(headers: Sequence[str], labelled: Labelled) -> list[Question]:
    """The variables of a labelled file, its response sets as one question each."""
    owner = {name: key for key, names in labelled.sets.items() for name in names}
    found: dict[str, Question] = {}
    for name in headers:
        words = labelled.column_labels.get(name) or name
        if name in owner:
            whole = found.setdefault(f"set {owner[name]}", Question(None, labelled.set_labels[owner[name]], [], []))
            whole.headers.append(name)
            whole.parts.append(words)
        else:
            found[name] = Question(None, words, [name], [""])
    return list(found.values())


def split_groups(questions: Sequence[Question], text: pd.DataFrame) -> list[Question]:
    """Take own words out of a group of ticks: a column of them is a question of its own."""
    found = []
    for question in questions:
        columns = [text[header].map(bare) for header in question.headers]
        ticks = [is_ticks(cells, part) for cells, part in zip(columns, question.parts, strict=True)]
        if len(columns) > 1 and 0.5 <= sum(ticks) / len(ticks) < 1:
            for header, part, fits in zip(list(question.headers), list(question.parts), ticks, strict=True):
                if not fits:
                    found.append(Question(question.number, f"{question.title}—{part}", [header], [""]))
            question.headers = [header for header, fits in zip(question.headers, ticks, strict=True) if fits]
            question.parts = [part for part, fits in zip(question.parts, ticks, strict=True) if fits]
        found.append(question)
    return found


def add_coded(questions: Sequence[Question], headers: Sequence[str]) -> None:
    """Give each question its columns of the number export: the same header, its number, or its wording before an option."""
    owner = {header: question for question in questions for header in question.headers}
    for header in headers:
        number, rest = split_header(header)
        by_number = [q for q in questions if number is not None and q.number == number]
        by_title = [q for q in questions if stem(rest).startswith(stem(q.title))]
        if hits := [owner[header]] if header in owner else by_number or by_title:
            hits[0].coded.append(header)


# --- what they hold ----------------------------------------------------------------------------------------------------


def declared(question: Question, labelled: Labelled, cells: pd.DataFrame) -> bool:
    """Take type, options and missing codes from what SPSS or Stata declare; false for a variable without labels."""
    first = question.headers[0]
    if key := next((key for key, names in labelled.sets.items() if first in names), ""):
        question.type = "multi"
        labels = labelled.labels.get(first, {}) or {text: text for text in filled_of(cells).unique()}
        words = question.parts if labelled.counted[key] else list(code_words(labels).values())
        question.options = list(enumerate(unique_words(words), 1))
        return True
    labels, values = code_words(labelled.labels.get(first, {})), labelled.values[first]
    ranges = [(low, high) for low, high in labelled.missing.get(first, ()) if _NUMBER.fullmatch(low)]
    question.missing_from = [(float(low), float(high)) for low, high in ranges]
    listed = {*labels, *values[values != ""]}
    is_gone = {code: any(inside(code, low, high) for low, high in question.missing_from) for code in listed}
    if not any(not gone for code, gone in is_gone.items() if code in labels):
        if not values[values != ""].str.fullmatch(_NUMBER).all():
            return False
        describe(question, cells.where(~values.map(is_gone).eq(True).to_numpy()[:, None], ""), None)
        question.missing = {
            int(float(code)): "blank" for code in labels if is_gone.get(code) and float(code).is_integer()
        }
        if question.type not in ("whole", "number"):
            question.missing, question.missing_from = {}, []
        return True
    question.type = "single"
    order = sorted(listed, key=lambda code: (code not in labels, list(labels).index(code) if code in labels else code))
    whole = all(re.fullmatch(r"-?\d+", code) for code in order)
    if len(order) > MOST_LISTED:
        question.type = "text"
        return True
    codes = {code: int(code) if whole else place for place, code in enumerate(order, 1)}
    question.options = [(codes[code], labels.get(code, code)) for code in order]
    question.missing = {codes[code]: reason_of(labels.get(code, "")) for code in order if is_gone[code]}
    question.missing_from = []
    if unlabelled := [code for code in order if code not in labels]:
        question.remark("new.unlabelled", codes=", ".join(unlabelled))
    return True


def inside(code: str, low: float, high: float) -> bool:
    """Whether a code is a number between two others."""
    return bool(_NUMBER.fullmatch(code)) and low <= float(code) <= high


def reason_of(words: str) -> str:
    """Why an answer is missing, by its words."""
    known = {
        "refused": r"拒|refus|declin",
        "does_not_know": r"不知|不清楚|说不|don.?t know|unsure",
        "skipped": r"跳过|skip",
    }
    return next((why for why, pattern in known.items() if re.search(pattern, words, re.I)), "blank")


def describe(question: Question, cells: pd.DataFrame, codes: pd.DataFrame | None) -> None:
    """The type of a question and its options, in the order of the number export where there is one, else as they occur."""
    filled = filled_of(cells)
    if not len(filled):
        question.remark("new.no_answer")
    elif len(question.headers) > 1:
        describe_group(question, cells, filled, codes)
    elif filled.str.contains(JOINT).any() and not filled.str.contains(ARROW).any():
        describe_joined(question, filled, JOINT, "multi", codes)
    elif is_ranking(filled):
        describe_joined(question, filled, ARROW, "ranking", codes)
    elif codes is not None and codes.shape[1] > 1:
        describe_joined(question, filled, JOINT, "multi", codes)
    else:
        describe_one(question, filled, cells, codes)


def describe_group(question: Question, cells: pd.DataFrame, filled: pd.Series, codes: pd.DataFrame | None) -> None:
    """A question of several columns: ticks, ranks, or the rows of a matrix."""
    columns = [cells[header] for header in question.headers]
    if all(is_ticks(column, part) for column, part in zip(columns, question.parts, strict=True)):
        question.type, question.options = "multi", list(enumerate(unique_words(question.parts), 1))
    elif all(_RANKS.fullmatch(part) for part in question.parts) and not filled.str.fullmatch(_NUMBER).all():
        question.type, question.options = "ranking", list(enumerate(dict.fromkeys(filled), 1))
        question.remark("new.order_unknown")
    elif is_ranks(cells):
        question.type, question.options = "ranking", list(enumerate(unique_words(question.parts), 1))
    elif filled.str.fullmatch(r"-?\d+(\.0)?").all():
        question.type = "matrix_scale"
    else:
        describe_one(question, filled, cells, codes)
        if question.type == "single":
            question.type = "matrix_single"
            return
        question.remark("new.not_one_question", n=len(question.headers))
        question.type, question.options = "matrix_single", list(enumerate(dict.fromkeys(filled), 1))[:MOST_LISTED]


def describe_joined(question: Question, filled: pd.Series, joint: str, kind: str, codes: pd.DataFrame | None) -> None:
    """A question whose answers name several options in one cell."""
    parts = list(dict.fromkeys(part.strip() for cell in filled for part in cell.split(joint) if part.strip()))
    if codes is not None and codes.shape[1] > 1:
        options = [option_of(header, question) for header in question.coded]
        parts = options + [part for part in parts if squash(part) not in set(map(squash, options))]
    else:
        question.remark("new.order_unknown")
    if len(parts) > MOST_OPTIONS:
        question.remark("new.too_many", n=len(parts), most=MOST_OPTIONS)
        return
    question.type, question.options = kind, list(enumerate(parts, 1))


def describe_one(question: Question, filled: pd.Series, cells: pd.DataFrame, codes: pd.DataFrame | None) -> None:
    """A question with one answer, or the rows of a matrix: options, a number, a day or own words."""
    if codes is not None and codes.shape == cells.shape:
        numbers = pd.concat([codes[name] for name in codes], ignore_index=True)
        answers = pd.concat([cells[name] for name in cells], ignore_index=True)
        if options := options_by_code(answers[answers != ""], numbers):
            question.type, question.options = "single", list(enumerate(options, 1))
            if gaps := [code for code, text in question.options if not text]:
                question.remark("new.not_chosen", codes=", ".join(map(str, gaps)))
                question.options = [(code, text or f"TODO {code}") for code, text in question.options]
            return
    is_word = filled.str.casefold().isin([*TYPED, *(word.casefold() for word in _NOTHING)])
    numbers, listed = filled[~is_word], list(dict.fromkeys(filled))
    if len(numbers) and numbers.str.fullmatch(_NUMBER).all():
        question.type = "whole" if numbers.str.fullmatch(r"[-−–+]?\d+(\.0)?").all() else "number"
        if set(numbers) <= {"0", "1"}:
            question.remark("new.zero_one")
    elif filled.map(lambda text: bool(iso_date(text))).mean() > 0.9:
        question.type = "date"
    elif 0 < len(listed) <= min(MOST_LISTED, max(2, len(filled) / 3)):
        question.type, question.options = "single", list(enumerate(listed, 1))
        question.missing = {code: "blank" for code, text in question.options if text in _NOTHING}
        question.remark("new.order_unknown")
    elif len(listed) > MOST_LISTED and len(listed) < len(filled) / 3:
        question.remark("new.too_many", n=len(listed), most=MOST_LISTED)


def filled_of(cells: pd.DataFrame) -> pd.Series:
    """All filled cells of a question, column by column."""
    every = pd.concat([cells[name] for name in cells], ignore_index=True)
    return every[every != ""]


def is_ticks(cells: pd.Series, part: str) -> bool:
    """Whether a column ticks an option: 0/1, yes/no, or the option's own words where it was chosen."""
    values = {text.removesuffix(".0").casefold() for text in cells.unique()} - {""}
    return bool(part) and (values <= {*TICKS, *NO_TICKS} or {squash(text) for text in values} == {squash(part)})


def is_ranking(filled: pd.Series) -> bool:
    """Whether the answers are options in an order: joined by arrows, no option twice, the same options again and again."""
    joined = filled[filled.str.contains(ARROW)]
    parts = [[part.strip() for part in cell.split(ARROW)] for cell in joined]
    counts = pd.Series([part for cell in parts for part in cell], dtype=object).value_counts()
    return (
        2 * len(joined) >= len(filled)
        and all(len(set(cell)) == len(cell) for cell in parts)
        and len(joined) > 0
        and (len(counts) <= max(2, counts.sum() / 3) or len(joined) < 5)
    )


def is_ranks(cells: pd.DataFrame) -> bool:
    """Whether each row of whole numbers ranks the columns: from 1, none twice, in nearly every row that ranks two or more."""
    numbers = cells.replace("-2", "").apply(lambda column: pd.to_numeric(column.replace("", None), errors="coerce"))
    if numbers.isna().sum().sum() > (cells.isin(["", "-2"])).sum().sum() or not numbers.notna().any(axis=None):
        return False
    ranked = numbers.where(numbers > 0)
    several = ranked[ranked.notna().sum(axis=1) > 1]
    fits = several.apply(lambda row: sorted(row.dropna()) == list(range(1, row.notna().sum() + 1)), axis=1)
    return len(several) > 0 and bool(fits.mean() > 0.9) and ranked.max(axis=None) <= cells.shape[1]


def option_of(header: str, question: Question) -> str:
    """The option that a column of the number export stands for."""
    rest = split_header(header)[1].strip().removeprefix(question.title).strip()
    found = re.fullmatch("[^(\uff08]*[(\uff08](.*)[)\uff09]", rest.removeprefix("—"), re.S)
    return (found[1] if found else rest.removeprefix("—")).split(REPEAT)[0].strip()


def options_by_code(texts: pd.Series, codes: pd.Series) -> list[str] | None:
    """Option texts in the order of their numbers, "" for a number nobody chose; None unless text and number are one to one."""
    pairs = pd.DataFrame({"text": texts, "code": codes.reindex(texts.index).str.strip()}).drop_duplicates()
    fits = pairs["code"].str.fullmatch(r"[1-9]\d?\d?").all() and pairs["text"].is_unique and pairs["code"].is_unique
    if not len(pairs) or not fits or (pairs["text"] == pairs["code"]).all():
        return None
    by_code = dict(zip(pairs["code"].astype(int), pairs["text"], strict=True))
    return [by_code.get(code, "") for code in range(1, max(by_code) + 1)]


def unique_words(words: Sequence[str]) -> list[str]:
    """The words of options, those that stand twice told apart by their place."""
    seen = [squash(word) for word in words]
    return [word if seen.count(squash(word)) == 1 else f"{word} ({place})" for place, word in enumerate(words, 1)]
