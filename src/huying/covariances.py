"""The covariance of several estimates of one survey at once, as the kernel of `estimates` gives each one's variance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from huying.estimates import Design, credited

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def estimate_covariance(design: Design, influences: Floats) -> Floats:
    """The county's covariance matrix of estimates whose influences (a row a unit, a column an estimate) are given.

    Its diagonal is `estimates.county_variance` of each column after `estimates.credited`: calibration is credited, the
    finite population counts, and a stratum with one PSU is centred at the mean of all PSUs. Taylor linearisation
    (Binder 1983), as R's `svyrecvar`.
    """
    used = design.owner >= 0
    columns = [design.psu_totals(credited(design, column))[used] for column in np.asarray(influences, dtype=float).T]
    totals, owner = np.column_stack(columns), design.owner[used]
    n = design.psus.astype(float)
    centre = np.zeros((len(n), totals.shape[1]))
    np.add.at(centre, owner, totals)
    centre /= np.maximum(n, 1)[:, None]
    centre[n == 1] = totals.mean(axis=0)
    left = np.ones_like(n) if design.fpc is None else 1 - n / design.fpc
    scale = np.where(n > 1, left * np.divide(n, n - 1, out=np.ones_like(n), where=n > 1), 1.0)
    apart = totals - centre[owner]
    return np.asarray(apart.T @ (apart * scale[owner][:, None]))


def degrees(design: Design, base: Bools) -> int:
    """PSUs less strata among the units in `base`: what R's `degf` counts of a design cut to them."""
    psus = np.unique(design.psu[base])
    return len(psus) - len(np.unique(design.owner[psus]))
