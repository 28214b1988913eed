"""The specifications of each headline claim: every combination of choices that alters its data; refuses one that alters nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying import clocks
from huying.errors import EstimateError
from huying.estimates import COUNTY, Design, estimate_means, estimate_shares, with_weights
from huying.problems import agencies, calls, parallel
from huying.problems.facts import Found, Study, counted
from huying.samples import Sample, age_groups, margin_totals, resident_sample, sex_groups, staff_sample
from huying.weights import rake_towns
from huying.workdays import Rule

Floats = npt.NDArray[np.float64]
Varied = Iterator[tuple[dict[str, str], pd.DataFrame]]  # choices with wave or period, and the facts that they give
DECLARED, LEFT_OUT, AS_NO, AS_YES = "as declared", "left out", "as no", "as yes"
SILENT = ("refused", "does_not_know", "blank")  # asked, and no answer
RULES = tuple(itertools.product(("next", "same"), ("17:30", "24:00"), ("24:00", "17:30")))


# --- surveys ----------------------------------------------------------------------------------------------------------


def flagged(study: Study, form: str, wave: str) -> Iterator[tuple[str, Sample]]:
    """The sample without the flagged forms, and with them where that is another sample that can be weighted."""
    yield "excluded", study.samples[form, wave]
    try:
        if form == "resident":
            whole = resident_sample(study.cleaned, study.county, study.book, wave, exclude=())
        else:
            whole = staff_sample(study.cleaned, replace(study.county, exclude=()), wave)
    except EstimateError:
        return
    if len(whole.rows) > len(study.samples[form, wave].rows):
        yield "kept", whole


def weightings(study: Study, sample: Sample) -> Iterator[tuple[str, Design]]:
    """The sample's own weights; post-stratified ones where the county has margins; and none."""
    own = "raked" if sample.design.margins else "base"
    yield own, sample.design
    if own == "raked":
        yield "cell", cell_design(study, sample)
    yield "none", with_weights(sample.design, np.ones(len(sample.rows)))


def cell_design(study: Study, sample: Sample) -> Design:
    """The design post-stratified to sex x age within each town.

    Nobody counts that table, so its cells are town x sex times town x age over the town's adults. Sexes meet at one end of
    the order (men young to old, women old to young): a cell with fewer than 5 answers joins the nearest of its own sex.
    """
    towns, margins = study.towns, study.cleaned.ledger("margins")
    roles = {item.role: item.id for item in study.book.form("resident") if item.role in ("sex", "age")}
    (sexes, by_sex), (ages, by_age) = (margin_totals(margins, towns, item) for item in ("sex", "age"))
    sex, age = sex_groups(sample.rows, roles["sex"], sexes), age_groups(sample.rows, roles["age"], ages)
    k = len(ages)
    cell = np.where((sex < 0) | (age < 0), -1, k * sex + np.where(sex % 2 == 0, age, k - 1 - age))
    pairs = by_sex[:, :, None] * by_age[:, None, :] / by_age.sum(axis=1)[:, None, None]
    pairs[:, 1::2] = pairs[:, 1::2, ::-1]
    base = sample.design.weight if sample.design.base is None else sample.design.base
    total = {"cell": pairs.reshape(len(towns), -1)}
    made = rake_towns(sample.design.stratum, base, {"cell": cell}, total, list(towns["town_id"]), (0.0, np.inf))
    return replace(sample.design, weight=made.weight, margins=made.margins, base=base)


def silent(sample: Sample, cell: str) -> npt.NDArray[np.bool_]:
    """Who was asked and gave no answer."""
    return np.asarray(sample.rows[f"{cell}_missing"].isin(SILENT), dtype=bool)


