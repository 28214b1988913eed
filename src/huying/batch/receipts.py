"""What a finished job leaves: its files in a folder of its key, the receipt last, and one pointer; refuses to count anything else as done."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huying.batch.work import Product
from huying.store import PART, told, write_bytes, write_flushed

RECEIPT, POINTER, NOTEBOOK = "receipt.json", "current", "notebook.ipynb"
VERSIONS = ("huying", "ipykernel", "ipython", "matplotlib", "nbclient", "nbformat", "numpy", "pandas", "papermill")


@dataclass(frozen=True)
class Shelf:
    """Where a county's outputs lie: `built/<job>/<key>/`, and by their plain names notebooks and figures."""

    built: Path
    notebooks: Path
    figures: Path

    def plain(self, job: str, file: str) -> Path:
        """Where a reader finds a file of a job."""
        return self.notebooks / f"{job}.ipynb" if file == NOTEBOOK else self.figures / file

    def failed(self, job: str) -> Path:
        """Where a reader finds how far a job came that failed."""
        return self.notebooks / f"{job}.failed.ipynb"


@dataclass(frozen=True)
class Receipt:
    """What a job was made from and what it made. `outputs`: sha256, bytes and change time of each file."""

    job: str
    key: str
    code: str
    reads: Mapping[str, str]
    outputs: Mapping[str, Mapping[str, Any]]
    made: Mapping[str, Any] = field(default_factory=dict)


def read_receipt(file: Path) -> Receipt | None:
    """The receipt in a file, None where there is none that is whole."""
    try:
        return Receipt(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def current(shelf: Shelf, job: str) -> Receipt | None:
    """The receipt that a job's pointer names, if its files are there as it says."""
    try:
        key = (shelf.built / job / POINTER).read_text("utf-8").strip()
    except OSError:
        return None
    return standing(shelf.built / job / key) if key else None


def stored(shelf: Shelf, job: str) -> Iterator[Receipt]:
    """Every receipt of a job, whichever its pointer names."""
    for file in sorted((shelf.built / job).glob(f"[!.]*/{RECEIPT}")):
        if receipt := read_receipt(file):
            yield receipt


def standing(folder: Path) -> Receipt | None:
    """The receipt of a folder if each file has the size and change time, else the sha256, that it states."""
    receipt = read_receipt(folder / RECEIPT)
    if receipt is None or receipt.key != folder.name:
        return None
    return receipt if all(is_as_said(folder / name, said) for name, said in receipt.outputs.items()) else None


def is_as_said(file: Path, said: Mapping[str, Any], is_thorough: bool = False) -> bool:
    """Whether a file is the one of the receipt."""
    try:
        stat = file.stat()
        if stat.st_size != said["bytes"]:
            return False
        is_untouched = not is_thorough and stat.st_mtime_ns == said["mtime_ns"]
        return is_untouched or bool(sha256(file.read_bytes()) == said["sha256"])
    except OSError:
        return False


def sha256(content: bytes) -> str:
    """The sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def commit(
    shelf: Shelf, job: str, key: str, code: str, reads: Mapping[str, str], product: Product, made: Mapping[str, Any]
) -> bool:
    """Put a product on the shelf: all files beside, flushed, one rename of their folder, plain names, and last the pointer.

    False where a whole folder of this key was there already: it stays as it is. Raises InputError where the disk refuses.
    """
    folder = shelf.built / job / key
    is_new = standing(folder) is None
    with told(folder):
        if is_new:
            beside = folder.with_name(f".{key}.{uuid.uuid4().hex[:8]}")
            try:
                fill(beside, job, key, code, reads, {NOTEBOOK: product.notebook, **product.files}, made)
                settle(beside, folder)
            except BaseException:
                shutil.rmtree(beside, ignore_errors=True)
                raise
        publish(shelf, job, key)
    return is_new


def fill(
    folder: Path,
    job: str,
    key: str,
    code: str,
    reads: Mapping[str, str],
    files: Mapping[str, bytes],
    made: Mapping[str, Any],
) -> None:
    """Write every file and, when all are on the disk, the receipt."""
    folder.mkdir(parents=True)
    outputs = {name: put(folder / name, content) for name, content in files.items()}
    receipt = Receipt(job, key, code, dict(sorted(reads.items())), outputs, made)
    write_flushed(folder / RECEIPT, json.dumps(asdict(receipt), ensure_ascii=False, indent=1).encode("utf-8"))
    flush_folder(folder)


def put(file: Path, content: bytes) -> dict[str, Any]:
    """Write a new file through to the disk; returns what a receipt says of it."""
    write_flushed(file, content)
    return {"sha256": sha256(content), "bytes": len(content), "mtime_ns": file.stat().st_mtime_ns}


def flush_folder(folder: Path) -> None:
    """Write a folder's names through to the disk, where the system can."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def settle(beside: Path, folder: Path) -> None:
    """Give a filled folder its name; what lay there without a valid receipt goes."""
    if folder.exists():
        if standing(folder):
            shutil.rmtree(beside)
            return
        folder.rename(folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}"))
    beside.rename(folder)
    flush_folder(folder.parent)


def publish(shelf: Shelf, job: str, key: str) -> None:
    """The plain names, then the pointer: a reader of the pointer never meets an older file."""
    folder = shelf.built / job / key
    receipt = read_receipt(folder / RECEIPT)
    assert receipt
    for name in receipt.outputs:
        link(folder / name, shelf.plain(job, name))
    shelf.failed(job).unlink(missing_ok=True)
    write_bytes(shelf.built / job / POINTER, key.encode())


def link(source: Path, target: Path) -> None:
    """`source` under a second name, replaced at once; a copy where the disk has no links or is another one."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex[:8]}{PART}")
    try:
        os.link(source, beside)
    except OSError:
        write_bytes(target, source.read_bytes())
        return
    try:
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def is_published(shelf: Shelf, job: str, key: str) -> bool:
    """Whether the pointer names this key, the plain names hold what its receipt states, and no failure lies beside."""
    receipt = current(shelf, job)
    if receipt is None or receipt.key != key or shelf.failed(job).exists():
        return False
    return all(is_as_said(shelf.plain(job, name), said) for name, said in receipt.outputs.items())


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of what notebooks are run with; looked up once, since each is a file to find."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}


def made_by(product: Product, seed: int) -> dict[str, Any]:
    """What a receipt says of the run itself: times, memory, seed, versions, host."""
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "wall_s": round(product.wall_s, 3), "cpu_s": round(product.cpu_s, 3),
        "peak_bytes": product.peak_bytes, "seed": seed, "host": platform.node(),
        "versions": versions(), "platform": sys.platform,
    }  # fmt: skip
