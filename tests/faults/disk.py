"""A disk that counts every call that changes it, and at one of them fills up or loses its power; it forgets what was not flushed."""

import builtins
import contextlib
import errno
import io
import os
from pathlib import Path

CRASH, FULL, STAYS_FULL = "crash", "full", "stays full"
NEED_ROOM = ("open", "write", "fsync", "rename", "replace", "link", "mkdir")
NAMES = ("rename", "replace", "link", "mkdir", "unlink", "remove", "rmdir", "chmod")
WRITING = os.O_WRONLY | os.O_RDWR


class Raw(io.FileIO):
    """A file opened by Python's own `open`."""

    def __init__(self, disk, file, mode):
        disk.meet("open")
        self.disk = disk
        super().__init__(file, mode)
        disk.opened(self.fileno())

    def write(self, content):
        return self.disk.write(super().write, content)


class Disk:
    """Within `with`, the calls of this process; `at`: the call (from 1) at which the fault comes. `calls` names them all.

    A crash ends the process at once and leaves half of what was written but not flushed since. A call for which a full
    disk has no room raises OSError, a write after one half. Flushing is not handed on to the machine: it is slow.
    """

    def __init__(self, root, fault="", at=0):
        self.root, self.fault, self.at, self.calls, self.flushed = root, fault, at, [], {}
        self.real = {name: getattr(os, name) for name in ("open", "write", "fsync", *NAMES)} | {"io": io.open}

    def __enter__(self):
        for name in NAMES:
            setattr(os, name, self.counted(name))
        os.open, os.write, os.fsync = (
            self.os_open,
            lambda fd, some: self.write(lambda part: self.real["write"](fd, part), some),
            self.fsync,
        )
        io.open = builtins.open = self.io_open
        return self

    def __exit__(self, *exc):
        for name in ("open", "write", "fsync", *NAMES):
            setattr(os, name, self.real[name])
        io.open = builtins.open = self.real["io"]

    def counted(self, name):
        def call(*args, **kwargs):
            self.meet(name)
            return self.real[name](*args, **kwargs)

        return call

    def meet(self, call, half=lambda: None):
        """Count a call, and bring the fault if its time has come."""
        self.calls.append(call)
        n = len(self.calls)
        if self.fault == CRASH and n == self.at:
            half()
            self.forget()
            os._exit(9)
        is_full = n == self.at if self.fault == FULL else self.fault == STAYS_FULL and n >= self.at
        if is_full and call in NEED_ROOM:
            half()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def os_open(self, path, flags, *args, **kwargs):
        if flags & WRITING:
            self.meet("open")
        handle = self.real["open"](path, flags, *args, **kwargs)
        if flags & WRITING:
            self.opened(handle)
        return handle

    def io_open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *rest):
        if not set(mode) & set("wax+"):
            return self.real["io"](file, mode, buffering, encoding, errors, newline, *rest)
        raw = Raw(self, file, mode.replace("b", "").replace("t", ""))
        whole = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return whole if "b" in mode else io.TextIOWrapper(whole, encoding, errors, newline)

    def write(self, real, content):
        self.meet("write", lambda: real(bytes(content)[: len(content) // 2]))
        return real(content)

    def opened(self, handle):
        """What a file holds when it is opened is safe; a new one holds nothing."""
        key, size = identity(os.fstat(handle))
        self.flushed[key] = min(size, self.flushed.get(key, size))

    def fsync(self, handle):
        self.meet("fsync")
        key, size = identity(os.fstat(handle))
        if key in self.flushed:
            self.flushed[key] = size

    def forget(self):
        """Half of what was not flushed is gone."""
        for file in [path for path in Path(self.root).rglob("*") if path.is_file()]:
            key, size = identity(file.stat())
            with contextlib.suppress(KeyError):
                os.truncate(file, self.flushed[key] + (size - self.flushed[key]) // 2)


def identity(stat):
    return (stat.st_dev, stat.st_ino), stat.st_size
