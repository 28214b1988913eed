"""Every numeral of the brief and the fact sheets against the evidence ledger, read by code of its own: nothing of `src` is imported. Run by `make outside`."""

import os
import re
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = Path(os.environ.get("HUYING_RESULTS", ROOT / "results")) / "demo"
DATA, COUNTY = (
    ROOT / "src" / "huying" / "data",
    ROOT / "survey_data" / "demo",
)  # what is claimed and asked: data, no code
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NUMBER = re.compile(r"(?<![\w.\-–])[-−]?\d+(?:\.\d+)?", re.A)
VALUES = ("estimate", "low", "high", "low_family", "high_family")
TIMES = {"share": 100, "points": 100}
# Numerals that are wording: numbering, levels, dates, ids of claims, masks and calls, references to annexes.
WORDING = re.compile(
    r"(附件|Annex|annex|表|图|Table|Figure) ?\d+(?:\. )?|95%(?= ?CI|置信)|\d{4}-\d{2}-\d{2}|[A-Z]\d{2,}(?:\d+)?|5%(?= of the rows)|(?<=应计行数的)5%|(?<=不超过)0\.1(?=个百分点)|(?<=within )0\.1"
    r"|GB/T [\d.-]+|\b7 ?\+ ?5\b|20\d\d(?=年| survey| ledgers|\.|,|:)|(?<=of )20\d\d"
)
NUMBERED = re.compile(r"^(?:[\d.]+ |\d\. |（?[一二三四五六七八九十]+[、）])")


def rounded(value, unit):
    """What a value may be printed as."""
    value = value * TIMES.get(unit, 1)
    told = {f"{value:.{digits}f}" for digits in (0, 1, 2)}
    return told | {text.removeprefix("-") for text in told if not float(text)}


def numerals(text):
    return [found.replace("−", "-") for found in NUMBER.findall(WORDING.sub(" ", text))]


@pytest.fixture(scope="module")
def ledger():
    return pd.read_parquet(RESULTS / "evidence.parquet")


@pytest.fixture(scope="module")
def claims():
    return {one["id"]: one for one in tomllib.loads((DATA / "claims.toml").read_text("utf-8"))["claim"]}


@pytest.fixture(scope="module")
def allowed(ledger, claims):
    """By claim what its rows, rule and words may show; under "" what any text may."""
    house = set()
    for file in (DATA / "codebook.toml", DATA / "parts.toml", COUNTY / "county.toml", COUNTY / "report.txt"):
        house |= set(numerals(file.read_text("utf-8")))
    for file in (RESULTS / "data" / "forms").glob("*.parquet"):  # how many forms of each wave
        house |= {str(n) for n in pd.read_parquet(file, columns=["wave"])["wave"].value_counts()}
    found = {"": house}
    for key, rows in ledger.groupby("claim"):
        told = set(numerals(str(claims.get(key, ""))))
        rule = claims.get(key, {})
        lines = [rule.get("threshold"), rule.get("town_threshold"), rule.get("least", 1), 0]
        lines += [one["threshold"] for one in rule.get("subs", {}).values()]
        told |= {f"{line * times:g}" for line in lines if line is not None for times in (1, 100)}
        told |= {f"{line:.2f}" for line in lines if line is not None}
        for row in rows.to_dict("records"):
            told |= {text for name in VALUES if pd.notna(row[name]) for text in rounded(row[name], row["unit"])}
            if pd.notna(row["n"]):
                told |= {f"{row['n']:.0f}"}
                told |= {f"{row['estimate'] * row['n']:.0f}"} if pd.notna(row["estimate"]) else set()
        found[key] = told
    return found


def paragraphs(file):
    """The style and text of every paragraph, those of tables and the alternative texts of pictures too."""
    with zipfile.ZipFile(file) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))
    for line in body.iter(f"{W}p"):
        style = line.find(f"{W}pPr/{W}pStyle")
        text = "".join(piece.text or "" for piece in line.iter(f"{W}t"))
        yield style.get(f"{W}val") if style is not None else "", text
        yield from (("alt", one.get("descr")) for one in line.iter() if one.tag.endswith("}docPr") and one.get("descr"))


