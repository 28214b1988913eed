"""Every HTML page of the demo county in a real browser without a network: whole, silent, readable on a telephone. Run by `make outside`."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "results" / "demo" / "html").glob("*_county_*.html"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HAN = re.compile("[\u3400-\u9fff]")


def test_there_are_pages_in_both_languages_and_a_browser():
    assert CHROMIUM, (
        "no chromium on this computer: install it (Debian: apt-get install chromium), then run make outside again"
    )
    names = {page.stem.rpartition("_") for page in PAGES}
    assert (
        {stem for stem, _, lang in names if lang == "zh"} >= {stem for stem, _, lang in names if lang == "en"} != set()
    )


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_needs_nothing_and_says_nothing_wrong(browser, path, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_load_state("load")
    outside = [url for url in asked if not url.startswith(("data:", "file:"))]
    assert (outside, said, [url for url in asked if url.startswith("file:")]) == ([], [], [path.as_uri()])
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # wide tables scroll by themselves
    assert page.evaluate("document.fonts.check('16px Huying')")
    pictures = "[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 0, i.clientWidth])"
    for is_whole, is_named, shown in page.evaluate(pictures):
        assert (
            is_whole and is_named and shown >= min(570, width)
        )  # at 390 px it scrolls sideways, at a size that can be read
    smallest = (
        "Math.min(...[...document.querySelectorAll('p,li,td,pre')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert page.evaluate(smallest) >= 12
    lang = path.stem.rpartition("_")[2]
    assert page.evaluate("document.documentElement.lang") == lang
    headings = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => h.textContent)")
    assert len(headings) > 5
    assert all(bool(HAN.search(text)) == (lang == "zh") for text in headings), headings
    context.close()


def test_without_scripts_all_is_there(browser):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(PAGES[0].as_uri())
    assert page.locator("h1").count() == 1 and page.locator("nav a").count() > 3
    assert page.locator("script").count() == 0
    context.close()
