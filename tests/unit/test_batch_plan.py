"""Which jobs there are, in which order, under which key, and what a finished one leaves: planned and published without a process."""

import contextlib
import json
import multiprocessing
import os
import platform
import random
import shutil
import sys
import time
from types import SimpleNamespace
from unittest.mock import Mock

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from test_batch import COUNTY, MIME, TOWNS, notebook, write_project

from huying.batch.jobs import DONE, FAILED, MISSING, STALE, Job, Site
from huying.batch.run import Worker, begin, carry_out, end_with_parent, execute, make, peak_mb, run, work
from huying.claims.verdict import read_recorded, write_evidence
from huying.folder import read_county
from huying.prepare import prepare
from huying.store import faults_of, publish, write_json
from huying.words import CountyError, HuyingError


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
        ({"places": ["Town T03"]}, ["a_claims_T03_2023_en"]),
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


# --- a county elsewhere, of three waves or of none ---------------------------------------------------------------------


def elsewhere(site, tmp_path, toml, **notebooks):
    """The county of another declaration in a folder that is not `survey_data`."""
    folder = tmp_path / "counties" / "other"
    shutil.copytree(site.county.folder, folder)
    (folder / "county.toml").write_text(toml.replace('"toy"', '"other"'), "utf-8")
    (folder.parent / "notebooks").mkdir()
    for name, text in notebooks.items():
        (folder.parent / "notebooks" / f"{name}.ipynb").write_text(text, "utf-8")
    prepare(read_county(folder))
    return Site(read_county(folder))


def test_of_three_waves_the_latest_is_run_and_a_county_anywhere_is_named_by_its_path(site, tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "out"))
    waves = "[wave.2021]\nfrom = 2024-05-08\nto = 2024-06-02\n\n[[ledger]]"  # by its days the last
    reads = notebook("1", places="county", evidence="reads")
    other = elsewhere(site, tmp_path, COUNTY.replace("[[ledger]]", waves), a=notebook("1"), b=notebook("2"), c=reads)
    assert other.waves == ["2022", "2023", "2021"]
    assert {job.wave for job in other.jobs(["a"], ["T01", "T02"], None, None)} == {"2021"}
    (job,) = other.jobs(["a"], ["T01"], None, None)
    assert other.parameters(job)["county"] == (tmp_path / "counties" / "other").as_posix() and not job.has_page
    told = other.environ(job, tmp_path)
    assert told["HUYING_RESULTS"] == str(tmp_path / "out") == str(other.results.parent) and "HUYING_DPI" not in told
    with pytest.raises(CountyError) as refused:  # nothing is recorded that could be read
        other.jobs(None, None, None, None)
    assert refused.value.key == "batch.no_job" and names(other.jobs(["c"], None, None, None)) == ["c_county_2021_en"]


def test_a_county_without_waves_has_jobs_without_one(site, tmp_path):
    plain = "\n".join(part for part in COUNTY.split("\n\n") if not part.startswith("[wave"))
    other = elsewhere(site, tmp_path, plain, a=notebook("1", places="county", evidence="records"))
    assert other.waves == [""] and [job.wave for job in other.jobs(None, None, None, None)] == [""]


def test_only_the_county_s_own_run_in_its_own_language_records(site):
    jobs = planned(site, ["a", "b"], ["county", "T01"], ["2023"], ["en", "zh"])
    assert [job.name for job in jobs if job.is_recording] == ["a_claims_county_2023_en"]
    assert [job.stage for job in jobs] == [0] + [1] * (len(jobs) - 1)


# --- the order of a run, and what its processes are held to -------------------------------------------------------------


def test_a_run_goes_stage_by_stage_ticks_for_every_job_and_counts_what_failed(site, tmp_path, monkeypatch):
    jobs, seen, ticks = planned(site), [], []
    leave(site, jobs[-2], tmp_path, b="nb")

    def run(site, jobs, ended, **limits):
        seen.append((names(jobs), limits, site.evidence.is_file()))
        for job in jobs:
            ended(job, {"error": "no"} if job.place == "T02" else {})

    monkeypatch.setattr("huying.batch.run.run", run)
    summary = make(site, jobs, lambda: ticks.append(1), workers=3)
    assert [asked for asked, *_ in seen] == [RECORDING, names(jobs[2:-2]), ["c_page_county_2023_en"]]
    assert [rest for _, *rest in seen] == [
        [{"workers": 3}, is_gathered] for is_gathered in (False, True, True)
    ] and len(ticks) == len(jobs)
    assert names(summary.fresh) == ["b_chart_county_2023_en"] and summary.claims == set()
    assert {job.place: how for job, how in summary.failed.items()} == {"T02": {"error": "no"}}
    assert len(summary.done) == len(jobs) - 2 and site.evidence.is_file()


