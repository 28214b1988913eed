"""The lines of a text file in the encoding that fits all of them; refuses a file that no encoding fits, marks single bad lines."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from huying.errors import InputError, Place

BAD_LINE = b"\0\n"  # what a line that cannot be decoded becomes, so that the lines after it keep their numbers


def read_content(path: Path, place: Place) -> bytes:
    """The bytes of a file; raises InputError where it is empty or cannot be opened."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError("sources.cannot_open", place, why=error.strerror or type(error).__name__) from error
    if not content:
        raise InputError("sources.empty_file", place)
    return content


def is_valid(content: bytes, encoding: str) -> bool:
    """Whether bytes are strictly valid in `encoding`."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def detect_encoding(content: bytes, place: Place) -> tuple[str, bool]:
    """The encoding, and whether some lines do not hold to it; raises InputError where no encoding fits.

    Byte-order mark, then strict UTF-8, then strict GB18030: the other order reads UTF-8 as wrong Chinese without error.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not content.startswith(codecs.BOM_UTF32_LE):
        if is_valid(content, "utf-16"):
            return "utf-16", False
        raise InputError("sources.no_encoding", place)
    if content.count(0) * 20 > len(content):
        raise InputError("sources.utf16", place)
    has_nul = b"\0" in content
    utf8 = "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"
    if is_valid(content, "utf-8"):
        return utf8, has_nul
    lines = content.splitlines()[:1000]
    marked = [line for line in lines if not line.isascii()]
    leading = [line for line in lines[:1] if not line.isascii()] or marked
    if utf8 == "utf-8-sig" or sum(is_valid(line, "utf-8") for line in leading) * 2 > len(leading):
        return utf8, True
    mixed = not is_valid(content, "gb18030")
    if mixed and sum(is_valid(line, "gb18030") for line in marked) * 2 < len(marked):
        raise InputError("sources.no_encoding", place)
    return "gb18030", mixed or has_nul


def decode_lines(content: bytes, encoding: str, mixed: bool) -> list[str]:
    """The lines of a text with their ends; one that does not decode becomes a mark that the parser sets aside."""
    plain = encoding.removesuffix("-sig")
    if mixed:
        lines = io.BytesIO(content)
        content = b"".join(line if b"\0" not in line and is_valid(line, plain) else BAD_LINE for line in lines)
    return list(io.StringIO(content.decode(plain).lstrip("\ufeff"), newline=""))
