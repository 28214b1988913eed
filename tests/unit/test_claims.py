import datetime as dt

import pytest

from huying import words
from huying.claims.declared import Freeze, claims_of, freeze, house_claims, read_claim, read_freeze, rule_hashes
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
    ("rule", "town", "county"),
    [
        ({"quantifier": "SOME", "least": 3}, ("SOME", 3.0), ("SOME", 3.0)),
        ({"town_quantifier": "MOST", "quantifier": "ALL", "threshold": 0.4}, ("MOST", 0.4), ("ALL", 1.0)),
        ({"town_quantifier": "COUNT", "quantifier": "COUNT", "threshold": 12}, ("COUNT", 12.0), ("ALL", 1.0)),
        ({"town_quantifier": "NEED", "quantifier": "NEED", "threshold": 0.4}, ("NEED", 0.4), ("SOME", 1.0)),
        ({"town_quantifier": "LOW", "quantifier": "MOST", "town_threshold": 0.3}, ("LOW", 0.3), ("MOST", 0.5)),
        ({"town_quantifier": "LOW", "quantifier": "MOST", "town_threshold": 0.0}, ("LOW", 0.0), ("MOST", 0.5)),
        ({"quantifier": "NEED", "is_above": True}, ("MOST", 0.5), ("MOST", 0.5)),
        ({"quantifier": "LOW", "is_above": True}, ("LOW", 0.5), ("LOW", 0.5)),
    ],
)
def test_what_a_town_and_the_county_are_held_to(rule, town, county):
    claim = read_claim({**RAW, **rule})
    assert (claim.rule_at("T01"), claim.rule_at("county")) == (town, county)


@pytest.mark.parametrize(
    ("key", "place", "part", "unit", "noun"),
    [
        ("A03", "T01", "", "count", "units"),
        ("A03", "county", "", "share", "towns"),  # of a claim about towns the county's value is a share of them
        ("A03", "county", "offices", "count", "units"),  # its parts are not
        ("A02", "county", "", "share", "towns"),  # others: the towns that are no pilot
        ("B04", "county", "", "share", "departments"),
        ("P18", "T01", "", "points", "residents"),
        ("P13", "county", "staff", "index", "staff"),
        ("P16", "T01", "change", "points", "residents"),
        ("P16", "county", "", "share", "residents"),
    ],
)
def test_what_is_measured_and_counted_at_a_place(key, place, part, unit, noun):
    assert (CLAIMS[key].unit_at(place, part), CLAIMS[key].noun_at(place, part)) == (unit, noun)


def test_a_rule_in_one_line_names_all_that_it_is_decided_by():
    """This line is what is hashed before the data are seen: a rule changed anywhere changes it."""
    subs = {"quick": {"quantifier": "GENERAL", "threshold": 0.8}, "kind": {"quantifier": "MOST", "threshold": 0.5}}
    assert read_claim({**RAW, "subs": subs}).say_rule() == (
        "MOST 0.5; quick: GENERAL 0.8; kind: MOST 0.5; base: residents; a share"
    )
    of_departments = read_claim({**RAW, "quantifier": "NEED", "town_quantifier": "NEED", "share_of": "department"})
    assert of_departments.say_rule() == "NEED 0.5; department NEED 0.5; base: residents; a share"
    assert of_departments.say_rule("zh") == "NEED 0.5; department NEED 0.5; base: 居民; 占比"


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


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 0},
        {"threshold": 1},  # both ends of a share are thresholds
        {"threshold": 30, "unit": "days"},  # of what is no share any number is
        {"town": None, "judged_for": "county"},
        {"town": None, "judged_for": "county", "town_quantifier": "MOST", "share_of": "department"},
        {"same_as": "P16"},
        {"counts": "villages"},
    ],
)
def test_a_claim_that_is_understood(county, tmp_path, change):
    raw = {key: value for key, value in {**RAW, "id": "Z01", **change}.items() if value is not None}
    (tmp_path / "claims.toml").write_text(toml_table("[[claim]]", raw), "utf-8")
    assert claims_of(county()) == {**CLAIMS, "Z01": read_claim(raw)}


