"""The font that draws Chinese: the package brings it, so that no chart shows boxes; names the characters that it lacks."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

FAMILY, FAMILY_RARE = "Huying Sans SC", "Huying Sans SC Rare"  # what the first lacks is looked up in the second
FOLDER = Path(str(files("huying"))) / "data" / "fonts"
REGULAR, BOLD, RARE = (FOLDER / f"HuyingSans{name}.otf" for name in ("SC-Regular", "SC-Bold", "SCRare-Regular"))


@cache
def chinese_font() -> str:
    """The family to draw with, from now on known to matplotlib."""
    for file in (REGULAR, BOLD, RARE):
        font_manager.fontManager.addfont(file)
    known = font_manager.fontManager.ttflist
    known += [replace(font, weight=700) for font in known if font.fname == str(RARE)]  # else each bold text is told of
    return FAMILY


@cache
def _drawn() -> frozenset[str]:
    """Every character that the fonts draw."""
    return frozenset(chr(code) for file in (REGULAR, RARE) for code in FT2Font(file).get_charmap())


def missing_characters(text: str) -> set[str]:
    """The characters of `text` that the font lacks (line breaks, which are never drawn, apart)."""
    return set(text) - _drawn() - {"\n"}
