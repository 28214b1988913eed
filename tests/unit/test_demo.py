"""The demo county: what is planted in it is there, the same seed gives the same bytes, and the key names every fault."""

import io
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from demo_county import draw_residents, draw_villages, house_truths, make_population, true_values
from demo_county.calls import CONFERENCE, draw_calls, draw_cases
from demo_county.dirt import identity_number
from demo_county.exports import csv_bytes, xlsx_bytes
from demo_county.ledgers import org_roster, unit_check
from demo_county.spelling import in_chinese, vary_towns
from demo_county.staff import draw_departments, draw_leaders, draw_staff, head_changes
from demo_county.write import KEY, build_demo
from huying.codebook import holds
from huying.kinds import clean_text

pytestmark = pytest.mark.slow  # of the generator: make test has what it wrote


@pytest.fixture(scope="module")
def county():
    return make_population(7)


@pytest.fixture(scope="module")
def written():
    bundle, values = build_demo(7)
    return bundle.files, pd.DataFrame(bundle.key, columns=KEY), values


@pytest.fixture(scope="module")
def calls():
    return draw_calls(house_truths(), np.random.default_rng(5))


def rows_of(files, name, encoding="utf-8-sig", sep=","):
    return pd.read_csv(io.BytesIO(files[f"raw/{name}"]), encoding=encoding, sep=sep, dtype=str, keep_default_na=False)


# population


def test_every_margin_holds_exactly(county):
    people, towns = county.people, county.towns
    assert len(people) == 605_730  # the sum of the adults in margins.csv
    sex = people.groupby(["town", "sex"]).size().unstack()
    group = people.groupby(["town", "group"]).size().unstack()
    assert (sex.to_numpy() == towns[["male", "female"]].to_numpy()).all()
    assert (group.to_numpy() == towns[["age_18_39", "age_40_59", "age_60_plus"]].to_numpy()).all()
    assert people["age"].between(18, 99).all()
    assert ((people["group"] == 2) == (people["age"] >= 60)).all()


def test_villages_add_up_to_their_town(county):
    villages = county.villages
    assert len(villages) == 617
    assert (villages.groupby("town")["adults"].sum().to_numpy() == county.towns["adults"].to_numpy()).all()
    share = villages["adults"] / county.towns["adults"].to_numpy()[villages["town"]]
    assert (
        share * county.towns["villages_sampled"].to_numpy()[villages["town"]]
    ).max() < 1  # none is drawn for certain


@pytest.mark.parametrize("wave", ["2023", "2024"])
def test_the_truths_are_met_within_a_thousandth(wave):
    population = make_population(11, wave)
    found = true_values(population).pivot(index="town_id", columns="indicator", values="value").drop(index="county")
    assert np.abs(found["aware"].to_numpy() - population.towns["true_aware"].to_numpy()).max() < 0.001
    assert np.abs(found["first_contact_old"].to_numpy() - population.towns["true_first_old"].to_numpy()).max() < 0.001


def test_the_county_has_the_weighted_truth(county):
    found = true_values(county)
    value = found[(found["town_id"] == "county") & (found["indicator"] == "aware")]["value"].item()
    assert value == pytest.approx(0.3884, abs=0.0005)  # sum of adults x true_aware / sum of adults, by hand


def test_effects_of_the_individual_model_have_their_sign(county):
    people = county.people
    share = people.groupby("insider")["aware"].mean()
    assert share[True] > share[False] + 0.12
    assert people[people["edu"] == 5]["aware"].mean() > people[people["edu"] == 1]["aware"].mean() + 0.1
    business = people[people["business"]]
    assert business[~business["aware"]]["first_old"].mean() > business[business["aware"]]["first_old"].mean() + 0.1
    assert 0.53 < people["business"].mean() < 0.58


def test_the_town_of_large_clusters_has_them(county):
    def icc(town_id):
        own = county.people[county.people["town"] == county.towns.index[county.towns["town_id"] == town_id][0]]
        village, p = own.groupby("village")["aware"].agg(["mean", "size"]), own["aware"].mean()
        return np.average((village["mean"] - p) ** 2, weights=village["size"]) / (p * (1 - p))

    assert 0.12 < icc("T02") < 0.18
    assert icc("T07") < 0.05


# samples


