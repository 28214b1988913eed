"""The evidence ledger gathered from what the notebooks judged: one order, each key once; refuses one key with two values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from huying.claims.declared import house_claims
from huying.claims.evidence import KEY, typed
from huying.claims.verdict import MIME, NUMBERS
from huying.errors import CountyError


def read_recorded(notebooks: Iterable[tuple[str, Path]]) -> pd.DataFrame:
    """The rows that cells of these executed notebooks (name, file) recorded, with the notebook and the id of the cell."""
    rows = [
        row | {"notebook": name, "cell": cell["id"]}
        for name, file in notebooks
        for cell in json.loads(file.read_text("utf-8"))["cells"]
        for output in cell.get("outputs", ())
        for row in output.get("data", {}).get(MIME, ())
    ]
    return in_order(pd.DataFrame(rows))


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns and types of EVIDENCE, by claim, period, wave, part and place; equal keys once.

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
