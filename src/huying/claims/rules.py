"""Facts against the rule of their claim; refuses to call a claim proved while its interval touches the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from huying.estimates import COUNT, COUNTY, EXACT, Floats, limits, p_above

if TYPE_CHECKING:
    from huying.claims.declared import Claim

QUANTIFIERS = ["ALL", "MOST", "GENERAL", "SOME", "FEW", "NONE", "LOW", "TREND", "COUNT", "EXISTS", "NEED", "TEXT"]
ALL, MOST, GENERAL, SOME, FEW, NONE, LOW, TREND, COUNTS, EXISTS, NEED, TEXT = QUANTIFIERS
# What a share of respondents can decide: COUNT, EXISTS, TEXT and SOME look at complete lists, TREND at a change.
DECIDABLE = (ALL, MOST, GENERAL, FEW, NONE, LOW, NEED)
BELOW = (LOW, FEW, NONE, NEED)  # supported by what lies below the threshold
AS_COUNTED = (ALL, SOME, COUNTS, EXISTS, TEXT)  # decided by the value itself, not by its interval
SUPPORTED, NOT_SUPPORTED, CANNOT_SAY, NO_BASELINE = "supported", "not supported", "cannot say", "no baseline"


def judge(quantifier: str, threshold: float, estimate: float, low: float, high: float, n: float = 1) -> tuple[str, str]:
    """The verdict and, for `cannot say`, its reason.

    AS_COUNTED are decided by the value: one counter-example refutes ALL, one example supports SOME, COUNT is equal to the
    threshold (a threshold between 0 and 1 is a tolerance, since counts are whole), EXISTS reaches it. The others need the whole interval
    on one side of the threshold; a counted share has the interval [estimate, estimate].
    """
    if not n > 0:
        return CANNOT_SAY, "no eligible case"
    if np.isnan(estimate) or (quantifier not in AS_COUNTED and (np.isnan(low) or np.isnan(high))):
        return CANNOT_SAY, "not estimable"
    slack = 1e-9
    if quantifier in AS_COUNTED:
        is_equal = abs(estimate) <= threshold + slack if 0 < threshold < 1 else abs(estimate - threshold) <= slack
        holds = {ALL: estimate >= threshold - slack, EXISTS: estimate >= threshold - slack, COUNTS: is_equal}
        return (SUPPORTED if holds.get(quantifier, estimate > 0) else NOT_SUPPORTED), ""
    if quantifier == NONE:
        yes, no = high < threshold - slack or high <= slack, low >= threshold + slack
    elif quantifier in BELOW:
        yes, no = high < threshold - slack, low >= threshold - slack
    elif quantifier == GENERAL:
        yes, no = low >= threshold - slack, high < threshold - slack
    else:
        yes, no = low > threshold + slack, high <= threshold + slack
    return (SUPPORTED, "") if yes else (NOT_SUPPORTED, "") if no else (CANNOT_SAY, "interval includes the threshold")


def judge_towns(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """Own verdicts, and for estimates Holm's family verdicts with simultaneous intervals, for the rows of one sub.

    The family is the towns of one claim and wave. A verdict of the family needs Holm's adjusted p below .05; the
    interval stored beside it is Bonferroni's, at 1 - .05/m for m towns judged.
    """
    quantifier, threshold = claim.rule_at("town")
    own = [judge(quantifier, threshold, *row) for row in facts[["estimate", "low", "high", "n"]].to_numpy(dtype=float)]
    verdict, reason = (np.array(words, dtype=object) for words in zip(*own, strict=True))
    family, low, high = verdict.copy(), facts["low"].to_numpy(copy=True), facts["high"].to_numpy(copy=True)
    tested = facts["low"].notna().to_numpy() & ~facts["method"].isin([COUNT, EXACT]).to_numpy()
    if tested.any() and quantifier not in AS_COUNTED:
        rows = facts[tested]
        above, below = p_above(rows, threshold)
        adjusted = holm(np.minimum(1.0, 2 * np.minimum(above, below)))
        is_met = (above < below) != (quantifier in BELOW)
        family[tested] = np.where(adjusted < 0.05, np.where(is_met, SUPPORTED, NOT_SUPPORTED), CANNOT_SAY)
        low[tested], high[tested] = limits(rows, 1 - 0.05 / len(rows))
    told = {"verdict": verdict, "own_reason": reason, "verdict_family": family, "low_family": low, "high_family": high}
    return facts.assign(**told)


def holm(p: Floats) -> Floats:
    """Holm's (1979) adjusted p values, missing ones left out of the family.

    As statsmodels' `multipletests(method="holm")`, which collects the whole memory's garbage at every call: for a hundred
    families that took longer than all estimates together.
    """
    adjusted, known = np.full(len(p), np.nan), np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = np.maximum.accumulate((len(order) - np.arange(len(order))) * p[order])
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def share_of_towns(claim: Claim, towns: pd.DataFrame) -> dict[str, Any]:
    """The county's fact for a claim about towns: the share that meet the rule, bounded by what the family can decide.

    `low` counts the towns that the family supports, `high` all that it does not refute.
    """
    quantifier, threshold = claim.rule_at("town")
    known = towns[towns["verdict_family"].isin([SUPPORTED, NOT_SUPPORTED]) | towns["estimate"].notna()]
    family, n = known["verdict_family"], len(known)
    by_value = [judge(quantifier, threshold, value, value, value)[0] for value in known["estimate"]]
    meets = (np.array(by_value, dtype=object) == SUPPORTED) | (known["verdict"] == SUPPORTED).to_numpy()
    counts = {"estimate": meets.sum(), "low": (family == SUPPORTED).sum(), "high": (family != NOT_SUPPORTED).sum()}
    shares = {name: count / n if n else np.nan for name, count in counts.items()}
    why = set(towns["reason"]) if towns["estimate"].isna().all() else {""}
    told = {"reason": why.pop() if len(why) == 1 else "", "remark": "", "reliability": "ok"}
    return {"place": COUNTY, **shares, "n": n, "method": COUNT, **told, "n_eff": np.nan, "df": np.nan, "deff": np.nan}


def judge_county(claim: Claim, fact: Mapping[str, Any]) -> dict[str, Any]:
    """The county's fact with its verdict; a claim about towns is supported only by towns that the family names."""
    quantifier, threshold = claim.rule_at(COUNTY)
    if claim.is_about_towns and quantifier == NEED:
        quantifier = SOME  # the need is shown where the family names a town that has it
    estimate = fact["low"] if claim.is_about_towns and quantifier == SOME else fact["estimate"]
    verdict, reason = judge(
        quantifier, threshold, *(float(v) for v in (estimate, fact["low"], fact["high"], fact["n"]))
    )
    if claim.is_about_towns and verdict == NOT_SUPPORTED and fact["high"] > 0 and quantifier == SOME:
        verdict, reason = CANNOT_SAY, "interval includes the threshold"
    remark = "understated" if quantifier == SOME and verdict == SUPPORTED and fact["low"] > 0.5 else fact["remark"]
    own = {"verdict": verdict, "own_reason": reason, "remark": remark}
    return {**fact, **own, "verdict_family": verdict, "low_family": fact["low"], "high_family": fact["high"]}


