"""The survey exports of the demo county: residents in four kinds of file, staff in SPSS, two small forms; refuses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from demo_county import dirt
from demo_county.bundle import Bundle
from demo_county.draws import obey
from demo_county.exports import META, csv_bytes, headers, render, sav_bytes, xlsx_bytes
from demo_county.population import Population
from demo_county.residents import answer_residents, draw_people
from demo_county.spelling import disturb
from demo_county.staff import draw_staff
from demo_county.truths import Ints, Truths

MARKS = ("(跳过)", "(空)")
WRITTEN = ("R03", "R26")
Pair = tuple[pd.DataFrame, pd.DataFrame]


def add_residents(bundle: Bundle, population: Population, villages: Ints, clones: bool) -> None:
    """One wave of residents: drawn, asked, spoilt, and exported as text and number."""
    truths, rng, items = population.truths, bundle.rng, population.truths.items("resident")
    people = draw_people(population, rng, villages, steady=True)
    forms = dirt.add_meta(answer_residents(population, people, rng), population, people, rng)
    asked = dirt.spoil_residents(forms, truths, items, rng, clones)
    pair = render(items, forms.answers, asked, rng)
    twins = {uid: int(true[4:]) for uid, kind, _, true in forms.key if "duplicate" in kind}
    _as_typed(forms, pair, twins)
    forms.key += [(uid, "base_weight", "", f"{weight:.6g}") for uid, weight in enumerate(people["base_weight"])]
    order = (
        forms.meta.assign(later=forms.meta.index.isin(list(twins))).sort_values(["at", "later"], kind="stable").index
    )
    for name, rows in _parts(truths, forms.meta.loc[order], population.wave).items():
        _add_pair(bundle, name, forms, rows, (pair[0].loc[rows].copy(), pair[1].loc[rows].copy()), twins)


def _as_typed(forms: dirt.Forms, pair: Pair, twins: dict[int, int]) -> None:
    """What was typed by hand stands in both exports, and what is sent twice is the same twice."""
    for frame in pair:
        frame.loc[list(twins)] = frame.loc[list(twins.values())].to_numpy()
    for column in {column for _, column in forms.typed} & set(pair[0]):
        said = {uid: said for (uid, own), said in forms.typed.items() if own == column}
        for frame in pair:
            frame.loc[list(said), column] = list(said.values())


def _parts(truths: Truths, meta: pd.DataFrame, wave: str) -> dict[str, Any]:
    """Which forms come in which file (name without ending): the first wave in four, the next in one."""
    planted, ids = truths.features["files"], truths.towns["town_id"].to_numpy()[meta["town"]]
    if wave != str(truths.waves["wave"].iloc[0]):
        return {f"residents_{wave}_book": meta.index}
    book = (truths.towns["type"] == planted["sheet_type"]).to_numpy()[meta["town"]]
    utf16, typed = np.isin(ids, planted["utf16"]), np.isin(ids, planted["typed"])
    parts = {"": ~(book | utf16 | typed), "_book": book, "_utf16": utf16, "_typed": typed}
    return {f"residents_{wave}{name}": meta.index[own] for name, own in parts.items() if own.any()}


def _add_pair(bundle: Bundle, name: str, forms: dirt.Forms, rows: Any, pair: Pair, twins: dict[int, int]) -> None:
    text, number = pair
    file = f"{name}_text.{_ending(name)}"
    if name.endswith("typed"):
        at_home = ~text["R01"].isin([*MARKS, "其他地方"]).to_numpy()
        town = np.where(at_home, forms.meta.loc[rows, "town"], -1)
        said = pd.Series(bundle.spell_towns(file, town, 2, 0.6), index=rows)
        said = pd.Series([said.get(twins.get(uid, uid), own) for uid, own in said.items()], index=rows)
        text["R01"] = said.where(at_home, text["R01"])
        number["R01"] = text["R01"].where(at_home | (text["R01"] == "其他地方").to_numpy(), number["R01"])
    spare = {*twins, *twins.values()}
    kept = text["R01"].copy()
    found = forms.key + disturb(text, bundle.rng, spare)
    if name.endswith("typed"):
        text["R01"], found = kept, [entry for entry in found if entry[2] != "R01"]
    for column in WRITTEN:
        number[column] = number[column].where(text[column].isin(MARKS), text[column])
    line = {uid: n for n, uid in enumerate(rows, 2)}
    bundle.key += [(file, line[uid], kind, column, f"row:{line[int(true[4:])]}" if str(true).startswith("uid:") else true)
                   for uid, kind, column, true in found if uid in line]  # fmt: skip
    head, items = _platform(forms, rows, name.endswith("utf16")), bundle.truths.items("resident")
    split = "第{n}题({option})" if name.endswith("book") else "{n}、({option})"
    for frame, coding in ((text, "text"), (number, "number")):
        titles = [*head.columns, *headers(items, coding == "number", split)]
        bundle.files[f"raw/{name}_{coding}.{_ending(name)}"] = _encode(name, titles, pd.concat([head, frame], axis=1))


def _ending(name: str) -> str:
    return "xlsx" if name.endswith("book") else "txt" if name.endswith("utf16") else "csv"


def _encode(name: str, titles: list[str], whole: pd.DataFrame) -> bytes:
    if name.endswith("book"):
        return xlsx_bytes(titles, whole)
    if name.endswith("utf16"):
        return b"\xff\xfe" + csv_bytes(titles, whole, "utf-16-le", "\t")
    return csv_bytes(titles, whole, "gb18030" if name.endswith("typed") else "utf-8-sig")


def _platform(forms: dirt.Forms, rows: Any, is_old: bool) -> pd.DataFrame:
    """The platform's own columns; older exports put the address before the source."""
    meta = forms.meta.loc[rows]
    at = [forms.typed.get((uid, "at"), f"{moment:%Y/%m/%d %H:%M:%S}") for uid, moment in meta["at"].items()]
    detail = [
        f"village={village}" + (f";interviewer={who}" if who else "")
        for village, who in zip(meta["village"], meta["interviewer"], strict=True)
    ]
    head = pd.DataFrame(dict(zip(META, ([str(n) for n in range(1, len(rows) + 1)], at, [f"{s}秒" for s in meta["seconds"]],
                                        np.where(meta["interviewer"] == "", "微信", "链接"), detail, meta["ip"], meta["nickname"]),
                                 strict=True)), index=rows)  # fmt: skip
    return head[[*META[:3], META[5], *META[3:5], META[6]]] if is_old else head


