import numpy as np
import pytest

from huying import words
from huying.claims.declared import Freeze, claims_of, house_claims, read_claim, read_freeze, rule_hashes
from huying.claims.evidence import no_data, typed
from huying.claims.rules import CANNOT_SAY, NO_BASELINE, NOT_SUPPORTED, QUANTIFIERS, SUPPORTED
from huying.claims.worded import reason_word, sentence, short, show_value, verdict_word
from huying.errors import CountyError
from huying.folder import read_county
from huying.intervals import COUNT, EXACT, POOLED
from huying.store import toml_table

CLAIMS = house_claims()
RAW = {"id": "X01", "zh": "甲", "en": "A", "quantifier": "MOST", "threshold": 0.5, "problem_if": "supported",
       "base": {"zh": "居民", "en": "residents"}, "estimand": {"zh": "占比", "en": "a share"}, "notebook": "11_x"}  # fmt: skip
HEAD = '[county]\nid = "x"\nname_zh = "甲县"\nname_en = "A"\nsampling = "probability"\nis_synthetic = true\n'


@pytest.fixture
def county(tmp_path):
    def make(more=""):
        (tmp_path / "county.toml").write_text(HEAD + more, "utf-8")
        return read_county(tmp_path)

    return make


# --- declarations -----------------------------------------------------------------------------------------------------


def unsound(claim):
    """What a claim lacks."""
    holds = {
        "quantifier": claim.quantifier in QUANTIFIERS and claim.town_quantifier in ("", *QUANTIFIERS),
        "problem_if": claim.problem_if in (SUPPORTED, NOT_SUPPORTED),
        "words": all((*claim.base, *claim.estimand, claim.notebook)),
        "towns": claim.is_about_towns == bool(claim.town_quantifier),
        "rule": f"{claim.threshold:g}" in claim.say_rule() and claim.quantifier in claim.say_rule(),
    }
    return [name for name, is_so in holds.items() if not is_so]


def test_every_claim_is_sound():
    assert {key: unsound(claim) for key, claim in CLAIMS.items() if unsound(claim)} == {}


def test_rule_for_the_county_and_for_a_town():
    claim = read_claim({**RAW, "quantifier": "SOME", "threshold": 0.0, "town_quantifier": "LOW", "town_threshold": 0.3})
    assert claim.rule_at("county") == ("SOME", 1.0)  # one town is some
    assert claim.rule_at("T01") == ("LOW", 0.3)
    assert claim.say_rule() == "SOME 0 (≥ 1); town LOW 0.3; base: residents; a share"
    plain = read_claim(RAW)
    assert plain.rule_at("county") == plain.rule_at("T01") == ("MOST", 0.5)
    assert plain.say_rule() == "MOST 0.5; base: residents; a share"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quantifier": "MANY"}, "row 5: quantifier: expected"),
        ({"treshold": 3}, "row 11: unknown key treshold; did you mean threshold?"),
        ({"judged_for": "village"}, "row 11: judged_for: expected"),
        ({"subs": {"part": {"quantifier": "HALF", "threshold": 0.5}}}, "row 11: quantifier: expected"),
        ({"threshold": "half"}, "row 6: threshold: expected a number, got 'half'"),
        ({"needs": "calls"}, "row 11: needs: expected a list"),
        ({"bar": 0.5}, "row 11: unknown key bar; did you mean threshold?"),
        ({"base": {"zh": "居民"}}, r"row 8: \[claim.base\] lacks the key en"),
        ({"estimand": None}, r"row 1: \[claim\] lacks the key estimand"),
        ({"least": 0}, "least: expected"),
        ({"least": "2"}, "least: expected"),
        ({"of_cases": 1}, "of_cases: expected"),
        ({"share_of": "village"}, "share_of: expected"),
        ({"id": "Z01", "same_as": "P99"}, "P99"),
        ({"id": "Z01", "threshold": 30}, "Z01 = 30.0: the threshold of a share lies between 0 and 1"),
    ],
)
def test_a_claim_that_is_not_understood(county, tmp_path, change, said):
    raw = {key: value for key, value in {**RAW, **change}.items() if value is not None}
    (tmp_path / "claims.toml").write_text(toml_table("[[claim]]", raw), "utf-8")
    with pytest.raises(CountyError, match=said):
        claims_of(county())


