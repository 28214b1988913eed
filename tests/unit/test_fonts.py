"""The bundled font draws every character that a chart may need, and where there is no font, both languages say so."""

from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import pytest
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from huying import fonts
from huying.errors import HuyingError

TITLE = "乡镇改革满意度：改革前后之差（±95% 置信区间）−½ m² ‰ “三下乡”… ✓ ✗ ┋ 〖注〗"


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    fonts.chinese_font.cache_clear()
    fonts._drawn.cache_clear()
    yield
    fonts.chinese_font.cache_clear()
    fonts._drawn.cache_clear()


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


def without_bundled_font(monkeypatch: pytest.MonkeyPatch, *installed: str) -> None:
    monkeypatch.setattr(fonts, "_bundled", list)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [SimpleNamespace(name=name) for name in installed])


def test_the_bundled_font_is_chosen_before_any_installed_one() -> None:
    assert fonts.chinese_font() == fonts.BUNDLED_FAMILY
    for weight, file in zip(("normal", "bold"), fonts.BUNDLED_FILES, strict=True):
        wanted = font_manager.FontProperties(family=fonts.BUNDLED_FAMILY, weight=weight)
        assert Path(font_manager.findfont(wanted, fallback_to_default=False)).name == file


def test_every_gb2312_character_is_drawn() -> None:
    assert len(gb2312()) == 7445
    assert fonts.missing_characters(gb2312()) == set()


def test_bold_draws_the_same_characters() -> None:
    regular, bold = (set(font_manager.get_font(str(path)).get_charmap()) for path in fonts._bundled())
    assert regular == bold


def test_every_character_of_the_words_codebook_and_demo_is_drawn() -> None:
    data = Path(str(files("huying").joinpath("data")))
    texts = [path for path in sorted(data.rglob("*")) if path.suffix in {".toml", ".csv"}]
    lacking = {path.name: fonts.missing_characters(path.read_text("utf-8-sig")) for path in texts}
    assert {name: found for name, found in lacking.items() if found} == {}


def test_symbols_of_charts_and_rare_place_names_are_drawn() -> None:
    assert fonts.missing_characters("–—…≥≤±×‰→┋〖〗●○▲■−′½²✓✗，。（）１２\n㙍硍圐圙") == set()


def test_characters_the_font_lacks_are_named() -> None:
    assert fonts.missing_characters("呼应𠮷龘\t") == {"𠮷", "龘", "\t"}


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_a_chinese_title_is_drawn_without_a_warning(weight: str) -> None:
    assert draw(TITLE, weight) != draw("", weight)


def test_a_character_that_is_missing_would_have_warned() -> None:
    with pytest.warns(UserWarning, match="missing from font"):
        draw("𠮷")


def test_a_pdf_page_embeds_the_font() -> None:
    with matplotlib.rc_context({"font.family": [fonts.chinese_font()], "pdf.fonttype": 42}):
        figure = Figure()
        figure.suptitle(TITLE)
        picture = BytesIO()
        figure.savefig(picture, format="pdf")
    assert b"HuyingSansSC" in picture.getvalue()


def test_an_installed_font_is_found_by_name_when_the_bundled_one_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    without_bundled_font(monkeypatch, "DejaVu Sans", "SimHei", "Microsoft YaHei")
    assert fonts.chinese_font() == "Microsoft YaHei"


def test_bundled_files_that_are_gone_are_not_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "BUNDLED_FILES", ("gone.otf", fonts.BUNDLED_FILES[1]))
    assert fonts._bundled() == []


@pytest.mark.parametrize(("lang", "words"), [("zh", "请重新安装"), ("en", "install one of")])
def test_no_font_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch, lang: str, words: str) -> None:
    without_bundled_font(monkeypatch, "DejaVu Sans")
    with pytest.raises(HuyingError) as caught:
        fonts.chinese_font()
    said = caught.value.say(lang)
    assert words in said
    assert "Noto Sans CJK SC" in said and "fonts-noto-cjk" in said and fonts.BUNDLED_FAMILY in said


def test_the_licence_stands_beside_the_font_and_the_name_is_not_reserved() -> None:
    licence = files("huying").joinpath("data/fonts/OFL.txt").read_text("utf-8")
    assert licence.startswith("Copyright 2014-2021 Adobe") and "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert not {"Noto", "Source"} & set(fonts.chinese_font().split())
