"""Problem 2, what leaders and staff say of the agencies: claims P26 and P27; refuses anything by town, for leaders are known by their town."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying import scales
from huying.estimates import (
    COUNT,
    COUNTY,
    EXACT,
    STUDENT,
    Design,
    estimate_means,
    estimate_ratios,
    estimate_shares,
    korn_graubard,
)
from huying.exact import bounds
from huying.problems.facts import Found, Study, counted, values
from huying.problems.parallel import where
from huying.samples import Sample, analysed

Floats = npt.NDArray[np.float64]
KINDS = {"a": "enforcement", "b": "market", "c": "land", "d": "justice", "e": "police"}
TASKS = {"P26": "core", "P27": "urgent"}
RATINGS, UNKNOWN, HIGH = (1, 2, 3, 4, 5), 98, 4
BOOTSTRAP, JACKKNIFE, DRAWS = "psu bootstrap", "jackknife", 499
FEWEST, FEWEST_TOWNS = 5, 3  # a county's figure that rests on fewer leaders, or on fewer towns, would tell of them


def bounded(
    places: Sequence[str], yes: Any, known: Any, total: Any, *, fewest: int = 1, reason: str = "no eligible case"
) -> pd.DataFrame:
    """Counted shares among the known, one a place; low and high count the unknown ones as no and as yes.

    A place with fewer than `fewest` cases is not stated.
    """
    yes, known, total = (np.asarray(v, dtype=float) for v in (yes, known, total))
    share = np.divide(yes, known, out=np.full(len(total), np.nan), where=known > 0)
    low, high = np.array([bounds(*row) for row in zip(yes, known, total, strict=True)]).T
    few = total < fewest
    why = np.select([total == 0, few, known == 0], [reason, "too few answers", "nobody knows"], "")
    shown = {name: np.where(few, np.nan, v) for name, v in (("estimate", share), ("low", low), ("high", high))}
    return pd.DataFrame({"place": list(places), **shown, "n": total, "method": COUNT,
                         "reliability": np.where(why == "", "ok", np.where(few & (total > 0), "too few answers", "not estimable")),
                         "reason": why})  # fmt: skip


# --- leaders' forms ---------------------------------------------------------------------------------------------------


def leaders_by_wave(study: Study) -> list[tuple[str, pd.DataFrame]]:
    """The leaders' complete forms of each wave; a wave too small to speak of the county without telling of a leader is left out."""
    forms = study.cleaned.forms.get("leader")
    waves = sorted(set(forms["wave"])) if forms is not None else []
    parts = [(wave, analysed(study.cleaned, "leader", wave, study.county.exclude)) for wave in waves]
    return [(wave, rows) for wave, rows in parts if len(rows) >= FEWEST and rows["town_id"].nunique() >= FEWEST_TOWNS]


def ratings(rows: pd.DataFrame, cell: str) -> pd.DataFrame:
    """One row a leader or staff member and agency: town_id, kind, value (1 to 5, missing where unknown); `cell` such as L06_{}_core."""
    return pd.concat([pd.DataFrame({"town_id": rows["town_id"], "kind": kind, "value": rows[cell.format(letter)].astype(float)})
                      for letter, kind in KINDS.items()], ignore_index=True)  # fmt: skip


def merged(rows: pd.DataFrame, item: str, yes: tuple[int, ...], no: tuple[int, ...]) -> Floats:
    """One answer for each town and agency whose head a leader says was replaced: 1 for `yes`, 0 for `no`, missing for unknown.

    Any leader who knows speaks for the town; where they contradict each other, or deny the change, it is unknown.
    """
    parts = []
    for letter in KINDS:
        said, changed = (rows[f"{cell}_{letter}"].astype(float) for cell in (item, "L03"))
        told = pd.DataFrame(
            {"changed": changed == 1, "denied": changed == 2, "yes": said.isin(yes), "no": said.isin(no)}
        )
        town = told.groupby(rows["town_id"]).any()
        town = town[town["changed"]]
        agreed = (town["yes"] ^ town["no"]) & ~town["denied"]
        parts.append(np.where(agreed, town["yes"].astype(float), np.nan))
    return np.concatenate(parts)


