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
from huying.workdays import Calendar, Rule, deadlines, wait_days

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
RESPOND_LIMIT, CLOSE_LIMIT, AGAIN_DAYS = 2, 5, 90
LEVELS = {"95": 0.95, "998": 0.998}


def time_calls(calls: pd.DataFrame, rule: Rule, days: Calendar, as_of: pd.Timestamp) -> pd.DataFrame:
    """`calls` (rows of the ledger) with waits in working days from dispatch, and what each call was by `as_of`.

    respond_wait, close_wait, feedback_wait: missing where it has not happened. age_wait: where an open call is censored.
    old_enough_2, old_enough_5: whether the limit has passed. on_time_2: answered within it; closed_5: closed within it;
    on_time_5: closed with the slip uploaded within it. is_closed, was_returned (returned or passed on), called_again
    (another call repeats this one within 90 days).
    """
    start = calls["dispatched_at"]
    known = {
        name: calls[f"{name}_at"].where(calls[f"{name}_at"] <= as_of) for name in ("responded", "closed", "feedback")
    }
    waits = {name: wait_days(start, moment, rule, days) for name, moment in known.items()}
    age = wait_days(start, pd.Series(as_of, index=calls.index), rule, days)
    closed_5 = (waits["closed"] <= CLOSE_LIMIT).fillna(False).astype(bool)
    moved = calls["returned_n"].fillna(0) + calls["transfer_n"].fillna(0) > 0
    return calls.assign(
        respond_wait=waits["responded"], close_wait=waits["closed"], age_wait=age,
        old_enough_2=is_over(start, RESPOND_LIMIT, rule, days, as_of), old_enough_5=is_over(start, CLOSE_LIMIT, rule, days, as_of),
        on_time_2=(waits["responded"] <= RESPOND_LIMIT).fillna(False).astype(bool), closed_5=closed_5,
        on_time_5=closed_5 & (waits["feedback"] <= CLOSE_LIMIT).fillna(False).astype(bool),
        is_closed=known["closed"].notna(), was_returned=moved.astype(bool), called_again=is_repeated(calls),
    )  # fmt: skip


def is_over(start: pd.Series, n: int, rule: Rule, days: Calendar, as_of: pd.Timestamp) -> Bools:
    """Whether the last moment of the n-day limit lies before `as_of`."""
    end = pd.Timedelta(hours=24) if rule.day_ends == "24:00" else pd.Timedelta(f"{rule.day_ends}:00")
    return np.asarray((deadlines(start, n, rule, days) + end) <= as_of, dtype=bool)


def is_repeated(calls: pd.DataFrame) -> Bools:
    """Whether another call names this one as the call it repeats, at most 90 calendar days after it."""
    later = calls.loc[calls["reopened_of"].notna(), ["reopened_of", "called_at"]].set_index("reopened_of")["called_at"]
    first = later.groupby(level=0).min()
    again = pd.Series(first.reindex(calls["call_id"]).to_numpy(), index=calls.index) - calls["called_at"]
    return np.asarray(again.between(pd.Timedelta(0), pd.Timedelta(days=AGAIN_DAYS)), dtype=bool)


def clusters(calls: pd.DataFrame) -> Design:
    """The calls as a design: one stratum, PSUs = town x department, weight 1."""
    names = calls["town_id"].fillna("?").astype(str) + "/" + calls["dept_id"].fillna("?").astype(str)
    psu = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return Design(np.zeros(len(calls), dtype=np.int64), psu, np.ones(len(calls)), ("all",))


def kaplan_meier(time: Floats, event: Bools, design: Design | None = None) -> pd.DataFrame:
    """Survival by time: time, n_risk, n_event, survival (product limit), var_log, low, high (log scale, 95%).

    `var_log` is the linearised variance of the cumulative hazard over the design's PSUs (Williams 1995; R survey's
    svykm). Without a design every unit is its own PSU.
    """
    one = np.zeros(len(time), dtype=np.int64)
    at = design or Design(one, np.arange(len(time), dtype=np.int64), np.ones(len(time)), ("all",))
    running, rows, log_survival = np.zeros(len(time)), [], 0.0
    for moment in np.unique(time[event]):
        risk, now = time >= moment, (time == moment) & event
        at_risk, events = float(at.weight[risk].sum()), float(at.weight[now].sum())
        if not at_risk:
            continue
        running += (now - risk * (events / at_risk)) / at_risk
        with np.errstate(divide="ignore"):
            log_survival += np.log1p(-events / at_risk)
        rows.append((moment, at_risk, events, np.exp(log_survival), county_variance(at, running)))
    curve = pd.DataFrame(rows, columns=["time", "n_risk", "n_event", "survival", "var_log"])
    half = 1.959963984540054 * np.sqrt(curve["var_log"])
    return curve.assign(low=curve["survival"] * np.exp(-half), high=(curve["survival"] * np.exp(half)).clip(upper=1.0))


def median_wait(curve: pd.DataFrame) -> float:
    """The first time at which half or fewer are left, missing where the curve never falls so far."""
    passed = curve.loc[curve["survival"] <= 0.5 + 1e-12, "time"]
    return float(passed.iloc[0]) if len(passed) else np.nan


