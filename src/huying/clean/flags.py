"""Signs that an answer or a whole form should be looked at, each with a stated rule; refuses to delete anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from huying.codebook import WHY_MISSING, Item, holds, names_in

RULES = (
    "duplicate", "near_duplicate", "cloned_block", "speeder", "straight_line", "attention_failed", "contradiction",
    "decoy", "skip_violation", "skipped_but_asked", "exclusive_conflict", "too_many_choices", "age_from_birth_year",
    "town_repaired", "dept_repaired",
)  # fmt: skip
CONTRADICTIONS: Mapping[str, tuple[str, ...]] = {"staff": ("S15 > S14",)}
FEWEST_ROWS = 5  # of a matrix, for one answer throughout to mean anything
MOST_COMPARED = 500  # forms of one interviewer that share a third of their answers and are compared with each other
NO_ANSWER = -10_000  # and below: an empty cell in a matrix of codes
DOES_NOT_KNOW, IS_BLANK = (NO_ANSWER - WHY_MISSING.index(why) for why in ("does_not_know", "blank"))
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


def make_flags(row_id: Any = (), flag: str = "", detail: Any = "") -> pd.DataFrame:
    """Rows of the table of flags: row_id, flag, detail."""
    return pd.DataFrame({"row_id": np.asarray(row_id, dtype=object), "flag": flag, "detail": detail}).astype("str")


def find_flags(rows: pd.DataFrame, items: Sequence[Item], form: str, thresholds: Mapping[str, Any]) -> pd.DataFrame:
    """The flags that need whole forms or other rows, for the cleaned rows of a survey in one file or in several together."""
    comparison = Comparison(items, form, thresholds)
    comparison.add(rows)
    return comparison.flags()


class Comparison:
    """The forms of one wave, added part by part; of a part only what later forms are compared by is kept, in few bytes."""

    def __init__(self, items: Sequence[Item], form: str, thresholds: Mapping[str, Any]) -> None:
        self.items, self.form, self.thresholds = items, form, thresholds
        self.closed = [(item, cell) for item in items if item.options and item.type != "text" for cell in item.cells]
        self.names: list[pd.DataFrame] = []  # row_id and interviewer_id of each part
        self.keys: list[dict[str, npt.NDArray[Any]]] = []
        self.answers: list[list[Codes]] = []  # closed ones of the forms that may be clones, a column a cell
        self.alone: dict[tuple[str, str], list[pd.DataFrame]] = {}  # flags that a form gets whatever the others say

    def add(self, rows: pd.DataFrame) -> None:
        """Take the rows of a part."""
        answers = {
            cell: codes_of(rows, item, cell) for item in self.items if item.type != "text" for cell in item.cells
        }
        balance = sum((codes > NO_ANSWER).astype(np.int16) - (codes == IS_BLANK) for codes in answers.values())
        complete = (rows["disposition"] == "complete").to_numpy()
        who = rows["interviewer_id"].astype("category")
        hashes = pd.util.hash_array(who.cat.categories.to_numpy(dtype=object)).view(np.int64)
        self.names.append(pd.DataFrame({"row_id": rows["row_id"], "interviewer_id": who}))
        whole, known = complete & (balance > 0), who.notna().to_numpy()  # whole: more answers than blanks
        self.keys.append({
            "same": hash_form(rows, self.items, answers), "complete": complete, "whole": whole,
            "moment": rows["submitted_at"].to_numpy().astype("datetime64[ns]").view(np.int64),
            "seconds": rows["seconds"].to_numpy(dtype=float, na_value=np.nan),
            "who": np.append(hashes, 0)[who.cat.codes], "compared": whole & known,
        })  # fmt: skip
        self.answers.append([narrow(answers[cell][whole & known]) for _, cell in self.closed])
        self.look(rows, answers, complete)

    def look(self, rows: pd.DataFrame, answers: Mapping[str, Codes], complete: Bools) -> None:
        """The flags of forms by themselves."""
        row_id = rows["row_id"].to_numpy(dtype=object)

        def add(flag: str, where: Bools, detail: str = "") -> None:
            self.alone.setdefault((flag, detail), []).append(make_flags(row_id[where], flag, detail))

        matrices = [[answers[cell] for cell in item.cells]
                    for item in self.items if item.is_matrix and not (item.right or item.right_from)]  # fmt: skip
        add("straight_line", complete & find_straight_lines(matrices, self.thresholds["longstring"]))
        for item in self.items:
            for row, code in item.attention.items():
                given = clicked(answers[f"{item.id}_{row}"])
                add("attention_failed", (given != code) & (given > NO_ANSWER), f"{item.id}_{row}")
            for row in item.decoy:
                add("decoy", answers[f"{item.id}_{row}"] >= 2, f"{item.id}_{row}")
        for rule in CONTRADICTIONS.get(self.form, ()):
            if set(names_in(rule)) <= set(rows):
                add("contradiction", holds(rule, rows), rule)

    def flags(self) -> pd.DataFrame:
        """All flags of the forms that were added; the comparison is used up by it."""
        keys = {name: np.concatenate([part.pop(name) for part in self.keys]) for name in list(self.keys[0])}
        duplicate, near = find_duplicates(keys["same"], keys["moment"], keys["whole"])
        size = self.clones(keys, ~duplicate & ~near)
        cloned = self.named(size > 0)
        told = cloned["interviewer_id"].astype(str) + " x " + size[size > 0].astype(str)
        found = [make_flags(self.named(duplicate)["row_id"], "duplicate"), make_flags(self.named(near)["row_id"], "near_duplicate"),
                 make_flags(cloned["row_id"], "cloned_block", told), self.speeders(keys["complete"], keys["seconds"])]  # fmt: skip
        return pd.concat([*found, *(part for parts in self.alone.values() for part in parts)], ignore_index=True)

    def named(self, which: Bools) -> pd.DataFrame:
        """row_id and interviewer_id of some forms."""
        parts = np.split(which, np.cumsum([len(names) for names in self.names])[:-1])
        return pd.concat(
            [names[part].astype("str") for names, part in zip(self.names, parts, strict=True)], ignore_index=True
        )

    def clones(self, keys: Mapping[str, npt.NDArray[Any]], once: Bools) -> Ints:
        """For each form the size of its cloned block, 0 where there is none."""
        at, differs = np.flatnonzero(keys["compared"]), self.thresholds["clone_differs"]
        who, size = keys["who"][at], np.zeros(len(once), dtype=np.int64)
        if not self.closed:
            return size
        near = sharing(self.answers, who, once[at], differs)
        which = split_like(near, self.answers)
        columns = [np.concatenate([part[place][own] for part, own in zip(self.answers, which, strict=True)])
                   for place in range(len(self.closed))]  # fmt: skip
        size[at[near]] = find_clones(
            columns, who[near], np.ones(near.sum(), bool), differs, self.thresholds["clone_block"]
        )
        return size

    def speeders(self, complete: Bools, seconds: npt.NDArray[np.float64]) -> pd.DataFrame:
        """Complete forms that took less than a part of the median time."""
        if not (complete & ~np.isnan(seconds)).any():
            return make_flags()
        median = float(np.nanmedian(seconds[complete]))
        fast = complete & (seconds < self.thresholds["speeder"] * median)
        return make_flags(
            self.named(fast)["row_id"], "speeder", [f"{value:.0f} / {median:.0f}" for value in seconds[fast]]
        )


def codes_of(rows: pd.DataFrame, item: Item, cell: str) -> Codes:
    """One answer as integers: the code (of a multiple choice: its set of options; of a number 0), NO_ANSWER and below where missing."""
    if item.type == "multi":
        value: Any = sum(
            rows[name].to_numpy(dtype=np.int32, na_value=0) << place for place, name in enumerate(item.variables)
        )
    elif item.type == "number":
        value = 0  # not whole: `hash_form` takes it as it is
    else:
        value = rows[cell].to_numpy(dtype=np.int32, na_value=0)
    why = rows[f"{cell}_missing"].astype(pd.CategoricalDtype(list(WHY_MISSING))).cat.codes.to_numpy()
    codes: Codes = np.where(why >= 0, NO_ANSWER - why.astype(np.int32), value).astype(np.int32)
    return codes


def hash_columns(columns: Sequence[npt.NDArray[Any]], n: int) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each row over integer columns: among a million rows two differ and agree with odds of 1 to 10^7."""
    mixed = np.full(n, 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.int64).view(np.uint64)) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(32)
    return mixed


