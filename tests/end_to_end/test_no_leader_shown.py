"""The demo county's results, read by somebody who knows what its leaders answered."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from leaders_leaks import leaks_in


def test_no_leader_can_be_read_from_the_results(folder):
    assert leaks_in(folder) == []
