"""Problem 1, old and new structures side by side: claims P11 to P18; refuses to call a stated reason a cause."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import house_codebook
from huying.estimates import (
    COUNTY,
    STUDENT,
    estimate_means,
    estimate_shares,
    estimate_sum,
    grouped,
    is_unsteady,
    limits,
)
from huying.indicators import house_indicators
from huying.problems.facts import Found, Study, counted, values
from huying.samples import Sample, stack

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
OLD_ROWS, NEW_ROWS, DECOY = "abcd", "efgh", "i"
KEYED = {"a": "O08", "b": "O01", "c": "O06", "d": "O07", "e": "O12"}


def find(study: Study) -> Found:
    """Facts for P11 to P18, with the tables behind their charts."""
    found = Found()
    documents(study, found)
    unit_check(study, found)
    for wave in study.waves("staff"):
        staff(study, found, study.samples["staff", wave], wave)
    for wave in study.waves("resident"):
        residents(study, found, study.samples["resident", wave], wave)
    changes(study, found)
    gaps(study, found)
    for form, name, claims in (("staff", "staff", ("P14", "P15")), ("resident", "residents", ("P16", "P17"))):
        if not study.waves(form):
            found.missing.update(dict.fromkeys(claims, name))
    return found


def where(condition: Bools, base: Bools) -> Floats:
    """1 and 0 within the base, missing outside it."""
    return np.where(base, condition.astype(float), np.nan)


# --- ledgers ----------------------------------------------------------------------------------------------------------


def documents(study: Study, found: Found) -> None:
    """P11: each town's plan stands in the register with number and date. P12: months in force at the first field day."""
    register = study.cleaned.ledger("documents")
    if register is None:
        found.missing.update(P11="documents", P12="documents")
        return
    ids = list(study.towns["town_id"])
    plans = register[(register["kind"] == "plan") & register["doc_no"].notna() & register["issued_on"].notna()]
    has = np.isin(ids, plans["town_id"].astype(str)).astype(float)
    found.add("P11", pd.concat([counted(ids, has, np.ones(len(ids)), exact=False),
                                counted([COUNTY], [has.sum()], [len(ids)], exact=False)]))  # fmt: skip
    field = min((span.first for span in study.county.waves.values()), default=None)
    if field is None:
        found.missing["P12"] = "residents"
        return
    start = plans.groupby(plans["town_id"].astype(str))["effective_on"].min().reindex(ids)
    months = (field.year - start.dt.year) * 12 + field.month - start.dt.month - (start.dt.day > field.day)
    ripe = months.dropna() >= 12
    found.add("P12", values(ids, months, np.ones(len(ids))))
    found.add("P12", counted([COUNTY], [ripe.sum()], [len(ripe)], exact=False))
    found.add(
        "P12", values([COUNTY] * 2, [months.min(), months.median()], len(ripe)).assign(sub=["shortest", "median"])
    )


def unit_check(study: Study, found: Found) -> None:
    """P13: the parallel-running index of each town, and each mark by itself, for every period that was checked."""
    checks = {period: table for (name, period), table in study.cleaned.ledgers.items() if name == "unit_check"}
    if not checks:
        found.missing["P13"] = "unit_check"
    cells = []
    for period, check in sorted(checks.items()):
        check = check.assign(old=check["in_use"].map({"old": 1.0, "both": 0.5, "new": 0.0}), period=period)
        cells.append(check)
        index = check.groupby("town_id")["old"].agg(["mean", "count"]).reindex(study.towns["town_id"])
        found.add("P13", values(index.index, index["mean"], index["count"].fillna(0)), period=period)
        found.add("P13", values([COUNTY], [check["old"].mean()], check["old"].count()), sub="index", period=period)
        marks = check.groupby(["town_id", "mark"])["old"].agg(["mean", "count"]).reset_index()
        found.add(
            "P13", values(marks["town_id"], marks["mean"], marks["count"]).assign(sub=marks["mark"]), period=period
        )
    if cells:
        table = pd.concat(cells, ignore_index=True)
        found.tables["units"] = table.groupby(["period", "town_id", "old_id"], as_index=False)["old"].mean()


# --- staff ------------------------------------------------------------------------------------------------------------


