"""The demo county's ledgers of the reform and the agencies: what is planted comes out of the written files when they are read back."""

import itertools
import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demo_county import house_truths
from demo_county.write import KEY, build_demo
from huying.clean.intake import Intake
from huying.codebook import house_codebook
from huying.folder import read_county
from huying.store import write_bytes

pytestmark = pytest.mark.slow  # of the generator: make test has what it wrote
NEW = ("quota", "quota_moves", "quota_plan", "admissions", "publicity", "delegated_items", "accepted_items", "service_log", "centres",
       "bank_points", "agencies", "agency_events", "appraisal_weights", "appraisal_scores", "duty_log", "accountability")  # fmt: skip
STEMS = [
    "总体",
    "个体",
    "样方",
    "标差",
    "极值",
    "峰度",
    "偏度",
    "似然",
    "参数",
    "假设",
    "检验",
    "显著",
    "回归",
    "截距",
    "斜率",
    "拟合",
    "校准",
    "分层",
    "整群",
    "系统",
    "交叉",
    "折叠",
    "自助",
    "平滑",
    "带宽",
    "核密",
]
CHECKS = {"has_place": 0.97, "has_staff": 0.93, "has_matters": 0.99, "has_promise": 0.88, "same_name": 0.96, "same_layout": 0.90,
          "same_equipment": 0.85, "same_rules": 0.91}  # fmt: skip


def other_truths():
    """26 towns, none of them a pilot, with other ids and names; T01, T02 … of the features become Z11, Z12 …"""
    house = house_truths()
    take = np.resize(np.arange(18), 26)
    ids = [f"Z{n}" for n in range(11, 37)]
    renamed = dict(zip(house.towns["town_id"], ids, strict=False))
    towns = house.towns.iloc[take].reset_index(drop=True)
    towns = towns.assign(
        town_id=ids, name_zh=[f"{stem}镇" for stem in STEMS], name_en=ids, type=towns["type"].replace({"pilot": "town"})
    )
    towns["name_zh"] = towns["name_zh"].where(towns["type"] != "street", towns["name_zh"].str.replace("镇", "街道"))
    waves = pd.concat([house.waves[house.waves["town_id"] == old].assign(town_id=new)
                       for old, new in zip(house.towns["town_id"].iloc[take], ids, strict=True)])  # fmt: skip

    def rename(value):
        if isinstance(value, dict):
            return {renamed.get(key, key): rename(own) for key, own in value.items() if key != "wrong"} | (
                {"wrong": "不明某镇"} if "wrong" in value else {}
            )
        return [rename(own) for own in value] if isinstance(value, list) else renamed.get(value, value)

    features = rename(house.features)
    return replace(house, towns=towns, waves=waves.reset_index(drop=True), features=features | {"aliases": {}})


