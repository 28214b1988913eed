"""The rules for verdicts as tables: every expected verdict is worked out in the line's comment."""

import datetime as dt
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from huying.claims.declared import Claim, Freeze, claims_of, freeze, house_claims, read_freeze, rule_hashes
from huying.claims.evidence import as_evidence
from huying.claims.rules import CANNOT_SAY, NOT_SUPPORTED, QUANTIFIERS, SUPPORTED, judge, judge_claim, judge_towns
from huying.folder import read_county
from huying.intervals import COUNT, EXACT, POOLED, korn_graubard
from huying.words import Text

YES, NO, MAYBE = SUPPORTED, NOT_SUPPORTED, CANNOT_SAY


@pytest.mark.parametrize(
    ("k", "n", "rule", "verdict"),
    [
        (62, 120, "MOST .5", MAYBE),  # 52%, +-9 points straddle half
        (84, 120, "MOST .5", YES),  # 70% - 9 = 61% > 50%
        (36, 120, "MOST .5", NO),  # 30% + 9 = 39% <= 50%
        (60, 120, "GENERAL .5", MAYBE),  # 50% +- 9: the interval straddles half
        (84, 120, "GENERAL .5", YES),  # 61% >= 50%
        (36, 120, "GENERAL .5", NO),  # 39% < 50%
        (12, 120, "FEW .2", YES),  # 10%, Clopper-Pearson 5.3%-16.8%, below 20%
        (18, 120, "FEW .2", MAYBE),  # 15%, about 9%-23%: 20% lies inside
        (40, 120, "FEW .2", NO),  # 33% - 9 = 24% >= 20%
        (12, 120, "LOW .2", YES),  # LOW as FEW: wholly below the threshold
        (40, 120, "LOW .2", NO),  # 24% >= 20%
        (0, 120, "NONE .05", YES),  # 0%, upper limit 1 - .025^(1/120) = 3.0% < 5%
        (4, 120, "NONE .05", MAYBE),  # 3.3%, about 0.9%-8.3%: 5% lies inside
        (24, 120, "NONE .05", NO),  # 20% - 7 = 13% > 5%
        (120, 120, "ALL 1", YES),  # no counter-example
        (119, 120, "ALL 1", NO),  # one counter-example refutes, whatever the interval
        (1, 120, "SOME 1", YES),  # one example is enough
        (0, 120, "SOME 1", NO),  # not one
    ],
)
def test_counts_against_a_bar(k, n, rule, verdict):
    quantifier, threshold = rule.split()
    low, high = korn_graubard(np.array([k / n]), np.array([float(n)]))
    assert judge(quantifier, float(threshold), k / n, low[0], high[0], n)[0] == verdict


