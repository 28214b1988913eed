"""A Word document of a county: pages, styles, numbering, contents, captions, tables and pictures in the conventions of its language.

Chinese: the body layout of GB/T 9704-2012 (22 lines of 28 characters, outline 一、（一）1.（1）), without red head and seal.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from PIL import Image

from huying.store import beside, plain
from huying.words import say

POINT = 25.4 / 72  # mm
PAGES = {"zh": (37, 26, 35, 28), "en": (25, 25, 25, 25), "sheet": (18, 15, 12, 15)}  # mm: top, right, bottom, left
# Of the body, in points: 22 lines of 28.95 fill a page, as 28 characters of 15.75 a line.
LINE = {"zh": 28.95, "en": 14.5}
SPACED = -5  # twentieths of a point between characters of the body
# What takes the place of a font that is not there. The standard's 方正小标宋 is commercial: titles are set in SimSun.
FONTS = {"仿宋_GB2312": "仿宋", "仿宋": "FangSong", "楷体_GB2312": "楷体", "黑体": "SimHei", "SimSun": "宋体"}
FONTS |= {"Times New Roman": "Liberation Serif", "Arial": "Liberation Sans", "Noto Serif CJK SC": "仿宋"}
# Fonts of the theme: Word takes these, LibreOffice that of the script, where it would take one without serifs for either.
THEME, SCRIPT = {"minor": "仿宋_GB2312", "major": "楷体_GB2312"}, "Noto Serif CJK SC"
SONG, SERIF, SANS = "SimSun", "Times New Roman", "Arial"
# By style: Chinese font, size, bold, line and first line in characters; Latin font, size and bold of the English edition.
STYLES: dict[str, tuple[str, float, bool, float, int, str, float, bool]] = {
    "Normal": ("仿宋_GB2312", 16, False, 28.95, 0, SERIF, 11, False),
    "Body Text": ("仿宋_GB2312", 16, False, 28.95, 2, SERIF, 11, False),
    "Own Text": ("仿宋_GB2312", 16, False, 28.95, 2, SERIF, 11, False),
    "Title": (SONG, 22, True, 34, 0, SANS, 18, True),
    "Subtitle": ("楷体_GB2312", 16, False, 28.95, 0, SANS, 11, False),
    "Heading 1": ("黑体", 16, False, 28.95, 2, SANS, 15, True),
    "Heading 2": ("楷体_GB2312", 16, False, 28.95, 2, SANS, 12, True),
    "Heading 3": ("仿宋_GB2312", 16, True, 28.95, 2, SANS, 11, True),
    "Heading 4": ("仿宋_GB2312", 16, False, 28.95, 2, SANS, 11, False),
    "Caption": ("黑体", 12, False, 28.95, 0, SANS, 9, True),
    "toc 1": ("黑体", 12, False, 21, 0, SERIF, 11, True),
    "toc 2": ("仿宋_GB2312", 12, False, 21, 2, SERIF, 11, False),
    "Table Text": (SONG, 9, False, 12.5, 0, SERIF, 8.5, False),
}
CENTRED = ("Title", "Subtitle", "Caption")
CONTENTS = 'TOC \\o "1-2" \\h \\z \\u'
DIGITS = "〇一二三四五六七八九"


class Paper:
    """A document as it is written; headings are numbered and listed, each with the page that it is reckoned to stand on.

    `page`: "sheet" has narrow margins and no page number.
    """

    def __init__(self, lang: str, title: str, marks: Sequence[str], page: str = "") -> None:
        self.lang, self.made, self.used = lang, docx.Document(), 0.0  # points of height so far
        self.chain, self.start = list[int](), 0.0  # headings that nothing has followed yet
        self.entries, self.levels, self.shown = list[tuple[int, str, str, int]](), [0] * 5, {"table": 0, "figure": 0}
        top, right, bottom, left = PAGES[page or lang]
        self.section, self.room, self.high = self.made.sections[0], 210 - left - right, (297 - top - bottom) / POINT
        self.high = math.floor(self.high / LINE[lang]) * LINE[lang]
        for name, size in (("page_width", 210), ("page_height", 297), ("top_margin", top), ("right_margin", right)):
            setattr(self.section, name, Mm(size))
        self.section.bottom_margin, self.section.left_margin = Mm(bottom), Mm(left)
        self.section.header_distance, self.section.footer_distance = Mm(top / 2), Mm(max(bottom - 12, 5))
        self.section._sectPr.remove(self.section._sectPr.find(qn("w:docGrid")))
        self.made.core_properties.title, self.made.core_properties.author = plain(title), ""
        self._set_fonts()
        for style in STYLES:
            self._set_style(style)
        self._set_edges([plain(mark) for mark in marks], is_numbered=not page)

    def _set_fonts(self) -> None:
        """Name what takes the place of each font where it is missing, and the languages."""
        parts = {rel.reltype: rel.target_part for rel in self.made.part.rels.values() if not rel.is_external}
        fonts = "".join(f'<w:font w:name="{one}"><w:altName w:val="{other}"/></w:font>' for one, other in FONTS.items())
        parts[RELATIONSHIP_TYPE.FONT_TABLE]._blob = f"<w:fonts {nsdecls('w')}>{fonts}</w:fonts>".encode()
        theme = parts[RELATIONSHIP_TYPE.THEME]._blob.decode()
        for kind, name in THEME.items():
            faces = {"latin": SERIF, "ea": name, "cs": ""}
            told = "".join(f'<a:{script} typeface="{face}"/>' for script, face in faces.items())
            told += f'<a:font script="Hans" typeface="{SCRIPT}"/>'
            theme = re.sub(rf"(<a:{kind}Font>).*?(</a:{kind}Font>)", rf"\1{told}\2", theme, flags=re.S)
        parts[RELATIONSHIP_TYPE.THEME]._blob = theme.encode()
        spoken = [self.made.settings.element.find(qn("w:themeFontLang"))]
        for element in [*spoken, *self.made.styles.element.iter(qn("w:lang"))]:
            element.set(qn("w:val"), "en-GB")
            element.set(qn("w:eastAsia"), "zh-CN")

    def _set_style(self, name: str) -> None:
        """A style, whatever the template says of it."""
        east, size, is_bold, line, first, latin, small, is_strong = STYLES[name]
        styles, is_zh, is_heading = self.made.styles, self.lang == "zh", name.startswith("Heading")
        is_there = name in {style.name for style in styles}
        style = styles[name] if is_there else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = None if name == "Normal" else styles["Normal"]
        for old in style.element.xpath("./w:rPr | ./w:pPr"):
            style.element.remove(old)
        style.font.size, style.font.color.rgb = Pt(size if is_zh else small), RGBColor(0, 0, 0)
        style.font.bold = is_bold if is_zh else is_strong
        run, form = style.element.get_or_add_rPr(), style.paragraph_format
        fonts = run.get_or_add_rFonts()
        face = SERIF if is_zh else latin
        for script, font in (("ascii", face), ("hAnsi", face), ("cs", face), ("eastAsia", east if is_zh else SONG)):
            fonts.set(qn(f"w:{script}"), font)
        for kind in (kind for kind, font in THEME.items() if is_zh and font == east):
            fonts.set(qn("w:eastAsiaTheme"), f"{kind}EastAsia")
        run.find(qn("w:color")).addnext(element("spacing", val=SPACED if is_zh and size == 16 else 0))
        form.line_spacing = Pt(line) if is_zh else Pt(11) if name == "Table Text" else 1.15
        airy = 0 if is_zh or name == "Table Text" else 6
        form.space_before, form.space_after = Pt(2 * airy * is_heading), Pt(airy)
        form.widow_control, form.keep_with_next = not is_zh, is_heading
        form.alignment = WD_ALIGN_PARAGRAPH.CENTER if is_zh and name in CENTRED else WD_ALIGN_PARAGRAPH.LEFT
        if is_zh and name.endswith(("Normal", "Body Text", "Own Text")):
            form.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        if first and (is_zh or name == "toc 2"):
            indent = style.element.get_or_add_pPr().get_or_add_ind()
            indent.set(qn("w:firstLineChars"), str(first * 100))
            indent.set(qn("w:firstLine"), str(int(first * 20 * (size - 0.25))))
        if name.startswith("toc"):
            form.tab_stops.add_tab_stop(Mm(self.room), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)

    def _set_edges(self, marks: Sequence[str], is_numbered: bool) -> None:
        """The marks at the head of every page, and its number at the foot: outside as — 1 — in Chinese, centred in English."""
        self.made.settings.odd_and_even_pages_header_footer = is_numbered
        heads, feet = ("header", "even_page_header"), ("footer", "even_page_footer")
        for head, foot, outside in zip(heads, feet, (WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT), strict=True):
            top, line = (getattr(self.section, edge).paragraphs[0] for edge in (head, foot))
            top.style = line.style = self.made.styles["Table Text"]
            top.alignment, line.alignment = WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.CENTER
            top.add_run(" · ".join(marks))
            if is_numbered:
                line.alignment = outside if self.lang == "zh" else line.alignment
                line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
                left, right = ("— ", " —") if self.lang == "zh" else ("", "")
                for run in (line.add_run(left), self.field(line, "PAGE", "1"), line.add_run(right)):
                    run.font.size = Pt(14 if self.lang == "zh" else 10)

    # --- what is written ----------------------------------------------------------------------------------------------

    def text(self, text: str, style: str = "Body Text") -> Any:
        """A paragraph."""
        _, size, _, line, first, _, small, _ = STYLES[style]
        if self.chain and not style.startswith("Heading"):  # headings stand on the page of what follows them
            at, tall = self.start % self.high, self.used - self.start + LINE[self.lang]
            if at + tall > self.high + 1:
                self.used += self.high - at
                self.entries = [
                    (*e[:3], e[3] + (n in self.chain and e[3] == 1 + int(self.start // self.high)))
                    for n, e in enumerate(self.entries)
                ]
            self.chain = []
        if self.lang == "zh":
            self.used += lines_of(text, self.room, size - 0.25, first) * line
        else:
            self.used += lines_of(text, self.room, small) * small * 1.15 * 1.15 + 6 + 12 * style.startswith("Heading")
        return self.made.add_paragraph(plain(text), style)

    def runs(self, runs: Iterable[tuple[str, bool, bool]], style: str = "Own Text") -> None:
        """A paragraph of texts, each bold or italic or neither."""
        told = list(runs)
        line = self.text("".join(text for text, _, _ in told), style)
        line.clear()
        for text, is_bold, is_italic in told:
            run = line.add_run(plain(text))
            run.bold, run.italic = is_bold or None, is_italic or None

    def title(self, text: str, under: str) -> None:
        """The title with the line under it, and the place of the contents."""
        self.text(text, "Title")
        self.text(under, "Subtitle")
        self.listed = self.text(say("deliver.contents", self.lang), "Subtitle")

    def heading(self, text: str, level: int, is_numbered: bool = True) -> None:
        """A numbered heading: 一、（一）1.（1）, or 1, 1.1, 1.1.1; the contents list it to the second level."""
        self.levels = [n + (at == level) if at <= level else 0 for at, n in enumerate(self.levels)]
        n = self.levels[level]
        number = [f"{han(n)}、", f"（{han(n)}）", f"{n}.", f"（{n}）"][level - 1]
        number = number if self.lang == "zh" else ".".join(map(str, self.levels[1 : level + 1])) + " "
        self.chain, self.start = (self.chain, self.start) if self.chain else ([], self.used)
        self.chain += [len(self.entries)] if level < 3 else []
        told, mark = plain(number * is_numbered + text), f"_h{len(self.entries)}"
        self.entries += [(level, told, mark, 1 + int(self.used // self.high))] if level < 3 else []
        line = self.text(told, f"Heading {level}")
        line.runs[0]._r.addprevious(element("bookmarkStart", id=len(self.entries), name=mark))
        line._p.append(element("bookmarkEnd", id=len(self.entries)))

    def need(self, points: float) -> None:
        """Reckon with a new page where less than so many points are left."""
        if self.used % self.high + points > self.high:
            self.used = math.ceil(self.used / self.high) * self.high

    def new_page(self) -> None:
        """Begin a page."""
        self.made.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)
        self.need(self.high)

    def caption(self, kind: str, text: str) -> None:
        """A numbered caption: above a table, below a figure."""
        self.shown[kind] += 1
        line = self.text("", "Caption")
        line.add_run(say(f"deliver.{kind}", self.lang) + " ")
        self.field(line, f"SEQ {kind} \\* ARABIC", str(self.shown[kind]))
        line.add_run(("　" if self.lang == "zh" else ". ") + plain(text[:1].upper() + text[1:]))
        line.paragraph_format.keep_with_next = kind == "table"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        """A table whose head comes again on every page and whose rows are not split; widths are shares of the page's."""
        table = self.made.add_table(0, len(head), "Table Grid")
        size = float(STYLES["Table Text"][1 if self.lang == "zh" else 6])
        table.autofit = False
        wide = [self.room * width / sum(widths) for width in widths]
        for column, width in zip(table.columns, wide, strict=True):
            column.width = Mm(width)
        for cells in (head, *rows):
            row = table.add_row()
            row._tr.get_or_add_trPr().append(element("cantSplit"))
            for cell, text, width in zip(row.cells, cells, wide, strict=True):
                cell.width, cell.paragraphs[0].style = Mm(width), self.made.styles["Table Text"]
                cell.paragraphs[0].add_run(plain(text)).bold = cells is head or None
            lines = max(lines_of(text, width - 3.9, size) for text, width in zip(cells, wide, strict=True))
            self.need(tall := lines * (12.5 if self.lang == "zh" else 11) + 0.5)
            self.used += tall
        table.rows[0]._tr.get_or_add_trPr().append(element("tblHeader"))

    def columns(self, widths: Sequence[float]) -> list[Any]:
        """Columns beside each other, without lines."""
        table = self.made.add_table(1, len(widths))
        table.autofit, cells = False, list(table.rows[0].cells)
        for column, cell, width in zip(table.columns, cells, widths, strict=True):
            column.width = cell.width = Mm(self.room * width / sum(widths))
            cell.paragraphs[0].style = self.made.styles["Table Text"]
        return cells

    def picture(self, png: bytes, alt: str, width: float, line: Any = None) -> None:
        """A picture so many mm wide, in a paragraph of its own or in `line`, with what it shows for who cannot see it."""
        wide, high = Image.open(BytesIO(png)).size
        if line is None:
            line = self.made.add_paragraph(style="Caption")
            line.paragraph_format.keep_with_next = True
            self.need(width * high / wide / POINT + LINE[self.lang])
            self.used += width * high / wide / POINT + 6
        line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
        line.add_run().add_picture(BytesIO(png), Mm(width))._inline.docPr.set("descr", plain(alt))

    # --- fields and contents ------------------------------------------------------------------------------------------

    def field(self, line: Any, code: str, result: str) -> Any:
        """A field with its result as it stands; gives the run of the result."""
        self.begin(line, code)
        run = line.add_run(result)
        line.add_run()._r.append(element("fldChar", fldCharType="end"))
        return run

    @staticmethod
    def begin(line: Any, code: str) -> None:
        """The begin of a field, up to its result."""
        told = element("instrText")
        told.text = f" {code} "
        for one in (
            element("fldChar", fldCharType="begin", dirty="true"),
            told,
            element("fldChar", fldCharType="separate"),
        ):
            line.add_run()._r.append(one)

    def list_contents(self) -> None:
        """Fill the contents in: a line a heading, with its page."""
        head, tall = self.listed, 21 if self.lang == "zh" else 20.6
        n_pages = math.ceil((130 + len(self.entries) * tall) / self.high)
        for n, (level, text, mark, page) in enumerate(self.entries):
            line = self.made.add_paragraph(style=f"toc {level}")
            head._p.addnext(line._p)
            if n == 0:
                self.begin(line, CONTENTS)
            first, link = len(line._p), element("hyperlink", anchor=mark)
            line.add_run(text + "\t")
            self.field(line, f"PAGEREF {mark} \\h", str(page + n_pages))
            link.extend(list(line._p)[first:])
            line._p.append(link)
            head = line
        head.add_run()._r.append(element("fldChar", fldCharType="end"))
        head.add_run().add_break(WD_BREAK.PAGE)

    def save(self, file: Path) -> None:
        """Write the document, its contents filled in."""
        if self.entries:
            self.list_contents()
        with beside(file) as temporary:
            self.made.save(str(temporary))


def element(tag: str, **attributes: object) -> Any:
    """An element of WordprocessingML."""
    told = "".join(f' w:{name}="{value}"' for name, value in attributes.items())
    return parse_xml(f"<w:{tag} {nsdecls('w')}{told}/>")


def lines_of(text: str, wide: float, size: float, first: int = 0) -> int:
    """The lines that a text takes in a column of so many mm: Han characters are as wide as high, others half, with room around figures."""
    wides = [unicodedata.east_asian_width(one) in "WF" for one in text]
    ems = sum(1 if is_wide else 0.58 if any(wides) else 0.445 for is_wide in wides) + first
    ems -= 0.5 * text.endswith(tuple("。；，：、"))  # such a mark may hang over the margin
    return max(1, math.ceil(ems * size * POINT / wide - 1e-6))


def short(text: str, most: int = 60) -> str:
    """A text as it fits: a very long one is cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def han(n: int) -> str:
    """A number from 1 to 99 in Chinese figures."""
    tens, ones = divmod(n, 10)
    return DIGITS[tens] * (tens > 1) + "十" * (tens > 0) + DIGITS[ones] * (ones > 0)
