"""Answers planted in exports of every form that was seen come back cell by cell; what is no export is refused in both languages."""

import json

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import huying as hy
from huying.cli import main
from huying.drafting.county import draft_county
from huying.words import EstimateError, HuyingError, use_language

PEOPLE = 60
ROUTES, TALK = ["微信", "广播", "熟人(亲戚、邻居)", "其他"], ["不同意", "一般", "同意"]
CAUSES = ["习惯", "编制", "场所"]


def truth(seed=1):
    """What 60 people answered: one answer, several, three rows of a table, a ranking of two or three, a number, a day, own words."""
    rng = np.random.default_rng(seed)
    ticks = rng.random((PEOPLE, len(ROUTES))) < 0.4
    ticks[~ticks.any(axis=1), 0] = True
    orders = [list(rng.permutation(3)[: 2 + k % 2]) for k in range(PEOPLE)]
    return {
        "sex": rng.integers(0, 2, PEOPLE),
        "routes": ticks,
        "talk": rng.integers(0, 3, (PEOPLE, 3)),
        "causes": orders,
        "age": rng.integers(18, 80, PEOPLE),
        "day": [f"2023-05-{1 + k % 28:02d}" for k in range(PEOPLE)],
        "why": [f"因为第{k}件事" for k in range(PEOPLE)],
    }


def by_text(told, *, numbered=True, ranking="joined", rows_numbered=False):
    """An export by text of 问卷星: with or without numbers, the rows of the table bare or numbered, the ranking in one column or several."""
    q = (lambda n: f"{n}、") if numbered else (lambda n: "")
    talk = [
        f"{q(3)}请评价—态度好",
        *([f"{q(3)}不用跑", f"{q(3)}知道找谁"] if rows_numbered else ["不用跑", "知道找谁"]),
    ]
    table = {
        "序号": range(1, PEOPLE + 1),
        "提交答卷时间": "2023/5/8 10:00:00",
        f"{q(1)}您的性别": [["男", "女"][k] for k in told["sex"]],
        f"{q(2)}从哪里听说（可多选）": ["┋".join(np.array(ROUTES)[ticks]) for ticks in told["routes"]],
        **{header: [TALK[k] for k in column] for header, column in zip(talk, told["talk"].T, strict=True)},
    }
    if ranking == "joined":
        table[f"{q(4)}按重要性排序"] = ["→".join(CAUSES[k] for k in order) for order in told["causes"]]
    elif ranking == "by option":
        for k, cause in enumerate(CAUSES):
            table[f"{q(4)}按重要性排序({cause})"] = [
                order.index(k) + 1 if k in order else -2 for order in told["causes"]
            ]
    else:
        for place in range(3):
            chosen = [CAUSES[order[place]] if place < len(order) else "" for order in told["causes"]]
            table[f"{q(4)}按重要性排序—第{place + 1}位"] = chosen
    table |= {f"{q(5)}您的年龄": told["age"], f"{q(6)}哪一天": told["day"], f"{q(7)}为什么": told["why"]}
    return pd.DataFrame(table).astype(str)


