"""A county's raw files as one cleaned county: every row of every file is kept or set aside with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from huying.clean.answers import clean_parts, with_list
from huying.clean.flags import RULES, Comparison
from huying.clean.ledger_rules import check_printed, known_ids
from huying.clean.ledgers import clean_ledger
from huying.codebook import Codebook, Item, house_codebook
from huying.contract import REJECTED
from huying.errors import CountyError, HuyingError, Place
from huying.folder import County, Ledger, Survey
from huying.ledgers import TABLES
from huying.places import Matcher
from huying.shelf import Shelf
from huying.sources.parts import ROWS
from huying.sources.personal import drop_personal
from huying.sources.spss import read_spss
from huying.sources.table import read_table
from huying.sources.wjx import Answers, in_parts, read_wjx_parts
from huying.store import Cleaned, code_hash, file_hash, hash_of

COUNTS = ("file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags", "n_personal", "encoding")
FIRST = ("towns", "departments", "villages", "org_map")


def data_hash(county: County) -> str:
    """The sha256 of everything the county's numbers are made from: its declaration, its files and the package."""
    names = [*(s.text for s in county.surveys), *(s.number for s in county.surveys), *(s.file for s in county.surveys),
             *(entry.file for entry in county.ledgers), "county.toml", "frozen.toml", "claims.toml",
             str(county.report.relative_to(county.folder)) if county.report else ""]  # fmt: skip
    present = sorted({name for name in names if name and county.path(name).is_file()})
    return hash_of([code_hash(), *(f"{name} {file_hash(county.path(name))}" for name in present)])


def town_matcher(county: County, towns: pd.DataFrame) -> Matcher:
    """A matcher of the county's town names: id, names and aliases of the register."""
    names = {
        row["town_id"]: [row["name_zh"], row["name_en"], *split_aliases(row["aliases"])]
        for row in towns.to_dict("records")
    }
    return Matcher(names, county.prefixes)


def split_aliases(cell: Any) -> list[str]:
    """The aliases in a cell, parted by ; or 、."""
    return (
        [part.strip() for part in str(cell).replace("、", ";").replace("；", ";").split(";")]
        if isinstance(cell, str)
        else []
    )


def department_matcher(departments: pd.DataFrame) -> Matcher:
    """A matcher of department names."""
    names = {
        row["dept_id"]: [row["name_zh"], row["name_en"], *split_aliases(row["aliases"])]
        for row in departments.to_dict("records")
    }
    return Matcher(names)


def masked(counts: Mapping[str, Any]) -> int:
    """How many personal values were masked in free text."""
    found = counts.get("personal_masked", 0)
    return int(sum(found.values())) if isinstance(found, Mapping) else int(found)


def list_options(registers: Mapping[str, pd.DataFrame]) -> dict[str, list[tuple[int, str]]]:
    """The options that items take from the county's lists: code from 1 in register order, and the label."""
    lists = {
        "towns": registers["towns"]["name_zh"],
        "departments": registers["departments"]["name_zh"] if "departments" in registers else [],
        "old_units": registers["org_map"].drop_duplicates("old_id")["old_name"] if "org_map" in registers else [],
    }
    return {name: list(enumerate(map(str, labels), 1)) for name, labels in lists.items()}


