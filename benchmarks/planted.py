"""The planted lines on other seeds of the demo county, through the whole pipeline: raw exports, cleaning, verdicts.

For each seed the county is written anew and tests/end_to_end/test_planted.py and test_dirt.py run on it; the lines of
tests/data/planted_expected.csv that depend on chance are counted. Run: python benchmarks/planted.py [SEEDS [FIRST]]
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from scipy import stats

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from demo_county.write import write_demo  # noqa: E402

TESTS = ["tests/end_to_end/test_planted.py", "tests/end_to_end/test_dirt.py"]
TABLE = csv.DictReader((ROOT / "tests/data/planted_expected.csv").read_text("utf-8-sig").splitlines())
BY_CHANCE = [line for line in TABLE if line["certainty"] == "stochastic"]
VERDICT = re.compile("not supported|supported|cannot say")


def one_seed(seed: int, folder: Path) -> tuple[bool, pd.DataFrame]:
    """Whether every sure line holds for this seed, and its evidence ledger."""
    county, key = folder / "survey_data" / "demo", folder / "key"
    write_demo(county, key, seed)
    around = {
        **os.environ,
        "HUYING_RESULTS": str(folder / "results"),
        "HUYING_DEMO": str(county),
        "HUYING_DEMO_KEY": str(key),
    }
    freeze = [sys.executable, "-m", "huying", "freeze", str(county)]
    subprocess.run(freeze, check=True, env=around, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        cwd=ROOT,
        env=around,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))))
    return done.returncode == 0, pd.read_parquet(folder / "results" / "demo" / "evidence.parquet")


def holds(line: dict[str, str], evidence: pd.DataFrame) -> bool:
    """Whether a line that depends on chance came out in this seed, by the place's own verdict."""
    own = evidence[(evidence["claim"] == line["claim_or_part"]) & (evidence["place"] == line["who"])]
    if line["who"].startswith("K"):
        return bool(own["remark"].str.contains("outside_limits").any())
    head = own[(own["part"] == "") & own["wave"].isin(["2023", ""])]
    return head["verdict"].item() in VERDICT.findall(line["expected"])


def main(seeds: int, first: int = 1) -> int:
    sure, wrong, seen = 0, 0, dict.fromkeys((f"{line['who']} {line['claim_or_part']}" for line in BY_CHANCE), 0)
    for seed in range(first, first + seeds):
        with tempfile.TemporaryDirectory() as folder:
            good, evidence = one_seed(seed, Path(folder))
        sure += good
        found = {f"{line['who']} {line['claim_or_part']}": holds(line, evidence) for line in BY_CHANCE}
        seen = {name: n + found[name] for name, n in seen.items()}
        wrong += (not found["T01 P16"]) + (not found["T15 P16"])
        lacks = ", ".join(name for name, came in found.items() if not came)
        print(f"seed {seed}: sure lines {'hold' if good else 'BROKEN'}; by chance not: {lacks or '-'}", flush=True)
    most = stats.binom.ppf(0.999, 2 * seeds, 0.025)
    print(f"sure lines hold in {sure} of {seeds} seeds; T01 or T15 wrongly accused {wrong} times (at most {most:.0f} by the tests' error rate)")  # fmt: skip
    print("lines that depend on chance came out in: " + ", ".join(f"{name} {n}" for name, n in seen.items()))
    return 0 if sure == seeds and wrong <= most else 1


if __name__ == "__main__":
    raise SystemExit(main(*(int(word) for word in sys.argv[1:] or ["20"])))
