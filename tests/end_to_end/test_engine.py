"""The engine leaves what a kernel would leave, cell by cell: every kind of output, and the house's own notebooks."""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from huying.batch.jobs import DONE, Job, Site
from huying.batch.run import run
from huying.notebooks import find_notebooks
from huying.store import locked

ROOT = Path(__file__).parents[2]
IS_WHOLE = bool(os.environ.get("HUYING_WHOLE"))  # every notebook x T01, T12, county x both languages: `make test-equal`
# What records nothing, what judges and draws, and what reads the evidence: `make test-slow` compares these.
DIFFERENT = ("00", "03", "91")
PLACES, LANGS = ("T01", "T12", "county"), ("zh", "en")
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

KINDS = (
    "print('a'); print('b')\n1 + 1",
    "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')",
    "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>bold</b>'), Markdown('*x*'))\nHTML('<i>last</i>')",
    "import pandas as pd\npd.DataFrame({'a': range(3), 'b': [.1, .25, 1 / 3]})",
    "pd.DataFrame({f'c{k}': range(80) for k in range(40)})",
    "print(pd.DataFrame({f'c{k}': range(80) for k in range(40)}))",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);",
    "plt.figure()\nplt.threshold([1, 2], [3, 4])\nplt.title('two'); plt.show()\nprint('after')",
    "fig, ax = plt.subplots()\nax.plot([3, 1])\nfig",
    "import seaborn as sns\nsns.heatmap(pd.DataFrame([[1., 2.], [3., None]]));",
    "handle = display('first', display_id='same')\nhandle.update('second')",
    "handle.update('third')",
    "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('kept')",
    "print('gone'); clear_output(wait=True)\nprint('kept')",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "async def later():\n    return 3\ntask = asyncio.get_running_loop().create_task(later())\ntask.done()",
    "await task",
    "await asyncio.sleep(0)\nplt.plot([1]).pop().axes.set_title('async')",
    "x",
    "_ , In[1][:3], sorted(Out)[:2]",
    "class Odd:\n    def _repr_html_(self): return '<u>odd</u>'\n    def __repr__(self): return 'odd'\nOdd()",
    "class Own:\n    def _ipython_display_(self): print('own'); display('itself')\nOwn()",
    "class Silent:\n    def _ipython_display_(self): pass\nSilent()",
    "display({'application/vnd.huying.evidence+json': [{'n': 12.0, 'low': None}], 'text/plain': 'said'}, raw=True)",
    "import warnings\nwarnings.warn('careful')",
    "!echo from the shell",
    "get_ipython().__class__.__name__, __name__",
    "y = 2\n%who",
    "%%capture kept\nprint('captured')",
    "x?",
    "None",
    "import pickle\nclass P: pass\npickle.loads(pickle.dumps(P())).__class__.__name__",
    "class Bad:\n    def __repr__(self): raise ValueError('no repr')\nBad()",
    "input('who?')",
    "1 +",
    "%nomagic",
    "def inner(n):\n    return 1 / n\n\ninner(0)",
)
FAILING = ("class Bad", "input", "1 +", "%nomagic", "def inner")


