"""One cell: an answer by text and by number as a value or the reason why there is none, a typed name as an id; guesses nothing."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from huying.codebook import WHY_MISSING, Item
from huying.kinds import NOTHING, clean_text, parse_instants
from huying.sources.wjx import FILL_IN, JOINT, option_places, squash

REFUSED, DOES_NOT_KNOW, SKIPPED, BLANK = map(WHY_MISSING.index, ("refused", "does_not_know", "skipped", "blank"))
FAULTS: tuple[str, ...] = ("unknown_option", "not_a_number", "out_of_range", "exports_disagree")
FAULTS += ("town_unknown", "town_ambiguous", "no_ranking", "unreadable_time")
# The state of a cell: answered, or the place of a reason in WHY_MISSING, or nothing written at all, or a fault.
ANSWERED, SILENT, FIRST_FAULT = -1, len(WHY_MISSING), len(WHY_MISSING) + 1
UNKNOWN, NOT_A_NUMBER, OUT_OF_RANGE, DISAGREE = range(FIRST_FAULT, FIRST_FAULT + 4)  # in the order of FAULTS
TOWN_UNKNOWN, TOWN_AMBIGUOUS, NO_RANKING, NO_DATE = range(FIRST_FAULT + 4, FIRST_FAULT + 8)
ODD, AT_ODDS = (UNKNOWN, NOT_A_NUMBER, DISAGREE), 5
NAMELESS = (UNKNOWN, TOWN_UNKNOWN, TOWN_AMBIGUOUS, NO_RANKING)  # words that name nothing known
MARKS = {"(跳过)": SKIPPED, "-3": SKIPPED, "(空)": BLANK, "-2": BLANK, "": SILENT}
TYPED = {  # what people write where they were to write a number or a text; never read so in a list of options
    **dict.fromkeys(("拒答", "拒绝回答", "不愿回答", "不愿意回答", "refuse", "refused"), REFUSED),
    **dict.fromkeys(("不清楚", "说不清", "说不准", "不知道"), DOES_NOT_KNOW), **dict.fromkeys(NOTHING, BLANK),
}  # fmt: skip
UNITS, AGES = ("件", "年", "个", "次", "人", "份"), ("周岁", "岁")
YOUNGEST_TYPED = 10  # an age from here to 17 is a child's who opened the form; below this a slip of the pen
MINUS = str.maketrans("−–", "--")
LARGEST = 2.0**31 - 1
_DURATION = re.compile(
    r"(?=.)(?:(\d{1,4})(?:小?时|:(?=\d+:)))?(?:(\d{1,6})(?:分钟?|:(?=\d)))?(?:(\d{1,8})(?:\.0+)?秒?)?"
)
Bools = npt.NDArray[np.bool_]
Reader = Callable[[str], tuple[float, int, bool]]  # clean text to value, state, and whether it was repaired


@dataclass
class Cell:
    """One answer of all rows: value (NaN unless answered; of a multiple choice the options as bits) and state."""

    value: npt.NDArray[np.float64]
    state: npt.NDArray[np.int8]
    repaired: Bools

    def take_out(self, which: Bools, state: int) -> None:
        self.value[which], self.state[which] = np.nan, state


def distinct(column: pd.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """For each row the place of its text in the list of clean distinct texts; a missing one (-1) is the empty text at its end."""
    places, found = pd.factorize(column)
    return places, [clean_text(str(text)) for text in found] + [""]


def spread(column: pd.Series, read: Reader) -> Cell:
    """The cells of a column; each distinct text is read once."""
    places, texts = distinct(column)
    value, state, repaired = map(np.array, zip(*map(read, texts), strict=True))
    return Cell(value.astype(float)[places], state.astype(np.int8)[places], repaired[places])


def chosen(text: str, places: Mapping[str, int]) -> dict[int, str] | None:
    """The place of each option that `text` names, with the words filled in; None where a part of it is no option."""
    words, found = iter(FILL_IN.findall(text)), dict[int, str]()
    if text == JOINT:  # answered by ticking nothing
        return found
    for part in FILL_IN.sub("\0", text).split(JOINT):
        if (label := squash(part.replace("\0", ""))) not in places:
            return None
        found[places[label]] = next(words)[1:-1].strip() if "\0" in part else ""
    return found


def option_reader(item: Item) -> Reader:
    """Reads an option's text as its code, the texts of a multiple choice as bits."""
    places, many = option_places(item), item.type == "multi"

    def read(text: str) -> tuple[float, int, bool]:
        if (found := chosen(text, places)) is None or (len(found) != 1 and not many):
            return np.nan, MARKS.get(text, UNKNOWN), False
        return float(sum(1 << p for p in found) if many else item.options[next(iter(found))].code), ANSWERED, False

    return read


