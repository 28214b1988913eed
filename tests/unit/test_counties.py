"""A county opened: ledgers, counts and verdicts by hand, and what `judge` refuses, in both languages."""

import json

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import aware_of, ids, opened, residents

from huying.claims.verdict import MIME, as_records
from huying.words import CountyError, EstimateError, HuyingError, use_language
from run_notebook import StandIn

PLANS = pd.DataFrame(
    {"town_id": ["T01", "T02", "T02", "T03"], "is_good": pd.array([True, False, None, None], dtype="boolean")}
)
POLITE = """
[[indicator]]
name = "polite"
form = "resident"
when = "agree_courteous >= 4"
zh = "窗口态度好"
en = "polite staff"

[[claim]]
id = "Z01"
indicator = "polite"
zh = "多数人认为窗口态度好"
en = "Most find the staff polite"
quantifier = "MOST"
threshold = 0.5
problem_if = "not supported"
n_of = "residents"
town = { zh = "{place}甲", en = "{place} A" }
base = { zh = "居民", en = "residents" }
estimand = { zh = "比例", en = "share" }
notebook = ""
"""


def refused(call, english, chinese, kind=HuyingError):
    for lang, said in (("en", english), ("zh", chinese)):
        use_language(lang)
        with pytest.raises(kind) as error:
            call()
        assert said in error.value.say(lang), error.value.say(lang)


@pytest.fixture
def county(tmp_path):
    """Two towns with 30 residents in each of two waves: 24 and 6 aware, then 27 and 9."""
    forms = []
    for wave, counts in (("2023", [24, 6]), ("2024", [27, 9])):
        towns, answers = aware_of(counts, 30)
        forms.append(residents(towns, wave, R09=answers))
    return opened(tmp_path, {"resident": forms}, 2)


@pytest.fixture
def aware(county):
    return county.survey("resident", wave="2023").share("aware")


# --- what there is ----------------------------------------------------------------------------------------------------


def test_a_county_says_what_it_is(county):
    assert repr(county).splitlines() == [
        "A",
        "internal: no disclosure control has been applied",
        "合成数据 SYNTHETIC: this county does not exist and no number here is about a real place",
    ]
    assert county._repr_html_().count("<p>") == 3
    assert (
        county.town_ids == ["T01", "T02"]
        and county.waves("resident") == ["2023", "2024"]
        and county.waves("staff") == []
    )


def test_a_ledger_that_the_county_does_not_have_is_empty_with_its_columns(county):
    calls = county.ledger("calls")
    assert len(calls) == 0 and {"town_id", "called_at", "period"} <= set(calls)
    assert (
        county.periods("calls") == []
        and not county.has("calls")
        and county.has("residents")
        and not county.has("staff")
    )
    refused(
        lambda: county.ledger("cals"),
        "there is no ledger “cals”. Near it: calls",
        "没有“cals”这种台账。相近的有：calls",
        CountyError,
    )


def test_periods_stand_beside_the_rows(tmp_path):
    marks = pd.DataFrame({"town_id": ["T01"], "old_id": ["O01"], "mark": ["seal"], "in_use": ["old"]})
    county = StandIn(tmp_path, {("unit_check", "2023"): marks, ("unit_check", "2022"): marks})
    assert county.periods("unit_check") == ["2022", "2023"]
    assert county.ledger("unit_check")["period"].tolist() == ["2022", "2023"]
    assert county.ledger("unit_check", period="2023")["period"].tolist() == ["2023"]


# --- counts by hand ---------------------------------------------------------------------------------------------------


def test_count_leaves_out_what_is_not_known(county):
    """T01 1 of 1, T02 0 of 1 (one unknown), T03 is in no register; the county's row counts all rows: 1 of 2."""
    rows = county.count(PLANS, "is_good", exact=False)
    assert rows["place"].tolist() == ["T01", "T02", "county"] and rows["n"].tolist() == [1, 1, 2]
    assert rows["estimate"].tolist() == rows["low"].tolist() == rows["high"].tolist() == [1, 0, 0.5]
    assert county.count(PLANS, "is_good", by=None)["place"].tolist() == ["county"]


def test_count_bears_the_exact_interval_of_the_process(county):
    """Clopper and Pearson for 3 of 10: .0667 to .6525."""
    rows = pd.DataFrame({"town_id": "T01", "is_good": [True] * 3 + [False] * 7})
    county_row = county.count(rows, "is_good", exact=True).iloc[-1]
    assert [county_row["low"], county_row["high"]] == pytest.approx([0.0667, 0.6525], abs=5e-5)
    none = county.count(rows, "is_good").set_index("place").loc["T02"]
    assert np.isnan(none["estimate"]) and none["reason"] == "no eligible case"


