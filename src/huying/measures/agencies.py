"""Dispatched agencies from their ledgers and from what leaders and staff say of them; refuses to tell of the leaders of a town.

Who manages them, whether a town was asked, who reported: complete lists, no p values. Rows come back in the shape of an
estimate, for the county; days are calendar days, months are counted from the first change. Columns of ratings (1 to 5) or
answers are named by their prefix, an agency's kind after it; both forms name the kinds alike.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.stats.contingency import odds_ratio

from huying import scales
from huying.claims.rules import NO_BASELINE
from huying.counted import NO_CASE, bounded, find_ends, unsaid, values
from huying.estimates import COUNTY, estimate_means
from huying.intervals import EXACT
from huying.measures.calls import one_stratum
from huying.survey import Survey
from huying.surveys import FEWEST, FEWEST_TOWNS, Census

REPORT_DAYS, SERIES_MONTHS, SEGMENT_MONTHS = 30, 24, 3
UNBOUNDED = 20.0  # a log odds ratio that has no limit on this side; a table needs both of its signs and no infinity
NO_CHANGE = f"{NO_CASE}: no head change"
ASKED = {"written": True, "oral": True, "none": False}


def rate_management(agencies: pd.DataFrame) -> pd.DataFrame:
    """The roster with three parts of each agency's management by the town, 0 to 1, and their mean `index`.

    attendance: the town keeps it; meetings: share of the meetings called that were attended; leave: the town approves it. A
    part that is not recorded is left out of the mean.
    """
    called = agencies["meetings_called"].astype(float)
    own = agencies[["attendance_by_town", "leave_by_town"]].astype("boolean").astype(float)
    meetings = agencies["meetings_attended"].astype(float) / called.where(called > 0)
    parts = {"attendance": own["attendance_by_town"], "meetings": meetings, "leave": own["leave_by_town"]}
    return agencies.assign(**parts, index=pd.DataFrame(parts).mean(axis=1))


# --- head changes -----------------------------------------------------------------------------------------------------


def time_reports(changes: pd.DataFrame, periods: Mapping[str, Any]) -> pd.DataFrame:
    """The changes with report_days (to the new head's report to the town), age_days and what they say at REPORT_DAYS.

    in_time and never_reported are missing for a change too young to tell on the day up to which its period is complete (or,
    of a ledger without one, the last day written in it), and throughout where the ledger never fills the date of reporting.
    """
    dates = changes[["changed_on", "reported_on"]].apply(pd.to_datetime)
    age = (find_ends(changes, periods, dates.max(axis=1), "as_of") - dates["changed_on"]).dt.days
    days = (dates["reported_on"] - dates["changed_on"]).dt.days
    can_tell = (age >= REPORT_DAYS) & (days.groupby(changes["period"]).transform("count") > 0)
    told = {"in_time": days <= REPORT_DAYS, "never_reported": days.isna()}
    flags = {name: flag.astype("boolean").where(can_tell) for name, flag in told.items()}
    return changes.assign(report_days=days, age_days=age, **flags)


# --- before and after the mechanism -----------------------------------------------------------------------------------


def find_mechanism_day(documents: pd.DataFrame) -> pd.Timestamp:
    """The day on which a mechanism came into force (else was issued), as the register of documents has it; missing without one."""
    papers = documents[documents["kind"] == "mechanism"]
    return pd.to_datetime(papers["effective_on"]).fillna(pd.to_datetime(papers["issued_on"])).min()


def split_at_mechanism(changes: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """Every change once, with was_asked (missing where nobody knows), is_after, and `since` (months from the mechanism's month).

    is_after is missing where the register of documents has no day of a mechanism. A period that is not the only one is blank.
    """
    day, once = find_mechanism_day(documents), changes.drop_duplicates("event_id", ignore_index=True)
    changed, was_asked = pd.to_datetime(once["changed_on"]), once["consulted"].map(ASKED).astype("boolean")
    is_after = (changed >= day).astype("boolean").where(np.full(len(once), pd.notna(day)))
    since = 12 * (changed.dt.year - day.year) + changed.dt.month - day.month  # missing without a day
    period = once["period"] if changes["period"].nunique() == 1 else ""
    return once.assign(period=period, was_asked=was_asked, is_after=is_after, since=since)


def _tally(split: pd.DataFrame) -> tuple[int, int, int, int]:
    """Asked and known changes after the mechanism, asked and known before it."""
    sides = [split.loc[split["is_after"].eq(after).fillna(False), "was_asked"] for after in (True, False)]
    k1, n1, k0, n0 = (int(v) for side in sides for v in (side.sum(), side.count()))
    return k1, n1, k0, n0


def conditional_odds_ratio(k1: int, n1: int, k0: int, n0: int, level: float = 0.95) -> tuple[float, float, float]:
    """The odds of k1 of n1 against those of k0 of n0, given all margins, and limits: what R's fisher.test says, to more digits.

    The estimate maximises the noncentral hypergeometric likelihood, the limits invert its two tails (Fisher 1935; Cornfield
    1956). With an empty cell the estimate and one limit are 0 or infinite; with an empty margin the table says nothing:
    estimate missing, limits 0 and infinite.

    >>> round(conditional_odds_ratio(3, 4, 1, 4)[0], 4)  # the lady tasting tea
    6.4083
    """
    found = odds_ratio(np.array([[k1, n1 - k1], [k0, n0 - k0]], dtype=np.int64), kind="conditional")
    low, high = found.confidence_interval(level)
    return float(found.statistic), float(low), float(high)


def median_unbiased(k1: int, n1: int, k0: int, n0: int) -> float:
    """The log of the odds ratio at which a table as extreme on either side has probability one half: finite where one cell is 0.

    Where the maximum likelihood estimate is infinite only one of the two tails has such a point, and it is taken (Hirji,
    Tsiatis and Mehta 1989); otherwise the two are averaged. Missing where a margin is empty.
    """
    ends = np.array(conditional_odds_ratio(k1, n1, k0, n0, level=0.0)[1:])
    points = np.log(ends[(ends > 0) & np.isfinite(ends)])
    return float(points.mean()) if len(points) else float("nan")


def compare_odds(split: pd.DataFrame) -> pd.DataFrame:
    """The log of the conditional odds ratio of being asked, after against before, with exact limits: finite, or with a reason.

    With a cell of 0 the maximum likelihood estimate is infinite: the median-unbiased one stands in its place, and the limit
    that does not exist is written as UNBOUNDED; it still decides a claim by the limit that it has (Hirji, Tsiatis and Mehta
    1989).
    """
    k1, n1, k0, n0 = _tally(split)
    reason = NO_CHANGE if not n1 + n0 else NO_BASELINE if not n0 else NO_CASE if not n1 else ""
    reason = reason or ("" if 0 < k1 + k0 < n1 + n0 else "separation")
    if len(split) and split["is_after"].isna().all():
        reason, n1 = "no mechanism date", int(split["was_asked"].count())
    told = {"period": split["period"].iloc[0] if len(split) else "", "measure": "was_asked", "method": EXACT}
    if reason:
        return unsaid([COUNTY], reason, [n1 + n0], **told)
    with np.errstate(divide="ignore"):
        estimate, low, high = np.log(conditional_odds_ratio(k1, n1, k0, n0))
    told |= {"low": max(low, -UNBOUNDED), "high": min(high, UNBOUNDED)}
    if np.isinf(estimate):
        estimate, told["remark"] = median_unbiased(k1, n1, k0, n0), "one_sided"
    return values([COUNTY], [estimate], [n1 + n0], **told)


def compare_shares(split: pd.DataFrame) -> pd.DataFrame:
    """The share asked since the mechanism less that before it, with the exact conditional interval, or why there is none.

    Given all margins, each odds ratio expects one difference (the mean of Fisher's noncentral hypergeometric distribution):
    the maximum likelihood estimate the observed one, an odds ratio of 1 none. The limits are those of the two limits of the
    odds ratio, so that they hold 0 exactly where these hold 1.
    """
    made, (k1, n1, k0, n0) = compare_odds(split), _tally(split)
    if made["estimate"].isna().all():
        return made
    asked = k1 + k0
    for name, end in (("low", max(0, asked - n0)), ("high", min(n1, asked))):  # since, as the margins allow
        odds, is_open = np.exp(made[name].iloc[0]), abs(made[name].iloc[0]) >= UNBOUNDED
        told = end if is_open else stats.nchypergeom_fisher.mean(n1 + n0, n1, asked, odds)
        made[name] = told / n1 - (asked - told) / n0
    return made.assign(estimate=k1 / n1 - k0 / n0, remark="")


def list_series(split: pd.DataFrame) -> list[pd.DataFrame]:
    """The monthly series of changes, as a list of one table, or of none where a segmented regression has no finite answer.

    A row a month with a known change: month (from the first change), asked, not_asked, is_after, since (months from the
    mechanism after it, else 0). None where the changes span fewer than 24 months, a segment has fewer than 3, or a month
    parts the asked changes of a segment from the others.
    """
    if split["is_after"].isna().all():
        return []
    known = split[split["was_asked"].notna()]
    tally = known.groupby(known["since"].astype(float))["was_asked"].agg(["sum", "count"]).astype(float).reset_index()
    asked, since = tally["sum"], tally["since"]
    months = pd.DataFrame({"month": since - split["since"].min(), "asked": asked, "not_asked": tally["count"] - asked})
    months = months.assign(is_after=(since >= 0).astype(int), since=since.clip(lower=0.0))
    sides = [side for _, side in months.groupby("is_after") if len(side) >= SEGMENT_MONTHS and not _is_parted(side)]
    is_long = months["month"].max() - months["month"].min() + 1 >= SERIES_MONTHS
    return [months] if is_long and len(sides) == 2 else []


def _is_parted(side: pd.DataFrame) -> bool:
    """Whether all or none of a segment were asked, or a month, itself possibly mixed, parts the asked from the others."""
    yes, no = (side.loc[side[name] > 0, "month"] for name in ("asked", "not_asked"))
    return not (yes.min() < no.max() and yes.max() > no.min())


# --- what leaders and staff say --------------------------------------------------------------------------------------------

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
    contradict each other, or one denies the change, nobody knows.
    """

    def tally(frame: pd.DataFrame, town: pd.Series) -> pd.DataFrame:
        told = pd.concat([_merge(frame, town, kind, changed, said) for kind in kinds])
        return bounded([COUNTY], [told.sum()], [told.count()], [len(told)], FEWEST, NO_CHANGE)

    kinds = columns_of(leaders.frame, said.prefix)
    reason = "" if kinds and columns_of(leaders.frame, changed.prefix) else NOT_ASKED
    return leaders.by_town(tally, reason).assign(measure=said.prefix.rstrip("_"))


def _merge(frame: pd.DataFrame, town: pd.Series, kind: str, changed: Said, said: Said) -> pd.Series:
    """One answer for each town whose leaders tell of a change at one agency: true, false, or missing."""
    replaced, then = frame[changed.prefix + kind], frame[said.prefix + kind]
    marks = {"changed": replaced.isin(changed.yes), "denied": replaced.isin(changed.no)}
    told = pd.DataFrame({**marks, "yes": then.isin(said.yes), "no": then.isin(said.no)})
    towns = told.groupby(town.to_numpy()).any().query("changed")
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
        gap = pd.DataFrame({"gap": pairs["mean_leaders"] - pairs["mean_staff"]})
        less = estimate_means(one_stratum(pairs["town"]), gap, wave="", fewest=FEWEST).query("place == @COUNTY")
        found = scales.weighted_kappa(pairs["median_leaders"], pairs["median_staff"], psu=pairs["town"])
        given = found[["low", "high", "se", "df"]].to_dict() | {"method": "jackknife"}
        agree = values([COUNTY], [found.estimate], [found.n], "separation", **given)
        return pd.concat([less.drop(columns=["indicator", "wave"]), agree], ignore_index=True).assign(part=SIDES)

    kinds = (columns_of(leaders.frame, of_leaders), columns_of(ours, of_staff))
    reason = leaders.absent or ("" if all(kinds) else NOT_ASKED) or staff.absent
    made = _placed(unsaid([COUNTY, COUNTY], reason, part=SIDES), leaders) if reason else leaders.by_town(tally)
    return made.assign(measure=of_leaders.rstrip("_"))


def _rate(frame: pd.DataFrame, town: pd.Series, prefix: str) -> pd.DataFrame:
    """The mean and the lower median of the ratings of each town and agency."""
    ratings = frame[list(columns_of(frame, prefix).values())].rename(columns=lambda name: name.removeprefix(prefix))
    long = ratings.astype(float).assign(town=town.astype(str)).melt("town", var_name="kind").dropna()
    groups = long.groupby(["town", "kind"])["value"]
    return pd.DataFrame({"mean": groups.mean(), "median": groups.quantile(0.5, interpolation="lower")})


def measure_reliability(staff: Survey, prefix: str, draws: int = 499) -> pd.DataFrame:
    """How far the ratings measure one thing: Cronbach's alpha and McDonald's omega, persons drawn again within towns."""
    score = staff.frame[list(columns_of(staff.frame, prefix).values())].astype(float)
    if reason := staff.absent or ("" if score.shape[1] else NOT_ASKED):
        return _placed(unsaid([COUNTY, COUNTY], reason, part=["alpha", "omega"]), staff)
    n, rows = int(score.notna().all(axis=1).sum()), []
    # By file and line: a bootstrap draws by place, and a store may sort the rows otherwise.
    parts = staff.frame.index.astype(str).str.extract(r"^(.*)#(\d+)$")
    at = np.lexsort((parts[1].astype(float), parts[0].fillna("")))
    score, stratum, weight = score.iloc[at], staff.design.stratum[at], staff.design.weight[at]
    psu = pd.factorize(staff.design.psu[at])[0]
    for part, statistic in (("alpha", scales.cronbach_alpha), ("omega", scales.mcdonald_omega)):
        low, high = scales.psu_bootstrap(statistic, score, stratum, psu, weight, n=draws)
        given = {"low": low, "high": high, "method": "psu bootstrap", "part": part}
        rows.append(values([COUNTY], [statistic(score, weight)], [n], "not estimable", **given))
    return _placed(pd.concat(rows, ignore_index=True), staff)


def stack_ratings(staff: Survey, prefix: str, *others: str) -> pd.DataFrame:
    """One row a person and agency: person, kind, rating, town, weight, and the columns `others`; for models of all ratings at once."""
    frame, kinds = staff.frame, columns_of(staff.frame, prefix)
    kept = frame.reindex(columns=["town", "weight", *others, *kinds.values()]).rename_axis("person").reset_index()
    long = kept.melt(["person", "town", "weight", *others], list(kinds.values()), "kind", "rating")
    return long.assign(kind=long["kind"].str.removeprefix(prefix))


def _placed(rows: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    made = rows.assign(wave=survey.wave, period="", measure=rows.get("part", ""))
    made.attrs["labels"] = survey.labels
    return made
