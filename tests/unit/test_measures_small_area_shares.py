"""Small-area shares beside the direct ones, on counties made by hand."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import aware_of, ids, register, residents

from huying.measures.precision import borrow_strength, regressors
from run_notebook import StandIn, judged

WAVE = "[wave.2023]\nfrom = 2023-05-08\nto = 2023-06-02\n"


def county(folder, towns, answers):
    n = len(set(towns))
    return StandIn(folder, {"towns": register(n)}, {"resident": residents(towns, R09=answers)}, WAVE)


def made(folder, few=()):
    """Ten towns of 40 people (12 in `few`); awareness differs from town to town."""
    towns, answers = aware_of([8, 20, 14, 10, 25, 16, 30, 12, 18, 22], 40)
    order = pd.Series(towns).groupby(towns).cumcount()
    kept = [k for k, town in enumerate(towns) if town not in few or order[k] < 12]
    return county(folder, [towns[k] for k in kept], [answers[k] for k in kept])


def both(here):
    """The direct shares by place, and what was borrowed."""
    direct = here.survey("resident").share("aware")
    return direct.set_index("place"), borrow_strength(direct, here.towns).set_index("place")


def test_every_town_with_fewer_than_a_hundred_answers_gets_one_beside(tmp_path):
    here = made(tmp_path, few=("T03",))
    rows = judged("21", here, "2023", claims=["S11", "P16"]).query("claim == 'P16' and part == 'small_area'")
    rows = rows.set_index("place")
    assert list(rows.index) == ids(10) and set(rows["wave"]) == {"2023"}
    assert rows.index[rows["remark"].str.contains("synthetic")].tolist() == ["T03"]
    direct, small = both(here)
    assert np.isnan(direct.loc["T03", "estimate"]) and small.loc["T03", "n"] == 12
    assert small["estimate"].drop("county").to_dict() == rows["estimate"].to_dict()
    assert small["estimate"].drop("county").std() < direct["estimate"].drop("county").std(), "drawn together"


def test_a_town_with_a_hundred_answers_has_no_need_of_it(tmp_path):
    towns, answers = aware_of([8, 20, 14, 10, 25, 16, 30, 12], 40)
    here = county(tmp_path, towns + ["T01"] * 60, answers + [1, 4] * 30)
    rows = judged("21", here, "2023", claims=["S11", "P16"]).query("part == 'small_area'")
    assert rows["place"].tolist() == ids(8)[1:]


def test_the_benchmark_takes_the_towns_back_to_the_county(tmp_path):
    """Ten towns of 1000 adults: the plain mean of the small-area shares is the county's direct share, 175 of 400."""
    _, small = both(made(tmp_path))
    assert small["estimate"].drop("county").mean() == pytest.approx(175 / 400)
    assert small.loc["county", "part"] == "benchmark" and 0.9 < small.loc["county", "estimate"] < 1.1


def test_what_stands_beside_a_small_area_share(tmp_path):
    """Nine of ten towns have a direct share; the tenth follows from the others alone."""
    direct, small = both(made(tmp_path, few=("T03",)))
    towns, county = small.drop("county"), small.loc["county"]
    assert set(small) == {*direct, "part", "remark"} and set(small["wave"]) == {"2023"}
    assert (
        set(towns["method"]) == {"fay-herriot"} and not towns["reason"].any() and set(towns["part"]) == {"small_area"}
    )
    assert towns[["se", "n_eff", "df", "deff", "rho"]].isna().all(axis=None)
    assert county["n"] == 9 and county["method"] == "count"
    assert (towns["low"] < towns["estimate"]).all() and (towns["estimate"] < towns["high"]).all()
    assert (towns["reliability"] == "read with care").equals(towns["high"] - towns["low"] > 0.30)
    assert towns["remark"].eq("").sum() == 9


def test_without_a_county_or_the_number_of_adults_there_is_no_benchmark(tmp_path):
    here = made(tmp_path)
    direct = here.survey("resident").share("aware")
    unknown = direct.assign(estimate=direct["estimate"].where(direct["place"] != "county"))
    for rows, towns in ((unknown, here.towns), (direct, here.towns.assign(adults=[None, *[1000] * 9]))):
        found = borrow_strength(rows, towns)
        assert found["estimate"].isna().all() and set(found["reason"]) == {"too few towns"}
        assert found["part"].tolist() == ["small_area"] * 10 + ["benchmark"] and found["n"].tolist() == [
            *[40] * 10,
            400,
        ]


def test_covariates_have_the_spread_of_one_over_the_towns_that_were_heard():
    """Populations of e, e^2 and e^3: logarithms 1, 2, 3, mean 2, spread sqrt(2/3)."""
    towns = pd.DataFrame({"type": ["town"] * 4, "pop": np.exp([1.0, 2, 3, 9]), "n_villages": [3] * 4})
    x = regressors(towns, np.array([True, True, True, False]))
    assert x[:, 0].tolist() == [1] * 4
    assert x[:, 1] == pytest.approx(np.array([-1, 0, 1, 7]) / np.sqrt(2 / 3))


def test_towns_alike_say_that_the_adjusted_likelihood_was_used(tmp_path):
    _, small = both(county(tmp_path, *aware_of([16] * 10, 40)))
    assert set(small["remark"].drop("county")) == {"adjusted_likelihood"}


@pytest.mark.parametrize(("answers", "reason"), [(None, "too few towns"), ([None] * 120, "too few answers")])
def test_too_few_towns_have_no_model_and_say_why(tmp_path, answers, reason):
    towns, aware = aware_of([10, 20, 30], 40)
    _, small = both(county(tmp_path, towns, answers or aware))
    assert small["estimate"].isna().all() and set(small["reason"]) == {reason}


def test_covariates_that_tell_nothing_apart_are_left_out():
    towns = pd.DataFrame({"type": ["town"] * 4, "pop": [1000, 2000, 4000, 8000], "n_villages": [3] * 4})
    street = towns.assign(type=["street", "town", "town", "town"])
    assert regressors(towns, np.ones(4, dtype=bool)).shape == (4, 2)
    assert regressors(street, np.ones(4, dtype=bool)).shape == (4, 3)
    heard = np.array([False, True, True, True])  # the only street has no answers: no slope for streets can be known
    assert regressors(street, heard).shape == (4, 2)
