"""What was read out of a report, as tables and as a claims file to be edited; refuses to fill in a base or an estimand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from huying.report.lexicon import lexicon
from huying.report.lint import Finding, Mask, find_masks, lint
from huying.report.numbers import counts_of
from huying.report.read import Report, read_report
from huying.report.statements import Statement, find_statements, position
from huying.store import write_csv, write_text
from huying.words import LANGUAGES, say

STATEMENTS = (
    "id",
    "line",
    "column",
    "quantifier",
    "cue",
    "part",
    "text",
    "start",
    "end",
    "sentence_start",
    "sentence_end",
    "masks",
)
MASKS = ("id", "line", "column", "character", "kind", "context", "statement", "value", "source", "as_of")
LINT = ("kind", "rule", "line", "column", "text", "why_zh", "why_en", "other_line", "other_column", "other_text")


def statements_table(text: str) -> pd.DataFrame:
    """The statements of a text with the columns STATEMENTS; `masks` counts the masks within, offsets count characters."""
    masks = [mask.start for mask in find_masks(text)]
    rows = [
        {**vars(s), "part": s.mode, "masks": sum(s.start <= m < s.end for m in masks)} for s in find_statements(text)
    ]
    return pd.DataFrame(rows, columns=list(STATEMENTS))


def masks_table(text: str) -> pd.DataFrame:
    """The register of masks with the columns MASKS; `value`, `source` and `as_of` are left for a person to fill in."""
    said = find_statements(text)
    rows = [
        {**vars(mask), "statement": within(said, mask), "value": "", "source": "", "as_of": ""}
        for mask in find_masks(text)
    ]
    return pd.DataFrame(rows, columns=list(MASKS))


def within(statements: Sequence[Statement], mask: Mask) -> str:
    """The id of the statement that holds a mask, or empty."""
    return next((s.id for s in statements if s.start <= mask.start < s.end), "")


def lint_table(text: str) -> pd.DataFrame:
    """What is at odds in a text with the columns LINT, lines and columns from 1."""
    table = pd.DataFrame([lint_row(text, found) for found in lint(text)], columns=list(LINT))
    return table.astype({"other_line": "Int64", "other_column": "Int64"})


def lint_row(text: str, found: Finding) -> dict[str, object]:
    """One finding as a row; the second part is blank where there is none."""
    row: dict[str, object] = {**vars(found), "why_zh": found.why.zh, "why_en": found.why.en}
    line, column = position(text, found.other[0]) if found.other else (None, None)
    return {
        **row,
        "other_line": line,
        "other_column": column,
        "other_text": text[slice(*found.other)] if found.other else "",
    }


def claims_toml(text: str, file: str = "") -> str:
    """The statements of a text as a claims file in the house's form, one `[[claim]]` each, to be edited by a person.

    Quantifier, bar and the verdict that means a problem are proposals by the lexicon; English text, base and estimand carry
    the mark `report.to_fill`.
    """
    top = [f"# {say(f'report.claims_{key}', lang, file=file)}" for lang in LANGUAGES for key in ("head", "edit")]
    return "\n".join([*top, *(claim_lines(statement) for statement in find_statements(text))]) + "\n"


def claim_lines(statement: Statement) -> str:
    """One statement as a `[[claim]]` table, with where it stands in a comment."""
    problem = lexicon().raw["problem_if"][statement.mode]
    unit = (
        f"unit = {{ zh = {quoted(to_fill('zh'))}, en = {quoted(to_fill('en'))} }}\n"
        if statement.quantifier == "COUNT"
        else ""
    )
    both = f"{{ zh = {quoted(to_fill('zh'))}, en = {quoted(to_fill('en'))} }}"
    where = ", ".join(
        say("report.stands", lang, line=statement.line, column=statement.column, cue=statement.cue)
        for lang in LANGUAGES
    )
    return (
        f"\n# {where}\n[[claim]]\nid = {quoted(statement.id)}\nzh = {quoted(statement.text)}\n"
        f"en = {quoted(say('report.to_translate', 'en') + ' ' + statement.text)}\nquantifier = {quoted(statement.quantifier)}\n"
        f"bar = {bar_of(statement)}\nproblem_if = {quoted(problem)}\n"
        f'judged_for = "county"\nneeds = []\n{unit}base = {both}\nestimand = {both}\nnotebook = ""'
    )


def bar_of(statement: Statement) -> float:
    """The bar to begin with: the number of a statement that prints a single count, else the lexicon's for the quantifier."""
    counts = counts_of(statement.text, 0, len(statement.text)) if statement.quantifier == "COUNT" else []
    return float(counts[0].value if len(counts) == 1 else lexicon().raw["bar"][statement.quantifier])


def to_fill(lang: str) -> str:
    """The mark of a text that a person must write."""
    return say("report.to_fill", lang)


def quoted(text: str) -> str:
    """A text as a TOML string on one line; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def report_files(path: Path, out_folder: Path) -> dict[str, Path]:
    """Read a report and write what was found: the files by `claims`, `statements`, `lint` and `masks`.

    `<name>_claims.toml` is a claims file to be edited, `<name>_lint.csv` what is at odds, `<name>_masks.csv` the register of
    masks to be filled in, `<name>_statements.csv` each statement with its offsets. An edited file is never written over: the
    claims file and the register keep their content, and the new one takes a number. Raises InputError.
    """
    report: Report = read_report(path)
    stem = Path(report.file).stem
    files = {
        "claims": free(out_folder / f"{stem}_claims.toml"), "masks": free(out_folder / f"{stem}_masks.csv"),
        "lint": out_folder / f"{stem}_lint.csv", "statements": out_folder / f"{stem}_statements.csv",
    }  # fmt: skip
    write_text(files["claims"], claims_toml(report.text, report.file))
    for key, table in (("masks", masks_table), ("lint", lint_table), ("statements", statements_table)):
        write_csv(files[key], table(report.text))
    return files


def free(path: Path) -> Path:
    """The path itself, or with the first number that is not taken."""
    tried = (path.with_name(f"{path.stem}_{n}{path.suffix}") for n in range(2, 10_000))
    return path if not path.exists() else next(p for p in tried if not p.exists())
