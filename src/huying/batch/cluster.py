"""Many counties, each by a command of its own: here one after another, or as tasks of a Dask scheduler over a shared folder."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huying.store import code_hash
from huying.words import CountyError

PATIENCE_S = 30  # for the scheduler and its first worker


def run_counties(folders: list[str], options: list[str], scheduler: str) -> Iterator[tuple[str, dict[str, Any]]]:
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
        with distributed.Client(scheduler, timeout=PATIENCE_S) as client:
            client.wait_for_workers(1, timeout=PATIENCE_S)
            tasks = {client.submit(run_one, folder, options, package, pure=False): folder for folder in folders}
            for task in distributed.as_completed(tasks):
                raised = task.exception()
                yield tasks[task], {"code": 1, "error": str(raised)} if raised else task.result()
    except (OSError, ValueError) as error:
        raise CountyError("batch.no_scheduler", address=scheduler, why=str(error) or type(error).__name__) from error


def run_one(folder: str, options: list[str], package: str) -> dict[str, Any]:
    """What one county's command told, with its exit code and last error; refused by a worker with another package or folder."""
    for key, is_well in (("no_folder", Path(folder).is_dir()), ("other_package", code_hash() == package)):
        if not is_well:
            return {"code": 2, "error": CountyError(f"batch.{key}", folder=folder).say()}
    command = [sys.executable, "-m", "huying", "run", folder, "--json", *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    errors = [failure["error"] for failure in told.get("failures", ())] or done.stderr.splitlines()[-1:]
    return {**told, "code": done.returncode, "error": "; ".join(errors)}
