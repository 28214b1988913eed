"""The questions of an export that no questionnaire describes: columns, types, options as far as they show; guesses no wording.

What cannot be told from an export is a remark with the question: the order of options without their numbers, options that
nobody chose, whether a number is a code.
"""

import re
from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from huying.clean.cells import TYPED
from huying.codebook import MOST_OPTIONS
from huying.drafting.columns import Question, add_coded, bare, group_headers, is_ticks, split_groups, split_part
from huying.kinds import parse_instants
from huying.scrub import MARKED
from huying.sources.exports import ARROW, Labelled, code_words, is_missing
from huying.sources.table import RawTable
from huying.sources.wjx import JOINT, MARKS, is_meta, partner_rows, split_header, squash

MOST_LISTED = 100  # answers that can be options; what has more is an open question
_NUMBER = re.compile(r"[-−–+]?\d+(\.\d+)?")
_WHY = {"does_not_know": "不知|不清楚|说不|don.?t know|unsure", "refused": "拒|refus|declin", "skipped": "跳过|skip"}
_NOTHING = ("NA", "N/A", "NaN", "NULL", "null", "#N/A", "None")
_DEGREES = (  # options of one scale, from the most to the least
    r"非常(?!不)|很(?!不|少)|十分|完全(?!不)|总是|very (?!dis|un)|strongly agree|always",
    r"比较(?!不)|较(?!不)|基本(?!不)|满意|同意|了解|经常|satisfied|agree|often",
    r"一般|中立|有时|neutral|neither|sometimes",
    r"不太|比较不|较不|很少|dissatisfied|disagree|rarely",
    r"非常不|很不|完全不|极不|从不|不(?!太)|very (?:dis|un)|strongly disagree|never",
)
_BELOW = re.compile("以下|不到|以内|under|below|less")
_RANKS = re.compile(
    r"第?\s*[一二三四五六七八九十\d]+\s*[位名选]?|(?:rank|choice|排名|排序)\s*\d+|\d+(?:st|nd|rd|th)(?: choice)?", re.I
)


def read_questions(
    raw: RawTable, labelled: Labelled | None = None, other: RawTable | None = None, skip: Sequence[str] = ()
) -> list[Question]:
    """The questions of an export and, where there is one, of its twin by number; `skip` are columns that are none.

    Raises InputError where the two files are the same, stand the wrong way round, or are not of one survey.
    """
    headers = [str(name) for name in raw.text if not is_meta(str(name)) and name not in skip]
    found = split_groups(group_headers(headers, labelled, raw.text), raw.text)
    if other is not None:
        add_coded(found, raw, other, [str(name) for name in other.text if not is_meta(str(name)) and name not in skip])
        coded = partner_rows(raw, other)
    ready = []
    while found:
        question = found.pop(0)
        cells = raw.text[question.headers].apply(lambda column: column.map(bare))
        codes = coded[question.coded] if other is not None and question.coded else None
        if labelled and declared(question, labelled, cells):
            ready.append(question)
            continue
        if not labelled:  # a labelled file declares what is missing: there NA is an answer
            question.blank = [word for word in _NOTHING if (cells == word).any(axis=None)]
        if not describe(question, cells, codes):
            found = part(question) + found
            continue
        if any(MARKED.search(text) for _, text in question.options):  # own words that reach a person
            question.type, question.options, question.remarks = "text", [], []
        ready.append(question)
        raw_cells = raw.text[question.headers].stack()
        told = "\n".join(raw_cells)
        question.fill_in = [code for code, text in question.options if text and f"{text}〖" in told]
        marks = raw_cells.str.strip().value_counts().filter(list(MARKS))
        for mark, n in marks.items():
            question.remark("new.marked", mark=mark, n=int(n))
        is_number = question.type in ("whole", "number", "matrix_scale")
        if is_number and len(marks) and pd.to_numeric(filled_of(cells), errors="coerce").min() >= 0:
            question.range = [0, 10**9]  # below it a mark is no number
    return ready


