"""One notebook for one place, from its source to its bytes; refuses a parameter it does not have and a last cell that did not run."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from huying import words
from huying.errors import InputError, Place
from huying.reads import Read, noted
from huying.store import hash_of, kept_back

NOT_KEPT = ("papermill", "execution")  # of a cell's metadata: times and states of this run


@dataclass(frozen=True)
class Order:
    """What a worker is told: the notebook's source and its path, parameters (text), folder to run in, whether to hand back the files it writes."""

    notebook: str
    path: str
    parameters: Mapping[str, str]
    folder: str
    environ: Mapping[str, str] = field(default_factory=dict)
    keep_files: bool = True


@dataclass
class Product:
    """What came of an order: the executed notebook, other files, what was read, the failure if any, seconds and bytes."""

    notebook: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    failure: dict[str, Any] | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0


def check_parameters(notebook: Any, path: Path, names: Iterable[str]) -> None:
    """Raise InputError for a notebook without a parameters cell, or for a name that its parameters cell does not have."""
    from papermill.inspection import _infer_parameters

    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])  # as papermill expects
    if not any("parameters" in cell.metadata.tags for cell in notebook.cells):
        raise InputError("batch.no_parameters", Place(path.name))
    known = [parameter.name for parameter in _infer_parameters(notebook, name="python3", language="python")]
    for name in names:
        if name not in known:
            raise InputError("batch.no_parameter", Place(path.name), name=name, known=", ".join(known))


def parameterised(order: Order) -> Any:
    """The notebook with its parameters put in; raises InputError for a name that its parameters cell does not have."""
    import nbformat
    from papermill.parameterize import parameterize_notebook

    source = nbformat.reads(order.notebook, as_version=4)
    source.metadata["papermill"] = {}
    for cell in source.cells:
        cell.metadata.setdefault("tags", [])
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if not order.parameters:
        return source
    check_parameters(source, Path(order.path), order.parameters)
    made = parameterize_notebook(source, dict(order.parameters), kernel_name="python3", language="python")
    for cell in made.cells:
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = "injected-parameters"
    return made


def seed_of(parameters: Mapping[str, str]) -> int:
    """The seed of the random streams in a notebook's process: the same for the same parameters."""
    return int(hash_of([f"{name}={parameters[name]}" for name in sorted(parameters)])[:8], 16)


def fulfil(order: Order, shell: Any) -> Product:
    """Run an order in this process: `shell` is the process's own (`cells.make_shell`)."""
    from huying.batch.cells import run_cells

    started, cpu, product = time.perf_counter(), time.process_time(), Product()
    notebook = parameterised(order)
    with standing(order), noted() as reads, kept_back(order.keep_files) as files:
        product.failure = run_cells(notebook, shell)
    last = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if not product.failure and last and last[-1] is None:
        product.failure = {"cell": len(notebook.cells) - 1, "ename": "NotRun", "evalue": "", "traceback": []}
    product.notebook, product.reads = as_bytes(notebook), sorted(reads)
    product.files = {Path(path).name: content for path, content in files.items()}
    product.cpu_s, product.wall_s = time.process_time() - cpu, time.perf_counter() - started
    return product


@contextmanager
def standing(order: Order) -> Iterator[None]:
    """In the order's folder and environment, the random streams begun anew.

    What a house's notebook sets on purpose is put back with them: language, options of pandas, settings of matplotlib.
    """
    import matplotlib as mpl
    import numpy as np

    folder, environ, streams = Path.cwd(), dict(os.environ), (random.getstate(), np.random.get_state())
    session, options = dict(words._session), options_of_pandas()
    os.chdir(order.folder)
    os.environ.update(order.environ)
    random.seed(seed_of(order.parameters))
    np.random.seed(seed_of(order.parameters))
    try:
        with mpl.rc_context():
            yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        random.setstate(streams[0])
        np.random.set_state(streams[1])
        words._session.clear()
        words._session.update(session)
        for name, value in options.items():
            if pd.get_option(name) is not value:
                pd.set_option(name, value)


def options_of_pandas() -> dict[str, Any]:
    """Every option of pandas by its name."""
    found, waiting = dict[str, Any](), [("", pd.options.d)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}" if name else key, part) for key, part in value.items()]
        else:
            found[name] = value
    return found


def as_bytes(notebook: Any) -> bytes:
    """A notebook's bytes: equal for equal cells, with no time, host or path of the run."""
    import nbformat
    from ipykernel.ipkernel import IPythonKernel

    notebook.metadata["language_info"] = dict(IPythonKernel.language_info)
    notebook.metadata["papermill"] = {"parameters": notebook.metadata["papermill"].get("parameters", {})}
    for cell in notebook.cells:
        for name in NOT_KEPT:
            cell.metadata.pop(name, None)
    return str(nbformat.writes(notebook) + "\n").encode("utf-8")
