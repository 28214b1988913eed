"""How names, numbers, days and characters come to be written in many ways; refuses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from demo_county.draws import pick
from demo_county.truths import Ints, Truths
from huying.kinds import Choice, Day, Flag, Instant, Kind, Number
from huying.ledgers import Table

CHARACTERS, TOWNS = 0.03, 0.22  # shares of cells and of names that are written otherwise
DIGITS, TENS = "〇一二三四五六七八九", "十"
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code).isalnum()}


def as_written(table: Table, rows: pd.DataFrame, lang: str = "zh") -> pd.DataFrame:
    """`rows` as a county's office would write them: titles for headers, labels for codes, everything text."""
    wanted = [column for column in table.columns if column.name in rows]
    return pd.DataFrame({column.title(lang): cells_of(column.kind, rows[column.name]) for column in wanted})


def cells_of(kind: Kind, values: pd.Series) -> pd.Series:
    """Values of a kind as text; whoever reads them back by the kind has the values again."""
    values = values.map({True: "1", False: "0"}) if isinstance(kind, Flag) else values
    if isinstance(kind, Choice):
        return values.map({code: label.zh for code, label in kind.options.items()}).fillna("")
    if isinstance(kind, Instant):
        return values.dt.strftime("%Y-%m-%d" if isinstance(kind, Day) else "%Y-%m-%d %H:%M:%S").fillna("")
    if isinstance(kind, Number):
        return values.map(lambda value: "" if pd.isna(value) else f"{value:.10g}")
    return values.astype("string").fillna("").astype(str)


def in_chinese(n: int) -> str:
    """A number below 100 as it is written by hand: 42 is 四十二."""
    ten, one = divmod(n, 10)
    return f"{DIGITS[ten] if ten > 1 else ''}{TENS if ten else ''}{DIGITS[one] if one else ''}"


def disturb(
    text: pd.DataFrame, rng: np.random.Generator, spare: set[int], share: float = CHARACTERS
) -> list[tuple[int, str, str, str]]:
    """Full-width and invisible characters in `share` of the answered cells of `text` (in place); returns the key."""
    free = np.array([uid not in spare for uid in text.index])
    body = text.to_numpy(dtype=object)
    answered = np.array(
        [[isinstance(cell, str) and cell not in ("(跳过)", "(空)", "") for cell in row] for row in body]
    ).reshape(body.shape)
    rows, columns = np.nonzero(answered & free[:, None] & (rng.random(body.shape) < share))
    key = []
    for n, row, column in zip(rng.integers(0, 4, len(rows)).tolist(), rows.tolist(), columns.tolist(), strict=True):
        cell = body[row, column]
        wide = cell.translate(FULL_WIDTH)
        kind = ("full_width", "ideographic_space", "no_break_space", "zero_width")[
            0 if cell.isascii() else n if n or wide != cell else 1
        ]
        middle = len(cell) // 2
        body[row, column] = {"full_width": wide, "ideographic_space": f"\u3000{cell}", "no_break_space": f"{cell}\u00a0",
                             "zero_width": f"{cell[:middle]}\u200b{cell[middle:]}"}[kind]  # fmt: skip
        key.append((int(text.index[row]), kind, str(text.columns[column]), cell))
    text[:] = body
    return key


def vary_towns(
    town: Ints, truths: Truths, rng: np.random.Generator, share: float = TOWNS
) -> tuple[list[str], list[tuple[int, str]]]:
    """The towns' names as people write them, `share` of them otherwise than in the register; and (row, kind) of those."""
    names, kinds = truths.towns["name_zh"].to_numpy()[town], truths.towns["type"].to_numpy()[town]
    aliases = truths.towns["town_id"].map(truths.features["aliases"]).astype(object).fillna("").to_numpy()[town]
    out, key = list(names), []
    for row in np.flatnonzero(rng.random(len(town)) < share):
        name, street = names[row], kinds[row] == "street"
        stem = name.removesuffix("街道").removesuffix("镇")
        ways = {
            "office": name + rng.choice(["办事处", "党工委"] if street else ["政府", "党委", "人民政府"]),
            "stem": stem,
            "short": f"{stem}街办" if street else f"{stem}镇政府",
            "prefix": rng.choice(["示例县", "示例"]) + name,
            "space": f"{name[:2]}\u3000{name[2:]}",
            "bracket": f"{stem}({name[len(stem) :]})",
            "invisible": f"{name[:1]}\u200b{name[1:]} ",
        }
        if aliases[row]:
            ways["former"] = str(rng.choice(aliases[row].split("、")))
        kind = str(rng.choice(list(ways)))
        out[row] = str(ways[kind])
        key.append((int(row), f"town_{kind}"))
    return out, key


def mix_dates(moments: pd.Series, rng: np.random.Generator, hours: bool, native: bool = False) -> list[Any]:
    """Times as offices write them: in digits, in Chinese, with strokes, as Excel's serial days, or as cells of a workbook."""
    kind = pick(rng, [0, 1, 2, 3, 4], [0.55, 0.14, 0.14, 0.07, 0.10 if native else 1e-9], len(moments))
    out: list[Any] = []
    for n, at in zip(kind, moments, strict=True):
        if pd.isna(at):
            out.append("")
            continue
        clock = f" {at.hour}:{at.minute:02d}" if hours else ""
        serial = (at - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
        out.append((f"{at:%Y-%m-%d %H:%M:%S}" if hours else f"{at:%Y-%m-%d}", f"{at.year}年{at.month}月{at.day}日{clock}",
                    f"{at.year}/{at.month}/{at.day}{clock}", f"{serial:.6f}" if hours else f"{serial:.0f}", at.to_pydatetime())[n])  # fmt: skip
    return out
