"""What the workers of `test_cluster` do instead of notebooks; a module of its own, because workers import it."""

import os
import time
from pathlib import Path


def warm(folder):
    """Leave a line for each time that this worker was warmed."""
    with Path(folder, f"warm-{os.getpid()}").open("a") as file:
        file.write("warm\n")


def cannot_warm():
    raise FileNotFoundError("no folder /shared/survey_data/demo")


def work(job):
    """The place's output, after what the job asks for: `sleep`, `raises`."""
    if "pids" in job:
        Path(job["pids"], job["place"]).write_text(str(os.getpid()))
    if job.get("raises"):
        raise ValueError("a cell failed")
    time.sleep(job["sleep"])
    return f"{job['place']} 完整\n".encode()
