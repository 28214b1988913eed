"""A plan on Dask's workers gives the bytes of a local run, with the same folders or with inputs sent by hash."""

import shutil
from pathlib import Path

import pytest

from huying.batch.afar import CrewAfar
from huying.batch.crew import Crew, Limits
from huying.batch.run import run
from huying.batch.site import Site
from huying.errors import CountyError
from huying.folder import read_county

ROOT = Path(__file__).parents[2]


def made(folder, results, monkeypatch, hands):
    """The outputs of two small notebooks and the journal, made by these hands."""
    shutil.copytree(folder, results / "demo", ignore=shutil.ignore_patterns("built", "notebooks", "journal.jsonl"))
    monkeypatch.setenv("HUYING_RESULTS", str(results))
    monkeypatch.setenv("HUYING_HOME", str(ROOT))
    site = Site(read_county(ROOT / "survey_data" / "demo"))
    jobs = site.plan(site.requests(["00_data_quality", "21_recommendations"], ["T12"], ["2023"], ["en"]))
    workers = hands(site)
    try:
        summary = run(site, jobs, workers)
    finally:
        workers.end()
    assert not summary.failed and summary.done == 3
    files = [*site.shelf.notebooks.glob("*.ipynb"), *site.shelf.figures.glob("*.png")]
    return {file.name: file.read_bytes() for file in files}, site.journal.events()


@pytest.mark.slow
def test_dask_s_outputs_are_those_of_a_local_run(folder, tmp_path, monkeypatch):
    local, _ = made(folder, tmp_path / "local", monkeypatch, lambda site: Crew(2))
    url = (tmp_path / "store").as_uri()
    afar, events = made(folder, tmp_path / "afar", monkeypatch, lambda site: CrewAfar(site, "local", 2, Limits(), url))
    assert local == afar
    assert sorted(event["job"] for event in events if event["event"] == "done") == sorted(
        {name.removesuffix(".ipynb") for name in local if name.endswith(".ipynb")}
    )
    assert {file.parent.name for file in (tmp_path / "store").rglob("*") if file.is_file()} == {"inputs"}


def test_a_county_that_lies_elsewhere_cannot_be_sent(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    shutil.copytree(ROOT / "survey_data" / "demo", tmp_path / "demo")
    site = Site(read_county(tmp_path / "demo"))
    monkeypatch.chdir(ROOT)
    with pytest.raises(CountyError) as refused:
        CrewAfar(site, "local", 1, Limits(), (tmp_path / "store").as_uri()).run([], lambda n, p: None)
    assert "survey_data" in refused.value.say("en")
