"""The bundled font draws every character that a chart may need."""

from importlib.resources import files
from io import BytesIO
from pathlib import Path

import matplotlib
import pytest
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from huying import fonts

TITLE = "乡镇改革满意度：改革前后之差（±95% 置信区间）−½ m² ‰ “三下乡”… ✓ ✗ ┋ 〖注〗"


def gb2312() -> str:
    pairs = (bytes((row, cell)) for row in range(0xA1, 0xFF) for cell in range(0xA1, 0xFF))
    return "".join(pair.decode("gb2312", "ignore") for pair in pairs)


def draw(text: str, weight: str = "normal") -> bytes:
    with matplotlib.rc_context({"font.family": [fonts.chinese_font()]}):
        figure = Figure(figsize=(9, 1))
        FigureCanvasAgg(figure)
        figure.suptitle(text, weight=weight)
        picture = BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def test_the_bundled_font_is_the_one_that_is_found() -> None:
    assert fonts.chinese_font() == fonts.FAMILY
    for weight, file in (("normal", fonts.REGULAR), ("bold", fonts.BOLD)):
        wanted = font_manager.FontProperties(family=fonts.FAMILY, weight=weight)
        assert Path(font_manager.findfont(wanted, fallback_to_default=False)) == file


def test_every_gb2312_character_is_drawn() -> None:
    assert len(gb2312()) == 7445
    assert fonts.missing_characters(gb2312()) == set()


def test_bold_draws_the_same_characters() -> None:
    regular, bold = (set(font_manager.get_font(str(path)).get_charmap()) for path in (fonts.REGULAR, fonts.BOLD))
    assert regular == bold


def test_every_character_of_the_words_codebook_and_demo_is_drawn() -> None:
    data = Path(str(files("huying").joinpath("data")))
    texts = [path for path in sorted(data.rglob("*")) if path.suffix in {".toml", ".csv"}]
    lacking = {path.name: fonts.missing_characters(path.read_text("utf-8-sig")) for path in texts}
    assert {name: found for name, found in lacking.items() if found} == {}


def test_symbols_of_charts_and_rare_place_names_are_drawn() -> None:
    assert fonts.missing_characters("–—…≥≤±×‰→┋〖〗●○▲■−′½²✓✗，。（）１２\n㙍硍圐圙") == set()


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_a_rare_name_is_drawn_from_the_second_font_and_no_font_is_large(
    weight: str, caplog: pytest.LogCaptureFixture
) -> None:
    rare = "屲杧峂㙟"
    assert not set(map(ord, rare)) & set(font_manager.get_font(str(fonts.REGULAR)).get_charmap())
    with matplotlib.rc_context({"font.family": [fonts.chinese_font(), fonts.FAMILY_RARE]}):
        figure = Figure(figsize=(2, 1))
        FigureCanvasAgg(figure)
        figure.suptitle(rare, weight=weight)
        figure.savefig(BytesIO(), format="png")  # a missing glyph would warn, and a warning fails
    assert not caplog.records
    assert max(file.stat().st_size for file in fonts.FOLDER.iterdir()) < 4 * 2**20


def test_characters_the_font_lacks_are_named() -> None:
    assert fonts.missing_characters("呼应𪜁😀\t") == {"𪜁", "😀", "\t"}


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_a_chinese_title_is_drawn_without_a_warning(weight: str) -> None:
    assert draw(TITLE, weight) != draw("", weight)


def test_a_character_that_is_missing_would_have_warned() -> None:
    with pytest.warns(UserWarning, match="missing from font"):
        draw("😀")


def test_a_pdf_page_embeds_the_font() -> None:
    with matplotlib.rc_context({"font.family": [fonts.chinese_font()], "pdf.fonttype": 42}):
        figure = Figure()
        figure.suptitle(TITLE)
        picture = BytesIO()
        figure.savefig(picture, format="pdf")
    assert b"HuyingSansSC" in picture.getvalue()


def test_the_licence_stands_beside_the_font_and_the_name_is_not_reserved() -> None:
    licence = files("huying").joinpath("data/fonts/OFL.txt").read_text("utf-8")
    assert licence.startswith("Copyright 2014-2021 Adobe") and "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert not {"Noto", "Source"} & set(fonts.chinese_font().split())
