"""What prepared data rest on: every module that prepares them is in the hash by which a stale county is known."""

import contextlib
from pathlib import Path

import grimp
import pytest
from test_batch import write_project

from huying.clean.intake import PREPARE
from huying.codebook import house_codebook
from huying.folder import read_county
from huying.prepare import (
    clean_and_mark,
    codebook_of,
    derived_of,
    house_derived,
    is_fresh,
    prepare,
    prepared_hash,
    results_folder,
)
from huying.store import code_hash
from huying.words import CountyError


def test_every_module_that_prepares_is_hashed():
    used = grimp.build_graph("huying").find_upstream_modules("huying.prepare")
    paths = {name.removeprefix("huying.").replace(".", "/") + ".py" for name in used}
    assert not {path for path in paths if not path.startswith(PREPARE)}


def test_some_rooms_or_all():
    assert code_hash("clean/") != code_hash("sources/") != code_hash()
    assert code_hash(*PREPARE) == code_hash(*PREPARE)


INDICATOR = '[[indicator]]\nname = "{}"\nform = "resident"\nwhen = "heard_reform = read"\nzh = "甲"\nen = "a"\n'


@pytest.fixture
def county(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("HUYING_PREPARED", raising=False)
    return write_project(tmp_path)


def test_a_county_s_own_codebook_counts_and_else_the_house_s(county):
    assert codebook_of(read_county(county)) is house_codebook()
    text = '[[item]]\nid = "Q1"\nform = "resident"\ntype = "text"\nzh = "问"\nen = "Ask"\n'
    (county / "codebook.toml").write_text(text, "utf-8")
    assert list(codebook_of(read_county(county)).items) == ["Q1"]


def test_a_county_s_own_variables_stand_before_the_house_s_and_none_is_declared_twice(county):
    (county / "indicators.toml").write_text(INDICATOR.format("aware") + INDICATOR.format("mine"), "utf-8")
    own, others = derived_of(read_county(county))
    assert {variable.name for variable in own.values()} == {"aware", "mine"}
    assert set(others) == set(house_derived()) - set(own) and len(others) == len(house_derived()) - 1
    for name, is_refused in (("another", False), ("mine", True), ("went_old_first", True)):
        (county / "claims.toml").write_text(INDICATOR.format(name), "utf-8")
        with pytest.raises(CountyError, match=f"{name} is declared twice") if is_refused else contextlib.nullcontext():
            assert len(derived_of(read_county(county))[0]) == 3


def test_a_county_is_cleaned_once_and_anew_when_a_file_changes_unless_the_run_has_prepared_it(county, monkeypatch):
    seen = []

    def prepared():
        seen.clear()
        folder = prepare(read_county(county), seen.append)
        return [Path(name).name for name in seen], sorted(file.name for file in folder.iterdir())

    files = ["counts.csv", "flags.csv", "notes.csv", "rejected.csv"]
    read, there = prepared()
    assert "towns.csv" in read and set(files) <= set(there)
    assert prepared() == ([], there)
    towns = county / "towns.csv"
    towns.write_text(towns.read_text("utf-8").replace("Town T09", "Town 9"), "utf-8")
    monkeypatch.setenv("HUYING_PREPARED", str(results_folder(read_county(county)).resolve()))
    assert prepared() == ([], there)  # the run that began has its data
    monkeypatch.setenv("HUYING_PREPARED", "/elsewhere")
    assert "towns.csv" in prepared()[0] and not prepared()[0]


def test_a_county_that_could_not_be_stored_whole_counts_as_not_prepared(county, monkeypatch):
    prepare(read_county(county))
    with monkeypatch.context() as patch:
        patch.setattr("huying.prepare.save_cleaned", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clean_and_mark(read_county(county))
    assert not prepared_hash(read_county(county)) and not is_fresh(read_county(county))
