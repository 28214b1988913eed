"""How units were sampled, and the variance that follows: influences totalled over primary sampling units within strata.

Taylor linearisation (Binder 1983). Calibration is credited by taking each influence's residual on the margins that the weights
were raked to (Deville and Sarndal 1992).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from huying.intervals import Bools, Floats, Ints
from huying.words import EstimateError


@dataclass(frozen=True)
class Design:
    """How the units were sampled. Arrays are one a unit; strata and PSUs are codes from 0, PSUs nested in strata.

    `fpc` is the number of PSUs in the population of each stratum. `margins` are the categories to which `base` was raked
    to give `weight`: give both, or the variance is that of fixed weights.
    """

    stratum: Ints
    psu: Ints
    weight: Floats
    places: tuple[str, ...]
    fpc: Floats | None = None
    margins: tuple[Ints, ...] = ()
    base: Floats | None = None

    def __post_init__(self) -> None:
        if len(bad := np.flatnonzero(~(np.isfinite(self.weight) & (self.weight > 0)))):
            raise EstimateError("estimates.bad_weight", rows=", ".join(map(str, bad[:5])))
        if (self.owner[self.psu] != self.stratum).any():
            raise EstimateError("estimates.psu_in_two_strata")
        if self.fpc is not None and len(few := np.flatnonzero(~(self.fpc >= self.psus))):
            told = {"n": int(self.psus[few[0]]), "fpc": f"{self.fpc[few[0]]:g}"}
            raise EstimateError("estimates.bad_fpc", stratum=self.places[few[0]], **told)

    @cached_property
    def owner(self) -> Ints:
        """The stratum of each PSU, -1 for a code that no unit has."""
        owner = np.full(int(self.psu.max(initial=-1)) + 1, -1, dtype=np.int64)
        owner[self.psu] = self.stratum
        return owner

    @cached_property
    def psus(self) -> Ints:
        """The number of PSUs of each stratum."""
        return np.bincount(self.owner[self.owner >= 0], minlength=len(self.places))

    @property
    def sampled(self) -> Floats:
        """The part of each stratum's population that was sampled, none of a stratum without a PSU."""
        n = self.psus.astype(float)
        return np.zeros_like(n) if self.fpc is None else np.divide(n, self.fpc, out=np.zeros_like(n), where=n > 0)

    @property
    def prior(self) -> Floats:
        """The weights before raking."""
        return self.weight if self.base is None else self.base

    @cached_property
    def calibration(self) -> tuple[Ints, Floats, Floats]:
        """Each unit's cell (the same category in every margin), the roots of the cells' prior weights, and what margins span.

        The last is an orthonormal basis of the margins' categories over the cells, each times its root. By Gram and Schmidt,
        for that keeps zeros: a town where all say the same gets no variance from the rounding of others.
        """
        cell, cells = pd.MultiIndex.from_arrays(self.margins).factorize()
        root = np.sqrt(np.bincount(cell, self.prior))
        marks = pd.get_dummies(cells.to_frame(index=False).astype("category")).to_numpy(dtype=float)
        basis = np.zeros((len(root), 0))
        for mark in marks.T * root:
            left = mark - basis @ (basis.T @ mark)
            left = left - basis @ (basis.T @ left)  # what rounding has left of the first time
            if np.linalg.norm(left) > 1e-9 * np.linalg.norm(mark):
                basis = np.column_stack([basis, left / np.linalg.norm(left)])
        return cell, root, basis


def kish(weight: Floats, by: Ints, size: int) -> Floats:
    """Kish's factor n sum(w^2) / sum(w)^2 for each of `size` groups (Kish 1965, section 11.7); missing where empty."""
    n, s, q = (np.bincount(by, values, minlength=size) for values in (np.ones_like(weight), weight, weight**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(n * q / s**2)


def ratio(design: Design, num: Floats, den: Floats, domain: Ints, size: int) -> tuple[Floats, Floats]:
    """sum(w num)/sum(w den) in each of `size` domains, missing where that is zero, and each unit's influence, unweighted."""
    above, below = (np.bincount(domain, design.weight * part, minlength=size) for part in (num, den))
    value = np.divide(above, below, out=np.full(size, np.nan), where=below > 0)
    scale = np.divide(1.0, below, out=np.zeros(size), where=below > 0)
    return value, (num - np.nan_to_num(value)[domain] * den) * scale[domain]


def credited(design: Design, influence: Floats) -> Floats:
    """`influence` less its regression on the calibration margins, weighted by the weights before raking.

    R's `rake` sweeps unweighted means instead, which is right only where the base weights are equal.
    """
    if not design.margins or design.base is None:
        return influence
    cell, root, basis = design.calibration
    mean = np.bincount(cell, design.prior * influence) / root
    return np.asarray(influence - (basis @ (basis.T @ mean) / root)[cell])


def deviations(design: Design, influences: Floats) -> tuple[Floats, Ints]:
    """Each PSU's totals of the influences (a column an estimate) less their stratum's mean, and its stratum.

    They are multiplied by the root of n/(n-1) (1 - n/N): their products add up to variances. A stratum with one PSU is
    centred at the mean of all PSUs (as Stata's `centered`).
    """
    used, n = design.owner >= 0, design.psus.astype(float)
    turned = (design.weight * credited(design, one) for one in np.atleast_2d(influences.T))
    totals = [np.bincount(design.psu, one, minlength=len(used))[used] for one in turned]
    z, owner = np.column_stack(totals), design.owner[used]
    centre = np.column_stack([np.bincount(owner, one, minlength=len(n)) for one in z.T]) / np.maximum(n, 1)[:, None]
    centre[n == 1] = z.sum(axis=0) / max(len(z), 1)
    scale = np.where(n > 1, (1 - design.sampled) * n / np.maximum(n - 1, 1), 1.0)
    return (z - centre[owner]) * np.sqrt(scale)[owner, None], owner


def estimate_covariance(design: Design, influences: Floats) -> Floats:
    """The county's covariance matrix of estimates whose influences (a row a unit, a column an estimate) are given.

    Taylor linearisation (Binder 1983), as R's `svyrecvar`: calibration is credited, the finite population counts.
    """
    return np.asarray((apart := deviations(design, influences)[0]).T @ apart)


def degrees(design: Design, base: Bools) -> int:
    """PSUs less strata among the units in `base`: what R's `degf` counts of a design cut to them."""
    n = psus_of(design, base)
    return int(n.sum() - np.count_nonzero(n))


def psus_of(design: Design, base: Bools) -> Ints:
    """The number of PSUs of each stratum that have a unit in `base`."""
    is_met = np.bincount(design.psu[base], minlength=len(design.owner)) > 0
    return np.bincount(design.owner[is_met], minlength=len(design.places))


def with_weights(design: Design, weight: Floats) -> Design:
    """The design with other weights and no margins to credit."""
    return replace(design, weight=weight, margins=(), base=None)
