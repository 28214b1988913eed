"""Judged facts as rows of the evidence ledger, one order, each key once; refuses one key with two values."""

from typing import Any

import numpy as np
import pandas as pd

from huying.claims.declared import Claim, Freeze, house_claims
from huying.claims.rules import CANNOT_SAY, records
from huying.estimates import COUNTY
from huying.folder import County
from huying.intervals import COUNT
from huying.units import of_part
from huying.words import CountyError

FLAGS = ("is_counted", "is_synthetic")
KEY = ("claim", "place", "period", "wave", "part")
NUMBERS = ("estimate", "low", "high", "n", "n_eff", "df", "deff", "low_family", "high_family")
EVIDENCE = [*KEY, *NUMBERS[:3], "unit", "n", "n_of", "is_counted", *NUMBERS[4:7], "method", "reliability", "verdict"]
EVIDENCE += ["verdict_family", *NUMBERS[7:], "remark", "reason"]
EVIDENCE += ["rule", "rule_hash", "rule_frozen_on", "excluded_flags", "data_hash", "notebook", "cell", "is_synthetic"]


def no_data(places: list[str], reason: str) -> pd.DataFrame:
    """Rows that say `cannot say` at every place, such as `no data: calls` where the county has no file of this kind."""
    said = {"n": 0.0, "verdict": CANNOT_SAY, "verdict_family": CANNOT_SAY, "reason": reason}
    return pd.DataFrame({"place": list(places), **said})


def as_evidence(county: County, claim: Claim, rows: pd.DataFrame, frozen: Freeze, now: str, data: str) -> pd.DataFrame:
    """Judged rows as rows of the evidence ledger: the columns of EVIDENCE in their order and types.

    `now`: the hash of the claim's rule as it is; `data`: that of all that the numbers are made from.
    """
    names = ["place", "part", "wave", "method", "estimate", "low", "high", "unit", "n_of"]
    known = rows.reindex(columns=[*names, "verdict", "reason", "remark", "own_reason"])
    own = records(known.astype(object).where(known.notna(), ""))
    late, among = frozen.remark(claim.id, now), "" if county.sampling == "probability" else "among_respondents"
    notes = [(row["remark"], late, among if row["wave"] and row["verdict"] else "") for row in own]
    said: dict[str, Any] = {"rule": claim.say_rule(), "rule_hash": now, "notebook": claim.notebook}
    said |= {"claim": claim.id, "rule_frozen_on": frozen.date(claim.id), "excluded_flags": ", ".join(county.exclude)}
    said["reason"] = [row["reason"] or (row["own_reason"] if row["verdict"] else "") for row in own]
    said |= {"remark": ["; ".join(filter(None, note)) for note in notes], "data_hash": data[:16]}
    return typed(rows.assign(**name_units(claim, own), **said, is_synthetic=county.is_synthetic))


def name_units(claim: Claim, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The unit of each row's value and what its n counts, where the row does not name them, and whether it counts a complete list.

    Whoever was asked is counted only where everybody answered; what is computed of a list is no count of it.
    """
    told: dict[str, list[Any]] = {"unit": [], "n_of": [], "is_counted": []}
    for row in rows:
        place, part = row["place"], row["part"]
        is_of_towns = claim.is_about_towns and place == COUNTY and not part
        is_list = row["method"] == COUNT and row["estimate"] != "" and (not row["wave"] or row["low"] == row["high"])
        told["unit"].append((not is_of_towns and row["unit"]) or claim.unit_at(place, part))
        told["n_of"].append((not is_of_towns and row["n_of"]) or claim.noun_at(place, part))
        told["is_counted"].append(is_list and of_part("kind", claim.id, part) != "computed")
    return told


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of EVIDENCE in their order and types: numbers, whether the county is synthetic, texts."""
    rows, made = rows.reindex(columns=EVIDENCE), dict[str, Any]()
    for name, column in rows.items():
        if name in NUMBERS:
            made[name] = column.astype("float64")
        elif name in FLAGS:
            made[name] = column.eq(True).fillna(False).astype(bool)
        else:  # value by value: of few rows sooner than as a column
            made[name] = pd.array(["" if pd.isna(value) else str(value) for value in column.tolist()], dtype="str")
    return pd.DataFrame(made, index=rows.index)


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as `typed` gives them, by claim, period, wave, part and place; equal keys once.

    Raises CountyError where one key has two values.
    """
    once = typed(rows).drop_duplicates([*KEY, *NUMBERS])
    if (twice := once.duplicated(list(KEY))).any():
        row = once.loc[twice].iloc[0]
        key = " · ".join(filter(None, (row[name] for name in KEY[1:])))
        raise CountyError("claims.judged_twice", claim=row["claim"], key=key)
    order = {claim: n for n, claim in enumerate(house_claims())}
    rank = once["claim"].map(order).fillna(len(order)).to_numpy()
    at = np.lexsort([once[name].to_numpy(dtype=str) for name in ("place", "part", "wave", "period", "claim")] + [rank])
    return once.iloc[at].reset_index(drop=True)
