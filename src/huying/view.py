"""A county as a researcher asks it: its claims, evidence, estimates and comparisons as tables; refuses a name it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from huying import words
from huying.batch.county_step import make_study, prepare
from huying.claims import claims_of, county_headlines, show_value, verdict_word
from huying.errors import CountyError
from huying.estimates import COUNTY, estimate_shares, grouped
from huying.folder import County, find_county
from huying.indicators import Indicator, indicators_of
from huying.problems.change import staff_change
from huying.problems.facts import Study
from huying.problems.own import FEWEST
from huying.problems.parallel import wave_change
from huying.samples import Sample
from huying.store import load_cleaned, read_parquet

GROUPS = {"sex": ("sex_group", ("male", "female")), "age": ("age_group", ("18-39", "40-59", "60+"))}
SHOWN = ["place", "name", "group", "estimate", "low", "high", "n", "n_eff", "deff", "reliability"]


@dataclass(frozen=True)
class CountyView:
    """One county with its cleaned data, estimates and verdicts. Made by `huying.county`."""

    declared: County
    folder: Path

    def __repr__(self) -> str:
        return f"<huying county {self.declared.id}: {len(self.towns)} towns, waves {', '.join(self.waves) or '-'}; {self.declared.name('en')}>"

    @property
    def towns(self) -> pd.DataFrame:
        """The register of towns, index town_id."""
        return self._study.towns.set_index("town_id")

    @property
    def waves(self) -> list[str]:
        """The waves of the surveys, oldest first."""
        return sorted(self.declared.waves)

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """The indicators that can be estimated by name: the house's and the county's own."""
        return indicators_of(self.declared, self._study.book)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The evidence ledger: one row a claim x place x period or wave x sub, 28 columns."""
        return read_parquet(self.folder / "evidence.parquet")

    @cached_property
    def claims(self) -> pd.DataFrame:
        """Every claim with its rule and the county's verdict, in the order of the report; index: the claim's id."""
        return claims_table(self.declared, self.evidence)

    def estimate(self, indicator: str, by: str = "town", wave: str = "") -> pd.DataFrame:
        """The share of `indicator` with its 95% interval, by `town`, `county`, `sex` or `age`, in one wave (the latest).

        Columns SHOWN; a value of too few answers is missing. Weighted, design-based, as the notebooks' estimates.
        Raises CountyError for an unknown indicator, wave or grouping.

        >>> import huying
        >>> demo = huying.county("demo")
        >>> demo.estimate("awareness", by="county", wave="2023").round(3)[["place", "low", "high", "n"]].shape
        (1, 4)
        """
        found = self._indicator(indicator)
        sample = self._sample(found, wave)
        share = pd.DataFrame({found.id: found.of(sample, self._study.book)})
        options: dict[str, Any] = {"wave": sample.wave, "fewest": self.declared.thresholds[FEWEST[found.form]]}
        if by in ("town", "county"):
            frame = estimate_shares(sample.design, share, **options)
            return self._shown(frame[(frame["place"] == COUNTY) == (by == "county")])
        column, names = GROUPS.get(by, ("", ()))
        if column not in sample.rows:
            known = ["town", "county", *(name for name, (code, _) in GROUPS.items() if code in sample.rows)]
            raise CountyError("indicators.unknown_group", by=by, known=", ".join(known))
        groups = grouped(sample.design, share, sample.rows[column], range(len(names)), **options)  # type: ignore[arg-type]
        return self._shown(groups[groups["place"] == COUNTY].assign(group=list(names)))

    def compare(self, indicator: str = "awareness", wave: tuple[str, str] | None = None) -> pd.DataFrame:
        """The change of `indicator` from one wave to another (the last two), by town and county, with its 95% interval.

        Villages asked in both waves are one PSU, so that their covariance counts. Raises CountyError with fewer than two
        waves.

        >>> import huying
        >>> huying.county("demo").compare("awareness").set_index("place").loc["county", "reliability"]
        'ok'
        """
        found = self._indicator(indicator)
        waves = self._study.waves(found.form)
        if len(waves) < 2:
            raise CountyError("indicators.two_waves", known=", ".join(waves) or "-")
        first, last = wave or (waves[-2], waves[-1])
        for name in (first, last):
            self._sample(found, name)  # says which waves there are where one is not known
        if found.form == "staff":
            return self._shown(
                staff_change(self._study, lambda study, sample: found.of(sample, study.book), first, last)
            )
        return self._shown(wave_change(self._study, lambda sample: found.of(sample, self._study.book), first, last))

    @cached_property
    def _study(self) -> Study:
        return make_study(self.declared, load_cleaned(self.folder / "data"))

    def _indicator(self, name: str) -> Indicator:
        if name not in self.indicators:
            raise CountyError("indicators.unknown", name=name, known=", ".join(self.indicators))
        return self.indicators[name]

    def _sample(self, indicator: Indicator, wave: str) -> Sample:
        waves = self._study.waves(indicator.form)
        if not waves:
            raise CountyError("indicators.no_form", form=indicator.form)
        if wave and wave not in waves:
            raise CountyError("indicators.unknown_wave", wave=wave, known=", ".join(waves))
        return self._study.samples[indicator.form, wave or waves[-1]]

    def _shown(self, frame: pd.DataFrame) -> pd.DataFrame:
        lang = words.language()
        names = {**self.towns[f"name_{lang}"].to_dict(), COUNTY: self.declared.name(lang)}
        return frame.assign(name=frame["place"].map(names))[SHOWN].reset_index(drop=True)


def claims_table(county: County, evidence: pd.DataFrame) -> pd.DataFrame:
    """Every claim of the county with its section, sentence, rule, the county's value and verdict; index: the claim's id.

    A claim on the pilot or another single place shows that place's row. Where a claim stands for several waves or periods,
    the latest counts.
    """
    lang, rows, claims = words.language(), [], claims_of(county)
    for key, row in county_headlines(evidence, claims).iterrows():
        claim = claims[str(key)]
        is_share = claim.is_about_towns and row["place"] == COUNTY
        rows.append({"claim": key, "section": claim.section, "sentence": claim.text(lang), "quantifier": claim.quantifier,
                     "bar": claim.bar, "value": show_value(claim, float(row["estimate"]), lang, is_share), "n": row["n"],
                     "verdict": verdict_word(row["verdict"], lang), "reason": row["reason"]})  # fmt: skip
    return pd.DataFrame(rows).set_index("claim")


def open_county(name: str | Path = "demo") -> CountyView:
    """The county with this id, or in this folder; its county-wide step runs first where its results are out of date.

    Raises CountyError for a county that is not there.

    >>> import huying
    >>> huying.county("demo")
    <huying county demo: 18 towns, waves 2023, 2024; Demo County>
    """
    declared = find_county(name)
    return CountyView(declared, prepare(declared))