@pytest.mark.parametrize(
    ("quantifier", "threshold", "estimate", "low", "high", "verdict"),
    [
        ("MOST", 0.5, 0.5, 0.5, 0.5, NO),  # counted, exactly half: MOST asks for more than half
        ("MOST", 0.5, 0.6, 0.5, 0.7, MAYBE),  # low = threshold is not above the threshold
        ("MOST", 0.5, 0.4, 0.3, 0.5, NO),  # high = threshold: nothing in the interval is above it
        ("GENERAL", 0.3, 0.3, 0.3, 0.3, YES),  # counted, on the threshold: GENERAL asks for at least the threshold
        ("GENERAL", 0.3, 0.1 + 0.1 + 0.1, 0.3, 0.3, YES),  # the same with the dust of floats
        ("GENERAL", 0.3, (0.1 * 3 + 0.6) / 3, (0.1 * 3 + 0.6) / 3, (0.1 * 3 + 0.6) / 3, YES),  # .9/3 = .3
        ("GENERAL", 0.3, 43.2 / 144, 43.2 / 144, 43.2 / 144, YES),  # 144 marks, 43.2 of them old: .30
        ("GENERAL", 0.3, 0.2999, 0.2999, 0.2999, NO),  # a ten-thousandth short
        ("GENERAL", 0.3, 0.25, 0.2, 0.3, MAYBE),  # .3 itself would still meet the rule
        ("GENERAL", 12, 12, 12, 12, YES),  # months: twelve are a year
        ("GENERAL", 12, 11, 11, 11, NO),
        ("LOW", 0.3, 0.3, 0.3, 0.3, NO),  # on the threshold is not below it
        ("LOW", 0.3, 0.2, 0.1, 0.3, MAYBE),  # high = threshold is not below it
        ("FEW", 0.3, 0.3, 0.3, 0.4, NO),  # low = threshold: nothing in the interval is below it
        ("NONE", 0.0, 0.0, 0.0, 0.0, YES),  # counted: none at all
        ("NONE", 0.0, 0.01, 0.01, 0.01, NO),  # counted: one of a hundred
        ("NONE", 0.0, 0.0, 0.0, 0.03, MAYBE),  # a sample without a case does not prove that there is none
        ("NONE", 0.1, 0.05, 0.02, 0.09, YES),  # a threshold for what counts as none: all of it below
        ("NONE", 0.1, 0.05, 0.02, 0.1, MAYBE),  # high = threshold is not below it
        ("NONE", 0.1, 0.2, 0.1, 0.3, MAYBE),  # low = threshold is not above it
        ("NONE", 0.1, 0.2, 0.11, 0.3, NO),
        ("TREND", 0.0, 0.10, 0.02, 0.18, YES),  # the change is above zero
        ("TREND", 0.0, -0.10, -0.18, -0.02, NO),  # it fell
        ("TREND", 0.0, 0.10, -0.02, 0.22, MAYBE),  # zero lies inside
        ("TREND", 0.0, 0.0, 0.0, 0.0, NO),  # no change is not a rise
        ("ALL", 1.0, 0.999, 0.99, 1.0, NO),  # the interval holds the threshold, but ALL is counted
        ("ALL", 1.0, 1.0, 0.8, 1.0, YES),  # and no counter-example supports it
        ("SOME", 1, 0.01, 0.0, 0.05, YES),  # one of a hundred is some, wherever the interval lies
        ("SOME", 2, 0.01, 0.0, 0.05, NO),  # where two are asked for, one is not enough
    ],
)
def test_edges_of_the_bar(quantifier, threshold, estimate, low, high, verdict):
    assert judge(quantifier, threshold, estimate, low, high, 100)[0] == verdict


@pytest.mark.parametrize("quantifier", QUANTIFIERS)
def test_the_dust_of_floats_changes_no_verdict_and_a_millionth_may(quantifier):
    seen = set()
    for threshold, low, high in product((0.3, 12.0), (-0.1, 0.0, 0.1), (-0.1, 0.0, 0.1)):
        value = (low + high) / 2
        exact = judge(quantifier, threshold, threshold + value, threshold + low, threshold + high)
        for dust in (-1e-12, 1e-12):
            assert (
                judge(quantifier, threshold, threshold + value + dust, threshold + low + dust, threshold + high + dust)
                == exact
            )
        seen |= {
            exact != judge(quantifier, threshold, *(threshold + one + step for one in (value, low, high)))
            for step in (-1e-6, 1e-6)
        }
    assert True in seen or quantifier in ("SOME", "TEXT")  # these ask for anything above 0


@pytest.mark.parametrize("quantifier", QUANTIFIERS)
def test_no_case_is_no_verdict(quantifier):
    assert judge(quantifier, 0.5, np.nan, np.nan, np.nan, 0) == (MAYBE, "no eligible case")
    assert judge(quantifier, 0.5, 0.0, 0.0, 0.0, 0) == (MAYBE, "no eligible case")
    assert judge(quantifier, 0.5, np.nan, np.nan, np.nan, np.nan) == (MAYBE, "no eligible case")
    assert judge(quantifier, 0.5, np.nan, np.nan, np.nan, 12) == (MAYBE, "not estimable")


@pytest.mark.parametrize("quantifier", ["MOST", "GENERAL", "FEW", "NONE", "LOW", "TREND"])
def test_no_interval_is_no_verdict(quantifier):
    assert judge(quantifier, 0.5, 0.9, np.nan, np.nan, 40) == (MAYBE, "not estimable")
    assert judge(quantifier, 0.5, 0.5, 0.4, 0.6, 40) == (MAYBE, "interval includes the threshold")


def test_counted_quantifiers_need_no_interval():
    assert judge("ALL", 1.0, 0.9, np.nan, np.nan, 10) == (NO, "")
    assert judge("SOME", 1.0, 0.1, np.nan, np.nan, 10) == (YES, "")
    assert judge("SOME", 1.0, 0.9, np.nan, np.nan) == (NO, "")  # a value alone is of one case


