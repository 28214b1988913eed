"""Tries to find a leader's answer in what the library gives out: rows and tables by town, and the text of notebooks.

Two ways. `interference` shuffles the leaders among the towns and asks the problems again: whatever changes by town, or in any
table, had heard the leaders. `leaks_in` reads a folder of results as somebody would who knows the true answers.
"""

import json
import re
from dataclasses import replace
from math import lgamma, log
from pathlib import Path

import numpy as np
import pandas as pd

from huying.claims import house_claims
from huying.estimates import COUNTY

CELL = re.compile(r"L\d\d(_\w+)?$")
BITS = 20.0  # a match that could come about by chance once in a million is none
FEWEST = 4  # towns that make a figure by town
TOLD = ("estimate", "low", "high", "n")
KEY = ["claim", "sub", "period", "wave", "place"]


# --- asked twice ------------------------------------------------------------------------------------------------------


def shuffled(study, seed=1):
    """The same study with the leaders of each office dealt to other towns."""
    rows = study.cleaned.forms["leader"]
    rng, town = np.random.default_rng(seed), rows["town_id"].to_numpy(copy=True)
    for office in rows["L02"].dropna().unique():
        here = np.flatnonzero((rows["L02"] == office).to_numpy(dtype=bool, na_value=False))
        town[here] = town[rng.permutation(here)]
    forms = {**study.cleaned.forms, "leader": rows.assign(town_id=town)}
    return replace(study, cleaned=replace(study.cleaned, forms=forms))


class Watched(dict):
    """Forms that remember whether anybody looked at the leaders'."""

    seen = False

    def __getitem__(self, form):
        self.seen |= form == "leader"
        return super().__getitem__(form)

    def get(self, form, default=None):
        return self[form] if form in self else default  # noqa: SIM401 - the mapping notes every access  # noqa: SIM401  (`get` of a dict would not be seen)

    def values(self):
        return [self[form] for form in self]

    def items(self):
        return [(form, self[form]) for form in self]


def interference(find, study, seed=1):
    """What `find` says by town, or in any table, that changes when the leaders change towns."""
    forms = Watched(study.cleaned.forms)
    told = find(replace(study, cleaned=replace(study.cleaned, forms=forms)))
    if not forms.seen:
        return []
    again = find(shuffled(study, seed))
    before, after = (f.frame()[[*KEY, *TOLD, "reason"]] for f in (told, again))
    before, after = (frame[frame["place"] != COUNTY].reset_index(drop=True) for frame in (before, after))
    found = []
    if len(before) != len(after):
        found.append("rows by town: their number")
    elif not before.equals(after):
        moved = (before != after) & ~(before.isna() & after.isna())
        found += sorted({f"{r.claim} {r.sub} by town" for r in before[moved.any(axis=1)].itertuples()})
    for name in sorted(set(told.tables) | set(again.tables)):
        one, two = told.tables.get(name), again.tables.get(name)
        if one is None or two is None or not one.reset_index(drop=True).equals(two.reset_index(drop=True)):
            found.append(f"table {name}")
    return found


# --- read with the true answers in hand -------------------------------------------------------------------------------


def true_vectors(leaders):
    """Every figure by town that could be made of one item, a column each: means, sums, extremes, medians, counts of each answer, shares of 4 and 5."""
    vectors = {}
    for cell in [c for c in leaders if CELL.fullmatch(c) and pd.api.types.is_numeric_dtype(leaders[c]) and c != "L01"]:
        answers = leaders[cell].astype(float)
        towns = answers.groupby(leaders["town_id"])
        for how in ("mean", "sum", "min", "max", "median"):
            vectors[f"{cell} {how}"] = getattr(towns, how)()
        if answers.nunique() <= 6:
            for code in answers.dropna().unique():
                vectors[f"{cell} number of {code:g}"] = (
                    (answers == code).groupby(leaders["town_id"]).sum().astype(float)
                )
        vectors[f"{cell} share high"] = (
            (answers >= 4).where(answers.notna()).astype(float).groupby(leaders["town_id"]).mean()
        )
        for office in leaders["L02"].dropna().unique() if cell != "L02" else ():
            own = leaders[leaders["L02"] == office].drop_duplicates("town_id")
            vectors[f"{cell} of office {office}"] = own.set_index("town_id")[cell].astype(float)
    return pd.DataFrame(vectors)


def bits(values):
    """How surprising it is to meet these numbers in just this order of towns: the log of the number of orders."""
    counts = np.unique(np.round(values, 9), return_counts=True)[1]
    return (lgamma(len(values) + 1) - sum(lgamma(n + 1) for n in counts)) / log(2)


def recognised(shown, vectors, tolerance=1e-9):
    """The true vector that `shown` (numbers by town_id) repeats, whole or as per cent or as one less it, else empty."""
    shown = shown[~shown.index.duplicated(keep=False)].astype(float).reindex(vectors.index).to_numpy()[:, None]
    true = vectors.to_numpy()
    both = np.isfinite(shown) & np.isfinite(true)
    same = [
        ((np.abs(shown - other) <= tolerance + 1e-12) | ~both).all(axis=0) for other in (true, 100 * true, 1 - true)
    ]
    for k in np.flatnonzero(np.logical_or.reduce(same) & (both.sum(axis=0) >= FEWEST)):
        if bits(true[both[:, k], k]) >= BITS:
            return vectors.columns[k]
    return ""


