"""What a notebook's key holds of the code: all that ran, and nothing of a chart that it does not draw."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from huying.batch.closure import NOTEBOOK, Module, Sources
from huying.batch.plan import key_of, plan
from huying.batch.receipts import Receipt
from huying.batch.site import Site

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def copy(tmp_path):
    """The package's sources, to be changed."""
    shutil.copytree(ROOT / "src" / "huying", tmp_path / "huying", ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    return tmp_path


def code_of(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def hashes(root):
    """The hash of every notebook's code and of every figure."""
    from huying.gallery import FIGURES

    sources = Sources(root, ROOT / "notebooks")
    return {path.stem: sources.of_code(code_of(path)) for path in NOTEBOOKS} | {
        f"figure {n}": sources.of_figure(n) for n in FIGURES
    }


def edit(root, file, old, new):
    path = root / "huying" / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new), "utf-8")


def changed(root, *edits):
    before = hashes(root)
    for change in edits:
        edit(root, *change)
    after = hashes(root)
    return {name for name in before if before[name] != after[name]}


def test_every_figure_is_found_and_has_a_hash_of_its_own(copy):
    figures = {name: value for name, value in hashes(copy).items() if name.startswith("figure ")}
    assert len(figures) > 25
    assert all(figures.values())
    assert len(set(figures.values())) == len(figures)


def test_a_line_of_a_chart_changes_the_figures_that_use_it_and_no_notebooks_own_code(copy):
    assert changed(
        copy, ("charts/plane.py", "axes.set_xlim(-0.6, len(frame) - 0.4)", "axes.set_xlim(-0.7, len(frame) - 0.4)")
    ) == {"figure months"}


def test_a_line_of_the_sheet_changes_every_figure(copy):
    found = changed(copy, ("charts/frame.py", "DPI = 100", "DPI = 101"))
    assert found >= {name for name in hashes(copy) if name.startswith("figure ")}


def test_a_comment_a_docstring_and_a_blank_line_change_nothing(copy):
    assert not changed(copy, ("charts/plane.py", '"""A share month by month', '\n    """Other words: a share month by month'),
                       ("charts/frame.py", "DPI = 100", "DPI = 100  # dots an inch"))  # fmt: skip


def test_what_the_county_step_computes_with_is_not_the_notebooks_code(copy):
    assert not changed(
        copy,
        ("problems/quality.py", "n_forms=1", "n_forms=2"),
        ("small_areas.py", "def share_fay_herriot(", "X = 1\n\n\ndef share_fay_herriot("),
    )


def test_a_method_of_the_reading_changes_every_notebook(copy):
    found = changed(
        copy,
        (
            "reading/__init__.py",
            "def verdicts(self, *claims: str) -> str:",
            "def verdicts(self, *claims: str, more: int = 0) -> str:",
        ),
    )
    assert {path.stem for path in NOTEBOOKS} <= found


def test_a_data_file_counts_where_it_is_named(copy):
    path = copy / "huying" / "data" / "parts.toml"
    before = hashes(copy)
    path.write_text(path.read_text("utf-8") + "\n# more\n", "utf-8")
    assert {path.stem for path in NOTEBOOKS} <= {name for name, value in hashes(copy).items() if value != before[name]}


def test_a_module_beside_the_notebook_counts_and_another_does_not(tmp_path):
    (tmp_path / "shared.py").write_text(
        "FACTOR = 2\n\n\ndef twice(x):\n    return FACTOR * x\n\n\ndef other(x):\n    return x\n", "utf-8"
    )
    code = "from shared import twice\nimport numpy as np\nprint(twice(np.pi))"

    def now():
        return Sources(ROOT / "src", tmp_path).of_code(code)

    before = now()
    for old, new, is_other in (("return x", "return -x", False), ("FACTOR = 2", "FACTOR = 3", True)):
        (tmp_path / "shared.py").write_text((tmp_path / "shared.py").read_text("utf-8").replace(old, new), "utf-8")
        assert (now() != before) is is_other


