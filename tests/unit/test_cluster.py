"""Jobs on real Dask workers, some killed or hung: each whole and once; a defect is one message and leaves nothing."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cluster_stand_in as stand_in
import psutil
import pytest
from distributed import LocalCluster

import huying
from huying.batch import cluster, readiness
from huying.batch.window import Window
from huying.errors import HuyingError

SRC = Path(huying.__file__).parents[1]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops and kills by POSIX signals")


def run(jobs, done, warm=None, scheduler="local", log=None, workers=3, limit_s=1.5, retries=2):
    return cluster.run_on_dask(
        jobs, stand_in.work, done, scheduler=scheduler, workers=workers, limit_s=limit_s, retries=retries,
        warm=warm or dict, log=log or (lambda event, facts: None),
    )  # fmt: skip


def places(n, **more):
    return [{"place": f"{i:03}", "sleep": 0.01, **more} for i in range(n)]


def strike(begun, results, sig):
    """A signal to the worker that began a job last; its job is not back yet."""
    running = [p for p in begun.iterdir() if not (results / p.name).exists() and p.read_text()]
    os.kill(int(max(running, key=lambda p: p.stat().st_mtime_ns).read_text()), sig)


def listening():
    """The addresses at which this process and its children listen."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {c.laddr.ip for p in family for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}


def workers_alive():
    return [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]


@pytest.mark.slow
def test_200_jobs_of_which_one_worker_is_killed_and_one_hangs(tmp_path, capfd):
    results, begun, events, heard = tmp_path / "results", tmp_path / "begun", [], set()
    results.mkdir()
    begun.mkdir()

    def done(job, result):
        with (results / job["place"]).open("xb") as file:  # a second time would fail
            file.write(result)
        n = len(list(results.iterdir()))
        if n == 60:
            heard.update(listening())
            strike(begun, results, signal.SIGKILL)
        if n == 120:
            strike(begun, results, signal.SIGSTOP)

    jobs = places(200, sleep=0.05, pids=str(begun))
    warm = partial(stand_in.warm, str(tmp_path))
    failures = run(jobs, done, warm, log=lambda event, facts: events.append((event, facts)))

    assert failures == []
    assert {p.name: p.read_bytes() for p in results.iterdir()} == {
        job["place"]: stand_in.work({**job, "sleep": 0}) for job in jobs
    }
    names = [event for event, _ in events]
    assert (names.count("hung"), names.count("failed")) == (1, 0)
    assert {"joined", "lost", "again"} <= set(names)
    assert {p.read_text() for p in tmp_path.glob("warm-*")} == {"warm\n"}
    assert heard == {"127.0.0.1"}
    assert workers_alive() == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_what_cannot_be_done_is_given_up_and_named():
    bad = [{"place": "raises", "sleep": 0, "raises": True}, {"place": "hangs", "sleep": 99}]
    got = []
    failures = run([*bad, *places(20)], lambda job, result: got.append(job["place"]), limit_s=1, retries=0, workers=2)
    reasons = {failure.job["place"]: failure.reason for failure in failures}
    assert reasons == {"raises": "ValueError: a cell failed", "hangs": "not done within 1 s, tried 1 times"}
    assert sorted(got) == [job["place"] for job in places(20)]


@pytest.mark.parametrize(
    ("begins", "errors", "retries", "event"),
    [
        (1, 1, 0, "failed"),
        (1, 1, 1, "retry"),
        (2, 1, 1, "failed"),  # run again by Dask when its worker was lost, then failed
        (0, 1, 0, "retry"),  # it only waited beside the job that ended their worker
        (0, 6, 9, "failed"),  # but not for ever
    ],
)
def test_when_a_job_is_given_up(begins, errors, retries, event):
    events = []
    window = Window(None, "run", "local", ["a"], None, None, 1, retries, lambda event, facts: events.append(event))
    window.begins[0], window.errors[0] = begins, errors
    window.again(0, "why")
    assert (events, len(window.waiting), len(window.failures)) == ([event], event == "retry", event == "failed")


@pytest.mark.slow
def test_an_interrupt_ends_it_within_three_seconds(capfd):
    pressed = []

    def done(job, result):
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run([*places(1), *places(9, sleep=99)], done, workers=2)
    assert time.monotonic() - pressed[0] < 3
    assert len(pressed) == 1
    assert workers_alive() == []
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HuyingError) as caught:
            run(places(3), pytest.fail, scheduler=address)
    with pytest.raises(HuyingError, match=f"^no answer from the scheduler {address} "):
        run(places(3), pytest.fail, scheduler=address)  # closed now
    assert str(caught.value).startswith(f"no answer from the scheduler {address} (")
    assert str(caught.value).endswith("run here with --scheduler local. Nothing was sent")


@pytest.fixture
def own_scheduler():
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as made:
        yield made.scheduler_address


def test_a_scheduler_without_workers(own_scheduler, monkeypatch):
    monkeypatch.setattr(readiness, "WORKERS_S", 0.5)
    with pytest.raises(HuyingError, match=r"has had no worker for 0 s\. Start some with dask worker tcp://127"):
        run(places(3), pytest.fail, scheduler=own_scheduler)


def start_worker(scheduler, src, tmp_path):
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-dashboard",
               "--no-nanny", "--local-directory", str(tmp_path)]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(src), str(Path(__file__).parent)])}
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_worker_of_another_version(own_scheduler, tmp_path):
    shutil.copytree(SRC / "huying", tmp_path / "src" / "huying")
    with (tmp_path / "src" / "huying" / "words.py").open("a") as file:
        file.write("# another version\n")
    worker = start_worker(own_scheduler, tmp_path / "src", tmp_path)
    try:
        with pytest.raises(HuyingError) as caught:
            run(places(3), pytest.fail, scheduler=own_scheduler)
    finally:
        worker.kill()
        worker.wait()
    assert caught.value.values["worker"].startswith("tcp://127.0.0.1:")
    assert caught.value.values["what"] == "huying"
    assert "(1 in all differ). Install the same there" in str(caught.value)


def test_a_worker_that_cannot_get_ready():
    with pytest.raises(
        HuyingError, match=r"could not get ready: FileNotFoundError: no folder /shared/survey_data/demo\."
    ):
        run(places(3), pytest.fail, stand_in.cannot_warm, workers=1)


def test_what_differs():
    ours = {"huying": "a", "pandas": "3.0"}
    assert readiness.difference(ours, dict(ours)) is None
    assert readiness.difference(ours, {"huying": "a"}) == {"what": "pandas", "ours": "3.0", "theirs": "-"}
    assert readiness.difference(ours, ModuleNotFoundError("huying"))["what"] == "huying"
