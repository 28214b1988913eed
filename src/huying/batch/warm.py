"""Imported by the parent of all jobs before the first is forked: shell, libraries, the prepared county; what fails is told and costs only time."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from pkgutil import iter_modules

from huying import measures, words
from huying.engine.cells import the_kernel
from huying.words import say

MODULES = ("huying.charts", "huying.tables", "huying.batch.run", "papermill")  # with all that these import


def warm() -> None:
    """The shell first: pandas chooses its display by whether there is one when it is imported."""
    shell = the_kernel().shell
    with shell.builtin_trap:  # `get_ipython` is there, as it is when a cell imports
        for name in (*MODULES, *(f"huying.measures.{module.name}" for module in iter_modules(measures.__path__))):
            with failing_is_told(name):
                importlib.import_module(name)
    if folder := os.environ.get("HUYING_WARM"):
        with failing_is_told(folder):
            open_county(folder)
    shell.reset(new_session=True)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def failing_is_told(what: str) -> Iterator[None]:
    """A failure within the block is printed and goes no further."""
    try:
        yield
    except Exception as error:
        print(say("batch.not_warm", what=what, why=f"{type(error).__name__}: {error}"), file=sys.stderr)


def open_county(folder: str) -> None:
    """Read the prepared county and draw once, so that every job forked from here has its frames and fonts."""
    from matplotlib import pyplot as plt

    from huying import charts
    from huying.counties import county

    opened = county(folder)
    for form in opened.cleaned.forms:
        for wave in opened.waves(form):
            for exclude in (None, ()):
                opened.survey(form, wave, exclude)
    with charts.look.styled():
        plt.figure().savefig(BytesIO())
    plt.close("all")
    words._session.clear()


warm()
