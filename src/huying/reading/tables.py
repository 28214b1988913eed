"""The tables that a notebook shows of a place: rules, parts, files, flags, weights; refuses a code where there is a word."""

from __future__ import annotations

from typing import Any

import pandas as pd

from huying.claims import notes_word, show_value
from huying.clean.flags import RULES
from huying.estimates import COUNT, COUNTY
from huying.ledgers import UNIT_CLASSES
from huying.parts import part_word
from huying.reading.slice import Slice
from huying.words import say


class Tables(Slice):
    """The place's stored numbers as tables in its language."""

    def endings(self, *forms: str) -> pd.DataFrame:
        """How the forms of this place and wave ended."""
        table = self.own_table("endings")
        if table.empty:
            return table
        table = table[(table["wave"] == self.wave) & table["form"].isin(forms)]
        wide = table.pivot_table(index="form", columns="ending", values="n", aggfunc="sum", fill_value=0)
        return wide.rename(
            index=lambda f: self.say(f"data_{f}"), columns=lambda e: self.say(f"ending_{e}")
        ).rename_axis(index=None, columns=None)

    def rules(self, *claims: str) -> pd.DataFrame:
        """The rules of these claims: sentence, base, estimand, quantifier and bar, the date they were frozen."""
        dates = self.block.rows("frozen").set_index("claim")["rule_frozen_on"]
        rows = [{self.say("col_claim"): key, self.say("col_text"): (c := self.claims[key]).text(self.lang), self.say("col_base"): c.base(self.lang),
                 self.say("col_rule"): " / ".join(dict.fromkeys(f"{q} {b:g}" for q, b in (c.rule_at(COUNTY), c.rule_at("town")))),
                 self.say("col_estimand"): c.estimand(self.lang), self.say("col_frozen"): dates.get(key, "")} for key in claims]  # fmt: skip
        return pd.DataFrame(rows).set_index(self.say("col_claim"))

    def ledger(self, claim: str) -> pd.DataFrame:
        """The claim's evidence rows at this place and the county, the columns a reader needs."""
        own = self.at_places(claim, self.town, COUNTY)
        wanted = [
            "place",
            "period",
            "wave",
            "sub",
            "estimate",
            "low",
            "high",
            "n",
            "n_eff",
            "df",
            "deff",
            "reliability",
            "verdict",
            "verdict_family",
        ]
        own = own[own["wave"].isin([self.wave, ""])].sort_values("verdict", key=lambda v: v == "", kind="stable")
        return own[wanted].reset_index(drop=True).round(4)

    def at_places(self, claim: str, *places: str) -> pd.DataFrame:
        """The evidence rows of a claim at these places, in the order in which they are stored."""
        return pd.concat([self.block.rows(f"evidence:{claim}", place) for place in dict.fromkeys(places)]).sort_index()

    def files(self) -> pd.DataFrame:
        """Every file: encoding, rows read = kept + rejected, cells set aside, flags, personal values dropped or masked."""
        columns = {
            c: self.say(f"col_{c}")
            for c in (
                "file",
                "encoding",
                "n_read",
                "n_kept",
                "n_rejected",
                "n_cells_set_aside",
                "n_flags",
                "n_personal",
            )
        }
        return self.block.rows("files")[list(columns)].rename(columns=columns)

    def rejected_reasons(self) -> pd.DataFrame:
        """Rows and cells set aside, by reason."""
        table = self.block.rows("rejected")
        wide = table.pivot_table(index="reason", columns="level", values="n", aggfunc="sum", fill_value=0)
        return wide.rename(
            index=lambda r: say(f"clean.reason_{r}", self.lang), columns=lambda c: self.say(f"level_{c}")
        ).rename_axis(index=None, columns=None)

    def flag_rules(self) -> pd.DataFrame:
        """Every flag with its rule, and whether the analysis leaves its rows out."""
        rows = [
            (name, say(f"clean.rule_{name}", self.lang), "✓" if name in self.county.exclude else "") for name in RULES
        ]
        return pd.DataFrame(
            rows, columns=[self.say("col_flag"), self.say("col_rule"), self.say("col_excluded")]
        ).set_index(self.say("col_flag"))

    def flag_counts(self) -> pd.DataFrame:
        """How many rows carry each flag, by form and wave, at this place."""
        table = self.own_table("flags")
        if table.empty:
            return table
        wide = table.pivot_table(index="flag", columns=["form", "wave"], values="size", aggfunc="sum", fill_value=0)
        wide.columns = [f"{self.say('data_' + form)} {wave}" for form, wave in wide.columns]
        return wide.rename_axis(index=None)

    def weight_table(self) -> pd.DataFrame:
        """Kish's factor, the range of factors and the margins met, by town."""
        table = self.own_table("weights")
        if table.empty:
            return table
        table = table[(table["form"] == "resident") & (table["wave"] == self.wave)]
        columns = [
            c
            for c in ("place", "n", "kish", "sweeps", "factor_min", "factor_max", "worst_margin", "merged")
            if c in table
        ]
        return (
            table[columns]
            .assign(place=[self.place_name(p) for p in table["place"]])
            .round(3)
            .rename(columns=lambda c: self.say(f"col_{c}"))
            .reset_index(drop=True)
        )

    def parts(self, *claims: str, only: str | tuple[str, ...] = "", county: bool = False) -> pd.DataFrame:
        """The parts of these claims at this place and in the county (`county`: there alone), with value, interval and n.

        `only` keeps the parts whose keys begin with it, or with one of several.
        """
        places, rows = dict.fromkeys([COUNTY] if county else [self.town, COUNTY]), []
        for claim in claims:
            own = self.at_places(claim, *places)
            own = own[(own["sub"] != "") & own["sub"].str.startswith(only)]
            last = own["period"][own["period"] != ""].max()
            own = own[
                own["wave"].isin([self.wave, ""])
                & own["period"].isin([self.wave if self.wave in set(own["period"]) else last, ""])
            ]
            rows += [self.part_row(claim, row) for row in own.to_dict("records")]
        columns = ("claim", "part", "place", "value", "interval", "n", "notes")
        return pd.DataFrame(rows, columns=[self.say(f"col_{c}") for c in columns]).set_index(self.say("col_claim"))

    def part_row(self, claim: str, row: dict[str, Any]) -> list[str]:
        """One line of `parts`."""
        value, low, high = (
            show_value(self.claims[claim], row[name], self.lang, sub=row["sub"]) for name in ("estimate", "low", "high")
        )
        interval = "" if low == high else self.say("bounds" if row["method"] == COUNT else "range", low=low, high=high)
        name, n = part_word(claim, row["sub"], self.lang), f"{row['n']:.0f}"
        return [claim, name, self.place_name(row["place"]), value, interval, n, notes_word(row, self.lang)]

    def added_units(self) -> pd.DataFrame:
        """The units that a pilot has and most other towns do not."""
        table = self.table("pilot_units")
        if table.empty:
            return table
        added = table[table["is_added"].astype(bool)]
        names = {"town_id": "place", "name": "unit", "class": "class", "domain": "domain"}
        towns = [self.place_name(town) for town in added["town_id"]]
        kinds = [UNIT_CLASSES.options[kind](self.lang) for kind in added["class"]]
        shown = added.assign(town_id=towns, **{"class": kinds})[list(names)]
        return shown.rename(columns=lambda c: self.say(f"col_{names[c]}")).reset_index(drop=True)