def notebook_of(*cells):
    """A notebook with a parameters cell and these cells; those that fail say that they may."""
    node = nbformat.v4.new_notebook(metadata=KERNEL)
    node.cells = [
        nbformat.v4.new_code_cell("x = '1'", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_markdown_cell("#"),
    ]
    for source in cells:
        tags = {"tags": ["raises-exception"]} if source.startswith(FAILING) else {}
        node.cells.append(nbformat.v4.new_code_cell(source, metadata=tags))
    return node


def papermill(source, out, values, *more, environ=None):
    """A notebook by papermill's command line; what it said on the way, and its exit code."""
    asked = [part for name, value in values.items() for part in ("-r", name, value)]
    command = [sys.executable, "-m", "papermill", str(source), str(out), *asked, *more]
    plain = ["--no-progress-bar", "--log-level", "ERROR", "--cwd", str(Path(source).parent)]
    return subprocess.run(
        [*command, *plain], env={**os.environ, **(environ or {})}, capture_output=True, text=True, check=False
    )


def joined(found):
    """Outputs with neighbouring texts of one stream in one piece: a kernel sends them when a clock says so."""
    told = []
    for output in found:
        last = told[-1] if told else {}
        if output.output_type == "stream" == last.get("output_type") and output.name == last.name:
            last.text += output.text
        else:
            told.append(output)
    return told


def outputs(file):
    """What each code cell left, without what differs by nature: the folder of its code."""
    told = []
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "code":
            text = repr((cell.execution_count, joined(cell.outputs)))
            text = text.replace(f"{tempfile.gettempdir()}/ipykernel", "ipykernel")
            told.append((cell.source, re.sub(r"ipykernel(_\d+)?/", "", text)))
    return told


PAST = "import os, subprocess\nos.write(1, b'past python\\n')\nsubprocess.run(['echo', 'a process'], check=True);"
INSIDE = "import papermill; papermill.execute_notebook('past.ipynb', None, engine_name='huying', progress_bar=False)"
NOTEBOOKS = {
    "kinds": KINDS,
    "raise": ("print('one')", "raise ValueError('wrong town')", "print('never')"),
    "leave": ("print('one')", "import sys; sys.exit(3)", "print('never')"),
    "exit": ("print('one')", "exit()", "print('never')"),
    "past": (PAST, "print('next')"),
    "names": ("'left' in globals(), len(In)", "left = 1"),
    "inside": (INSIDE,),
}
VALUES = {"parameters": {"x": "it's {2}"}}
RUNS = {  # the name of what is made: notebook, engine (none: a kernel), more
    "kinds_huying": ("kinds", "huying", VALUES),
    "kinds_kernel": ("kinds", None, VALUES),
    "raise_huying": ("raise", "huying", VALUES),
    "raise_kernel": ("raise", None, VALUES),
    "leave_huying": ("leave", "huying", VALUES),
    "leave_kernel": ("leave", None, VALUES),
    "exit_huying": ("exit", "huying", VALUES),
    "past_huying": ("past", "huying", {}),
    "names_first": ("names", "huying", VALUES),
    "names_second": ("names", "huying", VALUES),
    "limited": ("past", "huying", {"execution_timeout": 5}),
    "inside_kernel": ("inside", None, {}),
}
EACH = """if True:
    import json, sys
    import papermill
    program, raised = "own", {}
    for made, (name, engine, more) in json.loads(sys.argv[1]).items():
        try:
            papermill.execute_notebook(f"{name}.ipynb", f"{made}.ipynb", engine_name=engine, progress_bar=False, **more)
        except Exception as error:
            raised[made] = f"{type(error).__name__}: {error}"
    import pandas
    left = pandas.get_option("display.max_columns"), "left" in vars(sys.modules["__main__"]), sys.modules["__main__"].program
    print(json.dumps([raised, left]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All RUNS by one process: the folder, what each run raised, and what they left in the process."""
    folder = tmp_path_factory.mktemp("made")
    for name, sources in NOTEBOOKS.items():
        nbformat.write(notebook_of(*sources), folder / f"{name}.ipynb")
    command = [sys.executable, "-c", EACH, json.dumps(RUNS)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, *json.loads(done.stdout.splitlines()[-1])


def test_all_kinds_of_output_equal_those_of_a_kernel(made):
    folder, raised, _ = made
    for name in ("kinds_huying", "kinds_kernel"):
        assert raised[name].startswith("PapermillExecutionError")  # papermill counts any error that a cell shows
    ours, theirs = (outputs(folder / f"kinds_{name}.ipynb") for name in ("huying", "kernel"))
    assert len(ours) == len(KINDS) + 2
    for one, other in zip(ours, theirs, strict=True):
        assert one == other
    own, stock = (nbformat.read(folder / f"kinds_{name}.ipynb", as_version=4).metadata for name in ("huying", "kernel"))
    assert own.language_info == stock.language_info and own.papermill.keys() == stock.papermill.keys()


@pytest.mark.parametrize("name", ["raise", "leave"])
def test_a_notebook_that_fails_is_left_as_a_kernel_leaves_it(made, name):
    folder, raised, _ = made
    for one in (f"{name}_huying", f"{name}_kernel"):
        assert raised[one].startswith("PapermillExecutionError")
    assert outputs(folder / f"{name}_huying.ipynb") == outputs(folder / f"{name}_kernel.ipynb")
    assert outputs(folder / f"{name}_huying.ipynb")[-1][1] == "(None, [])"


def test_a_notebook_that_leaves_early_is_left_there(made):
    """A kernel that exits is lost to papermill, which stops with another error."""
    assert outputs(made[0] / "exit_huying.ipynb")[-1][1] == "(None, [])"


def test_what_is_written_past_python_is_kept_with_its_cell(made):
    """A kernel reads it beside the cells, and may be late."""
    folder, raised, _ = made
    assert "past_huying" not in raised
    cells = nbformat.read(folder / "past_huying.ipynb", as_version=4).cells
    assert [cell.outputs[0].text for cell in cells[-2:]] == ["past python\na process\n", "next\n"]


def test_notebooks_that_follow_in_one_process_share_no_names(made):
    folder, _, left = made
    for name in ("names_first", "names_second"):
        cells = nbformat.read(folder / f"{name}.ipynb", as_version=4).cells
        assert cells[-2].outputs[0].data["text/plain"] == "(False, 4)"
    assert left == [20, False, "own"]


def test_what_only_another_process_could_keep_is_refused(made):
    _, raised, _ = made
    assert "execution_timeout" in raised["limited"]
    assert raised["inside_kernel"].startswith("PapermillExecutionError") and "Jupyter" in raised["inside_kernel"]


def test_a_notebook_that_kills_its_process_ends_papermill_too(tmp_path):
    """Nothing hangs, and no exit code says that all is well."""
    nbformat.write(notebook_of("import os; os.kill(os.getpid(), 9)", "print('next')"), tmp_path / "one.ipynb")
    done = papermill(tmp_path / "one.ipynb", tmp_path / "out.ipynb", {}, "--engine", "huying")
    assert done.returncode == -9 and "next" not in done.stdout


def wanted(site):
    """Of a notebook of each kind one place and language, or of every notebook every one."""
    for k, notebook in enumerate(find_notebooks(site.folder, None if IS_WHOLE else DIFFERENT)):
        places = [place for place in PLACES if place == "county" or notebook.places == "all"]
        pairs = [(place, lang) for place in places for lang in LANGS]
        for place, lang in pairs if IS_WHOLE else [pairs[k % len(pairs)]]:
            yield Job(notebook, place, "2023", lang, lang == site.county.lang)


def compare_with_kernels(site, jobs, tmp_path):
    """What the batch left of jobs, recorded rows included, and what a kernel gives in the same environment."""
    (tmp_path / "figures").mkdir()

    def by_kernel(job):
        environ = site.environ(job, tmp_path)
        papermill(job.notebook.file, tmp_path / f"{job.name}.ipynb", site.parameters(job), environ=environ)
        return outputs(tmp_path / f"{job.name}.ipynb")

    with ThreadPoolExecutor(2) as pool:
        for job, theirs in zip(jobs, pool.map(by_kernel, jobs), strict=True):
            for ours, other in zip(outputs(site.notebook(job.name)), theirs, strict=True):
                assert ours == other, job.name


def test_a_notebook_that_records_equals_stock_papermill(demo, folder, tmp_path):
    site = Site(demo)
    job = next(job for job in site.recording(find_notebooks(site.folder, ["03"])) if job.wave == "2023")
    assert site.state(job) == DONE and job.is_recording
    compare_with_kernels(site, [job], tmp_path)


@pytest.mark.slow
def test_every_notebook_equals_stock_papermill(demo, folder, tmp_path):
    site, failed = Site(demo), {}
    jobs = list(wanted(site))
    with locked(site.results, 600):  # a run beside it would clear away what it has half made
        run(site, jobs, lambda job, failure: failed.update({job.name: failure} if failure else {}), 2, 600, 4096)
    assert not failed
    compare_with_kernels(site, jobs, tmp_path)
