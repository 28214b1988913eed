"""A report read as text: what it states, masks and contradicts; every way in which its file can be unfit."""

import codecs
import time
import tomllib
import zipfile
from importlib.resources import files

import pandas as pd
import pytest

from huying import report
from huying.claims.declared import read_claim
from huying.claims.rules import QUANTIFIERS
from huying.report import claims_toml, find_masks, find_sentences, find_statements, lint, read_report
from huying.report.lint import CUT, ROUNDED, ways
from huying.report.statements import lexicon as read_lexicon
from huying.words import InputError

DEMO = files("demo_county").joinpath("data/report.txt")
PROSE = "一、工作情况\n各镇街均已挂牌，共18个。部分干部对新机构的分工不熟。\n"
BODY = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{}</w:body></w:document>'
)


def quantifiers(text):
    return [s.quantifier for s in find_statements(text)]


def unfit(path, content, key, lang="en"):
    """The message that a file of these bytes gets."""
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_report(path)
    assert caught.value.key == (key if "." in key else f"report.{key}")
    assert caught.value.say("zh").startswith(path.name)
    return caught.value.say(lang)


def docx(path, body, member="word/document.xml", more=b""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(member, more + BODY.format(body).encode())
    return path


def para(text):
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("gb18030", b""), ("utf-16-le", codecs.BOM_UTF16_LE),
     ("utf-16-be", codecs.BOM_UTF16_BE)],
)  # fmt: skip
def test_encodings_give_the_same_text(tmp_path, encoding, mark):
    file = tmp_path / "r.txt"
    file.write_bytes(mark + PROSE.replace("\n", "\r\n").encode(encoding))
    assert read_report(file) == PROSE


def test_unknown_encodings(tmp_path):
    file = tmp_path / "r.txt"
    assert "save it as UTF-8 text" in unfit(file, bytes(range(128, 256)) * 8, "no_encoding")
    big5 = "縣裡認為鄉鎮應該積極辦理，並且確實督導落實業務" * 4
    assert "另存为 UTF-8 文本" in unfit(file, big5.replace("，", "").encode("big5"), "no_encoding", "zh")
    assert "editor" in unfit(file, (PROSE * 3).encode("utf-16-le"), "no_encoding")


def test_a_line_in_another_encoding_is_named(tmp_path):
    content = "各镇街均已挂牌。\n".encode() * 5 + "部分没有。\n".encode("gb18030") + b"\n"
    assert "row 6" in unfit(tmp_path / "r.txt", content, "bad_line")


@pytest.mark.parametrize(
    ("name", "content", "key", "says"),
    [
        ("r.txt", b"", "sources.empty_file", "the file is empty"),
        ("r.txt", b" \r\n\n", "empty", "no text"),
        ("r.docx", b"", "sources.empty_file", "the file is empty"),
        ("r.docx", PROSE.encode(), "other_content", "ends in .docx"),
        ("r.pdf", PROSE.encode(), "other_content", "ends in .pdf"),
        ("r.pdf", b"%PDF-1.7", "pdf", "save it as r.txt"),
        ("r.doc", b"\xd0\xcf\x11\xe0" + bytes(600), "old_word", "save it as docx"),
        ("r.txt", b"<!DOCTYPE html><p>x</p>", "web_page", "copy the text"),
        ("r.docx", b"PK\x03\x04 cut off", "damaged", "save it again"),
    ],
)
def test_unfit_files(tmp_path, name, content, key, says):
    assert says in unfit(tmp_path / name, content, key)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no\.txt: the file cannot be opened"):
        read_report(tmp_path / "no.txt")


def test_docx_gives_paragraphs_and_cells(tmp_path):
    table = f"<w:tbl><w:tr><w:tc>{para('镇街')}</w:tc><w:tc>{para('18个')}</w:tc></w:tr></w:tbl>"
    split = "<w:p><w:r><w:t>均已</w:t></w:r><w:r><w:t>挂牌</w:t><w:tab/><w:t>。</w:t></w:r><w:del><w:r><w:delText>删</w:delText></w:r></w:del></w:p>"
    box = "<w:p><w:r><mc:AlternateContent><mc:Choice><w:t>框</w:t></mc:Choice><mc:Fallback><w:t>框</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    file = docx(tmp_path / "r.txt", para("一、情况") + table + split + box)
    assert read_report(file) == "一、情况\n镇街\n18个\n均已挂牌 。\n框"


