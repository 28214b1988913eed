"""The plan as a pure function: what makes a job fresh, stale or new, and why."""

from dataclasses import replace
from pathlib import Path

import pytest

from huying.batch.plan import FRESH, NEW, STALE, Job, Request, as_read, as_said, key_of, plan
from huying.batch.receipts import Receipt
from huying.batch.run import rehearsals

READS = {"evidence:P16@T01": "a", "evidence:P17@#county": "b", "word:notebooks.heading@en": "c"}
NOW = {as_read(said): value for said, value in READS.items()}


def request(town="T01", code="code", **more):
    return Request(
        "11_parallel",
        Path("11_parallel.ipynb"),
        {"county": "demo", "town": town, "wave": "2023", "lang": "en", **more},
        code,
    )


def receipt(asked, reads=READS, seconds=2.0):
    return Receipt(asked.name, key_of(asked, reads), asked.code, reads, {}, {"wall_s": seconds})


def states(requests, receipts, now=NOW):
    return [(job.state, job.why) for job in plan(requests, receipts, lambda read: now.get(read, ""))]


def test_nothing_made_is_new_and_has_no_key_yet():
    (job,) = plan([request()], {}, lambda read: "")
    assert (job.state, job.key, job.is_fresh) == (NEW, "", False)


def test_what_is_as_it_was_is_fresh():
    asked = request()
    assert states([asked], {asked.name: receipt(asked)}) == [(FRESH, ())]


@pytest.mark.parametrize("said", READS)
def test_each_read_alone_makes_it_stale_and_is_named(said):
    asked = request()
    assert states([asked], {asked.name: receipt(asked)}, NOW | {as_read(said): "other"}) == [(STALE, (said,))]


def test_a_read_that_is_gone_makes_it_stale():
    asked = request()
    gone = {read: value for read, value in NOW.items() if read[0] != "evidence:P16"}
    assert states([asked], {asked.name: receipt(asked)}, gone) == [(STALE, ("evidence:P16@T01",))]


def test_other_code_makes_it_stale():
    made = receipt(request(code="before"))
    assert states([request()], {made.job: made}) == [(STALE, ("code",))]


def test_another_folder_of_the_county_makes_it_stale():
    """The parameters stand in the notebook, so they are part of its key."""
    made = receipt(request())
    assert states([request(county="elsewhere")], {made.job: made})[0][0] == STALE


def test_a_town_s_job_does_not_look_at_another_town_s_receipt():
    asked = request("T02")
    assert states([asked], {request("T01").name: receipt(request("T01"))}) == [(NEW, ())]


def test_time_is_the_last_of_the_job_else_the_median_of_its_notebook():
    first, second, third = (request(town) for town in ("T01", "T02", "T03"))
    made = {asked.name: receipt(asked, seconds=s) for asked, s in ((first, 3.0), (second, 5.0))}
    assert [job.seconds for job in plan([first, second, third], made, NOW.get)] == [3.0, 5.0, 4.0]


def test_a_read_is_told_and_read_back():
    for read in (("evidence:P16", "T01"), ("claims", ""), ("ledger:towns", "a@b")):
        told = as_said(read)
        assert as_read(told) == read or "@" in read[1]


@pytest.mark.parametrize("town", ["../x", "a/b", "T 1", "", "甲镇", "a.b"])
def test_a_name_never_leaves_its_folder(town):
    name = request(town).name
    assert "/" not in name and ".." not in name and " " not in name
    assert name.startswith("11_parallel_")


def test_two_towns_never_share_a_name():
    names = [request(town).name for town in ("a/b", "a_b", "a b", "a.b", "a\\b")]
    assert len(set(names)) == len(names)


def test_the_first_job_and_one_of_each_notebook_that_many_places_want_are_rehearsed():
    def jobs(**towns):
        return [
            Job(replace(request(f"T{n:02d}"), notebook=name), NEW) for name, most in towns.items() for n in range(most)
        ]

    def named(left):
        return [(job.request.notebook, job.request.place) for job in rehearsals(left)]

    assert named(jobs(one=2)) == []
    assert named(jobs(one=3)) == [("one", "T00")]
    assert named(jobs(few=2, many=12, some=11, more=18)) == [("few", "T00"), ("many", "T00"), ("more", "T00")]
