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

from huying.batch.jobs import Job, Site
from huying.batch.run import run
from huying.notebooks import find_notebooks

ROOT = Path(__file__).parents[2]
IS_WHOLE = bool(os.environ.get("HUYING_WHOLE"))  # every notebook x T01, T12, county x both languages: `make test-equal`
DIFFERENT = ("00", "03", "91")  # what records nothing, what judges and draws, and what reads the evidence: `make test`
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


def test_all_kinds_of_output_equal_those_of_a_kernel(tmp_path):
    source = tmp_path / "kinds.ipynb"
    nbformat.write(notebook_of(*KINDS), source)
    files = {name: tmp_path / f"{name}.ipynb" for name in ("kernel", "huying")}
    said = [
        papermill(source, files["kernel"], {"x": "it's {2}"}),
        papermill(source, files["huying"], {"x": "it's {2}"}, "--engine", "huying"),
    ]
    assert [done.returncode for done in said] == [1, 1]  # papermill counts any error that a cell shows
    ours, theirs = (outputs(files[name]) for name in ("huying", "kernel"))
    assert len(ours) == len(KINDS) + 2
    for one, other in zip(ours, theirs, strict=True):
        assert one == other
    made, stock = (nbformat.read(files[name], as_version=4).metadata for name in ("huying", "kernel"))
    assert made.language_info == stock.language_info and made.papermill.keys() == stock.papermill.keys()


FAILS = ("raise ValueError('wrong town')", "import sys; sys.exit(3)", "exit()")
EACH = """if True:
    import itertools, json, sys
    import papermill
    told = {}
    for name, engine in itertools.product(sys.argv[1:], ("huying", None)):
        if (name, engine) == ("exit", None):
            continue
        try:
            papermill.execute_notebook(f"{name}.ipynb", f"{name}_{engine}.ipynb", {"x": "2"}, engine_name=engine, progress_bar=False)
            told[f"{name}_{engine}"] = ""
        except Exception as error:
            told[f"{name}_{engine}"] = type(error).__name__
    print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """Each notebook that fails, run by both engines from one process: the folder, and what each run raised."""
    folder = tmp_path_factory.mktemp("failed")
    for name, last in zip(("raise", "leave", "exit"), FAILS, strict=True):
        nbformat.write(notebook_of("print('one')", last, "print('never')"), folder / f"{name}.ipynb")
    command = [sys.executable, "-c", EACH, "raise", "leave", "exit"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["raise", "leave"])
def test_a_notebook_that_fails_is_left_as_a_kernel_leaves_it(failed, name):
    folder, raised = failed
    assert raised[f"{name}_huying"] == raised[f"{name}_None"] == "PapermillExecutionError"
    assert outputs(folder / f"{name}_huying.ipynb") == outputs(folder / f"{name}_None.ipynb")
    assert outputs(folder / f"{name}_huying.ipynb")[-1][1] == "(None, [])"


def test_a_notebook_that_leaves_early_is_left_there(failed):
    """A kernel that exits is lost to papermill, which stops with another error."""
    assert outputs(failed[0] / "exit_huying.ipynb")[-1][1] == "(None, [])"


def test_what_is_written_past_python_is_kept_with_its_cell(tmp_path):
    """A kernel reads it beside the cells, and may be late."""
    past = "import os, subprocess\nos.write(1, b'past python\\n')\nsubprocess.run(['echo', 'a process'], check=True);"
    nbformat.write(notebook_of(past, "print('next')"), tmp_path / "one.ipynb")
    assert papermill(tmp_path / "one.ipynb", tmp_path / "out.ipynb", {}, "--engine", "huying").returncode == 0
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert [cell.outputs[0].text for cell in cells[-2:]] == ["past python\na process\n", "next\n"]


def test_notebooks_that_follow_in_one_process_share_no_names(tmp_path):
    nbformat.write(notebook_of("'left' in globals(), len(In)", "left = 1"), tmp_path / "one.ipynb")
    program = """if True:
        import pandas, papermill, sys
        for n in range(2):
            made = papermill.execute_notebook("one.ipynb", None, {"x": "2"}, engine_name="huying", progress_bar=False)
            print(made.cells[-2].outputs[0].data["text/plain"], pandas.get_option("display.max_columns"))
        print("left" in vars(sys.modules["__main__"]), sys.modules["__main__"].program)
    """
    program = f"program = 'own'\n{program}"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(False, 4) 20", "(False, 4) 20", "False own"]


def test_what_only_another_process_could_keep_is_refused(tmp_path):
    nbformat.write(notebook_of("1"), tmp_path / "one.ipynb")
    done = papermill(
        tmp_path / "one.ipynb", tmp_path / "out.ipynb", {}, "--engine", "huying", "--execution-timeout", "5"
    )
    assert done.returncode == 1 and "execution_timeout" in done.stderr
    inside = "import papermill; papermill.execute_notebook('one.ipynb', None, engine_name='huying', progress_bar=False)"
    nbformat.write(notebook_of(inside), tmp_path / "outer.ipynb")
    done = papermill(tmp_path / "outer.ipynb", tmp_path / "out.ipynb", {})
    assert done.returncode == 1 and "Jupyter" in done.stderr


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


def test_every_notebook_equals_stock_papermill(demo, folder, tmp_path):
    """What the batch leaves of a job, recorded rows included, and what a kernel gives in the same environment."""
    site, failed, figures = Site(demo), {}, tmp_path / "figures"
    figures.mkdir()
    jobs = list(wanted(site))
    run(site, jobs, lambda job, failure: failed.update({job.name: failure} if failure else {}))
    assert not failed

    def by_kernel(job):
        environ = site.environ(job, tmp_path)
        papermill(job.notebook.file, tmp_path / f"{job.name}.ipynb", site.parameters(job), environ=environ)
        return outputs(tmp_path / f"{job.name}.ipynb")

    with ThreadPoolExecutor(2) as pool:
        for job, theirs in zip(jobs, pool.map(by_kernel, jobs), strict=True):
            for ours, other in zip(outputs(site.notebook(job.name)), theirs, strict=True):
                assert ours == other, job.name