def add_staff(bundle: Bundle, wave: str) -> None:
    """One wave of staff as an SPSS file, with the town typed by hand beside the coded one."""
    truths, rng, name = bundle.truths, bundle.rng, f"staff_{wave}.sav"
    towns, answers = truths.wave(wave), draw_staff(truths, wave, rng)
    n = len(answers)
    answers = answers.iloc[rng.permutation(n)].reset_index(drop=True)
    town = answers["S01"].to_numpy(dtype=int) - 1
    able = np.flatnonzero((answers["S14"] > 0) & (towns["call_propensity"].to_numpy()[town] > 0))
    rows = np.sort(rng.choice(able, round(dirt.RATES["more_calls_than_needs"] * n), replace=False))
    bundle.note(name, rows + 1, "more_calls_than_needs", "S15", answers["S15"].iloc[rows].astype(int))
    answers.loc[rows, "S15"] = answers.loc[rows, "S14"] + rng.integers(1, 5, len(rows))
    answers["S21"] = np.where(
        rng.random(n) < 0.12, rng.choice(["多培训", "人员尽快到位", "系统账号早点换", "减少报表"], n), ""
    )
    day = pd.to_datetime(towns["field_from"]).to_numpy()[town] + pd.to_timedelta(rng.integers(0, 12, n), unit="D")
    at = pd.DatetimeIndex(day) + pd.to_timedelta(rng.integers(8 * 3600, 18 * 3600, n), unit="s")
    head = pd.DataFrame({"index": [str(k) for k in range(1, n + 1)], "submittime": at.strftime("%Y/%m/%d %H:%M:%S"),
                         "totalseconds": rng.integers(200, 900, n).astype(str), "town": bundle.spell_towns(name, town, 1)})  # fmt: skip
    bundle.files[f"raw/{name}"] = sav_bytes(truths.items("staff"), answers, head)


def add_census(bundle: Bundle, form: str, answers: pd.DataFrame) -> None:
    """A small form that everybody answers, as a pair of clean exports."""
    items, n, rng = bundle.truths.items(form), len(answers), bundle.rng
    pair, first = render(items, answers, obey(items, answers), rng), bundle.truths.waves[["wave", "field_from"]].iloc[0]
    at = pd.Timestamp(first["field_from"]) + pd.to_timedelta(
        np.sort(rng.integers(0, 10, n)) * 86400 + rng.integers(30000, 64000, n), unit="s"
    )
    values = ([str(k) for k in range(1, n + 1)], at.strftime("%Y/%m/%d %H:%M:%S"), [f"{s}秒" for s in rng.integers(150, 700, n)], "链接",
              "直接访问", dirt.make_addresses(rng, n))  # fmt: skip
    head = pd.DataFrame(dict(zip(META[:6], values, strict=True)))
    for frame, coding in zip(pair, ("text", "number"), strict=True):
        titles = [*head.columns, *headers(items, coding == "number")]
        bundle.files[f"raw/{form}s_{first['wave']}_{coding}.csv"] = csv_bytes(titles, pd.concat([head, frame], axis=1))
