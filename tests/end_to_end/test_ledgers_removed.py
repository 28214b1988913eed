"""A county that lacks any one ledger or survey still runs every notebook; what lost its data says which file is missing."""

import ast
import copy
import dis
import io
import pickle
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import cache
from types import CodeType, ModuleType

import pandas as pd
import pytest
from agencies_stand_in import FEW_DRAWS

import huying as hy
from huying.claims.evidence import KEY
from huying.claims.rules import CANNOT_SAY
from huying.claims.statements import FORM_NAMES
from huying.clean.intake import LISTS
from huying.codebook import Codebook
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


class Content(pickle.Pickler):
    """What an object holds, as bytes: without what it keeps from earlier calls, the county being the same whatever it lacks."""

    def persistent_id(self, value):
        if isinstance(value, County | Codebook | ModuleType):
            return type(value).__name__ if isinstance(value, County) else id(value)
        return None

    def reducer_override(self, value):
        if is_dataclass(value) and not isinstance(value, type):
            return type(value), tuple(getattr(value, one.name) for one in fields(value))
        return NotImplemented


def content(value):
    """The bytes of `Content`; for what has none, an object that equals no other."""
    kept = io.BytesIO()
    try:
        Content(kept).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError):
        return object()
    return kept.getvalue()


class Read:
    """A notebook run in the whole county, cell by cell: the names that each left, and the rows that it judged."""

    def __init__(self, notebook, whole):
        self.notebook, self.whole = notebook, whole
        self.change = CHANGES.get(notebook)
        sources = cells_of(notebook, self.change)
        self.flow = [flow(source) for source in sources]
        self.asking_all = {n for n, source in enumerate(sources) if "county.cleaned.ledgers" in source}
        self.altered = set().union(*(alters for _, _, alters in self.flow))
        self.names, self.held, self.rows, county = {}, {}, {}, Cut(whole)
        self.rows = self.judged(county, lambda n, differ: True)
        self.seen = {n: county.asked[n] | county.needed[n] for n in range(len(self.flow))}
        self.opened = {n: set(county.asked[n]) for n in self.seen}
        self.asked = sorted(set().union(*county.asked.values()) - {"towns"})
        self.claims = set(pd.concat(self.rows.values()).query("part == ''")["claim"])

    def copied(self, name, value):
        """A value as it is now, where a cell may alter it later."""
        return copy.deepcopy(value, {id(self.whole.book): self.whole.book}) if name in self.altered else value

    def judged(self, county, is_run):
        """The rows by cell; a cell that is not run leaves what it left in the whole county.

        `is_run(n, differ)` is asked before each cell: `differ` are the names that hold something else than in the whole county.
        """
        rows, differ = {}, set()

        @contextmanager
        def watch(n, names):
            makes, _, alters = self.flow[n]
            county.cell, county.judged = n, []
            if not is_run(n, differ):
                names.update({name: self.copied(name, value) for name, value in self.names[n].items()})
                differ.difference_update(makes | alters)
                yield False
                return
            yield True
            rows[n] = county.recorded.reindex(columns=SAID)
            held = {name: content(names[name]) for name in makes | alters if name in names}
            if not self.rows:
                self.names[n] = {name: self.copied(name, names[name]) for name in held}
                self.held[n] = held
            differ.difference_update(makes)
            differ.update(name for name in held | self.held[n] if held.get(name) != self.held[n].get(name))

        run_notebook(self.notebook, county, wave=WAVE, change=self.change, draw=False, watch=watch)
        return {n: rows.get(n, self.rows.get(n)) for n in sorted({*rows, *self.rows})}

    def asks(self, n, name):
        """Whether a cell asks for this ledger or form, or judges a claim that needs it."""
        opens = name in OF_SURVEYS and bool(self.opened[n] & set(FORM_NAMES))
        return opens or name in self.seen[n] or n in self.asking_all

    def without(self, name, is_whole=False):
        """The county without the ledger or form, the rows that the notebook judges there, and the cells that were run.

        Those that ask for it, and those that read what has turned out to differ.
        """
        county, run = Cut(self.whole, name), []

        def is_run(n, differ):
            run.extend([n] * (is_whole or n == 0 or self.asks(n, name) or bool(self.flow[n][1] & differ)))
            return n in run

        rows = pd.concat(self.judged(county, is_run).values(), ignore_index=True)
        return county, rows.drop_duplicates(KEY, keep="last", ignore_index=True), run


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
        county, rows, _ = read(notebook).without(name)
        head = rows.query("part == ''")
        assert set(head["claim"]) == claims, name
        assert (head["verdict"] != "").all(), name
        own = head[head["claim"].isin({claim for claim in claims if name in county.claim(claim).needs})]
        assert set(own["verdict"]) <= {CANNOT_SAY}, name
        assert set(own["reason"]) <= {f"no data: {name}"}, name


@pytest.mark.parametrize(("notebook", "name"), [("11_parallel_structures", "staff"), ("03_powers", "documents")])
def test_the_cells_that_it_does_not_reach_give_what_they_gave(read, notebook, name):
    """All cells run again give the same rows."""
    (_, rows, run), (_, all_rows, _) = read(notebook).without(name), read(notebook).without(name, is_whole=True)
    assert 1 < len(run) < len(read(notebook).names)
    pd.testing.assert_frame_equal(rows, all_rows)


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
