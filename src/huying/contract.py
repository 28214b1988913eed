"""What a table must look like: columns, types, codes, ranges; one declaration validates, documents and writes raw text.

Nothing is guessed: a cell that does not fit is set aside with its place, its value and the reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from huying.errors import InputError, Place
from huying.words import Text, say

REJECTED = ("file", "sheet", "row", "column", "value", "reason")
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
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


class Kind(Protocol):
    """A type of cell: `parse` turns clean text into values and a mask of what does not fit; `show` turns values back."""

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]: ...

    def show(self, values: pd.Series) -> pd.Series: ...

    def describe(self, lang: str) -> str: ...


@dataclass(frozen=True)
class Label:
    """Any text."""

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        return text.where(text != "", None), pd.Series(False, index=text.index)

    def show(self, values: pd.Series) -> pd.Series:
        return values.fillna("").astype(str)

    def describe(self, lang: str) -> str:
        return say("contract.label", lang)


@dataclass(frozen=True)
class Id(Label):
    """An identifier, kept as text to the last digit; a number in scientific notation has lost digits and does not fit."""

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        return text.where(text != "", None), text.str.fullmatch(r"\d(\.\d+)?E\+\d+", case=False)

    def describe(self, lang: str) -> str:
        return say("contract.id", lang)


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = 10**9

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d+(\.0+)?")), errors="coerce")
        fits = number.between(self.low, self.high)
        return number.where(fits).astype("Int64"), ~fits & (text != "")

    def show(self, values: pd.Series) -> pd.Series:
        return values.astype("Int64").astype("string").fillna("").astype(str)

    def describe(self, lang: str) -> str:
        return say("contract.whole", lang, low=self.low, high=self.high)


@dataclass(frozen=True)
class Number:
    """A finite decimal number from `low` to `high`."""

    low: float = float("-inf")
    high: float = float("inf")

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")), errors="coerce")
        fits = number.between(self.low, self.high) & np.isfinite(number)
        return number.where(fits).astype("float64"), ~fits & (text != "")

    def show(self, values: pd.Series) -> pd.Series:
        return values.map(lambda value: "" if pd.isna(value) else f"{value:.10g}")

    def describe(self, lang: str) -> str:
        return say("contract.number", lang, low=self.low, high=self.high)


def parse_instants(text: pd.Series) -> pd.Series:
    """Clean text as naive local times: year first, Excel's serial days too; what could mean two days becomes missing."""
    part = text.str.extract(_DAY + _TIME)
    filled = part.fillna("0").astype(int).set_axis(["year", "month", "day", "hour", "minute", "second"], axis=1)
    real = (filled.year > 0) & (filled.hour < 24) & (filled.minute < 60) & (filled.second < 60)
    moments = pd.to_datetime(filled.where(real), errors="coerce")
    serial = pd.to_numeric(text.where(text.str.fullmatch(r"[2-6]\d{4}(\.\d+)?")), errors="coerce")
    serials = pd.Timestamp("1899-12-30") + pd.to_timedelta(serial, unit="D")
    return moments.fillna(serials.dt.round("s")).astype("datetime64[ns]")


@dataclass(frozen=True)
class Instant:
    """A day with an hour, or a day alone (then midnight), between two days."""

    low: str = "1990-01-01"
    high: str = "2100-01-01"
    form: str = "%Y-%m-%d %H:%M:%S"

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        moments = parse_instants(text)
        fits = moments.between(pd.Timestamp(self.low), pd.Timestamp(self.high))
        return moments.where(fits), ~fits & (text != "")

    def show(self, values: pd.Series) -> pd.Series:
        return values.dt.strftime(self.form).fillna("")

    def describe(self, lang: str) -> str:
        return say("contract.instant", lang, low=self.low, high=self.high)


@dataclass(frozen=True)
class Day(Instant):
    """A calendar day."""

    form: str = "%Y-%m-%d"

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        moments, bad = super().parse(text)
        return moments.dt.normalize(), bad

    def describe(self, lang: str) -> str:
        return say("contract.day", lang, low=self.low, high=self.high)


@dataclass(frozen=True)
class Choice:
    """One of a list of codes; a cell may hold the code or its label in either language."""

    options: Mapping[str, Text]

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        known = {clean_text(word).casefold(): code for code, label in self.options.items() for word in (code, *label)}
        found = text.str.casefold().map(known)
        return found.where(found.notna(), None), found.isna() & (text != "")

    def show(self, values: pd.Series) -> pd.Series:
        return values.map({code: label.zh for code, label in self.options.items()}).fillna("")

    def describe(self, lang: str) -> str:
        return "; ".join(f"{code} = {label(lang)}" for code, label in self.options.items())


YES_NO = Choice({"1": Text("是", "yes"), "0": Text("否", "no")})


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    def parse(self, text: pd.Series) -> tuple[pd.Series, pd.Series]:
        codes, bad = YES_NO.parse(text)
        return codes.map({"1": True, "0": False}).astype("boolean"), bad

    def show(self, values: pd.Series) -> pd.Series:
        return YES_NO.show(values.map({True: "1", False: "0"}))

    def describe(self, lang: str) -> str:
        return YES_NO.describe(lang)


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


class Rule(Protocol):
    """What must hold between columns or rows (`huying.rules`): `broken` gives, by line, what the rows that break it hold.

    `titles` are the titles of the columns and, for rules that look into another ledger, of the ledgers.
    """

    @property
    def column(self) -> str: ...

    @property
    def reason(self) -> str: ...

    def broken(self, rows: pd.DataFrame, known: Mapping[str, Collection[str]]) -> pd.Series: ...

    def describe(self, lang: str, titles: Mapping[str, str]) -> str: ...


