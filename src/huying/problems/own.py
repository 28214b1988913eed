"""The county's own claims: each decided by an indicator that the county declares; refuses an indicator nobody declared."""

from __future__ import annotations

import pandas as pd

from huying.claims import claims_of
from huying.errors import CountyError, Place
from huying.estimates import estimate_shares
from huying.indicators import indicators_of
from huying.problems.facts import Found, Study

FEWEST = {"resident": "fewest_residents", "staff": "fewest_staff"}


def find(study: Study) -> Found:
    """Shares by town and county, wave by wave, for every claim that names an indicator; raises CountyError."""
    found, known = Found(), indicators_of(study.county, study.book)
    for key, claim in claims_of(study.county).items():
        if not claim.indicator:
            continue
        if claim.indicator not in known:
            place = Place(str(study.county.folder / "claims.toml"))
            raise CountyError("indicators.unknown", place, name=claim.indicator, known=", ".join(known))
        indicator = known[claim.indicator]
        fewest = study.county.thresholds[FEWEST[indicator.form]]
        for wave in study.waves(indicator.form):
            sample = study.samples[indicator.form, wave]
            share = pd.DataFrame({indicator.id: indicator.of(sample, study.book)})
            found.add(key, estimate_shares(sample.design, share, wave=wave, fewest=fewest))
        if not study.waves(indicator.form):
            found.missing[key] = {"resident": "residents", "staff": "staff"}[indicator.form]
    return found
