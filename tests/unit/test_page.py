"""The page of a county made by hand: what stands on it, whatever its places are called and however little it has."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import huying as hy
from huying.claims.evidence import EVIDENCE
from huying.cli import main
from huying.deliver.content import Content, read_evidence
from huying.deliver.page import write_page
from huying.store import write_parquet
from huying.words import CountyError, HuyingError, InputError

HEAD = """[county]
id = "hand"
name_zh = "手工<县>"
name_en = "Hand & County"
is_synthetic = {synthetic}
sampling = "probability"

[wave.2024]
from = 2024-05-13
to = 2024-05-31

[[ledger]]
table = "towns"
file = "towns.csv"
"""
HOSTILE = ["<script>alert(1)</script>", "=1+1", "长" * 150 + "𠮷"]
VOID = {"meta", "link", "br", "path", "use", "rect", "img", "input"}


def make_county(folder, names, *, report="", quotes="", synthetic="true"):
    folder.mkdir(exist_ok=True)
    towns = [f"T{k:02d}" for k in range(1, len(names) + 1)]
    columns = {"镇街编号": towns, "镇街名称": names, "英文名称": [f"{name} Town" for name in names], "类型": "镇"}
    columns |= {"常住人口": 10000, "成年人口": 8000, "村(社区)数": 9, "在册工作人员": 40, "曾用名和别名": ""}
    pd.DataFrame(columns).to_csv(folder / "towns.csv", index=False, encoding="utf-8-sig")
    more = '\n[report]\nfile = "report.txt"\n' if report else ""
    (folder / "county.toml").write_text(HEAD.format(synthetic=synthetic) + more, "utf-8")
    for name, text in (("report.txt", report), ("quotes.toml", quotes)):
        if text:
            (folder / name).write_text(text, "utf-8")
    return folder


def row(claim, place, estimate, verdict, n=100, part="", **more):
    about = {"wave": "2024", "unit": "share", "n_of": "residents", "is_counted": False, "reliability": "ok"}
    numbers = {"estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1, "n": float(n)}
    blank = dict.fromkeys(EVIDENCE, "") | dict.fromkeys(("n_eff", "df", "deff", "low_family", "high_family"), np.nan)
    made = blank | about | numbers | {"claim": claim, "place": place, "part": part, "is_synthetic": True}
    return made | {"verdict": verdict, "verdict_family": verdict, "notebook": "11", "cell": "c"} | more


def make_evidence(towns=3):
    own = [row("P16", f"T{k:02d}", 0.2 + 0.1 * k, "supported") for k in range(1, towns + 1)]
    county = [row("P16", "county", 0.347, "supported", 300), row("P16", "county", 0.4, "", 300, "cannot_say_left_out")]
    counted = {"wave": "", "period": "2022", "n_of": "calls", "is_counted": True, "low": np.nan, "high": np.nan}
    rest = [row("B09", "county", 0.985, "not supported", 200, **counted), row("S33", "county", 0.3, "cannot say", 12)]
    return pd.DataFrame([*own, *county, *rest])[list(EVIDENCE)]


def pages_of(tmp_path, names, evidence, langs=("zh", "en"), **about):
    folder = make_county(tmp_path / "hand", names, **about)
    counties = [hy.county(folder, lang=lang) for lang in langs]
    start = write_page([Content(county, evidence) for county in counties], tmp_path / "page")
    return start, {
        file.relative_to(start.parent).as_posix(): file.read_text("utf-8") for file in start.parent.rglob("*.html")
    }


@pytest.fixture(autouse=True)
def _results(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))


class Nesting(HTMLParser):
    """Elements that are not closed in order, headings, and the links of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.headings, self.links, self.ids = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told[key] for key in ("href", "src") if key in told]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.open += [tag] if tag not in VOID else []

    def handle_endtag(self, tag):
        if tag not in VOID and self.open.pop() != tag:
            self.faults.append(tag)


