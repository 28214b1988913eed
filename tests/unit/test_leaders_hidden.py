"""Nobody can read a leader's answer from what the library gives out; and a leak that is planted is found."""

import importlib
import json
import pkgutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import ALL_TOWNS, LETTERS, agencies, changes, documents, form, leaders, study
from leaders_leaks import Watched, bits, interference, leaks_in, recognised, shuffled, true_vectors

from huying import problems
from huying.batch.county_step import make_study
from huying.batch.intake import Intake
from huying.claims import claims_of, judge_claim
from huying.estimates import COUNTY
from huying.folder import read_county
from huying.problems import agencies as problem
from huying.problems import cooperation
from huying.problems.facts import Found, counted
from huying.store import save_cleaned, write_parquet

DEMO = Path(__file__).parents[2] / "survey_data" / "demo"
MODULES = [importlib.import_module(f"huying.problems.{m.name}") for m in pkgutil.iter_modules(problems.__path__)]
PROBLEMS = [m for m in MODULES if hasattr(m, "find")]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """What is asked twice is drawn alike both times, with 19 draws as with 499."""
    monkeypatch.setattr(cooperation, "DRAWS", 19)


@pytest.fixture(scope="module")
def demo():
    county = read_county(DEMO)
    return make_study(county, Intake(county, tick=lambda name: None).run())


@pytest.fixture
def eighteen(tmp_path):
    """Eighteen towns whose leaders answer at random, with staff, agencies and head changes."""
    rng, n = np.random.default_rng(7), 54
    given = {
        f"L06_{k}_{task}": list(rng.choice([1, 2, 3, 4, 5, 98], n)) for k in LETTERS for task in ("core", "urgent")
    }
    given |= {f"L03_{k}": list(rng.choice([1, 2], n)) for k in LETTERS} | {
        f"L04_{k}": list(rng.choice([1, 2, 3, 98], n)) for k in LETTERS
    }
    given |= {f"L05_{k}": list(rng.choice([1, 2, 3, 98], n)) for k in LETTERS} | {
        "L07": list(rng.choice([1, 2, 3, 4, 98], n))
    }
    given["L08"] = [f"这样做的理由之{k}" for k in range(n)]
    towns = [town for town in ALL_TOWNS for _ in range(8)]
    staff = form("staff", towns, S09=list(rng.choice([1, 2, 3, 4, 5], 144)), **{f"S19_{k}": list(rng.choice([1, 2, 3, 4, 5, 98], 144)) for k in LETTERS})  # fmt: skip
    rows = [
        (ALL_TOWNS[k % 18], f"2022-{1 + k % 12:02d}-05", "none" if k % 3 else "oral", None, None) for k in range(41)
    ]
    ledgers = {("agencies", ""): agencies(), ("agency_events", ""): changes(rows), ("documents", ""): documents()}
    return study(tmp_path, ledgers, {"leader": leaders(18, **given), "staff": staff}, n_towns=18)


# --- asked twice ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", PROBLEMS, ids=lambda m: m.__name__.rpartition(".")[2])
def test_nothing_by_town_and_no_table_hears_the_leaders(module, demo):
    assert interference(module.find, demo) == []


def test_who_looks_at_the_leaders_is_noticed(eighteen):
    for look in (lambda f: f["leader"], lambda f: f.get("leader"), lambda f: f.values(), lambda f: list(f.items())):
        forms = Watched(eighteen.cleaned.forms)
        assert forms["staff"] is not None and not forms.seen
        look(forms)
        assert forms.seen


def test_nor_where_they_answer_at_random(eighteen):
    assert interference(problem.find, eighteen) == []
    told, again = problem.find(eighteen).frame(), problem.find(shuffled(eighteen)).frame()
    kappa = [frame.loc[frame["sub"] == "weighted kappa", "estimate"].iloc[0] for frame in (told, again)]
    assert kappa[0] != kappa[1], "the shuffle reaches what leaders feed, so that silence elsewhere means something"


def test_what_leaders_feed_is_the_countys(eighteen):
    found = problem.find(eighteen)
    table = found.frame()
    fed = table["claim"].isin(["P26", "P27", "P28"]) | table["sub"].str.contains("leader")
    assert fed.sum() > 20 and set(table.loc[fed, "place"]) == {COUNTY}
    for name in ("cooperation", "preferences"):
        assert not found.tables[name].map(lambda v: str(v) in ALL_TOWNS).to_numpy().any()


def keep_by_town(study_):
    rows = study_.cleaned.forms["leader"]
    return (rows["L07"] == 1).astype(float).groupby(rows["town_id"]).agg(["sum", "count"])


def rows_by_town(study_, found):
    keep = keep_by_town(study_)
    found.add("P28", counted(keep.index, keep["sum"], keep["count"]), wave="2023")


def a_table_by_town(study_, found):
    found.tables["innocent"] = keep_by_town(study_).reset_index()


def an_anonymous_list(study_, found):
    found.tables["innocent"] = pd.DataFrame({"x": np.sort(keep_by_town(study_)["sum"].to_numpy())})


def a_remark_by_town(study_, found):
    keep = keep_by_town(study_)
    fewer = keep[keep["sum"] > 1]
    found.add("P23", counted(fewer.index, np.ones(len(fewer)), np.ones(len(fewer))), sub="notable")


