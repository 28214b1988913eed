"""Brings a fault at one call after another that changes the disk, resumes, and compares with a run without one.

`points.py FOLDER EVERY`: every EVERYth call, in a process of its own without threads, so that it can fork. Prints a JSON
list: fault, over older outputs or not, which call, and what was wrong after it.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from disk import CRASH, FULL, NEED_ROOM, STAYS_FULL, Disk
from stand_in import Hands, make_county, make_index, make_site, plain, requests, shelved

from huying.batch.journal import locked
from huying.batch.outputs import faults_of, garbage, sweep
from huying.batch.receipts import POINTER, standing
from huying.batch.run import run
from huying.errors import HuyingError, InputError

ROOM = "No space left"


class Trial:
    """A folder, fresh or with older outputs, and what a run without a fault makes of it."""

    def __init__(self, folder, is_over):
        self.folder, self.is_over = folder, is_over
        self.county = make_county(folder / "county")
        self.indexes = [make_index(folder / name, shift) for name, shift in (("old", 1), ("new", 2))]
        self.old, site = {}, self.prepared("clean")
        if is_over:
            self.old = plain(site)
        with Disk(site.folder) as disk:
            self.work(site)
        self.calls, self.clean = disk.calls, plain(site)
        self.keys = {one.name: pointed(site, one.name) for one in requests(site)}
        self.built = {name: shelved(site.shelf.built / name / key) for name, key in self.keys.items()}

    def prepared(self, name):
        """A county's outputs as they stand before the run."""
        folder, (old, new) = self.folder / name, self.indexes
        if self.is_over:
            site = make_site(self.county, folder, old)
            with Disk(site.folder):
                self.work(site)
        return make_site(self.county, folder, new)

    def work(self, site):
        """One run as the command line makes it; returns its summary and the towns that were run."""
        hands = Hands(site.index)
        with locked(site.lock):
            return run(site, site.plan(requests(site)), hands), hands.ran

    def point(self, fault, at):
        """What is wrong after a fault at a call, before and after the resume."""
        site = self.prepared("trial")
        try:
            return [*self.struck(site, fault, at), *self.half(site), *self.resumed(site)]
        finally:
            shutil.rmtree(self.folder / "trial", ignore_errors=True)

    def struck(self, site, fault, at):
        """Run with the fault."""
        if fault != CRASH:
            return self.filled(site, fault, at)
        if (pid := os.fork()) == 0:
            try:
                with Disk(self.folder / "trial", fault, at):
                    self.work(site)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return [] if code == 9 else [f"the crash did not come: exit {code}"]

    def filled(self, site, fault, at):
        """A full disk is a message before anything is run, or failures that name it while the others go on."""
        with Disk(self.folder / "trial", fault, at) as disk:
            try:
                summary, ran = self.work(site)
            except InputError as refused:
                is_told = ROOM in refused.say() and plain(site) == self.old
                return [] if is_told else [f"refused: {refused.say()}"]
            except OSError as error:
                return [f"raised: {error!r}"]
        wrong = [] if len(ran) == len(summary.failed) + summary.done == 5 else ["a job was not begun"]
        wrong += [f"failure: {one.error}" for one in summary.failed if ROOM not in one.error]
        wrong += ["failed more than one"] if fault == FULL and len(summary.failed) > 1 else []
        return wrong + ([] if len(disk.calls) >= at else ["the fault did not come"])

    def half(self, site):
        """What a reader would find before the resume that is neither old nor new."""
        found = {name: content for name, content in plain(site).items() if not Path(name).name.startswith(".")}
        wrong = [
            f"half: {name}"
            for name, content in found.items()
            if content not in (self.old.get(name), self.clean.get(name))
        ]
        pointers = {name: pointed(site, name) for name in self.keys}
        return wrong + [f"pointer: {name}" for name, key in pointers.items()
                        if key and not standing(site.shelf.built / name / key)]  # fmt: skip

    def resumed(self, site):
        """Run again without a fault, and compare."""
        site = make_site(self.county, self.folder / "trial", self.indexes[1])
        needed = [
            one.place for one in requests(site) if not standing(site.shelf.built / one.name / self.keys[one.name])
        ]
        try:
            with Disk(site.folder):
                summary, ran = self.work(site)
        except (HuyingError, OSError) as error:
            return [f"no resume: {error!r} {error}"]
        wrong = [f"failed: {one.error}" for one in summary.failed]
        wrong += [f"run without need: {set(ran) - set(needed)}"] if set(ran) - set(needed) else []
        wrong += [f"lost: {set(needed) - set(ran)}"] if set(needed) - set(ran) else []
        wrong += [f"twice: {ran}"] if len(ran) != len(set(ran)) else []
        found = plain(site)
        wrong += [f"differs: {name}" for name in {*found, *self.clean} if found.get(name) != self.clean.get(name)]
        return wrong + self.left(site)

    def left(self, site):
        """What is wrong on the shelf after the resume and a sweep."""
        wrong = [f"fault of {name}: {found}" for name in self.keys if (found := faults_of(site.shelf, name))]
        sweep(garbage(site.shelf))
        for name, key in self.keys.items():
            here = site.shelf.built / name
            wrong += [f"left: {path}" for path in here.iterdir() if path.name not in (key, POINTER)]
            wrong += [] if shelved(here / key) == self.built[name] else [f"built differs: {name}"]
        wrong += [
            f"left: {path.name}"
            for path in site.folder.iterdir()
            if path.name not in ("built", "notebooks", "journal.jsonl")
        ]
        return wrong


def pointed(site, name):
    pointer = site.shelf.built / name / POINTER
    return pointer.read_text("utf-8") if pointer.is_file() else ""


def main(folder, every):
    found, turn = [], 0
    for is_over in (False, True):
        trial = Trial(Path(folder) / ("over" if is_over else "fresh"), is_over)
        for fault in (CRASH, FULL, STAYS_FULL):
            for at, call in enumerate(trial.calls, 1):
                if fault == CRASH or call in NEED_ROOM:
                    turn += 1
                    wrong = trial.point(fault, at) if turn % every == 0 else None
                    found.append({"fault": fault, "over": is_over, "at": at, "call": call, "wrong": wrong})
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
