"""Where a report makes each claim: the passages that a county's `quotes.toml` names, or a claim's own words where they stand there."""

from collections.abc import Mapping
from typing import NamedTuple

from huying.claims.declared import Claim, claims_of
from huying.errors import near
from huying.folder import County, read_toml
from huying.report.read import read_report
from huying.report.statements import find_sentences


class Passage(NamedTuple):
    """A stretch of a sentence, with the claim that it makes (empty: none)."""

    text: str
    claim: str


class Quoted(NamedTuple):
    """A sentence of a report in its passages."""

    passages: list[Passage]
    is_heading: bool


def read_quotes(county: County, claims: Mapping[str, Claim], text: str) -> dict[str, str]:
    """The passage of each claim; raises CountyError for a claim that nobody declared and for a passage that does not stand in the report."""
    declared = read_toml(county.folder / "quotes.toml").check("quotes")
    for claim, quote in declared.raw.items():
        if claim not in claims:
            raise declared.fail("claims.unknown", claim, quote, claim=claim, close=near(claim, claims))
        if quote not in text:
            raise declared.fail("report.no_such_passage", claim, quote, claim=claim, quote=quote)
    own = {key: claim.text.zh for key, claim in claims.items() if claim.text.zh in text}
    return own | dict(declared.raw)


def check_quotes(county: County) -> None:
    """Raise what `read_quotes` raises, of the county as its folder declares it."""
    read_quotes(county, claims_of(county), read_report(county.report) if county.report else "")


def quote_sentences(text: str, quotes: Mapping[str, str]) -> list[Quoted]:
    """The sentences of a report, each cut where a claim's passage begins and ends; of passages that overlap the first stands."""
    marks = sorted((text.index(quote), text.index(quote) + len(quote), claim) for claim, quote in quotes.items())
    found = []
    for sentence in find_sentences(text):
        at, passages = sentence.start, list[Passage]()
        for start, end, claim in marks:
            if at <= start and end <= sentence.end:
                passages += [Passage(text[at:start], "")] * (at < start) + [Passage(text[start:end], claim)]
                at = end
        passages += [Passage(text[at : sentence.end], "")] * (at < sentence.end)
        found.append(Quoted(passages, sentence.is_heading))
    return found
