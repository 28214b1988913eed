"""What there is to do in a county: a job is a notebook for a place, a wave and a language; refuses what nobody knows, runs none."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from itertools import chain, product
from pathlib import Path

from huying import counties
from huying.errors import CountyError, InputError, Place
from huying.estimates import COUNTY
from huying.folder import County, output_folder
from huying.prepare import prepared_hash
from huying.store import code_hash, file_hash, file_part, hash_of, read_parquet
from huying.words import language

PARAMETERS = ("county", "town", "wave", "lang")
RECORDS, READS = "records", "reads"
Asked = Sequence[str] | None
DECLARED = re.compile(r'^ +"huying": \{', re.M)  # in a notebook's metadata


@dataclass(frozen=True)
class Notebook:
    """A notebook as its metadata declare it: `all` places or the `county`, and what it has to do with the evidence ledger."""

    file: Path
    hash: str  # of its cells and metadata, what they gave apart
    places: str = "all"
    evidence: str = ""
    needs: tuple[str, ...] = ()  # any of these the county must have, or there is nothing to say

    @property
    def name(self) -> str:
        return self.file.stem


@dataclass(frozen=True)
class Job:
    """One notebook for one place, in the county's own language or another."""

    notebook: Notebook
    place: str
    wave: str
    lang: str
    is_own: bool = True
    has_page: bool = False  # whether it gives an HTML page besides

    @property
    def is_recording(self) -> bool:
        """Whether what it judges goes into the evidence ledger."""
        return self.notebook.evidence == RECORDS and self.place == COUNTY and self.is_own

    @property
    def name(self) -> str:
        """The name of the job and of its notebook."""
        return "_".join((self.notebook.name, *map(file_part, (self.place, self.wave, self.lang))))

    @property
    def stage(self) -> int:
        """When it comes: those that record, the others, those that read what was recorded."""
        return 0 if self.is_recording else 2 if self.notebook.evidence == READS else 1


def read_notebook(file: Path) -> Notebook:
    """What a notebook's metadata say; raises InputError where it is none or takes no parameters."""
    try:
        raw = json.loads(file.read_text("utf-8"))
        cells = [[c["cell_type"], c.get("id", ""), "".join(c["source"]), c["metadata"]] for c in raw["cells"]]
        declared = raw["metadata"].get("huying", {})
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("batch.not_a_notebook", Place(file.name)) from error
    tagged = [text for _, _, text, metadata in cells if "parameters" in metadata.get("tags", [])]
    if not tagged:
        raise InputError("batch.no_parameters", Place(file.name))
    known = re.findall(r"^(\w+)\s*(?::[^=]+)?=", tagged[0], re.M)
    for name in PARAMETERS:
        if name not in known:
            raise InputError("batch.no_parameter", Place(file.name), name=name, known=", ".join(known))
    made = hash_of([json.dumps([cells, raw["metadata"]], sort_keys=True)])
    needs = tuple(declared.get("needs", ()))
    return Notebook(file, made, declared.get("places", "all"), declared.get("evidence", ""), needs)


