"""Excel files: the defects that a parser would swallow, hang on or die of."""

import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from huying.sources.table import read_table
from huying.words import InputError

HEAD = ["序号", "镇街", "年龄"]
OLD_XLS = Path(__file__).parent / "data" / "old.xls"  # two sheets, the second empty; A2:A4 merged; a date in B2


def book(folder, fill, name="t.xlsx", **options):
    path = folder / name
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd", **options}) as workbook:
        fill(workbook)
    return path


def sheet_of(workbook, rows=(["1", "李家镇", 30], ["2", "王庄乡", 41.5]), name=None, head=HEAD):
    sheet = workbook.add_worksheet(name)
    for number, row in enumerate([head, *rows]):
        sheet.write_row(number, 0, row)
    return sheet


def changed(path, member, old, new, kind=zipfile.ZIP_DEFLATED):
    """The package with `old` replaced by `new` in one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as package, zipfile.ZipFile(out, "w", kind) as result:
        for name in package.namelist():
            data = package.read(name)
            assert name != member or old in data
            result.writestr(name, data.replace(old, new) if name == member else data)
    path.write_bytes(out.getvalue())
    return path


def refusal(path, **arguments):
    with pytest.raises(InputError) as caught:
        read_table(path, **arguments)
    return caught.value


def test_values_become_text(tmp_path):
    def fill(workbook):
        sheet = sheet_of(workbook, head=[*HEAD, "日期"])
        sheet.write_datetime(1, 3, dt.datetime(2023, 5, 1))
        sheet.write_datetime(2, 3, dt.datetime(2023, 5, 1, 10, 30))

    raw = read_table(book(tmp_path, fill))
    assert raw.text["年龄"].tolist() == ["30", "41.5"]
    assert raw.text["日期"].tolist() == ["2023-05-01", "2023-05-01 10:30:00"]
    assert (raw.encoding, list(raw.text.index), raw.place.sheet) == ("xlsx", [2, 3], "Sheet1")


def test_the_1904_system_gives_the_same_day(tmp_path):
    def fill(workbook):
        sheet_of(workbook, head=["日期"], rows=[]).write_datetime(1, 0, dt.datetime(2023, 5, 1))

    assert read_table(book(tmp_path, fill, date_1904=True)).text["日期"].tolist() == ["2023-05-01"]


def test_cells_without_a_trustworthy_value_are_set_aside(tmp_path):
    def fill(workbook):
        sheet = sheet_of(workbook, [["1", "a", 1], ["2", "b", 2], ["3", "c", 371502199001011234]])
        sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 2, "=A1", None, "x")
        sheet.write_formula(3, 1, "=1+1", None, 2)

    path = changed(book(tmp_path, fill), "xl/worksheets/sheet1.xml", b"<v>x</v>", b"<v></v>")
    path = changed(path, "xl/worksheets/sheet1.xml", b' t="str"', b"")
    raw = read_table(path)
    assert raw.rejected[["row", "column", "reason"]].values.tolist() == [
        [2, "年龄", "error_cell"], [3, "年龄", "not_calculated"], [4, "年龄", "digits_lost"]]  # fmt: skip
    assert raw.rejected["value"].str.split().str[0].tolist() == ["C2", "C3", "C4"]
    assert raw.text["年龄"].tolist() == ["", "", ""]
    assert raw.text["镇街"].tolist() == ["a", "b", "2"]


def test_merged_cells_are_filled_down(tmp_path):
    raw = read_table(book(tmp_path, lambda w: sheet_of(w, [["", "x", 1]] * 3).merge_range("A2:A4", "李家镇")))
    assert raw.text["序号"].tolist() == ["李家镇"] * 3


@pytest.mark.parametrize(
    ("hide", "arguments", "outcome"),
    [
        ((), {}, "refused"),  # two visible sheets
        (("b",), {}, "a"),
        (("a",), {}, "refused"),  # the hidden one stands first
        (("a",), {"sheet": "b"}, "b"),
        (("b",), {"sheet": "c"}, "refused"),
    ],
)
def test_the_sheet_is_never_guessed(tmp_path, hide, arguments, outcome):
    def fill(workbook):
        sheets = {name: sheet_of(workbook, [[name, "x", 1]], name) for name in "ab"}
        sheets["b" if "a" in hide else "a"].activate()
        sheets["b" if "a" in hide else "a"].set_first_sheet()
        for name in hide:
            sheets[name].hide()
        workbook.add_worksheet("empty")

    path = book(tmp_path, fill)
    if outcome == "refused":
        assert refusal(path, **arguments).key in ("sources.name_sheet", "sources.no_sheet")
    else:
        assert read_table(path, **arguments).text["序号"].tolist() == [outcome]


def test_a_stray_cell_is_named_before_it_fills_the_memory(tmp_path):
    error = refusal(book(tmp_path, lambda w: sheet_of(w).write("XFD1048576", 1)))
    assert (error.key, error.values["cell"]) == ("sources.stray_cell", "XFD1048576")


def test_a_formatted_blank_cell_far_away_is_no_cell(tmp_path):
    path = book(tmp_path, lambda w: sheet_of(w).write_blank("A1048576", None, w.add_format({"bold": True})))
    assert len(read_table(path).text) == 2


def test_blank_rows_are_skipped(tmp_path):
    raw = read_table(
        book(tmp_path, lambda w: sheet_of(w, [["1", "a", 1], ["", " ", ""], ["2", "b", 2], ["合计", "", 3]]))
    )
    assert list(raw.text.index) == [2, 4]
    assert raw.rejected[["row", "reason"]].values.tolist() == [[5, "total"]]


def test_cut_locked_and_huge_packages_are_refused_before_parsing(tmp_path, monkeypatch):
    plain = book(tmp_path, sheet_of)
    data = plain.read_bytes()
    plain.write_bytes(data[: len(data) // 2])
    assert refusal(plain).key == "sources.damaged"
    plain.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600)
    assert refusal(plain).key == "sources.password"
    plain.write_bytes(data)
    monkeypatch.setattr("huying.sources.excel.MOST_UNPACKED", 1000)
    assert refusal(plain).key == "sources.zip_bomb"


def test_cells_without_references_and_a_lying_dimension(tmp_path):
    path = book(tmp_path, sheet_of)
    for row in (1, 2, 3):
        for letter in "ABC":
            path = changed(path, "xl/worksheets/sheet1.xml", f' r="{letter}{row}"'.encode(), b"")
    path = changed(path, "xl/worksheets/sheet1.xml", b'ref="A1:C3"', b'ref="A1:XFD1048576"')
    assert read_table(path).text["镇街"].tolist() == ["李家镇", "王庄乡"]


def test_the_content_decides_not_the_ending(tmp_path):
    assert read_table(book(tmp_path, sheet_of, "t.csv")).encoding == "xlsx"
    path = tmp_path / "t.xls"
    path.write_text("序号,镇街\n1,a\n", encoding="utf-8")
    assert read_table(path).text.to_dict("list") == {"序号": ["1"], "镇街": ["a"]}


def test_headers_of_a_sheet(tmp_path):
    assert refusal(book(tmp_path, lambda w: sheet_of(w, head=["a", "b", "a"]))).values["columns"] == "A, C"
    assert refusal(book(tmp_path, lambda w: sheet_of(w, head=["说明", "", ""]), "u.xlsx")).values["columns"] == "B, C"
    assert refusal(book(tmp_path, sheet_of), header_row=4).key == "sources.no_header"


def test_old_xls():
    raw = read_table(OLD_XLS)
    assert raw.text["镇街"].tolist() == ["李家镇"] * 3
    assert raw.text["日期"].tolist() == ["2023-05-01", "", ""]
    assert raw.encoding == "xls"
