"""Delegated items and service centres on a county made by hand, the arithmetic visible; what is not recorded is never held against a town."""

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import form

from huying.ledgers import CHECKS, TABLES
from huying.measures import services
from huying.words import CountyError
from run_notebook import StandIn, judged

TOML = """[wave.2023]
from = 2023-05-08
to = 2023-06-02
[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06
[printed]
"""
TOWNS = ["T01", "T02", "T03", "T04"]


def ledger(name, rows):
    """Rows of a ledger as they are after cleaning: all columns of its contract in their types, towns by id."""
    text = pd.DataFrame(rows, dtype=object)
    text = text.where(text.notna(), "").astype(str)
    typed = {}
    for column in TABLES[name].columns:
        cells = text[column.name] if column.name in text else pd.Series("", index=text.index, dtype=object)
        typed[column.name], bad = column.kind.parse(cells)
        assert not bad.any(), (column.name, cells[bad].tolist())
    return pd.DataFrame(typed).rename(columns={"town": "town_id"}).astype({"town_id": "str"} if "town" in typed else {})


@pytest.fixture
def opened(tmp_path):
    def make(ledgers, printed="D10 = 3", residents=None):
        tables = {key: ledger(key[0], rows) for key, rows in ledgers.items()}
        forms = {} if residents is None else {"resident": residents}
        return StandIn(tmp_path, tables, forms, TOML + printed, towns=4)

    return make


@pytest.fixture
def look(opened):
    """The rows of a claim, as the cells of its notebook judge them on a county of four towns."""

    def make(claim, ledgers, also=(), **how):
        notebook = "03" if claim in ("D01", "D02", "D03") else "04"
        rows = judged(notebook, opened(ledgers, **how), "2023", claims=[claim, *also])
        return rows[rows["claim"] == claim]

    return make


def row(rows, part="", place="county", **equal):
    own = rows[(rows["part"] == part) & (rows["place"] == place)]
    for column, value in equal.items():
        own = own[own[column] == value]
    assert len(own) == 1, (part, place, len(own))
    return own.iloc[0]


# --- lists ------------------------------------------------------------------------------------------------------------


def lists(*rows):
    return [dict(zip(("town", "list", "published_on", "updated_on"), r, strict=True)) for r in rows]


PUBLISHED = lists(
    ("T01", "powers", "2021-03-01", "2022-06-30"), ("T01", "services", "2022-04-01", None),  # both of 2022
    ("T02", "powers", "2021-03-01", None), ("T02", "services", "2022-02-01", None),  # the first is of 2021
    ("T03", "powers", "2022-03-01", None), ("T03", "services", None, None),  # the second was never published
    ("T04", "powers", "2020-01-01", "2023-01-04"), ("T04", "services", "2022-12-31", None),
)  # fmt: skip


def test_both_lists_of_the_year_in_which_the_period_ends(look):
    found = look("D01", {("publicity", "2022"): PUBLISHED})
    assert {town: row(found, place=town)["estimate"] for town in TOWNS} == {"T01": 1, "T02": 0, "T03": 0, "T04": 1}
    assert [row(found, place=town)["verdict"] for town in ("T01", "T02")] == ["supported", "not supported"]
    assert set(found["period"]) == {"2022"} and set(found.loc[found["place"] != "county", "n"]) == {2}
    assert (row(found)["estimate"], row(found)["n"]) == (2 / 4, 4)  # the county's row is a share of its towns


def test_without_a_period_the_year_is_the_latest_in_the_ledger(opened):
    county = opened({("publicity", ""): PUBLISHED[:6]})
    table = services.tabulate_lists(county.ledger("publicity"), TOWNS, county.declared.periods)
    assert table.all(axis=1).tolist() == [True, False, False, False]
    older = opened(
        {("publicity", ""): lists(("T01", "powers", "2020-05-01", None), ("T01", "services", "2020-02-01", None))}
    )
    assert services.tabulate_lists(older.ledger("publicity"), TOWNS, {}).loc[("", "T01")].all()


def test_no_day_at_all_is_not_published(look):
    found = look("D01", {("publicity", ""): lists(("T01", "powers", None, None), ("T01", "services", None, None))})
    assert row(found, place="T01")["estimate"] == 0


