"""Made-up numbers that would reach a person, in the forms in which people write them, and harmless texts that look like them.

Run as a program it writes the harmless texts anew: python tests/unit/planted_numbers.py
"""

import random
import re
import unicodedata
from pathlib import Path

HARMLESS = Path(__file__).parent / "data" / "harmless_texts.txt"
PROMISED = ("mobile", "landline", "identity", "card", "plate")
HAN = str.maketrans("0123456789", "〇一二三四五六七八九")
FULL = {i: i + 0xFEE0 for i in range(0x21, 0x7F)}
SURNAMES, GIVEN = "王李张刘陈杨赵周吴徐孙马朱胡郭何", "小明红军伟芳娜敏静丽强磊洋艳勇杰娟涛超霞平刚桂英"


def mobile(rng):
    return "1" + rng.choice("3456789") + "".join(rng.choices("0123456789", k=9))


def landline(rng):
    area = rng.choice(["0635", "0531", "010", "021", "0755", "0371"])
    return (
        area
        + rng.choice("2345678")
        + "".join(rng.choices("0123456789", k=6 if len(area) == 4 and rng.random() < 0.5 else 7))
    )


def identity(rng):
    """GB 11643: the check digit is the remainder of the weighted sum."""
    day = f"{rng.randint(1935, 2005)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    number = rng.choice(["371502", "110105", "440306", "510722", "653101"]) + day + f"{rng.randint(0, 999):03}"
    total = sum(int(d) * (2 ** (17 - i) % 11) for i, d in enumerate(number))
    return number + "10X98765432"[total % 11]


def card(rng):
    """ISO/IEC 7812: every second digit from the right doubled, the sum a multiple of ten."""
    bare = rng.choice(["622202", "621700", "436742", "955880", "601382"])
    length = (
        16
        if bare.startswith(("4", "9")) and rng.random() < 0.5
        else 19
        if bare.startswith(("4", "9"))
        else rng.choice([16, 17, 18, 19])
    )
    bare += "".join(rng.choices("0123456789", k=length - 7))
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(bare)))
    return bare + str(-total % 10)


def plate(rng):
    tail = "".join(rng.choices("0123456789", k=3)) + "".join(rng.choices("ABCDEFGH0123456789", k=2))
    head = rng.choice("鲁京沪粤川新苏浙豫冀") + rng.choice("ABCDEFGHJKLMNP")
    return head + rng.choice(
        [tail, "".join(rng.sample(tail, 5)), rng.choice("DF") + "".join(rng.choices("0123456789", k=5))]
    )


def qq(rng):
    return "QQ" + str(rng.randint(10_000_00, 3_999_999_999))


def wechat(rng):
    return "微信号" + rng.choice(["wx", "li", "zh"]) + "_" + str(rng.randint(1000, 999_999))


def openid(rng):
    return "o" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", k=26)) + "7"


def address(rng):
    return ".".join(str(rng.randint(11, 250)) for _ in range(4))


KINDS = {
    "mobile": mobile,
    "landline": landline,
    "identity": identity,
    "card": card,
    "plate": plate,
    "qq": qq,
    "wechat": wechat,
    "openid": openid,
    "address": address,
}
PARTS = {"mobile": (3, 4, 4), "landline": (-8, 4, 4), "identity": (6, 8, 4), "card": (4, 4, 4, 4, 3), "plate": (2, 5)}


def parted(number, kind, sign):
    """A number with a sign between its parts; the local part of a landline may have seven digits."""
    if kind == "landline":
        cut = 3 if number[:2] in ("01", "02") else 4
        return sign.join([number[:cut], number[cut:]])
    if kind in ("qq", "wechat"):
        return number.replace("QQ", f"QQ{sign}").replace("信号", f"信号{sign}")
    if kind not in PARTS:
        return number
    found, at = [], 0
    for n in PARTS[kind]:
        found.append(number[at : at + n])
        at += n
    return sign.join([*filter(None, found), number[at:]]).rstrip(sign)


