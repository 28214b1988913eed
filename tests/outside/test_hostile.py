"""Template workbooks of a county with hostile names, opened by LibreOffice: no live formula, every name whole. Run by `make outside`."""

import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from hostile_strings import HOSTILE, survives

from huying.folder import read_county
from huying.templates import write_templates

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
HEAD = '[county]\nid = "x"\nname_zh = "某县"\nname_en = "X"\nsampling = "quota"\nis_synthetic = true\n'


def test_libreoffice_finds_no_formula(tmp_path):
    if not SOFFICE:
        pytest.fail(
            "no LibreOffice on this computer: install it (Debian: apt-get install libreoffice-calc), then run make outside again"
        )
    rows = [
        {"town_id": f"H{k:02}", "name_zh": text[:100], "name_en": f"{text[:90]} {k}", "type": "town"}
        for k, text in enumerate(HOSTILE)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "towns.csv", index=False)
    (tmp_path / "county.toml").write_text(HEAD + '\n[[ledger]]\ntable = "towns"\nfile = "towns.csv"\n', "utf-8")
    write_templates(read_county(tmp_path), tmp_path / "made", "zh")
    command = [
        SOFFICE,
        "--headless",
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--convert-to",
        "ods",
        "--outdir",
        str(tmp_path / "ods"),
    ]
    subprocess.run([*command, str(tmp_path / "made" / "calls.xlsx")], check=True, timeout=240, capture_output=True)
    back = [
        *command[:3],
        "--convert-to",
        "xlsx",
        "--outdir",
        str(tmp_path / "back"),
        str(tmp_path / "ods" / "calls.ods"),
    ]
    subprocess.run(back, check=True, timeout=240, capture_output=True)
    book = openpyxl.load_workbook(tmp_path / "back" / "calls.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    held = {cell.value for cell in book["lists"]["A"]} | {
        cell.value for row in book["lists"].iter_rows() for cell in row
    }
    assert [name for name in (survives(text[:100]) for text in HOSTILE) if name not in held] == []
