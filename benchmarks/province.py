"""Writes a made-up county of any number of towns from the demo's forms, drawn anew and renamed; refuses no number of towns.

python benchmarks/province.py FOLDER [TOWNS] [RESPONDENTS A TOWN]
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import Table, csv

from huying.codebook import house_codebook
from huying.sources.table import REPEAT, read_table
from huying.sources.wjx import MARKS, SERIAL, bind

DEMO = Path(__file__).parents[1] / "survey_data" / "demo" / "raw"
DETAIL, ITEMS = "来源详情", house_codebook().form("resident")
SIGNS, BATCH = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥", 100_000
KEPT = ("clock", "exclude", "thresholds", "bars")  # sections of the demo's declaration that any county may have
HEAD = """# 合成数据 SYNTHETIC: made from the forms of the demo county; no place in it exists.
[county]
id = "province"
name_zh = "样省"
name_en = "Sample Province"
is_synthetic = true
sampling = "probability"

[wave.2023]
from = 2023-05-08
to = 2023-06-02

[[survey]]
form = "resident"
wave = "2023"
reader = "wjx"
text = "residents.csv"

[[ledger]]
table = "towns"
file = "towns.csv"

[[ledger]]
table = "margins"
file = "margins.csv"

"""


def write_county(folder: Path, towns: int, each: int = 60, seed: int = 0) -> Path:
    """The county's folder with its register of towns, margins and one wave of `each` residents a town."""
    folder.mkdir(parents=True, exist_ok=True)
    forms, rng = read_table(DEMO / "residents_2023_text.csv", repeats=True).text, np.random.default_rng(seed)
    forms = forms[forms[DETAIL].str.fullmatch(r"village=T\d\dV\d\d(;interviewer=I\d{4})?")]
    register = read_table(DEMO / "towns.csv").text.set_index("镇街编号")
    of = forms[DETAIL].str[8:11]
    models = of.value_counts().loc[lambda n: n >= 40].index.sort_values()
    model = rng.choice(models, towns)
    names = made_names(register.loc[model, "类型"].to_numpy())
    write_registers(folder, register, model, names)
    write_forms(folder / "residents.csv", forms, model, names, each, rng)
    blocks = (DEMO.parent / "county.toml").read_text("utf-8").split("\n[")
    more = "".join(f"[{block}\n" for block in blocks if block.startswith(tuple(f"{name}]" for name in KEPT)))
    more = more.replace(
        "[thresholds]\n", "[thresholds]\nweight_bounds = [0.02, 50.0]  # one of 40,000 towns passes 0.1\n"
    )
    (folder / "county.toml").write_text(HEAD + more, "utf-8")
    return folder


def made_names(kinds: np.ndarray) -> pd.DataFrame:
    """Ids and names of as many towns as there are `kinds`, all different and plainly invented."""
    signs = map("".join, itertools.islice(itertools.product(SIGNS, repeat=4), len(kinds)))
    is_street, number = kinds == "街道", [f"{n:05d}" for n in range(1, len(kinds) + 1)]
    names = [f"样{sign}{'街道' if street else '镇'}" for sign, street in zip(signs, is_street, strict=True)]
    return pd.DataFrame({"镇街编号": "N" + pd.Series(number), "镇街名称": names, "英文名称": "Sample " + pd.Series(number),
                         "类型": np.where(is_street, "街道", "镇")})  # fmt: skip


def write_registers(folder: Path, register: pd.DataFrame, model: np.ndarray, names: pd.DataFrame) -> None:
    """The register of towns and the margins: each town has the numbers of the demo's town that it is drawn from."""
    numbers = register.loc[model, ["常住人口", "成年人口", "村(社区)数", "在册工作人员"]].reset_index(drop=True)
    pd.concat([names, numbers], axis=1).assign(曾用名和别名="").to_csv(folder / "towns.csv", index=False)
    margins = read_table(DEMO / "margins.csv").text.rename(columns={"镇街编号": "model"})
    own = names[["镇街编号"]].assign(model=model).merge(margins, on="model").drop(columns="model")
    own.to_csv(folder / "margins.csv", index=False)


def write_forms(
    path: Path, forms: pd.DataFrame, model: np.ndarray, names: pd.DataFrame, each: int, rng: np.random.Generator
) -> None:
    """The export: `each` forms of a town, drawn from its model's; a batch of towns at a time."""
    of = forms[DETAIL].str[8:11].to_numpy()
    at = {town: np.flatnonzero(of == town) for town in np.unique(model)}
    bound, _, _ = bind(forms, ITEMS, by_option=False)
    per_batch, options = max(1, BATCH // each), csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as stream:
        stream.write("\ufeff".encode() + ",".join(name.split(REPEAT)[0] for name in forms).encode() + b"\n")
        for first in range(0, len(model), per_batch):
            towns = np.arange(first, min(first + per_batch, len(model)))
            drawn = forms.iloc[np.concatenate([draw(at[model[town]], each, rng) for town in towns])]
            own = names.take(np.repeat(towns, each)).reset_index(drop=True)
            part = renewed(drawn.reset_index(drop=True), bound, own, first * each + 1, rng)
            csv.write_csv(Table.from_pandas(part, preserve_index=False), stream, options)


def draw(places: np.ndarray, each: int, rng: np.random.Generator) -> np.ndarray:
    """`each` of the places, half of them without repeating one: a sample too unlike its town could not be weighted."""
    return np.concatenate([np.resize(rng.permutation(places), each // 2), rng.choice(places, each - each // 2)])


def renewed(
    part: pd.DataFrame, bound: dict[str, str], own: pd.DataFrame, first: int, rng: np.random.Generator
) -> pd.DataFrame:
    """The forms with other numbers, times and answers in the matrices, from the towns `own`, so that none repeats another."""
    mixed = [bound[cell] for item in ITEMS if item.is_matrix and not item.asked_if for cell in item.cells]
    for cells in (part[name] for name in mixed):
        given = np.flatnonzero(~cells.isin(MARKS))
        part[cells.name] = cells.to_numpy(dtype=object)
        part.loc[given, cells.name] = cells.to_numpy(dtype=object)[rng.permutation(given)]
    sent = pd.Timestamp("2023-05-08 08:00") + pd.to_timedelta(rng.integers(0, 25 * 86_400, len(part)), unit="s")
    part[SERIAL] = np.arange(first, first + len(part)).astype(str)
    part["提交答卷时间"] = sent.strftime("%Y/%m/%d %H:%M:%S")
    part["所用时间"] = pd.Series(rng.integers(60, 900, len(part)).astype(str)) + "秒"
    ids, detail = own["镇街编号"], part[DETAIL]
    interviewer = (";interviewer=" + ids + "I" + detail.str[30:]).where(detail.str.len() > 30, "")
    part[DETAIL] = "village=" + ids + detail.str[11:14] + interviewer
    home = next(bound[item.id] for item in ITEMS if item.role == "town")
    part[home] = part[home].where(part[home].isin([*MARKS, "其他地方"]), own["镇街名称"])
    return part


if __name__ == "__main__":
    write_county(Path(sys.argv[1]), *map(int, sys.argv[2:]))
