"""What leaders and staff say of the dispatched agencies, for the county alone: refuses to tell of the leaders of a town.

Columns of ratings (1 to 5) or answers are named by their prefix, an agency's kind after it; both forms name the kinds alike.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying import scales
from huying.census import FEWEST, FEWEST_TOWNS, Census
from huying.counted import bounded, unsaid, values
from huying.estimates import COUNTY, estimate_means
from huying.measures.calls import one_stratum
from huying.survey import Survey

BOOTSTRAP, JACKKNIFE, DRAWS = "psu bootstrap", "jackknife", 499
NOT_ASKED, FEW, SIDES = "not asked", "too few answers", ("leaders_less_staff", "weighted_kappa")


def columns_of(frame: pd.DataFrame, prefix: str) -> dict[str, str]:
    """The columns that begin with a prefix, by what follows it."""
    return {name.removeprefix(prefix): name for name in frame if str(name).startswith(prefix)}


class Said(NamedTuple):
    """A question about each kind of agency: the prefix of its columns, the answers that say yes, and those that say no."""

    prefix: str
    yes: Collection[str]
    no: Collection[str]


def merge_leaders(leaders: Census, changed: Said, said: Said) -> pd.DataFrame:
    """The county's share of yes among the head changes that leaders tell of, one answer a town and agency; the unknown both ways.

    `changed`: whether the head was replaced; `said`: what happened then. Any leader who knows speaks for the town; where they
    contradict each other, or one denies the change, nobody knows. The limits are exact ones around the two bounds.
    """

    def tally(frame: pd.DataFrame, town: pd.Series) -> pd.DataFrame:
        told = pd.concat([_merge(frame, town, kind, changed, said) for kind in kinds])
        counts = [told.sum()], [told.count()], [len(told)]
        return bounded([COUNTY], *counts, FEWEST, "no head change", exact=True)

    kinds = columns_of(leaders.frame, said.prefix)
    reason = "" if kinds and columns_of(leaders.frame, changed.prefix) else NOT_ASKED
    return leaders.by_town(tally, reason).assign(measure=said.prefix.rstrip("_"))


def _merge(frame: pd.DataFrame, town: pd.Series, kind: str, changed: Said, said: Said) -> pd.Series:
    """One answer for each town whose leaders tell of a change at one agency: true, false, or missing."""
    replaced, then = frame[changed.prefix + kind], frame[said.prefix + kind]
    marks = {"changed": replaced.isin(changed.yes), "denied": replaced.isin(changed.no)}
    told = pd.DataFrame({**marks, "yes": then.isin(said.yes), "no": then.isin(said.no)})
    towns = told.groupby(town.to_numpy()).any()
    towns = towns[towns["changed"]]
    return towns["yes"].astype("boolean").where((towns["yes"] ^ towns["no"]) & ~towns["denied"])


def compare_sides(leaders: Census, staff: Survey, of_leaders: str, of_staff: str) -> pd.DataFrame:
    """Leaders' ratings beside the staff's, paired by town and agency, the towns as PSUs: two rows, named in `part`.

    leaders_less_staff: the mean difference of the two means; weighted_kappa: the agreement of the two lower medians.
    """
    ours = staff.frame

    def tally(frame: pd.DataFrame, town: pd.Series) -> pd.DataFrame:
        theirs = _rate(ours, ours["town"], of_staff).add_suffix("_staff")
        pairs = _rate(frame, town, of_leaders).add_suffix("_leaders").join(theirs, how="inner").reset_index()
        if pairs["town"].nunique() < FEWEST_TOWNS or len(pairs) < FEWEST:
            return unsaid([COUNTY, COUNTY], FEW, part=SIDES)
        return pd.concat([_subtract(pairs), _agree(pairs)], ignore_index=True)

    kinds = (columns_of(leaders.frame, of_leaders), columns_of(ours, of_staff))
    reason = leaders.absent or ("" if all(kinds) else NOT_ASKED) or staff.absent
    made = _unsaid(leaders, reason, *SIDES) if reason else leaders.by_town(tally)
    return made.assign(measure=of_leaders.rstrip("_"))


def _rate(frame: pd.DataFrame, town: pd.Series, prefix: str) -> pd.DataFrame:
    """The mean and the lower median of the ratings of each town and agency."""
    ratings = frame[list(columns_of(frame, prefix).values())].rename(columns=lambda name: name.removeprefix(prefix))
    long = ratings.astype(float).assign(town=town.astype(str)).melt("town", var_name="kind").dropna()
    groups = long.groupby(["town", "kind"])["value"]
    return pd.DataFrame({"mean": groups.mean(), "median": groups.quantile(0.5, interpolation="lower")})


def _subtract(pairs: pd.DataFrame) -> pd.DataFrame:
    gap = pd.DataFrame({"gap": pairs["mean_leaders"] - pairs["mean_staff"]})
    made = estimate_means(one_stratum(pairs["town"]), gap, wave="", fewest=FEWEST)
    return made[made["place"] == COUNTY].drop(columns=["indicator", "wave"]).assign(part=SIDES[0])


def _agree(pairs: pd.DataFrame) -> pd.DataFrame:
    found = scales.weighted_kappa(pairs["median_leaders"], pairs["median_staff"], psu=pairs["town"])
    given = {"low": found.low, "high": found.high, "se": found.se, "df": found.df, "method": JACKKNIFE}
    return values([COUNTY], [found.estimate], [found.n], "separation", **given, part=SIDES[1])


def measure_reliability(staff: Survey, prefix: str, draws: int = DRAWS) -> pd.DataFrame:
    """How far the ratings measure one thing: Cronbach's alpha and McDonald's omega, persons drawn again within towns."""
    score = staff.frame[list(columns_of(staff.frame, prefix).values())].astype(float)
    if reason := staff.absent or ("" if score.shape[1] else NOT_ASKED):
        return _unsaid(staff, reason, "alpha", "omega")
    n, rows, at = int(score.notna().all(axis=1).sum()), [], _order_of_files(staff.frame.index)
    score, stratum, weight = score.iloc[at], staff.design.stratum[at], staff.design.weight[at]
    psu = pd.factorize(staff.design.psu[at])[0]
    for part, statistic in (("alpha", scales.cronbach_alpha), ("omega", scales.mcdonald_omega)):
        value = statistic(score, weight)
        low, high = scales.psu_bootstrap(statistic, score, stratum, psu, weight, n=draws)
        given = {"low": low, "high": high, "method": BOOTSTRAP, "part": part}
        rows.append(values([COUNTY], [value], [n], "not estimable", **given))
    return _placed(pd.concat(rows, ignore_index=True), staff)


def _order_of_files(ids: pd.Index) -> npt.NDArray[np.int64]:
    """The places of the rows by file and line: a bootstrap draws by place, and a store may sort them otherwise."""
    parts = ids.astype(str).str.extract(r"^(.*)#(\d+)$")
    return np.lexsort((parts[1].astype(float), parts[0].fillna("")))


def stack_ratings(staff: Survey, prefix: str, *others: str) -> pd.DataFrame:
    """One row a person and agency: person, kind, rating, town, weight, and the columns `others`; for models of all ratings at once."""
    frame, kinds = staff.frame, columns_of(staff.frame, prefix)
    kept = frame.reindex(columns=["town", "weight", *others, *kinds.values()]).rename_axis("person").reset_index()
    long = kept.melt(["person", "town", "weight", *others], list(kinds.values()), "kind", "rating")
    return long.assign(kind=long["kind"].str.removeprefix(prefix))


def _unsaid(survey: Survey, reason: str, *parts: str) -> pd.DataFrame:
    return _placed(unsaid([COUNTY] * len(parts), reason, part=parts), survey)


def _placed(rows: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    made = rows.assign(wave=survey.wave, period="", measure=rows.get("part", ""))
    made.attrs["labels"] = survey.labels
    return made
