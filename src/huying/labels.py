"""How ids become words: places, variables, answers, columns, parts of claims; an id without a word stays as it is."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import pandas as pd

from huying.codebook import Codebook, Item, Option
from huying.ledgers import AGENCY_KINDS, TABLES
from huying.words import Text, all_words, language, say

COUNTY = "county"
# Columns that hold a share wherever an estimate is one.
SHARES = ("estimate", "low", "high", "low_family", "high_family", "se")
# The rooms of the words for fixed values, by column and value.
ROOMS = ("labels", "claims", "clean")


@dataclass(frozen=True, repr=False)
class Labels:
    """The words of one county in one language.

    `places`: towns, departments and whatever else has an id and a name; `measures`: derived variables; `codebook`: the
    county's questionnaire; `rules`: what derived variables are made from;
    `departments`: the places that are no towns; `form`: whose item is meant where two forms have one of a name. A name may
    be a Text of both languages.
    """

    lang: str
    county: Text | str = ""
    places: Mapping[str, Text | str] = field(default_factory=dict)
    measures: Mapping[str, Text | str] = field(default_factory=dict)
    codebook: Codebook | None = None
    is_synthetic: bool = False
    sampling: str = "probability"
    rules: Mapping[str, str] = field(default_factory=dict)
    departments: Collection[str] = ()
    form: str = ""
    _forms: dict[str, "Labels"] = field(init=False, compare=False, default_factory=dict)

    def of_form(self, form: str) -> "Labels":
        """The same words, of two forms that have an item of one name those of this form."""
        return self._forms.setdefault(form, replace(self, form=form)) if form else self

    def say(self, key: str, **values: object) -> str:
        """A text of the house in the county's language."""
        return say(key, self.lang, **values)

    def place(self, place: object) -> str:
        """The name of a town, a department or the county."""
        return self._text((place == COUNTY and self.county) or self.places.get(str(place), "")) or str(place)

    def measure(self, name: str) -> str:
        """What a column of answers or a derived variable measures; a difference, sum or ratio by its parts."""
        if word := self._own(name):
            return word
        # How the measure of a difference, a sum or a ratio is put together.
        for joint in (joint for joint in (" - ", " + ", "/") if joint in name):
            words = [self.measure(part) for part in name.split(joint)]
            if words != name.split(joint):  # a path of a file is no ratio
                return f" {joint.strip()} ".join(words)
        return self.column(name)

    def question(self, name: str) -> str:
        """The wording of the question that an answer's column, or the rule of a derived variable, goes back to."""
        for word in re.findall(r"\w+\*?", self.rules.get(name, name)):
            found = [one for one in self._asked if one == word or (word[-1] == "*" and one.startswith(word[:-1]))]
            if found:
                return self._asked[found[0]](self.lang)
        return ""

    def option(self, column: str, key: object) -> str:
        """The words of an answer; where the column is no question, those that every question has for this key."""
        known = self._answers.get((column, str(key))) or self._answers.get(("", str(key)), set())
        texts = {text(self.lang) for text in known}
        return texts.pop() if len(texts) == 1 else self.place(key)

    def column(self, name: str) -> str:
        """What a column of a table is called."""
        word = all_words().get(f"labels.{name}")
        return word(self.lang) if word else self._own(name) or name

    def word(self, name: object) -> str:
        """The words of an id of any kind: a variable, a column, an answer or a place."""
        word = self.measure(str(name))
        # an English word may be its own key
        return word if word != str(name) or f"labels.{name}" in all_words() else self.option("", name)

    def value(self, column: str, value: Any) -> str:
        """Whatever stands in a column, in words."""
        if pd.isna(value) or value == "":
            return ""
        if isinstance(value, bool) or str(value) in ("True", "False"):
            return self.say("labels.yes" if str(value) == "True" else "labels.no")
        if isinstance(value, pd.Timestamp):
            return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
        if fixed := self._fixed(column, str(value)):
            return fixed
        if column == "place":  # an answer of the form may have the key of a place
            return self.place(value)
        word = self.option(column, value) if column not in ("measure", "answer") else str(value)
        return word if word != str(value) else self.word(value)

    def _fixed(self, column: str, value: str) -> str:
        """The words of one or more values that the house itself writes in a column, such as a reason; else nothing."""
        found = []
        for part in value.split("; "):
            head, _, tail = part.partition(": ")
            name = f"{column.removesuffix('_family')}_{head}".replace(" ", "_").replace("-", "_")
            # the flags of one person
            keys = (f"{room}.{one}" for one in (name, re.sub("^flags_", "flag_", name)) for room in ROOMS)
            word = next((all_words()[key] for key in keys if key in all_words()), None)
            found.append(word(self.lang).format(what=tail.replace("_", " ")) if word else part)
        said = "; ".join(found)
        return said if said != value else ""

    def _text(self, name: Text | str) -> str:
        return name(self.lang) if isinstance(name, Text) else name

    @cached_property
    def _items(self) -> list[Item]:
        items = self.codebook.items.values() if self.codebook else ()
        own = {item.name for item in items if item.form == self.form}
        return [item for item in items if item.form == self.form or item.name not in own]

    @cached_property
    def _questions(self) -> dict[str, Text]:
        """The words of each named column of answers: an option's, a matrix row's, else the question's."""
        found: dict[str, Text] = {}
        for item in self._items:
            rows = dict(item.rows)
            for _, name, part in (("", item.name, None), *item.parts):
                found.setdefault(name, part.text if isinstance(part, Option) else rows.get(part or "", item.text))
        return found

    @cached_property
    def _asked(self) -> dict[str, Text]:
        """The question's words by each of its columns."""
        return {name: item.text for item in self._items for name in (item.name, *item.columns)}

    @cached_property
    def _answers(self) -> dict[tuple[str, str], set[Text]]:
        """The words of each answer by column and key; under the column "" by key alone."""
        found, meant = dict[tuple[str, str], set[Text]](), {(item.form, item.name) for item in self._items}
        for item in self.codebook.items.values() if self.codebook else ():
            # Of a matrix the rows are columns, the whole is none: a ledger's column may have its name.
            named = {*item.columns, *(() if item.rows else (item.name,))} if (item.form, item.name) in meant else set()
            for name, option in product({"", *named}, item.options):
                found.setdefault((name, option.key), set()).add(option.text)
        for column in (column for table in TABLES.values() for column in table.columns):
            for name, (key, text) in product((column.name, ""), getattr(column.kind, "options", {}).items()):
                if name or not key.isdigit():  # 1 is yes in its own column, elsewhere a number
                    found.setdefault((name, key), set()).add(text)
        return found

    def _own(self, name: str) -> str:
        return self._text(self.measures.get(name, "") or self._questions.get(name, ""))


