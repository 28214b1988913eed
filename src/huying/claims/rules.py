"""Facts against the rule of their claim; refuses to call a claim proved while its interval touches the threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from huying.estimates import COUNTY
from huying.intervals import COUNT, Floats, korn_graubard, limits, p_above
from huying.units import OF_ONE

if TYPE_CHECKING:
    from huying.claims.declared import Claim

QUANTIFIERS = ["ALL", "MOST", "GENERAL", "SOME", "FEW", "NONE", "LOW", "TREND", "COUNT", "EXISTS", "NEED", "TEXT"]
ALL, MOST, GENERAL, SOME, FEW, NONE, LOW, TREND, COUNTS, EXISTS, NEED, TEXT = QUANTIFIERS
# What a share of respondents can decide: COUNT, EXISTS, TEXT and SOME look at complete lists, TREND at a change.
DECIDABLE = (ALL, MOST, GENERAL, FEW, NONE, LOW, NEED)
BELOW = (LOW, FEW, NONE, NEED)  # supported by what lies below the threshold
AS_COUNTED = (ALL, SOME, COUNTS, EXISTS, TEXT)  # decided by the value itself, not by its interval
OF_SHARES = (MOST, GENERAL, LOW, FEW, NEED)  # a share of cases under these may rest on too few, or on chance
SUPPORTED, NOT_SUPPORTED, CANNOT_SAY, NO_BASELINE = "supported", "not supported", "cannot say", "no baseline"
WITHIN, FEW_CASES, SET_ASIDE = "interval includes the threshold", "few cases", "rows rejected"
ALPHA, FEWEST_CASES, MANY_SET_ASIDE = 0.05, 10, 0.05


def judge(quantifier: str, threshold: float, estimate: float, low: float, high: float, n: float = 1) -> tuple[str, str]:
    """The verdict and, for `cannot say`, its reason.

    AS_COUNTED are decided by the value: one counter-example refutes ALL, SOME asks for `threshold` cases of n, COUNT is equal
    to the threshold (one between 0 and 1 is a tolerance, since counts are whole), EXISTS reaches it. The others need the whole
    interval on one side of the threshold; a counted share has the interval [estimate, estimate].
    """
    if not n > 0:
        return CANNOT_SAY, "no eligible case"
    if np.isnan(estimate) or (quantifier not in AS_COUNTED and (np.isnan(low) or np.isnan(high))):
        return CANNOT_SAY, "not estimable"
    slack = 1e-9
    if quantifier in AS_COUNTED:
        is_equal = abs(estimate) <= threshold + slack if 0 < threshold < 1 else abs(estimate - threshold) <= slack
        reaches, enough = estimate >= threshold - slack, estimate * n >= threshold - slack
        holds = {ALL: reaches, EXISTS: reaches, COUNTS: is_equal, SOME: enough}
        return (SUPPORTED if holds.get(quantifier, estimate > 0) else NOT_SUPPORTED), ""
    if quantifier == NONE:
        yes, no = high < threshold - slack or high <= slack, low >= threshold + slack
    elif quantifier in BELOW:
        yes, no = high < threshold - slack, low >= threshold - slack
    elif quantifier == GENERAL:
        yes, no = low >= threshold - slack, high < threshold - slack
    else:
        yes, no = low > threshold + slack, high <= threshold + slack
    return (SUPPORTED, "") if yes else (NOT_SUPPORTED, "") if no else (CANNOT_SAY, WITHIN)


def decide(claim: Claim, fact: dict[str, Any], fewest: int, side: str = "") -> tuple[str, str]:
    """The verdict on one fact and why it cannot be said: too few cases, or rows set aside that might turn it.

    `side` = "_family" takes the interval adjusted for all towns.
    """
    quantifier, threshold = claim.rule_at(fact["place"])
    if claim.of_cases and quantifier in OF_SHARES and fact["method"] == COUNT and 0 < fact["n"] < fewest:
        return CANNOT_SAY, FEW_CASES

    def weigh(numbers: Floats, n: float) -> tuple[str, str]:
        value, low, high = numbers
        if fact["method"] == COUNT and quantifier in AS_COUNTED and low < high:  # both bounds must agree
            ends = [judge(quantifier, threshold, end, end, end, n) for end in (low, high)]
            return ends[0] if ends[0] == ends[1] else (CANNOT_SAY, fact.get("open_for", "unknown answers"))
        return judge(quantifier, threshold, value, low, high, n)

    numbers = np.array([fact[name] for name in ("estimate", f"low{side}", f"high{side}")], dtype=float)
    found = weigh(numbers, fact["n"])
    if found[0] == CANNOT_SAY or not fact.get("n_rejected", 0) > 0:
        return found
    turned = any(weigh(*way)[0] != found[0] for way in count_rejected(claim, quantifier, numbers, fact))
    return (CANNOT_SAY, SET_ASIDE) if turned else found


def count_rejected(claim: Claim, quantifier: str, numbers: Floats, fact: dict[str, Any]) -> list[Any]:
    """A value and its interval with the rows set aside counted as no and as yes, and n with them.

    They would add to a count. What a roster says of a town they may turn, for a missing unit may stand in such a row. Of a
    number that is neither share nor count nobody can say how far it would move.
    """
    n, rejected = fact["n"], fact["n_rejected"]
    if quantifier in (COUNTS, EXISTS) and claim.unit not in OF_ONE:
        return [(numbers + rejected, n)]
    if claim.unit not in OF_ONE or quantifier in (TREND, TEXT):
        return []
    if claim.is_about_towns and fact["method"] == COUNT and not claim.of_cases:
        return [(np.clip(numbers + sign * rejected / n, 0, 1), n) for sign in (-1, 1)]
    return [((numbers * n + yes) / (n + rejected), n + rejected) for yes in (0, rejected)]


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain objects: of few rows with many columns in a third of the time of `to_dict`."""
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.to_numpy(dtype=object).tolist()]


