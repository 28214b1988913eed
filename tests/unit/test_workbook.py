"""The workbook on a small ledger written by hand: every number, its format and unit, hidden values, links, both languages, no formula."""

import openpyxl
import pandas as pd
import pytest

from huying import cli, counties, words
from huying.claims.evidence import EVIDENCE
from huying.deliver.content import Content
from huying.deliver.workbook import write_workbook
from huying.units import read_lists

HEAD = '[county]\nid = "x"\nname_zh = "某县"\nname_en = "=1+1"\nsampling = "probability"\nis_synthetic = true\n'
LEDGERS = '[[ledger]]\ntable = "towns"\nfile = "towns.csv"\n'
HOSTILE = ["=1+1", "<script>", "很" * 100]


@pytest.fixture
def county(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))
    (tmp_path / "county.toml").write_text(HEAD + LEDGERS, "utf-8")
    rows = [f"T0{n},{name},{name},镇" for n, name in enumerate(HOSTILE, 1)]
    (tmp_path / "towns.csv").write_text("\n".join(["town_id,name_zh,name_en,type", *rows]) + "\n", "utf-8")
    return tmp_path


def ledger(*rows):
    """Rows of the evidence ledger with what a test names; the rest is blank."""
    base = dict.fromkeys(EVIDENCE, "") | dict.fromkeys(("estimate", "low", "high", "n", "n_eff", "df", "deff", "low_family", "high_family"), float("nan"))  # fmt: skip
    base |= {
        "is_counted": False,
        "is_synthetic": True,
        "reliability": "ok",
        "wave": "2023",
        "n_of": "residents",
        "unit": "share",
    }
    return pd.DataFrame([{**base, **row} for row in rows], columns=EVIDENCE)


LEDGER = ledger(
    {"claim": "P16", "place": "T01", "estimate": 0.4996, "low": 0.44, "high": 0.5, "low_family": 0.41, "high_family": 0.53, "n": 200, "verdict": "supported", "verdict_family": "cannot say", "reason": "interval includes the threshold"},
    {"claim": "P16", "place": "T02", "estimate": 0.2, "low": 0.1, "high": 0.3, "n": 50, "verdict": "supported", "verdict_family": "supported"},
    {"claim": "P16", "place": "T03", "estimate": 0.9, "low": 0.1, "high": 0.99, "n": 7, "verdict": "cannot say", "verdict_family": "cannot say", "reliability": "too few answers", "reason": "too few answers"},
    {"claim": "P16", "place": "county", "estimate": 0.382, "low": 0.345, "high": 0.419, "n": 1139, "verdict": "supported", "verdict_family": "supported"},
    {"claim": "A12", "place": "county", "estimate": 0.466, "n": 18, "n_of": "towns", "unit": "points", "wave": "", "period": "2022", "is_counted": True, "verdict": "supported", "verdict_family": "supported"},
)  # fmt: skip


def table(book, sheet):
    """The rows below the header of a sheet as (value, format) by header."""
    rows = list(book[sheet].iter_rows(min_row=3))
    heads = [cell.value for cell in rows[0]]
    return [{head: (cell.value, cell.number_format) for head, cell in zip(heads, row, strict=True)} for row in rows[1:]]


def made(county, lang, evidence=LEDGER):
    file = county / f"{lang}.xlsx"
    write_workbook(Content(counties.county(county, lang), evidence), file)
    return openpyxl.load_workbook(file)


def test_numbers_are_numbers_in_the_digits_of_their_sentence(county):
    rows = table(made(county, "en"), "Evidence by claim")
    assert [row["value"] for row in rows] == [
        (0.4996, "0.00%"),
        (0.2, "0%"),
        ("*", "General"),
        (0.382, "0.0%"),
        (46.6, "0"),
    ]
    assert [(row["low"][0], row["high"][0]) for row in rows[:2]] == [
        (0.41, 0.53),
        (0.1, 0.3),
    ]  # after adjustment, where there is one
    assert rows[2]["low"][0] == "*" and [row["unit"][0] for row in rows] == ["%"] * 4 + ["percentage points"]
    assert [row["n"][0] for row in rows] == [200, 50, 7, 1139, 18] and rows[4]["n of what"][0] == "towns"
    assert [row["verdict"][0] for row in rows[:2]] == ["cannot say", "supported"]
    assert [row["name"][0] for row in rows[:3]] == HOSTILE


def test_towns_across_claims(county):
    book = made(county, "zh")
    rows = table(book, "镇街与论断：数值")
    head = next(name for name in rows[0] if name.startswith("P16"))
    assert [row["编号"][0] for row in rows] == ["T01", "T02", "T03", "county"]
    assert [row[head][0] for row in rows] == [0.4996, 0.2, "*", 0.382]
    assert [row[head][0] for row in table(book, "镇街与论断：结论")] == ["证据不足", "支持", "证据不足", "支持"]


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_no_formula_links_that_lead_somewhere_and_the_mark_of_synthetic_data(county, lang):
    book = made(county, lang)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    cover = book[book.sheetnames[0]]
    links = [
        cell.hyperlink.location.split("!")[0].strip("'") for row in cover.iter_rows() for cell in row if cell.hyperlink
    ]
    assert set(links) == set(book.sheetnames[1:])
    assert any("合成数据" in str(cell.value) for row in cover.iter_rows() for cell in row)
    for sheet in book.worksheets[2:]:
        assert "合成数据" in sheet["A1"].value and sheet.freeze_panes and len(sheet.tables) == 1


def test_every_unit_of_the_closed_list(county):
    rows = [
        {"claim": "P16", "place": "county", "part": unit, "estimate": 0.25, "n": 120, "unit": unit}
        for unit in read_lists()["unit"]
    ]
    for lang in words.LANGUAGES:
        book = made(county, lang, ledger(*rows))
        told = table(book, book.sheetnames[2])
        head = {"zh": ("数值", "单位"), "en": ("value", "unit")}[lang]
        assert [row[head[0]][0] for row in told] == [25 if unit == "points" else 0.25 for unit in read_lists()["unit"]]
        assert all(row[head[1]][0] for row, unit in zip(told, read_lists()["unit"], strict=True) if unit != "index")


def test_the_verb(county, capsys):
    assert cli.main(["workbook", str(county), "--lang", "en"]) == 2
    assert "no evidence ledger yet" in capsys.readouterr().err
    LEDGER.to_csv(county / "elsewhere.csv", index=False, encoding="utf-8-sig")
    assert (
        cli.main(
            [
                "workbook",
                str(county),
                "-o",
                str(county / "out"),
                "--evidence",
                str(county / "elsewhere.csv"),
                "--lang",
                "zh",
                "en",
            ]
        )
        == 0
    )
    assert sorted(file.name for file in (county / "out").iterdir()) == ["workbook_en.xlsx", "workbook_zh.xlsx"]
    again = table(openpyxl.load_workbook(county / "out" / "workbook_en.xlsx"), "Evidence by claim")
    assert [row["value"] for row in again] == [row["value"] for row in table(made(county, "en"), "Evidence by claim")]
