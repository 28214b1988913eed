"""The frames that notebooks read of a county, by name: evidence by claim, tables, small registers; computes no estimate."""

from __future__ import annotations

import pandas as pd

from huying.blocks import NEIGHBOURS, Frames
from huying.claims import NOT_SUPPORTED
from huying.estimates import COUNTY
from huying.problems.facts import Found, Study

REGISTERS = ("towns", "departments", "org_map", "delegated_items")
UNREAD = ["data_hash"]  # what no notebook prints


def frames_of(study: Study, found: Found, evidence: pd.DataFrame) -> Frames:
    """Every frame by its name: `evidence:P16`, `table:units`, `ledger:towns`, and those made here."""
    own = {f"evidence:{claim}": rows.drop(columns=UNREAD) for claim, rows in evidence.groupby("claim", sort=False)}
    own |= {f"table:{name}": table for name, table in found.tables.items()}
    ledgers = {name: study.cleaned.ledger(name) for name in REGISTERS}
    own |= {f"ledger:{name}": rows for name, rows in ledgers.items() if rows is not None}
    counts = study.cleaned.counts
    own["files"], own["counts"] = counts, counts[["file", "n_read", "n_kept", "n_rejected"]]
    own["rejected"] = (
        study.cleaned.rejected.groupby(["reason", "level"], as_index=False).size().rename(columns={"size": "n"})
    )
    own["size"] = pd.DataFrame({"n_towns": [len(study.towns)]})
    own["frozen"] = evidence.groupby("claim", as_index=False)["rule_frozen_on"].first()
    dated = evidence[evidence["period"] != ""]
    own["periods"] = dated[["claim", "sub", "period"]].drop_duplicates(ignore_index=True)
    return own | {"broken": broken(study.towns, evidence), "ranked": ranked(found)}


def broken(towns: pd.DataFrame, evidence: pd.DataFrame) -> pd.DataFrame:
    """The towns in which a claim does not hold, the first of each claim and time by name, `n` in all."""
    rows = evidence[(evidence["sub"] == "") & (evidence["verdict"] == NOT_SUPPORTED) & (evidence["place"] != COUNTY)]
    rows = rows[["claim", "wave", "period", "place"]]
    same = rows.groupby(["claim", "wave", "period"], sort=False)["place"]
    rows = rows.assign(n=same.transform("size"))[(same.cumcount() < 2 * NEIGHBOURS).to_numpy()]
    names = towns.set_index("town_id")[["name_zh", "name_en"]]
    return rows.join(names, on="place").drop(columns="place").reset_index(drop=True)


def ranked(found: Found) -> pd.DataFrame:
    """For each table of ranks: how many towns have one, and how many ranks a town's interval allows on average."""
    rows = []
    for name, table in found.tables.items():
        if name.startswith("ranks_"):
            known = table[table["rank"].notna()]
            rows.append((name, len(known), (known["rank_high"] - known["rank_low"] + 1).mean()))
    return pd.DataFrame(rows, columns=["table", "n", "width"])
