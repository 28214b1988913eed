"""A finished notebook as a page: one language, no code, nothing from outside, whatever stands in it harmless."""

import base64
import json
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont

from huying.fonts import REGULAR
from huying.notebooks import find_notebooks, font_for, notebooks_folder, one_language, page, read_notebook, shown, strip


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


# --- what a notebook declares, and what of a finished one is kept ------------------------------------------------------


def declare(folder, name="a", cells=(), **metadata):
    """A notebook with a cell of parameters, as it lies in a folder."""
    asked = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": ["county: str = 'x'\n", "town = wave = ''\n", "wave = lang = ''\n", "lang = ''"]}  # fmt: skip
    file = folder / f"{name}.ipynb"
    file.write_text(json.dumps({"cells": [text("# a"), asked, *cells], "metadata": metadata}, indent=1), "utf-8")
    return file


def test_a_notebook_says_where_it_runs_and_is_another_when_a_word_of_it_changes(tmp_path):
    plain = read_notebook(declare(tmp_path))
    assert (plain.name, plain.places, plain.evidence, plain.needs) == ("a", "all", "", ())
    told = {"places": "county", "evidence": "reads", "needs": ["calls", "towns"]}
    said = read_notebook(declare(tmp_path, huying=told))
    assert (said.places, said.evidence, said.needs) == ("county", "reads", ("calls", "towns"))
    assert read_notebook(declare(tmp_path, huying=dict(reversed(told.items())))).hash == said.hash != plain.hash
    more = [text("b"), text("b") | {"id": "c9"}, text("c")]
    assert len({plain.hash, *(read_notebook(declare(tmp_path, cells=[cell])).hash for cell in more)}) == 4


def test_those_that_declare_themselves_are_found_or_those_named_or_begun_so(tmp_path):
    for name, declared in (("a_one", {"huying": {}}), ("ab", {"huying": {}}), ("a", {}), ("b_a", {}), ("a_two", {})):
        declare(tmp_path, name, **declared)
    assert [one.name for one in find_notebooks(tmp_path)] == ["a_one", "ab"]
    asked = {("a",): ["a", "a_one", "a_two"], ("ab",): ["ab"], ("b", "a_two", "b"): ["b_a", "a_two"]}
    assert {names: [one.name for one in find_notebooks(tmp_path, names)] for names in asked} == asked


def test_the_nearest_folder_that_holds_notebooks_is_taken(tmp_path, monkeypatch):
    county, here = tmp_path / "p" / "survey_data" / "x", tmp_path / "here" / "deep"
    for folder in (county, here, tmp_path / "notebooks", tmp_path / "p" / "notebooks", tmp_path / "here" / "notebooks"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    declare(tmp_path / "here" / "notebooks")
    assert notebooks_folder(county) == tmp_path / "here" / "notebooks"  # the others are empty
    declare(tmp_path / "notebooks")
    assert notebooks_folder(county) == tmp_path / "notebooks"
    declare(tmp_path / "p" / "notebooks")
    assert notebooks_folder(county) == tmp_path / "p" / "notebooks"


def test_a_finished_notebook_keeps_nothing_that_differs_from_run_to_run(tmp_path):
    noted = {"papermill": {"duration": 1.5, "status": "completed", "exception": False, "start_time": "t"}}
    drawn = code() | {"id": "a1b2", "metadata": {"tags": ["injected-parameters"], **noted}}
    file = notebook(tmp_path, drawn, code() | {"id": "c7", "metadata": noted}, text("甲") | {"id": "c8"})
    strip(file)
    made = json.loads(file.read_text("utf-8"))
    assert [cell["id"] for cell in made["cells"]] == ["injected-parameters", "c7", "c8"]
    kept = {"status": "completed", "exception": False}
    assert [cell["metadata"]["papermill"] for cell in made["cells"]] == [kept, kept, {}] and made["metadata"] == {
        "papermill": {}
    }
    assert file.read_text("utf-8").endswith("}\n") and "甲" in file.read_text("utf-8")


# --- what a reader of a page sees --------------------------------------------------------------------------------------


def test_a_page_begins_with_its_title_then_its_contents_and_without_one_with_its_contents(tmp_path):
    made = page(
        notebook(tmp_path, text("# 题 Title\n\nFirst words."), text("## One"), text("A."), text("### Two"), text("B.")),
        "en",
    )
    assert made.startswith('<!doctype html>\n<html lang="en"') and "<title>Title</title>" in made
    nav = '<nav><a class="h2" href="#c1">One</a><a class="h3" href="#c2">Two</a></nav>'
    assert (
        made.index('<h1 id="c0">Title</h1>') < made.index(nav) < made.index("First words.") < made.index('<h3 id="c2">')
    )
    bare = page(notebook(tmp_path, text("Words alone.")), "en")
    assert "<title>n</title>" in bare and bare.index("<nav></nav>") < bare.index("Words alone.") and "<h1" not in bare


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        (data(text_html="<b>1</b>", text_plain="one"), '<div class="wide" tabindex="0"><b>1</b></div>'),
        (data(text_plain=["two", " lines"]), "<pre>two lines</pre>"),
        (data(text_plain="a < b"), "<pre>a &lt; b</pre>"),
        (data(text_plain="<Axes: >"), ""),
        (data(text_plain=""), ""),
        (data(text_html="<table></table>", text_plain="no rows"), ""),
        ({"output_type": "stream", "name": "stdout", "text": "said"}, "<pre>said</pre>"),
        ({"output_type": "stream", "name": "stdout", "text": ""}, ""),
        ({"output_type": "error", "ename": "E", "evalue": "<x>", "traceback": []}, '<pre class="failed">E: &lt;x&gt;</pre>'),
        (data(image_png="AA\n", text_html="<b>1</b>", text_plain="said of it"),
         '<div class="wide" tabindex="0"><img alt="said of it" src="data:image/png;base64,AA"></div>'),
    ],
)  # fmt: skip
def test_an_output_is_shown_in_its_richest_form(output, seen):
    assert "".join(shown(output)) == seen


@pytest.mark.parametrize(
    ("source", "zh", "en"),
    [
        ("中文一段。\n\nA paragraph.", "中文一段。", "A paragraph."),
        ("# 题 Title\n\nWords of it.", "# 题", "# Title\n\nWords of it."),
        ("## 只有中文", "## 只有中文", "## 只有中文"),
        ("a甲bcd", "a甲bcd", "a甲bcd"),
        ("甲abcd\n\n甲abc", "甲abc", "甲abcd"),  # one Chinese letter in five is English, one in four is Chinese
        ("12345 abc", "12345 abc", "12345 abc"),
    ],
)
def test_each_block_is_in_the_language_of_most_of_its_letters(source, zh, en):
    assert (one_language(source, "zh"), one_language(source, "en")) == (zh, en)


def test_the_font_of_a_page_has_its_characters_alone_and_is_the_same_at_another_time(monkeypatch):
    made = font_for("甲 ab", REGULAR)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert font_for("甲 ab", REGULAR) == made
    with TTFont(BytesIO(base64.b64decode(made))) as font, TTFont(REGULAR, lazy=True) as whole:
        assert font.flavor == "woff" and set(font.getBestCmap()) == {*map(ord, "甲 ab"), min(whole.getBestCmap())}
        assert font["head"].modified == whole["head"].modified
    assert len(made) < 8000 and font_for("", REGULAR)
