"""Jobs, keys, receipts and the loop, on a county of nine towns with notebooks of a few cells."""

import json
import shutil
import textwrap
from multiprocessing import forkserver

import nbformat
import pandas as pd
import pytest

from huying import cli
from huying.batch.jobs import DONE, FAILED, MISSING, STALE, Site
from huying.claims.evidence import EVIDENCE
from huying.folder import read_county
from huying.notebooks import find_notebooks, notebooks_folder
from huying.store import hash_of
from huying.words import CountyError, HuyingError

TOWNS = [f"T{n:02d}" for n in range(1, 10)]
COUNTY = """
[county]
id = "toy"
name_zh = "小县"
name_en = "Toy"
is_synthetic = true
sampling = "quota"
lang = "en"

[wave.2022]
from = 2022-05-08
to = 2022-06-02

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[[ledger]]
table = "towns"
file = "towns.csv"
"""
MIME = "application/vnd.huying.evidence+json"
RECORD = f"""
import os
from IPython.display import display
row = {{"claim": "P16", "place": "county", "period": "", "wave": wave, "part": "", "estimate": 0.25, "low": None}}
if os.environ.get("HUYING_RECORD"):
    display({{"text/plain": "said", "{MIME}": [row, row | {{"place": town_seen}}]}}, raw=True)
"""
DRAW = """
from pathlib import Path
import matplotlib.pyplot as plt
plt.plot([1, 2])
name = "_".join(os.environ[f"HUYING_{part}"] for part in ("PLACE", "WAVE", "LANG"))
plt.savefig(Path(os.environ["HUYING_FIGURES"]) / f"line_{name}.png")
"""


def notebook(*cells, parameters="county = 'toy'\ntown = 'T01'\nwave = '2023'\nlang = 'en'", **declared):
    """A notebook with a parameters cell and these cells, as text."""
    node = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    sources = [parameters, *map(textwrap.dedent, cells)]
    node.cells = [nbformat.v4.new_code_cell(source.strip(), id=f"c{k}") for k, source in enumerate(sources)]
    node.cells[0].metadata["tags"] = ["parameters"]
    if declared:
        node.metadata["huying"] = declared
    return nbformat.writes(node)


def write_project(folder, **notebooks):
    """A county without surveys, and these notebooks by name."""
    county = folder / "survey_data" / "toy"
    county.mkdir(parents=True, exist_ok=True)
    (county / "county.toml").write_text(COUNTY, "utf-8")
    rows = [(town, f"样{town}镇", f"Town {town}", "town", 1000, 800, 1) for town in TOWNS]
    columns = ["town_id", "name_zh", "name_en", "type", "pop", "adults", "n_villages"]
    pd.DataFrame(rows, columns=columns).to_csv(county / "towns.csv", index=False)
    (folder / "notebooks").mkdir(exist_ok=True)
    for name, text in notebooks.items():
        (folder / "notebooks" / f"{name}.ipynb").write_text(text, "utf-8")
    return county


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Three notebooks: one that records, one that draws, one that reads the evidence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUYING_RESULTS", raising=False)
    for module in ("clean.intake", "batch.jobs"):
        monkeypatch.setattr(f"huying.{module}.code_hash", lambda *rooms: "the package as it is")
    write_project(
        tmp_path,
        a_claims=notebook("town_seen = 'T01'", RECORD, places="all", evidence="records"),
        b_chart=notebook("import os", DRAW, places="county", evidence="none"),
        c_page=notebook(
            "import pandas as pd",
            "len(pd.read_parquet('../results/toy/evidence.parquet'))",
            places="county",
            evidence="reads",
        ),
        scratch=notebook("1 / 0"),
    )
    return tmp_path


def run(*words):
    return cli.main(["run", "toy", *words])


