"""Runs jobs, each in a process of its own; refuses to let one that is killed, hangs or fails cost another."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from huying.batch.jobs import Job, Site
from huying.batch.pages import page
from huying.batch.receipts import notebook_file, publish, read_json, receipt_file, write_json
from huying.errors import HuyingError
from huying.store import write_bytes
from huying.words import say

TICK_S, MB = 0.2, 1 << 20
Ended = Callable[[Job, dict[str, Any]], None]
WARM = "HUYING_WARM"  # which county the warm parent opens
AGAIN_S = (0.2, 1.0, 5.0, 0.0)  # between attempts to begin: the warm parent may have been killed
# What a process leaves in its folder.
MADE, PAGE, FAILURE, AT_CELL = "notebook.ipynb", "page.html", "failure.json", "cell"


@dataclass(frozen=True)
class Limits:
    """How many jobs at once, and what one may take: seconds on the clock and MB of memory."""

    workers: int = 2
    seconds: float = 600.0
    megabytes: float = 4096.0


@dataclass(frozen=True)
class Order:
    """What a process is told: its job, the key of it, its environment, and a folder for what it makes."""

    site: Site
    job: Job
    key: str
    environ: dict[str, str]
    folder: Path


def run(site: Site, jobs: Sequence[Job], limits: Limits, ended: Ended) -> None:
    """Run all jobs; `ended` is told of each and, where it failed, the cell and the error."""
    is_forking = sys.platform == "linux"  # elsewhere a fork may be unsafe, or missing
    context = multiprocessing.get_context("forkserver" if is_forking else "spawn")
    site.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".jobs-", dir=site.results, ignore_cleanup_errors=True) as temporary:
        folders = {job: Path(temporary) / job.name for job in jobs}
        orders = [Order(site, job, site.key(job), site.environ(job, folder), folder) for job, folder in folders.items()]
        if is_forking:
            context.set_forkserver_preload(["huying.batch.warm"])
        with environment({WARM: str(site.county.folder.resolve()), "HUYING_PREPARED": str(site.results)}):
            work_off(context, orders, limits, ended)


@contextlib.contextmanager
def environment(told: dict[str, str]) -> Iterator[None]:
    """The environment with these values for the block: the warm parent, which begins with the first job, inherits it."""
    before = dict(os.environ)
    os.environ.update(told)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def work_off(context: Any, orders: Iterable[Order], limits: Limits, ended: Ended) -> None:
    """The loop: keep the workers busy, take what has ended, end what takes too much."""
    waiting, running = deque(orders), dict[Any, tuple[Order, Any, float]]()
    try:
        while waiting or running:
            while waiting and len(running) < limits.workers:
                process = begin(context, waiting[0])
                running[process.sentinel] = waiting.popleft(), process, time.monotonic()
            for sentinel in wait(list(running), TICK_S):
                order, process, _ = running.pop(sentinel)
                process.join()
                ended(order.job, book_failure(order, process.exitcode) if process.exitcode else {})
            for order, process, since in running.values():
                if why := excess(process.pid, time.monotonic() - since, limits):
                    write_json(order.folder / FAILURE, {"error": why})
                    process.kill()
    finally:
        for _, process, _ in running.values():
            process.kill()


def begin(context: Any, order: Order) -> Any:
    """A process at work on an order."""
    (order.folder / "figures").mkdir(parents=True)
    process = context.Process(target=work, args=(order,), name=order.job.name)
    for pause in AGAIN_S:
        try:
            process.start()
            break
        except (EOFError, OSError):
            if pause == AGAIN_S[-1]:
                raise
            time.sleep(pause)  # until the system has buried it
    return process


def excess(pid: int, seconds: float, limits: Limits) -> str:
    """In words, the limit that a process is beyond; empty where it is within both."""
    if seconds > limits.seconds:
        return say("batch.too_long", seconds=limits.seconds)
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(pid).memory_info().rss > limits.megabytes * MB:
            return say("batch.too_big", mb=limits.megabytes)
    return ""


def book_failure(order: Order, exitcode: int) -> dict[str, Any]:
    """Write down how a job failed, at which cell, and keep how far its notebook came."""
    how = f"signal {-exitcode}" if exitcode < 0 else f"exit code {exitcode}"
    cell = at.read_text() if (at := order.folder / AT_CELL).is_file() else "-"
    told = {"cell": cell, "error": say("batch.ended", how=how)} | read_json(order.folder / FAILURE)
    name = f"{order.job.name}.failed"
    write_json(receipt_file(order.site, name), {"job": order.job.name, "key": order.key, **told})
    if (made := order.folder / MADE).is_file():
        write_bytes(notebook_file(order.site, name), made.read_bytes())
    return told


def work(order: Order) -> None:
    """In the job's own process: run its notebook and publish what came of it; exit code 1 where it failed."""
    begun = time.perf_counter()
    threading.Thread(target=end_with_parent, daemon=True).start()
    for name in [name for name in os.environ if name.startswith("HUYING_")]:
        del os.environ[name]
    os.environ.update(order.environ)
    random.seed(order.key)
    np.random.seed(int(order.key[:8], 16))
    source, parameters = str(order.job.notebook.file), order.site.parameters(order.job)
    try:
        execute(source, order.folder / MADE, parameters, order.folder / AT_CELL)
        charts = {f"figures/{file.name}": file for file in sorted((order.folder / "figures").iterdir())}
        took = {"seconds": time.perf_counter() - begun, "cpu_s": time.process_time(), "peak_mb": peak_mb()}
        used = {name: round(value, 2) for name, value in took.items()}
        made = {f"notebooks/{order.job.name}.ipynb": order.folder / MADE, **charts}
        if order.job.has_page:
            (order.folder / PAGE).write_text(page(order.folder / MADE, order.job.lang), "utf-8")
            made[f"html/{order.job.name}.html"] = order.folder / PAGE
        publish(order.site, order.job, order.key, made, used)
    except Exception as error:
        raised = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
        write_json(order.folder / FAILURE, {"error": error.say() if isinstance(error, HuyingError) else raised})
        sys.exit(1)


def execute(source: str, made: Path, parameters: dict[str, str], at_cell: Path) -> None:
    """Run a notebook here by papermill; raises HuyingError where its last cell did not run."""
    import papermill

    paths = (path.replace("{", "{{").replace("}", "}}") for path in (source, str(made)))
    own = {"engine_name": "huying", "at_cell": at_cell, "cwd": Path(source).parent}
    done = papermill.execute_notebook(*paths, parameters, progress_bar=False, request_save_on_cell_execute=False, **own)
    last = [cell.execution_count for cell in done.cells if cell.cell_type == "code" and cell.source.strip()]
    if last and last[-1] is None:
        raise HuyingError("batch.not_finished")


def end_with_parent() -> None:
    """End this process when the one that ordered it is gone: nobody would take what it makes."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def peak_mb() -> float:
    """The most memory that this process has held."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / MB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MB if sys.platform == "darwin" else 1024)
