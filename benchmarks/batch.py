"""One notebook a town, every way in one run: papermill's command line, its function, the plain code, and huying; exits 1 where a target is missed."""

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("13_calls_and_responses", "11_parallel_structures")
TARGETS = {"ratio_cli": 7.0, "ratio_cli_same_workers": 3.5}
MOST_OVERHEAD_S = 0.25
ADOPT = 36  # PR_SET_CHILD_SUBREAPER: the warm parent of all jobs outlives the command that began it by a moment
CLI, CLI_2 = "papermill CLI, one after another", "papermill CLI, 2 at once"

EXECUTE = """
import sys, papermill
for source, output, town in (line.split("|") for line in sys.argv[1:]):
    papermill.execute_notebook(source, output, {"county": "demo", "town": town, "wave": "2023", "lang": "zh"}, progress_bar=False, cwd="notebooks")
"""
PLAIN = """
import contextlib, io, json, os, sys, time
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
def cells(source):
    return [compile("".join(cell["source"]), "cell", "exec") for cell in json.load(open(source, encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", [])]
def one(code, town):
    names = {"county": "demo", "town": town, "wave": "2023", "lang": "zh"}
    os.environ.update(HUYING_PLACE=town, HUYING_WAVE="2023", HUYING_LANG="zh")
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in code:
            exec(cell, names)
    plt.close("all")
jobs = [line.split("|") for line in sys.argv[1:]]
code = {source: cells(source) for source, _, _ in jobs}
for source in code:
    one(code[source], jobs[0][2])
cpu, wall = time.process_time(), time.perf_counter()
for source, _, town in jobs:
    one(code[source], town)
print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]))
"""


def jobs(folder: Path, towns: list[str]) -> list[str]:
    """Source, output and town of each job, as one text."""
    return [f"notebooks/{name}.ipynb|{folder / f'{name}_{town}.ipynb'}|{town}" for town in towns for name in NOTEBOOKS]


def papermill_of(job: str) -> list[str]:
    """The command that a user types for one town."""
    source, output, town = job.split("|")
    return [sys.executable, "-m", "papermill", source, output, "--cwd", "notebooks", "--no-progress-bar", "--log-level", "ERROR",
            "-r", "county", "demo", "-r", "town", town, "-r", "wave", "2023", "-r", "lang", "zh"]  # fmt: skip


def call(command: list[str], environ: dict[str, str]) -> str:
    return subprocess.run(
        command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout


def command_lines(folder: Path, towns: list[str], environ: dict[str, str], at_once: int) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda job: call(papermill_of(job), environ), jobs(folder, towns)))


def huying(results: Path, towns: list[str], environ: dict[str, str], workers: int) -> dict[str, Any]:
    """Everything of these towns made anew by one command; returns what it told."""
    for name in ("receipts", "notebooks"):
        shutil.rmtree(results / name, ignore_errors=True)
    command = [sys.executable, "-m", "huying", "run", "demo", "--towns", *towns, "--notebooks", *NOTEBOOKS]
    told: dict[str, Any] = json.loads(
        call([*command, "--lang", "zh", "--wave", "2023", "--workers", str(workers), "--json"], environ)
    )
    assert not told["failed"] and told["done"] == len(towns) * len(NOTEBOOKS), told
    return told


@contextmanager
def children_cpu() -> Iterator[Callable[[], float]]:
    """CPU seconds of the processes that were started and have ended within the block."""
    before = os.times()

    def spent() -> float:
        with suppress(ChildProcessError):  # those whose own parent has ended before them
            while True:
                os.waitpid(-1, 0)
        return sum(os.times()[2:4]) - sum(before[2:4])

    yield spent


class Peak(threading.Thread):
    """The most memory that this process's descendants hold together (shared pages once) and the largest one alone, sampled."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.together = self.largest = 0
        self.done = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.done.wait(0.5):
            sizes = []
            for process in psutil.Process().children(recursive=True):
                try:
                    full = process.memory_full_info()
                    sizes.append((full.pss, full.rss))
                except psutil.Error:
                    continue
            self.together = max(self.together, sum(pss for pss, _ in sizes))
            self.largest = max([self.largest, *(rss for _, rss in sizes)])


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds on the clock and of the processor."""
    begun = time.perf_counter()
    with children_cpu() as cpu:
        work()
        return {"wall_s": time.perf_counter() - begun, "cpu_s": cpu()}


