"""The words by which a report is read, from `data/lexicon.toml`; refuses a cue that is no regular expression."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

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
    modes: Sequence[str]
    strong: bool = True
    weak: bool = False
    imperative: bool = False
    whole_sentence: bool = False
    starts_anew: str = ""


@cache
def lexicon() -> Mapping[str, Any]:
    """The house's lexicon by its tables, its cues as `Cue`; raises re.error for one that is no regular expression."""
    raw = tomllib.loads(files("huying").joinpath("data/lexicon.toml").read_text("utf-8"))
    number = raw["number"]["value"] + r"\s*" + raw["number"]["unit"]
    return raw | {"cue": [_cue(entry, number) for entry in raw["cue"]]}


def holds(room: str, key: str, text: str) -> bool:
    """Whether the rule `key` of the table `room` is found in a text."""
    return bool(re.search(lexicon()[room][key], text))


def _cue(entry: Mapping[str, Any], number: str) -> Cue:
    given = {"modes": MODES, **entry}
    pattern = given.pop("pattern") + (f"|{number}" if given.pop("number", False) else "")
    return Cue(pattern=re.compile(pattern), **given)
