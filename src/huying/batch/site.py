"""Where a run finds and leaves everything of one county, and what each thing that a notebook reads is now; runs nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from huying import words
from huying.batch.closure import Sources
from huying.batch.journal import Journal
from huying.batch.plan import Job, Request, is_as_now, plan
from huying.batch.receipts import Receipt, Shelf, current, standing, stored
from huying.batch.work import Order, check_parameters
from huying.claims import claims_of
from huying.errors import CountyError
from huying.estimates import COUNTY
from huying.folder import County, output_folder
from huying.fonts import font_files
from huying.reads import Read
from huying.store import file_hash, hash_of

EVERY_PLACE = ("01_reform_in_place", "11_parallel_structures", "13_calls_and_responses", "21_recommendations")
COUNTY_ONLY = ("00_data_quality", "12_dispatched_agencies", "31_county_overview")
RUNNERS = ("cells.py", "work.py")  # how cells are run
PARAMETERS = ("county", "town", "wave", "lang")
SHOWN = (
    "id",
    "name",
    "lang",
    "is_synthetic",
    "sampling",
    "exclude",
    "waves",
    "surveys",
    "ledgers",
)  # of a county, in notebooks


@dataclass(frozen=True)
class Site:
    """A county, its results folder and the notebooks' folder."""

    county: County

    @cached_property
    def folder(self) -> Path:
        """The results."""
        return output_folder(self.county, "results").resolve()

    @cached_property
    def shelf(self) -> Shelf:
        """Where outputs lie."""
        return Shelf(self.folder / "built", self.folder / "notebooks", output_folder(self.county, "figures").resolve())

    @cached_property
    def journal(self) -> Journal:
        """What happened here."""
        return Journal(self.folder / "journal.jsonl")

    @property
    def lock(self) -> Path:
        """Held by the batch that may write here."""
        return self.folder / "lock"

    @cached_property
    def notebooks(self) -> Path:
        """The folder of notebooks: beside `survey_data/`, or in the folder above or here; raises CountyError."""
        here = [self.county.folder.resolve(), *self.county.folder.resolve().parents, *(Path.cwd() / "x").parents]
        for folder in here:
            if (folder / "notebooks" / f"{EVERY_PLACE[0]}.ipynb").is_file():
                return folder / "notebooks"
        raise CountyError("batch.no_notebooks", place=str(Path.cwd()))

    @cached_property
    def towns(self) -> list[str]:
        """The towns of the register."""
        return list(pd.read_parquet(self.folder / "data" / "ledgers" / "towns@.parquet")["town_id"])

    @cached_property
    def index(self) -> dict[Read, str]:
        """The hash of every stored part by name and place."""
        rows = pd.read_parquet(self.folder / "data" / "blocks" / "index.parquet")
        return dict(zip(zip(rows["name"], rows["place"], strict=True), rows["sha256"], strict=True))

    @cached_property
    def sources(self) -> Sources:
        """The code that notebooks can reach."""
        return Sources(Path(__file__).parents[2], self.notebooks)

    @cached_property
    def figures(self) -> dict[str, str]:
        """The hashes of the figures that were asked for so far."""
        return {}

    def now(self, read: Read) -> str:
        """The hash that a read has now, empty where nothing of that name is there."""
        kind, _, rest = read[0].partition(":")
        if kind == "word":
            text = words.all_words().get(rest)
            return hash_of([text(read[1])]) if text else ""
        if kind == "figure":
            if rest not in self.figures:
                self.figures[rest] = self.sources.of_figure(rest)
            return self.figures[rest]
        if kind in ("claim", "claims", "county"):
            return self.declared.get(read[0], "")
        return self.index.get(read, "")

    @cached_property
    def declared(self) -> dict[str, str]:
        """The hashes of what the county and the house declare."""
        claims = claims_of(self.county)
        shown = {"claims": [f"{key} {claim.notebook}" for key, claim in claims.items()],
                 "county": [repr(getattr(self.county, name)) for name in SHOWN]}  # fmt: skip
        return {name: hash_of(parts) for name, parts in shown.items()} | {
            f"claim:{key}": hash_of([repr(claim)]) for key, claim in claims.items()
        }

    @cached_property
    def surroundings(self) -> str:
        """The hash of what every notebook rests on: the lock file, or the installed packages; fonts; how cells are run."""
        lock = self.notebooks.parent / "requirements.lock"
        packages = (
            [file_hash(lock)]
            if lock.is_file()
            else sorted(f"{d.metadata['Name']} {d.version}" for d in distributions())
        )
        files = [*font_files(), *(Path(__file__).with_name(name) for name in RUNNERS)]
        return hash_of([f"python {sys.version_info[0]}.{sys.version_info[1]}", *packages, *map(file_hash, files)])

    def code_of(self, file: Path) -> str:
        """The hash of a notebook, its stored outputs apart, and of all the code that it can reach.

        Raises InputError where its parameters cell lacks one of PARAMETERS.
        """
        notebook = nbformat.read(file, as_version=4)
        check_parameters(notebook, file, PARAMETERS)
        parts = [
            json.dumps([cell.cell_type, cell.get("id", ""), cell.source, cell.metadata], sort_keys=True)
            for cell in notebook.cells
        ]
        code = "\n".join(plain_python(cell.source) for cell in notebook.cells if cell.cell_type == "code")
        return hash_of(
            [*parts, json.dumps(notebook.metadata, sort_keys=True), self.sources.of_code(code), self.surroundings]
        )

    def requests(
        self, notebooks: Sequence[str], towns: Iterable[str], waves: Sequence[str], langs: Sequence[str]
    ) -> list[Request]:
        """One request for each notebook, place, wave and language: EVERY_PLACE for the towns and the county, COUNTY_ONLY for the county."""
        codes = {name: self.code_of(self.notebooks / f"{name}.ipynb") for name in notebooks}
        places = [*(town for town in towns if town != COUNTY), COUNTY]
        pairs = [(name, place) for place in places for name in notebooks if place == COUNTY or name not in COUNTY_ONLY]
        return [Request(name, self.notebooks / f"{name}.ipynb", self.parameters(place, wave, lang), codes[name])
                for wave in waves for lang in langs for name, place in pairs]  # fmt: skip

    def parameters(self, town: str, wave: str, lang: str) -> dict[str, str]:
        """A notebook's parameters, all as text."""
        here = self.county.folder.resolve()
        inside = here.parent == self.notebooks.resolve().parent / "survey_data"
        return {"county": here.name if inside else here.as_posix(), "town": town, "wave": wave, "lang": lang}

    def receipts(self, requests: Iterable[Request]) -> dict[str, Receipt]:
        """The valid receipts of these requests by job name."""
        found = {request.name: self.receipt(request) for request in requests}
        return {name: receipt for name, receipt in found.items() if receipt}

    def receipt(self, request: Request) -> Receipt | None:
        """The receipt that a job's pointer names, or another that is as things are now where that one is not.

        A crash may have come between the folder and its pointer; or things are again as they once were.
        """
        named = current(self.shelf, request.name)
        if named and is_as_now(request, named, self.now):
            return named
        fit = [one for one in stored(self.shelf, request.name) if is_as_now(request, one, self.now)]
        return next((one for one in fit if standing(self.shelf.built / request.name / one.key)), named)

    def plan(self, requests: Sequence[Request]) -> list[Job]:
        """The jobs of these requests as things stand now."""
        return plan(requests, self.receipts(requests), self.now)

    def order(self, request: Request) -> Order:
        """What a worker is told to run."""
        environ = {"HUYING_PREPARED": str(self.folder), "HUYING_HOME": str(self.home)}
        if named := os.environ.get("HUYING_RESULTS"):
            environ["HUYING_RESULTS"] = str(Path(named).resolve())
        return Order(
            request.source.read_text("utf-8"),
            str(request.source),
            request.parameters,
            str(request.source.parent),
            environ,
        )

    @property
    def home(self) -> Path:
        """The folder that holds `survey_data/`."""
        return Path(os.environ.get("HUYING_HOME", self.notebooks.parent)).resolve()


