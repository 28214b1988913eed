"""Numbers and names that reach a person, taken out of every text that is stored or shown: phones, identity numbers, cards, plates, accounts.

A number is looked for without invisible characters and in half width, then once more with Chinese numerals read as digits.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u034f\u180e"
        "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    )
)
_TENS = (0xB2, 0x660, 0x6F0, 0x2070, 0x2460, 0x2776, *range(0x1D7CE, 0x1D800, 10))  # where further digits begin
_DIGITS = {i: unicodedata.digit(chr(i), -1) for first in _TENS for i in range(first, first + 10)}
_HALF = {0xFF01 + i: chr(0x21 + i) for i in range(94)} | {0x3000: " "}
_HALF |= {i: str(digit) for i, digit in _DIGITS.items() if digit >= 0}
_HAN = _HALF | {
    ord(one): sign
    for one, sign in zip("〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "0001234567891123456789", strict=True)
}
_G = r"[\s\-‐‑‒–—−·_]{0,2}"  # what may stand between the digits of one number
_AREAS = "1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]"  # GB/T 2260
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_MOBILE = {(11,), (3, 4, 4), (4, 3, 4), (3, 8), (7, 4), (3, 3, 5), (1,) * 11}  # digits as people group them
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP = rf"{_BYTE}(?:\s?\.\s?{_BYTE}){{3}}"
_MAIL = r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
_ACCOUNT = r"(?:号码?|id|[账帐]号|群号?|is)?[\s:是为=(]{0,4}"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_TAIL = rf"[A-HJ-NP-Z\d](?:{_G}[A-HJ-NP-Z\d])"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶苏魏吕丁沈姚卢姜崔钟谭陆汪范石廖贾夏韦付"
    "邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵钱严武戴莫孔汤"
)
_UNSURE = "高于程任金方白万向"  # surnames that are common words too
_GIVEN = "[\u4e00-\u9fff](?<![镇乡村庄街道区县市办站所局社部院店委支总党组副第的和与及或是在])"
NAME = re.compile(rf"[{_SURNAMES}{_UNSURE}](?:{_GIVEN}){{1,3}}")
_TITLE = "书记|主任|[镇乡县区市村局科股所站队组院校部会]长(?![期远久])|支书|经理|老师|医生|大夫|会计|师傅|同志|先生|女士|主席|警官|[大阿]姨|大[爷娘妈叔]"
_PERSON = "联系人|姓名|名字|负责人|经办人|户主|受访[人者]|填表人|投诉人|反映人|举报人|当事人|申请人|调查员"
_HAN_LETTER, _CALLED = "[\u4e00-\u9fff]", "的是请找问让叫跟对给被老小位名个村镇乡县区社局所站委"
_NAMES = [
    re.compile(rf"(?:(?<!{_HAN_LETTER})|(?<=[{_CALLED}]))([{_SURNAMES}])老?(?:{_TITLE})"),
    re.compile(rf"([{_SURNAMES}](?:{_GIVEN}){{1,2}}?)(?:{_TITLE})"),
    re.compile(rf"(?:{_PERSON})[是为叫]?\s*[:：\s]\s*(?!待定|不详|同上|暂无)({_HAN_LETTER}{{2,3}})(?!{_HAN_LETTER})"),
    re.compile(rf"我[叫是]([{_SURNAMES}{_UNSURE}](?:{_GIVEN}){{1,2}})(?!{_HAN_LETTER})"),
]
Found = re.Match[str]


def digits_of(text: str) -> str:
    """The letters and digits of a number, in upper case."""
    return re.sub(r"[^0-9A-Za-z]", "", text).upper()


def parts_of(text: str) -> tuple[int, ...]:
    """How many digits stand together in each part of a number."""
    return tuple(map(len, re.findall(r"[\dXx]+", text)))


def is_identity(found: Found) -> bool:
    """Whether 18 digits hold a birthday and their check digit is right (GB 11643), or area and an adult's year are: people mistype.

    The number of a work order may begin with an area and a day too, but a day of our time. 15 digits have no check digit.
    """
    number = digits_of(found[0])
    if len(number) == 15:
        return re.fullmatch(rf"(?:{_AREAS})\d{{6}}{_DAY}\d{{3}}", number) is not None
    if not re.fullmatch(rf"\d{{6}}(?:19|20)\d\d{_DAY}\d{{3}}[\dX]", number):
        return False
    check = "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, number, strict=False)) % 11]
    return number[-1] == check or (re.match(_AREAS, number) is not None and number[6:10] < "2010")


def is_card(found: Found) -> bool:
    """Whether a number in an issuer's range, in parts of four or more, satisfies Luhn's check (ISO/IEC 7812)."""
    number, parts = digits_of(found[0]), parts_of(found[0])
    issued = re.match("3[05-8]|[456]|8[1-6]|9[05]" if len(number) in (16, 19) else "6", number)
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(number))]
    is_grouped = min(parts[:-1], default=4) > 3 or set(parts) == {1}
    return bool(issued) and is_grouped and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def is_mobile(found: Found) -> bool:
    """Whether eleven digits from 13 to 19 stand as people group them, or alone, and are no decimals and no amount."""
    before = found.string[max(found.start() - 3, 0) : found.start()]
    after = found.string[found.end() : found.end() + 3]
    is_alone = not re.search(r"\d[\s-]{1,2}$", before) and not re.match(r"[\s-]{1,2}\d", after)
    is_number = re.search(r"(?<!\d)0\.$", before) or re.match(r"\s?[万亿元]", after)
    return digits_of(found["m"])[1] > "2" and (is_alone or parts_of(found["m"]) in _MOBILE) and not is_number


def is_landline(found: Found) -> bool:
    """Whether what stands apart from the area's code is no day."""
    return found[0].isdigit() or not re.fullmatch(rf"20[0-3]\d{_DAY}", digits_of(found[found.lastindex or 0]))


