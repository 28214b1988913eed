"""Cleaned rows of any number on their way to one Parquet file a form, sorted by town; never holds more than a bucket of towns."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from huying.store import MOST_GROUPS, beside, group_sizes

BUCKETS = 64  # of neighbouring towns
GROUPS = MOST_GROUPS // BUCKETS  # row groups of a bucket


class Shelf:
    """Takes rows part by part into buckets of neighbouring towns, and writes each form's file when all are there.

    The file is that of `write_parquet(…, by="town_id")`, but for the borders of its row groups. A context: the buckets, in
    `folder`, vanish with it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.buckets = Path(tempfile.mkdtemp(prefix=".shelf.", dir=folder))
        self.schemas: dict[str, Any] = {}
        self.open: dict[tuple[str, int], Any] = {}

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        shutil.rmtree(self.buckets, ignore_errors=True)

    def close(self) -> None:
        """Close the buckets: nothing more is added."""
        while self.open:
            self.open.popitem()[1].close()

    def add(self, form: str, rows: pd.DataFrame, towns: Sequence[str]) -> None:
        """Put rows into the buckets of their towns; those without a town come last, as they do in a sorted column."""
        table = pa.Table.from_pandas(rows, preserve_index=False)
        schema = self.schemas.setdefault(form, table.schema)
        place = pd.Index(sorted(towns)).get_indexer(rows["town_id"])
        bucket = np.where(place < 0, BUCKETS - 1, place * BUCKETS // len(towns))
        for number in np.unique(bucket):
            self.writer(form, int(number)).write_table(table.filter(pa.array(bucket == number)).cast(schema))

    def writer(self, form: str, bucket: int) -> Any:
        """The open file of a bucket."""
        if (form, bucket) not in self.open:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            path = str(self.buckets / f"{form}@{bucket}.arrows")
            self.open[form, bucket] = pa.ipc.new_stream(path, self.schemas[form], options=options)
        return self.open[form, bucket]

    def write(self, folder: Path) -> None:
        """Write `<form>.parquet` for every form into `folder`."""
        self.close()
        for form, schema in self.schemas.items():
            with (
                beside(folder / f"{form}.parquet") as temporary,
                pq.ParquetWriter(temporary, schema, compression="zstd") as file,
            ):
                for group in self.sorted_groups(form):
                    file.write_table(group, row_group_size=max(len(group), 1))

    def sorted_groups(self, form: str) -> Iterator[Any]:
        """The rows of a form as tables of whole towns, in the order of the towns and, within one, as they were added."""
        for path in (self.buckets / f"{form}@{number}.arrows" for number in range(BUCKETS)):
            if not path.exists():
                continue
            with pa.ipc.open_stream(path.read_bytes()) as stream:
                table = stream.read_all()
            town = table["town_id"].to_pandas().sort_values(kind="stable")
            table, start = table.take(town.index.to_numpy()), 0
            for size in group_sizes(town, GROUPS):
                yield table.slice(start, size)
                start += size
