"""Calls as waiting times in working days: who was on time, curves, funnels; refuses a rate of calls that are too young to be late."""

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from huying.intervals import Bools, Floats
from huying.workdays import Calendar, Rule, start_day, starts, wait_days

ANSWER_LIMIT, CLOSING_LIMIT, REPEAT_LIMIT = 2, 5, 90  # working days, working days, calendar days
CLOCKS = [Rule(*how) for how in itertools.product(("next", "same"), ("17:30", "24:00"), ("24:00", "17:30"))]
LEVELS = {"95": 0.95, "998": 0.998}
ROUTES = {False: "direct_route", True: "passed_on"}


def time_calls(calls: pd.DataFrame, rule: Rule, days: Calendar, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """`calls` (rows of the ledger) with waits in working days from dispatch, and what each call was on the day `as_of`.

    answer_days, closing_days, slip_days: missing where it has not happened. age_days: the counted days that were over
    before `as_of`, where an open call is censored. is_answer_due, is_closing_due: the limit of 2 or 5 days is among them;
    is_repeat_due: the 90 calendar days are over.
    is_answered_on_time; is_closed_on_time, is_closed_with_slip_on_time (the feedback slip uploaded within the limit too);
    is_repeated_soon (another call repeats this one within 90 days): missing where it is too early to know. is_closed: by
    that day. All these are missing for a call that was withdrawn. was_returned: returned or passed on, also of those.
    is_deadline_unknown: a limit ends in a year without a notice of holidays, so that it is too early to know as well.
    What the ledger never records, and the promptness of a call closed at an unstated time, is missing, not false. `as_of`
    is one day, or one a call.
    """
    start, taken = calls["dispatched_at"], pd.Series(as_of, index=calls.index, dtype="datetime64[ns]").dt.normalize()
    ends = {"answer_days": "responded_at", "closing_days": "closed_at", "slip_days": "feedback_at"}
    moments = {name: calls[end].where(calls[end].dt.normalize() <= taken) for name, end in ends.items()}
    waits = {name: wait_days(start, moment, rule, days) for name, moment in moments.items()}
    before = taken.to_numpy().astype("datetime64[D]") - np.timedelta64(1, "D")
    is_known, passed = days.knows(start_day(start, rule)), np.zeros(len(start), dtype=np.int64)
    passed[is_known] = days.up_to(days.at_most(before[is_known])) - starts(start[is_known], rule, days)
    age = pd.Series(np.maximum(0, passed), index=start.index, dtype="Int64")  # counted days that were over
    is_open = ~is_known | (~days.knows(before) & (age < CLOSING_LIMIT).to_numpy(dtype=bool))
    counts, untimed = calls["status"] != "withdrawn", (calls["status"] == "closed") & calls["closed_at"].isna()
    prompt = recorded(waits["answer_days"] <= ANSWER_LIMIT, calls["responded_at"])
    quick = recorded(waits["closing_days"] <= CLOSING_LIMIT, calls["closed_at"]).mask(untimed)
    has_closing = bool(calls["closed_at"].notna().any())  # else a missing slip alone would be the whole rate
    told = recorded(waits["slip_days"] <= CLOSING_LIMIT, calls["feedback_at"])
    moved = calls["returned_n"].fillna(0) + calls["transfer_n"].fillna(0) > 0
    limits = {"is_answer_due": ANSWER_LIMIT, "is_closing_due": CLOSING_LIMIT}
    due = {name: (age >= limit).astype(bool) for name, limit in limits.items()}
    due["is_repeat_due"] = calls["called_at"] + pd.Timedelta(days=REPEAT_LIMIT) < taken
    known = {"is_answered_on_time": prompt.where(counts & due["is_answer_due"])}
    known["is_closed_on_time"] = quick.where(counts & due["is_closing_due"])
    known["is_closed_with_slip_on_time"] = (quick & told).where(counts & due["is_closing_due"] & has_closing)
    known["is_closed"] = (moments["closing_days"].notna() | untimed).astype("boolean").where(counts)
    known["is_repeated_soon"] = recorded(_is_repeated(calls), calls["reopened_of"]).where(counts & due["is_repeat_due"])
    known["was_returned"] = recorded(moved, calls["returned_n"].fillna(calls["transfer_n"]))
    return calls.assign(**waits, age_days=age, **due, **known, is_deadline_unknown=counts & is_open)


def recorded(flag: pd.Series, source: pd.Series) -> pd.Series:
    """`flag` as true and false, or missing throughout where the ledger never fills `source`: a gap is not a no."""
    return flag.astype("boolean").fillna(False).where(np.full(len(flag), source.notna().any()))


def _is_repeated(calls: pd.DataFrame) -> pd.Series:
    """Whether another call names this one as the call it repeats, at most 90 calendar days after it."""
    first = calls[["call_id", "called_at"]].rename(columns={"call_id": "reopened_of", "called_at": "first_at"})
    pairs = calls.loc[calls["reopened_of"] != calls["call_id"], ["reopened_of", "called_at"]].dropna().merge(first)
    again = (pairs["called_at"] - pairs["first_at"]).between(pd.Timedelta(0), pd.Timedelta(days=REPEAT_LIMIT))
    return calls["call_id"].isin(pairs.loc[again, "reopened_of"])


def compare_clocks(calls: pd.DataFrame, days: Calendar, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """The on-time shares under every clock: count_from, cutoff, day_ends, answered, closed (with the slip), n_answered, n_closed."""
    rows, wanted = [], ["is_answered_on_time", "is_closed_with_slip_on_time"]
    for rule in CLOCKS:
        flags = time_calls(calls, rule, days, as_of)[wanted].astype(float)
        rows.append((f"{rule.count_from}_day", rule.cutoff, rule.day_ends, *flags.mean(), *flags.count()))
    names = ["count_from", "cutoff", "day_ends", "answered", "closed", "n_answered", "n_closed"]
    return pd.DataFrame(rows, columns=names)


# --- time to an event ---------------------------------------------------------------------------------------------------


def left_by(time: npt.ArrayLike, event: npt.ArrayLike) -> pd.Series:
    """The share that is left by each time at which something ended (index wait_days; product limit, Kaplan and Meier 1958)."""
    found = SurvfuncRight(np.asarray(time), np.asarray(event))
    return pd.Series(found.surv_prob, pd.Index(found.surv_times, dtype=float, name="wait_days"), name="left")


def median_days(days: pd.Series, age: pd.Series) -> float:
    """The median of `days`, what has not come to its end censored at its `age`; missing where more than half are left."""
    left = left_by(days.fillna(age).clip(lower=0).astype(float), days.notna())
    return float(left.index[left <= 0.5 + 1e-12].min())


def censored(calls: pd.DataFrame, column: str) -> tuple[pd.DataFrame, Floats, Bools]:
    """The calls not withdrawn, their times and whether they ended; what fell on a day not yet over is not yet counted.

    Calls closed at an unstated time are left out of the waits for closing.
    """
    untimed = calls["closed_at"].isna() & (calls["status"] == "closed") & (column == "closing_days")
    used = calls[(calls["status"] != "withdrawn") & ~untimed]
    done = (used[column] <= used["age_days"]).fillna(False).to_numpy(dtype=bool)
    return used, used[column].where(done, used["age_days"]).to_numpy(dtype=float), done


def waiting_curves(calls: pd.DataFrame) -> pd.DataFrame:
    """By kind (answered, closed) and working day: share done, its 95% interval, and at_risk, the calls that still waited.

    Calls still open are censored. Columns: kind, wait_days, share, low, high, at_risk. The interval is Greenwood's on the
    scale of log(-log) (Kalbfleisch and Prentice 1980), as of calls drawn at random from a process; missing at 0 and 1.
    """
    parts = [pd.DataFrame(columns=["kind", "wait_days", "share", "low", "high", "at_risk"])]
    for kind, column in (("answered", "answer_days"), ("closed", "closing_days")):
        wait, done = censored(calls, column)[1:]
        if not done.any():
            continue
        found, days = SurvfuncRight(wait, done), np.arange(0.0, wait.max() + 1)
        by_day = pd.DataFrame({"left": found.surv_prob, "se": found.surv_prob_se}, found.surv_times)
        by_day = by_day.reindex(by_day.index.union(days)).ffill().fillna({"left": 1.0, "se": 0.0}).loc[days]
        left, se = by_day["left"].where(by_day["left"].between(0, 1, inclusive="neither")), by_day["se"]
        power = np.exp(stats.norm.ppf(0.975) * se / (left * np.log(left)).abs())
        ends = {"share": 1 - by_day["left"], "low": 1 - left ** (1 / power), "high": 1 - left**power}
        at_risk = (wait >= days[:, None]).sum(axis=1)
        parts.append(pd.DataFrame({"kind": kind, "wait_days": days, **ends, "at_risk": at_risk}).reset_index(drop=True))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def closing_by_route(calls: pd.DataFrame) -> pd.DataFrame:
    """The share closed by each working day (index) without being passed on (`direct_route`) and after it (`passed_on`).

    Each route is the other's competing risk (Aalen and Johansen 1978): one less the share left open of each alone would add
    up to more than all calls.
    """
    used, wait, done = censored(calls[calls["was_returned"].notna()], "closing_days")
    left = left_by(wait, done)
    at_risk = (wait >= left.index.to_numpy()[:, None]).sum(axis=1)
    ended = pd.crosstab(wait[done], used.loc[done, "was_returned"].astype(bool).map(ROUTES).to_numpy())
    before = left.shift(fill_value=1.0).to_numpy()
    return ended.mul(before / at_risk, axis=0).cumsum().rename_axis(index="wait_days", columns=None)


# --- departments beside each other --------------------------------------------------------------------------------------


def funnel_limits(share: float, n: Floats, level: float) -> tuple[Floats, Floats]:
    """Exact binomial limits around `share` at each n, interpolated between counts (Spiegelhalter 2005, appendix A.1.1)."""
    r = stats.binom.ppf(p := np.array([[(1 - level) / 2], [(1 + level) / 2]]), n, share)
    above, below = stats.binom.cdf(r, n, share), stats.binom.cdf(r - 1, n, share)
    low, high = np.clip((r - (above - p) / (above - below)) / n, 0, 1)
    return low, high


def funnel(rows: pd.DataFrame) -> pd.DataFrame:
    """Counted shares, a row a department (estimate, n), with `is_outside` the 99.8% limits around the common share of their period.

    `is_outside` is the exact test at 0.1% a side. The interpolated line lies below the last count that it admits, so that
    beside it a department with 5 of 5 would stand out among departments with 99%. `remark` says `outside_limits`.
    """
    k, n = _cases(rows)
    centre = k.groupby(rows["period"]).transform("sum") / n.groupby(rows["period"]).transform("sum")
    is_outside = np.minimum(stats.binom.cdf(k, n, centre), stats.binom.sf(k - 1, n, centre)) < (1 - LEVELS["998"]) / 2
    return rows.assign(is_outside=is_outside, remark=np.where(is_outside, "outside_limits", ""))


def funnel_curve(rows: pd.DataFrame) -> pd.DataFrame:
    """The limits on a grid of n for drawing: n, low95, high95, low998, high998; missing where there is no case."""
    grid = np.unique(np.geomspace(3, max(10.0, 1.1 * float(rows["n"].max())), 120).round())
    limits = {name: funnel_limits(common_share(rows), grid, level) for name, level in LEVELS.items()}
    sides = {f"{side}{name}": pair[k] for name, pair in limits.items() for k, side in enumerate(("low", "high"))}
    return pd.DataFrame({"n": grid, **sides})


def common_share(rows: pd.DataFrame) -> float:
    """The share over all rows together, missing where there is no case."""
    k, n = _cases(rows)
    return float(k.sum() / n.sum()) if n.sum() else np.nan


def _cases(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """How many cases have it, and how many there are."""
    return (rows["estimate"].astype(float) * (n := rows["n"].astype(float))).round(), n