def staff(study: Study, found: Found, sample: Sample, wave: str) -> None:
    """P13 (staff), P14 and P15 of one wave."""
    few = {"wave": wave, "fewest": study.county.thresholds["fewest_staff"]}
    run = sample.column("S09")
    old = where(run >= 3, sample.asked("S09"))
    found.add("P13", estimate_shares(sample.design, pd.DataFrame({"staff": old}), **few), sub="staff")
    reasons = study.book.items["S11"].options
    base = (run >= 3) & sample.asked("S11")
    named = {f"reason_{o.code}": where(sample.column(f"S11_{o.code}") == 1, base) for o in reasons}
    habit = where((sample.column("S11_1") == 1) | (sample.column("S11_2") == 1), base)
    found.add("P14", estimate_shares(sample.design, pd.DataFrame({"habit or post": habit}), **few))
    shares = estimate_shares(sample.design, pd.DataFrame(named), **few)
    found.add("P14", shares.assign(sub=shares["indicator"]))
    total = np.nansum([np.nan_to_num(v) for v in named.values()], axis=0)
    per_answer = {f"answers_{o.code}": np.where(base & (total > 0), np.nan_to_num(named[f"reason_{o.code}"]) / np.maximum(total, 1), np.nan)
                  for o in reasons}  # fmt: skip
    means = estimate_means(sample.design, pd.DataFrame(per_answer), **few)
    found.add("P14", means.assign(sub=means["indicator"]))
    score = quiz(study, sample)
    found.add("P15", estimate_means(sample.design, pd.DataFrame({"quiz": score}), **few))
    sure = where(sample.column("S08") >= 4, sample.asked("S08"))
    both = sample.asked("S08") & np.isfinite(score)
    parts = {"self": sure, "overrates": where((sample.column("S08") >= 4) & (score < 0.6), both)}
    subs = estimate_shares(sample.design, pd.DataFrame(parts), **few)
    found.add("P15", subs.assign(sub=subs["indicator"]))


def quiz(study: Study, sample: Sample) -> Floats:
    """Each person's share right of S07a, S07b and the rows of S07c; cannot say is wrong, not asked is missing."""
    kind = sample.rows["town_id"].map(study.towns.set_index("town_id")["type"])
    offices = kind.map({k: v["office"] + v.get("bureau", 0) for k, v in scheme(study).items()}).to_numpy(dtype=float)
    centres = kind.map({k: v["psu"] for k, v in scheme(study).items()}).to_numpy(dtype=float)
    right = [(cell, sample.column(cell) == key) for cell, key in (("S07a", offices), ("S07b", centres))]
    succession, units = study.cleaned.ledger("org_map"), option_codes(study)
    if succession is not None:
        for row, old in KEYED.items():
            keys = [
                units[unit]
                for unit in succession.loc[succession["old_id"] == old, "new_unit"].dropna()
                if unit in units
            ]
            right.append((f"S07c_{row}", np.isin(sample.column(f"S07c_{row}"), keys)))
    asked = np.array([sample.asked(cell, "does_not_know") for cell, _ in right])
    marks = np.array([mark for _, mark in right]) & asked
    with np.errstate(invalid="ignore"):
        return np.asarray(marks.sum(axis=0) / asked.sum(axis=0))


def option_codes(study: Study) -> dict[str, int]:
    """The answer code of each new unit: its place, from 1, in the sorted ids of the roster."""
    roster = study.cleaned.ledger("org_roster")
    ids = sorted(roster["unit_id"].unique()) if roster is not None else []
    return {unit: code for code, unit in enumerate(ids, 1)}


# --- residents --------------------------------------------------------------------------------------------------------


def aware(sample: Sample) -> Floats:
    """1 for R09 in 1 to 3, 0 for not heard and for cannot say, missing where not asked or not answered."""
    return house_indicators()["awareness"].of(sample, house_codebook())


def lighter(sample: Sample) -> Floats:
    """1 where a member of staff says that the burden has become lighter; cannot say counts as not."""
    return house_indicators()["lighter"].of(sample, house_codebook())


def heard(sample: Sample, row: str) -> Floats:
    """1 where the body in this row of R12 is known by name or by dealings."""
    return where(sample.column(f"R12_{row}") >= 2, sample.asked(f"R12_{row}"))


