"""Which jobs there are, in which order, under which key, and what a finished one leaves: planned and published without a process."""

import json

import nbformat
import pandas as pd
import pytest
from test_batch import MIME, TOWNS, notebook, write_project

from huying.batch.jobs import DONE, FAILED, MISSING, STALE, Job, Site
from huying.claims.verdict import read_recorded, write_evidence
from huying.folder import read_county
from huying.prepare import prepare
from huying.store import faults_of, publish, write_json
from huying.words import CountyError


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A county of nine towns and two waves; `a` records, `b` draws for the county, `c` reads the evidence, `d` needs calls."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUYING_RESULTS", raising=False)
    for module in ("clean.intake", "batch.jobs"):
        monkeypatch.setattr(f"huying.{module}.code_hash", lambda *rooms: "the package as it is")
    folder = write_project(
        tmp_path,
        a_claims=notebook("1", places="all", evidence="records"),
        b_chart=notebook("1", places="county", evidence="none"),
        c_page=notebook("1", places="county", evidence="reads"),
        d_calls=notebook("1", places="all", evidence="none", needs=["calls"]),
        scratch=notebook("1"),
    )
    prepare(read_county(folder))
    return Site(read_county(folder))


def planned(site, notebooks=None, places=None, waves=None, langs=None, pages=False):
    return site.jobs(notebooks, places, waves, langs, pages)


def names(jobs):
    return [job.name for job in jobs]


RECORDING = ["a_claims_county_2023_en", "a_claims_county_2022_en"]


def test_what_records_comes_first_in_every_wave_and_what_reads_comes_last(site):
    assert site.waves == ["2022", "2023"] and list(site.opened.towns["town_id"]) == TOWNS
    wanted = [
        *RECORDING,
        *(f"a_claims_{town}_2023_en" for town in TOWNS),
        "b_chart_county_2023_en",
        "c_page_county_2023_en",
    ]
    jobs = planned(site)
    assert names(jobs) == wanted
    assert [job.is_recording for job in jobs] == [True, True] + [False] * 11
    assert [job.stage for job in jobs] == [0, 0] + [1] * 10 + [2]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"places": ["T03"]}, ["a_claims_T03_2023_en"]),
        ({"places": ["T03"], "langs": ["zh"]}, ["a_claims_T03_2023_zh"]),
        ({"places": ["T03", "county"], "notebooks": ["a"], "waves": ["2022"]}, ["a_claims_county_2022_en", "a_claims_T03_2022_en"]),
        ({"places": ["county"], "notebooks": ["a"]}, RECORDING),
        ({"places": ["county"], "notebooks": ["a", "b"], "langs": ["zh"]}, ["a_claims_county_2023_zh", "b_chart_county_2023_zh"]),
        ({"notebooks": ["c"]}, [*RECORDING[::-1], "c_page_county_2023_en"]),
        ({"notebooks": ["c"], "waves": ["2022"]}, [*RECORDING[::-1], "c_page_county_2022_en"]),
        ({"notebooks": ["d_calls"], "places": ["county"]}, ["d_calls_county_2023_en"]),  # asked for by name
        ({"notebooks": ["scratch", "scratch"], "places": ["T01"]}, ["scratch_T01_2023_en"]),
    ],
)  # fmt: skip
def test_what_is_asked_and_what_has_to_be_recorded_for_it(site, asked, wanted):
    assert names(planned(site, **asked)) == wanted


def test_the_countys_jobs_give_a_page_and_with_pages_those_of_towns(site):
    assert {job.place: job.has_page for job in planned(site, ["a"], ["T01", "county"])} == {
        "T01": False,
        "county": True,
    }
    assert {job.has_page for job in planned(site, ["a"], ["T01", "county"], pages=True)} == {True}


@pytest.mark.parametrize(
    ("asked", "key"),
    [({"places": ["T10"]}, "batch.no_place"), ({"waves": ["2024"]}, "batch.no_wave"), ({"notebooks": ["claims"]}, "batch.no_notebook"),
     ({"notebooks": ["a_"]}, "batch.no_notebook"), ({"notebooks": ["b"], "places": ["T01"]}, "batch.no_job")],
)  # fmt: skip
def test_what_nobody_knows_is_refused(site, asked, key):
    with pytest.raises(CountyError) as refused:
        planned(site, **asked)
    assert refused.value.key == key


def test_a_job_is_told_where_it_is_and_whether_it_records(site, tmp_path):
    recording, other = planned(site, ["a"], ["county", "T01"], ["2023"])
    assert site.parameters(other) == {"county": "toy", "town": "T01", "wave": "2023", "lang": "en"}
    told = site.environ(recording, tmp_path / "job")
    assert told == {"HUYING_PLACE": "county", "HUYING_WAVE": "2023", "HUYING_LANG": "en", "HUYING_RECORD": "1", "HUYING_HOME": str(tmp_path),
                    "HUYING_PREPARED": str(tmp_path / "results" / "toy"), "HUYING_FIGURES": str(tmp_path / "job" / "figures")}  # fmt: skip
    assert site.environ(other, tmp_path)["HUYING_RECORD"] == ""


