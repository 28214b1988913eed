"""Weights that make each town's respondents stand for its adults, and cleaned rows as a sample; refuses rows of no known town.

A town whose margins cannot be met within the bounds has no weights of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from huying.codebook import Codebook, Item
from huying.design import Design, kish
from huying.estimates import COUNTY
from huying.folder import County
from huying.intervals import Bools, Floats, Ints
from huying.store import Cleaned
from huying.words import EstimateError, say

Margin = tuple[Ints, Floats]  # each unit's category (a code) and each category's total
Bounds = tuple[float, float]
Names = Mapping[str, Sequence[str]] | None  # of the categories of each margin
FEWEST, SWEEPS, CLOSE = 5, 500, 1e-10
BOUNDS = (0.1, 10.0)  # of the factor by which a weight is changed, over its mean
UNWEIGHTED = "unweighted"
TOLD = ["merged", "remark", "note"]


def base_weights(town: Ints, village: Ints, town_adults: Floats) -> Floats:
    """Inverse inclusion probabilities for villages drawn with probability proportional to adults, then equal numbers.

    With k villages of a town in the sample and m answers in a village, pi = (k a_v / A) (m / a_v) = k m / A;
    the weight is A / (k m). Arrays are one a respondent; `town_adults` one a town.
    """
    answers, pairs = np.bincount(village)[village], np.unique(np.column_stack([town, village]), axis=0)
    return town_adults[town] / (np.bincount(pairs[:, 0])[town] * answers)


def rake(weight: Floats, margins: dict[str, Margin], bounds: Bounds = BOUNDS) -> tuple[Floats, int, float]:
    """Weights that meet every margin's totals, the sweeps it took, and the largest gap left (Deming and Stephan 1940).

    Raises EstimateError when a category has a total and no respondent or respondents and no total, or when the totals
    cannot be met with factors within `bounds` times the mean factor.
    """
    for name, (category, total) in margins.items():
        if not np.isfinite(total).all():
            raise EstimateError("weights.no_total", margin=name)
        n = np.bincount(category, minlength=len(total))
        _refuse("nobody_there", name, (total <= 0) & (n > 0), n)
        _refuse("empty_category", name, (total > 0) & (n == 0), n)
    raked, named, worst, sweep = weight.astype(float), ", ".join(margins), np.inf, 0
    while worst >= CLOSE:
        if sweep == SWEEPS:
            raise EstimateError("weights.no_convergence", margin=named, worst=f"{worst:.2g}")
        worst, sweep = 0.0, sweep + 1
        for category, total in margins.values():
            sums = np.bincount(category, raked, minlength=len(total))
            factor = np.divide(total, sums, out=np.ones(len(sums)), where=sums > 0)
            worst, raked = max(worst, float(np.abs(factor - 1).max(initial=0.0))), raked * factor[category]
    relative = raked / weight / np.mean(raked / weight) if len(raked) else np.ones(1)
    least, most = relative.min(), relative.max()
    if least < bounds[0] or most > bounds[1]:
        ends = {"low": bounds[0], "high": bounds[1], "least": f"{least:.3g}", "most": f"{most:.3g}"}
        raise EstimateError("weights.out_of_bounds", margin=named, **ends)
    return raked, sweep, worst


def _refuse(key: str, margin: str, is_bad: Bools, n: Ints) -> None:
    """Raise EstimateError for the first bad category of a margin, with the number of its respondents."""
    if is_bad.any():
        at = int(np.flatnonzero(is_bad)[0])
        raise EstimateError(f"weights.{key}", margin=margin, category=at, n=int(n[at]))


def merge_small(category: Ints, total: Floats, groups: int, fewest: int = FEWEST) -> tuple[Ints, Floats, list[int]]:
    """One town's categories after each with fewer than `fewest` respondents has joined its neighbour.

    `category` holds 0..groups-1 in natural order; returns new codes (the code of the group that took it in), totals of
    the groups (0 for a group that has gone) and the list of merged groups.
    """
    target, merged, total = np.arange(groups), list[int](), total.astype(float)
    while True:
        counts, alive = np.bincount(target[category], minlength=groups), np.unique(target)
        small = [g for g in alive if counts[g] < fewest]
        if not small or len(alive) == 1:
            return target[category], total, merged
        into = alive[at - 1] if (at := list(alive).index(small[0])) else alive[1]
        total[into], total[small[0]] = total[into] + total[small[0]], 0.0
        target[target == small[0]] = into
        merged.append(int(small[0]))


def town_margin(group: Ints, totals: Floats, fewest: int = FEWEST) -> tuple[Margin, list[int]]:
    """One town's margin over its respondents, and the groups merged.

    `group` is 0..G-1, or -1 where the answer is missing: such a person keeps the town's mean factor, for they form a
    category of their own (G) whose total is their share of the town's respondents. `totals` has the length G.
    """
    known, groups = group >= 0, len(totals)
    unknown = 1 - known.mean()
    codes, sums, merged = merge_small(group[known], totals, groups, fewest)
    category = np.full(len(group), groups, dtype=np.int64)
    category[known] = codes
    return (category, np.append(sums * (1 - unknown), totals.sum() * unknown)), merged


def rake_town(base: Floats, groups: dict[str, Ints], totals: dict[str, Floats], bounds: Bounds) -> tuple[Any, ...]:
    """One town's weights, the sweeps, the gap left, its margins as met, and what was merged.

    Where the factors would leave the bounds, thin categories are merged (under 5, then 10, then 20 respondents) before
    EstimateError is raised.
    """
    for name, group in groups.items():  # no merging may hide it
        n = np.bincount(group[group >= 0], minlength=len(totals[name]))
        _refuse("nobody_there", name, (totals[name] <= 0) & (n > 0), n)
    for fewest in (FEWEST, 2 * FEWEST, 4 * FEWEST):
        made = {name: town_margin(group, totals[name], fewest) for name, group in groups.items()}
        margins = {name: margin for name, (margin, _) in made.items()}
        try:
            raked = rake(base, margins, bounds)
            break
        except EstimateError:
            if fewest == 4 * FEWEST:
                raise
    return *raked, margins, [f"{name} {g}" for name, (_, merged) in made.items() for g in merged]


def scale_totals(totals: dict[str, Floats]) -> tuple[dict[str, Floats], str]:
    """One town's margins with the sum of the first, where they differ by rounding alone, and what was done in words."""
    sums = {name: float(total.sum()) for name, total in totals.items()}
    first, *others = sums.values()
    # Two counts of one town's adults may differ by so much; then they are scaled to each other
    if not 1e-9 * first < max((abs(other - first) for other in others), default=0.0) <= 0.005 * first:
        return totals, ""
    told = {"margin": ", ".join(totals), "sums": ", ".join(f"{one:g}" for one in sums.values())}
    return {name: total * first / sums[name] for name, total in totals.items()}, say("weights.scaled", **told)


