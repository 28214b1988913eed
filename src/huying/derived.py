"""Derived variables: rules over named answers, in one grammar for declarations and for researchers; refuses a name nobody declared.

A rule compares columns (`=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`), names a column that is true or false, and joins
with `and`, `or` and parentheses. `any of a, b` holds where one of them does; `mean of a, b in x, y` is each person's mean
over the columns answered; `right against item` is the share right of a quiz by the key of the codebook; `prefix*` stands
for every column that begins so.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.errors import CountyError, EstimateError, Place
from huying.words import Text, as_text, say

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
UNKNOWN = ("out", "counts")
CANNOT_SAY, CANNOT_SAY_KEY, NO_TEXT = "does_not_know", "cannot_say", Text("", "")
WORDS = ("and", "or", "in", "not", "any", "mean", "of", "right", "against")
_TOKEN = re.compile(r"\s*(?:(!=|<=|>=|[=<>(),])|(-?\d+(?:\.\d+)?)(?!\w)|([^\W\d]\w*\*?))")


@dataclass(frozen=True)
class Answers:
    """A survey's named columns, and beside them why an answer is missing (a column of reasons for each, where known)."""

    frame: pd.DataFrame
    reasons: pd.DataFrame

    def asked(self, name: str, *also: str) -> Bools:
        """Who answered the column, or gave one of the reasons `also` for not answering."""
        if name not in self.reasons:
            return np.asarray(self.frame[name].notna())
        why = self.reasons[name]
        return np.asarray(why.isna() | why.isin(also))

    def numbers(self, name: str) -> Floats:
        """A column as floats, missing as NaN; raises EstimateError for text."""
        if not pd.api.types.is_numeric_dtype(self.frame[name].dtype):
            raise EstimateError("derived.no_number", column=name)
        return np.asarray(self.frame[name].to_numpy(dtype=float, na_value=np.nan))


class Column(str):
    """The name of a column that a rule compares with."""


