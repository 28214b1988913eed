import numpy as np
import pytest

from huying import weights
from huying.design import Design, kish
from huying.weights import base_weights, merge_small, rake, town_margin
from huying.words import EstimateError

ONE = {"rel": 1e-9}


def ints(*values):
    return np.array(values, dtype=np.int64)


# --- base weights -----------------------------------------------------------------------------------------------------


def test_base_weights():
    town = ints(0, 0, 0, 0, 0, 1, 1, 1, 1)
    village = ints(0, 0, 0, 1, 1, 2, 2, 2, 2)
    got = base_weights(town, village, np.array([900.0, 400.0]))
    # Town 0: two villages, 900 / (2 x 3) and 900 / (2 x 2); town 1: one village, 400 / (1 x 4).
    assert got.tolist() == [150, 150, 150, 225, 225, 100, 100, 100, 100]
    assert got[:5].sum() == 900 and got[5:].sum() == 400


def test_base_weights_without_rows():
    assert len(base_weights(ints(), ints(), np.array([900.0]))) == 0


# --- Kish -------------------------------------------------------------------------------------------------------------


def test_kish():
    by = ints(0, 0, 0, 1, 1, 1)
    got = kish(np.array([7.0, 7.0, 7.0, 1.0, 2.0, 3.0]), by, 3)
    # Equal weights: 1. Weights 1, 2, 3: 3 x (1 + 4 + 9) / 6^2 = 42/36. A group of nobody: missing.
    assert got[:2] == pytest.approx([1, 42 / 36])
    assert np.isnan(got[2])


# --- raking -----------------------------------------------------------------------------------------------------------

ROWS, COLUMNS = ints(0, 0, 1, 1), ints(0, 1, 0, 1)


def two_by_two(weight, rows, columns, **options):
    margins = {"row": (ROWS, np.array(rows, dtype=float)), "column": (COLUMNS, np.array(columns, dtype=float))}
    return rake(np.array(weight, dtype=float), margins, **options)


@pytest.mark.parametrize(
    ("weight", "rows", "columns", "wanted"),
    [
        # Equal cells: independence, 30 x 40 / 100 = 12, 30 x 60 / 100 = 18, 70 x 40 / 100 = 28, 70 x 60 / 100 = 42.
        ([1, 1, 1, 1], [30, 70], [40, 60], [12, 18, 28, 42]),
        # Cells 1 2 / 3 4 with rows x (1, 2) and columns x (3, 1) are 3 2 / 18 8: rows 5, 26, columns 21, 10.
        ([1, 2, 3, 4], [5, 26], [21, 10], [3, 2, 18, 8]),
        # Margins that hold already move nothing.
        ([1, 2, 3, 4], [3, 7], [4, 6], [1, 2, 3, 4]),
        # Odds ratio 4 (2 x 2 / 1) is kept: a(a + 1)... rows 3, 3, columns 3, 3: a^2 / (3 - a)^2 = 4, a = 2.
        ([2, 1, 1, 2], [3, 3], [3, 3], [2, 1, 1, 2]),
        ([4, 1, 1, 1], [3, 3], [3, 3], [2, 1, 1, 2]),
    ],
)
def test_two_by_two(weight, rows, columns, wanted):
    got, sweeps, worst = two_by_two(weight, rows, columns)
    assert got == pytest.approx(wanted, **ONE)
    assert sweeps >= 1 and worst < 1e-9


def test_one_margin_is_poststratification():
    got, sweeps, _ = rake(np.ones(4), {"sex": (ints(0, 0, 0, 1), np.array([60.0, 40.0]))})
    assert got == pytest.approx([20, 20, 20, 40], **ONE)
    assert sweeps == 2  # the second sees that nothing is left to do


def test_nobody_has_no_weights():
    got, _, worst = rake(np.ones(0), {"sex": (ints(), np.array([0.0, 0.0]))})
    assert len(got) == 0 and worst == 0


def test_an_empty_category_is_refused():
    with pytest.raises(EstimateError, match="margin sex, category 1 has people and no respondent"):
        rake(np.ones(3), {"sex": (ints(0, 0, 0), np.array([60.0, 40.0]))})


