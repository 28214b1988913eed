"""Design-based estimates for all towns in one pass; refuses a number where the design gives no variance.

A share, mean or ratio R = sum(w y)/sum(w x) has the influence w (y - R x)/sum(w x). Its variance: `huying.design`; intervals:
`huying.intervals`; the effective size of a town's share rests on an intraclass correlation pooled over towns, or its own (definitions, section 3).
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from huying.design import Design, degrees, deviations, estimate_covariance, kish, psus_of, ratio
from huying.intervals import COUNT, HYPERGEOMETRIC, MOVER, OWN, POOLED, STUDENT, Bools, Floats, Ints, limits, shrink
from huying.words import EstimateError

Term = tuple[float, Floats, Bools]  # coefficient, values, who is in the base
Pairs = dict[str, tuple[Floats, Any]]  # what ratios are made of, by the indicator's name
Rows = dict[str, Any]  # columns of an estimates frame, for one indicator
LEADING = ("estimate", "low", "high", "n", "n_eff", "df", "deff", "reliability", "reason", "method", "se")
COLUMNS = ("indicator", "place", "wave", *LEADING)
EXTRA = ("rho", "own_rho", "is_own_rho", "population")  # of shares: what their limits at any level rest on
COUNTY = "county"
# A town whose villages differ more than chance would at the pooled rho takes its own (definitions, section 3).
PRETEST = 0.25


def _anova(design: Design, y: Floats, base: Bools) -> Floats:
    """For every town of shares `y`: sums of squares between and within PSUs, their degrees of freedom, and (df between) x take.

    The take is the mean one of an analysis of variance, by which its expected mean square between PSUs grows.
    """
    m, sums = (np.bincount(design.psu, values, minlength=len(design.owner)) for values in (base, y * base))
    m, sums, owner, size = m[m > 0], sums[m > 0], design.owner[m > 0], len(design.places)
    n, total, squares, villages = (np.bincount(owner, v, minlength=size) for v in (m, sums, m**2, np.ones_like(m)))
    some = np.maximum(n, 1)
    between = np.bincount(owner, m * (sums / m - (total / some)[owner]) ** 2, minlength=size)
    within = np.bincount(design.stratum, y**2 * base, minlength=size)
    within = within - np.bincount(owner, sums**2 / m, minlength=size)
    between, within = (np.where(v > 1e-9 * some, v, 0.0) for v in (between, within))  # what rounding leaves is nothing
    return np.array([between, within, np.maximum(villages - 1, 0), n - villages, n - squares / some])


def _rho(anova: Floats) -> tuple[Floats, Floats, Floats]:
    """The intraclass correlation of an analysis of variance, at least 0 (and 0 where nothing tells it), its F and its mean take."""
    between, within, df_b, df_w, left = anova
    with np.errstate(invalid="ignore", divide="ignore"):
        msb, msw, take = between / df_b, within / df_w, left / df_b
        rho = (msb - msw) / (msb + (take - 1) * msw)
        return np.where(rho > 0, rho, 0.0), msb / msw, take


def town_rho(design: Design, y: Floats, base: Bools) -> tuple[float, Floats, Bools]:
    """The pooled intraclass correlation, each town's own, and the towns whose villages differ more than the pooled one explains.

    F over its expectation at the pooled rho is F of (villages - 1, n - villages) degrees of freedom; below PRETEST it is
    the town's own rho that counts, where that is the larger.
    """
    anova = _anova(design, y, base)
    pooled, (own, f, take) = float(_rho(anova.sum(axis=1))[0]), _rho(anova)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = special.fdtrc(anova[2], anova[3], f / (1 + take * pooled / (1 - pooled)))
    return pooled, own, (p < PRETEST) & (own > pooled)


def estimate_shares(design: Design, indicators: pd.DataFrame, asked: Any = None, **how: Any) -> pd.DataFrame:
    """Shares of every column of `indicators` (1, 0, missing = not in the base) for every stratum and the county.

    A tidy frame with COLUMNS and EXTRA, one row an indicator and place. Towns of a sample of PSUs use the design effect of
    definitions, section 3, towns that are lists of people the hypergeometric limits, the county its own variance. `asked`,
    of the same shape, marks who is in the base though the answer is missing: of a finite list all others are outside it.
    `how`: `wave`, and `fewest`, the number of answers below which a place's value is not stated (20). Raises EstimateError
    for what is no share.
    """
    pairs = _over_one(indicators)
    for name, (y, _) in pairs.items():
        if len(strange := y[np.isfinite(y) & (y != 0) & (y != 1)]):
            raise EstimateError("estimates.no_share", column=name, got=f"{strange[0]:g}")
    return _estimate(design, pairs, _share_rows, asked, **how)


def estimate_means(design: Design, indicators: pd.DataFrame, asked: Any = None, **how: Any) -> pd.DataFrame:
    """Means of every column of `indicators`, as `estimate_shares`, with Student intervals at each place's own variance."""
    return _estimate(design, _over_one(indicators), _place_rows, asked, **how)


