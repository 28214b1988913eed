"""Rules of a questionnaire as XPath for XLSForm and as words for people; names the item and the rule that neither can say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from huying.codebook import MANY, Item, Option
from huying.derived import COMPARE, Column, Compare, Rule, Scope, read_rule
from huying.errors import CountyError
from huying.words import say

NUMBERS = ("whole", "number")
SIGNS = {"!=": "≠", "<=": "≤", ">=": "≥"}


@dataclass(frozen=True)
class Form:
    """The items of a form in their order, with the county's lists among their options."""

    name: str
    items: Sequence[Item]
    cells: dict[str, tuple[Item, str, str | Option | None]] = field(
        init=False
    )  # by variable: item, column, row or option
    number: dict[str, int] = field(init=False)  # of each item, from 1

    def __post_init__(self) -> None:
        parts = {variable: (item, column, one) for item in self.items for variable, column, one in item.parts}
        object.__setattr__(self, "cells", parts)
        object.__setattr__(self, "number", {item.id: n for n, item in enumerate(self.items, 1)})

    def read(self, item: Item, key: str, row: str = "") -> Rule | None:
        """A rule of an item (of one row of a matrix) as comparisons."""
        rule = getattr(item, key).replace("*", row)
        return read_rule(rule, Scope(dict.fromkeys(self.cells, ()))) if rule else None

    def as_xpath(self, item: Item, key: str, row: str = "") -> str:
        """A rule as XPath, empty where there is none: as when answers are cleaned, a missing answer makes a comparison false.

        Raises CountyError for what has no such form.
        """
        rule = self.read(item, key, row)
        return self._join(rule, " and ", " or ", lambda part: self._xpath(part, item, key)) if rule else ""

    def in_words(self, item: Item, key: str, lang: str, row: str = "") -> str:
        """A rule as words, empty where there is none."""
        rule, joints = self.read(item, key, row), [say(f"questionnaire.{word}", lang) for word in ("and", "or")]
        return self._join(rule, *joints, lambda part: self._words(part, lang)) if rule else ""

    @staticmethod
    def _join(rule: Rule, both: str, either: str, told: Any) -> str:
        bare = re.sub(r"\((c\d+)\)", r"\1", rule.joined).replace(" & ", both).replace(" | ", either)
        return re.sub(r"c(\d+)", lambda found: told(rule.parts[int(found[1])]), bare)

    def _xpath(self, part: Compare, item: Item, key: str) -> str:
        asked, column, one = self.cells[part.column]
        ref, others = f"${{{column}}}", [self.cells[value] for value in part.values if isinstance(value, Column)]
        if asked.type in MANY and isinstance(one, Option):
            ref = f"${{{asked.name}}}"
            if asked.type == "ranking":
                return either(f"selected-at({ref}, {rank - 1}) = '{one.key}'" for rank in ranks(part, asked))
            said = f"selected({ref}, '{one.key}')"
            return either([said] * fits(part, 1) + [f"({ref} != '' and not({said}))"] * fits(part, 0))
        if asked.options and not others:
            hit = chosen(part, asked)
            other = [option for option in asked.options if option not in hit]
            if len(hit) <= len(other) or not hit:
                return either(f"{ref} = '{option.key}'" for option in hit)
            return every([f"{ref} != ''", *(f"{ref} != '{option.key}'" for option in other)])
        if {asked.type, *(other.type for other, _, _ in others)} - set(NUMBERS):
            told = {"item": item.id, "key": key, "rule": getattr(item, key), "name": asked.id}
            raise CountyError("questionnaire.not_xpath", **told)
        operands = [(asked, ref), *((other, f"${{{name}}}") for other, name, _ in others)]
        values = [f"${{{self.cells[v][1]}}}" if isinstance(v, Column) else f"{v:.15g}" for v in part.values] or ["0"]
        op = {"in": "=", "not in": "!=", "": ">"}.get(part.op, part.op)
        joint = " and " if part.op == "not in" else " or "
        compared = joint.join(f"{ref} {op} {value}" for value in values)
        known = [term for number, name in operands for term in answered(number, name)]
        return every([*known, f"({compared})" if len(values) > 1 else compared])

    def _words(self, part: Compare, lang: str) -> str:
        asked, _, one = self.cells[part.column]
        row = dict(asked.rows)[one](lang) if isinstance(one, str) else ""
        where = say(f"questionnaire.where{'_row' * bool(row)}", lang, n=self.number[asked.id], row=row)
        if asked.type == "ranking" and isinstance(one, Option):
            told = {"option": one.text(lang), "ranks": ", ".join(map(str, ranks(part, asked)))}
            return where + say("questionnaire.ranked", lang, **told)
        if isinstance(one, Option):
            return where + say(
                f"questionnaire.{'is' if fits(part, 1) else 'is_not'}", lang, options=quoted([one], lang)
            )
        if asked.options and not any(isinstance(value, Column) for value in part.values):
            hit = chosen(part, asked)
            other = [option for option in asked.options if option not in hit]
            is_short = len(hit) <= len(other)
            shown = quoted(hit if is_short else other, lang)
            return where + say(f"questionnaire.{'is' if is_short else 'is_not'}", lang, options=shown)
        values = [
            say("questionnaire.where", lang, n=self.number[self.cells[value][0].id])
            if isinstance(value, Column)
            else f"{value:g}"
            for value in part.values or (0.0,)
        ]
        op = {"in": "=", "not in": "≠", "": ">"}.get(part.op, SIGNS.get(part.op, part.op))
        return f"{where} {op} {', '.join(values)}"


def fits(part: Compare, value: float) -> bool:
    """Whether a comparison with numbers holds for a value."""
    if part.op in ("in", "not in"):
        return (value in part.values) == (part.op == "in")
    return bool(COMPARE[part.op or ">"](value, part.values[0] if part.values else 0))


def chosen(part: Compare, item: Item) -> list[Option]:
    """The options for which a comparison holds; a code for no answer is none."""
    return [option for option in item.options if option.code not in item.missing and fits(part, option.code)]


def ranks(part: Compare, item: Item) -> list[int]:
    """The ranks for which a comparison holds."""
    return [rank for rank, _ in enumerate(item.options, 1) if fits(part, rank)]


def answered(item: Item, ref: str) -> Iterator[str]:
    """What must hold for a number to be an answer."""
    yield f"{ref} != ''"
    yield from (f"{ref} != {code}" for code in item.missing)
    yield from (f"not({ref} >= {low:g} and {ref} <= {high:g})" for low, high in item.missing_from)


def every(terms: Sequence[str]) -> str:
    """Conditions that must all hold."""
    return f"({' and '.join(terms)})"


def either(terms: Iterable[str]) -> str:
    """Conditions of which one must hold; of none, what never does."""
    found = list(terms)
    return f"({' or '.join(found)})" if len(found) > 1 else next(iter(found), "false()")


def quoted(options: Sequence[Option], lang: str) -> str:
    """The texts of options in quotation marks."""
    return say("questionnaire.or", lang).join(f"“{option.text(lang)}”" for option in options)
