"""A county that defines a variable otherwise gets another number everywhere: share, verdict, chart and recorded row."""

from contextlib import nullcontext

import pytest
from part_of_demo import copy_part
from test_frozen_evidence import read_frozen

import huying as hy
from run_notebook import cells_of, run_notebook

WAVE, TOWN = "2023", "T07"
OWN = """
[[indicator]]
name = "aware"
form = "resident"
when = "heard_reform in read, told"
unknown = "counts"
zh = "知晓改革"
en = "aware of the reform"
"""  # the house counts who knows the name only, too


OTHERS = {
    n for n, source in enumerate(cells_of("11")) if "hy.charts.save(" in source and '"awareness"' not in source
}  # the cells that draw something else


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What notebook 11 leaves behind where who knows the reform by its name only is not aware of it."""
    folder = copy_part(tmp_path_factory.mktemp("altered") / "demo", wave=WAVE)
    (folder / "indicators.toml").write_text(OWN, "utf-8")
    drawn = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
        patch.setattr("huying.charts.save", lambda ax, name, place="": drawn.update({name: ax}))
        names, printed = run_notebook(
            "11", folder, TOWN, WAVE, "en", watch=lambda n, names: nullcontext(n not in OTHERS)
        )
    return names, printed, drawn


@pytest.fixture(scope="module")
def before():
    rows = read_frozen()
    own = rows[(rows["claim"] == "P16") & (rows["wave"] == WAVE) & (rows["part"] == "")]
    return own.set_index("place")


def test_the_definition_is_printed(seen):
    assert "aware of the reform (aware): heard_reform in read, told; who cannot say counts as not." in seen[1]


def test_the_share_is_another(seen, before):
    share = seen[0]["aware"].set_index("place")["estimate"]
    assert share["county"] < before.loc["county", "estimate"] - 0.05
    assert share[TOWN] < before.loc[TOWN, "estimate"]


def test_the_verdict_is_another(seen, before):
    verdict = seen[0]["knows"]
    assert before.loc[TOWN, "verdict"] == "cannot say" and verdict.row["verdict"] == "supported"
    share = seen[0]["aware"].set_index("place").loc[TOWN, "estimate"]
    told = f"supported, {100 * share:.0f}%"
    assert verdict.title == f"Awareness of the reform among residents of Median Town is not high: {told}"


def test_the_chart_shows_the_new_value(seen, before):
    ax, share = seen[2]["awareness"], seen[0]["aware"].set_index("place")["estimate"]
    points = {round(x, 9) for mark in ax.collections if mark.get_gid() == "estimate" for x, _ in mark.get_offsets()}
    assert round(share[TOWN], 9) in points and round(before.loc[TOWN, "estimate"], 9) not in points
    title = " ".join(ax.get_title(at) for at in ("left", "center", "right"))
    assert f"supported, {100 * share[TOWN]:.0f}%" in title.replace("\n", " ")


def test_the_recorded_row_is_the_new_one(seen):
    rows = seen[0]["county"].recorded
    own = rows[(rows["claim"] == "P16") & (rows["part"] == "")].set_index("place")["estimate"]
    share = seen[0]["aware"].set_index("place")["estimate"]
    assert own.drop("T12").to_dict() == share.drop("T12").to_dict()  # T12: too few answers


def test_what_does_not_rest_on_it_is_as_before(seen):
    rows, frozen = seen[0]["county"].recorded, read_frozen()
    now, was = (
        table[(table["claim"] == "P17") & (table["wave"] == WAVE) & (table["part"] == "")] for table in (rows, frozen)
    )
    assert now.set_index("place")["estimate"].to_dict() == pytest.approx(
        was.set_index("place")["estimate"].to_dict(), nan_ok=True
    )


def test_the_verdict_says_that_the_definition_is_another():
    county = hy.county("demo", lang="en")
    people = county.survey("resident", wave="2023")
    as_declared = county.judge("P16", people.share("aware"), place="T07")
    assert "definition" not in repr(as_declared)
    altered = county.judge("P16", people.derive("aware", "heard_reform in read, told").share("aware"), place="T07")
    assert repr(altered).count("By a definition other than the declared one.") == 2
    again = people.derive("aware", "heard_reform in read, told, name_only", unknown="counts")
    assert "definition" not in repr(county.judge("P16", again.share("aware"), place="T07"))
