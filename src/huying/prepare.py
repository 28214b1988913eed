"""The prepared county: cleaned once, stored with what was set aside, made anew when its files or the package change."""

import os
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from huying.clean.intake import Intake, data_hash
from huying.codebook import Codebook, house_codebook, parse_codebook
from huying.derived import Derived, read_derived
from huying.folder import County, output_folder, parse_toml, read_toml
from huying.store import TABLES, Cleaned, locked, read_json, save_cleaned, write_csv, write_receipt
from huying.words import Place

PATIENCE_S = 60.0  # for another process that prepares the same county
MADE_FROM, CODEBOOK, INDICATORS = "data/made_from.json", "codebook.toml", "indicators.toml"
Tick = Callable[[str], None]


def results_folder(county: County) -> Path:
    """Where a county's results go: see `output_folder`."""
    return output_folder(county, "results")


def codebook_of(county: County) -> Codebook:
    """The county's own `codebook.toml`, or the house's questionnaire; raises CountyError."""
    file = county.folder / CODEBOOK
    return parse_codebook(read_toml(file).source, Place(str(file))) if file.is_file() else house_codebook()


@cache
def house_derived() -> dict[str, Derived]:
    """The derived variables that the house brings, by form and name."""
    file = files("huying").joinpath("data").joinpath(INDICATORS)
    return read_derived(parse_toml(file.read_text("utf-8"), Path(INDICATORS)))


def derived_of(county: County) -> tuple[dict[str, Derived], dict[str, Derived]]:
    """The county's own derived variables (its `indicators.toml`, and those of its `claims.toml`), and the house's others."""
    declared, own = read_toml(county.folder / INDICATORS).check("indicators"), dict[str, Derived]()
    for read in (declared, county.own):
        for key, variable in read_derived(read).items():
            if read is county.own and (key in own or key in house_derived()):
                raise read.fail("derived.repeated", "indicator", variable.name, name=variable.name)
            own[key] = variable
    return own, {key: variable for key, variable in house_derived().items() if key not in own}


def prepared_hash(county: County) -> str:
    """The sha256 of everything the county's numbers are made from, as it is stored with the prepared county."""
    return str(read_json(results_folder(county) / MADE_FROM).get("data_hash", ""))


def is_fresh(county: County) -> bool:
    """Whether the stored county was made from the files and the package as they are now."""
    return prepared_hash(county) == data_hash(county)


def clean_and_mark(county: County, tick: Tick = lambda name: None) -> Cleaned:
    """Read and clean every file of the county and store it under `data/`; rejected, flags, counts and notes as CSV beside it.

    The stored result is marked with the hash of what it was made from, last.
    """
    folder = results_folder(county)
    tables = {name: folder / f"{name}.csv" for name in TABLES}
    # Exports may be large: Arrow's texts, whatever the process has chosen, so that each verb writes the same bytes.
    with locked(folder, PATIENCE_S), pd.option_context("mode.string_storage", "pyarrow"):
        cleaned = Intake(county, codebook_of(county), tick).run()
        (folder / MADE_FROM).unlink(missing_ok=True)
        save_cleaned(folder / "data", cleaned)
        for name, file in tables.items():
            write_csv(file, getattr(cleaned, name))
        files = [*sorted((folder / "data").rglob("*.*")), *tables.values()]
        write_receipt(folder / MADE_FROM, folder, files, data_hash=cleaned.data_hash)
    return cleaned


def prepare(county: County, tick: Tick = lambda name: None) -> Path:
    """The folder of a county's results with its prepared data, made anew where something has changed."""
    folder = results_folder(county)
    if os.environ.get("HUYING_PREPARED") != str(folder.resolve()) and not is_fresh(county):
        with locked(folder, PATIENCE_S):
            if not is_fresh(county):  # another process may just have done it
                clean_and_mark(county, tick)
    return folder
