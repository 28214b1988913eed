"""What the next wave could show, by hand: sizes, the smallest change seen, and what kept villages bring."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import margins, register, residents

from huying.intervals import COUNT, POOLED, STUDENT
from huying.measures.precision import correlate_waves, plan_next, rise_of_share, size_for_mean, size_for_share
from run_notebook import StandIn

WAVES = "".join(f"[wave.{year}]\nfrom = {year}-05-08\nto = {year}-06-02\n" for year in (2023, 2024))


def test_design_effect_and_shared_villages():
    plain = size_for_share(0.5, 0.1)
    assert plain == pytest.approx(387.34, abs=0.01)  # the textbook's 388 in each group, from 50% to 60%
    assert size_for_share(0.5, 0.1, deff=2) == pytest.approx(2 * plain)
    # 2 x .55 x .45 x (1 - .5) = .2475; .25 + .24 - 2 x .5 x sqrt(.25 x .24) = .2450510
    # (1.9599640 x sqrt(.2475) + .8416212 x sqrt(.2450510))^2 / .01 = (.9750700 + .4166248)^2 / .01 = 193.6814
    assert size_for_share(0.5, 0.1, shared=0.5) == pytest.approx(193.6814, abs=1e-3)


@pytest.mark.parametrize(
    ("given", "is_known"),
    [
        ({"p": 0.0}, True),
        ({"p": 0.9}, True),  # up to 100% and no further
        ({"p": 0.91}, False),
        ({"p": -0.01}, False),
        ({"p": 0.5, "rise": 0.0}, False),  # no rise can be seen
        ({"p": 0.5, "rise": 0.5}, True),
        ({"p": 0.5, "deff": 0.0}, False),
        ({"p": 0.5, "deff": 0.1}, True),
    ],
)
def test_where_a_rise_has_a_size(given, is_known):
    assert np.isfinite(size_for_share(**given)) == is_known


@pytest.mark.parametrize(
    ("given", "is_known"),
    [({"p": 0.0, "n": 1, "deff": 0.1}, True), ({"p": 0.5, "n": size_for_share(0.5, 0.5) - 0.5}, False), ({"p": 0.0, "n": 30}, True), ({"p": -0.1, "n": 30}, False), ({"p": 0.5, "n": 0}, False), ({"p": 0.5, "n": 30, "deff": 0.0}, False),
     ({"p": 0.5, "n": 1}, False), ({"p": 0.97, "n": 10_000}, True)],
)  # fmt: skip
def test_where_a_size_has_a_rise(given, is_known):
    rise = rise_of_share(**given)
    assert np.isfinite(rise) == is_known
    assert not is_known or size_for_share(given["p"], rise, given.get("deff", 1.0)) == pytest.approx(given["n"])


@pytest.mark.parametrize("p", [0.0, 0.02, 0.3, 0.5, 0.88])
def test_the_size_for_a_rise_shows_that_rise(p):
    assert rise_of_share(p, size_for_share(p, 0.1, 1.6, 0.2), 1.6, 0.2) == pytest.approx(0.1, abs=1e-9)


@pytest.mark.parametrize("value", [size_for_share(0.95), size_for_share(np.nan), size_for_share(0.5, deff=np.nan),
                                   rise_of_share(0.9, 5), rise_of_share(1.0, 500), rise_of_share(np.nan, 50), size_for_mean(0.0)])  # fmt: skip
def test_a_change_past_100_percent_and_an_unknown_start_have_no_number(value):
    assert np.isnan(value)


def test_a_full_list_never_needs_more_than_are_listed():
    # z = 1.9599640 + .8416212 = 2.8015852; 2 x .5^2 x z^2 / .1^2 = 392.44; 1 / (1/40 + 1/392.44) = 36.30
    assert size_for_mean(0.5) == pytest.approx(392.44, abs=0.01)
    assert size_for_mean(0.5, listed=40) == pytest.approx(36.30, abs=0.01)
    assert size_for_mean(0.5, shared=0.5) == pytest.approx(392.44 / 2, abs=0.01)
    assert size_for_mean(0.5, rise=0.2) == pytest.approx(392.44 / 4, abs=0.01)


@pytest.mark.parametrize(
    ("change", "rise", "size"),
    [
        ({}, 0.19810, 393),  # 2.8015852 x sqrt(2) x .05
        ({"estimate": 0.9}, np.nan, 393),  # .9 + .198 is more than 100%, .9 + .1 is not
        ({"estimate": 0.91}, np.nan, np.nan),
        ({"estimate": 0.8}, 0.19810, 393),
        ({"se": 0.0}, np.nan, np.nan),
        ({"listed": 100.0}, np.nan, np.nan),  # all of a list have answered: no second sample shows more
        ({"listed": 101.0}, 0.19810, 101),  # s^2 = .25 / (1 - 100/101): 39,637 of an endless list, 100.7 of this one
        ({"method": POOLED, "n_eff": 100.0, "estimate": 0.5}, 0.19321, 388),  # the textbook's 387.34
        ({"method": POOLED, "n_eff": 0.0}, np.nan, np.nan),
        ({"method": POOLED, "n_eff": np.nan}, np.nan, np.nan),
    ],
)
def test_what_a_place_could_show(change, rise, size):
    listed = pd.Series({"a": change.pop("listed", np.nan)}) if "listed" in change else None
    row = {"place": "a", "estimate": 0.6, "n": 100.0, "n_eff": np.nan, "se": 0.05, "wave": "2023", "method": STUDENT, "reason": "", **change}  # fmt: skip
    planned = plan_next(pd.DataFrame([row]), listed=listed).set_index("part")
    assert planned.loc["detectable_change", "estimate"] == pytest.approx(rise, abs=1e-4, nan_ok=True)
    assert planned.loc["n_for_10_points", "estimate"] == pytest.approx(size, nan_ok=True)
    assert planned["n"].tolist() == [100, 100]
    assert planned["reason"].tolist() == ["not estimable" if np.isnan(one) else "" for one in (rise, size)]


def test_the_plan_of_shares_means_and_ratios():
    frame = pd.DataFrame({"place": ["a", "b", "c", "d", "e"], "estimate": [0.5, 0.6, 0.6, np.nan, 0.95], "n": [100.0, 100.0, 100.0, 3.0, 100.0],
                          "n_eff": [50.0, np.nan, np.nan, np.nan, 100.0], "se": [0.07, 0.05, 0.05, np.nan, 0.02], "wave": "2023",
                          "method": [POOLED, STUDENT, STUDENT, POOLED, POOLED], "reason": ["", "", "", "too few answers", ""]})  # fmt: skip
    listed = pd.Series({"a": np.inf, "b": np.nan, "c": 200.0})  # a list that is not known is endless
    planned = plan_next(frame, listed=listed).set_index("place")
    sizes, rises = (planned[planned["part"] == part] for part in ("n_for_10_points", "detectable_change"))
    assert sizes.loc["a", "estimate"] == 775  # deff 100 / 50: 2 x 387.34 = 774.68
    assert sizes.loc["b", "estimate"] == 393  # s = .05 x sqrt(100) = .5: 392.44
    # s = .05 x sqrt(100 / .5) = .7071: 784.89, 1 / (1/200 + 1/784.89) = 159.38
    assert sizes.loc["c", "estimate"] == 160
    assert rises.loc["b", "estimate"] == pytest.approx(0.19810, abs=1e-5)
    assert rises.loc["a", "estimate"] > 0.1 and sizes["wave"].eq("2023").all()
    assert sizes["reason"].tolist() == ["", "", "", "too few answers", "not estimable"]
    assert sizes["method"].eq(COUNT).all()


@pytest.fixture
def waves(tmp_path):
    """The surveys of two waves of one town's ten people in two villages, from their answers and villages."""

    def make(*answers):
        people = [
            residents(["T01"] * 10, wave, R09=y).assign(village_id=villages)
            for wave, (y, villages) in zip(("2023", "2024"), answers, strict=False)
        ]
        here = StandIn(tmp_path, {"towns": register(1)}, {"resident": pd.concat(people, ignore_index=True)}, WAVES)
        late = here.survey("resident")
        return late, here.previous(late)

    return make


