"""Claims D01 to D11 on a county made by hand, the arithmetic visible; what is not recorded is never held against a town."""

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import form
from scipy import stats

from huying import workdays
from huying.claims import house_claims, judge
from huying.codebook import house_codebook
from huying.folder import read_county
from huying.ledgers import CHECKS, TABLES
from huying.problems import services as problem
from huying.problems.facts import Study, find_each
from huying.samples import resident_sample
from huying.store import Cleaned

HEAD = """[county]
id = "x"
name_zh = "甲县"
name_en = "A"
sampling = "probability"
is_synthetic = true

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06

[printed]
{printed}
"""
TOWNS = ["T01", "T02", "T03", "T04"]


def ledger(name, rows):
    """Rows of a ledger as they are after cleaning: all columns of its contract in their types, towns by id."""
    table = TABLES[name]
    text = pd.DataFrame(rows, dtype=object)
    text = text.where(text.notna(), "").astype(str)
    typed = {}
    for column in table.columns:
        cells = text[column.name] if column.name in text else pd.Series("", index=text.index, dtype=object)
        typed[column.name], bad = column.kind.parse(cells)
        assert not bad.any(), (column.name, cells[bad].tolist())
    return pd.DataFrame(typed).rename(columns={"town": "town_id"}).astype({"town_id": "str"} if "town" in typed else {})


def study(tmp_path, ledgers, printed="D10 = 3", residents=None):
    (tmp_path / "county.toml").write_text(HEAD.format(printed=printed), "utf-8")
    county, book = read_county(tmp_path), house_codebook()
    towns = pd.DataFrame(
        {"town_id": TOWNS, "name_zh": list("甲乙丙丁"), "name_en": list("ABCD"), "type": "town", "adults": 800}
    )
    tables = {("towns", ""): towns}
    for (name, period), rows in ledgers.items():
        tables[name, period] = ledger(name, rows)
    flags = pd.DataFrame({"row_id": pd.Series(dtype="str"), "flag": pd.Series(dtype="str")})
    cleaned = Cleaned(
        {} if residents is None else {"resident": residents}, tables, pd.DataFrame(), flags, pd.DataFrame(), "h"
    )
    samples = {} if residents is None else {("resident", "2023"): resident_sample(cleaned, county, book, "2023")}
    return Study(county, cleaned, book, workdays.calendar("china", None), samples)


def found_by(claim, here):
    return find_each(here, {claim: problem.FINDERS[claim]})


@pytest.fixture
def look(tmp_path):
    def make(claim, ledgers, **options):
        found = found_by(claim, study(tmp_path, ledgers, **options))
        return found.frame(), found.tables

    return make


def row(frame, sub="", place="county", **equal):
    own = frame[(frame["sub"] == sub) & (frame["place"] == place)]
    for column, value in equal.items():
        own = own[own[column] == value]
    assert len(own) == 1, (sub, place, len(own))
    return own.iloc[0]


def verdict(claim, fact):
    rule = house_claims()[claim]
    return judge(*rule.rule_at(fact["place"]), *(float(fact[c]) for c in ("estimate", "low", "high", "n")))[0]


def exact(k, n):
    """Clopper and Pearson's limits, by the tails of the binomial itself."""
    low = 0.0 if k == 0 else stats.binomtest(k, n).proportion_ci(method="exact").low
    high = 1.0 if k == n else stats.binomtest(k, n).proportion_ci(method="exact").high
    return [low, high]


# --- D01: lists ---------------------------------------------------------------------------------------------------------


def lists(*rows):
    return [dict(zip(("town", "list", "published_on", "updated_on"), r, strict=True)) for r in rows]


PUBLISHED = lists(
    ("T01", "powers", "2021-03-01", "2022-06-30"), ("T01", "services", "2022-04-01", None),  # both of 2022
    ("T02", "powers", "2021-03-01", None), ("T02", "services", "2022-02-01", None),  # the first is of 2021
    ("T03", "powers", "2022-03-01", None), ("T03", "services", None, None),  # the second was never published
    ("T04", "powers", "2020-01-01", "2023-01-04"), ("T04", "services", "2022-12-31", None),
)  # fmt: skip


