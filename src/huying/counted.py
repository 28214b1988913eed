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


# --- an open county's lists -------------------------------------------------------------------------------------------


class Counting:
    """What an open county does with its lists.

    `key`: by which its words are found; `town_ids`, `departments`: the ids of its registers in their order.
    """

    key: str
    town_ids: list[str]
    departments: list[str]

    def count(
        self, rows: pd.DataFrame, flag: Any, by: Any = "town", exact: bool = False, reason: str = ""
    ) -> pd.DataFrame:
        """Shares of a true/false column of a complete list, in the shape of `share`: every town, then the county, period by period.

        A missing value is outside the base. A list is counted; `exact` adds the Clopper-Pearson interval of its process. `by`:
        town, None (the county alone), or another column (a row for each of its values; of dept_id for each department).
        """

        def one(flags: pd.Series, part: pd.DataFrame) -> pd.DataFrame:
            if by == "town" or by is None:
                counts = tally(flags, part["town_id"] if by else flags, self.town_ids if by else ())
            else:
                counts = flags.groupby(part[by]).agg(yes="sum", known="count")
            if by == "dept_id":  # also those of the register without a case
                counts = counts.reindex(counts.index.union(self.departments), fill_value=0)
            return counted(counts.index.astype(str), counts["yes"], counts["known"], exact=exact)

        return self._by_period(rows, flag, one, reason)

    def bounded(self, rows: pd.DataFrame, flag: Any, by: str | None = "town", reason: str = NO_CASE) -> pd.DataFrame:
        """As `count`, for a list in which some values are not known: low counts them as no, high as yes."""

        def one(flags: pd.Series, part: pd.DataFrame) -> pd.DataFrame:
            counts = tally(flags, part["town_id"] if by else flags, self.town_ids if by else ())
            return bounded(counts.index, counts["yes"], counts["known"], counts["total"], reason=reason)

        return self._by_period(rows, flag, one, "")

    def _by_period(self, rows: pd.DataFrame, flag: Any, one: Any, reason: str) -> pd.DataFrame:
        flags = rows[flag] if isinstance(flag, str) else pd.Series(flag, index=rows.index)
        flags, name = flags.astype("boolean"), flag if isinstance(flag, str) else str(getattr(flag, "name", "") or "")
        groups = rows.groupby("period", sort=True).groups if len(rows) and "period" in rows else {"": rows.index}
        parts = [one(flags.loc[at], rows.loc[at]).assign(period=str(period)) for period, at in groups.items()]
        made = pd.concat(parts, ignore_index=True).assign(measure=name, wave="")
        made["reason"] = made["reason"].replace(NO_CASE, reason or NO_CASE)
        made.attrs |= rows.attrs | {"labels": self.key}
        return made

    def proportion(self, k: pd.Series, n: pd.Series, exact: bool = False, period: str = "") -> pd.DataFrame:
        """Shares k/n of complete lists from their totals, a row a place (the index of both)."""
        made = counted(k.index.astype(str), k.to_numpy(dtype=float), n.to_numpy(dtype=float), exact=exact)
        return self._labelled(made.assign(period=period, wave="", measure=str(k.name or "")))

    def values(self, series: Any, n: Any = 1, period: str = "", reason: str = "", **columns: Any) -> pd.DataFrame:
        """One number a place as rows for `judge`: a Series by place id, or a number for the county; `n` by place or one for all.

        An index level named `period` holds the period of each number, alone for the county. `reason` says why a missing
        number is missing.
        """
        given = series if isinstance(series, pd.Series) else pd.Series({COUNTY: series}, dtype="Float64")
        if "period" in given.index.names and not len(given):
            given = pd.Series({COUNTY: np.nan})
        size = n.reindex(given.index).fillna(0).to_numpy() if isinstance(n, pd.Series) else n
        numbers = given.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        where = given.index.to_frame(index=False).astype(str)
        if "period" in where:
            period = where.pop("period").to_numpy()
        places = where.iloc[:, 0] if where.shape[1] else [COUNTY] * len(given)
        told = {"period": period, "wave": "", **columns}
        return self._labelled(values(places, numbers, size, reason or NO_CASE, **told))

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows.attrs["labels"] = self.key
        return rows
