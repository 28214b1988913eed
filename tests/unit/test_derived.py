"""Derived variables by hand: who has it, who is in its base, and what a rule may not say, in both languages."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huying.derived import Answers, Derived, Scope, holds, read_derived, read_rule
from huying.folder import parse_toml
from huying.words import CountyError, EstimateError, use_language


def read_one(raw):
    """One declaration, read from its file."""
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in raw.items())
    (one,) = read_derived(parse(f"[[indicator]]\n{lines}\n")).values()
    return one


def parse(toml):
    return parse_toml(toml, Path("indicators.toml")).check("indicators")


SCOPE = Scope(
    {
        "heard": ("read", "told", "name_only", "not_heard", "cannot_say"),
        "business": ("yes", "no"),
        "first": ("old", "new"),
        "knows_old_a": ("never", "heard_of", "been"),
        "knows_old_b": ("never", "heard_of", "been"),
        "quiz_a": ("correct", "wrong", "cannot_say"),
        "quiz_b": ("correct", "wrong", "cannot_say"),
        "by_wechat": (),
        "by_friends": (),
        "needed": (),
        "made": (),
        "score": (),
        "comment": (),
    },
    {"quiz": {"quiz_a": "correct", "quiz_b": "wrong"}},
)
_, KNOWN, UNSURE, SKIPPED, BLANK = "", None, "does_not_know", "skipped", "blank"


def answers(**columns):
    """People's answers; a pair is an answer that is missing and why."""
    values, reasons = {}, {}
    for name, given in columns.items():
        kind = {"by": "boolean", "ne": "Int64", "ma": "Int64", "sc": "Float64"}.get(name[:2], "string")
        missing = [isinstance(value, tuple) for value in given]
        values[name] = pd.array(
            [pd.NA if gone else value for value, gone in zip(given, missing, strict=True)], dtype=kind
        )
        reasons[name] = [value[0] if gone else KNOWN for value, gone in zip(given, missing, strict=True)]
    frame = pd.DataFrame(values)
    return Answers(frame, pd.DataFrame(reasons, index=frame.index, dtype=object))


def made(rule, given, **how):
    """The values as a list, None where missing."""
    column = Derived("x", "resident", rule, **how).of(given, SCOPE)
    return [None if pd.isna(value) else value for value in column.tolist()]


# --- comparisons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("heard = read", [True, False, False, None, None]),
        ("heard != read", [False, True, True, None, None]),
        ("heard in read, told", [True, True, False, None, None]),
        ("heard not in read, told", [False, False, True, None, None]),
        ("(heard = read or heard = told)", [True, True, False, None, None]),
    ],
)
def test_comparisons_of_answers(rule, expected):
    assert made(rule, answers(heard=["read", "told", "not_heard", (UNSURE,), (BLANK,)])) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("needed = 3", [False, True, False, None]),
        ("needed != 3", [True, False, True, None]),
        ("needed < 3", [True, False, False, None]),
        ("needed <= 3", [True, True, False, None]),
        ("needed > 3", [False, False, True, None]),
        ("needed >= 3", [False, True, True, None]),
        ("needed in 3, 5", [False, True, True, None]),
        ("needed > -1", [True, True, True, None]),
        ("needed >= 2.5", [False, True, True, None]),
    ],
)
def test_comparisons_of_numbers(rule, expected):
    assert made(rule, answers(needed=[0, 3, 5, (BLANK,)])) == expected


def test_one_number_against_another():
    given = answers(made=[0, 2, 3, (SKIPPED,), 4], needed=[2, 2, 1, 5, (BLANK,)])
    assert made("made < needed", given) == [True, False, False, None, None]


def test_an_option_of_a_multiple_choice_stands_by_itself():
    assert made("by_wechat", answers(by_wechat=[True, False, (SKIPPED,)])) == [True, False, None]


# --- joined -----------------------------------------------------------------------------------------------------------


def test_and_binds_before_or():
    """Columns: heard read; wechat; friends. `read or (wechat and friends)`, then `(read or wechat) and friends`."""
    given = answers(heard=["read", "told", "told"], by_wechat=[False, True, False], by_friends=[False, True, True])
    assert made("heard = read or by_wechat and by_friends", given) == [True, True, False]
    assert made("(heard = read or by_wechat) and by_friends", given) == [False, True, False]


def test_every_column_that_a_rule_names_must_be_answered():
    """An `or` that is decided by one of its parts still leaves out who did not answer the other."""
    given = answers(by_wechat=[True, True, False], by_friends=[False, (BLANK,), (BLANK,)])
    assert made("by_wechat or by_friends", given) == [True, None, None]


def test_any_of():
    given = answers(by_wechat=[True, False, False], by_friends=[False, True, False])
    assert made("any of by_wechat, by_friends", given) == made("any of by_*", given) == [True, True, False]
    known = answers(knows_old_a=["never", "been", "never"], knows_old_b=["heard_of", "never", "never"])
    assert made("any of knows_old_a, knows_old_b in heard_of, been", known) == [True, True, False]


