"""What a cell may hold: each kind reads clean text as values, missing where it does not fit; guesses nothing."""

import contextlib
import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from huying.scrub import INVISIBLE
from huying.words import Text, say

_INSTANT = re.compile(
    r"(?P<year>\d{4})(?:\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?|(?P<mm>\d\d)(?P<dd>\d\d))"
    r"(?:(?:[T\s]+|(?<=日)|(?=[上下凌早]))(?P<half>上午|下午|凌晨|早上)?\s*(?P<hour>\d{1,2})[:时点](?P<minute>\d{1,2})分?"
    r"(?::?(?P<second>\d{1,2})秒?(?:\.\d+)?)?(?:\s*(?P<noon>[ap])\.?m\.?)?\s*(?P<offset>Z|(?:UTC|GMT)?[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?"
    r"|\s?(?P<hh>\d\d)(?P<mi>\d\d)(?P<ss>\d\d)?)?$",
    re.I,
)
_SHORT = {"month": "mm", "day": "dd", "hour": "hh", "minute": "mi", "second": "ss"}  # in digits alone
_HALVES = {"上午": "a", "凌晨": "a", "早上": "a", "下午": "p"}
SERIAL = r"[2-6]\d{4}(\.\d+)?"  # days since the end of 1899, as Excel keeps a moment
CHINA = dt.timedelta(hours=8)  # one time for the whole country
# What people write where there is nothing to write; blank wherever it is no value of the column itself.
NOTHING = frozenset([*"无未空/\\-—―–", "暂无", "没有", "未填", "//", "--", "---", "——", "n/a", "nil"])


