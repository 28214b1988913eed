"""Notes by name what is read while a notebook runs, so that its output can be tied to just that; refuses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

Read = tuple[str, str]
"""What was read and for which place (a town, a block of neighbours, a language; empty where it belongs to no place)."""

_open: list[set[Read]] = []


def note(name: str, place: str = "") -> None:
    """Add one read to every set that is being filled."""
    for found in _open:
        found.add((name, place))


@contextmanager
def noted() -> Iterator[set[Read]]:
    """The set of what is read within the block."""
    found: set[Read] = set()
    _open.append(found)
    try:
        yield found
    finally:
        _open.remove(found)
