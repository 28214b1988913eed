"""What says that outputs are whole: a receipt with the sha256 of each, written last; refuses to count anything else as done."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huying.store import file_hash, hash_of, told, write_text

OUTPUTS, OWN = "outputs", "receipt"  # the hash of the receipt itself
LIBRARIES = ("huying", "ipykernel", "ipython", "matplotlib", "nbformat", "numpy", "pandas", "papermill")


def read_json(file: Path) -> dict[str, Any]:
    """An object from a file, empty where there is none that is whole."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


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
        kept = {place.resolve() for place in files}
        for left in {(root / name).resolve() for name in before} - kept:
            left.unlink(missing_ok=True)
    write_receipt(receipt, root, files, **more)


def faults_of(receipt: Path, root: Path, what: str = "sha256", measure: Callable[[Path], Any] = file_hash) -> list[str]:
    """The outputs of a receipt that are missing or measure otherwise, by their sha256 if nothing else is asked.

    A receipt that cannot be read, or was changed, is at fault itself.
    """
    found = read_receipt(receipt)
    if not found:
        return [receipt.name]
    files = {name: (root / name, made[what]) for name, made in found[OUTPUTS].items()}
    return [name for name, (file, made) in files.items() if not file.is_file() or measure(file) != made]
