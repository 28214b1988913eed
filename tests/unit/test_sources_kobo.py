"""Exports of KoboToolbox and ODK Central: the house's own form filled in by chance, exported in each shape, and read back equal."""

import csv
import random
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from xlsform_stand_in import XlsForm

from huying.clean.answers import clean_answers
from huying.clean.flags import find_flags
from huying.clean.intake import Intake
from huying.codebook import house_codebook, parse_codebook
from huying.deliver.questionnaire import asked, read_lists, write_form
from huying.folder import Survey, read_county
from huying.kinds import parse_instants
from huying.sources.kobo import read_kobo
from huying.words import InputError

DEMO = Path(__file__).parents[2] / "survey_data" / "demo" / "raw"
TABLES = ("towns", "villages", "departments", "org_map", "org_roster", "documents")
HEAD = '[county]\nid = "x"\nname_zh = "某县"\nname_en = "X"\nsampling = "probability"\nis_synthetic = true\nprefixes = ["示例县"]\n[wave.2023]\nfrom = 2023-05-08\nto = 2023-06-02\n'
LABEL = {"zh": "label::中文 (zh)", "en": "label::English (en)"}
PEOPLE = 60


def wish(row, rng, options):
    """An answer by chance, blank now and then."""
    kind = row["type"].split()[0]
    if kind in ("select_one", "select_multiple", "rank") and row["name"] != "village_id":
        names = [option["name"] for option in options]
        if row["name"] in ("consent", "home_town", "lived_half_year") and rng.random() < 0.9:
            return names[0]
        if kind == "select_one":
            return rng.choice(names)
        return " ".join(rng.sample(names, len(names) if kind == "rank" else rng.randint(1, min(4, len(names)))))
    texts = {"integer": str(rng.choice([-99, 98, *range(0, 100)])), "decimal": str(rng.choice([98, 12.5, 40])), "start": "2023-05-09T10:00:00.000+08:00", "end": "2023-05-09T10:05:30.000+08:00", "text": rng.choice(["", "别的, \"话\"; 二"]), "select_one": "T01V02"}  # fmt: skip
    return texts.get(kind, "")


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """A county with the demo's registers and its own forms, without answers yet."""
    folder = tmp_path_factory.mktemp("county")
    declared = "".join(f'[[ledger]]\ntable = "{table}"\nfile = "{table}.csv"\n' for table in TABLES)
    (folder / "county.toml").write_text(HEAD + declared, "utf-8")
    for table in TABLES:
        shutil.copy(DEMO / f"{table}.csv", folder)
    made, lists = read_county(folder), read_lists(read_county(folder))
    for form in ("resident", "staff", "leader", "department"):
        write_form(asked(lists, form), made, lists, folder / "forms")
    return folder


@pytest.fixture(scope="module")
def lists(county):
    return read_lists(read_county(county))


@pytest.fixture(scope="module")
def filled(county):
    """For each form: the form, and the answers of PEOPLE."""
    made = {}
    for form in ("resident", "staff", "leader", "department"):
        xlsform, rng = XlsForm(county / "forms" / f"{form}_xlsform.xlsx"), random.Random(7)
        choose = lambda row, rng, form=xlsform: wish(row, rng, form.choices.get(row["type"].split()[-1], []))  # noqa: E731
        made[form] = (xlsform, [xlsform.fill_in(rng, choose) for _ in range(PEOPLE)])
    return made


