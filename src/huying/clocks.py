"""Calls as waiting times in working days: censoring, rates, curves, funnels; refuses a rate of calls too young to be late."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from huying.estimates import Design, county_variance
from huying.workdays import Calendar, Ints, Rule, starts, wait_days

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
RESPOND_LIMIT, CLOSE_LIMIT, AGAIN_DAYS = 2, 5, 90
MOMENTS = {"responded": "respond", "closed": "close", "feedback": "feedback"}
LEVELS = {"95": 0.95, "998": 0.998}


def time_calls(calls: pd.DataFrame, rule: Rule, days: Calendar, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """`calls` (rows of the ledger) with waits in working days from dispatch, and what each call was on the day `as_of`.

    respond_wait, close_wait, feedback_wait: missing where it has not happened. age_wait: the counted days that were over
    before `as_of`, where an open call is censored; old_enough_2 and _5: whether the limit is among them (_90: calendar
    days). on_time_2: answered within it; closed_5: closed within it; on_time_5: closed with the slip uploaded within it.
    is_closed, was_returned (returned or passed on), called_again (another call repeats this one within 90 days). What the
    ledger never records, and the promptness of a call closed at an unstated time, is missing, not false. `as_of` is one
    day, or one a call.
    """
    start, taken = calls["dispatched_at"], pd.Series(as_of, index=calls.index, dtype="datetime64[ns]").dt.normalize()
    known = {name: calls[f"{name}_at"].where(calls[f"{name}_at"].dt.normalize() <= taken) for name in MOMENTS}
    waits = {name: wait_days(start, moment, rule, days) for name, moment in known.items()}
    passed = days.up_to(taken.to_numpy().astype("datetime64[D]") - np.timedelta64(1, "D")) - starts(start, rule, days)
    age = pd.Series(np.maximum(0, passed), index=calls.index, dtype="Int64")
    untimed = (calls["status"] == "closed") & calls["closed_at"].isna()
    closed_5 = recorded(waits["closed"] <= CLOSE_LIMIT, calls["closed_at"]).mask(untimed)
    moved = calls["returned_n"].fillna(0) + calls["transfer_n"].fillna(0) > 0
    return calls.assign(
        **{f"{short}_wait": waits[name] for name, short in MOMENTS.items()}, age_wait=age,
        old_enough_2=(age >= RESPOND_LIMIT).astype(bool), old_enough_5=(age >= CLOSE_LIMIT).astype(bool),
        old_enough_90=calls["called_at"] + pd.Timedelta(days=AGAIN_DAYS) < taken,
        on_time_2=recorded(waits["responded"] <= RESPOND_LIMIT, calls["responded_at"]), closed_5=closed_5,
        on_time_5=closed_5 & recorded(waits["feedback"] <= CLOSE_LIMIT, calls["feedback_at"]),
        is_closed=(known["closed"].notna() | untimed).astype("boolean"),
        was_returned=recorded(moved, calls["returned_n"].fillna(calls["transfer_n"])),
        called_again=recorded(is_repeated(calls), calls["reopened_of"]),
    )  # fmt: skip


def recorded(flag: pd.Series, source: pd.Series) -> pd.Series:
    """`flag` as true and false, or missing throughout where the ledger never fills `source`: a gap is not a no."""
    return (
        flag.astype("boolean").fillna(False) if source.notna().any() else pd.Series(pd.NA, flag.index, dtype="boolean")
    )


def is_repeated(calls: pd.DataFrame) -> pd.Series:
    """Whether another call names this one as the call it repeats, at most 90 calendar days after it."""
    first = calls[["call_id", "called_at"]].rename(columns={"call_id": "reopened_of", "called_at": "first_at"})
    pairs = calls.loc[calls["reopened_of"] != calls["call_id"], ["reopened_of", "called_at"]].dropna().merge(first)
    again = (pairs["called_at"] - pairs["first_at"]).between(pd.Timedelta(0), pd.Timedelta(days=AGAIN_DAYS))
    return calls["call_id"].isin(pairs.loc[again, "reopened_of"])


def eligible(timed: pd.DataFrame, hit: str, old: str | None) -> pd.Series:
    """True and false of the column `hit` for the calls that count: not withdrawn, and old enough where `old` is given."""
    counts = timed["status"] != "withdrawn"
    return timed[hit].astype("boolean").where(counts & timed[old] if old else counts)


def clusters(calls: pd.DataFrame) -> Design:
    """The calls as a design: one stratum, PSUs = town x department, weight 1."""
    names = calls["town_id"].fillna("?").astype(str) + "/" + calls["dept_id"].fillna("?").astype(str)
    psu = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return Design(np.zeros(len(calls), dtype=np.int64), psu, np.ones(len(calls)), ("all",))


def plain(n: int, weight: Floats | None = None) -> Design:
    """A design in which each of `n` units is its own PSU, in one stratum."""
    one = np.zeros(n, dtype=np.int64)
    return Design(one, np.arange(n, dtype=np.int64), np.ones(n) if weight is None else weight, ("all",))


def variance(design: Design, influence: Floats) -> float:
    """The variance of a total of `influence`, missing where all units lie in one PSU: one PSU shows no spread."""
    return county_variance(design, influence) if design.psus.sum() > 1 else np.nan


def kaplan_meier(time: Floats, event: Bools, design: Design | None = None) -> pd.DataFrame:
    """Survival by time: time, n_risk, n_event, survival (product limit), se, low, high (log scale, 95%), var_log.

    All variances are linearised over the design's PSUs (Williams 1995); without a design every unit is its own PSU. `se`,
    `low` and `high` are those of the product limit, missing where nobody is left. `var_log` is that of the cumulative
    hazard, as R survey's svykm gives beside exp(-Nelson-Aalen): with whole days, in which most calls may end, it is far
    too small for the product limit.
    """
    at = design or plain(len(time))
    hazards, logs, rows, left = np.zeros(len(time)), np.zeros(len(time)), [], 1.0
    for moment in np.unique(time[event]):
        risk, now = time >= moment, (time == moment) & event
        at_risk, events = float(at.weight[risk].sum()), float(at.weight[now].sum())
        if not at_risk:
            continue
        hazard = events / at_risk
        jump = (now - risk * hazard) / at_risk
        left *= 1 - hazard if at_risk - events > 1e-12 * at_risk else 0.0
        hazards, logs = hazards + jump, logs + (jump / (1 - hazard) if left else np.nan)
        se = left * np.sqrt(variance(at, logs)) if left else np.nan
        rows.append((moment, at_risk, events, left, se, variance(at, hazards)))
    curve = pd.DataFrame(rows, columns=["time", "n_risk", "n_event", "survival", "se", "var_log"])
    factor = np.exp(stats.norm.ppf(0.975) * curve["se"] / curve["survival"].where(curve["survival"] > 0))
    return curve.assign(low=curve["survival"] / factor, high=(curve["survival"] * factor).clip(upper=1.0))


def median_wait(curve: pd.DataFrame) -> float:
    """The first time at which half or fewer are left, missing where the curve never falls so far."""
    passed = curve.loc[curve["survival"] <= 0.5 + 1e-12, "time"]
    return float(passed.iloc[0]) if len(passed) else np.nan


def cumulative_incidence(
    time: Floats, cause: Ints, weight: Floats | None = None, design: Design | None = None
) -> pd.DataFrame:
    """The share that has ended by each cause (1, 2, …; 0 = censored) by each time: time, cause, incidence, se.

    Aalen and Johansen (1978). `se` is linearised over the PSUs of `design` (which then gives the weights); without one
    it is R survival's infinitesimal jackknife times n/(n-1).
    """
    at = design or plain(len(time), weight)
    left, d_left, rows = 1.0, np.zeros(len(time)), []
    sums = {k: (0.0, np.zeros(len(time))) for k in sorted(set(cause.tolist()) - {0})}
    for moment in np.unique(time[cause > 0]):
        risk, now = time >= moment, time == moment
        at_risk, hazards, d_hazards = float(at.weight[risk].sum()), 0.0, np.zeros(len(time))
        if not at_risk:
            continue
        for k, (share, d_share) in sums.items():
            hit = now & (cause == k)
            hazard = float(at.weight[hit].sum()) / at_risk
            d_hazard = (hit - risk * hazard) / at_risk
            sums[k] = (share + left * hazard, d_share + d_left * hazard + left * d_hazard)
            hazards, d_hazards = hazards + hazard, d_hazards + d_hazard
            rows.append((moment, k, sums[k][0], np.sqrt(variance(at, sums[k][1]))))
        left, d_left = left * (1 - hazards), d_left * (1 - hazards) - left * d_hazards
    return pd.DataFrame(rows, columns=["time", "cause", "incidence", "se"])


def censored(timed: pd.DataFrame, column: str) -> tuple[pd.DataFrame, Floats, Bools]:
    """The calls not withdrawn, their times and whether they ended; what fell on a day not yet over is not yet counted.

    Calls closed at an unstated time are left out of the waits for closing.
    """
    untimed = timed["closed_at"].isna() & (timed["status"] == "closed") & (column == "close_wait")
    used = timed[(timed["status"] != "withdrawn") & ~untimed]
    done = (used[column] <= used["age_wait"]).fillna(False).to_numpy(dtype=bool)
    return used, used[column].where(done, used["age_wait"]).to_numpy(dtype=float), done


def waiting_curves(timed: pd.DataFrame) -> pd.DataFrame:
    """By kind (respond, close) and working day: the share done, calls still open censored; kind, wait_days, share, low, high."""
    parts = []
    for kind in ("respond", "close"):
        used, wait, done = censored(timed, f"{kind}_wait")
        if done.any():
            curve = kaplan_meier(wait, done, clusters(used))
            made = pd.DataFrame({"kind": kind, "wait_days": curve["time"], "share": 1 - curve["survival"],
                                 "low": 1 - curve["high"], "high": 1 - curve["low"]})  # fmt: skip
            start = pd.DataFrame({"kind": kind, "wait_days": [0.0], "share": 0.0, "low": 0.0, "high": 0.0})
            parts.append(made if made["wait_days"].iloc[0] == 0 else pd.concat([start, made]))
    empty = pd.DataFrame(columns=["kind", "wait_days", "share", "low", "high"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def closing_by_route(timed: pd.DataFrame) -> pd.DataFrame:
    """The cumulative incidence of closing without (cause 1) and after (cause 2) being returned or passed on."""
    used, wait, done = censored(timed[timed["was_returned"].notna()], "close_wait")
    cause = np.where(done, 1 + used["was_returned"].to_numpy(dtype=np.int64), 0)
    return cumulative_incidence(wait, cause, design=clusters(used))


def funnel_limits(share: float, n: Floats, level: float) -> tuple[Floats, Floats]:
    """Exact binomial limits around `share` at each n, interpolated between counts (Spiegelhalter 2005, appendix A.1.1)."""
    limits = []
    for p in ((1 - level) / 2, (1 + level) / 2):
        r = stats.binom.ppf(p, n, share)
        above, below = stats.binom.cdf(r, n, share), stats.binom.cdf(r - 1, n, share)
        alpha = (above - p) / (above - below)
        limits.append((r - alpha) / n)
    return np.clip(limits[0], 0, 1), np.clip(limits[1], 0, 1)


def funnel(counts: pd.DataFrame) -> pd.DataFrame:
    """`counts` (dept_id, k, n) with share, the 95% and 99.8% limits around the common share, and `is_outside` the latter.

    `is_outside` is the exact test at 0.1% a side. The interpolated line lies below the last count that it admits, so that
    beside it a department with 5 of 5 would stand out among departments with 99%.
    """
    points = counts[counts["n"] > 0].astype({"k": float, "n": float})
    k, n = points["k"].to_numpy(), points["n"].to_numpy()
    centre = k.sum() / n.sum() if len(n) else np.nan
    for name, level in LEVELS.items():
        points[f"low{name}"], points[f"high{name}"] = funnel_limits(centre, n, level)
    tail = np.minimum(stats.binom.cdf(k, n, centre), stats.binom.sf(k - 1, n, centre))
    return points.assign(share=k / n, is_outside=tail < (1 - LEVELS["998"]) / 2)


def funnel_curve(counts: pd.DataFrame) -> pd.DataFrame:
    """The limits on a grid of n for drawing: n, low95, high95, low998, high998."""
    grid = np.unique(np.geomspace(3, max(10.0, 1.1 * float(counts["n"].max())), 120).round())
    centre, table = float(counts["k"].sum() / counts["n"].sum()), {"n": grid}
    for name, level in LEVELS.items():
        table[f"low{name}"], table[f"high{name}"] = funnel_limits(centre, grid, level)
    return pd.DataFrame(table)


def sensitivity(calls: pd.DataFrame, days: Calendar, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """The on-time shares under every clock: count_from, cutoff, day_ends, answered_2wd, closed_5wd, n (answers), n_closed.

    answered_spread and closed_spread: the greatest less the least of each share over all clocks.
    """
    rows = []
    for first, cutoff, end in itertools.product(("next", "same"), ("17:30", None), ("24:00", "17:30")):
        timed = time_calls(calls, Rule(first, cutoff, end), days, as_of)
        shares = [
            eligible(timed, f"on_time_{n}", f"old_enough_{n}").astype(float) for n in (RESPOND_LIMIT, CLOSE_LIMIT)
        ]
        rows.append((first, cutoff or "24:00", end, *(s.mean() for s in shares), *(s.count() for s in shares)))
    names = ["count_from", "cutoff", "day_ends", "answered_2wd", "closed_5wd", "n", "n_closed"]
    table = pd.DataFrame(rows, columns=names)
    spread = {f"{name}_spread": np.ptp(table[f"{name}_{limit}wd"]) for name, limit in (("answered", 2), ("closed", 5))}
    return table.assign(**spread)


def month_trend(timed: pd.DataFrame) -> dict[str, Any]:
    """The monthly slope of the log odds of an answer within 2 working days: slope, se, low, high, p, df, n, reason.

    Binomial regression with a linearised variance over town x department (as R survey's svyglm); df = clusters - 2.
    Fewer than 2 months or 3 clusters, or answers that a month separates: no number, and the reason.
    """
    flags = eligible(timed, "on_time_2", "old_enough_2").dropna()
    used, y = timed.loc[flags.index], flags.to_numpy(dtype=float)
    month = (used["dispatched_at"].dt.year * 12 + used["dispatched_at"].dt.month).to_numpy(dtype=float)
    empty = dict.fromkeys(("slope", "se", "low", "high", "p", "df"), np.nan) | {"n": float(len(used)), "reason": ""}
    cells = clusters(used).psu
    if len(timed) and not timed["responded_at"].notna().any():
        return empty | {"reason": "no response time"}
    if len(set(month)) < 2 or len(set(cells)) < 3:
        return empty | {"reason": "too few answers"}
    if y.min() == y.max() or _separates(y, month):
        return empty | {"reason": "separation"}
    slope, se, df = clustered_slope(y, month - month.min(), cells)
    half, p = float(stats.t.ppf(0.975, df)) * se, float(2 * stats.t.sf(abs(slope) / se, df)) if se else np.nan
    return empty | {"slope": slope, "se": se, "low": slope - half, "high": slope + half, "p": p, "df": df}


def _separates(y: Floats, x: Floats) -> bool:
    """Whether a month parts the late from the on-time, itself possibly mixed: the slope then has no finite estimate."""
    return bool(x[y == 1].min() >= x[y == 0].max() or x[y == 1].max() <= x[y == 0].min())


def clustered_slope(
    y: Floats, x: Floats, psu: npt.NDArray[np.int64], weight: Floats | None = None
) -> tuple[float, float, float]:
    """The slope of a logistic regression of `y` on `x`, its standard error over PSUs, and the degrees of freedom."""
    design = sm.add_constant(x)
    w = np.ones(len(y)) if weight is None else weight
    fit = sm.GLM(y, design, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14, maxiter=100)
    mean = fit.fittedvalues
    bread = np.linalg.inv((design * (w * mean * (1 - mean))[:, None]).T @ design)
    scores = (w * (y - mean))[:, None] * design @ bread
    totals = np.column_stack([np.bincount(psu, scores[:, k]) for k in range(2)])[np.unique(psu)]
    n = len(totals)
    spread = totals - totals.mean(axis=0)
    return float(fit.params[1]), float(np.sqrt((spread[:, 1] ** 2).sum() * n / (n - 1))), float(n - 2)
