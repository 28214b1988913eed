"""The evidence ledger out of the notebooks that recorded it; refuses one key with two values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from huying.batch.jobs import Job, Site
from huying.batch.receipts import notebook_file, receipt_file, write_json
from huying.claims.evidence import in_order
from huying.claims.verdict import MIME
from huying.store import described, write_csv, write_parquet

WRITTEN = ("evidence.parquet", "evidence.csv")


def gather(site: Site, recorded: Iterable[Job]) -> pd.DataFrame:
    """The rows that these jobs recorded, in the order of the ledger; written as `evidence.parquet` and `evidence.csv`."""
    files = [(job.notebook.name, notebook_file(site, job.name)) for job in recorded]
    rows = in_order(pd.DataFrame([row for name, file in files for row in read_rows(name, file)]))
    write_parquet(site.evidence, rows)
    write_csv(site.evidence.with_suffix(".csv"), rows)
    write_json(receipt_file(site, "evidence"), {"outputs": {name: described(site.results / name) for name in WRITTEN}})
    return rows


def read_rows(name: str, file: Path) -> Iterator[dict[str, Any]]:
    """The rows in the outputs of one executed notebook, with its name and the id of their cell."""
    for cell in json.loads(file.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            for row in output.get("data", {}).get(MIME, ()):
                yield row | {"notebook": name, "cell": cell["id"]}
