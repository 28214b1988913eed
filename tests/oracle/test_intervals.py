"""Limits of finite lists by going through every number, changes of shares beside Newcombe, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from huying.design import Design
from huying.estimates import estimate_means, estimate_ratios, estimate_shares
from huying.intervals import MOVER, OWN, POOLED, STUDENT, limits, mover, p_above
from huying.words import EstimateError

LISTS = [(15, 14), (30, 24), (20, 5), (60, 59), (7, 6), (40, 12)]


def of_list(listed, n, level=0.95):
    """Every count of yes among n of a town's list, as estimate rows, in the order of the counts."""
    answers = pd.DataFrame({k: (np.arange(n) < k).astype(float) for k in range(n + 1)})
    design = Design(np.zeros(n, int), np.arange(n), np.ones(n), ("T01",), fpc=np.array([float(listed)]))
    rows = estimate_shares(design, answers, fewest=1)
    return rows[rows["place"] == "T01"].reset_index(drop=True)


@pytest.mark.parametrize(("listed", "n"), LISTS)
@pytest.mark.parametrize("level", [0.95, 1 - 0.05 / 18])
def test_limits_of_a_list_invert_scipys_hypergeometric_tails(listed, n, level):
    rows, having = of_list(listed, n), np.arange(listed + 1)
    assert set(rows["method"]) == {"hypergeometric"} and (rows["population"] == listed).all()
    low, high = limits(rows, level)
    for k in range(n + 1):
        tail = (1 - level) / 2
        is_in = (stats.hypergeom.sf(k - 1, listed, having, n) > tail) & (
            stats.hypergeom.cdf(k, listed, having, n) > tail
        )
        ends = [having[is_in].min(), having[is_in].max()]
        if ends[0] == ends[1]:  # with one of 60 still to be heard the tails leave one number; the other is possible too
            ends = [k, k + 1]
        assert (low[k], high[k]) == pytest.approx((ends[0] / listed, ends[1] / listed))


@pytest.mark.parametrize(("listed", "n"), LISTS)
@pytest.mark.parametrize("threshold", [0.5, 0.6, 1 / 3])
def test_p_values_of_a_list_are_the_tails_next_to_the_threshold(listed, n, threshold):
    rows, k = of_list(listed, n), np.arange(n + 1)
    at = int(np.floor(threshold * listed + 1e-9))
    above, below = p_above(rows, threshold)
    assert above == pytest.approx(stats.hypergeom.sf(k - 1, listed, at, n), abs=1e-12)
    assert below == pytest.approx(stats.hypergeom.cdf(k, listed, at + 1, n), abs=1e-12)
    is_whole = at == pytest.approx(threshold * listed)
    above, below = p_above(rows, threshold, is_met=True)
    assert above == pytest.approx(stats.hypergeom.sf(k - 1, listed, at - is_whole, n), abs=1e-12)
    assert below == pytest.approx(stats.hypergeom.cdf(k, listed, at + (not is_whole), n), abs=1e-12)


@pytest.mark.parametrize(("listed", "n"), [one for one in LISTS if one != (60, 59)])
def test_limits_and_p_values_of_a_list_agree(listed, n):
    rows = of_list(listed, n)
    low, high = limits(rows)
    for threshold in np.arange(1, listed) / listed + 0.5 / listed:  # between two numbers
        above, below = p_above(rows, threshold)
        assert ((low > threshold) == (above <= 0.025)).all()
        assert ((high < threshold) == (below <= 0.025)).all()


