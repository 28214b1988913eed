"""Draws that several parts of the demo county share: answers by shares, scales, even spreads, skip rules; refuses nothing."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from demo_county.truths import Bools, Floats, Ints
from huying.codebook import Item, holds

Columns = dict[str, Any]


def pick(rng: np.random.Generator, codes: Any, shares: Any, n: int = 0) -> Ints:
    """One of `codes` for each row of `shares` (or for `n` rows with the same shares)."""
    table = np.atleast_2d(np.asarray(shares, float))
    steps = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    draws = rng.random((n or len(table), 1))
    return np.asarray(np.asarray(codes, dtype=np.int64)[(draws > steps).sum(axis=1)])


def choose(rng: np.random.Generator, shares: Any, most: int) -> Ints:
    """A 0/1 table of 1 to `most` options chosen in each row, the likelier the greater its share."""
    table = np.asarray(shares, float)
    scores = np.log(table) + rng.gumbel(size=table.shape)
    rank = (-scores).argsort(axis=1).argsort(axis=1)
    return np.asarray(rank < rng.integers(1, most + 1, size=(len(table), 1)), dtype=np.int64)


def scale(rng: np.random.Generator, lean: Any, unknown: float = 0.0) -> Ints:
    """Grades 1-5 around a leaning (0 is the middle); `unknown` of them 98."""
    score = 1 + np.digitize(lean + rng.normal(size=len(lean)), [-1.5, -0.5, 0.4, 1.3])
    return np.asarray(np.where(rng.random(len(lean)) < unknown, 98, score))


def spread(rng: np.random.Generator, n: int) -> Floats:
    """`n` numbers in (0, 1), one in each n-th part, in random order: shares come out close to what is planted."""
    return np.asarray((rng.permutation(n) + rng.random(n)) / max(n, 1))


def apportion(total: int, weights: Any) -> Ints:
    """`total` in whole parts in proportion to `weights`, by largest remainders."""
    exact = total * np.asarray(weights, dtype=np.float64) / np.sum(weights)
    parts: Ints = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - parts.sum()]] += 1
    return parts


def days_between(rng: np.random.Generator, first: Any, last: Any, n: int) -> pd.DatetimeIndex:
    """`n` days from `first` to `last`, spread evenly, in random order."""
    span = (pd.Timestamp(last) - pd.Timestamp(first)).days + 1
    return pd.Timestamp(first) + pd.to_timedelta(np.floor(spread(rng, n) * span).astype(int), unit="D")


def spread_by(rng: np.random.Generator, groups: Ints) -> Floats:
    """`spread` within each group."""
    out = np.empty(len(groups))
    for group in np.unique(groups):
        here = np.flatnonzero(groups == group)
        out[here] = spread(rng, len(here))
    return out


def put_multi(out: Columns, item: str, codes: Any, table: Any) -> None:
    """Write the columns of a multiple choice."""
    out.update({f"{item}_{code}": table[:, k] for k, code in enumerate(codes)})


@cache
def plain_answers() -> dict[str, Any]:
    """The answers that depend on nothing else, by form and item."""
    return tomllib.loads(resources.files("demo_county").joinpath("data/answers.toml").read_text("utf-8"))


def answer_plainly(out: Columns, items: tuple[Item, ...], n: int, rng: np.random.Generator) -> None:
    """Draw for `n` people what depends on nothing else."""
    plan = plain_answers()[items[0].form]
    for item in items:
        for cell in item.cells:
            how = plan.get(cell, plan.get(item.id))
            if how and "shares" in how:
                out[cell] = pick(rng, how["codes"], how["shares"], n)
            elif how:
                out[cell] = scale(rng, np.full(n, how["lean"]), how.get("unknown", 0.0))


def as_answers(out: Columns, items: tuple[Item, ...]) -> pd.DataFrame:
    """All columns of a form as numbers (texts empty), without answers to what was not asked."""
    texts = [item.id for item in items if item.type == "text"]
    answers = pd.DataFrame({name: np.asarray(values, dtype=np.float64) for name, values in out.items()})
    answers = answers.assign(**dict.fromkeys(texts))
    obey(items, answers)
    return answers


def obey(items: tuple[Item, ...], answers: pd.DataFrame) -> dict[str, Bools]:
    """Which cells were asked of whom; answers to what was not asked are taken out of `answers`."""
    live, asked = np.ones(len(answers), dtype=bool), dict[str, Bools]()
    for item in items:
        for cell in item.cells:
            asked[cell] = live & holds(item.asked_if, answers, cell[len(item.id) + 1 :])
            for name in item.variables if item.type == "multi" else (cell,):
                if not asked[cell].all():
                    answers[name] = answers[name].where(asked[cell])
        if item.ends_if:
            live = live & ~holds(item.ends_if, answers)
    return asked
