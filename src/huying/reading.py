"""What a notebook reads of a county: its evidence, sentences, tables and charts; computes nothing that is not stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

from huying import words
from huying.batch.county_step import prepare
from huying.claims import NOT_SUPPORTED, Claim, claims_of, notes_word, sentence, show_value, verdict_word
from huying.errors import CountyError
from huying.estimates import COUNT, COUNTY
from huying.folder import County, find_county
from huying.ledgers import TABLES, UNIT_CLASSES
from huying.parts import part_word
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

    def verdict(self, claim: str, place: str = "") -> str:
        """One sentence: the verdict of a claim at this place with its value, interval and n."""
        row = self.row(claim, place=place)
        if row is None:
            return self.say("no_row", claim=claim, place=self.place_name(place or self.town))
        return sentence(row, self.claims[claim], self.lang, self.place_name(row["place"]))

    def verdicts(self, *claims: str) -> str:
        """The verdicts of claims at this place and in the county (or wherever they are judged), a line each."""
        return "\n".join(self.verdict(claim, place) for claim in claims for place in self.places(claim))

    def places(self, claim: str) -> list[str]:
        """This place and the county where the claim stands for them, else every place for which it stands (the pilot)."""
        own = list(self.rows(claim)["place"])
        return [place for place in dict.fromkeys((self.town, COUNTY)) if place in own] or own or [self.town]

    def detail(self, claim: str, sub: str, text: str, place: str = "") -> str:
        """One sentence on a part of a claim: `text`, its value, interval and n."""
        row = self.row(claim, sub, place)
        if row is None:
            return self.say("no_row", claim=claim, place=text)
        return sentence(row, self.claims[claim], self.lang, self.place_name(row["place"]), text)

    def of_notebook(self, notebook: str) -> list[str]:
        """The claims that belong to a notebook, in the order of the report."""
        return [key for key, claim in self.claims.items() if claim.notebook == notebook]

    def parts(self, *claims: str, only: str | tuple[str, ...] = "", county: bool = False) -> pd.DataFrame:
        """The parts of these claims at this place and in the county (`county`: there alone), with value, interval and n.

        `only` keeps the parts whose keys begin with it, or with one of several.
        """
        places, rows = dict.fromkeys([COUNTY] if county else [self.town, COUNTY]), []
        for claim in claims:
            own = self.evidence[
                (self.evidence["claim"] == claim)
                & (self.evidence["sub"] != "")
                & self.evidence["place"].isin(list(places))
            ]
            own = own[own["sub"].str.startswith(only)]
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

    def broken(self, *claims: str) -> str:
        """The towns in which these claims do not hold, claim by claim."""
        lines = []
        for claim in claims:
            rows = self.rows(claim)
            wrong = rows[(rows["verdict"] == NOT_SUPPORTED) & (rows["place"] != COUNTY)]["place"]
            names = self.say("comma").join(self.place_name(place) for place in wrong) or self.say("none")
            lines.append(self.say("broken", claim=claim, names=names))
        return "\n".join(lines)

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

    def rank_note(self, claim: str) -> str:
        """Which ranks the joint intervals allow this town (for the county: how many on average), empty where no rank is known."""
        table = self.table(f"ranks_{claim}_{self.wave}")
        rows = self.rows(claim)
        if table.empty and len(rows):
            table = self.table("_".join(filter(None, (f"ranks_{claim}", rows["wave"].iloc[0], rows["period"].iloc[0]))))
        known = table[table["rank"].notna()] if len(table) else table
        if not len(known):
            return ""
        own = known[known["town_id"] == self.town]
        if len(own):
            low, high = (f"{own[name].iloc[0]:.0f}" for name in ("rank_low", "rank_high"))
            return self.say("rank_here", place=self.place_name(self.town), low=low, high=high, n=len(known))
        width = (known["rank_high"] - known["rank_low"] + 1).mean()
        return self.say("rank_county", width=f"{width:.1f}", n=len(known)) if self.town == COUNTY else ""

    def curve(self, claim: str) -> pd.DataFrame:
        """The specifications of a claim at this place, else in the county, in this wave or the ledgers' latest period."""
        table = self.table("specifications")
        if table.empty:
            return table
        own = table[(table["claim"] == claim) & table["wave"].isin([self.wave, ""])]
        own = own[(own["wave"] != "") | (own["period"] == own["period"].max())]
        here = own[own["place"] == self.town]
        return here if len(here) else own[own["place"] == COUNTY]

    def stands(self, *claims: str) -> str:
        """In how many specifications the headline verdict of each claim stands here, and which choice turns it most often."""
        lines = []
        for claim in claims:
            own = self.curve(claim)
            if not len(own):
                lines.append(self.say("no_row", claim=claim, place=self.place_name(self.town)))
                continue
            verdict = own.loc[own["is_headline"].astype(bool), "verdict"].iloc[0]
            same = (own["verdict"] == verdict).sum()
            lines.append(
                self.say("stands", claim=claim, verdict=verdict_word(verdict, self.lang), same=same, n=len(own))
            )
            turning = self.table("turning")
            turns = turning[
                (turning["claim"] == claim) & (turning["place"] == own["place"].iloc[0]) & (turning["n_changed"] > 0)
            ]
            if len(turns):
                choice = turns.sort_values("n_changed").iloc[-1]["choice"]
                lines.append(self.say("turns", choice=self.say(f"choice_{choice}")))
        return "\n".join(lines)

    def title(self, claim: str, place: str = "") -> str:
        """The finding as a chart's title: the claim, its verdict and value at this place (or `place`)."""
        row, declared = self.row(claim, place=place), self.claims[claim]
        if row is None:
            return declared.text(self.lang)
        is_share = declared.is_about_towns and row["place"] == COUNTY
        value = "" if pd.isna(row["estimate"]) else f" ({show_value(declared, row['estimate'], self.lang, is_share)})"
        verdict = verdict_word(row["verdict"], self.lang)
        return f"{self.place_name(row['place'])} · {declared.text(self.lang)}: {verdict}{value}"

    @property
    def figures(self) -> Path:
        """Where this county's charts go."""
        inside = self.county.folder.parent.name == "survey_data"
        return (self.county.folder.resolve().parents[1] if inside else self.county.folder) / "figures" / self.county.id

    def heading(self) -> str:
        """What this reading is about: place, wave, language, the level of showing, and whether the data are synthetic."""
        place = " · ".join(dict.fromkeys((self.county.name(self.lang), self.place_name(self.town))))
        lines = [self.say("heading", place=place, wave=self.wave), self.say("internal")]
        return "\n".join([*lines, *self.warnings()])

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Rows read, kept and rejected by file."""
        frame = pd.read_parquet(self.folder / "data" / "counts.parquet")
        return frame.assign(**{c: frame[c].astype(int) for c in frame if c.startswith("n_")})

    def warnings(self) -> list[str]:
        """What every output of this county must carry: how the sample was taken where it was not by chance, and synthetic data."""
        sampled = [] if self.county.sampling == "probability" else [self.say(f"sampling_{self.county.sampling}")]
        return sampled + ([self.say("synthetic")] if self.county.is_synthetic else [])

    def data_lines(self, *names: str) -> str:
        """A line a survey form or ledger: rows read, kept and rejected over its files."""
        files = [(name, [f for s in self.county.surveys if (s.form, s.wave) == (name, self.wave) for f in (s.text, s.file)]
                  + [entry.file for entry in self.county.ledgers if entry.table == name]) for name in names]  # fmt: skip
        lines = []
        for name, own in files:
            total = self.counts[self.counts["file"].isin(own)][["n_read", "n_kept", "n_rejected"]].sum()
            title = TABLES[name].title(self.lang) if name in TABLES else self.say(f"data_{name}")
            lines.append(self.say("data_line", name=title, **total.to_dict()))
        return "\n".join(lines)

    def endings(self, *forms: str) -> pd.DataFrame:
        """How the forms of this place and wave ended."""
        table = self.table("endings")
        if table.empty:
            return table
        table = table[(table["wave"] == self.wave) & table["form"].isin(forms)]
        if self.town != COUNTY:
            table = table[table["town_id"] == self.town]
        wide = table.pivot_table(index="form", columns="ending", values="n", aggfunc="sum", fill_value=0)
        return wide.rename(
            index=lambda f: self.say(f"data_{f}"), columns=lambda e: self.say(f"ending_{e}")
        ).rename_axis(index=None, columns=None)

    def rules(self, *claims: str) -> pd.DataFrame:
        """The rules of these claims: sentence, base, estimand, quantifier and bar, the date they were frozen."""
        dates = self.evidence.groupby("claim")["rule_frozen_on"].first()
        rows = [{self.say("col_claim"): key, self.say("col_text"): (c := self.claims[key]).text(self.lang), self.say("col_base"): c.base(self.lang),
                 self.say("col_rule"): " / ".join(dict.fromkeys(f"{q} {b:g}" for q, b in (c.rule_at(COUNTY), c.rule_at("town")))),
                 self.say("col_estimand"): c.estimand(self.lang), self.say("col_frozen"): dates.get(key, "")} for key in claims]  # fmt: skip
        return pd.DataFrame(rows).set_index(self.say("col_claim"))

    def robust(self, claim: str) -> str:
        """The headline with and without the exclusions, and unweighted where that is stored."""
        parts = [self.detail(claim, sub, self.say(key)) for sub, key in
                 (("", "as_analysed"), ("no row excluded", "no_exclusion"), ("unweighted", "unweighted"), ("without cannot say", "without_dk"), ("sex and age known", "sex_age_known"))
                 if self.row(claim, sub)]  # fmt: skip
        return "\n".join(parts)

    def ledger(self, claim: str) -> pd.DataFrame:
        """The claim's evidence rows at this place and the county, the columns a reader needs."""
        places = dict.fromkeys([self.town, COUNTY])
        own = self.evidence[(self.evidence["claim"] == claim) & self.evidence["place"].isin(list(places))]
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

    def outside(self, claim: str) -> str:
        """The departments outside the funnel's 99.8% limits."""
        own = self.evidence[(self.evidence["claim"] == claim) & self.evidence["remark"].str.contains("outside_limits")]
        names = sorted(
            {
                f"{self.place_name(p)} ({self.say(s.split(': ')[1])})"
                for p, s in zip(own["place"], own["sub"], strict=True)
            }
        )
        return self.say("outside", names=self.say("comma").join(names)) if names else self.say("none_outside")

    def limits(self) -> str:
        """What the sampling lets one say, and that outputs are internal."""
        return "\n".join(
            [
                self.say(f"sampling_{self.county.sampling}"),
                self.say("family"),
                *([self.say("synthetic")] if self.county.is_synthetic else []),
            ]
        )

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
        return self.counts[list(columns)].rename(columns=columns)

    def rejected_reasons(self) -> pd.DataFrame:
        """Rows and cells set aside, by reason."""
        table = pd.read_parquet(self.folder / "data" / "rejected.parquet")
        wide = table.groupby(["reason", "level"]).size().unstack(fill_value=0)
        return wide.rename(
            index=lambda r: say(f"clean.reason_{r}", self.lang), columns=lambda c: self.say(f"level_{c}")
        ).rename_axis(index=None, columns=None)

    def flag_rules(self) -> pd.DataFrame:
        """Every flag with its rule, and whether the analysis leaves its rows out."""
        from huying.clean.flags import RULES

        rows = [
            (name, say(f"clean.rule_{name}", self.lang), "✓" if name in self.county.exclude else "") for name in RULES
        ]
        return pd.DataFrame(
            rows, columns=[self.say("col_flag"), self.say("col_rule"), self.say("col_excluded")]
        ).set_index(self.say("col_flag"))

    def flag_counts(self) -> pd.DataFrame:
        """How many rows carry each flag, by form and wave, at this place."""
        table = self.table("flags")
        if table.empty:
            return table
        if self.town != COUNTY:
            table = table[table["town_id"] == self.town]
        wide = table.pivot_table(index="flag", columns=["form", "wave"], values="size", aggfunc="sum", fill_value=0)
        wide.columns = [f"{self.say('data_' + form)} {wave}" for form, wave in wide.columns]
        return wide.rename_axis(index=None)

    def weight_table(self) -> pd.DataFrame:
        """Kish's factor, the range of factors and the margins met, by town."""
        table = self.table("weights")
        if table.empty:
            return table
        table = table[(table["form"] == "resident") & (table["wave"] == self.wave)]
        if self.town != COUNTY:
            table = table[table["place"] == self.town]
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


def open_place(county: str = "demo", town: str = COUNTY, wave: str = "2023", lang: str = "zh") -> Reading:
    """The reading of one place; runs the county-wide step first when its results are missing or out of date.

    Raises CountyError for a town, wave or language that the county does not have.
    """
    words.use_language(lang)
    found = find_county(county)
    reading = Reading(found, str(town), str(wave), lang, prepare(found))
    if town != COUNTY and town not in reading.towns.index:
        raise CountyError("notebooks.no_town", town=town, known=", ".join(reading.towns.index))
    if found.waves and reading.wave not in found.waves:
        raise CountyError("notebooks.no_wave", wave=wave, known=", ".join(found.waves))
    set_display()
    return reading


def set_display() -> None:
    """Display options that are the same with and without a kernel, so that outputs compare across engines."""
    pd.set_option(
        "display.max_colwidth",
        200,
        "display.max_columns",
        30,
        "display.max_rows",
        60,
        "display.width",
        160,
        "display.float_format",
        "{:.4g}".format,
    )
    mpl.rcParams["figure.max_open_warning"] = 0
