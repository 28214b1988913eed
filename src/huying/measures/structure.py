"""Units as the rosters hold them, set against the scheme of the reform; refuses to fill in what no list records.

`towns` is the register (town_id, type, …), `roster` a row a unit (town_id, unit_id, name, class, domain, welfare_class,
plaque), `scheme` the units that the reform prescribes by class for each type of town.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

PILOT, CLASSES = "pilot", ("bureau", "office", "psu")


def prescribed(scheme: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The units that the reform prescribes, by class, for each type of town."""
    return {kind: units for kind, units in scheme.items() if isinstance(units, dict)}


def count_classes(roster: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    """Units of each town (index town_id): bureau, office, psu, `barred` (another welfare class than 1), total, unknown class."""
    barred = (roster["class"] == "psu") & (roster["welfare_class"].fillna(1) != 1)
    flags = {kind: roster["class"] == kind for kind in CLASSES}
    unknown = flags["psu"] & roster["welfare_class"].isna()
    table = pd.DataFrame({**flags, "barred": barred, "total": True, "unknown": unknown})
    return table.groupby(roster["town_id"]).sum().reindex(towns["town_id"], fill_value=0)


def meets_scheme(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Mapping[str, Any]) -> pd.DataFrame:
    """Which prescriptions each town's roster meets (index town_id), true or false.

    `composition`: the prescribed number in every class; `size`: the prescribed total, all institutions of welfare class 1;
    `domains`: a unit in each domain of the roster; `plaque`: a centre of the scheme's name bears the scheme's plaque.
    """
    kind, due = towns.set_index("town_id")["type"], prescribed(scheme)
    counts = roster.groupby(["town_id", "class"]).size().unstack(fill_value=0).reindex(kind.index, fill_value=0)
    psu = roster[roster["class"] == "psu"]
    first_class = (psu["welfare_class"] == 1).groupby(psu["town_id"]).all().reindex(kind.index, fill_value=False)
    full = roster.groupby("town_id").size().reindex(kind.index) == kind.map(
        {k: sum(v.values()) for k, v in due.items()}
    )
    reach = roster.groupby("town_id")["domain"].nunique().reindex(kind.index, fill_value=0)
    bears = roster["name"].str.contains(scheme["culture"]) & roster["plaque"].fillna("").str.contains(scheme["plaque"])
    return pd.DataFrame(
        {
            "composition": [all(counts.loc[t].get(c, 0) == n for c, n in due[k].items()) for t, k in kind.items()],
            "size": full & first_class,
            "domains": reach == roster["domain"].nunique(),
            "plaque": kind.index.isin(roster.loc[bears, "town_id"]),
        },
        index=kind.index,
    )


def paper_compliance(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Mapping[str, Any]) -> pd.Series:
    """The share of the four prescriptions that each town's roster meets, 0 to 1 (index town_id)."""
    return meets_scheme(roster, towns, scheme).mean(axis=1)


def count_units(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Mapping[str, Any]) -> pd.DataFrame:
    """A town's units without those of another welfare class than 1: units, n (all units), remark (index town_id).

    Where that gives the prescribed number only because a unit too many makes up for one of the wrong class, all units are
    counted. A class left blank contradicts nothing: it is counted, with the remark `class_not_recorded`.
    """
    table = count_classes(roster, towns)
    totals = {kind: sum(units.values()) for kind, units in prescribed(scheme).items()}
    due = towns.set_index("town_id")["type"].map(totals)
    units = (table["total"] - table["barred"]).mask(lambda n: n == due, table["total"])
    units = units.astype(float).where(table["total"] > 0)
    remark = np.where(table["unknown"] > 0, "class_not_recorded", "")
    return pd.DataFrame({"units": units, "n": table["total"], "remark": remark}, index=table.index)


def compare_pilot(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Mapping[str, Any]) -> pd.DataFrame:
    """Each pilot (index town_id): units, n, remark.

    `units`: all units where each class has its prescribed number. Otherwise all of them too; or, where these happen to add
    up to the prescribed total, only those that fill a prescribed place, so that a wrong composition never equals the right
    number. A pilot that the roster leaves out is unknown. Remark `not_one_more`: either kind is not one more than elsewhere.
    """
    table, due = count_classes(roster, towns), pd.Series(prescribed(scheme)[PILOT])
    table = table.assign(level=table["office"] + table["bureau"])
    rest = table.loc[towns.loc[towns["type"] != PILOT, "town_id"]].query("total > 0").groupby(["level", "psu"]).size()
    level, centres = rest.idxmax() if len(rest) else (np.nan, np.nan)
    own = table.loc[towns.loc[towns["type"] == PILOT, "town_id"]]
    known = own.astype(float).where(own["total"] > 0)
    filled = known[due.index].clip(upper=due, axis=1).sum(axis=1, min_count=1)
    is_full = (known["total"] == due.sum()) & (filled < due.sum())
    more = known[["level", "psu"]] - [level, centres]
    remark = np.where((more != 1).any(axis=1) & more.notna().all(axis=1), "not_one_more", "")
    units = known["total"].mask(is_full, filled)
    return pd.DataFrame({"units": units, "n": own["total"], "remark": remark}, index=own.index)


def units_of_pilot(roster: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    """Each unit of a pilot (town_id, unit_id, name, class, domain), in how many other towns its name stands, and is_added.

    `is_added`: in fewer than half of the other towns.
    """
    pilots = towns.loc[towns["type"] == PILOT, "town_id"]
    elsewhere = roster[~roster["town_id"].isin(pilots)].groupby("name")["town_id"].nunique()
    own = roster.loc[roster["town_id"].isin(pilots), ["town_id", "unit_id", "name", "class", "domain"]]
    n = own["name"].map(elsewhere).fillna(0).astype(int)
    return own.assign(elsewhere=n, is_added=n < (len(towns) - len(pilots)) / 2).reset_index(drop=True)


def bureaus_alone(roster: pd.DataFrame, towns: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Each pilot and named bureau: town_id, bureau, is_alone (the pilot has it as a bureau, and no other town under any class).

    Missing for a pilot that the roster leaves out.
    """
    pilots = list(towns.loc[towns["type"] == PILOT, "town_id"])
    rows = []
    for town, name in itertools.product(pilots, names):
        own, hit = roster["town_id"] == town, roster["name"].str.contains(name, regex=False)
        is_here = (hit & own & (roster["class"] == "bureau")).any()
        is_alone = bool(is_here and roster.loc[hit, "town_id"].isin(pilots).all())
        rows.append((town, name, is_alone if own.any() else pd.NA))
    return pd.DataFrame(rows, columns=["town_id", "bureau", "is_alone"]).astype({"is_alone": "boolean"})


def covered_towns(ledgers: Mapping[tuple[str, str], pd.DataFrame], towns: pd.DataFrame) -> pd.DataFrame:
    """For each ledger that should hold every town: ledger, period, town_id, is_present, is_registered.

    `ledgers`: rows with town_id by name and period.
    """
    register = set(towns["town_id"])
    cells = [
        (name, period, town, town in named, town in register)
        for (name, period), rows in sorted(ledgers.items())
        for named in [set(rows["town_id"].dropna().astype(str)) - {""}]
        for town in sorted(register | named)
    ]
    return pd.DataFrame(cells, columns=["ledger", "period", "town_id", "is_present", "is_registered"])
