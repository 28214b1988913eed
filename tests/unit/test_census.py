"""A small census: counts bounded by who did not say, groups, bases, what is refused; the arithmetic visible."""

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import county, leaders, register

from huying.counted import bounded
from huying.surveys import Census
from huying.words import EstimateError, use_language


@pytest.fixture
def survey(tmp_path):
    """18 leaders of six towns. Of 6 secretaries 4 would keep things, 1 not, 1 cannot say; of 6 mayors 2, 4; of officers none."""
    kept = {"secretary": [1, 1, 1, 1, 2, 98], "mayor": [1, 1, 2, 2, 2, 2], "officer": [3, 3, 3, 4, 4, 4]}
    wishes = [answer for town in zip(*kept.values(), strict=True) for answer in town]
    changed = [1] * 12 + [2] * 6  # the last two towns tell of no change, and were not asked about it
    asked = [3] * 6 + [1] * 3 + [98] * 3 + [None] * 6
    weights = [10, 20, 30] * 5 + [40, None, 98]
    rows = leaders(
        L07=wishes, L03_a=changed, L04_a=asked, L10=weights, L06_a_core=[4, 5, 3] * 6, L06_b_core=[2, 98, 5] * 6
    )
    skipped = rows["L03_a"] == 2
    rows["L04_a_missing"] = rows["L04_a_missing"].where(~skipped, "skipped")
    return county(tmp_path, {}, {"leader": rows}).survey("leader")


def told(rows):
    return [*rows[["estimate", "low", "high", "n"]].iloc[0]]


def test_who_did_not_say_counts_both_ways(survey):
    assert told(survey.share("prefers_as_now")) == [6 / 17, 6 / 18, 7 / 18, 18]
    assert told(survey.mean("prefers_as_now")) == [6 / 17, 6 / 18, 7 / 18, 18]  # the mean of yes and no is a share


def test_each_group_has_its_own_base(survey):
    rows = survey.share("prefers_as_now", by="position").set_index("position")
    assert [*rows.loc["party_secretary", ["estimate", "low", "high", "n"]]] == [4 / 5, 4 / 6, 5 / 6, 6]
    assert [*rows.loc["mayor", ["estimate", "low", "high", "n"]]] == [2 / 6, 2 / 6, 2 / 6, 6]
    assert told(survey.share("prefers_as_now", where="is_secretary")) == [4 / 5, 4 / 6, 5 / 6, 6]


def test_whom_the_form_skipped_is_not_unknown(survey):
    """12 were asked: 6 were not consulted, 3 were, 3 cannot say."""
    survey.derive("not_consulted", "consulted_enforcement = none")
    assert told(survey.share("not_consulted")) == [6 / 9, 6 / 12, 9 / 12, 12]
    survey.derive("not_consulted_when_changed", "consulted_enforcement = none", base="head_changed_enforcement = yes")
    assert told(survey.share("not_consulted_when_changed")) == [6 / 9, 6 / 12, 9 / 12, 12]
    none = survey.topline("consulted_enforcement").set_index("answer").loc["none"]
    assert [none["estimate"], none["low"], none["high"], none["n"]] == [6 / 9, 6 / 12, 9 / 12, 12]


def test_ratings_of_several_agencies_are_one_list(survey):
    """36 ratings: 12 high of the first (4 and 5 of 4, 5, 3), 6 of the second (5 of 2, unknown, 5)."""
    names = ["cooperates_core_enforcement", "cooperates_core_market"]
    rows = survey.share(names, pooled="both")
    assert told(rows) == [18 / 30, 18 / 36, 24 / 36, 36] and list(rows["measure"]) == ["both"]


def test_a_population_that_did_not_all_come(survey):
    """6 secretaries of 8: 4 say yes, 1 no, 1 is unknown, and 2 never came: of 8 at least 4 and at most 7. No interval besides."""
    rows = survey.share("prefers_as_now", where="is_secretary", population=8)
    assert told(rows) == [4 / 5, 4 / 8, 7 / 8, 6] and rows["method"].item() == "count"


def test_numbers_that_are_no_shares(survey):
    """Weights: 5 x (10 + 20 + 30) + 40 over 16 who said."""
    survey.derive("weight_given", "appraisal_weight").derive("rating", "cooperation_core_enforcement")
    rows = survey.mean("weight_given")
    assert rows["estimate"].item() == pytest.approx(340 / 16) and rows["n"].item() == 16
    # Two of 18 did not say: they may have given 0 or 100.
    assert rows["low"].item() == pytest.approx(340 / 18) and rows["high"].item() == pytest.approx(540 / 18)
    gap = survey.difference("weight_given", "rating")  # all 18 rated, 4 on average
    assert gap["estimate"].item() == pytest.approx(340 / 16 - 4)
    assert gap["low"].item() == pytest.approx(340 / 18 - 4) and gap["high"].item() == pytest.approx(540 / 18 - 4)
    ratio = survey.ratio("weight_given", "rating")  # of the 16 who gave both: ratings 15 x 4 + 4
    assert ratio["estimate"].item() == pytest.approx(340 / 64) and ratio["measure"].item() == "weight_given/rating"
    assert np.isnan(
        [ratio["low"].item(), ratio["high"].item()]
    ).all()  # what two would have added to both, nobody can bound


