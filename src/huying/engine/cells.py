"""A kernel without process or sockets, and the connection that papermill's client runs cells through; refuses a session at work here."""

import io
import os
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from logging import getLogger
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel import zmqshell
from ipykernel.compiler import XCachingCompiler
from ipykernel.ipkernel import IPythonKernel
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.session import Session
from traitlets.config import Config

from huying.words import InputError


class Messages(Session):  # type: ignore[misc]
    """A kernel's session that keeps its messages instead of sending them, each as an answer to the request at hand."""

    def ask(self, kind: str, **content: Any) -> Any:
        """A request, from now on the one at hand."""
        self.request, self.replies, self.outputs = self.msg(kind, content), deque[Any](), deque[Any]()
        return self.request

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **unused: Any) -> Any:
        made = msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content)
        made["parent_header"] = self.request["header"]
        (self.replies if made["msg_type"].endswith("_reply") else self.outputs).append(made)
        return made


class Stream(io.TextIOWrapper):
    """Standard output or error of a cell, by way of a file that holds also what is written past Python; a message when it is flushed."""

    def __init__(self, name: str, messages: Messages) -> None:
        self.label, self.messages, self.file = name, messages, tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        super().__init__(self.file, "utf-8", newline="")

    def flush(self) -> None:
        super().flush()
        self.file.seek(0)
        if text := self.file.read().decode("utf-8", "replace"):
            self.messages.send(None, "stream", {"name": self.label, "text": text})
        self.file.seek(0)
        self.file.truncate()


class Compiler(XCachingCompiler):  # type: ignore[misc]
    """Names a cell's code by what it says, not by the process that runs it, so that a warning reads the same each time."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        return f"ipykernel/{Path(super().get_code_name(raw_code, code, number)).name}"


class ZMQInteractiveShell(zmqshell.ZMQInteractiveShell):  # type: ignore[misc]
    """A kernel's shell, and called like it, since libraries look at the name; there is no window, and no loop to leave."""

    def enable_gui(self, gui: Any = None) -> None:
        self.active_eventloop = gui

    def ask_exit(self) -> None:
        raise SystemExit(0)


class Kernel(IPythonKernel):  # type: ignore[misc]
    """The one kernel of this process."""

    shell_class = ZMQInteractiveShell
    compiler_class = Compiler

    def __init__(self) -> None:
        missing = {"shell_channel_thread": SimpleNamespace(parent_thread=None), "log": getLogger("huying.engine")}
        super().__init__(config=Config({"HistoryManager": {"enabled": False}}), session=Messages(), **missing)

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nothing waits behind a cell that fails."""

    @contextmanager
    def captured(self) -> Iterator[None]:
        """What a cell writes to output and error becomes messages."""
        with ExitStack() as stack:
            for name, number in (("stdout", 1), ("stderr", 2)):
                plain, stream = os.dup(number), stack.enter_context(Stream(name, self.session))
                stack.callback(os.close, plain)
                stack.callback(os.dup2, plain, number)
                stack.callback(setattr, sys, name, getattr(sys, name))
                stack.callback(stream.flush)
                setattr(sys, name, stream)
                os.dup2(stream.file.fileno(), number)
            yield


def connect(kernel: Kernel, at_cell: Path | None) -> Any:
    """What papermill's client asks of a kernel, done at once; the file `at_cell` holds the count of the cell that runs."""
    messages = kernel.session

    def kernel_info() -> Any:
        messages.ask("kernel_info_request")
        return messages.send(None, "kernel_info_reply", kernel.kernel_info)["parent_header"]["msg_id"]

    async def execute(code: str, **asked: Any) -> Any:
        request = messages.ask("execute_request", code=code, **asked)
        kernel.set_parent([], request)
        if at_cell:
            at_cell.write_text(str(kernel.shell.execution_count))
        with kernel.captured():
            await kernel.execute_request(None, [], request)
        messages.send(None, "status", {"execution_state": "idle"})
        return request["header"]["msg_id"]

    shell = SimpleNamespace(get_msg=lambda timeout: messages.replies.popleft())
    iopub = SimpleNamespace(get_msg=lambda timeout: messages.outputs.popleft())
    asked = {"execute": execute, "kernel_info": kernel_info, "is_alive": lambda: True}
    return SimpleNamespace(has_kernel=True, shell_channel=shell, iopub_channel=iopub, **asked)


@contextmanager
def fresh_kernel() -> Iterator[Kernel]:
    """The one kernel of this process with an empty namespace, which is `__main__` for the block.

    Raises InputError where IPython or Jupyter has its own here.
    """
    # The backend is what ipykernel starts with.
    os.environ |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if pandas := sys.modules.get("pandas"):  # imported without a shell it took this for a terminal
        pandas.set_option("display.max_columns", pandas.get_option("display.max_columns") or 20)
    if InteractiveShell.initialized() and not isinstance(InteractiveShell.instance(), ZMQInteractiveShell):
        raise InputError("engine.in_session")
    main, kernel = sys.modules["__main__"], Kernel.instance()
    kernel.shell.reset(new_session=True)
    sys.modules["__main__"] = kernel.shell.user_module
    try:
        yield kernel
    finally:
        sys.modules["__main__"] = main
