"""Counts of complete lists and small censuses by place, in the shape of an estimate; refuses to state fewer cases than may be told.

A complete list has no sampling error: its interval, where one is asked, is that of the process behind it (Clopper and
Pearson 1934). What nobody knows bounds a share both ways.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from huying.estimates import COUNTY
from huying.intervals import COUNT, EXACT, STUDENT, korn_graubard
from huying.waiting import median_days

NO_CASE = "no eligible case"


def counted(places: Iterable[str], k: Any, n: Any, *, exact: bool = False, reason: str = NO_CASE) -> pd.DataFrame:
    """Shares k/n of complete lists, one a place; `exact` adds the Clopper-Pearson interval of the process behind them."""
    hits, cases = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore"):
        share = hits / cases
    low, high = korn_graubard(share, cases) if exact else (share, share)
    size = cases if exact else np.nan
    return values(places, share, cases, reason, low=low, high=high, n_eff=size, method=EXACT if exact else COUNT)


def values(places: Iterable[str], value: Any, n: Any, reason: Any = NO_CASE, **columns: Any) -> pd.DataFrame:
    """Numbers that are no shares (indices, months), one a place; `reason` says why a missing number is missing."""
    number = np.asarray(value, dtype=float)
    gone = np.isnan(number)
    given = {"place": list(places), "estimate": number, "low": number, "high": number, "n": n, "method": COUNT}
    given |= {"reliability": np.where(gone, "not estimable", "ok"), "reason": np.where(gone, reason, "")}
    return pd.DataFrame({**given, **columns})


def student(value: float, se: float, df: float, n: float, reason: Any = NO_CASE, **columns: Any) -> pd.DataFrame:
    """The county's number with Student's limits at its degrees of freedom, or without a number its reason."""
    half = float(stats.t.ppf(0.975, df)) * se if df > 0 else np.nan
    given = {"low": value - half, "high": value + half, "se": se, "df": df, "method": STUDENT}
    return values([COUNTY], [value], [float(n)], reason, **{**given, **columns})


def unsaid(places: Sequence[str], reason: Any, n: Any = 0, **columns: Any) -> pd.DataFrame:
    """Rows without a number, one a place, and why there is none."""
    return values(places, np.full(len(places), np.nan), n, reason, **columns)


def by_period(rows: pd.DataFrame, one: Callable[[pd.DataFrame], pd.DataFrame], reason: str = NO_CASE) -> pd.DataFrame:
    """What `one` makes of each period's rows; without a row the county's own, which has no number for this reason."""
    parts = [one(part).assign(period=str(period)) for period, part in rows.groupby("period")]
    return pd.concat(parts, ignore_index=True) if parts else unsaid([COUNTY], reason, period="")


def find_ends(rows: pd.DataFrame, spans: Mapping[str, Any], written: pd.Series, end: str = "last") -> pd.Series:
    """The day on which each row's period ends (`end="as_of"`: its data were taken), else the last day `written` in that period."""
    told = rows["period"].map({period: pd.Timestamp(getattr(span, end)) for period, span in spans.items()})
    return pd.to_datetime(told).fillna(written.groupby(rows["period"]).transform("max"))


def find_medians(rows: pd.DataFrame, days: pd.Series, age: pd.Series, reason: str = NO_CASE) -> pd.DataFrame:
    """The median of `days` by period, what has not come to its end censored at its `age` (Kaplan and Meier 1958)."""
    told = rows.assign(days=days, age=age)
    return by_period(told, lambda part: values([COUNTY], [median_days(part["days"], part["age"])], [len(part)]), reason)


def tally(flags: pd.Series, town: pd.Series, towns: Sequence[str] = ()) -> pd.DataFrame:
    """How many of a true/false column are true, known, and there at all, for every town of `towns`, then the county."""
    marks = {"yes": flags.astype("boolean").fillna(False), "known": flags.notna(), "total": True}
    rows = pd.DataFrame(marks, index=flags.index).astype(float)
    counts = rows.groupby(town).sum().reindex(towns, fill_value=0.0)
    counts.loc[COUNTY] = rows.sum()
    return counts


def bounded(places: Any, yes: Any, known: Any, total: Any, fewest: int = 1, reason: str = NO_CASE) -> pd.DataFrame:
    """Counted shares among the known, one a place; low and high count the unknown ones as no and as yes.

    These are the lowest and the highest share that the unknown ones allow (Manski 1989). A place with fewer than
    `fewest` cases is not stated.
    """
    yes, known, total = (np.asarray(v, dtype=float) for v in (yes, known, total))
    with np.errstate(invalid="ignore"):
        share, low, high = yes / known, yes / total, (yes + total - known) / total
    few = total < fewest
    why = np.select([total == 0, few, known == 0], [reason, "too few answers", "nobody knows"], "")
    share, low, high = np.where(few, np.nan, (share, low, high))
    made = values(places, share, total, why, low=low, high=high)
    return made.assign(reliability=made["reliability"].mask(few & (total > 0), "too few answers"))
