"""What people are given of two counties, as files, and the ledgers that they are made from: the demo county, and one of 26 towns that was invented."""

import csv
import functools
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pandas as pd
from test_statements import NAMES, invented

ROOT = Path(__file__).parents[2]
DATA, DEMO = ROOT / "src" / "huying" / "data", ROOT / "survey_data" / "demo"  # what is claimed and asked: data, no code
RESULTS = Path(os.environ.get("HUYING_RESULTS", ROOT / "results")) / "demo"
VERBS = ("brief", "sheets", "workbook", "slides")
COUNTIES = ("demo", "invented")
HEAD = (
    '[county]\nid = "invented"\nname_zh = "甲县"\nname_en = "A County"\nsampling = "probability"\nis_synthetic = true\n'
)
HEADS = {"towns": "town_id,name_zh,name_en,type", "departments": "dept_id,name_zh,name_en"}


def words(file):
    """A file of words of the house, as data."""
    return tomllib.loads((DATA / "words" / f"{file}.toml").read_text("utf-8"))


@functools.cache
def claims():
    """What is declared of each claim."""
    return {one["id"]: one for one in tomllib.loads((DATA / "claims.toml").read_text("utf-8"))["claim"]}


@functools.cache
def ledger(county):
    """The evidence ledger that a county's files are made from."""
    if county == "demo":
        return pd.read_parquet(RESULTS / "evidence.parquet")
    return invented().reset_index(drop=True)


@functools.cache
def names(county, lang):
    """The names of a county's places by id."""
    if county == "invented":
        return NAMES[lang]
    with (DEMO / "county.toml").open("rb") as file:
        found = {"county": tomllib.load(file)["county"][f"name_{lang}"]}
    for table in ("towns", "departments"):
        rows = csv.reader((DEMO / "raw" / f"{table}.csv").read_text("utf-8-sig").splitlines()[1:])
        found |= {row[0]: row[1 if lang == "zh" else 2] for row in rows}
    return found


@functools.cache
def folder(county):
    """The folder that holds a county's files by verb; the invented county's are made here, by the command."""
    if county == "demo":
        return RESULTS
    made = Path(tempfile.mkdtemp(prefix="invented-"))
    (made / "county").mkdir()
    zh, en = (names(county, lang) for lang in ("zh", "en"))
    toml = HEAD
    for table, letter, kind in (("towns", "T", ",镇"), ("departments", "K", "")):
        rows = [f"{key},{zh[key]},{en[key]}{kind}" for key in zh if key[0] == letter]
        (made / "county" / f"{table}.csv").write_text("\n".join([HEADS[table], *rows]) + "\n", "utf-8")
        toml += f'\n[[ledger]]\ntable = "{table}"\nfile = "{table}.csv"\n'
    (made / "county" / "county.toml").write_text(toml, "utf-8")
    ledger(county).to_csv(made / "evidence.csv", index=False, encoding="utf-8-sig")
    for verb in VERBS:
        command = [sys.executable, "-m", "huying", verb, str(made / "county"), "--lang", "zh", "en"]
        how = ["--evidence", str(made / "evidence.csv"), "-o", str(made / verb)]
        subprocess.run(
            [*command, *how], check=True, cwd=ROOT, env={**os.environ, "HUYING_RESULTS": str(made / "results")}
        )
    return made
