"""Where an estimate must be withheld, bounded on one side, or refused."""

import numpy as np
import pandas as pd
import pytest

from huying.design import Design
from huying.estimates import estimate_means, estimate_ratios, estimate_shares, estimate_sum, rate, town_rho
from huying.intervals import COUNT, limits
from huying.words import EstimateError


def design(*psus_of_towns, size=10, weight=1.0, **rest):
    """Towns with so many PSUs each, `size` units a PSU."""
    owner = np.repeat(np.arange(len(psus_of_towns)), psus_of_towns)
    psu = np.repeat(np.arange(len(owner)), size)
    names = tuple(f"T{i + 1:02d}" for i in range(len(psus_of_towns)))
    return Design(owner[psu], psu, np.full(len(psu), weight), names, **rest)


def shares(at, y, **options):
    return estimate_shares(at, pd.DataFrame({"y": np.asarray(y, dtype=float)}), **options).set_index("place")


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_weight_is_refused(bad):
    weight = np.ones(20)
    weight[[3, 7]] = bad
    with pytest.raises(EstimateError, match="units at fault: 3, 7"):
        Design(np.zeros(20, dtype=np.int64), np.arange(20), weight, ("T01",))


def test_all_weights_zero():
    with pytest.raises(EstimateError, match="units at fault: 0, 1, 2, 3, 4"):
        design(2, weight=0.0)


def test_a_village_in_two_towns_is_refused():
    with pytest.raises(EstimateError, match="lies in two strata"):
        Design(np.array([0, 1]), np.array([0, 0]), np.ones(2), ("T01", "T02"))


@pytest.mark.parametrize("estimator", [estimate_shares, estimate_means])
def test_one_psu_has_a_value_and_no_interval(estimator):
    got = estimator(
        design(1, 4, size=20), pd.DataFrame({"y": [1.0, 0.0] * 10 + [1.0, 0.0, 1.0] * 26 + [1, 0]})
    ).set_index("place")
    assert got.loc["T01", ["estimate", "n", "reliability", "reason"]].tolist() == [0.5, 20, "not estimable", "one psu"]
    assert got.loc["T01", ["low", "high", "se"]].isna().all()
    assert got.loc["T02", ["low", "high"]].notna().all()


def test_a_county_of_one_psu():
    got = shares(design(1, size=40), [1, 0] * 20)
    assert got["reliability"].tolist() == ["not estimable"] * 2
    assert got["low"].isna().all()


@pytest.mark.parametrize(("value", "low", "high"), [(0, 0, 1 - 0.025 ** (1 / 100)), (1, 0.025 ** (1 / 100), 1)])
def test_nobody_and_everybody_have_a_bound_on_one_side(value, low, high):
    got = shares(design(10), [value] * 100)  # 100 equal answers without clustering: .025^(1/100) = .9638
    assert got.loc["T01", ["estimate", "low", "high"]].tolist() == pytest.approx([value, low, high])
    assert got.loc["T01", "high"] - got.loc["T01", "low"] == pytest.approx(0.0362, abs=1e-4)
    # The county has ten villages to learn its variance from: (t(99) / t(9))^2 = (1.98422 / 2.26216)^2 = .76937
    size = 100 * 0.769366
    assert got["n_eff"].tolist() == pytest.approx([100, size], rel=1e-5)
    wide = 1 - 0.025 ** (1 / size)
    assert got.loc["county", ["low", "high"]].tolist() == pytest.approx(
        [0, wide] if value == 0 else [1 - wide, 1], rel=1e-5
    )


def test_a_clustered_town_has_fewer_independent_answers():
    # Villages all yes or all no: rho = 1, so 100 answers of 10 villages count as 10.
    y = np.repeat([1, 0] * 5, 10)
    assert town_rho(design(10), y.astype(float), np.ones(100, dtype=bool))[0] == pytest.approx(1)
    assert shares(design(10), y).loc["T01", "n_eff"] == pytest.approx(10)


