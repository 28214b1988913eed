"""Kills at random moments of the command, its warm process and its forked children, and Ctrl-C: a resume ends as a clean run."""

import random
import signal
import subprocess
import time

import psutil
import pytest
from project import Project, children_of, half_of, stage_of
from shortened import IS_WHOLE

KILLS, TOWNS = (200, 36) if IS_WHOLE else (6, 7)
GONE_S, STOPPED_S = 2.0, 3.0

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif("sys.platform != 'linux'", reason="the warm process forks on Linux"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("kills") / "project", TOWNS)


class Life:
    """One process of `huying run` and what is done to it."""

    def __init__(self, project, dice):
        self.project, self.dice, self.kills = project, dice, 0
        self.before, self.process = len(project.site.journal.events()), project.start()
        self.seen = psutil.Process(self.process.pid)

    def is_running(self):
        return self.process.poll() is None

    def waited_for(self, find):
        """The first thing found while the run goes on, None where it ends before."""
        while self.is_running():
            try:
                if found := find():
                    return found
            except psutil.Error:
                pass  # gone while it was looked at
            time.sleep(0.01)
        return None

    def has_begun(self):
        return any(event["event"] == "start" for event in self.project.site.journal.events()[self.before :])

    def suffer(self, kind):
        """A kill or an interrupt at a random moment; `early`: while the run may not have begun."""
        if kind == "early":
            time.sleep(self.dice.uniform(0, 8))
        else:
            self.waited_for(self.has_begun)
            time.sleep(self.dice.uniform(0.01, 0.3))
        if kind == "interrupt":
            return self.interrupt()
        find = {
            "child": lambda: self.dice.choice(children_of(self.seen) or [None]),
            "stage": lambda: stage_of(self.seen),
        }
        victim = self.waited_for(find.get(kind, lambda: self.seen))
        if victim:
            victim.kill()
            self.kills += 1
        if victim is self.seen:
            self.process.wait()
            assert gone(self.project, GONE_S), [process.cmdline() for process in self.project.alive()]

    def interrupt(self):
        if self.is_running():
            self.process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            assert self.process.wait(60) == 130
            assert time.monotonic() - begun < STOPPED_S
            assert "Run the same command again to go on" in self.project.said()
            assert gone(self.project, GONE_S) and not self.project.site.lock.exists()

    def end(self):
        """Wait for the end; a run that was not ended itself says what failed."""
        code = self.process.wait(300)
        assert code in (0, 1, 130, -signal.SIGKILL), self.project.said()
        if code in (0, 1):
            assert bool(self.project.events("failed")) == bool(code)


def gone(project, seconds):
    """Whether no process of the project is alive any more, at the latest after some seconds."""
    until = time.monotonic() + seconds
    while project.alive():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def lives(dice):
    """What the lives of one round have to suffer: each ends when it is killed itself, stopped, or done."""
    if not IS_WHOLE:
        return [["child", "child", "stage", "child", "child", "parent"], ["interrupt"]]
    many = [dice.choices(("child", "stage"), (12, 1), k=dice.randint(8, 24)) for _ in range(2)]
    ends = dice.sample((["parent"], ["parent"], ["interrupt"], []), 2)
    return [*(some + end for some, end in zip(many, ends, strict=True)), ["early"]]


def test_every_resume_ends_as_a_clean_run(project):
    dice, kills = random.Random(20230604), 0
    assert project.finish() == 0, project.said()
    clean = project.plain()
    while kills < KILLS:
        old = project.name
        project.turn(project.round + 1)
        if project.round % 3 == 0:
            project.empty()
        for suffered in lives(dice):
            life = Life(project, dice)
            for kind in suffered:
                life.suffer(kind)
            life.end()
            kills += life.kills
            assert not half_of(project, clean, old)
        check_resume(project, clean)


def check_resume(project, clean):
    """All that was not whole is run once, nothing else, and everything is as in a clean run."""
    whole = project.whole()
    assert project.finish() == 0, project.said()
    assert project.plain() == clean
    assert project.faults() == {}
    needed = {name for name, key in project.keys().items() if key not in whole.get(name, ())}
    begun = project.events("start") if needed else []
    assert sorted(begun) == sorted(needed)


def test_a_process_that_is_still_warming_up_goes_with_its_parent(project):
    """It reads nothing then, so it does not see that nobody will give it orders."""
    code = "from huying.batch.crew import Crew; crew = Crew(1); crew.said.get(); print('up', flush=True); input()"
    process = project.start_python("-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.communicate()
    assert gone(project, GONE_S)
