"""Reliability, agreement and cumulative logits beside R's psych, survey and factanal; the tempting wrong answers, refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from huying.counted import student
from huying.scales import (
    cronbach_alpha,
    mcdonald_omega,
    ordinal_logit,
    psu_bootstrap,
    put_together,
    redrawn,
    weighted_kappa,
)
from huying.words import EstimateError

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text("utf-8"))
PEOPLE, PAIRS = (pd.read_csv(HERE / "data" / f"{name}.csv") for name in ("people", "pairs"))
RATINGS, CHECKS = PEOPLE[[f"r{k}" for k in range(1, 6)]], PEOPLE[[f"c{k}" for k in range(1, 6)]]
WEIGHT, TOWN, VILLAGE = (PEOPLE[name] for name in ("w", "town", "village"))
TEN = {"rel": 1e-10}


# --- reliability ------------------------------------------------------------------------------------------------------


def test_alpha_and_kr20_are_those_of_psych_and_of_svycralpha():
    r = ANSWERS["reliability"]
    assert cronbach_alpha(RATINGS) == pytest.approx(r["alpha"], **TEN)
    assert cronbach_alpha(RATINGS, WEIGHT) == pytest.approx(r["alpha_weighted"], **TEN)
    assert cronbach_alpha(CHECKS) == pytest.approx(r["kr20"], **TEN)
    assert cronbach_alpha(CHECKS, WEIGHT) == pytest.approx(r["kr20_weighted"], **TEN)


def test_tempting_wrong_reliabilities_are_refused():
    r = ANSWERS["reliability"]
    assert abs(cronbach_alpha(RATINGS, WEIGHT) - r["alpha"]) > 0.2  # weights left out
    assert abs(cronbach_alpha(RATINGS) - r["wrong_alpha_standardised"]) > 1e-3
    assert abs(cronbach_alpha(CHECKS) - r["wrong_kr20_mixed"]) > 1e-3  # p q over n, but the sum's variance over n - 1
    assert r["wrong_kr20_mixed"] == pytest.approx(mixed_kr20(CHECKS.to_numpy(float)), **TEN)


def mixed_kr20(items):
    p, k = items.mean(axis=0), items.shape[1]
    return k / (k - 1) * (1 - (p * (1 - p)).sum() / items.sum(axis=1).var(ddof=1))


def test_alpha_by_hand():
    # items 1,2,3 and 1,3,2: variances 2/3 and 2/3, sums 2,5,5: variance 2; alpha = 2 (1 - (4/3)/2) = 2/3
    assert cronbach_alpha([[1, 1], [2, 3], [3, 2]]) == pytest.approx(2 / 3)


def test_kr20_by_hand():
    # p = 3/4, 1/2, 1/4: p q sum to 3/16 + 4/16 + 3/16 = 5/8; sums 3, 2, 1, 0: variance 5/4; 3/2 (1 - 1/2) = 3/4
    assert cronbach_alpha([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]]) == pytest.approx(0.75)


def test_omega_is_that_of_factanal_and_within_the_stopping_rule_of_psych():
    o = ANSWERS["omega"]
    for name, weight in (("", None), ("_weighted", WEIGHT)):
        found = mcdonald_omega(RATINGS, weight)
        assert found == pytest.approx(o[f"ml{name}"]["omega"], rel=1e-7)
        assert found == pytest.approx(o[f"psych_ml{name}"], rel=1e-6)
        assert found == pytest.approx(o[f"psych_minres{name}"], rel=1e-3)  # another criterion, nearly the same answer
    assert abs(mcdonald_omega(RATINGS) - o["wrong_standardised"]) > 5e-3
    assert abs(mcdonald_omega(RATINGS) - mcdonald_omega(RATINGS, WEIGHT)) > 0.2


def test_omega_of_three_items_by_hand():
    # one factor fits three items without residue: r12 = .48, r13 = .40, r23 = .30 are products of loadings .8, .6, .5
    # omega = 1.9^2 / (1.9^2 + .36 + .64 + .75) = 3.61 / 5.36
    target = np.array([[1, 0.48, 0.4], [0.48, 1, 0.3], [0.4, 0.3, 1]])
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(50, 3))
    centred = raw - raw.mean(axis=0)
    white = centred @ np.linalg.inv(np.linalg.cholesky(centred.T @ centred / 50)).T
    assert mcdonald_omega(white @ np.linalg.cholesky(target).T) == pytest.approx(3.61 / 5.36, abs=1e-7)


def test_weights_of_whole_numbers_are_repeated_persons():
    times = np.arange(len(RATINGS)) % 3 + 1
    again = RATINGS.loc[RATINGS.index.repeat(times)]
    for statistic in (cronbach_alpha, mcdonald_omega):
        assert statistic(RATINGS, times) == pytest.approx(statistic(again), rel=1e-7)


def test_a_missing_answer_leaves_the_person_out():
    holed = RATINGS.astype("Int64")
    holed.iloc[::7, 2] = pd.NA
    kept = holed["r3"].notna().to_numpy()
    assert cronbach_alpha(holed, WEIGHT) == pytest.approx(cronbach_alpha(RATINGS[kept], WEIGHT[kept]))


def test_no_reliability_where_nothing_varies():
    assert np.isnan(cronbach_alpha([[1, 2], [1, 2]]))
    assert np.isnan(cronbach_alpha(np.empty((0, 3))))
    assert np.isnan(mcdonald_omega([[1, 2, 3], [1, 3, 4], [1, 1, 2], [1, 4, 4]]))
    doubled = RATINGS.assign(r2=RATINGS["r1"])
    assert np.isnan(mcdonald_omega(doubled))  # an item twice: the correlations are singular


@pytest.mark.parametrize(
    ("statistic", "items", "weight", "message"),
    [(cronbach_alpha, [[1], [2]], None, "at least 2 items, got 1"), (mcdonald_omega, [[1, 2], [2, 1]], None, "at least 3 items"),
     (cronbach_alpha, [[1, 2], [2, 1]], [1, 0], "above 0"),
     (cronbach_alpha, [[1, 2], [2, 1]], [1, 1, 1], "as many rows")],
)  # fmt: skip
def test_scales_refuse(statistic, items, weight, message):
    with pytest.raises(EstimateError, match=message):
        statistic(items, weight)


# --- PSUs drawn again ---------------------------------------------------------------------------------------------------


def test_bootstrap_limits_are_those_of_survey_within_chance():
    b = ANSWERS["bootstrap"]
    low, high = psu_bootstrap(cronbach_alpha, RATINGS, TOWN, VILLAGE, WEIGHT, n=2000, seed=1)
    # the standard error of a 2.5% point of B draws is sqrt(.025 .975 / B) / density, normal: about 2.67 sd / sqrt(B)
    slack = 4 * 2.67 * b["sd"] * np.sqrt(1 / b["draws"] + 1 / 2000)
    assert low == pytest.approx(b["low"], abs=slack)
    assert high == pytest.approx(b["high"], abs=slack)
    assert psu_bootstrap(cronbach_alpha, RATINGS, TOWN, VILLAGE, WEIGHT, n=50, seed=9) == psu_bootstrap(
        cronbach_alpha, RATINGS, TOWN, VILLAGE, WEIGHT, n=50, seed=9
    )


def test_two_villages_a_town_are_not_understated():
    # drawing 2 of 2 villages would halve the variance of a total; drawing 1 of 2 at twice the weight does not
    b = ANSWERS["bootstrap"]
    two = PEOPLE[PEOPLE["village"].isin(b["two_villages"])]
    assert (two["w"] * two["r1"]).sum() == pytest.approx(b["total"], **TEN)
    low, high = psu_bootstrap(
        lambda x, w: float(w @ x[:, 0]), two[["r1"]], two["town"], two["village"], two["w"], n=4000
    )
    spread = (high - low) / (2 * 1.959964)
    assert spread == pytest.approx(b["total_se"], rel=0.08)  # 64 distinct samples, and 4000 draws of them
    assert abs(spread - b["total_se"] / np.sqrt(2)) > 0.2 * b["total_se"]


def test_lonely_psus_are_put_together():
    items = [[k, k % 3] for k in range(8)]
    for stratum in ("aabbbbbb", "aabbbccd", "abcdefgh"):
        low, high = psu_bootstrap(lambda x, w: float(w @ x[:, 0] / w.sum()), items, list(stratum), range(8), n=200)
        assert low < 3.5 < high
    assert np.isnan(psu_bootstrap(cronbach_alpha, items, list("aaaaaaaa"), [1] * 8)).all()


@pytest.mark.parametrize(
    ("owner", "together"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1]),
        ([0, 0, 1, 2], [0, 0, -1, -1]),  # two alone make one stratum
        ([0, 0, 1, 1, 2], [-1, -1, 1, 1, -1]),  # one alone joins the first that is not
        ([0, 1, 1, 1], [-1, -1, -1, -1]),
        ([0, 1, 2], [-1, -1, -1]),
        ([0], [-1]),
    ],
)
def test_strata_of_one_psu_join_others(owner, together):
    assert put_together(np.array(owner)).tolist() == together


def test_of_m_psus_one_fewer_is_drawn_and_counts_m_over_m_less_one():
    rng, strata = np.random.default_rng(3), [np.array([0, 3]), np.array([1, 2, 4])]
    drawn = np.array([redrawn(strata, rng) for _ in range(400)])
    assert set(drawn[:, [0, 3]].ravel()) == {0.0, 2.0} and set(drawn[:, 1]) == {0.0, 1.5, 3.0}
    assert (drawn[:, [0, 3]].sum(axis=1) == 2).all() and (drawn[:, [1, 2, 4]].sum(axis=1) == 3).all()
    assert drawn.mean(axis=0) == pytest.approx([1] * 5, abs=0.2)  # 400 draws of 0 or 2: four standard errors


@pytest.mark.parametrize(("missing", "is_known"), [(0, True), (100, True), (101, False)])
def test_the_points_of_a_bootstrap_and_how_many_of_its_samples_may_fail(missing, is_known):
    """A statistic that counts its samples, of which the first are missing: the quantiles of the others, .025 and .975."""
    counted = iter([np.nan] * missing + list(range(1000 - missing)))
    low, high = psu_bootstrap(lambda x, w: next(counted), [[k] for k in range(6)], list("aaabbb"), range(6), n=1000)
    last = 999 - missing
    assert [low, high] == pytest.approx([0.025 * last, 0.975 * last] if is_known else [np.nan] * 2, nan_ok=True)


def test_two_psus_are_enough_to_draw_again_and_one_is_not():
    def draw(psu):
        return psu_bootstrap(lambda x, w: float(x[:, 0].mean()), [[1], [2], [3], [4]], list("aaaa"), psu, n=50)

    assert draw([1, 1, 2, 2]) == (1.5, 3.5) and np.isnan(draw([1, 1, 1, 1])).all()


def test_omega_needs_more_persons_than_items():
    three = RATINGS[["r1", "r2", "r3"]]
    assert np.isnan(mcdonald_omega(three.head(3))) and np.isnan(mcdonald_omega(three.head(0)))
    some = next(k for k in range(0, 200) if 0 < mcdonald_omega(three.iloc[k : k + 4]) <= 1)
    assert np.isnan(mcdonald_omega(three.iloc[some : some + 3]))


@pytest.mark.parametrize(("psus", "df", "reason"), [(4, 1, ""), (3, 0, "too few answers"), (2, -1, "too few answers")])
def test_degrees_of_freedom_of_a_cumulative_logit_are_psus_less_strata_less_predictors(psus, df, reason):
    y, x = [1, 2, 3, 2, 1, 3, 2, 3, 1, 2, 3, 1], np.column_stack([np.arange(12) % 2, np.arange(12) % 5])
    found = ordinal_logit(y, x, psu=np.arange(12) % psus)
    assert (found.df, found.reason) == (df, reason)
    assert np.isfinite(found.coefficients).all() and np.isfinite(found.se).all() == (df > 0)


def test_the_same_village_number_in_two_towns_is_two_villages():
    items = [[k, k % 3] for k in range(8)]
    mean = lambda x, w: float(w @ x[:, 0] / w.sum())  # noqa: E731
    same = psu_bootstrap(mean, items, list("aaaabbbb"), [1, 1, 2, 2] * 2, n=100)
    assert same == psu_bootstrap(mean, items, list("aaaabbbb"), [1, 1, 2, 2, 3, 3, 4, 4], n=100)


# --- agreement ----------------------------------------------------------------------------------------------------------


def test_kappas_are_those_of_psych():
    k, pair = ANSWERS["kappa"], (PAIRS["leaders"], PAIRS["staff"])
    plain = weighted_kappa(*pair, psu=PAIRS["town"])
    assert (plain.estimate, plain.se) == pytest.approx((k["quadratic"], k["jackknife_se"]), **TEN)
    assert (plain.df, plain.n) == (17, 90)
    half = pytest.approx(2.1098156 * k["jackknife_se"], rel=1e-7)  # t of 17 df
    assert plain.high - plain.estimate == half and plain.estimate - plain.low == half


def test_tempting_wrong_kappas_are_refused():
    k = ANSWERS["kappa"]
    plain = weighted_kappa(PAIRS["leaders"], PAIRS["staff"], psu=PAIRS["town"])
    assert abs(plain.estimate - k["none"]) > 0.3  # a near miss counted as a miss
    assert abs(plain.se - k["delta_se_independent"]) > 0.01  # pairs of a town taken as independent


def test_kappa_by_hand():
    # 6 pairs: 4 agree (2 and 2), 2 differ; observed 2/3, by chance 1/2; (2/3 - 1/2) / (1/2) = 1/3
    assert weighted_kappa([1, 1, 1, 2, 2, 2], [1, 1, 2, 2, 2, 1]).estimate == pytest.approx(1 / 3)
    # of three categories, 1-3 counts 0 and 1-2 counts 3/4: observed (1 + 3/4 + 1)/3 = 11/12
    # margins a: 1/3 each; b: 1/3 one, 1/3 two, 1/3 three; chance = (3 + 4 x 3/4 + 2 x 0)/9 = 2/3
    quadratic = weighted_kappa([1, 2, 3], [1, 3, 2]).estimate
    assert quadratic == pytest.approx(((1 + 0.75 + 0.75) / 3 - 2 / 3) / (1 / 3))


def test_limits_of_kappa_by_hand_stay_within_one():
    # 12, 21, 12, 21, 11: observed 1/5, by chance 13/25, kappa -2/3. Without 11 it is -1, without any other -1/2: mean -3/5,
    # squares .16 + 4 x .01 = .2, se = sqrt(4/5 x .2) = .4; t of 4 df 2.7764: from -1.78, which is cut, to .4439
    found = weighted_kappa([1, 2, 1, 2, 1], [2, 1, 2, 1, 1])
    assert (found.estimate, found.se, found.df) == (pytest.approx(-2 / 3), pytest.approx(0.4), 4)
    assert (found.low, found.high) == (-1, pytest.approx(-2 / 3 + 2.7764451 * 0.4))
    other = weighted_kappa([1, 2, 1, 2, 1], [1, 2, 1, 2, 2])
    assert other.high == 1 and -1 < other.low < other.estimate


def test_kappa_without_variety_or_with_one_town():
    assert np.isnan(weighted_kappa([1, 1], [1, 1]).estimate)
    one = weighted_kappa([1, 2, 1], [1, 2, 2], psu=["T", "T", "T"])
    assert np.isfinite(one.estimate)
    assert np.isnan([one.se, one.low, one.high]).all()
    assert weighted_kappa([1, None, 2, 2], [1, 1, None, 2]).n == 2
    assert np.isnan(weighted_kappa([], []).estimate)


# --- cumulative logit -----------------------------------------------------------------------------------------------------


def fit(**columns):
    return ordinal_logit(PEOPLE["grade"], PEOPLE[["old", "age"]], **columns)


@pytest.mark.parametrize(("name", "weight"), [("fine", WEIGHT), ("unweighted", None)])
def test_the_cumulative_logit_is_that_of_svyolr(name, weight):
    found, r = fit(weight=weight, stratum=TOWN, psu=VILLAGE), ANSWERS["ordinal"][name]
    assert found.coefficients == pytest.approx(r["coefficients"], rel=1e-6)
    # R's Hessian is made of differences of the gradient: at steps of .00001 the SE is right to 7 digits or so
    assert found.se == pytest.approx(r["se"], rel=1e-6)
    assert found.df == ANSWERS["ordinal"]["degf"] - 2
    assert (found.n, found.reason) == (288, "")


def test_svyolr_as_it_comes_is_right_to_three_digits():
    found, r = fit(weight=WEIGHT, stratum=TOWN, psu=VILLAGE), ANSWERS["ordinal"]["default"]
    assert found.se == pytest.approx(r["se"], rel=5e-4)  # steps of .001, with ages from 20 to 70


def test_the_tempting_wrong_models_are_refused():
    found = fit(weight=WEIGHT, stratum=TOWN, psu=VILLAGE)
    plain = OrderedModel(PEOPLE["grade"], PEOPLE[["old", "age"]], distr="logit").fit(method="bfgs", disp=0, gtol=1e-9)
    assert fit().coefficients == pytest.approx(plain.params[:2], rel=1e-5)  # right without weights,
    assert abs(found.coefficients[0] - plain.params.iloc[0]) > 0.4  # and of the other sign with them
    assert (abs(found.se / ANSWERS["ordinal"]["wrong_se_persons"] - 1) > 0.1).all()  # persons taken as independent


def test_limits_are_students():
    found = fit(weight=WEIGHT, stratum=TOWN, psu=VILLAGE)
    row = student(found.coefficients[0], found.se[0], found.df, found.n).iloc[0]
    assert (row["high"] - row["low"]) / 2 == pytest.approx(2.0930241 * found.se[0], rel=1e-7)  # t of 19 df
    assert (row["low"] + row["high"]) / 2 == pytest.approx(row["estimate"]) == pytest.approx(found.coefficients[0])


def test_two_answers_are_a_logistic_regression():
    # 2 x 2 table 30/10 against 15/25: log odds ratio ln(30 x 25 / (10 x 15)) = ln 5, threshold -ln(15/25) for x = 0
    y, x = np.repeat([1, 0, 1, 0], [30, 10, 15, 25]), np.repeat([1, 0], [40, 40])
    found = ordinal_logit(y, x)
    assert found.coefficients == pytest.approx([np.log(5)])
    # Woolf's variance 1/30 + 1/10 + 1/15 + 1/25, times n/(n-1) for the spread of 80 persons
    assert found.se**2 == pytest.approx([(1 / 30 + 1 / 10 + 1 / 15 + 1 / 25) * 80 / 79])


@pytest.mark.parametrize(
    ("y", "x", "psu", "reason"),
    [([1, 1, 1, 1], [1, 2, 3, 4], None, "separation"), ([1, 2, 3, 2], [1, 1, 1, 1], None, "separation"),
     ([1, 1, 2, 2, 3, 3], [1, 2, 3, 4, 5, 6], None, "separation"), ([], [], None, "separation"),
     ([1, 2, 3, 1, 2, 3], [1, 0, 1, 0, 1, 0], list("aaabbb"), "too few answers")],
)  # fmt: skip
def test_no_numbers_where_the_data_give_none(y, x, psu, reason):
    found = ordinal_logit(y, x, psu=psu)
    assert found.reason == reason
    assert np.isnan(found.se).all()
    row = student(np.nan, np.nan, found.df, found.n, found.reason)
    assert row[["low", "high"]].isna().all(axis=None) and row["reason"].tolist() == [reason]


def test_rows_with_a_missing_value_are_left_out():
    y, x = PEOPLE["grade"].astype("Int64"), PEOPLE["age"].astype(float)
    y[::5], x[::7] = pd.NA, np.nan
    kept = (y.notna() & x.notna()).to_numpy()
    found, direct = ordinal_logit(y, x), ordinal_logit(y[kept], x[kept])
    assert found.n == kept.sum()
    assert found.coefficients == pytest.approx(direct.coefficients)
