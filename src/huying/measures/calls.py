"""Calls by their ledger and by what staff say: trend, ratio, need, rulings; refuses a rate of calls or cases too young to have one.

`calls` is the ledger with its waits (`huying.waiting`), a row a call; `cases` that of the joint conference. Waits of calls
are in working days, those of cases in calendar days.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from huying.associations import regress
from huying.counted import NO_CASE, by_period, find_ends, student, unsaid, values
from huying.design import Design
from huying.estimates import COUNTY
from huying.intervals import COUNT, STUDENT
from huying.words import EstimateError

RULING_LIMIT = 30  # calendar days from referral to a ruling
UNRECORDED = {"responded_at": "no response time", "closed_at": "no closing time", "feedback_at": "no feedback time"}
UNRECORDED |= {"is_cross_duty": "no mark of overlapping duties"}
FEW, NO_CALL = "too few answers", f"{NO_CASE}: no call"
NO_NUMBER = {f"regressions.{name}": FEW for name in ("nobody", "too_few", "collinear")}  # collinear: one month
NO_NUMBER |= {f"regressions.{name}": "separation" for name in ("constant", "separated")}


def why_no_rate(calls: pd.DataFrame, *columns: str) -> str:
    """Why a place has no rate: no eligible call, or a ledger that never fills a column from which the rate is made."""
    unfilled = [name for name in columns if name in UNRECORDED and len(calls) and calls[name].isna().all()]
    return UNRECORDED[unfilled[0]] if unfilled else NO_CALL


def month_trend(calls: pd.DataFrame, flag: str) -> pd.DataFrame:
    """The change a month of the log odds of `flag`, a row a period, for the county: estimate, low, high, se, df, n.

    Logistic regression on the month of dispatch; the variance is linearised over town × department, as R survey's
    `svyglm` with these as PSUs; df = their number less 2. Fewer than 2 months or 3 such groups, or answers that a month
    separates: no number, and the reason.
    """

    def one(part: pd.DataFrame) -> pd.DataFrame:
        used = part[part[flag].notna()]
        month = used["dispatched_at"].dt.year * 12 + used["dispatched_at"].dt.month
        frame = pd.DataFrame({"flag": used[flag].astype("Float64"), "month": (month - month.min()).astype(float)})
        names = used[["town_id", "dept_id"]].fillna("?").astype(str)
        design = one_stratum(names["town_id"] + "/" + names["dept_id"])
        why = "no response time" if part["responded_at"].isna().all() else FEW if design.psus.sum() < 3 else ""
        if why:
            return student(np.nan, np.nan, np.nan, len(used), why)
        try:
            found = regress(design, frame, "flag ~ month")
        except EstimateError as error:
            return student(np.nan, np.nan, np.nan, len(used), NO_NUMBER[error.key])
        value, se = found.table.set_index("term").loc["month", ["coefficient", "se"]]
        return student(value, se, found.df, found.n)

    return by_period(calls, one, FEW).assign(measure=flag, wave="")


def change_over_months(calls: pd.DataFrame, flag: str) -> pd.DataFrame:
    """The change in the share of `flag` from the first month to the last, in the shape of `month_trend`, by its model.

    Each slope goes with the intercept that keeps the share of the whole period, as the maximum likelihood estimate does; so
    the change and its limits are those of the slope and its limits, and hold 0 exactly where these do.
    """
    rows = month_trend(calls, flag)
    for at, row in rows[rows["estimate"].notna()].iterrows():
        used = calls[calls[flag].notna() & calls["period"].astype(str).eq(row["period"])]
        month = used["dispatched_at"].dt.year * 12 + used["dispatched_at"].dt.month
        since, share = (month - month.min()).to_numpy(dtype=float), float(used[flag].astype(float).mean())

        def move(slope: float, since: Any = since, share: float = share) -> float:
            start = brentq(lambda a: expit(a + slope * since).mean() - share, -900.0, 900.0, xtol=1e-14)
            return float(expit(start + slope * since.max()) - expit(start))

        rows.loc[at, ["estimate", "low", "high", "se"]] = [*map(move, row[["estimate", "low", "high"]]), np.nan]
    return rows


def find_extremes(by_month: pd.DataFrame) -> pd.DataFrame:
    """The county's rows of the lowest and the highest month of each period (parts lowest_month, highest_month)."""
    known = by_month[by_month["estimate"].notna() & by_month["place"].ne(COUNTY)].sort_values("estimate", kind="stable")
    lowest, highest = known.drop_duplicates("period"), known.drop_duplicates("period", keep="last")
    ends = [lowest.assign(part="lowest_month"), highest.assign(part="highest_month")]
    return pd.concat(ends, ignore_index=True).assign(place=COUNTY)


