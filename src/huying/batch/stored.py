"""A county too large for memory: cleaned onto a shelf, weighted and estimated from a few stored columns; refuses ledgers' claims.

Towns are strata: weights are raked within a town, and variances add over towns. So a bucket of towns is weighted by itself,
and only what an estimate needs of it is kept: stratum, PSU, weight, margins and the indicators, some 70 bytes a respondent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.batch.intake import Intake
from huying.codebook import Codebook, house_codebook, names_in
from huying.estimates import Design, estimate_shares
from huying.folder import County
from huying.indicators import Indicator, indicators_of
from huying.samples import resident_sample
from huying.shelf import Shelf
from huying.sources.parts import ROWS
from huying.store import Cleaned, load_cleaned, read_groups, save_cleaned

HEAD = ("row_id", "wave", "town_id", "village_id", "disposition")


def clean_stored(
    county: County, folder: Path, tick: Callable[[str], None] = lambda name: None, rows: int = ROWS
) -> Cleaned:
    """The county cleaned into `folder`, whose `forms` are on the disk alone: `save_cleaned`'s files, made in parts."""
    with Shelf(folder) as shelf:
        cleaned = Intake(county, tick=tick, shelf=shelf, rows=rows).run()
        save_cleaned(folder, cleaned)
        shelf.write(folder / "forms")
    return cleaned


@dataclass(frozen=True)
class Kept:
    """What estimates need of a sample: its design, its weights' diagnostics, and each indicator (1, 0, -1 = not in the base)."""

    design: Design
    diagnostics: pd.DataFrame
    values: dict[str, npt.NDArray[np.int8]]


def estimate_stored(county: County, folder: Path, wave: str, rows: int = ROWS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares of all indicators of residents in a wave by town and for the county, and the weights' diagnostics.

    `folder` is as `clean_stored` left it. The same numbers as of a sample in memory.
    """
    book = house_codebook()
    found = {key: own for key, own in indicators_of(county, book).items() if own.form == "resident"}
    register, fewest = load_cleaned(folder, forms=False), county.thresholds["fewest_residents"]
    kept = joined(
        list(samples_of(county, register, folder, wave, book, found, rows)),
        list(register.ledgers["towns", ""]["town_id"]),
    )
    shares = []
    for key, value in kept.values.items():
        indicator = pd.DataFrame({key: np.where(value < 0, np.nan, value)})
        shares.append(estimate_shares(kept.design, indicator, wave=wave, fewest=fewest))
    return pd.concat(shares, ignore_index=True), kept.diagnostics


def samples_of(
    county: County, register: Cleaned, folder: Path, wave: str, book: Codebook, found: dict[str, Indicator], rows: int
) -> Iterator[Kept]:
    """The samples of the buckets of towns, one after the other."""
    left_out, towns = register.flags[register.flags["flag"].isin(county.exclude)], register.ledgers["towns", ""]
    for bucket in read_groups(folder / "forms" / "resident.parquet", columns_of(book, found), rows):
        here = bucket.loc[bucket["wave"] == wave, "town_id"].unique()
        ledgers = {**register.ledgers, ("towns", ""): towns[towns["town_id"].isin(here)].reset_index(drop=True)}
        part = replace(register, forms={"resident": bucket}, ledgers=ledgers, flags=left_out)
        if len(ledgers["towns", ""]):
            sample = resident_sample(part, county, book, wave)
            values = {key: as_codes(indicator.of(sample, book)) for key, indicator in found.items()}
            yield Kept(sample.design, sample.diagnostics, values)


def columns_of(book: Codebook, found: dict[str, Indicator]) -> list[str]:
    """The stored columns that weights and indicators read."""
    rules = [rule for own in found.values() for rule in (own.when, own.base)]
    names = {name for rule in rules for name in names_in(rule)}
    names |= {item.id for item in book.form("resident") if item.role in ("sex", "age")}
    items = [book.item_of(name) for name in sorted(names)]
    missing = {
        f"{item.id if item.type == 'multi' else name}_missing" for name, item in zip(sorted(names), items, strict=True)
    }
    return [*HEAD, *sorted(names | missing)]


def as_codes(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """An indicator in a byte a person, -1 where it is missing."""
    return np.where(np.isnan(values), -1, values).astype(np.int8)


def joined(parts: Sequence[Kept], places: list[str]) -> Kept:
    """The samples of all buckets as one of the county, whose strata are `places`."""
    design = join_designs([part.design for part in parts], places)
    values = {key: np.concatenate([part.values[key] for part in parts]) for key in parts[0].values}
    diagnostics = pd.concat([part.diagnostics for part in parts], ignore_index=True)
    order = diagnostics.set_index("place").reindex(places).reset_index()
    return Kept(design, order, values)


def join_designs(parts: Sequence[Design], places: list[str]) -> Design:
    """Designs of different strata as one of the strata `places`, some of which may have no unit."""
    index, n_psu = pd.Index(places), np.cumsum([0, *(len(part.owner) for part in parts)])
    stratum = [index.get_indexer(part.places)[part.stratum] for part in parts]
    psu = [part.psu + before for part, before in zip(parts, n_psu, strict=False)]
    margins = []
    for columns in zip(*(part.margins for part in parts), strict=True):
        before = np.cumsum([0, *(int(column.max(initial=-1)) + 1 for column in columns)])
        margins.append(np.concatenate([column + n for column, n in zip(columns, before, strict=False)]))
    weight, base = (np.concatenate([part.weight if name == "weight" or part.base is None else part.base for part in parts])
                    for name in ("weight", "base"))  # fmt: skip
    has_base = parts[0].base is not None
    return Design(np.concatenate(stratum), np.concatenate(psu), weight, tuple(places), margins=tuple(margins),
                  base=base if has_base else None)  # fmt: skip