def town_column(table, towns):
    """The column of a table that names towns (by id or by name), as ids; None where there is none."""
    for column in table:
        ids = table[column].astype(str).map(towns)
        if len(table) and ids.notna().mean() > 0.5:
            return ids
    return None


def leaks_in_table(name, table, vectors, towns):
    """Leaks of one table: cells of the leaders' form as columns, or numbers by town that repeat the leaders' answers."""
    found = [f"{name}: column {c}" for c in table if CELL.fullmatch(str(c))]
    ids = town_column(table, towns)
    if ids is None:
        return found
    words = table.astype(object).map(str)  # a missing key is a key
    keys = [c for c in table if words[c].map(towns).isna().any() and words[c].nunique() < len(table)]
    groups = [np.zeros(len(table)), *(words[c] for c in keys)]
    if len(keys) > 1:
        groups += [words[some].agg("|".join, axis=1) for some in (keys, *([k for k in keys if k != c] for c in keys))]
    numbers = table.select_dtypes("number")
    for group in groups:
        labels = pd.Series(group, index=table.index)
        labels = labels[labels.groupby(labels).transform("size") >= FEWEST]
        for rows in labels.groupby(labels).groups.values():
            for column, values in numbers.loc[rows].items():
                hit = recognised(pd.Series(values.to_numpy(), index=ids.loc[rows]), vectors)
                found += [f"{name}: {column} is {hit}"] if hit else []
    return sorted(set(found))


def leaks_in_evidence(evidence, vectors):
    """Rows by town of claims that leaders feed, or of a sub that names them, and series by town that repeat their answers."""
    fed = {key for key, claim in house_claims().items() if "leaders" in claim.needs}
    town = evidence[(evidence["place"] != COUNTY) & evidence[list(TOLD[:3])].notna().any(axis=1)]
    open_ = town[town["claim"].isin(fed) | town["sub"].str.contains("leader")]
    found = [f"{r.claim} {r.sub} at {r.place}" for r in open_.itertuples()]
    for key, rows in town.groupby(KEY[:-1]):
        for column in TOLD:
            hit = recognised(pd.Series(rows[column].to_numpy(), index=rows["place"]), vectors)
            found += [f"{' '.join(key)}: {column} is {hit}"] if hit else []
    return found


def leaks_in_text(name, text, vectors, towns, answers):
    """Sentences about a town on a claim that leaders feed, open answers word for word, and columns of printed numbers."""
    fed = "|".join(sorted(key for key, claim in house_claims().items() if "leaders" in claim.needs)) or "none"
    names = "|".join(map(re.escape, sorted(towns, key=len, reverse=True)))
    found = [f"{name}: {hit[0]}" for hit in re.finditer(rf"\b(?:{fed})\s*[|｜]\s*(?:{names})", text)]
    found += [f"{name}: an open answer" for answer in answers if answer in text]
    columns = {}
    for line in text.splitlines():
        at = re.search(rf"(?<!\w)(?:{names})(?!\w)", line)
        for place, token in enumerate(re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", line[at.end() :]) if at else ()):
            columns.setdefault(place, {}).setdefault(towns[at[0]], token)
    for place, column in columns.items():
        decimals = max(len(token.partition(".")[2]) for token in column.values())
        shown = pd.Series({town: float(token) for town, token in column.items()}, dtype=float)
        hit = recognised(shown, vectors, 0.5 * 10.0**-decimals)
        found += [f"{name}: number {place + 1} of the lines is {hit}"] if hit else []
    return found


def output_text(notebook):
    """All that an executed notebook printed, as text."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    outputs = [out for cell in cells for out in cell.get("outputs", ())]
    parts = ["".join(out.get("text", ())) for out in outputs]
    for out in outputs:
        data = out.get("data", {})
        html = re.sub(r"</?t[dh][^>]*>", " ", "".join(data.get("text/html", ())).replace("\n", " "))
        parts += ["".join(data.get("text/plain", ())), re.sub(r"<[^>]+>", "\n", html)]
    return "\n".join(parts)


def leaks_in(folder):
    """Every leak found in a folder of results: its evidence, its tables, and the notebooks below it."""
    folder = Path(folder)
    leaders = pd.read_parquet(folder / "data" / "forms" / "leader.parquet")
    register = pd.concat([pd.read_parquet(p) for p in (folder / "data" / "ledgers").glob("towns@*.parquet")])
    towns = {str(row[c]): row["town_id"] for _, row in register.iterrows() for c in ("town_id", "name_zh", "name_en")}
    answers = {a for a in leaders["L08"].dropna().astype(str) if len(a) >= 6} if "L08" in leaders else set()
    vectors = true_vectors(leaders)
    found = leaks_in_evidence(pd.read_parquet(folder / "evidence.parquet"), vectors)
    for path in sorted((folder / "data" / "tables").glob("*.parquet")):
        found += leaks_in_table(path.stem, pd.read_parquet(path), vectors, towns)
    for path in sorted(folder.rglob("*.ipynb")):
        found += leaks_in_text(path.name, output_text(path), vectors, towns, answers)
    return found
