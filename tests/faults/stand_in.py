"""A county of five jobs whose notebooks cost nothing: real site, shelf, plan and journal; stand-in hands instead of processes."""

import json
import os
from pathlib import Path

import pandas as pd

from huying.batch import receipts
from huying.batch.plan import Request
from huying.batch.receipts import RECEIPT
from huying.batch.site import Site
from huying.batch.work import Product
from huying.blocks import write_blocks
from huying.folder import read_county

receipts.VERSIONS = ("huying",)  # looking up the versions of packages is the dearest part of a job that costs nothing

TOWNS = ["T01", "T02", "T03", "T04"]
HEAD = """[county]
id = "small"
name_zh = "小县"
name_en = "Small County"
is_synthetic = true
sampling = "quota"

[wave.2023]
from = 2023-05-08
to = 2023-06-02
"""


def make_county(folder):
    """A declared county with a notebook beside it."""
    folder.mkdir(parents=True)
    (folder / "county.toml").write_text(HEAD, "utf-8")
    (folder / "calls.ipynb").write_text("{}", "utf-8")
    return read_county(folder)


def make_index(folder, shift):
    """The hashes of what a county of these towns has stored; another `shift`, other numbers everywhere."""
    places = [*TOWNS, "county"]
    write_blocks(folder, {"facts": pd.DataFrame({"place": places, "x": [n + shift for n in range(5)]})}, TOWNS)
    rows = pd.read_parquet(folder / "index.parquet")
    return dict(zip(zip(rows["name"], rows["place"], strict=True), rows["sha256"], strict=True))


def make_site(county, folder, index):
    """The county with its results under `folder`."""
    os.environ["HUYING_RESULTS"] = str(folder)
    site = Site(county)
    vars(site).update(index=index, notebooks=county.folder)
    assert site.folder and site.shelf
    return site


def requests(site):
    source = site.notebooks / "calls.ipynb"
    return [Request("calls", source, site.parameters(town, "2023", "en"), "code") for town in [*TOWNS, "county"]]


class Hands:
    """Does what a crew does, one order after another, from the hashes of what is stored; `ran` names the towns."""

    workers = 1

    def __init__(self, index):
        self.index, self.ran = index, []

    def rehearse(self, order):
        self.product(order)

    def end(self):
        pass

    def run(self, orders, done, begun=lambda n: None):
        for number, order in enumerate(orders):
            begun(number)
            self.ran.append(order.parameters["town"])
            done(number, self.product(order))

    def product(self, order):
        town = order.parameters["town"]
        reads = [("facts", town), ("facts", "#county")]
        text = "".join(f"{town} {read} {self.index[read]}\n" for read in reads)
        files = {f"chart{n}_{town}.svg": f"<svg>{n} {text}</svg>".encode() for n in range(2)}
        return Product(notebook=text.encode(), files=files, reads=reads)


def plain(site):
    """Every file that a reader finds by its plain name or beside it, and its bytes."""
    folders = (site.shelf.notebooks, site.shelf.figures)
    return {str(file.relative_to(folder)): file.read_bytes() for folder in folders for file in folder.rglob("*")}


def shelved(folder):
    """The files of a job's folder; of the receipt only what does not depend on the clock."""
    found = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    said = json.loads(found.pop(RECEIPT))
    outputs = {name: (one["sha256"], one["bytes"]) for name, one in said["outputs"].items()}
    return found | {RECEIPT: (said["job"], said["key"], said["code"], said["reads"], outputs)}
