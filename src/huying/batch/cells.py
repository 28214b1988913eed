"""Runs a notebook's cells in this process as a kernel would, each message to its cell; refuses to share a namespace."""

from __future__ import annotations

import builtins
import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ipykernel import zmqshell
from ipykernel.compiler import XCachingCompiler
from IPython.core.error import StdinNotImplementedError
from jupyter_client.session import Session
from nbclient import NotebookClient
from traitlets.config import Config

INLINE = "module://matplotlib_inline.backend_inline"  # what ipykernel starts with
MIME = ("display_data", "execute_result")


class Messages(Session):  # type: ignore[misc]
    """A kernel's session whose messages go to a function instead of a socket."""

    take: Callable[[dict[str, Any]], Any] = staticmethod(lambda message: None)

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **unused: Any) -> Any:
        message = msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content, parent)
        return self.take(message)


class Stream(io.TextIOBase):
    """Standard output or error of a cell: each text becomes a message."""

    def __init__(self, name: str, messages: Messages) -> None:
        self.name, self.messages = name, messages

    def write(self, text: str) -> int:
        if text:
            self.messages.send(None, "stream", {"name": self.name, "text": str(text)})
        return len(text)

    def writable(self) -> bool:
        return True


class ZMQInteractiveShell(zmqshell.ZMQInteractiveShell):  # type: ignore[misc]
    """A kernel's shell, and called like it, since libraries look at the name; it has no event loop to enable."""

    def enable_gui(self, gui: Any = None) -> None:
        self.active_eventloop = gui


class Compiler(XCachingCompiler):  # type: ignore[misc]
    """Names a cell's code by what it says, not by the process that runs it, so that a warning reads the same each time."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        return f"ipykernel/{hashlib.sha256(code.encode()).hexdigest()[:10]}.py"


def make_shell() -> ZMQInteractiveShell:
    """The one shell of this process, of the class that ipykernel uses; it keeps no history file and starts no thread."""
    os.environ["MPLBACKEND"] = INLINE
    quiet = Config({"HistoryManager": {"enabled": False}})
    shell: ZMQInteractiveShell = ZMQInteractiveShell.instance(config=quiet, user_ns={}, compiler_class=Compiler)
    messages = Messages()
    for part in (shell.displayhook, shell.display_pub):
        part.session = messages
    shell.displayhook.get_execution_count = lambda: shell.execution_count
    return shell


def refuse_input(prompt: object = "", /) -> str:
    """What `input` does where nobody can answer."""
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


@contextmanager
def own_streams(messages: Messages) -> Iterator[Callable[[], None]]:
    """Output and error as messages, also what libraries write past Python; yields what collects the latter."""
    kept, plain = (sys.stdout, sys.stderr, builtins.input), [os.dup(1), os.dup(2)]
    files = [tempfile.TemporaryFile(buffering=0) for _ in plain]  # noqa: SIM115 - closed below
    sys.stdout, sys.stderr, builtins.input = Stream("stdout", messages), Stream("stderr", messages), refuse_input
    for number, file in enumerate(files, 1):
        os.dup2(file.fileno(), number)

    def collect() -> None:
        for file, name in zip(files, ("stdout", "stderr"), strict=True):
            file.seek(0)
            if text := file.read().decode("utf-8", "replace"):
                messages.send(None, "stream", {"name": name, "text": text})
                file.seek(0)
                file.truncate()

    try:
        yield collect
    finally:
        sys.stdout, sys.stderr, builtins.input = kept
        for number, (old, file) in enumerate(zip(plain, files, strict=True), 1):
            os.dup2(old, number)
            os.close(old)
            file.close()


def run_cells(notebook: Any, shell: ZMQInteractiveShell) -> dict[str, Any] | None:
    """Run every code cell in an empty namespace; outputs and counts are left in `notebook`.

    nbclient, which stock papermill uses, turns the messages into outputs. Returns the first failure (cell, its name and
    value, traceback), after which no cell is run; None where every cell ran.
    """
    shell.reset(new_session=True)
    messages, client = shell.displayhook.session, NotebookClient(notebook, record_timing=False)
    client.reset_execution_trackers()
    with own_streams(messages) as collect:
        for index, cell in enumerate(notebook.cells):
            tags = cell.metadata.get("tags", [])
            if cell.cell_type != "code" or not cell.source.strip() or client.skip_cells_with_tag in tags:
                continue
            client.clear_before_next_output = False
            messages.take = lambda message, cell=cell, index=index: client.process_message(message, cell, index)
            messages.send(None, "execute_input", {"code": cell.source, "execution_count": shell.execution_count})
            result: Any = shell.run_cell(cell.source, store_history=True)
            collect()
            cell.outputs = joined(cell.outputs)
            if not result.success and "raises-exception" not in tags:
                return failure(index, cell)
    return None


def failure(index: int, cell: Any) -> dict[str, Any]:
    """Which cell failed and how."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    told = errors[-1] if errors else {"ename": "Error", "evalue": "", "traceback": []}
    return {"cell": index, **{key: told[key] for key in ("ename", "evalue", "traceback")}}


def joined(outputs: list[Any]) -> list[Any]:
    """The outputs with neighbouring texts of one stream in one piece, so that equal runs give equal bytes."""
    found: list[Any] = []
    for output in outputs:
        last = found[-1] if found else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            found.append(output)
    return found