@pytest.mark.parametrize("names", [["甲镇", "乙镇", "丙镇"], HOSTILE, ["唯一镇"]])
def test_every_page_is_whole_and_harmless(tmp_path, names):
    start, pages = pages_of(tmp_path, names, make_evidence(len(names)))
    assert start.name == "index.html" and {"index_en.html", "zh/claim_P16.html", "en/town_T01.html"} <= set(pages)
    for name, text in pages.items():
        found = Nesting(text)
        assert (found.faults, found.open) == ([], []), name
        assert found.headings[0] == 1 and all(
            b - a <= 1 for a, b in zip(found.headings, found.headings[1:], strict=False)
        )
        assert len(found.ids) == len(set(found.ids)), name
        assert "alert(1)" not in text.replace("&lt;script&gt;alert(1)", "") and "<县>" not in text
        lang = "en" if name.startswith(("en/", "index_en")) else "zh"
        assert f'<html lang="{lang}">' in text and "SYNTHETIC" in text
        assert ("内部资料" if lang == "zh" else "Internal") in text
        for link in found.links:
            path = link.partition("#")[0]
            assert not re.match(r"\w+:", path) or link == "data:,", link
            assert not path or link == "data:," or (start.parent / name).parent.joinpath(path).is_file(), (name, link)


def test_what_is_said_are_the_statements(tmp_path):
    _, pages = pages_of(tmp_path, ["甲镇", "乙镇", "丙镇"], make_evidence())
    county = hy.county(tmp_path / "hand", lang="zh")
    for row in Content(county, make_evidence()).said.to_dict("records"):
        page = pages[f"zh/claim_{row['claim']}.html"]
        assert row["value"] in page and row["n"] in page and row["interval"] in page
    assert "34.7%" in pages["index.html"] and "98.5%" in pages["zh/all.html"] and "34.7%" in pages["en/all.html"]


def test_a_claim_has_its_rows_for_download_and_no_cell_is_a_formula(tmp_path):
    start, _ = pages_of(tmp_path, ["=1+1", "乙镇", "丙镇"], make_evidence())
    table = pd.read_csv(start.parent / "en/claim_P16.csv", encoding="utf-8-sig")
    assert table["estimate"].round(3).tolist() == [0.3, 0.4, 0.5, 0.347, 0.4]
    assert table["n"].iloc[0] == "100 residents" and not any(str(value).startswith("=") for value in table["place"])


def test_a_picture_is_named_by_its_finding_and_tells_points_from_per_cent(tmp_path):
    """Values .15, .3 and .45 of a difference of shares are drawn as 15, 30 and 45 percentage points beside the threshold 30."""
    rows = [row("P18", f"T{k:02d}", 0.15 * k, "cannot say", unit="points") for k in (1, 2, 3)]
    county = row("P18", "county", 0.67, "supported", 3, n_of="towns", is_counted=True)
    _, pages = pages_of(tmp_path, ["甲镇", "乙镇", "丙镇"], pd.DataFrame([*rows, county])[list(EVIDENCE)])
    svg = re.search(r"<svg.*?</svg>", pages["zh/claim_P18.html"], re.S)[0]
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert 'role="img" aria-label="部分镇街纸面按新方案、实际用老机构：支持' in svg
    assert {"15", "30", "45", "百分点"} <= set(texts) and not any("%" in text for text in texts if text[0].isdigit())


def test_names_out_of_the_fonts_and_odd_ids_have_pages(tmp_path):
    evidence = make_evidence()
    evidence["place"] = evidence["place"].replace({"T03": "../T/3"})
    start, pages = pages_of(tmp_path, ["甲镇", "乙镇😀", "丙镇"], evidence)
    assert {file.parent.name for file in start.parent.rglob("*.html")} == {"page", "zh", "en"}
    assert any(name.startswith("zh/town_") and "../T/3" in text for name, text in pages.items())


def test_without_synthetic_data_nothing_says_so(tmp_path):
    _, pages = pages_of(tmp_path, ["甲镇", "乙镇"], make_evidence(2), synthetic="false")
    assert not any("SYNTHETIC" in text for text in pages.values())


REPORT = "一、推进情况\n办结率100%。大家都很满意。\n二、存在的问题\n（一）群众怎么看。居民不大知道改革，但有好转。\n"


def test_the_report_stands_sentence_by_sentence_with_its_verdicts(tmp_path):
    quotes = 'P16 = "居民不大知道改革"\nB09 = "办结率100%"\n'
    _, pages = pages_of(tmp_path, ["甲镇", "乙镇", "丙镇"], make_evidence(), report=REPORT, quotes=quotes)
    told = re.findall(
        r'<span class="passage" id="(\w+)" data-claim="\w+"><a href="([^"]+)">([^<]+)</a>', pages["index.html"]
    )
    assert told == [("B09", "zh/claim_B09.html", "办结率100%"), ("P16", "zh/claim_P16.html", "居民不大知道改革")]
    assert "大家都很满意。" in pages["index.html"] and "居民不大知道改革" in pages["en/claim_P16.html"]
    rest = pages["index.html"].partition('id="rest"')[2]
    assert 'data-claim="S33"' in rest and 'data-claim="P16"' not in rest