def narrow(codes: Codes) -> Any:
    """Codes to be compared with each other, in as few bytes as they fit; a missing answer is -100 and below: no option is."""
    short = np.where(codes <= NO_ANSWER, codes - NO_ANSWER - 100, codes)
    for kind in (np.int8, np.int16):
        if np.array_equal(small := short.astype(kind), short):
            return small
    return short


def hash_form(rows: pd.DataFrame, items: Sequence[Item], answers: Mapping[str, Codes]) -> npt.NDArray[np.uint64]:
    """A hash of all answers of each form, equal for equal ones wherever they stand."""
    numbers = [
        rows[item.id].to_numpy(dtype=float, na_value=np.nan).view(np.int64) for item in items if item.type == "number"
    ]
    words = [item.id for item in items if item.type == "text"]
    words += [f"{item.id}_{code}_text" for item in items for code in item.fill_in]
    hashes = [
        pd.util.hash_pandas_object(rows[name].astype("category"), index=False).to_numpy().view(np.int64)
        for name in words
    ]
    return hash_columns([*answers.values(), *numbers, *hashes], len(rows))


def find_duplicates(same: npt.NDArray[np.uint64], moment: Ints, whole: Bools) -> tuple[Bools, Bools]:
    """Forms that repeat an earlier one in all answers (`same`) and the time, and `whole` ones that repeat an earlier one but the time."""
    duplicate = pd.Index(hash_columns([same.view(np.int64), moment], len(same))).duplicated()
    near = np.zeros(len(same), dtype=bool)
    near[whole] = pd.Index(same[whole]).duplicated()
    return duplicate, near & ~duplicate


