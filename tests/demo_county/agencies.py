"""Dispatched agencies, changes of their heads, appraisals and duties of the demo county as clean frames; refuses nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from demo_county.draws import days_between, spread
from demo_county.ledgers import MECHANISM
from demo_county.truths import AGENCIES, Floats, Ints, Truths

KINDS = ("enforcement", "market", "land", "justice", "police")  # in the order of AGENCIES
LATE = 31  # days: what is reported later is not reported within 30


def agency_ids(truths: Truths, town: Ints, agency: Ints) -> list[str]:
    """The ids of agencies, given by the row numbers of town and kind."""
    ids = truths.towns["town_id"].to_numpy()
    return [f"{ids[t]}A{k + 1}" for t, k in zip(town, agency, strict=True)]


def agencies(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Every agency: kept by the county in person and in pay; the town's say in it is planted for the county as a whole."""
    planted, n_towns = truths.features["agencies"], len(truths.towns)
    town, kind = np.repeat(np.arange(n_towns), len(AGENCIES)), np.tile(np.arange(len(AGENCIES)), n_towns)
    n = len(town)
    called = np.maximum(rng.poisson(planted["meetings"], n), 4)
    share = np.clip(planted["attended"] + 0.36 * (spread(rng, n) - 0.5), 0, 1)
    flags = {
        name: spread(rng, n) < planted[name] for name in ("attendance_by_town", "leave_by_town", "assessed_by_town")
    }
    return pd.DataFrame({"agency_id": agency_ids(truths, town, kind), "town": truths.towns["town_id"].to_numpy()[town],
                         "kind": np.array(KINDS)[kind], "personnel_home": "county", "payroll_home": "county",
                         "meetings_called": called, "meetings_attended": np.round(share * called).astype(np.int64), **flags})  # fmt: skip


def agency_events(truths: Truths, changes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The head changes of the leaders' forms (`staff.head_changes`) with their days, in order of time.

    Who reported late had the time to do so before the field work of the first wave.
    """
    planted, asked = truths.features["agencies"], pd.to_datetime(truths.waves["field_from"]).min()
    after, late = changes["after"].to_numpy(dtype=bool), changes["reported"].to_numpy() == 2
    start = np.where(after, MECHANISM, pd.Timestamp(planted["events_from"]))
    end = np.where(after, pd.Timestamp(planted["events_to"]), MECHANISM - pd.Timedelta(days=1))
    end = np.minimum(end, np.where(late, asked - pd.Timedelta(days=LATE + 5), end))
    room = ((pd.DatetimeIndex(end) - pd.DatetimeIndex(start)).days + 1).to_numpy()
    day = pd.DatetimeIndex(start) + pd.to_timedelta((spread(rng, len(changes)) * room).astype(int), unit="D")
    soon = rng.integers(0, 29, len(changes))
    wait = np.where(late, np.minimum(LATE + rng.integers(0, 60, len(changes)), (asked - day).days), soon)
    consulted = np.where(changes["consulted"] == 1, np.where(changes["how"] == 1, "written", "oral"), "none")
    events = pd.DataFrame({"agency_id": agency_ids(truths, changes["town"].to_numpy(), changes["agency"].to_numpy()),
                           "town": truths.towns["town_id"].to_numpy()[changes["town"]], "changed_on": day, "consulted": consulted,
                           "reported_on": pd.Series(day + pd.to_timedelta(wait, unit="D")).mask(changes["reported"].to_numpy() == 3)})  # fmt: skip
    events = events.sort_values(["changed_on", "agency_id"], ignore_index=True)
    number = [f"示编函〔{at.year}〕{k}号" for k, at in enumerate(events["changed_on"], 11)]
    events["consent_doc"] = pd.Series(number, dtype=object).where(events["consulted"] == "written")
    events.insert(0, "event_id", [f"FZ{k:03d}" for k in range(1, len(events) + 1)])
    return events


def appraisal_weights(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """Each department's weights; the towns' is one of those planted, single departments have their own."""
    planted, dept = truths.features["appraisal"], truths.departments["dept_id"]
    share = dept.map(planted["weights_of"]).fillna(
        pd.Series(rng.choice(planted["weights"], len(dept)), index=dept.index)
    )
    return pd.DataFrame({"dept": dept, "year": planted["year"], "town_weight": share, "other_weight": (1 - share).round(2),
                         "agency_weight": planted["agency_weight"]})  # fmt: skip


def appraisal_scores(truths: Truths, weights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Scores of which the towns' part carries the planted share of the total's variance; its spread is solved for."""
    n, weight = len(weights), weights["town_weight"].to_numpy()
    basis = np.column_stack([np.ones(n), weight, rng.normal(size=(n, 2))])
    town, other = np.linalg.qr(basis)[0][:, 2:].T * np.sqrt(n)  # uncorrelated with the weights and with each other
    part = 88 + 3.5 * other
    found = minimize_scalar(
        lambda a: (variance_share(weight, 88 + a * town, part) - truths.features["appraisal"]["effective"]) ** 2,
        bounds=(0, 4), method="bounded", options={"xatol": 1e-6},
    )  # fmt: skip
    return weights[["dept", "year"]].assign(
        town_score=np.clip((88 + found.x * town).round(2), 0, 100), other_score=np.clip(part.round(2), 0, 100)
    )


def variance_share(weight: Floats, town: Floats, other: Floats) -> float:
    """The share of the total score's variance that goes with the towns' part: cov(w town, total) / var(total)."""
    total = weight * town + (1 - weight) * other
    return float(np.cov(weight * town, total)[0, 1] / total.var(ddof=1))


def duty_log(truths: Truths, roster: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Urgent duties of 2022: each calls two to four agencies of one town."""
    planted, ids = truths.features["duty_log"], roster.groupby("town", sort=False)["agency_id"].apply(list)
    days, rows = days_between(rng, "2022-01-10", "2022-12-25", planted["duties"]).sort_values(), []
    for k, day in enumerate(days, 1):
        own = ids.iloc[int(rng.integers(len(ids)))]
        for agency in sorted(rng.choice(own, int(rng.integers(2, 5)), replace=False)):
            rows.append((f"JN{k:03d}", str(agency), day))
    log = pd.DataFrame(rows, columns=["duty_id", "agency_id", "called_on"])
    return log.assign(turned_up=spread(rng, len(log)) < planted["turned_up"])


def accountability(truths: Truths, rng: np.random.Generator) -> pd.DataFrame:
    """The few warnings, interviews and notices of 2022, the first of them a warning."""
    n = truths.features["accountability"]["events"]
    steps = ["warning", *rng.choice(["warning", "interview", "notice"], n - 1)]
    return pd.DataFrame({"event_id": [f"WZ{k:02d}" for k in range(1, n + 1)],
                         "dept": rng.choice(truths.departments["dept_id"].to_numpy(), n),
                         "happened_on": days_between(rng, "2022-03-01", "2022-11-30", n).sort_values(), "step": steps})  # fmt: skip
