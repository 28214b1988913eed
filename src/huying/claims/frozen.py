"""The hash and date under which a county fixed its rules; refuses to forget a rule that changed after the data were seen."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from huying.claims.declared import Claim, claims_of
from huying.folder import County
from huying.prepare import derived_of
from huying.store import hash_of, write_text

HEAD = "# Rules, bars and exclusions as fixed before the data were seen. Do not edit."


@dataclass(frozen=True)
class Freeze:
    """The hash and date under which each claim's rule, bar and the county's exclusions were fixed."""

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
    known = (*house.values(), *own.values())
    rules = {made.name: [f"{made.name} {made.when} {made.base} {made.unknown}"] for made in known} | {"": []}
    decided = {key: rules.get(claim.indicator, [claim.indicator]) for key, claim in claims.items()}
    return {key: hash_of([key, claim.say_rule(), around, *decided[key]])[:16] for key, claim in claims.items()}


def freeze(county: County, today: dt.date | None = None) -> Path:
    """Write `frozen.toml` into the county's folder; a claim frozen already keeps its hash and date, a new one gets today's."""
    file = county.folder / "frozen.toml"
    before = read_freeze(county)
    hashes = {**rule_hashes(county, claims_of(county)), **before.hashes}
    now = (today or dt.date.today()).isoformat()
    when = before.frozen_on or now
    later = {**before.later, **({key: now for key in hashes if key not in before.hashes} if now != when else {})}
    tables = ([HEAD, f'frozen_on = "{when}"', "", "[rules]"], hashes), (["", "[later]"], later)
    rows = [row for head, body in tables if body for row in (*head, *(f'{k} = "{v}"' for k, v in sorted(body.items())))]
    write_text(file, "\n".join(rows) + "\n")
    return file


def read_freeze(county: County) -> Freeze:
    """The county's frozen rules, empty where there are none."""
    file = county.folder / "frozen.toml"
    if not file.is_file():
        return Freeze()
    raw = tomllib.loads(file.read_text("utf-8"))
    return Freeze(raw.get("rules", {}), str(raw.get("frozen_on", "")), raw.get("later", {}))