def test_count_by_another_column_and_period(county):
    rows = pd.DataFrame(
        {"kind": ["a", "a", "b", "a"], "is_good": [True, False, True, True], "period": ["1", "1", "1", "2"]}
    )
    made = county.count(rows, "is_good", by="kind", exact=False)
    assert made[["period", "place", "estimate", "n"]].to_numpy().tolist() == [
        ["1", "a", 0.5, 2],
        ["1", "b", 1, 1],
        ["2", "a", 1, 1],
    ]


def test_bounded_counts_the_unknown_both_ways(county):
    """T02: one no and one unknown: 0 of 1 known, between 0 of 2 and 1 of 2; the county 1 of 2 known, 1/4 to 3/4 of four rows."""
    rows = county.bounded(PLANS, "is_good").set_index("place")
    assert rows.loc["T02", ["estimate", "low", "high", "n"]].tolist() == [0, 0, 0.5, 2]
    assert rows.loc["county", ["estimate", "low", "high", "n"]].tolist() == [0.5, 0.25, 0.75, 4]


def test_values_are_numbers_by_place(county):
    rows = county.values(pd.Series({"T01": 12.0, "T02": None}), n=pd.Series({"T01": 3}))
    assert rows[["place", "n"]].to_numpy().tolist() == [["T01", 3], ["T02", 0]]
    assert (
        rows["estimate"].iloc[0] == 12
        and np.isnan(rows["estimate"].iloc[1])
        and rows["reason"].tolist() == ["", "no eligible case"]
    )
    assert county.values(7)["place"].tolist() == ["county"]


# --- the judge --------------------------------------------------------------------------------------------------------


def test_a_verdict_shows_itself_for_the_place_and_the_county(county, aware, capsys):
    """24 of 30: the whole interval lies above one half, so that "few know" is not supported; the county 30 of 60 is open."""
    verdict = county.judge("P16", aware, place="T01")
    lines = capsys.readouterr().out.splitlines()
    assert lines == verdict.text.splitlines() and len(lines) == 2
    assert lines[0].startswith(
        "P16 Awareness of the reform among residents of Town is not high: not supported. 2023 survey: share of residents aware of the reform: 80% ("
    )
    assert lines[1].startswith(
        "P16 A: Awareness of the reform among residents is not high: cannot say. 2023 survey: share of residents aware of the reform: 50% ("
    )
    assert verdict.title == "Awareness of the reform among residents of Town is not high: not supported, 80%"
    assert verdict.subtitle.endswith("; Town; 2023 survey; 30 residents") and "question: " in verdict.subtitle
    assert verdict.threshold == 0.5


def test_what_is_judged_is_remembered_for_the_ledger(county, aware):
    county.judge("P16", aware)
    rows = county.recorded
    assert rows[["claim", "place", "wave", "part"]].to_numpy().tolist() == [
        ["P16", place, "2023", ""] for place in ("T01", "T02", "county")
    ]
    # T02's villages have 0, 1, 0, 3 and 2 of 6: they differ more than rho = .04 explains, and its own rho leaves 6 of 30 open.
    assert rows["verdict"].tolist() == ["not supported", "cannot say", "cannot say"] and set(rows["remark"]) == {
        "not_frozen"
    }


def test_parts_have_no_verdict_and_stand_in_a_table(county, aware, capsys):
    survey = county.survey("resident", wave="2023")
    parts = survey.share(["aware", "aware_certain"])
    verdict = county.judge("P16", parts.assign(part=parts["measure"]), place="T01")
    assert set(verdict.rows["verdict"]) == {""} and len(county.recorded) == 6
    shown = capsys.readouterr().out.splitlines()
    assert (
        shown[0] == "P16; note: rule not frozen beforehand"
        and shown[2].startswith("aware of the reform")
        and shown[2].count("80% (") == 1
    )
    assert shown[3].startswith("aware of the reform, without cannot say") and "50% (" in shown[3]