# --- towns ------------------------------------------------------------------------------------------------------------


def a_claim(quantifier="MOST", threshold=0.5, **rest):
    both = Text("甲", "a")
    return Claim("X01", both, quantifier, threshold, NOT_SUPPORTED, both, both, "11_x", **rest)


def some_towns(**rest):
    return a_claim("SOME", 0.3, town_quantifier="GENERAL", **rest)


def facts(values, sizes, method=POOLED):
    """Towns T01, T02, … whose answers are all independent: the effective size is the number of answers."""
    p, n = np.array(values, dtype=float), np.array(sizes, dtype=float)
    low, high = (p, p) if method in (COUNT, EXACT) else korn_graubard(p, n)
    places = [f"T{i:02d}" for i in range(1, len(p) + 1)]
    return pd.DataFrame(
        {"place": places, "part": "", "period": "", "wave": "2023", "estimate": p, "low": low, "high": high, "se": np.nan,
         "n": n, "n_eff": n, "df": n - 1, "deff": 1.0, "method": method, "reliability": "ok", "reason": "", "remark": ""}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "sizes", "own", "family"),
    [
        # All of n say yes: "not above half" has p = .5^n, two-sided 2 x .5^n: n=6 .0313, n=7 .0156, n=8 .0078.
        ([1], [6], [YES], [YES]),  # a family of one: .0313 < .05
        ([1, 1], [6, 6], [YES] * 2, [MAYBE] * 2),  # Holm: 2 x .0313 = .0625 > .05
        ([1, 1], [6, 7], [YES] * 2, [YES] * 2),  # 2 x .0156 = .0313; then 1 x .0313: Bonferroni would lose the first
        ([1, 1, 1], [6, 7, 8], [YES] * 3, [YES] * 3),  # 3 x .0078 = .0234; 2 x .0156 = .0313; 1 x .0313
        ([1, 1, 1], [6, 6, 8], [YES] * 3, [MAYBE, MAYBE, YES]),  # .0234; then 2 x .0313 = .0625 stops
        ([1, 1, 1], [6, 6, 7], [YES] * 3, [MAYBE, MAYBE, YES]),  # 3 x .0156 = .0469 < .05, the next stops
        ([1, 0], [7, 7], [YES, NO], [YES, NO]),  # both .0156 x 2 = .0313: one above, one below
        ([1, 0], [6, 6], [YES, NO], [MAYBE] * 2),  # 2 x .0313
        ([1, 1], [5, 9], [MAYBE, YES], [MAYBE, YES]),  # n=5: .0625 alone; n=9: .0039 x 2 = .0078
    ],
)
def test_family_of_towns_by_holm(values, sizes, own, family):
    judged = judge_towns(a_claim(), facts(values, sizes))
    assert list(judged["verdict"]) == own
    assert list(judged["verdict_family"]) == family


def test_low_turns_the_sides():
    judged = judge_towns(a_claim("LOW"), facts([1, 0], [7, 7]))
    assert list(judged["verdict_family"]) == [NO, YES]  # all yes is high, none is low