def test_margins_of_different_totals_are_refused():
    with pytest.raises(EstimateError, match="the margins row, column cannot be met together"):
        two_by_two([1, 1, 1, 1], [30, 70], [40, 70])


def test_a_missing_total_is_refused():
    with pytest.raises(EstimateError, match="no count of people for margin sex"):
        rake(np.ones(2), {"sex": (ints(0, 1), np.array([60.0, np.nan]))})


def test_factors_out_of_bounds_are_refused():
    # Cells 12, 18, 28, 42 over base 1: mean 25, relative .48 to 1.68.
    assert two_by_two([1] * 4, [30, 70], [40, 60], bounds=(0.47, 1.69))[0][0] == pytest.approx(12)
    for bounds in ((0.49, 2.0), (0.1, 1.67)):
        with pytest.raises(EstimateError, match=r"needs factors from 0\.48 to 1\.68 times the mean"):
            two_by_two([1] * 4, [30, 70], [40, 60], bounds=bounds)


# --- small categories -------------------------------------------------------------------------------------------------


def of_sizes(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize(
    ("sizes", "groups", "totals", "merged"),
    [
        ((5, 5, 5), [0, 1, 2], [10, 20, 30], []),
        ((4, 6, 5), [1, 1, 2], [0, 30, 30], [0]),  # the first joins the second
        ((6, 4, 5), [0, 0, 2], [30, 0, 30], [1]),  # a middle one joins the one below
        ((6, 5, 4), [0, 1, 1], [10, 50, 0], [2]),  # the last joins the one below
        ((6, 5, 0), [0, 1, 1], [10, 50, 0], [2]),  # nobody answered, their people go along
        ((3, 10, 2), [1, 1, 1], [0, 60, 0], [0, 2]),  # 3 + 10 = 13, then 2 joins them
        ((2, 2, 10), [2, 2, 2], [0, 0, 60], [0, 1]),  # 2 + 2 = 4 is still too few
        ((1, 1, 1), [2, 2, 2], [0, 0, 60], [0, 1]),  # a town of three respondents: one category
    ],
)
def test_merge_small(sizes, groups, totals, merged):
    codes, sums, gone = merge_small(of_sizes(*sizes), np.array([10.0, 20.0, 30.0]), 3)
    assert codes.tolist() == [groups[g] for g in of_sizes(*sizes)]
    assert (sums.tolist(), gone) == (totals, merged)


def test_merging_leaves_the_table_of_totals_alone():
    totals = np.array([10.0, 20.0])
    merge_small(of_sizes(1, 9), totals, 2)
    assert totals.tolist() == [10, 20]


def test_town_margin():
    margin, merged = town_margin(of_sizes(5, 6), np.array([10.0, 20.0]))
    assert (margin[1].tolist(), merged) == ([10, 20, 0], [])  # the third is for those of unknown age
    margin, merged = town_margin(of_sizes(4, 6), np.array([30.0, 40.0]))
    assert (margin[0].tolist(), margin[1].tolist(), merged) == ([1] * 10, [0, 70, 0], [0])
    margin, merged = town_margin(ints(*[0] * 5, *[1] * 5, -1, -1), np.array([30.0, 30.0]))
    # 2 of 12 unknown: a sixth of 60 is theirs, five sixths of 30 are left to each known group.
    assert margin[0].tolist() == [0] * 5 + [1] * 5 + [2] * 2
    assert margin[1].tolist() == pytest.approx([25, 25, 10])


def rake_towns(town, base, groups, totals, towns, *bounds):
    """The design and its diagnostics of persons who are each their own PSU."""
    return weights.rake_towns(Design(town, np.arange(len(town)), base, tuple(towns)), groups, totals, *bounds)


# --- towns ------------------------------------------------------------------------------------------------------------


def test_unknown_sex_keeps_the_towns_mean_factor():
    sex = ints(*[0] * 6, *[1] * 5, -1)
    got, table = rake_towns(
        np.zeros(12, dtype=np.int64), np.ones(12), {"sex": sex}, {"sex": np.array([[600.0, 600.0]])}, ["A"]
    )
    # 1200 adults, 12 answers: mean factor 100. The known stand for 11/12: 550 men by 6, 550 women by 5.
    assert got.weight == pytest.approx([550 / 6] * 6 + [110] * 5 + [100], **ONE)
    assert got.weight.sum() == pytest.approx(1200)
    assert table.loc[0, ["place", "n", "factor_max"]].tolist() == ["A", 12, pytest.approx(1.1)]
    assert table.loc[0, "merged"] == ""


def test_towns_are_raked_each_on_its_own():
    town, sex = np.repeat([0, 1], 10), np.tile(of_sizes(5, 5), 2)
    got, table = rake_towns(
        town, np.ones(20), {"sex": sex}, {"sex": np.array([[50.0, 150.0], [30.0, 30.0]])}, ["A", "B"]
    )
    assert got.weight == pytest.approx([10] * 5 + [30] * 5 + [6] * 10, **ONE)
    # Kish of five 10s and five 30s: 10 x (5 x 100 + 5 x 900) / 200^2 = 1.25.
    assert table["kish"].tolist() == pytest.approx([1.25, 1])
    assert table["worst_margin"].tolist() == pytest.approx([0, 0], abs=1e-9)
    assert table["factor_min"].tolist() == pytest.approx([0.5, 1])  # 10 of a mean of 20


def test_a_town_without_answers_is_left_out():
    got, table = rake_towns(
        np.repeat(1, 10),
        np.ones(10),
        {"sex": of_sizes(5, 5)},
        {"sex": np.array([[9.0, 9.0], [20.0, 30.0]])},
        ["A", "B"],
    )
    assert got.weight == pytest.approx([4] * 5 + [6] * 5, **ONE)
    assert table["n"].tolist() == [0, 10]
    assert np.isnan(table["kish"][0])


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ([[50.0, 50.0], [9990.0, 10.0]], "meeting sex needs factors"),  # women would count .002 of the mean
        ([[50.0, 50.0], [np.nan, 10.0]], "the margins file has no count of people"),
    ],
)
def test_a_town_whose_margins_cannot_be_met_is_unweighted_and_says_why(totals, said):
    town, sex = np.repeat([0, 1], 50), np.tile(of_sizes(25, 25), 2)
    got, table = rake_towns(town, np.ones(100), {"sex": sex}, {"sex": np.array(totals)}, ["A", "B"])
    assert table["remark"].tolist() == ["", "unweighted"] and table["note"][1].startswith(said)
    adults = np.nansum(totals[1]) if np.isfinite(totals[1]).all() else 100  # not known: as the other town's mean of 2
    assert got.weight == pytest.approx([2] * 50 + [adults / 50] * 50)


