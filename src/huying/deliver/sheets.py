"""Fact sheets: one A4 page a town and a department to be checked and signed, as a Word document and as HTML that prints."""

import base64
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from huying.deliver.content import Content
from huying.deliver.word import Paper, lines_of, short
from huying.store import file_part, plain, write_text
from huying.words import say

FINDINGS, PLACES = 3, 8  # findings, and places of the chart that one page holds
LINES = {"figures": 13, "calls": 8}  # of a table
HEADS = {"figures": ("measure", "when", "here", "n", "county", "verdict"), "calls": ("call", "other", "sent", "state")}
WIDTHS = {"figures": (4.2, 1.8, 1.7, 2.3, 2.3, 2.4), "calls": (2, 3, 2, 5)}
LONGEST = {"zh": (34, 150, 18), "en": (66, 290, 30)}  # characters of a measure, of a finding, of a cell
WIDE = 3.6  # inches of the chart
DAY = "%Y-%m-%d"


def write_sheets(content: Content, folder: Path) -> list[Path]:
    """Write the fact sheets of a county into a folder: two files a town and a department."""
    made = list[Path]()
    county = content.county
    for place in dict.fromkeys([*county.town_ids, *content.towns, *county.departments]):
        sheet = Sheet(content, place)
        named = re.sub(r"\W+", "_", sheet.name)[:20].strip("_")  # the id alone tells the places apart
        stem = folder / f"{file_part(place)}_{named}_{content.lang}"
        made += [stem.with_name(stem.name + ".docx"), stem.with_name(stem.name + ".html")]
        sheet.as_word().save(made[-2])
        write_text(made[-1], sheet.as_html())
    return made


