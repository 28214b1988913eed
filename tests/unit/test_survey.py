"""A survey as a researcher holds it: frame, estimates worked out by hand, and what it refuses, in both languages."""

import warnings

import numpy as np
import pandas as pd
import pytest
from agencies_stand_in import leaders
from surveys_stand_in import aware_of, margins, opened, residents, staff

from huying.intervals import limits, mover
from huying.survey_frame import UnaskedWarning
from huying.words import EstimateError, use_language

MARGINS = {("margins", ""): margins(2)}


def with_business(counts, first_old, size=32, **answers):
    """Two towns: `counts` of `size` are aware, every second person had business, and `first_old` of these went to the old station."""
    towns, heard = aware_of(counts, size)
    place = np.tile(np.arange(size), len(counts))
    had = place % 2 == 0
    order = place // 2
    old = np.array([order[k] < first_old[k // size] for k in range(len(towns))])
    contact = [None if not h else 1 if o else 2 for h, o in zip(had, old, strict=True)]
    rows = residents(towns, R09=heard, R13=[1 if h else 2 for h in had], R15=contact, villages=4, **answers)
    rows["R15_missing"] = rows["R15_missing"].mask(~had, "skipped")
    return rows


@pytest.fixture
def county(tmp_path):
    """T01: 24 of 32 aware, 10 of 16 with business went to the old station; T02: 8 of 32, 4 of 16."""
    return opened(tmp_path, {"resident": [with_business([24, 8], [10, 4])]}, 2, MARGINS)


@pytest.fixture
def survey(county):
    return county.survey("resident")


def refused(call, english, chinese):
    """The message of the refusal holds these words in each language."""
    for lang, said in (("en", english), ("zh", chinese)):
        use_language(lang)
        with pytest.raises(EstimateError) as error:
            call()
        assert said in error.value.say(lang), error.value.say(lang)


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_frame_holds_answers_by_name(survey):
    frame = survey.frame
    assert frame.index.name == "row_id" and frame.index[0] == "resident2023#0" and len(frame) == 64
    assert list(frame.columns[:5]) == ["town", "village", "wave", "weight", "flags"]
    first = frame.iloc[0]
    assert (first["town"], first["village"], first["wave"], first["age_group"], first["sex_group"]) == (
        "T01",
        "T01-0",
        "2023",
        "18-39",
        "male",
    )
    assert set(frame["heard_reform"]) == {"read", "not_heard"} and set(frame["first_contact"].dropna()) == {
        "old_station",
        "service_centre",
    }
    kinds = {
        name: str(frame[name].dtype)
        for name in ("heard_reform", "aware", "learned_from_wechat", "age", "satisfaction", "recognises_old")
    }
    assert kinds == {"heard_reform": "string", "aware": "boolean", "learned_from_wechat": "boolean", "age": "Int64",
                     "satisfaction": "Int64", "recognises_old": "Float64"}  # fmt: skip


def test_a_comparison_keeps_what_is_missing(survey):
    went = survey.frame["first_contact"] == "old_station"
    assert went.isna().sum() == 32 and went.sum() == 14


def test_why_an_answer_is_missing(survey):
    assert survey.missing("first_contact").dropna().tolist() == ["skipped"] * 32
    refused(
        lambda: survey.missing("first_contract"),
        "first_contract is no answer of the form",
        "变量 first_contract 不是问卷里的题目",
    )
    refused(lambda: survey.missing("aware"), "nothing says why it is missing", "没有缺失原因")


def test_every_call_gives_a_frame_of_its_own(county):
    one = county.survey("resident")
    one.frame["mine"] = 1.0
    one.derive("young", "age < 40")
    assert not {"mine", "young"} & set(county.survey("resident").frame)


# --- estimates by hand ------------------------------------------------------------------------------------------------


def test_a_share_by_town_and_county(survey):
    """24 of 32 and 8 of 32, equal weights, towns of 1,000 adults each: .75, .25 and .5."""
    rows = survey.share("aware")
    assert rows["place"].tolist() == ["T01", "T02", "county"] and set(rows["measure"]) == {"aware"}
    assert rows["estimate"].tolist() == pytest.approx([0.75, 0.25, 0.5])
    assert rows["n"].tolist() == [32, 32, 64] and set(rows["wave"]) == {"2023"} and set(rows["period"]) == {""}
    assert (rows["low"] < rows["estimate"]).all() and (rows["estimate"] < rows["high"]).all()


def test_the_county_alone_and_groups(survey):
    assert survey.share("aware", by=None)["place"].tolist() == ["county"]
    by_sex = survey.share("aware", by="sex_group")
    assert by_sex[["place", "sex_group"]].to_numpy().tolist() == [["county", "male"], ["county", "female"]]
    assert by_sex["n"].tolist() == [32, 32]
    both = survey.share("aware", by=["town", "sex_group"])
    assert len(both) == 6 and list(both.columns[:2]) == ["place", "sex_group"]
    of_men = survey.share("aware", where="sex_group = male")
    pd.testing.assert_frame_equal(both.iloc[:3].drop(columns="sex_group"), of_men)


def test_a_rule_cuts_the_base_and_not_the_design(survey):
    """Of those with business 10 of 16 and 4 of 16; a rule gives the same n as the base that the variable has."""
    rows = survey.share("went_old_first", by=None)
    assert rows["n"].item() == 32 and rows["estimate"].item() == pytest.approx((10 / 16 + 4 / 16) / 2)
    cut = survey.derive("old", "first_contact = old_station").share("old", by=None, where="had_business = yes")
    pd.testing.assert_frame_equal(cut.drop(columns="measure"), rows.drop(columns="measure"))


def test_a_prefix_stands_for_all_columns_that_begin_so(survey):
    rows = survey.share("contact_*", by=None)
    assert rows["measure"].str.startswith("contact_").all() and len(rows) == 8
    assert rows.set_index("measure")["estimate"].sum() == pytest.approx(1.0)


def test_few_answers_are_not_stated(tmp_path):
    rows = (
        opened(tmp_path, {"resident": [with_business([15, 5], [10, 3], 19)]}, 2, MARGINS)
        .survey("resident")
        .share("aware")
    )
    assert rows["estimate"].isna().tolist() == [True, True, False] and set(rows["reason"][:2]) == {"too few answers"}


def test_a_difference_keeps_the_covariance(survey):
    """A column less itself is 0 without any doubt; less its opposite it is twice as uncertain as alone."""
    survey.derive("unaware", "heard_reform = not_heard", unknown="counts")
    survey.frame["same"] = survey.frame["aware"]
    own = survey.difference("aware", "same", by=None)
    assert own["estimate"].item() == 0 and own["se"].item() == pytest.approx(0, abs=1e-12)
    gap, alone = survey.difference("aware", "unaware"), survey.mean("aware")
    assert gap["estimate"].tolist() == pytest.approx([0.5, -0.5, 0.0])
    assert gap["se"].tolist() == pytest.approx((2 * alone["se"]).tolist())


def test_a_ratio_of_totals(tmp_path):
    """T01: 10 people with 4 needed and 1 made, one alone with 40 needed and 40 made: 50/80; the mean of ratios would be .32."""
    rows = staff(["T01"] * 11, S14=[4] * 10 + [40], S15=[1] * 10 + [40])
    made = opened(tmp_path, {"staff": [rows]}, 1).survey("staff").ratio("calls_made", "calls_needed")
    assert (
        made["estimate"].tolist() == pytest.approx([50 / 80, 50 / 80])
        and made["measure"].iloc[0] == "calls_made/calls_needed"
    )


def test_every_answer_of_a_question(survey):
    rows = survey.topline("first_contact", where="had_business = yes")
    assert rows[["answer", "n"]].to_numpy().tolist() == [["old_station", 32], ["service_centre", 32]]
    assert rows["estimate"].tolist() == pytest.approx([14 / 32, 18 / 32])


def test_an_answer_is_counted_unweighted_for_every_place(survey):
    """10 of 16 with business in T01 and 4 of 16 in T02 went to the old station."""
    rows = survey.topline("first_contact", by="town")
    assert rows.set_index(["answer", "place"])["count"].to_dict() == {
        ("old_station", "T01"): 10, ("old_station", "T02"): 4, ("old_station", "county"): 14,
        ("service_centre", "T01"): 6, ("service_centre", "T02"): 12, ("service_centre", "county"): 18,
    }  # fmt: skip
    of_men = survey.topline("first_contact", where="sex_group = male")  # every second person, all of them with business
    assert of_men.set_index("answer")["count"].to_dict() == {"old_station": 14, "service_centre": 18}
    assert "count" not in survey.topline("first_contact", by="sex_group")


def test_a_question_tells_how_many_answered_were_not_asked_and_did_not_say(tmp_path):
    people = with_business([24, 8], [10, 4])
    people.loc[0, ["R15", "R15_missing"]] = [None, "refused"]  # had business, and does not say where he went
    rows = opened(tmp_path, {"resident": [people]}, 2).survey("resident").questions().set_index("question")
    assert rows.loc["first_contact", ["n", "n_skipped", "n_missing"]].tolist() == [31, 32, 1]
    assert rows.loc["heard_reform", ["n", "n_skipped", "n_missing"]].tolist() == [64, 0, 0]


def test_whose_group_is_not_known_is_in_no_group(tmp_path):
    people = with_business([24, 8], [10, 4])
    people.loc[:3, "R04"] = None  # two men and two women of T01
    rows = opened(tmp_path, {"resident": [people]}, 2).survey("resident").share("aware", by="sex_group")
    assert rows[["sex_group", "n"]].to_numpy().tolist() == [["male", 30], ["female", 30]]


def test_what_is_made_by_another_definition_than_the_declared_one_says_so(survey):
    assert "definition_changed" not in set(survey.share("aware").get("remark", []))
    survey.derive("aware", "heard_reform in read, told")
    assert set(survey.share("aware")["remark"]) == {"definition_changed"}
    assert set(survey.difference("aware", "aware_certain")["remark"]) == {"definition_changed"}
    assert "definition_changed" not in set(survey.share("aware_certain").get("remark", []))


def test_a_town_without_weights_is_marked_and_the_county_with_it(tmp_path):
    lacking = MARGINS["margins", ""].query("town_id == 'T01'")
    survey = opened(tmp_path, {"resident": [with_business([24, 8], [10, 4])]}, 2, {("margins", ""): lacking})
    rows = survey.survey("resident").share("aware")
    assert rows["remark"].tolist() == ["", "unweighted", "unweighted"]


def test_a_sum_is_named_by_its_parts_and_rests_on_the_smallest_base(survey):
    rows = survey.combine({"aware": 1.0, "went_old_first": 2.0}, by=None)
    assert rows["measure"].tolist() == ["aware + went_old_first"] and rows["n"].tolist() == [32]
    assert rows["estimate"].item() == pytest.approx(0.5 + 2 * (10 / 16 + 4 / 16) / 2)
    assert survey.combine({"aware": 1.0}, "own", by=None)["measure"].tolist() == ["own"]


def test_a_survey_says_what_it_is(survey):
    for lang, said in (("en", "64"), ("zh", "64")):
        use_language(lang)
        assert said in repr(survey) and "2023" in repr(survey) and survey._repr_html_() == f"<p>{survey!r}</p>"


def test_the_order_of_rows_does_not_matter(survey):
    before = survey.share("aware")
    survey.frame = survey.frame.sort_values("age", kind="stable")
    pd.testing.assert_frame_equal(survey.share("aware"), before)


def test_without_margins_sex_and_age_in_years_still_make_groups(tmp_path):
    survey = opened(tmp_path, {"resident": [with_business([24, 8], [10, 4])]}, 2).survey("resident")
    assert survey.frame["age_group"].value_counts().to_dict() == {"18-39": 32, "60+": 32}
    rows = survey.share("aware", by=["town", "sex_group"])
    assert rows["n"].tolist() == [16, 16, 32] * 2 and rows["sex_group"].tolist() == ["male"] * 3 + ["female"] * 3


def test_without_sex_and_age_there_are_no_groups_and_notebooks_still_run(tmp_path):
    people = with_business([24, 8], [10, 4]).drop(columns=["R03", "R04"])
    survey = opened(tmp_path, {"resident": [people.assign(R03=pd.NA, R04=pd.NA)]}, 2).survey("resident")
    rows = survey.share("aware", by=["town", "sex_group"])
    assert set(rows["reason"]) == {"not asked"} and rows["sex_group"].isna().all()


# --- columns made by hand ---------------------------------------------------------------------------------------------


def test_a_column_of_plain_pandas_works_as_any_other(survey):
    survey.frame["aware_of_those"] = survey.frame["aware"].where(survey.frame["went_old_first"].notna())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert survey.share("aware_of_those", by=None)["n"].item() == 32


def test_a_column_that_answers_for_who_was_not_asked_warns_with_both_n(survey):
    survey.frame["went_old"] = (survey.frame["first_contact"] == "old_station").fillna(False)
    use_language("en")
    with pytest.warns(
        UnaskedWarning, match=r"“first_contact” did not ask: its base is 64 people, of whom 32 were asked"
    ):
        assert survey.share("went_old", by=None)["n"].item() == 64
    use_language("zh")
    with pytest.warns(UnaskedWarning, match="现在的基数是 64 人，被问到的是 32 人"):
        survey.share("went_old", by=None)


def test_the_warning_names_the_line_that_asked(survey):
    survey.frame["went_old"] = (survey.frame["first_contact"] == "old_station").fillna(False)
    with pytest.warns(UnaskedWarning) as told:
        survey.share("went_old")
    assert told[0].filename == __file__


def test_what_depends_on_who_was_asked_needs_no_warning(survey):
    """Those who are not aware were not asked what they know: a column that says no of them answers nothing in their place."""
    survey.frame["aware_by_hand"] = survey.frame["heard_reform"] != "not_heard"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        survey.share("aware_by_hand")


def test_a_derived_variable_keeps_its_base(survey):
    assert survey.derive("went_old", "first_contact = old_station") is survey
    assert survey.share("went_old", by=None)["n"].item() == 32
    assert survey.define("went_old", "en") == "went_old (went_old): first_contact = old_station."


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_share_of_something_not_0_and_1(survey):
    refused(
        lambda: survey.share("heard_reform"),
        "heard_reform is not 0 and 1 (it holds “not_heard”)",
        "变量 heard_reform 不是 0 和 1（有“not_heard”）",
    )
    refused(lambda: survey.share("age"), "age is not 0 and 1 (it holds “30”)", "变量 age 不是 0 和 1（有“30”）")
    survey.frame["half"] = 0.5
    refused(lambda: survey.share("half"), "it holds “0.5”", "有“0.5”")


def test_a_mean_of_text_and_of_the_infinite(survey):
    refused(
        lambda: survey.mean("heard_reform"),
        "heard_reform is no number (it holds “not_heard”)",
        "变量 heard_reform 不是数（有“not_heard”）",
    )
    survey.frame["endless"] = np.inf
    refused(lambda: survey.mean("endless"), "it holds “inf”", "有“inf”")


def test_a_group_for_every_person(survey):
    survey.frame["who"] = [f"person {k}" for k in range(64)]
    refused(
        lambda: survey.share("aware", by="who"),
        "who has 64 values, more than 30 groups",
        "变量 who 有 64 个不同的值，最多分 30 组",
    )
    refused(lambda: survey.share("aware", by=["town", "who"]), "Cut it into bands first", "请先分段")


def test_a_column_that_is_not_there(survey):
    refused(
        lambda: survey.share("awere"), "there is no column “awere”. Near it: aware", "没有变量“awere”。相近的有：aware"
    )
    refused(lambda: survey.share("aware", by="sex_grup"), "Near it: sex_group", "相近的有：sex_group")
    refused(
        lambda: survey.share("aware", where="agee > 30"),
        "names “agee”, which is no column here",
        "“agee”不是已知的变量",
    )
    refused(lambda: survey.define("awere"), "Near it: aware", "相近的有：aware")


def test_rows_dropped_or_repeated_by_hand(survey):
    whole = survey.frame
    english, chinese = "the design 64 people: rows were dropped, repeated or taken by hand. Use where=", "请改用 where="
    survey.frame = whole[whole["sex_group"] == "male"]
    refused(
        lambda: survey.share("aware"),
        f"the frame has 32 rows and {english}",
        f"数据表现有 32 行，抽样设计有 64 人：行被手工删去、重复或另取。{chinese}",
    )
    survey.frame = pd.concat([whole, whole.head(1)])
    refused(lambda: survey.mean("aware"), "the frame has 65 rows", "数据表现有 65 行")
    survey.frame = whole.reset_index(drop=True)
    refused(lambda: survey.share("aware", by="sex_group"), "the frame has 64 rows", "数据表现有 64 行")
    survey.frame = whole.iloc[[0, *range(63)]]
    refused(lambda: survey.crosstab("sex_group", "aware"), "rows were dropped, repeated", "重复或另取")


def test_a_name_that_cannot_be_a_column(survey):
    refused(lambda: survey.derive("my idea", "aware"), "“my idea” cannot name a variable", "“my idea”不能作变量名")


def test_a_leaders_frame_asked_by_town(tmp_path):
    towns = 6
    people = leaders(towns, L13=[1, 4, 3] * towns)
    survey = opened(tmp_path, {"leader": [people]}, towns).survey("leader")
    assert not {"town", "village"} & set(survey.frame)
    rows = survey.derive("daily_old", "daily_structure = mainly_old").share("daily_old")
    numbers = rows[["place", "estimate", "low", "high", "n"]].to_numpy().tolist()
    assert numbers == [["county", 1 / 3, 1 / 3, 1 / 3, 18]]
    said = "leaders are few and known by their town", "领导人数少，容易认出本人，只能给出全县的结果"
    refused(lambda: survey.share("daily_old", by=["town", "position"]), *said)
    refused(
        lambda: survey.by_town(lambda frame, town: frame.groupby(town).size().rename_axis("place").reset_index()), *said
    )
    no_sample = "the survey of leaders is a small census without sampling error: no {}", "没有抽样误差可算，不能做{}"
    refused(lambda: survey.crosstab("position", "daily_old"), *(said.format("crosstab") for said in no_sample))
    refused(lambda: survey.regress("daily_old ~ position"), *(said.format("regress") for said in no_sample))


def test_a_form_a_weighting_or_a_flag_that_nobody_knows(county):
    refused(
        lambda: county.survey("residents"),
        "there is no form “residents”. Known: resident, staff",
        "没有“residents”这种问卷",
    )
    refused(
        lambda: county.survey("resident", weights="post"),
        "weights must be one of raked, none",
        "weights 应为 raked, none 之一",
    )
    refused(lambda: county.survey("resident", exclude=["speedy"]), "there is no flag “speedy”", "没有“speedy”这种标记")


# --- what was not asked -----------------------------------------------------------------------------------------------


def test_a_wave_or_form_that_was_not_asked_is_an_empty_survey_with_its_columns(county):
    for survey, reason in (
        (county.survey("resident", wave="2030"), "not asked in this wave"),
        (county.survey("staff"), "not asked"),
    ):
        assert len(survey.frame) == 0
        name = "aware" if survey.form == "resident" else "old_running"
        assert str(survey.frame[name].dtype) == "boolean"
        rows = survey.share(name)
        assert rows["place"].tolist() == ["T01", "T02", "county"] and rows["n"].sum() == 0
        assert set(rows["reason"]) == {reason} and set(rows["reliability"]) == {"not estimable"}
        assert set(survey.mean(name)["reason"]) == set(survey.change(name, since=survey)["reason"]) == {reason}


def test_an_earlier_wave_that_does_not_exist(survey, county):
    rows = survey.change("aware", since=county.previous(survey))
    assert rows["place"].tolist() == ["T01", "T02", "county"] and set(rows["reason"]) == {"no baseline"}


def test_a_variable_whose_question_the_form_does_not_have(tmp_path):
    """A questionnaire that lacks the question: the column is there and empty, and estimates say that it was not asked."""
    rows = with_business([24, 8], [10, 4])
    survey = opened(
        tmp_path, {"resident": [rows.drop(columns=[name for name in rows if name.startswith("R12")])]}, 2
    ).survey("resident")
    assert "recognises_old" in survey.unasked and survey.frame["recognises_old"].isna().all()
    survey.frame["less"] = survey.frame["recognises_old"] - survey.frame["recognises_new"]
    assert set(survey.mean("recognises_old")["reason"]) == {"not asked"}
    both = survey.share(["aware", "recognises_decoy"], by=None).set_index("measure")
    assert both["reason"].to_dict() == {"aware": "", "recognises_decoy": "not asked"}
    assert set(survey.difference("aware", "recognises_decoy")["reason"]) == {"not asked"}
    assert set(survey.share("aware", where="recognises_decoy")["reason"]) == {"not asked"}


def test_exclusions_and_weights_are_told_apart(tmp_path):
    rows = with_business([24, 8], [10, 4])
    county = opened(tmp_path, {"resident": [rows]}, 2, MARGINS, flags=["resident2023#0", "resident2023#33"])
    assert len(county.survey("resident").frame) == 62 and len(county.survey("resident", exclude=[]).frame) == 64
    plain = county.survey("resident", weights="none")
    assert set(plain.frame["weight"]) == {1.0} and len(set(county.survey("resident").frame["weight"])) > 1
    assert plain.share("aware")["estimate"].iloc[0] == pytest.approx(plain.frame.query("town == 'T01'")["aware"].mean())


def test_a_change_of_shares_has_limits_from_both_waves_at_any_level(survey):
    """Zou and Donner's equation 8 from the two waves' own limits; here a wave against itself, whose correlation is 1."""
    change, share = survey.change("aware", since=survey), survey.share("aware")
    row = change[change["place"] == "county"].iloc[0]
    assert row["method"] == "mover" and row["r"] == pytest.approx(1)
    for level in (0.95, 0.998):
        side = (share["estimate"].iloc[-1], *(float(end[-1]) for end in limits(share, level)))
        wanted = [float(end) for end in mover(side, side, row["r"])]
        assert [float(end[-1]) for end in limits(change, level)] == pytest.approx(wanted)
