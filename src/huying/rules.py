"""What must hold between the columns or the rows of a ledger: each rule names the rows that break it and explains itself.

Refuses to choose between two rows that contradict each other: both are set aside.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from huying.words import say

SLACK = 0.005 + 1e-9  # shares printed with two digits may miss their sum by half a per cent
Known = Mapping[str, Collection[str]]  # the ids that other ledgers hold, by ledger


@dataclass(frozen=True)
class Rule(ABC):
    """What must hold; `reason` is that of the rows set aside, told at `column`."""

    reason: str

    @abstractmethod
    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """What each broken row holds, by its line in the file."""

    def describe(self, lang: str, titles: Mapping[str, str]) -> str:
        """The rule in words; `titles` are those of the columns and, for rules that look into another ledger, of the ledgers."""
        values = {name: _in_words(value, titles) for name, value in vars(self).items()}
        return say(f"contract.rule_{type(self).__name__.lower()}", lang, **values)


@dataclass(frozen=True)
class AtMost(Rule):
    """`column`, a part, may not be larger than `whole` in the same row; a blank on either side breaks nothing."""

    column: str
    whole: str

    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """What each broken row holds, such as `5 > 3`, by its line in the file."""
        out = rows[(rows[self.column] > rows[self.whole]).fillna(False).astype(bool)]
        return out[self.column].map(_short).astype(str) + " > " + out[self.whole].map(_short).astype(str)


@dataclass(frozen=True)
class SumTo(Rule):
    """The columns of one row add to `total`."""

    columns: tuple[str, ...]
    total: float

    @property
    def column(self) -> str:
        return self.columns[0]

    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """The sum that each broken row gives, such as `0.35 + 0.68 = 1.03`, by its line in the file."""
        parts = rows[list(self.columns)]
        out = parts[(parts.sum(axis=1, skipna=False) - self.total).abs() > SLACK]
        return pd.Series(map(_sum_of, out.to_numpy()), index=out.index, dtype=object)


@dataclass(frozen=True)
class GroupSum(Rule):
    """The values of `column` that are given for one `key` add to `total`, in all or from each date in `dated` on.

    One wrong share makes all rows of its key doubtful, so all are set aside. A key without any value breaks nothing.
    """

    key: str
    column: str
    total: float
    dated: str

    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """The sum that the key of each broken row gives, by the row's line in the file."""
        found: dict[object, str] = {}
        for key, own in rows.groupby(self.key):
            given = own[own[self.column].notna()]
            by_date = given.groupby(self.dated, dropna=False)[self.column].sum()
            off = [(sums - self.total).abs() > SLACK for sums in (given[self.column].agg(["sum"]), by_date)]
            if len(given) and all(far.any() for far in off):
                found |= dict.fromkeys(own.index, f"{key}: {_sum_of(given[self.column])}")
        return pd.Series(found, dtype=object)


@dataclass(frozen=True)
class OnePlace(Rule):
    """An id in `column` stands at one `place` only: otherwise nobody knows at which, and all its rows are set aside.

    It is asked before the key of the table, which would keep the row that happens to come first.
    """

    column: str
    place: str

    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """The key and its places, joined by commas, by the line of each broken row."""
        sure = rows.dropna(subset=[self.column, self.place])
        places = sure.groupby(self.column)[self.place].agg(lambda found: ", ".join(sorted(set(found))))
        shown = sure[self.column] + ": " + sure[self.column].map(places)
        return shown[sure.groupby(self.column)[self.place].transform("nunique") > 1]


@dataclass(frozen=True)
class InLedger(Rule):
    """`column` holds only ids that `ledger` has under `of`; nothing is asked where the county has no such ledger."""

    column: str
    ledger: str
    of: str

    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """The id that the other ledger lacks, by the line of each broken row."""
        if self.ledger not in known:
            return pd.Series(dtype=object)
        cells = rows[self.column]
        return cells[cells.notna() & ~cells.isin(list(known[self.ledger]))].astype(object)


AnyRule = AtMost | SumTo | GroupSum | OnePlace | InLedger


def _in_words(value: Any, titles: Mapping[str, str]) -> str:
    if isinstance(value, tuple):
        return " + ".join(titles[name] for name in value)
    return titles.get(value, value) if isinstance(value, str) else _short(value)


def _short(number: float) -> str:
    return f"{float(number):.4g}"


def _sum_of(values: Collection[float]) -> str:
    return f"{' + '.join(map(_short, values))} = {_short(sum(values))}"