def test_a_sample_has_the_planned_counts(county):
    sample = draw_residents(county, np.random.default_rng(1))
    assert len(sample) == 1152
    assert (sample.groupby("town_id").size().to_numpy() == county.towns["n_resident"].to_numpy()).all()
    assert (
        sample.groupby("town_id")["village_id"].nunique().to_numpy() == county.towns["villages_sampled"].to_numpy()
    ).all()
    assert not sample["person"].duplicated().any()
    assert sample["base_weight"].sum() == pytest.approx(605_730)


def test_the_quota_failure_and_nobody_else_has_it(county):
    sample = draw_residents(county, np.random.default_rng(2))
    old = (sample["R03"] >= 60).groupby(sample["town_id"]).mean()
    assert old["T10"] == pytest.approx(47 / 60)  # 78% of 60 is 46.8
    assert (old.drop(["T10", "T12"]) < 0.5).all()


def test_raw_awareness_of_the_quota_town_lies_below_its_truth(county):
    draws = [draw_residents(county, np.random.default_rng([s, 3])) for s in range(8)]
    raw = np.mean([d.loc[d["town_id"] == "T10", "R09"].isin([1, 2, 3]).mean() for d in draws])
    assert 0.18 < raw < 0.285  # .24 planted against .30 in the town


def test_answers_obey_the_skip_rules(county):
    sample, items = draw_residents(county, np.random.default_rng(4)), county.truths.items("resident")
    for item in items:
        asked = holds(item.asked_if, sample)
        for cell in item.cells:
            assert (sample.loc[~asked, f"{cell}_missing"] == "skipped").all(), cell
            if item.type not in ("text", "multi"):
                assert sample.loc[asked & sample[f"{cell}_missing"].isna(), cell].notna().all(), cell


def test_the_second_wave_keeps_four_villages_in_five():
    first, second = make_population(3), make_population(3, "2024")
    before = draw_villages(first, np.random.default_rng(0))
    after = draw_villages(second, np.random.default_rng(1), before)
    town = second.villages["town"].to_numpy()
    for t, share in enumerate(second.towns["share_of_villages_kept"]):
        one, two = before[town[before] == t], after[town[after] == t]
        assert len(np.intersect1d(one, two)) == round(len(one) * share)
        assert len(one) == len(two) == len(set(two))
    assert len(draw_residents(second, np.random.default_rng(2), villages=after)) == second.towns["n_resident"].sum()


def test_staff_say_what_is_planted():
    staff = draw_staff(house_truths(), "2023", np.random.default_rng(6))
    assert len(staff) == 454
    needs, called = (staff.groupby("S01")[name].sum() for name in ("S14", "S15"))
    assert (
        np.abs((called / needs).to_numpy() - house_truths().towns["call_propensity"].to_numpy()).max() < 0.02
    )  # half a call in T12
    assert (called[3], (staff["S15"] > staff["S14"]).sum()) == (0, 0)  # T03 never calls
    marks = staff[[f"S10_{row}" for row in "abcdefg"]]
    new = (marks == 1).sum(axis=1).groupby(staff["S01"]).sum() / marks.notna().sum(axis=1).groupby(staff["S01"]).sum()
    assert np.corrcoef(new, house_truths().towns["true_PRI"])[0, 1] < -0.9


def test_leaders_and_departments_are_a_census(calls):
    truths = house_truths()
    leaders, _ = draw_leaders(truths, np.random.default_rng(8))
    assert len(leaders) == 54
    assert (leaders.loc[leaders["L02"] < 3, "L07"] == 1).sum() == 23  # .64 of 36
    one = leaders[leaders["L02"] == 1]
    assert sum((one[f"L03_{row}"] == 1).sum() for row in "abcde") == 41
    assert len(draw_departments(truths, calls, np.random.default_rng(9))) == 14


def test_consultation_before_and_after():
    events = head_changes(house_truths(), np.random.default_rng(8))
    assert events.groupby("after")["consulted"].agg(["sum", "size"]).to_numpy().tolist() == [
        [3, 25],
        [9, 16],
    ]  # .12 and .56


# ledgers


def test_the_index_of_the_unit_check_is_exact():
    truths, value = house_truths(), {"old": 1.0, "both": 0.5, "new": 0.0}
    for wave in ("2023", "2024"):
        checks = unit_check(truths, wave, np.random.default_rng(1))
        assert (checks.groupby("town").size() == 108).all()
        assert (checks[checks["in_use"] == "none"].groupby("town").size() == 8).all()
        index = checks["in_use"].map(value).groupby(checks["town"]).mean()
        assert np.abs(index.to_numpy() - truths.wave(wave)["true_PRI"].to_numpy()).max() <= 0.0025
        if wave == "2023":
            assert index["T06"] == 0.30  # exactly on the threshold
            assert (index >= 0.30).sum() == 13


