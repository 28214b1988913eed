"""What the command line says of a county's outputs, and what it does with them."""

import json
import os
import shutil
from pathlib import Path

import pytest

from huying import cli
from huying.batch.journal import Journal

ROOT = Path(__file__).parents[2]
ASK = ("--notebooks", "00", "--langs", "en")


@pytest.fixture(scope="module")
def project(tmp_path_factory, folder):
    """The demo county with its county step done, and one small notebook run."""
    with pytest.MonkeyPatch.context() as patch:
        results = tmp_path_factory.mktemp("verbs")
        shutil.copytree(folder, results / "demo")
        patch.setenv("HUYING_RESULTS", str(results))
        patch.setenv("HUYING_HOME", str(ROOT))
        assert cli.main(["run", "demo", *ASK]) == 0
        yield results / "demo"


def told(capsys, *words):
    """The exit code and what a program is told."""
    capsys.readouterr()
    code = cli.main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_second_run_does_nothing(project, capsys):
    code, table = told(capsys, "run", "demo", *ASK)
    assert (code, table["notebooks"], table["fresh"], table["failed"]) == (0, 0, 1, 0)
    assert (table["places"], table["claims"]) == (18, 72)


def test_plan_says_what_is_fresh_and_what_is_new(project, capsys):
    code, plan = told(capsys, "plan", "demo", "--notebooks", "00", "13", "--towns", "T01", "--langs", "en")
    assert code == 0
    assert [job["state"] for job in plan["jobs"]] == ["new", "fresh", "new"]
    assert plan["seconds"] > 0
    capsys.readouterr()
    cli.main(["plan", "demo", "--notebooks", "00", "13", "--towns", "T01", "--langs", "en", "--lang", "en"])
    assert capsys.readouterr().out.startswith("plan: 3 notebooks, 1 fresh, 0 stale, 2 new; about ")


def test_status_counts_and_names_nobody_at_work(project, capsys):
    code, status = told(capsys, "status", "demo", *ASK)
    assert (code, status["fresh"], status["failed"], status["at_work"]) == (0, 1, [], None)


def test_verify_finds_a_changed_byte_and_a_missing_file(project, capsys):
    assert told(capsys, "verify", "demo", *ASK) == (0, {"checked": 1, "faults": {}})
    plain = project / "notebooks" / "00_data_quality_county_2023_en.ipynb"
    content, when = plain.read_bytes(), plain.stat()
    with plain.open("r+b") as file:  # the same size and time: only a hash can tell
        file.write(b"[")
    os.utime(plain, ns=(when.st_atime_ns, when.st_mtime_ns))
    code, found = told(capsys, "verify", "demo", *ASK)
    assert code == 1 and len(found["faults"]["00_data_quality_county_2023_en"]) == 2  # the file and its link
    plain.write_bytes(content)
    plain.unlink()
    code, found = told(capsys, "verify", "demo", *ASK)
    assert code == 1
    assert told(capsys, "run", "demo", *ASK)[1]["notebooks"] == 0  # its link is made again, nothing is run
    assert told(capsys, "verify", "demo", *ASK)[0] == 0


def test_verify_asks_only_for_what_is_there_but_for_all_of_that(project, capsys):
    """A language that was never made is no fault; a notebook without its receipt is one."""
    assert told(capsys, "verify", "demo", "--notebooks", "00", "--langs", "zh") == (0, {"checked": 0, "faults": {}})
    built, beside = project / "built" / "00_data_quality_county_2023_en", project / "aside"
    built.rename(beside)
    code, found = told(capsys, "verify", "demo", *ASK)
    beside.rename(built)
    assert (code, found["faults"]) == (1, {"00_data_quality_county_2023_en": ["receipt.json"]})


def test_gc_deletes_only_when_asked(project, capsys):
    old = project / "built" / "00_data_quality_county_2023_en" / "0123456789abcdef"
    old.mkdir()
    (old / "notebook.ipynb").write_text("{}", "utf-8")
    code, found = told(capsys, "gc", "demo")
    assert code == 0 and found["folders"] == [str(old)] and not found["deleted"] and old.exists()
    assert told(capsys, "gc", "demo", "--delete")[1]["deleted"] and not old.exists()
    assert told(capsys, "verify", "demo", *ASK)[0] == 0


def test_log_tells_what_happened_to_a_place(project, capsys):
    code, events = told(capsys, "log", "demo", "county")
    assert code == 0
    assert [event["event"] for event in events] == ["start", "done"]
    assert told(capsys, "log", "demo", "T99")[1] == []


def test_a_torn_line_of_the_journal_is_passed_over(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add("begin", jobs=1)
    with journal.file.open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-01-01", "event": "do')
    journal.add("end", done=1)
    assert [event["event"] for event in journal.events()] == ["begin", "end"]


@pytest.mark.parametrize(("words", "says"), [
    (("--towns", "T99"), "T99"), (("--notebooks", "77"), "there is no notebook called 77"), (("--notebooks", "../x"), "there is no notebook called ../x"),
])  # fmt: skip
def test_what_is_not_there_is_refused(project, capsys, words, says):
    capsys.readouterr()
    assert cli.main(["run", "demo", *words, "--lang", "en"]) == 2
    assert says in capsys.readouterr().err


def test_a_notebook_that_fails_is_named_with_the_command_that_runs_it_alone(project, capsys, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(ROOT / "survey_data" / "demo", tmp_path / "survey_data" / "demo")
    monkeypatch.setenv("HUYING_HOME", str(tmp_path))
    broken = tmp_path / "notebooks" / "00_data_quality.ipynb"
    whole = broken.read_text("utf-8")
    broken.write_text(whole.replace("print(here.limits())", "print(here.limit())"), "utf-8")
    county = str(tmp_path / "survey_data" / "demo")
    capsys.readouterr()
    assert cli.main(["run", county, *ASK, "--lang", "en"]) == 1
    said = capsys.readouterr().err
    assert "failed: county, 00_data_quality, cell 20: AttributeError: 'Reading' object has no attribute 'limit'" in said
    assert (
        f"run it alone: python -m huying run {county} --towns county --notebooks 00_data_quality --wave 2023 --langs en"
        in said
    )
    failed = project / "notebooks" / "00_data_quality_county_2023_en.failed.ipynb"
    assert failed.is_file()
    assert told(capsys, "status", county, *ASK)[1]["failed"] == ["00_data_quality_county_2023_en"]
    broken.write_text(whole, "utf-8")
    assert cli.main(["run", county, *ASK, "--lang", "en"]) == 0
    assert not failed.exists()


def test_progress_is_told_in_lines_where_there_is_no_terminal(capsys):
    from huying.batch.run import Summary
    from huying.batch.verbs import Lines

    lines = Lines(total=10, left=4)
    lines(Summary(fresh=6))
    lines(Summary(fresh=6, done=4))
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("notebooks 10/10, 0 failed, ") and "s left" in said[-1]
