"""A window of jobs that slides over Dask's workers; refuses to wait for a hung worker or to take a job's result twice."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from distributed import as_completed
from distributed.scheduler import heartbeat_interval

from huying.batch.readiness import WORKERS_S, R, T, answer_within, reason_of, silently, work_on
from huying.errors import HuyingError
from huying.words import say

Log = Callable[[str, dict[str, Any]], None]

AHEAD = 2  # jobs for each worker: one runs, one waits
LOOK_S, END_S = 0.5, 30.0
UNBEGUN = 5


@dataclass(frozen=True)
class Failure(Generic[T]):
    """A job that was given up, and why."""

    job: T
    reason: str


@dataclass
class Window(Generic[T, R]):
    """A run: which jobs wait, which are with the workers, and since when each has been running where."""

    client: Any
    run: str
    scheduler: str
    jobs: Sequence[T]
    work: Callable[[T], R]
    done: Callable[[T, R], None]
    limit_s: float
    retries: int
    log: Log
    waiting: deque[int] = field(default_factory=deque)
    out: dict[int, Any] = field(default_factory=dict)
    begun: dict[int, tuple[float, str]] = field(default_factory=dict)
    begins: Counter[int] = field(default_factory=Counter)
    errors: Counter[int] = field(default_factory=Counter)
    ended: dict[str, float] = field(default_factory=dict)
    workers: set[str] = field(default_factory=set)
    failures: list[Failure[T]] = field(default_factory=list)

    def run_all(self) -> list[Failure[T]]:
        """Every job done or given up."""
        self.waiting.extend(range(len(self.jobs)))
        self.ready = as_completed(loop=self.client.loop, with_results=True, raise_errors=False)
        self.events: queue.SimpleQueue[tuple[float, dict[str, str]]] = queue.SimpleQueue()
        self.client.subscribe_topic(self.run, lambda event: self.events.put((time.monotonic(), event[1])))
        self.looked, self.seen = 0.0, time.monotonic()
        while self.waiting or self.out:
            if time.monotonic() - self.looked > LOOK_S:
                self.look()
            self.fill()
            self.listen()
            batch = self.ready.next_batch(block=False)
            for future, result in batch:
                self.take(future, result)
            if not batch:
                time.sleep(0.02)
        return self.failures

    def fill(self) -> None:
        """Send jobs until each worker has one to run and one that waits: never all of them at once."""
        while self.waiting and len(self.out) < AHEAD * len(self.workers):
            index = self.waiting.popleft()
            key = f"{self.run}-{index}-{self.errors[index]}"
            job = self.jobs[index]
            self.out[index] = self.client.submit(work_on, self.run, key, self.work, job, key=key, pure=False)
            self.ready.add(self.out[index])

    def take(self, future: Any, result: Any) -> None:
        """Give a result on; a future that was given up meanwhile counts no more."""
        index = int(future.key.split("-")[-2])
        known: Any = self.out.get(index)
        if future is not known:
            return
        del self.out[index]
        self.begun.pop(index, None)
        if future.status == "cancelled":  # not by us: the connection broke, or somebody restarted the scheduler
            raise HuyingError(
                "cluster.scheduler_lost", scheduler=self.scheduler, why=str(result).partition("\n")[0][:200]
            )
        if future.status == "finished":
            self.done(self.jobs[index], result)
            return
        self.errors[index] += 1
        self.again(index, reason_of(result[1]))

    def again(self, index: int, reason: str) -> None:
        """Let a job wait once more, or give it up when it began too often."""
        facts = {"job": self.jobs[index], "why": reason, "tries": self.begins[index]}
        unbegun = self.errors[index] - self.begins[index]  # lost while it waited beside a job that ended their worker
        if self.begins[index] <= self.retries and unbegun <= UNBEGUN:
            self.log("retry", facts)
            self.waiting.appendleft(index)
        else:
            self.log("failed", facts)
            self.failures.append(Failure(self.jobs[index], reason))

    def look(self) -> None:
        """Who is there, who began what, who hangs; raises HuyingError where the scheduler or every worker is gone."""
        self.looked = time.monotonic()
        try:
            silent = answer_within(WORKERS_S, self.client.run_on_scheduler, silence, self.limit_s)
        except TimeoutError as error:
            raise HuyingError("cluster.scheduler_lost", scheduler=self.scheduler, why=error) from error
        self.count(set(silent))
        self.end_late()
        for worker in [worker for worker, is_silent in silent.items() if is_silent]:
            self.end(worker, None)

    def count(self, present: set[str]) -> None:
        """Who joined and who was lost; what a lost worker had begun will begin again elsewhere."""
        for event, workers in (("joined", present - self.workers), ("lost", self.workers - present)):
            for worker in sorted(workers):
                self.log(event, {"worker": worker})
        lost = self.workers - present
        self.begun = {index: (since, worker) for index, (since, worker) in self.begun.items() if worker not in lost}
        self.workers = present
        self.seen = self.looked if present else self.seen
        if self.looked - self.seen > WORKERS_S:
            raise HuyingError("cluster.no_workers", scheduler=self.scheduler, seconds=int(WORKERS_S))

    def listen(self) -> None:
        """Hear what the workers have said since."""
        while not self.events.empty():
            self.hear(*self.events.get())

    def hear(self, when: float, event: dict[str, str]) -> None:
        """Note that a job began, for the second time where its worker was lost."""
        if "refused" in event:
            self.log("refused", {"worker": event["refused"], "why": event["why"]})
            return
        index = int(event["key"].split("-")[-2])
        self.begins[index] += 1
        if self.begins[index] > 1:
            self.log("again", {"job": self.jobs[index], "worker": event["worker"], "tries": self.begins[index]})
        if index in self.out and self.out[index].key == event["key"]:
            self.begun[index] = when, event["worker"]

    def end_late(self) -> None:
        """End the workers whose job has run too long; Dask then runs their jobs elsewhere."""
        late = [i for i, (since, _) in self.begun.items() if time.monotonic() - since > self.limit_s]
        for index in [i for i in late if self.out[i].status == "pending"]:
            self.end(self.begun[index][1], self.jobs[index])
            if self.begins[index] > self.retries:
                del self.begun[index]
                self.out.pop(index).cancel()
                self.again(index, say("cluster.too_long", seconds=self.limit_s, n=self.begins[index]))

    def end(self, worker: str, job: T | None) -> None:
        """End a worker; where that fails, again after a while."""
        if time.monotonic() - self.ended.get(worker, -math.inf) > max(self.limit_s, END_S):
            self.ended[worker] = time.monotonic()
            self.log("hung", {"worker": worker, "job": job, "seconds": self.limit_s})
            threading.Thread(target=silently, args=(self.restart, worker), daemon=True).start()

    def restart(self, worker: str) -> None:
        """Have its nanny kill a worker and start another; one without a nanny is only sent away."""
        try:
            self.client.restart_workers([worker], raise_for_error=False)
        except ValueError:
            self.client.retire_workers([worker])


def silence(limit_s: float, dask_scheduler: Any = None) -> dict[str, bool]:
    """On the scheduler: its workers, and whether each has been silent too long, be there a job of ours running or not."""
    longest = max(limit_s, 10 * heartbeat_interval(len(dask_scheduler.workers)))
    return {ws.address: time.time() - ws.last_seen > longest for ws in dask_scheduler.workers.values()}