@dataclass(frozen=True)
class Site:
    """Where the jobs of a prepared county find and leave everything."""

    county: County

    @cached_property
    def results(self) -> Path:
        return output_folder(self.county, "results").resolve()

    @cached_property
    def figures(self) -> Path:
        return output_folder(self.county, "figures").resolve()

    @property
    def evidence(self) -> Path:
        return self.results / "evidence.parquet"

    @cached_property
    def folder(self) -> Path:
        """The folder of notebooks: beside `survey_data/`, in a folder above, or here; raises CountyError."""
        for above in [*self.county.folder.resolve().parents, Path.cwd(), *Path.cwd().parents]:
            if any((above / "notebooks").glob("*.ipynb")):
                return above / "notebooks"
        raise CountyError("batch.no_notebooks", place=str(Path.cwd()))

    @cached_property
    def towns(self) -> list[str]:
        """The towns of the register, in its order."""
        register = self.results / "data" / "ledgers" / "towns@.parquet"
        return list(read_parquet(register)["town_id"]) if register.is_file() else []

    @cached_property
    def waves(self) -> list[str]:
        """The waves of the county, oldest first; one empty name where it has none."""
        return sorted(self.county.waves, key=lambda wave: self.county.waves[wave].first) or [""]

    def notebooks(self, wanted: Asked = None) -> list[Notebook]:
        """The notebooks that declare themselves, or those wanted by name or its beginning; raises CountyError."""
        files = {file.stem: file for file in sorted(self.folder.glob("*.ipynb"))}
        if wanted is None:
            return [read_notebook(file) for file in files.values() if DECLARED.search(file.read_text("utf-8"))]
        found = {want: [name for name in files if name == want or name.startswith(f"{want}_")] for want in wanted}
        for want, names in found.items():
            if not names:
                raise CountyError("batch.no_notebook", name=want, known=", ".join(files))
        return [read_notebook(files[name]) for name in dict.fromkeys(chain(*found.values()))]

    def jobs(
        self,
        notebooks: Asked = None,
        places: Asked = None,
        waves: Asked = None,
        langs: Asked = None,
        pages: bool = False,
    ) -> list[Job]:
        """The jobs in their order: what is asked (else everything, in the latest wave), and what has to be recorded for it.

        The county's jobs give an HTML page too, with `pages` also those of towns. Notebooks that find none of what they
        need are left out, unless they were asked for by name. Where a notebook reads the evidence all recording jobs come
        first. Raises CountyError for what nobody knows.
        """
        every, own = [*self.towns, COUNTY], self.county.lang
        for key, wanted, known in (("no_place", places, every), ("no_wave", waves, self.waves)):
            for name in set(wanted or ()) - set(known):
                raise CountyError(f"batch.{key}", name=name, known=", ".join(known))
        named = self.notebooks(notebooks) if notebooks else self.speaking
        asked = product(waves or self.waves[-1:], langs or [own], places or every, named)
        found = [
            Job(notebook, place, wave, lang, lang == own, pages or place == COUNTY)
            for wave, lang, place, notebook in asked
            if place == COUNTY or notebook.places == "all"
        ]
        if any(job.notebook.evidence == READS for job in found):
            found += self.recording(self.speaking)
        if waves is None and any(job.is_recording for job in found):
            found += self.recording(named)
        if not found:
            raise CountyError("batch.no_job", notebooks=", ".join(notebook.name for notebook in named))
        return sorted(dict.fromkeys(found), key=lambda job: job.stage)

    @cached_property
    def speaking(self) -> list[Notebook]:
        """The notebooks that declare themselves and find something of what they need in the county."""
        opened = counties.county(self.county.folder, language())
        found = [notebook for notebook in self.notebooks() if not notebook.needs or opened.offers(notebook.needs)]
        is_judged = any(notebook.evidence == RECORDS for notebook in found)
        return [notebook for notebook in found if is_judged or notebook.evidence != READS]

    def recording(self, notebooks: Iterable[Notebook]) -> list[Job]:
        """The jobs whose rows make the evidence ledger: these notebooks for the county, in its language, once a wave."""
        found = product(self.waves, (notebook for notebook in notebooks if notebook.evidence == RECORDS))
        return [Job(notebook, COUNTY, wave, self.county.lang, True, True) for wave, notebook in found]

    def parameters(self, job: Job) -> dict[str, str]:
        """A notebook's parameters, all as text."""
        folder = self.county.folder.resolve()
        name = folder.name if folder.parent.name == "survey_data" else folder.as_posix()
        return {"county": name, "town": job.place, "wave": job.wave, "lang": job.lang}

    def environ(self, job: Job, folder: Path) -> dict[str, str]:
        """The environment of a job that works in a folder."""
        found = {"PLACE": job.place, "WAVE": job.wave, "LANG": job.lang, "RECORD": "1" if job.is_recording else ""}
        found |= {"HOME": str(self.county.folder.resolve().parents[1])}
        found |= {"PREPARED": str(self.results), "FIGURES": str(folder / "figures")}
        found |= {"RESULTS": str(self.results.parent)} if os.environ.get("HUYING_RESULTS") else {}
        return {f"HUYING_{name}": value for name, value in found.items()}

    def key(self, job: Job) -> str:
        """One hash of all that can change a job's output."""
        evidence = file_hash(self.evidence) if job.stage == 2 and self.evidence.is_file() else ""
        asked = [*self.parameters(job).values(), str(job.is_recording), str(job.has_page), evidence]
        return hash_of([*self.surroundings, job.notebook.name, job.notebook.hash, *asked])

    @cached_property
    def surroundings(self) -> list[str]:
        """What every job rests on: the prepared county, the package with its words and fonts, and the libraries."""
        lock = self.folder.parent / "requirements.lock"
        installed = [file_hash(lock)] if lock.is_file() else sorted(f"{d.name} {d.version}" for d in distributions())
        return [prepared_hash(self.county), code_hash(), f"python {sys.version_info[:2]}", *installed]
