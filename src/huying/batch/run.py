"""One executed notebook a place: papermill, two at a time; refuses to count a notebook whose last cell did not run."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from huying.errors import CountyError, InputError, Place
from huying.estimates import COUNTY
from huying.folder import County
from huying.store import beside

EVERY_PLACE = ("01_reform_in_place", "11_parallel_structures", "13_calls_and_responses", "21_recommendations")
COUNTY_ONLY = ("00_data_quality", "12_dispatched_agencies", "31_county_overview")


@dataclass(frozen=True)
class Job:
    """One notebook to execute for one place."""

    notebook: str
    source: Path
    output: Path
    parameters: tuple[tuple[str, str], ...]

    @property
    def place(self) -> str:
        """The town's id, or `county`."""
        return dict(self.parameters)["town"]


class LocalKernel(AsyncKernelManager):  # type: ignore[misc]
    """A kernel spoken to through the file system where the system can: no ports to run out of, no plain text over TCP."""

    transport = "tcp" if os.name == "nt" else "ipc"

    @default("ip")  # type: ignore[untyped-decorator]
    def _address(self) -> str:
        return "127.0.0.1" if os.name == "nt" else f"{tempfile.gettempdir()}/huying-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Result:
    """How a job ended: `error` is empty when every cell ran."""

    notebook: str
    place: str
    output: str
    error: str = ""


def notebooks_folder(county: County) -> Path:
    """The folder of notebooks: beside `survey_data/`, or in the folder above or here; raises CountyError."""
    here = [county.folder.resolve(), *county.folder.resolve().parents, *(Path.cwd() / "x").parents]
    for folder in here:
        if (folder / "notebooks" / f"{EVERY_PLACE[0]}.ipynb").is_file():
            return folder / "notebooks"
    raise CountyError("batch.no_notebooks", place=str(Path.cwd()))


def plan(county: County, towns: Iterable[str], wave: str, lang: str, out: Path) -> list[Job]:
    """The jobs of a run: EVERY_PLACE for every town and the county, COUNTY_ONLY for the county alone."""
    folder = notebooks_folder(county)
    places = [*towns, COUNTY]
    pairs = [(name, place) for place in places for name in EVERY_PLACE] + [(name, COUNTY) for name in COUNTY_ONLY]
    here = county.folder.resolve()
    own = here.name if here.parent == folder.resolve().parent / "survey_data" else here.as_posix()
    jobs = []
    for name, place in pairs:
        values = (("county", own), ("town", place), ("wave", wave), ("lang", lang))
        jobs.append(
            Job(name, folder / f"{name}.ipynb", out / "notebooks" / f"{name}_{place}_{wave}_{lang}.ipynb", values)
        )
    return jobs


def execute(job: Job) -> Result:
    """Run one notebook with papermill, beside its final name; its last cell must have run."""
    import papermill

    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    job.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        with beside(job.output) as part:
            named = part.rename(part.with_suffix(".ipynb"))
            try:
                done = papermill.execute_notebook(
                    named_source(job), str(named), parameters=dict(job.parameters), progress_bar=False, cwd=str(job.source.parent),
                    execution_timeout=600, log_output=False, kernel_manager_class=LocalKernel,
                    extra_arguments=["--log-level=50"],  # a kernel that is shut down while idle complains of an interrupt
                )  # fmt: skip
            finally:
                named.rename(part)
            if last_count(done) is None:
                raise InputError("batch.not_finished", Place(job.source.name))
    except Exception as error:  # one town's failure must not stop the others; its text is what the summary shows
        return Result(job.notebook, job.place, str(job.output), shorten(f"{type(error).__name__}: {error}".strip()))
    return Result(job.notebook, job.place, str(job.output))


def shorten(text: str, most: int = 2000) -> str:
    """The beginning and the end of a long message."""
    return text if len(text) <= most else f"{text[:200]} … {text[-(most - 200) :]}"


def named_source(job: Job) -> str:
    """The notebook's path; raises InputError where it has no parameters cell."""
    import nbformat

    cells = nbformat.read(job.source, as_version=4).cells
    if not any("parameters" in cell.metadata.get("tags", ()) for cell in cells):
        raise InputError("batch.no_parameters", Place(job.source.name))
    return str(job.source)


def last_count(notebook: Any) -> int | None:
    """The execution count of a notebook's last code cell, None where it did not run."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return code[-1].execution_count if code else None


def run(jobs: list[Job], workers: int, tick: Callable[[Result], None]) -> list[Result]:
    """Execute all jobs, `workers` at a time; one that fails does not stop the others."""
    if workers == 1:
        results = []
        for job in jobs:
            results.append(execute(job))
            tick(results[-1])
        return results
    results = []
    with ProcessPoolExecutor(workers) as pool:
        try:
            for done in as_completed([pool.submit(execute, job) for job in jobs]):
                results.append(done.result())
                tick(results[-1])
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def check_towns(county: County, folder: Path, wanted: Iterable[str] | None) -> list[str]:
    """The towns to run: all of the register, or those wanted; raises CountyError for one that is not in it."""
    from huying.store import read_parquet

    known = list(read_parquet(folder / "data" / "ledgers" / "towns@.parquet")["town_id"])
    unknown = [town for town in wanted or () if town not in (*known, COUNTY)]
    if unknown:
        raise CountyError("notebooks.no_town", town=", ".join(unknown), known=", ".join(known))
    return [town for town in known if wanted is None or town in set(wanted)]
