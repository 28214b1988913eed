"""Changes of staff and the campaign by hand."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import aware_of, ids, residents, staff, study

from huying.problems import change
from huying.problems.change import difference, satterthwaite

CAMPAIGN = '\n[campaign]\ntowns = ["T01"]\non = 2022-11-01\n'


def facts(made, claim, sub):
    table = made.frame()
    return table[(table["claim"] == claim) & (table["sub"] == sub)]


def frame(estimate, se, df, n, reason=""):
    return pd.DataFrame({"place": ["T01"], "estimate": [estimate], "se": [se], "df": [df], "n": [n], "reason": [reason],
                         "n_eff": [9.0], "deff": [1.0], "method": "t", "low": 0.0, "high": 1.0, "reliability": "ok"})  # fmt: skip


# --- staff ------------------------------------------------------------------------------------------------------------


def test_difference_of_independent_waves():
    """se^2 = .03^2 + .04^2 = .05^2; df = .05^4 / (.03^4/9 + .04^4/16) = 6.25e-6 / 2.5e-7 = 25; t(.975, 25) = 2.0595."""
    row = difference(frame(0.50, 0.03, 9, 10), frame(0.56, 0.04, 16, 17)).iloc[0]
    assert [row["estimate"], row["se"], row["df"], row["n"]] == pytest.approx([0.06, 0.05, 25, 10])
    assert [row["low"], row["high"]] == pytest.approx([0.06 - 0.102977, 0.06 + 0.102977], abs=1e-6)
    assert row["reliability"] == "ok"


def test_a_wave_with_too_few_answers_says_so():
    row = difference(frame(np.nan, np.nan, 1, 2, "too few answers"), frame(0.56, 0.04, 16, 17)).iloc[0]
    assert np.isnan(row["estimate"]) and row["reason"] == row["reliability"] == "too few answers"


def test_burden_change_is_late_less_early(tmp_path):
    """T01: 4 of 10 lighter, then 7 of 10 (one cannot say counts in the base): .3. T02: 5 of 10 both times."""
    towns = ["T01"] * 10 + ["T02"] * 10
    early = staff(towns, S13=[1, 1, 2, 2, 3, 3, 4, 5, 5, 98] + [1, 3] * 5)
    late = staff(towns, "2024", S13=[1, 1, 1, 2, 2, 2, 2, 3, 5, 98] + [3, 2] * 5)
    rows = facts(change.find(study(tmp_path, {"staff": [early, late]}, 2)), "B05", "change").set_index("place")
    assert rows["estimate"].to_dict() == pytest.approx({"T01": 0.3, "T02": 0.0, "county": 0.15})
    left, n = 1 - 10 / 40, 10  # finite population of 40
    v0, v1 = (p * (1 - p) / (n - 1) * left for p in (0.4, 0.7))
    assert rows.loc["T01", "se"] == pytest.approx(np.sqrt(v0 + v1))
    assert set(rows["wave"]) == {"2024"}


def test_one_wave_has_no_change(tmp_path):
    one = staff(["T01"] * 10, S13=[1] * 10)
    assert change.find(study(tmp_path, {"staff": [one]}, 1)).frame().empty


# --- the campaign -----------------------------------------------------------------------------------------------------


def campaign(tmp_path, counts, more=CAMPAIGN, size=30, **waves):
    towns, answers = aware_of(counts, size)
    parts = [residents(towns, R09=answers)]
    parts += [residents(towns, wave[1:], R09=aware_of(later, size)[1]) for wave, later in waves.items()]
    return change.find(study(tmp_path, {"resident": parts}, len(counts), more=more))


def test_one_town_of_six_cannot_be_significant(tmp_path):
    """T01 24/30 = .8, the others .2, .3, .4, .5, .6 (mean .4): difference .4, most extreme of six: p = 1/6."""
    found = campaign(tmp_path, [24, 6, 9, 12, 15, 18])
    gap, p = facts(found, "S11", "campaign: difference").iloc[0], facts(found, "S11", "campaign: p").iloc[0]
    assert gap["estimate"] == pytest.approx(0.4) and gap["place"] == "county" and gap["n"] == 6
    assert gap["low"] < 0.4 < gap["high"] and gap["se"] >= np.sqrt(0.16 / 30)  # at least T01's own
    assert p["estimate"] == pytest.approx(1 / 6) and p["reason"] == "smallest p: .167"
    assert p["remark"] == gap["remark"] == "association"
    assert found.tables["campaign"][["smallest_p", "treated"]].iloc[0].tolist() == pytest.approx([1 / 6, 1])


def test_p_counts_the_choices_that_differ_as_much(tmp_path):
    """Shares .5 (T01), .1, .2, .3, .4, .9: T01 - rest = .5 - .38 = .12; as far from the rest or farther: .1, .2, .9 and itself.

    Gaps: .1 - .46 = -.36, .2 - .44 = -.24, .3 - .42 = -.12, .4 - .40 = 0, .9 - .30 = .6: with -.12 five of six.
    """
    p = facts(campaign(tmp_path, [15, 3, 6, 9, 12, 27]), "S11", "campaign: p").iloc[0]
    assert p["estimate"] == pytest.approx(5 / 6)


def test_two_towns_of_eight_can_be(tmp_path):
    """8 choose 2 = 28 choices: the most extreme has p = 1/28 = .036, and no reason is given why it could not be."""
    more = CAMPAIGN.replace('"T01"', '"T01", "T02"')
    p = facts(campaign(tmp_path, [27, 24, 6, 9, 12, 6, 9, 12], more), "S11", "campaign: p").iloc[0]
    assert p["estimate"] == pytest.approx(1 / 28) and p["reason"] == ""


def test_change_of_the_campaigns_town(tmp_path):
    """T01 .4 to .8; the five others .4 to .5: .4 - .1 = .3. Both waves came after the campaign: said."""
    found = campaign(tmp_path, [12] * 6, _2024=[24] + [15] * 5)
    gap = facts(found, "S11", "campaign: difference of change").iloc[0]
    assert gap["estimate"] == pytest.approx(0.3) and gap["wave"] == "2024"
    assert gap["reason"] == "no wave before the campaign"
    between = campaign(tmp_path, [12] * 6, CAMPAIGN.replace("2022-11-01", "2023-11-01"), _2024=[24] + [15] * 5)
    assert facts(between, "S11", "campaign: difference of change").iloc[0]["reason"] == ""


@pytest.mark.parametrize("more", ["", '\n[campaign]\ntowns = ["T99"]\n', f"\n[campaign]\ntowns = {ids(6)}\n"])
def test_without_both_kinds_of_town_nothing_is_compared(tmp_path, more):
    found = campaign(tmp_path, [12] * 6, more)
    assert facts(found, "S11", "campaign: p").empty and "campaign" not in found.tables


def test_a_town_with_few_answers_takes_part(tmp_path):
    towns, answers = aware_of([24, 6, 9, 12, 15, 18], 30)
    kept = [k for k, town in enumerate(towns) if town != "T06" or k % 6 == 0]
    rows = residents([towns[k] for k in kept], R09=[answers[k] for k in kept])
    found = change.find(study(tmp_path, {"resident": [rows]}, 6, more=CAMPAIGN))
    assert facts(found, "S11", "campaign: p").iloc[0]["n"] == 6


def test_satterthwaite():
    """Variances .0009 at 9 and .0016 at 16: se .05, df 25; one that is known adds none: .0025^2/(.0009^2/9) = 69.4."""
    assert satterthwaite(np.array([0.0009, 0.0016]), np.array([9.0, 16.0])) == pytest.approx((0.05, 25))
    assert satterthwaite(np.array([0.0009, 0.0016]), np.array([9.0, np.inf])) == pytest.approx((0.05, 625 / 9))
    assert satterthwaite(np.array([0.0025]), np.array([np.inf]))[1] == change.ENDLESS
