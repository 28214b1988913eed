"""One place of a county: its evidence, registers and stored tables; reads no more than the place's block, and computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from huying.blocks import Block, open_block
from huying.claims import Claim, claims_of
from huying.estimates import COUNTY
from huying.folder import County, output_folder
from huying.reads import note
from huying.words import say


class NotedClaims(dict[str, Claim]):
    """The claims with the county's bars; each one that is looked at is noted."""

    def __getitem__(self, key: str) -> Claim:
        note(f"claim:{key}")
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        note("claims")
        return super().__iter__()

    def items(self) -> Any:
        for key in self:
            note(f"claim:{key}")
        return super().items()


@dataclass(frozen=True)
class Slice:
    """One place of one county, in one wave and one language."""

    declared: County
    town: str
    wave: str
    lang: str
    folder: Path

    @property
    def county(self) -> County:
        """The county as its folder declares it."""
        note("county")
        return self.declared

    @cached_property
    def block(self) -> Block:
        """What is stored of this place and its neighbours."""
        return open_block(self.folder / "data" / "blocks", self.town)

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """The claims with the county's bars."""
        return NotedClaims(claims_of(self.declared))

    @property
    def towns(self) -> pd.DataFrame:
        """The register of the towns that are shown with this place, index town_id."""
        return self.block.rows("ledger:towns").set_index("town_id")

    def part_shown(self) -> str:
        """Which towns are shown, where the county has more than fit into a figure; empty where all are."""
        n, shown = int(self.block.rows("size")["n_towns"].iloc[0]), len(self.towns)
        key = "shown_spread" if self.town == COUNTY else "shown_neighbours"
        return self.say(key, shown=shown, n=n) if shown < n else ""

    @property
    def evidence(self) -> pd.DataFrame:
        """The evidence ledger of the places that are shown with this one."""
        return pd.concat([self.block.rows(f"evidence:{claim}") for claim in self.claims], ignore_index=True)

    def say(self, key: str, **values: Any) -> str:
        """A text of the notebooks in the reading's language."""
        return say(f"notebooks.{key}", self.lang, **values)

    def table(self, name: str) -> pd.DataFrame:
        """A stored table of the county step, such as `flags` or `units`, for the towns that are shown with this place."""
        return self.block.rows(f"table:{name}")

    def own_table(self, name: str) -> pd.DataFrame:
        """The rows of a stored table that are this town's; for the county, all."""
        return self.block.rows(f"table:{name}", None if self.town == COUNTY else self.town)

    def ledger_names(self, table: str, key: str, column: str) -> dict[str, str]:
        """From the ids of a small ledger to what its `column` says, the first row of each id; empty where there is none."""
        rows = self.block.rows(f"ledger:{table}")
        return {} if rows.empty else dict(rows.drop_duplicates(key).set_index(key)[column])

    def place_name(self, place: str) -> str:
        """The name of a town, of a department, or of the county."""
        if place == COUNTY:
            return self.county.name(self.lang)
        own = self.block.rows("ledger:towns", place)
        if len(own):
            return str(own[f"name_{self.lang}"].iloc[0])
        return str(self.ledger_names("departments", "dept_id", f"name_{self.lang}").get(place, place))

    def rows(self, claim: str, sub: str = "", place: str | None = None) -> pd.DataFrame:
        """The evidence rows of a claim and sub, in this reading's wave or in the ledgers' latest period.

        At every place that is shown with this one, or at `place` alone.
        """
        own = self.block.rows(f"evidence:{claim}", place)
        if own.empty:
            return own
        wave, period = (own[name].to_numpy(dtype=object) for name in ("wave", "period"))
        is_now = ((wave == self.wave) | (wave == "")) & ((period == "") | (period == self.period_of(claim, sub)))
        return own.take(np.flatnonzero(is_now & (own["sub"].to_numpy(dtype=object) == sub)))

    def period_of(self, claim: str, sub: str = "") -> str:
        """The period in which a claim is read: the one called like the wave, else the latest."""
        periods = self.periods.get((claim, sub), [])
        return self.wave if self.wave in periods else max(periods, default="")

    @cached_property
    def periods(self) -> dict[tuple[str, str], list[str]]:
        """The periods in which each claim and part is judged."""
        found: dict[tuple[str, str], list[str]] = {}
        for row in self.block.rows("periods").itertuples():
            found.setdefault((row.claim, row.sub), []).append(row.period)
        return found

    def row(self, claim: str, sub: str = "", place: str = "") -> dict[str, Any] | None:
        """The evidence row of a claim at this place (or `place`), None where there is none."""
        own = self.rows(claim, sub, place or self.town)
        return dict(own.iloc[0]) if len(own) else None

    def places(self, claim: str) -> list[str]:
        """This place and the county where the claim stands for them, else every place for which it stands (the pilot)."""
        found = [place for place in dict.fromkeys((self.town, COUNTY)) if self.row(claim, place=place)]
        return found or list(self.rows(claim).get("place", ())) or [self.town]

    def of_notebook(self, notebook: str) -> list[str]:
        """The claims that belong to a notebook, in the order of the report."""
        return [key for key in self.claims if self.claims[key].notebook == notebook]

    def curve(self, claim: str) -> pd.DataFrame:
        """The specifications of a claim at this place, else in the county, in this wave or the ledgers' latest period."""
        for place in (self.town, COUNTY):
            own = self.block.rows("table:specifications", place)
            if len(own):
                own = own[(own["claim"] == claim) & own["wave"].isin([self.wave, ""])]
                own = own[(own["wave"] != "") | (own["period"] == own["period"].max())]
            if len(own):
                return own
        return own

    @property
    def figures(self) -> Path:
        """Where this county's charts go."""
        return output_folder(self.declared, "figures")