class Read:
    """A county's ledgers as `Intake` reads them from the written files, with the key and the true values."""

    def __init__(self, folder, seed=7, truths=None):
        self.bundle, values = build_demo(seed, truths)
        for name, content in self.bundle.files.items():
            write_bytes(folder / name, content)
        self.county = read_county(folder)
        self.intake = Intake(self.county, house_codebook())
        for entry in self.intake.in_order():
            self.intake.take_ledger(entry)
        self.counts = pd.DataFrame(self.intake.counts).set_index("file")
        self.key = pd.DataFrame(self.bundle.key, columns=KEY)
        self.values = values.set_index(["town_id", "wave", "indicator"])["value"]

    def __getitem__(self, table):
        return pd.concat(
            [frame for (name, _), frame in self.intake.ledgers.items() if name == table], ignore_index=True
        )

    def file(self, table):
        return next(entry.file for entry in self.county.ledgers if entry.table == table)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return Read(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return Read(tmp_path_factory.mktemp("other"), truths=other_truths())


@pytest.fixture(params=["house", "other"])
def read(request):
    return request.getfixturevalue(request.param)


def test_every_row_of_the_new_files_is_kept_but_the_planted_faults(read):
    for table in NEW:
        counts, spoilt = read.counts.loc[read.file(table)], 9 if table == "service_log" else 0
        assert counts["n_read"] == counts["n_kept"] + counts["n_rejected"]
        assert (counts["n_rejected"], counts["n_personal"]) == (spoilt, 0), (
            table
        )  # 4 unreadable, 5 twice; of 8 that finished too early only the time goes
        assert counts["n_kept"] > 0
    lines = pd.concat(read.intake.rejected)
    lines = lines[lines["file"].str.endswith("service_log_2022.xlsx")]
    assert (lines.loc[lines["reason"] == "before", "level"] == "cell").all()
    planted = read.key[(read.key["file"] == "service_log_2022.xlsx") & ~read.key["kind"].str.startswith("town_")]
    assert dict(zip(lines["row"], lines["reason"], strict=True)) == dict(
        zip(planted["row"], planted["kind"].map({"finished_before_accepted": "before", "unreadable_date": "unfit",
                                                 "repeated_row": "repeated"}), strict=True))  # fmt: skip


def test_towns_spelt_otherwise_are_in_the_key_and_matched(read):
    for table in ("quota", "agency_events", "centres", "service_log", "publicity", "accepted_items", "agencies"):
        file = read.file(table).removeprefix("raw/")
        own = read.key[(read.key["file"] == file) & read.key["kind"].str.startswith("town_")]
        assert len(own) > 0.08 * (len(read[table]) - 40), table
    centres = read["centres"]
    assert (centres["centre_id"].str[:3] == centres["town_id"]).all()  # whatever the name, the id tells the town
    assert (read["agencies"]["agency_id"].str[:3] == read["agencies"]["town_id"]).all()
    n_towns = len(read["towns"])
    for table in ("quota", "publicity", "accepted_items", "centres", "agencies", "service_log"):
        assert read[table]["town_id"].nunique() == n_towns


def test_formats_are_mixed(house):
    encodings = house.counts.loc[[house.file(table) for table in NEW], "encoding"]
    assert (encodings == "gb18030").sum() == 2
    assert sum(name.endswith("xlsx") for name in encodings.index) == 4


def test_posts_recovered_balance_only_with_those_held(read):
    moves = read["quota_moves"]
    assert moves.groupby("move")["posts"].sum().to_dict() == {"given": 205, "held": 7, "recovered": 212}
    signed = moves["posts"] * moves["move"].map({"recovered": 1, "given": -1, "held": -1})
    assert (signed.groupby(moves["from_unit"]).sum() == 0).all()
    assert (moves["town_id"].notna() == (moves["move"] == "given")).all()
    quota = read["quota"][read["quota"]["kind"] != "edu_health"]
    stock = quota.groupby([quota["town_id"].notna(), "year"])["quota"].sum()
    assert stock[True, 2022] - stock[True, 2021] == 205
    assert stock[False, 2022] - stock[False, 2021] == 7 - 212


def test_fill_rates_and_staff_per_resident(read):
    quota = read["quota"].dropna(subset=["town_id"])
    sums = quota.groupby(["year", "town_id"])[["quota", "filled", "borrowed_out"]].sum()
    assert (sums["filled"] <= sums["quota"]).all()
    paper, real = sums["filled"] / sums["quota"], (sums["filled"] - sums["borrowed_out"]) / sums["quota"]
    town = {name: f"T{n:02d}" if "T01" in set(quota["town_id"]) else f"Z{n + 10}" for name, n in
            (("T05", 5), ("T08", 8), ("T10", 10), ("T13", 13), ("T16", 16), ("T18", 18))}  # fmt: skip
    lends = [town[name] for name in ("T05", "T10", "T13", "T16")]
    assert (paper[2022][lends] > 0.9).all()
    assert (real[2022][lends] < 0.9).all()
    falls = [town["T08"], town["T18"]]
    change = sums["filled"][2022] - sums["filled"][2021]
    assert set(change.index[change < 0]) == set(falls)
    assert (change.drop(falls) > 0).all()
    others = real[2022].drop([*lends, *falls])
    assert ((others >= 0.9) & (others < 1)).all()


def test_the_plan_gives_65_per_cent_with_the_one_denominator(read):
    plan = read["quota_plan"]
    total, towns = (
        plan.groupby("kind")["planned"].sum(),
        plan.dropna(subset=["town_id"]).groupby("kind")["planned"].sum(),
    )
    assert total.to_dict() == {"admin": 120, "edu_health": 250, "psu": 160}
    assert towns.to_dict() == {"admin": 78, "psu": 104}
    assert (round(100 * 104 / 160, 1), round(100 * 104 / 410, 1)) == (65.0, 25.4)
    assert read.county.printed["A14"] == {"percent": 65.0, "towns": 104}
    assert read.county.printed["A13"] == {"admin_total": 120, "admin_towns": 78, "psu_total": 160, "psu_towns": 104}
    assert read.county.printed["D10"] == len(read["bank_points"]) == 24


def test_lists_requests_and_papers(house):
    requests = house["admissions"]
    assert requests["decision"].value_counts().to_dict() == {"admitted": 22, "refused": 9, "pending": 3}
    assert requests["list_version"].nunique() == 4
    assert (requests["decided_on"].isna() == (requests["decision"] == "pending")).all()
    lists = house["publicity"]
    old = lists[lists["updated_on"].dt.year < 2022]
    assert sorted(zip(old["town_id"], old["list"], strict=True)) == [
        ("T08", "powers"),
        ("T08", "services"),
        ("T14", "services"),
    ]
    kinds = house["documents"]["kind"].value_counts()
    assert kinds[["plan", "mechanism", "guide", "conference", "standard"]].to_dict() == {
        "plan": 18, "mechanism": 5, "guide": 1, "conference": 1, "standard": 1}  # fmt: skip
    assert "other" not in kinds


@pytest.mark.parametrize("first", ["2022-10-02", "2022-10-09", "2022-07-01", "2022-05-01"])
def test_five_of_31_items_sleep_whenever_the_last_months_begin(read, first):
    items, n_towns = read["delegated_items"], len(read["towns"])
    assert (len(items), items["mode"].value_counts().to_dict()) == (31, {"entrusted": 22, "authorised": 9})
    assert items["from_dept"].value_counts().to_list() == [17, 8, 6]
    log = read["service_log"]
    busy = log[log["accepted_at"] >= first].groupby("item_id")["town_id"].nunique().reindex(items["item_id"]).fillna(0)
    silent = n_towns - busy
    assert (silent > n_towns / 2).sum() == 5
    accepted = read["accepted_items"]
    assert len(accepted) == 31 * n_towns
    assert 0.95 < accepted["accepted_on"].notna().mean() < 0.99
    pairs = log.dropna(subset=["item_id"]).merge(accepted, on=["town_id", "item_id"])
    assert (pairs["accepted_at"] >= pairs["accepted_on"]).all()  # nobody asked a town for what it had not taken over


def test_transactions_show_what_is_planted(house):
    log = house["service_log"]
    assert 3000 < len(log) < 4000
    assert log["accepted_at"].between("2022-01-04", "2022-12-31").all()
    one = (log["visits"] == 1).groupby(log["town_id"]).mean()
    rated = log.dropna(subset=["rating"])
    good = (rated["rating"] >= 4).groupby(rated["town_id"]).mean()
    assert one.index[one < 0.8].tolist() == ["T18"]
    assert (good > 0.8).all()
    same = log["level_started"] == log["level_finished"]
    assert same.mean() == pytest.approx(0.9, abs=0.005)
    assert (log.loc[~same, "transfers"] >= 1).all()
    for name, share in (("kept", 0.92), ("one_visit", 0.87), ("satisfied", 0.90)):
        assert house.values["county", "2022", name] == pytest.approx(share, abs=0.02)
    assert house.values["T16", "2022", "kept"] == pytest.approx(0.70, abs=0.06)


def test_promises_are_kept_on_the_calendar_of_2022(house):
    log = house["service_log"].dropna(subset=["finished_at"])
    over = log[(log["accepted_at"].dt.normalize() == "2022-09-30") & (log["promise_days"] == 1)]
    # received on Friday 30 September, the first counted day is Saturday 8 October, a working day after the holiday
    late = over["finished_at"].dt.normalize() > pd.Timestamp("2022-10-08")
    assert len(over) > 0
    assert not over.loc[~late, "finished_at"].dt.normalize().between("2022-10-01", "2022-10-07").any()
    assert (log["finished_at"] >= log["accepted_at"]).all()


def test_places_are_all_built_and_some_are_idle(read):
    places, n_towns = read["centres"], len(read["towns"])
    stations = places[places["level"] == "station"]
    assert len(stations) == read["towns"]["n_villages"].sum() == len(read["villages"])
    assert len(places) == len(stations) + n_towns
    assert places["is_built"].all()
    ago = (places["checked_on"] - places["last_txn_on"]).dt.days
    assert (ago > 30).sum() == round(0.04 * len(stations))
    assert (ago >= 0).all()
    assert set(places.loc[ago > 30, "level"]) == {"station"}
    for name, share in CHECKS.items():
        assert places[name].mean() == pytest.approx(share, abs=0.5 / len(places) + 1e-9)
    together = places[list(CHECKS)].astype(float).corr().to_numpy()[np.triu_indices(8, 1)]
    assert together.mean() > 0.03
    own = places[places["level"] == "centre"].set_index("town_id")
    assert own["windows"].notna().all()
    assert stations["windows"].isna().all()
    assert (own["unmanned"] > 0).sum() == 2
    assert (own["deputies"] < own["windows"]).sum() == 1
    last = read["service_log"].merge(places[["centre_id", "checked_on", "last_txn_on"]], on="centre_id")
    before = last[last["accepted_at"].dt.normalize() <= last["checked_on"]]
    assert (
        before["accepted_at"].dt.normalize() <= before["last_txn_on"]
    ).all()  # the check knows every transaction before it
    assert len(last) == len(read["service_log"])


def test_bank_points_have_no_days_before(house):
    points = house["bank_points"]
    assert points["days_before"].isna().all()
    assert (points["last_loan_on"] >= "2022-10-09").sum() == (points["loans"] > 0).sum() == 20


def test_agencies_are_the_countys_and_the_towns_have_little_say(read):
    roster, n_towns = read["agencies"], len(read["towns"])
    assert len(roster) == 5 * n_towns
    assert roster.groupby(["town_id", "kind"]).size().max() == 1
    assert {*roster["personnel_home"], *roster["payroll_home"]} == {"county"}
    index = pd.concat([roster["attendance_by_town"].astype(float), roster["leave_by_town"].astype(float),
                       roster["meetings_attended"] / roster["meetings_called"]], axis=1).mean(axis=1)  # fmt: skip
    assert index.mean() == pytest.approx(0.35, abs=0.02)
    assert roster["assessed_by_town"].mean() == pytest.approx(0.60, abs=0.01)
    assert read.values["county", "2022", "management_index"] == pytest.approx(index.mean())


def test_head_changes_before_and_after_the_mechanism(read):
    events = read["agency_events"]
    after, asked = events["changed_on"] >= "2022-09-01", events["consulted"].isin(["written", "oral"])
    assert asked.groupby(after).agg(["sum", "size"]).to_numpy().tolist() == [[3, 25], [9, 16]]  # .12 and .5625
    assert events["changed_on"].between("2021-05-01", "2023-04-30").all()
    assert set(events["consulted"]) == {"written", "oral", "none"}
    assert (events["consent_doc"].notna() == (events["consulted"] == "written")).all()
    wait = (events["reported_on"] - events["changed_on"]).dt.days
    assert (wait <= 30).sum() in (18, 19)  # .45 of 41
    assert wait.max() > 31
    assert (events["reported_on"].dropna() <= "2023-05-08").sum() >= 25
    homes = read["agencies"].set_index("agency_id")["town_id"]
    assert (events["agency_id"].map(homes) == events["town_id"]).all()
    assert not events["agency_id"].duplicated().any()


def test_head_changes_are_those_that_the_leaders_tell_of(house):
    county = house.county
    for survey in county.surveys:
        if survey.form == "leader":
            house.intake.take_survey(survey)
    forms = pd.concat(house.intake.forms["leader"])
    secretary = forms[forms["L02"] == 1].set_index("town_id")
    told = {(town, k) for k, row in enumerate("abcde", 1) for town in secretary.index[secretary[f"L03_{row}"] == 1]}
    events = house["agency_events"]
    assert told == {
        (town, int(agency[-1])) for town, agency in zip(events["town_id"], events["agency_id"], strict=True)
    }
    assert "T12" not in set(events["town_id"])
    how = {"written": 1, "oral": 2, "none": 3}
    for event in events.to_dict("records"):
        row = "abcde"[int(event["agency_id"][-1]) - 1]
        wait = (event["reported_on"] - event["changed_on"]).days if pd.notna(event["reported_on"]) else None
        said = 3 if wait is None else 1 if wait <= 30 else 2
        own = secretary.loc[event["town_id"]]
        assert (own[f"L04_{row}"], own[f"L05_{row}"]) == (how[event["consulted"]], said)


def test_the_appraisal_says_30_per_cent_and_weighs_nine(read):
    weights, scores = read["appraisal_weights"].set_index("dept_id"), read["appraisal_scores"].set_index("dept_id")
    w, n = weights["town_weight"], len(read["departments"])
    assert len(weights) == len(scores) == n
    assert w[w < 0.3].to_dict() == {"K13": 0.25}
    assert w.max() <= 0.35
    assert np.allclose(w + weights["other_weight"], 1)
    assert (weights["agency_weight"] == 0.40).all()
    part = w * scores["town_score"]
    total = part + weights["other_weight"] * scores["other_score"]
    assert np.cov(part, total)[0, 1] / np.var(total, ddof=1) == pytest.approx(0.09, abs=0.003)


def test_duties_and_warnings(read):
    duties = read["duty_log"]
    assert duties["duty_id"].nunique() == 60
    assert duties["turned_up"].mean() == pytest.approx(0.85, abs=0.005)
    assert set(duties["agency_id"]) <= set(read["agencies"]["agency_id"])
    assert len(read["accountability"]) == 7
    assert (read["accountability"]["happened_on"].dt.year == 2022).all()


def test_the_steps_of_the_joint_conference_follow_one_another(read):
    cases = read["joint_conference"]
    steps = [cases[name] for name in ("referred_on", "accepted_on", "heard_on", "ruled_on")]
    for first, second in itertools.pairwise(steps):
        assert (second.isna() | (second >= first)).all()
    ruled = cases["ruled_on"].notna()
    assert cases.loc[ruled, ["accepted_on", "heard_on"]].notna().all().all()
    days = [(second - first).dt.days[ruled] for first, second in itertools.pairwise(steps)]
    assert days[0].max() <= 3
    assert days[2].max() <= 2
    assert days[1].median() > 3 * max(days[0].median(), days[2].median())
    assert cases.loc[~ruled, "heard_on"].isna().any()


def test_the_true_values_are_those_of_the_files(house):
    for name, value in (("posts_recovered", 212), ("posts_given", 205), ("posts_held", 7), ("items_sleeping", 5), ("items_used", 26),
                        ("consulted_before", 3), ("consulted_after", 9), ("departments_below_30", 1), ("bank_points", 24),
                        ("stations", 617), ("stations_idle", 25), ("plan_share", 0.65)):  # fmt: skip
        assert house.values["county", "2022", name] == pytest.approx(value), name
    assert house.values["K13", "2022", "town_weight"] == 0.25
    assert not house.values.index.duplicated().any()


def test_the_declaration_names_each_file_once_and_its_own_table(house):
    declared = tomllib.loads(house.bundle.files["county.toml"].decode())
    files = {entry["file"]: entry["table"] for entry in declared["ledger"]}
    assert len(files) == len(declared["ledger"])
    assert files["raw/quota_moves.csv"] == "quota_moves"
    assert set(files.values()) >= set(NEW)
    assert declared["campaign"]["towns"] == ["T15"]
