"""What is planted in the demo county comes out: the lines of the plan that are sure, for the claims of problems 1 and 3."""

import pytest

TOWNS = [f"T{n:02d}" for n in range(1, 19)]
LEDGER = {
    "P11": "",
    "P12": "",
    "P13": "2023",
    "B07": "2022",
    "B08": "2022",
    "B09": "2022",
    "P33": "2022",
    "P31": "2022",
    "P34": "2022",
}


@pytest.fixture(scope="module")
def row(evidence):
    def find(claim, place, sub="", wave="2023"):
        own = evidence[(evidence["claim"] == claim) & (evidence["place"] == place) & (evidence["sub"] == sub)]
        own = own[own["period"] == LEDGER[claim]] if claim in LEDGER else own[own["wave"] == wave]
        assert len(own) == 1, (claim, place, sub, len(own))
        return own.iloc[0]

    return find


def test_every_claim_stands_for_every_town_and_the_county(evidence):
    head = evidence[evidence["sub"] == ""]
    county_only = {"P31", "P34"}
    for claim in (
        "P11",
        "P12",
        "P13",
        "P14",
        "P15",
        "P16",
        "P17",
        "P18",
        "P31",
        "P32",
        "P33",
        "P34",
        "B07",
        "B08",
        "B09",
    ):
        places = set(head.loc[head["claim"] == claim, "place"])
        assert places == ({"county"} if claim in county_only else {*TOWNS, "county"}), claim


def test_a_town_without_calls_is_never_at_100_per_cent(row):
    assert row("P32", "T03")["verdict"] == "supported"
    assert "no_call" in row("P32", "T03")["remark"]
    for claim in ("B07", "B08", "B09"):
        assert (row(claim, "T03")["verdict"], row(claim, "T03")["reason"]) == ("cannot say", "no eligible call")


def test_the_nine_cloned_forms_and_no_others(cleaned, key):
    flagged = set(cleaned.flags.loc[cleaned.flags["flag"] == "cloned_block", "row_id"])
    planted = key[key["kind"] == "cloned_block"]
    assert len(flagged) == 9
    assert flagged == {f"raw/{f}#{r}" for f, r in zip(planted["file"], planted["row"], strict=True)}


def test_twelve_answers_are_too_few(evidence):
    own = evidence[
        (evidence["place"] == "T12") & evidence["claim"].isin(["P16", "P17"]) & (evidence["sub"] != "change")
    ]
    assert (own["reason"] == "too few answers").all()
    assert own["estimate"].isna().all()


def test_closed_ever_but_not_on_time(row):
    assert row("B09", "T16")["verdict"] == "supported"
    assert row("B08", "T16")["verdict"] == "not supported"
    assert row("B09", "T16", "on time")["estimate"] < 0.75


def test_a_failed_quota_shows_in_the_weights(study, row):
    table = study.samples["resident", "2023"].diagnostics.set_index("place")
    assert table.loc["T10", "kish"] > 1.6
    assert row("P16", "T10")["estimate"] > row("P16", "T10", "unweighted")["estimate"]


@pytest.mark.parametrize(
    ("town", "verdict"),
    [("T17", "supported"), ("T18", "supported"), ("T01", "not supported"), ("T15", "not supported")],
)
def test_parallel_running(row, town, verdict):
    assert row("P13", town)["verdict"] == verdict


def test_thirteen_towns_of_eighteen_run_in_parallel_one_exactly_on_the_bar(row):
    county = row("P13", "county")
    assert (county["estimate"], county["n"]) == (pytest.approx(13 / 18), 18)
    assert (county["verdict"], county["remark"]) == ("supported", "understated")
    assert (row("P13", "T06")["estimate"], row("P13", "T06")["verdict"]) == (pytest.approx(0.30), "supported")


def test_the_largest_gap_between_paper_and_practice(row):
    gaps = {town: row("P18", town)["estimate"] for town in TOWNS if town != "T12"}
    assert max(gaps, key=gaps.get) == "T17"
    assert row("P18", "T17")["verdict_family"] == "supported"


def test_the_county_lines(row):
    assert row("P12", "county")["verdict"] == "supported"
    assert row("P33", "county")["verdict"] == "supported"
    assert row("P16", "county")["verdict"] == "supported"
    assert row("P17", "county")["verdict"] == "not supported"


def test_t13_names_are_matched_or_asked_about_none_wrong(cleaned, key):
    town_of = cleaned.forms["resident"].set_index("row_id")["town_id"]
    planted = key[key["kind"].str.startswith("town_") & (key["file"].str.startswith("residents"))]
    wrong = [(r["row"], r["true"]) for r in planted.to_dict("records")
             if (found := town_of.get(f"raw/{r['file']}#{r['row']}")) is not None and found != r["true"]]  # fmt: skip
    assert not wrong


def test_t14_is_read_whole(cleaned):
    counts = cleaned.counts.set_index("file")
    utf16 = counts[counts["encoding"] == "utf-16"]
    assert len(utf16) == 1
    assert int(utf16["n_read"].iloc[0]) == int(utf16["n_kept"].iloc[0]) + int(utf16["n_rejected"].iloc[0]) >= 60


def test_leaders_answers_never_appear_by_town(evidence, folder):
    assert not evidence["claim"].isin(["P26", "P27", "P28", "B03"]).any()
    tables = {path.stem for path in (folder / "data" / "tables").glob("*.parquet")}
    assert not {name for name in tables if "leader" in name}
