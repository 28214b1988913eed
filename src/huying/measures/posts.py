"""Posts recovered, planned and filled; refuses a share of a total that no row gives.

`quota`: town_id (empty for the county's own bodies), year, kind (admin, psu, edu_health), quota, filled, borrowed_out;
`plan`: year, kind, town_id, planned. Posts are counted in posts, rates in staff per 1,000 residents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.counted import counted, unsaid
from huying.estimates import COUNTY

KINDS, TAUGHT = ["admin", "psu"], "edu_health"  # the plan's claims leave education and health out
KEYS = ["year", "kind", "town_id"]


def is_county(rows: pd.DataFrame) -> pd.Series:
    """Which rows stand for the county's own bodies: those without a town."""
    return rows["town_id"].fillna("").astype(str) == ""


def stock_before(quota: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """The posts that existed in the year before the plan, else in the latest year not after it."""
    once, year = quota.drop_duplicates(KEYS, keep="last"), plan["year"].max()
    years = once["year"][once["year"] <= year]
    return once[once["year"] == (years[years < year].max() if (years < year).any() else years.max())]


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
    sides = ((plan, "planned"), (stock, "quota"))
    (k, n), (k0, n0) = (sum_by_kind(side, column).loc[list(kinds)].sum() for side, column in sides)
    made = counted([COUNTY], [k], [n if n0 else 0]).drop(columns="n_eff")
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


def gini(amounts: npt.ArrayLike) -> float:
    """The Gini coefficient of `amounts`, every pair of units counted once (Gini 1912); missing where nothing is there to share."""
    x = np.asarray(amounts, dtype=float)
    return float(np.abs(x[:, None] - x).mean() / (2 * x.mean())) if len(x) and x.mean() > 0 else np.nan
