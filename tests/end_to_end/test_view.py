"""What people ask of the library: a county by name, its claims, evidence, estimates and changes; their own claim by declaration."""

import doctest
import shutil
from pathlib import Path

import numpy as np
import pytest

import huying
from huying import cli, view, words
from huying.claims import claims_of, freeze, read_freeze, rule_hashes
from huying.errors import CountyError
from huying.folder import read_county

ROOT = Path(__file__).parents[2]
OWN = """
[[indicator]]
id = "polite"
form = "resident"
when = "R24_c >= 4"
zh = "窗口人员态度好"
en = "window staff are polite"

[[claim]]
id = "Z01"
indicator = "polite"
zh = "大多数居民认为窗口人员态度好"
en = "Most residents find the window staff polite"
quantifier = "MOST"
bar = 0.5
problem_if = "not supported"
base = { zh = "受访居民", en = "residents asked" }
estimand = { zh = "R24c答4、5的比例", en = "share who answer 4 or 5 to R24c" }
notebook = "11_parallel_structures"
"""


@pytest.fixture(scope="module")
def asked(demo, folder):
    return view.CountyView(demo, folder)


def test_a_county_is_found_by_name_and_says_what_it_is(monkeypatch, folder):
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    assert "18 towns, waves 2023, 2024" in repr(huying.county("demo"))
    assert {"claims", "estimate", "evidence", "compare", "indicators", "towns"} <= set(dir(huying.county("demo")))


def test_the_examples_in_the_docstrings_are_true(monkeypatch, folder):
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    words.use_language("en")
    done = doctest.testmod(view)
    assert (done.failed, done.attempted >= 6) == (0, True)


def test_an_estimate_equals_the_evidence(asked):
    got = asked.estimate("awareness", by="town", wave="2023").set_index("place")["estimate"]
    stored = asked.evidence.query("claim == 'P16' and wave == '2023' and sub == ''").set_index("place")["estimate"]
    np.testing.assert_allclose(got, stored.reindex(got.index), rtol=1e-11)  # stored to 12 digits
    county = asked.estimate("awareness", by="county", wave="2023")["estimate"].item()
    assert county == pytest.approx(stored["county"], rel=1e-11)
    assert list(asked.estimate("awareness", by="sex")["group"]) == ["male", "female"]


def test_a_change_equals_the_evidence(asked):
    columns = ["estimate", "low", "high"]
    got = asked.compare("awareness").set_index("place").loc["county", columns].astype(float)
    stored = (
        asked.evidence.query("claim == 'P16' and sub == 'change'")
        .set_index("place")
        .loc["county", columns]
        .astype(float)
    )
    np.testing.assert_allclose(got, stored, rtol=1e-9)
    staff = asked.compare("lighter").set_index("place").loc["county", columns].astype(float)
    stored = (
        asked.evidence.query("claim == 'B05' and sub == 'change'")
        .set_index("place")
        .loc["county", columns]
        .astype(float)
    )
    np.testing.assert_allclose(staff, stored, rtol=1e-9)


def test_every_claim_stands_in_the_table_once(asked):
    table = asked.claims
    assert table.index.is_unique and len(table) == 72
    assert set(table["section"]) == {"A", "B", "D", "P1", "P2", "P3", "S1", "S2", "S3", "X"}
    assert table["verdict"].ne("").all()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.estimate("awarness"), "no indicator awarness. Known: awareness"),
        (lambda c: c.estimate("awareness", wave="2019"), "no wave 2019. Known: 2023, 2024"),
        (lambda c: c.estimate("awareness", by="village"), "cannot group by village. Known: town, county, sex, age"),
        (lambda c: c.estimate("old_running", by="sex"), "cannot group by sex. Known: town, county"),
    ],
)
def test_an_unknown_name_is_answered_by_what_is_known(asked, ask, said):
    words.use_language("en")
    with pytest.raises(CountyError, match=said):
        ask(asked)


@pytest.fixture
def with_own(asked, tmp_path):
    def make(text):
        place = tmp_path / "demo"
        shutil.copytree(asked.declared.folder, place, dirs_exist_ok=True)
        (place / "claims.toml").write_text(text, "utf-8")
        return place

    return make


def test_a_claim_of_ones_own_takes_one_declaration(with_own):
    found = huying.county(with_own(OWN))
    row = found.evidence.query("claim == 'Z01' and place == 'county' and wave == '2023' and sub == ''").iloc[0]
    assert row["verdict"] in ("supported", "not supported", "cannot say")
    asked = found.estimate("polite", by="county", wave="2023")["estimate"].item()
    assert row["estimate"] == pytest.approx(asked, rel=1e-11)
    assert "Z01" in found.claims.index
    assert "not_frozen" in row["remark"]


def test_a_claim_on_an_indicator_that_nobody_declared(with_own):
    words.use_language("en")
    with pytest.raises(CountyError, match=r"claims.toml: no indicator polite. Known: awareness"):
        huying.county(with_own(OWN[OWN.index("[[claim]]") :]))


def test_a_claims_file_that_cannot_be_read(with_own):
    words.use_language("en")
    with pytest.raises(CountyError, match=r"claims.toml"):
        read_county(with_own("[[claim]\nid = 1"))
    with pytest.raises(CountyError, match=r"claims.toml: .*claims"):
        read_county(with_own("[claims]\nid = 1"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('quantifier = "MOST"', 'quantifier = "TREND"'), "Z01: a share cannot decide TREND"),
        (('id = "Z01"', 'id = "P16"'), "P16: a claim of the house has this id"),
        (('id = "polite"', 'id = "awareness"'), "there is an indicator awareness already"),
        (('when = "R24_c >= 4"', 'when = "R24_c > 4 or R13 = 1"'), "cannot be read"),
    ],
)
def test_check_refuses_what_cannot_decide_a_claim(with_own, capsys, change, said):
    assert cli.main(["check", str(with_own(OWN.replace(*change))), "--lang", "en"]) == 2
    assert said in capsys.readouterr().err


def test_a_frozen_rule_whose_indicator_changes_says_so(with_own):
    county = read_county(with_own(OWN))
    freeze(county)
    frozen = read_freeze(county)
    now = read_county(with_own(OWN.replace("R24_c >= 4", "R24_c >= 3")))
    assert frozen.remark("Z01", rule_hashes(county, claims_of(county))["Z01"]) == ""
    assert frozen.remark("Z01", rule_hashes(now, claims_of(now))["Z01"]) == "rule_changed"


def test_the_documents_show_what_this_test_runs():
    for name in ("own_claims.md", "own_claims.zh-CN.md"):
        assert OWN.strip() in (ROOT / "docs" / name).read_text("utf-8")
