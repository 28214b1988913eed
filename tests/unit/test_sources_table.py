"""Text files: what is taken, set aside with its line, or refused."""

import pytest

from huying.sources.table import read_table
from huying.words import InputError

HEAD = "序号,镇街,年龄,说明\n"
ROWS = "1,李家镇,30,好\n2,王庄乡,41,NA\n3,石桥镇,52,null\n"
REFUSED = [  # bytes, arguments, key of the message
    (b"", {}, "empty_file"),
    (b"  \n \n", {}, "no_header"),
    (HEAD.encode(), {}, "no_rows"),
    ((HEAD + ROWS).encode("utf-16-be"), {}, "utf16"),
    ((HEAD + ROWS).replace(",", "，").encode(), {}, "full_width_comma"),
    ((HEAD + '1,李家镇,30,"好\n2,王庄乡,41,无\n').encode(), {}, "open_quote"),
    ((HEAD + ROWS.replace("\n", ",\n")).encode(), {}, "other_width"),
    (("序号,镇街,镇街\n1,a,b\n").encode(), {}, "same_header"),
    (("序号,,年龄\n1,a,3\n").encode(), {}, "nameless"),
    ((",".join(f"q{i}" for i in range(5001)) + "\n" + ",".join(["1"] * 5001) + "\n").encode(), {}, "too_many_columns"),
    (("调查表,,,\n,,,\n" + HEAD + ROWS).encode(), {}, "nameless"),
    (("调查表,,,\n\n").encode(), {"header_row": 2}, "no_header"),
    (b"\xef\xbb\xbf", {}, "no_header"),
    (b"<html><table><tr><td>1</td></tr></table></html>", {}, "web_page"),
    (b"PK\x03\x04 cut short", {}, "damaged"),
]
ENCODINGS = [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16")]


def write(folder, data, name="t.csv"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("data", "arguments", "key"), REFUSED, ids=[case[2] + str(i) for i, case in enumerate(REFUSED)]
)
def test_refused(tmp_path, data, arguments, key):
    with pytest.raises(InputError) as caught:
        read_table(write(tmp_path, data), **arguments)
    assert caught.value.key == f"sources.{key}"
    assert all(caught.value.say(lang).startswith("t.csv") for lang in ("zh", "en"))


@pytest.mark.parametrize(("encoding", "named"), ENCODINGS)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_every_encoding_and_delimiter_gives_the_same_text(tmp_path, encoding, named, mark):
    text = (HEAD + ROWS).replace(",", mark)
    raw = read_table(write(tmp_path, text.encode(encoding)))
    assert raw.text["镇街"].tolist() == ["李家镇", "王庄乡", "石桥镇"]
    assert raw.text["说明"].tolist() == ["好", "NA", "null"]
    assert list(raw.text.index) == [2, 3, 4]
    assert (raw.encoding, len(raw.rejected)) == (named, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\ufeff\ufeff", "\n \n", "sep=,\n\n"])
def test_every_end_of_line_and_start_gives_the_same_text(tmp_path, start, end):
    text = (start + HEAD + ROWS).replace("\n", end)
    raw = read_table(write(tmp_path, text.encode()))
    assert raw.text["镇街"].tolist() == ["李家镇", "王庄乡", "石桥镇"]
    assert list(raw.text.index) == [n + start.count("\n") for n in (2, 3, 4)]


def test_codes_and_long_numbers_stay_as_written(tmp_path):
    raw = read_table(write(tmp_path, "id,code\n9007199254740993,007\n,01\n"))
    assert raw.text["id"].tolist() == ["9007199254740993", ""]
    assert raw.text["code"].tolist() == ["007", "01"]


def test_single_bad_lines_are_set_aside_with_their_line(tmp_path):
    text = (
        HEAD + "1,李家镇,30,好\n2,王庄乡,41\n" + HEAD + '3,石桥镇,52,"两\n行"\n\n4,东岭镇,60,好\n合计,,183,\n5,西岭镇'
    )
    raw = read_table(write(tmp_path, text))
    assert list(raw.text.index) == [2, 5, 8]
    assert raw.text.loc[5, "说明"] == "两\n行"
    assert raw.rejected[["row", "reason"]].values.tolist() == [
        [3, "fields"], [4, "header_again"], [9, "total"], [10, "fields"]]  # fmt: skip
    assert raw.rejected["value"].tolist() == ["3/4", "", "", "2/4"]


def test_lines_in_another_encoding_are_set_aside(tmp_path):
    lines = (HEAD + ROWS).splitlines(keepends=True)
    data = "".join(lines[:2]).encode() + lines[2].encode("gbk") + lines[3].encode()
    raw = read_table(write(tmp_path, data))
    assert raw.text["序号"].tolist() == ["1", "3"]
    assert raw.rejected[["row", "reason"]].values.tolist() == [[3, "encoding"]]


def test_a_gbk_file_cut_inside_a_character_loses_only_its_last_line(tmp_path):
    raw = read_table(write(tmp_path, (HEAD + ROWS).encode("gbk") + "4,东岭".encode("gbk")[:-1]))
    assert raw.text["序号"].tolist() == ["1", "2", "3"]
    assert raw.rejected[["row", "reason"]].values.tolist() == [[5, "encoding"]]


def test_a_nul_in_one_cell_sets_its_line_aside(tmp_path):
    raw = read_table(write(tmp_path, HEAD + ROWS + "4,东\0岭,60,好\n" + ROWS * 5))
    assert raw.rejected[["row", "reason"]].values.tolist() == [[5, "encoding"]]


def test_small_oddities_are_read_as_meant(tmp_path):
    assert read_table(write(tmp_path, "\ufeff\ufeff序号, 镇\u200b街 \n1,a\n")).text.columns.tolist() == ["序号", "镇街"]
    assert read_table(write(tmp_path, "序号,宽\r1,a\r2,b\r")).text["宽"].tolist() == ["a", "b"]
    assert read_table(write(tmp_path, '序号,宽\n1,5"管\n2,b\u2028c\n')).text["宽"].tolist() == ['5"管', "b\u2028c"]
    raw = read_table(write(tmp_path, '"镇\n街",宽\na,1\n'))  # a line break in the header
    assert (raw.text.columns.tolist(), raw.text.index.tolist()) == (["镇 街", "宽"], [3])
    mixed = "序号,镇街\r1,李家镇\r2,王庄乡\r".encode() + "\n3,东岭镇\n".encode(
        "gbk"
    )  # bare CR, and a line in another encoding
    assert read_table(write(tmp_path, mixed)).text["序号"].tolist() == ["1", "2"]
    assert read_table(write(tmp_path, "题目\n\n序号,宽\n1,a\n"), header_row=3).text.index.tolist() == [4]
    assert read_table(write(tmp_path, "序号,宽,\n1,a,\n")).text.shape == (1, 2)
    assert read_table(write(tmp_path, "行,行,\n1,a,x\n"), repeats=True).text.columns.tolist() == ["行", "行\x1f2", ""]


def test_the_line_of_an_open_quote_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        read_table(write(tmp_path, HEAD + "1,李家镇,30,好\n" + '2,王庄乡,41,"无\n3,a,52,"b"\n'))
    assert caught.value.place.row == 3


def test_a_missing_file_is_a_message(tmp_path):
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "没有.csv")
    assert caught.value.key == "sources.cannot_open"
