"""Charts of many verdicts at once: claims by towns, one verdict under many specifications, ranks that move; a gap is hatched."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from huying.charts import frame as sheet
from huying.charts.frame import BLACK, BLUE, DIM, GREY, ORANGE, PURPLE, WHITE, Caption, flags, numbers
from huying.charts.rows import draw_bars, name_columns, name_rows
from huying.charts.scales import mark

VERDICTS = {"supported": BLUE, "not supported": ORANGE, "cannot say": "#D9D9D9", "no baseline": PURPLE}


@sheet.house_style()
def verdicts(
    matrix: pd.DataFrame, problems: pd.DataFrame, words: dict[str, str], here: str | None, caption: Caption
) -> Figure:
    """The verdict on each claim (row) at each place (column): a colour a verdict, a dot where it means a problem.

    `matrix` holds the keys of VERDICTS or nothing (hatched: the claim is not judged there), `problems` true and false,
    `words` the verdicts' words and `problem`; `here` is framed.
    """
    codes = {verdict: code for code, verdict in enumerate(VERDICTS)}
    values = matrix.map(codes.get).to_numpy(dtype=float, na_value=np.nan)
    places, edges = [str(place) for place in matrix.columns], [np.arange(n + 1) - 0.5 for n in reversed(values.shape)]
    figure, axes = sheet.canvas(caption, matrix)
    if matrix.empty:
        return sheet.settle(figure, caption, 1.0)
    axes.patch.set(**{**sheet.LACKING, "facecolor": WHITE, "edgecolor": "#EEEEEE"})
    look = {"cmap": ListedColormap(list(VERDICTS.values())), "norm": BoundaryNorm(np.arange(5) - 0.5, 4)}
    axes.pcolormesh(*edges, np.ma.masked_invalid(values), edgecolors=WHITE, linewidth=0.7, gid="values", **look)
    row, column = np.nonzero(problems.to_numpy(dtype=bool) & np.isfinite(values))
    sheet.dots(axes, column, row, BLACK, "problem", s=12, label=words["problem"])
    for verdict, colour in VERDICTS.items():
        draw_bars(axes, *np.zeros((3, 1)), facecolor=colour, label=words[verdict])
    height = 0.72 * name_rows(axes, matrix.index) + 0.12 * max(map(sheet.ems, places))
    name_columns(axes, places, len(matrix), here)
    return sheet.settle(figure, caption, height, width=9.0)


@sheet.house_style()
def specifications(
    frame: pd.DataFrame, bar: float | None, words: dict[str, str], caption: Caption, *, percent: bool = True
) -> Figure:
    """One estimate under every specification, in the order of the values: a colour a verdict, the headline ringed.

    `frame`: estimate, low, high, verdict (keys of VERDICTS), is_headline.
    """
    rows = frame.sort_values("estimate", kind="stable", ignore_index=True)
    estimate, low, high = numbers(rows, "estimate", "low", "high")
    at, is_headline = np.arange(len(rows)), flags(rows, "is_headline")
    figure, axes = sheet.canvas(caption, rows)
    for verdict, colour in VERDICTS.items():
        if (part := (rows["verdict"] == verdict).to_numpy()).any():
            ink = GREY if verdict == "cannot say" else colour
            axes.vlines(at[part], low[part], high[part], color=ink, linewidth=1.2, gid="interval")
            sheet.dots(axes, at[part], estimate[part], ink, "estimate", s=18, label=words[verdict])
    if is_headline.any():
        look = {"s": 90, "edgecolors": BLACK, "linewidths": 1.4, "label": words["headline"]}
        sheet.dots(axes, at[is_headline], estimate[is_headline], "none", "headline", **look)
    if bar is not None:
        axes.axhline(
            bar,
            color=DIM,
            linestyle="--",
            linewidth=1.2,
            gid="bar",
            label=caption.say("bar", value=sheet.show(bar, percent)),
        )
    sheet.scale(axes.yaxis, estimate, low, high, np.array([] if bar is None else [bar]), percent=percent)
    axes.set_xlim(-1, len(rows))
    axes.set_xlabel(words["specifications"])
    return sheet.settle(figure, caption, 3.6)


@sheet.house_style()
def slopes(ranks: pd.DataFrame, caption: Caption) -> Figure:
    """How ranks move from step to step: rows are what is ranked, columns the steps, 1 on top; what moves is drawn in colour."""
    values = ranks.to_numpy(dtype=float, na_value=np.nan)
    figure, axes = sheet.canvas(caption, ranks)
    steps = np.arange(values.shape[1]) if values.ndim == 2 else np.arange(0)
    for place, (label, line) in enumerate(zip(ranks.index, values, strict=True)):
        moved = np.nanmax(line) > np.nanmin(line) if np.isfinite(line).any() else False
        colour = sheet.PALETTE[place % 6] if moved else GREY
        axes.plot(
            steps, line, color=colour, marker="o", markersize=4, linewidth=2 if moved else 1, gid="rank", clip_on=False
        )
        look = {"va": "center", "size": 8.5, "color": BLACK if moved else DIM, "gid": "label"}
        for step, away, side in ((0, -8, "right"), (len(steps) - 1, 8, "left")):
            sheet.near(axes, step, line[step], str(label), away, ha=side, **look)
    mark(axes, "bottom", steps, [str(step) for step in ranks.columns])
    axes.spines[:].set_visible(False)
    if len(ranks):
        axes.set(xlim=(-1.0, len(steps)), ylim=(np.nanmax(values) + 0.7, 0.3))
    return sheet.settle(figure, caption, 0.6 + 0.27 * max(len(ranks), 4))
