"""One form in one wave: a frame with a row a person, and the design that turns it into estimates; refuses what would be wrong.

It protects against a value that is no share, a group for every person, rows dropped or repeated by hand, a column that
answers for people who were not asked, and anything about a town's leaders.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import MANY, Codebook
from huying.crosstabs import Crosstab, crosstab
from huying.derived import Answers, Derived, Scope, holds
from huying.errors import EstimateError, near
from huying.estimates import COUNTY, LEADING, Design, estimate_means, estimate_ratios, estimate_shares, estimate_sum
from huying.regressions import Regression, regress
from huying.samples import NO_PLACE
from huying.waves import independent_sum, stacked
from huying.words import Text, say

Floats = npt.NDArray[np.float64]
MOST_GROUPS = 30
NOT_ASKED, NOT_THIS_WAVE = "not asked", "not asked in this wave"
REDEFINED = "definition_changed"
SKIPPED = "skipped"  # why somebody whom an item did not ask has no answer
Estimator = Callable[..., pd.DataFrame]
Term = tuple[float, Floats, npt.NDArray[np.bool_]]  # coefficient, values, who is in the base


class UnaskedWarning(UserWarning):
    """A column made by hand has a value for people whose items did not ask them."""


@dataclass
class Survey:
    """A survey of one form and wave.

    `frame`: a row a person (index: the row's id in its file): town, village, wave, weight, the answers by name, derived
    variables. `design`: strata, PSUs and weights, tied to the rows by their id. `margins`: how weighting went, a row a town.
    """

    frame: pd.DataFrame
    design: Design
    form: str
    wave: str
    book: Codebook
    scope: Scope
    derived: dict[str, Derived]
    reasons: pd.DataFrame
    fewest: int
    labels: str
    weighting: pd.DataFrame
    absent: str = ""  # why there is nobody, where there is nobody
    lacking: tuple[str, ...] = ()  # columns of the house's form that another questionnaire does not have
    declared: Mapping[str, Derived] = field(default_factory=dict)  # derived variables as house and county declare them
    unasked: Mapping[str, Derived] = field(default_factory=dict)  # derived variables whose items the form does not have

    def __post_init__(self) -> None:
        self._ids = self.frame.index
        self._made = set(self.frame.columns)

    def __repr__(self) -> str:
        form, size = say(f"survey.{self.form}"), {"n": len(self._ids), "columns": self.frame.shape[1]}
        return say("survey.repr", form=form, wave=self.wave, **size)

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>"

    @property
    def answers(self) -> Answers:
        """The frame with the reasons of its missing values, for rules."""
        return Answers(self.frame, self.reasons)

    def missing(self, column: str) -> pd.Series:
        """Why each person's answer in `column` is missing (refused, does_not_know, skipped, blank), blank where it is not."""
        if column not in self.reasons:
            raise EstimateError("survey.no_reasons", column=column, close=near(column, self.reasons.columns))
        return self.reasons[column]

    def derive(self, name: str, when: str, base: str = "", unknown: str = "out") -> Survey:
        """Add a variable made by a rule to the frame, and return the survey; raises EstimateError for a rule it cannot read.

        Whoever was not asked keeps no value. Grammar: see `huying.derived`.
        """
        if not name.isidentifier():
            raise EstimateError("survey.bad_name", name=name)
        text = self.declared[name].text if name in self.declared else Text(name, name)
        variable = Derived(name, self.form, when, base, unknown, text)
        try:
            self._add(variable)
        except EstimateError as error:
            if error.values.get("name") not in self.lacking:
                raise
            self.frame[name] = pd.Series(pd.NA, self.frame.index, dtype=variable.kind)  # nobody was asked
            self.unasked = {**self.unasked, name: variable}
        return self

    def _add(self, variable: Derived) -> None:
        self.frame[variable.name] = variable.of(self.answers, self.open_scope())
        self.derived[variable.name] = variable
        self._made.add(variable.name)

    def open_scope(self) -> Scope:
        extra = {str(name): () for name in self.frame.columns if name not in self.scope.options}
        return replace(self.scope, options={**self.scope.options, **extra})

    def define(self, name: str, lang: str | None = None) -> str:
        """The definition of a derived variable in one line."""
        variable = self.derived.get(name) or self.unasked.get(name)
        if variable is None:
            raise EstimateError("survey.no_column", column=name, close=near(name, self.derived))
        return variable.describe(lang) if lang else variable.describe(_lang(self.labels))

    # --- estimates ----------------------------------------------------------------------------------------------------

    def share(self, columns: str | Sequence[str], by: Any = "town", where: str = "") -> pd.DataFrame:
        """Weighted shares of a column of true and false (or 1 and 0), by place and other columns.

        A row a place: every town in the register's order, then the county (`by=None`: the county alone); `by` may name
        further columns, and `prefix*` stands for every column that begins so. Intervals: Korn and Graubard (1998), towns at
        a pooled design effect. `where` is a rule that cuts the base, not the design. Raises EstimateError for what is no
        share.
        """
        return self._estimate(self._shares, columns, by, where, self._as_share)

    def mean(self, columns: str | Sequence[str], by: Any = "town", where: str = "") -> pd.DataFrame:
        """Weighted means, as `share`, with Student intervals at each place's own linearised variance (Binder 1983)."""
        return self._estimate(self._means, columns, by, where, self._as_number)

    def ratio(self, numerator: str, denominator: str, by: Any = "town", where: str = "") -> pd.DataFrame:
        """The ratio of two weighted totals, with Student intervals; its measure is named `numerator/denominator`."""
        pair = [numerator, denominator]
        return self._estimate(self._ratio, pair, by, where, self._as_number, "/".join(pair))

    def combine(self, parts: Mapping[str, float], name: str = "", by: Any = "town", where: str = "") -> pd.DataFrame:
        """The sum of coefficient × mean over columns, their covariance kept; n is the smallest of their bases."""
        label = name or " + ".join(parts)

        def estimate(design: Design, table: pd.DataFrame, **how: Any) -> pd.DataFrame:
            values = {column: table[column].to_numpy(dtype=float) for column in table}
            terms = [(c, np.nan_to_num(values[k]), np.isfinite(values[k])) for k, c in parts.items()]
            return estimate_sum(design, label, terms, **how)

        return self._estimate(estimate, list(parts), by, where, self._as_number, label)

    def difference(self, first: str, second: str, by: Any = "town", where: str = "") -> pd.DataFrame:
        """The mean of `first` less the mean of `second`, each on its own base, their covariance kept."""
        return self.combine({first: 1.0, second: -1.0}, f"{first} - {second}", by, where)

    def change(self, column: str, since: Survey, by: Any = "town") -> pd.DataFrame:
        """The mean of a column now less that in an earlier wave; its wave is this survey's.

        Villages asked in both waves are shared PSUs, so that their covariance counts; of forms whose PSU is the person the
        waves are independent samples (Welch 1947).
        """
        if not len(self._ids) or not len(since._ids):
            return self._nothing([column], by, self.absent or since.absent)
        if self.form != "resident":
            return self._placed(independent_sum(self.mean(column), since.mean(column), -1.0), by)
        design, *terms = self.beside(since, column)
        return self._placed(self._tidy(estimate_sum(design, column, terms, wave=self.wave, fewest=self.fewest)), by)

    def beside(self, since: Survey, column: str) -> tuple[Design, Term, Term]:
        """This wave's people and an earlier one's as one design, and a column's mean now and (negative) before as terms of a sum."""
        early, late = (survey._as_number(column).to_numpy() for survey in (since, self))
        design, is_late = stacked(since.design, since._psu_names(), self.design, self._psu_names())
        values = np.concatenate([early, late])
        known, number = np.isfinite(values), np.nan_to_num(values)
        return design, (1.0, number, known & is_late), (-1.0, number, known & ~is_late)

    def crosstab(self, row: str, column: str, where: str = "") -> Crosstab:
        """Shares of `column` within each answer of `row` for the county, and Pearson's X² with the second-order correction.

        The test is R's `svychisq(statistic = "F")` (Rao and Scott 1984). Raises EstimateError for a column of many values.
        """
        base = self._where(where)
        (a, rows), (b, columns) = (self._codes(name, base) for name in (row, column))
        made = crosstab(self.design, a, b, rows, columns, fewest=self.fewest)
        made.table.attrs |= {"labels": self.labels, "row": row, "column": column}
        return made

    def questions(self) -> pd.DataFrame:
        """The questions of the form in their order: question (its name), question_type, and how many answered it.

        n: people with an answer; n_skipped: people whom it did not ask; n_missing: people asked who gave none.
        """
        rows = []
        for item in self.book.form(self.form):
            if not (columns := [name for name in item.columns if name in self.reasons]):
                continue
            answered = self._checked()[columns].notna().any(axis=1)
            skipped = ~answered & (self.reasons[columns] == SKIPPED).all(axis=1)
            n = int(answered.sum()), int(skipped.sum()), int((~answered & ~skipped).sum())
            rows.append((item.name, item.type, *n))
        made = pd.DataFrame(rows, columns=["question", "question_type", "n", "n_skipped", "n_missing"])
        made.attrs["labels"] = self.labels
        return made

    def topline(self, question: str, by: Any = None, where: str = "") -> pd.DataFrame:
        """Every answer of a question with its share and interval: a row an answer (column `answer`), row of a matrix and place.

        `count` is how many people gave the answer, unweighted; n is the base. Of a ranking: who named the option first.
        """
        item = next((one for one in self.book.form(self.form) if one.name == question), None)
        if item and item.is_matrix and question not in self.frame:
            parts = [self.topline(column, by, where).assign(measure=column) for column in item.columns]
            made = pd.concat(parts, ignore_index=True)
            made.attrs |= parts[0].attrs
            return made
        if item and item.type in MANY:
            answers = self._checked()[list(item.columns)].astype("Float64").astype(float)
            table = answers.eq(1).astype(float).where(answers.notna().any(axis=1), np.nan)
        else:
            if question not in self.frame and (gone := self._names(f"{question}_*")) and set(gone) <= set(self.lacking):
                return self._nothing(gone, by, NOT_ASKED).rename(columns={"measure": "answer"})
            codes, names = self._codes(question, self._where(""), self.scope.options.get(question))
            table = {name: np.where(codes < 0, np.nan, codes == k) for k, name in enumerate(names)}
            table = self._open(question, pd.DataFrame(table, index=self._ids, dtype=float))
        made = self._run(self._shares, table, by, where).rename(columns={"measure": "answer"})
        if _as_list(by) in ([], ["town"]):
            counted = _cut(table, self._where(where))
            counts = {(COUNTY, name): counted[name].sum() for name in counted}
            counts |= counted.groupby(self.frame["town"]).sum().stack().to_dict() if by else {}
            made["count"] = [counts.get(key, 0) for key in zip(made["place"], made["answer"], strict=True)]
        made.attrs["answer"] = question
        return made

    def regress(self, formula: str) -> Regression:
        """A linear regression, or a logistic one where the outcome is true and false, as R's `svyglm`; see `huying.regressions`."""
        return regress(self.design, self._checked(), formula)

    # --- how ----------------------------------------------------------------------------------------------------------

    _shares, _means = staticmethod(estimate_shares), staticmethod(estimate_means)

    def _ratio(self, design: Design, pair: pd.DataFrame, **how: Any) -> pd.DataFrame:
        return estimate_ratios(design, "/".join(pair), *pair.to_numpy(dtype=float).T, **how)

    def _open(self, name: str, values: Any) -> Any:
        """The values of a column with those marked whom it asked and who did not say: a sample leaves them out."""
        return values

    def _estimate(
        self, estimator: Estimator, columns: Any, by: Any, where: str, take: Any, label: str = ""
    ) -> pd.DataFrame:
        names = self._names(columns)
        gone = [name for name in names if self._is_unasked(name)]
        spoken = [name for name in (*_as_list(by), *re.findall(r"\w+", where)) if self._is_unasked(name)]
        if not len(self._ids) or spoken or gone == names or (gone and label):
            return self._nothing([label] if label else names, by, self.absent or NOT_ASKED)
        table = pd.DataFrame(index=self._ids)
        for name in (name for name in names if name not in gone):
            table[name] = self._open(name, take(name))
        made = self._run(estimator, table, by, where)
        return pd.concat([made, self._nothing(gone, by, NOT_ASKED)], ignore_index=True) if gone else made

    def _is_unasked(self, name: str) -> bool:
        """Whether a column is, or rests on, what the form did not ask, and nobody filled it by hand."""
        if name not in self.frame:
            return name in self.lacking
        return name in self.unasked and bool(self.frame[name].isna().all())

    def _names(self, columns: Any) -> list[str]:
        """The columns asked for, each `prefix*` replaced by those that begin so."""
        known = [*map(str, self.frame.columns), *self.lacking]
        found: list[str] = []
        for name in _as_list(columns):
            many = [column for column in known if name.endswith("*") and column.startswith(name[:-1])]
            found += many or [name]
        return found

    def _run(self, estimator: Estimator, table: pd.DataFrame, by: Any, where: str) -> pd.DataFrame:
        table = _cut(table, self._where(where))
        groups = [name for name in _as_list(by) if name != "town"]
        cuts = list(itertools.product(*(self._levels(name) for name in groups)))
        if not cuts:
            return self._nothing(list(table), by, NOT_ASKED)
        parts = []
        for levels in cuts:
            inside = np.ones(len(table), dtype=bool)
            for name, level in zip(groups, levels, strict=True):
                inside &= (self._checked()[name] == level).fillna(False).to_numpy(dtype=bool)
            made = estimator(self.design, _cut(table, inside), wave=self.wave, fewest=self.fewest)
            parts.append(self._tidy(made.assign(**dict(zip(groups, levels, strict=True)))))
        return self._placed(pd.concat(parts, ignore_index=True), by)

    def _placed(self, made: pd.DataFrame, by: Any) -> pd.DataFrame:
        """The rows that `by` asks for: without `town` the county's, and where nobody was asked for the town."""
        made = made[made["place"] != NO_PLACE]
        if "town" not in _as_list(by):
            made = made[made["place"] == COUNTY].reset_index(drop=True)
        altered = {name for name, was in self.declared.items() if self.derived.get(name) != was}
        if altered & set(re.findall(r"\w+", " ".join(made["measure"].unique()))):
            # what is judged by it carries the remark: it is not the definition that was frozen
            made["remark"] = REDEFINED
        made.attrs |= {"labels": self.labels, "source": say(f"survey.{self.form}", _lang(self.labels))}
        return made

    def _tidy(self, made: pd.DataFrame) -> pd.DataFrame:
        made = made.rename(columns={"indicator": "measure"}).assign(period="")
        last = ["measure", *LEADING, "wave", "period", *(["rho"] if "rho" in made else [])]
        return made[["place", *(name for name in made if name not in ("place", *last)), *last]]

    def _nothing(self, names: Sequence[str], by: Any, reason: str) -> pd.DataFrame:
        towns = [place for place in self.design.places if place != NO_PLACE and "town" in _as_list(by)]
        rows = [{"place": place, "measure": name} for name in names for place in (*towns, COUNTY)]
        made = pd.DataFrame(rows).assign(**dict.fromkeys(LEADING, np.nan), wave=self.wave, period="")
        made = made.assign(n=0.0, reliability="not estimable", reason=reason, method="")
        for name in (name for name in _as_list(by) if name != "town"):
            made.insert(1, name, pd.Series(pd.NA, made.index, dtype="string"))
        made.attrs["labels"] = self.labels
        return made

    def _checked(self) -> pd.DataFrame:
        """The frame in the order of the design; raises EstimateError where rows were dropped, added or repeated by hand."""
        if self.frame.index is self._ids or self.frame.index.equals(self._ids):
            return self.frame
        if len(self.frame) == len(self._ids) and self.frame.index.sort_values().equals(self._ids.sort_values()):
            return self.frame.loc[self._ids]
        raise EstimateError("survey.rows_changed", got=len(self.frame), n=len(self._ids))

    def _column(self, name: str) -> pd.Series:
        frame = self._checked()
        if name not in frame:
            raise EstimateError("survey.no_column", column=name, close=near(name, frame.columns))
        if name not in self._made:
            self._warn_unasked(name, frame[name])
        return frame[name]

    def _as_share(self, name: str) -> pd.Series:
        """A column as 1, 0 and missing; raises EstimateError for any other value."""
        value = _numeric(self._column(name), "survey.no_share")
        strange = value[value.notna() & ~value.isin([0.0, 1.0])]
        if len(strange):
            raise EstimateError("survey.no_share", column=name, got=f"{strange.iloc[0]:g}")
        return value

    def _as_number(self, name: str) -> pd.Series:
        return _numeric(self._column(name), "survey.no_number")

    def _where(self, rule: str) -> npt.NDArray[np.bool_]:
        self._checked()
        return holds(rule, self.answers, self.open_scope())

    def _levels(self, name: str, options: Sequence[str] | None = None) -> list[Any]:
        """The values of a column, in the order of the form; raises EstimateError for too many that are no `options` of a question."""
        column = self._column(name)
        known = [key for key in self.scope.options.get(name, ()) if (column == key).any()]
        found = known or sorted(column.dropna().unique())
        if len(found) > MOST_GROUPS and not options:
            raise EstimateError("survey.too_many_groups", column=name, got=len(found), most=MOST_GROUPS)
        return found

    def _codes(
        self, name: str, base: npt.NDArray[np.bool_], options: Sequence[str] | None = None
    ) -> tuple[npt.NDArray[np.int64], list[str]]:
        levels = self._levels(name, options)
        codes = pd.Categorical(self._checked()[name], categories=levels).codes.astype(np.int64)
        return np.where(base, codes, -1), [str(level) for level in levels]

    def _psu_names(self) -> npt.NDArray[Any]:
        """Each person's village with its town, as it is named in every wave."""
        town, village = self.frame["town"].astype(str), self.frame["village"].astype("string").fillna("").astype(str)
        return np.asarray(town + "/" + village, dtype=object)

    def _warn_unasked(self, name: str, column: pd.Series) -> None:
        """Warn where a column made by hand says no for people whose item did not ask them."""
        value = column.astype(object).map(lambda v: np.nan if pd.isna(v) else float(bool(v)), na_action=None)
        is_skipped = self.reasons[value.notna().to_numpy()].eq(SKIPPED).any()
        for item in is_skipped.index[is_skipped]:
            answer = self.frame[item]
            if value[self.reasons[item] == SKIPPED].any() or value[answer.notna()].nunique() < 2:
                continue
            inside = value[answer.notna()].groupby(answer[answer.notna()].astype(object)).nunique()
            if (inside <= 1).all():
                given, asked = int(value.notna().sum()), int((answer.notna() & value.notna()).sum())
                told = say("survey.unasked", column=name, item=item, given=given, asked=asked)
                warnings.warn(told, UnaskedWarning, stacklevel=6)
                return


def _numeric(column: pd.Series, refusal: str) -> pd.Series:
    """A column as floats; raises EstimateError for texts and for numbers without end."""
    if not pd.api.types.is_numeric_dtype(column.dtype) and not set(column.dropna().map(type)) <= {bool, np.bool_}:
        raise EstimateError(refusal, column=column.name, got=str(next(iter(column.dropna()), "")))
    value = column.astype("Float64").astype(float)
    if np.isinf(value.to_numpy()).any():
        raise EstimateError(refusal, column=column.name, got="inf")
    return value


def _cut(table: pd.DataFrame, inside: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The table with nothing in the rows outside the base: they stay in the design."""
    return table.where(np.broadcast_to(inside[:, None], table.shape))


def _as_list(by: Any) -> list[str]:
    return [] if by is None else [by] if isinstance(by, str) else list(by)


def _lang(labels: str) -> str:
    return labels.rpartition("/")[2] or "zh"
