"""The brief as a Word document: the county, what was done, problems with number and chart, causes, advice, annexes, and the researcher's own paragraphs.

These stand in Markdown, each under the place of the brief where it belongs; a place that the brief has not is refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from huying.deliver.content import Content
from huying.deliver.notes import read_notes
from huying.deliver.word import Paper, short
from huying.estimates import COUNTY
from huying.report import find_masks
from huying.units import say_n
from huying.words import Text, say

KEYS = ("basics", "actions", "problems", "causes", "advice", "annex")
PLACES = {key: Text(say(f"deliver.place_{key}", "zh"), say(f"deliver.place_{key}", "en")) for key in KEYS}
VERDICTS = ("supported", "not_supported", "cannot_say", "no_baseline")
COLUMNS, NAMES = 7, 12  # claims a table; names a list


def write_brief(content: Content, file: Path) -> None:
    """Write the brief of a county as a .docx file; raises CountyError for notes under an unknown place."""
    Brief(content).write(file)


class Brief:
    """A brief as it is written; own paragraphs follow what they belong to, and those of a claim that is not shown end its chapter."""

    def __init__(self, content: Content) -> None:
        self.content, self.say = content, content.say
        self.notes = read_notes(content.county.declared.folder / "notes", PLACES, content.claims, content.lang)
        name = short(content.name)
        self.paper = Paper(content.lang, self.say("title", county=name), [*content.marks, name])

    def write(self, file: Path) -> None:
        """Write every chapter and save the document."""
        title, content = self.say("title", county=short(self.content.name)), self.content
        self.paper.title(title, self.say("subtitle"))
        for key in PLACES:
            if key != "annex":
                self.paper.heading(PLACES[key](content.lang), 1)
            getattr(self, f"write_{key}")()
        self.paper.save(file)

    def own(self, place: str) -> None:
        """The researcher's own paragraphs of a place, once."""
        for runs in self.notes.pop(place, []):
            self.paper.runs(runs)

    def close(self, place: str, sections: Sequence[str]) -> None:
        """End a chapter: its own paragraphs, and those on claims of its sections that it did not show."""
        self.own(place)
        for claim in [key for key in self.notes if key in self.content.claims and key.startswith(tuple(sections))]:
            self.paper.text(self.content.claims[claim].text(self.content.lang) + self.say("colon"), "Own Text")
            self.own(claim)

    def told(self, rows: pd.DataFrame) -> None:
        """Statements, a paragraph each, with the own paragraphs on their claims."""
        for row in rows.to_dict("records"):
            self.paper.text(row["sentence"])
            self.own(row["claim"])

    def names(self, names: Sequence[str]) -> str:
        """Names one after another, many of them cut."""
        shown = say("statements.list", self.content.lang).join(short(name) for name in names[:NAMES])
        return shown + (self.say("and_more", n=len(names) - NAMES) if len(names) > NAMES else "")

    # --- chapters -----------------------------------------------------------------------------------------------------

    def write_basics(self) -> None:
        content, n = self.content, len(self.content.county.town_ids)
        self.paper.text(self.say("about", county=short(content.name), towns=say_n(n, "towns", content.lang)))
        counts = {name: content.tally.get(name.replace("_", " "), 0) for name in VERDICTS}
        self.paper.text(self.say("tally", n=sum(counts.values()), **counts))
        self.paper.text(self.say("reading"))
        self.close("basics", ())

    def write_actions(self) -> None:
        content, heads = self.content, self.content.heads
        rest = heads[~heads["section"].str.match("[PSX]")]
        for section in dict.fromkeys(rest["section"]):
            title = content.say_section(section).rpartition(self.say("colon"))[2]
            self.paper.heading(title[:1].upper() + title[1:], 2)
            own = rest[rest["section"] == section]
            self.told(own[own["verdict"] == "supported"])
            wrong = own[own["verdict"] == "not supported"]
            if len(wrong):
                self.paper.text(self.say("refuted", n=len(wrong), claims=self.say("semicolon").join(wrong["text"])))
        self.close("actions", [key for key in self.content.claims if key[0] not in "PSX"])

    def write_problems(self) -> None:
        content = self.content
        shown = content.findings[content.findings["is_problem"].astype(bool)]
        for row in shown.to_dict("records"):
            self.paper.heading(named(row, content.lang), 2)
            self.paper.text(row["sentence"] + self.say("certainty", certainty=row["certainty"]))
            if names := content.where(row["claim"]):
                self.paper.text(self.say("where", n=len(names), names=self.names(names)))
            if png := content.picture(row["claim"]):
                wide = self.paper.room if content.lang == "zh" else 125
                self.paper.picture(png, f"{row['title']} · {row['subtitle']}", wide)
                self.paper.caption("figure", row["measure"])
            self.own(row["claim"])
        if not len(shown):
            self.paper.text(self.say("no_problem"))
        alleged = content.heads[content.heads["section"].str.startswith("P") & ~content.heads.index.isin(shown.index)]
        others, refuted = alleged[alleged["is_problem"].astype(bool)], alleged[alleged["verdict"] == "not supported"]
        rest = alleged[~alleged.index.isin([*others.index, *refuted.index])]
        for key, rows in (("others", others), ("refuted_problems", refuted), ("other_matters", rest)):
            if len(rows):
                self.paper.heading(self.say(key), 2)
                self.told(rows)
        self.close("problems", ["P"])

    def write_causes(self) -> None:
        content, said = self.content, self.content.said
        named = said[said["part"].str.startswith("reason_") & (said["place"] == COUNTY) & (said["value"] != "")]
        for claim, rows in named.groupby("claim", sort=False):
            rows = rows[rows["when"] == rows["when"].iloc[-1]].sort_values("estimate", ascending=False, kind="stable")
            self.paper.text(self.say("reasons", text=content.claims[claim].text(content.lang)))
            self.paper.caption("table", self.say("reasons_of", when=rows["when"].iloc[0], n=rows["n"].iloc[0]))
            head = [self.say(f"col_{key}") for key in ("reason", "value", "interval", "n")]
            self.paper.table(head, rows[["text", "value", "interval", "n"]].to_numpy().tolist(), (4, 2, 4, 3))
        self.paper.text(self.say("no_cause"))
        self.told(content.heads[content.heads["remark"].str.contains("association")])
        self.close("causes", ())

    def write_advice(self) -> None:
        heads = self.content.heads
        advice = heads[heads["section"].str.startswith("S") & ~heads["remark"].str.contains("association")]
        is_borne = advice["verdict"] == "supported"
        for key, rows in (("advice_borne", advice[is_borne]), ("advice_open", advice[~is_borne])):
            if len(rows):
                self.paper.heading(self.say(key), 2)
                self.told(rows)
        self.close("advice", ["S"])

    def write_annex(self) -> None:
        self.paper.new_page()
        for n, write in enumerate((self.rewrite, self.mask, self.list_problems, self.explain, self.list_towns), 1):
            self.paper.heading(self.say("annex", n=n, title=self.say(f"annex_{n}")), 1, is_numbered=False)
            write()
        self.close("annex", list(self.content.claims))

    # --- annexes ------------------------------------------------------------------------------------------------------

    def tabled(
        self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]
    ) -> None:
        """A table with its caption, or a sentence where it has no row."""
        if not rows:
            self.paper.text(self.say("none"))
            return
        self.paper.caption("table", self.say(caption))
        self.paper.table([self.say(f"col_{column}") for column in columns], rows, widths)

    def rewrite(self) -> None:
        """Each claim that the data do not bear out, beside a sentence that they do."""
        content, weak = self.content, self.content.unsupported.to_dict("records")
        rows = [[one["claim"], content.quote_of(one["claim"]) or one["text"], content.fact(one)] for one in weak]
        self.tabled("annex_1", ("claim", "said", "instead"), rows, (1, 4, 8))

    def mask(self) -> None:
        """The report's masks, filled where a claim's value clearly is what is hidden."""
        found, blank = masks_of(self.content), self.say("open")
        rows = [[one["id"], one["context"].strip(), one["value"] or blank, one["source"]] for one in found]
        self.tabled("annex_2", ("mask", "context", "filled", "source"), rows, (1.2, 6, 3, 4))

    def list_problems(self) -> None:
        """Problem, places, evidence, responsible unit, deadline."""
        rows, content = [], self.content
        for row in content.problems.to_dict("records"):
            names = content.where(row["claim"])
            unit = self.say("these_departments" if content.claims[row["claim"]].department else "these_towns")
            rows.append([named(row, content.lang), self.names(names), content.fact(row), unit if names else "", ""])
        self.tabled("annex_3", ("problem", "places", "evidence", "unit", "deadline"), rows, (4, 3.6, 5.4, 2.6, 2))

    def explain(self) -> None:
        """Method and sample, and what cannot be said."""
        self.paper.text(self.say("semicolon").join(self.content.method) + self.say("stop"))
        for term in self.content.terms:
            self.paper.text(term + self.say("stop"))
        for line in [self.say("cannot_say_of")] * bool(self.content.cannot_say) + self.content.cannot_say:
            self.paper.text(line if line.endswith(("：", ":")) else line + self.say("stop"))

    def list_towns(self) -> None:
        """Towns by problem claims."""
        content = self.content
        claims = [key for key in content.problems.index if content.among(key)["place"].isin(content.towns).any()]
        at = {town: content.at(town) for town in content.towns}
        for first in range(0, len(claims), COLUMNS):
            chosen = claims[first : first + COLUMNS]
            head = [self.say("col_town"), *(content.heads.loc[key, "text"] for key in chosen)]
            names = [short(str(content.county.labels.place(town)), 30) for town in at]
            told = [[cell(rows, content.heads.loc[key]) for key in chosen] for rows in at.values()]
            rows = [[name, *cells] for name, cells in zip(names, told, strict=True)]
            self.paper.caption("table", self.say("annex_5"))
            self.paper.table(head, rows, (1.4, *[1] * len(chosen)))
        self.paper.text(self.say("marks") if claims else self.say("none"))


