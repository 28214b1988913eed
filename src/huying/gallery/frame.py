"""How a figure is made from stored numbers: its caption, its labels, drawn once; computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
from IPython.core.getipython import get_ipython
from IPython.display import Image, display
from matplotlib.figure import Figure

from huying import charts
from huying.codebook import house_codebook
from huying.estimates import COUNTY
from huying.reading import Reading
from huying.reads import note
from huying.store import file_part
from huying.words import say

# the stored table a figure needs, the claim and part it needs, how it is made
Entry = tuple[str, str, str, Callable[[Reading], Figure]]


def draw_figure(here: Reading, name: str, entry: Entry) -> Figure | None:
    """The figure `name` for this place, saved under `figures/` and shown; a line instead where the county lacks its data.

    It is drawn once: a notebook shows the very bytes that were saved.
    """
    note(f"figure:{name}")
    table, claim, sub, builder = entry
    if (table and here.table(table.format(wave=here.wave)).empty) or (
        claim and not here.rows(claim, sub)["estimate"].notna().any()
    ):
        print(word(here, "nothing", name=name))
        return None
    figure = builder(here)
    parts = (name, *map(file_part, (here.town, here.wave, here.lang)))
    png = charts.save(figure, here.figures / f"{'_'.join(parts)}.png")
    if get_ipython() is not None:
        display(Image(data=png))
    return figure


def word(here: Reading, key: str, **values: object) -> str:
    """A label of the figures in the reading's language."""
    return say(f"gallery.{key}", here.lang, **values)


def caption(
    here: Reading,
    claim: str,
    source: str,
    n: float | None = None,
    title: str = "",
    place: str = "",
    towns: bool = False,
) -> charts.Caption:
    """The caption of a figure about a claim: its finding (or `title`) above, n and source below.

    `towns`: it shows towns one by one, so that it says which of them where they are too many for one figure.
    """
    row = here.row(claim, place=place)
    count = n if n is not None else (row["n"] if row is not None else 0)
    below = word(here, "source", n=f"{count:.0f}", source=word(here, source))
    if here.county.sampling != "probability":
        below += "\n" + say(f"notebooks.sampling_{here.county.sampling}", here.lang)
    if towns and (part := here.part_shown()):
        below += "\n" + part
    return charts.Caption(title or here.title(claim, place), below, here.lang, here.county.is_synthetic)


def labelled(here: Reading, rows: pd.DataFrame) -> pd.DataFrame:
    """Evidence rows with `label`, `is_here` and `is_county`."""
    return rows.assign(
        label=[here.place_name(p) for p in rows["place"]],
        is_here=rows["place"] == here.town,
        is_county=rows["place"] == COUNTY,
    )


def forest(here: Reading, claim: str, sub: str = "", source: str = "residents", percent: bool = True) -> Figure:
    """Every town and the county with intervals, in the order of the estimates, the claim's bar as a line."""
    rows = labelled(here, here.rows(claim, sub)).sort_values("estimate", na_position="first", ignore_index=True)
    declared = here.claims[claim]
    bar = declared.rule_at("town")[1] if sub == "" else None
    if declared.is_about_towns:
        rows = rows[~rows["is_county"]]
    about = caption(here, claim, source, towns=True)
    ranks = "" if sub else here.rank_note(claim)
    return charts.forest(
        rows, bar, replace(about, source="\n".join(filter(None, (about.source, ranks)))), percent=percent
    )


def options(here: Reading, item: str) -> dict[int, str]:
    """The options of an item by code."""
    return {option.code: option.text(here.lang) for option in house_codebook().items[item].options}


def reasons(here: Reading, claim: str, item: str) -> Figure:
    """Reasons that staff gave, each as a share of the staff asked."""
    rows = [(label, here.row(claim, f"reason_{code}")) for code, label in options(here, item).items()]
    frame = pd.DataFrame(
        [{"label": label, **{k: row[k] for k in ("estimate", "low", "high", "n")}} for label, row in rows if row]
    )
    frame = frame.sort_values("estimate", ignore_index=True)
    return charts.bars(frame, caption(here, claim, "staff", frame["n"].max() if len(frame) else 0))