def test_packages_that_are_no_docx_or_unsafe(tmp_path, monkeypatch):
    file = docx(tmp_path / "r.docx", para("x"), member="xl/workbook.xml")
    assert "it is no docx" in unfit(file, file.read_bytes(), "no_docx")
    file = docx(tmp_path / "r.docx", para("x"), more=b'<!DOCTYPE a [<!ENTITY b "c">]>')
    assert "Do not use this file" in unfit(file, file.read_bytes(), "doctype")
    file = docx(tmp_path / "r.docx", "<w:p>")
    assert "damaged" in unfit(file, file.read_bytes(), "damaged")
    file = docx(tmp_path / "r.docx", "")
    assert "no text" in unfit(file, file.read_bytes(), "empty")
    file = docx(tmp_path / "r.docx", para("x" * 200_000))
    monkeypatch.setattr(report, "MOST_BYTES", file.stat().st_size)
    assert "unpacks to more" in unfit(file, file.read_bytes(), "zip_bomb")


# --- statements -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("各站点均已挂牌。", ["ALL"]),
        ("办结率100%。", ["ALL"]),
        ("应保尽保已实现。", ["ALL"]),
        ("凡进清单的事项，均须公示。", ["ALL", "NEED"]),
        ("大部分村支书表示认可。", ["MOST"]),
        ("群众普遍满意。", ["GENERAL"]),
        ("部分窗口排长队，也有人抱怨。", ["SOME", "SOME"]),
        ("个别站所脱岗。", ["FEW"]),
        ("全年未发生越级上访。", ["NONE"]),
        ("力量薄弱，衔接不畅。", ["LOW", "LOW"]),
        ("平均用时从5天缩短到2天。", ["TREND"]),
        ("满意度逐年提升。", ["TREND"]),
        ("受理624件，办结477件。", ["COUNT"]),
        ("出台《村级事务目录》。", ["EXISTS"]),
        ("不得再设前置条件。", ["NEED"]),
        ("宜放宽用编范围。", ["NEED"]),
        ("人均年龄平稳，少数民族群众安居，全面从严治党，因地制宜，响应号召。", []),
        ("《关于全部取消的通知》在此。", []),
        ("交办任务一件不落。", ["ALL"]),
        ("各镇无一例外公布了清单。", ["ALL"]),
        ("派出的单子没有一单逾期。", ["NONE"]),
        ("借出去的十之八九是骨干。", ["MOST"]),
        ("站长多半兼着职。", ["MOST"]),
        ("近半数反馈单没有签名。", ["MOST"]),
        ("全县辖二十八个乡镇。", ["COUNT"]),
        ("逾期未结８４单。", ["COUNT"]),
        ("花费■■万元。", ["COUNT"]),
        ("受理量占全县的x%。", ["COUNT"]),
        ("走访3个镇，发放问卷20份，收回18份。", ["COUNT", "COUNT"]),  # of two things
        ("总体而言，方向没有偏。", []),
        ("各镇理应自查，此事还需配合，有求必应，应知应会。", ["NEED"]),
        ("（三）件件有回音\n", []),
        ("第3次会议研究了要点。", []),
    ],
)
def test_one_quantifier_a_clause(sentence, found):
    assert quantifiers(sentence) == found


def test_proposals_in_the_imperative_only_under_their_heading():
    assert quantifiers("三、意见建议\n加强培训，完善台账，确保人员到岗。") == ["NEED", "NEED"]
    assert quantifiers("加强培训，完善台账。") == []
    assert quantifiers("二、存在问题\n（一）台账不全\n下一步，加强培训。") == ["NEED"]
    assert quantifiers("二、存在问题\n（一）台账不全，分工不清。\n个别村没建。") == ["FEW"]


def test_where_a_statement_stands():
    text = "一、情况\n开头。各镇街均已挂牌，共18个。"
    first, second = find_statements(text)
    assert (first.id, first.line, first.column, first.quantifier, first.cue, first.text) == (
        "R001", 2, 4, "ALL", "均", "各镇街均已挂牌")  # fmt: skip
    assert text[second.start : second.end] == second.text == "共18个"
    assert text[second.sentence_start : second.sentence_end] == "各镇街均已挂牌，共18个。"