def content(study: Study, sample: Sample) -> Floats:
    """Each person's share right of the rows of R10, among those who were asked; cannot say is not right."""
    keys = study.book.items["R10"].right
    return nanmean([where(sample.column(f"R10_{row}") == key, sample.asked(f"R10_{row}", "does_not_know"))
                    for row, key in keys.items()])  # fmt: skip


def residents(study: Study, found: Found, sample: Sample, wave: str) -> None:
    """P16 and P17 of one wave."""
    few = {"wave": wave, "fewest": study.county.thresholds["fewest_residents"]}
    know = pd.DataFrame({"aware": aware(sample)})
    found.add("P16", estimate_shares(sample.design, know, **few))
    certain = pd.DataFrame({"without cannot say": where(np.isin(sample.column("R09"), (1, 2, 3)), sample.asked("R09"))})
    found.add("P16", estimate_shares(sample.design, certain, **few), sub="without cannot say")
    found.add(
        "P16", estimate_means(sample.design, pd.DataFrame({"content": content(study, sample)}), **few), sub="content"
    )
    new, old = nanmean([heard(sample, r) for r in NEW_ROWS]), nanmean([heard(sample, r) for r in OLD_ROWS])
    found.add(
        "P16",
        estimate_means(sample.design, pd.DataFrame({"adjusted": new - heard(sample, DECOY)}), **few),
        sub="adjusted recognition",
    )
    found.add("P17", estimate_shares(sample.design, pd.DataFrame({"first old": first_old(sample)}), **few))
    would = nanmean(
        [where(sample.column(f"R18_{r}") == 1, sample.asked(f"R18_{r}", "does_not_know")) for r in OLD_ROWS]
    )
    found.add("P17", estimate_means(sample.design, pd.DataFrame({"would go": would}), **few), sub="would go")
    for name, value in (("recognises old", old), ("recognises new", new), ("old less new", old - new)):
        found.add("P17", estimate_means(sample.design, pd.DataFrame({name: value}), **few), sub=name)
    contact = {
        f"contact_{o.code}": where(sample.column("R15") == o.code, sample.asked("R15"))
        for o in study.book.items["R15"].options
    }
    shares = estimate_shares(sample.design, pd.DataFrame(contact), **few)
    found.add("P17", shares.assign(sub=shares["indicator"]))
    for column in ("age_group", "sex_group"):
        if column in sample.rows:
            codes = sorted(set(sample.rows[column]) - {-1})
            groups = grouped(sample.design, know, sample.rows[column], codes, **few)
            found.add("P16", groups.assign(sub=column + "_" + groups["group"]))


def first_old(sample: Sample) -> Floats:
    """1 where the last matter was first taken to an old unit (R15), among those with business in 12 months."""
    return house_indicators()["first_contact_old"].of(sample, house_codebook())


def nanmean(columns: list[Floats]) -> Floats:
    """Each person's mean over the columns answered, missing where none was."""
    table = np.array(columns)
    known = np.isfinite(table).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(table, axis=0) / known)


def changes(study: Study, found: Found) -> None:
    """P16 and P17: the change from one wave to the next."""
    for before, after in itertools.pairwise(study.waves("resident")):
        for claim, indicator in (("P16", aware), ("P17", first_old)):
            found.add(claim, wave_change(study, indicator, before, after), sub="change")


def wave_change(study: Study, indicator: Callable[[Sample], Floats], before: str, after: str) -> pd.DataFrame:
    """The change of a share of residents by town and county; villages asked in both waves are shared PSUs, so that their covariance counts."""
    both = stack(study.samples["resident", before], study.samples["resident", after])
    y, late = indicator(both), (both.rows["wave"] == after).to_numpy()
    known = np.isfinite(y)
    parts = [(1.0, np.nan_to_num(y), known & late), (-1.0, np.nan_to_num(y), known & ~late)]
    return estimate_sum(both.design, "change", parts, wave=after, fewest=study.county.thresholds["fewest_residents"])


# --- paper against practice -------------------------------------------------------------------------------------------


def scheme(study: Study) -> dict[str, dict[str, int]]:
    """The units that the reform prescribes, by class, for each type of town."""
    return {kind: units for kind, units in study.county.scheme.items() if isinstance(units, dict)}


