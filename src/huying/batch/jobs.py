"""What there is to do in a county: a job is a notebook for a place, a wave and a language; refuses what nobody knows, runs none."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from itertools import product
from pathlib import Path

from huying import counties
from huying.estimates import COUNTY
from huying.folder import County, output_folder
from huying.notebooks import READS, RECORDS, Notebook, find_notebooks, notebooks_folder
from huying.prepare import prepared_hash
from huying.store import code_hash, faults_of, file_hash, file_part, hash_of, read_json
from huying.words import CountyError, language

Asked = Sequence[str] | None
DONE, STALE, MISSING, FAILED = "done", "stale", "missing", "failed"


@dataclass(frozen=True)
class Job:
    """One notebook for one place, in the county's own language or another."""

    notebook: Notebook
    place: str
    wave: str
    lang: str
    is_own: bool
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


class Site:
    """Where the jobs of a prepared county find and leave everything."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.results, self.figures = (output_folder(county, kind).resolve() for kind in ("results", "figures"))
        self.evidence = self.results / "evidence.parquet"

    @cached_property
    def folder(self) -> Path:
        return notebooks_folder(self.county.folder)

    def receipt(self, name: str) -> Path:
        """Where a job's receipt lies; how a job failed stands under the name with `.failed`."""
        return self.results / "receipts" / f"{name}.json"

    def notebook(self, name: str) -> Path:
        """Where a job's notebook lies; how far it came that failed, under the name with `.failed`."""
        return self.results / "notebooks" / f"{name}.ipynb"

    def page(self, job: Job) -> Path:
        """Where the HTML page of a job lies that gives one."""
        return self.results / "html" / f"{job.name}.html"

    def state(self, job: Job) -> str:
        """How a job stands: done, stale, missing, or failed where it was last tried with what is there now."""
        key, receipt = self.key(job), self.receipt(job.name)
        if read_json(self.receipt(f"{job.name}.failed")).get("key") == key:
            return FAILED
        if faults_of(receipt, self.results, "bytes", lambda file: file.stat().st_size):
            return MISSING
        return DONE if read_json(receipt)["key"] == key else STALE

    @cached_property
    def opened(self) -> counties.County:
        return counties.county(self.county.folder, language())

    @cached_property
    def waves(self) -> list[str]:
        """The waves of the county, oldest first; one empty name where it has none."""
        return sorted(self.county.waves, key=lambda wave: self.county.waves[wave].first) or [""]

    @cached_property
    def speaking(self) -> list[Notebook]:
        """The notebooks that declare themselves and find something of what they need in the county."""
        every = find_notebooks(self.folder)
        found = [notebook for notebook in every if not notebook.needs or self.opened.offers(notebook.needs)]
        is_judged = any(notebook.evidence == RECORDS for notebook in found)
        return [notebook for notebook in found if is_judged or notebook.evidence != READS]

    def jobs(self, named: Asked, places: Asked, waves: Asked, langs: Asked, pages: bool = False) -> list[Job]:
        """The jobs in their order: what is asked (else everything, in the latest wave), and what has to be recorded for it.

        The county's jobs give an HTML page too, with `pages` also those of towns. Notebooks that find none of what they
        need are left out, unless they were asked for by name. Where a notebook reads the evidence all recording jobs come
        first. Raises CountyError for what nobody knows.
        """
        places = [self.opened.find_place(name) for name in places] if places else places
        every, own = [*self.opened.towns["town_id"], COUNTY], self.county.lang
        for key, wanted, known in (("no_place", places, every), ("no_wave", waves, self.waves)):
            for name in set(wanted or ()) - set(known):
                raise CountyError(f"batch.{key}", name=name, known=", ".join(known))
        notebooks = find_notebooks(self.folder, named) if named else self.speaking
        asked = product(waves or self.waves[-1:], langs or [own], places or every, notebooks)
        every_job = (Job(one, at, wave, lang, lang == own, pages or at == COUNTY) for wave, lang, at, one in asked)
        found = [job for job in every_job if job.place == COUNTY or job.notebook.places == "all"]
        if not found:
            raise CountyError("batch.no_job", notebooks=", ".join(notebook.name for notebook in notebooks))
        found += self.recording(self.speaking) if any(job.notebook.evidence == READS for job in found) else []
        found += self.recording(notebooks) if waves is None and any(job.is_recording for job in found) else []
        return sorted(dict.fromkeys(found), key=lambda job: job.stage)

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
        found |= {"HOME": str(self.county.folder.resolve().parents[1]), "PREPARED": str(self.results)}
        found |= {"RESULTS": str(self.results.parent)} if os.environ.get("HUYING_RESULTS") else {}
        found |= {"FIGURES": str(folder / "figures")}
        return {f"HUYING_{name}": value for name, value in found.items()} | pictures()

    def key(self, job: Job) -> str:
        """One hash of all that can change a job's output."""
        evidence = file_hash(self.evidence) if job.stage == 2 and self.evidence.is_file() else ""
        told = [*self.parameters(job).values(), str(job.is_recording), str(job.has_page), evidence]
        return hash_of([*self.surroundings, job.notebook.name, job.notebook.hash, *told, *pictures().values()])

    @cached_property
    def surroundings(self) -> list[str]:
        """What every job rests on: the prepared county, the package with its words and fonts, and the libraries."""
        lock = self.folder.parent / "requirements.lock"
        installed = [file_hash(lock)] if lock.is_file() else sorted(f"{d.name} {d.version}" for d in distributions())
        return [prepared_hash(self.county), code_hash(), f"python {sys.version_info[:2]}", *installed]


def pictures() -> dict[str, str]:
    """What the environment asks of pictures: their formats and dots an inch."""
    return {name: os.environ[name] for name in ("HUYING_FORMATS", "HUYING_DPI") if os.environ.get(name)}
