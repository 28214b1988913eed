"""The county's own claims: each decided by an indicator that the county declares; refuses an indicator nobody declared."""

from __future__ import annotations

import pandas as pd

from huying.claims import ALL, FEW, GENERAL, LOW, MOST, NEED, NONE, Claim, claims_of
from huying.codebook import Codebook
from huying.errors import CountyError, Place
from huying.estimates import estimate_shares
from huying.folder import County
from huying.indicators import Indicator, indicators_of
from huying.problems.facts import Found, Study

FEWEST = {"resident": "fewest_residents", "staff": "fewest_staff"}


DECIDABLE = (ALL, MOST, GENERAL, FEW, NONE, LOW, NEED)


def own_claims(county: County, book: Codebook) -> dict[str, tuple[Claim, Indicator]]:
    """The claims that an indicator decides, each with it; raises CountyError for an indicator nobody declared.

    A share of respondents cannot decide COUNT, EXISTS, TEXT or SOME, and TREND needs a change: these are refused.
    """
    known, place, found = indicators_of(county, book), Place(str(county.folder / "claims.toml")), {}
    for key, claim in claims_of(county).items():
        if not claim.indicator:
            continue
        if claim.indicator not in known:
            raise CountyError("indicators.unknown", place, name=claim.indicator, known=", ".join(known))
        if claim.quantifier not in DECIDABLE:
            raise CountyError(
                "indicators.bad_quantifier", place, claim=key, got=claim.quantifier, known=", ".join(DECIDABLE)
            )
        found[key] = claim, known[claim.indicator]
    return found


def find(study: Study) -> Found:
    """Shares by town and county, wave by wave, for every claim that names an indicator; raises CountyError."""
    found = Found()
    for key, (_, indicator) in own_claims(study.county, study.book).items():
        fewest = study.county.thresholds[FEWEST[indicator.form]]
        for wave in study.waves(indicator.form):
            sample = study.samples[indicator.form, wave]
            share = pd.DataFrame({indicator.id: indicator.of(sample, study.book)})
            found.add(key, estimate_shares(sample.design, share, wave=wave, fewest=fewest))
        if not study.waves(indicator.form):
            found.missing[key] = {"resident": "residents", "staff": "staff"}[indicator.form]
    return found
