"""The demo county's results, and the frames and charts of its notebooks, read by somebody who knows what its leaders answered."""

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from agencies_stand_in import FEW_DRAWS
from leaders_leaks import HEARING, interference, leaks_in, leaks_in_tables, shuffled, telling, told_by, truth_of

from huying.counties import county

CHANGES = {name: FEW_DRAWS for name in HEARING if name.startswith("12")}


@pytest.fixture(scope="module")
def make(demo):
    """Gives the demo county opened anew, its leaders where they are or dealt to other towns; each has its surveys made once."""
    dealt, surveys = cache(lambda: shuffled(county(demo.folder, lang="en").cleaned)), {True: {}, False: {}}

    def make(is_dealt=False):
        here = county(demo.folder, lang="en")
        here.surveys_made = surveys[is_dealt]
        if is_dealt:
            here.__dict__["cleaned"] = dealt()
        return here

    return make


def test_no_leader_can_be_read_from_the_results(folder, cleaned):
    assert leaks_in(folder, truth_of(cleaned)) == []


def test_there_are_notebooks_that_hear_the_leaders():
    assert any(name.startswith("12") for name in HEARING)


@pytest.mark.parametrize("name", CHANGES)
def test_no_leader_can_be_read_from_the_frames_and_charts_of_a_notebook(make, name):
    vectors, towns, _ = truth_of(make().cleaned)
    assert leaks_in_tables(told_by(name, make(), change=CHANGES.get(name))[1], vectors, towns) == []


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in CHANGES)) for name in HEARING]
)
def test_no_town_hears_the_leaders(make, name):
    register = make().towns
    towns = dict(zip(register["town_id"], register["name_en"], strict=True))
    assert interference(telling(name, make, CHANGES.get(name)), towns, places=["T01"]) == []


def test_the_frame_of_leaders_tells_no_town(make):
    here = make()
    frame = here.survey("leader").frame.rename_axis("person").reset_index().astype(str)
    assert len(frame) and not frame.isin(set(truth_of(here.cleaned)[1])).to_numpy().any()
    assert not set(frame["person"]) & set(here.cleaned.forms["leader"]["row_id"])