def test_bars_of_a_county(county):
    got = claims_of(county("[claim_thresholds]\nP13 = 0.25\nP14 = 0.6\n"))
    assert got["P13"].rule_at("T01")[1] == 0.25  # a claim about towns: the threshold that a town must meet
    assert got["P13"].rule_at("county") == CLAIMS["P13"].rule_at("county")
    assert got["P14"].threshold == 0.6
    assert got["P15"] == CLAIMS["P15"]


def test_a_bar_of_no_claim(county):
    with pytest.raises(CountyError) as caught:
        claims_of(county("[claim_thresholds]\nP99 = 0.25\n"))
    assert "county.toml: claim_thresholds: P99 is no claim's id. Known: A01, A02, " in str(caught.value)


def test_a_bar_of_a_share_lies_between_0_and_1(county):
    with pytest.raises(CountyError, match=r"claim_thresholds\.P13 = 30"):
        claims_of(county("[claim_thresholds]\nP13 = 30\n"))


# --- freezing (see tests/spec/test_verdicts.py for what it does) --------------------------------------------------------


def test_nothing_is_frozen_at_first(county):
    assert read_freeze(county()) == Freeze()
    assert Freeze().remark("P13", "x") == "not_frozen"
    assert Freeze().date("P13") == ""


def test_the_hash_is_the_same_whatever_the_order_of_the_file(county):
    one = rule_hashes(
        county("[claim_thresholds]\nP14 = 0.6\nP13 = 0.2\n[thresholds]\nspeeder = 0.4\nclone_block = 4\n"), CLAIMS
    )
    two = rule_hashes(
        county("[thresholds]\nclone_block = 4\nspeeder = 0.4\n[claim_thresholds]\nP13 = 0.2\nP14 = 0.6\n"), CLAIMS
    )
    assert one == two
    assert len(set(one.values())) == len(CLAIMS)  # each claim has a hash of its own
    assert {len(value) for value in one.values()} == {16}


# --- words ------------------------------------------------------------------------------------------------------------

ROW = {"place": "T01", "part": "", "verdict": SUPPORTED, "estimate": 0.52, "low": 0.431, "high": 0.608, "n": 120.0, "method": POOLED, "wave": "2023",
       "reliability": "ok", "reason": "", "remark": ""}  # fmt: skip
SHARE = read_claim(RAW)


@pytest.mark.parametrize(
    ("change", "en"),
    [
        ({}, "X01 | Mean Town | A: supported, 52.0% (95% CI 43.1% to 60.8%, n=120)."),
        ({"method": COUNT, "low": 0.52, "high": 0.52}, "X01 | Mean Town | A: supported, 52.0% (counted, n=120)."),
        ({"method": EXACT, "wave": ""}, "X01 | Mean Town | A: supported, 52.0% (counted; 95% interval of the process 43.1% to 60.8%, n=120)."),
        ({"verdict": CANNOT_SAY, "reason": "no eligible case: no call", "estimate": np.nan},
         "X01 | Mean Town | A: cannot say; reason: no eligible case (no call)."),
        ({"method": COUNT, "low": 0.25, "high": 0.75}, "X01 | Mean Town | A: supported, 52.0% (what can be decided: 25.0% to 75.0%, n=120)."),
        ({"verdict": CANNOT_SAY, "reason": "interval includes the threshold"},
         "X01 | Mean Town | A: cannot say, 52.0% (95% CI 43.1% to 60.8%, n=120); reason: interval includes the threshold."),
        ({"verdict": CANNOT_SAY, "reason": "no data: calls", "estimate": np.nan}, "X01 | Mean Town | A: cannot say; reason: no ledger of calls."),
        ({"verdict": CANNOT_SAY, "reason": "too few answers", "estimate": np.nan, "n": 3.0}, "X01 | Mean Town | A: cannot say; reason: too few answers."),
        ({"remark": "understated; rule_changed"},
         "X01 | Mean Town | A: supported, 52.0% (95% CI 43.1% to 60.8%, n=120); note: understated, it is more than half; note: changed after the data were seen."),
        ({"verdict": NO_BASELINE, "estimate": np.nan}, "X01 | Mean Town | A: no baseline."),
    ],
)  # fmt: skip
def test_a_line_of_evidence(change, en):
    assert sentence({**ROW, **change}, SHARE, "en", "Mean Town") == en


