"""Rows of the evidence ledger as statements, the one place where a row becomes a sentence; refuses a unit or noun that has no words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from huying.claims.declared import Claim
from huying.claims.evidence import FLAGS, KEY, NUMBERS
from huying.claims.rules import ALL, CANNOT_SAY, COUNTS, NONE, NOT_SUPPORTED, SOME, SUPPORTED, TEXT, WITHIN
from huying.codebook import house_codebook
from huying.counted import NO_CASE
from huying.errors import CountyError, near
from huying.estimates import COUNTY
from huying.intervals import COUNT
from huying.labels import Labels, part_word
from huying.ledgers import TABLES
from huying.prepare import house_derived
from huying.units import SLACK, of_part, read_lists, say_n, say_noun, say_value
from huying.words import Text, all_words, say

STATEMENT = [
    *KEY,
    "place_name",
    "text",
    "verdict",
    "verdict_word",
    "value",
    "interval",
    "n",
    "measure",
    "base",
    "when",
    "question",
]
STATEMENT += [
    "source",
    "caution",
    "threshold",
    "county",
    "is_problem",
    "certainty",
    "own",
    "title",
    "subtitle",
    "sentence",
]
TEXT_COLUMNS = (*KEY, "unit", "n_of", "method", "reliability", "verdict", "verdict_family", "remark", "reason")
FORM_NAMES = {"residents": "resident", "staff": "staff", "leaders": "leader", "departments_form": "department"}
LONGEST = {"zh": 20, "en": 15}  # characters, words of a title
NO_SAMPLE = ("among_respondents", "as_if_at_random")
TOO_FEW, CARE = "too few answers", "read with care"


def statements(evidence: pd.DataFrame, claims: Mapping[str, Claim], places: Any, lang: str) -> pd.DataFrame:
    """A statement a row (same order and index, the columns of STATEMENT): what is said of it, in words of `lang`.

    `places`: names by id (a text, or a Text of both languages), or a county's Labels. What is said is the verdict after
    the multiple-comparison adjustment, and its interval. Raises CountyError for a ledger that lacks a column, a claim that
    `claims` has not, and a unit or noun outside the closed lists.
    """
    names = replace(places, lang=lang) if isinstance(places, Labels) else name_places(places, lang)
    rows = read_rows(evidence)
    beside = {tuple(row[name] for name in KEY): row for row in rows}
    departments = frozenset(row["place"] for row in rows if is_of_departments(row, find_claim(row, claims)))
    told = [Statement(row, claims[row["claim"]], names, beside, departments).as_row() for row in rows]
    return pd.DataFrame(told, index=evidence.index, columns=STATEMENT)


def name_places(places: Mapping[str, Any], lang: str) -> Labels:
    """Names by id as Labels, with the questions of the house's questionnaire."""
    rules = {variable.name: variable.when for variable in house_derived().values()}
    measures = {variable.name: variable.text for variable in house_derived().values()}
    return Labels(lang, places.get(COUNTY, ""), places, measures, house_codebook(), rules=rules)


def read_rows(evidence: pd.DataFrame) -> list[dict[str, Any]]:
    """The ledger's rows as plain objects: texts as texts, also where a file's column came as numbers; raises CountyError."""
    needed = (*TEXT_COLUMNS, *FLAGS[:1], *NUMBERS)
    if lacks := [name for name in needed if name not in evidence]:
        raise CountyError("claims.not_a_ledger", columns=", ".join(lacks))
    rows: list[dict[str, Any]] = evidence[list(needed)].to_dict("records")
    for row in rows:
        for name in TEXT_COLUMNS:
            value = row[name]
            row[name] = "" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)
        row |= {name: float(row[name]) if pd.notna(row[name]) else np.nan for name in NUMBERS}
        row["is_counted"] = str(row["is_counted"]) in ("True", "true", "1", "1.0")
        for key, known, is_needed in (("unit", "unit", row["estimate"]), ("n_of", "noun", row["n"] or np.nan)):
            if (word := row[key]) not in (words := read_lists()[known]) and (word or not np.isnan(is_needed)):
                at = " · ".join(filter(None, (row[name] for name in KEY)))
                raise CountyError(
                    "claims.row_word", row=at, key=key, word=word, close=near(word, words), known=", ".join(words)
                )
    return rows


