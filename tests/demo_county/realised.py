"""What the demo county's clean ledgers of the reform truly hold, as rows for the answer key; refuses nothing, knows no estimator."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pandas as pd

from demo_county.agencies import variance_share
from demo_county.ledgers import MECHANISM
from huying.ledgers import CHECKS
from huying.workdays import Rule, calendar, wait_days

Ledgers = Mapping[str, pd.DataFrame]
SLEEP = pd.Timestamp("2022-10-02")  # the last 90 days of 2022 begin after it


def reform_values(ledgers: Ledgers, cases: pd.DataFrame, pop: pd.Series) -> pd.DataFrame:
    """The true values (columns: town_id, wave, indicator, value); `town_id` may be county, `wave` is the year of the ledger.

    `pop` holds the residents of each town.
    """
    county = {**post_totals(ledgers), **item_counts(ledgers), **place_values(ledgers["centres"]), **agency_values(ledgers),
              **list_counts(ledgers), **step_medians(cases)}  # fmt: skip
    rows = [("county", "2022", name, value) for name, value in county.items()]
    for name, values in {
        **log_shares(ledgers["service_log"]),
        **town_places(ledgers["centres"]),
        **lists_current(ledgers["publicity"]),
    }.items():
        rows += [(town, "2022", name, value) for town, value in values.items()]
    for year, own in ledgers["quota"].dropna(subset=["town"]).groupby("year"):
        sums = own.groupby("town")[["quota", "filled", "borrowed_out"]].sum()
        for name, values in (("fill_rate", (sums["filled"] - sums["borrowed_out"]) / sums["quota"]),
                             ("fill_rate_with_lent", sums["filled"] / sums["quota"]),
                             ("filled_per_1000", sums["filled"] / pop.reindex(sums.index) * 1000)):  # fmt: skip
            rows += [(town, str(year), name, value) for town, value in values.items()]
    weights = ledgers["appraisal_weights"]
    rows += [
        (dept, "2022", "town_weight", share)
        for dept, share in zip(weights["dept"], weights["town_weight"], strict=True)
    ]
    return pd.DataFrame(rows, columns=["town_id", "wave", "indicator", "value"]).astype({"value": float})


def post_totals(ledgers: Ledgers) -> dict[str, Any]:
    """Posts moved, planned, and how much of plan and stock is the towns'; education and health are never theirs."""
    moves, plan, stock = ledgers["quota_moves"], ledgers["quota_plan"], ledgers["quota"]
    own = stock[(stock["year"] == stock["year"].max()) & (stock["kind"] != "edu_health")]
    wanted = plan[plan["kind"] != "edu_health"]
    out = {f"posts_{move}": posts for move, posts in moves.groupby("move")["posts"].sum().items()}
    for kind, rows in plan.groupby("kind"):
        out |= {
            f"plan_{kind}_total": rows["planned"].sum(),
            f"plan_{kind}_towns": rows.loc[rows["town"].notna(), "planned"].sum(),
        }
    return out | {"plan_share": wanted.loc[wanted["town"].notna(), "planned"].sum() / wanted["planned"].sum(),
                  "stock_share": own.loc[own["town"].notna(), "quota"].sum() / own["quota"].sum()}  # fmt: skip


def item_counts(ledgers: Ledgers) -> dict[str, Any]:
    """Items by mode, taken over, used and asleep (no case in more than half of the towns in the last 90 days of 2022)."""
    items, accepted, log = (ledgers[name] for name in ("delegated_items", "accepted_items", "service_log"))
    n_towns = accepted["town"].nunique()
    late = log[log["accepted_at"] > SLEEP].dropna(subset=["item_id"])
    busy = late.groupby("item_id")["town"].nunique().reindex(items["item_id"]).fillna(0)
    asleep = int((n_towns - busy > n_towns / 2).sum())
    return {"items": len(items), "items_entrusted": (items["mode"] == "entrusted").sum(), "items_authorised": (items["mode"] == "authorised").sum(),
            "items_accepted": accepted["accepted_on"].notna().mean(), "items_sleeping": asleep, "items_used": len(items) - asleep,
            "transactions": len(log)}  # fmt: skip


