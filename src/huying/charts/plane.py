"""Charts of two numbers: waiting curves, months, funnels, quadrants whose labels move apart; what has no value is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

from huying.charts import frame as sheet
from huying.charts.frame import BLUE, DIM, GREY, VERMILLION, WHITE, Bools, Caption, Floats, flags, numbers
from huying.charts.scales import mark

DASHES = ("-", "--", "-.", ":")
# Every place a label may take around its point: 16 directions, at growing distances in pixels.
ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
DIRECTIONS = np.tile(np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), (9, 1))
RADII = np.repeat([7.0, 12, 18, 26, 36, 48, 64, 84, 110], len(ANGLES))
LEADER = 13.0
# Near places first; a level leader would run through the other points where many share a value.
DISLIKE = RADII + 1500 * ((RADII > LEADER) & (np.abs(DIRECTIONS[:, 1]) < 0.1))
ALONG = np.linspace(0.1, 0.95, 14)[:, None]


@sheet.house_style()
def waiting(
    curves: Sequence[tuple[str, Floats, Floats]], limits: Sequence[tuple[float, str]], caption: Caption
) -> Figure:
    """Steps of the share done by each working day, a curve a (label, days, shares), and upright lines at the limits.

    Each share holds from its day until the next.
    """
    figure, axes = sheet.canvas(caption, curves)
    for place, (label, days, share) in enumerate(curves):
        look = {"color": sheet.PALETTE[place % 8], "linestyle": DASHES[place % 4], "linewidth": 2}
        axes.step(days, share, where="post", gid="curve", label=label, **look)
    for place, (day, label) in enumerate(limits):
        axes.axvline(day, color=DIM, linewidth=1, linestyle=":", gid="limit")
        # The first label ends at its line and the others start at theirs: 2 and 5 days stand close on a long axis.
        look = {"ha": "left" if place else "right", "size": 8.5, "color": DIM, "textcoords": "offset points"}
        axes.annotate(label, (day, 1), (0, 5), xycoords=axes.get_xaxis_transform(), **look)
    sheet.scale(axes.yaxis, np.ones(1), margin=0.04)
    drawn = [np.asarray(days, dtype=float) for _, days, _ in curves]
    sheet.scale(axes.xaxis, np.array([0.0, *(day for day, _ in limits)]), *drawn, percent=False)
    axes.set_xlabel(caption.say("working_days"))
    return sheet.settle(figure, caption, 4.0)


@sheet.house_style()
def months(frame: pd.DataFrame, caption: Caption) -> Figure:
    """A share month by month with its interval and n, in the order given. `frame`: label, share, n, low, high."""
    share, n, low, high = numbers(frame, "share", "n", "low", "high")
    at = np.arange(len(frame))
    figure, axes = sheet.canvas(caption, frame)
    axes.vlines(at, low, high, color=sheet.SKY, linewidth=2.4, gid="interval", label=caption.say("interval"))
    axes.plot(at, share, color=BLUE, marker="o", linewidth=1.4, gid="share", clip_on=False)
    for place in np.flatnonzero(np.isnan(share)):
        look = {"rotation": 90, "ha": "center", "size": 8, "color": DIM, "in_layout": False}
        axes.text(place, 0.03, caption.say("no_value"), transform=axes.get_xaxis_transform(), **look)
    mark(axes, "bottom", at, caption.with_n(frame["label"], n), rotation=90 if len(frame) > 6 else 0)
    axes.set_xlim(-0.6, len(frame) - 0.4)
    sheet.scale(axes.yaxis, share, low, high)
    return sheet.settle(figure, caption, 4.2)


@sheet.house_style()
def funnel(points: pd.DataFrame, limits: pd.DataFrame, centre: float, caption: Caption) -> Figure:
    """Shares against the number of cases, with the limits that chance alone would give around `centre`.

    `points`: label, n, share, is_outside, is_here where it is known; `limits`: n, low95, high95, low998, high998. Only
    points outside the limits and the one read here bear their names.
    """
    n, share = numbers(points, "n", "share")
    known, is_outside, is_here = np.isfinite(n + share), flags(points, "is_outside"), flags(points, "is_here")
    figure, axes = sheet.canvas(caption, points)
    grid, *bounds = numbers(limits, "n", "low95", "high95", "low998", "high998")
    for name, line, pair in (("limits_95", "--", bounds[:2]), ("limits_998", "-", bounds[2:])):
        look = {"color": GREY, "linestyle": line, "linewidth": 1.1, "gid": name, "label": [caption.say(name), None]}
        axes.plot(grid, np.column_stack(pair), **look)
    label = caption.say("centre", value=sheet.show(centre))
    axes.axhline(centre, color=DIM, linewidth=1, gid="centre", label=label)
    look = {"s": np.where(is_here, 60, 36), "edgecolors": np.where(is_here, sheet.BLACK, WHITE)}
    sheet.dots(axes, n, share, np.where(is_outside, VERMILLION, BLUE), "points", **look)
    if is_outside.any():
        sheet.dots(axes, [], [], VERMILLION, "outside", label=caption.say("outside"))
    sheet.scale(axes.xaxis, grid, n, np.zeros(1), percent=False)
    sheet.scale(axes.yaxis, share, *bounds, margin=0.03)
    axes.set(xlabel=caption.say("cases"), ylabel=caption.say("share"))
    sheet.settle(figure, caption, 4.8, lacking=list(points["label"][~known]))
    return name_points(figure, points["label"], n, share, is_outside | is_here, is_here)


@sheet.house_style()
def quadrant(
    frame: pd.DataFrame, lines: tuple[float | None, float | None], names: tuple[str, str], corners: Sequence[str] | None,
    caption: Caption, percent: tuple[bool, bool] = (True, True),
) -> Figure:  # fmt: skip
    """Two numbers of each place, divided by a line on either axis, every point named.

    `frame`: label, x, y, is_here, and x_low, x_high, y_low, y_high where there are intervals; `names`: of the axes;
    `corners`: what upper left, upper right, lower left and lower right mean; `percent`: whether x and y are shares.
    """
    x, y, x_low, x_high, y_low, y_high = numbers(frame, "x", "y", "x_low", "x_high", "y_low", "y_high")
    known, is_here = np.isfinite(x + y), flags(frame, "is_here")
    figure, axes = sheet.canvas(caption, frame)
    axes.hlines(y, x_low, x_high, color=GREY, linewidth=0.7, gid="x_interval")
    axes.vlines(x, y_low, y_high, color=GREY, linewidth=0.7, gid="y_interval")
    for value, draw in zip(lines, (axes.axvline, axes.axhline), strict=True):
        if value is not None:
            draw(value, color=DIM, linestyle="--", linewidth=1, zorder=1, gid="line")
    colour, size = np.where(is_here, VERMILLION, BLUE), np.where(is_here, 70, 36)
    sheet.dots(axes, x, y, colour, "points", s=size, edgecolors=WHITE, linewidths=0.8)
    if is_here.any():  # above the points that share its place
        sheet.dots(axes, x[is_here], y[is_here], VERMILLION, "here", s=70, edgecolors=WHITE, linewidths=0.8)
    sheet.scale(axes.xaxis, x, x_low, x_high, percent=percent[0], margin=0.08)
    sheet.scale(axes.yaxis, y, y_low, y_high, percent=percent[1], margin=0.08)
    axes.set(xlabel=names[0], ylabel=names[1])
    for place, text in enumerate(corners or ()):
        look = {"ha": ("left", "right")[place % 2], "va": ("top", "bottom")[place // 2], "size": 8.5, "color": DIM}
        look |= {"transform": axes.transAxes, "in_layout": False}
        axes.text((0.01, 0.99)[place % 2], (0.985, 0.015)[place // 2], text, **look)
    sheet.settle(figure, caption, 5.6, lacking=list(frame["label"][~known]))
    return name_points(figure, frame["label"], x, y, known, is_here)


def overlap(boxes: Floats, others: Floats) -> Floats:
    """The area in square pixels that each of `boxes` (left, bottom, right, top, last) shares with all `others`."""
    low = np.maximum(boxes[..., None, :2], others[:, :2])
    high = np.minimum(boxes[..., None, 2:], others[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=-1).sum(axis=-1))


def around(centre: Floats, half: Floats | float) -> Floats:
    """Boxes around `centre` that reach `half` their size to each side."""
    return np.concatenate([centre - half, centre + half], axis=-1)


def name_points(figure: Figure, names: pd.Series, x: Floats, y: Floats, is_named: Bools, is_bold: Bools) -> Figure:
    """The figure with a label at the nearest free place around each named point, the bold ones first.

    Labels keep off each other, points, their lines back to their points, the texts in the corners and the border.
    """
    sheet.refuse_boxes(map(str, names))
    axes, renderer = figure.axes[0], figure.canvas.get_renderer()
    look: dict[str, Any] = {"ha": "center", "va": "center", "size": 8, "zorder": 5, "gid": "label"}
    look["bbox"] = {"facecolor": WHITE, "edgecolor": "none", "pad": 0.3, "alpha": 0.85}
    look["arrowprops"] = {"arrowstyle": "-", "color": GREY, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 2}
    border, points = axes.get_window_extent().extents, axes.transData.transform(np.column_stack([x, y]))
    known = np.isfinite(points).all(axis=1)
    solid = np.vstack([around(points[known], 5.0), *(text.get_window_extent().extents for text in axes.texts)])
    tracks = np.empty((0, 4))
    for row in sorted(np.flatnonzero(is_named & known), key=lambda row: (not is_bold[row], x[row])):
        weight, place = "bold" if is_bold[row] else "normal", {"textcoords": "offset points"}
        label = axes.annotate(str(names.iloc[row]), (x[row], y[row]), (0, 0), weight=weight, **place, **look)
        extent = Text.get_window_extent(label, renderer)
        half = np.array([extent.width, extent.height]) / 2 + 1
        shift = DIRECTIONS * (RADII[:, None] + half)
        boxes, leaders = around(points[row] + shift, half), around(points[row] + shift[:, None] * ALONG, 2.0)
        outside = np.clip(border[:2] - boxes[:, :2], 0, None) + np.clip(boxes[:, 2:] - border[2:], 0, None)
        cost = DISLIKE + 100 * overlap(boxes, solid) + 1000 * outside.sum(axis=1) + 30 * overlap(boxes, tracks)
        far = (RADII > LEADER) & (cost < cost[RADII <= LEADER].min())  # only these can win, so only theirs are measured
        cost[far] += 30 * overlap(leaders[far], np.vstack([solid, tracks])).sum(axis=1)
        best = int(np.argmin(cost))
        label.set_position(tuple(shift[best] * 72 / figure.dpi))
        label.arrow_patch.set_visible(bool(RADII[best] > LEADER))
        solid = np.vstack([solid, boxes[best]])
        tracks = np.vstack([tracks, leaders[best][:: 2 if RADII[best] > LEADER else 99]])
    return figure
