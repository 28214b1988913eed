"""An ordered answer explained, design-based; refuses coefficients where the data allow no finite ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from huying.estimates import Floats, Ints, estimate_covariance
from huying.scales.weighted import as_weights, fixed_design

MOST_SPREAD = 30.0  # log odds within the data beyond which a model has no finite answer


class Ordinal(NamedTuple):
    """A cumulative logit model: log odds of a higher answer, thresholds, standard errors, df, n, and why there are none."""

    coefficients: Floats
    thresholds: Floats
    se: Floats
    threshold_se: Floats
    df: float
    n: int
    reason: str = ""


def ordinal_logit(y: Any, predictors: Any, weight: Any = None, stratum: Any = None, psu: Any = None) -> Ordinal:
    """The cumulative logit model logit P(answer <= k) = threshold_k - x coefficient (McCullagh 1980), design-based.

    Weighted pseudo-likelihood; standard errors by linearisation over PSUs within strata (Binder 1983), as R survey's
    svyolr, without a finite population; df = PSUs - strata - predictors. `y` holds ordered numbers, `predictors` a row a
    person; rows with a missing value are left out. Where answers or a predictor do not vary, or a predictor parts the
    answers, there are no numbers and `reason` is `separation`; without degrees of freedom it is `too few answers`.
    """
    answers = pd.Series(y).to_numpy(dtype=float, na_value=np.nan)
    columns = pd.DataFrame(predictors).to_numpy(dtype=float, na_value=np.nan)
    n = len(answers)
    w = as_weights(weight, n)
    kept = np.isfinite(answers) & np.isfinite(columns).all(axis=1)
    strata, psus = np.zeros(n) if stratum is None else stratum, np.arange(n) if psu is None else psu
    at = fixed_design(np.asarray(strata)[kept], np.asarray(psus)[kept], w[kept])
    found, codes = np.unique(answers[kept], return_inverse=True)
    x, p, q = columns[kept], columns.shape[1], len(found) - 1
    df = float(at.psus.sum() - (at.psus > 0).sum() - p)
    empty, cuts = np.full(p, np.nan), np.full(max(q, 0), np.nan)
    none = Ordinal(empty, cuts, empty, cuts, df, len(x))
    if q < 1 or np.linalg.matrix_rank(np.column_stack([np.ones(len(x)), x])) <= p:
        return none._replace(reason="separation")
    place, scores, hessian = fitted(codes, x, q, at.weight)
    if place is None:
        return none._replace(reason="separation")
    if df <= 0:
        return none._replace(coefficients=place[:p], thresholds=place[p:], reason="too few answers")
    se = np.sqrt(np.diag(estimate_covariance(at, scores @ np.linalg.inv(-hessian))))
    return Ordinal(place[:p], place[p:], se[:p], se[p:], df, len(x))


def fitted(codes: Ints, x: Floats, q: int, weight: Floats) -> tuple[Floats | None, Floats, Floats]:
    """Coefficients then thresholds at the maximum, each row's score, and the Hessian; no place where there is no maximum.

    Newton's steps, halved until the likelihood rises: it is concave (Pratt 1981), so the maximum is the only one.
    """
    p = x.shape[1]
    share = np.cumsum(np.bincount(codes, weight))[:-1] / weight.sum()
    place = np.concatenate([np.zeros(p), np.log(share / (1 - share))])
    value, scores, hessian = likelihood(place, codes, x, q, weight)
    for _ in range(100):
        step = np.linalg.solve(-hessian, weight @ scores)
        gain = float(step @ (weight @ scores))
        rise = next(
            (r for r in 0.5 ** np.arange(30) if likelihood(place + r * step, codes, x, q, weight)[0] >= value), 0.0
        )
        place = place + rise * step
        value, scores, hessian = likelihood(place, codes, x, q, weight)
        if np.ptp(x @ place[:p]) > MOST_SPREAD:
            return None, scores, hessian
        if gain <= 1e-20 * max(1.0, abs(value)) or rise == 0:
            break
    return place, scores, hessian


def likelihood(place: Floats, codes: Ints, x: Floats, q: int, weight: Floats) -> tuple[float, Floats, Floats]:
    """The weighted log likelihood (minus infinity where thresholds are out of order), rows' scores, and the Hessian."""
    p = x.shape[1]
    cuts = np.concatenate([[-np.inf], place[p:], [np.inf]])
    if (np.diff(cuts[1:-1]) <= 0).any():
        return -np.inf, np.zeros((len(x), p + q)), -np.eye(p + q)
    line, marks = x @ place[:p], np.eye(q + 2)[:, 1:-1]
    ends = [(cuts[codes + k] - line, np.column_stack([-x, marks[codes + k]])) for k in (1, 0)]
    (above, upper), (below, lower) = ends
    chance = np.maximum(expit(above) - expit(below), 1e-300)
    dense = [expit(end) * expit(-end) for end in (above, below)]
    bent = [d * (1 - 2 * expit(end)) for d, end in zip(dense, (above, below), strict=True)]
    first = [dense[0] / chance, -dense[1] / chance]
    second = [bent[0] / chance - first[0] ** 2, -bent[1] / chance - first[1] ** 2, -first[0] * first[1]]
    scores = upper * first[0][:, None] + lower * first[1][:, None]
    cross = (upper * (weight * second[2])[:, None]).T @ lower
    hessian = (upper * (weight * second[0])[:, None]).T @ upper + (lower * (weight * second[1])[:, None]).T @ lower
    return float(weight @ np.log(chance)), scores, hessian + cross + cross.T
