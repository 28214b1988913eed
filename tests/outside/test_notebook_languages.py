"""The executed notebooks of the county and their pictures keep one language: tables and sentences, cell by cell. Run by `make outside`."""

import json
import re
import tomllib
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from delivered import DATA, DEMO, RESULTS

TERMS = [
    line
    for name in ("latin_terms.txt", "latin_terms_tables.txt")
    for line in (Path(__file__).parents[1] / "data" / name).read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
FIGURES = (
    RESULTS.parent / "figures" / "demo"
    if (RESULTS.parent / "figures").is_dir()
    else RESULTS.parents[1] / "figures" / "demo"
)
NOTEBOOKS = sorted((RESULTS / "notebooks").glob("*_county_*.ipynb"))
SVG = "{http://www.w3.org/2000/svg}"
WORD, HAN = re.compile(r"[A-Za-z][A-Za-z_\d.-]*[A-Za-z\d_]|[A-Za-z]"), re.compile("[\u4e00-\u9fff]+")
SYNTHETIC = "合成数据 SYNTHETIC"


class Cells(HTMLParser):
    """The texts of a table's cells."""

    def __init__(self, content):
        super().__init__()
        self.found, self.is_style = [], False
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.is_style = tag == "style"

    def handle_data(self, data):
        self.found += [data] * (not self.is_style and bool(data.strip()))


def shown(notebook):
    """Every text that a person sees in the outputs of the code cells, with the cell's source; frames that pandas prints by itself are code."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        for output in cell.get("outputs", ()):
            data, text = output.get("data", {}), "".join(output.get("text", ""))
            if "text/html" in data:
                page = "".join(data["text/html"])
                texts = [] if 'class="dataframe"' in page else Cells(page).found
            else:
                plain = "".join(data.get("text/plain", "")) + text
                texts = [] if re.search(r"\ndtype: |^<|Image object", plain) else plain.splitlines()
            yield from ((source, one) for one in texts)


def users_words():
    """What the county itself wrote: its report and its files, and the columns of its questionnaire as rules name them."""
    books = [zipfile.ZipFile(file) for file in (DEMO / "raw").glob("*.xlsx")]
    texts = [
        book.read(name).decode()
        for book in books
        for name in book.namelist()
        if re.search(r"sharedStrings|sheet\d", name)
    ]
    files = [DEMO / "report.txt", *(DEMO / "raw").glob("*.csv"), DEMO / "county.toml"]
    return "\n".join(texts) + "\n".join(file.read_bytes().decode("gb18030" if file.read_bytes()[:3] != b"\xef\xbb\xbf" and file.suffix == ".csv" else "utf-8-sig", "replace") for file in files)  # fmt: skip


def names_in_code():
    """Columns and keys that a rule may name: those of the codebook and of derived variables."""
    found = set[str]()
    for name in ("codebook.toml", "indicators.toml"):
        found |= set(re.findall(r"\w+", (DATA / name).read_text("utf-8")))
    return found


def foreign(lang, text, names=frozenset()):
    """The words of the other language in a text."""
    text = text.replace(SYNTHETIC, "")
    if lang == "en":
        return HAN.findall(text)
    return [
        word for word in WORD.findall(text) if word not in names and not any(re.fullmatch(one, word) for one in TERMS)
    ]


def test_there_are_notebooks_in_both_languages():
    assert {path.stem.rpartition("_")[2] for path in NOTEBOOKS} == {"zh", "en"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_tables_and_sentences_keep_one_language(path):
    lang, own, wrong = path.stem.rpartition("_")[2], users_words(), []
    for source, text in shown(path):
        is_rule = (
            ".define" in source or "questions()" in source or "codebook" in source
        )  # names of columns, shown as code
        is_rule = is_rule or "; base: " in text  # a rule as it is declared
        in_code = (
            {path.stem[3:].partition("_county")[0] for path in NOTEBOOKS}
            | set(re.findall(r"\w+", source))
            | (names_in_code() if is_rule else set())
        )
        in_code |= {"effective", "within", "promise", "visit", "satisfied"} if "; base: " in text else set()
        words = [word for word in foreign(lang, text, in_code) if word not in own]
        wrong += [(words, text[:90])] * bool(words)
    assert not wrong, (len(wrong), wrong[:12])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures_keep_one_language(lang):
    """The texts of the pictures as SVG: HUYING_FORMATS=png,svg has the run write them."""
    own, wrong, files = users_words(), [], sorted(FIGURES.glob(f"*_county_*_{lang}.svg"))
    assert files, f"no svg in {FIGURES}: HUYING_FORMATS=png,svg python -m huying run demo --towns county --lang zh en"
    for file in files:
        said = ["".join(text.itertext()) for text in ElementTree.parse(file).iter(f"{SVG}text")]
        wrong += [
            (file.name, text, words)
            for text in said
            if (words := [word for word in foreign(lang, text) if word not in own])
        ]
    assert not wrong, (len(wrong), wrong[:12])


def test_a_foreign_word_is_found():
    assert foreign("zh", "日常仍用原站所 mainly_old 44.0%（n=54）P16") == ["mainly_old"] and foreign(
        "en", "share of 居民"
    ) == ["居民"]
    assert tomllib.loads((DATA / "codebook.toml").read_text("utf-8"))["item"] and "mainly_old" in names_in_code()
