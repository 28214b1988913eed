"""Nobody can read a leader's answer from what the notebooks give out; and a leak that is planted is found."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import (
    ALL_TOWNS,  # fmt: skip
    FEW_DRAWS,
    LETTERS,
    agencies,
    changes,
    county,
    documents,
    form,
    leaders,
    register,
)
from leaders_leaks import (
    HEARING,  # fmt: skip
    bits,
    interference,
    leaks_in,
    leaks_in_tables,
    recognised,
    shuffled,
    telling,
    true_vectors,
    truth_of,
)

from huying.codebook import Codebook
from huying.estimates import COUNTY
from huying.store import write_parquet
from huying.words import EstimateError

TWELVE = "12_dispatched_agencies"
NAMES = dict(zip(ALL_TOWNS, (f"Town {k}" for k in "ABCDEFGHIJKLMNOPQR"), strict=True))


def answers(n=54, seed=7):
    """Leaders of eighteen towns who answer at random."""
    rng = np.random.default_rng(seed)
    given = {
        f"L06_{k}_{task}": list(rng.choice([1, 2, 3, 4, 5, 98], n)) for k in LETTERS for task in ("core", "urgent")
    }
    given |= {f"L03_{k}": list(rng.choice([1, 2], n)) for k in LETTERS}
    given |= {f"{item}_{k}": list(rng.choice([1, 2, 3, 98], n)) for item in ("L04", "L05") for k in LETTERS}
    given |= {f"L09_{k}": list(rng.choice([1, 2, 3], n)) for k in LETTERS}
    support = {f"L11_{k}_{side}": list(rng.integers(1, 6, n)) for k in LETTERS for side in ("importance", "adequacy")}
    return {
        **given,
        **support,
        "L07": list(rng.choice([1, 2, 3, 4, 98], n)),
        "L08": [f"这样做的理由之{k}" for k in range(n)],
    }


def ledgers_and_forms():
    rng = np.random.default_rng(3)
    rated = {f"S19_{k}": list(rng.choice([1, 2, 3, 4, 5, 98], 144)) for k in LETTERS}
    staff = form(
        "staff", [town for town in ALL_TOWNS for _ in range(8)], S09=list(rng.choice([1, 2, 3, 4, 5], 144)), **rated
    )
    rows = [
        (ALL_TOWNS[k % 18], f"2022-{1 + k % 12:02d}-05", "none" if k % 3 else "oral", None, None) for k in range(41)
    ]
    ledgers = {"agencies": agencies(), "agency_events": changes(rows), "documents": documents()}
    return ledgers, {"leader": leaders(18, **answers()), "staff": staff}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Gives the county of eighteen towns opened anew, its leaders where they are or dealt to other towns; each has its surveys made once."""
    surveys, folder = {True: {}, False: {}}, tmp_path_factory.mktemp("county")

    def make(is_dealt=False):
        here = county(folder, *ledgers_and_forms(), n_towns=18)
        here.surveys_made = surveys[is_dealt]
        if is_dealt:
            here.__dict__["cleaned"] = shuffled(here.cleaned)
        return here

    return make


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_frame_tells_no_town_and_no_row_of_the_file(made):
    survey = made().survey("leader")
    told = survey.frame.rename_axis("person").reset_index().astype(str)
    assert not told.isin([*NAMES, *NAMES.values()]).to_numpy().any() and len(told) == 54
    assert not told.apply(lambda column: column.str.contains("#")).to_numpy().any()


@pytest.mark.parametrize(
    "told", [{"role": ""}, {"options_from": ""}], ids=["without a role", "with options of its own"]
)
def test_a_question_that_names_the_town_is_left_out_however_it_is_declared(made, told):
    here = made()
    where = next(item for item in here.book.form("leader") if item.role == "town")
    here.__dict__["book"] = Codebook({**here.book.items, where.id: replace(where, **told)})
    here.surveys_made = {}
    assert where.options_from == "towns" and where.name not in here.survey("leader").frame


def test_the_rows_stand_in_no_order(made):
    """In the export each town's three stand beside each other; here hardly a pair does."""
    survey = made().survey("leader")
    town = survey._town.to_numpy()
    assert (town[1:] == town[:-1]).sum() <= 6  # by chance 53 x 2/53 = 2
    offices = survey.frame["position"].to_numpy()
    assert set(offices[:18]) != {"party_secretary"} and len(set(offices[:9])) > 1


@pytest.mark.parametrize("by", ["town", ["town", "position"]])
def test_a_town_is_refused_or_left_out(made, by):
    survey = made().survey("leader")
    if by == "town":
        assert set(survey.share("prefers_as_now", by=by)["place"]) == {COUNTY}
    else:
        with pytest.raises(EstimateError, match="only the county"):
            survey.share("prefers_as_now", by=by)


