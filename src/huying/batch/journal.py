"""What happened in a county's results folder, a line an event, and who may write there now; refuses a second batch."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from huying.errors import InputError, Place


class Journal:
    """An append-only file of events; a line that a crash cut off is passed over when it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def add(self, event: str, **values: Any) -> None:
        """Append one event with the time."""
        line = json.dumps(
            {"at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"), "event": event, **values},
            ensure_ascii=False,
        )
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, ("" if self._ends_a_line() else "\n").encode() + f"{line}\n".encode())
        finally:
            os.close(handle)

    def _ends_a_line(self) -> bool:
        with self.file.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def events(self) -> list[dict[str, Any]]:
        """Every whole event, oldest first."""
        found = []
        for line in self.file.read_text("utf-8", errors="replace").splitlines() if self.file.is_file() else []:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [event for event in found if isinstance(event, dict) and "event" in event]


def myself() -> dict[str, Any]:
    """This process: pid, when it started, host."""
    return {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "host": platform.node(),
        "token": uuid.uuid4().hex,
    }


def holder(file: Path) -> dict[str, Any] | None:
    """Who holds the lock, None where nobody does; a process of this host that is gone holds nothing."""
    try:
        held: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return (
            None
            if file.stat().st_size == 0 and _is_old(file)
            else {"pid": "?", "host": "?", "started": 0.0, "token": ""}
        )
    return held if held["host"] != platform.node() or is_alive(held) else None


def _is_old(file: Path) -> bool:
    return dt.datetime.now().timestamp() - file.stat().st_mtime > 5


def is_alive(held: dict[str, Any]) -> bool:
    """Whether the process that wrote a lock still runs: its pid, started when it says."""
    try:
        return bool(abs(psutil.Process(held["pid"]).create_time() - held["started"]) < 0.01)
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock within the block; raises InputError where another batch holds it, naming its process."""
    file.parent.mkdir(parents=True, exist_ok=True)
    own = myself()
    if not _take(file, own):
        held = holder(file)
        if held is not None:
            raise InputError("batch.locked", Place(str(file)), pid=held["pid"], host=held["host"])
        _clear(file)
        if not _take(file, own):
            raise InputError("batch.locked", Place(str(file)), pid="?", host="?")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if json.loads(file.read_text("utf-8"))["token"] == own["token"]:
                file.unlink()


def _take(file: Path, own: dict[str, Any]) -> bool:
    """Make the lock, whole at once: a file of one's own under a second name, which must not be taken."""
    beside = file.with_name(f".{file.name}.{own['token']}")
    try:
        beside.write_text(json.dumps(own), "utf-8")
        try:
            os.link(beside, file)
        except FileExistsError:
            return False
        except OSError:  # a disk without links
            try:
                with file.open("x", encoding="utf-8") as made:
                    made.write(json.dumps(own))
            except FileExistsError:
                return False
        return True
    finally:
        beside.unlink(missing_ok=True)


def _clear(file: Path) -> None:
    """Move a dead holder's lock away; if another batch was quicker, it is put back."""
    away = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    with contextlib.suppress(FileNotFoundError):
        file.rename(away)
        if holder(away) is not None:
            with contextlib.suppress(OSError):
                os.link(away, file)
        away.unlink()
