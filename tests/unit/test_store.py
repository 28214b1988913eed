import csv
import errno
import fcntl
import os
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huying import store
from huying.store import Cleaned
from huying.words import InputError


def leftovers(folder):
    return [p.name for p in folder.rglob("*") if p.name.endswith(".part")]


# --- the atomic writer ------------------------------------------------------------------------------------------------


def test_write_makes_folders_and_replaces(tmp_path):
    file = tmp_path / "a" / "b" / "结果.txt"
    store.write_text(file, "one")
    store.write_text(file, "二")
    assert file.read_text("utf-8") == "二"
    assert leftovers(tmp_path) == []
    assert file.stat().st_mode & 0o777 == 0o600


def refuse(*args, **kwargs):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", ["os.fsync", "pathlib.Path.write_bytes", "pathlib.Path.replace", "tempfile.mkdtemp"])
def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch, broken):
    file = tmp_path / "a.csv"
    store.write_text(file, "old")
    with monkeypatch.context() as patch:
        patch.setattr(broken, refuse)
        with pytest.raises(InputError) as caught:
            store.write_text(file, "new")
    assert str(caught.value).startswith(f"{file}: cannot be written: No space left on device. Check disk space")
    assert file.read_text("utf-8") == "old"
    assert leftovers(tmp_path) == []


def test_a_new_file_that_fails_does_not_appear(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputError):
        store.write_parquet(tmp_path / "a.parquet", pd.DataFrame({"x": [1]}))
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_maker_passes_and_leaves_nothing(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old", "utf-8")
    with pytest.raises(ZeroDivisionError), store.beside(file) as temporary:
        temporary.write_text("half", "utf-8")
        raise ZeroDivisionError
    assert file.read_text("utf-8") == "old" and leftovers(tmp_path) == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "a").write_text("x", "utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        store.write_text(tmp_path / "a" / "b.txt", "x")


# --- CSV --------------------------------------------------------------------------------------------------------------


def cells(file):
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.reader(text))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＋1",
        "－1+1",
        "＠x",
        "--",
    ],
)
def test_a_formula_gets_an_apostrophe(tmp_path, text):
    file = tmp_path / "a.csv"
    store.write_csv(file, pd.DataFrame({"t": [text]}))
    assert cells(file)[1] == ["'" + text.replace("\r", "\n")]  # a bare CR would begin a row of its own
    store.write_csv(file, pd.DataFrame({"t": pd.Categorical([text])}))
    assert cells(file)[1] == ["'" + text.replace("\r", "\n")]


@pytest.mark.parametrize(
    "text", ["-5", "+3.5", "-1e-5", "甲镇", "a=b", "'=1", "", "2022-09-30", "12345678901234567890", "001"]
)
def test_other_text_stays(tmp_path, text):
    store.write_csv(tmp_path / "a.csv", pd.DataFrame({"t": [text], "u": ["x"]}))
    assert cells(tmp_path / "a.csv")[1] == [text, "x"]


def test_numbers_days_and_blanks_stay(tmp_path):
    frame = pd.DataFrame(
        {"f": [-1.5, np.nan], "i": pd.array([-3, None], dtype="Int64"), "b": [True, False], "o": [-2, None],
         "d": pd.to_datetime(["2022-09-30", None])}
    )  # fmt: skip
    store.write_csv(tmp_path / "a.csv", frame)
    assert cells(tmp_path / "a.csv") == [
        ["f", "i", "b", "o", "d"],
        ["-1.5", "-3", "True", "-2.0", "2022-09-30"],
        ["", "", "False", "", ""],
    ]


def test_excel_sees_utf8_and_an_empty_table_keeps_its_header(tmp_path):
    store.write_csv(tmp_path / "a.csv", pd.DataFrame({"镇": pd.Series(dtype=object), "n": pd.Series(dtype=int)}))
    assert (tmp_path / "a.csv").read_bytes() == b"\xef\xbb\xbf" + "镇,n\n".encode()


# --- Parquet ----------------------------------------------------------------------------------------------------------


