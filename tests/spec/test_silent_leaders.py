"""10 of 54 leaders have answered, all alike: whatever the others would say bounds every claim that rests on leaders."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from agencies_stand_in import county, leaders

from run_notebook import judged

LETTERS, N = "abcde", 54
ANSWERS = {f"L06_{k}_{kind}": [5] * N for k in LETTERS for kind in ("core", "urgent")}
ANSWERS |= {f"L11_{k}_importance": [5] * N for k in LETTERS} | {f"L11_{k}_adequacy": [2] * N for k in LETTERS}
ANSWERS |= {f"L09_{k}": [1] * N for k in LETTERS} | {"L07": [1] * N}


def of_leaders(folder, n):
    """A county of 18 towns whose first `n` leaders have sent their forms."""
    rows = leaders(18, **ANSWERS).iloc[:n]
    return county(folder, {}, {"leader": rows}, n_towns=18)


BOUNDS = {  # of 10 forms (4 towns, of which three are complete), and of all 54
    ("12", "P26"): (50 / 270, 1.0, "supported"),
    ("12", "P27"): (50 / 270, 1.0, "supported"),
    ("12", "P28"): (7 / 36, 1.0, "supported"),
    ("03", "B03"): (4 / 18, 1.0, "supported"),
}


@pytest.mark.parametrize(("notebook", "claim"), BOUNDS)
def test_a_claim_on_leaders_is_bounded_by_who_did_not_answer(notebook, claim, tmp_path):
    low, high, verdict = BOUNDS[notebook, claim]
    for n, bounds, said in ((10, (low, high), "cannot say"), (54, None, verdict)):
        (tmp_path / str(n)).mkdir()
        rows = judged(notebook, of_leaders(tmp_path / str(n), n), "2023", claims=[claim])
        row = rows[(rows["claim"] == claim) & (rows["part"] == "") & (rows["place"] == "county")].iloc[0]
        if bounds:
            assert (row["low"], row["high"]) == pytest.approx(bounds)
        else:
            assert row["low"] == row["high"] == row["estimate"]
        assert row["verdict"] == said and row["method"] == "count" and np.isnan(row["df"])