def judge_claim(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """The evidence rows of one claim: the parts that have a rule, those that have none, and the headline (part empty).

    `facts` holds the columns of an estimates frame with `part`, `period`, `wave`, `reason` and `remark`. The headline is judged
    for every town and the county; a part without a rule gets no verdict.
    """
    plain = replace(claim, town_quantifier="", town_threshold=None)
    rules = {
        part: replace(plain, quantifier=word, threshold=threshold) for part, (word, threshold) in claim.subs.items()
    } | {"": claim}
    blank = {"verdict": "", "verdict_family": "", "own_reason": "", "low_family": np.nan, "high_family": np.nan}
    tables = [judge_part(rule, facts[facts["part"] == part]) for part, rule in rules.items()]
    tables.insert(-1, facts[~facts["part"].isin(list(rules))].assign(**blank))
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def judge_part(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """The facts of one part with their verdicts, wave by wave. One without a value for want of a baseline says so."""
    rows = []
    for _, same in facts.groupby(["period", "wave"], sort=False):
        towns, county = same[same["place"] != COUNTY], same[same["place"] == COUNTY].to_dict("records")
        if len(towns):
            towns = judge_towns(claim, towns)
            rows += towns.to_dict("records")
            if claim.is_about_towns:
                county = [{**same.iloc[0], **share_of_towns(claim, towns)}]
        rows += [judge_county(claim, fact) for fact in county]
    if not rows:
        return facts
    table = pd.DataFrame(rows)
    if claim.quantifier == ALL:  # no failure was seen: its interval says how good that is
        perfect = table["verdict"].eq(SUPPORTED) & table["method"].eq(EXACT) & table["remark"].eq("")
        table["remark"] = table["remark"].mask(perfect, "lower_bound")
    unset = table["estimate"].isna() & (table["reason"] == NO_BASELINE)
    told = {"verdict": NO_BASELINE, "verdict_family": NO_BASELINE, "reason": "one wave or period"}
    return table.assign(**{name: table[name].mask(unset, value) for name, value in told.items()})
