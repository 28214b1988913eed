"""A county opened: its surveys, ledgers, report and claims as ordinary frames, and the judge; refuses a frame that lacks a place.

What is out of date is prepared first. Counts and verdicts follow the county's own clock, thresholds and frozen rules.
"""

import html
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from huying import labels, workdays
from huying.claims.declared import Claim, claims_of, decided_claims, read_freeze, rule_hashes
from huying.claims.evidence import KEY, as_evidence, in_order, no_data, typed
from huying.claims.rules import NO_BASELINE, judge_claim
from huying.claims.statements import FORM_NAMES, remark_word, statements
from huying.claims.verdict import Verdict, is_recording
from huying.clean.ledgers import IDS
from huying.counted import NO_CASE, bounded, counted, tally, values
from huying.estimates import COUNTY
from huying.folder import County as Declared, county_folder, read_county
from huying.ledgers import TABLES, no_rows
from huying.prepare import codebook_of, derived_of, prepare, prepared_hash
from huying.store import Cleaned, load_cleaned, read_parquet
from huying.survey import NOT_ASKED, NOT_THIS_WAVE, Survey
from huying.surveys import find_shortfalls, open_survey
from huying.waiting import time_calls
from huying.words import CountyError, EstimateError, Text, all_words, near, say, use_language

# Ledgers that name what others give by its id.
NAMED = {"towns": ("town_id", "name_zh", "name_en"), "departments": ("dept_id", "name_zh", "name_en")}
NAMED |= {"org_map": ("old_id", "old_name", "old_name_en")}
OUTSIDE = ("repeated", "header_again", "total", "outside_wave", "outside_period")  # rows that no base would hold
TEXTS = ["part", "period", "wave", "place", "method", "reliability", "reason", "remark"]

# The same dtype `str`: what is counted and judged are small tables, of which Python's texts are taken sooner than Arrow's.
pd.options.mode.string_storage = "python"