def test_sentences_end_at_marks_and_lines():
    text = "甲；乙！\n丙"
    assert [text[s.start : s.end] for s in find_sentences(text)] == ["甲；", "乙！", "丙"]


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "n", "found"),
    [
        ("37.1", 35, {ROUNDED, CUT}),  # 13/35 = 37.14
        ("28.6", 35, {ROUNDED}),  # 10/35 = 28.57
        ("14.2", 35, {CUT}),  # 5/35 = 14.29: rounded it is 14.3
        ("14.3", 35, {ROUNDED}),
        ("31", 77, {ROUNDED, CUT}),  # 24/77 = 31.17
        ("89", 77, {CUT}),  # 68/77 = 88.31, 69/77 = 89.61: rounded 88 and 90
        ("61.9", 64, set()),  # 39/64 = 60.94, 40/64 = 62.5
        ("12", 8, {ROUNDED, CUT}),  # 1/8 = 12.5: 13 half up, 12 half to even
        ("13", 8, {ROUNDED}),
        ("36.5", 263, {ROUNDED, CUT}),  # 96/263 = 36.50
        ("14.4", 263, {ROUNDED, CUT}),  # 38/263 = 14.449
        ("99.53", 1067, {ROUNDED, CUT}),  # 1062/1067 = 99.5314
    ],
)
def test_percentages_that_a_count_can_give(percent, n, found):
    assert ways(percent, n) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("抽查64件，按时39件，占61.9%。", ["GRIM"]),
        ("抽查64件，按时39件，占60.9%。", []),
        ("抽查120件，超期9件，占7.4%。", ["GRIM"]),
        ("发放问卷35份。不知晓的占51.5%。", ["GRIM"]),  # 18/35 = 51.43
        ("受理1067件，办结1062件，办结率99.3%。", ["GRIM"]),  # 99.53
        ("18个镇街开展测评，满意度91.4%。", []),  # 18 is not what the 91.4% are of
        ("投入较上年增长7.3%，涉及13人。", []),
        ("共有43个站所，其中党政机构21个、事业单位19个。", ["SUM"]),
        ("共有40个站所，其中党政机构21个、事业单位19个。", []),
        ("共有43个站所，其中党政机构21个、事业单位19个等。", []),
        ("共有43个站所，其中党政机构21个、事业单位29个等。", ["SUM"]),
        ("全县有316个行政村、28个乡镇，其中重点选取5个乡镇、33个村。", []),  # of another noun
        ("全县28个乡镇，其中重点选取5个乡镇、33个村。", []),
        ("下达考核31项，其中一票否决4项、签责任状9项。", []),  # two of several
        ("有效问卷500份。186人听说过，占37.3%。", []),  # 186 is the part; what it is of stands elsewhere
        ("有效问卷中，186人听说过，占37.3%。", []),
        ("全年派单1240单，逾期未结84单，办结率93.2%。", []),  # the rest
        ("选派干部24名，满意度98.1%。", []),
        ("发放问卷35份。女性中不知晓的占51.5%。", []),  # of some of them
        ("走访29名干部，其中46.2%不满意。", ["GRIM"]),
        ("抽查６４件，按时３９件，占６１．９％。", ["GRIM"]),
        ("其中镇街设7个办公室、5个中心，另7个站，共20个。", []),
        ("办公室7个，中心5个，共13个。", ["SUM"]),
        ("共有120名，其中镇街78名。", []),
    ],
)
def test_numbers_that_do_not_fit(text, found):
    assert [kind for kind in lint(text)["kind"] if kind in ("GRIM", "SUM")] == found


def test_a_misfit_says_why():
    (found,) = lint("发放问卷35份，知晓的占14.2%。").itertuples()
    assert (found.line, found.column, found.text) == (1, 13, "14.2%")
    assert found.why_en == "14.2% comes out of 35 only with the rest cut off, never rounded"
    assert "舍去尾数" in found.why_zh


# --- contradictions, terms, masks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "admitted", "kind"),
    [
        ("会商制度杜绝了推诿。", "两家之间时有扯皮。", "handed_off"),
        ("赋予镇街征得同意权。", "多数调整没有事先征求意见。", "consulted"),
        ("机构统一设置。", "个别镇沿用老站所。", "uniform_yet_old"),
        ("政策家喻户晓。", "村民对政策不了解。", "known_yet_unknown"),
        ("网格员均经过培训。", "部分网格员没有培训记录。", "opposite"),
        ("派给部门的单子没有一单逾期。", "逾期未结84单。", "opposite"),
        ("全年未发生安全事故。", "6月发生安全事故2起。", "opposite"),
        ("村级服务站全部投入使用。", "个别村级服务站尚未投入使用。", "opposite"),
        ("没有一个镇与县级平台打通数据。", "县级平台与各镇数据全部打通。", "opposite"),
    ],
)
def test_contradictions(claimed, admitted, kind):
    for text in (f"{claimed}\n{admitted}", f"{admitted}\n{claimed}"):
        found = [f for f in lint(text).itertuples() if f.kind == "TENSION"]
        assert [f.rule for f in found] == [kind]
        first, second = text.split("\n")
        assert (found[0].text, text[found[0].other_start : found[0].other_end]) == (first, second)
    assert "TENSION" not in set(lint(f"{claimed}\n三、意见建议\n{admitted}")["kind"])


