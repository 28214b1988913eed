"""What a notebook reads of a county: its evidence, sentences, tables and charts; computes nothing that is not stored."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd

from huying import words
from huying.batch.county_step import prepare
from huying.claims import sentence, show_value, verdict_word
from huying.errors import CountyError
from huying.estimates import COUNTY
from huying.folder import find_county
from huying.ledgers import TABLES
from huying.reading.tables import Tables


class Reading(Tables):
    """One place of one county, in one wave and one language: what a notebook is about."""

    def verdict(self, claim: str, place: str = "") -> str:
        """One sentence: the verdict of a claim at this place with its value, interval and n."""
        row = self.row(claim, place=place)
        if row is None:
            return self.say("no_row", claim=claim, place=self.place_name(place or self.town))
        return sentence(row, self.claims[claim], self.lang, self.place_name(row["place"]))

    def verdicts(self, *claims: str) -> str:
        """The verdicts of claims at this place and in the county (or wherever they are judged), a line each."""
        return "\n".join(self.verdict(claim, place) for claim in claims for place in self.places(claim))

    def detail(self, claim: str, sub: str, text: str, place: str = "") -> str:
        """One sentence on a part of a claim: `text`, its value, interval and n."""
        row = self.row(claim, sub, place)
        if row is None:
            return self.say("no_row", claim=claim, place=text)
        return sentence(row, self.claims[claim], self.lang, self.place_name(row["place"]), text)

    def broken(self, *claims: str) -> str:
        """The towns in which these claims do not hold, claim by claim."""
        lines, stored = [], self.block.rows("broken")
        for claim in claims:
            wrong = stored[(stored["claim"] == claim) & stored["wave"].isin([self.wave, ""])]
            wrong = wrong[wrong["period"].isin(["", self.period_of(claim)])]
            names = self.say("comma").join(wrong[f"name_{self.lang}"]) or self.say("none")
            more = int(wrong["n"].iloc[0]) - len(wrong) if len(wrong) else 0
            names += self.say("and_more", n=more) if more else ""
            lines.append(self.say("broken", claim=claim, names=names))
        return "\n".join(lines)

    def rank_note(self, claim: str) -> str:
        """Which ranks the joint intervals allow this town (for the county: how many on average), empty where no rank is known."""
        ranked = self.block.rows("ranked")
        when = (f"ranks_{claim}{end}" for end in (f"_{self.wave}", f"_{self.period_of(claim)}", ""))
        known = next((own for name in when if len(own := ranked[ranked["table"] == name])), ranked[:0])
        if not len(known):
            return ""
        if self.town == COUNTY:
            return self.say("rank_county", width=f"{known['width'].iloc[0]:.1f}", n=int(known["n"].iloc[0]))
        own = self.own_table(known["table"].iloc[0])
        if not len(own) or own["rank"].isna().all():
            return ""
        low, high = (f"{own[name].iloc[0]:.0f}" for name in ("rank_low", "rank_high"))
        return self.say("rank_here", place=self.place_name(self.town), low=low, high=high, n=int(known["n"].iloc[0]))

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
            turning = self.block.rows("table:turning", str(own["place"].iloc[0]))
            turns = turning[(turning["claim"] == claim) & (turning["n_changed"] > 0)]
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

    def heading(self) -> str:
        """What this reading is about: place, wave, language, the level of showing, and whether the data are synthetic."""
        place = " · ".join(dict.fromkeys((self.county.name(self.lang), self.place_name(self.town))))
        lines = [self.say("heading", place=place, wave=self.wave), self.say("internal")]
        return "\n".join([*lines, *self.warnings()])

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
            counts = self.block.rows("counts")
            total = counts[counts["file"].isin(own)][["n_read", "n_kept", "n_rejected"]].sum()
            title = TABLES[name].title(self.lang) if name in TABLES else self.say(f"data_{name}")
            lines.append(self.say("data_line", name=title, **total.to_dict()))
        return "\n".join(lines)

    def written(self, *forms: str) -> str:
        """A line a form: how many people of this place wrote something in free text, and how much."""
        table, lines = self.own_table("comments"), []
        for form in forms:
            own = table[(table["form"] == form) & (table["wave"] == self.wave)] if len(table) else table
            total = own[["n_forms", "n_written", "n_characters"]].sum() if len(own) else {}
            if len(total):
                lines.append(self.say("written", name=self.say(f"data_{form}"), **dict(total)))
        return "\n".join(lines)

    def robust(self, claim: str) -> str:
        """The headline with and without the exclusions, and unweighted where that is stored."""
        parts = [self.detail(claim, sub, self.say(key)) for sub, key in
                 (("", "as_analysed"), ("no row excluded", "no_exclusion"), ("unweighted", "unweighted"), ("without cannot say", "without_dk"), ("sex and age known", "sex_age_known"))
                 if self.row(claim, sub)]  # fmt: skip
        return "\n".join(parts)

    def outside(self, claim: str) -> str:
        """The departments outside the funnel's 99.8% limits."""
        own = self.block.rows(f"evidence:{claim}")
        own = own[own["remark"].str.contains("outside_limits")] if len(own) else pd.DataFrame({"place": [], "sub": []})
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


def open_place(county: str = "demo", town: str = COUNTY, wave: str = "2023", lang: str = "zh") -> Reading:
    """The reading of one place; runs the county-wide step first when its results are missing or out of date.

    Raises CountyError for a town, wave or language that the county does not have.
    """
    words.use_language(lang)
    found = find_county(county)
    reading = Reading(found, str(town), str(wave), lang, prepare(found))
    if town != COUNTY and reading.block.rows("ledger:towns", town).empty:
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
