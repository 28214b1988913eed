"""Reading and cleaning a 问卷星 export beside a plain pandas script, by size; refuses to compare where the answers differ.

Flags compare whole forms, which the peer does not: they are no part of `ratio_pandas`. Ratios are of processor time.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from plain_pandas import recode
from process import clocks, in_child, peak_bytes
from pyarrow import Table, csv

from huying.clean.answers import clean_answers, with_list
from huying.clean.flags import find_flags
from huying.clean.intake import Intake, county_lists
from huying.codebook import house_codebook
from huying.folder import Survey, read_county
from huying.sources.exports import read_answers
from huying.sources.table import REPEAT, read_table
from huying.sources.wjx import SERIAL, bind

DEMO = Path(__file__).parents[1] / "survey_data" / "demo"
EXPORT, WAVE = DEMO / "raw" / "residents_2023_text.csv", "2023"
SIZES, BATCH = (1_200, 120_000, 1_200_000), 100_000
MOST_RATIO, MOST_MEMORY, LARGE = 5.0, 3.0, 50e6  # the memory of a file under LARGE bytes is that of the libraries

intake = Intake(read_county(DEMO), house_codebook())
for entry in intake.in_order():
    intake.take_ledger(entry)
listed = county_lists({table: frame for (table, _), frame in intake.ledgers.items()})
lists = {name: [(code, label) for code, _, label in rows] for name, rows in listed.items()}
items = [item if item.role == "town" else with_list(item, lists) for item in intake.book.form("resident")]


def write_export(path: Path, n: int) -> None:
    """The demo's export with `n` rows: its forms again and again, with other numbers, times and answers in the matrices."""
    rng, demo = np.random.default_rng(n), read_table(EXPORT, repeats=True).text
    bound, _ = bind(demo, items, by_option=False)
    mixed = [bound[cell] for item in items if item.is_matrix and not item.asked_if for cell in item.cells]
    with path.open("wb") as stream:
        stream.write("\ufeff".encode() + ",".join(name.split(REPEAT)[0] for name in demo).encode() + b"\n")
        for first in range(1, n + 1, BATCH):
            size = min(BATCH, n + 1 - first)
            part = demo.iloc[rng.integers(0, len(demo), size)].reset_index(drop=True)
            part = part.assign(**{name: part[name].take(rng.permutation(size)).array for name in mixed})
            sent = pd.Timestamp("2023-05-08 08:00") + pd.to_timedelta(rng.integers(0, 25 * 86_400, size), unit="s")
            part[SERIAL], part["提交答卷时间"] = (
                np.arange(first, first + size).astype(str),
                sent.strftime("%Y/%m/%d %H:%M:%S"),
            )
            part["所用时间"] = [f"{seconds}秒" for seconds in rng.integers(60, 900, size)]
            table = Table.from_pandas(part, preserve_index=False)
            csv.write_csv(table, stream, csv.WriteOptions(include_header=False, quoting_style="none"))


def ours(path: Path) -> Any:
    survey = Survey("resident", WAVE, "wjx", text=path.name)
    order = list(intake.ledgers["towns", ""]["town_id"])
    answers = read_answers(path, None, items)
    return clean_answers(answers, items, survey, intake.county.waves[WAVE], intake.matchers["town"], order)


def make_plan() -> dict[str, tuple[int, str, Any, bool]]:
    """What the plain script knows of each cell, see `recode`."""
    header = pd.read_csv(EXPORT, nrows=0, encoding="utf-8-sig").columns
    bound, _ = bind(header, items, by_option=False)
    plan: dict[str, tuple[int, str, Any, bool]] = {}
    for item in items:
        codes = {text: option.code for option in item.options for text in option.text}
        texts = [(name, option.text.zh) for name, option in zip(item.variables, item.options, strict=False)]
        kind = item.type if item.type in ("multi", "text") else "one" if codes else "number"
        known = texts if kind == "multi" else codes
        plan |= {cell: (header.get_loc(bound[cell]), kind, known, bool(item.fill_in)) for cell in item.cells}
    return plan


def measure(who: str, path: Path) -> dict[str, float]:
    """In a process of its own, after a first run over the small demo: seconds, and the peak of memory above that run's."""
    work = ours if who == "ours" else partial(recode, plan=make_plan())
    work(EXPORT)
    bare, start = peak_bytes(), clocks()
    done = work(path)
    took, start = clocks() - start, clocks()
    found = {"s": took[0], "clock": took[1], "bytes": float(peak_bytes() - bare)}
    if who == "ours":
        find_flags(done.kept, intake.book.form("resident"), intake.county.thresholds)
        found["flags"] = (clocks() - start)[0]
    return found


def check_same(path: Path) -> None:
    """Print how much of what we read the plain script reads too; raises ValueError where single answers differ."""
    mine, plan = ours(path).kept, make_plan()
    line = mine["row_id"].str.rsplit("#").str[-1].astype(int) - 2
    other = recode(path, plan).loc[line].reset_index(drop=True)
    cells = [cell for cell, (_, kind, _, _) in plan.items() if kind in ("one", "number") and cell in mine]
    ours_, theirs = mine[cells].to_numpy(float, na_value=np.nan), other[cells].to_numpy(float, na_value=np.nan)
    both = ~np.isnan(ours_) & ~np.isnan(theirs)
    if (ours_ != theirs)[both].any():
        raise ValueError(f"{path.name}: the plain script reads other answers: {int((ours_ != theirs)[both].sum())}")
    print(f"same answers; the plain script misses {1 - both.sum() / (~np.isnan(ours_)).sum():.1%} of ours")


def compare(path: Path, runs: int) -> bool:
    """Print one size: both sides in turn, each in new processes."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for _ in range(runs):
        for who, results in found.items():
            results.append(in_child(__file__, "--measure", who, path))
    ours_, plain_ = (pd.DataFrame(results).median() for results in found.values())
    ratio, size = ours_ / plain_, path.stat().st_size
    memory, with_flags = ours_["bytes"] / size, (ours_["s"] + ours_["flags"]) / plain_["s"]
    print(f"{size / 1e6:.0f} MB: ratio_pandas={ratio['s']:.2f} (ours {ours_['s']:.2f} s, peer {plain_['s']:.2f} s; "
          f"by the clock {ratio['clock']:.2f}); with flags {with_flags:.2f} (flags {ours_['flags']:.2f} s); "
          f"memory_ratio={memory:.2f} (peer {plain_['bytes'] / size:.2f})")  # fmt: skip
    return ratio["s"] <= MOST_RATIO and (size < LARGE or memory <= MOST_MEMORY)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--runs", type=int, default=3, help="of each side, in turn; the median counts")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        who, path = (
            asked.measure[0],
            Path(asked.measure[1]),
        )  # a number: the export is written here, the parent stays small
        print(json.dumps(write_export(path, int(who)) if who.isdigit() else measure(who, path)))
        return 0
    good = []
    with TemporaryDirectory() as folder:
        for n in asked.rows:
            path = Path(folder) / f"{n}.csv"
            in_child(__file__, "--measure", n, path)
            print(f"{n} rows, ", end="", flush=True)
            good.append(compare(path, asked.runs))
            if n == asked.rows[0]:
                check_same(path)
            path.unlink()
    print("all targets met" if all(good) else "a target was missed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