def by_number(told):
    """The twin by number: positions of options, 0 and 1 for ticks, ranks for a ranking."""
    return pd.DataFrame(
        {
            "序号": range(1, PEOPLE + 1),
            "1、您的性别": told["sex"] + 1,
            **{f"第2题({route})": told["routes"][:, k].astype(int) for k, route in enumerate(ROUTES)},
            "3、请评价—态度好": told["talk"][:, 0] + 1,
            **{f"3、{row}": told["talk"][:, k] + 1 for k, row in ((1, "不用跑"), (2, "知道找谁"))},
            **{
                f"第4题({cause})": [order.index(k) + 1 if k in order else -2 for order in told["causes"]]
                for k, cause in enumerate(CAUSES)
            },
            "5、您的年龄": told["age"],
            "6、哪一天": told["day"],
            "7、为什么": told["why"],
        }
    ).astype(str)


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "survey_data").mkdir()
    monkeypatch.setenv("HUYING_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(name="own"):
    return hy.county(name, lang="zh").survey("resident")


def words_of(survey, column):
    """A column's answers in the words of the form."""
    item = next(item for item in survey.book.form("resident") if column in item.columns)
    named = {option.key: option.text.zh for option in item.options}
    return survey.frame[column].map(named).tolist()


def holds_what_was_planted(survey, told):
    kinds = survey.questions().set_index("question")["question_type"]
    sex, routes, talk, causes, age, day, why = kinds.index
    assert list(kinds)[1:4] == ["multi", "matrix_single", "ranking"]
    assert words_of(survey, sex) == [["男", "女"][k] for k in told["sex"]]
    columns = {item.name: item for item in survey.book.form("resident")}
    ticked = {option.text.zh: survey.frame[f"{routes}_{option.key}"] for option in columns[routes].options}
    assert {route: column.tolist() for route, column in ticked.items()} == {
        route: told["routes"][:, k].tolist() for k, route in enumerate(ROUTES)
    }
    for k, column in enumerate(columns[talk].columns):
        assert words_of(survey, column) == [TALK[answer] for answer in told["talk"][:, k]]
    for option in columns[causes].options:
        place = CAUSES.index(option.text.zh)
        wanted = [order.index(place) + 1 if place in order else None for order in told["causes"]]
        ranks = survey.frame[f"{causes}_{option.key}"]
        assert [None if pd.isna(rank) else int(rank) for rank in ranks] == wanted
    assert survey.frame[age].tolist() == list(told["age"])
    assert survey.frame[day].dt.strftime("%Y-%m-%d").tolist() == told["day"]
    assert survey.frame[why].tolist() == told["why"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(
    "form",
    [{}, {"rows_numbered": True, "ranking": "by option"}, {"ranking": "by rank"}, {"rows_numbered": True}],
    ids=str,
)
def test_an_export_by_text_comes_back_cell_by_cell(home, form, encoding):
    told = truth()
    by_text(told, **form).to_csv("out.csv", index=False, encoding=encoding)
    draft_county("own", home / "out.csv")
    holds_what_was_planted(opened(), told)


def test_both_exports_agree_and_give_the_order_of_the_form(home):
    told = truth()
    by_text(told, rows_numbered=True).to_excel("text.xlsx", index=False)
    by_number(told).to_excel("number.xlsx", index=False)
    draft_county("own", home / "text.xlsx", home / "number.xlsx")
    survey = opened()
    holds_what_was_planted(survey, told)
    assert len(hy.county("own").rejected) == 0
    (routes,) = (item for item in survey.book.form("resident") if item.type == "multi")
    assert [option.text.zh for option in routes.options] == ROUTES


def test_a_twin_that_disagrees_is_set_aside_cell_by_cell(home):
    told, other = truth(), truth()
    other["sex"] = 1 - other["sex"][:]
    other["causes"] = [order[::-1] for order in other["causes"]]
    by_text(told, rows_numbered=True).to_excel("text.xlsx", index=False)
    number = by_number(told)
    number.loc[:3, "第4题(习惯)"] = by_number(other)["第4题(习惯)"]  # of all it would stop the file
    number.to_excel("number.xlsx", index=False)
    draft_county("own", home / "text.xlsx", home / "number.xlsx")
    set_aside = hy.county("own").rejected.groupby("reason").size()
    changed = sum(order.index(0) != order[::-1].index(0) for order in told["causes"][:4] if 0 in order)
    assert set_aside.sum() == changed > 0


def test_a_second_wave_with_its_options_in_another_order(home):
    """The questionnaire names options by their words: what moved in the second export moves no answer."""
    told = truth()
    by_text(told).to_csv("one.csv", index=False)
    draft_county("own", home / "one.csv")
    shuffled = by_text(told).sample(frac=1, random_state=3)
    shuffled["提交答卷时间"] = "2024/5/8 10:00:00"
    shuffled.to_csv(home / "survey_data/own/two.csv", index=False)
    file = home / "survey_data/own/county.toml"
    more = '\n[wave.2024]\nfrom = 2024-05-01\nto = 2024-05-31\n\n[[survey]]\nform = "resident"\nwave = "2024"\nreader = "wjx"\ntext = "two.csv"\n'
    file.write_text(file.read_text("utf-8") + more, "utf-8")
    county = hy.county("own")
    first, second = (county.survey("resident", wave=wave).topline("q1", by=None) for wave in ("2023", "2024"))
    assert first.set_index("answer")["count"].to_dict() == second.set_index("answer")["count"].to_dict()


def test_skips_and_blanks_are_no_answers(home):
    table = by_text(truth())
    table.loc[:9, "1、您的性别"], table.loc[10:14, "1、您的性别"] = "(跳过)", "(空)"
    table.loc[:4, "5、您的年龄"], table.loc[5:9, "5、您的年龄"] = "-3", "-2"
    table.to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv")
    survey = opened()
    assert survey.topline("q1")["n"].unique().tolist() == [45]
    assert survey.frame["q5"].notna().sum() == 50
    assert "(跳过)" in (home / "survey_data/own/TODO.md").read_text("utf-8")


def test_row_numbers_of_r_and_a_second_header_row(home):
    pd.DataFrame({"plan": ["a", "b"] * 10, "x": [1.5, 2.5] * 10}).to_csv("r.csv")
    draft_county("r", home / "r.csv")
    assert opened("r").questions()["question"].tolist() == ["plan", "x"]
    head = ["Respondent ID", "How did you hear?", "", "", "Your age group"]
    below = ["", "Radio", "Friends", "Other (please specify)", "Response"]
    rows = [
        [str(k), "Radio" if k % 2 else "", "Friends" if k % 3 else "", "x" * k if k == 4 else "", "young"]
        for k in range(1, 41)
    ]
    pd.DataFrame([below, *rows], columns=head).to_csv("monkey.csv", index=False)
    draft_county("monkey", home / "monkey.csv")
    survey = opened("monkey")
    (multi,) = survey.questions().query("question_type == 'multi'")["question"]
    assert survey.topline(multi)["count"].tolist() == [20, 27]


def test_spss_with_sets_missing_codes_and_labels(home):
    frame = pd.DataFrame(
        {
            "job": [1.0, 2, 3, 9, 2] * 8,
            "tv": [1.0, 0, 1, 0, 0] * 8,
            "net": [0.0, 0, 1, 1, 0] * 8,
            "age": [20.0, 30, 99, 40, 50] * 8,
        }
    )
    pyreadstat.write_sav(
        frame,
        "own.sav",
        column_labels={"job": "您的职业"},
        variable_value_labels={"job": {1.0: "务农", 2.0: "务工", 9.0: "拒答"}, "age": {99.0: "不知道"}},
        missing_ranges={"job": [9.0], "age": [99.0]},
    )
    draft_county("own", home / "own.sav")
    survey = opened()
    rows = survey.topline("job").set_index("answer")
    assert rows["count"].to_dict() == {"o1": 8, "o2": 16, "o3": 8} and rows["n"].tolist() == [32] * 3
    assert survey.missing("job").value_counts()["refused"] == 8
    assert survey.frame["age"].notna().sum() == 32


def test_towns_and_weights_are_taken_from_their_columns(home):
    table = by_text(truth()).assign(所在镇=["东镇", "西街道"] * 30, w=["2", "1"] * 30)
    table.loc[[3, 4], "w"] = ["", "-1"]
    table.to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv", weight="w", town="所在镇")
    county = hy.county("own", lang="en")
    assert county.towns["name_zh"].tolist() == ["东镇", "西街道"]
    assert county.rejected["reason"].tolist() == ["bad_weight"] * 2
    survey = county.survey("resident")
    rows = survey.frame.index.str.removeprefix("export_out.csv#").astype(int) - 2
    assert survey.frame["weight"].tolist() == [2.0 if k % 2 == 0 else 1.0 for k in rows] and set(rows) == set(
        range(60)
    ) - {3, 4}
    by_hand = survey.frame.groupby("town")["weight"].agg(lambda w: len(w) * (w**2).sum() / w.sum() ** 2)
    assert np.allclose(survey.weighting["kish"], by_hand)
    rows = survey.topline("q1", by="town")
    assert rows.groupby("place")["n"].max().to_dict() == {"T01": 29, "T02": 29, "county": 58}


def test_without_a_town_there_is_one_place_and_an_interval(home):
    by_text(truth()).to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv")
    county = hy.county("own", lang="en")
    rows = county.survey("resident").topline("q1", by="town")
    assert rows["place"].unique().tolist() == ["county"] and (rows["low"] < rows["high"]).all()
    assert "convenience sample" in repr(county)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_is_refused(home, capsys, lang):
    told = truth()
    by_text(told).to_csv("text.csv", index=False)
    by_number(told).to_csv("number.csv", index=False)
    other = by_number(told).assign(序号=range(1001, 1001 + PEOPLE))
    other.to_csv("other.csv", index=False)
    by_text(told).head(0).to_csv("empty.csv", index=False)
    by_text(told).assign(w="many").to_csv("weights.csv", index=False)
    (home / "page.xls").write_text("<html><table><tr><td>1</td></tr></table></html>")
    (home / "survey_data/there").mkdir()
    wanted = [
        (["there", "text.csv"], "已存在", "is there already"),
        (["../out", "text.csv"], "不能作文件夹名", "cannot name a folder"),
        (["own", "number.csv", "text.csv"], "不成一对", "does not pair with"),
        (["own", "text.csv", "text.csv"], "不成一对", "does not pair with"),
        (["own", "text.csv", "other.csv"], "不是同一份问卷", "not exports of one survey"),
        (["own", "empty.csv"], "没有数据行", "no row below"),
        (["own", "page.xls"], "网页", "web page"),
        (["own", "text.csv", "--town", "镇"], "可作镇街", "to tell the town by"),
        (["own", "weights.csv", "--weight", "w"], "不像权重", "does not look like a weight"),
    ]
    for args, zh, en in wanted:
        assert main(["new", *args, "--lang", lang]) == 2
        said = capsys.readouterr().err
        assert {"zh": zh, "en": en}[lang] in said, said
        assert not (home / "survey_data/own").exists()


def test_more_options_than_can_be_listed_are_own_words(home):
    table = pd.DataFrame(
        {
            "village": [f"v{k % 110}" for k in range(400)],
            "many": ["┋".join(f"o{(k + j) % 55}" for j in range(3)) for k in range(400)],
        }
    )
    table.to_csv("out.csv", index=False)
    made = draft_county("own", home / "out.csv")
    assert opened().questions()["question_type"].tolist() == ["text", "text"]
    assert sum("110" in text.en or "55" in text.en for text in made.remarks) == 2


def test_a_tie_in_a_ranking_is_set_aside(home):
    table = by_text(truth(), ranking="by option")
    table.loc[0, [f"4、按重要性排序({cause})" for cause in CAUSES]] = ["1", "1", "2"]
    table.to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv")
    assert hy.county("own").rejected["reason"].tolist() == ["no_ranking"]


def test_two_questions_of_one_wording_stay_apart(home):
    pd.DataFrame({"1、满意吗": ["是", "否"] * 20, "2、满意吗": ["否"] * 30 + ["是"] * 10}).to_csv(
        "out.csv", index=False
    )
    draft_county("own", home / "out.csv")
    survey = opened()
    counts = [survey.topline(name).set_index("answer")["count"].tolist() for name in ("q1", "q2")]
    assert counts == [[20, 20], [30, 10]]


def test_messages_of_a_county_are_said_in_the_language_asked(home, capsys):
    by_text(truth()).to_csv("out.csv", index=False)
    assert main(["new", "own", "out.csv", "--lang", "en"]) == 0
    assert "Next: python -m huying run own" in capsys.readouterr().out
    assert (
        json.loads((home / "survey_data/own/county.toml").read_text("utf-8").split("name_zh = ")[1].split("\n")[0])
        == "own"
    )
    use_language("en")
    with pytest.raises(HuyingError, match="is there already"):
        draft_county("own", home / "out.csv")


# --- exports that were thought up to be misread ------------------------------------------------------------------------


def drafted(home, **columns):
    """A survey drafted from one csv with these columns, numbered 1、 2、 … unless they begin with `_`."""
    names = [name[1:] if name.startswith("_") else f"{n}、{name}" for n, name in enumerate(columns, 1)]
    pd.DataFrame(dict(zip(names, columns.values(), strict=True))).to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv")
    return opened()


def kinds(survey):
    return survey.questions()["question_type"].tolist()


def test_one_odd_row_costs_one_cell(home):
    told = truth()
    by_text(told, rows_numbered=True).to_excel("text.xlsx", index=False)
    number = by_number(told)
    number.loc[7, "1、您的性别"] = str(3 - int(number.loc[7, "1、您的性别"]))
    number.drop(index=9).to_excel("number.xlsx", index=False)
    draft_county("own", home / "text.xlsx", home / "number.xlsx")
    rejected = hy.county("own").rejected
    assert sorted(rejected["reason"]) == ["exports_disagree", "unpaired"]


def test_a_ranking_joined_by_codes_keeps_the_order_of_the_form(home):
    told = truth()
    by_text(told, rows_numbered=True).to_excel("text.xlsx", index=False)
    number = by_number(told).drop(columns=[f"第4题({cause})" for cause in CAUSES])
    number["4、按重要性排序"] = ["→".join(str(k + 1) for k in order) for order in told["causes"]]
    number.to_excel("number.xlsx", index=False)
    draft_county("own", home / "text.xlsx", home / "number.xlsx")
    assert len(hy.county("own").rejected) == 0
    holds_what_was_planted(opened(), told)


def test_signs_inside_options_are_no_rankings(home):
    moves = ["村→镇", "镇→县", "县→市"] * 20
    several = ["低保┋户口(村→镇)┋社保", "低保┋社保", "户口(村→镇)"] * 20
    survey = drafted(home, 迁移=moves, 事项=several)
    assert kinds(survey) == ["single", "multi"]
    assert survey.topline("q1")["count"].tolist() == [20, 20, 20]
    assert survey.topline("q2").set_index("answer")["count"].tolist() == [40, 40, 40]


def test_names_that_the_house_uses_itself_are_set_apart(home):
    words = ["disposition", "town_id", "row_id", "aware", "satisfied", "class", "if", "weight", "index"]
    survey = drafted(home, **{f"_{word}": ["yes", "no"] * 20 for word in words})
    assert survey.questions()["n"].tolist() == [40] * len(words)


def test_missing_codes_of_letters_words_and_labels(home):
    frame = pd.DataFrame({"v": ["AA", "RF", "AA", "BB"] * 10, "x": [1.0, 97, 3, 97] * 10})
    labels = {"v": {"AA": "good", "BB": "bad", "RF": "refused"}, "x": {97.0: "Not applicable"}}
    pyreadstat.write_sav(frame, "own.sav", variable_value_labels=labels, missing_ranges={"v": ["RF"], "x": [97.0]})
    draft_county("own", home / "own.sav")
    survey = opened()
    assert survey.topline("v")["count"].tolist() == [20, 10]
    assert survey.frame["x"].dropna().tolist() == [1, 3] * 10


def test_a_labelled_file_declares_what_is_missing_and_na_is_an_answer_in_it(home):
    pyreadstat.write_sav(pd.DataFrame({"v": [f"said {n}" for n in range(39)] + ["NA"]}), "own.sav")
    draft_county("own", home / "own.sav")
    assert opened().frame["v"].notna().sum() == 40


def test_what_follows_a_matrix_is_no_row_of_it(home):
    table = by_text(truth())[["序号", "3、请评价—态度好", "不用跑", "知道找谁"]].assign(
        备注栏=[f"n{k}" for k in range(PEOPLE)]
    )
    table.to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv")
    assert kinds(opened()) == ["matrix_single", "text"]


def test_columns_of_numbers_or_own_words_are_parted(home):
    table = {f"2、请填写—{k}": [f"第{n}句{k}" for n in range(60)] for k in "甲乙"}
    table |= {f"3、金额—{k}": [f"{n}.5" for n in range(60)] for k in "甲乙"}
    table |= {f"4、选—{k}": ["1", "0"] * 30 for k in range(60)}
    pd.DataFrame(table).to_csv("out.csv", index=False)
    draft_county("own", home / "out.csv")
    assert kinds(opened()) == ["text", "text", "number", "number", *["whole"] * 60]


def test_answers_of_other_platforms_joined_in_one_cell(home):
    rng = np.random.default_rng(4)
    picks = [[p for p in ("Radio", "TV", "Friends", "Net") if rng.random() < 0.5] or ["TV"] for _ in range(80)]
    orders = [list(rng.permutation(["a", "b", "c"])) for _ in range(80)]
    survey = drafted(
        home,
        _microsoft=["".join(f"{p};" for p in pick) for pick in picks],
        _google=[", ".join(pick) for pick in picks],
        _ranked=["".join(f"{o};" for o in order) for order in orders],
    )
    assert kinds(survey) == ["multi", "multi", "ranking"]
    for question in ("microsoft", "google"):
        item = next(item for item in survey.book.form("resident") if item.name == question)
        named = {f"{question}_{option.key}": option.text.zh for option in item.options}
        found = (
            survey.topline(question).assign(word=lambda rows, named=named: rows["answer"].map(named)).set_index("word")
        )
        assert found["count"].to_dict() == {p: sum(p in pick for pick in picks) for p in named.values()}
    assert survey.topline("ranked")["count"].sum() == 80


def test_numbers_with_their_unit_and_words_for_nothing(home):
    survey = drafted(home, 年龄=[f"{20 + k % 50}岁" for k in range(60)], 收入=["NA", "3000", "4500"] * 20)
    assert kinds(survey) == ["whole", "whole"]
    assert survey.frame["q1"].notna().all() and survey.frame["age_group"].notna().all()
    assert survey.frame["q2"].notna().sum() == 40 and len(hy.county("own").rejected) == 0


def test_two_exports_of_one_file_name(home):
    told = truth()
    for folder, table in (("t", by_text(told, rows_numbered=True)), ("n", by_number(told))):
        (home / folder).mkdir()
        table.to_csv(home / folder / "towns.csv", index=False)
    draft_county("own", home / "t/towns.csv", home / "n/towns.csv")
    holds_what_was_planted(opened(), told)


def test_another_survey_with_the_same_numbers_is_no_twin(home):
    by_text(truth()).to_csv("text.csv", index=False)
    other = by_number(truth()).rename(
        columns=lambda name: name.replace("您的", "贵单位").replace("哪一天", "几号").replace("为什么", "原因")
    )
    other.rename(columns={"3、请评价—态度好": "3、打分—甲"}).to_csv("other.csv", index=False)
    with pytest.raises(HuyingError, match="not exports of one survey"):
        draft_county("own", home / "text.csv", home / "other.csv")


def test_a_rule_may_speak_of_an_answer_by_its_wording(home):
    survey = drafted(
        home, 年龄段=["60岁及以上", "18-29岁", "30-59岁"] * 20, 满意度=["不太满意", "非常满意", "一般"] * 20
    )
    older = survey.derive("older", 'q1 = "60岁及以上" or q1 = “30-59岁”').frame["older"]
    pleased = survey.derive("pleased", "q2 = 非常满意").frame["pleased"]
    assert older.tolist() == [True, False, True] * 20 and pleased.tolist() == [False, True, False] * 20
    with pytest.raises(EstimateError) as error:
        survey.derive("x", "q2 = 很满意")
    assert "o1 “非常满意”" in error.value.say("zh") and "o1 “非常满意”" in error.value.say("en")


def test_options_without_a_form_stand_by_number_or_degree_and_keep_their_keys(home):
    survey = drafted(
        home,
        年龄段=["60岁及以上", "18岁以下", "18-29岁"] * 20,
        满意度=["不太满意", "非常满意", "一般"] * 20,
        颜色=["红", "蓝", "绿"] * 20,
    )
    words = [[option.text.zh for option in item.options] for item in survey.book.form("resident")]
    assert words == [["18岁以下", "18-29岁", "60岁及以上"], ["非常满意", "一般", "不太满意"], ["红", "蓝", "绿"]]
    file = next((home / "survey_data").glob("*/codebook.toml"))
    file.write_text(file.read_text("utf-8").replace('key = "o1", code = 1', 'key = "o1", code = 7'), "utf-8")
    assert opened().topline("q2")["answer"].tolist() == ["o1", "o2", "o3"]  # rules that speak of o1 still mean it


def test_own_words_with_a_number_in_them_are_no_options(home):
    survey = drafted(home, 建议=["没有意见", "请打13800001234", "挺好"] * 30)
    assert survey.questions()["question_type"].tolist() == ["text"]
    assert not survey.frame["q1"].str.contains("13800001234").any()
    stored = "".join(file.read_text("utf-8", "replace") for file in (home / "survey_data").rglob("*.toml"))
    assert "13800001234" not in stored


def test_marks_of_a_skip_count_as_skipped_where_the_form_has_no_rule(home):
    survey = drafted(home, 去过吗=["去过", "没有"] * 30, 满意吗=["满意", "(跳过)"] * 30)
    counted = survey.questions().set_index("question")
    assert counted.loc["q2", ["n", "n_skipped", "n_missing"]].tolist() == [30, 30, 0]
