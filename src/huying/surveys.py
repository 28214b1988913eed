"""A county's cleaned forms opened as surveys: named columns, weights, derived variables; refuses a form nobody knows.

A small census (leaders, departments) gives the county's figures alone, bounded by those who did not answer. Leaders are known
by their town: no table, chart or number tells what those of one town said.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from huying.clean.flags import RULES
from huying.clean.intake import county_lists
from huying.codebook import Codebook, Lists, house_codebook, name_answers, scope_of
from huying.counted import bounded, unsaid, values
from huying.derived import Derived, read_rule
from huying.design import Design, with_weights
from huying.estimates import COUNTY
from huying.folder import FORMS, County as Declared
from huying.ledgers import TABLES
from huying.prepare import derived_of
from huying.store import Cleaned
from huying.survey import NOT_ASKED, NOT_THIS_WAVE, Estimator, Parts, Survey
from huying.survey_frame import as_list
from huying.waiting import time_calls
from huying.weights import SEXES, Sample, analysed, resident_sample, staff_sample
from huying.words import EstimateError, say
from huying.workdays import calendar

FEWEST, FEWEST_TOWNS = 5, 3  # a county's figure that rests on fewer people, or on fewer towns, would tell of them
BLANK = dict.fromkeys(("se", "n_eff", "df", "deff"), np.nan)


def _refuse(what: str) -> Any:
    """A method that says why it is refused: a census has no sampling error to test."""

    def refused(self: Survey, *_: Any, **__: Any) -> Any:
        raise EstimateError("survey.no_sample", form=say(f"survey.{self.form}"), what=what)

    return refused


@dataclass(repr=False)
class Census(Survey):
    """Everybody was asked: counts without sampling error, bounded by who did not say.

    `_town` is each person's town and is never shown; leaders' rows stand in no order and bear no row of a file. `_due` is
    how many forms each town (or all together) should have sent: of those that did not come nothing is known.
    """

    _town: pd.Series = field(default_factory=lambda: pd.Series(dtype="string"))
    _due: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    def share(
        self, columns: Any, by: Any = "town", where: str = "", pooled: str = "", population: int = 0
    ) -> pd.DataFrame:
        """Shares among those who said, the county alone: low counts those who did not say as no, high as yes.

        Those who sent no form did not say either. `pooled` names the answers of several columns taken as one list, such as
        ratings of five agencies. `population`: how many there are in the base, where that is known better than by who is
        known to lie outside it. Raises EstimateError for a town and for what is no share.
        """
        count = partial(self._shares, pooled=pooled, population=population) if pooled or population else self._shares
        made = self._estimate(count, columns, by, where, self._as_share)
        return made if not pooled or pooled in set(made["measure"]) else made.iloc[:1].assign(measure=pooled)

    def by_town(self, tally: Callable[[pd.DataFrame, pd.Series], pd.DataFrame], reason: str = "") -> pd.DataFrame:
        """What `tally` makes of the frame and each person's town: the county's rows alone; raises EstimateError for a town's.

        Who sent no form stands in the frame without an answer.
        With a `reason`, or where nobody was asked, no number.
        """
        why = self.absent or reason
        made = unsaid([COUNTY], why) if why else tally(*self._with_silent())
        told = made.drop(columns="place").astype(object).isin(set(self._town.dropna())).any(axis=None)
        if told or not (made["place"] == COUNTY).all():
            raise EstimateError("survey.no_town")
        made.attrs["labels"] = self.labels
        return made.assign(**{k: v for k, v in BLANK.items() if k not in made}, wave=self.wave, period="")

    change, crosstab, regress = map(_refuse, ("change", "crosstab", "regress"))

    def _with_silent(self) -> tuple[pd.DataFrame, pd.Series]:
        """The frame and each person's town, with a row of missing answers for every form that has not come."""
        frame, town = self._checked(), self._town.reindex(self._ids)
        lacks = (self._due - town.value_counts().reindex(self._due.index).fillna(0)).clip(lower=0).astype(int)
        silent = pd.Series(np.repeat(lacks.index.to_numpy(dtype=object), lacks), dtype="string").add_prefix("silent")
        return frame.reindex(frame.index.append(silent.index)), pd.concat([town, silent])

    # --- how ----------------------------------------------------------------------------------------------------------

    def _estimate(self, how: Estimator, columns: Any, by: Any, where: str, take: Any, label: str = "") -> pd.DataFrame:
        if "town" in as_list(by) and by != "town":
            raise EstimateError("survey.no_town")
        return super()._estimate(how, columns, None if by == "town" else by, where, take, label)

    def _shares(self, design: Any, table: Any, pooled: str = "", population: int = 0, **how: Any) -> pd.DataFrame:
        columns = {pooled: list(table)} if pooled else {name: [name] for name in table}
        rows = [self._share(table[names], population).assign(indicator=name) for name, names in columns.items()]
        return pd.concat(rows, ignore_index=True).assign(wave=self.wave)

    def _share(self, table: pd.DataFrame, population: int) -> pd.DataFrame:
        """The share of one list of answers: true among those known, the others counted as no and as yes."""
        given = table.to_numpy(dtype=float)
        yes, known, came = (given == 1).sum(), np.isfinite(given).sum(), (~np.isnan(given)).sum()
        row = bounded([COUNTY], [yes], [known], [came], fewest=self._fewest(table)).assign(**BLANK)
        if row["reason"].isin(["too few answers", "no eligible case"]).any():
            return row
        size = max(int(came), population * table.shape[1] or self._size(table))
        return row.assign(low=yes / size, high=(yes + size - known) / size)

    def _size(self, table: pd.DataFrame) -> int:
        """How many answers there would be: of all who came and were asked, and of everybody who did not come."""
        return int(table.notna().to_numpy().sum() + max(0, self._due.sum() - len(self._ids)) * table.shape[1])

    def _fewest(self, table: pd.DataFrame) -> int:
        """The fewest answers that may be told: never those of a few people, or of the leaders of a few towns."""
        asked = table.notna().any(axis=1)
        towns = self._town.reindex(table.index)[asked].nunique()
        return 1 if (asked.sum() >= FEWEST and (self._town.isna().all() or towns >= FEWEST_TOWNS)) else table.size + 1

    def _ratio(self, design: Any, pair: pd.DataFrame, **how: Any) -> pd.DataFrame:
        """The ratio of two totals over those who gave both numbers; bounded by nothing where somebody gave none."""
        top, bottom = (known := pair[np.isfinite(pair).all(axis=1)]).sum()
        value = top / bottom if bottom else np.nan
        bound = value if len(known) == self._size(pair.iloc[:, :1]) else np.nan
        return self._number("/".join(pair), [value, bound, bound], pair)

    def _sum(self, design: Any, table: pd.DataFrame, parts: Parts, name: str, **how: Any) -> pd.DataFrame:
        """The sum of coefficient × mean, each over those who said."""
        turned = [c * np.array(self._mean(table[k]))[[0, 1, 2] if c > 0 else [0, 2, 1]] for k, c in parts.items()]
        return self._number(name, np.sum(turned, axis=0), table)

    def _means(self, design: Any, table: pd.DataFrame, **how: Any) -> pd.DataFrame:
        if all(self._scale(k) == (0, 1) for k in table):
            return self._shares(design, table)
        return pd.concat([self._number(k, self._mean(table[k]), table[[k]]) for k in table], ignore_index=True)

    def _mean(self, values: pd.Series) -> tuple[float, float, float]:
        """The mean of those who said, and its bounds: the others at the lowest and at the highest of the scale."""
        known, size = values[np.isfinite(values)], self._size(values.to_frame())
        ends = self._scale(str(values.name)) if size > len(known) else (0.0, 0.0)
        low, high = ((known.sum() + end * (size - len(known))) / max(size, 1) for end in ends)
        return float(known.mean()), float(low), float(high)

    def _scale(self, name: str) -> tuple[float, float]:
        """The lowest and the highest answer that a column can hold; missing where nothing says so."""
        if name in self.derived:
            part = read_rule(self.derived[name].when, self.open_scope()).parts[0]
            return (0.0, 1.0) if part.op else self._scale(part.column)
        for item in self.book.form(self.form):
            if name in item.columns:
                codes: list[float] = [option.code for option in item.options if option.code not in item.missing]
                codes = [0, 1] if item.type == "multi" else codes or [np.nan]
                return item.range or (min(codes), max(codes))
        # a column made by hand
        return (0.0, 1.0) if self._checked()[name].dropna().isin([0, 1]).all() else (np.nan, np.nan)

    def _number(self, name: str, value: Sequence[float], table: pd.DataFrame) -> pd.DataFrame:
        """One number that is no share, with its bounds: n is the smallest base of its columns."""
        known, ends = table.where(np.isfinite(table)), {"low": value[1], "high": value[2]}
        row = values([COUNTY], [value[0]], int(known.notna().sum().min()), indicator=name, wave=self.wave, **BLANK)
        row = row.assign(**ends)
        if self._fewest(known) > 1:
            row[["estimate", "low", "high"]], row[["reason", "reliability"]] = np.nan, "too few answers"
        return row


