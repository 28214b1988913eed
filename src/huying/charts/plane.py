"""Charts of two numbers a place: funnels and quadrants, whose labels move apart; a place without a value is named below."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation

from huying.charts.frame import (
    BLUE, DIM, GREY, VERMILLION, Bools, Caption, Floats, canvas, chart, flags, legend, numbers, scale, settle, show, wrap,
)  # fmt: skip

CORNERS = ((0.01, 0.985, "left", "top"), (0.99, 0.985, "right", "top"), (0.01, 0.015, "left", "bottom"), (0.99, 0.015, "right", "bottom"))
ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
# Every place a label may take around its point: directions, at growing distances in pixels; nearer ones come first.
DIRECTIONS = np.tile(np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), (8, 1))
RADII = np.repeat([7.0, 12, 20, 30, 44, 62, 84, 110], len(ANGLES))
MARKER = 5.0


def name_points(axes: Axes, labels: list[str], x: Floats, y: Floats, is_bold: Bools) -> list[Annotation]:
    """Labels that stand on their points until `spread` moves them, each with a line back to its point."""
    halo = [withStroke(linewidth=2, foreground="white")]
    arrow = {"arrowstyle": "-", "color": GREY, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 2}
    return [
        axes.annotate(label, at, (0, 0), textcoords="offset points", ha="center", va="center", size=8, path_effects=halo, zorder=5,
                      weight="bold" if bold else "normal", arrowprops=arrow, in_layout=False, gid="label")
        for label, at, bold in zip(labels, zip(x, y, strict=True), is_bold, strict=True)
    ]  # fmt: skip


def overlap(boxes: Floats, others: Floats) -> Floats:
    """The area in square pixels that each of `boxes` (left, bottom, right, top) shares with all `others`."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=2).sum(axis=1))


def spread(axes: Axes, labels: list[Annotation], x: Floats, y: Floats, fixed: list[Floats]) -> None:
    """Move each label to the nearest free place around its point: off other labels, points, `fixed` boxes and the border."""
    frame, renderer = axes.get_window_extent().extents, axes.figure.canvas.get_renderer()
    points = axes.transData.transform(np.column_stack([x, y]))
    taken = np.concatenate([np.hstack([points - MARKER, points + MARKER]), *(box[None] for box in fixed)])
    for label in labels:
        extent = label.get_window_extent(renderer)
        half = np.array([extent.width, extent.height]) / 2
        shift = DIRECTIONS * (RADII[:, None] + half)
        centre = axes.transData.transform(label.xy) + shift
        boxes = np.hstack([centre - half - 1, centre + half + 1])
        outside = np.clip(frame[:2] - boxes[:, :2], 0, None).sum(axis=1) + np.clip(boxes[:, 2:] - frame[2:], 0, None).sum(axis=1)
        best = int(np.argmin(10 * overlap(boxes, taken) + 1000 * outside + RADII))
        label.set_position(tuple(shift[best] * 72 / axes.figure.dpi))
        label.arrow_patch.set_visible(bool(RADII[best] > 14))
        taken = np.vstack([taken, boxes[best]])


def below(caption: Caption, text: str, labels: pd.Series, known: Bools) -> str:
    """The text under the axes, with a line that names the places without a value."""
    names = caption.say("comma").join(str(label) for label in labels[~known])
    return text if known.all() else text + "\n" + wrap(caption.say("no_value_for", names=names), 56)


