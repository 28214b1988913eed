"""Charts with a row a place or an answer: intervals, old against new, parts of a whole; a row without a value says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from huying.charts import frame as sheet
from huying.charts.frame import BLACK, BLUE, DIM, VERMILLION, WHITE, Caption, Floats, flags, numbers
from huying.charts.scales import explain, write

SHADES = LinearSegmentedColormap.from_list("use", ["#F7FBFF", "#6BAED6", "#08306B"])
TOO_FEW = "too few answers"
REASONS = {TOO_FEW: "too_few_answers", "not estimable": "not_estimable"}


def name_rows(axes: Axes, labels: Iterable[object], is_here: Iterable[bool] = (), first_on_top: bool = False) -> float:
    """Give each row its label, the row that is read here a band and bold type; returns the height in inches to draw on."""
    names = [sheet.wrap(str(label), 26) for label in labels]
    texts = write(axes, "left", range(len(names)), names)
    axes.set_ylim(*((len(names) - 0.4, -0.6) if first_on_top else (-0.6, len(names) - 0.4)))
    axes.spines["left"].set_visible(False)
    for row in np.flatnonzero(list(is_here)):
        axes.axhspan(row - 0.5, row + 0.5, color=sheet.YELLOW, alpha=0.3, linewidth=0, zorder=0)
        texts[row].set_fontweight("bold")
    return 0.4 + (0.26 + 0.13 * max((name.count("\n") for name in names), default=0)) * max(len(names), 3)


def name_columns(axes: Axes, names: list[str], n_rows: int, here: str | None) -> None:
    """Name the columns of a matrix above it, the one that is read here framed, with no axes around."""
    texts = write(axes, "top", range(len(names)), names, rotation=90)
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(n_rows - 0.5, -0.5))
    axes.spines[:].set_visible(False)
    if here in names:
        look = {"fill": False, "edgecolor": VERMILLION, "linewidth": 2.2, "clip_on": False, "gid": "here"}
        axes.axvspan(names.index(here) - 0.5, names.index(here) + 0.5, **look)
        texts[names.index(here)].set(fontweight="bold", color=VERMILLION)


def draw_bars(axes: Axes, start: Floats, width: Floats, row: Any, height: float = 0.8, **look: Any) -> None:
    """Lying bars as one collection, which costs a tenth of a patch for each."""
    end, half = start + width, height / 2
    corners = np.array([[start, start, end, end], [row - half, row + half, row + half, row - half]])
    axes.add_collection(PolyCollection(corners.T, **look), autolim=False)


def remark(axes: Axes, row: Any, text: str, on_right: bool = False) -> None:
    """Words in a row in place of a value."""
    look = {"va": "center", "size": 8, "color": DIM, "zorder": 4, "ha": "right" if on_right else "left"}
    look |= {"transform": axes.get_yaxis_transform(), "in_layout": False}
    box = {"facecolor": WHITE, "edgecolor": "none", "pad": 1}
    axes.text(0.98 if on_right else 0.02, row, text, bbox=box, **look)


@sheet.house_style()
def forest(frame: pd.DataFrame, bar: float | None, caption: Caption, *, percent: bool = True) -> Figure:
    """Every place's estimate with its interval, the first row at the bottom, and the claim's bar as a dashed line.

    `frame`: label, estimate, low, high, reliability, is_here, is_county; thin lines from low_family to high_family where
    these columns are. Hollow: read with care. A value from too few answers is not drawn; the row says so in words.
    """
    limits = numbers(frame, "estimate", "low", "high", "low_family", "high_family")
    reliability = frame.get("reliability", pd.Series("ok", index=frame.index)).to_numpy(dtype=object)
    for values in limits:
        values[reliability == TOO_FEW] = np.nan
    estimate, low, high, thin_low, thin_high = limits
    is_here, is_county, at = flags(frame, "is_here"), flags(frame, "is_county"), np.arange(len(frame))
    care, places = reliability == "read with care", np.select([is_county, is_here], [2, 1], 0)
    figure, axes = sheet.canvas(caption, frame)
    colour = np.array([BLUE, VERMILLION, BLACK])[places]
    for place, name in enumerate(("town", "here", "county")):
        if (part := places == place).any():
            look = {"marker": "ooD"[place], "edgecolors": colour[part], "linewidths": 1.3, "label": caption.say(name)}
            sheet.dots(axes, estimate[part], at[part], np.where(care, WHITE, colour)[part], "estimate", **look)
    if care.any():
        sheet.dots(axes, [], [], WHITE, "care", edgecolors=DIM, linewidths=1.3, label=caption.say("care"))
    axes.hlines(at, low, high, color=colour, linewidth=2, gid="interval")
    if (thin_high > thin_low).any():  # a counted value is the same for one town and for all
        axes.hlines(at, thin_low, thin_high, color=colour, linewidth=0.7, gid="family", label=caption.say("family"))
    if bar is not None:
        label = caption.say("bar", value=sheet.show(bar, percent))
        axes.axvline(bar, color=DIM, linestyle="--", linewidth=1.2, gid="bar", label=label)
    for row in np.flatnonzero(np.isnan(estimate)):
        remark(axes, row, caption.say(REASONS.get(reliability[row], "no_value")))
    sheet.scale(axes.xaxis, *limits, np.array([] if bar is None else [bar]), percent=percent)
    return sheet.settle(figure, caption, name_rows(axes, frame["label"], is_here))


@sheet.house_style()
def dumbbell(frame: pd.DataFrame, names: tuple[str, str], caption: Caption) -> Figure:
    """Two shares of each place joined by a line, the first row on top. `frame`: label, first, second, is_here."""
    first, second = numbers(frame, "first", "second")
    at = np.arange(len(frame))
    figure, axes = sheet.canvas(caption, frame)
    axes.hlines(at, first, second, color=sheet.GREY, linewidth=2, gid="between")
    sheet.dots(axes, first, at, sheet.ORANGE, "first", marker="s", edgecolors=BLACK, linewidths=0.5, label=names[0])
    sheet.dots(axes, second, at, BLUE, "second", edgecolors=BLACK, linewidths=0.5, label=names[1])
    for row in np.flatnonzero(np.isnan(first + second)):
        lacking = [name for name, value in zip(names, (first[row], second[row]), strict=True) if np.isnan(value)]
        remark(axes, row, caption.no_value(lacking), on_right=bool(np.fmin(first, second)[row] < 0.5))
    sheet.scale(axes.xaxis, first, second)
    return sheet.settle(figure, caption, name_rows(axes, frame["label"], flags(frame, "is_here"), first_on_top=True))


@sheet.house_style()
def stacked(frame: pd.DataFrame, bases: pd.Series, caption: Caption) -> Figure:
    """The shares of each place side by side, the first row on top, each place with its n, the categories named below.

    `frame`: index places, columns categories, shares 0-1; `bases`: n by place. What a row lacks to the whole because a
    share is missing is hatched.
    """
    shares = frame.apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan)
    at, start, lacking = np.arange(len(frame)), np.zeros(len(frame)), np.isnan(shares).any(axis=1)
    figure, axes = sheet.canvas(caption, frame)
    for place, (name, width) in enumerate(zip(frame.columns, shares.T, strict=True)):
        colour = sheet.PALETTE[place % 8]
        look: dict[str, Any] = {"facecolor": colour, "edgecolor": WHITE, "linewidth": 0.8, "hatch": "//" * (place // 8)}
        draw_bars(axes, start, width, at, gid="shares", label=str(name), **look)
        ink = WHITE if colour in (BLUE, VERMILLION, sheet.GREEN) else BLACK
        for row in np.flatnonzero(width >= 0.07):
            middle, text = start[row] + width[row] / 2, f"{100 * width[row]:.0f}%"
            axes.text(middle, row, text, ha="center", va="center", size=7.5, color=ink, in_layout=False)
        start = start + np.nan_to_num(width)
    if lacking.any():
        look = {"gid": "lacking", "label": caption.say("no_value"), **sheet.LACKING}
        draw_bars(axes, start[lacking], 1 - start[lacking], at[lacking], **look)
    sheet.scale(axes.xaxis, np.ones(1), margin=0)
    labels = caption.with_n(frame.index, *numbers(bases.reindex(frame.index).to_frame("n"), "n"))
    return sheet.settle(figure, caption, name_rows(axes, labels, first_on_top=True))


@sheet.house_style()
def bars(frame: pd.DataFrame, caption: Caption) -> Figure:
    """Shares as bars with intervals, the first row at the bottom. `frame`: label, estimate, low, high."""
    estimate, low, high = numbers(frame, "estimate", "low", "high")
    figure, axes = sheet.canvas(caption, frame)
    at = np.arange(len(frame))
    draw_bars(axes, np.zeros(len(frame)), estimate, at, 0.62, facecolor=sheet.SKY, gid="estimate")
    axes.hlines(at, low, high, color=BLACK, linewidth=1.6, gid="interval", label=caption.say("interval"))
    for row, (value, end) in enumerate(zip(estimate, np.fmax(estimate, high), strict=True)):
        if np.isnan(value):
            remark(axes, row, caption.say("no_value"))
        else:
            sheet.near(axes, end, row, sheet.show(value), 5, va="center", size=8.5)
    sheet.scale(axes.xaxis, estimate, low, high, margin=0)
    return sheet.settle(figure, caption, 1.2 * name_rows(axes, frame["label"], flags(frame, "is_here")))


def rates(frame: pd.DataFrame, caption: Caption) -> Figure:
    """Rates as bars with intervals and n, the first row on top. `frame`: label, estimate, low, high, n."""
    return bars(frame.assign(label=caption.with_n(frame["label"], *numbers(frame, "n"))).iloc[::-1], caption)


@sheet.house_style()
def unit_heatmap(matrix: pd.DataFrame, here: str | None, caption: Caption) -> Figure:
    """How much each old unit (row) is still in use in each town (column), 0-1; NaN (not found) hatched, `here` framed."""
    values: Floats = matrix.apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan)
    towns, edges = [str(town) for town in matrix.columns], [np.arange(n + 1) - 0.5 for n in reversed(values.shape)]
    figure, axes = sheet.canvas(caption, matrix)
    if matrix.empty:
        return sheet.settle(figure, caption, 1.0)
    axes.patch.set(**sheet.LACKING)
    if np.isnan(values).any():
        draw_bars(axes, *np.zeros((3, 1)), label=caption.say("not_found"), **sheet.LACKING)
    look = {"cmap": SHADES, "vmin": 0, "vmax": 1, "edgecolors": WHITE, "linewidth": 0.7}
    axes.pcolormesh(*edges, np.ma.masked_invalid(values), gid="values", **look)
    room = 0.85 * name_rows(axes, matrix.index)
    explain(axes, SHADES, 0.024 * (room - 0.1), 6 if len(matrix) > 7 else 3)
    name_columns(axes, towns, len(matrix), here)
    height = room + 0.12 * max(map(sheet.ems, towns))
    return sheet.settle(figure, caption, height, width=9.0)
