"""The parts of a claim: their names in both languages, and whether they are shares or numbers."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from huying.ledgers import AGENCY_KINDS, TABLES
from huying.words import all_words, say


@cache
def kinds() -> dict[str, str]:
    """Parts whose value is not in the claim's unit: `share`, or `number`, by the part's name."""
    raw = tomllib.loads(files("huying").joinpath("data/parts.toml").read_text("utf-8"))
    return {part: kind for kind, parts in raw.items() for part in parts}


def kind_of(claim: str, part: str) -> str:
    """`share`, `number`, or nothing where the part is in the claim's own unit."""
    found = kinds()
    pattern = next((name for name in found if name.endswith("*") and part.startswith(name[:-1])), "")
    return found.get(f"{claim}: {part}") or found.get(part) or found.get(pattern, "")


def slug(part: str) -> str:
    """The key of a part's words."""
    return re.sub(r"\W+", "_", part.lower()).strip("_")


def part_word(part: str, lang: str, what: str = "") -> str:
    """The name of a part: its own words, a ledger's or an agency's, else `what` (the words of its measure) with what its prefix adds."""
    key = f"parts.{slug(part)}"
    if key in all_words():
        return say(key, lang)
    if part in TABLES:
        return TABLES[part].title(lang)
    prefix, _, kind = part.partition("_")
    key = f"parts.prefix_{prefix}"
    if kind in AGENCY_KINDS.options and key in all_words():
        return say(key, lang, what=AGENCY_KINDS.options[kind](lang))
    return say(key, lang, what=what) if what and key in all_words() else what
