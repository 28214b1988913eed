"""The numbers that a county says its report prints; refuses a part above its whole, a per cent above 100 and what is no number."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from numbers import Real
from typing import Any

from huying.errors import CountyError, Place
from huying.folder import County


@cache
def printed_parts() -> Mapping[str, Mapping[str, Any]]:
    """By claim: `parts`, the pairs of printed numbers of which the first may not exceed the second, and the name of a `bare` one."""
    return tomllib.loads(files("huying").joinpath("data/printed.toml").read_text("utf-8"))


def check_printed(county: County) -> None:
    """Raise CountyError, with the line of county.toml, for a printed count larger than its total and a per cent above 100."""
    for claim, known in printed_parts().items():
        told = county.printed.get(claim, {})
        told = told if isinstance(told, Mapping) else {known.get("bare", ""): told}
        for key, value in told.items():
            if isinstance(value, bool) or not isinstance(value, Real) or not float(value) >= 0:
                raise CountyError("clean.printed_number", _where(county, claim, key), claim=claim, key=key, value=value)
        if told.get("percent", 0) > 100:
            place, value = _where(county, claim, "percent"), told["percent"]
            raise CountyError("clean.printed_percent", place, claim=claim, key="percent", value=value)
        for part, whole in known["parts"]:
            if part in told and whole in told and told[part] > told[whole]:
                values = {"claim": claim, "part": part, "k": told[part], "whole": whole, "n": told[whole]}
                raise CountyError("clean.printed_part", _where(county, claim, part), **values)


def _where(county: County, claim: str, key: str) -> Place:
    """The line of county.toml that prints the number: of its key under the claim, or of the claim."""
    file = county.folder / "county.toml"
    lines = dict(enumerate((line.split("#")[0] for line in file.read_text("utf-8-sig").splitlines()), 1))
    starts = [n for n, line in lines.items() if re.match(rf"\s*(\[printed\.{claim}\]|(printed\.)?{claim}\b)", line)]
    own = [n for n, line in lines.items() if starts and n >= starts[0] and re.search(rf"\b{key}\b", line)]
    return Place(str(file), row=next(iter(own + starts), None))
