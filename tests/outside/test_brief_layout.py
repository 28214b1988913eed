"""The brief and the fact sheets as LibreOffice and a browser lay them out: lines, characters, margins, fonts, pages. Run by `make outside`."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = Path(os.environ.get("HUYING_RESULTS", ROOT / "results")) / "demo"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
HAN = re.compile("[一-鿿]")
COUNTY = """[county]
id = "hand"
name_zh = "手工县"
name_en = "Hand County"
is_synthetic = true
sampling = "probability"
[wave.2024]
from = 2024-05-13
to = 2024-05-31
[[ledger]]
table = "towns"
file = "towns.csv"
"""
TOWNS = "镇街编号,镇街名称,英文名称,类型,常住人口,成年人口,村(社区)数,在册工作人员,曾用名和别名\nT01,甲镇,A Town,镇,10000,8000,9,40,\n"
TEXT = "全县以构建简约高效的基层管理体制为目标深入推进镇街行政管理体制改革统筹使用各类编制资源构建起权责统一行为规范运转协调的行政管理体制"


def tool(name):
    """A program's path; the test fails with a sentence where it is missing."""
    found = shutil.which(name)
    assert found, f"{name} is not installed: apt-get install libreoffice-writer poppler-utils chromium fonts-noto-cjk"
    return found


def as_pdf(files, folder):
    """The files as PDF, by LibreOffice."""
    home = f"-env:UserInstallation=file://{folder}/profile"
    call = [tool("soffice"), home, "--headless", "--convert-to", "pdf", "--outdir", str(folder), *map(str, files)]
    subprocess.run(call, check=True, capture_output=True, timeout=600)
    return [folder / f"{file.stem}.pdf" for file in files]


def pages_of(file):
    told = subprocess.run([tool("pdfinfo"), str(file)], check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Pages:\s+(\d+)", told)[1])


def text_of(file, page):
    call = [tool("pdftotext"), "-layout", "-f", str(page), "-l", str(page), str(file), "-"]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def long_brief(tmp_path_factory):
    """The brief of a county whose researcher wrote 3,000 characters, as docx and as PDF."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "hand" / "notes").mkdir(parents=True)
    for name, text in (("county.toml", COUNTY), ("towns.csv", TOWNS), ("notes/基本情况.md", TEXT * 50)):
        (folder / "hand" / name).write_text(text, "utf-8")
    ledger = RESULTS / "evidence.parquet"
    assert ledger.is_file(), f"no {ledger}: run huying run demo"
    pd.read_parquet(ledger).query("place == 'county' and claim == 'P16'").to_parquet(folder / "e.parquet")
    call = [sys.executable, "-m", "huying", "brief", str(folder / "hand"), "--evidence", str(folder / "e.parquet")]
    env = os.environ | {"HUYING_RESULTS": str(folder / "results")}
    subprocess.run([*call, "-o", str(folder), "--lang", "zh"], check=True, capture_output=True, env=env, timeout=300)
    return folder / "brief_zh.docx", as_pdf([folder / "brief_zh.docx"], folder)[0]


def test_a_full_page_of_han_text_has_22_lines_of_28_characters(long_brief):
    full = 0
    for page in range(1, pages_of(long_brief[1]) + 1):
        call = [tool("pdftotext"), "-bbox-layout", "-f", str(page), "-l", str(page), str(long_brief[1]), "-"]
        layout = subprocess.run(call, check=True, capture_output=True, text=True).stdout
        boxes = re.findall(r'<line [^>]*yMin="([\d.]+)"[^>]*>(.*?)</line>', layout, re.S)
        lines = [(float(y), re.sub(r"<[^>]+>|\s", "", words)) for y, words in boxes]
        lines = [(y, text) for y, text in lines if re.fullmatch("[一-鿿]+", text)]
        if all(text in TEXT * 3 for _, text in lines) and len(lines) > 20:
            full += 1
            assert len({round(y) for y, _ in lines}) == 22, (page, len(lines))
            assert {len(text) for _, text in lines} == {28}, page
    assert full >= 3


def test_margins_fonts_and_page_numbers_are_those_of_the_standard(long_brief):
    with zipfile.ZipFile(long_brief[0]) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))
        fonts = ElementTree.fromstring(package.read("word/fontTable.xml"))
    margins = body.find(f".//{W}sectPr/{W}pgMar").attrib
    told = {side: round(int(margins[f"{W}{side}"]) / 1440 * 25.4) for side in ("top", "left", "bottom", "right")}
    assert told == {"top": 37, "left": 28, "bottom": 35, "right": 26}
    size = body.find(f".//{W}sectPr/{W}pgSz").attrib
    assert [round(int(size[f"{W}{side}"]) / 1440 * 25.4) for side in ("w", "h")] == [210, 297]
    other = {font.get(f"{W}name"): font.find(f"{W}altName").get(f"{W}val") for font in fonts}
    assert other["仿宋_GB2312"] == "仿宋"
    told = subprocess.run([tool("pdffonts"), str(long_brief[1])], check=True, capture_output=True, text=True).stdout
    assert re.search("Serif[- ]?CJK", told), f"no serif CJK face: apt-get install fonts-noto-cjk\n{told}"
    assert re.search(r"^\s*—\s*2\s*—\s*$", text_of(long_brief[1], 2), re.M)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_contents_name_the_pages_and_every_page_bears_the_marks(lang, tmp_path):
    source = RESULTS / "brief" / f"brief_{lang}.docx"
    assert source.is_file(), f"no {source}: run huying brief demo --lang zh en"
    file = as_pdf([source], tmp_path)[0]
    pages = [text_of(file, page) for page in range(1, pages_of(file) + 1)]
    squeezed = [[re.sub(r"\s", "", line) for line in page.split("\n")] for page in pages]
    entries = re.findall(r"^\s*(\S.*?)\s*\.{4,}\s*(\d+)\s*$", "\n".join(pages[:2]), re.M)
    assert len(entries) > 15
    for title, page in entries:  # reckoned, and brought up to date by Word: a page more or less in LibreOffice
        asked = re.sub(r"\s", "", title)  # in one line or, where it is long, in two
        at = [n for n, lines in enumerate(squeezed, 1) if asked in [*lines, *map("".join, pairwise(lines))]]
        assert any(abs(n - int(page)) <= 1 for n in at), (title, page, at)
    for page in pages:
        assert "SYNTHETIC" in page and ("内部资料" in page or "Internal" in page)


def test_every_fact_sheet_is_one_page(tmp_path):
    sources = sorted((RESULTS / "sheets").glob("*.docx"))
    assert len(sources) > 40, f"no sheets in {RESULTS}/sheets: run huying sheets demo --lang zh en"
    for file in as_pdf(sources, tmp_path):
        assert pages_of(file) == 1, file.stem
    for file in sorted((RESULTS / "sheets").glob("T0*.html")):
        printed = tmp_path / "printed.pdf"
        call = [tool("chromium"), "--headless", "--no-sandbox", "--no-pdf-header-footer", f"--print-to-pdf={printed}"]
        subprocess.run([*call, f"file://{file}"], check=True, capture_output=True, timeout=120)
        assert pages_of(printed) == 1, file.stem
