"""What `check` names and the run goes on without: margins, more forms than staff, limits in a year without a notice."""

import pandas as pd
import pytest
from test_samples import BOOK, MARGINS, TOWNS, cleaned, residents

from huying.folder import read_county
from huying.surveys import find_shortfalls

TOML = """
[county]
id = "x"
name_zh = "甲县"
name_en = "A"
sampling = "probability"
is_synthetic = true
[period.2026]
from = 2026-01-01
to = 2026-12-31
as_of = 2027-01-06
"""


@pytest.fixture
def county(tmp_path):
    (tmp_path / "county.toml").write_text(TOML, "utf-8")
    return read_county(tmp_path)


def told(data, county):
    return find_shortfalls(data, county, BOOK)


def test_fit_files_have_no_shortfall(county):
    assert not len(told(cleaned(residents()), county))


@pytest.mark.parametrize(("add", "is_fault", "said"), [(1, False, "scaled to the first"), (700, True, "cannot be met")])
def test_a_margin_at_odds_is_named_with_its_town(county, add, is_fault, said):
    data, margins = cleaned(residents()), MARGINS.copy().astype({"adults": float})
    at = margins.index[(margins["town_id"] == "T01") & (margins["item"] == "age")][0]
    margins.loc[at, "adults"] += add
    data.ledgers["margins", ""] = margins
    row = told(data, county).iloc[0]
    assert (row["place"], row["is_fault"]) == ("T01", is_fault) and said in row["note"]


def test_more_forms_than_staff_are_named_with_both_numbers(county):
    rows = pd.DataFrame({"row_id": range(25), "wave": "2023", "disposition": "complete", "town_id": "T01"})
    data = cleaned(rows, form="staff")
    data.ledgers["towns", ""] = TOWNS.assign(staff_listed=[20, 9])
    row = told(data, county).iloc[0]
    assert (row["source"], row["place"], row["is_fault"]) == ("staff 2023", "T01", True)
    assert row["note"].startswith("25 staff forms came, the register lists 20 people")


def test_a_call_whose_limit_no_notice_covers_is_named_and_the_others_are_judged(county):
    times = pd.to_datetime(["2026-06-01 10:00", "2026-12-30 10:00"])
    end = pd.to_datetime(["2026-06-02 10:00", "NaT"])
    calls = pd.DataFrame({"call_id": ["C1", "C99"], "town_id": "T01", "called_at": times, "dispatched_at": times, "status": ["closed", "open"],
                          "responded_at": end, "closed_at": end, "feedback_at": end, "returned_n": 0, "transfer_n": 0, "reopened_of": None})  # fmt: skip
    data = cleaned(residents())
    data.ledgers["calls", "2026"] = calls
    row = told(data, county).iloc[0]
    assert not row["is_fault"] and "1 calls" in row["note"] and "C99" in row["note"] and "C1," not in row["note"]
