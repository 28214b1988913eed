"""Posts, the hiring plan, the lists and requests to be put on them, as clean frames of the demo county; refuses nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo_county.draws import apportion, days_between
from demo_county.truths import Truths

OWN_KINDS = ("admin", "psu")  # the kinds of post that a town has


def town_posts(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """One row a town, year and kind: quota, filled, borrowed_out, borrowed_in, and `given`, the posts it got between the years.

    What was recovered and not held is given to the towns, as posts of institutions, in proportion to their size; the towns
    that are planted to fall get none and lose people.
    """
    planted, towns = truths.features["quota"], truths.towns
    first = np.maximum(np.round(planted["per_listed"] * towns["staff_listed"]), planted["least"]).astype(np.int64)
    falls = towns["town_id"].isin(planted["falls"]).to_numpy()
    given = apportion(planted["recovered"] - planted["held"], first * ~falls)
    rate = np.where(falls, 0.94, np.clip(rng.normal(planted["filled"], 0.012, len(towns)), 0.94, 0.985))
    lent = (truths.by_town("quota", "lent") * first).astype(np.int64)
    admin, rows = np.round(planted["admin_share"] * first).astype(np.int64), []
    for year in planted["years"]:
        later = year != planted["years"][0]
        for kind, posts in zip(OWN_KINDS, (admin, first - admin + given * later), strict=True):
            psu = kind == "psu"
            filled = np.round(rate * posts).astype(np.int64) - planted["fall"] * (falls & later & psu)
            rows.append(pd.DataFrame({"town": towns["town_id"], "year": year, "kind": kind, "quota": posts, "filled": filled,
                                      "borrowed_out": lent * psu, "borrowed_in": 0, "given": given * psu}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def quota(truths: Truths, posts: pd.DataFrame) -> pd.DataFrame:
    """The quota ledger: the towns' posts, and the county's own bodies, which borrow whom the towns lend and gave what was moved."""
    planted, rows = truths.features["quota"], []
    for year in planted["years"]:
        for kind, n in planted["county"].items():
            own = posts[(posts["year"] == year) & (posts["kind"] == kind)]
            n -= own["given"].sum() if year != planted["years"][0] and len(own) else 0
            rows.append({"town": None, "year": year, "kind": kind, "quota": n, "filled": round(planted["county_filled"][kind] * n),
                         "borrowed_out": 0, "borrowed_in": own["borrowed_out"].sum()})  # fmt: skip
    whole = pd.concat(
        [posts.drop(columns="given").astype({"town": object}), pd.DataFrame(rows).astype({"town": object})]
    )
    return whole.sort_values(["year", "town", "kind"], ignore_index=True)


def quota_moves(truths: Truths, posts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The moves behind it: recovered from old units, given to towns, held; they balance in all and for each old unit."""
    planted, names = truths.features["quota"], truths.old_units()["old_name"].to_numpy()
    units = rng.choice(names, min(planted["from_units"], len(names)), replace=False)
    taken = apportion(planted["recovered"], rng.uniform(1, 3, len(units)))
    keeper = int(taken.argmax())
    left = taken - planted["held"] * (np.arange(len(units)) == keeper)
    town = posts.drop_duplicates("town")["town"].to_numpy()
    given = posts.groupby("town", sort=False)["given"].max().to_numpy()
    pairs = pd.DataFrame(
        {"town": np.repeat(town, given), "from_unit": np.repeat(units, left)}
    )  # the first posts to the first town
    pairs = pairs.groupby(["town", "from_unit"], sort=False).size().rename("posts").reset_index()
    days = days_between(rng, planted["given_from"], planted["given_to"], len(pairs)).sort_values()
    moves = pd.concat([
        pd.DataFrame({"move": "recovered", "town": None, "posts": taken, "moved_on": pd.Timestamp(planted["recovered_on"]), "from_unit": units}),
        pairs.assign(move="given", moved_on=days),
        pd.DataFrame({"move": ["held"], "town": None, "posts": planted["held"], "moved_on": pd.Timestamp(planted["given_to"]),
                      "from_unit": units[keeper]})], ignore_index=True)  # fmt: skip
    moves.insert(0, "move_id", [f"BM{k:03d}" for k in range(1, len(moves) + 1)])
    return moves


def quota_plan(truths: Truths, posts: pd.DataFrame) -> pd.DataFrame:
    """The yearly plan: each town's part in proportion to its posts, and the county's own bodies, which make up the printed total."""
    planted, rows = truths.features["plan"], []
    size = posts[posts["year"] == posts["year"].max()].groupby("town", sort=False)["quota"].sum()
    for kind, total in planted["posts"].items():
        for_towns = planted["towns"].get(kind, 0)
        if for_towns:
            rows.append(pd.DataFrame({"town": size.index, "kind": kind, "planned": apportion(for_towns, size)}))
        rows.append(pd.DataFrame({"town": [None], "kind": kind, "planned": total - for_towns}))
    return pd.concat([part.astype({"town": object}) for part in rows], ignore_index=True).assign(year=planted["year"])


def admissions(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Requests to put matters on the list; the last ones are pending, and each quarter's admissions make a version of it."""
    planted = truths.features["admissions"]
    n, first = planted["requests"], pd.Timestamp(planted["first"])
    on = days_between(rng, first, planted["last"], n).sort_values()
    decided = pd.Series(on + pd.to_timedelta(rng.integers(5, 25, n), unit="D"))
    pending = np.arange(n) >= n - planted["pending"]
    decision = np.where(pending, "pending", "admitted").astype(object)
    decision[rng.choice(np.flatnonzero(~pending), planted["refused"], replace=False)] = "refused"
    version = pd.Series([f"{day.year}年第{day.quarter}版" for day in decided]).where(decision == "admitted")
    return pd.DataFrame({"request_id": [f"ZR{k:03d}" for k in range(1, n + 1)],
                         "dept": rng.choice(truths.departments["dept_id"].to_numpy(), n), "requested_on": on,
                         "decided_on": decided.mask(pending), "decision": decision, "list_version": version})  # fmt: skip


def publicity(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Both lists of every town; those planted as not updated were last touched in the year before."""
    stale, towns = truths.features["publicity"]["not_updated"], truths.towns["town_id"]
    rows = pd.MultiIndex.from_product([towns, ["powers", "services"]], names=["town", "list"]).to_frame(index=False)
    old = np.array(
        [name in stale.get(town, ()) for town, name in zip(rows["town"], rows["list"], strict=True)], dtype=bool
    )
    published = pd.Series(days_between(rng, "2021-09-01", "2021-11-30", len(rows)))
    last = pd.Series(days_between(rng, "2022-06-01", "2022-11-30", len(rows)))
    before = published + pd.to_timedelta(rng.integers(5, 30, len(rows)), unit="D")
    return rows.assign(url="https://demo.example.org/" + rows["town"] + "/" + rows["list"], published_on=published,
                       updated_on=last.mask(old, before))  # fmt: skip