def paper(study: Study) -> pd.DataFrame | None:
    """Which identities of A02 to A05 each town's roster meets: true/false columns, `paper` their mean, index town_id."""
    roster = study.cleaned.ledger("org_roster")
    if roster is None:
        return None
    kind = study.towns.set_index("town_id")["type"]
    counts = roster.groupby(["town_id", "class"]).size().unstack(fill_value=0).reindex(kind.index, fill_value=0)
    as_planned = [all(counts.loc[t].get(c, 0) == n for c, n in scheme(study)[k].items()) for t, k in kind.items()]
    psu = roster[roster["class"] == "psu"]
    size = {k: sum(v.values()) for k, v in scheme(study).items()}
    domains = roster["domain"].nunique()
    culture, plaque = (study.county.scheme[key] for key in ("culture", "plaque"))
    signs = roster[roster["name"].str.contains(culture) & roster["plaque"].fillna("").str.contains(plaque)]
    table = pd.DataFrame({
        "A02": as_planned,
        "A03": (roster.groupby("town_id").size().reindex(kind.index) == kind.map(size))
        & (psu["welfare_class"] == 1).groupby(psu["town_id"]).all().reindex(kind.index, fill_value=False),
        "A04": roster.groupby("town_id")["domain"].nunique().reindex(kind.index, fill_value=0) == domains,
        "A05": kind.index.isin(signs["town_id"]),
    }, index=kind.index)  # fmt: skip
    return table.assign(paper=table.mean(axis=1))


def practice(study: Study, wave: str) -> pd.DataFrame:
    """The practice index by town and county: the mean of four shares, two of residents and two of staff, with its SE.

    Staff and residents are independent samples: their variances add.
    """
    people, workers = study.samples["resident", wave], study.samples["staff", wave]
    old_to = where(np.isin(people.column("R15"), (2, 3)), (people.column("R13") == 1) & people.asked("R15"))
    plate = where(people.column("R19") == 1, people.asked("R19"))
    daily = where(workers.column("S09") <= 2, workers.asked("S09"))
    named = nanmean(
        [where(workers.column(f"S10_{r}") == 1, workers.asked(f"S10_{r}")) for r, _ in study.book.items["S10"].rows]
    )
    sides = []
    for sample, pair, few in ((people, (old_to, plate), "fewest_residents"), (workers, (daily, named), "fewest_staff")):
        parts = [(0.25, np.nan_to_num(v), np.isfinite(v)) for v in pair]
        sides.append(estimate_sum(sample.design, "practice", parts, wave=wave, fewest=study.county.thresholds[few]))
    both = sides[0].set_index("place").join(sides[1].set_index("place").add_suffix("_staff"))
    both["estimate"] += both["estimate_staff"]
    spread = both["se"] ** 2, both["se_staff"] ** 2
    both["se"] = np.sqrt(spread[0] + spread[1])
    both["df"] = (spread[0] + spread[1]) ** 2 / (spread[0] ** 2 / both["df"] + spread[1] ** 2 / both["df_staff"])
    both["reason"] = both["reason"].where(both["reason"] != "", both["reason_staff"])
    return both.reset_index()


def gaps(study: Study, found: Found) -> None:
    """P18: paper compliance less practice index, for every wave that has both surveys."""
    table = paper(study)
    waves = sorted(set(study.waves("resident")) & set(study.waves("staff")))
    if table is None or not waves:
        found.missing["P18"] = (
            "org_roster" if table is None else "residents" if not study.waves("resident") else "staff"
        )
        return
    for wave in waves:
        frame = practice(study, wave)
        frame = frame[frame["place"] != COUNTY].assign(method=STUDENT, wave=wave)
        found.tables[f"paper_{wave}"] = frame[["place", "estimate", "se", "n"]].rename(columns={"estimate": "practice"}).merge(
            table.reset_index(), left_on="place", right_on="town_id")  # fmt: skip
        frame["estimate"] = table["paper"].reindex(frame["place"]).to_numpy() - frame["estimate"]
        frame["low"], frame["high"] = limits(frame)
        frame["reliability"] = np.where(
            frame["reason"] != "", "too few answers", np.where(is_unsteady(frame), "read with care", "ok")
        )
        found.add("P18", frame)
