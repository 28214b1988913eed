"""A county in which no problem is planted: in how many samples does any town, by the family verdict, get a problem?

The population has 62% aware in every town, 32% who first go to an old unit, 10% of old marks, 78% of matters called, 75% of the
quiz right. For each seed residents, staff and the check of units are drawn anew and judged as the county step does. Beside it the
hardest case: awareness and first contact exactly on their thresholds in all towns, each claim for itself.
At most 8% of 200 seeds may show a false verdict (the upper binomial limit of 5%).

Counted lists first: departments or towns whose equal processes lie exactly on the threshold. Some are always named, for a
list is counted; at most 5% of counties may name any of them without the remark that it could be chance.
Run: python benchmarks/no_problem.py [SEEDS], 0 for the counted lists alone.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from demo_county.ledgers import documents, org_roster, town_ledgers, unit_check
from demo_county.population import Population, make_population
from demo_county.residents import as_cleaned, draw_residents
from demo_county.staff import draw_staff
from demo_county.truths import Truths, house_truths
from huying.claims.declared import Claim
from huying.claims.rules import judge_claim
from huying.counted import counted
from huying.folder import read_county
from huying.ledgers import no_rejects
from huying.store import Cleaned
from huying.words import Text
from run_notebook import Given, judged

DEMO = Path(__file__).parents[1] / "survey_data" / "demo"
# Claims of towns that a sample decides and whose truth is planted; what is counted cannot err by chance.
CLAIMS = ("P13", "P15", "P16", "P17", "P18", "P32", "S11", "S31")
NOTEBOOKS = ("11", "13", "21")
LISTS = 500
WELL = {"true_aware": 0.62, "true_first_old": 0.32, "true_PRI": 0.10, "call_propensity": 0.78}
ON_THE_BAR = {"true_aware": 0.5, "true_first_old": 0.5}


def truths_with(values: dict[str, float]) -> Truths:
    """The demo county's plan with these values in every town, and nothing missing from any roster."""
    plan = house_truths()
    features = {**plan.features, "staff": {"quiz": 0.75}}
    features["residents"] = {**plan.features["residents"], "quota_60": {}, "campaign": []}
    features["roster"] = {**plan.features["roster"], "no_plaque": [], "lacks_unit": {}, "extra_unit": {}}
    known = {name: value for name, value in values.items() if name in plan.waves}
    return replace(plan, towns=plan.towns.assign(**values), waves=plan.waves.assign(**known), features=features)


def draw(population: Population, seed: int) -> Cleaned:
    """One sample of residents and staff without dirt, with the ledgers that the claims need."""
    rng, plan, wave = np.random.default_rng([seed, 78]), population.truths, population.wave
    answers = draw_staff(plan, wave, rng)
    town = plan.towns["town_id"].to_numpy()[answers["S01"].astype(int) - 1]
    head = pd.DataFrame({"row_id": [f"staff#{n}" for n in range(len(town))], "form": "staff", "wave": wave, "town_id": town,
                         "village_id": "", "interviewer_id": "", "disposition": "complete"})  # fmt: skip
    staff = pd.concat([head, as_cleaned(plan.items("staff"), answers.reset_index(drop=True))], axis=1)
    ledgers = {(name, ""): frame for name, frame in town_ledgers(population, np.array([], dtype=np.int64)).items()}
    ledgers |= {("org_map", ""): plan.org_map, ("unit_check", wave): unit_check(plan, wave, rng).rename(columns={"town": "town_id"}),
                ("org_roster", ""): org_roster(plan).rename(columns={"town": "town_id"}),
                ("documents", ""): documents(plan, rng).rename(columns={"town": "town_id"})}  # fmt: skip
    flags = pd.DataFrame({"row_id": [], "flag": [], "detail": []})
    forms = {"resident": draw_residents(population, rng), "staff": staff}
    counts = pd.DataFrame(columns=["file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags"])
    return Cleaned(forms, ledgers, no_rejects(), flags, counts, "")


def false_verdicts(population: Population, seed: int, claims: tuple[str, ...]) -> set[str]:
    """The claims on which the family calls any town, or the verdict the county, a problem."""
    county = Given(read_county(DEMO), draw(population, seed))
    parts = []
    for notebook in NOTEBOOKS:
        county.judged = []
        with contextlib.redirect_stdout(io.StringIO()):
            parts.append(judged(notebook, county, population.wave, claims=claims))
    evidence = pd.concat(parts, ignore_index=True)
    rows = evidence[evidence["claim"].isin(claims) & (evidence["part"] == "")]
    wrong = rows[rows["verdict_family"] == "supported"]  # for all of these claims `supported` is the problem
    return set(wrong["claim"])


def unremarked(places: int, cases: int, threshold: float, quantifier: str, rng: np.random.Generator) -> float:
    """The share of counties that call any of `places` a problem without saying that it could be chance."""
    both = Text("甲", "a")
    claim = Claim("X", both, quantifier, threshold, "supported", both, both, "", of_cases=True)
    counties, ids = np.repeat(np.arange(LISTS), places).astype(str), [f"K{n}" for n in range(places)] * LISTS
    n = rng.poisson(cases, LISTS * places)  # a county a period: each has its own k
    facts = counted(ids, rng.binomial(n, threshold), n).assign(part="", period=counties, wave="", remark="")
    rows = judge_claim(claim, facts.assign(se=np.nan, df=np.nan, deff=np.nan))
    bare = (rows["verdict"] == claim.problem_if) & ~rows["remark"].str.contains("chance")
    return float(bare.groupby(rows["period"]).any().mean())


def try_lists() -> bool:
    """Whether no setting of counted lists exceeds 5%; prints each."""
    rng, rates = np.random.default_rng(78), {}
    for places, cases, threshold, quantifier in product((14, 18), (15, 60, 200), (0.5, 0.9), ("NEED", "MOST")):
        rates[places, cases, threshold, quantifier] = unremarked(places, cases, threshold, quantifier, rng)
    worst = max(rates, key=lambda setting: rates[setting])
    print(f"counted lists, every process on the threshold: named without the remark in {np.mean(list(rates.values())):.1%} of counties, "
          f"at most {rates[worst]:.1%} ({len(rates)} settings of {LISTS} counties; worst: {worst}; at most 5%)")  # fmt: skip
    return rates[worst] <= 0.05


def main(seeds: int) -> int:
    start, ok = time.perf_counter(), try_lists()
    if not seeds:
        return 0 if ok else 1
    for name, values, claims in (
        ("no problem planted", WELL, CLAIMS),
        ("on the threshold", ON_THE_BAR, ("P16", "P17")),
    ):
        population = make_population(2023, truths=truths_with(values))
        seen = [false_verdicts(population, seed, claims) for seed in range(seeds)]
        by_claim = {claim: np.mean([claim in wrong for wrong in seen]) for claim in claims}
        worst = np.mean([bool(wrong) for wrong in seen]) if name != "on the threshold" else max(by_claim.values())
        ok &= bool(worst <= 0.08)
        shares = ", ".join(f"{claim} {share:.1%}" for claim, share in by_claim.items())
        print(f"{name}: {worst:.1%} of {seeds} seeds show a false family verdict (at most 8%); {shares}")
    print(f"{seeds} seeds in {time.perf_counter() - start:.0f} s")
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
