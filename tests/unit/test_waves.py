"""Changes between two waves of independent samples, by hand."""

import numpy as np
import pandas as pd
import pytest
from surveys_stand_in import register, staff

from huying.survey import independent_sum
from run_notebook import StandIn

WAVES = "".join(f"[wave.{year}]\nfrom = {year}-05-08\nto = {year}-06-02\n" for year in (2023, 2024))


def frame(estimate, se, df, n, reason=""):
    return pd.DataFrame({"place": ["T01"], "estimate": [estimate], "se": [se], "df": [df], "n": [n], "reason": [reason],
                         "n_eff": [9.0], "deff": [1.0], "method": "t", "low": 0.0, "high": 1.0, "reliability": "ok"})  # fmt: skip


def test_difference_of_independent_waves():
    """se^2 = .03^2 + .04^2 = .05^2; df = .05^4 / (.03^4/9 + .04^4/16) = 6.25e-6 / 2.5e-7 = 25; t(.975, 25) = 2.0595."""
    row = independent_sum(frame(0.56, 0.04, 16, 17), frame(0.50, 0.03, 9, 10), -1.0).iloc[0]
    assert [row["estimate"], row["se"], row["df"], row["n"]] == pytest.approx([0.06, 0.05, 25, 10])
    assert [row["low"], row["high"]] == pytest.approx([0.06 - 0.102977, 0.06 + 0.102977], abs=1e-6)
    assert row["reliability"] == "ok"


def test_a_wave_with_too_few_answers_says_so():
    row = independent_sum(frame(0.56, 0.04, 16, 17), frame(np.nan, np.nan, 1, 2, "too few answers"), -1.0).iloc[0]
    assert np.isnan(row["estimate"]) and row["reason"] == row["reliability"] == "too few answers"


def test_a_sum_of_independent_samples_adds_and_keeps_the_first_reason():
    first, second = frame(0.5, 0.03, 9, 10, "one psu"), frame(0.2, 0.04, 16, 8, "no variation")
    row = independent_sum(first, second.assign(method="count")).iloc[0]
    assert [row["estimate"], row["se"], row["n"]] == pytest.approx([0.7, 0.05, 8])
    assert (row["reason"], row["method"]) == ("one psu", "t")
    elsewhere = independent_sum(frame(0.5, 0.03, 9, 10), second.assign(place="T02")).iloc[0]
    assert np.isnan(elsewhere["estimate"]) and elsewhere["reason"] == ""


@pytest.mark.parametrize(
    ("se", "df", "wanted"),
    [
        ((0.0, 0.0), (9, 16), 9),  # without a spread the fewer degrees of the two
        ((0.03, 0.0), (9, 16), 9),  # all of the spread is of the first: its degrees
        ((0.03, 0.03), (0, 16), 4 * 16),  # Welch with one term: (2 v)^2 / (v^2 / 16)
    ],
)
def test_degrees_of_freedom_of_two_waves(se, df, wanted):
    row = independent_sum(frame(0.5, se[0], df[0], 10), frame(0.5, se[1], df[1], 10), -1.0).iloc[0]
    assert row["df"] == pytest.approx(wanted)


def county(folder, *forms):
    return StandIn(folder, {"towns": register(2)}, {"staff": pd.concat(forms, ignore_index=True)}, WAVES)


def test_burden_change_is_late_less_early(tmp_path):
    """T01: 4 of 10 lighter, then 7 of 10 (one cannot say counts in the base): .3. T02: 5 of 10 both times."""
    towns = ["T01"] * 10 + ["T02"] * 10
    early = staff(towns, S13=[1, 1, 2, 2, 3, 3, 4, 5, 5, 98] + [1, 3] * 5)
    late = staff(towns, "2024", S13=[1, 1, 1, 2, 2, 2, 2, 3, 5, 98] + [3, 2] * 5)
    now = (here := county(tmp_path, early, late)).survey("staff")
    rows = now.change("lighter", since=here.previous(now)).set_index("place")
    assert rows["estimate"].to_dict() == pytest.approx({"T01": 0.3, "T02": 0.0, "county": 0.15})
    left, n = 1 - 10 / 40, 10  # finite population of 40
    v0, v1 = (p * (1 - p) / (n - 1) * left for p in (0.4, 0.7))
    assert rows.loc["T01", "se"] == pytest.approx(np.sqrt(v0 + v1))
    assert set(rows["wave"]) == {"2024"}


def test_one_wave_has_no_change(tmp_path):
    here = county(tmp_path, staff(["T01"] * 10, S13=[1] * 10))
    now = here.survey("staff")
    rows = now.change("lighter", since=here.previous(now))
    assert rows["estimate"].isna().all() and set(rows["reason"]) == {"no baseline"}