def sharing(parts: Sequence[Sequence[Codes]], interviewer: Ints, which: Bools, differs: int) -> Bools:
    """The forms of `which` that agree with another of their interviewer in a whole group of answers; columns in parts."""
    found, whose = np.zeros(len(which), dtype=bool), split_like(interviewer, parts)
    for group in range(differs + 1):
        keys = [
            hash_columns([who, *part[group :: differs + 1]], len(who)) for part, who in zip(parts, whose, strict=True)
        ]
        found[which] |= pd.Index(np.concatenate(keys)[which]).duplicated(keep=False)
    return found


def split_like(values: npt.NDArray[Any], parts: Sequence[Sequence[Codes]]) -> list[npt.NDArray[Any]]:
    """Values of all forms in a row, parted as the columns of their answers are."""
    sizes = [len(part[0]) for part in parts if part]
    return np.split(values, np.cumsum(sizes)[:-1]) if sizes else [values]


def find_clones(closed: Sequence[Codes], interviewer: Ints, which: Bools, differs: int, block: int) -> Ints:
    """For each form the size of its cloned block, 0 where there is none.

    Two forms of an interviewer are linked when at most `differs` closed answers differ; linked forms are a block. Split
    into `differs` + 1 groups, the answers of linked forms agree in at least one whole group: only such forms are compared.
    """
    at = np.flatnonzero(sharing([closed], interviewer, which, differs))
    columns, who = [column[at] for column in closed], interviewer[at]
    pairs = [np.empty((2, 0), dtype=np.int64)]
    everything = hash_columns(columns, len(at))
    for group in range(differs + 1):
        key = hash_columns([who, *columns[group :: differs + 1]], len(at))
        order = np.lexsort((everything, key))
        order = order[pd.Series(key[order]).duplicated(keep=False).to_numpy()]
        for step in range(1, MOST_COMPARED):
            left, right = order[:-step], order[step:]
            alike = key[left] == key[right]
            if not alike.any():
                break
            left, right = left[alike], right[alike]
            apart = np.zeros(len(left), dtype=np.int64)
            for column in columns:
                apart += column[left] != column[right]
            pairs.append(np.stack([left, right])[:, apart <= differs])
    left, right = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(at), len(at)))
    member = connected_components(graph, directed=False)[1] if len(at) else at
    size = np.zeros(len(which), dtype=np.int64)
    size[at] = np.bincount(member, minlength=1)[member] if len(at) else 0
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
        again = given & (matrix[:, k] == matrix[:, k - 1]) if k else given
        run = np.where(again, run + 1, given)
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
        return longest_run(np.hstack(tables)) >= int(longstring) if tables else np.zeros(0, dtype=bool)
    some = varied = np.zeros(len(tables[0]) if tables else 0, dtype=bool)
    for table in tables:
        if table.shape[1] >= FEWEST_ROWS:
            full = (table > NO_ANSWER).all(axis=1)
            same = (table == table[:, :1]).all(axis=1)
            some, varied = some | full & same, varied | full & ~same
    return np.asarray(some & ~varied)
