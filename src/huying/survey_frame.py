"""The people of a survey, a row each and tied to the design by their id; refuses rows dropped, added or repeated by hand.

It also protects against a value that is no share, a group for every person, and a column made by hand that answers for people
who were not asked.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import Codebook
from huying.derived import Answers, Derived, Scope, holds, read_rule
from huying.design import Design
from huying.intervals import Bools, Ints
from huying.words import EstimateError, Text, near, say

MOST_GROUPS = 30
UNSAID = np.inf  # asked, but what they would say is not known
SKIPPED = "skipped"  # why somebody whom an item did not ask has no answer


class UnaskedWarning(UserWarning):
    """A column made by hand has a value for people whose items did not ask them."""


@dataclass
class SurveyFrame:
    """The people of one form and wave.

    `frame`: a row a person (index: the row's id in its file): town, village, wave, weight, the answers by name, derived
    variables. `design`: strata, PSUs and weights, tied to the rows by their id. `weighting`: how it went, a row a town.
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

    def derive(self, name: str, when: str, base: str = "", unknown: str = "out") -> Self:
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
        """What a rule may speak of: the form's columns, and those added since."""
        extra = {str(name): () for name in self.frame.columns if name not in self.scope.options}
        return replace(self.scope, options={**self.scope.options, **extra})

    def define(self, name: str, lang: str | None = None) -> str:
        """The definition of a derived variable in one line."""
        if (variable := self.derived.get(name) or self.unasked.get(name)) is None:
            raise EstimateError("survey.no_column", column=name, close=near(name, self.derived))
        return variable.describe(lang) if lang else variable.describe(lang_of(self.labels))

    def _is_unasked(self, name: str) -> bool:
        """Whether a column is, or rests on, what the form did not ask, and nobody filled it by hand."""
        is_there = name in self.frame
        return name in self.unasked and bool(self.frame[name].isna().all()) if is_there else name in self.lacking

    def _asked(self, name: str) -> Bools:
        """Who may have been meant: all but those whom the form skipped, or who are known to lie outside a derived variable's base."""
        if name in self.reasons:
            return np.asarray((self.reasons[name] != SKIPPED).to_numpy(dtype=bool))
        if name not in self.derived:
            return np.ones(len(self._ids), dtype=bool)
        variable, scope = self.derived[name], self.open_scope()
        inside = holds(variable.base, self.answers, scope)
        for rule, is_base in ((variable.when, False), (variable.base, True)):
            if why := [c for c in (read_rule(rule, scope).columns if rule else ()) if c in self.reasons]:
                silent = self.reasons[why].notna() & (self.reasons[why] != SKIPPED)
                skipped = (self.reasons[why] == SKIPPED).all(axis=1)
                inside = inside | silent.any(axis=1).to_numpy() if is_base else inside & ~skipped.to_numpy()
        return np.asarray(inside)

    def _names(self, columns: Any) -> list[str]:
        """The columns asked for, each `prefix*` replaced by those that begin so."""
        known = [*map(str, self.frame.columns), *self.lacking]
        begun = [(name, [one for one in known if one.startswith(name.removesuffix("*"))]) for name in as_list(columns)]
        return [one for name, many in begun for one in (name.endswith("*") and many) or [name]]

    def _checked(self) -> pd.DataFrame:
        """The frame in the order of the design; raises EstimateError where rows were dropped, added or repeated by hand."""
        if self.frame.index is self._ids or self.frame.index.equals(self._ids):
            return self.frame
        if len(self.frame) == len(self._ids) and self.frame.index.sort_values().equals(self._ids.sort_values()):
            return self.frame.loc[self._ids]
        raise EstimateError("survey.rows_changed", got=len(self.frame), n=len(self._ids))

    def _column(self, name: str) -> pd.Series:
        if name not in (frame := self._checked()):
            raise EstimateError("survey.no_column", column=name, close=near(name, frame.columns))
        if name not in self._made:
            self._warn_unasked(name, frame[name])
        return frame[name]

    def _as_share(self, name: str) -> pd.Series:
        """A column as 1, 0 and missing; raises EstimateError for any other value."""
        value = _numeric(self._column(name), "survey.no_share")
        if len(strange := value[value.notna() & ~value.isin([0.0, 1.0])]):
            raise EstimateError("survey.no_share", column=name, got=f"{strange.iloc[0]:g}")
        return value

    def _as_number(self, name: str) -> pd.Series:
        return _numeric(self._column(name), "survey.no_number")

    def _where(self, rule: str) -> Bools:
        self._checked()
        return holds(rule, self.answers, self.open_scope())

    def _levels(self, name: str, options: Sequence[str] | None = None) -> list[Any]:
        """The values of a column, in the order of the form; raises EstimateError for too many that are no `options` of a question."""
        column = self._column(name)
        known = [key for key in self.scope.options.get(name, ()) if (column == key).any()]
        if len(found := known or sorted(column.dropna().unique())) > MOST_GROUPS and not options:
            raise EstimateError("survey.too_many_groups", column=name, got=len(found), most=MOST_GROUPS)
        return found

    def _codes(self, name: str, base: Bools, options: Sequence[str] | None = None) -> tuple[Ints, list[str]]:
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
            says_no = not value[self.reasons[item] == SKIPPED].any() and value[answer.notna()].nunique() > 1
            if says_no and (value[answer.notna()].groupby(answer[answer.notna()].astype(object)).nunique() <= 1).all():
                given, asked = int(value.notna().sum()), int((answer.notna() & value.notna()).sum())
                told = say("survey.unasked", column=name, item=item, given=given, asked=asked)
                warnings.warn(told, UnaskedWarning, stacklevel=7)
                return


def _numeric(column: pd.Series, refusal: str) -> pd.Series:
    """A column as floats; raises EstimateError for texts and for numbers without end."""
    if not pd.api.types.is_numeric_dtype(column.dtype) and not set(column.dropna().map(type)) <= {bool, np.bool_}:
        raise EstimateError(refusal, column=column.name, got=str(next(iter(column.dropna()), "")))
    if np.isinf((value := column.astype("Float64").astype(float)).to_numpy()).any():
        raise EstimateError(refusal, column=column.name, got="inf")
    return value


def as_list(by: Any) -> list[str]:
    """Names as a list, also where there is one or none."""
    return [] if by is None else [by] if isinstance(by, str) else list(by)


def lang_of(labels: str) -> str:
    """The language in the key of a county's words."""
    return labels.rpartition("/")[2] or "zh"
