"""What in a report is at odds with itself, and what it masks; refuses to say which of two statements is the true one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from huying.report.lexicon import PROPOSALS, Tension, lexicon
from huying.report.numbers import grim, sums
from huying.report.statements import Sentence, find_sentences, find_statements, position
from huying.words import Text, say

FIGURE, NAME = "figure", "name"
_CONTEXT = 16


@dataclass(frozen=True)
class Finding:
    """Something at odds: GRIM, SUM, TENSION or TERM, by which rule, where, and why; `other` is where the second part stands.

    Offsets count characters, end exclusive; `other` is empty where there is no second part.
    """

    kind: str
    rule: str
    start: int
    end: int
    line: int
    column: int
    text: str
    why: Text
    other: tuple[int, int] | tuple[()] = ()


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
    figure = lexicon().pattern("text", "figure_after")
    for number, match in enumerate(lexicon().pattern("text", "mask").finditer(text), 1):
        start = match.start()
        left = max(text.rfind("\n", 0, start) + 1, start - _CONTEXT)
        context = text[left : start + _CONTEXT + 1].partition("\n")[0]
        kind = FIGURE if match[0] != "某" and figure.search(text[start : start + 12]) else NAME
        found.append(Mask(f"M{number:03}", start, *position(text, start), match[0], kind, context))
    return found


def lint(text: str) -> list[Finding]:
    """Everything at odds in a text, in order: GRIM, SUM, TENSION (not in proposals) and TERM."""
    sentences = find_sentences(text)
    found = [
        finding(
            text,
            m.kind,
            m.kind.lower(),
            (m.start, m.end),
            Text(*(say(m.key, lang, **m.values) for lang in ("zh", "en"))),
        )
        for m in (*grim(text, sentences), *sums(text, sentences))
    ]
    for rule in lexicon().tensions:
        found += tensions(text, sentences, rule)
    told = {(f.start, f.other) for f in found}
    found += [f for f in topics(text) if (f.start, f.other) not in told]
    found += [*places(text), *years(text)]
    return sorted(found, key=lambda f: (f.start, f.kind, f.rule))


def finding(
    text: str, kind: str, rule: str, span: tuple[int, int], why: Text, other: tuple[int, int] | tuple[()] = ()
) -> Finding:
    """A Finding with its line, column and words."""
    return Finding(kind, rule, *span, *position(text, span[0]), text[slice(*span)], why, other)


def tensions(text: str, sentences: list[Sentence], rule: Tension) -> Iterator[Finding]:
    """One finding for each pair of sentences of which one claims what the other denies; the earlier one comes first."""
    said = [s for s in sentences if s.mode != PROPOSALS]
    claimed = [s for s in said if rule.claimed.search(text[s.start : s.end])]
    admitted = [s for s in said if rule.admitted.search(text[s.start : s.end]) and s not in claimed]
    for one in claimed:
        for two in admitted:
            first, second = sorted(((one.start, one.end), (two.start, two.end)))
            yield finding(text, "TENSION", rule.kind, first, rule.why, second)


def topics(text: str) -> list[Finding]:
    """Pairs of sentences on one topic, of which one states all or none and the other admits that something is lacking."""
    room, found = lexicon().raw["topics"], {}
    lack = re.compile(room["lack"])
    said = [
        (s, bool(lack.search(re.sub(room["kept"], "", s.text)))) for s in find_statements(text) if s.mode != PROPOSALS
    ]
    for words in room["words"]:
        own = [(s, lacks) for s, lacks in said if re.search(words, s.text)]
        claimed = [s for s, lacks in own if s.quantifier in room["claims"] and not lacks]
        admitted = [s for s, lacks in own if s.quantifier in room["admits"] and lacks]
        why = Text(*(room["why"][lang].format(words=words.replace("|", "／")) for lang in ("zh", "en")))
        for one, two in product(claimed, admitted):
            first, second = sorted((x.sentence_start, x.sentence_end) for x in (one, two))
            if first != second:
                found[first, second] = finding(text, "TENSION", "topic", first, why, second)
    return list(found.values())


def places(text: str) -> Iterator[Finding]:
    """Each name of the place whose level (县, 市, 区, 旗) is not the one that the report mostly uses."""
    for rule in lexicon().raw["term"]:
        names = [(m.span(), "".join(filter(None, m.groups()))) for m in re.finditer(rule["pattern"], text)]
        levels = Counter(level for _, level in names)
        if len(levels) < 2:
            continue
        main = max(levels, key=lambda level: levels[level])
        home = next(span for span, level in names if level == main)
        why = Text(*(rule["why"][lang].format(main=main) for lang in ("zh", "en")))
        yield from (finding(text, "TERM", rule["kind"], span, why, home) for span, level in names if level != main)


def years(text: str) -> Iterator[Finding]:
    """Years at odds: two in the titles of the report, a date of the data outside its year, two for one document or name."""
    room = lexicon().raw["year"]
    titles = [(m.span(), m[1]) for m in re.finditer(room["title"], text)]
    if titles:
        first, year = titles[0]
        for pattern, why in ((room["title"], "why_title"), (room["as_of"], "why_as_of")):
            for match in re.finditer(pattern, text):
                if match[1] != year:
                    yield finding(text, "TERM", "year", match.span(), _year(why, year), first)
    seen: dict[str, tuple[str, tuple[int, int]]] = {}
    for clause in re.finditer(r"[^，,。！？；;\n]+", text):
        named, dated = (
            re.findall(room["named"], clause[0]),
            re.search(room["any"], re.sub(room["named"], "", clause[0])),
        )
        for name in named if dated else ():
            year, place = seen.setdefault(name, (dated[1], clause.span()))  # type: ignore[index]
            if year != dated[1]:  # type: ignore[index]
                yield finding(text, "TERM", "year", clause.span(), _year("why_named", year), place)


def _year(key: str, other: str) -> Text:
    raw = lexicon().raw["year"][key]
    return Text(raw["zh"].format(other=other), raw["en"].format(other=other))
