"""Any survey export as one table of answers in words, and its answers bound to the columns that a questionnaire names; moves no answer.

csv, Excel, 问卷星 by text and by number, SPSS and Stata (value labels for codes), exports with row numbers under a blank
header (R, pandas) or with a second header row (SurveyMonkey).
"""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyreadstat

from huying.codebook import Item
from huying.kinds import clean_text
from huying.ledgers import no_rejects, set_aside
from huying.sources import wjx
from huying.sources.excel import cell_text
from huying.sources.table import REPEAT, RawTable, drop_personal, read_content, read_table, unique_headers
from huying.sources.wjx import JOINT, MARKS, SERIAL, Answers, bind, is_meta, partner_rows, serial_keys, squash
from huying.words import InputError, Place

ARROW = "→"  # between the options of a ranking, the first choice first
NONE_OF_THEM, BLANK = JOINT, "(空)"  # a multiple choice that was answered by ticking nothing; no answer
TICKS = ("1", "是", "yes", "y", "true", "√", "✓", "x", "选中", "selected", "checked")
NO_TICKS = ("0", "否", "no", "n", "false", "未选中", "not selected", "unchecked")
_ONE = ("response", "open-ended response")  # SurveyMonkey's second header over a column that stands alone
Columns = dict[str, tuple[str, ...]]  # by the id of an item

_SAV, _XML_DTA = (b"$FL2", b"$FL3"), b"<stata_dta>"


# --- SPSS and Stata ---------------------------------------------------------------------------------------------------


class Labelled(NamedTuple):
    """A labelled file: `values` as text codes ("" where system-missing; index = case, from 1).

    `labels` {variable: {code: label}}; `missing` {variable: ((low, high), …)} of user-missing codes, as text;
    `sets` {response set: its `label`, `variable_list`, and whether one `counted_value` counts (`is_dichotomy`) or each value
    is an answer}; `column_labels` {variable: label or None}.
    """

    values: pd.DataFrame
    labels: dict[str, dict[str, str]]
    missing: dict[str, tuple[tuple[str, str], ...]]
    sets: dict[str, dict[str, Any]]
    column_labels: dict[str, str | None]
    place: Place


def is_labelled(raw: bytes) -> bool:
    """Whether a file is one of SPSS or Stata, by its first bytes."""
    is_old_dta = 104 <= next(iter(raw), 0) <= 115 and raw[1:4] in (b"\1\1\0", b"\2\1\0")
    return raw.startswith((*_SAV, _XML_DTA)) or is_old_dta


def is_missing(code: str, ranges: Sequence[tuple[str, str]]) -> bool:
    """Whether a code is declared as missing, by itself or within a range of numbers."""
    for low, high in ranges:
        with contextlib.suppress(ValueError):
            if code == low or float(low) <= float(code) <= float(high):
                return True
    return False


def code_text(value: Any) -> str:
    """A value as exact text: 1.0 is `1`, a day is in ISO form, system-missing is empty."""
    return "" if value is None or value is pd.NaT or value != value else cell_text(value)


def read_labelled(path: Path, raw: bytes) -> Labelled:
    """The content of a .sav, .zsav or .dta file, `raw` its bytes; raises InputError for a cut or a damaged file."""
    place, is_sav = Place(path.name), raw.startswith(_SAV)
    if raw.startswith(_XML_DTA) and not raw.rstrip().endswith(b"</stata_dta>"):
        raise InputError("sources.cut_file", place)
    frame, meta = parse(path, pyreadstat.read_sav if is_sav else pyreadstat.read_dta, place)
    if meta.number_rows not in (None, -1, len(frame)):
        raise InputError("sources.cut_file", place)
    for name, kind in meta.original_variable_types.items():
        if str(kind).startswith(("QYR", "MOYR", "WKYR")):  # a quarter, month or week: its first day, in seconds of SPSS
            seconds = frame[name].astype("Int64").astype("timedelta64[s]")
            frame[name] = (np.datetime64("1582-10-14", "s") + seconds).astype(str).where(seconds.notna(), "")
    values = pd.DataFrame({name: frame[name].astype(object).map(code_text) for name in frame}, dtype="str")
    texts = meta.variable_value_labels.items()
    labels = {name: {code_text(code): str(text) for code, text in found.items()} for name, found in texts}
    ranges = {name: [(r["lo"], r["hi"]) for r in found] for name, found in meta.missing_ranges.items()}  # of SPSS
    ranges |= {name: [(code, code) for code in codes] for name, codes in meta.missing_user_values.items()}  # of Stata
    missing = {name: tuple((code_text(low), code_text(high)) for low, high in found) for name, found in ranges.items()}
    values = values.set_axis(pd.RangeIndex(1, len(values) + 1), axis=0)
    return Labelled(values, labels, missing, meta.mr_sets, meta.column_names_to_labels, place)