def table_of(form, people, sign, lang, multiple, hide=False):
    """The header and rows of an export: groups by `sign`, values and headers as names or as labels, several choices as told."""
    head, columns = [], []
    for group, row in form.questions:
        said = row["name"] if not lang else row[LABEL[lang]] or row["name"]
        within = "" if not group or hide else f"{group['name'] if not lang else group[LABEL[lang]]}{sign}"
        options = form.options(row) if len(row["type"].split()) == 2 else []
        words = {option["name"]: option["name"] if not lang else option[LABEL[lang]] for option in options}
        is_many = row["type"].startswith(("select_multiple", "rank"))
        if multiple in ("one", "both") or not row["type"].startswith("select_multiple"):
            head.append(within + said)
            texts = [person[row["name"]] for person in people]
            columns.append(
                [" ".join(words[t] for t in text.split()) if is_many else words.get(text, text) for text in texts]
            )
        if multiple in ("split", "both") and row["type"].startswith("select_multiple"):
            for name, word in words.items():
                head.append(f"{within}{said}/{word}")
                columns.append(
                    [
                        "" if not person[row["name"]] else str(int(name in person[row["name"]].split()))
                        for person in people
                    ]
                )
    head += ["_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_index"]
    for n, _ in enumerate(head[-6:]):
        columns.append(
            [str(100 + i) if n == 0 else "2023-05-09T02:06:00" if n == 2 else "" for i, _ in enumerate(people)]
        )
    return head, list(zip(*columns, strict=True))


def write(file, head, rows, delimiter):
    if file.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [head, *rows]:
            book.active.append(row)
        book.save(file)
        return
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([head, *rows])


def cleaned(lists, form, file):
    """What cleaning makes of an export of Kobo's, and how many rows were read and set aside."""
    items, towns = lists.items_of(form)
    answers = read_kobo(file, items)
    survey = Survey(form, "2023", "kobo", file=file.name)
    done = clean_answers(
        answers, items, survey, lists.county.waves["2023"], lists.matchers["town"], [t for _, t, _ in towns]
    )
    assert len(answers.text) + len(answers.rejected) == len(done.kept) + (done.rejected["level"] == "row").sum()
    return done


def truth(lists, form, people):
    """The cleaned columns that the answers must give, from the form's names alone."""
    items = asked(lists, form).items
    rows = []
    for person in people:
        row = {}
        for item in items:
            codes = {option.key: option.code for option in item.options}
            for variable, column, one in item.parts:
                text = person[item.name if one and not item.is_matrix else column]
                if item.type == "multi":
                    row[variable] = int(one.key in text.split()) if text else None
                elif item.options:
                    row[variable] = None if not text or codes[text] in item.missing else codes[text]
                elif item.type in ("whole", "number"):
                    row[variable] = None if not text or float(text) in item.missing else float(text)
                else:
                    row[variable] = text or None
        rows.append(row)
    return pd.DataFrame(rows)


SHAPES = [
    ("kobo names", ";", "/", "", "both", False, "csv"),
    ("kobo names, one column", ";", "/", "", "one", False, "csv"),
    ("kobo names, split only", ",", "/", "", "split", False, "xlsx"),
    ("central names", ",", "-", "", "both", False, "csv"),
    ("names without groups", ",", "/", "", "one", True, "csv"),
    ("labels in Chinese", ";", "/", "zh", "both", False, "csv"),
    ("labels in English", ";", "/", "en", "both", False, "xlsx"),
    ("labels, one column", ";", "/", "zh", "one", False, "csv"),
    ("labels, split only", ";", "/", "en", "split", False, "csv"),
]


