"""Whether the demo county's evidence is what it was before its notebooks computed it: row by row, to nine digits.

`python tests/end_to_end/test_frozen_evidence.py EVIDENCE.parquet [CLAIM ...]` prints what differs, of all claims or of some.
Where the frozen rows come from, and which parts remain: tests/data/frozen/PROVENANCE.md.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huying.claims.declared import claims_of, read_freeze, rule_hashes
from huying.folder import read_county

FROZEN = Path(__file__).parents[1] / "data" / "frozen"
DEMO = Path(__file__).parents[2] / "survey_data" / "demo"
KEY = ["claim", "part", "place", "period", "wave"]
NUMBERS = ["estimate", "low", "high", "n", "n_eff", "df", "deff", "low_family", "high_family"]
VERDICTS = ["verdict", "verdict_family"]
WORDS = [
    "unit",
    "n_of",
    "is_counted",
    "method",
    "reliability",
    "remark",
    "reason",
]  # frozen too, for who reads sentences back
ROW = "row"  # stands for the column where a whole row is missing, or where there is one too many
RELATIVE, ABSOLUTE = 1e-9, 1e-12
MOST_EXCEPTED, SHOWN = 0.01, 10


def read_text(name: str) -> pd.DataFrame:
    """A file of the oracle, every cell as it is written."""
    return pd.read_csv(FROZEN / name, dtype=str, keep_default_na=False, encoding="utf-8")


def read_frozen() -> pd.DataFrame:
    """The frozen rows: the headlines (part empty) and the parts that remain."""
    rows = read_text("evidence.csv.gz")
    return rows.assign(**{name: pd.to_numeric(rows[name]) for name in NUMBERS})


def name_parts(evidence: pd.DataFrame) -> pd.DataFrame:
    """The headlines and the parts that remain, of evidence whose parts are called `sub` or `part`, by old or new names."""
    parts = read_text("parts.csv")
    new = {(row.claim, row.sub_old): row.part for row in parts.itertuples()}
    rows = evidence.rename(columns={"sub": "part"})
    rows = rows.assign(**{name: rows[name].astype(object).fillna("").astype(str) for name in [*KEY, *VERDICTS]})
    pairs = list(zip(rows["claim"], rows["part"], strict=True))
    rows["part"] = [new.get(pair, pair[1]) for pair in pairs]
    remaining = set(zip(parts["claim"], parts["part"], strict=True))
    pairs = zip(rows["claim"], rows["part"], strict=True)
    is_kept = [part == "" or (claim, part) in remaining for claim, part in pairs]
    words = [name for name in WORDS if name in rows]
    return rows.loc[is_kept, [*KEY, *NUMBERS, *VERDICTS, *words]].reset_index(drop=True)


def find_differences(frozen: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Columns of KEY, `column`, `frozen` and `now`: a line a value that moved, a missing row, a headline too many.

    Further rows of parts are nobody's fault: a notebook may show more than was shown before.
    """
    once = now.drop_duplicates(KEY)
    both = frozen.merge(once, on=KEY, how="outer", suffixes=("_frozen", "_now"), indicator=True)
    found = [tell(now[now.duplicated(KEY)], ROW, "once", "again")]
    found += [tell(both[both["_merge"] == "left_only"], ROW, "there", "missing")]
    found += [tell(both[(both["_merge"] == "right_only") & (both["part"] == "")], ROW, "none", "extra")]
    same = both[both["_merge"] == "both"]
    for name in [*NUMBERS, *VERDICTS]:
        before, after = same[f"{name}_frozen"], same[f"{name}_now"]
        moved = ~is_close(before, after) if name in NUMBERS else (before != after) & (same["part"] == "")
        found += [tell(same[moved], name, before[moved], after[moved])]
    table = pd.concat(found, ignore_index=True)
    claims = {claim: n for n, claim in enumerate(dict.fromkeys(frozen["claim"]))}
    return table.sort_values("claim", key=lambda own: own.map(claims).fillna(len(claims)), kind="stable")


