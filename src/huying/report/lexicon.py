"""The words by which a report is read, from `data/lexicon.toml`; refuses a rule that is no regular expression."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from huying.words import Text, as_text

DONE, PROBLEMS, PROPOSALS = MODES = ("done", "problems", "proposals")


@dataclass(frozen=True)
class Cue:
    """Words in a clause that mark a statement of one quantifier.

    `modes`: the parts of a report in which it counts. `strong`: it counts in headings too. `weak`: it counts only where the
    sentence says nothing of that quantifier before. `imperative`: a proposal without a word such as 应. `whole_sentence`: no
    imperative of the same sentence counts beside it. `starts_anew`: not part of the statement before it.
    """

    quantifier: str
    pattern: re.Pattern[str]
    modes: tuple[str, ...] = MODES
    strong: bool = True
    weak: bool = False
    imperative: bool = False
    whole_sentence: bool = False
    starts_anew: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Tension:
    """Two statements that cannot both hold: what one sentence claims and another admits."""

    kind: str
    claimed: re.Pattern[str]
    admitted: re.Pattern[str]
    why: Text


@dataclass(frozen=True)
class Lexicon:
    """All rules, compiled; `raw` holds the parts that are plain values."""

    cues: tuple[Cue, ...]
    tensions: tuple[Tension, ...]
    blank: re.Pattern[str]
    exceptions: re.Pattern[str]
    raw: Mapping[str, Any]

    def pattern(self, room: str, key: str) -> re.Pattern[str]:
        """The rule `key` of the table `room`."""
        return re.compile(self.raw[room][key])


@cache
def lexicon() -> Lexicon:
    """The house's lexicon; raises re.error for a rule that is no regular expression."""
    raw = tomllib.loads(files("huying").joinpath("data/lexicon.toml").read_text("utf-8"))
    number = raw["number"]["value"] + r"\s*" + raw["number"]["unit"]
    return Lexicon(
        cues=tuple(_cue(entry, number) for entry in raw["cue"]),
        tensions=tuple(
            Tension(t["kind"], re.compile(t["claimed"]), re.compile(t["admitted"]), as_text(t["why"], t["kind"]))
            for t in raw["tension"]
        ),
        blank=re.compile(raw["text"]["blank"]),
        exceptions=re.compile("|".join(raw["exceptions"]["words"])),
        raw=raw,
    )


def _cue(entry: Mapping[str, Any], number: str) -> Cue:
    given = dict(entry)
    pattern = given.pop("pattern") + (f"|{number}" if given.pop("number", False) else "")
    anew = given.pop("starts_anew", "")
    modes = tuple(given.pop("modes", MODES))
    return Cue(pattern=re.compile(pattern), starts_anew=re.compile(anew) if anew else None, modes=modes, **given)
