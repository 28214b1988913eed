"""A county that lacks any one ledger or survey still gets all 72 claims; those that lost their data say which file is missing."""

import json
import shutil
from dataclasses import replace

import pytest

from huying.batch import county_step
from huying.batch.county_step import find_all, judge_all, make_study
from huying.claims import FORM_NAMES, house_claims
from huying.cli import main
from huying.ledgers import TABLES
from huying.problems import cooperation, robust

READ_BY_CURVES = ("calls", "agency_events", "unit_check", "need_counts", "residents", "staff", "org_map", "margins")


def without(cleaned, name):
    """The cleaned county without a ledger, or without a form."""
    if name in FORM_NAMES:
        return replace(cleaned, forms={form: rows for form, rows in cleaned.forms.items() if form != FORM_NAMES[name]})
    return replace(cleaned, ledgers={key: rows for key, rows in cleaned.ledgers.items() if key[0] != name})


@pytest.fixture(scope="module", autouse=True)
def quicker():
    """Few bootstrap draws; and no specification curves, which only add parts: they have a test of their own below."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cooperation, "DRAWS", 19)
        patch.setattr(county_step, "PROBLEMS", tuple(p for p in county_step.PROBLEMS if p is not robust))
        yield


@pytest.mark.parametrize("name", [name for name in (*TABLES, *FORM_NAMES) if name != "towns"])
def test_a_county_without_one_file_still_answers(demo, cleaned, name):
    study = make_study(demo, without(cleaned, name))
    evidence = judge_all(study, find_all(study))
    head = evidence[evidence["sub"] == ""]
    assert head["claim"].nunique() == 72
    assert head["verdict"].ne("").all()
    for key, claim in house_claims().items():
        if name in claim.needs:
            own = head[head["claim"] == key]
            assert set(own["verdict"]) == {"cannot say"}, key
            assert set(own["reason"]) == {f"no data: {name}"}, key


def test_a_county_with_nothing_but_its_register(demo, cleaned):
    bare = replace(cleaned, forms={}, ledgers={key: rows for key, rows in cleaned.ledgers.items() if key[0] == "towns"})
    study = make_study(demo, bare)
    head = judge_all(study, find_all(study)).query("sub == ''")
    assert head["claim"].nunique() == 72
    unmeasured = head[~head["claim"].str.startswith("X")]
    assert set(unmeasured["verdict"]) <= {"cannot say", "no baseline"} | set(head.query("claim == 'A01'")["verdict"])


@pytest.mark.parametrize("name", READ_BY_CURVES)
def test_curves_without_one_file(demo, cleaned, name):
    found = robust.find(make_study(demo, without(cleaned, name)))
    assert len(found.tables["specifications"])


def test_the_command_ends_well_and_names_the_missing_file(demo, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))
    folder = tmp_path / "demo"
    shutil.copytree(demo.folder, folder)
    declared = (folder / "county.toml").read_text("utf-8").split("[[ledger]]")
    kept = [part for part in declared if 'table = "quota_plan"' not in part]
    assert len(kept) == len(declared) - 1
    (folder / "county.toml").write_text("[[ledger]]".join(kept), "utf-8")
    assert main(["claims", str(folder), "--lang", "en", "--json"]) == 0
    reasons = {row["claim"]: row["reason"] for row in json.loads(capsys.readouterr().out)}
    assert {claim for claim, reason in reasons.items() if reason == "no data: quota_plan"} == {"A12", "A13", "A14"}
    assert len(reasons) == 72
