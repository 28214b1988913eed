"""Sentences of a report that state something countable, by cue words; refuses to guess where no cue stands."""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

DONE, PROBLEMS, PROPOSALS = "done", "problems", "proposals"
_END_MARKS = "，,：:。！？；; "
Hit = tuple[int, int, Mapping[str, Any], str]  # a clause (start, end) with the cue that was found in it and its words


class Sentence(NamedTuple):
    """A sentence by its characters (end exclusive), the part of the report that it stands in, and whether it is a heading."""

    start: int
    end: int
    mode: str
    is_heading: bool


class Statement(NamedTuple):
    """A clause or run of clauses that states something countable; offsets count characters, end exclusive."""

    id: str
    line: int
    column: int
    quantifier: str
    cue: str
    part: str  # of the report
    text: str
    start: int
    end: int
    sentence_start: int
    sentence_end: int


@cache
def lexicon() -> Mapping[str, Any]:
    """The house's lexicon by its tables; raises re.error for a cue that is no regular expression.

    Of a cue (words in a clause that mark a statement of one `quantifier`): `modes`, the parts of a report in which it counts
    (all); `strong` (true): it counts in headings too; `weak`: it counts only where the sentence says nothing of that quantifier
    before; `imperative`: a proposal without a word such as 应; `whole_sentence`: no imperative of the same sentence counts
    beside it; `starts_anew`: words with which it is not part of the statement before it.
    """
    raw = tomllib.loads(files("huying").joinpath("data/lexicon.toml").read_text("utf-8"))
    raw["half_width"] = {**{0xFF10 + n: str(n) for n in range(10)}, ord("％"): "%", ord("．"): "."}
    number = raw["number"]["value"] + r"\s*" + raw["number"]["unit"]
    for cue in raw["cue"]:
        cue["pattern"] = re.compile(cue["pattern"] + (f"|{number}" if cue.get("number") else ""))
    return raw


def holds(room: str, key: str, text: str) -> bool:
    """Whether the rule `key` of the table `room` is found in a text."""
    return bool(re.search(lexicon()[room][key], text))


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    line = bisect_right(line_starts(text), offset)
    return line, offset - line_starts(text)[line - 1] + 1


@lru_cache(maxsize=2)
def line_starts(text: str) -> list[int]:
    """The offset at which each line begins."""
    return [0, *(match.end() for match in re.finditer("\n", text))]


def find_sentences(text: str) -> list[Sentence]:
    """The sentences of a text: up to and with one of 。！？；; or to the end of a line, which does not belong to it."""
    found, mode, local = [], DONE, ""
    for line in re.finditer(r"[^\n]+", text):
        level, spans = heading_level(line[0].strip()), list(spans_of(text, line.start(), line.end()))
        if level:
            kind = kind_of_heading(text[slice(*spans[0])]) if spans else ""
            mode, local = kind or DONE if level == 1 else mode, kind if level == 2 and kind != DONE else ""
        turned = False
        for number, (start, end) in enumerate(spans):
            turned |= holds("headings", "turns", text[start:end])
            own = PROPOSALS if turned else local or mode
            if not holds("text", "scraps", text[start:end]):
                found.append(Sentence(start, end, own, bool(level) and number == 0))
    return found


def heading_level(line: str) -> int:
    """1 for a line that begins with 一、 or is short and has no full stop, 2 for one that begins with （一）, else 0."""
    rules = lexicon()["headings"]
    if re.match(rules["second"], line):
        return 2
    is_bare = len(line) <= rules["longest_bare"] and not re.search(r"[。！？；;，,]", line)
    return 1 if re.match(rules["first"], line) or (is_bare and kind_of_heading(line) != "") else 0


def kind_of_heading(line: str) -> str:
    """The part of the report that a heading opens: problems, proposals, done, or empty where it does not say."""
    return next((kind for kind in (PROBLEMS, PROPOSALS, DONE) if holds("headings", kind, line)), "")