def judge_towns(claim: Claim, facts: pd.DataFrame, fewest: int = FEWEST_CASES) -> pd.DataFrame:
    """Own verdicts and those adjusted by Holm over the towns, for the rows of one part.

    The adjustment goes over the towns of one claim and wave that a sample decides. Of m towns Holm rejects r: the interval
    stored beside the adjusted verdict is at 1 - .05/(m - r), and lies on one side of the threshold exactly for these r.
    """
    quantifier, threshold = claim.rule_at("town")
    family = facts.assign(low_family=facts["low"], high_family=facts["high"])
    tested = facts["low"].notna().to_numpy() & ~facts["method"].isin([COUNT]).to_numpy()
    if tested.any() and quantifier not in AS_COUNTED:
        rows = facts[tested]
        ends = p_above(rows, threshold, is_met=quantifier in (GENERAL, *BELOW))
        left = max(1, int((holm(np.minimum(1.0, 2 * np.minimum(*ends))) >= ALPHA).sum()))
        family.loc[tested, ["low_family", "high_family"]] = np.column_stack(limits(rows, 1 - ALPHA / left))
    each = records(family)
    verdict, reason = zip(*(decide(claim, fact, fewest) for fact in each), strict=True)
    together = [decide(claim, fact, fewest, "_family")[0] for fact in each]
    return family.assign(verdict=verdict, own_reason=reason, verdict_family=together)


def holm(p: Floats) -> Floats:
    """Holm's (1979) adjusted p values, missing ones left out of the family.

    As statsmodels' `multipletests(method="holm")`, which collects the whole memory's garbage at every call: for a hundred
    families that took longer than all estimates together.
    """
    known = pd.Series(p).dropna().sort_values(kind="stable")
    return np.asarray((np.arange(len(known), 0, -1) * known).cummax().clip(upper=1.0).reindex(range(len(p))))


def share_of_towns(claim: Claim, towns: pd.DataFrame) -> dict[str, Any]:
    """The county's fact for a claim about towns: the share that meet the rule, bounded by what the adjusted verdicts decide.

    `low` counts the towns that they support, `high` all that they do not refute. Those with too few cases are left out.
    """
    quantifier, threshold = claim.rule_at("town")
    known = towns["verdict_family"].isin([SUPPORTED, NOT_SUPPORTED]) | towns["estimate"].notna()
    known = towns[known & (towns["own_reason"] != FEW_CASES)]
    family, n = known["verdict_family"], len(known)
    by_value = [judge(quantifier, threshold, value, value, value)[0] for value in known["estimate"]]
    meets = (np.array(by_value, dtype=object) == SUPPORTED) | (known["verdict"] == SUPPORTED).to_numpy()
    counts = {"estimate": meets.sum(), "low": (family == SUPPORTED).sum(), "high": (family != NOT_SUPPORTED).sum()}
    shares = {name: count / n if n else np.nan for name, count in counts.items()}
    why = set(towns["reason"]) if towns["estimate"].isna().all() else {""}
    told = {"reason": why.pop() if len(why) == 1 else "", "remark": "", "reliability": "ok", "n_rejected": 0}
    told["open_for"] = SET_ASIDE if towns["own_reason"].eq(SET_ASIDE).any() else WITHIN
    return {"place": COUNTY, **shares, "n": n, "method": COUNT, **told, "n_eff": np.nan, "df": np.nan, "deff": np.nan}


def judge_county(claim: Claim, fact: dict[str, Any], fewest: int = FEWEST_CASES) -> dict[str, Any]:
    """The county's fact with its verdict; one on towns must come out alike however the undecided towns are."""
    verdict, reason = decide(claim, fact, fewest)
    is_more = claim.rule_at(COUNTY)[0] == SOME and verdict == SUPPORTED and fact["low"] > 0.5
    own = {"remark": "; ".join(filter(None, [fact["remark"], "understated" if is_more else ""])), "verdict": verdict}
    own |= {"own_reason": reason, "verdict_family": verdict, "low_family": fact["low"], "high_family": fact["high"]}
    return fact | own


