"""The parts of a claim (`sub` of the evidence ledger): their names in both languages, and whether they are shares or numbers."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from huying.codebook import house_codebook
from huying.ledgers import AGENCY_KINDS, TABLES
from huying.words import all_words, say

# A part named after an answer: its prefix, and where the answers' words stand.
ANSWERS = {
    "reach": "R25",
    "wanted": "R25",
    "gap": "R25",
    "option": "L07",
    "contact": "R15",
    "reason": "",
    "answers": "",
}
REASONS = {"P14": "S11", "P32": "S16"}
SUPPORTS = "L11"


@cache
def kinds() -> dict[str, str]:
    """Parts whose value is not in the claim's unit: `share`, or `number`, by the part's name."""
    raw = tomllib.loads(files("huying").joinpath("data/parts.toml").read_text("utf-8"))
    return {part: kind for kind, parts in raw.items() for part in parts}


def kind_of(claim: str, part: str) -> str:
    """`share`, `number`, or nothing where the part is in the claim's own unit."""
    found = kinds()
    return found.get(f"{claim}: {part}") or found.get(part) or found.get(f"{part.partition('_')[0]}_*", "")


def slug(part: str) -> str:
    """The key of a part's words."""
    return re.sub(r"\W+", "_", part.lower()).strip("_")


def part_word(claim: str, part: str, lang: str) -> str:
    """The name of a part; a part named after an answer, an agency or a ledger bears that name."""
    key = f"parts.{slug(part)}"
    if key in all_words():
        return say(key, lang)
    if part in TABLES:
        return TABLES[part].title(lang)
    prefix, _, code = part.partition("_")
    what = answer_word(claim, prefix, code, lang)
    key = f"parts.prefix_{prefix}"
    return say(key, lang, what=what) if key in all_words() and code else what if code and what != code else part


def answer_word(claim: str, prefix: str, code: str, lang: str) -> str:
    """The words of the answer, row or agency that a part is named after; the code itself where there are none."""
    items = house_codebook().items
    if code in AGENCY_KINDS.options:
        return AGENCY_KINDS.options[code](lang)
    rows = {
        str(row).partition("_")[0]: text(lang).partition("：")[0].partition(":")[0]
        for row, text in items[SUPPORTS].rows
    }
    if code in rows and not code.isdigit():
        return rows[code]
    item = REASONS.get(claim, "") or ANSWERS.get(prefix, "")
    options = {str(option.code): option.text(lang) for option in items[item].options} if item else {}
    return options.get(code, code)
