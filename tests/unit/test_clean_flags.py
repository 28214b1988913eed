import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clean_stand_in import EVERY_TYPE, ITEMS, THRESHOLDS, clean
from hypothesis import given, settings, strategies as st

from huying.clean.flags import (
    NO_ANSWER,
    codes_of,
    find_clones,
    find_flags,
    find_straight_lines,
    longest_run,
    say_note,
    say_rejected,
)
from huying.codebook import WHY_MISSING
from huying.words import say

LINE = {"R12_a": "没听过", "R12_b": "没听过", "R12_c": "没听过", "R12_d": "没听过", "R12_e": "没听过"}


def flagged(rows, flag, **thresholds):
    done = clean(rows, thresholds={**THRESHOLDS, **thresholds})
    found = done.flags[done.flags["flag"] == flag]
    return {int(row.split("#")[1]) - 2: detail for row, detail in zip(found["row_id"], found["detail"], strict=True)}


def test_duplicates():
    rows = [{"submitted_at": "2023/5/10 9:00:00"}, {"submitted_at": "2023/5/10 9:00:00", "R03": "４２岁"}, {"submitted_at": "2023/5/11 9:00:00"},
            {"submitted_at": "2023/5/10 9:00:00", "R03": "43"}, {"submitted_at": "2023/5/12 9:00:00", "R26": "好"}]  # fmt: skip
    assert set(flagged(rows, "duplicate")) == {1} and set(flagged(rows, "near_duplicate")) == {2}


@pytest.mark.parametrize("sent", ["", "2023/5/10"])
def test_without_the_time_of_day_equal_answers_are_two_peoples(sent):
    rows = [{"submitted_at": sent}] * 3
    assert not flagged(rows, "duplicate") and set(flagged(rows, "near_duplicate")) == {1, 2}


def test_refusals_are_no_near_duplicates_of_each_other():
    gone = dict.fromkeys(("R01", "R03", "R09", "R11", *LINE, "S14", "S15", "R26"), "(跳过)")
    assert not flagged([{"R00": "不愿意", **gone}] * 3, "near_duplicate")


def test_mostly_blank_forms_are_no_near_duplicates():
    blank = dict.fromkeys(("R03", "R09", "R11", *LINE, "S14", "S15", "R26"), "")
    assert not flagged([blank] * 3, "near_duplicate")


def chain(n, interviewer="I1"):
    """Forms of which each differs from the next in one closed answer more: links of at most two, ends far apart."""
    cells = ["R12_a", "R12_b", "R12_c", "R12_e"]
    return [
        {"interviewer_id": interviewer, **{cell: "去过" if cell != "R12_c" else "听过" for cell in cells[:k]}}
        for k in range(n)
    ]


def test_cloned_blocks_are_linked_pairwise():
    rows = [
        *chain(4),
        {"interviewer_id": "I1", "R09": "没有（真的）", "R11": "(跳过)", **dict.fromkeys(LINE, "没听过")},
    ]
    assert flagged(rows, "cloned_block") == dict.fromkeys(range(4), "I1 x 4")
    assert not flagged(rows, "cloned_block", clone_block=5)


def test_cloned_blocks_need_one_interviewer_and_count_repeats_once():
    assert not flagged([*chain(2), *chain(2, "I2")], "cloned_block")
    assert not flagged(chain(4, ""), "cloned_block")
    assert not flagged([*chain(2), *chain(2)], "cloned_block")  # two forms, each sent twice


@settings(max_examples=40, deadline=None)
@given(data=st.data(), differs=st.integers(0, 2))
def test_pigeonhole_finds_what_comparing_all_pairs_finds(data, differs):
    n = data.draw(st.integers(1, 12))
    table = np.array(
        data.draw(st.lists(st.lists(st.integers(1, 2), min_size=6, max_size=6), min_size=n, max_size=n)), dtype=np.int32
    )
    who = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    block = list(range(n))
    for i in range(n):
        for j in range(i):
            if who[i] == who[j] and (table[i] != table[j]).sum() <= differs:
                block = [block[j] if b == block[i] else b for b in block]
    size = np.array([block.count(b) for b in block])
    found = find_clones(list(table.T), who, np.ones(n, dtype=bool), differs, 3)
    assert list(found) == list(np.where(size >= 3, size, 0))


def test_speeders():
    rows = [
        {"seconds": "100"},
        {"seconds": "100秒"},
        {"seconds": "29"},
        {"seconds": "30"},
        {"seconds": "100"},
        {"R03": "15", "seconds": "5"},
    ]
    assert flagged(rows, "speeder") == {2: "29 / 100"}  # 0.3 x 100 = 30


