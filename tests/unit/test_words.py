import ast
import re
from pathlib import Path

import numpy as np
import pytest

import huying
from huying import words
from huying.units import say_value
from huying.words import HuyingError, InputError, Place

SRC = Path(huying.__file__).parent
KEY = re.compile(r"[a-z_]+\.\w+")
HOLE = re.compile(r"\{(\w+)(?:![rsa])?(?::[^{}]*)?\}")


def calls():
    """Every call with a constant words key: file, line, key, names of the values, and whether ** hides some."""
    for file in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            key = getattr(node.args[0], "value", None)
            if isinstance(key, str) and KEY.fullmatch(key) and (name in ("say", "fail") or name.endswith("Error")):
                names = {word.arg for word in node.keywords}
                yield f"{file.relative_to(SRC)}:{node.lineno}", key, names - {None}, None in names


CALLS = list(calls())


def test_the_scan_finds_the_calls():
    assert len(CALLS) > 60
    assert {"errors.colon", "contract.no_column", "folder.unknown_key", "store.not_written"} <= {
        key for _, key, _, _ in CALLS
    }


def test_every_key_used_exists_and_its_places_are_filled():
    known = words.all_words()
    assert {where: key for where, key, _, _ in CALLS if key not in known} == {}
    needed = {key: set(HOLE.findall(known[key].en)) for _, key, _, _ in CALLS}
    assert [(where, needed[key] - given) for where, key, given, more in CALLS if not more and needed[key] - given] == []


def test_direct_use_by_regex():
    """The same by the letter, so that a call the tree walk does not know is seen too."""
    source = "\n".join(file.read_text("utf-8") for file in SRC.rglob("*.py"))
    used = set(re.findall(r'(?:\bsay|Error|\.fail)\(\s*"([a-z_]+\.\w+)"', source))
    assert used - set(words.all_words()) == set()


def is_whole(text):
    """Whether both languages have words with the same places, and Python can fill them."""
    try:
        for one in text:
            one.format(**dict.fromkeys(HOLE.findall(one), 1))
    except (KeyError, IndexError, ValueError):
        return False
    return all(one.strip() for one in text) and set(HOLE.findall(text.zh)) == set(HOLE.findall(text.en))


def test_both_languages_say_the_same_places():
    assert [key for key, text in words.all_words().items() if not is_whole(text)] == []


def test_what_is_not_whole_is_seen():
    pairs = [("{n} 个", "{m}"), ("甲", " "), ("{n", "{n"), ("{}", "{}"), ("{n} 个", "{n} of them")]
    assert [is_whole(words.Text(*pair)) for pair in pairs] == [False, False, False, False, True]


def test_chinese_texts_are_chinese():
    latin = {
        key
        for key, text in words.all_words().items()
        if not re.search(r"[\u3000-\u9fff\uff00-\uffef]", HOLE.sub("", text.zh))
    }
    assert {key for key in latin if re.search(r"[a-z]{4}", HOLE.sub("", words.all_words()[key].zh))} == set()


def test_english_texts_hold_no_chinese_sentence():
    """A header or a mark of an export may stand in an English text; a sentence may not."""
    assert {key for key, text in words.all_words().items() if re.search(r"[\u4e00-\u9fff]{9}|。", text.en)} == set()


def test_language_of_the_session(monkeypatch):
    monkeypatch.setattr(words, "_session", {})
    monkeypatch.delenv("HUYING_LANG", raising=False)
    assert words.language() == "zh"
    monkeypatch.setenv("HUYING_LANG", "en")
    assert words.language() == "en"
    words.use_language("zh")
    assert words.language() == "zh"
    assert words.say("claims.verdict_supported") == "支持"
    assert words.say("claims.verdict_supported", "en") == "supported"
    with pytest.raises(ValueError, match="expected one of zh, en, got 'fr'"):
        words.use_language("fr")


@pytest.mark.parametrize(
    "value", ["text", None, {"zh": "甲"}, {"zh": "甲", "en": ""}, {"zh": "甲", "en": "a", "fr": "a"}]
)
def test_a_text_needs_both_languages(value):
    with pytest.raises(ValueError, match=r"here\.x: a text needs both zh and en"):
        words.as_text(value, "here.x")


def test_unknown_key():
    with pytest.raises(KeyError):
        words.say("claims.no_such_text")


@pytest.mark.parametrize(
    ("place", "zh", "en"),
    [
        (Place(), "", ""),
        (Place("a.csv"), "a.csv", "a.csv"),
        (
            Place("a.xlsx", "1", 214, "年龄"),
            "a.xlsx，工作表 1，第 214 行，“年龄”列",
            "a.xlsx, sheet 1, row 214, column 年龄",
        ),
        (Place("a.csv", row=0), "a.csv，第 0 行", "a.csv, row 0"),
    ],
)
def test_place_in_words(place, zh, en):
    assert (place.say("zh"), place.say("en")) == (zh, en)


def test_error_in_words():
    error = InputError("store.not_written", Place("a.csv"), why="disk full")
    assert isinstance(error, HuyingError)
    assert str(error).startswith("a.csv: cannot be written: disk full. Check")
    assert error.say("zh").startswith("a.csv：无法写入：disk full。")
    assert str(HuyingError("samples.no_register")).startswith("there is no register")


def test_error_values_may_be_called_key_and_place():
    error = HuyingError("folder.no_section", key="[county]")
    assert str(error) == "the section [county] is missing"


def test_a_value_is_rounded_as_the_ledger_holds_it():
    """0.385 by twelve digits, whatever a sum left in the last bit and whatever number type holds it."""
    assert [say_value(x, "index", "zh") for x in (0.385, 0.385 - 6e-17, np.float64(0.385))] == [f"{0.385:.2f}"] * 3
    assert say_value(np.float64(0.385), "share", "zh", 20) == say_value(0.385, "share", "zh", 20) == "38%"
    assert say_value(0.4996, "share", "zh", 200, [0.5]) == "49.96%"
    assert say_value(-0.00001, "index", "zh") == "0.00"
