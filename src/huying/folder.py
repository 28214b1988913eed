"""The county's folder and what its files may declare, as data; refuses any other key by file and line, with the nearest."""

import datetime as dt
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, Self

from huying.words import LANGUAGES, CountyError, Place, Text, say
from huying.workdays import Rule

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


class Declaration(NamedTuple):
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
                other = re.compile(rf"\s*\[\[?\s*(?!{steps}\s*\.)[\w\"']")  # a head of what is not within this table
                after = range(heads[nth] + 1, len(lines) + 1)
                found = range(heads[nth], next((n for n in after if other.match(lines[n - 1])), len(lines) + 1))
        return found

    def check(self, name: str) -> Self:
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


# --- what the county's files may declare ------------------------------------------------------------------------------


NAME = re.compile(r"[^\W_][\w-]*")  # of a county's folder, wherever it stands
THRESHOLDS: Mapping[str, Any] = {
    "speeder": 0.3, "clone_differs": 2, "clone_block": 3, "longstring": "all", "weight_bounds": [0.1, 10.0],
    "fewest_residents": 20, "fewest_staff": 5, "fewest_cases": 10,
}  # fmt: skip
SCHEME: Mapping[str, Any] = {
    "town": {"office": 7, "psu": 5}, "street": {"office": 7, "psu": 5}, "pilot": {"bureau": 3, "office": 5, "psu": 6},
    "plaque": "文明实践", "culture": "文体", "bureaus": ["政务服务局", "综合执法局"],
}  # fmt: skip


class Survey(NamedTuple):
    """One survey export: a form in a wave, in a text file (and its number twin), or one SPSS file; `weight` is a column of it."""

    form: str
    wave: str
    reader: str
    text: str = ""
    number: str = ""
    file: str = ""
    weight: str = ""


@dataclass(frozen=True)
class Ledger:
    """One ledger file, for a period where the ledger has one.

    `columns` maps a column of the contract to a header, `values` the words of a column to the contract's codes.
    """

    table: str
    file: str
    period: str = ""
    sheet: str | None = None
    header_row: int = 1
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Span(NamedTuple):
    """The days of a wave or period; `as_of` is the day on which the data of a period were taken."""

    first: dt.date
    last: dt.date
    as_of: dt.date


@dataclass(frozen=True, repr=False)
class County:
    """A county as its folder declares it.

    `scheme`: the structure that the reform prescribes (units by class for each type of town). `printed`: the numbers that the
    report prints, by claim: one number, or several by name such as `percent`, `towns`, `total`. `campaign`: the towns
    that told people of the reform, and since when. `own`: the claims and indicators that it adds in its `claims.toml`.
    """

    folder: Path
    id: str
    name: Text
    lang: str
    is_synthetic: bool
    sampling: str
    calendar: str
    calendar_file: Path | None
    prefixes: tuple[str, ...]
    waves: Mapping[str, Span]
    periods: Mapping[str, Span]
    clock: Rule
    exclude: tuple[str, ...]
    thresholds: Mapping[str, Any]
    claim_thresholds: Mapping[str, float]
    scheme: Mapping[str, Any]
    printed: Mapping[str, Any]
    report: Path | None
    campaign: Mapping[str, Any]
    own: Declaration
    surveys: tuple[Survey, ...]
    ledgers: tuple[Ledger, ...]

    def path(self, file: str) -> Path:
        return self.folder / file


def homes() -> list[Path]:
    """Where counties may lie: `survey_data/` here and in every folder above; `HUYING_HOME` names another place to begin."""
    here = Path(os.environ.get("HUYING_HOME", ".")).resolve()
    return [folder / "survey_data" for folder in (here, *here.parents)]


def county_folder(name: str | Path) -> Path:
    """The folder of a county: `name` itself, or under `survey_data/` here and in every folder above; raises CountyError."""
    for folder in (Path(name), *(home / name for home in homes())):
        if (folder / "county.toml").is_file():
            return folder
    raise CountyError("folder.not_found", name=str(name))


def every_county() -> list[Path]:
    """The folders of all counties in the nearest `survey_data/`, here or above; raises CountyError where there is none."""
    for home in homes():
        if found := sorted(file.parent for file in home.glob("[!.]*/county.toml")):
            return found
    raise CountyError("folder.not_found", name="survey_data")


def output_folder(county: County, kind: str) -> Path:
    """Where a county's `results` or `figures` go: beside `survey_data/`, or in the county's own folder where it lies elsewhere.

    `HUYING_RESULTS` names another folder for the results; the figures are then in `figures` there.
    """
    if named := os.environ.get("HUYING_RESULTS"):
        return Path(named) / county.id if kind == "results" else Path(named) / "figures" / county.id
    inside = county.folder.parent.name == "survey_data"
    return (county.folder.resolve().parents[1] if inside else county.folder) / kind / county.id


