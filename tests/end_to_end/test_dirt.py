"""Every kind of dirt of the answer key: found, missed, false alarms. `pytest -s` prints the table."""

import pandas as pd
import pytest

FLAGS = {"duplicate": "duplicate", "near_duplicate": "near_duplicate", "cloned_block": "cloned_block", "speeder": "speeder",
         "straight_line": "straight_line", "attention_failed": "attention_failed", "answered_though_skipped": "skip_violation",
         "exclusive_with_others": "exclusive_conflict", "more_calls_than_needs": "contradiction",
         "age_year_of_birth": "age_from_birth_year"}  # fmt: skip
REASONS = {"age_zero": "out_of_range", "age_seven": "out_of_range", "age_over": "out_of_range", "age_chinese": "not_a_number",
           "date_out_of_window": "outside_wave", "date_two_digit_year": "unreadable_time", "closed_before_called": "before",
           "unreadable_date": "unfit", "line_in_another_encoding": "encoding", "town_typo": "town_unknown"}  # fmt: skip
ENDINGS = ("refused", "elsewhere", "not_resident", "under_age")
NEVER_MISSED = ("duplicate", "near_duplicate", "cloned_block", "more_calls_than_needs", "exclusive_with_others", "town_typo",
                "age_zero", "age_seven", "age_over", "age_chinese", "age_year_of_birth")  # fmt: skip


def ids(table):
    return set(zip(table["file"].str.split("/").str[-1], table["row"].astype(int), strict=True))


def by_row_id(row_ids):
    return {(r.split("#")[0].split("/")[-1], int(r.split("#")[1])) for r in row_ids}


@pytest.fixture(scope="module")
def report(cleaned, key):
    rows, n = [], int(cleaned.counts["n_read"].sum())
    set_aside = ids(cleaned.rejected[cleaned.rejected["level"] == "row"])
    for kind, flag in FLAGS.items():
        planted = ids(key[key["kind"] == kind])
        found = by_row_id(cleaned.flags.loc[cleaned.flags["flag"] == flag, "row_id"])
        rows.append(
            (
                kind,
                len(planted),
                len(planted & (found | set_aside)),
                sorted(planted - found - set_aside),
                len(found - planted),
            )
        )
    reasons = pd.Series(list(REASONS.values())).unique()
    for reason in reasons:
        kinds = [kind for kind, why in REASONS.items() if why == reason]
        found = ids(cleaned.rejected[cleaned.rejected["reason"] == reason])
        everything = ids(key[key["kind"].isin(kinds)])
        for kind in kinds:
            planted = ids(key[key["kind"] == kind])
            rows.append((kind, len(planted), len(planted & found), sorted(planted - found), len(found - everything)))
    forms = pd.concat([frame[["row_id", "disposition"]] for frame in cleaned.forms.values()])
    for ending in ENDINGS:
        planted = ids(key[key["kind"] == f"disposition_{ending}"])
        found = by_row_id(forms.loc[forms["disposition"] == ending, "row_id"])
        rows.append(
            (
                f"disposition_{ending}",
                len(planted),
                len(planted & (found | set_aside)),
                sorted(planted - found - set_aside),
                len(found - planted),
            )
        )
    table = pd.DataFrame(rows, columns=["kind", "planted", "found", "missed", "false_alarms"])
    print("\n" + table.assign(missed=table["missed"].str.len()).to_string(index=False))
    return table.set_index("kind"), n


def test_the_kinds_that_may_never_be_missed(report):
    table, _ = report
    assert table.loc[list(NEVER_MISSED), "missed"].map(len).sum() == 0, table.loc[list(NEVER_MISSED), "missed"]
    assert (table["planted"] > 0).all()


def test_nothing_else_is_missed_either(report):
    table, _ = report
    assert table["missed"].map(len).sum() == 0, table.loc[table["missed"].map(len) > 0, "missed"]


def test_false_alarms_are_at_most_one_per_cent(report):
    table, n = report
    assert (table["false_alarms"] <= 0.01 * n).all(), table["false_alarms"]


def test_every_row_is_kept_or_rejected(cleaned):
    counts = cleaned.counts
    assert (counts["n_read"] == counts["n_kept"] + counts["n_rejected"]).all()
    assert counts["n_rejected"].sum() == (cleaned.rejected["level"] == "row").sum()


def test_no_town_name_is_matched_wrongly(cleaned, key):
    planted = key[key["kind"].str.startswith("town_") & (key["kind"] != "town_typo")]
    forms = pd.concat([frame[["row_id", "town_id"]] for frame in cleaned.forms.values()]).set_index("row_id")["town_id"]
    checked = 0
    for row in planted[planted["file"].str.startswith("residents")].to_dict("records"):
        found = forms.get(f"raw/{row['file']}#{row['row']}")
        if found is not None:
            checked += 1
            assert found == row["true"]
    for table, file in (("calls", "calls_2022.xlsx"), ("unit_check", "unit_check_2023.csv")):
        assert file in set(planted["file"]), table
    assert checked > 5


def test_no_personal_number_is_left(cleaned, key):
    text = cleaned.forms["resident"].set_index("row_id")["R26"].dropna()
    assert not text.str.contains(r"\d{11}").any()
    assert text.str.contains(r"\[").sum() >= len(key[key["kind"] == "personal_data"]) - 3