def test_a_line_in_chinese():
    said = sentence({**ROW, "verdict": CANNOT_SAY, "reason": "interval includes the threshold"}, SHARE, "zh", "均值镇")
    assert said == "X01｜均值镇｜甲：证据不足，52.0%（95%置信区间 43.1% 至 60.8%，n=120）；原因：区间跨过界限。"


def test_a_sub_has_no_verdict():
    said = sentence({**ROW, "part": "female", "verdict": ""}, SHARE, "en", "Mean Town", "women")
    assert said == "X01 | Mean Town | women, 52.0% (95% CI 43.1% to 60.8%, n=120)."


@pytest.mark.parametrize(
    ("change", "en"),
    [
        ({}, "52.0% (43.1% to 60.8%, n=120)"),
        ({"method": COUNT, "low": 0.52, "high": 0.52}, "52.0% (n=120)"),
        ({"estimate": np.nan, "reason": "too few answers"}, "too few answers"),
        ({"estimate": np.nan}, "-"),
    ],
)
def test_a_cell_of_a_table(change, en):
    assert short({**ROW, **change}, SHARE, "en") == en


def test_values():
    months = CLAIMS["P12"]
    assert show_value(SHARE, 0.5, "en") == "50.0%"
    assert show_value(SHARE, np.nan, "en") == "-"
    assert show_value(months, 14.0, "en").startswith("14")
    assert "%" not in show_value(months, 14.0, "zh")
    county = {**ROW, "place": "county", "method": COUNT, "estimate": 0.75, "low": 0.75, "high": 0.75, "n": 4}
    assert "75.0% (counted, n=4)" in sentence(
        county, months, "en", "the county"
    )  # the county's value is a share of towns


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_verdict_has_its_word(lang):
    assert len({verdict_word(verdict, lang) for verdict in (SUPPORTED, NOT_SUPPORTED, CANNOT_SAY, NO_BASELINE)}) == 4
    assert verdict_word("", lang) == ""
    for reason in (
        "no eligible case",
        "not estimable",
        "interval includes the threshold",
        "too few answers",
        "one psu",
        "no data: calls",
    ):
        assert reason_word(reason, lang)
    for remark in ("understated", "not_frozen", "rule_changed"):
        assert words.say(f"claims.remark_{remark}", lang)


def test_no_data():
    rows = no_data(("T01", "county"), "no data: calls")
    assert rows["verdict"].tolist() == rows["verdict_family"].tolist() == [CANNOT_SAY] * 2
    assert rows["reason"].tolist() == ["no data: calls"] * 2
    assert typed(rows.assign(is_synthetic=True))["estimate"].isna().all()


@pytest.mark.parametrize("fewest", ["0", "-1", "2.5"])
def test_the_fewest_cases_are_a_whole_number(county, fewest):
    with pytest.raises(CountyError, match="fewest_cases"):
        county(f"[thresholds]\nfewest_cases = {fewest}\n")
    assert county("[thresholds]\nfewest_cases = 5\n").thresholds["fewest_cases"] == 5


def test_stated_reasons_are_said_of_those_who_say_so():
    said = sentence({**ROW, "claim": "P14"}, CLAIMS["P14"], "en", "Mean Town")
    assert "52.0% of the 120 who say so" in said and "(95% CI 43.1% to 60.8%)" in said


@pytest.mark.parametrize(("claim", "words"), [("B09", ", all 120 (counted)"), ("P23", ", 100.0% (counted, n=120)")])
def test_no_failure_among_n_is_said_as_all_n(claim, words):
    row = {**ROW, "wave": "", "method": COUNT, "estimate": 1.0, "low": 1.0, "high": 1.0}
    assert words in sentence(row, CLAIMS[claim], "en", "Mean Town")
