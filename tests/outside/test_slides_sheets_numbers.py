"""Every sentence and numeral of slides and fact sheets against the evidence ledger, read by code of its own. Run by `make outside`."""

import functools
import re
import zipfile
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import pandas as pd
import pytest
from delivered import COUNTIES, DATA, DEMO, RESULTS, claims, folder, ledger, names, words
from reading import NOUNS, UNITS, is_as, noun_of, read
from test_brief_numbers import paragraphs
from test_statements import unsound
from test_workbook_sheets import VERDICT_WORDS, WHEN, is_stated, limits_of

LANGUAGES = ("zh", "en")
A, C = (
    "{http://schemas.openxmlformats.org/drawingml/2006/main}",
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}",
)
DIGITS = re.compile(r"(?<![\w.\-–])[-−]?\d+(?:\.\d+)?", re.A)
# Numerals that are wording: the level of intervals, numbering, days, ids of claims and calls, years of waves and periods.
WORDING = re.compile(
    r"95%(?= ?CI|置信)|95%(?= confidence)|^\d\. |\d{4}-\d{2}-\d{2}|[A-Z]\d{2,}|20\d\d(?=年| survey| ledgers|: \d+ valid)|(?<=of )20\d\d"
)
WORDS = {
    lang: "|".join(sorted({word for word in [*UNITS[lang].values(), *(both[lang == "en"] for both in NOUNS.values())] if word}, key=len, reverse=True))
    for lang in LANGUAGES
}  # fmt: skip
KNOWN_IN = (
    "claims.toml",
    "codebook.toml",
    "parts.toml",
    "indicators.toml",
    "words/claims.toml",
)  # words with numerals of their own


def told(text, lang):
    """Every number of a text with the unit or noun behind it, empty where there is none."""
    space = " ?" if lang == "en" else ""
    for found in DIGITS.finditer(text := WORDING.sub(" ", text)):
        word = re.match(rf"{space}({WORDS[lang]})(?![a-z])", text[found.end() :])
        yield found[0].replace("−", "-"), word[1].strip() if word else ""


def unit_of(word, lang):
    """The unit or noun that a word is."""
    found = [unit for unit, pattern in UNITS[lang].items() if pattern and re.fullmatch(pattern.strip(), word)]
    return {*found, noun_of(word, lang)} - {""}


@functools.cache
def wording(lang):
    """Numbers with their words that stand in what is claimed, asked and said of every county."""
    files = [*(DATA / name for name in KNOWN_IN), DEMO / "report.txt"]
    return {pair for file in files for line in file.read_text("utf-8").splitlines() for pair in told(line, lang)}


@functools.cache
def rows_at(county, *places):
    rows = ledger(county)
    return [row for row in rows.to_dict("records") if row["place"] in places]


def is_known(shown, word, county, places, lang):
    """Whether the ledger holds a number in this unit, or so many of what the noun says, at these places."""
    kinds = unit_of(word, lang)
    for row in rows_at(county, *places):
        if not word or row["unit"] in kinds or (row["unit"] == "count" and kinds):
            values = [row["estimate"], *limits_of(row)]
            if any(is_as(shown, value, row["unit"]) for value in values if pd.notna(value)):
                return True
        if not word or row["n_of"] in kinds:
            n, k = row["n"], row["estimate"] * row["n"]
            if any(is_as(shown, one, "") for one in (n, k) if pd.notna(one)):
                return True
    return False


@functools.cache
def thresholds(lang):
    """The thresholds of all claims, in every way in which a unit may show them."""
    found = set()
    for claim in claims().values():
        rules = [claim, *claim.get("subs", {}).values()]
        lines = [rule[key] for rule in rules for key in ("threshold", "town_threshold", "least") if key in rule]
        found |= {f"{round(times * line, 9):g}" for line in lines for times in (1, 100)}
    return found | {"1"}


def strange(text, county, places, lang, others=frozenset()):
    """The numbers of a text, with their words, that neither the ledger nor the wording holds."""
    return [
        (shown, word)
        for shown, word in told(text, lang)
        if (shown, word) not in wording(lang)
        and shown not in others
        and shown not in thresholds(lang)
        and not is_known(shown, word, county, places, lang)
    ]


def said_of(row, county, lang):
    """What is claimed of a row's place, in the forms that it may have."""
    claim = claims()[row["claim"]]
    own = [claim[form][lang] for form in ("town", "department") if form in claim]
    return [
        claim[lang],
        *(text.replace("{place}", names(county, lang).get(row["place"], row["place"])) for text in own),
    ]


def readings(text, county, places, lang):
    """For a sentence with a verdict what is wrong with it beside the row that fits it best; nothing for any other text."""
    heads = "|".join(VERDICT_WORDS[lang].values())
    if not re.search(rf"[：:] ?({heads})[。.]", text):
        return None
    found = read(text, lang)
    if not found["verdict"] or (found["value"] is None and found["n"] is None):
        return None
    rows = [
        row
        for row in rows_at(county, *places)
        if not row["part"] and any(one.casefold() in text.casefold() for one in said_of(row, county, lang))
    ]
    bad = [unsound(SimpleNamespace(**row), None, found, lang) for row in rows]
    return min(bad, key=len, default=["no such row"])


