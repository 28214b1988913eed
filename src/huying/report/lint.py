"""What in a report is at odds with itself, words and printed numbers, and what it masks; refuses to say which of two statements is the true one.

A list that says it is not whole is not judged by its total.
"""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise, product, takewhile
from typing import Any, NamedTuple

import pandas as pd

from huying.report.statements import PROPOSALS, Sentence, find_sentences, find_statements, holds, lexicon, position
from huying.words import Text, all_words, as_text

ROUNDED, CUT = "rounded", "cut"
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,4})?)\s*[%％]")
_CONTEXT = 16
MOST_PAIRED, MOST_CLAIMS, MOST_OTHERS = 50, 300, 1000  # statements that are compared with each other
_BACK = 120  # characters in which the base of a per cent or a total is looked for
Span = tuple[int, int]
Finding = dict[str, Any]  # a row of the table of what is at odds, see `lint`
MASKS = ["id", "start", "line", "column", "character", "kind", "context", "statement", "value", "source", "as_of"]
LINT = ["kind", "rule", "line", "column", "text", "why_zh", "why_en", "other_line", "other_column", "other_text"]
LINT += ["start", "end", "other_start", "other_end"]


def find_masks(text: str) -> pd.DataFrame:
    """The register of masks (columns MASKS): every character that hides a figure or a name, in order, with the words around it.

    李某某 has two. A figure is what a unit or % follows. `value`, `source` and `as_of` are left for a person to fill in.
    """
    found, said = [], find_statements(text)
    starts = [statement.start for statement in said]
    for number, match in enumerate(re.finditer(lexicon()["text"]["mask"], text), 1):
        start = match.start()
        before, after = text[max(start - _CONTEXT, 0) : start], text[start : start + _CONTEXT + 1]
        context = before.rpartition("\n")[2] + after.partition("\n")[0]
        kind = "figure" if match[0] != "某" and holds("text", "figure_after", text[start : start + 12]) else "name"
        within = next((s.id for s in said[bisect_right(starts, start) - 1 :][:1] if s.start <= start < s.end), "")
        found.append((f"M{number:03}", start, *position(text, start), match[0], kind, context, within, "", "", ""))
    return pd.DataFrame(found, columns=MASKS)


def lint(text: str) -> pd.DataFrame:
    """Everything at odds in a text (columns LINT), in order: GRIM, SUM, TENSION (not in proposals) and TERM, by which rule and why.

    `other_…` says where the second part stands, where there is one. Lines and columns from 1; offsets count characters, end
    exclusive.
    """
    # An equal text of its own would be compared letter by letter wherever the lines of a text are looked up.
    text = told if (told := text.translate(lexicon()["half_width"])) != text else text
    sentences = find_sentences(text)
    # of the same pair a named one
    at_odds_with = {(f["start"], f["other_start"]): f for f in (*opposites(text), *tensions(text, sentences))}.values()
    found = [*grim(text, sentences), *sums(text, sentences), *at_odds_with, *places(text), *years(text)]
    table = pd.DataFrame(found, columns=LINT)
    whole = dict.fromkeys(("other_line", "other_column", "other_start", "other_end"), "Int64")
    return table.astype(whole).sort_values(["start", "kind", "rule"], kind="stable", ignore_index=True)


def finding(text: str, kind: str, rule: str, span: Span, why: Text, second: Any = None, **values: str) -> Finding:
    """What is at odds in the characters of `span`, the places in `why` filled from `values`."""
    zh, en = (said.format(**values) for said in why)
    row: Finding = {"kind": kind, "rule": rule, "why_zh": zh, "why_en": en, "other_text": ""}
    for which, (start, end) in {"": span, **({"other_": second} if second else {})}.items():
        line, column = position(text, start)
        told = {"line": line, "column": column, "text": text[start:end], "start": start, "end": end}
        row |= {f"{which}{name}": value for name, value in told.items()}
    return row


