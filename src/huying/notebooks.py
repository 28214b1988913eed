"""The notebooks of a project and what each declares of itself; refuses one that takes no parameters."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from huying.errors import CountyError, InputError, Place
from huying.store import hash_of

PARAMETERS = ("county", "town", "wave", "lang")
RECORDS, READS = "records", "reads"
KEPT = ("parameters", "status", "exception")  # of what papermill notes in a notebook
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


def notebooks_folder(county: Path) -> Path:
    """The folder of notebooks: beside `survey_data/`, in a folder above, or here; raises CountyError."""
    for above in [*county.resolve().parents, Path.cwd(), *Path.cwd().parents]:
        if any((above / "notebooks").glob("*.ipynb")):
            return above / "notebooks"
    raise CountyError("batch.no_notebooks", place=str(Path.cwd()))


def find_notebooks(folder: Path, wanted: Sequence[str] | None = None) -> list[Notebook]:
    """The notebooks that declare themselves, or those wanted by name or its beginning; raises CountyError."""
    files = {file.stem: file for file in sorted(folder.glob("*.ipynb"))}
    if wanted is None:
        return [read_notebook(file) for file in files.values() if DECLARED.search(file.read_text("utf-8"))]
    found: dict[str, Notebook] = {}
    for want in wanted:
        names = [name for name in files if name == want or name.startswith(f"{want}_")]
        if not names:
            raise CountyError("batch.no_notebook", name=want, known=", ".join(files))
        found |= {name: read_notebook(files[name]) for name in names}
    return list(found.values())


def strip(made: Path) -> None:
    """Take out of a notebook what differs from run to run: papermill's times and paths, and the id it draws for its cell."""
    raw = json.loads(made.read_text("utf-8"))
    for part in (raw, *raw["cells"]):
        told = part["metadata"].get("papermill", {})
        part["metadata"]["papermill"] = {name: told[name] for name in KEPT if name in told}
        part |= {"id": "injected-parameters"} if "injected-parameters" in part["metadata"].get("tags", ()) else {}
    made.write_text(json.dumps(raw, ensure_ascii=False, indent=1) + "\n", "utf-8")
