import datetime as dt
import os
from pathlib import Path

import pytest

from huying.folder import THRESHOLDS, county_folder, read_county
from huying.words import CountyError, Text
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
    with pytest.raises(CountyError, match="row 4: it is not in UTF-8"):
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
        ("speeder = 0.4", "[printed]\nA131 = 3", "A13", None),
        ("speeder = 0.4", "[printed.A14]\npercnt = 3", "percent", None),
        ("speeder = 0.4", "[scheme.town]\noffise = 7", "office", None),
    ],
)
def test_unknown_key(folder, before, after, close, where):
    key, row, said = fault(folder, (before, after))
    assert key == "unknown_key"
    assert row == (line(where) if where else line(before) + 1)
    assert f"did you mean {close}?" in said


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ('id = "jia"', "id = 3", "expected an id in quotation marks"),
        ("is_synthetic = true", 'is_synthetic = "yes"', "expected true or false, got 'yes'"),
        ("is_synthetic = true", "is_synthetic = 1", "expected true or false, got 1"),
        (
            "from = 2022-01-04",
            'from = "2022-01-04"',
            "expected a day (without quotation marks or an hour, such as 2023-05-08), got '2022-01-04'",
        ),  # line of the period, not of the wave
        ('flags = ["duplicate"]', 'flags = "duplicate"', "expected a list in square brackets, each one line of text"),
        ("speeder = 0.4", "speeder = true", "expected a number from 0 to 1, got True"),
        (
            "speeder = 0.4",
            "weight_bounds = 3",
            "expected two in square brackets, each a number from 0.001 to 1000, got 3",
        ),
        ("P13 = 0.25", 'P13 = "a quarter"', "expected a number, got 'a quarter'"),
        ("P13 = 0.25", "P13 = false", "expected a number, got False"),
        ('wave = "2023"', "wave = 2023", "expected one line of text in quotation marks"),
        ('columns = { dept = "承办" }', 'columns = "承办"', "expected a table ({ … } or [ … ]), got '承办'"),
    ],
)
def test_wrong_type(folder, before, after, wanted):
    key, row, said = fault(folder, (before, after))
    assert (key, row) == ("wrong_value", line(before))
    assert wanted in said


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("[clock]\n", "clock = 3\n", "clock"),
        ("[[ledger]]\n", "[ledger]\n", "expected a table"),
        ("[wave.2023]\n", "[wave]\n", "from: expected a table"),
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
    assert caught.value.key == "folder.wrong_value"
    assert wanted in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (
            'sampling = "probability"',
            'sampling = "random"',
            'expected "probability" / "quota" / "convenience", got \'random\'',
        ),
        ('lang = "en"', 'lang = "fr"', 'expected "zh" / "en", got \'fr\''),
        (
            'form = "resident"',
            'form = "residents"',
            'expected "resident" / "staff" / "leader" / "department", got \'residents\'',
        ),
        ('reader = "wjx"', 'reader = "excel"', 'expected "wjx" / "spss" / "kobo", got \'excel\''),
        ('cutoff = "18:00"', 'cutoff = "half six"', "got 'half six'"),
        ('cutoff = "18:00"', 'cutoff = "25:00"', "got '25:00'"),
        ('cutoff = "18:00"', 'day_ends = "12:00"', 'expected "24:00" / "17:30", got \'12:00\''),
    ],
)
def test_wrong_value(folder, before, after, wanted):
    key, row, said = fault(folder, (before, after))
    assert (key, row) == ("wrong_value", line(before))
    assert wanted in said


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('period = "2022"', 'period = "2022"\nheader_row = -3'),
        ('period = "2022"', 'period = "2022"\nheader_row = true'),
        ('period = "2022"', 'period = "2022"\nheader_row = 1.0'),
        ('period = "2022"', 'period = "2022"\nsheet = ""'),
        ('columns = { dept = "承办" }', "columns = { dept = 3 }"),
        ('columns = { dept = "承办" }', 'columns = { dept = ["承办"] }'),
        ("speeder = 0.4", "speeder = -1"),
        ("speeder = 0.4", "speeder = nan"),
        ("speeder = 0.4", "speeder = inf"),
        ("speeder = 0.4", 'weight_bounds = ["a"]'),
        ("speeder = 0.4", "weight_bounds = [0.1]"),
        ("speeder = 0.4", "weight_bounds = [0.1, true]"),
        ("speeder = 0.4", "clone_block = 2.5"),
        ("speeder = 0.4", 'longstring = "some"'),
        ("speeder = 0.4", "fewest_staff = 0"),
        ("P13 = 0.25", "P13 = nan"),
        ("P13 = 0.25", "P13 = { percent = 3 }"),
        ('lang = "en"', 'prefixes = "甲"'),
        ('lang = "en"', 'prefixes = ["甲", 3]'),
        ('lang = "en"', "prefixes = {}"),
        ('name_zh = "甲县"', f'name_zh = "{"甲" * 1000}"'),
        ('name_zh = "甲县"', r'name_zh = "甲\t县"'),
        ('name_zh = "甲县"', 'name_zh = "  "'),
        ('id = "jia"', 'id = "../jia"'),
        ('id = "jia"', 'id = "/tmp/jia"'),
        ('id = "jia"', 'id = ""'),
        ('id = "jia"', f'id = "{"j" * 1000}"'),
        ("from = 2023-05-08", "from = 2023-05-08T09:00:00"),
        ("from = 2023-05-08", 'from = "8 May 2023"'),
        ("from = 2023-05-08", "from = { day = 2023-05-08 }"),
        ('flags = ["duplicate"]', "flags = [1]"),
    ],
)
def test_a_value_that_is_not_as_its_key_wants_is_refused_on_its_line(folder, before, after):
    key, row, said = fault(folder, (before, after))
    assert (key, row) == ("wrong_value", line(before) + after.count("\n")), said
    assert len(said) < 600 and "expected" in said


