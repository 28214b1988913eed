"""The notebooks of a project and what each declares of itself; refuses one that takes no parameters.

A finished one becomes an HTML page that needs nothing else: no code, one language, contents, font and pictures inside.
"""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import mistune
from fontTools import subset
from fontTools.ttLib import TTFont

from huying.fonts import RARE, REGULAR
from huying.store import hash_of
from huying.words import CountyError, InputError, Place, all_words

RECORDS, READS = "records", "reads"
KEPT = ("parameters", "status", "exception")  # of what papermill notes in a notebook
DECLARED = re.compile(r'^ +"huying": \{', re.M)  # in a notebook's metadata


@dataclass(frozen=True)
class Notebook:
    """A notebook as its metadata declare it: `all` places or the `county`, and what it has to do with the evidence ledger."""

    file: Path
    hash: str  # of its cells and metadata, what they gave apart
    places: str = "all"
    evidence: str = ""
    needs: tuple[str, ...] = ()  # any of these the county must have, or there is nothing to say

    @property
    def name(self) -> str:
        return self.file.stem


def read_notebook(file: Path) -> Notebook:
    """What a notebook's metadata say; raises InputError where it is none or takes no parameters."""
    try:
        raw = json.loads(file.read_text("utf-8"))
        cells = [[c["cell_type"], c.get("id", ""), "".join(c["source"]), c["metadata"]] for c in raw["cells"]]
        declared = raw["metadata"].get("huying", {})
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("batch.not_a_notebook", Place(file.name)) from error
    tagged = [text for _, _, text, metadata in cells if "parameters" in metadata.get("tags", [])]
    if not tagged:
        raise InputError("batch.no_parameters", Place(file.name))
    known = re.findall(r"^(\w+)\s*(?::[^=]+)?=", tagged[0], re.M)
    for name in (name for name in ("county", "town", "wave", "lang") if name not in known):
        raise InputError("batch.no_parameter", Place(file.name), name=name, known=", ".join(known))
    made, needs = hash_of([json.dumps([cells, raw["metadata"]], sort_keys=True)]), tuple(declared.get("needs", ()))
    return Notebook(file, made, declared.get("places", "all"), declared.get("evidence", ""), needs)


def notebooks_folder(county: Path) -> Path:
    """The folder of notebooks: beside `survey_data/`, in a folder above, or here; raises CountyError."""
    for above in [*county.resolve().parents, Path.cwd(), *Path.cwd().parents]:
        if any((above / "notebooks").glob("*.ipynb")):
            return above / "notebooks"
    raise CountyError("batch.no_notebooks", place=str(Path.cwd()))


def find_notebooks(folder: Path, wanted: Sequence[str] | None = None) -> list[Notebook]:
    """The notebooks that declare themselves, or those wanted by name or its beginning; raises CountyError."""
    files = {file.stem: file for file in sorted(folder.glob("*.ipynb"))}
    if wanted is None:
        return [read_notebook(file) for file in files.values() if DECLARED.search(file.read_text("utf-8"))]
    found: dict[str, Notebook] = {}
    for want in wanted:
        names = [name for name in files if name == want or name.startswith(f"{want}_")]
        if not names:
            raise CountyError("batch.no_notebook", name=want, known=", ".join(files))
        found |= {name: read_notebook(files[name]) for name in names}
    return list(found.values())


def strip(made: Path) -> None:
    """Take out of a notebook what differs from run to run: papermill's times and paths, and the id it draws for its cell."""
    raw = json.loads(made.read_text("utf-8"))
    for part in (raw, *raw["cells"]):
        told = part["metadata"].get("papermill", {})
        part["metadata"]["papermill"] = {name: told[name] for name in KEPT if name in told}
        part |= {"id": "injected-parameters"} if "injected-parameters" in part["metadata"].get("tags", ()) else {}
    made.write_text(json.dumps(raw, ensure_ascii=False, indent=1) + "\n", "utf-8")


# --- a finished notebook as a page ------------------------------------------------------------------------------------