@dataclass(frozen=True)
class Sheet:
    """What stands on the sheet of a town or a department."""

    content: Content
    place: str

    def say(self, key: str, **values: object) -> str:
        """A text of the sheets."""
        return self.content.say(f"sheet_{key}", **values)

    def cut(self, text: str, which: int) -> str:
        """A text as it fits."""
        return short(text, LONGEST[self.content.lang][which])

    @cached_property
    def name(self) -> str:
        return str(self.content.county.labels.place(self.place))

    @cached_property
    def title(self) -> str:
        return self.say("title", place=self.cut(self.name, 2))

    @cached_property
    def marks(self) -> str:
        return " · ".join([*self.content.marks, self.cut(self.content.name, 2)])

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The headlines of the place that have a value, each thing once: problems, what is decided, the rest."""
        own = self.content.at(self.place)
        own = own.loc[[key for key, told in own["value"].items() if told and not self.content.claims[key].same_as]]
        is_open = own["verdict"].isin(["cannot say", "no baseline", ""])
        is_other, is_minor = ~own["is_problem"].astype(bool), own["section"].str[0] != "P"
        rank = own.assign(is_other=is_other, is_open=is_open, is_minor=is_minor)
        return own.loc[rank.sort_values(["is_other", "is_open", "is_minor"], kind="stable").index]

    @cached_property
    def figures(self) -> list[list[str]]:
        """What is measured, the place's value with n, the county's, the verdict."""
        told, lang = [], self.content.lang
        head, comma = (
            say("statements.in_county", lang, place=self.content.name, value=""),
            say("statements.comma", lang),
        )
        for row in self.rows.to_dict("records"):
            verdict = row["verdict_word"] + (" ●" if row["is_problem"] else "")
            county = row["county"].removeprefix(head).partition(comma)[0] or "–"
            told.append([self.cut(row["measure"], 0), row["when"] or "–", row["value"], row["n"], county, verdict])
        return [[self.cut(cell, 2) if n else cell for n, cell in enumerate(cells)] for cells in told]

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """Findings that are decided after the adjustment, problems first."""
        decided = self.rows[~self.rows["verdict"].isin(["cannot say", "no baseline", ""])]
        return [row | {"told": self.cut(row["sentence"], 1)} for row in decided.head(FINDINGS).to_dict("records")]

    @cached_property
    def chart(self) -> tuple[bytes, str] | None:
        """The picture of the first finding, or else of the first figure, that has one, and what it shows."""
        for row in [*self.findings, *self.rows.to_dict("records")]:
            has_place = self.content.among(row["claim"])["place"].eq(self.place).any()
            if has_place and (png := self.content.picture(row["claim"], self.place, most=PLACES, width=WIDE)):
                return png, self.cut(row["title"], 1)
        return None

    @cached_property
    def calls(self) -> list[list[str]]:
        """Calls that are open, then those answered or closed late, the latest first: number, other side, day, state."""
        calls, labels = self.content.county.ledger("calls"), self.content.county.labels
        is_dept = self.place in self.content.county.departments
        own = calls[calls["dept_id" if is_dept else "town_id"] == self.place]
        states = {
            "open": ~own["is_closed"].fillna(False).astype(bool),
            "answer": own["is_answer_due"] & own["is_answered_on_time"].eq(False).fillna(False),
            "closing": own["is_closing_due"] & own["is_closed_on_time"].eq(False).fillna(False),
        }
        own = own.assign(**states).sort_values(["open", "dispatched_at"], ascending=False, kind="stable")
        told = []
        for row in own[own[list(states)].any(axis=1)].to_dict("records"):
            state = [self.say(f"call_{key}", day=f"{row['as_of']:{DAY}}") for key in states if row[key]]
            sent = f"{row['dispatched_at']:{DAY}}" if pd.notna(row["dispatched_at"]) else "–"
            other = str(labels.place(row["town_id" if is_dept else "dept_id"]))
            told.append([self.cut(row["call_id"], 2), self.cut(other, 2), sent, self.content.say("comma").join(state)])
        return told

    @cached_property
    def more(self) -> dict[str, str]:
        """What did not fit on the page, and where it stands."""
        over = {kind: len(getattr(self, kind)) - len(self.fitting(kind)) for kind in LINES}
        return {kind: self.say(f"more_{kind}", n=n) if n else "" for kind, n in over.items()}

    def fitting(self, kind: str) -> list[list[str]]:
        """The rows of a table that the page has room for."""
        wide, used, fit = [180 * width / sum(WIDTHS[kind]) - 4 for width in WIDTHS[kind]], 0, list[list[str]]()
        for cells in getattr(self, kind):
            used += max(lines_of(cell, width, 9) for cell, width in zip(cells, wide, strict=True))
            if used > LINES[kind]:
                break
            fit.append(cells)
        return fit

    def heads(self, kind: str) -> list[str]:
        """The heads of a table."""
        return [self.say(f"col_{key}") for key in HEADS[kind]]

    def as_word(self) -> Paper:
        """The sheet as a Word document."""
        paper = Paper(self.content.lang, self.title, [self.marks], page="sheet")
        paper.text(self.title, "Title").paragraph_format.space_after = 0
        paper.text(self.say("asked", county=self.cut(self.content.name, 2)), "Table Text")
        self.add_table(paper, "figures")
        left, right = paper.columns((1, 1.1))
        left.paragraphs[0].add_run(self.say("findings")).bold = True
        for n, row in enumerate(self.findings, 1):
            left.add_paragraph(f"{n}. {plain(row['told'])}", "Table Text")
        if not self.findings:
            left.add_paragraph(self.say("no_finding"), "Table Text")
        if self.chart:
            paper.picture(*self.chart, width=89, line=right.paragraphs[0])
        self.add_table(paper, "calls")
        paper.text(self.say("confirm"), "Table Text").paragraph_format.space_before = 120000
        paper.text(self.say("sign"), "Table Text").paragraph_format.space_before = 120000
        return paper

    def add_table(self, paper: Paper, kind: str) -> None:
        """A table under its name, with a line on what it leaves out."""
        rows = self.fitting(kind)
        head = paper.text(self.say(kind) if rows else self.say(f"no_{kind}"), "Table Text")
        head.paragraph_format.space_before, head.runs[0].bold = 60000, True
        if rows:
            paper.table(self.heads(kind), rows, WIDTHS[kind])
        paper.text(self.more[kind], "Table Text")  # two tables without a paragraph between them would be one

    def as_html(self) -> str:
        """The sheet as a page that needs nothing beside it."""
        text = files("huying").joinpath("deliver/templates/sheet.html").read_text("utf-8")
        image = base64.b64encode(self.chart[0]).decode() if self.chart else ""
        return jinja2.Environment(autoescape=True).from_string(text).render(sheet=self, image=image, widths=WIDTHS)
