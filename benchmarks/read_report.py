"""How much of a marked report is found by the lexicon: statements, masks, contradictions and numbers at odds.

A statement is a hit where its sentence and its quantifier are those of a mark; each of both is used once. Five marked reports
were written and committed before the lexicon knew their kinds (tests/data/reports); another, with which the lexicon was made, is no part of
this project and is left out, and said to be, where it does not lie in the folder given.
Run: python benchmarks/read_report.py [COUNTY_REPORT.txt COUNTY_SPANS.csv]
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from huying.report import find_masks, find_sentences, find_statements, lint, read_report

ROOT = Path(__file__).parents[1]
COUNTY = ROOT.parent / "shared" / "domain"
HELD_OUT = ROOT / "tests" / "data" / "reports"
OTHER = ("TENSION", "MASK", "GRIM", "SUM", "TERM")
MOST_FALSE, FEWEST_HITS, LEAST = 10, 55, 0.88
WRONG = {
    "report_b": 1,
    "report_c": 1,
}  # of each kind, the totals and percentages that are wrong; the other reports have none


def sentence_of(text: str, offset: int) -> int:
    """The start of the sentence that holds a character."""
    return next((s.start for s in find_sentences(text) if s.start <= offset < s.end), -1)


def statements(text: str, marks: pd.DataFrame) -> dict[str, float]:
    """Hits, false statements, recall of marks, and share of the marked sentences in which a mark is hit."""
    pairs = [(sentence_of(text, start), q) for start, q in zip(marks["start"], marks["quantifier"], strict=True)]
    wanted, given = Counter(pairs), Counter((s.sentence_start, s.quantifier) for s in find_statements(text))
    hits = wanted & given
    found, marked = {start for start, _ in hits}, {start for start, _ in wanted}
    return {"marked": len(marks), "hits": hits.total(), "false": (given - hits).total(), "recall": hits.total() / len(marks),
            "sentences": len(marked), "sentence_recall": len(found) / len(marked)}  # fmt: skip


def at_odds(text: str, marks: pd.DataFrame) -> dict[str, str]:
    """For each kind of finding: marks found and marks there are, and how many findings there are in all."""
    shown = {}
    for kind in ("TENSION", "GRIM", "SUM", "TERM"):
        found, hit = list(lint(text).query("kind == @kind").itertuples()), 0
        for mark in marks[marks["quantifier"] == kind].to_dict("records"):
            places = [(mark["start"], mark["end"]), *offsets(mark["note"])]
            hit += any(touches(f, places) for f in found)
        shown[kind] = f"{hit} of {(marks['quantifier'] == kind).sum()} ({len(found)} found)"
    here = set(marks.loc[marks["quantifier"] == "MASK", "start"])
    masks = set(find_masks(text)["start"])
    return {**shown, "MASK": f"{len(here & masks)} of {len(here)} ({len(masks)} found)"}


def offsets(note: object) -> list[tuple[int, int]]:
    """The other places that a note names."""
    return [(int(a), int(b)) for a, b in re.findall(r"(\d+)-(\d+)", str(note))]


def touches(found: object, places: list[tuple[int, int]]) -> bool:
    """Whether a finding overlaps the marked place, and where it has a second part, that of a contradiction the other one."""
    second = [(found.other_start, found.other_end)] if found.other_text else []  # type: ignore[attr-defined]
    spans = [(found.start, found.end), *second]  # type: ignore[attr-defined]
    over = [any(a < d and c < b for c, d in places) for a, b in spans]
    return all(over) if found.kind == "TENSION" else any(over)  # type: ignore[attr-defined]


def county(report: Path, spans: Path) -> bool:
    """Print the figures of the county report; whether they meet the targets."""
    if not (report.is_file() and spans.is_file()):
        print(f"county report: absent ({report}), left out")
        return True
    text, marks = read_report(report), pd.read_csv(spans, encoding="utf-8-sig")
    score = statements(text, marks)
    kinds = Counter((f.kind, f.rule) for f in lint(text).itertuples())
    x = {"X01": sum(n for (kind, _), n in kinds.items() if kind == "TERM"), "X02": kinds["TENSION", "handed_off"],
         "X03": kinds["TENSION", "consulted"], "X04": len(find_masks(text))}  # fmt: skip
    stars, names = (sum(m in c for m in find_masks(text)["character"]) for c in ("*", "某"))
    print(
        f"county report: {score['hits']} of {score['marked']} hit, {score['false']} false; recall {score['recall']:.0%}"
    )
    print(
        f"  tensions {sum(n > 0 for n in x.values())} of 4: {x}; masks: {stars} of {text.count('*')} *, {names} of {text.count('某')} 某"
    )
    return (
        score["hits"] >= FEWEST_HITS and score["false"] <= MOST_FALSE and all(x.values())
        and (stars, names) == (text.count("*"), text.count("某"))
    )  # fmt: skip


def held_out(name: str) -> bool:
    """Print the figures of a report that the lexicon has not seen; whether they meet the target."""
    text = read_report(HELD_OUT / f"{name}.txt")
    marks = pd.read_csv(HELD_OUT / f"{name}.csv", encoding="utf-8-sig")
    score = statements(text, marks[~marks["quantifier"].isin(OTHER)])
    precision = score["hits"] / (score["hits"] + score["false"])
    print(f"{name}: {score['hits']} of {score['marked']} hit, {score['false']} false; recall {score['recall']:.0%}, "
          f"precision {precision:.0%}; marked sentences {score['sentence_recall']:.0%} of {score['sentences']}")  # fmt: skip
    print("  " + "; ".join(f"{kind} {said}" for kind, said in at_odds(text, marks).items()))
    accused = lint(text)["kind"].value_counts()
    is_just = all(accused.get(kind, 0) == WRONG.get(name, 0) for kind in ("GRIM", "SUM"))
    return min(score["recall"], precision) >= LEAST and is_just


def main(paths: list[str]) -> int:
    given = [Path(p) for p in paths] or [COUNTY / "county_report.txt", COUNTY / "report_spans.csv"]
    met = [county(*given), *map(held_out, ("report_b", "report_c", "report_d", "report_e", "report_f"))]
    print("targets met" if all(met) else "a target is missed")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
