"""Charts with a row a place: intervals, old against new, shares that make a whole, reasons; each row stays, value or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from huying.charts.frame import (
    BLACK, BLUE, DIM, GREY, ORANGE, PALETTE, VERMILLION, YELLOW, Bools, Caption, Floats, canvas, chart, flags, legend, numbers, scale, settle,
    show, show_n, wrap,
)  # fmt: skip

ROW = 0.26
TOO_FEW = "too few answers"


def rows_of(axes: Axes, labels: list[str], is_here: Bools, first_on_top: bool) -> None:
    """Give each row its label, and the row that is read here a band and bold type."""
    axes.set_yticks(range(len(labels)), labels=labels)
    axes.set_ylim(*((len(labels) - 0.4, -0.6) if first_on_top else (-0.6, len(labels) - 0.4)))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for row in np.flatnonzero(is_here):
        axes.axhspan(row - 0.5, row + 0.5, color=YELLOW, alpha=0.3, linewidth=0, zorder=0)
        axes.get_yticklabels()[row].set_fontweight("bold")


def word(axes: Axes, row: float, text: str, at: float = 0.02, align: str = "left") -> None:
    """A remark in words in a row, `at` a part of the axes' width."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.text(at, row, text, transform=axes.get_yaxis_transform(), ha=align, va="center", size=8, color=DIM, bbox=box, zorder=4)


def marker(label: str, colour: str, shape: str = "o", face: str | None = None, line: str = "-", width: float = 1.8) -> Line2D:
    """A line with a marker for the legend."""
    return Line2D([], [], color=colour, marker=shape, markerfacecolor=face or colour, linestyle=line, linewidth=width, label=label)


@chart
def forest(frame: pd.DataFrame, bar: float | None, caption: Caption, *, percent: bool = True) -> Figure:
    """Every place's estimate with its interval, the first row at the bottom, and the claim's bar as a dashed line.

    `frame`: label, estimate, low, high, reliability, is_here, is_county; thin lines from low_family to high_family where
    these columns are. Hollow: read with care. A value from too few answers is not drawn; the row says so in words.
    """
    estimate, low, high, thin_low, thin_high = numbers(frame, "estimate", "low", "high", "low_family", "high_family")
    reliability = frame["reliability"].to_numpy(dtype=object) if "reliability" in frame else np.full(len(frame), "ok", dtype=object)
    is_here, is_county, hidden = flags(frame, "is_here"), flags(frame, "is_county"), reliability == TOO_FEW
    for values in (estimate, low, high, thin_low, thin_high):
        values[hidden] = np.nan
    care, at = reliability == "read with care", np.arange(len(frame))
    has_thin = np.isfinite(thin_low)
    figure, axes = canvas(caption, 1.1 + ROW * max(len(frame), 3), is_empty=frame.empty)
    colour = np.select([is_county, is_here], [BLACK, VERMILLION], BLUE)
    axes.hlines(at[has_thin], thin_low[has_thin], thin_high[has_thin], color=colour[has_thin], linewidth=0.7, gid="family")
    axes.hlines(at, low, high, color=colour, linewidth=2, gid="interval")
    for part, shape, size in ((~is_county, "o", 32), (is_county, "D", 38)):
        face = np.where(care, "#FFFFFF", colour)[part]
        axes.scatter(estimate[part], at[part], c=face, edgecolors=colour[part], marker=shape, s=size, linewidths=1.3, zorder=3, clip_on=False, gid="estimate")
    for row in np.flatnonzero(np.isnan(estimate)):
        known = reliability[row] in (TOO_FEW, "not estimable")
        word(axes, row, caption.say(reliability[row].replace(" ", "_") if known else "no_value"))
    rows_of(axes, [wrap(str(label), 26) for label in frame["label"]], is_here, first_on_top=False)
    scale(axes.xaxis, [estimate, low, high, thin_low, thin_high, np.array([] if bar is None else [bar])], percent)
    entries = [(True, marker(caption.say("town"), BLUE)), (is_here & ~is_county, marker(caption.say("here"), VERMILLION)),
               (is_county, marker(caption.say("county"), BLACK, "D")), (care, marker(caption.say("care"), DIM, face="white"))]  # fmt: skip
    if bar is not None:
        axes.axvline(bar, color=DIM, linestyle="--", linewidth=1.2, gid="bar")
        entries.append((True, marker(caption.say("bar", value=show(bar, percent)), DIM, "", line="--", width=1.2)))
    entries.append((has_thin, marker(caption.say("family"), DIM, "", width=0.7)))
    legend(axes, [handle for shown, handle in entries if np.any(shown)])
    return settle(figure)


