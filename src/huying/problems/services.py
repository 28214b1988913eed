"""Delegated items and service centres, claims D01 to D11; refuses to take what is built for what is in use, or a blank for a no."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from huying.claims import NO_BASELINE
from huying.clocks import recorded
from huying.estimates import COUNTY, estimate_shares
from huying.ledgers import CHECKS
from huying.problems.cooperation import bounded
from huying.problems.facts import Found, Study, by_town, counted, find_each, needed, unsaid, values
from huying.problems.parallel import where
from huying.problems.posts import gini
from huying.problems.rights import decided
from huying.scales import kr20
from huying.workdays import wait_days

RECENT_DAYS, IDLE_DAYS = 90, 30
SATISFIED = 4
FEWEST_PLACES = 10


def find(study: Study) -> Found:
    """Facts for D01 to D11, with the tables `publicity`, `items`, `item_use` and `checks`."""
    return find_each(study, FINDERS)


def periods(study: Study, table: str) -> Iterator[tuple[str, pd.DataFrame, pd.Timestamp | None]]:
    """Each period's rows of a ledger with the period's last day, None where the ledger has no period."""
    for (name, period), rows in sorted(study.cleaned.ledgers.items()):
        if name == table:
            span = study.county.periods.get(period)
            yield period, rows, pd.Timestamp(span.last) if span else None


def every(study: Study, holds: pd.Series, town: pd.Series) -> pd.DataFrame:
    """Shares by town and county for a rule that one known failure refutes; what is unknown bounds them both ways."""
    ids = list(study.towns["town_id"])
    tally = pd.DataFrame({"yes": holds.fillna(False).astype(bool), "known": holds.notna(), "total": True})
    towns = tally.groupby(town).sum().reindex(ids, fill_value=0).to_numpy(dtype=int)
    rows = np.vstack([towns, tally.sum().to_numpy(dtype=int)])
    shares = decided(bounded([*ids, COUNTY], *rows.T))
    return shares.assign(reason=shares["reason"].replace("nobody knows", "unknown answers"))


# --- lists and items --------------------------------------------------------------------------------------------------


def d01(study: Study, found: Found) -> None:
    """1 for a town whose two lists are published and of the current year, the year in which the ledger's period ends."""
    tables = []
    for period, rows, last in periods(study, "publicity"):
        when = rows["updated_on"].fillna(rows["published_on"])
        year = last.year if last is not None else when.dt.year.max()  # missing where no list has a day
        good = rows["published_on"].notna() & (
            when.dt.year >= year
        )  # updated since the period ended is not out of date
        by_list = good.groupby([rows["town_id"], rows["list"]]).any().unstack().reindex(study.towns["town_id"])
        both = by_list.reindex(columns=["powers", "services"]).fillna(False).astype(bool)
        found.add("D01", values(both.index, both.all(axis=1).astype(float), 2), period=period)
        tables.append(both.astype(float).reset_index().assign(period=period))
    found.tables["publicity"] = pd.concat(tables, ignore_index=True)


def d02(study: Study, found: Found) -> None:
    """How many guides to delegation the register of documents holds; `accepted`: towns x items taken over."""
    papers = needed(study, "documents")
    found.add("D02", values([COUNTY], [(papers["kind"] == "guide").sum()], len(papers)))
    taken = study.cleaned.ledger("accepted_items")
    if taken is not None:
        found.add("D02", by_town(study, taken["accepted_on"].notna(), taken["town_id"]), sub="accepted")


def d03(study: Study, found: Found) -> None:
    """How many items were delegated; `used`: towns x items with a case in the last 90 days; `sleeping`: items with none in most towns.

    Only items that a town has taken over count as the town's, where the ledger of items taken over exists.
    """
    items = needed(study, "delegated_items").drop_duplicates("item_id")
    found.add("D03", values([COUNTY], [len(items)], len(items)))
    for mode, n in items["mode"].value_counts().items():
        found.add("D03", values([COUNTY], [n], len(items)), sub=str(mode))
    for period, log, last in periods(study, "service_log"):
        end = last if last is not None else log["accepted_at"].max()
        use = item_use(study, items, log, end)
        owned = use[use["is_taken"]]
        found.add("D03", by_town(study, owned["cases"] > 0, owned["town_id"]), sub="used", period=period)
        per_item = (
            use.assign(used=use["cases"] > 0).groupby("item_id").agg(cases=("cases", "sum"), towns_used=("used", "sum"))
        )
        per_item["is_sleeping"] = per_item["towns_used"] < len(study.towns) / 2
        found.add("D03", values([COUNTY], [per_item["is_sleeping"].sum()], len(items)), sub="sleeping", period=period)
        found.add(
            "D03",
            values([COUNTY], [gini(per_item["cases"].to_numpy(dtype=float))], len(items)),
            sub="gini",
            period=period,
        )
        found.tables["items"], found.tables["item_use"] = per_item.reset_index(), use


