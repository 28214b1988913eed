"""SPSS and Stata files as exact text codes with their labels, user-missing codes and response sets; refuses a cut file."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from huying.codebook import Item
from huying.errors import InputError, Place
from huying.sources.excel import cell_text
from huying.sources.table import REPEAT
from huying.sources.wjx import bind

_SAV, _XML_DTA = (b"$FL2", b"$FL3"), b"<stata_dta>"


@dataclass(frozen=True)
class Labelled:
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
    return raw.startswith((*_SAV, _XML_DTA)) or (
        104 <= next(iter(raw), 0) <= 115 and raw[1:4] in (b"\1\1\0", b"\2\1\0")
    )


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
