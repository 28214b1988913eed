"""How charts look: the palette, the house style as settings of matplotlib, text in lines; refuses a character that the font lacks."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from unicodedata import east_asian_width

import matplotlib as mpl
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from seaborn.utils import relative_luminance

from huying.fonts import FAMILY_RARE, chinese_font
from huying.intervals import Floats

# Okabe and Ito (2008), told apart with every common colour blindness; their black is kept for the county.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#999999")
BLUE, VERMILLION, _, ORANGE, SKY, _, YELLOW, GREY = PALETTE
BLACK, WHITE, PALE, DIM = "#000000", "#FFFFFF", "#DDDDDD", "#555555"
SHADES = LinearSegmentedColormap.from_list("shades", ["#F7FBFF", "#6BAED6", "#08306B"])
# Of areas that touch: each at least 43 of 255 from each other in grey print.
AREAS = ("#0072B2", "#DD6A10", "#F5EC7A", "#08306B", "#74C2F0")
DASHES = ("-", "--", "-.", ":")
LACKING: Mapping[str, Any] = {"facecolor": PALE, "hatch": "////", "edgecolor": GREY, "linewidth": 0}
STAMP: Mapping[str, Any] = {"facecolor": "#A33B00", "edgecolor": "none", "boxstyle": "square,pad=0.3"}
# Inches and points: as wide as the text of an official document (156 mm, GB/T 9704), so that 7 pt are 7 pt in print.
WIDTH, DPI, TINY, SMALL, TITLE = 6.14, 130, 7.0, 7.4, 10.5
PIECES = re.compile(r"[^\s⺀-￯]{1,40}[，。；：、！？）》]*\s*|[（《]*[⺀-￯][，。；：、！？）》]*\s*|\s+")


@cache
def style() -> dict[str, Any]:
    """The house style as settings of matplotlib."""
    spines, fonts = {f"axes.spines.{side}": False for side in ("top", "right")}, [chinese_font(), FAMILY_RARE]
    text = {"font.family": fonts, "font.size": 7.8, "text.parse_math": False, "axes.labelcolor": DIM}
    title = {"axes.titlelocation": "left", "axes.titlesize": TITLE, "axes.titleweight": "bold", "axes.titlepad": 8}
    legend = {"legend.frameon": False, "legend.fontsize": SMALL, "legend.borderaxespad": 0, "legend.handlelength": 1.6}
    grid = {"grid.color": PALE, "grid.linewidth": 0.6, "axes.axisbelow": True, "hatch.linewidth": 0.6}
    size = {"figure.figsize": (WIDTH, 3.5), "figure.dpi": DPI, "savefig.dpi": "figure", "savefig.bbox": None}
    svg = {"svg.fonttype": "none", "svg.hashsalt": "huying"}
    return {**spines, **text, **title, **legend, **grid, **size, **svg, "axes.prop_cycle": cycler(color=PALETTE)}


@contextmanager
def styled() -> Iterator[None]:
    """The house style for the block; whether figures show themselves stays as the block leaves it: the first one decides.

    A character that the font lacks is drawn as a box: `check` has named it. What does not fit at first is laid out anew when it is saved.
    """
    with mpl.rc_context(style()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font|Tight layout not applied")
        yield
        is_interactive = mpl.is_interactive()
    mpl.interactive(is_interactive)


def mark(shape: str, colour: str, label: str, *, fill: str = "", size: float = 6) -> Line2D:
    """A marker as it stands in a legend."""
    ink = {"markeredgecolor": colour, "markerfacecolor": fill or colour, "markersize": size}
    return Line2D([], [], marker=shape, linestyle="none", label=label, **ink)


def line(colour: str, width: float, label: str, dash: str = "-") -> Line2D:
    """A line as it stands in a legend."""
    return Line2D([], [], color=colour, linewidth=width, linestyle=dash, label=label)


def note(axes: Axes, text: str, at: Any, away: tuple[float, float], **style: Any) -> Any:
    """A text some points away from a point; it may stand outside the axes."""
    return axes.annotate(text, at, away, textcoords="offset points", annotation_clip=False, **style)


def scale(axis: Any, is_share: bool) -> None:
    """Round numbers along an axis, in per cent for shares, with lines across."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%" if is_share else f"{value:.10g}"))
    axis.grid(True)


def show(value: float, is_share: bool = True) -> str:
    """A share as per cent with a decimal where there is one, any other number to three figures or more if it is whole."""
    plain = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{100 * value:.1f}%".replace(".0%", "%") if is_share else plain


def grey(colour: Any) -> float:
    """How light a colour is in grey print, from 0 to 255 (ITU-R BT.601)."""
    return float(255 * np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


def shades(n: int) -> list[Any]:
    """`n` shades from light to dark, in equal steps of grey."""
    at = np.linspace(1, 0, 256)
    return list(map(SHADES, np.interp(np.linspace(232, 44, n), [grey(SHADES(one)) for one in at], at)))


def ink_on(colour: Any) -> str:
    """Black or white, whichever stands out more on a colour (relative luminance of WCAG 2)."""
    return BLACK if relative_luminance(colour) > 0.18 else WHITE


def numbers(frame: pd.DataFrame, *columns: str) -> list[Floats]:
    """The columns as floats, missing as NaN; a column the frame does not have is all NaN."""
    known = frame.reindex(columns=list(columns))
    return [pd.to_numeric(known[name]).to_numpy(dtype=float, na_value=np.nan, copy=True) for name in columns]


def ems(text: str) -> float:
    """The width of a text in ems, estimated: a wide character is one, any other .54."""
    return sum(1.0 if east_asian_width(c) in "WFA" else 0.54 for c in text)


def wrap(text: str, limit: float) -> str:
    """`text` in lines of at most `limit` ems, broken at spaces and between Chinese characters, not before a closing mark."""
    lines = [""]
    for piece in PIECES.findall(text):
        lines += [""] if lines[-1] and ems(lines[-1] + piece.rstrip()) > limit else []
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def columns_of(names: Sequence[str], room: float) -> int:
    """How many columns of a legend fit into `room` ems."""
    widths = np.array([ems(name) + 4.5 for name in names])
    fits = (n for n in range(len(names), 1, -1) if sum(part.max() for part in np.array_split(widths, n)) < room)
    return next(fits, 1)
