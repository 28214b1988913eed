"""Exact methods beside R, to nine digits, and beside published figures; the tempting wrong answers, refused."""

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from huying.intervals import hypergeometric, korn_graubard
from huying.measures import recommendations
from huying.measures.agencies import conditional_odds_ratio, median_unbiased
from huying.measures.recommendations import permutation_p

ANSWERS = json.loads((Path(__file__).parent / "answers.json").read_text("utf-8"))
NINE = {"rel": 1e-9, "abs": 1e-12}
TEA, TWINS = "tea (Fisher 1935)", "convictions of twins (Fisher 1962, ?fisher.test)"


def fisher(name):
    return next(row for row in ANSWERS["fisher"] if row["name"] == name)


@pytest.mark.parametrize("row", ANSWERS["fisher"], ids=lambda r: r["name"])
def test_conditional_odds_ratio(row):
    found = conditional_odds_ratio(*(row[c] for c in ("k1", "n1", "k0", "n0")))
    for name, value in zip(("estimate", "low", "high"), found, strict=True):
        said = float(row[f"{name}_tight"].replace("NA", "nan"))
        assert value == pytest.approx(said, **NINE, nan_ok=True), name
        if np.isfinite(said):
            assert value == pytest.approx(float(row[name]), rel=0.01), "fisher.test itself stops at 1e-4 of the root"


@pytest.mark.parametrize("name", [TEA, TWINS, "head changes", "large"])
def test_the_sample_odds_ratio_and_walds_limits_are_refused(name):
    row = fisher(name)
    found = conditional_odds_ratio(*(row[c] for c in ("k1", "n1", "k0", "n0")))
    assert found[0] != pytest.approx(float(row["wrong_sample_odds_ratio"]), rel=1e-4)
    assert found[1] < float(row["wrong_wald_low"]) and found[2] > float(row["wrong_wald_high"])


def test_what_the_page_of_fisher_test_prints():
    """?fisher.test: the convictions of Dizygotic and Monozygotic twins, and the tea; its limits hold to 1e-4 of the root."""
    twins = conditional_odds_ratio(2, 17, 10, 13)
    assert twins == (
        pytest.approx(0.04693661, rel=1e-5),
        pytest.approx(0.003325764, rel=1e-2),
        pytest.approx(0.363182271, rel=1e-4),
    )
    assert conditional_odds_ratio(3, 4, 1, 4)[0] == pytest.approx(6.408309, rel=1e-5)


def test_an_empty_cell_has_one_infinite_limit_and_an_empty_margin_two():
    never = conditional_odds_ratio(6, 12, 0, 20)
    assert np.isinf(never[0]) and np.isinf(never[2]) and never[1] > 1
    nothing = conditional_odds_ratio(0, 9, 0, 14)
    assert np.isnan(nothing[0]) and nothing[1:] == (0.0, np.inf)


@pytest.mark.parametrize("row", ANSWERS["fisher"], ids=lambda r: r["name"])
def test_median_unbiased_estimate_is_finite_wherever_the_table_says_anything(row):
    found = median_unbiased(*(row[c] for c in ("k1", "n1", "k0", "n0")))
    said = row.get("median_unbiased")
    assert found == pytest.approx(np.nan if said is None else said, **NINE, nan_ok=True)


def test_median_unbiased_by_hand():
    """1 of 1 against 0 of 1: given one success, P(it is the first) = psi/(1 + psi) = 1/2 at psi = 1, log 0."""
    assert median_unbiased(1, 1, 0, 1) == pytest.approx(0.0, abs=1e-12)
    assert conditional_odds_ratio(1, 1, 0, 1)[1] == pytest.approx(0.025 / 0.975, rel=1e-9)


@pytest.mark.parametrize("row", ANSWERS["binom"], ids=lambda r: f"{r['k']}/{r['n']}")
def test_clopper_pearson_is_korn_graubard_at_n(row):
    low, high = korn_graubard(np.array([row["k"] / row["n"]]), np.array([float(row["n"])]))
    assert (low[0], high[0]) == (pytest.approx(row["low"], **NINE), pytest.approx(row["high"], **NINE))
    assert high[0] - low[0] > row["wrong_wald_high"] - row["wrong_wald_low"]


def hypergeometric_limits(k, n, population, level=0.95):
    low, high = hypergeometric(np.array([k]), np.array([n]), np.array([population]), level)
    return int(low[0]), int(high[0])


@pytest.mark.parametrize("row", ANSWERS["finite"], ids=lambda r: f"{r['k']}/{r['n']} of {r['N']}")
def test_hypergeometric_limits(row):
    low, high = hypergeometric_limits(row["k"], row["n"], row["N"], row["level"])
    assert (low, high) == (row["low"], row["high"])
    if row["n"] == row["N"]:
        assert low == high == row["k"], "all answered: nothing is left to chance"
    elif row["n"]:
        assert high - low < row["wrong_binomial_high"] - row["wrong_binomial_low"], (
            "the binomial forgets that N is finite"
        )


def test_hypergeometric_limits_by_hand():
    """5 of 9 of 18. M = 5 of 18: P(X >= 5) = C(5,5) C(13,4)/C(18,9) = 715/48620 = .0147, at most .025, so 5 is out; 6 is in:
    (C(6,5) C(12,4) + C(6,6) C(12,3))/48620 = (6 x 495 + 220)/48620 = .0656."""
    assert hypergeometric_limits(5, 9, 18)[0] == 6


def test_hypergeometric_limits_cover_whatever_the_population_holds():
    """For every number M of 18 with the trait, samples of 7 whose limits miss it have probability at most 5%."""
    from scipy.stats import hypergeom

    for M in range(19):
        missed = 0.0
        for k in range(max(0, 7 - (18 - M)), min(7, M) + 1):
            low, high = hypergeometric_limits(k, 7, 18)
            missed += 0.0 if low <= M <= high else hypergeom.pmf(k, 18, M, 7)
        assert missed <= 0.05


@pytest.mark.parametrize("row", ANSWERS["permutation"], ids=lambda r: r["name"])
def test_permutation(row):
    treated = np.array(row["treated"], dtype=bool)
    found = permutation_p(np.array(row["values"], dtype=float), treated)
    said = (row["difference"], row["two_sided"], row["smallest_two_sided"])
    assert found == pytest.approx(said, rel=1e-12)


def test_one_town_of_eighteen_can_never_be_significant():
    values, one = np.arange(18.0), np.arange(18) == 17
    found = permutation_p(values**2, one)
    assert found[1:] == (pytest.approx(1 / 18), pytest.approx(1 / 18))
    assert round(found[1], 3) == 0.056


def test_many_assignments_are_drawn_and_the_observed_one_is_among_them(monkeypatch):
    y = np.arange(30.0)
    found = permutation_p(y, y >= 20)
    assert found[1] == pytest.approx(1 / (recommendations.DRAWS + 1))
    row = ANSWERS["permutation"][4]
    monkeypatch.setattr(recommendations, "MOST_ASSIGNMENTS", 10)
    drawn = permutation_p(np.array(row["values"], dtype=float), np.array(row["treated"], dtype=bool))
    p = row["two_sided"]
    assert abs(drawn[1] - p) < 4 * (p * (1 - p) / recommendations.DRAWS) ** 0.5


def test_the_log_is_natural():
    assert exp(log(conditional_odds_ratio(9, 15, 3, 26)[0])) == pytest.approx(10.6441737895854, rel=1e-9)
