"""The cleaned county on disk and the one atomic writer; refuses to leave a half-written file under its final name."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from huying.words import InputError, Place

FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
TABLES = ("rejected", "flags", "counts", "notes")  # beside the rows that were kept
PARTS = ("forms", "ledgers")  # the folders of the rows that were kept
PART = ".part"  # the end of a temporary file's name, which begins with a dot


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to the disk, then rename: a reader sees the old file or the new one."""
    with beside(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """What the disk refuses within the block, as an InputError that names `path` and says what to do."""
    try:
        yield
    except OSError as error:
        place, why = Place(str(path)), error.strerror or str(error)
        # Windows takes fewer than 260 characters where long paths are not switched on.
        if error.errno == errno.ENAMETOOLONG or (os.name == "nt" and len(str(path)) >= 260):
            raise InputError("store.too_long", place, why=why) from error
        raise InputError("store.not_written", place, why=why) from error


@contextlib.contextmanager
def whole_folder(path: Path, name: str = "") -> Iterator[Path]:
    """A temporary folder beside `path`, or what lies in it under a `name`, that takes its name when the block ends well.

    When it does not, nothing is left.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        suffix = PART if name else ""  # `locked` clears files away, not a folder that is being made beside it
        folder = Path(tempfile.mkdtemp(suffix, f".{path.name[:40]}.", path.parent))
        try:
            yield folder / name
            (folder / name).replace(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, private, that takes its name when the block ends well and vanishes when it does not."""
    with whole_folder(path, "file") as temporary:
        temporary.touch(mode=0o600)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def as_toml(value: Any) -> str:
    """A value as TOML, tables inline, a list of them a line each; JSON's escapes are TOML's."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "\n".join(["[", *(f"  {as_toml(one)}," for one in value), "]"])
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_table(head: str, values: Mapping[str, Any]) -> str:
    """A table as TOML: its head, and a line for each value."""
    return "\n".join([head, *(f"{key} = {as_toml(value)}" for key, value in values.items())]) + "\n"


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet, atomically."""
    with beside(path) as temporary:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_parquet(path: Path) -> pd.DataFrame:
    """The rows of a Parquet file; raises InputError for one whose bytes were changed."""
    try:
        return pd.read_parquet(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError("store.changed", Place(str(path))) from error


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame for Excel: UTF-8 with BOM, and an apostrophe before text that a spreadsheet would run as a formula."""
    safe = frame.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.map(_quoted))
    write_bytes(path, safe.rename(columns=_quoted).to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))


def _quoted(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # a bare CR would begin a new row
    return "'" + text if text.startswith(FORMULA) and not NUMBER.fullmatch(text) else text


@contextlib.contextmanager
def locked(folder: Path, seconds: float = 0.0) -> Iterator[None]:
    """The folder, private to its owner, for this process alone; raises InputError where another has it, after waiting so long.

    What a process that was killed has left half-written there goes.
    """
    lock = FileLock(folder / ".lock", is_singleton=True)
    with told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise InputError("store.locked", Place(str(folder))) from error
    try:
        for left in list(folder.rglob(f".*{PART}")) if lock.lock_counter == 1 else []:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def plain(text: str) -> str:
    """A text as any document can hold it: without control characters, and with no ${name} that a form would take for an answer."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "", text).replace("${", "$ {")


def file_part(text: str) -> str:
    """A text as part of a file's name: what could leave the folder, be no name or be too long goes, with a mark of the text itself."""
    clean = re.sub(r"[^\w-]", "_", text)
    # 60 bytes: disks allow 255 in all, and a name has up to four parts.
    short = clean.encode()[:60].decode(errors="ignore")
    return clean if short == text and text else f"{short[:40]}-{hash_of([text])[:8]}"


def file_hash(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of(parts: Iterable[str]) -> str:
    """One sha256 of several texts, their borders kept."""
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()


def code_hash(*rooms: str) -> str:
    """The sha256 of the package itself, its modules and its data, or of some rooms of it."""
    root = Path(__file__).parent
    every = sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    names = {path.relative_to(root).as_posix(): path for path in every}
    return hash_of(f"{name} {file_hash(path)}" for name, path in names.items() if not rooms or name.startswith(rooms))


@dataclass(frozen=True)
class Cleaned:
    """A county after cleaning: survey rows by form, ledgers by (table, period), what was set aside, flags, counts by file, notes."""

    forms: Mapping[str, pd.DataFrame]
    ledgers: Mapping[tuple[str, str], pd.DataFrame]
    rejected: pd.DataFrame
    flags: pd.DataFrame
    counts: pd.DataFrame
    data_hash: str
    notes: pd.DataFrame = field(default_factory=pd.DataFrame)

    def ledger(self, table: str, period: str = "") -> pd.DataFrame | None:
        """The rows of a ledger (of the period, or of any period where none is named), or None where the county has none."""
        found = [frame for (name, when), frame in self.ledgers.items() if name == table and period in ("", when)]
        return pd.concat(found, ignore_index=True) if found else None


def save_cleaned(folder: Path, cleaned: Cleaned) -> None:
    """Write a cleaned county: `forms/`, `ledgers/`, rejected, flags, counts and notes as Parquet, and last `cleaned.json`.

    What an earlier run left in `forms/` and `ledgers/` goes: the county may no longer have that file.
    """
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
    tables = {f"forms/{form}": frame for form, frame in cleaned.forms.items()}
    tables |= {f"ledgers/{table}@{period}": frame for (table, period), frame in cleaned.ledgers.items()}
    for name, frame in tables.items():
        in_order = frame.sort_values("town_id", kind="stable", ignore_index=True) if "town_id" in frame else frame
        write_parquet(folder / f"{name}.parquet", in_order)
    for name in TABLES:
        write_parquet(folder / f"{name}.parquet", getattr(cleaned, name).astype(str))
    write_text(folder / "cleaned.json", json.dumps({"data_hash": cleaned.data_hash}))


def load_cleaned(folder: Path) -> Cleaned:
    """A cleaned county as `save_cleaned` wrote it."""
    files = (sorted((folder / part).glob("*.parquet")) for part in (*PARTS, ""))
    forms, ledgers, tables = ({file.stem: read_parquet(file) for file in found} for found in files)
    tables["counts"] = tables["counts"].astype({name: int for name in tables["counts"] if name.startswith("n_")})
    by_period = {(stem.partition("@")[0], stem.partition("@")[2]): frame for stem, frame in ledgers.items()}
    return Cleaned(forms, by_period, data_hash=read_json(folder / "cleaned.json")["data_hash"], **tables)


# --- receipts ---------------------------------------------------------------------------------------------------------

OUTPUTS, OWN = "outputs", "receipt"  # the hash of the receipt itself
LIBRARIES = ("huying", "ipykernel", "ipython", "matplotlib", "nbformat", "numpy", "pandas", "papermill")


def read_json(file: Path) -> dict[str, Any]:
    """An object from a file, empty where there is none that is whole."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Write an object, all or nothing."""
    write_text(file, json.dumps(value, ensure_ascii=False, indent=1))


def write_receipt(receipt: Path, root: Path, files: Iterable[Path], **more: Any) -> None:
    """Write the receipt of files that are in their place; their names are relative to `root`."""
    sizes = {os.path.relpath(file, root): {"sha256": file_hash(file), "bytes": file.stat().st_size} for file in files}
    outputs = {name.replace(os.sep, "/"): size for name, size in sizes.items()}
    said = {**more, OUTPUTS: outputs, "versions": {name: version(name) for name in LIBRARIES}}
    write_json(receipt, {**said, OWN: hash_of([json.dumps(said)])})


def read_receipt(receipt: Path) -> dict[str, Any]:
    """What a receipt says, empty where there is none or it was changed."""
    found = read_json(receipt)
    return found if found.pop(OWN, None) == hash_of([json.dumps(found)]) else {}


def publish(receipt: Path, root: Path, files: Mapping[Path, Path], **more: Any) -> None:
    """Put new files (by their final place) there, take away what an earlier receipt names besides, and write the receipt last.

    Raises InputError where the disk refuses; there is then no receipt.
    """
    before = read_receipt(receipt).get(OUTPUTS, {})
    with told(receipt):
        receipt.unlink(missing_ok=True)
        for place, file in files.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
        for left in {(root / name).resolve() for name in before} - {place.resolve() for place in files}:
            left.unlink(missing_ok=True)
    write_receipt(receipt, root, files, **more)


def faults_of(receipt: Path, root: Path, what: str = "sha256", measure: Callable[[Path], Any] = file_hash) -> list[str]:
    """The outputs of a receipt that are missing or measure otherwise, by their sha256 if nothing else is asked.

    A receipt that cannot be read, or was changed, is at fault itself.
    """
    if not (found := read_receipt(receipt)):
        return [receipt.name]
    files = {name: (root / name, made[what]) for name, made in found[OUTPUTS].items()}
    return [name for name, (file, made) in files.items() if not file.is_file() or measure(file) != made]