def clean_text(text: str) -> str:
    """`text` in NFKC, without invisible characters, blanks trimmed; Chinese numerals and letters stay as they are."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text.translate(INVISIBLE)).strip()


def clean_series(text: pd.Series) -> pd.Series:
    """`clean_text` of every cell; each distinct text is cleaned once."""
    codes, distinct = pd.factorize(text.astype(object).where(text.notna(), ""))
    cleaned = np.array([clean_text(str(value)) for value in distinct] or [""], dtype=object)
    return pd.Series(cleaned[codes], index=text.index, dtype=object)


@dataclass(frozen=True)
class Kind:
    """A type of cell: `read` turns clean text into values, missing where it does not fit; here any text does."""

    def read(self, text: pd.Series) -> pd.Series:
        return text.where(text != "", None)

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        """Values, and which cells are neither blank nor fit."""
        values = self.read(text)
        return values, values.isna() & (text != "")

    def describe(self, lang: str) -> str:
        """What a cell may hold."""
        return say(f"contract.{type(self).__name__.lower()}", lang, **vars(self))


@dataclass(frozen=True)
class Label(Kind):
    """Any text up to a length, a blank for control characters in it."""

    longest: int = 5_000

    def read(self, text: pd.Series) -> pd.Series:
        plain = text.str.replace(r"[\x00-\x1f\x7f]+", " ", regex=True)
        return plain.where((text != "") & (text.str.len() <= self.longest), None)


@dataclass(frozen=True)
class Id(Label):
    """An identifier, kept as text to the last digit; a number in scientific notation has lost digits and does not fit.

    `county` is none: it means the county itself.
    """

    longest: int = 60

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        values, unfit = super().parse(text)
        return values, unfit | text.str.fullmatch(r"\d(\.\d+)?E\+\d+|county", case=False)


def as_numbers(text: pd.Series, ending: str) -> pd.Series:
    """Numbers of the cells that are a whole number, with thousands separators or without, and what may follow it."""
    fits = text.str.fullmatch(r"[+-]?(\d+|\d{1,3}(,\d{3})+)" + ending)
    return pd.to_numeric(text.where(fits).str.replace(",", ""), errors="coerce")


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = 10**9

    def read(self, text: pd.Series) -> pd.Series:
        number = as_numbers(text, r"(\.0+)?")
        return number.where(number.between(self.low, self.high)).astype("Int64")


@dataclass(frozen=True)
class Number(Kind):
    """A finite decimal number from `low` to `high`."""

    low: float = float("-inf")
    high: float = float("inf")

    def read(self, text: pd.Series) -> pd.Series:
        number = as_numbers(text, r"(\.\d+)?([eE][+-]?\d+)?")
        return number.where(number.between(self.low, self.high) & np.isfinite(number)).astype("float64")


def parse_instants(text: pd.Series) -> pd.Series:
    """Clean text as naive local times: year first, an hour of 24 or with 上午 or PM; Excel's serial days too.

    A moment with an offset from UTC becomes China's. What could mean two moments becomes missing.
    """
    codes, distinct = pd.factorize(text.astype(object).where(text.notna(), ""))
    moments = pd.DatetimeIndex([_parse_instant(one) for one in distinct], dtype="datetime64[ns]")
    return pd.Series(moments[codes], index=text.index).dt.round("s")


def _parse_instant(text: str) -> object:
    part = found.groupdict("") if (found := _INSTANT.match(text)) else dict.fromkeys(_INSTANT.groupindex, "")
    month, day, hour, minute, second = (int(part[name] or part[other] or 0) for name, other in _SHORT.items())
    half = _HALVES.get(part["half"], part["noon"].lower())
    is_sure = not ((half == "a" and hour > 12) or (half == "p" and hour == 0) or (part["half"] and part["noon"]))
    is_sure &= not (part["offset"].startswith("-") and not part["second"])  # a span of time: 09:00-10:30
    hour += 12 * (half == "p" and hour < 12) - 12 * (half == "a" and hour == 12)
    year = int(part["year"] or 0) if is_sure else 0
    with contextlib.suppress(ValueError):
        moment = dt.datetime(year if 1678 <= year <= 2261 else 0, month, day, hour, minute, second)
        away = re.search(r"([+-])(\d\d):?(\d\d)?", part["offset"].upper().replace("Z", "+00"))
        ahead = dt.timedelta(hours=int(away[2]), minutes=int(away[3] or 0)) if away else CHINA
        return moment + CHINA - (-ahead if away and away[1] == "-" else ahead)
    return pd.Timestamp("1899-12-30") + pd.to_timedelta(float(text if re.fullmatch(SERIAL, text, re.A) else "nan"), "D")


@dataclass(frozen=True)
class Instant(Kind):
    """A day with an hour, or a day alone (then midnight), between two days."""

    low: str = "1990-01-01"
    high: str = "2100-01-01"

    def read(self, text: pd.Series) -> pd.Series:
        moments = parse_instants(text)
        return moments.where(moments.between(pd.Timestamp(self.low), pd.Timestamp(self.high)))


@dataclass(frozen=True)
class Day(Instant):
    """A calendar day."""

    def read(self, text: pd.Series) -> pd.Series:
        return super().read(text).dt.normalize()


@dataclass(frozen=True)
class Choice(Kind):
    """One of a list of codes; a cell may hold the code, its label in either language, or another word for it (`also`)."""

    options: Mapping[str, Text]
    also: Mapping[str, str] = field(default_factory=dict)

    def read(self, text: pd.Series) -> pd.Series:
        named = [(word, code) for code, label in self.options.items() for word in (code, *label)]
        found = text.str.casefold().map({clean_text(word).casefold(): code for word, code in named} | dict(self.also))
        return found.where(found.notna(), None)

    def describe(self, lang: str) -> str:
        return "; ".join(f"{code} = {label(lang)}" for code, label in self.options.items())


@dataclass(frozen=True)
class Flag(Choice):
    """Yes or no."""

    options: Mapping[str, Text] = field(default_factory=lambda: {"1": Text("是", "yes"), "0": Text("否", "no")})
    also: Mapping[str, str] = field(default_factory=lambda: {"true": "1", "false": "0", "y": "1", "n": "0"})

    def read(self, text: pd.Series) -> pd.Series:
        return super().read(text).map({"1": True, "0": False}).astype("boolean")
