"""Villages drawn with probability proportional to size, and the weights that belong to them; a draw can be repeated from its seed."""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("town_id", "town", "village_id", "name", "adults", "inclusion", "people", "person_weight", "start")


def inclusion(sizes: Sequence[int], n: int) -> list[Fraction]:
    """The probability n·M_i/M with which each unit is drawn; 1 for one that would exceed it, and the others anew without it.

    Systematic sampling with unequal probabilities (Madow 1949); units taken with certainty as in Särndal, Swensson and
    Wretman (1992), section 3.6.1.
    """
    sure: set[int] = set()
    while True:
        left, rest = n - len(sure), sum(size for i, size in enumerate(sizes) if i not in sure)
        over = {i for i, size in enumerate(sizes) if i not in sure and left * size >= rest}
        if not over or not rest:
            return [Fraction(1) if i in sure else Fraction(left * size, rest) for i, size in enumerate(sizes)]
        sure |= over


def draw(chances: Sequence[Fraction], start: Fraction) -> list[int]:
    """The units that a systematic draw takes: those in whose stretch of the added chances start, start + 1, … fall (start from 0 to 1)."""
    ends = [math.ceil(end - start) for end in itertools.accumulate(chances, initial=Fraction(0))]
    return [i for i, (low, high) in enumerate(itertools.pairwise(ends)) if high > low]


def sample(villages: pd.DataFrame, towns: pd.DataFrame, n: int, people: int, seed: int, lang: str) -> pd.DataFrame:
    """`n` villages of each town and `people` adults in each (columns COLUMNS), in the order of the registers.

    `inclusion` is the village's probability, `person_weight` the inverse of a person's; `start` is the town's random start.
    """
    rng, rows = np.random.default_rng(seed), list[dict[str, Any]]()
    for town in towns.to_dict("records"):
        here = villages[villages["town_id"] == town["town_id"]].to_dict("records")
        start = Fraction(int(rng.integers(10**6)), 10**6)
        chances = inclusion([int(village["adults"]) for village in here], n)
        for i in draw(chances, start):
            take = min(people, int(here[i]["adults"]))
            weight = float(Fraction(int(here[i]["adults"]), take) / chances[i])
            told = {"town": town[f"name_{lang}"], "inclusion": float(chances[i]), "people": take}
            rows.append({**here[i], **told, "person_weight": weight, "start": float(start)})
    return pd.DataFrame(rows, columns=list(COLUMNS))