def test_straight_lines():
    assert set(flagged([LINE, {**LINE, "R12_c": "听过"}, {**LINE, "R12_c": ""}], "straight_line")) == {0}
    assert set(flagged([{}, {**LINE, "R12_e": "去过"}], "straight_line", longstring=4)) == {1}


def test_every_full_matrix_counts_and_small_ones_do_not():
    five, same = [np.full(4, 2, dtype=np.int32) for _ in range(5)], [np.array([1, 2, 2, 2], dtype=np.int32)] * 4
    varied = [np.array([2, 2, NO_ANSWER, 2], dtype=np.int32)] * 4 + [np.array([2, 3, 2, 2], dtype=np.int32)]
    assert list(find_straight_lines([five, same, varied], "all")) == [True, False, True, True]


@pytest.mark.parametrize(("row", "run"), [([1, 2, 3], 1), ([2, 2, 3], 2), ([1, 3, 3, 3], 3), ([NO_ANSWER] * 3, 0), ([1, 1, NO_ANSWER, 1], 2),
                                          ([5] * 10, 10), ([4] * 20, 20), ([-2, -2, 1], 2)])  # fmt: skip
def test_longest_run(row, run):
    assert list(longest_run(np.array([row]))) == [run]


def test_attention_decoy_contradiction():
    rows = [{"R12_d": "没听过"}, {"R12_d": ""}, {"R12_e": "听过"}, {"S14": "3", "S15": "4"}, {"S14": "3", "S15": "3"}]
    assert flagged(rows, "attention_failed") == {0: "R12_d"} and flagged(rows, "decoy") == {2: "R12_e"}
    assert flagged(rows, "contradiction") == {3: "S15 > S14"}


def test_cannot_say_is_a_click_like_another():
    """It fails a check of attention, and is a line where it is given throughout; what was skipped is neither."""
    rows = [{"R12_d": "说不准"}, {"R12_d": "(跳过)"}, dict.fromkeys(LINE, "说不准"), dict.fromkeys(LINE, "(跳过)")]
    assert set(flagged(rows, "attention_failed")) == {0, 2} and set(flagged(rows, "straight_line")) == {2}


@pytest.mark.parametrize("longstring", ["all", 3])
def test_a_form_without_a_matrix_has_no_straight_line(longstring):
    items = [item for item in ITEMS if not item.is_matrix]
    assert find_flags(clean([{}, {"R03": "50"}]).kept, items, {**THRESHOLDS, "longstring": longstring}).empty


def test_flags_over_several_files_together():
    parts = [clean([{"seconds": "100"}]).kept, clean([{"seconds": "20", "submitted_at": "2023/5/10 9:00:00"}]).kept]
    parts[1]["row_id"] = "s.csv#2"
    flags = find_flags(pd.concat(parts, ignore_index=True), ITEMS, THRESHOLDS)
    assert set(zip(flags["row_id"], flags["flag"], strict=True)) == {
        ("s.csv#2", "duplicate")
    }  # the median of 100 and 20 is 60


def answered(n, blank, **more):
    """Two forms alike in all but their time, of `n` answers and `blank` blanks among the first 11 closed questions, R11 not asked."""
    order = ["R00", "R01", "R09", "R03", *LINE, "S14", "S15"]
    said = {"R09": "没有（真的）", "R11": "(跳过)", **dict.fromkeys(order[n : n + blank], ""), **more}
    return [{**said, **dict.fromkeys(order[n + blank :], "(跳过)")}] * 2


@pytest.mark.parametrize(("n", "blank", "is_whole"), [(6, 5, True), (5, 5, False), (5, 6, False), (11, 0, True)])
def test_a_form_is_compared_where_it_has_more_answers_than_blanks(n, blank, is_whole):
    assert set(flagged(answered(n, blank), "near_duplicate")) == ({1} if is_whole else set())


def test_refusals_to_one_interviewer_are_no_cloned_block():
    gone = dict.fromkeys(("R01", "R03", "R09", "R11", *LINE, "S14", "S15", "R26"), "(跳过)")
    assert not flagged([{"R00": "不愿意", "interviewer_id": "I1", **gone}] * 4, "cloned_block")


def test_clones_are_known_by_their_closed_answers_whatever_the_numbers_and_words():
    rows = [
        {"interviewer_id": "I1", "R03": str(30 + k), "S14": str(9 + k), "S15": str(k), "R26": f"第{k}"}
        for k in range(3)
    ]
    assert flagged(rows, "cloned_block") == dict.fromkeys(range(3), "I1 x 3")
    assert flagged(rows[:2], "cloned_block", clone_block=2) == {0: "I1 x 2", 1: "I1 x 2"}
    assert not flagged(rows[:1], "cloned_block", clone_block=1)  # nobody is a clone of himself


