"""Units and posts as the rosters hold them against the scheme of the reform, the old structure beside the new; refuses to fill in what no list records.

`towns` is the register (town_id, type, …), `roster` a row a unit (town_id, unit_id, name, class, domain, welfare_class,
plaque), `scheme` the units that the reform prescribes by class for each type of town. `quota`: town_id (empty for the county's
own bodies), year, kind (admin, psu, edu_health), quota, filled, borrowed_out; `plan`: year, kind, town_id, planned.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import counted, unsaid
from huying.estimates import COUNTY
from huying.survey import Survey, independent_sum

Scheme = Mapping[str, Any]  # of a county: what its reform prescribes
PILOT, CLASSES = "pilot", ("bureau", "office", "psu")
QUARTER = 0.25  # each of the four parts of the practice index weighs the same
# The old unit that says_successor_… names a successor of, by its id in the map of old to new units.
OLD_IDS = {"rural_economy": "O08", "agrotech": "O01", "family_planning": "O06"}
OLD_IDS |= {"culture": "O07", "civil_affairs": "O12"}


def prescribed(scheme: Scheme) -> dict[str, dict[str, int]]:
    """The units that the reform prescribes, by class, for each type of town."""
    return {kind: units for kind, units in scheme.items() if isinstance(units, dict)}


def count_classes(roster: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    """Units of each town (index town_id): bureau, office, psu, `barred` (another welfare class than 1), total, unknown class."""
    barred = (roster["class"] == "psu") & (roster["welfare_class"].fillna(1) != 1)
    flags = {kind: roster["class"] == kind for kind in CLASSES}
    unknown = flags["psu"] & roster["welfare_class"].isna()
    table = pd.DataFrame({**flags, "barred": barred, "total": True, "unknown": unknown})
    return table.groupby(roster["town_id"]).sum().reindex(towns["town_id"], fill_value=0)


def meets_scheme(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """Which prescriptions each town's roster meets (index town_id), true or false.

    `composition`: the prescribed number in every class; `size`: the prescribed total, all institutions of welfare class 1;
    `domains`: a unit in each domain of the roster; `plaque`: a centre of the scheme's name bears the scheme's plaque.
    """
    counts = count_classes(roster, towns)
    due = pd.DataFrame(prescribed(scheme)).T.loc[towns["type"]].set_axis(counts.index)
    is_due = (counts.reindex(columns=due.columns, fill_value=0) == due) | due.isna()
    reach = roster.groupby("town_id")["domain"].nunique().reindex(counts.index, fill_value=0)
    bears = roster["name"].str.contains(scheme["culture"]) & roster["plaque"].fillna("").str.contains(scheme["plaque"])
    size = (counts["total"] == due.sum(axis=1)) & (counts["psu"] > 0) & (counts["barred"] == 0)
    domains, plaque = reach == roster["domain"].nunique(), counts.index.isin(roster.loc[bears, "town_id"])
    met = {"composition": is_due.all(axis=1), "size": size, "domains": domains, "plaque": plaque}
    return pd.DataFrame(met, index=counts.index)


def count_units(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """A town's units without those of another welfare class than 1: units, n (all units), remark (index town_id).

    Where that gives the prescribed number only because a unit too many makes up for one of the wrong class, all units are
    counted. A class left blank contradicts nothing: it is counted, with the remark `class_not_recorded`.
    """
    table = count_classes(roster, towns)
    totals = {kind: sum(units.values()) for kind, units in prescribed(scheme).items()}
    due = towns.set_index("town_id")["type"].map(totals)
    units = (table["total"] - table["barred"]).mask(lambda n: n == due, table["total"]).astype(float)
    remark = np.where(table["unknown"] > 0, "class_not_recorded", "")
    return pd.DataFrame({"units": units.where(table["total"] > 0), "n": table["total"], "remark": remark})


def compare_pilot(roster: pd.DataFrame, towns: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
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
    is_full, more = (known["total"] == due.sum()) & (filled < due.sum()), known[["level", "psu"]] - [level, centres]
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


# --- old and new side by side ------------------------------------------------------------------------------------------


def score_quiz(staff: pd.DataFrame, succession: pd.DataFrame, towns: pd.DataFrame, scheme: Scheme) -> pd.Series:
    """Each person's share right of the questions on the town's new structure, 0 to 1, by the county's own documents.

    How many offices and institutions the town has is keyed by the `scheme` of its type, who took over an old unit by the
    map of `succession` (several new units may be right; a unit that the map does not hold is no question). Who cannot say
    is wrong; who was not asked has no score.
    """
    units = pd.DataFrame(prescribed(scheme)).T.reindex(columns=["office", "bureau", "psu"]).fillna(0)
    kind = staff["town"].map(towns.set_index("town_id")["type"])
    keys = {"says_offices": units["office"] + units["bureau"], "says_institutions": units["psu"]}
    right = {column: staff[column] == kind.map(key).astype("Float64") for column, key in keys.items()}
    for name, old in OLD_IDS.items():
        heirs, said = succession.loc[succession["old_id"] == old, "new_unit"].dropna(), staff[f"says_successor_{name}"]
        if len(heirs):
            right[name] = said.isin(heirs).where(said.notna()).astype("boolean")
    return pd.DataFrame(right).astype("Float64").mean(axis=1)


def index_practice(residents: Survey, staff: Survey) -> pd.DataFrame:
    """The practice index by town and county: the mean of two shares of residents and two of staff, with its interval.

    Residents: went to the centre or a new unit first, saw new name plates only; staff: the new structure runs day to day,
    names that are new. The two surveys are independent samples: see `independent_sum`.
    n counts residents.
    """
    people = residents.combine({"went_new_first": QUARTER, "saw_new_plate": QUARTER}, "practice")
    workers = staff.combine({"runs_new": QUARTER, "names_new": QUARTER}, "practice")
    made = independent_sum(people, workers).assign(n=people["n"])
    made["df"] = made["df"].where(made["se"].notna())
    made.attrs["source"] = " + ".join(rows.attrs.get("source", "") for rows in (people, workers))
    return made


# --- posts -------------------------------------------------------------------------------------------------------------

KINDS, TAUGHT = ["admin", "psu"], "edu_health"  # the plan's claims leave education and health out
KEYS = ["year", "kind", "town_id"]


def is_county(rows: pd.DataFrame) -> pd.Series:
    """Which rows stand for the county's own bodies: those without a town."""
    return rows["town_id"].fillna("").astype(str) == ""


