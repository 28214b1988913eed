"""A report's text out of txt, docx or pdf; refuses to guess an encoding, and a scan that holds no text."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from huying.errors import InputError, Place
from huying.sources.excel import MOST_UNPACKED
from huying.sources.table import detect_encoding, is_valid

PDF_READER = "pdftotext"  # of poppler; used where the computer has it, never installed by us
_BODY = "word/document.xml"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # a second copy of a text box
_COMMON = re.compile("[的，。、一了和是]")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\ue000-\uf8ff\ufffd]")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.S)
_FONT = re.compile(rb"/Type\s*/Font\b|/BaseFont\b")
_HEADING = re.compile(r"\s*(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,2}[.．、])")
_FULL = 0.8  # of the longest line: a shorter one ends its paragraph


def read_report(path: Path) -> str:
    """The text of a report in txt (UTF-8, GB18030, UTF-16 with its mark), docx or pdf; lines end with a bare line feed.

    The bytes tell the format, never the ending. A docx gives its paragraphs and the cells of its tables, a line each,
    without headers, notes and numbers that Word sets by itself; a pdf needs `pdftotext`. Raises InputError.
    """
    path = Path(path)
    place = Place(path.name)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError("report.cannot_open", place, why=error.strerror or type(error).__name__) from error
    if raw.startswith(b"%PDF"):
        text = pdf_text(path, raw, place)
    elif raw.startswith(b"PK\x03\x04"):
        text = docx_text(path, place)
    elif raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("report.old_word", place)
    elif raw.strip() and path.suffix.lower() in (".docx", ".pdf"):
        raise InputError("report.other_content", place, ending=path.suffix)
    elif re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|meta|\?xml)", raw, re.I):
        raise InputError("report.web_page", place)
    else:
        text = txt_text(raw, place)
    if not text.strip():
        raise InputError("report.empty", place)
    return text


def txt_text(raw: bytes, place: Place) -> str:
    """The text of a txt; raises InputError where no encoding gives Chinese prose, or a line does not hold to it.

    Almost any bytes are valid GB18030, so what it gives must also look like prose: no control or private characters, and
    in 50 Chinese characters one of the commonest.
    """
    try:
        encoding, has_bad = detect_encoding(raw, place)
    except InputError as error:
        raise InputError("report.no_encoding", place) from error
    if has_bad:
        plain = encoding.removesuffix("-sig")
        row = next((n for n, line in enumerate(raw.splitlines(), 1) if b"\0" in line or not is_valid(line, plain)), 1)
        raise InputError("report.bad_line", Place(place.file, row=row), encoding=encoding)
    text = raw.decode(encoding).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if _UNFIT.search(text) or (len(_CHINESE.findall(text)) >= 50 and not _COMMON.search(text)):
        raise InputError("report.no_encoding", place)
    return text


def docx_text(path: Path, place: Place) -> str:
    """The paragraphs of a docx, a line each; raises InputError for another package, a damaged one or one that is unsafe."""
    try:
        with zipfile.ZipFile(path) as package:
            if _BODY not in package.namelist():
                raise InputError("report.no_docx", place)
            if package.getinfo(_BODY).file_size > MOST_UNPACKED:
                raise InputError("report.zip_bomb", place, most=MOST_UNPACKED >> 20)
            xml = package.read(_BODY)
        if b"<!DOCTYPE" in xml:  # the parser would expand its entities; Word never writes one
            raise InputError("report.doctype", place)
        return "\n".join(paragraphs(ElementTree.fromstring(xml)))
    except (zipfile.BadZipFile, zlib.error, EOFError, ElementTree.ParseError, NotImplementedError) as error:
        raise InputError("report.damaged", place) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise InputError("report.password", place) from error


def paragraphs(element: ElementTree.Element) -> Iterator[str]:
    """The text of each outermost paragraph below an element, in the order of the document."""
    for child in element:
        if child.tag == f"{_WORD}p":
            yield "".join(runs(child))
        elif child.tag != _FALLBACK:
            yield from paragraphs(child)


def runs(element: ElementTree.Element) -> Iterator[str]:
    """The pieces of text below an element; deleted text has another tag and stays out."""
    for child in element:
        if child.tag == f"{_WORD}t":
            yield child.text or ""
        elif child.tag in (f"{_WORD}tab", f"{_WORD}br") and element.tag == f"{_WORD}r":
            yield " " if child.tag.endswith("tab") else "\n"
        elif child.tag != _FALLBACK:
            yield from runs(child)


def pdf_text(path: Path, raw: bytes, place: Place) -> str:
    """The text of a pdf, its wrapped lines joined; raises InputError for a scan and where the reader is not installed."""
    if not has_fonts(raw):
        raise InputError("report.scanned", place)
    program = shutil.which(PDF_READER)
    if program is None:
        raise InputError("report.pdf", place, program=PDF_READER, text=path.with_suffix(".txt").name)
    done = subprocess.run([program, "-enc", "UTF-8", "-nopgbrk", str(path), "-"], capture_output=True, check=False)
    if done.returncode:
        raise InputError("report.damaged", place)
    text = done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
    if not text.strip():
        raise InputError("report.scanned", place)
    return unwrapped(text)


def unwrapped(text: str) -> str:
    """Lines that were broken at the page's edge joined: a full line that ends no sentence goes on, unless a heading follows."""
    lines = [line.strip() for line in text.strip().split("\n")]
    widest = max(map(len, lines))
    joined = lines[:1]
    for before, line in pairwise(lines):
        goes_on = len(before) >= _FULL * widest and before[-1] not in "。！？；;：:" and not _HEADING.match(line)
        joined[-1:] = [joined[-1] + line] if goes_on and line else [joined[-1], line]
    return "\n".join(joined)


def has_fonts(raw: bytes) -> bool:
    """Whether a pdf holds a font, in the open or in a packed object: a scan without recognised text needs none."""
    return bool(_FONT.search(raw)) or any(_FONT.search(inflated(stream)) for stream in _STREAM.findall(raw))


def inflated(stream: bytes) -> bytes:
    """A packed stream unpacked, its first megabyte; empty where it is packed in another way."""
    try:
        return zlib.decompressobj().decompress(stream, 1 << 20)
    except zlib.error:
        return b""
