"""Posts on hand-made ledgers: where the recovered ones went, what is in use, whom the plan puts first."""

import pandas as pd
import pytest

from huying.measures import structure
from run_notebook import StandIn, judged, register_of

TOWNS = register_of(3).assign(pop=[2000, 1000, 1000])


def quota(*rows):
    table = pd.DataFrame(rows, columns=["town_id", "year", "kind", "quota", "filled", "borrowed_out"])
    return table.astype({"quota": "Int64", "filled": "Int64", "borrowed_out": "Int64"})


TWO_YEARS = quota(
    ("T01", 2021, "admin", 10, 10, 0), ("T01", 2021, "psu", 10, 8, 0),
    ("T01", 2022, "admin", 10, 10, None), ("T01", 2022, "psu", 30, 28, 4),  # (38 - 4) / 40 = .85
    ("T02", 2021, "admin", 10, 9, 0), ("T02", 2022, "admin", 10, 9, 0),  # .9
    (None, 2021, "admin", 70, 60, 0), (None, 2022, "admin", 70, 60, 0),
)  # fmt: skip
PLAN = pd.DataFrame(
    [(2022, "admin", "T01", 50), (2022, "admin", "T02", 28), (2022, "admin", None, 42), (2022, "psu", "T01", 104),
     (2022, "psu", None, 56), (2022, "edu_health", None, 250), (2021, "psu", None, 999)],
    columns=["year", "kind", "town_id", "planned"],
)  # fmt: skip
STOCK = quota(
    ("T01", 2021, "admin", 20, 20, 0), (None, 2021, "admin", 80, 80, 0), ("T01", 2021, "psu", 30, 30, 0),
    (None, 2021, "psu", 70, 70, 0), ("T01", 2021, "edu_health", 900, 900, 0), ("T01", 2022, "admin", 999, 999, 0),
)  # fmt: skip


def moves(*rows):
    table = pd.DataFrame(rows, columns=["move", "town_id", "posts", "from_unit"])
    return table.assign(move_id=[f"M{k}" for k in range(len(table))]).astype({"posts": "Int64"})


def head(folder, claim, toml="", **ledgers):
    """The headline rows of a claim from the notebook's cells, by place."""
    rows = judged("02", StandIn(folder, {"towns": TOWNS, **ledgers}, toml=toml), claims=[claim])
    return rows[(rows["claim"] == claim) & (rows["part"] == "")].set_index("place")


@pytest.mark.parametrize(("held", "left", "loose", "remark", "verdict"), [
    (2, 2, 0, "held_by_county", "not supported"),  # 12 - 10: what the county holds has not gone to the towns
    (1, 2, 1, "unexplained_posts", "not supported"),
    (0, 2, 2, "unexplained_posts", "not supported"),
])  # fmt: skip
def test_where_the_recovered_posts_went(tmp_path, held, left, loose, remark, verdict):
    ledger = moves(
        ("recovered", None, 12, "甲站"),
        ("given", "T01", 6, "甲站"),
        ("given", "T02", 4, None),
        ("held", None, held, "甲站"),
    )
    rows = judged("02", StandIn(tmp_path, {"quota_moves": ledger}), claims=["A10"])
    own = rows[rows["claim"] == "A10"].set_index("part")
    assert own["estimate"].to_dict() == {"": left, "recovered": 12, "given": 10, "held": held, "unexplained": loose}
    assert remark in own.loc["", "remark"] and own.loc["", "verdict"] == verdict


def test_all_posts_given_away(tmp_path):
    row = head(tmp_path, "A10", quota_moves=moves(("recovered", None, 12, None), ("given", "T01", 12, None))).loc[
        "county"
    ]
    assert row["verdict"] == "supported"


def test_posts_in_use(tmp_path):
    rows = head(tmp_path, "A11", quota=TWO_YEARS)
    assert rows.loc[["T01", "T02"], "estimate"].tolist() == [0.85, 0.9]
    assert rows["verdict"].to_dict() == {
        "T01": "not supported", "T02": "supported", "T03": "cannot say", "county": "not supported"}  # fmt: skip


def test_staff_for_a_thousand_residents(tmp_path):
    rows = head(tmp_path, "A15", quota=TWO_YEARS)
    assert rows["estimate"][["T01", "T02", "county"]].tolist() == pytest.approx(
        [17 - 9, 0, (43 - 27) / 3]
    )  # 34 - 18 of 2 thousand
    assert rows["verdict"].to_dict() == {
        "T01": "supported", "T02": "not supported", "T03": "cannot say", "county": "supported"}  # fmt: skip


