"""The questionnaire as data: items, wording, codes, missing codes, skip rules, the claims they serve; refuses what contradicts itself."""

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from huying import derived
from huying.derived import MEAN, Bools, Scope
from huying.folder import Declaration, Steps, parse_toml
from huying.words import LANGUAGES, CountyError, EstimateError, Place, Text, near, say

MATRICES = ("matrix_single", "matrix_scale")
TYPES = ("single", "dropdown", "multi", "ranking", "whole", "number", "text", "date", "scale", *MATRICES)
MANY = ("multi", "ranking")  # one cell that holds several options
WORDS = ("text", "date")  # kept as they are written
MOST_OPTIONS = 50  # of an item of MANY: its answers are kept as bits
WHY_MISSING = ("refused", "does_not_know", "skipped", "blank", "not_applicable")
# Columns that a prepared frame or an estimate frame has of its own.
RESERVED = (
    "town", "village", "wave", "weight", "flags", "age_group", "sex_group", "interviewer", "submitted_at", "seconds", "place",
    "measure", "estimate", "low", "high", "n", "n_eff", "df", "deff", "reliability", "reason", "method", "se", "period", "rho",
    "row_id", "form", "town_id", "village_id", "interviewer_id", "disposition", "given_weight",  # of a cleaned form
)  # fmt: skip
# Words of the grammar of derived variables and of formulas: as a name they could not be told from the rule.
TAKEN = {*keyword.kwlist, "any", "mean", "of", "right", "against"}


@dataclass(frozen=True)
class Option:
    """One answer of a closed item; `key` is what a prepared frame holds, `o<code>` where none is given."""

    code: int
    text: Text
    key: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or f"o{self.code}".replace("-", "m"))


@dataclass(frozen=True)
class Item:
    """One question. `options` stand in the order of the form: their position is what a number export holds.

    `name` and `row_names` (by row id) make the columns of a prepared frame; without them they are
    the lowered id and the row's id (`r1` for a row 1). `headers` and `coded` are the item's own columns in an export by text
    (or a labelled file) and by number; without them its wording finds them. `blank`: words that are no answer, such as NA;
    `joint`: what parts the options of one cell; `missing_from`: numbers that are no answer, from and to.
    """

    id: str
    form: str
    type: str
    text: Text
    options: tuple[Option, ...] = ()
    options_from: str = ""
    rows: tuple[tuple[str, Text], ...] = ()
    missing: Mapping[int, str] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    unit: Text | None = None
    exclusive: tuple[int, ...] = ()
    max_choices: int | None = None
    fill_in: tuple[int, ...] = ()
    asked_if: str = ""
    ends_if: str = ""
    contradicts: str = ""
    right: Mapping[str, int] = field(default_factory=dict)
    right_from: str = ""
    attention: Mapping[str, int] = field(default_factory=dict)
    reverse: tuple[str, ...] = ()
    decoy: tuple[str, ...] = ()
    optional: bool = False
    claims: tuple[str, ...] = ()
    role: str = ""
    name: str = ""
    row_names: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    missing_from: tuple[tuple[float, float], ...] = ()
    blank: tuple[str, ...] = ()
    joint: str = ""

    @property
    def is_matrix(self) -> bool:
        return self.type in MATRICES

    @property
    def parts(self) -> tuple[tuple[str, str, str | Option | None], ...]:
        """What the item is made of (a row of a matrix, an option where several can be named, or nothing: the whole item).

        Each with its column in a cleaned table and in a prepared frame.
        """
        if self.is_matrix:
            return tuple((f"{self.id}_{row}", f"{self.name}_{self.row_names[row]}", row) for row, _ in self.rows)
        if self.type in MANY:
            return tuple((f"{self.id}_{one.code}", f"{self.name}_{one.key}", one) for one in self.options)
        return ((self.id, self.name, None),)

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns that a cleaned table has for the item."""
        return tuple(variable for variable, _, _ in self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a prepared frame has for the item, in the order of `variables`."""
        return tuple(column for _, column, _ in self.parts)

    @property
    def cells(self) -> tuple[str, ...]:
        """The answers that an export has for the item: one, or one a row of a matrix."""
        return self.variables if self.is_matrix else (self.id,)


class Codebook(NamedTuple):
    """All items of all forms, by id."""

    items: Mapping[str, Item]

    def form(self, form: str) -> tuple[Item, ...]:
        """The items of one form in their order."""
        return tuple(item for item in self.items.values() if item.form == form)


