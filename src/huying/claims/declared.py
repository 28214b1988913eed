"""The claim with the rule that decides it, fixed with a hash and a date before any number.

Refuses a claim that lacks its rule or a language, and to forget a rule that changed after the data were seen.
"""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from huying.claims.rules import ALL, COUNTS, DECIDABLE, MOST, NEED, SOME
from huying.derived import Derived
from huying.estimates import COUNTY
from huying.folder import County, Declaration, read_toml
from huying.prepare import derived_of
from huying.store import hash_of, write_text
from huying.units import OF_ONE, of_part, read_lists
from huying.words import LANGUAGES, CountyError, Place, Text, near

TEXTS = ("base", "estimand", "town", "department", "measure", "told")
OF_TOWNS = ("town", "others", "pilot")  # who is judged for these has a town's form
# Words that are never of one town.
OF_MANY = ("部分镇街", "各镇街", "镇街都", "some towns", "every town", "all towns", "most towns", "each town")
HEAD = "# Rules, thresholds and exclusions as fixed before the data were seen. Do not edit."


@dataclass(frozen=True)
class Claim:
    """A sentence of the report with the rule that decides it, declared before any number.

    `judged_for`: the places that get a verdict (town, others: towns that are no pilot, county, pilot, department, document). `needs`: the ledgers and forms without which nothing can be
    said. `town_quantifier` makes the county's value a share of towns, or of `share_of` (as `judged_for`); they are held to
    `threshold` too unless `town_threshold` gives their own. `least`: how many make SOME. `of_cases`: the value is a share of
    cases (calls, changes, transactions), of which there may be too few. `is_above`: a need that is shown above its threshold.
    `is_conjunction`: it holds where all of `subs` do. `same_as`: the claim that measures the same. `subs`: parts with a rule
    of their own. `indicator`: the indicator that decides a county's own claim.

    How it is said: `text` of the county, `town` and `department` of one of them, with its name at {place}; `measure` is what
    the value measures, in `unit` (a count counts `counts`, else what n counts), `n_of` what n counts; `is_mean`: no share of
    n cases. `told`: the value's words where the usual ones would mislead, with parts by name. `asks`: the variable measured.
    """

    id: str
    text: Text
    quantifier: str
    threshold: float
    problem_if: str
    base: Text
    estimand: Text
    notebook: str
    judged_for: str = "town"
    needs: tuple[str, ...] = ()
    town_quantifier: str = ""
    town_threshold: float | None = None
    share_of: str = ""
    least: int = 1
    of_cases: bool = False
    is_above: bool = False
    is_conjunction: bool = False
    same_as: str = ""
    n_of: str = ""
    unit: str = "share"
    counts: str = ""
    is_mean: bool = False
    asks: str = ""
    town: Text | None = None
    department: Text | None = None
    measure: Text | None = None
    told: Text | None = None
    subs: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    indicator: str = ""

    def rule_at(self, place: str) -> tuple[str, float]:
        """The quantifier and what it is held against for the county, or for a town where the rules differ.

        Every town must meet its rule where the claim speaks of all; SOME asks for `least` places or cases; a need among
        towns is shown by some.
        """
        quantifier, threshold = self.quantifier, self.threshold
        if self.is_about_towns and place != COUNTY:
            quantifier, own = self.town_quantifier, self.town_threshold
            threshold = threshold if own is None else own
        elif self.is_about_towns and quantifier in (ALL, COUNTS, NEED):
            quantifier, threshold = SOME if quantifier == NEED else ALL, 1.0
        if quantifier == SOME:
            return SOME, float(self.least)
        return MOST if quantifier == NEED and self.is_above else quantifier, threshold

    def unit_at(self, place: str, part: str = "") -> str:
        """The unit of the value: the county's is a share where the claim is about towns."""
        if self.is_about_towns and place == COUNTY and not part:
            return "share"
        return (of_part("unit", self.id, part) if part else "") or self.unit

    def noun_at(self, place: str, part: str = "") -> str:
        """What n counts: of the county towns, or departments, where the claim is about them."""
        if self.is_about_towns and place == COUNTY and not part:
            return f"{self.share_of.replace('others', 'town') or 'town'}s"
        return (of_part("n_of", self.id, part) if part else "") or self.n_of

    @property
    def is_about_towns(self) -> bool:
        """Whether the county's value is a share of towns."""
        return bool(self.town_quantifier)

    def say_rule(self, lang: str = "en") -> str:
        """The rule as one line of text; the English one is hashed."""
        (quantifier, threshold), least = self.rule_at("town"), f" (≥ {self.least})" if self.quantifier == SOME else ""
        town = f"; {self.share_of or 'town'} {quantifier} {threshold:g}" if self.is_about_towns else ""
        subs = "".join(f"; {sub}: {quantifier} {threshold}" for sub, (quantifier, threshold) in self.subs.items())
        around = f"{least}{town}{subs}; base: {self.base(lang)}; {self.estimand(lang)}"
        return f"{self.quantifier} {self.threshold:g}{around}"


