"""Runs jobs, each in a process of its own; refuses to let one that is killed, hangs or fails cost another."""

import multiprocessing
import os
import platform
import random
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from huying.batch.jobs import DONE, Job, Site
from huying.claims.verdict import read_recorded, write_evidence
from huying.notebooks import page, strip
from huying.store import PART, publish, write_bytes, write_json
from huying.words import HuyingError, say

TICK_S, MB = 0.2, 1 << 20
Ended = Callable[[Job, dict[str, Any]], None]
WARM = "HUYING_WARM"  # which county the warm parent opens, and where it is prepared
MADE, PAGE, AT_CELL = "notebook.ipynb", "page.html", "cell"  # what a job leaves in its folder


@dataclass
class Worker:
    """A process with the pipe to it; its order (site, job, key, environment, folder), since when, and why it had to be ended."""

    process: Any
    pipe: Any
    order: tuple[Site, Job, str, dict[str, str], Path] | Any = None
    since: float = 0.0
    why: str = ""

    def take(self, site: Site, job: Job, temporary: Path) -> None:
        """Send the order for a job; that the process is gone is seen by the end of its pipe."""
        folder, self.since = temporary / job.name, time.monotonic()
        (folder / "figures").mkdir(parents=True)
        self.order = Site(site.county), job, site.key(job), site.environ(job, folder), folder
        with suppress(OSError):
            self.pipe.send(self.order)

    def answer(self) -> dict[str, Any]:
        """How the order failed, at which cell, which is written down; empty where all is well."""
        site, job, key, _, folder = self.order
        try:
            told: dict[str, Any] = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode
            told = {"error": self.why or say("batch.ended", how=f"signal {-code}" if code < 0 else f"exit code {code}")}
        if told:
            name, made, at = f"{job.name}.failed", folder / MADE, folder / AT_CELL
            told["cell"] = at.read_text() if at.is_file() else "-"
            write_json(site.receipt(name), {"job": job.name, "key": key, **told})
            if made.is_file():  # how far it came
                write_bytes(site.notebook(name), made.read_bytes())
        return told

    def end_beyond(self, seconds: float, megabytes: float) -> None:
        """Kill the process where it is beyond a limit."""
        with suppress(psutil.NoSuchProcess):
            if time.monotonic() - self.since > seconds:
                self.why = say("batch.too_long", seconds=seconds)
            elif psutil.Process(self.process.pid).memory_info().rss > megabytes * MB:
                self.why = say("batch.too_big", mb=megabytes)
        if self.why:
            self.process.kill()


def run(site: Site, jobs: list[Job], ended: Ended, workers: int, seconds: float, megabytes: float) -> None:
    """Run all jobs, so many at once; `ended` is told of each and, where it failed, the cell and the error.

    One that takes more seconds on the clock or MB of memory is ended. A fork of the warm parent does one job; where no fork
    is safe, a spawned process goes on to the next.
    """
    is_forking = sys.platform == "linux"
    context: Any = multiprocessing.get_context("forkserver" if is_forking else "spawn")
    if is_forking:
        os.environ[WARM] = f"{site.county.folder.resolve()}|{site.results}"  # the warm parent begins with the first job
        context.set_forkserver_preload(["huying.batch.warm"])
    waiting, running, idle = deque(jobs), dict[Any, Worker](), list[Worker]()
    with tempfile.TemporaryDirectory(PART, ".jobs-", site.results, ignore_cleanup_errors=True) as temporary:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    worker = idle.pop() if idle else begin(context, is_forking)
                    worker.take(site, waiting.popleft(), Path(temporary))
                    running[worker.pipe] = worker
                for pipe in wait(list(running), TICK_S):
                    worker = running.pop(pipe)
                    ended(worker.order[1], worker.answer())
                    idle += [worker] if worker.process.is_alive() and not is_forking else []
                for worker in running.values():
                    worker.end_beyond(seconds, megabytes)
        finally:
            for worker in (*running.values(), *idle):
                worker.process.kill()


def begin(context: Any, is_once: bool) -> Worker:
    """A process that waits for orders."""
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, is_once))
    try:
        process.start()
    except (EOFError, OSError):  # the warm parent has been killed
        time.sleep(3.0)  # until the system has buried it
        process.start()
    theirs.close()
    return Worker(process, ours)