@pytest.mark.parametrize(
    ("claimed", "admitted"),
    [
        ("网格员均未经过培训。", "部分网格员没有培训记录。"),  # both say that something is lacking
        ("网格员均经过培训。", "部分网格员参加了市级培训。"),  # neither does
        ("网格员均经过培训。", "部分窗口没有空调。"),  # of another thing
        ("办结率100%。", "有的镇怕丢面子，不敢呼。"),
        ("服务站全部建成。", "村级站点经费短缺。"),
        ("未发生行政复议。", "行政执法队尚未独立运行。"),
        ("全年无一人上访。", "收到上访材料为零。"),
    ],
)
def test_all_is_at_odds_only_with_what_is_lacking_on_the_same_topic(claimed, admitted):
    assert "TENSION" not in set(lint(f"{claimed}\n{admitted}")["kind"])


def test_one_sentence_is_no_contradiction():
    assert lint("会商制度杜绝了推诿，但仍有推诿。").empty


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("全县推开，县直部门配合。占全市的三成。", ["全市"]),
        ("全县推开，县直部门配合，位居全市第二。", []),
        ("全县推开，县域经济平稳，县长到会。", []),
        ("2023年度工作总结\n办结率见下。\n（2024年度工作总结）", ["2024年度工作总结"]),
        ("2023年度工作总结\n截至2022年底建成。", ["截至2022年"]),
        ("2023年度工作总结\n截至2023年底建成。", []),
        ("2021年印发《放权目录》。\n2022年印发《放权目录》。", ["2022年印发《放权目录》"]),
    ],
)
def test_terms_and_years(text, found):
    assert lint(text).query("kind == 'TERM'")["text"].tolist() == found


def test_every_mask_is_one_entry():
    singles = find_masks("占x%，X县X镇，Ｘ街道，■■万元，X光机，3x4，AX镇")["character"].tolist()
    assert singles == ["x", "X", "X", "Ｘ", "■", "■"]
    text = "李某某在*镇办结**件，占*%。\n某些镇某年的××县，3×4米，XX局。"
    register = find_masks(text)
    masks = list(register.itertuples())
    assert [m.character for m in masks] == ["某", "某", "*", "*", "*", "*", "某", "×", "×", "X", "X"]
    assert [m.kind for m in masks[:6]] == ["name", "name", "name", "figure", "figure", "figure"]
    assert (masks[0].id, masks[0].line, masks[0].column, masks[6].line, masks[6].column) == ("M001", 1, 2, 2, 4)
    assert list(register.columns)[-3:] == ["value", "source", "as_of"]
    assert (register[["value", "source", "as_of"]] == "").all(axis=None)
    assert register["statement"].tolist()[3:6] == ["R001"] * 3


# --- what is written --------------------------------------------------------------------------------------------------


def test_the_claims_file_is_one_of_the_house():
    text = read_report(DEMO)
    claims = [read_claim(raw) for raw in tomllib.loads(claims_toml(text, "r.txt"))["claim"]]
    statements = find_statements(text)
    assert [(c.id, c.text.zh, c.quantifier) for c in claims] == [(s.id, s.text, s.quantifier) for s in statements]
    assert all(c.text.en.startswith("(to be translated) ") and c.base.zh == "【待填】" for c in claims)
    assert {c.quantifier: c.threshold for c in claims if c.quantifier != "COUNT"} == {
        "ALL": 1.0, "MOST": 0.5, "GENERAL": 0.8, "SOME": 0.5, "NONE": 0.0, "LOW": 0.5, "TREND": 0.0, "EXISTS": 1.0, "NEED": 0.5}  # fmt: skip
    assert {c.threshold for c in claims if "31项" in c.text.zh} == {31.0}


def test_a_claims_file_survives_any_text():
    text = '各镇均设"窗口"\\n，\t都有\u2028牌。\x7f均已办。'
    assert [c["zh"] for c in tomllib.loads(claims_toml(text))["claim"]] == [s.text for s in find_statements(text)]


