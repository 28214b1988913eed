"""A county with six towns (or up to eighteen), made by hand: agencies, head changes, duties, leaders' and staff's forms."""

import pandas as pd

from huying.codebook import house_codebook
from run_notebook import StandIn, judged

ALL_TOWNS = [f"T{k:02d}" for k in range(1, 19)]
TOWNS = ALL_TOWNS[:6]
KINDS = ("enforcement", "market", "land", "justice", "police")
LETTERS = "abcde"
FEW_DRAWS = {'measure_reliability(staff, "cooperation_")': 'measure_reliability(staff, "cooperation_", 19)'}
PERIOD = "[period.2022]\nfrom = 2021-01-01\nto = 2022-12-31\nas_of = 2023-01-06\n"


def register(n=6):
    return pd.DataFrame({"town_id": ALL_TOWNS[:n], "name_zh": [f"{k}镇" for k in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未"[:n]],
                         "name_en": [f"Town {k}" for k in "ABCDEFGHIJKLMNOPQR"[:n]], "type": "town", "pop": 1000, "adults": 800,
                         "n_villages": 5, "staff_listed": pd.array([40] * n, dtype="Int64")})  # fmt: skip


def agencies(**columns):
    """Four agencies in two towns."""
    table = {"agency_id": ["A1", "A2", "A3", "A4"], "town_id": ["T01", "T01", "T02", "T02"],
             "kind": ["police", "market", "police", "market"], "personnel_home": "county", "payroll_home": "county",
             "attendance_by_town": pd.array([True, False, None, False], dtype="boolean"),
             "leave_by_town": pd.array([False] * 4, dtype="boolean"),
             "assessed_by_town": pd.array([None] * 4, dtype="boolean"),
             "meetings_called": pd.array([10, 10, 0, 4], dtype="Int64"),
             "meetings_attended": pd.array([6, 2, 0, 1], dtype="Int64")}  # fmt: skip
    return pd.DataFrame({**table, **columns})


def changes(rows):
    """Head changes from (town, changed on, consulted, reported on or None, document or None)."""
    return pd.DataFrame({"event_id": [f"E{k}" for k in range(len(rows))], "agency_id": "A1", "town_id": [r[0] for r in rows],
                         "changed_on": pd.to_datetime([r[1] for r in rows]), "consulted": [r[2] for r in rows],
                         "consent_doc": pd.Series([r[4] for r in rows], dtype="str"),
                         "reported_on": pd.to_datetime(pd.Series([r[3] for r in rows], dtype="str"))})  # fmt: skip


def documents(day="2022-09-01"):
    return pd.DataFrame({"doc_no": ["1"], "title": ["机制"], "kind": ["mechanism"], "town_id": [None],
                         "issued_on": pd.to_datetime(["2022-08-20"]), "effective_on": pd.to_datetime([day])})  # fmt: skip


def form(form, rows, **answers):
    """Complete forms of 2023; `answers` are cells by name, missing ones with the reason in `<cell>_missing`."""
    book, n = house_codebook(), len(rows)
    frame = {
        "row_id": [f"{form}#{k}" for k in range(n)],
        "form": form,
        "wave": "2023",
        "town_id": rows,
        "village_id": pd.Series([None] * n, dtype="str"),
        "disposition": "complete",
    }
    for item in book.form(form):
        for cell in item.variables:
            given = answers.get(cell, [None] * n)
            if item.type == "text":
                frame[cell] = pd.Series(given, dtype="str")
            else:
                frame[cell] = pd.array([None if v == 98 else v for v in given], dtype="Int16")
        for cell in item.cells:
            seen = answers.get(cell, [None] * n)
            frame[f"{cell}_missing"] = pd.Categorical(
                ["does_not_know" if v == 98 else "blank" if v is None else None for v in seen],
                categories=["refused", "does_not_know", "skipped", "blank", "not_applicable"],
            )
    return pd.DataFrame(frame)


def leaders(n_towns=6, **answers):
    """Three forms a town: secretary, mayor, organisation officer."""
    towns = [town for town in ALL_TOWNS[:n_towns] for _ in range(3)]
    return form("leader", towns, **{"L02": [1, 2, 3] * n_towns, **answers})


def county(folder, ledgers=None, forms=None, n_towns=6):
    """A county of these ledgers (by name, or name and period) and forms of 2023."""
    return StandIn(folder, {"towns": register(n_towns), **(ledgers or {})}, forms or {}, PERIOD)


def rows_of(here, *claims, wave="2023"):
    """The rows that the cells of notebook 12 judge, of these claims or of all."""
    return judged("12", here, wave, change=FEW_DRAWS, claims=claims)