@chart
def dumbbell(frame: pd.DataFrame, names: tuple[str, str], caption: Caption) -> Figure:
    """Two shares of each place joined by a line, the first row on top. `frame`: label, first, second, is_here."""
    first, second = numbers(frame, "first", "second")
    at, is_here = np.arange(len(frame)), flags(frame, "is_here")
    figure, axes = canvas(caption, 0.9 + ROW * max(len(frame), 3), is_empty=frame.empty)
    axes.hlines(at, first, second, color=GREY, linewidth=2, gid="between")
    axes.scatter(first, at, c=ORANGE, edgecolors=BLACK, linewidths=0.5, marker="s", s=36, zorder=3, clip_on=False, gid="first")
    axes.scatter(second, at, c=BLUE, edgecolors=BLACK, linewidths=0.5, s=40, zorder=3, clip_on=False, gid="second")
    for row in np.flatnonzero(np.isnan(first) | np.isnan(second)):
        lacking = [name for name, value in zip(names, (first[row], second[row]), strict=True) if np.isnan(value)]
        on_right = np.nanmin([first[row], second[row], 1.0]) < 0.5
        text = caption.say("no_value_for", names=caption.say("comma").join(lacking)) if len(lacking) == 1 else caption.say("no_value")
        word(axes, row, text, *((0.98, "right") if on_right else (0.02, "left")))
    rows_of(axes, [wrap(str(label), 26) for label in frame["label"]], is_here, first_on_top=True)
    scale(axes.xaxis, [first, second])
    legend(axes, [marker(names[0], ORANGE, "s", line=""), marker(names[1], BLUE, line="")])
    return settle(figure)


@chart
def stacked(frame: pd.DataFrame, bases: pd.Series, caption: Caption) -> Figure:
    """The shares of each place side by side, the first row on top, each place with its n, the categories named below.

    `frame`: index places, columns categories, shares 0-1; `bases`: n by place. A share that is missing leaves a gap at the
    end of its row, and the row says so.
    """
    shares = frame.apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan)
    ends = np.nancumsum(shares, axis=1)
    figure, axes = canvas(caption, 1.3 + ROW * max(len(frame), 3), is_empty=frame.empty)
    handles = []
    for place, name in enumerate(frame.columns):
        colour, hatch = PALETTE[place % len(PALETTE)], "//" if place >= len(PALETTE) else None
        width, start = shares[:, place], ends[:, place] - np.nan_to_num(shares[:, place])
        axes.barh(np.arange(len(frame)), width, left=start, height=0.8, color=colour, hatch=hatch, edgecolor="white", linewidth=0.8, gid="shares")
        handles.append(Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=str(name)))
        for row in np.flatnonzero(width >= 0.07):
            ink = "white" if colour in (BLUE, VERMILLION, PALETTE[2]) else BLACK
            axes.text(start[row] + width[row] / 2, row, f"{100 * width[row]:.0f}%", ha="center", va="center", size=7.5, color=ink)
    for row in np.flatnonzero(np.isnan(shares).any(axis=1)):
        lacking = frame.columns[np.isnan(shares[row])]
        is_whole = len(lacking) == frame.shape[1]
        text = caption.say("no_value") if is_whole else caption.say("no_value_for", names=caption.say("comma").join(map(str, lacking)))
        word(axes, row, text, *((0.02, "left") if is_whole else (0.99, "right")))
    counts = bases.reindex(frame.index).to_numpy(dtype=float, na_value=np.nan)
    labels = [caption.say("with_n", label=label, n=show_n(n)) for label, n in zip(frame.index, counts, strict=True)]
    rows_of(axes, [wrap(label, 26) for label in labels], np.zeros(len(frame), dtype=bool), first_on_top=True)
    scale(axes.xaxis, [np.array([1.0])], margin=0)
    legend(axes, handles)
    return settle(figure)


@chart
def bars(frame: pd.DataFrame, caption: Caption) -> Figure:
    """Shares as bars with intervals, the first row at the bottom. `frame`: label, estimate, low, high."""
    estimate, low, high = numbers(frame, "estimate", "low", "high")
    labels = [wrap(str(label), 20) for label in frame["label"]]
    lines = max([label.count("\n") + 1 for label in labels], default=1)
    figure, axes = canvas(caption, 0.6 + (0.18 + 0.16 * lines) * max(len(frame), 3), is_empty=frame.empty)
    at = np.arange(len(frame))
    axes.barh(at, estimate, height=0.62, color=BLUE, gid="estimate")
    axes.hlines(at, low, high, color=BLACK, linewidth=1.4, gid="interval")
    for row, (value, end) in enumerate(zip(estimate, ends_of(estimate, high), strict=True)):
        if np.isnan(value):
            word(axes, row, caption.say("no_value"))
        else:
            axes.annotate(show(value), (end, row), (5, 0), textcoords="offset points", va="center", size=8.5)
    rows_of(axes, labels, flags(frame, "is_here"), first_on_top=False)
    scale(axes.xaxis, [estimate, low, high], margin=0)
    return settle(figure)


def ends_of(estimate: Floats, high: Floats) -> Floats:
    """Where a bar and its interval end."""
    return np.fmax(estimate, high)
