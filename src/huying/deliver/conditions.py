"""Rules of a questionnaire as XPath for XLSForm and as words for people; names the item and the rule that neither can say."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from huying.codebook import Item, Option
from huying.derived import COMPARE, Column, Compare, Rule, Scope, read_rule
from huying.words import CountyError, say

NUMBERS, SIGNS = ("whole", "number"), {"!=": "≠", "<=": "≤", ">=": "≥", "in": "=", "not in": "≠", "": ">"}
# A value of a cell with options, the XPath that holds for it, the key of the words, the option.
Case = tuple[float, str, str, Option]


@dataclass(frozen=True)
class Form:
    """The items of a form in their order, with the county's lists among their options."""

    name: str
    items: Sequence[Item]

    @cached_property
    def cells(self) -> dict[str, tuple[Item, str, str | Option | None]]:
        """By variable of a rule: the item, the column, and the row or option."""
        return {variable: (item, column, one) for item in self.items for variable, column, one in item.parts}

    def number(self, item: Item) -> int:
        """The place of an item, from 1."""
        return [one.id for one in self.items].index(item.id) + 1

    def read(self, item: Item, key: str, row: str = "") -> Rule | None:
        """A rule of an item (of one row of a matrix) as comparisons."""
        rule = getattr(item, key).replace("*", row)
        return read_rule(rule, Scope(dict.fromkeys(self.cells, ()))) if rule else None

    def as_xpath(self, item: Item, key: str, row: str = "") -> str:
        """A rule as XPath, empty where there is none: as when answers are cleaned, a missing answer makes a comparison false.

        Raises CountyError for what has no such form.
        """
        return join(self.read(item, key, row), " and ", " or ", lambda part: self.compare(part, item, key))

    def in_words(self, item: Item, key: str, lang: str, row: str = "") -> str:
        """A rule as words, empty where there is none."""
        joints = say("questionnaire.and", lang), say("questionnaire.or", lang)
        return join(self.read(item, key, row), *joints, lambda part: self.tell(part, lang))

    def cases(self, part: Compare) -> list[Case] | None:
        """The values of a cell with options for which a comparison holds; None for a number. A code for no answer is no value."""
        item, column, one = self.cells[part.column]
        if not item.options or any(isinstance(value, Column) for value in part.values):
            return None
        if isinstance(one, Option) and item.type == "multi":
            said = f"selected(${{{item.name}}}, '{one.key}')"
            found = [(1.0, said, "is", one), (0.0, f"(${{{item.name}}} != '' and not({said}))", "is_not", one)]
        elif isinstance(one, Option):
            ranks = [f"selected-at(${{{item.name}}}, {n}) = '{one.key}'" for n, _ in enumerate(item.options)]
            found = [(n + 1.0, rank, "ranked", one) for n, rank in enumerate(ranks)]
        else:
            named = [option for option in item.options if option.code not in item.missing]
            found = [(float(option.code), f"${{{column}}} = '{option.key}'", "is", option) for option in named]
        return [case for case in found if fits(part, case[0])]

    def compare(self, part: Compare, item: Item, key: str) -> str:
        """A comparison of the rule `key` of an item as XPath."""
        if (cases := self.cases(part)) is not None:
            return either([xpath for _, xpath, _, _ in cases])
        cells = [self.cells[name] for name in (part.column, *part.values) if isinstance(name, str)]
        if wrong := [asked.id for asked, _, _ in cells if asked.type not in NUMBERS]:
            raise CountyError("questionnaire.not_xpath", item=item.id, key=key, rule=getattr(item, key), name=wrong[0])
        ref, *others = [f"${{{column}}}" for _, column, _ in cells]
        values = others or [f"{value:.15g}" for value in part.values or (0.0,)]
        op = {"in": "=", "not in": "!=", "": ">"}.get(part.op, part.op)
        compared = [f"{ref} {op} {value}" for value in values]
        known = [term for asked, column, _ in cells for term in answered(asked, f"${{{column}}}")]
        return f"({' and '.join([*known, *(compared if op == '!=' else [either(compared)])])})"

    def tell(self, part: Compare, lang: str) -> str:
        """A comparison as words."""
        item, _, one = self.cells[part.column]
        row = dict(item.rows)[one](lang) if isinstance(one, str) else ""
        where = say(f"questionnaire.where{'_row' * bool(row)}", lang, n=self.number(item), row=row)
        if (cases := self.cases(part)) is not None:
            named = ((key, {"option": option.text(lang), "n": int(n)}) for n, _, key, option in cases)
            told = [say(f"questionnaire.{key}", lang, **values) for key, values in named]
            return where + say("questionnaire.or", lang).join(told or ["–"])
        numbers = {v: self.number(self.cells[v][0]) for v in part.values if isinstance(v, Column)}
        others = {v: say("questionnaire.where", lang, n=n) for v, n in numbers.items()}
        values = [others.get(v) or f"{v:g}" for v in part.values or (0.0,)]
        return f"{where} {SIGNS.get(part.op, part.op)} {', '.join(values)}"

    def limits(self, item: Item, lang: str, row: str = "") -> Iterator[str]:
        """What an answer must hold to, in words."""
        if item.range and item.type in NUMBERS:
            codes = [str(code) for code in item.missing] + [f"{low:g}–{high:g}" for low, high in item.missing_from]
            low, high = (f"{end:g}" for end in item.range)
            yield say(f"questionnaire.between{'_or' * bool(codes)}", lang, low=low, high=high, codes=", ".join(codes))
        if item.type == "multi" and item.max_choices:
            yield say("questionnaire.most", lang, n=item.max_choices)
        for option in item.options if item.type == "multi" else ():
            if option.code in item.exclusive:
                yield say("questionnaire.alone", lang, option=option.text(lang))
        if rule := self.in_words(item, "contradicts", lang, row):
            yield say("questionnaire.never", lang, rule=rule)


def join(rule: Rule | None, both: str, one_of: str, told: Callable[[Compare], str]) -> str:
    """A rule put together from what is told of its comparisons; empty where there is none."""
    if not rule:
        return ""
    pieces = {" & ": both, " | ": one_of, **{f"c{n}": told(part) for n, part in enumerate(rule.parts)}}
    return re.sub(r" [&|] |c\d+", lambda found: pieces[found[0]], re.sub(r"\((c\d+)\)", r"\1", rule.joined))


def fits(part: Compare, value: float) -> bool:
    """Whether a comparison with numbers holds for a value."""
    if part.op in ("in", "not in"):
        return (value in part.values) == (part.op == "in")
    return bool(COMPARE[part.op or ">"](value, part.values[0] if part.values else 0))


def answered(item: Item, ref: str) -> Iterator[str]:
    """What must hold for a number to be an answer."""
    yield f"{ref} != ''"
    yield from (f"{ref} != {code}" for code in item.missing)
    yield from (f"not({ref} >= {low:g} and {ref} <= {high:g})" for low, high in item.missing_from)


def either(terms: Sequence[str]) -> str:
    """Conditions of which one must hold; of none, what never does."""
    return f"({' or '.join(terms)})" if len(terms) > 1 else next(iter(terms), "false()")
