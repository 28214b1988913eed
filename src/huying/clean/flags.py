"""Signs that an answer or a whole form should be looked at, each with a stated rule; refuses to delete anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from huying.codebook import MANY, WHY_MISSING, WORDS, Item, holds, names_in
from huying.scrub import mask_cells
from huying.sources.table import Remark
from huying.words import Place, say


@dataclass(frozen=True)
class Booked:
    """One file after cleaning: typed rows, what was set aside (REJECTED), and flags of single answers.

    `n_masked` counts the texts in which personal numbers were masked; `notes` is what cleaning noticed, as a reader's.
    """

    kept: pd.DataFrame
    rejected: pd.DataFrame
    flags: pd.DataFrame
    n_masked: int = 0
    notes: tuple[Remark, ...] = ()


def make_flags(row_id: Any = (), flag: str = "", detail: Any = "") -> pd.DataFrame:
    """Rows of the table of flags: row_id, flag, detail."""
    return pd.DataFrame({"row_id": np.asarray(row_id, dtype=object), "flag": flag, "detail": detail}).astype("str")


def all_rejected(source: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """What a reader and what cleaning set aside, each row once under its first reason; personal values are masked."""
    table = pd.concat([source, found], ignore_index=True)
    again = (table["level"] == "row") & table.duplicated(["file", "sheet", "row", "level"])
    table = table[~again].reset_index(drop=True)
    return table.assign(value=mask_cells(table["value"].astype("str").fillna("")))


def count_rows(rejected: pd.DataFrame) -> int:
    """How many whole rows were set aside."""
    return int((rejected["level"] == "row").sum())


def say_rejected(entry: Mapping[str, Any], lang: str | None = None) -> str:
    """One rejected row as a line to act on: file, sheet, row, column, what was found, why it does not do and what to do."""
    place = Place(str(entry["file"]), str(entry["sheet"] or ""), int(entry["row"]), str(entry["column"] or ""))
    value = say("clean.rejected_value", lang, value=entry["value"]) if entry["value"] else ""
    reason = say(f"clean.reason_{entry['reason']}", lang)
    return say("clean.rejected_line", lang, place=place.say(lang), value=value, reason=reason)


def say_note(entry: Mapping[str, Any], lang: str | None = None) -> str:
    """What was repaired or seen, as a line: file, sheet and row, what it was, and which cells or names."""
    row = int(entry["row"]) if entry["row"] else None
    place, detail = Place(entry["file"], entry["sheet"], row), f": {entry['detail']}" if entry["detail"] else ""
    note = say(f"clean.note_{entry['note']}", lang)
    return say("clean.note_line", lang, place=place.say(lang), note=note, detail=detail)


# --- what became of one file ------------------------------------------------------------------------------------------


RULES = (
    "duplicate", "near_duplicate", "cloned_block", "speeder", "straight_line", "attention_failed", "contradiction",
    "decoy", "skip_violation", "skipped_but_asked", "exclusive_conflict", "too_many_choices", "age_from_birth_year",
    "town_repaired", "dept_repaired",
)  # fmt: skip
FEWEST_ROWS = 5  # of a matrix, for one answer throughout to mean anything
MOST_COMPARED = 2_000  # forms of one interviewer that are compared with each other
HEAD = ("row_id", "form", "wave", "town_id", "village_id", "interviewer_id", "seconds", "disposition", "given_weight")
NO_ANSWER = -10_000  # and below: an empty cell in a matrix of codes
DOES_NOT_KNOW, IS_BLANK = (NO_ANSWER - WHY_MISSING.index(why) for why in ("does_not_know", "blank"))
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Answered = Mapping[str, Codes]  # by the cells of the form
Signs = list[tuple[str, Bools, Any]]  # a flag, the forms that have it, the detail of all or of each


def find_flags(rows: pd.DataFrame, items: Sequence[Item], thresholds: Mapping[str, Any]) -> pd.DataFrame:
    """The flags that need whole forms or other rows, for all cleaned rows of a wave, of however many files."""
    answers = {cell: codes_of(rows, item, cell) for item in items if item.type not in WORDS for cell in item.cells}
    found = [sign for look in (compare_forms, look_at_forms) for sign in look(rows, items, answers, thresholds)]
    row_id = rows["row_id"].to_numpy(dtype=object)
    return pd.concat([make_flags(row_id[where], flag, detail) for flag, where, detail in found], ignore_index=True)


def compare_forms(rows: pd.DataFrame, items: Sequence[Item], answers: Answered, limits: Mapping[str, Any]) -> Signs:
    """The flags of forms beside the others of their wave: repeated, near each other, faster than most."""
    balance = sum((codes > NO_ANSWER).astype(int) - (codes == IS_BLANK) for codes in answers.values())
    complete = (rows["disposition"] == "complete").to_numpy()
    whole = complete & (balance > 0)  # more answers than blanks
    given = rows.drop(columns=[name for name in HEAD if name in rows])
    sent = rows["submitted_at"]  # a day alone is no time
    duplicate = (given.duplicated() & sent.ne(sent.dt.normalize()) & sent.notna()).to_numpy()
    near = np.zeros(len(rows), dtype=bool)
    near[whole] = given[whole].drop(columns="submitted_at").duplicated()
    near &= ~duplicate
    closed = [answers[cell] for item in items if item.options and item.type not in WORDS for cell in item.cells]
    who, names = pd.factorize(rows["interviewer_id"])
    once = whole & (who >= 0) & ~duplicate & ~near
    size = find_clones(closed, who, once, limits["clone_differs"], limits["clone_block"])
    block = [f"{names[who[at]]} x {size[at]}" for at in np.flatnonzero(size)]
    seconds = rows["seconds"].to_numpy(dtype=float, na_value=np.nan)
    known = seconds[complete & ~np.isnan(seconds)]
    median = np.median(known) if len(known) else np.nan
    fast = complete & (seconds < limits["speeder"] * median)
    pace = [f"{value:.0f} / {median:.0f}" for value in seconds[fast]]
    alike: Signs = [("duplicate", duplicate, ""), ("near_duplicate", near, "")]
    return [*alike, ("cloned_block", size > 0, block), ("speeder", fast, pace)]


def look_at_forms(rows: pd.DataFrame, items: Sequence[Item], answers: Answered, limits: Mapping[str, Any]) -> Signs:
    """The flags of forms by themselves."""
    matrices = [item for item in items if item.is_matrix and not (item.right or item.right_from)]
    columns = [[answers[cell] for cell in item.cells] for item in matrices]
    lines = find_straight_lines(columns, limits["longstring"]) if matrices else False
    found: Signs = [("straight_line", (rows["disposition"] == "complete").to_numpy() & lines, "")]
    for item in items:
        for row, code in item.attention.items():
            given = clicked(answers[f"{item.id}_{row}"])
            found.append(("attention_failed", (given != code) & (given > NO_ANSWER), f"{item.id}_{row}"))
        found += [("decoy", answers[f"{item.id}_{row}"] >= 2, f"{item.id}_{row}") for row in item.decoy]
    rules = [item.contradicts for item in items if item.contradicts]
    return found + [("contradiction", holds(rule, rows), rule) for rule in rules if set(names_in(rule)) <= set(rows)]


def codes_of(rows: pd.DataFrame, item: Item, cell: str) -> Codes:
    """One answer as integers: the code (of several options: one number for each answer; of a number 0), NO_ANSWER and below where missing."""
    value: Any = 0  # of a number, which is not whole
    if item.type in MANY:
        for name in item.variables:  # wraps where there are many options: then it is a hash, never negative
            value = value * (2 if item.type == "multi" else 31) + rows[name].to_numpy(dtype=np.int32, na_value=0)
        value = value & 0x7FFFFFFF
    elif item.type != "number":
        value = rows[cell].to_numpy(dtype=np.int32, na_value=0)
    why = rows[f"{cell}_missing"].cat.codes.to_numpy()
    return np.asarray(np.where(why >= 0, NO_ANSWER - why.astype(np.int32), value), dtype=np.int32)


def find_clones(closed: Sequence[Codes], interviewer: Ints, which: Bools, differs: int, block: int) -> Ints:
    """For each form of `which` the size of its cloned block, 0 where there is none.

    Two forms of an interviewer are linked when at most `differs` closed answers differ; linked forms are a block.
    """
    size = np.zeros(len(which), dtype=np.int64)
    for one in np.unique(interviewer[which]) if closed else ():
        own = np.flatnonzero(which & (interviewer == one))
        for at in np.split(own, range(MOST_COMPARED, len(own), MOST_COMPARED)):
            answers = np.column_stack([codes[at] for codes in closed])
            member = connected_components(cdist(answers, answers, "hamming") * len(closed) < differs + 0.5)[1]
            size[at] = np.bincount(member)[member]
    return np.where(size >= max(block, 2), size, 0)


def clicked(codes: Codes) -> Codes:
    """Codes in which `does not know`, an option like the others to the hand that clicks, is an answer."""
    return np.where(codes == DOES_NOT_KNOW, np.int32(30_000), codes).astype(np.int32)


def longest_run(matrix: npt.NDArray[Any]) -> Ints:
    """The longest run of equal answers side by side in each row of `matrix` (respondents x items).

    NO_ANSWER and below ends a run and counts nothing (longstring; Johnson 2005, J. Res. Pers. 39:103).
    """
    run = best = np.zeros(len(matrix), dtype=np.int64)
    for k in range(matrix.shape[1]):
        given = matrix[:, k] > NO_ANSWER
        run = np.where(given & (matrix[:, k] == matrix[:, k - 1]) if k else given, run + 1, given)
        best = np.maximum(best, run)
    return best


def find_straight_lines(matrices: Sequence[Sequence[Codes]], longstring: str | int) -> Bools:
    """Who gave one answer throughout.

    `all`: in every matrix of FEWEST_ROWS rows or more that the person filled completely, and in one at least. A number:
    the longest run of equal answers over all matrices, side by side in their order, is at least that long. A quiz is no
    such matrix: there one answer throughout may be honest.
    """
    tables = [np.column_stack([clicked(column) for column in matrix]) for matrix in matrices]
    if longstring != "all":
        return longest_run(np.hstack(tables)) >= int(longstring)
    some = varied = np.zeros(len(tables[0]), dtype=bool)
    for table in (table for table in tables if table.shape[1] >= FEWEST_ROWS):
        full, same = (table > NO_ANSWER).all(axis=1), (table == table[:, :1]).all(axis=1)
        some, varied = some | full & same, varied | full & ~same
    return np.asarray(some & ~varied)
