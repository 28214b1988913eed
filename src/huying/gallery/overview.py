"""Figures of the county on one page: verdicts by claim and town, and one verdict under every specification."""

from __future__ import annotations

from matplotlib.figure import Figure

from huying import charts, overview
from huying.claims import verdict_word
from huying.estimates import COUNTY
from huying.gallery.frame import Entry, caption, labelled, word
from huying.reading import Reading


def words_of(here: Reading) -> dict[str, str]:
    """The words that the charts of verdicts need."""
    verdicts = {verdict: verdict_word(verdict, here.lang) for verdict in charts.VERDICTS}
    return verdicts | {key: overview.word(here, key) for key in ("problem", "headline", "specifications")}


def verdicts(here: Reading) -> Figure:
    """The family verdict on each claim in each town and the county."""
    table, problems = overview.matrix(here)
    names = {place: here.place_name(place) for place in table.columns}
    title = overview.word(here, "matrix", n=len(table))
    own = None if here.town == COUNTY else here.place_name(here.town)
    about = caption(here, "P16", "evidence", table.notna().to_numpy().sum(), title, towns=True)
    return charts.verdicts(table.rename(columns=names), problems.rename(columns=names), words_of(here), own, about)


def specifications(here: Reading, claim: str, source: str) -> Figure:
    """The headline of a claim here under every specification that was tried."""
    own = here.curve(claim)
    place = str(own["place"].iloc[0])
    declared = here.claims[claim]
    about = caption(here, claim, source, place=place)
    percent = declared.unit is None
    return charts.specifications(own, declared.rule_at(place)[1], words_of(here), about, percent=percent)


def ranks(here: Reading, claim: str, source: str) -> Figure:
    """The ranks that the joint intervals allow each town."""
    table = here.table(f"ranks_{claim}_{here.wave}").rename(
        columns={"town_id": "place", "rank_low": "low", "rank_high": "high"}
    )
    rows = labelled(here, table.drop(columns="estimate").rename(columns={"rank": "estimate"}).assign(reliability="ok"))
    rows = rows.sort_values("estimate", ascending=False, na_position="first", ignore_index=True)
    return charts.forest(
        rows,
        None,
        caption(
            here,
            claim,
            source,
            title=word(here, "ranks", text=here.claims[claim].text(here.lang)),
            place=COUNTY,
            towns=True,
        ),
        percent=False,
    )


FIGURES: dict[str, Entry] = {
    "verdicts": ("", "", "", verdicts),
    "specifications_P16": ("specifications", "P16", "", lambda here: specifications(here, "P16", "residents")),
    "specifications_B07": ("specifications", "B07", "", lambda here: specifications(here, "B07", "calls")),
    "specifications_P23": ("specifications", "P23", "", lambda here: specifications(here, "P23", "agency_events")),
    "ranks_P16": ("ranks_P16_{wave}", "", "", lambda here: ranks(here, "P16", "residents")),
}
