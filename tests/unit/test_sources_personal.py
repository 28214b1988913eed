"""Personal data: what is dropped or masked, and what must stay."""

import pandas as pd
import pytest

from huying.ledgers import no_rejects
from huying.scrub import mask_cells as mask_personal
from huying.sources.table import RawTable, drop_personal
from huying.words import Place

ID = "11010519491231002X"  # the specimen of the standard GB 11643
MASKED = [  # text, what is left
    ("电话13812345678，谢谢", "电话[手机号]，谢谢"),
    ("１３８１２３４５６７８", "[手机号]"),
    ("138 1234 5678 或 138-1234-5678", "[手机号] 或 [手机号]"),
    ("打+86 13812345678", "打[手机号]"),
    ("138\u200b12345678", "[手机号]"),
    ("0531-82345678", "[座机号]"),
    (f"证号{ID}", "证号[身份证号]"),
    ("证号110105194912310021", "证号[身份证号]"),  # wrong check digit: still a person's number
    ("110105 19491231 002x", "[身份证号]"),
    ("来自 10.2.3.4。", "来自 [IP地址]。"),
    ("写信 a.b@example.com", "写信 [邮箱]"),
    ("oABCDEFGHIJKLMNOPQRSTUVWXYZ1", "[微信号]"),
    ("２０２２年，13812345678", "２０２２年，[手机号]"),
]
KEPT = ["2022-09-30 16:05", "版本v1.2.3.4", "工单20220930123456789", "共 3 件，2 件办结", "12345热线", "鲁政办发〔2022〕15号", "",
        "371502202213450000"]  # fmt: skip


@pytest.mark.parametrize(("text", "left"), MASKED)
def test_masked(text, left):
    assert mask_personal(pd.Series([text, "好"])).tolist() == [left, "好"]


def test_harmless_texts_stay():
    assert mask_personal(pd.Series(KEPT)).tolist() == KEPT


def raw_of(columns):
    return RawTable(pd.DataFrame(columns), Place("t.csv"), "utf-8", no_rejects())


PEOPLE = {
    "来自IP": ["1.2.3.4(山东-德州)", "1.2.3.5(山东-德州)"],
    "openid": ["oABCDEFGHIJKLMNOPQRSTUVWXYZ1", "oABCDEFGHIJKLMNOPQRSTUVWXYZ2"],
    "3、您的姓名": ["王小明", "李四"],
    "手机号码(选填)": ["13812345678", ""],
    "身份证号": [ID, ID],
}
ANSWERS = {
    "镇街": ["李家镇", "王庄乡"],
    "4、您会用手机办事吗？": ["会", "不会"],
    "5、您打过12345热线电话吗？": ["打过", "没打过"],
    "年龄": ["30", "41"],
    "村名": ["李家", "王庄"],
    "call_id": ["GD001", "GD002"],
}


def test_personal_columns_go_by_header():
    raw = drop_personal(raw_of(PEOPLE | ANSWERS))
    assert list(raw.text) == list(ANSWERS)
    assert raw.dropped == {"来自IP": 2, "openid": 2, "3、您的姓名": 2, "手机号码(选填)": 1, "身份证号": 2}


def test_personal_columns_go_by_content_where_headers_say_nothing():
    columns = {f"Q{i}": cells for i, cells in enumerate([*ANSWERS.values(), *PEOPLE.values()])}
    raw = drop_personal(raw_of(columns))
    assert list(raw.dropped) == ["Q6", "Q7", "Q9", "Q10", "Q8"]
    assert {"Q0", "Q1", "Q2", "Q3", "Q5"} <= set(raw.text)


@pytest.mark.parametrize(("n_numbers", "is_dropped"), [(5, False), (6, True), (10, True)])
def test_a_column_goes_where_more_than_half_of_its_filled_cells_are_numbers_of_people(n_numbers, is_dropped):
    cells = [f"1381234567{k}" for k in range(n_numbers)] + [f"第{k}条" for k in range(10 - n_numbers)] + [""] * 10
    assert ("Q1" not in drop_personal(raw_of({"Q1": cells})).text) == is_dropped


def test_no_column_of_a_ledger_is_taken_for_a_person():
    assert drop_personal(raw_of(ANSWERS)).dropped == {}
