"""The county's ledgers: what a table must look like, its columns, codes, ranges and rules; one declaration validates and explains.

Nothing is guessed: a cell that does not fit is set aside with its place, its value and the reason; of two rows that contradict
each other both are. `data/ledgers.toml` declares every table: reading, templates and the dictionary are made from it.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import pandas as pd

from huying import kinds
from huying.kinds import NOTHING, Choice, Flag, Id, Instant, Kind, Label, Number, clean_series, clean_text
from huying.scrub import mask_text
from huying.words import InputError, Place, Text, as_text, language, near, say

SLACK = 0.005 + 1e-9  # shares printed with two digits may miss their sum by half a per cent
Known = Mapping[str, Collection[str]]  # the ids that other ledgers hold, by ledger


class Rule(NamedTuple):
    """What must hold between columns or rows: one of RULES, told at `column`; `reason` is that of the rows set aside.

    `more` holds what the rule speaks of, by the names that its function explains.
    """

    name: str
    reason: str
    column: str
    more: Mapping[str, Any]

    def describe(self, lang: str, titles: Mapping[str, str]) -> str:
        """The rule in words; `titles` are those of the columns and, for rules that look into another ledger, of the ledgers."""
        values = {name: _in_words(value, titles) for name, value in self.more.items()}
        return say(f"contract.rule_{self.name.lower()}", lang, **values)

    def broken(self, rows: pd.DataFrame, known: Known) -> pd.Series:
        """What each row holds that breaks the rule, by its line in the file."""
        return RULES[self.name](self, rows, known)


def at_most(rule: Rule, rows: pd.DataFrame, known: Known) -> pd.Series:
    """The column, a part, may not be larger than `whole` in the same row; a blank on either side breaks nothing."""
    out = rows[(rows[rule.column] > rows[rule.more["whole"]]).fillna(False).astype(bool)]
    return out[rule.column].map(_short).astype(str) + " > " + out[rule.more["whole"]].map(_short).astype(str)


def sum_to(rule: Rule, rows: pd.DataFrame, known: Known) -> pd.Series:
    """The `columns` of one row add to `total`; else the sum that they give, such as `0.35 + 0.68 = 1.03`."""
    parts = rows[list(rule.more["columns"])]
    out = parts[(parts.sum(axis=1, skipna=False) - rule.more["total"]).abs() > SLACK]
    return pd.Series(map(_sum_of, out.to_numpy()), index=out.index, dtype=object)


def group_sum(rule: Rule, rows: pd.DataFrame, known: Known) -> pd.Series:
    """The values that are given for one `key` add to `total`, in all or from each date in `dated` on.

    One wrong share makes all rows of its key doubtful, so all are set aside. A key without any value breaks nothing.
    """
    found: dict[object, str] = {}
    for key, own in rows.groupby(rule.more["key"]):
        given = own[own[rule.column].notna()]
        by_date = given.groupby(rule.more["dated"], dropna=False)[rule.column].sum()
        off = [(sums - rule.more["total"]).abs() > SLACK for sums in (given[rule.column].agg(["sum"]), by_date)]
        if len(given) and all(far.any() for far in off):
            found |= dict.fromkeys(own.index, f"{key}: {_sum_of(given[rule.column])}")
    return pd.Series(found, dtype=object)


def one_place(rule: Rule, rows: pd.DataFrame, known: Known) -> pd.Series:
    """An id stands at one `place` only: otherwise nobody knows at which, and all its rows are set aside, with the places.

    It is asked before the key of the table, which would keep the row that happens to come first.
    """
    sure = rows.dropna(subset=[rule.column, rule.more["place"]])
    places = sure.groupby(rule.column)[rule.more["place"]]
    shown = sure[rule.column].map(places.agg(lambda found: ", ".join(sorted(set(found)))))
    return (sure[rule.column] + ": " + shown)[places.transform("nunique") > 1]


def in_ledger(rule: Rule, rows: pd.DataFrame, known: Known) -> pd.Series:
    """The column holds only ids that `ledger` has under `of`; nothing is asked where the county has no such ledger."""
    cells = rows[rule.column]
    return cells[cells.notna() & ~cells.isin(list(known.get(rule.more["ledger"], cells)))].astype(object)


RULES = {"AtMost": at_most, "SumTo": sum_to, "GroupSum": group_sum, "OnePlace": one_place, "InLedger": in_ledger}


def _in_words(value: Any, titles: Mapping[str, str]) -> str:
    if isinstance(value, tuple):
        return " + ".join(titles[name] for name in value)
    return titles.get(value, value) if isinstance(value, str) else _short(value)


def _short(number: float) -> str:
    return f"{float(number):.4g}"


def _sum_of(values: Collection[float]) -> str:
    return f"{' + '.join(map(_short, values))} = {_short(sum(values))}"


# --- tables and their columns -----------------------------------------------------------------------------------------


REJECTED = ("file", "sheet", "row", "column", "value", "reason", "level")
_PER_CENT = re.compile(r"\d{1,3}(\.\d+)?\s*%|[1-9]\d?(\.\d+)?|100(\.0+)?")


class Column(NamedTuple):
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
        if isinstance(self.kind, Choice):  # unless it is one of the choices
            says_nothing &= self.kind.read(cells).isna()
        return cells.mask(says_nothing, "")

    def headers(self) -> tuple[str, ...]:
        return (self.name, *self.title, *self.aliases)

    def describe(self, lang: str) -> str:
        """What a cell may hold."""
        return self.note(lang) if self.note else self.kind.describe(lang)

    def unit_word(self, lang: str) -> str:
        """The unit in words, empty where the column has none."""
        return say(f"contract.unit_{re.sub('[^a-z0-9]', '_', self.unit)}", lang) if self.unit else ""


Rename = Mapping[str, str] | None  # by column: its header in the file
Values = Mapping[str, Mapping[str, str]] | None  # by column: words of the file and what they mean
Days = tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp] | None


class Checked(NamedTuple):
    """What a contract made of a table: typed rows, what was set aside (columns of REJECTED; `level`: row or cell), headers by column."""

    kept: pd.DataFrame
    rejected: pd.DataFrame
    headers: Mapping[str, str]


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
    rules: tuple[Rule, ...] = ()
    example: tuple[str | Text, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({column.name: column for column in self.columns})

    def check(
        self, text: pd.DataFrame, place: Place, rename: Rename = None, values: Values = None, days: Days = None
    ) -> Checked:
        """The typed rows of `text` (cells as text, index = line of the file), and the rows and cells set aside.

        `rename` maps a column of this table to the header that holds it, `values` words of a column to what they mean.
        `days`: the first and the last of the period, and that on which the data were taken. A cell of an optional column that
        does not fit is set aside alone. Raises InputError for a missing column.
        """
        for name in (name for name in (*(rename or {}), *(values or {})) if name not in self.by_name):
            raise InputError("contract.no_such_column", place, name=name, close=near(name, self.by_name))
        headers, faults = self.find_columns(list(text.columns), place, rename or {}), [no_rejects()]
        typed, meant = dict[str, pd.Series](), self.meant(values or {}, place)

        def fault(name: str, where: pd.Series, reason: str | list[str]) -> None:
            level = "cell" if self.by_name[name].optional else "row"
            if where.any():
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
        times = [c.name for c in self.columns if isinstance(c.kind, Instant) and not c.optional]
        if days and times:  # the last of the times that every row has says in which period a row belongs
            first, day = days[0].replace(day=1) if times[-1] == "month" else days[0], typed[times[-1]].dt.normalize()
            fault(times[-1], ~day.between(first, days[1]) & day.notna(), "outside_period")
        for name, broken, reason in self.broken(pd.DataFrame(typed, index=text.index), text):
            fault(name, broken, reason)
        rejected = pd.concat(faults, ignore_index=True)
        whole = rejected["level"] == "row"
        lost = rejected.loc[whole, "row"]
        rejected = rejected[whole & ~rejected.duplicated(["row", "level"]) | ~whole & ~rejected["row"].isin(lost)]
        rejected = rejected.sort_values("row", kind="stable", ignore_index=True)
        kept = pd.DataFrame(typed, index=text.index).loc[lambda rows: ~rows.index.isin(lost)]
        blank = pd.Series("", index=kept.index)
        kept = kept.assign(**{c.name: c.kind.read(blank) for c in self.columns if c.name not in headers})
        return Checked(kept[[column.name for column in self.columns]], rejected, headers)

    def meant(self, values: Mapping[str, Mapping[str, str]], place: Place) -> dict[str, dict[str, str]]:
        """By column: clean words of the file and what they mean; raises InputError for an unknown meaning."""
        for name, words in values.items():
            kind = self.by_name[name].kind
            for word, meaning in words.items():
                if kind.parse(pd.Series([clean_text(meaning)], dtype=object))[1].any():
                    told = {"name": name, "word": word, "meaning": meaning}
                    raise InputError("contract.no_such_value", place, **told, allowed=kind.describe(language()))
        return {name: {clean_text(word): code for word, code in words.items()} for name, words in values.items()}

    def find_columns(self, headers: list[str], place: Place, rename: Mapping[str, str]) -> dict[str, str]:
        """Which header holds which column; raises InputError naming what is missing, what is there twice, and what was found."""
        clean, found = [(fold(header), header) for header in headers], dict[str, str]()
        for column in self.columns:
            names = (rename[column.name],) if column.name in rename else column.headers()
            known_as = set(map(fold, names))
            if len(hits := [header for key, header in clean if key in known_as]) > 1:
                told = ", ".join(map(full_header, hits))
                raise InputError("contract.two_columns", place, name=column.name, found=told)
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
        for column in (c for c in self.columns if c.name in rows and c.after in rows):
            yield column.name, rows[column.name] < rows[column.after], "before"
        if keys := [name for name in self.key if name in rows]:
            ids = [name for name in keys if isinstance(self.by_name[name].kind, Id)]
            alike = rows[keys].assign(**{name: rows[name].str.casefold() for name in ids})
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


@cache
def no_rejects() -> pd.DataFrame:
    """An empty table of rejected rows."""
    return set_aside(Place(), "", pd.Series(dtype=object), "")


def full_header(header: str) -> str:
    """A header without invisible characters and repeated blanks."""
    return re.sub(r"\s+", " ", clean_text(header))


def fold(header: str) -> str:
    """A header as headers are compared: without any blank or line break, in lower case."""
    return re.sub(r"\s", "", clean_text(mask_text(header))).casefold()


# --- the county's ledgers ---------------------------------------------------------------------------------------------


TEXTS = ("title", "note", "rows")


def read_values(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of a declaration: texts as texts of both languages, lists as tuples."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return values | {key: as_text(raw[key], where) for key in TEXTS if isinstance(raw.get(key), dict)}


def read_table(raw: Mapping[str, Any], options: Mapping[str, Choice]) -> Table:
    """One `[[table]]` as a Table."""
    name, known = raw["name"], dict(raw)
    columns = []
    for entry in known.pop("columns"):
        own = dict(entry)
        kind, span = getattr(kinds, own["kind"].capitalize()), own.pop("range", ())
        own["kind"] = options[own.pop("options")] if kind is Choice else kind(*span)
        columns.append(Column(**read_values(own, f"{name}.{own['name']}")))
    more = [read_values(rule, name) for rule in known.pop("rules", ())]
    kept = [Rule(one["rule"], one["reason"], one.get("column") or one["columns"][0], one) for one in more]
    example = tuple(as_text(cell, name) if isinstance(cell, dict) else cell for cell in known.pop("example", ()))
    return Table(columns=tuple(columns), rules=tuple(kept), example=example, **read_values(known, name))


def read_ledgers(toml: str) -> tuple[dict[str, Choice], dict[str, Table]]:
    """The choices and the tables that a file declares, by name."""
    raw, options = tomllib.loads(toml), dict[str, Choice]()
    for name, rows in raw["choices"].items():
        also = {word: row["code"] for row in rows for word in row.get("also", ())}
        options[name] = Choice({row["code"]: Text(row["zh"], row["en"]) for row in rows}, also)
    return options, {table["name"]: read_table(table, options) for table in raw["table"]}


CHOICES, TABLES = read_ledgers(files("huying").joinpath("data/ledgers.toml").read_text("utf-8"))
AGENCY_KINDS, LEVELS, LISTS, MARKS = (CHOICES[name] for name in ("agency_kinds", "levels", "lists", "marks"))
CHECKS = tuple(column.name for column in TABLES["centres"].columns if column.name.startswith(("has_", "same_")))


@cache
def no_rows(table: str) -> pd.DataFrame:
    """A ledger's columns as cleaning leaves them (ids for names of towns and departments), typed, without a row."""
    ids, nothing = {"town": "town_id", "dept": "dept_id"}, pd.Series(dtype="str")
    return pd.DataFrame({ids.get(c.name, c.name): c.kind.read(nothing) for c in TABLES[table].columns})
