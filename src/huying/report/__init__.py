"""A report read as text: its countable statements, its masks, what in it is at odds, a claims file to be edited, and where it makes each claim.

Refuses to send it anywhere, and to fill in a base or an estimand.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from huying.claims.declared import Claim, claims_of
from huying.errors import near
from huying.folder import County, read_toml
from huying.report.lint import counts_of, find_masks, lint
from huying.report.read import read_report
from huying.report.statements import Statement, find_sentences, find_statements, lexicon
from huying.scrub import mask_text
from huying.store import toml_table, write_csv, write_text
from huying.words import LANGUAGES, say

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
