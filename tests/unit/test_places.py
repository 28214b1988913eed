import pandas as pd
import pytest

from huying.clean.cells import Matcher, bare, squeeze, without_office

TOWNS = {
    "T01": ["均值镇", "Mean Town", "老均值"],
    "T02": ["方差街道", "Variance Subdistrict"],
    "T03": ["中位数乡", ""],
    "T04": ["标准镇", "Standard"],
    "T05": ["标准街道"],
    "T06": ["李家镇"],
}
TOWN = Matcher(TOWNS, ["示例县", "示例"])


@pytest.mark.parametrize(
    ("typed", "found", "how"),
    [
        ("均值镇", "T01", "exact"),
        ("T01", "T01", "exact"),
        ("t01", "T01", "exact"),
        (" 均值 镇\u3000", "T01", "exact"),
        ("均值镇。", "T01", "exact"),
        ("“均值镇”", "T01", "exact"),
        ("老均值", "T01", "exact"),  # an alias
        ("ＭＥＡＮ　ｔｏｗｎ", "T01", "exact"),  # full width
        ("均值镇政府", "T01", "repaired"),
        ("均值镇人民政府", "T01", "repaired"),
        ("均值镇党委", "T01", "repaired"),
        ("均值", "T01", "repaired"),
        ("示例县均值镇", "T01", "repaired"),
        ("示例县均值镇人民政府", "T01", "repaired"),
        ("示例均值", "T01", "repaired"),
        ("方差街道办事处", "T02", "repaired"),
        ("方差街办", "T02", "repaired"),
        ("方差街道党工委", "T02", "repaired"),
        ("示例县方差街道办事处", "T02", "repaired"),
        ("中位数乡政府", "T03", "repaired"),
        ("标准镇政府", "T04", "repaired"),  # the type is given, so it is not the subdistrict
        ("标准街办", "T05", "repaired"),
        ("standard", "T04", "exact"),
    ],
)
def test_found(typed, found, how):
    assert TOWN.find(typed) == (found, how)


@pytest.mark.parametrize("typed", ["", "  ", "\u3000", "。", "\u200b"])
def test_blank(typed):
    assert TOWN.find(typed) == (None, "blank")


def test_two_towns_after_the_type_is_gone_are_left_open():
    assert TOWN.find("标准") == (None, "ambiguous")
    assert TOWN.find("示例县标准") == (None, "ambiguous")


def test_an_alias_of_two_towns_is_left_open():
    assert Matcher({"a": ["甲镇", "旧镇"], "b": ["乙镇", "旧镇"]}).find("旧镇") == (None, "ambiguous")


@pytest.mark.parametrize(
    "typed",
    [
        "均值街道",  # the register has a town of this name, not a subdistrict
        "均值街办",
        "均值乡",
        "方差镇",
        "均直镇",  # a typing error
        "中位數乡",  # a traditional character
        "李家鎮",
    ],
)
def test_what_is_nearly_a_name_is_none(typed):
    assert TOWN.find(typed) == (None, "unknown")
    assert TOWN.find("李家") == ("T06", "repaired")


@pytest.mark.parametrize("typed", ["火星", "None", "nan", "均值镇方差街道", "县政府", "镇", "示例县"])
def test_unknown(typed):
    assert TOWN.find(typed) == (None, "unknown")


def test_a_short_name_keeps_its_type():
    """Nothing is stripped that would leave one character."""
    assert bare("李镇") == "李镇"
    assert Matcher({"a": ["李镇"], "b": ["李家镇"]}).find("李") == (None, "unknown")
    assert (bare("李家镇"), bare("红旗民族乡"), bare("均值")) == ("李家", "红旗", "均值")


def test_helpers():
    assert squeeze("（甲）　Town ") == "甲town"
    assert without_office("甲镇人民政府") == without_office("甲镇政府") == "甲镇"
    assert without_office("甲街办") == without_office("甲街道办事处") == "甲街道"
    assert without_office("政府") == "政府"


def test_a_column_keeps_its_index():
    typed = pd.Series(["均值", "", "均值", "火星"], index=[7, 3, 9, 4])
    got = TOWN.match(typed)
    assert list(got.columns) == ["id", "how"]
    assert list(got.index) == [7, 3, 9, 4]
    assert got["how"].tolist() == ["repaired", "blank", "repaired", "unknown"]
    assert got["id"].fillna("-").tolist() == ["T01", "-", "T01", "-"]
    assert TOWN.match(typed[:0]).shape == (0, 2)


def test_departments_have_no_prefix():
    offices = Matcher({"D1": ["县水利局", "水利局"], "D2": ["县林业局"]})
    assert offices.find("水利局") == ("D1", "exact")
    assert offices.find("林业局") == (None, "unknown")