def part(question: Question) -> list[Question]:
    """The columns of what is not one question as questions of their own."""
    titles = [f"{question.title}—{row}" if row else question.title for row in question.parts]
    coded = [[code] for code in question.coded] if len(question.coded) == len(titles) else [[] for _ in titles]
    named = zip(titles, question.headers, coded, strict=True)
    made = [Question(question.number, title, [header], [""], codes) for title, header, codes in named]
    made[0].remark("new.parted", n=len(made))
    return made


def declared(question: Question, labelled: Labelled, cells: pd.DataFrame) -> bool:
    """Take type, options and missing codes from what SPSS or Stata declare; false for a variable without labels."""
    first = question.headers[0]
    if group := next((found for found in labelled.sets.values() if first in found["variable_list"]), None):
        question.type = "multi"
        labels = labelled.labels.get(first, {}) or {text: text for text in filled_of(cells).unique()}
        words = question.parts if group["is_dichotomy"] else list(code_words(labels).values())
        question.options = list(enumerate(unique_words(words), 1))
        return True
    labels, values = code_words(labelled.labels.get(first, {})), labelled.values[first]
    ranges = labelled.missing.get(first, ())
    is_gone = {code: is_missing(code, ranges) for code in (*labels, *values[values != ""])}
    if all(is_gone[code] for code in labels):
        gone = values.map(is_gone).eq(True)
        if not (answered := values[(values != "") & ~gone]).str.fullmatch(_NUMBER).all() or not len(answered):
            return False
        describe(question, cells.mask(gone.to_numpy()[:, None], ""), None)
        if question.type in ("whole", "number"):
            question.missing = {int(code): "blank" for code in labels if re.fullmatch(r"-?\d+", code)}
            question.missing_from = [(float(low), float(high)) for low, high in ranges if _NUMBER.fullmatch(low)]
        return True
    unlabelled = sorted(is_gone.keys() - labels)
    if len(order := [*labels, *unlabelled]) > MOST_LISTED:
        return True
    whole = all(re.fullmatch(r"-?\d+", code) for code in order)
    codes = {code: int(code) if whole else place for place, code in enumerate(order, 1)}
    question.type, question.options = "single", [(codes[code], labels.get(code, code)) for code in order]
    question.missing = {codes[code]: reason_of(labels.get(code, "")) for code in order if is_gone[code]}
    if unlabelled:
        question.remark("new.unlabelled", codes=", ".join(unlabelled))
    return True


def reason_of(words: str) -> str:
    """Why an answer is missing, by its words."""
    return next((why for why, pattern in _WHY.items() if re.search(pattern, words, re.I)), "blank")


def describe(question: Question, cells: pd.DataFrame, codes: pd.DataFrame | None) -> bool:
    """Find type and options, in the order of the number export where there is one; false where the columns are no one question."""
    if not len(filled := filled_of(cells)):
        question.remark("new.no_answer")
        return len(question.headers) == 1
    if len(question.headers) > 1:
        return describe_group(question, cells, filled, codes)
    joint = next((joint for joint in (JOINT, ARROW, ";", ", ") if is_joined(filled, joint)), "")
    is_single = codes is not None and codes.shape[1] == 1 and codes.iloc[:, 0].str.fullmatch(r"-?\d*(\.0)?").all()
    if (joint and not is_single) or (codes is not None and codes.shape[1] > 1):
        describe_joined(question, filled, joint or JOINT, codes)
    else:
        describe_one(question, filled, cells, codes)
    return True


def describe_group(question: Question, cells: pd.DataFrame, filled: pd.Series, codes: pd.DataFrame | None) -> bool:
    """A question of several columns: ticks, ranks, or the rows of a matrix; false where it is none of them."""
    columns = [cells[header] for header in question.headers]
    is_ticked = all(is_ticks(column, part) for column, part in zip(columns, question.parts, strict=True))
    if is_ticked and len(columns) <= MOST_OPTIONS:
        question.type, question.options = "multi", list(enumerate(unique_words(question.parts), 1))
    elif all(_RANKS.fullmatch(part) for part in question.parts) and not filled.str.fullmatch(_NUMBER).all():
        question.type, question.options = "ranking", list(enumerate(dict.fromkeys(filled), 1))
        question.remark("new.order_unknown")
    elif is_ranks(cells):
        question.type, question.options = "ranking", list(enumerate(unique_words(question.parts), 1))
        question.remark("new.perhaps_ranking")
    elif filled.str.fullmatch(r"-?\d+(\.0)?").all() and not is_ticked:
        question.type = "matrix_scale"
    else:
        describe_one(question, filled, cells, codes)
        is_matrix, question.type = question.type == "single" and not is_ticked, "matrix_single"
        return is_matrix
    return True