def named(row: Mapping[str, str], lang: str) -> str:
    """What a problem is called: a problem that the report names by its words, any other by its claim and the verdict."""
    full = say("statements.title", lang, text=row["text"], told=row["verdict_word"])
    return row["text"] if row["section"].startswith("P") else full


def cell(rows: pd.DataFrame, head: pd.Series) -> str:
    """What is said of a town's claim in a cell: its value, marked where it shows a problem or is undecided, and when where that is not the county's."""
    if head["claim"] not in rows.index:
        return "–"
    row = rows.loc[head["claim"]]
    told = (row["value"] or "–") + (" ●" if row["is_problem"] else " ○" if row["verdict"] == "cannot say" else "")
    return told + (f" [{row['when']}]" if row["when"] != head["when"] else "")


def masks_of(content: Content) -> Iterable[Mapping[str, Any]]:
    """The masks of the report with value and source where a claim tells both: the share that its sentence names is that claim's alone,

    and before the mask stands the noun of what the claim counts (then n) or what it is a share of (then how many of n).
    """
    text = content.county.report
    masks = find_masks(text).to_dict("records") if text else []
    heads = content.said[(content.said["part"] == "") & (content.said["place"] == COUNTY)]
    rows = heads[heads["is_counted"].astype(bool)]
    for mask in masks:
        start = mask["start"]
        sentence = text[max(text.rfind(end, 0, start) for end in "。！？\n") + 1 :].partition("。")[0]
        before = re.sub(r"[“”\"'‘’]", "", text[max(0, start - 6) : start])
        hits = []
        for index, row in rows.iterrows():
            claim, when = content.claims[row["claim"]], row["period"]
            rate = claim.measure.zh if claim.measure else ""
            if rate.endswith("率") and rate in sentence and (not when or when in sentence):
                kept = content.evidence.loc[index]
                noun, n, share = say_n(1, kept["n_of"], "zh")[1:], float(kept["n"]), float(kept["estimate"])
                unit = noun[0]
                is_part = before.endswith(rate.removesuffix("率"))
                if (is_part or before.endswith(noun[1:])) and text.startswith(unit, start + 1):
                    source = content.say("from_claim", claim=row["claim"], when=row["when"])
                    hits.append((f"{share * n if is_part else n:.0f}{unit}", source))
        yield mask | (dict(zip(("value", "source"), hits[0], strict=True)) if len(hits) == 1 else {})
