"""Something at odds in a report, as it is told: where, what stands there, why, and where the second part stands."""

from __future__ import annotations

from dataclasses import dataclass

from huying.report.statements import position
from huying.words import Text

Span = tuple[int, int]


@dataclass(frozen=True)
class Finding:
    """Something at odds: GRIM, SUM, TENSION or TERM, by which rule, where, and why; `other_…` says where the second part stands.

    Offsets count characters, end exclusive; `other` is empty where there is no second part.
    """

    kind: str
    rule: str
    line: int
    column: int
    text: str
    why_zh: str
    why_en: str
    other_line: int | None
    other_column: int | None
    other_text: str
    start: int
    end: int
    other: Span | tuple[()]


def finding(
    text: str, kind: str, rule: str, span: Span, why: Text, second: Span | tuple[()] = (), **values: str
) -> Finding:
    """What is at odds in the characters of `span`, the places in `why` filled from `values`."""
    zh, en = (said.format(**values) for said in why)
    line, column = position(text, second[0]) if second else (None, None)
    there = text[slice(*second)] if second else ""
    here = (*position(text, span[0]), text[slice(*span)])
    return Finding(kind, rule, *here, zh, en, line, column, there, *span, second)
