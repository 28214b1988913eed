"""A crash and a full disk at every call that changes the disk: nothing stale, half, lost, or run twice without need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shortened import IS_WHOLE

HERE = Path(__file__).parent
EVERY = 1 if IS_WHOLE else 11

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    command = [sys.executable, str(HERE / "points.py"), str(tmp_path_factory.mktemp("points")), str(EVERY)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def test_there_are_enough_points(points):
    """On a fresh folder and over older outputs; writes, fsyncs and renames among them."""
    assert len(points) >= 800
    for is_over in (False, True):
        calls = {(point["fault"], point["call"]) for point in points if point["over"] == is_over}
        for fault in ("crash", "full", "stays full"):
            assert {(fault, call) for call in ("open", "write", "fsync", "link", "rename", "replace")} <= calls
    assert len([point for point in points if point["wrong"] is not None]) == len(points) // EVERY


def test_a_resume_after_each_ends_as_a_clean_run(points):
    wrong = [
        f"{p['fault']}, {p['call']} {p['at']}, over older: {p['over']}: {p['wrong']}" for p in points if p["wrong"]
    ]
    assert not wrong, "\n".join(wrong[:20])
