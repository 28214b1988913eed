"""Strings that try to be more than text stay text: in pages, charts, csv and template workbooks."""

import csv
import html.parser
import io
import zipfile

import matplotlib.pyplot as plt
import openpyxl
import pandas as pd
import pytest
from hostile_strings import HOSTILE, survives

import huying as hy
from huying.cli import main
from huying.notebooks import page
from huying.store import FORMULA, write_csv

NAMES = [survives(text) for text in HOSTILE]


class Live(html.parser.HTMLParser):
    """What of a page is alive or comes from elsewhere, and its text."""

    def __init__(self, content):
        super().__init__()
        self.found, self.text = [], []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, *pair) for pair in attrs if pair[0].startswith("on") or "javascript:" in (pair[1] or "")]
        self.found += [tag] * (tag in ("script", "iframe", "svg", "object", "embed", "form"))
        self.found += [attrs] * (tag == "img" and not dict(attrs).get("src", "").startswith("data:"))

    def handle_data(self, data):
        self.text.append(data)


def test_there_are_enough():
    assert len(HOSTILE) == len(set(HOSTILE)) >= 30


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """A county whose towns, options and free texts are such strings."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("HUYING_HOME", str(home))
        patch.setenv("HUYING_RESULTS", str(home / "results"))
        (home / "survey_data").mkdir()
        n = 8 * len(HOSTILE)
        told = [HOSTILE[k % len(HOSTILE)] for k in range(n)]
        table = {"序号": range(1, n + 1), "提交答卷时间": "2023/5/8 10:00:00", "所在镇街": "东镇", "1、您认为哪个对": told,
                 "2、说说": [f"{text}{k}" for k, text in enumerate(told)], f"3、{HOSTILE[0]}": ["是", "否"] * (n // 2)}  # fmt: skip
        pd.DataFrame(table).to_csv(home / "export.csv", index=False, lineterminator="\r\n")
        assert main(["new", "own", "export.csv", "--town", "所在镇街"]) == 0
        folder = home / "survey_data" / "own"
        rows = [{"town_id": "T01", "name_zh": "东镇", "name_en": "East", "type": "town"}]
        rows += [
            {"town_id": f"H{k:02}", "name_zh": text[:100], "name_en": f"{text[:90]} {k}", "type": "town"}
            for k, text in enumerate(HOSTILE)
        ]
        pd.DataFrame(rows).to_csv(folder / "towns.csv", index=False)
        assert main(["check", "own"]) == 0
        yield hy.county("own", lang="zh"), home


def test_pages_hold_text_only(county, tmp_path):
    opened, _ = county
    survey = opened.survey("resident")
    free = next(name for name in survey.frame if survey.frame[name].astype(str).str.contains("alert").any())
    shown = [
        hy.show(survey.frame[[free]].drop_duplicates(), rows=100),
        hy.show(survey.topline("q1"), rows=100),
        opened,
        survey,
    ]
    assert all(Live(one._repr_html_()).found == [] for one in shown if hasattr(one, "_repr_html_"))
    cells = [{"cell_type": "code", "outputs": [{"output_type": "display_data", "data": {"text/html": one._repr_html_(), "text/plain": repr(one)}}]}
             for one in shown if hasattr(one, "_repr_html_")]  # fmt: skip
    cells += [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": text}]} for text in NAMES]
    cells += [
        {"cell_type": "code", "outputs": [{"output_type": "error", "ename": "E", "evalue": text}]} for text in NAMES
    ]
    (tmp_path / "n.ipynb").write_text(pd.io.json.ujson_dumps({"cells": cells}), "utf-8")
    made = Live(page(tmp_path / "n.ipynb", "zh"))
    assert made.found == []
    text = "".join(made.text)
    assert [name for name in NAMES if name.strip() not in text] == []


@pytest.mark.filterwarnings("ignore:Glyph")  # what the font lacks is told by check, and drawn as a box
def test_charts_are_drawn(county):
    opened, _ = county
    survey = opened.survey("resident")
    survey.derive("said_yes", "q3 = o1")
    for ax in (hy.charts.bars(survey.topline("q1")), hy.charts.forest(survey.share("said_yes", by="town"))):
        out = io.BytesIO()
        ax.figure.savefig(out, format="svg")
        plt.close(ax.figure)
        assert Live(out.getvalue().decode()).found in ([], ["svg"])


def test_csv_holds_no_formula_and_the_whole_text(tmp_path):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"=1+1": HOSTILE, "n": range(len(HOSTILE))}))
    header, *rows = csv.reader(io.StringIO((tmp_path / "t.csv").read_text("utf-8-sig"), newline=""))
    assert not any(cell.startswith(FORMULA) for row in (header, *rows) for cell in row)
    assert [row[0].removeprefix("'") for row in rows] == [
        text.replace("\r", "\n").removeprefix("'") for text in HOSTILE
    ]


def test_stored_tables_hold_no_formula(county):
    _, home = county
    for file in (home / "results").rglob("*.csv"):
        for row in csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline="")):
            assert not any(
                cell.startswith(FORMULA) and not cell.lstrip("+-").replace(".", "").isdigit() for cell in row
            ), (file, row)


def test_templates_hold_no_formula(county):
    _, home = county
    assert main(["templates", "own", "-o", str(home / "templates"), "--lang", "zh"]) == 0
    for file in (home / "templates").glob("*.xlsx"):
        with zipfile.ZipFile(file) as package:
            sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
            assert not any(b"<f>" in package.read(name) or b"<f " in package.read(name) for name in sheets), file
    lists = openpyxl.load_workbook(home / "templates" / "calls.xlsx")["lists"]
    held = {cell.value for row in lists.iter_rows() for cell in row}
    kept = [survives(text[:100]) for text in HOSTILE]
    assert [name for name in kept if name not in held] == []
