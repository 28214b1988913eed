"""One place of a county: its evidence, registers and stored tables; computes nothing that is not stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from huying.claims import Claim, claims_of
from huying.estimates import COUNTY
from huying.folder import County
from huying.store import read_parquet
from huying.words import say


@dataclass(frozen=True)
class Slice:
    """One place of one county, in one wave and one language."""

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
        return (
            own[own["period"] == own["period"].max()]
            if self.wave not in set(own["period"])
            else own[own["period"] == self.wave]
        )

    def row(self, claim: str, sub: str = "", place: str = "") -> dict[str, Any] | None:
        """The evidence row of a claim at this place (or `place`), None where there is none."""
        own = self.rows(claim, sub)
        own = own[own["place"] == (place or self.town)]
        return dict(own.iloc[0]) if len(own) else None

    def places(self, claim: str) -> list[str]:
        """This place and the county where the claim stands for them, else every place for which it stands (the pilot)."""
        own = list(self.rows(claim)["place"])
        return [place for place in dict.fromkeys((self.town, COUNTY)) if place in own] or own or [self.town]

    def of_notebook(self, notebook: str) -> list[str]:
        """The claims that belong to a notebook, in the order of the report."""
        return [key for key, claim in self.claims.items() if claim.notebook == notebook]

    def curve(self, claim: str) -> pd.DataFrame:
        """The specifications of a claim at this place, else in the county, in this wave or the ledgers' latest period."""
        table = self.table("specifications")
        if table.empty:
            return table
        own = table[(table["claim"] == claim) & table["wave"].isin([self.wave, ""])]
        own = own[(own["wave"] != "") | (own["period"] == own["period"].max())]
        here = own[own["place"] == self.town]
        return here if len(here) else own[own["place"] == COUNTY]

    @property
    def figures(self) -> Path:
        """Where this county's charts go."""
        inside = self.county.folder.parent.name == "survey_data"
        return (self.county.folder.resolve().parents[1] if inside else self.county.folder) / "figures" / self.county.id

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Rows read, kept and rejected by file."""
        frame = pd.read_parquet(self.folder / "data" / "counts.parquet")
        return frame.assign(**{c: frame[c].astype(int) for c in frame if c.startswith("n_")})