def test_d01_both_lists_of_the_year_in_which_the_period_ends(look):
    frame, tables = look("D01", {("publicity", "2022"): PUBLISHED})
    assert {place: row(frame, place=place)["estimate"] for place in TOWNS} == {"T01": 1, "T02": 0, "T03": 0, "T04": 1}
    assert [verdict("D01", row(frame, place=t)) for t in ("T01", "T02")] == ["supported", "not supported"]
    assert set(frame["period"]) == {"2022"}
    assert "county" not in set(frame["place"])  # the county's row is a share of its towns
    assert set(tables["publicity"]["town_id"]) == set(TOWNS)


def test_d01_without_a_period_the_year_is_the_latest_in_the_ledger(look):
    frame, _ = look("D01", {("publicity", ""): PUBLISHED[:6]})
    assert [row(frame, place=place)["estimate"] for place in ("T01", "T02", "T03")] == [1, 0, 0]
    older, _ = look(
        "D01",
        {("publicity", ""): lists(("T01", "powers", "2020-05-01", None), ("T01", "services", "2020-02-01", None))},
    )
    assert row(older, place="T01")["estimate"] == 1


def test_d01_no_day_at_all_is_not_published(look):
    frame, _ = look("D01", {("publicity", ""): lists(("T01", "powers", None, None), ("T01", "services", None, None))})
    assert row(frame, place="T01")["estimate"] == 0


# --- D02, D03, D05: items and documents -----------------------------------------------------------------------------------


def items(*ids):
    return [{"item_id": i, "name": f"事项{i}", "from_dept": "民政局", "mode": "entrusted" if k % 2 == 0 else "authorised"}
            for k, i in enumerate(ids)]  # fmt: skip


def accepted(pairs):
    return [{"town": t, "item_id": i, "accepted_on": day} for t, i, day in pairs]


def documents(*rows):
    return [{"title": "某文", "kind": kind, "issued_on": day} for kind, day in rows]


def test_d02_the_guide_and_what_was_taken_over(look):
    taken = accepted(
        [("T01", "I1", "2022-05-01"), ("T01", "I2", None), ("T02", "I1", "2022-06-01"), ("T02", "I2", "2022-06-01")]
    )
    papers = documents(("guide", "2022-04-15"), ("plan", "2021-11-15"))
    frame, _ = look(
        "D02", {("documents", ""): papers, ("accepted_items", ""): taken, ("delegated_items", ""): items("I1", "I2")}
    )
    assert (row(frame)["estimate"], verdict("D02", row(frame))) == (1, "supported")
    whole = row(frame, "accepted")
    assert [whole["estimate"], whole["n"]] == [3 / 4, 4]
    assert [whole["low"], whole["high"]] == pytest.approx(exact(3, 4), rel=1e-9)
    assert row(frame, "accepted", "T01")["estimate"] == 1 / 2
    none, _ = look("D02", {("documents", ""): documents(("plan", "2021-11-15"))})
    assert (row(none)["estimate"], verdict("D02", row(none))) == (0, "not supported")
    assert set(none["sub"]) == {""}


def log(*rows, **columns):
    names = ("town", "item_id", "accepted_at")
    return [
        {"txn_id": f"B{k}", **dict(zip(names, r[:3], strict=True)), **(r[3] if len(r) > 3 else {}), **columns}
        for k, r in enumerate(rows)
    ]


