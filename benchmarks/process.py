"""Measurements in a process of their own, where memory is that of the work alone; POSIX only."""

import json
import resource
import subprocess
import sys
from typing import Any


def peak_bytes() -> int:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def in_child(program: str, *arguments: object) -> Any:
    """What `program` prints as JSON when a new interpreter runs it with these arguments."""
    command = [sys.executable, program, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
