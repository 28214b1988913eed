"""The page on a county's own claims is true: its file runs, its number is printed, and a changed rule says so."""

import datetime as dt
import re

import pytest
from part_of_demo import ROOT, copy_part

import huying as hy
from huying.claims.declared import freeze
from huying.folder import read_county
from run_notebook import run_notebook

PAGES = [ROOT / "docs" / name for name in ("own_claims.md", "own_claims.zh-CN.md")]
WAVE = "2023"


def block(page, kind):
    """The first block of a page in this language of code."""
    return re.search(rf"```{kind}\n(.*?)```", page.read_text("utf-8"), re.S)[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = copy_part(tmp_path_factory.mktemp("own") / "demo", forms=("resident",), wave=WAVE)
    (made / "claims.toml").write_text(block(PAGES[0], "toml"), "utf-8")
    return made


@pytest.fixture(autouse=True)
def _results(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path_factory.getbasetemp() / "own_results"))


def test_both_pages_bring_the_same_file():
    assert block(PAGES[0], "toml") == block(PAGES[1], "toml")


@pytest.mark.parametrize(("page", "lang"), [(PAGES[0], "en"), (PAGES[1], "zh")])
def test_what_the_page_prints_is_printed(folder, page, lang, capsys):
    code = "\n".join(line.strip() for line in block(page, "python").splitlines())
    told = [line.removeprefix("# ") for line in code.splitlines() if line.startswith("#")]
    code = re.sub(r'hy\.county\("mine"(?:, lang="en")?\)', f'hy.county({str(folder)!r}, lang="{lang}")', code)
    exec(compile(code, page.name, "exec"), {})
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert shown[: len(told)] == [line.strip() for line in told]
    assert shown[-1].startswith("Z01") and "56.8%" in shown[-1]


def test_the_notebook_judges_it_for_every_town(folder):
    names, printed = run_notebook("41", folder, "T07", WAVE, "en")
    rows = names["county"].recorded
    assert set(rows["claim"]) == {"Z01"} and len(rows) == 19
    assert rows.set_index("place").loc["county", ["estimate", "n"]].tolist() == pytest.approx([0.568, 1092], abs=5e-4)
    assert "Z01 Most residents of Median Town find the window staff polite: " in printed


def test_freezing_covers_the_indicator(folder, monkeypatch):
    """Neither a frozen rule nor a changed one alters what cleaning gives: the county is cleaned once."""
    monkeypatch.setenv("HUYING_PREPARED", str(hy.county(folder).folder.resolve()))
    day = dt.date(2023, 5, 1)
    freeze(read_county(folder), day)
    before = hy.county(folder, lang="en")
    shown = before.judge("Z01", before.survey("resident").share("polite"))
    assert set(shown.rows["remark"]) == {""} and set(shown.rows["rule_frozen_on"]) == {"2023-05-01"}
    file = folder / "claims.toml"
    file.write_text(file.read_text("utf-8").replace("agree_courteous >= 4", "agree_courteous >= 3"), "utf-8")
    after = hy.county(folder, lang="en")
    shown = after.judge("Z01", after.survey("resident").share("polite"))
    assert set(shown.rows["remark"]) == {"rule_changed"} and "Changed after the data were seen" in shown.text