def tell(rows: pd.DataFrame, column: str, before: object, after: object) -> pd.DataFrame:
    """Lines of `find_differences` about these rows."""
    return rows[KEY].assign(column=column, frozen=before, now=after).astype({"frozen": object, "now": object})


def is_close(before: pd.Series, after: pd.Series) -> pd.Series:
    """Whether numbers are equal to nine digits; missing equals missing."""
    a, b = before.to_numpy(dtype=float), after.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= np.maximum(ABSOLUTE, RELATIVE * np.abs(a))
    finite = np.isfinite(a) & np.isfinite(b)
    return pd.Series((finite & near) | (a == b) | (np.isnan(a) & np.isnan(b)), index=before.index)


def set_exceptions_apart(found: pd.DataFrame, exceptions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The differences that no exception names, and the exceptions that name no difference."""
    at = [*KEY, "column"]
    found_at, excepted_at = (pd.MultiIndex.from_frame(table[at]) for table in (found, exceptions))
    return found[~found_at.isin(excepted_at)], exceptions[~excepted_at.isin(found_at)]


def show(found: pd.DataFrame) -> str:
    """The first differences of each claim as a table."""
    parts = []
    for claim, own in found.groupby("claim", sort=False):
        head = own.drop(columns="claim").head(SHOWN).replace({"part": {"": "(headline)"}})
        head = head.assign(**{name: [show_value(value) for value in head[name]] for name in ("frozen", "now")})
        more = f", the first {SHOWN}" if len(own) > SHOWN else ""
        rows = len(own.drop_duplicates(KEY))
        parts.append(f"{claim}: {len(own)} values differ in {rows} rows{more}\n{head.to_string(index=False)}")
    return "\n\n".join(parts)


def show_value(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def compare(evidence: pd.DataFrame, claims: Sequence[str] = ()) -> str:
    """What is wrong with the evidence (of some claims, or of all), empty where nothing is."""
    tables = read_frozen(), name_parts(evidence), read_text("exceptions.csv")
    frozen, now, exceptions = (table[table["claim"].isin(claims)] if claims else table for table in tables)
    left, unused = set_exceptions_apart(find_differences(frozen, now), exceptions)
    told = [show(left)] if len(left) else []
    told += [f"exceptions that are not needed:\n{unused.to_string(index=False)}"] if len(unused) else []
    return "\n\n".join(told)


# --- the demo county --------------------------------------------------------------------------------------------------


def test_the_evidence_has_not_moved(demo_evidence):
    told = compare(demo_evidence)
    assert not told, f"\n{told}"


def test_exceptions_are_few_and_have_a_reason():
    exceptions, frozen = read_text("exceptions.csv"), read_frozen()
    assert list(exceptions) == [*KEY, "column", "reason"]
    assert exceptions["reason"].str.strip().ne("").all()
    assert len(exceptions.drop_duplicates(KEY)) <= MOST_EXCEPTED * len(frozen)


def test_every_part_that_remains_is_frozen():
    frozen, parts = read_frozen(), read_text("parts.csv")
    rows = frozen[frozen["part"] != ""]
    assert set(zip(rows["claim"], rows["part"], strict=True)) == set(zip(parts["claim"], parts["part"], strict=True))
    assert set(parts["why"]) == {"rule", "drawn", "printed"}
    assert not frozen.duplicated(KEY).any() and not parts.duplicated(["claim", "part"]).any()


# --- the comparison itself: what it must see, each on the frozen rows changed in one place ----------------------------


def changed(column: str, value: object, part: str = "") -> pd.DataFrame:
    rows = read_frozen()
    rows[column] = rows[column].astype(object)
    own = (rows["claim"] == "P16") & (rows["place"] == "T07") & (rows["wave"] == "2023") & (rows["part"] == part)
    assert own.sum() == 1
    old = rows.loc[own, column].iloc[0]
    rows.loc[own, column] = value(old) if callable(value) else value
    return rows


@pytest.mark.parametrize("part", ["", "unweighted"])
@pytest.mark.parametrize("column", ["estimate", "low", "high", "n", "n_eff", "df", "deff"])
def test_a_changed_ninth_digit_is_seen_and_a_changed_twelfth_is_not(column, part):
    assert "P16: 1 values differ in 1 rows" in compare(changed(column, lambda old: old * (1 + 2e-9), part))
    assert not compare(changed(column, lambda old: old * (1 + 1e-12), part))


@pytest.mark.parametrize("column", ["estimate", "low_family", "high_family"])
def test_a_value_that_goes_missing_is_seen(column):
    assert column in compare(changed(column, np.nan))


@pytest.mark.parametrize("column", VERDICTS)
def test_verdicts_of_headlines_are_compared_and_of_parts_are_not(column):
    assert column in compare(changed(column, "supported"))
    assert not compare(changed(column, "supported", "unweighted"))


def test_a_missing_row_an_extra_headline_and_a_repeated_row_are_seen():
    rows = read_frozen()
    own = rows[(rows["claim"] == "P16") & (rows["place"] == "T07") & (rows["part"] == "unweighted")].head(1)
    assert "missing" in compare(rows.drop(own.index))
    assert "extra" in compare(pd.concat([rows, own.assign(part="", wave="2025")]))
    assert "again" in compare(pd.concat([rows, own]))
    assert not compare(pd.concat([rows, own.assign(part="another"), own.assign(wave="2025")]))


def test_old_names_and_the_old_column_are_understood():
    parts = read_text("parts.csv")
    old = {(row.claim, row.part): row.sub_old for row in parts.itertuples()}
    rows = read_frozen()
    rows["part"] = [old.get(pair, pair[1]) for pair in zip(rows["claim"], rows["part"], strict=True)]
    assert not compare(rows.rename(columns={"part": "sub"}))


def test_only_the_claims_that_are_asked_for_are_compared():
    rows = changed("estimate", 0.0)
    assert not compare(rows, ["P17"]) and compare(rows, ["P16", "P17"])


def test_an_exception_that_is_needed_excuses_and_one_that_is_not_is_told():
    found = find_differences(read_frozen(), name_parts(changed("estimate", 0.0)))
    exceptions = found[[*KEY, "column"]].assign(reason="a test")
    left, unused = set_exceptions_apart(found, exceptions)
    assert left.empty and unused.empty
    left, unused = set_exceptions_apart(found, exceptions.assign(column="low"))
    assert len(left) == len(unused) == 1


def main(file: str, *claims: str) -> int:
    """Print what differs of all claims or of some; 0 where nothing does."""
    if unknown := set(claims) - set(read_text("evidence.csv.gz")["claim"]):
        print(f"no such claim in the frozen evidence: {', '.join(sorted(unknown))}")
        return 2
    told = compare(pd.read_parquet(file), claims)
    print(told or f"{' '.join(claims) or 'all claims'}: as frozen")
    return 1 if told else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: python {sys.argv[0]} EVIDENCE.parquet [CLAIM ...]")
    raise SystemExit(main(*sys.argv[1:]))


# --- the rules before -------------------------------------------------------------------------------------------------


def test_rules_that_were_frozen_before_count_as_changed(tmp_path):
    """All but those whose rule is the same to the letter: the numbers of such a county say so."""
    (tmp_path / "frozen.toml").write_bytes((FROZEN / "rules_before.toml").read_bytes())
    before = read_freeze(replace(read_county(DEMO), folder=tmp_path))
    now = rule_hashes(county := read_county(DEMO), claims_of(county))
    changed = {claim for claim in before.hashes if before.remark(claim, now[claim]) == "rule_changed"}
    assert set(before.hashes) == set(now) and {"P23", "S23", "P25", "D04", "A11"} <= changed
    assert not {claim for claim in now if read_freeze(county).remark(claim, now[claim])}


def test_every_headline_that_moved_has_its_rule():
    changes = read_text("changes.csv")
    assert changes["rule"].str.strip().ne("").all() and len(changes) == 515
    assert not changes.duplicated([name for name in KEY if name != "part"]).any()