def rows():
    """Made when it is asked for: how pandas keeps texts is chosen when `huying.counties` is imported."""
    return pd.DataFrame({"town_id": ["T02", "T01", "T02", "T03"], "x": [1, 2, 3, 4]})


def test_a_frame_comes_back_as_it_was(tmp_path):
    for frame in (rows(), rows()[:0], pd.DataFrame({"town_id": [None, "T01"], "x": [1, 2]})):
        store.write_parquet(tmp_path / "a.parquet", frame)
        pd.testing.assert_frame_equal(store.read_parquet(tmp_path / "a.parquet"), frame, check_dtype=len(frame) > 0)


# --- hashes and the cleaned county ------------------------------------------------------------------------------------


def test_rows_come_back_numbered_anew(tmp_path):
    store.write_parquet(tmp_path / "x.parquet", pd.DataFrame({"a": [1, 2, 3]}).iloc[[2, 0]])
    pd.testing.assert_frame_equal(store.read_parquet(tmp_path / "x.parquet"), pd.DataFrame({"a": [3, 1]}))


def test_hashes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert (
        store.file_hash(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )  # FIPS 180-2, B.1
    assert store.hash_of(["ab", "c"]) != store.hash_of(["a", "bc"])
    assert store.hash_of(["a"]) == store.hash_of(iter(["a"]))
    assert store.code_hash() == store.code_hash()


@pytest.fixture
def cleaned():
    calls = pd.DataFrame({"call_id": ["1"], "town_id": ["T01"]})
    return Cleaned(
        forms={"resident": rows().assign(R09=pd.array([1, None, 3, 1], dtype="Int16"))},
        ledgers={("calls", "2022"): calls, ("calls", "2023"): calls.assign(call_id="2"), ("towns", ""): pd.DataFrame({"town_id": ["T01"]})},
        rejected=pd.DataFrame({"file": ["a.csv"], "row": ["7"], "reason": ["unfit"]}),
        flags=pd.DataFrame({"row_id": ["a#1"], "flag": ["duplicate"], "detail": ["=1"]}),
        counts=pd.DataFrame({"file": ["a.csv"], "n_read": [4], "n_kept": [3]}),
        data_hash="f" * 64, notes=pd.DataFrame({"file": ["a.csv"], "note": ["blank_rows"], "detail": ["3"]}),
    )  # fmt: skip


def test_ledgers_by_name_and_period(cleaned):
    assert cleaned.ledger("calls", "2023")["call_id"].tolist() == ["2"]
    assert cleaned.ledger("calls")["call_id"].tolist() == ["1", "2"]
    assert cleaned.ledger("calls", "2021") is None
    assert cleaned.ledger("documents") is None


def test_a_cleaned_county_comes_back(cleaned, tmp_path):
    store.save_cleaned(tmp_path, cleaned)
    back = store.load_cleaned(tmp_path)
    assert set(back.ledgers) == {("calls", "2022"), ("calls", "2023"), ("towns", "")}
    assert back.forms["resident"]["R09"].dtype == "Int16"
    assert back.forms["resident"]["x"].tolist() == [2, 1, 3, 4]  # by town, the order within a town kept
    assert back.forms["resident"].set_index("x")["R09"].isna().loc[2]
    assert back.counts["n_read"].tolist() == [4]
    assert back.data_hash == cleaned.data_hash and back.notes.equals(cleaned.notes.astype("str"))
    assert back.flags["detail"].tolist() == ["=1"]  # the apostrophe is for the spreadsheet only
    store.write_csv(tmp_path / "flags.csv", back.flags)
    assert cells(tmp_path / "flags.csv")[1] == ["a#1", "duplicate", "'=1"]


def test_the_next_that_has_the_folder_clears_what_a_killed_process_left_there_and_nothing_else(tmp_path):
    (tmp_path / ".jobs-x1.part" / "T01").mkdir(parents=True)
    for name in (".jobs-x1.part/T01/.page.part", "data/.cleaned.json.a1.part", "data/a.part", ".gitignore", "b.csv"):
        store.write_text(tmp_path / name, name)
    with store.locked(tmp_path):
        (tmp_path / ".mine.part").touch()
        with store.locked(tmp_path):
            assert (tmp_path / ".mine.part").exists()
    left = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file())
    assert left == [".gitignore", ".lock", ".mine.part", "b.csv", "data/a.part"]


