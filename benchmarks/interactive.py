"""What a researcher waits for at the keyboard, beside R `survey` and a plain pandas group-by on the same rows in the same run.

Opening the prepared demo county with its residents; a share by town, and by town and age; a crosstab with its test; a
chart. Ratios are of processor seconds, medians of turns after one to warm up. R does it twice: `ratio_share` with raked
weights, where its numbers must be ours, and `ratio_share_fixed` with weights that are fixed, which spares it the
calibration that huying credits. Neither gives intervals.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import matplotlib
import numpy as np
import pandas as pd
from process import clocks, in_child

import huying as hy
from huying.estimates import COUNTY
from huying.survey import Survey

HERE = Path(__file__).parent
SHARE, ROW, COLUMN = "aware", "heard_reform", "age_group"
OPEN = """
import json, time
start = time.perf_counter()
import huying as hy
residents = hy.county({county!r}).survey("resident")
print(json.dumps([time.perf_counter() - start, len(residents.frame)]))
"""


def timed(task: Callable[[], object], turns: int) -> float:
    """Processor seconds of `task`, the median of `turns` after one to warm up."""
    task()
    took = []
    for _ in range(turns):
        start = clocks()
        task()
        took.append((clocks() - start)[0])
    return float(np.median(took))


def by_hand(frame: pd.DataFrame) -> pd.Series:
    """Weighted shares by town as most people write them in pandas: no interval, no design."""
    known = frame.loc[frame[SHARE].notna(), ["town", "weight", SHARE]].astype({SHARE: float})
    sums = known.assign(yes=known[SHARE] * known["weight"]).groupby("town")[["yes", "weight"]].sum()
    return sums["yes"] / sums["weight"]


def chart(shares: pd.DataFrame) -> None:
    """The forest of a share by town, drawn and rendered as a notebook shows it."""
    from matplotlib import pyplot

    ax = hy.charts.forest(shares, threshold=0.5)
    ax.figure.canvas.draw()
    pyplot.close(ax.figure)


def opened(county: str) -> float:
    """Seconds by the clock of a new interpreter that imports huying and opens the county's residents."""
    with TemporaryDirectory() as folder:
        program = Path(folder) / "open.py"
        program.write_text(OPEN.format(county=county), encoding="utf-8")
        return float(np.median([in_child(program)[0] for _ in range(3)]))


def with_r(residents: Survey, turns: int) -> tuple[dict[str, float], pd.DataFrame]:
    """Seconds of each task in R, and its numbers."""
    frame, design = residents.frame, residents.design
    people = pd.DataFrame({"town": frame["town"], "psu": design.psu, "weight": design.weight})
    people = people.assign(base=design.prior, **{f"margin{k}": code for k, code in enumerate(design.margins)})
    people = people.assign(share=frame[SHARE].astype("Int64"), row=frame[ROW], column=frame[COLUMN])
    with TemporaryDirectory() as folder:
        given, answers = Path(folder) / "people.csv", Path(folder) / "answers.csv"
        people.to_csv(given, index=False)
        command = ["Rscript", HERE / "interactive.R", given, answers, str(turns)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        took = pd.read_csv(StringIO(said), sep=r"\s+", header=None, index_col=0)[1].to_dict()
        return took, pd.read_csv(answers, dtype={"place": str, "level": str}, keep_default_na=False)


def compare(residents: Survey, theirs: pd.DataFrame) -> float:
    """The largest relative gap to R's estimates and errors; raises ValueError where it is no rounding."""
    every = replace(residents, fewest=1)
    share = every.share(SHARE, by="town").assign(task="share", level="")
    crossed = every.crosstab(ROW, COLUMN)
    table = crossed.table.rename(columns={"row": "place", "column": "level"}).assign(task="crosstab")
    test = pd.DataFrame([{"task": "test", "place": "", "level": "", "estimate": crossed.test.F, "se": crossed.test.p}])
    mine = pd.concat([share[share["place"] != COUNTY], table, test])[["task", "place", "level", "estimate", "se"]]
    both = mine.merge(theirs, on=["task", "place", "level"], validate="one_to_one")
    if len(both) != len(theirs):
        raise ValueError(f"R has {len(theirs)} numbers, of which {len(both)} are here")
    gaps = [np.abs(both[f"{c}_x"] / both[f"{c}_y"].astype(float) - 1).max() for c in ("estimate", "se")]
    if not max(gaps) < 1e-8:
        raise ValueError(f"estimates or errors differ from R's by {max(gaps):.2g} of their size")
    return float(max(gaps))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--county", default="demo")
    parser.add_argument("--turns", type=int, default=9)
    asked = parser.parse_args()
    os.environ.setdefault("HUYING_HOME", str(HERE.parent))
    matplotlib.use("agg")
    residents = hy.county(asked.county).survey("resident")
    frame, shares = residents.frame, residents.share(SHARE, by="town")
    tasks: dict[str, Callable[[], object]] = {
        "share": lambda: residents.share(SHARE, by="town"),
        "share_two": lambda: residents.share(SHARE, by=["town", COLUMN]),
        "crosstab": lambda: residents.crosstab(ROW, COLUMN),
        "chart": lambda: chart(shares),
    }
    took = {name: timed(task, asked.turns) for name, task in tasks.items()}
    took["open"], pandas = opened(asked.county), timed(lambda: by_hand(frame), asked.turns)
    print(f"{len(frame)} residents; " + ", ".join(f"{name}_s={value:.4f}" for name, value in took.items()))
    hand = by_hand(frame).reindex(shares["place"]).to_numpy()
    said = np.isfinite(shares["estimate"].to_numpy(float)) & (shares["place"] != COUNTY).to_numpy()
    gap = float(np.abs(hand[said] / shares["estimate"].to_numpy(float)[said] - 1).max())
    print(f"ratio_pandas={took['share'] / pandas:.1f} (ours {took['share']:.4f} s with intervals, a group-by {pandas:.4f} s without; "
          f"largest relative difference {gap:.0e})")  # fmt: skip
    if not which("Rscript"):
        print("peer r not found: no ratio_share; install R with the package survey")
        return 0
    theirs, numbers = with_r(residents, asked.turns)
    gap = compare(residents, numbers)
    for name, seconds in theirs.items():
        own = took[name.removesuffix("_fixed")]
        print(f"ratio_{name}={seconds / own:.1f} (ours {own:.4f} s, R {seconds:.4f} s)")
    print(f"largest relative difference from R with raked weights {gap:.0e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