def test_d03_items_used_sleeping_and_concentrated(look):
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
    frame, tables = look("D03", ledgers)
    assert row(frame)["estimate"] == 3 and row(frame)["period"] == ""
    assert (row(frame, "entrusted")["estimate"], row(frame, "authorised")["estimate"]) == (2, 1)
    used = row(frame, "used")
    assert (used["estimate"], used["n"], used["period"]) == (
        6 / 11,
        11,
        "2022",
    )  # I1 in 3 towns, I2 in 2, I3 in 1; T04 did not take I3
    assert row(frame, "used", "T01")["estimate"] == 1
    assert row(frame, "used", "T04")["estimate"] == 0
    assert (
        row(frame, "sleeping")["estimate"] == 1
    )  # I3: no case in 3 of 4 towns; I2: in 2 of 4, which is not more than half
    # cases 4, 2, 1: the mean absolute difference is (2 + 3 + 1) x 2 / 9 = 4/3, over twice the mean 7/3
    assert row(frame, "gini")["estimate"] == pytest.approx((12 / 9) / (2 * 7 / 3))
    table = tables["items"].set_index("item_id")
    assert table["cases"].to_dict() == {"I1": 4, "I2": 2, "I3": 1}
    assert table["towns_used"].to_dict() == {"I1": 3, "I2": 2, "I3": 1}
    assert table["is_sleeping"].to_dict() == {"I1": False, "I2": False, "I3": True}
    use = tables["item_use"].set_index(["item_id", "town_id"])["cases"]
    assert (use["I1", "T01"], use["I3", "T04"], len(use)) == (2, 0, 12)


def test_d03_without_a_log_or_a_list_of_what_was_taken_over(look):
    bare, _ = look("D03", {("delegated_items", ""): items("I1", "I2")})
    assert set(bare["sub"]) == {"", "entrusted", "authorised"}
    frame, _ = look(
        "D03", {("delegated_items", ""): items("I1"), ("service_log", ""): log(("T01", "I1", "2022-12-01"))}
    )
    assert (row(frame, "used")["estimate"], row(frame, "used")["n"]) == (1 / 4, 4)


def test_d05_a_standard_issued_before_the_end(look):
    for day, n in (("2022-03-10", 1), ("2023-06-02", 1), ("2023-06-03", 0), (None, 0)):  # the wave ends on 2 June 2023
        frame, _ = look("D05", {("documents", ""): documents(("standard", day), ("guide", "2022-01-01"))})
        assert row(frame)["estimate"] == n, day


# --- D04, D08: transactions -------------------------------------------------------------------------------------------------


def test_d04_promises_are_kept_in_working_days_and_the_lowest_of_three_shares_counts(look):
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
    frame, _ = look("D04", {("service_log", "2022"): cases})
    parts = {
        sub: (row(frame, sub)["estimate"], row(frame, sub)["n"]) for sub in ("within promise", "one visit", "satisfied")
    }
    assert parts == {"within promise": (4 / 5, 5), "one visit": (4 / 6, 6), "satisfied": (3 / 5, 5)}
    head = row(frame)
    assert (head["estimate"], head["n"], head["method"]) == (3 / 5, 5, "exact")
    assert [head["low"], head["high"]] == pytest.approx(exact(3, 5), rel=1e-9)
    assert row(frame, place="T01")["estimate"] == 3 / 5
    assert (row(frame, place="T02")["n"], verdict("D04", row(frame, place="T02"))) == (0, "cannot say")


def test_d04_what_is_open_and_not_yet_due_is_too_late_to_know(look):
    # data taken on Friday 6 January 2023; 2 January was a holiday, 3, 4, 5 January were working days that were over
    cases = log(
        ("T01", None, "2022-12-30 10:00:00", {"promise_days": 3}),  # 3 days over: late
        ("T01", None, "2022-12-30 10:00:00", {"promise_days": 4}),  # the fourth is not over: left out
        ("T01", None, "2022-12-30 10:00:00", {"promise_days": 4, "finished_at": "2022-12-30 11:00:00"}),
        visits=1, rating=5,
    )  # fmt: skip
    frame, _ = look("D04", {("service_log", "2022"): cases})
    assert (row(frame, "within promise")["estimate"], row(frame, "within promise")["n"]) == (1 / 2, 2)