def test_simultaneous_interval():
    """All of n = 8, 6 and 4 towns: p = .0078, .0313, .125. Holm: 3 x .0078 = .0234 rejects; 2 x .0313 = .0625 stops: r = 1."""
    judged = judge_towns(a_claim(), facts([1, 1, 0], [8, 6, 4]))
    tail = 0.05 / (3 - 1) / 2  # two towns are left: each side .0125
    assert list(judged["low_family"]) == pytest.approx([tail ** (1 / 8), tail ** (1 / 6), 0])
    assert list(judged["high_family"]) == pytest.approx([1, 1, 1 - tail ** (1 / 4)])
    assert judged["low_family"][0] == pytest.approx(0.5783, abs=1e-4)  # e^(ln(.0125)/8) = e^-.5478
    assert judged["low_family"][1] == pytest.approx(0.4817, abs=1e-4)  # e^-.7303: one half lies inside, as Holm says
    assert list(judged["verdict_family"]) == [YES, MAYBE, MAYBE]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=12),
    st.sampled_from([0.3, 0.5, 0.8]),
)
@settings(max_examples=200, deadline=None)
def test_the_adjusted_interval_leaves_the_threshold_exactly_where_holm_rejects(counts, threshold):
    """Holm's procedure from statsmodels on Clopper-Pearson p values from scipy, against the interval stored beside the verdict."""
    pairs = [(min(k, n), n) for k, n in counts]
    p = [2 * min(stats.binom.sf(k - 1, n, threshold), stats.binom.cdf(k, n, threshold)) for k, n in pairs]
    assume(all(abs(one * m - 0.05) > 1e-9 for one in p for m in range(1, len(p) + 1)))
    rejected = multipletests(np.minimum(1, p), 0.05, method="holm")[0]
    for quantifier in ("MOST", "LOW"):
        judged = judge_towns(a_claim(quantifier, threshold), facts([k / n for k, n in pairs], [n for _, n in pairs]))
        outside = (judged["low_family"] > threshold + 1e-12) | (judged["high_family"] < threshold - 1e-12)
        assert list(outside) == list(rejected)
        assert list(judged["verdict_family"] != MAYBE) == list(rejected)


def test_a_town_without_interval_is_no_member_of_the_family():
    rows = facts([1, 1], [6, 12])
    rows.loc[1, ["estimate", "low", "high", "n_eff"]] = np.nan
    judged = judge_towns(a_claim(), rows)
    assert list(judged["verdict_family"]) == [YES, MAYBE]  # m = 1: .0313 < .05
    assert list(judged["own_reason"]) == ["", "not estimable"]


def test_counted_towns_are_not_tested():
    judged = judge_towns(a_claim(), facts([0.51, 0.5], [6, 6], COUNT))
    assert list(judged["verdict_family"]) == list(judged["verdict"]) == [YES, NO]


@pytest.mark.parametrize(
    ("values", "share", "verdict", "remark"),
    [
        (
            [0.1, 0.3, 0.5, 0.6],
            0.75,
            YES,
            "understated",
        ),  # 3 of 4 (T02 on the threshold) are more than half: "some" says too little
        ([0.1, 0.1, 0.5, 0.6], 0.50, YES, ""),  # exactly half is not more than half
        ([0.1, 0.1, 0.1, 0.3], 0.25, YES, ""),  # one town, exactly on the threshold
        ([0.1, 0.1, 0.1, 0.2], 0.00, NO, ""),
    ],
)
def test_some_towns_counted(values, share, verdict, remark):
    county = judge_claim(some_towns(), facts(values, [144] * 4, COUNT)).query("place == 'county'").iloc[0]
    assert (county["estimate"], county["low"], county["high"], county["n"]) == (share, share, share, 4)
    assert (county["verdict"], county["remark"]) == (verdict, remark)


@pytest.mark.parametrize(
    ("values", "share", "low", "high", "verdict"),
    [
        (
            [0.9, 0.3, 0.0],
            2 / 3,
            1 / 3,
            2 / 3,
            YES,
        ),  # by value two reach .3; the family names T01, T02 straddles .3, T03 is refuted
        ([0.3, 0.3, 0.0], 2 / 3, 0 / 3, 2 / 3, MAYBE),  # no town is named, two may be
        ([0.0, 0.0, 0.0], 0 / 3, 0 / 3, 0 / 3, NO),  # every town is refuted
        ([0.9, 0.9, 0.3], 3 / 3, 2 / 3, 3 / 3, YES),  # at least two thirds: understated
    ],
)
def test_some_towns_by_their_family(values, share, low, high, verdict):
    county = judge_claim(some_towns(), facts(values, [50] * 3)).query("place == 'county'").iloc[0]
    assert county[["estimate", "low", "high"]].tolist() == pytest.approx([share, low, high])
    assert county["verdict"] == verdict
    assert county["own_reason"] == ("interval includes the threshold" if verdict == MAYBE else "")
    assert county["remark"] == ("understated" if low > 0.5 else "")