def sum_by_kind(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Posts by kind (index): those of `towns`, and the `total` with the county's own bodies."""
    posts = rows[column].astype(float)
    sums = pd.DataFrame({"towns": posts.mask(is_county(rows), 0.0), "total": posts}).groupby(rows["kind"]).sum()
    return sums.reindex([*KINDS, TAUGHT], fill_value=0.0)


def compare_plan(plan: pd.DataFrame, stock: pd.DataFrame, kinds: Sequence[str] = KINDS) -> pd.DataFrame:
    """The county's row of the towns' share of the plan less their share of the stock, over posts of these kinds.

    The stock is a full count: the interval is Clopper and Pearson's (1934) of the plan's share, moved by the stock's. Without
    a row of the county's own bodies in both, neither share means anything.
    """
    if not all(is_county(side[side["kind"].isin(KINDS)]).any() for side in (plan, stock)):
        return unsaid([COUNTY], "no county total")
    sides = (sum_by_kind(plan, "planned"), sum_by_kind(stock, "quota"))
    (k, n), (k0, n0) = (side.loc[list(kinds)].sum() for side in sides)
    made = counted([COUNTY], [k], [n if n0 else 0], exact=True).drop(columns="n_eff")
    return made.assign(**{name: made[name] - k0 / (n0 or np.nan) for name in ("estimate", "low", "high")})


def printed_share(sums: pd.DataFrame, printed: Any) -> pd.DataFrame:
    """The towns' share of institution posts over either denominator, beside the printed share: towns, total, share, gap, nearest first.

    `printed`: the per cent, alone or under `percent`; gap is missing where it is masked.
    """
    told = printed.get("percent") if isinstance(printed, Mapping) else printed
    towns, narrow = sums.loc["psu"]
    totals = {"without_edu_health": narrow, "with_edu_health": narrow + sums.loc[TAUGHT, "total"]}
    table = pd.DataFrame({"towns": towns, "total": totals})
    table["share"] = table["towns"] / table["total"].where(table["total"] > 0)
    table["gap"] = (float(told) / 100 - table["share"]).abs() if told is not None else np.nan
    return table.sort_values("gap", kind="stable")