def log_shares(log: pd.DataFrame) -> dict[str, pd.Series]:
    """By town: within the promise (of those finished), one visit, satisfied (of those rated); the same level for the county."""
    wait = wait_days(log["accepted_at"], log["finished_at"], Rule(), calendar())
    flags = {"kept": (wait <= log["promise_days"]).where(log["finished_at"].notna()), "one_visit": log["visits"] == 1,
             "satisfied": (log["rating"] >= 4).where(log["rating"].notna()),
             "same_level": log["level_started"] == log["level_finished"]}  # fmt: skip
    out = {}
    for name, flag in flags.items():
        number = flag.astype("Float64")
        whole = pd.Series({"county": number.mean()})
        out[name] = whole if name == "same_level" else pd.concat([number.groupby(log["town"]).mean(), whole])
    return out


def place_values(places: pd.DataFrame) -> dict[str, Any]:
    """How many places, the rate of each check, KR-20 of the eight (Kuder and Richardson 1937, formula 20), and idle stations."""
    marks = places[list(CHECKS)].astype(float)
    p, k = marks.mean(), len(CHECKS)
    stations = places[places["level"] == "station"]
    idle = (stations["checked_on"] - stations["last_txn_on"]).dt.days > 30
    return {**{f"check_{name}": rate for name, rate in p.items()}, "centres": (places["level"] == "centre").sum(),
            "stations": len(stations), "stations_idle": idle.sum(),
            "kr20": k / (k - 1) * (1 - (p * (1 - p)).sum() / marks.sum(axis=1).var(ddof=0))}  # fmt: skip


def town_places(places: pd.DataFrame) -> dict[str, pd.Series]:
    """By town: places that pass all eight, that are in use, and whether the centre's windows are covered."""
    in_use = (places["checked_on"] - places["last_txn_on"]).dt.days <= 30
    whole = places[list(CHECKS)].all(axis=1)
    own = places[places["level"] == "centre"].set_index("town")
    covered = (own["deputies"] >= own["windows"]) & (own["unmanned"] == 0)
    return {"all_eight": whole.groupby(places["town"]).mean(), "in_use": in_use.groupby(places["town"]).mean(),
            "windows_covered": covered.astype(float)}  # fmt: skip


def lists_current(lists: pd.DataFrame) -> dict[str, pd.Series]:
    """By town: whether both lists were updated in 2022."""
    return {"lists_current": (lists["updated_on"].dt.year == 2022).groupby(lists["town"]).all().astype(float)}


def list_counts(ledgers: Ledgers) -> dict[str, Any]:
    """Requests, refusals, versions; bank points and those that lend; warnings."""
    asked, points = ledgers["admissions"], ledgers["bank_points"]
    return {"requests": len(asked), "requests_refused": (asked["decision"] == "refused").sum(), "list_versions": asked["list_version"].nunique(),
            "bank_points": len(points), "bank_points_active": points["last_loan_on"].notna().sum(),
            "accountability_events": len(ledgers["accountability"])}  # fmt: skip


def agency_values(ledgers: Ledgers) -> dict[str, Any]:
    """The towns' say in the agencies, head changes before and after the mechanism, the appraisal's effective weight, duties."""
    roster, events, scores = (ledgers[name] for name in ("agencies", "agency_events", "appraisal_scores"))
    say = pd.DataFrame({"attended": roster["meetings_attended"] / roster["meetings_called"],
                        "attendance": roster["attendance_by_town"].astype(float), "leave": roster["leave_by_town"].astype(float)})  # fmt: skip
    after, asked = events["changed_on"] >= MECHANISM, events["consulted"] != "none"
    soon = (events["reported_on"] - events["changed_on"]).dt.days <= 30
    weight = ledgers["appraisal_weights"]["town_weight"].to_numpy()
    parts = (scores["town_score"].to_numpy(), scores["other_score"].to_numpy())
    return {"agencies": len(roster), "management_index": say.mean(axis=1).mean(), "assessed_by_town": roster["assessed_by_town"].mean(),
            "changes_before": (~after).sum(), "changes_after": after.sum(), "consulted_before": (asked & ~after).sum(),
            "consulted_after": (asked & after).sum(), "reported_in_30_days": soon.sum(), "duties_turned_up": ledgers["duty_log"]["turned_up"].mean(),
            "departments_below_30": (weight < 0.3).sum(), "town_part_of_variance": variance_share(weight, *parts)}  # fmt: skip


def step_medians(cases: pd.DataFrame) -> dict[str, Any]:
    """Median days of each step of the joint conference, of the cases that took it."""
    steps = ("referred_on", "accepted_on", "heard_on", "ruled_on")
    return {
        f"days_to_{after[:-3]}": (cases[after] - cases[before]).dt.days.median()
        for before, after in itertools.pairwise(steps)
    }
