"""The reform in place, claims A10 to A15: posts recovered, planned and filled; refuses a share of a total that no row gives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.claims import NO_BASELINE, claims_of
from huying.estimates import COUNTY, EXACT
from huying.problems.facts import Found, Study, counted, needed, unsaid, values

Floats = npt.NDArray[np.float64]
KINDS, TAUGHT = ["admin", "psu"], "edu_health"  # the plan's claims leave education and health out
DENOMINATORS = {"without_edu_health": "without education and health", "with_edu_health": "with education and health"}


def per_1000(study: Study, n: pd.Series) -> pd.DataFrame:
    """`n` (index town_id, missing where unknown) per 1,000 residents, by town and, over the towns known, for the county."""
    people = study.towns.set_index("town_id")["pop"].loc[n.index].where(n.notna()).astype(float)
    k, size = n.astype(float), people.fillna(0)
    rates = [*(1000 * k / people), 1000 * k.sum() / size.sum() if size.sum() else np.nan]
    return values([*n.index, COUNTY], rates, [*size, size.sum()])


def a10(study: Study, found: Found) -> None:
    """Posts recovered less posts given to towns: what the county holds has not gone to the towns.

    `unexplained`: recovered - given - held, posts of which no move tells. Table `quota_flow`: posts by move, town and origin.
    """
    moves = needed(study, "quota_moves").drop_duplicates("move_id")
    posts = moves.groupby("move")["posts"].sum().reindex(["recovered", "given", "held"], fill_value=0).astype(int)
    left, loose = posts["recovered"] - posts["given"], posts["recovered"] - posts["given"] - posts["held"]
    remark = "unexplained_posts" if loose else "held_by_county" if left else ""
    found.add("A10", values([COUNTY], [left], posts["recovered"], remark=remark))
    for sub, value in {**posts, "unexplained": loose}.items():
        found.add("A10", values([COUNTY], [value], posts["recovered"]), sub=sub)
    keys = moves.assign(**{name: moves[name].astype(object).fillna("") for name in ("town_id", "from_unit")})
    found.tables["quota_flow"] = keys.groupby(["move", "town_id", "from_unit"], as_index=False)["posts"].sum()


def posts_by_year(study: Study) -> pd.DataFrame:
    """The towns' posts by year, all kinds together: year, town_id, quota, filled, borrowed_out, at_work (filled less lent out)."""
    quota = needed(study, "quota").drop_duplicates(["town_id", "year", "kind"], keep="last")
    numbers = ["quota", "filled", "borrowed_out"]
    known = quota[quota["town_id"].isin(study.towns["town_id"])].assign(
        borrowed_out=lambda q: q["borrowed_out"].fillna(0)
    )
    table = known.groupby(["year", "town_id"])[numbers].sum().astype(float).reset_index()
    return table.assign(at_work=table["filled"] - table["borrowed_out"])


def a11(study: Study, found: Found) -> None:
    """Filled posts less those lent out over the town's posts, in the latest year; `borrowed counted`: lent out as filled."""
    posts, ids = posts_by_year(study), list(study.towns["town_id"])
    last = posts[posts["year"] == posts["year"].max()].set_index("town_id").reindex(ids)
    found.tables["posts"] = posts
    both = pd.concat([last, last.sum().to_frame(COUNTY).T])[["quota", "filled", "at_work"]].fillna(0).astype(float)
    found.add("A11", counted(ids, both.loc[ids, "at_work"], both.loc[ids, "quota"], exact=False))
    found.add("A11", counted(both.index, both["filled"], both["quota"], exact=False), sub="borrowed counted")
    found.add(
        "A11",
        counted([COUNTY], both.loc[[COUNTY], "at_work"], both.loc[[COUNTY], "quota"], exact=False),
        sub="all towns",
    )


def plan_of(study: Study, year: int | None = None) -> pd.DataFrame:
    """The rows of the hiring plan of `year`, the latest unless given."""
    plan = needed(study, "quota_plan").drop_duplicates(["year", "kind", "town_id"], keep="last")
    return plan[plan["year"] == (plan["year"].max() if year is None else year)]


def is_county(rows: pd.DataFrame) -> pd.Series:
    """Which rows stand for the county's own bodies: those without a town."""
    return rows["town_id"].fillna("").astype(str) == ""


