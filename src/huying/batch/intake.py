"""A county's raw files as one cleaned county: every row of every file is kept or set aside with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from huying.clean import answers as clean_forms
from huying.clean import ledgers as clean_tables
from huying.codebook import Codebook, house_codebook
from huying.contract import REJECTED
from huying.county import County, Ledger, Survey
from huying.errors import CountyError, Place
from huying.ledgers import TABLES
from huying.places import Matcher
from huying.sources.personal import drop_personal
from huying.sources.spss import read_spss
from huying.sources.table import RawTable, read_table
from huying.sources.wjx import read_wjx
from huying.store import Cleaned, file_hash, hash_of, code_hash

COUNTS = ("file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags", "n_personal", "encoding", "notes")
FIRST = ("towns", "departments", "villages", "org_map")


def data_hash(county: County) -> str:
    """The sha256 of everything the county's numbers are made from: its declaration, its files and the package."""
    names = [*(s.text for s in county.surveys), *(s.number for s in county.surveys), *(s.file for s in county.surveys),
             *(entry.file for entry in county.ledgers), "county.toml", "frozen.toml"]  # fmt: skip
    present = sorted({name for name in names if name and county.path(name).is_file()})
    return hash_of([code_hash(), *(f"{name} {file_hash(county.path(name))}" for name in present)])


def town_matcher(county: County, towns: pd.DataFrame) -> Matcher:
    """A matcher of the county's town names: id, names and aliases of the register."""
    names = {row["town_id"]: [row["name_zh"], row["name_en"], *split_aliases(row["aliases"])] for row in towns.to_dict("records")}
    return Matcher(names, county.prefixes)


def split_aliases(cell: Any) -> list[str]:
    """The aliases in a cell, parted by ; or 、."""
    return [part.strip() for part in str(cell).replace("、", ";").replace("；", ";").split(";")] if isinstance(cell, str) else []


def department_matcher(departments: pd.DataFrame) -> Matcher:
    """A matcher of department names."""
    names = {row["dept_id"]: [row["name_zh"], row["name_en"], *split_aliases(row["aliases"])] for row in departments.to_dict("records")}
    return Matcher(names)


def read_ledger(county: County, ledger: Ledger) -> RawTable:
    """One ledger file as text, personal columns dropped."""
    raw = read_table(county.path(ledger.file), sheet=ledger.sheet, header_row=ledger.header_row)
    return drop_personal(raw)[0]


def list_options(registers: Mapping[str, pd.DataFrame]) -> dict[str, list[tuple[int, str]]]:
    """The options that items take from the county's lists: code from 1 in register order, and the label."""
    lists = {
        "towns": registers["towns"]["name_zh"],
        "departments": registers["departments"]["name_zh"] if "departments" in registers else [],
        "old_units": registers["org_map"].drop_duplicates("old_id")["old_name"] if "org_map" in registers else [],
    }
    return {name: list(enumerate(map(str, labels), 1)) for name, labels in lists.items()}