# --- items and documents ----------------------------------------------------------------------------------------------


def items(*ids):
    return [{"item_id": i, "name": f"事项{i}", "from_dept": "民政局", "mode": "entrusted" if k % 2 == 0 else "authorised"}
            for k, i in enumerate(ids)]  # fmt: skip


def accepted(pairs):
    return [{"town": t, "item_id": i, "accepted_on": day} for t, i, day in pairs]


def documents(*rows):
    return [{"title": "某文", "kind": kind, "issued_on": day} for kind, day in rows]


def test_the_guide_and_what_was_taken_over(look):
    taken = accepted(
        [("T01", "I1", "2022-05-01"), ("T01", "I2", None), ("T02", "I1", "2022-06-01"), ("T02", "I2", "2022-06-01")]
    )
    papers = documents(("guide", "2022-04-15"), ("plan", "2021-11-15"))
    ledgers = {("documents", ""): papers, ("accepted_items", ""): taken, ("delegated_items", ""): items("I1", "I2")}
    found = look("D02", ledgers, also=["D03"])
    assert (row(found)["estimate"], row(found)["verdict"]) == (1, "supported")
    whole = row(found, "accepted")
    assert [whole["estimate"], whole["n"]] == [3 / 4, 4]
    assert [whole["low"], whole["high"]] == [3 / 4] * 2
    assert row(found, "accepted", "T01")["estimate"] == 1 / 2
    none = look("D02", {("documents", ""): documents(("plan", "2021-11-15"))}, also=["D03"])
    assert (row(none)["estimate"], row(none)["verdict"]) == (0, "not supported")
    assert np.isnan(row(none, "accepted")["estimate"])


def log(*rows, **columns):
    names = ("town", "item_id", "accepted_at")
    return [
        {"txn_id": f"B{k}", **dict(zip(names, r[:3], strict=True)), **(r[3] if len(r) > 3 else {}), **columns}
        for k, r in enumerate(rows)
    ]


def test_items_used_sleeping_and_concentrated(look, opened):
    # 90 days up to 31 December 2022 begin on 3 October
    cases = log(
        ("T01", "I1", "2022-10-03"), ("T01", "I1", "2022-12-31 16:00:00"), ("T02", "I1", "2022-11-01"), ("T03", "I1", "2022-11-02"),
        ("T01", "I2", "2022-11-01"), ("T02", "I2", "2022-11-01"),
        ("T03", "I3", "2022-10-02 23:00:00"), ("T04", "I3", "2023-01-03"), ("T01", "I3", "2022-12-01"),  # one of three in time
        ("T01", None, "2022-12-01"), ("T01", "OTHER", "2022-12-01"),
    )  # fmt: skip
    taken = accepted(
        [(t, i, None if (t, i) == ("T04", "I3") else "2022-05-01") for t in TOWNS for i in ("I1", "I2", "I3")]
    )
    ledgers = {
        ("delegated_items", ""): items("I1", "I2", "I3"),
        ("service_log", "2022"): cases,
        ("accepted_items", ""): taken,
    }
    found = look("D03", ledgers)
    assert row(found)["estimate"] == 3 and row(found)["period"] == ""
    assert (row(found, "entrusted")["estimate"], row(found, "authorised")["estimate"]) == (2, 1)
    used = row(found, "used")  # I1 in 3 towns, I2 in 2, I3 in 1; T04 did not take I3
    assert (used["estimate"], used["n"], used["period"]) == (6 / 11, 11, "2022")
    assert row(found, "used", "T01")["estimate"] == 1
    assert row(found, "used", "T04")["estimate"] == 0
    # I3: no case in 3 of 4 towns; I2: in 2 of 4, which is not more than half
    assert (row(found, "sleeping")["estimate"], row(found, "sleeping")["period"]) == (1, "2022")
    # cases 4, 2, 1: the mean absolute difference is (2 + 3 + 1) x 2 / 9 = 4/3, over twice the mean 7/3
    assert row(found, "gini")["estimate"] == pytest.approx((12 / 9) / (2 * 7 / 3))
    county = opened(ledgers)
    read = [county.ledger(name) for name in ("delegated_items", "service_log", "accepted_items")]
    use = services.tabulate_use(*read, TOWNS, county.declared.periods).set_index(["item_id", "town_id"])
    assert (use.loc[("I1", "T01"), "cases"], use.loc[("I3", "T04"), "cases"], len(use)) == (2, 0, 12)
    assert use.groupby("item_id")["cases"].sum().to_dict() == {"I1": 4, "I2": 2, "I3": 1}
    assert pd.isna(use.loc[("I3", "T04"), "is_used"]) and not use.loc[("I3", "T03"), "is_used"]