@dataclass(frozen=True)
class Compare:
    """One comparison; with no operator, a column that is true or false or a number."""

    column: str
    op: str = ""
    values: tuple[Any, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must be answered."""
        return (self.column, *(str(value) for value in self.values if isinstance(value, Column)))

    def holds(self, answers: Answers) -> Bools:
        """For whom it holds; never where the answer is missing."""
        left = answers.frame[self.column]
        known: Bools = np.asarray(left.notna())
        if not self.op:
            return known & (answers.numbers(self.column) > 0)
        if self.op in ("in", "not in"):
            inside: Bools = np.asarray(left.isin(self.values), dtype=bool)
            return known & (inside if self.op == "in" else ~inside)
        right = self.values[0]
        is_key = isinstance(right, str) and not isinstance(right, Column)
        if is_key and self.op in ("=", "!="):
            equal: Bools = np.asarray((left == right).fillna(False), dtype=bool)
            return known & (equal if self.op == "=" else ~equal)
        if is_key:
            raise EstimateError("derived.no_number", column=self.column)
        value = answers.numbers(right) if isinstance(right, Column) else float(right)
        compare = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater}
        with np.errstate(invalid="ignore"):
            hit = compare.get(self.op, np.greater_equal)(answers.numbers(self.column), value)
        return known & np.asarray(hit & ~np.isnan(value))


@dataclass(frozen=True)
class Joined:
    """Rules joined by `and` or `or`."""

    how: str
    parts: tuple[Any, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all parts."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.columns))

    def holds(self, answers: Answers) -> Bools:
        """For whom all parts hold, or any."""
        found = np.array([part.holds(answers) for part in self.parts])
        return np.asarray(found.all(axis=0) if self.how == "and" else found.any(axis=0))


@dataclass(frozen=True)
class Mean:
    """Each person's mean over the parts answered."""

    parts: tuple[Compare, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all parts."""
        return tuple(part.column for part in self.parts)

    def value(self, answers: Answers, also: Sequence[str]) -> Floats:
        """The mean, missing for who answered none; a part without a comparison gives its own number."""
        columns = []
        for part in self.parts:
            value = part.holds(answers).astype(float) if part.op else np.nan_to_num(answers.numbers(part.column))
            columns.append(np.where(answers.asked(part.column, *also), value, np.nan))
        table = np.array(columns)
        known = np.isfinite(table).sum(axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.nansum(table, axis=0) / known)


@dataclass(frozen=True)
class Scope:
    """What a rule may speak of: columns with the options that each has (none for numbers and yes-no), and quiz keys."""

    options: Mapping[str, Sequence[str]]
    right: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def expand(self, name: str, rule: str) -> list[str]:
        """The columns that a name stands for; raises EstimateError where there is none."""
        found = [column for column in self.options if column.startswith(name[:-1])] if name.endswith("*") else []
        if name in self.options or found:
            return found or [name]
        raise EstimateError("derived.unknown_name", name=name, rule=rule, close=_near(name, self.options))


def _near(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    return ", ".join(close or list(known)[:8]) or "-"


class _Parser:
    """One rule read from left to right."""

    def __init__(self, rule: str, scope: Scope) -> None:
        self.rule, self.scope, self.at = rule, scope, 0
        self.tokens = list(self._split())

    def _split(self) -> Iterator[str]:
        at, rule = 0, self.rule.rstrip()
        while at < len(rule):
            found = _TOKEN.match(rule, at)
            if not found:
                raise self.fail(rule[at:])
            yield found[1] or found[2] or found[3]
            at = found.end()

    def fail(self, got: str) -> EstimateError:
        return EstimateError("derived.bad_rule", rule=self.rule, got=got or say("derived.end"))

    def next_is(self, *words: str) -> bool:
        """Take the words if they come next."""
        if self.tokens[self.at : self.at + len(words)] == list(words):
            self.at += len(words)
            return True
        return False

    def take(self) -> str:
        if self.at >= len(self.tokens):
            raise self.fail("")
        self.at += 1
        return self.tokens[self.at - 1]

    def read(self) -> Compare | Joined | Mean:
        found: Compare | Joined | Mean
        if self.next_is("mean", "of"):
            found = Mean(tuple(self.several()))
        elif self.next_is("right", "against"):
            found = self.right()
        else:
            found = self.either()
        if self.at < len(self.tokens):
            raise self.fail(self.tokens[self.at])
        return found

    def right(self) -> Mean:
        item = self.take()
        if item not in self.scope.right:
            raise EstimateError("derived.no_key", item=item, known=", ".join(self.scope.right) or "-")
        return Mean(tuple(Compare(column, "=", (key,)) for column, key in self.scope.right[item].items()))

    def either(self) -> Compare | Joined:
        parts = [self.both()]
        while self.next_is("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def both(self) -> Compare | Joined:
        parts = [self.one()]
        while self.next_is("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def one(self) -> Compare | Joined:
        if self.next_is("("):
            found = self.either()
            if not self.next_is(")"):
                raise self.fail(self.tokens[self.at] if self.at < len(self.tokens) else "")
            return found
        if self.next_is("any", "of"):
            return Joined("or", tuple(self.several()))
        columns = self.scope.expand(self.name(), self.rule)
        op, values = self.comparison(columns[0])
        parts = tuple(Compare(column, op, values) for column in columns)
        return parts[0] if len(parts) == 1 else Joined("and", parts)

    def several(self) -> list[Compare]:
        """`a, b, c` with one comparison for all of them, or none."""
        columns = self.scope.expand(self.name(), self.rule)
        while self.next_is(","):
            columns += self.scope.expand(self.name(), self.rule)
        op, values = self.comparison(columns[0])
        return [Compare(column, op, values) for column in columns]

    def name(self) -> str:
        word = self.take()
        if word in WORDS or not re.match(r"[^\W\d]", word):
            raise self.fail(word)
        return word

    def comparison(self, column: str) -> tuple[str, tuple[Any, ...]]:
        for op in ("=", "!=", "<=", ">=", "<", ">"):
            if self.next_is(op):
                return op, (self.value(column),)
        negated = self.next_is("not", "in")
        if not negated and not self.next_is("in"):
            return "", ()
        values = [self.value(column)]
        while self.tokens[self.at : self.at + 1] == [","]:
            self.at += 1
            values.append(self.value(column))
        return ("not in" if negated else "in"), tuple(values)

    def value(self, column: str) -> str | float:
        word = self.take()
        options = self.scope.options[column]
        if re.fullmatch(r"-?\d+(\.\d+)?", word) and not options:
            return float(word)
        if word in options:
            return word
        if not re.match(r"[^\W\d]|-?\d", word):
            raise self.fail(word)
        if word in self.scope.options and not options:
            return Column(word)
        raise EstimateError(
            "derived.unknown_option", column=column, got=word, rule=self.rule, close=_near(word, options)
        )


@dataclass(frozen=True)
class Derived:
    """A variable made of answers: `when` says who has it, `base` who is asked; `text` names it in both languages.

    A rule that only names a number or a closed question copies its answers.

    `unknown = "counts"` keeps those who cannot say in the base, as not having it; `"out"` leaves them out.
    """

    name: str
    form: str
    when: str
    base: str = ""
    unknown: str = "out"
    text: Text = NO_TEXT

    def of(self, answers: Answers, scope: Scope) -> pd.Series:
        """The variable, a value a person, missing outside the base: true and false, a number or an answer; raises EstimateError."""
        rule, also = read_rule(self.when, scope), (CANNOT_SAY,) if self.unknown == "counts" else ()
        inside = holds(self.base, answers, scope)
        if isinstance(rule, Mean):
            return pd.Series(np.where(inside, rule.value(answers, also), np.nan), answers.frame.index, dtype="Float64")
        for name in rule.columns:
            inside &= answers.asked(name, *also)
        if isinstance(rule, Compare) and not rule.op and not _is_yes_no(answers.frame[rule.column]):
            return _copied(rule.column, answers, scope).mask(~inside)
        return pd.Series(rule.holds(answers), answers.frame.index, dtype="boolean").mask(~inside)

    @property
    def kind(self) -> str:
        """The type of its column as far as the rule alone tells."""
        return "Float64" if self.when.startswith(("mean of", "right against")) else "boolean"

    def describe(self, lang: str) -> str:
        """Its definition in one line."""
        parts = {"name": self.name, "text": self.text(lang) or self.name, "when": self.when}
        line = say("derived.definition", lang, **parts)
        if self.base:
            line += say("derived.base", lang, base=self.base)
        return line + say(f"derived.unknown_{self.unknown}", lang)


def _is_yes_no(column: pd.Series) -> bool:
    return bool(pd.api.types.is_bool_dtype(column.dtype))


def _copied(name: str, answers: Answers, scope: Scope) -> pd.Series:
    """A column as it was answered: a number (0 for who cannot say), or the answer's key (`cannot_say` for who cannot say)."""
    if scope.options.get(name):
        return answers.frame[name].fillna(CANNOT_SAY_KEY)
    return pd.Series(np.nan_to_num(answers.numbers(name)), answers.frame.index, dtype="Float64")


def read_rule(rule: str, scope: Scope) -> Compare | Joined | Mean:
    """A rule as a tree; raises EstimateError for a name, option or word that nobody declared."""
    return _Parser(rule, scope).read()


def holds(rule: str, answers: Answers, scope: Scope) -> Bools:
    """For whom a condition holds; everybody where it is empty."""
    if not rule:
        return np.ones(len(answers.frame), dtype=bool)
    tree = read_rule(rule, scope)
    if isinstance(tree, Mean):
        raise EstimateError("derived.no_condition", rule=rule)
    return tree.holds(answers)


def read_derived(toml: str, place: Place) -> dict[str, Derived]:
    """The `[[indicator]]` tables of a file by form and name, such as `resident.x`; raises CountyError for an unknown key or value."""
    found: dict[str, Derived] = {}
    for raw in tomllib.loads(toml).get("indicator", []):
        one = read_one(raw, place)
        if f"{one.form}.{one.name}" in found:
            raise CountyError("derived.repeated", place, name=one.name)
        found[f"{one.form}.{one.name}"] = one
    return found


def read_one(raw: Mapping[str, Any], place: Place) -> Derived:
    """One `[[indicator]]` table; raises CountyError."""
    known = dict(raw)
    known["name"] = name = str(known.pop("id", known.get("name", "?")))
    strange = sorted(set(known) - {"name", "form", "when", "base", "unknown", "zh", "en"})
    if strange or not {"form", "when"} <= set(known) or not name.isidentifier():
        raise CountyError("derived.bad_key", place, name=name, keys=", ".join(strange) or "-")
    if known.get("unknown", "out") not in UNKNOWN:
        raise CountyError("derived.bad_unknown", place, name=name, got=known["unknown"], known=", ".join(UNKNOWN))
    try:
        text = as_text({lang: known.pop(lang, "") for lang in ("zh", "en")}, name)
    except ValueError as error:
        raise CountyError("claims.bad_text", place, why=str(error)) from error
    return Derived(text=text, **known)
