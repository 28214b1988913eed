"""A small county with three towns, a form of nine items, and answers as an export would hold them."""

import datetime as dt
from dataclasses import replace

import pandas as pd

from huying.clean.answers import clean_answers
from huying.clean.cells import Matcher
from huying.clean.flags import Booked, find_flags
from huying.codebook import Item, parse_codebook
from huying.folder import Span, Survey
from huying.ledgers import no_rejects
from huying.sources.wjx import META_COLUMNS, Answers
from huying.words import Place

FORM = """
[[item]]
id = "R00"
form = "resident"
type = "single"
zh = "愿意吗"
en = "Willing?"
options = [{ code = 1, zh = "愿意", en = "Yes" }, { code = 2, zh = "不愿意", en = "No" }]
ends_if = "R00 = 2"

[[item]]
id = "R01"
form = "resident"
type = "dropdown"
zh = "镇街"
en = "Town"
options_from = "towns"
options = [{ code = 97, zh = "其他地方", en = "Elsewhere" }]
ends_if = "R01 = 97"
role = "town"

[[item]]
id = "R03"
form = "resident"
type = "whole"
zh = "周岁"
en = "Age"
range = [18, 99]
unit = { zh = "岁", en = "years" }
missing = { -99 = "refused" }
ends_if = "R03 < 18"
role = "age"

[[item]]
id = "R09"
form = "resident"
type = "single"
zh = "听说了吗"
en = "Heard?"
options = [{ code = 1, zh = "听说了，清楚", en = "Yes" }, { code = 4, zh = "没有（真的）", en = "No" }, { code = 98, zh = "说不准", en = "Cannot say" }]
missing = { 98 = "does_not_know" }

[[item]]
id = "R11"
form = "resident"
type = "multi"
zh = "从哪里"
en = "From where?"
options = [{ code = 1, zh = "公众号", en = "Account" }, { code = 2, zh = "公告栏", en = "Board" }, { code = 6, zh = "都不是", en = "None" },
           { code = 97, zh = "其他", en = "Other" }]
exclusive = [6]
max_choices = 2
fill_in = [97]
asked_if = "R09 in 1"

[[item]]
id = "R12"
form = "resident"
type = "matrix_single"
zh = "机构"
en = "Bodies"
options = [{ code = 1, zh = "没听过", en = "Never" }, { code = 2, zh = "听过", en = "Heard" }, { code = 3, zh = "去过", en = "Been" },
           { code = 98, zh = "说不准", en = "Cannot say" }]
missing = { 98 = "does_not_know" }
rows = [{ id = "a", zh = "甲", en = "a" }, { id = "b", zh = "乙", en = "b" }, { id = "c", zh = "丙", en = "c" },
        { id = "d", zh = "丁", en = "d" }, { id = "e", zh = "戊", en = "e" }]
attention = { d = 2 }
decoy = ["e"]

[[item]]
id = "S14"
form = "resident"
type = "whole"
zh = "几件"
en = "How many"
range = [0, 200]

[[item]]
id = "S15"
form = "resident"
type = "whole"
zh = "呼叫几件"
en = "How many calls"
range = [0, 200]
contradicts = "S15 > S14"

[[item]]
id = "R26"
form = "resident"
type = "text"
zh = "建议"
en = "Advice"
optional = true
"""
ITEMS: tuple[Item, ...] = parse_codebook(FORM).form("resident")
EVERY_TYPE = parse_codebook("""
[[item]]
id = "D1"
form = "resident"
type = "date"
zh = "哪天"
en = "Which day"

[[item]]
id = "K1"
form = "resident"
type = "ranking"
zh = "排序"
en = "Rank"
options = [{ code = 1, zh = "甲", en = "A" }, { code = 2, zh = "乙", en = "B" }, { code = 3, zh = "丙", en = "C" }]

[[item]]
id = "N1"
form = "resident"
type = "number"
zh = "多少"
en = "How much"
range = [0, 20]
missing = { -1 = "refused" }

[[item]]
id = "M1"
form = "resident"
type = "multi"
zh = "哪些"
en = "Which"
options = [{ code = 1, zh = "都不是", en = "None" }, { code = 2, zh = "甲", en = "A" }, { code = 4, zh = "乙", en = "B" }]
exclusive = [1]
missing = { 4 = "does_not_know" }

[[item]]
id = "S1"
form = "resident"
type = "single"
zh = "哪个"
en = "Which one"
options = [{ code = 1, zh = "甲", en = "A" }, { code = 9, zh = "其他", en = "Other" }]
fill_in = [9]
""").form("resident")
TOWNS = Matcher({"T01": ["均值镇"], "T02": ["方差镇"], "T03": ["样本街道"], "T04": ["样本镇"]}, ["示例县"])
SURVEY = Survey("resident", "2023", "wjx", text="r.csv")
SPAN = Span(dt.date(2023, 5, 8), dt.date(2023, 6, 2), dt.date(2023, 6, 2))
GOOD = {
    "R00": "愿意",
    "R01": "均值镇",
    "R03": "42",
    "R09": "听说了，清楚",
    "R11": "公众号",
    "R12_a": "没听过",
    "R12_b": "听过",
    "R12_c": "去过",
    "R12_d": "听过",
    "R12_e": "没听过",
    "S14": "3",
    "S15": "1",
    "R26": "",
}
THRESHOLDS = {"speeder": 0.3, "clone_differs": 2, "clone_block": 3, "longstring": "all"}


def make_answers(
    rows: list[dict[str, str]], codes: list[dict[str, str]] | None = None, numbering: str = "position"
) -> Answers:
    """Rows of cells (what is not said is as in GOOD) with the meta columns among them; the first row is line 2."""
    index = pd.RangeIndex(2, len(rows) + 2)
    text = pd.DataFrame(
        [{**GOOD, **{k: v for k, v in row.items() if k in GOOD}} for row in rows],
        index=index,
        columns=list(GOOD),
        dtype="str",
    )
    meta = pd.DataFrame(
        [
            {
                "serial": str(n),
                "submitted_at": f"2023/5/10 9:{n:02d}:00",
                "seconds": "300",
                **{k: v for k, v in row.items() if k in META_COLUMNS},
            }
            for n, row in enumerate(rows)
        ],
        index=index,
        columns=list(META_COLUMNS),
        dtype="str",
    ).fillna("")
    number = None if codes is None else pd.DataFrame(codes, index=index, dtype="str")
    return Answers(text, Place("r.csv"), "utf-8", no_rejects(), {"昵称": 3}, meta, number, numbering)


def clean(
    rows: list[dict[str, str]],
    codes: list[dict[str, str]] | None = None,
    *,
    numbering: str = "position",
    thresholds: dict[str, object] | None = None,
) -> Booked:
    """The rows cleaned; with `thresholds` flagged beside each other too."""
    done = clean_answers(make_answers(rows, codes, numbering), ITEMS, SURVEY, SPAN, TOWNS, ["T01", "T02", "T03", "T04"])
    if thresholds is None:
        return done
    late = find_flags(done.kept, ITEMS, thresholds)
    return replace(done, flags=pd.concat([done.flags, late], ignore_index=True))