def forms(number, kind):
    """A number in every form: as it is, in parts, each digit alone, full width, with what nobody sees, in Chinese numerals."""
    digits = kind in PROMISED
    made = [number, parted(number, kind, " "), parted(number, kind, "-" if kind not in ("qq", "wechat") else ":")]
    made += [number.translate(FULL), parted(number, kind, " ").translate(FULL).replace(" ", "\u3000")]
    made += [
        "\u200b".join(number) if digits else number,
        "\u200d".join(number) if digits else number,
        parted(number, kind, "\ufeff"),
    ]
    if digits:
        made += [
            " ".join(number),
            number.translate(HAN),
            parted(number.translate(HAN), kind, " "),
            number.translate(HAN).replace("一", "幺"),
        ]
    if kind == "mobile":
        made += [f"+86{number}", f"86-{number}", f"+86 {parted(number, kind, '-')}"]
    if kind == "plate":
        made += [f"{number[:2]}·{number[2:]}", number.lower()]
    if kind == "landline":
        cut = 3 if number[:2] in ("01", "02") else 4
        made += [f"({number[:cut]}){number[cut:]}", f"（{number[:cut]}）{number[cut:]}"]
    return made


def planted(n, seed=7):
    """`n` times kind, form and bare number, every kind and form in turn."""
    rng, found = random.Random(seed), []
    while len(found) < n:
        for kind, make in KINDS.items():
            number = make(rng)
            found += [(kind, form, bare(number)) for form in [rng.choice(forms(number, kind))]]
    return found[:n]


def bare(text):
    """A text as a reader who is after numbers would see it: half width, Chinese numerals as digits, nothing between signs."""
    text = unicodedata.normalize("NFKC", text).upper().replace("幺", "一")
    text = text.translate({ord(b): a for a, b in zip("0123456789", "〇一二三四五六七八九", strict=True)})
    return re.sub(r"[^0-9A-Z\u4e00-\u9fff\n]", "", text)


def names(n, seed=5):
    """Texts with a person's name beside a title, and the name."""
    rng, found = random.Random(seed), []
    for _ in range(n):
        name = rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.choice([0, 1, 2])))
        title = rng.choice(["书记", "主任", "镇长", "所长", "老师", "大爷"])
        own = name if len(name) > 1 else name + "某"
        text = rng.choice(
            [
                f"找{name}{title}反映过",
                f"{name}{title}答应修路",
                f"感谢{name}{title}。",
                f"联系人：{own}",
                f"我叫{own}，住村东头",
            ]
        )
        found.append((text, own if own in text else name))
    return found


