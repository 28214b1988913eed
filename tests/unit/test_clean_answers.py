from dataclasses import replace

import pandas as pd
import pytest
from clean_stand_in import EVERY_TYPE, ITEMS, SPAN, SURVEY, THRESHOLDS, TOWNS, clean, make_answers
from hypothesis import given, settings, strategies as st

from huying.clean import cells
from huying.clean.answers import clean_answers, number_towns, with_list
from huying.clean.flags import RULES, count_rows
from huying.codebook import WHY_MISSING, Option
from huying.ledgers import set_aside
from huying.words import CountyError, InputError, Place, Text, all_words


def one(**cells_: str) -> pd.Series:
    """The only row after cleaning."""
    done = clean([cells_])
    assert len(done.kept) == 1, done.rejected
    return done.kept.iloc[0]


def reasons(done, level="cell"):
    part = done.rejected[done.rejected["level"] == level]
    return list(zip(part["column"], part["value"], part["reason"], strict=True))


def flags(done):
    return set(zip(done.flags["flag"], done.flags["detail"], strict=True))


def test_columns_and_types():
    rows = clean([{}]).kept
    assert list(rows.columns[:9]) == [
        "row_id",
        "form",
        "wave",
        "town_id",
        "village_id",
        "interviewer_id",
        "submitted_at",
        "seconds",
        "disposition",
    ]
    kinds = {
        "R00": "Int16",
        "R03": "Int32",
        "R11_97": "Int8",
        "R12_a": "Int16",
        "R26": "str",
        "R11_97_text": "str",
        "seconds": "Int32",
        "R12_e_missing": "category",
        "R11_missing": "category",
        "submitted_at": "datetime64[ns]",
    }
    assert {name: str(rows[name].dtype) for name in kinds} == kinds
    assert (rows.loc[0, "row_id"], rows.loc[0, "town_id"], rows.loc[0, "disposition"]) == ("r.csv#2", "T01", "complete")
    assert list(rows["R03_missing"].cat.categories) == list(WHY_MISSING)


@pytest.mark.parametrize(("typed", "code"), [
    ("听说了，清楚", 1), ("听说了,清楚", 1), ("没有(真的) ", 4), ("没有（真的）", 4), ("\u3000没\u200b有（真的）", 4), ("Yes", 1)])  # fmt: skip
def test_option_texts_in_any_width(typed, code):
    assert one(R09=typed)["R09"] == code


def test_missing_codes_belong_to_the_item():
    row = one(R09="说不准")
    assert pd.isna(row["R09"]) and row["R09_missing"] == "does_not_know"


@pytest.mark.parametrize(("typed", "ticked", "words"), [
    ("公众号┋公告栏", {1, 2}, None),
    ("公告栏┋其他〖宣传单┋大篷车、(村口)〗", {2, 97}, "宣传单┋大篷车、(村口)"),
    ("其他〖a〖b〗┋公告栏", {2, 97}, "a〖b"),
    ("其他", {97}, None)])  # fmt: skip
def test_multiple_choice_splits_outside_brackets_only(typed, ticked, words):
    row = one(R11=typed)
    assert {code for code in (1, 2, 6, 97) if row[f"R11_{code}"] == 1} == ticked
    assert row["R11_97_text"] == words or (words is None and pd.isna(row["R11_97_text"]))


@pytest.mark.parametrize("typed", ["公众号;公告栏", "公众号、公告栏", "公众号┋电台", "1"])
def test_a_part_that_is_no_option_sets_the_cell_aside(typed):
    done = clean([{"R11": typed}])
    assert reasons(done) == [("R11", typed, "unknown_option")]
    assert (
        done.kept.loc[0, [f"R11_{code}" for code in (1, 2, 6, 97)]].isna().all()
        and done.kept.loc[0, "R11_missing"] == "blank"
    )


@pytest.mark.parametrize(("typed", "age", "missing", "reason"), [
    ("42", 42, None, None), ("４２", 42, None, None), ("45岁", 45, None, None), (" 45 周岁", 45, None, None), ("42.0", 42, None, None),
    ("-99", None, "refused", None), ("−99", None, "refused", None), ("拒答", None, "refused", None), ("不清楚", None, "does_not_know", None),
    ("", None, "blank", None), ("(空)", None, "blank", None), ("/", None, "blank", None), ("无", None, "blank", None),
    ("0", None, "blank", "out_of_range"), ("7", None, "blank", "out_of_range"), ("133", None, "blank", "out_of_range"),
    ("1890", None, "blank", "out_of_range"), ("2010", None, "blank", "out_of_range"), ("NA", None, "blank", "not_a_number"),
    ("四十二", None, "blank", "not_a_number"), ("1,234", None, "blank", "not_a_number"), ("39.5", None, "blank", "not_a_number"),
    ("1e2", None, "blank", "not_a_number"), ("9" * 400, None, "blank", "out_of_range")])  # fmt: skip