def describe_joined(question: Question, filled: pd.Series, joint: str, codes: pd.DataFrame | None) -> None:
    """A question whose answers name several options in one cell."""
    split = filled.str.removesuffix(joint.strip()).str.split(joint)
    parts = list(dict.fromkeys(part.strip() for cell in split for part in cell if part.strip()))
    listed = None
    if codes is not None and codes.shape[1] > 1:
        options = [option_of(header, question) for header in question.coded]
        listed = options + [part for part in parts if squash(part) not in set(map(squash, options))]
    elif codes is not None:
        numbers = codes.iloc[:, 0].str.split(f"[{JOINT}{ARROW};,]", regex=True)
        rows = [row for row, text in split.items() if row in numbers and len(text) == len(numbers[row])]
        listed = options_by_code(split[rows].explode(True).str.strip(), numbers[rows].explode(True)) if rows else None
    if listed is None:
        question.coded = []
        question.remark("new.order_unknown")
    if len(parts := listed or parts) > MOST_OPTIONS:
        question.coded = []
        question.remark("new.too_many", n=len(parts), most=MOST_OPTIONS)
        return
    question.type = "ranking" if joint == ARROW or (is_in_both_orders(split) and joint == ";") else "multi"
    question.options = name_options(parts)
    question.joint = joint if joint in (";", ", ") else ""


def describe_one(question: Question, filled: pd.Series, cells: pd.DataFrame, codes: pd.DataFrame | None) -> None:
    """A question with one answer, or the rows of a matrix: options, a number, a day or own words."""
    if codes is not None and codes.shape == cells.shape:
        numbers, answers = stacked(codes), stacked(cells)
        if options := options_by_code(answers, numbers):
            question.type, question.options = "single", name_options(options)
            if gaps := [str(code) for code, text in enumerate(options, 1) if not text]:
                question.remark("new.not_chosen", codes=", ".join(gaps))
            return
        question.coded = question.coded if (answers == numbers)[answers != ""].all() else []
    filled = filled[~filled.isin(question.blank)]
    numbers, listed = filled[~filled.str.casefold().isin(list(TYPED))], list(dict.fromkeys(filled))
    if len(units := set(numbers.str.replace(_NUMBER.pattern, "", n=1, regex=True).str.strip())) == 1 and units != {""}:
        unit = units.pop()
        if len(unit) <= 4 and numbers.str.fullmatch(rf"{_NUMBER.pattern}\s*{re.escape(unit)}").all():
            question.unit, numbers = unit, numbers.str.removesuffix(unit).str.strip()
    if len(numbers) and numbers.str.fullmatch(_NUMBER).all():
        question.type = "whole" if numbers.str.fullmatch(r"[-−–+]?\d+(\.0)?").all() else "number"
        if set(numbers) <= {"0", "1"}:
            question.remark("new.zero_one")
    elif parse_instants(filled).notna().mean() > 0.9:
        question.type = "date"
    elif 0 < len(listed) <= min(MOST_LISTED, max(2, len(filled) / 3)):
        question.type, question.options = "single", list(enumerate(in_order(listed), 1))
        question.remark("new.order_unknown")
    elif len(listed) > MOST_LISTED and len(listed) < len(filled) / 3:
        question.remark("new.too_many", n=len(listed), most=MOST_LISTED)


