"""Every numeral on the demo county's pages against the evidence ledger, read by code of its own: nothing of `src` is imported. Run by `make outside`."""

import os
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = Path(os.environ.get("HUYING_RESULTS", ROOT / "results")) / "demo"
PAGES = sorted((RESULTS / "page").rglob("*.html"))
KEY = ["claim", "place", "period", "wave", "part"]
TIMES = {"share": 100, "points": 100}
NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:\.\d+)?", re.A)
# Numerals of the wording itself: the level of intervals, the least number that is some, the share of rejected rows worth a word.
FIXED = re.compile(
    r"95%(?= ?CI|置信)|at least 1\b|至少1(?=\D)|(?<=[mM]ore than )5%(?= of the rows)|(?<=超过应计行数的)5%"
)
VOID = {"meta", "link", "br"}
DATA = ROOT / "src" / "huying" / "data"  # what is claimed and asked, with its own numerals: data, no code


class Reader(HTMLParser):
    """The texts of a page with the attributes of the elements that they stand in, nearest first."""

    def __init__(self, file):
        super().__init__()
        self.open, self.texts, self.rows = [], [], []
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append((dict(attrs), {}))

    def handle_endtag(self, tag):
        while tag not in VOID and self.open.pop()[0] != tag:
            pass

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, text):
        if not text.strip():
            return
        self.texts.append((text, [(tag, attrs) for tag, attrs in reversed(self.open)]))
        for tag, attrs in reversed(self.open):
            if tag in ("td", "th"):
                cells = self.rows[-1][1]
                name = attrs.get("class", tag)
                cells[name] = cells.get(name, "") + text


@pytest.fixture(scope="module")
def ledger():
    rows = pd.read_parquet(RESULTS / "evidence.parquet").fillna(dict.fromkeys(KEY, ""))
    assert PAGES, f"no pages in {RESULTS}/page: run huying page demo --lang zh en"
    return {tuple(row[name] for name in KEY): row for row in rows.to_dict("records")}


def numerals(text):
    return [found.replace("−", "-") for found in NUMBER.findall(FIXED.sub("", text))]


def is_rounded(told, value):
    """Whether a numeral is the value rounded to the digits that it has, either way at a half."""
    digits = len(told.partition(".")[2])
    return abs(float(told) - value) <= 0.5 * 10**-digits + 1e-6 * max(1, abs(value))


def limits_of(row):
    own = (row["low_family"], row["high_family"])
    return (row["low"], row["high"]) if all(pd.isna(one) for one in own) else own


def numbers_of(row):
    """Every number that may be said of a row: its value, its limits before and after adjustment, n, how many of n."""
    times = TIMES.get(row["unit"], 1)
    found = [times * row[name] for name in ("estimate", "low", "high", "low_family", "high_family")]
    found += [row["n"], row["estimate"] * row["n"]]
    return [one for one in found if pd.notna(one)]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_rows_of_tables(file, ledger):
    for attrs, cells in Reader(file).rows:
        if "data-claim" not in attrs:
            continue
        row = ledger[tuple(attrs[f"data-{name}"] for name in KEY)]
        times, at = TIMES.get(row["unit"], 1), (file.name, attrs)
        is_silent = row["reliability"] == "too few answers" or pd.isna(row["estimate"])
        if "of-value" in cells or not is_silent:
            told = numerals(cells.get("of-value", "")) or (["nothing"] if "of-value" in cells else [])
            assert not is_silent or told == ["nothing"], at
            assert not told or is_rounded(told[0], times * row["estimate"]), (at, told, row["estimate"])
            words = cells.get("of-value", "")
            assert ("%" in words) == (row["unit"] == "share" and bool(words)), (at, words)
        assert attrs["data-verdict"] == (row["verdict_family"] or row["verdict"]), at
        if told := numerals(cells.get("of-n", "")):
            assert is_rounded(told[0], row["n"]), (at, told)
        if told := numerals(cells.get("of-interval", "")):
            known = [times * one for one in limits_of(row) if pd.notna(one)]
            assert len(told) == len(known), (at, told, known)
            assert all(map(is_rounded, sorted(told, key=float), sorted(known))), (at, told, known)


def own_numerals():
    """Numerals by claim that stand in what is claimed, its rule and its measure, in the question and in the report: words, not findings."""
    raw = tomllib.loads((DATA / "claims.toml").read_text("utf-8"))["claim"]
    return {
        claim["id"]: set(numerals(str(claim))) | {f"{100 * claim['threshold']:g}", f"{claim['threshold']:g}"}
        for claim in raw
    }