def find_claim(row: Mapping[str, Any], claims: Mapping[str, Claim]) -> Claim:
    """The claim of a row; raises CountyError for one that nobody declared."""
    if row["claim"] not in claims:
        raise CountyError("claims.unknown", claim=row["claim"], close=near(row["claim"], claims))
    return claims[row["claim"]]


def is_of_departments(row: Mapping[str, Any], claim: Claim) -> bool:
    """Whether a row's place is a department."""
    is_of_them = "department" in (claim.share_of, claim.judged_for) or row["part"].startswith("department")
    return bool(is_of_them and row["place"] != COUNTY)


@dataclass(frozen=True)
class Statement:
    """What is said of one row; `beside`: all rows by their key, for the county's value and the parts that a claim names."""

    row: Mapping[str, Any]
    claim: Claim
    names: Labels
    beside: Mapping[tuple[str, ...], Mapping[str, Any]]
    departments: frozenset[str]

    def say(self, key: str, **values: Any) -> str:
        """A text of the statements."""
        return say(f"statements.{key}", self.names.lang, **values)

    def as_row(self) -> dict[str, Any]:
        """The columns of STATEMENT."""
        return {name: self.row[name] for name in KEY} | {name: getattr(self, name) for name in STATEMENT[len(KEY) :]}

    def of(self, **key: str) -> Statement | None:
        """The statement of another row of the same claim, such as the county's."""
        row = self.beside.get(tuple(key.get(name, self.row[name]) for name in KEY))
        return replace(self, row=row) if row else None

    # --- numbers ------------------------------------------------------------------------------------------------------

    @cached_property
    def is_headline(self) -> bool:
        return not self.row["part"]

    @cached_property
    def is_of_places(self) -> bool:
        """Whether the value is the county's share of towns, or of departments."""
        return self.is_headline and self.claim.is_about_towns and self.row["place"] == COUNTY

    @cached_property
    def rule(self) -> tuple[str, float]:
        """The quantifier and threshold that the row is held to."""
        return self.claim.subs.get(self.row["part"]) or self.claim.rule_at(self.row["place"])

    def show(self, value: float, is_limit: bool = True) -> str:
        """A value of the row in its unit; nothing where it is missing, or rests on too few answers to be stated.

        It is not rounded onto or across its threshold; the estimate neither onto 0, nor a share onto 1.
        """
        if np.isnan(value) or self.row["reliability"] == TOO_FEW:
            return ""
        quantifier, line = self.rule
        lines = [line] if quantifier != SOME else [0.5] if "understated" in self.row["remark"] else []
        lines += [] if is_limit else [0.0, 1.0] if self.row["unit"] == "share" else [0.0]
        return say_value(value, self.row["unit"], self.names.lang, self.row["n"], lines, self.noun)

    @cached_property
    def noun(self) -> str:
        """What a count counts: what n counts where nothing else is declared."""
        own = of_part("counts", self.claim.id, self.row["part"]) if self.row["part"] else self.claim.counts
        return own or self.row["n_of"]

    @cached_property
    def value(self) -> str:
        return self.show(self.row["estimate"], is_limit=False)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The interval after adjustment, where the row has one."""
        low, high = self.row["low_family"], self.row["high_family"]
        return (self.row["low"], self.row["high"]) if np.isnan(low) and np.isnan(high) else (low, high)

    @cached_property
    def kind(self) -> str:
        """What surrounds the value: bounds, an interval of a sample or of a process, or nothing."""
        (low, high), row = self.limits, self.row
        is_list = row["is_counted"] or row["method"] == COUNT
        if not self.value or (np.isnan(low) and np.isnan(high)) or low >= high:
            return ""
        if is_list:
            return "bounds_of_places" if self.is_of_places else "bounds"
        if np.isnan(low) or np.isnan(high):
            return "at_least" if np.isnan(high) else "at_most"
        is_same = max(abs(low - row["low"]), abs(high - row["high"])) <= SLACK
        return "process" if not row["wave"] else "sample" if is_same else "adjusted"

    @property
    def interval(self) -> str:
        low, high = map(self.show, self.limits)
        return self.say(self.kind, low=low, high=high) if self.kind else ""

    @cached_property
    def n(self) -> str:
        number, noun = self.row["n"], self.row["n_of"]
        return say_n(number, noun, self.names.lang) if noun and not np.isnan(number) else ""

    @cached_property
    def n_counted(self) -> str:
        """n as it stands beside the value: how many of them, where that is what was counted."""
        row, lang = self.row, self.names.lang
        if not row["is_counted"] or not self.n or not self.value:
            return self.n
        is_mean = (
            of_part("kind", self.claim.id, row["part"]) if row["part"] else self.claim.is_mean and "mean"
        ) == "mean"
        k = row["estimate"] * row["n"]
        if (
            row["unit"] != "share"
            or (is_mean and not self.is_of_places)
            or row["n"] < 2
            or abs(k - round(k)) > 1e-4
            or self.kind
        ):
            return self.say("counted", n=self.n)
        if round(k) == row["n"]:
            return self.say("counted_all", n=self.n)
        measure_word = say_noun(row["n_of"], lang)[0]
        return self.say("counted_some", n=self.n, k=f"{k:.0f}{measure_word}" if lang == "zh" else f"{k:.0f}")

    # --- words --------------------------------------------------------------------------------------------------------

    @cached_property
    def place_name(self) -> str:
        name = self.names.place(self.row["place"])
        return self.say("county") if name == COUNTY else name

    @cached_property
    def part_name(self) -> str:
        """What a part is called: by its own words, else by the column or answer whose name it bears."""
        part, lang, names = self.row["part"], self.names.lang, self.names
        prefix, _, answer = part.partition("_")
        tried: list[Text | str] = (
            [names.option("", answer), names.measure(answer)] if f"parts.prefix_{prefix}" in all_words() else []
        )
        tried = [names.measures[part]] if part in names.measures else [*tried, names.measure(part)]
        what = next((word for word in tried if word not in (part, answer)), part)
        return part_word(part, lang, what(lang) if isinstance(what, Text) else what)

    @cached_property
    def form(self) -> str:
        """Of whom the claim is said: the county, a town, a department."""
        place = self.row["place"]
        return "county" if place == COUNTY else "department" if place in self.departments else "town"

    @cached_property
    def text(self) -> str:
        """What was claimed, in the place's form."""
        if not self.is_headline:
            return self.part_name
        own = getattr(self.claim, self.form, None)
        if own is None:
            text = self.claim.text(self.names.lang)
            return text if self.form == "county" else self.say("of_place", place=self.place_name, text=text)
        return str(own(self.names.lang).replace("{place}", self.place_name))

    @property
    def verdict(self) -> str:
        return str(self.row["verdict_family"] or self.row["verdict"])

    @property
    def verdict_word(self) -> str:
        return self.say_verdict(self.verdict)

    def say_verdict(self, verdict: str) -> str:
        """The word for a verdict; where nobody was drawn it holds among respondents."""
        if not verdict:
            return ""
        word = say(f"claims.verdict_{verdict.replace(' ', '_')}", self.names.lang)
        is_drawn = verdict not in (SUPPORTED, NOT_SUPPORTED) or not any(
            note in self.row["remark"] for note in NO_SAMPLE
        )
        return word if is_drawn else self.say("among_respondents", verdict=word)

    @property
    def own(self) -> str:
        """The verdict before the adjustment, where it differs."""
        own = self.row["verdict"]
        return self.say("own", verdict=self.say_verdict(own)) if own and own != self.verdict else ""

    def say_rule(self, quantifier: str, line: float, unit: str, noun: str) -> str:
        """The rule in words: below 50%, at least 1 town."""
        lang = self.names.lang
        if quantifier in (SOME, TEXT):
            told = say_value(line if quantifier == SOME else 1.0, "count", lang, noun=noun)
        else:
            told = re.sub(r"\.0+(?=\D|$)", "", say_value(line, unit, lang, noun=noun))
        is_near, is_whole = quantifier == COUNTS and 0 < line < 1, quantifier == ALL and unit == "share" and line == 1
        kind = "COUNT_near" if is_near else "ALL_whole" if is_whole else quantifier
        kind = "LOW" if quantifier == NONE and line > 0 else kind
        return self.say(f"rule_{kind}", t=told)

    @cached_property
    def threshold(self) -> str:
        part = self.row["part"]
        if part and part not in self.claim.subs:
            return ""
        quantifier, line = self.rule
        unit, noun = self.claim.unit_at(self.row["place"], part), self.claim.noun_at(self.row["place"], part)
        return self.say_rule(quantifier, line, unit, noun if quantifier == SOME or self.is_of_places else self.noun)

    @cached_property
    def measure(self) -> str:
        """What the value measures; of the county, where it counts towns, the share of those that meet the towns' rule."""
        lang, claim = self.names.lang, self.claim
        if not self.is_headline:
            return self.part_name
        own = claim.measure or self.names.measures.get(claim.indicator, "") or claim.estimand
        told = own if isinstance(own, str) else own(lang)
        if not self.is_of_places:
            return told
        rule = self.say_rule(*claim.rule_at("town"), claim.unit, claim.counts or claim.n_of)
        return self.say(
            "share_of_places",
            places=read_lists()["noun"][claim.noun_at(COUNTY)][lang].lstrip("个"),
            measure=told,
            rule=rule,
        )

    @cached_property
    def when(self) -> str:
        kind = "wave" if self.row["wave"] else "period"
        told = self.row[kind]
        return self.say(f"{kind}_year" if re.fullmatch(r"\d{4}", told) else kind, when=told) if told else ""

    @property
    def base(self) -> str:
        return self.claim.base(self.names.lang)

    @cached_property
    def question(self) -> str:
        """The wording of the question that a survey's row goes back to."""
        part = self.row["part"]
        name = (self.claim.asks or self.claim.indicator) if not part else part if part in self.names.rules else ""
        return self.names.question(name) if self.row["wave"] and name else ""

    @cached_property
    def source(self) -> str:
        """The surveys and ledgers that the claim rests on; of a survey's row the survey."""
        row = self.row
        needs = self.claim.needs or ("report",)
        if row["wave"] and not set(needs) & set(TABLES) and row["n_of"] in FORM_NAMES:
            needs = (row["n_of"],)
        told = (TABLES[one].title(self.names.lang) if one in TABLES else self.say(f"of_{one}") for one in needs)
        return self.say("list").join(told)

    @cached_property
    def caution(self) -> str:
        row, lang = self.row, self.names.lang
        notes = [self.say("care")] if row["reliability"] == CARE else []
        is_open = self.verdict == CANNOT_SAY and self.value  # before the adjustment it may have been decided
        reason = row["reason"] or (TOO_FEW if row["reliability"] == TOO_FEW else WITHIN if is_open else "")
        notes += [reason_word(reason, lang)] if reason else []
        notes += [remark_word(remark, lang) for remark in filter(None, re.split(r"[;；]\s*", row["remark"]))]
        if self.is_headline and self.claim.same_as:
            notes.append(say("claims.same_as", lang, claim=self.claim.same_as))
        return self.say("semicolon").join(notes)

    @cached_property
    def county(self) -> str:
        """What the county's value is, of a place within it."""
        other = self.of(place=COUNTY) if self.row["place"] != COUNTY else None
        if other is None or not (other.value or other.verdict):
            return ""
        told = self.say("comma").join(filter(None, [other.value, other.verdict_word]))
        return self.say("in_county", place=other.place_name, value=told)

    @property
    def is_problem(self) -> bool:
        return self.is_headline and bool(self.verdict) and self.verdict == self.claim.problem_if

    @property
    def certainty(self) -> str:
        row = self.row
        if not self.value or self.verdict == CANNOT_SAY:
            kind = "open"
        elif self.kind.startswith("bounds"):
            kind = "bounded"
        elif row["is_counted"]:
            kind = "chance" if "chance" in row["remark"] else "counted"
        else:
            kind = "care" if row["reliability"] == CARE else "sample" if row["wave"] else "process"
        return self.say(f"certain_{kind}")

    # --- sentences ----------------------------------------------------------------------------------------------------

    @cached_property
    def told(self) -> str:
        """The claim's own words for its value, filled from its row and the parts that they name; nothing where one is missing."""
        if not (self.is_headline and self.claim.told and self.value):
            return ""

        def fill(found: re.Match[str]) -> str:
            part, _, name = found[1].rpartition(".")
            other = self.of(part=part) if part else self
            return (getattr(other, name) if other else "") or "\0"

        text = re.sub(r"\{([\w.]+)\}", fill, self.claim.told(self.names.lang))
        return "" if "\0" in text else text

    @cached_property
    def sentence(self) -> str:
        lang, when = self.names.lang, self.when and self.when + self.say("colon")
        around = self.say("comma").join(filter(None, [self.interval, self.n_counted if self.row["n"] else ""]))
        text = self.say("of_county", place=self.place_name, text=self.text) if self.form == "county" else self.text
        if self.is_headline:
            head = self.say("head", text=text, verdict=self.verdict_word) if self.verdict else ""
            pieces = {"when": when, "measure": self.measure, "value": self.value, "around": around, "told": self.told}
        else:
            measure = self.say("part", place=self.place_name, part=self.part_name)
            head = self.say("head", text=measure, verdict=self.verdict_word) if self.verdict else ""
            pieces = {"when": when, "measure": measure, "value": self.value, "around": around}
        kind = "told" if self.told else "measured" if self.value else "unmeasured"
        body = self.say(kind, **pieces) if self.value or around else self.when
        body += (
            self.say("threshold", threshold=self.threshold) if self.value and self.verdict and self.threshold else ""
        )
        if lang == "en" and head:
            body = body[:1].upper() + body[1:]
        ends = [
            part
            for part in (body, self.caution[:1].upper() + self.caution[1:] if lang == "en" else self.caution)
            if part
        ]
        return (
            (head + "".join(part.rstrip(" ") + self.say("stop") for part in ends))
            .replace("（）", "")
            .replace(" ()", "")
            .strip()
        )

    @cached_property
    def title(self) -> str:
        """The finding: what was claimed, its verdict and, where there is room, its value."""
        told = {"text": self.text, "verdict": self.verdict_word, "value": self.value}
        if not self.verdict:
            return self.text
        long = self.say("title", **told) if self.value else self.say("title_short", **told)
        size = len(long) if self.names.lang == "zh" else len(long.split())
        return long if size <= LONGEST[self.names.lang] else self.say("title_short", **told)

    @cached_property
    def subtitle(self) -> str:
        """Measure, base, question, place, wave or period, n and of what."""
        base, asked = self.say("base", base=self.base), self.question and self.say("question", question=self.question)
        return self.say("semicolon").join(filter(None, [self.measure, base, asked, self.place_name, self.when, self.n]))


def reason_word(reason: str, lang: str) -> str:
    """The words for a reason; `no data: x` names the file that is missing, `no eligible case: x` what there was none of."""
    head, _, tail = reason.partition(": ")
    if head == NO_CASE and tail:
        return say("claims.detail", lang, head=reason_word(head, lang), detail=reason_word(tail, lang))
    if tail in FORM_NAMES:
        return say(f"claims.no_{tail}", lang)
    table = TABLES.get(tail.partition(":")[0])
    what = table.title(lang) if table else re.sub(r"^\.", "0.", tail.replace("_", " "))
    key = f"claims.reason_{head.replace(' ', '_')}"
    return say(key, lang, what=what) if key in all_words() else reason


def remark_word(remark: str, lang: str) -> str:
    """The words for a remark; one that nobody knows stays as it is."""
    key = f"claims.remark_{remark}"
    return say(key, lang) if key in all_words() else remark
