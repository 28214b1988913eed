"""Fay-Herriot estimates beside R metafor and the milk example of R sae; the tempting wrong answers, refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huying.measures.precision import Areas, fay_herriot, maximise, share_fay_herriot

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text("utf-8"))
NINE = {"rel": 1e-9, "abs": 1e-12}


def data(name):
    return pd.read_csv(HERE / "data" / f"{name}.csv")


def milk():
    rows = data("milk")
    x = np.column_stack([np.ones(len(rows)), *((rows["major"] == k).astype(float) for k in (2, 3, 4))])
    return rows["y"].to_numpy(), rows["sd"].to_numpy() ** 2, x


def angles(name):
    rows = data(name)
    x = np.column_stack([np.ones(len(rows)), np.log(rows["pop"])])
    return np.arcsin(np.sqrt(rows["p"].to_numpy())), 1 / (4 * rows["n_eff"].to_numpy()), x


@pytest.mark.parametrize(("name", "given"), [("milk", milk()), ("shares", angles("shares"))])
def test_fay_herriot_is_metafors_reml(name, given):
    fit, said = fay_herriot(*given), ANSWERS[name]
    assert fit.tau2 == pytest.approx(said["tau2"], **NINE)
    assert fit.beta.tolist() == pytest.approx(said["beta"], **NINE)
    assert fit.eblup.tolist() == pytest.approx(said["eblup"], **NINE)
    assert fit.mse.tolist() == pytest.approx(said["mse"], **NINE)
    assert not fit.is_adjusted and not fit.is_synthetic.any()
    for wrong in ("wrong_tau2_dersimonian_laird", "wrong_tau2_ml"):
        assert abs(fit.tau2 / said[wrong] - 1) > 0.01
    assert (fit.mse > np.array(said["g12"]) * 1.001).all(), "an MSE without g3 forgets that tau2 was estimated"


def test_the_published_figures_of_the_milk_data():
    fit = fay_herriot(*milk())
    assert f"{fit.tau2:.12f}" == "0.018550334763"  # R sae: 0.0185503347627
    assert f"{fit.mse[0]:.11f}" == "0.01346025646"


def test_the_interval_of_a_share_is_built_on_the_arcsine_scale():
    rows, said = data("shares"), ANSWERS["shares"]
    share, pop = np.array(said["share"]), rows["pop"].to_numpy(float)
    x = angles("shares")[2]
    total = float((share * pop).sum() / pop.sum())  # benchmarked to its own mean: nothing moves
    frame, _, factor = share_fay_herriot(rows["p"].to_numpy(), rows["n_eff"].to_numpy(), x, pop, total)
    assert factor == pytest.approx(1, abs=1e-12)
    for ours, theirs in (("estimate", "share"), ("low", "low"), ("high", "high")):
        assert frame[ours].tolist() == pytest.approx(said[theirs], **NINE)
    assert min(said["wrong_low"]) < 0 and max(said["wrong_high"]) > 1
    assert frame["low"].min() >= 0 and frame["high"].max() <= 1


def test_reml_of_zero_gives_way_to_the_adjusted_likelihood():
    fit, said = fay_herriot(*angles("flat")), ANSWERS["flat"]
    assert said["reml"] == 0 and fit.is_adjusted
    assert fit.tau2 == pytest.approx(said["tau2"], rel=1e-6)
    assert abs(fit.tau2 / said["wrong_tau2_adjusted_profile"] - 1) > 0.1
    y, variance, x = angles("flat")
    assert maximise(Areas(y, variance, x), 0.0) == 0.0


def test_the_greater_of_two_maxima_is_taken():
    rows, said = data("peaks"), ANSWERS["peaks"]
    fit = fay_herriot(rows["y"].to_numpy(), rows["v"].to_numpy(), np.ones((7, 1)))
    assert fit.tau2 == pytest.approx(said["tau2"], rel=1e-6)
    assert fit.tau2 > 1000 * said["wrong_lesser_maximum"]