def test_of_a_ledgers_periods_the_sentence_tells_one(tmp_path):
    county = StandIn(tmp_path, {"unit_check": pd.DataFrame({"town_id": ["T01"]})}, towns=1)
    rows = pd.concat(
        [
            county.values(pd.Series({"T01": value}), n=10, period=period)
            for period, value in (("2022", 0.6), ("2023", 0.1))
        ]
    )
    assert county.judge("P13", rows, place="T01", period="2022").row["estimate"] == 0.6
    assert county.judge("P13", rows, place="T01").row["estimate"] == 0.1
    assert county.judge("P13", rows, place="T01", period="2030").row["period"] == "2023"
    assert len(county.recorded) == 4  # both periods, the town and the county


def test_a_claim_without_its_ledger_needs_nothing_of_the_rows(county):
    verdict = county.judge("P11", pd.DataFrame({"place": [], "estimate": []}))
    assert set(verdict.rows["reason"]) == {"no data: documents"} and set(verdict.rows["verdict"]) == {"cannot say"}
    assert verdict.text.endswith("cannot say. No ledger of documents; rule not frozen beforehand.")


def test_a_wave_that_was_not_asked_is_shown_and_not_recorded(county):
    verdict = county.judge("P16", county.survey("resident", wave="2030").share("aware"))
    assert "Not asked in this wave" in verdict.text and not len(county.recorded)


def test_a_claim_nobody_knows(county, aware):
    refused(
        lambda: county.judge("P166", aware),
        "no claim is called “P166”. Near it: P16",
        "没有编号为“P166”的论断。相近的有：P16",
        CountyError,
    )
    refused(lambda: county.claim("K1"), "no claim is called “K1”", "没有编号为“K1”的论断", CountyError)


def test_a_frame_of_two_waves(county, aware):
    both = pd.concat([aware, county.survey("resident", wave="2024").share("aware")])
    refused(
        lambda: county.judge("P16", both),
        "P16: judge one wave at a time; the frame holds 2023, 2024",
        "P16：一次只判断一轮调查，数据里有 2023, 2024",
        EstimateError,
    )


def test_a_frame_without_a_place(county, aware):
    one = aware[aware["place"] != "T02"]
    refused(
        lambda: county.judge("P16", one),
        'P16 is judged for town; the frame lacks T02. Use by="town"',
        '数据里少了 T02。请用 by="town"',
        EstimateError,
    )
    alone = county.survey("resident").share("aware", by=None)
    refused(lambda: county.judge("P16", alone), "the frame lacks T01, T02", "数据里少了 T01, T02", EstimateError)
    towns = aware[aware["place"] != "county"]
    refused(lambda: county.judge("P16", towns), "the frame lacks county", "数据里少了 county", EstimateError)


def test_a_frame_that_is_no_estimate(county, aware):
    refused(
        lambda: county.judge("P16", aware.drop(columns=["low", "n"])),
        "it lacks the columns low, n",
        "缺少列 low, n",
        EstimateError,
    )


def test_a_missing_number_of_a_nullable_column_is_judged_as_missing(county, aware):
    gone = aware.assign(**{name: aware[name].astype("Float64") for name in ("estimate", "low", "high")})
    gone.loc[gone["place"] == "T01", ["estimate", "low", "high"]] = pd.NA
    judged = county.judge("P16", gone).rows.set_index("place")
    assert judged.at["T01", "verdict"] == "cannot say" and judged.at["T01", "reason"] == "not estimable"
    assert np.isnan(judged.at["T01", "estimate"])


def test_a_place_nobody_knows(county, aware):
    refused(
        lambda: county.judge("P16", aware, place="T99"),
        "no town has the id “T99”. Known: T01, T02",
        "没有编号为“T99”的镇街。可用：T01, T02",
        CountyError,
    )


def test_a_wave_may_be_a_number_and_the_latest_is_the_usual_one(county):
    assert county.survey("resident").wave == "2024" and county.survey("resident", wave=2023).wave == "2023"


def test_a_town_may_be_named_where_one_alone_has_the_name(county, aware):
    """In the register of this county both are called Town."""
    county.towns["name_zh"], county.towns["name_en"] = ["甲镇", "乙镇"], ["Town", "Town"]
    assert [county.find_place(name) for name in ("乙镇", "T01", "county", "")] == ["T02", "T01", "county", "county"]
    assert county.judge("P16", aware, place="乙镇").rows["place"].tolist()[:2] == ["T01", "T02"]
    with pytest.raises(CountyError, match="no town has the id “Town”"):
        county.judge("P16", aware, place="Town")


def test_a_cell_altered_and_run_again_has_the_last_value(county, aware):
    """A researcher at work is not recording: she may change a definition and judge again."""
    county.judge("P16", aware)
    county.judge("P16", aware.assign(estimate=aware["estimate"] + 0.01))
    rows = county.recorded.set_index("place")["estimate"]
    assert rows["T01"] == pytest.approx(aware.set_index("place")["estimate"]["T01"] + 0.01)


