"""What every output is made of: a county's statements in one language, in the order of use, and its pictures; adds no number and no sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from huying import charts, labels
from huying.charts import saving
from huying.charts.look import WIDTH
from huying.claims.declared import Claim, read_freeze
from huying.claims.evidence import NUMBERS, typed
from huying.claims.rules import SOME
from huying.claims.statements import TEXT_COLUMNS, statements
from huying.clean.flags import say_note
from huying.counties import County
from huying.estimates import COUNTY
from huying.prepare import results_folder
from huying.report import Quoted, quote_sentences, read_quotes
from huying.store import read_parquet
from huying.words import InputError, Place, all_words, say

FINDINGS = 5
DRAWN = ["estimate", "low", "high", "low_family", "high_family"]
ROW = ["estimate", "low", "high", "unit", "n_of", "is_counted", "reliability", "reason"]
ROW += ["remark", "notebook", "cell", "rule_frozen_on"]  # beside what is said


@dataclass(frozen=True)
class Content:
    """A county in one language with an evidence ledger: its own, or one that was made elsewhere."""

    county: County
    evidence: pd.DataFrame

    @property
    def lang(self) -> str:
        return self.county.lang

    @property
    def claims(self) -> dict[str, Claim]:
        return self.county.declared_claims

    def say(self, key: str, **values: object) -> str:
        """A text of the outputs."""
        return say(f"deliver.{key}", self.lang, **values)

    @cached_property
    def name(self) -> str:
        """The county's name."""
        return self.county.declared.name(self.lang)

    @cached_property
    def marks(self) -> list[str]:
        """What stands on every output: that it is internal and, where it is, that the data are synthetic."""
        return [self.say("internal")] + [say("charts.synthetic", self.lang)] * self.county.declared.is_synthetic

    @cached_property
    def said(self) -> pd.DataFrame:
        """Every row of the ledger as a statement, with the columns ROW of the ledger (missing ones empty) and its section."""
        told = statements(self.evidence, self.claims, self.county.labels, self.lang)
        section = told["claim"].map(lambda key: key[:2] if key[:1] in "PS" else key[:1])
        return told.join(typed(self.evidence).set_axis(self.evidence.index)[ROW]).assign(section=section)

    @cached_property
    def latest(self) -> pd.DataFrame:
        """The headlines, of several waves or periods the latest that has a value, claims in the order of the report."""
        heads, order = self.said[self.said["part"] == ""], {key: n for n, key in enumerate(self.claims)}
        told = {"order": heads["claim"].map(order), "has": heads["value"] != ""}
        told["at"] = heads["wave"].where(heads["wave"] != "", heads["period"])
        rank = pd.DataFrame(told).sort_values([*told], kind="stable")
        return heads.loc[rank.index].drop_duplicates(["claim", "place"], keep="last")

    @cached_property
    def sections(self) -> dict[str, list[str]]:
        """The claims of each section, in the order of the report."""
        return {section: list(rows.index) for section, rows in self.heads.groupby("section", sort=False)}

    def say_section(self, section: str) -> str:
        """What a section is called; one that only the county's own claims have, by its letter."""
        key = f"deliver.section_{section}"
        return say(key, self.lang) if key in all_words() else self.say("section", section=section)

    @cached_property
    def sentences(self) -> list[Quoted]:
        """The report sentence by sentence, with the claim that each passage makes; nothing where no passage is known."""
        text = self.county.report
        quotes = read_quotes(self.county.declared, self.claims, text)
        return quote_sentences(text, {key: quotes[key] for key in self.heads.index if key in quotes}) if quotes else []

    @cached_property
    def unquoted(self) -> pd.DataFrame:
        """The headlines of `heads` that are tied to no passage of the report."""
        return self.heads.loc[[claim for claim in self.heads.index if not self.quote_of(claim)]]

    def verdict_word(self, verdict: str) -> str:
        """The word for a verdict."""
        return say(f"claims.verdict_{verdict.replace(' ', '_')}", self.lang)

    def quote_of(self, claim: str) -> str:
        """The passage of the report that makes a claim; nothing where none is known."""
        cut = (passage for sentence in self.sentences for passage in sentence.passages)
        return next((passage.text for passage in cut if passage.claim == claim), "")

    @cached_property
    def tally(self) -> dict[str, int]:
        """How many claims have each verdict, those that measure what another does left out."""
        found = self.once["verdict"].value_counts()
        return {verdict: int(found[verdict]) for verdict in charts.VERDICTS if verdict in found}

    @cached_property
    def quality(self) -> dict[str, pd.DataFrame]:
        """What became of the files, each a table in words: rows of each, what was rejected and why, what was noticed."""
        cleaned = self.county.cleaned
        files = cleaned.counts.drop(columns=["n_personal", "encoding"], errors="ignore")
        tables = {"files": files, "rejected": count_by(cleaned.rejected, ["file", "level", "reason"])}
        tables["flags"] = count_by(cleaned.flags, ["flag", "file"])
        return {key: self.in_words(table) for key, table in tables.items() if len(table)}

    def in_words(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with its columns and values in the county's words."""
        words = self.county.labels
        told = {name: table[name].map(lambda value, name=name: words.value(name, value)) for name in table}
        return pd.DataFrame(told).rename(columns={name: words.column(name) for name in table})

    @cached_property
    def notes(self) -> list[str]:
        """What was repaired or seen when the files were read."""
        return [say_note(note, self.lang) for note in self.county.notes.to_dict("records")]

    def at(self, place: str) -> pd.DataFrame:
        """The headlines of a place, a row a claim (index)."""
        return self.latest[self.latest["place"] == place].set_index("claim", drop=False)

    @cached_property
    def heads(self) -> pd.DataFrame:
        """One headline a claim (index): the county's, where there is none that of the last place."""
        order = (self.latest["place"] == COUNTY).sort_values(kind="stable").index
        heads = self.latest.loc[order].drop_duplicates("claim", keep="last").set_index("claim", drop=False)
        return heads.reindex([key for key in self.claims if key in heads.index])

    @cached_property
    def once(self) -> pd.DataFrame:
        """The headlines without those that measure what another does."""
        return self.heads.loc[[key for key in self.heads.index if not self.claims[key].same_as]]

    @cached_property
    def silent(self) -> list[str]:
        """The claims of which nothing can be said for want of a file or a question."""
        return list(self.heads.index[self.heads["reason"].str.startswith(("not asked", "no data"))])

    @cached_property
    def findings(self) -> pd.DataFrame:
        """The findings that matter, at most FINDINGS: problems first, each thing once, of which the report's own problems come first."""
        once = self.once[~self.once["verdict"].isin(["", "cannot say", "no baseline"])]
        rank = once.assign(is_other=~once["is_problem"], is_minor=~once["section"].str.startswith("P"))
        return once.loc[rank.sort_values(["is_other", "is_minor"], kind="stable").index[:FINDINGS]]

    @cached_property
    def problems(self) -> pd.DataFrame:
        """The headlines that show a problem, each thing once, the report's own problems first."""
        once = self.once[self.once["is_problem"].astype(bool)]
        return once.loc[once["section"].str.startswith("P").sort_values(ascending=False, kind="stable").index]

    def among(self, claim: str) -> pd.DataFrame:
        """The headlines of a claim's towns or departments, of the wave or period that the county's is of."""
        own = self.latest[(self.latest["claim"] == claim) & (self.latest["place"] != COUNTY)]
        return own[own["when"] == self.heads.loc[claim, "when"]]

    def where(self, claim: str) -> list[str]:
        """The names of the places in which a claim shows a problem after the adjustment."""
        own = self.among(claim)
        own = own[own["is_problem"].astype(bool)]
        named = zip(own["place_name"], own["remark"], strict=True)
        return [self.say("by_chance", name=name) if "chance" in remark else name for name, remark in named]

    def fact(self, row: Mapping[str, str]) -> str:
        """What a statement says of the data: its sentence without the claim, its verdict and the threshold."""
        head = say("statements.head", self.lang, text="", verdict=row["verdict_word"])
        told = row["sentence"].partition(head)[2] or row["sentence"]
        line = say("statements.threshold", self.lang, threshold=row["threshold"]) if row["threshold"] else ""
        return told.replace(line, "", 1) if line else told

    @cached_property
    def unsupported(self) -> pd.DataFrame:
        """The claims that the data do not bear out, or that say less than the data do."""
        return self.heads[(self.heads["verdict"] == "not supported") | self.heads["remark"].str.contains("understated")]

    @cached_property
    def method(self) -> list[str]:
        """What the numbers rest on: forms, ledgers, the day on which the rules were fixed, intervals and adjustment."""
        cleaned, frozen = self.county.cleaned, read_freeze(self.county.declared).frozen_on
        made = [
            (str(wave), form, len(rows))
            for form, frame in cleaned.forms.items()
            for wave, rows in frame.groupby("wave")
        ]
        told = [
            self.say("forms", wave=w, form=say(f"labels.form_{form}", self.lang), n=n) for w, form, n in sorted(made)
        ]
        told = [self.say("semicolon").join(told)] * bool(told)
        n_rejected = int((cleaned.rejected["level"] == "row").sum())
        told.append(self.say("ledgers", n=len(cleaned.ledgers), rejected=n_rejected))
        told += [say(f"counties.sampling_{self.county.declared.sampling}", self.lang)] * bool(made)
        if flags := self.county.declared.exclude:
            named = (self.county.labels.value("flag", flag) for flag in flags)
            told.append(self.say("left_out", flags=say("statements.list", self.lang).join(named)))
        return [*told, self.say("frozen" if frozen else "not_frozen", date=frozen), self.say("adjusted")]

    @property
    def terms(self) -> list[str]:
        """What the indices are that its claims speak of."""
        return [say(f"terms.{claim}", self.lang) for claim in self.heads.index if f"terms.{claim}" in all_words()]

    @cached_property
    def cannot_say(self) -> list[str]:
        """What stays undecided and why, and in one line the claims that lack a survey or ledger."""
        open_ones = self.heads[
            self.heads["verdict"].isin(["cannot say", "no baseline"]) & ~self.heads.index.isin(self.silent)
        ]
        told = [self.say("open_claim", text=row["text"], why=row["caution"]) for row in open_ones.to_dict("records")]
        texts = self.heads.loc[self.silent, "text"]
        return told + [self.say("silent", n=len(texts), claims=self.say("semicolon").join(texts))] * bool(len(texts))

    @cached_property
    def towns(self) -> list[str]:
        """The towns that the ledger speaks of: those of the register in its order, then any other."""
        return self._places(self.county.town_ids, self.county.departments)

    @cached_property
    def departments(self) -> list[str]:
        """The departments that the ledger speaks of."""
        return [place for place in self.county.departments if place in set(self.said["place"])]

    def _places(self, first: list[str], others: list[str]) -> list[str]:
        there = [place for place in self.said["place"].unique() if place not in (COUNTY, *others)]
        return [place for place in first if place in there] + [place for place in there if place not in first]

    def draw(self, claim: str, place: str = "", most: int = 0, width: float = WIDTH) -> Axes | None:
        """A claim's places with their intervals, one of them marked; nothing where fewer than two have a value.

        `most`: only so many of them, those next to the one that is marked; `width`: in inches.
        """
        head, own = self.heads.loc[claim], self.among(claim)
        rows = self.evidence.loc[own.index[own["estimate"].notna()]].copy()
        if len(rows) < 2:
            return None
        note, unit, (quantifier, line) = "", str(rows["unit"].iloc[0]), self.claims[claim].rule_at("town")
        if unit == "points":  # percentage points, no per cent
            rows[DRAWN], line = rows[DRAWN] * 100, line * 100
        shown = None if quantifier == SOME and unit != "count" else line  # of some it is a number of cases
        if 0 < most < len(rows):
            rows, n = rows.sort_values("estimate", kind="stable"), len(rows)
            at = int(rows["place"].eq(place).to_numpy().argmax())
            first = min(max(0, at - most // 2), n - most)
            rows, note = rows.iloc[first : first + most].copy(), self.say("nearest", most=most, n=n)
        told = own[own["place"] == place].iloc[0] if place and (own["place"] == place).any() else head
        title = told["title"]
        if told["place"] == COUNTY and self.claims[claim].is_about_towns:  # its value, a share of towns, is not drawn
            title = say("statements.title", self.lang, text=told["text"], told=told["verdict_word"])
        verdict: Any = SimpleNamespace(title=title, subtitle=told["subtitle"], row=rows.iloc[0].to_dict())
        rows.attrs["labels"] = self.county.key
        labels.register(self.county.key, self.county.labels)  # of two languages the picture's marks are in this one
        how = {"percent": unit == "share", "verdict": verdict, "note": note, "width": width}
        drawn = charts.forest(rows, threshold=shown, highlight=place or None, **how)
        if (key := f"deliver.unit_{unit}") in all_words():
            drawn.set_xlabel(say(key, self.lang))
        return drawn

    def picture(self, claim: str, place: str = "", **how: Any) -> bytes | None:
        """What `draw` gives, as PNG for print."""
        drawn = self.draw(claim, place, **how)
        return saving.as_png(drawn) if drawn else None


def read_evidence(county: County, file: Path | None = None) -> pd.DataFrame:
    """The county's evidence ledger, or that of a file (Parquet or CSV) made elsewhere; raises InputError where there is none."""
    path = file or results_folder(county.declared) / "evidence.parquet"
    if not path.is_file():
        raise InputError("cli.no_evidence", Place(str(path)), county=county.id)
    if path.suffix != ".csv":
        return read_parquet(path)
    blank = {name: [""] for name in NUMBERS}
    kinds = dict.fromkeys(TEXT_COLUMNS, "str") | dict.fromkeys(NUMBERS, "float64")
    try:
        return pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False, na_values=blank, dtype=kinds)
    except ValueError as error:  # neither text nor a table, or a word where a number belongs
        raise InputError("deliver.no_ledger", Place(str(path)), why=str(error)) from error


def count_by(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """How many rows there are of each combination of columns."""
    return rows.groupby(columns, sort=False).size().reset_index(name="n_rows")
