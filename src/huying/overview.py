"""The county on one page: the evidence ledger arranged by section, by town and by what it lacks; computes nothing anew."""

from __future__ import annotations

import pandas as pd

from huying.claims import CANNOT_SAY, NO_BASELINE, county_headlines, is_problem, notes_word, show_value, verdict_word
from huying.estimates import COUNTY
from huying.reading import Reading
from huying.words import say

SECTIONS = ("A", "B", "D", "P1", "P2", "P3", "S1", "S2", "S3", "X")
LACKS = ("no data", "not asked", "number masked", "no report", "fewer than 10 events")


def headlines(here: Reading) -> pd.DataFrame:
    """The headline row of every claim for the county, in this reading's wave."""
    return county_headlines(here.evidence, here.claims, here.wave)


def word(here: Reading, key: str, **values: object) -> str:
    """A text of the overview in the reading's language."""
    return say(f"overview.{key}", here.lang, **values)


def by_section(here: Reading, *sections: str) -> pd.DataFrame:
    """What the report says and what the data say, a row a claim of these sections (all without one); index: the claim's id."""
    rows = []
    for key, row in headlines(here).iterrows():
        claim = here.claims[str(key)]
        if sections and claim.section not in sections:
            continue
        is_share = claim.is_about_towns and row["place"] == COUNTY
        value, low, high = (
            show_value(claim, float(row[name]), here.lang, is_share) for name in ("estimate", "low", "high")
        )
        rows.append({word(here, "claim"): key, word(here, "says"): claim.text(here.lang), word(here, "verdict"): verdict_word(row["verdict"], here.lang),
                     word(here, "value"): value, word(here, "interval"): "" if low == high else word(here, "range", low=low, high=high),
                     word(here, "n"): f"{row['n']:.0f}", word(here, "why"): notes_word(row, here.lang)})  # fmt: skip
    return pd.DataFrame(rows).set_index(word(here, "claim")) if rows else pd.DataFrame()


def counts(here: Reading) -> str:
    """How many claims have which verdict in the county, and how many of them mean a problem."""
    rows = headlines(here)
    parts = [f"{verdict_word(verdict, here.lang)} {n}" for verdict, n in rows["verdict"].value_counts().items()]
    problems = sum(is_problem({"verdict": row["verdict"]}, here.claims[str(key)]) for key, row in rows.iterrows())
    return word(here, "counts", n=len(rows), verdicts=here.say("comma").join(parts), problems=problems)


def matrix(here: Reading) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The family verdict of each claim on towns at each town and the county, and where it means a problem; index: claims."""
    head = here.evidence[(here.evidence["sub"] == "") & here.evidence["place"].isin([*here.towns.index, COUNTY])]
    when = head["wave"].where(head["wave"] != "", head["period"])
    head = head.assign(is_now=when == here.wave, at=when).sort_values(["is_now", "at"], kind="stable")
    table = head.drop_duplicates(["claim", "place"], keep="last").pivot(
        index="claim", columns="place", values="verdict_family"
    )
    on_towns = [key for key, claim in here.claims.items() if claim.judged_for == "town" and key in table.index]
    table = table.reindex(index=on_towns, columns=[*here.towns.index, COUNTY])
    wrong = pd.Series({key: here.claims[key].problem_if for key in on_towns}, dtype=object)
    return table, table.eq(wrong, axis=0)


def unmeasured(here: Reading) -> pd.DataFrame:
    """Claims on which no data could decide, with what is lacking; index: the claim's id."""
    rows = headlines(here)
    lacks = rows["reason"].str.partition(": ")[0].isin(LACKS) & (rows["verdict"] == CANNOT_SAY)
    rows = rows[lacks | (rows["verdict"] == NO_BASELINE)]
    lines = {key: {word(here, "says"): here.claims[str(key)].text(here.lang), word(here, "verdict"): verdict_word(row["verdict"], here.lang),
                   word(here, "why"): notes_word(row, here.lang)} for key, row in rows.iterrows()}  # fmt: skip
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis(word(here, "claim"))


def undecided(here: Reading) -> pd.DataFrame:
    """Claims whose interval lies across the bar, with how far the bar lies inside it; the nearest to a verdict first."""
    rows = headlines(here)
    rows = rows[(rows["verdict"] == CANNOT_SAY) & (rows["reason"] == "interval across the bar")]
    lines = {}
    for key, row in rows.iterrows():
        claim = here.claims[str(key)]
        bar = claim.rule_at(COUNTY)[1]
        lines[key] = {word(here, "says"): claim.text(here.lang), word(here, "value"): show_value(claim, float(row["estimate"]), here.lang),
                      word(here, "bar"): show_value(claim, bar, here.lang),
                      word(here, "inside"): show_value(claim, min(bar - row["low"], row["high"] - bar), here.lang)}  # fmt: skip
    table = pd.DataFrame.from_dict(lines, orient="index").rename_axis(word(here, "claim"))
    return (
        table.sort_values(word(here, "inside"), key=lambda text: text.str.extract(r"(-?[\d.]+)")[0].astype(float))
        if lines
        else table
    )
