"""Cleaned rows as a sample: who is analysed, from which stratum and PSU, with what weight; refuses rows of no known town."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from huying.codebook import Codebook, Item
from huying.errors import EstimateError
from huying.estimates import COUNTY, Design, Floats, Ints, kish
from huying.folder import County
from huying.store import Cleaned
from huying.weights import base_weights, rake_towns

SEXES, AGES = ("male", "female"), ("18-39", "40-59", "60+")
NO_PLACE = ""  # the stratum of a survey that did not ask for the town


@dataclass(frozen=True)
class Sample:
    """Respondents of one form and wave that are analysed, their design, and how they were weighted (a row a town)."""

    rows: pd.DataFrame
    design: Design
    diagnostics: pd.DataFrame
    wave: str


def analysed(cleaned: Cleaned, form: str, wave: str, exclude: tuple[str, ...]) -> pd.DataFrame:
    """Complete forms of one wave whose rows carry none of the flags `exclude`."""
    rows = cleaned.forms[form]
    flagged = cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
    is_in = (rows["wave"] == wave) & (rows["disposition"] == "complete") & ~rows["row_id"].isin(flagged)
    return rows[is_in].reset_index(drop=True)


def town_codes(rows: pd.DataFrame, towns: pd.DataFrame) -> Ints:
    """Each row's town as its position in the register; raises EstimateError for a town that is not there."""
    codes = np.asarray(pd.Index(towns["town_id"]).get_indexer(rows["town_id"]), dtype=np.int64)
    if (codes < 0).any():
        unknown = sorted(set(rows["town_id"][codes < 0].astype(str)))
        raise EstimateError("samples.unknown_town", towns=", ".join(unknown))
    return codes


def sex_groups(rows: pd.DataFrame, item: Item, categories: list[str]) -> Ints:
    """0, 1 for the categories in their order, -1 where the answer is missing."""
    codes = {option.key: option.code for option in item.options}
    order = {codes[name]: place for place, name in enumerate(categories)}
    return np.asarray(rows[item.id].map(order).fillna(-1), dtype=np.int64)


def age_groups(rows: pd.DataFrame, item: Item, categories: list[str]) -> Ints:
    """The place of each age in `categories` such as 18-39 and 60+, -1 where the answer is missing."""
    lows = [int(re.match(r"\d+", name)[0]) for name in categories]  # type: ignore[index]
    age = rows[item.id].to_numpy(dtype=float, na_value=np.nan)
    groups = np.searchsorted(lows, np.nan_to_num(age, nan=-1), side="right") - 1
    return np.where(np.isnan(age), -1, groups).astype(np.int64)


def margin_totals(margins: pd.DataFrame, towns: pd.DataFrame, item: str) -> tuple[list[str], Floats]:
    """The categories of a margin in natural order, and their adults with the shape (towns, categories)."""
    table = margins[margins["item"] == item].pivot(index="town_id", columns="category", values="adults")
    names = sorted(table.columns) if item == "age" else [name for name in SEXES if name in table.columns]
    return names, table.reindex(index=towns["town_id"], columns=names).to_numpy(dtype=float)


def resident_sample(
    cleaned: Cleaned, county: County, book: Codebook, wave: str, exclude: tuple[str, ...] | None = None
) -> Sample:
    """Residents of a wave: strata = towns, PSUs = villages, weights raked to town x sex and town x age."""
    rows = analysed(cleaned, "resident", wave, county.exclude if exclude is None else exclude)
    towns, margins = cleaned.ledger("towns"), cleaned.ledger("margins")
    if towns is None and rows["town_id"].notna().any():
        raise EstimateError("samples.no_register")
    towns = None if rows["town_id"].isna().all() else towns  # nobody was asked for the town: one stratum without a name
    places = (NO_PLACE,) if towns is None else tuple(towns["town_id"])
    town = np.zeros(len(rows), dtype=np.int64) if towns is None else town_codes(rows, towns)
    psu, base = number_psus(rows), np.ones(len(rows))
    is_given = "given_weight" in rows
    if is_given:
        base = rows["given_weight"].to_numpy(dtype=float)
    elif county.sampling == "probability" and towns is not None and towns["adults"].notna().all():
        base = base_weights(town, psu, towns["adults"].to_numpy(dtype=float))
    asked = [item for item in book.form("resident") if item.role == "sex" or (item.role == "age" and not item.options)]
    roles = {item.role: item for item in asked}
    if margins is None or is_given or towns is None:
        n = np.bincount(town, minlength=len(places))
        named = [COUNTY] if towns is None else places
        table = pd.DataFrame({"place": named, "n": n, "kish": kish(base, town, len(places))})
        return Sample(group_people(rows, roles), Design(town, psu, base, places), table, wave)
    groups, totals, labels = dict[str, Ints](), dict[str, Floats](), dict[str, pd.Series]()
    for item, grouping in (("sex", sex_groups), ("age", age_groups)):
        names, totals[item] = margin_totals(margins, towns, item)
        groups[item] = grouping(rows, roles[item], names)
        labels[f"{item}_group"] = name_groups(groups[item], names)
    low, high = county.thresholds["weight_bounds"]
    raked = rake_towns(town, base, groups, totals, list(towns["town_id"]), (low, high))
    design = Design(town, psu, raked.weight, tuple(towns["town_id"]), margins=raked.margins, base=base)
    return Sample(rows.assign(**labels), design, raked.diagnostics, wave)


