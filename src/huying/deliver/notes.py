"""A researcher's own paragraphs in Markdown, each under the place of the brief where it belongs; refuses a place that the brief has not."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mistune

from huying.store import told
from huying.words import LANGUAGES, CountyError, InputError, Place, Text, near

Run = tuple[str, bool, bool]  # a text, whether bold, whether italic
HEAD = re.compile(r" {0,3}#{1,6}(?!#)[ \t]*(.*?)[ \t#]*")


def read_notes(
    folder: Path, places: Mapping[str, Text], claims: Iterable[str], lang: str
) -> dict[str, list[list[Run]]]:
    """The paragraphs by place, from `notes/*.md` (`*.zh.md` and `*.en.md` in that language alone), files in the order of their names.

    What stands before the first heading belongs to the place that the file is named by. A place is known by its name in
    either language, its key, or the id of a claim. Raises CountyError for any other.
    """
    known = {name.casefold(): key for key, text in places.items() for name in (key, *text)}
    known |= {claim.casefold(): claim for claim in claims}
    found: dict[str, list[list[Run]]] = {}
    for file in sorted(folder.glob("*.md")):
        stem, _, ending = file.stem.rpartition(".")
        stem = stem if ending in LANGUAGES and stem else file.stem
        if ending in LANGUAGES and stem != file.stem and ending != lang:
            continue
        for row, name, text in parts_of(read(file), stem):
            if (place := known.get(name.casefold())) is None:
                where, names = Place(str(file), row=row), [text(lang) for text in places.values()]
                raise CountyError("deliver.no_place", where, name=name, close=near(name, known), known=", ".join(names))
            found.setdefault(place, []).extend(paragraphs(parse(text)))
    return found


def parse(text: str) -> list[dict[str, Any]]:
    """The tokens of Markdown."""
    return mistune.create_markdown(renderer=None)(text)  # type: ignore[return-value]


def read(file: Path) -> str:
    """The text of a file in UTF-8 or, as older editors save it, GB18030."""
    with told(file):
        raw = file.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("deliver.no_encoding", Place(str(file)))


def parts_of(text: str, first: str) -> Iterator[tuple[int, str, str]]:
    """The row, name and text of each part that is not empty, parted by headings outside fenced code."""
    row, name, lines, is_code = 1, first, list[str](), False
    for at, line in enumerate([*text.splitlines(), "# "], 1):
        is_code ^= line.lstrip().startswith(("```", "~~~"))
        head = None if is_code and at <= len(text.splitlines()) else HEAD.fullmatch(line)
        if head is None:
            lines.append(line)
            continue
        if "".join(lines).strip():
            yield row, name, "\n".join(lines)
        row, name, lines = at, head[1], []


def paragraphs(tokens: Iterable[Mapping[str, Any]], mark: str = "") -> Iterator[list[Run]]:
    """The paragraphs of Markdown: of a list an entry each with its mark; what has no such form stays as it was typed."""
    for token in tokens:
        kind, within = token["type"], token.get("children", [])
        if kind == "list":
            for n, item in enumerate(within, token["attrs"].get("start", 1)):
                yield from paragraphs(item["children"], f"{n}. " if token["attrs"]["ordered"] else "· ")
        elif kind in ("paragraph", "block_text"):
            yield [(mark, False, False), *runs(within)]
        elif within:
            yield from paragraphs(within, mark)
        elif token.get("raw", "").strip():
            yield [(token["raw"].rstrip("\n"), False, False)]


def runs(tokens: Iterable[Mapping[str, Any]], is_bold: bool = False, is_italic: bool = False) -> Iterator[Run]:
    """The texts of a paragraph, each bold or italic or neither."""
    for token in tokens:
        kind = token["type"]
        if "children" in token:
            yield from runs(token["children"], is_bold or kind == "strong", is_italic or kind == "emphasis")
            if url := token.get("attrs", {}).get("url"):
                yield f" ({url})", is_bold, is_italic
        else:
            yield {"softbreak": " ", "linebreak": "\n"}.get(kind, token.get("raw", "")), is_bold, is_italic
