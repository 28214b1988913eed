"""Warm processes give what a kernel gives, cell by cell, and no town sees another."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from huying.batch import crew
from huying.batch.cells import joined
from huying.batch.crew import Crew, Limits
from huying.batch.site import COUNTY_ONLY, EVERY_PLACE, PARAMETERS, Site
from huying.batch.stage import FORK, SPAWN
from huying.batch.work import Order, check_parameters
from huying.errors import InputError

ROOT = Path(__file__).parents[2]
IS_WHOLE = bool(os.environ.get("HUYING_WHOLE"))  # every notebook x T01, T12, county x both languages: `make test-equal`
SOME = [("T12", "en"), ("county", "zh")]
ALL = [(town, lang) for town in ("T01", "T12", "county") for lang in ("zh", "en")]
modes = pytest.mark.parametrize("mode", [FORK, SPAWN])


def wanted():
    """Notebook, town, language: of each notebook one place, or all of them."""
    for k, name in enumerate((*EVERY_PLACE, *COUNTY_ONLY)):
        for town, lang in ALL if IS_WHOLE else [SOME[k % 2]]:
            place = "county" if name in COUNTY_ONLY else town
            if name in EVERY_PLACE or town == "county" or not IS_WHOLE:
                yield name, place, lang


def outputs(notebook):
    """What each code cell left, streams in one piece, without what differs by nature."""
    return [
        (cell.source, cell.execution_count, joined(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"
    ]


def stock(source, out, values, cwd, environ):
    """The notebook by stock papermill and ipykernel."""
    asked = [part for name, value in values.items() for part in ("-r", name, value)]
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(source),
        str(out),
        "--cwd",
        str(cwd),
        "--no-progress-bar",
        "--log-level",
        "ERROR",
        *asked,
    ]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    return nbformat.read(out, as_version=4), done


def crew_run(orders, mode=FORK, workers=2, limits=None):
    """What became of each order."""
    found = {}
    with Crew(workers, limits, mode) as crew:
        crew.run(orders, found.__setitem__)
    return [found[k] for k in range(len(orders))]


@pytest.fixture(scope="module")
def warm():
    """One crew for the tests that ask nothing special of it."""
    with Crew(2) as crew:

        def run(*orders):
            found = {}
            crew.run(orders, found.__setitem__)
            return [found[k] for k in range(len(orders))]

        yield run


def made(product):
    return nbformat.reads(product.notebook.decode("utf-8"), as_version=4)


def notebook_of(*cells, parameters="x = '1'", tags=()):
    """A notebook with a parameters cell and these cells."""
    node = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    sources = [parameters, *map(textwrap.dedent, cells)]
    node.cells = [nbformat.v4.new_code_cell(source.strip(), id=f"c{k}") for k, source in enumerate(sources)]
    node.cells[0].metadata["tags"] = ["parameters"] if parameters else []
    for k in tags:
        node.cells[k].metadata["tags"] = ["raises-exception"]
    return nbformat.writes(node)


def order(notebook, folder, x="2", **environ):
    return Order(notebook, "made.ipynb", {"x": x}, str(folder), environ)


def test_every_notebook_equals_stock_papermill(demo, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    site, asked = Site(demo), list(wanted())
    requests = [
        next(r for r in site.requests([name], [place], ["2023"], [lang]) if r.place == place)
        for name, place, lang in asked
    ]
    products = crew_run([site.order(request) for request in requests])
    assert [product.failure for product in products] == [None] * len(asked)
    environ = {**site.order(requests[0]).environ, "HUYING_RESULTS": str(tmp_path / "elsewhere")}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "demo").symlink_to(folder)

    def by_stock(number):
        request = requests[number]
        return stock(request.source, tmp_path / f"{number}.ipynb", request.parameters, site.notebooks, environ)[0]

    with ThreadPoolExecutor(2) as pool:
        for product, theirs, what in zip(products, pool.map(by_stock, range(len(requests))), asked, strict=True):
            assert outputs(made(product)) == outputs(theirs), what
    assert {name for name, _, _ in asked} == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


KINDS = (
    "print('a'); print('b')\n1 + 1",
    "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')",
    "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>bold</b>'), Markdown('*x*'))\nHTML('<i>last</i>')",
    "import pandas as pd\npd.DataFrame({'a': range(3), 'b': [.1, .25, 1 / 3]})",
    "pd.DataFrame({f'c{k}': range(80) for k in range(40)})",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);",
    "plt.figure()\nplt.bar([1, 2], [3, 4])\nplt.title('two'); plt.show()\nprint('after')",
    "handle = display('first', display_id='same')\nhandle.update('second')",
    "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('kept')",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "x",
    "_ , In[1][:3]",
    "class Odd:\n    def _repr_html_(self): return '<u>odd</u>'\n    def __repr__(self): return 'odd'\nOdd()",
    "import warnings\nwarnings.warn('careful')",
    "!echo from the shell",
    "get_ipython().__class__.__name__, __name__",
    "input('who?')",
    "def inner(n):\n    return 1 / n\n\ninner(0)",
)


def test_all_kinds_of_output_equal_those_of_a_kernel(warm, tmp_path):
    notebook = notebook_of(*KINDS, tags=[len(KINDS) - 1])
    (tmp_path / "made.ipynb").write_text(notebook, "utf-8")
    theirs, _ = stock(tmp_path / "made.ipynb", tmp_path / "theirs.ipynb", {"x": "2"}, tmp_path, {})
    (product,) = warm(order(notebook, tmp_path))
    assert product.failure["ename"] == "ZeroDivisionError"
    for ours, other in zip(outputs(made(product)), outputs(theirs), strict=True):
        assert without_names(ours) == without_names(other)


def without_names(told):
    """A cell's outputs without the name of its code's file, streams one after the other, and no trace through a kernel's own code."""
    source, count, found = told
    streams = {
        name: "".join(o.text for o in found if o.output_type == "stream" and o.name == name)
        for name in ("stdout", "stderr")
    }
    texts = {name: re.sub(r"\S*ipykernel\S*\.py", "cell.py", text) for name, text in streams.items()}
    others = [dict(o) for o in found if o.output_type != "stream"]
    for other in others:
        if other.get("ename") == "StdinNotImplementedError":
            other["traceback"] = other["traceback"][:3]
    return source, count, texts, others


