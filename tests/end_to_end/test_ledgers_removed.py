"""A county that lacks any one ledger or survey still runs every notebook; what lost its data says which file is missing."""

from dataclasses import replace
from functools import cache

import pytest

import huying as hy
from huying.claims.judged import CANNOT_SAY, NO_BASELINE
from huying.claims.verdict import KEY
from huying.claims.worded import FORM_NAMES
from huying.clean.intake import LISTS
from huying.counties import County
from run_notebook import recording, run_notebook

FORMS = {form: name for name, form in FORM_NAMES.items()}  # as a claim's `needs` calls them
WAVE, TOWN = "2023", "T07"
OF_SURVEYS = {"margins", "documents", *FORM_NAMES, *(table for _, table, *_ in LISTS)}
# What is said of a county's papers needs no data: the register against the ledgers that there are, the report's text.
OF_PAPERS = ("A01", "X")


class Cut(County):
    """The demo county without some of its ledgers and forms; it remembers which ones it was asked for."""

    def __init__(self, whole, *names):
        self.asked, had = set(), whole.cleaned
        ledgers = {key: rows for key, rows in had.ledgers.items() if key[0] not in names}
        forms = {form: rows for form, rows in had.forms.items() if FORMS.get(form, form) not in names}
        self.__dict__["cleaned"] = replace(had, ledgers=ledgers, forms=forms)
        super().__init__(whole.declared, whole.folder, "en")
        if not OF_SURVEYS & set(names):  # the same answers with the same weights
            self.surveys_made = whole.surveys_made

    def ledger(self, table, period=None):
        self.asked.add(table)
        return super().ledger(table, period)

    def survey(self, form, *args, **how):
        self.asked.add(FORMS.get(form, form))
        return super().survey(form, *args, **how)


def headlines(notebook, county, **how):
    """The headline rows that a notebook judges in the county; none where it has no claim of the county's own to judge."""
    run_notebook(notebook, county, wave=WAVE, **how)
    return county.recorded.rows.reindex(columns=[*KEY, "verdict", "reason"]).query("part == ''")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The demo county, prepared once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
        yield hy.county("demo", lang="en")


@pytest.fixture(scope="module")
def read(whole):
    """The claims that a notebook judges where nothing lacks, and the ledgers and forms that it reads."""

    @cache
    def run(notebook):
        county = Cut(whole)
        return set(headlines(notebook, county, draw=False)["claim"]), sorted(county.asked - {"towns"})

    return run


@pytest.mark.parametrize("notebook", recording())
def test_a_notebook_without_one_file_says_which(whole, read, notebook):
    """Each ledger and form that the notebook reads is taken away in turn."""
    claims, asked = read(notebook)
    for name in asked:
        county = Cut(whole, name)
        head = headlines(notebook, county, draw=False)
        assert set(head["claim"]) == claims, name
        assert (head["verdict"] != "").all(), name
        own = head[head["claim"].isin({claim for claim in claims if name in county.claim(claim).needs})]
        assert set(own["verdict"]) <= {CANNOT_SAY}, name
        assert set(own["reason"]) <= {f"no data: {name}"}, name


@pytest.mark.parametrize("notebook", recording())
def test_a_notebook_in_a_county_with_nothing_but_its_register(whole, read, notebook):
    """Its charts are drawn too: a sentence where there is nothing to draw."""
    ledgers = {key[0] for key in whole.cleaned.ledgers} - {"towns"}
    head = headlines(notebook, Cut(whole, *ledgers, *FORM_NAMES), town=TOWN)
    assert set(head["claim"]) == read(notebook)[0]
    said = head[~head["claim"].str.startswith(OF_PAPERS)]
    assert set(said["verdict"]) <= {CANNOT_SAY, NO_BASELINE}
    assert (said["reason"] != "").all()


@pytest.mark.parametrize("notebook", recording())
def test_a_notebook_in_a_county_without_any_survey(whole, read, notebook):
    county = Cut(whole, *FORM_NAMES)
    head = headlines(notebook, county, town=TOWN)
    asking = {claim for claim in read(notebook)[0] if set(county.claim(claim).needs) & set(FORM_NAMES)}
    assert set(head.loc[head["claim"].isin(asking), "verdict"]) <= {CANNOT_SAY}
    assert set(head["claim"]) == read(notebook)[0] and (head["verdict"] != "").all()


def test_every_claim_is_judged_by_one_notebook(whole, read):
    judged = [(claim, notebook) for notebook in recording() for claim in read(notebook)[0]]
    assert sorted(claim for claim, _ in judged) == sorted(whole.declared_claims), judged