def test_who_sent_no_form_counts_both_ways(tmp_path):
    """10 of 54: every share, mean, difference and pooled list is bounded by 44 who said nothing, none by an interval."""
    support = {"L11_a_importance": [5] * 54, "L11_a_adequacy": [3] * 54}
    rows = leaders(18, L07=[1] * 8 + [2] * 46, L06_a_core=[5] * 54, L06_b_core=[2] * 54, **support)
    made = county(tmp_path, {"towns": register(18)}, {"leader": rows.iloc[:10]})
    survey = made.survey("leader")
    assert told(survey.share("prefers_as_now")) == [8 / 10, 8 / 54, 52 / 54, 10]
    names = ["cooperates_core_enforcement", "cooperates_core_market"]
    assert told(survey.share(names, pooled="both")) == [10 / 20, 10 / 108, 98 / 108, 20]
    mean = survey.mean("importance_people").iloc[0]
    assert [mean["estimate"], mean["low"], mean["high"]] == pytest.approx([5, (50 + 44) / 54, 5])
    gap = survey.difference("importance_people", "adequacy_people").iloc[
        0
    ]  # 2, and from -4 to 4 of those who sent no form
    assert [gap["estimate"], gap["low"], gap["high"]] == pytest.approx([2, (20 - 4 * 44) / 54, (20 + 4 * 44) / 54])
    # 4 secretaries and 3 mayors came, and 6 of them want it so; 3 officers are known to be no heads, the 44 others are not.
    assert told(survey.share("prefers_as_now", where="is_head")) == [6 / 7, 6 / 51, 50 / 51, 7]
    assert told(survey.share("prefers_as_now", where="is_head", population=36)) == [6 / 7, 6 / 36, 35 / 36, 7]


@pytest.mark.parametrize(("lang", "said"), [("en", "small census without sampling error"), ("zh", "没有抽样误差可算")])
def test_what_needs_a_sample_is_refused(survey, lang, said):
    use_language(lang)
    tries = (
        lambda: survey.change("prefers_as_now", survey),
        lambda: survey.crosstab("position", "agency_management"),
        lambda: survey.regress("prefers_as_now ~ position"),
    )
    for attempt in tries:
        with pytest.raises(EstimateError, match=said):
            attempt()


def test_what_nobody_asked_says_so(survey):
    survey.absent, survey._ids, survey.frame = "not asked in this wave", survey._ids[:0], survey.frame.iloc[:0]
    rows = survey.share("cooperates_core_*", pooled="core")
    assert list(rows["measure"]) == ["core"] and rows["reason"].item() == "not asked in this wave"


def test_few_departments_may_be_told_where_leaders_may_not(survey):
    """The fewest hold for people: three who answer five questions are three. Of departments no town is known."""
    table = pd.DataFrame(np.ones((4, 5)), index=survey._ids[:4])
    assert survey._fewest(table) > table.size
    departments = Census(**{**vars_of(survey), "_town": pd.Series(pd.NA, index=survey._ids, dtype="string")})
    assert departments._fewest(pd.DataFrame(np.ones((5, 1)), index=survey._ids[:5])) == 1


@pytest.mark.parametrize(("towns", "is_told"), [(2, False), (3, True)])
def test_leaders_of_fewer_than_three_towns_are_not_told(tmp_path, towns, is_told):
    rows = leaders(towns, L07=[1] * (3 * towns))
    row = (
        county(tmp_path, {"towns": register(towns)}, {"leader": rows}).survey("leader").share("prefers_as_now").iloc[0]
    )
    assert (row["estimate"] == 1) == is_told and (row["reason"] == "too few answers") != is_told


def vars_of(survey):
    return {name: getattr(survey, name) for name in survey.__dataclass_fields__}


@pytest.mark.parametrize(
    ("yes", "known", "total", "numbers", "reason", "reliability"),
    [
        (2, 3, 5, [2 / 3, 2 / 5, 4 / 5], "", "ok"),
        (2, 3, 4, [None] * 3, "too few answers", "too few answers"),
        (0, 0, 5, [None, 0, 1], "nobody knows", "not estimable"),
        (0, 0, 0, [None] * 3, "no call", "not estimable"),
        (1, 1, 1, [None] * 3, "too few answers", "too few answers"),
        (5, 5, 5, [1, 1, 1], "", "ok"),
    ],
)
def test_a_share_is_bounded_by_what_nobody_knows(yes, known, total, numbers, reason, reliability):
    row = bounded(["county"], [yes], [known], [total], fewest=5, reason="no call").iloc[0]
    found = [None if np.isnan(one) else one for one in row[["estimate", "low", "high"]]]
    assert (found, row["n"], row["reason"], row["reliability"]) == (numbers, total, reason, reliability)


def test_nothing_is_stated_below_the_fewest():
    row = bounded(["county"], [2], [3], [4], fewest=5).iloc[0]
    assert np.isnan([row["estimate"], row["low"], row["high"]]).all()
    assert row["reason"] == row["reliability"] == "too few answers"
