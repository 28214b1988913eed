"""SPSS and Stata files: exact codes, labels, user-missing codes; cut and renamed files."""

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from huying.codebook import parse_codebook
from huying.sources.exports import Labelled, read_answers, read_labelled as read_bytes
from huying.words import InputError

ITEMS = parse_codebook("""
[[item]]
id = "R09"
form = "resident"
type = "single"
zh = "您听说过改革吗？"
en = "Have you heard of the reform?"
options = [{ code = 1, zh = "听过", en = "Yes" }, { code = 2, zh = "没听过", en = "No" }]
[[item]]
id = "R11"
form = "resident"
type = "multi"
zh = "从哪里听说？"
en = "Where from?"
options = [{ code = 1, zh = "电视", en = "TV" }, { code = 2, zh = "邻居", en = "Neighbours" }]
""").form("resident")
FRAME = pd.DataFrame({"index": ["1", "2", "3"], "Q1": [1.0, 99.0, None], "Q2_1": [1.0, 0.0, 1.0], "Q2_2": [1.0, 0.0, 0.0],
                      "long": [9007199254740991.0, 1.25, 0.0]})  # fmt: skip
LABELS = {"Q1": {1: "听过", 2: "没听过", 99: "拒答"}}
TITLES = ["序号", "您听说过改革吗？", "从哪里听说？(电视)", "从哪里听说？(邻居)", ""]


def read_labelled(path: Path) -> Labelled:
    return read_bytes(path, path.read_bytes())


@pytest.fixture
def sav(tmp_path):
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(
        FRAME, str(path), column_labels=TITLES, variable_value_labels=LABELS, missing_ranges={"Q1": [99]}
    )
    return path


def test_codes_labels_and_missing_codes(sav):
    found = read_labelled(sav)
    assert found.values["Q1"].tolist() == ["1", "99", ""]
    assert found.values["long"].tolist() == ["9007199254740991", "1.25", "0"]
    assert found.labels == {"Q1": {"1": "听过", "2": "没听过", "99": "拒答"}}
    assert found.missing == {"Q1": (("99", "99"),)}
    assert found.column_labels["Q1"] == "您听说过改革吗？"


def test_answers_by_name_of_the_platform(sav):
    answers = read_answers(sav, None, ITEMS)
    assert answers.text["R09"].tolist() == ["听过", "拒答", ""]
    assert answers.text["R11"].tolist() == ["电视┋邻居", "", "电视"]
    assert answers.codes.loc[1].tolist() == ["1", "电视┋邻居"]
    assert (answers.numbering, answers.meta["serial"].tolist()) == ("code", ["1", "2", "3"])


def test_stata_with_lettered_missing_codes(tmp_path):
    path = tmp_path / "t.dta"
    pyreadstat.write_dta(pd.DataFrame({"q": [1, "a", 2]}), str(path), missing_user_values={"q": ["a"]})
    found = read_labelled(path)
    assert (found.values["q"].tolist(), found.missing) == (["1", "a", "2"], {"q": (("a", "a"),)})


@pytest.mark.parametrize(("cut", "key"), [(0, "empty_file"), (3, "no_rows"), (100, "cut_file"), (-10, "cut_file")])
def test_a_cut_file_is_refused(sav, cut, key):
    sav.write_bytes(sav.read_bytes()[:cut])
    with pytest.raises(InputError) as caught:
        read_answers(sav, None, ITEMS)
    assert caught.value.key == f"sources.{key}"


def test_a_missing_item_is_named(sav):
    with pytest.raises(InputError) as caught:
        read_answers(
            sav,
            None,
            parse_codebook(
                '[[item]]\nid = "X"\nform = "resident"\ntype = "whole"\nzh = "您的身高"\nen = "Height"'
            ).form("resident"),
        )
    assert caught.value.values["items"] == "X 您的身高"
