"""A county cleaned and estimated in parts gives what it gives in memory."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from huying.batch.intake import Intake
from huying.batch.stored import clean_stored, estimate_stored
from huying.codebook import house_codebook
from huying.estimates import estimate_shares
from huying.folder import read_county
from huying.indicators import house_indicators
from huying.samples import resident_sample
from huying.sources.parts import read_parts
from huying.sources.personal import drop_personal
from huying.sources.table import read_table
from huying.store import load_cleaned, save_cleaned

DEMO = Path(__file__).parents[2] / "survey_data" / "demo"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The demo county in memory, and where it is cleaned in parts of 50 lines."""
    county, folder = read_county(DEMO), tmp_path_factory.mktemp("stored")
    whole = Intake(county).run()
    clean_stored(county, folder / "parts", rows=50)
    save_cleaned(folder / "whole", whole)
    return county, whole, folder


def test_parts_are_cleaned_as_the_whole(both):
    _, whole, folder = both
    ours, theirs = load_cleaned(folder / "whole"), load_cleaned(folder / "parts")
    assert list(ours.forms) == list(theirs.forms) and ours.notes == theirs.notes == whole.notes
    for form in ours.forms:
        assert_frame_equal(ours.forms[form], theirs.forms[form])
    for name in ("rejected", "flags", "counts"):
        assert_frame_equal(getattr(ours, name), getattr(theirs, name))
    assert (theirs.counts["n_read"] == theirs.counts["n_kept"] + theirs.counts["n_rejected"]).all()
    assert {"duplicate", "near_duplicate", "cloned_block", "speeder"} <= set(theirs.flags["flag"])
    assert not list((folder / "parts").glob(".shelf*"))


def test_stored_estimates_are_those_of_the_sample(both):
    county, whole, folder = both
    book, fewest = house_codebook(), county.thresholds["fewest_residents"]
    for wave in ("2023", "2024"):
        shares, weights = estimate_stored(county, folder / "parts", wave, rows=300)
        sample = resident_sample(whole, county, book, wave)
        mine = pd.DataFrame(
            {key: own.of(sample, book) for key, own in house_indicators().items() if own.form == "resident"}
        )
        expected = estimate_shares(sample.design, mine, wave=wave, fewest=fewest)
        assert set(shares["indicator"]) == {"awareness", "first_contact_old", "satisfied"}
        assert_frame_equal(shares, expected, rtol=1e-12, atol=1e-12)
        assert_frame_equal(weights, sample.diagnostics, rtol=1e-12, atol=1e-12)


LINES = ["序号,电话,答案", "1,13800138000,好", "2,,", "3,13800138001,差", "4,13800138002,中"]


@pytest.mark.parametrize(
    "lines",
    [LINES, [*LINES[:3], "", *LINES[3:]], [*LINES[:3], "7,8", *LINES[3:]], [*LINES[:3], LINES[0], *LINES[3:]],
     [*LINES[:3], '5,"1380013\n8000",多行', *LINES[3:]], [*LINES, "合计,,"]],
    ids=["plain", "blank line", "short line", "header again", "quoted line end", "total"],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_parts_of_a_table_are_the_table(tmp_path, lines, encoding, rows):
    file = tmp_path / "a.csv"
    file.write_bytes("\n".join(lines).encode(encoding))
    whole, dropped = drop_personal(read_table(file, repeats=True))
    parts = list(read_parts(file, rows))
    assert len(parts) > 1 and max(len(raw.text) for raw, _ in parts) <= rows
    text, rejected = (pd.concat([getattr(raw, name) for raw, _ in parts]) for name in ("text", "rejected"))
    assert_frame_equal(text, whole.text, check_index_type=False)
    assert list(text.index) == list(whole.text.index)
    assert_frame_equal(rejected.reset_index(drop=True), whole.rejected, check_dtype=False)
    assert dropped == {"电话": sum(gone["电话"] for _, gone in parts)} and np.sum(list(dropped.values())) > 0