def test_items_without_a_log_or_a_list_of_what_was_taken_over(look):
    bare = look("D03", {("delegated_items", ""): items("I1", "I2")})
    told = bare[bare["estimate"].notna()]
    assert set(told["part"]) == {"", "entrusted", "authorised"}  # nothing is said of their use
    ledgers = {("delegated_items", ""): items("I1"), ("service_log", ""): log(("T01", "I1", "2022-12-01"))}
    found = look("D03", ledgers)
    assert (row(found, "used")["estimate"], row(found, "used")["n"]) == (1 / 4, 4)


def test_the_gini_coefficient(look):
    ledgers = {("delegated_items", ""): items("I1", "I2")}
    told = {
        name: row(look("D03", ledgers | {("service_log", "2022"): log(*cases)}), "gini")["estimate"]
        for name, cases in {
            "none": [("T01", "I1", "2022-01-10")],  # before the last 90 days
            "one": [("T01", "I1", "2022-12-01")] * 3,
            "even": [("T01", "I1", "2022-12-01"), ("T02", "I2", "2022-12-01")],
        }.items()
    }
    assert np.isnan(told["none"]) and (told["one"], told["even"]) == (0.5, 0)  # all with one of n: 1 - 1/n


@pytest.mark.parametrize(("day", "n"), [("2022-03-10", 1), ("2023-06-02", 1), ("2023-06-03", 0), (None, 0)])
def test_a_standard_issued_before_the_end(look, day, n):
    found = look("D05", {("documents", ""): documents(("standard", day), ("guide", "2022-01-01"))})
    assert row(found)["estimate"] == n  # the wave ends on 2 June 2023


# --- transactions -----------------------------------------------------------------------------------------------------

PARTS = ("within promise", "one visit", "satisfied")


def test_promises_are_kept_in_working_days_and_the_lowest_of_three_shares_counts(look):
    done = {"visits": 1, "rating": 5, "promise_days": 1}
    cases = log(
        # Friday 2 December: the day after is no working day, Monday is the first
        ("T01", None, "2022-12-02 10:00:00", {**done, "finished_at": "2022-12-05 18:00:00"}),
        ("T01", None, "2022-12-02 10:00:00", {**done, "finished_at": "2022-12-06 08:00:00"}),  # the second: late
        ("T01", None, "2022-12-02 10:00:00", {**done, "finished_at": "2022-12-02 11:00:00", "promise_days": 0, "rating": 3}),
        ("T01", None, "2022-12-01 10:00:00", {**done, "finished_at": "2022-12-02 11:00:00", "visits": 2, "rating": None}),
        ("T01", None, "2022-12-01 10:00:00", {**done, "finished_at": "2022-12-02 11:00:00", "visits": 2, "rating": 2}),
        ("T01", None, "2022-12-01 10:00:00", {**done, "finished_at": "2022-12-20 11:00:00", "promise_days": None}),  # no promise
    )  # fmt: skip
    found = look("D04", {("service_log", "2022"): cases})
    parts = {part: (row(found, part)["estimate"], row(found, part)["n"]) for part in PARTS}
    assert parts == {"within promise": (4 / 5, 5), "one visit": (4 / 6, 6), "satisfied": (3 / 5, 5)}
    head = row(found)
    assert (head["estimate"], head["n"], head["method"]) == (3 / 5, 5, "count")
    assert (head["low"], head["high"], head["reason"]) == (3 / 5, 3 / 5, "few cases")
    assert "worst_satisfied" in head["remark"]
    assert row(found, place="T01")["estimate"] == 3 / 5
    assert (row(found, place="T02")["n"], row(found, place="T02")["verdict"]) == (0, "cannot say")


