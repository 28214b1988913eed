"""How far a headline verdict hangs on choices that could have been made otherwise; refuses to count a choice that alters nothing.

A specification is one combination of choices: flagged forms left out or kept, how forms are weighted, the clock, what becomes
of missing answers, and the bar five points up or down (Simonsohn, Simmons and Nelson 2020). Each runs through the finder and
the rule that give the headline; no specification is better than another, and none replaces the rule that was declared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from huying.claims import Claim, claims_of, judge, judge_claim
from huying.estimates import COUNTY
from huying.problems.curves import CURVES, Varied
from huying.problems.facts import Found, Study, lacking, values

CHOICES = ("flags", "weights", "clock", "missing", "bar")
WHERE, SAME = ["claim", "wave", "period"], ["claim", "place", "wave", "period"]
STEP = 0.05


def find(study: Study) -> Found:
    """Sub `robustness` of the claims CURVES (the share of specifications that keep the headline's verdict), and two tables.

    `specifications`: claim, place, wave, period, the CHOICES, estimate, low, high, n, verdict, is_headline. `turning`: by
    claim, place and choice how many specifications get another verdict when that choice alone leaves the headline's.
    """
    found, claims = Found(), claims_of(study.county)
    parts = [specifications(study, claims[key], curve) for key, curve in CURVES.items() if not lacking(study, claims[key].needs)]  # fmt: skip
    if made := [part for part in parts if len(part)]:
        table = pd.concat(made, ignore_index=True)
        found.tables |= {"specifications": table, "turning": turning(table)}
        for (claim, wave, period), rows in standing(table).groupby(WHERE, sort=False):
            span = {"wave": wave} if wave else {"period": period}
            found.add(str(claim), values(rows["place"], rows["share"], rows["n"]), sub="robustness", **span)
    return found


# --- one claim over its specifications --------------------------------------------------------------------------------


def specifications(study: Study, claim: Claim, curve: Callable[[Study, str], Varied]) -> pd.DataFrame:
    """The rows of table `specifications` of one claim; the first specification of each wave or period is the headline's."""
    rows: list[dict[str, Any]] = []
    first: dict[tuple[str, str], dict[str, str]] = {}
    own = claim.rule_at("town")[1]
    for given, facts in curve(study, claim.id):
        choice = {"wave": "", "period": "", **dict.fromkeys(CHOICES[:-1], ""), **given}
        head = first.setdefault((choice["wave"], choice["period"]), choice)
        for step in (0.0, -STEP, STEP):
            if 0 < (bar := round(own + step, 9)) <= 1:
                is_headline = choice == head and not step
                rows += [{"claim": claim.id, **choice, "bar": bar, **row, "is_headline": is_headline}
                         for row in verdicts(with_bar(claim, bar), facts)]  # fmt: skip
    return pd.DataFrame(rows)


def with_bar(claim: Claim, bar: float) -> Claim:
    """The claim with another bar, for its towns where it is a claim about towns."""
    return replace(claim, town_bar=bar) if claim.is_about_towns else replace(claim, bar=bar)


def verdicts(claim: Claim, facts: pd.DataFrame) -> list[dict[str, Any]]:
    """place, estimate, low, high, n, verdict of a headline's facts, judged as the evidence is.

    A claim about towns gives the county's row alone, since its verdict rests on the towns'.
    """
    if claim.is_about_towns:
        judged = judge_claim(replace(claim, subs={}), facts)
        rows = judged[judged["place"] == COUNTY].to_dict("records")
    else:
        rows = facts.to_dict("records")
    names = ("estimate", "low", "high", "n")
    made = [{"place": row["place"], **{name: float(row[name]) for name in names}, "verdict": row.get("verdict", "")}
            for row in rows]  # fmt: skip
    return [row | {"verdict": row["verdict"] or judge(*claim.rule_at(row["place"]), *(row[name] for name in names))[0]}
            for row in made]  # fmt: skip


def standing(table: pd.DataFrame) -> pd.DataFrame:
    """By claim, place, wave and period: the share of specifications with the headline's verdict, and their number n.

    A place whose headline has no value is left out: nothing stands or falls there.
    """
    head = table.loc[table["is_headline"] & table["estimate"].notna(), [*SAME, "verdict"]]
    both = table.merge(head, on=SAME, suffixes=("", "_head"))
    kept = (both["verdict"] == both["verdict_head"]).groupby([both[name] for name in SAME], sort=False)
    return kept.agg(share="mean", n="size").reset_index()


def turning(table: pd.DataFrame) -> pd.DataFrame:
    """claim, place, wave, period, choice, n_changed, n_compared, most often turning first within a place.

    Each specification is compared with the one that differs from it in that choice alone, which there is the headline's.
    """
    head = table.loc[table["is_headline"], [*WHERE, *CHOICES]].drop_duplicates(WHERE)
    at = table[WHERE].merge(head, on=WHERE, how="left")
    parts = []
    for choice in CHOICES:
        is_own = (table[choice] == at[choice]).to_numpy()
        keys = [*SAME, *(name for name in CHOICES if name != choice)]
        both = table[~is_own].merge(table.loc[is_own, [*keys, "verdict"]], on=keys, suffixes=("", "_own"))
        changed = (both["verdict"] != both["verdict_own"]).groupby([both[name] for name in SAME], sort=False)
        parts.append(changed.agg(n_changed="sum", n_compared="size").reset_index().assign(choice=choice))
    rows = pd.concat(parts, ignore_index=True)
    order = rows.sort_values([*SAME, "n_changed"], ascending=[True] * len(SAME) + [False], kind="stable")
    return order[[*SAME, "choice", "n_changed", "n_compared"]].reset_index(drop=True)