def parse(path: Path, read: Any, place: Place) -> tuple[pd.DataFrame, Any]:
    """What pyreadstat reads; a file whose text does not fit the encoding it names is read again as GB18030."""
    for encoding in (None, "GB18030"):
        with contextlib.suppress(pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError):
            return read(str(path), user_missing=True, encoding=encoding)  # type: ignore[no-any-return]
    raise InputError("sources.cut_file", place)


def find_variables(items: Sequence[Item], labelled: Labelled) -> dict[str, str]:
    """The file's variable for each variable of the items: of the same name, or whose label has the wording."""
    own = {name.casefold(): name for name in labelled.values}
    by_label = {f"{label}{REPEAT}{name}": name for name, label in labelled.column_labels.items() if label}
    bound = {name: by_label[header] for name, header in bind(by_label, items, by_option=True)[0].items()}
    return bound | {name: own[name.casefold()] for item in items for name in item.variables if name.casefold() in own}


# --- any export -------------------------------------------------------------------------------------------------------


def read_export(path: str | Path) -> tuple[RawTable, Labelled | None]:
    """The answers of any export in words, personal columns left out, and what SPSS or Stata declare.

    Raises InputError for a file that cannot be read.
    """
    path = Path(path)
    content = read_content(path, Place(path.name))
    labelled = read_labelled(path, content) if is_labelled(content) else None
    del content  # a large file is not held while its cells are
    raw = in_words(labelled) if labelled else tidy_headers(read_table(path, repeats=True))
    if not len(raw.text):
        raise InputError("sources.no_rows", raw.place)
    return drop_personal(raw, wjx.KEYS), labelled


def in_words(labelled: Labelled) -> RawTable:
    """A labelled file with the labels of its codes; a label that two codes share keeps the code beside it."""
    text = labelled.values.apply(lambda cells: cells.replace(code_words(labelled.labels.get(str(cells.name), {}))))
    for found in labelled.sets.values():
        for one in found["variable_list"]:
            values, ranges = labelled.values[one], labelled.missing.get(one, ())
            if found["is_dichotomy"]:
                ticks = values.eq(code_text(found["counted_value"])).astype(int).astype("str")
                text[one] = ticks.where(values != "", "")
            else:  # an answer for itself each: what is missing is none
                text[one] = text[one].mask([is_missing(value, ranges) for value in values], "")
    platform = {"totalseconds": "所用时间", **({"index": SERIAL} if text.columns[0] == "index" else {})}  # as 问卷星's
    return RawTable(text.rename(columns=platform), labelled.place, "labelled", no_rejects())


def code_words(labels: Mapping[str, str]) -> dict[str, str]:
    """The words of each code, told apart by the code where two have the same."""
    words = [squash(text) for text in labels.values()]
    return {code: text if words.count(squash(text)) == 1 else f"{text} [{code}]" for code, text in labels.items()}