def test_a_prefix_without_any_means_all_of_them():
    known = answers(knows_old_a=["been", "been", "never"], knows_old_b=["heard_of", "never", "never"])
    assert made("knows_old_* in heard_of, been", known) == [True, False, False]


# --- base and unknown -------------------------------------------------------------------------------------------------


def test_a_base_cuts_who_is_asked():
    given = answers(first=["old", "new", "old", (SKIPPED,)], business=["yes", "yes", "no", "no"])
    assert made("first = old", given, base="business = yes") == [True, False, None, None]


def test_whoever_does_not_answer_the_base_is_outside_it():
    given = answers(first=["old", "old"], business=["yes", (BLANK,)])
    assert made("first = old", given, base="business = yes") == [True, None]
    assert made("first = old", given, base="business != no") == [True, None]


def test_cannot_say_is_left_out_or_counts_as_not():
    given = answers(heard=["read", "not_heard", (UNSURE,), (BLANK,), ("refused",)])
    assert made("heard = read", given) == [True, False, None, None, None]
    assert made("heard = read", given, unknown="counts") == [True, False, False, None, None]
    assert made("heard != read", given, unknown="counts") == [False, True, False, None, None]  # not having it either


# --- means ------------------------------------------------------------------------------------------------------------


def test_mean_of_what_each_person_answered():
    """1 of 2; 1 of 1 (the other is blank); none answered; with `counts` who cannot say has 1 of 2."""
    known = answers(
        knows_old_a=["been", "heard_of", (BLANK,), "been"], knows_old_b=["never", (BLANK,), (BLANK,), (UNSURE,)]
    )
    rule = "mean of knows_old_a, knows_old_b in heard_of, been"
    assert made(rule, known) == made("mean of knows_old_* in heard_of, been", known) == [0.5, 1.0, None, 1.0]
    assert made(rule, known, unknown="counts") == [0.5, 1.0, None, 0.5]


def test_mean_of_numbers_and_of_ticks():
    assert made("mean of needed, made", answers(needed=[1, 4, (BLANK,)], made=[3, (BLANK,), (BLANK,)])) == [
        2.0,
        4.0,
        None,
    ]
    assert made("mean of by_*", answers(by_wechat=[True, False], by_friends=[False, (BLANK,)])) == [0.5, 0.0]


def test_mean_within_a_base():
    given = answers(needed=[1, 4], business=["yes", "no"])
    assert made("mean of needed", given, base="business = yes") == [1.0, None]


def test_right_against_the_key():
    """Key: a correct, b wrong. Both right; one right; cannot say is wrong where it counts; not asked is missing."""
    quiz = answers(
        quiz_a=["correct", "correct", (UNSURE,), (SKIPPED,)], quiz_b=["wrong", "correct", "wrong", (SKIPPED,)]
    )
    assert made("right against quiz", quiz) == [1.0, 0.5, 1.0, None]
    assert made("right against quiz", quiz, unknown="counts") == [1.0, 0.5, 0.5, None]


# --- copies -----------------------------------------------------------------------------------------------------------


def test_a_number_alone_is_copied():
    given = answers(needed=[0, 7, (UNSURE,), (BLANK,)])
    assert made("needed", given) == [0.0, 7.0, None, None]
    assert made("needed", given, unknown="counts") == [0.0, 7.0, 0.0, None]


def test_an_answer_alone_is_copied():
    given = answers(heard=["read", (UNSURE,), (BLANK,)])
    assert made("heard", given) == ["read", None, None]
    assert made("heard", given, unknown="counts") == ["read", "cannot_say", None]


def test_types_keep_what_is_missing():
    given = answers(heard=["read", (BLANK,)], needed=[1, (BLANK,)])
    kinds = {
        rule: str(Derived("x", "resident", rule).of(given, SCOPE).dtype) for rule in ("heard = read", "needed", "heard")
    }
    assert kinds == {"heard = read": "boolean", "needed": "Float64", "heard": "string"}
    assert (Derived("x", "resident", "heard = read").of(given, SCOPE) == False).tolist() == [False, pd.NA]  # noqa: E712


def test_a_column_made_by_hand_is_known_where_it_has_a_value():
    given = answers(heard=["read", "read"])
    given.frame["score"] = pd.array([0.4, None], dtype="Float64")  # no reasons stand beside it
    assert made("heard = read and score < 0.6", given) == [True, None]


# --- what is refused --------------------------------------------------------------------------------------------------

