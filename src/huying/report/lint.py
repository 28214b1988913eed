"""What in a report is at odds with itself, and what it masks; refuses to say which of two statements is the true one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pandas as pd

from huying.report.numbers import grim, sums
from huying.report.statements import (
    PROPOSALS,
    Finding,
    Sentence,
    find_sentences,
    find_statements,
    finding,
    holds,
    lexicon,
    position,
)
from huying.words import as_text

FIGURE, NAME = "figure", "name"
_CONTEXT = 16
MASKS = ["id", "start", "line", "column", "character", "kind", "context", "statement", "value", "source", "as_of"]
LINT = ["kind", "rule", "line", "column", "text", "why_zh", "why_en", "other_line", "other_column", "other_text"]
LINT += ["start", "end", "other_start", "other_end"]


def find_masks(text: str) -> pd.DataFrame:
    """The register of masks (columns MASKS): every character that hides a figure or a name, in order, with the words around it.

    李某某 has two. A figure is what a unit or % follows. `value`, `source` and `as_of` are left for a person to fill in.
    """
    found, said = [], find_statements(text)
    for number, match in enumerate(re.finditer(lexicon()["text"]["mask"], text), 1):
        start = match.start()
        left = max(text.rfind("\n", 0, start) + 1, start - _CONTEXT)
        context = text[left : start + _CONTEXT + 1].partition("\n")[0]
        kind = FIGURE if match[0] != "某" and holds("text", "figure_after", text[start : start + 12]) else NAME
        within = next((s.id for s in said if s.start <= start < s.end), "")
        found.append((f"M{number:03}", start, *position(text, start), match[0], kind, context, within, "", "", ""))
    return pd.DataFrame(found, columns=MASKS)


def lint(text: str) -> pd.DataFrame:
    """Everything at odds in a text (columns LINT), in order: GRIM, SUM, TENSION (not in proposals) and TERM, by which rule and why.

    `other_…` says where the second part stands, where there is one. Lines and columns from 1; offsets count characters, end
    exclusive.
    """
    sentences = find_sentences(text)
    found = [*grim(text, sentences), *sums(text, sentences), *tensions(text, sentences)]
    told = {(f["start"], f.get("other_start")) for f in found}
    found += [f for f in topics(text) if (f["start"], f["other_start"]) not in told]
    table = pd.DataFrame([*found, *places(text), *years(text)], columns=LINT)
    whole = dict.fromkeys(("other_line", "other_column", "other_start", "other_end"), "Int64")
    return table.astype(whole).sort_values(["start", "kind", "rule"], kind="stable", ignore_index=True)


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
