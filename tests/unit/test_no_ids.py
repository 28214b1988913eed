"""Questionnaires and claims are data: no id or name of an item, and no id of a claim, stands in the code of the library."""

import ast
import re
from pathlib import Path

import pytest

from huying.claims.declared import house_claims
from huying.codebook import house_codebook
from huying.prepare import house_derived

SRC = Path(__file__).parents[2] / "src" / "huying"
ITEMS = house_codebook().items
# Words of the field that are also the name of an item: a ledger's column, a role, or a choice of the whole house.
WORDS = {"age", "sex", "agree", "right_used", "department", "consulted", "cooperation", "position", "support", "problem", "suggestion",
         "comment", "quiz", "consent", "calls", "workload", "satisfaction", "satisfied", "knows", "worry", "education"}  # fmt: skip


def words_of(path: Path) -> set[str]:
    """The names and texts of a module: identifiers, and every word inside its texts."""
    source = path.read_text("utf-8")
    found = set(re.findall(r"\w+", source))
    return found | {node.arg for node in ast.walk(ast.parse(source)) if isinstance(node, ast.arg)}


@pytest.fixture(scope="module")
def told():
    """The words of every module, by its path."""
    return {path.relative_to(SRC).as_posix(): words_of(path) for path in sorted(SRC.rglob("*.py"))}


def named_in(told, names):
    """The modules that hold any of these names, with those they hold."""
    return {path: words & names for path, words in told.items() if words & names}


def test_no_id_of_an_item_or_claim(told):
    begun = {path: words | {word.partition("_")[0] for word in words} for path, words in told.items()}
    assert len(told) > 80 and named_in(begun, {*ITEMS, *house_claims()}) == {}


def test_no_name_of_an_item(told):
    columns = {column for item in ITEMS.values() for column in (item.name, *item.columns)}
    assert named_in(told, columns - WORDS) == {}


def test_derived_variables_are_named_in_measures_only(told):
    names = {variable.name for variable in house_derived().values()} - WORDS
    assert [path for path in named_in(told, names) if not path.startswith("measures/")] == []


def test_the_search_finds_what_it_looks_for(tmp_path):
    file = tmp_path / "module.py"
    file.write_text('"""A share of R09_missing."""\nx = frame["heard_reform"]\n', "utf-8")
    assert {"R09_missing", "heard_reform"} <= words_of(file)
    assert named_in({"module.py": words_of(file)}, {"heard_reform"}) == {"module.py": {"heard_reform"}}