def by_kernels(folder: Path, towns: list[str], environ: dict[str, str]) -> dict[str, Callable[[], Any]]:
    """The ways that pay for each notebook alone: what they take grows with the notebooks, so a part of the towns a round tells."""
    return {
        CLI: lambda: command_lines(folder, towns, environ, 1),
        CLI_2: lambda: command_lines(folder, towns, environ, 2),
        "papermill.execute_notebook": lambda: call([sys.executable, "-c", EXECUTE, *jobs(folder, towns)], environ),
    }


def compare(towns: list[str], rounds: int, by_kernel: int) -> bool:
    """Print each way's seconds a notebook and the ratios; whether every target is met."""
    ctypes.CDLL(None).prctl(ADOPT, 1)
    n = len(towns) * len(NOTEBOOKS)
    took: dict[str, list[dict[str, float]]] = {}

    def book(way: str, of: int, found: dict[str, float]) -> None:
        took.setdefault(way, []).append({part: value / of for part, value in found.items()})
        print(f"  {way:34} wall {took[way][-1]['wall_s']:6.2f}  cpu {took[way][-1]['cpu_s']:6.2f}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {**os.environ, "HUYING_RESULTS": name, "HUYING_HOME": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        call([sys.executable, "-c", "import huying; huying.county('demo')"], environ)
        (folder / "charts").mkdir()
        plain = {**environ, "HUYING_PREPARED": str(folder.resolve() / "demo"), "HUYING_FIGURES": str(folder / "charts")}
        peak = Peak()
        for k in range(rounds):
            part = towns[k::rounds][:by_kernel]
            for way, work in by_kernels(folder, part, environ).items():
                book(way, len(part) * len(NOTEBOOKS), timed(work))
            for workers in (1, 2):
                book(
                    f"huying, {workers}",
                    n,
                    timed(lambda workers=workers: huying(folder / "demo", towns, environ, workers)),
                )
            book("huying, 1, two towns", 1, timed(lambda: huying(folder / "demo", towns[:2], environ, 1)))
            cpu, wall = json.loads(call([sys.executable, "-c", PLAIN, *jobs(folder, towns)], plain))
            book("plain function, warm", n, {"wall_s": wall, "cpu_s": cpu})
        peak.done.set()
    middle = {
        way: {part: statistics.median(run[part] for run in runs) for part in ("wall_s", "cpu_s")}
        for way, runs in took.items()
    }
    print(
        f"{len(towns)} towns x {len(NOTEBOOKS)} notebooks, medians of {rounds} rounds, seconds a notebook, start-up included:"
    )
    for way, found in middle.items():
        print(f"  {way:34} wall {found['wall_s']:6.2f}  cpu {found['cpu_s']:6.2f}")
    two = middle["huying, 2"]["wall_s"]
    ratios = {"ratio_cli": middle[CLI]["wall_s"] / two, "ratio_cli_same_workers": middle[CLI_2]["wall_s"] / two}
    more = n - 2 * len(NOTEBOOKS)
    marginal = (middle["huying, 1"]["cpu_s"] * n - middle["huying, 1, two towns"]["cpu_s"]) / more
    overhead = marginal - middle["plain function, warm"]["cpu_s"]
    print(" ".join(f"{key}={value:.1f}" for key, value in ratios.items()), f"overhead_s={overhead:.3f}")
    print(
        f"peak memory: {peak.together / 1e6:.0f} MB together (shared pages once), largest process {peak.largest / 1e6:.0f} MB"
    )
    return all(ratios[key] >= least for key, least in TARGETS.items()) and overhead <= MOST_OVERHEAD_S


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--towns", type=int, default=18)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument(
        "--kernel-towns", type=int, default=6, help="towns a round for the ways that start a kernel each"
    )
    args = asked.parse_args()
    return 0 if compare([f"T{n:02d}" for n in range(1, args.towns + 1)], args.rounds, args.kernel_towns) else 1


if __name__ == "__main__":
    sys.exit(main())
