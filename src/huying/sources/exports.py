"""Any survey export as one table of answers in words, and its answers bound to the columns that a questionnaire names; moves no answer.

csv, Excel, 问卷星 by text and by number, SPSS and Stata (value labels for codes), exports with row numbers under a blank
header (R, pandas) or with a second header row (SurveyMonkey).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from huying.codebook import Item
from huying.contract import clean_text, no_rejects
from huying.errors import InputError, Place
from huying.sources.excel import Note
from huying.sources.lines import read_content
from huying.sources.personal import drop_personal
from huying.sources.spss import Labelled, is_labelled, read_labelled
from huying.sources.table import REPEAT, RawTable, read_table
from huying.sources.wjx import JOINT, MARKS, SERIAL, Answers, is_meta, pair_rows, read_meta, squash

ARROW = "→"  # between the options of a ranking, the first choice first
NONE_OF_THEM = JOINT  # a multiple choice that was answered by ticking nothing
TICKS = ("1", "是", "yes", "y", "true", "√", "✓", "x", "选中")
NO_TICKS = ("0", "否", "no", "n", "false", "未选中")
_ONE = ("response", "open-ended response")  # SurveyMonkey's second header over a column that stands alone
_SIGN = "—"  # between a question and its row or option


@dataclass(frozen=True)
class Export:
    """An export: its table in words, the filled cells of each personal column left out, what SPSS or Stata declare."""

    raw: RawTable
    dropped: dict[str, int]
    labelled: Labelled | None = None


def read_export(path: str | Path) -> Export:
    """The answers of any export, personal columns left out; raises InputError for a file that cannot be read."""
    place = Place(Path(path).name)
    labelled = read_labelled(path) if is_labelled(read_content(Path(path), place)) else None
    raw = in_words(labelled) if labelled else tidy_headers(read_table(path, repeats=True))
    if not len(raw.text):
        raise InputError("sources.no_rows", raw.place)
    kept, dropped = drop_personal(raw)
    return Export(kept, dropped, labelled)


def in_words(labelled: Labelled) -> RawTable:
    """A labelled file with the labels of its codes; a label that two codes share keeps the code beside it."""
    text = labelled.values.copy()
    for name in text:
        text[name] = text[name].replace(code_words(labelled.labels.get(str(name), {})))
    for name, code in labelled.counted.items():
        ticks = labelled.values[list(labelled.sets[name])] if code else text.iloc[:, :0]
        text[list(ticks)] = ticks.eq(code).astype(int).astype("str").where(ticks != "", "")
    return RawTable(text, labelled.place, "labelled", (), no_rejects())


def code_words(labels: Mapping[str, str]) -> dict[str, str]:
    """The words of each code, told apart by the code where two have the same."""
    words = [squash(text) for text in labels.values()]
    return {code: text if words.count(squash(text)) == 1 else f"{text} [{code}]" for code, text in labels.items()}


def tidy_headers(raw: RawTable) -> RawTable:
    """The table with row numbers under a blank first header as 序号, and with a second header row taken into the first."""
    text, notes, headers = raw.text, raw.notes, [str(name) for name in raw.text]
    if len(headers) > 1 and not headers[0].split(REPEAT)[0] and SERIAL not in headers:
        numbers = text[headers[0]].str.removesuffix(".0")
        if numbers.is_unique and numbers.str.fullmatch(r"\d+").all():
            headers[0] = SERIAL
    blank = [not name.split(REPEAT)[0] for name in headers]
    second = text.iloc[0].str.strip() if len(text) else pd.Series(dtype="str")
    if any(blank) and len(text) > 1 and not second.iloc[0] and second[blank].ne("").all():
        title, joined = "", []
        for name, part in zip(headers, second, strict=True):
            title = name if name.split(REPEAT)[0] else title
            joined.append(title if part.casefold() in ("", *_ONE) else f"{title.split(REPEAT)[0]}{_SIGN}{part}")
        counts = pd.Series(joined).groupby(joined).cumcount()
        headers = [name if not n else f"{name}{REPEAT}{n + 1}" for name, n in zip(joined, counts, strict=True)]
        text, notes = text.iloc[1:], (*notes, ("sources.second_header", {"row": int(text.index[0])}))
    return replace(raw, text=text.set_axis(headers, axis=1), notes=notes)


def has_headers(items: Sequence[Item]) -> bool:
    """Whether a questionnaire names the columns of its export."""
    return any(item.headers for item in items)


def read_by_headers(
    path: str | Path, number_path: str | Path | None, items: Sequence[Item], weight: str = ""
) -> Answers:
    """The answers of a form whose questionnaire names the columns of its export; raises InputError for one that is not there.

    Ticks in a column an option become the options' texts, ranks become the options in their order; a row that only one of
    two exports has is set aside as `unpaired`.
    """
    export = read_export(path)
    raw = export.raw
    text = pd.concat([cells_of(item, pick(raw, item, item.headers)) for item in items], axis=1)
    used = {header for item in items for header in item.headers} | {weight}
    left = [str(name) for name in raw.text if name not in used and not is_meta(str(name))]
    notes: list[Note] = [*raw.notes, *([("sources.extra_columns", {"columns": ", ".join(left)})] if left else [])]
    meta = read_meta(raw)
    if weight:
        if weight not in raw.text:
            raise InputError("sources.no_weight_column", raw.place, name=weight, known=", ".join(map(str, raw.text)))
        meta["weight"] = raw.text[weight].str.strip()
    found = Answers(text, None, "position", meta, raw.place, tuple(notes), export.dropped, raw.rejected, raw.encoding)
    if number_path is None:
        return found
    other = read_export(number_path).raw
    coded = [item for item in items if item.coded]
    parts = [codes_of(item, pick(other, item, item.coded)) for item in coded]
    return pair_rows(found, raw, other, pd.concat(parts, axis=1) if parts else pd.DataFrame(index=other.text.index))


def pick(raw: RawTable, item: Item, headers: Sequence[str]) -> pd.DataFrame:
    """An item's own columns."""
    if gone := [header for header in headers if header not in raw.text] or ([] if headers else ["-"]):
        names = "; ".join(header.replace(REPEAT, " #") for header in gone)
        extra = ", ".join(str(name) for name in raw.text if not is_meta(str(name)))
        raise InputError("sources.missing_items", raw.place, items=f"{item.id} {item.text.zh}: {names}", extra=extra)
    return raw.text[list(headers)]