def leaders_say(study: Study, found: Found, claim: str, item: str, yes: tuple[int, ...], no: tuple[int, ...]) -> None:
    """Sub `leaders say`: the county's share from leaders' forms; exact limits, the unknown ones counted both ways."""
    for wave, rows in leaders_by_wave(study):
        answer = merged(rows, item, yes, no)
        k, known, total = (float(v) for v in (np.nansum(answer), np.isfinite(answer).sum(), len(answer)))
        frame = bounded([COUNTY], [k], [known], [total], fewest=FEWEST, reason="no head change")
        if total >= FEWEST:
            ends = [frame["low"].iloc[0], frame["high"].iloc[0]]
            low, high = korn_graubard(np.array(ends), np.array([total, total]))
            frame = frame.assign(low=low[0], high=high[1], n_eff=total, method=EXACT)
        found.add(claim, frame, sub="leaders say", wave=wave)


def cooperation(study: Study, found: Found, claim: str) -> None:
    """P26, P27: ratings 4 and 5 among those that leaders give, by kind of agency; P26 with the staff's, P27 with the duty log."""
    task = TASKS[claim]
    for wave, rows in leaders_by_wave(study):
        given = ratings(rows, f"L06_{{}}_{task}")
        for sub, part in (("", given), *((f"kind_{kind}", part) for kind, part in given.groupby("kind", sort=False))):
            tally = (part["value"] >= HIGH).sum(), part["value"].count(), len(part)
            found.add(claim, bounded([COUNTY], *([v] for v in tally), fewest=FEWEST), sub=sub, wave=wave)
        keep_table(found, given, wave, "leaders", task)
        sample = study.samples.get(("staff", wave))
        if claim == "P26" and sample is not None:
            beside_staff(study, found, given, sample, wave)
    for wave in study.waves("staff") if claim == "P26" else ():
        staff(study, found, study.samples["staff", wave], wave)
    if claim == "P27":
        attendance(study, found)


def keep_table(found: Found, given: pd.DataFrame, wave: str, source: str, task: str) -> None:
    """Add to table `cooperation` how many ratings of each agency were each answer, for the county as a whole."""
    answers = given.assign(answer=given["value"].fillna(UNKNOWN).astype(int))
    counts = answers.groupby(["kind", "answer"]).size()
    index = pd.MultiIndex.from_product([KINDS.values(), (*RATINGS, UNKNOWN)], names=["kind", "answer"])
    rows = counts.reindex(index, fill_value=0).rename("n").reset_index().assign(wave=wave, source=source, task=task)
    before = [found.tables["cooperation"]] if "cooperation" in found.tables else []
    found.tables["cooperation"] = pd.concat([*before, rows], ignore_index=True)


def attendance(study: Study, found: Found) -> None:
    """P27: the share of summonses to urgent duties at which the agency turned up."""
    for (table, period), log in study.cleaned.ledgers.items():
        if table == "duty_log":
            came = log["turned_up"].astype("boolean")
            found.add("P27", counted([COUNTY], [came.sum()], [came.count()]), sub="attendance", period=period)


# --- staff beside leaders ---------------------------------------------------------------------------------------------


def staff(study: Study, found: Found, sample: Sample, wave: str) -> None:
    """The staff's ratings of the same agencies: shares 4 and 5, how reliable the five are, and where the old set-up still runs."""
    cells = {kind: f"S19_{letter}" for letter, kind in KINDS.items()}
    score = pd.DataFrame(
        {kind: np.where(sample.asked(cell), sample.column(cell), np.nan) for kind, cell in cells.items()}
    )
    high = (score >= HIGH).astype(float).where(score.notna())
    few = {"wave": wave, "fewest": study.county.thresholds["fewest_staff"]}
    whole = estimate_ratios(
        sample.design, "staff", high.sum(axis=1).to_numpy(), high.count(axis=1).to_numpy(float), **few
    )
    shares = estimate_shares(sample.design, high, **few)
    for frame in (whole.assign(sub="staff"), shares.assign(sub="staff_" + shares["indicator"])):
        found.add("P26", frame[frame["place"] == COUNTY])
    keep_table(found, ratings(sample.rows, "S19_{}"), wave, "staff", "core")
    reliability(found, score, sample.design, wave)
    where_old_runs(found, score, sample, wave)


