"""Runs a notebook's cells in this process, without a kernel, and gives the rows that it judged: how notebooks are tested on small counties."""

import ast
import contextlib
import io
import os
import re
import warnings
from pathlib import Path

import matplotlib
import nbformat
import pandas as pd

from huying.claims.evidence import in_order
from huying.counties import County
from huying.folder import read_county
from huying.store import Cleaned

matplotlib.use("agg")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def recording():
    """The notebooks that record evidence, by the names of their files."""
    files = {file.stem: nbformat.read(file, as_version=4).metadata for file in sorted(NOTEBOOKS.glob("*.ipynb"))}
    return [name for name, about in files.items() if about.get("huying", {}).get("evidence") == "records"]


def cells_of(name, change=None):
    """The code cells of a notebook whose name begins so; `change` maps a piece of source to what stands in its place."""
    file = next(NOTEBOOKS.glob(f"{name}*.ipynb"))
    cells = [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]
    sources = [cell.source for cell in cells if "parameters" not in cell.metadata.get("tags", [])]
    for old, new in (change or {}).items():
        assert sum(old in source for source in sources), f"{name}: {old!r} stands in no cell"
        sources = [source.replace(old, new) for source in sources]
    return sources


class Given(County):
    """A county as declared, whose cleaned data are given."""

    def __init__(self, declared, cleaned, lang="en"):
        self.__dict__["cleaned"] = cleaned
        super().__init__(declared, declared.folder, lang)


class StandIn(Given):
    """A county whose cleaned data a test has made by hand."""

    def __init__(self, folder, ledgers, forms=(), toml="", lang="en", towns=3, flags=()):
        head = '[county]\nid = "x"\nname_zh = "甲县"\nname_en = "A"\nsampling = "probability"\nis_synthetic = true\n'
        (folder / "county.toml").write_text(head + toml, "utf-8")
        given = {key if isinstance(key, tuple) else (key, ""): rows for key, rows in ledgers.items()}
        marked = pd.DataFrame({"row_id": list(flags), "flag": "duplicate", "detail": ""}, dtype=str)
        counts = pd.DataFrame(columns=["file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags"])
        rejected = pd.DataFrame(columns=["file", "level", "reason", "row", "column", "value", "sheet"])
        register = {("towns", ""): register_of(towns), **given}
        super().__init__(read_county(folder), Cleaned(dict(forms), register, rejected, marked, counts, "0" * 64), lang)


def register_of(n):
    """A register of `n` towns, the first of which is the pilot."""
    ids = [f"T{k:02d}" for k in range(1, n + 1)]
    kinds = ["pilot", "town", "street"] + ["town"] * n
    numbers = {"pop": 1000, "adults": 800, "n_villages": 5, "staff_listed": 10}
    names = {"name_zh": [f"镇{k}" for k in ids], "name_en": [f"Town {k}" for k in ids], "aliases": None}
    return pd.DataFrame({"town_id": ids, **names, "type": kinds[:n], **numbers})


def run_notebook(name, county, town="county", wave="", lang="en", change=None, draw=True, claims=(), watch=None):
    """What the cells left behind (their names), and all that they printed; `county` is an id, a folder or a StandIn.

    Without `draw` the cells that draw are left out; with `claims` those that judge others, and those that nothing
    judged rests on: which is faster.
    `watch(n, names)` is a context around each cell; a cell is left out where it gives False.
    """
    import matplotlib.pyplot as plt

    plt.close("all")  # a cell that draws on the current axes must not find another test's
    is_open = isinstance(county, County)
    names = {
        "county": county if is_open else str(county),
        "town": town,
        "wave": wave,
        "lang": lang,
        "__name__": "notebook",
    }
    printed = io.StringIO()
    here = Path.cwd()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*non-interactive.*")
        try:
            os.chdir(NOTEBOOKS)
            sources = cells_of(name, change)
            wanted = resting(sources, claims) if claims else range(len(sources))
            for n, source in enumerate(sources):
                if is_open:
                    source = source.replace("county = hy.county(county, lang=lang)\n", "")
                if n not in wanted or ("hy.charts." in source and not draw):
                    continue
                with watch(n, names) if watch else contextlib.nullcontext() as is_run:
                    if is_run is not False:
                        exec(compile(source, f"{name} cell {n}", "exec"), names)
        finally:
            os.chdir(here)
            plt.close("all")
    return names, printed.getvalue()


def resting(sources, claims):
    """Which cells judge these claims alone, or give names that such a cell reads, directly or through others."""
    wanted, kept = set(), set()
    for n, source in reversed(list(enumerate(sources))):
        others = set(re.findall(r'county\.judge\("(\w+)"', source)).difference(claims)
        statements = ast.parse(source).body
        judges = "county.judge(" in source and any(f'"{claim}"' in source for claim in claims)
        if (judges and not others) or any(set.union(*given_by(one)) & wanted for one in statements):
            kept.add(n)
            for one in reversed(statements):
                wanted = wanted - given_by(one)[0] | {node.id for node in ast.walk(one) if isinstance(node, ast.Name)}
    return kept


def given_by(statement):
    """The names that a statement gives anew, and those whose values it changes or may change in place."""
    nodes, new, changed = list(ast.walk(statement)), set(), []
    if isinstance(statement, ast.Import | ast.ImportFrom):
        new = {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    for node in nodes:
        if isinstance(getattr(node, "ctx", None), ast.Store) and isinstance(node, ast.Name):
            new.add(node.id)
        elif isinstance(getattr(node, "ctx", None), ast.Store) or getattr(node, "attr", "") == "derive":
            changed.append(node)
        elif isinstance(node, ast.Expr):  # which is there for what it does
            changed.append(node.value)
    return new, {name for node in changed if (name := root_of(node)) not in ("", "county", "hy", "print")}


def root_of(node):
    """The name at the root of `name.a["b"](c)`, empty where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, "id", "")


def judged(name, county, wave="", **how):
    """The rows that a notebook judged in the county's run."""
    names, _ = run_notebook(name, county, wave=wave, **{"draw": False, **how})
    return names["county"].recorded


def evidence_of(county, waves, notebooks, **how):
    """The evidence ledger of several notebooks and waves, each key once."""
    parts = [judged(name, county, wave, **how) for name in notebooks for wave in waves]
    return in_order(pd.concat(parts, ignore_index=True))
