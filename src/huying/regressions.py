"""Linear and logistic regressions within a survey's design; refuses those that have no finite answer.

formulaic reads the formula, in the grammar of R: `y ~ a * b`, `np.log(y) ~ C(a, contr.treatment("b"))`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from formulaic import Formula
from formulaic.errors import FormulaicError
from scipy import optimize, special, stats

from huying.errors import EstimateError, near
from huying.estimates import Bools, Design, Floats, degrees, estimate_covariance
from huying.words import say

LINEAR, LOGISTIC = "linear", "logistic"
QUOTED, NAME = re.compile(r"'[^']*'|\"[^\"]*\""), re.compile(r"[^\W\d]\w*")
TOLERANCE = 1e-9  # of a column's length: what is left of it beside the others


@dataclass(frozen=True)
class Regression:
    """A regression: `table` has a row a term, `covariance` is that of the coefficients, `df` serves every limit and p.

    Columns of the table: term, coefficient, se, low, high, t, p; of a logistic one also odds_ratio, odds_low, odds_high.
    """

    table: pd.DataFrame
    covariance: pd.DataFrame
    formula: str
    model: str
    n: int
    df: float

    def __repr__(self) -> str:
        lang = self.table.attrs.get("labels", "").rpartition("/")[2] or None
        head = say(f"regressions.{self.model}", lang, formula=self.formula, n=self.n, df=f"{self.df:g}")
        return f"{head}\n{self.table.to_string(index=False, float_format='{:.4g}'.format)}"


def regress(design: Design, frame: pd.DataFrame, formula: str) -> Regression:
    """The regression that `formula` describes, over the rows of `frame` (one a unit of the design).

    Logistic where the outcome is true and false (or 1 and 0), else linear. Text becomes a column a level against the first
    by name; `C(x, contr.treatment("b"))` chooses another. A row with a missing value is left out of the base, not of the
    design.

    Weighted pseudo maximum likelihood; variance linearised over PSUs within strata (Fuller 1975; Binder 1983), finite
    population and calibration as in `estimates`; df = PSUs - strata + 1 - columns, PSUs counted where somebody is in the
    base: R survey's `svyglm`. With df of 0 or less there are no limits and no p. Raises EstimateError for a formula that
    cannot be read, a column that is not there, and where there is no finite answer.
    """
    outcome = formula.partition("~")[0].strip()
    rows, base = _rows(frame, formula)
    y, columns = _read(rows, formula, outcome)
    kind, x, names = LOGISTIC if np.isin(y, (0.0, 1.0)).all() else LINEAR, columns.to_numpy(), columns.columns
    _check(outcome, y, columns)
    if kind == LOGISTIC:
        _check_separated(outcome, y, columns)
    weight, influence = design.weight[base], np.zeros((len(base), len(names)))
    beta, bread, residual = _fit(y, x, weight, kind)
    influence[base] = (x * residual[:, None]) @ bread
    covariance = estimate_covariance(design, influence)
    df, se = float(degrees(design, base) + 1 - len(beta)), np.sqrt(np.diag(covariance))
    half = (stats.t.ppf(0.975, df) if df > 0 else np.nan) * se
    t = np.divide(beta, se, out=np.full(len(beta), np.nan), where=se > 0)
    p = 2 * stats.t.sf(np.abs(t), df) if df > 0 else np.nan
    given = {"term": names, "coefficient": beta, "se": se, "low": beta - half, "high": beta + half, "t": t, "p": p}
    table = pd.DataFrame(given)
    if kind == LOGISTIC:
        odds = {"odds_ratio": "coefficient", "odds_low": "low", "odds_high": "high"}
        table = table.assign(**{name: np.exp(table[of]) for name, of in odds.items()})
    return Regression(table, pd.DataFrame(covariance, names, names), formula, kind, len(y), df)


def _fit(y: Floats, x: Floats, weight: Floats, kind: str) -> tuple[Floats, Floats, Floats]:
    """Coefficients, the inverse of the weighted information, and each row's residual (observed less fitted)."""
    scaled = weight / weight.mean()
    if kind == LINEAR:
        beta = sm.WLS(y, x, weights=scaled).fit(method="qr").params
        fitted, spread = x @ beta, np.ones_like(y)
    else:
        glm = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=scaled)
        beta = glm.fit(maxiter=100, tol_criterion="params", atol=1e-11, rtol=1e-11).params
        fitted = special.expit(x @ beta)
        spread = fitted * (1 - fitted)
    inverse = np.linalg.inv(np.linalg.qr(x * np.sqrt(weight * spread)[:, None], mode="r"))
    return np.asarray(beta), inverse @ inverse.T, y - fitted