def test_a_category_of_nobody_with_respondents_is_named():
    groups = {"age": np.tile(of_sizes(10, 10, 10), 2)}
    totals = {"age": np.array([[90.0, 90, 0], [30, 60, 90]])}
    design = Design(np.repeat([0, 1], 30), np.arange(60), np.ones(60), ("T01", "T02"))
    got, table = weights.rake_towns(design, groups, totals, names={"age": ["18-39", "40-59", "60+"]})
    assert "category 60+ has 0 adults and 10 respondents" in table["note"][0]
    assert got.weight == pytest.approx(
        [6] * 30 + [3] * 10 + [6] * 10 + [9] * 10
    )  # 180 adults by 30, and each group by its 10


def test_margins_that_differ_by_a_person_are_scaled_and_said():
    """54,660 by sex and 54,661 by age: the ages count 54660/54661 of themselves."""
    sex, age = np.tile(of_sizes(20, 20), 1), np.tile([0, 1], 20)
    totals = {"sex": np.array([[27330.0, 27330]]), "age": np.array([[27330.0, 27331]])}
    got, table = rake_towns(np.zeros(40, dtype=np.int64), np.ones(40), {"sex": sex, "age": age}, totals, ["T01"])
    assert table["remark"].tolist() == [""] and "sex, age have different totals (54660, 54661)" in table["note"][0]
    assert got.weight[age == 1].sum() == pytest.approx(27331 * 54660 / 54661) and got.weight.sum() == pytest.approx(
        54660
    )
    far = {"sex": totals["sex"], "age": totals["age"] * 1.01}  # one per cent is no rounding
    assert rake_towns(np.zeros(40, dtype=np.int64), np.ones(40), {"sex": sex, "age": age}, far, ["T01"])[1]["remark"][0]


