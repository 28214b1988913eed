"""After a kill, a full disk or a folder that cannot be written, at any moment of any verb, one run ends as a clean one does.

`make test` and `make test-slow` try some moments; `make test-faults` every write of every process, and 150 kills at random moments.
"""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_batch import DRAW, RECORD, notebook, write_project

from huying import cli

IS_WHOLE = os.environ.get("HUYING_FAULTS") == "all"
EXPORT = "您在哪个镇？,您知道改革吗？,您几岁？\n样T01镇,知道,30\n样T02镇,不知道,40\n样T02镇,知道,50\n"
VERBS = {
    "check": ("check", "toy"),
    "prepare": ("prepare", "toy"),
    "freeze": ("freeze", "toy"),
    "templates": ("templates", "toy", "--force"),
    "new": ("new", "other", "export.csv", "--town", "您在哪个镇？"),
    "run": ("run", "toy", "--towns", "county", "T01", "--workers", "1"),
}
AGAIN = ("run", "toy", "--towns", "county", "T01")
# Imported by every interpreter of the command: fails, or is killed, at the n-th change of the disk below the project.
HOOK = """
import errno, os, signal, sys
way, at, root = os.environ["FAULT_WAY"], int(os.environ["FAULT_AT"]), os.environ["FAULT_ROOT"]
seen = 0
def is_change(event, args):
    if event == "open":
        mode, flags = args[1] or "", args[2] or 0
        return isinstance(args[0], str) and (any(c in mode for c in "wax+") or bool(flags & (os.O_WRONLY | os.O_RDWR)))
    return event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir")
def hook(event, args):
    global seen
    if is_change(event, args) and str(args[0]).startswith(root):
        seen += 1
        if seen == at:
            with open(os.environ["FAULT_LOG"], "a") as log:
                log.write("x")
            if way == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            number = errno.ENOSPC if way == "full" else errno.EACCES
            raise OSError(number, os.strerror(number), args[0])
sys.addaudithook(hook)
"""
OTHER = {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "7", "USER": "another"}


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    """Nothing of where the tests themselves are run says where a project's results are."""
    for name in [name for name in os.environ if name.startswith("HUYING")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A project with a county, an export and three notebooks, and the outputs of a clean run elsewhere, in another environment."""
    folder = tmp_path_factory.mktemp("faults")
    write_project(
        folder,
        a_claims=notebook("town_seen = 'T01'", RECORD, places="all", evidence="records"),
        b_chart=notebook("import os", DRAW, places="county"),
        c_page=notebook(
            "import pandas as pd",
            "len(pd.read_parquet('../results/toy/evidence.parquet'))",
            places="county",
            evidence="reads",
        ),
    )
    (folder / "export.csv").write_text(EXPORT, "utf-8")
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK, "utf-8")
    clean = folder.parent / "另 一处"
    shutil.copytree(folder, clean)
    assert huying(clean, *AGAIN, "--workers", "3", **OTHER, HOME=str(clean.parent)).returncode == 0
    return folder, outputs(clean)


def huying(project, *words, **environ):
    """A verb by a process of its own."""
    command = [sys.executable, "-m", "huying", *words]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUYING")}
    return subprocess.run(command, cwd=project, env={**plain, **environ}, capture_output=True, text=True, check=False)


def outputs(project):
    """Everything that stands in results and figures, receipts by what they say of outputs alone."""
    told = {}
    for file in sorted(path for part in ("results", "figures") for path in (project / part).rglob("*")):
        name = file.relative_to(project).as_posix()
        if file.name in (".lock", "made_from.json") or not file.is_file():
            continue
        told[name] = json.loads(file.read_text("utf-8"))["outputs"] if "receipts" in name else file.read_bytes()
    return told


def check_as_clean(project, expected, monkeypatch):
    """One run after the fault: all is well, nothing is half, and `verify` has no fault. In this process, whose parent of jobs is warm."""
    with monkeypatch.context() as patch:
        patch.chdir(project)
        assert cli.main(AGAIN) == 0
        frozen = project / "survey_data" / "toy" / "frozen.toml"
        if frozen.is_file():  # before the fault
            frozen.unlink()
            assert cli.main(AGAIN) == 0
        assert outputs(project) == expected
        assert cli.main(["verify", "toy"]) == 0


def test_a_county_prepared_by_any_verb_is_the_same_byte_for_byte(base, tmp_path):
    project = tmp_path / "prepared"
    shutil.copytree(base[0], project)
    assert huying(project, "prepare", "toy").returncode == 0
    made = outputs(project)
    assert len(made) > 3 and made == {name: base[1][name] for name in made}


SOME = {("run", "kill"): [17], ("prepare", "closed"): [9], ("new", "full"): [2]}
MORE = {("run", "full"): [17, 86], ("prepare", "kill"): [16]}
CASES = (
    {case: range(1, 500) for case in itertools.product(VERBS, ("kill", "full", "closed"))} if IS_WHOLE else SOME | MORE
)


def test_two_clean_runs_are_equal_byte_for_byte_wherever_they_are(base, tmp_path, monkeypatch):
    project = tmp_path / "here"
    shutil.copytree(base[0], project)
    check_as_clean(project, base[1], monkeypatch)


@pytest.mark.parametrize(
    ("verb", "way"), [pytest.param(*case, marks=[pytest.mark.slow] * (case in MORE)) for case in CASES]
)
def test_a_fault_at_a_change_of_the_disk_leaves_what_one_run_mends(base, tmp_path, monkeypatch, verb, way):
    for at in CASES[verb, way]:  # each, until there are no more changes
        project = tmp_path / f"p{at}"
        shutil.copytree(base[0], project)
        log = tmp_path / f"log{at}"
        fault = {"FAULT_WAY": way, "FAULT_AT": str(at), "FAULT_ROOT": str(project), "FAULT_LOG": str(log)}
        done = huying(
            project, *VERBS[verb], PYTHONPATH=f"{project / 'hook'}:{Path(__file__).parents[2] / 'src'}", **fault
        )
        if not log.exists():  # no more changes: a moment that was chosen must come, and `check` changes nothing
            assert IS_WHOLE and done.returncode == 0 and (at == 1) == (verb == "check")
            break
        assert way == "kill" or "Traceback" not in done.stderr, done.stderr
        assert way == "kill" or done.returncode == 0 or done.stderr.strip()
        check_as_clean(project, base[1], monkeypatch)
        shutil.rmtree(project)


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_what_one_run_mends(base, tmp_path, monkeypatch):
    draw = random.Random(7)
    for k in range(150 if IS_WHOLE else 2):
        project, verb = tmp_path / f"k{k}", draw.choice([*VERBS, "run", "run", "two at once"])
        shutil.copytree(base[0], project)
        command = [sys.executable, "-m", "huying", *VERBS.get(verb, VERBS["run"])]
        quiet = {"cwd": project, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = [subprocess.Popen(command, **quiet) for _ in range(2 if verb == "two at once" else 1)]
        time.sleep(draw.uniform(0.05, 6 if "run" in VERBS.get(verb, "run") else 2))
        for process in running:
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(0.5)  # its jobs end with it
        check_as_clean(project, base[1], monkeypatch)
        shutil.rmtree(project)


def test_verify_finds_a_changed_byte_in_every_kind_of_file(base, tmp_path, monkeypatch):
    project = tmp_path / "v"
    shutil.copytree(base[0], project)
    check_as_clean(project, base[1], monkeypatch)
    monkeypatch.chdir(project)
    files = [project / name for name in base[1]]
    assert len(files) >= 17 and len({(file.parent.name, file.suffix) for file in files}) >= 8
    for file in files:
        whole = file.read_bytes()
        for at in (0, len(whole) // 2, len(whole) - 1) if IS_WHOLE else (len(whole) // 2,):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            told = (
                {}
                if "receipts" in file.parts and json_of(file) == json.loads(whole)
                else {"fault": cli.main(["verify", "toy"])}
            )
            assert told in ({}, {"fault": 1}), file
        file.write_bytes(whole)
    assert cli.main(["verify", "toy"]) == 0


def json_of(file):
    """What a receipt says, nothing where it cannot be read."""
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError:
        return None
