"""Facts against their rule; refuses to call a claim proved while its interval touches the bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.claims.declared import ALL, COUNTS, EXISTS, FEW, GENERAL, LOW, NEED, NONE, SOME, TEXT, Claim
from huying.estimates import COUNT, COUNTY, EXACT, limits, p_above

Floats = npt.NDArray[np.float64]
BELOW = (LOW, FEW, NONE, NEED)  # supported by what lies below the bar
AS_COUNTED = (ALL, SOME, COUNTS, EXISTS, TEXT)  # decided by the value itself, not by its interval
SUPPORTED, NOT_SUPPORTED, CANNOT_SAY, NO_BASELINE = "supported", "not supported", "cannot say", "no baseline"


def judge(quantifier: str, bar: float, estimate: float, low: float, high: float, n: float = 1) -> tuple[str, str]:
    """The verdict and, for `cannot say`, its reason.

    AS_COUNTED are decided by the value: one counter-example refutes ALL, one example supports SOME, COUNT is equal to the
    bar (a bar between 0 and 1 is a tolerance, since counts are whole), EXISTS reaches it. The others need the whole interval
    on one side of the bar; a counted share has the interval [estimate, estimate].
    """
    if not n > 0:
        return CANNOT_SAY, "no eligible case"
    if np.isnan(estimate) or (quantifier not in AS_COUNTED and (np.isnan(low) or np.isnan(high))):
        return CANNOT_SAY, "not estimable"
    slack = 1e-9
    if quantifier in AS_COUNTED:
        is_equal = abs(estimate) <= bar + slack if 0 < bar < 1 else abs(estimate - bar) <= slack
        holds = {ALL: estimate >= bar - slack, EXISTS: estimate >= bar - slack, COUNTS: is_equal}
        return (SUPPORTED if holds.get(quantifier, estimate > 0) else NOT_SUPPORTED), ""
    if quantifier == NONE:
        yes, no = high < bar - slack or high <= slack, low >= bar + slack
    elif quantifier in BELOW:
        yes, no = high < bar - slack, low >= bar - slack
    elif quantifier == GENERAL:
        yes, no = low >= bar - slack, high < bar - slack
    else:
        yes, no = low > bar + slack, high <= bar + slack
    return (SUPPORTED, "") if yes else (NOT_SUPPORTED, "") if no else (CANNOT_SAY, "interval across the bar")


def judge_towns(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """Own verdicts, and for estimates Holm's family verdicts with simultaneous intervals, for the rows of one sub.

    The family is the towns of one claim and wave. A verdict of the family needs Holm's adjusted p below .05; the
    interval stored beside it is Bonferroni's, at 1 - .05/m for m towns judged.
    """
    quantifier, bar = claim.rule_at("town")
    own = [judge(quantifier, bar, *row) for row in facts[["estimate", "low", "high", "n"]].to_numpy(dtype=float)]
    verdict, reason = (np.array(words, dtype=object) for words in zip(*own, strict=True))
    family, low, high = verdict.copy(), facts["low"].to_numpy(copy=True), facts["high"].to_numpy(copy=True)
    tested = facts["low"].notna().to_numpy() & ~facts["method"].isin([COUNT, EXACT]).to_numpy()
    if tested.any() and quantifier not in AS_COUNTED:
        rows = facts[tested]
        above, below = p_above(rows, bar)
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
    quantifier, bar = claim.rule_at("town")
    known = towns[towns["verdict_family"].isin([SUPPORTED, NOT_SUPPORTED]) | towns["estimate"].notna()]
    family, n = known["verdict_family"], len(known)
    by_value = [judge(quantifier, bar, value, value, value)[0] for value in known["estimate"]]
    meets = (np.array(by_value, dtype=object) == SUPPORTED) | (known["verdict"] == SUPPORTED).to_numpy()
    counts = {"estimate": meets.sum(), "low": (family == SUPPORTED).sum(), "high": (family != NOT_SUPPORTED).sum()}
    shares = {name: count / n if n else np.nan for name, count in counts.items()}
    return {"place": COUNTY, **shares, "n": n, "method": COUNT}


def judge_county(claim: Claim, fact: Mapping[str, Any]) -> dict[str, Any]:
    """The county's fact with its verdict; a claim about towns is supported only by towns that the family names."""
    quantifier, bar = claim.rule_at(COUNTY)
    if claim.is_about_towns and quantifier == NEED:
        quantifier = SOME  # the need is shown where the family names a town that has it
    estimate = fact["low"] if claim.is_about_towns and quantifier == SOME else fact["estimate"]
    verdict, reason = judge(quantifier, bar, *(float(v) for v in (estimate, fact["low"], fact["high"], fact["n"])))
    if claim.is_about_towns and verdict == NOT_SUPPORTED and fact["high"] > 0 and quantifier == SOME:
        verdict, reason = CANNOT_SAY, "interval across the bar"
    understated = quantifier == SOME and verdict == SUPPORTED and fact["low"] > 0.5
    return {**fact, "verdict": verdict, "verdict_family": verdict, "own_reason": reason, "low_family": fact["low"],
            "high_family": fact["high"], "remark": "understated" if understated else fact.get("remark", "")}  # fmt: skip


