"""A ledger's cells as typed rows with ids for towns and departments; refuses a row whose town or department is not certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from huying.clean.cells import all_rejected
from huying.clean.flags import make_flags
from huying.contract import Checked, Table, set_aside
from huying.places import Matcher
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
) -> CleanLedger:
    """The rows of a ledger that hold to its contract, `town` and `dept` replaced by `town_id` and `dept_id`.

    A blank where the contract allows one stays missing and is counted. Without a register of departments the name is
    the id. rows in = rows kept + rows rejected. Raises InputError for a missing column.
    """
    checked = table.check(raw.text, raw.place, rename)
    headers = table.find_columns(list(raw.text.columns), raw.place, rename or {})
    kept, faults, flags, counts = checked.kept, [checked.rejected], [make_flags()], {}
    for column, name, matcher in (("town", "town_id", towns), ("dept", "dept_id", departments)):
        if column not in kept:
            continue
        typed = kept[column].astype("str")
        found = matcher.match(typed.fillna("")) if matcher else pd.DataFrame({"id": typed, "how": "exact"})
        kept = kept.assign(**{column: found["id"].astype("str")}).rename(columns={column: name})
        counts[f"{column}_blank"] = int((found["how"] == "blank").sum())
        repaired = found["how"] == "repaired"
        row_id = raw.place.file + "#" + pd.Series(typed.index[repaired]).astype("str")
        flags.append(make_flags(row_id, f"{column}_repaired", typed[repaired].to_numpy(dtype=object)))
        for how in ("unknown", "ambiguous"):
            faults.append(
                set_aside(raw.place, headers.get(column, column), typed[found["how"] == how], f"{column}_{how}")
            )
        kept = kept[~found["how"].isin(["unknown", "ambiguous"])]
    key = [{"town": "town_id", "dept": "dept_id"}.get(name, name) for name in table.key]
    if key:  # two spellings of one town are one town
        again = kept.duplicated(key) & kept[key].notna().all(axis=1)
        faults.append(
            set_aside(
                raw.place, headers[table.key[0]], raw.text[headers[table.key[0]]][again[again].index], "key_taken"
            )
        )
        kept = kept[~again]
    rejected = all_rejected(raw.rejected, pd.concat(faults, ignore_index=True).assign(level="row"))
    whole = int((rejected["level"] == "row").sum())
    repairs = pd.concat(flags, ignore_index=True)
    repairs = repairs[repairs["row_id"].isin(raw.place.file + "#" + kept.index.astype("str"))].reset_index(drop=True)
    return CleanLedger(kept, rejected, checked.unused, repairs,
                       {"rows_in": len(kept) + whole, "rows_kept": len(kept), "rows_rejected": whole, **counts})  # fmt: skip
