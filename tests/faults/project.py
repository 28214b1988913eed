"""A real project of one county and one cheap notebook, run by the command line; its outputs, and who works on it."""

import csv
import os
import shutil
import subprocess
import sys

import nbformat
import psutil
from stand_in import HEAD, plain

from huying.batch.outputs import faults_of
from huying.batch.receipts import standing, stored
from huying.batch.site import EVERY_PLACE, Site
from huying.folder import read_county

MARK = "HUYING_TEST_MARK"
REGISTER = '[[ledger]]\ntable = "towns"\nfile = "towns.csv"\n'
HEADER = (
    "镇街编号",
    "镇街名称",
    "英文名称",
    "类型",
    "常住人口",
    "成年人口",
    "村(社区)数",
    "在册工作人员",
    "曾用名和别名",
)
CELLS = (
    'county = "small"\ntown = "T01"\nwave = "2023"\nlang = "zh"',
    "from huying.reading import open_place\nhere = open_place(county, town, wave, lang)",
    "print('{round}', here.heading())",
    "import io\nimport matplotlib.pyplot as plt\nfigure, axes = plt.subplots(figsize=(1, 1))\naxes.set_title(town)",
    "picture = io.BytesIO()\nfigure.savefig(picture, format='png')",
    "from pathlib import Path\nfrom huying.store import write_bytes\nwrite_bytes(Path(f'chart_{{town}}.png'), picture.getvalue())",
    "write_bytes(Path(f'chart_{{town}}.svg'), f'<svg>{round} {{here.heading()}}</svg>'.encode())",
)


class Project:
    """The project under a folder; `turn` puts a number into its notebook, so that everything becomes stale."""

    def __init__(self, folder, n_towns=18):
        self.folder, self.county_folder, self.round = folder, folder / "survey_data" / "small", 0
        self.county_folder.mkdir(parents=True)
        (folder / "notebooks").mkdir()
        with (self.county_folder / "towns.csv").open("w", encoding="utf-8-sig", newline="") as file:
            towns = [(f"T{n:02d}", f"第{n}镇", f"Town {n}", "镇", 900, 800, 9, 9, "") for n in range(1, n_towns + 1)]
            csv.writer(file).writerows([HEADER, *towns])
        (self.county_folder / "county.toml").write_text(HEAD + REGISTER, "utf-8")
        self.turn(0)

    @property
    def site(self):
        return Site(read_county(self.county_folder))

    def turn(self, number):
        """Write the notebook anew."""
        self.round, made = number, nbformat.v4.new_notebook()
        made.cells = [
            nbformat.v4.new_code_cell(cell.format(round=self.name), id=f"c{n}") for n, cell in enumerate(CELLS)
        ]
        made.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(made, self.folder / "notebooks" / f"{EVERY_PLACE[0]}.ipynb")

    @property
    def name(self):
        return f"round-{self.round:04d}"

    def empty(self):
        """Take all outputs away."""
        for kind in ("results", "figures"):
            shutil.rmtree(self.folder / kind, ignore_errors=True)

    def start(self):
        """`huying run` as a process of its own."""
        with (self.folder / "said.txt").open("wb") as said:
            return self.start_python("-m", "huying", "run", str(self.county_folder), "--notebooks", "01", "--lang", "en",
                                     stdout=said, stderr=said)  # fmt: skip

    def start_python(self, *command, **streams):
        """A process of this project, known by its environment."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("HUYING_")}
        environ = own | {MARK: str(self.folder)}
        return subprocess.Popen([sys.executable, *command], cwd=self.folder, env=environ, **streams)

    def said(self):
        return (self.folder / "said.txt").read_text("utf-8")

    def finish(self):
        """`huying run` to its end; returns its exit code."""
        return self.start().wait(timeout=300)

    def alive(self):
        """The processes of this project, whoever their parent is now."""
        return [process for process in psutil.process_iter() if self.is_ours(process)]

    def is_ours(self, process):
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == str(self.folder)
        except psutil.Error:
            return False

    def events(self, name):
        """The jobs of these events since the last batch began."""
        events = self.site.journal.events()
        last = max((n for n, event in enumerate(events) if event["event"] == "begin"), default=0)
        return [event["job"] for event in events[last:] if event["event"] == name]

    def plain(self):
        """What a reader finds, with the name of this round as that of round 0."""
        return {name: text.replace(self.name.encode(), b"round-0000") for name, text in plain(self.site).items()}

    def whole(self):
        """The keys of each job that lie whole on the shelf."""
        shelf = self.site.shelf
        return {
            job.name: {one.key for one in stored(shelf, job.name) if standing(job / one.key)}
            for job in shelf.built.glob("*")
        }

    def keys(self):
        """The key that each job's pointer names."""
        return {
            job.name: (job / "current").read_text("utf-8")
            for job in self.site.shelf.built.glob("*")
            if (job / "current").is_file()
        }

    def faults(self):
        """Outputs that are not as the receipts say, every byte hashed."""
        return {name: found for name in self.keys() if (found := faults_of(self.site.shelf, name))}


def stage_of(process):
    """The warm process of a run, None where it has none now."""
    with_stage = [child for child in process.children() if "huying.batch.stage" in child.cmdline()]
    return with_stage[0] if with_stage else None


def children_of(process):
    """The forked children at work."""
    stage = stage_of(process)
    return stage.children() if stage else []


def half_of(project, clean, old):
    """Plain files that are neither of this round nor of the one before; names of failed notebooks apart."""
    shelf = project.site.shelf
    found = {
        file.name: file.read_bytes() for folder in (shelf.notebooks, shelf.figures) for file in folder.glob("[!.]*")
    }
    rounds = [name.encode() for name in (project.name, old)]
    return [name for name, text in found.items() if not name.endswith(".failed.ipynb")
            and clean[name] not in [text.replace(one, b"round-0000") for one in rounds]]  # fmt: skip