def read_claim(raw: Mapping[str, Any]) -> Claim:
    """One `[[claim]]` table, as a Claim."""
    known = {**raw, "text": Text(raw["zh"], raw["en"]), "threshold": float(raw["threshold"])}
    known |= {key: Text(**raw[key]) for key in TEXTS if key in raw} | {"needs": tuple(raw.get("needs", ()))}
    known["subs"] = {sub: (r["quantifier"], float(r["threshold"])) for sub, r in raw.get("subs", {}).items()}
    return Claim(**{key: value for key, value in known.items() if key not in LANGUAGES})


@cache
def house_claims() -> dict[str, Claim]:
    """The claims that the house brings, by id."""
    raw = tomllib.loads(files("huying").joinpath("data/claims.toml").read_text("utf-8"))
    return {claim.id: claim for claim in map(read_claim, raw["claim"])}


def claims_of(county: County) -> dict[str, Claim]:
    """The house's claims and the county's own, with the thresholds that the county sets; raises CountyError for a threshold of no claim."""
    place, own = Place(str(county.folder / "county.toml")), county.own.check("claims")
    listed = [read_claim(raw) for raw in own.raw.get("claim", ())]
    added = {claim.id: claim for claim in listed}
    if taken := sorted(one for one in added if one in house_claims() or sum(claim.id == one for claim in listed) > 1):
        raise own.fail("claims.taken", "id", taken[0], claims=", ".join(taken))
    for claim in listed:
        check_words(own, claim)
    claims = {**house_claims(), **added}
    set_here = {key: claim.threshold for key, claim in added.items()} | {**county.claim_thresholds}
    for key, threshold in set_here.items():
        if key not in claims:
            raise CountyError("claims.unknown_threshold", place, claim=key, known=", ".join(claims))
        if claims[key].unit in OF_ONE and not 0 <= threshold <= 1:
            at = place if key in county.claim_thresholds else Place(str(own.file))
            raise CountyError("claims.bad_threshold", at, claim=key, threshold=threshold)
    for name in sorted({claim.same_as for claim in claims.values()} - {"", *claims}):
        raise own.fail("claims.unknown", "same_as", name, claim=name, close=near(name, claims))
    return claims | {key: with_threshold(claims[key], threshold) for key, threshold in county.claim_thresholds.items()}


def check_words(own: Declaration, claim: Claim) -> None:
    """Raise CountyError for a unit or noun outside the closed lists, and for a claim on towns that is not said of one town."""
    for key, known in (("unit", "unit"), ("n_of", "noun"), ("counts", "noun")):
        if (word := getattr(claim, key)) and word not in (words := read_lists()[known]):
            told = {"key": key, "word": word, "close": near(word, words), "known": ", ".join(words)}
            raise own.fail("claims.unknown_word", key, word, **told)
    is_of_towns = claim.judged_for in OF_TOWNS or (claim.is_about_towns and claim.share_of != "department")
    if is_of_towns and not claim.town:
        raise own.fail("claims.no_town_form", "id", claim.id, claim=claim.id, place="{place}")
    if claim.town and (of_many := next((word for word in OF_MANY if word in " ".join(claim.town).lower()), "")):
        raise own.fail("claims.town_form_of_many", "town", None, claim=claim.id, word=of_many)