def test_a_line_of_a_chart_makes_stale_the_jobs_that_drew_it_and_no_other(demo, folder, copy, monkeypatch):
    """Receipts as a run leaves them, the chart of months changed: the plan names notebook 13 of the places that drew it."""
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    site, edited = Site(demo), Site(demo)
    requests = site.requests(["11_parallel_structures", "13_calls_and_responses"], ["T01", "T02"], ["2023"], ["en"])
    drawn = {"11_parallel_structures": ("units", "awareness"), "13_calls_and_responses": ("waiting", "months")}
    receipts = {}
    for request in requests:
        names = drawn[request.notebook][: 1 if request.place == "T02" else 2]  # T02 had no months to draw
        reads = {f"figure:{name}@": site.now((f"figure:{name}", "")) for name in names}
        assert all(reads.values())
        receipts[request.name] = Receipt(request.name, key_of(request, reads), request.code, reads, {})
    edit(copy, "charts/plane.py", "axes.set_xlim(-0.6, len(frame) - 0.4)", "axes.set_xlim(-0.7, len(frame) - 0.4)")
    edited.__dict__["sources"] = Sources(copy, ROOT / "notebooks")
    again = edited.requests(["11_parallel_structures", "13_calls_and_responses"], ["T01", "T02"], ["2023"], ["en"])
    stale = {job.request.name: job.why for job in plan(again, receipts, edited.now) if not job.is_fresh}
    assert stale == {f"13_calls_and_responses_{place}_2023_en": ("figure:months@",) for place in ("T01", "county")}


WATCH = """
import json, sys
from pathlib import Path
from huying.batch import stage, work
sys.path.insert(0, "notebooks")
shell, ran = stage.warm(("huying.gallery", "huying.overview")), set()
def watch(frame, event, arg):
    if event == "call" and "/huying/" in frame.f_code.co_filename:
        ran.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))
path, town = Path(sys.argv[1]), sys.argv[2]
order = work.Order(path.read_text("utf-8"), str(path), {"county": "demo", "town": town, "wave": "2023", "lang": "en"}, str(path.parent), json.loads(sys.argv[3]))
sys.setprofile(watch)
product = work.fulfil(order, shell)
sys.setprofile(None)
assert product.failure is None, product.failure
print("\\n" + json.dumps({"ran": sorted(ran), "reads": product.reads}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("notebook", "town"), [("11_parallel_structures", "T07"), ("31_county_overview", "county")])
def test_everything_that_ran_is_in_the_closure(folder, notebook, town):
    """The static closure against what a run really called: each function of the house lies in a definition that it holds."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    environ = {"HUYING_PREPARED": str(folder), "HUYING_HOME": str(ROOT), "HUYING_RESULTS": str(folder.parent)}
    done = subprocess.run([sys.executable, "-c", WATCH, str(path), town, json.dumps(environ)], capture_output=True, text=True, check=True,
                          cwd=ROOT, env={**os.environ, **environ})  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    sources = Sources(ROOT / "src", ROOT / "notebooks")
    sources.of_code(code_of(path))
    held = sources.reach({(NOTEBOOK, name) for name in sources.module(NOTEBOOK).units})
    held |= {
        unit
        for name, _ in told["reads"]
        if name.startswith("figure:")
        for unit in sources.figure_units(name.removeprefix("figure:"))
    }
    called = {unit for call in told["ran"] if (unit := unit_at(*call)) and not unit[0].startswith("huying.batch")}
    harness = {("huying.reads", "noted"), ("huying.store", "kept_back")}  # called around the cells, not by them
    assert sorted(called - held - harness) == []
    assert len(called) > 50
    assert len(held) > 200


def unit_at(file, line):
    """The top-level definition that holds a line of a module, nothing for code outside definitions."""
    module = file.split("/src/")[1].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for node in ast.parse(Path(file).read_text("utf-8")).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        if first <= line <= node.end_lineno:
            return (module, getattr(node, "name", "")) if hasattr(node, "name") else None
    return None


def test_a_source_that_python_cannot_parse_is_not_hashed():
    with pytest.raises(SyntaxError):
        Sources(ROOT / "src").of_code("def (")
    assert Module(ast.parse("a = b = 1\nimport os")).units.keys() == {"a", "b"}