def test_what_is_open_and_not_yet_due_is_too_young_to_tell(look):
    # data taken on Friday 6 January 2023; 2 January was a holiday, 3, 4, 5 January were working days that were over
    cases = log(
        ("T01", None, "2022-12-30 10:00:00", {"promise_days": 3}),  # 3 days over: late
        ("T01", None, "2022-12-30 10:00:00", {"promise_days": 4}),  # the fourth is not over: left out
        ("T01", None, "2022-12-30 10:00:00", {"promise_days": 4, "finished_at": "2022-12-30 11:00:00"}),
        visits=1, rating=5,
    )  # fmt: skip
    found = row(look("D04", {("service_log", "2022"): cases}), "within promise")
    assert (found["estimate"], found["n"]) == (1 / 2, 2)


def test_one_known_failure_refutes_and_an_unrecorded_share_proves_nothing(look):
    kept = {"finished_at": "2022-12-02 11:00:00", "promise_days": 1, "visits": 1}
    good = log(*[("T01", None, "2022-12-01 10:00:00", kept)] * 60)
    found = look("D04", {("service_log", "2022"): good})  # nobody rated
    assert (row(found, "satisfied")["n"], row(found)["verdict"]) == (0, "cannot say")
    bad = log(*[("T01", None, "2022-12-01 10:00:00", {**kept, "visits": 3})] * 60)
    assert row(look("D04", {("service_log", "2022"): bad}))["verdict"] == "not supported"


def test_a_log_that_never_says_when_is_not_late(look):
    silent = log(*[("T01", None, "2022-03-01 10:00:00")] * 40, promise_days=1, visits=1, rating=5)
    found = look("D04", {("service_log", "2022"): silent})
    assert (row(found, "within promise")["n"], row(found, "one visit")["n"]) == (0, 40)
    assert row(found)["verdict"] == "cannot say"


def test_finished_where_it_began(look):
    cases = log(
        ("T01", None, "2022-12-01", {"level_started": "town", "level_finished": "town", "transfers": 0}),
        ("T01", None, "2022-12-01", {"level_started": "village", "level_finished": "town", "transfers": 2}),
        ("T02", None, "2022-12-01", {"level_started": "village", "level_finished": "village", "transfers": 1}),
        ("T02", None, "2022-12-01", {"level_started": "village"}),  # still open
    )  # fmt: skip
    found = look("D08", {("service_log", "2022"): cases})
    assert (row(found)["estimate"], row(found)["n"]) == (2 / 3, 3)
    assert [row(found)["low"], row(found)["high"]] == [2 / 3] * 2
    assert set(found["place"]) == {"county"}


# --- centres and stations ---------------------------------------------------------------------------------------------


def place(k, town="T01", level="centre", **columns):
    fine = (
        dict.fromkeys(CHECKS, 1) | {"windows": 4, "deputies": 4, "unmanned": 0}
        if level == "centre"
        else dict.fromkeys(CHECKS, 1)
    )
    return {"centre_id": f"C{k}", "town": town, "level": level, "is_built": 1, "checked_on": "2022-12-20", "last_txn_on": "2022-12-10",
            **fine, **columns}  # fmt: skip


def test_all_eight_checks(look):
    places = [
        place(0),
        place(1, level="station", same_rules=0),
        place(2, "T02"),
        place(3, "T02", has_staff=0, same_name=0),
    ]
    found = look("D06", {("centres", "2022"): places})
    assert (row(found)["estimate"], row(found)["n"]) == (2 / 4, 4)
    assert (row(found, place="T01")["estimate"], row(found, place="T03")["n"]) == (1 / 2, 0)
    assert {check: row(found, check)["estimate"] for check in CHECKS} == {
        c: 3 / 4 if c in ("same_rules", "has_staff", "same_name") else 1 for c in CHECKS}  # fmt: skip
    assert (row(found, "same_rules", "T01")["estimate"], row(found, "has_staff", "T02")["estimate"]) == (1 / 2, 1 / 2)


