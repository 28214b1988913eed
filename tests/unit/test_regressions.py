"""Crosstabs and regressions: what is refused, in both languages; missing answers, types and small designs."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from huying import labels
from huying.associations import Association, crosstab, rao_scott, regress
from huying.design import Design, degrees, estimate_covariance
from huying.estimates import estimate_means
from huying.words import EstimateError

AGES = ["18-39", "40-59", "60+"]


def draw(n=360, seed=5):
    rng = np.random.default_rng(seed)
    village = np.sort(rng.integers(0, 24, n))
    age, years = rng.integers(0, 3, n), rng.normal(11, 3, n)
    aware = rng.random(n) < 0.3 + 0.1 * age + 0.01 * years
    design = Design(village // 4, village, rng.uniform(1, 4, n), tuple("ABCDEF"))
    frame = pd.DataFrame(
        {
            "aware": pd.array(aware, dtype="boolean"),
            "age_group": pd.array(np.array(AGES)[age], dtype="string"),
            "years": pd.array(years.round(1), dtype="Float64"),
            "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "wechat": pd.array(rng.random(n) < 0.5, dtype="boolean"),
        }
    )
    frame.loc[::17, "years"] = pd.NA
    frame.loc[::23, "aware"] = pd.NA
    return design, frame


def refused(formula, key, **columns):
    design, frame = draw()
    with pytest.raises(EstimateError) as caught:
        regress(design, frame.assign(**{name: make(frame) for name, make in columns.items()}), formula)
    assert caught.value.key == f"regressions.{key}"
    zh, en = caught.value.say("zh"), caught.value.say("en")
    assert zh != en and "\n" not in zh + en and "{" not in zh + en
    return zh, en


def test_a_constant_outcome_is_refused():
    for message in refused("same ~ age_group", "constant", same=lambda f: f["visits"] >= 0):
        assert "same" in message and "360" in message


@pytest.mark.parametrize("first", [0, 1])
def test_a_separated_outcome_is_refused_and_its_level_named(first):
    told = refused(
        "apart ~ years + age_group", "separated", apart=lambda f: (f["age_group"] != "60+") & f["aware"] ^ bool(first)
    )
    assert all("apart" in message and "age_group[T.60+]" in message and "years" not in message for message in told)


def test_an_outcome_separated_by_a_number_is_refused():
    assert all("years" in message for message in refused("late ~ years", "separated", late=lambda f: f["years"] > 11))


def test_collinear_columns_are_refused_and_named():
    for message in refused("visits ~ years + wechat + twice", "collinear", twice=lambda f: 2 * f["years"] + 1):
        assert "twice" in message and "wechat" not in message
    assert all("one" in message for message in refused("visits ~ one", "collinear", one=lambda f: 1))


def test_a_column_that_is_not_there_is_refused_with_the_nearest():
    for message in refused("aware ~ age_grup + years", "no_column"):
        assert "age_grup" in message and "age_group" in message


@pytest.mark.parametrize(("formula", "got"), [("age_group ~ years", "18-39"), ("aware + visits ~ years", "aware")])
def test_an_outcome_that_is_no_number_is_refused(formula, got):
    assert all(got in message for message in refused(formula, "bad_outcome"))


@pytest.mark.parametrize(
    "formula", ["aware ~ years +", "aware", "~ years", "aware years", "aware ~ nofun(years)", "aware ~ (years"]
)
def test_a_formula_that_cannot_be_read_is_refused(formula):
    key = "no_column" if "nofun" in formula else "unreadable"
    refused(formula, key)


def test_dates_infinite_values_and_nobody_are_refused():
    refused("aware ~ day", "bad_kind", day=lambda f: pd.Timestamp("2023-05-01"))
    assert all("log(visits)" in m for m in refused("aware ~ np.log(visits)", "not_finite"))
    refused("aware ~ none", "nobody", none=lambda f: pd.array([pd.NA] * len(f), dtype="Float64"))
    refused("visits ~ row", "too_few", row=lambda f: pd.array([f"p{k}" for k in range(len(f))], dtype="string"))


def test_a_row_with_a_missing_value_leaves_the_base_and_not_the_design():
    design, frame = draw()
    gone = (frame["aware"].isna() | frame["years"].isna()).to_numpy()
    found = regress(design, frame, "aware ~ age_group + years")
    filled = frame.assign(aware=frame["aware"].fillna(True), years=frame["years"].fillna(99.0))
    assert found.n == (~gone).sum() < len(frame)
    assert found.df == 24 - 6 + 1 - 4
    assert not np.allclose(
        found.table["se"], regress(design, filled, "aware ~ age_group + years").table["se"], rtol=1e-3
    )


def test_types_do_not_matter():
    design, frame = draw()
    formula = "aware ~ age_group * wechat + visits"
    plain = frame.assign(
        aware=frame["aware"].astype(object),
        age_group=pd.Categorical(frame["age_group"], categories=[*AGES, "unused"]),
        wechat=frame["wechat"].astype(float),
        visits=frame["visits"].astype(int),
    )
    first, second = regress(design, frame, formula), regress(design, plain, formula)
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.model == "logistic"
    assert regress(design, frame, "visits ~ age_group").model == "linear"


def test_another_level_can_be_the_first():
    design, frame = draw()
    usual = regress(design, frame, "aware ~ age_group + years").table.set_index("term")
    turned = regress(design, frame, 'aware ~ C(age_group, contr.treatment("60+")) + years').table.set_index("term")
    found = turned.loc[[term for term in turned.index if term.endswith("[T.18-39]")]].iloc[0]
    assert found["coefficient"] == pytest.approx(-usual.loc["age_group[T.60+]", "coefficient"], rel=1e-9)


def test_without_degrees_of_freedom_there_are_no_limits():
    design, frame = draw()
    few = Design(np.zeros(360, dtype=np.int64), np.arange(360) % 2, design.weight, ("A",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = regress(few, frame, "visits ~ age_group")
    assert found.df == -1 and found.table[["low", "high", "p"]].isna().all(axis=None)


def test_a_regression_prints_its_formula_and_terms():
    design, frame = draw()
    found = regress(design, frame, "visits ~ years")
    for lang, word in (("zh", "线性回归"), ("en", "linear regression")):
        labels.register(f"demo/{lang}", labels.Labels(lang))
        found.table.attrs["labels"] = f"demo/{lang}"
        assert word in repr(found) and "visits ~ years" in repr(found) and "Intercept" in repr(found)


@pytest.mark.parametrize("shape", ["clusters", "lonely", "fpc", "raked"])
def test_the_covariance_agrees_with_the_variance_of_the_kernel(shape):
    design, frame = draw()
    if shape == "lonely":
        design = Design(design.stratum, np.where(design.stratum == 2, 8, design.psu), design.weight, design.places)
    elif shape == "fpc":
        design = Design(design.stratum, design.psu, design.weight, design.places, fpc=np.full(6, 9.0))
    elif shape == "raked":
        margins = tuple(pd.factorize(frame[name])[0].astype(np.int64) for name in ("age_group", "wechat"))
        design = Design(
            design.stratum, design.psu, design.weight * 1.1, design.places, margins=margins, base=design.weight
        )
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(360, 3)), columns=["a", "b", "c"])
    values["sum"] = values.sum(axis=1)
    means = estimate_means(design, values).query("place == 'county'")
    influences = (values - means["estimate"].to_numpy()) / design.weight.sum()
    found = estimate_covariance(design, influences.to_numpy())
    assert np.sqrt(np.diag(found)) == pytest.approx(means["se"].to_numpy(), rel=1e-12)
    assert found[:3, :3].sum() == pytest.approx(found[3, 3], rel=1e-12)
    assert np.allclose(found, found.T, rtol=1e-12)


def test_degrees_count_where_somebody_is_in_the_base():
    design, _ = draw()
    assert degrees(design, np.ones(360, dtype=bool)) == 18
    assert degrees(design, design.psu < 6) == 6 - 2


def test_a_question_with_one_answer_has_no_test():
    design, frame = draw()
    ages = pd.factorize(frame["age_group"], sort=True)[0].astype(np.int64)
    found = crosstab(design, ages, np.zeros(360, dtype=np.int64), AGES, ["yes", "no"])
    assert found.test.reason == "no variation" and np.isnan(found.test.F)
    assert found.test.say("zh") != found.test.say("en")
    assert (found.table.loc[found.table["column"] == "yes", "estimate"] == 1).all()


def test_where_nobody_answered_both_there_is_no_test():
    design, _ = draw()
    nobody = np.full(360, -1, dtype=np.int64)
    for names in ([], AGES):
        found = crosstab(design, nobody, nobody, names, names)
        assert found.test.reason == "no answers" and found.test.say("zh") != found.test.say("en")
        assert found.table["estimate"].isna().all() and "no test" in repr(found) + found.test.say("en")


def test_one_village_has_no_test():
    design, frame = draw()
    one = Design(np.zeros(360, dtype=np.int64), np.zeros(360, dtype=np.int64), design.weight, ("A",))
    a, b = (pd.factorize(frame[name])[0].astype(np.int64) for name in ("age_group", "wechat"))
    assert rao_scott(one, a, b).reason == "not estimable"


def test_few_answers_are_not_stated_in_a_crosstab():
    design, frame = draw()
    a, b = (pd.factorize(frame[name], sort=True)[0].astype(np.int64) for name in ("age_group", "wechat"))
    keep = (a != 2) | (np.arange(360) % 20 == 0)
    table = crosstab(design, np.where(keep, a, -1), b, AGES, ["no", "yes"]).table
    old = table[table["row"] == "60+"]
    assert (old["reason"] == "too few answers").all() and old["estimate"].isna().all()
    assert table.loc[table["row"] != "60+", "estimate"].notna().all()


@pytest.mark.parametrize(("p", "said"), [(0.0004, "p < 0.001"), (0.001, "p = 0.001"), (0.0126, "p = 0.013")])
def test_a_small_p_is_said_to_be_smaller(p, said):
    for lang in ("zh", "en"):
        assert said in Association(90, "", 4.0, 3.9, 1.8, 40.0, p).say(lang)


@pytest.mark.parametrize(("answers", "stated"), [(19, False), (20, True)])
def test_a_row_of_a_crosstab_is_stated_from_twenty_answers_on(answers, stated):
    design, frame = draw()
    a, b = (pd.factorize(frame[name], sort=True)[0].astype(np.int64) for name in ("age_group", "wechat"))
    kept = np.where(np.cumsum(a == 2) > answers, -1, a)
    table = crosstab(design, np.where(a == 2, kept, a), b, AGES, ["no", "yes"]).table
    assert table.loc[table["row"] == "60+", "n"].tolist() == [answers] * 2
    assert table.loc[table["row"] == "60+", "estimate"].notna().tolist() == [stated] * 2


def test_the_test_of_a_simple_random_sample_is_pearsons():
    """Without clusters and weights F is X^2 (n-1)/n of scipy's table: the design effects are those of drawing at random."""
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    found = rao_scott(Design(np.zeros(200, dtype=np.int64), np.arange(200), np.full(200, 3.0), ("A",)), a, b)
    pearson = stats.chi2_contingency(np.histogram2d(a, b, 2)[0], correction=False)
    assert [found.X2, found.n] == pytest.approx([pearson.statistic, 200])
    assert (found.ndf, found.ddf) == (pytest.approx(1), pytest.approx(199))
    assert found.F / pearson.statistic == pytest.approx(199 / 200, rel=0.03)


