"""问卷星 exports bound to a form: headers in all their shapes and the pair of exports."""

import dataclasses

import pytest

from huying.codebook import parse_codebook
from huying.sources.exports import read_answers
from huying.sources.wjx import bind
from huying.words import InputError

TOML = """
[[item]]
id = "A"
form = "resident"
type = "single"
zh = "您住在哪里？"
en = "Where do you live?"
options = [{ code = 1, zh = "村里", en = "Village" }, { code = 97, zh = "其他【请注明】", en = "Other" }]
fill_in = [97]
[[item]]
id = "B"
form = "resident"
type = "multi"
zh = "您关注什么？（可多选）"
en = "What do you follow?"
options = [{ code = 5, zh = "ACG文化(动漫、游戏等)", en = "ACG" }, { code = 6, zh = "体育", en = "Sport" }, { code = 97, zh = "其他", en = "Other" }]
[[item]]
id = "C"
form = "resident"
type = "matrix_single"
zh = "下面的机构您听过吗？"
en = "Have you heard of these?"
rows = [{ id = "a", zh = "农技站", en = "Agro" }, { id = "b", zh = "经管站", en = "Econ" }]
options = [{ code = 1, zh = "听过", en = "Yes" }, { code = 2, zh = "没听过", en = "No" }]
[[item]]
id = "D"
form = "resident"
type = "whole"
zh = "您多大年龄？"
en = "How old are you?"
"""
ITEMS = parse_codebook(TOML).form("resident")
META = "序号,提交答卷时间,所用时间,来源,来源详情,来自IP,"
TEXT = [
    META
    + "1、您住在哪里？ ,2、您关注什么？,3、天气如何？,4、下面的机构您听过吗？—农技站,经管站,5、您多大年龄？（周岁）",
    "1,2022/12/17 14:22:55,136秒,链接,village=T01V03;interviewer=I07,1.2.3.4(a),村里,体育┋其他〖a┋体育(b)、c〗,好,听过,没听过,30",
    "2,2022/12/17 14:23:55,99秒,链接,,1.2.3.5(a),其他【请注明】〖城里〗,(空),好,(跳过),(跳过),(空)",
    '3,2022/12/17 14:24:55,99秒,链接,,1.2.3.6(a),村里,"ACG文化(动漫、游戏等)",好,没听过,听过,41',
]
CODES = [
    META + "1、您住在哪里？ ,第2题(ACG文化(动漫、游戏等)),第2题(体育),第2题(其他),3、天气如何？,4、下面的机构您听过吗？—农技站,经管站,5、您多大年龄？（周岁）",
    "3,,,,,,1,1,0,0,1,2,1,41",
    "2,,,,,,2,-2,-2,-2,1,-3,-3,-2",
    "1,,,,,,1,0,1,1,1,1,2,30",
    "4,,,,,,1,0,1,1,1,1,2,30",
]  # fmt: skip


@pytest.fixture
def pair(tmp_path):
    paths = tmp_path / "文本.csv", tmp_path / "序号.csv"
    for path, lines in zip(paths, (TEXT, CODES), strict=True):
        path.write_text("\n".join(lines), encoding="utf-8-sig")
    return paths


def test_the_pair_is_read_whole(pair):
    answers = read_answers(*pair, ITEMS)
    assert list(answers.text) == ["A", "B", "C_a", "C_b", "D"]
    assert list(answers.codes) == ["A", "B", "C_a", "C_b", "D"]
    assert answers.text.loc[2].tolist() == ["村里", "体育┋其他〖a┋体育(b)、c〗", "听过", "没听过", "30"]
    assert answers.codes.loc[2].tolist() == ["1", "体育┋其他", "1", "2", "30"]
    assert answers.text.loc[3, ["B", "C_a"]].tolist() == ["(空)", "(跳过)"]
    assert answers.meta.loc[2].tolist() == [
        "1",
        "2022/12/17 14:22:55",
        "136",
        "village=T01V03;interviewer=I07",
        "T01V03",
        "I07",
    ]
    assert answers.dropped == {"来自IP": 3}
    assert answers.rejected[["row", "value", "reason"]].values.tolist() == [[5, "4", "unpaired"]]


def test_a_missing_item_is_named(pair):
    pair[0].write_text("\n".join(TEXT).replace("您多大年龄", "您的体重"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_answers(*pair, ITEMS)
    assert caught.value.values["items"] == "D 您多大年龄？"
    assert "体重" in caught.value.values["extra"]


@pytest.mark.parametrize(
    "headers",
    [
        ["您住在哪里", "您关注什么", "下面的机构您听过吗—农技站", "经管站", "您多大年龄"],
        [
            "2、您住在哪里？",
            "3、您关注什么？（可多选）【最多选2项】",
            "9、下面的机构您听过吗？—农技站",
            "经管站",
            "10、您多大年龄？",
        ],
        [
            "1、Where do you live?",
            "2、What do you follow?",
            "3、Have you heard of these?—Agro",
            "Econ",
            "4、How old are you?",
        ],
    ],
)
def test_headers_with_and_without_numbers(headers):
    bound, _ = bind(headers, ITEMS, by_option=False)
    assert bound == dict(zip(["A", "B", "C_a", "C_b", "D"], headers, strict=True))


@pytest.mark.parametrize(
    "shape", ["2、{}", "2、({})", "2、您关注什么？（可多选）({})", "第2题({})", "您关注什么？（可多选）({})"]
)
def test_split_options(shape):
    options = ["ACG文化(动漫、游戏等)", "体育", "其他"]
    headers = [shape.format(option) for option in options]
    bound, _ = bind(headers, ITEMS, by_option=True, numbers={2: ITEMS[1]})
    assert bound == dict(zip(ITEMS[1].variables, headers, strict=True))


def test_rows_of_two_matrices_with_the_same_titles():
    other = dataclasses.replace(ITEMS[2], id="E", text=ITEMS[2].text._replace(zh="这些机构您去过吗？"))
    headers = ["1、下面的机构您听过吗？—农技站", "经管站", "2、这些机构您去过吗？—农技站\x1f2", "经管站\x1f2"]
    bound, _ = bind(headers, [ITEMS[2], other], by_option=False)
    assert bound == dict(zip(["C_a", "C_b", "E_a", "E_b"], headers, strict=True))
