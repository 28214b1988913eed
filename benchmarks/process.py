"""Time, and memory in a process of its own, where it is that of the work alone; POSIX only."""

import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

Took = npt.NDArray[np.float64]


def clocks() -> Took:
    """Seconds of the processor, all threads of this process together, and of the clock on the wall."""
    return np.array([time.process_time(), time.perf_counter()])


def peak_bytes() -> int:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def in_child(program: str, *arguments: object) -> Any:
    """What `program` prints as JSON when a new interpreter runs it with these arguments."""
    command = [sys.executable, program, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
