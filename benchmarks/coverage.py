"""How often the intervals hold the truth of the generated county, and how often its verdicts accuse wrongly.

Draws SEEDS samples from one population, weighs and estimates each as the county step does, and prints by town: coverage
of the finite-population value, mean width, and for the planted lines of the county the share of verdicts beside the power
worked out beforehand. First come the hard settings of hard_settings.py. Run: python benchmarks/coverage.py [SEEDS [REPEATS]]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import hard_settings

from demo_county.ledgers import town_ledgers
from demo_county.population import Population, make_population, true_values
from demo_county.residents import draw_residents
from huying.claims.declared import house_claims
from huying.claims.rules import NOT_SUPPORTED, SUPPORTED, judge_claim
from huying.estimates import COUNTY
from huying.folder import read_county
from huying.intervals import korn_graubard
from huying.ledgers import no_rejects
from huying.store import Cleaned
from run_notebook import Given

DEMO = Path(__file__).parents[1] / "survey_data" / "demo"
CLAIMS = {
    "P16": ("aware", "aware"),
    "P17": ("first_contact_old", "went_old_first"),
}  # the plan's name, and the variable's
# What is known before any sample: the planted share, the answers, the villages, and the planted village effect (sd .4 on the
# logit: a latent correlation of .046 within villages, about two thirds of it on the 0/1 scale).
RHO, KISH = 0.03, 1.05
PLANTED = [("T18", "P16", SUPPORTED), ("T17", "P16", SUPPORTED), ("T13", "P16", SUPPORTED), (COUNTY, "P16", SUPPORTED),
           (COUNTY, "P17", NOT_SUPPORTED)]  # fmt: skip


def as_cleaned(population: Population, rows: pd.DataFrame) -> Cleaned:
    """A sample without dirt as a cleaned county."""
    ledgers = {(name, ""): frame for name, frame in town_ledgers(population, np.array([], dtype=np.int64)).items()}
    flags = pd.DataFrame({"row_id": [], "flag": [], "detail": []})
    return Cleaned({"resident": rows}, ledgers, no_rejects(), flags, pd.DataFrame(), "")


def one_seed(population: Population, seed: int) -> pd.DataFrame:
    """The judged rows of P16 and P17 for one sample."""
    rows = draw_residents(population, np.random.default_rng([seed, 77]))
    survey = Given(read_county(DEMO), as_cleaned(population, rows)).survey("resident", population.wave, exclude=())
    parts = []
    for claim, (_, variable) in CLAIMS.items():
        judged = judge_claim(house_claims()[claim], survey.share(variable).assign(part="", period="", remark=""))
        parts.append(judged.assign(claim=claim, seed=seed))
    return pd.concat(parts, ignore_index=True)


def power(share: float, n: float, per_psu: float, threshold: float) -> float:
    """The chance that the upper limit lies below `threshold` (or, for a threshold not exceeded, at most on it): a binomial at n_eff."""
    size = n / (KISH * (1 + (per_psu - 1) * RHO))
    counts = np.arange(int(np.ceil(size)) + 1)
    high = korn_graubard(np.minimum(counts / size, 1.0), np.full(len(counts), size))[1]
    return float(stats.binom.pmf(counts, round(size), share)[high[: len(counts)] < threshold].sum())


def main(seeds: int, repeats: int) -> int:
    is_hard_ok = hard_settings.main(repeats) == 0
    population = make_population(2023)
    truth = true_values(population).set_index(["indicator", "town_id"])["value"]
    start = time.perf_counter()
    table = pd.concat([one_seed(population, seed) for seed in range(seeds)], ignore_index=True)
    table["truth"] = [truth[CLAIMS[c][0], p] for c, p in zip(table["claim"], table["place"], strict=True)]
    stated = table[table["estimate"].notna()]
    inside = (stated["low"] <= stated["truth"]) & (stated["truth"] <= stated["high"])
    by_place = stated.assign(inside=inside, width=stated["high"] - stated["low"]).groupby(["claim", "place"])
    report = by_place.agg(
        n=("n", "mean"), truth=("truth", "first"), coverage=("inside", "mean"), width=("width", "mean")
    ).round(3)
    print(report.to_string())
    towns = report.drop(index=COUNTY, level="place")
    ok = True
    for claim, part in towns.groupby(level="claim"):
        enough = part[part["n"] >= 30]
        mean, least = part["coverage"].mean(), enough["coverage"].min()
        good = 0.93 <= mean <= 0.985 and least >= 0.90
        ok &= good
        print(
            f"{claim}: mean coverage over towns {mean:.3f} (93-98.5%), least with 30 answers or more {least:.3f} (90%) {'ok' if good else 'MISSED'}"
        )
    ok &= planted(table, population, seeds)
    ok &= accusations(table)
    print(f"{seeds} seeds in {time.perf_counter() - start:.0f} s")
    return 0 if ok and is_hard_ok else 1


def planted(table: pd.DataFrame, population: Population, seeds: int) -> bool:
    """The planted lines: share of seeds with the verdict expected, beside the power worked out beforehand."""
    towns, ok = population.towns.set_index("town_id"), True
    for place, claim, verdict in PLANTED:
        rows = table[(table["claim"] == claim) & (table["place"] == place)]
        share, threshold = (rows["verdict"] == verdict).mean(), house_claims()[claim].threshold
        n = float(rows["n"].mean())
        psus = towns["villages_sampled"].sum() if place == COUNTY else towns.loc[place, "villages_sampled"]
        expected = power(rows["truth"].iloc[0], n, n / psus, threshold)
        low, high = stats.binom.interval(0.999, seeds, expected)
        good = low <= share * seeds <= high
        ok &= good
        print(
            f"{place} {claim} {verdict}: {share:.3f} of seeds; power beforehand {expected:.3f} {'ok' if good else 'MISSED'}"
        )
    return ok


def accusations(table: pd.DataFrame) -> bool:
    """False accusations: the problem verdict of the family where the truth lies on the other side of the threshold; at most 5%."""
    towns, ok = table[(table["place"] != COUNTY) & table["estimate"].notna()], True
    for column in ("verdict", "verdict_family"):
        wrong = 0
        for claim in CLAIMS:
            rule, own = house_claims()[claim], towns[towns["claim"] == claim]
            innocent = own["truth"] >= rule.threshold if rule.quantifier == "LOW" else own["truth"] <= rule.threshold
            wrong += int(((own[column] == rule.problem_if) & innocent).sum())
        share = wrong / len(towns)
        ok &= share <= 0.05
        print(f"false accusations by {column}: {wrong} of {len(towns)} town x claim ({share:.2%}; at most 5%)")
    return ok


if __name__ == "__main__":
    raise SystemExit(main(*map(int, (sys.argv[1:] + ["200", "1000"][len(sys.argv) - 1 :])[:2])))