def answering(sample: Sample, cell: str, answer: Any) -> Sample:
    """The sample in which those who gave no answer gave `answer` (one, or one a person); None leaves all of them out."""
    who = silent(sample, cell)
    value, why = sample.rows[cell].astype("Float64"), sample.rows[f"{cell}_missing"].astype(object)
    rows = sample.rows.assign(**{
        cell: value if answer is None else value.mask(who, pd.Series(answer, index=value.index, dtype="Float64")),
        f"{cell}_missing": why.mask(who, "blank" if answer is None else None),
    })  # fmt: skip
    return replace(sample, rows=rows)


def distinct(ways: Mapping[str, Floats]) -> dict[str, Floats]:
    """The ways whose values differ from those of every way before them."""
    kept: dict[str, Floats] = {}
    for name, value in ways.items():
        if not any(np.array_equal(value, other, equal_nan=True) for other in kept.values()):
            kept[name] = value
    return kept


def of_residents(study: Study, claim: str) -> Varied:
    """P16 and P17: towns and county, by flags, weights and missing answers."""
    cell, no, indicator = {"P16": ("R09", 4, parallel.aware), "P17": ("R15", 2, parallel.first_old)}[claim]
    fewest = study.county.thresholds["fewest_residents"]
    for wave in study.waves("resident"):
        for flags, sample in flagged(study, "resident", wave):
            ways = {LEFT_OUT: None, AS_NO: no, AS_YES: 1}
            read = {DECLARED: indicator(sample)} | {
                way: indicator(answering(sample, cell, a)) for way, a in ways.items()
            }
            chosen = pd.DataFrame(distinct(read))
            for weights, design in weightings(study, sample):
                shares = estimate_shares(design, chosen, wave=wave, fewest=fewest)
                for missing in chosen.columns:
                    choice = {"wave": wave, "flags": flags, "weights": weights, "missing": str(missing)}
                    yield choice, shares[shares["indicator"] == missing]


def quiz_ways(study: Study, sample: Sample) -> dict[str, Floats]:
    """Each person's quiz score with the questions left unanswered out of it, all wrong, or all right."""
    rows = parallel.KEYED if study.cleaned.ledger("org_map") is not None else {}
    cells = ["S07a", "S07b", *(f"S07c_{row}" for row in rows)]
    out = sample
    for cell in cells:
        out = answering(out, cell, None)
    known = np.sum([sample.asked(cell) for cell in cells], axis=0)
    empty = np.sum([silent(sample, cell) for cell in cells], axis=0)
    with np.errstate(invalid="ignore"):
        right = np.nan_to_num(parallel.quiz(study, out)) * known
        scores = {LEFT_OUT: right / known, AS_NO: right / (known + empty), AS_YES: (right + empty) / (known + empty)}
    return {DECLARED: parallel.quiz(study, sample), **scores}


def of_quiz(study: Study, claim: str) -> Varied:
    """P15: the county, by flags, weights and missing answers."""
    fewest = study.county.thresholds["fewest_staff"]
    for wave in study.waves("staff"):
        for flags, sample in flagged(study, "staff", wave):
            scores = pd.DataFrame(distinct(quiz_ways(study, sample)))
            for weights, design in weightings(study, sample):
                means = estimate_means(design, scores, wave=wave, fewest=fewest)
                for missing in scores.columns:
                    choice = {"wave": wave, "flags": flags, "weights": weights, "missing": str(missing)}
                    yield choice, means[(means["indicator"] == missing) & (means["place"] == COUNTY)]


def of_calling(study: Study, claim: str) -> Varied:
    """P32: the county, by flags and missing answers; weights are equal within a town, so they cannot alter it."""
    timed = calls.timed_calls(study)
    for wave in study.waves("staff"):
        for flags, sample in flagged(study, "staff", wave):
            needed = sample.column("S14")
            ways = {DECLARED: sample, AS_NO: answering(sample, "S15", 0), AS_YES: answering(sample, "S15", needed)}
            for missing in distinct({way: varied.column("S15") for way, varied in ways.items()}):
                scratch = Found()
                calls.propensity(replace(study, samples={("staff", wave): ways[missing]}), scratch, timed, wave)
                yield {"wave": wave, "flags": flags, "missing": missing}, headline(scratch, claim)


