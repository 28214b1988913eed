"""Residents drawn and asked: villages by size, adults at random, 27 answers each from the planted model; refuses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from demo_county.draws import Columns, answer_plainly, as_answers, choose, pick, put_multi, scale
from demo_county.population import Population
from demo_county.truths import Bools, Ints
from huying.codebook import Item

CHANNELS = np.array([
    [0.22, 0.24, 0.22, 0.05, 0.05, 0.07, 0.06, 0.06, 0.03, 0.01],
    [0.09, 0.20, 0.14, 0.13, 0.10, 0.15, 0.08, 0.08, 0.03, 0.01],
    [0.02, 0.08, 0.06, 0.26, 0.10, 0.22, 0.07, 0.13, 0.05, 0.01]])  # fmt: skip
WORK = np.array([
    [0.14, 0.40, 0.16, 0.08, 0.06, 0.001, 0.13, 0.029],
    [0.34, 0.31, 0.15, 0.05, 0.001, 0.03, 0.10, 0.019],
    [0.50, 0.02, 0.04, 0.001, 0.001, 0.30, 0.12, 0.018]])  # fmt: skip
WOULD_GO = (
    np.array([[45, 8, 22, 8, 3, 14], [22, 22, 30, 6, 4, 16], [50, 8, 14, 16, 2, 10], [14, 28, 16, 4, 22, 16]]) / 100
)
TYPES: dict[str, Any] = {"single": "Int16", "scale": "Int16", "dropdown": "Int16", "matrix_single": "Int16", "matrix_scale": "Int16",
         "multi": "Int8", "whole": "Int32", "number": "float64", "text": "object"}  # fmt: skip


def draw_residents(
    population: Population, rng: np.random.Generator, wave: str | None = None, villages: Ints | None = None
) -> pd.DataFrame:
    """One clean sample in the shape of `Cleaned.rows`, with `base_weight` (adults per planned answer) and `person` beside it."""
    people = draw_people(population, rng, draw_villages(population, rng) if villages is None else villages)
    answers = answer_residents(population, people, rng)
    frame = as_cleaned(population.truths.items("resident"), answers)
    towns = population.towns
    village = population.villages["village_id"].to_numpy()[people["village"]]
    head = pd.DataFrame(
        {"row_id": [f"demo#{n}" for n in range(2, len(people) + 2)], "form": "resident", "wave": wave or population.wave,
         "town_id": towns["town_id"].to_numpy()[people["town"]], "village_id": village, "interviewer_id": people["interviewer"],
         "disposition": "complete", "base_weight": people["base_weight"], "person": people["person"]})  # fmt: skip
    return pd.concat([head, frame], axis=1)


def draw_villages(population: Population, rng: np.random.Generator, before: Ints | None = None) -> Ints:
    """Row numbers of the villages drawn with probability proportional to adults, systematically in random order.

    `before` holds the villages of the wave before: each town keeps its `share_of_villages_kept` of them and draws the rest anew.
    """
    towns, drawn = population.towns, []
    town, adults = population.villages["town"].to_numpy(), population.villages["adults"].to_numpy()
    ends = np.cumsum(np.bincount(town, minlength=len(towns)))
    for t, wanted in enumerate(towns["villages_sampled"].to_numpy()):
        own = np.arange(ends[t - 1] if t else 0, ends[t])
        kept = np.array([], dtype=np.int64)
        if before is not None:
            earlier = before[town[before] == t]
            kept = rng.choice(earlier, round(len(earlier) * towns["share_of_villages_kept"].iloc[t]), replace=False)
            own = np.setdiff1d(own, earlier) if wanted > len(kept) else own
        drawn.append(np.sort(np.concatenate([kept, _systematic(own, adults[own], wanted - len(kept), rng)])))
    return np.concatenate(drawn).astype(np.int64)


def _systematic(units: Ints, size: Ints, n: int, rng: np.random.Generator) -> Ints:
    """`n` of `units` with probability proportional to size; one larger than the step is taken for certain, and once."""
    sure = size * n > size.sum()
    if sure.any():
        return np.concatenate([units[sure], _systematic(units[~sure], size[~sure], n - int(sure.sum()), rng)])
    order = rng.permutation(len(units))
    steps = np.cumsum(size[order])
    marks = (np.arange(n) + rng.random()) * steps[-1] / max(n, 1)
    return np.asarray(units[order[np.searchsorted(steps, marks, side="right")]])


def draw_people(population: Population, rng: np.random.Generator, villages: Ints, steady: bool = False) -> pd.DataFrame:
    """The persons drawn in `villages`: the town's number of answers shared evenly, simple random within the village.

    `steady` gives each age group of a town with a failed quota its own share of the aware, so that in a single sample the raw
    share lies below the truth because of who was asked, not by chance.
    """
    towns, table = population.towns, population.villages
    town, size = table["town"].to_numpy()[villages], table["adults"].to_numpy()[villages]
    start, wanted = table["start"].to_numpy()[villages], towns["n_resident"].to_numpy()
    quota = population.truths.features["residents"].get("quota_60", {})
    rows, rank = list[Ints](), np.zeros(len(villages), dtype=np.int64)
    for t, town_id in enumerate(towns["town_id"]):
        here = np.flatnonzero(town == t)
        rank[here] = np.arange(len(here))
        share = rng.permutation(
            np.full(len(here), wanted[t] // len(here)) + (np.arange(len(here)) < wanted[t] % len(here))
        )
        if town_id in quota:
            rows += _fill_quota(
                population, [np.arange(start[v], start[v] + size[v]) for v in here], share, quota[town_id], rng, steady
            )
        else:
            rows += [start[v] + rng.choice(size[v], n, replace=False) for v, n in zip(here, share, strict=True)]
    person = np.concatenate(rows)
    people = population.people.take(person).reset_index(drop=True)
    people["person"], of = person, people["town"].to_numpy()
    people["base_weight"] = (towns["adults"] / wanted).to_numpy()[of]
    place = pd.Series(rank, index=villages)[people["village"].to_numpy()].to_numpy()
    team = [f"I{t[1:]}{n:02d}" for t, n in zip(towns["town_id"].to_numpy()[of], place // 2 + 1, strict=True)]
    online = rng.random(len(people)) < population.truths.features["residents"]["online"]
    people["interviewer"] = np.where(online, "", team)
    return people


def _fill_quota(
    population: Population, pools: list[Ints], share: Ints, part: float, rng: np.random.Generator, steady: bool
) -> list[Ints]:
    """Persons of a town (`pools`: those of each village) of whom `part` are 60 or older, the others young and middle in turn."""
    group, aware, rows = population.people["group"].to_numpy(), population.people["aware"].to_numpy(), list[Ints]()
    everyone = np.concatenate(pools)
    known, due = [aware[everyone[group[everyone] == g]].mean() for g in range(3)], np.zeros(3)
    old = np.diff(np.round(np.cumsum(share) * part).astype(np.int64), prepend=0)
    for k, pool in enumerate(pools):
        middle = (share[k] - old[k] + k % 2) // 2
        for g, n in enumerate((share[k] - old[k] - middle, middle, old[k])):
            own = pool[group[pool] == g]
            due[g] += n * known[g]
            take = min(max(round(due[g]), 0), n) if steady else 0
            due[g] -= take
            split = (own[aware[own]], take), (own[~aware[own]], n - take)
            rows += [rng.choice(some, m, replace=False) for some, m in (split if steady else ((own, n),))]
    return rows


def answer_residents(population: Population, people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The answers of `people` as codes (NaN where not asked), one column for each of Item.variables."""
    towns, items = population.towns, population.truths.items("resident")
    out: Columns = {}
    answer_plainly(out, items, len(people), rng)
    _who(out, towns, people, rng)
    campaign = towns["town_id"].isin(population.truths.features["residents"]["campaign"]).to_numpy()
    _knowledge(out, people, campaign[people["town"].to_numpy()], rng)
    _recognition(out, people, rng)
    _business(out, towns, people, rng)
    _opinions(out, people, rng)
    return as_answers(out, items)