def rake_towns(
    design: Design, groups: dict[str, Ints], totals: dict[str, Floats], bounds: Bounds = BOUNDS, names: Names = None
) -> tuple[Design, pd.DataFrame]:
    """The design with its prior weights raked to town x each of `groups` (such as sex and age), and how it went, a row a town.

    `totals` holds an array of shape (towns, categories) for each group, `names` the categories' names. A town whose margins
    cannot be met keeps its prior weights, times what makes them stand for its adults where these are known (else as the
    other towns' do): its `remark` is UNWEIGHTED, its `note` says why. Margins that differ by rounding are scaled to the first.
    """
    base, weight, rows = design.prior, design.prior.copy(), []
    codes = {name: np.zeros(len(base), dtype=np.int64) for name in groups}
    for town, place in enumerate(design.places):
        here = np.flatnonzero(design.stratum == town)
        if not len(here):
            rows.append((place, 0, 0, np.nan, np.nan, np.nan, "", "", ""))
            continue
        own = {name: group[here] for name, group in groups.items()}
        (wanted, note), remark = scale_totals({name: total[town] for name, total in totals.items()}), ""
        try:
            weight[here], sweeps, worst, margins, gone = rake_town(base[here], own, wanted, bounds)
        except EstimateError as error:
            remark, note = UNWEIGHTED, say_fault(error, names)
            adults = next((total.sum() for total in wanted.values() if total.sum() > 0), np.nan)
            weight[here], sweeps, worst, gone = base[here] / base[here].sum() * adults, 0, np.nan, []
            margins = {name: (np.zeros(len(here), dtype=np.int64), total) for name, total in wanted.items()}
        for name, (category, _) in margins.items():
            codes[name][here] = town * (totals[name].shape[1] + 1) + category
        factor = weight[here] / base[here] / np.mean(weight[here] / base[here])
        rows.append((place, len(here), sweeps, factor.min(), factor.max(), worst, ", ".join(gone), remark, note))
    lost = np.isnan(weight)
    weight[lost] = base[lost] * (weight[~lost].sum() / base[~lost].sum() if (~lost).any() else 1.0)
    frame = pd.DataFrame(rows, columns=["place", "n", "sweeps", "factor_min", "factor_max", "worst_margin", *TOLD])
    frame.insert(2, "kish", kish(weight, design.stratum, len(design.places)))
    return replace(design, weight=weight, margins=tuple(codes.values()), base=base), frame


def say_fault(error: EstimateError, names: Names) -> str:
    """Why margins could not be met, with the category by its name."""
    known = (names or {}).get(str((told := dict(error.values)).get("margin")), ())
    if "category" in told and int(told["category"]) < len(known):
        told["category"] = known[int(told["category"])]
    return EstimateError(error.key, **told).say()


# --- cleaned rows as a sample -----------------------------------------------------------------------------------------

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
    rows, flagged = cleaned.forms[form], cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
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
        keys = {option.code: option.key for option in item.options if option.key in categories}
        return pd.Categorical(rows[item.id].map(keys), categories=list(categories))
    ends = [*(int(re.split(r"\D", name)[0]) for name in categories), np.inf]
    return pd.cut(rows[item.id].to_numpy(dtype=float, na_value=np.nan), ends, right=False, labels=list(categories))