def test_d04_one_known_failure_refutes_and_an_unrecorded_share_proves_nothing(look):
    kept = {"finished_at": "2022-12-02 11:00:00", "promise_days": 1, "visits": 1}
    good = log(*[("T01", None, "2022-12-01 10:00:00", kept)] * 60)
    frame, _ = look("D04", {("service_log", "2022"): good})  # nobody rated
    assert row(frame, "satisfied")["n"] == 0
    assert verdict("D04", row(frame)) == "cannot say"
    bad = log(*[("T01", None, "2022-12-01 10:00:00", {**kept, "visits": 3})] * 60)
    frame, _ = look("D04", {("service_log", "2022"): bad})
    assert verdict("D04", row(frame)) == "not supported"


def test_d04_a_log_that_never_says_when_is_not_late(look):
    frame, _ = look(
        "D04",
        {
            ("service_log", "2022"): log(
                *[("T01", None, "2022-03-01 10:00:00")] * 40, promise_days=1, visits=1, rating=5
            )
        },
    )
    assert row(frame, "within promise")["n"] == 0
    assert verdict("D04", row(frame)) == "cannot say"


def test_d08_finished_where_it_began(look):
    cases = log(
        ("T01", None, "2022-12-01", {"level_started": "town", "level_finished": "town", "transfers": 0}),
        ("T01", None, "2022-12-01", {"level_started": "village", "level_finished": "town", "transfers": 2}),
        ("T02", None, "2022-12-01", {"level_started": "village", "level_finished": "village", "transfers": 1}),
        ("T02", None, "2022-12-01", {"level_started": "village"}),  # still open
    )  # fmt: skip
    frame, _ = look("D08", {("service_log", "2022"): cases})
    assert (row(frame)["estimate"], row(frame)["n"]) == (2 / 3, 3)
    assert [row(frame)["low"], row(frame)["high"]] == pytest.approx(exact(2, 3), rel=1e-9)
    assert set(frame.loc[frame["sub"] == "", "place"]) == {"county"}
    assert row(frame, "transfers")["estimate"] == 1  # (0 + 2 + 1) / 3
    assert (row(frame, "transfers", "T01")["estimate"], row(frame, "transfers", "T02")["estimate"]) == (1, 1)
    assert (row(frame, "same level", "T01")["estimate"], row(frame, "same level", "T02")["estimate"]) == (1 / 2, 1)


# --- D06, D07, D09: centres and stations --------------------------------------------------------------------------------------


def place(k, town="T01", level="centre", **columns):
    fine = (
        dict.fromkeys(CHECKS, 1) | {"windows": 4, "deputies": 4, "unmanned": 0}
        if level == "centre"
        else dict.fromkeys(CHECKS, 1)
    )
    return {"centre_id": f"C{k}", "town": town, "level": level, "is_built": 1, "checked_on": "2022-12-20", "last_txn_on": "2022-12-10",
            **fine, **columns}  # fmt: skip


def test_d06_all_eight_checks(look):
    places = [
        place(0),
        place(1, level="station", same_rules=0),
        place(2, "T02"),
        place(3, "T02", has_staff=0, same_name=0),
    ]
    frame, tables = look("D06", {("centres", "2022"): places})
    assert (row(frame)["estimate"], row(frame)["n"]) == (2 / 4, 4)
    assert (row(frame, place="T01")["estimate"], row(frame, place="T03")["n"]) == (1 / 2, 0)
    assert {check: row(frame, check)["estimate"] for check in CHECKS} == {
        c: 3 / 4 if c in ("same_rules", "has_staff", "same_name") else 1 for c in CHECKS}  # fmt: skip
    table = tables["checks"].set_index(["check", "level", "town_id"])
    assert table.loc[("same_rules", "station", "T01"), ["share", "n"]].tolist() == [0, 1]
    assert table.loc[("has_staff", "centre", "T02"), ["share", "n"]].tolist() == [0.5, 2]


