"""The sheet every chart is drawn on: caption, palette, scales, saving; refuses a character that the font lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from huying.charts.ink import Canvas, png
from huying.charts.scales import Untick, count, fit
from huying.errors import HuyingError
from huying.fonts import chinese_font, missing_characters
from huying.store import write_bytes
from huying.words import say

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DPI = 100
# Okabe and Ito (2008), told apart with every common colour blindness; their black is kept for the county.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#999999")
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, YELLOW, GREY = PALETTE
BLACK, WHITE, PALE, DIM = "#000000", "#FFFFFF", "#DDDDDD", "#555555"
LACKING: dict[str, Any] = {"facecolor": PALE, "hatch": "////", "edgecolor": GREY, "linewidth": 0}
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.labelcolor": DIM}
STYLE |= {"font.size": 9, "text.parse_math": False, "hatch.linewidth": 0.6}
CLOSING = "，。；：、！？）》"
PIECES = re.compile(rf"[^\s⺀-￯]{{1,40}}[{CLOSING}]*\s*|[（《]*[⺀-￯][{CLOSING}]*\s*|\s+")


@dataclass(frozen=True)
class Caption:
    """What stands around a chart: the finding as title, the line with n and source below, language, whether synthetic."""

    title: str
    source: str
    lang: str
    is_synthetic: bool = False

    def say(self, key: str, **values: object) -> str:
        """A text of the charts in the caption's language."""
        return say(f"charts.{key}", self.lang, **values)

    def no_value(self, names: Iterable[object]) -> str:
        """The line that names what has no value."""
        return self.say("no_value_for", names=self.say("comma").join(map(str, names)))

    def with_n(self, labels: Iterable[object], counts: Floats) -> list[str]:
        """Labels with their n, a dash where it is missing."""
        shown = ("–" if np.isnan(n) else f"{n:.0f}" for n in counts)
        return [self.say("with_n", label=label, n=n) for label, n in zip(labels, shown, strict=True)]


@cache
def look_of(family: str) -> dict[str, Any]:
    """Every setting of the house style; the backend, which is no matter of style, is left out."""
    with style.context(["default", STYLE | {"font.family": family}]):
        return {key: value for key, value in dict.items(mpl.rcParams) if key != "backend"}


@contextmanager
def house_style() -> Iterator[None]:
    """The house style alone, whatever style the session has set, so that bytes do not depend on it."""
    with mpl.rc_context():
        dict.update(mpl.rcParams, look_of(chinese_font()))  # checked once, not for each chart
        yield


def ems(text: str) -> float:
    """The width of a text in ems, estimated: a wide character is one, any other .54."""
    return sum(1.0 if east_asian_width(c) in "WFA" else 0.54 for c in text)


def wrap(text: str, limit: float) -> str:
    """`text` in lines of at most `limit` ems, broken at spaces and between Chinese characters, not before a closing mark."""
    lines = [""]
    for piece in PIECES.findall(text):
        if lines[-1] and ems(lines[-1] + piece.rstrip()) > limit:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def columns_of(labels: Sequence[str], room: float) -> int:
    """How many columns of a legend fit into `room` ems."""
    widths = np.array([ems(label) + 4.5 for label in labels])
    fits = (n for n in range(len(labels), 1, -1) if sum(part.max() for part in np.array_split(widths, n)) < room)
    return next(fits, 1)


def canvas(caption: Caption, data: Sized) -> tuple[Figure, Axes]:
    """A figure and its axes, which say so where `data` is empty."""
    figure = Figure(dpi=DPI)
    Canvas(figure)
    axes = figure.add_subplot(axes_class=Untick)
    if not len(data):
        axes.text(0.5, 0.5, caption.say("no_rows"), transform=axes.transAxes, ha="center", va="center", color=DIM)
    return figure, axes