def tidy_headers(raw: RawTable) -> RawTable:
    """The table with row numbers under a blank first header as 序号, and with a second header row taken into the first."""
    text, headers, notes = raw.text, [str(name) for name in raw.text], list(raw.notes)
    if len(headers) > 1 and not headers[0].split(REPEAT)[0] and SERIAL not in headers:
        numbers = text[headers[0]].str.removesuffix(".0")
        if numbers.is_unique and numbers.str.fullmatch(r"\d+").all():
            headers[0] = SERIAL
            notes.append((raw.place, "index_column", SERIAL))
    blank = [not name.split(REPEAT)[0] for name in headers]
    second = text.iloc[0].str.strip() if len(text) else pd.Series(dtype="str")
    if any(blank) and len(text) > 1 and not second.iloc[0] and second[blank].ne("").all():
        title, joined = "", []
        for name, part in zip(headers, second, strict=True):
            title = name if name.split(REPEAT)[0] else title
            joined.append(title if part.casefold() in ("", *_ONE) else f"{title.split(REPEAT)[0]}—{part}")
        headers, text = unique_headers(joined, range(len(joined)), raw.place, repeats=True), text.iloc[1:]
        others = (note for note in notes if note[1] != "header_repeated")
        notes = [(replace(raw.place, row=2), "second_header", ""), *others]
    return replace(raw, text=text.set_axis(headers, axis=1), notes=tuple(notes))


def read_answers(path: str | Path, number_path: str | Path | None, items: Sequence[Item], weight: str = "") -> Answers:
    """The answers of one form, from one export or from a pair; raises InputError for an item that the export lacks.

    An item's columns are those that its questionnaire names, or are found by their wording. Ticks in a column an option become
    the options' texts, ranks the options in their order; a row that only one of two exports has is set aside as `unpaired`.
    """
    raw, labelled = read_export(path)
    headers, codes, known = {item.id: item.headers for item in items}, None, dict[int, Item]()
    if not (has_own := all(own and set(own) <= set(raw.text) for own in headers.values())) and labelled:
        bound = {name: column for name, column in find_variables(items, labelled).items() if column in raw.text}
        headers = columns_of({item.id: item.variables for item in items}, bound, items, raw)
        codes = pd.concat([codes_of(item, labelled.values[list(headers[item.id])]) for item in items], axis=1)
    elif not has_own:
        bound, known = bind(raw.text, items, by_option=False)
        headers = columns_of({item.id: item.cells for item in items}, bound, items, raw)
    meta = with_weight(wjx.read_meta(raw), raw, weight)
    text = pd.concat([answers_of(item, list(headers[item.id]), raw, labelled) for item in items], axis=1)
    numbering = "position" if codes is None else "code"
    answers = Answers(**{**vars(raw), "text": text}, meta=meta, codes=codes, numbering=numbering)
    return answers if number_path is None else pair(answers, raw, read_export(number_path)[0], items, known)


def with_weight(meta: pd.DataFrame, raw: RawTable, weight: str) -> pd.DataFrame:
    """The platform's columns with that of the weight, where one is named; raises InputError for a column that is not there."""
    if not weight:
        return meta
    if weight not in raw.text:
        raise InputError("sources.no_weight_column", raw.place, name=weight, known=", ".join(map(str, raw.text)))
    return meta.assign(weight=raw.text[weight].str.strip())


def answers_of(item: Item, headers: list[str], raw: RawTable, labelled: Labelled | None) -> pd.DataFrame:
    """The item's cells in words; numbers and ticks of a labelled file as they stand there, whatever their labels."""
    columns = raw.text[headers].replace(dict.fromkeys(item.blank, ""))
    if not labelled:
        return cells_of(item, columns)
    in_sets = {name for found in labelled.sets.values() for name in found["variable_list"]}
    if (is_ticked := item.type == "multi" and headers[0] not in in_sets) or item.type in ("whole", "number"):
        letters = [low for low, _ in labelled.missing.get(headers[0], ()) if not re.fullmatch(r"-?[\d.]+", low)]
        columns = labelled.values[headers].replace(dict.fromkeys(letters, ""))
    cells = cells_of(item, columns)
    return cells.replace(NONE_OF_THEM, "") if is_ticked else cells  # there nothing ticked is no answer