def number_psus(rows: pd.DataFrame) -> Ints:
    """Each row's village as a number; where no village of a town is known, the PSU is the person."""
    where, village = rows["town_id"].astype("string").fillna("").astype(str), rows["village_id"].fillna("").astype(str)
    nowhere = (village == "").groupby(where).transform("all")
    alone = where + "?" + nowhere.map({True: "#", False: ""}) + rows["row_id"].where(nowhere, "")
    return np.unique(where + "/" + village.where(village != "", alone), return_inverse=True)[1].astype(np.int64)


def group_people(rows: pd.DataFrame, roles: Mapping[str, Item]) -> pd.DataFrame:
    """The rows with sex_group and age_group as margins would have them, where the form asks for sex and age in years."""
    named = {}
    if "sex" in roles and {option.key for option in roles["sex"].options} >= set(SEXES):
        named["sex_group"] = name_groups(sex_groups(rows, roles["sex"], list(SEXES)), list(SEXES))
    if "age" in roles:
        named["age_group"] = name_groups(age_groups(rows, roles["age"], list(AGES)), list(AGES))
    return rows.assign(**named)


def name_groups(codes: Ints, names: list[str]) -> pd.Series:
    """Codes as the names of their categories, missing where the code is -1."""
    return pd.Series([names[code] if code >= 0 else None for code in codes], dtype="string")


def staff_sample(cleaned: Cleaned, county: County, wave: str, exclude: tuple[str, ...] | None = None) -> Sample:
    """Staff of a wave: strata = towns, PSU = the person, finite population = staff listed in the register."""
    rows = analysed(cleaned, "staff", wave, county.exclude if exclude is None else exclude)
    towns = cleaned.ledger("towns")
    if towns is None:
        raise EstimateError("samples.no_register")
    town = town_codes(rows, towns)
    answers = np.bincount(town, minlength=len(towns)).astype(float)
    listed = np.maximum(towns["staff_listed"].to_numpy(dtype=float, na_value=np.nan), answers)
    listed = np.where(np.isnan(listed), np.inf, listed)
    weight = np.where(np.isinf(listed), 1.0, listed / np.maximum(answers, 1))[town]
    design = Design(town, np.arange(len(rows), dtype=np.int64), weight, tuple(towns["town_id"]), fpc=listed)
    table = pd.DataFrame({"place": towns["town_id"], "n": answers.astype(int), "listed": listed})
    return Sample(rows, design, table, wave)


def dispositions(cleaned: Cleaned, exclude: tuple[str, ...]) -> pd.DataFrame:
    """How many forms of each form, wave and town ended how, and how many complete ones are left out for their flags."""
    flagged = cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
    parts = [pd.DataFrame(columns=["form", "wave", "town_id", "ending", "n"])]
    for form, rows in cleaned.forms.items():
        is_out = (rows["disposition"] == "complete") & rows["row_id"].isin(flagged)
        ended = rows.assign(form=form, ending=rows["disposition"].astype(str).mask(is_out, "excluded"))
        counts = ended.groupby(["form", "wave", "town_id", "ending"], dropna=False).size()
        parts.append(counts.reset_index(name="n"))
    return pd.concat(parts[1:] or parts, ignore_index=True)
