"""Another county for the tests: 26 other towns, other file forms and headers, other dirt, another report; nothing is tuned to it."""

import csv
import io
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd

from demo_county.truths import Truths, house_truths
from demo_county.write import build_demo
from huying.ledgers import TABLES
from huying.store import write_bytes

REPORTS = Path(__file__).parents[1] / "data" / "reports"
STEMS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地元黄"


def renamed(value: Any, ids: dict[str, str]) -> Any:
    """`value` with the towns of the demo county called by other ids, wherever it speaks of them."""
    if isinstance(value, Mapping):
        return {renamed(key, ids): renamed(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


def other_truths(seed: int) -> Truths:
    """26 towns whose values are drawn anew around those of the demo county; none bears a planted feature."""
    rng, plan = np.random.default_rng(seed), house_truths()
    towns = plan.towns.iloc[rng.integers(1, len(plan.towns), len(STEMS))].reset_index(drop=True)
    ids = [f"V{n:03d}" for n in range(1, len(towns) + 1)]
    kind = np.where(np.arange(len(towns)) % 5 == 0, "street", "town")
    kind[3] = "pilot"
    shift = {"true_aware": 0.06, "true_first_old": 0.06, "true_PRI": 0.08, "call_propensity": 0.1}
    moved = {
        name: np.clip(towns[name] + rng.normal(0, sd, len(towns)), 0.05, 0.95).round(3) for name, sd in shift.items()
    }
    filled = {name: towns[name].fillna(0.9) for name in ("p_resp_2wd", "p_close_5wd")} | {
        "p_consulted": towns["p_consulted"].fillna(0.3)
    }
    names = {"name_zh": [f"{stem}样{'街道' if k == 'street' else '镇'}" for stem, k in zip(STEMS, kind, strict=True)],
             "name_en": [f"{letter} Sample {'Subdistrict' if k == 'street' else 'Town'}"
                         for letter, k in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", kind, strict=True)]}  # fmt: skip
    towns = towns.assign(
        town_id=ids, type=kind, n_resident=40, n_staff=12, planted_feature="-", **names, **filled, **moved
    )
    own = towns[["town_id", "n_resident", "n_staff", "true_aware", "true_first_old", "true_PRI"]]
    days = {2023: ("2023-09-04", "2023-10-20"), 2024: ("2024-09-09", "2024-10-25")}
    waves = pd.concat([own.assign(wave=wave, field_from=first, field_to=last, share_of_villages_kept=1.0)
                       for wave, (first, last) in days.items()], ignore_index=True)  # fmt: skip
    features = renamed(plan.features, dict(zip(plan.towns["town_id"], ids[4:], strict=False)))
    wrong = {**features["dirt"]["typo"], "wrong": "未样镇镇"}
    features = {**features, "aliases": {ids[8]: "老样乡"}, "dirt": {**features["dirt"], "typo": wrong}}
    return replace(plan, towns=towns, waves=waves[list(plan.waves.columns)], features=features)


def texts(content: bytes) -> list[list[str]]:
    """The cells of a demo CSV as text."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding))))
        except UnicodeDecodeError:
            continue
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"))))


def as_csv(rows: list[list[str]], encoding: str, sep: str = ",") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=sep, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode(encoding)


def as_xlsx(rows: list[list[str]], title: str = "") -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in ([[title]] if title else []) + rows:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def reworked(table: str, rows: list[list[str]], turn: int) -> tuple[str, bytes, str]:
    """A ledger in another form: ending, bytes, and the lines that county.toml then needs."""
    titles = {column.title.zh: column for column in TABLES[table].columns}
    head = [titles[name].title.en if name in titles else name for name in rows[0]]
    body = [
        [f" {cell}\u3000" if cell and k % 7 == 0 else cell for cell in row] for k, row in enumerate(rows[1:])
    ]  # blanks around
    if turn == 0:
        return "xlsx", as_xlsx([head, *body], f"{TABLES[table].title.zh}（2025年）"), "header_row = 2\n"
    if turn == 1:
        return "txt", as_csv([head, *body], "utf-16", "\t"), ""
    if turn == 2:
        return "csv", as_csv([head, *body], "gb18030"), ""
    first = titles.get(rows[0][0])
    own = [*(["自定列名"] if first else head[:1]), *head[1:]]
    return "csv", as_csv([own, *body], "utf-8-sig"), f'columns = {{ {first.name} = "自定列名" }}\n' if first else ""


def make_second(folder: Path, seed: int = 41) -> Path:
    """Write the county under `folder`; returns the folder that holds its county.toml."""
    bundle, _ = build_demo(seed, other_truths(seed))
    declared = tomllib.loads(bundle.files["county.toml"].decode())
    blocks = re.split(r"(?m)^(?=\[)", bundle.files["county.toml"].decode())
    head = "".join(block for block in blocks if not block.startswith(("[[survey]]", "[[ledger]]", "[report]")))
    for old, new in (
        ('id = "demo"', 'id = "second"'),
        ("示例县", "乙样县"),
        ("示例", "乙样"),
        ("Demo County", "Second Sample County"),
    ):
        head = head.replace(old, new)
    parts = [head, '[report]\nfile = "report.txt"\n']
    for survey in declared["survey"]:
        files = {}
        for key in ("text", "number", "file"):
            if name := survey.get(key):
                old, new = bundle.files[name], f"exports/{Path(name).name}"
                if key != "file" and name.endswith(".csv"):
                    old, new = as_xlsx(texts(old)), new.replace(".csv", ".xlsx")
                files[key] = new
                write_bytes(folder / new, old)
        lines = {**{key: survey[key] for key in ("form", "wave", "reader")}, **files}
        parts.append("[[survey]]\n" + "".join(f'{key} = "{value}"\n' for key, value in lines.items()))
    for turn, ledger in enumerate(declared["ledger"]):
        name, content = ledger["file"], bundle.files[ledger["file"]]
        period, stem = (f'period = "{ledger["period"]}"\n' if "period" in ledger else ""), Path(name).stem
        if name.endswith(".csv"):
            ending, content, more = reworked(ledger["table"], texts(content), turn % 4)
        else:
            ending, more = name.rpartition(".")[2], ""
        write_bytes(folder / "ledgers" / f"{stem}.{ending}", content)
        parts.append(f'[[ledger]]\ntable = "{ledger["table"]}"\nfile = "ledgers/{stem}.{ending}"\n{period}{more}')
    write_bytes(folder / "county.toml", "\n".join(parts).encode())
    shutil.copy(REPORTS / "report_b.txt", folder / "report.txt")
    return folder
