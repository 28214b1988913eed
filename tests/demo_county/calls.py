"""Calls of the demo county and what came of them, on the house's clock; refuses nothing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from chinese_calendar import is_workday
from scipy.stats import norm

from demo_county.draws import pick, spread, spread_by
from demo_county.truths import Bools, Floats, Ints, Truths

FIRST, LAST, AS_OF = (pd.Timestamp(day) for day in ("2022-01-04", "2022-12-31", "2023-01-06"))
CONFERENCE = pd.Timestamp("2022-07-01")
HOLIDAY = pd.to_datetime(["2022-09-28 16:20", "2022-09-29 10:05", "2022-09-30 15:40"])
ROOM = 0.0015  # between a department's share and nine in ten: what is soiled later hardly moves it
TRIES = 300
MATTERS_SHARED = 0.3  # several staff share one matter


def draw_calls(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """One row a call of 2022 in the columns of ledgers.CALLS (clean), sorted by time, with `town` and `dept` as ids."""
    towns, departments, planted = truths.towns, truths.departments, truths.features["calls"]
    size = rng.poisson(2 * towns["need_per_staff_6m"] * towns["n_staff"] * towns["call_propensity"] * MATTERS_SHARED)
    town = rng.permutation(np.repeat(np.arange(len(towns)), size))
    n, share = len(town), departments["share_of_calls"].to_numpy()
    dept = np.searchsorted(np.cumsum(share) / share.sum(), spread(rng, n))
    full = np.isin(towns["town_id"].to_numpy()[town], planted["all_closed"])
    called = _called_at(rng, n, full)
    over = rng.choice(np.flatnonzero(~full), planted["spans_holiday"], replace=False)
    called = pd.DatetimeIndex(
        pd.Series(called).mask(np.isin(np.arange(n), over), pd.Series(HOLIDAY, index=over).reindex(range(n)))
    )
    dispatched = _office_hours(called + pd.to_timedelta(rng.gamma(1.2, 90, n) + 3, unit="min"))
    factor = departments["on_time_factor"].to_numpy()[dept]
    p_respond, p_close = (
        np.minimum(towns[name].fillna(0.9).to_numpy()[town] * factor, 0.985) for name in ("p_resp_2wd", "p_close_5wd")
    )
    respond = _waits_to_answer(rng, dept, p_respond, departments["dept_id"].isin(planted["late"]).to_numpy())
    close = _working_days(spread_by(rng, town), 5, p_close)
    respond = np.where(close <= 5, np.minimum(respond, 4.9), respond)  # neither changes what is on time
    close = np.maximum(close, respond + 0.05)
    frame = pd.DataFrame({"town": towns["town_id"].to_numpy()[town], "called_at": called, "dispatched_at": dispatched,
                          "dept": departments["dept_id"].to_numpy()[dept], "responded_at": _after(dispatched, respond),
                          "closed_at": _after(dispatched, close), "feedback_at": pd.NaT, "status": "closed"})  # fmt: skip
    frame["feedback_at"] = frame["closed_at"] + pd.to_timedelta(rng.integers(5, 150, n), unit="min")
    _returns(frame, truths, dept, rng)
    frame["item_code"] = [f"SD{k:03d}" for k in rng.integers(1, 121, n)]
    frame["town_rating"] = pd.Series(
        pick(rng, [5, 4, 3, 2, 1], [0.45, 0.30, 0.15, 0.07, 0.03], n), dtype="Int64"
    ).where(rng.random(n) < 0.85)
    _as_of(frame, full, planted["still_open"], rng)
    frame = frame.sort_values("called_at", ignore_index=True)
    frame.insert(0, "call_id", [f"C2022{k:05d}" for k in range(1, n + 1)])
    frame["reopened_of"] = _called_again(frame, planted["called_again"], rng)
    return frame


def _called_at(rng: np.random.Generator, n: int, early: Bools) -> pd.DatetimeIndex:
    """Days of the ledger, 6 in 100 of them days off, from 8 to 18 o'clock; calls of `early` end in November."""
    days = pd.date_range(FIRST, LAST)
    work = np.array([is_workday(day.date()) for day in days])
    weight = np.where(work, 0.94 / work.sum(), 0.06 / (~work).sum())
    until = np.where(early, days.searchsorted(pd.Timestamp("2022-12-01")), len(days))
    steps = np.cumsum(weight)
    place = np.searchsorted(steps, rng.random(n) * steps[until - 1])
    return pd.DatetimeIndex(days[np.minimum(place, until - 1)]) + pd.to_timedelta(
        (rng.beta(1.4, 1.8, n) * 600 + 480).round(), unit="min"
    )