def pair(answers: Answers, raw: RawTable, other: RawTable, items: Sequence[Item], known: Mapping[int, Item]) -> Answers:
    """The answers with the codes of an export by number, row by row of the same 序号; rows without a partner are set aside.

    An item without a column there has its words alone.
    """
    coded = {item.id: item.coded for item in items}
    if not any(coded.values()) or not all(set(own) <= set(other.text) for own in coded.values()):
        bound, _ = bind(other.text, items, by_option=True, numbers=known)
        coded = columns_of({item.id: item.variables for item in items}, bound, items, other)
    ours, theirs = serial_keys(raw), serial_keys(other)
    if not (has_partner := ours.isin(theirs)).any():
        raise InputError("sources.not_one_survey", raw.place, other=other.place.file)
    both = ((raw, ours, theirs), (other, theirs, ours))
    alone = [set_aside(at.place, SERIAL, at.text[SERIAL][~own.isin(keys)], "unpaired") for at, own, keys in both]
    numbers = partner_rows(raw, other)[has_partner]
    codes = [codes_of(item, numbers[list(coded[item.id])]) for item in items if coded[item.id]]
    rejected = pd.concat([answers.rejected, other.rejected, *alone], ignore_index=True)
    held = {"text": answers.text[has_partner], "meta": answers.meta[has_partner], "codes": pd.concat(codes, axis=1)}
    return replace(answers, **held, rejected=rejected, notes=(*raw.notes, *other.notes))


def columns_of(wanted: Columns, bound: Mapping[str, str], items: Sequence[Item], raw: RawTable) -> Columns:
    """The columns that hold what is wanted of each item; raises InputError naming the items that have none."""
    if missing := [item for item in items if any(name not in bound for name in wanted[item.id])]:
        extra = [str(name) for name in raw.text if name not in bound.values() and not is_meta(str(name))]
        said = "; ".join(f"{item.id} {item.text.zh}" for item in missing)
        raise InputError("sources.missing_items", raw.place, items=said, extra=", ".join(extra) or "-")
    return {key: tuple(bound[name] for name in own) for key, own in wanted.items()}


def cells_of(item: Item, columns: pd.DataFrame) -> pd.DataFrame:
    """The item's cells in words: as they stand, or made from a column an option (or a rank)."""
    if item.joint:
        sign = ARROW if item.type == "ranking" else JOINT
        columns = columns.apply(lambda cells: cells.str.removesuffix(item.joint.strip()).str.replace(item.joint, sign))
    is_tick = item.type == "multi" and columns.iloc[:, 0].str.casefold().isin((*TICKS, *NO_TICKS, "")).all()
    if len(item.cells) == columns.shape[1] and not is_tick:  # a multiple choice with one option is ticked too
        return columns.set_axis(list(item.cells), axis=1)
    names, join = [o.text.zh for o in item.options], join_ranks if item.type == "ranking" else join_ticks
    return pd.DataFrame({item.id: [join(row, names) for row in clean_rows(columns)]}, index=columns.index, dtype="str")


def clean_rows(columns: pd.DataFrame) -> Iterable[tuple[str, ...]]:
    """The rows as tuples of clean text."""
    return (tuple(map(clean_text, row)) for row in columns.itertuples(index=False, name=None))


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
    """The options of a ranking in their order, from a rank for each option, or from an option for each rank; a tie is none."""
    numbers = [text.removesuffix(".0") for text in row]
    if marked := [text for text in row if text in MARKS and text != "-2"]:
        return marked[0]
    if not all(re.fullmatch(r"-?\d+|", text) for text in numbers):
        return ARROW.join(text for text in row if text and text != "-2")
    ranked = sorted((int(text), name) for text, name in zip(numbers, names, strict=False) if text and int(text) > 0)
    return (ARROW if len(dict(ranked)) == len(ranked) else "=").join(name for _, name in ranked)


def codes_of(item: Item, columns: pd.DataFrame) -> pd.DataFrame:
    """The item's cells in an export by number: ticks as words, of a ranking the places of the options in their order."""
    if item.type != "ranking":
        if len(columns.columns) != len(item.variables):
            raise InputError("sources.other_columns", item=item.id, n=len(columns.columns), wanted=len(item.variables))
        return cells_of(item, columns).replace(NONE_OF_THEM, BLANK)
    places = [str(place) for place, _ in enumerate(item.options, 1)]
    if columns.shape[1] == 1 < len(places):
        return columns.set_axis([item.id], axis=1)
    return pd.DataFrame({item.id: [join_ranks(row, places) for row in clean_rows(columns)]}, columns.index, dtype="str")