def _who(out: Columns, towns: pd.DataFrame, people: pd.DataFrame, rng: np.random.Generator) -> None:
    n, town, insider = len(people), people["town"].to_numpy(), people["insider"].to_numpy()
    out["R00"], out["R01"], out["R02"], out["R03"] = np.ones(n), town + 1, np.ones(n), people["age"]
    out["R04"] = np.where(rng.random(n) < 0.01, 9, people["sex"])
    out["R05"] = 1 + (rng.random(n) < np.where((towns["type"] == "street").to_numpy()[town], 0.9, 0.06))
    out["R06"] = people["edu"]
    out["R07"] = pick(rng, [1, 2, 3, 4, 5, 6, 7, 97], WORK[people["group"]])
    tie = choose(rng, np.tile([0.6, 0.15, 0.25], (n, 1)), 2) * insider[:, None]
    put_multi(out, "R08", [1, 2, 3, 4], np.column_stack([tie, ~insider]))


def _knowledge(out: Columns, people: pd.DataFrame, campaign: Bools, rng: np.random.Generator) -> None:
    """Awareness, the quiz (right with .35 + .4 aware), channels heard and wanted, and what can be done in town."""
    n, aware, channels = len(people), people["aware"].to_numpy(), CHANNELS[people["group"]]
    out["R09"] = np.where(aware, pick(rng, [1, 2, 3], [0.18, 0.40, 0.42], n), pick(rng, [4, 98], [0.9, 0.1], n))
    knows = (0.35 + 0.4 * aware)[:, None]
    for row, right in zip("abcde", (1, 2, 1, 2, 1), strict=True):
        out[f"R10_{row}"] = pick(
            rng, [right, 3 - right, 98], np.hstack([knows, (1 - knows) * 0.45, (1 - knows) * 0.55])
        )
    codes, new_media = [*range(1, 10), 97], np.array([3, 2.5, 3, 1, 1, 1, 1, 1, 1, 1])
    put_multi(out, "R11", codes, choose(rng, channels * np.where(campaign[:, None], new_media, 1), 3))
    put_multi(out, "R25", codes, choose(rng, channels * [1.6, 1.8, 1.6, 0.8, 0.8, 1.2, 0.8, 0.6, 0.6, 1], 3))
    known = (rng.random((n, 5)) < np.array([0.45, 0.25, 0.55, 0.15, 0.30]) * (0.7 + 0.5 * aware[:, None])).astype(
        np.int64
    )
    put_multi(out, "R21", range(1, 7), np.column_stack([known, known.sum(axis=1) == 0]))


