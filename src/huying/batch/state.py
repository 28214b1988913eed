"""What one notebook could leave behind for the next in the same process, as one fingerprint; refuses to guess what is harmless."""

from __future__ import annotations

import builtins
import hashlib
import importlib
import locale
import os
import pickle
import random
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

PATCHABLE = ("builtins", "numpy", "pandas", "pandas.DataFrame", "pandas.Series", "matplotlib.pyplot", "matplotlib.figure.Figure",
             "matplotlib.axes.Axes", "statsmodels.api", "seaborn")  # fmt: skip


def taken() -> dict[str, str]:
    """The state of this process by name: own modules, options, random streams, environment, patched libraries, threads."""
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    from matplotlib import pyplot as plt

    settings = {
        "pandas options": repr(pd.options.d), "matplotlib settings": repr(dict(mpl.rcParams)), "figures": repr(plt.get_fignums()),
        "numpy random": digest(np.random.get_state()), "random": digest(random.getstate()),
        "environment": repr(sorted(os.environ.items())), "folder": str(Path.cwd()), "path": repr(sys.path),
        "warnings": repr(warnings.filters), "locale": repr(locale.setlocale(locale.LC_ALL)),
        "threads": repr(sorted(thread.name for thread in threading.enumerate())),
    }  # fmt: skip
    return (
        settings | {name: patched(name) for name in PATCHABLE} | {name: held(module) for name, module in own_modules()}
    )


def own_modules() -> Iterator[tuple[str, ModuleType]]:
    """The house's modules and those that lie beside a notebook: all that neither Python nor an installed package brings."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        is_installed = "site-packages" in file or file.startswith((sys.base_prefix, sys.prefix))
        if name.startswith("huying") or (file and not is_installed and name != "__main__"):
            yield name, module


def held(module: ModuleType) -> str:
    """The values that a module holds, functions and classes by identity."""
    return digest(sorted((name, content(value)) for name, value in vars(module).items() if not name.startswith("__")))


def content(value: Any) -> str:
    """A value's bytes where it has them, else which object it is."""
    if isinstance(value, str | int | float | bytes | bool | None | dict | list | tuple | set | frozenset):
        try:
            return digest(value)
        except Exception:  # a value that cannot be pickled is known by its identity
            return str(id(value))
    return str(id(value))


def digest(value: Any) -> str:
    """The sha256 of a value's pickle."""
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


def patched(path: str) -> str:
    """Which functions and classes a library's module or class holds now, empty where it is not loaded."""
    head, _, tail = path.rpartition(".")
    if path in sys.modules:
        owner: Any = sys.modules[path] if path != "builtins" else builtins
    elif head in sys.modules and hasattr(importlib.import_module(head), tail):
        owner = getattr(sys.modules[head], tail)
    else:
        return ""
    return digest(
        sorted((name, id(value)) for name, value in vars(owner).items() if callable(value) and not name.startswith("_"))
    )