def test_ages(typed, age, missing, reason):
    done = clean([{"R03": typed}])
    row = done.kept.iloc[0]
    assert (row["R03"] == age) if age else pd.isna(row["R03"])
    assert (row["R03_missing"] == missing) if missing else pd.isna(row["R03_missing"])
    assert [r for *_, r in reasons(done)] == ([reason] if reason else [])
    assert row["disposition"] == "complete"


def test_year_of_birth_is_repaired_and_flagged():
    done = clean([{"R03": "１９６８"}])
    assert done.kept.loc[0, "R03"] == 55  # 2023 - 1968
    assert flags(done) == {("age_from_birth_year", "１９６８")}


def test_98_is_a_number_where_no_code_says_otherwise():
    row = one(S14="98", S15="98")
    assert (row["S14"], row["S15"]) == (98, 98)


def test_free_text_keeps_na_words_and_masks_numbers():
    assert one(R26="NA")["R26"] == "NA" and one(R26="null")["R26"] == "null"
    for typed, why in (
        ("无", "blank"),
        ("没有", "blank"),
        ("说不清", "does_not_know"),
        ("拒答", "refused"),
        ("(空)", "blank"),
    ):
        assert one(R26=typed)["R26_missing"] == why
    done = clean([{"R26": "请回电13800001234", "R11": "其他〖找 138-0000-1234〗"}])
    assert "1380000" not in done.kept.loc[0, "R26"] and "0000" not in done.kept.loc[0, "R11_97_text"]
    assert done.n_masked == 2


def test_rejected_values_are_masked():
    done = clean([{"R03": "13800001234"}, {"R01": "找13800001234"}])
    assert not done.rejected["value"].str.contains("13800001234").any()


@pytest.mark.parametrize(("cells_", "disposition"), [
    ({"R00": "不愿意", "R01": "(跳过)"}, "refused"), ({"R01": "其他地方"}, "elsewhere"), ({"R03": "15"}, "under_age"), ({}, "complete")])  # fmt: skip
def test_dispositions(cells_, disposition):
    assert one(**cells_)["disposition"] == disposition


def test_what_follows_the_end_of_a_form_is_not_asked():
    rest = dict.fromkeys(
        ("R01", "R03", "R09", "R11", "R12_a", "R12_b", "R12_c", "R12_d", "R12_e", "S14", "S15", "R26"), "(跳过)"
    )
    done = clean([{"R00": "不愿意", **rest}])
    assert done.flags.empty and done.rejected.empty
    assert set(done.kept.filter(like="_missing").iloc[0, 1:]) == {"skipped"}
    assert pd.isna(done.kept.loc[0, "town_id"])


def test_skip_rules():
    done = clean(
        [
            {"R09": "没有（真的）", "R11": "公众号"},
            {"R09": "听说了，清楚", "R11": "(跳过)"},
            {"R09": "没有（真的）", "R11": ""},
        ]
    )
    assert list(done.flags[["row_id", "flag", "detail"]].itertuples(index=False, name=None)) == [
        ("r.csv#2", "skip_violation", "R11"), ("r.csv#3", "skipped_but_asked", "R11")]  # fmt: skip
    assert list(done.kept["R11_missing"]) == ["skipped", "blank", "skipped"] and done.kept["R11_1"].isna().all()


def test_a_blank_in_the_deciding_item_leaves_the_answer_alone():
    done = clean([{"R09": "", "R11": "公众号"}, {"R09": "", "R11": "(跳过)"}, {"R09": "说不准", "R11": "公众号"}])
    assert list(done.kept["R11_1"].fillna(-1)) == [1, -1, -1]
    assert list(done.flags["row_id"]) == ["r.csv#4"]  # "cannot say" is an answer, and it skips


