"""Old and new structures side by side: marks in use, what staff know, what is practised; frames in, frames out.

Shares are 0 to 1. A place without its ledger or survey has no value, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from huying.counted import values
from huying.measures.structure import prescribed
from huying.survey import Survey
from huying.waves import independent_sum

QUARTER = 0.25  # each of the four parts of the practice index weighs the same
# The old unit that each of these answers names a successor of, by its id in the map of old to new units.
SUCCESSOR_OF: Mapping[str, str] = {
    "says_successor_rural_economy": "O08",
    "says_successor_agrotech": "O01",
    "says_successor_family_planning": "O06",
    "says_successor_culture": "O07",
    "says_successor_civil_affairs": "O12",
}


def index_marks(check: pd.DataFrame, towns: Sequence[str]) -> pd.DataFrame:
    """The parallel-running index: the mean of column `old` over the marks found, by town, period by period.

    `old` is 1 for an old name, one half for both, 0 for a new one, missing where no mark was found. n counts marks.
    """
    axes = [sorted(set(check["period"])) or [""], towns]
    grid = pd.MultiIndex.from_product(axes, names=["period", "town_id"])
    marks = check.groupby(grid.names)["old"].agg(["mean", "count"]).reindex(grid).reset_index()
    return values(marks["town_id"], marks["mean"], marks["count"].fillna(0), measure="old", period=marks["period"])


def score_quiz(
    staff: pd.DataFrame, succession: pd.DataFrame, towns: pd.DataFrame, scheme: Mapping[str, Any]
) -> pd.Series:
    """Each person's share right of the questions on the town's new structure, 0 to 1, by the county's own documents.

    How many offices and institutions the town has is keyed by the `scheme` of its type, who took over an old unit by the
    map of `succession` (several new units may be right; a unit that the map does not hold is no question). Who cannot say
    is wrong; who was not asked has no score.
    """
    units = pd.DataFrame(prescribed(scheme)).T.reindex(columns=["office", "bureau", "psu"]).fillna(0)
    kind = staff["town"].map(towns.set_index("town_id")["type"])
    offices, institutions = units["office"] + units["bureau"], units["psu"]
    right = {
        "says_offices": staff["says_offices"] == kind.map(offices).astype("Float64"),
        "says_institutions": staff["says_institutions"] == kind.map(institutions).astype("Float64"),
    }
    for column, old in SUCCESSOR_OF.items():
        heirs = succession.loc[succession["old_id"] == old, "new_unit"].dropna()
        if len(heirs):
            right[column] = staff[column].isin(heirs).where(staff[column].notna()).astype("boolean")
    return pd.DataFrame(right).astype("Float64").mean(axis=1)


def index_practice(residents: Survey, staff: Survey) -> pd.DataFrame:
    """The practice index by town and county: the mean of two shares of residents and two of staff, with its interval.

    Residents: went to the centre or a new unit first, saw new name plates only; staff: the new structure runs day to day,
    names that are new. The two surveys are independent samples: see `independent_sum`.
    n counts residents.
    """
    people = residents.combine({"went_new_first": QUARTER, "saw_new_plate": QUARTER}, "practice")
    workers = staff.combine({"runs_new": QUARTER, "names_new": QUARTER}, "practice")
    made = independent_sum(people, workers).assign(n=people["n"])
    made["df"] = made["df"].where(made["se"].notna())
    made.attrs["source"] = " + ".join(rows.attrs.get("source", "") for rows in (people, workers))
    return made
