"""A large text export in parts of whole lines, so that it is never in memory as a whole; refuses what `read_table` refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from huying.errors import InputError, Place
from huying.sources.excel import Fault
from huying.sources.lines import count_lines
from huying.sources.personal import drop_personal, personal_columns, without
from huying.sources.table import (
    Cells,
    Opening,
    RawTable,
    careful_batches,
    finish,
    kind_of,
    open_text,
    plain_options,
    plain_rows,
    read_table,
    to_frame,
)

ROWS = 50_000  # lines of a part, and of the lines that are looked at to find personal columns at least
Part = tuple[pd.DataFrame, list[Fault]]


def read_parts(path: str | Path, rows: int = ROWS) -> Iterator[tuple[RawTable, dict[str, int]]]:
    """The table of an export without its personal columns, and the filled cells of these, part by part.

    A text of no more than `rows` lines, or a workbook, is one part. A longer one is read twice: first to see that every
    line is a record and which columns are personal, from every k-th line, at least ROWS of them.
    """
    path = Path(path)
    place = Place(path.name)
    if kind_of(path, place) != "csv" or (n_lines := count_lines(path)) <= rows:
        yield drop_personal(read_table(path, repeats=True))
        return
    opened = open_text(path, place, 1, None)

    def table(frame: pd.DataFrame, faults: list[Fault]) -> RawTable:
        cells = Cells(opened.header, frame, opened.encoding, opened.notes(), faults, has_marks=opened.mixed)
        return finish(cells, place, cells.notes, repeats=True)

    parts, some = look_through(path, opened, place, rows, max(1, n_lines // ROWS))
    gone, n_rows = personal_columns(table(some, [])), 0
    del some
    for frame, faults in parts():
        raw = table(frame, faults)
        n_rows += len(raw.text) + len(raw.rejected)
        yield without(raw, gone)
    if not n_rows:
        raise InputError("sources.no_rows", place)


def look_through(
    path: Path, opened: Opening, place: Place, rows: int, every: int
) -> tuple[Callable[[], Iterator[Part]], pd.DataFrame]:
    """The way in which the file can be read part by part, and every `every`-th of its records."""
    n_rows, plain = plain_rows(path, opened), partial(plain_parts, path, opened, rows)
    if n_rows is not None:
        try:
            some, n_found = thin(plain(), every)
        except pa.ArrowInvalid:
            n_found = -1
        if n_found == n_rows:
            return plain, some
    careful = partial(careful_parts, path, opened, place, rows)
    return careful, thin(careful(), every)[0]


def thin(parts: Iterable[Part], every: int) -> tuple[pd.DataFrame, int]:
    """Every `every`-th record of all parts, and how many records there are."""
    kept, n = [], 0
    for frame, _ in parts:
        kept.append(frame.iloc[-n % every :: every].copy())
        n += len(frame)
    return pd.concat(kept), n


def plain_parts(path: Path, opened: Opening, rows: int) -> Iterator[Part]:
    """The records of a file in which every line is one."""
    width, line = len(opened.header), opened.above + 2
    held = pa.table({str(i): pa.array([], pa.large_string()) for i in range(width)})
    with arrow_csv.open_csv(path, *plain_options(opened)) as batches:
        for batch in batches:
            held = pa.concat_tables([held, pa.Table.from_batches([batch])])
            while held.num_rows >= rows:
                yield numbered(held.slice(0, rows), line)
                held, line = held.slice(rows), line + rows
    if held.num_rows:
        yield numbered(held, line)


def numbered(table: pa.Table, line: int) -> Part:
    """An Arrow table as a frame whose index counts the lines from `line`."""
    frame = to_frame(table.columns, table.num_columns)
    return frame.set_axis(pd.RangeIndex(line, line + len(frame)), axis=0), []


def careful_parts(path: Path, opened: Opening, place: Place, rows: int) -> Iterator[Part]:
    """The records of any text file, those of another width than the header as faults."""
    for numbers, columns, faults in careful_batches(opened.lines(path), opened.mark, opened.above, place, rows):
        yield to_frame(columns, len(opened.header)).set_axis(numbers, axis=0), faults
