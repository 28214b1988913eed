"""Complete lists: counts decide, few cases do not, chance and rejected rows are said. Every expected answer is worked out beside it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from huying.claims.declared import Claim, house_claims
from huying.claims.rules import CANNOT_SAY, NOT_SUPPORTED, SUPPORTED, judge_claim
from huying.counted import bounded, counted
from huying.intervals import POOLED, korn_graubard
from huying.words import Text

YES, NO, MAYBE = SUPPORTED, NOT_SUPPORTED, CANNOT_SAY
FIVE = ("MOST", "GENERAL", "LOW", "FEW", "NEED")
OTHERS = ("ALL", "NONE", "EXISTS", "SOME", "COUNT")


def a_claim(quantifier="MOST", threshold=0.5, **rest):
    both = Text("甲", "a")
    return Claim("X01", both, quantifier, threshold, NOT_SUPPORTED, both, both, "11_x", **{"of_cases": True, **rest})


def listed(counts, **columns):
    """Places A, B, … of which k of n cases have it."""
    places = [chr(ord("A") + n) for n in range(len(counts))]
    made = counted(places, [k for k, _ in counts], [n for _, n in counts])
    return made.assign(part="", period="2022", wave="", remark="", se=np.nan, df=np.nan, deff=np.nan, **columns)


def judged(claim, facts, fewest=10):
    return judge_claim(claim, facts, fewest).set_index("place")


# --- few cases --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantifier", FIVE)
def test_nine_cases_are_few_and_ten_are_not(quantifier):
    rows = judged(a_claim(quantifier), listed([(9, 9), (1, 1), (0, 9), (10, 10), (0, 0)]))
    assert rows.loc[["A", "B", "C"], "verdict"].tolist() == [MAYBE] * 3
    assert rows["own_reason"].tolist() == ["few cases"] * 3 + ["", "no eligible case"]
    assert rows.loc["D", "verdict"] == (YES if quantifier in ("MOST", "GENERAL") else NO)
    assert rows.loc["A", "estimate"] == 1, "the share is told all the same"


@pytest.mark.parametrize("quantifier", OTHERS)
def test_one_case_can_refute_all_and_show_some(quantifier):
    rows = judged(a_claim(quantifier, 0.0 if quantifier == "NONE" else 1.0), listed([(0, 3), (1, 1)]))
    assert "few cases" not in set(rows["own_reason"])
    assert MAYBE not in set(rows["verdict"])


def test_attributes_of_a_place_are_never_few():
    rows = judged(a_claim("GENERAL", 0.3, of_cases=False), listed([(2, 7), (3, 7)]))
    assert rows["verdict"].tolist() == [NO, YES] and rows["remark"].tolist() == ["", ""]


def test_the_fewest_are_the_countys_own():
    assert judged(a_claim(), listed([(5, 5)]), fewest=5).loc["A", "verdict"] == YES
    assert judged(a_claim(), listed([(5, 5)]), fewest=6).loc["A", "verdict"] == MAYBE


def test_departments_with_few_cases_leave_the_countys_share():
    """9 of 9, 5 of 10 and 20 of 20: the first is left out, one of the two others needs it."""
    claim = a_claim("NEED", 0.9, town_quantifier="NEED")
    rows = judged(claim, listed([(9, 9), (5, 10), (20, 20)]))
    assert rows.loc[["A", "B", "C"], "verdict"].tolist() == [MAYBE, YES, NO]
    assert rows.loc["county", ["estimate", "n", "verdict"]].tolist() == [0.5, 2, YES]


# --- chance -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "chance"),
    [
        ([(29, 41)], [False]),  # R: binom.test(29, 41)$conf.int .545 to .839: half is outside
        ([(26, 41)], [True]),  # .469 to .779
        ([(29, 41), (20, 40)], [False, True]),  # two places, each at 97.5%: the first from .523
        ([(29, 41), (5, 9)], [False, False]),  # the second has few cases and counts for nobody
    ],
)  # fmt: skip
def test_chance(counts, chance):
    rows = judged(a_claim(), listed(counts))
    k = sum(n >= 10 for _, n in counts)
    for (hits, n), said, (_, row) in zip(counts, chance, rows.iterrows(), strict=True):
        ends = stats.binomtest(hits, n).proportion_ci(1 - 0.05 / k, method="exact")
        assert ("chance" in row["remark"]) == said == (n >= 10 and ends.low <= 0.5 <= ends.high)
    assert rows["low"].equals(rows["high"]), "counted, without an interval"


def test_what_nobody_knows_widens_the_interval_of_chance():
    """24 of 30 known among 40: bounds .6 and .85. Alone 24/40 has binom.test .433 to .751, which holds one half."""
    made = bounded(["A"], [24], [30], [40]).assign(part="", period="2022", wave="", remark="")
    row = judged(a_claim(), made.assign(n_eff=np.nan, se=np.nan, df=np.nan, deff=np.nan)).loc["A"]
    assert (row["verdict"], row["remark"]) == (YES, "chance")


@pytest.mark.parametrize("quantifier", OTHERS)
def test_no_chance_where_one_case_decides(quantifier):
    assert (judged(a_claim(quantifier), listed([(21, 40)]))["remark"].str.contains("chance") == False).all()  # noqa: E712


# --- rows set aside ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantifier", "threshold", "k", "n", "rejected", "verdict", "remark"),
    [
        ("MOST", 0.5, 52, 100, 3, YES, ""),  # as no 52/103 = .505
        ("MOST", 0.5, 52, 100, 4, MAYBE, ""),  # as no 52/104 = .500: not more than half
        ("MOST", 0.5, 48, 100, 3, NO, ""),  # as yes 51/103 = .495
        ("MOST", 0.5, 48, 100, 5, MAYBE, ""),  # as yes 53/105 = .505
        ("MOST", 0.5, 80, 100, 5, YES, ""),  # 5 of 105 are 4.8%
        ("MOST", 0.5, 80, 100, 6, YES, "many_rejected"),  # 6 of 106 are 5.7%
        ("ALL", 1.0, 50, 50, 1, MAYBE, ""),  # the one set aside may be open
        ("ALL", 1.0, 49, 50, 1, NO, ""),  # one counter-example refutes, whatever it was
        ("SOME", 0.5, 1, 50, 2, YES, ""),  # one stays one
        ("SOME", 0.5, 0, 50, 1, MAYBE, ""),  # it may be the one
        ("NONE", 0.0, 0, 50, 1, MAYBE, ""),
        ("GENERAL", 0.8, 160, 200, 1, MAYBE, ""),  # 160/201 is below .8
        ("LOW", 0.5, 30, 100, 10, YES, "many_rejected"),  # 40/110 = .36
    ],
)
def test_rows_that_were_set_aside_count_both_ways(quantifier, threshold, k, n, rejected, verdict, remark):
    row = judged(a_claim(quantifier, threshold), listed([(k, n)], n_rejected=rejected)).loc["A"]
    assert row["verdict"] == row["verdict_family"] == verdict
    assert row["own_reason"] == ("rows rejected" if verdict == MAYBE else "")
    assert ("many_rejected" in row["remark"]) == bool(remark)


@pytest.mark.parametrize(("found", "rejected", "verdict"), [(31, 0, YES), (31, 1, MAYBE), (30, 1, MAYBE), (29, 1, NO)])
def test_a_count_may_be_higher_by_the_rows_set_aside(found, rejected, verdict):
    claim = a_claim("COUNT", 31.0, unit=Text("项", "items"), of_cases=False)
    rows = listed([(1, 1)], n_rejected=rejected).assign(
        **dict.fromkeys(("estimate", "low", "high"), float(found)), n=found
    )
    assert judged(claim, rows).loc["A", "verdict"] == verdict


def test_of_rosters_a_row_may_turn_what_a_town_has():
    """A town that lacks its plaque may have it in the row set aside, so "every town" is refuted by B alone, if at all."""
    claim = a_claim("ALL", 1.0, town_quantifier="ALL", of_cases=False)
    rows = judged(claim, listed([(1, 1), (0, 1)], n_rejected=[0, 1]))
    assert rows["verdict"].tolist() == [YES, MAYBE, MAYBE]
    assert rows.loc["county", "own_reason"] == "rows rejected"
    assert judged(claim, listed([(1, 1), (0, 1)], n_rejected=0))["verdict"].tolist() == [YES, NO, NO]


@pytest.mark.parametrize(
    ("k", "rejected", "verdict"),
    [
        (13, 2, YES),
        (13, 4, MAYBE),
        (5, 2, NO),
        (8, 3, MAYBE),
        (0, 3, NO),
        (20, 3, YES),
    ],  # .65 - .2 = .45; .4 + .15 = .55
)
def test_of_twenty_a_row_set_aside_turns_a_twentieth(k, rejected, verdict):
    claim = a_claim("MOST", 0.5, town_quantifier="MOST", of_cases=False)
    assert judged(claim, listed([(k, 20)], n_rejected=rejected)).loc["A", "verdict"] == verdict


@pytest.mark.parametrize("quantifier", ["TREND", "TEXT"])
def test_of_a_change_nobody_can_say_how_far_rows_set_aside_would_move_it(quantifier):
    assert judged(a_claim(quantifier, 0.0), listed([(1, 20)], n_rejected=19)).loc["A", "verdict"] == YES
    days = a_claim("GENERAL", 3.0, unit="days", of_cases=False)  # neither share nor count
    rows = listed([(1, 1)], n_rejected=9).assign(**dict.fromkeys(("estimate", "low", "high"), 3.0))
    assert judged(days, rows).loc["A", "verdict"] == YES


def test_rows_are_many_above_five_per_cent_of_all():
    for rejected, remark in ((5, ""), (6, "many_rejected")):  # 5 of 100, 6 of 101
        assert judged(a_claim(), listed([(80, 95)], n_rejected=rejected)).loc["A", "remark"] == remark


def test_chance_is_shared_by_the_places_of_one_period():
    """29 of 41 is outside chance alone (.545), and at 97.5% (.523), and is not at 1 - .05/6: each period has its own family."""
    rows = [listed([(29, 41), (20, 40)]).assign(period=period) for period in ("2021", "2022", "2023")]
    remarks = judge_claim(a_claim(), pd.concat(rows, ignore_index=True))["remark"]
    assert remarks.tolist() == ["", "chance"] * 3


def test_a_claim_on_departments_counts_no_chance_of_the_county():
    """The county's share of departments is no place of the family; of a claim on cases it is."""
    rows = pd.concat([listed([(29, 41), (20, 40)]), listed([(49, 81)]).assign(place="county")], ignore_index=True)
    assert judged(a_claim(), rows)["remark"].tolist() == ["", "chance", "chance"]
    on_towns = judged(a_claim("MOST", 0.5, town_quantifier="MOST"), rows)
    assert on_towns["remark"].tolist() == ["", "chance", ""]


