"""A table for reading: words for ids, per cent for shares, few digits; refuses a code where the county has a word.

pandas' Styler makes the HTML: it comes with what is installed already, and great_tables would be one more dependency.
"""

from dataclasses import dataclass
from zlib import crc32

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler

from huying import labels


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


def show(frame: pd.DataFrame, rows: int = 40, percent: tuple[str, ...] | list[str] = ()) -> Table:
    """The frame as a table in the county's language: places and answers by name, shares as per cent, at most `rows` rows.

    Columns that say nothing are left out. `percent` names further columns of shares.
    """
    words, index = labels.of(frame), frame.index
    # Rows by number say nothing; the ids of people are for tracing them, not for reading.
    table = frame.reset_index(drop=index.name == "row_id" or (index.name is None and is_integer_dtype(index.dtype)))
    shares = {*percent, *(name for name in labels.SHARES if labels.is_share(frame))}
    kept = [name for name in table if not table[name].astype(object).isin(["", None]).all() or not len(table)]
    part, cells, is_left = table[kept].head(rows), {}, []
    for name in kept:
        column, title = part[name], words.word(name)
        is_number = is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype)
        key, is_share = frame.attrs.get(name, str(name)), is_number and name in shares
        told = [number(v, is_share) if is_number or isinstance(v, float) else words.value(key, v) for v in column]
        cells[title if title not in cells else str(name)] = told
        is_left.append(not is_number)
    said = "labels.rows_shown" if len(table) else "labels.no_rows"
    below = "" if 0 < len(table) <= rows else words.say(said, shown=rows, n=len(table))
    return Table(pd.DataFrame(cells), tuple(is_left), below)


def number(value: float, is_share: bool = False) -> str:
    """A share as per cent with one decimal; a whole number whole; any other number to three figures, blank where missing."""
    if pd.isna(value):
        return ""
    plain = f"{value:.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"
    return f"{100 * value:.1f}%" if is_share else plain
