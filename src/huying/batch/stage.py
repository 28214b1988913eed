"""The warm process that runs orders, one forked child each; where there is no safe fork, one order after another, watched.

`python -m huying.batch.stage MODE PARENT` reads orders from standard input and writes what came of them to standard output.
It refuses to run a second order in a process that the first has left changed.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import selectors
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:  # what these import must not come before the shell: see `warm`
    from huying.batch.work import Order, Product


FORK, SPAWN = "fork", "spawn"
HEAD = struct.Struct("!Q")
Frame = tuple[Any, ...]


def send(stream: IO[bytes], frame: Frame) -> None:
    """Write one frame: its length, then its pickle."""
    content = pickle.dumps(frame, protocol=5)
    rest = memoryview(HEAD.pack(len(content)) + content)
    while rest:
        rest = rest[stream.write(rest) or 0 :]
    stream.flush()


def receive(stream: IO[bytes]) -> Frame | None:
    """The next frame, None where the other side has closed or broken off."""
    head = read_whole(stream, HEAD.size)
    content = read_whole(stream, HEAD.unpack(head)[0]) if head else None
    return pickle.loads(content) if content else None


def read_whole(stream: IO[bytes], size: int) -> bytes | None:
    """`size` bytes, None where the stream ends before."""
    parts = bytearray()
    while len(parts) < size:
        if not (part := stream.read(size - len(parts))):
            return None
        parts += part
    return bytes(parts)


def warm(modules: Sequence[str]) -> Any:
    """Everything that every order needs, and these modules, imported once; returns the shell.

    The shell comes first: pandas chooses its display by whether a kernel is there when it is imported.
    """
    from huying.batch.cells import make_shell

    shell = make_shell()
    with shell.builtin_trap:  # `get_ipython` is there, as it is when a cell imports
        for name in ("nbclient", "papermill.parameterize", *modules):
            importlib.import_module(name)
    return shell


def rehearse(order: Order, shell: Any) -> bool:
    """Run an order once and throw its product away, so that fonts, ticks and readers are warm; False where it left a trace."""
    from huying.batch.state import taken

    before = taken()
    outcome(order, shell)
    shell.reset(new_session=True)
    return taken() == before


def child(order: Order, shell: Any, pipe: int, parent: int) -> None:
    """In a forked child: run the order, hand back its product, end."""
    die_with(parent)
    with os.fdopen(pipe, "wb") as stream:
        send(stream, (outcome(order, shell),))
    os._exit(0)


def outcome(order: Order, shell: Any) -> Product:
    """The product of an order, with a defect of the order itself as its failure."""
    from huying.batch.work import Product, fulfil

    try:
        return fulfil(order, shell)
    except Exception as error:
        told = {"ename": type(error).__name__, "evalue": str(error), "traceback": traceback.format_exc().splitlines()}
        return Product(failure={"cell": -1, **told})


def die_with(parent: int) -> None:
    """Ask the system to end this process when the one that made it is gone, where it can; end now if it is gone already."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


class Forking:
    """Reads orders and forks a child for each; many may run at once."""

    def __init__(self, orders: IO[bytes], answers: IO[bytes], modules: Sequence[str]) -> None:
        self.orders, self.answers, self.wait = orders, answers, selectors.DefaultSelector()
        self.shell, self.children = warm(modules), dict[Any, tuple[int, int]]()
        self.wait.register(orders, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the other side closes or breaks off; then end what still runs."""
        with contextlib.suppress(BrokenPipeError):
            while True:
                for key, _ in self.wait.select():
                    if key.fileobj is not self.orders:
                        self.take(key.fileobj)
                    elif (frame := receive(self.orders)) is None:
                        return self.end()
                    else:
                        self.start(*frame)
        self.end()

    def start(self, verb: str, number: int, order: Order) -> None:
        if verb == "rehearse":
            send(self.answers, ("rehearsing", number))
            send(self.answers, ("rehearsed", number, rehearse(order, self.shell)))
            gc.collect()
            gc.freeze()
            return
        if threading.active_count() > 1:
            raise RuntimeError(f"threads before a fork: {threading.enumerate()}")
        reader, writer = os.pipe()
        own = os.getpid()
        if (pid := os.fork()) == 0:
            os.close(reader)
            child(order, self.shell, writer, own)
        os.close(writer)
        stream = os.fdopen(reader, "rb")
        self.children[stream] = (number, pid)
        self.wait.register(stream, selectors.EVENT_READ)
        send(self.answers, ("started", number, pid))

    def take(self, stream: Any) -> None:
        """Hand on what a child sent, or that it ended without a word."""
        from huying.batch.work import Product

        frame = receive(stream)
        number, pid = self.children.pop(stream)
        self.wait.unregister(stream)
        stream.close()
        _, status, used = os.wait4(pid, 0)
        product = frame[0] if frame else Product(failure=ended(status))
        product.peak_bytes, product.cpu_s = used.ru_maxrss * 1024, used.ru_utime + used.ru_stime
        send(self.answers, ("done", number, product))

    def end(self) -> None:
        for _, pid in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ended(status: int) -> dict[str, Any]:
    """The failure of a child that ended before it was done."""
    how = (
        f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.waitstatus_to_exitcode(status)}"
    )
    return {"cell": -1, "ename": "Ended", "evalue": how, "traceback": []}


def serve_in_turn(orders: IO[bytes], answers: IO[bytes], modules: Sequence[str]) -> None:
    """Run orders one after another in this process; after one that left a trace, say so and end, so that another takes over."""
    from huying.batch.state import taken

    shell = warm(modules)
    while (frame := receive(orders)) is not None:
        verb, number, order = frame
        if verb == "rehearse":
            send(answers, ("rehearsing", number))
            send(answers, ("rehearsed", number, rehearse(order, shell)))
            continue
        send(answers, ("started", number, os.getpid()))
        before = taken()
        product = outcome(order, shell)
        shell.reset(new_session=True)
        product.peak_bytes = peak_bytes()
        is_changed = taken() != before
        send(answers, ("done", number, product, is_changed))
        if is_changed:
            return


def peak_bytes() -> int:
    """The most memory this process has held."""
    import psutil

    used = psutil.Process().memory_info()
    return int(getattr(used, "peak_wset", 0) or used.rss)


def main(mode: str, parent: str, *modules: str) -> None:
    """Serve until standard input closes, or `parent` ends where it is named (not 0); whatever else is printed goes to standard error."""
    if int(parent):
        die_with(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    orders = os.fdopen(os.dup(0), "rb", buffering=0)
    send(answers, ("ready", 0, os.getpid()))
    if mode == FORK:
        Forking(orders, answers, modules).serve()
    else:
        serve_in_turn(orders, answers, modules)


if __name__ == "__main__":
    main(*sys.argv[1:])