# --- what the disk refuses, and what takes its name when it is whole ---------------------------------------------------


@pytest.mark.parametrize(
    ("error", "system", "length", "key", "why"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long"), "posix", 9, "store.too_long", "File name too long"),
        (OSError(errno.ENOSPC, "No space left on device"), "nt", 260, "store.too_long", "No space left on device"),
        (OSError(errno.ENOSPC, "No space left on device"), "nt", 259, "store.not_written", "No space left on device"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "posix",
            300,
            "store.not_written",
            "No space left on device",
        ),
        (OSError("what a driver says"), "posix", 9, "store.not_written", "what a driver says"),
    ],
)
def test_what_the_disk_refuses_is_told_by_its_path_and_reason(monkeypatch, error, system, length, key, why):
    path = Path("x" * length)
    with pytest.raises(InputError) as refused, monkeypatch.context() as patch, store.told(path):
        patch.setattr(os, "name", system)
        raise error
    assert refused.value.key == key and f": {why}" in str(refused.value) and str(path) in str(refused.value)


def test_a_folder_takes_its_name_when_it_is_whole(tmp_path):
    with store.whole_folder(tmp_path / "a" / "b") as folder:
        (folder / "x").write_text("x", "utf-8")
        assert folder.parent == tmp_path / "a" and not folder.name.endswith(".part")  # or `locked` would clear it away
    assert [file.relative_to(tmp_path).as_posix() for file in sorted(tmp_path.rglob("*"))] == ["a", "a/b", "a/b/x"]
    with pytest.raises(ZeroDivisionError), store.whole_folder(tmp_path / "c") as folder:
        (folder / "x").write_text("x", "utf-8")
        raise ZeroDivisionError
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    "value",
    ["甲\x7f\n\"\\", 3, -0.5, True, [], ["a", "b"], [{"a": 1}], {"a": {"b": [1, 2]}, "c": "d"}, [{"a": "甲"}, {"a": [{"b": 2}]}]],
)  # fmt: skip
def test_a_value_comes_back_from_toml(value):
    text = store.toml_table("[head]", {"first": value, "second": 1})
    assert tomllib.loads(text) == {"head": {"first": value, "second": 1}}
    assert text.startswith("[head]\nfirst = ") and text.endswith("\nsecond = 1\n") and "\\u7532" not in text
    assert store.as_toml([{"a": 1}, {"a": 2}]) == "[\n  { a = 1 },\n  { a = 2 },\n]"


def test_a_byte_that_changed_anywhere_in_a_table_is_found(tmp_path):
    file = tmp_path / "a.parquet"
    store.write_parquet(file, pd.DataFrame({"x": np.random.default_rng(1).random(500)}))
    whole = file.read_bytes()
    for at in range(60, 4000, 400):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(InputError) as changed:
            store.read_parquet(file)
        assert changed.value.key == "store.changed" and str(file) in str(changed.value)


def test_a_name_of_a_column_is_no_formula_either(tmp_path):
    store.write_csv(tmp_path / "a.csv", pd.DataFrame({"=1+1": [1], "-5": ["x"]}))
    assert cells(tmp_path / "a.csv") == [["'=1+1", "-5"], ["1", "x"]]


