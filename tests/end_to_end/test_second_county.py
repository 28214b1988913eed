"""A county that the house was not tuned for: it runs without a change, accounts for every row, and gives a verdict on every claim."""

import pandas as pd
import pytest
from second_county import make_second

from huying import words
from huying.batch import county_step
from huying.batch.crew import Crew
from huying.batch.run import run
from huying.batch.site import COUNTY_ONLY, EVERY_PLACE, Site, check_towns
from huying.folder import read_county
from huying.reading import open_place


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    folder = make_second(tmp_path_factory.mktemp("second") / "county")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
        yield read_county(folder), county_step.prepare(read_county(folder))


def test_every_row_of_every_file_is_accounted_for(second):
    counts = pd.read_parquet(second[1] / "data" / "counts.parquet")
    numbers = counts[["n_read", "n_kept", "n_rejected"]].astype(int)
    assert (numbers["n_read"] == numbers["n_kept"] + numbers["n_rejected"]).all()
    assert (numbers["n_kept"] > 0).all()
    assert numbers["n_rejected"].sum() < 0.05 * numbers["n_read"].sum()


def test_every_claim_has_its_verdict_at_its_places(second):
    evidence = pd.read_parquet(second[1] / "evidence.parquet")
    head = evidence[evidence["sub"] == ""]
    assert head["claim"].nunique() == 72
    towns = {f"V{n:03d}" for n in range(1, 27)}
    for claim in ("P16", "P13", "A05", "D09", "B07"):
        assert towns | {"county"} == set(head.loc[head["claim"] == claim, "place"])
    assert set(head.loc[head["claim"] == "A06", "place"]) == {"V004"}
    assert (head.loc[head["verdict"] == "cannot say", "reason"] != "").all()


def test_its_notebooks_run(second, monkeypatch):
    county, folder = second
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    site = Site(county)
    requests = site.requests([*EVERY_PLACE, *COUNTY_ONLY], check_towns(site, ["V004"]), ["2023"], words.LANGUAGES)
    with Crew(2) as crew:
        summary = run(site, site.plan(requests), crew)
    assert not summary.failed
    assert summary.done == len(requests) == 2 * (4 + 7)


def test_its_own_report_is_read(second):
    here = open_place(str(second[0].folder), "county", "2023", "en")
    assert here.row("X04")["estimate"] > 0
