"""Every form of the house, and one with every kind of question and rule, through pyxform and ODK Validate: no error, no warning."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyxform.xls2xform import convert

ROOT = Path(__file__).parents[2]
JAVA = shutil.which("java")
BOOK = """
[[item]]
id = "A1"
name = "one"
form = "resident"
type = "single"
zh = "<script> & “甲” = 1+1"
en = "A ${x} > B < C"
options = [{ code = 1, key = "x", zh = "=1+1", en = "One" }, { code = 2, key = "y", zh = "𪚥", en = "Two" }, { code = 97, key = "z", zh = "其他", en = "Other" }]
fill_in = [97]
ends_if = "A1 = 2"

[[item]]
id = "A2"
name = "many"
form = "resident"
type = "multi"
zh = "乙"
en = "B"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }]
exclusive = [2]
max_choices = 1
asked_if = "A1 != 2 and (A1 = 1 or A1 >= 97)"

[[item]]
id = "A3"
name = "amount"
form = "resident"
type = "number"
zh = "丙"
en = "C"
range = [0, 50.5]
missing = { 98 = "does_not_know" }
missing_from = [[900, 999]]
asked_if = "A2_1 = 0 or A2_2 = 1"

[[item]]
id = "A4"
name = "count"
form = "resident"
type = "whole"
zh = "丁"
en = "D"
contradicts = "A4 > A3"

[[item]]
id = "A5"
name = "order"
form = "resident"
type = "ranking"
zh = "戊"
en = "E"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 2, key = "y", zh = "二", en = "Two" }]

[[item]]
id = "A6"
name = "rows"
form = "resident"
type = "matrix_single"
zh = "己"
en = "F"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 0, key = "y", zh = "零", en = "Nought" }]
rows = [{ id = "a", zh = "甲行", en = "Row A" }, { id = "b", zh = "乙行", en = "Row B" }]
asked_if = "A5_1 = 1 or A5_2 <= 2"

[[item]]
id = "A7"
name = "again"
form = "resident"
type = "matrix_scale"
zh = "庚"
en = "G"
options = [{ code = 1, key = "x", zh = "一", en = "One" }, { code = 0, key = "y", zh = "零", en = "Nought" }]
rows = [{ id = "a", zh = "甲行", en = "Row A" }, { id = "b", zh = "乙行", en = "Row B" }]
asked_if = "A6_* = 1"

[[item]]
id = "A8"
name = "day"
form = "resident"
type = "date"
zh = "辛"
en = "H"
optional = true

[[item]]
id = "A9"
name = "words"
form = "resident"
type = "text"
zh = "%s"
en = "I"
asked_if = "A1 = 7"
""" % ("很" * 300)
HEAD = '[county]\nid = "县-1"\nname_zh = "某县<b>"\nname_en = "=1+1"\nsampling = "quota"\nis_synthetic = true\n'


def test_java_is_there():
    assert JAVA, "no Java on this computer, and ODK Validate needs it: install it (Debian: apt-get install default-jre-headless), then run make outside again"  # fmt: skip


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """The forms that the verb writes for the demo county and for one of every kind."""
    folder = tmp_path_factory.mktemp("forms")
    (folder / "county").mkdir()
    (folder / "county" / "county.toml").write_text(HEAD, "utf-8")
    (folder / "county" / "codebook.toml").write_text(BOOK, "utf-8")
    for county, out in ((ROOT / "survey_data" / "demo", "demo"), (folder / "county", "own")):
        subprocess.run([sys.executable, "-m", "huying", "questionnaire", county, "-o", folder / out], check=True)
    return folder


@pytest.mark.parametrize("name", ["demo/resident", "demo/staff", "demo/leader", "demo/department", "own/resident"])
def test_a_form_is_valid_without_a_warning(forms, name):
    assert JAVA
    warnings = []
    made = convert(xlsform=str(forms / f"{name}_xlsform.xlsx"), warnings=warnings, validate=True)
    assert warnings == [] and made.xform.count('<translation lang="') == 2
