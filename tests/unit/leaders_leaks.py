"""Tries to find a leader's answer in what a notebook gives out: rows and frames by town, and all that it prints.

Two ways. `interference` deals the leaders to other towns and runs a notebook again: whatever changes beyond the county's own
figures had heard the leaders of a town. `leaks_in` reads a folder of results as somebody would who knows the true answers.
"""

import contextlib
import io
import json
import re
from dataclasses import replace
from functools import cache
from math import lgamma, log
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

import huying
from huying.claims.declared import house_claims
from huying.estimates import COUNTY
from huying.survey import Survey
from run_notebook import NOTEBOOKS, cells_of, run_notebook

CELL = re.compile(r"L\d\d(_\w+)?$")
BITS = 20.0  # a match that could come about by chance once in a million is none
WIDE = 32  # columns
FEWEST = 4  # towns that make a figure by town
TOLD = ("estimate", "low", "high", "n")
KEY = ["claim", "part", "period", "wave", "place"]
HEARING = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb") if '"leader"' in "\n".join(cells_of(path.stem)))


# --- asked twice ------------------------------------------------------------------------------------------------------


def shuffled(cleaned, seed=1):
    """The same county with the leaders of each office dealt to other towns."""
    rows = cleaned.forms["leader"]
    rng, town = np.random.default_rng(seed), rows["town_id"].to_numpy(copy=True)
    for office in rows["L02"].dropna().unique():
        here = np.flatnonzero((rows["L02"] == office).to_numpy(dtype=bool, na_value=False))
        town[here] = town[rng.permutation(here)]
    return replace(cleaned, forms={**cleaned.forms, "leader": rows.assign(town_id=town)})


@contextlib.contextmanager
def watched_charts():
    """The charts replaced by what only remembers the tables that they are given."""
    seen, before = [], vars(huying).get("charts")

    def remember(*given, **more):
        seen.extend(value for value in (*given, *more.values()) if isinstance(value, pd.DataFrame | pd.Series))
        return SimpleNamespace(**dict.fromkeys(("axvline", "axline", "set_title", "set"), lambda *a, **k: None))

    class Charts:
        def __getattr__(self, name):
            return remember

    huying.charts = Charts()
    try:
        yield seen
    finally:
        huying.__dict__.pop("charts") if before is None else setattr(huying, "charts", before)


def told_by(source, county, town=COUNTY, change=None):
    """What a notebook, or some lines of code, judges, holds under a name or draws, and prints."""
    with watched_charts() as drawn:
        names, printed = (
            run_notebook(source, county, town, "2023", change=change)
            if source in HEARING
            else run_lines(source, county, town)
        )
    held = [value for key, value in sorted(names.items()) if not key.startswith("_")]
    rows = names["county"].recorded
    return rows, [*frames_of(held), *(frame_of(table) for table in drawn)], printed


def run_lines(source, county, town):
    """What some lines leave behind under names, and print."""
    names, printed = {"county": county, "town": town, "pd": pd, "hy": huying}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(source, names)
    names.pop("__builtins__")
    return names, printed.getvalue()


def frames_of(values):
    """Every frame and series among values, surveys' frames and the rows of verdicts, also within lists and dicts."""
    found = []
    for value in values:
        if isinstance(value, pd.DataFrame | pd.Series):
            found.append(frame_of(value))
        elif isinstance(value, Survey):
            found.append(frame_of(value.frame))
        elif isinstance(value, list | tuple | dict):
            found += frames_of(value.values() if isinstance(value, dict) else value)
        elif isinstance(rows := getattr(value, "rows", None), pd.DataFrame):
            found.append(frame_of(rows))
    return found


def frame_of(table):
    """A table with its index as columns, all columns named by texts."""
    made = table.to_frame() if isinstance(table, pd.Series) else table
    index = made.index.to_frame(index=False).set_axis([f"index {k}" for k in range(made.index.nlevels)], axis=1)
    return pd.concat([index, made.reset_index(drop=True).set_axis(list(map(str, made.columns)), axis=1)], axis=1)


def is_of_county(table):
    return "place" in table and table["place"].eq(COUNTY).all()


def telling(source, made, change=None):
    """Gives what a notebook, or some lines of code, tells of a place, each once; `made` gives the county, its leaders dealt or not."""
    return cache(lambda is_dealt, town: told_by(source, made(is_dealt), town, change))


