"""Indicators by declaration: who counts as one and who is in the base, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from huying.codebook import house_codebook
from huying.errors import CountyError, Place
from huying.estimates import Design
from huying.indicators import house_indicators, read_indicator
from huying.samples import Sample

BOOK = house_codebook()
PLACE = Place("claims.toml")
POLITE = {"id": "polite", "form": "resident", "when": "R24_c >= 4", "zh": "窗口态度好", "en": "polite staff"}


def sample(**columns):
    rows = pd.DataFrame(columns).assign(town_id="T01")
    n = len(rows)
    return Sample(rows, Design(np.zeros(n, int), np.arange(n), np.ones(n), ("T01",)), pd.DataFrame(), "2023")


def test_whoever_did_not_answer_is_outside_the_base():
    asked = sample(R24_c=[5.0, 4.0, 3.0, np.nan, np.nan], R24_c_missing=[None, None, None, "does_not_know", "blank"])
    np.testing.assert_array_equal(read_indicator(POLITE, BOOK, PLACE).of(asked, BOOK), [1, 1, 0, np.nan, np.nan])
    counting = read_indicator({**POLITE, "unknown": "counts"}, BOOK, PLACE)
    np.testing.assert_array_equal(
        counting.of(asked, BOOK), [1, 1, 0, 0, np.nan]
    )  # cannot say stays in, a blank does not


def test_a_base_cuts_the_respondents():
    asked = sample(R15=[1.0, 2.0, 1.0, np.nan], R15_missing=[None, None, None, "skipped"], R13=[1.0, 1.0, 2.0, 2.0])
    old = house_indicators()["first_contact_old"]
    np.testing.assert_array_equal(old.of(asked, BOOK), [1, 0, np.nan, np.nan])  # the third had no business


def test_one_option_of_a_multiple_choice():
    heard = read_indicator({**POLITE, "when": "R11_1 = 1"}, BOOK, PLACE)
    asked = sample(R11_1=[1.0, 0.0, np.nan], R11_missing=[None, None, "skipped"])
    np.testing.assert_array_equal(heard.of(asked, BOOK), [1, 0, np.nan])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wen": "R09 = 1"}, "unknown key wen"),
        ({"form": "leader"}, "form = leader is not known. Known: resident, staff"),
        ({"unknown": "drop"}, "unknown = drop is not known"),
        ({"when": "R99 = 1"}, "the rule R99 = 1 cannot be read: R99 is no item"),
        ({"when": "S09 >= 3"}, "S09 is no item of the form"),  # an item of another form
        ({"when": "R24_c is high"}, "the rule R24_c is high cannot be read"),
        ({"base": "R13 = 1 or R22 = 1"}, "cannot be read"),
    ],
)
def test_what_cannot_be_an_indicator(change, said):
    with pytest.raises(CountyError, match=said):
        read_indicator({**POLITE, **change}, BOOK, PLACE)
