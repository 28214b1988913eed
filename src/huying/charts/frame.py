"""The sheet every chart is drawn on: caption, palette, axes, legend, saving; refuses a character that the font lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec
from unicodedata import east_asian_width

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import ScaledTranslation

from huying.errors import HuyingError
from huying.fonts import chinese_font, missing_characters
from huying.store import write_bytes
from huying.words import say

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Given = ParamSpec("Given")
DPI = 100
# Okabe and Ito (2008), told apart with every common colour blindness; grey stands for their black, kept for the county.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, YELLOW, GREY = PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#999999"),
)
BLACK, PALE, DIM = "#000000", "#DDDDDD", "#555555"
STYLE = {
    **{"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True},
    **{"text.parse_math": False, "axes.labelcolor": DIM, "xtick.color": DIM, "hatch.linewidth": 0.6},
}
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


def chart(draw: Callable[Given, Figure]) -> Callable[Given, Figure]:
    """`draw` under the house style alone, whatever style the session has set, so that bytes do not depend on it."""

    @wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Figure:
        with style.context(["default", STYLE | {"font.family": chinese_font()}]):
            return draw(*args, **kwargs)

    return drawn


def ems(text: str) -> float:
    """The width of a text in ems, estimated: a wide character is one, any other .56."""
    return sum(1.0 if east_asian_width(c) in "WFA" else 0.56 for c in text)


def wrap(text: str, limit: float) -> str:
    """`text` in lines of at most `limit` ems; breaks between Chinese characters and at spaces, never before a closing mark."""
    lines = [""]
    for piece in PIECES.findall(text):
        if lines[-1] and ems(lines[-1] + piece.rstrip()) > limit:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def canvas(caption: Caption, height: float, width: float = 8.0, is_empty: bool = False) -> tuple[Figure, Axes]:
    """A figure whose axes have about `height` inches between the title and the source line, and these axes."""
    mark = caption.say("synthetic") if caption.is_synthetic else ""
    title = wrap(caption.title, (width - 0.3 - (2.1 if mark else 0)) * 72 / 11.5)
    source = wrap(caption.source, (width - 0.3) * 72 / 8.5)
    head, foot = 0.22 + 0.24 * (title.count("\n") + 1), 0.14 + 0.18 * (source.count("\n") + 1)
    total = head + height + foot
    figure = plt.figure(figsize=(width, total), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(rect=(0.01, foot / total, 0.98, height / total), w_pad=0.05, h_pad=0.05)
    top, left = 1 - 0.1 / total, 0.12 / width
    figure.text(left, top, title, size=11.5, weight="bold", va="top", linespacing=1.25, gid="title")
    figure.text(left, 0.08 / total, source, size=8.5, color=DIM, va="bottom", linespacing=1.25, gid="source")
    if mark:
        box = {"facecolor": VERMILLION, "edgecolor": "none", "boxstyle": "square,pad=0.3"}
        figure.text(1 - 0.16 / width, top, mark, color="white", weight="bold", ha="right", va="top", bbox=box, gid="synthetic")
    axes = figure.add_subplot()
    axes.tick_params(labelfontfamily=chinese_font())
    if is_empty:
        axes.text(0.5, 0.5, caption.say("no_rows"), transform=axes.transAxes, ha="center", va="center", color=DIM)
    return figure, axes


def settle(figure: Figure) -> Figure:
    """The figure laid out once and for all, so that saving and showing it only draw; raises HuyingError for a missing glyph."""
    for text in figure.findobj(Text):
        if lacking := missing_characters(text.get_text()):
            characters = " ".join(sorted(lacking))
            raise HuyingError("charts.missing_glyph", font=chinese_font(), characters=characters, text=text.get_text())
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    return figure


def save(figure: Figure, path: Path | None = None) -> bytes:
    """The figure as PNG at 100 dpi, the same bytes each time, also written to `path` where one is given."""
    buffer = BytesIO()
    with style.context("default"):
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    if path:
        write_bytes(path, buffer.getvalue())
    return buffer.getvalue()


def numbers(frame: pd.DataFrame, *columns: str) -> list[Floats]:
    """The columns as floats, missing as NaN; a column the frame does not have is all NaN."""
    known = frame.reindex(columns=list(columns))
    return [pd.to_numeric(known[column]).to_numpy(dtype=float, na_value=np.nan) for column in columns]


def flags(frame: pd.DataFrame, column: str) -> Bools:
    """A column as booleans; a column the frame does not have is all False."""
    return frame[column].to_numpy(dtype=bool) if column in frame else np.zeros(len(frame), dtype=bool)


def show(value: float, percent: bool = True) -> str:
    """A share as per cent, any other number as it is, to three figures."""
    return f"{100 * value:.3g}%" if percent else f"{value:.3g}"


def show_n(value: float) -> str:
    """A count, a dash where it is missing."""
    return "–" if np.isnan(value) else f"{value:.0f}"


def scale(axis: Any, values: Sequence[Floats], percent: bool = True, margin: float = 0.015) -> None:
    """Limits that hold all values; shares start at 0 and, where one is above 60%, end at 100%, in per cent."""
    known = np.concatenate([*values, [0.0]] if percent else list(values))
    known = known[np.isfinite(known)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    if percent:
        high = 1.0 if high > 0.6 else max(1.1 * high, 0.05)
        axis.set_major_formatter(PercentFormatter(1))
    pad = margin * (high - low) or 0.5
    getattr(axis.axes, f"set_{axis.axis_name}lim")(low - pad, high + pad)
    axis.axes.grid(axis=axis.axis_name, color=PALE, linewidth=0.6)


def legend(axes: Axes, handles: Sequence[Any], drop: float = 22) -> None:
    """A legend `drop` points below the axes, with as many columns as fit."""
    if handles:
        widest = max(ems(handle.get_label()) for handle in handles)
        columns = max(1, int((axes.figure.get_figwidth() - 2.4) * 72 / 8.5 / (widest + 4)))
        below = axes.transAxes + ScaledTranslation(0, -drop / 72, axes.figure.dpi_scale_trans)
        axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, ncols=min(columns, len(handles)),
            frameon=False, fontsize=8.5, borderaxespad=0, columnspacing=1.2, handlelength=1.6,
        )  # fmt: skip
