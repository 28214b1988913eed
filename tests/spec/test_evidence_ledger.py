"""The evidence ledger has the columns of definitions, section 7, in their order and with their types."""

import numpy as np
import pandas as pd
import pytest

from huying import store
from huying.claims.declared import Freeze, house_claims
from huying.claims.evidence import EVIDENCE, as_evidence, no_data
from huying.claims.rules import CANNOT_SAY, judge_claim
from huying.folder import read_county
from huying.intervals import COUNT

COLUMNS = [
    "claim",
    "place",
    "period",
    "wave",
    "part",
    "estimate",
    "low",
    "high",
    "unit",
    "n",
    "n_of",
    "is_counted",
    "n_eff",
    "df",
    "deff",
    "method",
    "reliability",
    "verdict",
    "verdict_family",
    "low_family",
    "high_family",
    "remark",
    "reason",
    "rule",
    "rule_hash",
    "rule_frozen_on",
    "excluded_flags",
    "data_hash",
    "notebook",
    "cell",
    "is_synthetic",
]
NUMBERS = {"estimate", "low", "high", "n", "n_eff", "df", "deff", "low_family", "high_family"}
HEAD = '[county]\nid = "x"\nname_zh = "甲县"\nname_en = "A"\nsampling = "probability"\nis_synthetic = true\n'
KEY = ["claim", "place", "period", "wave", "part"]


@pytest.fixture
def ledger(tmp_path):
    (tmp_path / "county.toml").write_text(HEAD + '[exclude]\nflags = ["duplicate", "cloned_block"]\n', "utf-8")
    county, claim = read_county(tmp_path), house_claims()["P13"]
    counted = pd.DataFrame({"place": ["T01", "T02"], "part": "", "period": "2023", "wave": "", "estimate": [0.3, 0.1], "n": 144.0,
                            "se": np.nan, "n_eff": np.nan, "df": np.nan, "deff": np.nan, "method": COUNT, "reliability": "ok"})  # fmt: skip
    parts = [judge_claim(claim, counted.assign(low=counted["estimate"], high=counted["estimate"])),
             no_data(("T01", "county"), "no data: unit_check").assign(period="2024")]  # fmt: skip
    frozen = Freeze({"P13": "0123456789abcdef"}, "2023-04-28")
    rows = [as_evidence(county, claim, part, frozen, "0123456789abcdef", "f" * 64) for part in parts]
    return pd.concat(rows, ignore_index=True)


def test_names_and_order(ledger):
    assert list(EVIDENCE) == COLUMNS
    assert list(ledger.columns) == COLUMNS


def test_types(ledger):
    for name in COLUMNS:
        if name in NUMBERS:
            assert ledger[name].dtype == "float64", name
        elif name in ("is_counted", "is_synthetic"):
            assert ledger[name].dtype == "bool"
        else:
            assert pd.api.types.is_string_dtype(ledger[name]), name
            assert ledger[name].map(type).eq(str).all(), name


def test_key(ledger):
    assert len(ledger) == 5  # two towns and the county counted, one town and the county without data
    assert not ledger.duplicated(KEY).any()


def test_what_every_row_carries(ledger):
    assert set(ledger["claim"]) == {"P13"}
    assert set(ledger["excluded_flags"]) == {"duplicate, cloned_block"}
    assert set(ledger["rule_hash"]) == {"0123456789abcdef"}
    assert set(ledger["rule_frozen_on"]) == {"2023-04-28"}
    assert set(ledger["data_hash"]) == {"f" * 16}
    assert ledger["is_synthetic"].all()
    assert ledger["rule"].str.startswith("SOME 0.3 (≥ 1); town GENERAL 0.3; base: ").all()


def test_no_data_says_why(ledger):
    missing = ledger[ledger["period"] == "2024"]
    assert set(missing["verdict"]) == set(missing["verdict_family"]) == {CANNOT_SAY}
    assert set(missing["reason"]) == {"no data: unit_check"}
    assert missing[["estimate", "low", "high"]].isna().all(axis=None)


def test_a_row_bears_the_reason_of_its_data_before_that_of_its_verdict_and_none_without_a_verdict(tmp_path):
    (tmp_path / "county.toml").write_text(HEAD, "utf-8")
    known = no_data(["T01", "T02", "T03"], "").assign(
        verdict=[CANNOT_SAY, CANNOT_SAY, ""], own_reason="interval includes the threshold"
    )
    judged = known.assign(reason=["", "too few answers", ""])
    rows = as_evidence(read_county(tmp_path), house_claims()["P13"], judged, Freeze(), "0" * 16, "f" * 64)
    assert rows["reason"].tolist() == ["interval includes the threshold", "too few answers", ""]
    assert set(rows["remark"]) == {"not_frozen"}


