"""Rows of the evidence ledger as statements, the one place where a row becomes a sentence; refuses a unit or noun that has no words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from huying.claims.declared import Claim
from huying.claims.evidence import FLAGS, KEY, NUMBERS
from huying.claims.rules import ALL, CANNOT_SAY, COUNTS, NONE, NOT_SUPPORTED, SOME, SUPPORTED, TEXT, TREND, WITHIN
from huying.codebook import house_codebook
from huying.counted import NO_CASE
from huying.estimates import COUNTY
from huying.intervals import COUNT
from huying.labels import Labels, part_word
from huying.ledgers import TABLES
from huying.prepare import house_derived
from huying.units import SLACK, of_part, read_lists, say_exactly, say_n, say_noun, say_value
from huying.words import CountyError, Text, all_words, near, say

STATEMENT = [*KEY, "place_name", "text", "verdict", "verdict_word", "value", "interval", "n", "measure", "base", "when"]
STATEMENT += ["question", "source", "caution", "threshold", "county", "is_problem", "certainty", "own", "title"]
STATEMENT += ["subtitle", "sentence"]
TEXT_COLUMNS = (*KEY, "unit", "n_of", "method", "reliability", "verdict", "verdict_family", "remark", "reason")
FORM_NAMES = {"residents": "resident", "staff": "staff", "leaders": "leader", "departments_form": "department"}
LONGEST = {"zh": 20, "en": 15}  # characters, words of a title
TOO_FEW, CARE = "too few answers", "read with care"


def statements(evidence: pd.DataFrame, claims: Mapping[str, Claim], places: Any, lang: str) -> pd.DataFrame:
    """A statement a row (same order and index, the columns of STATEMENT): what is said of it, in words of `lang`.

    `places`: names by id (a text, or a Text of both languages), or a county's Labels. What is said is the verdict after
    the multiple-comparison adjustment, and its interval. Raises CountyError for a ledger that lacks a column, a claim that
    `claims` has not, and a unit or noun outside the closed lists.
    """
    names = replace(places, lang=lang) if isinstance(places, Labels) else name_places(places, lang)
    told, columns = tell(evidence, claims, names), STATEMENT[len(KEY) :]
    said = [{name: one.row[name] for name in KEY} | {name: getattr(one, name) for name in columns} for one in told]
    return pd.DataFrame(said, index=evidence.index, columns=STATEMENT)


def tell(evidence: pd.DataFrame, claims: Mapping[str, Claim], names: Labels) -> list["Statement"]:
    """The statement of each row, which says what it is asked for; raises as `statements`."""
    rows = read_rows(evidence)
    if strange := next((row["claim"] for row in rows if row["claim"] not in claims), None):
        raise CountyError("claims.unknown", claim=strange, close=near(strange, claims))
    beside, departments = {tuple(row[name] for name in KEY): row for row in rows}, find_departments(rows, claims)
    return [Statement(row, claims[row["claim"]], names, beside, departments) for row in rows]


def name_places(places: Mapping[str, Any], lang: str) -> Labels:
    """Names by id as Labels, with the questions of the house's questionnaire."""
    house = house_derived().values()
    rules, measures = {one.name: one.when for one in house}, {one.name: one.text for one in house}
    return Labels(lang, places.get(COUNTY, ""), places, measures, house_codebook(), rules=rules)