def claim_of(text, claims, lang):
    """The claim that a text speaks of: the one whose words, the longest, stand in it."""
    words = {
        key: [one[lang]] + ([one["town"][lang].replace("{place}", "")] if "town" in one else [])
        for key, one in claims.items()
    }
    hits = [(len(word), key) for key, own in words.items() for word in own if word and word in text]
    return max(hits)[1] if hits else ""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_numeral_of_the_brief_is_the_ledgers(lang, ledger, claims, allowed):
    file = RESULTS / "brief" / f"brief_{lang}.docx"
    assert file.is_file(), f"no {file}: run huying brief demo --lang zh en"
    everything, wrong, n = set().union(*allowed.values()), [], 0
    report = (COUNTY / "report.txt").read_text("utf-8")
    headlines = ledger[(ledger["part"] == "")]
    counted = {str(count) for count in range(len(headlines["claim"].unique()) + 1)}  # statements, towns: counts of rows
    for style, text in paragraphs(file):
        if style.startswith(("toc", "TOC", "OwnText")):
            continue
        body = NUMBERED.sub("", text) if style.startswith("Heading") else text
        claim = claim_of(body, claims, lang)
        own = allowed.get(claim, set()) | allowed[""] if claim and "；" not in body and ";" not in body else everything
        other = counted if not claim or ("：" not in body and ":" not in body) else set()
        for number in numerals(body):
            n += 1
            is_quoted = len(body) > 20 and body.strip() in report
            if number not in own | other | ({"1", "2"} if claim else set()) and not is_quoted:
                wrong.append((claim, number, body[:80]))
    assert n > 300 and wrong == []


def test_the_table_of_towns_is_the_ledgers(ledger, claims):
    """Each cell of annex 5: the value of the town's latest headline, in its unit."""
    with zipfile.ZipFile(RESULTS / "brief" / "brief_zh.docx") as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))
    names = {one["zh"]: key for key, one in claims.items()}
    heads = ledger[(ledger["part"] == "") & ledger["estimate"].notna()]
    heads = heads.assign(at=heads["wave"].where(heads["wave"] != "", heads["period"])).sort_values("at", kind="stable")
    latest = {(row["claim"], row["place"]): row for row in heads.to_dict("records")}
    order = list(dict.fromkeys(place for place in ledger["place"] if place.startswith("T")))
    checked = 0
    for table in body.iter(f"{W}tbl"):
        rows = [
            ["".join(t.text or "" for t in cell.iter(f"{W}t")) for cell in line.iter(f"{W}tc")]
            for line in table.iter(f"{W}tr")
        ]
        if rows[0][0] != "镇街":
            continue
        assert len(rows) - 1 == len(order)
        for place, cells in zip(sorted(order), rows[1:], strict=True):
            for title, cell in zip(rows[0][1:], cells[1:], strict=True):
                row, shown = latest.get((names[title], place)), numerals(re.sub(r"\[.*", "", cell))
                assert bool(shown) <= bool(row), (place, title, cell)
                if shown:
                    checked += 1
                    assert shown[0] in rounded(row["estimate"], row["unit"]), (place, title, cell)
                    assert cell.endswith("%") or "%" in cell or row["unit"] != "share"
                    assert ("●" in cell) == (row["verdict_family"] == claims[names[title]]["problem_if"])
    assert checked > 200


def test_forty_changes_to_the_ledger_each_show(ledger, allowed):
    """A number that the ledger does not hold is not allowed: the test above would find it."""
    shares = ledger[(ledger["unit"] == "share") & (ledger["part"] == "") & (ledger["place"] == "county")].head(40)
    seen = 0
    for row in shares.to_dict("records"):
        if pd.notna(row["estimate"]):
            other = row["estimate"] * 0.37 + 0.0713
            seen += not (rounded(other, "share") - {f"{other * 100:.0f}"}) <= allowed[row["claim"]]
    assert seen >= len(shares.dropna(subset="estimate")) * 0.95


def test_every_numeral_of_the_sheets_is_the_ledgers(ledger, claims, allowed):
    files = sorted((RESULTS / "sheets").glob("*.docx"))
    assert files, f"no sheets in {RESULTS}/sheets: run huying sheets demo --lang zh en"
    everything, wrong = set().union(*allowed.values()) | {str(n) for n in range(60)}, []
    for file in files:
        for _, text in paragraphs(file):
            wrong += [
                (file.stem, number, text[:60])
                for number in numerals(NUMBERED.sub("", text))
                if number not in everything
            ]
    assert wrong == []
