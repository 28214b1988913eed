"""Scales of several items, agreement of raters, and models of ordered answers, with weights and PSUs; refuses too few items."""

from huying.scales.agreement import weighted_kappa
from huying.scales.ordinal import ordinal_logit
from huying.scales.reliability import cronbach_alpha, kr20, mcdonald_omega, psu_bootstrap

__all__ = ["cronbach_alpha", "kr20", "mcdonald_omega", "ordinal_logit", "psu_bootstrap", "weighted_kappa"]
