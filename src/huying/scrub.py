"""Numbers and names that reach a person, taken out of every text that is stored or shown: phones, identity numbers, cards, plates, accounts.

A number is looked for without invisible characters and in half width, then once more with Chinese numerals read as digits.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

_UNSEEN = [0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
INVISIBLE = dict.fromkeys(_UNSEEN)
CONTROL = r"[\x00-\x08\x0e-\x1f\x7f-\x9f]"  # what a terminal would obey; tabs and ends of lines apart
_TENS = (0xB2, 0x660, 0x6F0, 0x2070, 0x2460, 0x2776, *range(0x1D7CE, 0x1D800, 10))  # where further digits begin
_DIGITS = {i: unicodedata.digit(chr(i), -1) for first in _TENS for i in range(first, first + 10)}
_HALF = {0xFF01 + i: chr(0x21 + i) for i in range(94)} | {0x3000: " "}
_HALF |= {i: str(digit) for i, digit in _DIGITS.items() if digit >= 0}
_NUMERALS = dict(zip(map(ord, "〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"), "0001234567891123456789", strict=True))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_MOBILE = {(11,), (3, 4, 4), (4, 3, 4), (3, 8), (7, 4), (3, 3, 5), (1,) * 11}  # digits as people group them
_RAW = tomllib.loads(files("huying").joinpath("data/scrub.toml").read_text("utf-8"))
_WORDS = _RAW["words"] | {"g": _RAW["words"]["gap"], "d": rf"(?:{_RAW['words']['gap']}\d)"}
Found = re.Match[str]


def digits_of(text: str) -> str:
    """The letters and digits of a number, in upper case."""
    return re.sub(r"[^0-9A-Za-z]", "", text).upper()


def parts_of(text: str) -> tuple[int, ...]:
    """How many digits stand together in each part of a number."""
    return tuple(map(len, re.findall(r"[\dXx]+", text)))


def is_identity(found: Found) -> bool:
    """Whether 18 digits hold a birthday and their check digit is right (GB 11643), or area and an adult's year are: people mistype.

    The number of a work order may begin with an area and a day too, but a day of our time. 15 digits have no check digit.
    """
    if len(number := digits_of(found[0])) == 15:
        return re.fullmatch(rf"(?:{_WORDS['area']})\d{{6}}{_WORDS['day']}\d{{3}}", number) is not None
    if not re.fullmatch(rf"\d{{6}}(?:19|20)\d\d{_WORDS['day']}\d{{3}}[\dX]", number):
        return False
    check = "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, number, strict=False)) % 11]
    return number[-1] == check or (re.match(_WORDS["area"], number) is not None and number[6:10] < "2010")


def is_card(found: Found) -> bool:
    """Whether a number in an issuer's range, in parts of four or more, satisfies Luhn's check (ISO/IEC 7812)."""
    number, parts = digits_of(found[0]), parts_of(found[0])
    issued = re.match(_WORDS["issuer"] if len(number) in (16, 19) else "6", number)
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(number))]
    is_grouped = min(parts[:-1], default=4) > 3 or set(parts) == {1}
    return bool(issued) and is_grouped and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def is_mobile(found: Found) -> bool:
    """Whether eleven digits from 13 to 19 stand as people group them, or alone, and are no decimals and no amount."""
    before = found.string[max(found.start() - 3, 0) : found.start()]
    after = found.string[found.end() : found.end() + 3]
    is_alone = not re.search(r"\d[\s-]{1,2}$", before) and not re.match(r"[\s-]{1,2}\d", after)
    is_number = re.search(r"(?<!\d)0\.$", before) or re.match(r"\s?[万亿元]", after)
    return digits_of(found["m"])[1] > "2" and (is_alone or parts_of(found["m"]) in _MOBILE) and not is_number


def is_address(found: Found) -> bool:
    """Whether four numbers are no version and no section."""
    before = found.string[max(found.start() - 8, 0) : found.start()]
    is_named = re.search(r"(?:v|ver|version|版本号?|第)\s?$", before, re.I)
    return not is_named and max(map(int, re.findall(r"\d+", found[0]))) > 9


def is_account(found: Found) -> bool:
    """Whether what stands after 微信 is an account: letters with a digit or after a colon, or digits that are no day."""
    led = re.search(r"[号:是为=d]\s*$", found.string[max(found.start("n") - 3, 0) : found.start("n")])
    is_word = not re.search(r"\d", found["n"]) and not led
    return not is_word and not re.fullmatch(rf"20[0-3]\d{_WORDS['day']}|12345", digits_of(found["n"]))


class Kind(NamedTuple):
    """A kind of number: what takes its place, its form, a test of what has the form, whether a key of this form is a person's."""

    mark: str
    pattern: re.Pattern[str]
    fits: Callable[[Found], bool]
    is_key: bool


