"""The claims as a listing: each once, with what is said of its headline; what cannot be judged for want of data is one line."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from huying.claims.declared import Claim
from huying.claims.rules import CANNOT_SAY
from huying.claims.statements import statements
from huying.estimates import COUNTY
from huying.words import say

SILENT = ("not asked", "no data")  # why nothing could be judged at all


def list_claims(
    evidence: pd.DataFrame, claims: Mapping[str, Claim], places: Any, lang: str, wave: str = ""
) -> pd.DataFrame:
    """A row a claim (index), in the order of the report: the county's headline row with what is said of it.

    Added to the ledger's columns: section, said (the verdict's words), same_as (the claim that measures the same: count it
    once), is_silent (nothing to judge by), why (cautions) and the words of its statement (text, value, interval, n_said,
    threshold, is_problem). Of several waves or periods `wave` counts, else the latest; a claim on the pilot shows the
    pilot's row.
    """
    head = evidence[evidence["part"] == ""]
    when = head["wave"].where(head["wave"] != "", head["period"])
    order = head.assign(at=when, is_county=head["place"] == COUNTY, is_now=when == wave)
    head = order.sort_values(["is_county", "is_now", "at"], kind="stable").drop_duplicates("claim", keep="last")
    head = head.set_index("claim", drop=False).reindex([key for key in claims if key in set(head["claim"])])
    said = statements(head, claims, places, lang)
    said = said.rename(columns={"verdict_word": "said", "caution": "why", "n": "n_said"})
    head = head.join(said[["text", "said", "value", "interval", "n_said", "threshold", "why", "is_problem"]])
    head["section"] = [key[:2] if key[0] in "PS" else key[0] for key in head.index]
    head["same_as"] = [claims[key].same_as for key in head.index]
    head["is_silent"] = head["reason"].str.startswith(SILENT) & (head["verdict_family"] == CANNOT_SAY)
    return head.drop(columns="claim").rename_axis("claim")


def say_silent(listed: pd.DataFrame, lang: str) -> str:
    """The one line about the claims of a listing that no data can judge; empty where there are none."""
    silent = listed.index[listed["is_silent"].to_numpy(dtype=bool)]
    return say("statements.silent", lang, n=len(silent), claims=" ".join(silent)) if len(silent) else ""
