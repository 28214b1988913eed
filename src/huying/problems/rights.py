"""Rights given to the towns, claims B01 to B06 and B10; refuses to tell what the leaders of any one town said."""

from __future__ import annotations

import numpy as np
import pandas as pd

from huying import clocks
from huying.codebook import house_codebook
from huying.estimates import COUNTY, STUDENT, estimate_shares
from huying.indicators import house_indicators
from huying.problems.agencies import consulted, mechanism_day
from huying.problems.calls import risk_ratio, timed_calls
from huying.problems.cooperation import bounded, leaders_by_wave
from huying.problems.facts import Found, Study, counted, find_each, needed, periods_of, unsaid, values
from huying.problems.parallel import where

MECHANISMS, RIGHTS, USED = 5, ("c", "d", "e"), 1
SCENARIOS = (0.25, 0.30, 0.35)


def find(study: Study) -> Found:
    """Facts for B01 to B06 and B10, with the table `appraisal`."""
    return find_each(study, FINDERS)


# --- rights on paper and in use ---------------------------------------------------------------------------------------


def b01(study: Study, found: Found) -> None:
    """Titles of mechanisms issued on a stated day; `heard_<k>`: staff who have heard of the k-th one (S20)."""
    register = needed(study, "documents")
    issued = register[(register["kind"] == "mechanism") & register["issued_on"].notna()]
    found.add("B01", values([COUNTY], [issued["title"].nunique()], len(register)))
    for wave in study.waves("staff"):
        sample = study.samples["staff", wave]
        named = [k for k in range(1, MECHANISMS + 1) if f"S20_{k}" in sample.rows]
        if not named:  # a form whose list of mechanisms was never filled in
            continue
        heard = pd.DataFrame({f"heard_{k}": where(sample.column(f"S20_{k}") == 1, sample.asked("S20")) for k in named})
        shares = estimate_shares(sample.design, heard, wave=wave, fewest=study.county.thresholds["fewest_staff"])
        found.add("B01", shares.assign(sub=shares["indicator"]))


def decided(rows: pd.DataFrame) -> pd.DataFrame:
    """Bounded shares for a rule that one failure refutes: without a failure but with unknown cases nothing is decided."""
    is_open = (rows["estimate"] == 1) & (rows["low"] < 1)
    return rows.assign(estimate=rows["estimate"].mask(is_open), reason=rows["reason"].mask(is_open, "unknown answers"),
                       reliability=rows["reliability"].mask(is_open, "not estimable"))  # fmt: skip


def b02(study: Study, found: Found) -> None:
    """Of the occasions since the mechanism came into force, those on which the right was used.

    An occasion is a change of head (used: the town was asked in writing or orally) or an agency whose head is due for
    appraisal (used: by the town). `granted`: 1 where the register holds a mechanism, 0 where it holds none. What nobody
    knows bounds the share both ways.
    """
    papers, day = needed(study, "documents"), mechanism_day(study)
    found.add("B02", values([COUNTY], [(papers["kind"] == "mechanism").any()], len(papers)), sub="granted")
    if day is None:
        found.add("B02", unsaid([COUNTY], "no mechanism date"))
        return
    changes = pd.concat([rows for _, rows in periods_of(study, "agency_events")]).drop_duplicates("event_id")
    agencies = pd.concat([rows for _, rows in periods_of(study, "agencies")]).drop_duplicates("agency_id", keep="last")
    asked = consulted(changes[changes["changed_on"] >= day])
    assessed = agencies["assessed_by_town"].astype("boolean").astype("Float64").astype(float)
    for sub, used in (("", pd.concat([asked, assessed])), ("consulted", asked), ("assessed", assessed)):
        rows = bounded([COUNTY], [used.sum()], [used.count()], [len(used)])
        found.add("B02", rows if sub else decided(rows), sub=sub)


