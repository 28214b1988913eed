"""Units of values and nouns of n, in both languages and as closed lists; a rounded number stays on its side of every threshold."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

FEW, MOST_DIGITS, SLACK = 100, 9, 1e-9  # a share of fewer than FEW cases is told in whole per cent
Lines = Iterable[float]  # such as thresholds
OF_ONE = ("share", "points", "index")  # what lies between -1 and 1


@cache
def read_lists() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """The closed lists: `unit` and `noun`, each entry with its words."""
    return tomllib.loads(files("huying").joinpath("data/units.toml").read_text("utf-8"))


@cache
def read_parts() -> dict[str, dict[str, str]]:
    """What is declared of parts of claims: `unit`, `n_of`, `counts`, `kind`, each by the part's name or pattern."""
    raw = tomllib.loads(files("huying").joinpath("data/parts.toml").read_text("utf-8"))
    return {key: {part: word for word, parts in words.items() for part in parts} for key, words in raw.items()}


@cache
def of_part(key: str, claim: str, part: str) -> str:
    """What parts.toml says of a part under `unit`, `n_of`, `counts` or `kind`; nothing where it is as its claim's."""
    if own := (found := read_parts()[key]).get(f"{claim}: {part}") or found.get(part):
        return own
    ends = [(told, name) for told in (f"{claim}: {part}", part) for name in found if name.endswith("*")]
    return next((found[name] for told, name in ends if told.startswith(name[:-1])), "")


def round_number(value: float, digits: int, times: float, against: Lines) -> str:
    """The value times `times`, rounded to `digits`, or to as many more as keep it on its own side of each of `against`.

    Rounded is what the ledger holds, twelve digits: not what a sum left in the last bit, nor as numpy rounds.
    """

    def is_moved(line: float) -> bool:
        told = round(float(text) - line * times, MOST_DIGITS)
        return abs(value - line) > SLACK and np.sign(told) != np.sign(value - line)

    value = float(f"{value:.12g}")
    for more in range(digits, MOST_DIGITS + 1):
        text = f"{round(value * times, more) + 0.0:.{more}f}"
        if not any(map(is_moved, against)):
            break
    return text


def say_value(value: float, unit: str, lang: str, n: float = np.inf, against: Lines = (), noun: str = "") -> str:
    """A value in its unit; `n` sets the digits of a share, `against` are numbers that it must not be rounded onto or across."""
    words = read_lists()["unit"][unit]
    times = float(words.get("times", 1))
    is_whole = times == 1 and abs(value - round(value)) < SLACK and unit in ("days", "months", "count")
    digits = int(n >= FEW) if times > 1 else 0 if is_whole else words["digits"]
    return put_unit(round_number(value, digits, times, list(against)), unit, lang, noun)


def say_exactly(value: float, unit: str, lang: str, noun: str = "") -> str:
    """A threshold in its unit, with all its digits."""
    times = float(read_lists()["unit"][unit].get("times", 1))
    return put_unit(f"{round(value * times, MOST_DIGITS):g}", unit, lang, noun)


def put_unit(number: str, unit: str, lang: str, noun: str) -> str:
    """A number with its unit: 62个村, 1 day."""
    words, is_one = read_lists()["unit"][unit], number in ("1", "-1")
    pattern = str(words.get("one", words["en"]) if is_one and lang == "en" else words[lang])
    return pattern.format(n=number, noun=say_noun(noun, lang, is_one) if "{noun}" in pattern else "")


def say_noun(noun: str, lang: str, is_one: bool = False) -> str:
    """The noun of an n: in Chinese with its measure word."""
    words = read_lists()["noun"][noun]
    return str(words["one"] if is_one and lang == "en" else words[lang])


def say_n(n: float, noun: str, lang: str) -> str:
    """How many, and of what: 646名居民, 646 residents."""
    number = f"{n:.0f}" if float(n).is_integer() else f"{n:.1f}"
    return f"{number}{' ' if lang == 'en' else ''}{say_noun(noun, lang, n == 1)}"
