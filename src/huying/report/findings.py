"""Something at odds in a report, as it is told: where, what stands there, why, and where the second part stands."""

from __future__ import annotations

from typing import Any

from huying.report.statements import position
from huying.words import Text

Span = tuple[int, int]
Finding = dict[str, Any]  # a row of the table of what is at odds, see `lint`


def finding(
    text: str, kind: str, rule: str, span: Span, why: Text, second: Span | tuple[()] = (), **values: str
) -> Finding:
    """What is at odds in the characters of `span`, the places in `why` filled from `values`."""
    zh, en = (said.format(**values) for said in why)
    line, column = position(text, span[0])
    row = {"kind": kind, "rule": rule, "line": line, "column": column, "text": text[slice(*span)]}
    row |= {
        "why_zh": zh,
        "why_en": en,
        "start": span[0],
        "end": span[1],
        "other_text": text[slice(*(second or (0, 0)))],
    }
    if second:
        row["other_line"], row["other_column"] = position(text, second[0])
        row["other_start"], row["other_end"] = second
    return row
