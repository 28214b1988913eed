"""The reform's and the agencies' ledgers of the demo county as offices hand them over, and their true values; refuses nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo_county import agencies, reform, services
from demo_county.bundle import Bundle
from demo_county.exports import xlsx_bytes
from demo_county.ledger_files import add_book, add_with_towns, spell
from demo_county.population import Population
from huying.ledgers import TABLES

OF_2022 = (
    "admissions",
    "publicity",
    "centres",
    "bank_points",
    "duty_log",
    "accountability",
)  # their files name the period
BOOKS = ("quota", "agency_events", "admissions")
GB18030 = ("agencies", "accepted_items")


def reform_ledgers(bundle: Bundle, population: Population, changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All of them clean, by the names of `huying.ledgers`; `changes` are the head changes that the leaders' forms tell of."""
    truths, rng = bundle.truths, bundle.rng
    posts = reform.town_posts(truths, rng)
    accepted, places = services.accepted_items(truths, rng), services.centre_places(population, rng)
    log = services.service_log(truths, accepted, places, rng)
    roster, weights = agencies.agencies(truths, rng), agencies.appraisal_weights(truths, rng)
    return {
        "quota": reform.quota(truths, posts), "quota_moves": reform.quota_moves(truths, posts, rng),
        "quota_plan": reform.quota_plan(truths, posts), "admissions": reform.admissions(truths, rng),
        "publicity": reform.publicity(truths, rng), "delegated_items": services.delegated_items(truths), "accepted_items": accepted,
        "service_log": log, "centres": services.centres(truths, places, log, rng), "bank_points": services.bank_points(truths, rng),
        "agencies": roster, "agency_events": agencies.agency_events(truths, changes, rng), "appraisal_weights": weights,
        "appraisal_scores": agencies.appraisal_scores(truths, weights, rng), "duty_log": agencies.duty_log(truths, roster, rng),
        "accountability": agencies.accountability(truths, rng),
    }  # fmt: skip


def add_reform(bundle: Bundle, ledgers: dict[str, pd.DataFrame]) -> None:
    """Write them, towns, departments and days in many ways: most as CSV, two of them in GB18030, some as workbooks."""
    for table, frame in ledgers.items():
        name = f"{table}_2022" if table in OF_2022 else table
        if table == "service_log":
            add_log(bundle, frame)
        elif table in BOOKS:
            add_book(bundle, table, frame, name)
        else:
            add_with_towns(bundle, table, frame, name, "gb18030" if table in GB18030 else "utf-8-sig")


def add_log(bundle: Bundle, log: pd.DataFrame) -> None:
    """Transactions as a workbook: finished before accepted, times that cannot be read, rows pasted twice at the end.

    Only matters that are not delegated are spoilt, so that no item loses a case.
    """
    planted, rng, file, frame = (
        bundle.truths.features["services"]["faults"],
        bundle.rng,
        "service_log_2022.xlsx",
        log.copy(),
    )
    able = np.flatnonzero(log["item_id"].isna() & log["finished_at"].notna())
    n_early, n_unread = planted["finished_before_accepted"], planted["unreadable"]
    rows = rng.choice(able, n_early + n_unread, replace=False)
    early, unread = np.sort(rows[:n_early]), np.sort(rows[n_early:])
    bundle.note(file, early + 2, "finished_before_accepted", "finished_at", log["finished_at"].iloc[early].astype(str))
    frame.loc[early, "finished_at"] = frame.loc[early, "accepted_at"] - pd.to_timedelta(
        rng.integers(1, 9, n_early), unit="D"
    )
    shown, header = (
        spell(bundle, "service_log", frame, file, native=True),
        TABLES["service_log"].by_name["accepted_at"].title.zh,
    )
    at = log["accepted_at"].iloc[unread]
    shown.loc[unread, header] = [f"{day:%y/%m/%d %H:%M}" for day in at]
    bundle.note(file, unread + 2, "unreadable_date", "accepted_at", at.astype(str))
    again = np.sort(rng.choice(np.setdiff1d(np.arange(len(log)), rows), planted["repeated"], replace=False))
    lines = range(len(log) + 2, len(log) + 2 + len(again))
    bundle.note(file, lines, "repeated_row", "txn_id", [f"row:{row + 2}" for row in again])
    shown = pd.concat([shown, shown.iloc[again]], ignore_index=True)
    bundle.files[f"raw/{file}"] = xlsx_bytes(list(shown.columns), shown, TABLES["service_log"].title.zh)
