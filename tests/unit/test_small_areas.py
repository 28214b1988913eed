"""Small areas and ranks by hand: the arithmetic stands beside what is asserted."""

import numpy as np
import pandas as pd
import pytest

from huying.measures.precision import (
    Areas,
    benchmark,
    fay_herriot,
    joint_level,
    rank_regions,
    share_fay_herriot,
    to_share,
)
from huying.words import EstimateError

ONE = np.ones((6, 1))


# --- the model --------------------------------------------------------------------------------------------------------


def test_equal_variances_have_a_closed_form():
    """y = 1, 3, 1, 3, 1, 3: s^2 = 6 x 1 / 5 = 1.2, so tau2 = 1.2 - D = .9 and each goes D / 1.2 = 1/4 of the way to the mean."""
    fit = fay_herriot(np.array([1.0, 3.0] * 3), np.full(6, 0.3), ONE)
    assert fit.tau2 == pytest.approx(0.9, abs=1e-12)
    assert fit.eblup.tolist() == pytest.approx([1.25, 2.75] * 3)
    g1, g2 = 0.9 * 0.25, 0.25**2 * 1.2 / 6
    g3 = 0.25**2 / 1.2 * 2 / (6 / 1.2**2)
    assert fit.mse.tolist() == pytest.approx([g1 + g2 + 2 * g3] * 6)


def test_adjusted_likelihood_by_hand():
    """All equal: the adjusted likelihood tau2 (tau2 + D)^(-(m-1)/2) has its maximum at tau2 = 2 D / (m - 3) = 2/3."""
    fit = fay_herriot(np.full(6, 2.0), np.ones(6), ONE)
    assert fit.is_adjusted and fit.tau2 == pytest.approx(2 / 3)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_the_slope_is_that_of_the_likelihood(power):
    """By differences of .0001 to each side; of all equal values log L = power log(t) - (m - 1)/2 log(t + D) and constants."""
    areas = Areas(np.array([1.0, 3, 2, 5, 4, 4]), np.array([0.3, 0.4, 0.5, 0.3, 0.6, 0.2]), ONE)
    for tau2 in (0.2, 1.0, 3.0):
        ends = [areas.likelihood(tau2 + step, power) for step in (-1e-4, 1e-4)]
        assert areas.slope(tau2, power) == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-5)
    alike = Areas(np.full(6, 2.0), np.ones(6), ONE)
    gap = alike.likelihood(3.0, power) - alike.likelihood(1.0, power)
    assert gap == pytest.approx(power * np.log(3) - 2.5 * np.log(2))


def test_a_town_without_answers_gets_the_regression():
    y, variance = np.array([1.0, 3.0, 1.0, 3.0, 1.0, 3.0, np.nan]), np.append(np.full(6, 0.3), np.nan)
    fit = fay_herriot(y, variance, np.ones((7, 1)))
    assert fit.is_synthetic.tolist() == [False] * 6 + [True]
    assert fit.eblup[6] == pytest.approx(2.0)
    assert fit.mse[6] == pytest.approx(0.9 + 1.2 / 6)  # tau2, and the variance of the mean
    assert fit.tau2 == pytest.approx(0.9, abs=1e-12)