def reliability(found: Found, score: pd.DataFrame, design: Design, wave: str) -> None:
    """Subs `alpha` and `omega`: how far the five ratings measure one thing, persons drawn again within towns."""
    n = int(score.notna().all(axis=1).sum())
    for sub, statistic in (("alpha", scales.cronbach_alpha), ("omega", scales.mcdonald_omega)):
        value = statistic(score, design.weight)
        low, high = scales.psu_bootstrap(statistic, score, design.stratum, design.psu, design.weight, n=DRAWS)
        row = values([COUNTY], [value], [n], low=low, high=high, method=BOOTSTRAP)
        found.add("P26", said(row, "not estimable"), sub=sub, wave=wave)


def said(row: pd.DataFrame, reason: str) -> pd.DataFrame:
    """The row, or without a number its `reason`."""
    is_there = row["estimate"].notna()
    return row.assign(reason=np.where(is_there, "", reason), reliability=np.where(is_there, "ok", "not estimable"))


def where_old_runs(found: Found, score: pd.DataFrame, sample: Sample, wave: str) -> None:
    """Sub `ordinal: old running`: log odds of a better rating where the old set-up is still followed (S09 from 3); an association.

    All five ratings of a person in one cumulative logit model whose PSU is the person.
    """
    k, design = score.shape[1], sample.design
    old = where(sample.column("S09") >= 3, sample.asked("S09"))
    fit = scales.ordinal_logit(score.to_numpy().ravel(), np.repeat(old, k)[:, None],
                               *(np.repeat(part, k) for part in (design.weight, design.stratum, design.psu)))  # fmt: skip
    (low,), (high,) = fit.limits()
    row = values([COUNTY], fit.coefficients, [fit.n], low=low, high=high, se=fit.se, df=fit.df, method=STUDENT)
    found.add("P26", said(row, fit.reason), sub="ordinal: old running", wave=wave)


def dyads(given: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Each town and agency that both sides rate: means and lower medians of leaders and of staff. Never to be shown by town."""
    sides = []
    for name, side in (("leaders", given), ("staff", ratings(rows, "S19_{}"))):
        groups = side.dropna().groupby(["town_id", "kind"])["value"]
        sides.append(pd.DataFrame({name: groups.mean(), f"{name}_median": groups.quantile(0.5, interpolation="lower")}))
    return sides[0].join(sides[1], how="inner").reset_index()


def beside_staff(study: Study, found: Found, given: pd.DataFrame, sample: Sample, wave: str) -> None:
    """Leaders less staff, paired by town and agency (towns are the PSUs), and the agreement of their median ratings."""
    pairs = dyads(given, sample.rows)
    if pairs["town_id"].nunique() < FEWEST_TOWNS or len(pairs) < FEWEST:
        return
    town = np.unique(pairs["town_id"].astype(str), return_inverse=True)[1].astype(np.int64)
    design = Design(np.zeros_like(town), town, np.ones(len(town)), ("all",))
    gap = estimate_means(design, pd.DataFrame({"gap": pairs["leaders"] - pairs["staff"]}), wave=wave, fewest=FEWEST)
    found.add("P26", gap[gap["place"] == COUNTY], sub="leaders less staff")
    kappa = scales.weighted_kappa(pairs["leaders_median"], pairs["staff_median"], RATINGS, psu=town)
    row = values(
        [COUNTY],
        [kappa.estimate],
        [kappa.n],
        low=kappa.low,
        high=kappa.high,
        se=kappa.se,
        df=kappa.df,
        method=JACKKNIFE,
    )
    found.add(
        "P26", row.assign(reason="" if np.isfinite(kappa.estimate) else "separation"), sub="weighted kappa", wave=wave
    )


FINDERS: dict[str, Callable[[Study, Found], None]] = {claim: partial(cooperation, claim=claim) for claim in TASKS}
