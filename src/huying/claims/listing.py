"""The ledger's county headlines as a listing: what is claimed, the verdict, value and interval as they are read; judges nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from huying.claims.declared import Claim
from huying.claims.evidence import county_headlines
from huying.claims.judged import is_problem
from huying.claims.worded import notes_word, shown, verdict_word
from huying.words import say

ADDED = ("section", "text", "said", "value", "interval", "why", "is_problem")


def list_claims(evidence: pd.DataFrame, claims: Mapping[str, Claim], lang: str, wave: str = "") -> pd.DataFrame:
    """A row a claim (index), in the order of the report: the county's headline row with what is said of it.

    Added to the ledger's columns: section, text, is_problem; said, value, interval and why are words in `lang`. Of several
    waves or periods `wave` counts, else the latest; a claim on the pilot shows the pilot's row.
    """
    head = county_headlines(evidence, claims, wave)
    rows = []
    for key, row in head.iterrows():
        claim = claims[str(key)]
        told = shown(row, claim, lang)
        interval = "" if told["low"] == told["high"] else say("claims.range", lang, **told)
        words = claim.text(lang), verdict_word(row["verdict"], lang), told["value"], interval, notes_word(row, lang)
        rows.append((claim.section, *words, is_problem(row, claim)))
    return head.join(pd.DataFrame(rows, head.index, ADDED)) if rows else head
