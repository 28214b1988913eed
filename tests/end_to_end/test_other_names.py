"""A notebook knows no question by name: with a questionnaire in which every name is another, its numbers are the same.

The county brings the codebook (items, rows and options renamed; ids, codes and words kept) and an `indicators.toml` that says
what the derived variables mean in those names.
"""

import re
import tomllib

import pytest
from part_of_demo import ROOT, copy_part
from test_frozen_evidence import find_differences, name_parts, read_frozen

from huying.codebook import house_codebook, parse_codebook
from huying.words import Place
from run_notebook import judged

DATA = ROOT / "src" / "huying" / "data"
WAVE = "2023"
CLAIMS = [f"P{n}" for n in range(11, 19)]
ELSEWHERE = ("small_area", "benchmark", "robustness")  # parts that another notebook judges
WITH_MARGINS = ("male", "female")  # the words of the margins file, not of the questionnaire


def rename_codebook(text: str) -> str:
    """Every name of an item or row and every key of an option, called otherwise."""
    text = re.sub(r'\bname = "(\w+)"', r'name = "about_\1"', text)
    return re.sub(r'\bkey = "(\w+)"', lambda found: f'key = "{other_key(found[1])}"', text)


def other_key(key: str) -> str:
    return key if key in WITH_MARGINS else f"is_{key}"


def new_names(other):
    """Old names of items and columns with the new ones."""
    found = {}
    for key, item in house_codebook().items.items():
        found[item.name] = other.items[key].name
        found |= dict(zip(item.columns, other.items[key].columns, strict=True))
    return found


def rename_rule(rule: str, names, keys) -> str:
    """A rule in the new names: columns, `prefix*` and options."""

    def rename(found):
        word = found[0]
        if word.endswith("*"):
            return shared_start([new for old, new in names.items() if old.startswith(word[:-1])]) + "*"
        return names.get(word) or (other_key(word) if word in keys else word)

    return re.sub(r"[a-z]\w*\*?", rename, rule)


def shared_start(names) -> str:
    """With what all names begin."""
    first, last = min(names), max(names)
    return first[: next(k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)]


def rename_indicators(text: str, names, keys) -> str:
    """The declarations of the house, word for word, their rules in the new names."""
    lines = []
    for line in text.splitlines():
        found = re.fullmatch(r'(when|base) = "(.*)"', line)
        lines.append(f'{found[1]} = "{rename_rule(found[2], names, keys)}"' if found else line)
    return "\n".join(lines)


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = copy_part(tmp_path_factory.mktemp("other") / "demo", wave=WAVE)
    codebook = rename_codebook((DATA / "codebook.toml").read_text("utf-8"))
    (folder / "codebook.toml").write_text(codebook, "utf-8")
    names = new_names(parse_codebook(codebook, Place("codebook.toml")))
    keys = {option.key for item in house_codebook().items.values() for option in item.options}
    indicators = rename_indicators((DATA / "indicators.toml").read_text("utf-8"), names, keys)
    (folder / "indicators.toml").write_text(indicators, "utf-8")
    return folder


def test_no_name_is_the_same(county):
    house = house_codebook()
    other = parse_codebook((county / "codebook.toml").read_text("utf-8"), Place("codebook.toml"))
    assert set(other.items) == set(house.items)
    for key, item in house.items.items():
        assert other.items[key].name != item.name
        assert not set(other.items[key].columns) & set(item.columns)
        same = {option.key for option in other.items[key].options} & {option.key for option in item.options}
        assert same <= set(WITH_MARGINS)
    rules = tomllib.loads((county / "indicators.toml").read_text("utf-8"))["indicator"]
    assert "about_heard_reform in is_read, is_told, is_name_only" in {rule["when"] for rule in rules}


def test_the_numbers_are_the_same(county, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
    now = name_parts(judged("11", county, WAVE, lang="zh"))
    frozen = read_frozen()
    own = frozen["claim"].isin(CLAIMS) & frozen["wave"].isin([WAVE, ""]) & ~frozen["part"].isin(ELSEWHERE)
    found = find_differences(frozen[own], now)
    found = found[~found["column"].isin(["verdict", "verdict_family"]) | (found["part"] == "")]
    assert own.sum() > 700 and found.empty, found.head(20).to_string()