# --- a small census ---------------------------------------------------------------------------------------------------


if TYPE_CHECKING:
    from huying.counties import County

SAMPLED = {"resident": "fewest_residents", "staff": "fewest_staff"}
# In their order, where that is no sorted one.
GROUPS: Mapping[str, Sequence[str]] = {"age_group": (), "sex_group": SEXES}
FRAME = ("town", "village", "wave", "weight", "flags", "interviewer", "submitted_at", "seconds")
OWN = ("interviewer_id", "submitted_at", "seconds")  # columns of a cleaned form that keep their names
HIDDEN = "leader"  # the form whose people are known by their town


def open_survey(county: "County", form: str, wave: str, exclude: Sequence[str] | None, weights: str) -> Survey:
    """One form of one wave, a frame of its own; empty with its columns where it was not asked. Raises EstimateError."""
    checked = ("form", [form], FORMS), ("weights", [weights], ("raked", "none")), ("flag", exclude or (), RULES)
    for what, given, known in checked:
        for got in (got for got in given if got not in known):
            raise EstimateError(f"surveys.no_{what}", got=got, known=", ".join(known), form=got, flag=got)
    asked, left_out = county.waves(form), county.declared.exclude if exclude is None else tuple(exclude)
    key = form, wave or (asked[-1] if asked else ""), left_out, weights
    if key not in county.surveys_made:
        county.surveys_made[key] = _build(county, *key)
    made = copy.copy(county.surveys_made[key])
    made.frame, made.derived = made.frame.copy(), dict(made.derived)
    made.__post_init__()
    return made


