"""A county that lacks any one ledger or survey still runs every notebook; what lost its data says which file is missing."""

import ast
import dis
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import CodeType

import pandas as pd
import pytest
from agencies_stand_in import FEW_DRAWS

import huying as hy
from huying.claims.evidence import KEY
from huying.claims.rules import CANNOT_SAY
from huying.claims.statements import FORM_NAMES
from huying.clean.intake import LISTS
from huying.counties import County
from run_notebook import cells_of, recording, run_notebook

FORMS = {form: name for name, form in FORM_NAMES.items()}  # as a claim's `needs` calls them
WAVE, TOWN = "2023", "T07"
OF_SURVEYS = {"margins", "documents", *(table for _, table, *_ in LISTS)}  # of all; a form is of its own survey alone
SAID = [*KEY, "estimate", "n", "verdict", "reason"]
CHANGES = {"12_dispatched_agencies": FEW_DRAWS}


class Cut(County):
    """The demo county without some of its ledgers and forms; it remembers in which cell it was asked for which of them, and
    what each cell's claims need."""

    def __init__(self, whole, *names):
        self.cell, self.asked, self.needed, had = -1, defaultdict(set), defaultdict(set), whole.cleaned
        ledgers = {key: rows for key, rows in had.ledgers.items() if key[0] not in names}
        forms = {form: rows for form, rows in had.forms.items() if FORMS.get(form, form) not in names}
        self.__dict__["cleaned"] = replace(had, ledgers=ledgers, forms=forms)
        super().__init__(whole.declared, whole.folder, "en")
        if not OF_SURVEYS & set(names):  # the same answers with the same weights
            self.surveys_made = {key: made for key, made in whole.surveys_made.items() if FORMS[key[0]] not in names}

    def ledger(self, table, period=None):
        self.asked[self.cell].add(table)
        return super().ledger(table, period)

    def survey(self, form, *args, **how):
        self.asked[self.cell].add(FORMS.get(form, form))
        return super().survey(form, *args, **how)

    def judge(self, claim, *args, **how):
        self.needed[self.cell] |= set(self.claim(claim).needs)
        return super().judge(claim, *args, **how)


def flow(source):
    """The names that a cell makes, those that it reads, and those whose objects it alters."""
    codes, makes, reads = [compile(source, "cell", "exec")], set(), set(re.findall(r"@(\w+)", source))
    for code in codes:
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
        for step in dis.get_instructions(code):
            if step.opname == "STORE_NAME":
                makes.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                reads.add(step.argval)
    parts = list(ast.walk(ast.parse(source)))
    stored = [
        part for part in parts if isinstance(getattr(part, "ctx", None), ast.Store) and not isinstance(part, ast.Name)
    ]
    called = [part.value for part in parts if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call)]
    alters = {re.match(r"\w*", ast.unparse(part))[0] for part in (*stored, *called)} - {"county", "hy", "print", ""}
    return makes, reads, alters


