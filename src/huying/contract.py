"""What a table must look like: columns, types, codes, ranges; one declaration validates, documents and explains.

Nothing is guessed: a cell that does not fit is set aside with its place, its value and the reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from huying.errors import InputError, Place
from huying.rules import AnyRule
from huying.words import Text, say

REJECTED = ("file", "sheet", "row", "column", "value", "reason")
INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    )
)
_DAY = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
_PER_CENT = re.compile(r"\d{1,3}(\.\d+)?\s*%|[1-9]\d?(\.\d+)?|100(\.0+)?")
_TIME = r"(?:(?:[T\s]+|(?<=日))(\d{1,2})[:时](\d{1,2})分?(?::(\d{1,2})(?:\.\d+)?)?)?\s*(?:Z|[+-]00:?00|\+08:?00)?$"


def clean_text(text: str) -> str:
    """`text` in NFKC, without invisible characters, blanks trimmed; Chinese numerals and letters stay as they are."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text.translate(INVISIBLE)).strip()


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


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = 10**9

    def read(self, text: pd.Series) -> pd.Series:
        number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d+(\.0+)?")), errors="coerce")
        return number.where(number.between(self.low, self.high)).astype("Int64")


@dataclass(frozen=True)
class Number(Kind):
    """A finite decimal number from `low` to `high`."""

    low: float = float("-inf")
    high: float = float("inf")

    def read(self, text: pd.Series) -> pd.Series:
        number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")), errors="coerce")
        return number.where(number.between(self.low, self.high) & np.isfinite(number)).astype("float64")


def parse_instants(text: pd.Series) -> pd.Series:
    """Clean text as naive local times: year first, Excel's serial days too; what could mean two days becomes missing."""
    part = text.str.extract(_DAY + _TIME)
    filled = part.fillna("0").astype(int).set_axis(["year", "month", "day", "hour", "minute", "second"], axis=1)
    real = filled.year.between(1678, 2261) & (filled.hour < 24) & (filled.minute < 60) & (filled.second < 60)
    moments = pd.to_datetime(filled.where(real), errors="coerce")
    serial = pd.to_numeric(text.where(text.str.fullmatch(r"[2-6]\d{4}(\.\d+)?")), errors="coerce")
    serials = pd.Timestamp("1899-12-30") + pd.to_timedelta(serial, unit="D")
    return moments.fillna(serials.dt.round("s")).astype("datetime64[ns]")


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
    """One of a list of codes; a cell may hold the code or its label in either language."""

    options: Mapping[str, Text]

    def read(self, text: pd.Series) -> pd.Series:
        known = {clean_text(word).casefold(): code for code, label in self.options.items() for word in (code, *label)}
        found = text.str.casefold().map(known)
        return found.where(found.notna(), None)

    def describe(self, lang: str) -> str:
        return "; ".join(f"{code} = {label(lang)}" for code, label in self.options.items())


