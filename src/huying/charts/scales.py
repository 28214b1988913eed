"""What stands beside the axes: names of rows and columns, ticks of numbers, and the room they take; draws no value.

Texts in place of matplotlib's ticks, which cost ten times as much to make, to measure and to draw.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT, TICKRIGHT
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, PercentFormatter, ScalarFormatter
from matplotlib.transforms import Bbox, ScaledTranslation, blended_transform_factory

Floats = npt.NDArray[np.float64]
PAD, TICK = 3.5, 3.5  # points
SIDES = ("left", "bottom", "top", "right")
ROUND = MaxNLocator(9, steps=[1, 2, 2.5, 5, 10])


class Untick(Axes):  # type: ignore[misc]
    """Axes without matplotlib's ticks, of which it would make four that are never drawn."""

    def __init__(self, *place: Any, **look: Any) -> None:
        super().__init__(*place, **look)
        self.xaxis.set_visible(False)
        self.yaxis.set_visible(False)

    def tick_params(self, axis: str = "both", **look: Any) -> None:
        """Nothing: there is no tick to set."""


def write(axes: Axes, side: str, places: Any, texts: Iterable[str], pad: float = PAD, **look: Any) -> list[Text]:
    """The texts, written on a side of the axes (left, bottom, top) at `places` of its scale, `pad` points away."""
    axis, line = ("yaxis", 0) if side == "left" else ("xaxis", int(side == "top"))
    transform, va, ha = getattr(axes, f"get_{axis}_text{line + 1}_transform")(pad)
    look = {"transform": transform, "va": va, "ha": ha, "gid": side, **look}
    spots = ((line, place)[:: 1 if side == "left" else -1] for place in places)
    return [axes.figure.text(*spot, text, **look) for spot, text in zip(spots, texts, strict=True)]


def tick(axes: Axes, x: Any, y: Any, marker: int, transform: Any) -> None:
    """Draw ticks that reach out of the axes."""
    look = {"color": "k", "linestyle": "none", "markersize": TICK, "markeredgewidth": 0.8, "clip_on": False}
    axes.add_artist(Line2D(x, y, marker=marker, transform=transform, zorder=0.5, **look))


def mark(axes: Axes, side: str, places: Any, texts: Iterable[str], grid: str | None = None, **look: Any) -> None:
    """Write texts with a tick at each, and lines across the axes in the colour `grid`."""
    is_left = side == "left"
    transform, turn = (axes.get_yaxis_transform(), -1) if is_left else (axes.get_xaxis_transform(), 1)
    if grid:
        across = (np.repeat(places, 3), np.tile([0, 1, np.nan], len(places)))[::turn]
        axes.add_artist(Line2D(*across, transform=transform, color=grid, linewidth=0.6, zorder=0.5))
    x, y = (places, np.zeros(len(places)))[::turn]
    tick(axes, x, y, TICKLEFT if is_left else TICKDOWN, transform)
    write(axes, side, places, texts, PAD + TICK, **look)


def count(axes: Axes, side: str, low: float, high: float, percent: bool, grid: str) -> None:
    """Set the limits, and mark the round numbers between them."""
    axis = axes.yaxis if side == "left" else axes.xaxis
    axes.set(**{f"{axis.axis_name}lim": (low, high)})
    places, slack = ROUND.tick_values(low, high), 1e-10 * (high - low)
    places = places[(places >= low - slack) & (places <= high + slack)]
    formatter = PercentFormatter(1) if percent else ScalarFormatter(useOffset=False)
    formatter.set_axis(axis)
    if not percent:
        formatter.set_scientific(False)
    mark(axes, side, places, formatter.format_ticks(places), grid)


def explain(axes: Axes, shades: Colormap, width: float, n: int) -> None:
    """A bar of the shades from 0 to 100% on the right, `width` inches wide, with `n` ticks."""
    from_edge = axes.figure.dpi_scale_trans + ScaledTranslation(1.015, 0, axes.transAxes)
    place = blended_transform_factory(from_edge, axes.transAxes)
    look: dict[str, Any] = {"cmap": shades, "vmin": 0, "vmax": 1, "clip_on": False}
    levels, shares = np.linspace(0, 1, 256)[:, None], np.linspace(0, 1, n)
    axes.pcolormesh([0, width], np.linspace(0.2, 0.8, 257), levels, transform=place, **look)
    tick(axes, np.full(n, width), 0.2 + 0.6 * shares, TICKRIGHT, place)
    look = {"transform": place, "va": "center_baseline", "gid": "right"}
    for share in shares:
        axes.figure.text(width + (PAD + TICK) / 72, 0.2 + 0.6 * share, f"{share:.0%}", **look)


class Beside:
    """The texts beside the axes, each measured once: its box moves with the place that it is written at."""

    def __init__(self, figure: Figure) -> None:
        self.renderer, self.boxes = figure.canvas.get_renderer(), dict[Text, Floats]()
        self.add(text for text in figure.texts if text.get_gid() in SIDES)

    def add(self, texts: Iterable[Text]) -> None:
        for text in texts:
            self.boxes[text] = text.get_window_extent(self.renderer).extents - self.place(text)

    def place(self, text: Text) -> Floats:
        return np.tile(text.get_transform().transform(text.get_position()), 2)

    def around(self, box: Bbox, *sides: str) -> Floats:
        """Left, bottom, right and top of `box` and the texts on these sides, in pixels."""
        moved = (own + self.place(text) for text, own in self.boxes.items() if text.get_gid() in sides)
        every = np.array([box.extents, *moved])
        return np.concatenate([every[:, :2].min(axis=0), every[:, 2:].max(axis=0)])


def name_scales(axes: Axes, beside: Beside, colour: str) -> None:
    """Write the names of the scales beyond their ticks."""
    points = 72 / axes.figure.dpi
    if name := axes.get_ylabel():
        pad = 4 + points * (axes.bbox.x0 - beside.around(axes.bbox, "left")[0])
        look = {"rotation": 90, "rotation_mode": "anchor", "ha": "center", "va": "bottom", "color": colour}
        beside.add(write(axes, "left", [sum(axes.get_ylim()) / 2], [name], pad, **look))
    if name := axes.get_xlabel():
        pad = 4 + points * (axes.bbox.y0 - beside.around(axes.bbox, "bottom")[1])
        beside.add(write(axes, "bottom", [sum(axes.get_xlim()) / 2], [name], pad, color=colour))


def fit(figure: Figure, axes: Axes, low: Floats, high: Floats, colour: str) -> None:
    """Name the scales, and move the axes so that they and all beside them fill the pixels from `low` to `high`."""
    beside = Beside(figure)
    name_scales(axes, beside, colour)
    for _ in range(2):  # how far a text at a value stands out changes with the scale
        taken = beside.around(axes.get_tightbbox(beside.renderer), *SIDES)
        within = Bbox([low + axes.bbox.min - taken[:2], high + axes.bbox.max - taken[2:]])
        axes.set_position(within.transformed(figure.transFigure.inverted()))
