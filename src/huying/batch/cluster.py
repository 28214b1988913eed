"""The same jobs on Dask's workers; refuses one of another version, and leaves none of its own behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import resource_tracker
from typing import Any

from huying.errors import HuyingError

try:
    import dask
    from distributed import Client, LocalCluster, Security, rpc
except ImportError as error:  # the extra `cluster`; this module is imported only where a scheduler was asked for
    raise HuyingError("cluster.no_dask", why=error.name or str(error)) from error

from huying.batch.readiness import CLOSE_S, WORKERS_S, R, T, Warm, ready, reason_of, within
from huying.batch.window import Failure, Log, Window

ANSWER_S = 10.0


def run_on_dask(
    jobs: Sequence[T], work: Callable[[T], R], done: Callable[[T, R], None], *, scheduler: str, workers: int,
    limit_s: float, retries: int, warm: Warm, log: Log,
) -> list[Failure[T]]:  # fmt: skip
    """The jobs given up; the result of each other one went to `done`, once, in this thread, in the order they came.

    `work` and `warm` are functions of a module that workers can import. `warm` runs once in each worker before its first
    job and may return what stops it. `log` is called from any thread. Raises HuyingError before anything is sent.
    """
    run = f"huying-{uuid.uuid4().hex[:8]}"
    with quiet(log), connected(scheduler, workers, retries) as client, ready(client, run, scheduler, warm):
        return Window(client, run, scheduler, jobs, work, done, limit_s, retries, log).run_all()


@contextlib.contextmanager
def quiet(log: Log) -> Iterator[None]:
    """Dask's own warnings go to the log, none to the terminal."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: log("dask", {"what": record.getMessage() or str(record.exc_info)})  # type: ignore[method-assign]
    dask_names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio", *dask_names)]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False  # some of Dask's have handlers of their own
    try:
        yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate


@contextlib.contextmanager
def connected(scheduler: str, workers: int, retries: int) -> Iterator[Any]:
    """A client of the scheduler at an address, or of worker processes of our own (`local`), gone when the block ends."""
    if scheduler == "local":
        with local_workers(workers, retries) as client:
            yield client
        return
    try:
        with ThreadPoolExecutor(1) as pool:  # a notebook has a loop of its own in this thread
            pool.submit(asyncio.run, answer_of(scheduler)).result()
        client = Client(scheduler, timeout=ANSWER_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise HuyingError("cluster.no_scheduler", scheduler=scheduler, why=reason_of(error)[:200]) from error
    try:
        yield client
    finally:
        client.close(timeout=CLOSE_S)


async def answer_of(scheduler: str) -> None:
    """Ask for a sign of life; a client itself would wait for ever at a port that is open and says nothing."""
    arguments = Security().get_connection_args("client")
    async with asyncio.timeout(ANSWER_S), rpc(scheduler, connection_args=arguments) as asked:
        await asked.identity()


@contextlib.contextmanager
def local_workers(workers: int, retries: int) -> Iterator[Any]:
    """A client of `workers` processes on this machine, which are reached over loopback alone."""
    settings = {"distributed.scheduler.allowed-failures": retries, "distributed.worker.profile.enabled": False}
    with (
        tempfile.TemporaryDirectory(prefix="huying-", ignore_cleanup_errors=True) as scratch,
        dask.config.set(settings),
    ):
        with deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", memory_limit=0,
                local_directory=scratch, silence_logs=logging.CRITICAL,
            )  # fmt: skip
        try:
            with Client(cluster, set_as_default=False) as client:
                cluster.scale(workers)
                client.wait_for_workers(workers, timeout=WORKERS_S)
                yield client
        finally:
            cluster.shutdown_on_close = False  # Dask would do it again when Python ends
            nanny_log = logging.getLogger("distributed.nanny")
            nanny_log.disabled = True  # it warns of each worker that it ends
            within(1.5 * CLOSE_S, cluster.sync, _close, list(cluster.workers.values()))
            within(CLOSE_S, cluster.close)
            nanny_log.disabled = False


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Threads begun in the block, and their child processes, are spared Ctrl-C: this process answers it, and ends them."""
    if os.name == "nt":
        yield
        return
    resource_tracker.ensure_running()  # when it starts, it lets the calling thread hear interrupts again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _close(nannies: list[Any]) -> None:
    """End worker processes at once; left to itself Dask waits for one that hangs or is only starting."""
    pids = [nanny.pid for nanny in nannies if nanny.pid]
    closing = asyncio.gather(*(nanny.close(timeout=CLOSE_S) for nanny in nannies), return_exceptions=True)
    await asyncio.wait([closing], timeout=CLOSE_S)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
    await closing
