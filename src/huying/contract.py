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

from huying.errors import InputError, Place, near
from huying.rules import AnyRule
from huying.words import Text, language, say

REJECTED = ("file", "sheet", "row", "column", "value", "reason", "level")
INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    )
)
_PER_CENT = re.compile(r"\d{1,3}(\.\d+)?\s*%|[1-9]\d?(\.\d+)?|100(\.0+)?")
_INSTANT = re.compile(
    r"(?P<year>\d{4})(?:\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?|(?P<mm>\d\d)(?P<dd>\d\d))"
    r"(?:(?:[T\s]+|(?<=日)|(?=[上下凌早]))(?P<half>上午|下午|凌晨|早上)?\s*(?P<hour>\d{1,2})[:时点](?P<minute>\d{1,2})分?"
    r"(?::?(?P<second>\d{1,2})秒?(?:\.\d+)?)?(?:\s*(?P<noon>[ap])\.?m\.?)?\s*(?P<offset>Z|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?)?"
    r"|\s?(?P<hh>\d\d)(?P<mi>\d\d)(?P<ss>\d\d)?)?$",
    re.I,
)
SERIAL = r"[2-6]\d{4}(\.\d+)?"  # days since the end of 1899, as Excel keeps a moment
CHINA = pd.Timedelta(hours=8)  # one time for the whole country
# What people write where there is nothing to write; blank wherever it is no value of the column itself.
NOTHING = frozenset(
    ["无", "暂无", "没有", "未", "未填", "空", "/", "//", "\\", "-", "--", "---", "—", "——", "―", "–", "n/a", "nil"]
)


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
    part = text.str.extract(_INSTANT)
    for name, other in {"month": "mm", "day": "dd", "hour": "hh", "minute": "mi", "second": "ss"}.items():
        part[name] = part[name].fillna(part[other])
    names = ["year", "month", "day", "hour", "minute", "second"]
    filled, hour = part[names].fillna("0").astype(int), part["hour"].fillna("0").astype(int)
    half = part["half"].replace({"上午": "a", "凌晨": "a", "早上": "a", "下午": "p"}).fillna(part["noon"].str.lower())
    am, pm = (half == "a").fillna(False).astype(bool), (half == "p").fillna(False).astype(bool)
    real = filled.year.between(1678, 2261) & (hour < 24) & (filled.minute < 60) & (filled.second < 60)
    real &= ~(am & (hour > 12)) & ~(pm & (hour == 0)) & ~(part["half"].notna() & part["noon"].notna())
    filled["hour"] = hour + 12 * (pm & (hour < 12)) - 12 * (am & (hour == 12))
    moments = pd.to_datetime(filled.where(real), errors="coerce")
    away = (
        part["offset"]
        .str.upper()
        .str.removeprefix("UTC")
        .str.removeprefix("GMT")
        .replace("Z", "+00")
        .str.replace(":", "")
    )
    minutes = pd.to_numeric(away.str[0] + "1") * (
        60 * pd.to_numeric(away.str[1:3]) + pd.to_numeric(away.str[3:5]).fillna(0)
    )
    moments = moments.where(away.isna(), moments - pd.to_timedelta(minutes, unit="min") + CHINA)
    serial = pd.to_numeric(text.where(text.str.fullmatch(SERIAL)), errors="coerce")
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
    """One of a list of codes; a cell may hold the code, its label in either language, or another word for it (`also`)."""

    options: Mapping[str, Text]
    also: Mapping[str, str] = field(default_factory=dict)

    def read(self, text: pd.Series) -> pd.Series:
        known = {
            clean_text(word).casefold(): code for code, label in self.options.items() for word in (code, *label)
        } | dict(self.also)
        found = text.str.casefold().map(known)
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

    def plain(self, cells: pd.Series) -> pd.Series:
        """Clean cells, blank where they say that there is nothing; of a text that must be there each word is kept."""
        if isinstance(self.kind, Label) and not self.optional:
            return cells
        says_nothing = cells.str.casefold().isin(NOTHING)
        if isinstance(self.kind, Flag):  # where a yes or no belongs, 无 may be a no
            says_nothing &= ~cells.str.contains("[无没未]")
        return cells.mask(
            says_nothing & self.kind.read(cells).isna() if isinstance(self.kind, Choice) else says_nothing, ""
        )

    def headers(self) -> tuple[str, ...]:
        return (self.name, *self.title, *self.aliases)

    def describe(self, lang: str) -> str:
        """What a cell may hold."""
        return self.note(lang) if self.note else self.kind.describe(lang)

    def unit_word(self, lang: str) -> str:
        """The unit in words, empty where the column has none."""
        return say(f"contract.unit_{re.sub('[^a-z0-9]', '_', self.unit)}", lang) if self.unit else ""


Values = Mapping[str, Mapping[str, str]]  # by column: words of the file and what they mean
Days = tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]


