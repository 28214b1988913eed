"""Derived variables: rules over named answers, in one grammar for declarations and for researchers; refuses a name nobody declared.

A rule compares columns (`=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`), names a column that is true or false, and joins
with `and`, `or` and parentheses. `any of a, b` holds where one of them does; `mean of a, b in x, y` is each person's mean
over the columns answered; `right against item` is the share right of a quiz by the key of the codebook; `prefix*` stands
for every column that begins so.
"""

import itertools
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.folder import Declaration
from huying.words import EstimateError, Text, near, say

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
COMPARE: Mapping[str, Any] = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}
COMPARE = {**COMPARE, ">": operator.gt, ">=": operator.ge}
CANNOT_SAY, CANNOT_SAY_KEY, NO_TEXT, MEAN = "does_not_know", "cannot_say", Text("", ""), "mean"
_NUMBER, _WORD = r"-?\d+(?:\.\d+)?(?!\w)", r"[^\W\d]\w*"
_NAME = rf"(?!(?:and|or|in|not|any|mean|of|right|against)\b){_WORD}\*?"
# An answer's wording stands in quotation marks where it is no single word.
_VALUE = rf"(?:{_NUMBER}|{_WORD}|\"[^\"]+\"|“[^”]+”)"
_HOW, _STRAY = re.compile(r"\s*(?:mean\s+of|(right)\s+against)\b"), re.compile(r"[()]|\b(?:and|or|any)\b")
_PIECE = re.compile(
    rf"(?P<open>[(\s]*)(?:(?P<any>any\s+of\s+)?(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)"
    rf"(?:\s*(?P<op>!=|<=|>=|=|<|>|(?P<among>(?:not\s+)?in\b))\s*(?P<values>{_VALUE}(?(among)(?:\s*,\s*{_VALUE})*))?)?"
    r"(?P<close>[)\s]*)(?P<join>(?:and|or)\b)?)?"
)


class Answers(NamedTuple):
    """A survey's named columns, and beside them why an answer is missing (a column of reasons for each, where known)."""

    frame: pd.DataFrame
    reasons: pd.DataFrame

    def asked(self, name: str, *also: str) -> Bools:
        """Who answered the column, or gave one of the reasons `also` for not answering."""
        why = self.reasons.get(name)
        return np.asarray(self.frame[name].notna() if why is None else why.isna() | why.isin(also))

    def numbers(self, name: str) -> Floats:
        """A column as floats, missing as NaN; raises EstimateError for text."""
        if not pd.api.types.is_numeric_dtype(self.frame[name].dtype):
            raise EstimateError("derived.no_number", column=name)
        return np.asarray(self.frame[name].to_numpy(dtype=float, na_value=np.nan))


class Column(str):
    """The name of a column that a rule compares with."""


class Compare(NamedTuple):
    """One comparison; with no operator, a column that is true or false or a number."""

    column: str
    op: str = ""
    values: tuple[Any, ...] = ()

    def holds(self, answers: Answers) -> Bools:
        """For whom it holds; never where the answer is missing."""
        left, right = answers.frame[self.column], self.values[0] if self.values else 0.0
        known: Any = left.notna()
        if self.op in ("in", "not in"):
            hit = left.isin(self.values) == (self.op == "in")
        elif self.op in ("=", "!=") and isinstance(right, str) and not isinstance(right, Column):
            hit = COMPARE[self.op](left, right).fillna(False).astype(bool)
        else:
            value = answers.numbers(right) if isinstance(right, Column) else right
            if isinstance(value, str):
                raise EstimateError("derived.no_number", column=self.column)
            hit, known = COMPARE[self.op or ">"](answers.numbers(self.column), value), known & ~np.isnan(value)
        return np.asarray(known & hit)


class Rule(NamedTuple):
    """Comparisons, and how they are joined: such as `(c0 | c1) & c2` by their place, or `mean` for each person's mean."""

    parts: tuple[Compare, ...]
    joined: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must be answered."""
        named = [(part.column, *(str(v) for v in part.values if isinstance(v, Column))) for part in self.parts]
        return tuple(dict.fromkeys(itertools.chain(*named)))

    def holds(self, answers: Answers) -> Bools:
        """For whom the comparisons hold as they are joined."""
        found = {f"c{k}": part.holds(answers) for k, part in enumerate(self.parts)}
        return np.array(eval(self.joined, {"__builtins__": {}}, found))  # read_rule made it: c0, c1, &, | and brackets

    def mean(self, answers: Answers, also: Sequence[str]) -> Floats:
        """Each person's mean over the parts answered, missing for who answered none; a part without a comparison gives its number."""
        columns = []
        for part in self.parts:
            value = part.holds(answers).astype(float) if part.op else np.nan_to_num(answers.numbers(part.column))
            columns.append(np.where(answers.asked(part.column, *also), value, np.nan))
        return np.asarray(pd.DataFrame(columns).mean().to_numpy(dtype=float))