def interference(tell, towns, places=(COUNTY,)):
    """What a notebook, or some lines of code, tells beyond the county's own figures that changes when the leaders change towns.

    `tell` gives what it tells of a place, with the leaders where they are or dealt anew; `towns` are the county's towns' names
    by id, `places` those that the notebook is read for.
    """
    found = []
    for town in places:
        (rows, tables, text), (rows_again, tables_again, text_again) = (
            tell(is_dealt, town) for is_dealt in (False, True)
        )
        rows, rows_again = (part.reindex(columns=[*KEY, *TOLD, "reason"]) for part in (rows, rows_again))
        before, after = (frame[frame["place"] != COUNTY].reset_index(drop=True) for frame in (rows, rows_again))
        if not before.equals(after):
            found.append("rows by town")
        if len(tables) != len(tables_again):
            found.append("tables: their number")
        for n, (one, two) in enumerate(zip(tables, tables_again, strict=False)):
            if not one.astype(str).equals(two.astype(str)) and not (is_of_county(one) and is_of_county(two)):
                found.append(f"table {n}: {', '.join(map(str, one.columns))}"[:200])
        naming = re.compile("|".join(map(re.escape, [*towns, *towns.values()])))
        lines = [[line for line in printed.splitlines() if naming.search(line)] for printed in (text, text_again)]
        found += [f"printed: {one}" for one, two in zip(*lines, strict=False) if one != two]
    return sorted(set(found))


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


def leaks_in_tables(tables, vectors, towns):
    """Leaks of several tables; a form of residents or staff, of many columns, is left to `interference`."""
    return [
        leak for table in tables if table.shape[1] < WIDE for leak in leaks_in_table("frame", table, vectors, towns)
    ]


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
        is_alone = ~pd.DataFrame({"town": ids, "label": labels}).duplicated(keep=False)  # else no figure of a town
        labels = labels[is_alone.groupby(labels).transform("sum") >= FEWEST]
        for rows in labels.groupby(labels).groups.values():
            for column, values in numbers.loc[rows].items():
                shown = pd.Series(values.astype(float).to_numpy(), index=ids.loc[rows])
                hit = recognised(shown, vectors)
                found += [f"{name}: {column} is {hit}"] if hit else []
    return sorted(set(found))


def leaks_in_evidence(evidence, vectors):
    """Rows by town of claims that leaders feed, or of a part that names them, and series by town that repeat their answers."""
    fed = {key for key, claim in house_claims().items() if "leaders" in claim.needs}
    town = evidence[(evidence["place"] != COUNTY) & evidence[list(TOLD[:3])].notna().any(axis=1)]
    open_ = town[town["claim"].isin(fed) | town["part"].str.contains("leader")]
    found = [f"{r.claim} {r.part} at {r.place}" for r in open_.itertuples()]
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
    """All that an executed notebook printed, as text; the evidence that its cells carry too, a row a line."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    outputs = [out for cell in cells for out in cell.get("outputs", ())]
    parts = ["".join(out.get("text", ())) for out in outputs]
    for out in outputs:
        data = out.get("data", {})
        html = re.sub(r"</?t[dh][^>]*>", " ", "".join(data.get("text/html", ())).replace("\n", " "))
        parts += ["".join(data.get("text/plain", ())), re.sub(r"<[^>]+>", "\n", html)]
        rows = [row for kind, value in data.items() if kind.endswith("+json") for row in value]
        parts += [f"{row['claim']} | {row['place']} {row['estimate']} {row['n']}" for row in rows if "claim" in row]
    return "\n".join(parts)


def truth_of(cleaned):
    """The figures by town that nobody may see, the towns by every name, and the leaders' open answers."""
    leaders, register = cleaned.forms["leader"], cleaned.ledger("towns")
    towns = {str(row[c]): row["town_id"] for _, row in register.iterrows() for c in ("town_id", "name_zh", "name_en")}
    answers = {a for a in leaders["L08"].dropna().astype(str) if len(a) >= 6} if "L08" in leaders else set()
    return true_vectors(leaders), towns, answers


def leaks_in(folder, truth):
    """Every leak found in a folder of results, by the truth: in its evidence, and in the notebooks below it."""
    vectors, towns, answers = truth
    found = leaks_in_evidence(pd.read_parquet(Path(folder) / "evidence.parquet"), vectors)
    for path in sorted(Path(folder).rglob("*.ipynb")):
        found += leaks_in_text(path.name, output_text(path), vectors, towns, answers)
    return found
