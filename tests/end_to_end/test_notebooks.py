"""The notebooks hold the house's form, and what their evidence cells print is really compared."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECTIONS = ("问题 Question", "参数 Parameters", "数据 Data", "方法 Method", "结果 Findings", "局限 Limits")
FITTED = re.compile(r"\bpd\.|\.(frame|share|mean|ratio|ledger|survey|groupby|assign|merge|count|judge|values)\b|\[\"")
FORBIDDEN = re.compile(r"^\s*(def|class|%run|%load)\b|simplefilter|filterwarnings|['\"]/(home|root|Users|work)/", re.M)


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def tagged(path, tag):
    return [cell for cell in cells(path, "code") if tag in cell["metadata"].get("tags", [])]


def test_there_are_notebooks():
    """Each declares for which places it runs, and what it has to do with the evidence ledger."""
    assert len(NOTEBOOKS) >= 11
    for path in NOTEBOOKS:
        declared = json.loads(path.read_text("utf-8"))["metadata"]["huying"]
        assert declared["places"] in ("all", "county") and declared["evidence"] in ("records", "reads", "none"), path


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestForm:
    def test_six_sections_in_order(self, path):
        headings = re.findall(
            r"^## (.+)$", "\n".join("".join(cell["source"]) for cell in cells(path, "markdown")), re.M
        )
        assert tuple(headings) == SECTIONS

    def test_one_parameters_cell_with_live_defaults(self, path):
        (cell,) = tagged(path, "parameters")
        names = [line.split(" = ")[0] for line in "".join(cell["source"]).splitlines()]
        assert names == ["county", "town", "wave", "lang"]

    def test_short_cells_without_definitions(self, path):
        sources = ["".join(cell["source"]) for cell in cells(path, "code")]
        assert len(sources) <= 30
        lines = sorted(source.count("\n") + 1 for source in sources)
        assert lines[len(lines) // 2] <= 4 and lines[-1] <= 11
        assert not [source for source in sources if FORBIDDEN.search(source)]
        assert sum(bool(FITTED.search(source)) for source in sources) >= 0.6 * len(sources)

    def test_one_cell_invites_a_change(self, path):
        assert sum("轮到你 Your turn" in "".join(cell["source"]) for cell in cells(path, "markdown")) == 1

    def test_every_evidence_cell_has_its_output_and_count(self, path):
        evidence = tagged(path, "nbval-check-output")
        assert len(evidence) >= 5
        for cell in evidence:
            assert "keep_output" in cell["metadata"]["tags"]
            assert cell["execution_count"]
            assert cell["outputs"]

    def test_no_trace_of_a_run_is_kept(self, path):
        metadata = json.loads(path.read_text("utf-8"))["metadata"]
        assert "papermill" not in metadata
        assert not [cell for cell in cells(path, "code") if "image/png" in json.dumps(cell["outputs"])]


def test_an_altered_sentence_fails(tmp_path):
    """nbval must stop at a sentence that differs from what the code says."""
    source = json.loads((ROOT / "notebooks" / "13_calls_and_responses.ipynb").read_text("utf-8"))
    code = [cell for cell in source["cells"] if cell["cell_type"] == "code"]
    source["cells"] = code[:2]
    (shown,) = source["cells"][1]["outputs"]
    text = shown["data"]["text/plain"]
    assert any("示例县" in line for line in text)
    for name, lines in (("right", text), ("wrong", [line.replace("示例县", "另一县") for line in text])):
        shown["data"]["text/plain"] = lines
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(source, ensure_ascii=False), "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--nbval-lax",
        "--nbval-current-env",
        "-W",
        "ignore",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
    ]
    files = [str(tmp_path / f"{name}.ipynb") for name in ("right", "wrong")]
    environ = {**os.environ, "HUYING_HOME": str(ROOT)}
    told = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, check=False, env=environ, text=True)
    assert told.stdout.split()[0] == "...F"  # the two cells of each in turn
