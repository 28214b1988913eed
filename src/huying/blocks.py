"""What notebooks read of a county's results, cut by place: blocks of neighbouring towns; refuses a name read unnoted.

A county of up to 40 towns is one block. A larger one is cut into blocks of about 20 neighbours in the register, and the
county itself is shown with 20 towns spread over the register; so a town costs the same among 18 towns and among 1,800.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from huying.estimates import COUNTY
from huying.reads import note
from huying.store import beside, hash_of, write_parquet

WHOLE_UP_TO, NEIGHBOURS = 40, 20
DIGITS = 12  # significant ones: the last bits of a sum differ between machines, and nobody prints them
PLACED = ("place", "town_id")
Frames = Mapping[str, pd.DataFrame]


def blocks_of(towns: Sequence[str]) -> dict[str, list[str]]:
    """The towns of each block in the order of the register; `county` is the block that the county is shown with."""
    if len(towns) <= WHOLE_UP_TO:
        return {COUNTY: list(towns)}
    parts = np.array_split(np.asarray(towns, dtype=object), -(-len(towns) // NEIGHBOURS))
    spread = np.linspace(0, len(towns) - 1, NEIGHBOURS).round().astype(int)
    return {COUNTY: [towns[n] for n in spread]} | {f"{n:04d}": list(part) for n, part in enumerate(parts, 1)}


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every float at DIGITS significant digits."""
    floats = {name: column for name, column in frame.items() if pd.api.types.is_float_dtype(column)}
    return frame.assign(**{str(name): _at_digits(column.to_numpy(dtype=float)) for name, column in floats.items()})


def _at_digits(values: Any) -> Any:
    known = np.isfinite(values)
    values = values.copy()
    values[known] = np.char.mod(f"%.{DIGITS}g", values[known]).astype(float)
    return values


def placed(frame: pd.DataFrame) -> str:
    """The column by which a frame is cut: place or town_id, empty where it has neither."""
    return next((name for name in PLACED if name in frame), "")


def write_blocks(folder: Path, frames: Frames, towns: Sequence[str]) -> None:
    """Write `frames` (by name, a row a fact) as one file a block under `folder`, and last the hash of every part.

    Rows of no town (the county, departments) are in every block; a frame without a column of places is whole in each.
    """
    blocks = blocks_of(towns)
    exact = {name: rounded(frame.reset_index(drop=True)) for name, frame in frames.items()}
    hashes = {name: _row_hashes(frame) for name, frame in exact.items()}
    rows = [row for name, frame in exact.items() for row in _hash_places(name, frame, hashes[name])]
    for block, members in blocks.items():
        with beside(folder / f"{block}.zip") as file, zipfile.ZipFile(file, "w") as archive:
            for name, frame in exact.items():
                mine = _inside(frame, members, towns)
                archive.writestr(zipfile.ZipInfo(f"{name}.arrow"), _as_bytes(frame[mine]))
                rows.append((name, f"#{block}", _hash_rows(frame, hashes[name][mine])))
    for old in set(folder.glob("*.zip")) - {folder / f"{block}.zip" for block in blocks}:
        old.unlink()
    inside = {block: members for block, members in blocks.items() if block != COUNTY or len(blocks) == 1}
    pairs = [(town, block) for block, members in inside.items() for town in members]
    write_parquet(folder / "members.parquet", pd.DataFrame(pairs, columns=["town_id", "block"]))
    write_parquet(folder / "index.parquet", pd.DataFrame(rows, columns=["name", "place", "sha256"]))


def _inside(frame: pd.DataFrame, members: Sequence[str], towns: Sequence[str]) -> Any:
    """Which rows belong to a block: those of its members and those of no town."""
    column = placed(frame)
    return frame[column].isin(members) | ~frame[column].isin(towns) if column else np.ones(len(frame), dtype=bool)


def _row_hashes(frame: pd.DataFrame) -> Any:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy() if frame.shape[1] else np.empty(len(frame), "u8")


def _hash_rows(frame: pd.DataFrame, hashes: Any) -> str:
    """The sha256 of rows of a frame, its columns and their types included."""
    return hash_of([*(f"{name} {kind}" for name, kind in frame.dtypes.items()), hashes.tobytes().hex()])


def _hash_places(name: str, frame: pd.DataFrame, hashes: Any) -> Iterator[tuple[str, str, str]]:
    """The hash of the rows of each place."""
    if column := placed(frame):
        for place, rows in frame.groupby(column, sort=False).indices.items():
            yield name, str(place), _hash_rows(frame, hashes[np.sort(rows)])


def _as_bytes(frame: pd.DataFrame) -> bytes:
    table, sink = pa.Table.from_pandas(frame, preserve_index=False), pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


class Block:
    """One block as `write_blocks` stored it; every read is noted, by name and place."""

    def __init__(self, file: Path) -> None:
        self.name, self._file, self._frames = file.stem, file, dict[str, pd.DataFrame]()
        self._at = dict[str, Any]()  # the rows of each place

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(self._file.read_bytes()))

    @cached_property
    def names(self) -> frozenset[str]:
        """What the block holds."""
        return frozenset(name.removesuffix(".arrow") for name in self._archive.namelist())

    def rows(self, name: str, place: str | None = None) -> pd.DataFrame:
        """The rows of a frame in the whole block, or those of one place; empty where nothing of that name is stored."""
        frame = self._frame(name)
        if place is None or not placed(frame):
            note(name, f"#{self.name}")
            return frame.copy(deep=False)
        note(name, place)
        return frame.take(self._at[name].get(place, []))

    def _frame(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            stored = self._archive.read(f"{name}.arrow") if name in self.names else None
            self._frames[name] = frame = pa.ipc.open_file(stored).read_pandas() if stored else pd.DataFrame()
            self._at[name] = frame.groupby(column, sort=False).indices if (column := placed(frame)) else {}
        return self._frames[name]


def open_block(folder: Path, place: str) -> Block:
    """The block in which a place is shown; the two last opened are kept, until their files change."""
    index = pd.read_parquet(folder / "members.parquet")
    own = index.loc[index["town_id"] == place, "block"]
    file = folder / f"{own.iloc[0] if len(own) else COUNTY}.zip"
    return _opened(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _opened(file: Path, changed: int) -> Block:
    return Block(file)
