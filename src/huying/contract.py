"""What a table must look like: columns, types, codes, ranges; one declaration validates, documents and explains.

Nothing is guessed: a cell that does not fit is set aside with its place, its value and the reason.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from huying.errors import InputError, Place, near
from huying.kinds import NOTHING, Choice, Flag, Id, Instant, Kind, Label, Number, clean_series, clean_text
from huying.rules import AnyRule
from huying.scrub import mask_text
from huying.words import Text, language, say

REJECTED = ("file", "sheet", "row", "column", "value", "reason", "level")
_PER_CENT = re.compile(r"\d{1,3}(\.\d+)?\s*%|[1-9]\d?(\.\d+)?|100(\.0+)?")


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
    return re.sub(r"\s", "", clean_text(mask_text(header))).casefold()
