"""Limits of estimates at any level and the p values that invert them: the one place where the method of a row is told apart.

Shares of samples: Korn and Graubard (1998), with the ratio of t quantiles where few villages give the variance; of a finite list:
the hypergeometric tails; changes of shares: Zou and Donner (2008); means: Student. A count has no chance, its limits are its bounds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
POOLED, OWN, STUDENT, EXACT, COUNT = "korn-graubard pooled", "korn-graubard", "t", "exact", "count"
HYPERGEOMETRIC, MOVER = "hypergeometric", "mover"
NEEDED = ("estimate", "n", "n_eff", "se", "df", "method", "is_own_rho", "population")  # what limits rest on
NOW, THEN = "now_", "then_"  # before the names of the two shares of a change
LEAST_P, HALVINGS = 1e-12, 40


def korn_graubard(p: Floats, n_eff: Floats, level: Any = 0.95) -> tuple[Floats, Floats]:
    """Limits of shares `p` at effective sizes `n_eff`: Clopper and Pearson's at x = p n_eff (Korn and Graubard 1998)."""
    x, tail = np.clip(p, 0, 1) * n_eff, (1 - np.asarray(level)) / 2
    low, high = special.betaincinv(x, n_eff - x + 1, tail), special.betaincinv(x + 1, n_eff - x, 1 - tail)
    known = np.isfinite(x)
    return np.where(known & (x <= 0), 0.0, low), np.where(known & (x >= n_eff), 1.0, high)


def at_least(k: Any, n: Any, population: Any, having: Any) -> Floats:
    """The chance that at least `k` of `n` drawn from a population have what `having` of them have (hypergeometric).

    No population has fewer than none or more than all: the chance of what cannot be is 0.
    """
    return np.asarray(np.nan_to_num(stats.hypergeom.sf(np.subtract(k, 1), population, having, n)))


def fewest(k: Any, n: Any, population: Any, tail: Any) -> Floats:
    """The fewest of a population that may have what `k` of `n` drawn have: the first number with a chance above `tail`."""
    low, high = (np.array(v, dtype=float) for v in np.broadcast_arrays(k, np.subtract(population, n) + k))
    while (low < high).any():
        middle = (low + high) // 2
        is_likely = at_least(k, n, population, middle) > tail
        low, high = np.where(is_likely, low, np.minimum(middle + 1, high)), np.where(is_likely, middle, high)
    return low


def hypergeometric(k: Floats, n: Floats, population: Floats, level: Any = 0.95) -> tuple[Floats, Floats]:
    """The fewest and the most of a population that may have what `k` of `n` drawn have (Buonaccorsi 1987), at each tail."""
    tail = (1 - np.asarray(level)) / 2
    return fewest(k, n, population, tail), population - fewest(n - k, n, population, tail)


def mover(first: tuple[Any, Any, Any], second: tuple[Any, Any, Any], r: Any = 0.0) -> tuple[Floats, Floats]:
    """Limits of a difference from two estimates, each with its limits, and their correlation (Zou and Donner 2008, equation 8).

    >>> [round(float(v), 4) for v in mover((0.8, 0.6921, 0.8772), (0.6, 0.4905, 0.7004))]  # Newcombe 1998, example (a)
    [0.0524, 0.3339]
    """
    (p, low_p, high_p), (q, low_q, high_q) = first, second
    sides = np.array((p - low_p, high_p - p)), np.array((high_q - q, q - low_q))
    below, above = np.sqrt(np.maximum(sides[0] ** 2 + sides[1] ** 2 - 2 * r * sides[0] * sides[1], 0.0))
    return np.asarray(p - q - below), np.asarray(p - q + above)


def shrink(n: Any, df: Any, level: Any = 0.95) -> Floats:
    """Korn and Graubard's correction for few degrees of freedom: (t(n-1)/t(df))^2 at the level; missing without any."""
    half = (1 + np.asarray(level, dtype=float)) / 2
    with np.errstate(invalid="ignore"):
        df = np.where(np.asarray(df) > 0, df, np.nan)
        return np.asarray((special.stdtrit(n - 1, half) / special.stdtrit(df, half)) ** 2)


def _numbers(frame: pd.DataFrame) -> tuple[list[Floats], npt.NDArray[Any], Bools]:
    """estimate, n, n_eff, se, df of rows; their methods; and whose size is corrected for degrees of freedom."""
    numbers = [frame[c].to_numpy(dtype=float) if c in frame else np.full(len(frame), np.nan) for c in NEEDED[:5]]
    method = frame["method"].to_numpy(dtype=object)
    own = frame["is_own_rho"].eq(True).to_numpy(dtype=bool) if "is_own_rho" in frame else np.zeros(len(frame), bool)
    return numbers, method, own | (method == OWN)


def _drawn(frame: pd.DataFrame, at: Bools) -> tuple[Floats, Floats, Floats]:
    """How many said yes, how many answered, and of how many, in rows of finite lists."""
    n, population = (frame.loc[at, name].to_numpy(dtype=float) for name in ("n", "population"))
    return np.rint(frame.loc[at, "estimate"].to_numpy(dtype=float) * n), n, population