def read_item(raw: Mapping[str, Any]) -> Item:
    """One `[[item]]` table, as an Item."""
    known = {**raw, "text": Text(raw["zh"], raw["en"]), "name": raw.get("name") or raw["id"].lower()}
    known["options"] = [Option(o["code"], Text(o["zh"], o["en"]), o.get("key", "")) for o in raw.get("options", ())]
    rows = {str(row["id"]): row for row in raw.get("rows", ())}
    known["rows"] = [(key, Text(row["zh"], row["en"])) for key, row in rows.items()]
    names = ((key, row.get("name") or (f"r{key}" if key[:1].isdigit() else key)) for key, row in rows.items())
    known["row_names"] = dict(names)
    known["missing"] = {int(code): why for code, why in raw.get("missing", {}).items()}
    known |= {"unit": Text(**raw["unit"])} if "unit" in raw else {}
    rest: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items() if k not in LANGUAGES}
    return Item(**rest)


def check_parts(item: Item, within: Steps, declared: Declaration) -> None:
    """Refuses an option or row that stands twice, and one that is spoken of and not there."""
    codes, rows = [option.code for option in item.options], [row for row, _ in item.rows]
    if len(codes) > MOST_OPTIONS and item.type in MANY:
        told = {"where": f"item {item.id}", "n": len(codes), "most": MOST_OPTIONS}
        raise declared.fail("codebook.too_many_options", "options", None, within, **told)
    twice = [code for code in codes if codes.count(code) > 1]
    spoken: list[tuple[str, list[Any], Iterable[Any]]] = [("options", [*{*codes}], twice)]
    spoken += [("exclusive", codes, item.exclusive), ("fill_in", codes, item.fill_in), ("reverse", rows, item.reverse)]
    spoken += [(key, rows, getattr(item, key)) for key in ("right", "attention", "decoy")]
    spoken += [(key, codes, getattr(item, key).values()) for key in ("right", "attention")]
    for key, known, named in spoken:
        strange = [one for one in named if one not in known or key == "options"]
        if strange and not (known is codes and item.options_from):
            told = {"where": item.id, "key": key, "got": strange[0], "known": ", ".join(map(str, known)) or "-"}
            raise declared.fail("codebook.no_such_part", key, strange[0], within, **told)


def check_rules(item: Item, form: Sequence[Item], within: Steps, declared: Declaration) -> None:
    """Refuses a rule that cannot be read, or speaks of what is not asked before: it would be taken for true of everybody."""
    before = form[: form.index(item)]
    for key, others in (("asked_if", before), ("ends_if", [*before, item]), ("contradicts", form)):
        rule = getattr(item, key)
        known = {name: () for other in others for name in other.variables}
        known |= {n: () for n in names_in(rule) for o in others if o.options_from and n.startswith(f"{o.id}_")}
        for row in [row for row, _ in item.rows] or [""] if rule else []:
            said = rule.replace("*", row)
            for name in (name for name in names_in(said) if name not in known):
                told = {"where": item.id, "rule": rule, "name": name, "close": near(name, known)}
                raise declared.fail("codebook.unknown_name", key, rule, within, **told)
            try:
                if derived.read_rule(said, derived.Scope(known)).joined == MEAN:
                    raise EstimateError("derived.no_condition", rule=rule)
            except EstimateError as error:
                raise declared.fail(error.key, key, rule, within, **error.values) from error


def check_names(items: Iterable[Item], place: Place | None = None) -> None:
    """Refuses a name that a rule or formula could not hold, one that stands twice in an item, and columns of one form that
    cannot be told apart, from each other or from a frame's own."""
    taken: dict[tuple[str, str], str] = {}
    for item in items:
        keys, rows = [option.key for option in item.options], [item.row_names[row] for row, _ in item.rows]
        for names, name in ((own, name) for own in ([item.name], keys, rows) for name in own):
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in TAKEN:
                raise CountyError("codebook.bad_name", place, where=item.id, name=name)
            if names.count(name) > 1:
                raise CountyError("codebook.repeated_name", place, where=item.id, name=name, other=item.id)
        for column in dict.fromkeys((item.name, *item.columns)):
            if column in RESERVED:
                raise CountyError("codebook.reserved_name", place, where=item.id, name=column)
            if (other := taken.setdefault((item.form, column), item.id)) != item.id:
                raise CountyError("codebook.repeated_name", place, where=item.id, name=column, other=other)


