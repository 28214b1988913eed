"""A prepared county is what its files gave: nothing is stored of a file that changed meanwhile, by two at once, or outside its folder."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import huying as hy
from huying import cli
from huying.clean.intake import Intake
from huying.folder import read_county
from huying.prepare import MADE_FROM, is_fresh, prepare, results_folder
from huying.store import locked
from huying.words import CountyError, InputError

TOML = """[county]
id = "{id}"
name_zh = "甲县"
name_en = "A County"
is_synthetic = true
sampling = "convenience"

[[ledger]]
table = "towns"
file = "towns.csv"
"""
TOWNS = "town_id,name_zh,name_en,type\nT01,甲镇,Town A,镇\nT02,乙镇,Town B,镇\n"
HOLD = "import sys, time\nfrom pathlib import Path\nfrom huying.store import locked\nwith locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "results"))
    made = tmp_path / "county"
    made.mkdir()
    (made / "county.toml").write_text(TOML.format(id="x"), "utf-8")
    (made / "towns.csv").write_text(TOWNS, "utf-8")
    return made


def test_a_file_that_changes_while_it_is_read_is_told_and_nothing_is_stored(folder, monkeypatch):
    county, take = read_county(folder), Intake.take_ledger

    def take_slowly(self, ledger):
        take(self, ledger)
        (folder / "towns.csv").write_text(TOWNS.replace("乙镇", "丙镇"), "utf-8")

    monkeypatch.setattr(Intake, "take_ledger", take_slowly)
    with pytest.raises(CountyError) as error:
        prepare(county)
    assert "读取期间有文件被改动" in error.value.say("zh") and "changed while it was read" in error.value.say("en")
    assert not is_fresh(county) and not (results_folder(county) / MADE_FROM).exists()
    monkeypatch.undo()
    monkeypatch.setenv("HUYING_RESULTS", str(folder.parent / "results"))
    assert list(hy.county(folder).towns["name_zh"]) == ["甲镇", "丙镇"]


def test_a_second_run_on_the_same_county_is_told_to_wait_and_changes_nothing(folder, capsys):
    county = read_county(folder)
    prepare(county)
    command = [sys.executable, "-c", HOLD, results_folder(county)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        for lang, said in (("zh", "另一个进程正在处理这个县"), ("en", "another process is at work on this county")):
            assert cli.main(["run", str(folder), "--lang", lang]) == 2
            assert said in capsys.readouterr().err
        holder.kill()
    with locked(results_folder(county)):  # the lock went with the process
        pass


def test_any_byte_of_the_prepared_county_that_changes_is_found(folder, capsys):
    county = read_county(folder)
    results = prepare(county)
    assert cli.main(["verify", str(folder)]) == 0
    files = [file for file in results.rglob("*.*") if file.is_file() and file.name not in ("made_from.json", ".lock")]
    assert len(files) >= 8
    for file in files:
        whole = file.read_bytes()
        for changed in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1]):
            file.write_bytes(changed)
            capsys.readouterr()
            assert cli.main(["verify", str(folder)]) == 1 and file.name in capsys.readouterr().out
        file.write_bytes(whole)
    assert cli.main(["verify", str(folder)]) == 0


def test_a_receipt_that_cannot_be_read_is_a_fault_and_a_county_never_prepared_is_none(folder, capsys):
    assert cli.main(["verify", str(folder)]) == 0
    results = prepare(read_county(folder))
    (results / "receipts").mkdir()
    (results / "receipts" / "evidence.json").write_text("{", "utf-8")
    (results / MADE_FROM).unlink()
    capsys.readouterr()
    assert cli.main(["verify", str(folder)]) == 1
    told = capsys.readouterr().out
    assert "evidence.json" in told and "made_from.json" in told


def test_results_are_for_their_owner_alone(folder):
    results = prepare(read_county(folder))
    assert results.stat().st_mode & 0o777 == 0o700
    assert {
        file.stat().st_mode & 0o777 for file in results.rglob("*.*") if file.suffix in (".csv", ".parquet", ".json")
    } == {0o600}


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/b", ".", "..", "a b", ""])
def test_an_id_that_would_leave_the_folder_is_refused(folder, name):
    (folder / "county.toml").write_text(TOML.format(id=name), "utf-8")
    with pytest.raises(CountyError) as error:
        read_county(folder)
    assert "id" in error.value.say("en") and repr(name) in error.value.say("zh")


@pytest.mark.parametrize("path", ["../towns.csv", "/etc/passwd", "a/../../towns.csv"])
def test_a_file_outside_the_folder_is_refused(folder, path):
    shutil.copy(folder / "towns.csv", folder.parent / "towns.csv")
    (folder / "county.toml").write_text(TOML.format(id="x").replace("towns.csv", path), "utf-8")
    with pytest.raises(CountyError) as error:
        read_county(folder)
    assert "县文件夹之外" in error.value.say("zh") and "outside the county" in error.value.say("en")
    assert error.value.place.row


def test_a_folder_that_cannot_be_written_is_named(folder, tmp_path, monkeypatch):
    (tmp_path / "blocked").write_text("a file", "utf-8")
    monkeypatch.setenv("HUYING_RESULTS", str(tmp_path / "blocked"))
    with pytest.raises(InputError) as error:
        prepare(read_county(folder))
    assert "blocked" in error.value.say("en") and Path(folder / "towns.csv").read_text("utf-8") == TOWNS