def test_exclusive_option_and_too_many_choices():
    done = clean([{"R11": "公众号┋都不是"}, {"R11": "公众号┋公告栏┋其他"}, {"R11": "都不是"}])
    assert flags(done) == {("exclusive_conflict", "R11"), ("too_many_choices", "R11")}
    assert (
        list(done.kept["R11_6"]) == [0, 0, 1]
        and list(done.kept["R11_1"]) == [1, 1, 0]
        and list(done.kept["R11_97"]) == [0, 1, 0]
    )


CODES = {"R00": "1", "R01": "1", "R03": "42", "R09": "1", "R11": "公众号", "R12_a": "1", "R12_b": "2",
         "R12_c": "3", "R12_d": "2", "R12_e": "1", "S14": "3", "S15": "1", "R26": ""}  # fmt: skip


def test_both_exports_agree_by_position():
    done = clean([{}, {"R09": "没有（真的）", "R11": "(跳过)"}, {"R01": "其他地方"}],
                 [CODES, {**CODES, "R09": "2", "R11": "-3"}, {**CODES, "R01": "5"}])  # fmt: skip
    assert done.rejected.empty
    assert list(done.kept["R09"].fillna(-1)) == [1, 4, -1] and list(done.kept["disposition"]) == [
        "complete",
        "complete",
        "elsewhere",
    ]


def test_exports_that_disagree_set_the_cell_aside():
    done = clean([{}, {}, {}], [{**CODES, "R09": "2"}, {**CODES, "R11": "公众号┋公告栏"}, {**CODES, "R12_a": "-2"}])
    assert reasons(done) == [
        ("R09", "听说了，清楚", "exports_disagree"),
        ("R11", "公众号", "exports_disagree"),
        ("R12_a", "没听过", "exports_disagree"),
    ]
    assert list(done.kept["R09"].isna()) == [True, False, False]


def test_a_number_stands_in_for_no_words_but_never_for_words_that_name_nothing():
    done = clean(
        [{"R09": "鍚\ufffd", "R11": "", "R12_a": "没听过"}, {"R01": "鍧囧€奸晣"}], [{**CODES, "R12_a": ""}, CODES]
    )
    row = done.kept.iloc[0]
    assert (row["R11_1"], row["R12_a"]) == (1, 1) and len(done.kept) == 1
    told = done.rejected[["column", "value", "reason", "level"]].to_numpy().tolist()
    assert ["R09", "鍚\ufffd", "exports_disagree", "cell"] in told
    assert ["R01", "鍧囧€奸晣", "exports_disagree", "row"] in told


def test_codes_of_a_labelled_file_are_codes_not_positions():
    done = clean(
        [{"R09": ""}, {"R09": "说不准"}],
        [{**CODES, "R09": "4", "R11": ""}, {**CODES, "R09": "98", "R11": ""}],
        numbering="code",
    )
    assert done.kept.loc[0, "R09"] == 4 and done.kept.loc[1, "R09_missing"] == "does_not_know"


def test_a_code_that_is_a_mark_elsewhere_is_read_by_its_own_item():
    likert = replace(
        ITEMS[3],
        id="R09",
        missing={},
        options=tuple(replace(o, code=c) for o, c in zip(ITEMS[3].options, (-2, 0, 2), strict=True)),
    )
    answers = make_answers([{"R09": ""}], [{**CODES, "R09": "-2"}], "code")
    done = clean_answers(answers, [likert], SURVEY, SPAN, TOWNS, ["T01"])
    assert done.kept.loc[0, "R09"] == -2


@pytest.mark.parametrize(("typed", "town", "repaired"), [
    ("均值镇", "T01", False), ("均值", "T01", True), ("示例县均值镇", "T01", True), ("均值镇政府", "T01", True), ("样本街办", "T03", True), ("T02", "T02", False)])  # fmt: skip
def test_towns(typed, town, repaired):
    done = clean([{"R01": typed}])
    assert done.kept.loc[0, "town_id"] == town
    assert flags(done) == ({("town_repaired", typed)} if repaired else set())


def test_uncertain_towns_reject_the_row():
    done = clean([{"R01": "样本"}, {"R01": "东岭镇"}, {"R01": ""}, {}])
    assert reasons(done, "row") == [
        ("R01", "东岭镇", "town_unknown"),
        ("R01", "样本", "town_ambiguous"),
        ("R01", "", "town_blank"),
    ]
    assert list(done.kept["row_id"]) == ["r.csv#5"]


