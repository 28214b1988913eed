"""A plan on Dask: each worker keeps a warm process of its own and finds its inputs by their hash; refuses a county it cannot send."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from huying.batch.crew import Limits, end_shared, shared_crew, too_much
from huying.batch.site import Site
from huying.batch.work import Order, Product
from huying.errors import CountyError
from huying.store import file_hash, hash_of, write_bytes

SLACK = 1.5, 30.0  # a worker's own limit comes first; the client's, for a worker that hangs, so much later
RETRIES = 2

_rehearsed: list[object] = []  # in a worker: the crews that have had their rehearsal


@dataclass(frozen=True)
class Inputs:
    """Files that an order needs, by path under a project's folder: sha256 of each, to be had at `url`. `empty`: only their names matter."""

    url: str
    files: Mapping[str, str]
    empty: Sequence[str] = ()


@dataclass(frozen=True)
class Task:
    """One order for a worker: its number, its limits, and where its inputs are; none where the worker sees the same folders."""

    number: int
    order: Order
    limits: Limits
    inputs: Inputs | None = None


class Tasks(Sequence[Task]):
    """The tasks of a run, each made when it is sent: a nation's would not fit into memory."""

    def __init__(self, orders: Sequence[Order], limits: Limits, inputs: Callable[[Order], Inputs | None]) -> None:
        self.orders, self.limits, self.inputs = orders, limits, inputs

    def __len__(self) -> int:
        return len(self.orders)

    def __getitem__(self, number: Any) -> Any:
        order = self.orders[number]
        return Task(number, order, self.limits, self.inputs(order))


class CrewAfar:
    """Dask's workers in the place of a crew: see `crew.Crew`."""

    def __init__(self, site: Site, scheduler: str, workers: int, limits: Limits, url: str = "") -> None:
        self.site, self.scheduler, self.workers, self.limits, self.url = site, scheduler, workers, limits, url

    def rehearse(self, order: Order) -> None:
        """Each worker rehearses its own first order."""

    def end(self) -> None:
        """Nothing of a run is left when `run` has returned or raised."""

    def run(
        self,
        orders: Sequence[Order],
        done: Callable[[int, Product], None],
        begun: Callable[[int], None] = lambda n: None,
    ) -> None:
        """Run all orders; `done` is called once with the number of each and what came of it."""
        from huying.batch.cluster import run_on_dask

        inputs = Sender(self.site, self.url) if self.url else lambda order: None
        limit_s = SLACK[0] * self.limits.seconds + SLACK[1]
        failures = run_on_dask(
            Tasks(orders, self.limits, inputs), fulfil_here, lambda task, product: done(task.number, product), scheduler=self.scheduler,
            workers=self.workers, limit_s=limit_s, retries=RETRIES, warm=warm_here, log=self.log,
        )  # fmt: skip
        for failure in failures:
            done(failure.job.number, Product(failure=too_much("Worker", failure.reason)))

    def log(self, event: str, facts: Mapping[str, Any]) -> None:
        """What happens among the workers, into the county's journal."""
        told = {key: value.number if isinstance(value, Task) else value for key, value in facts.items()}
        with contextlib.suppress(OSError):
            self.site.journal.add(event, **told)


class Sender:
    """Puts a county's inputs where workers find them, each file once under its hash."""

    def __init__(self, site: Site, url: str) -> None:
        import fsspec

        self.site, self.url, self.put = site, url.rstrip("/"), dict[Path, str]()
        home, folder = site.notebooks.parent.resolve(), site.county.folder.resolve()
        if folder.parent != home / "survey_data":
            raise CountyError("batch.county_outside", folder=str(folder), home=str(home / "survey_data"))
        self.system, self.root = fsspec.core.url_to_fs(f"{self.url}/inputs")
        self.system.makedirs(self.root, exist_ok=True)
        own = {f"survey_data/{folder.name}/{file.name}": file for file in sorted(folder.glob("*.toml"))}
        own |= {f"notebooks/{file.name}": file for file in sorted(site.notebooks.glob("*.py"))}
        own[f"results/{site.county.id}/data/blocks/members.parquet"] = (
            site.folder / "data" / "blocks" / "members.parquet"
        )
        self.common = {path: self.hash_of(file) for path, file in own.items()}
        members = pd.read_parquet(site.folder / "data" / "blocks" / "members.parquet")
        self.blocks = dict(zip(members["town_id"], members["block"], strict=True))
        declared = [name for s in site.county.surveys for name in (s.text, s.number, s.file)] + [
            entry.file for entry in site.county.ledgers
        ]
        declared += [str(site.county.report.relative_to(site.county.folder))] if site.county.report else []
        self.empty = [f"survey_data/{folder.name}/{name}" for name in declared if name]

    def hash_of(self, file: Path) -> str:
        """The hash of a file, which then lies in the store."""
        if file not in self.put:
            sha256 = file_hash(file)
            target = f"{self.root}/{sha256}"
            if not self.system.exists(target):
                self.system.pipe_file(f"{target}.part", file.read_bytes())
                self.system.mv(f"{target}.part", target)
            self.put[file] = sha256
        return self.put[file]

    def __call__(self, order: Order) -> Inputs:
        block = self.blocks.get(order.parameters["town"], "county")
        path = f"results/{self.site.county.id}/data/blocks/{block}.zip"
        return Inputs(
            f"{self.url}/inputs",
            {**self.common, path: self.hash_of(self.site.folder / "data" / "blocks" / f"{block}.zip")},
            self.empty,
        )


def warm_here() -> Callable[[], None]:
    """In a worker: start its warm process; returns what stops it."""
    shared_crew()
    return end_shared


def fulfil_here(task: Task) -> Product:
    """In a worker: run one task in its warm process."""
    order = unpacked(task.order, task.inputs) if task.inputs else task.order
    crew, found = shared_crew(), list[Product]()
    crew.limits = task.limits
    if crew not in _rehearsed:  # once, also where the rehearsal left a trace and was given up
        _rehearsed.append(crew)
        crew.rehearse(order)
    crew.run([order], lambda number, product: found.append(product))
    return found[0]


def unpacked(order: Order, inputs: Inputs) -> Order:
    """The order, its inputs laid out in a project's folder of this worker's machine."""
    home = Path(tempfile.gettempdir()) / "huying-inputs" / hash_of([inputs.url, *sorted(inputs.empty)])[:16]
    for path, sha256 in inputs.files.items():
        if not (home / path).is_file() or file_hash(home / path) != sha256:
            fetch(f"{inputs.url}/{sha256}", home / path)
    for path in inputs.empty:
        if not (home / path).is_file():
            write_bytes(home / path, b"")
    prepared = next(home / path for path in inputs.files if path.endswith("members.parquet")).parents[2]
    environ = {
        "HUYING_HOME": str(home),
        "HUYING_RESULTS": str(home / "results"),
        "HUYING_PREPARED": str(prepared.resolve()),
    }
    (home / "notebooks").mkdir(exist_ok=True)
    return replace(order, folder=str(home / "notebooks"), environ={**order.environ, **environ})


def fetch(url: str, file: Path) -> None:
    """A file of the store, whole or not at all."""
    import fsspec

    with fsspec.open(url, "rb") as source:
        write_bytes(file, source.read())