def is_plate(found: Found) -> bool:
    """Whether a digit stands in what looks like a number plate, or the dot of one."""
    return re.search(r"\d|·", found[0]) is not None


def is_address(found: Found) -> bool:
    """Whether four numbers are no version and no section."""
    before = found.string[max(found.start() - 8, 0) : found.start()]
    return max(map(int, re.findall(r"\d+", found[0]))) > 9 and not re.search(
        r"(?:v|ver|version|版本号?|第)\s?$", before, re.I
    )


def is_account(found: Found) -> bool:
    """Whether what stands after 微信 is an account: letters with a digit or after a colon, or digits that are no day."""
    led = re.search(r"[号:是为=d]\s*$", found.string[max(found.start("n") - 3, 0) : found.start("n")])
    is_word = re.fullmatch("[A-Za-z]+", found["n"]) and not led
    return not is_word and not re.fullmatch(rf"20[0-3]\d{_DAY}|12345", digits_of(found["n"]))


class Kind(NamedTuple):
    """A kind of number: what takes its place, its form (the group n, where there is one, is the number), a test of what has the form, and
    whether a key of this form is a person's."""

    mark: str
    pattern: re.Pattern[str]
    fits: Callable[[Found], bool] = bool
    is_key: bool = False


def kind(mark: str, pattern: str, fits: Callable[[Found], bool] = bool, is_key: bool = False) -> Kind:
    """A kind by the words of its mark."""
    return Kind(f"[{mark}]", re.compile(pattern, re.I), fits, is_key)


def digits(first: str, more: int | str) -> str:
    """A pattern of digits, with what may stand between them."""
    return rf"{first}(?:{_G}\d){{{more}}}"


_LOCAL = digits("[2-8]", "6,7")
_AREA = rf"0{_G}(?:1{_G}0|2{_G}\d|{digits('[3-9]', 2)})"
_PLATE = rf"[{_PROVINCES}]{_G}[A-HJ-NP-Z]{_G}"
_NEW = rf"(?:[A-K]{_G}[A-HJ-NP-Z\d](?:{_G}\d){{4}}|(?:\d{_G}){{5}}[A-K])(?![A-Z\d])"  # six signs, GA 36
_ID_CHAT = rf"[a-z][a-z0-9_-]{{5,19}}(?![a-z0-9_-])|{digits('[1-9]', '5,10')}(?!\d)"
KINDS = (
    kind("邮箱", rf"(?<![\w.+-]){_MAIL}"),
    kind("微信号", r"(?<![a-z0-9_-])(?:o[a-z0-9_-]{27}|wxid_[a-z0-9]{6,})(?![a-z0-9_-])", is_key=True),
    kind("身份证号", rf"(?<!\d){digits('[1-9]', 16)}{_G}[\dX](?!\d)", is_identity, True),
    kind("身份证号", r"(?<!\d)\d{15}(?!\d)", is_identity, True),
    *(kind("银行卡号", rf"(?<!\d){digits('[3-9]', n - 1)}(?!\d)", is_card) for n in (19, 18, 17, 16)),
    kind("手机号", rf"(?<!\d)(?:(?:\+|00)?86{_G})?(?P<m>{digits('1', 10)}|1\d\d(?:[./]\d{{4}}){{2}})(?!\d)", is_mobile, True),
    kind("座机号", rf"(?<!\d)(?:\(?{_AREA}(?:\)\s?|-\s?)(?P<s>{digits('[1-9]', '6,7')})|{_AREA}{_G}(?P<l>{_LOCAL}))(?!\d)", is_landline),
    kind("座机号", rf"(?:电话|座机|固话|传真|tel)(?:号码?)?[\s:是为]{{0,3}}(?P<n>{_LOCAL})(?!\d)", is_landline),
    kind("车牌号", rf"{_PLATE}(?:{_NEW}|{_TAIL}{{4}}(?![A-Z\d])|{_TAIL}{{3}}{_G}[挂学警港澳])", is_plate),
    kind("QQ号", rf"(?:(?<![a-z])qq|扣扣|企鹅号?){_ACCOUNT}(?P<n>{digits('[1-9]', '4,10')})(?!\d)", is_account),
    kind("微信号", rf"(?:微信|weixin|wechat|薇信|(?<![a-z])(?:wx|vx)){_ACCOUNT}(?P<n>{_ID_CHAT})", is_account),
    kind("IP地址", rf"(?<![\d.]){_IP}(?!\.?\d)", is_address),
    kind("IP地址", r"(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])"),
)  # fmt: skip
_SIGN = "".join(chr(i) for i, sign in _HAN.items() if sign.isdigit()) + "0-9"
_LETTER = "A-Za-z\uff21-\uff3a\uff41-\uff5a"
_MAYBE = (  # in what the fast search of pandas knows
    rf"[{_SIGN}](?:[^{_SIGN}]{{0,6}}[{_SIGN}]){{4}}|[@\uff20]|[o\uff4f][^\s\u3400-\u9fff]{{27}}|[Ww][Xx]|:[0-9A-Fa-f]{{1,4}}:"
    rf"|[{_PROVINCES}][^\u3400-\u9fff]{{0,3}}[{_LETTER}]|[微薇]信|[Ww]e[CcIi]"
)
_IS_MAYBE, MARKED = re.compile(_MAYBE), re.compile("|".join(re.escape(one.mark) for one in KINDS))
_HAN_SIGN = re.compile("[〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]")
_HARMLESS = re.compile(  # a decimal, a day with its hour: most of what stands in ledgers
    r"\s*(?:[+-]?\d{1,3}\.\d+(?:[eE][+-]?\d+)?|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[ T]\d{1,2}:\d\d(?::\d\d)?)?)\s*"
)