def harmless(n=5000, seed=11):
    """Texts that hold no number of a person: ids of calls, documents, amounts, days, hours, statistics."""
    rng = random.Random(seed)

    def day(sign="-"):
        return f"{rng.randint(2015, 2024)}{sign}{rng.randint(1, 12):02}{sign}{rng.randint(1, 28):02}"

    n_ = rng.randint
    makers = [
        lambda: f"GD{day('')}{n_(1, 9999):04}", lambda: f"工单{day('')}{n_(0, 999999999):09}", lambda: f"SF-{n_(2018, 2024)}-{n_(1, 99999):06}",
        lambda: f"371502{day('')}{n_(1, 9999):04}", lambda: f"呼叫编号C{n_(1, 99999):05}，已办结", lambda: f"12345-{day('')}-{n_(1, 99999):05}",
        lambda: f"鲁政办发〔{n_(2015, 2024)}〕{n_(1, 200)}号", lambda: f"聊东办字[{n_(2015, 2024)}]第{n_(1, 90)}号", lambda: f"《关于印发〈实施方案〉的通知》（{n_(2015, 2024)}年{n_(1, 99)}号）",
        lambda: f"{n_(1, 999)},{n_(0, 999):03},{n_(0, 999):03}.{n_(0, 99):02}元", lambda: f"投入{n_(100, 99999) / 10}万元", lambda: f"共{n_(13, 19)}{n_(0, 999_999_999):09}元",
        lambda: day(), lambda: day("/"), lambda: f"{n_(2015, 2024)}年{n_(1, 12)}月{n_(1, 28)}日", lambda: f"二〇二{rng.choice('一二三四')}年{rng.choice('一二三四五六七八九')}月三十日",
        lambda: f"{day()} {n_(0, 23):02}:{n_(0, 59):02}:{n_(0, 59):02}", lambda: f"{day()}T{n_(0, 23):02}:{n_(0, 59):02}:{n_(0, 59):02}.{n_(0, 999):03}Z", lambda: f"{n_(0, 23):02}:{n_(0, 59):02}-{n_(0, 23):02}:{n_(0, 59):02}",
        lambda: f"均值{n_(100, 500) / 100}，标准差{n_(50, 200) / 100}，n={n_(100, 2000)}", lambda: f"95%置信区间{n_(100, 500) / 10}%—{n_(500, 900) / 10}%", lambda: f"p = 0.{n_(0, 9999):04}，t = {n_(100, 400) / 100}",
        lambda: " ".join(str(n_(1, 99)) for _ in range(6)), lambda: "、".join(str(n_(1, 999)) for _ in range(5)), lambda: f"{rng.random():.12f}", lambda: f"{n_(10, 99)}.{n_(0, 9)} {n_(10, 99)}.{n_(0, 9)} {n_(10, 99)}.{n_(0, 9)}",
        lambda: f"{n_(16, 17)}{n_(0, 99_999_999):08}", lambda: f"版本 {n_(1, 9)}.{n_(0, 20)}.{n_(0, 20)}.{n_(0, 99)}", lambda: f"第{n_(1, 9)}.{n_(1, 9)}.{n_(1, 9)}.{n_(1, 9)}节",
        lambda: f"村编号371502{n_(1, 20):03}{n_(200, 299)}", lambda: f"邮编25{n_(2000, 2999)}", lambda: f"面积{n_(1, 9)},{n_(100, 999)}.{n_(0, 9)}平方公里", lambda: f"A座{n_(1, 20)}{n_(1, 20):02}室，B2-{n_(2015, 2024)}{n_(1, 9999):04}",
        lambda: f"全县{n_(8, 30)}个乡镇、{n_(100, 900)}个村，{n_(20, 90)}.{n_(0, 9)}万人", lambda: f"受理{n_(100, 9999)}件，办结{n_(100, 999)}件，办结率{n_(600, 999) / 10}%", lambda: "拨打12345热线后第3天有人回电话，处理得很快",
        lambda: rng.choice(["纪委书记和组织委员到村里走访", "村党支部书记没有来过", "向镇长信箱写信", "石桥镇长期缺水", "办公室主任说可以办", "园林局长廊需要维修", "副主任科员", "各乡镇党委书记，县直部门负责人："]),
        lambda: f"微信群里发过通知，{n_(2, 12)}月{n_(1, 28)}号开会", lambda: f"QQ群通知了{n_(1, 9)}次", lambda: f"一窗受理、一网通办，{n_(1, 9)}个工作日办结", lambda: f"十{rng.choice('一二三四')}个乡镇一百二十{rng.choice('一二三四')}个村",
        lambda: f"经度115.{n_(0, 999999):06}，纬度36.{n_(0, 999999):06}", lambda: f"统一社会信用代码9137150{n_(0, 9)}MA3C{n_(0, 99999):05}X", lambda: f"第{n_(1, 40)}题：{n_(1, 5)} {n_(1, 5)} {n_(1, 5)} {n_(1, 5)}",
    ]  # fmt: skip
    return [makers[i % len(makers)]() for i in range(n)]


if __name__ == "__main__":
    HARMLESS.write_text("\n".join(harmless()) + "\n", "utf-8")