def test_a_test_needs_a_degree_of_freedom():
    a, b = np.array([0, 1, 0, 1, 1, 0, 0, 1]), np.array([0, 1, 1, 1, 1, 0, 1, 0])
    for villages, reason in ((np.arange(8) // 4, ""), (np.zeros(8, dtype=np.int64), "not estimable")):
        assert rao_scott(Design(np.zeros(8, dtype=np.int64), villages, np.ones(8), ("A",)), a, b).reason == reason


def test_a_regression_needs_more_people_than_columns():
    design, frame = draw()
    frame = frame.assign(few=frame["visits"].where(np.arange(360) < 4), other=np.arange(360.0) ** 2)
    with pytest.raises(EstimateError) as caught:
        regress(
            design, frame, "few ~ years + other", linear=True
        )  # the first has no years: three people, three columns
    assert caught.value.key == "regressions.too_few"
    frame["few"] = frame["visits"].where(np.arange(360) < 5)
    assert regress(design, frame, "few ~ years + other", linear=True).n == 4


def test_a_crosstab_prints_its_shares_and_its_test():
    design, frame = draw()
    a, b = (pd.factorize(frame[name], sort=True)[0].astype(np.int64) for name in ("age_group", "wechat"))
    found = crosstab(design, a, b, AGES, ["no", "yes"])
    for lang, word in (("zh", "二阶校正"), ("en", "second-order")):
        labels.register(f"demo/{lang}", labels.Labels(lang))
        found.table.attrs["labels"] = f"demo/{lang}"
        assert word in repr(found) and "60+" in repr(found) and "%" in repr(found)


def test_the_effect_of_the_only_column_is_the_difference_of_two_shares():
    design, frame = draw()
    found = regress(design, frame, "aware ~ wechat").table.set_index("term").loc["wechat"]
    known = frame["aware"].notna().to_numpy()
    y, w = frame["aware"].fillna(False).to_numpy(float), design.weight * known
    share = [np.average(y, weights=w * (frame["wechat"] == side).to_numpy(float)) for side in (False, True)]
    assert found["effect"] == pytest.approx(share[1] - share[0], rel=1e-9)
    linear = regress(design, frame, "aware ~ wechat", linear=True).table.set_index("term").loc["wechat"]
    assert (found["effect"], found["effect_se"]) == (
        pytest.approx(linear["coefficient"], rel=1e-9),
        pytest.approx(linear["se"], rel=1e-9),
    )