@dataclass(frozen=True)
class Scope:
    """What a rule may speak of: columns with the options that each has (none for numbers and yes-no), quiz keys, and `words`,
    the key of each option by its wording, for each column."""

    options: Mapping[str, Sequence[str]]
    right: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def expand(self, name: str, rule: str) -> list[str]:
        """The columns that a name stands for; raises EstimateError where there is none."""
        found = [column for column in self.options if column.startswith(name[:-1])] if name.endswith("*") else []
        if name in self.options or found:
            return found or [name]
        raise EstimateError("derived.unknown_name", name=name, rule=rule, close=near(name, self.options))

    def value(self, word: str, column: str, rule: str) -> str | float:
        """What a word of a rule is to a column: an answer, a number or another column; raises EstimateError."""
        options, word, keys = self.options[column], word.strip('"“”'), self.words.get(column, {})
        if word in options or word in keys:
            return word if word in options else keys[word]
        if not options and re.fullmatch(_NUMBER, word):
            return float(word)
        if not options and word in self.options:
            return Column(word)
        named = [" ".join([key, *(f"“{text}”" for text in keys if keys[text] == key)]) for key in options]
        told = {"column": column, "got": word, "rule": rule, "known": ", ".join(named[:9]) or "-"}
        raise EstimateError("derived.unknown_option", **told, close=near(word, options))


def read_rule(rule: str, scope: Scope) -> Rule:
    """A rule as its comparisons; raises EstimateError for a name, option or word that nobody declared."""
    if (how := _HOW.match(rule)) and how[1] == "right":
        if (item := rule[how.end() :].strip()) not in scope.right:
            raise EstimateError("derived.no_key", item=item, known=", ".join(scope.right) or "-")
        return Rule(tuple(Compare(column, "=", (key,)) for column, key in scope.right[item].items()), MEAN)
    at, join, joined, parts = how.end() if how else 0, "and", "", list[Compare]()
    if how and (stray := _STRAY.search(rule, at)):
        raise _unread(rule, stray.start())
    while join:
        found = cast("re.Match[str]", _PIECE.match(rule, at))
        at, join = found.end(), found["join"]
        if not found["names"] or (not join and at < len(rule)) or (found["op"] and not found["values"]):
            raise _unread(rule, found.end("op") if found["op"] and not found["values"] else at)
        # `a, b in x, y` is one comparison for each column
        columns = [column for name in re.findall(_NAME, found["names"]) for column in scope.expand(name, rule)]
        values = tuple(scope.value(word, columns[0], rule) for word in re.findall(_VALUE, found["values"] or ""))
        new = [Compare(column, " ".join((found["op"] or "").split()), values) for column in columns]
        names = (" | " if found["any"] else " & ").join(f"c{len(parts) + k}" for k in range(len(new)))
        joined, parts = f"{joined}{found['open']}({names}){found['close']}", parts + new
        if joined.count(")") > joined.count("("):
            raise _unread(rule, found.start("close"))
        joined += {"and": "&", "or": "|"}.get(join, "")
    if joined.count("(") > joined.count(")"):
        raise _unread(rule, at)
    return Rule(tuple(parts), MEAN if how else " ".join(joined.split()))


def _unread(rule: str, at: int) -> EstimateError:
    got = re.match(rf"!=|<=|>=|[=<>(),]|{_NUMBER}|{_WORD}\*?|.*", rule[at:].strip())
    return EstimateError("derived.bad_rule", rule=rule, got=(got and got[0]) or say("derived.end"))


class Derived(NamedTuple):
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
        if rule.joined == MEAN:
            return pd.Series(np.where(inside, rule.mean(answers, also), np.nan), answers.frame.index, dtype="Float64")
        for name in rule.columns:
            inside &= answers.asked(name, *also)
        first = rule.parts[0]
        if len(rule.parts) == 1 and not first.op and not pd.api.types.is_bool_dtype(answers.frame[first.column].dtype):
            if scope.options.get(first.column):  # as it was answered: the answer's key, `cannot_say` for who cannot say
                return answers.frame[first.column].fillna(CANNOT_SAY_KEY).mask(~inside)
            told = np.nan_to_num(answers.numbers(first.column))  # a number, 0 for who cannot say
            return pd.Series(told, answers.frame.index, dtype="Float64").mask(~inside)
        return pd.Series(rule.holds(answers), answers.frame.index, dtype="boolean").mask(~inside)

    @property
    def kind(self) -> str:
        """The type of its column as far as the rule alone tells."""
        return "Float64" if self.when.startswith(("mean of", "right against")) else "boolean"

    def describe(self, lang: str) -> str:
        """Its definition in one line."""
        parts = {"name": self.name, "text": self.text(lang) or self.name, "when": self.when}
        base = say("derived.base", lang, base=self.base) if self.base else ""
        return say("derived.definition", lang, **parts) + base + say(f"derived.unknown_{self.unknown}", lang)


def holds(rule: str, answers: Answers, scope: Scope) -> Bools:
    """For whom a condition holds; everybody where it is empty."""
    if not rule:
        return np.ones(len(answers.frame), dtype=bool)
    if (tree := read_rule(rule, scope)).joined == MEAN:
        raise EstimateError("derived.no_condition", rule=rule)
    return tree.holds(answers)


def read_derived(declared: Declaration) -> dict[str, Derived]:
    """The `[[indicator]]` tables of a file, by form and name, such as `resident.x`; raises CountyError."""
    found: dict[str, Derived] = {}
    for nth, raw in enumerate(declared.raw.get("indicator", ())):
        name = raw.get("id") or raw.get("name", "")
        if f"{raw['form']}.{name}" in found or not name:
            key = "derived.repeated" if name else "derived.no_name"
            raise declared.fail(key, "indicator", name, (("indicator", nth),), name=name)
        rest = {key: raw[key] for key in ("form", "when", "base", "unknown") if key in raw}
        found[f"{raw['form']}.{name}"] = Derived(name, text=Text(raw["zh"], raw["en"]), **rest)
    return found
