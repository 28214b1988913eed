"""The claim, its quantifier and bar, and the verdict; refuses to call a claim proved while its interval touches the bar.

Verdicts: supported, not supported, cannot say (with its reason), no baseline. Rules are frozen with a hash and a date
before the first number, and a rule changed afterwards says so wherever its verdict is shown.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.errors import CountyError, Place
from huying.estimates import COUNT, COUNTY, EXACT, limits, p_above
from huying.folder import County
from huying.ledgers import TABLES
from huying.parts import kind_of
from huying.store import hash_of, write_text
from huying.words import Text, as_text, say

Floats = npt.NDArray[np.float64]
QUANTIFIERS = (ALL, MOST, GENERAL, SOME, FEW, NONE, LOW, TREND, COUNTS, EXISTS, NEED, TEXT) = (
    "ALL", "MOST", "GENERAL", "SOME", "FEW", "NONE", "LOW", "TREND", "COUNT", "EXISTS", "NEED", "TEXT")  # fmt: skip
BELOW = (LOW, FEW, NONE, NEED)  # supported by what lies below the bar
AS_COUNTED = (ALL, SOME, COUNTS, EXISTS, TEXT)  # decided by the value itself, not by its interval
FORM_NAMES: Mapping[str, str] = {
    "residents": "resident", "staff": "staff", "leaders": "leader", "departments_form": "department"}  # fmt: skip
LEVELS = ("town", "county", "pilot", "department", "document")
SUPPORTED, NOT_SUPPORTED, CANNOT_SAY, NO_BASELINE = "supported", "not supported", "cannot say", "no baseline"
TEXT_COLUMNS = ("claim", "place", "period", "wave", "sub")
EVIDENCE: Mapping[str, str] = {
    **dict.fromkeys(TEXT_COLUMNS, "str"),
    **dict.fromkeys(("estimate", "low", "high", "n", "n_eff", "df", "deff"), "float64"),
    **dict.fromkeys(("method", "reliability", "verdict", "verdict_family"), "str"),
    **dict.fromkeys(("low_family", "high_family"), "float64"),
    **dict.fromkeys(("remark", "reason", "rule", "rule_hash", "rule_frozen_on", "excluded_flags", "data_hash", "figure",
                     "notebook"), "str"),
    "is_synthetic": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A sentence of the report with the rule that decides it, declared before any number.

    `judged_for`: the places that get a verdict (one of LEVELS). `needs`: the ledgers and forms without which nothing can be
    said. `town_quantifier` makes the county's value a share of towns (or departments). `subs`: parts with a rule of their own.
    `indicator`: the indicator that decides a county's own claim.
    """

    id: str
    text: Text
    quantifier: str
    bar: float
    problem_if: str
    base: Text
    estimand: Text
    notebook: str
    figure: str = ""
    judged_for: str = "town"
    needs: tuple[str, ...] = ()
    town_quantifier: str = ""
    town_bar: float | None = None
    unit: Text | None = None
    subs: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    indicator: str = ""

    def rule_at(self, place: str) -> tuple[str, float]:
        """The quantifier and the bar for the county, or for a town where the rules differ."""
        if place == COUNTY or not self.town_quantifier:
            return self.quantifier, self.bar
        return self.town_quantifier, self.bar if self.town_bar is None else self.town_bar

    @property
    def is_about_towns(self) -> bool:
        """Whether the county's value is a share of towns."""
        return bool(self.town_quantifier)

    @property
    def section(self) -> str:
        """The part of the report it stands in: the id without its last digit or two, such as `A` or `P1`."""
        return self.id[:2] if self.id[0] in "PS" else self.id[0]

    @property
    def rule(self) -> str:
        """The rule as one line of text: what is hashed and shown."""
        town = f"; town {self.town_quantifier} {self.town_bar}" if self.town_quantifier else ""
        subs = "".join(f"; {sub}: {quantifier} {bar}" for sub, (quantifier, bar) in self.subs.items())
        return f"{self.quantifier} {self.bar}{town}{subs}; base: {self.base.en}; {self.estimand.en}"