def test_more_towns_than_the_own_codes_leave_room_for():
    order = [f"T{n:03d}" for n in range(120)]
    done = clean_answers(
        make_answers([{"R01": "T096"}, {"R01": "其他地方"}]),
        ITEMS,
        SURVEY,
        SPAN,
        type(TOWNS)({t: [t] for t in order}),
        order,
    )
    assert list(done.kept["disposition"]) == ["complete", "elsewhere"] and done.kept.loc[0, "town_id"] == "T096"


@pytest.mark.parametrize(("stamp", "level", "reason"), [
    ("2023/5/8 00:00:00", None, None), ("2023-06-02 23:59:59", None, None), ("45058.5", None, None), ("", None, None),
    ("2023/5/7 23:59:59", "row", "outside_wave"), ("2023-06-03 00:00:00", "row", "outside_wave"), ("2022/5/10 9:00:00", "row", "outside_wave"),
    ("23/5/10 09:00:00", "cell", "unreadable_time"), ("5/10/2023", "cell", "unreadable_time"), ("昨天", "cell", "unreadable_time")])  # fmt: skip
def test_time_of_sending(stamp, level, reason):
    done = clean([{"submitted_at": stamp}])
    assert [(r.level, r.reason) for r in done.rejected.itertuples()] == ([(level, reason)] if reason else [])
    assert len(done.kept) == (level != "row")


def test_excel_serial_is_the_day_it_means():
    assert one(submitted_at="45058.5")["submitted_at"] == pd.Timestamp(
        "2023-05-12 12:00:00"
    )  # 44927 is 2023-01-01; 31 + 28 + 31 + 30 + 11 days on


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("136秒", 136), ("136", 136), ("2分16秒", 136), ("1小时2分", 3720), ("", None), ("很久", None)],
)
def test_seconds(typed, seconds):
    done = clean([{"seconds": typed}])
    value = done.kept.loc[0, "seconds"]
    assert value == seconds if seconds else pd.isna(value)
    assert reasons(done) == ([("seconds", typed, "not_a_number")] if typed == "很久" else [])


def test_rows_of_one_serial_number_stay_apart():
    assert clean([{"serial": "7"}, {"serial": "7", "R03": "50"}]).kept["row_id"].tolist() == ["r.csv#2", "r.csv#3"]


def test_what_the_reader_set_aside_stays_in_the_accounts():
    place = Place("r.csv")
    source = pd.concat([set_aside(place, "", pd.Series(["3/9"], index=[40]), "fields").assign(level="row"), set_aside(place, "序号", pd.Series(["8"], index=[41]), "unpaired").assign(level="row"),
                        set_aside(place, "R03", pd.Series(["E2 #REF!"], index=[2]), "error_cell").assign(level="cell")])  # fmt: skip
    done = clean_answers(replace(make_answers([{}]), rejected=source), ITEMS, SURVEY, SPAN, TOWNS, ["T01"])
    assert list(done.rejected["level"]) == ["row", "row", "cell"]
    assert (len(done.kept), count_rows(done.rejected)) == (1, 2)


def test_a_row_rejected_for_two_reasons_counts_once():
    done = clean([{"R01": "东岭镇", "submitted_at": "2020/1/1 00:00:00"}])
    assert (len(done.kept), count_rows(done.rejected)) == (0, 1)


def test_the_answers_given_are_not_changed():
    answers = make_answers([{"R09": "没有（真的）"}])
    before = answers.text.copy()
    clean_answers(answers, ITEMS, SURVEY, SPAN, TOWNS, ["T01"])
    pd.testing.assert_frame_equal(answers.text, before)


def cleaned_as(items, rows, codes=None, numbering="position"):
    """The rows of another form of these items; what a row does not say is blank."""
    index, names = pd.RangeIndex(2, len(rows) + 2), [name for item in items for name in item.cells]
    text, number = (
        pd.DataFrame(list(said or ()), index=index, columns=names, dtype="str").fillna("")
        for said in (rows, codes or [{}] * len(rows))
    )
    answers = replace(make_answers([{}] * len(rows)), text=text, codes=number if codes else None, numbering=numbering)
    return clean_answers(answers, items, SURVEY, SPAN, TOWNS, ["T01", "T02", "T03", "T04"])


def values(done, *names):
    """The columns row by row, a missing value as None."""
    return [
        tuple(None if pd.isna(one) else one for one in row) for row in done.kept[list(names)].itertuples(index=False)
    ]


