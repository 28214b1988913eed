"""A report read as text: its countable statements, its masks, and what in it is at odds; refuses to send it anywhere."""

from huying.report.lint import find_masks, lint
from huying.report.read import read_report
from huying.report.statements import find_sentences, find_statements
from huying.report.tables import report_files, statements_table

__all__ = ["find_masks", "find_sentences", "find_statements", "lint", "read_report", "report_files", "statements_table"]
