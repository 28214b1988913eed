"""Lets twenty processes try for one lock at once, again and again; prints how many got it each time.

`race.py FOLDER TIMES`: in turn a lock that is free, one of a dead holder, and half a lock.
"""

import json
import os
import platform
import sys
import time
from pathlib import Path

from huying.batch.journal import locked
from huying.errors import InputError

RACERS, PATIENCE_S = 20, 20.0
DEAD = {"pid": 1 << 22, "started": 1.0, "host": platform.node(), "token": "t"}  # above the highest pid


def try_for(file, marks, number):
    """Take the lock and hold it until every other process was refused."""
    while not (marks / "go").exists():
        time.sleep(0.0005)
    try:
        with locked(file):
            (marks / f"{number}.got").touch()
            until = time.monotonic() + PATIENCE_S
            while len(list(marks.iterdir())) < RACERS + 1 and time.monotonic() < until:
                time.sleep(0.001)
    except InputError:
        (marks / f"{number}.refused").touch()


def race(folder, before):
    """How many of the racers got the lock, and what is left of it."""
    file, marks = folder / "place" / "lock", folder / "marks"
    file.parent.mkdir(parents=True)
    marks.mkdir()
    if before:
        file.write_text(before, "utf-8")
        os.utime(file, (1.0, 1.0))
    children = []
    for number in range(RACERS):
        if (pid := os.fork()) == 0:
            try_for(file, marks, number)
            os._exit(0)
        children.append(pid)
    (marks / "go").touch()
    for pid in children:
        os.waitpid(pid, 0)
    return len(list(marks.glob("*.got"))), [path.name for path in file.parent.iterdir()]


def main(folder, times):
    states = ("", json.dumps(DEAD), json.dumps(DEAD)[:20])
    print(json.dumps([race(Path(folder) / str(n), states[n % 3]) for n in range(times)]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