def test_files_are_written_and_edited_ones_kept(tmp_path):
    first = report.report_files(DEMO, tmp_path / "out")
    assert [p.name for p in first.values()] == [
        "report_claims.toml",
        "report_masks.csv",
        "report_lint.csv",
        "report_statements.csv",
    ]
    first["masks"].write_text("edited", "utf-8")
    second = report.report_files(DEMO, tmp_path / "out")
    assert [p.name for p in second.values()] == [
        "report_2_claims.toml",
        "report_2_masks.csv",
        "report_2_lint.csv",
        "report_2_statements.csv",
    ]
    assert first["masks"].read_text("utf-8") == "edited"
    table = pd.read_csv(second["lint"], encoding="utf-8-sig")
    assert list(table.columns[:5]) == ["kind", "rule", "line", "column", "text"]
    assert {"why_zh", "why_en"} < set(table.columns)
    assert {"TENSION", "TERM"} == set(table["kind"])


def test_the_demo_report_agrees_with_the_demo():
    """Numbers as printed, out of the demo's own declaration: 18 towns, 62 villages in the pilot, 617 in all."""
    text = read_report(DEMO)
    towns = pd.read_csv(files("demo_county").joinpath("data/towns.csv"))
    pilot = towns.loc[towns["type"] == "pilot", "villages"].item()
    for number in (f"{len(towns)}个乡镇街道", f"{pilot}个行政村", f"{towns['villages'].sum()}个村级服务站"):
        assert number in text
    assert 104 / 160 == 0.65 and "160名，其中镇街104名，占全市同类计划的65.0%" in text
    assert "合成数据" in text.split("\n")[0]
    assert not lint(text)["kind"].isin(["GRIM", "SUM"]).any()


def test_the_lexicon_names_only_quantifiers_of_the_house():
    lexicon = read_lexicon()
    assert {cue["quantifier"] for cue in lexicon["cue"]} <= set(QUANTIFIERS)
    assert set(lexicon["threshold"]) == set(QUANTIFIERS) - {"TEXT"}


@pytest.mark.parametrize(
    "unit", ["第3镇均已办结8件。\n", "办3件，", "*", "x", "占12.5%，", "一", "（", "《", "1 ", "共3个，其中2个、"]
)
def test_reading_is_linear(unit):
    """Eight times the text takes less than thirty times as long, in one line or in thousands."""
    took = []
    for n in (500, 4000):
        start = time.process_time()
        for read in (find_masks, lint, find_statements):
            read(unit * n)
        took.append(time.process_time() - start)
    assert took[1] < 30 * max(took[0], 0.02), took


def test_a_long_report_gets_its_message(tmp_path):
    (tmp_path / "huge.txt").write_bytes("各镇均已办结。".encode() * 200_000)
    with pytest.raises(InputError, match=r"huge\.txt: 1400000 characters, at most 200000 are read"):
        read_report(tmp_path / "huge.txt")
    (tmp_path / "r.txt").write_text(PROSE + "联系人电话13812345678。", "utf-8")
    assert "13812345678" not in read_report(tmp_path / "r.txt")


@pytest.mark.slow
def test_twenty_thousand_lines_take_no_more_than_six_times_as_long_as_five_thousand(tmp_path):
    lines, took = ["各镇街均已办结。", "共18个镇街。", "其中有*个。", *["情况平稳。"] * 17], []
    for n in (5_000, 20_000):
        (tmp_path / f"r{n}.txt").write_text("".join(f"{lines[k % len(lines)]}\n" for k in range(n)), "utf-8")
        start = time.process_time()
        made = report.report_files(tmp_path / f"r{n}.txt", tmp_path / "out")
        took.append(time.process_time() - start)
        assert len(pd.read_csv(made["masks"])) == n / len(lines)
    assert took[1] <= 6 * took[0], took


@pytest.mark.parametrize(("size", "told"), [(200 * 2**20, "20"), (20 * 2**20 - 1, "200000 are read")])
def test_a_report_of_a_hundred_novels_and_a_line_of_twenty_megabytes_get_their_message(tmp_path, size, told):
    with (tmp_path / "huge.txt").open("wb") as file:
        file.write("各镇均已办结".encode())
        file.truncate(size)  # one line, whatever it holds
    with pytest.raises(InputError) as caught:
        read_report(tmp_path / "huge.txt")
    for lang in ("zh", "en"):
        assert caught.value.say(lang).startswith("huge.txt")
    assert told in caught.value.say("en")
