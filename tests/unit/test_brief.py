"""The brief of a county made by hand: its order, its annexes, own paragraphs that stay, and what is refused."""

import re
import zipfile
from dataclasses import replace

import docx
import pandas as pd
import pytest
from docx.oxml.ns import qn
from test_page import HOSTILE, make_county, make_evidence, row

import huying as hy
from huying.cli import main
from huying.deliver.brief import PLACES, masks_of, write_brief
from huying.deliver.content import Content
from huying.deliver.notes import read_notes
from huying.deliver.word import han, lines_of
from huying.store import write_parquet
from huying.words import CountyError, InputError

NAMES = ["甲镇", "乙镇", "丙镇"]


@pytest.fixture(autouse=True)
def _results(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))


def brief_of(tmp_path, evidence, names=NAMES, lang="zh", notes=None, **about):
    folder = make_county(tmp_path / "hand", names, **about)
    (folder / "notes").mkdir(exist_ok=True)
    for name, text in (notes or {}).items():
        (folder / "notes" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    write_brief(Content(hy.county(folder, lang=lang), evidence), tmp_path / "brief.docx")
    return docx.Document(tmp_path / "brief.docx")


def texts(paper, style=None):
    return [p.text for p in paper.paragraphs if style is None or p.style.name.startswith(style)]


def test_chapters_stand_in_their_order_and_the_contents_are_filled_in(tmp_path):
    paper = brief_of(tmp_path, make_evidence())
    heads = texts(paper, "Heading 1")
    assert heads == ["一、基本情况", "二、主要做法", "三、存在问题", "四、原因", "五、建议"] + [
        f"附件{n}　{title}"
        for n, title in enumerate(("改写建议", "汇报中被遮盖的内容", "问题清单", "数据与方法", "分镇街结果"), 1)
    ]
    assert texts(paper, "Heading 2")[:2] == ["（一）权力怎么放", "（一）居民对改革知晓度不高"]
    listed = texts(paper, "toc")
    assert [line.split("\t")[0] for line in listed] == texts(paper, "Heading")
    assert all(int(line.split("\t")[1]) >= 2 for line in listed)
    marks = [mark.get(qn("w:name")) for mark in paper.element.iter(qn("w:bookmarkStart"))]
    assert [link.get(qn("w:anchor")) for link in paper.element.iter(qn("w:hyperlink"))] == marks


def test_the_page_is_that_of_the_standard(tmp_path):
    paper = brief_of(tmp_path, make_evidence())
    page, body = paper.sections[0], paper.styles["Normal"]
    size = [page.page_width, page.page_height, page.top_margin, page.left_margin, page.bottom_margin, page.right_margin]
    assert [round(length.mm) for length in size] == [210, 297, 37, 28, 35, 26]
    assert (body.font.size.pt, body.paragraph_format.line_spacing.pt) == (16, 28.95)
    assert body.element.rPr.find(qn("w:spacing")).get(qn("w:val")) == "-5"
    assert body.element.rPr.rFonts.get(qn("w:eastAsia")) == "仿宋_GB2312"
    with zipfile.ZipFile(tmp_path / "brief.docx") as package:
        assert '<w:font w:name="仿宋_GB2312"><w:altName w:val="仿宋"/>' in package.read("word/fontTable.xml").decode()
    for edge in (page.header, page.even_page_header):
        assert "内部资料" in edge.paragraphs[0].text and "SYNTHETIC" in edge.paragraphs[0].text
    assert page.footer.paragraphs[0].text == "— 1 —"


def test_a_problem_has_its_number_its_places_its_chart_and_a_caption_below(tmp_path):
    paper = brief_of(tmp_path, make_evidence())
    body = texts(paper)
    at = body.index("（一）居民对改革知晓度不高")
    assert "34.7%" in body[at + 1] and body[at + 1].endswith("把握程度：样本推断。")
    assert body[at + 2] == "可以认定存在这一问题的有3个：甲镇、乙镇、丙镇。"
    assert body[at + 4].startswith("图 1　") and paper.paragraphs[at + 4].style.name == "Caption"
    told = paper.inline_shapes[0]._inline.docPr.get("descr")
    assert "居民对改革知晓度不高" in told and "300名居民" in told


def test_tables_repeat_their_head_split_no_row_and_have_the_caption_above(tmp_path):
    paper = brief_of(tmp_path, make_evidence())
    for table in paper.tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert all(line._tr.trPr.find(qn("w:cantSplit")) is not None for line in table.rows)
        assert re.match(r"表 \d　", "".join(t.text or "" for t in table._tbl.getprevious().iter(qn("w:t"))))
    first, *_ = paper.tables
    assert [cell.text for cell in first.rows[1].cells] == [
        "B09", "办结率100%", "2022年台账，办结率为98.5%（全数200件呼叫中197件）。"]  # fmt: skip


def test_the_english_edition_has_its_own_conventions(tmp_path):
    paper = brief_of(tmp_path, make_evidence(), lang="en")
    assert texts(paper, "Heading 1")[:3] == ["1 The county and the data", "2 What was done", "3 Problems"]
    assert "3.1 Awareness of the reform among residents is not high" in texts(paper, "Heading 2")
    assert paper.styles["Normal"].font.size.pt == 11 and paper.sections[0].footer.paragraphs[0].text == "1"
    assert not re.search("[一-鿿]", "".join(texts(paper)).replace("甲镇", "").replace("乙镇", "").replace("丙镇", ""))


def test_a_county_with_one_town_or_without_wave_and_report_has_a_brief(tmp_path):
    for names, evidence in ((["唯一镇"], make_evidence(1)), (NAMES, make_evidence().iloc[[6]])):
        body = "\n".join(texts(brief_of(tmp_path, evidence, names)))
        assert "五、建议" in body and not re.search(r"nan|None|\{", body)
    assert "不能认定汇报所列的问题存在" in body


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_hostile_names_give_a_sound_document(tmp_path, lang):
    names = [*HOSTILE, "镇\x0b\ufffe名"]
    paper = brief_of(tmp_path, make_evidence(4), names, lang=lang)
    body = "\n".join(texts(paper) + [cell.text for table in paper.tables for line in table.rows for cell in line.cells])
    assert "<script>" in body and "=1+1" in body and "长" * 31 not in body and "\x0b" not in body


# --- own paragraphs ---------------------------------------------------------------------------------------------------

OWN = {
    "基本情况.md": "本县是**首批**试点。\n\n- 甲\n- 乙\n",
    "more.md": "# 建议\n\n把站所牌子摘下来（县编办〔2024〕3号）。\n\n# P16\n\n案例：赶集日发传单。\n\n# S11\n\n没有这条说法的数据。\n",
    "原因.en.md": "English only.\n",
    "附件.md": b"\xcb\xb5\xc3\xf7\xa3\xba\xbe\xc9\xb1\xe0\xc2\xeb\xa1\xa3",  # GB18030: 说明：旧编码。
}


def test_own_paragraphs_stay_in_place_however_the_data_change(tmp_path):
    first = make_evidence()
    changed = first.assign(estimate=first["estimate"] * 0.9)
    none = first[first["claim"] != "P16"]
    for evidence in (first, changed, none):
        paper = brief_of(tmp_path, evidence, notes=OWN)
        body, own = texts(paper), texts(paper, "Own Text")
        chapter = {}
        for text in body:
            here = text if re.match("[一二三四五]、|附件", text) else chapter.get("here", "")
            chapter |= {"here": here, text: here}
        assert chapter["本县是首批试点。"] == "一、基本情况" and own[1:3] == ["· 甲", "· 乙"]
        assert chapter["案例：赶集日发传单。"] == "三、存在问题"
        assert chapter["把站所牌子摘下来（县编办〔2024〕3号）。"] == "五、建议" == chapter["没有这条说法的数据。"]
        assert chapter["说明：旧编码。"].startswith("附件5") and "English only." not in body
    assert [run.text for p in paper.paragraphs if p.text == "本县是首批试点。" for run in p.runs if run.bold] == [
        "首批"
    ]


def test_an_unknown_place_is_refused_with_file_row_and_the_known_ones(tmp_path):
    with pytest.raises(CountyError) as error:
        brief_of(tmp_path, make_evidence(), notes={"x.md": "# 建议\n\n一\n\n# 建义\n\n二\n"})
    told = error.value.say("zh")
    assert (
        "x.md" in told and "第5行" in told.replace(" ", "") and "建义" in told and "基本情况" in told and "建议" in told
    )
    with pytest.raises(CountyError):
        brief_of(tmp_path, make_evidence(), notes={"x.md": "没有标题\n"})
    with pytest.raises(InputError):
        brief_of(tmp_path, make_evidence(), notes={"x.md": b"\xff\xff\x00\x81"})


def test_broken_markdown_is_kept_as_it_was_typed(tmp_path):
    text = "**没有收尾\n\n<script>alert(1)</script>\n\n```\n# 不是标题\n\n| a | b |\n\n[x](http://y) ![z](p.png)\n"
    (tmp_path / "建议.md").write_text(text, "utf-8")
    (tmp_path / "空.md").write_text("\n", "utf-8")
    found = read_notes(tmp_path, PLACES, [], "zh")["advice"]
    told = "\n".join("".join(text for text, _, _ in line) for line in found)
    for piece in ("**没有收尾", "<script>alert(1)</script>", "# 不是标题", "| a | b |", "http://y", "p.png"):
        assert piece in told


# --- annexes ----------------------------------------------------------------------------------------------------------

REPORT = "改革以来，截至2022年底，镇街共“呼叫”*件，办结*件，办结率100%。权重不低于*%。\n今年再说。"


def test_masks_are_filled_where_the_sentence_names_the_claim_and_listed_as_open_elsewhere(tmp_path):
    folder = make_county(tmp_path / "hand", NAMES, report=REPORT)
    content = Content(hy.county(folder, lang="zh"), make_evidence())
    assert [(m["value"], m["source"]) for m in masks_of(content)] == [
        ("200件", "2022年台账，论断B09"), ("197件", "2022年台账，论断B09"), ("", "")]  # fmt: skip
    other = make_evidence().assign(period=lambda rows: rows["period"].replace("2022", "2023"))
    assert [m["value"] for m in masks_of(Content(content.county, other))] == ["", "", ""]  # of another year


def test_problems_are_listed_with_places_evidence_and_an_open_deadline(tmp_path):
    paper = brief_of(tmp_path, make_evidence())
    table = next(t for t in paper.tables if t.rows[0].cells[0].text == "问题")
    rows = [[cell.text for cell in line.cells] for line in table.rows[1:]]
    assert [line[0] for line in rows] == ["居民对改革知晓度不高", "办结率100%：不支持"]
    assert rows[0][1] == "甲镇、乙镇、丙镇" and "34.7%" in rows[0][2] and rows[0][3:] == ["所列镇街", ""]


@pytest.mark.parametrize(
    ("lang", "sampling", "told"),
    [
        ("zh", "probability", "概率抽样：每名受访者的入样概率已知"),
        ("en", "quota", "quota sample: every interval assumes"),
        ("zh", "convenience", "方便样本：区间以“如同随机抽样”为前提"),
    ],
)
def test_the_method_says_how_people_were_drawn_and_whose_forms_are_left_out(tmp_path, lang, sampling, told):
    county = hy.county(make_county(tmp_path / "hand", NAMES), lang=lang)
    assert not any(
        "抽样" in line and "：" in line for line in Content(county, make_evidence()).method
    )  # nobody was asked
    county.declared = replace(county.declared, sampling=sampling, exclude=("duplicate", "speeder"))
    county.cleaned = replace(county.cleaned, forms={"resident": pd.DataFrame({"wave": ["2024"] * 3})})
    method = Content(county, make_evidence()).method
    assert any(line.startswith(told) for line in method)
    assert any(line.endswith({"zh": "：完全重复、答得过快", "en": ": duplicate, speeder"}[lang]) for line in method)


def test_a_value_of_another_wave_says_so_in_the_table_of_towns(tmp_path):
    evidence = make_evidence()
    evidence.loc[2, "wave"] = "2023"
    table = brief_of(tmp_path, evidence).tables[-1]
    assert [[cell.text for cell in line.cells] for line in table.rows[1:]] == [
        ["甲镇", "30.0% ●"], ["乙镇", "40.0% ●"], ["丙镇", "50.0% ● [2023年调查]"]]  # fmt: skip


def test_reasons_that_people_chose_stand_among_the_causes(tmp_path):
    reasons = make_evidence().iloc[:0].to_dict("records")
    reasons += [row("P14", "county", share, "", 90, f"reason_{k}") for k, share in (("habit", 0.3), ("premises", 0.6))]
    evidence = make_evidence()
    evidence.loc[len(evidence)] = row("P14", "county", 0.7, "supported", 90)
    for one in reasons:
        evidence.loc[len(evidence)] = one
    paper = brief_of(tmp_path, evidence)
    table = next(t for t in paper.tables if t.rows[0].cells[0].text == "原因")
    assert [line.cells[1].text for line in table.rows[1:]] == ["60%", "30%"]
    assert any("不能证明因果" in text or "都不能证明因果" in text for text in texts(paper))


def test_the_verb_writes_each_language_and_says_where(tmp_path, capsys):
    folder = make_county(tmp_path / "hand", NAMES)
    write_parquet(tmp_path / "e.parquet", make_evidence())
    asked = ["brief", str(folder), "--evidence", str(tmp_path / "e.parquet"), "--lang", "zh", "en"]
    assert main([*asked, "-o", str(tmp_path / "out")]) == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["brief_en.docx", "brief_zh.docx"]
    assert "brief_zh.docx" in capsys.readouterr().out


def test_a_file_that_is_open_elsewhere_gives_a_message_and_keeps_the_old_one(tmp_path, monkeypatch):
    brief_of(tmp_path, make_evidence())
    before = (tmp_path / "brief.docx").read_bytes()

    def refuse(self, target):
        raise PermissionError(13, "used by another process", str(target))

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    content = Content(hy.county(tmp_path / "hand", lang="zh"), make_evidence())
    with pytest.raises(InputError) as error:
        write_brief(content, tmp_path / "brief.docx")
    assert "brief.docx" in error.value.say() and (tmp_path / "brief.docx").read_bytes() == before
    assert not list(tmp_path.glob(".brief*"))


def test_numbers_in_chinese_and_lines_of_a_text():
    assert [han(n) for n in (1, 10, 11, 20, 35)] == ["一", "十", "十一", "二十", "三十五"]
    assert [lines_of("字" * n, 156, 15.75) for n in (28, 29, 56)] == [1, 2, 2]
