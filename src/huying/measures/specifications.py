"""How far a verdict hangs on choices that could have been made otherwise; refuses to count a choice that alters nothing.

A specification is one combination of choices: flagged forms left out or kept, how forms are weighted, the clock, what
becomes of missing answers, and the threshold five points up or down (Simonsohn, Simmons and Nelson 2020). No specification
is better than another, and none replaces the rule that was declared.
"""

from collections.abc import Iterator
from dataclasses import astuple, replace

import numpy as np
import pandas as pd

from huying.claims.declared import Claim, with_threshold
from huying.claims.rules import judge_claim
from huying.counted import counted, values
from huying.counties import County
from huying.derived import holds, read_rule
from huying.design import Design, with_weights
from huying.estimates import COUNTY, estimate_shares
from huying.intervals import Bools, Floats
from huying.survey import Survey
from huying.waiting import CLOCKS, time_calls
from huying.weights import margin_items, margin_totals, rake_towns
from huying.words import EstimateError

CHOICES = ("flags", "weights", "clock", "missing", "threshold")
STEP = 0.05
DECLARED, LEFT_OUT, AS_NO, AS_YES = "as declared", "left out", "as no", "as yes"
SILENT = ("refused", "does_not_know", "blank")  # asked, and no answer
WHERE, SAME = ["wave", "period"], ["place", "wave", "period"]
NUMBERS = ("estimate", "low", "high", "n")


# --- the choices ------------------------------------------------------------------------------------------------------


def vary_survey(county: County, survey: Survey, variable: str) -> pd.DataFrame:
    """The shares of a derived variable by town and county under each choice of flags, weights and missing answers.

    Columns of an estimate frame, and flags, weights, missing; the first specification is the one that was declared.
    """
    parts = []
    for flags, sample in _flagged(county, survey):
        chosen = _ways(sample.answers.numbers(variable), _silent(sample, variable))
        for weights, design in _weightings(county, sample):
            made = estimate_shares(design, pd.DataFrame(chosen), wave=survey.wave, fewest=survey.fewest)
            parts.append(made.rename(columns={"indicator": "missing"}).assign(flags=flags, weights=weights))
    return pd.concat(parts, ignore_index=True).assign(period="", clock="")


def _flagged(county: County, survey: Survey) -> Iterator[tuple[str, Survey]]:
    """The survey without the flagged forms, and with them where that is another sample that can be weighted."""
    yield "excluded", survey
    try:
        whole = county.survey(survey.form, survey.wave, exclude=())
    except EstimateError:
        return
    if len(whole.frame) > len(survey.frame):
        yield "kept", whole


def _silent(survey: Survey, variable: str) -> Bools:
    """Who was asked what a derived variable rests on, and gave no answer."""
    if variable in survey.unasked:
        return np.zeros(len(survey.frame), dtype=bool)
    declared, scope = survey.derived[variable], survey.open_scope()
    silent = [survey.missing(name).isin(SILENT) for name in read_rule(declared.when, scope).columns]
    return np.asarray(np.logical_or.reduce(silent) & holds(declared.base, survey.answers, scope))


def _ways(own: Floats, silent: Bools) -> dict[str, Floats]:
    """Values as declared, and with the silent ones left out, counted as no, or as yes, where that differs from every way before."""
    kept = {DECLARED: own}
    for way, value in ((LEFT_OUT, np.nan), (AS_NO, 0.0), (AS_YES, 1.0)):
        tried = np.where(silent, value, own)
        kept |= {} if any(np.array_equal(tried, other, equal_nan=True) for other in kept.values()) else {way: tried}
    return kept


def _weightings(county: County, survey: Survey) -> Iterator[tuple[str, Design]]:
    """The sample's own weights; post-stratified ones where the county has margins; and none."""
    yield "raked" if survey.design.margins else "base", survey.design
    if len(survey.design.margins) > 1:
        yield "cell", _by_cell(county, survey)
    yield "none", with_weights(survey.design, np.ones(len(survey.frame)))


def _by_cell(county: County, survey: Survey) -> Design:
    """The design post-stratified to sex x age within each town.

    Nobody counts that table, so its cells are town x sex times town x age over the town's adults. Sexes meet at one end of
    the order (men young to old, women old to young): a cell with fewer than 5 answers joins the nearest of its own sex.
    """
    towns, margins = county.towns, county.ledger("margins")
    items = margin_items(county.book)
    (sexes, by_sex), (ages, by_age) = (margin_totals(margins, towns, items[role]) for role in ("sex", "age"))
    pairs = zip(("sex_group", "age_group"), (sexes, ages), strict=True)
    sex, age = (pd.Categorical(survey.frame[column], categories=names).codes.astype(int) for column, names in pairs)
    k = len(ages)
    cell = np.where((sex < 0) | (age < 0), -1, k * sex + np.where(sex % 2 == 0, age, k - 1 - age))
    table = by_sex[:, :, None] * by_age[:, None, :] / by_age.sum(axis=1)[:, None, None]
    table[:, 1::2] = table[:, 1::2, ::-1]
    design, total = survey.design, {"cell": table.reshape(len(towns), -1)}
    return rake_towns(design, {"cell": cell}, total, (0.0, np.inf))[0]