def cells_of(item: Item, columns: pd.DataFrame) -> pd.DataFrame:
    """The item's cells in words: as they stand, or made from a column an option (or a rank)."""
    if len(item.cells) == columns.shape[1] and (columns.shape[1] > 1 or not is_split(item, columns)):
        return columns.set_axis(list(item.cells), axis=1)
    names = [option.text.zh for option in item.options]
    join = join_ranks if item.type == "ranking" else join_ticks
    places, distinct = pd.factorize(pd.Series(list(columns.itertuples(index=False, name=None)), dtype=object))
    words = pd.Series([join(tuple(map(clean_text, row)), names) for row in distinct], dtype="str")
    return pd.DataFrame({item.id: words.iloc[places].to_numpy()}, index=columns.index)


def is_split(item: Item, columns: pd.DataFrame) -> bool:
    """Whether one column holds the ticks of a multiple choice with one option."""
    return item.type == "multi" and columns.iloc[:, 0].str.casefold().isin((*TICKS, *NO_TICKS, "")).all()


def join_ticks(row: Sequence[str], names: Sequence[str]) -> str:
    """The options ticked in a row of a multiple choice; a word that is no tick, and no option, stays to be set aside."""
    filled = [text for text in row if text]
    if marked := [text for text in filled if text in MARKS]:
        return marked[0]
    by_words, chosen = {squash(name): name for name in names}, []
    for place, text in enumerate(text.removesuffix(".0") for text in row):
        if squash(text) in by_words:  # an answer for itself, as in SPSS's sets of categories
            chosen.append(by_words[squash(text)])
        elif text.casefold() in TICKS and len(row) == len(names):
            chosen.append(names[place])
        elif text and text.casefold() not in NO_TICKS:
            return text
    return JOINT.join(dict.fromkeys(chosen)) if chosen or not filled else NONE_OF_THEM


def join_ranks(row: Sequence[str], names: Sequence[str]) -> str:
    """The options of a ranking in their order, from a rank for each option, or from an option for each rank; ties by `=`."""
    numbers = [text.removesuffix(".0") for text in row]
    if marked := [text for text in row if text in MARKS and text not in ("", "-2")]:
        return marked[0]
    if not all(re.fullmatch(r"-?\d+|", text) for text in numbers):
        return ARROW.join(text for text in row if text and text != "-2")
    ranked = {place: int(text) for place, text in enumerate(numbers) if text and int(text) > 0}
    groups = [[names[place] for place in ranked if ranked[place] == rank] for rank in sorted(set(ranked.values()))]
    return ARROW.join("=".join(group) for group in groups)


def codes_of(item: Item, columns: pd.DataFrame) -> pd.DataFrame:
    """The item's codes in an export by number: one a variable; of a ranking the places of the options in their order."""
    if item.type != "ranking":
        if len(columns.columns) != len(item.variables):
            raise InputError("sources.other_columns", item=item.id, n=len(columns.columns), wanted=len(item.variables))
        return columns.set_axis(list(item.variables), axis=1)
    places = [str(place) for place, _ in enumerate(item.options, 1)]
    joined = columns if columns.shape[1] == 1 < len(places) else None
    rows = columns.itertuples(index=False, name=None)
    words = (
        joined.iloc[:, 0] if joined is not None else [join_ranks(tuple(map(clean_text, row)), places) for row in rows]
    )
    return pd.DataFrame({item.id: pd.Series(list(words), index=columns.index, dtype="str")})
