"""The report's own wording, claims X01 to X04: counts of what is at odds or masked; refuses to say which side is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from huying.estimates import COUNTY
from huying.problems.facts import Found, Study, find_each, values
from huying.report import (
    Finding,
    find_masks,
    find_sentences,
    lint,
    lint_table,
    masks_table,
    read_report,
    statements_table,
)

NO_REPORT = "no report"


def find(study: Study) -> Found:
    """Facts for X01 to X04 with the tables `statements`, `lint` and `masks`; without a report each says so.

    Raises InputError for a report that cannot be read.
    """
    found = find_each(study, FINDERS)
    if study.county.report is not None:
        text = read_report(study.county.report).text
        found.tables.update(statements=statements_table(text), lint=lint_table(text), masks=masks_table(text))
    return found


def at_odds(kind: str, rule: str = "") -> Callable[[str], int]:
    """A count of the findings of one kind in a text, where `rule` is given of that rule only."""

    def fits(found: Finding) -> bool:
        return found.kind == kind and rule in ("", found.rule)

    return lambda text: sum(map(fits, lint(text)))


COUNTERS: Mapping[str, Callable[[str], int]] = {
    "X01": at_odds("TERM"), "X02": at_odds("TENSION", "handed_off"), "X03": at_odds("TENSION", "consulted"),
    "X04": lambda text: len(find_masks(text)),
}  # fmt: skip


def add_count(claim: str, study: Study, found: Found) -> None:
    """The county's count for a claim about the wording, of as many sentences as the report has."""
    if study.county.report is None:
        found.add(claim, values([COUNTY], [np.nan], 0, reason=NO_REPORT))
        return
    text = read_report(study.county.report).text
    found.add(claim, values([COUNTY], [COUNTERS[claim](text)], len(find_sentences(text))))


def x01(study: Study, found: Found) -> None:
    """Names of the place and years that are mixed."""
    add_count("X01", study, found)


def x02(study: Study, found: Found) -> None:
    """Pairs of sentences of which one says that passing on has ended and the other that it goes on; P33 decides."""
    add_count("X02", study, found)


def x03(study: Study, found: Found) -> None:
    """Pairs of which one grants the right to be consulted and the other says that nobody asked; P25 decides."""
    add_count("X03", study, found)


def x04(study: Study, found: Found) -> None:
    """Masked figures and names."""
    add_count("X04", study, found)


FINDERS = {"X01": x01, "X02": x02, "X03": x03, "X04": x04}