@modes
def test_no_town_sees_another(tmp_path, mode):
    (tmp_path / "shared_state.py").write_text("seen = []\n", "utf-8")
    leaves = """
        import os, sys, random
        import numpy as np, pandas as pd
        sys.path.insert(0, os.getcwd())
        import shared_state
        shared_state.seen.append(x)
        pd.set_option("display.max_rows", 3)
        os.environ["LEFT"] = x
        pd.DataFrame.added = x
        print(shared_state.seen, "left" in globals(), random.random(), np.random.rand())
        left = 1
    """
    looks = """
        import os, sys
        import pandas as pd
        print("shared_state" in sys.modules, pd.get_option("display.max_rows"), os.environ.get("LEFT"), hasattr(pd.DataFrame, "added"))
    """
    orders = [order(notebook_of(looks, leaves), tmp_path, str(k)) for k in range(4)]
    products = crew_run(orders, mode)
    assert [product.failure for product in products] == [None] * 4
    said = [
        ["".join(o.text for o in cell.outputs) for cell in made(product).cells if cell.cell_type == "code"][2:]
        for product in products
    ]
    assert {looked for looked, _ in said} == {"False 60 None False\n"}
    assert [left.startswith(f"['{k}'] False ") for k, (_, left) in enumerate(said)] == [True] * 4
    assert len({left for _, left in said}) == 4


@modes
def test_a_house_notebook_is_the_same_in_every_mode_and_order(demo, folder, monkeypatch, mode):
    """Byte for byte, whatever ran before it in the same worker."""
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent))
    site = Site(demo)
    one, other = (site.order(r) for r in site.requests(["11_parallel_structures"], ["T12"], ["2023"], ["en"]))
    alone = crew_run([one], FORK)[0]
    after = crew_run([other, one], mode, workers=1)[1]
    assert alone.failure is None and after.failure is None
    assert (alone.notebook, alone.files) == (after.notebook, after.files)
    assert alone.reads == after.reads


@modes
def test_a_town_that_takes_too_long_or_too_much_is_ended_and_the_others_go_on(tmp_path, mode):
    slow = order(notebook_of("import time; time.sleep(60)"), tmp_path)
    greedy = order(notebook_of("import time\nheld = b'x' * 900_000_000\ntime.sleep(60)"), tmp_path)
    fine = order(notebook_of("print('fine')"), tmp_path)
    limits = Limits(seconds=15.0, bytes=800_000_000)
    first, second, third = crew_run([slow, greedy, fine], mode, limits=limits)
    assert (first.failure["ename"], second.failure["ename"]) == ("TimeLimit", "MemoryLimit")
    assert third.failure is None