def estimate_ratios(design: Design, name: str, y: Floats, x: Floats, **how: Any) -> pd.DataFrame:
    """The ratio sum(w y)/sum(w x) for every stratum and the county, with Student intervals; `how` as of the others, and `asked`."""
    return _estimate(design, {name: (y, x)}, _place_rows, **how)


def estimate_sum(design: Design, name: str, parts: list[Term], asked: Any = None, **how: Any) -> pd.DataFrame:
    """The sum of coefficient x mean over `parts` (coefficient, values, base), for every stratum and the county.

    Coefficients 1 and -1 give a difference: of two domains, of two items of one respondent, or of two waves that share
    PSUs. The covariance of the parts is kept. n is the smallest of the parts' bases.
    """
    rows, base = [], np.logical_or.reduce([k for _, _, k in parts])
    open_to = base if asked is None else base | asked.any(axis=1).to_numpy()
    for whole in (False, True):
        domain, size = _domain(design, whole)
        means = [(c, ratio(design, np.where(k, v, 0.0), k.astype(float), domain, size)) for c, v, k in parts]
        influence = sum((c * turn for c, (_, turn) in means), np.zeros(len(design.weight)))
        own = _variance_rows(design, influence, base, open_to, whole)
        n = np.min([np.bincount(domain[k], minlength=size) for _, _, k in parts], axis=0)
        value = np.sum([c * mean for c, (mean, _) in means], axis=0)
        rows.append(own | {"indicator": name, "estimate": value, "n": n, "deff": np.nan, "n_eff": np.nan})
    return _tidy(rows, **how)


def _over_one(indicators: pd.DataFrame) -> Pairs:
    """The columns as numbers over one: their ratios are means."""
    return {name: (indicators[name].to_numpy(dtype=float, na_value=np.nan), 1.0) for name in indicators}


def _estimate(design: Design, pairs: Pairs, rows_of: Any, asked: Any = None, **how: Any) -> pd.DataFrame:
    """The rows of every ratio, for the strata and for the county; who lacks a number of the two is not in its base."""
    rows: list[Rows] = []
    for name, (num, den) in pairs.items():
        if np.isinf(num).any() or np.isinf(den).any():
            raise EstimateError("estimates.not_finite", column=name)
        base = np.isfinite(num) & np.isfinite(den)
        open_to = base if asked is None else base | asked[name].to_numpy(dtype=bool)
        parts = np.where(base, num, 0.0), np.where(base, den, 0.0), base, open_to
        rows += [rows_of(design, name, *parts, whole) for whole in (False, True)]
    return _tidy(rows, **how)


def _domain(design: Design, whole: bool) -> tuple[Ints, int]:
    """Every unit's domain, and their number: the whole county, or the strata."""
    return (np.zeros_like(design.stratum), 1) if whole else (design.stratum, len(design.places))


def _variance_rows(design: Design, influence: Floats, base: Bools, open_to: Bools, whole: bool) -> Rows:
    """Standard errors, degrees of freedom and method, for the county as a whole or for its strata.

    Of a finite population only those who answered (`base`) count as drawn, not all whom the item was open to; where they
    are all of it, the value is a count.
    """
    size = len(design.places)
    complete = np.zeros(size, dtype=bool)
    if design.fpc is not None:
        n, wanted = (np.bincount(design.stratum[who], minlength=size) for who in (base, open_to))
        complete = (design.psus >= design.fpc) & (n == wanted)
        design = replace(design, fpc=design.fpc * np.divide(wanted, n, out=np.ones(size), where=n > 0))
    if whole:
        variance, df = np.diag(estimate_covariance(design, influence)), np.array([degrees(design, base)])
        complete = np.array([complete.all()])
    else:
        apart, owner = deviations(design, influence)
        variance = np.where(design.psus > 1, np.bincount(owner, apart[:, 0] ** 2, minlength=size), np.nan)
        df = psus_of(design, base) - 1
    places, method = [COUNTY] if whole else list(design.places), np.where(complete, COUNT, STUDENT)
    return {"place": places, "se": np.sqrt(variance), "df": df * 1.0, "method": method}