LEAKS = [rows_by_town, a_table_by_town, an_anonymous_list, a_remark_by_town]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda f: f.__name__)
def test_a_planted_leak_is_heard(eighteen, monkeypatch, leak):
    honest = problem.FINDERS["P28"]

    def loose(study_: object, found: Found) -> None:
        honest(study_, found)
        leak(study_, found)

    monkeypatch.setitem(problem.FINDERS, "P28", loose)
    assert interference(problem.find, eighteen)


# --- read with the true answers in hand -------------------------------------------------------------------------------


def write_notebook(folder, text, html=""):
    outputs = [
        {"output_type": "stream", "text": [text]},
        {"output_type": "display_data", "data": {"text/html": [html]}},
    ]
    (folder / "12_x.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "outputs": outputs}]}), "utf-8")


@pytest.fixture
def results(eighteen, tmp_path):
    """A folder of results as the county step writes it, with its leaders' true answers."""
    folder, found = tmp_path / "results", problem.find(eighteen)
    save_cleaned(folder / "data", eighteen.cleaned)
    claims, table = claims_of(eighteen.county), found.frame()
    judged = [judge_claim(claims[key], own).assign(claim=key) for key, own in table.groupby("claim")]
    write_parquet(folder / "evidence.parquet", pd.concat(judged, ignore_index=True))
    rng = np.random.default_rng(3)
    found.tables["honest"] = pd.DataFrame({"town_id": ALL_TOWNS, "calls": rng.poisson(40, 18), "share": rng.random(18)})
    for name, frame in found.tables.items():
        write_parquet(folder / "data" / "tables" / f"{name}.parquet", frame)
    lines = [f"Town {chr(65 + k)}  {rng.random():.2f}  {rng.integers(9)}" for k in range(18)]
    write_notebook(folder, "P26 | county | 63.0%\nP23 | Town A | 50.0%\n" + "\n".join(lines))
    return folder


def test_honest_results_show_nothing(results):
    assert leaks_in(results) == []


def by_town(results, cell="L06_a_core"):
    rows = pd.read_parquet(results / "data" / "forms" / "leader.parquet")
    return rows[cell].astype(float).groupby(rows["town_id"]).mean().dropna()


def plant_evidence(results, **columns):
    evidence = pd.read_parquet(results / "evidence.parquet")
    means = by_town(results)
    rows = evidence.iloc[:1].loc[evidence.index[:1].repeat(len(means))].assign(
        place=means.index, estimate=means.to_numpy(), low=np.nan, high=np.nan, n=8.0, **columns)  # fmt: skip
    write_parquet(results / "evidence.parquet", pd.concat([evidence, rows], ignore_index=True))


def plant_table(results, frame):
    write_parquet(results / "data" / "tables" / "planted.parquet", frame)


NAMES = dict(zip(ALL_TOWNS, (f"Town {k}" for k in "ABCDEFGHIJKLMNOPQR"), strict=True))
PLANTS = {
    "a claim fed by leaders, by town": (lambda r: plant_evidence(r, claim="P26", sub="", wave="2023"), "P26  at T01"),
    "a sub that names them": (lambda r: plant_evidence(r, claim="P23", sub="leaders say"), "P23 leaders say at T01"),
    "under another claim": (lambda r: plant_evidence(r, claim="P16", sub="content"), "L06_a_core mean"),
    "a table by name, as per cent": (
        lambda r: plant_table(r, pd.DataFrame({"name": by_town(r).rename(NAMES).index, "x": 100 * by_town(r).to_numpy()})), "L06_a_core mean"),
    "a long table among others": (
        lambda r: plant_table(r, pd.concat([pd.DataFrame({"town_id": by_town(r, c).index, "what": c[-6:], "value": by_town(r, c).to_numpy()})
                                            for c in ("L07", "L06_b_urgent")], ignore_index=True)), "L07 mean"),
    "a column of the form": (lambda r: plant_table(r, pd.DataFrame({"L07": [1, 2, 1]})), "planted: column L07"),
    "a sentence": (lambda r: write_notebook(r, "P28｜丁镇｜主张维持现状：支持"), "P28｜丁镇"),
    "an open answer": (lambda r: write_notebook(r, "有人说：这样做的理由之7"), "an open answer"),
    "printed numbers": (lambda r: write_notebook(r, "\n".join(f"{NAMES[t]}  12  {v:.2f}" for t, v in by_town(r).items())), "number 2"),
    "a printed table": (
        lambda r: write_notebook(r, "", "<table>" + "".join(f"<tr><td>{t}</td><td>{v:.3f}</td></tr>" for t, v in by_town(r).items())), "number 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_leak_is_found(results, name):
    plant, said = PLANTS[name]
    plant(results)
    assert any(said in leak for leak in leaks_in(results)), leaks_in(results)


def test_a_match_must_be_surprising():
    """18 towns of which one differs: 18 orders, log2(18) = 4.17 bits; all different: log2(18!) = 52.5 bits."""
    assert bits(np.r_[np.zeros(17), 1]) == pytest.approx(np.log2(18))
    assert bits(np.arange(18.0)) == pytest.approx(np.log2(float(np.prod(np.arange(1, 19, dtype=float)))))
    flat = pd.Series(np.r_[np.zeros(17), 1], index=ALL_TOWNS)
    assert recognised(flat, flat.to_frame("x")) == ""
    assert recognised(flat + np.arange(18), (flat + np.arange(18)).to_frame("x")) == "x"


def test_true_vectors_hold_each_office_and_each_answer(eighteen):
    vectors = true_vectors(eighteen.cleaned.forms["leader"])
    assert {"L07 mean", "L07 number of 1", "L06_a_core share high", "L07 of office 2"} <= set(vectors)
