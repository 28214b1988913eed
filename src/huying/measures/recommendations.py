"""What speaks for a recommendation: where the need is greatest, which step is slow, what goes with what; refuses to call any of it a cause.

Associations come as the county's row with Student limits; `calls` is the ledger with its waits (`huying.waiting`). Days are
calendar days.
"""

import itertools
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import by_period, find_medians, student, unsaid, values
from huying.design import Design, degrees, estimate_covariance, ratio
from huying.estimates import COUNTY
from huying.intervals import Bools, Floats, limits
from huying.measures.calls import one_stratum
from huying.measures.precision import rank_regions
from huying.survey import NOT_ASKED, Survey
from huying.surveys import FEWEST, FEWEST_TOWNS, Census
from huying.words import EstimateError

ASSOCIATION, FEW = "association", "too few answers"
SCENARIOS = (0.30, 0.40, 0.50)  # weights of the towns' rating, the same for every department
STEPS = {"accept": "referred_on", "hear": "accepted_on", "rule": "heard_on"}  # each begins when the one before it ends
ENDS = [*STEPS.values(), "ruled_on"][1:]
FEWEST_EVENTS, AROUND_DAYS, FEWEST_MONTHS = 10, 30, 3


# --- where it matters most --------------------------------------------------------------------------------------------


