"""A formula over a survey's frame as an outcome and columns of numbers; refuses those of which no regression can be made.

formulaic reads it, in the grammar of R: `y ~ a * b`, `np.log(y) ~ C(a, contr.treatment("b"))`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError
from scipy import optimize

from huying.errors import EstimateError, near

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
LINEAR, LOGISTIC = "linear", "logistic"
QUOTED, NAME, LEVEL = re.compile(r"'[^']*'|\"[^\"]*\""), re.compile(r"[^\W\d]\w*"), re.compile(r"\[T\.(.*)\]$")
TOLERANCE = 1e-9  # of a column's length: what is left of it beside the others


@dataclass(frozen=True)
class Move:
    """A change of one variable that belongs to one column: `above` less `below`; a slope where it is a unit of a number."""

    column: int
    below: Floats
    above: Floats
    is_slope: bool


@dataclass(frozen=True)
class Model:
    """The outcome and columns of a formula over the rows that have them all; `base` marks these among all units."""

    outcome: str
    y: Floats
    x: Floats
    names: tuple[str, ...]
    base: Bools
    rows: pd.DataFrame
    spec: Any

    @property
    def is_yes_no(self) -> bool:
        """Whether the outcome is true and false (1 and 0)."""
        return is_binary(self.y)

    def moves(self) -> Iterator[Move]:
        """For each variable that stands in the formula as itself, alone or in products, the change of its columns.

        A level against the first, true against false, else one more of the number. A variable that also stands there in
        another form (`np.log(x)`, `x**2`) gives none, nor does the intercept or a product.
        """
        factors = {factor.expr: factor for term in self.spec.terms for factor in term.factors}
        forms = {expr: _variables(expr, self.rows) for expr in factors}
        for term, columns in self.spec.term_indices.items():
            expr = term.factors[0].expr if len(term.factors) == 1 else ""
            named = forms.get(expr, set())
            if len(named) == 1 and sum(bool(named & other) for other in forms.values()) == 1:
                yield from self._moves(named.pop(), expr, list(columns))

    def _moves(self, name: str, expr: str, columns: list[int]) -> Iterator[Move]:
        values = self.rows[name]
        if expr == name and values.dtype == float:
            yield Move(columns[0], self._with(name, 0.0), self._with(name, 1.0), not is_binary(values.to_numpy()))
            return
        levels = {str(level): level for level in np.unique(values.to_numpy())}
        found = {column: LEVEL.search(self.names[column]) for column in columns}
        shown = {column: match[1] for column, match in found.items() if match and match[1] in levels}
        first = set(levels) - set(shown.values())
        if len(first) == 1 and len(shown) == len(columns):
            below = self._with(name, levels[first.pop()])
            for column, level in shown.items():
                yield Move(column, below, self._with(name, levels[level]), False)

    def _with(self, name: str, value: Any) -> Floats:
        """The columns if every person had `value` in the variable `name`."""
        column = pd.Series(value, index=self.rows.index).astype(self.rows[name].dtype)
        made = self.spec.get_model_matrix(self.rows.assign(**{name: column}), context={"np": np})
        return np.asarray(made.to_numpy(dtype=float))


def is_binary(values: Floats) -> bool:
    """Whether all values are 0 or 1."""
    return bool(np.isin(values, (0.0, 1.0)).all())


def read_model(frame: pd.DataFrame, formula: str) -> Model:
    """The outcome and columns that `formula` makes of `frame`, over the rows in which no variable is missing.

    True and false become 1 and 0; text and categories a column a level against the first. Raises EstimateError for a
    formula that cannot be read, a column that is not there, an outcome of text and a value that is not finite.
    """
    rows, base = _rows(frame, formula)
    outcome = formula.partition("~")[0].strip()
    if not len(rows):
        raise EstimateError("regressions.nobody", formula=formula)
    try:
        with np.errstate(all="ignore"):
            made = Formula(formula).get_model_matrix(rows, context={"np": np}, na_action="ignore")
        left, right = made.lhs, made.rhs
    except (FormulaicError, AttributeError) as error:
        raise EstimateError("regressions.unreadable", formula=formula) from error
    if left.shape[1] != 1:
        raise EstimateError("regressions.bad_outcome", column=outcome, got=str(left.columns[0]))
    y, x = left.to_numpy(dtype=float)[:, 0], right.to_numpy(dtype=float)
    for name, values in zip([outcome, *right.columns], [y, *x.T], strict=True):
        if not np.isfinite(values).all():
            raise EstimateError("regressions.not_finite", column=str(name))
    return Model(outcome, y, x, tuple(str(name) for name in right.columns), base, rows, right.model_spec)


def check_model(model: Model, kind: str) -> None:
    """Raise EstimateError where a regression of this kind (`linear`, `logistic`) has no answer."""
    if kind not in (LINEAR, LOGISTIC):
        raise EstimateError("regressions.bad_model", got=kind)
    if kind == LOGISTIC and not model.is_yes_no:
        strange = model.y[~np.isin(model.y, (0.0, 1.0))][0]
        raise EstimateError("regressions.bad_outcome", column=model.outcome, got=f"{strange:g}")
    if len(np.unique(model.y)) < 2:
        raise EstimateError("regressions.constant", column=model.outcome, got=f"{model.y[0]:g}", n=len(model.y))
    if len(model.y) <= model.x.shape[1]:
        raise EstimateError("regressions.too_few", n=len(model.y), columns=model.x.shape[1])
    size = np.sqrt((model.x**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(model.x / np.where(size > 0, size, 1.0), mode="r")))
    if (left < TOLERANCE).any():
        raise EstimateError("regressions.collinear", columns=_listed(model, left < TOLERANCE))
    if kind == LOGISTIC:
        _check_separated(model)


def _check_separated(model: Model) -> None:
    """Raise EstimateError where some weighing of the columns puts every 1 on one side of every 0: odds ratios have no end.

    The linear programme of Konis (2007), which also finds outcomes separated but for ties (Albert and Anderson 1984).
    """
    scaled = model.x / np.abs(model.x).max(axis=0)
    sides = np.unique(np.where(model.y[:, None] > 0, scaled, -scaled), axis=0)
    found = optimize.linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=(-1, 1))
    if -found.fun > 1e-6:
        moved = (np.abs(found.x) > 1e-6) & (np.ptp(model.x, axis=0) > 0)
        raise EstimateError("regressions.separated", column=model.outcome, columns=_listed(model, moved))


def _rows(frame: pd.DataFrame, formula: str) -> tuple[pd.DataFrame, Bools]:
    """The columns that the formula names, as floats and categories, over the rows that have them all; and which rows."""
    try:
        needed = {str(name) for name in Formula(formula).required_variables}
    except FormulaicError as error:
        raise EstimateError("regressions.unreadable", formula=formula) from error
    known = [str(name) for name in frame.columns]
    for name in sorted(needed - set(known)):
        raise EstimateError("regressions.no_column", column=name, close=near(name, known))
    needed |= _variables(formula, frame)
    rows = pd.DataFrame({name: _plain(frame[name]) for name in frame.columns if name in needed})
    base = rows.notna().all(axis=1).to_numpy()
    rows = rows[base]
    for name in rows.columns[rows.dtypes == "category"]:
        rows[name] = rows[name].cat.remove_unused_categories()
    return rows, base


def _variables(text: str, frame: pd.DataFrame) -> set[str]:
    """The columns of `frame` that a formula or a part of one names."""
    return set(NAME.findall(QUOTED.sub("", text))) & set(frame.columns)


def _plain(column: pd.Series) -> pd.Series:
    """A column as floats (true and false as 1 and 0) or as categories; raises EstimateError for dates and the like."""
    column = column.convert_dtypes() if column.dtype == object else column
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("Float64").astype(float)
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype(object).astype("category")
    raise EstimateError("regressions.bad_kind", column=column.name, got=str(column.dtype))


def _listed(model: Model, which: Bools) -> str:
    return ", ".join(np.array(model.names, dtype=object)[which])
