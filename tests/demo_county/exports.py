"""Answers and ledgers as the files that platforms and offices hand out: wjx pairs, CSV in four encodings, xlsx, sav; refuses nothing."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat

from huying.codebook import Item

FILLED_IN = (
    "亲友转告的",
    "村里开会说的",
    "快递站(村口)张贴",
    "家里老人、邻居",
    "宣传单┋大篷车",
    "代办点",
    "朋友圈",
    "合作社",
    "物业(小区)",
    "乡贤理事会、商会",
)
META = ("序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", "微信昵称")
EPOCH = dt.datetime(2023, 6, 5, 9, 0, 0)
Asked = dict[str, Any]


def render(
    items: tuple[Item, ...], answers: pd.DataFrame, asked: Asked, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The answers as a text export (a column a cell) and as a number export (a column a variable): −3 skipped, −2 blank."""
    text, number = {}, {}
    for item in items:
        place = {option.code: str(k) for k, option in enumerate(item.options, 1)}
        words = {option.code: option.text.zh for option in item.options}
        if item.type == "multi":
            table = answers[list(item.variables)].to_numpy(dtype=float)
            none = ~(np.nan_to_num(table) > 0).any(axis=1)
            skipped = none & ~asked[item.id]
            labels = [_options(item, words, option.code, len(answers), rng) for option in item.options]
            joined = [
                "┋".join(label[n] for label, on in zip(labels, row, strict=True) if on > 0)
                for n, row in enumerate(table)
            ]
            text[item.id] = np.where(skipped, "(跳过)", np.where(none, "(空)", np.array(joined, dtype=object)))
            for k, name in enumerate(item.variables):
                number[name] = np.where(
                    skipped, "-3", np.where(none, "-2", np.where(np.nan_to_num(table[:, k]) > 0, "1", "0"))
                )
            continue
        for cell in item.cells:
            raw, gone = answers[cell], answers[cell].isna().to_numpy()
            if item.type == "text":
                gone = gone | (raw == "").to_numpy()
                said = coded = raw.to_numpy(dtype=object)
            elif item.options:
                said = raw.map(words).to_numpy(dtype=object)
                for code in item.fill_in:
                    said = np.where(raw == code, _options(item, words, code, len(answers), rng), said)
                coded = raw.map(place).to_numpy(dtype=object)
            else:
                said = coded = raw.fillna(0).astype(int).astype(str).to_numpy(dtype=object)
            text[cell] = np.where(gone, np.where(asked[cell], "(空)", "(跳过)"), said)
            number[cell] = np.where(gone, np.where(asked[cell], "-2", "-3"), coded)
    return pd.DataFrame(text, index=answers.index), pd.DataFrame(number, index=answers.index)


def _options(item: Item, words: dict[int, str], code: int, n: int, rng: np.random.Generator) -> Any:
    if code not in item.fill_in:
        return np.full(n, words[code], dtype=object)
    return np.array([f"{words[code]}〖{said}〗" for said in rng.choice(FILLED_IN, n)], dtype=object)


def headers(items: tuple[Item, ...], number: bool, split: str = "{n}、({option})") -> list[str]:
    """The questions as wjx heads its columns: a matrix names the question once, a number export splits a multiple choice."""
    out = []
    for n, item in enumerate(items, 1):
        blank = " " if n % 9 == 0 else ""  # the platform leaves such blanks where a designer typed them
        if item.is_matrix:
            titles = [title.zh for _, title in item.rows]
            out += [f"{n}、{item.text.zh}—{titles[0]}{blank}", *titles[1:]]
        elif item.type == "multi" and number:
            out += [split.format(n=n, option=option.text.zh) for option in item.options]
        else:
            out.append(f"{n}、{item.text.zh}{blank}")
    return out


def csv_bytes(
    head: list[str], rows: pd.DataFrame, encoding: str = "utf-8-sig", sep: str = ",", foreign: tuple[int, ...] = ()
) -> bytes:
    """A delimited file; the lines `foreign` (counted from 1) are written in GB18030 whatever the rest is written in."""
    buffer = io.StringIO(newline="")
    rows.set_axis(head, axis=1).to_csv(buffer, index=False, sep=sep, lineterminator="\r\n")
    if not foreign:
        return buffer.getvalue().encode(encoding)
    lines = buffer.getvalue().encode(encoding).split(b"\r\n")
    for n in foreign:
        lines[n - 1] = lines[n - 1].decode("utf-8").encode("gb18030")
    return b"\r\n".join(lines)


def xlsx_bytes(head: list[str], rows: pd.DataFrame, sheet: str = "Sheet1") -> bytes:
    """A workbook of one sheet with fixed dates, so that the same rows give the same bytes."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet)
    for row in (head, *rows.itertuples(index=False, name=None)):
        page.append(row)
    book.properties.created = book.properties.modified = EPOCH
    raw, out = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _fixed_core(content)
            info = zipfile.ZipInfo(name, (2023, 6, 5, 9, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return out.getvalue()


def _fixed_core(content: bytes) -> bytes:
    """openpyxl stamps the time of saving over `modified`."""
    start, end = content.find(b">", content.find(b"<dcterms:modified")) + 1, content.find(b"</dcterms:modified>")
    return content[:start] + EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + content[end:]


def sav_bytes(items: tuple[Item, ...], answers: pd.DataFrame, head: pd.DataFrame) -> bytes:
    """An SPSS file with value labels and user-missing codes, 0/1 variables for multiple choices; its date is fixed."""
    frame, labels, missing = head.copy(), {}, {}
    titles = {"index": "序号", "submittime": "提交答卷时间", "totalseconds": "所用时间", "town": "所在镇街(手填)"}
    for item in items:
        rows = {f"{item.id}_{row}": title.zh for row, title in item.rows}
        for name in item.variables:
            frame[name] = answers[name].fillna("").astype(str) if item.type == "text" else answers[name].astype(float)
            titles[name] = f"{item.text.zh}—{rows[name]}" if name in rows else item.text.zh
            if item.type == "multi":
                labels[name] = {0: "未选", 1: next(o.text.zh for o in item.options if f"{item.id}_{o.code}" == name)}
            elif item.options or item.missing:
                labels[name] = {o.code: o.text.zh for o in item.options} or dict.fromkeys(item.missing, "不清楚")
            if item.missing:
                missing[name] = [float(code) for code in item.missing]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "staff.sav"
        pyreadstat.write_sav(frame, str(path), column_labels=[titles[str(name)] for name in frame], variable_value_labels=labels,
                             missing_ranges=missing, row_compress=True)  # fmt: skip
        content = bytearray(path.read_bytes())
    content[92:109] = b"05 Jun 2309:00:00"  # date and time of creation stand there in every .sav header
    return bytes(content)
