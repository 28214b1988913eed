"""The report's own wording on small texts whose findings are counted by hand."""

import pytest

from huying.words import InputError
from run_notebook import StandIn, judged

TEXT = """2023年度工作汇报
全县共有*个镇。县直部门联席会商，杜绝了推诿。赋予镇征得同意权，占全市的*成。
二、存在问题
部分部门仍有推诿。两家时有扯皮。多数负责人调整没有事先征求意见。
"""


@pytest.fixture
def rows(tmp_path):
    def make(text=None):
        if text is not None:
            (tmp_path / "r.txt").write_text(text, "utf-8")
        made = judged("22", StandIn(tmp_path, {}, toml='[report]\nfile = "r.txt"\n' if text is not None else ""))
        return made.set_index("claim")[["estimate", "n", "verdict", "reason"]]

    return make


def test_counts_by_hand(rows):
    """Names: 全市 among 全县 and 县直. Passing on: one claim, two sentences that admit. Consultation: one pair. Two stars."""
    made = rows(TEXT)
    assert made["estimate"].to_dict() == {"X01": 1, "X02": 2, "X03": 1, "X04": 2}
    assert set(made["verdict"]) == {"supported"}
    assert set(made["n"]) == {8}  # sentences, the title and the heading too


def test_a_report_without_fault(rows):
    made = rows("各镇均已挂牌。")
    assert set(made["estimate"]) == {0} and set(made["verdict"]) == {"not supported"}


def test_without_a_report_nothing_can_be_said(rows):
    made = rows()
    assert set(made["verdict"]) == {"cannot say"} and set(made["reason"]) == {"no report"}


def test_a_report_that_cannot_be_read_says_so(rows):
    with pytest.raises(InputError, match="no text in the file"):
        rows("\n")