def work(pipe: Any, is_once: bool) -> None:
    """In the process: carry out orders as they come, and end when the one who gives them is gone."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    with suppress(EOFError):  # no order comes any more: the one who gives them has told why
        pipe.send(carry_out(*pipe.recv()))
        while not is_once:
            pipe.send(carry_out(*pipe.recv()))


def end_with_parent() -> None:
    """End this process when its parent is gone: nobody would take what it makes."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def carry_out(site: Site, job: Job, key: str, environ: dict[str, str], folder: Path) -> dict[str, Any]:
    """Run a job's notebook and publish what came of it; the error where it failed."""
    begun, cpu = time.perf_counter(), time.process_time()
    for name in [name for name in os.environ if name.startswith("HUYING_")]:
        del os.environ[name]
    os.environ.update(environ)
    random.seed(key)
    np.random.seed(int(key[:8], 16))
    try:
        execute(job.notebook.file, folder / MADE, site.parameters(job), folder / AT_CELL)
        strip(folder / MADE)
        made = {site.figures / file.name: file for file in sorted((folder / "figures").iterdir())}
        made[site.notebook(job.name)] = folder / MADE
        if job.has_page:
            (folder / PAGE).write_text(page(folder / MADE, job.lang), "utf-8")
            made[site.page(job)] = folder / PAGE
        took = {"seconds": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu, "peak_mb": peak_mb()}
        told = {"job": job.name, "key": key, "host": platform.node()} | {what: round(n, 2) for what, n in took.items()}
        publish(site.receipt(job.name), site.results, made, **told)
        for left in (site.receipt, site.notebook):
            left(f"{job.name}.failed").unlink(missing_ok=True)
    except Exception as error:
        raised = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
        return {"error": error.say() if isinstance(error, HuyingError) else raised}
    return {}


def execute(source: Path, made: Path, parameters: dict[str, str], at_cell: Path) -> None:
    """Run a notebook here by papermill; raises HuyingError where its last cell did not run."""
    import papermill

    paths = (str(path).replace("{", "{{").replace("}", "}}") for path in (source, made))
    own = {"engine_name": "huying", "at_cell": at_cell, "cwd": source.parent}
    done = papermill.execute_notebook(*paths, parameters, progress_bar=False, request_save_on_cell_execute=False, **own)
    last = [cell.execution_count for cell in done.cells if cell.cell_type == "code" and cell.source.strip()]
    if last and last[-1] is None:
        raise HuyingError("batch.not_finished")


def peak_mb() -> float:
    """The most memory that this process has held."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / MB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MB if sys.platform == "darwin" else 1024)


# --- a run in its order -----------------------------------------------------------------------------------------------


@dataclass
class Summary:
    """How a run ended: jobs done now, jobs that were as they should be, how each of the others failed, claims recorded."""

    done: list[Job] = field(default_factory=list)
    fresh: list[Job] = field(default_factory=list)
    failed: dict[Job, dict[str, Any]] = field(default_factory=dict)
    claims: set[str] = field(default_factory=set)


def make(site: Site, jobs: Sequence[Job], tick: Callable[[], object], **limits: Any) -> Summary:
    """Run what is not as it should be: first what records, whose rows are then gathered, last what reads them."""
    summary = Summary()

    def ended(job: Job, failure: dict[str, Any]) -> None:
        summary.failed |= {job: failure} if failure else {}
        summary.done += [] if failure else [job]
        tick()

    for stage in range(3):
        states = {job: site.state(job) for job in jobs if job.stage == stage}
        for job in (job for job, state in states.items() if state == DONE):
            summary.fresh.append(job)
            tick()
        run(site, [job for job, state in states.items() if state != DONE], ended, **limits)
        if states and stage == 0:
            recorded = [job for job in site.recording(site.speaking) if site.state(job) == DONE]
            rows = read_recorded((job.notebook.name, site.notebook(job.name)) for job in recorded)
            write_evidence(site.evidence, site.receipt("evidence"), rows)
            summary.claims = set(rows["claim"])
    return summary
