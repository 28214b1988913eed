"""R's frozen answers and the designs they belong to; a missing file is an error, never a skip."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from huying.design import Design
from huying.weights import rake_towns

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text("utf-8"))
DESIGNS = {row["design"]: row for row in ANSWERS["designs"]}
DESIGNS["towns_equal"] = {**DESIGNS["towns"], "design": "towns_equal"}


def rows(section, **equal):
    """The records of one section that hold these values; at least one."""
    found = [r for r in ANSWERS[section] if all(r[k] == v for k, v in equal.items())]
    assert found, f"{section}: no oracle for {equal}"
    return found


@cache
def frame(name):
    data = pd.read_csv(HERE / "data" / f"{DESIGNS[name]['file']}.csv", dtype={"cnum": str, "race": str})
    return data.assign(w=25.0) if name == "towns_equal" else data


def design(name, keep=None):
    declared, data = DESIGNS[name], frame(name)
    data = data if keep is None else data[keep]
    stratum = data[declared["strata"]] if declared["strata"] else pd.Series("all", index=data.index)
    labels, codes = np.unique(stratum.astype(str), return_inverse=True)
    unit = data[declared["psu"]] if declared["psu"] else pd.Series(range(len(data)), index=data.index)
    psu = np.unique(stratum.astype(str) + "/" + unit.astype(str), return_inverse=True)[1]
    fpc = data.groupby(codes)[declared["fpc"]].first().to_numpy(float) if declared["fpc"] else None
    return Design(
        codes.astype(np.int64), psu.astype(np.int64), data[declared["weight"]].to_numpy(float), tuple(labels), fpc
    )


def margin_totals(towns, margin):
    table = pd.read_csv(HERE / "data" / "towns_margins.csv")
    table = table[table["margin"] == margin].pivot(index="town", columns="category", values="n")
    return sorted(table.columns), table.reindex(towns)[sorted(table.columns)].to_numpy(float)


@cache
def raked_towns(name):
    """The `towns` design raked to town x sex and town x age, as R rakes it (no category is merged)."""
    at, data = design(name), frame(name)
    groups, totals = {}, {}
    for margin in ("sex", "age3"):
        names, totals[margin] = margin_totals(list(at.places), margin)
        groups[margin] = data[margin].map({n: i for i, n in enumerate(names)}).to_numpy(np.int64)
    raked, table = rake_towns(at, groups, totals)
    assert not table["merged"].any()
    return raked