@pytest.mark.parametrize("tally", [
    lambda frame, town: frame["prefers_as_now"].groupby(town).mean().rename_axis("place").reset_index(),
    lambda frame, town: pd.DataFrame({"place": [COUNTY], "estimate": [0.5], "remark": [town.iloc[0]]}),
])  # fmt: skip
def test_what_is_tallied_by_town_comes_out_for_the_county_alone(made, tally):
    with pytest.raises(EstimateError, match="only the county"):
        made().survey("leader").by_town(tally)


def test_few_people_are_not_told_also_with_many_ratings_each(made):
    """One leader who rates five agencies gives five ratings, and would still be one leader."""
    survey = made().survey("leader")
    survey.frame["number"] = range(54)
    for few in ("number < 4", "number < 1"):
        row = survey.share("cooperates_core_*", by=None, where=few, pooled="core").iloc[0]
        assert np.isnan(row["estimate"]) and np.isnan(row["low"]) and row["reason"] == "too few answers"
    assert survey.share("cooperates_core_*", by=None, where="number < 20", pooled="core")["n"].item() == 100


# --- asked twice ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twelve(made):
    """Gives what notebook 12 tells of a place."""
    return telling(TWELVE, made, FEW_DRAWS)


@pytest.mark.parametrize("name", HEARING)
def test_nothing_but_the_countys_figures_hears_the_leaders(made, twelve, name):
    """The county's run holds every frame."""
    assert interference(twelve if name == TWELVE else telling(name, made), NAMES) == []


@pytest.mark.slow
def test_no_town_hears_the_leaders(twelve):
    """One town's run, of the notebook that has most of their frames; `make test` asks it of the demo county."""
    assert interference(twelve, NAMES, ["T01"]) == []


def test_the_shuffle_reaches_what_leaders_feed(twelve):
    """So that silence elsewhere means something: the agreement of leaders and staff hangs on who sits where."""
    kappa = []
    for rows in (twelve(False, COUNTY)[0], twelve(True, COUNTY)[0]):
        kappa.append(rows.loc[rows["part"] == "weighted_kappa", "estimate"].item())
        fed = rows["claim"].isin(["P26", "P27", "P28"]) | rows["part"].str.contains("leader")
        assert fed.sum() > 20 and set(rows.loc[fed, "place"]) == {COUNTY}
    assert kappa[0] != kappa[1]


