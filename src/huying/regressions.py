"""Linear and logistic regressions within a survey's design; refuses what `formulas` cannot answer with a finite number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm
from scipy import special, stats

from huying.covariances import degrees, estimate_covariance
from huying.estimates import Design
from huying.formulas import LINEAR, LOGISTIC, Model, Move, check_model, read_model
from huying.words import say

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Regression:
    """A regression: `table` has a row a term, `covariance` is that of the coefficients, `df` serves every limit and p.

    Columns of the table: term, coefficient, se, low, high, t, p; of a logistic one also odds_ratio, odds_low, odds_high and
    the average marginal effect, in probability: effect, effect_se, effect_low, effect_high (missing where a term has none).
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


def regress(design: Design, frame: pd.DataFrame, formula: str, model: str = "") -> Regression:
    """The regression that `formula` describes, over the rows of `frame` (one a unit of the design).

    Logistic where the outcome is true and false (or 1 and 0), else linear; `model="linear"` asks for a linear one of
    such an outcome. Text becomes a column a level against the first by name; `C(x, contr.treatment("b"))` chooses another.
    A row with a missing value is left out of the base, not of the design.

    Weighted pseudo maximum likelihood; variance linearised over PSUs within strata (Fuller 1975; Binder 1983), finite
    population and calibration as in `estimates`; df = PSUs - strata + 1 - columns, PSUs counted where somebody is in the
    base: R survey's `svyglm`. With df of 0 or less there are no limits and no p. Raises EstimateError, see `formulas`.
    """
    made = read_model(frame, formula)
    kind = model or (LOGISTIC if made.is_yes_no else LINEAR)
    check_model(made, kind)
    weight = design.weight[made.base]
    beta, bread, residual = _fit(made, weight, kind)
    influence = (made.x * residual[:, None]) @ bread
    moves = list(made.moves()) if kind == LOGISTIC else []
    effects, moved = _effects(made, moves, weight, beta, influence)
    whole = estimate_covariance(design, _spread(np.column_stack([influence, moved]), made))
    size, df = len(beta), float(degrees(design, made.base) + 1 - len(beta))
    table = _limits(beta, np.sqrt(np.diag(whole)[:size]), df).rename(columns={"value": "coefficient"})
    table.insert(0, "term", made.names)
    if kind == LOGISTIC:
        odds = np.exp(table[["coefficient", "low", "high"]]).set_axis(["odds_ratio", "odds_low", "odds_high"], axis=1)
        limits = _limits(effects, np.sqrt(np.diag(whole)[size:]), df)[["value", "se", "low", "high"]]
        limits.columns = ["effect", "effect_se", "effect_low", "effect_high"]
        table = table.join(odds).join(limits.set_axis([move.column for move in moves]))
    covariance = pd.DataFrame(whole[:size, :size], list(made.names), list(made.names))
    return Regression(table, covariance, formula, kind, len(made.y), df)


def _fit(made: Model, weight: Floats, kind: str) -> tuple[Floats, Floats, Floats]:
    """Coefficients, the inverse of the weighted information, and each row's residual (observed less fitted)."""
    scaled = weight / weight.mean()
    if kind == LINEAR:
        beta = sm.WLS(made.y, made.x, weights=scaled).fit(method="qr").params
        fitted, spread = made.x @ beta, np.ones_like(made.y)
    else:
        glm = sm.GLM(made.y, made.x, family=sm.families.Binomial(), freq_weights=scaled)
        beta = glm.fit(maxiter=100, tol_criterion="params", atol=1e-11, rtol=1e-11).params
        fitted = special.expit(made.x @ beta)
        spread = fitted * (1 - fitted)
    inverse = np.linalg.inv(np.linalg.qr(made.x * np.sqrt(weight * spread)[:, None], mode="r"))
    return np.asarray(beta), inverse @ inverse.T, made.y - fitted


def _effects(made: Model, moves: list[Move], weight: Floats, beta: Floats, influence: Floats) -> tuple[Floats, Floats]:
    """Average marginal effects of a logistic regression, and their influences (a row a person, a column an effect).

    The mean over the base, all else as it is, of the change in the probability that a move makes: of its slope where the
    variable is a number. The variance counts that of the coefficients (the delta method) and that of a mean over sampled
    people, with their covariance (Graubard and Korn 1999; Stata's `margins, vce(unconditional)`); R's margins takes the
    people as given.
    """
    total = float(weight.sum())
    effects, moved = np.zeros(len(moves)), np.zeros((len(weight), len(moves)))
    for k, move in enumerate(moves):
        change, turn = _slope(made.x, move, beta) if move.is_slope else _step(move, beta)
        effects[k] = weight @ change / total
        moved[:, k] = (change - effects[k]) / total + influence @ (weight @ turn) / total
    return effects, moved


def _step(move: Move, beta: Floats) -> tuple[Floats, Floats]:
    """Each person's change in probability from `below` to `above`, and its derivative by the coefficients."""
    p, q = (special.expit(x @ beta) for x in (move.below, move.above))
    return q - p, (q * (1 - q))[:, None] * move.above - (p * (1 - p))[:, None] * move.below


def _slope(x: Floats, move: Move, beta: Floats) -> tuple[Floats, Floats]:
    """Each person's slope of the probability in the variable, and its derivative by the coefficients."""
    step, p = move.above - move.below, special.expit(x @ beta)
    spread, slope = p * (1 - p), step @ beta
    return spread * slope, spread[:, None] * (step + ((1 - 2 * p) * slope)[:, None] * x)


def _spread(values: Floats, made: Model) -> Floats:
    """Values of the rows in the base as values of all units, 0 for those left out."""
    whole = np.zeros((len(made.base), values.shape[1]))
    whole[made.base] = values
    return whole


def _limits(value: Floats, se: Floats, df: float) -> pd.DataFrame:
    """Values with Student limits and two-sided p; without degrees of freedom both are missing."""
    half = (stats.t.ppf(0.975, df) if df > 0 else np.nan) * se
    t = np.divide(value, se, out=np.full(len(value), np.nan), where=se > 0)
    p = 2 * stats.t.sf(np.abs(t), df) if df > 0 else np.nan
    return pd.DataFrame({"value": value, "se": se, "low": value - half, "high": value + half, "t": t, "p": p})
