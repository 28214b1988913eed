"""What the report suggests, S11 to S36: where things stand, what would show a change, who needs it; refuses leaders' answers by town."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from huying.claims import claims_of
from huying.estimates import COUNTY, STUDENT, estimate_means, estimate_shares, estimate_sum, limits
from huying.problems import calls
from huying.problems.advice_ledgers import FINDERS as FROM_LEDGERS
from huying.problems.advice_ledgers import facts_of
from huying.problems.associations import ratio_gap, regress, student
from huying.problems.cooperation import FEWEST, leaders_by_wave
from huying.problems.facts import Found, Study, find_each, unsaid, values
from huying.problems.next_wave import overlap, plan
from huying.problems.parallel import aware, content, where
from huying.samples import Sample
from huying.small_areas import rank_regions

NEW_MEDIA = (1, 2, 3)  # codes of R11 and R25: official account, WeChat group, short videos
SUPPORTS = "abcde"


def find(study: Study) -> Found:
    """Facts for S11 to S36, with the tables `priorities`, `supports` and `rank_flow`."""
    return find_each(study, FINDERS)


# --- residents --------------------------------------------------------------------------------------------------------


def s11(study: Study, found: Found) -> None:
    """Awareness, what the next wave could show of it, channels as they are and as people want them, and new media beside knowledge."""
    last = overlap(study, "resident", aware)
    for wave in study.waves("resident"):
        sample, few = study.samples["resident", wave], residents_of(study, wave)
        know = estimate_shares(sample.design, pd.DataFrame({"aware": aware(sample)}), **few)
        found.add("S11", know)
        plan(found, "S11", know, last.shared)
        prioritise(study, found, "S11", know, wave)
        channels(study, found, sample, wave)
        new_media(study, found, sample, wave)
    if last.villages:
        for sub, value in (("villages kept", last.kept), ("correlation of waves", last.shared)):
            found.add("S11", values([COUNTY], [value], [last.villages]), sub=sub, wave=study.waves("resident")[-1])


def residents_of(study: Study, wave: str) -> dict[str, Any]:
    """What every estimate of a wave of residents is told."""
    return {"wave": wave, "fewest": study.county.thresholds["fewest_residents"]}


def channels(study: Study, found: Found, sample: Sample, wave: str) -> None:
    """By channel: its reach among the aware, the share of all who want it, and wanted less had, both among all.

    Who has not heard of the reform was reached by no channel: in the gap they count as 0.
    """
    few, heard, asked = residents_of(study, wave), sample.asked("R11"), sample.asked("R25")
    unaware = aware(sample) == 0
    both = asked & (heard | unaware)
    for option in study.book.items["R25"].options:
        had, wanted = (sample.column(f"{item}_{option.code}") == 1 for item in ("R11", "R25"))
        shares = {f"reach_{option.code}": where(had, heard), f"wanted_{option.code}": where(wanted, asked)}
        frame = estimate_shares(sample.design, pd.DataFrame(shares), **few)
        found.add("S11", frame.assign(sub=frame["indicator"]))
        parts = [(1.0, wanted.astype(float), both), (-1.0, (had & ~unaware).astype(float), both)]
        gap = f"gap_{option.code}"
        found.add("S11", estimate_sum(sample.design, gap, parts, **few), sub=gap)


def new_media(study: Study, found: Found, sample: Sample, wave: str) -> None:
    """The R10 score of the aware who heard by new media less that of other aware people of the same age and education.

    Channels are asked of the aware alone, so that channel and awareness cannot be set against each other within a person.
    """
    used = np.any([sample.column(f"R11_{code}") == 1 for code in NEW_MEDIA], axis=0)
    school = sample.column("R06")
    levels = [where(school == o.code, sample.asked("R06")) for o in study.book.items["R06"].options[1:]]
    x = np.column_stack([where(used, sample.asked("R11")), np.ones(len(used)), sample.column("R03") / 10, *levels])
    slope, se, df, n = regress(sample.design, content(study, sample), x)
    reason = "too few answers" if n < residents_of(study, wave)["fewest"] else ""
    found.add("S11", student(slope, se, df, n, reason), sub="association: new media", wave=wave)


def s12(study: Study, found: Found) -> None:
    """The R10 score of those asked, what the next wave could show of it, and who says that they can hold the reform to account."""
    shared = overlap(study, "resident", lambda sample: content(study, sample)).shared
    for wave in study.waves("resident"):
        sample, few = study.samples["resident", wave], residents_of(study, wave)
        score = estimate_means(sample.design, pd.DataFrame({"content": content(study, sample)}), **few)
        found.add("S12", score)
        plan(found, "S12", score, shared)
        prioritise(study, found, "S12", score, wave)
        able = where(sample.column("R24_f") >= 4, sample.asked("R24_f", "does_not_know"))
        sub = "knows how to object"
        found.add("S12", estimate_shares(sample.design, pd.DataFrame({sub: able}), **few), sub=sub)


# --- where it matters most --------------------------------------------------------------------------------------------


def prioritise(study: Study, found: Found, claim: str, frame: pd.DataFrame, wave: str) -> None:
    """Table `priorities`: claim, wave, town_id, need (bar less estimate), adults, weighted (need x adults), first, last.

    `weighted` is the number of people by whom the town falls short of the bar. `first` to `last`, 1 the
    greatest need: the ranks that joint 95% intervals allow. A town without a value has none. Never from leaders' forms.
    """
    bar = claims_of(study.county)[claim].rule_at("town")[1]
    towns = frame[frame["place"] != COUNTY].reset_index(drop=True)
    adults = study.towns.set_index("town_id")["adults"].astype(float).reindex(towns["place"]).to_numpy()
    known = int((towns["estimate"].notna() & towns["low"].notna()).sum())
    limit = limits(towns, 0.95 ** (1 / max(1, known)))  # independent towns: the limits hold together
    value, low, high = ((side - bar) * adults for side in (towns["estimate"].to_numpy(dtype=float), *limit))
    ranks = rank_regions(value, low, high)  # lowest first: the greatest need
    table = pd.DataFrame({"claim": claim, "wave": wave, "town_id": towns["place"], "need": bar - towns["estimate"],
                          "adults": adults, "weighted": -value, "first": ranks["rank_low"], "last": ranks["rank_high"]})  # fmt: skip
    keep(found, "priorities", table)


def keep(found: Found, name: str, table: pd.DataFrame) -> None:
    """Put the rows of `table` below those that a table already holds."""
    before = found.tables.get(name)
    found.tables[name] = table if before is None else pd.concat([before, table], ignore_index=True)


# --- leaders and staff ------------------------------------------------------------------------------------------------


def s23(study: Study, found: Found) -> None:
    """The five supports as leaders see them, county only: the greatest of adequacy less importance, and each of them.

    Below 0, all five fall short. All leaders are asked: counts. Who left out one of the two answers is left out and counted.
    """
    spoken = dict(leaders_by_wave(study))
    for wave in sorted(set(study.cleaned.forms["leader"]["wave"]) - set(spoken)):
        found.add("S23", unsaid([COUNTY], "too few answers"), wave=wave)
    for wave, rows in spoken.items():
        table = supports(rows).assign(wave=wave)
        keep(found, "supports", table)
        gaps, n = table["adequacy"] - table["importance"], table["n"].to_numpy(dtype=float)
        few = bool(gaps.isna().any())  # all five or none
        headline = unsaid([COUNTY], "too few answers") if few else values([COUNTY], [gaps.max()], [n.min()])
        found.add("S23", headline, wave=wave)
        for name, column in (("gap", -gaps), ("importance", table["importance"]), ("adequacy", table["adequacy"])):
            parts = values([COUNTY] * len(n), column, n).assign(sub=name + "_" + table["support"])
            found.add("S23", parts.replace({"reason": {"no eligible case": "too few answers"}}), wave=wave)


def supports(leaders: pd.DataFrame) -> pd.DataFrame:
    """Mean importance and adequacy of each support among leaders who gave both: support, importance, adequacy, n, unknown."""
    rows = []
    for row in SUPPORTS:
        pair = leaders[[f"L11_{row}_importance", f"L11_{row}_adequacy"]].astype(float).dropna()
        n = len(pair)
        means = pair.mean().to_list() if n >= FEWEST else [np.nan, np.nan]
        rows.append((row, *means, n, len(leaders) - n))
    return pd.DataFrame(rows, columns=["support", "importance", "adequacy", "n", "unknown"])


def s31(study: Study, found: Found) -> None:
    """The towns' call propensity, as P32, with what the next wave could show of it."""
    timed, listed = calls.timed_calls(study), study.towns.set_index("town_id")["staff_listed"].astype(float)
    listed.loc[COUNTY] = listed.sum(min_count=len(listed))
    for wave in study.waves("staff"):
        own = Found()
        calls.propensity(study, own, timed, wave)
        towns, county = facts_of(own, "P32"), facts_of(own, "P32", "propensity")
        found.add("S31", towns)
        estimated = pd.concat([towns[towns["method"] == STUDENT], county], ignore_index=True)
        plan(found, "S31", estimated, listed=listed.fillna(np.inf))
        prioritise(study, found, "S31", towns, wave)


def s34(study: Study, found: Found) -> None:
    """Nobody is asked whether he met a publicised case. Sub: the propensity where the latest call was answered in time, less where not."""
    for wave in study.waves("staff"):
        sample = study.samples["staff", wave]
        need, called, answered = (sample.column(cell) for cell in ("S14", "S15", "S17_a"))
        said = np.isfinite(need) & np.isfinite(called)
        yes, no = (said & (answered == code) for code in (1, 2))
        fewest = study.county.thresholds["fewest_staff"]
        found.add("S34", student(np.nan, np.nan, np.nan, len(need), "not asked"), wave=wave)
        few = "too few answers" if min(yes.sum(), no.sum()) < fewest else ""
        gap = (np.nan, np.nan, np.nan) if few else ratio_gap(sample.design, called, need, yes, no)
        row = student(*gap, n=(yes | no).sum(), reason=few)
        found.add("S34", row, sub="calls where a past call was answered in time", wave=wave)


FINDERS = {"S11": s11, "S12": s12, "S23": s23, "S31": s31, "S34": s34, **FROM_LEDGERS}
