"""12 shares of every town beside R `survey` and `svy` in the same run; a peer that is missing is an error, not a pass.

Ratios are of processor time, which neighbours on the machine disturb less; the clock's stand beside. Our time has the
intervals, R's has not; no time has the reading and splitting of files. The peers work in chunks of towns, each with a
design of its own: nothing is lost, for strata are towns.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from process import Took, clocks

from huying.design import Design
from huying.estimates import estimate_shares
from huying.weights import rake_towns

HERE = Path(__file__).parent
SHARES = [f"y{k:02d}" for k in range(12)]
VILLAGES, CHUNK = 6, 50
TURN = 5  # of our runs to one of a peer: a run is short and the machine noisy


def draw_people(n: int, towns: int, seed: int = 1) -> pd.DataFrame:
    """Respondents in the order in which forms come in; town x sex and town x age as categories counted over all towns."""
    rng = np.random.default_rng(seed)
    town = rng.integers(0, towns, n)
    village = town * VILLAGES + rng.integers(0, VILLAGES, n)
    lean = rng.normal(0, 0.05, towns * VILLAGES)[village]
    shares = {name: (rng.random(n) < 0.2 + 0.05 * k + lean).astype(float) for k, name in enumerate(SHARES)}
    groups = {"sex": town * 2 + rng.integers(0, 2, n), "age": town * 3 + rng.integers(0, 3, n)}
    return pd.DataFrame({"town": town, "village": village, "w": rng.uniform(5, 50, n), **groups, **shares}, copy=False)


def draw_margins(people: pd.DataFrame, towns: int) -> dict[str, Any]:
    """Totals (towns x groups) of each margin: those of the sample bent by up to a fifth; both sum to the town's adults."""
    rng, margins = np.random.default_rng(2), {}
    adults = np.bincount(people["town"], people["w"], minlength=towns)[:, None]
    for name, groups in (("sex", 2), ("age", 3)):
        counts = np.bincount(people[name], people["w"], minlength=towns * groups).reshape(towns, groups)
        bent = counts * rng.uniform(0.8, 1.2, counts.shape)
        margins[name] = bent / bent.sum(axis=1, keepdims=True) * adults
    return margins


def ours(people: pd.DataFrame, towns: int, margins: dict[str, Any] | None = None) -> tuple[Took, Any]:
    """Seconds, and estimates and standard errors (towns x 2 x 12) of `estimate_shares`, intervals included."""
    codes = {name: people[name].to_numpy() for name in people}
    town, base, places = codes["town"], codes["w"], [f"{t:05d}" for t in range(towns)]
    start = clocks()
    design = Design(town, codes["village"], base, tuple(places))
    if margins:
        groups = {name: codes[name] % totals.shape[1] for name, totals in margins.items()}
        design, _ = rake_towns(design, groups, margins)
    frame = estimate_shares(design, people[SHARES]).query("place != 'county'")
    took = clocks() - start
    return took, frame[["estimate", "se"]].to_numpy().reshape(len(SHARES), towns, 2).transpose(1, 2, 0)


def with_r(folder: Path, people: str, way: str, *margins: Path) -> tuple[Took, Any]:
    """The same by `estimates.R`; `way` is a call of svyby a variable (`one`), or one call for all (`joint`)."""
    command = ["Rscript", HERE / "estimates.R", folder / people, folder / "out.csv", str(CHUNK), way, *margins]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return np.array(done.stdout.split(), dtype=float), pd.read_csv(folder / "out.csv", header=None).to_numpy().reshape(
        -1, 2, len(SHARES)
    )