def read_county(folder: Path) -> County:
    """The county declared by `folder/county.toml`; raises CountyError with the line and the key at fault."""
    declared = read_toml(folder / "county.toml").check("county")
    check_references(declared)
    raw = declared.raw
    made: dict[str, Any] = {"lang": "zh", "calendar": "china", **raw["county"]}
    made["name"] = Text(made.pop("name_zh"), made.pop("name_en"))
    made["prefixes"] = tuple(made.get("prefixes", (made["name"].zh,)))
    made["calendar_file"] = folder / made["calendar_file"] if "calendar_file" in made else None
    made["report"] = folder / raw["report"]["file"] if "report" in raw else None
    for kind in ("wave", "period"):
        spans = raw.get(kind, {}).items()
        made[f"{kind}s"] = {name: Span(s["from"], s["to"], s.get("as_of", s["to"])) for name, s in spans}
    for key, usual in (("thresholds", THRESHOLDS), ("scheme", SCHEME), ("printed", {}), ("campaign", {})):
        made[key] = {**usual, **raw.get(key, {})}
    made["claim_thresholds"] = {claim: float(threshold) for claim, threshold in raw.get("claim_thresholds", {}).items()}
    made["exclude"] = tuple(raw.get("exclude", {}).get("flags", ()))
    made["surveys"] = tuple(Survey(**entry) for entry in raw.get("survey", ()))
    made["ledgers"] = tuple(Ledger(**entry) for entry in raw.get("ledger", ()))
    return County(folder=folder, clock=Rule(**raw.get("clock", {})), own=read_toml(folder / "claims.toml"), **made)


def check_references(declared: Declaration) -> None:
    """Raise CountyError for days out of order, a wave or period that is not declared, a survey without its file, bounds that bind all."""
    for kind, section in (("wave", "survey"), ("period", "ledger")):
        spans, seen = declared.raw.get(kind, {}), list[Any]()
        for name in (n for n, span in spans.items() if not span["from"] <= span["to"] <= span.get("as_of", span["to"])):
            raise declared.fail("folder.bad_span", name, kind=kind, name=name)
        for nth, entry in enumerate(declared.raw.get(section, ())):
            name, within = entry.get(kind, ""), ((section, nth),)
            if name not in spans and (name or kind == "wave"):
                raise declared.fail("folder.no_span", kind, name, within, kind=kind, name=name)
            one = [entry.get(key) for key in ("table", "form", kind, "text", "file", "sheet")]
            if one in seen:
                raise declared.fail("folder.twice", section, None, within, section=section, file=one[3] or one[4])
            seen.append(one)
            if section == "survey" and (needs := "text" if entry["reader"] == "wjx" else "file") not in entry:
                raise declared.fail("folder.no_key", section, None, within, section=section, key=needs)
    low, high = bounds = declared.raw.get("thresholds", {}).get("weight_bounds", THRESHOLDS["weight_bounds"])
    if not low < 1 < high:
        raise declared.fail("folder.bad_bounds", "weight_bounds", key="weight_bounds", got=bounds)


# --- the numbers that the report prints -------------------------------------------------------------------------------


def check_printed(county: County) -> None:
    """Raise CountyError, with the line of county.toml, for a printed count larger than its total and a per cent above 100.

    `data/printed.toml` has by claim `parts`, the pairs of printed numbers of which the first may not exceed the second, and
    the name of a `bare` one.
    """
    declared = read_toml(county.folder / "county.toml")
    for claim, known in tomllib.loads(files("huying").joinpath("data/printed.toml").read_text("utf-8")).items():
        told, within = county.printed.get(claim, {}), (("printed", 0), (f"printed.{claim}", 0))
        numbers = told if isinstance(told, Mapping) else {known.get("bare", ""): told}
        wrong = [("number", key, {"key": key, "value": value}) for key, value in numbers.items() if value < 0]
        if numbers.get("percent", 0) > 100:
            wrong.append(("percent", "percent", {"key": "percent", "value": numbers["percent"]}))
        sides = [
            {"part": p, "k": numbers.get(p, 0), "whole": w, "n": numbers.get(w, LARGEST)} for p, w in known["parts"]
        ]
        wrong += [("part", side["part"], side) for side in sides if side["k"] > side["n"]]
        for message, key, values in wrong[:1]:
            word = key if numbers is told else claim
            raise declared.fail(f"clean.printed_{message}", word, None, within, claim=claim, **values)
