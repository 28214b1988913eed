"""The page: a folder that opens by double click, with a start page, and one page a claim, town and department, in each language."""

import base64
import html
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from huying import charts
from huying.deliver.content import Content
from huying.estimates import COUNTY
from huying.fonts import RARE, REGULAR
from huying.notebooks import font_for
from huying.store import file_part, told, whole_folder, write_csv
from huying.words import InputError, Place, all_words, say

HAN = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\u2e80-\u9fff\uff00-\uffef“”‘’·]*")
STYLE, SCRIPT = "page.css", "page.js"
FONTS = {"huying.woff": REGULAR, "huying_rare.woff": RARE}
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.S)
OF_CLAIM = ["claim", "place", "place_name", "part", "text", "when", "value", "interval", "n", "measure", "base"]
OF_CLAIM += ["verdict_word", "threshold", "caution", "certainty", "source", "estimate", "low", "high", "unit"]


def write_page(contents: Sequence[Content], folder: Path) -> Path:
    """Write the pages of a county, a content a language, into a folder of their own and return the page to open.

    A folder that an earlier page stands in is replaced as a whole; raises InputError for one with anything else in it.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "assets" / STYLE).is_file():
        raise InputError("page.not_a_page", Place(str(folder)))
    sites = [Site(content, [other.lang for other in contents]) for content in contents]
    pages = {name: text for site in sites for name, text in site.pages()}
    with whole_folder(folder) as made:
        for name, text in pages.items():
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_text(text, "utf-8", newline="\n")
        for site in sites:
            for claim, rows in site.content.said[[*OF_CLAIM]].groupby("claim", sort=False):
                named = rows.rename(columns={name: site.word(f"csv_{name}") for name in rows})
                write_csv(made / site.csv_of(str(claim)), named)
        write_assets(made / "assets", html.unescape("".join(TAGS.sub(" ", text) for text in pages.values())))
        put_aside(folder)
    return folder / "index.html"


def write_assets(folder: Path, text: str) -> None:
    """Style, script and the fonts, cut to the characters of a text."""
    folder.mkdir()
    for name in (STYLE, SCRIPT):
        (folder / name).write_bytes(files("huying").joinpath(f"deliver/templates/{name}").read_bytes())
    for name, font in FONTS.items():
        (folder / name).write_bytes(base64.b64decode(font_for(text, font)))


def put_aside(folder: Path) -> None:
    """Make room for a new folder of this name: the older one goes as a whole, or not at all."""
    if folder.exists():
        with told(folder):
            aside = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}.", dir=folder.parent))
            folder.replace(aside / "old")
            shutil.rmtree(aside, ignore_errors=True)


def inline(svg: str) -> Markup:
    """A picture as it may stand within a page: without its head, and with those ids alone that it refers to itself."""
    used = set(re.findall(r"#([\w.-]+)", svg))
    bare = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    return Markup(bare[bare.find("<svg") :])


@dataclass(frozen=True)
class Site:
    """The pages of a county in one language, of those that stand side by side; the first has the start page's usual name."""

    content: Content
    langs: Sequence[str]

    @cached_property
    def lang(self) -> str:
        return self.content.lang

    def word(self, key: str, **values: object) -> str:
        """A word of the page's own."""
        return say(f"page.{key}", self.lang, **values)

    def han(self, text: object) -> Markup:
        """A text, escaped; on an English page what is in Chinese says so."""
        if self.lang == "zh":
            return escape(text)
        pieces, at, told = [], 0, str(text)
        for found in HAN.finditer(told):
            pieces += [escape(told[at : found.start()]), Markup('<span lang="zh">{}</span>').format(found[0])]
            at = found.end()
        return Markup("").join([*pieces, escape(told[at:])])

    def filled(self, rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
        """The columns in which any row says something."""
        return [name for name in columns if name not in rows or rows[name].ne("").any()]

    def start_of(self, lang: str) -> str:
        """The file of the start page in a language."""
        return "index.html" if lang == self.langs[0] else f"index_{lang}.html"

    def csv_of(self, claim: str) -> str:
        return f"{self.lang}/claim_{file_part(claim)}.csv"

    @cached_property
    def templates(self) -> Environment:
        """The templates, in which every value is escaped and a missing one is an error."""
        how: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
        made = Environment(loader=PackageLoader("huying", "deliver/templates"), autoescape=True, **how)
        made.filters |= {"han": self.han, "part": file_part}
        made.globals |= {"site": self, "c": self.content, "w": self.word, "lang": self.lang, "COUNTY": COUNTY}
        return made

    def pages(self) -> Iterator[tuple[str, str]]:
        """Every page: its file and its text."""
        yield self.render("start", "", self.word("home"))
        for name in ("all", "quality", "method"):
            yield self.render(name, name, self.word(name))
        for claim, head in self.content.heads.iterrows():
            yield self.render("claim", f"claim_{file_part(str(claim))}", head["text"], **self.about(str(claim)))
        for kind, places in (("town", self.content.towns), ("department", self.content.departments)):
            for place in places:
                said, name = self.content.said, self.content.county.labels.place(place)
                about: dict[str, Any] = {"place": place, "rows": self.content.at(place), "kind": kind}
                about["parts"] = said[(said["place"] == place) & (said["part"] != "")]
                yield self.render("place", self.page_of(place), name, **about)

    def render(self, template: str, name: str, title: str, **values: Any) -> tuple[str, str]:
        """A page from its template; `name` without an ending, empty for the start page."""

        def to(name: str = "", lang: str = self.lang) -> str:
            return ("../" if here else "") + (f"{lang}/{name}.html" if name else self.start_of(lang))

        here = name
        file = f"{self.lang}/{name}.html" if name else self.start_of(self.lang)
        others = [(lang, to(name, lang), all_words()["page.this_language"](lang)) for lang in self.langs]
        told = {"to": to, "here": name, "title": title, "root": "../" if name else "", "others": others}
        return file, self.templates.get_template(f"{template}.html").render(**told, **values)

    def page_of(self, place: str) -> str:
        """The page of a town or department; of the county, the start page."""
        kind = "department" if place in self.content.departments else "town"
        return "" if place == COUNTY else f"{kind}_{file_part(place)}"

    def has_page(self, place: str) -> bool:
        return place in self.content.towns or place in self.content.departments

    def about(self, claim: str) -> dict[str, Any]:
        """What the page of a claim shows beside its headline: its chart, its places, other times, its parts, its neighbours."""
        content, order = self.content, list(self.content.heads.index)
        rows = content.said[content.said["claim"] == claim]
        now = content.latest[content.latest["claim"] == claim]
        is_county = rows["place"] == COUNTY
        drawn, nth = content.draw(claim), order.index(claim)
        return {
            "claim": claim,
            "head": content.heads.loc[claim],
            "svg": inline(charts.as_svg(drawn)) if drawn else "",
            "places": now,
            "earlier": rows[is_county & (rows["part"] == "") & ~rows.index.isin(now.index)],
            "parts": rows[is_county & (rows["part"] != "")],
            "quote": content.quote_of(claim),
            "beside": [
                (order[nth - 1] if nth else "", "previous"),
                (order[nth + 1] if nth + 1 < len(order) else "", "next"),
            ],
        }
