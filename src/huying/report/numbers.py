"""Printed numbers that cannot all be right: percentages and totals; refuses to judge a list that says it is not whole."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise

from huying.report.statements import Finding, Sentence, Span, finding, holds, lexicon
from huying.words import all_words

ROUNDED, CUT = "rounded", "cut"
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,4})?)\s*[%％]")


@dataclass(frozen=True)
class Count:
    """A printed count with its unit and its characters in the text."""

    value: int
    unit: str
    start: int
    end: int


def ways(percent: str, n: int) -> set[str]:
    """How a count of `n` can give the printed per cent: `rounded` (half up or half to even), `cut` (the rest dropped).

    Brown and Heathers (2017), the GRIM test, for shares: only n + 1 values exist, and few of them have these digits.
    """
    printed = Decimal(percent)
    step = Decimal(1).scaleb(int(printed.as_tuple().exponent))
    near = math.floor(printed * n / 100)
    found = set()
    for k in range(max(near - 1, 0), min(near + 2, n) + 1):
        exact = Decimal(100 * k) / n
        if printed in (exact.quantize(step, ROUND_HALF_UP), exact.quantize(step, ROUND_HALF_EVEN)):
            found.add(ROUNDED)
        if printed == exact.quantize(step, ROUND_DOWN):
            found.add(CUT)
    return found


def counts_of(text: str, start: int, end: int) -> list[Count]:
    """The counts printed in digits between two characters; years, dates and per cent are none."""
    unit = lexicon()["number"]["unit"]
    pattern = re.compile(rf"(?<![\d.第])(\d{{1,3}}(?:,\d{{3}})+|\d+)(?![.\d])\s*({unit})")
    return [
        Count(int(m[1].replace(",", "")), m[2], start + m.start(), start + m.end())
        for m in pattern.finditer(text[start:end])
        if m[2] not in ("%", "％", "‰", "成", "个百分点")
    ]


def grim(text: str, sentences: list[Sentence]) -> Iterator[Finding]:
    """Percentages that no count out of the stated number gives, or only one that was cut off instead of rounded.

    Not every count beside a percentage is its base (18 towns, 91.4% satisfied): see `bases_of`. A percentage is named only if none of them fits. Where part and whole stand right before it, their quotient must give it.
    """
    for sentence in sentences:
        for match in _PERCENT.finditer(text, sentence.start, sentence.end):
            around = text[max(sentence.start, match.start() - 8) : match.end() + 4]
            bases = bases_of(text, sentence.start, match.start())
            if bases and float(match[1]) not in (0, 100) and not holds("grim", "not_a_share", around):
                yield from misfits(text, match, bases)


def bases_of(text: str, start: int, end: int) -> list[Count]:
    """The counts that a percentage at `end` may be of, in this order: whole and part in one unit; what its sentence, which
    begins at `start`, says it is out of (占, …中) or counts of persons, forms or cases; what the paragraph says was asked."""
    room = lexicon()["grim"]
    counts = [c for c in counts_of(text, start, end) if re.fullmatch(room["base"], c.unit) and c.value > 1]
    same = [c for c in counts if c.unit == counts[-1].unit]
    if not holds("grim", "part", text[max(start, end - 6) : end]):
        among = re.compile(room["among"])
        counts = [c for c in counts if re.fullmatch(room["asked"], c.unit) or among.match(text[c.end : c.end + 20])]
    return same if len(same) > 1 else counts or survey_base(text, end)


def misfits(text: str, match: re.Match[str], bases: list[Count]) -> Iterator[Finding]:
    """Why a percentage does not fit any of the counts before it, if it does not."""
    percent, shown = match[1], ", ".join(str(n) for n in dict.fromkeys(c.value for c in bases))
    given = set().union(*(ways(percent, c.value) for c in bases))
    if ROUNDED not in given:
        yield misfit(text, "grim_cut" if given else "grim", match.span(), percent=percent, n=shown)
    elif len(bases) >= 2 and bases[-1].unit == bases[-2].unit and match.start() - bases[-1].end <= 12:
        whole, part, near = bases[-2].value, bases[-1].value, 0.1 ** len(percent.partition(".")[2])
        fits = any(abs(100 * part / n.value - float(percent)) < near for n in bases if n.value >= part)
        if part < whole and not fits:
            values = {"percent": percent, "part": str(part), "whole": str(whole), "right": f"{100 * part / whole:.1f}"}
            yield misfit(text, "grim_pair", match.span(), **values)


def misfit(text: str, key: str, span: Span, **values: str) -> Finding:
    """Numbers that do not fit: the characters of the one at fault, and the words that say why."""
    kind = key.partition("_")[0]
    return finding(text, kind.upper(), kind, span, all_words()[f"report.{key}"], (), **values)


def survey_base(text: str, start: int) -> list[Count]:
    """The last number of forms or persons asked that the paragraph states before a character."""
    first = text.rfind("\n", 0, start) + 1
    pattern = re.compile(lexicon()["grim"]["survey"] + "$")
    stated = [c for c in counts_of(text, first, start) if pattern.search(text[max(first, c.start - 18) : c.start])]
    return stated[-1:]


def sums(text: str, sentences: list[Sentence]) -> Iterator[Finding]:
    """Totals whose parts, named in the same sentence with the same unit, give another number.

    Parts that exceed the total never fit; parts that fall short do not only where two or more are given and the list does
    not say that it goes on. A count is a total when 共, 合计 or the like stands before it, or 其中 or the like after it.
    """
    room = lexicon()["sum"]
    opener, sign = re.compile(room["parts_after"]), re.compile(room["total_before"] + "$")
    for sentence in sentences:
        counts = counts_of(text, sentence.start, sentence.end)
        for i, total in enumerate(counts):
            follows = text[total.end : counts[i + 1].start] if i + 1 < len(counts) else ""
            same = [c for c in counts[i + 1 :] if c.unit == total.unit]
            if same and opener.search(follows):
                yield from unequal(text, total, until_next_total(text, same))
            lead = [c for c in counts[:i] if c.unit == total.unit]
            before = text[sentence.start : total.start]
            if len(lead) >= 2 and sign.search(before) and not opener.search(before):
                yield from unequal(text, total, lead)


def until_next_total(text: str, counts: list[Count]) -> list[Count]:
    """Counts in a row, up to one that is a total or a part of a part."""
    room = lexicon()["sum"]
    stop = re.compile(rf"{room['total_before']}$|{room['parts_after']}|[。！？；;]")
    kept = counts[:1]
    for before, count in pairwise(counts):
        if stop.search(text[before.end : count.start]):
            break
        kept.append(count)
    return kept


def unequal(text: str, total: Count, parts: list[Count]) -> Iterator[Finding]:
    """The misfit of a total with its parts, if there is one."""
    added = sum(part.value for part in parts)
    span = text[parts[0].start : parts[-1].end + 2]
    is_open = len(parts) < 2 or holds("sum", "open_list", span)
    if added > total.value or (added < total.value and not is_open):
        values = {"total": str(total.value), "parts": " + ".join(str(p.value) for p in parts), "added": str(added)}
        yield misfit(text, "sum", (total.start, total.end), **values)