FORM = 'form = county.cleaned.forms["leader"]\nkeep = (form["L07"] == 1).astype(float).groupby(form["town_id"]).agg(["sum", "count"])\n'
ROWS = "rows = county.values(keep['sum'] / keep['count'], n=keep['count'])\n"
LEAKS = {
    "rows of a claim by town": ROWS + "county.judge('P28', rows, part='mayor', place=town)",
    "rows of another claim by town": ROWS + "county.judge('P23', rows, part='notable', place=town)",
    "a table by town": "innocent = keep.reset_index()",
    "a table in a dict": "innocent = {'x': keep}",
    "an anonymous list": "import numpy as np\ninnocent = pd.DataFrame({'x': np.sort(keep['sum'].to_numpy())})",
    "a chart": "ax = hy.charts.bars(keep)",
    "a printed line": "print(county.town_ids[0], keep['sum'].iloc[0], form.loc[form['town_id'] == 'T01', 'L06_a_core'].tolist())",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_heard(made, leak):
    assert interference(telling(FORM + LEAKS[leak], made), NAMES)


def test_lines_that_keep_to_the_county_are_no_leak(made):
    honest = "leaders = county.survey('leader')\nrows = leaders.share('prefers_*', by=None)\nprint(rows, county.town_ids)\ndel leaders"
    assert interference(telling(honest, made), NAMES) == []


# --- read with the true answers in hand -------------------------------------------------------------------------------


def write_notebook(folder, text, html="", rows=()):
    kind = "application/vnd.huying.evidence+json"
    outputs = [
        {"output_type": "stream", "text": [text]},
        {"output_type": "display_data", "data": {"text/html": [html], kind: list(rows)}},
    ]
    (folder / "12_x.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "outputs": outputs}]}), "utf-8")


@pytest.fixture(scope="module")
def told(made, twelve):
    """What notebook 12 says of the county of eighteen towns, and the truth about its leaders."""
    return *twelve(False, COUNTY), truth_of(made().cleaned)


@pytest.fixture
def results(told, tmp_path):
    """A folder of results as a run writes it."""
    rows, _, printed, _ = told
    write_parquet(tmp_path / "evidence.parquet", rows)
    rng = np.random.default_rng(3)
    lines = [f"Town {chr(65 + k)}  {rng.random():.2f}  {rng.integers(9)}" for k in range(18)]
    write_notebook(tmp_path, printed + "\n".join(lines))
    return tmp_path


def test_honest_results_show_nothing(results, told):
    assert leaks_in(results, told[3]) == []


def test_honest_frames_show_nothing(told):
    vectors, towns, _ = told[3]
    assert leaks_in_tables(told[1], vectors, towns) == []


def by_town(cell="L06_a_core"):
    rows = ledgers_and_forms()[1]["leader"]
    return rows[cell].astype(float).groupby(rows["town_id"]).mean().dropna()


def plant_evidence(results, **columns):
    evidence, means = pd.read_parquet(results / "evidence.parquet"), by_town()
    rows = evidence.iloc[:1].loc[evidence.index[:1].repeat(len(means))].assign(
        place=means.index, estimate=means.to_numpy(), low=np.nan, high=np.nan, n=8.0, **columns)  # fmt: skip
    write_parquet(results / "evidence.parquet", pd.concat([evidence, rows], ignore_index=True))


def carried():
    return [{"claim": "P16", "place": town, "estimate": value, "n": 8} for town, value in by_town().items()]


PLANTS = {
    "a claim fed by leaders, by town": (lambda r: plant_evidence(r, claim="P26", part="", wave="2023"), "P26  at T01"),
    "a part that names them": (lambda r: plant_evidence(r, claim="P23", part="leaders_say"), "P23 leaders_say at T01"),
    "under another claim": (lambda r: plant_evidence(r, claim="P16", part="content"), "L06_a_core mean"),
    "a sentence": (lambda r: write_notebook(r, "P28｜丁镇｜主张维持现状：支持"), "P28｜丁镇"),
    "an open answer": (lambda r: write_notebook(r, "有人说：这样做的理由之7"), "an open answer"),
    "printed numbers": (lambda r: write_notebook(r, "\n".join(f"{NAMES[t]}  12  {v:.2f}" for t, v in by_town().items())), "number 2"),
    "a printed table": (
        lambda r: write_notebook(r, "", "<table>" + "".join(f"<tr><td>{t}</td><td>{v:.3f}</td></tr>" for t, v in by_town().items())), "number 1"),
    "rows that a cell carries": (lambda r: write_notebook(r, "", rows=carried()), "number 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_leak_is_found(results, told, name):
    plant, said = PLANTS[name]
    plant(results)
    leaks = leaks_in(results, told[3])
    assert any(said in leak for leak in leaks), leaks


TABLES = {
    "by name, as per cent": (lambda: pd.DataFrame({"name": by_town().rename(NAMES).index, "x": 100 * by_town().to_numpy()}), "L06_a_core mean"),
    "a long one among others": (
        lambda: pd.concat([pd.DataFrame({"town_id": by_town(c).index, "what": c[-6:], "value": by_town(c).to_numpy()})
                           for c in ("L07", "L06_b_urgent")], ignore_index=True), "L07 mean"),
    "a column of the form": (lambda: pd.DataFrame({"L07": [1, 2, 1]}), "frame: column L07"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_planted_table_is_found(told, name):
    table, said = TABLES[name]
    vectors, towns, _ = told[3]
    assert any(said in leak for leak in leaks_in_tables([table()], vectors, towns))


def test_a_match_must_be_surprising():
    """18 towns of which one differs: 18 orders, log2(18) = 4.17 bits; all different: log2(18!) = 52.5 bits."""
    assert bits(np.r_[np.zeros(17), 1]) == pytest.approx(np.log2(18))
    assert bits(np.arange(18.0)) == pytest.approx(np.log2(float(np.prod(np.arange(1, 19, dtype=float)))))
    flat = pd.Series(np.r_[np.zeros(17), 1], index=ALL_TOWNS)
    assert recognised(flat, flat.to_frame("x")) == ""
    assert recognised(flat + np.arange(18), (flat + np.arange(18)).to_frame("x")) == "x"


def test_true_vectors_hold_each_office_and_each_answer():
    vectors = true_vectors(ledgers_and_forms()[1]["leader"])
    assert {"L07 mean", "L07 number of 1", "L06_a_core share high", "L07 of office 2"} <= set(vectors)


def test_the_names_of_the_towns_are_those_of_the_register():
    assert dict(zip(register(18)["town_id"], register(18)["name_en"], strict=True)) == NAMES