@dataclass(frozen=True)
class Checked:
    """What a contract made of a table: typed rows, rows set aside (columns of REJECTED), and headers nobody asked for."""

    kept: pd.DataFrame
    rejected: pd.DataFrame
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table's declaration: name, title, columns, the columns that make a row unique, and what a row is.

    `covers`: the list is complete over the towns, so that every town of the register must stand in it. `rules` hold between
    columns or rows; `example` is one plausible row, a text for each column.
    """

    name: str
    title: Text
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    rows: Text | None = None
    covers: bool = False
    rules: tuple[Rule, ...] = ()
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
            cells = clean_series(text[header])
            typed[name], bad = self.by_name[name].kind.parse(cells)
            faults.append(set_aside(place, header, text[header][bad], why_unfit(self.by_name[name].kind, cells[bad])))
            if not self.by_name[name].optional:
                faults.append(set_aside(place, header, text[header][cells == ""], self.by_name[name].blank))
        rows = pd.DataFrame(typed, index=text.index)
        faults += [self.out_of_order(rows, headers, text, place), self.repeated(rows, text, headers, place)]
        rejected = pd.concat(faults, ignore_index=True).drop_duplicates("row").sort_values("row", ignore_index=True)
        kept = rows[~rows.index.isin(rejected["row"])]
        for column in self.columns:
            if column.name not in kept:
                kept = kept.assign(**{column.name: column.kind.parse(pd.Series("", index=kept.index))[0]})
        unused = tuple(str(header) for header in text.columns if header not in headers.values())
        return Checked(kept[[column.name for column in self.columns]], rejected, unused)

    def find_columns(self, headers: list[str], place: Place, rename: Mapping[str, str]) -> dict[str, str]:
        """Which header holds which column; raises InputError naming what is missing and what was found."""
        clean = {clean_text(header).casefold(): header for header in headers}
        found = {}
        for column in self.columns:
            names = (rename[column.name],) if column.name in rename else column.headers()
            hits = [clean[key] for key in (clean_text(name).casefold() for name in names) if key in clean]
            if hits:
                found[column.name] = hits[0]
            elif not column.optional or column.name in rename:
                raise InputError(
                    "contract.no_column", place, wanted=" / ".join(names), found=", ".join(map(str, headers))
                )
        return found

    def out_of_order(
        self, rows: pd.DataFrame, headers: Mapping[str, str], text: pd.DataFrame, place: Place
    ) -> pd.DataFrame:
        """Rows in which a time stands before the one it must follow."""
        found = [set_aside(place, "", pd.Series(dtype=object), "before")]
        for column in self.columns:
            if column.after and column.name in rows and column.after in rows:
                early = rows[column.name] < rows[column.after]
                found.append(set_aside(place, headers[column.name], text[headers[column.name]][early], "before"))
        return pd.concat(found, ignore_index=True)

    def repeated(
        self, rows: pd.DataFrame, text: pd.DataFrame, headers: Mapping[str, str], place: Place
    ) -> pd.DataFrame:
        """Rows whose key stands already in a row above: the same row again, or another row under the same key."""
        keys = [name for name in self.key if name in rows]
        if not keys:
            return set_aside(place, "", pd.Series(dtype=object), "repeated")
        again = rows.duplicated(keys) & rows[keys].notna().all(axis=1)
        same = again & text.duplicated()
        cells = text[headers[keys[0]]]
        return pd.concat(
            [set_aside(place, headers[keys[0]], cells[same], "repeated"),
             set_aside(place, headers[keys[0]], cells[again & ~same], "key_taken")]
        )  # fmt: skip

    def key_words(self, lang: str) -> str:
        """What no two rows may share, empty for a table without a key."""
        names = [self.by_name[name].title(lang) for name in self.key]
        return say("contract.rule_key", lang, key=" + ".join(names)) if names else ""

    def rule_words(self, lang: str, ledgers: Mapping[str, str]) -> list[str]:
        """The rules between columns and rows in words; `ledgers` are the titles of the tables that they may look into."""
        titles = {**ledgers, **{column.name: column.title(lang) for column in self.columns}}
        return [rule.describe(lang, titles) for rule in self.rules]

    def show(self, rows: pd.DataFrame, lang: str = "zh") -> pd.DataFrame:
        """`rows` as a county's office would write them: titles for headers, labels for codes, everything text."""
        wanted = [column for column in self.columns if column.name in rows]
        return pd.DataFrame({column.title(lang): column.kind.show(rows[column.name]) for column in wanted})


def why_unfit(kind: Kind, cells: pd.Series) -> list[str]:
    """The reason for each clean cell that does not fit: a per cent where a share from 0 to 1 belongs is told apart."""
    is_share = isinstance(kind, Number) and (kind.low, kind.high) == (0, 1)
    return ["per_cent" if is_share and _PER_CENT.fullmatch(cell) else "unfit" for cell in cells]


def set_aside(place: Place, column: str, cells: pd.Series, reason: str | list[str]) -> pd.DataFrame:
    """Rows of the table `rejected` (columns REJECTED) for `cells`, whose index holds the lines of the file."""
    return pd.DataFrame(
        {"file": place.file, "sheet": place.sheet, "row": cells.index, "column": column,
         "value": cells.to_numpy(dtype=object), "reason": reason}, columns=list(REJECTED)
    )  # fmt: skip


def no_rejects() -> pd.DataFrame:
    """An empty table of rejected rows."""
    return set_aside(Place(), "", pd.Series(dtype=object), "")


def choices(pairs: Iterable[tuple[Any, str, str]]) -> Choice:
    """A Choice from (code, zh, en) triples."""
    return Choice({str(code): Text(zh, en) for code, zh, en in pairs})


def full_header(header: str) -> str:
    """A header without invisible characters and repeated blanks."""
    return re.sub(r"\s+", " ", clean_text(header))