def cumulative_incidence(time: Floats, cause: npt.NDArray[np.int64], weight: Floats | None = None) -> pd.DataFrame:
    """The share that has ended by each cause (1, 2, …; 0 = censored) by each time: time, cause, incidence (Aalen-Johansen)."""
    w = np.ones(len(time)) if weight is None else weight
    left, sums, rows = 1.0, dict.fromkeys(sorted(set(cause.tolist()) - {0}), 0.0), []
    for moment in np.unique(time[cause > 0]):
        at_risk, now = float(w[time >= moment].sum()), time == moment
        hazards = {k: float(w[now & (cause == k)].sum()) / at_risk for k in sums}
        for k, hazard in hazards.items():
            sums[k] += left * hazard
            rows.append((moment, k, sums[k]))
        left *= 1 - sum(hazards.values())
    return pd.DataFrame(rows, columns=["time", "cause", "incidence"])


def waiting_curves(timed: pd.DataFrame) -> pd.DataFrame:
    """By kind (respond, close) and working day: the share done, calls still open censored; kind, wait_days, share, low, high."""
    parts = []
    for kind, column in (("respond", "respond_wait"), ("close", "close_wait")):
        done = timed[column].notna().to_numpy()
        if done.any():
            wait = timed[column].where(timed[column].notna(), timed["age_wait"]).to_numpy(dtype=float)
            curve = kaplan_meier(wait, done, clusters(timed))
            parts.append(pd.DataFrame({"kind": kind, "wait_days": curve["time"], "share": 1 - curve["survival"],
                                       "low": 1 - curve["high"], "high": 1 - curve["low"]}))  # fmt: skip
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["kind", "wait_days", "share", "low", "high"])
    )


def closing_by_route(timed: pd.DataFrame) -> pd.DataFrame:
    """The cumulative incidence of closing without (cause 1) and after (cause 2) being returned or passed on."""
    done = timed["close_wait"].notna().to_numpy()
    wait = timed["close_wait"].where(timed["close_wait"].notna(), timed["age_wait"]).to_numpy(dtype=float)
    return cumulative_incidence(wait, np.where(done, 1 + timed["was_returned"].to_numpy(dtype=np.int64), 0))


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
    """`counts` (dept_id, k, n) with share, the 95% and 99.8% limits around the common share, and `is_outside` the latter."""
    points = counts[counts["n"] > 0].astype({"k": float, "n": float})
    centre = points["k"].sum() / points["n"].sum()
    for name, level in LEVELS.items():
        points[f"low{name}"], points[f"high{name}"] = funnel_limits(centre, points["n"].to_numpy(), level)
    share = points["k"] / points["n"]
    return points.assign(share=share, is_outside=(share < points["low998"]) | (share > points["high998"]))


def funnel_curve(counts: pd.DataFrame) -> pd.DataFrame:
    """The limits on a grid of n for drawing: n, low95, high95, low998, high998."""
    grid = np.unique(np.geomspace(3, max(10.0, 1.1 * float(counts["n"].max())), 120).round())
    centre, table = float(counts["k"].sum() / counts["n"].sum()), {"n": grid}
    for name, level in LEVELS.items():
        table[f"low{name}"], table[f"high{name}"] = funnel_limits(centre, grid, level)
    return pd.DataFrame(table)


def sensitivity(calls: pd.DataFrame, days: Calendar, as_of: pd.Timestamp) -> pd.DataFrame:
    """The on-time shares under every clock: count_from, cutoff, day_ends, answered_2wd, closed_5wd, n (answers)."""
    rows = []
    for first, cutoff, end in itertools.product(("next", "same"), ("17:30", None), ("24:00", "17:30")):
        timed = time_calls(calls, Rule(first, cutoff, end), days, as_of)
        answered, closed = timed.loc[timed["old_enough_2"], "on_time_2"], timed.loc[timed["old_enough_5"], "on_time_5"]
        rows.append((first, cutoff or "24:00", end, answered.mean(), closed.mean(), len(answered)))
    return pd.DataFrame(rows, columns=["count_from", "cutoff", "day_ends", "answered_2wd", "closed_5wd", "n"])


def month_trend(timed: pd.DataFrame) -> dict[str, Any]:
    """The monthly slope of the log odds of an answer within 2 working days: slope, se, low, high, df, n, reason.

    Binomial regression with a linearised variance over town x department (as R survey's svyglm); df = clusters - 2.
    """
    used = timed[timed["old_enough_2"] & (timed["status"] != "withdrawn")]
    y = used["on_time_2"].to_numpy(dtype=float)
    month = (used["dispatched_at"].dt.year * 12 + used["dispatched_at"].dt.month).to_numpy(dtype=float)
    empty = {"slope": np.nan, "se": np.nan, "low": np.nan, "high": np.nan, "df": np.nan, "n": float(len(used))}
    cells = clusters(used).psu if len(used) else np.zeros(0, dtype=np.int64)
    if not used["responded_at"].notna().any():
        return {**empty, "reason": "no response time"}
    if len(set(month)) < 2 or len(set(cells)) < 3:
        return {**empty, "reason": "too few answers"}
    if y.min() == y.max() or _separates(y, month):
        return {**empty, "reason": "separation"}
    slope, se, df = clustered_slope(y, month - month.min(), cells)
    half = float(stats.t.ppf(0.975, df)) * se
    return {
        "slope": slope,
        "se": se,
        "low": slope - half,
        "high": slope + half,
        "df": df,
        "n": float(len(used)),
        "reason": "",
    }


def _separates(y: Floats, x: Floats) -> bool:
    return bool(x[y == 1].min() > x[y == 0].max() or x[y == 1].max() < x[y == 0].min())


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