# --- the formula --------------------------------------------------------------------------------------------------------


def _rows(frame: pd.DataFrame, formula: str) -> tuple[pd.DataFrame, Bools]:
    """The columns that the formula names, as floats and categories, over the rows that have them all; and which rows."""
    try:
        needed = {str(name) for name in Formula(formula).required_variables}
    except FormulaicError as error:
        raise EstimateError("regressions.unreadable", formula=formula) from error
    known = [str(name) for name in frame.columns]
    for name in sorted(needed - set(known)):
        raise EstimateError("regressions.no_column", column=name, close=near(name, known))
    needed |= set(NAME.findall(QUOTED.sub("", formula))) & set(known)
    rows = pd.DataFrame({name: _plain(frame[name]) for name in frame.columns if name in needed})
    base = rows.notna().all(axis=1).to_numpy()
    rows = rows[base]
    for name in rows.columns[rows.dtypes == "category"]:
        rows[name] = rows[name].cat.remove_unused_categories()
    if not len(rows):
        raise EstimateError("regressions.nobody", formula=formula)
    return rows, base


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


def _read(rows: pd.DataFrame, formula: str, outcome: str) -> tuple[Floats, pd.DataFrame]:
    """The outcome and the columns of numbers that the formula makes of the rows."""
    try:
        with np.errstate(all="ignore"):
            made = Formula(formula).get_model_matrix(rows, context={"np": np}, na_action="ignore")
        left, right = made.lhs, pd.DataFrame(made.rhs).astype(float)
    except (FormulaicError, AttributeError) as error:
        raise EstimateError("regressions.unreadable", formula=formula) from error
    if left.shape[1] != 1:
        raise EstimateError("regressions.bad_outcome", column=outcome, got=str(left.columns[0]))
    y = left.to_numpy(dtype=float)[:, 0]
    for name, values in zip([outcome, *right.columns], [y, *right.to_numpy().T], strict=True):
        if not np.isfinite(values).all():
            raise EstimateError("regressions.not_finite", column=str(name))
    return y, right


def _check(outcome: str, y: Floats, columns: pd.DataFrame) -> None:
    """Raise EstimateError where no regression has an answer."""
    if len(np.unique(y)) < 2:
        raise EstimateError("regressions.constant", column=outcome, got=f"{y[0]:g}", n=len(y))
    if len(y) <= columns.shape[1]:
        raise EstimateError("regressions.too_few", n=len(y), columns=columns.shape[1])
    x = columns.to_numpy()
    size = np.sqrt((x**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(x / np.where(size > 0, size, 1.0), mode="r")))
    if (left < TOLERANCE).any():
        raise EstimateError("regressions.collinear", columns=", ".join(columns.columns[left < TOLERANCE]))


def _check_separated(outcome: str, y: Floats, columns: pd.DataFrame) -> None:
    """Raise EstimateError where some weighing of the columns puts every 1 on one side of every 0: odds ratios have no end.

    The linear programme of Konis (2007), which also finds outcomes separated but for ties (Albert and Anderson 1984).
    """
    x = columns.to_numpy()
    scaled = x / np.abs(x).max(axis=0)
    sides = np.unique(np.where(y[:, None] > 0, scaled, -scaled), axis=0)
    found = optimize.linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=(-1, 1))
    if -found.fun > 1e-6:
        moved = (np.abs(found.x) > 1e-6) & (np.ptp(x, axis=0) > 0)
        raise EstimateError("regressions.separated", column=outcome, columns=", ".join(columns.columns[moved]))