_registered: dict[str, Labels] = {}


def register(key: str, labels: Labels) -> None:
    """Keep the words of a county and language for the frames that carry this key, and for frames that carry none."""
    _registered.pop(key, None)
    _registered[key] = labels


def of(frame: Any) -> Labels:
    """The words for a frame: of its own county (and form), else of the county opened last, else none but the house's."""
    form, _, key = getattr(frame, "attrs", {}).get("labels", "").rpartition("|")
    return (_registered.get(key) or next(reversed(_registered.values()), None) or Labels(language())).of_form(form)


def is_share(frame: pd.DataFrame) -> bool:
    """Whether the estimates of a frame are shares or differences of shares, as far as their values can tell."""
    known = frame[[name for name in ("estimate", "low", "high") if name in frame]].astype(float).abs()
    return bool(known.to_numpy().size) and not bool((known > 1.0 + 1e-9).any(axis=None))


def part_word(part: str, lang: str, what: str = "") -> str:
    """The name of a part: its own words, a ledger's or an agency's, else `what` (the words of its measure) with what its prefix adds."""
    if (key := "parts." + re.sub(r"\W+", "_", part.lower()).strip("_")) in all_words():
        return say(key, lang)
    if part in TABLES:
        return TABLES[part].title(lang)
    prefix, _, kind = part.partition("_")
    key = f"parts.prefix_{prefix}"
    if kind in AGENCY_KINDS.options and key in all_words():
        return say(key, lang, what=AGENCY_KINDS.options[kind](lang))
    return say(key, lang, what=what) if what and key in all_words() else what
