"""The lines of a text file in the encoding that fits all of them; refuses a file that no encoding fits, marks single bad lines."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from huying.errors import InputError, Place

_BLOCK = 1 << 22
BAD_LINE = "\x00\n"  # what a line that cannot be decoded becomes, so that the lines after it keep their numbers


def is_valid(line: bytes, encoding: str) -> bool:
    """Whether one line is strictly valid in `encoding`."""
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def decodes(path: Path, encoding: str) -> bool:
    """Whether the whole file is strictly valid in `encoding`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks of a few megabytes that end with a line: no quote or line end is cut off from its neighbours."""
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(_BLOCK) + stream.readline(), b"")


def detect_encoding(path: Path, place: Place) -> tuple[str, bool]:
    """The encoding, and whether some lines do not hold to it; raises InputError where no encoding fits.

    Byte-order mark, then strict UTF-8, then strict GB18030: the other order reads UTF-8 as wrong Chinese without error.
    """
    head = next(blocks(path))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE):
        if decodes(path, "utf-16"):
            return "utf-16", False
        raise InputError("sources.no_encoding", place)
    if head.count(0) * 20 > len(head):
        raise InputError("sources.utf16", place)
    has_nul = any(b"\0" in block for block in blocks(path))
    utf8 = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    if decodes(path, "utf-8"):
        return utf8, has_nul
    marked = [line for line in head.splitlines()[:1000] if not line.isascii()]
    leading = [line for line in head.splitlines()[:1] if not line.isascii()] or marked
    if utf8 == "utf-8-sig" or sum(is_valid(line, "utf-8") for line in leading) * 2 > len(leading):
        return utf8, True
    mixed = not decodes(path, "gb18030")
    if mixed and sum(is_valid(line, "gb18030") for line in marked) * 2 < len(marked):
        raise InputError("sources.no_encoding", place)
    return "gb18030", mixed or has_nul


def open_lines(path: Path, encoding: str, mixed: bool) -> Iterator[str]:
    """The lines of the file with their ends; a line that does not decode becomes a mark that the parser sets aside."""
    if not mixed:
        with path.open(encoding=encoding, newline="") as stream:
            yield next(stream, "").lstrip("\ufeff")
            yield from stream
        return
    plain = encoding.removesuffix("-sig")
    with path.open("rb") as raw:
        for number, line in enumerate(raw):
            text = line.decode(plain) if b"\0" not in line and is_valid(line, plain) else BAD_LINE
            yield text.lstrip("\ufeff") if number == 0 else text


def count_lines(path: Path) -> int:
    """The lines of a file, one without an end included."""
    n_lines, last = 0, b"\n"
    for block in blocks(path):
        n_lines, last = n_lines + block.count(b"\n"), block[-1:]
    return n_lines + (last != b"\n")


def other_reading(path: Path, encoding: str) -> str:
    """How the first line reads in the other likely encoding."""
    with path.open("rb") as stream:
        line = stream.readline(400)
    other = "gb18030" if encoding.startswith("utf-8") else "utf-8"
    return f"{other}: {line.decode(other, 'replace').strip()}"
