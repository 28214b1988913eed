"""The ledgers of the demo county as clean frames in the columns of `huying.ledgers`; refuses nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo_county.population import Population
from demo_county.truths import AGES, SEX, Ints, Truths
from huying.ledgers import MARKS

IN_FORCE, FIRST_PLAN = pd.Timestamp("2022-01-20"), pd.Timestamp("2021-11-15")
MECHANISM = pd.Timestamp("2022-09-01")  # the day from which the mechanisms hold
NOT_FOUND = 8  # of the 18 x 6 marks of a town: 100 are found, so that an index has steps of .005


def town_ledgers(population: Population, sampled: Ints) -> dict[str, pd.DataFrame]:
    """Towns, margins, villages and departments."""
    truths, towns = population.truths, population.towns
    aliases, other = truths.features["aliases"], truths.features["dept_aliases"]
    register = towns[["town_id", "name_zh", "name_en", "type", "pop", "adults", "villages", "staff_listed"]]
    margins = (
        towns.drop(columns="adults")
        .melt("town_id", [*SEX, *AGES], "category", "adults")
        .sort_values("town_id", kind="stable", ignore_index=True)
    )
    margins.insert(1, "item", np.where(margins["category"].isin(SEX), "sex", "age"))
    margins["category"] = margins["category"].replace(AGES)
    villages = population.villages[["village_id", "town_id", "name", "adults"]]
    return {"towns": register.rename(columns={"villages": "n_villages"}).assign(
                aliases=towns["town_id"].map(aliases).astype(object)),
            "margins": margins,
            "villages": villages.assign(is_sampled=np.isin(np.arange(len(villages)), sampled)),
            "departments": truths.departments[["dept_id", "name_zh", "name_en"]].assign(
                aliases=truths.departments["dept_id"].map(other).astype(object))}  # fmt: skip


def org_roster(truths: Truths) -> pd.DataFrame:
    """7 + 5 units a town, 3 + 5 + 6 in the pilot, and the planted exceptions."""
    planted, pairs = truths.features["roster"], truths.towns[["town_id", "type"]].merge(truths.units, how="cross")
    is_pilot, kind, unit = pairs["type"] == "pilot", pairs["pilot"], pairs["unit_id"]
    has = (kind == "both") | (kind == np.where(is_pilot, "pilot", "town"))
    has |= unit == pairs["town_id"].map(planted["extra_unit"])
    has &= unit != pairs["town_id"].map(planted["lacks_unit"])
    rows, bureau = pairs[has].copy(), planted["pilot_bureaus"]
    upgraded = (rows["type"] == "pilot") & rows["unit_id"].isin(list(bureau))
    rows["name"] = rows["name_zh"].mask(upgraded, rows["unit_id"].map(bureau))
    rows["class"] = rows["class"].mask(upgraded, "bureau")
    rows["welfare_class"] = pd.Series(1, index=rows.index, dtype="Int64").where(rows["class"] == "psu")
    bare = rows["town_id"].isin(planted["no_plaque"]) & (rows["unit_id"] == "N13")
    rows["plaque"] = rows["plaque"].mask(bare)
    rows["established_on"] = IN_FORCE
    return rows.rename(columns={"town_id": "town"})[
        ["town", "unit_id", "name", "class", "domain", "welfare_class", "plaque", "established_on"]].reset_index(drop=True)  # fmt: skip


def unit_check(truths: Truths, wave: str, rng: np.random.Generator) -> pd.DataFrame:
    """18 old units x 6 marks a town; of the cells found, old counts 1, both 1/2: their mean is the planted index."""
    towns, old = truths.wave(wave), truths.old_units()
    units = old.loc[~old["relation"].isin(["left", "dispatched", "plaque"]), "old_id"].to_numpy()
    marks, cells = list(MARKS.options), len(units) * len(MARKS.options)
    unit, mark = np.divmod(np.arange(cells), len(marks))
    stubborn, visible = rng.normal(0, 0.7, len(units)), np.array([-0.5, -0.2, 0.6, 0.5, 0.1, -0.4])
    found, frames = cells - NOT_FOUND, []
    for town, index, first in zip(
        towns["town_id"], towns["true_PRI"], pd.to_datetime(towns["field_from"]), strict=True
    ):
        halves = round(2 * index * found)  # sum of the index over the cells found, in halves
        both = int(0.2 * halves / 2) * 2 + halves % 2
        order = np.argsort(-(stubborn[unit] + visible[mark % len(visible)] + rng.logistic(size=cells)), kind="stable")
        missing = rng.choice(cells, NOT_FOUND, replace=False)
        ranked = order[~np.isin(order, missing)]
        in_use = np.full(cells, "new", dtype=object)
        in_use[missing], n_old = "none", (halves - both) // 2
        in_use[ranked[:n_old]], in_use[ranked[n_old : n_old + both]] = "old", "both"
        day = first + pd.to_timedelta(rng.integers(0, 12) + np.arange(cells) // 60, unit="D")
        frames.append(pd.DataFrame({"town": town, "old_id": units[unit], "mark": np.array(marks)[mark], "in_use": in_use,
                                    "checked_on": day}))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def documents(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Each town's reform plan, the mechanisms, and the county's other papers of the reform."""
    towns, last = truths.towns, truths.features["roster"]["plan_last"]
    is_last = (towns["town_id"] == last).to_numpy()
    days = np.full(len(towns), 58)
    days[~is_last] = rng.permutation(np.linspace(0, 52, (~is_last).sum()).astype(int))
    issued = FIRST_PLAN + pd.to_timedelta(days, unit="D")
    plans = pd.DataFrame({"doc_no": [f"{name[:2]}发〔{day.year}〕{k}号" for k, (name, day) in enumerate(zip(towns["name_zh"], issued, strict=True), 7)],
                          "title": towns["name_zh"] + "行政管理体制改革实施方案", "kind": "plan", "town": towns["town_id"],
                          "issued_on": issued, "effective_on": IN_FORCE})  # fmt: skip
    mechanisms = pd.DataFrame({"doc_no": [f"示组发〔2022〕{k}号" for k in range(31, 31 + len(truths.mechanisms))],
                               "title": truths.mechanisms["title"], "kind": "mechanism", "town": None,
                               "issued_on": pd.Timestamp("2022-08-20"), "effective_on": MECHANISM})  # fmt: skip
    other = pd.DataFrame({"doc_no": ["示办发〔2022〕18号", "示办发〔2022〕26号", "示办发〔2022〕9号"],
                          "title": ["向镇放权指导目录", "职责界定联席会议制度", "镇街和村社区便民服务标准化工作方案"], "kind": ["guide", "conference", "standard"], "town": None,
                          "issued_on": pd.to_datetime(["2022-04-15", "2022-06-20", "2022-03-10"]),
                          "effective_on": pd.to_datetime(["2022-05-01", "2022-07-01", "2022-03-10"])})  # fmt: skip
    return pd.concat([plans, mechanisms, other], ignore_index=True)


