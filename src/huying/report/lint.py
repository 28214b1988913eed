"""What in a report is at odds with itself, and what it masks; refuses to say which of two statements is the true one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from huying.report.findings import Finding, finding
from huying.report.lexicon import PROPOSALS, holds, lexicon
from huying.report.numbers import grim, sums
from huying.report.statements import Sentence, find_sentences, find_statements, position
from huying.words import as_text

FIGURE, NAME = "figure", "name"
_CONTEXT = 16


@dataclass(frozen=True)
class Mask:
    """One character that hides a figure or a name, with the words around it."""

    id: str
    start: int
    line: int
    column: int
    character: str
    kind: str
    context: str


def find_masks(text: str) -> list[Mask]:
    """Every single mask of a text in order, M001, M002 …; 李某某 has two. A figure is what a unit or % follows."""
    found = []
    for number, match in enumerate(re.finditer(lexicon()["text"]["mask"], text), 1):
        start = match.start()
        left = max(text.rfind("\n", 0, start) + 1, start - _CONTEXT)
        context = text[left : start + _CONTEXT + 1].partition("\n")[0]
        kind = FIGURE if match[0] != "某" and holds("text", "figure_after", text[start : start + 12]) else NAME
        found.append(Mask(f"M{number:03}", start, *position(text, start), match[0], kind, context))
    return found


def lint(text: str) -> list[Finding]:
    """Everything at odds in a text, in order: GRIM, SUM, TENSION (not in proposals) and TERM."""
    sentences = find_sentences(text)
    found = [*grim(text, sentences), *sums(text, sentences), *tensions(text, sentences)]
    told = {(f.start, f.other) for f in found}
    found += [f for f in topics(text) if (f.start, f.other) not in told]
    return sorted([*found, *places(text), *years(text)], key=lambda f: (f.start, f.kind, f.rule))


def tensions(text: str, sentences: list[Sentence]) -> Iterator[Finding]:
    """One finding for each pair of sentences of which one claims what the other denies; the earlier one comes first."""
    said = [s for s in sentences if s.mode != PROPOSALS]
    for rule in lexicon()["tension"]:
        claimed = [s for s in said if re.search(rule["claimed"], text[s.start : s.end])]
        admitted = [s for s in said if re.search(rule["admitted"], text[s.start : s.end]) and s not in claimed]
        for pair in product(claimed, admitted):
            first, second = sorted((s.start, s.end) for s in pair)
            yield finding(text, "TENSION", rule["kind"], first, as_text(rule["why"], rule["kind"]), second)


def topics(text: str) -> list[Finding]:
    """Pairs of sentences on one topic, of which one states all or none and the other admits that something is lacking."""
    room, found = lexicon()["topics"], {}
    said = [s for s in find_statements(text) if s.part != PROPOSALS]
    lacking = {s for s in said if re.search(room["lack"], re.sub(room["kept"], "", s.text))}
    for words in room["words"]:
        own = [s for s in said if re.search(words, s.text)]
        claimed = [s for s in own if s.quantifier in room["claims"] and s not in lacking]
        admitted = [s for s in own if s.quantifier in room["admits"] and s in lacking]
        shown, why = words.replace("|", "／"), as_text(room["why"], "topics")
        for pair in product(claimed, admitted):
            first, second = sorted((s.sentence_start, s.sentence_end) for s in pair)
            if first != second:
                found[first, second] = finding(text, "TENSION", "topic", first, why, second, words=shown)
    return list(found.values())


def places(text: str) -> Iterator[Finding]:
    """Each name of the place whose level (县, 市, 区, 旗) is not the one that the report mostly uses."""
    for rule in lexicon()["term"]:
        names = [(m.span(), "".join(filter(None, m.groups()))) for m in re.finditer(rule["pattern"], text)]
        main = next((level for level, _ in Counter(level for _, level in names).most_common(1)), "")
        why, home = as_text(rule["why"], rule["kind"]), next((span for span, level in names if level == main), ())
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
