"""Figures of the reform in place: functions covered, posts filled, appraisal ranks, items used, service, checks passed."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from huying import charts
from huying.estimates import COUNTY
from huying.gallery.frame import Entry, caption, forest, word
from huying.ledgers import TABLES
from huying.reading import Reading


def matrix_of(here: Reading, rows: pd.DataFrame, index: str, value: str) -> pd.DataFrame:
    """A stored table as a matrix: `index` by town, the towns by name in the order of the register."""
    wide = rows.pivot_table(index=index, columns="town_id", values=value, sort=False)
    return wide.reindex(columns=[town for town in here.towns.index if town in wide]).rename(columns=here.place_name)


def heat(here: Reading, matrix: pd.DataFrame, claim: str, source: str, n: float, place: str = "") -> Figure:
    """A matrix of shares by town, this town framed."""
    own = here.place_name(here.town) if here.town != COUNTY else None
    return charts.unit_heatmap(matrix, own, caption(here, claim, source, n, place=place, towns=True))


def functions(here: Reading) -> Figure:
    """Which domains have a unit in which town."""
    table = here.table("functions")
    return heat(
        here,
        matrix_of(here, table.assign(has=(table["units"] > 0).astype(float)), "domain", "has"),
        "A04",
        "roster",
        table["units"].sum(),
    )


def appraisal(here: Reading) -> Figure:
    """The ranks of the departments under the nominal weights and under the same weight for all."""
    table = here.table("appraisal")
    steps = {"rank": word(here, "nominal"), "rank_25": "25%", "rank_30": "30%", "rank_35": "35%"}
    ranks = table.sort_values("rank").set_index(table.sort_values("rank")["dept_id"].map(here.place_name))[list(steps)]
    return charts.slopes(ranks.rename(columns=steps), caption(here, "B04", "appraisal", len(ranks), place=COUNTY))


def item_use(here: Reading) -> Figure:
    """Which delegated items had a case in which town in the last 90 days."""
    table = here.table("item_use")
    names = here.ledger_names("delegated_items", "item_id", "name")
    matrix = matrix_of(here, table.assign(used=(table["cases"] > 0).astype(float)), "item_id", "used")
    return heat(
        here,
        matrix.rename(index=lambda item: names.get(item, item)),
        "D03",
        "service_log",
        table["cases"].sum(),
        COUNTY,
    )


def checks(here: Reading) -> Figure:
    """The share of each town's centres and stations that pass each of the eight checks."""
    table = here.table("checks")
    titles = {column.name: column.title(here.lang) for column in TABLES["centres"].columns}
    counted = (
        table.assign(passed=table["share"] * table["n"])
        .groupby(["check", "town_id"], sort=False)[["passed", "n"]]
        .sum()
    )
    matrix = matrix_of(here, (counted["passed"] / counted["n"]).rename("share").reset_index(), "check", "share")
    return heat(here, matrix.rename(index=titles), "D06", "centres", counted["n"].groupby("town_id").max().sum())


FIGURES: dict[str, Entry] = {
    "functions": ("functions", "", "", functions),
    "posts_filled": ("", "A11", "", lambda here: forest(here, "A11", source="quota")),
    "burden": ("", "B05", "", lambda here: forest(here, "B05", source="staff")),
    "appraisal": ("appraisal", "", "", appraisal),
    "item_use": ("item_use", "", "", item_use),
    "service": ("", "D04", "", lambda here: forest(here, "D04", source="service_log")),
    "checks": ("checks", "", "", checks),
    "in_use": ("", "D09", "", lambda here: forest(here, "D09", source="centres")),
}