@pytest.mark.parametrize("file", PAGES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_sentences(file, ledger):
    words, checked = own_numerals(), 0
    for text, around in Reader(file).texts:
        near = next((attrs for _, attrs in around if "data-claim" in attrs and "data-part" not in attrs), None)
        if near is None or "data-place" not in near or not (told := numerals(text)):
            continue
        claim, place = near["data-claim"], near["data-place"]
        rows = [row for key, row in ledger.items() if key[0] == claim and key[1] == place]
        known = [number for row in rows for number in numbers_of(row)]
        known += [float(when) for row in rows for when in (row["wave"], row["period"]) if when.isdigit()]
        known += [float(n) for row in rows for n in NUMBER.findall(row["rule"])]
        known += [100 * float(n) for row in rows for n in NUMBER.findall(row["rule"])]
        for one in told:
            assert one in words.get(claim, ()) or any(is_rounded(one, number) for number in known), (one, text, claim)
            checked += 1
    assert checked or not re.match(r"index|claim|town", file.stem) or file.stem.startswith("claim_")


@pytest.mark.parametrize(
    "file",
    [file for file in PAGES if file.stem.startswith("claim_")],
    ids=lambda file: f"{file.parent.name}-{file.stem}",
)
def test_values_beside_the_marks_of_a_chart(file, ledger):
    page = Reader(file)
    drawn = [text for text, around in page.texts if any(tag == "svg" for tag, _ in around)]
    if not any(tag != "title" for text, around in page.texts for tag, _ in around if tag == "svg"):
        return
    rows = [ledger[tuple(attrs[f"data-{name}"] for name in KEY)] for attrs, _ in page.rows if "data-claim" in attrs]
    rows = [row for row in rows if row["part"] == ""]
    at = max((row["wave"], row["period"]) for row in rows if row["place"] == "county")
    rows = [row for row in rows if row["place"] != "county" and (row["wave"], row["period"]) == at]
    rows = [row for row in rows if pd.notna(row["estimate"]) and row["reliability"] != "too few answers"]
    values = [
        (found[1].replace(",", ""), found[2])
        for text in drawn
        if (found := re.fullmatch(r"(-?[\d,]+(?:\.\d+)?)(%?)", text.strip().replace("−", "-")))
    ]
    if len(values) < len(rows):  # all places are alike, or nothing varies: a sentence in place of marks
        assert len(values) < 12
        return
    for row in rows:
        fits = [
            one
            for one, sign in values
            if is_rounded(one, row["estimate"] * (100 if sign or row["unit"] == "points" else 1))
        ]
        assert fits, (file.name, row["place"], row["estimate"])


@pytest.mark.parametrize("name", ["index.html", "index_en.html"])
def test_how_many_statements_have_each_verdict(name, ledger):
    raw = {claim["id"]: claim for claim in tomllib.loads((DATA / "claims.toml").read_text("utf-8"))["claim"]}
    heads, first = {}, {}
    for (claim, place, _, _, part), row in sorted(ledger.items(), key=lambda item: item[0][3] + item[0][2]):
        first.setdefault(claim, place)
        if part == "" and not raw[claim].get("same_as"):
            has = pd.notna(row["estimate"]) and row["reliability"] != "too few answers"
            heads[claim, place] = row if has or (claim, place) not in heads else heads[claim, place]
    pilot = {key: row for key, row in heads.items() if (key[0], "county") not in heads and key[1] == first[key[0]]}
    heads = {key: row for key, row in heads.items() if key[1] == "county"} | pilot
    wanted = pd.Series([row["verdict_family"] or row["verdict"] for row in heads.values()]).value_counts().to_dict()
    told = [
        text
        for text, around in Reader(RESULTS / "page" / name).texts
        if any(attrs.get("class") == "tally" for _, attrs in around)
    ]
    assert sorted(map(int, told)) == sorted(wanted.values())


@pytest.mark.parametrize("name", ["zh/quality.html", "en/quality.html"])
def test_counts_of_rows(name):
    counts = pd.read_csv(RESULTS / "counts.csv", encoding="utf-8-sig")
    told = Reader(RESULTS / "page" / name)
    cells = [text for text, around in told.texts if any(tag == "td" for tag, _ in around)]
    numbers = [int(text) for text in cells if re.fullmatch(r"\d+", text)]
    columns = counts[["n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags"]].to_numpy().ravel().tolist()
    assert numbers[: len(columns)] == columns
    rejected = len(pd.read_csv(RESULTS / "rejected.csv", encoding="utf-8-sig"))
    flags = len(pd.read_csv(RESULTS / "flags.csv", encoding="utf-8-sig"))
    assert sum(numbers[len(columns) :]) == rejected + flags
