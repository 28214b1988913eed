"""The ledger gathered, its headlines and listing, and what a verdict tells of its rows; orders and choices written out by hand."""

import numpy as np
import pandas as pd
import pytest

from huying.claims.declared import house_claims
from huying.claims.evidence import EVIDENCE, in_order
from huying.claims.verdict import Verdict, as_records, list_claims, say_silent
from huying.labels import Labels
from huying.words import CountyError, Text, say

CLAIMS = house_claims()
NAMES = Labels(
    "en",
    Text("甲县", "A County"),
    {"T01": Text("甲镇", "Town A"), "T02": Text("乙镇", "Town B")},
    {},
    None,
    True,
    "probability",
)


def row(claim="P16", place="county", estimate=0.4, **more):
    """A row of the ledger; what is not given is empty."""
    numbers = {"estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1, "n": 100.0}
    texts = dict.fromkeys(EVIDENCE, "")
    return {**texts, **dict.fromkeys(("n_eff", "df", "deff", "low_family", "high_family"), np.nan), "is_synthetic": True, **numbers,
            "verdict": "supported", "verdict_family": "supported", "method": "t", "reliability": "ok", "claim": claim, "place": place, "is_counted": False,
            "unit": CLAIMS[claim].unit_at(place) if claim in CLAIMS else "share", "n_of": "residents", **more}  # fmt: skip


def test_the_ledger_stands_by_claim_period_wave_part_and_place_whatever_the_order_of_notebooks():
    keys = [  # as it must stand: the house's order of claims, a county's own last
        ("A01", "", "2022", "", "county"),
        ("P16", "", "2022", "", "T01"),
        ("P16", "", "2022", "", "county"),
        ("P16", "", "2023", "", "T02"),
        ("P16", "", "2023", "women", "T01"),
        ("P16", "2022", "", "", "T01"),
        ("S11", "", "", "", "county"),
        ("Z01", "", "", "", "county"),
    ]
    rows = [row(claim, place, period=period, wave=wave, part=part) for claim, period, wave, part, place in keys]
    assert list(CLAIMS).index("A01") < list(CLAIMS).index("P16") < list(CLAIMS).index("S11")
    rng = np.random.default_rng(1)
    for _ in range(5):
        made = in_order(pd.DataFrame([rows[k] for k in rng.permutation(len(rows))]))
        assert made[["claim", "period", "wave", "part", "place"]].apply(tuple, axis=1).tolist() == keys
        assert made.index.tolist() == list(range(len(keys))) and list(made.columns) == list(EVIDENCE)


def test_one_key_may_be_judged_twice_but_with_one_value():
    assert (
        len(
            in_order(
                pd.DataFrame(
                    [row(), row(cell="c7"), row(estimate=np.nan, place="T01"), row(estimate=np.nan, place="T01")]
                )
            )
        )
        == 2
    )
    with pytest.raises(CountyError) as error:
        in_order(pd.DataFrame([row(wave="2023", part="women"), row(wave="2023", part="women", estimate=0.41)]))
    assert "P16" in str(error.value) and "county · 2023 · women" in str(error.value)


def test_the_headline_is_the_countys_of_the_latest_wave_or_of_the_one_asked_for():
    rows = pd.DataFrame([row(estimate=0.1, wave="2022"), row(estimate=0.2, wave="2023"), row(place="T01", estimate=0.3, wave="2023"),
                         row(estimate=0.9, wave="2023", part="women"), row("P13", estimate=0.5, period="2021"), row("P13", estimate=0.6, period="2022"),
                         row("A01", "T02", estimate=0.7)])  # fmt: skip
    told = list_claims(rows, CLAIMS, NAMES, "en")
    assert told["value"].to_dict() == {"A01": "0.7 towns", "P13": "60.0%", "P16": "20.0%"}
    then = list_claims(rows, CLAIMS, NAMES, "en", "2022")
    assert then["value"].to_dict() == {"A01": "0.7 towns", "P13": "60.0%", "P16": "10.0%"}
    assert list(told.index) == [key for key in CLAIMS if key in ("A01", "P13", "P16")]


def test_the_listing_says_in_words_what_the_headline_holds():
    rows = [row(wave="2023", remark="understated"), row("P18", estimate=np.nan, verdict="cannot say", verdict_family="cannot say", reason="too few answers"),
            row("P12", estimate=3.0, low=3.0, high=3.0)]  # fmt: skip
    told = list_claims(pd.DataFrame(rows), CLAIMS, NAMES, "en")
    assert told.loc["P16", ["section", "said", "value", "interval", "n_said"]].tolist() == [
        "P1",
        "supported",
        "40.0%",
        "95% CI 30.0% to 50.0%",
        "100 residents",
    ]
    assert told.loc["P16", "text"] == CLAIMS["P16"].text.en and told.loc["P16", "why"] == say(
        "claims.remark_understated", "en"
    )
    assert told.loc["P18", ["said", "value", "interval", "why"]].tolist() == ["cannot say", "", "", "too few answers"]
    assert told.loc["P12", "interval"] == ""  # counted: it has none
    assert told["is_problem"].to_dict() == {
        key: CLAIMS[key].problem_if == said
        for key, said in (("P16", "supported"), ("P18", "cannot say"), ("P12", "supported"))
    }
    assert list_claims(pd.DataFrame(rows).iloc[:0], CLAIMS, NAMES, "en").empty


def test_what_no_data_can_judge_is_one_line():
    silent = {"estimate": np.nan, "verdict": "cannot say", "verdict_family": "cannot say", "n": 0.0}
    rows = [
        row(),
        row("P13", reason="no data: unit_check", **silent),
        row("A09", reason="not asked", **silent),
        row("S34", reason="few cases", **silent),
    ]
    told = list_claims(pd.DataFrame(rows), CLAIMS, NAMES, "en")
    assert told.index[told["is_silent"]].tolist() == ["A09", "P13"]
    assert say_silent(told, "en").startswith("2 more claims") and say_silent(told, "en").endswith("A09 P13")
    assert say_silent(told[~told["is_silent"]], "en") == ""


def verdict(*rows, place="T01", **more):
    return Verdict(pd.DataFrame(list(rows)), CLAIMS["P16"], "en", place, NAMES, {}, **more)


def test_a_verdict_tells_the_place_first_and_then_the_county():
    made = verdict(row(place="T02", estimate=0.2), row(estimate=0.3), row(place="T01", estimate=0.4))
    assert [one["place"] for one in made.told] == ["T01", "county"]
    assert (
        made.row["estimate"] == 0.4
        and made.title == "Awareness of the reform among residents of Town A is not high: supported, 40.0%"
    )
    assert [one["place"] for one in verdict(row(place="T02"), row(), place="county").told] == ["county"]
    open_still = row(estimate=np.nan, verdict="cannot say", verdict_family="cannot say")
    assert verdict(open_still).title.endswith("cannot say")
    assert len(made.text.splitlines()) == 2 and made.text.startswith(
        "P16 Awareness of the reform among residents of Town A"
    )


def test_a_verdict_that_the_adjustment_took_back_is_shown_with_its_name():
    made = verdict(row(place="T01", wave="2023", verdict_family="cannot say", low_family=0.2, high_family=0.6))
    assert made.text.endswith("(before multiple-comparison adjustment: supported)")
    assert "95% CI 20.0% to 60.0%, adjusted for multiple comparisons" in made.text and ": cannot say. " in made.text


def test_where_neither_place_nor_county_is_judged_those_with_a_remark_are_told_or_the_first_three():
    departments = [row(place=f"K{k}") for k in range(5)]
    assert [one["place"] for one in verdict(*departments).told] == ["K0", "K1", "K2"]
    assert [one["place"] for one in verdict(*departments, row(place="K9", remark="outside_limits")).told] == ["K9"]
    assert verdict(row()).row["place"] == "county"


def test_of_several_periods_the_one_that_is_asked_for_is_told_and_the_latest_of_a_part_that_lacks_it():
    rows = [
        row(period=period, part=part)
        for part, periods in (("", ("2021", "2022")), ("late", ("2020",)))
        for period in periods
    ]
    assert [(one["part"], one["period"]) for one in verdict(*rows).told] == [("", "2022"), ("late", "2020")]
    assert [(one["part"], one["period"]) for one in verdict(*rows, period="2021").told] == [
        ("", "2021"),
        ("late", "2020"),
    ]


def test_several_parts_without_a_verdict_are_a_table_and_one_is_a_sentence():
    parts = [
        row(place=place, part=part, wave="2023", verdict="", verdict_family="")
        for part in ("female", "male")
        for place in ("T01", "county")
    ]
    table = verdict(*parts).table
    assert list(table.columns) == ["Town A", "A County"] and table.shape == (2, 2)
    assert table.iloc[0, 0] == "40.0% (95% CI 30.0% to 50.0%, 100 residents)"
    assert verdict(*parts[:2]).table.empty and verdict(*parts, row()).table.empty


def test_rows_travel_as_plain_numbers():
    assert as_records(pd.DataFrame([row(estimate=1 / 3)]))[0]["estimate"] == 0.333333333333
    assert as_records(pd.DataFrame([row(estimate=np.nan)]))[0]["estimate"] is None
