"""A row of evidence in words: verdict, value, interval, n, reason and remarks; refuses a reason that has no words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from huying.claims.declared import Claim
from huying.claims.rules import ALL, SUPPORTED
from huying.counted import NO_CASE
from huying.estimates import COUNTY
from huying.intervals import COUNT
from huying.labels import part_kind
from huying.ledgers import TABLES
from huying.words import say

LISTED = ("section", "text", "said", "value", "interval", "why", "is_problem", "same_as")
FORM_NAMES = {"residents": "resident", "staff": "staff", "leaders": "leader", "departments_form": "department"}


def show_value(claim: Claim, value: float, lang: str, is_share: bool = False, sub: str = "") -> str:
    """A share as per cent, anything else with the claim's unit; a part of a claim in its own kind."""
    if np.isnan(value):
        return "-"
    kind = part_kind(claim.id, sub) if sub else ""
    if kind == "number":
        return f"{value:.3g}"
    if claim.unit and not is_share and kind != "share":
        return f"{value:.3g} {claim.unit(lang)}"
    return f"{100 * value:.1f}%"


def shown(row: Mapping[str, Any], claim: Claim, lang: str) -> dict[str, str]:
    """A row's value, interval and n as they are read: of a claim about towns the county's value is a share of them."""
    is_share = claim.is_about_towns and row["place"] == COUNTY and not row["part"]
    numbers = {"value": row["estimate"], "low": row["low"], "high": row["high"]}
    told = {key: show_value(claim, value, lang, is_share, row["part"]) for key, value in numbers.items()}
    return {**told, "n": f"{row['n']:.0f}"}


def sentence(row: Mapping[str, Any], claim: Claim, lang: str, place: str, sub: str = "") -> str:
    """One line of evidence: claim, place, verdict, value, interval and n, with its reason and remark."""
    parts = {"claim": claim.id, "place": place, "text": sub or claim.text(lang)}
    parts["verdict"] = verdict_word(row["verdict"], lang)
    line = say("claims.sentence" if row["verdict"] else "claims.sub_sentence", lang, **parts)
    if not np.isnan(row["estimate"]):
        line += said_value(row, claim, lang)
    if row["reliability"] == "read with care":
        line += say("claims.care", lang)
    if row["reason"]:
        line += say("claims.because", lang, reason=reason_word(row["reason"], lang))
    for remark in filter(None, row["remark"].split("; ")):
        line += say("claims.remark", lang, remark=say(f"claims.remark_{remark}", lang))
    return line + say("claims.stop", lang)


def said_value(row: Mapping[str, Any], claim: Claim, lang: str) -> str:
    """The value with what surrounds it: counted, all of them, bounded, the interval of a process or of a sample."""
    told, is_counted = shown(row, claim, lang), row["method"] == COUNT
    if claim.told and not row["part"]:
        return "".join(told.get(piece, piece) for piece in re.split(r"[{}]", claim.told(lang)))
    is_all = claim.quantifier == ALL and row["verdict"] == SUPPORTED and row["estimate"] == 1 and row["n"] > 1
    kind = "bounded" if row["low"] < row["high"] else "all" if is_all else "counted"
    return say(f"claims.{kind if is_counted else 'value' if row['wave'] else 'process'}", lang, **told)


def short(row: Mapping[str, Any], claim: Claim, lang: str) -> str:
    """A row's value, interval and n as they stand in a cell of a table; why there is none where there is none."""
    if np.isnan(row["estimate"]):
        return reason_word(row["reason"], lang) if row["reason"] else "-"
    kind = "cell_counted" if row["method"] == COUNT and row["low"] == row["high"] else "cell"
    return say(f"claims.{kind}", lang, **shown(row, claim, lang))


def verdict_word(verdict: str, lang: str) -> str:
    """The word for a verdict."""
    return say(f"claims.verdict_{verdict.replace(' ', '_')}", lang) if verdict else ""


def reason_word(reason: str, lang: str) -> str:
    """The words for a reason; `no data: x` names the file that is missing, `no eligible case: x` what there was none of."""
    head, _, tail = reason.partition(": ")
    if head == NO_CASE and tail:
        return say("claims.detail", lang, head=reason_word(head, lang), detail=reason_word(tail, lang))
    if tail in FORM_NAMES:
        return say(f"claims.no_{tail}", lang)
    table = TABLES.get(tail.partition(":")[0])
    what = table.title.zh if table and lang == "zh" else tail.replace("_", " ")
    return say(f"claims.reason_{head.replace(' ', '_')}", lang, what=what)


def notes_word(row: Mapping[str, Any], lang: str, same_as: str = "") -> str:
    """The reason and the remarks of a row in words, and the claim that measures the same."""
    notes = [reason_word(row["reason"], lang)] if row["reason"] else []
    notes += [say("claims.same_as", lang, claim=same_as)] if same_as else []
    return "; ".join([*notes, *(say(f"claims.remark_{key}", lang) for key in filter(None, row["remark"].split("; ")))])


def list_claims(evidence: pd.DataFrame, claims: Mapping[str, Claim], lang: str, wave: str = "") -> pd.DataFrame:
    """A row a claim (index), in the order of the report: the county's headline row with what is said of it.

    Added to the ledger's columns: section, text, is_problem, same_as (the claim that measures the same: count it once); said,
    value, interval and why are words in `lang`. Of several
    waves or periods `wave` counts, else the latest; a claim on the pilot shows the pilot's row.
    """
    head = evidence[evidence["part"] == ""]
    when = head["wave"].where(head["wave"] != "", head["period"])
    order = head.assign(at=when, is_county=head["place"] == COUNTY, is_now=when == wave)
    head = order.sort_values(["is_county", "is_now", "at"], kind="stable").drop_duplicates("claim", keep="last")
    head, rows = head.set_index("claim").reindex([key for key in claims if key in set(head["claim"])]), []
    for key, row in head.iterrows():
        claim = claims[str(key)]
        told = shown(row, claim, lang)
        interval = "" if row["low"] == row["high"] or told["low"] == "-" else say("claims.range", lang, **told)
        words = claim.text(lang), verdict_word(row["verdict"], lang), told["value"], interval
        section = claim.id[:2] if claim.id[0] in "PS" else claim.id[0]
        why, is_problem = notes_word(row, lang, claim.same_as), row["verdict"] == claim.problem_if
        rows.append((section, *words, why, is_problem, claim.same_as))
    return head.join(pd.DataFrame(rows, head.index, LISTED)) if rows else head