def _build(county: "County", form: str, wave: str, exclude: tuple[str, ...], weights: str) -> Survey:
    rows, sample, absent = _rows(county, form, wave, exclude)
    items = [q for q in county.book.form(form) if form != HIDDEN or (q.role != "town" and q.options_from != "towns")]
    answers, reasons = name_answers(rows, items, lists := _lists(county.cleaned.ledgers))
    design = sample.design if sample else _everybody(rows, county.town_ids if form in SAMPLED else ["all"])
    design = with_weights(design, np.ones(len(rows))) if weights == "none" else design
    frame = pd.concat([_own_columns(county, rows, design, form), answers], axis=1)
    ids = pd.Index(range(len(rows)) if form == HIDDEN else rows["row_id"], name="row_id").astype(str)
    frame.index = reasons.index = ids
    groups = {name: order or sorted(frame[name].dropna().unique()) for name, order in GROUPS.items() if name in frame}
    scope = scope_of([item for item in items if set(item.columns) <= set(answers)], lists, groups)
    asked = {name for item in items for name in (item.name, *item.columns)}
    house = [name for item in house_codebook().form(form) for name in (item.name, *item.columns)]
    made: dict[str, Any] = {"wave": "" if absent == NOT_ASKED else wave, "book": county.book, "scope": scope}
    made |= {"derived": {}, "reasons": reasons, "labels": f"{form}|{county.key}", "absent": absent}
    made["fewest"] = county.declared.thresholds[SAMPLED[form]] if form in SAMPLED else FEWEST
    lacking = tuple(dict.fromkeys(name for name in house if name not in asked))
    made |= {"lacking": lacking, "weighting": sample.diagnostics if sample else pd.DataFrame()}
    if form in SAMPLED:
        survey = Survey(frame, design, form, **made)
    else:
        town = pd.Series(rows["town_id"].to_numpy(), index=ids, dtype="string")
        # Three of a town are asked as its leaders: secretary, mayor, organisation officer.
        due = {HIDDEN: dict.fromkeys(county.town_ids, 3)}.get(form, {"": len(county.departments)})
        survey = Census(frame, design, form, **made, _town=town, _due=pd.Series(due, dtype=float))
    _derive(survey, *derived_of(county.declared))
    return survey


