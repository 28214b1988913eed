"""Suggestions that the county's ledgers speak to: S21, S22, S24, S32, S33, S35, S36; refuses a trend over fewer than 10 events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from huying import clocks
from huying.estimates import COUNTY, Design, county_variance
from huying.problems import calls, rights
from huying.problems.agencies import management
from huying.problems.associations import regress, student
from huying.problems.facts import Found, Study, counted, needed, periods_of, unsaid, values

SCENARIOS = (0.30, 0.40, 0.50)
STEPS = {
    "accept": ("referred_on", "accepted_on"),
    "hear": ("accepted_on", "heard_on"),
    "rule": ("heard_on", "ruled_on"),
}
FEWEST_EVENTS, AROUND_DAYS, FEWEST_MONTHS, FEWEST_TOWNS = 10, 30, 3, 3


def facts_of(found: Found, claim: str, sub: str = "") -> pd.DataFrame:
    """The rows that another problem found for a claim and sub, without the names of either."""
    table = found.frame()
    own = table[(table["claim"] == claim) & (table["sub"] == sub)]
    return own.drop(columns=["claim", "sub"]).reset_index(drop=True)


# --- agencies and appraisal -------------------------------------------------------------------------------------------


def s21(study: Study, found: Found) -> None:
    """Rights exercised over due, as B02, with their two parts: towns asked of a change of head, heads assessed by the town."""
    own = Found()
    rights.b02(study, own)
    for sub in ("", "consulted", "assessed"):
        found.add("S21", facts_of(own, "B02", sub), sub=sub)


def s22(study: Study, found: Found) -> None:
    """The management index of the agencies, as P22."""
    for period, agencies in periods_of(study, "agencies"):
        index = management(agencies)["index"]
        found.add("S22", values([COUNTY], [index.mean()], [index.count()]), period=period)


def s24(study: Study, found: Found) -> None:
    """The effective weight of the towns' rating, as B04, and what 30, 40 and 50% would do to the departments' ranks.

    `tau at 30%` and so on: Kendall's tau-b of the ranks under that weight for all with those under the nominal weights;
    `moved at 30%`: departments whose rank changes. Of the latest year; table `rank_flow`: year, dept_id, w, rank.
    """
    weights, scores = (rights.latest(needed(study, f"appraisal_{name}")) for name in ("weights", "scores"))
    rows = weights.join(scores[["town_score", "other_score"]], how="inner")
    if not len(rows):
        found.add("S24", unsaid([COUNTY], "no eligible case"))
        return
    today = rights.appraisal(rows)
    found.add("S24", values([COUNTY], [rights.variance_share(today)], [len(rows)]))
    ranks = {"nominal": today["rank"]}
    for w in SCENARIOS:
        ranks[f"{w:.0%}"] = rights.appraisal(rows.assign(town_weight=w, other_weight=1 - w))["rank"]
    for at, rank in list(ranks.items())[1:]:
        varies = min(rank.nunique(), today["rank"].nunique()) > 1
        tau = stats.kendalltau(today["rank"], rank).statistic if varies else np.nan
        for sub, value in ((f"tau at {at}", tau), (f"moved at {at}", float((rank != today["rank"]).sum()))):
            found.add("S24", values([COUNTY], [value], [len(rows)]), sub=sub)
    flow = pd.DataFrame(ranks).rename_axis("dept_id").reset_index()
    found.tables["rank_flow"] = flow.assign(year=weights["year"].max()).melt(
        ["year", "dept_id"], var_name="w", value_name="rank"
    )


# --- calls ------------------------------------------------------------------------------------------------------------


def s32(study: Study, found: Found) -> None:
    """Each department's calls answered within 2 working days, and whether it lies outside the funnel's 99.8% limits."""
    for period, timed in periods_of_calls(study):
        flags = clocks.eligible(timed, "on_time_2", "old_enough_2")
        counts = flags.groupby(timed["dept_id"]).agg(k="sum", n="count").reset_index()
        reason = "no response time" if timed["responded_at"].isna().all() else "no eligible call"
        rows = counted(counts["dept_id"], counts["k"], counts["n"], reason=reason)
        points = clocks.funnel(counts) if counts["n"].sum() else counts.assign(is_outside=False)
        outside = set(points.loc[points["is_outside"], "dept_id"])
        found.add("S32", rows.assign(remark=np.where(rows["place"].isin(outside), "outside_limits", "")), period=period)


def periods_of_calls(study: Study) -> list[tuple[str, pd.DataFrame]]:
    """Each period's calls with their waits."""
    timed = calls.timed_calls(study)
    return [] if timed is None else [(str(period), part) for period, part in timed.groupby("period")]