@chart
def funnel(points: pd.DataFrame, limits: pd.DataFrame, centre: float, caption: Caption) -> Figure:
    """Shares against the number of cases, with the limits that chance alone would give around `centre`.

    `points`: label, n, share, is_outside, is_here where it is known; `limits`: n, low95, high95, low998, high998. Only
    points outside the limits and the one read here bear their names.
    """
    n, share = numbers(points, "n", "share")
    known, is_outside, is_here = np.isfinite(n) & np.isfinite(share), flags(points, "is_outside"), flags(points, "is_here")
    figure, axes = canvas(caption, 4.8, is_empty=points.empty)
    grid, *bounds = numbers(limits, "n", "low95", "high95", "low998", "high998")
    for values, line in zip(bounds, ("--", "--", "-", "-"), strict=True):
        axes.plot(grid, values, color=GREY, linestyle=line, linewidth=1.1, gid="limit")
    axes.axhline(centre, color=DIM, linewidth=1, gid="centre")
    colour = np.where(is_outside, VERMILLION, BLUE)
    axes.scatter(n, share, c=colour, s=np.where(is_here, 60, 34), edgecolors=np.where(is_here, "#000000", "#FFFFFF"), zorder=3, clip_on=False, gid="points")
    named = (is_outside | is_here) & known
    labels = name_points(axes, [str(label) for label in points["label"][named]], n[named], share[named], is_here[named])
    scale(axes.xaxis, [grid, n, np.zeros(1)], percent=False)
    scale(axes.yaxis, [share, *bounds], margin=0.03)
    text = below(caption, caption.say("cases"), points["label"], known)
    axes.set_xlabel(text)
    axes.set_ylabel(caption.say("share"))
    handles = [Line2D([], [], color=colour, label=caption.say(key, value=show(centre)), linestyle=line, marker=shape)
               for key, colour, line, shape in (("limits_95", GREY, "--", ""), ("limits_998", GREY, "-", ""), ("centre", DIM, "-", ""),
                                                ("outside", VERMILLION, "", "o"))]  # fmt: skip
    legend(axes, handles if is_outside.any() else handles[:-1], drop=40 + 13 * text.count("\n"))
    settle(figure)
    spread(axes, labels, n[known], share[known], [])
    return figure


@chart
def quadrant(
    frame: pd.DataFrame, lines: tuple[float | None, float | None], names: tuple[str, str], corners: tuple[str, str, str, str] | None,
    caption: Caption, percent: tuple[bool, bool] = (True, True),
) -> Figure:  # fmt: skip
    """Two numbers of each place, divided by a line on either axis, every point named.

    `frame`: label, x, y, is_here, and x_low, x_high, y_low, y_high where there are intervals; `names`: of the axes;
    `corners`: what upper left, upper right, lower left and lower right mean; `percent`: whether x and y are shares.
    """
    x, y, x_low, x_high, y_low, y_high = numbers(frame, "x", "y", "x_low", "x_high", "y_low", "y_high")
    known, is_here = np.isfinite(x) & np.isfinite(y), flags(frame, "is_here")
    figure, axes = canvas(caption, 5.6, is_empty=frame.empty)
    axes.hlines(y, x_low, x_high, color=GREY, linewidth=0.7, gid="x_interval")
    axes.vlines(x, y_low, y_high, color=GREY, linewidth=0.7, gid="y_interval")
    for value, draw in zip(lines, (axes.axvline, axes.axhline), strict=True):
        if value is not None:
            draw(value, color=DIM, linestyle="--", linewidth=1, zorder=1, gid="line")
    axes.scatter(x, y, c=np.where(is_here, VERMILLION, BLUE), s=np.where(is_here, 70, 36), edgecolors="white", linewidths=0.8, zorder=3, gid="points")
    order = np.argsort(~is_here[known], kind="stable")
    names_first = [str(label) for label in frame["label"][known].iloc[order]]
    labels = name_points(axes, names_first, x[known][order], y[known][order], is_here[known][order])
    scale(axes.xaxis, [x, x_low, x_high], percent[0], margin=0.08)
    scale(axes.yaxis, [y, y_low, y_high], percent[1], margin=0.08)
    axes.set_xlabel(below(caption, names[0], frame["label"], known))
    axes.set_ylabel(names[1])
    texts = [axes.text(u, v, text, transform=axes.transAxes, ha=across, va=up, size=8.5, color=DIM, style="normal", gid="corner")
             for text, (u, v, across, up) in zip(corners or (), CORNERS, strict=False)]  # fmt: skip
    settle(figure)
    spread(axes, labels, x[known], y[known], [text.get_window_extent().extents for text in texts])
    return figure
