"""Problem 3, calls and responses: claims B07 to B09 and P31 to P34; refuses a rate with no eligible call."""

from __future__ import annotations

import numpy as np
import pandas as pd

from huying import clocks
from huying.estimates import COUNTY, STUDENT, estimate_ratios, estimate_shares
from huying.problems.facts import Found, Study, by_town, counted, values
from huying.problems.parallel import where

RATES = {"B07": ("on_time_2", "old_enough_2"), "B08": ("on_time_5", "old_enough_5"), "B09": ("is_closed", None)}
SUBS = {"B08": {"closed only": ("closed_5", "old_enough_5"), "closed ever": ("is_closed", None)},
        "B09": {"on time": ("on_time_5", "old_enough_5"), "returned": ("was_returned", None),
                "called again": ("called_again", "old_enough_90")}}  # fmt: skip
RECORDED = {"B07": ("responded_at", "response"), "B08": ("feedback_at", "feedback")}
DEPARTMENT = "department"
CASE_DAYS = 30


def find(study: Study) -> Found:
    """Facts for B07 to B09 and P31 to P34, with the tables behind their charts."""
    found = Found()
    timed = timed_calls(study)
    if timed is None:
        found.missing.update(dict.fromkeys(("B07", "B08", "B09", "P31", "P33"), "calls"))
    else:
        for period, part in timed.groupby("period"):
            rates(study, found, part, str(period))
            passing_on(study, found, part, str(period))
            trend(found, part, str(period))
        solved(study, found)
        waiting(study, found, timed)
    for wave in study.waves("staff"):
        propensity(study, found, timed, wave)
    if not study.waves("staff"):
        found.missing["P32"] = "staff"
    conference(study, found)
    return found


def timed_calls(study: Study) -> pd.DataFrame | None:
    """The call ledgers of all periods with their waits in working days, each up to the day its data were taken."""
    parts = [
        calls.assign(period=period, as_of=pd.Timestamp(study.county.periods[period].as_of))
        for (table, period), calls in study.cleaned.ledgers.items()
        if table == "calls"
    ]
    if not parts:
        return None
    calls = pd.concat(parts, ignore_index=True)
    return clocks.time_calls(calls, study.county.clock, study.calendar, calls["as_of"])


def rates(study: Study, found: Found, timed: pd.DataFrame, period: str) -> None:
    """B07 to B09 by town and county, their parts, and each by department."""
    for claim, (hit, old) in RATES.items():
        flags = clocks.eligible(timed, hit, old)
        towns = by_town(study, flags, timed["town_id"])
        unrecorded = claim in RECORDED and timed[RECORDED[claim][0]].isna().all()
        reason = f"no {RECORDED[claim][1]} time" if unrecorded else "no eligible call"
        towns["reason"] = towns["reason"].replace("no eligible case", reason)
        perfect = (towns["estimate"] == 1).to_numpy()
        found.add(claim, towns, period=period, remark=np.where(perfect, "lower_bound", ""))
        department = flags.groupby(timed["dept_id"]).agg(["sum", "count"])
        found.add(
            claim, counted(department.index, department["sum"], department["count"]), sub=DEPARTMENT, period=period
        )
        for sub, (part, part_old) in SUBS.get(claim, {}).items():
            found.add(
                claim, by_town(study, clocks.eligible(timed, part, part_old), timed["town_id"]), sub=sub, period=period
            )


def solved(study: Study, found: Found) -> None:
    """B09, solved: residents who say that their matter was solved (R23b), among those who reported one."""
    for wave in study.waves("resident"):
        sample = study.samples["resident", wave]
        said = pd.DataFrame({"solved": where(sample.column("R23_b") == 1, sample.asked("R23_b", "does_not_know"))})
        fewest = study.county.thresholds["fewest_residents"]
        found.add("B09", estimate_shares(sample.design, said, wave=wave, fewest=fewest), sub="solved")


def passing_on(study: Study, found: Found, timed: pd.DataFrame, period: str) -> None:
    """P33: cross-duty calls returned or passed on, their ratio to clear ones, and the funnel of departments."""
    if timed["is_cross_duty"].isna().all():
        found.missing["P33"] = "calls: is_cross_duty"
        return
    crossed = timed["is_cross_duty"].fillna(False).astype(bool)
    moved = timed["was_returned"].astype("boolean")
    found.add("P33", by_town(study, moved.where(crossed), timed["town_id"]), period=period)
    for sub, part in (("clear duties", ~crossed), ("all calls", crossed | ~crossed)):
        found.add("P33", by_town(study, moved.where(part), timed["town_id"]), sub=sub, period=period)
    ratio, low, high = risk_ratio(moved[crossed], moved[~crossed])
    found.add(
        "P33",
        values([COUNTY], [ratio], [crossed.sum()], low=low, high=high, method=STUDENT),
        sub="ratio",
        period=period,
    )
    for name, flags in (("returns", moved), ("late", ~clocks.eligible(timed, "on_time_2", "old_enough_2"))):
        counts = flags.groupby(timed["dept_id"]).agg(k="sum", n="count").reset_index()
        if counts["n"].sum():
            points = clocks.funnel(counts)
            found.tables[f"funnel_{name}"] = points
            found.tables[f"limits_{name}"] = clocks.funnel_curve(counts)
            facts = counted(points["dept_id"], points["k"], points["n"])
            outside = np.where(points["is_outside"], "outside_limits", "")
            found.add("P33", facts.assign(remark=outside), sub=f"{DEPARTMENT}: {name}", period=period)


