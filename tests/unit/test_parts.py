"""Every part of a claim has a name in both languages and a kind."""

import pytest

from huying import words
from huying.parts import kind_of, kinds, part_word


@pytest.mark.parametrize(
    ("claim", "part", "zh", "en"),
    [
        ("A10", "recovered", "收回", "recovered"),
        ("S11", "reach_1", "实际渠道：公众号文章", "heard by: Official account"),
        ("P28", "option_2", "主张：双重管理，镇街为主", "prefers: By both, the town leading"),
        ("P26", "staff_justice", "工作人员评：司法所", "as staff rate: justice office"),
        ("P26", "kind_market", "市场监管", "market regulation"),
        ("S23", "gap_a", "差距：人才", "gap: Skilled people"),
        ("A01", "org_roster", "机构设置表", "roster of units"),
        ("P99", "something else", "something else", "something else"),  # a part of nobody's naming keeps its own
    ],
)
def test_the_name_of_a_part(claim, part, zh, en):
    assert (part_word(claim, part, "zh"), part_word(claim, part, "en")) == (zh, en)


def test_the_kind_of_a_part():
    assert kind_of("B06", "refusal rate") == "share"
    assert kind_of("S36", "median days_hear") == "number"  # by its prefix
    assert kind_of("A13", "psu_total") == "number"
    assert kind_of("A10", "held") == ""  # posts, as the claim
    assert set(kinds().values()) == {"share", "number"}


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_a_name_is_never_a_code(lang):
    assert "_" not in part_word("S11", "wanted_97", lang)
