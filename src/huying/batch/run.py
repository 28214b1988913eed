"""Runs what a plan has left to do: every product on the shelf with its receipt, failures named; refuses to let one town stop another."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from huying.batch.crew import Crew, Limits
from huying.batch.plan import Job, as_said, key_of
from huying.batch.receipts import commit, is_published, made_by, publish, sha256
from huying.batch.site import Site
from huying.batch.work import Order, Product, seed_of
from huying.errors import HuyingError
from huying.store import drop_parts, told, write_bytes

FEWEST, FEWEST_EACH = 3, 12  # orders, for a first rehearsal to be worth its time, and for one of a further notebook


@dataclass(frozen=True)
class Failed:
    """A job that failed: the cell (counted from 1, 0 where none was reached) and the error in one line."""

    job: Job
    cell: int
    error: str


@dataclass
class Summary:
    """How a run ended: jobs that were fresh, that were done now, and that failed."""

    fresh: int = 0
    done: int = 0
    failed: list[Failed] = field(default_factory=list)


def run(
    site: Site, jobs: Sequence[Job], crew: Hands | None = None, tick: Callable[[Summary], None] = lambda summary: None
) -> Summary:
    """Do what is left of a plan. The caller holds the lock. `tick` is called after every job.

    A failure is booked and the others go on; Ctrl-C ends every worker and leaves what is done.
    """
    summary, left = Summary(), []
    for folder in (site.shelf.notebooks, site.shelf.figures):
        drop_parts(folder)
    for job in jobs:
        if job.is_fresh and book(site, job, summary):
            summary.fresh += 1
        elif not job.is_fresh:
            left.append(job)
    tick(summary)
    if left:
        with contextlib.ExitStack() as stack:
            at_work: Hands = crew or stack.enter_context(Crew(2, Limits()))
            log(site, "begin", jobs=len(jobs), left=len(left), workers=at_work.workers)
            try:
                work_off(site, left, at_work, summary, tick)
            except KeyboardInterrupt:
                at_work.end()
                log(site, "stopped", done=summary.done, failed=len(summary.failed))
                raise
            log(site, "end", done=summary.done, failed=len(summary.failed), fresh=summary.fresh)
    return summary


class Hands(Protocol):
    """Who runs orders: a crew on this machine, or workers of a cluster."""

    workers: int

    def rehearse(self, order: Order) -> None: ...

    def run(
        self, orders: Sequence[Order], done: Callable[[int, Product], None], begun: Callable[[int], None]
    ) -> None: ...

    def end(self) -> None: ...


class Orders(Sequence[Order]):
    """The orders of these jobs, each made when it is asked for."""

    def __init__(self, site: Site, jobs: Sequence[Job]) -> None:
        self.site, self.jobs = site, jobs

    def __len__(self) -> int:
        return len(self.jobs)

    def __getitem__(self, number: Any) -> Any:
        return self.site.order(self.jobs[number].request)


def work_off(site: Site, left: Sequence[Job], crew: Hands, summary: Summary, tick: Callable[[Summary], None]) -> None:
    """Have the crew run these jobs and take each product as it comes."""

    def begun(number: int) -> None:
        log(site, "start", job=left[number].request.name, place=left[number].request.place)

    def done(number: int, product: Product) -> None:
        take(site, left[number], product, summary)
        tick(summary)

    for job in rehearsals(left):
        crew.rehearse(site.order(job.request))
    crew.run(Orders(site, left), done, begun)


def rehearsals(left: Sequence[Job]) -> list[Job]:
    """The jobs to rehearse: the first, for what all notebooks share, and one of each notebook that many places want."""
    first, often = {job.request.notebook: job for job in reversed(left)}, Counter(job.request.notebook for job in left)
    return [
        job
        for job in left
        if (job is left[0] and len(left) >= FEWEST)
        or (often[job.request.notebook] >= FEWEST_EACH and job is first[job.request.notebook])
    ]


def take(site: Site, job: Job, product: Product, summary: Summary) -> None:
    """Put one product on the shelf, or book its failure."""
    failure = product.failure
    if failure is None:
        try:
            shelve(site, job, product)
        except HuyingError as refused:
            failure = {"cell": -1, "ename": "", "evalue": refused.say(), "traceback": []}
    if failure is None:
        summary.done += 1
        log(
            site,
            "done",
            job=job.request.name,
            place=job.request.place,
            wall_s=round(product.wall_s, 3),
            cpu_s=round(product.cpu_s, 3),
        )
        return
    error = ": ".join(filter(None, (failure["ename"], failure["evalue"])))
    summary.failed.append(Failed(job, failure["cell"] + 1, shorten(error)))
    log(
        site,
        "failed",
        job=job.request.name,
        place=job.request.place,
        cell=failure["cell"] + 1,
        error=error,
        traceback=failure["traceback"],
    )
    if product.failure and product.notebook:
        with contextlib.suppress(HuyingError):
            write_bytes(site.shelf.failed(job.request.name), product.notebook)


def shelve(site: Site, job: Job, product: Product) -> bool:
    """Commit a product under the key that its reads give; False where that key's folder was there already."""
    request = job.request
    reads = {as_said(read): site.now(read) for read in product.reads}
    key = key_of(request, reads)
    made = made_by(product, seed_of(request.parameters)) | {"inputs": {"notebook": sha256(request.source.read_bytes())}}
    return commit(site.shelf, request.name, key, request.code, reads, product, made)


def book(site: Site, job: Job, summary: Summary) -> bool:
    """Make sure that a fresh job's plain names hold it; a refusal of the disk is booked as its failure."""
    name = job.request.name
    try:
        with told(site.shelf.built / name / job.key):
            if not is_published(site.shelf, name, job.key):
                publish(site.shelf, name, job.key)
    except HuyingError as error:
        summary.failed.append(Failed(job, 0, error.say()))
        return False
    return True


def log(site: Site, event: str, **values: Any) -> None:
    """A line in the journal; a full disk must not stop what can still be done."""
    with contextlib.suppress(OSError):
        site.journal.add(event, **values)


def shorten(text: str, most: int = 600) -> str:
    """The beginning and the end of a long message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:200]} … {line[-(most - 200) :]}"