def filled(pattern: str) -> re.Pattern[str]:
    """A pattern of the table with its words put in, whatever the case of letters."""
    return re.compile(re.sub("<([a-z]{3,}|[gd])>", lambda found: _WORDS[found[1]], pattern), re.I)


_TESTS = {test.__name__: test for test in (is_identity, is_card, is_mobile, is_address, is_account)}
KINDS = [
    Kind(one["mark"], filled(one["pattern"]), _TESTS.get(one.get("test", ""), bool), one.get("is_key", False))
    for one in _RAW["kind"]
]
_NAMES = [filled(pattern) for pattern in _RAW["names"]["patterns"]]
NAME = filled("[<surname><unsure>](?:<given>){1,3}")
_SIGN = "".join(chr(i) for i, sign in (_HALF | _NUMERALS).items() if sign.isdigit()) + "0-9"
_MAYBE = rf"[{_SIGN}](?:[^{_SIGN}]{{0,6}}[{_SIGN}]){{4}}|{_WORDS['maybe']}"
_MAYBE += rf"|{_WORDS['province']}[^\u3400-\u9fff]{{0,3}}[A-Za-z\uff21-\uff3a\uff41-\uff5a]"
_IS_MAYBE, MARKED = re.compile(_MAYBE), re.compile("|".join(re.escape(one.mark) for one in KINDS))
_HARMLESS = re.compile(  # a decimal, a day with its hour: most of what stands in ledgers
    r"\s*(?:[+-]?\d{1,3}\.\d+(?:[eE][+-]?\d+)?|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[ T]\d{1,2}:\d\d(?::\d\d)?)?)\s*"
)


def spans_of(plain: str, one: Kind) -> list[tuple[int, int]]:
    """Where numbers of a kind stand; after what only looks like one the next character is tried."""
    spans, found = list[tuple[int, int]](), one.pattern.search(plain)
    while found:
        fits, span = one.fits(found), found.span("n" if "n" in one.pattern.groupindex else 0)
        spans += [span] * fits
        found = one.pattern.search(plain, found.end() if fits else found.start() + 1)
    return spans


def put_in(text: str, spans: Sequence[tuple[int, int]], instead: Sequence[str]) -> str:
    """The text with other words in the place of each span."""
    kept = [text[a:b] for (_, a), (b, _) in pairwise([(0, 0), *spans, (len(text), 0)])]
    return "".join(chain(*zip(kept, [*instead, ""], strict=True)))


def replace_in(text: str, kinds: Iterable[Kind], put: Callable[[Kind, str], str]) -> str:
    """The text with what `put` makes of each number of these kinds."""
    for table in (_HALF,) if _NUMERALS.keys().isdisjoint(map(ord, text)) else (_HALF, _HALF | _NUMERALS):
        at = [i for i, sign in enumerate(text) if ord(sign) not in INVISIBLE]
        plain, taken = text.translate(INVISIBLE).translate(table), dict[tuple[int, int], str]()
        for one in kinds:
            if spans := spans_of(plain, one):
                taken |= {(at[a], at[b - 1] + 1): put(one, plain[a:b]) for a, b in spans}
                plain = put_in(plain, spans, [chr(0) * (b - a) for a, b in spans])
        spans = sorted(taken)
        text = put_in(text, spans, [taken[span] for span in spans])
    return text


def mask_text(text: str, names: bool = False) -> str:
    """A text with numbers that reach a person replaced by their kind, such as `[手机号]`; `names` beside titles too.

    The rest keeps its characters.
    """
    if _IS_MAYBE.search(text) and not _HARMLESS.fullmatch(text):
        text = replace_in(text, KINDS, lambda one, _: one.mark)
    for pattern in _NAMES if names else ():
        text = pattern.sub(lambda found: found[0].replace(found[1], "[姓名]", 1), text)
    return text


def mask_cells(cells: pd.Series, names: bool = False) -> pd.Series:
    """`mask_text` of every cell; each distinct text is read once."""
    masked = {text: other for text in cells.dropna().unique() if (other := mask_text(text, names)) != text}
    return cells.where(~cells.isin(masked), cells.map(masked)).astype(cells.dtype) if masked else cells


def hash_keys(cells: pd.Series) -> pd.Series:
    """Keys in which a phone or identity number stands, with a mark in its place that is the same wherever this number is."""
    kinds, country = [one for one in KINDS if one.is_key], re.compile(r"(?:00)?86(?=1\d{10}$)")

    def put(_: Kind, number: str) -> str:
        return f"key_{hashlib.sha256(country.sub('', digits_of(number)).encode()).hexdigest()[:10]}"

    return cells.map({text: replace_in(text, kinds, put) for text in cells.unique()}).astype(cells.dtype)
