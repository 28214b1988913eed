import datetime as dt
from pathlib import Path

import pytest

from huying.errors import CountyError
from huying.folder import THRESHOLDS, county_folder, read_county
from huying.words import Text
from huying.workdays import Rule

GOOD = """\
# [wave.2023] and sampling are named in this comment first
[county]
id = "jia"
name_zh = "甲县"
name_en = "Jia County"
sampling = "probability"
is_synthetic = true
lang = "en"

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06

[clock]
cutoff = "18:00"

[exclude]
flags = ["duplicate"]

[thresholds]
speeder = 0.4

[claim_thresholds]
P13 = 0.25

[[survey]]
form = "resident"
wave = "2023"
reader = "wjx"
text = "raw/a.csv"

[[ledger]]
table = "calls"
file = "raw/calls.csv"
period = "2022"
columns = { dept = "承办" }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "raw").mkdir()
    for name in ("a.csv", "calls.csv"):
        (tmp_path / "raw" / name).write_text("x", "utf-8")
    return tmp_path


def read(folder, *changes, encoding="utf-8"):
    declared = GOOD
    for before, after in changes:
        assert declared.count(before) >= 1, before
        declared = declared.replace(before, after, 1)
    (folder / "county.toml").write_text(declared, encoding)
    return read_county(folder)


def fault(folder, *changes):
    with pytest.raises(CountyError) as caught:
        read(folder, *changes)
    error = caught.value
    assert error.place.file == str(folder / "county.toml")
    assert error.say("zh") != error.say("en")
    return error.key.removeprefix("folder."), error.place.row, error.say("en").split("county.toml")[-1]


def line(text):
    return GOOD.splitlines().index(text) + 1


def test_a_declared_county(folder):
    county = read(folder)
    assert (county.id, county.name, county.lang, county.sampling) == (
        "jia",
        Text("甲县", "Jia County"),
        "en",
        "probability",
    )
    assert county.is_synthetic is True
    assert county.calendar == "china" and county.calendar_file is None
    assert county.prefixes == ("甲县",)
    assert county.clock == Rule("next", "18:00", "24:00")
    assert county.exclude == ("duplicate",)
    assert county.thresholds == {**THRESHOLDS, "speeder": 0.4}
    assert county.claim_thresholds == {"P13": 0.25}
    assert (county.waves["2023"].first, county.waves["2023"].as_of) == (dt.date(2023, 5, 8), dt.date(2023, 6, 2))
    assert county.periods["2022"].as_of == dt.date(2023, 1, 6)
    assert county.ledgers[0].columns == {"dept": "承办"} and county.ledgers[0].header_row == 1
    assert county.path(county.surveys[0].text) == folder / "raw" / "a.csv"


def test_the_mark_that_windows_puts_before_a_text_is_no_fault(folder):
    assert read(folder, encoding="utf-8-sig").id == "jia"


def test_another_encoding_is_named(folder):
    with pytest.raises(CountyError, match="not valid TOML"):
        read(folder, encoding="gb18030")


@pytest.mark.parametrize(
    ("before", "after", "close", "where"),
    [
        ('sampling = "probability"', 'sampeling = "probability"', "sampling", 'sampling = "probability"'),
        ("to = 2023-06-02", "too = 2023-06-02", "to", "to = 2023-06-02"),
        ("to = 2023-06-02", "to = 2023-06-02\nas_of = 2023-06-02", "-", None),  # right in a period, unknown in a wave
        ('cutoff = "18:00"', 'cut_off = "18:00"', "cutoff", 'cutoff = "18:00"'),
        ("speeder = 0.4", "speed = 0.4", "speeder", "speeder = 0.4"),
        ('table = "calls"', 'tabel = "calls"', "table", 'table = "calls"'),
        ("[claim_thresholds]", "[claim_threshold]", "claim_thresholds", "[claim_thresholds]"),
        ("[claim_thresholds]", "[bars]", "claim_thresholds", "[claim_thresholds]"),  # as it was called before
        ("[[survey]]", "[[surveys]]", "survey", "[[survey]]"),
    ],
)
def test_unknown_key(folder, before, after, close, where):
    key, row, said = fault(folder, (before, after))
    assert key == "unknown_key"
    assert row == (line(where) if where else line("to = 2023-06-02") + 1)
    assert f"did you mean {close}?" in said


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ('id = "jia"', "id = 3", "expected str, got 3"),
        ("is_synthetic = true", 'is_synthetic = "yes"', "expected bool, got 'yes'"),
        ("is_synthetic = true", "is_synthetic = 1", "expected bool, got 1"),
        (
            "from = 2022-01-04",
            'from = "2022-01-04"',
            "expected date, got '2022-01-04'",
        ),  # line of the period, not of the wave
        ('flags = ["duplicate"]', 'flags = "duplicate"', "expected list, got 'duplicate'"),
        ("speeder = 0.4", "speeder = true", "expected int / float, got True"),
        ("speeder = 0.4", "weight_bounds = 3", "expected list, got 3"),
        ("P13 = 0.25", 'P13 = "a quarter"', "expected int / float, got 'a quarter'"),
        ("P13 = 0.25", "P13 = false", "expected int / float, got False"),
        ('wave = "2023"', "wave = 2023", "expected str, got 2023"),
        ('columns = { dept = "承办" }', 'columns = "承办"', "expected dict, got '承办'"),
    ],
)
def test_wrong_type(folder, before, after, wanted):
    key, row, said = fault(folder, (before, after))
    assert (key, row) == ("wrong_type", line(before))
    assert wanted in said


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("[clock]\n", "clock = 3\n", "clock"),
        ("[[ledger]]\n", "[ledger]\n", "expected list"),
        ("[wave.2023]\n", "[wave]\n", "expected [wave.…]"),
    ],
)
def test_wrong_shape_of_a_section(folder, before, after, wanted):
    declared = GOOD.replace(before, after).replace(
        'cutoff = "18:00"\n', "" if before == "[clock]\n" else 'cutoff = "18:00"\n'
    )
    if before == "[clock]\n":
        declared = after + declared.replace(after, "")
    (folder / "county.toml").write_text(declared, "utf-8")
    with pytest.raises(CountyError) as caught:
        read_county(folder)
    assert caught.value.key == "folder.wrong_type"
    assert wanted in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (
            'sampling = "probability"',
            'sampling = "random"',
            "expected one of probability, quota, convenience, got random",
        ),
        ('lang = "en"', 'lang = "fr"', "expected one of zh, en, got fr"),
        (
            'form = "resident"',
            'form = "residents"',
            "expected one of resident, staff, leader, department, got residents",
        ),
        ('reader = "wjx"', 'reader = "excel"', "expected one of wjx, spss, got excel"),
        ('cutoff = "18:00"', 'cutoff = "half six"', "got half six"),
        ('cutoff = "18:00"', 'cutoff = "25:00"', "got 25:00"),
        ('cutoff = "18:00"', 'day_ends = "12:00"', "expected one of 24:00, 17:30, got 12:00"),
    ],
)
def test_wrong_value(folder, before, after, wanted):
    key, row, said = fault(folder, (before, after))
    assert (key, row) == ("wrong_value", line(before))
    assert wanted in said


@pytest.mark.parametrize(
    ("before", "after", "lacks"),
    [
        ('sampling = "probability"\n', "", "[county] lacks the key sampling"),
        ("from = 2023-05-08\n", "", "[wave] lacks the key from"),
        ("as_of = 2023-01-06\n", "", "[period] lacks the key as_of"),
        ('form = "resident"\n', "", "[survey] lacks the key form"),
        ('text = "raw/a.csv"\n', "", "[survey] lacks the key text"),  # a reader of text exports needs one
        ('reader = "wjx"', 'reader = "spss"', "[survey] lacks the key file"),
        ('table = "calls"\n', "", "[ledger] lacks the key table"),
    ],
)
def test_missing_key(folder, before, after, lacks):
    key, row, said = fault(folder, (before, after))
    assert key == "no_key" and lacks in said
    section = lacks.split("]")[0][1:]
    assert row == next(
        n for n, text in enumerate(GOOD.splitlines(), 1) if text.startswith((f"[{section}", f"[[{section}"))
    )


def test_missing_section(folder):
    (folder / "county.toml").write_text("[claim_thresholds]\nP13 = 0.3\n", "utf-8")
    with pytest.raises(CountyError, match=r"the section \[county\] is missing"):
        read_county(folder)


def test_missing_file(folder):
    key, row, said = fault(folder, ('file = "raw/calls.csv"', 'file = "raw/call.csv"'))
    assert (key, row) == ("no_file", line('file = "raw/calls.csv"'))
    assert "file = raw/call.csv: there is no such file" in said


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('wave = "2023"', 'wave = "2024"', "there is no [wave.2024]"),
        ('period = "2022"', 'period = "2021"', "there is no [period.2021]"),
    ],
)
def test_a_span_that_is_not_declared(folder, before, after, named):
    key, row, said = fault(folder, (before, after))
    assert (key, row) == ("no_span", line(before))
    assert named in said


def test_what_is_not_toml(folder):
    key, _, said = fault(folder, ('id = "jia"', 'id = "jia'))
    assert key == "not_toml" and "line 3" in said


def test_a_county_is_found_from_any_folder_below(folder, monkeypatch, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    place, deep = home / "survey_data" / "jia", home / "a" / "b"
    (place / "raw").mkdir(parents=True)
    deep.mkdir(parents=True)
    for name in ("a.csv", "calls.csv"):
        (place / "raw" / name).write_text("x", "utf-8")
    (place / "county.toml").write_text(GOOD, "utf-8")
    monkeypatch.delenv("HUYING_HOME", raising=False)
    monkeypatch.chdir(deep)
    assert county_folder("jia") == place
    assert county_folder(place) == place
    with pytest.raises(CountyError, match="no county yi"):
        county_folder("yi")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HUYING_HOME", str(home))
    assert county_folder("jia") == place
    assert isinstance(county_folder("jia"), Path)
