"""What was read out of a report, as tables and as a claims file to be edited; refuses to fill in a base or an estimand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from huying.report.findings import Finding
from huying.report.lexicon import lexicon
from huying.report.lint import find_masks, lint
from huying.report.numbers import counts_of
from huying.report.read import read_report
from huying.report.statements import Statement, find_statements
from huying.store import as_toml, write_csv, write_text
from huying.words import LANGUAGES, say

STATEMENTS = (*Statement.__dataclass_fields__, "masks")
MASKS = ("id", "line", "column", "character", "kind", "context", "statement", "value", "source", "as_of")
LINT = tuple(Finding.__dataclass_fields__)[:-3]  # all but the offsets


def statements_table(text: str) -> pd.DataFrame:
    """The statements of a text with the columns STATEMENTS; `masks` counts the masks within, offsets count characters."""
    masks, said = find_masks(text), find_statements(text)
    within = [sum(s.start <= mask.start < s.end for mask in masks) for s in said]
    return pd.DataFrame(said, columns=list(STATEMENTS)).assign(masks=within)


def masks_table(text: str) -> pd.DataFrame:
    """The register of masks with the columns MASKS; `value`, `source` and `as_of` are left for a person to fill in."""
    masks, said = find_masks(text), find_statements(text)
    within = [next((s.id for s in said if s.start <= mask.start < s.end), "") for mask in masks]
    return pd.DataFrame(masks, columns=list(MASKS)).assign(statement=within, value="", source="", as_of="")


def lint_table(text: str) -> pd.DataFrame:
    """What is at odds in a text with the columns LINT, lines and columns from 1."""
    table = pd.DataFrame(lint(text), columns=list(LINT))
    return table.astype({"other_line": "Int64", "other_column": "Int64"})


def claims_toml(text: str, file: str = "") -> str:
    """The statements of a text as a claims file in the house's form, one `[[claim]]` each, to be edited by a person.

    Quantifier, bar and the verdict that means a problem are proposals by the lexicon; English text, base and estimand carry
    the mark `report.to_fill`.
    """
    top = [f"# {say(f'report.claims_{key}', lang, file=file)}" for lang in LANGUAGES for key in ("head", "edit")]
    return "\n".join([*top, *(claim_lines(statement) for statement in find_statements(text))]) + "\n"


def claim_lines(statement: Statement) -> str:
    """One statement as a `[[claim]]` table, with where it stands in a comment."""
    to_fill = {lang: say("report.to_fill", lang) for lang in LANGUAGES}
    english = f"{say('report.to_translate', 'en')} {statement.text}"
    values: dict[str, Any] = {"id": statement.id, "zh": statement.text, "en": english}
    values |= {"quantifier": statement.quantifier, "bar": bar_of(statement)}
    values |= {"problem_if": lexicon()["problem_if"][statement.part], "judged_for": "county", "needs": []}
    values |= {"unit": to_fill} if statement.quantifier == "COUNT" else {}
    values |= {"base": to_fill, "estimand": to_fill, "notebook": ""}
    stands = f"\n# {', '.join(say('report.stands', lang, **vars(statement)) for lang in LANGUAGES)}\n[[claim]]\n"
    return stands + "\n".join(f"{key} = {as_toml(value)}" for key, value in values.items())


def bar_of(statement: Statement) -> float:
    """The bar to begin with: the number of a statement that prints a single count, else the lexicon's for the quantifier."""
    counts = counts_of(statement.text, 0, len(statement.text)) if statement.quantifier == "COUNT" else []
    return float(counts[0].value if len(counts) == 1 else lexicon()["bar"][statement.quantifier])


def report_files(path: Path, out_folder: Path) -> dict[str, Path]:
    """Read a report and write what was found: the files by `claims`, `statements`, `lint` and `masks`.

    `<name>_claims.toml` is a claims file to be edited, `<name>_lint.csv` what is at odds, `<name>_masks.csv` the register of
    masks to be filled in, `<name>_statements.csv` each statement with its offsets. An edited file is never written over: the
    claims file and the register keep their content, and the new one takes a number. Raises InputError.
    """
    text = read_report(path)
    files = {key: out_folder / f"{path.stem}_{key}.csv" for key in ("masks", "lint", "statements")}
    files = {"claims": out_folder / f"{path.stem}_claims.toml", **files}
    files |= {key: free(files[key]) for key in ("claims", "masks")}
    write_text(files["claims"], claims_toml(text, path.name))
    for key, make in (("masks", masks_table), ("lint", lint_table), ("statements", statements_table)):
        write_csv(files[key], make(text))
    return files


def free(path: Path) -> Path:
    """The path itself, or with the first number that is not taken."""
    tried = (path.with_name(f"{path.stem}_{n}{path.suffix}") for n in range(2, 10_000))
    return path if not path.exists() else next(p for p in tried if not p.exists())
