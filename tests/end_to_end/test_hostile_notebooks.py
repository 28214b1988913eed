"""A county whose names and wordings try to be more than text, through whole notebooks: pages, tables and pictures hold text only."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from hostile_strings import HOSTILE, survives
from test_hostile_strings import Live

from huying.cli import main
from huying.store import FORMULA, NUMBER

pytestmark = pytest.mark.slow  # make test has the same strings through charts, tables and templates
ROOT = Path(__file__).parents[2]
BOOKS = (
    "00_data_quality",
    "01_survey_topline",
    "11_parallel_structures",
    "13_calls_and_responses",
    "91_county_overview",
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
TOWNS, DEPARTMENTS = ([text[:100] for text in HOSTILE[first::2]] for first in (0, 1))
UNKNOWN = ["@没有的镇", "=没有的镇()", "\x1b[31m没有的镇\x1b[0m", "<script>没有的镇</script>"]
FORMULAS = r"""=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> $\frac$"""
MORE = """
[period.2022]
from = 2022-01-01
to = 2022-12-31
as_of = 2023-01-06
"""
VARIABLE = """[[indicator]]
name = "{name}"
form = "resident"
when = "{when}"
zh = '''{text}'''
en = '''{text}'''
"""


def write_export(file):
    """An export whose towns, options, questions and own words are hostile; some rows come from towns that nobody knows."""
    n = 25 * len(TOWNS)
    people = range(n)
    table = {
        "序号": range(1, n + 1),
        "提交答卷时间": "2023/5/8 10:00:00",
        "所用时间": [f"{60 + k % 50}秒" for k in people],
        "所在镇街": [TOWNS[k // 25] for k in people],
        "1、您的性别": [("男", "女")[k % 2] for k in people],
        "2、您听说过吗": [("听过", "没听过", "听过")[k % 3] for k in people],
        "3、您认为哪个对": [HOSTILE[k % len(HOSTILE)] for k in people],
        "4、说说": [f"自己的话{HOSTILE[k % len(HOSTILE)]}{k}" for k in people],
    }
    for at, text in enumerate(HOSTILE):  # a few with a picture: a title for each of two, a row of another for some
        number, few = f"{at + 5}、{text}", at % 10 == 0
        table[number] = [(k * 7 + at) % (5 if few else 40) + 1 for k in people]
    for at, text in enumerate((r"$\frac$", "<script>alert(1)</script>")):
        table[f"{at + 5 + len(HOSTILE)}、{text}哪个"] = [("是", "否", "说不清")[(k + at) % 3] for k in people]
    frame = pd.DataFrame(table).astype(str)
    strays = frame.iloc[: len(UNKNOWN)].assign(所在镇街=UNKNOWN, 序号=[str(n + 1 + k) for k in range(len(UNKNOWN))])
    pd.concat([frame, strays]).to_csv(file, index=False, lineterminator="\r\n")


def write_ledgers(folder):
    """Registers of hostile names, calls between them, and what was seen at their doors."""
    towns, departments = ([f"{kind}{k + 1:02}" for k in range(len(TOWNS))] for kind in "TK")
    names = {"name_zh": TOWNS, "name_en": [f"{text[:90]} {k}" for k, text in enumerate(TOWNS)]}
    n, days = 12 * len(towns), [f"2022-{k % 12 + 1:02}-" for k in range(12 * len(towns))]
    made = {
        "towns": {"town_id": towns, **names, "type": "town"},
        "departments": {"dept_id": departments, "name_zh": DEPARTMENTS, "name_en": DEPARTMENTS},
        "calls": {
            "call_id": [f"C{k}" for k in range(n)],
            "town": [towns[k % len(towns)] for k in range(n)],
            "called_at": [f"{day}10 09:00" for day in days],
            "dispatched_at": [f"{day}10 10:00" for day in days],
            "dept": [departments[(k * 5 + k // len(towns)) % len(towns)] for k in range(n)],
            "responded_at": [f"{day}{11 + k % 7} 10:00" for k, day in enumerate(days)],
            "closed_at": [f"{day}20 10:00" for day in days],
            "feedback_at": [f"{day}20 11:00" for day in days],
            "status": "closed",
            "returned_n": [k % 3 for k in range(n)],
            "is_cross_duty": [("是", "否")[k % 2] for k in range(n)],
        },
        "unit_check": {
            "town": [town for town in towns for _ in range(3)],
            "old_id": ["O0", "O1", "O2"] * len(towns),
            "mark": "plate",
            "in_use": [("old", "new", "both")[k % 3] for k in range(3 * len(towns))],
            "checked_on": "2022-05-08",
        },
        "org_map": {"old_id": ["O0", "O1", "O2"], "old_name": TOWNS[:3], "old_name_en": TOWNS[:3], "relation": "1:1"},
        "documents": {"doc_no": TOWNS, "title": TOWNS, "kind": "plan", "town": towns, "issued_on": "2022-01-01", "effective_on": "2022-02-01"},
    }  # fmt: skip
    for table, columns in made.items():
        pd.DataFrame(columns).to_csv(folder / f"{table}.csv", index=False)
    dated = ("calls", "unit_check")
    return "".join(f'\n[[ledger]]\ntable = "{name}"\nfile = "{name}.csv"\n' + 'period = "2022"\n' * (name in dated)
                   for name in made if name != "towns")  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """What one run of five notebooks for the county leaves behind."""
    home = tmp_path_factory.mktemp("hostile")
    (home / "survey_data").mkdir()
    (home / "notebooks").mkdir()
    for name in BOOKS:
        shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", home / "notebooks")
    write_export(home / "export.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for name, folder in (("HOME", home), ("RESULTS", home / "results")):
            patch.setenv(f"HUYING_{name}", str(folder))
        assert main(["new", "own", "export.csv", "--town", "所在镇街"]) == 0
        folder = home / "survey_data" / "own"
        text = (folder / "county.toml").read_text("utf-8") + MORE + write_ledgers(folder)
        name = json.dumps(FORMULAS)
        text = text.replace('name_zh = "own"', f"name_zh = {name}").replace('name_en = "own"', f"name_en = {name}")
        (folder / "county.toml").write_text(text, "utf-8")
        own = {"aware": "q2 in o1", "went_old_first": "q1 in male"}
        written = [VARIABLE.format(name=name, when=when, text=FORMULAS) for name, when in own.items()]
        (folder / "indicators.toml").write_text("\n".join(written), "utf-8")
        command = [sys.executable, "-m", "huying", "run", "own", "--towns", "county"]
        done = subprocess.run(command, env=os.environ, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not CONTROL.search(done.stdout.replace("\r", ""))
        yield home


def pages(home):
    return {file.name[:2]: file.read_text("utf-8") for file in (home / "results" / "own" / "html").glob("*.html")}


def test_every_notebook_is_done_and_tells_no_warning(home):
    made = pages(home)
    assert sorted(made) == [name[:2] for name in BOOKS]
    assert not list((home / "results" / "own").rglob("*.failed*"))
    assert [name for name, page in made.items() if "Warning" in page or 'class="failed"' in page] == []


def test_pages_are_harmless(home):
    for name, page in pages(home).items():
        assert Live(page).found == [], name
        assert not CONTROL.search(page), name


@pytest.mark.parametrize(
    ("notebook", "names"), [("00", TOWNS), ("01", HOSTILE), ("13", DEPARTMENTS), ("91", [FORMULAS])]
)
def test_names_are_whole(home, notebook, names):
    """As a person reads them in the page: towns in 00, options and questions in 01, departments in 13."""
    text = "".join(Live(pages(home)[notebook]).text)
    assert [name for name in map(survives, names) if name.strip() not in text] == []


def test_nobodys_words_are_shown(home):
    assert [name for name, page in pages(home).items() if "自己的话" in page] == []


@pytest.mark.parametrize("table", ["evidence", "rejected", "flags", "counts", "notes"])
def test_tables_hold_no_formula(home, table):
    text = (home / "results" / "own" / f"{table}.csv").read_text("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell)] == []
    assert not CONTROL.search(text)
    if table == "rejected":
        held = {cell.removeprefix("'").strip() for cell in cells}
        assert {survives(name).strip() for name in UNKNOWN} <= held
    else:
        assert "没有的镇" not in text


def test_pictures_are_drawn_and_of_a_size_to_be_read(home):
    files = {file.name.partition("_county")[0]: file for file in (home / "results" / "figures" / "own").glob("*.png")}
    wanted = {"seconds", "topline_q3", "topline_means", "units", "awareness", "answered", "departments", "verdicts"}
    assert wanted <= set(files)
    for name, file in files.items():
        with Image.open(file) as picture:
            assert picture.height < 10 * picture.width, name
            assert len(picture.convert("L").getcolors()) > 2, name
