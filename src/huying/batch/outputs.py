"""The outputs on the shelf, looked at again: what is not as its receipt says, and what no pointer names; changes nothing unasked."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from huying.batch.receipts import NOTEBOOK, POINTER, RECEIPT, Shelf, is_as_said, read_receipt
from huying.store import told


def is_there(shelf: Shelf, job: str) -> bool:
    """Whether anything of a job is there, with a receipt or without."""
    return (shelf.built / job).exists() or shelf.plain(job, NOTEBOOK).exists()


def faults_of(shelf: Shelf, job: str) -> list[str]:
    """The files of a job that are missing or differ from the receipt that its pointer names, every byte hashed."""
    pointer = shelf.built / job / POINTER
    key = pointer.read_text("utf-8").strip() if pointer.is_file() else ""
    receipt = read_receipt(shelf.built / job / key / RECEIPT) if key else None
    if receipt is None or receipt.key != key or receipt.job != job:
        return [RECEIPT]
    wrong = [
        name
        for name, said in receipt.outputs.items()
        if not is_as_said(shelf.built / job / key / name, said, is_thorough=True)
    ]
    plain = [shelf.plain(job, name) for name in receipt.outputs]
    said = receipt.outputs.values()
    return wrong + [
        str(file) for file, one in zip(plain, said, strict=True) if not is_as_said(file, one, is_thorough=True)
    ]


def garbage(shelf: Shelf) -> list[Path]:
    """Folders under `built/` that no pointer names: older keys, and what a crash left beside."""
    found = []
    for job in sorted(path for path in shelf.built.glob("*") if path.is_dir()):
        pointer = job / POINTER
        key = pointer.read_text("utf-8").strip() if pointer.is_file() else ""
        found += [path for path in sorted(job.iterdir()) if path.name not in (key, POINTER)]
    return found


def sweep(paths: Iterable[Path]) -> None:
    """Delete these folders and files; raises InputError where the disk refuses."""
    for path in paths:
        with told(path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
