"""Problem 2, dispatched agencies: claims P21 to P25 from their ledgers; refuses a p value on a complete list of head changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from huying import clocks
from huying.claims import NO_BASELINE
from huying.estimates import COUNTY, EXACT, STUDENT
from huying.exact import conditional_odds_ratio, median_unbiased, newcombe_difference
from huying.problems import cooperation, preferences
from huying.problems.cooperation import bounded, leaders_say
from huying.problems.facts import Found, Study, counted, find_each, periods_of, values

Floats = npt.NDArray[np.float64]
REPORT_DAYS, SERIES_MONTHS = 30, 24
UNBOUNDED = 20.0  # a log odds ratio that has no limit on this side; a table needs both of its signs and no infinity
NEWCOMBE = "newcombe"
PARTS = ("attendance", "meetings", "leave")


def find(study: Study) -> Found:
    """Facts for P21 to P28, with the tables `changes`, `cooperation` and `preferences`."""
    return find_each(study, FINDERS)


# --- the roster -------------------------------------------------------------------------------------------------------


def p21(study: Study, found: Found) -> None:
    """Agencies whose personnel and pay both lie with the county; each alone, and both by kind of agency."""
    for period, agencies in periods_of(study, "agencies"):
        homes = {name: agencies[f"{column}_home"] == "county" for name, column in (("personnel", "personnel"), ("pay", "payroll"))}  # fmt: skip
        both = homes["personnel"] & homes["pay"]
        cuts = {"": both, **homes, **{f"kind_{kind}": both[rows] for kind, rows in agencies.groupby("kind").groups.items()}}  # fmt: skip
        for sub, flags in cuts.items():
            found.add("P21", counted([COUNTY], [flags.sum()], [len(flags)], exact=False), sub=sub, period=period)


def management(agencies: pd.DataFrame) -> pd.DataFrame:
    """Each agency's three parts of the management index and their mean `index`; a part that is not recorded is left out."""
    called = agencies["meetings_called"].astype(float)
    parts = pd.DataFrame({
        "attendance": agencies["attendance_by_town"].astype("boolean").astype(float),
        "meetings": agencies["meetings_attended"].astype(float) / called.where(called > 0),
        "leave": agencies["leave_by_town"].astype("boolean").astype(float),
    })  # fmt: skip
    return parts.assign(index=parts.mean(axis=1))


def p22(study: Study, found: Found) -> None:
    """The management index of the agencies, its parts, and the index by kind."""
    for period, agencies in periods_of(study, "agencies"):
        table = management(agencies)
        cuts = {"": table["index"], **{part: table[part] for part in PARTS}}
        cuts |= {f"kind_{kind}": table.loc[rows, "index"] for kind, rows in agencies.groupby("kind").groups.items()}
        for sub, part in cuts.items():
            found.add("P22", values([COUNTY], [part.mean()], [part.count()]), sub=sub, period=period)


# --- head changes -----------------------------------------------------------------------------------------------------


def consulted(changes: pd.DataFrame) -> pd.Series:
    """1 where the town was asked in writing or orally, 0 where it was not, missing where nobody knows."""
    return changes["consulted"].map({"written": 1.0, "oral": 1.0, "none": 0.0})


def p23(study: Study, found: Found) -> None:
    """Head changes of which the town was not asked, by town and county, with the documents; and what leaders say, county only."""
    for period, changes in periods_of(study, "agency_events"):
        asked, town, ids = consulted(changes), changes["town_id"], list(study.towns["town_id"])
        tallies = pd.DataFrame({"yes": asked == 0, "known": asked.notna(), "total": True})
        towns = tallies.groupby(town).sum().reindex(ids, fill_value=0).to_numpy(dtype=int)
        rows = np.vstack([towns, tallies.sum().to_numpy(dtype=int)])
        found.add("P23", bounded([*ids, COUNTY], *rows.T, reason="no head change"), period=period)
        papers = counted([COUNTY], [changes["consent_doc"].notna().sum()], [len(changes)], reason="no head change")
        found.add("P23", papers, sub="with consent document", period=period)
    leaders_say(study, found, "P23", "L04", yes=(3,), no=(1, 2))


