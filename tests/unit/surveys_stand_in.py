"""A county with surveys of residents and staff, made by hand: forms, registers, two waves."""

import numpy as np
import pandas as pd
from agencies_stand_in import form

from run_notebook import StandIn

SPANS = """[wave.2023]
from = 2023-05-08
to = 2023-06-02

[wave.2024]
from = 2024-05-13
to = 2024-05-31

[period.2022]
from = 2022-01-04
to = 2022-12-31
as_of = 2023-01-06

[exclude]
flags = ["duplicate"]
"""


def ids(n):
    return [f"T{k:02d}" for k in range(1, n + 1)]


def register(n):
    """Towns of 1000 adults whose types, populations and villages differ."""
    return pd.DataFrame({"town_id": ids(n), "name_zh": "镇", "name_en": "Town", "type": ["street" if k % 4 == 3 else "town" for k in range(n)],
                         "pop": [10_000 + 3_000 * ((7 * k) % 11) for k in range(n)], "adults": 1000,
                         "n_villages": [10 + (5 * k) % 13 for k in range(n)], "staff_listed": pd.array([40] * n, dtype="Int64")})  # fmt: skip


def residents(towns, wave="2023", villages=5, **answers):
    """One complete form a place in `towns` (town ids), men and women, young and old by turns, villages by turns: weights are equal
    where they are equally many."""
    n = len(towns)
    order = pd.Series(towns).groupby(towns).cumcount()
    rows = form(
        "resident",
        towns,
        **{"R03": [30 if k % 4 < 2 else 70 for k in range(n)], "R04": [1 + k % 2 for k in range(n)], **answers},
    )
    village = [f"{town}-{k % villages}" for town, k in zip(towns, order, strict=True)]
    return rows.assign(wave=wave, row_id=[f"resident{wave}#{k}" for k in range(n)], village_id=village)


def staff(towns, wave="2023", **answers):
    return form("staff", towns, **answers).assign(wave=wave, row_id=[f"staff{wave}#{k}" for k in range(len(towns))])


def margins(n, male=500, young=500):
    cells = [
        ("sex", "male", male),
        ("sex", "female", 1000 - male),
        ("age", "18-39", young),
        ("age", "60+", 1000 - young),
    ]
    return pd.DataFrame(
        [(town, *cell) for town in ids(n) for cell in cells], columns=["town_id", "item", "category", "adults"]
    )


def opened(folder, forms, n, ledgers=None, flags=(), more=""):
    """A county of `n` towns from lists of form frames by form."""
    rows = {name: pd.concat(parts, ignore_index=True) for name, parts in forms.items()}
    return StandIn(folder, {("towns", ""): register(n), **(ledgers or {})}, rows, SPANS + more, flags=flags)


def aware_of(counts, size, seed=1):
    """Town ids and R09 answers: `counts[k]` of `size` people of town k are aware (1), the others not (4), in mixed order."""
    rng = np.random.default_rng(seed)
    towns = [town for town in ids(len(counts)) for _ in range(size)]
    answers = [int(v) for k in counts for v in rng.permutation([1] * k + [4] * (size - k))]
    return towns, answers
