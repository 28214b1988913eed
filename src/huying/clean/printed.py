"""The numbers that a county says its report prints; refuses a part above its whole, a per cent above 100 and what is no number."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from huying.declarations import read_toml
from huying.folder import County


@cache
def printed_parts() -> Mapping[str, Mapping[str, Any]]:
    """By claim: `parts`, the pairs of printed numbers of which the first may not exceed the second, and the name of a `bare` one."""
    return tomllib.loads(files("huying").joinpath("data/printed.toml").read_text("utf-8"))


def check_printed(county: County) -> None:
    """Raise CountyError, with the line of county.toml, for a printed count larger than its total and a per cent above 100."""
    declared = read_toml(county.folder / "county.toml")
    for claim, known in printed_parts().items():
        told = county.printed.get(claim, {})
        told, within = (
            told if isinstance(told, Mapping) else {known.get("bare", ""): told},
            (("printed", 0), (f"printed.{claim}", 0)),
        )
        wrong = [("number", key, {"key": key, "value": value}) for key, value in told.items() if value < 0]
        wrong += (
            [("percent", "percent", {"key": "percent", "value": told["percent"]})]
            if told.get("percent", 0) > 100
            else []
        )
        wrong += [
            ("part", part, {"part": part, "k": told[part], "whole": whole, "n": told[whole]})
            for part, whole in known["parts"]
            if part in told and whole in told and told[part] > told[whole]
        ]
        for message, key, values in wrong:
            word = key if isinstance(county.printed[claim], Mapping) else claim
            raise declared.fail(f"clean.printed_{message}", word, None, within, claim=claim, **values)
