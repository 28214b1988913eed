"""A county's raw files as one cleaned county: every row of every file is kept or set aside with its reason."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from huying.clean.answers import Listed, clean_answers, with_list
from huying.clean.cells import Matcher
from huying.clean.flags import RULES, Booked, count_rows, find_flags, say_rejected
from huying.clean.ledgers import IDS, clean_ledger, known_ids
from huying.codebook import Codebook, Item
from huying.folder import County, Ledger, Survey, check_printed, read_toml
from huying.kinds import Id, Instant, Label, clean_series
from huying.ledgers import REJECTED, TABLES, Table
from huying.scrub import mask_cells, mask_text
from huying.sources.exports import read_answers
from huying.sources.kobo import read_kobo
from huying.sources.table import RawTable, Remark, drop_personal, read_table
from huying.store import Cleaned, code_hash, file_hash, hash_of
from huying.words import CountyError, HuyingError, Place, Text, language, near

NOTES = ("file", "sheet", "row", "note", "detail")
COUNTS = ("file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags", "n_personal", "encoding")
# The rooms of the package that prepared data are made by: a change of any other leaves them as they are.
PREPARE = (
    "clean/", "sources/", "codebook.py", "data/declarations.toml", "data/scrub.toml", "folder.py", "ledgers.py", "scrub.py", "store.py", "words.py",
    "workdays.py", "derived.py", "fonts.py", "kinds.py", "data/codebook.toml", "data/ledgers.toml", "data/printed.toml",
)  # fmt: skip
PARTNERS = {("joint_conference", "call_id"): ("calls", "call_id"), ("calls", "reopened_of"): ("calls", "call_id"),
            ("centres", "village_id"): ("villages", "village_id")}  # fmt: skip
NO_RECORD = ("total", "header_again", "repeated")  # rows whose absence loses nothing
FIRST = ("towns", "departments", "villages", "org_map")
LISTS = (("towns", "towns", "town_id", "name_zh"), ("departments", "departments", "dept_id", "name_zh"),
         ("old_units", "org_map", "old_id", "old_name"), ("new_units", "org_roster", "unit_id", "name"))  # fmt: skip


def data_hash(county: County) -> str:
    """The sha256 of everything the county's numbers are made from: its declaration, its files and the rooms that prepare them."""
    names = [name for survey in county.surveys for name in (survey.text, survey.number, survey.file)]
    names += [ledger.file for ledger in county.ledgers]
    names += [f"{name}.toml" for name in ("county", "frozen", "claims", "codebook", "indicators")]
    names += [str(county.report.relative_to(county.folder))] if county.report else []
    present = sorted({name for name in names if name and county.path(name).is_file()})
    return hash_of([code_hash(*PREPARE), *(f"{name} {file_hash(county.path(name))}" for name in present)])


def matcher_of(register: pd.DataFrame, key: str, prefixes: Sequence[str]) -> Matcher:
    """A matcher of the names in a register: names and aliases, which are parted by ; or 、, by the id in `key`."""
    names = register[["name_zh", "name_en"]].assign(aliases=register["aliases"].fillna("").astype(str))
    spelt = [[zh, en, *re.split("[;；、]", aliases)] for zh, en, aliases in names.itertuples(index=False)]
    return Matcher(dict(zip(register[key], spelt, strict=True)), prefixes)


def county_lists(registers: Mapping[str, pd.DataFrame]) -> dict[str, list[tuple[int, str, Text]]]:
    """The lists of the county from which items take their options: code from 1, key and label."""
    found: dict[str, list[tuple[str, Text]]] = {"towns": [], "departments": [], "old_units": []}
    for name, table, key, label in (listed for listed in LISTS if listed[1] in registers):
        sizes = registers[table].groupby([key, label], sort=False).size()
        usual = dict(sizes[::-1].sort_values(kind="stable").index)  # a unit may be called otherwise in one town
        rows = registers[table].drop_duplicates(key)
        rows = rows.assign(**{label: rows[key].map(usual)})
        rows = rows.sort_values(key) if table == "org_roster" else rows
        both = rows[label].astype(str), rows.get("name_en", rows[label]).fillna(rows[label]).astype(str)
        found[name] = list(zip(rows[key].astype(str), map(Text, *both), strict=True))
    if "documents" in registers:
        papers = registers["documents"]
        titles = papers.loc[papers["kind"] == "mechanism", "title"]
        found["mechanisms"] = [(f"m{n}", Text(str(title), str(title))) for n, title in enumerate(titles, 1)]
    return {name: [(code, *pair) for code, pair in enumerate(pairs, 1)] for name, pairs in found.items()}


