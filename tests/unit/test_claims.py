import pytest

from huying import words
from huying.claims.declared import Freeze, claims_of, house_claims, read_claim, read_freeze, rule_hashes
from huying.claims.evidence import no_data, typed
from huying.claims.rules import CANNOT_SAY, NOT_SUPPORTED, QUANTIFIERS, SUPPORTED
from huying.claims.statements import reason_word, remark_word
from huying.folder import read_county
from huying.store import toml_table
from huying.words import CountyError

CLAIMS = house_claims()
RAW = {"id": "X01", "zh": "甲", "en": "A", "quantifier": "MOST", "threshold": 0.5, "problem_if": "supported",
       "base": {"zh": "居民", "en": "residents"}, "estimand": {"zh": "占比", "en": "a share"}, "notebook": "11_x",
       "n_of": "residents", "town": {"zh": "{place}甲", "en": "{place} A"}}  # fmt: skip
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
        ({"treshold": 3}, "row 13: unknown key treshold; did you mean threshold?"),
        ({"judged_for": "village"}, "row 13: judged_for: expected"),
        ({"subs": {"part": {"quantifier": "HALF", "threshold": 0.5}}}, "row 13: quantifier: expected"),
        ({"threshold": "half"}, "row 6: threshold: expected a number, got 'half'"),
        ({"needs": "calls"}, "row 13: needs: expected a list"),
        ({"bar": 0.5}, "row 13: unknown key bar; did you mean threshold?"),
        ({"base": {"zh": "居民"}}, r"row 8: \[claim.base\] lacks the key en"),
        ({"estimand": None}, r"row 1: \[claim\] lacks the key estimand"),
        ({"id": "Z01", "unit": "percent"}, "unit: “percent” is not on the closed list"),
        ({"id": "Z01", "n_of": "resident"}, "n_of: “resident” is not on the closed list. Near it: residents"),
        ({"id": "Z01", "counts": "people"}, "counts: “people” is not on the closed list"),
        ({"n_of": None}, r"\[claim\] lacks the key n_of"),
        ({"id": "Z01", "town": None}, "Z01 can be judged for a town, yet does not say how it is said of one"),
        (
            {"id": "Z01", "town": {"zh": "部分镇街甲", "en": "A"}},
            "town is said of one town; “部分镇街” cannot stand in it",
        ),
        ({"id": "Z01", "town": {"zh": "{place}甲", "en": "Some towns A"}}, "“some towns” cannot stand in it"),
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


# --- words: see tests/outside for what statements say -------------------------------------------------------------------


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_reason_and_remark_has_its_words(lang):
    for reason in (
        "no eligible case",
        "not estimable",
        "interval includes the threshold",
        "too few answers",
        "one psu",
        "no data: calls",
    ):
        assert reason_word(reason, lang) and (lang == "en" or not reason_word(reason, lang).isascii())
    for remark in ("understated", "not_frozen", "rule_changed"):
        assert remark_word(remark, lang) != remark
    assert reason_word("smallest p: .056", lang).rstrip(".").endswith("0.056")


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