def item_use(study: Study, items: pd.DataFrame, log: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Cases of each item in each town in the 90 days up to `end`: item_id, town_id, cases, is_taken (over by the town)."""
    first = end.normalize() - pd.Timedelta(days=RECENT_DAYS - 1)
    recent = log[log["accepted_at"].dt.normalize().between(first, end)]
    cases = recent.groupby(["item_id", "town_id"]).size().rename("cases")
    grid = pd.MultiIndex.from_product([items["item_id"], study.towns["town_id"]], names=["item_id", "town_id"])
    table = cases.reindex(grid, fill_value=0).reset_index()
    taken = study.cleaned.ledger("accepted_items")
    if taken is None:
        return table.assign(is_taken=True)
    own = taken.loc[taken["accepted_on"].notna(), ["item_id", "town_id"]].drop_duplicates().assign(is_taken=True)
    return table.merge(own, how="left").assign(is_taken=lambda t: t["is_taken"].notna())


# --- transactions -----------------------------------------------------------------------------------------------------


def d04(study: Study, found: Found) -> None:
    """The lowest of three shares: finished within the promised working days, in one visit, rated 4 or 5.

    A transaction not finished and not yet due is too late to know and is left out of the first, an open one of the second.
    """
    for period, log, _ in periods(study, "service_log"):
        is_open = log["finished_at"].isna() & log["finished_at"].notna().any()
        once = (log["visits"] <= 1).mask(log["visits"].isna() | is_open)
        parts = {"within promise": kept(study, log, taken_on(study, period, log)), "one visit": once,
                 "satisfied": (log["rating"] >= SATISFIED).mask(log["rating"].isna())}  # fmt: skip
        frames = {sub: by_town(study, flags.astype("boolean"), log["town_id"]) for sub, flags in parts.items()}
        for sub, frame in frames.items():
            found.add("D04", frame, sub=sub, period=period)
        found.add("D04", lowest(list(frames.values())), period=period)


def lowest(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Each place's lowest known share with its interval; while another share is unknown it may lie as low as 0."""
    every_part = pd.concat(parts, ignore_index=True)
    least = every_part.sort_values("estimate", kind="stable").drop_duplicates("place").sort_index()
    lacks = least["place"].isin(every_part.loc[every_part["estimate"].isna(), "place"]) & least["estimate"].notna()
    return least.assign(low=least["low"].mask(lacks, 0.0))


def taken_on(study: Study, period: str, log: pd.DataFrame) -> pd.Timestamp:
    """The day on which the log was taken: its period's, else the last day written in it."""
    span = study.county.periods.get(period)
    return pd.Timestamp(span.as_of) if span else log[["accepted_at", "finished_at"]].max().max().normalize()


def kept(study: Study, log: pd.DataFrame, taken: pd.Timestamp) -> pd.Series:
    """Whether each transaction was finished within its promised working days; missing where that cannot be known yet.

    A log that never says when anything was finished does not say that all is late.
    """
    if log["finished_at"].isna().all():
        return pd.Series(pd.NA, index=log.index, dtype="boolean")
    end = log["finished_at"].fillna(taken)
    waited = wait_days(log["accepted_at"], end, study.county.clock, study.calendar)
    in_time = (waited <= log["promise_days"]).astype("boolean")
    return in_time.mask(log["promise_days"].isna() | (log["finished_at"].isna() & in_time.fillna(False)))


def d08(study: Study, found: Found) -> None:
    """The county's share of matters finished at the level where they began; by town as `same level`.

    `transfers`: times passed on per matter, by town and county.
    """
    for period, log, _ in periods(study, "service_log"):
        known = log["level_started"].notna() & log["level_finished"].notna()
        same = by_town(study, (log["level_started"] == log["level_finished"]).where(known), log["town_id"])
        is_county = same["place"] == COUNTY
        found.add("D08", same[is_county], period=period)
        found.add("D08", same[~is_county], sub="same level", period=period)
        moved, ids = log["transfers"].astype(float), study.towns["town_id"]
        towns = moved.groupby(log["town_id"]).agg(["mean", "count"]).reindex(ids)
        means, n = [*towns["mean"], moved.mean()], [*towns["count"].fillna(0), moved.count()]
        found.add("D08", values([*ids, COUNTY], means, n), sub="transfers", period=period)


# --- centres and stations ---------------------------------------------------------------------------------------------


def d05(study: Study, found: Found) -> None:
    """How many standards were issued before the end of the latest period or wave."""
    papers = needed(study, "documents")
    ends = [span.last for span in (*study.county.periods.values(), *study.county.waves.values())]
    issued = papers.loc[papers["kind"] == "standard", "issued_on"].dropna()
    found.add(
        "D05", values([COUNTY], [(issued <= pd.Timestamp(max(ends))).sum() if ends else len(issued)], len(papers))
    )


def d06(study: Study, found: Found) -> None:
    """The share of centres and stations that pass all eight checks, each check by itself, and KR-20."""
    for period, places, _ in periods(study, "centres"):
        passed = places[list(CHECKS)].astype("boolean")
        whole = passed.notna().all(axis=1) | (passed == False).any(axis=1)  # noqa: E712  # one failure decides
        found.add("D06", every(study, passed.fillna(True).all(axis=1).where(whole), places["town_id"]), period=period)
        for check in CHECKS:
            found.add("D06", by_town(study, passed[check], places["town_id"]), sub=check, period=period)
        marks = passed.dropna().astype(float)
        if len(marks) >= FEWEST_PLACES:
            found.add("D06", values([COUNTY], [kr20(marks.to_numpy())], len(marks)), sub="kr20", period=period)
        long = passed.assign(town_id=places["town_id"], level=places["level"]).melt(
            ["town_id", "level"], var_name="check", value_name="passed"
        )
        rates = (
            long.dropna(subset="passed")
            .groupby(["check", "level", "town_id"], sort=False)["passed"]
            .agg(share="mean", n="count")
        )
        found.tables["checks"] = rates.reset_index().astype({"share": float}).assign(period=period)


def d07(study: Study, found: Found) -> None:
    """The share of town centres with a deputy for each window and no window unmanned at the check."""
    for period, places, _ in periods(study, "centres"):
        own = places[places["level"] == "centre"]
        covered, manned = own["deputies"] >= own["windows"], own["unmanned"] == 0  # missing where a number is
        found.add("D07", every(study, covered & manned, own["town_id"]), period=period)


def d09(study: Study, found: Found) -> None:
    """The share of listed centres and stations that are built and had a transaction within the 30 days before the check.

    `found`: residents who know of a station in their village and say that it is usually staffed (R20).
    """
    for period, places, last in periods(study, "centres"):
        checked = places["checked_on"].fillna(last if last is not None else places["checked_on"].max())
        idle = (checked - places["last_txn_on"]).dt.days
        recent = recorded(idle <= IDLE_DAYS, places["last_txn_on"]).mask(checked.isna())
        used = places["is_built"].astype("boolean") & recent
        found.add("D09", every(study, used, places["town_id"]), period=period)
        found.add("D09", by_town(study, places["is_built"], places["town_id"]), sub="built", period=period)
        for level in ("centre", "station"):
            own = places["level"] == level
            found.add(
                "D09", by_town(study, used[own], places.loc[own, "town_id"]), sub=f"in use: {level}", period=period
            )
    for wave in study.waves("resident"):
        sample = study.samples["resident", wave]
        seen = pd.DataFrame({"found": where(sample.column("R20") == 1, sample.asked("R20"))})
        found.add(
            "D09",
            estimate_shares(sample.design, seen, wave=wave, fewest=study.county.thresholds["fewest_residents"]),
            sub="found",
        )


# --- bank points ------------------------------------------------------------------------------------------------------


def d10(study: Study, found: Found) -> None:
    """Bank points in the register less the number that the report prints; `active`: a loan within the last 90 days."""
    printed = study.county.printed.get("D10")
    for period, points, last in periods(study, "bank_points"):
        points = points.drop_duplicates("point_id")
        if isinstance(printed, int | float):
            found.add("D10", values([COUNTY], [len(points) - printed], len(points)), period=period)
        else:
            found.add("D10", unsaid([COUNTY], "number masked"), period=period)
        found.add("D10", values([COUNTY], [len(points)], len(points)), sub="points", period=period)
        end = last if last is not None else points["last_loan_on"].max()
        active = recorded((end - points["last_loan_on"]).dt.days <= RECENT_DAYS, points["last_loan_on"])
        rows = counted([COUNTY], [active.sum()], [active.count()], exact=False)
        found.add("D10", rows, sub="active", period=period)


def d11(study: Study, found: Found) -> None:
    """Median over the points of the days to a loan before the point opened less those now: more than 0 is faster."""
    for period, points, _ in periods(study, "bank_points"):
        gain = (points["days_before"] - points["days_to_loan"]).dropna()
        faster = values([COUNTY], [gain.median()], len(gain)) if len(gain) else unsaid([COUNTY], NO_BASELINE)
        found.add("D11", faster, period=period)


FINDERS = {"D01": d01, "D02": d02, "D03": d03, "D04": d04, "D05": d05, "D06": d06, "D07": d07, "D08": d08, "D09": d09,
           "D10": d10, "D11": d11}  # fmt: skip
