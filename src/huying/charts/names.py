"""What the rows of a table are called in a chart: whatever varies among its keys, in words; computes nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from huying.charts import look
from huying.charts.sheet import Sheet
from huying.intervals import Floats
from huying.labels import part_word

PLACES = ("place", "town_id", "dept_id")
AFTER = ("measure", "answer", "period", "wave")  # keys that a frame may also have behind its estimate


def keys(rows: pd.DataFrame, besides: Sequence[str] = ()) -> list[str]:
    """The columns that tell the rows apart: of those before the estimate (else all of text) what varies, else the first."""
    if "label" in rows:
        return ["label"]
    end = rows.columns.get_loc("estimate") if "estimate" in rows else rows.shape[1]
    text = [name for k, name in enumerate(rows) if k < end or name in AFTER]
    text = [name for name in text if not is_numeric_dtype(rows[name].dtype) or is_bool_dtype(rows[name].dtype)]
    own = [str(name) for name in text if name not in besides]
    own = own or [name for name in PLACES if name in rows and name not in besides]
    return [name for name in own if rows[name].nunique() > 1] or own[:1]


def places(rows: pd.DataFrame) -> pd.Series:
    """The place of each row: a column of ids, else the index."""
    name = next((name for name in PLACES if name in rows), None)
    return rows[name] if name else pd.Series(rows.index.get_level_values(0), rows.index)


def names(made: Sheet, rows: pd.DataFrame, besides: Sequence[str] = ()) -> list[str]:
    """What each row is called: by its index where that holds no numbers, else by its keys."""
    is_indexed = not is_numeric_dtype(rows.index.dtype)
    table = rows.reset_index() if is_indexed else rows
    columns = list(table.columns[: rows.index.nlevels]) if is_indexed else keys(table, besides)
    said = [[call(made, rows, name, value) for value in table[name]] for name in columns]
    return [" · ".join(filter(None, parts)) for parts in zip(*said, strict=True)] or [str(row) for row in rows.index]


def call(made: Sheet, rows: pd.DataFrame, column: str, value: Any) -> str:
    """A value of a column in words; a part of a claim by what it measures."""
    word = made.words.value(rows.attrs.get(column, column), value)
    return part_word(str(value), made.words.lang, word) if column == "part" and value else word


def spread(rows: pd.DataFrame, index: Sequence[str], column: str, values: str = "estimate") -> pd.DataFrame:
    """A long table as a wide one, its rows and columns in the order in which they come."""
    long = rows.set_index([*index, column])[values]
    return long.unstack(sort=False)[list(dict.fromkeys(rows[column]))]


def with_n(made: Sheet, labels: Sequence[str], n: Floats) -> list[str]:
    """Labels with their n, a dash where it is missing."""
    shown = ["–" if np.isnan(value) else f"{value:.0f}" for value in n]
    return [made.say("with_n", label=label, n=value) for label, value in zip(labels, shown, strict=True)]


def name_rows(made: Sheet, labels: Sequence[str], is_here: Any = ()) -> None:
    """Label the rows, the first on top, the one that is read here with a band and in bold; sets the height."""
    axes, wrapped = made.axes, [look.wrap(label, 20) for label in labels]
    axes.set_yticks(range(len(labels)), wrapped)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for row in np.flatnonzero(np.asarray(is_here, dtype=bool)):
        axes.axhspan(row - 0.5, row + 0.5, color=look.YELLOW, alpha=0.3, linewidth=0, zorder=0)
        axes.get_yticklabels()[row].set_fontweight("bold")
    tall = max((name.count("\n") for name in wrapped), default=0)
    made.inches = 0.15 + (0.26 + 0.13 * tall) * max(len(labels), 2)


def say_why_missing(made: Sheet, at: Any, row: pd.Series) -> None:
    """Words in a row in place of its value: why it has none."""
    text = made.words.value("reason", row.get("reason", "")) or made.say("no_value")
    if row.get("reliability") == "too few answers":
        text = made.say("too_few_answers")
    style = {"bbox": {"facecolor": look.WHITE, "edgecolor": "none", "pad": 1}, "zorder": 4, "gid": "remark"}
    style |= {"transform": made.axes.get_yaxis_transform(), "va": "center", "size": look.TINY, "color": look.DIM}
    made.axes.text(0.02, at, text, **style)
