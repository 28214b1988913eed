"""Hands orders to warm processes, as many at a time as there are workers; ends and names an order that takes too much."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psutil

from huying.batch.stage import FORK, SPAWN, receive, send
from huying.batch.work import Order, Product

TICK_S = 0.1
START_S = 120.0  # a process's own start and rehearsals, which are no order's time
AGAIN = -1  # the number of a rehearsal in a process that takes over
WARM = ("huying.gallery", "huying.overview")  # what the house's notebooks import


def safe_mode() -> str:
    """How orders run here: forked on Linux, in spawned processes where a fork is missing or unsafe (Windows, macOS)."""
    return FORK if sys.platform == "linux" else SPAWN


@dataclass(frozen=True)
class Limits:
    """What one order may take: seconds on the clock and bytes of memory."""

    seconds: float = 600.0
    bytes: int = 4 << 30


def limits_of(args: argparse.Namespace) -> Limits:
    """The limits that the command line names."""
    return Limits(args.time_limit, int(args.memory_limit * (1 << 20)))


class Stage:
    """One warm process; what it says comes into `said` as (stage, frame), None when it has ended."""

    def __init__(self, mode: str, said: queue.Queue[tuple[Stage, Any]]) -> None:
        # the system takes the end of the thread that made a process for that of its parent
        parent = os.getpid() if threading.current_thread() is threading.main_thread() else 0
        command = [sys.executable, "-m", "huying.batch.stage", mode, str(parent), *WARM]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.mode, self.said, self.running = mode, said, dict[int, tuple[float, int]]()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        with contextlib.suppress(OSError, ValueError):
            while (frame := receive(self.process.stdout)) is not None:
                self.said.put((self, frame))
        self.said.put((self, None))

    def tell(self, verb: str, number: int, order: Order) -> None:
        """Send an order, or a rehearsal of it."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # its end is told by `said`
            send(self.process.stdin, (verb, number, order))

    def end(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [
                *psutil.Process(self.process.pid).children(recursive=True),
                psutil.Process(self.process.pid),
            ]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()


class Crew:
    """Warm processes for `workers` orders at a time. Use it as a context, or end it."""

    def __init__(self, workers: int, limits: Limits | None = None, mode: str = "") -> None:
        self.workers, self.limits, self.mode = max(1, workers), limits or Limits(), mode or safe_mode()
        self.said: queue.Queue[tuple[Stage, Any]] = queue.Queue()
        self.stages = [Stage(self.mode, self.said) for _ in range(1 if self.mode == FORK else self.workers)]
        self.room = self.workers if self.mode == FORK else 1
        self.rehearsals: list[Order] = []
        self.environ = dict(os.environ)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()

    def end(self) -> None:
        """End every process; nothing of them stays."""
        for stage in self.stages:
            stage.end()
        self.stages = []

    def rehearse(self, order: Order) -> None:
        """Let every process run an order once, so that later ones find it warm.

        One that is left changed, ends, or takes more than the limits is made anew without it.
        """
        number, waiting = len(self.rehearsals), dict.fromkeys(self.stages, (time.monotonic(), 0))
        self.rehearsals.append(order)
        for stage in self.stages:
            stage.tell("rehearse", number, order)
        while waiting:
            stage, is_good = self._rehearsed(number, waiting)
            del waiting[stage]
            if not is_good:
                self.rehearsals = [one for one in self.rehearsals if one is not order]
                self._replace(stage)

    def _rehearsed(self, number: int, waiting: dict[Stage, tuple[float, int]]) -> tuple[Stage, bool]:
        """The next process that is done with a rehearsal or has to be ended; `waiting`: since when each is at it, and its pid (0 where it has not begun)."""
        while True:
            with contextlib.suppress(queue.Empty):
                stage, frame = self.said.get(timeout=TICK_S)
                if stage in waiting and frame is None:
                    return stage, False
                if stage in waiting and frame[:2] == ("rehearsed", number):
                    return stage, frame[2]
                if stage in waiting and frame[:2] == ("rehearsing", number):
                    waiting[stage] = (time.monotonic(), stage.process.pid)
            for stage, at_work in waiting.items():
                if self._excess(*at_work):
                    return stage, False

    def _replace(self, stage: Stage) -> None:
        stage.end()
        self.stages[self.stages.index(stage)] = made = Stage(self.mode, self.said)
        for order in self.rehearsals:
            made.tell("rehearse", AGAIN, order)

    def run(
        self,
        orders: Iterable[Order],
        done: Callable[[int, Product], None],
        begun: Callable[[int], None] = lambda n: None,
    ) -> None:
        """Run all orders; `done` is called with the number of each and what came of it, in the order in which they end."""
        waiting, left = iter(enumerate(orders)), 0
        while True:
            for stage in self.stages:
                while len(stage.running) < self.room and (item := next(waiting, None)):
                    stage.running[item[0]] = (time.monotonic(), 0)
                    stage.tell("run", *item)
                    left += 1
            if not left:
                return
            left -= self._hear(done, begun)

    def _hear(self, done: Callable[[int, Product], None], begun: Callable[[int], None]) -> int:
        """Wait for one word of a process, end what takes too much; returns how many orders have ended."""
        try:
            stage, frame = self.said.get(timeout=TICK_S)
        except queue.Empty:
            return self._check(done)
        if stage not in self.stages:
            return 0
        if frame is None:
            return self._lose(stage, too_much("Ended", "-"), done)
        if frame[0] == "rehearsed" and not frame[2]:
            self.rehearsals = []
        if frame[0] == "started":
            stage.running[frame[1]] = (time.monotonic(), frame[2])
            begun(frame[1])
        if frame[0] != "done":
            return 0
        known = stage.running.pop(frame[1], None) is not None
        if frame[3:] == (True,):  # it was left changed, and ends
            self._replace(stage)
        if known:
            done(frame[1], frame[2])
        return int(known) + self._check(done)

    def _check(self, done: Callable[[int, Product], None]) -> int:
        ended = 0
        for stage in list(self.stages):
            for number, (since, pid) in list(stage.running.items()):
                if why := self._excess(since, pid):
                    if stage.mode != FORK or not pid:
                        ended += self._lose(stage, why, done)
                        break
                    del stage.running[number]
                    with contextlib.suppress(psutil.NoSuchProcess):
                        psutil.Process(pid).kill()
                    done(number, Product(failure=why))
                    ended += 1
        return ended

    def _lose(self, stage: Stage, why: dict[str, Any], done: Callable[[int, Product], None]) -> int:
        """Put another process in the place of one, whose orders have failed; returns how many they were."""
        numbers = list(stage.running)
        self._replace(stage)
        for number in numbers:
            done(number, Product(failure=why))
        return len(numbers)

    def _excess(self, since: float, pid: int) -> dict[str, Any] | None:
        if time.monotonic() - since > self.limits.seconds + (0 if pid else START_S):
            return too_much("TimeLimit", f"{self.limits.seconds:g} s")
        with contextlib.suppress(psutil.NoSuchProcess):
            if pid and psutil.Process(pid).memory_info().rss > self.limits.bytes:
                return too_much("MemoryLimit", f"{self.limits.bytes / (1 << 20):.0f} MB")
        return None


def too_much(name: str, limit: str) -> dict[str, Any]:
    """The failure of an order that was ended."""
    return {"cell": -1, "ename": name, "evalue": limit, "traceback": []}


_shared: list[Crew] = []


def shared_crew() -> Crew:
    """A crew of one that lives as long as this process, for callers that run one notebook after another."""
    if not _shared:
        _shared.append(Crew(1))
        atexit.register(end_shared)
    return _shared[0]


def end_shared() -> None:
    """End the shared crew; the next caller gets a new one."""
    while _shared:
        _shared.pop().end()
