"""Cleaned answers under the names of the codebook: options by their keys, numbers as numbers; refuses no answer, and moves none.

A closed question becomes text that keeps what is missing (`==` gives missing for missing), an option of a multiple choice
true or false, a scale or count a number. Why an answer is missing stands beside it, column by column.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from huying.codebook import MANY, Item
from huying.derived import Scope

Lists = Mapping[str, Sequence[tuple[int, str]]]  # a county's lists: code and key, such as 1 and T01
KEY_TYPES = ("single", "dropdown", "matrix_single")
WHOLE_TYPES = ("scale", "matrix_scale", "whole", "ranking")


def keys_of(item: Item, lists: Lists) -> dict[int, str]:
    """The key of each answer code: the county's own list first, then the options of the codebook."""
    return {**dict(lists.get(item.options_from, ())), **{option.code: option.key for option in item.options}}


def name_answers(rows: pd.DataFrame, items: Sequence[Item], lists: Lists) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The named columns of cleaned `rows`, and why each answer is missing (the same columns), both with the index of `rows`."""
    values: dict[str, pd.Series] = {}
    reasons: dict[str, pd.Series] = {}
    for item in items:
        if not set(item.variables) <= set(rows):
            continue
        keys = keys_of(item, lists)
        for variable, column in zip(item.variables, item.columns, strict=True):
            values[column] = name_one(rows[variable], item, keys)
            cell = item.id if item.type in MANY else variable
            reasons[column] = rows[f"{cell}_missing"]
        if item.role == "town":
            values[item.name] = rows["town_id"].astype("string")
    return pd.DataFrame(values, index=rows.index), pd.DataFrame(reasons, index=rows.index)


def name_one(answers: pd.Series, item: Item, keys: Mapping[int, str]) -> pd.Series:
    """One cleaned column in the type that its item has in the named frame."""
    if item.type in KEY_TYPES:
        return answers.astype("Int64").map(keys, na_action="ignore").astype("string")
    if item.type == "multi":
        return answers.astype("Int64").astype("boolean")
    if item.type in WHOLE_TYPES:
        return answers.astype("Int64")
    if item.type == "date":
        return answers.astype("string").astype("datetime64[s]")
    return answers.astype("Float64") if item.type == "number" else answers.astype("string")


def scope_of(items: Sequence[Item], lists: Lists, groups: Mapping[str, Sequence[str]]) -> Scope:
    """What a rule may speak of: columns with their answers, in the order of the form, and `groups` with theirs.

    Answers may be named by their wording in either language; a quiz by its item, each row with the key of its right answer.
    """
    options, right, words = dict[str, Sequence[str]](), dict[str, Mapping[str, str]](), dict[str, Mapping[str, str]]()
    for item in items:
        keys, named = keys_of(item, lists), dict(zip(item.variables, item.columns, strict=True))
        is_closed = item.type in KEY_TYPES
        options |= dict.fromkeys(item.columns, tuple(keys.values()) if is_closed else ())
        if is_closed:
            own = {text: option.key for option in item.options for text in option.text}
            words |= dict.fromkeys(item.columns, own)
        if item.right:
            right[item.name] = {named[f"{item.id}_{row}"]: keys[code] for row, code in item.right.items()}
    return Scope({**options, **groups}, right, words)
