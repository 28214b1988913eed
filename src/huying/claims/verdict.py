"""A verdict as it is shown and recorded: sentences for a reader, rows for the ledger, and the claims as a listing.

In the recording run the rows travel in the cell's output, as a MIME part beside the text.
"""

import html
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data

from huying.claims.declared import Claim
from huying.claims.evidence import NUMBERS, in_order
from huying.claims.rules import CANNOT_SAY, records
from huying.claims.statements import Statement, statements, tell
from huying.estimates import COUNTY
from huying.labels import Labels, part_word
from huying.store import write_csv, write_parquet, write_receipt
from huying.words import say

MIME = "application/vnd.huying.evidence+json"
SILENT = ("not asked", "no data")  # why nothing could be judged at all
WIDE = 240  # characters of a table's line: the reader's own window breaks it
DIGITS = 12  # significant ones: the last bits of a sum differ between machines, and nobody prints them


@dataclass(frozen=True)
class Verdict:
    """The judged rows of one claim (columns of the evidence ledger), and how they are said for one place and the county."""

    rows: pd.DataFrame
    claim: Claim
    lang: str
    place: str
    names: Labels
    measures: Mapping[str, str]  # a part's column or answer, whose words name a part that has none of its own
    is_recorded: bool = True
    period: str = ""  # of a ledger's periods the one that is told, else the latest

    def part_name(self, part: str) -> str:
        """What a part is called."""
        return part_word(part, self.lang, self.names.measure(self.measures.get(part, part)))

    @cached_property
    def statements(self) -> list[Statement]:
        """What is said of the rows that are shown, as `told`."""
        measures = {part: self.names.measure(name) for part, name in self.measures.items() if part}
        names = replace(self.names, measures={**self.names.measures, **measures})
        near = self.rows[self.rows["place"].isin([COUNTY, *(row["place"] for row in self.told)])]
        said = dict(zip(near.index, tell(near, {self.claim.id: self.claim}, names), strict=True))
        return [said[row["at"]] for row in self.told]

    @cached_property
    def told(self) -> list[dict[str, Any]]:
        """The rows that are shown, as plain objects: of the place and county, or of wherever the claim is judged."""
        places, rows = list(dict.fromkeys((self.place, COUNTY))), self.rows.assign(at=self.rows.index)
        own = rows[rows["place"].isin(places)]
        if not len(own):  # of departments: those that bear a remark
            noted = rows[rows["remark"] != ""]
            own = noted if len(noted) else rows.iloc[:3]
        if own["period"].nunique() > 1:
            is_told = own["period"].eq(self.period) & (self.period != "")
            is_latest = own["period"].eq(own.groupby("part")["period"].transform("max"))
            own = own[is_told | (is_latest & ~is_told.groupby(own["part"]).transform("any"))]
        order = {place: n for n, place in enumerate(places)}
        return sorted(records(own), key=lambda row: (order.get(row["place"], 0), row["part"] != ""))

    @cached_property
    def text(self) -> str:
        """A line a row: claim, place, what was claimed, verdict, value, interval, n, reason and remarks.

        Several parts without a verdict of their own: a table, a row a part and a column a place.
        """
        if len(table := self.table):
            with pd.option_context("display.unicode.east_asian_width", True, "display.width", WIDE):
                return f"{self.heading}\n{table.to_string()}"
        own = [one.own and say("claims.detail", self.lang, head="", detail=one.own) for one in self.statements]
        told = zip(self.statements, own, strict=True)
        return "\n".join(f"{self.claim.id} {one.sentence}{after}" for one, after in told)

    @property
    def heading(self) -> str:
        """What stands above a table of parts: the claim, and what must be known of its rule."""
        noted = {note for row in self.told for note in row["remark"].split("; ")} & {"rule_changed", "not_frozen"}
        words = [say("claims.remark", self.lang, remark=say(f"claims.remark_{note}", self.lang)) for note in noted]
        return self.claim.id + "".join(words)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The values of several parts, a row a part and a column a place; empty where a sentence each says it."""
        if any(row["verdict"] for row in self.told) or len({row["part"] for row in self.told}) < 2:
            return pd.DataFrame()
        cells: dict[str, dict[str, str]] = {}
        for one in self.statements:
            around = one.join(one.interval, one.n)
            told = say("claims.detail", self.lang, head=one.value, detail=around) if one.value else one.caution
            cells.setdefault(one.place_name, {})[one.text] = told or "-"
        return pd.DataFrame(cells).fillna("")

    @property
    def row(self) -> Mapping[str, Any]:
        """The row of the place, else of the county, else the first."""
        return self.told[0] if self.told else {}

    @property
    def title(self) -> str:
        """The finding as a chart's title."""
        return self.statements[0].title if self.told else self.claim.text(self.lang)

    @property
    def subtitle(self) -> str:
        """What a chart shows: measure, base, question, place, wave or period, n and of what."""
        return self.statements[0].subtitle if self.told else ""

    @property
    def threshold(self) -> float:
        """The number that a town's value is set against."""
        return self.claim.rule_at("town")[1]

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        if len(table := self.table):
            return f"<p>{html.escape(self.heading)}</p>{table.to_html()}"
        return "".join(f"<p>{html.escape(line)}</p>" for line in self.text.split("\n"))

    def _ipython_display_(self) -> None:
        """Nothing: `judge` has shown it already, also where the value is kept under a name."""

    def show(self) -> None:
        """Show the sentences; in the recording run the rows go with them."""
        if get_ipython() is None:
            print(self.text)
            return
        bundle: dict[str, Any] = {"text/plain": self.text, "text/html": self._repr_html_()}
        if self.is_recorded and is_recording():
            bundle[MIME] = as_records(self.rows)
        publish_display_data(bundle)


