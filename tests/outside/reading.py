"""Reads a sentence back into numbers and words, with regexes and small tables of its own; shares nothing with the library."""

import re

UNITS = {  # what follows the number, by unit; a count is followed by its noun
    "zh": {"share": "%", "points": "个百分点", "ratio": "倍", "days": "天", "months": "个月", "score": "分", "score_points": "分差", "index": ""},
    "en": {"share": "%", "points": " percentage points?", "per_thousand": " per thousand residents", "ratio": " times", "days": " days?",
           "months": " months?", "score": " points?", "score_points": " score points?", "index": ""},
}  # fmt: skip
NOUNS = {
    "residents": ("名居民", "residents?"), "staff": ("名工作人员", "(?:members? of )?staff"), "leaders": ("名领导", "leaders?"),
    "inhabitants": ("名常住人口", "inhabitants?"), "towns": ("个镇街", "towns?"), "villages": ("个村", "villages?"), "departments": ("个部门", "departments?"),
    "agencies": ("个派驻机构", "agenc(?:y|ies)"), "units": ("个机构", "units?"), "bureaus": ("个局", "bureaus?"), "domains": ("个领域", "domains?"),
    "posts": ("名编制", "posts?"), "head_changes": ("次负责人调整", "head changes?"), "occasions": ("次应行使的情形", "occasions?"),
    "duties": ("次急难任务", "urgent tasks?"), "ratings": ("次评分", "ratings?"), "calls": ("件呼叫", "calls?"),
    "matters": ("件需要呼叫的事项", "matters? that needed a call"), "cases": ("件联席会议案件", "joint-conference cases?"),
    "warnings": ("次问责措施", "warnings?"), "months": ("个月份", "months? of the ledger"), "town_months": ("个镇街月", "town-months?"), "marks": ("处标识", "marks?"),
    "documents": ("份文件", "documents?"), "ledgers": ("份台账", "ledgers?"), "lists": ("份清单", "lists?"), "versions": ("个版本", "versions?"),
    "items": ("项事项", "items?"), "town_items": ("个镇街事项", "town items?"), "requests": ("件申请", "requests?"),
    "transactions": ("件办件", "transactions?"), "centres": ("个中心和站点", "cent(?:re|res) (?:or|and) stations?"), "bank_points": ("个服务点", "bank points?"),
    "loans": ("笔贷款", "loans?"), "printed_numbers": ("个印出数字", "printed numbers?"), "sentences": ("句汇报原文", "sentences? of the report"),
    "passages": ("处", "passages?"), "answers": ("项回答", "answers?"), "specifications": ("种口径", "specifications?"), "events": ("件事项", "cases?"),
}  # fmt: skip
VERDICTS = {
    "zh": {"不支持": "not supported", "支持": "supported", "证据不足": "cannot say", "缺少对比期数据": "no baseline"},
    "en": {
        "not supported": "not supported",
        "supported": "supported",
        "cannot say": "cannot say",
        "no baseline": "no baseline",
    },
}
NUMBER = r"(?<![\d.])-?\d+(?:\.\d+)?"
MULTIPLIED = {"share": 100, "points": 100}


def noun_of(word: str, lang: str) -> str:
    """The noun that a word is, empty where it is none."""
    return next((name for name, both in NOUNS.items() if re.fullmatch(both[lang == "en"], word)), "")


def read(sentence: str, lang: str) -> dict:
    """value, unit, noun of a count, n, n_of, verdict, is_counted, how many of n (k), kind of interval, low, high, when: what the sentence says."""
    found = dict.fromkeys(("value", "n", "low", "high", "k"), None) | dict.fromkeys(
        ("unit", "noun", "n_of", "verdict", "kind", "when"), ""
    )
    zh = lang == "zh"
    words = "|".join(VERDICTS[lang])
    head = (
        re.search(rf"：(?:就受访者而言)?({words})。", sentence)
        if zh
        else re.search(rf": ({words})(?: among respondents)?\. ?", sentence)
    )
    body = sentence[head.end() :] if head else sentence
    found["verdict"] = VERDICTS[lang][head[1]] if head else ""
    when = (
        re.match(r"(.{1,20}?)(年?调查|年?台账)[，。]", body)
        if zh
        else re.match(r"(?:(\S+) )?(survey|ledgers)(?: (\S+))?[:,.]", body)
    )
    if when:
        found["when"] = (when[1] if zh else when[1] or when[3]) + (
            "w" if when[2] in ("年调查", "调查", "survey") else "p"
        )
    value, around = find_value(body, lang)
    if around is None:
        n = re.search(r"(?:^|[，,] ?)(\d+) ?([^，。,.\d]+)[。.]", body)
        return found | ({"n": float(n[1]), "n_of": noun_of(n[2], lang)} if n and noun_of(n[2], lang) else {})
    found |= value
    found["is_counted"] = "全数" in around if zh else "counted" in around
    return found | read_around(around, found["unit"], lang)