def code_reader(item: Item, numbering: str) -> Reader:
    """Reads a cell of a number export: the option's `position` (from 1), or its `code`."""
    codes = {str(place): option.code for place, option in enumerate(item.options, 1)}
    if numbering == "code":
        codes = {str(code): code for code in (*item.missing, *codes.values())}

    def read(text: str) -> tuple[float, int, bool]:
        text = text.translate(MINUS).removesuffix(".0")
        return (float(codes[text]), ANSWERED, False) if text in codes else (np.nan, MARKS.get(text, UNKNOWN), False)

    return read


def ranking_reader(options: Mapping[str, int], orders: dict[tuple[int, ...], int]) -> Reader:
    """Reads options joined by arrows, each known by its text, as the place of their order in `orders`, which grows."""

    def read(text: str) -> tuple[float, int, bool]:
        parts = [squash(part) for part in FILL_IN.sub("", text).split("→")]
        if not (order := tuple(options[part] for part in parts if part in options)) or len(set(order)) < len(parts):
            return np.nan, MARKS.get(text, NO_RANKING), False
        return float(orders.setdefault(order, len(orders))), ANSWERED, False

    return read


def iso_dates(texts: Sequence[str]) -> list[str]:
    """Days in ISO form, with their time where they have one; blank where a text is none."""
    moments = parse_instants(pd.Series(texts, dtype="str")).dt.strftime("%Y-%m-%d %H:%M:%S")
    return list(moments.str.removesuffix(" 00:00:00").fillna(""))


def date_reader(texts: Sequence[str]) -> Reader:
    """Reads each of these texts as a day, with an hour or without."""
    days = dict(zip(texts, iso_dates(texts), strict=True))
    no_day = {text: MARKS.get(text, TYPED.get(text.casefold(), NO_DATE)) for text in texts}
    return lambda text: (0.0, ANSWERED if days[text] else no_day[text], False)


def number_reader(item: Item, year: int) -> Reader:
    """Reads a typed number with or without its unit; an age typed as a year of birth becomes the age reached in `year`."""
    low, high = item.range or (-LARGEST, LARGEST)
    usual = AGES if item.role == "age" else (*AGES, *UNITS)
    units = "|".join(map(re.escape, {*usual, *map(clean_text, item.unit or ())}))
    shape = re.compile(rf"([+-]?[0-9]+(?:\.{'0' if item.type == 'whole' else '[0-9]'}+)?)\s*(?:{units})?", re.I)

    def read(text: str) -> tuple[float, int, bool]:
        if not (found := shape.fullmatch(text.translate(MINUS))):
            return np.nan, MARKS.get(text, TYPED.get(text.casefold(), NOT_A_NUMBER)), False
        if (number := float(found[1])) in item.missing:
            return np.nan, WHY_MISSING.index(item.missing[int(number)]), False
        if any(first <= number <= last for first, last in item.missing_from):
            return np.nan, BLANK, False
        if (min(low, YOUNGEST_TYPED) if item.role == "age" else low) <= number <= high:
            return number, ANSWERED, False
        if item.role == "age" and 1900 <= number <= year - 18 and year - number <= high:
            return year - number, ANSWERED, True
        return np.nan, MARKS.get(found[1], OUT_OF_RANGE), False

    return read


def read_words(text: str) -> tuple[float, int, bool]:
    """Reads free text: only words that say nothing are no answer; NA and null are answers."""
    return 0.0, MARKS.get(text, BLANK if text == "没有" else TYPED.get(text.casefold(), ANSWERED)), False


def read_duration(text: str) -> tuple[float, int, bool]:
    """Reads `136`, `136秒`, `2分16秒`, `2:16` and `00:02:16` as seconds."""
    if not (found := _DURATION.fullmatch(text.replace(" ", ""))):
        return np.nan, MARKS.get(text, NOT_A_NUMBER), False
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(3600 * hours + 60 * minutes + seconds), ANSWERED, False


def at_odds(item: Item, text: pd.Series, cell: Cell, asked: Bools) -> Iterator[tuple[str, pd.Index, int]]:
    """Words of an export that name nothing, or something else by number, mostly and AT_ODDS times or more; in which rows, of how many.

    Of a number all words count together (as empty ones). Towns are people's own spelling: only what differs by number counts.
    """
    odd = np.isin(cell.state, ODD) & asked
    if not odd.any():
        return
    told = pd.DataFrame({"words": text.map(clean_text), "state": cell.state, "odd": odd})
    told = told[asked & (text != "").to_numpy()]
    if not item.options:
        told["words"] = ""
    if item.type == "multi":
        told["words"] = told["words"].str.replace(FILL_IN, "", regex=True).str.split(JOINT)
        told = told.explode("words")
        told = told[(told["state"] != UNKNOWN) | ~told["words"].map(squash).isin(option_places(item))]
    for words, same in told["odd"].groupby(told["words"]):
        if same.sum() >= AT_ODDS and same.mean() > 0.5:
            yield str(words), same.index[same], len(same)