@modes
@pytest.mark.parametrize(
    "bad", ["import time; time.sleep(60)", "import os; os._exit(3)", "import huying; huying.left = 1"]
)
def test_a_bad_rehearsal_is_given_up_and_leaves_nothing_for_those_that_follow(tmp_path, mode, bad):
    """One that is endless, ends its process, or leaves it changed; the good one before it and the run after it are not harmed."""
    good, ask = order(notebook_of("print('good')"), tmp_path), "import huying; print(hasattr(huying, 'left'))"
    found = {}
    with Crew(1, Limits(seconds=4.0), mode) as crew:
        for one in (good, order(notebook_of(bad), tmp_path), good):
            crew.rehearse(one)
        assert crew.rehearsals == [good, good]
        crew.run([order(notebook_of(ask), tmp_path)] * 2, found.__setitem__)
    assert [made(product).cells[-1].outputs[0].text for product in found.values()] == ["False\n"] * 2


def test_a_warm_process_that_hangs_is_replaced_and_all_its_orders_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "START_S", 8.0)
    found, fine = {}, order(notebook_of("print('fine')"), tmp_path)
    with Crew(2, Limits(seconds=1.0), FORK) as hung:
        os.kill(hung.stages[0].process.pid, signal.SIGSTOP)
        hung.run([fine] * 3, found.__setitem__)
    assert [product.failure and product.failure["ename"] for _, product in sorted(found.items())] == [
        "TimeLimit",
        "TimeLimit",
        None,
    ]


@modes
def test_a_worker_that_is_killed_by_its_notebook_is_named(tmp_path, mode):
    dies, fine = order(notebook_of("import os; os._exit(3)"), tmp_path), order(notebook_of("print('fine')"), tmp_path)
    first, second = crew_run([dies, fine], mode)
    assert first.failure["ename"] == "Ended"
    assert second.failure is None


def test_a_cell_that_fails_is_named_and_what_ran_is_kept(warm, tmp_path):
    (product,) = crew_run(
        [order(notebook_of("print('one')", "raise ValueError('wrong town')", "print('never')"), tmp_path)]
    )
    assert (product.failure["cell"], product.failure["ename"], product.failure["evalue"]) == (
        3,
        "ValueError",
        "wrong town",
    )
    cells = [cell for cell in made(product).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, None]


def test_leaving_early_with_exit_code_0_does_not_count(warm, tmp_path):
    (product,) = warm(order(notebook_of("import sys; sys.exit(0)", "print('never')"), tmp_path))
    assert product.failure["ename"] == "SystemExit"


def test_what_a_library_writes_past_python_is_kept_with_its_cell(warm, tmp_path):
    (product,) = warm(order(notebook_of("import os\nos.write(1, b'past python\\n');", "print('next')"), tmp_path))
    assert ["".join(o.text for o in cell.outputs) for cell in made(product).cells[2:]] == ["past python\n", "next\n"]


@pytest.mark.parametrize(
    ("parameters", "key"), [("", "batch.no_parameters"), ("county = town = wave = '1'", "batch.no_parameter")]
)
def test_parameters_that_would_be_ignored_are_refused(warm, tmp_path, parameters, key):
    """By a worker, and before anything is run: see `Site.code_of`."""
    notebook = notebook_of("print(x)", parameters=parameters)
    (product,) = warm(order(notebook, tmp_path))
    assert product.failure["ename"] == "InputError" and product.notebook == b""
    with pytest.raises(InputError) as refused:
        check_parameters(nbformat.reads(notebook, as_version=4), tmp_path / "made.ipynb", PARAMETERS)
    assert refused.value.key == key
    assert "made.ipynb" in refused.value.say("en") and refused.value.say("en") != refused.value.say("zh")


def test_equal_orders_give_equal_bytes_with_no_time_host_or_path(warm, tmp_path):
    notebook = notebook_of("print(x)")
    first, second = warm(*[order(notebook, tmp_path)] * 2)
    assert first.notebook == second.notebook
    text = first.notebook.decode("utf-8")
    assert str(tmp_path) not in text and "start_time" not in text and "duration" not in text


@pytest.mark.parametrize("value", ["000123", "no", "1e3", "../x", "{town}", "a'b\nimport os"])
def test_a_parameter_stays_text(warm, tmp_path, value):
    (product,) = warm(order(notebook_of("print(repr(x))"), tmp_path, value))
    assert "".join(o.text for o in made(product).cells[-1].outputs) == f"{value!r}\n"
