"""Writes the demo county: county.toml, raw exports, and the answer key outside the folder that a pipeline reads; refuses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from huying.demo import dirt
from huying.demo.calls import draw_calls, draw_cases
from huying.demo.draws import obey
from huying.demo.exports import META, csv_bytes, headers, render, sav_bytes, xlsx_bytes
from huying.demo.ledgers import documents, need_counts, org_roster, planted_values, town_ledgers, unit_check
from huying.demo.population import Population, make_population, true_values
from huying.demo.residents import answer_residents, draw_people, draw_villages
from huying.demo.staff import draw_departments, draw_leaders, draw_staff
from huying.demo.truths import Ints, Truths
from huying.ledgers import TABLES
from huying.store import write_bytes

PERIOD = {"need_counts": "2022"}
KEY = ["file", "row", "kind", "column", "true"]
WRITTEN = ("R03", "R26")
Key = list[tuple[str, int, str, str, Any]]


def write_demo(folder: str | Path, key_folder: str | Path, seed: int = 2023, truths: Truths | None = None) -> None:
    """The whole demo county under `folder` and its answer key under `key_folder`; the same seed gives the same bytes."""
    files, key, values = build_demo(seed, truths)
    for name, content in files.items():
        write_bytes(Path(folder) / name, content)
    for name, frame in (("answer_key.csv", pd.DataFrame(key, columns=KEY)), ("truths.csv", values)):
        write_bytes(Path(key_folder) / name, csv_bytes(list(frame.columns), frame))


def build_demo(seed: int, truths: Truths | None = None) -> tuple[dict[str, bytes], Key, pd.DataFrame]:
    """The files of the county by their path, the answer key, and the true values by town, wave and indicator."""
    rng = np.random.default_rng([seed, 1])
    files: dict[str, bytes] = {}
    key: Key = []
    first, second = (make_population(seed, wave, truths) for wave in ("2023", "2024"))
    planted, drawn = first.truths, draw_villages(first, rng)
    for population, villages in ((first, drawn), (second, draw_villages(second, rng, drawn))):
        _residents(files, key, population, villages, rng)
        _staff(files, key, planted, population.wave, rng)
    roster, checks = org_roster(planted), {wave: unit_check(planted, wave, rng) for wave in ("2023", "2024")}
    calls = draw_calls(planted, rng)
    for form, answers in (("leader", draw_leaders(planted, rng)), ("department", draw_departments(planted, calls, rng))):
        _small_form(files, planted, form, answers, rng)
    book = town_ledgers(first, drawn)
    for name, frame in book.items():
        files[f"raw/{name}.csv"] = csv_bytes(*_shown(name, frame))
    org_map = planted.org_map.assign(valid_from=roster["established_on"].iloc[0])
    files["raw/org_map.csv"] = csv_bytes(*_shown("org_map", org_map))
    _with_towns(files, key, planted, "org_roster", roster, rng)
    for wave, check in checks.items():
        _with_towns(files, key, planted, "unit_check", check, rng, f"unit_check_{wave}", days=["checked_on"])
    _with_towns(files, key, planted, "documents", documents(planted, rng), rng, encoding="gb18030", days=["issued_on", "effective_on"])
    _needs(files, key, planted, rng)
    _calls(files, key, planted, calls, rng)
    files["county.toml"] = _declaration(planted, list(files)).encode()
    values = [true_values(first), true_values(second), *(planted_values(planted, wave, check, roster) for wave, check in checks.items())]
    return files, key, pd.concat(values, ignore_index=True)


def _residents(files: dict[str, bytes], key: Key, population: Population, villages: Ints, rng: np.random.Generator) -> None:
    truths, wave = population.truths, population.wave
    items, main = truths.items("resident"), wave == "2023"
    people = draw_people(population, rng, villages)
    ids = population.villages["village_id"].to_numpy()[people["village"]]
    forms = dirt.add_meta(answer_residents(population, people, rng), population.towns, people["town"].to_numpy(), ids, people["interviewer"].to_numpy(), rng)
    forms.key += [(uid, "base_weight", "", f"{weight:.6g}") for uid, weight in enumerate(people["base_weight"])]
    weights, forms.key = forms.key, []
    asked = dirt.spoil_residents(forms, truths, items, rng, clones=main)
    text, number = render(items, forms.answers, asked, rng)
    spare = {uid for uid, kind, *_ in forms.key if "duplicate" in kind}
    spare |= {int(true[4:]) for _, kind, _, true in forms.key if "duplicate" in kind}
    twin = {uid: int(true[4:]) for uid, kind, _, true in forms.key if "duplicate" in kind}
    for new, old in twin.items():  # what was typed by hand, and filled in, is sent twice as well
        text.loc[new], number.loc[new] = text.loc[old], number.loc[old]
        forms.typed.update({(new, column): said for (uid, column), said in list(forms.typed.items()) if uid == old})
    for (uid, column), said in forms.typed.items():
        if column in text:
            text.loc[uid, column] = number.loc[uid, column] = said
    order = forms.meta.assign(later=[uid in twin for uid in forms.meta.index]).sort_values(["at", "later"], kind="stable").index
    for name, rows in _resident_files(truths, forms.meta.loc[order], main).items():
        part, coded = text.loc[rows].copy(), number.loc[rows].copy()
        found = weights + forms.key
        if name.endswith("typed"):
            names, varied = dirt.vary_towns(forms.meta.loc[rows, "town"].to_numpy(), truths, rng, 0.6)
            plain = ~part["R01"].isin(["(跳过)", "其他地方"]).to_numpy()
            part["R01"] = coded["R01"] = np.where(plain, names, part["R01"])
            coded.loc[part["R01"] == "其他地方", "R01"] = "其他地方"
            found = found + [(int(rows[n]), kind, "R01", _town_id(truths, forms.meta["town"].loc[rows[n]])) for n, kind in varied if plain[n]]
        untyped = part.drop(columns="R01") if name.endswith("typed") else part
        found = found + dirt.disturb(untyped, rng, spare)
        part[untyped.columns] = untyped
        for column in WRITTEN:  # what people typed is the same in both exports
            coded[column] = coded[column].where(part[column].isin(["(跳过)", "(空)"]), part[column])
        line = {uid: n for n, uid in enumerate(rows, 2)}
        suffix = "xlsx" if name.endswith(("streets", "2024")) else "txt" if name.endswith("utf16") else "csv"
        key += [(f"{name}_text.{suffix}", line[uid], kind, column, f"row:{line[int(true[4:])]}" if str(true).startswith("uid:") else true)
                for uid, kind, column, true in found if uid in line]  # fmt: skip
        head = _meta(forms, rows)
        head = head[[*META[:3], "来自IP", "来源", "来源详情", "微信昵称"]] if name.endswith("utf16") else head
        split = "第{n}题({option})" if wave == "2024" else "{n}、({option})"
        for frame, coding in ((part, "text"), (coded, "number")):
            titles = [*head.columns, *headers(items, coding == "number", split)]
            whole = pd.concat([head, frame], axis=1)
            files[f"raw/{name}_{coding}.{suffix}"] = _encode(name, titles, whole)


def _encode(name: str, titles: list[str], whole: pd.DataFrame) -> bytes:
    if name.endswith(("streets", "2024")):
        return xlsx_bytes(titles, whole)
    if name.endswith("utf16"):
        return b"\xff\xfe" + csv_bytes(titles, whole, "utf-16-le", "\t")
    return csv_bytes(titles, whole, "gb18030" if name.endswith("typed") else "utf-8-sig")


def _resident_files(truths: Truths, meta: pd.DataFrame, main: bool) -> dict[str, Any]:
    """Which forms come in which file (name without ending)."""
    if not main:
        return {"residents_2024": meta.index}
    planted = truths.features["files"]
    ids = truths.towns["town_id"].to_numpy()[meta["town"]]
    street = (truths.towns["type"] == planted["sheet_type"]).to_numpy()[meta["town"]]
    utf16, typed = np.isin(ids, planted["utf16"]), np.isin(ids, planted["typed"])
    parts = {"residents_2023": ~(street | utf16 | typed), "residents_2023_streets": street, "residents_2023_utf16": utf16,
             "residents_2023_typed": typed}  # fmt: skip
    return {name: meta.index[own] for name, own in parts.items() if own.any()}


def _meta(forms: dirt.Forms, rows: Any) -> pd.DataFrame:
    meta = forms.meta.loc[rows]
    at = [forms.typed.get((uid, "at"), f"{moment:%Y/%m/%d %H:%M:%S}") for uid, moment in meta["at"].items()]
    detail = [f"village={village}" + (f";interviewer={who}" if who else "") for village, who in zip(meta["village"], meta["interviewer"], strict=True)]
    return pd.DataFrame({"序号": np.arange(1, len(rows) + 1).astype(str), "提交答卷时间": at, "所用时间": [f"{s}秒" for s in meta["seconds"]],
                         "来源": np.where(meta["interviewer"] == "", "微信", "链接"), "来源详情": detail, "来自IP": meta["ip"],
                         "微信昵称": meta["nickname"]}, index=rows)  # fmt: skip


def _town_id(truths: Truths, town: Any) -> str:
    return str(truths.towns["town_id"].iloc[int(town)])


def _staff(files: dict[str, bytes], key: Key, truths: Truths, wave: str, rng: np.random.Generator) -> None:
    towns, answers, name = truths.wave(wave), draw_staff(truths, wave, rng), f"staff_{wave}.sav"
    answers = answers.iloc[rng.permutation(len(answers))].reset_index(drop=True)
    town = answers["S01"].to_numpy(dtype=int) - 1
    able = np.flatnonzero((answers["S14"] > 0) & (towns["call_propensity"].to_numpy()[town] > 0))
    rows = rng.choice(able, round(dirt.RATES["more_calls_than_needs"] * len(answers)), replace=False)
    key += [(name, int(row) + 1, "more_calls_than_needs", "S15", int(answers["S15"].iloc[row])) for row in rows]
    answers.loc[rows, "S15"] = answers.loc[rows, "S14"] + rng.integers(1, 5, len(rows))
    typed, varied = dirt.vary_towns(town, truths, rng)
    key += [(name, row + 1, kind, "town", _town_id(truths, town[row])) for row, kind in varied]
    said = rng.random(len(answers)) < 0.12
    answers["S21"] = np.where(said, rng.choice(["多培训", "人员尽快到位", "系统账号早点换", "减少报表"], len(answers)), "")
    at = pd.to_datetime(towns["field_from"]).to_numpy()[town] + pd.to_timedelta(rng.integers(0, 12 * 86400, len(answers)), unit="s")
    head = pd.DataFrame({"index": [str(n) for n in range(1, len(answers) + 1)], "submittime": pd.DatetimeIndex(at).strftime("%Y/%m/%d %H:%M:%S"),
                         "totalseconds": rng.integers(200, 900, len(answers)).astype(str), "town": typed})  # fmt: skip
    files[f"raw/{name}"] = sav_bytes(truths.items("staff"), answers, head)


def _small_form(files: dict[str, bytes], truths: Truths, form: str, answers: pd.DataFrame, rng: np.random.Generator) -> None:
    items, n = truths.items(form), len(answers)
    text, number = render(items, answers, obey(items, answers), rng)
    at = pd.Timestamp(truths.waves["field_from"].iloc[0]) + pd.to_timedelta(np.sort(rng.integers(0, 10 * 86400, n)), unit="s")
    head = pd.DataFrame({"序号": np.arange(1, n + 1).astype(str), "提交答卷时间": at.strftime("%Y/%m/%d %H:%M:%S"),
                         "所用时间": [f"{s}秒" for s in rng.integers(150, 700, n)], "来源": "链接", "来源详情": "直接访问",
                         "来自IP": dirt._addresses(rng, n)})  # fmt: skip
    for frame, coding in ((text, "text"), (number, "number")):
        titles = [*head.columns, *headers(items, coding == "number")]
        files[f"raw/{form}s_2023_{coding}.csv"] = csv_bytes(titles, pd.concat([head, frame], axis=1))


def _shown(table: str, frame: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    shown = TABLES[table].show(frame).fillna("")
    return list(shown.columns), shown


def _with_towns(
    files: dict[str, bytes], key: Key, truths: Truths, table: str, frame: pd.DataFrame, rng: np.random.Generator, name: str = "",
    encoding: str = "utf-8-sig", days: list[str] | None = None,
) -> None:  # fmt: skip
    """One ledger whose towns and days are written in many ways."""
    name = f"{name or table}.csv"
    head, shown = _shown(table, frame)
    _write_towns(key, truths, name, shown, frame["town"], rng)
    for column in days or []:
        shown[TABLES[table].by_name[column].title.zh] = dirt.mix_dates(frame[column], rng, hours=False)
    files[f"raw/{name}"] = csv_bytes(head, shown, encoding)


def _write_towns(key: Key, truths: Truths, name: str, shown: pd.DataFrame, town: pd.Series, rng: np.random.Generator) -> None:
    place = pd.Index(truths.towns["town_id"]).get_indexer(town)
    said, varied = dirt.vary_towns(np.maximum(place, 0), truths, rng)
    shown["镇街"] = np.where(place < 0, "", said)
    key += [(name, row + 2, kind, "town", town.iloc[row]) for row, kind in varied if place[row] >= 0]


def _needs(files: dict[str, bytes], key: Key, truths: Truths, rng: np.random.Generator) -> None:
    """The counts of need: a few lines in another encoding, and a few names mistyped so that a person must be asked."""
    frame, name = need_counts(truths, rng), "need_counts.csv"
    head, shown = _shown("need_counts", frame)
    _write_towns(key, truths, name, shown, frame["town"], rng)
    shown["月份"] = dirt.mix_dates(frame["month"], rng, hours=False)
    typo = truths.features["dirt"]["typo"]
    rows = rng.choice(np.flatnonzero(frame["town"] == typo["town"]), typo["rows"], replace=False)
    shown.loc[rows, "镇街"] = typo["wrong"]
    key[:] = [entry for entry in key if not (entry[0] == name and entry[1] - 2 in set(rows))]
    key += [(name, int(row) + 2, "town_typo", "town", typo["town"]) for row in np.sort(rows)]
    foreign = tuple(int(row) + 2 for row in np.sort(rng.choice(np.setdiff1d(np.arange(len(frame)), rows), 3, replace=False)))
    key += [(name, line, "line_in_another_encoding", "", "") for line in foreign]
    files[f"raw/{name}"] = csv_bytes(head, shown, foreign=foreign)


def _calls(files: dict[str, bytes], key: Key, truths: Truths, calls: pd.DataFrame, rng: np.random.Generator) -> None:
    """Calls and joint-conference cases as workbooks: closed before called, feedback missing, times that cannot be read."""
    planted, name, frame = truths.features, "calls_2022.xlsx", calls.copy()
    spared = frame["town"].isin(planted["calls"]["all_closed"]) | frame["dept"].isin(list(planted["calls"]["cross_duty_of"]))
    closed = np.flatnonzero((frame["status"] == "closed") & ~spared)
    n_early, n_silent = (round(planted["dirt"][kind] * len(frame)) for kind in ("closed_before_called", "feedback_missing"))
    rows = rng.choice(closed, n_early + n_silent + 6, replace=False)
    early, silent, unread = rows[:n_early], rows[n_early : n_early + n_silent], rows[n_early + n_silent :]
    key += [(name, int(row) + 2, "closed_before_called", "closed_at", str(frame["closed_at"].iloc[row])) for row in np.sort(early)]
    frame.loc[early, "closed_at"] = frame.loc[early, "called_at"] - pd.to_timedelta(rng.integers(1, 20, n_early), unit="D")
    key += [(name, int(row) + 2, "feedback_missing", "feedback_at", str(frame["feedback_at"].iloc[row])) for row in np.sort(silent)]
    frame.loc[silent, "feedback_at"] = pd.NaT
    head, shown = _shown("calls", frame)
    _write_towns(key, truths, name, shown, frame["town"], rng)
    shown["责任部门"] = _departments(truths, frame["dept"], rng)
    for column in ("called_at", "dispatched_at", "responded_at", "closed_at", "feedback_at"):
        shown[TABLES["calls"].by_name[column].title.zh] = dirt.mix_dates(frame[column], rng, hours=True, native=True)
    for k, row in enumerate(unread):
        at = frame["called_at"].iloc[row]
        shown.loc[row, "呼叫时间"] = f"{at:%y/%m/%d %H:%M}" if k % 2 else f"{at.day}/{at.month}/{at.year}"
        key.append((name, int(row) + 2, "unreadable_date", "called_at", str(at)))
    files[f"raw/{name}"] = xlsx_bytes(head, shown, "呼叫台账")
    cases = draw_cases(calls, rng)
    head, shown = _shown("joint_conference", cases)
    shown["界定责任部门"] = _departments(truths, cases["ruling_dept"], rng)
    for column in ("referred_on", "ruled_on"):
        shown[TABLES["joint_conference"].by_name[column].title.zh] = dirt.mix_dates(cases[column], rng, hours=False, native=True)
    files["raw/joint_conference_2022.xlsx"] = xlsx_bytes(head, shown, "联席会议")


def _departments(truths: Truths, dept: pd.Series, rng: np.random.Generator) -> list[str]:
    """Departments by name, one in ten by a name that only the register of departments explains."""
    names: Mapping[str, str] = dict(zip(truths.departments["dept_id"], truths.departments["name_zh"], strict=True))
    other, odd = truths.features["dept_aliases"], rng.random(len(dept)) < 0.1
    return ["" if pd.isna(d) else other[d].split("、")[0] if strange and d in other else names[d] for d, strange in zip(dept, odd, strict=True)]


def _declaration(truths: Truths, written: list[str]) -> str:
    """county.toml: what the demo county always says, its waves and periods, and the files that were written."""
    parts = [resources.files("huying").joinpath("data/demo/county_head.toml").read_text("utf-8")]
    for wave, days in truths.waves.groupby("wave"):
        first, last = days["field_from"].min(), days["field_to"].max()
        as_of = f"{pd.Timestamp(last) + pd.Timedelta(days=3):%Y-%m-%d}"
        parts.append(f"[wave.{wave}]\nfrom = {first}\nto = {last}\n\n[period.{wave}]\nfrom = {first}\nto = {last}\nas_of = {as_of}\n")
    for file in written:
        name = Path(file).stem
        form, _, rest = name.partition("_")
        if rest.endswith("text"):
            twin = file.replace("_text.", "_number.")
            parts.append(f'[[survey]]\nform = "{form[:-1]}"\nwave = "{rest[:4]}"\nreader = "wjx"\ntext = "{file}"\nnumber = "{twin}"\n')
        elif file.endswith(".sav"):
            parts.append(f'[[survey]]\nform = "{form}"\nwave = "{rest}"\nreader = "spss"\nfile = "{file}"\n')
        elif not rest.endswith("number"):
            table = next(table for table in TABLES if name.startswith(table) and (len(name) == len(table) or name[len(table)] == "_"))
            period = PERIOD.get(table, name[len(table) + 1 :])
            parts.append(f'[[ledger]]\ntable = "{table}"\nfile = "{file}"\n' + (f'period = "{period}"\n' if period else ""))
    return "\n".join(parts)
