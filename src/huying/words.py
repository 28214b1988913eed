"""The two languages: every label, verdict word and message, as data; refuses a text that exists in one language only."""

import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

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
