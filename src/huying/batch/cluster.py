"""Many counties, each by a command of its own: here one after another, or as tasks of a Dask scheduler over a shared folder."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from huying.batch.verbs import progress, said
from huying.errors import CountyError
from huying.store import code_hash
from huying.words import say

PATIENCE_S = 30  # for the scheduler and its first worker
OPTIONS = ("towns", "notebooks", "wave", "lang", "workers", "time_limit", "memory_limit", "wait")
ORPHAN_S = 3600  # a lost worker's command may still be at work on its county: the next one waits for it


def run_counties(folders: Sequence[Path], args: argparse.Namespace) -> int:
    """Run every county and say how each ended; 1 where one failed."""
    args.wait = args.wait or (ORPHAN_S if args.scheduler else 0)
    options = [word for name in OPTIONS if getattr(args, name) for word in words_of(name, getattr(args, name))]
    options += ["--html"] if args.html else []
    told: dict[str, Any] = {}
    with progress(len(folders), "cli.counties", args) as bar:
        for folder, found in outcomes([str(folder.resolve()) for folder in folders], options, args.scheduler):
            told[folder] = found
            bar.update()
            if found["code"] and not args.json:
                again = subprocess.list2cmdline(["python", "-m", "huying", "run", folder, *options])
                print(say("cli.county_failed", county=folder, error=found["error"], again=again), file=sys.stderr)
    failed = [folder for folder, found in told.items() if found["code"]]
    return said(args, told, [say("cli.counties_done", n=len(told), failed=len(failed))], failed)


def words_of(name: str, value: Any) -> list[str]:
    """An option as it is typed."""
    return [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]


def outcomes(folders: Sequence[str], options: list[str], scheduler: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each county with what its command told, as they end; raises CountyError where the scheduler does not answer."""
    package = code_hash()
    if not scheduler:
        yield from ((folder, run_one(folder, options, package)) for folder in folders)
        return
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise CountyError("batch.no_dask") from error
    try:
        client = distributed.Client(scheduler, timeout=PATIENCE_S, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except (OSError, ValueError) as error:
        raise CountyError("batch.no_scheduler", address=scheduler, why=str(error) or type(error).__name__) from error
    with client:
        tasks = {client.submit(run_one, folder, options, package, pure=False): folder for folder in folders}
        for task in distributed.as_completed(tasks):
            raised = task.exception()
            yield tasks[task], {"code": 1, "error": str(raised)} if raised else task.result()


def run_one(folder: str, options: list[str], package: str) -> dict[str, Any]:
    """What one county's command told, with its exit code and last error; refused by a worker with another package or folder."""
    for key, is_well in (("no_folder", Path(folder).is_dir()), ("other_package", code_hash() == package)):
        if not is_well:
            return {"code": 2, "error": CountyError(f"batch.{key}", folder=folder).say()}
    command = [sys.executable, "-m", "huying", "run", folder, "--json", *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    told = json.loads(done.stdout) if done.stdout.startswith("{") else {"failures": []}
    errors = [failure["error"] for failure in told["failures"]] or done.stderr.splitlines()[-1:]
    return {**told, "code": done.returncode, "error": "; ".join(errors)}
