"""Curves, funnels and trends beside R's survey and survival packages."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from answers import ANSWERS, HERE, rows

from huying.estimates import Design
from huying.regressions import regress
from huying.waiting import cumulative_incidence, funnel_limits, kaplan_meier, plain

CALLS = pd.read_csv(HERE / "data" / "calls_sim.csv", dtype={"channel": str})
NINE = {"rel": 1e-9, "abs": 1e-13}


def codes(values):
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)


def design_of(name):
    if name == "pbc":
        data = pd.read_csv(HERE / "data" / "pbc.csv")
        strata = codes(data["edema"])
        at = Design(
            strata, np.arange(len(data)), 1 / data["randprob"].to_numpy(), tuple(map(str, range(strata.max() + 1)))
        )
        return data, at
    strata = codes(CALLS["town"]) if name == "calls" else np.zeros(len(CALLS), dtype=np.int64)
    weight = CALLS["w"].to_numpy(float) if name == "calls" else np.ones(len(CALLS))
    return CALLS, Design(strata, codes(CALLS["cluster"]), weight, tuple(map(str, range(strata.max() + 1))))


@pytest.mark.parametrize("name", ["pbc", "calls", "calls_plain"])
def test_survey_kaplan_meier(name):
    data, at = design_of(name)
    checked = 0
    for row in [r for r in rows("km_survey", design=name) if r["group"] is None]:
        time = data["time" if name == "pbc" else "time_wd"].to_numpy(float)
        status = data["status" if name == "pbc" else "event"]
        event = status.eq(int(row["event"].split("==")[1])) if "==" in row["event"] else status.gt(0)
        curve = kaplan_meier(time, event.to_numpy(), at)
        found = curve[curve["time"] <= row["time"]].iloc[-1]
        assert found["survival"] == pytest.approx(row["survival"], **NINE), row
        assert found["var_log"] == pytest.approx(row["varlog"], **NINE), row
        checked += 1
    assert checked >= 5


def test_cumulative_incidence_of_two_causes():
    data = pd.read_csv(HERE / "data" / "mgus2.csv")
    for name, time, cause, weight in (
        ("mgus2", data["etime"], data["event"], None),
        ("calls_sim unweighted", CALLS["time_wd"], CALLS["event"], None),
        ("calls_sim weighted", CALLS["time_wd"], CALLS["event"], CALLS["w"].to_numpy(float)),
    ):
        table = cumulative_incidence(time.to_numpy(float), cause.to_numpy(np.int64), weight)
        for row in rows("cumulative_incidence", data=name):
            own = table[(table["cause"] == row["cause"]) & (table["time"] <= row["time"])]
            assert own["incidence"].iloc[-1] == pytest.approx(row["incidence"], **NINE), row


def test_one_minus_kaplan_meier_is_the_tempting_wrong_incidence():
    time, cause = CALLS["time_wd"].to_numpy(float), CALLS["event"].to_numpy(np.int64)
    right = cumulative_incidence(time, cause).query("cause == 2")["incidence"].iloc[-1]
    wrong = 1 - kaplan_meier(time, cause == 2)["survival"].iloc[-1]
    assert wrong > right + 0.02


def test_funnel_limits_are_spiegelhalters():
    for row in ANSWERS["funnel_limits"]:
        low, high = funnel_limits(row["p0"], np.array([float(row["n"])]), row["level"])
        assert low[0] == pytest.approx(max(0.0, row["low_interpolated"]), abs=1e-10)
        assert high[0] == pytest.approx(min(1.0, row["high_interpolated"]), abs=1e-10)


def test_the_trend_is_that_of_svyglm():
    model = {r["term"]: r for r in rows("trend", model="weight 1, PSU cluster")}
    used = CALLS[CALLS["on_time"].notna()]
    design = Design(np.zeros(len(used), dtype=np.int64), codes(used["cluster"]), np.ones(len(used)), ("all",))
    found = regress(design, used, "on_time ~ month", model="logistic")
    month = found.table.set_index("term").loc["month"]
    assert month["coefficient"] == pytest.approx(model["month"]["coefficient"], rel=1e-9)
    assert month["se"] == pytest.approx(model["month"]["se"], rel=1e-8)
    # R's svyglm has one degree of freedom less a coefficient: degf + 1 - 2
    assert found.df == model["month"]["df"]
    alone = regress(plain(len(used)), used, "on_time ~ month", model="logistic").table.set_index("term").loc["month"]
    assert abs(alone["se"] / month["se"] - 1) > 0.01  # the tempting mistake: calls of one office as if independent
