"""Every estimate beside R's survey package, to nine digits; and the tempting wrong answers, refused."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from answers import ANSWERS, DESIGNS, design, frame, raked_towns, rows
from statsmodels.stats.multitest import multipletests

from huying.claims.rules import holm
from huying.design import Design, with_weights
from huying.estimates import COUNTY, estimate_means, estimate_ratios, estimate_shares, estimate_sum, town_rho
from huying.intervals import korn_graubard, limits, p_above
from huying.weights import rake

NINE = {"rel": 1e-9, "abs": 1e-12}
BARE = [name for name in DESIGNS if name != "towns_equal"]


def column(name, variable):
    return frame(name)[variable].to_numpy(float)


def at(table, place=COUNTY):
    return table[table["place"] == place].iloc[0]


def inside(name, by, domain):
    """Who belongs to a domain such as `t1 x f` of `town x sex`."""
    pairs = zip(by.split(" x "), domain.split(" x "), strict=True)
    return np.logical_and.reduce([frame(name)[b].astype(str).to_numpy() == d for b, d in pairs])


@pytest.mark.parametrize(
    "row", [r for r in ANSWERS["estimates"] if r["kind"] != "total"], ids=lambda r: f"{r['design']}-{r['variable']}"
)
def test_means_and_proportions(row):
    found = at(
        estimate_means(design(row["design"]), pd.DataFrame({"y": column(row["design"], row["variable"])}), fewest=1)
    )
    assert found["estimate"] == pytest.approx(row["estimate"], **NINE)
    assert found["se"] == pytest.approx(row["se"], **NINE)
    assert found["n"] == row["n"]
    if row["n"] == DESIGNS[row["design"]]["n"]:
        assert found["df"] == row["degf"]
    else:
        assert found["df"] <= row["degf"], "PSUs in which nobody answered give no degrees of freedom"
    if row["deff_replace"] is not None:
        assert found["deff"] == pytest.approx(row["deff_replace"], **NINE)


@pytest.mark.parametrize("row", ANSWERS["ratios"], ids=lambda r: r["design"])
def test_ratios(row):
    num, den = (column(row["design"], row[k]) for k in ("numerator", "denominator"))
    found = at(estimate_ratios(design(row["design"]), "r", num, den, fewest=1))
    assert (found["estimate"], found["se"]) == (
        pytest.approx(row["estimate"], **NINE),
        pytest.approx(row["se"], **NINE),
    )
    assert found["deff"] == pytest.approx(row["deff_replace"], **NINE)


@pytest.mark.parametrize("name", BARE)
def test_domains(name):
    checked = 0
    for row in [r for r in ANSWERS["domains"] if r["design"] == name]:
        y = np.where(inside(name, row["by"], row["domain"]), column(name, row["variable"]), np.nan)
        found = at(estimate_means(design(name), pd.DataFrame({"y": y}), fewest=1))
        assert found["estimate"] == pytest.approx(row["estimate"], **NINE), row
        if row["degf_answered"]:
            assert found["df"] == row["degf_answered"], row
            assert found["se"] == pytest.approx(row["se"], **NINE), row
            wrong = row["wrong_se_dropped_psus"]
            if wrong is not None and abs(wrong / row["se"] - 1) > 1e-6 if row["se"] else False:
                assert found["se"] != pytest.approx(wrong, rel=1e-7), "the standard error of dropped PSUs"
        checked += 1
    assert checked or name in ("scd", "waves", "api_waves", "api_waves_fpc")


def test_towns_are_the_strata_in_one_pass():
    table = estimate_means(design("towns"), pd.DataFrame({"y1": column("towns", "y1")}), fewest=1)
    for row in rows("domains", design="towns", variable="y1", by="town"):
        found = at(table, row["domain"])
        assert (found["estimate"], found["se"]) == (
            pytest.approx(row["estimate"], **NINE),
            pytest.approx(row["se"], **NINE),
        )
        assert found["df"] == row["degf"]


@pytest.mark.parametrize("row", ANSWERS["differences"], ids=lambda r: f"{r['design']}-{r['variable']}-{r['first']}")
def test_differences_between_domains(row):
    y = np.nan_to_num(column(row["design"], row["variable"]))
    known = ~np.isnan(column(row["design"], row["variable"]))
    parts = [(c, y, known & inside(row["design"], row["by"], row[k])) for c, k in ((1.0, "first"), (-1.0, "second"))]
    found = at(estimate_sum(design(row["design"]), "d", parts, fewest=1))
    assert (found["estimate"], found["se"]) == (
        pytest.approx(row["difference"], **NINE),
        pytest.approx(row["se"], **NINE),
    )
    if abs(row["wrong_se_independent"] / row["se"] - 1) > 1e-6:
        assert found["se"] != pytest.approx(row["wrong_se_independent"], rel=1e-7)


@pytest.mark.parametrize(
    "row", ANSWERS["paired_differences"], ids=lambda r: f"{r['design']}-{r['first']}-{r['second']}"
)
def test_paired_differences(row):
    y = column(row["design"], row["first"]) - column(row["design"], row["second"])
    found = at(estimate_means(design(row["design"]), pd.DataFrame({"d": y}), fewest=1))
    assert (found["estimate"], found["se"]) == (
        pytest.approx(row["difference"], **NINE),
        pytest.approx(row["se"], **NINE),
    )


@pytest.mark.parametrize("row", ANSWERS["wave_changes"], ids=lambda r: f"{r['design']}-{r['variable']}-{r['town']}")
def test_changes_between_waves_that_share_psus(row):
    data = frame(row["design"])
    y, known = np.nan_to_num(column(row["design"], row["variable"])), data[row["variable"]].notna().to_numpy()
    late = (data["wave"] == 2).to_numpy()
    table = estimate_sum(design(row["design"]), "change", [(1.0, y, known & late), (-1.0, y, known & ~late)], fewest=1)
    found = at(table, row["town"] or COUNTY)
    assert (found["estimate"], found["se"]) == (
        pytest.approx(row["difference"], **NINE),
        pytest.approx(row["se"], **NINE),
    )
    assert found["se"] != pytest.approx(row["wrong_se_independent"], rel=1e-3), (
        "waves that share villages are not independent"
    )


@pytest.mark.parametrize("name", ["towns", "towns_equal"])
def test_raked_weights_and_their_credited_errors(name):
    case, raked = ANSWERS["raking"][name], raked_towns(name)
    assert raked.weight == pytest.approx(np.array(case["weights"]), rel=1e-10)
    for row in [r for r in case["estimates"] if r["kind"] != "total"]:
        found = at(estimate_means(raked, pd.DataFrame({"y": column(name, row["variable"])}), fewest=1))
        assert found["estimate"] == pytest.approx(row["estimate"], **NINE)
        assert found["se"] == pytest.approx(row["se_greg"], **NINE)
        if name == "towns_equal":
            assert found["se"] == pytest.approx(row["se"], **NINE), "R's own rake(), where base weights are equal"
        fixed = at(
            estimate_means(
                with_weights(raked, raked.weight), pd.DataFrame({"y": column(name, row["variable"])}), fewest=1
            )
        )
        assert fixed["se"] == pytest.approx(row["wrong_se_fixed_weights"], **NINE)
        assert found["se"] != pytest.approx(fixed["se"], rel=1e-4), "weights are not fixed: raking is credited"
    for row in case["domains"]:
        y = np.where(inside(name, row["by"], row["domain"]), column(name, row["variable"]), np.nan)
        found = at(estimate_means(raked, pd.DataFrame({"y": y}), fewest=1))
        assert (found["estimate"], found["se"]) == (
            pytest.approx(row["estimate"], **NINE),
            pytest.approx(row["se_greg"], **NINE),
        ), row
    for row in case["paired_differences"]:
        y = column(name, row["first"]) - column(name, row["second"])
        found = at(estimate_means(raked, pd.DataFrame({"d": y}), fewest=1))
        assert found["se"] == pytest.approx(row["se_greg"], **NINE)


def test_several_indicators_in_one_call_keep_the_calibration():
    """A list of variables must not fall back to fixed weights."""
    raked, names = raked_towns("towns"), ["y1", "y2"]
    both = estimate_means(raked, pd.DataFrame({n: column("towns", n) for n in names}), fewest=1)
    for name in names:
        alone = estimate_means(raked, pd.DataFrame({name: column("towns", name)}), fewest=1)
        assert at(both[both["indicator"] == name])["se"] == at(alone)["se"]


@pytest.mark.parametrize("name", ["apiclus1", "apiclus1_nofpc", "apistrat", "apistrat_nofpc"])
def test_raking_of_the_california_schools(name):
    case, bare, data = ANSWERS["raking"][name], design(name), frame(name)
    margins = {}
    for item, cells in case["margins"].items():
        totals = {str(c[item]): float(c["n"]) for c in cells}
        labels = sorted(totals)
        codes = data[item].astype(str).map({k: i for i, k in enumerate(labels)}).to_numpy(np.int64)
        margins[item] = codes, np.array([totals[k] for k in labels])
    weight, *_ = rake(bare.weight, margins, (0.001, 1000.0))
    assert weight == pytest.approx(np.array(case["weights"]), rel=1e-10)
    raked = Design(
        bare.stratum,
        bare.psu,
        weight,
        bare.places,
        bare.fpc,
        tuple(codes for codes, _ in margins.values()),
        bare.weight,
    )
    for row in [r for r in case["estimates"] if r["kind"] != "total"]:
        found = at(estimate_means(raked, pd.DataFrame({"y": column(name, row["variable"])}), fewest=1))
        assert found["estimate"] == pytest.approx(row["estimate"], **NINE)
        assert found["se"] == pytest.approx(row["se_greg"], rel=1e-9, abs=1e-10)
        if name.startswith("apiclus1"):
            assert found["se"] == pytest.approx(row["se"], rel=1e-9, abs=1e-10)
        if row["wrong_se_fixed_weights"] > 1e-9 and abs(row["se_greg"] / row["wrong_se_fixed_weights"] - 1) > 1e-3:
            assert found["se"] != pytest.approx(row["wrong_se_fixed_weights"], rel=1e-4)


def test_pooled_intervals_are_qbeta_at_the_effective_size():
    for row in ANSWERS["pooled_intervals"]:
        low, high = korn_graubard(np.array([row["p"]]), np.array([row["n_eff"]]), 1 - row["alpha"])
        assert low[0] == pytest.approx(row["low"], rel=1e-9, abs=1e-12)
        assert high[0] == pytest.approx(row["high"], rel=1e-9, abs=1e-12)


def test_intraclass_correlation_is_that_of_aov():
    for row in [r for r in ANSWERS["icc"] if r["data"] in DESIGNS or r["data"] == "towns_sim"]:
        y = column("towns", row["variable"])
        assert town_rho(design("towns"), np.nan_to_num(y), ~np.isnan(y))[0] == pytest.approx(
            max(0.0, row["rho"]), rel=1e-9
        )


@pytest.mark.parametrize("weights", ["base", "raked"])
def test_town_intervals_from_end_to_end_at_any_level(weights):
    used = design("towns") if weights == "base" else raked_towns("towns")
    for row in rows("town_intervals", weights=weights):
        table = estimate_shares(used, pd.DataFrame({"y": column("towns", row["variable"])}), fewest=1)
        found = at(table, row["town"])
        assert found["is_own_rho"] == row["is_own_rho"]
        assert found["own_rho"] == pytest.approx(row["own_rho"], **NINE)
        assert found["rho"] == pytest.approx(row["rho"], **NINE)
        own = table[table["place"] == row["town"]]
        low, high = limits(own, row["level"])
        assert (low[0], high[0]) == pytest.approx((row["low"], row["high"]), **NINE)
        if row["level"] == 0.95:
            assert found["n_eff"] == pytest.approx(row["n_eff"], **NINE)
            assert (found["low"], found["high"]) == pytest.approx((low[0], high[0]), **NINE)
        above, below = p_above(own, low[0])  # the p value is that of the level whose limit stands at the threshold
        assert above[0] == pytest.approx((1 - row["level"]) / 2, rel=1e-6) and below[0] > 0.97
    assert {row["is_own_rho"] for row in ANSWERS["town_intervals"]} == {True, False}


@pytest.mark.parametrize(
    "row", [r for r in ANSWERS["svyciprop_beta"] if not r["by"]], ids=lambda r: f"{r['design']}-{r['level']}"
)
def test_the_countys_limits_at_any_level_are_those_of_svyciprop(row):
    table = estimate_shares(
        design(row["design"]), pd.DataFrame({"y": column(row["design"], row["variable"])}), fewest=1
    )
    low, high = limits(table[table["place"] == COUNTY], row["level"])
    assert (low[0], high[0]) == pytest.approx((row["low"], row["high"]), **NINE)


def test_holms_adjusted_p_values_are_those_of_statsmodels():
    rng = np.random.default_rng(5)
    for p in (rng.random(18) ** 3, np.array([0.01, 0.01, 0.04, 0.5]), np.array([1.0]), rng.random(2000) ** 4):
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-14)
    assert holm(np.array([0.01, 0.03, np.nan])).tolist()[:2] == [
        0.02,
        0.03,
    ]  # a missing one is not tested: a family of two