def test_forms_without_a_time_or_without_closed_questions_are_flagged_for_nothing():
    assert not flagged([{"seconds": ""}, {"seconds": "", "R03": "50"}], "speeder")
    assert set(
        flagged([{"seconds": ""}, {"seconds": "100"}, {"seconds": "1"}, {"seconds": "100", "R03": "9"}], "speeder")
    ) == {2}
    numbers = [item for item in ITEMS if item.id in ("S14", "S15")]
    rows = clean([{"interviewer_id": "I1", "R26": str(k)} for k in range(4)]).kept
    assert find_flags(rows, numbers, THRESHOLDS)["flag"].tolist() == []


@pytest.mark.parametrize(
    "quiz", [{"right": {"a": 1}}, {"right_from": "org_map"}, {"right": {"a": 1}, "right_from": "org_map"}]
)
def test_one_answer_throughout_a_quiz_may_be_honest(quiz):
    items = [replace(item, attention={}, **(quiz if item.is_matrix else {})) for item in ITEMS]
    assert "straight_line" not in set(find_flags(clean([LINE]).kept, items, THRESHOLDS)["flag"])


def test_a_run_of_equal_answers_counts_matrices_alone():
    """R00, R01, R09, R11 and R12_a are all the first option; of the matrix only two stand side by side."""
    row = {**LINE, "R12_c": "听过", "R12_e": "听过"}
    assert not flagged([row], "straight_line", longstring=3) and flagged([row], "straight_line", longstring=2)


def test_a_contradiction_is_looked_for_where_both_questions_were_asked():
    rows = clean([{"S14": "3", "S15": "4"}]).kept
    lacking = [item for item in ITEMS if item.id != "S14"]
    assert "contradiction" not in set(
        find_flags(rows.drop(columns=["S14", "S14_missing"]), lacking, THRESHOLDS)["flag"]
    )


def test_a_matrix_of_fewer_than_five_rows_says_nothing_alone_nor_against_others():
    four, mixed = [np.array([2, 2], dtype=np.int32)] * 4, [np.array([2, k], dtype=np.int32) for k in (1, 2, 3, 1)]
    five = [np.full(2, 3, dtype=np.int32)] * 5
    assert list(find_straight_lines([four], "all")) == [False, False]
    assert list(find_straight_lines([five, mixed], "all")) == [True, True]


RANKING = next(item for item in EVERY_TYPE if item.id == "K1")


@pytest.mark.parametrize(
    ("item", "answers"),
    [(replace(RANKING, type="multi"), list(itertools.product((0, 1), repeat=3))),
     (RANKING, [tuple(1 + order.index(k) if k in order else None for k in range(3)) for n in (1, 2, 3) for order in itertools.permutations(range(3), n)])],
)  # fmt: skip
def test_every_answer_of_several_options_has_a_code_of_its_own(item, answers):
    rows = pd.DataFrame(answers, columns=item.variables, dtype="Int8")
    codes = codes_of(rows.assign(K1_missing=pd.Categorical([None] * len(rows), WHY_MISSING)), item, "K1")
    assert len(set(codes)) == len(answers) and (codes >= 0).all()


def test_every_reason_why_there_is_no_answer_is_none():
    why = [*WHY_MISSING, None]
    rows = pd.DataFrame(
        {
            "S14": pd.array([None] * len(WHY_MISSING) + [0], dtype="Int32"),
            "S14_missing": pd.Categorical(why, WHY_MISSING),
        }
    )
    codes = codes_of(rows, next(item for item in ITEMS if item.id == "S14"), "S14")
    assert (codes > NO_ANSWER).tolist() == [False] * len(WHY_MISSING) + [True] and len(set(codes)) == len(why)


def test_what_was_set_aside_or_seen_is_said_with_its_place():
    entry = {"file": "a.csv", "sheet": "", "row": 3, "column": "镇街", "value": "某镇", "reason": "town_unknown"}
    assert "a.csv, row 3, column 镇街: got 某镇; " in say_rejected(entry, "en") and "got" not in say_rejected(
        {**entry, "value": ""}, "en"
    )
    note = {"file": "a.xlsx", "sheet": "表一", "row": "3", "note": "calendar_1904", "detail": "x"}
    told = say("clean.note_calendar_1904", "en")
    assert say_note(note, "en") == f"a.xlsx, sheet 表一, row 3: {told}: x"
    assert say_note({**note, "sheet": "", "row": "", "detail": ""}, "en") == f"a.xlsx: {told}"
