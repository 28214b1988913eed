"""Every part of a claim has a name in both languages and a kind."""

import csv
from pathlib import Path

import pytest

from huying import words
from huying.labels import part_word
from huying.units import of_part, read_lists, read_parts

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


def test_the_unit_and_noun_of_a_part():
    assert of_part("unit", "B06", "refusal_rate") == "share" and of_part("unit", "P16", "change") == "points"
    assert (
        of_part("unit", "S36", "median_days_hear") == "days" and of_part("unit", "S23", "gap_people") == "score_points"
    )
    assert of_part("unit", "A13", "psu_total") == "count" and of_part("counts", "A13", "psu_total") == "posts"
    assert of_part("unit", "A10", "held") == "" == of_part("n_of", "A10", "held")  # posts, as the claim
    assert of_part("n_of", "P26", "staff_land") == "staff" and of_part("n_of", "P26", "kind_land") == ""


def test_what_is_declared_of_parts_stands_on_the_closed_lists():
    declared, known = read_parts(), read_lists()
    assert set(declared["unit"].values()) <= set(known["unit"]) and set(declared["kind"].values()) == {
        "mean",
        "computed",
    }
    assert set(declared["n_of"].values()) | set(declared["counts"].values()) <= set(known["noun"])
    words_of = [*known["unit"].values(), *known["noun"].values()]
    assert all(entry["zh"] and entry["en"] for entry in words_of) and all(
        "one" in entry for entry in known["noun"].values()
    )
