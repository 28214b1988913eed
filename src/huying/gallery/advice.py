"""Figures of the recommendations: channels, supports, ranks under other weights, where the need is greatest, small areas."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from huying import charts
from huying.estimates import COUNTY
from huying.gallery.frame import Entry, caption, labelled, options, word
from huying.parts import answer_word
from huying.reading import Reading


def channels(here: Reading) -> Figure:
    """By which channels people heard of the reform, and by which they would like to."""
    rows = []
    for code, label in options(here, "R25").items():
        pair = [here.row("S11", f"{sub}_{code}", COUNTY) for sub in ("reach", "wanted")]
        rows.append(
            {
                "label": label,
                **{name: row["estimate"] if row else None for name, row in zip(("first", "second"), pair, strict=True)},
            }
        )
    frame = pd.DataFrame(rows).sort_values("second", ascending=False, ignore_index=True)
    names = word(here, "reach"), word(here, "wanted")
    return charts.dumbbell(frame, names, caption(here, "S11", "residents", place=COUNTY))


def supports(here: Reading) -> Figure:
    """How important each support is to leaders, and how adequate they find it."""
    table = here.table("supports")
    table = table[table["wave"] == table["wave"].max()]
    label = [answer_word("S23", "gap", str(row), here.lang) for row in table["support"]]
    frame = table.assign(label=label).rename(columns={"adequacy": "x", "importance": "y"})
    corners = tuple(word(here, f"support_{k}") for k in ("upper_left", "upper_right", "lower_left", "lower_right"))
    axes = word(here, "adequacy"), word(here, "importance")
    return charts.quadrant(
        frame,
        (3.0, 3.0),
        axes,
        corners,
        caption(here, "S23", "leaders", table["n"].max(), place=COUNTY),
        percent=(False, False),
    )


def rank_flow(here: Reading) -> Figure:
    """The ranks of the departments as the weight of the towns' rating grows."""
    table = here.table("rank_flow")
    table = table[table["year"] == table["year"].max()]
    wide = table.pivot(index="dept_id", columns="w", values="rank")[list(dict.fromkeys(table["w"]))].sort_values(
        "nominal"
    )
    wide = wide.rename(index=here.place_name, columns={"nominal": word(here, "nominal")})
    return charts.slopes(wide, caption(here, "S24", "appraisal", len(wide), place=COUNTY))


def priorities(here: Reading, claim: str, source: str) -> Figure:
    """Where the need is greatest: each town's rank with the ranks that its interval allows, 1 the greatest need."""
    table = here.table("priorities")
    table = table[(table["claim"] == claim) & (table["wave"] == here.wave)]
    order = table["weighted"].rank(ascending=False, method="min")
    rows = table.rename(columns={"town_id": "place", "first": "low", "last": "high"}).assign(
        estimate=order, reliability="ok"
    )
    rows.loc[rows["low"].isna(), ["estimate", "reliability"]] = [None, "too few answers"]
    rows = labelled(here, rows).sort_values("estimate", ascending=False, na_position="first", ignore_index=True)
    title = word(here, "priorities", text=here.claims[claim].text(here.lang))
    return charts.forest(rows, None, caption(here, claim, source, title=title, place=COUNTY, towns=True), percent=False)


def small(here: Reading) -> Figure:
    """The town estimates of awareness, direct and with the strength of the other towns."""
    table = here.table(f"small_P16_{here.wave}")
    frame = labelled(here, table.rename(columns={"town_id": "place", "direct": "first", "small": "second"}))
    frame = frame.sort_values("second", ascending=False, ignore_index=True)
    names = word(here, "direct"), word(here, "small_area")
    return charts.dumbbell(frame, names, caption(here, "P16", "residents", table["n"].sum(), place=COUNTY, towns=True))


FIGURES: dict[str, Entry] = {
    "channels": ("", "S11", "wanted_1", channels),
    "supports": ("supports", "", "", supports),
    "rank_flow": ("rank_flow", "", "", rank_flow),
    "priorities_awareness": ("priorities", "S11", "", lambda here: priorities(here, "S11", "residents")),
    "priorities_calls": ("priorities", "S31", "", lambda here: priorities(here, "S31", "staff")),
    "small": ("small_P16_{wave}", "", "", small),
}
