"""What the demo county hands over while it is made: its files, and the key that names every fault; refuses nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from demo_county.spelling import TOWNS, vary_towns
from demo_county.truths import Ints, Truths


@dataclass
class Bundle:
    """Files by path; the key's rows (file, row, kind, column, true value): a row counts from 1, the header of a text file included."""

    truths: Truths
    rng: np.random.Generator
    files: dict[str, bytes] = field(default_factory=dict)
    key: list[tuple[str, int, str, str, Any]] = field(default_factory=list)

    def note(self, file: str, rows: Iterable[int], kind: str, column: str = "", true: Any = "") -> None:
        """Enter one kind of fault of one file; `true` is one value or one a row."""
        lines = list(rows)
        values = list(true) if isinstance(true, pd.Series | list) else [true] * len(lines)
        self.key += [(file, int(line), kind, column, value) for line, value in zip(lines, values, strict=True)]

    def spell_towns(self, file: str, town: Ints, first_line: int, share: float = TOWNS) -> list[str]:
        """Names of towns (row numbers of the register; -1 is none) as people write them, entered into the key."""
        said, varied = vary_towns(np.maximum(town, 0), self.truths, self.rng, share)
        ids = self.truths.towns["town_id"]
        self.key += [(file, row + first_line, kind, "town", ids[town[row]]) for row, kind in varied if town[row] >= 0]
        return ["" if t < 0 else name for name, t in zip(said, town, strict=True)]