def told(capsys, *words):
    """The exit code and what a program is told."""
    capsys.readouterr()
    code = cli.main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def outputs(file):
    return [
        output
        for cell in nbformat.read(file, as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def test_warming_up_that_fails_is_told_and_not_fatal(project, capfd, monkeypatch):
    """The first of the tests, because a warm parent is begun once; the others go on with this one."""
    forkserver._forkserver._stop()
    monkeypatch.setattr("huying.batch.run.WARM", "UNUSED")
    monkeypatch.setenv("HUYING_WARM", "/nowhere")
    assert run("--notebooks", "b") == 0
    assert "/nowhere" in capfd.readouterr().err


def test_a_run_records_gathers_draws_and_reads_in_this_order(project, capsys):
    code, table = told(capsys, "run", "toy")
    assert (code, table["done"], table["fresh"], table["failed"], table["claims"]) == (0, 9 + 2 + 1 + 1, 0, 0, 1)
    made = project / "results" / "toy" / "notebooks"
    assert table["open"] == str(made.parent / "html" / "c_page_county_2023_en.html")
    evidence = pd.read_parquet(project / "results" / "toy" / "evidence.parquet")
    assert list(evidence.columns) == list(EVIDENCE)
    assert evidence[["place", "wave", "notebook", "cell"]].to_numpy().tolist() == [
        [place, wave, "a_claims", "c2"] for wave in ("2022", "2023") for place in ("T01", "county")
    ]
    assert evidence["estimate"].eq(0.25).all() and evidence["low"].isna().all()
    assert outputs(made / "c_page_county_2023_en.ipynb")[-1].data["text/plain"] == "4"
    assert not outputs(made / "a_claims_T05_2023_en.ipynb")  # only the county's run carries rows
    assert [file.name for file in (project / "figures" / "toy").iterdir()] == ["line_county_2023_en.png"]
    assert not list((project / "results" / "toy").glob(".jobs*"))


def test_a_second_run_does_nothing_and_a_change_makes_anew_what_it_concerns(project, capsys):
    assert run("--towns", "county", "T01") == 0
    code, table = told(capsys, "run", "toy", "--towns", "county", "T01")
    assert (code, table["done"], table["fresh"]) == (0, 0, 5)
    page = project / "notebooks" / "c_page.ipynb"
    page.write_text(page.read_text("utf-8").replace("len(pd", "1 + len(pd"), "utf-8")
    assert told(capsys, "run", "toy", "--towns", "county", "T01")[1]["done"] == 1
    claims = project / "notebooks" / "a_claims.ipynb"
    claims.write_text(claims.read_text("utf-8").replace("0.25", "0.5"), "utf-8")
    _, status = told(capsys, "status", "toy", "--towns", "county", "T01")
    assert (status["done"], status["stale"], status["missing"], status["failed"]) == (2, 3, 0, 0)
    assert told(capsys, "run", "toy", "--towns", "county", "T01")[1]["done"] == 4  # the page reads what was recorded
    (project / "figures" / "toy" / "line_county_2023_en.png").unlink()
    assert told(capsys, "status", "toy")[1]["missing"] == 8 + 1


def test_another_package_makes_everything_stale(project, capsys, monkeypatch):
    run("--notebooks", "b")
    monkeypatch.setattr("huying.batch.jobs.code_hash", lambda: "another package")
    assert told(capsys, "status", "toy", "--notebooks", "b")[1]["stale"] == 1
    monkeypatch.setattr("huying.clean.intake.code_hash", lambda *rooms: "another way to clean")
    assert told(capsys, "status", "toy", "--notebooks", "b")[1] == {"county": "stale"}
    assert told(capsys, "run", "toy", "--notebooks", "b")[1]["done"] == 1


def test_what_a_notebook_gave_is_no_part_of_its_key(project):
    site = Site(read_county(project / "survey_data" / "toy"))
    file = project / "notebooks" / "a_claims.ipynb"
    before = find_notebooks(site.folder, ["a"])
    node = nbformat.read(file, as_version=4)
    node.cells[1].outputs, node.cells[1].execution_count = [nbformat.v4.new_output("stream", text="said")], 7
    nbformat.write(node, file)
    assert find_notebooks(site.folder, ["a"]) == before


def test_verify_finds_a_changed_byte_and_a_missing_file(project, capsys):
    run("--notebooks", "b")
    assert told(capsys, "verify", "toy") == (0, {"checked": 2, "faults": {}})
    picture = project / "figures" / "toy" / "line_county_2023_en.png"
    picture.write_bytes(b"x" * picture.stat().st_size)
    assert told(capsys, "verify", "toy") == (
        1,
        {"checked": 2, "faults": {"b_chart_county_2023_en": ["../../figures/toy/line_county_2023_en.png"]}},
    )
    picture.unlink()
    assert told(capsys, "verify", "toy")[0] == 1


def test_a_figure_that_is_no_longer_drawn_goes(project, capsys):
    run("--notebooks", "b")
    (project / "notebooks" / "b_chart.ipynb").write_text(notebook("1", places="county"), "utf-8")
    run("--notebooks", "b")
    assert not list((project / "figures" / "toy").iterdir())
    assert told(capsys, "verify", "toy")[0] == 0


BAD = """
    import os, signal, time
    if town == "T02":
        os.kill(os.getpid(), signal.SIGKILL)
    if town == "T05":
        time.sleep(600)
    if town == "T07":
        raise ValueError("wrong town")
"""


def test_of_twelve_jobs_one_killed_one_hung_one_raising_lose_only_themselves(project, capsys):
    (project / "notebooks" / "a_claims.ipynb").write_text(
        notebook("town_seen = 'T01'", RECORD, BAD, "'whole'", places="all", evidence="records"), "utf-8"
    )
    capsys.readouterr()
    assert run("--time-limit", "8") == 1
    out, err = capsys.readouterr()
    made = project / "results" / "toy" / "notebooks"
    whole = [town for town in TOWNS if (made / f"a_claims_{town}_2023_en.ipynb").is_file()]
    assert whole == ["T01", "T03", "T04", "T06", "T08", "T09"]
    assert {file.name for file in made.glob("*county*")} == {
        *(f"a_claims_county_{wave}_en.ipynb" for wave in ("2022", "2023")), "b_chart_county_2023_en.ipynb", "c_page_county_2023_en.ipynb"
    }  # fmt: skip
    said = [line for line in err.splitlines() if line.startswith(("failed:", "run it"))]
    again = "run it alone: python -m huying run toy --towns {} --notebooks a_claims --wave 2023 --lang en"
    assert sorted(said[::2]) == [
        "failed: T02, a_claims, cell In [5]: its process ended before it was done (signal 9). If the machine is short of memory, use fewer --workers",
        "failed: T05, a_claims, cell In [5]: not done within 8 s and ended. --time-limit sets another limit",
        "failed: T07, a_claims, cell In [5]: ValueError: wrong town",
    ]
    assert sorted(said[1::2]) == [again.format(town) for town in ("T02", "T05", "T07")]
    assert "failed: 3" in out
    assert (made / "a_claims_T07_2023_en.failed.ipynb").is_file()
    _, status = told(capsys, "status", "toy")
    assert (status["done"], status["failed"]) == (10, 3)
    assert [name for name, state in status["jobs"].items() if state == FAILED] == [
        f"a_claims_{t}_2023_en" for t in ("T02", "T05", "T07")
    ]


def test_a_recording_notebook_that_fails_is_told_with_the_claims_that_lack_and_the_others_go_on(project, capsys):
    run("--towns", "county")
    (project / "notebooks" / "a_claims.ipynb").write_text(notebook("1 / 0", places="all", evidence="records"), "utf-8")
    code, table = told(capsys, "run", "toy", "--towns", "county")
    assert (code, table["failed"], table["done"], table["claims"]) == (1, 2, 1, 0)  # the page is made from what is left
    assert "P16" in table["lacking"]
    assert len(pd.read_parquet(project / "results" / "toy" / "evidence.parquet")) == 0


def test_one_key_with_two_values_is_refused(project, capsys):
    twice = notebook(
        "town_seen = 'county'", RECORD.replace("row |", "row | {'estimate': 0.3} |"), places="all", evidence="records"
    )
    (project / "notebooks" / "a_claims.ipynb").write_text(twice, "utf-8")
    assert run("--towns", "county", "--lang", "en") == 2
    assert "P16" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--towns", "T99"), "no town T99"),
        (("--wave", "2021"), "no wave 2021"),
        (("--notebooks", "z"), "no notebook called z"),
        (("--notebooks", "../x"), "no notebook called ../x"),
        (("--notebooks", "b", "--towns", "T01"), "b_chart run for the county only"),
    ],
)
def test_what_nobody_knows_is_refused_before_the_first_job(project, capsys, words, says):
    capsys.readouterr()
    assert run(*words, "--lang", "en") == 2
    assert says in capsys.readouterr().err
    assert not (project / "results" / "toy" / "notebooks").exists()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (notebook(parameters="x = 1"), "batch.no_parameter"),
        (notebook().replace('"parameters"', '"other"'), "batch.no_parameters"),
        ("{", "batch.not_a_notebook"),
    ],
)
def test_a_notebook_that_cannot_be_run_is_refused(project, text, key):
    (project / "notebooks" / "d.ipynb").write_text(text, "utf-8")
    with pytest.raises(HuyingError) as refused:
        find_notebooks(project / "notebooks", ["d"])
    assert refused.value.key == key
    assert refused.value.say("en") != refused.value.say("zh")


