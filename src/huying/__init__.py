"""huying 呼应 puts a county's claims about its township reform to the test; refuses a number without its uncertainty."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["charts", "county", "measures", "show", "statements"]
_FROM = {"county": "huying.counties", "show": "huying.tables", "statements": "huying.claims.statements"}


def __getattr__(name: str) -> Any:
    """The few names of the surface, read when they are asked for: `python -m huying --help` needs none of them."""
    if name == "county":
        import_module("huying.charts")  # the house style: what a reader draws herself shows Chinese too
    if name in _FROM:
        return getattr(import_module(_FROM[name]), name)
    if name in ("charts", "measures"):
        return import_module(f"huying.{name}")
    raise AttributeError(name)