# --- slides ------------------------------------------------------------------------------------------------------------------


@functools.cache
def slides(county, lang):
    """Every paragraph of the slides with where it stands (slide, notes, alternative text), and the numbers of native charts."""
    texts, numbers = [], []
    with zipfile.ZipFile(folder(county) / "slides" / f"slides_{lang}.pptx") as package:
        for name in sorted(package.namelist()):
            if re.fullmatch(r"ppt/(slides|notesSlides)/\w+\.xml", name):
                root = ElementTree.fromstring(package.read(name))
                texts += [(name, "".join(t.text or "" for t in p.iter(f"{A}t"))) for p in root.iter(f"{A}p")]
                texts += [
                    ("alt", one.get("descr")) for one in root.iter() if one.tag.endswith("}cNvPr") and one.get("descr")
                ]
            if re.fullmatch(r"ppt/charts/chart\w*\.xml", name):
                values = ElementTree.fromstring(package.read(name)).iter(f"{C}v")
                numbers += [one.text for one in values if re.fullmatch(r"-?\d+(\.\d+)?", one.text or "")]
    return texts, numbers


def heads_of(county):
    """The places that slides speak of: the county, and where a claim has none of it another."""
    return tuple(ledger(county)["place"].unique())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_every_sentence_of_the_slides_is_its_rows(county, lang):
    texts, numbers = slides(county, lang)
    found = [(bad, text) for _, text in texts if (bad := readings(text, county, heads_of(county), lang)) is not None]
    assert len(found) >= 10 and not [one for one in found if one[0]]
    assert all(is_known(one, "", county, heads_of(county), lang) for one in numbers)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_every_numeral_of_the_slides_is_the_ledgers(county, lang):
    texts, _ = slides(county, lang)
    counts = {str(len(claims())), *map(str, range(1, 60))} if county == "demo" else set(map(str, range(60)))
    wrong, n = [], 0
    for _, text in texts:
        is_list = re.match(
            r"另有\d+条|\d+ more |台账和登记表|\d+ ledgers", text
        )  # counts of lines, files and rejected rows
        others = counts if is_list else forms() if county == "demo" and is_form(text, lang) else frozenset()
        n += len(list(told(text, lang)))
        wrong += [(bad, text) for bad in strange(text, county, heads_of(county), lang, others)]
    assert n > 30 and not wrong, wrong[:8]


@functools.cache
def forms():
    """How many forms of each wave there are."""
    frames = [pd.read_parquet(file, columns=["wave"]) for file in (RESULTS / "data" / "forms").glob("*.parquet")]
    return frozenset(str(n) for frame in frames for n in frame["wave"].value_counts())


