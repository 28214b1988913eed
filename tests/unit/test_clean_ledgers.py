import pandas as pd
from hypothesis import given, settings, strategies as st

from huying.clean.cells import Matcher
from huying.clean.flags import count_rows
from huying.clean.ledgers import clean_ledger
from huying.ledgers import TABLES, no_rejects, set_aside
from huying.sources.table import RawTable
from huying.words import Place

CALLS, DOCUMENTS, NEED_COUNTS, UNIT_CHECK = (
    TABLES[name] for name in ("calls", "documents", "need_counts", "unit_check")
)

TOWNS = {"town": Matcher({"T01": ["均值镇"], "T03": ["样本街道"], "T04": ["样本镇"]})}
BOTH = {**TOWNS, "dept": Matcher({"D1": ["自然资源局", "自资局"], "D2": ["民政局"]})}
CALL = {
    "呼叫编号": "GD1",
    "镇街": "均值镇",
    "呼叫时间": "2022-05-01 09:00",
    "派发时间": "2022-05-01 10:00",
    "责任部门": "民政局",
    "状态": "已办结",
}


def raw(rows, rejected=None):
    text = pd.DataFrame(rows, index=pd.RangeIndex(2, len(rows) + 2), dtype="str")
    return RawTable(text, Place("calls.csv"), "utf-8", no_rejects() if rejected is None else rejected)


def call(n, **cells):
    return {**CALL, "呼叫编号": f"GD{n}", **cells}


def test_names_become_ids():
    done = clean_ledger(CALLS, raw([call(1), call(2, 镇街="均值镇政府", 责任部门="自资局"), call(3, 镇街="")]), BOTH)
    assert list(done.kept["town_id"].fillna("")) == ["T01", "T01", ""] and list(done.kept["dept_id"]) == [
        "D2",
        "D1",
        "D2",
    ]
    assert "town" not in done.kept and "dept" not in done.kept and list(done.kept.index) == [2, 3, 4]
    assert list(done.flags.itertuples(index=False, name=None)) == [("calls.csv#3", "town_repaired", "均值镇政府")]
    assert (len(done.kept), len(done.rejected)) == (3, 0)


def test_uncertain_names_reject_the_row():
    rows = [call(1, 镇街="样本"), call(2, 镇街="东岭镇"), call(3, 责任部门="民政局、自然资源局"), call(4)]
    done = clean_ledger(CALLS, raw(rows), BOTH)
    assert {(r.row, r.column, r.value, r.reason, r.level) for r in done.rejected.itertuples()} == {
        (2, "镇街", "样本", "town_ambiguous", "row"),
        (3, "镇街", "东岭镇", "town_unknown", "row"),
        (4, "责任部门", "民政局、自然资源局", "dept_unknown", "row"),
    }
    assert list(done.kept["call_id"]) == ["GD4"]


def test_what_was_not_used_or_not_known_is_told_with_what_could_be_meant():
    """A misspelt header of an optional column, words that are no status, a traditional form of a town's name."""
    rows = [call(1, 销号时刻="2022-05-02"), call(2, 状态="已销号"), call(3, 镇街="均值鎮")]
    told = {key: detail for _, key, detail in clean_ledger(CALLS, raw(rows), BOTH).notes}
    assert told["unused_headers"] == "销号时刻" and told["unknown_name"].startswith("均值鎮 → 均值镇")
    assert told["unknown_words"].startswith("状态: 已销号 (") and "closed = " in told["unknown_words"]


def test_without_a_register_the_name_is_the_id():
    assert list(clean_ledger(CALLS, raw([call(1)]), TOWNS).kept["dept_id"]) == ["民政局"]


def test_contract_faults_stay():
    rows = [
        call(1, 派发时间="2022-05-01 08:00"),
        call(2),
        call(2),
        call(2, 状态="办理中"),
        call(3, 状态="?"),
        call(4, 呼叫时间=""),
    ]
    done = clean_ledger(CALLS, raw(rows), BOTH)
    assert dict(zip(done.rejected["row"], done.rejected["reason"], strict=True)) == {
        2: "before",
        4: "repeated",
        5: "key_taken",
        6: "unfit",
        7: "empty",
    }


def test_two_spellings_of_a_town_are_one_key():
    rows = [
        {"镇街": town, "原机构编号": "O01", "核查项": "门牌", "在用名称": "新机构", "核查日期": "2023-05-10"}
        for town in ("均值镇", "均值镇政府", "样本镇")
    ]
    done = clean_ledger(UNIT_CHECK, raw(rows), TOWNS)
    assert list(done.kept["town_id"]) == ["T01", "T04"]
    assert [(r.row, r.value, r.reason) for r in done.rejected.itertuples()] == [
        (3, "均值镇政府", "key_taken")
    ] and done.flags.empty


def test_readers_rejects_are_in_the_accounts_and_masked():
    place = Place("calls.csv")
    source = pd.concat(
        [
            set_aside(place, "", pd.Series(["3/9"], index=[9]), "fields").assign(level="row"),
            set_aside(place, "镇街", pd.Series(["C2 13800001234"], index=[2]), "error_cell").assign(level="cell"),
        ]
    )
    done = clean_ledger(CALLS, raw([call(1)], source), TOWNS)
    assert (len(done.kept), count_rows(done.rejected)) == (1, 1)
    assert list(done.rejected["level"]) == ["row", "cell"] and "13800001234" not in done.rejected["value"].iloc[1]


def test_rename_and_optional_town():
    rows = [
        {"标题": "方案", "类别": "改革实施方案", "单位": ""},
        {"标题": "机制", "类别": "五项机制", "单位": "样本街办"},
    ]
    done = clean_ledger(DOCUMENTS, raw(rows), TOWNS, rename={"town": "单位"})
    assert list(done.kept["town_id"].fillna("")) == ["", "T03"]


def test_a_required_town_may_not_be_blank():
    done = clean_ledger(NEED_COUNTS, raw([{"镇街": "", "月份": "2022-05-01", "渠道": "网格", "件数": "3"}]), TOWNS)
    assert list(done.rejected["reason"]) == ["empty"]


NAME = st.sampled_from(["均值镇", "均值", "样本", "东岭镇", "", " 均值镇\u3000", "T03"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            NAME,
            st.sampled_from(["2022-05-01", "5/1/2022", ""]),
            st.sampled_from(["网格", "?", ""]),
            st.sampled_from(["3", "-1", "三"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_rows_in_are_rows_kept_and_rows_rejected(rows):
    done = clean_ledger(
        NEED_COUNTS, raw([dict(zip(("镇街", "月份", "渠道", "件数"), row, strict=True)) for row in rows]), TOWNS
    )
    assert len(rows) == len(done.kept) + count_rows(done.rejected)
    assert set(done.kept.index) | set(done.rejected["row"]) == set(range(2, len(rows) + 2))
    assert not done.kept.duplicated(["town_id", "month", "channel"]).any()
