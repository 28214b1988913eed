"""A fact is one row of an estimates frame tied to a claim; refuses nothing, it only names things."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from huying.claims import FORM_NAMES, claims_of
from huying.codebook import Codebook
from huying.estimates import COUNT, COUNTY, EXACT, korn_graubard
from huying.folder import County
from huying.samples import Sample
from huying.store import Cleaned
from huying.workdays import Calendar

FACT = ("claim", "sub", "period", "wave", "place", "estimate", "low", "high", "se", "n", "n_eff", "df", "deff", "method",
        "reliability", "reason", "remark")  # fmt: skip


@dataclass(frozen=True)
class Study:
    """All that a problem reads: the county, its cleaned data, and its samples by (form, wave)."""

    county: County
    cleaned: Cleaned
    book: Codebook
    calendar: Calendar
    samples: Mapping[tuple[str, str], Sample]

    @property
    def towns(self) -> pd.DataFrame:
        """The register of towns."""
        return self.cleaned.ledger("towns")

    def waves(self, form: str) -> list[str]:
        """The waves of a form, oldest first."""
        return sorted(wave for name, wave in self.samples if name == form)


@dataclass
class Found:
    """What a problem found: facts by claim, the tables behind the charts, and claims that lack their data."""

    facts: list[pd.DataFrame] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, claim: str, frame: pd.DataFrame, sub: str = "", period: str = "", **columns: Any) -> None:
        """Tie the rows of `frame` to `claim`."""
        given = {"claim": claim, "sub": sub, "period": period, **columns}
        self.facts.append(
            frame.assign(**{k: v for k, v in given.items() if k not in frame or k in ("claim", *columns)})
        )

    def frame(self) -> pd.DataFrame:
        """All facts with the columns FACT, blanks filled."""
        filled = [fact.reindex(columns=list(FACT)) for fact in self.facts if len(fact)]
        table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(FACT))
        text = ["claim", "sub", "period", "wave", "place", "method", "reliability", "reason", "remark"]
        return table.assign(**{name: table[name].astype(object).fillna("").astype(str) for name in text})


def lacking(study: Study, needs: Iterable[str]) -> str:
    """The first of `needs` (ledgers, or forms by the names of FORM_NAMES) that the county does not have, else empty."""
    tables = {table for table, _ in study.cleaned.ledgers}
    has = (name in tables if name not in FORM_NAMES else FORM_NAMES[name] in study.cleaned.forms for name in needs)
    return next((name for name, there in zip(needs, has, strict=True) if not there), "")


def find_each(study: Study, finders: Mapping[str, Callable[[Study, Found], None]]) -> Found:
    """The facts of a problem whose claims each have a finder; a claim that lacks what it needs is not looked for."""
    found, claims = Found(), claims_of(study.county)
    for claim, finder in finders.items():
        if missing := lacking(study, claims[claim].needs):
            found.missing[claim] = missing
        else:
            finder(study, found)
    return found


def counted(
    places: Iterable[str], k: Any, n: Any, *, exact: bool = True, reason: str = "no eligible case"
) -> pd.DataFrame:
    """Shares k/n of complete lists, one a place; `exact` adds the Clopper-Pearson interval of the process behind them."""
    hits, cases = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    share = np.divide(hits, cases, out=np.full(len(cases), np.nan), where=cases > 0)
    low, high = korn_graubard(share, cases) if exact else (share, share)
    return pd.DataFrame({
        "place": list(places), "estimate": share, "low": low, "high": high, "n": cases, "n_eff": cases,
        "method": EXACT if exact else COUNT, "reliability": np.where(cases > 0, "ok", "not estimable"),
        "reason": np.where(cases > 0, "", reason),
    })  # fmt: skip


def values(places: Iterable[str], value: Any, n: Any, **columns: Any) -> pd.DataFrame:
    """Numbers of complete lists that are no shares (indices, months), one a place."""
    number = np.asarray(value, dtype=float)
    return pd.DataFrame({"place": list(places), "estimate": number, "low": number, "high": number, "n": n, "method": COUNT,
                         "reliability": "ok", "reason": np.where(np.isnan(number), "no eligible case", ""), **columns})  # fmt: skip


def by_town(study: Study, flags: pd.Series, town: pd.Series) -> pd.DataFrame:
    """Counted shares of a true/false column by town, every town of the register present, and the county."""
    ids = list(study.towns["town_id"])
    k, n = (flags.groupby(town).agg(how).reindex(ids, fill_value=0).to_numpy(dtype=float) for how in ("sum", "count"))
    return pd.concat([counted(ids, k, n), counted([COUNTY], [flags.sum()], [flags.count()])], ignore_index=True)


def unsaid(places: Sequence[str], reason: str) -> pd.DataFrame:
    """Rows without a number, one a place, and why there is none."""
    return values(places, np.full(len(places), np.nan), 0, reason=reason, reliability="not estimable")


def needed(study: Study, table: str) -> pd.DataFrame:
    """The rows of a ledger that the claim at hand needs: without it the claim is not looked for."""
    rows = study.cleaned.ledger(table)
    assert rows is not None
    return rows


def periods_of(study: Study, table: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each period of a ledger (empty where it has none) with its rows."""
    return ((period, rows) for (name, period), rows in sorted(study.cleaned.ledgers.items()) if name == table)
