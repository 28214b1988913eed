"""Calls as waiting times in working days: who was on time, curves, funnels; refuses a rate of calls that are too young to be late."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from huying.estimates import Design, county_variance
from huying.workdays import Calendar, Ints, Rule, starts, wait_days

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ANSWER_LIMIT, CLOSING_LIMIT, REPEAT_LIMIT = 2, 5, 90  # working days, working days, calendar days
LEVELS = {"95": 0.95, "998": 0.998}
ROUTES = {1: "direct_route", 2: "passed_on"}


def time_calls(calls: pd.DataFrame, rule: Rule, days: Calendar, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """`calls` (rows of the ledger) with waits in working days from dispatch, and what each call was on the day `as_of`.

    answer_days, closing_days, slip_days: missing where it has not happened. age_days: the counted days that were over
    before `as_of`, where an open call is censored. is_answer_due, is_closing_due: the limit of 2 or 5 days is among them;
    is_repeat_due: the 90 calendar days are over.
    is_answered_on_time; is_closed_on_time, is_closed_with_slip_on_time (the feedback slip uploaded within the limit too);
    is_repeated_soon (another call repeats this one within 90 days): missing where it is too early to know. is_closed: by
    that day. All these are missing for a call that was withdrawn. was_returned: returned or passed on, also of those.
    What the ledger never records, and the promptness of a call closed at an unstated time, is missing, not false. `as_of`
    is one day, or one a call.
    """
    start, taken = calls["dispatched_at"], pd.Series(as_of, index=calls.index, dtype="datetime64[ns]").dt.normalize()
    answered, closed, slip = (
        calls[name].where(calls[name].dt.normalize() <= taken) for name in ("responded_at", "closed_at", "feedback_at")
    )
    waits = {
        name: wait_days(start, moment, rule, days)
        for name, moment in (("answer_days", answered), ("closing_days", closed), ("slip_days", slip))
    }
    age = _age(start, taken, rule, days)
    counts, untimed = calls["status"] != "withdrawn", (calls["status"] == "closed") & calls["closed_at"].isna()
    prompt = recorded(waits["answer_days"] <= ANSWER_LIMIT, calls["responded_at"])
    quick = recorded(waits["closing_days"] <= CLOSING_LIMIT, calls["closed_at"]).mask(untimed)
    told = recorded(waits["slip_days"] <= CLOSING_LIMIT, calls["feedback_at"])
    moved = calls["returned_n"].fillna(0) + calls["transfer_n"].fillna(0) > 0
    due = {
        "is_answer_due": (age >= ANSWER_LIMIT).astype(bool),
        "is_closing_due": (age >= CLOSING_LIMIT).astype(bool),
        "is_repeat_due": calls["called_at"] + pd.Timedelta(days=REPEAT_LIMIT) < taken,
    }
    known = {
        "is_answered_on_time": prompt.where(counts & due["is_answer_due"]),
        "is_closed_on_time": quick.where(counts & due["is_closing_due"]),
        "is_closed_with_slip_on_time": (quick & told).where(counts & due["is_closing_due"]),
        "is_closed": (closed.notna() | untimed).astype("boolean").where(counts),
        "is_repeated_soon": recorded(_is_repeated(calls), calls["reopened_of"]).where(counts & due["is_repeat_due"]),
        "was_returned": recorded(moved, calls["returned_n"].fillna(calls["transfer_n"])),
    }
    return calls.assign(**waits, age_days=age, **due, **known)


def _age(start: pd.Series, taken: pd.Series, rule: Rule, days: Calendar) -> pd.Series:
    """How many counted days of each call were over before the day on which the data were taken."""
    before = taken.to_numpy().astype("datetime64[D]") - np.timedelta64(1, "D")
    passed = days.up_to(before) - starts(start, rule, days)
    return pd.Series(np.maximum(0, passed), index=start.index, dtype="Int64")


def recorded(flag: pd.Series, source: pd.Series) -> pd.Series:
    """`flag` as true and false, or missing throughout where the ledger never fills `source`: a gap is not a no."""
    if source.notna().any():
        return flag.astype("boolean").fillna(False)
    return pd.Series(pd.NA, flag.index, dtype="boolean")


def _is_repeated(calls: pd.DataFrame) -> pd.Series:
    """Whether another call names this one as the call it repeats, at most 90 calendar days after it."""
    first = calls[["call_id", "called_at"]].rename(columns={"call_id": "reopened_of", "called_at": "first_at"})
    pairs = calls.loc[calls["reopened_of"] != calls["call_id"], ["reopened_of", "called_at"]].dropna().merge(first)
    again = (pairs["called_at"] - pairs["first_at"]).between(pd.Timedelta(0), pd.Timedelta(days=REPEAT_LIMIT))
    return calls["call_id"].isin(pairs.loc[again, "reopened_of"])


def compare_clocks(calls: pd.DataFrame, days: Calendar, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """The on-time shares under every clock: count_from, cutoff, day_ends, answered, closed (with the slip), n_answered, n_closed."""
    rows = []
    for first, cutoff, end in itertools.product(("next", "same"), ("17:30", None), ("24:00", "17:30")):
        timed = time_calls(calls, Rule(first, cutoff, end), days, as_of)
        flags = [timed[name].astype(float) for name in ("is_answered_on_time", "is_closed_with_slip_on_time")]
        rows.append((f"{first}_day", cutoff or "24:00", end, *(f.mean() for f in flags), *(f.count() for f in flags)))
    names = ["count_from", "cutoff", "day_ends", "answered", "closed", "n_answered", "n_closed"]
    return pd.DataFrame(rows, columns=names)


# --- time to an event ---------------------------------------------------------------------------------------------------


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


def median_days(days: pd.Series, age: pd.Series) -> float:
    """The median of `days`, what has not come to its end censored at its `age` (Kaplan and Meier 1958)."""
    passed = days.fillna(age).clip(lower=0).to_numpy(dtype=float)
    return median_wait(kaplan_meier(passed, days.notna().to_numpy()))


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


def censored(calls: pd.DataFrame, column: str) -> tuple[pd.DataFrame, Floats, Bools]:
    """The calls not withdrawn, their times and whether they ended; what fell on a day not yet over is not yet counted.

    Calls closed at an unstated time are left out of the waits for closing.
    """
    untimed = calls["closed_at"].isna() & (calls["status"] == "closed") & (column == "closing_days")
    used = calls[(calls["status"] != "withdrawn") & ~untimed]
    done = (used[column] <= used["age_days"]).fillna(False).to_numpy(dtype=bool)
    return used, used[column].where(done, used["age_days"]).to_numpy(dtype=float), done


def waiting_curves(calls: pd.DataFrame) -> pd.DataFrame:
    """By kind (answered, closed) and working day: the share done, calls still open censored; kind, wait_days, share, low, high."""
    parts = []
    for kind, column in (("answered", "answer_days"), ("closed", "closing_days")):
        used, wait, done = censored(calls, column)
        if done.any():
            curve = kaplan_meier(wait, done, clusters(used))
            share, low, high = (1 - curve[name] for name in ("survival", "high", "low"))
            made = pd.DataFrame({"wait_days": curve["time"], "share": share, "low": low, "high": high})
            start = pd.DataFrame({name: [0.0] for name in made})
            parts.append((made if made["wait_days"].iloc[0] == 0 else pd.concat([start, made])).assign(kind=kind))
    names = ["kind", "wait_days", "share", "low", "high"]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def closing_by_route(calls: pd.DataFrame) -> pd.DataFrame:
    """The share closed by each working day without being passed on (`direct_route`) and after it (`passed_on`): wait_days, route, share, se."""
    used, wait, done = censored(calls[calls["was_returned"].notna()], "closing_days")
    cause = np.where(done, 1 + used["was_returned"].to_numpy(dtype=np.int64), 0)
    table = cumulative_incidence(wait, cause, design=clusters(used))
    names = {"time": "wait_days", "cause": "route", "incidence": "share"}
    return table.assign(cause=table["cause"].map(ROUTES)).rename(columns=names)


# --- departments beside each other --------------------------------------------------------------------------------------


def funnel_limits(share: float, n: Floats, level: float) -> tuple[Floats, Floats]:
    """Exact binomial limits around `share` at each n, interpolated between counts (Spiegelhalter 2005, appendix A.1.1)."""
    limits = []
    for p in ((1 - level) / 2, (1 + level) / 2):
        r = stats.binom.ppf(p, n, share)
        above, below = stats.binom.cdf(r, n, share), stats.binom.cdf(r - 1, n, share)
        alpha = (above - p) / (above - below)
        limits.append((r - alpha) / n)
    return np.clip(limits[0], 0, 1), np.clip(limits[1], 0, 1)


def funnel(rows: pd.DataFrame) -> pd.DataFrame:
    """Counted shares, a row a department (estimate, n), with the limits around their common share, and `is_outside` the wider ones.

    low95, high95, low998, high998: as `funnel_limits`. `is_outside` is the exact test at 0.1% a side. The interpolated line
    lies below the last count that it admits, so that beside it a department with 5 of 5 would stand out among departments
    with 99%. Each period has its own limits. Rows without a case are left out; `remark` says `outside_limits`.
    """
    return pd.concat([_funnel(part) for _, part in rows.groupby("period")] or [_funnel(rows)], ignore_index=True)


def _funnel(rows: pd.DataFrame) -> pd.DataFrame:
    points = rows[rows["n"] > 0].reset_index(drop=True)
    k, n, centre = *_cases(points), common_share(points)
    limits = _limits(centre, n)
    tail = np.minimum(stats.binom.cdf(k, n, centre), stats.binom.sf(k - 1, n, centre))
    is_outside = tail < (1 - LEVELS["998"]) / 2
    return points.assign(**limits, is_outside=is_outside, remark=np.where(is_outside, "outside_limits", ""))


def funnel_curve(rows: pd.DataFrame) -> pd.DataFrame:
    """The limits on a grid of n for drawing: n, low95, high95, low998, high998; no row where there is no case."""
    if not (rows["n"] > 0).any():
        return pd.DataFrame(columns=["n", *_limits(0.5, np.ones(0))])
    grid = np.unique(np.geomspace(3, max(10.0, 1.1 * float(rows["n"].max())), 120).round())
    return pd.DataFrame({"n": grid, **_limits(common_share(rows), grid)})


def common_share(rows: pd.DataFrame) -> float:
    """The share over all rows together, missing where there is no case."""
    k, n = _cases(rows[rows["n"] > 0])
    return float(k.sum() / n.sum()) if len(n) else np.nan


def _cases(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """How many cases have it, and how many there are."""
    n = rows["n"].to_numpy(dtype=float)
    return np.round(rows["estimate"].to_numpy(dtype=float) * n), n


def _limits(share: float, n: Floats) -> dict[str, Floats]:
    limits = {name: funnel_limits(share, n, level) for name, level in LEVELS.items()}
    return {f"{side}{name}": pair[k] for name, pair in limits.items() for k, side in enumerate(("low", "high"))}