def test_every_type_of_question_becomes_its_columns():
    rows = [{"D1": "2023年5月1日", "K1": "乙→丙", "N1": "2.5", "M1": "甲┋乙", "S1": "其他〖写的〗"}, {"D1": "2023/5/9 8:30", "K1": "丙→甲→乙", "N1": "-1", "M1": "都不是┋甲", "S1": "甲"},
            {"D1": "昨天", "K1": "乙→乙", "N1": "21", "M1": "甲┋丁", "S1": "丁"}, {}]  # fmt: skip
    done = cleaned_as(EVERY_TYPE, rows)
    assert values(done, "D1", "N1") == [("2023-05-01", 2.5), ("2023-05-09 08:30:00", None), (None, None), (None, None)]
    assert values(done, "K1_1", "K1_2", "K1_3") == [(None, 1, 2), (2, 3, 1), (None, None, None), (None, None, None)]
    # 甲 and 乙 are the bits 2 and 4; an option is an answer, whatever its code means elsewhere
    assert values(done, "M1_1", "M1_2", "M1_4") == [(0, 1, 1), (0, 1, 0), (None, None, None), (None, None, None)]
    assert values(done, "S1", "S1_9_text") == [(9, "写的"), (1, None), (None, None), (None, None)]
    assert "S1_1_text" not in done.kept and str(done.kept["N1"].dtype) == "float64"
    why = values(done, *(f"{item.id}_missing" for item in EVERY_TYPE))
    assert why == [(None,) * 5, (None, None, "refused", None, None), ("blank",) * 5, ("blank",) * 5]
    assert [reason for *_, reason in sorted(reasons(done))] == [
        "unreadable_time",
        "no_ranking",
        "unknown_option",
        "out_of_range",
        "unknown_option",
    ]
    assert flags(done) == {("exclusive_conflict", "M1")}


def test_a_ranking_by_text_and_by_place_in_the_form():
    """The same order; another; two options at one place, which is no order and so no answer; no words, and a place alone."""
    rows, codes = [{"K1": "乙→丙"}] * 3 + [{}], [{"K1": "2→3"}, {"K1": "3→2"}, {"K1": "2→2"}, {"K1": "3→1"}]
    done = cleaned_as(EVERY_TYPE[1:2], rows, codes)
    assert values(done, "K1_1", "K1_2", "K1_3") == [(None, 1, 2), (None, None, None), (None, None, None), (2, None, 1)]
    assert reasons(done) == [("K1", "乙→丙", "exports_disagree")] * 2


def test_what_is_at_fault_is_shown_in_words_or_where_there_are_none_by_its_number():
    rows = [{"R09": ""}, {"R09": "鍚"}, {"R09": "听说了，清楚"}]
    done = clean(rows, [{**CODES, "R09": code} for code in ("9", "", "4")], numbering="code")
    assert reasons(done)[-3:] == [
        ("R09", "9", "unknown_option"),
        ("R09", "鍚", "unknown_option"),
        ("R09", "听说了，清楚", "exports_disagree"),
    ]
    lacking = [{name: code for name, code in CODES.items() if name != "R09"}] * 2
    assert reasons(clean([{"R09": "鍚"}, {"R09": ""}], lacking)) == [("R09", "鍚", "unknown_option")]


def test_a_fault_in_an_answer_that_was_not_asked_for_is_none():
    done = clean([{"R09": "没有（真的）", "R11": "电台"}, {"R00": "不愿意", "R01": "无名镇", "R03": "七"}])
    assert done.rejected.empty and done.kept["disposition"].tolist() == ["complete", "refused"]
    assert done.flags["row_id"].eq("r.csv#3").all() and done.flags["detail"].tolist() == [
        "R09",
        "R11",
        "R12",
        "S14",
        "S15",
    ]


