"""Problem 2, how secretaries and mayors would have the agencies managed: claim P28; refuses anything by town."""

from __future__ import annotations

import pandas as pd

from huying.codebook import Item
from huying.estimates import COUNT, COUNTY, EXACT
from huying.exact import hypergeometric_limits
from huying.problems.cooperation import FEWEST, UNKNOWN, bounded, leaders_by_wave
from huying.problems.facts import Found, Study

OFFICES = {"secretary": 1, "mayor": 2}
KEEP = 1


def p28(study: Study, found: Found) -> None:
    """How secretaries and mayors would have the agencies managed: two in each town, and those who did not answer are not forgotten."""
    tables, towns = [], len(study.towns)
    for wave, rows in leaders_by_wave(study):
        heads = rows[rows["L02"].isin(tuple(OFFICES.values()))]
        found.add("P28", finite(heads["L07"], KEEP, 2 * towns), wave=wave)
        for option in study.book.items["L07"].options:
            if option.code not in (KEEP, UNKNOWN):
                found.add("P28", finite(heads["L07"], option.code, 2 * towns), sub=f"option_{option.code}", wave=wave)
        for office, code in OFFICES.items():
            found.add("P28", finite(heads.loc[heads["L02"] == code, "L07"], KEEP, towns), sub=office, wave=wave)
        tables.append(preferences(heads, study.book.items["L07"]).assign(wave=wave))
    if tables:
        found.tables["preferences"] = pd.concat(tables, ignore_index=True)


def finite(answers: pd.Series, code: int, population: int) -> pd.DataFrame:
    """The county's share that answered `code`, among the known; limits for all `population` leaders.

    Hypergeometric limits for those who sent no form (as if they had come by chance), unknown answers counted as no for the
    lower and as yes for the upper one. When all have answered these are the bounds alone.
    """
    came, known, k = len(answers), int(answers.count()), int((answers == code).sum())
    size = max(population, came)
    frame = bounded([COUNTY], [k], [known], [came], fewest=FEWEST)
    if came < FEWEST:
        return frame
    low, high = hypergeometric_limits(k, came, size)[0], hypergeometric_limits(k + came - known, came, size)[1]
    return frame.assign(low=low / size, high=high / size, method=COUNT if came == size else EXACT)


def preferences(heads: pd.DataFrame, item: Item) -> pd.DataFrame:
    """How many secretaries and how many mayors chose each option; an office with too few forms is left out."""
    names = {code: office for office, code in OFFICES.items() if (heads["L02"] == code).sum() >= FEWEST}
    kept = heads[heads["L02"].isin(tuple(names))]
    counts = kept["L07"].fillna(UNKNOWN).astype(int).groupby(kept["L02"].map(names)).value_counts()
    index = pd.MultiIndex.from_product(
        [list(names.values()), [o.code for o in item.options]], names=["office", "option"]
    )
    return counts.reindex(index, fill_value=0).rename("n").reset_index()


FINDERS = {"P28": p28}