def need_counts(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Matters by town, month of 2022 and channel; a year's sum is the need of the call model, whatever part of it was called."""
    towns = truths.towns
    need = (2 * towns["need_per_staff_6m"] * towns["n_staff"] * 0.3).to_numpy()
    months, channels = pd.date_range("2022-01-01", periods=12, freq="MS"), {"12345": 0.6, "grid": 0.4}
    grid = pd.MultiIndex.from_product(
        [towns["town_id"], months, channels], names=["town", "month", "channel"]
    ).to_frame(index=False)
    mean = np.repeat(need / 12, 24) * grid["channel"].map(channels).to_numpy()
    return grid.assign(n=rng.poisson(mean))


def planted_values(truths: Truths, wave: str, checks: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """True values that come from ledgers and parameters (columns: town_id, wave, indicator, value)."""
    towns = truths.wave(wave)
    score = checks["in_use"].map({"old": 1.0, "both": 0.5, "new": 0.0}).groupby(checks["town"]).mean()
    kinds = roster.assign(office=roster["class"] != "psu").groupby(["town", "office"]).size().unstack()
    plaque = roster[roster["unit_id"] == "N13"].set_index("town")["plaque"].notna()
    values = {"PRI": towns["town_id"].map(score), "call_propensity": towns["call_propensity"], "p_resp_2wd": towns["p_resp_2wd"],
              "p_close_5wd": towns["p_close_5wd"], "n_offices": towns["town_id"].map(kinds[True]),
              "n_institutions": towns["town_id"].map(kinds[False]), "plaque": towns["town_id"].map(plaque).astype(float)}  # fmt: skip
    rows = [pd.DataFrame({"town_id": towns["town_id"], "wave": wave, "indicator": name, "value": value.astype(float)})
            for name, value in values.items()]  # fmt: skip
    return pd.concat(rows, ignore_index=True)