def test_what_two_waves_share(waves):
    y, villages = [1, 1, 1, 1, 4, 4, 1, 4, 4, 4], ["v1"] * 5 + ["v2"] * 5
    # the same answers again correlate fully, which no plan may count on
    assert correlate_waves(*waves((y, villages), (y, villages)), "aware") == 0.95
    assert correlate_waves(*waves((y, villages), (y, ["v3"] * 5 + ["v4"] * 5)), "aware") == 0.0
    assert correlate_waves(*waves((y, villages)), "aware") == 0.0  # one wave
    other = [4, 4, 4, 4, 1, 1, 4, 1, 1, 1]  # who knew knows no more: below 0 is chance
    assert correlate_waves(*waves((y, villages), (other, villages)), "aware") == 0.0


def test_of_one_raked_wave_there_is_nothing_to_correlate(tmp_path):
    people = residents(["T01"] * 40, R09=[1, 4] * 20)
    ledgers = {"towns": register(1), "margins": margins(1)}
    survey = StandIn(tmp_path, ledgers, {"resident": people}, WAVES).survey("resident")
    late = StandIn(tmp_path, ledgers, {"resident": people}, WAVES).survey("resident", wave="2024")  # nobody was asked
    assert survey.design.margins and not len(late.frame)
    assert correlate_waves(survey, late, "aware") == correlate_waves(late, survey, "aware") == 0.0


def test_the_correlation_of_two_waves_is_that_of_their_villages_means(tmp_path):
    """Equal villages, each in both waves: the variances are those of the villages' means, and so is the correlation."""
    yes = {"2023": [1, 2, 4, 3, 5], "2024": [2, 2, 3, 5, 4]}  # of five in each of five villages
    people = [
        residents(["T01"] * 25, wave, R09=[1 if k % 5 < many[k // 5] else 4 for k in range(25)]).assign(
            village_id=[f"v{k // 5}" for k in range(25)]
        )
        for wave, many in yes.items()
    ]
    here = StandIn(tmp_path, {"towns": register(1)}, {"resident": pd.concat(people, ignore_index=True)}, WAVES)
    late = here.survey("resident")
    assert correlate_waves(late, here.previous(late), "aware") == pytest.approx(np.corrcoef(*yes.values())[0, 1])