@pytest.mark.parametrize("shape", SHAPES, ids=[shape[0] for shape in SHAPES])
@pytest.mark.parametrize(
    "form", ["resident", *(pytest.param(form, marks=pytest.mark.slow) for form in ("staff", "leader", "department"))]
)
def test_round_trip(county, lists, filled, form, shape):
    _, delimiter, sign, lang, multiple, hide, ending = shape
    xlsform, people = filled[form]
    file = county / f"export.{ending}"
    write(file, *table_of(xlsform, people, sign, lang, multiple, hide), delimiter)
    done, wanted = cleaned(lists, form, file), truth(lists, form, people)
    rows = done.kept
    assert len(rows) == PEOPLE and done.rejected.empty, done.rejected.to_string()
    flags = {*done.flags["flag"], *find_flags(rows, house_codebook().form(form), lists.county.thresholds)["flag"]}
    # the form's own conditions agree with the rules of the codebook
    assert (
        flags & {"skip_violation", "skipped_but_asked", "exclusive_conflict", "too_many_choices", "contradiction"}
        == set()
    )
    towns = [item for item in house_codebook().form(form) if item.role == "town"]
    for item in towns:
        assert rows["town_id"].fillna("").to_list() == [
            "" if p[item.name] in ("", "elsewhere") else p[item.name] for p in people
        ]
    for variable in wanted:
        if all(variable != item.id for item in towns):
            got = [None if pd.isna(value) else value for value in rows[variable]]
            assert got == [None if pd.isna(value) else value for value in wanted[variable]], variable
    texts = [
        (row["name"], row["name"].removesuffix("_text"))
        for _, row in xlsform.questions
        if row["name"].endswith("_text")
    ]
    said = sum(person[name] != "" for name, _ in texts for person in people)
    assert said == rows.filter(regex="_text$").notna().sum().sum() and (said > 0) == bool(texts)
    assert set(rows["village_id"].dropna()) == ({"T01V02"} if form == "resident" else set())
    ids = [person["interviewer_id"] or None for person in people]
    assert [None if pd.isna(one) else one for one in rows["interviewer_id"]] == ids
    assert set(rows["seconds"]) == {330} and set(rows["submitted_at"].astype(str)) == {"2023-05-09 10:05:30"}


def test_a_county_declares_the_reader(county, filled):
    """The whole way through county.toml: rows read = kept + rejected, and what the review refused is told."""
    xlsform, people = filled["resident"]
    head, rows = table_of(xlsform, people, "/", "", "both")
    rows = [list(row) for row in rows]
    rows[3][head.index("_validation_status")] = "Not approved"
    rows[4][head.index("home_town")] = "Atlantis"
    tags = [["#town" if name == "home_town" else "" for name in head]]
    write(county / "answers.csv", head, tags + rows, ";")
    declared = (county / "county.toml").read_text("utf-8")
    survey = '[[survey]]\nform = "resident"\nwave = "2023"\nreader = "kobo"\nfile = "answers.csv"\n'
    (county / "county.toml").write_text(declared + survey, "utf-8")
    made = Intake(read_county(county), house_codebook()).run()
    (county / "county.toml").write_text(declared, "utf-8")
    counts = made.counts.set_index("file").loc["answers.csv"]
    assert (counts["n_read"], counts["n_kept"], counts["n_rejected"]) == (PEOPLE, PEOPLE - 2, 2)
    told = made.rejected[(made.rejected["file"] == "answers.csv") & (made.rejected["level"] == "row")]
    assert sorted(told["reason"]) == ["not_approved", "town_unknown"]
    assert "hxl_row" in set(made.notes["note"])


BOOK = """
[[item]]
id = "Q1"
name = "symmetry"
form = "resident"
type = "multi"
zh = "对称"
en = "What kind of symmetry do you have?"
options = [{ code = 1, key = "spherical", zh = "球", en = "Spherical" }, { code = 2, key = "radial", zh = "辐射", en = "Radial" }, { code = 3, key = "other", zh = "其他", en = "Another kind" }]
fill_in = [3]

[[item]]
id = "Q2"
name = "other"
form = "resident"
type = "ranking"
zh = "排序"
en = "Put them in order"
options = [{ code = 1, key = "a", zh = "甲", en = "A" }, { code = 2, key = "b", zh = "乙", en = "B" }]

[[item]]
id = "Q3"
name = "row"
form = "resident"
type = "matrix_single"
zh = "矩阵"
en = "A matrix"
options = [{ code = 1, key = "yes", zh = "是", en = "Yes" }, { code = 0, key = "no", zh = "否", en = "No" }]
rows = [{ id = "x", zh = "甲行", en = "Row A" }, { id = "y", zh = "乙行", en = "Row B" }]
"""


