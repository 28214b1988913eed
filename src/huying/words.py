"""The two languages: every label, verdict word and message, as data, and the errors that are told in them; no library exception reaches a user raw.

Refuses a text that exists in one language only.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from huying.scrub import mask_text

LANGUAGES = ("zh", "en")


class Text(NamedTuple):
    """One text in Chinese and in English."""

    zh: str
    en: str

    def __call__(self, lang: str | None = None) -> str:
        """The text in `lang` (the session's language when none is given)."""
        return self.zh if (lang or language()) == "zh" else self.en


_session: dict[str, str] = {}


def language() -> str:
    """The session's language: set by `use_language`, else `HUYING_LANG`, else English where the locale is, else Chinese."""
    is_english = (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("en")
    return _session.get("lang") or os.environ.get("HUYING_LANG") or ("en" if is_english else "zh")


def use_language(lang: str) -> None:
    """Choose the session's language; raises ValueError for anything but `zh` and `en`."""
    if lang not in LANGUAGES:
        raise ValueError(f"lang: expected one of {', '.join(LANGUAGES)}, got {lang!r}")
    _session["lang"] = lang


def as_text(value: Any, where: str) -> Text:
    """`value` (a mapping with `zh` and `en`) as a Text; raises ValueError where one language is missing."""
    if not isinstance(value, dict) or set(value) != set(LANGUAGES) or not all(value.values()):
        raise ValueError(f"{where}: a text needs both zh and en, got {value!r}")
    return Text(value["zh"], value["en"])


@cache
def all_words() -> dict[str, Text]:
    """Every text of the house by its key `room.name`, read from `data/words/<room>.toml`."""
    found: dict[str, Text] = {}
    for entry in sorted(files("huying").joinpath("data/words").iterdir(), key=lambda e: e.name):
        for name, value in tomllib.loads(entry.read_text("utf-8")).items() if entry.name.endswith(".toml") else ():
            found[f"{entry.name.removesuffix('.toml')}.{name}"] = as_text(value, f"{entry.name}: {name}")
    return found


def say(key: str, lang: str | None = None, /, **values: Any) -> str:
    """The text `key` in `lang`, its `{places}` filled from `values`; raises KeyError for an unknown key."""
    return all_words()[key](lang).format(**values)


@dataclass(frozen=True)
class Place:
    """Where a defect stands: file, sheet, row (the line of the file, counted from 1) and column."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""

    def say(self, lang: str | None = None) -> str:
        """The place in words, such as `residents.xlsx, sheet 1, row 214, column 年龄`."""
        within = [(key, getattr(self, key)) for key in ("sheet", "row", "column")]
        parts = [say(f"errors.{key}", lang, **{key: value}) for key, value in within if value not in ("", None)]
        return say("errors.comma", lang).join(filter(None, [self.file, *parts]))


def near(name: str, known: Iterable[str]) -> str:
    """The known names that are most like one that is not known, else the first few; a dash where there is none."""
    names = [str(one) for one in known]
    return ", ".join(difflib.get_close_matches(str(name), names, n=3, cutoff=0.4) or names[:8]) or "-"


class HuyingError(Exception):
    """A defect a person can act on: a message key of `words`, the values of its places, and where it stands."""

    def __init__(self, key: str, place: Place | None = None, /, **values: Any) -> None:
        self.key, self.place, self.values = key, place or Place(), values
        super().__init__(key)

    def say(self, lang: str | None = None) -> str:
        """One line: place, then what was expected, what was found and what to do; no number of a person."""
        where = self.place.say(lang)
        values = {name: one(lang) if isinstance(one, Text) else one for name, one in self.values.items()}
        return mask_text((f"{where}{say('errors.colon', lang)}" if where else "") + say(self.key, lang, **values))

    def __str__(self) -> str:
        return self.say()


class InputError(HuyingError):
    """A file that cannot be taken as it is."""


class CountyError(HuyingError):
    """A county folder whose declaration is wrong."""


class CalendarError(HuyingError):
    """A day in a year for which no official holiday notice is known."""


class EstimateError(HuyingError):
    """An estimate that was asked for in a way that would give a wrong number."""
