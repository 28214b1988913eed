"""What the recommendations rest on, beside R; the tempting wrong answers, refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huying.associations import regress
from huying.derived import Scope
from huying.design import Design
from huying.estimates import COUNTY
from huying.measures.precision import correlate_waves, rise_of_share, size_for_mean, size_for_share
from huying.measures.recommendations import SCENARIOS, gap_of_means, ratio_gap
from huying.measures.services import rank_departments
from huying.survey import Survey
from run_notebook import StandIn, judged

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text("utf-8"))
SIX, NINE = {"rel": 1e-6}, {"rel": 1e-9, "abs": 1e-12}


def one(section, **equal):
    return next(row for row in ANSWERS[section] if all(row[k] == v for k, v in equal.items()))


def read(name):
    return pd.read_csv(HERE.parent / "data" / f"{name}.csv")


def codes(*columns):
    joined = columns[0].astype(str)
    for more in columns[1:]:
        joined = joined + "/" + more.astype(str)
    return np.unique(joined, return_inverse=True)[1].astype(np.int64)


def towns_design(data):
    return Design(codes(data["town"]), codes(data["town"], data["village"]), data["w"].to_numpy(float), tuple(sorted(data["town"].unique())))  # fmt: skip


def staff_design(data):
    fpc = data.groupby("town")["staff_listed"].first().to_numpy(float)
    design = Design(codes(data["town"]), np.arange(len(data)), data["w"].to_numpy(float), tuple(sorted(data["town"].unique())))  # fmt: skip
    return replace(design, fpc=fpc)


# --- the next wave ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ANSWERS["size_for_share"], ids=lambda r: f"{r['p']}+{r['rise']}")
def test_respondents_for_a_rise_of_a_share(row):
    assert size_for_share(row["p"], row["rise"]) == pytest.approx(row["n"], **SIX)
    assert size_for_share(row["p"], row["rise"], deff=1.7) == pytest.approx(1.7 * row["n"], **SIX)
    assert row["wrong_one_sided"] < 0.85 * row["n"]


@pytest.mark.parametrize("row", ANSWERS["rise_of_share"], ids=lambda r: f"{r['p']} of {r['n']}")
def test_the_smallest_rise_of_a_share(row):
    assert rise_of_share(row["p"], row["n"]) == pytest.approx(row["rise"], **SIX)
    assert rise_of_share(row["p"], 2.5 * row["n"], deff=2.5) == pytest.approx(row["rise"], **SIX)


@pytest.mark.parametrize("row", ANSWERS["size_for_mean"])
def test_respondents_for_a_rise_of_a_mean(row):
    listed = np.inf if row["listed"] < 0 else row["listed"]
    assert size_for_mean(row["spread"], row["rise"], row["shared"], listed) == pytest.approx(row["n"], **SIX)


@pytest.mark.parametrize("row", ANSWERS["overlap"], ids=lambda r: r["y"])
def test_the_correlation_of_two_waves_that_share_villages(row):
    early, late = (survey(rows) for _, rows in read("waves_sim").groupby("wave"))
    assert correlate_waves(late, early, row["y"]) == pytest.approx(row["correlation"], **NINE)


def survey(rows):
    """One wave of the simulated towns as a survey."""
    frame = rows.set_index(pd.Index(rows.index.astype(str), name="row_id"))
    about = (None, Scope({}), {}, pd.DataFrame(), 1, "x/en", pd.DataFrame())
    return Survey(frame, towns_design(rows), "resident", str(rows["wave"].iloc[0]), *about)


# --- associations -----------------------------------------------------------------------------------------------------


def fitted(model):
    """The regression of twice the outcome, so that it is a linear one, and the name of the variable whose slope is asked."""
    if model.startswith("staff"):
        data = read("staff_sim")
        return regress(staff_design(data), data, "I(2 * y1) ~ insider"), "insider"
    data = read("towns_sim")
    data = data.assign(late=data["age3"] == "60+", middle=data["age3"] == "40-59", woman=data["sex"] == "f")
    if "women" in model:
        data["y2"] = data["y2"].where(data["woman"])
        return regress(towns_design(data), data, "I(2 * y2) ~ biz + late + middle"), "biz"
    return regress(towns_design(data), data, "I(2 * y3) ~ biz + late + middle + woman"), "biz"


@pytest.mark.parametrize("row", ANSWERS["regression"], ids=lambda r: r["model"])
def test_regression_in_the_design(row):
    found, term = fitted(row["model"])
    slope, se = found.table.set_index("term").loc[term, ["coefficient", "se"]] / 2
    assert (slope, se) == (pytest.approx(row["slope"], **NINE), pytest.approx(row["se"], **NINE))
    assert (found.df, found.n) == (row["df"], row["n"])
    assert se != pytest.approx(row["wrong_se_no_design"], rel=0.05)


@pytest.mark.parametrize("name", ["staff", "towns"])
def test_difference_of_a_ratio(name):
    row, data = one("ratio_gap", design=name), read(f"{name}_sim")
    design = (staff_design if name == "staff" else towns_design)(data)
    group = data["insider" if name == "staff" else "biz"]
    y1, den = data["y1"].to_numpy(float), 1.0 + data["y2"].to_numpy(float)
    value, se, _ = ratio_gap(design, y1, den, (group == 1).to_numpy(), (group == 0).to_numpy())
    assert (value, se) == (pytest.approx(row["gap"], **NINE), pytest.approx(row["se"], **NINE))
    assert se != pytest.approx(row["wrong_se_independent"], rel=0.005)


def test_difference_of_means_over_clusters():
    row, calls = ANSWERS["gap_of_means"][0], read("calls_sim")
    near = calls[calls["on_time"].notna()].assign(on_time=lambda rows: rows["on_time"].astype(float))
    found = gap_of_means(near, "on_time", (near["channel"] == "grid").to_numpy(), "cluster").iloc[0]
    assert found["estimate"] == pytest.approx(row["gap"], **NINE)
    assert found["se"] == pytest.approx(row["se"], **NINE)
    assert (found["df"], found["n"]) == (row["clusters"] - 1, row["n"])
    assert found["se"] != pytest.approx(row["wrong_se_independent"], rel=0.005)


# --- appraisal --------------------------------------------------------------------------------------------------------


def test_effective_weight_and_ranks_under_other_weights(tmp_path):
    answer = ANSWERS["appraisal"]
    scores = pd.DataFrame(answer["scores"]).assign(year=2022, agency_weight=np.nan)
    scores["other_weight"] = 1 - scores["town_weight"]
    ledgers = {"appraisal_weights": scores[["dept_id", "year", "town_weight", "other_weight", "agency_weight"]],
               "appraisal_scores": scores[["dept_id", "year", "town_score", "other_score"]]}  # fmt: skip
    rows = judged("21", StandIn(tmp_path, ledgers), claims=["S24"])
    found = rows[rows["place"] == COUNTY].set_index("part")["estimate"]
    assert found[""] == pytest.approx(answer["effective"], **NINE)
    for row in answer["scenarios"]:
        at = f"{100 * row['w']:.0f}"
        assert found[f"tau_at_{at}"] == pytest.approx(row["tau"], **NINE)
        assert found[f"moved_at_{at}"] == row["moved"]
    weights, marks = (table.set_index("dept_id") for table in ledgers.values())
    flow = rank_departments(weights, marks, SCENARIOS)
    for row in answer["scenarios"]:
        assert flow[f"rank_{100 * row['w']:.0f}"].tolist() == row["ranks"]
