"""What a finished job leaves: its files by their plain names, and last a receipt; refuses to count anything else as done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from huying.batch.jobs import Job, Site
from huying.claims.gathered import read_recorded
from huying.prepare import MADE_FROM
from huying.store import described, file_hash, told, write_bytes, write_csv, write_parquet, write_text

PREPARED = "prepared"
DONE, STALE, MISSING, FAILED = "done", "stale", "missing", "failed"
VERSIONS = ("huying", "ipykernel", "ipython", "matplotlib", "nbformat", "numpy", "pandas", "papermill")


def receipt_file(site: Site, name: str) -> Path:
    """Where a job's receipt lies; how a job failed stands under the name with `.failed`."""
    return site.results / "receipts" / f"{name}.json"


def notebook_file(site: Site, name: str) -> Path:
    """Where a job's notebook lies; how far it came that failed, under the name with `.failed`."""
    return site.results / "notebooks" / f"{name}.ipynb"


def output(site: Site, name: str) -> Path:
    """The file that a receipt calls `notebooks/…` or `figures/…`."""
    kind, _, rest = name.partition("/")
    return site.figures / rest if kind == "figures" else site.results / name


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


def publish(site: Site, job: Job, key: str, files: Mapping[str, Path], made: Mapping[str, Any]) -> None:
    """Give a job's files their plain names, take away what it no longer makes, and write the receipt last.

    Raises InputError where the disk refuses; there is then no receipt.
    """
    receipt = receipt_file(site, job.name)
    before = read_json(receipt).get("outputs", {})
    with told(receipt):
        receipt.unlink(missing_ok=True)
        outputs = {}
        for name, file in files.items():
            outputs[name] = described(file)
            output(site, name).parent.mkdir(parents=True, exist_ok=True)
            file.replace(output(site, name))
        for name in before.keys() - outputs.keys():
            output(site, name).unlink(missing_ok=True)
        versions = {name: version(name) for name in VERSIONS}
        write_json(receipt, {"job": job.name, "key": key, "outputs": outputs, **made, "versions": versions})
        for left in (receipt_file, notebook_file):
            left(site, f"{job.name}.failed").unlink(missing_ok=True)


def book_failure(site: Site, job: Job, key: str, made: Path, told: Mapping[str, Any]) -> None:
    """Write down how a job failed, and keep how far its notebook came."""
    name = f"{job.name}.failed"
    write_json(receipt_file(site, name), {"job": job.name, "key": key, **told})
    if made.is_file():
        write_bytes(notebook_file(site, name), made.read_bytes())


def gather(site: Site, recorded: Iterable[Job]) -> pd.DataFrame:
    """The rows that these jobs recorded, as the evidence ledger of the county; written as Parquet and CSV with a receipt."""
    rows = read_recorded((job.notebook.name, notebook_file(site, job.name)) for job in recorded)
    csv = site.evidence.with_suffix(".csv")
    write_parquet(site.evidence, rows)
    write_csv(csv, rows)
    write_json(
        receipt_file(site, "evidence"), {"outputs": {file.name: described(file) for file in (site.evidence, csv)}}
    )
    return rows


def state_of(site: Site, job: Job) -> str:
    """How a job stands: done, stale, missing, or failed where it was last tried with what is there now."""
    key, receipt = site.key(job), read_json(receipt_file(site, job.name))
    if read_json(receipt_file(site, f"{job.name}.failed")).get("key") == key:
        return FAILED
    if not receipt or faults_of(site, job.name, "bytes", lambda file: file.stat().st_size):
        return MISSING
    return DONE if receipt["key"] == key else STALE


def faults_of(site: Site, name: str, what: str = "sha256", measure: Callable[[Path], Any] = file_hash) -> list[str]:
    """The outputs of a receipt (or of the prepared county) that are missing or measure otherwise, by their sha256 if nothing else is asked.

    A receipt that cannot be read is at fault itself.
    """
    receipt = site.results / "data" / MADE_FROM if name == PREPARED else receipt_file(site, name)
    outputs = read_json(receipt).get("outputs")
    if outputs is None:
        return [receipt.name]
    files = {name: (output(site, name), made[what]) for name, made in outputs.items()}
    return [name for name, (file, made) in files.items() if not file.is_file() or measure(file) != made]
