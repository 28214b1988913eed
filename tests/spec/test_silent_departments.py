"""9 of 14 departments have sent their forms: whatever the other five would say bounds every share, and a verdict needs both bounds.

No claim of the house is decided by departments' forms; a county's own may be, so each question is judged by an own claim.
"""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from agencies_stand_in import form, register

from huying.claims.declared import house_claims
from run_notebook import StandIn

N = 14
CLAIM = """
[[indicator]]
name = "so"
form = "department"
when = "{rule}"
zh = "是这样"
en = "it is so"

[[claim]]
id = "Z01"
indicator = "so"
zh = "大多数部门是这样"
en = "Most departments say so"
quantifier = "MOST"
threshold = 0.5
problem_if = "not supported"
judged_for = "county"
n_of = "departments"
measure = {{ zh = "是这样的部门比例", en = "share of departments that say so" }}
base = {{ zh = "部门", en = "departments" }}
estimand = {{ zh = "是这样的部门比例", en = "share of departments that say so" }}
notebook = "41_own_claims"
"""
# By the question's rule: its cell, what a department says that counts, and what one says that does not.
QUESTIONS = {
    "slips_received >= 10": ("D02", 12, 3),
    "why_returned_overlapping_duties": ("D03_3", 1, 0),
    "list_clarity <= 2": ("D04", 1, 5),
    "rating_effect <= 2": ("D05", 2, 4),
    "calls_stated_correctly >= 4": ("D06_a", 5, 1),
    "calls_papers_complete >= 4": ("D06_b", 4, 2),
    "calls_not_needed >= 4": ("D06_c", 4, 3),
}


def judged(folder, rule, yes, sent):
    """The county's row where `sent` departments have answered, `yes` of them so."""
    cell, so, other = QUESTIONS[rule]
    (folder / "claims.toml").write_text(CLAIM.format(rule=rule), "utf-8")
    ids = [f"K{k:02d}" for k in range(1, N + 1)]
    names = {"name_zh": ids, "name_en": ids, "aliases": None}
    said = {"D01": list(range(1, sent + 1)), "D03": [1] * sent, cell: [so] * yes + [other] * (sent - yes)}
    rows = form("department", [None] * sent, **said)
    ledgers = {"towns": register(), "departments": pd.DataFrame({"dept_id": ids, **names})}
    county = StandIn(folder, ledgers, {"department": rows})
    return county.judge("Z01", county.survey("department").share("so"), place="county").rows.iloc[0]


@pytest.mark.parametrize("rule", QUESTIONS)
@pytest.mark.parametrize(
    ("yes", "verdict"),
    [
        (9, "supported"),  # 9 of 14 at the least
        (8, "supported"),  # 8 of 14
        (7, "cannot say"),  # 7 of 14 is half, 12 of 14 is most
        (3, "cannot say"),  # 3 of 14 to 8 of 14
        (2, "not supported"),  # 7 of 14 at the most
    ],
)
def test_nine_of_fourteen_are_bounded_by_the_five(rule, yes, verdict, tmp_path):
    row = judged(tmp_path, rule, yes, 9)
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx([yes / 9, yes / N, (yes + 5) / N])
    assert (row["verdict"], row["verdict_family"], row["method"]) == (verdict, verdict, "count")


@pytest.mark.parametrize("rule", QUESTIONS)
def test_when_all_have_answered_the_count_decides(rule, tmp_path):
    row = judged(tmp_path, rule, 8, N)
    assert row["low"] == row["high"] == row["estimate"] == 8 / N and row["verdict"] == "supported"


def test_no_claim_of_the_house_needs_departments_forms():
    """Whoever adds one adds its bounds here."""
    assert not [claim.id for claim in house_claims().values() if "departments_form" in claim.needs]
