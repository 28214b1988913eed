"""The words by which a report is read, from `data/lexicon.toml`; refuses a cue that is no regular expression."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

DONE, PROBLEMS, PROPOSALS = "done", "problems", "proposals"


@cache
def lexicon() -> Mapping[str, Any]:
    """The house's lexicon by its tables; raises re.error for a cue that is no regular expression.

    Of a cue (words in a clause that mark a statement of one `quantifier`): `modes`, the parts of a report in which it counts
    (all); `strong` (true): it counts in headings too; `weak`: it counts only where the sentence says nothing of that quantifier
    before; `imperative`: a proposal without a word such as 应; `whole_sentence`: no imperative of the same sentence counts
    beside it; `starts_anew`: words with which it is not part of the statement before it.
    """
    raw = tomllib.loads(files("huying").joinpath("data/lexicon.toml").read_text("utf-8"))
    number = raw["number"]["value"] + r"\s*" + raw["number"]["unit"]
    for cue in raw["cue"]:
        cue["pattern"] = re.compile(cue["pattern"] + (f"|{number}" if cue.get("number") else ""))
    return raw


def holds(room: str, key: str, text: str) -> bool:
    """Whether the rule `key` of the table `room` is found in a text."""
    return bool(re.search(lexicon()[room][key], text))