def spans_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of one line, blanks at their start left out."""
    ends = lexicon()["text"]["sentence_ends"]
    for part in re.finditer(rf"[^{ends}]*[{ends}]+[”’」』\"]?|[^{ends}]+$", text[start:end]):
        if part[0].strip():
            yield start + part.start() + len(part[0]) - len(part[0].lstrip()), start + part.end()


def clauses_of(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Offsets of the clauses of a sentence, parted by commas and colons that are not within brackets or quotes."""
    cuts, depth, ends = [start], 0, lexicon()["text"]["clause_ends"]
    for i in range(start, end):
        depth += (text[i] in "（(“「《") - (text[i] in "）)”」》" and depth > 0)
        is_in_number = text[i] == "," and text[i + 1 : i + 2].isdigit() and text[i - 1].isdigit()
        if text[i] in ends and depth == 0 and not is_in_number:
            cuts.append(i + 1)
    return list(pairwise([*cuts, end]))


def plain(clause: str) -> str:
    """A clause with titles and exceptions blanked out, its length kept, its end marks taken off."""
    for pattern in (lexicon()["text"]["blank"], "|".join(lexicon()["exceptions"]["words"])):
        clause = re.sub(pattern, lambda match: "□" * len(match[0]), clause)
    return clause.rstrip(_END_MARKS)


def find_statements(text: str) -> list[Statement]:
    """Every statement of a text that could be counted, in order; ids are R001, R002 …

    One clause gives at most one statement, by the first cue of the lexicon that fits it.
    """
    text, found = text.translate(lexicon()["half_width"]), list[Statement]()
    for sentence in find_sentences(text):
        for group in grouped(text, hits_of(text, sentence)):
            start, _, cue, stands = group[0]
            words = text[start : group[-1][1]].rstrip(_END_MARKS)
            where = (start, start + len(words), sentence.start, sentence.end)
            said = (cue["quantifier"], stands, sentence.mode, words)
            found.append(Statement(f"R{len(found) + 1:03}", *position(text, start), *said, *where))
    return found


def hits_of(text: str, sentence: Sentence) -> list[Hit]:
    """The clauses of a sentence in which a cue stands; a heading states nothing."""
    found, before = list[Hit](), set[str]()
    for start, end in () if sentence.is_heading else clauses_of(text, sentence.start, sentence.end):
        start += len(text[start:end]) - len(text[start:end].lstrip())
        clause = plain(text[start:end])
        cue, words = first_cue(clause, sentence)
        if cue and not (cue.get("weak") and cue["quantifier"] in before):
            found.append((start, end, cue, words))
            before.add(cue["quantifier"])
        elif not cue and found and holds("text", "inherit", clause):
            found.append((start, end, *found[-1][2:]))
    kept = next((hit for hit in found if hit[2].get("whole_sentence")), None)
    return [hit for hit in found if not kept or hit is kept or not {"imperative", "whole_sentence"} & set(hit[2])]


def first_cue(clause: str, sentence: Sentence) -> tuple[Mapping[str, Any], str]:
    """The first cue of the lexicon that stands in a clause, with the words that it matched; empty where there is none."""
    is_soft = holds("text", "subordinate", clause)
    for cue in lexicon()["cue"]:
        is_here = sentence.mode in cue.get("modes", [sentence.mode]) and (cue.get("strong", True) or not is_soft)
        if is_here and (match := cue["pattern"].search(clause)):
            return cue, match[0]
    return {}, ""


def grouped(text: str, hits: list[Hit]) -> list[list[Hit]]:
    """Hits that are one statement: counts of one unit with their per cent, and proposals up to one that starts anew."""
    groups: list[list[Hit]] = []
    for hit in hits:
        groups += [] if groups and goes_on(text, groups[-1][-1], hit) else [[]]
        groups[-1].append(hit)
    return groups


def goes_on(text: str, last: Hit, hit: Hit) -> bool:
    """Whether a clause belongs to the statement of the one before it."""
    start, end, cue, words = hit
    # Clauses of one sentence that go on counting, or proposing, are one statement.
    if not cue["quantifier"] == last[2]["quantifier"] in ("COUNT", "NEED"):
        return False
    if cue["quantifier"] == "NEED":
        return words == "需要" or (bool(cue.get("imperative")) and not re.search(cue["starts_anew"], words))
    room, before = lexicon()["number"], text[slice(*last[:2])]
    ours, theirs = (set(re.findall(rf"{room['value']}\s*({room['unit']})", part)) for part in (text[start:end], before))
    return bool(ours & theirs) or holds("number", "goes_on", text[start:end]) or holds("number", "base", before)
