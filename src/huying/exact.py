"""Exact answers for a few units, without large-sample formulas; refuses a p value smaller than the number of assignments can give."""

import itertools
from collections.abc import Sequence
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.stats.contingency import odds_ratio

from huying.errors import EstimateError
from huying.intervals import Bools, Floats, hypergeometric

MOST_ASSIGNMENTS = 200_000  # above it assignments are drawn at random
DRAWS = 9_999


class OddsRatio(NamedTuple):
    """A conditional odds ratio: its maximum likelihood estimate and exact limits."""

    estimate: float
    low: float
    high: float


class Permutation(NamedTuple):
    """A permutation test: difference of means, p value, the smallest p that these units can give, number of assignments."""

    difference: float
    p: float
    smallest_p: float
    assignments: int


def _check(**counts: tuple[float, float]) -> None:
    for name, (part, whole) in counts.items():
        if not 0 <= part <= whole or part != int(part) or whole != int(whole):
            raise EstimateError("exact.bad_counts", name=name, part=part, whole=whole)


def hypergeometric_limits(k: int, n: int, population: int, level: float = 0.95) -> tuple[int, int]:
    """The fewest and the most units of a population that may have the trait when k of the n that answered have it.

    The limits invert the two hypergeometric tails at (1 - level)/2 each (Buonaccorsi 1987): exact for a finite population,
    and one number when all have answered. They take those who answered as drawn by chance. Raises EstimateError for
    counts that cannot be.

    >>> hypergeometric_limits(18, 30, 36)
    (19, 24)
    """
    _check(k=(k, n), n=(n, population))
    low, high = hypergeometric(np.array([k]), np.array([n]), np.array([population]), level)
    return int(low[0]), int(high[0])


def conditional_odds_ratio(k1: int, n1: int, k0: int, n0: int, level: float = 0.95) -> OddsRatio:
    """The odds of k1 of n1 against those of k0 of n0, given all margins: what R's fisher.test says, to more digits.

    The estimate maximises the noncentral hypergeometric likelihood, the limits invert its two tails (Fisher 1935; Cornfield
    1956). With an empty cell the estimate and one limit are 0 or infinite; with an empty margin the table says nothing:
    estimate missing, limits 0 and infinite. Raises EstimateError for counts that cannot be.

    >>> round(conditional_odds_ratio(3, 4, 1, 4).estimate, 4)  # the lady tasting tea
    6.4083
    """
    _check(k1=(k1, n1), k0=(k0, n0))
    table = np.array([[k1, n1 - k1], [k0, n0 - k0]], dtype=np.int64)
    found = odds_ratio(table, kind="conditional")
    low, high = found.confidence_interval(level)
    return OddsRatio(float(found.statistic), float(low), float(high))


def median_unbiased(k1: int, n1: int, k0: int, n0: int) -> float:
    """The log of the odds ratio at which a table as extreme on either side has probability one half: finite where one cell is 0.

    Where the maximum likelihood estimate is infinite only one of the two tails has such a point, and it is taken (Hirji,
    Tsiatis and Mehta 1989); otherwise the two are averaged. Missing where a margin is empty.
    """
    ends = np.array(conditional_odds_ratio(k1, n1, k0, n0, level=0.0)[1:])
    points = np.log(ends[(ends > 0) & np.isfinite(ends)])
    return float(points.mean()) if len(points) else float("nan")


def permutation_p(values: Sequence[float] | Floats, treated: Sequence[bool] | Bools) -> Permutation:
    """Whether the treated units (towns) differ from the others by more than a chance choice of as many units would show.

    All choices are gone through, or, where there are more than MOST_ASSIGNMENTS, DRAWS of them with the observed one added
    (Phipson and Smyth 2010). `smallest_p` is what the most extreme choice would have got: with one treated town of 18 it is
    1/18 two-sided, and no outcome whatever can be significant at 5%. It tests the sharp hypothesis of no effect in any
    unit, and holds as a test only if the treated units could as well have been others (Fisher 1935; Rosenbaum 2002).
    Raises EstimateError without both kinds of units or with a missing value.

    >>> permutation_p([9, 1, 2, 3], [True, False, False, False]).smallest_p
    0.25
    """
    y, chosen = np.asarray(values, dtype=float), np.flatnonzero(treated)
    if not 0 < len(chosen) < len(y) or np.isnan(y).any():
        raise EstimateError("exact.bad_assignment", treated=len(chosen), units=len(y))
    ways, size, rest = comb(len(y), len(chosen)), len(chosen), len(y) - len(chosen)
    if ways <= MOST_ASSIGNMENTS:
        picks = np.array(list(itertools.combinations(range(len(y)), size)))
    else:
        rng = np.random.default_rng(0)
        picks = np.array([chosen, *(rng.permutation(len(y))[:size] for _ in range(DRAWS))])
    inside = y[picks].sum(axis=1)
    gaps = inside / size - (y.sum() - inside) / rest
    here = y[chosen].mean() - np.delete(y, chosen).mean()
    apart, slack = np.abs(gaps), 1e-9 * float(np.ptp(y))
    p, smallest_p = (float((apart >= most - slack).mean()) for most in (abs(here), apart.max()))
    return Permutation(float(here), p, smallest_p, len(picks))
