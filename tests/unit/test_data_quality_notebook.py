"""The notebooks on data quality and on a county's own claims, on small counties by hand."""

import pandas as pd
import pytest
from surveys_stand_in import aware_of, margins, opened, residents, staff

from run_notebook import StandIn, judged, run_notebook

OWN = """
[[indicator]]
name = "polite"
form = "resident"
when = "agree_courteous >= 4"
zh = "窗口态度好"
en = "polite staff"

[[claim]]
id = "Z01"
indicator = "polite"
zh = "多数人认为窗口态度好"
en = "Most find the staff polite"
quantifier = "MOST"
threshold = 0.5
problem_if = "not supported"
n_of = "residents"
town = { zh = "{place}甲", en = "{place} A" }
base = { zh = "居民", en = "residents" }
estimand = { zh = "比例", en = "share" }
notebook = ""
"""


@pytest.fixture
def quality(tmp_path):
    """What notebook 00 leaves behind. Two towns of 32: one refused, two duplicates, three comments; 12 staff."""
    towns, answers = aware_of([24, 8], 32)
    words = ["谢谢"] * 2 + ["办事很快"] + [None] * 61
    rows = residents(towns, R09=answers, R26=words, villages=4).assign(seconds=300)
    rows.loc[0, "disposition"] = "refused"
    county = opened(tmp_path, {"resident": [rows], "staff": [staff(["T01"] * 12)]}, 2, {("margins", ""): margins(2)},
                    flags=["resident2023#5", "resident2023#40"])  # fmt: skip
    return run_notebook("00", county, wave="2023")[0]


def test_every_form_has_its_ending(quality):
    ended = quality["endings"].groupby(["form", "ending"])["n"].sum().to_dict()
    assert ended == {
        ("resident", "complete"): 61,
        ("resident", "excluded"): 2,
        ("resident", "refused"): 1,
        ("staff", "complete"): 12,
    }


def test_flags_are_counted_by_form_and_wave(quality):
    assert quality["marks"].to_dict() == {"2023": {("resident", "duplicate"): 2}}


def test_comments_are_counted_and_not_shown(quality):
    """Two of two characters and one of four; the first writer refused the form, so that one of two is left."""
    counted = quality["comments"].groupby(quality["everybody"].frame["town"]).sum()
    assert counted.loc["T01"].to_dict() == {"n_forms": 31, "n_written": 2, "n_characters": 6}
    assert counted.loc["T02", "n_written"] == 0


def test_the_headlines_are_reckoned_in_three_ways(quality):
    rows = quality["rows"].query("measure == 'aware'").set_index("choice")
    assert rows["n"].to_dict() == {"as_analysed": 61, "no_row_excluded": 63, "unweighted": 61}
    assert len(quality["side"]) == len(quality["rows"]) == 6


def test_it_runs_where_nothing_was_asked(tmp_path):
    names, _ = run_notebook("00", StandIn(tmp_path, {}))
    assert set(names["rows"]["reason"]) == {"not asked"} and not len(names["marks"])


def test_own_claims_are_judged_in_one_loop(tmp_path):
    (tmp_path / "claims.toml").write_text(OWN, "utf-8")
    towns, _ = aware_of([24, 6], 30)
    county = opened(tmp_path, {"resident": [residents(towns, R24_c=[5, 4, 3, 4, 5, 4] * 10)]}, 2)
    names, printed = run_notebook("41", county, wave="2023")
    assert (
        "polite staff (polite): agree_courteous >= 4." in printed
        and "Z01 A: Most find the staff polite: supported. 2023 survey: polite staff: 83% (" in printed
    )
    rows = names["county"].recorded
    assert rows["place"].tolist() == ["T01", "T02", "county"] and rows["estimate"].tolist() == pytest.approx(
        [5 / 6] * 3
    )


def test_a_county_without_own_claims_records_nothing(tmp_path):
    rows = judged("41", StandIn(tmp_path, {}))
    assert isinstance(rows, pd.DataFrame) and not len(rows)