def is_recording() -> bool:
    """Whether this is the county's recording run, whose rows are gathered."""
    return bool(os.environ.get("HUYING_RECORD"))


def as_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the ledger as plain objects, numbers at DIGITS significant digits, missing ones as null."""
    plain = []
    for row in records(rows.drop(columns=["notebook", "cell"], errors="ignore")):  # added by who gathers
        numbers = {name: None if pd.isna(row[name]) else float(f"{row[name]:.{DIGITS}g}") for name in NUMBERS}
        plain.append({**row, **numbers})
    return plain


def read_recorded(notebooks: Iterable[tuple[str, Path]]) -> pd.DataFrame:
    """The evidence ledger of what cells of these executed notebooks (name, file) recorded, with notebook and id of the cell."""
    cells = ((name, cell) for name, file in notebooks for cell in json.loads(file.read_text("utf-8"))["cells"])
    made = ((name, cell["id"], one.get("data", {})) for name, cell in cells for one in cell.get("outputs", ()))
    rows = [row | {"notebook": name, "cell": at} for name, at, data in made for row in data.get(MIME, ())]
    return in_order(pd.DataFrame(rows))


def write_evidence(file: Path, receipt: Path, rows: pd.DataFrame) -> None:
    """Write the evidence ledger as Parquet, as CSV beside it, and last its receipt."""
    csv = file.with_suffix(".csv")
    write_parquet(file, rows)
    write_csv(csv, rows)
    write_receipt(receipt, file.parent, (file, csv))


# --- the claims as a listing ----------------------------------------------------------------------------------------------


def list_claims(ledger: pd.DataFrame, claims: dict[str, Claim], places: Any, lang: str, wave: str = "") -> pd.DataFrame:
    """A row a claim (index), in the order of the report: the county's headline row with what is said of it.

    Added to the ledger's columns: section, said (the verdict's words), same_as (the claim that measures the same: count it
    once), is_silent (nothing to judge by), why (cautions) and the words of its statement (text, value, interval, n_said,
    threshold, is_problem). Of several waves or periods `wave` counts, else the latest; a claim on the pilot shows the
    pilot's row.
    """
    head = ledger[ledger["part"] == ""]
    when = head["wave"].where(head["wave"] != "", head["period"])
    order = head.assign(at=when, is_county=head["place"] == COUNTY, is_now=when == wave)
    head = order.sort_values(["is_county", "is_now", "at"], kind="stable").drop_duplicates("claim", keep="last")
    head = head.set_index("claim", drop=False).reindex([key for key in claims if key in set(head["claim"])])
    said = statements(head, claims, places, lang)
    said = said.rename(columns={"verdict_word": "said", "caution": "why", "n": "n_said"})
    head = head.join(said[["text", "said", "value", "interval", "n_said", "threshold", "why", "is_problem"]])
    head["section"] = [key[:2] if key[0] in "PS" else key[0] for key in head.index]
    head["same_as"] = [claims[key].same_as for key in head.index]
    head["is_silent"] = head["reason"].str.startswith(SILENT) & (head["verdict_family"] == CANNOT_SAY)
    return head.drop(columns="claim").rename_axis("claim")


def say_silent(listed: pd.DataFrame, lang: str) -> str:
    """The one line about the claims of a listing that no data can judge; empty where there are none."""
    silent = listed.index[listed["is_silent"].to_numpy(dtype=bool)]
    return say("statements.silent", lang, n=len(silent), claims=" ".join(silent)) if len(silent) else ""
