"""Judged facts as rows of the evidence ledger; refuses a row without the hash of its rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from huying.claims.declared import Claim
from huying.claims.frozen import Freeze
from huying.claims.judged import CANNOT_SAY
from huying.estimates import COUNTY
from huying.folder import County

KEY = ("claim", "place", "period", "wave", "part")
EVIDENCE: Mapping[str, str] = {
    **dict.fromkeys(KEY, "str"),
    **dict.fromkeys(("estimate", "low", "high", "n", "n_eff", "df", "deff"), "float64"),
    **dict.fromkeys(("method", "reliability", "verdict", "verdict_family"), "str"),
    **dict.fromkeys(("low_family", "high_family"), "float64"),
    **dict.fromkeys(("remark", "reason", "rule", "rule_hash", "rule_frozen_on", "excluded_flags", "data_hash",
                     "notebook", "cell"), "str"),
    "is_synthetic": "bool",
}  # fmt: skip


def no_data(places: Iterable[str], reason: str) -> pd.DataFrame:
    """Rows that say `cannot say` at every place, such as `no data: calls` where the county has no file of this kind."""
    texts = dict.fromkeys(("part", "period", "wave", "method", "reliability"), "")
    numbers = dict.fromkeys(("estimate", "low", "high", "n_eff", "df", "deff", "low_family", "high_family"), np.nan)
    rows = pd.DataFrame({"place": list(places), **texts, "n": 0.0, **numbers})
    return rows.assign(verdict=CANNOT_SAY, verdict_family=CANNOT_SAY, own_reason="", reason=reason)


def as_evidence(
    county: County, claim: Claim, judged: pd.DataFrame, frozen: Freeze, rule_hash: str, data_hash: str
) -> pd.DataFrame:
    """Judged rows as rows of the evidence ledger: the columns of EVIDENCE in their order and types."""
    names = ["verdict", "wave", "reason", "remark", "own_reason"]
    own = judged.reindex(columns=names).astype("str").fillna("").to_dict("records")
    late = frozen.remark(claim.id, rule_hash)
    among = "" if county.sampling == "probability" else "among_respondents"
    notes = [(row["remark"], late, among if row["wave"] and row["verdict"] else "") for row in own]
    columns = {
        **judged,
        "claim": claim.id,
        "reason": [row["reason"] or (row["own_reason"] if row["verdict"] else "") for row in own],
        "remark": ["; ".join(filter(None, note)) for note in notes],
        "rule": claim.rule,
        "rule_hash": rule_hash,
        "rule_frozen_on": frozen.date(claim.id),
        "excluded_flags": ", ".join(county.exclude),
        "data_hash": data_hash[:16],
        "notebook": claim.notebook,
        "is_synthetic": county.is_synthetic,
    }
    return typed(pd.DataFrame(columns, judged.index))


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of EVIDENCE in their order and types."""
    texts = [name for name, kind in EVIDENCE.items() if kind == "str"]
    return rows.reindex(columns=list(EVIDENCE)).astype(dict(EVIDENCE)).fillna(dict.fromkeys(texts, ""))


def county_headlines(evidence: pd.DataFrame, claims: Mapping[str, Claim], wave: str = "") -> pd.DataFrame:
    """The headline row of every claim for the county (a claim on the pilot: for the pilot), index: the claim's id.

    Of several waves or periods `wave` is taken, else the latest.
    """
    head = evidence[evidence["part"] == ""]
    when = head["wave"].where(head["wave"] != "", head["period"])
    order = head.assign(at=when, is_county=head["place"] == COUNTY, is_now=when == wave)
    order = order.sort_values(["is_county", "is_now", "at"], kind="stable").drop_duplicates("claim", keep="last")
    return order.set_index("claim").reindex([key for key in claims if key in set(order["claim"])])