def read_claim(raw: Mapping[str, Any], place: Place | None = None) -> Claim:
    """One `[[claim]]` table as a Claim; raises CountyError for a missing or unknown key, quantifier or language."""
    known = dict(raw)
    name, at = str(known.get("id", "?")), place or Place()
    if lacking := {"id", "quantifier", "bar", "problem_if", "notebook"} - set(known):
        raise CountyError("claims.lacks", at, claim=name, keys=", ".join(sorted(lacking)))
    subs = {sub: (str(rule["quantifier"]), float(rule["bar"])) for sub, rule in known.pop("subs", {}).items()}
    texts = {"text": {lang: known.pop(lang, "") for lang in ("zh", "en")}}
    texts |= {key: known.pop(key, None) for key in ("base", "estimand", "unit") if key != "unit" or key in known}
    words = [known["quantifier"], known.get("town_quantifier") or ALL, *(quantifier for quantifier, _ in subs.values())]
    strange = [key for key in known if key not in Claim.__dataclass_fields__]
    strange += [f"quantifier = {word}" for word in words if word not in QUANTIFIERS]
    strange += [f"judged_for = {level}" for level in [known.get("judged_for", "town")] if level not in LEVELS]
    if strange:
        raise CountyError("claims.bad_claim", at, claim=name, what=", ".join(strange))
    try:
        read = {key: as_text(text, name if key == "text" else f"{name}.{key}") for key, text in texts.items()}
    except ValueError as error:
        raise CountyError("claims.bad_text", at, why=str(error)) from error
    return Claim(subs=subs, **{**known, **read, "bar": float(known["bar"]), "needs": tuple(known.get("needs", ()))})


@cache
def house_claims() -> dict[str, Claim]:
    """The claims that the house brings, by id."""
    raw = tomllib.loads(files("huying").joinpath("data/claims.toml").read_text("utf-8"))
    return {claim.id: claim for claim in map(read_claim, raw["claim"])}


def claims_of(county: County) -> dict[str, Claim]:
    """The house's claims and the county's own, with the bars that the county sets; raises CountyError for a bar of no claim."""
    place, own = Place(str(county.folder / "county.toml")), Place(str(county.folder / "claims.toml"))
    added = {claim.id: claim for claim in (read_claim(raw, own) for raw in county.own.get("claim", ()))}
    if taken := sorted(set(added) & set(house_claims())):
        raise CountyError("claims.taken", own, claims=", ".join(taken))
    claims = {**house_claims(), **added}
    for key, bar in county.bars.items():
        if key not in claims:
            raise CountyError("claims.unknown_bar", place, claim=key, known=", ".join(claims))
        if not claims[key].unit and not 0 <= bar <= 1:
            raise CountyError("claims.bad_bar", place, claim=key, bar=bar)
    return {key: _with_bar(claim, county.bars.get(key)) for key, claim in claims.items()}


def _with_bar(claim: Claim, bar: float | None) -> Claim:
    if bar is None:
        return claim
    return replace(claim, town_bar=bar) if claim.is_about_towns else replace(claim, bar=bar)


# --- freezing ---------------------------------------------------------------------------------------------------------


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
    own = {raw.get("id"): sorted(raw.items()) for raw in county.own.get("indicator", ())}
    return {key: hash_of([key, claim.rule, around, *([f"{claim.indicator} {own.get(claim.indicator)}"] if claim.indicator else [])])[:16]
            for key, claim in claims.items()}  # fmt: skip


def freeze(county: County, today: dt.date | None = None) -> Path:
    """Write `frozen.toml` into the county's folder; a claim frozen already keeps its hash and date, a new one gets today's."""
    file = county.folder / "frozen.toml"
    before = read_freeze(county)
    hashes = {**rule_hashes(county, claims_of(county)), **before.hashes}
    now = (today or dt.date.today()).isoformat()
    when = before.frozen_on or now
    later = {**before.later, **({key: now for key in hashes if key not in before.hashes} if now != when else {})}
    lines = [
        "# Rules, bars and exclusions as fixed before the data were seen. Do not edit.",
        f'frozen_on = "{when}"',
        "",
        "[rules]",
    ]
    tables = (lines, hashes), (["", "[later]"], later)
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


# --- judging ----------------------------------------------------------------------------------------------------------