REFUSED = [
    ("herd = read", "unknown_name", "names “herd”, which is no column here. Near it: heard", "“herd”不是已知的变量。相近的有：heard"),
    ("knew_* = been", "unknown_name", "names “knew_*”", "“knew_*”不是已知的变量"),
    ("heard = red", "unknown_option", "heard has no answer “red”. Near it: read", "变量 heard 没有“red”这一答案。相近的有：read"),
    ("heard in read, tell", "unknown_option", "no answer “tell”", "没有“tell”这一答案"),
    ("heard = 3", "unknown_option", "no answer “3”", "没有“3”这一答案"),
    ("needed > much", "unknown_option", "needed has no answer “much”", "变量 needed 没有“much”这一答案"),
    ("heard is read", "bad_rule", "cannot be read at “is”", "在“is”处读不懂"),
    ("heard = read and", "bad_rule", "cannot be read at “the end of the rule”", "在“规则到此结束”处读不懂"),
    ("(heard = read", "bad_rule", "cannot be read at “the end of the rule”", "在“规则到此结束”处读不懂"),
    ("heard == read", "bad_rule", "cannot be read at “=”", "在“=”处读不懂"),
    ("heard = read; made", "bad_rule", "cannot be read at “; made”", "在“; made”处读不懂"),
    ("", "bad_rule", "cannot be read at “the end of the rule”", "在“规则到此结束”处读不懂"),
    ("right against heard", "no_key", "heard has no key of right answers. Items that have one: quiz", "题目 heard 没有正确答案可对照。有正确答案的题目：quiz"),
    ("comment", "no_number", "comment is text, neither a number nor yes or no", "变量 comment 是文字"),
    ("heard >= read", "no_number", "heard is text", "变量 heard 是文字"),
    ("mean of heard", "no_number", "heard is text", "变量 heard 是文字"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "key", "english", "chinese"), REFUSED)
def test_a_rule_that_cannot_be_read(rule, key, english, chinese):
    given = answers(heard=["read"], comment=["words"], needed=[1], made=[1])
    for lang, said in (("en", english), ("zh", chinese)):
        use_language(lang)
        with pytest.raises(EstimateError) as error:
            Derived("x", "resident", rule).of(given, SCOPE)
        assert error.value.key == f"derived.{key}" and said in error.value.say(lang)


def test_a_mean_is_no_condition():
    given = answers(needed=[1])
    with pytest.raises(EstimateError, match="is a number, not a condition"):
        holds("mean of needed", given, SCOPE)
    assert holds("", given, SCOPE).tolist() == [True]


# --- declarations -----------------------------------------------------------------------------------------------------

POLITE = {"name": "polite", "form": "resident", "when": "courteous >= 4", "zh": "窗口态度好", "en": "polite staff"}


def test_a_declaration_is_read_and_says_itself():
    read = read_one({**POLITE, "base": "business = yes", "unknown": "counts"})
    assert (read.name, read.form, read.when, read.base, read.unknown) == (
        "polite",
        "resident",
        "courteous >= 4",
        "business = yes",
        "counts",
    )
    assert (
        read.describe("en")
        == "polite staff (polite): courteous >= 4; among business = yes; who cannot say counts as not."
    )
    assert read.describe("zh") == "窗口态度好（polite）：courteous >= 4；只计 business = yes；说不清的计为不是。"
    assert read_one(POLITE).describe("en") == "polite staff (polite): courteous >= 4."


@pytest.mark.parametrize(
    ("change", "english", "chinese"),
    [
        ({"wen": "heard = read"}, "unknown key wen; did you mean when?", "不认识的键“wen”；是否为“when”？"),
        (
            {"name": "not polite"},
            "a variable's name in quotation marks (letters, digits",
            "引号内的变量名（字母、数字和下划线",
        ),
        (
            {"unknown": "drop"},
            'row 7: unknown: expected "out" / "counts", got \'drop\'',
            '第 7 行：unknown 应为"out" / "counts"，实为 \'drop\'',
        ),
        ({"en": ""}, "row 6: en: expected a text", "第 6 行：en 应为引号内的文字"),
        ({"form": "residents"}, "row 3: form: expected", "第 3 行：form 应为"),
    ],
)
def test_what_cannot_be_a_declaration(change, english, chinese):
    for lang, said in (("en", english), ("zh", chinese)):
        use_language(lang)
        with pytest.raises(CountyError) as error:
            read_one({**POLITE, **change})
        assert said in error.value.say(lang) and error.value.say(lang).startswith("indicators.toml")


def test_a_declaration_that_lacks_its_rule():
    with pytest.raises(CountyError, match=r"\[indicator\] lacks the key when"):
        read_one({key: value for key, value in POLITE.items() if key != "when"})


def test_the_same_name_in_two_forms_and_twice_in_one():
    table = '[[indicator]]\nname = "polite"\nform = "{form}"\nwhen = "heard = read"\nzh = "甲"\nen = "A"\n'
    both = read_derived(parse(table.format(form="resident") + table.format(form="staff")))
    assert list(both) == ["resident.polite", "staff.polite"]
    with pytest.raises(CountyError, match="polite is declared twice"):
        read_derived(parse(table.format(form="resident") * 2))


def test_a_rule_read_once_says_which_columns_it_needs():
    assert read_rule("heard = read and (by_wechat or needed >= 2)", SCOPE).columns == ("heard", "by_wechat", "needed")
    assert read_rule("made < needed", SCOPE).columns == ("made", "needed")


def test_the_values_of_a_mean_are_numbers_that_pandas_can_use():
    column = Derived("x", "resident", "mean of needed, made").of(
        answers(needed=[1, (BLANK,)], made=[2, (BLANK,)]), SCOPE
    )
    assert column.to_numpy(dtype=float, na_value=np.nan)[0] == 1.5 and column.isna().tolist() == [False, True]