@pytest.mark.parametrize(
    ("quantifier", "threshold", "share"),
    [("GENERAL", 0.5, 2 / 3), ("MOST", 0.5, 1 / 3), ("LOW", 0.5, 1 / 3), ("FEW", 0.5, 1 / 3)],
)
def test_share_of_towns_on_the_bar(quantifier, threshold, share):
    claim = a_claim("SOME", threshold, town_quantifier=quantifier)
    county = judge_claim(claim, facts([0.4, 0.5, 0.6], [100] * 3, COUNT)).query("place == 'county'").iloc[0]
    assert county["estimate"] == pytest.approx(share)  # .5 is at least .5, not more than .5, not below .5


def test_no_town_known():
    rows = facts([np.nan, np.nan], [0, 0], COUNT)
    judged = judge_claim(some_towns(), rows).set_index("place")
    assert judged.loc["county", ["n", "verdict", "own_reason"]].tolist() == [0, MAYBE, "no eligible case"]
    assert list(judged.loc[["T01", "T02"], "own_reason"]) == ["no eligible case"] * 2


def test_only_the_headline_is_judged():
    rows = pd.concat([facts([1], [50]), facts([1], [50]).assign(part="female")])
    judged = judge_claim(a_claim(), rows).set_index("part")
    assert judged.loc["", "verdict"] == YES
    assert judged.loc["female", "verdict"] == ""


def test_each_wave_is_a_family_of_its_own():
    rows = pd.concat([facts([1], [6]), facts([1], [6]).assign(wave="2024")])
    assert list(judge_claim(a_claim(), rows)["verdict_family"]) == [YES, YES]  # m = 1 in each wave, not 2


def of_county(claim, towns):
    return judge_claim(claim, towns).query("place == 'county'").iloc[0]


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (["no calls", "no calls"], "no calls"),  # one reason of all of them is the county's too
        (["no calls", "one psu"], ""),
    ],
)
def test_why_no_town_is_known_is_said_of_the_county(reasons, said):
    towns = facts([np.nan, np.nan], [0, 0], COUNT).assign(reason=reasons)
    assert of_county(some_towns(), towns)["reason"] == said
    assert of_county(some_towns(), towns.assign(estimate=[0.4, np.nan], n=7.0))["reason"] == ""  # one town is known


def test_a_town_that_cannot_be_estimated_is_no_town_of_the_share():
    """Two towns have a value, one of which reaches .3: one half, of two."""
    county = of_county(some_towns(), facts([0.4, 0.2, np.nan], [9, 9, 9], COUNT))
    assert county[["estimate", "low", "high", "n"]].tolist() == [0.5, 0.5, 0.5, 2]


def test_two_of_two_towns_are_understated_as_some_and_one_of_two_is_not():
    for values, remark in (([0.4, 0.4], "understated"), ([0.4, 0.2], "")):
        assert of_county(some_towns(), facts(values, [9, 9], COUNT))["remark"] == remark
    most = a_claim("MOST", 0.3, town_quantifier="GENERAL")
    assert of_county(most, facts([0.4, 0.4], [9, 9], COUNT))["remark"] == ""  # nobody said "some"


def test_the_headline_stands_last_and_a_part_bears_no_rule_of_the_towns():
    """A part with a rule of its own is held to it for every town alike, and the county's is no share of towns."""
    claim = some_towns(subs={"quick": ("LOW", 0.5)})
    rows = pd.concat(
        [facts([0.4, 0.6], [9, 9], COUNT).assign(part=part) for part in ("", "other", "quick")]
        + [facts([0.2], [9], COUNT).assign(part="quick", place="county")]
    )
    judged = judge_claim(claim, rows)
    assert judged["part"].tolist() == ["quick"] * 3 + ["other"] * 2 + [""] * 3
    assert judged["verdict"].tolist() == [YES, NO, YES] + [""] * 2 + [YES] * 3
    assert judged.loc[judged["part"] == "other", ["low_family", "high_family"]].isna().all(axis=None)