class County:
    """One county, in one language. `declared`: its `county.toml`; `cleaned`: what was kept and set aside; `book`: the questionnaire.

    `towns`: the register of towns, a row a town: town_id, names, type, pop, adults, n_villages, staff_listed.
    `declared_claims`: the claims with their rules, by id.

    `own_claims`: the county's own claims that a derived variable decides, by id. Opening raises CountyError for a claim that
    its variable cannot decide.
    """

    def __init__(self, declared: Declared, folder: Path, lang: str) -> None:
        self.declared, self.folder, self.lang = declared, folder, lang
        self.id, self.key = declared.id, f"{declared.folder.resolve()}/{lang}"
        self.judged, self.book = list[pd.DataFrame](), codebook_of(declared)
        self.declared_claims = claims_of(declared)
        self.own_claims = {key: variable for key, (_, variable) in decided_claims(declared).items()}
        self.surveys_made: dict[Any, Survey] = {}
        self.towns = self.ledger("towns")
        self.town_ids = list(self.towns["town_id"])
        self.departments = list(self.ledger("departments")["dept_id"])
        self.labels = self._make_labels()
        labels.register(self.key, self.labels)

    def _make_labels(self) -> labels.Labels:
        """What the county's places and measures are called in its language."""
        places: dict[str, Any] = {COUNTY: self.declared.name}
        for table, columns in NAMED.items():
            rows = self.cleaned.ledger(table)
            names = [] if rows is None else rows[list(columns)].itertuples(index=False)
            places |= {str(place): Text(str(zh), str(en)) for place, zh, en in names}
        (own, house), here = derived_of(self.declared), self.declared
        ledgers = [column for table in TABLES.values() for column in table.columns]
        measures = {column.name: column.title for column in ledgers if f"labels.{column.name}" not in all_words()}
        made = {variable.name: variable for variable in (*house.values(), *own.values())}
        measures |= {name: variable.text for name, variable in made.items()}
        rules = {name: variable.when for name, variable in made.items()}
        about = self.book, here.is_synthetic, here.sampling, rules, self.departments
        return labels.Labels(self.lang, here.name, places, measures, *about)

    def __repr__(self) -> str:
        sampling = [f"sampling_{self.declared.sampling}"] * (self.declared.sampling != "probability")
        keys = ["heading", "internal", *sampling, *["synthetic"] * self.declared.is_synthetic]
        return "\n".join(say(f"counties.{key}", self.lang, name=self.declared.name(self.lang)) for key in keys)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(line)}</p>" for line in repr(self).split("\n"))

    # --- what there is ------------------------------------------------------------------------------------------------

    @cached_property
    def cleaned(self) -> Cleaned:
        """The prepared data: forms, ledgers, rejected rows, flags, counts."""
        made_from = self.folder, prepared_hash(self.declared)
        if _loaded.get("made_from") != made_from:
            _loaded.update(made_from=made_from, cleaned=load_cleaned(self.folder / "data"), surveys={})
        return _loaded["cleaned"]  # type: ignore[no-any-return]

    @cached_property
    def calendar(self) -> workdays.Calendar:
        """The county's calendar of working days."""
        return workdays.calendar(self.declared.calendar, self.declared.calendar_file)

    @property
    def claims(self) -> pd.DataFrame:
        """The claims as a frame: what is claimed, its rule, when the rule was frozen, and whether it was changed since."""
        (frozen, now), lang, claims = self._frozen, self.lang, self.declared_claims.values()
        late = {one.id: remark_word(frozen.remark(one.id, now[one.id]), lang) for one in claims}
        rows = [(one.id, one.text(lang), one.say_rule(lang), frozen.date(one.id), late[one.id]) for one in claims]
        return pd.DataFrame(rows, columns=["claim", "text", "rule", "frozen_on", "remark"])

    @property
    def recorded(self) -> pd.DataFrame:
        """The rows judged since the county was opened, each key once with its last value."""
        rows = pd.concat([typed(no_data([], "")), *self.judged])
        return rows.drop_duplicates(list(KEY), keep="last", ignore_index=True)

    @property
    def evidence(self) -> pd.DataFrame:
        """The evidence ledger as the last run gathered it; empty before the first."""
        file = self.folder / "evidence.parquet"
        return read_parquet(file) if file.is_file() else typed(no_data([], ""))

    @property
    def statements(self) -> pd.DataFrame:
        """What is said of each row of the evidence ledger, in the county's language (`huying.statements`)."""
        return statements(self.evidence, self.declared_claims, self.labels, self.lang)

    @property
    def report(self) -> str:
        """The text of the county's report, empty where it has none."""
        from huying.report import read_report

        return read_report(self.declared.report) if self.declared.report else ""

    @property
    def rejected(self) -> pd.DataFrame:
        """Rows and cells that were set aside, with file, row, column and reason."""
        return self.cleaned.rejected

    @property
    def notes(self) -> pd.DataFrame:
        """What was repaired or seen when the files were read: file, sheet, row, note, detail."""
        return self.cleaned.notes

    @property
    def flags(self) -> pd.DataFrame:
        """What was noticed about single rows."""
        return self.cleaned.flags

    @property
    def codebook(self) -> pd.DataFrame:
        """The columns of every form: form, column, item, wording."""
        items = self.book.items.values()
        rows = [(item.form, column, item.id, item.text(self.lang)) for item in items for column in item.columns]
        return pd.DataFrame(rows, columns=["form", "column", "item", "text"])

    def waves(self, form: str) -> list[str]:
        """The waves in which a form was asked, oldest first."""
        rows = self.cleaned.forms.get(form)
        return [] if rows is None else sorted(rows["wave"].unique())

    def periods(self, table: str) -> list[str]:
        """The periods of a ledger, oldest first; one empty name where it has none."""
        return sorted(period for name, period in self.cleaned.ledgers if name == table)

    @property
    def shortfalls(self) -> pd.DataFrame:
        """What the files do not bear out: margins that disagree, more forms than people, limits in a year without a notice."""
        return find_shortfalls(self.cleaned, self.declared, self.book)

    @property
    def as_of(self) -> dict[str, pd.Timestamp]:
        """The day on which the data of each period were taken."""
        return {when: pd.Timestamp(span.as_of) for when, span in self.declared.periods.items()}

    # --- surveys and ledgers ------------------------------------------------------------------------------------------

    def survey(
        self, form: str, wave: str = "", exclude: tuple[str, ...] | list[str] | None = None, weights: str = "raked"
    ) -> Survey:
        """A form of one wave (the latest where none is named): residents, staff, leaders or departments.

        `exclude`: flags whose forms are left out (the county's own where None); `weights`: raked, or none. Every call gives
        a frame of its own. Raises EstimateError for a form or weighting nobody knows.
        """
        return open_survey(self, form, str(wave), exclude, weights)

    def previous(self, survey: Survey) -> Survey:
        """The same form one wave earlier; where there is none, an empty survey whose changes say `no baseline`."""
        earlier = [wave for wave in self.waves(survey.form) if wave < survey.wave]
        found = self.survey(survey.form, ["-", *earlier][-1])
        found.absent = found.absent if earlier or survey.absent else NO_BASELINE
        return found

    def ledger(self, table: str, period: str | None = None) -> pd.DataFrame:
        """A ledger's rows with their `period`, typed; of calls also their waits, and what was due on the day of the data (`huying.waiting`).

        Without a period all of them. A ledger that the county does not have is empty, with all its columns. Raises
        CountyError for a table that nobody knows.
        """
        if table not in TABLES:
            raise CountyError("counties.no_table", table=table, known=near(table, TABLES))
        wanted = [when for when in self.periods(table) if period is None or when == str(period)]
        parts = [self.cleaned.ledgers[table, when].assign(period=when) for when in wanted]
        rows = pd.concat(parts, ignore_index=True) if parts else no_rows(table).assign(period="")
        if table == "calls":
            taken = rows["period"].map(self.as_of)
            rows = time_calls(rows.assign(as_of=taken), self.declared.clock, self.calendar, taken)
        rows.attrs |= {"labels": self.key, "source": TABLES[table].title(self.lang)}
        return rows

    def has(self, table: str) -> bool:
        """Whether the county has a ledger or a form of this name."""
        return table in {name for name, _ in self.cleaned.ledgers} or FORM_NAMES.get(table, "") in self.cleaned.forms

    def offers(self, needs: tuple[str, ...] | list[str]) -> bool:
        """Whether the county has any of these: a ledger or form, a report, claims of its own, a variable its forms allow."""
        known = {"report": bool(self.declared.report), "own_claims": bool(self.own_claims)}
        if any(known.get(name) or self.has(name) for name in needs):
            return True
        asked = [self.survey(form) for form in self.cleaned.forms]
        return any(name in survey.declared and name not in survey.unasked for survey in asked for name in needs)

    # --- complete lists --------------------------------------------------------------------------------------------------

    def count(
        self, rows: pd.DataFrame, flag: Any, by: Any = "town", exact: bool = False, reason: str = ""
    ) -> pd.DataFrame:
        """Shares of a true/false column of a complete list, in the shape of `share`: every town, then the county, period by period.

        A missing value is outside the base. A list is counted; `exact` adds the Clopper-Pearson interval of its process. `by`:
        town, None (the county alone), or another column (a row for each of its values; of dept_id for each department).
        """

        def one(flags: pd.Series, part: pd.DataFrame) -> pd.DataFrame:
            if by == "town" or by is None:
                counts = tally(flags, part["town_id"] if by else flags, self.town_ids if by else ())
            else:
                counts = flags.groupby(part[by]).agg(yes="sum", known="count")
            if by == "dept_id":  # also those of the register without a case
                counts = counts.reindex(counts.index.union(self.departments), fill_value=0)
            return counted(counts.index.astype(str), counts["yes"], counts["known"], exact=exact)

        return self._by_period(rows, flag, one, reason)

    def bounded(self, rows: pd.DataFrame, flag: Any, by: str | None = "town", reason: str = NO_CASE) -> pd.DataFrame:
        """As `count`, for a list in which some values are not known: low counts them as no, high as yes."""

        def one(flags: pd.Series, part: pd.DataFrame) -> pd.DataFrame:
            counts = tally(flags, part["town_id"] if by else flags, self.town_ids if by else ())
            return bounded(counts.index, counts["yes"], counts["known"], counts["total"], reason=reason)

        return self._by_period(rows, flag, one, "")

    def _by_period(self, rows: pd.DataFrame, flag: Any, one: Any, reason: str) -> pd.DataFrame:
        flags = rows[flag] if isinstance(flag, str) else pd.Series(flag, index=rows.index)
        flags, name = flags.astype("boolean"), flag if isinstance(flag, str) else str(getattr(flag, "name", "") or "")
        groups = rows.groupby("period", sort=True).groups if len(rows) and "period" in rows else {"": rows.index}
        parts = [one(flags.loc[at], rows.loc[at]).assign(period=str(period)) for period, at in groups.items()]
        made = pd.concat(parts, ignore_index=True).assign(measure=name, wave="")
        made["reason"] = made["reason"].replace(NO_CASE, reason or NO_CASE)
        made.attrs |= rows.attrs | {"labels": self.key}
        return made

    def proportion(self, k: pd.Series, n: pd.Series, exact: bool = False, period: str = "") -> pd.DataFrame:
        """Shares k/n of complete lists from their totals, a row a place (the index of both)."""
        made = counted(k.index.astype(str), k.to_numpy(dtype=float), n.to_numpy(dtype=float), exact=exact)
        made.attrs["labels"] = self.key
        return made.assign(period=period, wave="", measure=str(k.name or ""))

    def values(self, series: Any, n: Any = 1, period: str = "", reason: str = "", **columns: Any) -> pd.DataFrame:
        """One number a place as rows for `judge`: a Series by place id, or a number for the county; `n` by place or one for all.

        An index level named `period` holds the period of each number, alone for the county. `reason` says why a missing
        number is missing.
        """
        given = series if isinstance(series, pd.Series) else pd.Series({COUNTY: series}, dtype="Float64")
        if "period" in given.index.names and not len(given):
            given = pd.Series({COUNTY: np.nan})
        size = n.reindex(given.index).fillna(0).to_numpy() if isinstance(n, pd.Series) else n
        numbers = given.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        where = given.index.to_frame(index=False).astype(str)
        period = where.pop("period").to_numpy() if "period" in where else period
        places = where.iloc[:, 0] if where.shape[1] else [COUNTY] * len(given)
        made = values(places, numbers, size, reason or NO_CASE, **{"period": period, "wave": "", **columns})
        made.attrs["labels"] = self.key
        return made

    # --- claims -------------------------------------------------------------------------------------------------------

    def claim(self, key: str) -> Claim:
        """A claim with its rule; raises CountyError for an id that no claim has."""
        if key not in self.declared_claims:
            raise CountyError("claims.unknown", claim=key, close=near(key, self.declared_claims))
        return self.declared_claims[key]

    def places_of(self, claim: Claim) -> list[str]:
        """The places that get a verdict on a claim: towns, those that are no pilot, the pilot, or departments, and the county."""
        pilot = list(self.towns.loc[self.towns["type"] == "pilot", "town_id"])
        own = {"town": self.town_ids, "pilot": pilot, "department": self.departments}
        own["others"] = [town for town in self.town_ids if town not in pilot]
        found = own.get(claim.share_of or claim.judged_for, [])
        return found if found and claim.judged_for == "pilot" else [*found, COUNTY]

    def find_place(self, name: str) -> str:
        """The id of a town by its id or its name, where only one town can be meant; the county where nothing is named."""
        called = self.towns[["name_zh", "name_en"]].eq(name).any(axis=1)
        return str(self.towns.loc[called, "town_id"].iloc[0]) if called.sum() == 1 else name or COUNTY

    def judge(self, claim: str, rows: pd.DataFrame, part: str = "", place: str = "", period: str = "") -> Verdict:
        """Judge an estimate by the claim's frozen rule, show the sentences for `place` and the county, and return the verdict.

        `rows`: what share, mean, count or values return, with every place that the claim is judged for, of one wave. `part`
        names a part of the claim; several at once stand in a column `part`. Of a ledger's periods the sentences tell `period`
        where it is among them, else the latest. In the recording run the rows are recorded.
        Raises CountyError for an unknown claim, EstimateError for a frame that lacks a place or holds two waves.
        """
        known, here = self.claim(claim), self.find_place(place)
        if here != COUNTY and here not in self.town_ids:
            raise CountyError("claims.no_such_place", place=here, known=", ".join(self.town_ids))
        gone = next((name for name in known.needs if not self.has(name)), "")
        if gone or not len(rows):
            judged = no_data(self.places_of(known), f"no data: {gone}" if gone else NOT_ASKED)
        else:
            judged = judge_claim(known, self._facts(known, rows, part), self.declared.thresholds["fewest_cases"])
        frozen, now = self._frozen
        evidence = as_evidence(self.declared, known, judged, frozen, now[claim], self.cleaned.data_hash)
        said = zip(rows.get("part", ()), rows.get("measure", ()), strict=False) if not gone else ()
        measures = {part: measure for part, measure in said if isinstance(measure, str)}
        is_part = part or ("part" in rows and not rows["part"].eq("").any() and not known.is_conjunction)
        is_recorded = not (gone and is_part) and bool(gone or len(rows)) and not self._is_of_another_wave(evidence)
        verdict = Verdict(evidence, known, self.lang, here, self.labels, {part: part, **measures}, is_recorded, period)
        if is_recorded:
            self.judged.append(evidence)
            # One key judged with two values is an error; a researcher who alters a cell and runs it again has the last.
            if is_recording():
                in_order(pd.concat(self.judged))
        verdict.show()
        return verdict

    def _is_of_another_wave(self, rows: pd.DataFrame) -> bool:
        """Whether a form was not asked in this wave but in another, or a change has its later wave still to come."""
        waves = sorted({wave for form in self.cleaned.forms for wave in self.waves(form)})
        is_unjudged = rows["verdict"].isin(["", NO_BASELINE]) & rows["reason"].isin([NO_BASELINE, "one wave or period"])
        is_early = is_unjudged.all() and rows["wave"].ne("").all() and rows["wave"].max() != waves[-1]
        return bool(is_early or (rows["reason"] == NOT_THIS_WAVE).all())

    def _facts(self, claim: Claim, rows: pd.DataFrame, part: str) -> pd.DataFrame:
        if missing := [name for name in ("place", "estimate", "low", "high", "n") if name not in rows]:
            raise EstimateError("claims.no_number", claim=claim.id, columns=", ".join(missing))
        facts = rows.assign(part=part) if part or "part" not in rows else rows
        numbers = dict.fromkeys(("estimate", "low", "high", "n", "se", "n_eff", "df", "deff"), np.nan)
        blank = {name: value for name, value in (numbers | dict.fromkeys(TEXTS, "")).items() if name not in facts}
        facts = facts.assign(**blank).astype(dict.fromkeys(numbers, "float64"))
        facts[TEXTS] = facts[TEXTS].astype(object).where(facts[TEXTS].notna(), "").map(str)
        if len(waves := sorted(set(facts["wave"]))) > 1:
            raise EstimateError("claims.two_waves", claim=claim.id, waves=", ".join(waves))
        needed = [place for place in self.places_of(claim) if not (claim.is_about_towns and place == COUNTY)]
        ruled = ["", *(claim.subs if claim.is_conjunction else ())]
        for _, same in facts[facts["part"].isin(ruled)].groupby(["part", "period"]):
            if lacks := [place for place in needed if place not in set(same["place"])]:
                told = {"needed": claim.judged_for, "places": ", ".join(lacks[:6])}
                raise EstimateError("claims.no_places", claim=claim.id, **told)
        return facts.assign(n_rejected=self._count_rejected(claim, facts))

    def _count_rejected(self, claim: Claim, facts: pd.DataFrame) -> list[int]:
        """How many rows that a claim could have counted were set aside, for each fact: those of its place, and of no known place."""
        forms, here = [FORM_NAMES.get(name, "") for name in claim.needs], self.declared
        sources = {Path(one.file).name: one.period for one in here.ledgers if one.table in claim.needs}
        sources |= {Path(one.text or one.file).name: one.wave for one in here.surveys if one.form in forms}
        lost = self._lost_rows.assign(at=self._lost_rows["name"].map(sources)).dropna(subset="at")
        counts = dict[tuple[str, str], Any]()
        for at, table in product(set(facts["wave"] + facts["period"]), ("town", "dept")):
            own = lost[lost["at"].isin(["", at]) | (at == "")]
            counts[at, table] = own.get(IDS[table], own["at"]).value_counts()
        found = []
        for place, at in zip(facts["place"], facts["wave"] + facts["period"], strict=True):
            count = counts[at, "dept" if place in self.departments else "town"]
            found.append(int(count.sum() if place == COUNTY else count.get(place, 0) + count.get("", 0)))
        return found

    @cached_property
    def _lost_rows(self) -> pd.DataFrame:
        """Whole rows that were set aside though a base would hold them, with the `name` of their file."""
        lost = self.rejected[(self.rejected["level"] == "row") & ~self.rejected["reason"].isin(OUTSIDE)]
        return lost.assign(name=lost["file"].str.split("/").str[-1])

    @cached_property
    def _frozen(self) -> Any:
        return read_freeze(self.declared), rule_hashes(self.declared, self.declared_claims)


_loaded: dict[str, Any] = {}  # the prepared county read last and its surveys by language, for the next reading of it


def county(name: str | Path | County, lang: str = "") -> County:
    """A county by its id or folder (or one that is open, read anew), prepared where something has changed; errors and sentences come in `lang`.

    Raises CountyError and InputError for a folder or file that cannot be taken as it is.
    """
    declared = read_county(county_folder(name.declared.folder if isinstance(name, County) else name))
    language = lang or declared.lang
    use_language(language)
    opened = County(declared, prepare(declared), language)
    opened.surveys_made = _loaded["surveys"].setdefault(language, {})
    return opened
