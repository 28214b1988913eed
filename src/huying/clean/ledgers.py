"""A ledger's cells as typed rows with ids for towns and departments; refuses a row whose town or department is not certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from huying.clean.cells import all_rejected
from huying.clean.flags import make_flags
from huying.clean.ledger_rules import IDS, in_two_places, keep_rules
from huying.contract import Checked, Table, set_aside
from huying.errors import Place
from huying.places import Matcher
from huying.rules import Known
from huying.sources.table import RawTable


@dataclass(frozen=True)
class CleanLedger(Checked):
    """A checked table (`kept` by its line in the file, `rejected` with `level`), the flags of repaired names, and counts."""

    flags: pd.DataFrame = field(default_factory=make_flags)
    counts: Mapping[str, int] = field(default_factory=dict)


def clean_ledger(
    table: Table,
    raw: RawTable,
    towns: Matcher,
    departments: Matcher | None = None,
    rename: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> CleanLedger:
    """The rows of a ledger that hold to its contract and its rules, `town` and `dept` replaced by `town_id` and `dept_id`.

    A blank where the contract allows one stays missing. Without a register of departments the name is the id.
    `known`: the ids of the ledgers that rules look into (`known_ids`); a ledger that is not among them is not asked.
    rows in = rows kept + rows rejected. Raises InputError for a missing column.
    """
    checked = table.check(raw.text, raw.place, rename)
    headers = table.find_columns(list(raw.text.columns), raw.place, rename or {})
    matchers = {"town": towns, "dept": departments}
    astray = in_two_places(table, raw, headers, matchers)
    kept = checked.kept[~checked.kept.index.isin(astray["row"])]
    faults, flags = [astray, checked.rejected], [make_flags()]
    for column, matcher in matchers.items():
        if column in kept:
            kept, unsure, repaired = match_names(kept, column, matcher, raw.place, headers.get(column, column))
            faults += unsure
            flags.append(repaired)
    kept, again = take_out_repeats(table, kept, raw, headers)
    kept, broken = keep_rules(table, kept, raw.place, headers, known or {})
    found = pd.concat([*faults, again, broken], ignore_index=True).assign(level="row")
    rejected = all_rejected(raw.rejected, found)
    n_rejected = int((rejected["level"] == "row").sum())
    repairs = pd.concat(flags, ignore_index=True)
    repairs = repairs[repairs["row_id"].isin(raw.place.file + "#" + kept.index.astype("str"))].reset_index(drop=True)
    counts = {"rows_in": len(kept) + n_rejected, "rows_kept": len(kept), "rows_rejected": n_rejected}
    return CleanLedger(kept, rejected, repairs, counts)


def match_names(
    rows: pd.DataFrame, column: str, matcher: Matcher | None, place: Place, header: str
) -> tuple[pd.DataFrame, list[pd.DataFrame], pd.DataFrame]:
    """The rows with ids for the names of `column`, the rows of uncertain names, and flags of repaired ones."""
    typed = rows[column].astype("str")
    found = matcher.match(typed.fillna("")) if matcher else pd.DataFrame({"id": typed, "how": "exact"})
    rows = rows.assign(**{column: found["id"].astype("str")}).rename(columns={column: IDS[column]})
    repaired = found["how"] == "repaired"
    row_id = place.file + "#" + pd.Series(typed.index[repaired]).astype("str")
    flags = make_flags(row_id, f"{column}_repaired", typed[repaired].to_numpy(dtype=object))
    unsure = ("unknown", "ambiguous")
    faults = [set_aside(place, header, typed[found["how"] == how], f"{column}_{how}") for how in unsure]
    return rows[~found["how"].isin(unsure)], faults, flags


def take_out_repeats(
    table: Table, rows: pd.DataFrame, raw: RawTable, headers: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows without those that repeat a key, now that two spellings of one town are one town, and these rows."""
    key = [IDS.get(name, name) for name in table.key]
    again = rows.duplicated(key) & rows[key].notna().all(axis=1) if key else pd.Series(False, index=rows.index)
    header = headers[table.key[0]] if key else ""
    cells = raw.text[header].loc[again[again].index] if key else pd.Series(dtype=object)
    return rows[~again], set_aside(raw.place, header, cells, "key_taken")
