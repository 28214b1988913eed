"""The planted lines on other seeds of the demo county, through the whole pipeline: raw exports, cleaning, verdicts.

For each seed the county is written anew and tests/end_to_end/test_planted.py and test_dirt.py run on it; the lines that
depend on chance are counted. Run: python benchmarks/planted.py [SEEDS [FIRST]]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from scipy import stats

ROOT = Path(__file__).parents[1]
TESTS = ["tests/end_to_end/test_planted.py", "tests/end_to_end/test_dirt.py"]


def one_seed(seed: int, folder: Path) -> tuple[bool, pd.DataFrame]:
    """Whether every sure line holds for this seed, and its evidence ledger."""
    county, key = folder / "survey_data" / "demo", folder / "key"
    python = [sys.executable, "-m"]
    subprocess.run(
        [*python, "huying", "demo", str(county), "--key", str(key), "--seed", str(seed)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run([*python, "huying", "freeze", str(county)], check=True, stdout=subprocess.DEVNULL)
    around = {
        **os.environ,
        "HUYING_RESULTS": str(folder / "results"),
        "HUYING_DEMO": str(county),
        "HUYING_DEMO_KEY": str(key),
    }
    done = subprocess.run(
        [*python, "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        cwd=ROOT,
        env=around,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "E  "))))
    return done.returncode == 0, pd.read_parquet(folder / "results" / "demo" / "evidence.parquet")


def main(seeds: int, first: int = 1) -> int:
    sure, outside, wrong = 0, 0, 0
    for seed in range(first, first + seeds):
        with tempfile.TemporaryDirectory() as folder:
            good, evidence = one_seed(seed, Path(folder))
        sure += good
        own = evidence[(evidence["claim"] == "P33") & (evidence["place"] == "K13")]
        outside += own["remark"].str.contains("outside_limits").any()
        p16 = evidence[
            (evidence["claim"] == "P16") & (evidence["part"] == "") & (evidence["wave"] == "2023")
        ].set_index("place")["verdict"]
        wrong += (p16[["T01", "T15"]] == "supported").sum()
        print(
            f"seed {seed}: sure lines {'hold' if good else 'BROKEN'}; K13 outside the funnels: {own['remark'].str.contains('outside').any()}",
            flush=True,
        )
    print(f"sure lines hold in {sure} of {seeds} seeds; K13 outside in {outside}; T01 or T15 wrongly accused {wrong} times "
          f"(at most {stats.binom.ppf(0.999, 2 * seeds, 0.025):.0f} by the tests' error rate)")  # fmt: skip
    return 0 if sure == seeds and wrong <= stats.binom.ppf(0.999, 2 * seeds, 0.025) else 1


if __name__ == "__main__":
    raise SystemExit(main(*(int(word) for word in sys.argv[1:] or ["20"])))
