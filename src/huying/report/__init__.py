"""A report read as text: its countable statements, its masks, what in it is at odds, a claims file to be edited, and where it makes each claim.

Refuses to send it anywhere, to guess an encoding, and to fill in a base or an estimand; a pdf, whose text a person saves.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pandas as pd

from huying.claims.declared import Claim, claims_of
from huying.folder import County, read_toml
from huying.report.lint import counts_of, find_masks, lint
from huying.report.statements import Statement, find_sentences, find_statements, lexicon
from huying.scrub import mask_text
from huying.sources.table import detect_encoding, is_valid, read_content
from huying.store import toml_table, write_csv, write_text
from huying.words import LANGUAGES, InputError, Place, near, say

__all__ = ["find_masks", "find_sentences", "find_statements", "lint", "read_report", "report_files", "statements_table"]


def statements_table(text: str) -> pd.DataFrame:
    """The statements of a text, a row each; `masks` counts the masks within, offsets count characters."""
    table = pd.DataFrame(find_statements(text), columns=list(Statement._fields))
    return table.assign(masks=table["id"].map(find_masks(text)["statement"].value_counts()).fillna(0).astype(int))


def claims_toml(text: str, file: str = "") -> str:
    """The statements of a text as a claims file in the house's form, one `[[claim]]` each, to be edited by a person.

    Quantifier, threshold and the verdict that means a problem are proposals by the lexicon; English text, base and estimand carry
    the mark `report.to_fill`.
    """
    top = [f"# {say(f'report.claims_{key}', lang, file=file)}" for lang in LANGUAGES for key in ("head", "edit")]
    return "\n".join([*top, *map(claim_table, find_statements(text))])


def claim_table(statement: Statement) -> str:
    """One statement as a `[[claim]]` table, with where it stands in a comment."""
    to_fill = {lang: say("report.to_fill", lang) for lang in LANGUAGES}
    english = f"{say('report.to_translate', 'en')} {statement.text}"
    values: dict[str, Any] = {"id": statement.id, "zh": statement.text, "en": english}
    counts = counts_of(statement.text, 0, len(statement.text)) if statement.quantifier == "COUNT" else []
    threshold = counts[0].value if len(counts) == 1 else lexicon()["threshold"][statement.quantifier]  # to begin with
    values |= {"quantifier": statement.quantifier, "threshold": float(threshold)}
    values |= {"problem_if": lexicon()["problem_if"][statement.part], "judged_for": "county", "needs": []}
    values |= {"unit": "count"} if statement.quantifier == "COUNT" else {}
    values |= {"n_of": "events", "town": {lang: f"{{place}}{to_fill[lang]}" for lang in LANGUAGES}}
    values |= {"base": to_fill, "estimand": to_fill, "notebook": ""}
    stands = ", ".join(say("report.stands", lang, **statement._asdict()) for lang in LANGUAGES)
    return toml_table(f"\n# {stands}\n[[claim]]", values)


def report_files(path: Path, out_folder: Path) -> dict[str, Path]:
    """Read a report and write what was found: the files by `claims`, `statements`, `lint` and `masks`.

    `<name>_claims.toml` is a claims file to be edited, `<name>_lint.csv` what is at odds, `<name>_masks.csv` the register of
    masks to be filled in, `<name>_statements.csv` each statement with its offsets. No file is written over, for it may have been
    edited or be of another report: then the four take a number. Raises InputError.
    """
    text, kinds = read_report(path), {"claims": "toml", "masks": "csv", "lint": "csv", "statements": "csv"}
    stems = (mask_text(path.stem) + (f"_{n}" if n > 1 else "") for n in range(1, 10_000))
    tried = ({key: out_folder / f"{stem}_{key}.{ending}" for key, ending in kinds.items()} for stem in stems)
    files = next(files for files in tried if not any(file.exists() for file in files.values()))
    write_text(files["claims"], claims_toml(text, path.name))
    for key, make in (("masks", find_masks), ("lint", lint), ("statements", statements_table)):
        write_csv(files[key], make(text))
    return files


# --- where it makes each claim: the passages of `quotes.toml`, or a claim's own words where they stand there ---------------


class Passage(NamedTuple):
    """A stretch of a sentence, with the claim that it makes (empty: none)."""

    text: str
    claim: str


class Quoted(NamedTuple):
    """A sentence of a report in its passages."""

    passages: list[Passage]
    is_heading: bool


def read_quotes(county: County, claims: dict[str, Claim], text: str) -> dict[str, str]:
    """The passage of each claim; raises CountyError for a claim that nobody declared and for a passage that does not stand in the report."""
    declared = read_toml(county.folder / "quotes.toml").check("quotes")
    for claim, quote in declared.raw.items():
        if claim not in claims:
            raise declared.fail("claims.unknown", claim, quote, claim=claim, close=near(claim, claims))
        if quote not in text:
            raise declared.fail("report.no_such_passage", claim, quote, claim=claim, quote=quote)
    return {key: claim.text.zh for key, claim in claims.items() if claim.text.zh in text} | dict(declared.raw)


def check_quotes(county: County) -> None:
    """Raise what `read_quotes` raises, of the county as its folder declares it."""
    read_quotes(county, claims_of(county), read_report(county.report) if county.report else "")


def quote_sentences(text: str, quotes: dict[str, str]) -> list[Quoted]:
    """The sentences of a report, each cut where a claim's passage begins and ends; of passages that overlap the first stands."""
    marks = sorted((text.index(quote), text.index(quote) + len(quote), claim) for claim, quote in quotes.items())
    found = []
    for sentence in find_sentences(text):
        at, passages = sentence.start, list[Passage]()
        for start, end, claim in marks:
            if at <= start and end <= sentence.end:
                passages += [Passage(text[at:start], "")] * (at < start) + [Passage(text[start:end], claim)]
                at = end
        passages += [Passage(text[at : sentence.end], "")] * (at < sentence.end)
        found.append(Quoted(passages, sentence.is_heading))
    return found


# --- its text out of txt or docx --------------------------------------------------------------------------------------

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