def settle(
    figure: Figure, caption: Caption, height: float, width: float = 8.0, lacking: Sequence[object] = ()
) -> Figure:
    """The figure with its caption, laid out once and for all, so that saving it only draws.

    `height` inches lie between the title and the legend of what was drawn with a label; the lines below name what is
    `lacking` a value, and the source. Raises HuyingError for a character that the font lacks.
    """
    (axes,) = figure.axes
    handles, labels = axes.get_legend_handles_labels()
    room = (width - 0.3) * 72 / 8.5
    title = wrap(caption.title, (width - (1.9 if caption.is_synthetic else 0.3)) * 72 / 11.5)
    lines = [caption.no_value(lacking)] if len(lacking) else []
    notes = "\n".join(wrap(line, room) for line in [*lines, caption.source])
    columns = columns_of(labels, room)
    foot = 0.295 + 0.165 * notes.count("\n")
    under = foot + (0.1 + 0.185 * -(-len(labels) // columns) if labels else 0)
    total = under + height + 0.365 + 0.205 * title.count("\n")
    top, left = 1 - 0.1 / total, 0.12 / width
    figure.set_size_inches(width, total)
    figure.text(left, top, title, size=11.5, weight="bold", va="top", linespacing=1.25, gid="title")
    figure.text(left, 0.08 / total, notes, size=8.5, color=DIM, va="bottom", linespacing=1.25, gid="source")
    if caption.is_synthetic:
        look: dict[str, Any] = {"ha": "right", "va": "top", "color": WHITE, "weight": "bold", "gid": "synthetic"}
        look["bbox"] = {"facecolor": VERMILLION, "edgecolor": "none", "boxstyle": "square,pad=0.3"}
        figure.text(1 - 0.16 / width, top, caption.say("synthetic"), **look)
    if labels:
        look = {"frameon": False, "fontsize": 8.5, "borderaxespad": 0, "columnspacing": 1.4, "handlelength": 1.6}
        figure.legend(handles, labels, loc="lower left", bbox_to_anchor=(left / 2, foot / total), ncols=columns, **look)
    texts = (text.get_text() for text in (*figure.texts, *axes.texts))
    refuse_boxes([*texts, *labels, axes.get_xlabel(), axes.get_ylabel()])
    low, high = np.array([0.01 * width, under]), np.array([0.99 * width, under + height])
    fit(figure, axes, DPI * (low + 0.05), DPI * (high - 0.05), DIM)
    return figure


def refuse_boxes(texts: Iterable[str]) -> None:
    """Raise HuyingError for a text with a character that the font lacks."""
    for text in texts:
        if lacking := missing_characters(text):
            names = " ".join(f"{c} (U+{ord(c):04X})" for c in sorted(lacking))
            raise HuyingError("charts.missing_glyph", font=chinese_font(), characters=names, text=text)


def save(figure: Figure, path: Path | None = None) -> bytes:
    """The figure as PNG at 100 dpi, the same bytes each time, also written to `path` where one is given."""
    with house_style():
        drawn = png(figure)
    if path:
        write_bytes(path, drawn)
    return drawn


def numbers(frame: pd.DataFrame, *columns: str) -> list[Floats]:
    """The columns as floats, missing as NaN; a column the frame does not have is all NaN."""
    known = frame.reindex(columns=list(columns))
    return [pd.to_numeric(known[name]).to_numpy(dtype=float, na_value=np.nan, copy=True) for name in columns]


def flags(frame: pd.DataFrame, column: str) -> Bools:
    """A column as booleans; a column the frame does not have is all False."""
    return frame[column].to_numpy(dtype=bool) if column in frame else np.zeros(len(frame), dtype=bool)


def show(value: float, percent: bool = True) -> str:
    """A share as per cent with a decimal where there is one, any other number to three figures."""
    return f"{100 * value:.1f}%".replace(".0%", "%") if percent else f"{value:.3g}"


def dots(axes: Axes, x: Any, y: Any, colour: Any, gid: str, **look: Any) -> None:
    """Markers above everything but words, whole even on the border."""
    axes.scatter(x, y, **{"c": colour, "s": 36, "zorder": 3, "clip_on": False, "gid": gid, **look})


def near(axes: Axes, x: float, y: float, text: str, away: float, **look: Any) -> None:
    """A text `away` points to the right of a value; none beside a value that is missing."""
    if np.isfinite(x + y):
        aside = ScaledTranslation(away / 72, 0, axes.figure.dpi_scale_trans)
        axes.text(x, y, text, transform=axes.transData + aside, **look)


def scale(axis: Any, *values: Floats, percent: bool = True, margin: float = 0.015) -> None:
    """Limits that hold all values; shares start at 0 and, where one is above 60%, end at 100%, in per cent."""
    known = np.concatenate([*values, [0.0]] if percent else values)
    known = known[np.isfinite(known)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    if percent:
        high = max(1.0, high) if high > 0.6 else max(1.1 * high, 0.05)
    pad = margin * (high - low) if high > low else 0.5
    count(axis.axes, "left" if axis.axis_name == "y" else "bottom", low - pad, high + pad, percent, PALE)
