"""Weights that make each town's respondents stand for its adults; refuses margins that cannot be met within the bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from huying.errors import EstimateError
from huying.estimates import Floats, Ints, kish

FEWEST = 5


@dataclass(frozen=True)
class Margin:
    """One margin of a raking: each unit's category (a code counted over all towns) and each category's total."""

    name: str
    category: Ints
    total: Floats


@dataclass(frozen=True)
class Raked:
    """Raked weights, the margins as used (merged), and what was done: `diagnostics` one row a town."""

    weight: Floats
    margins: tuple[Ints, ...]
    diagnostics: pd.DataFrame


def base_weights(town: Ints, village: Ints, town_adults: Floats) -> Floats:
    """Inverse inclusion probabilities for villages drawn with probability proportional to adults, then equal numbers.

    With k villages of a town in the sample and m answers in a village, pi = (k a_v / A) (m / a_v) = k m / A;
    the weight is A / (k m). Arrays are one a respondent; `town_adults` one a town.
    """
    answers = np.bincount(village)[village]
    pairs = np.unique(np.column_stack([town, village]), axis=0)
    villages = np.bincount(pairs[:, 0], minlength=len(town_adults))[town]
    return town_adults[town] / (villages * answers)


def rake(
    weight: Floats,
    margins: list[Margin],
    bounds: tuple[float, float] = (0.1, 10.0),
    sweeps: int = 500,
    tol: float = 1e-10,
) -> tuple[Floats, int]:
    """Weights that meet every margin's totals, and the sweeps it took (Deming and Stephan 1940).

    Raises EstimateError when a category has a total and no respondent, or when the totals cannot be met with factors
    within `bounds` times the mean factor.
    """
    for margin in margins:
        if not np.isfinite(margin.total).all():
            raise EstimateError("weights.no_total", margin=margin.name)
        empty = (margin.total > 0) & (np.bincount(margin.category, minlength=len(margin.total)) == 0)
        if empty.any():
            raise EstimateError("weights.empty_category", margin=margin.name, category=int(np.flatnonzero(empty)[0]))
    raked = weight.astype(float)
    present = [np.bincount(margin.category, minlength=len(margin.total)) > 0 for margin in margins]
    for sweep in range(1, sweeps + 1):
        worst = 0.0
        for margin, has_units in zip(margins, present, strict=True):
            factor = np.ones(len(margin.total))
            sums = np.bincount(margin.category, raked, minlength=len(margin.total))
            np.divide(margin.total, sums, out=factor, where=has_units)
            worst = max(worst, float(np.abs(factor - 1).max(initial=0.0)))
            raked = raked * factor[margin.category]
        if worst < tol:
            _check_bounds(raked / weight, margins, bounds)
            return raked, sweep
    raise EstimateError("weights.no_convergence", margin=", ".join(m.name for m in margins), worst=f"{worst:.2g}")


def _check_bounds(factor: Floats, margins: list[Margin], bounds: tuple[float, float]) -> None:
    relative = factor / factor.mean()
    if relative.size and (relative.min() < bounds[0] or relative.max() > bounds[1]):
        raise EstimateError(
            "weights.out_of_bounds", margin=", ".join(m.name for m in margins), low=bounds[0], high=bounds[1],
            least=f"{relative.min():.3g}", most=f"{relative.max():.3g}",
        )  # fmt: skip


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


def town_margin(name: str, group: Ints, totals: Floats, fewest: int = FEWEST) -> tuple[Margin, list[int]]:
    """One town's margin over its respondents, and the groups merged.

    `group` is 0..G-1, or -1 where the answer is missing: such a person keeps the town's mean factor, for they form a
    category of their own (G) whose total is their share of the town's respondents. `totals` has the length G.
    """
    known, groups = group >= 0, len(totals)
    unknown = 1 - known.mean()
    codes, sums, merged = merge_small(group[known], totals, groups, fewest)
    category = np.full(len(group), groups, dtype=np.int64)
    category[known] = codes
    return Margin(name, category, np.append(sums * (1 - unknown), totals.sum() * unknown)), merged


def rake_town(
    base: Floats, groups: dict[str, Ints], totals: dict[str, Floats], bounds: tuple[float, float]
) -> tuple[Floats, int, list[Margin], list[str]]:
    """One town's weights, the sweeps, its margins as met, and what was merged.

    Where the factors would leave the bounds, thin categories are merged (under 5, then 10, then 20 respondents) before
    EstimateError is raised.
    """
    for fewest in (FEWEST, 2 * FEWEST, 4 * FEWEST):
        made = {name: town_margin(name, group, totals[name], fewest) for name, group in groups.items()}
        margins = [margin for margin, _ in made.values()]
        try:
            weight, sweeps = rake(base, margins, bounds)
        except EstimateError:
            if fewest == 4 * FEWEST:
                raise
        else:
            break
    return weight, sweeps, margins, [f"{name} {g}" for name, (_, merged) in made.items() for g in merged]


def rake_towns(
    town: Ints, base: Floats, groups: dict[str, Ints], totals: dict[str, Floats], towns: list[str],
    bounds: tuple[float, float] = (0.1, 10.0),
) -> Raked:  # fmt: skip
    """Weights raked to town x each of `groups` (for example sex and age), town by town, with their diagnostics.

    `totals` holds an array of shape (towns, categories) for each group. Raises EstimateError, naming the town, when a
    margin cannot be met.
    """
    weight, rows = base.astype(float).copy(), []
    codes = {name: np.zeros(len(town), dtype=np.int64) for name in groups}
    order = np.argsort(town, kind="stable")
    ends = np.cumsum(np.bincount(town, minlength=len(towns)))
    for town_name, here in zip(towns, np.split(order, ends[:-1]), strict=True):
        if not len(here):
            rows.append((town_name, 0, 0, np.nan, np.nan, np.nan, ""))
            continue
        own = {name: group[here] for name, group in groups.items()}
        wanted = {name: total[town[here[0]]] for name, total in totals.items()}
        try:
            weight[here], sweeps, margins, gone = rake_town(base[here], own, wanted, bounds)
        except EstimateError as error:
            raise EstimateError("weights.town", town=town_name, why=error.say()) from error
        for margin in margins:
            codes[margin.name][here] = town[here[0]] * len(margin.total) + margin.category
        factor = weight[here] / base[here] / np.mean(weight[here] / base[here])
        worst = _worst(weight[here], margins)
        rows.append((town_name, len(here), sweeps, factor.min(), factor.max(), worst, ", ".join(gone)))
    frame = pd.DataFrame(rows, columns=["place", "n", "sweeps", "factor_min", "factor_max", "worst_margin", "merged"])
    frame.insert(2, "kish", kish(weight, town, len(towns)))
    return Raked(weight, tuple(codes.values()), frame)


def _worst(weight: Floats, margins: list[Margin]) -> float:
    """The largest relative gap between a margin's total and the weights' sum."""
    met = [(np.bincount(m.category, weight, minlength=len(m.total)), m.total, m.total > 0) for m in margins]
    return float(max((np.abs(sums - total)[has] / total[has]).max(initial=0.0) for sums, total, has in met))