def risk_ratio(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """The ratio of two shares with its 95% interval on the log scale (Katz and others 1978)."""
    k, n, m, size = (float(v) for v in (first.sum(), first.count(), second.sum(), second.count()))
    if not (k and m and n and size):
        return np.nan, np.nan, np.nan
    ratio, spread = (k / n) / (m / size), np.sqrt(1 / k - 1 / n + 1 / m - 1 / size)
    return ratio, ratio * np.exp(-1.959964 * spread), ratio * np.exp(1.959964 * spread)


def waiting(study: Study, found: Found, timed: pd.DataFrame) -> None:
    """Tables `waiting` (the share answered and closed by each working day, calls still open censored) and `clocks`."""
    own, known = dict(iter(timed.groupby("town_id"))), timed[timed["town_id"].notna()]
    parts = [(town, own[town]) for town in study.towns["town_id"] if town in own] + [(COUNTY, known)] * bool(len(known))
    curves = [clocks.waiting_curves(part).assign(place=place) for place, part in parts]
    found.tables["waiting"] = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame()
    found.tables["routes"] = clocks.closing_by_route(timed)
    found.tables["clocks"] = clocks.sensitivity(timed, study.calendar, timed["as_of"])
    closed = timed.groupby(timed["dispatched_at"].dt.strftime("%Y-%m"))
    flags = clocks.eligible(timed, "on_time_2", "old_enough_2")
    months = flags.groupby(timed["dispatched_at"].dt.strftime("%Y-%m")).agg(k="sum", n="count")
    facts = counted(months.index, months["k"], months["n"])
    found.tables["months"] = facts.assign(calls=closed.size().reindex(months.index).to_numpy()).rename(
        columns={"place": "month"}
    )


def trend(found: Found, timed: pd.DataFrame, period: str) -> None:
    """P31: the monthly change of the log odds of an answer within 2 working days."""
    fit = clocks.month_trend(timed)
    row = {"place": COUNTY, "estimate": fit["slope"], "low": fit["low"], "high": fit["high"], "se": fit["se"], "n": fit["n"],
           "df": fit["df"], "method": STUDENT, "reliability": "not estimable" if fit["reason"] else "ok",
           "reason": fit["reason"]}  # fmt: skip
    found.add("P31", pd.DataFrame([row]), period=period)


def propensity(study: Study, found: Found, timed: pd.DataFrame | None, wave: str) -> None:
    """P32: matters called over matters met, by town; a town with no call in the ledger is counted as such."""
    sample, fewest = study.samples["staff", wave], study.county.thresholds["fewest_staff"]
    need, called = sample.column("S14"), sample.column("S15")
    called = np.where(need == 0, 0.0, called)
    ratio = estimate_ratios(sample.design, "propensity", called, need, wave=wave, fewest=fewest)
    found.add("P32", ratio[ratio["place"] == COUNTY], sub="propensity")
    towns = ratio[ratio["place"] != COUNTY].assign(remark="")
    if timed is not None:
        n_calls = timed["town_id"].value_counts().reindex(study.towns["town_id"], fill_value=0)
        silent = towns["place"].isin(n_calls.index[n_calls == 0])
        towns.loc[silent, ["estimate", "low", "high"]] = 0.0
        towns.loc[silent, ["method", "reliability", "reason", "remark"]] = ["count", "ok", "", "no_call"]
        found.tables[f"need_{wave}"] = need_table(study, n_calls, towns)
    found.add("P32", towns)
    reasons = {
        f"reason_{o.code}": where(sample.column(f"S16_{o.code}") == 1, sample.asked("S16"))
        for o in study.book.items["S16"].options
    }
    shares = estimate_shares(sample.design, pd.DataFrame(reasons), wave=wave, fewest=fewest)
    found.add("P32", shares.assign(sub=shares["indicator"]))


def need_table(study: Study, n_calls: pd.Series, towns: pd.DataFrame) -> pd.DataFrame:
    """Ledger calls beside the need that 12345 and the grid counted (never beside the survey's need), and the propensity."""
    counts = study.cleaned.ledger("need_counts")
    need = (
        counts.groupby("town_id")["n"].sum().reindex(n_calls.index)
        if counts is not None
        else pd.Series(np.nan, index=n_calls.index)
    )
    table = pd.DataFrame({"town_id": n_calls.index, "calls": n_calls.to_numpy(), "need": need.astype(float).to_numpy()})
    table["per_100"] = 100 * table["calls"] / table["need"]
    return table.merge(towns[["place", "estimate", "low", "high"]], left_on="town_id", right_on="place").drop(
        columns="place"
    )


def conference(study: Study, found: Found) -> None:
    """P34: cases ruled on within 30 days of referral, among those old enough; the median, and what is still open."""
    parts = [(period, cases) for (table, period), cases in study.cleaned.ledgers.items() if table == "joint_conference"]
    if not parts:
        found.missing["P34"] = "joint_conference"
    for period, cases in parts:
        as_of = pd.Timestamp(study.county.periods[period].as_of)
        age, days = (as_of - cases["referred_on"]).dt.days, (cases["ruled_on"] - cases["referred_on"]).dt.days
        ripe = age >= CASE_DAYS
        found.add("P34", counted([COUNTY], [(days[ripe] <= CASE_DAYS).sum()], [ripe.sum()]), period=period)
        is_open = cases["ruled_on"].isna()
        found.add("P34", counted([COUNTY], [is_open.sum()], [len(cases)]), sub="still open", period=period)
        curve = clocks.kaplan_meier(days.where(~is_open, age).to_numpy(float), (~is_open).to_numpy())
        found.add("P34", values([COUNTY], [clocks.median_wait(curve)], len(cases)), sub="median days", period=period)
        again = cases.loc[~is_open, "is_returned_after"].astype("boolean")
        found.add(
            "P34", counted([COUNTY], [again.sum()], [again.count()]), sub="returned after a ruling", period=period
        )
