"""Time, peak memory and disk of a made-up province, the nation, and 4 million respondents; exits 1 where memory passes 2 GB.

    python benchmarks/scale.py [--only province|nation|memory]

The province goes through the whole county step, the others through cleaning, weights and the indicators of residents. Every
step runs in a process of its own; the data are made in a temporary folder (up to 7 GB of disk) and removed.
"""

import argparse
import json
import os
import resource
import sys
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from process import clocks, in_child, peak_bytes
from province import write_county

from huying.batch.county_step import prepare
from huying.batch.stored import clean_stored, estimate_stored
from huying.folder import read_county
from huying.store import write_parquet

SIZES = {"province": (1_853, 60), "nation": (41_352, 60), "memory": (41_352, 97)}  # towns, respondents a town
MOST = 2e9  # bytes


def size_of(folder: Path) -> int:
    """The bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def peak_of_tree() -> int:
    """The most memory that this process held, or any of its children."""
    return max(peak_bytes(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)


def measure(name: str, folder: Path) -> dict[str, float]:
    """Seconds (processor, clock) of cleaning and of the rest, peak bytes, and bytes of raw files and results."""
    county, out, marks = read_county(folder / "raw"), folder / "results", [clocks()]
    if name == "province":
        os.environ["HUYING_RESULTS"] = str(out)
        prepare(county, lambda step: marks.append(clocks()) if step == "estimates" else None)
    else:
        clean_stored(county, out)
        marks.append(clocks())
        shares, weights = estimate_stored(county, out, "2023")
        write_parquet(out / "indicators.parquet", shares)
        write_parquet(out / "weights.parquet", weights)
    marks.append(clocks())
    (clean_cpu, clean_clock), (rest_cpu, rest_clock) = (after - before for before, after in pairwise(marks))
    return {"clean_cpu": clean_cpu, "clean_clock": clean_clock, "rest_cpu": rest_cpu, "rest_clock": rest_clock,
            "peak": peak_of_tree(), "raw": size_of(folder / "raw"), "results": size_of(out)}  # fmt: skip


def report(name: str) -> bool:
    """Make, measure and print one size; whether it kept within MOST."""
    towns, each = SIZES[name]
    with TemporaryDirectory() as folder:
        in_child(__file__, "--make", name, Path(folder) / "raw")
        took = in_child(__file__, "--measure", name, folder)
    print(f"{name}: {towns} towns, {towns * each} respondents; clean {took['clean_cpu']:.0f} s of processor, {took['clean_clock']:.0f} s "
          f"by the clock; rest {took['rest_cpu']:.0f} s, {took['rest_clock']:.0f} s; peak {took['peak'] / 1e9:.2f} GB; "
          f"disk {took['raw'] / 1e6:.0f} MB raw, {took['results'] / 1e6:.0f} MB results", flush=True)  # fmt: skip
    return took["peak"] <= MOST


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SIZES)
    for step in ("--make", "--measure"):
        parser.add_argument(step, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        towns, each = SIZES[asked.make[0]]
        print(json.dumps(str(write_county(Path(asked.make[1]), towns, each))))
        return 0
    if asked.measure:
        print(json.dumps(measure(asked.measure[0], Path(asked.measure[1]))))
        return 0
    good = [report(name) for name in SIZES if asked.only in (None, name)]
    print("within 2 GB" if all(good) else "more than 2 GB")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
