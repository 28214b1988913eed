"""A county's raw files as one cleaned county: every row of every file is kept or set aside with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from huying.clean.answers import clean_answers, with_list
from huying.clean.booked import Booked, count_rows
from huying.clean.flags import RULES, find_flags
from huying.clean.ledgers import clean_ledger, known_ids
from huying.clean.printed import check_printed
from huying.codebook import Codebook
from huying.contract import REJECTED
from huying.errors import CountyError, HuyingError, Place
from huying.folder import County, Ledger, Survey
from huying.ledgers import TABLES
from huying.places import Matcher
from huying.sources.exports import read_answers
from huying.sources.personal import drop_personal
from huying.sources.table import RawTable, read_table
from huying.store import Cleaned, code_hash, file_hash, hash_of

COUNTS = ("file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags", "n_personal", "encoding")
# The rooms of the package that prepared data are made by: a change of any other leaves them as they are.
PREPARE = (
    "clean/", "sources/", "codebook.py", "contract.py", "folder.py", "ledgers.py", "places.py", "receipts.py", "rules.py", "store.py", "words.py",
    "workdays.py", "derived.py", "errors.py", "data/codebook.toml", "data/ledgers.toml", "data/printed.toml",
)  # fmt: skip
FIRST = ("towns", "departments", "villages", "org_map")
LISTS = (
    ("towns", "towns", "town_id", "name_zh"),
    ("departments", "departments", "dept_id", "name_zh"),
    ("old_units", "org_map", "old_id", "old_name"),
    ("new_units", "org_roster", "unit_id", "name"),
)


def data_hash(county: County) -> str:
    """The sha256 of everything the county's numbers are made from: its declaration, its files and the rooms that prepare them."""
    names = [name for survey in county.surveys for name in (survey.text, survey.number, survey.file)]
    names += [ledger.file for ledger in county.ledgers]
    names += [f"{name}.toml" for name in ("county", "frozen", "claims", "codebook", "indicators")]
    names += [str(county.report.relative_to(county.folder))] if county.report else []
    present = sorted({name for name in names if name and county.path(name).is_file()})
    return hash_of([code_hash(*PREPARE), *(f"{name} {file_hash(county.path(name))}" for name in present)])


def matcher_of(register: pd.DataFrame, key: str, prefixes: Sequence[str] = ()) -> Matcher:
    """A matcher of the names in a register: names and aliases, which are parted by ; or 、, by the id in `key`."""
    names = register[["name_zh", "name_en"]].assign(aliases=register["aliases"].fillna("").astype(str))
    spelt = [[zh, en, *re.split("[;；、]", aliases)] for zh, en, aliases in names.itertuples(index=False)]
    return Matcher(dict(zip(register[key], spelt, strict=True)), prefixes)


def county_lists(registers: Mapping[str, pd.DataFrame]) -> dict[str, list[tuple[int, str, str]]]:
    """The lists of the county from which items take their options: code from 1, key and label."""
    found: dict[str, list[tuple[str, str]]] = {"towns": [], "departments": [], "old_units": []}
    for name, table, key, label in LISTS:
        if table in registers:
            rows = registers[table].drop_duplicates(key)
            rows = rows.sort_values(key) if table == "org_roster" else rows
            found[name] = list(zip(rows[key].astype(str), rows[label].astype(str), strict=True))
    if "documents" in registers:
        papers = registers["documents"]
        titles = papers.loc[papers["kind"] == "mechanism", "title"]
        found["mechanisms"] = [(f"m{n}", str(title)) for n, title in enumerate(titles, 1)]
    return {name: [(code, *pair) for code, pair in enumerate(pairs, 1)] for name, pairs in found.items()}


