"""The ledger's county headlines as a listing: what is claimed, the verdict, value and interval as they are read; judges nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from huying.claims.declared import Claim
from huying.claims.evidence import county_headlines
from huying.claims.judged import is_problem
from huying.claims.worded import notes_word, show_value, verdict_word
from huying.estimates import COUNTY
from huying.words import say


def list_claims(evidence: pd.DataFrame, claims: Mapping[str, Claim], lang: str, wave: str = "") -> pd.DataFrame:
    """A row a claim (index), in the order of the report: the county's headline row with what is said of it.

    Added to the ledger's columns: section, text, is_problem; said, value, interval and why are words in `lang`. Of several
    waves or periods `wave` counts, else the latest; a claim on the pilot shows the pilot's row.
    """
    head = county_headlines(evidence, claims, wave)
    rows = []
    for key, row in head.iterrows():
        claim = claims[str(key)]
        is_share = claim.is_about_towns and row["place"] == COUNTY
        value, low, high = (show_value(claim, float(row[name]), lang, is_share) for name in ("estimate", "low", "high"))
        rows.append(
            {
                "section": claim.section,
                "text": claim.text(lang),
                "said": verdict_word(row["verdict"], lang),
                "value": value,
                "interval": "" if low == high else say("claims.range", lang, low=low, high=high),
                "why": notes_word(row.to_dict(), lang),
                "is_problem": is_problem(row.to_dict(), claim),
            }
        )
    return head.join(pd.DataFrame(rows, index=head.index)) if rows else head