def test_a_sample_too_counts_its_rejected_forms_both_ways():
    """60 of 100: Clopper-Pearson .497 … for 65 of 100 .548 to .743; ten forms as no: .548 x 100/110 = .498."""
    low, high = korn_graubard(np.array([0.65]), np.array([100.0]))
    facts = listed([(65, 100)], n_rejected=10).assign(low=low, high=high, n_eff=100.0, method=POOLED, wave="2023")
    assert judged(a_claim(), facts).loc["A", "verdict"] == MAYBE
    assert judged(a_claim(), facts.assign(n_rejected=5)).loc["A", "verdict"] == YES  # .548 x 100/105 = .522


# --- some, and conjunctions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "least", "verdict", "remark"),
    [(1, 41, 1, YES, ""), (0, 41, 1, NO, ""), (2, 41, 3, NO, ""), (3, 41, 3, YES, ""), (21, 41, 1, YES, "understated")],
)
def test_some_asks_for_the_least_that_was_declared(k, n, least, verdict, remark):
    facts = listed([(k, n)]).assign(place="county")
    row = judged(a_claim("SOME", 0.5, least=least), facts).loc["county"]
    assert (row["verdict"], row["remark"]) == (verdict, remark)


def test_some_towns_are_as_many_as_declared():
    claim = a_claim("SOME", 0.3, town_quantifier="GENERAL", least=2, of_cases=False)
    assert judged(claim, listed([(3, 7), (0, 7), (0, 7)])).loc["county", "verdict"] == NO
    assert judged(claim, listed([(3, 7), (3, 7), (0, 7)])).loc["county", "verdict"] == YES