# --- ledgers ----------------------------------------------------------------------------------------------------------


def headline(found: Found, claim: str) -> pd.DataFrame:
    """The headline's facts of a claim."""
    facts = found.frame()
    return facts[(facts["claim"] == claim) & (facts["sub"] == "")]


def of_calls(study: Study, claim: str) -> Varied:
    """B07 to B09: the county, by clock and by calls whose time is not recorded (B09: calls too young to be late)."""
    own = study.county.clock
    rules = [(own.count_from, own.cutoff or "24:00", own.day_ends)]
    rules += [rule for rule in RULES if rule not in rules] if claim != "B09" else []
    for rule in rules:
        timed = calls.timed_calls(replace(study, county=replace(study.county, clock=Rule(*rule))))
        for period, part in timed.groupby("period") if timed is not None else ():
            for missing, hit in distinct(call_ways(part, claim)).items():
                done, known = np.nansum(hit), np.isfinite(hit).sum()
                choice = {"period": str(period), "clock": " ".join(rule), "missing": missing}
                yield choice, counted([COUNTY], [done], [known], reason="no eligible call")


def call_ways(timed: pd.DataFrame, claim: str) -> dict[str, Floats]:
    """1, 0 and missing for each call: as declared, and with the calls that are not known to have failed out, failed or done."""
    hit, old = calls.RATES[claim]
    declared = clocks.eligible(timed, hit, old)
    counts = clocks.eligible(timed.assign(all=True), "all", old).notna()
    if claim == "B09":
        unknown = counts & ~timed["is_closed"] & ~timed["old_enough_5"]
    elif claim == "B08":
        unknown = counts & timed["is_closed"] & (timed["closed_at"].isna() | timed["feedback_at"].isna())
    else:
        unknown = counts & timed["responded_at"].isna()
    unknown &= declared.notna().any()  # a ledger that never records the time says nothing of any call
    ways = {DECLARED: declared, **{way: declared.mask(unknown, to) for way, to in ((LEFT_OUT, pd.NA), (AS_NO, False), (AS_YES, True))}}  # fmt: skip
    return {way: flag.to_numpy(dtype=float, na_value=np.nan) for way, flag in ways.items()}


def of_ledger(study: Study, claim: str) -> Varied:
    """P13 and P23: the county, with what was not found or is not known out, or counted against the claim or for it."""
    table, column, unknown, ways, finder = LEDGERS[claim]
    for way, to in {DECLARED: unknown, **ways}.items():
        ledgers = dict(study.cleaned.ledgers)
        for key in [key for key in ledgers if key[0] == table]:
            rows = ledgers[key]
            is_open = (rows[column] == unknown) | rows[column].isna()
            ledgers[key] = rows[~is_open] if to is None else rows.assign(**{column: rows[column].mask(is_open, to)})
            if way != DECLARED and not is_open.any():
                del ledgers[key]
        scratch = Found()
        finder(replace(study, cleaned=replace(study.cleaned, ledgers=ledgers)), scratch)
        facts = headline(scratch, claim)
        for period, rows in facts.groupby("period", sort=False):
            shown = rows if claim == "P13" else rows[rows["place"] == COUNTY]
            yield {"period": str(period), "missing": way}, shown


LEDGERS: Mapping[str, tuple[str, str, str, Mapping[str, str | None], Callable[[Study, Found], None]]] = {
    "P13": ("unit_check", "in_use", "none", {AS_NO: "new", AS_YES: "old"}, parallel.unit_check),
    "P23": ("agency_events", "consulted", "unknown", {LEFT_OUT: None, AS_NO: "oral", AS_YES: "none"}, agencies.p23),
}
CURVES: Mapping[str, Callable[[Study, str], Varied]] = {
    "P16": of_residents, "P17": of_residents, "P15": of_quiz, "P13": of_ledger, "P32": of_calling,
    "B07": of_calls, "B08": of_calls, "B09": of_calls, "P23": of_ledger,
}  # fmt: skip
