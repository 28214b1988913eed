"""Staff, leaders and departments of the demo county and their answers; refuses nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo_county.draws import Columns, answer_plainly, as_answers, choose, pick, put_multi, scale, spread, spread_by
from demo_county.truths import AGENCIES, Bools, Ints, Truths

QUIZ = {"a": "O08", "b": "O01", "c": "O06", "d": "O07", "e": "O12"}


def draw_staff(truths: Truths, wave: str, rng: np.random.Generator) -> pd.DataFrame:
    """The answers of a simple random sample of each town's staff, as codes (NaN where not asked)."""
    towns = truths.wave(wave)
    town = np.repeat(np.arange(len(towns)), towns["n_staff"])
    n, index = len(town), towns["true_PRI"].to_numpy()[town]
    pilot = (towns["type"] == "pilot").to_numpy()[town]
    items, out = truths.items("staff"), Columns()
    answer_plainly(out, items, n, rng)
    out["S01"] = town + 1
    common = (truths.units["pilot"] == "both").to_numpy()
    out["S03"] = pick(
        rng, np.arange(1, len(common) + 1), common | (pilot[:, None] & (truths.units["pilot"] == "pilot").to_numpy())
    )
    old = truths.old_units()
    here = ~old["relation"].isin(["left", "dispatched"]).to_numpy()
    out["S04"] = pick(rng, [*range(1, len(old) + 1), 98], [*here, 2.5], n)
    out["S05"] = np.minimum(rng.gamma(1.6, 6.5, n).astype(int), 40)
    _quiz(out, truths, town, pilot, rng)
    lean = spread_by(rng, town)[
        :, None
    ]  # evenly within the town, so that the share at work by the new set-up is 1 - PRI
    cuts = np.column_stack([0.4 * (1 - index), 1 - index, 1 - 0.45 * index, 1 - 0.12 * index])
    out["S09"] = 1 + (lean > cuts).sum(axis=1)
    for row in "abcdefg":
        shares = np.column_stack([1 - index, 0.6 * index, 0.4 * index]) * 0.95
        out[f"S10_{row}"] = pick(rng, [1, 2, 3, 98], np.column_stack([shares, np.full(n, 0.05)]))
    put_multi(
        out,
        "S11",
        [1, 2, 3, 4, 5, 6, 7, 97],
        choose(rng, np.tile([0.26, 0.18, 0.16, 0.10, 0.06, 0.08, 0.14, 0.02], (n, 1)), 4),
    )
    for row, shift in zip("abcd", (0.4, 0.2, 0.1, 0.0), strict=True):
        out[f"S12_{row}"] = scale(rng, shift - 0.2 + 0.5 * (out["S09"] >= 3), 0.03)
    _calls_told(out, truths.wave(wave), town, rng)
    late = 1 - np.nan_to_num(towns["p_resp_2wd"].to_numpy(dtype=float), nan=0.9)[town]
    for row, share in zip(
        "abcde", (1 - late, 0.97 - late, np.full(n, 0.95), np.full(n, 0.09), np.full(n, 0.08)), strict=True
    ):
        out[f"S17_{row}"] = pick(rng, [1, 2, 98], np.column_stack([share, 1 - share, np.full(n, 0.03)]))
    heard = np.column_stack([spread(rng, n) < share for share in truths.mechanisms["heard"]])
    put_multi(
        out, "S20", [*range(1, heard.shape[1] + 1), heard.shape[1] + 1], np.column_stack([heard, ~heard.any(axis=1)])
    )
    return as_answers(out, items)


def _quiz(out: Columns, truths: Truths, town: Ints, pilot: Bools, rng: np.random.Generator) -> None:
    """Answers about the set-up: right with the town's planted probability, else near the truth, or 98 for not knowing."""
    n, knows = len(town), truths.by_town("staff", "quiz")[town] + rng.normal(0, 0.12, len(town))
    for name, key in (("S07a", 7), ("S07b", 5)):
        truth = key + pilot
        wrong = truth + rng.choice([-2, -1, 1, 2, 3], n)
        out[name] = np.where(rng.random(n) < knows, truth, np.where(rng.random(n) < 0.4, 98, wrong))
    ids, first = (
        list(truths.units["unit_id"]),
        truths.org_map.sort_values("share", ascending=False).drop_duplicates("old_id"),
    )
    successor = first.set_index("old_id")["new_unit"]
    for row, old_id in QUIZ.items():
        key = ids.index(successor[old_id]) + 1
        others = [k + 1 for k, kind in enumerate(truths.units["pilot"]) if kind == "both" and k + 1 != key]
        wrong = rng.choice(others, n)
        out[f"S07c_{row}"] = np.where(rng.random(n) < knows, key, np.where(rng.random(n) < 0.45, 98, wrong))
    out["S08"] = scale(rng, 1.2 * (knows - 0.5) + 0.25, 0)


