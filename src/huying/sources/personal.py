"""Takes personal data out at the door: columns that name or reach a person are dropped, numbers in free text are masked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from huying.contract import full_header
from huying.kinds import clean_text
from huying.sources.table import REPEAT, RawTable

_HEADER = (
    r"(?:第?\d+[题、..])?请?(?:留下|填写|输入|提供)?(?:您|你|本人)?的?(?:来自|微信|用户|联系|手机|真实|户主|受访者|答题者)?"
    r"(?:ip|ip_?(?:province|city)|openid|open_id|unionid|昵称|nick_?name|姓名|名字|(?:full|respondent)_?name|手机|电话|tel|phone|mobile"
    r"|qq|微信|wechat|微信号|身份证|id_?card|邮箱|电子邮件|e-?mail|银行卡|车牌|家庭住址|住址|经度|纬度|经纬度|方式|头像)"
    r"(?:号码?|地址|_?number|_?no)?(?:\(.*\))?[::]?"
)
_GAP = r"[\s\-—–.·\u200b-\u200d\u2060\ufeff\u00ad]{0,2}"
_HALF = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20}
_DAY = r"(?:1{g}9|2{g}0){g}\d{g}\d{g}(?:0{g}[1-9]|1{g}[0-2]){g}(?:0{g}[1-9]|[12]{g}\d|3{g}[01])"
_ID = r"[1-9](?:{g}\d){{5}}{g}" + _DAY + r"(?:{g}\d){{3}}{g}[\dXx]"
_PHONE = r"(?:(?:\+|00)?{g}86{g})?1{g}[3-9](?:{g}\d){{9}}"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_OPENID = r"o[\w-]{27}"
_KINDS = {  # a number is masked by its shape: its checksum may be wrong, for people mistype
    "[身份证号]": re.compile(rf"(?<!\d){_ID.format(g=_GAP)}(?!\d)"),
    "[手机号]": re.compile(rf"(?<!\d){_PHONE.format(g=_GAP)}(?!\d)|(?<![\d-])0\d{{2,3}}-\d{{7,8}}(?!\d)"),
    "[IP地址]": re.compile(rf"(?<![\d.vV]){_IP}(?![\d.])"),
    "[邮箱]": re.compile(_MAIL, re.ASCII),
    "[微信号]": re.compile(rf"(?<![\w-]){_OPENID}(?![\w-])", re.ASCII),
}
_CELLS = re.compile("|".join((_ID.format(g=_GAP), _PHONE.format(g=_GAP), _IP + r"(?:\(.*\))?", _MAIL, _OPENID)))
_DIGIT = "[0-9\uff10-\uff19]"  # spelt out: the fast search of pandas takes \\d for ASCII digits only
_MAYBE = f"{_DIGIT}(?:[^0-9\uff10-\uff19]{{0,6}}{_DIGIT}){{6}}|{_DIGIT}[.\uff0e]{_DIGIT}|[@\uff20]|o[0-9A-Za-z_-]{{27}}"
_NAME = re.compile(
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤]"
    "[\u4e00-\u9fff]{1,3}(?<![镇乡村庄街道区县市办站所局社部院店])"
)


def drop_personal(raw: RawTable) -> RawTable:
    """The table without columns that identify a person; it counts what was filled in each of them.

    A column goes by its header, or because more than half of its filled cells are phone or identity numbers, IP
    addresses, e-mails or WeChat ids. Beside such a column, one of people's names goes too.
    """
    bare = {name: full_header(name.split(REPEAT)[0]).replace(" ", "") for name in raw.text}
    gone = [name for name in raw.text if re.fullmatch(_HEADER, bare[name], re.I)]
    by_cells = [name for name in raw.text if name not in gone and share(raw.text[name], _CELLS.fullmatch) > 0.5]
    gone += by_cells
    if by_cells:
        gone += [name for name in raw.text if name not in gone and looks_like_names(raw.text[name])]
    filled = {name: int((raw.text[name].str.strip() != "").sum()) for name in gone}
    rejected = raw.rejected.assign(value=raw.rejected["value"].where(~raw.rejected["column"].isin(gone), ""))
    return replace(raw, text=raw.text.drop(columns=gone), rejected=rejected, dropped=filled)


def share(cells: pd.Series, matches: Callable[[str], object]) -> float:
    """The share of filled cells that match, from at most 1,000 of them, spread over the column."""
    filled = cells[cells.str.strip() != ""]
    some = filled.iloc[:: max(1, len(filled) // 1000)]
    return sum(bool(matches(clean_text(text))) for text in some) / max(1, len(some))


def looks_like_names(cells: pd.Series) -> bool:
    """Whether a column holds Chinese names of people, mostly different ones."""
    return share(cells, _NAME.fullmatch) > 0.8 and cells.nunique() > 0.6 * (cells != "").sum()


def mask_personal(cells: pd.Series) -> pd.Series:
    """The texts with phone and identity numbers, IP addresses, e-mails and WeChat ids replaced by their kind.

    Full-width, spaced, dashed and +86 forms are found; numbers written in Chinese numerals and names are not.
    """
    maybe = cells.str.contains(_MAYBE, regex=True).fillna(False).astype(bool)
    masked = cells.astype(object)
    masked[maybe] = masked[maybe].map(mask_text)
    return masked.astype(cells.dtype)


def mask_text(text: str) -> str:
    """One text masked. The rest of the text keeps its full-width characters."""
    for kind, pattern in _KINDS.items():
        for found in reversed(list(pattern.finditer(text.translate(_HALF)))):
            text = text[: found.start()] + kind + text[found.end() :]
    return text