@pytest.mark.parametrize(("y", "variance", "x", "key"), [
    (np.ones(3), np.ones(3), np.ones((3, 1)), "small_areas.too_few"),
    (np.ones(6), np.ones(6), np.ones((6, 2)), "small_areas.regressors"),
    (np.ones(6), np.ones(6), np.array([[1.0]] * 5 + [[np.nan]]), "small_areas.regressors"),
    (np.ones(6), np.array([1.0] * 5 + [0.0]), ONE, "small_areas.variance"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_refused(y, variance, x, key):
    with pytest.raises(EstimateError) as error:
        fay_herriot(y, variance, x)
    assert error.value.key == key


# --- shares -----------------------------------------------------------------------------------------------------------


def test_an_angle_beyond_its_ends_is_no_share_turned_round():
    assert to_share(np.array([-0.3, 0.0, np.pi / 4, np.pi / 2, 1.8])).tolist() == pytest.approx([0, 0, 0.5, 1, 1])


def moved(shares, weight, total):
    made, factor = benchmark(pd.DataFrame({"estimate": shares, "high": [0.0, 0.95]}), np.array(weight), total)
    return made["estimate"].tolist(), made["high"].tolist(), factor


def test_benchmark_is_a_ratio():
    """Weights 1 and 3: mean (.2 + 3 x .4) / 4 = .35; to .42 by the factor 1.2: .24 and .48."""
    share, high, factor = moved([0.2, 0.4], [1.0, 3.0], 0.42)
    assert factor == pytest.approx(1.2) and share == pytest.approx([0.24, 0.48])
    assert high == [0.0, 1.0]  # limits never pass 1


@pytest.mark.parametrize(
    ("shares", "total"),
    [([0.0, 0.0], 0.0), ([0.0, 0.0], 0.3), ([1.0, 1.0], 1.0), ([1.0, 1.0], 0.6), ([0.2, 0.6], 1.0), ([0.2, 0.6], 0.0)],
)
def test_benchmark_where_nobody_or_everybody_has_it(shares, total):
    """No share leaves [0, 1] or is lost; the mean is the county's unless nobody has it, whom no ratio moves."""
    found, _, factor = moved(shares, [1.0, 1.0], total)
    assert all(0 <= share <= 1 for share in found) and np.isfinite(factor)
    assert np.mean(found) == pytest.approx(total if any(shares) else 0.0)


def test_benchmark_past_one_moves_those_who_have_it_not():
    """Mean (.5 + .9) / 2 = .7 to .85: .9 x .85/.7 is 1.09, so 1 - share is halved, .15 / .3: .75 and .95."""
    assert moved([0.5, 0.9], [1.0, 1.0], 0.85)[0] == pytest.approx([0.75, 0.95])


def county(m=18, seed=5):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(m), rng.normal(size=m)])
    truth = to_share(0.65 + 0.1 * x[:, 1] + rng.normal(0, 0.1, m))
    n = rng.integers(20, 90, m)
    return rng.binomial(n, truth) / n, n / 1.3, x, rng.integers(10, 90, m).astype(float), truth


def test_shares_add_up_to_the_county_and_unheard_towns_follow():
    p, n_eff, x, pop, _ = county()
    p[4], n_eff[7] = np.nan, np.nan
    frame, fit, factor = share_fay_herriot(p, n_eff, x, pop, 0.41)
    heard = pd.Series(~fit.is_synthetic)
    assert frame.index[~heard].tolist() == [4, 7]
    assert np.average(frame["estimate"][heard], weights=pop[heard]) == pytest.approx(0.41)
    assert frame["estimate"][4] == pytest.approx(factor * to_share(x[4] @ fit.beta))
    assert (frame["low"] < frame["estimate"]).all() and (frame["estimate"] < frame["high"]).all()


def test_small_area_shares_are_nearer_to_the_truth_than_direct_ones():
    direct, small, inside = [], [], []
    for seed in range(40):
        p, n_eff, x, pop, truth = county(seed=seed)
        frame, _, _ = share_fay_herriot(p, n_eff, x, pop, float(np.average(p, weights=pop)))
        direct.append(((p - truth) ** 2).mean())
        small.append(((frame["estimate"] - truth) ** 2).mean())
        inside.append(frame["low"].le(truth) & frame["high"].ge(truth))
    assert np.mean(small) < 0.9 * np.mean(direct)
    assert np.mean(inside) > 0.93  # 720 intervals: 1.96 standard errors below 95% is 93.4%


# --- ranks ------------------------------------------------------------------------------------------------------------


def test_rank_regions_by_hand():
    """Five towns. a .10-.20, b .18-.30, c .25-.35, d .40-.50, e .45-.60.

    a: no interval ends before .10; c, d, e begin after .20: ranks 1 to 5 - 3 = 2. b: none below, d and e above: 1 to 3.
    c: a ends (.20) before .25: from 2; d, e above: to 3. d: a, b, c below: from 4; none above: to 5. e the same: 4 to 5.
    """
    low, high = np.array([0.10, 0.18, 0.25, 0.40, 0.45]), np.array([0.20, 0.30, 0.35, 0.50, 0.60])
    order = [3, 0, 4, 2, 1]
    table = rank_regions(((low + high) / 2)[order], low[order], high[order])
    assert table["rank"].tolist() == [4, 1, 5, 3, 2]
    assert table["rank_low"].tolist() == [4, 1, 4, 2, 1]
    assert table["rank_high"].tolist() == [5, 2, 5, 3, 3]


def test_a_complete_list_has_exact_ranks_and_open_ties():
    value = np.array([0.3, 0.1, 0.3, 0.7])
    table = rank_regions(value, value, value)
    assert table["rank"].tolist() == [2, 1, 2, 4]
    assert table["rank_low"].tolist() == [2, 1, 2, 4]
    assert table["rank_high"].tolist() == [3, 1, 3, 4]


def test_a_town_without_limits_has_no_rank():
    table = rank_regions(np.array([0.2, np.nan, 0.1]), np.array([0.2, 0.0, 0.1]), np.array([0.2, 1.0, 0.1]))
    assert table["rank"].tolist()[::2] == [2, 1] and table.loc[1].isna().all()


def test_joint_levels():
    assert joint_level(1) == pytest.approx(0.95)
    assert joint_level(5) == pytest.approx(0.99)  # 1 - .05/5
