"""The questionnaire as data: items, wording, codes, missing codes, skip rules, the claims they serve; refuses what contradicts itself."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.errors import CountyError
from huying.words import Text, as_text

TYPES = ("single", "dropdown", "multi", "whole", "number", "text", "scale", "matrix_single", "matrix_scale")
WHY_MISSING = ("refused", "does_not_know", "skipped", "blank", "not_applicable")
COMPARE: Mapping[str, Any] = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal,
                              ">": np.greater, ">=": np.greater_equal}  # fmt: skip
_RULE = re.compile(r"^\s*([\w*]+)\s*(not in|in|!=|<=|>=|=|<|>)\s*(.+?)\s*$")


@dataclass(frozen=True)
class Option:
    """One answer of a closed item."""

    code: int
    text: Text


@dataclass(frozen=True)
class Item:
    """One question. `options` stand in the order of the form: their position is what a number export holds."""

    id: str
    form: str
    type: str
    text: Text
    options: tuple[Option, ...] = ()
    options_from: str = ""
    rows: tuple[tuple[str, Text], ...] = ()
    missing: Mapping[int, str] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    unit: Text | None = None
    exclusive: tuple[int, ...] = ()
    max_choices: int | None = None
    fill_in: tuple[int, ...] = ()
    asked_if: str = ""
    ends_if: str = ""
    right: Mapping[str, int] = field(default_factory=dict)
    right_from: str = ""
    attention: Mapping[str, int] = field(default_factory=dict)
    reverse: tuple[str, ...] = ()
    decoy: tuple[str, ...] = ()
    scrub: bool = False
    optional: bool = False
    claims: tuple[str, ...] = ()
    role: str = ""

    @property
    def is_matrix(self) -> bool:
        return self.type.startswith("matrix")

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns that a cleaned table has for the item: one, or one a row of a matrix, or one an option of a multi."""
        if self.is_matrix:
            return tuple(f"{self.id}_{row}" for row, _ in self.rows)
        if self.type == "multi":
            return tuple(f"{self.id}_{option.code}" for option in self.options)
        return (self.id,)

    @property
    def cells(self) -> tuple[str, ...]:
        """The answers that an export has for the item: one, or one a row of a matrix."""
        return self.variables if self.is_matrix else (self.id,)


@dataclass(frozen=True)
class Codebook:
    """All items of all forms, by id."""

    items: Mapping[str, Item]

    def form(self, form: str) -> tuple[Item, ...]:
        """The items of one form in their order."""
        return tuple(item for item in self.items.values() if item.form == form)

    def item_of(self, variable: str) -> Item:
        """The item to which a column such as `R12_a` belongs."""
        while variable not in self.items and "_" in variable:
            variable = variable.rpartition("_")[0]
        return self.items[variable]


def read_item(raw: Mapping[str, Any]) -> Item:
    """One `[[item]]` table as an Item; raises CountyError for an unknown key, type or reason."""
    known = dict(raw)
    where = f"item {known.get('id', '?')}"
    text = as_text({lang: known.pop(lang, "") for lang in ("zh", "en")}, where)
    options = tuple(
        Option(int(o["code"]), as_text({"zh": o["zh"], "en": o["en"]}, where)) for o in known.pop("options", [])
    )
    rows = tuple((str(r["id"]), as_text({"zh": r["zh"], "en": r["en"]}, where)) for r in known.pop("rows", []))
    unit = as_text(known.pop("unit"), where) if "unit" in known else None
    missing = {int(code): why for code, why in known.pop("missing", {}).items()}
    rest: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
    unknown = set(known) - set(Item.__dataclass_fields__)
    if unknown or known.get("type") not in TYPES or not set(missing.values()) <= set(WHY_MISSING):
        raise CountyError("codebook.bad_item", where=where, unknown=", ".join(sorted(unknown)) or known.get("type"))
    return Item(text=text, options=options, rows=rows, unit=unit, missing=missing, **rest)


def parse_codebook(toml: str) -> Codebook:
    """A codebook from the text of its file; raises CountyError for a repeated id or a rule about an unknown item."""
    items = [read_item(raw) for raw in tomllib.loads(toml).get("item", [])]
    book = Codebook({item.id: item for item in items})
    if len(book.items) != len(items):
        raise CountyError(
            "codebook.repeated_id", ids=", ".join(sorted(k for k, n in Counter(i.id for i in items).items() if n > 1))
        )
    for item in items:
        for rule in (item.asked_if, item.ends_if):
            for name in names_in(rule):
                if name not in book.items and name.rsplit("_", 1)[0] not in book.items:
                    raise CountyError("codebook.unknown_name", where=item.id, rule=rule, name=name)
    return book


@cache
def house_codebook() -> Codebook:
    """The questionnaire that the house brings: 70 items in four forms."""
    return parse_codebook(files("huying").joinpath("data/codebook.toml").read_text("utf-8"))


def names_in(rule: str) -> list[str]:
    """The items that a rule speaks of."""
    parts = [_RULE.match(part) for part in rule.split(" and ") if part.strip()]
    return [part[1] for part in parts if part]


def holds(rule: str, answers: pd.DataFrame, row: str = "") -> npt.NDArray[np.bool_]:
    """For each respondent whether `rule` holds; a missing answer makes every comparison false.

    Grammar: `item op value`, op one of = != < <= > >= in, not in; a value is a number, a list `1,2,3` or another item;
    parts are joined by ` and `; `_*` stands for the matrix row `row`.
    """
    verdict = np.ones(len(answers), dtype=bool)
    for part in rule.split(" and ") if rule else []:
        found = _RULE.match(part)
        if not found:
            raise CountyError("codebook.bad_rule", rule=rule)
        name, op, value = found[1].replace("*", row), found[2], found[3].replace("*", row)
        left = answers[name].astype("float64").to_numpy()
        if op in ("in", "not in"):
            inside = np.isin(left, [float(code) for code in value.split(",")])
            verdict &= (inside if op == "in" else ~inside) & ~np.isnan(left)
        else:
            right = answers[value].astype("float64").to_numpy() if value in answers else float(value)
            verdict &= COMPARE[op](left, right) & ~np.isnan(left) & ~np.isnan(right)
    return verdict
