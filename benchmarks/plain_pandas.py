"""The peer of cleaning.py: the script an analyst writes for one export, in plain pandas.

It checks nothing: not the encoding, no skip rule, no reason for a missing answer; it sets no row aside.
"""

from pathlib import Path
from typing import Any

import pandas as pd

MARKS = ("", "(空)", "(跳过)", "-3", "-2")


def recode(path: Path, plan: dict[str, tuple[int, str, Any, bool]]) -> pd.DataFrame:
    """The codes of each answer by a dict, multiple choices as 0/1, numbers, times; marks of a skip as missing.

    `plan` has for each cell the position of its column, its kind, the codes of its texts (or the names and texts of its
    options), and whether people may add words to an option.
    """
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    done: dict[str, Any] = {
        "submitted_at": pd.to_datetime(raw["提交答卷时间"], format="%Y/%m/%d %H:%M:%S", errors="coerce"),
        "seconds": pd.to_numeric(raw["所用时间"].str.removesuffix("秒"), errors="coerce"),
        "village_id": raw["来源详情"].str.extract(r"village=(\w+)", expand=False),
        "interviewer_id": raw["来源详情"].str.extract(r"interviewer=(\w+)", expand=False),
    }
    for cell, (position, kind, known, adds_words) in plan.items():
        text = raw.iloc[:, position].str.strip()
        answered = ~text.isin(MARKS)
        if adds_words:
            text = text.str.replace(r"〖.*?〗", "", regex=True)
        if kind == "text":
            done[cell] = text.where(answered)
        elif kind == "number":
            done[cell] = pd.to_numeric(text.where(answered), errors="coerce")
        elif kind == "one":
            done[cell] = text.map(known)
        else:
            chosen = "┋" + text + "┋"
            for name, option in known:
                done[name] = chosen.str.contains(f"┋{option}┋", regex=False).astype("Int8").where(answered)
    return pd.DataFrame(done)
