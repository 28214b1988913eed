"""The county's ledgers: one declaration a table (`data/ledgers.toml`), from which reading, templates and the dictionary are made.

Refuses a kind of column or a rule that nobody knows.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pandas as pd

from huying import contract, kinds
from huying.contract import Column, Table
from huying.kinds import Choice
from huying.words import Text, as_text

TEXTS = ("title", "note", "rows")


def read_values(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of a declaration: texts as texts of both languages, lists as tuples."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return values | {key: as_text(raw[key], where) for key in TEXTS if isinstance(raw.get(key), dict)}


def read_table(raw: Mapping[str, Any], options: Mapping[str, Choice]) -> Table:
    """One `[[table]]` as a Table."""
    name, known = raw["name"], dict(raw)
    columns = []
    for entry in known.pop("columns"):
        own = dict(entry)
        kind, span = getattr(kinds, own["kind"].capitalize()), own.pop("range", ())
        own["kind"] = options[own.pop("options")] if kind is Choice else kind(*span)
        columns.append(Column(**read_values(own, f"{name}.{own['name']}")))
    kept = [getattr(contract, own.pop("rule"))(**read_values(own, name)) for own in map(dict, known.pop("rules", ()))]
    example = tuple(as_text(cell, name) if isinstance(cell, dict) else cell for cell in known.pop("example", ()))
    return Table(columns=tuple(columns), rules=tuple(kept), example=example, **read_values(known, name))


def read_ledgers(toml: str) -> tuple[dict[str, Choice], dict[str, Table]]:
    """The choices and the tables that a file declares, by name."""
    raw, options = tomllib.loads(toml), dict[str, Choice]()
    for name, rows in raw["choices"].items():
        also = {word: row["code"] for row in rows for word in row.get("also", ())}
        options[name] = Choice({row["code"]: Text(row["zh"], row["en"]) for row in rows}, also)
    return options, {table["name"]: read_table(table, options) for table in raw["table"]}


CHOICES, TABLES = read_ledgers(files("huying").joinpath("data/ledgers.toml").read_text("utf-8"))
AGENCY_KINDS, LEVELS, LISTS, MARKS = (CHOICES[name] for name in ("agency_kinds", "levels", "lists", "marks"))
CHECKS = tuple(column.name for column in TABLES["centres"].columns if column.name.startswith(("has_", "same_")))


def no_rows(table: str) -> pd.DataFrame:
    """A ledger's columns as cleaning leaves them (ids for names of towns and departments), typed, without a row."""
    ids, nothing = {"town": "town_id", "dept": "dept_id"}, pd.Series(dtype="str")
    columns = TABLES[table].columns
    return pd.DataFrame({ids.get(column.name, column.name): column.kind.read(nothing) for column in columns})
