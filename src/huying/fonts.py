"""Finds a font that draws Chinese, the bundled one first; refuses to go on where there is none, so that no chart shows boxes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from huying.errors import HuyingError

BUNDLED_FAMILY = "Huying Sans SC"
BUNDLED_FILES = ("HuyingSansSC-Regular.otf", "HuyingSansSC-Bold.otf")
# Names as matplotlib reads them; before 3.11 it sees only the first face of Noto's collection, the Japanese one.
INSTALLED_FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "SimHei"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti SC", "Heiti TC", "STHeiti", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
    *("Source Han Sans", "Noto Sans CJK JP", "SimSun", "Arial Unicode MS"),
)


def _bundled() -> list[Path]:
    """The bundled font files that are there, the regular weight first; none without the regular weight."""
    found = [Path(str(files("huying").joinpath("data/fonts", name))) for name in BUNDLED_FILES]
    return [path for path in found if path.is_file()] if found[0].is_file() else []


@cache
def chinese_font() -> str:
    """The family to draw with: the bundled one, now known to matplotlib, else an installed one; raises HuyingError."""
    bundled = _bundled()
    for path in bundled:
        font_manager.fontManager.addfont(path)
    if bundled:
        return BUNDLED_FAMILY
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    for family in INSTALLED_FAMILIES:
        if family in installed:
            return family
    names = ", ".join(INSTALLED_FAMILIES[:7])
    raise HuyingError("fonts.no_font", bundled=BUNDLED_FAMILY, names=names)


def font_files() -> list[Path]:
    """The files of the font that is drawn with: the bundled ones, else the installed one."""
    return _bundled() or [Path(font_manager.findfont(chinese_font(), fallback_to_default=False))]


@cache
def _drawn() -> frozenset[str]:
    """Every character that the chosen font draws in its regular weight."""
    path = font_manager.findfont(chinese_font(), fallback_to_default=False)
    return frozenset(map(chr, FT2Font(path).get_charmap()))


def missing_characters(text: str) -> set[str]:
    """The characters of `text` that the chosen font lacks (line breaks, which are never drawn, apart)."""
    return set(text) - _drawn() - {"\n"}