def parse_codebook(toml: str, place: Place | None = None) -> Codebook:
    """A codebook from the text of its file; raises CountyError for a repeated id, a bad name or a rule about an unknown item."""
    declared = parse_toml(toml, Path(place.file if place else "codebook.toml")).check("codebook")
    items = [read_item(raw) for raw in declared.raw.get("item", ())]
    book = Codebook({item.id: item for item in items})
    if twice := sorted(key for key, n in Counter(item.id for item in items).items() if n > 1):
        raise CountyError("codebook.repeated_id", place, ids=", ".join(twice))
    check_names(items, place)
    for nth, item in enumerate(items):
        within = (("item", nth),)
        check_parts(item, within, declared)
        check_rules(item, book.form(item.form), within, declared)
    return book


@cache
def house_codebook() -> Codebook:
    """The questionnaire that the house brings: 70 items in four forms."""
    file = files("huying").joinpath("data/codebook.toml")
    return parse_codebook(file.read_text("utf-8"), Place(file.name))


def own_words(item: Item, option: Option) -> tuple[str, Text]:
    """The name and the wording of the text in which a form keeps the words that belong to an option of `fill_in`."""
    told = (say("codebook.own_words", lang, question=item.text(lang), option=option.text(lang)) for lang in LANGUAGES)
    return f"{item.name}_{option.key}_text", Text(*told)


def names_in(rule: str) -> list[str]:
    """The items that a rule about the order of a form speaks of."""
    return [name for name in re.findall(r"\b[^\W\d][\w*]*", rule) if name not in TAKEN]


def holds(rule: str, answers: pd.DataFrame, row: str = "") -> Bools:
    """For each respondent whether `rule` holds, in the grammar of `huying.derived` with codes for answers.

    A missing answer makes every comparison false; `_*` stands for the matrix row `row`.
    """
    scope = derived.Scope(dict.fromkeys(map(str, answers), ()))
    return derived.holds(rule.replace("*", row), derived.Answers(answers, pd.DataFrame()), scope)


# --- answers by their names -------------------------------------------------------------------------------------------

Lists = Mapping[str, Sequence[tuple[int, str]]]  # a county's lists: code and key, such as 1 and T01
KEY_TYPES = ("single", "dropdown", "matrix_single")
WHOLE = dict.fromkeys(("scale", "matrix_scale", "whole", "ranking"), ("Int64",))
CASTS = {**WHOLE, "multi": ("Int64", "boolean"), "date": ("string", "datetime64[s]"), "number": ("Float64",)}


def keys_of(item: Item, lists: Lists) -> dict[int, str]:
    """The key of each answer code: the county's own list first, then the options of the codebook."""
    return {**dict(lists.get(item.options_from, ())), **{option.code: option.key for option in item.options}}


def name_answers(rows: pd.DataFrame, items: Sequence[Item], lists: Lists) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The named columns of cleaned `rows`, and why each answer is missing (the same columns), both with the index of `rows`."""
    values, reasons = dict[str, pd.Series](), dict[str, pd.Series]()
    for item in (item for item in items if set(item.variables) <= set(rows)):
        keys = keys_of(item, lists)
        for variable, column in zip(item.variables, item.columns, strict=True):
            values[column] = name_one(rows[variable], item, keys)
            reasons[column] = rows[f"{item.id if item.type in MANY else variable}_missing"]
        if item.role == "town":
            values[item.name] = rows["town_id"].astype("string")
    return pd.DataFrame(values, index=rows.index), pd.DataFrame(reasons, index=rows.index)


def name_one(answers: pd.Series, item: Item, keys: Mapping[int, str]) -> pd.Series:
    """One cleaned column in the type that its item has in the named frame."""
    if item.type in KEY_TYPES:
        return answers.astype("Int64").map(keys, na_action="ignore").astype("string")
    for kind in CASTS.get(item.type, ("string",)):
        answers = answers.astype(kind)
    return answers


def scope_of(items: Sequence[Item], lists: Lists, groups: Mapping[str, Sequence[str]]) -> Scope:
    """What a rule may speak of: columns with their answers, in the order of the form, and `groups` with theirs.

    Answers may be named by their wording in either language; a quiz by its item, each row with the key of its right answer.
    """
    options, right, words = dict[str, Sequence[str]](), dict[str, Mapping[str, str]](), dict[str, Mapping[str, str]]()
    for item in items:
        keys, named = keys_of(item, lists), dict(zip(item.variables, item.columns, strict=True))
        is_closed = item.type in KEY_TYPES
        options |= dict.fromkeys(item.columns, tuple(keys.values()) if is_closed else ())
        own = {text: option.key for option in item.options for text in option.text}
        words |= dict.fromkeys(item.columns if is_closed else (), own)
        if item.right:
            right[item.name] = {named[f"{item.id}_{row}"]: keys[code] for row, code in item.right.items()}
    return Scope({**options, **groups}, right, words)
