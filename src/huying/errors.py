"""What went wrong, where, expected, got, next step, in the reader's language; no library exception reaches a user raw."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from huying import words
from huying.scrub import mask_text


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
        parts = [words.say(f"errors.{key}", lang, **{key: value}) for key, value in within if value not in ("", None)]
        return words.say("errors.comma", lang).join(filter(None, [self.file, *parts]))


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
        values = {name: one(lang) if isinstance(one, words.Text) else one for name, one in self.values.items()}
        line = (f"{where}{words.say('errors.colon', lang)}" if where else "") + words.say(self.key, lang, **values)
        return mask_text(line)

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