@dataclass(frozen=True)
class Flag(Choice):
    """Yes or no."""

    options: Mapping[str, Text] = field(default_factory=lambda: {"1": Text("是", "yes"), "0": Text("否", "no")})

    def read(self, text: pd.Series) -> pd.Series:
        plain = text.str.casefold().replace({"true": "1", "false": "0"})  # as Excel has them
        return super().read(plain).map({"1": True, "0": False}).astype("boolean")


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, title and meaning in both languages, and what must hold.

    `after` names a column of the same table that may not be later; `aliases` are further headers that mean this column.
    `blank` is the reason that a row gets whose cell is blank though required. `note` says more than the kind does.
    """

    name: str
    kind: Kind
    title: Text
    optional: bool = False
    after: str = ""
    unit: str = ""
    aliases: tuple[str, ...] = ()
    blank: str = "empty"
    note: Text | None = None

    def headers(self) -> tuple[str, ...]:
        return (self.name, *self.title, *self.aliases)

    def describe(self, lang: str) -> str:
        """What a cell may hold."""
        return self.note(lang) if self.note else self.kind.describe(lang)

    def unit_word(self, lang: str) -> str:
        """The unit in words, empty where the column has none."""
        return say(f"contract.unit_{re.sub('[^a-z0-9]', '_', self.unit)}", lang) if self.unit else ""


@dataclass(frozen=True)
class Checked:
    """What a contract made of a table: typed rows, and rows set aside (columns of REJECTED)."""

    kept: pd.DataFrame
    rejected: pd.DataFrame


@dataclass(frozen=True)
class Table:
    """A table's declaration: name, title, columns, the columns that make a row unique, and what a row is.

    `covers`: the list is complete over the towns, so that every town of the register must stand in it; `of_period`: it is of a period. `rules` hold between
    columns or rows; `example` is one plausible row, a text for each column.
    """

    name: str
    title: Text
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    rows: Text | None = None
    covers: bool = False
    of_period: bool = False
    rules: tuple[AnyRule, ...] = ()
    example: tuple[str | Text, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({column.name: column for column in self.columns})

    def check(self, text: pd.DataFrame, place: Place, rename: Mapping[str, str] | None = None) -> Checked:
        """The typed rows of `text` (cells as text, index = line of the file) and the rows set aside.

        `rename` maps a column of this table to the header that holds it. Raises InputError for a missing column.
        """
        headers = self.find_columns(list(text.columns), place, rename or {})
        typed, faults = {}, []
        for name, header in headers.items():
            column, cells = self.by_name[name], clean_series(text[header])
            typed[name], bad = column.kind.parse(cells)
            faults.append(set_aside(place, header, text[header][bad], why_unfit(column.kind, cells[bad])))
            if not column.optional:
                faults.append(set_aside(place, header, text[header][cells == ""], column.blank))
        rows = pd.DataFrame(typed, index=text.index)
        for name, broken, reason in self.broken(rows, text):
            faults.append(set_aside(place, headers[name], text[headers[name]][broken], reason))
        rejected = pd.concat(faults, ignore_index=True).drop_duplicates("row").sort_values("row", ignore_index=True)
        kept = rows[~rows.index.isin(rejected["row"])]
        blank = pd.Series("", index=kept.index)
        kept = kept.assign(**{c.name: c.kind.read(blank) for c in self.columns if c.name not in headers})
        return Checked(kept[[column.name for column in self.columns]], rejected)

    def find_columns(self, headers: list[str], place: Place, rename: Mapping[str, str]) -> dict[str, str]:
        """Which header holds which column; raises InputError naming what is missing and what was found."""
        clean = {fold(header): header for header in headers}
        found = {}
        for column in self.columns:
            names = (rename[column.name],) if column.name in rename else column.headers()
            hits = [clean[key] for key in map(fold, names) if key in clean]
            if hits:
                found[column.name] = hits[0]
            elif not column.optional or column.name in rename:
                known = ", ".join(map(str, headers))
                raise InputError("contract.no_column", place, wanted=" / ".join(names), found=known)
        return found

    def broken(self, rows: pd.DataFrame, text: pd.DataFrame) -> Iterator[tuple[str, pd.Series, str]]:
        """Column, rows and reason: times before the one they must follow, and keys that a row above has already.

        Of the latter the same row again is told from another row under the same key.
        """
        for column in self.columns:
            if column.name in rows and column.after in rows:
                yield column.name, rows[column.name] < rows[column.after], "before"
        if keys := [name for name in self.key if name in rows]:
            again = rows.duplicated(keys) & rows[keys].notna().all(axis=1)
            same = again & text.duplicated()
            yield keys[0], same, "repeated"
            yield keys[0], again & ~same, "key_taken"

    def rule_words(self, lang: str, ledgers: Mapping[str, str]) -> list[str]:
        """The key and the rules between columns and rows in words; `ledgers` are the titles of the tables that they look into."""
        titles = {**ledgers, **{column.name: column.title(lang) for column in self.columns}}
        key = " + ".join(titles[name] for name in self.key)
        told = [rule.describe(lang, titles) for rule in self.rules]
        return [say("contract.rule_key", lang, key=key), *told] if key else told


def why_unfit(kind: Kind, cells: pd.Series) -> list[str]:
    """The reason for each clean cell that does not fit: a per cent where a share from 0 to 1 belongs is told apart."""
    is_share = isinstance(kind, Number) and (kind.low, kind.high) == (0, 1)
    return ["per_cent" if is_share and _PER_CENT.fullmatch(cell) else "unfit" for cell in cells]


def set_aside(place: Place, column: str, cells: pd.Series, reason: str | list[str]) -> pd.DataFrame:
    """Rows of the table `rejected` (columns REJECTED) for `cells`, whose index holds the lines of the file."""
    told = (place.file, place.sheet, cells.index, column, cells.to_numpy(dtype=object), reason)
    return pd.DataFrame(dict(zip(REJECTED, told, strict=True)))


def no_rejects() -> pd.DataFrame:
    """An empty table of rejected rows."""
    return set_aside(Place(), "", pd.Series(dtype=object), "")


def full_header(header: str) -> str:
    """A header without invisible characters and repeated blanks."""
    return re.sub(r"\s+", " ", clean_text(header))


def fold(header: str) -> str:
    """A header as headers are compared: without any blank or line break, in lower case."""
    return re.sub(r"\s", "", clean_text(header)).casefold()
