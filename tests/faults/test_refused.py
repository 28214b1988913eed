"""What a disk or another batch refuses is one message that says what to do, and nothing half-made is left."""

import errno
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from shortened import IS_WHOLE
from stand_in import TOWNS, Hands, make_county, make_index, make_site, plain, requests

from huying import store
from huying.batch import journal
from huying.batch.journal import holder, locked
from huying.batch.outputs import faults_of, garbage, sweep
from huying.batch.plan import Request
from huying.batch.run import run
from huying.errors import InputError

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return make_index(tmp_path_factory.mktemp("index"), 1)


@pytest.fixture
def site(tmp_path, index, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", "")  # so that it is put back
    return make_site(make_county(tmp_path / "county"), tmp_path / "out", index)


def work(site, wanted=None):
    """One run; returns its summary and the towns that were run."""
    hands = Hands(site.index)
    with locked(site.lock):
        return run(site, site.plan(wanted or requests(site)), hands), hands.ran


def refusing(monkeypatch, name, number, is_meant=lambda path: True):
    """Let a call of `os` refuse for paths that are meant."""
    real = getattr(os, name)

    def call(*args, **kwargs):
        if is_meant(str(args[-1] if name == "link" else args[0])):
            raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, call)


# --- folders that cannot be written -----------------------------------------------------------------------------------


def test_a_file_in_place_of_the_results_folder(site):
    site.folder.parent.mkdir(parents=True)
    site.folder.write_text("mine", "utf-8")
    with pytest.raises(InputError) as caught:
        work(site)
    assert str(caught.value).startswith(f"{site.lock}: cannot be written: ")
    assert "Check disk space and the folder's permissions" in str(caught.value)
    assert site.folder.read_text("utf-8") == "mine"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_results_folder_that_refuses_is_one_message(site, monkeypatch, number):
    site.folder.mkdir(parents=True)
    refusing(monkeypatch, "open", number, lambda path: path.startswith(str(site.folder)))
    with pytest.raises(InputError) as caught:
        work(site)
    assert str(caught.value) == (
        f"{site.lock}: cannot be written: {os.strerror(number)}. Check disk space and the folder's permissions, "
        "and close programs that hold the file open"
    )
    assert list(site.folder.iterdir()) == []


def test_a_file_in_place_of_the_figures_folder_fails_each_job_with_its_reason(site):
    site.shelf.figures.parent.mkdir(parents=True)
    site.shelf.figures.write_text("mine", "utf-8")
    summary, ran = work(site)
    assert ran == [*TOWNS, "county"] and summary.done == 0
    assert all("cannot be written" in failed.error and "Check disk space" in failed.error for failed in summary.failed)
    assert not [name for name in plain(site) if not name.endswith(".ipynb")]
    site.shelf.figures.unlink()
    assert work(site)[1] == []  # all was whole on the shelf and needed its names only
    assert all(faults_of(site.shelf, one.name) == [] for one in requests(site))


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_figures_on_another_device_or_a_disk_without_links_are_copies(site, monkeypatch, number):
    refusing(monkeypatch, "link", number)
    summary, _ = work(site)
    assert (summary.done, summary.failed) == (5, [])
    (file,) = site.shelf.figures.glob("chart0_T01*")
    assert file.stat().st_nlink == 1
    assert work(site)[1] == []
    assert garbage(site.shelf) == []
    assert all(faults_of(site.shelf, one.name) == [] for one in requests(site))
    assert not [name for name in plain(site) if name.startswith(".")]


def test_garbage_that_cannot_be_deleted_is_one_message(site, monkeypatch):
    work(site)
    (site.shelf.built / requests(site)[0].name / ".left.part").touch()
    refusing(monkeypatch, "unlink", errno.EACCES)
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        sweep(garbage(site.shelf))


# --- long names -------------------------------------------------------------------------------------------------------


def test_a_path_of_more_than_260_characters(site, tmp_path, index):
    deep = tmp_path.joinpath(*["长" * 60] * 4)
    far = make_site(site.county, deep, index)
    assert len(str(far.shelf.plain(requests(far)[0].name, "notebook.ipynb"))) > 260
    summary, _ = work(far)
    assert (summary.done, summary.failed) == (5, [])