def test_d06_kr20_of_the_checks(look):
    # each of 4 x 3 places passes the first m checks and no other: sums 8, 6, 4, 2 in three places each
    places = [place(k, **{c: int(j < m) for j, c in enumerate(CHECKS)}) for k, m in enumerate([8, 6, 4, 2] * 3)]
    frame, _ = look("D06", {("centres", "2022"): places})
    # pass rates 1 1 3/4 3/4 1/2 1/2 1/4 1/4: p q = 4 x 3/16 + 2 x 1/4 = 5/4; the sum's variance = (9 + 1 + 1 + 9)/4 = 5
    assert row(frame, "kr20")["estimate"] == pytest.approx(8 / 7 * (1 - 1.25 / 5))
    assert row(frame, "kr20")["n"] == 12


def test_d06_a_check_that_nobody_recorded_is_no_failure(look):
    frame, _ = look("D06", {("centres", "2022"): [place(k, same_rules=None) for k in range(3)]})
    assert verdict("D06", row(frame)) == "cannot say"
    assert row(frame, "same_rules")["n"] == 0
    known, _ = look("D06", {("centres", "2022"): [place(0, same_rules=None, has_staff=0), place(1)]})
    assert verdict("D06", row(known)) == "not supported"  # one known failure is enough


def test_d07_a_deputy_for_each_window_and_none_unmanned(look):
    places = [
        place(0),
        place(1, "T02", deputies=3),
        place(2, "T03", unmanned=1),
        place(3, "T01", "station", deputies=0, windows=2),
    ]
    frame, _ = look("D07", {("centres", "2022"): places})
    assert [row(frame, place=t)["estimate"] for t in ("T01", "T02", "T03")] == [1, 0, 0]
    assert (row(frame)["estimate"], row(frame)["n"]) == (1 / 3, 3)  # stations have no windows to man
    assert verdict("D07", row(frame, place="T04")) == "cannot say"


def test_d07_a_known_failure_counts_whatever_else_is_blank(look):
    frame, _ = look(
        "D07", {("centres", ""): [place(0, unmanned=2, deputies=None), place(1, "T02", deputies=None), place(2, "T03")]}
    )
    assert [verdict("D07", row(frame, place=t)) for t in ("T01", "T02", "T03")] == [
        "not supported",
        "cannot say",
        "supported",
    ]


def test_d09_built_is_not_in_use(look):
    places = [
        place(0, last_txn_on="2022-11-20"),  # 30 days before the check
        place(1, level="station", last_txn_on="2022-11-19"),  # 31 days
        place(2, "T02", level="station", is_built=0),
        place(3, "T02", level="station", last_txn_on=None),
        place(4, "T03", checked_on=None, last_txn_on="2022-12-01"),  # up to the last day of the period
    ]
    frame, _ = look("D09", {("centres", "2022"): places})
    assert (row(frame)["estimate"], row(frame)["n"]) == (2 / 5, 5)
    assert [row(frame, place=t)["estimate"] for t in ("T01", "T02", "T03")] == [1 / 2, 0, 1]
    assert (row(frame, "built")["estimate"], row(frame, "built", "T02")["estimate"]) == (4 / 5, 1 / 2)
    assert (row(frame, "in use: centre")["estimate"], row(frame, "in use: station")["estimate"]) == (1, 0)
    assert verdict("D09", row(frame, place="T01")) == "not supported"


def test_d09_a_column_that_is_never_filled_is_not_disuse(look):
    frame, _ = look("D09", {("centres", "2022"): [place(k, last_txn_on=None) for k in range(4)]})
    assert verdict("D09", row(frame)) == "cannot say"
    unbuilt, _ = look(
        "D09", {("centres", "2022"): [place(0, last_txn_on=None), place(1, last_txn_on=None, is_built=0)]}
    )
    assert verdict("D09", row(unbuilt)) == "not supported"  # not built is known