def vary_clock(county: County, calls: pd.DataFrame, flag: str, moment: str) -> pd.DataFrame:
    """The county's share of `flag` among calls under each clock, and with calls whose `moment` is not recorded out, no or yes.

    `calls` as `county.ledger` gives them, with `as_of`; columns as of `vary_survey`, clock instead of flags and weights.
    """
    parts = []
    for rule in dict.fromkeys([county.declared.clock, *CLOCKS]):
        timed, clock = time_calls(calls, rule, county.calendar, calls["as_of"]), " ".join(map(str, astuple(rule)))
        for period, part in timed.groupby("period"):
            declared = part[flag].astype("boolean").to_numpy(dtype=float, na_value=np.nan)
            silent = (part["status"] != "withdrawn") & part["is_answer_due"] & part[moment].isna()
            for missing, hit in _ways(declared, silent.to_numpy(dtype=bool) & np.isfinite(declared).any()).items():
                row = counted([COUNTY], [np.nansum(hit)], [np.isfinite(hit).sum()], reason="no eligible call")
                parts.append(row.assign(period=str(period), clock=clock, missing=missing))
    empty = counted([], [], []).assign(period="", clock="", missing="")
    return pd.concat(parts or [empty], ignore_index=True).assign(wave="", flags="", weights="")


# --- their verdicts ---------------------------------------------------------------------------------------------------


def judge_all(claim: Claim, tried: pd.DataFrame) -> pd.DataFrame:
    """Each specification at the threshold and five points below and above: place, wave, period, CHOICES, estimate, low, high, n, verdict, is_headline.

    The first specification of each wave or period is the headline's. A claim about towns gives the county's row alone.
    """
    own, declared = replace(claim, subs={}), claim.rule_at("town")[1]
    keys, parts = [*WHERE, *CHOICES[:-1]], [pd.DataFrame(columns=[*WHERE, *CHOICES, "place", *NUMBERS, "verdict"])]
    for choice, facts in tried.groupby(keys, sort=False):
        for threshold in (round(declared + step, 9) for step in (0.0, -STEP, STEP)):
            if 0 < threshold <= 1:
                given = dict(zip(keys, choice, strict=True)) | {"threshold": threshold}
                judged = judge_claim(with_threshold(own, threshold), facts.assign(part="", remark=""))
                rows = (judged["place"] == COUNTY) | (not claim.is_about_towns)
                parts.append(judged.loc[rows, ["place", *NUMBERS, "verdict"]].assign(**given))
    judged = pd.concat(parts[1:] or parts, ignore_index=True)
    head = judged.groupby(WHERE)[[*CHOICES]].transform("first")
    return judged.assign(is_headline=(judged[[*CHOICES]] == head).all(axis=1))


def standing(judged: pd.DataFrame) -> pd.DataFrame:
    """By place, the share of specifications that keep the headline's verdict, and their number n, as rows for `judge`.

    A place whose headline has no value is left out: nothing stands or falls there.
    """
    head = judged.loc[judged["is_headline"] & judged["estimate"].notna(), [*SAME, "verdict"]]
    both = judged.merge(head, on=SAME, suffixes=("", "_head"))
    kept = (both["verdict"] == both["verdict_head"]).groupby([both[name] for name in SAME], sort=False)
    table = kept.agg(share="mean", n="size").reset_index()
    return values(table["place"], table["share"], table["n"], wave=table["wave"], period=table["period"])


def turning(judged: pd.DataFrame) -> pd.DataFrame:
    """place, wave, period, choice, n_changed, n_compared, most often turning first within a place.

    Each specification is compared with the one that differs from it in that choice alone, which there is the headline's.
    """
    at = judged[WHERE].join(judged.loc[judged["is_headline"], [*WHERE, *CHOICES]].groupby(WHERE).first(), on=WHERE)
    parts = []
    for choice in CHOICES:
        is_own = (judged[choice] == at[choice]).to_numpy()
        keys = [*SAME, *(name for name in CHOICES if name != choice)]
        both = judged[~is_own].merge(judged.loc[is_own, [*keys, "verdict"]], on=keys, suffixes=("", "_own"))
        changed = (both["verdict"] != both["verdict_own"]).groupby([both[name] for name in SAME], sort=False)
        parts.append(changed.agg(n_changed="sum", n_compared="size").reset_index().assign(choice=choice))
    order = {"by": [*SAME, "n_changed"], "ascending": [*[True] * len(SAME), False], "kind": "stable"}
    return pd.concat(parts).sort_values(**order, ignore_index=True)[[*SAME, "choice", "n_changed", "n_compared"]]
