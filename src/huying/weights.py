"""Weights that make each town's respondents stand for its adults; refuses margins that cannot be met within the bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.errors import EstimateError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
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
    merged: tuple[str, ...]


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
        empty = (margin.total > 0) & (np.bincount(margin.category, minlength=len(margin.total)) == 0)
        if empty.any():
            raise EstimateError("weights.empty_category", margin=margin.name, category=int(np.flatnonzero(empty)[0]))
    raked = weight.astype(float)
    for sweep in range(1, sweeps + 1):
        worst = 0.0
        for margin in margins:
            sums = np.bincount(margin.category, raked, minlength=len(margin.total))
            factor = np.divide(margin.total, sums, out=np.ones_like(sums), where=sums > 0)
            worst = max(worst, float(np.abs(factor[margin.category] - 1).max(initial=0.0)))
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


def town_margin(name: str, town: Ints, group: Ints, totals: Floats, towns: list[str]) -> tuple[Margin, list[str]]:
    """The margin town x `group`, small categories merged town by town, and what was merged.

    `group` is 0..G-1, or -1 where the answer is missing: such a person keeps the town's mean factor, for they form a
    category whose total is their share of the town's respondents. `totals` has the shape (towns, G).
    """
    groups = totals.shape[1]
    code = np.empty(len(town), dtype=np.int64)
    total = np.zeros((len(towns), groups + 1))
    merged = []
    for t in range(len(towns)):
        here = np.flatnonzero(town == t)
        known = here[group[here] >= 0]
        unknown = 1 - len(known) / len(here) if len(here) else 0.0
        if len(here):
            codes, sums, gone = merge_small(group[known], totals[t], groups)
            code[known], code[here[group[here] < 0]] = t * (groups + 1) + codes, t * (groups + 1) + groups
            total[t, :groups], total[t, groups] = sums * (1 - unknown), totals[t].sum() * unknown
            merged += [f"{towns[t]} {name} {g}" for g in gone]
    return Margin(name, code, total.ravel()), merged


def kish(weight: Floats, by: Ints, size: int) -> Floats:
    """Kish's factor n sum(w^2) / sum(w)^2 for each of `size` groups (Kish 1965, section 11.7); missing where empty."""
    n, s, q = (np.bincount(by, values, minlength=size) for values in (np.ones_like(weight), weight, weight**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(n * q / s**2)


def rake_towns(
    town: Ints, base: Floats, groups: dict[str, Ints], totals: dict[str, Floats], towns: list[str],
    bounds: tuple[float, float] = (0.1, 10.0),
) -> Raked:  # fmt: skip
    """Weights raked to town x each of `groups` (for example sex and age), town by town, with their diagnostics.

    Raises EstimateError, naming the town, when a margin cannot be met.
    """
    margins, merged = [], []
    for name, group in groups.items():
        margin, gone = town_margin(name, town, group, totals[name], towns)
        margins.append(margin)
        merged += gone
    weight, rows = base.astype(float).copy(), []
    for t, town_name in enumerate(towns):
        here = np.flatnonzero(town == t)
        own = [_of_town(margin, here) for margin in margins]
        try:
            weight[here], sweeps = rake(base[here], own, bounds) if len(here) else (weight[here], 0)
        except EstimateError as error:
            raise EstimateError("weights.town", town=town_name, why=error.say()) from error
        factor = weight[here] / base[here] / np.mean(weight[here] / base[here]) if len(here) else np.array([np.nan])
        rows.append((town_name, len(here), sweeps, factor.min(), factor.max(), _worst(weight[here], own)))
    frame = pd.DataFrame(rows, columns=["place", "n", "sweeps", "factor_min", "factor_max", "worst_margin"])
    frame.insert(2, "kish", kish(weight, town, len(towns)))
    return Raked(weight, tuple(margin.category for margin in margins), frame, tuple(merged))


def _of_town(margin: Margin, here: Ints) -> Margin:
    codes, category = np.unique(margin.category[here], return_inverse=True)
    return Margin(margin.name, category.astype(np.int64), margin.total[codes])


def _worst(weight: Floats, margins: list[Margin]) -> float:
    gaps = [
        np.abs(np.bincount(m.category, weight, minlength=len(m.total)) / m.total - 1).max()
        for m in margins
        if len(weight)
    ]
    return float(max(gaps, default=0.0))
