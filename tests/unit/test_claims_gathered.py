"""The ledger gathered, its headlines and listing, and what a verdict tells of its rows; orders and choices written out by hand."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from huying.claims.declared import house_claims
from huying.claims.evidence import EVIDENCE, in_order
from huying.claims.statements import statements
from huying.claims.verdict import MIME, Verdict, as_records, list_claims, read_recorded, say_silent, write_evidence
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


# --- a statement, piece by piece ----------------------------------------------------------------------------------------

PLACES = {"county": "A County", "T01": "Town A", "T02": "Town B", "K01": "Bureau"}
COUNTED = {"is_counted": True, "method": "count", "period": "2022", "low": np.nan, "high": np.nan}
OPEN = {"verdict": "cannot say", "verdict_family": "cannot say"}
NOTHING = {"estimate": np.nan, **OPEN}


def told(column, *rows, lang="en", places=PLACES):
    """What is said of the first of these rows, which stand in one ledger."""
    return statements(pd.DataFrame(list(rows)), CLAIMS, places, lang)[column].iloc[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(place="T01"), row(estimate=0.2)], "A County: 20.0%, supported"),
        ([row(place="T01"), row(estimate=0.2, wave="2022")], ""),  # of another wave
        ([row(place="T01"), row(**NOTHING)], "A County: cannot say"),
        ([row(place="T01"), row(estimate=0.2, verdict="", verdict_family="")], "A County: 20.0%"),
        ([row(place="T01"), row(verdict="", verdict_family="", estimate=np.nan)], ""),
        ([row(), row(place="T01")], ""),  # the county itself
        ([row(place="T01")], ""),
        # Of a claim on towns the county's number says how many of them meet the town's rule, not what is measured.
        ([row("P13", "T01"), row("P13", estimate=0.5, n=4.0, n_of="towns")], "A County: 50% of towns: at least 0.3, supported"),
    ],
)  # fmt: skip
def test_beside_a_towns_value_stands_what_the_county_has(rows, said):
    assert told("county", *rows) == said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(wave="2023")], "estimated from a sample"),
        ([row(wave="2023", reliability="read with care")], "estimated, read with care"),
        ([row(period="2022")], "inferred from ledgers"),
        ([row(**COUNTED)], "counted"),
        ([row(**{**COUNTED, "remark": "chance"})], "counted, could be chance"),
        ([row(**{**COUNTED, "remark": "many_rejected; chance"})], "counted, could be chance"),
        ([row(wave="2023", remark="chance")], "estimated from a sample"),
        ([row(**{**COUNTED, "low": 0.3, "high": 0.5})], "some cases unknown, bounded both ways"),
        ([row(**OPEN)], "undecided"),
        ([row(reliability="too few answers")], "undecided"),  # nothing is stated
        ([row(wave="2023"), row(wave="2023", part="robustness", estimate=0.75, n=54.0, n_of="specifications", low=np.nan, high=np.nan)],
         "estimated from a sample; 75% of 54 specifications (other ways to define, weigh and exclude) give the same verdict"),
        ([row(wave="2023", part="female"), row(wave="2023", part="robustness", n=54.0, n_of="specifications")], "estimated from a sample"),
    ],
)  # fmt: skip
def test_how_surely_it_is_said(rows, said):
    assert told("certainty", *rows) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**COUNTED}, "40 of 100 residents, counted"),
        ({**COUNTED, "estimate": 1.0}, "all 100 residents, counted"),
        ({**COUNTED, "estimate": 0.0}, "0 of 100 residents, counted"),
        ({**COUNTED, "estimate": 0.405}, "100 residents, counted"),  # 40.5 people are none: a mean
        ({**COUNTED, "estimate": 0.3333333, "n": 9999.0}, "3333 of 9999 residents, counted"),  # as a file has rounded it
        ({**COUNTED, "estimate": 0.50000015, "n": 1e5}, "100000 residents, counted"),  # 50,000.015 are no number of people
        ({**COUNTED, "estimate": 1.0, "n": 1.0}, "1 resident, counted"),
        ({**COUNTED, "estimate": 0.5, "n": 2.0}, "1 of 2 residents, counted"),
        ({**COUNTED, "claim": "P15"}, "100 residents, counted"),  # its share is a mean over people
        ({**COUNTED, "claim": "B04", "part": "granted", "n_of": "documents"}, "100 documents, counted"),
        ({**COUNTED, "part": "granted", "n_of": "documents"}, "100 documents, counted"),
        ({**COUNTED, "claim": "B04", "estimate": 0.5, "n": 4.0, "n_of": "departments"}, "2 of 4 departments, counted"),  # how many, not their mean
        ({**COUNTED, "unit": "index"}, "100 residents, counted"),
        ({**COUNTED, "low": 0.3, "high": 0.5}, "30.0% to 50.0%, depending on the unknown cases, 100 residents, counted"),
        ({**COUNTED, "claim": "P13", "n_of": "towns", "low": 0.3, "high": 0.5, "unit": "share"},
         "30.0% to 50.0%, depending on the undecided ones, 100 towns, counted"),
        ({**COUNTED, "claim": "P13", "place": "T01", "low": 0.35, "high": 0.5, "unit": "index"},
         "0.35 to 0.50, depending on the unknown cases, 100 residents, counted"),
        ({"wave": "2023", "method": "count"}, "30.0% to 50.0%, depending on the unknown cases, 100 residents"),
        ({"wave": "2023"}, "95% CI 30.0% to 50.0%, 100 residents"),
        ({"period": "2022"}, "95% CI of the process 30.0% to 50.0%, 100 residents"),
        ({"wave": "2023", "low_family": 0.3, "high_family": 0.5}, "95% CI 30.0% to 50.0%, 100 residents"),
        ({"wave": "2023", "low_family": 0.2, "high_family": 0.5}, "95% CI 20.0% to 50.0%, adjusted for multiple comparisons, 100 residents"),
        ({"wave": "2023", "low_family": 0.3, "high_family": 0.6}, "95% CI 30.0% to 60.0%, adjusted for multiple comparisons, 100 residents"),
        ({"wave": "2023", "high": np.nan}, "95% CI from 30.0%, without an upper limit, 100 residents"),
        ({"wave": "2023", "low": np.nan}, "95% CI up to 50.0%, without a lower limit, 100 residents"),
        ({"wave": "2023", "low": 0.4, "high": 0.4}, "100 residents"),  # no width: no interval
        ({"wave": "2023", "n": 0.0}, "95% CI 30% to 50%"),
        ({"wave": "2023", "n": np.nan, "low": np.nan, "high": np.nan}, ""),
    ],
)  # fmt: skip
def test_what_surrounds_a_value(given, said):
    value = told("sentence", row(**given)).removesuffix(".").partition("; threshold")[0]
    assert value.endswith(f" ({said})" if said else ": 40%")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "below 50%"),
        ({"claim": "P13"}, "at least 1 town"),  # of the county: how many
        ({"claim": "P13", "place": "T01"}, "at least 0.3"),
        ({"claim": "P24"}, "at least 1 head change"),
        ({"claim": "P21"}, "without exception"),
        ({"claim": "A11", "place": "T01"}, "90%"),
        ({"claim": "A07"}, "exactly 62 villages"),
        ({"claim": "A14"}, "within 0.05 percentage points"),
        ({"claim": "A01"}, "exactly 0 towns"),
        ({"claim": "B10"}, "none"),
        ({"claim": "A15", "place": "T01"}, "above 0 per thousand residents"),
        ({"claim": "A15", "unit": "points"}, "above 0 percentage points"),  # a change is in the unit of its row
        ({"claim": "S11"}, "below 50% shows the need"),
        ({"claim": "S23"}, "above 0.5 score points"),  # a need that lies above its threshold
        ({"claim": "X01"}, "at least 1 passage"),
        ({"part": "female"}, ""),  # a part has no rule,
        ({"claim": "D04", "part": "one visit", "n_of": "transactions"}, "at least 80%"),  # unless one was declared
    ],
)  # fmt: skip
def test_the_rule_in_words(given, said):
    known = {"n_of": CLAIMS[given["claim"]].n_of} if "claim" in given and "part" not in given else {}
    assert told("threshold", row(**{**known, **given})) == said


@pytest.mark.parametrize(
    ("given", "is_told"),
    [({}, True), (NOTHING, False), ({"verdict": "", "verdict_family": ""}, False), ({"part": "female"}, False), (OPEN, True)],
)  # fmt: skip
def test_a_sentence_ends_with_the_rule_where_a_value_was_held_to_it(given, is_told):
    assert ("; threshold: below 50%." in told("sentence", row(**given))) == is_told


def test_a_threshold_below_which_there_is_none_is_said_as_one():
    claims = {"P16": replace(CLAIMS["P16"], quantifier="NONE", threshold=0.05)}
    assert statements(pd.DataFrame([row()]), claims, PLACES, "en")["threshold"].iloc[0] == "below 5%"


@pytest.mark.parametrize(
    ("claim", "given", "said"),
    [
        ("P16", {}, "为40.0%"),
        (
            "A07",
            {"estimate": 62.0, "unit": "count", "n_of": "villages"},
            "登记的行政村共62个村",
        ),  # the measure leads to its value
        ("A12", {"unit": "points", "n_of": "posts"}, "比例相差40"),
    ],
)
def test_a_measure_and_its_value_make_one_chinese_sentence(claim, given, said):
    assert said in told("sentence", row(claim, **given), lang="zh")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"wave": "2023"}, "survey of residents"),
        ({"wave": "2023", "n_of": "staff"}, "survey of staff"),  # whoever was asked
        ({"n_of": "staff"}, "survey of residents"),
        ({"wave": "2023", "n_of": "towns"}, "survey of residents"),
        ({"claim": "P18", "wave": "2023"}, "roster of units, survey of residents, survey of staff"),
        ({"claim": "P13", "period": "2022"}, "check of units in use"),
        ({"claim": "X01"}, "text of the report"),
        ({"claim": "P28", "wave": "2023", "n_of": "leaders"}, "survey of leaders"),
    ],
)
def test_what_a_statement_rests_on(given, said):
    assert told("source", row(**given)) == said


@pytest.mark.parametrize(
    ("given", "is_asked"),
    [
        ({"wave": "2023"}, True),
        ({"period": "2022"}, False),  # no survey
        ({"wave": "2023", "part": "aware_certain"}, True),  # a variable of its own
        ({"wave": "2023", "part": "female"}, False),
        ({"wave": "2023", "part": "satisfaction"}, False),  # an answer's name alone is no definition of the part
        ({"wave": "2023", "claim": "P18"}, False),  # of several questions
    ],
)
def test_a_survey_row_goes_back_to_its_question(given, is_asked):
    assert bool(told("question", row(**given))) == is_asked
    assert ("question: " in told("subtitle", row(**given))) == is_asked


def test_a_place_is_a_department_where_only_claims_on_departments_speak_of_it():
    texts = {key: CLAIMS[key].department.en.replace("{place}", "Bureau") for key in ("S32", "B07")}
    known = {"n_of": "calls", "place": "K01"}
    assert told("text", row("S32", **known)) == texts["S32"]
    late = row("B07", "K01", part="department_late", n_of="calls")
    assert told("text", row("S32", **known), late) == texts["S32"]
    as_town = CLAIMS["S32"].town or CLAIMS["S32"].text
    assert told("text", row("S32", **known), row(place="K01")).endswith(as_town.en.replace("{place}", "Bureau"))
    assert told("text", row("B07", **known), row("S32", **known)) != texts["B07"]  # B07 itself is told of towns
    only = {"B07": replace(CLAIMS["B07"], judged_for="department")}
    assert statements(pd.DataFrame([row("B07", **known)]), only, PLACES, "en")["text"].iloc[0] == texts["B07"]


@pytest.mark.parametrize(
    ("note", "verdict", "said"),
    [
        ("among_respondents", "supported", "supported among respondents"),
        ("chance; as_if_at_random", "not supported", "not supported among respondents"),
        ("among_respondents", "cannot say", "cannot say"),
        ("chance", "supported", "supported"),
        ("", "", ""),
    ],
)
def test_where_nobody_was_drawn_a_verdict_holds_among_respondents(note, verdict, said):
    assert told("verdict_word", row(remark=note, verdict=verdict, verdict_family=verdict)) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        ({"reason": "one psu", "reliability": "not estimable"}, "one primary sampling unit, so no variance"),
        ({"reliability": "too few answers"}, "too few answers"),
        (OPEN, "the interval includes the threshold"),
        (NOTHING, ""),
        ({"reliability": "read with care"}, "wide interval or few degrees of freedom, read with care"),
        ({"remark": "understated; chance"}, "the report says “some”; it is more than half; it could be chance"),
        ({"claim": "S11"}, "measures what P16 measures; not counted twice"),
        ({"claim": "S11", "part": "female"}, ""),
    ],
)
def test_what_must_be_known_beside_a_value(given, said):
    assert told("caution", row(**given)) == said


@pytest.mark.parametrize(
    ("claim", "part", "en", "zh"),
    [
        ("P16", "aware_certain", "aware of the reform, without cannot say", "知晓改革（不计说不清）"),  # a variable
        ("P14", "reason_habit", "used to the old way", "习惯了原来的做法"),  # an answer's own column
        (
            "S11",
            "reach_wechat",
            "heard by: WeChat group",
            "实际渠道：微信群消息",
        ),  # an answer, with what its prefix adds
        ("P26", "staff_land", "as staff rate: natural resources", "工作人员评：自然资源"),  # a kind of agency
        ("P22", "gini", "Gini coefficient", "基尼系数"),  # words of its own
        ("P16", "something_else", "something_else", "something_else"),  # nothing has a word for it
    ],
)
def test_a_part_is_called_by_its_own_words_or_by_what_it_is_made_from(claim, part, en, zh):
    assert told("text", row(claim, part=part)) == told("measure", row(claim, part=part)) == en
    assert told("text", row(claim, part=part), lang="zh") == zh


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"wave": "2023"}, "2023 survey"),
        ({"wave": "2023b"}, "survey 2023b"),
        ({"period": "2022"}, "2022 ledgers"),
        ({"period": "spring", "wave": ""}, "ledgers spring"),
        ({}, ""),
    ],
)
def test_when_it_was(given, said):
    assert told("when", row(**given)) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"estimate": 0.4996, "n": 2500.0}, "49.96%"),  # not rounded onto the threshold, though 49.9% and 50.0% differ by a digit
        ({"claim": "P24", "estimate": 0.5004, "n": 2500.0, "n_of": "calls"}, "50.0%"),  # SOME has no line at one half,
        ({"claim": "P24", "estimate": 0.5004, "n": 2500.0, "n_of": "calls", "remark": "understated"}, "50.04%"),  # but where it says more than half
        ({"estimate": 0.0004, "n": 2500.0}, "0.04%"),
        ({"estimate": 0.9996, "n": 2500.0}, "99.96%"),
        ({"claim": "P22", "estimate": 0.996, "unit": "index"}, "1.00"),  # an index has no line at one
        ({"reliability": "too few answers"}, ""),
        ({"estimate": np.nan}, ""),
    ],
)  # fmt: skip
def test_a_value_is_rounded_onto_no_line_that_matters(given, said):
    assert told("value", row(**given)) == said


def test_a_claims_own_words_for_its_value_are_said_where_all_that_they_name_is_there():
    """P25: 4 of 10 heads before the mechanism, 8 of 10 since; without one of the two only the change is told."""
    share = {"unit": "share", "n_of": "head_changes", "n": 10.0, "verdict": "", "verdict_family": ""}
    head = row("P25", n_of="head_changes", n=20.0)
    before, after = row("P25", part="before", **share), row("P25", part="after", **{**share, "estimate": 0.8})
    own = "40% of 10 head changes were consulted before the mechanism and 80% of 10 head changes since, a change of 40"
    assert own in told("sentence", head, before, after)
    plain = CLAIMS["P25"].measure.en
    for lacks in ([], [before], [before, {**after, "estimate": np.nan}]):
        said = told("sentence", head, *lacks)
        assert "before the mechanism and" not in said and plain[1:] in said
    assert own not in told("sentence", before, head, after)  # a part has its own value


@pytest.mark.parametrize(
    ("lang", "text", "verdict", "said"),
    [
        ("en", "word " * 12, "supported", "supported, 40.0%"),  # 14 words
        ("en", "word " * 12, "not supported", "not supported, 40.0%"),  # 15
        ("en", "word " * 13, "not supported", "not supported"),  # 16
        ("zh", "甲" * 11, "supported", "支持，40.0%"),  # 11 + 1 + 8 = 20 characters
        ("zh", "甲" * 12, "supported", "支持"),  # 21
    ],
)
def test_a_title_has_the_value_where_there_is_room_for_it(lang, text, verdict, said):
    """A title has at most 15 words, or 20 characters of Chinese."""
    own, rows = Text(text.strip(), text.strip()), pd.DataFrame([row(place="county", verdict_family=verdict)])
    claims = {"P16": replace(CLAIMS["P16"], text=own)}
    made = statements(rows, claims, {**PLACES, "county": ""}, lang)["title"].iloc[0]
    assert made.removeprefix(text.strip()).lstrip(":： ") == said


def test_a_county_without_a_name_is_the_county():
    assert told("place_name", row(), places={}) == "the county"
    assert told("place_name", row(place="T01"), places={}) == "T01"


def test_only_the_headline_says_that_there_is_a_problem_or_what_it_was_before_the_adjustment():
    assert told("is_problem", row()) and not told("is_problem", row(part="female"))
    assert not told("is_problem", row(verdict_family="not supported"))
    assert told("own", row(**OPEN)) == "" and told("own", row(verdict_family="cannot say")) != ""


# --- what is no row of a ledger -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": "percent"}, "unit"),
        ({"unit": ""}, "unit"),  # a value needs its unit
        ({"n_of": ""}, "n_of"),  # and whoever was counted a noun
        ({"n_of": "people"}, "n_of"),
        ({"n_of": "people", "n": 0.0}, "n_of"),
        ({"claim": "P166"}, "P16"),
    ],
)
def test_a_row_without_words_is_refused(change, said):
    with pytest.raises(CountyError, match=said):
        told("value", row(**change))


def test_what_is_empty_needs_no_words():
    assert told("value", row(unit="", **NOTHING)) == "" and told("n", row(n_of="", n=0.0)) == ""


def test_a_ledger_that_lacks_a_column_is_refused():
    with pytest.raises(CountyError, match="columns remark, low"):
        statements(pd.DataFrame([row()]).drop(columns=["low", "remark"]), CLAIMS, PLACES, "en")


@pytest.mark.parametrize(("flag", "is_counted"), [(True, True), ("True", True), ("true", True), (1, True), (1.0, True), ("1", True), ("False", False), (0, False), ("", False)])  # fmt: skip
def test_a_ledger_read_back_from_a_file_says_the_same(flag, is_counted):
    """Of a file a wave may come as a number, an empty cell as missing, a flag as a text."""
    given = row(**{**COUNTED, "is_counted": flag, "period": 2022.0, "wave": np.nan, "remark": np.nan})
    assert told("when", given) == "2022 ledgers" and told("caution", given) == ""
    assert told("certainty", given) == ("counted" if is_counted else "inferred from ledgers")


# --- notebooks and tables -----------------------------------------------------------------------------------------------


def test_rows_are_read_back_from_notebooks_with_the_cell_that_recorded_them(tmp_path):
    def notebook(name, *cells):
        (tmp_path / name).write_text(json.dumps({"cells": list(cells)}), "utf-8")
        return name, tmp_path / name

    shown = {"data": {"text/plain": "P16"}}
    made = [{"id": key, "outputs": [shown, {"data": {MIME: as_records(pd.DataFrame([row(place=place)]))}}]} for key, place in (("c1", "T01"), ("c2", "county"))]  # fmt: skip
    files = [
        notebook("21_a", {"id": "c0"}, made[0], {"id": "c3", "outputs": [{"text": "no data"}]}),
        notebook("22_b", made[1]),
    ]
    found = read_recorded(files)
    assert found[["place", "notebook", "cell"]].to_numpy().tolist() == [["T01", "21_a", "c1"], ["county", "22_b", "c2"]]
    write_evidence(tmp_path / "out" / "evidence.parquet", tmp_path / "out" / "made.json", found)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"evidence.parquet", "evidence.csv", "made.json"}


def test_a_table_of_parts_says_why_a_value_is_lacking_and_what_must_be_known_of_the_rule():
    silent = {"verdict": "", "verdict_family": ""}
    rows = [row(part="female", remark="not_frozen; chance", **silent), row(part="male", estimate=np.nan, n=3.0, reason="too few answers", **silent),
            row(part="age_60", estimate=np.nan, n=0.0, n_of="", **silent)]  # fmt: skip
    made = verdict(*rows, place="county")
    assert made.table["A County"].tolist() == ["40.0% (95% CI of the process 30.0% to 50.0%, 100 residents)", "too few answers", "-"]  # fmt: skip
    assert made.heading == "P16; note: rule not frozen beforehand" and made.text.startswith(made.heading + "\n")
    page = made._repr_html_()
    assert page.startswith(f"<p>{made.heading}</p><table") and "too few answers" in page
    assert verdict(row())._repr_html_().startswith("<p>P16 ") and verdict(*rows[:1]).table.empty
    nothing = Verdict(pd.DataFrame(rows).iloc[:0], CLAIMS["P16"], "en", "T01", NAMES, {})
    assert (nothing.title, nothing.subtitle, nothing.row) == (CLAIMS["P16"].text.en, "", {})


def test_of_a_claim_on_towns_a_chart_shows_the_threshold_of_a_town():
    assert Verdict(pd.DataFrame([row("P13")]), CLAIMS["P13"], "en", "county", NAMES, {}).threshold == 0.3