def test_a_conjunction_of_samples_is_adjusted_for_parts_and_towns():
    """Two parts: each at 1 - .05/2. In two towns the adjusted ends are at 1 - .05/4; the county is no town."""
    parts = {"quick": ("GENERAL", 0.5), "kind": ("GENERAL", 0.5)}
    rows = pd.concat([facts([1, 1, 1], [20, 20, 20]).assign(part=part) for part in parts])
    rows["place"] = ["T01", "T02", "county"] * 2
    judged = judge_claim(a_claim("GENERAL", 0.5, is_conjunction=True, subs=parts), rows)
    head = judged[judged["part"] == ""].set_index("place").loc["T01"]
    assert head["low"] == pytest.approx((0.05 / 2 / 2) ** (1 / 20))  # all of 20: low = (tail)^(1/20)
    assert head["low_family"] == pytest.approx((0.05 / 4 / 2) ** (1 / 20))
    assert (head["high"], head["high_family"], head["verdict"], head["verdict_family"]) == (1, 1, YES, YES)
    alone = judge_claim(a_claim("GENERAL", 0.5, is_conjunction=True, subs=parts), rows[rows["place"] == "county"])
    assert alone.iloc[-1]["low_family"] == pytest.approx((0.05 / 2 / 2) ** (1 / 20))  # of one place the parts alone


def test_of_a_conjunction_the_adjusted_interval_decides_the_adjusted_verdict():
    """All of 8: .0125^(1/8) = .578 is above .55, .00625^(1/8) = .530 is not."""
    parts = {"quick": ("GENERAL", 0.55), "kind": ("GENERAL", 0.55)}
    rows = pd.concat([facts([1, 1, 1], [8, 8, 8]).assign(part=part) for part in parts])
    rows["place"] = ["T01", "T02", "county"] * 2
    head = judge_claim(a_claim("GENERAL", 0.55, is_conjunction=True, subs=parts), rows).query("part == ''").iloc[0]
    assert (head["verdict"], head["verdict_family"], head["own_reason"]) == (YES, MAYBE, "")


# --- freezing ---------------------------------------------------------------------------------------------------------

COUNTY = '[county]\nid = "x"\nname_zh = "甲县"\nname_en = "A"\nsampling = "probability"\nis_synthetic = true\n'


@pytest.fixture
def county(tmp_path):
    (tmp_path / "county.toml").write_text(COUNTY, "utf-8")
    return read_county(tmp_path)


def evidence_remark(county, now):
    judged = judge_claim(a_claim(), facts([1], [50]))
    return as_evidence(
        county, a_claim(), judged, Freeze({"X01": "before"}, "2023-05-01") if now else Freeze(), now or "h", "d"
    ).iloc[0]


@pytest.mark.parametrize(
    ("now", "remark", "day"),
    [("", "not_frozen", ""), ("before", "", "2023-05-01"), ("after", "rule_changed", "2023-05-01")],
)
def test_remark_of_the_freeze(county, now, remark, day):
    row = evidence_remark(county, now)
    assert (row["remark"], row["rule_frozen_on"]) == (remark, day)


def test_freeze_keeps_hash_and_date(county, tmp_path):
    freeze(county, dt.date(2023, 5, 1))
    first = read_freeze(county)
    assert first.frozen_on == "2023-05-01"
    assert set(first.hashes) == set(house_claims())
    assert [line for line in (tmp_path / "frozen.toml").read_text("utf-8").splitlines() if line.startswith("[")] == [
        "[rules]"
    ]
    (tmp_path / "county.toml").write_text(COUNTY + "[claim_thresholds]\nP14 = 0.6\n", "utf-8")
    changed = read_county(tmp_path)
    freeze(changed, dt.date(2023, 7, 1))
    assert read_freeze(changed) == first
    now = rule_hashes(changed, claims_of(changed))
    assert {key for key in now if first.remark(key, now[key])} == {"P14"}
    assert first.remark("P14", now["P14"]) == "rule_changed"


@pytest.mark.parametrize(
    "more", ['[clock]\ncutoff = "18:00"\n', '[exclude]\nflags = ["duplicate"]\n', "[thresholds]\nspeeder = 0.4\n"]
)
def test_what_surrounds_a_rule_is_frozen_too(county, tmp_path, more):
    freeze(county)
    (tmp_path / "county.toml").write_text(COUNTY + more, "utf-8")
    changed = read_county(tmp_path)
    now = rule_hashes(changed, claims_of(changed))
    frozen = read_freeze(changed)
    assert {frozen.remark(key, now[key]) for key in now} == {"rule_changed"}


