"""Figures of problem 1: units in use, recognition, first contact, paper against practice."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from huying import charts
from huying.estimates import COUNTY
from huying.gallery.frame import Entry, caption, forest, labelled, options, reasons, word
from huying.reading import Reading


def units(here: Reading) -> Figure:
    """Old units by towns: how much each is still in use."""
    table = here.table("units")
    period = here.wave if here.wave in set(table["period"]) else table["period"].max()
    matrix = table[table["period"] == period].pivot(index="old_id", columns="town_id", values="old")
    names = here.ledger_names("org_map", "old_id", "old_name" if here.lang == "zh" else "old_name_en")
    matrix = matrix.rename(index=names, columns=here.place_name)
    return charts.unit_heatmap(
        matrix,
        here.place_name(here.town) if here.town != COUNTY else None,
        caption(here, "P13", "unit_check", towns=True),
    )


def recognition(here: Reading) -> Figure:
    """Recognition of old units against new ones, town by town."""
    first, second = (
        here.rows("P17", sub).set_index("place")["estimate"] for sub in ("recognises old", "recognises new")
    )
    frame = pd.DataFrame({"first": first, "second": second}).reset_index()
    names = word(here, "old_units"), word(here, "new_units")
    n = here.row("P17", "recognises old")
    title = here.detail("P17", "old less new", word(here, "old_less_new"))
    return charts.dumbbell(
        labelled(here, frame), names, caption(here, "P17", "residents", n["n"] if n else 0, title, towns=True)
    )


def contact(here: Reading) -> Figure:
    """Where residents with business went first, by town."""
    labels = options(here, "R15")
    shares = {
        label: here.rows("P17", f"contact_{code}").set_index("place")["estimate"] for code, label in labels.items()
    }
    bases = here.rows("P17", "contact_1").set_index("place")["n"]
    table = pd.DataFrame(shares).rename(index=here.place_name)
    return charts.stacked(table, bases.rename(index=here.place_name), caption(here, "P17", "residents", towns=True))


def paper(here: Reading) -> Figure:
    """Compliance on paper against practice."""
    table = here.table(f"paper_{here.wave}")
    frame = labelled(here, table).rename(columns={"practice": "x", "paper": "y"})
    corners = tuple(word(here, f"paper_{k}") for k in ("upper_left", "upper_right", "lower_left", "lower_right"))
    return charts.quadrant(
        frame,
        (0.5, 0.5),
        (word(here, "practice"), word(here, "paper")),
        corners,
        caption(here, "P18", "both", towns=True),
        percent=(True, True),
    )


FIGURES: dict[str, Entry] = {
    "awareness": ("", "P16", "", lambda here: forest(here, "P16")),
    "first_contact": ("", "P17", "", lambda here: forest(here, "P17")),
    "quiz": ("", "P15", "", lambda here: forest(here, "P15", source="staff")),
    "units": ("units", "", "", units),
    "recognition": ("", "P17", "old less new", recognition),
    "contact": ("", "P17", "contact_1", contact),
    "paper": ("paper_{wave}", "", "", paper),
    "reasons": ("", "P14", "reason_1", lambda here: reasons(here, "P14", "S11")),
}