def taken_on(study: Study, period: str, changes: pd.DataFrame) -> pd.Timestamp:
    """The day up to which a ledger of changes is known to be complete: its period's, else the last day written in it."""
    span = study.county.periods.get(period)
    return pd.Timestamp(span.as_of) if span else changes[["changed_on", "reported_on"]].max().max()


def p24(study: Study, found: Found) -> None:
    """Changes after which the new head reported to the town within 30 days, among those old enough to tell."""
    for period, changes in periods_of(study, "agency_events"):
        days = (changes["reported_on"] - changes["changed_on"]).dt.days
        age = (taken_on(study, period, changes) - changes["changed_on"]).dt.days
        ripe = age >= REPORT_DAYS
        if days.notna().any():
            cases, reason = int(ripe.sum()), "no head change"
        else:  # a ledger that never fills the column does not say that nobody reported
            cases, reason = 0, "no report date" if len(changes) else "no head change"
        in_time, never = (days[ripe] <= REPORT_DAYS).sum() if cases else 0, days[ripe].isna().sum() if cases else 0
        found.add("P24", counted([COUNTY], [in_time], [cases], reason=reason), period=period)
        found.add("P24", counted([COUNTY], [never], [cases], reason=reason), sub="never reported", period=period)
        if cases:
            curve = clocks.kaplan_meier(days.fillna(age.clip(lower=0)).to_numpy(float), days.notna().to_numpy())
            median = values([COUNTY], [clocks.median_wait(curve)], [len(changes)])
            found.add("P24", median, sub="median days", period=period)
    leaders_say(study, found, "P24", "L05", yes=(1,), no=(2, 3))


# --- before and after the mechanism -----------------------------------------------------------------------------------


def mechanism_day(study: Study) -> pd.Timestamp | None:
    """The day on which the mechanism of consultation came into force (else was issued), as the register of documents has it."""
    papers = study.cleaned.ledger("documents")
    papers = papers[papers["kind"] == "mechanism"] if papers is not None else pd.DataFrame()
    days = papers["effective_on"].fillna(papers["issued_on"]).dropna() if len(papers) else pd.Series(dtype=object)
    return days.min() if len(days) else None


def p25(study: Study, found: Found) -> None:
    """The conditional odds ratio of being asked, after against before the mechanism, and the shares behind it."""
    parts = dict(periods_of(study, "agency_events"))
    period = next(iter(parts)) if len(parts) == 1 else ""
    changes = pd.concat(parts.values(), ignore_index=True).drop_duplicates("event_id")
    asked, day = consulted(changes), mechanism_day(study)
    if day is None:
        found.add("P25", _unsaid(asked.count(), "no mechanism date"), period=period)
        return
    late = changes["changed_on"] >= day
    k1, n1, k0, n0 = (int(v) for part in (asked[late], asked[~late]) for v in (part.sum(), part.count()))
    headline = odds_row(k1, n1, k0, n0)
    found.add("P25", headline, period=period)
    for sub, k, n in (("before", k0, n0), ("after", k1, n1)):
        found.add("P25", counted([COUNTY], [k], [n], reason="no head change"), sub=sub, period=period)
    if n1 and n0:
        gap, low, high = newcombe_difference(k1, n1, k0, n0)
        row = values([COUNTY], [gap], [n1 + n0], low=low, high=high, method=NEWCOMBE)
        found.add("P25", row, sub="difference", period=period)
        found.add("P25", ratio_row(headline), sub="odds ratio", period=period)
    series = level_change(*monthly(changes, asked, day))
    if series:
        found.add("P25", values([COUNTY], [series.pop("estimate")], [n1 + n0], **series), sub="series", period=period)
    months = changes.assign(month=changes["changed_on"].dt.strftime("%Y-%m"), is_after=late)
    found.tables["changes"] = months.groupby(["month", "is_after", "consulted"], as_index=False).size()


def _unsaid(n: float, reason: str) -> pd.DataFrame:
    return values([COUNTY], [np.nan], [n], method=EXACT, reason=reason, reliability="not estimable")


