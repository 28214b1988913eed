"""The county's folder: names, waves, periods, files, margins, thresholds; refuses an unknown key, a missing file, a wrong type."""

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huying.declarations import Declaration, read_toml
from huying.errors import CountyError
from huying.words import Text
from huying.workdays import Rule

NAME = re.compile(r"[^\W_][\w-]*")  # of a county's folder, wherever it stands
THRESHOLDS: Mapping[str, Any] = {
    "speeder": 0.3, "clone_differs": 2, "clone_block": 3, "longstring": "all", "weight_bounds": [0.1, 10.0],
    "fewest_residents": 20, "fewest_staff": 5, "fewest_cases": 10,
}  # fmt: skip
SCHEME: Mapping[str, Any] = {
    "town": {"office": 7, "psu": 5}, "street": {"office": 7, "psu": 5}, "pilot": {"bureau": 3, "office": 5, "psu": 6},
    "plaque": "文明实践", "culture": "文体", "bureaus": ["政务服务局", "综合执法局"],
}  # fmt: skip


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


@dataclass(frozen=True)
class Span:
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
    file = folder / "county.toml"
    declared = read_toml(file).check("county")
    check_references(declared)
    return _build(folder, declared.raw)


def check_references(declared: Declaration) -> None:
    """Raise CountyError for days out of order, a wave or period that is not declared, a survey without its file, bounds that bind all."""
    for kind, section in (("wave", "survey"), ("period", "ledger")):
        spans = declared.raw.get(kind, {})
        for name, span in spans.items():
            if not span["from"] <= span["to"] <= span.get("as_of", span["to"]):
                raise declared.fail("folder.bad_span", name, kind=kind, name=name)
        for nth, entry in enumerate(declared.raw.get(section, ())):
            name, within = entry.get(kind, ""), ((section, nth),)
            if name not in spans and (name or kind == "wave"):
                raise declared.fail("folder.no_span", kind, name, within, kind=kind, name=name)
            if section == "survey" and (needs := "text" if entry["reader"] == "wjx" else "file") not in entry:
                raise declared.fail("folder.no_key", section, None, within, section=section, key=needs)
    low, high = bounds = declared.raw.get("thresholds", {}).get("weight_bounds", THRESHOLDS["weight_bounds"])
    if not low < 1 < high:
        raise declared.fail("folder.bad_bounds", "weight_bounds", key="weight_bounds", got=bounds)


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
    return County(folder=folder, clock=Rule(**raw.get("clock", {})), own=read_toml(folder / "claims.toml"), **made)
