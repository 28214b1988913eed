"""A county that lacks any one ledger or survey still runs every notebook; what lost its data says which file is missing.

`make test` takes a few files from a few notebooks; `make test-slow` takes from each notebook each file that it reads.
"""

from dataclasses import replace

import pytest
from agencies_stand_in import FEW_DRAWS

import huying as hy
from huying.claims.evidence import KEY
from huying.claims.rules import CANNOT_SAY
from huying.claims.statements import FORM_NAMES
from huying.claims.verdict import read_recorded
from huying.clean.intake import LISTS
from huying.counties import County
from run_notebook import recording, run_notebook

FORMS = {form: name for name, form in FORM_NAMES.items()}  # as a claim's `needs` calls them
WAVE, TOWN = "2023", "T07"
OF_SURVEYS = {"margins", "documents", *(table for _, table, *_ in LISTS)}  # of all; a form is of its own survey alone
CHANGES = {"12_dispatched_agencies": FEW_DRAWS}
SOME = {"02_structure_and_posts": ("org_roster",), "03_powers": ("documents", "staff")}


class Cut(County):
    """The demo county without some of its ledgers and forms; it remembers for which of them it was asked."""

    def __init__(self, whole, *names):
        self.asked, had = set(), whole.cleaned
        ledgers = {key: rows for key, rows in had.ledgers.items() if key[0] not in names}
        forms = {form: rows for form, rows in had.forms.items() if FORMS.get(form, form) not in names}
        self.__dict__["cleaned"] = replace(had, ledgers=ledgers, forms=forms)
        super().__init__(whole.declared, whole.folder, "en")
        if not OF_SURVEYS & set(names):  # the same answers with the same weights
            self.surveys_made = {key: made for key, made in whole.surveys_made.items() if FORMS[key[0]] not in names}

    def ledger(self, table, period=None):
        self.asked.add(table)
        return super().ledger(table, period)

    def survey(self, form, *args, **how):
        self.asked.add(FORMS.get(form, form))
        return super().survey(form, *args, **how)


def run_in(county, notebook, town="county"):
    """The headlines that a notebook judges in a county."""
    run_notebook(notebook, county, town, WAVE, change=CHANGES.get(notebook), draw=False)
    return county.recorded.reindex(columns=[*KEY, "verdict", "reason"]).query("part == ''")


@pytest.fixture(scope="module")
def whole():
    """The demo county as it is prepared; nothing here writes into its results."""
    return hy.county("demo", lang="en")


@pytest.fixture(scope="module")
def claims(folder):
    """The claims that each notebook judged in the run of the demo county."""
    files = [(name, file) for name in recording() for file in (folder / "notebooks").glob(f"{name}_county_{WAVE}_*")]
    rows = read_recorded(files).query("part == ''")
    return {name: set(rows.loc[rows["notebook"] == name, "claim"]) for name in recording()}


def check_without(county, notebook, name, claims):
    """Every claim has a verdict, and those that need the file name it."""
    head = run_in(county, notebook)
    assert set(head["claim"]) == claims, name
    assert (head["verdict"] != "").all(), name
    own = head[head["claim"].isin({claim for claim in claims if name in county.claim(claim).needs})]
    assert set(own["verdict"]) <= {CANNOT_SAY}, name
    assert set(own["reason"]) <= {f"no data: {name}"}, name


@pytest.mark.parametrize(("notebook", "name"), [(notebook, name) for notebook in SOME for name in SOME[notebook]])
def test_a_notebook_without_one_file_says_which(whole, claims, notebook, name):
    county = Cut(whole, name)
    check_without(county, notebook, name, claims[notebook])
    assert name in county.asked
    assert any(name in county.claim(claim).needs for claim in claims[notebook])


@pytest.mark.slow
@pytest.mark.parametrize("notebook", recording())
def test_a_notebook_without_any_one_file_says_which(whole, claims, notebook):
    """Each ledger and form that the notebook reads where nothing lacks is taken away in turn."""
    county = Cut(whole)
    assert set(run_in(county, notebook)["claim"]) == claims[notebook]
    for name in sorted(county.asked - {"towns"}):
        check_without(Cut(whole, name), notebook, name, claims[notebook])


@pytest.mark.parametrize(
    "notebook", [pytest.param(name, marks=[pytest.mark.slow] * (name not in SOME)) for name in recording()]
)
def test_a_notebook_in_a_county_without_any_survey(whole, claims, notebook):
    county = Cut(whole, *FORM_NAMES)
    head = run_in(county, notebook, TOWN)
    asking = {claim for claim in claims[notebook] if set(county.claim(claim).needs) & set(FORM_NAMES)}
    assert set(head.loc[head["claim"].isin(asking), "verdict"]) <= {CANNOT_SAY}
    assert set(head["claim"]) == claims[notebook] and (head["verdict"] != "").all()


def test_every_claim_is_judged_by_one_notebook(whole, claims):
    judged = [(claim, notebook) for notebook in claims for claim in claims[notebook]]
    assert sorted(claim for claim, _ in judged) == sorted(whole.declared_claims), judged
