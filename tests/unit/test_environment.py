"""environment.yml asks for what pyproject.toml asks for, and no file of the project names a package host or an index."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
NEED = re.compile(r"([A-Za-z0-9._-]+?)\s*>=\s*([\d.]+)")
BINARY = {".png", ".otf", ".xlsx", ".xls", ".sav", ".parquet", ".pyc"}
NOT_OURS = {"results", "build", "dist", "__pycache__", "node_modules"}
# In pieces, so that this file does not hold what it looks for.
HOSTS = ["pypi" + ".org", "python" + "hosted", "anaconda" + ".org", "/simple" + "/", "registry" + ".npm", "tuna" + ".tsinghua",
         "mirrors" + "."]  # fmt: skip
INDEX = re.compile(r"(?<!no-emit-)" + "index" + r"[-_]url|find[-_]" + "links|--trusted" + "-host")


def needs(lines):
    """Lower bounds by name, names as the Python index compares them; a line without one fails."""
    found = {}
    for line in lines:
        name, bound = NEED.fullmatch(line).groups()
        found[name.lower().replace("_", "-").replace(".", "-")] = bound
    return found


def asked_for(project):
    """What the project asks for, with its development; the browser's tests have a lock of their own."""
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))


def test_environment_asks_for_the_same(project, environment):
    entries = environment["dependencies"]
    plain = [entry for entry in entries if isinstance(entry, str) and entry != "pip"]
    by_pip = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    wanted = needs(asked_for(project))
    assert needs([*plain, *by_pip]) == wanted | {"python": project["requires-python"].removeprefix(">=")}
    assert len(plain) + len(by_pip) == len(wanted) + 1, "an entry stands twice"


def test_environment_uses_conda_forge_alone(environment):
    assert environment["channels"] == ["conda-forge", "nodefaults"]


def test_lock_holds_every_dependency_at_its_bound(project):
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([\d.]+)", lock, re.M))
    for name, bound in needs(asked_for(project)).items():
        assert version(pinned[name]) >= version(bound), name


def version(text):
    return tuple(int(part) for part in text.strip(".").split("."))


def own_files():
    """Every text file of the project: dot folders but .ci, environments and results left out."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts[:-1])
        if path.is_file() and not hidden and not NOT_OURS & set(parts) and path.suffix not in BINARY:
            yield path


def test_no_file_names_a_package_host():
    found = []
    for path in own_files():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {host}" for host in HOSTS if host in text]
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in INDEX.finditer(text)]
    assert not found


@pytest.mark.parametrize(
    "line", ["--index" + "-url x", "index" + '_url = "x"', "--extra-index" + "-url x", "--find" + "-links x"]
)
def test_the_search_would_find_one(line):
    assert INDEX.search(line)
    assert not INDEX.search("--no-emit-index" + "-url")
