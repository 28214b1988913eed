"""Figures of problem 2: consultation before and after, cooperation as a distribution, what leaders prefer; county only."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from huying import charts
from huying.estimates import COUNTY
from huying.gallery.frame import Entry, caption, options, word
from huying.ledgers import AGENCY_KINDS
from huying.reading import Reading


def bars_of(here: Reading, claim: str, parts: dict[str, str], source: str) -> Figure:
    """Parts of a claim in the county as bars with intervals."""
    rows = [(label, here.row(claim, sub, COUNTY)) for sub, label in parts.items()]
    frame = pd.DataFrame(
        [{"label": label, **{k: row[k] for k in ("estimate", "low", "high", "n")}} for label, row in rows if row]
    )
    return charts.rates(frame, caption(here, claim, source, place=COUNTY))


def consulted(here: Reading) -> Figure:
    """The share of head changes on which the town was consulted, before and after the mechanism."""
    return bars_of(here, "P25", {"before": word(here, "before"), "after": word(here, "after")}, "agency_events")


def cooperation(here: Reading) -> Figure:
    """How leaders and staff rate each kind of agency."""
    table = here.table("cooperation")
    table = table[(table["wave"] == here.wave) & (table["task"].isin(["core", ""]) | (table["source"] == "staff"))]
    label = [
        word(here, f"by_{source}", kind=AGENCY_KINDS.options[kind](here.lang))
        for source, kind in zip(table["source"], table["kind"], strict=True)
    ]
    wide = table.assign(label=label).pivot_table(
        index="label", columns="answer", values="n", aggfunc="sum", fill_value=0, sort=False
    )
    answers = {**{code: str(code) for code in range(1, 6)}, 98: word(here, "unknown")}
    shares = wide.div(wide.sum(axis=1), axis=0)[sorted(wide.columns)].rename(columns=answers)
    return charts.stacked(
        shares, wide.sum(axis=1), caption(here, "P26", "leaders_staff", wide.to_numpy().sum(), place=COUNTY)
    )


def preferences(here: Reading) -> Figure:
    """How secretaries and mayors would have the agencies managed."""
    table = here.table("preferences")
    table = table[table["wave"] == table["wave"].max()]
    wide = table.pivot_table(index="office", columns="option", values="n", aggfunc="sum", fill_value=0, sort=False)
    labels = {**options(here, "L07"), 98: word(here, "unknown")}
    wide = wide.rename(
        index=lambda office: word(here, str(office)), columns=lambda code: labels.get(int(code), str(code))
    )
    return charts.stacked(
        wide.div(wide.sum(axis=1), axis=0),
        wide.sum(axis=1),
        caption(here, "P28", "leaders", wide.to_numpy().sum(), place=COUNTY),
    )


FIGURES: dict[str, Entry] = {
    "consulted": ("", "P25", "after", consulted),
    "cooperation": ("cooperation", "", "", cooperation),
    "preferences": ("preferences", "", "", preferences),
}
