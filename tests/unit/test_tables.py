"""Tables and labels put words for ids, in both languages; what has no word stays as it is."""

import numpy as np
import pandas as pd
import pytest

from huying import labels
from huying.codebook import house_codebook, parse_codebook
from huying.labels import Labels
from huying.tables import show
from huying.words import Text

BOOK = """
[[item]]
id = "Q1"
name = "heard"
form = "resident"
type = "single"
zh = "您听说了没有？"
en = "Had you heard of it?"
options = [{ code = 1, key = "read", zh = "读过", en = "Read it" }, { code = 2, key = "other", zh = "其他", en = "Other" }]

[[item]]
id = "Q2"
name = "learned_from"
form = "resident"
type = "multi"
zh = "从哪里听说？"
en = "Where did you hear of it?"
options = [{ code = 1, key = "wechat", zh = "微信群", en = "WeChat group" }, { code = 2, key = "other", zh = "别处", en = "Elsewhere" }]

[[item]]
id = "Q3"
name = "knows"
form = "resident"
type = "matrix_single"
zh = "知道下列机构吗？"
en = "Do you know these?"
rows = [{ id = "a", name = "station", zh = "原站所", en = "The station" }]
options = [{ code = 1, key = "yes", zh = "知道", en = "I know it" }]
"""


def known(lang):
    places = {"T01": Text("中位镇", "Median Town"), "K01": "民政局"}
    measures = {"aware": Text("知晓改革", "aware of the reform"), "told": Text("听过讲解", "was told of it")}
    return Labels(lang, Text("示例县", "Demo County"), places, measures, parse_codebook(BOOK))


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(labels, "_registered", {})
    labels.register("x/en", known("en"))
    labels.register("x/zh", known("zh"))


def estimates(lang, **columns):
    given = {"place": ["T01", "county"], "measure": "aware", "estimate": [0.3456, np.nan], "low": [0.3, np.nan]}
    given |= {"high": [0.4, np.nan], "n": [60, 4], "reliability": ["read with care", "too few answers"]}
    made = pd.DataFrame({**given, "reason": "", "period": "", **columns})
    made.attrs["labels"] = f"x/{lang}"
    return made


@pytest.mark.parametrize(
    ("ask", "zh", "en"),
    [
        (("place", "T01"), "中位镇", "Median Town"),
        (("place", "county"), "示例县", "Demo County"),
        (("place", "T99"), "T99", "T99"),
        (("measure", "aware"), "知晓改革", "aware of the reform"),
        (("measure", "aware - told"), "知晓改革 - 听过讲解", "aware of the reform - was told of it"),
        (("measure", "heard"), "您听说了没有？", "Had you heard of it?"),
        (("measure", "learned_from_wechat"), "微信群", "WeChat group"),
        (("measure", "knows_station"), "原站所", "The station"),
        (("measure", "mine"), "mine", "mine"),
        (("option", "heard", "read"), "读过", "Read it"),
        (("option", "learned_from", "other"), "别处", "Elsewhere"),
        (("option", "knows_station", "yes"), "知道", "I know it"),
        (("option", "answer", "read"), "读过", "Read it"),  # no question of that name, and one wording only
        (("option", "answer", "other"), "other", "other"),  # two questions word it differently
        (("option", "home", "T01"), "中位镇", "Median Town"),
        (("column", "n_eff"), "有效样本量", "effective n"),
        (("value", "reliability", "too few answers"), "回答过少", "too few answers"),
        (("value", "verdict", "not supported"), "不支持", "not supported"),
        (("value", "told", True), "是", "yes"),
        (("value", "told", pd.NA), "", ""),
        (("word", "K01"), "民政局", "民政局"),
    ],
)
def test_each_id_in_words(ask, zh, en):
    name, *values = ask
    assert [getattr(known(lang), name)(*values) for lang in ("zh", "en")] == [zh, en]


def test_a_frame_has_the_words_of_its_own_county_and_a_plain_one_those_of_the_county_opened_last():
    assert labels.of(estimates("en")).lang == "en"
    assert labels.of(pd.DataFrame()).lang == "zh" and labels.of(None).lang == "zh"
    labels.register("x/en", known("en"))
    assert labels.of(pd.DataFrame()).lang == "en"


def test_without_a_county_ids_stay_and_the_house_has_its_own_words(monkeypatch):
    monkeypatch.setattr(labels, "_registered", {})
    assert labels.of(None).place("T01") == "T01" and labels.of(None).column("estimate") == "estimate"