def reconcile(text: Cell, number: Cell) -> Cell:
    """Both exports of a cell as one: the number where no words stand, at fault where the two differ.

    A position never overrules words, not even words that name nothing known.
    """
    take = text.state == SILENT
    cell = Cell(*(np.where(take, getattr(number, part), getattr(text, part)) for part in vars(text)))
    differ = ((text.state == ANSWERED) | (number.state == ANSWERED)) & (text.value != number.value)
    odd = np.isin(text.state, NAMELESS) | (text.state < SILENT) & differ
    cell.take_out(odd & (number.state < SILENT), DISAGREE)
    return cell


# --- names of towns and departments -----------------------------------------------------------------------------------

TYPE = re.compile(r"(?<=..)(民族乡|街道|镇|乡|苏木)$")  # of a name that two characters are left of
OFFICES = re.compile(r"(党工委|党委|人民政府|镇政府|乡政府|政府|办事处|街办|居委会)$")


def squeeze(name: str) -> str:
    """A name in NFKC, lower case, without blanks, brackets and quotation marks."""
    return re.sub(r"[\s()（）\[\]【】\"'“”·.,，、。]", "", clean_text(name)).casefold()


def without_office(name: str) -> str:
    """`name` without the office that stands after it: 甲镇人民政府 is 甲镇, 甲街道办事处 and 甲街办 are 甲街道."""
    if name.endswith("街办"):
        return name.removesuffix("街办") + "街道"
    return name.removesuffix("政府") if name.endswith(("镇政府", "乡政府")) else OFFICES.sub("", name) or name


def bare(name: str) -> str:
    """`name` without its trailing type (镇, 乡, 街道 …), unless nothing would be left of it."""
    return TYPE.sub("", name)


class Matcher:
    """Finds the id of a typed name among `names` (id to full name and aliases); `prefixes` may stand before a name."""

    def __init__(self, names: Mapping[str, Sequence[str]], prefixes: Iterable[str] = ()) -> None:
        self.prefixes = sorted((squeeze(prefix) for prefix in prefixes), key=len, reverse=True)
        self.ids = {squeeze(key): key for key in names}
        self.full, self.stem = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for key, spellings in names.items():
            for spelling in filter(None, spellings):
                self.full[squeeze(spelling)].add(key)
                self.stem[bare(squeeze(spelling))].add(key)

    def find(self, typed: str) -> tuple[str | None, str]:
        """The id, and how it was found: `exact`, `repaired`, `ambiguous`, `unknown` or `blank`."""
        if not (name := squeeze(typed)):
            return None, "blank"
        if name in self.ids or name in self.full:
            return decide({self.ids[name]} if name in self.ids else self.full[name], "exact")
        starts = [name, *(name.removeprefix(p) for p in self.prefixes if name.startswith(p) and len(name) > len(p) + 1)]
        for form in (form for start in starts for form in (start, without_office(start))):
            if form in self.full:
                return decide(self.full[form], "repaired")
            if form == bare(form) and form in self.stem:
                return decide(self.stem[form], "repaired")
        return None, "unknown"

    def match(self, typed: pd.Series) -> pd.DataFrame:
        """`find` for a column: a frame with `id` and `how` and the index of `typed`; each spelling is looked up once."""
        found = {name: self.find(str(name)) for name in typed.unique()}
        return pd.DataFrame([found[name] for name in typed], columns=["id", "how"], index=typed.index)


def decide(keys: set[str], how: str) -> tuple[str | None, str]:
    """The only key and how it was found; none where there are several."""
    return (next(iter(keys)), how) if len(keys) == 1 else (None, "ambiguous")


def town_reader(item: Item, towns: Matcher, codes: Mapping[str, int]) -> Reader:
    """Reads a town's name, as people write it, as its code."""
    own = option_reader(item)

    def read(text: str) -> tuple[float, int, bool]:
        value, state, _ = own(text)
        if state != UNKNOWN:
            return value, state, False
        town, how = towns.find(text)
        if town is None or town not in codes:
            return np.nan, TOWN_AMBIGUOUS if how == "ambiguous" else TOWN_UNKNOWN, False
        return float(codes[town]), ANSWERED, how == "repaired"

    return read
