"""Units on hand-made rosters: who lacks what, and what the pilot has more of."""

import pandas as pd
import pytest

from huying.folder import SCHEME
from huying.measures import structure
from run_notebook import StandIn, judged, register_of, run_notebook

TOWNS = register_of(3)
PILOT = ("政务服务局", "综合执法局", "经济发展局")


def units(town, offices=7, centres=5, bureaus=(), **columns):
    """A town's roster; its fifth centre is the one for culture, and bears the plaque."""
    names = (
        [f"{k}办" for k in range(offices)] + ["文体中心" if k == 4 else f"{k}中心" for k in range(centres)] + [*bureaus]
    )
    kinds = ["office"] * offices + ["psu"] * centres + ["bureau"] * len(bureaus)
    table = {"town_id": town, "unit_id": [f"U{k}" for k in range(len(names))], "name": names, "class": kinds,
             "domain": ["甲", "乙"] * (len(names) // 2) + ["甲"] * (len(names) % 2),
             "welfare_class": pd.array([1 if kind == "psu" else None for kind in kinds], dtype="Int64"),
             "plaque": ["文明实践分中心" if name == "文体中心" else None for name in names]}  # fmt: skip
    return pd.DataFrame({**table, **columns})


def roster(*towns):
    return pd.concat(towns, ignore_index=True)


WHOLE = roster(units("T01", 5, 6, PILOT), units("T02"), units("T03"))


def test_the_prescriptions_that_a_roster_meets():
    made = structure.meets_scheme(roster(units("T01", 5, 6, PILOT), units("T02"), units("T03", 7, 4)), TOWNS, SCHEME)
    assert made.loc["T01"].tolist() == [True, True, True, True]
    assert made.loc["T03"].tolist() == [False, False, True, False]  # 11 units, and the centre for culture is the fifth
    assert structure.meets_scheme(WHOLE, TOWNS, SCHEME).all(axis=None)


@pytest.mark.parametrize(("town", "value"), [
    (units("T02", welfare_class=pd.array([None] * 7 + [1, 1, 1, 1, 2], dtype="Int64")), 11),  # 7 + 4 of class 1
    (units("T02", 7, 6, welfare_class=pd.array([None] * 7 + [1, 1, 1, 1, 1, 2], dtype="Int64")), 13),  # 7 + 5, and one too many
    (units("T02", welfare_class=pd.array([None] * 12, dtype="Int64")), 12),  # nothing contradicts it
])  # fmt: skip
def test_units_of_another_welfare_class(town, value):
    row = structure.count_units(roster(town, units("T03")), TOWNS, SCHEME).loc["T02"]
    assert row["units"] == value
    assert row["remark"] == ("class_not_recorded" if value == 12 else "")


@pytest.mark.parametrize(("pilot", "value"), [
    (units("T01", 5, 6, PILOT), 14),  # 3 + 5 + 6
    (units("T01", 5, 5, PILOT), 13),
    (units("T01", 6, 6, PILOT[:2]), 13),  # 2 + 6 + 6 = 14: of them 2 + 5 + 6 fill a prescribed place
])  # fmt: skip
def test_three_bureaus_five_offices_six_centres(pilot, value):
    assert structure.compare_pilot(roster(pilot, units("T02"), units("T03")), TOWNS, SCHEME)["units"].tolist() == [
        value
    ]


def test_what_the_pilot_has_more_of(tmp_path):
    made = roster(units("T01", 5, 6, PILOT), units("T02"), units("T03", 7, 6))
    row = structure.compare_pilot(made, TOWNS, SCHEME).loc["T01"]
    # the other two differ: of equally frequent compositions the smaller one, 7 + 5, is taken, and 3 + 5 and 6 are one more
    assert row["remark"] == ""
    names, _ = run_notebook("02", StandIn(tmp_path, {"org_roster": made}), draw=False)
    added = names["added"].set_index("name")["elsewhere"]
    assert added[added < 1].index.tolist() == list(PILOT)  # shown are units in fewer than half of the two other towns
    assert added["5中心"] == 1
    six = roster(units("T01", 5, 6, PILOT), units("T02", 7, 6), units("T03", 7, 6))
    assert structure.compare_pilot(six, TOWNS, SCHEME)["remark"].tolist() == ["not_one_more"]  # 6 centres as everywhere


@pytest.mark.parametrize(("pilot", "other", "alone"), [
    (PILOT, (), [True, True]),
    (PILOT[1:], (), [False, True]),  # the bureau for services is lacking
    (PILOT, ("综合执法局",), [True, False]),  # that for enforcement stands elsewhere too
])  # fmt: skip
def test_bureaus_of_the_pilot_alone(pilot, other, alone):
    made = roster(units("T01", 5, 6, pilot), units("T02", 7, 5, other), units("T03"))
    assert structure.bureaus_alone(made, TOWNS, SCHEME["bureaus"])["is_alone"].tolist() == alone


def test_a_bureau_must_be_one_by_class():
    renamed = units("T01", 5, 6, PILOT).assign(**{"class": lambda t: t["class"].mask(t["name"] == PILOT[0], "office")})
    made = structure.bureaus_alone(roster(renamed, units("T02")), TOWNS, SCHEME["bureaus"])
    assert made["is_alone"].tolist() == [False, True]


def test_a_ledger_that_leaves_out_a_town_or_names_a_stranger(tmp_path):
    villages = pd.DataFrame({"village_id": [*"abc"], "town_id": ["T01", "T02", "T09"]})  # lacks T03, knows T09
    names, _ = run_notebook("02", StandIn(tmp_path, {"villages": villages, "org_roster": WHOLE}), draw=False)
    assert names["odd"] == {"T03", "T09"} and names["lists"].keys() >= {("villages", ""), ("org_roster", "")}


def verdicts(county, *claims):
    rows = judged("02", county, claims=claims)
    head = rows[rows["part"] == ""]
    return {claim: own.set_index("place")["verdict"].to_dict() for claim, own in head.groupby("claim")}


def test_the_notebook_on_a_whole_roster(tmp_path):
    made = verdicts(StandIn(tmp_path, {"org_roster": WHOLE}), "A02", "A06", "A08", "A10")
    assert made["A02"] == {"T02": "supported", "T03": "supported", "county": "supported"}  # the pilot is excepted
    assert made["A06"] == {"T01": "supported"} and made["A08"] == {"T01": "supported"}
    assert set(made["A10"].values()) == {"cannot say"}  # no ledger of moves


def test_a_town_that_the_roster_leaves_out_is_unknown(tmp_path):
    made = verdicts(StandIn(tmp_path, {"org_roster": units("T02")}), "A02", "A03", "A04", "A05", "A06", "A08")
    for claim in ("A02", "A03", "A04", "A05"):
        assert made[claim] | {"T01": "cannot say"} == {
            "T01": "cannot say", "T02": "supported", "T03": "cannot say", "county": "supported"}  # fmt: skip
    assert made["A06"] == made["A08"] == {"T01": "cannot say"}


def test_a_bare_town_refutes_every(tmp_path):
    bare = units("T03", 7, 5, domain="甲", plaque=None)
    made = judged(
        "02",
        StandIn(tmp_path, {"org_roster": roster(units("T01", 5, 6, PILOT), units("T02"), bare)}),
        claims=["A04", "A05"],
    )
    share = made[(made["claim"] == "A04")].set_index("place")["estimate"]
    assert share[["T01", "T02", "T03"]].tolist() == [1.0, 1.0, 0.5]
    plaque = made[made["claim"] == "A05"].set_index("place")["verdict"]
    assert plaque.to_dict() == {
        "T01": "supported",
        "T02": "supported",
        "T03": "not supported",
        "county": "not supported",
    }


def test_villages_of_the_pilot(tmp_path):
    villages = pd.DataFrame({"village_id": ["V1", "V2", "V2", "V3"], "town_id": ["T01", "T01", "T01", "T02"]})
    rows = judged("02", StandIn(tmp_path, {"villages": villages, "org_roster": WHOLE}), claims=["A07"])
    assert rows.loc[rows["claim"] == "A07", "estimate"].tolist() == [2]
