"""Delegated items, transactions, service centres and bank points of the demo county as clean frames; refuses nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demo_county.calls import AS_OF, FIRST, LAST
from demo_county.draws import apportion, days_between, pick, spread, spread_by
from demo_county.population import Population
from demo_county.truths import Bools, Floats, Ints, Truths
from huying import workdays
from huying.ledgers import CHECKS, LEVELS
from huying.workdays import Calendar, Rule, calendar, starts

QUARTER = pd.Timestamp("2022-10-10"), pd.Timestamp("2022-12-28")  # in it every item that is awake is asked for


def nth_day(days: Calendar, number: Ints) -> npt.NDArray[np.datetime64]:
    """The day on which the count of working days reaches each number."""
    return workdays.FIRST + np.searchsorted(days.index, number).astype("timedelta64[D]")


def delegated_items(truths: Truths) -> pd.DataFrame:
    """The list of items, their departments by name."""
    names = truths.departments.set_index("dept_id")["name_zh"]
    items, planted = truths.delegated, truths.features["services"]
    return items[["item_id", "name", "mode"]].assign(
        from_dept=items["from_dept"].map(names).fillna(items["from_dept"]),
        effective_on=pd.Timestamp(planted["effective_on"]),
    )


def accepted_items(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """One row a town and item, with the day on which the town took it over; a few never were."""
    planted = truths.features["services"]
    rows = pd.MultiIndex.from_product(
        [truths.towns["town_id"], truths.delegated["item_id"]], names=["town", "item_id"]
    ).to_frame(index=False)
    day = pd.Timestamp(planted["effective_on"]) + pd.to_timedelta(rng.integers(0, 46, len(rows)), unit="D")
    return rows.assign(accepted_on=pd.Series(day).mask(spread(rng, len(rows)) < planted["not_accepted"]))


def requests(truths: Truths, accepted: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Who asked for what (town as a row number, item_id or missing, and the days from and to which it may have been).

    Every item that is not asleep has a case of the last quarter in most towns; one that is asleep, in few towns at all.
    """
    planted, items = truths.features["services"], truths.delegated.set_index("item_id")
    took = accepted.dropna(subset=["accepted_on"], ignore_index=True)
    town = pd.Index(truths.towns["town_id"]).get_indexer(took["town"])
    asleep = took["item_id"].map(items["sleeping"]).to_numpy() == 1
    rank = pd.Series(rng.random(len(took))).groupby(took["item_id"].to_numpy()).rank(method="first").to_numpy()
    some = rank <= np.where(asleep, planted["asleep_in"], planted["asked_in"]) * len(truths.towns)
    whole = pd.DataFrame({"town": town, "item_id": took["item_id"], "from": took["accepted_on"], "to": LAST})
    sure = whole.assign(
        **{name: whole[name].where(asleep, day) for name, day in zip(("from", "to"), QUARTER, strict=True)}
    )
    size = np.round(
        planted["per_1000"] * truths.towns["pop"] / 1000 - np.bincount(town[some], minlength=len(truths.towns))
    )
    parts = [sure[some]]
    for t, n in enumerate(np.maximum(size, 0).astype(int)):
        own = whole[(town == t) & ~asleep]
        n_own = round(planted["delegated_share"] * n) if len(own) else 0
        parts.append(
            own.iloc[pick(rng, np.arange(len(own)), own["item_id"].map(items["demand"]), n_own)] if n_own else own[:0]
        )
        parts.append(pd.DataFrame({"town": t, "item_id": None, "from": FIRST, "to": LAST}, index=range(n - n_own)))
    return pd.concat([part.astype({"item_id": object}) for part in parts], ignore_index=True)


