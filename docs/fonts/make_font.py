"""Cuts the bundled font out of Debian's Noto Sans CJK SC; refuses a character that Noto does not draw.

    python docs/fonts/make_font.py [TEXT FILE ...]

Needs fontTools and Debian's fonts-noto-cjk. Every character of the given text files that the basic set lacks is added to
extra_characters.txt beside this file; the fonts depend on that file, the basic set and Noto alone, so that two runs give
the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

HERE = Path(__file__).resolve().parent
NOTO = Path("/usr/share/fonts/opentype/noto")
TARGET = HERE.parents[1] / "src/huying/data/fonts"
EXTRA = HERE / "extra_characters.txt"
SOURCE, FAMILY = "Noto Sans CJK SC", "Huying Sans SC"
SYMBOLS = "–—‐‑‒―‘’“”„†‡•…‰′″‹›※⁴€℃№™←↑→↓↔⇒∂∆∏∑−√∝∞∩∫≈≠≡≤≥■□▲△▶▷▼▽◀◆◇○◎●◯★☆✓✗┋〖〗"
STAND_INS = {"✗": "㐅"}  # Noto Sans CJK has no ballot cross; this character, of the same shape, is not in the set
DROPPED = ["BASE", "GDEF", "GSUB", "VORG", "vhea", "vmtx", "DSIG"]


IDEOGRAPHS = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x33480))


def source(style: str) -> TTFont:
    """The font that the subset of one weight is cut from."""
    return next(f for f in TTCollection(NOTO / f"NotoSansCJK-{style}.ttc").fonts if f["name"].getDebugName(1) == SOURCE)


def basic_characters() -> set[str]:
    """Printable Latin-1, all of GB 2312, the ideographs of Big5, CJK punctuation, full-width forms, and the symbols of charts."""
    drawn = {character for character in ideographs() if len(character.encode("big5", "ignore")) == 2}
    pairs = (bytes((row, cell)) for row in range(0xA1, 0xFF) for cell in range(0xA1, 0xFF))
    blocks = (
        range(0x20, 0x7F),
        range(0xA0, 0x100),
        range(0x3001, 0x3020),
        range(0xFF01, 0xFF5F),
        range(0xFFE0, 0xFFE6),
    )
    return (
        drawn
        | set("".join(pair.decode("gb2312", "ignore") for pair in pairs) + SYMBOLS)
        | {chr(c) for b in blocks for c in b}
    )


def ideographs() -> set[str]:
    """Every ideograph that Noto draws: GB 18030 (2022) up to its level 2, from which names of places are written, and more."""
    return {chr(code) for code in source("Regular").getBestCmap() if any(code in block for block in IDEOGRAPHS)}


def extra_characters(texts: list[Path], basic: set[str]) -> set[str]:
    """The list kept beside this file, after the new characters of `texts` have been written into it."""
    kept = set(EXTRA.read_text("utf-8")) if EXTRA.exists() else set()
    found = kept.union(*(text.read_text("utf-8-sig") for text in texts))
    extra = "".join(sorted(character for character in found - basic if character.isprintable()))
    EXTRA.write_text("".join(extra[at : at + 40] + "\n" for at in range(0, len(extra), 40)), "utf-8", newline="\n")
    return set(extra)


def rename(font: TTFont, style: str, family: str) -> None:
    """Give the modified font a name of its own, as the licence may ask; keep the copyright, authors and licence lines."""
    postscript, table, cff = f"{family.replace(' ', '')}-{style}", font["name"], font["CFF "].cff
    version = table.getDebugName(5)
    table.names = [n for n in table.names if n.nameID in (0, 8, 9, 11, 12, 13, 14) and n.langID == 0x409]
    for number, text in {
        1: family,
        2: style,
        3: f"{postscript};from {SOURCE}",
        4: f"{family} {style}",
        5: version,
        6: postscript,
        10: f"A subset of {SOURCE}, made by docs/fonts/make_font.py of huying",
    }.items():
        table.setName(text, number, 3, 1, 0x409)
    cff.fontNames, cff[0].FullName, cff[0].FamilyName = [postscript], f"{family} {style}", family


def make(style: str, characters: set[str], name: str = "") -> Path:
    """Write the subset of one weight under its family's `name` and return where it is."""
    font, family = source(style), f"{FAMILY}{name}"
    file = TARGET / f"{family.replace(' ', '')}-{style}.otf"
    for table in (table for table in font["cmap"].tables if table.isUnicode() and table.format != 14):
        table.cmap.update({ord(character): table.cmap[ord(like)] for character, like in STAND_INS.items()})
    lacking = characters - {chr(code) for code in font.getBestCmap()}
    if lacking:
        sys.exit(f"{SOURCE} {style} does not draw: {' '.join(f'{c} U+{ord(c):04X}' for c in sorted(lacking))}")
    options = Options(
        hinting=False, layout_features=["kern"], notdef_outline=True, name_IDs=["*"], name_languages=["*"]
    )
    options.drop_tables += DROPPED
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)
    rename(font, style, family)
    font.recalcTimestamp, font["head"].modified = False, font["head"].created
    font.save(file)
    return file


if __name__ == "__main__":
    wanted = basic_characters()
    wanted |= extra_characters([Path(name) for name in sys.argv[1:]], wanted)
    rare = ideographs() - wanted
    for made in (make("Regular", wanted), make("Bold", wanted), make("Regular", rare, " Rare")):
        print(f"{made.name}: {made.stat().st_size} bytes")
    print(f"{len(wanted)} characters, {len(rare)} rare ones")