def in_order(texts: list[str]) -> list[str]:
    """Options by their first number, or by their degree, where each has one of its own; else as they stand."""
    numbers = {text: re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")) for text in texts}
    degrees = {text: [k for k, words in enumerate(_DEGREES) if re.match(words, text, re.I)] for text in texts}
    if all(numbers.values()):
        return sorted(texts, key=lambda text: (float(numbers[text][0]), not _BELOW.search(text)))
    is_told_apart = all(degrees.values()) and len({found[0] for found in degrees.values()}) == len(texts)
    return sorted(texts, key=lambda text: degrees[text][0]) if is_told_apart else texts


def stacked(cells: pd.DataFrame) -> pd.Series:
    """All cells of a question, column by column."""
    return pd.concat([cells[name] for name in cells], ignore_index=True)


def filled_of(cells: pd.DataFrame) -> pd.Series:
    """All filled cells of a question, column by column."""
    return stacked(cells).loc[lambda every: every != ""]


def is_joined(filled: pd.Series, joint: str) -> bool:
    """Whether the answers name several options: the same parts again and again, in more cells than there are parts.

    Options joined by arrows are a ranking only where two of them stand in both orders.
    """
    if not (has := filled.str.contains(joint, regex=False)).any() or joint == JOINT:
        return bool(has.any())
    split = filled.str.removesuffix(joint.strip()).str.split(joint)
    parts = pd.Series([part.strip() for cell in split for part in cell], dtype=object)
    if joint == ARROW:
        return is_in_both_orders(split[has]) and 2 * has.sum() >= len(filled)
    is_often = has.mean() > 0.2 or bool(filled.str.endswith(joint.strip()).all())
    return is_often and parts.nunique() <= min(filled.nunique() - 1, max(2, len(parts) / 5))


def is_in_both_orders(split: pd.Series) -> bool:
    """Whether some two options are named in both orders."""
    ordered = {pair for cell in split for pair in combinations([part.strip() for part in cell], 2)}
    return any((second, first) in ordered for first, second in ordered if first != second)


def is_ranks(cells: pd.DataFrame) -> bool:
    """Whether each row of whole numbers ranks the columns: from 1, none twice, in nearly every row that ranks two or more."""
    if ((numbers := cells.apply(pd.to_numeric, errors="coerce")).isna() & (cells != "")).any(axis=None):
        return False
    ranked = numbers.where(numbers > 0)
    several = ranked[ranked.notna().sum(axis=1) > 1]
    fits = several.apply(lambda row: sorted(row.dropna()) == list(range(1, row.notna().sum() + 1)), axis=1)
    return len(several) > 0 and bool(fits.mean() > 0.9) and ranked.max(axis=None) <= cells.shape[1]


def option_of(header: str, question: Question) -> str:
    """The option that a column of the number export stands for."""
    rest = split_header(header)[1].strip().removeprefix(question.title).strip()
    return split_part(rest)[1] or rest


def options_by_code(texts: pd.Series, codes: pd.Series) -> list[str] | None:
    """Option texts in the order of their numbers, "" for a number nobody chose; None unless nearly all answers fit one order."""
    pairs = pd.DataFrame({"text": texts, "code": codes.reindex(texts.index).fillna("").str.strip()})
    pairs = pairs[pairs["code"].str.fullmatch(r"[1-9]\d?\d?") & (pairs["text"] != "")]
    best = pairs.value_counts().reset_index(name="n").drop_duplicates("code").drop_duplicates("text")
    if not len(pairs) or best["n"].sum() < 0.9 * len(pairs) or (best["text"] == best["code"]).all():
        return None
    by_code = dict(zip(best["code"].astype(int), best["text"], strict=True))
    return [by_code.get(code, "") for code in range(1, max(by_code) + 1)]


def name_options(words: Sequence[str]) -> list[tuple[int, str]]:
    """Options by their place, with a mark for a person where one has no words."""
    return [(place, text or f"TODO {place}") for place, text in enumerate(words, 1)]


def unique_words(words: Sequence[str]) -> list[str]:
    """The words of options, those that stand twice told apart by their place."""
    return list(code_words({str(place): word for place, word in enumerate(words, 1)}).values())