class Intake:
    """Reads and cleans a county file by file, a survey in parts of `rows` lines; `tick` is told the name of each file as it is done.

    With a `shelf` the cleaned rows of surveys go there, and are never in memory together.
    """

    def __init__(
        self, county: County, book: Codebook | None = None, tick: Callable[[str], None] = lambda name: None,
        shelf: Shelf | None = None, rows: int = ROWS,
    ) -> None:  # fmt: skip
        self.county, self.book, self.tick, self.shelf, self.rows = county, book or house_codebook(), tick, shelf, rows
        for flag in county.exclude:
            if flag not in RULES:
                place = Place(str(county.folder / "county.toml"))
                raise CountyError("batch.no_flag", place, flag=flag, known=", ".join(RULES))
        self.ledgers: dict[tuple[str, str], pd.DataFrame] = {}
        self.forms: dict[str, list[pd.DataFrame]] = {}
        self.compared: dict[str, dict[str, Comparison]] = {}  # by form and wave
        self.heard: dict[str, dict[str, set[Any]]] = {}  # the towns that answered, by form and wave
        self.rejected: list[pd.DataFrame] = []
        self.flags: list[pd.DataFrame] = []
        self.counts: list[dict[str, Any]] = []
        self.towns: Matcher = Matcher({})
        self.departments: Matcher | None = None

    def run(self) -> Cleaned:
        """The cleaned county; raises InputError or CountyError for a file that cannot be taken as it is."""
        self.check_register()
        for ledger in self.in_order():
            self.take_ledger(ledger)
        for survey in self.county.surveys:
            self.take_survey(survey)
        self.compare_forms()
        flags = pd.concat(self.flags, ignore_index=True)
        counts = pd.DataFrame(self.counts, columns=list(COUNTS))
        by_file = flags["row_id"].str.replace("#[^#]*$", "", regex=True).value_counts()
        return Cleaned(
            forms={form: pd.concat(frames, ignore_index=True) for form, frames in self.forms.items()},
            ledgers=self.ledgers, rejected=pd.concat(self.rejected, ignore_index=True), flags=flags,
            counts=counts.assign(n_flags=[int(by_file.get(file, 0)) for file in counts["file"]]),
            data_hash=data_hash(self.county), notes=tuple(self.silent_towns()),
        )  # fmt: skip

    def try_all(self) -> list[HuyingError]:
        """Take every file and collect the errors of those that cannot be taken, instead of stopping at the first."""
        self.check_register()
        steps = [partial(self.take_ledger, entry) for entry in self.in_order()]
        faults = []
        for step in [*steps, *(partial(self.take_survey, survey) for survey in self.county.surveys)]:
            try:
                step()
            except HuyingError as error:
                faults.append(error)
        return faults

    def check_register(self) -> None:
        """Raise CountyError where the county declares no register of towns, or prints numbers that cannot be."""
        check_printed(self.county)
        if not any(ledger.table == "towns" for ledger in self.county.ledgers):
            raise CountyError("batch.no_register", Place(str(self.county.folder / "county.toml")))

    def in_order(self) -> list[Ledger]:
        """The ledgers, registers before the tables that refer to them."""
        return sorted(self.county.ledgers, key=lambda e: FIRST.index(e.table) if e.table in FIRST else len(FIRST))

    def take_ledger(self, ledger: Ledger) -> None:
        if ledger.table not in TABLES:
            known = ", ".join(TABLES)
            raise CountyError(
                "batch.no_table", Place(str(self.county.folder / "county.toml")), table=ledger.table, known=known
            )
        raw, dropped = drop_personal(
            read_table(self.county.path(ledger.file), sheet=ledger.sheet, header_row=ledger.header_row)
        )
        ids = known_ids(self.ledgers)
        done = clean_ledger(TABLES[ledger.table], raw, self.towns, self.departments, ledger.columns, ids)
        key = (ledger.table, ledger.period)
        self.ledgers[key] = (
            pd.concat([self.ledgers[key], done.kept], ignore_index=True) if key in self.ledgers else done.kept
        )
        self.take(ledger.file, done.counts, done.rejected, done.flags, dropped, raw.encoding)
        if ledger.table == "towns":
            self.towns = town_matcher(self.county, done.kept)
        if ledger.table == "departments":
            self.departments = department_matcher(done.kept)

    def take_survey(self, survey: Survey) -> None:
        lists = self.options({table: frame for (table, _), frame in self.ledgers.items()})
        items = [with_list(item, lists) for item in self.book.form(survey.form)]
        dropped, encodings = Counter[str](), list[str]()

        def parts() -> Iterator[Answers]:
            for answers in self.parts_of(survey, items):
                dropped.update(answers.dropped)
                encodings.append(answers.encoding)
                yield answers

        file = survey.text or survey.file
        done = clean_parts(
            parts(), self.book.form(survey.form), partial(self.keep, survey), form=survey.form, wave=survey.wave,
            span=self.county.waves[survey.wave], towns=self.towns, town_order=list(self.ledgers["towns", ""]["town_id"]),
            options=lists, file=file,
        )  # fmt: skip
        self.take(file, done.counts, done.rejected, done.flags, dropped, encodings[0])

    def parts_of(self, survey: Survey, items: Sequence[Item]) -> Iterator[Answers]:
        """The answers of a survey's files, part by part."""
        if survey.reader == "spss":
            return in_parts(read_spss(self.county.path(survey.file), items), self.rows)
        number = self.county.path(survey.number) if survey.number else None
        return read_wjx_parts(self.county.path(survey.text), number, items, self.rows)

    def keep(self, survey: Survey, rows: pd.DataFrame) -> None:
        """Put the rows of a part where they are kept, and remember what later forms are compared by."""
        if self.shelf:
            self.shelf.add(survey.form, rows, list(self.ledgers["towns", ""]["town_id"]))
        else:
            self.forms.setdefault(survey.form, []).append(rows)
        waves, heard = self.compared.setdefault(survey.form, {}), self.heard.setdefault(survey.form, {})
        if len(rows):
            heard.setdefault(survey.wave, set()).update(rows["town_id"].unique())
            if survey.wave not in waves:
                waves[survey.wave] = Comparison(self.book.form(survey.form), survey.form, self.county.thresholds)
            waves[survey.wave].add(rows)

    def compare_forms(self) -> None:
        """The flags that need all forms of a wave together: duplicates, clones, speeders."""
        for waves in self.compared.values():
            self.flags += [waves.pop(wave).flags() for wave in sorted(waves)]

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

    def take(self, file: str, counts: Mapping[str, Any], rejected: pd.DataFrame, flags: pd.DataFrame, dropped: Mapping[str, int],
             encoding: str) -> None:  # fmt: skip
        """Book one file: rows in = rows kept + rows rejected, or the reader has lost a row."""
        n_read, n_kept, n_rejected = (int(counts[key]) for key in ("rows_in", "rows_kept", "rows_rejected"))
        if n_read != n_kept + n_rejected:
            raise AssertionError(f"{file}: {n_read} rows read, {n_kept} kept and {n_rejected} rejected")
        self.rejected.append(rejected[[*REJECTED, "level"]])
        self.flags.append(flags)
        self.counts.append({
            "file": file, "n_read": n_read, "n_kept": n_kept, "n_rejected": n_rejected,
            "n_cells_set_aside": int((rejected["level"] == "cell").sum()), "n_personal": sum(dropped.values()) + masked(counts),
            "encoding": encoding,
        })  # fmt: skip
        self.tick(file)

    def silent_towns(self) -> list[str]:
        """Towns of the register from which a survey has no answer at all."""
        frame = set(self.ledgers["towns", ""]["town_id"])
        waves = [
            (form, wave, seen)
            for form, heard in self.heard.items()
            for wave, seen in heard.items()
            if form != "department"
        ]
        return [f"{form} {wave}: {town}" for form, wave, seen in waves for town in sorted(frame - seen)]