def as_row(tmp_path, claim, sampling="probability", **given):
    """One judged row, as it stands in the evidence ledger."""
    (tmp_path / "county.toml").write_text(HEAD.replace("probability", sampling), "utf-8")
    known = {"place": "T01", "part": "", "period": "", "wave": "", "method": COUNT, "estimate": 0.4, "low": 0.4, "high": 0.4,
             "n": 10.0, "verdict": "supported", "reason": "", "remark": "", **given}  # fmt: skip
    frozen = Freeze({claim: "0" * 16}, "2023-04-28")
    rows = as_evidence(read_county(tmp_path), house_claims()[claim], pd.DataFrame([known]), frozen, "0" * 16, "f" * 64)
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("sampling", "given", "remark"),
    [
        ("probability", {"wave": "2023"}, ""),
        ("quota", {"wave": "2023"}, "among_respondents"),
        ("quota", {"wave": "2023", "remark": "chance"}, "chance; among_respondents"),
        ("quota", {"wave": "2023", "verdict": ""}, ""),  # a part without a verdict
        ("quota", {"period": "2023"}, ""),  # a ledger is no sample
    ],
)
def test_a_survey_that_nobody_was_drawn_for_judges_its_respondents(tmp_path, sampling, given, remark):
    assert as_row(tmp_path, "P16", sampling, **given)["remark"] == remark


@pytest.mark.parametrize(
    ("claim", "given", "is_counted"),
    [
        ("P13", {"period": "2023"}, True),
        ("P13", {"period": "2023", "low": 0.3}, True),  # of a list that leaves something open all is counted
        ("P28", {"wave": "2023"}, True),  # a form that everybody sent
        ("P28", {"wave": "2023", "low": 0.3}, False),  # not everybody
        ("P13", {"period": "2023", "estimate": np.nan}, False),
        ("P13", {"period": "2023", "method": "exact"}, False),
        ("P16", {"wave": "2023", "part": "robustness"}, False),  # computed of a list, no count of it
    ],
)
def test_what_counts_a_complete_list_is_marked_as_counted(tmp_path, claim, given, is_counted):
    assert as_row(tmp_path, claim, **given)["is_counted"] == is_counted


@pytest.mark.parametrize(
    ("claim", "given", "unit", "noun"),
    [
        ("P16", {}, "share", "residents"),
        ("P16", {"unit": "points", "n_of": "staff"}, "points", "staff"),  # a row may name its own
        ("P16", {"unit": np.nan, "n_of": np.nan}, "share", "residents"),
        ("P13", {"place": "county", "unit": "index", "n_of": "marks"}, "share", "towns"),  # but not of how many towns
        ("P13", {"place": "county", "part": "staff", "unit": "share"}, "share", "staff"),
        ("P13", {"unit": "index", "n_of": "units"}, "index", "units"),
    ],
)
def test_unit_and_noun_are_the_rows_own_or_the_claims(tmp_path, claim, given, unit, noun):
    row = as_row(tmp_path, claim, **given)
    assert (row["unit"], row["n_of"]) == (unit, noun)


def test_a_real_county_is_marked_as_real(tmp_path):
    (tmp_path / "county.toml").write_text(HEAD.replace("= true", "= false"), "utf-8")
    rows = no_data(["T01"], "no data: calls")
    made = as_evidence(read_county(tmp_path), house_claims()["P13"], rows, Freeze(), "0" * 16, "f" * 64)
    assert made["is_synthetic"].tolist() == [False] and made["n"].tolist() == [0.0]


def test_both_files_hold_the_same(ledger, tmp_path):
    store.write_parquet(tmp_path / "evidence.parquet", ledger)
    store.write_csv(tmp_path / "evidence.csv", ledger)
    pd.testing.assert_frame_equal(store.read_parquet(tmp_path / "evidence.parquet"), ledger)
    assert (tmp_path / "evidence.csv").read_bytes().startswith(b"\xef\xbb\xbfclaim,place,period")
    text = pd.read_csv(tmp_path / "evidence.csv", dtype=str, keep_default_na=False)
    assert list(text.columns) == COLUMNS
    assert list(text["verdict"]) == list(ledger["verdict"])
