"""What changed between waves, and the campaign's towns beside the others; refuses to read a cause out of one town."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.estimates import COUNTY, STUDENT, estimate_means, estimate_shares, estimate_sum, is_unsteady, limits
from huying.exact import permutation_p
from huying.problems import parallel
from huying.problems.facts import Found, Study, values
from huying.samples import Sample, stack

Floats = npt.NDArray[np.float64]
PERMUTATION, ASSOCIATION, SIGNIFICANT = "permutation", "association", 0.05
ENDLESS = 1e6  # degrees of freedom of a variance that is taken as known


STAFF: Mapping[str, Callable[[Study, Sample], Floats]] = {
    "P15": parallel.quiz,
    "B05": lambda study, sample: parallel.lighter(sample),
}


def find(study: Study) -> Found:
    """Sub `change` of P15 and B05, the `campaign: …` subs of S11, and table `campaign`."""
    found = Found()
    for claim, indicator in STAFF.items():
        for before, after in itertools.pairwise(study.waves("staff")):
            found.add(claim, staff_change(study, indicator, before, after), sub="change")
    campaign(study, found)
    return found


# --- staff ------------------------------------------------------------------------------------------------------------


def staff_change(study: Study, indicator: Callable[[Study, Sample], Floats], before: str, after: str) -> pd.DataFrame:
    """The change of a mean of staff by town and county, the two waves as independent samples of persons.

    Forms carry no name, so who answered twice cannot be known; where the same people answer alike the interval is too wide,
    not too narrow. Degrees of freedom: Welch (1947).
    """
    fewest = study.county.thresholds["fewest_staff"]
    early, late = (
        estimate_means(sample.design, pd.DataFrame({"value": indicator(study, sample)}), wave=wave, fewest=fewest)
        for wave, sample in ((wave, study.samples["staff", wave]) for wave in (before, after))
    )
    return difference(early, late.set_index("place").loc[early["place"]].reset_index())


def difference(early: pd.DataFrame, late: pd.DataFrame) -> pd.DataFrame:
    """`late` less `early`, two frames of independent estimates in the same order of places."""
    v0, v1 = early["se"].to_numpy(dtype=float) ** 2, late["se"].to_numpy(dtype=float) ** 2
    parts = [np.divide(v**2, df, out=np.zeros(len(v)), where=df > 0) for v, df in ((v0, early["df"]), (v1, late["df"]))]
    bottom = parts[0] + parts[1]
    least = np.minimum(early["df"], late["df"]).to_numpy(dtype=float)
    df = np.divide((v0 + v1) ** 2, bottom, out=least.copy(), where=bottom > 0)
    gap = late.assign(estimate=late["estimate"] - early["estimate"], se=np.sqrt(v0 + v1), df=df, n_eff=np.nan, deff=np.nan,
                      n=np.minimum(early["n"], late["n"]), method=STUDENT,
                      reason=early["reason"].where(early["reason"] != "", late["reason"]))  # fmt: skip
    gap["low"], gap["high"] = limits(gap)
    said = np.select([gap["reason"] == "too few answers", gap["reason"] != "", is_unsteady(gap)],
                     ["too few answers", "not estimable", "read with care"], "ok")  # fmt: skip
    return gap.assign(reliability=said)


# --- the campaign -----------------------------------------------------------------------------------------------------


def campaign(study: Study, found: Found) -> None:
    """S11: awareness in the campaign's towns against the others, in each wave and from wave to wave.

    Subs `campaign: difference` (mean of its towns less mean of the others, with its sampling error) and `campaign: p` (the
    share of choices of as many towns that differ as much), and the same `of change`. Every town that answered takes part,
    however few its answers: its value is not shown, and to leave out towns would be to choose them.
    """
    chosen = [str(town) for town in study.county.campaign.get("towns", ())]
    levels = {wave: awareness(study, wave) for wave in study.waves("resident")} if chosen else {}
    tables = [compared(found, level, chosen, wave) for wave, level in levels.items()]
    for before, after in itertools.pairwise(levels):
        moved = moves(study, before, after, levels[before]["variance"] + levels[after]["variance"])
        why = "" if is_between(study, before, after) else "no wave before the campaign"
        tables.append(compared(found, moved, chosen, after, " of change", why))
    if kept := [table for table in tables if len(table)]:
        found.tables["campaign"] = pd.concat(kept, ignore_index=True)


def is_between(study: Study, before: str, after: str) -> bool:
    """Whether the campaign began after the one wave's last day and before the other's first."""
    day, waves = study.county.campaign.get("on"), study.county.waves
    return day is not None and {before, after} <= set(waves) and waves[before].last < day <= waves[after].first


def awareness(study: Study, wave: str) -> pd.DataFrame:
    """Each town's awareness (estimate), its sampling variance p(1 - p)/n_eff at the pooled design effect, df; index town_id."""
    sample = study.samples["resident", wave]
    shares = estimate_shares(sample.design, pd.DataFrame({"aware": parallel.aware(sample)}), fewest=1, county=False)
    shares = shares[shares["estimate"].notna()].set_index("place")
    p = shares["estimate"]
    return pd.DataFrame({"estimate": p, "variance": p * (1 - p) / shares["n_eff"], "df": np.inf})