def unknown_glyphs(table: Table, rows: pd.DataFrame, place: Place) -> Iterator[Remark]:
    """The names with characters that charts cannot show: the first row of each column, and the characters."""
    from huying.fonts import missing_characters

    for column in (one.name for one in table.columns if type(one.kind) is Label and one.name in rows):
        names = rows[column].dropna().astype(str)
        if lacking := missing_characters("".join(names.unique())):
            first = next(int(row) for row, name in names.items() if lacking & set(name))
            told = " ".join(f"{one} (U+{ord(one):04X})" for one in sorted(lacking))
            yield replace(place, row=first, column=column), "unknown_glyphs", told


class Intake:
    """Reads and cleans a county file by file; `tick` is told the name of each file as it is done."""

    def __init__(self, county: County, book: Codebook, tick: Callable[[str], None] = lambda name: None) -> None:
        self.county, self.book, self.tick = county, book, tick
        self.place = Place(str(county.folder / "county.toml"))
        for flag in (flag for flag in county.exclude if flag not in RULES):
            raise CountyError("batch.no_flag", self.place, flag=flag, known=", ".join(RULES))
        self.ledgers, self.forms = dict[tuple[str, str], pd.DataFrame](), dict[str, list[pd.DataFrame]]()
        self.rejected, self.flags = list[pd.DataFrame](), list[pd.DataFrame]()
        self.counts, self.notes = list[dict[str, Any]](), list[tuple[str, ...]]()
        self.matchers = {"town": Matcher({})}
        self.lost: dict[str, pd.DataFrame] = {}  # of each ledger, the rows that are not there now

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
        flags = flags.assign(file=flags["row_id"].str.replace("#[^#]*$", "", regex=True))
        counts, by_file = pd.DataFrame(self.counts, columns=list(COUNTS)), flags["file"].value_counts()
        counts = counts.assign(n_flags=[int(by_file.get(file, 0)) for file in counts["file"]])
        self.notes += [("county.toml", "", "", "silent_town", town) for town in self.silent_towns(waves)]
        self.notes += [("county.toml", "", "", "no_partner", told) for told in self.lonely()]
        rejected = pd.concat(self.rejected, ignore_index=True)
        return Cleaned(forms, self.ledgers, rejected, flags, counts, before, self.noted())

    def try_all(self) -> Iterator[HuyingError]:
        """Take one file after the other; the errors of those that cannot be taken, as they come."""
        self.check_register()
        entries: list[Any] = [*self.in_order(), *self.county.surveys]
        for entry in entries:
            try:
                self.take_survey(entry) if isinstance(entry, Survey) else self.take_ledger(entry)
            except HuyingError as error:
                yield error
        known = self.ledgers["towns", ""]["town_id"].to_list() if ("towns", "") in self.ledgers else []
        for town in (one for one in self.county.campaign.get("towns", ()) if known and one not in known):
            declared = read_toml(self.county.folder / "county.toml")
            told = {"town": town, "near": near(town, known)}
            yield declared.fail("folder.no_such_town", "towns", town, (("campaign", 0),), **told)

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
        if TABLES[ledger.table].of_period and self.county.periods and not ledger.period:
            known = ", ".join(self.county.periods)
            raise CountyError("folder.ledger_period", self.place, table=ledger.table, known=known)
        key = ledger.table, ledger.period
        raw = read_table(self.county.folder / ledger.file, sheet=ledger.sheet, header_row=ledger.header_row)
        table, ids, span = TABLES[ledger.table], known_ids(self.ledgers), self.county.periods.get(ledger.period)
        columns = table.find_columns(list(raw.text), raw.place, ledger.columns)
        keys = [header for name, header in columns.items() if isinstance(table.by_name[name].kind, Id)]
        raw = drop_personal(raw, keys, columns.values())
        columns = table.find_columns(list(raw.text), raw.place, ledger.columns)  # their headers may be masked now
        times = [header for name, header in columns.items() if isinstance(table.by_name[name].kind, Instant)]
        raw = raw.in_usual_days(times)
        days = (pd.Timestamp(span.first), pd.Timestamp(span.last), pd.Timestamp(span.as_of)) if span else None
        how = {"rename": ledger.columns, "values": ledger.values, "days": days}
        done = clean_ledger(table, raw, self.matchers, ids, self.ledgers.get(key), **how)
        gone = done.rejected[(done.rejected["level"] == "row") & ~done.rejected["reason"].isin(NO_RECORD)]
        for one in (one for _, name, one, _ in LISTS if name == table.name and table.key != (one,)):
            ids = clean_series(raw.text[columns[one]])
            gone = gone[~gone["row"].map(ids).isin(done.kept[one])]  # the others of its rows still name it
        self.lost[table.name] = pd.concat([*([self.lost[table.name]] if table.name in self.lost else []), gone])
        before = [self.ledgers[key]] if key in self.ledgers else []
        self.ledgers[key] = pd.concat([*before, done.kept], ignore_index=True)
        self.take((ledger.file,), raw, replace(done, notes=(*done.notes, *unknown_glyphs(table, done.kept, raw.place))))
        if column := {"towns": "town", "departments": "dept"}.get(ledger.table):
            self.matchers[column] = matcher_of(self.ledgers[key], IDS[column], self.county.prefixes)

    def items_of(self, form: str) -> tuple[list[Item], Listed]:
        """The items of a form with the county's lists (the town's its own options alone), and the list of towns.

        Raises CountyError where rows of a list that is asked for were set aside.
        """
        lists = county_lists({table: frame for (table, _), frame in self.ledgers.items()})
        items = [item if item.role == "town" else with_list(item, lists) for item in self.book.form(form)]
        lists_asked = {item.options_from for item in items} | {"towns" for item in items if item.role == "town"}
        for table in [table for name, table, *_ in LISTS if name in lists_asked]:
            self.check_lost(table)
        return items, lists["towns"]

    def check_lost(self, table: str) -> None:
        """Raise CountyError where rows of a register were set aside."""
        if len(lost := self.lost.get(table, ())):
            title, first = TABLES[table].title(language()), say_rejected(self.lost[table].to_dict("records")[0])
            raise CountyError("clean.register_lost", self.place, table=title, n=len(lost), first=first)

    def take_survey(self, survey: Survey) -> None:
        items, towns = self.items_of(survey.form)
        folder, how, order = self.county.folder, (items, survey.weight), [town for _, town, _ in towns]
        file, number = survey.text or survey.file, folder / survey.number if survey.number else None
        is_kobo, span = survey.reader == "kobo", self.county.waves[survey.wave]
        answers = read_kobo(folder / file, *how) if is_kobo else read_answers(folder / file, number, *how)
        villages = list(self.ledgers["villages", ""]["village_id"]) if ("villages", "") in self.ledgers else None
        done = clean_answers(answers, items, survey, span, self.matchers["town"], order, villages)
        self.forms.setdefault(survey.form, []).append(done.kept)
        self.take((file, survey.number), answers, done)

    def take(self, files: tuple[str, ...], read: RawTable, done: Booked) -> None:
        """Book one file (and its twin) under its path: rows read = rows kept + rows rejected, or cleaning has lost a row."""
        file, paths = mask_text(files[0]), {mask_text(Path(name).name): mask_text(name) for name in files}
        n_read, n_rejected = len(read.text) + count_rows(read.rejected), count_rows(done.rejected)
        if n_read != len(done.kept) + n_rejected:
            raise AssertionError(f"{file}: {n_read} rows read, {len(done.kept)} kept and {n_rejected} rejected")
        nowhere = {name: "" for name in IDS.values() if name not in done.rejected}
        rejected = done.rejected.assign(file=done.rejected["file"].replace(paths), **nowhere)
        self.rejected.append(rejected[[*REJECTED, *IDS.values()]].fillna(nowhere))
        row_id = done.flags["row_id"].str.replace("^.*(?=#)", lambda _: file, regex=True)
        self.flags.append(done.flags.assign(row_id=row_id, detail=mask_cells(done.flags["detail"])))
        for at, note, detail in (*read.notes, *done.notes):
            self.notes.append((paths.get(at.file, at.file), at.sheet, str(at.row or ""), note, detail))
        n_personal = sum(read.dropped.values()) + read.n_masked + done.n_masked
        counts = (n_read, len(done.kept), n_rejected, len(done.rejected) - n_rejected)
        # flags are counted last
        self.counts.append(dict(zip(COUNTS, (file, *counts, 0, n_personal, read.encoding), strict=True)))
        self.tick(file)

    def noted(self) -> pd.DataFrame:
        """What was repaired or seen (columns NOTES), personal values masked."""
        notes = pd.DataFrame(self.notes, columns=list(NOTES), dtype="str")
        return notes.assign(detail=mask_cells(notes["detail"]))

    def lonely(self) -> Iterator[str]:
        """Ids of a ledger that name a row of another which has no such row: how many of how many."""
        for (table, column), (other, key) in PARTNERS.items():
            known = [frame[key] for (name, _), frame in self.ledgers.items() if name == other]
            for (name, period), frame in self.ledgers.items():
                ids = frame[column].dropna() if name == table and known else pd.Series(dtype="str")
                if len(ids) and (lost := int((~ids.isin(pd.concat(known))).sum())):
                    yield f"{name} {period}: {column} → {other}, {lost} / {len(ids)}"

    def silent_towns(self, waves: Sequence[tuple[str, str, pd.DataFrame]]) -> list[str]:
        """Towns of the register from which a survey has no answer at all."""
        register = set(self.ledgers["towns", ""]["town_id"]) if ("towns", "") in self.ledgers else set()
        silent = [(form, wave, register - set(rows["town_id"])) for form, wave, rows in waves if form != "department"]
        return [f"{form} {wave}: {town}" for form, wave, towns in silent for town in sorted(towns)]