def b03(study: Study, found: Found) -> None:
    """Towns that used each of their three rights at least once in 12 months, as their leaders say; subs c, d, e: each alone.

    Base: the towns with a leader's form. One leader who says that the town used a right is enough; that it did not needs
    the answers of all who were asked, and otherwise the town is unknown. The county's row only: leaders are identifiable.
    """
    for wave, rows in leaders_by_wave(study):
        used = pd.DataFrame({right: town_used(rows, f"L09_{right}") for right in RIGHTS})
        for sub, said in (("", used.min(axis=1, skipna=False).mask((used == 0).any(axis=1), 0.0)), *used.items()):
            share = bounded([COUNTY], [said.sum()], [said.count()], [len(said)])
            found.add("B03", share if sub else decided(share), sub=sub, wave=wave)


def town_used(rows: pd.DataFrame, cell: str) -> pd.Series:
    """For each town 1 where a leader says that the right was used, 0 where all say that it was not, missing otherwise."""
    said = (rows[cell].astype("Float64") == USED).astype("Float64").astype(float).mask(rows[cell].isna())
    towns = said.groupby(rows["town_id"])
    return towns.max().where((towns.max() == 1) | (towns.count() == towns.size()))


# --- appraisal --------------------------------------------------------------------------------------------------------


def b04(study: Study, found: Found) -> None:
    """The towns' nominal weight in each department's appraisal; `effective`: their part's share of the scores' variance.

    `agency weight`: for the agencies, where it is recorded. `ranks moved at 25%` and so on: departments whose rank changes
    when the towns' weight is set to that for all. All of the latest year; table `appraisal`.
    """
    weights, scores = latest(needed(study, "appraisal_weights")), study.cleaned.ledger("appraisal_scores")
    found.add("B04", values(weights.index, weights["town_weight"], 1))
    agency = weights["agency_weight"].dropna()
    found.add("B04", values(agency.index, agency, 1), sub="agency weight")
    if scores is None:
        found.add("B04", unsaid([COUNTY], "no data: appraisal_scores"), sub="effective")
        return
    table = appraisal(weights.join(latest(scores)[["town_score", "other_score"]], how="inner"))
    found.add("B04", values([COUNTY], [variance_share(table)], len(table)), sub="effective")
    for weight in SCENARIOS:
        moved = (table[f"rank_{100 * weight:.0f}"] != table["rank"]).sum()
        found.add("B04", values([COUNTY], [moved], len(table)), sub=f"ranks moved at {weight:.0%}")
    found.tables["appraisal"] = table.rename_axis("dept_id").reset_index()


