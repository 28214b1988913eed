"""The county-wide step: clean, weigh, estimate and judge once; every notebook reads its slice of what this stores."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from huying import workdays
from huying.batch.frames import frames_of
from huying.batch.intake import Intake, data_hash
from huying.batch.stored import clean_stored
from huying.blocks import write_blocks
from huying.claims import Claim, as_evidence, claims_of, house_claims, judge_claim, no_data, read_freeze, rule_hashes
from huying.codebook import house_codebook
from huying.estimates import COUNTY
from huying.folder import County, output_folder
from huying.problems import (
    advice,
    agencies,
    calls,
    change,
    own,
    parallel,
    quality,
    reform,
    rights,
    robust,
    services,
    small,
    wording,
)
from huying.problems.facts import Found, Study, lacking
from huying.samples import resident_sample, staff_sample
from huying.store import Cleaned, drop_parts, load_cleaned, save_cleaned, write_csv, write_parquet, write_text

LARGE = 500_000_000  # bytes of surveys, whose text and rows would take three times as much memory
PROBLEMS = (quality, reform, rights, services, parallel, agencies, calls, advice, change, small, robust, wording, own)


def results_folder(county: County) -> Path:
    """Where a county's results go: see `output_folder`."""
    return output_folder(county, "results")


def is_fresh(county: County) -> bool:
    """Whether the stored county step was made from the files and the package as they are now."""
    receipt = results_folder(county) / "data" / "made_from.json"
    return receipt.is_file() and json.loads(receipt.read_text("utf-8"))["data_hash"] == data_hash(county)


def make_study(county: County, cleaned: Cleaned) -> Study:
    """The samples of every form and wave that the county has, with their weights."""
    book, samples = house_codebook(), {}
    for form, rows in cleaned.forms.items():
        for wave in sorted(set(rows["wave"])):
            if form == "resident":
                samples[form, wave] = resident_sample(cleaned, county, book, wave)
            elif form == "staff":
                samples[form, wave] = staff_sample(cleaned, county, wave)
    return Study(county, cleaned, book, workdays.calendar(county.calendar, county.calendar_file), samples)


def find_all(study: Study) -> Found:
    """The facts, tables and missing ledgers of all problems together."""
    found = Found()
    for problem in PROBLEMS:
        part = problem.find(study)
        found.facts += part.facts
        found.tables |= part.tables
        found.missing |= part.missing
    found.tables |= small.rank_tables(found.frame(), set(study.towns["town_id"]))
    return found


def judge_all(study: Study, found: Found, only: Iterable[str] = ()) -> pd.DataFrame:
    """The evidence ledger: one row a claim x place x period or wave x sub (definitions, section 7); of all claims, or `only` some."""
    county, facts = study.county, found.frame()
    claims, frozen = claims_of(county), read_freeze(county)
    hashes = rule_hashes(county, claims)
    rows = []
    for key in only or claims:
        claim = claims[key]
        own = facts[facts["claim"] == key]
        parts = [judge_claim(claim, own)] if len(own) else []
        if not (own["sub"] == "").any():
            missing = found.missing.get(key) or lacking(study, claim.needs)
            nothing = "no eligible case" if key in house_claims() or claim.indicator else "no indicator"
            parts.append(no_data(places_of(study, claim), f"no data: {missing}" if missing else nothing))
        for part in parts:
            rows.append(as_evidence(county, claim, part, frozen, hashes[key], study.cleaned.data_hash))
    evidence = pd.concat(rows, ignore_index=True)
    repeated = evidence.duplicated(["claim", "place", "period", "wave", "sub"])
    if repeated.any():
        raise AssertionError(f"the evidence ledger has a key twice: {evidence.loc[repeated].iloc[0].to_dict()}")
    return evidence


def places_of(study: Study, claim: Claim) -> list[str]:
    """The places that get a verdict on a claim: towns, the pilot, or departments, and the county."""
    towns, departments = study.towns, study.cleaned.ledger("departments")
    own = {"town": list(towns["town_id"]), "pilot": list(towns.loc[towns["type"] == "pilot", "town_id"]),
           "department": [] if departments is None else list(departments["dept_id"])}  # fmt: skip
    found = own.get(claim.judged_for, [])
    return found if found and claim.judged_for == "pilot" else [*found, COUNTY]


def clean(county: County, tick: Callable[[str], None] = lambda name: None) -> Cleaned:
    """Read and clean every file of the county and store it under `data/`; rejected, flags and counts as CSV beside it.

    Surveys of more than LARGE bytes are cleaned onto the disk, and only their typed rows are read back.
    """
    folder = results_folder(county)
    if sum(county.path(survey.text or survey.file).stat().st_size for survey in county.surveys) > LARGE:
        cleaned = clean_stored(county, folder / "data", tick)
        forms = load_cleaned(folder / "data").forms
        cleaned = replace(
            cleaned,
            forms={
                form: as_read(forms[form], cleaned.counts["file"])
                for form in dict.fromkeys(s.form for s in county.surveys)
            },
        )
    else:
        cleaned = Intake(county, tick=tick).run()
        save_cleaned(folder / "data", cleaned)
    for name in ("rejected", "flags", "counts"):
        write_csv(folder / f"{name}.csv", getattr(cleaned, name))
    return cleaned


def as_read(rows: pd.DataFrame, files: Iterable[str]) -> pd.DataFrame:
    """Stored rows in the order of the files and their lines: a bootstrap draws by place."""
    file, line = (
        rows["row_id"].str.replace("#[^#]*$", "", regex=True),
        rows["row_id"].str.replace("^.*#", "", regex=True),
    )
    order = np.lexsort((line.astype(int), pd.Index(list(files)).get_indexer(file)))
    return rows.iloc[order].reset_index(drop=True)


def prepare(county: County, tick: Callable[[str], None] = lambda name: None) -> Path:
    """The folder of a county's stored results, made anew when its files or the package have changed."""
    folder = results_folder(county)
    if os.environ.get("HUYING_PREPARED") == str(folder.resolve()) or is_fresh(county):
        return folder
    (folder / "data" / "made_from.json").unlink(missing_ok=True)
    for place in (folder, folder / "data", folder / "data" / "blocks"):  # the others are emptied
        drop_parts(place)
    study = make_study(county, clean(county, tick))
    tick("estimates")
    found = find_all(study)
    evidence = judge_all(study, found)
    shutil.rmtree(folder / "data" / "tables", ignore_errors=True)  # no chart of a ledger that the county no longer has
    for name, table in found.tables.items():
        write_parquet(folder / "data" / "tables" / f"{name}.parquet", table.reset_index(drop=True))
    write_parquet(folder / "evidence.parquet", evidence)
    write_csv(folder / "evidence.csv", evidence)
    write_blocks(folder / "data" / "blocks", frames_of(study, found, evidence), list(study.towns["town_id"]))
    write_text(folder / "data" / "made_from.json", json.dumps({"data_hash": study.cleaned.data_hash}))
    tick("evidence")
    return folder
