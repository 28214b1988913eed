"""X01 to X04 on small texts whose findings are counted by hand."""

import types

import pandas as pd
import pytest

from huying.claims import CANNOT_SAY, NOT_SUPPORTED, SUPPORTED, house_claims, judge_claim
from huying.errors import InputError
from huying.folder import read_county
from huying.problems import wording
from huying.problems.facts import Study
from huying.store import Cleaned

TEXT = """2023年度工作汇报
全县共有*个镇。县直部门联席会商，杜绝了推诿。赋予镇征得同意权，占全市的*成。
二、存在问题
部分部门仍有推诿。两家时有扯皮。多数负责人调整没有事先征求意见。
"""


@pytest.fixture
def study(tmp_path):
    def make(text=None, name="r.txt"):
        head = '[county]\nid = "x"\nname_zh = "甲县"\nname_en = "A"\nsampling = "probability"\nis_synthetic = true\n'
        if text is not None:
            (tmp_path / name).write_text(text, "utf-8")
            head += f'[report]\nfile = "{name}"\n'
        (tmp_path / "county.toml").write_text(head, "utf-8")
        cleaned = Cleaned({}, {}, pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), "0" * 64)
        return Study(read_county(tmp_path), cleaned, None, None, {})

    return make


def judged(found):
    facts = found.frame()
    rows = {
        claim: judge_claim(house_claims()[claim], facts[facts["claim"] == claim]).iloc[0] for claim in wording.FINDERS
    }
    return {claim: (row["estimate"], row["verdict"]) for claim, row in rows.items()}


def test_counts_by_hand(study):
    """X01: 全市 among 全县 and 县直. X02: one claim, two sentences that admit. X03: one pair. X04: two stars."""
    found = wording.find(study(TEXT))
    assert judged(found) == {"X01": (1, SUPPORTED), "X02": (2, SUPPORTED), "X03": (1, SUPPORTED), "X04": (2, SUPPORTED)}
    assert set(found.frame()["place"]) == {"county"}
    assert set(found.frame()["n"]) == {8}  # sentences, the title and the heading too
    assert [len(found.tables[name]) for name in ("lint", "masks")] == [4, 2]
    assert len(found.tables["statements"]) > 0


def test_a_report_without_fault(study):
    found = wording.find(study("各镇均已挂牌。"))
    assert set(judged(found).values()) == {(0, NOT_SUPPORTED)}


def test_without_a_report_nothing_can_be_said(study):
    found = wording.find(study())
    facts = found.frame()
    assert list(facts["reason"]) == ["no report"] * 4 and facts["estimate"].isna().all()
    assert {verdict for _, verdict in judged(found).values()} == {CANNOT_SAY}
    assert found.tables == {}


def test_a_report_that_cannot_be_read_says_so(study):
    with pytest.raises(InputError, match="no text in the file"):
        wording.find(study("\n"))


def test_each_claim_alone(study):
    found = types.SimpleNamespace(
        rows=[], add=lambda claim, frame: found.rows.append((claim, frame["estimate"].item()))
    )
    for finder in wording.FINDERS.values():
        finder(study(TEXT), found)
    assert found.rows == [("X01", 1), ("X02", 2), ("X03", 1), ("X04", 2)]