@pytest.mark.parametrize(
    ("rule", "decides", "why"),
    [("R11_1 = 1", {"R11": ""}, None), ("R11_1 = 1", {"R11": "公告栏"}, "skipped"), ("R11_1 = 1", {"R11": "公众号"}, None),
     ("R12_a = 3", {"R12_a": ""}, None), ("R12_a = 3", {"R12_a": "听过"}, "skipped"),  # the other rows of the matrix decide nothing
     ("S14 > 2", {"S14": "拒答"}, None), ("S14 > 2", {"S14": "不知道"}, "skipped")],
)  # fmt: skip
def test_an_answer_stays_while_the_one_that_decides_is_blank_or_refused(rule, decides, why):
    items = [*ITEMS, replace(ITEMS[-1], id="X1", asked_if=rule)]
    answers = make_answers([decides])
    done = clean_answers(replace(answers, text=answers.text.assign(X1="好")), items, SURVEY, SPAN, TOWNS, ["T01"])
    assert values(done, "X1", "X1_missing") == [(None if why else "好", why)]
    assert flags(done) == ({("skip_violation", "X1")} if why else set())


def test_a_rule_on_a_question_that_the_form_lacks_asks_everybody():
    lacking = [item for item in ITEMS if item.id != "R09"]
    rows = [{"R11": "公众号"}, {"R11": "(跳过)"}, {"R00": "不愿意", "R11": "公众号"}]
    done = clean_answers(make_answers(rows), lacking, SURVEY, SPAN, TOWNS, ["T01"])
    assert values(done, "R11_1", "R11_missing") == [(1, None), (None, "skipped"), (None, "skipped")]
    assert "skipped_but_asked" not in set(done.flags["flag"])


def test_without_any_rule_the_exports_own_mark_tells_who_was_not_asked():
    items = [replace(item, asked_if="") for item in ITEMS]
    done = clean_answers(make_answers([{"R11": "(跳过)"}, {"R11": ""}]), items, SURVEY, SPAN, TOWNS, ["T01"])
    assert done.kept["R11_missing"].tolist() == ["skipped", "blank"] and done.flags.empty


def test_a_row_that_is_set_aside_takes_its_flags_along():
    done = clean([{"R01": "均值"}, {"R01": "无名镇", "R03": "1968"}])
    assert done.flags.to_numpy().tolist() == [["r.csv#2", "town_repaired", "均值"]]
    assert list(done.flags.columns) == ["row_id", "flag", "detail"]


@pytest.mark.parametrize(("own", "n", "codes"), [((97,), 96, [1, 96]), ((97,), 97, [1001, 1097]), ((), 999, [1, 999]), ((1, 2), 5, [1, 5]), ((2, 3), 5, [1001, 1005]),
                                                 ((2, 3), 1, [1, 1])])  # fmt: skip
def test_towns_count_from_one_where_the_questions_own_codes_leave_room(own, n, codes):
    town = replace(ITEMS[1], options=tuple(Option(code, Text("x", "x"), "x") for code in own))
    listed = number_towns([ITEMS[0], town], [f"T{k}" for k in range(n)])
    assert [listed[0][0], listed[-1][0]] == codes and listed[0][1] == "T0"


def test_a_list_of_the_county_stands_before_the_options_of_the_question():
    listed = {"departments": [(1, "K1", Text("甲局", "A")), (2, "K2", Text("乙局", "B")), (3, "K3", Text("丙局", "C"))]}

    def codes(*own):
        options = tuple(Option(code, Text("x", "x"), "x") for code in own)
        return [
            option.code
            for option in with_list(replace(ITEMS[3], options=options, options_from="departments"), listed).options
        ]

    assert codes() == [1, 2, 3] and codes(97, 98) == [1, 2, 3, 97, 98]
    assert sorted(codes(1, 2)) == [1, 2, 3]  # the list written out, as far as it goes
    with pytest.raises(CountyError, match="3"):
        codes(3, 4)


def test_a_weight_of_the_export_is_a_positive_number_or_costs_the_row():
    answers = make_answers([{}] * 8)
    typed = ["1.5", "0.25", "0", "-1", "", "inf", "重", "1"]
    done = clean_answers(replace(answers, meta=answers.meta.assign(weight=typed)), ITEMS, SURVEY, SPAN, TOWNS, ["T01"])
    assert done.kept["given_weight"].tolist() == [1.5, 0.25, 1] and done.kept["row_id"].tolist() == [
        "r.csv#2",
        "r.csv#3",
        "r.csv#9",
    ]
    assert reasons(done, "row") == [("weight", weight, "bad_weight") for weight in typed[2:7]]
    assert "given_weight" not in clean([{}]).kept