def tensions(text: str, sentences: list[Sentence]) -> Iterator[Finding]:
    """For each rule of the lexicon, pairs of sentences of which one claims what the other denies; the earlier one comes first."""
    said = {text[s.start : s.end]: s for s in reversed(sentences) if s.mode != PROPOSALS}.items()  # the same words once
    for rule in lexicon()["tension"]:
        sides = ([s for words, s in said if re.search(rule[side], words)] for side in ("claimed", "admitted"))
        claimed, admitted = (side[:MOST_PAIRED] for side in sides)
        for pair in (pair for pair in product(claimed, admitted) if pair[1] not in claimed):
            first, second = sorted((s.start, s.end) for s in pair)
            yield finding(text, "TENSION", rule["kind"], first, as_text(rule["why"], rule["kind"]), second)


def opposites(text: str) -> Iterator[Finding]:
    """Pairs of sentences about one thing: one says all or none, the other the contrary of a part. Each claim once.

    One thing: a third of the pairs of characters of the shorter sentence, or the very words of which there is said to be none.
    """
    room, why = lexicon()["opposite"], as_text(lexicon()["opposite"]["why"], "opposite")
    said = [*{s.text: s for s in reversed(find_statements(text)) if s.part != PROPOSALS}.values()][::-1]
    bare = {s: re.sub(room["empty"], " ", text[s.sentence_start : s.sentence_end]) for s in said}
    things = {s: set(re.findall("(?=([\u4e00-\u9fff]{2}))", words)) for s, words in bare.items()}
    lacking = {s for s in said if re.search(room["lack"], re.sub(room["kept"], "", s.text))}
    others = [s for s in said if s.quantifier in room["admits"]][:MOST_OTHERS]
    claims = [s for s in said if s.quantifier == "NONE" or (s.quantifier == "ALL" and s not in lacking)][:MOST_CLAIMS]
    for claim, other in product(claims, others):
        is_contrary = other in lacking if claim.quantifier == "ALL" else other.quantifier in room["whole"]
        denied = re.search(room["none_of"], claim.text) if claim.quantifier == "NONE" else None
        is_denied = denied and other.quantifier != "NONE" and re.search(f"(?<![未没无不零]){denied[1]}", other.text)
        shared, fewest = things[claim] & things[other], min(len(things[claim]), len(things[other]))
        is_one = is_contrary and len(shared) >= max(room["least_shared"], fewest / 3)
        if claim.sentence_start != other.sentence_start and (is_one or is_denied):
            first, second = sorted((s.sentence_start, s.sentence_end) for s in (claim, other))
            words = denied[1] if denied and is_denied else "、".join(sorted(shared))
            yield finding(text, "TENSION", "opposite", first, why, second, words=words)


def places(text: str) -> Iterator[Finding]:
    """Each name of the place whose level (县, 市, 区, 旗) is not the one that the report mostly uses."""
    for rule in lexicon()["term"]:
        names = [(m.span(), "".join(filter(None, m.groups()))) for m in re.finditer(rule["pattern"], text)]
        main = next((level for level, _ in Counter(level for _, level in names).most_common(1)), "")
        why, home = as_text(rule["why"], rule["kind"]), next((span for span, level in names if level == main), None)
        for span, level in names:
            if level != main:
                yield finding(text, "TERM", rule["kind"], span, why, home, main=main)


def years(text: str) -> Iterator[Finding]:
    """Years at odds: two in the titles of the report, a date of the data outside its year, two for one document or name."""
    room = lexicon()["year"]
    if title := re.search(room["title"], text):
        for pattern, why in ((room["title"], "why_title"), (room["as_of"], "why_as_of")):
            for match in re.finditer(pattern, text):
                if match[1] != title[1]:
                    yield at_odds(text, why, match, title[1], title.span())
    seen: dict[str, tuple[str, tuple[int, int]]] = {}
    for clause in re.finditer(r"[^，,。！？；;\n]+", text):
        if dated := re.search(room["any"], re.sub(room["named"], "", clause[0])):
            for name in re.findall(room["named"], clause[0]):
                year, place = seen.setdefault(name, (dated[1], clause.span()))
                if year != dated[1]:
                    yield at_odds(text, "why_named", clause, year, place)


