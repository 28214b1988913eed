"""What is planted in the demo county, as data: towns, waves, margins, departments, events, units and features; refuses nothing."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import Codebook, Item, Option, house_codebook
from huying.words import Text

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SEX = ("male", "female")
AGES = {"age_18_39": "18-39", "age_40_59": "40-59", "age_60_plus": "60+"}
AGENCIES = ("综合执法", "市场监管", "自然资源", "司法所", "派出所")


@dataclass(frozen=True)
class Truths:
    """The planted tables; a generated province brings its own. `towns` is indexed 0, 1, 2 … in the order of the register."""

    towns: pd.DataFrame
    waves: pd.DataFrame
    departments: pd.DataFrame
    units: pd.DataFrame
    org_map: pd.DataFrame
    mechanisms: pd.DataFrame
    delegated: pd.DataFrame
    features: Mapping[str, Any]

    def wave(self, wave: str) -> pd.DataFrame:
        """The towns with their margins and with the sizes and true values of one wave."""
        own = self.waves[self.waves["wave"].astype(str) == wave].drop(columns="wave").set_index("town_id")
        frame = self.towns.drop(columns=[name for name in own if name in self.towns])
        return frame.join(own, on="town_id")

    def by_town(self, section: str, name: str) -> Floats:
        """A planted number of each town: the county's, and what `<name>_of` says for single towns."""
        table = self.features[section]
        return np.array([table.get(f"{name}_of", {}).get(town, table[name]) for town in self.towns["town_id"]], float)

    def items(self, form: str, book: Codebook | None = None) -> tuple[Item, ...]:
        """The items of a form with the county's lists filled in; their codes count 1, 2, 3 … in the list's order."""
        lists = {"towns": self.towns[["name_zh", "name_en"]], "departments": self.departments[["name_zh", "name_en"]],
                 "new_units": self.units[["name_zh", "name_en"]], "mechanisms": self.mechanisms[["title", "title"]],
                 "old_units": self.old_units()[["old_name", "old_name_en"]]}  # fmt: skip
        filled = {name: tuple(Option(n + 1, Text(zh, en)) for n, (zh, en) in enumerate(rows.itertuples(index=False, name=None)))
                  for name, rows in lists.items()}  # fmt: skip
        return tuple(replace(item, options=filled[item.options_from] + item.options) if item.options_from else item
                     for item in (book or house_codebook()).form(form))  # fmt: skip

    def old_units(self) -> pd.DataFrame:
        """One row an old unit, as it is named before the reform."""
        return self.org_map.drop_duplicates("old_id", ignore_index=True)


@cache
def house_truths() -> Truths:
    """The planted tables of 示例县, 18 towns."""
    folder = files("demo_county").joinpath("data")
    read = {name: pd.read_csv(io.StringIO(folder.joinpath(f"{name}.csv").read_text("utf-8")))
            for name in ("towns", "waves", "margins", "departments", "org_new", "org_map", "mechanisms", "delegated")}  # fmt: skip
    towns = read["towns"].merge(read["margins"], on="town_id", validate="1:1")
    features: dict[str, Any] = {}
    for name in ("features", "reform"):
        features |= tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8"))
    return Truths(towns, features=features, waves=read["waves"], departments=read["departments"], units=read["org_new"],
                  org_map=read["org_map"], mechanisms=read["mechanisms"], delegated=read["delegated"])  # fmt: skip