def test_a_place_is_looked_for_in_its_own_table(folder):
    """Two ledgers with one key: the line is that of the second."""
    second = '\n[[ledger]]\ntable = "towns"\nfile = "raw/a.csv"\nheader_row = 0\n'
    key, row, said = fault(folder, ('columns = { dept = "承办" }\n', "header_row = 2\n" + second))
    assert (key, row) == ("wrong_value", len(GOOD.splitlines()) + 5) and "header_row: expected a whole number" in said


@pytest.mark.parametrize("path", [r"raw\tables\calls.csv", r"raw\calls.csv", r"raw\users.csv"])
def test_a_windows_path_is_told_of_its_backslash(folder, path):
    _, _, said = fault(folder, ('file = "raw/calls.csv"', f'file = "{path}"'))
    assert "forward slashes" in said


@pytest.mark.parametrize("path", ["../a.csv", "/etc/hosts", "C:/a.csv", "raw/../../a.csv"])
def test_a_path_that_leaves_the_folder_is_refused(folder, path):
    key, _, _ = fault(folder, ('file = "raw/calls.csv"', f'file = "{path}"'))
    assert key == "outside"


def test_a_file_that_is_no_ordinary_file_is_refused(folder):
    os.mkfifo(folder / "raw" / "pipe.csv")
    (folder / "raw" / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        assert fault(folder, ('file = "raw/calls.csv"', f'file = "raw/{name}.csv"'))[0] == "no_file"


@pytest.mark.parametrize(
    ("entry", "file"),
    [
        ('[[survey]]\nform = "resident"\nwave = "2023"\nreader = "wjx"\ntext = "raw/a.csv"\n', "raw/a.csv"),
        ('[[ledger]]\ntable = "calls"\nfile = "raw/calls.csv"\nperiod = "2022"\nheader_row = 1\n', "raw/calls.csv"),
    ],
)
def test_a_file_that_stands_twice_would_count_twice(folder, entry, file):
    end = 'columns = { dept = "承办" }\n'
    key, row, said = fault(folder, (end, end + entry))
    assert (key, row) == ("twice", len(GOOD.splitlines()) + 1) and f"the file {file} stands twice" in said
    other = entry.replace("2022", "2021").replace('form = "resident"', 'form = "staff"')
    period = "[period.2021]\nfrom = 2021-01-01\nto = 2021-12-31\nas_of = 2022-01-06\n"
    county = read(folder, (end, end + other + period))  # of another period or form each takes its own rows
    assert len(county.surveys) + len(county.ledgers) == 3


def test_bounds_of_weights_stand_on_both_sides_of_one(folder):
    key, row, _ = fault(folder, ("speeder = 0.4", "weight_bounds = [1.5, 3]"))
    assert (key, row) == ("bad_bounds", line("speeder = 0.4"))


@pytest.mark.parametrize(
    ("before", "after", "lacks"),
    [
        ('sampling = "probability"\n', "", "[county] lacks the key sampling"),
        ("from = 2023-05-08\n", "", "[wave.2023] lacks the key from"),
        ("as_of = 2023-01-06\n", "", "[period.2022] lacks the key as_of"),
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
    deep = "speeder = " + "[" * 50_000
    assert fault(folder, ("speeder = 0.4", deep))[0] == "not_toml"


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