@pytest.mark.parametrize(("share", "is_met"), [(0.11, True), (0.09, False), (0.5, True)])
def test_a_factor_lies_between_a_tenth_and_ten_times_the_mean(share, is_met):
    """Half of the respondents stand for so much of their half: their factor over the mean is `share`."""
    margins = {"sex": (of_sizes(10, 10), np.array([share * 100, 200 - share * 100]))}
    if is_met:
        assert rake(np.ones(20), margins)[0][0] == pytest.approx(share * 10)
    else:
        with pytest.raises(EstimateError, match="needs factors"):
            rake(np.ones(20), margins)
    many = {"sex": (of_sizes(190, 10), np.array([200 - 95.0, 95.0]))}  # 9.5 by 190 x .55: 9.5 times the mean
    assert rake(np.ones(200), many)[0][-1] == pytest.approx(9.5)


@pytest.mark.parametrize(
    ("thin", "is_met"),
    [(4, True), (9, True), (10, True), (19, True), (20, False)],  # under 5, under 10, at last under 20
)
def test_a_town_is_refused_where_merging_what_has_under_twenty_does_not_help(thin, is_met):
    group, totals = of_sizes(80, thin), {"age": np.array([[40.0, 460.0]])}
    got, table = rake_towns(
        np.zeros(80 + thin, dtype=np.int64), np.ones(80 + thin), {"age": group}, totals, ["A"], (0.5, 2)
    )
    assert table.loc[0, "merged"] == ("age 1" if is_met else "") and (table.loc[0, "remark"] == "") == is_met
    assert got.weight == pytest.approx([500 / (80 + thin)] * (80 + thin))


@pytest.mark.parametrize(("second", "is_scaled"), [(1005.0, True), (1006.0, False), (995.0, True), (994.0, False)])
def test_two_counts_of_a_town_may_differ_by_half_a_per_cent(second, is_scaled):
    totals = {"sex": np.array([500.0, 500.0]), "age": np.array([second / 2, second / 2])}
    scaled, told = weights.scale_totals(totals)
    assert bool(told) == is_scaled and scaled["sex"].sum() == 1000
    assert scaled["age"].sum() == pytest.approx(1000 if is_scaled else second)
    assert weights.scale_totals({"sex": totals["sex"], "age": totals["sex"].copy()})[1] == ""


def test_a_town_of_unknown_adults_weighs_as_the_others_do_on_average():
    """A: 10 people of 200 adults after base weights of 2, a factor of 10; B keeps its base weights 1 and 3 times 10."""
    town, base = np.repeat([0, 1], 10), np.array([2.0] * 10 + [1.0, 3.0] * 5)
    totals = {"sex": np.array([[100.0, 100.0], [np.nan, np.nan]])}
    got, table = rake_towns(town, base, {"sex": np.tile(of_sizes(5, 5), 2)}, totals, ["A", "B"])
    assert got.weight == pytest.approx([20] * 10 + [10, 30] * 5) and table["remark"].tolist() == ["", "unweighted"]
    nobody = rake_towns(town, base, {"sex": np.tile(of_sizes(5, 5), 2)}, {"sex": np.full((2, 2), np.nan)}, ["A", "B"])
    assert nobody[0].weight.tolist() == base.tolist()  # no town is known: the base weights stand


def test_thin_categories_are_merged_before_a_town_is_refused():
    # 5 old people of 50 would have to count 9 times the mean; the next round, under 10, joins them to the others.
    group, totals = of_sizes(45, 5), {"age": np.array([[50.0, 450.0]])}
    got, table = rake_towns(np.zeros(50, dtype=np.int64), np.ones(50), {"age": group}, totals, ["A"], (0.2, 5.0))
    assert got.weight == pytest.approx([10] * 50)
    assert table.loc[0, ["place", "merged"]].tolist() == ["A", "age 1"]
