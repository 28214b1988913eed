"""Charts along time, and the rates of a ledger beside each other; a month or rate without a value keeps its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from huying.charts.frame import (
    BLACK, BLUE, DIM, PALETTE, SKY, Caption, Floats, canvas, chart, legend, numbers, scale, settle, show, show_n, wrap,
)  # fmt: skip

DASHES = ("-", "--", "-.", ":")


def lacking(axes: Axes, at: int, caption: Caption) -> None:
    """Say at a place of the time axis that there is no value."""
    axes.text(at, 0.03, caption.say("no_value"), transform=axes.get_xaxis_transform(), rotation=90, ha="center", size=8, color=DIM)


@chart
def waiting(curves: Sequence[tuple[str, Floats, Floats]], limits: Sequence[tuple[float, str]], caption: Caption) -> Figure:
    """Steps of the share done by each working day, a curve a (label, days, shares), and upright lines at the limits.

    Each share holds from its day until the next.
    """
    figure, axes = canvas(caption, 4.2, is_empty=not curves)
    handles = []
    for place, (label, days, share) in enumerate(curves):
        look = {"color": PALETTE[place % len(PALETTE)], "linestyle": DASHES[place % len(DASHES)], "linewidth": 2}
        axes.step(days, share, where="post", gid="curve", **look)
        handles.append(Line2D([], [], label=label, **look))
    for place, (day, label) in enumerate(limits):
        axes.axvline(day, color=DIM, linewidth=1, linestyle=":", gid="limit")
        # The first label ends at its line and the others start at theirs: 2 and 5 days stand close on a long axis.
        side = "right" if place == 0 else "left"
        axes.annotate(label, (day, 1), (0, 4), xycoords=axes.get_xaxis_transform(), textcoords="offset points", ha=side, size=8.5, color=DIM)
    scale(axes.yaxis, [np.array([1.0])], margin=0.04)
    scale(axes.xaxis, [np.array([0.0, *(day for day, _ in limits)]), *(np.asarray(days, dtype=float) for _, days, _ in curves)], percent=False)
    axes.set_xlabel(caption.say("working_days"))
    legend(axes, handles, drop=40)
    return settle(figure)


@chart
def rates(frame: pd.DataFrame, caption: Caption) -> Figure:
    """Rates beside each other as bars with their intervals and n. `frame`: label, estimate, low, high, n."""
    estimate, low, high, n = numbers(frame, "estimate", "low", "high", "n")
    figure, axes = canvas(caption, 3.8, is_empty=frame.empty)
    at = np.arange(len(frame))
    axes.bar(at, estimate, width=0.55, color=SKY, gid="estimate")
    axes.vlines(at, low, high, color=BLACK, linewidth=1.6, gid="interval")
    for place, (value, top) in enumerate(zip(estimate, np.fmax(estimate, high), strict=True)):
        if np.isnan(value):
            lacking(axes, place, caption)
        else:
            axes.annotate(show(value), (place, top), (0, 4), textcoords="offset points", ha="center", weight="bold")
    room = 480 / 9 / max(len(frame), 1)
    axes.set_xticks(at, labels=[f"{wrap(str(label), room)}\nn={show_n(c)}" for label, c in zip(frame["label"], n, strict=True)])
    axes.set_xlim(-0.6, len(frame) - 0.4)
    axes.tick_params(axis="x", length=0)
    scale(axes.yaxis, [estimate, low, high], margin=0)
    legend(axes, [Line2D([], [], color=BLACK, linewidth=1.6, label=caption.say("interval"))], drop=64)
    return settle(figure)


@chart
def months(frame: pd.DataFrame, caption: Caption) -> Figure:
    """A share month by month with its interval and n, in the order given. `frame`: label, share, n, low, high."""
    share, n, low, high = numbers(frame, "share", "n", "low", "high")
    figure, axes = canvas(caption, 4.2, is_empty=frame.empty)
    at = np.arange(len(frame))
    axes.vlines(at, low, high, color=SKY, linewidth=2.4, gid="interval")
    axes.plot(at, share, color=BLUE, marker="o", linewidth=1.4, gid="share")
    for place in np.flatnonzero(np.isnan(share)):
        lacking(axes, int(place), caption)
    is_long = len(frame) > 9
    labels = [f"{label}{'  ' if is_long else chr(10)}n={show_n(c)}" for label, c in zip(frame["label"], n, strict=True)]
    axes.set_xticks(at, labels=labels, rotation=90 if is_long else 0)
    axes.set_xlim(-0.6, len(frame) - 0.4)
    scale(axes.yaxis, [share, low, high])
    legend(axes, [Line2D([], [], color=SKY, linewidth=2.4, label=caption.say("interval"))], drop=96 if is_long else 36)
    return settle(figure)