@dataclass(frozen=True)
class Checked:
    """What a contract made of a table: typed rows, and what was set aside (columns of REJECTED; `level`: row or cell)."""

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

    @property
    def dated(self) -> Column | None:
        """The column that says in which period a row belongs: the last of the times that every row has."""
        return next((c for c in reversed(self.columns) if isinstance(c.kind, Instant) and not c.optional), None)

    def check(
        self,
        text: pd.DataFrame,
        place: Place,
        rename: Mapping[str, str] | None = None,
        values: Values | None = None,
        days: Days | None = None,
    ) -> Checked:
        """The typed rows of `text` (cells as text, index = line of the file), and the rows and cells set aside.

        `rename` maps a column of this table to the header that holds it, `values` words of a column to what they mean.
        `days`: the first and the last of the period, and that on which the data were taken. A cell of an optional column that
        does not fit is set aside alone. Raises InputError for a missing column.
        """
        headers, faults = self.find_columns(list(text.columns), place, rename or {}), list[pd.DataFrame]()
        typed: dict[str, pd.Series] = {}
        meant = self.meant(values or {}, place)

        def fault(name: str, where: pd.Series, reason: str | list[str]) -> None:
            level = "cell" if self.by_name[name].optional else "row"
            faults.append(set_aside(place, headers[name], text[headers[name]][where], reason, level))
            if level == "cell":
                typed[name] = typed[name].mask(where)

        for name, header in headers.items():
            column, cells = self.by_name[name], clean_series(text[header])
            cells = column.plain(cells.replace(meant.get(name, {})))
            typed[name], bad = column.kind.parse(cells)
            fault(name, bad, why_unfit(column.kind, cells[bad]))
            if not column.optional:
                fault(name, cells == "", column.blank)
            if days and isinstance(column.kind, Instant):
                fault(name, typed[name].dt.normalize() > days[2], "after_as_of")
        if days and (dated := self.dated) and dated.name in typed:
            first = days[0].replace(day=1) if dated.name == "month" else days[0]
            fault(
                dated.name,
                ~typed[dated.name].dt.normalize().between(first, days[1]) & typed[dated.name].notna(),
                "outside_period",
            )
        for name, broken, reason in self.broken(pd.DataFrame(typed, index=text.index), text):
            fault(name, broken, reason)
        rejected = pd.concat(faults, ignore_index=True)
        whole = rejected["level"] == "row"
        lost = rejected.loc[whole, "row"]
        rejected = rejected[whole & ~rejected.duplicated(["row", "level"]) | ~whole & ~rejected["row"].isin(lost)]
        rejected = rejected.sort_values("row", kind="stable", ignore_index=True)
        rows = pd.DataFrame(typed, index=text.index)
        kept = rows[~rows.index.isin(lost)]
        blank = pd.Series("", index=kept.index)
        kept = kept.assign(**{c.name: c.kind.read(blank) for c in self.columns if c.name not in headers})
        return Checked(kept[[column.name for column in self.columns]], rejected)

    def meant(self, values: Values, place: Place) -> dict[str, dict[str, str]]:
        """By column: clean words of the file and what they mean; raises InputError for an unknown column or meaning."""
        for name, words in values.items():
            if name not in self.by_name:
                raise InputError("contract.no_such_column", place, name=name, close=near(name, self.by_name))
            kind = self.by_name[name].kind
            for word, meaning in words.items():
                if kind.parse(pd.Series([clean_text(meaning)], dtype=object))[1].any():
                    told = {"name": name, "word": word, "meaning": meaning}
                    raise InputError("contract.no_such_value", place, **told, allowed=kind.describe(language()))
        return {name: {clean_text(word): code for word, code in words.items()} for name, words in values.items()}

    def find_columns(self, headers: list[str], place: Place, rename: Mapping[str, str]) -> dict[str, str]:
        """Which header holds which column; raises InputError naming what is missing, what is there twice, and what was found."""
        for name in rename:
            if name not in self.by_name:
                raise InputError("contract.no_such_column", place, name=name, close=near(name, self.by_name))
        clean = {fold(header): header for header in headers}
        found = {}
        for column in self.columns:
            names = (rename[column.name],) if column.name in rename else column.headers()
            hits = list(dict.fromkeys(clean[key] for key in map(fold, names) if key in clean))
            if len(hits) > 1:
                raise InputError(
                    "contract.two_columns", place, name=column.name, found=", ".join(map(full_header, hits))
                )
            if hits:
                found[column.name] = hits[0]
            elif not column.optional or column.name in rename:
                known = ", ".join(map(full_header, headers))
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
            alike = rows[keys].apply(
                lambda cells: cells.str.casefold() if isinstance(self.by_name[cells.name].kind, Id) else cells
            )
            again = alike.duplicated() & rows[keys].notna().all(axis=1)
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


def set_aside(place: Place, column: str, cells: pd.Series, reason: str | list[str], level: str = "row") -> pd.DataFrame:
    """Rows of the table `rejected` (columns REJECTED) for `cells`, whose index holds the lines of the file."""
    told = (place.file, place.sheet, cells.index, column, cells.to_numpy(dtype=object), reason, level)
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
