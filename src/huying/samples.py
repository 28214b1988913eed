"""Cleaned rows as a sample: who is analysed, from which stratum and PSU, with what weight; refuses rows of no known town."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import Codebook
from huying.errors import EstimateError
from huying.estimates import Design
from huying.folder import County
from huying.store import Cleaned
from huying.weights import base_weights, kish, rake_towns

Ints = npt.NDArray[np.int64]
SEX_CODES = {"male": 1, "female": 2}


@dataclass(frozen=True)
class Sample:
    """Respondents of one form and wave that are analysed, their design, and how they were weighted (a row a town)."""

    rows: pd.DataFrame
    design: Design
    diagnostics: pd.DataFrame
    wave: str
    merged: tuple[str, ...] = ()

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """One column as floats, missing as NaN."""
        return np.asarray(self.rows[name].to_numpy(dtype=float, na_value=np.nan))

    def asked(self, cell: str, *reasons: str) -> npt.NDArray[np.bool_]:
        """Who answered the cell, or gave one of `reasons` (such as does_not_know) for not answering."""
        missing = self.rows[f"{cell}_missing"]
        return np.asarray(missing.isna() | missing.isin(reasons), dtype=bool)


def analysed(cleaned: Cleaned, form: str, wave: str, exclude: tuple[str, ...]) -> pd.DataFrame:
    """Complete forms of one wave whose rows carry none of the flags `exclude`."""
    rows = cleaned.forms[form]
    flagged = cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
    return rows[
        (rows["wave"] == wave) & (rows["disposition"] == "complete") & ~rows["row_id"].isin(flagged)
    ].reset_index(drop=True)


def town_codes(rows: pd.DataFrame, towns: pd.DataFrame) -> Ints:
    """Each row's town as its position in the register; raises EstimateError for a town that is not there."""
    codes = np.asarray(pd.Index(towns["town_id"]).get_indexer(rows["town_id"]), dtype=np.int64)
    if (codes < 0).any():
        raise EstimateError(
            "samples.unknown_town", towns=", ".join(sorted(set(rows["town_id"][codes < 0].astype(str))))
        )
    return codes


def sex_groups(rows: pd.DataFrame, item: str, categories: list[str]) -> Ints:
    """0, 1 for the categories in their order, -1 where the answer is missing."""
    order = {SEX_CODES[name]: place for place, name in enumerate(categories)}
    return np.asarray(rows[item].map(order).fillna(-1), dtype=np.int64)


def age_groups(rows: pd.DataFrame, item: str, categories: list[str]) -> Ints:
    """The place of each age in `categories` such as 18-39 and 60+, -1 where the answer is missing."""
    lows = [int(re.match(r"\d+", name)[0]) for name in categories]  # type: ignore[index]
    age = rows[item].to_numpy(dtype=float, na_value=np.nan)
    groups = np.searchsorted(lows, np.nan_to_num(age, nan=-1), side="right") - 1
    return np.where(np.isnan(age), -1, groups).astype(np.int64)