def margin_items(book: Codebook) -> dict[str, Item]:
    """The questions for sex and for age in years, by their role."""
    asked = [item for item in book.form("resident") if item.role == "sex" or (item.role == "age" and not item.options)]
    return {item.role: item for item in asked}


def margin_totals(margins: pd.DataFrame, towns: pd.DataFrame, item: Item) -> tuple[list[str], Floats]:
    """The categories of a margin in natural order, and their adults with the shape (towns, categories).

    A sex may be named by its key or in the words of the question; ages begin with their first year. Raises EstimateError
    for a category that is neither, or that has two names.
    """
    rows = margins[margins["item"] == item.role]
    words = {word.lower(): option.key for option in item.options for word in (option.key, *option.text)}
    named = rows["category"].unique()
    meant = {name: words.get(name.lower()) if words else re.sub(r"\D.*", "", name) for name in named}
    for name, one in meant.items():
        if not one or list(meant.values()).count(one) > 1:
            raise EstimateError("weights.no_category", margin=item.role, category=name, known=", ".join(words or AGES))
    rows = rows.assign(category=rows["category"].map(meant))
    table = rows.pivot(index="town_id", columns="category", values="adults")
    called = {one or "": name for name, one in meant.items()}
    keys = [key for key in dict.fromkeys(words.values()) if key in table] or sorted(called, key=int)
    names = keys if words else [called[key] for key in keys]
    return names, table.reindex(index=towns["town_id"], columns=keys).to_numpy(dtype=float)


def resident_sample(cleaned: Cleaned, county: County, book: Codebook, wave: str, exclude: Flags = None) -> Sample:
    """Residents of a wave: strata = towns, PSUs = villages, weights raked to town x sex and town x age."""
    rows = analysed(cleaned, "resident", wave, county.exclude if exclude is None else exclude)
    towns, margins = cleaned.ledger("towns"), cleaned.ledger("margins")
    if towns is None and rows["town_id"].notna().any():
        raise EstimateError("samples.no_register")
    towns = None if rows["town_id"].isna().all() else towns  # nobody was asked for the town: one stratum without a name
    places = (NO_PLACE,) if towns is None else tuple(towns["town_id"])
    town = np.zeros(len(rows), dtype=np.int64) if towns is None else town_codes(rows, towns)
    psu, base, is_given = number_psus(rows), np.ones(len(rows)), "given_weight" in rows
    if is_given:
        base = rows["given_weight"].to_numpy(dtype=float)
    elif county.sampling == "probability" and towns is not None and towns["adults"].notna().all():
        base = base_weights(town, psu, towns["adults"].to_numpy(dtype=float))
    roles, design = margin_items(book), Design(town, psu, base, places)
    usual = {role: names for role, names in (("sex", SEXES), ("age", AGES)) if role in roles}
    items = set() if margins is None or is_given or towns is None else set(margins["item"])
    if lacking := items - set(roles):
        raise EstimateError("weights.no_question", margin=", ".join(sorted(lacking)))
    counted = {role: margin_totals(margins, towns, roles[role]) for role in ("sex", "age") if role in items}
    called: dict[str, Sequence[str]] = usual | {role: names for role, (names, _) in counted.items()}
    groups = {role: group_people(rows, roles[role], names) for role, names in called.items()}
    if counted:
        codes = {role: groups[role].codes.astype(np.int64) for role in counted}
        totals, bounds = {role: total for role, (_, total) in counted.items()}, county.thresholds["weight_bounds"]
        design, table = rake_towns(design, codes, totals, bounds, called)
    else:
        told = {"place": [COUNTY] if towns is None else places, "n": np.bincount(town, minlength=len(places))}
        table = pd.DataFrame({**told, "kish": kish(base, town, len(places)), "remark": "", "note": ""})
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
    table = pd.DataFrame({"place": places, "n": answers.astype(int), "listed": listed, "remark": "", "note": ""})
    for at in np.flatnonzero(is_over):
        note = say("samples.more_forms", n=int(sent[at]), listed=int(listed[at]))
        table.loc[at, ["remark", "note"]] = MORE_FORMS, note
    return Sample(rows, Design(town, np.arange(len(rows), dtype=np.int64), weight, places, fpc=known), table)


def dispositions(cleaned: Cleaned, exclude: tuple[str, ...]) -> pd.DataFrame:
    """How many forms of each form, wave and town ended how, and how many complete ones are left out for their flags."""
    flagged = cleaned.flags.loc[cleaned.flags["flag"].isin(exclude), "row_id"]
    parts = [pd.DataFrame(columns=["form", "wave", "town_id", "ending", "n"])]
    for form, rows in cleaned.forms.items():
        is_out = (rows["disposition"] == "complete") & rows["row_id"].isin(flagged)
        ended = rows.assign(form=form, ending=rows["disposition"].astype(str).mask(is_out, "excluded"))
        parts.append(ended.groupby(["form", "wave", "town_id", "ending"], dropna=False).size().reset_index(name="n"))
    return pd.concat(parts[1:] or parts, ignore_index=True)