PARTS = {"quick": ("GENERAL", 0.8), "kind": ("GENERAL", 0.8), "fair": ("GENERAL", 0.8)}


def three(*counts, **columns):
    return pd.concat([listed([pair]).assign(part=part, **columns) for part, pair in zip(PARTS, counts, strict=True)])


@pytest.mark.parametrize(
    ("counts", "verdict", "reason", "worst"),
    [
        (((90, 100), (85, 100), (99, 100)), YES, "", "kind"),
        (((90, 100), (79, 100), (99, 100)), NO, "", "kind"),  # one below refutes
        (((90, 100), (85, 100), (9, 9)), MAYBE, "few cases", "kind"),  # one undecided leaves it open
        (((90, 100), (79, 100), (9, 9)), NO, "", "kind"),  # but not where another refutes
        (((90, 100), (85, 100), (0, 0)), MAYBE, "no eligible case", "kind"),
    ],
)
def test_a_conjunction_holds_where_all_its_parts_do(counts, verdict, reason, worst):
    claim = a_claim("GENERAL", 0.8, is_conjunction=True, subs=PARTS)
    head = judged(claim, three(*counts)).query("part == ''").loc["A"]
    assert (head["verdict"], head["own_reason"]) == (verdict, reason)
    assert head["remark"].split("; ")[0] == f"worst_{worst}"
    assert head["estimate"] == min(k / n for k, n in counts if n)