def read(tmp_path, text, name="export.csv"):
    (tmp_path / name).write_text(text, "utf-8")
    return read_kobo(tmp_path / name, parse_codebook(BOOK).form("resident"))


def test_by_hand(tmp_path):
    """By hand, after the shapes that KoboToolbox's and ODK Central's documentation describe; an option called as an item is."""
    text = read(tmp_path, """"g/symmetry";"g/symmetry/spherical";"g/symmetry/radial";"g/symmetry/other";"g/symmetry_other_text";"g/other";"g/row/row_x";"g/row/row_y";"_submission_time"
"spherical other";"1";"0";"1";"又〖一〗种";"b a";"yes";"";"2023-05-09T16:30:00"
"radial";"0";"1";"0";"";"b";"no";"n/a";"2023-05-09T16:30:00"
"radial";"1";"0";"0";"";"";"1";"0";"2023-05-09T16:30:00+00:00"
"";"";"";"";"";"";"";"";""
"spherical";"";"";"";"";"a b";"maybe";"no";""
""")  # fmt: skip
    assert text.text["Q1"].to_list()[:2] == ["球┋其他〖又[一]种〗", "辐射"]
    assert text.text["Q1"].to_list()[2:] == [
        "辐射 ≠ 球",
        "球 ≠ ",
    ]  # of no option: set aside when cleaned; the blank row is none
    assert text.text["Q2"].to_list() == ["乙→甲", "乙", "", "甲→乙"]
    assert text.text["Q3_x"].to_list() == ["是", "否", "1", "maybe"] and text.text["Q3_y"].to_list() == [
        "",
        "",
        "0",
        "否",
    ]
    assert (
        text.meta["submitted_at"].to_list()[0] == "2023-05-09T16:30:00+00:00"
    )  # Kobo's server writes UTC: 0:30 in China
    assert parse_instants(text.meta["submitted_at"])[2] == pd.Timestamp("2023-05-10 00:30")


def test_labels_that_hold_blanks_need_no_ticks(tmp_path):
    """KoboToolbox joins labels by blanks too: the longest label that fits is taken."""
    head = "What kind of symmetry do you have?,Put them in order,A matrix/Row A,A matrix/Row B\n"
    made = read(tmp_path, head + "Another kind Spherical,B A,Yes,No\nAnother kind of thing,A,No,\n")
    assert made.text["Q1"].to_list() == ["其他┋球", "Another kind of thing"]
    assert made.text["Q2"].to_list() == ["乙→甲", "甲"] and made.text["Q3_y"].to_list() == ["否", ""]


def test_rows_of_a_matrix_without_their_group(tmp_path):
    head = "What kind of symmetry do you have?;Put them in order;Row A;Row B\n"
    assert read(tmp_path, head + "Radial;A B;Yes;No\n").text["Q3_x"].to_list() == ["是"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("symmetry,other,row_x", "lacks these items: Q3"),
        ("symmetry/spherical,symmetry/radial,other,row_x,row_y", "lacks these items: Q1"),  # one option has no column
        ("symmetry,other,a/row_x,b/row_x,row_y", "several columns look like Q3_x: a/row_x, b/row_x"),
    ],
)
def test_a_column_that_is_lacking_or_there_twice_is_named(tmp_path, head, said):
    with pytest.raises(InputError) as error:
        read(tmp_path, head + "\n" + ",".join("1" for _ in head.split(",")) + "\n")
    assert said in error.value.say("en") and error.value.say("zh").startswith("export.csv")


def test_masked_cells_are_counted(tmp_path):
    """Two phone numbers among the answers, of which none is left: what counts.csv tells as `n_personal`."""
    head = "What kind of symmetry do you have?;Put them in order;Row A;Row B\n"
    made = read(tmp_path, head + "Radial;13912345678;Yes;No\nRadial;A B;13812345678;No\n")
    assert made.n_masked == 2
    assert not made.text.apply(lambda cells: cells.str.contains("12345678")).any(axis=None)
