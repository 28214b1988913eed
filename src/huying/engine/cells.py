"""Runs a notebook's cells as a kernel would, each message to its cell; refuses to take over a session that is at work here."""

from __future__ import annotations

import asyncio
import builtins
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ipykernel import zmqshell
from ipykernel.compiler import XCachingCompiler
from ipykernel.ipkernel import IPythonKernel
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.session import Session
from traitlets.config import Config

from huying.errors import InputError

INLINE = "module://matplotlib_inline.backend_inline"  # what ipykernel starts with
STREAMS = {"stdout": 1, "stderr": 2}


class Messages(Session):  # type: ignore[misc]
    """A kernel's session that keeps its messages instead of sending them."""

    kept: list[dict[str, Any]]

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **unused: Any) -> Any:
        self.kept.append(msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content, parent))
        return self.kept[-1]


class Stream(io.StringIO):
    """Standard output or error of the cells: what was written becomes a message when the shell flushes it, as a kernel's does."""

    encoding = "UTF-8"

    def __init__(self, name: str, messages: Messages) -> None:
        super().__init__()
        self.name, self.messages = name, messages

    def flush(self) -> None:
        if text := self.getvalue():
            self.messages.send(None, "stream", {"name": self.name, "text": text})
            self.seek(0)
            self.truncate()

    def fileno(self) -> int:
        return STREAMS[self.name]


class Compiler(XCachingCompiler):  # type: ignore[misc]
    """Names a cell's code by what it says, not by the process that runs it, so that a warning reads the same each time."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        return f"ipykernel/{Path(super().get_code_name(raw_code, code, number)).name}"


class ZMQInteractiveShell(zmqshell.ZMQInteractiveShell):  # type: ignore[misc]
    """A kernel's shell, and called like it, since libraries look at the name; without a kernel, sockets or files of history."""

    def __init__(self, **kwargs: Any) -> None:
        quiet = Config({"HistoryManager": {"enabled": False}})
        super().__init__(config=quiet, user_ns={}, compiler_class=Compiler, **kwargs)
        self.messages = Messages()
        self.displayhook.session = self.display_pub.session = self.messages
        self.displayhook.get_execution_count = lambda: self.execution_count
        self.streams = [Stream(name, self.messages) for name in STREAMS]

    def enable_gui(self, gui: Any = None) -> None:
        self.active_eventloop = gui

    def ask_exit(self) -> None:
        raise SystemExit(0)

    def run_notebook(self, client: Any, at_cell: Path | None) -> None:
        """Run the code cells of the client's notebook in an empty namespace, up to the first that fails."""
        self.reset(new_session=True)
        client.reset_execution_trackers()
        loop, main = asyncio.new_event_loop(), sys.modules["__main__"]
        sys.modules["__main__"] = self.user_module
        try:
            loop.run_until_complete(self.run_cells(client, at_cell))  # cells find a running loop, as in a kernel
        finally:
            sys.modules["__main__"] = main
            loop.close()
        client.nb.metadata["language_info"] = dict(IPythonKernel.language_info)

    async def run_cells(self, client: Any, at_cell: Path | None) -> None:
        """Run cell after cell and tell papermill's manager of each, as its own engine does."""
        manager, is_well = client.nb_man, True
        for index, cell in enumerate(client.nb.cells):
            manager.cell_start(cell, index)
            is_skipped = client.skip_cells_with_tag in cell.metadata.get("tags", [])
            if cell.cell_type == "code" and cell.source.strip() and not is_skipped:
                if at_cell:
                    at_cell.write_text(str(self.execution_count))
                is_well = await self.run_one(client, cell, index)
            if not is_well:
                manager.cell_exception(cell, cell_index=index)
            manager.cell_complete(cell, cell_index=index)
            if not is_well:
                return

    async def run_one(self, client: Any, cell: Any, index: int) -> bool:
        """Run one cell, nbclient making outputs of its messages; False where the notebook must not go on."""
        cell.execution_count, client.clear_before_next_output = self.execution_count, False
        with self.captured() as messages:
            result = await self.run_source(cell.source)
        for message in messages:
            client.process_message(message, cell, index)
        is_well = result.success and not getattr(self, "_last_traceback_during_displayhook", False)
        return bool(is_well or client.allow_errors or "raises-exception" in cell.metadata.get("tags", []))

    async def run_source(self, source: str) -> Any:
        """What became of a cell's source: awaited where it awaits something, else simply run."""
        try:
            transformed = self.transform_cell(source)
            is_async = self.should_run_async(source, transformed_cell=transformed)
        except Exception:  # a cell that is no Python: running it says so
            is_async = False
        if not is_async:
            return self.run_cell(source, store_history=True)
        result = await self.run_cell_async(source, store_history=True, transformed_cell=transformed)
        self.events.trigger("post_execute")
        self.events.trigger("post_run_cell", result)
        return result

    @contextmanager
    def captured(self) -> Iterator[list[dict[str, Any]]]:
        """Collect messages; output and error become some, also what is written past Python; nobody can be asked anything."""
        plain = [os.dup(number) for number in STREAMS.values()]
        files = [tempfile.TemporaryFile(buffering=0) for _ in plain]  # noqa: SIM115 - closed below
        kept, self.messages.kept = (sys.stdout, sys.stderr, builtins.input), []
        (sys.stdout, sys.stderr), builtins.input = self.streams, refuse_input
        for number, file in zip(STREAMS.values(), files, strict=True):
            os.dup2(file.fileno(), number)
        try:
            yield self.messages.kept
        finally:
            sys.stdout, sys.stderr, builtins.input = kept
            for stream, old, file in zip(self.streams, plain, files, strict=True):
                os.dup2(old, stream.fileno())
                os.close(old)
                file.seek(0)
                stream.write(file.read().decode("utf-8", "replace"))
                stream.flush()
                file.close()


def the_shell() -> ZMQInteractiveShell:
    """The one shell of this process; raises InputError where IPython or Jupyter has its own here."""
    os.environ["MPLBACKEND"] = INLINE
    if "pandas" in sys.modules:  # imported without a shell it took this for a terminal
        pandas = sys.modules["pandas"]
        pandas.set_option("display.max_columns", pandas.get_option("display.max_columns") or 20)
    if InteractiveShell.initialized() and not isinstance(InteractiveShell.instance(), ZMQInteractiveShell):
        raise InputError("engine.in_session")
    main = sys.modules["__main__"]
    shell: ZMQInteractiveShell = ZMQInteractiveShell.instance()
    sys.modules["__main__"] = main  # the shell has put its own there, which is for the cells alone
    return shell


def refuse_input(prompt: object = "", /) -> str:
    """What `input` does where nobody can answer."""
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")