def judge_claim(claim: Claim, facts: pd.DataFrame, fewest: int = FEWEST_CASES) -> pd.DataFrame:
    """The evidence rows of one claim: the parts that have a rule, those that have none, and the headline (part empty).

    `facts` holds the columns of an estimates frame with `part`, `period`, `wave`, `reason` and `remark`, and `n_rejected`
    where rows of the base were set aside. The headline is judged for every town and the county; a part without a rule gets
    no verdict. `fewest`: cases below which a share of them decides nothing.
    """
    plain = replace(claim, town_quantifier="", town_threshold=None)
    rules = {part: replace(plain, quantifier=word, threshold=line) for part, (word, line) in claim.subs.items()}
    rules[""] = claim
    blank = {"verdict": "", "verdict_family": "", "own_reason": "", "low_family": np.nan, "high_family": np.nan}
    tables = [judge_part(rule, facts[facts["part"] == part], fewest) for part, rule in rules.items()]
    if claim.is_conjunction and (parts := [table for table in tables[:-1] if len(table)]):
        tables[-1] = remark_chance(claim, join_parts(plain, pd.concat(parts, ignore_index=True), fewest))
    tables.insert(-1, facts[~facts["part"].isin(list(rules))].assign(**blank))
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def join_parts(claim: Claim, parts: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """The headline of a claim that holds where all its parts do: the lowest part's row, with the remark that names it.

    One part below the threshold refutes it, one that is open leaves it open. Intervals of samples are at 1 - .05/k for k
    parts, the adjusted ones at 1 - .05/(k m) for m towns as well.
    """
    k, m = parts["part"].nunique(), max(1, parts["place"].nunique() - 1)
    sampled = (parts["method"] != COUNT) & parts["low"].notna()
    for side, number in (("", k), ("_family", k * m)):
        for name, end in zip(("low", "high"), limits(parts, 1 - ALPHA / number), strict=True):
            parts[name + side] = parts[name].mask(sampled, end)
    rows = []
    for _, own in parts.groupby(["period", "wave", "place"], sort=False):
        row, told = own.sort_values("estimate", kind="stable").iloc[0].to_dict(), {}
        for name, side in (("verdict", ""), ("verdict_family", "_family")):
            found = [decide(claim, fact, fewest, side) for fact in records(own)]
            refuted = [one for one in found if one[0] == NOT_SUPPORTED]
            told[name], told["own_reason" + side] = min(refuted or [one for one in found if one[1]] or found)
            row |= {end + side: own[end + side].min(skipna=False) for end in ("low", "high")}
        worst = f"worst_{row['part']}".replace(" ", "_") if row["estimate"] == row["estimate"] else ""
        why = next(filter(None, own["reason"]), "") if told["verdict"] == CANNOT_SAY else ""
        rows.append({**row, **told, "part": "", "reason": why, "remark": worst})
    return pd.DataFrame(rows)


def judge_part(claim: Claim, facts: pd.DataFrame, fewest: int = FEWEST_CASES) -> pd.DataFrame:
    """The facts of one part with their verdicts, wave by wave. One without a value for want of a baseline says so."""
    rows = []
    for _, same in facts.groupby(["period", "wave"], sort=False):
        towns, county = same[same["place"] != COUNTY], records(same[same["place"] == COUNTY])
        if len(towns):
            towns = judge_towns(claim, towns, fewest)
            rows += records(towns)
            county = [{**same.iloc[0], **share_of_towns(claim, towns)}] if claim.is_about_towns else county
        rows += [judge_county(claim, fact, fewest) for fact in county]
    if not rows:
        return facts
    table = remark_chance(claim, pd.DataFrame(rows))
    unset = table["estimate"].isna() & (table["reason"] == NO_BASELINE)
    told = {"verdict": NO_BASELINE, "verdict_family": NO_BASELINE, "reason": "one wave or period"}
    return table.assign(**{name: table[name].mask(unset, value) for name, value in told.items()})


def remark_chance(claim: Claim, table: pd.DataFrame) -> pd.DataFrame:
    """The judged rows with what must be said beside them: that chance may have brought a verdict, that many rows were set aside.

    `chance`: the exact interval of the place's process (Clopper and Pearson 1934) at 1 - .05/k, for the k places whose cases
    were counted together, includes the threshold.
    """
    quantifier, threshold = claim.rule_at("town")
    remark = table["remark"]
    if "n_rejected" in table:
        many = table["n_rejected"] > MANY_SET_ASIDE * (table["n"] + table["n_rejected"])
        remark = remark.mask(many, remark + "; many_rejected")
    if claim.of_cases and quantifier in OF_SHARES:
        is_counted = (table["method"] == COUNT) & table["estimate"].notna() & (table["own_reason"] != FEW_CASES)
        is_counted &= (table["place"] != COUNTY) | (not claim.is_about_towns)
        k = is_counted.groupby([table["period"], table["wave"]]).transform("sum").clip(lower=1)
        ends = [korn_graubard(table[name], table["n"], 1 - ALPHA / k)[n] for n, name in enumerate(("low", "high"))]
        remark = remark.mask(is_counted & (ends[0] <= threshold) & (threshold <= ends[1]), remark + "; chance")
    return table.assign(remark=remark.str.strip("; "))
