"""A report's text out of txt or docx; refuses to guess an encoding, and a pdf, whose text a person saves."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from huying.errors import InputError, Place
from huying.scrub import mask_text
from huying.sources.table import detect_encoding, is_valid, read_content

MOST_BYTES, MOST_CHARACTERS = 20 * 2**20, 200_000  # a county's report has some 20,000 characters
_BODY = "word/document.xml"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # a second copy of a text box
_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\ue000-\uf8ff\ufffd]")


def read_report(path: Path) -> str:
    """The text of a report in txt (UTF-8, GB18030, UTF-16 with its mark) or docx; lines end with a bare line feed.

    The bytes tell the format, never the ending. A docx gives its paragraphs and the cells of its tables, a line each,
    without headers, notes and numbers that Word sets by itself. Numbers of people are masked. Raises InputError.
    """
    raw = read_content(path, place := Place(path.name), MOST_BYTES)
    is_docx = raw.startswith(b"PK\x03\x04")
    unfit = {"pdf": raw.startswith(b"%PDF"), "old_word": raw.startswith(b"\xd0\xcf\x11\xe0")}
    unfit["other_content"] = not is_docx and bool(raw.strip()) and path.suffix.lower() in (".docx", ".pdf")
    unfit["web_page"] = bool(re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|meta|\?xml)", raw, re.I))
    for key in (key for key, is_so in unfit.items() if is_so):
        raise InputError(f"report.{key}", place, text=path.with_suffix(".txt").name, ending=path.suffix)
    if not is_docx and len(raw) > 4 * MOST_CHARACTERS:  # no encoding takes more for one; a long line costs memory
        raise InputError("report.too_long", place, n=len(raw) // 3, most=MOST_CHARACTERS)
    text = mask_text(docx_text(path, place) if is_docx else txt_text(raw, place))
    if not text.strip():
        raise InputError("report.empty", place)
    if len(text) > MOST_CHARACTERS:
        raise InputError("report.too_long", place, n=len(text), most=MOST_CHARACTERS)
    if found := re.search(r"[\d,.]{40}", text):
        raise InputError("report.no_number", Place(place.file, row=text.count("\n", 0, found.start()) + 1))
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
    has_han = len(re.findall("[\u4e00-\u9fff]", text)) >= 50
    if _UNFIT.search(text) or (has_han and not re.search("[的，。、一了和是]", text)):
        raise InputError("report.no_encoding", place)
    return text


def docx_text(path: Path, place: Place) -> str:
    """The paragraphs of a docx, a line each; raises InputError for another package, a damaged one or one that is unsafe."""
    try:
        with zipfile.ZipFile(path) as package:
            if _BODY not in package.namelist():
                raise InputError("report.no_docx", place)
            if package.getinfo(_BODY).file_size > MOST_BYTES:
                raise InputError("report.zip_bomb", place, most=MOST_BYTES >> 20)
            xml = package.read(_BODY)
        if b"<!DOCTYPE" in xml:  # the parser would expand its entities; Word never writes one
            raise InputError("report.doctype", place)
        return "\n".join(paragraphs(ElementTree.fromstring(xml)))
    except (zipfile.BadZipFile, zlib.error, EOFError, ElementTree.ParseError, NotImplementedError) as error:
        raise InputError("report.damaged", place) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise InputError("report.password", place) from error


def paragraphs(body: ElementTree.Element) -> Iterator[str]:
    """The text of each outermost paragraph, in the order of the document; deleted text has another tag and stays out."""
    for parent in list(body.iter()):
        for aside in (*parent.findall(_FALLBACK), *parent.findall(f"{_WORD}tabs")):  # where tabs stop is no text
            parent.remove(aside)
    kind, text, between = f"{_WORD}p", f"{_WORD}t", {f"{_WORD}tab": " ", f"{_WORD}br": "\n"}
    boxed = {inner for outer in body.iter(kind) for inner in outer.iter(kind) if inner is not outer}
    for one in (one for one in body.iter(kind) if one not in boxed):
        yield "".join(between.get(part.tag, (part.text or "") if part.tag == text else "") for part in one.iter())
