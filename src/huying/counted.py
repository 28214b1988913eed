"""Counts of complete lists and small censuses by place, in the shape of an estimate; refuses to state fewer cases than may be told.

A complete list has no sampling error: its interval, where one is asked, is that of the process behind it (Clopper and
Pearson 1934). What nobody knows bounds a share both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from huying.estimates import COUNT, COUNTY, EXACT, korn_graubard
from huying.exact import bounds

NO_CASE = "no eligible case"


def counted(places: Iterable[str], k: Any, n: Any, *, exact: bool = True, reason: str = NO_CASE) -> pd.DataFrame:
    """Shares k/n of complete lists, one a place; `exact` adds the Clopper-Pearson interval of the process behind them."""
    hits, cases = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    share = np.divide(hits, cases, out=np.full(len(cases), np.nan), where=cases > 0)
    low, high = korn_graubard(share, cases) if exact else (share, share)
    table = pd.DataFrame(
        {"place": list(places), "estimate": share, "low": low, "high": high, "n": cases, "n_eff": cases}
    )
    reasons = np.where(cases > 0, "", reason)
    said = np.where(cases > 0, "ok", "not estimable")
    return table.assign(method=EXACT if exact else COUNT, reliability=said, reason=reasons)


def values(places: Iterable[str], value: Any, n: Any, **columns: Any) -> pd.DataFrame:
    """Numbers of complete lists that are no shares (indices, months), one a place."""
    number = np.asarray(value, dtype=float)
    reason = np.where(np.isnan(number), NO_CASE, "")
    given = {"place": list(places), "estimate": number, "low": number, "high": number, "n": n}
    given |= {"method": COUNT, "reliability": "ok", "reason": reason}
    return pd.DataFrame({**given, **columns})


def unsaid(places: Sequence[str], reason: str, n: float = 0, **columns: Any) -> pd.DataFrame:
    """Rows without a number, one a place, and why there is none."""
    return values(places, np.full(len(places), np.nan), n, reason=reason, reliability="not estimable", **columns)


def by_period(rows: pd.DataFrame, one: Callable[[pd.DataFrame], pd.DataFrame], reason: str = NO_CASE) -> pd.DataFrame:
    """What `one` makes of each period's rows; without a row the county's own, which has no number for this reason."""
    parts = [one(part).assign(period=str(period)) for period, part in rows.groupby("period")]
    return pd.concat(parts, ignore_index=True) if parts else unsaid([COUNTY], reason, period="")


def by_town(towns: Sequence[str], flags: pd.Series, town: pd.Series, *, exact: bool = True) -> pd.DataFrame:
    """Counted shares of a true/false column (missing: not in the base) by town, every town of the register, and the county."""
    grouped = flags.groupby(town)
    k, n = (grouped.agg(how).reindex(towns, fill_value=0).to_numpy(dtype=float) for how in ("sum", "count"))
    county = counted([COUNTY], [flags.sum()], [flags.count()], exact=exact)
    return pd.concat([counted(towns, k, n, exact=exact), county], ignore_index=True)


def bounded(
    places: Sequence[str],
    yes: Any,
    known: Any,
    total: Any,
    *,
    fewest: int = 1,
    reason: str = NO_CASE,
    exact: bool = False,
) -> pd.DataFrame:
    """Counted shares among the known, one a place; low and high count the unknown ones as no and as yes.

    A place with fewer than `fewest` cases is not stated. `exact` widens the two ends to the Clopper-Pearson limits of the
    process behind the list.
    """
    yes, known, total = (np.asarray(v, dtype=float) for v in (yes, known, total))
    share = np.divide(yes, known, out=np.full(len(total), np.nan), where=known > 0)
    low, high = np.array([bounds(*row) for row in zip(yes, known, total, strict=True)]).reshape(-1, 2).T
    few = total < fewest
    why = np.select([total == 0, few, known == 0], [reason, "too few answers", "nobody knows"], "")
    if exact:
        low, high = korn_graubard(low, total)[0], korn_graubard(high, total)[1]
    shown = {name: np.where(few, np.nan, v) for name, v in (("estimate", share), ("low", low), ("high", high))}
    shown |= {"n": total, "n_eff": np.where(few, np.nan, total)} if exact else {"n": total}
    said = np.where(why == "", "ok", np.where(few & (total > 0), "too few answers", "not estimable"))
    method = EXACT if exact else COUNT
    return pd.DataFrame({"place": list(places), **shown, "method": method, "reliability": said, "reason": why})


def bounded_by_town(towns: Sequence[str], flags: pd.Series, town: pd.Series, **how: Any) -> pd.DataFrame:
    """Bounded shares of a true/false column (missing: nobody knows) by town, every town of the register, and the county."""
    known = flags.astype("boolean")
    tally = pd.DataFrame({"yes": known.fillna(False).astype(bool), "known": known.notna(), "total": True})
    rows = tally.groupby(town).sum().reindex(towns, fill_value=0).to_numpy(dtype=int)
    return bounded([*towns, COUNTY], *np.vstack([rows, tally.sum().to_numpy(dtype=int)]).T, **how)


def decided(rows: pd.DataFrame) -> pd.DataFrame:
    """Bounded shares for a rule that one failure refutes: without a failure but with unknown cases nothing is decided."""
    is_open = (rows["estimate"] == 1) & (rows["low"] < 1)
    return rows.assign(
        estimate=rows["estimate"].mask(is_open),
        reason=rows["reason"].mask(is_open, "unknown answers"),
        reliability=rows["reliability"].mask(is_open, "not estimable"),
    )
