"""The reform in place, claims A01 to A09: units as the lists hold them; refuses to fill in what no list records."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from huying.estimates import COUNTY
from huying.ledgers import TABLES
from huying.problems.facts import Found, Study, counted, find_each, needed, unsaid, values
from huying.problems.parallel import Floats, paper, scheme, wave_change, where
from huying.problems.posts import FINDERS as OF_POSTS
from huying.problems.posts import per_1000
from huying.samples import Sample


def find(study: Study) -> Found:
    """Facts for A01 to A15, with the tables `coverage_towns`, `functions`, `pilot_units`, `quota_flow` and `posts`."""
    return find_each(study, FINDERS)


# --- towns and their units --------------------------------------------------------------------------------------------


def a01(study: Study, found: Found) -> None:
    """Towns that any complete ledger leaves out, or names without their being in the register; each ledger's missing ones."""
    register, odd, cells = set(study.towns["town_id"]), set(), []
    for (name, period), rows in sorted(study.cleaned.ledgers.items()):
        if name not in TABLES or not TABLES[name].covers:
            continue
        named = set(rows["town_id"].dropna().astype(str)) - {""}
        odd |= named ^ register
        missing = values([COUNTY], [len(register - named)], len(register))
        found.add("A01", missing, sub=name, period=period)
        cells += [(name, period, town, town in named, town in register) for town in sorted(register | named)]
    table = pd.DataFrame(cells, columns=["ledger", "period", "town_id", "is_present", "is_registered"])
    found.tables["coverage_towns"] = table
    found.add("A01", values([COUNTY], [len(odd)], table.groupby(["ledger", "period"]).ngroups))


def pilots(study: Study) -> list[str]:
    """The pilot towns of the register."""
    return list(study.towns.loc[study.towns["type"] == "pilot", "town_id"])


def others(study: Study) -> list[str]:
    """The towns of the register that are no pilot."""
    return list(study.towns.loc[study.towns["type"] != "pilot", "town_id"])


def classes(study: Study) -> pd.DataFrame:
    """Units of each town (index town_id) by class: bureau, office, psu, those `barred` by another welfare class than 1, total."""
    roster = needed(study, "org_roster")
    barred = (roster["class"] == "psu") & (roster["welfare_class"].fillna(1) != 1)
    flags = {kind: roster["class"] == kind for kind in ("bureau", "office", "psu")}
    table = pd.DataFrame(
        {**flags, "barred": barred, "total": True, "unknown": flags["psu"] & roster["welfare_class"].isna()}
    )
    return table.groupby(roster["town_id"]).sum().reindex(study.towns["town_id"], fill_value=0)


def as_told(study: Study, found: Found, claim: str, towns: list[str]) -> None:
    """1 for a town whose roster meets the identity of `claim` (see `paper`), 0 for one that does not; missing without a roster."""
    table, n = paper(study), classes(study).loc[towns, "total"].clip(upper=1)
    assert table is not None  # the claim needs the roster
    found.add(claim, values(towns, table.loc[towns, claim].astype(float).where(n > 0), n))


def a02(study: Study, found: Found) -> None:
    """1 where the town has the units that the scheme prescribes for its type; the pilot has a scheme of its own (A06)."""
    as_told(study, found, "A02", others(study))


def a03(study: Study, found: Found) -> None:
    """The units of a town, institutions of another welfare class than 1 left out; the pilot is excepted.

    Where that gives the prescribed number only because a unit too many makes up for one of the wrong class, all units are
    counted. A class left blank contradicts nothing: it is counted, with the remark `class_not_recorded`.
    """
    towns = others(study)
    table, kind = classes(study).loc[towns], study.towns.set_index("town_id")["type"]
    due = kind[towns].map({name: sum(units.values()) for name, units in scheme(study).items()})
    units = (table["total"] - table["barred"]).mask(lambda n: n == due, table["total"])
    units = units.astype(float).where(table["total"] > 0)
    found.add(
        "A03", values(towns, units, table["total"], remark=np.where(table["unknown"] > 0, "class_not_recorded", ""))
    )
    found.add("A03", values(towns, table["office"] + table["bureau"], table["total"]), sub="offices")
    found.add("A03", values(towns, table["psu"] - table["barred"], table["total"]), sub="institutions")


def a04(study: Study, found: Found) -> None:
    """The share of the roster's domains that have a unit in the town; table `functions`: units by domain and town."""
    roster, ids = needed(study, "org_roster"), list(study.towns["town_id"])
    table = roster.groupby(["domain", "town_id"]).size().unstack(fill_value=0).reindex(columns=ids, fill_value=0)
    found.tables["functions"] = table.rename_axis(columns="town_id").stack().rename("units").reset_index()
    domains = np.where(table.sum() > 0, len(table), 0)  # a town that the roster leaves out is unknown, not bare
    found.add("A04", counted(ids, (table > 0).sum(), domains, exact=False))