def s33(study: Study, found: Found) -> None:
    """Over town-months: the slope of a month's calls on the share answered in time in the month before, within towns.

    Both are centred on the town's mean; the variance goes over towns. A town whose share never moves says nothing.
    """
    for period, timed in periods_of_calls(study):
        table = town_months(study, timed, period).dropna()
        table = table[table.groupby("town_id")["before"].transform(np.ptp) > 0]
        found.add("S33", student(*within_towns(table)), period=period)


def within_towns(table: pd.DataFrame) -> tuple[float, float, float, int, str]:
    """The slope of `calls` on `before` within towns (columns town_id, month, before, calls): value, se, df, n, reason."""
    if table["month"].nunique() + 1 < FEWEST_MONTHS or table["town_id"].nunique() < FEWEST_TOWNS:
        return np.nan, np.nan, np.nan, len(table), "too few answers"
    centred = table[["before", "calls"]] - table.groupby("town_id")[["before", "calls"]].transform("mean")
    design = one_stratum(table["town_id"])
    return *regress(design, centred["calls"].to_numpy(), centred[["before"]].to_numpy()), ""


def one_stratum(psu: pd.Series) -> Design:
    """Rows of a complete list as a design: one stratum, weight 1, the values of `psu` as PSUs."""
    codes = np.unique(psu, return_inverse=True)[1].astype(np.int64)
    return Design(np.zeros_like(codes), codes, np.ones(len(codes)), ("all",))


def town_months(study: Study, timed: pd.DataFrame, period: str) -> pd.DataFrame:
    """For each town and month: `before`, the share answered in time the month before; `calls`, per 100 matters of need.

    Calls are counted as they stand where the county has no counts of need; a month that lacks a channel has no need.
    """
    span, ids = study.county.periods[period], list(study.towns["town_id"])
    months = pd.period_range(span.first, span.last, freq="M")
    grid = pd.MultiIndex.from_product([ids, months], names=["town_id", "month"])
    keys = [timed["town_id"], timed["dispatched_at"].dt.to_period("M").rename("month")]
    n = timed.groupby(keys).size().reindex(grid, fill_value=0).astype(float)
    prompt = clocks.eligible(timed, "on_time_2", "old_enough_2").astype("Float64").groupby(keys).mean().reindex(grid)
    counts = study.cleaned.ledger("need_counts")
    if counts is not None:
        cells = counts.groupby([counts["town_id"], counts["month"].dt.to_period("M")])["n"].agg(["sum", "count"])
        whole = cells["sum"].where((cells["count"] == counts["channel"].nunique()) & (cells["sum"] > 0)).reindex(grid)
        n = 100 * n / whole.astype(float)
    before = prompt.astype(float).groupby("town_id").shift(1)
    return pd.DataFrame({"before": before, "calls": n}).reset_index()


def s35(study: Study, found: Found) -> None:
    """The log ratio of the share answered in time in the 30 days after a warning and before it; under 10 events nothing is said."""
    parts, events = periods_of_calls(study), needed(study, "accountability").drop_duplicates("event_id")
    period = parts[0][0] if len(parts) == 1 else ""
    near = around(pd.concat([timed for _, timed in parts], ignore_index=True), events)
    sides = near.groupby("event_id")["is_after"].nunique()
    near = near[near["event_id"].isin(sides.index[sides == 2])]
    usable = near["event_id"].nunique()
    for sub, n in (("events", len(events)), ("events with calls on both sides", usable)):
        found.add("S35", values([COUNTY], [float(n)], [len(events)]), sub=sub, period=period)
    few = usable < FEWEST_EVENTS
    row = student(np.nan, np.nan, np.nan, len(near), "fewer than 10 events") if few else log_ratio(near)
    found.add("S35", row, period=period)
    for sub, part in () if few else near.groupby(near["is_after"].map({True: "after", False: "before"})):
        found.add("S35", counted([COUNTY], [part["on_time"].sum()], [len(part)]), sub=str(sub), period=period)


