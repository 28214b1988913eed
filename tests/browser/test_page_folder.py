"""The folder of pages of the demo county in a real browser, from a file and without a network. Run by `make outside`."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from huying.folder import county_folder, read_county
from huying.prepare import results_folder

RESULTS = results_folder(read_county(county_folder("demo")))
FOLDER, CHROMIUM = RESULTS / "page", shutil.which("chromium") or shutil.which("google-chrome")
KINDS = ["index.html", "index_en.html"]
KINDS += [f"{lang}/{name}.html" for lang in ("zh", "en") for name in ("all", "quality", "method")]
KINDS += [
    f"{lang}/{name}.html" for lang in ("zh", "en") for name in ("claim_P16", "claim_S11", "town_T07", "department_K05")
]
# Left to the eye by axe: pictures whose text lies on lines that are drawn, and names that stand on nothing but white.
SETTLED = {"color-contrast"}
KEY = ["claim", "place"]


@pytest.fixture(scope="module")
def browser():
    assert CHROMIUM, "no chromium on this computer: install it (Debian: apt-get install chromium)"
    assert FOLDER.is_dir(), f"no pages in {FOLDER}: run huying page demo --lang zh en"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opening(browser):
    """Opens a page in a window of a width; what it asked of the network and wrote to the console must be nothing."""
    contexts, said = [], []

    def opening(name, width=1280, **how):
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: said.append(request.url) if not is_own(request.url) else None)
        page.on("requestfailed", lambda request: said.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{FOLDER.as_uri()}/{name}")
        page.wait_for_load_state("load")
        return page

    yield opening
    for context in contexts:
        context.close()
    assert said == []


def is_own(url):
    return url.startswith((FOLDER.as_uri(), "data:"))


@pytest.mark.parametrize("width", [360, 768, 1920])
@pytest.mark.parametrize("name", KINDS)
def test_a_page_is_whole_and_fits(opening, name, width):
    page = opening(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # wide tables scroll by themselves
    assert page.evaluate("document.fonts.check('16px \"Huying Sans SC\"') && document.fonts.size > 1")
    assert page.evaluate("[...document.fonts].some(font => font.status === 'loaded')")
    sizes = "[...document.querySelectorAll('p,li,td,th,dd')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    assert page.evaluate(f"Math.min(...{sizes})") >= 14
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_nothing(opening, name):
    name += "#place=T07" * name.endswith("all.html")  # of equal rows some do
    found = Axe().run(opening(name), options={"preload": False}).response  # it would load the style anew
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    left = {one["id"]: [node["html"] for node in one["nodes"]] for one in found["incomplete"]}
    assert set(left) <= SETTLED, left
    assert all(re.match(r"<(text|tspan)\b", node) for node in left.get("color-contrast", ())), left


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["zh/claim_P16.html", "en/claim_P16.html", "zh/claim_P13.html"])
def test_a_picture_has_a_role_a_name_and_text_that_can_be_read(opening, name):
    page = opening(name)
    pictures = page.evaluate(
        "[...document.querySelectorAll('svg')].map(s => [s.getAttribute('role'), s.getAttribute('aria-label')])"
    )
    assert pictures and all(role == "img" and len(told) > 10 for role, told in pictures)
    fills = page.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => [getComputedStyle(t).fill, t.textContent])"
    )
    assert len(fills) > 20
    for fill, text in fills:
        if "SYNTHETIC" in text:  # white on its own red
            continue
        assert 1.05 / (luminance(fill) + 0.05) >= 4.5, (fill, text)


def rows_shown(page):
    shown = "[...document.querySelectorAll('tbody tr')].filter(r => r.checkVisibility()).map(r => [r.dataset.claim, r.dataset.place])"
    return {tuple(pair) for pair in page.evaluate(shown)}


def latest():
    """The headlines of the ledger, of each claim and place the one of the latest wave or period that has a value."""
    rows = pd.read_parquet(RESULTS / "evidence.parquet").fillna({"wave": "", "period": "", "part": ""})
    rows = rows[rows["part"] == ""]
    rows = rows.assign(
        has=rows["estimate"].notna() & (rows["reliability"] != "too few answers"), at=rows["wave"] + rows["period"]
    )
    rows = rows.sort_values(["has", "at"], kind="stable").drop_duplicates(KEY, keep="last")
    return rows.assign(said=rows["verdict_family"].where(rows["verdict_family"] != "", rows["verdict"]))


QUERIES = [
    {},
    {"section": "P1"},
    {"verdict": "not supported"},
    {"place": "T07"},
    {"place": "county", "verdict": "cannot say"},
]
QUERIES += [{"section": "P1", "verdict": "not supported", "place": "T03"}]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_filter_and_the_other_language_show_what_the_ledger_holds(opening, query):
    page, rows = opening("zh/all.html"), latest()
    for name, value in query.items():
        page.select_option(f"#{name}", value)
    wanted = rows[rows["claim"].str.startswith(query.get("section", ""))]
    wanted = wanted[wanted["said"].eq(query["verdict"])] if "verdict" in query else wanted
    wanted = wanted[wanted["place"].eq(query["place"])] if "place" in query else wanted
    ids = set(wanted[KEY].itertuples(index=False, name=None))
    assert rows_shown(page) == ids and page.text_content("#shown") == str(len(ids))
    page.click("a.lang[lang=en]")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.lang") == "en" and rows_shown(page) == ids
    page.reload()
    assert rows_shown(page) == ids


def test_a_link_leads_to_what_is_filtered_and_back_keeps_the_place(opening):
    page = opening("index.html#P16")
    assert page.evaluate("document.querySelector('a.lang[lang=en]').hash") == "#P16"
    page.click("a[href$='verdict=not%20supported']")
    page.wait_for_load_state("load")
    assert page.input_value("#verdict") == "not supported" and page.input_value("#place") == "county"
    page.click("a.lang[lang=en]")
    page.wait_for_load_state("load")
    assert page.input_value("#verdict") == "not supported"


def test_on_a_page_of_a_claim_the_language_changes_and_the_claim_stays(opening):
    page = opening("en/claim_P16.html")
    page.click("a.lang[lang=zh]")
    page.wait_for_load_state("load")
    assert page.url.endswith("zh/claim_P16.html")


@pytest.mark.parametrize("name", ["index.html", "zh/all.html", "en/town_T07.html", "en/claim_P16.html"])
def test_without_scripts_all_is_there(opening, name):
    plain, full = opening(name, java_script_enabled=False), opening(name)
    if not full.locator("form").count():
        assert plain.inner_text("main") == full.inner_text("main") != ""
    assert not plain.locator("form:visible").count()
    assert plain.locator("tbody tr:visible").count() == full.locator("tbody tr:visible").count()


@pytest.mark.parametrize("name", ["index.html", "en/quality.html", "zh/claim_P16.html", "zh/town_T07.html"])
def test_the_keyboard_reaches_all(opening, name):
    page = opening(name)
    wanted = page.evaluate(
        """[...document.querySelectorAll('a[href],select,[tabindex="0"]')].filter(e => e.checkVisibility()).length"""
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = {0}
    for _ in range(wanted - 1):
        page.keyboard.press("Tab")
        at = """[...document.querySelectorAll('a[href],select,[tabindex="0"]')].filter(e => e.checkVisibility()).indexOf(document.activeElement)"""
        reached.add(page.evaluate(at))
    assert reached == set(range(wanted))


def test_the_start_page_and_the_folder_are_small(opening):
    page = opening("index.html")
    loaded = {
        "index.html",
        *(Path(url).name for url in page.evaluate("performance.getEntriesByType('resource').map(r => r.name)")),
    }
    files = {file.name: file.stat().st_size for file in [FOLDER / "index.html", *(FOLDER / "assets").iterdir()]}
    assert sum(files[name] for name in loaded if name in files) <= sum(files.values()) < 1_000_000
    assert sum(file.stat().st_size for file in FOLDER.rglob("*.*")) < 20_000_000


@pytest.mark.parametrize("name", KINDS)
def test_it_prints_on_a4(opening, name):
    page = opening(name)
    page.emulate_media(media="print")
    assert page.locator("nav:visible").count() == 0 and page.locator("form:visible").count() == 0
    page.set_viewport_size({"width": 673, "height": 1000})  # 178 mm at 96 to the inch
    over = (
        "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)"
    )
    assert page.evaluate(over) == []
    assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")