def rank_need(rows: pd.DataFrame, towns: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Towns by how many adults they fall short of the threshold, 1 the greatest need: place, estimate (the rank), low, high, shortfall, adults, people_short.

    `low` to `high` are the ranks that joint 95% intervals allow (Klein, Wright and Wieczorek 2020; towns as independent). A
    town without a value has no rank. `rows`: estimates of one wave, never of leaders.
    """
    own = rows[rows["place"] != COUNTY].reset_index(drop=True)
    adults = towns.set_index("town_id")["adults"].astype(float).reindex(own["place"]).to_numpy()
    ends = limits(own, 0.95 ** (1 / max(1, int((own["estimate"].notna() & own["low"].notna()).sum()))))
    value, low, high = ((side - threshold) * adults for side in (own["estimate"].to_numpy(dtype=float), *ends))
    # lowest first: the greatest need
    ranks = rank_regions(value, low, high).set_axis(["estimate", "low", "high"], axis=1)
    need = {"shortfall": threshold - own["estimate"], "adults": adults, "people_short": -value}
    table = ranks.assign(place=own["place"], **need).sort_values("estimate", ignore_index=True)
    table.attrs = dict(rows.attrs)
    return table


# --- what goes with what ----------------------------------------------------------------------------------------------


def tell(value: float, se: float, df: float, n: float, reason: str = "", wave: str = "") -> pd.DataFrame:
    """The county's row of an association, with Student limits; with a `reason` nothing is stated."""
    told = {"wave": wave, "period": ""}
    if reason := reason or ("" if se > 0 and df > 0 else "not estimable"):
        read = FEW if reason == FEW else "not estimable"
        return student(np.nan, np.nan, df, n, reason, **told, remark="", reliability=read)
    return student(value, se, df, n, **told, remark=ASSOCIATION, reliability="read with care" if df < 8 else "ok")


def associate(survey: Survey, formula: str, term: str) -> pd.DataFrame:
    """The county's row of one coefficient of a linear regression (`Survey.regress`): what goes with `term`, all else in the formula held equal."""
    try:
        found = survey.regress(formula, linear=True)  # also of a score of one question, which is 0 or 1
    except EstimateError as error:
        why = FEW if error.key in ("regressions.nobody", "regressions.too_few") else "not estimable"
        return tell(np.nan, np.nan, np.nan, 0, survey.absent or why, survey.wave)
    value, se = found.table.set_index("term").loc[term, ["coefficient", "se"]]
    return tell(value, se, found.df, found.n, FEW if found.n < survey.fewest else "", survey.wave)


def compare_ratios(survey: Survey, numerator: str, denominator: str, group: str) -> pd.DataFrame:
    """The county's row of the ratio of two totals where `group` (true and false) holds, less that where it does not."""
    if not len(survey.frame):
        return tell(np.nan, np.nan, np.nan, 0, survey.absent, survey.wave)
    number = survey.frame[[numerator, denominator, group]].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    sides = [np.isfinite(number).all(axis=1) & (number[:, 2] == side) for side in (1, 0)]
    sizes = [int(side.sum()) for side in sides]
    if min(sizes) < survey.fewest:
        return tell(np.nan, np.nan, np.nan, sum(sizes), FEW, survey.wave)
    return tell(*ratio_gap(survey.design, number[:, 0], number[:, 1], *sides), sum(sizes), wave=survey.wave)


def ratio_gap(design: Design, num: Any, den: Any, first: Any, second: Any) -> tuple[float, float, float]:
    """The ratio sum(w num)/sum(w den) in the county's domain `first` less that in `second`: value, standard error, df."""
    whole, num, den = np.zeros_like(design.stratum), np.nan_to_num(num), np.nan_to_num(den)
    one, other = (ratio(design, num * part, den * part, whole, 1) for part in (first, second))
    variance = estimate_covariance(design, one[1] - other[1]).item()
    return (one[0] - other[0]).item(), float(np.sqrt(variance)), float(degrees(design, first | second))


# --- months -----------------------------------------------------------------------------------------------------------


def list_town_months(calls: pd.DataFrame, need_counts: pd.DataFrame, towns: Any, periods: Any) -> pd.DataFrame:
    """A row a period, town and month: `before`, the share answered in time the month before; `calls`, per 100 matters of need.

    Calls are counted as they stand where the county has no counts of need; a month that lacks a channel has no need.
    """
    parts = []
    for period, own in calls.groupby("period"):
        months = pd.period_range(periods[str(period)].first, periods[str(period)].last, freq="M")
        grid = pd.MultiIndex.from_product([list(towns), months], names=["town_id", "month"])
        keys = [own["town_id"], own["dispatched_at"].dt.to_period("M").rename("month")]
        n = own.groupby(keys).size().reindex(grid, fill_value=0).astype(float)
        prompt = own["is_answered_on_time"].astype("Float64").groupby(keys).mean().reindex(grid).astype(float)
        if len(need_counts):
            month = need_counts["month"].dt.to_period("M")
            matters = need_counts.groupby(["town_id", month])["n"].agg(["sum", "count"])
            is_whole = (matters["count"] == need_counts["channel"].nunique()) & (matters["sum"] > 0)
            n = 100 * n / matters["sum"].where(is_whole).astype(float).reindex(grid)
        made = pd.DataFrame({"before": prompt.groupby("town_id").shift(1), "calls": n}).reset_index()
        parts.append(made.assign(period=str(period), is_per_need=bool(len(need_counts))))
    return pd.concat(parts or [pd.DataFrame(columns=["period"])], ignore_index=True)


def compare_months(table: pd.DataFrame) -> pd.DataFrame:
    """Monthly calls after months in which more was answered in time than in the town's median month, less those after the other months.

    The county's rows a period: the difference (part empty; variance over towns), and both means, per matter of need (a share)
    where the county counted need. Fewer than 3 towns or months say too little.
    """

    def one(own: pd.DataFrame) -> pd.DataFrame:
        known = own.dropna(subset=["before", "calls"])
        known = known[known.groupby("town_id")["before"].transform("nunique") > 1]
        is_share = bool(own["is_per_need"].any())
        first = (known["before"] > known.groupby("town_id")["before"].transform("median")).to_numpy(dtype=bool)
        known = known.assign(calls=known["calls"] / (100 if is_share else 1))
        if known["month"].nunique() + 1 < FEWEST_MONTHS or known["town_id"].nunique() < FEWEST_TOWNS:
            return tell(np.nan, np.nan, np.nan, len(known), FEW).assign(part="")
        told = {"unit": "share" if is_share else "count", "reliability": "ok"}
        sides = {"after_prompt_months": known[first], "after_other_months": known[~first]}
        means = [values([COUNTY], [own["calls"].mean()], [len(own)], part=part, **told) for part, own in sides.items()]
        gap = gap_of_means(known, "calls", first, "town_id").assign(part="", unit="points" if is_share else "count")
        return pd.concat([gap, *means], ignore_index=True)

    made = by_period(table, one, FEW)
    return made if "part" in made else made.assign(part="")


# --- warnings ---------------------------------------------------------------------------------------------------------


def pair_with_events(calls: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The eligible calls of an event's department dispatched within 30 days of it: event_id, dept_id, is_after, on_time, has_both.

    The day of the event counts as after it. A call near two events stands here twice: variances go over departments.
    `has_both`: the event has calls on both sides.
    """
    own = calls[["dept_id"]].assign(on_time=calls["is_answered_on_time"], day=calls["dispatched_at"].dt.normalize())
    pairs = own.dropna().merge(events[["event_id", "dept_id", "happened_on"]].dropna(), on="dept_id")
    days = (pairs["day"] - pairs["happened_on"]).dt.days
    pairs = pairs.assign(is_after=days >= 0, on_time=pairs["on_time"].astype(float))
    pairs = pairs[(days >= -AROUND_DAYS) & (days < AROUND_DAYS)]
    return pairs.assign(has_both=pairs.groupby("event_id")["is_after"].transform("nunique") == 2)


def compare_around(near: pd.DataFrame) -> pd.DataFrame:
    """The county's row: the share in time after less that before; with fewer than 10 events that have calls on both sides nothing is said.

    The variance goes over departments (df = departments - 1).
    """
    used = near[near["has_both"]]
    if used["event_id"].nunique() < FEWEST_EVENTS:
        return tell(np.nan, np.nan, np.nan, len(used), f"fewer than {FEWEST_EVENTS} events")
    return gap_of_means(used, "on_time", used["is_after"].to_numpy(dtype=bool), "dept_id")


def gap_of_means(rows: pd.DataFrame, column: str, first: Any, cluster: str) -> pd.DataFrame:
    """The county's row: the mean of a column where `first` holds less that of the other rows, its variance over clusters."""
    if rows[cluster].nunique() < 2 or first.all() or not first.any():
        return tell(np.nan, np.nan, np.nan, len(rows), FEW)
    y, ones = rows[column].to_numpy(dtype=float), np.ones(len(rows))
    value, se, df = ratio_gap(one_stratum(rows[cluster]), y, ones, first, ~first)
    return tell(value, se, df, len(rows)) if se > 0 else tell(np.nan, np.nan, df, len(rows), "no variation")


# --- supports ---------------------------------------------------------------------------------------------------------


def find_least_gap(leaders: Census) -> pd.DataFrame:
    """The least, over all supports, of mean importance less adequacy, for the county; base: all leaders who should have answered.

    Above the threshold all supports lack. low and high give whoever did not rate both sides the smallest and the greatest
    gap that the scale from 1 to 5 allows.
    """

    def tally(frame: pd.DataFrame, town: pd.Series) -> pd.DataFrame:
        sides = {one: frame[f"importance_{one}"] - frame[f"adequacy_{one}"] for one in supports}
        gaps = pd.DataFrame(sides, dtype=float)
        n, size = gaps.notna().sum(), len(frame)
        if n.min() < FEWEST or town[gaps.notna().all(axis=1).to_numpy()].nunique() < FEWEST_TOWNS:
            return unsaid([COUNTY], FEW)
        # Two ratings from 1 to 5 are at most 4 apart.
        ends = [((gaps.sum() + widest * (size - n)) / size).min() for widest in (-4.0, 4.0)]
        return values([COUNTY], [gaps.mean().min()], [int(n.min())], low=ends[0], high=ends[1])

    supports = [name.removeprefix("importance_") for name in leaders.frame if str(name).startswith("importance_")]
    return leaders.by_town(tally, "" if supports else NOT_ASKED)


# --- the joint conference ---------------------------------------------------------------------------------------------


def find_step_medians(cases: pd.DataFrame, as_of: dict[str, pd.Timestamp]) -> pd.DataFrame:
    """Median days of each step that the ledger records, by period (part median_days_…), cases still in it censored (Kaplan-Meier).

    A case that is past a step whose day was not written down says nothing of it. A median that more than half have not
    reached is missing.
    """
    parts = [values([], [], [], part="", period="")]
    for place, (end, (step, start)) in enumerate(zip(ENDS, STEPS.items(), strict=True)):
        used = cases[cases[start].notna() & (cases[end].notna() | cases[ENDS[place:]].isna().all(axis=1))]
        used = used[used[end].notna().groupby(used["period"]).transform("any").astype(bool)]
        if len(used):
            days, age = ((last - used[start]).dt.days for last in (used[end], used["period"].map(dict(as_of))))
            parts.append(find_medians(used, days, age).assign(part=f"median_days_{step}"))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def name_slowest(medians: pd.DataFrame) -> pd.Series:
    """The remark that names each period's slowest step; empty unless all steps are recorded and one alone is the slowest."""
    told = {}
    for period, own in medians.groupby("period"):
        days = own["estimate"].fillna(np.inf)
        is_told = len(own) == len(STEPS) and (days == days.max()).sum() == 1
        told[period] = f"slowest_{own['part'].loc[days.idxmax()].rpartition('_')[2]}" if is_told else ""
    return pd.Series(told, dtype=object)


# --- towns that had a campaign ----------------------------------------------------------------------------------------

MOST_ASSIGNMENTS, DRAWS = 200_000, 9_999  # above the first assignments are drawn at random, so many of them
ENDLESS = 1e6  # degrees of freedom of a variance that is taken as known


def compare_levels(survey: Survey, column: str, campaign: dict[str, Any]) -> pd.DataFrame:
    """The mean share in the campaign's towns less that in the others, and how rare so great a difference would be by chance.

    `campaign`: `towns`, the ids. Parts campaign_difference (with its sampling error) and campaign_p (the share of choices
    of as many towns that differ as much).
    """
    return _compare(measure_levels(survey, column), survey, campaign)


def compare_changes(survey: Survey, since: Survey, column: str, campaign: Any, waves: Any) -> pd.DataFrame:
    """As `compare_levels`, of the change since an earlier wave; says where no wave came before the campaign (`on`, a day).

    `waves`: the field time of each wave by name, with its first and last day. Parts end in _of_change.
    """
    day, before, after = campaign.get("on"), waves.get(since.wave), waves.get(survey.wave)
    is_after = day and before and after and before.last < day <= after.first
    why = survey.absent or since.absent or ("" if is_after else "no wave before the campaign")
    return _compare(measure_changes(survey, since, column), survey, campaign, "_of_change", why)


def measure_levels(survey: Survey, column: str) -> pd.DataFrame:
    """Each town's share (estimate), its sampling variance p(1 - p)/n_eff at the pooled design effect, df; index place."""
    p = (rows := _of_towns(replace(survey, fewest=1).share(column)))["estimate"]
    return pd.DataFrame({"estimate": p, "variance": p * (1 - p) / rows["n_eff"], "df": np.inf})


def measure_changes(survey: Survey, since: Survey, column: str) -> pd.DataFrame:
    """Each town's change, as `measure_levels`, shared villages as shared PSUs.

    A town whose one village gives no variance has that of two waves that share nothing.
    """
    apart = sum(measure_levels(wave, column)["variance"] for wave in (since, survey))
    rows = _of_towns(replace(survey, fewest=1).change(column, since))
    variance, df = (rows["se"] ** 2).fillna(apart.reindex(rows.index)), rows["df"].where(rows["se"].notna(), np.inf)
    return pd.DataFrame({"estimate": rows["estimate"], "variance": variance, "df": df})


def _of_towns(rows: pd.DataFrame) -> pd.DataFrame:
    """The towns that answered, indexed by place."""
    return rows[rows["estimate"].notna() & (rows["place"] != COUNTY)].set_index("place")


def _compare(towns: pd.DataFrame, survey: Survey, campaign: Any, what: str = "", why: str = "") -> pd.DataFrame:
    parts = [f"campaign_difference{what}", f"campaign_p{what}"]
    treated = towns.index.isin([str(town) for town in campaign.get("towns", ())])
    if not 0 < treated.sum() < len(towns):
        return unsaid([COUNTY, COUNTY], survey.absent or why or "no campaign to compare", part=parts, wave=survey.wave)
    difference, p, smallest_p = permutation_p(towns["estimate"].to_numpy(dtype=float), treated)
    share = np.where(treated, 1 / treated.sum(), 1 / (~treated).sum())
    se, df = satterthwaite(share**2 * towns["variance"].to_numpy(), towns["df"].to_numpy(dtype=float))
    gap = student(difference, se, df, len(towns)).assign(reason=why, df=df if df < ENDLESS else np.nan)
    small = f"smallest p: {smallest_p:.3f}".replace("0.", ".") if smallest_p > 0.05 else ""
    chance = values([COUNTY], [p], [len(towns)], method="permutation").assign(reason=small)
    return pd.concat([gap, chance], ignore_index=True).assign(part=parts, wave=survey.wave, remark=ASSOCIATION)


def satterthwaite(variance: Floats, df: Floats) -> tuple[float, float]:
    """The standard error of a sum of independent terms, and its degrees of freedom (Satterthwaite 1946), at most ENDLESS."""
    total, bottom = float(variance.sum()), float((variance**2 / df).sum())
    return float(np.sqrt(total)), min(total**2 / bottom, ENDLESS) if bottom > 0 else ENDLESS


def permutation_p(y: Floats, treated: Bools) -> tuple[float, float, float]:
    """Whether the treated units (towns) differ from the others by more than a chance choice of as many units would show.

    The difference of means, its two-sided p value, and the smallest p that the most extreme choice would have got: with one
    treated town of 18 it is 1/18, and no outcome whatever can be significant at 5%. All choices are gone through, or, where
    there are more than MOST_ASSIGNMENTS, DRAWS of them with the observed one added (Phipson and Smyth 2010). It tests the
    sharp hypothesis of no effect in any unit, and holds as a test only if the treated units could as well have been others
    (Fisher 1935; Rosenbaum 2002).

    >>> permutation_p(np.array([9.0, 1.0, 2.0, 3.0]), np.array([True, False, False, False]))[2]
    0.25
    """
    chosen = np.flatnonzero(treated)
    size, rest = len(chosen), len(y) - len(chosen)
    if comb(len(y), size) <= MOST_ASSIGNMENTS:
        picks = np.array(list(itertools.combinations(range(len(y)), size)))
    else:
        rng = np.random.default_rng(0)
        picks = np.array([chosen, *(rng.permutation(len(y))[:size] for _ in range(DRAWS))])
    inside = y[picks].sum(axis=1)
    here, apart = y[treated].mean() - y[~treated].mean(), np.abs(inside / size - (y.sum() - inside) / rest)
    p, smallest_p = (float((apart >= most - 1e-9 * np.ptp(y)).mean()) for most in (abs(here), apart.max()))
    return float(here), p, smallest_p