def _place_rows(design: Design, name: str, y: Floats, x: Floats, base: Bools, open_to: Bools, whole: bool) -> Rows:
    domain, size = _domain(design, whole)
    value, influence = ratio(design, y, x, domain, size)
    rows, n = _variance_rows(design, influence, base, open_to, whole), np.bincount(domain[base], minlength=size)
    w, spread = (np.bincount(domain, design.weight * v, minlength=size) for v in (base, influence**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        deff = rows["se"] ** 2 * (n - 1) / (spread * w)
        n_eff = n / np.where(deff > 0, deff, np.nan)
    return rows | {"indicator": name, "estimate": value, "n": n, "deff": deff, "n_eff": n_eff}


def _share_rows(design: Design, name: str, y: Floats, x: Floats, base: Bools, open_to: Bools, whole: bool) -> Rows:
    rows = _place_rows(design, name, y, x, base, open_to, whole)
    is_count, n, blank = rows["method"] == COUNT, rows["n"], dict.fromkeys(EXTRA, np.nan) | {"is_own_rho": False}
    if whole:
        method = np.where(is_count, COUNT, OWN)
        return rows | blank | {"method": method, "n_eff": _own_size(design, rows, base)}
    rho, own, is_own = town_rho(design, y, base)
    n_eff = _town_size(design, base, np.where(is_own, own, rho)) * np.where(is_own, shrink(n, rows["df"]), 1.0)
    drawn, population = np.zeros(len(n), dtype=bool), np.full(len(n), np.nan)
    if design.fpc is not None:
        n_eff = n_eff / np.maximum(1 - design.sampled, 1e-9)
        # A list of people whose weights are equal: what is not known of it is who of so many would say so.
        spread, units = kish(design.weight, design.stratum, len(n)), np.bincount(design.stratum, minlength=len(n))
        drawn = np.isfinite(design.fpc) & (design.psus == units) & (spread < 1 + 1e-9) & ~is_count
        population = np.rint(design.fpc) - np.bincount(design.stratum[~open_to], minlength=len(n))
    method = np.select([is_count, drawn], [COUNT, HYPERGEOMETRIC], POOLED)
    extra = {"rho": rho, "own_rho": own, "is_own_rho": is_own & (method == POOLED), "population": population}
    return rows | {"method": method, "n_eff": np.where(drawn | is_count, n, n_eff)} | extra


def _town_size(design: Design, base: Bools, rho: Any) -> Floats:
    """n over Kish's factor and 1 + (m* - 1) rho in each town, m* = sum(W^2) / sum(w^2) with W the sums of w over PSUs.

    With equal weights m* = sum(m^2) / sum(m): unequal takes count once, not again in Kish's factor.
    """
    weight, town, size = design.weight[base], design.stratum[base], len(design.places)
    whole = np.bincount(design.psu[base], weight, minlength=len(design.owner))
    n, squares = np.bincount(town, minlength=size), np.bincount(town, weight**2, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        used = design.owner >= 0
        take = np.bincount(design.owner[used], whole[used] ** 2, minlength=size) / squares
        return np.asarray(n / (kish(weight, town, size) * (1 + (take - 1) * rho)))


def _own_size(design: Design, rows: Rows, base: Bools) -> Floats:
    """Korn and Graubard's size at the place's own variance, with their correction for degrees of freedom, at most n.

    A share of none or all has no variance to go by: n over Kish's factor, with that correction.
    """
    p, se, n, df = (float(rows[c][0]) for c in ("estimate", "se", "n", "df"))
    factor = float(shrink(n, df))
    if not 1e-9 < p < 1 - 1e-9:
        rows["se"] = np.zeros(1)  # but for rounding
        return factor * n / kish(design.weight[base], np.zeros(int(n), dtype=np.int64), 1)
    size = p * (1 - p) / se**2 * factor if se > 0 else np.inf
    return np.array([min(n, size) if design.fpc is None else size])


def _tidy(rows: list[Rows], wave: str = "", fewest: int = 20) -> pd.DataFrame:
    parts = {c: [np.broadcast_to(own.get(c, np.nan), len(own["place"])) for own in rows] for c in rows[0]}
    made: Rows = {c: np.concatenate(part) for c, part in parts.items()}
    value, n, df, se, method = (made[c] for c in ("estimate", "n", "df", "se", "method"))
    low, high = limits(pd.DataFrame({c: made[c] for c in made if c not in ("indicator", "place")}))
    few, one = n < fewest, (method != COUNT) & ~(df > 0)
    alike = (method == STUDENT) & ~(se > 1e-9 * np.abs(value) + 1e-12)
    why = {"too few answers": few, "no eligible case": np.isnan(value), "one psu": one, "no variation": alike}
    made |= {"low": low, "high": high, "reason": np.select(list(why.values()), list(why), "")}
    made["reliability"] = rate(made)
    hidden = {"estimate": few, "n_eff": few, "se": few | one, "deff": few | one}
    hidden |= dict.fromkeys(("low", "high"), few | one | alike)
    made |= {name: np.where(where, np.nan, made[name]) for name, where in hidden.items()} | {"wave": wave}
    return pd.DataFrame(made, columns=[*COLUMNS, *(c for c in EXTRA if c in made)])


def rate(rows: Any) -> npt.NDArray[np.str_]:
    """The reliability of rows whose reason is known: a frame, or arrays by name.

    To be read with care: an interval wider than 30 points, a relative width over 130%, or a town whose own rho was taken. A
    change has no relative width, a mean of scores neither.
    """
    value, low, high = (np.asarray(rows[name], dtype=float) for name in ("estimate", "low", "high"))
    method, reason = (np.asarray(rows[name], dtype=object) for name in ("method", "reason"))
    is_own = pd.Series(rows["is_own_rho"]).eq(True).to_numpy(dtype=bool) if "is_own_rho" in rows else False
    is_wide = (high - low > 0.30) | ((value > 0) & (method != MOVER) & (high - low > 1.30 * value))
    is_unsteady = ~np.isin(method, [STUDENT, COUNT]) & (is_wide | is_own)
    why = [reason == "too few answers", reason != "", is_unsteady]
    return np.select(why, ["too few answers", "not estimable", "read with care"], "ok")