def spans_of(plain: str, one: Kind) -> list[tuple[int, int]]:
    """Where numbers of a kind stand; after what only looks like one the next character is tried."""
    spans, found = list[tuple[int, int]](), one.pattern.search(plain)
    while found:
        fits, span = one.fits(found), found.span("n" if "n" in one.pattern.groupindex else 0)
        spans += [span] * fits
        found = one.pattern.search(plain, found.end() if fits else found.start() + 1)
    return spans


def put_in(text: str, spans: Sequence[tuple[int, int]], instead: Sequence[str]) -> str:
    """The text with other words in the place of each span."""
    kept = [text[a:b] for (_, a), (b, _) in pairwise([(0, 0), *spans, (len(text), 0)])]
    return "".join(chain(*zip(kept, [*instead, ""], strict=True)))


def replace_in(text: str, kinds: Iterable[Kind], put: Callable[[Kind, str], str]) -> str:
    """The text with what `put` makes of each number of these kinds."""
    for table in (_HALF, _HAN) if _HAN_SIGN.search(text) else (_HALF,):
        at = [i for i, sign in enumerate(text) if ord(sign) not in INVISIBLE]
        plain, taken = text.translate(INVISIBLE).translate(table), dict[tuple[int, int], str]()
        for one in kinds:
            if spans := spans_of(plain, one):
                taken |= {(at[a], at[b - 1] + 1): put(one, plain[a:b]) for a, b in spans}
                plain = put_in(plain, spans, [chr(0) * (b - a) for a, b in spans])
        spans = sorted(taken)
        text = put_in(text, spans, [taken[span] for span in spans])
    return text


def mask_text(text: str, names: bool = False) -> str:
    """A text with numbers that reach a person replaced by their kind, such as `[手机号]`; `names` beside titles too.

    The rest keeps its characters.
    """
    if _IS_MAYBE.search(text) and not _HARMLESS.fullmatch(text):
        text = replace_in(text, KINDS, lambda one, _: one.mark)
    for pattern in _NAMES if names else ():
        text = pattern.sub(lambda found: found[0].replace(found[1], "[姓名]", 1), text)
    return text


def mask_cells(cells: pd.Series, names: bool = False) -> pd.Series:
    """`mask_text` of every cell; each distinct text is read once."""
    maybe = cells.notna() if names else cells.str.contains(_MAYBE, regex=True).fillna(False).astype(bool)
    masked = {text: mask_text(text, names) for text in cells[maybe].unique()}
    return cells.where(~maybe, cells.map(masked)).astype(cells.dtype)


def hash_keys(cells: pd.Series) -> pd.Series:
    """Keys in which a phone or identity number stands, with a mark in its place that is the same wherever this number is."""
    kinds, country = [one for one in KINDS if one.is_key], re.compile(r"(?:00)?86(?=1\d{10}$)")

    def put(_: Kind, number: str) -> str:
        return f"key_{hashlib.sha256(country.sub('', digits_of(number)).encode()).hexdigest()[:10]}"

    return cells.map({text: replace_in(text, kinds, put) for text in cells.unique()}).astype(cells.dtype)