def _lists(ledgers: Mapping[tuple[str, str], pd.DataFrame]) -> Lists:
    """What the county's registers offer as answers, by code and key."""
    listed = county_lists({table: frame for (table, _), frame in ledgers.items()})
    return {name: [(code, key) for code, key, _ in rows] for name, rows in listed.items()}


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
    where = ("town", "village") if form in SAMPLED else ()
    columns: dict[str, Any] = {name: rows[f"{name}_id"].astype("string") for name in where}
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
    lists, (own, _) = _lists(ledgers), derived_of(declared)
    for form in {variable.form for variable in own.values()} & {survey.form for survey in declared.surveys}:
        scope = scope_of(book.form(form), lists, {"age_group": (), "sex_group": SEXES, **dict.fromkeys(FRAME, ())})
        for variable in (one for one in own.values() if one.form == form):
            for rule in filter(None, (variable.when, variable.base)):
                read_rule(rule, scope)
            scope = replace(scope, options={**scope.options, variable.name: ()})


# --- what the files do not bear out -----------------------------------------------------------------------------------


def find_shortfalls(cleaned: Cleaned, county: Declared, book: Codebook) -> pd.DataFrame:
    """A row a town and form, or a ledger of calls: `note` in words; `is_fault` where the file must be put right.

    The run goes on without what is named: the town is not weighted, its list counts as endless, the call is too young.
    """
    samples: dict[str, Any] = {"resident": partial(resident_sample, book=book), "staff": staff_sample}
    rows = []
    asked = [(f, w) for f in samples if f in cleaned.forms for w in sorted(cleaned.forms[f]["wave"].unique())]
    for form, wave in asked:
        try:
            told = samples[form](cleaned, county, wave=wave).diagnostics
        except EstimateError as error:
            rows.append((form, wave, True, error.say()))
            continue
        named = told[told["note"] != ""].to_dict("records")
        rows += [(f"{form} {wave}", one["place"], one["remark"] != "", one["note"]) for one in named]
    for (table, period), calls in cleaned.ledgers.items():
        if table == "calls" and period in county.periods:
            days, taken = calendar(county.calendar, county.calendar_file), pd.Timestamp(county.periods[period].as_of)
            late = calls.loc[time_calls(calls, county.clock, days, taken)["is_deadline_unknown"], "call_id"]
            if len(late):
                note = say("workdays.unknown_deadlines", n=len(late), calls=", ".join(late.astype(str)[:5]))
                rows.append((f"{TABLES[table].title()} {period}", "county", False, note))
    return pd.DataFrame(rows, columns=["source", "place", "is_fault", "note"])