def test_all_of_a_list_is_counted_and_silence_is_not():
    """10 of 10 answered: the count. One of them did not say: 9 of 10, and the limits count him both ways."""
    design = Design(np.zeros(10, int), np.arange(10), np.ones(10), ("T01",), fpc=np.array([10.0]))
    y = pd.DataFrame({"y": [1.0] * 4 + [0.0] * 6})
    for table in (estimate_shares(design, y, fewest=5), estimate_means(design, y, fewest=5)):
        assert table[["estimate", "low", "high"]].to_numpy().tolist() == [[0.4] * 3] * 2
        assert set(table["method"]) == {"count"} and set(table["reason"]) == {""}
    silent = y.copy()
    silent.loc[9] = np.nan
    town = estimate_shares(design, silent, silent.notna() | True, fewest=5).iloc[0]
    assert (town["method"], town["population"], town["n"]) == ("hypergeometric", 10, 9)
    assert (town["low"], town["high"]) == (0.4, 0.5)
    outside = estimate_shares(design, silent, fewest=5).iloc[0]  # whom the question did not concern leaves the list
    assert (outside["method"], outside["population"], outside["low"]) == ("count", 9, 4 / 9)
    mean = estimate_means(design, silent, silent.notna() | True, fewest=5).iloc[0]
    assert mean["method"] == "t" and mean["low"] < mean["high"]


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_p_values_of_a_share_are_the_binomial_tails(threshold):
    """At n_eff = 10 those of scipy's binomial; the t of a mean; and of a spread of nothing no chance at all."""
    k = np.arange(11)
    rows = pd.DataFrame({"estimate": k / 10, "n": 10, "n_eff": 10.0, "se": np.nan, "df": 9.0, "method": POOLED})
    above, below = p_above(rows, threshold)
    assert above == pytest.approx(stats.binom.sf(k - 1, 10, threshold), abs=1e-12)
    assert below == pytest.approx(stats.binom.cdf(k, 10, threshold), abs=1e-12)
    means = pd.DataFrame({"estimate": [0.6, 0.2, 0.6, 0.2], "n": 6, "n_eff": np.nan, "se": [0.1, 0.1, 0.0, 0.0], "df": 5.0, "method": STUDENT})  # fmt: skip
    above, below = p_above(means, threshold)
    t = (np.array([0.6, 0.2]) - threshold) / 0.1
    assert above == pytest.approx([*stats.t.sf(t, 5), 0, 1]) and below == pytest.approx([*stats.t.cdf(t, 5), 1, 0])


@pytest.mark.parametrize("method", [OWN, MOVER])
def test_p_values_found_by_halving_are_the_levels_whose_limit_is_the_threshold(method):
    """.7 against .5, and .3: by symmetry each side of the one is the other side of the other."""
    rows = pd.DataFrame({"estimate": [0.7, 0.3], "n": 60, "n_eff": 60.0, "se": np.sqrt(0.7 * 0.3 / 60), "df": 20.0, "method": OWN,
                         "is_own_rho": False, "population": np.nan})  # fmt: skip
    line = 0.5
    if method == MOVER:  # .7 or .3 less .5 of others; against no change
        then = rows.assign(estimate=0.5, se=np.sqrt(0.25 / 60))
        both = [frame.add_prefix(prefix) for frame, prefix in ((rows, "now_"), (then, "then_"))]
        known = {
            "estimate": [0.2, -0.2],
            "n": 60,
            "n_eff": np.nan,
            "se": np.nan,
            "df": np.nan,
            "method": MOVER,
            "r": 0.3,
        }
        rows, line = pd.concat([pd.DataFrame(known), *both], axis=1), 0.0
    above, below = p_above(rows, line)
    assert above + below == pytest.approx([1, 1]) and above[0] == pytest.approx(below[1], rel=1e-6) and above[0] < 0.05
    low, high = limits(rows, 1 - 2 * above[0])
    assert (low[0], high[1]) == (pytest.approx(line, abs=1e-9), pytest.approx(line, abs=1e-9))
    assert np.isnan(p_above(rows.assign(estimate=np.nan), line)).all()


def test_mover_is_newcombes_interval_from_wilsons_limits():
    """Newcombe (1998), table II, method 10: (a) 56/70 - 48/80 and (h) 10/10 - 0/10."""
    for one, two, wanted in (((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090)),
                             ((10, 10), (0, 10), (0.6075, 1.0))):  # fmt: skip
        sides = [(k / n, *proportion_confint(k, n, method="wilson")) for k, n in (one, two)]
        assert [float(v) for v in mover(*sides)] == pytest.approx(wanted, abs=5e-5)


def test_mover_of_one_sample_with_itself_is_nothing():
    """A correlation of 1 and equal limits leave no difference: l = u = 0 (Zou and Donner 2008, equation 8)."""
    low, high = mover((0.3, 0.2, 0.45), (0.3, 0.2, 0.45), 1.0)
    assert low == pytest.approx(-abs(0.1 - 0.15)) and high == pytest.approx(abs(0.15 - 0.1))


