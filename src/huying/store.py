"""The cleaned county on disk and the one atomic writer; refuses to leave a half-written file under its final name."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from huying.errors import InputError, Place

FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
MOST_GROUPS = 256  # row groups of a file: each costs its footer a line a column, and every reader reads the footer
PART = ".part"  # the end of a temporary file's name, which begins with a dot
NAME_PART = 60  # bytes of a part of a file's name: disks allow 255 in all, and a name has up to four parts
WINDOWS_PATH = 260  # characters, where long paths are not switched on

_kept_back: list[dict[str, bytes]] = []


@contextlib.contextmanager
def kept_back(is_kept: bool = True) -> Iterator[dict[str, bytes]]:
    """Within the block, what `write_bytes` would write lies in the dict, by path, and nothing is written (if `is_kept`)."""
    files: dict[str, bytes] = {}
    if is_kept:
        _kept_back.append(files)
    try:
        yield files
    finally:
        if is_kept:
            _kept_back.remove(files)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to the disk, then rename: a reader sees the old file or the new one."""
    if _kept_back:
        _kept_back[-1][str(path)] = content
        return
    with beside(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """What the disk refuses within the block, as an InputError that names `path` and says what to do."""
    try:
        yield
    except OSError as error:
        place, why = Place(str(path)), error.strerror or str(error)
        if error.errno == errno.ENAMETOOLONG or (os.name == "nt" and len(str(path)) >= WINDOWS_PATH):
            raise InputError("store.too_long", place, why=why) from error
        raise InputError("store.not_written", place, why=why) from error


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well and vanishes when it does not."""
    temporary = None
    with told(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=PART, dir=path.parent)
            temporary = Path(name)
            os.close(handle)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            if temporary:
                temporary.unlink(missing_ok=True)


def drop_parts(folder: Path) -> None:
    """Remove from a folder what writers that a crash ended left there; the caller knows that none is at work."""
    for file in folder.glob(f".*{PART}"):
        with contextlib.suppress(OSError):
            file.unlink()


def write_flushed(file: Path, content: bytes) -> None:
    """Write a new file through to the disk, for a folder that nobody reads yet; raises OSError."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_parquet(path: Path, frame: pd.DataFrame, by: str = "") -> None:
    """Write a frame as Parquet; with `by` (for example town_id) each of its values is a row group of its own.

    Of more than MOST_GROUPS values, neighbours share a row group.
    """
    ordered = frame.sort_values(by, kind="stable", ignore_index=True) if by else frame
    table = pa.Table.from_pandas(ordered, preserve_index=False)
    with beside(path) as temporary, pq.ParquetWriter(temporary, table.schema, compression="zstd") as writer:
        start = 0
        for size in group_sizes(ordered[by]) if by else [len(ordered)]:
            writer.write_table(table.slice(start, size), row_group_size=max(size, 1))
            start += size


def group_sizes(ordered: pd.Series, most: int = MOST_GROUPS) -> list[int]:
    """The rows of each row group of a sorted column: whole values, one a group where that makes no more than `most` groups."""
    sizes = ordered.groupby(ordered, sort=False, dropna=False).size().to_numpy()
    starts = np.arange(0, len(sizes), max(1, -(-len(sizes) // most)))
    return [int(size) for size in np.add.reduceat(sizes, starts)] if len(sizes) else []


def read_parquet(path: Path, **equal: str) -> pd.DataFrame:
    """The rows of a Parquet file in which each column named holds the value given; only their row groups are read."""
    filters = [(column, "=", value) for column, value in equal.items()] or None
    return pd.read_parquet(path, filters=filters)


def read_groups(path: Path, columns: Sequence[str], rows: int) -> Iterator[pd.DataFrame]:
    """Some columns of a Parquet file, row groups of about `rows` rows at a time; of a file written by town whole towns."""
    with pq.ParquetFile(path) as file:
        held, size = list[int](), 0
        for group in range(file.num_row_groups):
            held, size = [*held, group], size + file.metadata.row_group(group).num_rows
            if size >= rows or group == file.num_row_groups - 1:
                yield file.read_row_groups(held, columns=list(columns)).to_pandas()
                held, size = [], 0


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame for Excel: UTF-8 with BOM, and an apostrophe before text that a spreadsheet would run as a formula."""
    safe = frame.apply(_safe)
    buffer = io.StringIO()
    safe.to_csv(buffer, index=False, lineterminator="\n")
    write_bytes(path, b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8"))


def _safe(column: pd.Series) -> pd.Series:
    """The column with `_quoted` texts; of a column of text only those that may need it are looked at."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    if not isinstance(column.dtype, pd.StringDtype):
        return column.map(_quoted)
    maybe = column.str.contains("\r", regex=False, na=False) | column.str.startswith(FORMULA, na=False)
    return column.mask(maybe, column[maybe].map(_quoted)) if maybe.any() else column


def _quoted(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # a bare CR would begin a new row
    return "'" + text if text.startswith(FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def file_part(text: str) -> str:
    """A text as part of a file's name: what could leave the folder, be no name or be too long goes, with a mark of the text itself."""
    clean = re.sub(r"[^\w-]", "_", text)
    short = clean.encode()[:NAME_PART].decode(errors="ignore")
    return clean if short == text and text else f"{short[:40]}-{hash_of([text])[:8]}"


def file_hash(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of(parts: Iterable[str]) -> str:
    """One sha256 of several texts, their borders kept."""
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()


def code_hash() -> str:
    """The sha256 of the package itself: its modules and its data."""
    root = Path(__file__).parent
    files = sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return hash_of(f"{path.relative_to(root).as_posix()} {file_hash(path)}" for path in files)


@dataclass(frozen=True)
class Cleaned:
    """A county after cleaning: survey rows by form, ledgers by (table, period), what was set aside, flags, counts by file."""

    forms: Mapping[str, pd.DataFrame]
    ledgers: Mapping[tuple[str, str], pd.DataFrame]
    rejected: pd.DataFrame
    flags: pd.DataFrame
    counts: pd.DataFrame
    data_hash: str
    notes: tuple[str, ...] = field(default=())

    def ledger(self, table: str, period: str = "") -> pd.DataFrame | None:
        """The rows of a ledger (of the period, or of any period where none is named), or None where the county has none."""
        found = [frame for (name, when), frame in self.ledgers.items() if name == table and period in ("", when)]
        return pd.concat(found, ignore_index=True) if found else None


def save_cleaned(folder: Path, cleaned: Cleaned) -> None:
    """Write a cleaned county: `forms/`, `ledgers/`, rejected, flags and counts as Parquet, and last `cleaned.json`.

    What an earlier run left in `forms/` and `ledgers/` goes: the county may no longer have that file.
    """
    for part in ("forms", "ledgers"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for form, frame in cleaned.forms.items():
        write_parquet(folder / "forms" / f"{form}.parquet", frame, "town_id" if "town_id" in frame else "")
    for (table, period), frame in cleaned.ledgers.items():
        by = "town_id" if "town_id" in frame else ""
        write_parquet(folder / "ledgers" / f"{table}@{period}.parquet", frame, by)
    for name in ("rejected", "flags", "counts"):
        write_parquet(folder / f"{name}.parquet", getattr(cleaned, name).astype(str))
    write_text(
        folder / "cleaned.json",
        json.dumps({"data_hash": cleaned.data_hash, "notes": cleaned.notes}, ensure_ascii=False),
    )


def load_cleaned(folder: Path, forms: bool = True) -> Cleaned:
    """A cleaned county as `save_cleaned` wrote it, with the rows of its surveys or, of a large one, without."""
    meta = json.loads((folder / "cleaned.json").read_text("utf-8"))
    counts = pd.read_parquet(folder / "counts.parquet")
    return Cleaned(
        forms={p.stem: pd.read_parquet(p) for p in sorted((folder / "forms").glob("*.parquet")) if forms},
        ledgers={_split(p.stem): pd.read_parquet(p) for p in sorted((folder / "ledgers").glob("*.parquet"))},
        rejected=pd.read_parquet(folder / "rejected.parquet"), flags=pd.read_parquet(folder / "flags.parquet"),
        counts=counts.assign(**{c: counts[c].astype(int) for c in counts if c.startswith("n_")}),
        data_hash=meta["data_hash"], notes=tuple(meta["notes"]),
    )  # fmt: skip


def _split(stem: str) -> tuple[str, str]:
    table, _, period = stem.partition("@")
    return table, period
