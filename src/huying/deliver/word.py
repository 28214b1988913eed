"""A Word document of a county: pages, styles, numbering, contents, captions, tables and pictures in the conventions of its language.

Chinese: the body layout of GB/T 9704-2012 (22 lines of 28 characters, outline 一、（一）1.（1）), without red head and seal.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN, WD_BREAK, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.opc.constants import RELATIONSHIP_TYPE as TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from PIL import Image

from huying.deliver.xlsform import plain
from huying.store import beside
from huying.words import say

# Margins in mm (top, right, bottom, left), characters and lines a page.
PAGES = {"zh": (37, 26, 35, 28, 28, 22), "en": (25, 25, 25, 25, 43, 42), "sheet": (18, 15, 12, 15, 60, 60)}
# What stands in for a font that is not there; the standard's 方正小标宋 is commercial, 宋体 in bold takes its place.
FONTS = {
    "仿宋_GB2312": "仿宋",
    "仿宋": "FangSong",
    "楷体_GB2312": "楷体",
    "黑体": "SimHei",
    "SimSun": "宋体",
    "Noto Serif CJK SC": "仿宋",
}
FONTS |= {"Times New Roman": "Liberation Serif", "Arial": "Liberation Sans"}
# Fonts of the theme: Word takes the first, LibreOffice the second, which it would otherwise replace by one without serifs.
THEME = {"minor": "仿宋_GB2312", "major": "楷体_GB2312"}
SERIF = "Noto Serif CJK SC"
# By style: Chinese font, Latin font, size, whether bold, exact line (0: a multiple of 1.15), first line in characters, alignment.
STYLES: dict[str, dict[str, tuple[str, str, float, bool, float, int, ALIGN]]] = {
    "zh": {
        "Normal": ("仿宋_GB2312", "Times New Roman", 16, False, 28.95, 0, ALIGN.JUSTIFY),
        "Body Text": ("仿宋_GB2312", "Times New Roman", 16, False, 28.95, 2, ALIGN.JUSTIFY),
        "Own Text": ("仿宋_GB2312", "Times New Roman", 16, False, 28.95, 2, ALIGN.JUSTIFY),
        "Title": ("SimSun", "Times New Roman", 22, True, 34, 0, ALIGN.CENTER),
        "Subtitle": ("楷体_GB2312", "Times New Roman", 16, False, 28.95, 0, ALIGN.CENTER),
        "Heading 1": ("黑体", "Times New Roman", 16, False, 28.95, 2, ALIGN.LEFT),
        "Heading 2": ("楷体_GB2312", "Times New Roman", 16, False, 28.95, 2, ALIGN.LEFT),
        "Heading 3": ("仿宋_GB2312", "Times New Roman", 16, True, 28.95, 2, ALIGN.LEFT),
        "Heading 4": ("仿宋_GB2312", "Times New Roman", 16, False, 28.95, 2, ALIGN.LEFT),
        "Caption": ("黑体", "Times New Roman", 12, False, 28.95, 0, ALIGN.CENTER),
        "toc 1": ("黑体", "Times New Roman", 12, False, 21, 0, ALIGN.LEFT),
        "toc 2": ("仿宋_GB2312", "Times New Roman", 12, False, 21, 2, ALIGN.LEFT),
        "Table Text": ("SimSun", "Times New Roman", 9, False, 12.5, 0, ALIGN.LEFT),
    },
    "en": {
        "Normal": ("SimSun", "Times New Roman", 11, False, 0, 0, ALIGN.LEFT),
        "Body Text": ("SimSun", "Times New Roman", 11, False, 0, 0, ALIGN.LEFT),
        "Own Text": ("SimSun", "Times New Roman", 11, False, 0, 0, ALIGN.LEFT),
        "Title": ("黑体", "Arial", 20, True, 0, 0, ALIGN.LEFT),
        "Subtitle": ("SimSun", "Arial", 12, False, 0, 0, ALIGN.LEFT),
        "Heading 1": ("黑体", "Arial", 15, True, 0, 0, ALIGN.LEFT),
        "Heading 2": ("黑体", "Arial", 12, True, 0, 0, ALIGN.LEFT),
        "Heading 3": ("黑体", "Arial", 11, True, 0, 0, ALIGN.LEFT),
        "Heading 4": ("黑体", "Arial", 11, False, 0, 0, ALIGN.LEFT),
        "Caption": ("黑体", "Arial", 9, True, 0, 0, ALIGN.LEFT),
        "toc 1": ("SimSun", "Times New Roman", 11, True, 0, 0, ALIGN.LEFT),
        "toc 2": ("SimSun", "Times New Roman", 11, False, 0, 2, ALIGN.LEFT),
        "Table Text": ("SimSun", "Times New Roman", 8.5, False, 11, 0, ALIGN.LEFT),
    },
}
KEPT = ("Heading 1", "Heading 2", "Heading 3", "Heading 4")
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
DIGITS = "〇一二三四五六七八九"


class Paper:
    """A document as it is written; headings are numbered and listed, and each is given the page that it is reckoned to stand on."""

    def __init__(self, lang: str, title: str, marks: Sequence[str], page: str = "") -> None:
        self.lang, self.made = lang, docx.Document()
        self.entries, self.levels, self.shown = list[tuple[int, str, str, int]](), [0] * 5, {"table": 0, "figure": 0}
        self.used, self.listed = 0.0, cast(Any, None)  # lines so far
        top, right, bottom, left, self.wide, self.high = PAGES[page or lang]
        section = self.made.sections[0]
        section.page_width, section.page_height, section.footer_distance = Mm(210), Mm(297), Mm(bottom - 12)
        section.top_margin, section.right_margin, section.bottom_margin, section.left_margin = map(
            Mm, (top, right, bottom, left)
        )
        section.header_distance, self.room = Mm(top * 0.5), 210 - left - right
        for grid in section._sectPr.findall(qn("w:docGrid")):
            section._sectPr.remove(grid)
        self.made.core_properties.title, self.made.core_properties.author = plain(title), ""
        self._set_fonts()
        for name, how in STYLES[lang].items():
            self._set_style(name, *how)
        self._set_edges(section, [plain(mark) for mark in marks], is_numbered=not page)

    def _set_fonts(self) -> None:
        """Name what may take the place of each font where it is missing, and the language of each script."""
        parts = {rel.reltype: rel.target_part for rel in self.made.part.rels.values() if not rel.is_external}
        fonts = "".join(
            f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="{"00" if " " in name or name == "Arial" else "86"}"/>'
            f'<w:family w:val="{"swiss" if name in ("黑体", "Arial") else "roman"}"/></w:font>'
            for name, other in FONTS.items()
        )
        parts[TYPE.FONT_TABLE]._blob = f"{XML}<w:fonts {nsdecls('w')}>{fonts}</w:fonts>".encode()
        theme = parts[TYPE.THEME]._blob.decode()
        for kind, name in THEME.items():
            made = f'<a:latin typeface="Times New Roman"/><a:ea typeface="{name}"/><a:cs typeface=""/><a:font script="Hans" typeface="{SERIF}"/>'
            theme = re.sub(rf"(<a:{kind}Font>).*?(</a:{kind}Font>)", rf"\1{made}\2", theme, flags=re.S)
        parts[TYPE.THEME]._blob = theme.encode()
        settings, defaults = (
            self.made.settings.element,
            self.made.styles.element.find(f".//{qn('w:rPrDefault')}/{qn('w:rPr')}"),
        )
        spoken = {"w:val": "en-GB", "w:eastAsia": "zh-CN"}
        for room, tag in ((settings, "w:themeFontLang"), (defaults, "w:lang")):
            element = room.find(qn(tag))
            for key, lang in spoken.items():
                element.set(qn(key), lang)

    def _set_style(
        self, name: str, east: str, latin: str, size: float, is_bold: bool, line: float, first: int, align: ALIGN
    ) -> None:
        known, styles = {style.name for style in self.made.styles}, self.made.styles
        style = styles[name] if name in known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, form = None if name == "Normal" else styles["Normal"], style.paragraph_format
        style.font.size, style.font.bold, style.font.italic, style.font.color.rgb = (
            Pt(size),
            is_bold,
            False,
            RGBColor(0, 0, 0),
        )
        run = style.element.get_or_add_rPr()
        for old in (run.find(qn("w:rFonts")), run.find(qn("w:spacing"))):
            run.remove(old) if old is not None else None
        fonts = run.get_or_add_rFonts()
        for script, font in (("ascii", latin), ("hAnsi", latin), ("eastAsia", east), ("cs", latin)):
            fonts.set(qn(f"w:{script}"), font)
        for kind, font in THEME.items():
            if font == east:
                fonts.set(qn("w:eastAsiaTheme"), f"{kind}EastAsia")
        is_grid = size == 16 and self.lang == "zh"
        run.append(parse_xml(f'<w:spacing {nsdecls("w")} w:val="{-5 if is_grid else 0}"/>'))  # −0.25 pt: 28 to a line
        for old in style.element.get_or_add_pPr().findall(qn("w:pBdr")):
            style.element.pPr.remove(old)
        if line:
            form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line)
        else:
            form.line_spacing = 1.15
        airy = 0 if self.lang == "zh" or name == "Table Text" else 6
        form.space_before, form.space_after = Pt(airy * 2 if name in KEPT else 0), Pt(airy)
        form.alignment, form.widow_control, form.keep_with_next = align, self.lang == "en", name in KEPT
        if first:
            indent = style.element.get_or_add_pPr().get_or_add_ind()
            indent.set(qn("w:firstLineChars"), str(first * 100))
            indent.set(qn("w:firstLine"), str(int(first * 20 * (size - 0.25))))
        if name.startswith("toc"):
            form.tab_stops.add_tab_stop(Mm(self.room), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)

    def _set_edges(self, section: Any, marks: list[str], is_numbered: bool) -> None:
        """The marks at the head of every page, and its number at the foot: — 1 —, outside, in Chinese."""
        self.made.settings.odd_and_even_pages_header_footer = is_numbered
        for head, foot, outside in (
            (section.header, section.footer, ALIGN.RIGHT),
            (section.even_page_header, section.even_page_footer, ALIGN.LEFT),
        ):
            head.paragraphs[0].style = foot.paragraphs[0].style = self.made.styles["Table Text"]
            head.paragraphs[0].add_run(" · ".join(marks))
            head.paragraphs[0].alignment = ALIGN.RIGHT
            if is_numbered:
                line, dash = foot.paragraphs[0], "— " if self.lang == "zh" else ""
                line.alignment = outside if self.lang == "zh" else ALIGN.CENTER
                line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
                for run in (line.add_run(dash), self.field(line, "PAGE", "1"), line.add_run(dash[::-1])):
                    run.font.size = Pt(14 if self.lang == "zh" else 10)

    # --- what is written ----------------------------------------------------------------------------------------------

    plain = staticmethod(plain)

    def take(self, text: str, size: float = 16, line: float = 28.95, room: float = 1.0) -> float:
        """Reckon the lines of the page that a text takes."""
        if self.lang == "en":
            size, line = size * 11 / 16, line * 14.5 / 28.95
        per_line = self.wide * room * (16 / size if self.lang == "zh" else 2 * 11 / size)
        width = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1.1 for one in text)
        lines = max(1, math.ceil(width / (2 * per_line if self.lang == "zh" else per_line)))
        return lines * line / (28.95 if self.lang == "zh" else 14.5)

    def text(self, text: str, style: str = "Body Text") -> Any:
        """A paragraph."""
        self.used += self.take("　　" + text) + 0.4 * (self.lang == "en")
        return self.made.add_paragraph(plain(text), style)

    def runs(self, runs: Iterable[tuple[str, bool, bool]], style: str = "Own Text") -> None:
        """A paragraph of texts, each bold or italic or neither."""
        line = self.text("", style)
        for text, is_bold, is_italic in runs:
            run = line.add_run(plain(text))
            run.bold, run.italic = is_bold or None, is_italic or None
        self.used += self.take("　　" + line.text) - 1

    def title(self, text: str, under: Sequence[str]) -> None:
        """The title with the lines under it, and the place of the contents."""
        self.text(text, "Title")
        for line in under:
            self.text(line, "Subtitle")
        self.listed = self.text(say("deliver.contents", self.lang), "Subtitle")

    def heading(self, text: str, level: int, is_numbered: bool = True) -> None:
        """A numbered heading: 一、（一）1.（1）, or 1, 1.1, 1.1.1; it is listed in the contents to the second level."""
        self.levels = [n + (at == level) if at <= level else 0 for at, n in enumerate(self.levels)]
        n = self.levels[level]
        chinese = [f"{han(n)}、", f"（{han(n)}）", f"{n}.", f"（{n}）"][level - 1]
        number = chinese if self.lang == "zh" else ".".join(map(str, self.levels[1 : level + 1])) + " "
        told, mark = plain((number if is_numbered else "") + text), f"_h{len(self.entries)}"
        if self.used % self.high > self.high - 2:  # it does not stand alone at the foot of a page
            self.used += self.high - self.used % self.high
        self.entries += [(level, told, mark, 1 + int(self.used // self.high))] if level < 3 else []
        line = self.text(told, f"Heading {level}")
        start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        for element in (start, end):
            element.set(qn("w:id"), str(len(self.entries)))
        start.set(qn("w:name"), mark)
        line._p.insert(1, start)
        line._p.append(end)

    def new_page(self) -> None:
        """Begin a page."""
        self.made.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)
        self.used = math.ceil(self.used / self.high) * self.high

    def caption(self, kind: str, text: str) -> Any:
        """A numbered caption: above a table, below a figure."""
        self.shown[kind] += 1
        line = self.text("", "Caption")
        line.add_run(say(f"deliver.{kind}", self.lang) + " ")
        self.field(line, f"SEQ {kind} \\* ARABIC", str(self.shown[kind]))
        line.add_run(("　" if self.lang == "zh" else ". ") + plain(text))
        line.paragraph_format.keep_with_next = kind == "table"
        return line

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        """A table whose head comes again on every page and whose rows are not split; widths are shares of the page's."""
        table = self.made.add_table(0, len(head), "Table Grid")
        table.autofit = False
        shares = [width / sum(widths) for width in widths]
        for column, share in zip(table.columns, shares, strict=True):
            column.width = Mm(self.room * share)
        for cells in (head, *rows):
            row = table.add_row()
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
            for cell, text, share in zip(row.cells, cells, shares, strict=True):
                cell.width, line = Mm(self.room * share), cell.paragraphs[0]
                line.style, run = self.made.styles["Table Text"], line.add_run(plain(text))
                run.bold = cells is head or None
            self.used += max(
                self.take(text, 9.2, 12.5, share * 0.86) for text, share in zip(cells, shares, strict=True)
            )
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))

    def columns(self, widths: Sequence[float]) -> list[Any]:
        """Columns beside each other, without lines: the first paragraph of each."""
        table = self.made.add_table(1, len(widths))
        table.autofit = False
        for column, cell, width in zip(table.columns, table.rows[0].cells, widths, strict=True):
            column.width = cell.width = Mm(self.room * width / sum(widths))
            cell.paragraphs[0].style = self.made.styles["Table Text"]
        return [cell.paragraphs[0] for cell in table.rows[0].cells]

    def picture(self, png: bytes, alt: str, width: float = 0.0) -> Any:
        """A picture as wide as the page (or so many mm), with what it shows for who cannot see it."""
        width = min(width or self.room, self.room)
        wide, high = Image.open(BytesIO(png)).size
        tall = width * high / wide
        lines = tall / 25.4 * 72 / (28.95 if self.lang == "zh" else 14.5)
        if self.used % self.high + lines + 1 > self.high:
            self.used = math.ceil(self.used / self.high) * self.high
        self.used += lines
        line = self.made.add_paragraph(style="Table Text")
        line.paragraph_format.line_spacing_rule, line.paragraph_format.keep_with_next = WD_LINE_SPACING.SINGLE, True
        return self.place(line, png, alt, width)

    def place(self, line: Any, png: bytes, alt: str, width: float) -> Any:
        """Put a picture into a paragraph."""
        shape = line.add_run().add_picture(BytesIO(png), Mm(width))
        shape._inline.docPr.set("descr", plain(alt))
        return line

    # --- fields and contents ------------------------------------------------------------------------------------------

    def field(self, line: Any, code: str, result: str) -> Any:
        """A field with its result as it stands; gives the run of the result."""
        self.bound(line, "begin")
        told = parse_xml(f'<w:instrText {nsdecls("w")} xml:space="preserve"> {code} </w:instrText>')
        line.add_run()._r.append(told)
        self.bound(line, "separate")
        run = line.add_run(result)
        self.bound(line, "end")
        return run

    @staticmethod
    def bound(line: Any, kind: str) -> None:
        """Where a field begins, its result begins, or it ends."""
        line.add_run()._r.append(parse_xml(f'<w:fldChar {nsdecls("w")} w:fldCharType="{kind}"/>'))

    def list_contents(self) -> None:
        """Fill the contents in: a line a heading, with its page."""
        before = self.listed
        n_pages = math.ceil((4.5 + len(self.entries) * (21 / 28.95 if self.lang == "zh" else 1.4)) / self.high)
        for at, (level, text, mark, page) in enumerate(self.entries):
            line = self.made.add_paragraph(style=f"toc {level}")
            before._p.addnext(line._p)
            before = line
            if at == 0:
                self.bound(line, "begin")
                line.add_run()._r.append(
                    parse_xml(
                        f'<w:instrText {nsdecls("w")} xml:space="preserve"> TOC \\o "1-2" \\h \\z \\u </w:instrText>'
                    )
                )
                self.bound(line, "separate")
            link = OxmlElement("w:hyperlink")
            link.set(qn("w:anchor"), mark)
            first = len(line._p)
            line.add_run(text + "\t")
            self.field(line, f"PAGEREF {mark} \\h", str(page + n_pages))
            for run in list(line._p)[first:]:
                link.append(run)
            line._p.append(link)
        if self.entries:
            self.bound(before, "end")
            before.add_run().add_break(WD_BREAK.PAGE)

    def save(self, file: Path) -> None:
        """Write the document, its contents filled in."""
        if self.listed is not None:
            self.list_contents()
        with beside(file) as temporary:
            self.made.save(str(temporary))


def short(text: str, most: int = 60) -> str:
    """A text as it fits: a very long one is cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def han(n: int) -> str:
    """A number from 1 to 99 in Chinese figures."""
    tens, ones = divmod(n, 10)
    return (DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (DIGITS[ones] if ones else "")
