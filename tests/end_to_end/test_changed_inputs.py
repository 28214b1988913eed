"""A changed input runs again just the notebooks whose numbers changed, and each of those; the set is computed here by itself."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from huying.batch import county_step
from huying.batch.crew import Crew
from huying.batch.plan import as_read
from huying.batch.run import run
from huying.batch.site import Site
from huying.folder import read_county

ROOT = Path(__file__).parents[2]
NOTEBOOKS, TOWNS = ["11_parallel_structures", "21_recommendations"], ["T01", "T10", "T07"]


@pytest.fixture
def project(tmp_path, folder):
    """The demo county in a project of its own, its county step done."""
    shutil.copytree(ROOT / "survey_data" / "demo", tmp_path / "survey_data" / "demo")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    shutil.copytree(folder, tmp_path / "results" / "demo", ignore=shutil.ignore_patterns("built", "notebooks"))
    return tmp_path


@pytest.fixture
def crew():
    with Crew(2) as crew:
        yield crew


def site_of(project):
    return Site(read_county(project / "survey_data" / "demo"))


def run_again(project, crew, monkeypatch):
    """Bring everything up to date; returns the jobs and the names of those that were run."""
    monkeypatch.setenv("HUYING_HOME", str(project))
    site = site_of(project)
    county_step.prepare(site.county)
    jobs = site.plan(site.requests(NOTEBOOKS, TOWNS, ["2023"], ["en"]))
    before = len(site.journal.events())
    summary = run(site, jobs, crew)
    assert not summary.failed
    return jobs, {event["job"] for event in site.journal.events()[before:] if event["event"] == "done"}


def blocks(project):
    """Every stored frame of the block, read with nothing of ours."""
    with zipfile.ZipFile(project / "results" / "demo" / "data" / "blocks" / "county.zip") as archive:
        names = [name.removesuffix(".arrow") for name in archive.namelist()]
        return {name: pa.ipc.open_file(archive.read(f"{name}.arrow")).read_pandas() for name in names}


def part(frames, name, place):
    frame = frames.get(name)
    if frame is None or place.startswith("#") or not place:
        return frame
    column = next(c for c in ("place", "town_id") if c in frame)
    return frame[frame[column] == place].reset_index(drop=True)


def same(before, after):
    return (before is None and after is None) or (before is not None and after is not None and before.equals(after))


def changed_jobs(project, before, after, jobs):
    """The jobs that read a frame which differs, by comparing the frames themselves."""
    found, site = set(), site_of(project)
    for name, receipt in site.receipts([job.request for job in jobs]).items():
        reads = [as_read(said) for said in receipt.reads]
        stored = [read for read in reads if read[0] in before or read[0] in after]
        if not all(same(part(before, *read), part(after, *read)) for read in stored):
            found.add(name)
    return found


def edit_one(project, stem, town, was, becomes):
    """Change one answer of one resident of a town, in the text file and in its number twin."""
    folder = project / "survey_data" / "demo" / "raw"
    files = {kind: folder / f"residents_2023_{kind}.csv" for kind in ("text", "number")}
    frames = {
        kind: pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig") for kind, file in files.items()
    }
    (column,) = [name for name in frames["text"] if stem in name]
    lives = next(name for name in frames["text"] if "您如今住在哪个镇街" in name)
    row = frames["text"].index[(frames["text"][lives] == town) & (frames["text"][column] == was)][0]
    for kind, frame in frames.items():
        frame.loc[row, column] = becomes[kind]
        frame.to_csv(files[kind], index=False, encoding="utf-8-sig")


def test_only_the_jobs_whose_numbers_changed_run_again(project, crew, monkeypatch):
    jobs, ran = run_again(project, crew, monkeypatch)
    names = {job.request.name for job in jobs}
    assert ran == names and len(names) == 8
    assert run_again(project, crew, monkeypatch)[1] == set()

    before = blocks(project)
    town = before["ledger:towns"].set_index("town_id").loc["T10", "name_zh"]
    edit_one(
        project, "还有什么想说", town, "不知道该找谁", dict.fromkeys(("text", "number"), "不知道该找谁，跑了好几趟")
    )
    jobs, ran = run_again(project, crew, monkeypatch)
    after = blocks(project)
    assert ran == changed_jobs(project, before, after, jobs)
    # a comment is counted for its town and in the county's total, and nowhere else
    assert ran == {"21_recommendations_T10_2023_en", "21_recommendations_county_2023_en"}

    edit_one(project, "今天之前您听说了没有", town, "没有听说", {"text": "听说了，情况比较清楚", "number": "1"})
    jobs, ran = run_again(project, crew, monkeypatch)
    assert ran == changed_jobs(project, after, blocks(project), jobs)
    # the pooled design effect moves every town's interval
    assert ran >= {f"11_parallel_structures_{place}_2023_en" for place in (*TOWNS, "county")}


def test_papermill_runs_a_notebook_in_the_warm_process_by_itself(folder, tmp_path):
    out = tmp_path / "out.ipynb"
    environ = {**os.environ, "HUYING_RESULTS": str(folder.parent), "HUYING_HOME": str(ROOT)}
    command = [sys.executable, "-m", "papermill", "--engine", "huying", "--log-level", "ERROR", "--no-progress-bar",
               "--cwd", str(ROOT), str(ROOT / "notebooks" / "00_data_quality.ipynb"), str(out), "-r", "lang", "en", "-r", "wave", "2023"]  # fmt: skip
    subprocess.run(command, check=True, env=environ)
    assert "Demo County" in out.read_text("utf-8")