def around(timed: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The eligible calls of an event's department dispatched within 30 days of it: event_id, dept_id, is_after, on_time.

    The day of the event counts as after it. A call near two events stands here twice: variances go over departments.
    """
    flags = clocks.eligible(timed, "on_time_2", "old_enough_2")
    own = timed[["dept_id"]].assign(on_time=flags.astype("Float64"), day=timed["dispatched_at"].dt.normalize()).dropna()
    pairs = own.merge(events[["event_id", "dept_id", "happened_on"]].dropna(), on="dept_id")
    days = (pairs["day"] - pairs["happened_on"]).dt.days
    pairs = pairs.assign(is_after=days >= 0)[(days >= -AROUND_DAYS) & (days < AROUND_DAYS)]
    return pairs.astype({"on_time": float})


def log_ratio(near: pd.DataFrame) -> pd.DataFrame:
    """log(share after / share before), its variance linearised over departments (df = departments - 1)."""
    y, after, design = near["on_time"].to_numpy(), near["is_after"].to_numpy(), one_stratum(near["dept_id"])
    late, early = (float(y[part].mean()) for part in (after, ~after))
    df, n = float(design.psus[0] - 1), len(y)
    if df < 1 or not late * early:
        return student(np.nan, np.nan, df, n, "too few answers" if late * early else "separation")
    influence = np.where(after, (y - late) / (late * after.sum()), -(y - early) / (early * (~after).sum()))
    return student(float(np.log(late / early)), float(np.sqrt(county_variance(design, influence))), df, n)


# --- joint conference -------------------------------------------------------------------------------------------------


def s36(study: Study, found: Found) -> None:
    """Cases ruled on within 30 days, as P34; the median days of each step, and the slowest step named."""
    own = Found()
    calls.conference(study, own)
    headline = facts_of(own, "P34")
    for period, cases in periods_of(study, "joint_conference"):
        medians = step_medians(cases, pd.Timestamp(study.county.periods[period].as_of))
        found.add("S36", headline[headline["period"] == period].assign(remark=slowest(medians)))
        for step, (days, n) in medians.items():
            found.add("S36", values([COUNTY], [days], [n]), sub=f"median days_{step}", period=period)


def step_medians(cases: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, tuple[float, int]]:
    """Median days and cases of each step that the ledger records, cases still in it censored (Kaplan-Meier).

    A case that is past a step whose day was not written down says nothing of it. A median that more than half have not
    reached is missing.
    """
    found = {}
    for place, (step, (start, end)) in enumerate(STEPS.items()):
        later = [name for _, name in list(STEPS.values())[place + 1 :]]
        open_still = cases[end].isna() & cases[later].isna().all(axis=1)
        used = cases[cases[start].notna() & (cases[end].notna() | open_still)]
        if used[end].notna().any():
            days = (used[end].fillna(as_of) - used[start]).dt.days.clip(lower=0).to_numpy(dtype=float)
            curve = clocks.kaplan_meier(days, used[end].notna().to_numpy())
            found[step] = (clocks.median_wait(curve), len(used))
    return found


def slowest(medians: dict[str, tuple[float, int]]) -> str:
    """The remark that names the slowest step; empty unless all steps are recorded and one alone is the slowest."""
    days = [np.inf if np.isnan(value) else value for value, _ in medians.values()]
    if len(days) < len(STEPS) or days.count(max(days)) > 1:
        return ""
    return f"slowest_{list(medians)[int(np.argmax(days))]}"


FINDERS = {"S21": s21, "S22": s22, "S24": s24, "S32": s32, "S33": s33, "S35": s35, "S36": s36}
