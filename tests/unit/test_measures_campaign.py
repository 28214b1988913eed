"""The campaign's towns beside the others, by hand."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import aware_of, ids, register, residents

from huying.measures import recommendations as measures
from huying.measures.recommendations import satterthwaite
from run_notebook import StandIn, judged

WAVES = "".join(f"[wave.{year}]\nfrom = {year}-05-08\nto = {year}-06-02\n" for year in (2023, 2024))
CAMPAIGN = '[campaign]\ntowns = ["T01"]\non = 2022-11-01\n'


@pytest.fixture
def held(tmp_path):
    """The rows of the campaign's parts that the cells of the notebook judge, by part: `counts` aware of `size` in each town."""

    def make(counts, more=CAMPAIGN, size=30, later=(), keep=lambda k, town: True):
        forms, last = [], "2023"
        for wave, aware in (("2023", counts), ("2024", later)):
            towns, answers = aware_of(aware, size)
            kept = [k for k, town in enumerate(towns) if keep(k, town)]
            if kept:
                forms.append(residents([towns[k] for k in kept], wave, R09=[answers[k] for k in kept]))
                last = wave
        people = {"resident": pd.concat(forms, ignore_index=True)}
        here = StandIn(tmp_path, {"towns": register(len(counts))}, people, WAVES + more)
        rows = judged("21", here, last, claims=["S11"])
        return rows[rows["part"].str.startswith("campaign")].set_index("part")

    return make


def test_one_town_of_six_cannot_be_significant(held):
    """T01 24/30 = .8, the others .2, .3, .4, .5, .6 (mean .4): difference .4, most extreme of six: p = 1/6."""
    rows = held([24, 6, 9, 12, 15, 18])
    gap, p = rows.loc["campaign_difference"], rows.loc["campaign_p"]
    assert gap["estimate"] == pytest.approx(0.4) and gap["place"] == "county" and gap["n"] == 6
    assert gap["low"] < 0.4 - np.sqrt(0.16 / 30) and gap["high"] > 0.4  # at least T01's own standard error
    assert p["estimate"] == pytest.approx(1 / 6) and p["reason"] == "smallest p: .167"
    assert all("association" in row["remark"] for row in (p, gap))


def test_p_counts_the_choices_that_differ_as_much(held):
    """Shares .5 (T01), .1, .2, .3, .4, .9: T01 - rest = .5 - .38 = .12; as far from the rest or farther: .1, .2, .9 and itself.

    Gaps: .1 - .46 = -.36, .2 - .44 = -.24, .3 - .42 = -.12, .4 - .40 = 0, .9 - .30 = .6: with -.12 five of six.
    """
    assert held([15, 3, 6, 9, 12, 27]).loc["campaign_p", "estimate"] == pytest.approx(5 / 6)


def test_two_towns_of_eight_can_be(held):
    """8 choose 2 = 28 choices: the most extreme has p = 1/28 = .036, and no reason is given why it could not be."""
    more = CAMPAIGN.replace('"T01"', '"T01", "T02"')
    p = held([27, 24, 6, 9, 12, 6, 9, 12], more).loc["campaign_p"]
    assert p["estimate"] == pytest.approx(1 / 28) and p["reason"] == ""


def test_change_of_the_campaigns_town(held):
    """T01 .4 to .8; the five others .4 to .5: .4 - .1 = .3. Both waves came after the campaign: said."""
    gap = held([12] * 6, later=[24] + [15] * 5).loc["campaign_difference_of_change"]
    assert gap["estimate"] == pytest.approx(0.3) and gap["wave"] == "2024"
    assert gap["reason"] == "no wave before the campaign"


def test_a_campaign_between_two_waves_needs_no_excuse(held):
    between = held([12] * 6, CAMPAIGN.replace("2022-11-01", "2023-11-01"), later=[24] + [15] * 5)
    assert between.loc["campaign_difference_of_change", "reason"] == ""


@pytest.mark.parametrize("more", ["", '[campaign]\ntowns = ["T99"]\n', f"[campaign]\ntowns = {ids(6)}\n"])
def test_without_both_kinds_of_town_nothing_is_compared(held, more):
    rows = held([12] * 6, more).loc[["campaign_difference", "campaign_p"]]
    assert rows["estimate"].isna().all() and set(rows["reason"]) == {"no campaign to compare"}


def test_a_town_with_few_answers_takes_part(held):
    rows = held([24, 6, 9, 12, 15, 18], keep=lambda k, town: town != "T06" or k % 6 == 0)
    assert rows.loc["campaign_p", "n"] == 6


def test_satterthwaite():
    """Variances .0009 at 9 and .0016 at 16: se .05, df 25; one that is known adds none: .0025^2/(.0009^2/9) = 69.4."""
    assert satterthwaite(np.array([0.0009, 0.0016]), np.array([9.0, 16.0])) == pytest.approx((0.05, 25))
    assert satterthwaite(np.array([0.0009, 0.0016]), np.array([9.0, np.inf])) == pytest.approx((0.05, 625 / 9))
    assert satterthwaite(np.array([0.0025]), np.array([np.inf]))[1] == measures.ENDLESS
