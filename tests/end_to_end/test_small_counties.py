"""A county with few files still runs: its notebooks say what they lack, its claims name the missing ledger."""

import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from huying.gallery import FIGURES, draw
from huying.reading import open_place

DEMO = Path(__file__).parents[2] / "survey_data" / "demo"
HEAD = """[county]
id = "small"
name_zh = "小县"
name_en = "Small County"
is_synthetic = true
sampling = "quota"

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06

[[ledger]]
table = "towns"
file = "towns.csv"
"""
CALLS = '[[ledger]]\ntable = "calls"\nfile = "calls_2022.xlsx"\nperiod = "2022"\n'
RESIDENTS = """[[survey]]
form = "resident"
wave = "2023"
reader = "wjx"
text = "residents_2023_utf16_text.txt"
number = "residents_2023_utf16_number.txt"
"""


def make(folder, *parts):
    folder.mkdir()
    for file in ("towns.csv", "calls_2022.xlsx", "residents_2023_utf16_text.txt", "residents_2023_utf16_number.txt"):
        shutil.copy(DEMO / "raw" / file, folder / file)
    (folder / "county.toml").write_text("\n".join((HEAD, *parts)), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("part", "lacking", "drawn"),
    [(RESIDENTS, "B07", "awareness"), (CALLS, "P16", "waiting"), ("", "P13", "")],
    ids=["residents", "calls", "towns"],
)
def test_a_county_with_one_file_draws_what_it_has_and_says_what_it_lacks(tmp_path, capsys, part, lacking, drawn):
    here = open_place(make(tmp_path / "small", part), "T14", "2023", "en")
    for name in FIGURES:
        figure = draw(here, name)
        assert figure is not None or f"no data for the chart {name}" in capsys.readouterr().out
        assert figure is not None or name != drawn
    plt.close("all")
    row = here.row(lacking)
    assert (row["verdict"], row["reason"][:8]) == ("cannot say", "no data:")
    assert ("no survey of residents" if lacking == "P16" else "no ledger of") in here.verdict(lacking)
    for table in (
        here.endings("resident", "staff"),
        here.flag_counts(),
        here.weight_table(),
        here.rejected_reasons(),
        here.files(),
    ):
        assert isinstance(table, pd.DataFrame)
    assert "quota sample" in here.limits()


def test_a_quota_sample_says_so_wherever_it_is_shown(tmp_path):
    here = open_place(make(tmp_path / "small", RESIDENTS), "county", "2023", "en")
    assert "quota sample: every interval assumes" in here.heading()
    assert "the verdict holds among respondents" in here.verdict("P16")
    figure = draw(here, "awareness")
    assert "every interval assumes" in " ".join(text.get_text() for text in figure.findobj(plt.Text)).replace("\n", " ")
    plt.close("all")


def test_nothing_of_a_file_that_the_county_no_longer_has_is_shown(tmp_path, capsys):
    folder = make(tmp_path / "small", CALLS)
    assert draw(open_place(folder, "T14", "2023", "en"), "waiting") is not None
    (Path(folder) / "county.toml").write_text(HEAD, encoding="utf-8")
    here = open_place(folder, "T14", "2023", "en")
    assert draw(here, "waiting") is None
    assert not list((here.folder / "data" / "ledgers").glob("calls*"))
    assert {path.name for path in here.folder.glob("*.csv")} == {
        "evidence.csv",
        "rejected.csv",
        "flags.csv",
        "counts.csv",
    }
    plt.close("all")
