"""The rules of ledgers applied to their rows, and those of the numbers that a report prints; loses no row in silence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from numbers import Real
from typing import Any

import pandas as pd

from huying.contract import Table, clean_series, set_aside
from huying.errors import CountyError, Place
from huying.folder import County
from huying.ledgers import TABLES
from huying.places import Matcher
from huying.rules import InLedger, Known, OnePlace
from huying.sources.table import RawTable
from huying.words import say

IDS: Mapping[str, str] = {"town": "town_id", "dept": "dept_id"}  # what a name becomes when it is matched


@cache
def printed_parts() -> Mapping[str, Mapping[str, Any]]:
    """By claim: `parts`, the pairs of printed numbers of which the first may not exceed the second, and the name of a `bare` one."""
    return tomllib.loads(files("huying").joinpath("data/printed.toml").read_text("utf-8"))


def known_ids(ledgers: Mapping[tuple[str, str], pd.DataFrame]) -> dict[str, set[str]]:
    """The ids that rules look up in other ledgers, by ledger, from what is cleaned already (keys: table and period)."""
    wanted = {(rule.ledger, rule.of) for table in TABLES.values() for rule in table.rules if isinstance(rule, InLedger)}
    found: dict[str, set[str]] = {}
    for (name, _), frame in ledgers.items():
        for of in (of for ledger, of in wanted if ledger == name):
            found.setdefault(name, set()).update(frame[of].dropna().astype(str))
    return found


def in_two_places(
    table: Table, raw: RawTable, headers: Mapping[str, str], matchers: Mapping[str, Matcher | None]
) -> pd.DataFrame:
    """The rows of `raw` whose key stands at two places, all of them, as rejected rows.

    Asked of the raw cells: the check of the table's key would have taken the second row out already.
    """
    found = [set_aside(raw.place, "", pd.Series(dtype=object), "")]
    for rule in (rule for rule in table.rules if isinstance(rule, OnePlace)):
        rows = pd.DataFrame({name: clean_series(raw.text[headers[name]]) for name in (rule.column, rule.place)})
        rows, matcher = rows.where(rows != ""), matchers.get(rule.place)
        if matcher:
            rows[rule.place] = matcher.match(rows[rule.place].fillna(""))["id"]
        found.append(set_aside(raw.place, headers[rule.column], rule.broken(rows, {}), rule.reason))
    return pd.concat(found, ignore_index=True)


def keep_rules(
    table: Table, rows: pd.DataFrame, place: Place, headers: Mapping[str, str], known: Known
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that hold to every rule of the table, and the others as rejected rows, each under the first that it breaks."""
    faults = [set_aside(place, "", pd.Series(dtype=object), "")]
    for rule in (rule for rule in table.rules if not isinstance(rule, OnePlace)):
        found = rule.broken(rows, known)
        faults.append(set_aside(place, headers.get(rule.column, rule.column), found, rule.reason))
        rows = rows[~rows.index.isin(found.index)]
    return rows, pd.concat(faults, ignore_index=True)


def say_rejected(entry: Mapping[str, Any], lang: str | None = None) -> str:
    """One rejected row as a line to act on: file, sheet, row, column, what was found, why it does not do and what to do."""
    place = Place(str(entry["file"]), str(entry["sheet"] or ""), int(entry["row"]), str(entry["column"] or ""))
    value = say("clean.rejected_value", lang, value=entry["value"]) if entry["value"] else ""
    reason = say(f"clean.reason_{entry['reason']}", lang)
    return say("clean.rejected_line", lang, place=place.say(lang), value=value, reason=reason)


def check_printed(county: County) -> None:
    """Raise CountyError, with the line of county.toml, for a printed count larger than its total and a per cent above 100."""
    for claim, known in printed_parts().items():
        told = county.printed.get(claim)
        if not isinstance(told, Mapping):
            told = {known["bare"]: told} if "bare" in known and told is not None else {}
        for key, value in told.items():
            if isinstance(value, bool) or not isinstance(value, Real) or not float(value) >= 0:
                raise CountyError("clean.printed_number", _where(county, claim, key), claim=claim, key=key, value=value)
        if told.get("percent", 0) > 100:
            place, value = _where(county, claim, "percent"), told["percent"]
            raise CountyError("clean.printed_percent", place, claim=claim, key="percent", value=value)
        for part, whole in known["parts"]:
            if part in told and whole in told and told[part] > told[whole]:
                values = {"claim": claim, "part": part, "k": told[part], "whole": whole, "n": told[whole]}
                raise CountyError("clean.printed_part", _where(county, claim, part), **values)


def _where(county: County, claim: str, key: str) -> Place:
    """The line of county.toml that prints the number: of its key under `printed.claim`, or of the claim."""
    file = county.folder / "county.toml"
    lines = [line.split("#")[0] for line in file.read_text("utf-8-sig").splitlines()] if file.is_file() else []
    starts = [n for n, line in enumerate(lines) if re.match(rf"\s*(\[printed\.{claim}\]|(printed\.)?{claim}\b)", line)]
    own = [n for n, line in enumerate(lines) if starts and n >= starts[0] and re.search(rf"\b{key}\b", line)]
    return Place(str(file), row=next((n + 1 for n in (*own, *starts)), None))