def a05(study: Study, found: Found) -> None:
    """1 where a centre of the name that the scheme gives bears the plaque that it gives."""
    as_told(study, found, "A05", list(study.towns["town_id"]))


# --- the pilot --------------------------------------------------------------------------------------------------------


def a06(study: Study, found: Found) -> None:
    """The pilot's units where each class has its prescribed number.

    Otherwise all its units; or, where these happen to add up to the prescribed total, only those that fill a prescribed
    place, so that a wrong composition never equals the right number. `more office-level units` and `more centres`: against
    the composition that most other towns have; remark `not_one_more` where either is not 1. Table `pilot_units`.
    """
    table, due, units = classes(study), pd.Series(scheme(study)["pilot"]), needed(study, "org_roster")
    table = table.assign(level=table["office"] + table["bureau"])
    usual = table.loc[others(study)].query("total > 0").groupby(["level", "psu"]).size()
    most = usual.idxmax() if len(usual) else (np.nan, np.nan)
    for town in pilots(study):
        row = table.loc[town].astype(float)
        if not row["total"]:  # a pilot that the roster leaves out is unknown
            row[:] = np.nan
        filled = np.minimum(row[due.index], due).sum()
        is_full = row["total"] == due.sum() and filled < due.sum()
        more = [row["level"] - most[0], row["psu"] - most[1]]
        remark = "" if more == [1, 1] or np.isnan(more).any() else "not_one_more"
        found.add("A06", values([town], [filled if is_full else row["total"]], table.loc[town, "total"], remark=remark))
        for sub, value in zip(("bureaus", "offices", "centres", "more office-level units", "more centres"),
                              (row["bureau"], row["office"], row["psu"], *more), strict=True):  # fmt: skip
            found.add("A06", values([town], [value], table.loc[town, "total"]), sub=sub)
    found.tables["pilot_units"] = pilot_units(study, units)


def pilot_units(study: Study, units: pd.DataFrame) -> pd.DataFrame:
    """Each unit of a pilot (town_id, unit_id, name, class, domain), in how many other towns one of its name stands, is_added.

    `is_added`: in fewer than half of the other towns.
    """
    rest = units[units["town_id"].isin(others(study))]
    elsewhere = rest.groupby("name")["town_id"].nunique()
    own = units.loc[units["town_id"].isin(pilots(study)), ["town_id", "unit_id", "name", "class", "domain"]]
    n = own["name"].map(elsewhere).fillna(0).astype(int)
    return own.assign(elsewhere=n, is_added=n < len(others(study)) / 2).reset_index(drop=True)


def a07(study: Study, found: Found) -> None:
    """Villages of the pilot in the register of villages, and by the register of towns."""
    villages = needed(study, "villages").drop_duplicates("village_id")
    here, told = pilots(study), study.towns.set_index("town_id")["n_villages"]
    n = villages.groupby("town_id").size().reindex(here)
    found.add("A07", values(here, n.astype(float), n.fillna(0)))
    found.add("A07", values(here, told.loc[here].astype(float), n.fillna(0)), sub="register")


def a08(study: Study, found: Found) -> None:
    """The share of the named bureaus that the pilot has as a bureau and no town without a pilot has under any class."""
    roster, names = needed(study, "org_roster"), study.county.scheme["bureaus"]
    for town in pilots(study):
        own, alone = roster["town_id"] == town, 0
        for name in names:
            named = roster["name"].str.contains(name, regex=False)
            is_here = (named & own & (roster["class"] == "bureau")).any()
            alone += int(is_here and not roster.loc[named, "town_id"].isin(others(study)).any())
        found.add("A08", counted([town], [alone], [len(names) if own.any() else 0], exact=False))


def easier(sample: Sample) -> Floats:
    """1 for residents for whom matters are easier now (R24_a of 4 or 5); cannot say counts as not."""
    return where(sample.column("R24_a") >= 4, sample.asked("R24_a", "does_not_know"))


def a09(study: Study, found: Found) -> None:
    """Never decided: no item asks how staff spend their time.

    Beside it what is known: the change in the share of residents for whom matters are `easier` now, and transactions per 1,000 residents in each period.
    """
    found.add("A09", unsaid([COUNTY], "not asked"))
    for before, after in itertools.pairwise(study.waves("resident")):
        found.add("A09", wave_change(study, easier, before, after), sub="easier")
    for (name, period), log in study.cleaned.ledgers.items():
        if name == "service_log":
            n = log.groupby("town_id").size()
            found.add(
                "A09",
                per_1000(study, n.reindex(study.towns["town_id"], fill_value=0)),
                sub="services per 1,000",
                period=period,
            )


FINDERS = {"A01": a01, "A02": a02, "A03": a03, "A04": a04, "A05": a05, "A06": a06, "A07": a07, "A08": a08, "A09": a09,
           **OF_POSTS}  # fmt: skip
