"""The county's folder: names, waves, periods, files, margins, thresholds; refuses an unknown key, a missing file, a wrong type."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huying.errors import CountyError, Place
from huying.words import LANGUAGES, Text
from huying.workdays import Rule

NAME = re.compile(r"[^\W_][\w-]*")  # of a county's folder, wherever it stands
FORMS = ("resident", "staff", "leader", "department")
THRESHOLDS: Mapping[str, Any] = {
    "speeder": 0.3, "clone_differs": 2, "clone_block": 3, "longstring": "all", "weight_bounds": [0.1, 10.0],
    "fewest_residents": 20, "fewest_staff": 5, "fewest_cases": 10,
}  # fmt: skip
SCHEME: Mapping[str, Any] = {
    "town": {"office": 7, "psu": 5}, "street": {"office": 7, "psu": 5}, "pilot": {"bureau": 3, "office": 5, "psu": 6},
    "plaque": "文明实践", "culture": "文体", "bureaus": ["政务服务局", "综合执法局"],
}  # fmt: skip
SCHEMA: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "county": {"id": (str,), "name_zh": (str,), "name_en": (str,), "lang": (str,), "is_synthetic": (bool,),
               "sampling": (str,), "calendar": (str,), "calendar_file": (str,), "prefixes": (list,)},
    "wave": {"from": (dt.date,), "to": (dt.date,)},
    "period": {"from": (dt.date,), "to": (dt.date,), "as_of": (dt.date,)},
    "clock": {"count_from": (str,), "cutoff": (str,), "day_ends": (str,)},
    "exclude": {"flags": (list,)},
    "scheme": {key: (type(value),) for key, value in SCHEME.items()},
    "report": {"file": (str,)},
    "campaign": {"towns": (list,), "on": (dt.date,)},
    "thresholds": {key: (int, float) if isinstance(value, int | float) else (list,) if isinstance(value, list) else (str, int)
                   for key, value in THRESHOLDS.items()},
    "survey": {"form": (str,), "wave": (str,), "reader": (str,), "text": (str,), "number": (str,), "file": (str,), "weight": (str,)},
    "ledger": {"table": (str,), "file": (str,), "period": (str,), "sheet": (str,), "header_row": (int,), "columns": (dict,)},
}  # fmt: skip
REQUIRED = {"county": ("id", "name_zh", "name_en", "sampling", "is_synthetic"), "wave": ("from", "to"),
            "period": ("from", "to", "as_of"), "survey": ("form", "wave", "reader"), "ledger": ("table", "file"),
            "report": ("file",), "campaign": ("towns",)}  # fmt: skip
CHOICES = {"lang": LANGUAGES, "sampling": ("probability", "quota", "convenience"), "form": FORMS, "calendar": ("china", "weekdays"),
           "reader": ("wjx", "spss"), "count_from": ("next", "same"), "cutoff": ("17:30", "24:00"), "day_ends": ("24:00", "17:30")}  # fmt: skip
HOUR = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")  # any is a cut-off
FILES = ("text", "number", "file", "calendar_file")

RENAMED = {"bars": "claim_thresholds", "bar": "threshold", "town_bar": "town_threshold"}  # keys of older files


@dataclass(frozen=True)
class Survey:
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
    """One ledger file, for a period where the ledger has one. `columns` maps a column of the contract to a header."""

    table: str
    file: str
    period: str = ""
    sheet: str | None = None
    header_row: int = 1
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """The days of a wave or period; `as_of` is the day on which the data of a period were taken."""

    first: dt.date
    last: dt.date
    as_of: dt.date


@dataclass(frozen=True)
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
    own: Mapping[str, Any]
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
    file = folder / "county.toml"
    source, raw = read_toml(file)
    Checker(str(file), source).check(raw)
    return _build(folder, raw)


def read_toml(file: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and what it declares, nothing where there is no file; raises CountyError for what is no TOML."""
    try:
        source = file.read_text("utf-8-sig") if file.is_file() else ""
        return source, tomllib.loads(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CountyError("folder.not_toml", Place(str(file)), why=str(error)) from error


def read_own(file: Path) -> Mapping[str, Any]:
    """A county's `claims.toml`, empty where it has none; raises CountyError for what is no list of tables."""
    raw = read_toml(file)[1]
    for key, value in raw.items():
        if key not in ("claim", "indicator") or not isinstance(value, list):
            wanted = {"known": "[[claim]], [[indicator]]", "close": "claim"}
            raise CountyError("folder.unknown_key", Place(str(file)), key=key, **wanted)
    return raw


def _build(folder: Path, raw: Mapping[str, Any]) -> County:
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
    return County(folder=folder, clock=Rule(**raw.get("clock", {})), own=read_own(folder / "claims.toml"), **made)


@dataclass(frozen=True)
class Checker:
    """Compares a county's declaration with SCHEMA and says what would be right."""

    file: str
    source: str

    def fail(self, key: str, word: str, value: Any = None, /, **values: Any) -> CountyError:
        """An error at the line of the declaration that holds `word`, best the one that sets it to `value`."""
        code = [line.split("#")[0] for line in self.source.splitlines()]
        lines = [n for n, line in enumerate(code, 1) if re.search(rf"(^|[\s\[.\"']){re.escape(word)}\b", line)]
        exact = [n for n in lines if str(value).casefold() in code[n - 1].partition("=")[2].casefold()]
        return CountyError(key, Place(self.file, row=next(iter(exact or lines), None)), **values)

    def check(self, raw: Mapping[str, Any]) -> None:
        known = {*SCHEMA, "claim_thresholds", "printed"}
        for section, body in raw.items():
            if section not in known:
                raise self.unknown(section, known)
            wanted = list if section in ("survey", "ledger") else dict
            if not isinstance(body, wanted):
                raise self.fail("folder.wrong_type", section, key=section, wanted=wanted.__name__, got=repr(body))
            several = body if wanted is list else dict(body).values() if section in ("wave", "period") else [body]
            for entry in several:
                self.check_entry(section, entry)
        if "county" not in raw:
            raise self.fail("folder.no_section", "county", key="[county]")
        if not NAME.fullmatch(name := raw["county"]["id"]):  # it names folders
            raise self.fail("folder.bad_id", "id", name, got=name)
        for kind, section in (("wave", "survey"), ("period", "ledger")):
            spans = raw.get(kind, {})
            for name, span in spans.items():
                if not span["from"] <= span["to"] <= span.get("as_of", span["to"]):
                    raise self.fail("folder.bad_span", name, kind=kind, name=name)
            for name in (entry.get(kind, "") for entry in raw.get(section, ())):
                if name not in spans and (name or kind == "wave"):
                    raise self.fail("folder.no_span", name, kind=kind, name=name)

    def check_entry(self, section: str, entry: Any) -> None:
        if not isinstance(entry, dict):
            raise self.fail("folder.wrong_type", section, key=section, wanted=f"[{section}.…]", got=repr(entry))
        free = {"claim_thresholds": (int, float), "printed": (int, float, dict)}
        schema: Mapping[str, Any] = dict.fromkeys(entry, free[section]) if section in free else SCHEMA[section]
        for key, value in entry.items():
            if key not in schema:
                raise self.unknown(key, set(schema), value)
            if not isinstance(value, schema[key]) or (isinstance(value, bool) and bool not in schema[key]):
                names = " / ".join(kind.__name__ for kind in schema[key])
                raise self.fail("folder.wrong_type", key, value, key=key, wanted=names, got=repr(value))
            if key.startswith("fewest_") and not (isinstance(value, int) and value > 0):
                raise self.fail("folder.wrong_value", key, value, key=key, wanted="1, 2, 3, …", got=value)
            if value not in CHOICES.get(key, [value]) and not (key == "cutoff" and HOUR.fullmatch(value)):
                raise self.fail("folder.wrong_value", key, value, key=key, wanted=", ".join(CHOICES[key]), got=value)
            if key in FILES and (Path(value).is_absolute() or os.path.normpath(value).startswith("..")):
                raise self.fail("folder.outside", value, key=key, file=value)
            if key in FILES and value and not (Path(self.file).parent / value).is_file():
                raise self.fail("folder.no_file", value, key=key, file=value)
        holds = (("text",) if entry.get("reader") == "wjx" else ("file",)) if section == "survey" else ()
        for key in (*REQUIRED.get(section, ()), *holds):
            if key not in entry:
                raise self.fail("folder.no_key", section, section=section, key=key)

    def unknown(self, key: str, known: set[str], value: Any = None) -> CountyError:
        close = RENAMED.get(key) or ", ".join(difflib.get_close_matches(key, known, n=1)) or "-"
        return self.fail("folder.unknown_key", key, value, key=key, known=", ".join(sorted(known)), close=close)
