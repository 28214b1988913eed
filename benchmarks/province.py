"""What a county costs among 10, 20 and 40: one run of generated counties (12 towns, 60 answers a town, ledgers); exits 1 where it grows.

Each county is drawn from the synthetic demo county: other towns, other people, other calls. Notebooks 11 and 13 are run for the
county, which records the evidence of both; the ledgers of all counties are then read together.
"""

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from huying.batch.cluster import run_counties
from huying.sources.table import read_table
from huying.store import read_json

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "survey_data" / "demo"
BLOCKS, TOWNS, ANSWERS = (10, 20, 40), 12, 60
SLACK = 1.15  # by which a county may cost more in the last block than in the first
LEDGERS = ("towns", "villages", "departments", "org_map", "org_roster", "need_counts")
HEAD = """[county]
id = "{name}"
name_zh = "{name}（合成）"
name_en = "{name} (synthetic)"
is_synthetic = true
sampling = "probability"
prefixes = ["示例县", "示例"]

[exclude]
flags = []

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06

[period.2023]
from = 2023-05-08
to = 2023-06-02
as_of = 2023-06-05

[[survey]]
form = "resident"
wave = "2023"
reader = "wjx"
text = "text.csv"
number = "number.csv"
"""


def read(file: str) -> pd.DataFrame:
    """A table of the demo county as text."""
    return read_table(DEMO / "raw" / file).text


def make_county(folder: Path, prepared: Path, seed: int) -> None:
    """A county of its own towns, people and calls."""
    draw = np.random.default_rng(seed)
    register = pd.read_parquet(prepared / "data" / "ledgers" / "towns@.parquet")
    towns = sorted(draw.choice(register["town_id"], TOWNS, replace=False))
    others = register.loc[~register["town_id"].isin(towns), ["town_id", "name_zh"]].to_numpy().ravel()
    folder.mkdir(parents=True)
    declared = [HEAD.format(name=folder.name)]
    people = pd.read_parquet(prepared / "data" / "forms" / "resident.parquet", columns=["row_id", "town_id"])
    file, line = (people["row_id"].str.split("#").str[part] for part in (0, 1))
    people = people.assign(line=line.astype(int))[
        (file == "raw/residents_2023_text.csv") & people["town_id"].isin(towns)
    ]
    lines = people.groupby("town_id").sample(ANSWERS, replace=True, random_state=seed)["line"]
    for kind in ("text", "number"):
        file = DEMO / "raw" / f"residents_2023_{kind}.csv"
        taken = pd.read_csv(file, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig").iloc[
            [0, *(lines - 1)]
        ]
        taken[0] = [taken.iat[0, 0], *range(1, len(taken))]  # the number of a form
        if kind == "number":  # that of an answer is its place among the towns of this county
            at = next(n for n in taken if "您如今住在哪个镇街" in taken.iat[0, n])
            own = {str(int(town[1:])): str(n) for n, town in enumerate(towns, 1)}
            taken[at] = [taken.iat[0, at], *taken[at].iloc[1:].map(own)]
        taken.to_csv(folder / f"{kind}.csv", index=False, header=False, encoding="utf-8-sig")
    calls = pd.read_parquet(prepared / "data" / "ledgers" / "calls@2022.parquet", columns=["call_id", "town_id"])
    here = calls.loc[calls["town_id"].isin(towns), "call_id"]
    tables = {name: read(f"{name}.csv") for name in LEDGERS}
    tables |= {"unit_check": read("unit_check_2023.csv"), "calls": read("calls_2022.xlsx")}
    tables["calls"] = tables["calls"][tables["calls"]["呼叫编号"].isin(here)]
    for name, table in tables.items():
        table[~table.isin(others).any(axis=1)].to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig")
        period = {"calls": "2022", "need_counts": "2022", "unit_check": "2023"}.get(name)
        declared.append(
            f'[[ledger]]\ntable = "{name}"\nfile = "{name}.csv"' + (f'\nperiod = "{period}"' if period else "")
        )
    (folder / "county.toml").write_text("\n\n".join(declared) + "\n", "utf-8")


def measure(home: Path, folders: list[str], options: list[str]) -> pd.DataFrame:
    """A row a county: processor seconds, megabytes of the largest process, bytes left on the disk."""
    rows, before = [], os.times()
    for folder, told in run_counties(folders, options, ""):
        if told["code"]:
            raise SystemExit(f"{folder}: {told['error']}")
        now, results = os.times(), home / "results" / Path(folder).name
        jobs = [read_json(file) for file in results.glob("receipts/*.json")]
        size = sum(file.stat().st_size for file in results.rglob("*") if file.is_file())
        cpu = sum(now[2:4]) - sum(before[2:4]) + sum(job.get("cpu_s", 0) for job in jobs)
        rows.append({"cpu_s": cpu, "mb": max(job.get("peak_mb", 0) for job in jobs), "disk_mb": size / 1e6})
        before = now
    return pd.DataFrame(rows)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--blocks", type=int, nargs="+", default=BLOCKS, help="counties after which to look")
    blocks = asked.parse_args().blocks
    subprocess.run(
        [sys.executable, "-m", "huying", "prepare", "demo", "--json"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for k in range(blocks[-1]):
            make_county(home / "survey_data" / f"c{k:02d}", ROOT / "results" / "demo", k)
        (home / "notebooks").symlink_to(ROOT / "notebooks")
        (home / "requirements.lock").symlink_to(ROOT / "requirements.lock")
        folders = [str(folder) for folder in sorted((home / "survey_data").iterdir())]
        options = ["--notebooks", "11", "13", "--towns", "county", "--workers", "1"]
        began = time.perf_counter()
        table = measure(home, folders, options)
        wall = time.perf_counter() - began
        began = time.perf_counter()
        ledgers = [pd.read_parquet(home / "results" / Path(folder).name / "evidence.parquet") for folder in folders]
        rows = len(pd.concat(ledgers))
        gathered = time.perf_counter() - began
    starts = (0, *blocks[:-1])
    means = pd.DataFrame(
        {f"{a + 1} to {b}": table.iloc[a:b].mean() for a, b in itertools.pairwise((*starts[:1], *blocks))}
    ).T
    print(means.round(2).to_string())
    print(f"{len(table)} counties in {wall:.0f} s; evidence of all, {rows} rows, read in {gathered:.2f} s")
    print(f"largest process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
    growth = means.iloc[-1] / means.iloc[0]
    print(f"growth_s={growth['cpu_s']:.2f} growth_mb={growth['mb']:.2f}")
    return 0 if growth[["cpu_s", "mb"]].max() <= SLACK else 1


if __name__ == "__main__":
    sys.exit(main())