def margin_totals(margins: pd.DataFrame, towns: pd.DataFrame, item: str) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The categories of a margin in natural order, and their adults with the shape (towns, categories)."""
    table = margins[margins["item"] == item].pivot(index="town_id", columns="category", values="adults")
    names = sorted(table.columns) if item == "age" else [name for name in SEX_CODES if name in table.columns]
    return names, table.reindex(index=towns["town_id"], columns=names).to_numpy(dtype=float)


def resident_sample(
    cleaned: Cleaned, county: County, book: Codebook, wave: str, exclude: tuple[str, ...] | None = None
) -> Sample:
    """Residents of a wave: strata = towns, PSUs = villages, weights raked to town x sex and town x age."""
    rows = analysed(cleaned, "resident", wave, county.exclude if exclude is None else exclude)
    towns, margins = cleaned.ledger("towns"), cleaned.ledger("margins")
    if towns is None:
        raise EstimateError("samples.no_register")
    town = town_codes(rows, towns)
    village = rows["village_id"].fillna("").astype(str)
    village = village.where(village != "", rows["town_id"].astype(str) + "?")
    psu = np.unique(rows["town_id"].astype(str) + "/" + village, return_inverse=True)[1].astype(np.int64)
    base = base_weights(town, psu, towns["adults"].to_numpy(dtype=float))
    if county.sampling != "probability":
        base = np.ones(len(rows))
    if margins is None:
        table = pd.DataFrame(
            {
                "place": towns["town_id"],
                "n": np.bincount(town, minlength=len(towns)),
                "kish": kish(base, town, len(towns)),
            }
        )
        return Sample(rows, Design(town, psu, base, tuple(towns["town_id"])), table, wave)
    roles = {item.role: item.id for item in book.form("resident") if item.role in ("sex", "age")}
    groups, totals = {}, {}
    for item, grouping in (("sex", sex_groups), ("age", age_groups)):
        names, totals[item] = margin_totals(margins, towns, item)
        groups[item] = grouping(rows, roles[item], names)
    low, high = county.thresholds["weight_bounds"]
    raked = rake_towns(town, base, groups, totals, list(towns["town_id"]), (low, high))
    design = Design(town, psu, raked.weight, tuple(towns["town_id"]), margins=raked.margins, base=base)
    return Sample(
        rows.assign(age_group=groups["age"], sex_group=groups["sex"]), design, raked.diagnostics, wave, raked.merged
    )


def staff_sample(cleaned: Cleaned, county: County, wave: str) -> Sample:
    """Staff of a wave: strata = towns, PSU = the person, finite population = staff listed in the register."""
    rows = analysed(cleaned, "staff", wave, county.exclude)
    towns = cleaned.ledger("towns")
    if towns is None:
        raise EstimateError("samples.no_register")
    town = town_codes(rows, towns)
    answers = np.bincount(town, minlength=len(towns)).astype(float)
    listed = np.maximum(towns["staff_listed"].to_numpy(dtype=float, na_value=np.nan), answers)
    listed = np.where(np.isnan(listed), np.inf, listed)
    weight = np.where(np.isinf(listed), 1.0, listed / np.maximum(answers, 1))[town]
    design = Design(town, np.arange(len(rows), dtype=np.int64), weight, tuple(towns["town_id"]), fpc=listed)
    return Sample(
        rows, design, pd.DataFrame({"place": towns["town_id"], "n": answers.astype(int), "listed": listed}), wave
    )


def stack(first: Sample, second: Sample) -> Sample:
    """Two waves of one survey as one sample whose shared villages are shared PSUs, so that changes keep their covariance."""
    rows = pd.concat([first.rows, second.rows], ignore_index=True)
    names = rows["town_id"].astype(str) + "/" + rows["village_id"].fillna("").astype(str)
    psu = np.unique(names, return_inverse=True)[1].astype(np.int64)
    parts = (first.design, second.design)
    shift = [int(m.max(initial=-1)) + 1 for m in first.design.margins]
    margins = tuple(np.concatenate([a, b + s]) for a, b, s in zip(*(p.margins for p in parts), shift, strict=True))
    weight, stratum = (np.concatenate([getattr(p, name) for p in parts]) for name in ("weight", "stratum"))
    base = np.concatenate([p.weight if p.base is None else p.base for p in parts])
    design = Design(stratum, psu, weight, first.design.places, margins=margins, base=base)
    return Sample(rows, design, second.diagnostics, f"{first.wave}-{second.wave}")


def dispositions(cleaned: Cleaned, exclude: tuple[str, ...]) -> pd.DataFrame:
    """How many forms of each form, wave and town ended how, and how many complete ones are left out for their flags."""
    flagged = cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
    parts: list[Mapping[str, object]] = []
    for form, rows in cleaned.forms.items():
        ending = (
            rows["disposition"]
            .astype(str)
            .mask((rows["disposition"] == "complete") & rows["row_id"].isin(flagged), "excluded")
        )
        for (wave, town, how), n in (
            rows.assign(ending=ending).groupby(["wave", "town_id", "ending"], dropna=False).size().items()
        ):
            parts.append({"form": form, "wave": wave, "town_id": town, "ending": how, "n": n})
    return pd.DataFrame(parts, columns=["form", "wave", "town_id", "ending", "n"])