def _recognition(out: Columns, people: pd.DataFrame, rng: np.random.Generator) -> None:
    """Old and new bodies recognised (leanings correlated .3); the decoy by 6 in 100, whatever else they know."""
    n, often = len(people), np.where(people["business"], 0.42, 0.12)
    lean = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], size=n)
    shift = np.column_stack([0.5 * people["first_old"], 0.8 * people["aware"]])
    for k, (row, threshold) in enumerate(zip("abcdefgh", (-0.5, -0.45, 0.1, -0.2, -0.1, 0.55, 0.7, 0.45), strict=True)):
        known = 0.8 * lean[:, k // 4] + 0.6 * rng.normal(size=n) + shift[:, k // 4] > threshold
        out[f"R12_{row}"] = 1 + known + (known & (rng.random(n) < often))
    out["R12_i"] = 1 + (rng.random(n) < 0.06)
    same = np.ptp(np.column_stack([out[f"R12_{row}"] for row in "abcdefghi"]), axis=1) == 0
    out["R12_b"] = np.where(same, 2, out["R12_b"])  # an honest form never gives one answer throughout


def _business(out: Columns, towns: pd.DataFrame, people: pd.DataFrame, rng: np.random.Generator) -> None:
    """The last matter, whom one would go to now, and the plates seen, which follow the town's index."""
    n, town, business, first_old = (
        len(people),
        people["town"].to_numpy(),
        people["business"].to_numpy(),
        people["first_old"].to_numpy(),
    )
    out["R13"] = np.where(business, 1, 2)
    out["R15"] = np.where(
        first_old, 1, pick(rng, [2, 3, 4, 5, 6, 7, 97], [0.44, 0.14, 0.17, 0.12, 0.06, 0.04, 0.03], n)
    )
    out["R16"] = pick(
        rng, [0, 1, 2, 98], np.where(first_old[:, None], [0.52, 0.30, 0.15, 0.03], [0.78, 0.14, 0.05, 0.03])
    )
    sent = np.isin(out["R16"], [1, 2])[:, None]
    out["R17"] = pick(
        rng, [5, 4, 3, 2, 1], np.where(sent, [0.12, 0.25, 0.34, 0.20, 0.09], [0.34, 0.38, 0.20, 0.06, 0.02])
    )
    habit = np.where(business, 0.25 + 0.5 * first_old, towns["true_first_old"].to_numpy()[town])[:, None]
    for row, rest in zip("abcd", WOULD_GO, strict=True):
        out[f"R18_{row}"] = pick(rng, [1, 2, 3, 4, 5, 6, 98], np.hstack([habit, (1 - habit) * rest]))
    index, away = towns["true_PRI"].to_numpy()[town][:, None], np.where(business, 0.0, 0.14)[:, None]
    seen = np.hstack([1 - index, 0.45 * index, 0.55 * index]) * (0.88 - away)
    out["R19"] = pick(rng, [1, 2, 3, 98, 99], np.hstack([seen, np.full((n, 1), 0.12), away]))


def _opinions(out: Columns, people: pd.DataFrame, rng: np.random.Generator) -> None:
    n, aware = len(people), people["aware"].to_numpy()
    mood = 0.75 * rng.normal(size=n) + 0.25 * aware
    for row, mean in zip("abcdf", (0.35, 0.2, 0.5, -0.1, -0.3), strict=True):
        out[f"R24_{row}"] = scale(rng, mean + mood * (-1 if row == "d" else 1), 0.03)
    out["R24_e"] = np.where(rng.random(n) < 0.02, pick(rng, [5, 3, 2], [0.4, 0.4, 0.2], n), 4)
    same = np.ptp(np.column_stack([out[f"R24_{row}"] for row in "abcdef"]), axis=1) == 0
    out["R24_d"] = np.where(same, 2, out["R24_d"])


def as_cleaned(items: tuple[Item, ...], answers: pd.DataFrame) -> pd.DataFrame:
    """`answers` in the shape of `Cleaned.rows`: typed, missing codes taken out, and for each cell why it is missing."""
    columns: dict[str, Any] = {}
    for item in items:
        for name in item.variables:
            values = answers[name]
            columns[name] = (
                values
                if item.type == "text"
                else values.where(~values.isin(list(item.missing))).astype(TYPES[item.type])
            )
        for cell in item.cells:
            raw = answers[item.variables[0] if item.type == "multi" else cell]
            gone = "blank" if item.type == "text" else "skipped"
            why = np.full(len(raw), None, dtype=object)
            why[raw.isna().to_numpy()] = gone
            for code, reason in item.missing.items():
                why[(raw == code).to_numpy()] = reason
            columns[f"{cell}_missing"] = why
    return pd.DataFrame(columns)