def read_rows(evidence: pd.DataFrame) -> list[dict[str, Any]]:
    """The ledger's rows as plain objects: texts as texts, also where a file's column came as numbers; raises CountyError."""
    needed = (*TEXT_COLUMNS, *FLAGS[:1], *NUMBERS)
    if lacks := [name for name in needed if name not in evidence]:
        raise CountyError("claims.not_a_ledger", columns=", ".join(lacks))
    rows = evidence[list(needed)].astype(dict.fromkeys(NUMBERS, "float64")).to_dict("records")
    for row in rows:
        texts = {name: "" if pd.isna(row[name]) else row[name] for name in TEXT_COLUMNS}
        row |= {name: f"{v:g}" if isinstance(v, float) else str(v) for name, v in texts.items()}
        row["is_counted"] = str(row["is_counted"]) in ("True", "true", "1", "1.0")
        for key, known, is_needed in (("unit", "unit", pd.notna(row["estimate"])), ("n_of", "noun", row["n"] > 0)):
            if row[key] not in (words := read_lists()[known]) and (is_needed or row[key]):
                told = {"row": " · ".join(filter(None, (row[name] for name in KEY))), "key": key, "word": row[key]}
                raise CountyError("claims.row_word", **told, close=near(row[key], words), known=", ".join(words))
    return rows  # type: ignore[no-any-return]


def find_departments(rows: Iterable[Mapping[str, Any]], claims: Mapping[str, Claim]) -> set[str]:
    """The places that only claims and parts on departments speak of."""
    own = {key for key, claim in claims.items() if "department" in (claim.share_of, claim.judged_for)}
    told = {(row["claim"] in own or row["part"].startswith("department"), row["place"]) for row in rows}
    return {place for is_own, place in told if is_own and (False, place) not in told} - {COUNTY}


