"""A county that lacks any one ledger or survey still gets all 72 claims; those that lost their data say which file is missing."""

from dataclasses import replace

import pytest

from huying.batch.county_step import find_all, judge_all, make_study
from huying.claims import FORM_NAMES, house_claims
from huying.ledgers import TABLES


def without(cleaned, name):
    """The cleaned county without a ledger, or without a form."""
    if name in FORM_NAMES:
        return replace(cleaned, forms={form: rows for form, rows in cleaned.forms.items() if form != FORM_NAMES[name]})
    return replace(cleaned, ledgers={key: rows for key, rows in cleaned.ledgers.items() if key[0] != name})


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
