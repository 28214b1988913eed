"""What a county may declare: each key with its type, range and choices, as data; refuses any other by file and line, with the nearest."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from huying.errors import CountyError, Place
from huying.words import LANGUAGES, Text, say

# Kinds of values: type, greatest length, and what a text may hold.
KINDS: Mapping[str, tuple[tuple[type, ...], int, str]] = {
    "text": ((str,), 5_000, r"(?=.*\S)[^\x00]*"), "cell": ((str,), 5_000, ".*"), "label": ((str,), 200, r"(?=.*\S)[^\x00-\x1f\x7f]*"),
    "id": ((str,), 60, r"[^\W_][\w-]*"), "item": ((str,), 60, r"[^\W\d]\w*"), "variable": ((str,), 60, r"[^\W\d]\w*"),
    "file": ((str,), 400, r"(?=.*\S)[^\x00]*"), "hour": ((str,), 5, r"([01]?\d|2[0-3]):[0-5]\d|24:00"),
    "whole": ((int,), 0, ""), "number": ((int, float), 0, ""), "flag": ((bool,), 0, ""), "day": ((dt.date,), 0, ""),
}  # fmt: skip
RENAMED = {"bars": "claim_thresholds", "bar": "threshold", "town_bar": "town_threshold"}  # keys of older files
LARGEST = 10**9
FORMS = ("resident", "staff", "leader", "department")
Schema = Mapping[str, Any]
Steps = tuple[tuple[str, int], ...]  # to a table: its path, and which of that path


@cache
def schemas() -> Schema:
    """What each of a county's files may declare, by the file's name without its ending."""
    return tomllib.loads(files("huying").joinpath("data/declarations.toml").read_text("utf-8"))


def is_fit(value: Any, spec: str) -> bool:
    """Whether a value is what a spec of `data/declarations.toml` wants."""
    if " | " in spec:
        return any(is_fit(value, one) for one in spec.split(" | "))
    if spec.startswith("="):
        return isinstance(value, str) and value == spec[1:]
    if spec.endswith(("*", "*2")):
        one, _, n = spec.rpartition("*")
        return isinstance(value, list) and n in ("", str(len(value))) and all(is_fit(part, one) for part in value)
    kind, _, span = spec.partition(" ")
    types, longest, pattern = KINDS[kind]
    if type(value) not in types:  # exactly: true is no number, and a moment is no day
        return False
    if isinstance(value, str):
        return len(value) <= longest and bool(re.fullmatch(pattern, value, re.S))
    low, _, high = span.partition("..")
    return not isinstance(value, int | float) or float(low or -LARGEST) <= value <= float(high or LARGEST)


def describe(spec: Any, lang: str) -> str:
    """What a spec wants, in words."""
    if not isinstance(spec, str):
        return say("declarations.table", lang)
    if " | " in spec:
        return " / ".join(describe(one, lang) for one in spec.split(" | "))
    if spec.startswith("="):
        return f'"{spec[1:]}"'
    if spec.endswith(("*", "*2")):
        one, _, n = spec.rpartition("*")
        return say(f"declarations.list{n}", lang, of=describe(one, lang))
    kind, _, span = spec.partition(" ")
    low, _, high = (end or "…" for end in span.partition(".."))
    found = say(f"declarations.{kind}", lang, n=KINDS[kind][1])
    return found + (say("declarations.range", lang, low=low, high=high) if span else "")


@dataclass(frozen=True)
class Declaration:
    """A TOML file with its text, by which the line of a fault is found."""

    file: Path
    source: str
    raw: Mapping[str, Any]

    def fail(self, key: str, word: str, value: Any = None, within: Steps = (), /, **values: Any) -> CountyError:
        """An error at the line that holds `word`, best the one that sets it to `value`, within a table if it stands there."""
        code, inside = [line.split("#")[0] for line in self.source.splitlines()], self.lines_of(within)
        lines = [n for n, line in enumerate(code, 1) if re.search(rf"(^|[\s\[.,{{\"'])[\"']?{re.escape(word)}\b", line)]
        lines = [n for n in lines if n in inside] or list(inside)[: bool(within)] or lines
        exact = [n for n in lines if str(value).casefold() in code[n - 1].partition("=")[2].casefold()]
        return CountyError(key, Place(str(self.file), row=next(iter(exact or lines), None)), **values)

    def lines_of(self, within: Steps) -> range:
        """The lines of a table and of those within it, by the steps to it (path, and which of that path); as far as they have heads."""
        lines, found = self.source.splitlines(), range(1, self.source.count("\n") + 2)
        for path, nth in within:
            steps = r"\s*\.\s*".join(rf"[\"']?{re.escape(step)}[\"']?" for step in path.split("."))
            heads = [n for n in found[: len(lines)] if re.match(rf"\s*\[+\s*{steps}\s*\]", lines[n - 1])]
            if nth < len(heads):
                after = (
                    n for n in range(heads[nth] + 1, len(lines) + 1) if re.match(r"\s*\[\[?\s*[\w\"']", lines[n - 1])
                )
                end = next((n for n in after if not re.match(rf"\s*\[+\s*{steps}\s*\.", lines[n - 1])), len(lines) + 1)
                found = range(heads[nth], end)
        return found

    def check(self, name: str) -> Declaration:
        """The declaration itself; raises CountyError for a key that its schema `name` has not, one that is lacking, or an unfit value."""
        self.check_table(self.raw, schemas()[name])
        return self

    def check_table(self, entry: Mapping[str, Any], schema: Schema, path: str = "", within: Steps = ()) -> None:
        known = {key.rstrip("!"): spec for key, spec in schema.items()}
        for key, value in entry.items():
            if key not in known and "*" not in known:
                close = RENAMED.get(key) or ", ".join(difflib.get_close_matches(key, known, n=1)) or "-"
                told = {"key": key[:60], "known": ", ".join(sorted(known)), "close": close}
                raise self.fail("folder.unknown_key", key, value, within, **told)
            if not is_fit(key, "label"):
                raise self.wrong(key, key, "label", within)
            self.check_value(key, value, known.get(key, known.get("*")), path, within)
        for key in (key[:-1] for key in schema if key.endswith("!") and key[:-1] not in entry):
            message = "folder.no_key" if path else "folder.no_section"
            told = {"section": path, "key": key if path else f"[{key}]"}
            raise self.fail(message, path.split(".")[-1] or key, None, within, **told)

    def check_value(self, key: str, value: Any, spec: Any, path: str, within: Steps) -> None:
        inner = f"{path}.{key}".lstrip(".")
        if isinstance(spec, list) and isinstance(spec[0], str):  # one value, or a table of them
            spec = spec[isinstance(value, dict)]
        if isinstance(spec, dict) and isinstance(value, dict):
            self.check_table(value, spec, inner, (*within, (inner, 0)))
        elif isinstance(spec, list) and isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            for n, entry in enumerate(value):
                self.check_table(entry, spec[0], inner, (*within, (inner, n)))
        elif not isinstance(spec, str) or not is_fit(value, spec):
            raise self.wrong(key, value, spec, within)
        elif spec == "file":
            self.check_file(key, value, within)

    def wrong(self, key: str, value: Any, spec: Any, within: Steps) -> CountyError:
        """An error for a value that is not as the spec wants."""
        told = {"key": key[:60], "wanted": Text(*(describe(spec, lang) for lang in LANGUAGES)), "got": repr(value)[:80]}
        return self.fail("folder.wrong_value", key, value, within, **told)

    def check_file(self, key: str, value: str, within: Steps) -> None:
        """Raise CountyError for a path that leaves the county's folder, or at which there is no ordinary file."""
        told = {"key": key, "file": value}
        if re.search(r"[\x00-\x1f]", value):  # "raw\towns.csv": TOML takes \t for a tab
            raise self.fail("folder.backslash", key, None, within, key=key, file=repr(value)[1:-1])
        if Path(value).is_absolute() or re.match(r"[A-Za-z]:|\\", value) or os.path.normpath(value).startswith(".."):
            raise self.fail("folder.outside", value, key, within, **told)
        if not (self.file.parent / value).is_file():
            raise self.fail("folder.no_file", value, key, within, **told)


def parse_toml(source: str, file: Path) -> Declaration:
    """A TOML text as a declaration; raises CountyError for what is no TOML."""
    try:
        return Declaration(file, source, tomllib.loads(source))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        key = "folder.bad_escape" if re.search("Unescaped|hex", str(error)) else "folder.not_toml"
        raise CountyError(key, Place(str(file)), why=str(error)) from error


def read_toml(file: Path) -> Declaration:
    """What a TOML file declares, nothing where there is no file; raises CountyError for what is no TOML in UTF-8."""
    try:
        return parse_toml(file.read_text("utf-8-sig") if file.is_file() else "", file)
    except UnicodeDecodeError as error:
        row = file.read_bytes()[: error.start].count(b"\n") + 1
        raise CountyError("folder.not_utf8", Place(str(file), row=row)) from error
