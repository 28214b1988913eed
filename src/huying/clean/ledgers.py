"""A ledger's cells as typed rows with ids for towns and departments; refuses a row whose town or department is not certain."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from huying.clean.cells import Matcher
from huying.clean.flags import Booked, all_rejected, make_flags
from huying.kinds import Choice, clean_series
from huying.ledgers import TABLES, Known, Table, full_header, no_rejects, set_aside
from huying.sources.table import RawTable, Remark
from huying.words import Place, language, near

IDS: Mapping[str, str] = {"town": "town_id", "dept": "dept_id"}  # what a name becomes when it is matched
Matchers = Mapping[str, Matcher]
Headers = Mapping[str, str]  # by column
Parted = tuple[pd.DataFrame, pd.DataFrame]  # rows that stay, and what is set aside
Matched = tuple[pd.DataFrame, list[pd.DataFrame], pd.DataFrame]


def clean_ledger(
    table: Table, raw: RawTable, matchers: Matchers, known: Known | None = None, before: Any = None, **how: Any
) -> Booked:
    """The rows of a ledger that hold to its contract and its rules, `town` and `dept` replaced by `town_id` and `dept_id`.

    A blank where the contract allows one stays missing. `matchers` by column; without one the name is the id.
    `known`: the ids of the ledgers that rules look into (`known_ids`); a ledger that is not among them is not asked.
    `before`: the rows of the same ledger from another file; `how`: `rename`, `values` and `days` as in `Table.check`.
    rows in = rows kept + rows rejected. Raises InputError for a missing column.
    """
    checked = table.check(raw.text, raw.place, **how)
    headers = checked.headers
    astray = in_two_places(table, raw, headers, matchers)
    kept = checked.kept[~checked.kept.index.isin(astray["row"])]
    faults, flags = [astray, checked.rejected], [make_flags()]
    for column in (column for column in IDS if column in kept):
        kept, unsure, repaired = match_names(kept, column, matchers.get(column), raw.place, headers.get(column, column))
        faults += unsure
        flags.append(repaired)
    kept, again = take_out_repeats(table, kept, raw, headers, before)
    kept, broken = keep_rules(table, kept, raw.place, headers, known or {})
    found = pd.concat([*faults, again, broken], ignore_index=True)
    found.loc[~found["row"].isin(kept.index), "level"] = "row"  # a cell may have cost its row after all
    for column, name in IDS.items():  # where a row belonged, as far as it can be read
        cells = clean_series(raw.text[headers[column]]) if column in headers else pd.Series(dtype="str")
        ids = matchers[column].match(cells)["id"] if column in matchers else cells
        found[name] = found["row"].map(ids).astype("str").fillna("")
    repairs = pd.concat(flags, ignore_index=True)
    repairs = repairs[repairs["row_id"].isin(raw.place.file + "#" + kept.index.astype("str"))].reset_index(drop=True)
    notes = tuple(seen(table, raw, headers, matchers, found))
    return Booked(kept, all_rejected(raw.rejected, found), repairs, notes=notes)


def seen(table: Table, raw: RawTable, headers: Headers, matchers: Matchers, found: pd.DataFrame) -> Iterator[Remark]:
    """What a reader of the ledger should know: headers that nothing was read from, and words that named nothing, with what could be meant."""
    if unused := [full_header(header) for header in raw.text if header not in headers.values()]:
        yield raw.place, "unused_headers", ", ".join(unused)
    for name, header in headers.items():
        kind, odd = table.by_name[name].kind, found[found["column"] == header]
        if isinstance(kind, Choice) and (words := list(dict.fromkeys(odd.loc[odd["reason"] == "unfit", "value"]))):
            told = f"{full_header(header)}: {', '.join(words[:8])} ({kind.describe(language())})"
            yield raw.place, "unknown_words", told
        for typed in dict.fromkeys(odd.loc[odd["reason"] == f"{name}_unknown", "value"]):
            yield raw.place, "unknown_name", f"{typed} → {near(typed, matchers[name].full)}"


def match_names(rows: pd.DataFrame, column: str, matcher: Matcher | None, place: Place, header: str) -> Matched:
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


def take_out_repeats(table: Table, rows: pd.DataFrame, raw: RawTable, headers: Headers, before: Any) -> Parted:
    """The rows without those that repeat a key, also one of `before`, now that two spellings of one town are one town, and these rows."""
    key = [IDS.get(name, name) for name in table.key]
    every = pd.concat([before, rows])
    alike = every[key].astype("str").apply(lambda cells: cells.str.casefold())
    again = (alike.duplicated() & every[key].notna().all(axis=1) & bool(key)).iloc[len(every) - len(rows) :]
    same = every.duplicated() & (before is not None)
    header = headers.get(table.key[0], table.key[0]) if key else ""
    cells = raw.text.get(header, pd.Series("", raw.text.index)).loc[again[again].index]
    reasons = same.iloc[len(every) - len(rows) :][again].map({True: "repeated", False: "key_taken"}).to_list()
    return rows[~again], set_aside(raw.place, header, cells, reasons)


def known_ids(ledgers: Mapping[tuple[str, str], pd.DataFrame]) -> dict[str, set[str]]:
    """The ids that rules look up in other ledgers, by ledger, from what is cleaned already (keys: table and period)."""
    rules = [rule.more for table in TABLES.values() for rule in table.rules if rule.name == "InLedger"]
    wanted = {(rule["ledger"], rule["of"]) for rule in rules}
    found: dict[str, set[str]] = {}
    for (name, _), frame in ledgers.items():
        for of in (of for ledger, of in wanted if ledger == name):
            found.setdefault(name, set()).update(frame[of].dropna().astype(str))
    return found


def in_two_places(table: Table, raw: RawTable, headers: Headers, matchers: Matchers) -> pd.DataFrame:
    """The rows of `raw` whose key stands at two places, all of them, as rejected rows.

    Asked of the raw cells: the check of the table's key would have taken the second row out already.
    """
    found = [no_rejects()]
    for rule, place in ((rule, rule.more["place"]) for rule in table.rules if rule.name == "OnePlace"):
        rows = pd.DataFrame({name: clean_series(raw.text[headers[name]]) for name in (rule.column, place)})
        rows = rows.where(rows != "")
        if matcher := matchers.get(place):
            rows[place] = matcher.match(rows[place].fillna(""))["id"]
        found.append(set_aside(raw.place, headers[rule.column], rule.broken(rows, {}), rule.reason))
    return pd.concat(found, ignore_index=True)


def keep_rules(table: Table, rows: pd.DataFrame, place: Place, headers: Headers, known: Known) -> Parted:
    """The rows that hold to every rule of the table, and the others as rejected rows, each under the first that it breaks."""
    faults = [no_rejects()]
    for rule in (rule for rule in table.rules if rule.name != "OnePlace"):
        found = rule.broken(rows, known)
        faults.append(set_aside(place, headers.get(rule.column, rule.column), found, rule.reason))
        rows = rows[~rows.index.isin(found.index)]
    return rows, pd.concat(faults, ignore_index=True)