def is_form(text, lang):
    return any(one[lang] in text for key, one in words("labels").items() if key.startswith("form_"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_title_of_a_finding_says_what_its_sentence_says(lang):
    """Number and verdict of a title are those of the sentence below it, and of the alternative text of its picture."""
    texts, _ = slides("demo", lang)
    by_slide, checked = {}, 0
    for name, text in texts:
        by_slide.setdefault(name, []).append(text)
    del by_slide["alt"]
    for title, *lines in by_slide.values():
        for said in (read(line, lang) for line in lines if readings(line, "demo", ("county",), lang) is not None):
            assert VERDICT_WORDS[lang][said["verdict"]] in title, lines
            shown = [number for number, word in told(title, lang) if word and (number, word) not in wording(lang)]
            assert all(float(number) in (said["value"], said["n"]) for number in shown), (title, lines)
            checked += 1
    assert checked >= 4


# --- fact sheets ---------------------------------------------------------------------------------------------------------------


@functools.cache
def sheets(county, lang):
    """The paragraphs of every fact sheet, by place."""
    files = sorted((folder(county) / "sheets").glob(f"*_{lang}.docx"))
    return {file.name.partition("_")[0]: [text for _, text in paragraphs(file)] for file in files}


class Text(HTMLParser):
    """The texts of a page."""

    def __init__(self, file):
        super().__init__()
        self.found, self.is_style = "", False
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.is_style = tag == "style"
        self.found += dict(attrs).get("alt") or "" if tag == "img" else ""

    def handle_data(self, data):
        self.found += "" if self.is_style else data


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_sheets_say_the_same_in_word_and_as_a_page(county, lang):
    places = [place for place in names(county, lang) if place[0] in "TK"]
    assert [*sheets(county, lang)] == sorted(places) or set(places) < set(sheets(county, lang))
    for file in (folder(county) / "sheets").glob(f"*_{lang}.html"):
        page = re.sub(r"\s", "", Text(file).found)
        lines = [re.sub(r"^\d\. |\s", "", line) for line in sheets(county, lang)[file.name.partition("_")[0]]]
        assert [line for line in lines if line not in page] == [], file.name


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_every_sentence_of_the_sheets_is_its_rows(county, lang):
    wrong, n = [], 0
    for place, lines in sheets(county, lang).items():
        for line in lines:
            if not line.endswith("…") and (bad := readings(line, county, (place,), lang)) is not None:
                wrong, n = wrong + [(bad, line)] * bool(bad), n + 1
    assert n > (60 if county == "demo" else 5) and not wrong, (n, len(wrong), wrong[:6])


def figures(lines, lang):
    """The rows of the table of figures: measure, when, here, n, county, verdict."""
    heads = [
        words("deliver")[f"sheet_col_{key}"][lang] for key in ("measure", "when", "here", "n", "county", "verdict")
    ]
    at = next((n for n in range(len(lines)) if lines[n : n + 6] == heads), None)
    rows = []
    while (
        at is not None
        and len(cells := lines[at + 6 : at + 12]) == 6
        and cells[5].rstrip(" ●") in VERDICT_WORDS[lang].values()
    ):
        rows, at = [*rows, cells], at + 6
    return rows


def fits(cells, row, lang):
    """Whether a line of figures is what a row of the ledger says."""
    when = WHEN[lang]["wave"].format(row["wave"]) if row["wave"] else WHEN[lang]["period"].format(row["period"])
    ((shown, word), *_), counted = [*told(cells[2], lang), ("nan", "")], list(told(cells[3], lang))
    is_noun = not counted or cells[3].endswith("…") or row["n_of"] in unit_of(counted[0][1], lang)
    unit = row["unit"] in unit_of(word, lang) or row["unit"] in ("index", "count", "per_thousand")
    is_problem = (row["verdict_family"] or row["verdict"]) == claims()[row["claim"]]["problem_if"]
    return (
        cells[1] == (when if row["wave"] or row["period"] else "–")
        and unit
        and is_as(shown, row["estimate"], row["unit"])
        and (not counted or float(counted[0][0]) == row["n"])
        and is_noun
        and cells[5].rstrip(" ●") == VERDICT_WORDS[lang][row["verdict_family"] or row["verdict"]]
        and ("●" in cells[5]) == is_problem
    )


def county_fits(cell, row, county, lang):
    """Whether the cell of the county is what the ledger says of the same claim, wave and period."""
    same = [
        one
        for one in rows_at(county, "county")
        if not one["part"] and all(one[key] == row[key] for key in ("claim", "wave", "period"))
    ]
    if cell == "–":
        return not any(map(is_stated, same))
    shown, _ = next(told(cell, lang))
    return any(is_as(shown, one["estimate"], one["unit"]) for one in same if is_stated(one))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_every_row_of_figures_is_the_ledgers(county, lang):
    wrong, n = [], 0
    for place, lines in sheets(county, lang).items():
        rows = [row for row in rows_at(county, place) if not row["part"] and is_stated(row)]
        for cells in figures(lines, lang):
            own, n = [row for row in rows if fits(cells, row, lang)], n + 1
            if not any(county_fits(cells[4], row, county, lang) for row in own):
                wrong.append((place, cells, len(own)))
    assert n > (120 if county == "demo" else 40) and not wrong, (len(wrong), n, wrong[:6])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_every_numeral_of_the_sheets_stands_in_the_ledger_of_its_place(county, lang):
    wrong = []
    for place, lines in sheets(county, lang).items():
        for line in lines:
            is_more = re.match(r"另有\d+|And \d+ more|(?:一|二|三)、|\d\. ", line)
            others = (
                set(map(str, range(80)))
                if is_more and "…" not in line and not read(line, lang)["verdict"]
                else frozenset()
            )
            text = line.removesuffix("…") if not line.endswith("…") else re.sub(r"[\d.]+…$", "", line)
            text = text.replace(names(county, lang).get(place, place), " ")
            wrong += [(place, bad, line) for bad in strange(text, county, (place, "county"), lang, others)]
    assert not wrong, (len(wrong), wrong[:8])


@pytest.mark.parametrize("column", ["estimate", "n", "n_of", "unit", "verdict_family"])
def test_a_change_of_the_ledger_shows(column, monkeypatch):
    """The findings of the slides no longer fit where every headline of the county is changed."""
    rows = ledger("demo").copy()
    changed = {
        "estimate": rows["estimate"] * 0.8 + 0.013,
        "n": rows["n"] + 1,
        "n_of": "loans",
        "unit": "days",
        "verdict_family": "no baseline",
    }
    rows[column] = changed[column]
    monkeypatch.setattr(
        "test_slides_sheets_numbers.rows_at",
        lambda county, *places: [row for row in rows.to_dict("records") if row["place"] in places],
    )
    for lang in LANGUAGES:
        texts, _ = slides("demo", lang)
        found = [bad for _, text in texts if (bad := readings(text, "demo", ("county",), lang)) is not None]
        assert found and all(found)
