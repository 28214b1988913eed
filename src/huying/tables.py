"""A table for reading: words for ids, per cent for shares, few digits; refuses a code where the county has a word.

pandas' Styler makes the HTML: it comes with what is installed already, and great_tables would be one more dependency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler

from huying import labels
from huying.labels import SHARES, Labels


@dataclass(frozen=True)
class Table:
    """A table in words, all its cells text. `below` is the line under it, where rows were left out."""

    cells: pd.DataFrame
    is_left: tuple[bool, ...]  # which columns are text
    below: str = ""

    def __repr__(self) -> str:
        with pd.option_context("display.unicode.east_asian_width", True):
            text = self.cells.to_string(index=False) if len(self.cells) else self.below
        return f"{text}\n{self.below}" if self.below and len(self.cells) else text

    def _repr_html_(self) -> str:
        # An id of its own for its rules of style, the same in each run: a random one would make every run differ.
        style = Styler(self.cells, uuid=f"{crc32(repr(self).encode()):08x}", cell_ids=False)
        style = style.format(escape="html").format_index(escape="html", axis=1).hide(axis="index")
        sides = ["left" if is_left else "right" for is_left in self.is_left]
        look = [{"selector": f".col{n}", "props": f"text-align: {side}"} for n, side in enumerate(sides)]
        caption = {"selector": "caption", "props": "caption-side: bottom; text-align: left"}
        return str(style.set_caption(self.below).set_table_styles([caption, *look]).to_html())


def show(frame: pd.DataFrame, rows: int = 40, percent: Iterable[str] = ()) -> Table:
    """The frame as a table in the county's language: places and answers by name, shares as per cent, at most `rows` rows.

    Columns that say nothing are left out. `percent` names further columns of shares.
    """
    words = labels.of(frame)
    # Rows by number say nothing; the ids of people are for tracing them, not for reading.
    index = frame.index
    is_numbered = index.name == "row_id" or (index.name is None and is_integer_dtype(index.dtype))
    table = frame.reset_index(drop=is_numbered)
    shares = {*percent, *(name for name in SHARES if labels.is_share(frame))}
    kept = [name for name in table if not table[name].astype(object).isin(["", None]).all() or not len(table)]
    part, cells, is_left = table[kept].head(rows), {}, []
    for name in kept:
        column, title = part[name], words.word(name)
        is_number = is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype)
        own = partial(in_words, words, frame.attrs.get(name, str(name)))
        says = partial(number, is_share=name in shares) if is_number else own
        cells[title if title not in cells else str(name)] = [says(value) for value in column]
        is_left.append(not is_number)
    below = words.say("labels.no_rows") if not len(table) else ""
    if len(table) > rows:
        below = words.say("labels.rows_shown", shown=rows, n=len(table))
    return Table(pd.DataFrame(cells), tuple(is_left), below)


def in_words(words: Labels, column: str, value: object) -> str:
    """Any value that is no number of a column of numbers."""
    if isinstance(value, float) and not pd.isna(value):
        return number(value)
    return words.value(column, value)


def number(value: float, is_share: bool = False) -> str:
    """A share as per cent with one decimal; a whole number whole; any other number to three figures, blank where missing."""
    if pd.isna(value):
        return ""
    if is_share:
        return f"{100 * value:.1f}%"
    return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"
