"""What happened in a county's results folder, a line an event, and who may write there now; refuses a second batch."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import platform
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from huying.errors import InputError, Place
from huying.store import told, write_flushed

HALF_S = 5.0  # after which half a lock is no lock that is being written
CLOCK_S = 2.0  # by which two processes may date the start of a third apart while the clock is set
UNKNOWN = {"pid": "?", "host": "?", "started": 0.0, "token": ""}


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
    """Who holds the lock, None where nobody does: a process of this host that is gone holds nothing, nor does half a lock that stays."""
    try:
        held: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return held if held["host"] != platform.node() or is_alive(held) else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None if _age(file) > HALF_S else UNKNOWN


def _age(file: Path) -> float:
    try:
        return dt.datetime.now().timestamp() - file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def is_alive(held: dict[str, Any]) -> bool:
    """Whether the process that wrote a lock still runs: its pid, started when it says, and no zombie that nobody has buried."""
    try:
        process = psutil.Process(held["pid"])
        return bool(abs(process.create_time() - held["started"]) < CLOCK_S and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock within the block; raises InputError where another batch holds it, naming its process, or the disk refuses."""
    own = myself()
    with told(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        is_taken = _seize(file, own)
    if not is_taken:
        held = holder(file) or UNKNOWN
        raise InputError("batch.locked", Place(str(file)), pid=held["pid"], host=held["host"])
    try:
        _tidy(file)
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if json.loads(file.read_text("utf-8"))["token"] == own["token"]:
                file.unlink()


def _seize(file: Path, own: dict[str, Any]) -> bool:
    """Take the lock, also from a holder that is dead.

    A dead lock is replaced only by who holds the lock on that very lock, so no two replace it and none that lives goes.
    """
    if _take(file, own):
        return True
    with contextlib.suppress(FileNotFoundError):  # given back a moment ago
        dead = file.read_bytes()
        over = _aside(file, hashlib.sha256(dead).hexdigest()[:12])
        if holder(file) is None and _seize(over, own):
            try:
                return file.read_bytes() == dead and _replace(file, own)
            finally:
                over.unlink(missing_ok=True)
    return False


def _aside(file: Path, mark: str) -> Path:
    return file.with_name(f".{file.name.lstrip('.')}.{mark}")


@contextlib.contextmanager
def _written(file: Path, own: dict[str, Any]) -> Iterator[Path]:
    """A file beside the lock that says whose it is, gone after the block."""
    beside = _aside(file, uuid.uuid4().hex)
    try:
        write_flushed(beside, json.dumps(own).encode())
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def _take(file: Path, own: dict[str, Any]) -> bool:
    """Make the lock, whole at once: a file of one's own under a second name, which must not be taken."""
    with _written(file, own) as beside:
        try:
            os.link(beside, file)
        except FileExistsError:
            return False
        except OSError:  # a disk without links
            return _make(file, own)
    return True


def _make(file: Path, own: dict[str, Any]) -> bool:
    try:
        write_flushed(file, json.dumps(own).encode())
    except FileExistsError:
        return False
    except OSError:
        file.unlink(missing_ok=True)
        raise
    return True


def _replace(file: Path, own: dict[str, Any]) -> bool:
    with _written(file, own) as beside:
        beside.replace(file)
    return True


def _tidy(file: Path) -> None:
    """Remove what processes that died while they took the lock left; who is taking it now only finds it taken."""
    for left in file.parent.glob(f".{file.name}.*"):
        with contextlib.suppress(OSError):
            left.unlink()