def test_the_roster_has_two_exceptions_and_a_pilot():
    roster = org_roster(house_truths())
    counts = roster.groupby(["town", "class"]).size().unstack(fill_value=0)
    assert counts.loc["T01"].to_dict() == {"bureau": 3, "office": 5, "psu": 6}
    others = counts.drop(index="T01")
    odd = others[(others["office"] != 7) | (others["psu"] != 5)]
    assert odd["psu"].to_dict() == {"T13": 4, "T18": 6}
    assert roster[(roster["unit_id"] == "N13") & roster["plaque"].isna()]["town"].tolist() == ["T16"]


def test_the_successors_of_an_old_unit_share_it_wholly():
    org_map = house_truths().org_map
    share = org_map[org_map["new_unit"].notna()].groupby("old_id")["share"].sum()
    assert np.allclose(share, 1)
    assert org_map[org_map["new_unit"].isna()]["relation"].isin(["left", "dispatched"]).all()


def test_calls_show_what_is_planted(calls):
    count = calls.groupby("town").size()
    assert 950 < len(calls) < 1230
    assert "T03" not in count
    assert (calls.loc[calls["town"] == "T16", "status"] == "closed").all()
    late = calls[calls["town"] == "T16"]
    work = np.busday_count(late["dispatched_at"].dt.date.to_list(), late["closed_at"].dt.date.to_list())
    assert 0.3 < (work > 5).mean() < 0.6  # 45% later than 5 working days; here without the holidays' shifts
    assert (calls["called_at"] < calls["dispatched_at"]).all()
    assert not (calls["closed_at"] < calls["responded_at"]).any()
    assert calls["is_cross_duty"].mean() == pytest.approx(0.22, abs=0.015)
    handed = (calls["returned_n"] + calls["transfer_n"]) > 0
    cross = handed[calls["is_cross_duty"]].groupby(calls["called_at"] >= CONFERENCE).mean()
    assert cross[True] < cross[False]
    assert handed[calls["dept"] == "K13"].mean() > 2 * handed.mean()
    assert ((calls["dispatched_at"] < "2022-10-01") & (calls["closed_at"] > "2022-10-08")).sum() >= 3


def test_joint_conference(calls):
    cases = draw_cases(calls, np.random.default_rng(3))
    days = (cases["ruled_on"] - cases["referred_on"]).dt.days
    assert len(cases) == 60
    assert 8 <= days.fillna(999).median() <= 20
    assert cases.loc[cases["ruled_on"].isna(), "ruling_dept"].isna().all()


# dirt and exports


def test_rates_of_dirt_are_in_range(written):
    _, key, _ = written
    own = key[key["file"].str.startswith("residents_2023")]
    share = {kind: n / 1152 for kind, n in Counter(own["kind"]).items()}
    for kind, low, high in (
        ("duplicate", 0.010, 0.020), ("near_duplicate", 0.007, 0.013), ("speeder", 0.03, 0.05), ("straight_line", 0.02, 0.04),
        ("exclusive_with_others", 0.007, 0.013), ("personal_data", 0.005, 0.009), ("says_nothing", 0.03, 0.07),
    ):  # fmt: skip
        assert low <= share[kind] <= high, kind
    ages = own[own["kind"].str.startswith("age_") & (own["kind"] != "age_refused")]
    assert 0.02 <= len(ages) / 1152 <= 0.03
    assert (key[key["kind"] == "cloned_block"].groupby("file").size().to_dict()) == {"residents_2023_text.csv": 9}
    assert Counter(key["kind"])["line_in_another_encoding"] == 3


def test_every_planned_form_is_there_and_the_key_points_at_rows(written):
    files, key, _ = written
    main = rows_of(files, "residents_2023_text.csv")
    utf16 = rows_of(files, "residents_2023_utf16_text.txt", "utf-16", "\t")
    typed = rows_of(files, "residents_2023_typed_text.csv", "gb18030")
    weights = key[key["kind"] == "base_weight"].groupby("file").size()
    assert weights[weights.index.str.startswith("residents_2023")].sum() == 1152
    for name, table in (
        ("residents_2023_text.csv", main),
        ("residents_2023_utf16_text.txt", utf16),
        ("residents_2023_typed_text.csv", typed),
    ):
        own = key[key["file"] == name]
        assert own["row"].between(2, len(table) + 1).all()
        beyond = own["kind"].str.startswith("disposition_") | own["kind"].isin(["duplicate", "near_duplicate"])
        assert len(table) == (own["kind"] == "base_weight").sum() + beyond.sum()
    assert typed["2、您如今住在哪个镇街？"].nunique() > 5