def service_log(truths: Truths, accepted: pd.DataFrame, places: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One row a transaction of 2022, on the house's clock; what was not finished when the data were taken is left open.

    `places`: the rows of `centre_places`; no station that is idle has a transaction.
    """
    planted, days = truths.features["services"], calendar()
    asked = requests(truths, accepted, rng)
    n, town = len(asked), asked["town"].to_numpy(dtype=np.int64)
    first, last = (days.up_to(asked[name].to_numpy().astype("datetime64[D]")) for name in ("from", "to"))
    on = nth_day(days, first + 1 + (rng.random(n) * (last - first)).astype(np.int64))
    at = pd.Series(pd.DatetimeIndex(on) + pd.to_timedelta(rng.integers(510, 1025, n), unit="min"))
    promise = (
        asked["item_id"]
        .map(truths.delegated.set_index("item_id")["promise_days"])
        .fillna(pd.Series(rng.choice([1, 3, 5], n)))
    )
    limit = promise.to_numpy(dtype=np.int64)
    kept = spread_by(rng, town) < town_shares(truths, "kept", rng)[town]
    wait = np.where(kept, (rng.random(n) * (limit + 1)).astype(np.int64), limit + rng.geometric(0.5, n))
    later = pd.Series(
        pd.DatetimeIndex(nth_day(days, starts(at, Rule(), days) + wait))
        + pd.to_timedelta(rng.integers(540, 1020, n), unit="min")
    )
    done = later.where(wait > 0, at + pd.to_timedelta(rng.integers(8, 45, n), unit="min"))
    once = spread_by(rng, town) < town_shares(truths, "one_visit", rng)[town]
    at_station = spread(rng, n) < planted["at_stations"]
    same, levels = spread(rng, n) < planted["same_level"], np.array(list(LEVELS.options))
    level = np.where(at_station, 0, 1)
    frame = pd.DataFrame({"town": truths.towns["town_id"].to_numpy()[town], "centre_id": _where(places, town, at_station, rng),
                          "item_id": asked["item_id"], "accepted_at": at, "finished_at": done.where(done <= AS_OF), "promise_days": limit,
                          "visits": np.where(once, 1, 1 + rng.geometric(0.7, n)), "rating": _ratings(truths, town, rng),
                          "level_started": levels[level], "level_finished": levels[level + ~same],
                          "transfers": np.where(same, rng.random(n) < 0.03, rng.geometric(0.8, n))})  # fmt: skip
    frame = frame.sort_values(["accepted_at", "town"], ignore_index=True)
    frame.insert(0, "txn_id", [f"BJ2022{k:05d}" for k in range(1, n + 1)])
    return frame


def town_shares(truths: Truths, name: str, rng: np.random.Generator) -> Floats:
    """A planted share of each town, a little more or less of it in each."""
    share = truths.by_town("services", name) + rng.normal(0, truths.features["services"]["vary"], len(truths.towns))
    return np.clip(share, 0.02, 0.98)


def _where(places: pd.DataFrame, town: Ints, at_station: Bools, rng: np.random.Generator) -> list[str]:
    """The town's centre, or one of its stations that are in use."""
    live = {key: rows["centre_id"].to_numpy() for key, rows in places[~places["is_idle"]].groupby(["town_no", "level"])}
    return [str(rng.choice(live.get((t, "station"), live[t, "centre"]) if out else live[t, "centre"]))
            for t, out in zip(town, at_station, strict=True)]  # fmt: skip


def _ratings(truths: Truths, town: Ints, rng: np.random.Generator) -> pd.Series:
    """Grades 1-5 of those who gave one."""
    rated = rng.random(len(town)) < truths.features["services"]["rated"]
    good = np.zeros(len(town), dtype=bool)
    good[rated] = spread_by(rng, town[rated]) < town_shares(truths, "satisfied", rng)[town[rated]]
    grade = np.where(good, pick(rng, [5, 4], [0.6, 0.4], len(town)), pick(rng, [3, 2, 1], [0.6, 0.3, 0.1], len(town)))
    return pd.Series(grade, dtype="Int64").where(rated)


def centre_places(population: Population, rng: np.random.Generator) -> pd.DataFrame:
    """A centre a town and a station a village (centre_id, town, town_no, level, village_id), and which stations are idle."""
    towns, villages = population.truths.towns["town_id"], population.villages
    centres = pd.DataFrame(
        {"centre_id": towns + "C", "town": towns, "town_no": range(len(towns)), "level": "centre", "is_idle": False}
    )
    stations = pd.DataFrame({"centre_id": villages["village_id"] + "S", "town": villages["town_id"], "town_no": villages["town"],
                             "level": "station", "village_id": villages["village_id"], "is_idle": False})  # fmt: skip
    n_idle = round(population.truths.features["centres"]["idle"] * len(stations))
    stations.loc[rng.choice(len(stations), n_idle, replace=False), "is_idle"] = True
    return pd.concat([centres, stations], ignore_index=True).sort_values(
        ["town_no", "level"], kind="stable", ignore_index=True
    )


def centres(truths: Truths, places: pd.DataFrame, log: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The check of all places: the eight marks at their planted rates, alike within a place; windows only in the centres."""
    planted, n = truths.features["centres"], len(places)
    checked = pd.Timestamp(planted["checked_from"]) + pd.to_timedelta(
        places["town_no"] % 9 + places.groupby("town_no").cumcount() // 12, unit="D"
    )
    ago = np.where(places["is_idle"], rng.integers(35, 150, n), rng.integers(0, 22, n))
    before = log.merge(pd.DataFrame({"centre_id": places["centre_id"], "checked": checked}))
    seen = (
        before[before["accepted_at"] < before["checked"] + pd.Timedelta(days=1)]
        .groupby("centre_id")["accepted_at"]
        .max()
    )
    last = pd.concat(
        [checked - pd.to_timedelta(ago, unit="D"), places["centre_id"].map(seen).dt.normalize()], axis=1
    ).max(axis=1)
    common, alike = rng.normal(size=n), planted["alike"]
    marks = {}
    for name in CHECKS:
        score = np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=n)
        marks[name] = score.argsort().argsort() >= n - round(planted["checks"][name] * n)
    is_centre = places["level"] == "centre"
    windows = (4 + truths.towns["pop"] // 6000).to_numpy()[places["town_no"]]
    figures = {"windows": windows, "deputies": windows - places["town"].isin(planted["lacks_deputy"]),
               "unmanned": places["town"].map(planted["unmanned"]).fillna(0)}  # fmt: skip
    return places[["centre_id", "town", "level", "village_id"]].assign(
        is_built=True, opened_on=days_between(rng, "2021-03-01", "2021-12-20", n), checked_on=checked, last_txn_on=last, **marks,
        **{name: pd.Series(value).astype("Int64").where(is_centre) for name, value in figures.items()},
    )  # fmt: skip


def bank_points(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Points in the towns, the greater the town the more; those not active have made no loan. Nobody noted how it was before."""
    planted, towns = truths.features["bank_points"], truths.towns
    n = planted["n"]
    active = rng.permutation(np.arange(n) < planted["active"])
    return pd.DataFrame({"point_id": [f"ZY{k:02d}" for k in range(1, n + 1)],
                         "town": np.repeat(towns["town_id"].to_numpy(), apportion(n, towns["pop"])), "bank": rng.choice(planted["banks"], n),
                         "opened_on": days_between(rng, "2022-03-01", "2022-08-31", n),
                         "last_loan_on": pd.Series(days_between(rng, "2022-11-05", "2022-12-30", n)).where(active),
                         "loans": np.where(active, 1 + rng.poisson(14, n), 0),
                         "days_to_loan": pd.Series(rng.integers(6, 25, n) / 2).where(active), "days_before": np.nan})  # fmt: skip