def moves(study: Study, before: str, after: str, apart: pd.Series) -> pd.DataFrame:
    """Each town's change of awareness, as `awareness`, shared villages as shared PSUs.

    `apart`: the variances without what the villages share, for a town whose one village gives none.
    """
    both = stack(study.samples["resident", before], study.samples["resident", after])
    value, late = parallel.aware(both), (both.rows["wave"] == after).to_numpy()
    parts = [(k, np.nan_to_num(value), np.isfinite(value) & when) for k, when in ((1.0, late), (-1.0, ~late))]
    change = estimate_sum(both.design, "change", parts, fewest=1).set_index("place").drop(index=COUNTY)
    change = change[change["estimate"].notna()]
    variance = change["se"] ** 2
    return pd.DataFrame({"estimate": change["estimate"], "variance": variance.fillna(apart.reindex(change.index)),
                         "df": change["df"].where(variance.notna(), np.inf)})  # fmt: skip


def compared(
    found: Found, towns: pd.DataFrame, chosen: list[str], wave: str, what: str = "", why: str = ""
) -> pd.DataFrame:
    """Add the facts of one comparison, and give it as a row: wave, what, difference, low, high, p, smallest_p, towns, treated."""
    treated = towns.index.isin(chosen)
    if not 0 < treated.sum() < len(towns):
        return pd.DataFrame()
    test = permutation_p(towns["estimate"].to_numpy(), treated)
    share = np.where(treated, 1 / treated.sum(), 1 / (~treated).sum())
    gap = values([COUNTY], [test.difference], [len(towns)], method=STUDENT, remark=ASSOCIATION, reason=why)
    gap["se"], gap["df"] = satterthwaite(share**2 * towns["variance"].to_numpy(), towns["df"].to_numpy(dtype=float))
    gap["low"], gap["high"] = limits(gap.assign(n_eff=np.nan))
    gap["df"] = gap["df"].where(gap["df"] < ENDLESS)
    found.add("S11", gap, sub=f"campaign: difference{what}", wave=wave)
    small = f"smallest p: {test.smallest_p:.3f}".replace("0.", ".") if test.smallest_p > SIGNIFICANT else ""
    chance = values([COUNTY], [test.p], [len(towns)], method=PERMUTATION, reason=small, remark=ASSOCIATION)
    found.add("S11", chance, sub=f"campaign: p{what}", wave=wave)
    row = {"wave": wave, "what": what.strip() or "level", "difference": test.difference, "low": gap["low"].iloc[0],
           "high": gap["high"].iloc[0], "p": test.p, "smallest_p": test.smallest_p, "towns": len(towns),
           "treated": int(treated.sum())}  # fmt: skip
    return pd.DataFrame([row])


def satterthwaite(variance: Floats, df: Floats) -> tuple[float, float]:
    """The standard error of a sum of independent terms, and its degrees of freedom (Satterthwaite 1946), at most ENDLESS."""
    total, bottom = float(variance.sum()), float((variance**2 / df).sum())
    return float(np.sqrt(total)), min(total**2 / bottom, ENDLESS) if bottom > 0 else ENDLESS