def at_odds(text: str, why: str, match: re.Match[str], year: str, place: tuple[int, int]) -> Finding:
    """A year that is not the one which another place has."""
    return finding(text, "TERM", "year", match.span(), as_text(lexicon()["year"][why], why), place, other=year)


class Count(NamedTuple):
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
    near = math.floor(printed * n / 100)
    exact = [Decimal(100 * k) / n for k in range(max(near - 1, 0), min(near + 2, n) + 1)]
    modes = {ROUND_HALF_UP: ROUNDED, ROUND_HALF_EVEN: ROUNDED, ROUND_DOWN: CUT}
    return {way for mode, way in modes.items() if printed in [share.quantize(printed, mode) for share in exact]}


def counts_of(text: str, start: int, end: int) -> list[Count]:
    """The counts printed in digits between two characters; years, dates and per cent are none."""
    pattern = rf"(?<![\d.第])(\d{{1,3}}(?:,\d{{3}})+|\d+)(?![.\d])\s*({lexicon()['number']['unit']})"
    hits = [m for m in re.finditer(pattern, text[start:end]) if m[2] not in ("%", "％", "‰", "成", "个百分点")]
    return [Count(int(m[1].replace(",", "")), m[2], start + m.start(), start + m.end()) for m in hits]


def grim(text: str, sentences: list[Sentence]) -> Iterator[Finding]:
    """Percentages that no count out of their own number gives, or only one that was cut off instead of rounded.

    Not every count beside a percentage is its base (18 towns, 91.4% satisfied): see `bases_of`. Where part and whole stand
    right before it, their quotient must give it.
    """
    for before, sentence in zip([None, *sentences], sentences, strict=False):
        for match in _PERCENT.finditer(text, sentence.start, sentence.end):
            around = text[max(sentence.start, match.start() - 8) : match.end() + 4]
            bases = bases_of(text, sentence, match.start(), before)
            if bases and float(match[1]) not in (0, 100) and not holds("grim", "not_a_share", around):
                yield from misfits(text, match, bases)


def bases_of(text: str, sentence: Sentence, end: int, before: Sentence | None) -> list[Count]:
    """The counts that a percentage at `end` may be of: whole and part in one unit, if the words say that it is their share; what
    its clause is out of (…中); what was asked, in its sentence or, where that has no count, in the one before in the same line."""
    room, start = lexicon()["grim"], max(sentence.start, end - _BACK)
    counts = [c for c in counts_of(text, start, end) if re.fullmatch(room["base"], c.unit) and c.value > 1]
    lead = ["", *re.split("[，,；;]", text[start:end])]
    same, rate = [c for c in counts if c.unit == counts[-1].unit], re.search(room["rate"], lead[-1])
    if len(same) > 1 and (holds("grim", "part", lead[-1][-6:]) or (rate and rate[1] in lead[-2])):
        return same
    among = [c for c in counts if re.match(room["among"], text[c.end : c.end + 20])]
    if counts:
        asked = [] if holds("grim", "part", lead[-1]) and len(counts) > 1 else counts[-1:]
        return among[-1:] or [c for c in asked if is_asked(text, c) and len(lead) < 5]
    if before is None or "\n" in text[before.start : start] or holds("grim", "of_part", text[start:end]):
        return []
    return [c for c in counts_of(text, max(before.start, before.end - _BACK), before.end) if is_asked(text, c)][-1:]


def is_asked(text: str, count: Count) -> bool:
    """Whether a count is of forms or persons that were asked."""
    return re.search(lexicon()["grim"]["survey"] + "$", text[max(0, count.start - 18) : count.start]) is not None


