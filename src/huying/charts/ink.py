"""Puts a figure on paper once: each line of text set in one piece at whole pixels, the picture packed as PNG."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ft2font import FT2Font

Pixels = npt.NDArray[np.uint8]


@lru_cache(64)
def blank_of(font: str, size: float, dpi: float, flags: int) -> float:
    """The width of a blank in pixels."""
    return float(shape(" ", font, size, dpi, flags).get_width_height()[0]) / 64


def shape(text: str, font: str, size: float, dpi: float, flags: int) -> FT2Font:
    """The font with the text laid out in it."""
    face = get_font(font)
    face.clear()
    face.set_size(size, dpi)
    face.set_text(text, 0.0, flags=flags)
    return face


@lru_cache(4096)
def set_line(text: str, *how: Any) -> tuple[float, float, float, float, Pixels]:
    """The width, height and descent of a line of text in pixels, where it starts, and its ink from 0 to 255.

    A blank in front gives the picture a whole left border; without it the first letter stands a pixel off. `how` is
    font, size, dpi and hinting: nothing else decides the result, so keeping it leaks nothing into the next chart.
    """
    blank = blank_of(*how)
    face = shape(" " + text, *how)
    (width, height), descent = face.get_width_height(), face.get_descent()
    face.draw_glyphs_to_bitmap(antialiased=True)
    return width / 64 - blank, height / 64, descent / 64, blank, np.array(face.get_image())


class Ink(RendererAgg):  # type: ignore[misc]
    """Agg whose upright and level lines of text are set in one piece; any other text is Agg's own."""

    def line(self, text: str, prop: Any) -> tuple[float, float, float, float, Pixels]:
        return set_line(text, findfont(prop), prop.get_size_in_points(), self.dpi, get_hinting_flag())

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        return super().get_text_width_height_descent(s, prop, ismath) if ismath else self.line(s, prop)[:3]

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        if ismath or angle not in (0, 90):
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        _, height, descent, blank, ink = self.line(s, prop)
        above = int(height - descent) + 1
        if angle:
            ink, left, bottom = np.rot90(ink), round(x) - above, round(y + blank)
        else:
            left, bottom = round(x - blank), round(y) - above + len(ink)
        picture = np.empty((*ink.shape, 4), dtype=np.uint8)
        picture[..., :3] = np.multiply(gc.get_rgb()[:3], 255).round()
        picture[..., 3] = ink
        self.draw_image(gc, left, self.height - bottom, picture[::-1])


class Canvas(FigureCanvasAgg):  # type: ignore[misc]
    """The canvas of a chart, drawn with Ink."""

    def get_renderer(self) -> Ink:
        size = (*self.get_width_height(physical=True), self.figure.dpi)
        known = getattr(self, "renderer", None)
        self.renderer = known if known and (known.width, known.height, known.dpi) == size else Ink(*size)
        return self.renderer


def png(figure: Figure) -> bytes:
    """The figure drawn once, as PNG. The lines are not filtered: a chart is flat, and packs as well without."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    metre = round(figure.dpi / 0.0254)
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"pHYs": struct.pack(">IIB", metre, metre, 1),
        b"IDAT": zlib.compress(lines.data, 3),
        b"IEND": b"",
    }
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