def test_clones_differ_in_two_answers_at_most_and_honest_forms_in_more(written):
    files, key, _ = written
    table = rows_of(files, "residents_2023_number.csv")
    team = table["来源详情"].str.extract("interviewer=(.+)", expand=False)
    answers = table.iloc[:, 7:].map(clean_text).to_numpy()
    done = (table.iloc[:, 7:] == "-3").mean(axis=1) < 0.9
    own = key[key["file"] == "residents_2023_text.csv"]
    clones = set(own[own["kind"] == "cloned_block"]["row"] - 2)
    again = set(own[own["kind"].isin(["duplicate", "near_duplicate"])]["row"] - 2)
    assert len({team[row] for row in clones}) == 1
    for rows in table.index[done & team.notna()].to_series().groupby(team):
        for one, two in combinations(sorted(set(rows[1]) - again), 2):
            differ = (answers[one] != answers[two]).sum()
            assert differ <= 2 if {one, two} <= clones else differ > 4


def test_text_and_number_exports_agree(written):
    files, _, _ = written
    text, number = rows_of(files, "residents_2023_text.csv"), rows_of(files, "residents_2023_number.csv")
    assert (text["序号"] == number["序号"]).all()
    header = next(name for name in text if name.startswith("14、"))
    cells = text[header].str.replace("[\u200b\u3000\u00a0]", "", regex=True)
    assert set(zip(cells, number[header], strict=True)) == {("办过事", "1"), ("没办过事", "2"), ("(跳过)", "-3")}


def test_a_fill_in_may_hold_the_signs_of_the_export(written):
    assert "〖宣传单┋大篷车〗" in written[0]["raw/residents_2023_text.csv"].decode("utf-8-sig")


def test_staff_file_keeps_labels_and_user_missing(written, tmp_path):
    path = tmp_path / "staff.sav"
    path.write_bytes(written[0]["raw/staff_2023.sav"])
    frame, meta = pyreadstat.read_sav(str(path), user_missing=True)
    assert len(frame) == 454
    assert meta.missing_ranges["S12_a"] == [{"lo": 98.0, "hi": 98.0}]
    assert meta.variable_value_labels["S11_1"] == {0.0: "未选", 1.0: "习惯了原来的做法"}
    assert (frame["S15"] > frame["S14"]).sum() == 7  # 1.5% of 454
    assert f"{meta.creation_time:%Y-%m-%d}" == "2023-06-05"


def test_the_counts_of_need_hold_lines_in_another_encoding(written):
    files, key, _ = written
    lines = files["raw/need_counts.csv"].split(b"\r\n")
    wrong = []
    for n, line in enumerate(lines, 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            wrong.append(n)
            line.decode("gb18030")
    assert wrong == sorted(key[key["kind"] == "line_in_another_encoding"]["row"])


def test_the_same_seed_gives_the_same_bytes(written):
    again, _ = build_demo(7)
    assert again.files == written[0]
    assert len(again.key) == len(written[1])
    assert sum(len(content) for content in again.files.values()) < 2_800_000


def test_writers_give_the_same_bytes_for_the_same_rows():
    frame = pd.DataFrame({"a": ["1"], "b": ["二"]})
    assert csv_bytes(["a", "b"], frame) == "\ufeffa,b\r\n1,二\r\n".encode()
    assert csv_bytes(["a", "b"], frame, foreign=(2,)).endswith("1,二\r\n".encode("gb18030"))
    assert xlsx_bytes(["a", "b"], frame) == xlsx_bytes(["a", "b"], frame)


def test_names_of_towns_are_varied_but_stay_tellable():
    truths = house_truths()
    town = np.repeat(np.arange(len(truths.towns)), 200)
    said, varied = vary_towns(town, truths, np.random.default_rng(1))
    assert 0.19 < len(varied) / len(town) < 0.25
    owner = {}
    for name, t in zip(said, town, strict=True):
        assert owner.setdefault(name, t) == t  # no spelling means two towns


def test_small_parts():
    assert [in_chinese(n) for n in (18, 20, 42, 90)] == ["十八", "二十", "四十二", "九十"]
    number = identity_number(np.random.default_rng(0))
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]  # GB 11643
    assert number[-1] == "10X98765432"[sum(int(d) * w for d, w in zip(number[:17], weights, strict=True)) % 11]
