"""Imported by the parent of all jobs before the first is forked: shell, libraries, one rehearsal; a rehearsal that fails is told and thrown away.

One that hangs or ends its process takes this parent with it; another then begins without rehearsal (see `run.begin`).
"""

from __future__ import annotations

import contextlib
import copy
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from huying import words
from huying.engine.cells import the_shell
from huying.words import say

MODULES = (
    "huying.counties",
    "huying.charts",
    "huying.tables",
    "seaborn",
    "statsmodels.formula.api",
    "papermill",
    "huying.batch.run",
)


def warm() -> None:
    """The shell first: pandas chooses its display by whether there is one when it is imported."""
    shell = the_shell()
    with shell.builtin_trap:  # `get_ipython` is there, as it is when a cell imports
        for name in MODULES:
            with failing_is_told(name):
                importlib.import_module(name)
    if asked := os.environ.get("HUYING_REHEARSAL"):
        rehearse(**json.loads(asked))
    shell.reset(new_session=True)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def failing_is_told(what: str) -> Iterator[None]:
    """A failure within the block is printed and goes no further."""
    try:
        yield
    except Exception as error:
        print(say("batch.rehearsal_failed", notebook=what, why=f"{type(error).__name__}: {error}"), file=sys.stderr)


def rehearse(source: str, parameters: dict[str, str], environ: dict[str, str], seconds: float) -> None:
    """Run a notebook once, so that frames, fonts and readers are warm for all; what it set is put back."""
    import matplotlib as mpl
    import pandas as pd
    from matplotlib import pyplot as plt

    from huying.batch.run import execute

    before, folder, options = dict(os.environ), Path.cwd(), copy.deepcopy(pd.options.d)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    with contextlib.ExitStack() as stack:
        stack.enter_context(failing_is_told(Path(source).name))
        stack.enter_context(mpl.rc_context())
        stack.enter_context(warnings.catch_warnings())
        figures = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ.update(environ | {"HUYING_FIGURES": figures})
        execute(source, Path(figures) / "rehearsal.ipynb", parameters)
    signal.setitimer(signal.ITIMER_REAL, 0)
    plt.close("all")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)
    words._session.clear()
    pd.options.d.clear()
    pd.options.d.update(options)


warm()