def test_a_folder_is_locked_for_as_long_as_the_block_and_no_longer(tmp_path, monkeypatch):
    def take():
        with (tmp_path / "a" / "b" / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    with store.locked(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
        with store.locked(tmp_path / "a" / "b"), pytest.raises(BlockingIOError):
            take()
        with pytest.raises(BlockingIOError):
            take()
    take()
    with (tmp_path / "a" / "b" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("nobody asked to wait"))
        with pytest.raises(InputError, match="another process"), store.locked(tmp_path / "a" / "b"):
            pass


@pytest.mark.parametrize(
    ("text", "part"),
    [("T01", "T01"), ("样-T_1", "样-T_1"), ("a" * 60, "a" * 60), ("a" * 61, "a" * 40), ("甲" * 20, "甲" * 20), ("甲" * 21, "甲" * 20),
     ("../x", "___x"), ("a b", "a_b"), ("", "")],
)  # fmt: skip
def test_a_text_in_a_file_s_name_is_itself_or_bears_a_mark(text, part):
    made, digest = store.file_part(text), store.hash_of([text])[:8]
    assert made == (part if part == text and text else f"{part}-{digest}") and len(made.encode()) <= 69


def test_a_text_of_a_document_has_no_control_characters_and_no_answers_of_forms():
    assert store.plain("a\x00b\x1f\x7f\ufffec\td\ne ${name} $") == "abc\td\ne $ {name} $"


def test_the_hash_of_the_package_is_of_its_files_and_of_no_compiled_ones(tmp_path, monkeypatch):
    for name in ("store.py", "clean/a.py", "data/x.toml", "__pycache__/store.pyc", "clean/__pycache__/a.pyc"):
        store.write_text(tmp_path / name, name)
    monkeypatch.setattr(store, "__file__", str(tmp_path / "store.py"))
    said = {name: f"{name} {store.file_hash(tmp_path / name)}" for name in ("clean/a.py", "data/x.toml", "store.py")}
    assert store.code_hash() == store.hash_of(said.values())
    assert store.code_hash("clean/") == store.hash_of([said["clean/a.py"]])


def test_what_a_county_no_longer_has_goes_from_its_prepared_data(cleaned, tmp_path):
    store.save_cleaned(tmp_path, cleaned)
    store.save_cleaned(tmp_path, replace(cleaned, forms={"village": pd.DataFrame({"x": [2, 1]})}, ledgers={}))
    back = store.load_cleaned(tmp_path)
    assert list(back.forms) == ["village"] and not back.ledgers and back.forms["village"]["x"].tolist() == [2, 1]


@pytest.mark.parametrize(("text", "found"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("{", {}), (None, {})])
def test_an_object_is_read_or_nothing(tmp_path, text, found):
    if text is not None:
        (tmp_path / "a.json").write_text(text, "utf-8")
    assert store.read_json(tmp_path / "a.json") == found


# --- what a run publishes ---------------------------------------------------------------------------------------------


def test_what_is_published_lies_in_its_place_and_what_went_before_is_taken_away_even_if_it_has_gone(tmp_path):
    def publish(*names):
        for name in names:
            store.write_text(tmp_path / "made" / name, name)
        found = {tmp_path / "out" / "deep" / name: tmp_path / "made" / name for name in names}
        store.publish(tmp_path / "receipts" / "r.json", tmp_path / "out", found, job="j")

    publish("a", "b", "c")
    (tmp_path / "out" / "deep" / "c").unlink()
    publish("b", "d")
    assert sorted(file.name for file in (tmp_path / "out" / "deep").iterdir()) == ["b", "d"]
    told = store.read_receipt(tmp_path / "receipts" / "r.json")
    assert told["job"] == "j" and set(told["outputs"]) == {"deep/b", "deep/d"} and "numpy" in told["versions"]
    assert told["outputs"]["deep/b"] == {"sha256": store.file_hash(tmp_path / "out" / "deep" / "b"), "bytes": 1}
    assert store.faults_of(tmp_path / "receipts" / "r.json", tmp_path / "out") == []
    store.write_json(tmp_path / "receipts" / "r.json", store.read_json(tmp_path / "receipts" / "r.json") | {"job": "k"})
    assert store.read_receipt(tmp_path / "receipts" / "r.json") == {}  # a receipt that was changed says nothing
    assert store.faults_of(tmp_path / "receipts" / "r.json", tmp_path / "out") == ["r.json"]


def test_where_the_disk_refuses_what_is_published_there_is_no_receipt(tmp_path, monkeypatch):
    receipt, file = tmp_path / "r.json", tmp_path / "made"
    store.write_text(file, "x")
    store.publish(receipt, tmp_path, {tmp_path / "a": file})
    store.write_text(file, "y")
    with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left"):
        patch.setattr(Path, "replace", refuse)
        store.publish(receipt, tmp_path, {tmp_path / "a": file})
    assert not receipt.exists() and store.faults_of(receipt, tmp_path) == ["r.json"]