def test_a_village_that_the_register_lacks_costs_the_cell():
    answers = make_answers([{"village_id": "V1"}, {"village_id": "V9"}, {}])
    done = clean_answers(answers, ITEMS, SURVEY, SPAN, TOWNS, ["T01"], ["V1", "V2"])
    assert values(done, "village_id") == [("V1",), (None,), (None,)] and reasons(done) == [
        ("village_id", "V9", "no_such_village")
    ]
    assert clean([{"village_id": "V9"}]).kept["village_id"].tolist() == ["V9"]  # without a register nobody knows better


def test_what_is_at_odds_is_told_with_its_words_its_number_and_what_the_form_has(monkeypatch):
    """Right answers of another number stand before it; brackets are words like others; of a number the first is shown."""
    monkeypatch.setenv("HUYING_LANG", "en")
    with pytest.raises(InputError) as error:
        clean([{}] * 9 + [{"R09": "没有（真的"}] * 5, [CODES] * 9 + [{**CODES, "R09": "3"}] * 5)
    told = error.value.values
    assert (told["item"], told["words"], told["n"], told["of"], told["known"]) == (
        "R09",
        "没有(真的",
        5,
        5,
        "Yes; No; Cannot say",
    )
    assert told["by_number"] == ', where the export by number has "3 Cannot say"'
    longer = [{"R09": "说不"}] * 6 + [{"R09": "说不啊"}] * 7, [{**CODES, "R09": "1"}] * 6 + [{**CODES, "R09": "3"}] * 7
    with pytest.raises(InputError) as error:
        clean(*longer)
    assert (error.value.values["words"], error.value.values["n"]) == ("说不", 6) and "1 Yes" in str(error.value)
    with pytest.raises(InputError) as error:
        clean([{}] * 9 + [{"S14": f"好几{n}"} for n in range(12)])
    told = error.value.values
    assert (told["words"], told["n"], told["of"], told["known"], told["by_number"]) == ("好几0", 12, 21, "a number", "")


CELL = st.sampled_from(["愿意", "不愿意", "均值镇", "均值", "样本", "其他地方", "听说了，清楚", "没有（真的）", "说不准", "公众号┋都不是", "其他〖┋〗", "没听过",
                        "听过", "(跳过)", "(空)", "", "-3", "-2", "-99", "15", "42", "1968", "七", "NA", "\u3000", "2023/5/9", "┋", "〖〗", "0", "2"])  # fmt: skip
ROW = st.dictionaries(
    st.sampled_from(["R00", "R01", "R03", "R09", "R11", "R12_a", "R12_e", "S14", "R26", "submitted_at", "seconds"]),
    CELL,
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROW, max_size=6),
    codes=st.lists(st.dictionaries(st.sampled_from(list(CODES)), CELL), min_size=6, max_size=6),
    both=st.booleans(),
)
def test_rows_in_are_rows_kept_and_rows_rejected(rows, codes, both):
    numbers = [{**CODES, **code} for code in codes[: len(rows)]] if both and rows else None
    try:
        done = clean(rows, numbers, thresholds=THRESHOLDS)
    except InputError as error:  # an item at odds nearly everywhere: nothing is kept, and that is said
        assert error.key == "clean.at_odds"
        return
    lost = done.rejected[done.rejected["level"] == "row"]
    assert len(rows) == len(done.kept) + len(lost)
    assert {f"r.csv#{n + 2}" for n in range(len(rows))} == set(done.kept["row_id"]) | {
        f"r.csv#{row}" for row in lost["row"]
    }
    assert set(done.flags["row_id"]) <= set(done.kept["row_id"]) and set(done.flags["flag"]) <= set(RULES)
    for item in ITEMS:  # an answer is there, or the reason why it is not
        for cell in item.cells:
            name = item.variables[0] if item.type == "multi" else cell
            assert (done.kept[name].isna() == done.kept[f"{cell}_missing"].notna()).all()
    assert {f"clean.reason_{reason}" for reason in done.rejected["reason"]} <= set(all_words())


def test_every_reason_and_rule_has_words():
    keys = {f"clean.reason_{reason}" for reason in (*cells.FAULTS, "unfit", "empty", "before", "repeated", "key_taken", "encoding", "fields", "header_again",
            "total", "digits_lost", "error_cell", "not_calculated", "unpaired", "town_blank", "outside_wave", "unreadable_time",
            "dept_unknown", "dept_ambiguous")} | {f"clean.rule_{rule}" for rule in RULES}  # fmt: skip
    assert keys <= set(all_words())
