"""Weights that make each town's respondents stand for its adults; a town whose margins cannot be met within the bounds has none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from huying.errors import EstimateError
from huying.estimates import Design, kish
from huying.intervals import Bools, Floats, Ints
from huying.words import say

Margin = tuple[Ints, Floats]  # each unit's category (a code) and each category's total
Bounds = tuple[float, float]
Names = Mapping[str, Sequence[str]] | None  # of the categories of each margin
FEWEST, SWEEPS, CLOSE = 5, 500, 1e-10
ROUNDING = 0.005  # two counts of one town's adults may differ by so much; then they are scaled to each other
BOUNDS = (0.1, 10.0)  # of the factor by which a weight is changed, over its mean
UNWEIGHTED = "unweighted"
TOLD = ["merged", "remark", "note"]


def base_weights(town: Ints, village: Ints, town_adults: Floats) -> Floats:
    """Inverse inclusion probabilities for villages drawn with probability proportional to adults, then equal numbers.

    With k villages of a town in the sample and m answers in a village, pi = (k a_v / A) (m / a_v) = k m / A;
    the weight is A / (k m). Arrays are one a respondent; `town_adults` one a town.
    """
    answers = np.bincount(village)[village]
    pairs = np.unique(np.column_stack([town, village]), axis=0)
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
    raked, named = weight.astype(float), ", ".join(margins)
    worst, sweep = np.inf, 0
    while worst >= CLOSE:
        if sweep == SWEEPS:
            raise EstimateError("weights.no_convergence", margin=named, worst=f"{worst:.2g}")
        worst, sweep = 0.0, sweep + 1
        for category, total in margins.values():
            sums = np.bincount(category, raked, minlength=len(total))
            factor = np.divide(total, sums, out=np.ones(len(sums)), where=sums > 0)
            worst = max(worst, float(np.abs(factor - 1).max(initial=0.0)))
            raked = raked * factor[category]
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
    target = np.arange(groups)
    merged: list[int] = []
    total = total.astype(float)
    while True:
        counts = np.bincount(target[category], minlength=groups)
        alive = np.unique(target)
        small = [g for g in alive if counts[g] < fewest]
        if not small or len(alive) == 1:
            return target[category], total, merged
        at = int(np.flatnonzero(alive == small[0])[0])
        into = alive[at - 1] if at else alive[1]
        total[into] += total[small[0]]
        total[small[0]] = 0.0
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


def rake_town(
    base: Floats, groups: dict[str, Ints], totals: dict[str, Floats], bounds: tuple[float, float]
) -> tuple[Floats, int, float, dict[str, Margin], list[str]]:
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
        except EstimateError:
            if fewest == 4 * FEWEST:
                raise
        else:
            break
    return *raked, margins, [f"{name} {g}" for name, (_, merged) in made.items() for g in merged]


def scale_totals(totals: dict[str, Floats]) -> tuple[dict[str, Floats], str]:
    """One town's margins with the sum of the first, where they differ by rounding alone, and what was done in words."""
    sums = {name: float(total.sum()) for name, total in totals.items()}
    first, *others = sums.values()
    apart = max((abs(other - first) for other in others), default=0.0)
    if not 1e-9 * first < apart <= ROUNDING * first:
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
        wanted, note = scale_totals({name: total[town] for name, total in totals.items()})
        remark = ""
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
    told = dict(error.values)
    known = (names or {}).get(str(told.get("margin")), ())
    if "category" in told and int(told["category"]) < len(known):
        told["category"] = known[int(told["category"])]
    return EstimateError(error.key, **told).say()
