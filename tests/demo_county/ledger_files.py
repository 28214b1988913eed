"""The ledgers of the demo county as offices hand them over; refuses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from demo_county.bundle import Bundle
from demo_county.calls import draw_cases, draw_steps
from demo_county.exports import csv_bytes, xlsx_bytes
from demo_county.ledgers import need_counts
from demo_county.spelling import as_written, mix_dates
from huying.kinds import Day, Instant
from huying.ledgers import TABLES

UNREADABLE = 6


def show(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A ledger as text under its Chinese headers."""
    return as_written(TABLES[table], frame).fillna("")


def add_plain(bundle: Bundle, table: str, frame: pd.DataFrame) -> None:
    """A ledger without a fault."""
    shown = show(table, frame)
    bundle.files[f"raw/{table}.csv"] = csv_bytes(list(shown.columns), shown)


def add_with_towns(
    bundle: Bundle, table: str, frame: pd.DataFrame, name: str = "", encoding: str = "utf-8-sig"
) -> None:
    """A ledger whose towns and days are written in many ways."""
    file = f"{name or table}.csv"
    shown = spell(bundle, table, frame, file)
    bundle.files[f"raw/{file}"] = csv_bytes(list(shown.columns), shown, encoding)


def add_book(bundle: Bundle, table: str, frame: pd.DataFrame, name: str = "") -> None:
    """A ledger as a workbook, some of its days cells of the workbook's own kind."""
    file = f"{name or table}.xlsx"
    shown = spell(bundle, table, frame, file, native=True)
    bundle.files[f"raw/{file}"] = xlsx_bytes(list(shown.columns), shown, TABLES[table].title.zh)


def spell(bundle: Bundle, table: str, frame: pd.DataFrame, file: str, native: bool = False) -> pd.DataFrame:
    """A ledger as text, its towns and times written in many ways (`native`: some as the workbook's own dates)."""
    shown = show(table, frame)
    if "town" in frame:
        shown["镇街"] = bundle.spell_towns(
            file, pd.Index(bundle.truths.towns["town_id"]).get_indexer(frame["town"]).astype(np.int64), 2
        )
    for column in TABLES[table].columns:
        if isinstance(column.kind, Instant) and column.name in frame:
            shown[column.title.zh] = mix_dates(frame[column.name], bundle.rng, not isinstance(column.kind, Day), native)
    if "dept" in frame:
        shown[TABLES[table].by_name["dept"].title.zh] = name_departments(bundle, frame["dept"])
    return shown


def add_needs(bundle: Bundle) -> None:
    """The counts of need: a few lines in another encoding, and a few names mistyped so that a person must be asked."""
    frame, file, rng = need_counts(bundle.truths, bundle.rng), "need_counts.csv", bundle.rng
    shown, typo = spell(bundle, "need_counts", frame, file), bundle.truths.features["dirt"]["typo"]
    rows = np.sort(rng.choice(np.flatnonzero(frame["town"] == typo["town"]), typo["rows"], replace=False))
    shown.loc[rows, "镇街"] = typo["wrong"]
    bundle.key = [entry for entry in bundle.key if entry[0] != file or entry[1] - 2 not in rows]
    bundle.note(file, rows + 2, "town_typo", "town", typo["town"])
    foreign = np.sort(rng.choice(np.setdiff1d(np.arange(len(frame)), rows), 3, replace=False)) + 2
    bundle.note(file, foreign, "line_in_another_encoding")
    bundle.files[f"raw/{file}"] = csv_bytes(list(shown.columns), shown, foreign=tuple(int(line) for line in foreign))


def add_calls(bundle: Bundle, calls: pd.DataFrame) -> None:
    """Calls as a workbook: closed before called, feedback missing, times that cannot be read."""
    planted, rng, file, frame = bundle.truths.features, bundle.rng, "calls_2022.xlsx", calls.copy()
    spared = frame["town"].isin(planted["calls"]["all_closed"]) | frame["dept"].isin(
        list(planted["calls"]["cross_duty_of"])
    )
    n_early, n_silent = (
        round(planted["dirt"][kind] * len(frame)) for kind in ("closed_before_called", "feedback_missing")
    )
    rows = rng.choice(
        np.flatnonzero((frame["status"] == "closed") & ~spared), n_early + n_silent + UNREADABLE, replace=False
    )
    early, silent, unread = (np.sort(part) for part in np.split(rows, [n_early, n_early + n_silent]))
    bundle.note(file, early + 2, "closed_before_called", "closed_at", frame["closed_at"].iloc[early].astype(str))
    frame.loc[early, "closed_at"] = frame.loc[early, "called_at"] - pd.to_timedelta(
        rng.integers(1, 20, n_early), unit="D"
    )
    bundle.note(file, silent + 2, "feedback_missing", "feedback_at", frame["feedback_at"].iloc[silent].astype(str))
    frame.loc[silent, "feedback_at"] = pd.NaT
    shown = spell(bundle, "calls", frame, file, native=True)
    moments = frame["called_at"].iloc[unread]
    shown.loc[unread, "呼叫时间"] = [
        f"{at:%y/%m/%d %H:%M}" if k % 2 else f"{at.day}/{at.month}/{at.year}" for k, at in enumerate(moments)
    ]
    bundle.note(file, unread + 2, "unreadable_date", "called_at", moments.astype(str))
    bundle.files[f"raw/{file}"] = xlsx_bytes(list(shown.columns), shown, "呼叫台账")


def add_cases(bundle: Bundle, calls: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Joint-conference cases as a workbook; their steps come from a stream of their own (`rng`). Returns the clean cases."""
    cases = draw_cases(calls, bundle.rng)
    steps, file = draw_steps(cases, rng), "joint_conference_2022.xlsx"
    shown = spell(bundle, "joint_conference", cases, file, native=True)
    shown["界定责任部门"] = name_departments(bundle, cases["ruling_dept"])
    written = spell(replace(bundle, rng=rng), "joint_conference", steps, file, native=True)
    for place, name in enumerate(written, list(shown.columns).index("界定日期")):
        shown.insert(place, name, written[name])
    bundle.files[f"raw/{file}"] = xlsx_bytes(list(shown.columns), shown, "联席会议")
    return cases.join(steps)


def name_departments(bundle: Bundle, dept: pd.Series) -> list[str]:
    """Departments by name, one in ten by a name that only the register of departments explains."""
    planted = bundle.truths.departments
    names: Mapping[str, str] = dict(zip(planted["dept_id"], planted["name_zh"], strict=True))
    other, odd = bundle.truths.features["dept_aliases"], bundle.rng.random(len(dept)) < 0.1
    return [
        "" if pd.isna(d) else other[d].split("、")[0] if strange and d in other else names[d]
        for d, strange in zip(dept, odd, strict=True)
    ]