def _calls_told(out: Columns, towns: pd.DataFrame, town: Ints, rng: np.random.Generator) -> None:
    """Needs and calls of six months: the calls of a town are its planted share of the needs, to the nearest call."""
    propensity = towns["call_propensity"].to_numpy()
    mean = towns["need_per_staff_6m"].to_numpy()[town]
    need = rng.poisson(mean * rng.gamma(4, 0.25, len(town)))
    called = np.zeros(len(town), dtype=np.int64)
    for t, share in enumerate(propensity):
        here = np.flatnonzero(town == t)
        called[here] = rng.multivariate_hypergeometric(need[here], round(share * need[here].sum()))
    out["S14"], out["S15"] = need, called
    face = 0.55 - 0.5 * propensity[town]
    rest = np.array([0.18, 0.12, 0.20, 0.12, 0.28, 0.08, 0.02])
    put_multi(out, "S16", [1, 2, 3, 4, 5, 6, 7, 97], choose(rng, np.column_stack([face, np.outer(1 - face, rest)]), 3))


def draw_leaders(truths: Truths, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three forms a town: secretary, mayor, organisation officer; and the head changes that they tell of (`head_changes`)."""
    towns, planted = truths.towns, truths.features["leaders"]
    town, post = np.repeat(np.arange(len(towns)), 3), np.tile([1, 2, 3], len(towns))
    n, heads = len(town), post < 3
    items, out = truths.items("leader"), Columns()
    answer_plainly(out, items, n, rng)
    out["L01"], out["L02"] = town + 1, post
    changes = head_changes(truths, rng)
    events = changes.set_index(["town", "agency"])
    for k, row in enumerate("abcde"):
        own = events.reindex([(t, k) for t in town])
        changed = own["consulted"].notna().to_numpy()
        unsure = rng.random((3, n)) < np.where(heads, 0.0, 0.06)
        out[f"L03_{row}"] = np.where(changed, 1, np.where(unsure[0], 98, 2))
        asked = np.where(own["consulted"] == 1, own["how"], 3)
        out[f"L04_{row}"] = np.where(unsure[1], 98, asked)
        out[f"L05_{row}"] = np.where(unsure[2], 98, own["reported"].fillna(3))
    keep = np.zeros(n, dtype=bool)
    keep[rng.permutation(np.flatnonzero(heads))[: planted["keep_as_is"]]] = True
    out["L07"] = np.where(
        keep | (~heads & (rng.random(n) < 0.6)), 1, pick(rng, [2, 3, 4, 98], [0.55, 0.15, 0.15, 0.15], n)
    )
    propensity = towns["call_propensity"].to_numpy()[town]
    for row, lean in zip("abcd", (propensity + 0.3, 0.8 - propensity, 0.6 - propensity, propensity), strict=True):
        out[f"L12_{row}"] = scale(rng, lean, 0.03)
    index = towns["true_PRI"].to_numpy()[town]
    out["L13"] = 1 + np.digitize(index + rng.normal(0, 0.08, n), [0.18, 0.32, 0.65])
    out["L14"] = np.where(rng.random(n) < 0.08, 98, rng.poisson(3.3, n))
    answers = as_answers(out, items)
    answers["L08"] = np.array(["情况熟悉，比较稳妥", "责任更清楚", "便于统一调度", ""], dtype=object)[
        pick(rng, [0, 1, 2, 3], [0.35, 0.2, 0.2, 0.25], n)
    ]
    return answers, changes


def head_changes(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """The head changes of the agencies (town, agency, after the mechanism, consulted, how, reported: 1 within 30 days, 2 later, 3 no).

    Counts before and after, and how many towns were consulted in each, are exact; towns planted to be consulted more come first.
    """
    planted, towns = truths.features["leaders"], truths.towns
    some = towns["p_consulted"].notna().to_numpy()
    slots = pd.DataFrame(
        [(t, k) for t in np.flatnonzero(some) for k in range(len(AGENCIES))], columns=["town", "agency"]
    )
    before, after = planted["changes_before"], planted["changes_after"]
    events = slots.sample(min(before + after, len(slots)), random_state=rng).reset_index(drop=True)
    events["after"] = np.arange(len(events)) >= before
    share = towns["p_consulted"].to_numpy(dtype=float)[events["town"]]
    score = pd.Series(np.where(share > 0, share + rng.normal(0, 0.05, len(events)), -1.0))
    rank = score.groupby(events["after"]).rank(ascending=False, method="first")
    events["consulted"] = (
        rank <= np.where(events["after"], planted["consulted_after"], planted["consulted_before"])
    ).astype(float)
    events["how"] = pick(rng, [1, 2], [0.4, 0.6], len(events))
    events["reported"] = 1 + np.digitize(spread(rng, len(events)), [0.45, 0.75])
    return events


def draw_departments(truths: Truths, calls: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One form a department; the slips it tells of are those of the second half of its ledger, rounded as people round."""
    n, planted = len(truths.departments), truths.departments
    half = calls[calls["dispatched_at"] >= calls["dispatched_at"].max() - pd.Timedelta(days=183)].groupby("dept").size()
    slips = planted["dept_id"].map(half).fillna(0).to_numpy()
    items, out = truths.items("department"), Columns()
    answer_plainly(out, items, n, rng)
    out["D01"], out["D02"] = np.arange(1, n + 1), np.where(slips > 20, 5 * np.round(slips / 5), slips)
    none = slips < 8
    table = choose(rng, np.tile([0.2, 0.2, 0.35, 0.12, 0.08, 0.03], (n, 1)), 3) * ~none[:, None]
    put_multi(out, "D03", [1, 2, 3, 4, 5, 97, 6], np.column_stack([table, none]))
    return as_answers(out, items)