def test_kr20_of_the_checks(look):
    # each of 4 x 3 places passes the first m checks and no other: sums 8, 6, 4, 2 in three places each
    places = [place(k, **{c: int(j < m) for j, c in enumerate(CHECKS)}) for k, m in enumerate([8, 6, 4, 2] * 3)]
    found = row(look("D06", {("centres", "2022"): places}), "kr20")
    # pass rates 1 1 3/4 3/4 1/2 1/2 1/4 1/4: p q = 4 x 3/16 + 2 x 1/4 = 5/4; the sum's variance = (9 + 1 + 1 + 9)/4 = 5
    assert found["estimate"] == pytest.approx(8 / 7 * (1 - 1.25 / 5))
    assert found["n"] == 12
    few = row(look("D06", {("centres", "2022"): places[:9]}), "kr20")
    assert np.isnan(few["estimate"])


def test_a_check_that_nobody_recorded_is_no_failure(look):
    found = look("D06", {("centres", "2022"): [place(k, same_rules=None) for k in range(3)]})
    assert row(found)["verdict"] == "cannot say"
    assert row(found, "same_rules")["n"] == 0
    known = look("D06", {("centres", "2022"): [place(0, same_rules=None, has_staff=0), place(1)]})
    assert row(known)["verdict"] == "not supported"  # one known failure is enough


def test_a_deputy_for_each_window_and_none_unmanned(look):
    places = [
        place(0),
        place(1, "T02", deputies=3),
        place(2, "T03", unmanned=1),
        place(3, "T01", "station", deputies=0, windows=2),
    ]
    found = look("D07", {("centres", "2022"): places})
    assert [row(found, place=t)["estimate"] for t in ("T01", "T02", "T03")] == [1, 0, 0]
    assert (row(found)["estimate"], row(found)["n"]) == (1 / 3, 3)  # stations have no windows to man
    assert row(found, place="T04")["verdict"] == "cannot say"


def test_a_known_failure_counts_whatever_else_is_blank(look):
    places = [place(0, unmanned=2, deputies=None), place(1, "T02", deputies=None), place(2, "T03")]
    found = look("D07", {("centres", ""): places})
    said = [row(found, place=t)["verdict"] for t in ("T01", "T02", "T03")]
    assert said == ["not supported", "cannot say", "supported"]


def test_built_is_not_in_use(look):
    places = [
        place(0, last_txn_on="2022-11-20"),  # 30 days before the check
        place(1, level="station", last_txn_on="2022-11-19"),  # 31 days
        place(2, "T02", level="station", is_built=0),
        place(3, "T02", level="station", last_txn_on=None),
        place(4, "T03", checked_on=None, last_txn_on="2022-12-01"),  # up to the last day of the period
    ]
    found = look("D09", {("centres", "2022"): places})
    assert (row(found)["estimate"], row(found)["n"]) == (2 / 5, 5)
    assert [row(found, place=t)["estimate"] for t in ("T01", "T02", "T03")] == [1 / 2, 0, 1]
    assert (row(found, "built")["estimate"], row(found, "built", "T02")["estimate"]) == (4 / 5, 1 / 2)
    assert (row(found, "in_use_centre")["estimate"], row(found, "in_use_station")["estimate"]) == (1, 0)
    assert row(found, place="T01")["verdict"] == "not supported"


def test_a_column_that_is_never_filled_is_not_disuse(look):
    found = look("D09", {("centres", "2022"): [place(k, last_txn_on=None) for k in range(4)]})
    assert row(found)["verdict"] == "cannot say"
    unbuilt = [place(0, last_txn_on=None), place(1, last_txn_on=None, is_built=0)]
    assert row(look("D09", {("centres", "2022"): unbuilt}))["verdict"] == "not supported"  # not built is known