def latest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last year of a yearly table of departments, indexed by dept_id."""
    return rows[rows["year"] == rows["year"].max()].drop_duplicates("dept_id").set_index("dept_id")


def appraisal(rows: pd.DataFrame) -> pd.DataFrame:
    """Departments (index) with weight, town_score, other_score, town_part, total, rank (1 = best), and rank_25, rank_30, rank_35."""
    town, other = rows["town_score"], rows["other_score"]
    part = rows["town_weight"] * town
    table = pd.DataFrame({"weight": rows["town_weight"], "town_score": town, "other_score": other, "town_part": part,
                          "total": part + rows["other_weight"] * other})  # fmt: skip
    totals = {"rank": table["total"], **{f"rank_{100 * w:.0f}": w * town + (1 - w) * other for w in SCENARIOS}}
    ranks = {name: total.round(9).rank(ascending=False, method="min").astype(int) for name, total in totals.items()}
    return table.assign(**ranks)  # rounded, so that equal scores stay equal whatever the order of the sum


def variance_share(table: pd.DataFrame) -> float:
    """cov(town_part, total)/var(total): the shares of all parts add to one (Wang and Stanley 1970; Shorrocks 1982)."""
    spread = table["total"].var()
    return float(table["town_part"].cov(table["total"]) / spread) if spread > 0 else np.nan


def b05(study: Study, found: Found) -> None:
    """Staff for whom work has become lighter since the reform, among all who compared; `heavier`: those with more work."""
    for wave in study.waves("staff"):
        sample, few = study.samples["staff", wave], study.county.thresholds["fewest_staff"]
        heavier = where(sample.column("S13") >= 4, sample.asked("S13", "does_not_know"))
        lighter = house_indicators()["lighter"].of(sample, house_codebook())
        for sub, said in (("", lighter), ("heavier", heavier)):
            found.add(
                "B05", estimate_shares(sample.design, pd.DataFrame({"said": said}), wave=wave, fewest=few), sub=sub
            )


# --- the list and the conference --------------------------------------------------------------------------------------


def b06(study: Study, found: Found) -> None:
    """Requests refused where the list has more than one version, else 0 with the remark `one_version`.

    `refusal rate`: refused of those decided; `versions`: of the list. A ledger that never names the version cannot say.
    """
    asked = needed(study, "admissions").drop_duplicates("request_id")
    refused, versions = int((asked["decision"] == "refused").sum()), asked["list_version"].nunique()
    if versions:
        remark = "one_version" if versions == 1 else ""
        found.add("B06", values([COUNTY], [refused if versions > 1 else 0], len(asked), remark=remark))
    else:
        found.add("B06", unsaid([COUNTY], "not recorded" if len(asked) else "no eligible case"))
    closed = asked["decision"].isin(["admitted", "refused"]).sum()
    found.add("B06", counted([COUNTY], [refused], [closed]), sub="refusal rate")
    found.add("B06", values([COUNTY], [versions], len(asked)), sub="versions")


def conference_day(study: Study) -> pd.Timestamp | None:
    """The day from which the joint conference rules: its document's, else its first case's; None where nothing tells."""
    papers, cases = study.cleaned.ledger("documents"), study.cleaned.ledger("joint_conference")
    days = pd.Series(dtype="datetime64[ns]")
    if papers is not None:
        days = papers.loc[papers["kind"] == "conference", "effective_on"].dropna()
    if not len(days) and cases is not None:
        days = cases["referred_on"].dropna()
    return days.min() if len(days) else None


def b10(study: Study, found: Found) -> None:
    """Cross-duty calls dispatched since the conference began that were returned or passed on; `before` it, and the `ratio`.

    Nothing here tells the conference's effect from anything else that changed with time.
    """
    calls, day = timed_calls(study), conference_day(study)
    assert calls is not None  # the claim needs the ledger
    for period, part in calls.groupby("period"):
        if day is None or part["is_cross_duty"].isna().all():
            found.add(
                "B10", unsaid([COUNTY], "not recorded" if day is not None else "no conference date"), period=str(period)
            )
            continue
        moved = part["was_returned"].astype("boolean")[part["is_cross_duty"].fillna(False).astype(bool)]
        is_after = part.loc[moved.index, "dispatched_at"] >= day
        after, before = moved[is_after], moved[~is_after]
        for sub, flags in (("", after), ("before", before)):
            found.add(
                "B10",
                counted([COUNTY], [flags.sum()], [flags.count()], reason="no eligible call"),
                sub=sub,
                period=str(period),
            )
        ratio, low, high = risk_ratio(after, before)
        row = values([COUNTY], [ratio], [moved.count()], low=low, high=high, method=STUDENT)
        found.add("B10", row, sub="ratio", period=str(period))
    for period, cases in periods_of(study, "joint_conference"):
        rulings(study, found, cases, period)


def rulings(study: Study, found: Found, cases: pd.DataFrame, period: str) -> None:
    """B10: the median of `days to a ruling`, open cases censored, and the share `returned after a ruling`."""
    span, ruled = study.county.periods.get(period), cases["ruled_on"].notna()
    last = pd.Timestamp(span.as_of) if span else cases[["referred_on", "ruled_on"]].max().max()
    days = (cases["ruled_on"].fillna(last) - cases["referred_on"]).dt.days.clip(lower=0)
    curve = clocks.kaplan_meier(days.to_numpy(dtype=float), ruled.to_numpy())
    found.add("B10", values([COUNTY], [clocks.median_wait(curve)], len(cases)), sub="days to a ruling", period=period)
    again = cases.loc[ruled, "is_returned_after"].astype("boolean")
    found.add("B10", counted([COUNTY], [again.sum()], [again.count()]), sub="returned after a ruling", period=period)


FINDERS = {"B01": b01, "B02": b02, "B03": b03, "B04": b04, "B05": b05, "B06": b06, "B10": b10}
