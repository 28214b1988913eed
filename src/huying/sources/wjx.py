"""问卷星 exports, by text and by number, bound to the items of a form; refuses an export that lacks an item."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pandas as pd

from huying.codebook import Item
from huying.kinds import clean_text
from huying.scrub import mask_text
from huying.sources.table import REPEAT, RawTable
from huying.words import InputError

SERIAL = "序号"
META = {SERIAL: "serial", "提交答卷时间": "submitted_at", "所用时间": "seconds", "来源详情": "source_detail",
        "village_id": "village_id", "村编号": "village_id", "interviewer_id": "interviewer_id",
        "调查员编号": "interviewer_id"}  # fmt: skip
META_COLUMNS = tuple(dict.fromkeys(META.values()))
KEYS = tuple(header for header, name in META.items() if name not in ("serial", "submitted_at", "seconds"))
MARKS = ("(跳过)", "(空)", "-2", "-3")  # what a skip and a blank are, whichever export says it
JOINT = "┋"
FILL_IN = re.compile(rf"〖.*?〗(?=\s*(?:{JOINT}|→|$))", re.S)  # the words inside may hold any sign, the joint too
_NUMBER = re.compile(r"\s*(?:第\s*(\d+)\s*题|(\d+)\s*(?:[、．]|\.(?!\d)))\s*(.*)", re.S)


@dataclass(frozen=True)
class Answers(RawTable):
    """One form's answers as its exports hold them, by the row of the text export.

    `text` has a column for each `Item.cells`; so has `codes` (None without a number export), where ticks are words.
    `numbering` says what a code is: the option's `position` (from 1) or its `code`. `meta` has META_COLUMNS, "" where
    the file has none.
    """

    meta: pd.DataFrame = field(default_factory=pd.DataFrame)
    codes: pd.DataFrame | None = None
    numbering: str = "position"


@lru_cache(maxsize=4096)
def squash(text: str) -> str:
    """A text without blanks, in NFKC: option texts are compared so."""
    return re.sub(r"\s+", "", clean_text(text)).casefold()


@lru_cache(maxsize=4096)
def stem(text: str) -> str:
    """Only the letters and digits of a text: question stems are compared so."""
    return re.sub(r"[\W_]+", "", squash(text))


def split_header(header: str) -> tuple[int | None, str]:
    """The question's number, if the header has one, and the rest."""
    found = _NUMBER.fullmatch(header.split(REPEAT)[0])
    return (int(found[1] or found[2]), found[3]) if found else (None, header.split(REPEAT)[0])


def is_meta(header: str) -> bool:
    """Whether a column is the platform's own, not an answer."""
    return header in META or header in ("来源", "总分", "来自IP")


def option_places(item: Item) -> dict[str, int]:
    """The place (from 0) of each option by its squashed text in either language."""
    both = ((text, place) for place, option in enumerate(item.options) for text in reversed(option.text))
    return {squash(mask_text(text)): place for text, place in both}


def parts_of(item: Item, rest: str, by_option: bool) -> tuple[str, str] | None:
    """The variable a header's text can mean for `item`, and what is left of it as a stem; None where it cannot."""
    if item.is_matrix:
        whole = stem(rest)
        ends = [(stem(text), name) for name, (_, row) in zip(item.variables, item.rows, strict=True) for text in row]
    elif item.type == "multi" and by_option:
        whole, names = squash(rest), item.variables
        ends = [(o if whole == o else f"({o})", names[place]) for o, place in option_places(item).items()]
    else:
        return item.id, stem(rest)
    fits = [(end, name) for end, name in ends if whole.endswith(end)]
    end, name = max(fits, default=("", ""), key=lambda fit: len(fit[0]))
    return (name, stem(whole[: len(whole) - len(end)])) if name else None


def closeness(found: str, item: Item, agrees: bool) -> float:
    """How well a stem fits an item: 3 equal, 2 one begins with the other, 0 not; a little more when the number agrees."""
    best = 0.0
    for wanted in map(stem, item.text):
        short, long = sorted((found, wanted), key=len)
        near = long.startswith(short) and len(short) >= (2 if agrees else 4)
        best = max(best, 3.0 if found == wanted else 2.0 if near else 0.0)
    return best + 0.5 * agrees if best else 0.0


def bind(
    headers: Iterable[str], items: Sequence[Item], by_option: bool, numbers: Mapping[int, Item] | None = None
) -> tuple[dict[str, str], dict[int, Item]]:
    """Which header holds each variable, and the item of each question number.

    The wording decides, the number breaks ties; a number already known (`numbers`, from the text export) decides alone
    where the header has no wording, and a bare row or option title belongs to the question before it.
    """
    bound: dict[str, str] = {}
    known, current = dict(numbers or {}), None
    for header in (header for header in headers if not is_meta(header)):
        number, rest = split_header(header)
        fits = []
        for position, item in enumerate(items, 1):
            part = parts_of(item, rest, by_option)
            is_other = number is not None and (numbers or {}).get(number, item) is not item
            if part and part[0] not in bound and not is_other:
                follows = item is current if number is None else known.get(number) is item
                score = 4.0 if follows and not part[1] else closeness(part[1], item, number == position)
                fits.append((score, part[0], item))
        score, name, best = max(fits, key=lambda fit: fit[0], default=(0.0, "", None))
        if score and best:
            bound[name], current = header, best
            known |= {number: best} if number is not None else {}
        elif number is not None:
            current = None
    return bound, known


def read_meta(raw: RawTable) -> pd.DataFrame:
    """The platform's columns under the names META_COLUMNS; village and interviewer also from the link's parameters."""
    raw = raw.in_usual_days(header for header in raw.text if META.get(header) == "submitted_at")
    meta = pd.DataFrame("", index=raw.text.index, columns=list(META_COLUMNS))
    for header in (header for header in raw.text if header in META):
        meta[META[header]] = raw.text[header].str.strip()
    meta["seconds"] = meta["seconds"].str.removesuffix("秒")
    for name in ("village", "interviewer"):
        linked = meta["source_detail"].str.extract(rf"{name}(?:_id)?\s*[=:\uff1a]\s*([\w-]+)", expand=False).fillna("")
        meta[f"{name}_id"] = meta[f"{name}_id"].where(meta[f"{name}_id"] != "", linked)
    return meta


def serial_keys(raw: RawTable) -> pd.Series:
    """A key for each row: its 序号 and which time this number stands; unlike any other where there is no number."""
    if SERIAL not in raw.text:
        raise InputError("sources.no_serial", raw.place)
    serial = raw.text[SERIAL].str.strip().astype(object)
    serial = serial.where(serial != "", raw.place.file + serial.index.astype(str))
    return serial + REPEAT + serial.groupby(serial).cumcount().astype(str)


def partner_rows(raw: RawTable, other: RawTable) -> pd.DataFrame:
    """For each row the cells of another export under the same 序号, blank where it has none."""
    partners = other.text.set_axis(serial_keys(other), axis=0).reindex(serial_keys(raw)).fillna("")
    return partners.set_axis(raw.text.index, axis=0)
