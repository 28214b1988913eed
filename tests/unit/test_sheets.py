"""The fact sheets of a county made by hand: what a town and a department read of themselves, and how much of it a page holds."""

import re

import docx
import pandas as pd
import pytest
from test_page import HOSTILE, Nesting, make_county, make_evidence, row

import huying as hy
from huying.cli import main
from huying.deliver.content import Content
from huying.deliver.sheets import LINES, Sheet, write_sheets
from huying.store import write_parquet

NAMES = ["甲镇", "乙镇", "丙镇"]
AS_OF = pd.Timestamp("2023-01-06")


@pytest.fixture(autouse=True)
def _results(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))


def content_of(tmp_path, evidence=None, names=NAMES, lang="zh", calls=()):
    county = hy.county(make_county(tmp_path / "hand", names), lang=lang)
    columns = [
        "call_id",
        "town_id",
        "dept_id",
        "dispatched_at",
        "is_closed",
        "is_answered_on_time",
        "is_closed_on_time",
    ]
    made = pd.DataFrame(list(calls), columns=columns).assign(as_of=AS_OF, is_answer_due=True, is_closing_due=True)
    made = made.astype(dict.fromkeys(("is_closed", "is_answered_on_time", "is_closed_on_time"), "boolean"))
    county.ledger = lambda table: made.assign(dispatched_at=pd.to_datetime(made["dispatched_at"]))
    county.departments = ["K01"]
    return Content(county, make_evidence(len(names)) if evidence is None else evidence)


CALLS = [
    ("C1", "T01", "K01", "2022-03-01", True, True, True),
    ("C2", "T01", "K01", "2022-04-01", False, True, None),
    ("C3", "T01", "K01", "2022-05-01", True, False, False),
    ("C4", "T02", "K01", "2022-06-01", True, None, False),
]


def test_figures_stand_beside_those_of_the_county_with_n(tmp_path):
    sheet = Sheet(content_of(tmp_path), "T01")
    assert sheet.figures == [["知晓改革的居民比例", "2024年调查", "30.0%", "100名居民", "34.7%", "支持 ●"]]
    assert [found["claim"] for found in sheet.findings] == ["P16"]
    assert sheet.title == "甲镇数据核对单"


def test_a_share_of_towns_is_not_taken_for_the_measure_of_one(tmp_path):
    evidence = make_evidence()
    evidence.loc[len(evidence)] = row("P13", "T01", 0.4, "supported", 40, unit="index", n_of="marks")
    evidence.loc[len(evidence)] = row("P13", "county", 2 / 3, "supported", 3, n_of="towns")
    figures = Sheet(content_of(tmp_path, evidence), "T01").figures
    assert figures[0][2:5] == ["0.40", "40处标识", "67%的镇街不低于0.3"]


def test_undecided_claims_are_no_findings(tmp_path):
    evidence = make_evidence().assign(verdict_family="cannot say")  # before the adjustment they were decided
    sheet = Sheet(content_of(tmp_path, evidence), "T01")
    assert sheet.findings == [] and sheet.figures[0][-1] == "证据不足"
    assert sheet.say("no_finding") in sheet.as_html()


def test_open_and_late_calls_are_listed_by_number_the_open_first(tmp_path):
    content = content_of(tmp_path, calls=CALLS)
    assert Sheet(content, "T01").calls == [
        ["C2", "K01", "2022-04-01", "截至2023-01-06未办结"],
        ["C3", "K01", "2022-05-01", "回应超时，办结超时"],
    ]
    own = Sheet(content, "K01")
    assert [line[:2] for line in own.calls] == [["C2", "甲镇"], ["C4", "乙镇"], ["C3", "甲镇"]]
    assert Sheet(content, "T03").calls == [] and "没有未办结或超时的呼叫" in Sheet(content, "T03").as_html()


def test_long_lists_are_cut_and_say_so(tmp_path):
    calls = [(f"C{n:03d}", "T01", "K01", "2022-03-01", True, False, True) for n in range(40)]
    sheet = Sheet(content_of(tmp_path, calls=calls), "T01")
    n = len(sheet.fitting("calls"))
    assert (
        n == LINES["calls"] and sheet.more["calls"] == f"另有{40 - n}件，见呼叫台账。" and sheet.more["figures"] == ""
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_hostile_names_and_a_county_of_one_town_give_sound_sheets(tmp_path, lang):
    for names in ([*HOSTILE, "镇\x0b\ufffe名"], ["唯一镇"]):
        content = content_of(tmp_path, make_evidence(len(names)), names, lang)
        files = write_sheets(content, tmp_path / "out")
        assert len(set(files)) == 2 * len(names) + 2 and all(file.is_file() for file in files)
        for file in files:
            if file.suffix == ".docx":
                paper = docx.Document(file)
                told = "\n".join(p.text for p in paper.paragraphs) + paper.sections[0].header.paragraphs[0].text
            else:
                told = file.read_text("utf-8")
                found = Nesting(told)
                assert (found.faults, found.open) == ([], []) and "<script" not in told
                assert re.search(r'<html lang="(zh-CN|en)">', told)
                assert ('alt="' in told) == (len(names) > 1 and not file.name.startswith("K"))
            assert "SYNTHETIC" in told and "长" * 21 not in told


def test_the_verb_writes_two_files_a_place_in_each_language(tmp_path, capsys):
    folder = make_county(tmp_path / "hand", NAMES)
    write_parquet(tmp_path / "e.parquet", make_evidence())
    asked = ["sheets", str(folder), "--evidence", str(tmp_path / "e.parquet"), "--lang", "zh", "en"]
    assert main([*asked, "-o", str(tmp_path / "out")]) == 0
    assert len(list((tmp_path / "out").iterdir())) == 12 and "12" in capsys.readouterr().out