def test_shares_stand_as_per_cent_and_ids_as_words():
    lines = [line.split() for line in repr(show(estimates("zh"))).split("\n")]
    assert lines[0] == [
        "地方",
        "指标",
        "估计值",
        "区间下限",
        "区间上限",
        "n",
        "可靠程度",
    ]  # nothing said in reason and period
    assert lines[1] == ["中位镇", "知晓改革", "34.6%", "30.0%", "40.0%", "60", "谨慎使用"]
    assert lines[2] == ["示例县", "知晓改革", "4", "回答过少"]


def test_what_is_no_share_keeps_three_figures():
    frame = estimates("en", estimate=[3.4567, 1234.5], high=[4.0, 2000.0])
    assert show(frame).cells["estimate"].tolist() == ["3.46", "1234"]
    assert show(pd.DataFrame({"paper": [0.5]}), percent=["paper"]).cells.iloc[0, 0] == "50.0%"


def test_people_are_shown_by_their_answers_and_not_by_the_line_of_their_file():
    people = {
        "town": ["T01", "T01"],
        "heard": pd.array(["read", None], "string"),
        "learned_from_wechat": pd.array([True, None], "boolean"),
    }
    frame = pd.DataFrame(people, index=pd.Index(["a.csv#2", "a.csv#3"], name="row_id"))
    frame.attrs["labels"] = "x/en"
    assert show(frame).cells.to_numpy().tolist() == [["Median Town", "Read it", "yes"], ["Median Town", "", ""]]
    assert list(show(frame).cells) == ["town", "Had you heard of it?", "WeChat group"]


def test_a_named_index_is_part_of_the_table():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["T01", "county"], name="place"))
    assert show(frame).cells.to_numpy().tolist() == [["中位镇", "1"], ["示例县", "2"]]


@pytest.mark.parametrize(("lang", "said"), [("zh", "共 90 行，这里是前 3 行"), ("en", "the first 3 of 90 rows")])
def test_a_long_frame_is_cut_and_says_so(lang, said):
    frame = pd.concat([estimates(lang)] * 45)
    assert repr(show(frame, rows=3)).split("\n")[-1] == said and said in show(frame, rows=3)._repr_html_()
    assert len(repr(show(frame, rows=3)).split("\n")) == 5


def test_no_rows_are_said():
    assert repr(show(estimates("en").iloc[:0])) == "no rows"


def test_wide_characters_are_aligned():
    cells = pd.DataFrame({"place": ["T01", "county"], "n": [1, 22]})
    heads = [line.rstrip() for line in repr(show(cells)).split("\n")]
    assert heads == ["  地方  n", "中位镇  1", "示例县 22"]


def test_html_is_the_same_each_time_and_escapes_what_people_wrote():
    frame = pd.DataFrame({"comment": ["<b>bold</b> & more"], "n": [3]})
    first, second = (show(frame)._repr_html_() for _ in range(2))
    assert first == second and "&lt;b&gt;" in first and "<b>bold" not in first
    assert show(frame.assign(n=4))._repr_html_() != first


def test_one_is_yes_in_the_column_of_a_flag_and_a_number_elsewhere():
    words = Labels("zh")
    assert [words.value(column, "1") for column in ("turned_up", "answer", "rating")] == ["是", "1", "1"]


@pytest.mark.parametrize(("form", "answer"), [("staff", "多半照老站所"), ("leader", "大体照老站所")])
def test_of_two_forms_that_have_an_item_of_one_name_each_is_told_in_its_own_words(form, answer):
    """Staff and leaders are asked how the town runs, in other words."""
    words = Labels("zh", codebook=house_codebook())
    asked = next(item for item in words.codebook.form(form) if item.name == "daily_structure")
    own = words.of_form(form)
    assert own.value("daily_structure", "mainly_old") == answer and own.question("daily_structure") == asked.text("zh")
    labels.register("two forms/zh", words)
    frame = pd.DataFrame({"answer": ["mainly_old"], "n": [7]})
    frame.attrs |= {"labels": f"{form}|two forms/zh", "answer": "daily_structure"}
    assert answer in repr(show(frame))


def test_flags_of_a_person_have_words():
    assert Labels("en").value("flags", "speeder; decoy") == "speeder; knows the decoy"
