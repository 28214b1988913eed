"""Cleaned rows as a sample: who is analysed, from which stratum and PSU, with what weight; refuses rows of no known town."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from huying.codebook import Codebook, Item
from huying.errors import EstimateError
from huying.estimates import COUNTY, Design, kish
from huying.folder import County
from huying.intervals import Floats, Ints
from huying.store import Cleaned
from huying.weights import base_weights, rake_towns
from huying.words import say

SEXES, AGES = ("male", "female"), ("18-39", "40-59", "60+")
MORE_FORMS, AT_RANDOM = "more_forms_than_listed", "as_if_at_random"
Flags = tuple[str, ...] | None  # that leave a form out; of the county where none are given
NO_PLACE = ""  # the stratum of a survey that did not ask for the town


class Sample(NamedTuple):
    """Respondents of one form and wave that are analysed, their design, and how they were weighted (a row a town)."""

    rows: pd.DataFrame
    design: Design
    diagnostics: pd.DataFrame


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


def group_people(rows: pd.DataFrame, item: Item, categories: Sequence[str]) -> pd.Categorical:
    """Each person's category of sex (options by their key) or of age (such as 18-39 and 60+), missing where the answer is."""
    if item.role == "sex":
        return pd.Categorical(rows[item.id].map({o.code: o.key for o in item.options}), categories=list(categories))
    ends = [*(int(re.split(r"\D", name)[0]) for name in categories), np.inf]
    ages = rows[item.id].to_numpy(dtype=float, na_value=np.nan)
    return pd.cut(ages, ends, right=False, labels=list(categories))


def margin_totals(margins: pd.DataFrame, towns: pd.DataFrame, item: str) -> tuple[list[str], Floats]:
    """The categories of a margin in natural order, and their adults with the shape (towns, categories)."""
    table = margins[margins["item"] == item].pivot(index="town_id", columns="category", values="adults")
    names = sorted(table.columns) if item == "age" else [name for name in SEXES if name in table.columns]
    return names, table.reindex(index=towns["town_id"], columns=names).to_numpy(dtype=float)


def resident_sample(cleaned: Cleaned, county: County, book: Codebook, wave: str, exclude: Flags = None) -> Sample:
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
    roles, design = {item.role: item for item in asked}, Design(town, psu, base, places)
    if margins is None or is_given or towns is None:
        n = np.bincount(town, minlength=len(places))
        named = [COUNTY] if towns is None else places
        table = pd.DataFrame({"place": named, "n": n, "kish": kish(base, town, len(places)), "remark": "", "note": ""})
        usual = {role: names for role, names in (("sex", SEXES), ("age", AGES)) if role in roles}
        if "sex" in roles and not {option.key for option in roles["sex"].options} >= set(SEXES):
            del usual["sex"]
        groups = {role: group_people(rows, roles[role], names) for role, names in usual.items()}
    else:
        counted = {role: margin_totals(margins, towns, role) for role in ("sex", "age")}
        groups = {role: group_people(rows, roles[role], names) for role, (names, _) in counted.items()}
        codes = {role: group.codes.astype(np.int64) for role, group in groups.items()}
        totals, bounds = {role: total for role, (_, total) in counted.items()}, county.thresholds["weight_bounds"]
        design, table = rake_towns(design, codes, totals, bounds, {role: names for role, (names, _) in counted.items()})
    if county.sampling == "probability":  # of any other sample it is said of every interval
        known = np.bincount(town, rows["village_id"].fillna("").ne(""), minlength=len(table)) > 0
        table["remark"] = table["remark"].mask((table["remark"] == "") & ~known & (table["n"] > 0), AT_RANDOM)
    labels = {f"{role}_group": pd.Series(group, rows.index).astype("string") for role, group in groups.items()}
    return Sample(rows.assign(**labels), design, table)


def number_psus(rows: pd.DataFrame) -> Ints:
    """Each row's village as a number; where no village of a town is known, the PSU is the person."""
    where, village = rows["town_id"].astype("string").fillna("").astype(str), rows["village_id"].fillna("").astype(str)
    nowhere = (village == "").groupby(where).transform("all")
    alone = where + "?" + nowhere.map({True: "#", False: ""}) + rows["row_id"].where(nowhere, "")
    return np.unique(where + "/" + village.where(village != "", alone), return_inverse=True)[1].astype(np.int64)


def staff_sample(cleaned: Cleaned, county: County, wave: str, exclude: Flags = None) -> Sample:
    """Staff of a wave: strata = towns, PSU = the person, finite population = staff listed in the register.

    Of a town that lists nobody, or fewer than have sent forms, the population is not known: it counts as without end.
    """
    rows = analysed(cleaned, "staff", wave, county.exclude if exclude is None else exclude)
    towns = cleaned.ledger("towns")
    if towns is None:
        raise EstimateError("samples.no_register")
    town, places = town_codes(rows, towns), tuple(towns["town_id"])
    answers = np.bincount(town, minlength=len(towns)).astype(float)
    listed = towns["staff_listed"].to_numpy(dtype=float, na_value=np.nan)
    forms = cleaned.forms["staff"].query("wave == @wave and disposition == 'complete'")
    sent = forms["town_id"].value_counts().reindex(towns["town_id"]).fillna(0).to_numpy()
    is_over = sent > listed  # then the list is not the one that was asked
    known = np.where((listed > 0) & ~is_over, listed, np.inf)
    weight = np.where(listed > 0, np.maximum(listed, answers) / np.maximum(answers, 1), 1.0)[town]
    design = Design(town, np.arange(len(rows), dtype=np.int64), weight, places, fpc=known)
    table = pd.DataFrame({"place": places, "n": answers.astype(int), "listed": listed, "remark": "", "note": ""})
    for at in np.flatnonzero(is_over):
        note = say("samples.more_forms", n=int(sent[at]), listed=int(listed[at]))
        table.loc[at, ["remark", "note"]] = MORE_FORMS, note
    return Sample(rows, design, table)


def dispositions(cleaned: Cleaned, exclude: tuple[str, ...]) -> pd.DataFrame:
    """How many forms of each form, wave and town ended how, and how many complete ones are left out for their flags."""
    flagged = cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
    parts = [pd.DataFrame(columns=["form", "wave", "town_id", "ending", "n"])]
    for form, rows in cleaned.forms.items():
        is_out = (rows["disposition"] == "complete") & rows["row_id"].isin(flagged)
        ended = rows.assign(form=form, ending=rows["disposition"].astype(str).mask(is_out, "excluded"))
        parts.append(ended.groupby(["form", "wave", "town_id", "ending"], dropna=False).size().reset_index(name="n"))
    return pd.concat(parts[1:] or parts, ignore_index=True)
