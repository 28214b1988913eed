"""Takes personal data out at the door: columns that name or reach a person are dropped, in all others numbers are masked."""

import re
from collections.abc import Callable, Collection
from dataclasses import replace

import pandas as pd

from huying.kinds import clean_text
from huying.ledgers import full_header
from huying.scrub import MARKED, NAME, hash_keys, mask_cells, mask_text
from huying.sources.table import REPEAT, RawTable

_HEADER = (
    r"(?:第?\d+[题、..])?请?(?:留下|填写|输入|提供)?(?:您|你|本人)?的?(?:来自|微信|用户|联系|手机|真实|户主|受访者|答题者)?"
    r"(?:ip|ip_?(?:province|city)|openid|open_id|unionid|昵称|nick_?name|姓名|名字|(?:full|respondent)_?name|手机|电话|tel|phone|mobile"
    r"|qq|微信|wechat|微信号|身份证|id_?card|邮箱|电子邮件|e-?mail|银行卡|车牌|家庭住址|住址|经度|纬度|经纬度|方式|头像)"
    r"(?:号码?|地址|_?number|_?no)?(?:\(.*\))?[::]?"
)
LONGEST = 60  # characters of a number alone, whatever stands between its digits
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:\(.*\))?")  # of a computer, with its place as 问卷星 gives it


def drop_personal(raw: RawTable, keys: Collection[str] = (), known: Collection[str] = ()) -> RawTable:
    """The table without columns that identify a person, counted by what was filled in them, and scrubbed (`scrub_table`).

    A column goes by its header, or because more than half of its filled cells are phone or identity numbers, IP
    addresses, e-mails or WeChat ids. Beside such a column, one of people's names goes too. `keys` and `known` stay.
    """
    open_to = [name for name in raw.text if name not in {*keys, *known}]
    bare = {name: full_header(name.split(REPEAT)[0]).replace(" ", "") for name in open_to}
    gone = [name for name in bare if re.fullmatch(_HEADER, bare[name], re.I)]
    if by_cells := [name for name in bare if name not in gone and share(raw.text[name], is_personal) > 0.5]:
        gone += by_cells
        gone += [name for name in bare if name not in gone and looks_like_names(raw.text[name])]
    filled = {mask_text(name): int((raw.text[name].str.strip() != "").sum()) for name in gone}
    rejected = raw.rejected.assign(value=raw.rejected["value"].where(~raw.rejected["column"].isin(gone), ""))
    return scrub_table(replace(raw, text=raw.text.drop(columns=gone), rejected=rejected, dropped=filled), keys)


def scrub_table(raw: RawTable, keys: Collection[str] = ()) -> RawTable:
    """The table with numbers of people masked in its cells, headers and names of file and sheet; `n_masked` counts the cells.

    In `keys` a phone or identity number becomes a mark that is the same everywhere, so that rows still find each other.
    """
    cells = {name: (hash_keys if name in keys else mask_cells)(column) for name, column in raw.text.items()}
    changed = {name: int((column != raw.text[name]).sum()) for name, column in cells.items()}
    place = replace(raw.place, file=mask_text(raw.place.file), sheet=mask_text(raw.place.sheet))
    headers: list[str] = []
    for name in map(mask_text, raw.text):
        headers.append(f"{name}{REPEAT}{len(headers)}" if name in headers else name)
    notes = [(replace(at, file=place.file, sheet=place.sheet), key, mask_text(told)) for at, key, told in raw.notes]
    notes += [(place, "key_hashed", f"{mask_text(name)} ({changed[name]})") for name in keys if changed.get(name)]
    rejected = raw.rejected.assign(file=place.file, sheet=place.sheet, column=mask_cells(raw.rejected["column"]))
    text = pd.DataFrame(cells, index=raw.text.index).set_axis(headers, axis=1)
    told = {"rejected": rejected, "notes": tuple(notes), "n_masked": sum(changed.values())}
    return replace(raw, text=text, place=place, **told)


def is_personal(text: str) -> bool:
    """Whether a clean cell is a number of a person and nothing else."""
    return bool(_ADDRESS.fullmatch(text) or (len(text) < LONGEST and MARKED.fullmatch(mask_text(text))))


def share(cells: pd.Series, matches: Callable[[str], object]) -> float:
    """The share of filled cells that match, from at most 1,000 of them, spread over the column."""
    filled = cells[cells.str.strip() != ""]
    some = filled.iloc[:: max(1, len(filled) // 1000)]
    return sum(bool(matches(clean_text(text))) for text in some) / max(1, len(some))


def looks_like_names(cells: pd.Series) -> bool:
    """Whether a column holds Chinese names of people, mostly different ones."""
    return share(cells, NAME.fullmatch) > 0.8 and cells.nunique() > 0.6 * (cells != "").sum()