def test_a_conjunction_of_samples_is_adjusted_for_its_parts():
    """170 of 200, 90, and 95%: at 95% 170/200 has a low end of .793; of three parts at 1 - .05/3 it is lower."""
    claim = a_claim("GENERAL", 0.8, is_conjunction=True, subs=PARTS)
    facts = three((172, 200), (180, 200), (190, 200), method=POOLED, n_eff=200.0, wave="2023", period="")
    ends = korn_graubard(facts["estimate"].to_numpy(), 200.0)
    head = judged(claim, facts.assign(low=ends[0], high=ends[1])).query("part == ''").loc["A"]
    exact = stats.binomtest(172, 200)
    assert head["low"] == pytest.approx(exact.proportion_ci(1 - 0.05 / 3, method="exact").low)
    assert exact.proportion_ci(0.95, method="exact").low > 0.8 > head["low"] and head["verdict"] == MAYBE


# --- small censuses: 10 of 54 leaders, 9 of 14 departments --------------------------------------------------------------

HOUSE = house_claims()


def census(claim, yes, known, total, wave="2023"):
    """The county's share among those who said, bounded by the others, judged by a claim of the house."""
    made = bounded(["county"], [yes], [known], [total]).assign(part="", period="", wave=wave, remark="")
    return judged(HOUSE[claim], made.assign(n_eff=np.nan, se=np.nan, df=np.nan, deff=np.nan)).loc["county"]


@pytest.mark.parametrize(
    ("claim", "yes", "known", "total"),
    [
        ("B03", 3, 3, 18),  # three towns used every right; of fifteen nobody knows
        ("P26", 50, 50, 270),  # ten leaders, five agencies each, all good: at least 50 of 270
        ("P27", 50, 50, 270),
        ("P28", 7, 7, 36),  # seven heads, all for things as they are
    ],
)
def test_ten_of_54_leaders_decide_nothing(claim, yes, known, total):
    row = census(claim, yes, known, total)
    assert (row["verdict"], row["verdict_family"]) == (MAYBE, MAYBE)
    assert (row["low"], row["high"]) == (pytest.approx(yes / total), 1.0)
    assert row["own_reason"] in ("unknown answers", "interval includes the threshold")


@pytest.mark.parametrize(
    ("claim", "yes", "known", "total", "verdict"),
    [
        ("B03", 2, 3, 18, NO),  # one town that did not refutes "every"
        ("B03", 18, 18, 18, YES),
        ("P26", 136, 140, 270, YES),  # more than half of all ratings, whatever the others say
        ("P27", 0, 135, 270, NO),  # at most half
        ("P28", 19, 20, 36, YES),
        ("P28", 1, 19, 36, NO),  # 1 + 17 of 36 is one half
    ],
)
def test_a_small_census_decides_where_both_bounds_agree(claim, yes, known, total, verdict):
    assert census(claim, yes, known, total)["verdict"] == verdict


@pytest.mark.parametrize(
    ("gaps", "verdict"), [((-0.5, 4.0), MAYBE), ((0.51, 2.0), YES), ((0.5, 2.0), MAYBE), ((-1.0, 0.5), NO)]
)
def test_a_need_of_support_is_shown_above_half_a_point(gaps, verdict):
    facts = listed([(1, 1)]).assign(
        place="county", estimate=sum(gaps) / 2, low=gaps[0], high=gaps[1], n=10, wave="2023", period=""
    )
    assert judged(HOUSE["S23"], facts).loc["county", "verdict"] == verdict


@pytest.mark.parametrize(("yes", "verdict"), [(9, YES), (8, YES), (7, MAYBE), (3, MAYBE), (2, NO)])
def test_nine_of_fourteen_departments_forms(yes, verdict):
    """Most: 8 of 14 is more than half; 7 + 0 is not, 7 + 5 is; 2 + 5 of 14 is one half at most."""
    made = bounded(["county"], [yes], [9], [14]).assign(part="", period="", wave="2023", remark="")
    claim = a_claim(of_cases=False, judged_for="county")
    assert (
        judged(claim, made.assign(n_eff=np.nan, se=np.nan, df=np.nan, deff=np.nan)).loc["county", "verdict"] == verdict
    )