class Intake:
    """Reads and cleans a county file by file; `tick` is told the name of each file as it is done."""

    def __init__(self, county: County, book: Codebook, tick: Callable[[str], None] = lambda name: None) -> None:
        self.county, self.book, self.tick = county, book, tick
        self.place = Place(str(county.folder / "county.toml"))
        for flag in county.exclude:
            if flag not in RULES:
                raise CountyError("batch.no_flag", self.place, flag=flag, known=", ".join(RULES))
        self.ledgers: dict[tuple[str, str], pd.DataFrame] = {}
        self.forms: dict[str, list[pd.DataFrame]] = {}
        self.rejected: list[pd.DataFrame] = []
        self.flags: list[pd.DataFrame] = []
        self.counts: list[dict[str, Any]] = []
        self.matchers = {"town": Matcher({})}

    def run(self) -> Cleaned:
        """The cleaned county; raises InputError or CountyError for a file that cannot be taken as it is, or changes meanwhile."""
        before = data_hash(self.county)
        for fault in self.try_all():
            raise fault
        made = self.gather(before)
        if data_hash(self.county) != before:
            raise CountyError("clean.changed", Place(str(self.county.folder)))
        return made

    def gather(self, before: str = "") -> Cleaned:
        """What has been taken so far, as one cleaned county."""
        forms = {form: pd.concat(frames, ignore_index=True) for form, frames in self.forms.items()}
        waves = [(form, str(wave), rows) for form, frame in forms.items() for wave, rows in frame.groupby("wave")]
        late = [find_flags(rows, self.book.form(form), self.county.thresholds) for form, _, rows in waves]
        flags = pd.concat([*self.flags, *late], ignore_index=True)
        counts = pd.DataFrame(self.counts, columns=list(COUNTS))
        by_file = flags["row_id"].str.replace("#[^#]*$", "", regex=True).value_counts()
        counts = counts.assign(n_flags=[int(by_file.get(file, 0)) for file in counts["file"]])
        rejected, notes = pd.concat(self.rejected, ignore_index=True), tuple(self.silent_towns(waves))
        return Cleaned(forms, self.ledgers, rejected, flags, counts, before, notes)

    def try_all(self) -> Iterator[HuyingError]:
        """Take one file after the other; the errors of those that cannot be taken, as they come."""
        self.check_register()
        entries: list[Any] = [*self.in_order(), *self.county.surveys]
        for entry in entries:
            try:
                self.take_survey(entry) if isinstance(entry, Survey) else self.take_ledger(entry)
            except HuyingError as error:
                yield error

    def check_register(self) -> None:
        """Raise CountyError where a survey asks for the town and there is no register, or where numbers are printed that cannot be."""
        check_printed(self.county)
        forms = {survey.form for survey in self.county.surveys}
        asks = any(item.role == "town" for form in forms for item in self.book.form(form))
        if (asks or self.county.ledgers) and not any(ledger.table == "towns" for ledger in self.county.ledgers):
            raise CountyError("batch.no_register", self.place)

    def in_order(self) -> list[Ledger]:
        """The ledgers, registers before the tables that refer to them."""
        return sorted(self.county.ledgers, key=lambda e: FIRST.index(e.table) if e.table in FIRST else len(FIRST))

    def take_ledger(self, ledger: Ledger) -> None:
        if ledger.table not in TABLES:
            raise CountyError("batch.no_table", self.place, table=ledger.table, known=", ".join(TABLES))
        path, key = self.county.path(ledger.file), (ledger.table, ledger.period)
        raw = drop_personal(read_table(path, sheet=ledger.sheet, header_row=ledger.header_row))
        ids = known_ids(self.ledgers)
        done = clean_ledger(TABLES[ledger.table], raw, self.matchers, ledger.columns, ids)
        before = [self.ledgers[key]] if key in self.ledgers else []
        self.ledgers[key] = pd.concat([*before, done.kept], ignore_index=True) if before else done.kept
        self.take(ledger.file, raw, done)
        if ledger.table == "towns":
            self.matchers["town"] = matcher_of(self.ledgers[key], "town_id", self.county.prefixes)
        if ledger.table == "departments":
            self.matchers["dept"] = matcher_of(self.ledgers[key], "dept_id")

    def take_survey(self, survey: Survey) -> None:
        listed = county_lists({table: frame for (table, _), frame in self.ledgers.items()})
        lists = {name: [(code, label) for code, _, label in rows] for name, rows in listed.items()}
        items = [item if item.role == "town" else with_list(item, lists) for item in self.book.form(survey.form)]
        file, number = survey.text or survey.file, self.county.path(survey.number) if survey.number else None
        answers = read_answers(self.county.path(file), number, items, survey.weight)
        span, order = self.county.waves[survey.wave], [town for _, town, _ in listed["towns"]]
        done = clean_answers(answers, items, survey, span, self.matchers["town"], order)
        self.forms.setdefault(survey.form, []).append(done.kept)
        self.take(file, answers, done)

    def take(self, file: str, read: RawTable, done: Booked) -> None:
        """Book one file: rows read = rows kept + rows rejected, or cleaning has lost a row."""
        n_read, n_rejected = len(read.text) + count_rows(read.rejected), count_rows(done.rejected)
        if n_read != len(done.kept) + n_rejected:
            raise AssertionError(f"{file}: {n_read} rows read, {len(done.kept)} kept and {n_rejected} rejected")
        self.rejected.append(done.rejected[[*REJECTED, "level"]])
        self.flags.append(done.flags)
        n_personal = sum(read.dropped.values()) + done.n_masked
        counts = (n_read, len(done.kept), n_rejected, len(done.rejected) - n_rejected)
        row = (file, *counts, 0, n_personal, read.encoding)  # flags are counted last
        self.counts.append(dict(zip(COUNTS, row, strict=True)))
        self.tick(file)

    def silent_towns(self, waves: Sequence[tuple[str, str, pd.DataFrame]]) -> list[str]:
        """Towns of the register from which a survey has no answer at all."""
        register = set(self.ledgers["towns", ""]["town_id"]) if ("towns", "") in self.ledgers else set()
        silent = [(form, wave, register - set(rows["town_id"])) for form, wave, rows in waves if form != "department"]
        return [f"{form} {wave}: {town}" for form, wave, towns in silent for town in sorted(towns)]