def test_a_key_twice_with_another_value(county, aware, monkeypatch):
    monkeypatch.setenv("HUYING_RECORD", "1")
    county.judge("P16", aware)
    county.judge("P16", aware)  # the same again is nothing new
    assert len(county.recorded) == 3
    other = county.survey("resident", wave="2023", weights="none").share("aware_certain")
    moved = other.assign(estimate=other["estimate"] + 0.01)
    refused(
        lambda: county.judge("P16", moved),
        "P16 was judged already for T01 · 2023, with another number",
        "P16 的同一项（T01 · 2023）已用另一个数判断过",
        CountyError,
    )


def test_rows_travel_at_twelve_digits_and_only_in_the_recording_run(county, aware, monkeypatch):
    sent = []
    monkeypatch.setattr("huying.claims.verdict.get_ipython", lambda: object())
    monkeypatch.setattr("huying.claims.verdict.publish_display_data", sent.append)
    verdict = county.judge("P16", aware)
    assert set(sent[-1]) == {"text/plain", "text/html"} and sent[-1]["text/plain"] == verdict.text
    monkeypatch.setenv("HUYING_RECORD", "1")
    county.judge("P16", aware)
    rows = json.loads(json.dumps(sent[-1][MIME], allow_nan=False))
    assert [row["place"] for row in rows] == ["T01", "T02", "county"] and not {"notebook", "cell"} & set(rows[0])
    third = as_records(verdict.rows.assign(estimate=1 / 3, deff=np.nan))[0]
    assert third["estimate"] == 0.333333333333 and third["deff"] is None


# --- the county's own claims ------------------------------------------------------------------------------------------


def own(folder, text):
    towns, answers = aware_of([20], 30)
    (folder / "claims.toml").write_text(text, "utf-8")
    rows = residents(towns, R09=answers, R24_c=[5, 4, 3] * 10)
    return opened(folder, {"resident": [rows]}, 1)


def test_an_own_claim_is_decided_by_its_variable(tmp_path):
    """Two of three agree: 20 of 30."""
    county = own(tmp_path, POLITE)
    variable = county.own_claims["Z01"]
    rows = county.survey(variable.form).share(variable.name)
    assert rows["estimate"].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert county.judge("Z01", rows, place="T01").text.startswith(
        "Z01 Town A: cannot say. 2023 survey: polite staff: 67% ("
    )
    assert county.labels.measure("polite") == "polite staff"


@pytest.mark.parametrize(
    ("old", "new", "english", "chinese"),
    [
        (
            'indicator = "polite"',
            'indicator = "polit"',
            "no indicator polit. Near it: polite",
            "没有指标“polit”。相近的有：polite",
        ),
        (
            '"MOST"',
            '"SOME"',
            "Z01: a share cannot decide SOME. Quantifiers that it can: ALL, MOST",
            "Z01：比例不能判定 SOME。可用的数量词：ALL, MOST",
        ),
        (
            'form = "resident"',
            'form = "leader"',
            'only the county is judged. Write judged_for = "county"',
            '只能判断全县。请写 judged_for = "county"',
        ),
        (
            '"agree_courteous >= 4"',
            '"agree_polite >= 4"',
            "names “agree_polite”, which is no column here",
            "“agree_polite”不是已知的变量",
        ),
        ('name = "polite"', 'name = "aware"', "the variable aware is declared twice", "变量 aware 声明了两次"),
        ('id = "Z01"', 'id = "P16"', "a claim of the house has this id", "已是通用论断"),
    ],
)
def test_an_own_claim_that_cannot_be_decided(tmp_path, old, new, english, chinese):
    assert old in POLITE
    refused(lambda: own(tmp_path, POLITE.replace(old, new)).survey("resident"), english, chinese)


def test_names_of_places_that_rows_give_by_their_id(tmp_path):
    units = pd.DataFrame(
        {"old_id": ["O01"], "old_name": ["农技站"], "old_name_en": ["Agro-tech station"], "new_unit": ["N12"]}
    )
    county = StandIn(tmp_path, {"org_map": units})
    assert [county.labels.place(name) for name in ("O01", "T01", "county", "T77")] == [
        "Agro-tech station",
        "Town T01",
        "A",
        "T77",
    ]
    assert ids(2) == county.town_ids[:2]
