"""Ten slides: title, question, method, findings with their charts, what cannot be said, suggestions; the notes hold the sources."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Cm, Emu, Pt

from huying.deliver.content import Content
from huying.store import beside

WIDE, HIGH, EDGE, WITHIN = Cm(33.87), Cm(19.05), Cm(1.6), Cm(30.67)
FONTS = {"zh": "微软雅黑", "en": "Arial"}
DARK, GREY = RGBColor(0x11, 0x2A, 0x46), RGBColor(0x55, 0x55, 0x55)  # type: ignore[no-untyped-call]
LINES = 11  # of a list on one slide


def write_slides(content: Content, file: Path) -> None:
    """Write the slides of a county as a .pptx file."""
    deck = Deck(content)
    deck.add(content.say("title", county=content.name), [content.say("subtitle")], size=36)
    deck.add(content.say("question"), list(content.heads["text"][content.heads["section"].str.startswith("P")]))
    deck.add(content.say("method"), content.method)
    for row in content.findings.to_dict("records"):
        deck.add_finding(row)
    deck.add(content.say("cannot_say"), content.cannot_say)
    advice = content.heads[content.heads["section"].str.startswith("S")]
    deck.add(content.say("suggestions"), [content.say("advice", **row) for row in advice.to_dict("records")])
    with beside(file) as temporary:
        deck.made.save(str(temporary))


class Deck:
    """The slides as they are made, each with the marks of the county at its foot."""

    def __init__(self, content: Content) -> None:
        self.content, self.made = content, Presentation()
        self.made.slide_width, self.made.slide_height = WIDE, HIGH

    def add(self, title: str, lines: Sequence[str], size: int = 28) -> Any:
        """A slide with a title and a list; what is too much for it stands in the notes."""
        slide = self.made.slides.add_slide(self.made.slide_layouts[5])
        head = slide.shapes.title
        head.left, head.top, head.width, head.height = EDGE, Cm(0.9), WITHIN, Cm(2.6)
        self.write(head.text_frame, [title], size, DARK, is_bold=True)
        rest = [*lines[LINES - 1 :]] if len(lines) > LINES else []
        shown = [*lines[: LINES - 1], self.content.say("more", n=len(rest))] if rest else lines
        if shown:
            box = slide.shapes.add_textbox(EDGE, Cm(4), WITHIN, Cm(13))
            self.write(box.text_frame, shown, 18)
        foot = slide.shapes.add_textbox(EDGE, Cm(17.5), WITHIN, Cm(1))
        self.write(foot.text_frame, [" · ".join([*self.content.marks, self.content.name])], 12, GREY)
        slide.notes_slide.notes_text_frame.text = "\n".join(rest)
        return slide

    def add_finding(self, row: dict[str, str]) -> None:
        """A finding: its title, the sentence, its chart, and in the notes where it comes from."""
        slide, drawn = self.add(row["title"], ()), self.content.picture(row["claim"])
        box = slide.shapes.add_textbox(EDGE, Cm(4), Cm(10) if drawn else WITHIN, Cm(13))
        self.write(box.text_frame, [row["sentence"]], 18)
        if drawn:
            wide, high = Image.open(BytesIO(drawn)).size
            scale = min(Cm(20) / wide, Cm(13.2) / high)
            size = Emu(int(wide * scale)), Emu(int(high * scale))
            shape: Any = slide.shapes.add_picture(BytesIO(drawn), Emu(EDGE + WITHIN - size[0]), Cm(4), *size)
            shape._element.nvPicPr.cNvPr.set("descr", row["sentence"])
        slide.notes_slide.notes_text_frame.text = self.content.say("source", **row)

    def write(self, frame: Any, lines: Sequence[str], size: int, ink: RGBColor = DARK, is_bold: bool = False) -> None:
        """Paragraphs in one size and ink, in fonts of both scripts."""
        frame.word_wrap = True
        for n, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if n == 0 else frame.add_paragraph()
            run = paragraph.add_run()
            run.text, run.font.size, run.font.bold, run.font.color.rgb = line, Pt(size), is_bold, ink
            run.font.name = "Arial"
            paragraph.space_after, paragraph.alignment, latin = Pt(size / 2), PP_ALIGN.LEFT, run._r.get_or_add_rPr()
            latin.set("lang", {"zh": "zh-CN", "en": "en-GB"}[self.content.lang])
            latin.append(latin.makeelement(qn("a:ea"), {"typeface": FONTS[self.content.lang]}))
