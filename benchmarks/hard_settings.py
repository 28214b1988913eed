"""How often intervals hold the truth where samples are hard, and how often a county names a town when all stand at the threshold.

18 towns of 100 answers in 6 villages, a village's share drawn from a beta distribution so that answers within it correlate by
rho; REPEATS counties for each share. Staff: every number of a list, by enumeration. A target is missed where chance would not
bring so low a rate once in a thousand. Run: python benchmarks/coverage.py, which prints this first, or
python benchmarks/hard_settings.py [REPEATS]
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from huying.claims.rules import holm
from huying.design import Design
from huying.estimates import COUNTY, estimate_shares
from huying.intervals import p_above

SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
TOWNS, BLOCK = 18, 250
EVEN, HALF = (17, 17, 17, 17, 16, 16), (50, 10, 10, 10, 10, 10)
LEAST, MOST_MEAN, MOST_NAMING = 0.90, 0.985, 0.05


class Setting(NamedTuple):
    """The rho of each town, how many first towns are the hard ones, and the answers of their villages."""

    rho: np.ndarray
    hard: int = 0
    takes: tuple[int, ...] = EVEN


SETTINGS = {
    "one town of rho .5 among 17 of .02": Setting(np.r_[0.5, np.full(17, 0.02)], 1),
    "half of one town's sample in one village, rho .2": Setting(np.full(TOWNS, 0.2), 1, HALF),
    "half of every town's sample in one village, rho .2": Setting(np.full(TOWNS, 0.2), TOWNS, HALF),
    "every town of rho .02": Setting(np.full(TOWNS, 0.02)),
    "every town of rho .1": Setting(np.full(TOWNS, 0.1)),
    "mixed, rho .05 to .3": Setting(np.linspace(0.05, 0.3, TOWNS)),
}
LISTS = ((15, 14), (30, 24))


def draw_counties(
    setting: Setting, share: float, repeats: int, rng: np.random.Generator
) -> tuple[Design, pd.DataFrame]:
    """One design, and a column of answers a county."""
    takes = np.r_[np.tile(setting.takes, setting.hard), np.tile(EVEN, TOWNS - setting.hard)]
    psu = np.repeat(np.arange(len(takes)), takes)
    rho = np.repeat(setting.rho, len(EVEN))[:, None]
    each = (1 - rho) / rho
    village = rng.beta(share * each, (1 - share) * each, (len(takes), repeats))
    answers = rng.random((len(psu), repeats)) < village[psu]
    town = np.repeat(np.arange(TOWNS), sum(EVEN))
    places = tuple(f"T{k + 1:02d}" for k in range(TOWNS))
    return Design(town, psu, np.ones(len(psu)), places), pd.DataFrame(answers.astype(float))


def names_anybody(rows: pd.DataFrame, threshold: float) -> pd.Series:
    """For each county (indicator) whether its adjusted verdicts name any town."""
    p = np.minimum(1.0, 2 * np.minimum(*p_above(rows, threshold)))
    return pd.Series(p, rows["indicator"]).groupby(level=0).agg(lambda own: bool((holm(own.to_numpy()) < 0.05).any()))


def try_setting(setting: Setting, share: float, repeats: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Coverage in the hard towns, in the others, and the share of counties that name a town though all stand at the threshold."""
    inside, named = [], []
    for start in range(0, repeats, BLOCK):
        design, answers = draw_counties(setting, share, min(BLOCK, repeats - start), rng)
        rows = estimate_shares(design, answers)
        rows = rows[rows["place"] != COUNTY]
        inside.append(((rows["low"] <= share) & (share <= rows["high"])).to_numpy().reshape(-1, TOWNS))
        named.append(names_anybody(rows, share))
    held = np.concatenate(inside)
    parts = [held[:, : setting.hard], held[:, setting.hard :]]
    return *(float(part.mean()) if part.size else np.nan for part in parts), float(pd.concat(named).mean())


def staff_coverage(listed: int, n: int) -> pd.DataFrame:
    """For every number of a list that has the trait: the chance that the limits of a town's staff hold its share."""
    table = []
    answers = pd.DataFrame(np.array([np.arange(n) < k for k in range(n + 1)], dtype=float).T)
    design = Design(np.zeros(n, int), np.arange(n), np.ones(n), ("T01",), fpc=np.array([float(listed)]))
    rows = estimate_shares(design, answers, fewest=1).query("place == 'T01'")
    for having in range(listed + 1):
        chance = stats.hypergeom.pmf(np.arange(n + 1), listed, having, n)
        held = (rows["low"] <= having / listed + 1e-12) & (having / listed - 1e-12 <= rows["high"])
        above = p_above(rows, having / listed)[0]  # false where the share is the threshold and that is not enough
        below = p_above(rows, having / listed, is_met=True)[1]  # false where it is
        named = max(float(chance[2 * p < 0.05 / TOWNS].sum()) for p in (above, below))
        table.append((having / listed, float(chance[held].sum()), named))
    return pd.DataFrame(table, columns=["share", "coverage", "named"])


def main(repeats: int) -> int:
    ok, rng = True, np.random.default_rng(14)
    for name, setting in SETTINGS.items():
        rows = [(share, *try_setting(setting, share, repeats, rng)) for share in SHARES]
        table = pd.DataFrame(rows, columns=["share", "hard", "ordinary", "naming"]).set_index("share")
        is_mixed = len(set(setting.rho)) > 1
        least = stats.binom.ppf(0.001, repeats * max(1, setting.hard), LEAST) / repeats / max(1, setting.hard)
        most = stats.binom.ppf(0.999, repeats, MOST_NAMING) / repeats
        good = not (table["hard"] < least).any() and not table["ordinary"].mean() > MOST_MEAN
        good &= is_mixed or not (table["naming"] > most).any()
        ok &= good
        print(f"\n{name}: {'ok' if good else 'MISSED'}{' (naming is printed beside, no target)' if is_mixed else ''}")
        print(table.round(3).T.to_string())
    for listed, n in LISTS:
        table = staff_coverage(listed, n)
        middle = table[table["share"].between(0.2, 0.8)]
        naming = 1 - (1 - middle["named"].max()) ** TOWNS
        good = middle["coverage"].min() >= LEAST and naming <= MOST_NAMING
        ok &= good
        print(f"\nstaff, {n} of {listed} listed: coverage {middle['coverage'].min():.3f} to {middle['coverage'].max():.3f}, "
              f"18 such towns at the threshold name one in {naming:.3f} at most: {'ok' if good else 'MISSED'}")  # fmt: skip
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