def judge_claim(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """The evidence rows of one claim: each sub's facts, the headline (sub empty) judged for every town and the county.

    `facts` holds the columns of an estimates frame with `sub`, `period` and `wave`; only the headline and the parts that
    have a rule get a verdict. A fact without a value whose reason is `no baseline` gets that verdict.
    """
    head, subs = facts[facts["part"] == ""], facts[facts["part"] != ""]
    for sub, (quantifier, bar) in claim.subs.items():
        own = replace(claim, quantifier=quantifier, bar=bar, town_quantifier="", town_bar=None, subs={})
        part = subs[subs["part"] == sub]
        if len(part):
            judged = judge_claim(own, part.assign(part="")).assign(part=sub)
            rest, others = replace(claim, subs={k: v for k, v in claim.subs.items() if k != sub}), facts["part"] != sub
            return pd.concat([judged, judge_claim(rest, facts[others])], ignore_index=True) if others.any() else judged
    parts = []
    if len(subs):
        parts = [subs.assign(verdict="", verdict_family="", own_reason="", low_family=np.nan, high_family=np.nan)]
    for _, same in head.groupby(["period", "wave"], sort=False):
        towns, county = same[same["place"] != COUNTY], same[same["place"] == COUNTY]
        judged = judge_towns(claim, towns) if len(towns) else towns
        if claim.is_about_towns and len(towns):
            why = set(towns.get("reason", [""])) if towns["estimate"].isna().all() else {""}
            first = {**same.iloc[0], **dict.fromkeys(("n_eff", "df", "deff"), np.nan), "reliability": "ok"}
            first |= {"remark": "", "reason": why.pop() if len(why) == 1 else ""}
            county = pd.DataFrame([first | share_of_towns(claim, judged)])
        rows = [judge_county(claim, fact) for fact in county.to_dict("records")]
        parts += [judged, pd.DataFrame(rows)] if rows else [judged]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if claim.quantifier == ALL and "remark" in table:  # no failure was seen: its interval says how good that is
        perfect = table["verdict"].eq(SUPPORTED) & table["method"].eq(EXACT) & table["remark"].eq("")
        table = table.assign(remark=table["remark"].mask(perfect, "lower_bound"))
    if "reason" not in table:
        return table.assign(reason="")
    unset = (table["verdict"] != "") & table["estimate"].isna() & (table["reason"] == NO_BASELINE)
    told = {"verdict": NO_BASELINE, "verdict_family": NO_BASELINE, "reason": "one wave or period"}
    return (
        table.assign(**{name: table[name].mask(unset, value) for name, value in told.items()}) if unset.any() else table
    )


def is_problem(row: Mapping[str, Any], claim: Claim) -> bool:
    """Whether the row's verdict is the one that means a problem."""
    return str(row["verdict"]) == claim.problem_if
