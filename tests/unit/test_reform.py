"""The reform in place on hand-made lists: who lacks what, what the pilot has more of, where the posts went."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import register, study

from huying.claims import house_claims, judge_claim
from huying.estimates import Design
from huying.problems import reform
from huying.problems.posts import gini
from huying.samples import Sample


@pytest.fixture
def county(tmp_path):
    """A study of three towns, the first of which is the pilot, with the ledgers named and the numbers that a report prints."""

    def make(printed=None, **ledgers):
        towns = register(3).assign(type=["pilot", "town", "street"], pop=[2000, 1000, 1000], n_villages=[3, 5, 5])
        found = study(
            tmp_path, {("towns", ""): towns, **{(name, ""): rows for name, rows in ledgers.items()}}, n_towns=3
        )
        return replace(found, county=replace(found.county, printed=printed or {}))

    return make


def facts(made, claim, sub="", place=None):
    rows = reform.find(made).frame().query("claim == @claim and sub == @sub")
    rows = rows if place is None else rows[rows["place"] == place]
    return rows.set_index("place")


def number(made, claim, sub="", place="county"):
    return facts(made, claim, sub, place)["estimate"].item()


def verdicts(made, claim):
    rows = reform.find(made).frame().query("claim == @claim")
    judged = judge_claim(house_claims()[claim], rows)
    return judged[judged["sub"] == ""].set_index("place")["verdict"].to_dict()


# --- units ------------------------------------------------------------------------------------------------------------


def units(town, offices=7, centres=5, bureaus=(), **columns):
    """A town's roster; its fifth centre is the one for culture, and bears the plaque."""
    names = (
        [f"{k}办" for k in range(offices)] + ["文体中心" if k == 4 else f"{k}中心" for k in range(centres)] + [*bureaus]
    )
    kinds = ["office"] * offices + ["psu"] * centres + ["bureau"] * len(bureaus)
    table = {"town_id": town, "unit_id": [f"U{k}" for k in range(len(names))], "name": names, "class": kinds,
             "domain": ["甲", "乙", "丙"][:2] * (len(names) // 2) + ["甲"] * (len(names) % 2),
             "welfare_class": pd.array([1 if kind == "psu" else None for kind in kinds], dtype="Int64"),
             "plaque": ["文明实践分中心" if name == "文体中心" else None for name in names]}  # fmt: skip
    return pd.DataFrame({**table, **columns})


PILOT = ("政务服务局", "综合执法局", "经济发展局")


def roster(*towns):
    return pd.concat(towns, ignore_index=True)


def test_a_ledger_that_leaves_out_a_town_or_names_a_stranger(county):
    villages = pd.DataFrame(
        {"village_id": ["V1", "V2", "V3"], "town_id": ["T01", "T02", "T09"]}
    )  # lacks T03, knows T09
    margins = pd.DataFrame({"town_id": ["T01", "T02"]})  # lacks T03 as well
    posts = pd.DataFrame(
        {
            "town_id": ["T01", "T02", "T03", None],
            "year": 2022,
            "kind": "psu",
            "quota": 9,
            "filled": 9,
            "borrowed_out": 0,
        }
    )
    made = county(villages=villages, margins=margins, quota=posts, documents=pd.DataFrame({"town_id": [None]}))
    assert number(made, "A01") == 2  # T03 and T09; documents need not cover, a blank town is the county's own
    assert [number(made, "A01", name) for name in ("villages", "margins", "quota")] == [1, 1, 0]
    table = reform.find(made).tables["coverage_towns"].query("not is_present or not is_registered")
    assert sorted(zip(table["ledger"], table["town_id"], strict=True)) == [
        ("margins", "T03"),
        ("villages", "T03"),
        ("villages", "T09"),
    ]
    assert verdicts(county(margins=pd.DataFrame({"town_id": ["T03", "T02", "T01"]})), "A01") == {"county": "supported"}


def test_a_period_cannot_hide_the_gap_of_another(county):
    full, gap = (pd.DataFrame({"town_id": towns}) for towns in (["T01", "T02", "T03"], ["T01", "T02"]))
    made = county()
    made.cleaned.ledgers.update({("centres", "2022"): full, ("centres", "2023"): gap})
    assert number(made, "A01") == 1


def test_seven_and_five(county):
    made = county(org_roster=roster(units("T01", 5, 6, PILOT), units("T02"), units("T03", 7, 4)))
    assert verdicts(made, "A02") == {
        "T02": "supported",
        "T03": "not supported",
        "county": "not supported",
    }  # the pilot is excepted
    assert facts(made, "A03")["estimate"].to_dict() == {"T02": 12, "T03": 11}
    assert number(made, "A03", "offices", "T03") == 7 and number(made, "A03", "institutions", "T03") == 4


@pytest.mark.parametrize(("town", "value"), [
    (units("T02", welfare_class=pd.array([None] * 7 + [1, 1, 1, 1, 2], dtype="Int64")), 11),  # 7 + 4 of class 1
    (units("T02", 7, 6, welfare_class=pd.array([None] * 7 + [1, 1, 1, 1, 1, 2], dtype="Int64")), 13),  # 7 + 5, and one too many
    (units("T02", welfare_class=pd.array([None] * 12, dtype="Int64")), 12),  # nothing contradicts it
])  # fmt: skip
def test_units_of_another_welfare_class(county, town, value):
    made = county(org_roster=roster(town, units("T03")))
    rows = facts(made, "A03", place="T02")
    assert rows["estimate"].item() == value
    assert rows["remark"].item() == ("class_not_recorded" if value == 12 else "")


def test_a_town_that_the_roster_leaves_out_is_unknown(county):
    made = county(org_roster=roster(units("T02")))
    for claim in ("A02", "A03", "A04", "A05"):
        assert verdicts(made, claim) | {"T01": "cannot say"} == {
            "T01": "cannot say", "T02": "supported", "T03": "cannot say", "county": "supported"}  # fmt: skip
    assert verdicts(made, "A06") == verdicts(made, "A08") == {"T01": "cannot say"}


def test_domains_and_plaque(county):
    bare = units("T03", 7, 5, domain="甲", plaque=None)
    made = county(org_roster=roster(units("T01", 5, 6, PILOT), units("T02"), bare))
    assert facts(made, "A04")["estimate"].to_dict() == {"T01": 1.0, "T02": 1.0, "T03": 0.5}
    table = reform.find(made).tables["functions"].set_index(["domain", "town_id"])["units"]
    assert table["甲", "T03"] == 12 and table["乙", "T03"] == 0 and len(table) == 6
    assert verdicts(made, "A05") == {
        "T01": "supported",
        "T02": "supported",
        "T03": "not supported",
        "county": "not supported",
    }


@pytest.mark.parametrize(("pilot", "value"), [
    (units("T01", 5, 6, PILOT), 14),  # 3 + 5 + 6
    (units("T01", 5, 5, PILOT), 13),
    (units("T01", 6, 6, PILOT[:2]), 13),  # 2 + 6 + 6 = 14: of them 2 + 5 + 6 fill a prescribed place
])  # fmt: skip
def test_three_bureaus_five_offices_six_centres(county, pilot, value):
    made = county(org_roster=roster(pilot, units("T02"), units("T03")))
    assert facts(made, "A06")["estimate"].to_dict() == {"T01": value}
    assert verdicts(made, "A06") == {"T01": "supported" if value == 14 else "not supported"}


def test_what_the_pilot_has_more_of(county):
    made = county(org_roster=roster(units("T01", 5, 6, PILOT), units("T02"), units("T03", 7, 6)))
    assert [number(made, "A06", sub, "T01") for sub in ("bureaus", "offices", "centres")] == [3, 5, 6]
    # the other two differ: of equally frequent compositions the smaller one, 7 + 5, is taken
    assert [number(made, "A06", f"more {sub}", "T01") for sub in ("office-level units", "centres")] == [1, 1]
    assert facts(made, "A06")["remark"].tolist() == [""]
    units_ = reform.find(made).tables["pilot_units"].set_index("name")
    assert units_.loc[list(PILOT), "is_added"].all() and units_.loc[list(PILOT), "elsewhere"].tolist() == [0, 0, 0]
    assert (
        units_.loc["5中心", "elsewhere"] == 1 and not units_.loc["5中心", "is_added"]
    )  # in one of two others: not fewer than half
    six = county(org_roster=roster(units("T01", 5, 6, PILOT), units("T02", 7, 6), units("T03", 7, 6)))
    assert facts(six, "A06")["remark"].tolist() == ["not_one_more"]  # 6 centres as everywhere


def test_villages_of_the_pilot(county):
    villages = pd.DataFrame({"village_id": ["V1", "V2", "V2", "V3"], "town_id": ["T01", "T01", "T01", "T02"]})
    made = county(villages=villages)
    assert facts(made, "A07")["estimate"].to_dict() == {"T01": 2} and number(made, "A07", "register", "T01") == 3
    assert verdicts(county(villages=villages.query("town_id == 'T02'")), "A07") == {"T01": "cannot say"}


@pytest.mark.parametrize(("pilot", "other", "share"), [
    (PILOT, (), 1.0),
    (PILOT[1:], (), 0.5),  # the bureau for services is lacking
    (PILOT, ("综合执法局",), 0.5),  # that for enforcement stands elsewhere too
])  # fmt: skip
def test_bureaus_of_the_pilot_alone(county, pilot, other, share):
    made = county(org_roster=roster(units("T01", 5, 6, pilot), units("T02", 7, 5, other), units("T03")))
    assert facts(made, "A08")["estimate"].to_dict() == {"T01": share}


def test_a_bureau_must_be_one_by_class(county):
    renamed = units("T01", 5, 6, PILOT).assign(**{"class": lambda t: t["class"].mask(t["name"] == PILOT[0], "office")})
    assert number(county(org_roster=roster(renamed, units("T02"))), "A08", place="T01") == 0.5


# --- time spent on service --------------------------------------------------------------------------------------------


def wave(year, easier, unknown=2):
    """Twenty residents of four villages, `easier` of whom agree; `unknown` cannot say and stay in the base."""
    said = [4, 5] * (easier // 2) + [2] * (20 - easier - unknown) + [None] * unknown
    rows = pd.DataFrame({"wave": year, "town_id": "T01", "village_id": ["V1", "V2", "V3", "V4"] * 5, "R24_a": pd.array(said, dtype="Int16"),
                         "R24_a_missing": ["does_not_know" if v is None else None for v in said]})  # fmt: skip
    design = Design(np.zeros(20, dtype=np.int64), np.tile(np.arange(4), 5), np.ones(20), ("T01", "T02", "T03"))
    return Sample(rows, design, pd.DataFrame(), year)


def test_nobody_asked_how_time_is_spent(county):
    logs = pd.DataFrame({"txn_id": range(6), "town_id": ["T01"] * 4 + ["T02"] * 2})
    made = county(service_log=logs)
    made.cleaned.forms["staff"] = pd.DataFrame({"wave": []})
    made = replace(made, samples={("resident", "2023"): wave("2023", 4), ("resident", "2024"): wave("2024", 10)})
    assert verdicts(made, "A09") == {"county": "cannot say"}
    assert facts(made, "A09")["reason"].tolist() == ["not asked"]
    assert number(made, "A09", "easier") == pytest.approx(10 / 20 - 4 / 20)
    assert facts(made, "A09", "easier")["wave"].unique().tolist() == ["2024"]
    rates = facts(made, "A09", "services per 1,000")["estimate"].to_dict()
    assert rates == {"T01": 2.0, "T02": 2.0, "T03": 0.0, "county": 1.5}  # 4 / 2, 2 / 1, 0 / 1, 6 / 4 thousand


# --- posts ------------------------------------------------------------------------------------------------------------


def moves(*rows):
    table = pd.DataFrame(rows, columns=["move", "town_id", "posts", "from_unit"])
    return table.assign(move_id=[f"M{k}" for k in range(len(table))]).astype({"posts": "Int64"})


@pytest.mark.parametrize(("held", "left", "loose", "remark", "verdict"), [
    (2, 2, 0, "held_by_county", "not supported"),  # 12 - 10: what the county holds has not gone to the towns
    (1, 2, 1, "unexplained_posts", "not supported"),
    (0, 2, 2, "unexplained_posts", "not supported"),
])  # fmt: skip
def test_where_the_recovered_posts_went(county, held, left, loose, remark, verdict):
    made = county(quota_moves=moves(("recovered", None, 12, "甲站"), ("given", "T01", 6, "甲站"), ("given", "T02", 4, None),
                                    ("held", None, held, "甲站")))  # fmt: skip
    assert number(made, "A10") == left and number(made, "A10", "unexplained") == loose
    assert [number(made, "A10", sub) for sub in ("recovered", "given", "held")] == [12, 10, held]
    assert facts(made, "A10")["remark"].tolist() == [remark] and verdicts(made, "A10") == {"county": verdict}
    table = reform.find(made).tables["quota_flow"].set_index(["move", "town_id", "from_unit"])["posts"]
    assert table["given", "T01", "甲站"] == 6 and table["given", "T02", ""] == 4 and table["held", "", "甲站"] == held


def test_all_posts_given_away(county):
    made = county(quota_moves=moves(("recovered", None, 12, None), ("given", "T01", 12, None)))
    assert verdicts(made, "A10") == {"county": "supported"} and facts(made, "A10")["remark"].tolist() == [""]


def quota(*rows):
    table = pd.DataFrame(rows, columns=["town_id", "year", "kind", "quota", "filled", "borrowed_out"])
    return table.astype({"quota": "Int64", "filled": "Int64", "borrowed_out": "Int64"})


TWO_YEARS = quota(
    ("T01", 2021, "admin", 10, 10, 0), ("T01", 2021, "psu", 10, 8, 0),
    ("T01", 2022, "admin", 10, 10, None), ("T01", 2022, "psu", 30, 28, 4),  # (38 - 4) / 40 = .85, with the lent 38 / 40 = .95
    ("T02", 2021, "admin", 10, 9, 0), ("T02", 2022, "admin", 10, 9, 0),  # .9
    (None, 2021, "admin", 70, 60, 0), (None, 2022, "admin", 70, 60, 0),
)  # fmt: skip


def test_posts_in_use(county):
    made = county(quota=TWO_YEARS)
    assert facts(made, "A11").loc[["T01", "T02"], "estimate"].tolist() == [0.85, 0.9]
    assert verdicts(made, "A11") == {
        "T01": "not supported",
        "T02": "supported",
        "T03": "cannot say",
        "county": "not supported",
    }
    assert number(made, "A11", "borrowed counted", "T01") == 0.95
    assert (
        number(made, "A11", "borrowed counted") == 47 / 50 and number(made, "A11", "all towns") == 43 / 50
    )  # no county bodies


def test_staff_for_a_thousand_residents(county):
    made = county(quota=TWO_YEARS)
    change = facts(made, "A15")["estimate"]
    assert change[["T01", "T02", "county"]].tolist() == pytest.approx(
        [17 - 9, 0, (43 - 27) / 3]
    )  # 34 - 18 of 2 thousand
    assert verdicts(made, "A15") == {
        "T01": "supported",
        "T02": "not supported",
        "T03": "cannot say",
        "county": "supported",
    }
    # rates 17 and 9: mean difference (0 + 8 + 8 + 0) / 4 = 4, over 2 x 13
    assert number(made, "A15", "gini") == pytest.approx(4 / 26)
    once = county(quota=TWO_YEARS[TWO_YEARS["year"] == 2022])
    assert verdicts(once, "A15") == dict.fromkeys(("T01", "T02", "T03", "county"), "no baseline")


def test_gini():
    assert gini(np.array([1.0, 1.0, 1.0])) == 0
    assert gini(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)  # all with one of n: 1 - 1/n
    assert np.isnan(gini(np.array([])))


PLAN = pd.DataFrame(
    [(2022, "admin", "T01", 50), (2022, "admin", "T02", 28), (2022, "admin", None, 42), (2022, "psu", "T01", 104),
     (2022, "psu", None, 56), (2022, "edu_health", None, 250), (2021, "psu", None, 999)],
    columns=["year", "kind", "town_id", "planned"],
)  # fmt: skip
STOCK = quota(
    ("T01", 2021, "admin", 20, 20, 0), (None, 2021, "admin", 80, 80, 0), ("T01", 2021, "psu", 30, 30, 0),
    (None, 2021, "psu", 70, 70, 0), ("T01", 2021, "edu_health", 900, 900, 0), ("T01", 2022, "admin", 999, 999, 0),
)  # fmt: skip


def test_plan_share_against_stock_share(county):
    made = county(quota_plan=PLAN, quota=STOCK)
    row = facts(made, "A12").loc["county"]
    assert row["estimate"] == pytest.approx(182 / 280 - 50 / 200)
    # R 4.2.2: binom.test(182, 280)$conf.int - 50 / 200
    assert [row["low"], row["high"]] == pytest.approx([0.590986525993 - 0.25, 0.705800117386 - 0.25], abs=1e-10)
    kinds = {kind: facts(made, "A12", f"kind_{kind}").loc["county"] for kind in ("admin", "psu")}
    # binom.test(78, 120)$conf.int - 20 / 100 and binom.test(104, 160)$conf.int - 30 / 100
    assert [kinds["admin"][c] for c in ("estimate", "low", "high")] == pytest.approx(
        [0.45, 0.557605329889 - 0.2, 0.734797690459 - 0.2], abs=1e-10
    )
    assert [kinds["psu"][c] for c in ("estimate", "low", "high")] == pytest.approx(
        [0.35, 0.570716565912 - 0.3, 0.723612003941 - 0.3], abs=1e-10
    )
    assert number(made, "A12", "plan share") == 0.65 and number(made, "A12", "stock share") == 0.25
    assert verdicts(made, "A12") == {"county": "supported"}


def test_the_stock_of_the_plan_year_where_there_is_none_before(county):
    made = county(quota_plan=PLAN, quota=STOCK[STOCK["year"] == 2021].assign(year=2022))
    assert number(made, "A12", "stock share") == 0.25


@pytest.mark.parametrize(("plan", "stock"), [
    (PLAN.dropna(subset="town_id"), STOCK), (PLAN, STOCK.dropna(subset="town_id")), (PLAN, STOCK.assign(year=2023))])  # fmt: skip
def test_shares_need_the_countys_own_posts(county, plan, stock):
    made = county(quota_plan=plan, quota=stock)
    assert facts(made, "A12")["reason"].tolist() == ["no county total"] and verdicts(made, "A12") == {
        "county": "cannot say"
    }


@pytest.mark.parametrize(("printed", "wrong"), [
    ({"admin_total": 120, "admin_towns": 78, "psu_total": 160, "psu_towns": 104}, 0),
    ({"admin_total": 121, "admin_towns": 78, "psu_total": 410}, 2),  # 121 for 120, and 410 with education and health
])  # fmt: skip
def test_printed_counts(county, printed, wrong):
    made = county({"A13": printed}, quota_plan=PLAN)
    assert number(made, "A13") == wrong and facts(made, "A13")["n"].tolist() == [len(printed)]
    assert number(made, "A13", "psu_towns") == 104


def test_printed_counts_of_a_named_year(county):
    assert number(county({"A13": {"psu_total": 999, "year": 2021}}, quota_plan=PLAN), "A13") == 0


def test_masked_numbers(county):
    made = county(quota_plan=PLAN)
    for claim in ("A13", "A14"):
        assert facts(made, claim)["reason"].tolist() == ["number masked"] and verdicts(made, claim) == {
            "county": "cannot say"
        }
    assert number(made, "A14", "without education and health") == 0.65  # 104 / 160, said all the same


@pytest.mark.parametrize(("percent", "gap", "remark", "verdict"), [
    (65.0, 0, "without_edu_health", "supported"),  # 104 / 160
    (25.4, 0.254 - 104 / 410, "with_edu_health", "supported"),  # 104 / 410 = 25.366%
    (25.5, 0.255 - 104 / 410, "", "not supported"),  # .134 points off
])  # fmt: skip
def test_which_denominator_the_percentage_has(county, percent, gap, remark, verdict):
    made = county({"A14": {"percent": percent, "towns": 104}}, quota_plan=PLAN)
    assert number(made, "A14") == pytest.approx(gap, abs=1e-12)
    assert facts(made, "A14")["remark"].tolist() == [remark] and verdicts(made, "A14") == {"county": verdict}
    assert number(made, "A14", "with education and health") == 104 / 410
