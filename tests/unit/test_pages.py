"""A finished notebook as a page: one language, no code, nothing from outside, whatever stands in it harmless."""

import json

import pytest

from huying.notebooks import one_language, page


def notebook(tmp_path, *cells):
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return file


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(*outputs):
    return {
        "cell_type": "code",
        "metadata": {},
        "source": "secret_code()",
        "outputs": list(outputs),
        "execution_count": 1,
    }


def data(**kinds):
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {kind.replace("_", "/"): value for kind, value in kinds.items()},
    }


@pytest.mark.parametrize(
    ("lang", "kept"),
    [("zh", "# 数据质量\n\n## 结果\n\n中文一段。"), ("en", "# Data quality\n\n## Findings\n\nA paragraph.")],
)
def test_a_text_cell_keeps_one_language(lang, kept):
    both = "# 数据质量\n# Data quality\n\n## 结果 Findings\n\n中文一段。\n\nA paragraph."
    assert one_language(both, lang) == kept


def test_what_is_in_one_language_only_is_kept_in_both():
    assert one_language("只有中文。", "en") == "只有中文。"


def test_a_page_has_headings_outputs_and_no_code(tmp_path):
    cells = [
        text("# 标题\n# Title"),
        text("## 空 Empty"),
        code(),
        text("## 数 Numbers"),
        code(data(text_html="<table><tr><td>38.2%</td></tr></table>", text_plain="38.2%"), data(text_plain="<Axes: >")),
        code({"output_type": "error", "ename": "ValueError", "evalue": "<script>alert(1)</script>", "traceback": []}),
        code({"output_type": "stream", "name": "stdout", "text": ["<b>bold</b>"]}),
    ]
    made = page(notebook(tmp_path, *cells), "en")
    assert "<title>Title</title>" in made and '<h2 id="c1">Numbers</h2>' in made and 'href="#c1">Numbers' in made
    assert "38.2%" in made and "Empty" not in made and "secret_code" not in made and "Axes" not in made
    assert "<script" not in made and "<b>" not in made and "&lt;b&gt;" in made
    assert "http" not in made.replace("http-equiv", "") and "url(data:font/woff;base64," in made


def test_a_picture_carries_its_description(tmp_path):
    picture = {
        "output_type": "display_data",
        "metadata": {"image/png": {"alt": '知晓率 "甲"'}},
        "data": {"image/png": "AAAA"},
    }
    assert 'alt="知晓率 &quot;甲&quot;" src="data:image/png;base64,AAAA"' in page(
        notebook(tmp_path, code(picture)), "zh"
    )


def test_a_finding_that_shows_nothing_is_left_out(tmp_path):
    nothing = data(text_html="<table></table>", text_plain="没有行")
    made = page(
        notebook(
            tmp_path,
            text("# 标题"),
            text("### 空的\n\n先说一句。"),
            code(nothing),
            text("### 有的\n\n也说一句。"),
            code(data(text_plain="38.2%")),
        ),
        "zh",
    )
    assert "空的" not in made and "先说一句" not in made and "没有行" not in made
    assert "有的" in made and "也说一句" in made and "38.2%" in made
