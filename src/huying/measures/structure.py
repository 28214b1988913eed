"""Units as the rosters hold them, set against the scheme of the reform; refuses to fill in what no list records.

`towns` is the register (town_id, type, …), `roster` a row a unit (town_id, unit_id, name, class, domain, welfare_class,
plaque), `scheme` the units that the reform prescribes by class for each type of town.
"""

from __future__ import annotations

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
    counts = count_classes(roster, towns)
    due = pd.DataFrame(prescribed(scheme)).T.loc[towns["type"]].set_axis(counts.index)
    is_due = (counts.reindex(columns=due.columns, fill_value=0) == due) | due.isna()
    reach = roster.groupby("town_id")["domain"].nunique().reindex(counts.index, fill_value=0)
    bears = roster["name"].str.contains(scheme["culture"]) & roster["plaque"].fillna("").str.contains(scheme["plaque"])
    is_first_class = (counts["psu"] > 0) & (counts["barred"] == 0)
    size = (counts["total"] == due.sum(axis=1)) & is_first_class
    domains, plaque = reach == roster["domain"].nunique(), counts.index.isin(roster.loc[bears, "town_id"])
    met = {"composition": is_due.all(axis=1), "size": size, "domains": domains, "plaque": plaque}
    return pd.DataFrame(met, index=counts.index)


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


def bureaus_alone(roster: pd.DataFrame, towns: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Each pilot and named bureau: town_id, bureau, is_alone (the pilot has it as a bureau, and no other town under any class).

    Missing for a pilot that the roster leaves out.
    """
    pilots, parts = towns.loc[towns["type"] == PILOT, "town_id"], []
    for name in names:
        hit = roster["name"].str.contains(name, regex=False)
        is_here = pilots.isin(roster.loc[hit & (roster["class"] == "bureau"), "town_id"])
        is_alone = (is_here & roster.loc[hit, "town_id"].isin(pilots).all()).astype("boolean")
        known = is_alone.where(pilots.isin(roster["town_id"]))
        parts.append(pd.DataFrame({"town_id": pilots, "bureau": name, "is_alone": known}))
    return pd.concat(parts, ignore_index=True)