def judge(quantifier: str, bar: float, estimate: float, low: float, high: float, n: float = 1) -> tuple[str, str]:
    """The verdict and, for `cannot say`, its reason.

    AS_COUNTED are decided by the value: one counter-example refutes ALL, one example supports SOME, COUNT is equal to the
    bar (a bar between 0 and 1 is a tolerance, since counts are whole), EXISTS reaches it. The others need the whole interval
    on one side of the bar; a counted share has the interval [estimate, estimate].
    """
    if not n > 0:
        return CANNOT_SAY, "no eligible case"
    if np.isnan(estimate) or (quantifier not in AS_COUNTED and (np.isnan(low) or np.isnan(high))):
        return CANNOT_SAY, "not estimable"
    slack = 1e-9
    if quantifier in AS_COUNTED:
        is_equal = abs(estimate) <= bar + slack if 0 < bar < 1 else abs(estimate - bar) <= slack
        holds = {ALL: estimate >= bar - slack, EXISTS: estimate >= bar - slack, COUNTS: is_equal}
        return (SUPPORTED if holds.get(quantifier, estimate > 0) else NOT_SUPPORTED), ""
    if quantifier in BELOW:
        yes, no = (
            (high < bar - slack or (quantifier == NONE and high <= slack)),
            low >= bar + (slack if quantifier == NONE else -slack),
        )
    elif quantifier == GENERAL:
        yes, no = low >= bar - slack, high < bar - slack
    else:
        yes, no = low > bar + slack, high <= bar + slack
    return (SUPPORTED, "") if yes else (NOT_SUPPORTED, "") if no else (CANNOT_SAY, "interval across the bar")


