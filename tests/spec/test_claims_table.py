"""The declared claims against the table of their rules (tests/data/claims_rules.csv), column by column."""

import csv
import re
from pathlib import Path

import pytest

from huying.claims.declared import house_claims

FILE = Path(__file__).parents[1] / "data" / "claims_rules.csv"
ROWS = {row["id"]: row for row in csv.DictReader(FILE.read_text("utf-8-sig").splitlines())}
CLAIMS = house_claims()
# Items and numbers of an estimand's head, parts left out: R09, S07a, L07, 30, 0.30, .9.
TOKEN = re.compile(r"\b[RSL]\d\d[a-z]?\b|(?<![\w.])\d*\.?\d+")

# The same base in the words that a reader gets.
PLAINER = {"calls dispatched in the period, old enough to be late": "calls whose deadline has passed"}


def test_the_same_claims_in_the_same_order():
    assert list(CLAIMS) == list(ROWS) and len(ROWS) == 72


@pytest.mark.parametrize("key", ROWS)
def test_a_claim_is_as_its_line_says(key):
    row, claim = ROWS[key], CLAIMS[key]
    declared = (claim.quantifier, claim.threshold, claim.base.en, claim.judged_for, claim.problem_if)
    base = PLAINER.get(row["base"], row["base"])
    assert declared == (row["quantifier"], float(row["bar"]), base, row["judged_for"], row["problem_if"])
    if claim.is_about_towns:  # the table's threshold is a town's
        assert claim.rule_at("T01")[1] == float(row["bar"])
    head = re.split(r"[;,] subs?:? |; reach of ", row["estimand"])[0]
    said = {number(token) for token in TOKEN.findall(f"{claim.estimand.en} {claim.say_rule()}")}
    assert {number(token) for token in TOKEN.findall(head)} <= said


def number(token):
    """Numbers as numbers, so that 0.30 is .3; items as they are."""
    return token if token[0].isalpha() else float(token)


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("A03", (("COUNT", 12), ("ALL", 1))),  # twelve in a town; every town so
        ("A11", (("ALL", 0.9), ("ALL", 1))),
        ("P12", (("GENERAL", 12), ("ALL", 1))),
        ("P13", (("GENERAL", 0.3), ("SOME", 1))),  # at the county it is the towns that are counted
        ("P32", (("LOW", 0.5), ("SOME", 1))),
        ("B04", (("GENERAL", 0.3), ("ALL", 1))),
        ("S32", (("NEED", 0.9), ("SOME", 1))),
        ("S21", (("NEED", 0.9), ("NEED", 0.9))),
        ("S23", (("MOST", 0.5), ("MOST", 0.5))),  # a need that lies above its threshold
        ("P24", (("SOME", 1), ("SOME", 1))),
    ],
)  # fmt: skip
def test_what_a_town_and_the_county_are_held_against(key, rules):
    assert (CLAIMS[key].rule_at("T01"), CLAIMS[key].rule_at("county")) == rules


def test_what_measures_the_same_refers_to_it():
    pairs = {claim.id: claim.same_as for claim in CLAIMS.values() if claim.same_as}
    assert pairs == {"S11": "P16", "S31": "P32", "S36": "P34", "S22": "P22", "S21": "B02"}


def test_shares_of_cases_and_no_attributes_of_places():
    assert {claim.id for claim in CLAIMS.values() if claim.of_cases} == {
        "D04",
        "D08",
        "P23",
        "P34",
        "S21",
        "S32",
        "S36",
    }


def test_threshold_is_the_word():
    for claim in CLAIMS.values():
        assert not re.search(r"\bbars?\b", " ".join((claim.text.en, claim.base.en, claim.estimand.en)))
    assert "few" not in CLAIMS["P16"].text.en.lower() and "not high" in CLAIMS["P16"].text.en
