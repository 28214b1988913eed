"""Curves, funnels and trends beside R's survey and survival packages."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from answers import ANSWERS, HERE, rows

from huying.associations import regress
from huying.design import Design
from huying.waiting import closing_by_route, funnel_limits, left_by, waiting_curves

CALLS = pd.read_csv(HERE / "data" / "calls_sim.csv", dtype={"channel": str})
NINE = {"rel": 1e-9, "abs": 1e-13}


def codes(values):
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)


def test_the_product_limit_is_that_of_survfit():
    for row in [r for r in rows("km_survey", design="calls_plain") if r["group"] is None]:
        event = CALLS["event"].eq(int(row["event"].split("==")[1])) if "==" in row["event"] else CALLS["event"].gt(0)
        left = left_by(CALLS["time_wd"].to_numpy(float), event)
        assert left[left.index <= row["time"]].iloc[-1] == pytest.approx(row["survival"], **NINE), row


def test_the_band_of_a_curve_is_that_of_survfit_and_those_at_risk_are_counted():
    """R 4, survival: summary(survfit(Surv(t, d) ~ 1, conf.type = "log-log"), times = 0:8) with t and d as below."""
    t, d = [0, 1, 1, 2, 3, 3, 5, 8], [1, 1, 0, 1, 1, 0, 1, 0]
    lower = [0.387000014032, 0.314807113706, 0.195495866085, *[0.107578115238] * 2, *[0.012396415520] * 4]
    upper = [0.981392965879, 0.930898317091, 0.852254345762, *[0.751273849926] * 2, *[0.602419426606] * 4]
    given = {"status": "open", "closed_at": pd.NaT, "age_days": t, "closing_days": np.nan}
    curve = waiting_curves(pd.DataFrame({**given, "answer_days": np.where(d, t, np.nan)}))
    assert curve["wait_days"].tolist() == list(range(9)) and set(curve["kind"]) == {"answered"}
    assert (1 - curve["high"]).tolist() == pytest.approx(lower, rel=1e-9)
    assert (1 - curve["low"]).tolist() == pytest.approx(upper, rel=1e-9)
    assert (1 - curve["share"]).tolist() == pytest.approx([0.875, 0.75, 0.6, 0.45, 0.45, *[0.225] * 4])
    assert curve["at_risk"].tolist() == [8, 7, 5, 4, 2, 2, 1, 1, 1]
    assert curve["low"].iloc[0] != pytest.approx(
        0.125 - 1.96 * 0.125 * 0.875 / 8, abs=0.01
    )  # not the plain Greenwood one


def by_route():
    """The calls of the simulation as a ledger with their waits: the second cause is that the call was passed on."""
    ended = CALLS["event"] > 0
    given = {"status": "open", "was_returned": CALLS["event"] == 2, "age_days": CALLS["time_wd"], "closed_at": pd.NaT}
    return closing_by_route(pd.DataFrame({**given, "closing_days": CALLS["time_wd"].where(ended)}))


def test_cumulative_incidence_of_two_causes():
    table = by_route().set_axis([1, 2], axis=1)
    for row in rows("cumulative_incidence", data="calls_sim unweighted"):
        own = table.loc[table.index <= row["time"], row["cause"]]
        assert own.iloc[-1] == pytest.approx(row["incidence"], **NINE), row


def test_one_minus_kaplan_meier_is_the_tempting_wrong_incidence():
    wrong = 1 - left_by(CALLS["time_wd"].to_numpy(float), CALLS["event"] == 2).iloc[-1]
    assert wrong > by_route()["passed_on"].iloc[-1] + 0.02


def test_funnel_limits_are_spiegelhalters():
    for row in ANSWERS["funnel_limits"]:
        low, high = funnel_limits(row["p0"], np.array([float(row["n"])]), row["level"])
        assert low[0] == pytest.approx(max(0.0, row["low_interpolated"]), abs=1e-10)
        assert high[0] == pytest.approx(min(1.0, row["high_interpolated"]), abs=1e-10)


def test_the_trend_is_that_of_svyglm():
    model = {r["term"]: r for r in rows("trend", model="weight 1, PSU cluster")}
    used = CALLS[CALLS["on_time"].notna()]
    design = Design(np.zeros(len(used), dtype=np.int64), codes(used["cluster"]), np.ones(len(used)), ("all",))
    found = regress(design, used, "on_time ~ month")
    month = found.table.set_index("term").loc["month"]
    assert month["coefficient"] == pytest.approx(model["month"]["coefficient"], rel=1e-9)
    assert month["se"] == pytest.approx(model["month"]["se"], rel=1e-8)
    # R's svyglm has one degree of freedom less a coefficient: degf + 1 - 2
    assert found.df == model["month"]["df"]
    persons = Design(design.stratum, np.arange(len(used)), design.weight, ("all",))
    alone = regress(persons, used, "on_time ~ month").table.set_index("term").loc["month"]
    assert abs(alone["se"] / month["se"] - 1) > 0.01  # the tempting mistake: calls of one office as if independent