def test_a_scratch_notebook_is_run_only_when_it_is_named(project, capsys):
    run("--towns", "county")
    _, table = told(capsys, "run", "toy", "--notebooks", "scratch", "--towns", "county")
    assert table["failures"] == [
        {"place": "county", "notebook": "scratch", "cell": "3", "error": "ZeroDivisionError: division by zero",
         "again": "python -m huying run toy --towns county --notebooks scratch --wave 2023 --lang en"}
    ]  # fmt: skip


def test_leaving_early_does_not_count(project, capsys):
    (project / "notebooks" / "scratch.ipynb").write_text(notebook("import sys; sys.exit(0)", "'never'"), "utf-8")
    code, table = told(capsys, "run", "toy", "--notebooks", "scratch", "--towns", "county")
    assert code == 1 and "last cell" in table["failures"][0]["error"]


def test_a_job_that_takes_too_much_memory_is_ended(project, capsys):
    greedy = notebook("import time", "held = b'x' * 1_500_000_000\ntime.sleep(60)")
    (project / "notebooks" / "scratch.ipynb").write_text(greedy, "utf-8")
    code, table = told(capsys, "run", "toy", "--notebooks", "scratch", "--towns", "county", "--memory-limit", "1200")
    assert code == 1 and table["failures"][0]["error"].startswith("took more than 1200 MB")


