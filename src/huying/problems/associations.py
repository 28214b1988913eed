"""Slopes and gaps within a county's design, each with its variance; refuses to call any of them a cause."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from huying.estimates import COUNTY, STUDENT, Design, county_variance, credited, ratio

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ASSOCIATION = "association"


def student(value: float, se: float, df: float, n: float, reason: str = "") -> pd.DataFrame:
    """The county's row of an association, with Student limits; with a `reason` nothing is stated."""
    if not reason and not (se > 0 and df > 0):
        reason = "not estimable"
    if reason:
        value = se = np.nan
    half = stats.t.ppf(0.975, df) * se if df > 0 else np.nan
    read = ("too few answers" if reason == "too few answers" else "not estimable") if reason else "read with care" if df < 8 else "ok"  # fmt: skip
    return pd.DataFrame({"place": [COUNTY], "estimate": value, "low": value - half, "high": value + half, "se": se, "n": float(n), "df": df,
                         "method": STUDENT, "reliability": read, "reason": reason, "remark": "" if reason else ASSOCIATION})  # fmt: skip


def regress(design: Design, y: Floats, x: Floats) -> tuple[float, float, float, int]:
    """The slope of `y` on the first column of `x` (its other columns held equal), its standard error, df and n.

    Weighted least squares, the variance linearised over PSUs within strata (Fuller 1975; Binder 1983), df = PSUs - strata
    + 1 - columns, as R survey's svyglm. A row with a gap is out of the base, not of the design. Columns that others
    already say leave no slope: missing.
    """
    base = np.isfinite(y) & np.isfinite(x).all(axis=1)
    x, y = np.where(base[:, None], x, 0.0), np.where(base, y, 0.0)
    x = x[:, np.abs(x).max(axis=0, initial=0.0) > 0] if np.abs(x[:, 0]).any() else x[:, :0]
    n, columns = int(base.sum()), x.shape[1]
    if not columns or n <= columns or np.linalg.matrix_rank(x) < columns:
        return np.nan, np.nan, np.nan, n
    bread = np.linalg.inv((x * design.weight[:, None]).T @ x)
    slopes = bread @ (x * design.weight[:, None]).T @ y
    influence = credited(design, (x @ bread[:, 0]) * (y - x @ slopes))
    cells = np.unique(np.column_stack([design.stratum, design.psu])[base], axis=0)
    df = float(len(cells) - len(np.unique(cells[:, 0])) + 1 - columns)
    return float(slopes[0]), float(np.sqrt(county_variance(design, influence))), df, n


def ratio_gap(design: Design, num: Floats, den: Floats, first: Bools, second: Bools) -> tuple[float, float, float]:
    """The ratio sum(w num)/sum(w den) in the county's domain `first` less that in `second`: value, standard error, df."""
    whole = np.zeros_like(design.stratum)
    one, other = (
        ratio(design, np.where(part, num, 0.0), np.where(part, den, 0.0), whole, 1) for part in (first, second)
    )
    used = np.unique(design.psu[first | second])
    df = len(used) - len(np.unique(design.owner[used]))
    variance = county_variance(design, credited(design, one.influence - other.influence))
    return float(one.value[0] - other.value[0]), float(np.sqrt(variance)), float(df)