@pytest.mark.parametrize(
    ("seconds", "megabytes", "pid", "why"),
    [(1e9, 1e9, None, ""), (0, 1e9, None, "not done within 0 s"), (1e9, 2047, None, "took more than 2047 MB"), (1e9, 1, -1, ""), (1e9, 2048, None, "")],
)  # fmt: skip
def test_a_process_beyond_its_time_or_memory_is_ended_and_told_why(seconds, megabytes, pid, why, monkeypatch):
    killed = []
    monkeypatch.setattr("psutil.Process", lambda pid: gone(pid) if pid == -1 else SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=2**31)))  # fmt: skip
    worker = Worker(SimpleNamespace(pid=pid, kill=lambda: killed.append(1)), None, since=time.monotonic() - 1)
    worker.end_beyond(seconds, megabytes)
    assert worker.why.startswith(why) and bool(worker.why) == bool(why) == bool(killed)


def gone(pid):
    raise psutil.NoSuchProcess(pid)


def test_how_a_process_ended_is_written_down_with_its_cell_and_how_far_it_came(site, tmp_path):
    (job,) = planned(site, ["b"])
    ends = (
        (3, "", "", "(exit code 3)"),
        (0, "", "", "(exit code 0)"),
        (-9, "", "7", "(signal 9)"),
        (-9, "slow", "2", "slow"),
    )
    for code, why, at, error in ends:
        if at:
            (tmp_path / "cell").write_text(at)
            (tmp_path / "notebook.ipynb").write_text("{}")
        process = SimpleNamespace(join=lambda: None, exitcode=code)
        worker = Worker(process, SimpleNamespace(recv=gone_pipe), (site, job, "key", {}, tmp_path), why=why)
        told = worker.answer()
        assert error in told["error"] and told["cell"] == (at or "-")
        kept = json.loads(site.receipt(f"{job.name}.failed").read_text("utf-8"))
        assert kept == {"job": job.name, "key": "key", **told}
        assert site.notebook(f"{job.name}.failed").is_file() == bool(at)


def gone_pipe():
    raise EOFError


def test_a_job_that_is_well_publishes_and_forgets_its_failure_and_one_that_raises_says_how(site, tmp_path, monkeypatch):
    (job,) = planned(site, ["b"])
    folder, seen = tmp_path / "job", []
    told = site.environ(job, folder) | {"HUYING_DPI": "99"}
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"HUYING_OLD": "1", "OTHER": "2"})

    def execute(source, made, parameters, at_cell):
        seen.append(
            (
                parameters,
                {n: v for n, v in os.environ.items() if n.startswith(("HUYING_", "OTHER"))},
                random.random(),
                np.random.random(),
            )
        )
        nbformat.write(nbformat.read(source, 4), made)
        for name in ("b", "a"):
            (folder / "figures" / f"{name}.png").write_text(name)

    monkeypatch.setattr("huying.batch.run.execute", execute)
    for _ in range(2):
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for where in (site.receipt, site.notebook):
            write_json(where(f"{job.name}.failed"), {"key": "x"})
        assert carry_out(site, job, "0123456789abcdef", told, folder) == {}
        assert not list(site.results.rglob("*.failed.*"))
    assert seen[0] == seen[1] and seen[0][:2] == (site.parameters(job), {**told, "OTHER": "2"})
    assert sorted(file.name for file in site.figures.iterdir()) == ["a.png", "b.png"]
    assert site.page(job).read_text("utf-8").startswith("<!doctype html>")
    receipt = json.loads(site.receipt(job.name).read_text("utf-8"))
    assert (receipt["job"], receipt["key"], receipt["host"]) == (job.name, "0123456789abcdef", platform.node())
    assert all(0 <= receipt[name] < 600 and receipt[name] == round(receipt[name], 2) for name in ("seconds", "cpu_s"))
    assert 20 < receipt["peak_mb"] < 50_000 and len(receipt["outputs"]) == 4
    for error, said in ((CountyError("batch.no_dask"), "Dask is not installed"), (OSError("full"), "OSError: full")):
        monkeypatch.setattr("huying.batch.run.execute", lambda *given, error=error: raise_it(error))
        assert carry_out(site, job, "0123456789abcdef", told, folder)["error"].startswith(said)
    cell = type("CellError", (Exception,), {"ename": "ValueError", "evalue": "wrong town"})
    monkeypatch.setattr("huying.batch.run.execute", lambda *given: raise_it(cell()))
    assert carry_out(site, job, "0123456789abcdef", told, folder) == {"error": "ValueError: wrong town"}


def raise_it(error):
    raise error


