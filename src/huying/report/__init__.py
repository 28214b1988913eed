"""A report read as text: its countable statements, its masks, and what in it is at odds; refuses to send it anywhere."""

from huying.report.lexicon import lexicon
from huying.report.lint import find_masks, lint
from huying.report.read import read_report
from huying.report.statements import find_sentences, find_statements
from huying.report.tables import claims_toml, lint_table, masks_table, report_files, statements_table

__all__ = [
    "claims_toml", "find_masks", "find_sentences", "find_statements", "lexicon", "lint", "lint_table", "masks_table",
    "read_report", "report_files", "statements_table",
]  # fmt: skip