def limits(frame: pd.DataFrame, level: Any = 0.95) -> tuple[Floats, Floats]:
    """Two-sided limits of the rows of an estimates frame at `level` (one number, or one a row), by each row's method."""
    return limits_of(frame)(level)


def limits_of(frame: pd.DataFrame) -> Callable[[Any], tuple[Floats, Floats]]:
    """What gives the limits of these rows at any level: the frame is read once, however many levels are tried."""
    (estimate, n, n_eff, se, df), method, is_corrected = _numbers(frame)
    is_t, is_count, is_list = method == STUDENT, method == COUNT, (method == HYPERGEOMETRIC) & np.isfinite(estimate)
    k, answered, population = _drawn(frame, is_list) if is_list.any() else (np.empty(0),) * 3
    bounds = [frame.get(c, frame["estimate"]).to_numpy(float) for c in ("low", "high")]
    if (is_change := method == MOVER).any():
        both = [frame.loc[is_change, [wave + c for c in NEEDED]].set_axis(list(NEEDED), axis=1) for wave in (NOW, THEN)]
        shares = [(rows["estimate"].to_numpy(dtype=float), limits_of(rows)) for rows in both]

    def at(level: Any) -> tuple[Floats, Floats]:
        level = np.broadcast_to(np.asarray(level, dtype=float), len(estimate))
        with np.errstate(invalid="ignore", divide="ignore"):
            raw = np.where((method == OWN) & (se > 0), estimate * (1 - estimate) / se**2, n_eff / shrink(n, df))
            size = np.minimum(np.fmax(n, n_eff), raw * shrink(n, df, level))
            low, high = korn_graubard(estimate, np.where(is_corrected, size, n_eff), level)
            half = special.stdtrit(np.where(df > 0, df, np.nan), (1 + level) / 2) * se
        low, high = np.where(is_t, estimate - half, low), np.where(is_t, estimate + half, high)
        if len(k):
            few, many = hypergeometric(k, answered, population, level[is_list])
            is_open = (few == many) & (answered < population)  # not all have answered: there is a width
            few, many = few - (is_open & (k == answered)), many + (is_open & (k < answered))
            low[is_list], high[is_list] = few / population, many / population
        if is_change.any():
            now, then = ((share, *ends(level[is_change])) for share, ends in shares)
            low[is_change], high[is_change] = mover(now, then, frame.loc[is_change, "r"].to_numpy(dtype=float))
        return np.where(is_count, bounds[0], low), np.where(is_count, bounds[1], high)

    return at


def p_above(frame: pd.DataFrame, threshold: float, *, is_met: bool = False) -> tuple[Floats, Floats]:
    """One-sided p values of "not above `threshold`" and "not below `threshold`", the inversions of `limits`.

    Of a finite list of N whole people, "above" is tested at floor(threshold N) and "not above" at one more; with `is_met`,
    where the threshold itself is enough ("at least", and what is refuted by reaching it), at ceil(threshold N) - 1 and
    ceil(threshold N).
    """
    (estimate, _, n_eff, se, df), method, is_corrected = _numbers(frame)
    x, gap = estimate * n_eff, estimate - threshold
    with np.errstate(invalid="ignore", divide="ignore"):
        above = np.where(x <= 0, 1.0, special.betainc(x, n_eff - x + 1, threshold))
        below = np.where(x >= n_eff, 1.0, special.betaincc(x + 1, n_eff - x, threshold))
        # Of a full list nothing is left to chance.
        t, is_t = np.where(se > 0, gap / np.where(se > 0, se, 1.0), np.copysign(np.inf, gap)), method == STUDENT
        above, below = np.where(is_t, special.stdtr(df, -t), above), np.where(is_t, special.stdtr(df, t), below)
    if (at := (method == HYPERGEOMETRIC) & np.isfinite(estimate)).any():
        k, n, population = _drawn(frame, at)
        whole, slack = threshold * population, 1e-9
        least = np.ceil(whole - slack) if is_met else np.floor(whole + slack) + 1  # the fewest that are above
        above[at], below[at] = at_least(k, n, population, least - 1), at_least(n - k, n, population, population - least)
    if (at := is_corrected | (method == MOVER)).any():
        above[at], below[at] = _inverted(frame[at], gap[at] > 0, threshold)
    return above, below


def _inverted(rows: pd.DataFrame, is_above: Bools, threshold: float) -> tuple[Floats, Floats]:
    """The p values at which a limit comes to the threshold, by bisection of their logarithms; the other side's is its complement."""
    least, most, limits_at = np.full(len(rows), np.log(LEAST_P)), np.zeros(len(rows)), limits_of(rows)
    for _ in range(HALVINGS):
        middle = (least + most) / 2
        low, high = limits_at(1 - np.exp(middle))
        is_apart = np.where(is_above, low > threshold, high < threshold)
        least, most = np.where(is_apart, least, middle), np.where(is_apart, middle, most)
    p = np.where(rows["estimate"].notna(), np.exp(most) / 2, np.nan)
    return np.where(is_above, p, 1 - p), np.where(is_above, 1 - p, p)