def _office_hours(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Slips are not sent out after eight in the evening: those wait until the next morning, and the ledger's last day takes all."""
    late = times.hour >= 20
    moved = times.where(~late, times.normalize() + pd.Timedelta(hours=32, minutes=17)).floor("min")
    return pd.DatetimeIndex(
        moved.where(moved <= LAST + pd.Timedelta(hours=20), LAST + pd.Timedelta(hours=19, minutes=58))
    )


def _working_days(draw: Floats, limit: float, share: Floats) -> Floats:
    """Log-normal waits in working days, of which `share` are at most `limit`."""
    return np.asarray(np.exp(np.log(limit) + 0.8 * (norm.ppf(draw) - norm.ppf(share))))


def _waits_to_answer(rng: np.random.Generator, dept: Ints, share: Floats, is_late: Bools) -> Floats:
    """Waits drawn until the planted departments, and no other, answer less than nine calls in ten in time.

    In another county, whose towns answer otherwise, that may never come: then the last draw stands.
    """
    for _ in range(TRIES):
        waits = _working_days(spread_by(rng, dept), 2, share)
        on_time = pd.Series(waits <= 2).groupby(dept).mean().reindex(range(len(is_late)), fill_value=1.0).to_numpy()
        if (np.abs(on_time - 0.9) > ROOM).all() and ((on_time < 0.9) == is_late).all():
            break
    return waits


def _after(start: pd.DatetimeIndex, wait: Floats) -> pd.DatetimeIndex:
    """`start` plus `wait` working days: the day of dispatch is not counted, what is sent after 17:30 counts from the next day."""
    days = pd.date_range(FIRST - pd.Timedelta(days=9), FIRST + pd.Timedelta(days=725))
    work = days[[is_workday(dt.date(d.year, d.month, d.day)) for d in days]]
    base = start.normalize() + pd.to_timedelta(
        (start - start.normalize() > pd.Timedelta(hours=17, minutes=30)).astype(int), unit="D"
    )
    whole = np.maximum(np.ceil(wait), 1).astype(int)
    day = work[np.minimum(work.searchsorted(base, side="right") + whole - 1, len(work) - 1)]
    minutes = pd.to_timedelta(510 + np.round((wait - whole + 1) * 520), unit="min")
    return pd.DatetimeIndex(pd.DatetimeIndex(day) + minutes)


def _returns(frame: pd.DataFrame, truths: Truths, dept: Ints, rng: np.random.Generator) -> None:
    """Overlapping duties, and calls returned or passed on at least once with the department's planted probability."""
    planted, departments, n = truths.features["calls"], truths.departments, len(frame)
    special = planted["cross_duty_of"]
    share = departments["dept_id"].map(special).to_numpy(dtype=float)
    rest = (planted["cross_duty"] - np.nansum(share * departments["share_of_calls"])) / departments["share_of_calls"][
        np.isnan(share)
    ].sum()
    cross = spread_by(rng, dept) < np.where(np.isnan(share), rest, share)[dept]
    later = frame["called_at"].to_numpy() >= CONFERENCE
    chance = np.where(cross, departments["p_return_cross_duty"].to_numpy()[dept] * np.where(later, planted["after_conference"], 1),
                      departments["p_return_clear"].to_numpy()[dept])  # fmt: skip
    handed = (
        spread_by(rng, (cross * 2 + later) + 4 * (departments["dept_id"].isin(list(special)).to_numpy()[dept])) < chance
    )
    kind = pick(rng, [1, 2, 3], [0.45, 0.25, 0.30], n)
    frame["returned_n"] = np.where(handed & (kind != 2), rng.geometric(0.75, n), 0)
    frame["transfer_n"] = np.where(handed & (kind != 1), rng.geometric(0.65, n), 0)
    frame["is_cross_duty"] = cross


def _as_of(frame: pd.DataFrame, full: Bools, share: float, rng: np.random.Generator) -> None:
    """What the ledger knew on the day the data were taken; towns of `full` have closed everything."""
    for name in ("responded_at", "closed_at", "feedback_at"):
        limit = AS_OF - pd.Timedelta(hours=8)
        frame[name] = frame[name].where(
            ~full | (frame[name] <= limit).to_numpy(), limit - pd.Timedelta(days=2 if name == "responded_at" else 0)
        )
    left = np.zeros(len(frame), dtype=bool)
    left[rng.choice(np.flatnonzero(~full), round(share * (~full).sum()), replace=False)] = True
    still_open = left | (frame["closed_at"] > AS_OF).to_numpy()
    frame.loc[still_open, ["closed_at", "feedback_at", "town_rating"]] = None
    frame.loc[still_open, "status"] = "open"
    frame.loc[frame["responded_at"] > AS_OF, "responded_at"] = pd.NaT


def _called_again(frame: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.Series:
    """For `share` of the calls the earlier, closed call of the same town to the same department within 90 days."""
    earlier = frame.groupby(["town", "dept"])[["call_id", "closed_at"]].shift()
    gap = (frame["called_at"] - earlier["closed_at"]).dt.days
    can = np.flatnonzero(gap.between(1, 90))
    chosen = rng.choice(can, min(round(share * len(frame)), len(can)), replace=False)
    return earlier["call_id"].where(frame.index.isin(chosen))


def draw_cases(calls: pd.DataFrame, rng: np.random.Generator, n: int = 60) -> pd.DataFrame:
    """Joint-conference cases from overlapping calls: median 14 days to a ruling, 18% longer than 60, 9% returned after it."""
    pool = calls[
        calls["is_cross_duty"] & (calls["dispatched_at"] >= CONFERENCE) & (calls["dispatched_at"] < "2022-12-15")
    ]
    pool = pool.sample(min(n, len(pool)), random_state=rng).sort_values("dispatched_at")
    referred = pool["dispatched_at"].dt.normalize() + pd.to_timedelta(rng.integers(3, 12, len(pool)), unit="D")
    wait = np.ceil(14 * np.exp(1.59 * norm.ppf(spread(rng, len(pool))))).clip(1, 400)
    ruled = referred + pd.to_timedelta(wait, unit="D")
    ruled = ruled.where(ruled <= AS_OF.normalize())
    cases = pd.DataFrame({"case_id": [f"J{k:03d}" for k in range(1, len(pool) + 1)], "call_id": pool["call_id"].to_numpy(),
                          "referred_on": referred.to_numpy(), "ruled_on": ruled.to_numpy()})  # fmt: skip
    cases["ruling_dept"] = pool["dept"].to_numpy()
    cases.loc[cases["ruled_on"].isna(), "ruling_dept"] = None
    done = np.flatnonzero(cases["ruled_on"].notna())
    back = rng.choice(done, round(0.09 * len(done)), replace=False)
    cases["is_returned_after"] = pd.Series(cases.index.isin(back), dtype="boolean").where(cases["ruled_on"].notna())
    return cases


def draw_steps(cases: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """When each case was accepted and heard (accepted_on, heard_on): accepted within 3 days, heard just before the ruling.

    An open case is accepted if it came early enough, and one in six has been heard in the last days of the data.
    """
    n, taken = len(cases), AS_OF.normalize()
    accepted = cases["referred_on"] + pd.to_timedelta(rng.integers(0, 4, n), unit="D")
    heard = cases["ruled_on"] - pd.to_timedelta(pick(rng, [0, 1, 2], [0.4, 0.4, 0.2], n), unit="D")
    waiting = cases["ruled_on"].isna() & (rng.random(n) < 1 / 6)
    heard = heard.mask(waiting, taken - pd.Timedelta(days=1))
    accepted = accepted.where(cases["ruled_on"].isna() | (accepted <= cases["ruled_on"]), cases["referred_on"])
    accepted = accepted.where(accepted <= taken)
    return pd.DataFrame(
        {"accepted_on": accepted, "heard_on": heard.where(heard >= accepted, accepted.where(heard.notna()))}
    )
