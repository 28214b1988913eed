"""A county's cleaned forms opened as surveys: named columns, weights, derived variables; refuses a form nobody knows."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from huying.census import FEWEST, FEWEST_TOWNS, Census
from huying.clean.flags import RULES
from huying.clean.intake import county_lists
from huying.codebook import Codebook, Lists, house_codebook, name_answers, scope_of
from huying.derived import Derived, read_rule
from huying.errors import EstimateError
from huying.estimates import Design, with_weights
from huying.folder import FORMS, County as Declared
from huying.ledgers import TABLES
from huying.prepare import derived_of
from huying.samples import SEXES, Sample, analysed, resident_sample, staff_sample
from huying.store import Cleaned
from huying.survey import NOT_ASKED, NOT_THIS_WAVE, Survey
from huying.waiting import time_calls
from huying.words import say
from huying.workdays import calendar

if TYPE_CHECKING:
    from huying.counties import County

SAMPLED = {"resident": "fewest_residents", "staff": "fewest_staff"}
WEIGHTS = ("raked", "none")
# In their order, where that is no sorted one.
GROUPS: Mapping[str, Sequence[str]] = {"age_group": (), "sex_group": SEXES}
FRAME = ("town", "village", "wave", "weight", "flags", "interviewer", "submitted_at", "seconds")
OWN = ("interviewer_id", "submitted_at", "seconds")  # columns of a cleaned form that keep their names
OFFICES = 3  # of a town, whose holders are asked as its leaders: secretary, mayor, organisation officer
HIDDEN = "leader"  # the form whose people are known by their town


def open_survey(county: "County", form: str, wave: str, exclude: Sequence[str] | None, weights: str) -> Survey:
    """One form of one wave, a frame of its own; empty with its columns where it was not asked. Raises EstimateError."""
    if form not in FORMS:
        raise EstimateError("surveys.no_form", form=form, known=", ".join(FORMS))
    if weights not in WEIGHTS:
        raise EstimateError("surveys.no_weights", got=weights, known=", ".join(WEIGHTS))
    if strange := [flag for flag in exclude or () if flag not in RULES]:
        raise EstimateError("surveys.no_flag", flag=strange[0], known=", ".join(RULES))
    asked = county.waves(form)
    left_out = county.declared.exclude if exclude is None else tuple(exclude)
    key = form, wave or (asked[-1] if asked else ""), left_out, weights
    if key not in county.surveys_made:
        county.surveys_made[key] = _build(county, *key)
    made = copy.copy(county.surveys_made[key])
    made.frame, made.derived = made.frame.copy(), dict(made.derived)
    made.__post_init__()
    return made


def _build(county: "County", form: str, wave: str, exclude: tuple[str, ...], weights: str) -> Survey:
    rows, sample, absent = _rows(county, form, wave, exclude)
    items = list(county.book.form(form))
    if form == HIDDEN:
        items = [item for item in items if item.role != "town" and item.options_from != "towns"]
    registers = {table: frame for (table, _), frame in county.cleaned.ledgers.items()}
    lists: Lists = {name: [(code, key) for code, key, _ in listed] for name, listed in county_lists(registers).items()}
    answers, reasons = name_answers(rows, items, lists)
    design = sample.design if sample else _everybody(rows, county.town_ids if form in SAMPLED else ["all"])
    if weights == "none":
        design = with_weights(design, np.ones(len(rows)))
    frame = pd.concat([_own_columns(county, rows, design, form), answers], axis=1)
    ids = pd.Index(range(len(rows)) if form == HIDDEN else rows["row_id"], name="row_id").astype(str)
    frame.index, reasons.index = ids, ids
    groups = {name: order or sorted(frame[name].dropna().unique()) for name, order in GROUPS.items() if name in frame}
    scope = scope_of([item for item in items if set(item.columns) <= set(answers)], lists, groups)
    asked = {name for item in items for name in (item.name, *item.columns)}
    house = [name for item in house_codebook().form(form) for name in (item.name, *item.columns)]
    made: dict[str, Any] = {"wave": "" if absent == NOT_ASKED else wave, "book": county.book, "scope": scope}
    made |= {"derived": {}, "reasons": reasons, "labels": county.key, "absent": absent}
    made |= {"fewest": county.declared.thresholds[SAMPLED[form]] if form in SAMPLED else FEWEST}
    made |= {"weighting": sample.diagnostics if sample else pd.DataFrame()}
    made |= {"lacking": tuple(dict.fromkeys(name for name in house if name not in asked))}
    if form in SAMPLED:
        survey = Survey(frame, design, form, **made)
    else:
        town = pd.Series(rows["town_id"].to_numpy(), index=ids, dtype="string")
        due = {HIDDEN: dict.fromkeys(county.town_ids, OFFICES)}.get(form, {"": len(county.departments)})
        survey = Census(frame, design, form, **made, _town=town, _due=pd.Series(due, dtype=float))
    _derive(survey, *derived_of(county.declared))
    return survey


def _rows(county: "County", form: str, wave: str, exclude: tuple[str, ...]) -> tuple[pd.DataFrame, Sample | None, str]:
    """The rows that are analysed, as a sample where they are one, and why there are none."""
    waves = county.waves(form)
    if wave not in waves:
        empty = county.cleaned.forms[form].iloc[:0] if waves else _no_rows(county, form)
        return empty, None, NOT_THIS_WAVE if waves else NOT_ASKED
    if form in SAMPLED:
        here, when = (county.cleaned, county.declared), (wave, exclude)
        sample = staff_sample(*here, *when) if form == "staff" else resident_sample(*here, county.book, *when)
        return sample.rows, sample, ""
    rows = analysed(county.cleaned, form, wave, exclude)
    if form != HIDDEN:
        return rows, None, ""
    if len(rows) < FEWEST or rows["town_id"].nunique() < FEWEST_TOWNS:
        return rows.iloc[:0], None, "too few answers"
    # In an order that tells nothing: an export has each town's leaders beside each other.
    order = rows["row_id"].map(lambda one: sha256(str(one).encode()).hexdigest())
    return rows.loc[order.sort_values().index].reset_index(drop=True), None, ""


def _no_rows(county: "County", form: str) -> pd.DataFrame:
    """No answer at all, with the columns that the form would have."""
    names = ["row_id", "town_id", "village_id", "wave", *OWN]
    for item in county.book.form(form):
        names += [*item.variables, *(f"{cell}_missing" for cell in item.cells)]
    return pd.DataFrame({name: pd.Series(dtype="object") for name in names})


def _everybody(rows: pd.DataFrame, places: Sequence[str]) -> Design:
    """A design without a sample: a census, or nobody at all."""
    n, all_of_them = len(rows), np.zeros(len(places))
    all_of_them[0] = max(n, 1)
    return Design(np.zeros(n, dtype=np.int64), np.arange(n, dtype=np.int64), np.ones(n), tuple(places), all_of_them)


def _own_columns(county: "County", rows: pd.DataFrame, design: Design, form: str) -> pd.DataFrame:
    """The columns before the answers: where and when, weight, flags. Leaders' and departments' forms have no town."""
    flags = county.cleaned.flags[county.cleaned.flags["row_id"].isin(rows["row_id"])]
    marks = flags.groupby("row_id")["flag"].agg(lambda names: ", ".join(sorted(set(names))))
    columns: dict[str, Any] = {}
    if form in SAMPLED:
        columns |= {"town": rows["town_id"].astype("string"), "village": rows["village_id"].astype("string")}
    columns |= {"wave": rows["wave"].astype("string"), "weight": design.weight}
    columns |= {"flags": rows["row_id"].map(marks).astype("string").fillna("")}
    if form == "resident":  # missing throughout where no margins say which groups there are
        columns |= {name: rows.get(name, pd.Series(pd.NA, rows.index)).astype("string") for name in GROUPS}
    columns |= {name.removesuffix("_id"): rows[name] for name in OWN if form in SAMPLED and name in rows}
    return pd.DataFrame(columns, index=rows.index)


def _derive(survey: Survey, own: Mapping[str, Derived], house: Mapping[str, Derived]) -> None:
    """Add the derived variables of the form: the county's own must be readable; the house's may rest on what was not asked."""
    unasked = {}
    for variables, must in ((own, True), (house, False)):
        for variable in (one for one in variables.values() if one.form == survey.form):
            try:
                survey._add(variable)
            except EstimateError as error:
                if must or error.key not in ("derived.unknown_name", "derived.unknown_option", "derived.no_key"):
                    raise
                unasked[variable.name] = variable
                survey.frame[variable.name] = pd.Series(pd.NA, survey.frame.index, dtype=variable.kind)
    survey.unasked, survey.declared = unasked, {**survey.derived, **unasked}
    survey._made |= set(survey.frame.columns)


def check_variables(declared: Declared, book: Codebook, ledgers: Mapping[tuple[str, str], pd.DataFrame]) -> None:
    """Raise EstimateError for an own variable whose rule cannot be read with the questions, and the variables, before it."""
    registers = {table: frame for (table, _), frame in ledgers.items()}
    lists: Lists = {name: [(code, key) for code, key, _ in listed] for name, listed in county_lists(registers).items()}
    own, _ = derived_of(declared)
    for form in {variable.form for variable in own.values()} & {survey.form for survey in declared.surveys}:
        scope = scope_of(book.form(form), lists, {"age_group": (), "sex_group": SEXES, **dict.fromkeys(FRAME, ())})
        for variable in (one for one in own.values() if one.form == form):
            for rule in filter(None, (variable.when, variable.base)):
                read_rule(rule, scope)
            scope = replace(scope, options={**scope.options, variable.name: ()})


# --- what the files do not bear out -----------------------------------------------------------------------------------

COLUMNS = ("source", "place", "is_fault", "note")
TOLD = 5  # calls that are named one by one


def find_shortfalls(cleaned: Cleaned, county: Declared, book: Codebook) -> pd.DataFrame:
    """A row a town and form, or a ledger of calls: `note` in words; `is_fault` where the file must be put right.

    The run goes on without what is named: the town is not weighted, its list counts as endless, the call is too young.
    """
    rows = []
    for form in ("resident", "staff"):
        for wave in sorted(cleaned.forms[form]["wave"].unique()) if form in cleaned.forms else ():
            how = (cleaned, county, book, wave) if form == "resident" else (cleaned, county, wave)
            try:
                told = (resident_sample if form == "resident" else staff_sample)(*how).diagnostics
            except EstimateError as error:
                rows.append((form, wave, True, error.say()))
                continue
            for one in told[told["note"] != ""].to_dict("records"):
                rows.append((f"{form} {wave}", one["place"], one["remark"] != "", one["note"]))
    for (table, period), calls in cleaned.ledgers.items():
        if table == "calls" and period in county.periods:
            days, taken = calendar(county.calendar, county.calendar_file), pd.Timestamp(county.periods[period].as_of)
            late = calls.loc[time_calls(calls, county.clock, days, taken)["is_deadline_unknown"], "call_id"]
            if len(late):
                note = say("workdays.unknown_deadlines", n=len(late), calls=", ".join(late.astype(str)[:TOLD]))
                rows.append((f"{TABLES[table].title()} {period}", "county", False, note))
    return pd.DataFrame(rows, columns=list(COLUMNS))