def plain_python(source: str) -> str:
    """A cell as Python: magics as the calls that they are."""
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(source))


def check_towns(site: Site, wanted: Iterable[str] | None) -> list[str]:
    """The towns to run: all of the register, or those wanted; raises CountyError for one that is not in it."""
    unknown = [town for town in wanted or () if town not in (*site.towns, COUNTY)]
    if unknown:
        raise CountyError("notebooks.no_town", town=", ".join(unknown), known=", ".join(site.towns))
    return [town for town in site.towns if wanted is None or town in set(wanted)]


def check_notebooks(site: Site, wanted: Iterable[str] | None) -> list[str]:
    """The notebooks to run: the house's, or those wanted by name or its beginning; raises CountyError for an unknown one."""
    there = sorted(file.stem for file in site.notebooks.glob("*.ipynb"))
    if wanted is None:
        return [*EVERY_PLACE, *COUNTY_ONLY]
    found = [name for want in wanted for name in there if name == want or name.startswith(f"{want}_")]
    unknown = [want for want in wanted if not any(name == want or name.startswith(f"{want}_") for name in there)]
    if unknown:
        raise CountyError("batch.no_notebook", name=", ".join(unknown), known=", ".join(there))
    return list(dict.fromkeys(found))


def place_of(values: Any) -> str:
    """The place that a journal's line is about."""
    return str(values.get("place", ""))