class Read:
    """A notebook run in the whole county, cell by cell: the names that each left, and the rows that it judged."""

    def __init__(self, notebook, whole):
        self.notebook, self.whole = notebook, whole
        self.change = CHANGES.get(notebook)
        self.flow = [flow(source) for source in cells_of(notebook, self.change)]
        self.names, self.rows, county = {}, {}, Cut(whole)
        self.rows = self.judged(county, lambda n: True)
        self.seen = {n: county.asked[n] | county.needed[n] for n in range(len(self.flow))}
        self.asked = sorted(set().union(*county.asked.values()) - {"towns"})
        self.claims = set(pd.concat(self.rows.values()).query("part == ''")["claim"])

    def judged(self, county, is_run):
        """The rows by cell; a cell that is not run leaves what it left in the whole county."""
        rows = {}

        @contextmanager
        def watch(n, names):
            county.cell, county.judged = n, []
            if not is_run(n):
                names.update(self.names[n])
                yield False
                return
            yield True
            rows[n] = county.recorded.reindex(columns=SAID)
            if not self.rows:
                self.names[n] = {name: names[name] for name in self.flow[n][0] if name in names}

        run_notebook(self.notebook, county, wave=WAVE, change=self.change, draw=False, watch=watch)
        return {n: rows.get(n, self.rows.get(n)) for n in sorted({*rows, *self.rows})}

    def reached(self, name):
        """The cells that may give something else without this ledger or form.

        Those that ask for it or judge a claim that needs it, those that read what these made or altered, and those that make
        or alter what these alter.
        """
        hit = {n for n, seen in self.seen.items() if name in seen or (name in OF_SURVEYS and seen & set(FORM_NAMES))}
        while True:
            dirty = set().union(*(makes | alters for makes, _, alters in (self.flow[n] for n in hit)))
            anew = set().union(*(self.flow[n][2] for n in hit))
            more = {n for n, (makes, reads, alters) in enumerate(self.flow) if reads & dirty or (makes | alters) & anew}
            if more <= hit:
                return hit | {0}
            hit |= more

    def without(self, name, is_whole=False):
        """The county without the ledger or form, and the rows that the notebook judges there."""
        county, hit = Cut(self.whole, name), self.reached(name)
        rows = pd.concat(self.judged(county, lambda n: is_whole or n in hit).values(), ignore_index=True)
        return county, rows.drop_duplicates(KEY, keep="last", ignore_index=True)


@pytest.fixture(scope="module")
def whole():
    """The demo county as it is prepared; nothing here writes into its results."""
    return hy.county("demo", lang="en")


@pytest.fixture(scope="module")
def read(whole):
    """A notebook where nothing lacks."""
    return cache(lambda notebook: Read(notebook, whole))


@pytest.mark.parametrize("notebook", recording())
def test_a_notebook_without_one_file_says_which(read, notebook):
    """Each ledger and form that the notebook reads is taken away in turn, and the cells that it reaches are run again."""
    claims = read(notebook).claims
    for name in read(notebook).asked:
        county, rows = read(notebook).without(name)
        head = rows.query("part == ''")
        assert set(head["claim"]) == claims, name
        assert (head["verdict"] != "").all(), name
        own = head[head["claim"].isin({claim for claim in claims if name in county.claim(claim).needs})]
        assert set(own["verdict"]) <= {CANNOT_SAY}, name
        assert set(own["reason"]) <= {f"no data: {name}"}, name


@pytest.mark.parametrize(("notebook", "name"), [("11_parallel_structures", "staff"), ("03_powers", "documents")])
def test_the_cells_that_it_does_not_reach_give_what_they_gave(read, notebook, name):
    """All cells run again give the same rows."""
    assert 1 < len(read(notebook).reached(name)) < len(read(notebook).flow)
    pd.testing.assert_frame_equal(read(notebook).without(name)[1], read(notebook).without(name, is_whole=True)[1])


@pytest.mark.parametrize("notebook", recording())
def test_a_notebook_in_a_county_without_any_survey(whole, read, notebook):
    county = Cut(whole, *FORM_NAMES)
    run_notebook(notebook, county, TOWN, WAVE, change=CHANGES.get(notebook), draw=False)
    head = county.recorded.reindex(columns=[*KEY, "verdict", "reason"]).query("part == ''")
    asking = {claim for claim in read(notebook).claims if set(county.claim(claim).needs) & set(FORM_NAMES)}
    assert set(head.loc[head["claim"].isin(asking), "verdict"]) <= {CANNOT_SAY}
    assert set(head["claim"]) == read(notebook).claims and (head["verdict"] != "").all()


def test_every_claim_is_judged_by_one_notebook(whole, read):
    judged = [(claim, notebook) for notebook in recording() for claim in read(notebook).claims]
    assert sorted(claim for claim, _ in judged) == sorted(whole.declared_claims), judged