@pytest.mark.parametrize(("answers", "stated"), [(19, False), (20, True)])
def test_fewer_than_the_fewest_are_not_stated(answers, stated):
    y = np.full(40, np.nan)
    y[:answers] = np.arange(answers) % 2
    got = shares(design(4), y)
    assert got["n"].tolist() == [answers, answers]
    assert got.loc["T01", ["estimate", "low", "high", "se", "deff", "n_eff"]].notna().tolist() == [stated] * 6
    assert (got.loc["T01", "reason"] == "too few answers") is not stated
    assert shares(design(4), y, fewest=5).loc["T01", "estimate"] == pytest.approx((answers // 2) / answers)


def test_nobody_was_asked():
    got = shares(design(4), [np.nan] * 40)
    assert got["n"].tolist() == [0, 0]
    assert got["estimate"].isna().all() and set(got["reliability"]) == {"too few answers"}


def test_a_town_without_units():
    got = shares(Design(np.repeat(1, 40), np.repeat(np.arange(4), 10), np.ones(40), ("T01", "T02")), [1, 0] * 20)
    assert got.loc["T01", ["n", "reliability"]].tolist() == [0, "too few answers"]
    assert got.loc["T02", "estimate"] == 0.5


@pytest.mark.parametrize(
    ("psus", "size", "reliability"),
    [
        (9, 50, "ok"),
        (4, 50, "ok"),
        (9, 3, "read with care"),
    ],  # few villages alone are no reason; 27 answers: +-19 points
)
def test_reliability(psus, size, reliability):
    got = shares(design(psus, size=size), np.arange(psus * size) % 2)
    assert got.loc["T01", "reliability"] == reliability


def test_a_rare_share_is_read_with_care():
    y = np.zeros(450)
    y[:2] = 1  # .4%, interval about .1% to 1.6%: its width is more than 130% of the value
    assert shares(design(9, size=50), y).loc["T01", "reliability"] == "read with care"


@pytest.mark.parametrize(
    ("value", "low", "high", "given", "said"),
    [
        (0.5, 0.36, 0.65, {}, "ok"),  # 29 points
        (0.5, 0.34, 0.65, {}, "read with care"),  # 31
        (0.2, 0.10, 0.355, {}, "ok"),  # 25.5 points, 1.275 times the value
        (0.2, 0.10, 0.365, {}, "read with care"),  # 1.325 times
        (0.0, 0.0, 0.2, {}, "ok"),  # nothing is no width of nothing
        (-0.2, -0.3, -0.05, {}, "ok"),
        (0.2, 0.10, 0.365, {"method": "mover"}, "ok"),  # a change has no relative width
        (0.5, 0.34, 0.65, {"method": "mover"}, "read with care"),
        (3.0, 1.0, 5.0, {"method": "t"}, "ok"),  # nor has a mean of scores a width in points
        (0.5, 0.1, 0.9, {"method": "count"}, "ok"),
        (0.5, 0.4, 0.6, {"is_own_rho": True}, "read with care"),
        (0.5, 0.4, 0.6, {"is_own_rho": False}, "ok"),
        (0.5, 0.4, 0.6, {"method": "t", "is_own_rho": True}, "ok"),
        (0.5, 0.34, 0.65, {"reason": "one psu"}, "not estimable"),
        (0.5, 0.34, 0.65, {"reason": "too few answers"}, "too few answers"),
    ],
)
def test_what_is_to_be_read_with_care(value, low, high, given, said):
    row = {"estimate": value, "low": low, "high": high, "method": "korn-graubard", "reason": "", **given}
    assert rate(pd.DataFrame([row])).tolist() == [said]


def test_a_complete_count_has_no_spread():
    got = shares(design(10, size=5, fpc=np.array([10.0])), np.arange(50) % 2, fewest=5)
    assert got.loc["T01", "se"] == 0
    assert got.loc["T01", "high"] - got.loc["T01", "low"] < 0.01


def test_ratio_by_hand():
    num, den = np.tile([1.0, 3.0], 20), np.tile([2.0, 6.0], 20)
    got = estimate_ratios(design(4), "r", num, den).set_index("place")
    assert got["estimate"].tolist() == pytest.approx([0.5, 0.5])  # (1 + 3) / (2 + 6), and 1/2 = 3/6: no spread
    assert got["se"].tolist() == pytest.approx([0, 0], abs=1e-12)
    assert estimate_ratios(design(4), "r", num, np.zeros(40))["estimate"].isna().all()  # nothing to divide by


def test_a_difference_of_equal_parts_is_nothing():
    y, all_of_them = np.tile([1.0, 0.0], 20), np.ones(40, dtype=bool)
    got = estimate_sum(design(4), "d", [(1, y, all_of_them), (-1, y, all_of_them)]).set_index("place")
    assert got["estimate"].tolist() == [0, 0] and got["se"].tolist() == [0, 0]


def test_limits_of_a_count_are_the_count():
    rows = pd.DataFrame({"estimate": [0.3], "n_eff": [np.nan], "se": [np.nan], "df": [np.nan], "method": [COUNT]})
    assert [float(side[0]) for side in limits(rows)] == [0.3, 0.3]
