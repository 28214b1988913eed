"""Which of Dask's workers may be given jobs; refuses one of another version, and one that could not be warmed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import platform
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from distributed import Reschedule, Worker, WorkerPlugin, get_worker

from huying.errors import HuyingError

T = TypeVar("T")
R = TypeVar("R")
Warm = Callable[[], "Callable[[], object] | None"]

WORKERS_S, CLOSE_S = 120.0, 1.0
LOST = (OSError, TimeoutError)
PACKAGES = ("distributed", "numpy", "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib", "papermill", "nbformat")

SETTLE_S = 0.5  # until a nanny knows that its worker is up; it does not replace one that dies before

_ready: dict[str, tuple[float, Callable[[], object] | None]] = {}  # in a worker: since when warm, and what stops it


async def get_ready(run: str, warm: Warm) -> str:
    """Warm this worker for a run, once, beside its event loop, which must go on answering; what went wrong, or nothing."""
    try:
        if run not in _ready:
            stop = await asyncio.to_thread(warm)
            _ready[run] = time.monotonic(), stop
    except Exception as error:  # whatever it is, this worker cannot be used
        return reason_of(error)
    return ""


def reason_of(error: BaseException) -> str:
    """An exception in a line; ours are worded already."""
    return (
        str(error) if isinstance(error, HuyingError) else f"{type(error).__name__}: {error}"[:2000].removesuffix(": ")
    )


def put_away(run: str) -> None:
    """Stop what warming began."""
    _, stop = _ready.pop(run, (0.0, None))
    if stop:
        stop()


def work_on(run: str, key: str, work: Callable[[T], R], job: T) -> R:
    """In a worker: say that the job begins, then do it; a worker that is not ready hands it back."""
    if run not in _ready:
        raise Reschedule()
    time.sleep(max(0.0, _ready[run][0] + SETTLE_S - time.monotonic()))
    worker = get_worker()
    worker.log_event(run, {"key": key, "worker": worker.address})
    return work(job)


def within(seconds: float, call: Callable[..., Any], *values: Any) -> None:
    """Call in a thread and wait so long at most: the call may be to a process that no longer answers."""
    thread = threading.Thread(target=silently, args=(call, *values), daemon=True)
    thread.start()
    thread.join(seconds)


def answer_within(seconds: float, call: Callable[..., T], *values: Any) -> T:
    """What the call returns; raises TimeoutError where it returns nothing in time."""
    found: list[T] = []
    within(seconds, lambda: found.append(call(*values)))
    if not found:
        raise TimeoutError("no answer")
    return found[0]


def silently(call: Callable[..., Any], *values: Any) -> None:
    """Call, whatever comes of it."""
    with contextlib.suppress(Exception, asyncio.CancelledError):  # the other side is gone already
        call(*values)


def package_hash() -> str:
    """A hash of the package's files; `store` has one too, but would load pandas into workers that do not need it."""
    root, found = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]


def fingerprint(dask_worker: object = None) -> dict[str, str]:
    """What must be the same everywhere for the outputs to be the same."""
    found = {"huying": package_hash(), "python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {"--nthreads": str(dask_worker.state.nthreads if isinstance(dask_worker, Worker) else 1)}


def difference(ours: dict[str, str], theirs: object) -> dict[str, str] | None:
    """The first thing that differs, as values for the message; an exception stands for a package that is not there."""
    answers = theirs if isinstance(theirs, dict) else {"huying": f"{theirs}"[:200]}
    differing = [name for name in ours if answers.get(name) != ours[name]]
    return {"what": (n := differing[0]), "ours": ours[n], "theirs": answers.get(n, "-")} if differing else None


@contextlib.contextmanager
def ready(client: Any, run: str, scheduler: str, warm: Warm) -> Iterator[None]:
    """Every worker is of our version and warm, those that join later too; raises HuyingError naming one that is not."""
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as error:
        raise HuyingError("cluster.no_workers", scheduler=scheduler, seconds=int(WORKERS_S)) from error
    ours = fingerprint()
    asked = ask(client, fingerprint) | {scheduler: ask_scheduler(client)}
    found = {worker: difference(ours, theirs) for worker, theirs in asked.items()}
    differing = {worker: values for worker, values in found.items() if values}
    for worker, values in sorted(differing.items()):
        raise HuyingError("cluster.differs", worker=worker, n=len(differing), **values)
    try:
        for worker, fault in sorted(ask(client, get_ready, run, warm).items()):
            if fault:
                raise HuyingError("cluster.not_ready", worker=worker, why=fault)
        client.register_plugin(Latecomers(run, ours, warm), name=run)
        yield
    finally:
        within(CLOSE_S, client.unregister_worker_plugin, run)


def ask(client: Any, question: Callable[..., Any], *values: Any) -> dict[str, Any]:
    """Each worker's answer, or the exception that it raised; a worker that went away meanwhile gives none."""
    answers = client.run(question, *values, on_error="return")
    return {worker: answer for worker, answer in answers.items() if not isinstance(answer, LOST)}


def ask_scheduler(client: Any) -> object:
    """The scheduler's fingerprint, or its exception: it unpacks jobs too, and so needs the package."""
    try:
        return client.run_on_scheduler(fingerprint)
    except Exception as error:
        return error


@dataclass
class Latecomers(WorkerPlugin):  # type: ignore[misc]
    """Makes a worker that joins during the run ready, or sends it away; stops at the end what `warm` began."""

    run: str
    ours: dict[str, str]
    warm: Warm

    async def setup(self, worker: Worker) -> None:
        """Until this has ended the worker is given no job that it would run (see `work_on`)."""
        fault = difference(self.ours, fingerprint(worker)) or await get_ready(self.run, self.warm)
        if fault:
            worker.log_event(self.run, {"refused": worker.address, "why": str(fault)})
            worker.loop.add_callback(worker.close, reason="huying refused it")

    def teardown(self, worker: Worker) -> None:
        """Stop what `warm` began."""
        put_away(self.run)
