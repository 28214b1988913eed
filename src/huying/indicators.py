"""Indicators declared as rules on answers: who counts as one, and who is asked; refuses a rule on an item nobody knows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import Codebook, holds, house_codebook, names_in
from huying.errors import CountyError, Place
from huying.folder import County
from huying.samples import Sample
from huying.words import Text, as_text

UNKNOWN = ("out", "counts")
FORMS = ("resident", "staff")


@dataclass(frozen=True)
class Indicator:
    """A share of respondents: `when` holds, among those for whom `base` holds and who answered what `when` asks.

    `unknown = "counts"` keeps those who cannot say in the base, as not having it.
    """

    id: str
    form: str
    text: Text
    when: str
    base: str = ""
    unknown: str = "out"

    def of(self, sample: Sample, book: Codebook) -> npt.NDArray[np.float64]:
        """1 and 0 for the respondents in the base, missing for the others; shape (respondents,)."""
        inside = holds(self.base, sample.rows)
        reasons = ("does_not_know",) if self.unknown == "counts" else ()
        for name in names_in(self.when):
            item = book.item_of(name)
            inside &= sample.asked(item.id if item.type == "multi" else name, *reasons)
        return np.where(inside, holds(self.when, sample.rows).astype(float), np.nan)


def read_indicator(raw: Mapping[str, Any], book: Codebook, place: Place) -> Indicator:
    """One `[[indicator]]` table; raises CountyError for an unknown key, form, item or rule."""
    known = dict(raw)
    name = str(known.get("id", "?"))
    text = as_text({lang: known.pop(lang, "") for lang in ("zh", "en")}, name)
    strange = set(known) - {"id", "form", "when", "base", "unknown"}
    if strange or not {"id", "form", "when"} <= set(known):
        raise CountyError("indicators.bad_key", place, name=name, keys=", ".join(sorted(strange)) or "-")
    for key, options in (("form", FORMS), ("unknown", UNKNOWN)):
        if known.get(key, options[0]) not in options:
            raise CountyError(
                "indicators.bad_value", place, name=name, key=key, got=known[key], known=", ".join(options)
            )
    indicator = Indicator(text=text, **known)
    columns = [column for item in book.form(indicator.form) for column in item.variables]
    for rule in filter(None, (indicator.when, indicator.base)):
        unknown = [item for item in names_in(rule) if item not in columns]
        if unknown or not is_readable(rule, columns):
            raise CountyError("indicators.bad_rule", place, name=name, rule=rule, items=", ".join(unknown) or rule)
    return indicator


def is_readable(rule: str, columns: Iterable[str]) -> bool:
    """Whether a rule on these columns can be worked out at all."""
    try:
        holds(rule, pd.DataFrame(columns=list(columns), dtype=float))
    except (ValueError, CountyError):
        return False
    return True


@cache
def house_indicators() -> dict[str, Indicator]:
    """The indicators that the house brings, by id."""
    file = files("huying").joinpath("data/indicators.toml")
    read = (
        read_indicator(raw, house_codebook(), Place(file.name))
        for raw in tomllib.loads(file.read_text("utf-8"))["indicator"]
    )
    return {indicator.id: indicator for indicator in read}


def indicators_of(county: County, book: Codebook) -> dict[str, Indicator]:
    """The house's indicators and those of the county's `claims.toml`, by id; raises CountyError."""
    place = Place(str(county.folder / "claims.toml"))
    own = (read_indicator(raw, book, place) for raw in county.own.get("indicator", ()))
    found = {**house_indicators()}
    for indicator in own:
        if indicator.id in found:
            raise CountyError("indicators.taken", place, name=indicator.id)
        found[indicator.id] = indicator
    return found
