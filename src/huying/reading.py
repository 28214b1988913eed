"""What a notebook reads of a county: its evidence, sentences, tables and charts; computes nothing that is not stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from huying import words
from huying.batch.county_step import prepare
from huying.claims import EVIDENCE, Claim, claims_of, sentence, show_value, verdict_word
from huying.county import County, find_county
from huying.errors import CountyError
from huying.estimates import COUNTY
from huying.store import read_parquet
from huying.words import say


@dataclass(frozen=True)
class Reading:
    """One place of one county, in one wave and one language: what a notebook is about."""

    county: County
    town: str
    wave: str
    lang: str
    folder: Path

    @cached_property
    def towns(self) -> pd.DataFrame:
        """The register of towns, index town_id."""
        return read_parquet(self.folder / "data" / "ledgers" / "towns@.parquet").set_index("town_id")

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The county's evidence ledger."""
        return read_parquet(self.folder / "evidence.parquet")

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """The claims with the county's bars."""
        return claims_of(self.county)

    def say(self, key: str, **values: Any) -> str:
        """A text of the notebooks in the reading's language."""
        return say(f"notebooks.{key}", self.lang, **values)

    def table(self, name: str) -> pd.DataFrame:
        """A stored table of the county step, such as `flags` or `units`."""
        path = self.folder / "data" / "tables" / f"{name}.parquet"
        return read_parquet(path) if path.is_file() else pd.DataFrame()

    def place_name(self, place: str) -> str:
        """The name of a town, of a department, or of the county."""
        if place == COUNTY:
            return self.county.name(self.lang)
        if place in self.towns.index:
            return str(self.towns.loc[place, f"name_{self.lang}"])
        departments = self.departments
        return str(departments.get(place, place))

    @cached_property
    def departments(self) -> dict[str, str]:
        """The names of the departments by id."""
        path = self.folder / "data" / "ledgers" / "departments@.parquet"
        if not path.is_file():
            return {}
        frame = read_parquet(path)
        return dict(zip(frame["dept_id"], frame[f"name_{self.lang}"], strict=True))

    def rows(self, claim: str, sub: str = "") -> pd.DataFrame:
        """The evidence rows of a claim and sub at every place, in this reading's wave or in the ledgers' latest period."""
        own = self.evidence[(self.evidence["claim"] == claim) & (self.evidence["sub"] == sub)]
        if (own["wave"] != "").any():
            return own[own["wave"].isin([self.wave, ""])]
        return own[own["period"] == own["period"].max()] if self.wave not in set(own["period"]) else own[own["period"] == self.wave]

    def row(self, claim: str, sub: str = "", place: str = "") -> dict[str, Any] | None:
        """The evidence row of a claim at this place (or `place`), None where there is none."""
        own = self.rows(claim, sub)
        own = own[own["place"] == (place or self.town)]
        return dict(own.iloc[0]) if len(own) else None

    def verdict(self, claim: str, place: str = "") -> str:
        """One sentence: the verdict of a claim at this place with its value, interval and n."""
        row = self.row(claim, place=place)
        if row is None:
            return self.say("no_row", claim=claim, place=self.place_name(place or self.town))
        return sentence(row, self.claims[claim], self.lang, self.place_name(row["place"]))

    def detail(self, claim: str, sub: str, text: str, place: str = "") -> str:
        """One sentence on a part of a claim: `text`, its value, interval and n."""
        row = self.row(claim, sub, place)
        if row is None:
            return self.say("no_row", claim=claim, place=text)
        return sentence(row, self.claims[claim], self.lang, self.place_name(row["place"]), text)

    def title(self, claim: str) -> str:
        """The finding as a chart's title: the claim, its verdict and value here."""
        row = self.row(claim)
        declared = self.claims[claim]
        if row is None:
            return declared.text(self.lang)
        value = "" if pd.isna(row["estimate"]) else f" ({show_value(declared, row['estimate'])})"
        return f"{self.place_name(row['place'])} · {declared.text(self.lang)}: {verdict_word(row['verdict'], self.lang)}{value}"

    def save(self, figure: Figure, name: str) -> Figure:
        """`figure`, also written to `figures/<county>/<name>_<place>_<lang>.png`."""
        from huying.charts.frame import save

        save(figure, self.figures / f"{name}_{self.town}_{self.lang}.png")
        return figure

    @property
    def figures(self) -> Path:
        """Where this county's charts go."""
        inside = self.county.folder.parent.name == "survey_data"
        return (self.county.folder.resolve().parents[1] if inside else self.county.folder) / "figures" / self.county.id

    def show_ledger(self, claim: str) -> pd.DataFrame:
        """The claim's evidence rows at this place and the county, the columns a reader needs."""
        own = self.evidence[(self.evidence["claim"] == claim) & self.evidence["place"].isin([self.town, COUNTY])]
        wanted = [c for c in EVIDENCE if c in ("place", "period", "wave", "sub", "estimate", "low", "high", "n", "n_eff", "df", "deff",
                                               "reliability", "verdict", "verdict_family")]  # fmt: skip
        return own[wanted].reset_index(drop=True).round(4)


def open_place(county: str = "demo", town: str = COUNTY, wave: str = "2023", lang: str = "zh") -> Reading:
    """The reading of one place; runs the county-wide step first when its results are missing or out of date.

    Raises CountyError for a town, wave or language that the county does not have.
    """
    words.use_language(lang)
    found = find_county(county)
    reading = Reading(found, town, wave, lang, prepare(found))
    if town != COUNTY and town not in reading.towns.index:
        raise CountyError("notebooks.no_town", town=town, known=", ".join(reading.towns.index))
    if found.waves and wave not in found.waves:
        raise CountyError("notebooks.no_wave", wave=wave, known=", ".join(found.waves))
    set_display()
    return reading


def set_display() -> None:
    """Display options that are the same with and without a kernel, so that outputs compare across engines."""
    pd.set_option("display.max_columns", 30, "display.max_rows", 60, "display.width", 160, "display.float_format", "{:.4g}".format)
    mpl.rcParams["figure.max_open_warning"] = 0
