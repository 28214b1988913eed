"""What a run has to do: jobs, each with a key made from all that can change its output and from nothing else; runs none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from huying.batch.receipts import Receipt
from huying.reads import Read
from huying.store import file_part, hash_of

FRESH, STALE, NEW = "fresh", "stale", "new"
GUESS_S = 1.0  # for a notebook that was never run


@dataclass(frozen=True)
class Request:
    """One notebook for one place, in a wave and a language. `code`: the hash of what its cells can reach."""

    notebook: str
    source: Path
    parameters: Mapping[str, str]
    code: str

    @property
    def place(self) -> str:
        """The town's id, or `county`."""
        return self.parameters["town"]

    @property
    def name(self) -> str:
        """The name of the job and of its outputs."""
        return "_".join((self.notebook, *(file_part(self.parameters[part]) for part in ("town", "wave", "lang"))))


@dataclass(frozen=True)
class Job:
    """A request and whether its output is there: `fresh`, `stale` (and why), or `new`; how long it should take."""

    request: Request
    state: str
    why: tuple[str, ...] = ()
    key: str = ""
    seconds: float = GUESS_S

    @property
    def is_fresh(self) -> bool:
        return self.state == FRESH


Now = Callable[[Read], str]
"""The hash that a read has now, empty where nothing of that name is stored."""


def key_of(request: Request, reads: Mapping[str, str]) -> str:
    """The key of a job: its code, its parameters, and the hash of each thing that it read."""
    asked = [f"{name}={request.parameters[name]}" for name in sorted(request.parameters)]
    return hash_of([request.code, request.notebook, *asked, *(f"{read} {reads[read]}" for read in sorted(reads))])[:32]


def as_said(read: Read) -> str:
    """A read as a receipt names it."""
    return f"{read[0]}@{read[1]}"


def as_read(said: str) -> Read:
    """The read that a receipt names."""
    name, _, place = said.rpartition("@")
    return name, place


def plan(requests: Iterable[Request], receipts: Mapping[str, Receipt], now: Now) -> list[Job]:
    """The jobs of these requests. Pure: it looks at nothing but its arguments.

    A job without a receipt is new, and its key is known when it has run: what it reads tells. One with a receipt is fresh
    if its code and everything that it read are as they were.
    """
    requests = list(requests)
    took = seconds_by_notebook(requests, receipts)
    return [
        plan_one(request, receipts.get(request.name), now, took.get(request.notebook, GUESS_S)) for request in requests
    ]


def plan_one(request: Request, receipt: Receipt | None, now: Now, seconds: float) -> Job:
    """One job: see `plan`."""
    if receipt is None:
        return Job(request, NEW, seconds=seconds)
    reads = {said: now(as_read(said)) for said in receipt.reads}
    key = key_of(request, reads)
    changed = [said for said, was in receipt.reads.items() if reads[said] != was]
    why = (["code"] if receipt.code != request.code else []) + changed
    seconds = float(receipt.made.get("wall_s", seconds))
    return Job(request, FRESH if key == receipt.key else STALE, tuple(why), key, seconds)


def is_as_now(request: Request, receipt: Receipt, now: Now) -> bool:
    """Whether a receipt's code and reads are as they are now."""
    return plan_one(request, receipt, now, GUESS_S).is_fresh


def seconds_by_notebook(requests: Iterable[Request], receipts: Mapping[str, Receipt]) -> dict[str, float]:
    """How long each notebook took when it was last run, the median of its places."""
    took: dict[str, list[float]] = {}
    for request in requests:
        if receipt := receipts.get(request.name):
            took.setdefault(request.notebook, []).append(float(receipt.made.get("wall_s", GUESS_S)))
    return {name: median(all_) for name, all_ in took.items()}
