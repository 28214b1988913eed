"""Figures of problem 3: waiting, the four rates, funnels, months, need against calls."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from huying import charts
from huying.estimates import COUNTY
from huying.gallery.frame import Entry, caption, forest, labelled, reasons, word
from huying.reading import Reading


def need(here: Reading) -> Figure:
    """Ledger calls per 100 matters of need against the propensity that staff report."""
    table = here.table(f"need_{here.wave}")
    frame = labelled(here, table.rename(columns={"town_id": "place"})).rename(columns={"estimate": "x", "per_100": "y"})
    corners = tuple(word(here, f"need_{k}") for k in ("upper_left", "upper_right", "lower_left", "lower_right"))
    names = word(here, "propensity"), word(here, "per_100")
    middle = float(np.nanmedian(frame["y"]))
    return charts.quadrant(
        frame, (0.5, middle), names, corners, caption(here, "P32", "staff_calls", towns=True), percent=(True, False)
    )


def waiting(here: Reading) -> Figure:
    """The share answered and closed by each working day, with the limits of 2 and 5 days."""
    own = here.block.rows("table:waiting", here.town)
    curves = [
        (word(here, str(kind)), part["wait_days"].to_numpy(), part["share"].to_numpy())
        for kind, part in own.groupby("kind", sort=False)
    ]
    limits = [(2, word(here, "two_days")), (5, word(here, "five_days"))]
    return charts.waiting(curves, limits, caption(here, "B07", "calls"))


def rates(here: Reading) -> Figure:
    """The four rates beside each other."""
    wanted = (("B07", "", "answered"), ("B08", "", "closed_in_time"), ("B09", "", "closed_ever"), ("B09", "returned", "returned"),
              ("B09", "called again", "called_again"))  # fmt: skip
    rows = [(word(here, label), here.row(claim, sub)) for claim, sub, label in wanted]
    frame = pd.DataFrame(
        [{"label": label, **{k: row[k] for k in ("estimate", "low", "high", "n")}} for label, row in rows if row]
    )
    return charts.rates(frame, caption(here, "B09", "calls"))


def funnel(here: Reading, kind: str) -> Figure:
    """Departments against the limits that chance alone would give."""
    points = here.table(f"funnel_{kind}")
    frame = points.assign(label=[here.place_name(p) for p in points["dept_id"]])
    centre = float(points["k"].sum() / points["n"].sum())
    title = word(here, f"funnel_{kind}", share=f"{100 * centre:.1f}%")
    below = caption(here, "P33", "departments", points["n"].sum(), title, COUNTY)
    return charts.funnel(frame, here.table(f"limits_{kind}"), centre, below)


def months(here: Reading) -> Figure:
    """On-time answers month by month."""
    frame = here.table("months").rename(columns={"month": "label", "estimate": "share"})
    return charts.months(frame, caption(here, "P31", "calls", frame["n"].sum(), place=COUNTY))


FIGURES: dict[str, Entry] = {
    "answered": ("", "B07", "", lambda here: forest(here, "B07", source="calls")),
    "need": ("need_{wave}", "", "", need),
    "waiting": ("waiting", "", "", waiting),
    "rates": ("", "B09", "", rates),
    "months": ("months", "", "", months),
    "no_call_reasons": ("", "P32", "reason_1", lambda here: reasons(here, "P32", "S16")),
    "funnel_returns": ("funnel_returns", "", "", lambda here: funnel(here, "returns")),
    "funnel_late": ("funnel_late", "", "", lambda here: funnel(here, "late")),
}
