"""Calls by their ledger and by what staff say: trend, ratio, need, rulings; refuses a rate of calls or cases too young to have one.

`calls` is the ledger with its waits (`huying.waiting`), a row a call; `cases` that of the joint conference. Waits of calls
are in working days, those of cases in calendar days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from huying.errors import EstimateError
from huying.estimates import COUNT, COUNTY, STUDENT, Design
from huying.regressions import regress

RULING_LIMIT = 30  # calendar days from referral to a ruling
UNRECORDED = {
    "responded_at": "no response time",
    "feedback_at": "no feedback time",
    "is_cross_duty": "no mark of overlapping duties",
}
NO_NUMBER = {
    "regressions.nobody": "too few answers",
    "regressions.too_few": "too few answers",
    "regressions.collinear": "too few answers",  # one month
    "regressions.constant": "separation",
    "regressions.separated": "separation",
}


def why_no_rate(calls: pd.DataFrame, column: str = "") -> str:
    """Why a place has no rate: no eligible call, or a ledger that never fills the column from which the rate is made."""
    is_unrecorded = column in UNRECORDED and len(calls) > 0 and bool(calls[column].isna().all())
    return UNRECORDED[column] if is_unrecorded else "no eligible call"


def month_trend(calls: pd.DataFrame, flag: str) -> pd.DataFrame:
    """The change a month of the log odds of `flag`, a row a period, for the county: estimate, low, high, se, df, n.

    Logistic regression on the month of dispatch; the variance is linearised over town × department, as R survey's
    `svyglm` with these as PSUs; df = their number less 2. Fewer than 2 months or 3 such groups, or answers that a month
    separates: no number, and the reason.
    """
    groups = list(calls.groupby("period", sort=True)) or [("", calls)]
    rows = [
        {"place": COUNTY, "measure": flag, "period": when, "wave": "", **_trend(part, flag)} for when, part in groups
    ]
    return pd.DataFrame(rows).assign(method=STUDENT)


def _trend(calls: pd.DataFrame, flag: str) -> dict[str, Any]:
    used = calls[calls[flag].notna()]
    month = used["dispatched_at"].dt.year * 12 + used["dispatched_at"].dt.month
    frame = pd.DataFrame({"flag": used[flag].astype("Float64"), "month": (month - month.min()).astype(float)})
    empty = dict.fromkeys(("estimate", "low", "high", "se", "df"), np.nan) | {"n": float(len(used))}
    why = "no response time" if len(calls) and calls["responded_at"].isna().all() else ""
    names = used[["town_id", "dept_id"]].fillna("?").astype(str)
    design = one_stratum(names["town_id"] + "/" + names["dept_id"])
    if not why and design.psus.sum() < 3:
        why = "too few answers"
    if not why:
        try:
            found = regress(design, frame, "flag ~ month", model="logistic").table.set_index("term").loc["month"]
            row = {"estimate": found["coefficient"], **found[["low", "high", "se"]], "df": float(design.psus.sum() - 2)}
            return {**empty, **row, "reliability": "ok", "reason": ""}
        except EstimateError as error:
            why = NO_NUMBER[error.key]
    return {**empty, "reliability": "not estimable", "reason": why}


def one_stratum(psu: pd.Series) -> Design:
    """Rows of a complete list as a design: one stratum, weight 1, the values of `psu` as PSUs."""
    codes = np.unique(psu, return_inverse=True)[1].astype(np.int64)
    return Design(np.zeros_like(codes), codes, np.ones(len(codes)), ("all",))


def compare_risks(calls: pd.DataFrame, flag: str, group: str) -> pd.DataFrame:
    """How many times as often `flag` holds where `group` does than where it does not: a row a period, estimate, low, high, n.

    95% interval on the log scale (Katz and others 1978, method C); no number where a group has no call, or none with `flag`.
    """
    rows = []
    for when, part in list(calls.groupby("period", sort=True)) or [("", calls)]:
        inside = part[group].fillna(False).astype(bool)
        ratio, low, high = risk_ratio(*(part.loc[at, flag] for at in (inside, ~inside)))
        rows.append({"place": COUNTY, "period": when, "measure": flag, "estimate": ratio, "low": low, "high": high})
        rows[-1]["n"] = int(inside.sum())
    return pd.DataFrame(rows).assign(method=STUDENT)


def risk_ratio(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """The share of true in `first` over that in `second`, with its 95% interval on the log scale (Katz and others 1978)."""
    k, n, m, size = (float(v) for v in (first.sum(), first.count(), second.sum(), second.count()))
    if not (k and m):
        return np.nan, np.nan, np.nan
    ratio, spread = (k / n) / (m / size), np.sqrt(1 / k - 1 / n + 1 / m - 1 / size)
    return ratio, ratio * np.exp(-1.959964 * spread), ratio * np.exp(1.959964 * spread)


def called_per_need(calls: pd.DataFrame, need_counts: pd.DataFrame, towns: pd.Series) -> pd.DataFrame:
    """Calls of the ledger beside the matters that the hotline and the grid counted, by town: calls, need, per_100.

    A row a town of the register, also one without a call; need is missing where nobody counted it. Never set against the
    need that staff report: several of them may share one matter.
    """
    n_calls = calls["town_id"].value_counts().reindex(towns, fill_value=0)
    need = need_counts.groupby("town_id")["n"].sum().reindex(towns).astype("Float64").astype(float)
    table = pd.DataFrame({"calls": n_calls, "need": need})
    return table.assign(per_100=100 * table["calls"] / table["need"].where(table["need"] > 0)).rename_axis("place")


def count_silent(rows: pd.DataFrame, n_calls: pd.Series) -> pd.DataFrame:
    """Estimates of call propensity in which a town without any call in the ledger is counted as such: 0, not estimated.

    `n_calls`: by town. A ledger without any call at all says nothing about its towns.
    """
    if not n_calls.sum():
        return rows
    is_silent = rows["place"].isin(n_calls.index[n_calls == 0])
    known = {"estimate": 0.0, "low": 0.0, "high": 0.0, "method": COUNT, "reliability": "ok", "reason": ""}
    columns = {name: rows[name].mask(is_silent, value) for name, value in known.items()}
    return rows.assign(**columns, remark=np.where(is_silent, "no_call", ""))


def time_cases(cases: pd.DataFrame, as_of: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
    """Cases of the joint conference with waits in calendar days on the day of each period's data.

    ruling_days: from referral to the ruling, missing where there is none; age_days; is_open; is_ruled_on_time: within 30
    days, missing for a case that is younger.
    """
    taken = cases["period"].map(dict(as_of)).astype("datetime64[ns]")
    age, days = (taken - cases["referred_on"]).dt.days, (cases["ruled_on"] - cases["referred_on"]).dt.days
    on_time = (days <= RULING_LIMIT).astype("boolean").where(age >= RULING_LIMIT)
    return cases.assign(ruling_days=days, age_days=age, is_open=cases["ruled_on"].isna(), is_ruled_on_time=on_time)