def test_whatever_ends_a_run_its_processes_end_with_it_and_never_more_than_asked_work_at_once(site, monkeypatch):
    begun, killed, jobs = [], [], planned(site, ["a"])

    def begin(context, is_once):
        ours, theirs = multiprocessing.Pipe()
        begun.append(theirs)
        return Worker(SimpleNamespace(is_alive=lambda: False, kill=lambda: killed.append(ours), pid=os.getpid()), ours)

    def take(worker, site, job, folder):
        worker.order, worker.since = (site, job, "", {}, folder), time.monotonic()
        if job == jobs[0]:
            begun[0].send({})

    def ended(job, failure):
        begun[1].send({})
        if job == jobs[1]:
            raise KeyboardInterrupt

    def wait_for(pipes, seconds):
        assert len(pipes) <= 2
        return [next(pipe for pipe in pipes if pipe.poll(0))]

    monkeypatch.setattr("huying.batch.run.begin", begin)
    monkeypatch.setattr("huying.batch.run.wait", wait_for)
    monkeypatch.setattr(Worker, "take", take)
    with pytest.raises(KeyboardInterrupt):
        run(site, jobs, ended, workers=2, seconds=600, megabytes=4096)
    assert len(begun) == 3 and len(killed) == 1 and not list(site.results.glob(".jobs*"))


def test_a_process_whose_warm_parent_was_killed_is_begun_once_more(monkeypatch):
    for failures in (0, 1):
        said, process = [], Mock(**{"start.side_effect": [EOFError] * failures + [None]})
        monkeypatch.setattr(time, "sleep", said.append)
        context = Mock(**{"Process.return_value": process, "Pipe.return_value": ("ours", theirs := Mock())})
        worker = begin(context, True)
        assert (worker.process, worker.pipe) == (process, "ours") and theirs.close.called
        assert process.start.call_count == 1 + failures == 1 + len(said) and not any(one < 1 for one in said)
        assert context.Process.call_args.kwargs["args"] == (theirs, True)


@pytest.mark.parametrize(("is_once", "done"), [(True, [1]), (False, [1, 2, 3])])
def test_a_process_does_one_order_or_all_that_come_and_watches_over_its_parent(monkeypatch, is_once, done):
    thread, pipe = Mock(), Mock(**{"recv.side_effect": [(1,), (2,), (3,), EOFError]})
    monkeypatch.setattr("threading.Thread", thread)
    monkeypatch.setattr("huying.batch.run.carry_out", lambda order: order)
    work(pipe, is_once)
    assert [call.args[0] for call in pipe.send.call_args_list] == done
    assert thread.call_args.kwargs == {"target": end_with_parent, "daemon": True} and thread.return_value.start.called


def test_a_process_ends_with_its_parent_and_one_without_a_parent_goes_on(monkeypatch):
    parent, ended = Mock(), Mock()
    monkeypatch.setattr("os._exit", ended)
    for there, calls in ((None, 0), (parent, 1)):
        monkeypatch.setattr("multiprocessing.parent_process", lambda there=there: there)
        end_with_parent()
        assert ended.call_count == parent.join.call_count == calls
    assert ended.call_args.args[0]


@pytest.mark.parametrize(
    ("cells", "is_whole"),
    [([("code", "1", 1)], True), ([("code", "1", 1), ("code", "2", 2), ("code", "3", 3), ("markdown", "a", None), ("code", " ", None)], True),
     ([("code", "1", None)], False), ([("code", "1", 1), ("code", "2", 2), ("code", "3", None)], False), ([], True)],
)  # fmt: skip
def test_a_notebook_is_done_when_its_last_cell_has_run(monkeypatch, tmp_path, cells, is_whole):
    made = [
        SimpleNamespace(cell_type=kind, source=text, **({"execution_count": n} if kind == "code" else {}))
        for kind, text, n in cells
    ]
    papermill = Mock(**{"execute_notebook.return_value": SimpleNamespace(cells=made)})
    monkeypatch.setitem(sys.modules, "papermill", papermill)
    with contextlib.nullcontext() if is_whole else pytest.raises(HuyingError, match="last cell did not run"):
        execute(tmp_path / "{a}.ipynb", tmp_path / "b.ipynb", {"town": "T01"}, tmp_path / "cell")
    (source, target, given), how = papermill.execute_notebook.call_args
    assert (source, target, given) == (f"{tmp_path}/{{{{a}}}}.ipynb", f"{tmp_path}/b.ipynb", {"town": "T01"})
    assert how["cwd"] == tmp_path and how["at_cell"] == tmp_path / "cell" and not how["progress_bar"]


def test_the_most_memory_is_in_megabytes_on_every_system(monkeypatch):
    monkeypatch.setattr("resource.getrusage", lambda who: SimpleNamespace(ru_maxrss=3 << 20))
    monkeypatch.setattr(
        "psutil.Process", lambda: SimpleNamespace(memory_info=lambda: SimpleNamespace(peak_wset=3 << 20))
    )
    for system, megabytes in (("linux", 3072), ("darwin", 3), ("win32", 3)):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "platform", system)
            assert peak_mb() == megabytes
