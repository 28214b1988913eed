"""Counts and numbers of complete lists by town and period, as rows that can be judged; refuses to drop a town without a case."""

from typing import Any

import numpy as np
import pandas as pd

from huying.counted import NO_CASE, bounded, counted, tally, values
from huying.estimates import COUNTY


class Counting:
    """What an open county does with its lists.

    `key`: by which its words are found; `town_ids`, `departments`: the ids of its registers in their order.
    """

    key: str
    town_ids: list[str]
    departments: list[str]

    def count(
        self, rows: pd.DataFrame, flag: Any, by: str | None = "town", exact: bool = False, reason: str = ""
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
        made.attrs |= rows.attrs
        return self._labelled(made)

    def proportion(self, k: pd.Series, n: pd.Series, exact: bool = False, period: str = "") -> pd.DataFrame:
        """Shares k/n of complete lists from their totals, a row a place (the index of both)."""
        made = counted(k.index.astype(str), k.to_numpy(dtype=float), n.to_numpy(dtype=float), exact=exact)
        return self._labelled(made.assign(period=period, wave="", measure=str(k.name or "")))

    def values(
        self, series: Any, n: Any = 1, period: str = "", wave: str = "", reason: str = "", **columns: Any
    ) -> pd.DataFrame:
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
        return self._labelled(values(places, numbers, size, reason or NO_CASE, period=period, wave=wave, **columns))

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows.attrs["labels"] = self.key
        return rows