@pytest.mark.parametrize("values", [[1, 2] * 10, [0, 100] * 10, [0.5, 1] * 10])
def test_what_is_no_share_is_refused(values):
    design = Design(np.zeros(20, int), np.arange(20), np.ones(20), ("T01",))
    with pytest.raises(EstimateError, match="column y is no share"):
        estimate_shares(design, pd.DataFrame({"y": values}))


@pytest.mark.parametrize("estimator", [estimate_shares, estimate_means])
def test_a_number_without_end_is_refused(estimator):
    design = Design(np.zeros(20, int), np.arange(20), np.ones(20), ("T01",))
    with pytest.raises(EstimateError, match="column y holds an infinite value"):
        estimator(design, pd.DataFrame({"y": [1.0, 0.0] * 9 + [1.0, np.inf]}))


def test_a_population_smaller_than_its_sample_is_refused():
    with pytest.raises(EstimateError, match="stratum T01: 20 units are in the sample, the population has only 12"):
        Design(np.zeros(20, int), np.arange(20), np.ones(20), ("T01",), fpc=np.array([12.0]))


def test_nothing_to_divide_by_is_said():
    design = Design(np.zeros(20, int), np.arange(20), np.ones(20), ("T01",))
    table = estimate_ratios(design, "r", np.ones(20), np.zeros(20))
    assert set(table["reason"]) == {"no eligible case"} and set(table["reliability"]) == {"not estimable"}


def test_margins_without_the_weights_before_them_credit_nothing():
    rng = np.random.default_rng(1)
    sex, psu = np.tile([0, 1], 30), np.repeat(np.arange(10), 6)
    weight, y = rng.uniform(1, 3, 60), pd.DataFrame({"y": (sex + rng.integers(0, 2, 60)) / 2})
    plain = Design(np.zeros(60, int), psu, weight, ("T01",))
    with_margins = Design(np.zeros(60, int), psu, weight, ("T01",), margins=(sex,))
    se = [estimate_means(one, y)["se"].tolist() for one in (plain, with_margins)]
    assert se[0] == se[1]


@pytest.mark.parametrize("score", [3.0, 0.0, 7.5])
def test_equal_scores_of_a_sample_have_no_interval(score):
    design = Design(np.zeros(40, int), np.repeat(np.arange(8), 5), np.ones(40), ("T01",))
    table = estimate_means(design, pd.DataFrame({"y": [score] * 40}))
    assert table["estimate"].tolist() == [score, score] and table[["low", "high"]].isna().all(axis=None)
    assert set(table["reason"]) == {"no variation"}


def test_what_raking_fixes_does_not_hang_on_rounding():
    """The share of women is a margin: its variance is nothing but rounding, its size that of a simple random sample."""
    sex, psu = np.tile([0, 1, 1], 40), np.repeat(np.arange(20), 6)
    base, weight = np.ones(120), np.where(sex == 1, 1.7, 0.6)
    design = Design(np.zeros(120, int), psu, weight, ("T01",), margins=(sex,), base=base)
    row = estimate_shares(design, pd.DataFrame({"y": sex.astype(float)})).iloc[-1]
    assert row["n_eff"] == 120 and row["low"] < row["estimate"] < row["high"]


def test_a_county_of_none_of_500_knows_its_variance_from_its_villages():
    """25 villages of 20: n_eff = 500 (t(499) / t(24))^2 and not 500, at whatever level is asked."""
    design = Design(np.zeros(500, int), np.repeat(np.arange(25), 20), np.ones(500), ("T01",))
    row = estimate_shares(design, pd.DataFrame({"y": np.zeros(500)})).tail(1)
    for level in (0.95, 0.998):
        size = 500 * (stats.t.ppf((1 + level) / 2, 499) / stats.t.ppf((1 + level) / 2, 24)) ** 2
        low, high = limits(row, level)
        assert (low[0], high[0]) == pytest.approx((0, 1 - ((1 - level) / 2) ** (1 / size)))