def with_svy(people: pd.DataFrame) -> tuple[Took, Any]:
    """The same by `svy`; a call a variable, which is its faster way here."""
    import polars as pl
    import svy

    chunks = [pl.from_pandas(part) for _, part in people.groupby(people["town"] // CHUNK)]
    start = clocks()
    samples = [svy.Sample(chunk, svy.Design(stratum="town", psu="village", wgt="w")).estimation for chunk in chunks]
    found = [[sample.mean(name, by="town") for name in SHARES] for sample in samples]
    took = clocks() - start
    numbers = [[one.to_polars().sort("town").select("est", "se").to_numpy() for one in each] for each in found]
    return took, np.concatenate([np.stack(each, axis=2) for each in numbers])


def compare(label: str, target: float, digits: int, runs: int, one: Callable[[], Any], peer: Callable[[], Any]) -> bool:
    """Run both in turn, print the ratio of their median times on the processor; raises ValueError where their numbers differ."""
    turns = [([one() for _ in range(TURN)], peer()) for _ in range(runs)]
    mine = np.median([took for own, _ in turns for took, _ in own], axis=0)
    theirs = np.median([took for _, (took, _) in turns], axis=0)
    found, expected = turns[0][0][0][1], turns[0][1][1]
    gap = float((np.abs(found - expected) / np.abs(expected)).max())
    if not gap < 10.0**-digits:
        raise ValueError(f"{label}: estimates or standard errors differ by {gap:.2g} of their size")
    ratio, by_clock = theirs / mine
    print(f"{label}={ratio:.1f} (target {target:g}; ours {mine[0]:.3f} s, peer {theirs[0]:.2f} s), by the clock {by_clock:.1f} "
          f"({mine[1]:.3f} s, {theirs[1]:.2f} s); largest relative difference {gap:.0e}", flush=True)  # fmt: skip
    return bool(ratio >= target)


def runs_well(command: list[str]) -> bool:
    return bool(which(command[0])) and subprocess.run(command, capture_output=True).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each side, in turn; the median counts")
    parser.add_argument("--without-r", action="store_true", help="leave R survey out")
    parser.add_argument("--without-svy", action="store_true", help="leave svy out")
    asked = parser.parse_args()
    peers = {"r": ["Rscript", "-e", "library(survey)"], "svy": [sys.executable, "-c", "import svy"]}
    left_out = {"r": asked.without_r, "svy": asked.without_svy}
    for name, command in peers.items():
        if left_out[name]:
            print(f"peer {name} left out as asked")
        elif not runs_well(command):
            print(f"peer {name} not found: install it, or say --without-{name}")
            return 1
    with TemporaryDirectory() as name:
        folder = Path(name)
        few, margins = draw_people(5_000, 20), folder / "margins.csv"
        # R's rake() sweeps unweighted means: right only where the base weights of a town are equal.
        few["w"], totals = 20.0 + few["town"], draw_margins(few, 20)
        pd.concat([pd.DataFrame({"margin": key, "category": range(total.size), "n": total.ravel()})
                   for key, total in totals.items()]).to_csv(margins, index=False)  # fmt: skip
        few.to_csv(folder / "few.csv", index=False)
        draw_people(200_000, 1_800).to_csv(folder / "people.csv", index=False)
        people = pd.read_csv(folder / "people.csv")
        mine, mine_raked = partial(ours, people, 1_800), partial(ours, few, 20, totals)
        against = {
            "svy": [("ratio_svy", 15, 9, mine, partial(with_svy, people))],
            "r": [("ratio_r", 50, 9, mine, partial(with_r, folder, "people.csv", "one")),
                  ("ratio_r_joint", 20, 9, mine, partial(with_r, folder, "people.csv", "joint")),
                  ("ratio_r_raked", 200, 6, mine_raked, partial(with_r, folder, "few.csv", "one", margins)),
                  ("ratio_r_raked_joint", 20, 6, mine_raked, partial(with_r, folder, "few.csv", "joint", margins))],
        }  # fmt: skip
        asked_for = [row for name, rows in against.items() if not left_out[name] for row in rows]
        good = [compare(label, target, digits, asked.runs, *sides) for label, target, digits, *sides in asked_for]
    print("all targets met" if all(good) else "a target was missed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