def test_formats_and_dots_of_pictures_reach_the_job_and_make_another_of_it(site, tmp_path, monkeypatch):
    (job,) = planned(site, ["a"], ["county"], ["2023"])
    before = site.key(job)
    monkeypatch.setenv("HUYING_FORMATS", "png,svg")
    monkeypatch.setenv("HUYING_DPI", "300")
    told = site.environ(job, tmp_path)
    assert (told["HUYING_FORMATS"], told["HUYING_DPI"]) == ("png,svg", "300") and site.key(job) != before


def test_the_key_follows_all_that_can_change_what_a_job_gives_and_nothing_else(site):
    def job(notebook="a", place="county", wave="2023", lang="en", pages=False):
        (found,) = [
            job for job in planned(site, [notebook], [place], [wave], [lang], pages) if job.notebook.name[0] == notebook
        ]
        return found

    jobs = [
        job(),
        job(place="T01"),
        job(place="T01", pages=True),
        job(place="T02"),
        job(wave="2022"),
        job(lang="zh"),
        job("b"),
        job("c"),
    ]
    keys = [site.key(one) for one in jobs]
    assert len(set(keys)) == len(keys) and keys == [site.key(one) for one in jobs]
    site.evidence.write_bytes(b"what was recorded")
    assert [site.key(one) == key for one, key in zip(jobs, keys, strict=True)] == [True] * 7 + [False]
    again = Site(site.county)
    (again.folder.parent / "requirements.lock").write_text("another library", "utf-8")
    assert not {again.key(one) for one in jobs} & set(keys)


def leave(site, job, tmp_path, **files):
    """Publish files of a job, pictures and its notebook, under its key or another."""
    key, found = files.pop("key", site.key(job)), {}
    for name, text in files.items():
        file = tmp_path / "work" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
        found[site.figures / f"{name}.png" if name.startswith("f") else site.notebook(job.name)] = file
    publish(site.receipt(job.name), site.results, found, job=job.name, key=key)


def test_a_job_leaves_its_files_and_a_receipt_and_takes_away_what_it_no_longer_makes(site, tmp_path):
    (job,) = planned(site, ["b"])
    assert site.state(job) == MISSING
    write_json(site.receipt(f"{job.name}.failed"), {"key": site.key(job)})
    assert site.state(job) == FAILED
    site.receipt(f"{job.name}.failed").unlink()
    leave(site, job, tmp_path, b="nb", f1="one", f2="two")
    assert site.state(job) == DONE
    assert {file.name: file.read_text("utf-8") for file in site.figures.iterdir()} == {"f1.png": "one", "f2.png": "two"}
    receipt = json.loads(site.receipt(job.name).read_text("utf-8"))
    assert (receipt["job"], receipt["key"]) == (job.name, site.key(job))
    assert receipt["outputs"]["../../figures/toy/f1.png"]["bytes"] == 3
    leave(site, job, tmp_path, b="nb", f2="2", key="another")
    assert [file.name for file in site.figures.iterdir()] == ["f2.png"] and site.state(job) == STALE
    write_json(site.receipt(f"{job.name}.failed"), {"key": "of another day"})
    assert site.state(job) == STALE


def test_a_changed_byte_and_a_missing_file_are_faults_and_a_changed_length_is_no_longer_there(site, tmp_path):
    (job,) = planned(site, ["b"])

    def faults():
        return faults_of(site.receipt(job.name), site.results)

    assert faults() == [f"{job.name}.json"]
    leave(site, job, tmp_path, b="nb", f1="one")
    assert faults() == []
    (site.figures / "f1.png").write_text("two", "utf-8")
    assert (
        faults() == ["../../figures/toy/f1.png"] and site.state(job) == DONE
    )  # of the same length: `verify` looks closer
    (site.figures / "f1.png").write_text("three", "utf-8")
    assert site.state(job) == MISSING
    (site.figures / "f1.png").unlink()
    assert faults() == ["../../figures/toy/f1.png"] and site.state(job) == MISSING


def test_the_evidence_is_gathered_from_what_recorded_with_its_notebook_and_cell(site):
    node = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("a heading", id="m1"), nbformat.v4.new_code_cell(id="c9")]
    )
    rows = [{"claim": "P16", "place": place, "wave": "2023", "estimate": 0.25} for place in ("county", "T01")]
    node.cells[1].outputs = [
        nbformat.v4.new_output("stream", text="said"),
        nbformat.v4.new_output("display_data", data={"text/plain": "x", MIME: rows}),
    ]
    job = next(job for job in planned(site, ["a"]) if isinstance(job, Job) and job.is_recording)
    site.notebook(job.name).parent.mkdir()
    nbformat.write(node, site.notebook(job.name))
    table = read_recorded([(job.notebook.name, site.notebook(job.name))])
    write_evidence(site.evidence, site.receipt("evidence"), table)
    assert table[["place", "estimate", "notebook", "cell"]].to_numpy().tolist() == [
        ["T01", 0.25, "a_claims", "c9"],
        ["county", 0.25, "a_claims", "c9"],
    ]
    pd.testing.assert_frame_equal(pd.read_parquet(site.evidence), table)
    assert pd.read_csv(site.evidence.with_suffix(".csv"))["place"].tolist() == ["T01", "county"]
    assert faults_of(site.receipt("evidence"), site.results) == []