def test_d09_what_residents_found(look):
    answers = [1] * 20 + [2] * 10 + [3] * 2 + [98] * 8  # 98 does not know: left out
    residents = form("resident", ["T01"] * 40, R20=answers).assign(village_id=[f"V{k % 4}" for k in range(40)])
    frame, _ = look("D09", {("centres", "2022"): [place(0)]}, residents=residents)
    found = row(frame, "found", "T01")
    assert (found["estimate"], found["n"], found["wave"], found["period"]) == (pytest.approx(20 / 32), 32, "2023", "")
    assert row(frame, place="T01")["wave"] == ""


# --- D10, D11: bank points --------------------------------------------------------------------------------------------------


def points(*rows):
    names = ("last_loan_on", "days_to_loan", "days_before")
    return [
        {"point_id": f"P{k}", "town": "T01", "bank": "某行", **dict(zip(names, r, strict=True))}
        for k, r in enumerate(rows)
    ]


POINTS = points(("2022-12-30", 6, 10), ("2022-10-02", 8, 15), ("2022-10-01", 9, 8), (None, None, None))


@pytest.mark.parametrize(("printed", "gap", "said"), [("D10 = 4", 0, "supported"), ("D10 = 24", -20, "not supported")])
def test_d10_the_register_against_the_report(look, printed, gap, said):
    frame, _ = look("D10", {("bank_points", "2022"): POINTS}, printed=printed)
    assert (row(frame)["estimate"], verdict("D10", row(frame))) == (gap, said)
    assert row(frame, "points")["estimate"] == 4
    active = row(frame, "active")  # 90 days before 31 December: 2 October
    assert (active["estimate"], active["n"]) == (2 / 4, 4)


@pytest.mark.parametrize("printed", ["", "D10 = { bank = 4 }", "A14 = 3"])
def test_d10_a_masked_number_decides_nothing(look, printed):
    frame, _ = look("D10", {("bank_points", ""): POINTS}, printed=printed)
    assert (verdict("D10", row(frame)), row(frame)["reason"]) == ("cannot say", "number masked")
    assert row(frame, "points")["estimate"] == 4


def test_d11_days_before_less_days_now(look):
    frame, _ = look("D11", {("bank_points", "2022"): POINTS})
    assert (row(frame)["estimate"], row(frame)["n"]) == (4, 3)  # 4, 7, -1: the median is 4 days faster
    assert verdict("D11", row(frame)) == "supported"
    slower, _ = look("D11", {("bank_points", "2022"): points((None, 12, 10))})
    assert verdict("D11", row(slower)) == "not supported"


def test_d11_nobody_noted_how_it_was_before(look):
    frame, _ = look("D11", {("bank_points", "2022"): points((None, 12, None), (None, 3, None))})
    assert np.isnan(row(frame)["estimate"])
    assert row(frame)["reason"] == "no baseline"


# --- all of them ---------------------------------------------------------------------------------------------------------------


def test_every_claim_without_its_ledger_says_which_is_missing(tmp_path):
    found = problem.find(study(tmp_path, {}))
    assert found.missing == {claim: house_claims()[claim].needs[0] for claim in problem.FINDERS}
    assert found.frame().empty


def test_two_periods_are_two_facts(tmp_path):
    printed = "D10 = 4\n[period.2023]\nfrom = 2023-01-01\nto = 2023-12-31\nas_of = 2024-01-05\n"
    ledgers = {("bank_points", "2022"): POINTS, ("bank_points", "2023"): POINTS[:2], ("centres", "2022"): [place(0)],
               ("centres", "2023"): [place(1)]}  # fmt: skip
    found = problem.find(study(tmp_path, ledgers, printed=printed))
    frame = found.frame()
    gaps = frame[(frame["claim"] == "D10") & (frame["sub"] == "")].set_index("period")["estimate"]
    assert gaps.to_dict() == {"2022": 0, "2023": -2}
    assert not frame.duplicated(["claim", "place", "period", "wave", "sub"]).any()
    assert set(found.tables["checks"]["period"]) == {"2023"}  # charts show the latest period