def test_a_component_that_is_too_long_says_what_to_do(site, tmp_path, index):
    far = make_site(site.county, tmp_path / ("x" * 256), index)
    with pytest.raises(InputError) as caught:
        work(far)
    assert str(caught.value).endswith(
        "the path is too long to be written: File name too long. "
        "Move the project to a folder with a shorter path, or use shorter ids and names"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["county"]


@pytest.mark.parametrize("town", ["T" * 300, "镇" * 120])
def test_a_long_id_of_a_town_becomes_a_name_that_fits(site, town):
    request = Request("calls", site.notebooks / "calls.ipynb", site.parameters(town, town, "en"), "code")
    assert len(f".{request.name}.failed.ipynb".encode()) < 255
    assert store.file_part(town) != store.file_part(town + town[0])


@pytest.mark.skipif(sys.platform == "win32", reason="folders are told apart by their device there")
def test_a_name_too_long_for_the_disk_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="the path is too long"):
        store.write_text(tmp_path / ("x" * 300), "text")
    assert list(tmp_path.iterdir()) == []


# --- a second batch ---------------------------------------------------------------------------------------------------


def held_by(pid, started, **more):
    return json.dumps({"pid": pid, "started": started, "host": platform.node(), "token": "t", **more})


def test_a_second_batch_names_the_first_and_writes_nothing(site):
    with locked(site.lock):
        before = sorted(site.folder.parent.rglob("*"))
        with pytest.raises(InputError) as caught:
            work(site)
        assert f"another batch is writing to this folder (process {os.getpid()} on {platform.node()})" in str(
            caught.value
        )
        assert "Wait for it" in str(caught.value)
        assert sorted(site.folder.parent.rglob("*")) == before
    assert not site.lock.exists()


def test_a_batch_on_another_host_is_believed(site):
    site.lock.parent.mkdir(parents=True)
    site.lock.write_text(held_by(1, 0.0, host="elsewhere"), "utf-8")
    with pytest.raises(InputError, match=r"process 1 on elsewhere.*if that host is gone, delete this file"):
        work(site)
    assert holder(site.lock)["host"] == "elsewhere"


def gone():
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


DEAD = {
    "gone": lambda: held_by(gone(), 1.0),
    "another process has its pid now": lambda: held_by(os.getpid(), psutil.Process().create_time() - 60),
    "half": lambda: held_by(1, 1.0)[:20],
    "empty": lambda: "",
    "of another form": lambda: "[]",
}


@pytest.mark.parametrize("name", DEAD)
def test_a_dead_lock_is_taken_over(site, name):
    site.lock.parent.mkdir(parents=True)
    site.lock.write_text(DEAD[name](), "utf-8")
    os.utime(site.lock, (time.time() - 60,) * 2)
    (site.lock.parent / ".lock.left").write_text("of one that died while it took it", "utf-8")
    assert holder(site.lock) is None
    with locked(site.lock):
        assert holder(site.lock)["pid"] == os.getpid()
    assert sorted(site.lock.parent.iterdir()) == []


def test_half_a_lock_of_a_moment_ago_is_being_written(site):
    site.lock.parent.mkdir(parents=True)
    site.lock.write_text("{", "utf-8")
    with pytest.raises(InputError, match="another batch"):
        work(site)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are zombies only where there are forks")
def test_a_process_that_nobody_has_buried_holds_nothing():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    held = {"pid": process.pid, "started": psutil.Process(process.pid).create_time()}
    assert journal.is_alive(held)
    process.stdin.close()
    until = time.monotonic() + 10
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.01)
    assert not journal.is_alive(held)
    process.wait()


def test_a_lock_on_a_full_disk_without_links_leaves_no_half(site, monkeypatch):
    site.folder.mkdir(parents=True)
    refusing(monkeypatch, "link", errno.EPERM)
    real, seen = os.write, []

    def write(handle, content):
        seen.append(1)
        if len(seen) == 2:
            real(handle, bytes(content[:9]))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, content)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(InputError, match="No space left"):
            work(site)
    assert list(site.folder.iterdir()) == []
    assert len(work(site)[1]) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the racers are forked")
def test_of_twenty_at_once_one_gets_the_lock(tmp_path):
    command = [sys.executable, str(Path(__file__).with_name("race.py")), str(tmp_path), "60" if IS_WHOLE else "9"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert found == [[1, []]] * len(found)