def judge_towns(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """Own verdicts, and for estimates Holm's family verdicts with simultaneous intervals, for the rows of one sub.

    The family is the towns of one claim and wave. A verdict of the family needs Holm's adjusted p below .05; the
    interval stored beside it is Bonferroni's, at 1 - .05/m for m towns judged.
    """
    quantifier, bar = claim.rule_at("town")
    own = [judge(quantifier, bar, *row) for row in facts[["estimate", "low", "high", "n"]].to_numpy(dtype=float)]
    judged = facts.assign(verdict=[v for v, _ in own], own_reason=[r for _, r in own])
    family, low, high = judged["verdict"].copy(), facts["low"].to_numpy(copy=True), facts["high"].to_numpy(copy=True)
    tested = facts["low"].notna().to_numpy() & ~facts["method"].isin([COUNT, EXACT]).to_numpy()
    if tested.any() and quantifier not in AS_COUNTED:
        rows = facts[tested]
        above, below = p_above(rows, bar)
        adjusted = holm(np.minimum(1.0, 2 * np.minimum(above, below)))
        side = np.where(
            above < below,
            *((NOT_SUPPORTED, SUPPORTED) if quantifier in BELOW else (SUPPORTED, NOT_SUPPORTED)),
        )
        family[tested] = np.where(adjusted < 0.05, side, CANNOT_SAY)
        low[tested], high[tested] = limits(rows, 1 - 0.05 / len(rows))
    return judged.assign(verdict_family=family, low_family=low, high_family=high)


def holm(p: Floats) -> Floats:
    """Holm's (1979) adjusted p values, missing ones left out of the family.

    As statsmodels' `multipletests(method="holm")`, which collects the whole memory's garbage at every call: for a hundred
    families that took longer than all estimates together.
    """
    adjusted, known = np.full(len(p), np.nan), np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = np.maximum.accumulate((len(order) - np.arange(len(order))) * p[order])
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def share_of_towns(claim: Claim, towns: pd.DataFrame) -> dict[str, Any]:
    """The county's fact for a claim about towns: the share that meet the rule, bounded by what the family can decide.

    `low` counts the towns that the family supports, `high` all that it does not refute.
    """
    quantifier, bar = claim.rule_at("town")
    known = towns[towns["verdict_family"].isin([SUPPORTED, NOT_SUPPORTED]) | towns["estimate"].notna()]
    n = len(known)
    meets = np.array(
        [judge(quantifier, bar, value, value, value)[0] == SUPPORTED for value in known["estimate"]], dtype=bool
    )
    meets |= (known["verdict"] == SUPPORTED).to_numpy()
    low, high = (known["verdict_family"] == SUPPORTED).sum(), (known["verdict_family"] != NOT_SUPPORTED).sum()
    return {"place": COUNTY, "estimate": meets.sum() / n if n else np.nan, "low": low / n if n else np.nan,
            "high": high / n if n else np.nan, "n": n, "method": COUNT}  # fmt: skip


def judge_county(claim: Claim, fact: Mapping[str, Any]) -> dict[str, Any]:
    """The county's fact with its verdict; a claim about towns is supported only by towns that the family names."""
    quantifier, bar = claim.rule_at(COUNTY)
    if claim.is_about_towns and quantifier == NEED:
        quantifier = SOME  # the need is shown where the family names a town that has it
    estimate = fact["low"] if claim.is_about_towns and quantifier == SOME else fact["estimate"]
    verdict, reason = judge(quantifier, bar, *(float(v) for v in (estimate, fact["low"], fact["high"], fact["n"])))
    if claim.is_about_towns and verdict == NOT_SUPPORTED and fact["high"] > 0 and quantifier == SOME:
        verdict, reason = CANNOT_SAY, "interval across the bar"
    understated = quantifier == SOME and verdict == SUPPORTED and fact["low"] > 0.5
    return {**fact, "verdict": verdict, "verdict_family": verdict, "own_reason": reason, "low_family": fact["low"],
            "high_family": fact["high"], "remark": "understated" if understated else fact.get("remark", "")}  # fmt: skip


def judge_claim(claim: Claim, facts: pd.DataFrame) -> pd.DataFrame:
    """The evidence rows of one claim: each sub's facts, the headline (sub empty) judged for every town and the county.

    `facts` holds the columns of an estimates frame with `sub`, `period` and `wave`; only the headline and the parts that
    have a rule get a verdict. A fact without a value whose reason is `no baseline` gets that verdict.
    """
    head, subs = facts[facts["sub"] == ""], facts[facts["sub"] != ""]
    for sub, (quantifier, bar) in claim.subs.items():
        own = replace(claim, quantifier=quantifier, bar=bar, town_quantifier="", town_bar=None, subs={})
        part = subs[subs["sub"] == sub]
        if len(part):
            judged = judge_claim(own, part.assign(sub="")).assign(sub=sub)
            rest = replace(claim, subs={k: v for k, v in claim.subs.items() if k != sub})
            return pd.concat([judged, judge_claim(rest, facts[facts["sub"] != sub])], ignore_index=True)
    parts = [subs.assign(verdict="", verdict_family="", own_reason="", low_family=np.nan, high_family=np.nan)]
    for _, same in head.groupby(["period", "wave"], sort=False):
        towns, county = same[same["place"] != COUNTY], same[same["place"] == COUNTY]
        judged = judge_towns(claim, towns) if len(towns) else towns
        if claim.is_about_towns and len(towns):
            first = {
                **same.iloc[0].to_dict(),
                "reason": "",
                "reliability": "ok",
                "n_eff": np.nan,
                "df": np.nan,
                "deff": np.nan,
            }
            county = pd.DataFrame([{**first, **share_of_towns(claim, judged)}])
        rows = [judge_county(claim, fact) for fact in county.to_dict("records")]
        parts += [judged, pd.DataFrame(rows)] if rows else [judged]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    unset = (table["verdict"] != "") & table["estimate"].isna() & (table.get("reason", "") == NO_BASELINE)
    return table.assign(
        verdict=table["verdict"].mask(unset, NO_BASELINE),
        verdict_family=table["verdict_family"].mask(unset, NO_BASELINE),
        reason=table["reason"].mask(unset, "one wave or period") if "reason" in table else "",
    )


def no_data(places: Iterable[str], reason: str) -> pd.DataFrame:
    """Rows that say `cannot say` at every place, such as `no data: calls` where the county has no file of this kind."""
    rows = pd.DataFrame(
        {"place": list(places), "sub": "", "period": "", "wave": "", "n": 0.0, "method": "", "reliability": ""}
    )
    rows = rows.assign(
        estimate=np.nan,
        low=np.nan,
        high=np.nan,
        n_eff=np.nan,
        df=np.nan,
        deff=np.nan,
        low_family=np.nan,
        high_family=np.nan,
    )
    return rows.assign(verdict=CANNOT_SAY, verdict_family=CANNOT_SAY, own_reason="", reason=reason)


def as_evidence(
    county: County, claim: Claim, judged: pd.DataFrame, frozen: Freeze, rule_hash: str, data_hash: str
) -> pd.DataFrame:
    """Judged rows as rows of the evidence ledger: the columns of EVIDENCE in their order and types."""
    reason = judged.get("reason", pd.Series("", index=judged.index)).fillna("")
    reason = reason.where((reason != "") | (judged["verdict"] == ""), judged["own_reason"])
    remark = judged.get("remark", pd.Series("", index=judged.index)).fillna("")
    among = (judged["wave"].fillna("") != "") & (judged["verdict"] != "") & (county.sampling != "probability")
    for more in (
        frozen.remark(claim.id, rule_hash),
        pd.Series(np.where(among, "among_respondents", ""), index=judged.index),
    ):
        remark = remark.where((remark == "") | (more == ""), remark + "; ") + more
    rows = judged.assign(
        claim=claim.id, reason=reason, remark=remark, rule=claim.rule, rule_hash=rule_hash, rule_frozen_on=frozen.date(claim.id),
        excluded_flags=", ".join(county.exclude), data_hash=data_hash[:16], figure=claim.figure, notebook=claim.notebook,
        is_synthetic=county.is_synthetic,
    )  # fmt: skip
    rows = rows[list(EVIDENCE)].astype({k: v for k, v in EVIDENCE.items() if v != "str"})
    return rows.assign(**{k: rows[k].astype(object).fillna("").astype(str) for k, v in EVIDENCE.items() if v == "str"})


def county_headlines(evidence: pd.DataFrame, claims: Mapping[str, Claim], wave: str = "") -> pd.DataFrame:
    """The headline row of every claim for the county (a claim on the pilot: for the pilot), index: the claim's id.

    Of several waves or periods `wave` is taken, else the latest.
    """
    head = evidence[evidence["sub"] == ""]
    when = head["wave"].where(head["wave"] != "", head["period"])
    order = head.assign(at=when, is_county=head["place"] == COUNTY, is_now=when == wave)
    order = order.sort_values(["is_county", "is_now", "at"], kind="stable").drop_duplicates("claim", keep="last")
    return order.set_index("claim").reindex([key for key in claims if key in set(order["claim"])])


# --- words ------------------------------------------------------------------------------------------------------------


def show_value(claim: Claim, value: float, lang: str, is_share: bool = False, sub: str = "") -> str:
    """A share as per cent, anything else with the claim's unit; a part of a claim in its own kind."""
    if np.isnan(value):
        return "-"
    kind = kind_of(claim.id, sub) if sub else ""
    if kind == "number":
        return f"{value:.3g}"
    if claim.unit and not is_share and kind != "share":
        return f"{value:.3g} {claim.unit(lang)}"
    return f"{100 * value:.1f}%"


def sentence(row: Mapping[str, Any], claim: Claim, lang: str, place: str, sub: str = "") -> str:
    """One line of evidence: claim, place, verdict, value, interval and n, with its reason and remark."""
    parts = {
        "claim": claim.id,
        "place": place,
        "text": sub or claim.text(lang),
        "verdict": verdict_word(row["verdict"], lang),
    }
    line = say("claims.sentence" if row["verdict"] else "claims.sub_sentence", lang, **parts)
    if not np.isnan(row["estimate"]):
        is_share = claim.is_about_towns and row["place"] == COUNTY and not row["sub"]
        shown = {
            key: show_value(claim, row[name], lang, is_share, row["sub"])
            for key, name in (("value", "estimate"), ("low", "low"), ("high", "high"))
        }
        kind = "counted" if row["low"] == row["high"] else "bounded" if row["method"] == COUNT else "value"
        line += say(f"claims.{kind}", lang, **shown, n=f"{row['n']:.0f}")
    if row["reliability"] == "read with care":
        line += say("claims.care", lang)
    if row["reason"]:
        line += say("claims.because", lang, reason=reason_word(row["reason"], lang))
    for remark in filter(None, row["remark"].split("; ")):
        line += say("claims.remark", lang, remark=say(f"claims.remark_{remark}", lang))
    return line + say("claims.stop", lang)


def verdict_word(verdict: str, lang: str) -> str:
    """The word for a verdict."""
    return say(f"claims.verdict_{verdict.replace(' ', '_')}", lang) if verdict else ""


def reason_word(reason: str, lang: str) -> str:
    """The words for a reason; `no data: x` names the file that is missing."""
    head, _, tail = reason.partition(": ")
    if tail in FORM_NAMES:
        return say(f"claims.no_{tail}", lang)
    table = TABLES.get(tail.partition(":")[0])
    what = table.title.zh if table and lang == "zh" else tail.replace("_", " ")
    return say(f"claims.reason_{head.replace(' ', '_')}", lang, what=what)


def notes_word(row: Mapping[str, Any], lang: str) -> str:
    """The reason and the remarks of a row in words."""
    notes = [reason_word(row["reason"], lang)] if row["reason"] else []
    return "; ".join([*notes, *(say(f"claims.remark_{key}", lang) for key in filter(None, row["remark"].split("; ")))])


def is_problem(row: Mapping[str, Any], claim: Claim) -> bool:
    """Whether the row's verdict is the one that means a problem."""
    return str(row["verdict"]) == claim.problem_if