class Intake:
    """Reads and cleans a county file by file; `tick` is told the name of each file as it is done."""

    def __init__(self, county: County, book: Codebook | None = None, tick: Callable[[str], None] = lambda name: None) -> None:
        self.county, self.book, self.tick = county, book or house_codebook(), tick
        self.ledgers: dict[tuple[str, str], pd.DataFrame] = {}
        self.forms: dict[str, list[pd.DataFrame]] = {}
        self.rejected: list[pd.DataFrame] = []
        self.flags: list[pd.DataFrame] = []
        self.counts: list[dict[str, Any]] = []
        self.towns: Matcher = Matcher({})
        self.departments: Matcher | None = None

    def run(self) -> Cleaned:
        """The cleaned county; raises InputError or CountyError for a file that cannot be taken as it is."""
        if not any(ledger.table == "towns" for ledger in self.county.ledgers):
            raise CountyError("batch.no_register", Place(str(self.county.folder / "county.toml")))
        order = sorted(self.county.ledgers, key=lambda e: FIRST.index(e.table) if e.table in FIRST else len(FIRST))
        for ledger in order:
            self.take_ledger(ledger)
        for survey in self.county.surveys:
            self.take_survey(survey)
        return Cleaned(
            forms={form: pd.concat(frames, ignore_index=True) for form, frames in self.forms.items()},
            ledgers=self.ledgers, rejected=pd.concat(self.rejected, ignore_index=True),
            flags=pd.concat(self.flags, ignore_index=True), counts=pd.DataFrame(self.counts, columns=list(COUNTS)),
            data_hash=data_hash(self.county), notes=tuple(self.silent_towns()),
        )  # fmt: skip

    def take_ledger(self, ledger: Ledger) -> None:
        if ledger.table not in TABLES:
            known = ", ".join(TABLES)
            raise CountyError("batch.no_table", Place(str(self.county.folder / "county.toml")), table=ledger.table, known=known)
        raw = read_ledger(self.county, ledger)
        done = clean_tables.clean_ledger(TABLES[ledger.table], raw, self.towns, self.departments, ledger.columns)
        rejected = pd.concat([raw.rejected, done.rejected], ignore_index=True)
        key = (ledger.table, ledger.period)
        self.ledgers[key] = pd.concat([self.ledgers[key], done.kept], ignore_index=True) if key in self.ledgers else done.kept
        self.note(ledger.file, len(raw.text) + len(raw.rejected), len(done.kept), rejected.assign(level="row"), done.flags, raw)
        if ledger.table == "towns":
            self.towns = town_matcher(self.county, done.kept)
        if ledger.table == "departments":
            self.departments = department_matcher(done.kept)

    def take_survey(self, survey: Survey) -> None:
        items = self.book.form(survey.form)
        if survey.reader == "spss":
            answers = read_spss(self.county.path(survey.file), items)
        else:
            number = self.county.path(survey.number) if survey.number else None
            answers = read_wjx(self.county.path(survey.text), number, items)
        registers = {table: frame for (table, _), frame in self.ledgers.items()}
        done = clean_forms.clean_answers(
            answers, items, form=survey.form, wave=survey.wave, span=self.county.waves[survey.wave], towns=self.towns,
            options=self.options(registers), thresholds=self.county.thresholds,
        )  # fmt: skip
        self.forms.setdefault(survey.form, []).append(done.rows)
        self.note(survey.text or survey.file, done.counts["rows_in"], len(done.rows), done.rejected, done.flags, answers, done.counts)

    def options(self, registers: Mapping[str, pd.DataFrame]) -> dict[str, list[tuple[int, str]]]:
        """The lists of the county, the new units by their sorted ids as well."""
        lists = list_options(registers)
        if "org_roster" in registers:
            units = registers["org_roster"].drop_duplicates("unit_id").sort_values("unit_id")["name"]
            lists["new_units"] = list(enumerate(map(str, units), 1))
        if "documents" in registers:
            papers = registers["documents"]
            lists["mechanisms"] = list(enumerate(map(str, papers.loc[papers["kind"] == "mechanism", "title"]), 1))
        return lists

    def note(self, file: str, n_read: int, n_kept: int, rejected: pd.DataFrame, flags: pd.DataFrame, source: Any,
             counts: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        n_rejected = int((rejected["level"] == "row").sum())
        if n_read != n_kept + n_rejected:
            raise AssertionError(f"{file}: {n_read} rows read, {n_kept} kept and {n_rejected} rejected")
        self.rejected.append(rejected[[*REJECTED, "level"]])
        self.flags.append(flags)
        personal = sum(getattr(source, "dropped", {}).values()) + int((counts or {}).get("personal_masked", 0))
        self.counts.append({
            "file": file, "n_read": n_read, "n_kept": n_kept, "n_rejected": n_rejected,
            "n_cells_set_aside": int((rejected["level"] == "cell").sum()), "n_flags": len(flags), "n_personal": personal,
            "encoding": getattr(source, "encoding", ""), "notes": "; ".join(key for key, _ in source.notes),
        })  # fmt: skip
        self.tick(file)

    def silent_towns(self) -> list[str]:
        """Towns of the register from which a survey has no answer at all."""
        frame = set(self.ledgers["towns", ""]["town_id"])
        waves = {(form, w): set(rows.loc[rows["wave"] == w, "town_id"]) for form, parts in self.forms.items()
                 for rows in [pd.concat(parts)] for w in rows["wave"].unique() if form != "department"}  # fmt: skip
        return [f"{form} {wave}: {town}" for (form, wave), seen in waves.items() for town in sorted(frame - seen)]