def find_value(body: str, lang: str):
    """The value with its unit, and the text in parentheses behind it; (, None) where there is no value."""
    zh = lang == "zh"
    open_, close, end = ("（", "）", r"(?=，判定标准|。)") if zh else (r" \(", r"\)", r"(?=; threshold: |\.)")
    inner = "[^（）]*" if zh else "[^()]*"
    hits = list(re.finditer(rf"{open_}(?P<around>{inner}){close}{end}", body))
    for hit in hits:
        before = body[: hit.start()]
        if zh and (thousand := re.search(rf"每千人({NUMBER})人$", before)):
            return {"value": float(thousand[1]), "shown": thousand[1], "unit": "per_thousand"}, hit["around"]
        told = re.search(rf"({NUMBER})([^\d。：]*)$" if zh else rf"({NUMBER})((?: [a-z][a-z -]*|%)?)$", before)
        if not told:
            continue
        number, word = told[1], told[2]
        unit = next((name for name, pattern in UNITS[lang].items() if re.fullmatch(pattern, word)), "")
        if unit or noun_of(word.strip(), lang):
            return {
                "value": float(number),
                "shown": number,
                "unit": unit or "count",
                "noun": noun_of(word.strip(), lang),
            }, hit["around"]
    return {}, None


def read_around(around: str, unit: str, lang: str) -> dict:
    """What stands in the parentheses: the interval or bounds, and n."""
    zh, told = lang == "zh", {}
    kinds = [("adjusted", "多重比较校正", "adjusted for multiple"), ("process", "据此推断", "of the process"), ("sample", "95%置信区间", "95% CI"),
             ("bounds", "全计入为", "depending on")]  # fmt: skip
    told["kind"] = next((name for name, one, other in kinds if (one if zh else other) in around), "")
    if told["kind"]:
        piece = (
            around.split("全数")[0]
            if zh
            else re.split(r" of \d+ |, \d+ |\ball ", around.replace("95% CI of the process", "95% CI"))[0]
        )
        piece = piece.replace("95%置信区间", "").replace("95% CI", "")
        ends = [float(number) for number in re.findall(NUMBER, piece)][:2]
        low, high = (ends[::-1] if zh and told["kind"] == "bounds" else ends) if len(ends) == 2 else (None, None)
        told |= {"low": low, "high": high}
    names = "|".join(sorted((both[not zh] for both in NOUNS.values()), key=len, reverse=True))
    pattern = (
        rf"(?:^|，|全数)({NUMBER})({names})(?:中(\d+).)?(?:，无一例外)?$"
        if zh
        else rf"(?:^|, |all )(?:(\d+) of )?({NUMBER}) ({names})(?:, counted)?$"
    )
    n = re.search(pattern, around)
    assert n, around
    number, word, k = (n[1], n[2], n[3]) if zh else (n[2], n[3], n[1])
    whole = ("无一例外" in around) if zh else around.split(", ")[-2:][0].startswith("all ") or around.startswith("all ")
    return told | {
        "n": float(number),
        "n_of": noun_of(word, lang),
        "k": float(k) if k else float(number) if whole else None,
    }


def is_as(shown: str, value: float, unit: str) -> bool:
    """Whether a printed number is the value, rounded to the digits that are printed."""
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - value * MULTIPLIED.get(unit, 1)) <= 0.5 * 10**-digits + 1e-9
