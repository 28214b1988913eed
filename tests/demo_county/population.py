"""The population of the demo county: every adult of every village, the margins and truths met exactly; refuses nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from demo_county.draws import spread_by
from demo_county.truths import AGES, SEX, Floats, Ints, Truths, house_truths

EDUCATION = np.cumsum(
    [[0.06, 0.30, 0.28, 0.20, 0.16], [0.28, 0.47, 0.17, 0.05, 0.03], [0.72, 0.21, 0.05, 0.015, 0.005]], axis=1
)
INSIDER = np.array([0.10, 0.13, 0.09])
BUSINESS = np.array([-0.15, 0.05, 0.18])
OLD = 2


@dataclass(frozen=True)
class Population:
    """All adults (`people`, sorted by village) and all villages of one wave.

    people: town and village (row numbers of `towns` and `villages`), age, sex (1 male, 2 female), group (0 18-39, 1 40-59,
    2 60+), edu (1-5), insider, aware, business, first_old. villages: village_id, town_id, town, name, adults, start.
    """

    seed: int
    wave: str
    truths: Truths
    towns: pd.DataFrame
    villages: pd.DataFrame
    people: pd.DataFrame


def make_population(seed: int, wave: str = "2023", truths: Truths | None = None) -> Population:
    """Every adult of the county in `wave`; two waves of one seed hold the same people, some of whom have changed.

    Margins (town by sex, town by age) hold exactly. The thresholds of `aware` and `first_old` are solved in each town, so that the
    shares of the whole town equal the planted ones to the nearest person, whatever the effects of age, schooling and village.
    """
    planted = truths or house_truths()
    towns, rng = planted.wave(wave), np.random.default_rng([seed, 0])
    villages = _villages(towns, rng)
    adults = towns["adults"].to_numpy()
    town = np.repeat(np.arange(len(towns)), adults)
    sex = _shuffled(towns[list(SEX)].to_numpy(), rng) + 1
    group = _shuffled(towns[list(AGES)].to_numpy(), rng)
    low, high = np.array([18, 40, 60])[group], np.array([40, 60, 91])[group]
    age = (low + (high - low) * rng.beta(1.0, np.array([1.0, 1.0, 1.7])[group])).astype(np.int16)
    edu = (rng.random(len(town))[:, None] > EDUCATION[group, :-1]).sum(axis=1) + 1
    insider = rng.random(len(town)) < INSIDER[group]
    business = rng.random(len(town)) < planted.features["residents"]["business"] + BUSINESS[group]
    village = np.repeat(np.arange(len(villages)), villages["adults"])
    leaning = (
        0.35 * (edu - edu.mean()) / edu.std() - 0.25 * (group == OLD) + 0.9 * insider + rng.logistic(size=len(town))
    )
    leaning += _village_effects(villages, planted.by_town("residents", "village_sd"), rng)[village]
    aware = _top_share(leaning, town, adults, towns["true_aware"].to_numpy())
    habit = -0.8 * aware + 0.4 * (group == OLD) + rng.logistic(size=len(town))
    first_old = np.zeros(len(town), dtype=bool)
    first_old[business] = _top_share(habit[business], town[business], np.bincount(town[business], minlength=len(towns)),
                                     towns["true_first_old"].to_numpy())  # fmt: skip
    people = pd.DataFrame(
        {"town": town.astype(np.int16), "village": village.astype(np.int32), "age": age, "sex": sex.astype(np.int8),
         "group": group.astype(np.int8), "edu": edu.astype(np.int8), "insider": insider, "aware": aware, "business": business,
         "first_old": first_old})  # fmt: skip
    return Population(seed, wave, planted, towns, villages, people)


def true_values(population: Population) -> pd.DataFrame:
    """The values of the whole population by town and for the county (columns: town_id, wave, indicator, value)."""
    people = population.people
    parts = {"aware": people[["town", "aware"]].set_axis(["town", "value"], axis=1),
             "first_contact_old": people.loc[people["business"], ["town", "first_old"]].set_axis(["town", "value"], axis=1),
             "business": people[["town", "business"]].set_axis(["town", "value"], axis=1)}  # fmt: skip
    rows = [pd.DataFrame({"town_id": [*population.towns["town_id"], "county"], "wave": population.wave, "indicator": name,
                          "value": [*part.groupby("town")["value"].mean(), part["value"].mean()]})
            for name, part in parts.items()]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _villages(towns: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Villages whose adults add up to the town's; none so large that it would be drawn with certainty."""
    counts, adults = towns["villages"].to_numpy(), towns["adults"].to_numpy()
    town = np.repeat(np.arange(len(towns)), counts)
    weight = np.clip(np.exp(rng.normal(0, 0.35, len(town))), 0.5, 1.6)
    exact = weight / np.bincount(town, weight)[town] * adults[town]
    size = np.floor(exact).astype(np.int64)
    order = np.lexsort((size - exact, town))  # the largest remainders of each town come first
    place = np.empty(len(town), dtype=np.int64)
    place[order] = np.arange(len(town)) - (np.cumsum(counts) - counts)[town]
    size += place < (adults - np.bincount(town, size).astype(np.int64))[town]
    number = np.arange(len(town)) - (np.cumsum(counts) - counts)[town] + 1
    ids, names, kind = (
        towns["town_id"].to_numpy()[town],
        towns["name_zh"].to_numpy()[town],
        towns["type"].to_numpy()[town],
    )
    return pd.DataFrame(
        {"village_id": [f"{t}V{n:02d}" for t, n in zip(ids, number, strict=True)], "town_id": ids, "town": town,
         "name": [f"{name.removesuffix('街道').removesuffix('镇')}第{n}{'社区' if k == 'street' else '村'}"
                  for name, n, k in zip(names, number, kind, strict=True)],
         "adults": size, "start": np.cumsum(size) - size})  # fmt: skip


def _shuffled(counts: Ints, rng: np.random.Generator) -> Ints:
    """The categories 0, 1, 2 … of all persons, each as often in its town as `counts` says, in random order."""
    town = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    codes = np.repeat(np.tile(np.arange(counts.shape[1]), len(counts)), counts.ravel())
    return np.asarray(codes[np.argsort(town + rng.random(len(town)), kind="stable")])


def _village_effects(villages: pd.DataFrame, sd: Floats, rng: np.random.Generator) -> Floats:
    """One normal effect a village; over the adults of each town they have mean 0 and the planted standard deviation."""
    town, adults = villages["town"].to_numpy(), villages["adults"].to_numpy()
    raw, total = norm.ppf(spread_by(rng, town)), np.bincount(town, adults)
    centred = raw - (np.bincount(town, raw * adults) / total)[town]
    return np.asarray(centred / np.sqrt(np.bincount(town, centred**2 * adults) / total)[town] * sd[town])


def _top_share(score: Floats, town: Ints, counts: Ints, share: Floats) -> Floats:
    """Who stands in the top `share` of the town's scores (persons in the order of towns)."""
    out = np.zeros(len(score), dtype=bool)
    for start, n, part in zip(np.cumsum(counts) - counts, counts, share, strict=True):
        wanted = round(n * part)
        if wanted:
            own = score[start : start + n]
            out[start : start + n] = own >= np.partition(own, n - wanted)[n - wanted]
    return out