def test_what_a_job_sets_no_other_sees(project):
    cell = """
        import os
        import matplotlib as mpl
        import pandas as pd
        seen = pd.get_option("display.max_rows"), mpl.rcParams["lines.linewidth"], os.environ.get("LEFT"), "left" in globals()
        pd.set_option("display.max_rows", 3)
        mpl.rcParams["lines.linewidth"] = 9
        os.environ["LEFT"] = "left"
        left = 1
        print(seen)
    """
    (project / "notebooks" / "scratch.ipynb").write_text(notebook(cell), "utf-8")
    assert run("--notebooks", "scratch", "--towns", "T01", "T02", "T03") == 0
    made = [project / "results" / "toy" / "notebooks" / f"scratch_{town}_2023_en.ipynb" for town in TOWNS[:3]]
    assert {outputs(file)[0].text for file in made} == {"(60, 1.5, None, False)\n"}


@pytest.mark.parametrize("towns", [TOWNS[:2], pytest.param(TOWNS, marks=pytest.mark.slow)])
def test_where_no_fork_is_safe_a_spawned_process_does_many_jobs_each_in_a_fresh_namespace(
    project, capsys, monkeypatch, towns
):
    monkeypatch.setattr("sys.platform", "darwin")
    cell = """
        import os, signal
        if town == "T05":
            os.kill(os.getpid(), signal.SIGKILL)
        print(os.getpid(), "left" in globals(), os.environ["HUYING_PLACE"])
        left = 1
    """
    (project / "notebooks" / "scratch.ipynb").write_text(notebook(cell), "utf-8")
    workers, lost = str(len(towns) // 4 or 1), [town for town in towns if town == "T05"]
    code, table = told(capsys, "run", "toy", "--notebooks", "scratch", "--workers", workers, "--towns", *towns)
    assert (code, table["done"]) == (len(lost), len(towns) - len(lost))
    assert [failure["place"] for failure in table["failures"]] == lost
    made, whole = project / "results" / "toy" / "notebooks", [town for town in towns if town not in lost]
    said = [outputs(made / f"scratch_{town}_2023_en.ipynb")[0].text.split() for town in whole]
    assert [line[1:] for line in said] == [["False", town] for town in whole]
    assert len({line[0] for line in said}) <= int(workers) + len(lost)  # and one in place of the killed


def test_states_follow_the_receipt(project):
    site = Site(read_county(project / "survey_data" / "toy"))
    assert run("--notebooks", "b") == 0
    (job,) = site.jobs(["b"], None, None, None)
    assert site.state(job) == DONE
    receipt = site.results / "receipts" / "b_chart_county_2023_en.json"
    kept = json.loads(receipt.read_text("utf-8"))
    made = {
        "notebooks/b_chart_county_2023_en.ipynb",
        "html/b_chart_county_2023_en.html",
        "../../figures/toy/line_county_2023_en.png",
    }
    assert set(kept["outputs"]) == made
    assert kept["seconds"] > 0 and kept["peak_mb"] > 10 and kept["versions"]["pandas"] == pd.__version__
    receipt.write_text(json.dumps(kept | {"key": "another"}), "utf-8")
    assert site.state(job) == MISSING  # a receipt that was changed says nothing
    other = kept | {"key": "another"}
    del other["receipt"]
    receipt.write_text(json.dumps(other | {"receipt": hash_of([json.dumps(other)])}), "utf-8")
    assert site.state(job) == STALE
    receipt.write_text(receipt.read_text("utf-8")[:40], "utf-8")
    assert site.state(job) == MISSING
    shutil.rmtree(site.results / "receipts")
    assert site.state(job) == MISSING


def test_status_says_what_there_is_to_do_and_does_nothing(project, capsys):
    assert told(capsys, "status", "toy") == told(capsys, "run", "toy", "--dry-run") == (0, {"county": "stale"})
    run("--notebooks", "b")
    code, table = told(capsys, "status", "toy", "--towns", "county")
    assert (code, table["done"], table["missing"]) == (0, 1, 3)
    assert not list((project / "results" / "toy" / "notebooks").glob("a_*"))


def test_a_county_without_notebooks_is_told(tmp_path, monkeypatch):
    county = write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CountyError) as refused:
        notebooks_folder(county)
    assert refused.value.key == "batch.no_notebooks"
