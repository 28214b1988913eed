"""Imported by the parent of all jobs before the first is forked: shell, libraries, the prepared county; what fails is told and costs only time."""

import gc
import importlib
import os
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pkgutil import iter_modules

from huying import measures, words
from huying.engine.cells import fresh_kernel

# With all that they import; the last two are loaded by the others when they are first used.
MODULES = ("huying.charts", "huying.tables", "huying.batch.run", "papermill", "pandas.io.formats.html", "pyarrow.acero")


def warm() -> None:
    """The kernel first: pandas chooses its display by whether there is a shell when it is imported."""
    with fresh_kernel() as kernel, kernel.shell.builtin_trap:  # `get_ipython` is there, as when a cell imports
        for name in (*MODULES, *(f"huying.measures.{module.name}" for module in iter_modules(measures.__path__))):
            rehearse(name, partial(importlib.import_module, name))
    folder, _, os.environ["HUYING_PREPARED"] = os.environ.get("HUYING_WARM", "").partition("|")
    if folder:
        rehearse(folder, partial(open_county, folder))
    gc.collect()
    gc.freeze()


def rehearse(what: str, do: Callable[[], object]) -> None:
    """Do it; a failure is printed and goes no further."""
    try:
        do()
    except Exception as error:
        print(words.say("batch.not_warm", what=what, why=f"{type(error).__name__}: {error}"), file=sys.stderr)


def open_county(folder: str) -> None:
    """Read the prepared county and draw once, so that every job forked from here has its frames and fonts."""
    from matplotlib import pyplot as plt

    from huying import charts, counties

    opened = counties.county(folder)
    for form in opened.cleaned.forms:
        for wave in ("-", *opened.waves(form)):  # and the wave before the first
            for how in ({}, {"exclude": ()}, {"weights": "none"}):
                opened.survey(form, wave, **how)
    with charts.look.styled():
        plt.figure().savefig(BytesIO())
    plt.close("all")
    words._session.clear()


warm()