def test_one_year_is_no_baseline(tmp_path):
    rows = head(tmp_path, "A15", quota=TWO_YEARS[TWO_YEARS["year"] == 2022])
    assert rows["verdict"].to_dict() == dict.fromkeys(("T01", "T02", "T03", "county"), "no baseline")


def compared(folder, plan=PLAN, stock=STOCK):
    """The rows of A12 for the county, by part."""
    rows = judged("02", StandIn(folder, {"towns": TOWNS, "quota_plan": plan, "quota": stock}), claims=["A12"])
    return rows[(rows["claim"] == "A12") & (rows["place"] == "county")].set_index("part")


def test_plan_share_against_stock_share(tmp_path):
    found = compared(tmp_path)
    row = found.loc[""]
    assert row["estimate"] == pytest.approx(182 / 280 - 50 / 200)
    # R 4.2.2: binom.test(182, 280)$conf.int - 50 / 200
    assert [row["low"], row["high"]] == pytest.approx([0.590986525993 - 0.25, 0.705800117386 - 0.25], abs=1e-10)
    # binom.test(78, 120)$conf.int - 20 / 100 and binom.test(104, 160)$conf.int - 30 / 100
    for kind, expected in (("admin", [0.45, 0.557605329889 - 0.2, 0.734797690459 - 0.2]),
                           ("psu", [0.35, 0.570716565912 - 0.3, 0.723612003941 - 0.3])):  # fmt: skip
        told = found.loc[f"kind_{kind}", ["estimate", "low", "high"]].astype(float).tolist()
        assert told == pytest.approx(expected, abs=1e-10)


def test_the_stock_of_the_plan_year_where_there_is_none_before(tmp_path):
    row = compared(tmp_path, stock=STOCK[STOCK["year"] == 2021].assign(year=2022)).loc["stock_share"]
    assert row["estimate"] == 50 / 200 and row["n"] == 200


@pytest.mark.parametrize(("plan", "stock"), [
    (PLAN.dropna(subset="town_id"), STOCK), (PLAN, STOCK.dropna(subset="town_id")), (PLAN, STOCK.assign(year=2023))])  # fmt: skip
def test_shares_need_the_countys_own_posts(tmp_path, plan, stock):
    assert compared(tmp_path, plan, stock).loc["", "reason"] == "no county total"


SUMS = structure.sum_by_kind(PLAN[PLAN["year"] == 2022], "planned")


@pytest.mark.parametrize(("printed", "wrong"), [
    ({"admin_total": 120, "admin_towns": 78, "psu_total": 160, "psu_towns": 104}, 0),
    ({"admin_total": 121, "admin_towns": 78, "psu_total": 410}, 2),  # 121 for 120, and 410 with education and health
])  # fmt: skip
def test_printed_counts(tmp_path, printed, wrong):
    told = ", ".join(f"{name} = {n}" for name, n in printed.items())
    row = head(tmp_path, "A13", toml=f"[printed]\nA13 = {{ {told} }}\n", quota_plan=PLAN).loc["county"]
    assert row["estimate"] == wrong and row["n"] == len(printed)


def test_masked_numbers(tmp_path):
    for claim in ("A13", "A14"):
        assert head(tmp_path, claim, quota_plan=PLAN)["reason"].tolist() == ["number masked"]
    assert structure.printed_share(SUMS, None)["share"].to_dict() == {
        "without_edu_health": 104 / 160, "with_edu_health": 104 / 410}  # fmt: skip


@pytest.mark.parametrize(("percent", "gap", "nearest"), [
    (65.0, 0, "without_edu_health"),  # 104 / 160
    (25.4, 0.254 - 104 / 410, "with_edu_health"),  # 104 / 410 = 25.366%
    (25.5, 0.255 - 104 / 410, "with_edu_health"),  # .134 points off
])  # fmt: skip
def test_which_denominator_the_percentage_has(percent, gap, nearest):
    first = structure.printed_share(SUMS, {"percent": percent, "towns": 104}).iloc[0]
    assert first["gap"] == pytest.approx(gap, abs=1e-12) and first.name == nearest


@pytest.mark.parametrize(("percent", "verdict", "remark"), [
    (65.0, "supported", "without_edu_health"), (25.4, "supported", "with_edu_health"), (25.5, "not supported", "")])  # fmt: skip
def test_the_printed_share_in_the_notebook(tmp_path, percent, verdict, remark):
    row = head(tmp_path, "A14", toml=f"[printed]\nA14 = {percent}\n", quota_plan=PLAN).loc["county"]
    assert row["verdict"] == verdict and (remark in row["remark"] if remark else "edu_health" not in row["remark"])