def one_stratum(psu: pd.Series) -> Design:
    """Rows of a complete list as a design: one stratum, weight 1, the values of `psu` as PSUs."""
    codes = np.unique(psu, return_inverse=True)[1].astype(np.int64)
    return Design(np.zeros_like(codes), codes, np.ones(len(codes)), ("all",))


def compare_risks(calls: pd.DataFrame, flag: str, group: str) -> pd.DataFrame:
    """How many times as often `flag` holds where `group` does than where it does not: a row a period, estimate, low, high, n.

    95% interval on the log scale (Katz and others 1978, method C); no number where a group has no call, or none with `flag`.
    """

    def one(part: pd.DataFrame) -> pd.DataFrame:
        inside = part[group].fillna(False).astype(bool)
        (k, n), (m, size) = ((part.loc[at, flag].sum(), part.loc[at, flag].count()) for at in (inside, ~inside))
        if not (k and m):
            return unsaid([COUNTY], NO_CASE, inside.sum(), method=STUDENT)
        ratio, spread = (k / n) / (m / size), np.exp(1.959964 * np.sqrt(1 / k - 1 / n + 1 / m - 1 / size))
        return values([COUNTY], [ratio], [inside.sum()], low=ratio / spread, high=ratio * spread, method=STUDENT)

    return by_period(calls, one).assign(measure=flag)


def count_silent(rows: pd.DataFrame, n_calls: pd.Series, reported: pd.Series, recorded: pd.Series) -> pd.DataFrame:
    """Estimates of call propensity in which a town that had need and made no call in the ledger is counted: 0 of its need.

    All by town. Need is what the county's counts recorded, or, where they have none, what staff reported; without either a
    silent town stays as its staff tell. A ledger without any call at all says nothing about its towns.
    """
    recorded, reported = (table.astype(float).reindex(rows["place"]) for table in (recorded, reported))
    need = recorded.where(recorded > 0, reported).fillna(0).to_numpy()
    is_silent = rows["place"].isin(n_calls.index[n_calls == 0]) & (need > 0) & bool(n_calls.sum())
    known = {"estimate": 0.0, "low": 0.0, "high": 0.0, "method": COUNT, "reliability": "ok", "reason": "", "n": need}
    known |= dict.fromkeys(("se", "n_eff", "df", "deff"), np.nan) | {"n_of": "matters"}
    rows = rows.assign(n_of="", remark=np.where(is_silent, "no_call", ""))
    return rows.assign(**{name: rows[name].mask(is_silent, value) for name, value in known.items() if name in rows})


def time_cases(cases: pd.DataFrame, periods: dict[str, Any]) -> pd.DataFrame:
    """Cases of the joint conference with waits in calendar days on the day of each period's data (else the last day written).

    ruling_days: from referral to the ruling, missing where there is none; age_days; is_open; is_ruled_on_time: within 30
    days, missing for a case that is younger.
    """
    taken = find_ends(cases, periods, cases[["referred_on", "ruled_on"]].max(axis=1), "as_of")
    age, days = (taken - cases["referred_on"]).dt.days, (cases["ruled_on"] - cases["referred_on"]).dt.days
    on_time = (days <= RULING_LIMIT).astype("boolean").where(age >= RULING_LIMIT)
    return cases.assign(ruling_days=days, age_days=age, is_open=cases["ruled_on"].isna(), is_ruled_on_time=on_time)