def misfits(text: str, match: re.Match[str], bases: list[Count]) -> Iterator[Finding]:
    """Why a percentage does not fit any of the counts before it, if it does not."""
    percent, shown = match[1], ", ".join(str(n) for n in dict.fromkeys(c.value for c in bases))
    given = set().union(*(ways(percent, c.value) for c in bases))
    if ROUNDED not in given:
        yield misfit(text, "grim_cut" if given else "grim", match.span(), percent=percent, n=shown)
    elif len(bases) >= 2 and bases[-1].unit == bases[-2].unit and match.start() - bases[-1].end <= 12:
        whole, part, near = bases[-2].value, bases[-1].value, 0.1 ** len(percent.partition(".")[2])
        shares = [100 * part / n.value for n in bases if n.value >= part]
        fits = any(abs(share - float(percent)) < near for one in shares for share in (one, 100 - one))
        if part < whole and not fits:
            values = {"percent": percent, "part": str(part), "whole": str(whole), "right": f"{100 * part / whole:.1f}"}
            yield misfit(text, "grim_pair", match.span(), **values)


def misfit(text: str, key: str, span: Span, **values: str) -> Finding:
    """Numbers that do not fit: the characters of the one at fault, and the words that say why."""
    kind = key.partition("_")[0]
    return finding(text, kind.upper(), kind, span, all_words()[f"report.{key}"], None, **values)


def sums(text: str, sentences: list[Sentence]) -> Iterator[Finding]:
    """Totals whose parts, named in the same sentence with the same unit and of the same noun, give another number.

    Parts that exceed the total never fit; parts that fall short do not only where two or more nearly give a total that is called
    one, and the list does not say that it goes on. A count is a total when 共, 合计 or the like stands before it, or 其中 or the
    like after it.
    """
    room = lexicon()["sum"]
    opener, sign = re.compile(room["parts_after"]), re.compile(room["total_before"] + "$")
    for sentence in sentences:
        counts = counts_of(text, sentence.start, sentence.end)
        for i, total in enumerate(counts):
            follows = text[total.end : counts[i + 1].start] if i + 1 < len(counts) else ""
            before = text[max(sentence.start, total.start - _BACK) : total.start]
            is_total = sign.search(before) is not None
            same = [c for c in counts[i + 1 : i + 1 + MOST_PAIRED] if c.unit == total.unit]
            if same and opener.search(follows):
                yield from unequal(text, total, until_next_total(text, same), is_total)
            lead = [c for c in counts[max(0, i - MOST_PAIRED) : i] if c.unit == total.unit]
            if len(lead) >= 2 and is_total and not opener.search(before):
                yield from unequal(text, total, lead, True)


def until_next_total(text: str, counts: list[Count]) -> list[Count]:
    """Counts in a row, up to one that is a total or a part of a part."""
    stop = re.compile(rf"{lexicon()['sum']['total_before']}$|{lexicon()['sum']['parts_after']}|[。！？；;]")
    pairs = takewhile(lambda pair: not stop.search(text[pair[0].end : pair[1].start]), pairwise(counts))
    return [*counts[:1], *(count for _, count in pairs)]


def noun_of(text: str, count: Count) -> str:
    """The noun after a count; empty where a mark follows."""
    found = re.match("(?:等|左右)?([\u4e00-\u9fff]*)", text[count.end : count.end + 8])
    return found[1] if found else ""


def unequal(text: str, total: Count, parts: list[Count], is_total: bool) -> Iterator[Finding]:
    """The misfit of a total with its parts, if there is one and all are of one noun."""
    added, whole = sum(part.value for part in parts), noun_of(text, total)
    nouns = {noun_of(text, part) for part in parts} - {""}
    if any(not whole.endswith(noun) and not noun.endswith(whole) for noun in nouns) or len(nouns) > 1 > len(whole):
        return
    ends = {text[part.start - 1] for part in (total, *parts)}
    is_one = is_total or total.unit != "个" or len(ends) < 1 + len(parts)
    span = text[parts[0].start : parts[-1].end + 2]
    # Parts that fall short of a total must name so much of it.
    is_open = len(parts) < 2 or not is_total or added < 0.8 * total.value or holds("sum", "open_list", span)
    if is_one and (added > total.value or (added < total.value and not is_open)):
        values = {"total": str(total.value), "parts": " + ".join(str(p.value) for p in parts), "added": str(added)}
        yield misfit(text, "sum", (total.start, total.end), **values)
