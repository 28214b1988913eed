"""Every part of a claim has a name in both languages and a kind."""

import csv
from pathlib import Path

import pytest

from huying import words
from huying.labels import part_kind, part_kinds, part_word

PARTS = Path(__file__).parents[1] / "data" / "frozen" / "parts.csv"
REMAIN = list(csv.DictReader(PARTS.read_text("utf-8-sig").splitlines()))
OF_ANSWERS = (
    "reason_",
    "contact_",
    "reach_",
    "wanted_",
    "option_",
    "gap_",
    "importance_",
    "adequacy_",
    "staff_",
    "age_group_",
    "sex_group_",
)


@pytest.mark.parametrize(
    ("part", "zh", "en"),
    [
        ("recovered", "收回", "recovered"),
        ("staff_justice", "工作人员评：司法所", "as staff rate: justice office"),
        ("kind_market", "市场监管", "market regulation"),
        ("org_roster", "机构设置表", "roster of units"),
        ("something else", "", ""),  # a part of nobody's naming has none
    ],
)
def test_the_name_of_a_part(part, zh, en):
    assert (part_word(part, "zh"), part_word(part, "en")) == (zh, en)


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_part_has_words_or_is_named_after_an_answer(lang):
    bare = {
        row["part"] for row in REMAIN if not part_word(row["part"], lang) and not row["part"].startswith(OF_ANSWERS)
    }
    assert not bare


def test_the_kind_of_a_part():
    assert part_kind("B06", "refusal_rate") == "share"
    assert part_kind("S36", "median_days_hear") == "number"
    assert part_kind("A13", "psu_total") == "number"
    assert part_kind("A10", "held") == ""  # posts, as the claim
    assert set(part_kinds().values()) == {"share", "number"}