class Statement:
    """What is said of one row; `beside`: all rows by their key, for the county's value and the parts that a claim names."""

    def __init__(self, row: Any, claim: Claim, names: Labels, beside: Any, departments: set[str]) -> None:
        self.row, self.claim, self.names, self.beside, self.departments = row, claim, names, beside, departments
        self.lang, self.place, self.part = names.lang, row["place"], row["part"]
        self.verdict, self.base = row["verdict_family"] or row["verdict"], claim.base(names.lang)
        self.is_of_places = not self.part and claim.is_about_towns and self.place == COUNTY
        self.is_problem = bool(self.verdict) and not self.part and self.verdict == claim.problem_if
        self.rule = claim.subs.get(self.part) or claim.rule_at(self.place)
        self.noun = (of_part("counts", claim.id, self.part) if self.part else claim.counts) or row["n_of"]
        self.n = say_n(row["n"], row["n_of"], self.lang) if row["n_of"] and not np.isnan(row["n"]) else ""
        self.place_name = names.place(self.place) if names.place(self.place) != COUNTY else self.say("county")
        when, kind = row["wave"] or row["period"], "wave" if row["wave"] else "period"
        self.when = self.say(f"{kind}_year" if re.fullmatch(r"\d{4}", when) else kind, when=when) if when else ""
        self.verdict_word = self.say_verdict(self.verdict)
        own = self.say_verdict(row["verdict"]) if row["verdict"] != self.verdict else ""
        self.own = own and self.say("own", verdict=own)  # before the adjustment, where it differs

    def say(self, key: str, **values: Any) -> str:
        """A text of the statements."""
        return say(f"statements.{key}", self.lang, **values)

    def join(self, *parts: str, by: str = "comma") -> str:
        """The parts that are not empty, joined."""
        return self.say(by).join(filter(None, parts))

    def of(self, **key: str) -> "Statement | None":
        """The statement of another row of the same claim, such as the county's."""
        row = self.beside.get(tuple(key.get(name, self.row[name]) for name in KEY))
        return Statement(row, self.claim, self.names, self.beside, self.departments) if row else None

    # --- numbers ------------------------------------------------------------------------------------------------------

    def show(self, value: float, *lines: float) -> str:
        """A value of the row in its unit, rounded neither onto nor across the threshold and `lines`.

        Nothing where it is missing, or rests on too few answers to be stated.
        """
        if np.isnan(value) or self.row["reliability"] == TOO_FEW:
            return ""
        quantifier, line = self.rule
        drawn = [line] if quantifier != SOME else [0.5] if "understated" in self.row["remark"] else []
        return say_value(value, self.row["unit"], self.lang, self.row["n"], [*drawn, *lines], self.noun)

    @cached_property
    def value(self) -> str:
        return self.show(self.row["estimate"], 0.0, *([1.0] if self.row["unit"] == "share" else []))

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The interval after adjustment, where the row has one."""
        low, high = self.row["low_family"], self.row["high_family"]
        return (self.row["low"], self.row["high"]) if np.isnan(low) and np.isnan(high) else (low, high)

    @cached_property
    def kind(self) -> str:
        """What surrounds the value: bounds, an interval of a sample or of a process, or nothing."""
        (low, high), row = self.limits, self.row
        if not self.value or (np.isnan(low) and np.isnan(high)) or low >= high:
            return ""
        if row["is_counted"] or row["method"] == COUNT:
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
    def n_beside(self) -> str:
        """n as it stands beside the value: of a complete list that it was counted, and how many of n where n was."""
        row, zh = self.row, self.lang == "zh"
        if not (row["is_counted"] and row["n"] > 0 and self.value):
            return self.n if row["n"] else ""
        kind = of_part("kind", self.claim.id, row["part"]) if row["part"] else "mean" if self.claim.is_mean else ""
        k, is_mean = row["estimate"] * row["n"], kind == "mean" and not self.is_of_places
        is_whole = abs(k - round(k)) <= min(0.01, 1e-6 * row["n"] + 1e-6)
        if row["unit"] != "share" or is_mean or row["n"] < 2 or not is_whole or self.kind:
            return self.say("counted", n=self.n)
        told = f"{k:.0f}" + (say_noun(row["n_of"], "zh")[0] if zh else "")
        return self.say("counted_all" if round(k) == row["n"] else "counted_some", n=self.n, k=told)

    # --- words --------------------------------------------------------------------------------------------------------

    @cached_property
    def part_name(self) -> str:
        """What a part is called: by its own words, else by the column or answer whose name it bears."""
        part, lang, names = self.part, self.lang, self.names
        prefix, _, answer = part.partition("_")
        tried: list[Text | str] = [names.measures.get(part) or names.measure(part), names.option("", answer)]
        tried += [names.measure(answer)] if f"parts.prefix_{prefix}" in all_words() else []
        what = next((word for word in tried if word not in (part, answer)), part)
        return part_word(part, lang, what(lang) if isinstance(what, Text) else what) or part

    @cached_property
    def text(self) -> str:
        """What was claimed, in the form of the place: of the county, a town, a department."""
        claim, lang = self.claim, self.lang
        if self.part:
            return self.part_name
        own = (claim.department if self.place in self.departments else None) or claim.town
        if self.place == COUNTY or own is None:
            of_place = "of_any" if self.place == COUNTY else "of_place"
            return self.say(of_place, place=self.place_name, text=claim.text(lang))
        return own(lang).replace("{place}", self.place_name)

    def say_verdict(self, verdict: str) -> str:
        """The word for a verdict; where nobody was drawn it holds among respondents."""
        word = say(f"claims.verdict_{verdict.replace(' ', '_')}", self.lang) if verdict else ""
        is_drawn = not any(note in self.row["remark"] for note in ("among_respondents", "as_if_at_random"))
        return word if is_drawn or verdict not in (SUPPORTED, NOT_SUPPORTED) else self.say("among", verdict=word)

    def say_rule(self, quantifier: str, line: float, unit: str, noun: str) -> str:
        """A rule in words: below 50%, at least 1 town."""
        unit, line = ("count", max(line, 1.0)) if quantifier in (SOME, TEXT) else (unit, line)
        told = say_exactly(line, unit, self.lang, noun)
        kind = "LOW" if quantifier == NONE and line > 0 else quantifier
        kind += "_near" if kind == COUNTS and 0 < line < 1 else ""
        return self.say("rule_ALL_whole" if (kind, unit, line) == (ALL, "share", 1) else f"rule_{kind}", t=told)

    @cached_property
    def threshold(self) -> str:
        """The rule that the row is held to; of a part without one nothing."""
        claim, place, part, (quantifier, line) = self.claim, self.place, self.part, self.rule
        noun = claim.noun_at(place, part) if quantifier == SOME or self.is_of_places else self.noun
        unit = self.row["unit"] if quantifier == TREND else claim.unit_at(place, part)
        return self.say_rule(quantifier, line, unit, noun) if not part or part in claim.subs else ""

    @cached_property
    def measure(self) -> str:
        """What the value measures; of the county, where it counts towns, the share of those that meet the towns' rule."""
        claim, lang = self.claim, self.lang
        if self.part:
            return self.part_name
        own = claim.measure or self.names.measures.get(claim.asks or claim.indicator) or claim.estimand
        told = own(lang) if isinstance(own, Text) else own
        if not self.is_of_places:
            return told
        (quantifier, line), noun = claim.rule_at("town"), claim.counts or claim.n_of
        rule = self.say_rule(quantifier.replace("NEED", "LOW"), line, claim.unit, noun)
        if quantifier == ALL:  # of one place, not of all
            rule = self.say("rule_ALL", t=say_exactly(line, claim.unit, lang, noun))
        return self.say("share_of_places", places=self.places, measure=told, rule=rule)

    @property
    def places(self) -> str:
        """What the county's row counts: towns or departments."""
        return say_noun(self.claim.noun_at(COUNTY), self.lang).lstrip("个")

    @cached_property
    def question(self) -> str:
        """The wording of the question that a survey's row goes back to."""
        own = self.part if self.part in self.names.rules else ""
        name = own if self.part else self.claim.asks or self.claim.indicator
        names = self.names.of_form(FORM_NAMES.get(self.row["n_of"], ""))
        return names.question(name) if self.row["wave"] and name else ""

    @property
    def source(self) -> str:
        """The surveys and ledgers that the claim rests on; of a survey's row the survey."""
        needs, n_of, lang = self.claim.needs or ("report",), self.row["n_of"], self.lang
        if self.row["wave"] and n_of in FORM_NAMES and not set(needs) & set(TABLES):
            needs = (n_of,)
        named = (TABLES[one].title(lang) if one in TABLES else self.say(f"of_{one}") for one in needs)
        return self.join(*named, by="list")

    @cached_property
    def caution(self) -> str:
        """What must be known beside the value: how reliable it is, why nothing is said, remarks, the claim that measures the same."""
        row, lang = self.row, self.lang
        is_open = self.verdict == CANNOT_SAY and self.value  # before the adjustment it may have been decided
        reason = row["reason"] or (TOO_FEW if row["reliability"] == TOO_FEW else WITHIN if is_open else "")
        notes = [remark_word(note, lang) for note in filter(None, re.split(r"[;；]\s*", row["remark"]))]
        same = say("claims.same_as", lang, claim=self.claim.same_as) if self.claim.same_as and not row["part"] else ""
        care = self.say("care") if row["reliability"] == CARE else ""
        return self.join(care, reason_word(reason, lang), *notes, same, by="semicolon")

    @property
    def county(self) -> str:
        """What the county's value is, of a place within it."""
        other = self.of(place=COUNTY) if self.place != COUNTY else None
        value = other.value if other else ""
        if other and value and other.is_of_places:  # not what is measured here, but how many measure up
            value = self.say("share_that", value=value, places=other.places, rule=self.threshold)
        told = self.join(value, other.verdict_word) if other else ""
        return self.say("in_county", place=other.place_name, value=told) if other and told else ""

    @property
    def certainty(self) -> str:
        """How surely it is said: counted, bounded, estimated, or undecided."""
        row = self.row
        if not self.value or self.verdict == CANNOT_SAY:
            return self.say("certain_open")
        if self.kind.startswith("bounds"):
            return self.say("certain_bounded")
        listed = "chance" if "chance" in row["remark"] else "counted"
        drawn = "care" if row["reliability"] == CARE else "sample" if row["wave"] else "process"
        told = self.say(f"certain_{listed if row['is_counted'] else drawn}")
        tried = None if self.part else self.of(part="robustness")
        robust = self.say("certain_robust", value=tried.value, n=tried.n) if tried else ""
        return self.join(told, robust, by="semicolon")

    # --- sentences ----------------------------------------------------------------------------------------------------

    @cached_property
    def told(self) -> str:
        """The claim's own words for its value, filled from its row and the parts that they name; nothing where one is missing."""
        if self.part or not self.claim.told:
            return ""

        def fill(found: re.Match[str]) -> str:
            part, _, name = found[1].rpartition(".")
            other = self.of(part=part) if part else self
            return (getattr(other, name) if other else "") or "\0"

        text = re.sub(r"\{([\w.]+)\}", fill, self.claim.told(self.lang))
        return "" if "\0" in text else text

    @cached_property
    def sentence(self) -> str:
        """The finding: what was claimed and its verdict, when, the value with what surrounds it, the threshold, cautions."""
        where = self.say("of_county" if self.place == COUNTY else "of_any", place=self.place_name, text=self.text)
        part = self.say("part", place=self.place_name, part=self.part_name) if self.part else ""
        around, measure = self.join(self.interval, self.n_beside), part or self.measure
        # A measure that ends so takes its value without a further word.
        kind = "measured_on" if measure.endswith(("共", "相差")) else "measured"
        body = self.told or self.say(kind, measure=measure, value=self.value)
        body = self.say("around", told=body, around=around) if around else body
        body = self.join(self.when, *([body] if self.value else [part, around]), by="colon" if self.value else "comma")
        is_ruled = self.value and self.threshold and self.verdict
        body += self.say("threshold", threshold=self.threshold) if is_ruled else ""
        head = self.say("head", text=part or where, verdict=self.verdict_word) if self.verdict else ""
        ends = [head, *(end[:1].upper() + end[1:] for end in (body, self.caution) if end)]
        return "".join(end if end == head else end + self.say("stop") for end in ends).strip()

    @cached_property
    def title(self) -> str:
        """The finding: what was claimed, its verdict and, where there is room, its value."""
        short = self.say("title", text=self.text, told=self.verdict_word) if self.verdict else self.text
        full = self.say("title", text=self.text, told=self.join(self.verdict_word, self.value))
        size = len(full) if self.lang == "zh" else len(full.split())
        return full if self.value and size <= LONGEST[self.lang] else short

    @property
    def subtitle(self) -> str:
        """Measure, base, question, place, wave or period, n and of what."""
        asked = self.question and self.say("question", question=self.question)
        around = self.say("base", base=self.base), asked, self.place_name, self.when, self.n
        return self.join(self.measure, *around, by="semicolon")


def reason_word(reason: str, lang: str) -> str:
    """The words for a reason; `no data: x` names the file that is missing, `no eligible case: x` what there was none of."""
    head, _, tail = reason.partition(": ")
    if head == NO_CASE and tail:
        return say("claims.detail", lang, head=reason_word(head, lang), detail=reason_word(tail, lang))
    if tail in FORM_NAMES:
        return say(f"claims.no_{tail}", lang)
    table = TABLES.get(tail.partition(":")[0])
    what = table.title.zh if table and lang == "zh" else re.sub(r"^\.", "0.", tail.replace("_", " "))
    key = f"claims.reason_{head.replace(' ', '_')}"
    return say(key, lang, what=what) if key in all_words() else reason


def remark_word(remark: str, lang: str) -> str:
    """The words for a remark; one that nobody knows stays as it is."""
    key = f"claims.remark_{remark}"
    return say(key, lang) if key in all_words() else remark
