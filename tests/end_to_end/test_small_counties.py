"""A county with few files still runs: its notebooks say what they lack, its claims name the missing ledger."""

import shutil
from pathlib import Path

import matplotlib.text
import pandas as pd
import pytest

import huying as hy
from huying.cli import main
from run_notebook import recording, run_notebook

DEMO = Path(__file__).parents[2] / "survey_data" / "demo"
HEAD = """[county]
id = "small"
name_zh = "小县"
name_en = "Small County"
is_synthetic = true
sampling = "quota"

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06

[[ledger]]
table = "towns"
file = "towns.csv"
"""
CALLS = '[[ledger]]\ntable = "calls"\nfile = "calls_2022.xlsx"\nperiod = "2022"\n'
RESIDENTS = """[[survey]]
form = "resident"
wave = "2023"
reader = "wjx"
text = "residents_2023_utf16_text.txt"
number = "residents_2023_utf16_number.txt"
"""
FILES = ("towns.csv", "calls_2022.xlsx", "residents_2023_utf16_text.txt", "residents_2023_utf16_number.txt")
PARTS = {"residents": RESIDENTS, "calls": CALLS, "towns": ""}
DRAWN = {("residents", "11_parallel_structures"): "awareness", ("calls", "13_calls_and_responses"): "waiting"}
LACKING = {
    ("residents", "13_calls_and_responses"): "No ledger of calls",
    ("calls", "11_parallel_structures"): "No survey of residents",
}
ALONE = {"11": "residents", "04": "residents", "12": "calls", "13": "calls"}  # the file of a notebook in `make test`
CASES = [
    pytest.param(file, notebook, marks=[pytest.mark.slow] * (ALONE.get(notebook[:2], "towns") != file))
    for file in PARTS
    for notebook in recording()
]
AMONG = "the verdict holds among respondents"


def make(folder, *parts):
    folder.mkdir()
    for file in FILES:
        shutil.copy(DEMO / "raw" / file, folder / file)
    (folder / "county.toml").write_text("\n".join((HEAD, *parts)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder a county, by the one file that it has beside its register."""
    base = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUYING_RESULTS", str(base / "results"))
        yield {name: make(base / name, part) for name, part in PARTS.items()}


@pytest.mark.parametrize(("file", "notebook"), CASES)
def test_a_county_with_one_file_runs_every_notebook(small, notebook, file, monkeypatch, tmp_path):
    """A claim says `no data` and the first file that it needs and the county has not, and no other claim says so.

    It draws what it has and says what it lacks.
    """
    for name, value in (("FIGURES", str(tmp_path)), ("PLACE", "T14"), ("WAVE", "2023"), ("LANG", "en")):
        monkeypatch.setenv(f"HUYING_{name}", value)
    names, printed = run_notebook(notebook, small[file], town="T14", wave="2023")
    if drawn := DRAWN.get((file, notebook)):
        assert (tmp_path / f"{drawn}_T14_2023_en.png").stat().st_size > 10_000
    assert LACKING.get((file, notebook), "") in printed
    county = names["county"]
    head = county.recorded.query("part == ''")
    assert "quota sample" in repr(county)
    for row in head.to_dict("records"):
        lacking = [name for name in county.claim(row["claim"]).needs if name not in ("towns", file)]
        assert (row["reason"].startswith("no data: ")) == bool(lacking), row["claim"]
        if lacking:
            assert (row["verdict"], row["reason"]) == ("cannot say", f"no data: {lacking[0]}")
    reasons = {
        need for claim in set(head["claim"]) for need in county.claim(claim).needs if need not in ("towns", file)
    }
    assert not reasons or "o ledger of" in printed or "o survey of" in printed
    if file == "towns" and len(
        head
    ):  # what is said of a county's papers needs no data: its register, its ledgers, the report's text
        said = head[~head["claim"].str.startswith(("A01", "X"))]
        assert set(said["verdict"]) <= {"cannot say", "no baseline"} and (said["reason"] != "").all()


def test_a_quota_sample_says_so_wherever_it_is_shown(small):
    county = hy.county(small["residents"], lang="en")
    aware = county.survey("resident", wave="2023").share("aware")
    verdict = county.judge("P16", aware)
    assert "quota sample: every interval assumes" in repr(county)
    assert AMONG in verdict.text
    ax = hy.charts.forest(aware, verdict=verdict)
    texts = " ".join(text.get_text() for text in ax.figure.findobj(matplotlib.text.Text))
    assert "every interval assumes" in texts.replace("\n", " ")
    hy.charts.save(ax, "awareness")


def test_nothing_of_a_file_that_the_county_no_longer_has_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))
    folder = make(tmp_path / "county", CALLS)
    assert len(hy.county(folder, lang="en").ledger("calls"))
    (folder / "county.toml").write_text(HEAD, encoding="utf-8")
    county = hy.county(folder, lang="en")
    assert county.ledger("calls").empty and not list((county.folder / "data" / "ledgers").glob("calls*"))
    assert {path.name for path in county.folder.glob("*.csv")} == {
        "rejected.csv",
        "flags.csv",
        "counts.csv",
        "notes.csv",
    }


def test_the_questions_of_a_county_of_many_towns_are_crossed_with_what_has_few_groups(tmp_path, monkeypatch):
    """More than 30 groups are refused by a crosstab: the notebook leaves them out instead of failing."""
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("HUYING_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    n = 31 * 20
    answers = {"所在镇街": [f"第{k // 20}镇" for k in range(n)], "1、您的性别": ["男", "女"] * (n // 2)}
    answers |= {"2、您听说过吗": [("听过", "没听过", "听过")[k % 3] for k in range(n)]}
    pd.DataFrame({"序号": range(1, n + 1), "提交答卷时间": "2023/5/8 10:00:00", **answers}).to_csv("a.csv", index=False)
    assert main(["new", "many", "a.csv", "--town", "所在镇街"]) == 0
    folder = next(tmp_path.rglob("county.toml")).parent
    names, _ = run_notebook("01", folder, wave="2023", draw=False)
    assert set(names["found"]["group"]) == {"sex_group"} and (names["found"]["n"] == n).all()
