"""What became of one file: rows kept, what was set aside with its reason, and flags; each rejected row is named once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from huying.errors import Place
from huying.scrub import mask_cells
from huying.sources.table import Remark
from huying.words import say


@dataclass(frozen=True)
class Booked:
    """One file after cleaning: typed rows, what was set aside (REJECTED), and flags of single answers.

    `n_masked` counts the texts in which personal numbers were masked; `notes` is what cleaning noticed, as a reader's.
    """

    kept: pd.DataFrame
    rejected: pd.DataFrame
    flags: pd.DataFrame
    n_masked: int = 0
    notes: tuple[Remark, ...] = ()


def make_flags(row_id: Any = (), flag: str = "", detail: Any = "") -> pd.DataFrame:
    """Rows of the table of flags: row_id, flag, detail."""
    return pd.DataFrame({"row_id": np.asarray(row_id, dtype=object), "flag": flag, "detail": detail}).astype("str")


def all_rejected(source: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """What a reader and what cleaning set aside, each row once under its first reason; personal values are masked."""
    table = pd.concat([source, found], ignore_index=True)
    again = (table["level"] == "row") & table.duplicated(["file", "sheet", "row", "level"])
    table = table[~again].reset_index(drop=True)
    return table.assign(value=mask_cells(table["value"].astype("str").fillna("")))


def count_rows(rejected: pd.DataFrame) -> int:
    """How many whole rows were set aside."""
    return int((rejected["level"] == "row").sum())


def say_rejected(entry: Mapping[str, Any], lang: str | None = None) -> str:
    """One rejected row as a line to act on: file, sheet, row, column, what was found, why it does not do and what to do."""
    place = Place(str(entry["file"]), str(entry["sheet"] or ""), int(entry["row"]), str(entry["column"] or ""))
    value = say("clean.rejected_value", lang, value=entry["value"]) if entry["value"] else ""
    reason = say(f"clean.reason_{entry['reason']}", lang)
    return say("clean.rejected_line", lang, place=place.say(lang), value=value, reason=reason)


def say_note(entry: Mapping[str, Any], lang: str | None = None) -> str:
    """What was repaired or seen, as a line: file, sheet and row, what it was, and which cells or names."""
    row = int(entry["row"]) if entry["row"] else None
    place, detail = Place(entry["file"], entry["sheet"], row), f": {entry['detail']}" if entry["detail"] else ""
    note = say(f"clean.note_{entry['note']}", lang)
    return say("clean.note_line", lang, place=place.say(lang), note=note, detail=detail)