HAN = re.compile("[\u3400-\u9fff]")
_TWO = re.compile(r"(?:#+ )?(?P<zh>.*[\u3400-\u9fff][^A-Za-z]*?)\s+(?P<en>[A-Za-z][^\u3400-\u9fff]*)")
_SILENT = re.compile(r"<h3>[^<]*</h3>\s*(?:<p>(?:(?!</p>).)*</p>\s*)*(?=<h[23]>)", re.S)  # its cells show nothing
_STYLE = """@font-face{font-family:"Huying";src:url(data:font/woff;base64,{font}) format("woff")}
@font-face{font-family:"HuyingRare";src:url(data:font/woff;base64,{rare}) format("woff")}
body{font:16px/1.6 "Huying","HuyingRare",sans-serif;max-width:60rem;margin:auto;padding:1rem;color:#111;overflow-wrap:anywhere}
h1,h2,h3{line-height:1.3}nav{border-left:4px solid #0072B2;padding-left:1rem}nav a{display:block;color:#005a8e}
nav .h3{padding-left:1rem}.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}
th,td{padding:.25rem .6rem;border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:normal}
td{white-space:nowrap}img{width:100%;min-width:36rem;max-width:50rem;height:auto}pre{white-space:pre-wrap;font:inherit;background:#f5f5f5;padding:.5rem}
.failed{border-left:4px solid #D55E00}"""


def page(notebook: Path, lang: str) -> str:
    """The page of an executed notebook in one of its languages."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    body = _SILENT.sub("", "\n".join(part for cell in cells for part in parts_of(cell, lang)))
    body = re.sub(r"<h2>[^<]*</h2>\s*(?=<h2>)", "", body)
    heading = re.compile(r"<h([1-3])>(.*?)</h\1>", re.S)
    contents, ids = heading.findall(body), iter(range(len(body)))
    body = heading.sub(lambda found: f'<h{found[1]} id="c{next(ids)}">{found[2]}</h{found[1]}>', body)
    title = contents[0][1] if contents else html.escape(notebook.stem)
    links = "".join(f'<a class="h{at}" href="#c{n}">{text}</a>' for n, (at, text) in enumerate(contents) if at != "1")
    head, end, rest = body.partition("</h1>")
    head, rest = (head + end, rest) if end else ("", head)
    text = html.unescape(re.sub(r'(?:src|id)="[^"]*"|<style.*?</style>', "", body))
    style = _STYLE.replace("{font}", font_for(text, REGULAR)).replace("{rare}", font_for(text, RARE))
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{style}</style></head>\n<body><main>{head}<nav>{links}</nav>{rest}</main></body></html>\n"
    )


def parts_of(cell: Mapping[str, Any], lang: str) -> Iterator[str]:
    """The pieces of HTML that a cell gives."""
    if cell["cell_type"] == "markdown":
        yield str(mistune.create_markdown(plugins=["table"])(one_language("".join(cell["source"]), lang)))
    for output in cell.get("outputs", ()):
        yield from shown(output)


def shown(output: Mapping[str, Any]) -> Iterator[str]:
    """An output in the richest form that it has."""
    told = output.get("data", {})
    data = {kind: "".join(told[kind]) for kind in ("image/png", "text/html", "text/plain") if kind in told}
    if data.get("text/plain") in all_words()["labels.no_rows"]:
        return
    if "image/png" in data:
        alt = output.get("metadata", {}).get("image/png", {}).get("alt", "") or data.get("text/plain", "")
        yield f'<div class="wide" tabindex="0"><img alt="{html.escape(alt)}" src="data:image/png;base64,{data["image/png"].strip()}"></div>'
    elif "text/html" in data:
        yield f'<div class="wide" tabindex="0">{data["text/html"]}</div>'
    elif output["output_type"] == "error":
        yield f'<pre class="failed">{html.escape(output["ename"])}: {html.escape(output["evalue"])}</pre>'
    else:
        text = data.get("text/plain") or "".join(output.get("text", ""))
        if text and not re.fullmatch(r"<[\w.]+[^>]*>", text.strip()):  # the name of an object, such as <Axes: …>
            yield f"<pre>{html.escape(text)}</pre>"


def one_language(text: str, lang: str) -> str:
    """The blocks of a text cell that are in one language, of a heading in two its half; all where none is in it."""
    blocks, kept = re.split(r"\n\s*\n|\n(?=#)", text), []
    for block in blocks:
        if block.startswith("#") and (half := _TWO.fullmatch(block)):
            kept.append(f"{block[: block.index(' ')]} {half[lang]}")
        elif (len(HAN.findall(block)) * 5 > len(re.findall(r"\w", block))) == (lang == "zh"):
            kept.append(block)
    return "\n\n".join(kept or blocks)


def font_for(text: str, file: Path) -> str:
    """A font that charts are drawn with, cut to the characters of a text and one of its own (no browser reads an empty one), as base64."""
    made, out = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True, hinting=False)), BytesIO()
    with TTFont(file, lazy=True, recalcTimestamp=False) as font:
        made.populate(text=text, unicodes=[min(font.getBestCmap())])
        made.subset(font)
        font.flavor = "woff"
        font.save(out)
    return base64.b64encode(out.getvalue()).decode()
