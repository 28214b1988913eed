"""Charts with a named point a place: two numbers against each other, shares against cases; labels move apart."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text

from huying.charts import look
from huying.charts.sheet import Sheet, places, sheet
from huying.intervals import Bools, Floats

# Every place that a label may take around its point: 16 directions, at growing distances in pixels.
ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
DIRECTIONS = np.tile(np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), (9, 1))
RADII = np.repeat([7.0, 12, 18, 26, 36, 48, 64, 84, 110], len(ANGLES))
LEADER = 13.0
CORNERS = ((0.01, "left"), (0.99, "right")), ((0.985, "top"), (0.015, "bottom"))  # across, up
# Near places first; a level leader would run through the other points where many share a value.
DISLIKE = RADII + 1500 * ((RADII > LEADER) & (np.abs(DIRECTIONS[:, 1]) < 0.1))


def scatter(
    rows: pd.DataFrame, x: str, y: str, *, lines: tuple[Any, Any] = (None, None), corners: Any = (), **about: Any
) -> Axes:
    """Two columns against each other, a named point a row, divided by a line on either axis.

    `<x>_low` to `<x>_high` are drawn as intervals where they are there. `corners`: what upper left, upper right, lower
    left and lower right mean. Rows without a value are named below.
    """
    with sheet(rows, **about) as made:
        wanted = [f"{name}{end}" for name in (x, y) for end in ("", "_low", "_high")]
        across, x_low, x_high, up, y_low, y_high = look.numbers(rows, *wanted)
        made.need(across + up)
        axes, is_here, made.measures = made.axes, (places(rows) == made.highlight).to_numpy(), (x, y)
        axes.hlines(up, x_low, x_high, color=look.GREY, linewidth=0.7, gid="x_interval")
        axes.vlines(across, y_low, y_high, color=look.GREY, linewidth=0.7, gid="y_interval")
        for value, draw in zip(lines, (axes.axvline, axes.axhline), strict=True):
            if value is not None:
                draw(value, color=look.DIM, linestyle="--", linewidth=1, zorder=1, gid="line")
        edge: dict[str, Any] = {"edgecolors": look.WHITE, "linewidths": 0.8, "zorder": 3, "clip_on": False}
        for part, ink, size in ((~is_here, look.BLUE, 36), (is_here, look.VERMILLION, 70)):
            axes.scatter(across[part], up[part], color=ink, s=size, gid="points", **edge)
        if is_here.any() and not is_here.all():
            marks = ((look.BLUE, "town"), (look.VERMILLION, "here"))
            made.handles = [look.mark("o", ink, made.say(key)) for ink, key in marks]
        sides = ((axes.xaxis, across, x_low, x_high), (axes.yaxis, up, y_low, y_high))
        for (axis, *values), line in zip(sides, lines, strict=True):
            made.span(axis, *values, [np.nan if line is None else line], is_share=made.is_share(values[0]))
        axes.set(xlabel=made.words.measure(x), ylabel=made.words.measure(y))
        for place, text in enumerate(corners):
            (left, ha), (top, va) = CORNERS[0][place % 2], CORNERS[1][place // 2]
            side = {"size": look.TINY, "color": look.DIM, "transform": axes.transAxes, "gid": "corner"}
            axes.text(left, top, made.words.word(text), ha=ha, va=va, **side)
        made.inches = 4.6
        name_points(made, made.names(rows), across, up, is_here)
    return made.axes


def funnel(points: pd.DataFrame, limits: pd.DataFrame, centre: float, **about: Any) -> Axes:
    """Shares against the number of cases, with the limits that chance alone would give around `centre`.

    `points`: n, estimate, is_outside; `limits`: n, low95, high95, low998, high998.
    """
    with sheet(points, **about) as made:
        n, share = look.numbers(points, "n", "estimate")
        made.need(share)
        axes, is_here = made.axes, (places(points) == made.highlight).to_numpy()
        outside = points["is_outside"].to_numpy(dtype=bool)
        grid, *bounds = look.numbers(limits, "n", "low95", "high95", "low998", "high998")
        for name, dash, pair in (("limits_95", "--", bounds[:2]), ("limits_998", "-", bounds[2:])):
            axes.plot(grid, np.column_stack(pair), color=look.GREY, linestyle=dash, linewidth=1.1, gid=name)
            made.handles.append(look.line(look.GREY, 1.1, made.say(name), dash))
        axes.axhline(centre, color=look.DIM, linewidth=1, gid="centre")
        made.handles.append(look.line(look.DIM, 1, made.say("centre", value=look.show(centre))))
        edge = {"s": np.where(is_here, 60, 36), "edgecolors": np.where(is_here, look.BLACK, look.WHITE), "zorder": 3}
        axes.scatter(n, share, c=np.where(outside, look.VERMILLION, look.BLUE), clip_on=False, gid="points", **edge)
        made.handles += [look.mark("o", look.VERMILLION, made.say("outside"))] if outside.any() else []
        made.span(axes.xaxis, grid, n, is_share=False, is_from_zero=True)
        top = 1.08 * float(np.nanmax(np.concatenate([share, *(bound[grid >= np.nanmin(n)] for bound in bounds)])))
        axes.set(xlabel=made.say("cases"), ylabel=made.say("share"), ylim=(-0.03 * top, top))
        look.scale(axes.yaxis, True)
        made.inches = 3.8
        name_points(made, made.names(points), n, share, is_here)
    return made.axes


def name_points(made: Sheet, labels: list[str], x: Floats, y: Floats, is_bold: Bools) -> None:
    """Name the points, once the sizes are known, and below those that have no value."""
    known = np.isfinite(x + y)
    if lacking := [label for label, is_known in zip(labels, known, strict=True) if not is_known]:
        made.lines.append(made.say("no_value_for", names=made.listed(lacking)))
    made.later = lambda: place_labels(made.axes, labels, np.column_stack([x, y]), known, is_bold)


def overlap(boxes: Floats, others: Floats) -> Floats:
    """The area in square pixels that each of `boxes` (left, bottom, right, top, last) shares with all `others`."""
    low, high = np.maximum(boxes[..., None, :2], others[:, :2]), np.minimum(boxes[..., None, 2:], others[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=-1).sum(axis=-1))


def around(centre: Floats, half: Floats | float) -> Floats:
    """Boxes around `centre` that reach `half` their size to each side."""
    return np.concatenate([centre - half, centre + half], axis=-1)


def place_labels(axes: Axes, labels: list[str], at: Floats, is_named: Bools, is_bold: Bools) -> None:
    """A label at the nearest free place around each named point, the bold ones first.

    Labels keep off each other, points, their lines back to their points, the texts in the corners and the border.
    """
    style: dict[str, Any] = {"ha": "center", "va": "center", "size": look.TINY, "zorder": 5, "gid": "label"}
    style["bbox"] = {"facecolor": look.WHITE, "edgecolor": "none", "pad": 0.3, "alpha": 0.85}
    style["arrowprops"] = {"arrowstyle": "-", "color": look.GREY, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 2}
    border, points, along = axes.bbox.extents, axes.transData.transform(at), np.linspace(0.1, 0.95, 14)[:, None]
    corners = [text.get_window_extent().extents for text in axes.texts if text.get_gid() == "corner"]
    solid = np.vstack([around(points[np.isfinite(points).all(axis=1)], 5.0), *corners])
    for row in sorted(np.flatnonzero(is_named).tolist(), key=lambda row: (not is_bold[row], at[row, 0])):
        weight = "bold" if is_bold[row] else "normal"
        label = axes.annotate(labels[row], at[row], (0, 0), textcoords="offset points", weight=weight, **style)
        half = np.array(Text.get_window_extent(label).size) / 2 + 1
        shift = DIRECTIONS * (RADII[:, None] + half)
        boxes, leaders = around(points[row] + shift, half), around(points[row] + shift[:, None] * along, 2.0)
        beyond = np.clip(border[:2] - boxes[:, :2], 0, None) + np.clip(boxes[:, 2:] - border[2:], 0, None)
        cost = DISLIKE + 100 * overlap(boxes, solid) + 1000 * beyond.sum(axis=1)
        cost += 30 * (RADII > LEADER) * overlap(leaders, solid).sum(axis=1)
        far = bool(RADII[best := int(np.argmin(cost))] > LEADER)
        label.set_position(tuple(shift[best] * 72 / axes.get_figure(root=True).dpi))
        label.arrow_patch.set_visible(far)
        solid = np.vstack([solid, boxes[best], *([leaders[best]] if far else [])])
