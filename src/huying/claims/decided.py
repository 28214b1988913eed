"""A county's own claims that a derived variable decides; refuses a variable nobody declared, and a rule that a share cannot meet."""

from __future__ import annotations

from huying.claims.declared import ALL, FEW, GENERAL, LOW, MOST, NEED, NONE, Claim, claims_of
from huying.derived import Derived
from huying.errors import CountyError, Place, near
from huying.folder import County
from huying.prepare import derived_of

# What a share of respondents can decide: COUNT, EXISTS, TEXT and SOME look at complete lists, TREND at a change.
DECIDABLE = (ALL, MOST, GENERAL, FEW, NONE, LOW, NEED)
SAMPLED = ("resident", "staff")


def decided_claims(county: County) -> dict[str, tuple[Claim, Derived]]:
    """The claims that name an indicator, each with the derived variable of that name.

    Raises CountyError for an unknown variable, a quantifier outside DECIDABLE, or a claim on the towns of a form that is
    given for the county only.
    """
    own, house = derived_of(county)
    known = {variable.name: variable for variable in (*house.values(), *own.values())}
    found, place = {}, Place(str(county.folder / "claims.toml"))
    for key, claim in claims_of(county).items():
        if not claim.indicator:
            continue
        if claim.indicator not in known:
            close = near(claim.indicator, known)
            raise CountyError("claims.unknown_indicator", place, name=claim.indicator, close=close)
        variable = known[claim.indicator]
        if claim.quantifier not in DECIDABLE:
            raise CountyError("claims.undecidable", place, claim=key, got=claim.quantifier, known=", ".join(DECIDABLE))
        if variable.form not in SAMPLED and claim.judged_for != "county":
            raise CountyError("claims.county_only", place, claim=key, name=variable.name)
        found[key] = claim, variable
    return found