def test_without_passages_the_claims_stand_by_section(tmp_path):
    _, pages = pages_of(tmp_path, ["甲镇", "乙镇", "丙镇"], make_evidence(), report=REPORT.replace("100", "99"))
    assert 'id="report"' not in pages["index.html"]
    assert re.findall(r'<li id="(\w+)"', pages["index.html"]) == ["B09", "P16", "S33"]


@pytest.mark.parametrize(
    ("quotes", "told"),
    [
        (
            'P16 = "居民全都知道"',
            "quotes.toml, row 1: the passage of claim P16 does not stand in the report: “居民全都知道”",
        ),
        ('P161 = "办结率100%"', "quotes.toml, row 1: no claim is called “P161”"),
        ("P16 = 3", "quotes.toml, row 1"),
    ],
)
def test_a_passage_that_fits_nothing_is_refused(tmp_path, quotes, told):
    with pytest.raises(CountyError) as error:
        pages_of(tmp_path, ["甲镇"], make_evidence(1), report=REPORT, quotes=quotes)
    assert told in error.value.say("en")


def test_a_page_is_replaced_as_a_whole_and_nothing_else_ever(tmp_path):
    start, _ = pages_of(tmp_path, ["甲镇", "乙镇", "丙镇"], make_evidence())
    pages_of(tmp_path, ["甲镇", "乙镇", "丙镇"], make_evidence(1), ("en",))
    assert {path.name for path in start.parent.iterdir()} == {"index.html", "en", "assets"}
    assert {path.name for path in tmp_path.iterdir()} == {"hand", "page", "results"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/essay.docx").write_bytes(b"years of work")
    content = Content(hy.county(tmp_path / "hand"), make_evidence(1))
    with pytest.raises(InputError):
        write_page([content], tmp_path / "mine")
    assert (tmp_path / "mine/essay.docx").read_bytes() == b"years of work"


def test_the_verb_takes_a_ledger_made_elsewhere(tmp_path, capsys):
    folder = make_county(tmp_path / "hand", ["甲镇", "乙镇", "丙镇"])
    write_parquet(tmp_path / "other.parquet", make_evidence())
    where = ["-o", str(tmp_path / "out"), "--evidence", str(tmp_path / "other.parquet")]
    assert main(["page", str(folder), "--lang", "en", *where]) == 0
    assert f"open: {tmp_path / 'out' / 'index.html'}" in capsys.readouterr().out
    assert main(["page", str(folder), "--lang", "en"]) == 2
    assert "evidence.parquet" in capsys.readouterr().err


def test_a_ledger_as_csv_says_the_same(tmp_path):
    folder = make_county(tmp_path / "hand", ["甲镇", "乙镇", "丙镇"])
    make_evidence().to_csv(tmp_path / "other.csv", index=False, encoding="utf-8-sig")
    county = hy.county(folder, lang="zh")
    told = Content(county, read_evidence(county, tmp_path / "other.csv")).said["sentence"]
    assert told.tolist() == Content(county, make_evidence()).said["sentence"].tolist()


def test_a_ledger_that_is_none_is_refused(tmp_path):
    with pytest.raises(HuyingError):
        pages_of(tmp_path, ["甲镇"], make_evidence(1).drop(columns="unit"))
    for name, content in (
        ("a.csv", b"\xff\xfe\x00\xd8"),
        ("b.csv", b"claim,estimate\nP16,many\n"),
        ("c.parquet", b"PAR"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HuyingError):
            read_evidence(hy.county(tmp_path / "hand"), tmp_path / name)


@pytest.mark.parametrize("left", [0, 1])
def test_a_ledger_with_next_to_nothing_still_gives_pages(tmp_path, left):
    _, pages = pages_of(tmp_path, ["甲镇"], make_evidence(1).iloc[:left])
    assert len([name for name in pages if "claim_" in name]) == 2 * left
    assert 'id="findings"' not in pages["index.html"] or left