def test_a_claim_frozen_later_has_the_later_date(county, tmp_path):
    """A rule written after the first freeze must not borrow its date."""
    freeze(county, dt.date(2023, 5, 1))
    file = tmp_path / "frozen.toml"
    file.write_text(
        "\n".join(line for line in file.read_text("utf-8").splitlines() if not line.startswith("P14 ")), "utf-8"
    )
    assert read_freeze(county).date("P14") == ""
    freeze(county, dt.date(2023, 7, 1))
    freeze(county, dt.date(2023, 9, 1))
    frozen = read_freeze(county)
    assert (frozen.date("P13"), frozen.date("P14")) == ("2023-05-01", "2023-07-01")


@pytest.mark.parametrize(
    ("rule", "estimate", "low", "high", "verdict"),
    [
        ("COUNT 12", 12, 12, 12, YES),  # 7 + 5
        ("COUNT 12", 11, 11, 11, NO),  # a unit is lacking
        ("COUNT 0", 7, 7, 7, NO),  # 212 recovered - 205 given
        ("COUNT 1", 0, 0, 0, NO),  # one is a whole number, no tolerance
        ("COUNT .0005", -0.0006, 0, 0, NO),
        ("COUNT .0005", 0.0005, 0, 0, YES),  # half of the last printed digit, and not more
        ("COUNT .0005", 0.0000, 0, 0, YES),  # 104/160 = 65.0% as printed
        ("COUNT .0005", 0.0004, 0, 0, YES),  # within half of the last printed digit
        ("COUNT .0005", 0.396, 0, 0, NO),  # 65.0% printed, 104/410 = 25.4%
        ("EXISTS 1", 1, 1, 1, YES),
        ("EXISTS 1", 9, 9, 9, YES),  # nine are more than one
        ("EXISTS 1", 0.5, 0.5, 0.5, NO),  # one of the two named bureaus
        ("EXISTS 1", 0, 0, 0, NO),
        ("NEED .5", 0.39, 0.35, 0.43, YES),  # wholly below the threshold: the need is shown
        ("NEED .5", 0.48, 0.44, 0.52, MAYBE),
        ("NEED .5", 0.60, 0.56, 0.64, NO),
        ("NEED 0", -0.4, -0.4, -0.4, YES),  # adequacy below importance
        ("TEXT 0", 2, 2, 2, YES),  # found twice in the report
        ("TEXT 0", 0, 0, 0, NO),
    ],
)
def test_counts_existence_need_and_text(rule, estimate, low, high, verdict):
    quantifier, threshold = rule.split()
    assert judge(quantifier, float(threshold), estimate, low, high, 1)[0] == verdict


def one(**more):
    return {"place": "county", "part": "", "period": "2022", "wave": "", "estimate": 0.5, "low": 0.5, "high": 0.5, "n": 10.0,
            "n_eff": np.nan, "se": np.nan, "df": np.nan, "deff": np.nan, "method": COUNT, "reliability": "ok", "reason": "",
            "remark": "", **more}  # fmt: skip


def test_without_an_earlier_wave_there_is_no_baseline():
    facts = pd.DataFrame([one(estimate=np.nan, low=np.nan, high=np.nan, reason="no baseline")])
    row = judge_claim(a_claim("TREND", 0.0), facts).iloc[0]
    assert (row["verdict"], row["verdict_family"], row["reason"]) == (
        "no baseline",
        "no baseline",
        "one wave or period",
    )


def test_a_part_with_a_rule_of_its_own_gets_its_own_verdict():
    facts = pd.DataFrame([one(estimate=0.95, low=0.95, high=0.95), one(part="effective", estimate=0.09, low=0.09, high=0.09),
                          one(part="other", estimate=0.2)])  # fmt: skip
    judged = judge_claim(a_claim("GENERAL", 0.9, subs={"effective": ("GENERAL", 0.3)}), facts).set_index("part")
    assert judged["verdict"].to_dict() == {"": YES, "effective": NO, "other": ""}


def test_a_need_of_towns_is_shown_by_one_town_that_the_family_names():
    facts = pd.DataFrame(
        [one(place="T01", estimate=0.2, low=0.2, high=0.2), one(place="T02", estimate=0.9, low=0.9, high=0.9)]
    )
    rows = judge_claim(a_claim("NEED", 0.5, town_quantifier="NEED", town_threshold=0.5), facts).set_index("place")
    assert rows["verdict"].to_dict() == {"T01": YES, "T02": NO, "county": YES}  # one of two towns: 50%
    assert rows.loc["county", "estimate"] == 0.5