def with_threshold(claim: Claim, threshold: float) -> Claim:
    """The claim with another threshold: of its towns where they have one of their own."""
    own = claim.town_threshold is not None
    return replace(claim, town_threshold=threshold) if own else replace(claim, threshold=threshold)


def decided_claims(county: County) -> dict[str, tuple[Claim, Derived]]:
    """The claims that name an indicator, each with the derived variable of that name.

    Raises CountyError for an unknown variable, a quantifier outside DECIDABLE, or a claim on the towns of a form that is
    given for the county only.
    """
    own, house = derived_of(county)
    known = {variable.name: variable for variable in (*house.values(), *own.values())}
    found, place = {}, Place(str(county.folder / "claims.toml"))
    for key, claim in ((key, claim) for key, claim in claims_of(county).items() if claim.indicator):
        if claim.indicator not in known:
            close = near(claim.indicator, known)
            raise CountyError("claims.unknown_indicator", place, name=claim.indicator, close=close)
        variable = known[claim.indicator]
        if claim.quantifier not in DECIDABLE:
            raise CountyError("claims.undecidable", place, claim=key, got=claim.quantifier, known=", ".join(DECIDABLE))
        if variable.form not in ("resident", "staff") and claim.judged_for != "county":
            raise CountyError("claims.county_only", place, claim=key, name=variable.name)
        found[key] = claim, variable
    return found


# --- frozen rules ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Freeze:
    """The hash and date under which each claim's rule, threshold and the county's exclusions were fixed."""

    hashes: Mapping[str, str] = field(default_factory=dict)
    frozen_on: str = ""
    later: Mapping[str, str] = field(default_factory=dict)

    def date(self, claim: str) -> str:
        """The day on which the claim's rule was fixed, empty where it was not."""
        return self.later.get(claim, self.frozen_on) if claim in self.hashes else ""

    def remark(self, claim: str, now: str) -> str:
        """`not frozen`, `changed after the data were seen`, or nothing."""
        if claim not in self.hashes:
            return "not_frozen"
        return "" if self.hashes[claim] == now else "rule_changed"


def rule_hashes(county: County, claims: Mapping[str, Claim]) -> dict[str, str]:
    """The hash of each claim's rule with the county's clock, thresholds, exclusions and the indicator that decides it."""
    around = f"{county.clock} {sorted(county.thresholds.items())} {county.exclude} {county.calendar}"
    own, house = derived_of(county)
    made = (*house.values(), *own.values())
    rules = {one.name: [f"{one.name} {one.when} {one.base} {one.unknown}"] for one in made} | {"": []}
    decided = {key: rules.get(claim.indicator, [claim.indicator]) for key, claim in claims.items()}
    return {key: hash_of([key, claim.say_rule(), around, *decided[key]])[:16] for key, claim in claims.items()}


def freeze(county: County, today: dt.date | None = None) -> Path:
    """Write `frozen.toml` into the county's folder; a claim frozen already keeps its hash and date, a new one gets today's."""
    file, before = county.folder / "frozen.toml", read_freeze(county)
    hashes, now = {**rule_hashes(county, claims_of(county)), **before.hashes}, (today or dt.date.today()).isoformat()
    when = before.frozen_on or now
    later = {**before.later, **({key: now for key in hashes if key not in before.hashes} if now != when else {})}
    tables = ([HEAD, f'frozen_on = "{when}"', "", "[rules]"], hashes), (["", "[later]"], later)
    rows = [row for head, body in tables if body for row in (*head, *(f'{k} = "{v}"' for k, v in sorted(body.items())))]
    write_text(file, "\n".join(rows) + "\n")
    return file


def read_freeze(county: County) -> Freeze:
    """The county's frozen rules, empty where there are none."""
    raw = read_toml(county.folder / "frozen.toml").check("frozen").raw
    return Freeze(raw.get("rules", {}), str(raw.get("frozen_on", "")), raw.get("later", {}))
