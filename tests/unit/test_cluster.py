"""Many counties, each by a command of its own: here in turn, or on Dask's workers, one of which is killed and one stopped."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from test_batch import COUNTY, TOWNS, notebook

from huying import cli
from huying.batch import cluster as cluster_module
from huying.words import CountyError

NAMES = [f"c{n}" for n in range(5)]
CELL = """
import os, time
from pathlib import Path
home = Path(os.environ["HUYING_HOME"])
with (home / f"{county}.log").open("a") as log:
    log.write(f"{town}\\n")
time.sleep(1)
f"{county} {town}"
"""
REGISTER = "town_id,name_zh,name_en,type,pop,adults,n_villages\n" + "".join(
    f"{town},样{town}镇,Town {town},town,1000,800,1\n" for town in TOWNS[:2]
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Five counties of two towns; a notebook says in a log that it ran."""
    for name in NAMES:
        folder = tmp_path / "survey_data" / name
        folder.mkdir(parents=True)
        (folder / "county.toml").write_text(COUNTY.replace('"toy"', f'"{name}"'), "utf-8")
        (folder / "towns.csv").write_text(REGISTER, "utf-8")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "a.ipynb").write_text(notebook(CELL, places="all"), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUYING_RESULTS", raising=False)
    return tmp_path


def told(capsys, *words):
    capsys.readouterr()
    code = cli.main(["run", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def runs_of(project):
    """What each county's log says, in order."""
    return {file.stem: sorted(file.read_text().split()) for file in sorted(project.glob("*.log"))}


def outputs_of(project):
    """The cells and outputs of every notebook made, without the times and ids that papermill notes."""
    files = sorted((project / "results").glob("*/notebooks/*.ipynb"))
    return {
        str(file.relative_to(project)): [cell.get("outputs") for cell in json.loads(file.read_text("utf-8"))["cells"]]
        for file in files
    }


def keep(project, n):
    """So many of the counties."""
    for name in NAMES[n:]:
        shutil.rmtree(project / "survey_data" / name)
    return NAMES[:n]


class Cluster:
    """What the code asks of Dask, done here: the second of its tasks raises."""

    def __init__(self, address, timeout):
        self.address, self.waited, self.given = address, [], []

    def __enter__(self):
        return self

    def __exit__(self, *how):
        pass

    def wait_for_workers(self, n, timeout):
        if self.address == "nobody":
            raise TimeoutError
        self.waited.append(n)

    def submit(self, do, *given, pure):
        assert self.waited == [1] and not pure  # a county that is run again is run again
        self.given.append(given)
        raised = ValueError("lost") if len(self.given) == 2 else None
        return Mock(**{"exception.return_value": raised, "result.side_effect": lambda: do(*given)})


def test_each_county_of_a_cluster_is_told_as_it_ends_also_one_whose_task_was_lost(monkeypatch):
    monkeypatch.setattr(cluster_module, "run_one", lambda *given: {"code": 0, "given": given})
    monkeypatch.setattr(cluster_module, "code_hash", lambda: "package")
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Cluster, as_completed=list))
    told = list(cluster_module.run_counties(["a", "b", "c"], ["--x"], "tcp"))
    done = {name: {"code": 0, "given": (name, ["--x"], "package")} for name in "abc"}
    assert told == [("a", done["a"]), ("b", {"code": 1, "error": "lost"}), ("c", done["c"])]
    assert list(cluster_module.run_counties(["a", "b"], ["--x"], "")) == [("a", done["a"]), ("b", done["b"])]
    with pytest.raises(CountyError, match=r"at nobody \(TimeoutError\)"):
        list(cluster_module.run_counties(["a"], [], "nobody"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CountyError, match="Dask is not installed"):
        list(cluster_module.run_counties(["a"], [], "tcp"))


@pytest.mark.parametrize(
    ("out", "err", "code", "told"),
    [
        ('{"done": 3}', "", 0, {"done": 3, "code": 0, "error": ""}),
        ('{"failures": [{"error": "x"}, {"error": "y"}]}', "z", 1, {"code": 1, "error": "x; y"}),
        ("", "first\nlast", 2, {"code": 2, "error": "last"}),
        ("no object", "", -9, {"code": -9, "error": ""}),
    ],
)
def test_what_the_command_of_a_county_told_is_its_numbers_its_code_and_its_errors(
    monkeypatch, tmp_path, out, err, code, told
):
    asked = []

    def run(command, capture_output, encoding, check):
        asked.append((command[1:], capture_output, encoding, check))
        return SimpleNamespace(stdout=out, stderr=err, returncode=code)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(cluster_module, "code_hash", lambda: "package")
    found = cluster_module.run_one(str(tmp_path), ["--x"], "package")
    assert {name: found[name] for name in told} == told
    assert asked == [(["-m", "huying", "run", str(tmp_path), "--json", "--x"], True, "utf-8", False)]
    for folder, package, said in (
        (str(tmp_path), "another", "not the one that gave"),
        ("/nowhere", "package", "does not see /nowhere"),
    ):
        refused = cluster_module.run_one(folder, [], package)
        assert refused["code"] == 2 and said in refused["error"] and len(asked) == 1


def test_of_counties_one_after_another_each_tells_why_it_fails(project, capsys):
    keep(project, 2)
    (project / "survey_data" / "c0" / "towns.csv").write_text("town_id\nT01\n", "utf-8")
    code, table = told(capsys, "--all", "--notebooks", "none")
    assert code == 1 and [found["code"] for found in table.values()] == [2, 2]
    assert ["towns.csv" in found["error"] for found in table.values()] == [True, False]
    assert "no notebook called none" in table[str(project / "survey_data" / "c1")]["error"]


@pytest.mark.slow
def test_all_counties_one_after_another_and_one_that_fails_costs_no_other(project, capsys):
    (project / "survey_data" / "c3" / "towns.csv").write_text("town_id\nT01\n", "utf-8")
    code, table = told(capsys, "--all", "--towns", "county")
    assert code == 1 and [found["code"] for found in table.values()] == [0, 0, 0, 2, 0]
    assert "towns.csv" in table[str(project / "survey_data" / "c3")]["error"]
    code, table = told(capsys, "c0", "c4", "--towns", "county", "T01", "--dry-run")
    assert code == 0 and [(found["done"], found["missing"]) for found in table.values()] == [(1, 1), (1, 1)]
    code, table = told(capsys, "c0", "c1", "--towns", "county")
    assert code == 0 and [found["fresh"] for found in table.values()] == [1, 1]


@pytest.fixture
def cluster(project, request):
    """A scheduler that gives a silent worker up after five seconds, and so many workers: address and processes."""
    environ = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s"}
    quiet = {"env": environ, "cwd": project, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    said = project / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    processes = [subprocess.Popen([*dask, "--port", "0", "--no-dashboard", "--scheduler-file", said], **quiet)]
    while not said.is_file():
        time.sleep(0.1)
    address = json.loads(said.read_text())["address"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    alone = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
    processes += [subprocess.Popen([*worker, *alone], **quiet) for _ in range(request.param)]
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()


def run_on(address, project, disturb):
    """What all counties told on a cluster that is disturbed when two of them are at work."""
    command = [sys.executable, "-m", "huying", "run", "--all", "--json", "--scheduler", address, "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        while len(list(project.glob("*.log"))) < 2:
            time.sleep(0.1)
        disturb()
        table = json.loads(running.communicate(timeout=180)[0])
    assert running.returncode == 0, table
    return {Path(folder).name: found["done"] + found["fresh"] for folder, found in table.items()}


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_counties_on_a_cluster_are_whole_and_run_once_though_a_worker_is_killed(project, cluster):
    address, workers = cluster
    names = keep(project, 2)
    assert run_on(address, project, workers[0].kill) == dict.fromkeys(names, 3)
    assert runs_of(project) == {name: [*TOWNS[:2], "county"] for name in names}  # none twice
    assert len(outputs_of(project)) == 6 and all(map(any, outputs_of(project).values()))


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_counties_on_a_cluster_are_whole_and_run_once_though_a_worker_is_killed_and_one_stopped(project, cluster):
    address, workers = cluster

    def disturb():
        workers[0].send_signal(signal.SIGKILL)
        workers[1].send_signal(signal.SIGSTOP)

    counted = run_on(address, project, disturb)
    with contextlib.suppress(ProcessLookupError):
        workers[1].send_signal(signal.SIGCONT)
    assert counted == dict.fromkeys(NAMES, 3)
    assert runs_of(project) == {name: [*TOWNS[:2], "county"] for name in NAMES}  # none twice
    by_cluster = outputs_of(project)
    shutil.rmtree(project / "results")
    # a killed worker's county may still be at work
    assert [cli.main(["run", name, "--wait", "120"]) for name in NAMES] == [0] * 5
    assert len(by_cluster) == 15 and outputs_of(project) == by_cluster


def test_what_a_cluster_cannot_do_is_said(project, capsys, monkeypatch):
    monkeypatch.setattr("huying.batch.cluster.PATIENCE_S", 1)
    for lang, said in (("en", "no answer from the Dask scheduler"), ("zh", "没有回应")):
        assert cli.main(["run", "--all", "--scheduler", "tcp://127.0.0.1:9", "--lang", lang]) == 2
        assert said in capsys.readouterr().err
    monkeypatch.setattr("huying.batch.cluster.code_hash", iter(["one", "another", "another"]).__next__)
    code, table = told(capsys, "c0", "c1", "--lang", "en")
    assert code == 1 and all("not the one that gave the command" in found["error"] for found in table.values())
