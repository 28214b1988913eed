"""Each key of each declaration misspelt, of the wrong type and out of range: refused by file, line and key, and never in silence."""

import datetime as dt
import tomllib

import pytest

from huying.folder import parse_toml, schemas
from huying.words import LANGUAGES, CountyError

VALUES = {"text": "文字", "cell": "x", "label": "名称", "id": "a1", "item": "Q1", "variable": "heard", "file": "a.csv", "hour": "17:30",
          "whole": 3, "number": 0.5, "flag": True, "day": dt.date(2023, 5, 8)}  # fmt: skip
WRONG = [3.5, True, "", " ", "x\x00y", [], [1], {}, {"a": 1}, dt.datetime(2023, 5, 8, 9, 0), dt.time(9, 0), -(10**12), 10**12, float("nan"),
         float("inf"), "另" * 6_000]  # fmt: skip


def good(spec):
    """A value that fits, worked out from the spec by this file alone."""
    if isinstance(spec, list):
        return good(spec[0]) if isinstance(spec[0], str) else [good(spec[0])]
    if isinstance(spec, dict):
        return {("name" if key == "*" else key.rstrip("!")): good(one) for key, one in spec.items()}
    first = spec.split(" | ")[0]
    if first.startswith("="):
        return first[1:]
    kind, _, span = first.rstrip("*2").rstrip("*").partition(" ")
    low = float(span.partition("..")[0] or VALUES[kind]) if kind in ("whole", "number") else 0
    value = type(VALUES[kind])(max(low, VALUES[kind])) if kind in ("whole", "number") else VALUES[kind]
    depth = first.count("*") - first.count("*2") * 0
    for _ in range(depth):
        value = [value] * (2 if "*2" in first else 1)
    return value


def fits(value, spec):
    """Whether a wrong value happens to be right here."""
    if isinstance(spec, list):
        return any(fits(value, one) for one in spec) or (
            isinstance(value, list) and not isinstance(spec[0], str) and not value
        )
    if isinstance(spec, dict):
        free = isinstance(value, dict) and not any(key.endswith("!") for key in spec)
        return free and all("*" in spec and fits(one, spec["*"]) for one in value.values())
    if " | " in spec:
        return any(fits(value, one) for one in spec.split(" | "))
    if spec.startswith("="):
        return False
    if "*" in spec:
        one = spec.rstrip("2").rstrip("*")
        return isinstance(value, list) and not spec.endswith("2") and all(fits(part, one) for part in value)
    kind, _, span = spec.partition(" ")
    if kind == "flag":
        return value is True
    if kind in ("whole", "number"):
        low, _, high = span.partition("..")
        is_number = type(value) is int or (kind == "number" and type(value) is float)
        return is_number and float(low or -1e9) <= value <= float(high or 1e9)
    return kind == "cell" and isinstance(value, str) and len(value) <= 5_000


def paths(spec, at=()):
    """Every key of a schema with its place in a good declaration."""
    if isinstance(spec, list) and not isinstance(spec[0], str):
        yield from paths(spec[0], (*at, 0))
    elif isinstance(spec, list):
        return
    elif isinstance(spec, dict):
        for key, one in spec.items():
            name = "name" if key == "*" else key.rstrip("!")
            yield (*at, name), one, key
            yield from paths(one, (*at, name))


def put(whole, path, value, name=None):
    """A copy with another value at a path, or with its key renamed."""
    if isinstance(whole, list):
        return [put(part, path[1:], value, name) if n == path[0] else part for n, part in enumerate(whole)]
    if len(path) == 1:
        return {
            (name if key == path[0] and name else key): (one if name else value) if key == path[0] else one
            for key, one in whole.items()
        }
    return {key: put(one, path[1:], value, name) if key == path[0] else one for key, one in whole.items()}


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_key_that_is_misspelt_or_holds_what_it_may_not_is_refused(name, tmp_path):
    schema, n = schemas()[name], 0
    (tmp_path / "a.csv").write_text("a", "utf-8")
    made, file = good(schema), tmp_path / f"{name}.toml"
    base = parse_toml("", file)

    def check(raw):
        return type(base)(file, "# a line\n" * 40, raw).check(name)

    check(made)
    silent = []
    for path, spec, key in paths(schema):
        tries = [put(made, path, value) for value in WRONG if not fits(value, spec)]
        if key != "*":
            tries += [put(made, path, None, name=f"{path[-1]}x"), put(made, path, None, name=path[-1].upper() + "_")]
        for raw in tries:
            n += 1
            try:
                check(raw)
                silent.append((path, raw))
            except CountyError as error:
                assert all(file.name in error.say(lang) for lang in LANGUAGES)
    assert not silent, [path for path, _ in silent][:8]
    assert n >= {"county": 400, "quotes": 15}.get(name, 20)


def test_what_toml_itself_allows_is_what_was_tried():
    assert tomllib.loads("a = 2023-05-08T09:00:00\nb = nan\n")["a"] == dt.datetime(2023, 5, 8, 9, 0)
