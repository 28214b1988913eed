"""Measures of calls on hand-made ledgers: the trend, the ratio of two shares, need, silent towns, rulings."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from surveys_stand_in import SPANS, staff

from huying.counted import counted
from huying.ledgers import no_rows
from huying.measures import calls
from run_notebook import StandIn, judged, run_notebook


def trend_frame(y, months):
    return pd.DataFrame({
        "answered": pd.array(y, dtype="boolean"), "period": "2022", "status": "closed", "dept_id": "K01",
        "dispatched_at": pd.to_datetime([f"2022-{m:02d}-05" for m in months]), "town_id": [f"T{i % 5}" for i in range(len(y))],
        "responded_at": pd.Timestamp("2022-05-05"),
    })  # fmt: skip


def test_trend_of_two_months_is_the_log_odds_ratio():
    found = calls.month_trend(trend_frame([1, 0, 0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 2, 2, 2, 2]), "answered").iloc[0]
    assert found["estimate"] == pytest.approx(np.log(3) - np.log(1 / 3))  # 3:1 in February, 1:3 in January
    assert (found["place"], found["period"], found["df"], found["n"], found["reason"]) == ("county", "2022", 3, 8, "")
    assert found["low"] < found["estimate"] < found["high"]


def test_each_period_has_a_trend_of_its_own():
    first = trend_frame([1, 0, 0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 2, 2, 2, 2])
    second = first.assign(period="2023", answered=~first["answered"])
    found = calls.month_trend(pd.concat([first, second]), "answered").set_index("period")["estimate"]
    assert found.to_dict() == pytest.approx({"2022": np.log(9), "2023": -np.log(9)})


def test_change_over_months_is_the_models_from_the_first_to_the_last():
    y, months = [1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1], [1, 1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4]
    found = calls.change_over_months(trend_frame(y, months), "answered").iloc[0]
    fit = sm.GLM(y, sm.add_constant(np.array(months, dtype=float)), family=sm.families.Binomial()).fit(tol=1e-14)
    first, last = fit.predict([[1, 1], [1, 4]])
    assert (
        found["estimate"] == pytest.approx(last - first, rel=1e-7)
        and found["low"] < 0 < found["estimate"] < found["high"]
    )
    # a limit is the change of its own slope, with the intercept that keeps the share of all: by search on a grid
    low = calls.month_trend(trend_frame(y, months), "answered").iloc[0]["low"]
    grid = np.linspace(-10, 10, 2_000_001)
    share = sum(1 / (1 + np.exp(-(grid + low * (month - 1)))) for month in months) / len(months)
    start = grid[np.abs(share - np.mean(y)).argmin()]
    assert found["low"] == pytest.approx(1 / (1 + np.exp(-(start + 3 * low))) - 1 / (1 + np.exp(-start)), abs=1e-5)


def test_change_over_months_without_a_trend_says_why():
    found = calls.change_over_months(trend_frame([1, 0], [1, 2]), "answered").iloc[0]
    assert found["reason"] == "too few answers" and np.isnan(found["estimate"])


def test_the_lowest_and_the_highest_month_of_each_period():
    rows = pd.DataFrame({"place": ["2022-01", "2022-02", "2022-03", "county", "2023-01"], "period": ["2022"] * 4 + ["2023"],
                         "estimate": [0.9, 0.5, 0.7, 0.1, 0.8], "n": [10, 20, 30, 60, 5]})  # fmt: skip
    found = calls.find_extremes(rows).set_index(["part", "period"])
    assert found["estimate"].to_dict() == {("lowest_month", "2022"): 0.5, ("lowest_month", "2023"): 0.8,
                                           ("highest_month", "2022"): 0.9, ("highest_month", "2023"): 0.8}  # fmt: skip
    assert found.loc["highest_month", "n"].to_dict() == {"2022": 10, "2023": 5} and set(found["place"]) == {"county"}


@pytest.mark.parametrize(("y", "months", "reason"), [
    ([1, 1, 1, 1, 1, 1], [1, 1, 1, 2, 2, 2], "separation"),
    ([0, 0, 0, 1, 1, 1], [1, 1, 1, 2, 2, 2], "separation"),
    ([0, 1, 1, 1, 1, 1], [1, 1, 1, 2, 2, 2], "separation"),  # all on time in February: the slope runs to infinity
    ([1, 0, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1], "too few answers"),  # one month
    ([1, 0, 0], [1, 1, 2], "separation"),
    ([1, 0], [1, 2], "too few answers"),  # two clusters
    ([], [], "too few answers"),
])  # fmt: skip
def test_trend_without_an_answer_says_why(y, months, reason):
    found = calls.month_trend(trend_frame(y, months), "answered").iloc[0]
    assert (found["reason"], found["n"], found["reliability"]) == (reason, len(y), "not estimable")
    assert np.isnan(found["estimate"])


def test_trend_of_a_ledger_without_response_times():
    silent = trend_frame([None, None, None], [1, 2, 3]).assign(responded_at=pd.NaT)
    assert calls.month_trend(silent, "answered")["reason"].tolist() == ["no response time"]


def test_the_reason_names_what_a_ledger_never_records():
    rows = pd.DataFrame(
        {"responded_at": [pd.NaT], "feedback_at": [pd.Timestamp("2022-05-05")], "is_cross_duty": [pd.NA]}
    )
    said = {name: calls.why_no_rate(rows, name) for name in ("responded_at", "feedback_at", "is_cross_duty", "")}
    assert said == {
        "responded_at": "no response time",
        "feedback_at": "no eligible case: no call",
        "is_cross_duty": "no mark of overlapping duties",
        "": "no eligible case: no call",
    }
    assert calls.why_no_rate(rows.head(0), "responded_at") == "no eligible case: no call"


def test_the_ratio_of_two_shares():
    # 10 of 20 against 5 of 40: 4; ln 4 ± 1.959964 √(1/10 - 1/20 + 1/5 - 1/40) = 1.386294 ± 0.929693
    rows = pd.DataFrame({
        "period": "2022", "crossed": [True] * 20 + [False] * 39 + [None],
        "moved": pd.array([True] * 10 + [False] * 10 + [True] * 5 + [False] * 35, dtype="boolean"),
    }).astype({"crossed": "boolean"})  # fmt: skip
    found = calls.compare_risks(rows, "moved", "crossed").iloc[0]
    assert (found["estimate"], found["n"]) == (pytest.approx(4), 20)
    assert found["low"] == pytest.approx(np.exp(1.386294 - 0.929693), rel=1e-5)
    assert found["high"] == pytest.approx(np.exp(1.386294 + 0.929693), rel=1e-5)
    assert calls.compare_risks(rows.head(20), "moved", "crossed")["estimate"].isna().all()  # nothing to compare with
    assert calls.compare_risks(rows.assign(moved=False), "moved", "crossed")["estimate"].isna().all()


def test_a_town_without_a_call_is_counted_and_not_estimated():
    rows = counted(["T01", "T02", "county"], [1, 2, 3], [4, 4, 8]).assign(method="t")
    reported, none = pd.Series({"T01": 9.0, "T02": 7.0}), pd.Series(dtype=float)
    silent = pd.Series({"T01": 3, "T02": 0})
    found = calls.count_silent(rows, silent, reported, none).set_index("place")
    shown = ["estimate", "low", "high", "method", "remark", "n"]
    assert found.loc["T02", shown].tolist() == [0, 0, 0, "count", "no_call", 7]
    recorded = calls.count_silent(rows, silent, none, pd.Series({"T02": 30})).set_index("place")
    assert recorded.loc["T02", shown].tolist() == [0, 0, 0, "count", "no_call", 30]  # either need suffices
    unneeded = calls.count_silent(rows, silent, pd.Series({"T02": 0.0}), none).set_index("place")
    assert unneeded.loc["T02", ["estimate", "method", "remark"]].tolist() == [1 / 2, "t", ""]  # no need, no charge
    assert found.loc["T01", ["estimate", "method", "remark"]].tolist() == [1 / 4, "t", ""]
    assert found.loc["county", "method"] == "t"
    nothing = calls.count_silent(rows, pd.Series({"T01": 0, "T02": 0}), reported, none)
    assert set(nothing["method"]) == {"t"}  # no ledger of calls says nothing


def test_a_case_is_ruled_on_in_time_or_too_young_to_say():
    day = pd.to_datetime
    cases = pd.DataFrame({
        "period": "2022", "referred_on": day(["2022-11-01", "2022-11-01", "2022-11-01", "2022-12-07", "2022-12-08"]),
        "ruled_on": day(["2022-12-01", "2022-12-02", None, None, "2022-12-10"]),
    })  # fmt: skip
    found = calls.time_cases(cases, {"2022": SimpleNamespace(as_of="2023-01-06")})
    assert found["ruling_days"].fillna(-1).tolist() == [30, 31, -1, -1, 2]
    # 7 December is 30 days before 6 January, 8 December 29: too young, although ruled on
    assert found["is_ruled_on_time"].fillna(pd.NA).tolist() == [True, False, False, False, pd.NA]
    assert found["is_open"].tolist() == [False, False, True, True, False]
    assert calls.time_cases(cases.head(0), {})["is_ruled_on_time"].empty


# --- the notebook's cells, on a small county --------------------------------------------------------------------------

PERIOD = "[period.2022]\nfrom = 2022-01-04\nto = 2022-12-31\nas_of = 2023-01-06\n"
# town, department, answered, closed, slip, times returned, overlapping duties; all sent on Tuesday 10 May 2022 at 10:00
CALLS = [
    ("T01", "K1", "12 09:00", "17 09:00", "17 10:00", 0, False),  # day 2, day 5, day 5
    ("T01", "K1", "13 09:00", "17 09:00", "18 10:00", 1, True),  # a day late, the slip too
    ("T01", "K2", "11 09:00", None, None, 0, True),
    ("T02", "K2", "11 09:00", "11 12:00", "11 12:00", 2, True),
]


def small_county(folder, rows=CALLS, **columns):
    """Three towns, of which the last has no call, and eight staff in each: of 6 matters they called on 2, 4, 0 and 6, twice over."""
    made = no_rows("calls").reindex(range(len(rows)))
    moments = {
        name: [row[k] and f"2022-05-{row[k]}" for row in rows]
        for k, name in ((2, "responded_at"), (3, "closed_at"), (4, "feedback_at"))
    }
    made = made.assign(
        call_id=[f"c{k}" for k in range(len(rows))], town_id=[r[0] for r in rows], dept_id=[r[1] for r in rows],
        called_at=pd.Timestamp("2022-05-10 09:00"), dispatched_at=pd.Timestamp("2022-05-10 10:00"),
        **{name: pd.Series(pd.to_datetime(values)).astype("datetime64[ns]") for name, values in moments.items()},
        status=["closed" if r[3] else "open" for r in rows], transfer_n=pd.array([0] * len(rows), dtype="Int64"),
        returned_n=pd.array([r[5] for r in rows], dtype="Int64"), is_cross_duty=pd.array([r[6] for r in rows], dtype="boolean"),
    )  # fmt: skip
    towns = [f"T{k:02d}" for k in (1, 2, 3) for _ in range(8)]
    forms = {"staff": staff(towns, S14=[6] * 24, S15=[2, 4, 0, 6] * 6)}
    return StandIn(folder, {("calls", "2022"): made.assign(**columns)}, forms, PERIOD + SPANS.partition("[period")[0])


def cell(rows, claim, place, part=""):
    own = rows[(rows["claim"] == claim) & (rows["place"] == place) & (rows["part"] == part)]
    assert len(own) == 1, (claim, place, part)
    return own.iloc[0]


def test_the_cells_count_what_the_ledger_says(tmp_path):
    rows = judged("13", small_county(tmp_path), "2023", claims=["B07", "B08", "B09", "P33"])
    for claim, part, place, k, n in (
        ("B07", "", "T01", 2, 3), ("B07", "", "county", 3, 4), ("B08", "", "T01", 1, 3), ("B08", "closed_only", "T01", 2, 3),
        ("B09", "", "T01", 2, 3), ("B09", "", "T02", 1, 1), ("B09", "on_time", "T02", 1, 1), ("B09", "returned", "county", 2, 4),
        ("P33", "", "T01", 1, 2), ("P33", "", "county", 2, 3), ("P33", "clear_duties", "county", 0, 1),
        ("P33", "department_returns", "K1", 1, 2), ("P33", "department_late", "K2", 0, 2),
    ):  # fmt: skip
        row = cell(rows, claim, place, part)
        assert (row["estimate"], row["n"]) == (k / n, n), (claim, part, place)
    assert cell(rows, "B09", "T02")["verdict"] == "supported" and cell(rows, "B09", "T02")["low"] == 1  # counted
    assert cell(rows, "B07", "T03")["reason"] == "no eligible case: no call"


def test_the_cells_set_calls_against_need(tmp_path):
    rows = judged("13", small_county(tmp_path), "2023", claims=["P32"])
    assert cell(rows, "P32", "T01")["estimate"] == pytest.approx(24 / 48)
    silent = cell(rows, "P32", "T03")
    assert silent[["estimate", "method"]].tolist() == [0, "count"] and silent["remark"].startswith("no_call")


def test_calls_per_hundred_needs_keep_towns_without_a_call(tmp_path):
    """T01 3 calls for 40 matters; T02 none counted that it could be set against; T03 no call for 5."""
    need = pd.DataFrame({"town_id": ["T01", "T01", "T02", "T03"], "n": pd.array([30, 10, 0, 5], dtype="Int64")})
    need = need.assign(month=pd.Timestamp("2022-05-01"), channel=["12345", "grid", "grid", "grid"])
    here = small_county(tmp_path)
    here.cleaned.ledgers["need_counts", ""] = need
    names, _ = run_notebook("13", here, wave="2023")
    assert names["needs"]["per_100"].fillna(-1).to_dict() == {"T01": 7.5, "T02": -1, "T03": 0}


@pytest.mark.parametrize("called", [[np.nan, "skipped"], [3, np.nan]])
def test_who_met_no_matter_counts_as_nobody_called(tmp_path, called):
    """Also where calls were reported without any need of one."""
    county = small_county(tmp_path)
    forms = county.cleaned.forms["staff"]
    forms.loc[0, ["S14", "S15", "S15_missing"]] = [0, *called]
    row = cell(judged("13", county, "2023", claims=["P32"]), "P32", "T01")
    assert (row["estimate"], row["n"]) == (pytest.approx(22 / 42), 8)


def test_a_ledger_without_times_of_answers_says_so(tmp_path):
    unmarked = pd.array([pd.NA] * len(CALLS), dtype="boolean")
    rows = judged("13", small_county(tmp_path, responded_at=pd.NaT, is_cross_duty=unmarked), "2023")
    assert cell(rows, "B07", "T01")["reason"] == cell(rows, "P31", "county")["reason"] == "no response time"
    assert cell(rows, "P33", "county")["reason"] == "no mark of overlapping duties"
    assert cell(rows, "B09", "T01")["estimate"] == 2 / 3


def test_a_ledger_without_a_closing_time_has_no_rate_of_closing_however_many_slips_it_has():
    rows = pd.DataFrame({"closed_at": pd.Series([pd.NaT, pd.NaT]), "feedback_at": pd.to_datetime(["2022-03-02", None])})
    assert calls.why_no_rate(rows, "closed_at", "feedback_at") == "no closing time"
