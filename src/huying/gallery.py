"""Each figure of the house by its name: stored numbers given their labels and handed to a chart; computes nothing."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.core.getipython import get_ipython
from IPython.display import Image, display
from matplotlib.figure import Figure

from huying import charts
from huying.codebook import house_codebook
from huying.estimates import COUNTY
from huying.reading import Reading
from huying.store import read_parquet
from huying.words import say


def draw(here: Reading, name: str) -> Figure | None:
    """The figure `name` for this place, saved under `figures/` and shown; a line instead where the county lacks its data.

    It is drawn once: a notebook shows the very bytes that were saved.

    Raises KeyError for an unknown name.
    """
    table, claim, sub, builder = FIGURES[name]
    if (table and here.table(table.format(wave=here.wave)).empty) or (
        claim and not here.rows(claim, sub)["estimate"].notna().any()
    ):
        print(word(here, "nothing", name=name))
        return None
    figure = builder(here)
    png = charts.save(figure, here.figures / f"{name}_{here.town}_{here.wave}_{here.lang}.png")
    plt.close(figure)
    if get_ipython() is not None:
        display(Image(data=png))
    return figure


def word(here: Reading, key: str, **values: object) -> str:
    """A label of the figures in the reading's language."""
    return say(f"gallery.{key}", here.lang, **values)


def caption(
    here: Reading, claim: str, source: str, n: float | None = None, title: str = "", place: str = ""
) -> charts.Caption:
    """The caption of a figure about a claim: its finding (or `title`) above, n and source below."""
    row = here.row(claim, place=place)
    count = n if n is not None else (row["n"] if row is not None else 0)
    below = word(here, "source", n=f"{count:.0f}", source=word(here, source))
    if here.county.sampling != "probability":
        below += "\n" + say(f"notebooks.sampling_{here.county.sampling}", here.lang)
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
    return charts.forest(rows, bar, caption(here, claim, source), percent=percent)


def units(here: Reading) -> Figure:
    """Old units by towns: how much each is still in use."""
    table = here.table("units")
    period = here.wave if here.wave in set(table["period"]) else table["period"].max()
    matrix = table[table["period"] == period].pivot(index="old_id", columns="town_id", values="old")
    names = (
        read_parquet(here.folder / "data" / "ledgers" / "org_map@.parquet")
        .drop_duplicates("old_id")
        .set_index("old_id")
    )
    column = "old_name" if here.lang == "zh" else "old_name_en"
    matrix = matrix.rename(index=names[column], columns=here.place_name)
    return charts.unit_heatmap(
        matrix, here.place_name(here.town) if here.town != COUNTY else None, caption(here, "P13", "unit_check")
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
    return charts.dumbbell(labelled(here, frame), names, caption(here, "P17", "residents", n["n"] if n else 0, title))


def options(here: Reading, item: str) -> dict[int, str]:
    """The options of an item by code."""
    return {option.code: option.text(here.lang) for option in house_codebook().items[item].options}


def contact(here: Reading) -> Figure:
    """Where residents with business went first, by town."""
    labels = options(here, "R15")
    shares = {
        label: here.rows("P17", f"contact_{code}").set_index("place")["estimate"] for code, label in labels.items()
    }
    bases = here.rows("P17", "contact_1").set_index("place")["n"]
    table = pd.DataFrame(shares).rename(index=here.place_name)
    return charts.stacked(table, bases.rename(index=here.place_name), caption(here, "P17", "residents"))


def reasons(here: Reading, claim: str, item: str) -> Figure:
    """Reasons that staff gave, each as a share of the staff asked."""
    rows = [(label, here.row(claim, f"reason_{code}")) for code, label in options(here, item).items()]
    frame = pd.DataFrame(
        [{"label": label, **{k: row[k] for k in ("estimate", "low", "high", "n")}} for label, row in rows if row]
    )
    frame = frame.sort_values("estimate", ignore_index=True)
    return charts.bars(frame, caption(here, claim, "staff", frame["n"].max() if len(frame) else 0))


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
        caption(here, "P18", "both"),
        percent=(True, True),
    )


def need(here: Reading) -> Figure:
    """Ledger calls per 100 matters of need against the propensity that staff report."""
    table = here.table(f"need_{here.wave}")
    frame = labelled(here, table.rename(columns={"town_id": "place"})).rename(columns={"estimate": "x", "per_100": "y"})
    corners = tuple(word(here, f"need_{k}") for k in ("upper_left", "upper_right", "lower_left", "lower_right"))
    names = word(here, "propensity"), word(here, "per_100")
    middle = float(np.nanmedian(frame["y"]))
    return charts.quadrant(
        frame, (0.5, middle), names, corners, caption(here, "P32", "staff_calls"), percent=(True, False)
    )


def waiting(here: Reading) -> Figure:
    """The share answered and closed by each working day, with the limits of 2 and 5 days."""
    table = here.table("waiting")
    own = table[table["place"] == here.town]
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


# name: the stored table it needs, the claim and part it needs, how it is made
FIGURES: dict[str, tuple[str, str, str, Callable[[Reading], Figure]]] = {
    "awareness": ("", "P16", "", lambda here: forest(here, "P16")),
    "first_contact": ("", "P17", "", lambda here: forest(here, "P17")),
    "quiz": ("", "P15", "", lambda here: forest(here, "P15", source="staff")),
    "answered": ("", "B07", "", lambda here: forest(here, "B07", source="calls")),
    "units": ("units", "", "", units),
    "recognition": ("", "P17", "old less new", recognition),
    "contact": ("", "P17", "contact_1", contact),
    "paper": ("paper_{wave}", "", "", paper),
    "need": ("need_{wave}", "", "", need),
    "waiting": ("waiting", "", "", waiting),
    "rates": ("", "B09", "", rates),
    "months": ("months", "", "", months),
    "reasons": ("", "P14", "reason_1", lambda here: reasons(here, "P14", "S11")),
    "no_call_reasons": ("", "P32", "reason_1", lambda here: reasons(here, "P32", "S16")),
    "funnel_returns": ("funnel_returns", "", "", lambda here: funnel(here, "returns")),
    "funnel_late": ("funnel_late", "", "", lambda here: funnel(here, "late")),
}