@pytest.mark.parametrize("judged_for", ["town", "others", "pilot"])
def test_a_claim_judged_for_a_town_of_any_kind_says_how_it_is_said_of_one(county, tmp_path, judged_for):
    raw = {key: value for key, value in {**RAW, "id": "Z01", "judged_for": judged_for}.items() if key != "town"}
    (tmp_path / "claims.toml").write_text(toml_table("[[claim]]", raw), "utf-8")
    with pytest.raises(CountyError, match="Z01 can be judged for a town"):
        claims_of(county())


@pytest.mark.parametrize("second", [{}, {"threshold": 0.7}])
def test_two_claims_of_a_county_have_two_ids(county, tmp_path, second):
    """Else the second would silently take the place of the first."""
    twice = [toml_table("[[claim]]", {**RAW, "id": "Z01", **change}) for change in ({}, second)]
    (tmp_path / "claims.toml").write_text("\n".join(twice), "utf-8")
    with pytest.raises(CountyError, match="Z01: a claim of the house has this id, or another one here"):
        claims_of(county())


def test_a_countys_own_threshold_goes_to_its_towns_where_they_have_one_of_their_own(county, tmp_path):
    own = {**RAW, "id": "Z01", "quantifier": "ALL", "threshold": 1.0, "town_quantifier": "MOST", "town_threshold": 0.5}
    (tmp_path / "claims.toml").write_text(toml_table("[[claim]]", own), "utf-8")
    got = claims_of(county("[claim_thresholds]\nZ01 = 0.25\n"))["Z01"]
    assert (got.threshold, got.town_threshold) == (1.0, 0.25)


def test_a_threshold_at_fault_is_named_in_the_file_that_holds_it(county, tmp_path):
    (tmp_path / "claims.toml").write_text(toml_table("[[claim]]", {**RAW, "id": "Z01", "threshold": 30}), "utf-8")
    with pytest.raises(CountyError, match=r"claims\.toml.*Z01 = 30"):
        claims_of(county())
    with pytest.raises(CountyError, match=r"county\.toml.*Z01 = -1"):
        claims_of(county("[claim_thresholds]\nZ01 = -1\n"))


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


INDICATOR = {"name": "polite", "form": "resident", "when": "agree_courteous >= 4", "base": "had_business = yes",
             "unknown": "out", "zh": "礼貌", "en": "polite"}  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"when": "agree_courteous >= 3"}, {"base": "had_business = no"}, {"unknown": "counts"}]
)
def test_of_the_indicator_that_decides_a_claim_the_definition_is_frozen_with_it(county, tmp_path, change):
    def hashes(indicator):
        claims = toml_table("[[claim]]", {**RAW, "id": "Z01", "indicator": "polite"})
        (tmp_path / "claims.toml").write_text(toml_table("[[indicator]]", indicator) + "\n" + claims, "utf-8")
        return rule_hashes(county(), claims_of(county()))

    before, after = hashes(INDICATOR), hashes({**INDICATOR, **change})
    assert {key for key in after if before[key] != after[key]} == {"Z01"}
    assert hashes({**INDICATOR, "en": "courteous"}) == before  # its name in words decides nothing


def test_what_is_frozen_on_the_same_day_has_no_later_date(county, tmp_path):
    day, file = dt.date(2023, 5, 1), freeze(county(), dt.date(2023, 5, 1))
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("P14 ")), "utf-8")
    assert freeze(county(), day).read_text("utf-8").splitlines() == lines
    assert read_freeze(county()).later == {} and read_freeze(county()).date("P14") == "2023-05-01"


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
    for word in (reason_word, remark_word):
        assert word("what nobody has words for", lang) == "what nobody has words for"


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        ("no data: unit_check", "没有机构运行核查表的数据", "no ledger of unit check"),
        ("no data: residents", "没有居民问卷的数据", "no survey of residents"),  # a form is no ledger
        ("no eligible case: too few answers", "没有符合条件的个案（回答人数过少，不列数值）", "no eligible case (too few answers)"),
        ("no eligible case", "没有符合条件的个案", "no eligible case"),
        ("number masked: A14", "汇报没有印出这个数字", "the report does not print the number"),
    ],
)  # fmt: skip
def test_a_reason_names_what_is_missing_in_the_readers_language(reason, zh, en):
    for lang, said in (("zh", zh), ("en", en)):
        assert reason_word(reason, lang) == said


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