def test_what_residents_found(look):
    answers = [1] * 20 + [2] * 10 + [3] * 2 + [98] * 8  # 98 does not know: left out
    residents = form("resident", ["T01"] * 40, R20=answers).assign(village_id=[f"V{k % 4}" for k in range(40)])
    found = look("D09", {("centres", "2022"): [place(0)]}, residents=residents)
    seen = row(found, "found", "T01")
    assert (seen["estimate"], seen["n"], seen["wave"], seen["period"]) == (pytest.approx(20 / 32), 32, "2023", "")
    assert row(found, place="T01")["wave"] == ""


# --- bank points ------------------------------------------------------------------------------------------------------


def points(*rows):
    names = ("last_loan_on", "days_to_loan", "days_before")
    return [
        {"point_id": f"P{k}", "town": "T01", "bank": "某行", **dict(zip(names, r, strict=True))}
        for k, r in enumerate(rows)
    ]


POINTS = points(("2022-12-30", 6, 10), ("2022-10-02", 8, 15), ("2022-10-01", 9, 8), (None, None, None))


@pytest.mark.parametrize(("printed", "gap", "said"), [("D10 = 4", 0, "supported"), ("D10 = 24", -20, "not supported")])
def test_the_register_against_the_report(look, printed, gap, said):
    found = row(look("D10", {("bank_points", "2022"): [*POINTS, POINTS[0]]}, printed=printed))  # one is entered twice
    assert (found["estimate"], found["n"], found["verdict"]) == (gap, 4, said)


def test_a_table_is_no_printed_number_of_points(look):
    with pytest.raises(CountyError, match="D10: expected a number"):
        look("D10", {("bank_points", ""): POINTS}, printed="D10 = { bank = 4 }")


@pytest.mark.parametrize("printed", ["", "A14 = 3"])
def test_a_masked_number_decides_nothing(look, printed):
    found = row(look("D10", {("bank_points", ""): POINTS}, printed=printed))
    assert found["verdict"] == "cannot say" and "number masked" in found["reason"]


def test_days_before_less_days_now(look):
    found = row(look("D11", {("bank_points", "2022"): POINTS}, also=["D10"]))
    assert (found["estimate"], found["n"], found["verdict"]) == (
        4,
        3,
        "supported",
    )  # 4, 7, -1: the median is 4 days faster
    slower = row(look("D11", {("bank_points", "2022"): points((None, 12, 10))}, also=["D10"]))
    assert slower["verdict"] == "not supported"


def test_nobody_noted_how_it_was_before(look):
    found = row(look("D11", {("bank_points", "2022"): points((None, 12, None), (None, 3, None))}, also=["D10"]))
    assert np.isnan(found["estimate"]) and found["verdict"] == "no baseline"


# --- all of them ------------------------------------------------------------------------------------------------------


def test_a_county_without_ledgers_says_what_lacks(opened):
    rows = judged("04", opened({}), "2023")
    said = rows[rows["place"] == "county"].set_index("claim")["reason"].to_dict()
    logs, centres, banks = ["D04", "D08"], ["D06", "D07", "D09"], ["D10", "D11"]
    due = {
        **dict.fromkeys(logs, "service_log"),
        **dict.fromkeys(centres, "centres"),
        **dict.fromkeys(banks, "bank_points"),
    }
    assert said == {"D05": "no data: documents", **{claim: f"no data: {name}" for claim, name in due.items()}}


def test_two_periods_are_two_facts(opened):
    more = "D10 = 4\n[period.2023]\nfrom = 2023-01-01\nto = 2023-12-31\nas_of = 2024-01-05\n"
    ledgers = {("bank_points", "2022"): POINTS, ("bank_points", "2023"): POINTS[:2], ("centres", "2022"): [place(0)],
               ("centres", "2023"): [place(1, has_staff=0)]}  # fmt: skip
    rows = judged("04", opened(ledgers, printed=more), "2023")
    gaps = rows[(rows["claim"] == "D10") & (rows["part"] == "")].set_index("period")["estimate"]
    assert gaps.to_dict() == {"2022": 0, "2023": -2}
    passed = rows[(rows["claim"] == "D06") & (rows["part"] == "") & (rows["place"] == "T01")].set_index("period")
    assert passed["estimate"].to_dict() == {"2022": 1, "2023": 0}
    assert not rows.duplicated(["claim", "place", "period", "wave", "part"]).any()