def odds_row(k1: int, n1: int, k0: int, n0: int) -> pd.DataFrame:
    """The headline of P25: the log odds ratio with its exact conditional interval, always finite or with its reason.

    With a cell of 0 the maximum likelihood estimate is infinite: the median-unbiased one stands in its place, and the limit
    that does not exist is written as UNBOUNDED. Such an interval still decides the claim by the limit that it has.
    """
    reason = "no head change" if not n1 + n0 else NO_BASELINE if not n0 else "no eligible case" if not n1 else ""
    if reason or not 0 < k1 + k0 < n1 + n0:
        return _unsaid(n1 + n0, reason or "separation")
    found = conditional_odds_ratio(k1, n1, k0, n0)
    with np.errstate(divide="ignore"):
        low, high = np.clip(np.log([found.low, found.high]), -UNBOUNDED, UNBOUNDED)
        estimate = np.log(found.estimate)
    is_open = bool(np.isinf(estimate))
    return values([COUNTY], [median_unbiased(k1, n1, k0, n0) if is_open else estimate], [n1 + n0], low=low, high=high,
                  method=EXACT, remark="one_sided" if is_open else "")  # fmt: skip


def ratio_row(headline: pd.DataFrame) -> pd.DataFrame:
    """The odds ratio itself from its logarithm; an upper limit that does not exist is missing."""
    logs = headline[["estimate", "low", "high"]].astype(float)
    shown = np.exp(logs).mask(logs >= UNBOUNDED).mask(logs <= -UNBOUNDED, 0.0)
    return headline.assign(**{name: shown[name] for name in shown})


def monthly(changes: pd.DataFrame, asked: pd.Series, day: pd.Timestamp) -> tuple[Floats, Floats, Floats, int]:  # fmt: skip
    """Months from the first change (0, 1, ...), consulted and known changes in each, and the month of `day`."""
    number = changes["changed_on"].dt.year * 12 + changes["changed_on"].dt.month
    first = int(number.min()) if len(number) else 0
    counts = (
        asked.groupby(number - first).agg(["sum", "count"]) if len(number) else pd.DataFrame({"sum": [], "count": []})
    )
    k, n = (counts[c].to_numpy(dtype=float) for c in ("sum", "count"))
    return counts.index.to_numpy(dtype=float), k, n, day.year * 12 + day.month - first


def level_change(month: Floats, k: Floats, n: Floats, starts: int) -> dict[str, Any]:
    """The jump of the log odds at month `starts` in a segmented binomial regression by month: estimate, low, high, se, df, method.

    log odds = a + b month + c after + d (month - starts) after (Wagner and others 2002); c with Student limits at months
    less 4. Empty where the changes span fewer than 24 months, a segment has fewer than 3 months, or the answers are
    separated, so that there is no finite estimate.
    """
    month, k, n = month[n > 0], k[n > 0], n[n > 0]
    late = month >= starts
    if not len(month) or np.ptp(month) + 1 < SERIES_MONTHS or min(late.sum(), (~late).sum()) < 3 or len(month) < 5:
        return {}
    if any(not 0 < k[part].sum() < n[part].sum() or _split(month[part], k[part], n[part]) for part in (late, ~late)):
        return {}
    design = np.column_stack([np.ones(len(month)), month, late, (month - starts) * late])
    fit = sm.GLM(np.column_stack([k, n - k]), design, family=sm.families.Binomial()).fit(tol=1e-14, maxiter=100)
    value, se, df = float(fit.params[2]), float(fit.bse[2]), float(len(month) - 4)
    half = float(stats.t.ppf(0.975, df)) * se
    return {
        "estimate": value,
        "low": value - half,
        "high": value + half,
        "se": se,
        "df": df,
        "method": STUDENT,
        "reliability": "read with care",
    }  # a handful of changes a month: the normal limits are rough


def _split(month: Floats, k: Floats, n: Floats) -> bool:
    """Whether a month parts the consulted changes of a segment from the others, itself possibly mixed."""
    yes, no = month[k > 0], month[k < n]
    return bool(yes.min() >= no.max() or yes.max() <= no.min())


FINDERS = {"P21": p21, "P22": p22, "P23": p23, "P24": p24, "P25": p25, **cooperation.FINDERS, **preferences.FINDERS}