def split(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Posts by kind: those of `towns`, and the `total` with the county's own bodies."""
    posts = rows[column].astype(float)
    sums = pd.DataFrame({"towns": posts.mask(is_county(rows), 0.0), "total": posts}).groupby(rows["kind"]).sum()
    return sums.reindex([*KINDS, TAUGHT], fill_value=0.0)


def a12(study: Study, found: Found) -> None:
    """The towns' share of the plan less their share of the posts that exist, education and health left out.

    The stock is that of the year before the plan, else of the latest year not after it. It is a full count: the interval is
    Clopper and Pearson's (1934) of the plan's share, moved by the stock's. Without a row of the county's own bodies in both,
    neither share means anything.
    """
    rows, quota = plan_of(study), needed(study, "quota").drop_duplicates(["town_id", "year", "kind"], keep="last")
    years, year = quota["year"], rows["year"].max()
    before = years[years < year].max() if (years < year).any() else years[years <= year].max()
    sides = [side[side["kind"].isin(KINDS)] for side in (rows, quota[years == before])]
    if not all(is_county(side).any() for side in sides):
        found.add("A12", unsaid([COUNTY], "no county total"))
        return
    plan, stock = (split(side, column).loc[KINDS] for side, column in zip(sides, ("planned", "quota"), strict=True))
    for sub, kinds in (("", KINDS), *((f"kind_{kind}", [kind]) for kind in KINDS)):
        found.add("A12", favour(*plan.loc[kinds].sum(), *stock.loc[kinds].sum()), sub=sub)
    for sub, side, exact in (("plan share", plan, True), ("stock share", stock, False)):
        k, n = side.sum()
        found.add("A12", counted([COUNTY], [k], [n], exact=exact), sub=sub)


def favour(k: float, n: float, k0: float, n0: float) -> pd.DataFrame:
    """The county's row of k/n less k0/n0, of which only the first is uncertain."""
    share, base = counted([COUNTY], [k], [n]), k0 / n0 if n0 else np.nan
    moved = {name: (share[name] - base).to_numpy() for name in ("estimate", "low", "high")}
    return values([COUNTY], moved["estimate"], n if n0 else 0, low=moved["low"], high=moved["high"], method=EXACT)


def a13(study: Study, found: Found) -> None:
    """Printed counts of the plan that differ from its sums; the sums as subs. `year` among them says which year they mean."""
    told = study.county.printed.get("A13")
    told = dict(told) if isinstance(told, dict) else {}
    plan = split(plan_of(study, told.pop("year", None)), "planned")
    sums = {f"{kind}_{side}": plan.loc[kind, side] for kind in KINDS for side in ("total", "towns")}
    shown = {name: number for name, number in told.items() if name in sums}
    wrong = sum(abs(sums[name] - number) > 1e-9 for name, number in shown.items())
    found.add("A13", values([COUNTY], [wrong], len(shown)) if shown else unsaid([COUNTY], "number masked"))
    for name, number in sums.items():
        found.add("A13", values([COUNTY], [number], 1), sub=name)


def a14(study: Study, found: Found) -> None:
    """The least distance of the printed share from the towns' institution posts over either denominator; the remark names it."""
    told = study.county.printed.get("A14")
    told = dict(told) if isinstance(told, dict) else {"percent": told}
    plan = split(plan_of(study, told.get("year")), "planned")
    towns, narrow = plan.loc["psu"]
    denominators = {"without_edu_health": narrow, "with_edu_health": narrow + plan.loc[TAUGHT, "total"]}
    for key, total in denominators.items():
        found.add("A14", counted([COUNTY], [towns], [total], exact=False), sub=DENOMINATORS[key])
    if told.get("percent") is None or not narrow:
        found.add("A14", unsaid([COUNTY], "number masked" if narrow else "no eligible case"))
        return
    gaps = {key: abs(told["percent"] / 100 - towns / total) for key, total in denominators.items()}
    nearest = min(gaps, key=gaps.__getitem__)
    is_it = gaps[nearest] <= claims_of(study.county)["A14"].bar + 1e-9
    found.add("A14", values([COUNTY], [gaps[nearest]], denominators[nearest], remark=nearest if is_it else ""))


def a15(study: Study, found: Found) -> None:
    """Staff at work per 1,000 residents, last year of the quota ledger less its first, towns and county; sub `gini` (last year).

    `gini`: the mean difference of the towns' rates over twice their mean, 0 where all towns are alike (Gini 1912).
    """
    posts, ids = posts_by_year(study), list(study.towns["town_id"])
    at_work = posts.pivot(index="town_id", columns="year", values="at_work").reindex(ids)
    years = sorted(at_work.columns)
    if len(years) < 2:
        found.add("A15", unsaid([*ids, COUNTY], NO_BASELINE))
    else:
        both = at_work[years[0]].notna() & at_work[years[-1]].notna()
        found.add("A15", per_1000(study, (at_work[years[-1]] - at_work[years[0]]).where(both)))
    if years:
        now = per_1000(study, at_work[years[-1]])
        found.add("A15", now, sub="rate")
        rates = now.loc[now["place"] != COUNTY, "estimate"].dropna()
        found.add("A15", values([COUNTY], [gini(rates.to_numpy(dtype=float))], len(rates)), sub="gini")


def gini(x: Floats) -> float:
    """The Gini coefficient of `x`, every pair of units counted once; missing where nothing is there to share."""
    return float(np.abs(x[:, None] - x).mean() / (2 * x.mean())) if len(x) and x.mean() > 0 else np.nan


FINDERS = {"A10": a10, "A11": a11, "A12": a12, "A13": a13, "A14": a14, "A15": a15}
