"""Names of towns and departments as people type them, matched to the register; never guesses: what is not certain is left open."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from huying.kinds import clean_text

TYPE = re.compile(r"(?<=..)(民族乡|街道|镇|乡|苏木)$")  # of a name that two characters are left of
OFFICES = re.compile(r"(党工委|党委|人民政府|镇政府|乡政府|政府|办事处|街办|居委会)$")


def squeeze(name: str) -> str:
    """A name in NFKC, lower case, without blanks, brackets and quotation marks."""
    return re.sub(r"[\s()（）\[\]【】\"'“”·.,，、。]", "", clean_text(name)).casefold()


def without_office(name: str) -> str:
    """`name` without the office that stands after it: 甲镇人民政府 is 甲镇, 甲街道办事处 and 甲街办 are 甲街道."""
    if name.endswith("街办"):
        return name.removesuffix("街办") + "街道"
    if name.endswith(("镇政府", "乡政府")):
        return name.removesuffix("政府")
    return OFFICES.sub("", name) or name


def bare(name: str) -> str:
    """`name` without its trailing type (镇, 乡, 街道 …), unless nothing would be left of it."""
    return TYPE.sub("", name)


class Matcher:
    """Finds the id of a typed name among `names` (id to full name and aliases); `prefixes` may stand before a name."""

    def __init__(self, names: Mapping[str, Sequence[str]], prefixes: Iterable[str] = ()) -> None:
        self.prefixes = sorted((squeeze(prefix) for prefix in prefixes), key=len, reverse=True)
        self.ids = {squeeze(key): key for key in names}
        self.full: dict[str, set[str]] = defaultdict(set)
        self.stem: dict[str, set[str]] = defaultdict(set)
        for key, spellings in names.items():
            for spelling in filter(None, spellings):
                self.full[squeeze(spelling)].add(key)
                self.stem[bare(squeeze(spelling))].add(key)

    def find(self, typed: str) -> tuple[str | None, str]:
        """The id, and how it was found: `exact`, `repaired`, `ambiguous`, `unknown` or `blank`."""
        name = squeeze(typed)
        if not name:
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
