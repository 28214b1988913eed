"""200 towns on three Dask workers of this machine, one killed at 30% and one stopped at 60%; exits 1 unless all are whole, once, and equal to a local run."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
from province import write_county

ASK = ("--notebooks", "11", "--langs", "zh", "--json")


def run(county: Path, environ: dict[str, str], *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "huying", "run", str(county), *ASK, *more]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def workers_of(pid: int) -> list[psutil.Process]:
    """Dask's worker processes below a process: those that keep a warm process of the house."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        try:
            if any("huying.batch.stage" in " ".join(child.cmdline()) for child in process.children()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def harm(process: subprocess.Popen[str], journal: Path, towns: int) -> None:
    """Kill a worker when 30% are done, and stop another at 60%."""
    blows = [(0.3, signal.SIGKILL), (0.6, signal.SIGSTOP)]
    while blows and process.poll() is None:
        done = (
            sum('"event": "done"' in line for line in journal.read_text("utf-8").splitlines())
            if journal.is_file()
            else 0
        )
        if done >= blows[0][0] * towns and (there := workers_of(process.pid)):
            there[0].send_signal(blows.pop(0)[1])
            print(f"  {done} done: worker {there[0].pid} is sent a signal", flush=True)
        time.sleep(0.2)


def outputs(results: Path) -> dict[str, bytes]:
    """Every notebook and figure of a run."""
    files = [*(results / "province" / "notebooks").glob("*.ipynb"), *(results / "figures" / "province").glob("*.png")]
    return {file.name: file.read_bytes() for file in files}


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--towns", type=int, default=200)
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        county = Path(name) / "survey_data" / "province"
        write_county(county, args.towns)
        found, took = {}, {}
        for way in ("local", "dask"):
            results = Path(name) / way
            environ = {**os.environ, "HUYING_RESULTS": str(results), "OPENBLAS_NUM_THREADS": "1"}
            if way == "dask":  # the county step is the same; what is compared is the notebooks
                shutil.copytree(
                    Path(name) / "local" / "province",
                    results / "province",
                    ignore=shutil.ignore_patterns("built", "notebooks", "journal.jsonl"),
                )
            begun = time.perf_counter()
            process = run(
                county,
                environ,
                *(("--scheduler", "local", "--workers", "3", "--time-limit", "20") if way == "dask" else ()),
            )
            if way == "dask":
                threading.Thread(
                    target=harm, args=(process, results / "province" / "journal.jsonl", args.towns), daemon=True
                ).start()
            told = json.loads(process.communicate()[0])
            took[way], found[way] = time.perf_counter() - begun, outputs(results)
            print(f"{way}: {told['notebooks']} notebooks, {told['failed']} failed, {took[way]:.0f} s", flush=True)
        journal = [
            json.loads(line)
            for line in (Path(name) / "dask" / "province" / "journal.jsonl").read_text("utf-8").splitlines()
        ]
    times = Counter(event["job"] for event in journal if event["event"] == "done")
    events = Counter(event["event"] for event in journal)
    print(
        f"whole {len(times)} of {args.towns + 1}, done twice {sum(n > 1 for n in times.values())}; journal {dict(events)}"
    )
    print(f"equal to the local run, byte for byte: {found['local'] == found['dask']} ({len(found['dask'])} files)")
    is_right = len(times) == args.towns + 1 and set(times.values()) == {1} and found["local"] == found["dask"]
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
