"""Every sentence read back: number, unit, verdict, n and its noun are those of the row; and what a person would expect it to say."""

import csv
import itertools
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reading import MULTIPLIED, NOUNS, is_as, read

import huying as hy
from huying.claims.declared import house_claims

HERE = Path(__file__).parent
CLAIMS = house_claims()
KEY = ["claim", "place", "period", "wave", "part"]
NUMBERS = ["estimate", "low", "high", "n", "n_eff", "df", "deff", "low_family", "high_family"]
TEXTS = [*KEY, "unit", "n_of", "method", "reliability", "verdict", "verdict_family", "remark", "reason"]
TOWNS = {f"T{k:02d}": f"名称很长的某某街道办事处{chr(0x7532 + k)}"[-12:] for k in range(1, 27)}
PLACES = {"county": "甲县", **TOWNS, **{f"K{k:02d}": f"第{k}局" for k in range(1, 15)}}
PLACES_EN = {
    "county": "A County",
    **{key: f"{key} Longnamed Town" for key in TOWNS},
    **{f"K{k:02d}": f"Bureau {k}" for k in range(1, 15)},
}
NAMES = {"zh": PLACES, "en": PLACES_EN}
LANGUAGES = ("zh", "en")
VERDICTS = ("supported", "not supported", "cannot say", "no baseline")


def of_demo():
    """The demo county's ledger as it is frozen."""
    rows = pd.read_csv(HERE.parent / "data" / "frozen" / "evidence.csv.gz", dtype=str, keep_default_na=False)
    rows = rows.assign(**{name: pd.to_numeric(rows[name]) for name in NUMBERS}, is_counted=rows["is_counted"] == "True")
    return rows


def invented(seed=7):
    """A ledger of 26 towns and 14 departments: every claim, unit and verdict; values at 0, 1 and the threshold, n = 1, ties, intervals open and adjusted."""
    rng, rows = np.random.default_rng(seed), []
    kinds = {"share": (0, 1), "points": (-1, 1), "per_thousand": (-3, 9), "ratio": (0, 5), "days": (0, 90), "months": (-1, 30), "count": (-5, 60),
             "score": (1, 5), "score_points": (-4, 4), "index": (0, 1)}  # fmt: skip
    nouns = itertools.cycle(NOUNS)
    for number, claim in enumerate(CLAIMS.values()):
        units = [claim.unit, *kinds]
        for k, (place, unit) in enumerate(zip([*TOWNS, "county", "K01", "K77"], itertools.cycle(units), strict=False)):
            lowest, highest = kinds[unit]
            values = [
                lowest,
                highest,
                claim.threshold,
                (lowest + highest) / 2,
                rng.uniform(lowest, highest),
                claim.threshold - 4e-4,
            ]
            value, n = float(values[k % 6]), [1.0, 3.0, 99.0, 100.0, 12345.0][(k + number) % 5]
            low, high = sorted((value - rng.uniform(0, 0.3), value + rng.uniform(0, 0.3)))
            is_wave, is_counted = k % 3 > 0, k % 4 == 0
            is_sure = is_counted and k % 8 == 0
            ends = {"low": value if is_sure else low, "high": value if is_sure else high}
            wide = {} if k % 5 else {"low_family": low - 0.1, "high_family": high + 0.1}
            if not wide:
                wide = {"low_family": ends["low"], "high_family": ends["high"]}
            part = "" if (unit == claim.unit and k < len(units)) or k % 7 == 0 else f"part_{k}"
            verdict = VERDICTS[k % 4] if not part else ""
            rows.append({"claim": claim.id, "place": place, "period": "" if is_wave else "2022", "wave": "2023" if is_wave else "", "part": part, "estimate": value, **ends,
                         "unit": unit, "n": n, "n_of": next(nouns), "is_counted": is_counted, "method": "count" if is_counted else "t", "reliability": ("ok", "read with care")[k % 2],
                         "verdict": verdict, "verdict_family": verdict, **wide, "remark": ("", "chance", "understated; rule_changed")[k % 3], "reason": ""})  # fmt: skip
        silent = {
            "estimate": np.nan,
            "low": np.nan,
            "high": np.nan,
            "low_family": np.nan,
            "high_family": np.nan,
            "part": "",
            "verdict": "cannot say",
            "verdict_family": "cannot say",
        }
        rows.append(
            {
                **rows[-1],
                **silent,
                "place": "T01",
                "wave": "2024",
                "period": "",
                "n": 4.0,
                "reason": "too few answers",
                "reliability": "too few answers",
            }
        )
        rows.append({**rows[-1], "place": "T02", "n": 0.0, "reason": "no data: calls", "reliability": "not estimable"})
    return pd.DataFrame(rows).assign(n_eff=np.nan, df=np.nan, deff=np.nan)


LEDGERS = {"demo": of_demo, "invented": invented}


def threshold_of(row):
    """What a value must not be rounded onto or across: the threshold of its claim, where the value is in its unit."""
    claim = CLAIMS[row.claim]
    quantifier, line = claim.subs.get(row.part) or claim.rule_at(row.place)
    return None if quantifier == "SOME" else line


def unsound(row, said, found, lang):
    """What a sentence says otherwise than its row."""
    wrong, times = [], MULTIPLIED.get(row.unit, 1)
    is_told = not np.isnan(row.estimate) and row.reliability != "too few answers"
    if found["verdict"] != row.verdict_family:
        wrong.append("verdict")
    if is_told != (found["value"] is not None):
        return [*wrong, "value or none"]
    if (
        row.n > 0
        and (found["n"], found["n_of"]) != (float(f"{row.n:.0f}"), row.n_of)
        and not (row.n_of in ("cases", "events") and lang == "en")
    ):
        wrong.append("n")
    if (row.wave or row.period) and found["when"] != (f"{row.wave}w" if row.wave else f"{row.period}p"):
        wrong.append("when")
    if not is_told:
        return wrong
    if found["unit"] != row.unit:
        wrong.append("unit")
    if not is_as(found["shown"], row.estimate, row.unit):
        wrong.append("number")
    for line in (threshold_of(row), 0.0, 1.0 if row.unit == "share" else None):
        if line is not None and abs(row.estimate - line) > 1e-9:
            side = np.sign(round(found["value"] - line * times, 9))
            wrong += ["contradicts its threshold"] if side != np.sign(row.estimate - line) else []
    if row.unit in MULTIPLIED and row.n >= 100 and "." not in found["shown"]:
        wrong.append("digits")
    if found["is_counted"] != bool(row.is_counted):
        wrong.append("counted")
    if found["k"] is not None and abs(found["k"] - row.estimate * row.n) > 1e-3:
        wrong.append("k of n")
    low, high = (
        (row.low, row.high)
        if np.isnan(row.low_family) and np.isnan(row.high_family)
        else (row.low_family, row.high_family)
    )
    is_list = row.method == "count" or row.is_counted
    kind = (
        ""
        if not low < high
        else "bounds"
        if is_list
        else "process"
        if not row.wave
        else "sample"
        if (low, high) == (row.low, row.high)
        else "adjusted"
    )
    if found["kind"] != kind:
        wrong.append(f"interval {found['kind']} for {kind}")
    elif kind and (abs(found["low"] - low * times) > 0.5 + 1e-9 or abs(found["high"] - high * times) > 0.5 + 1e-9):
        wrong.append("limits")
    return wrong


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("ledger", LEDGERS)
def test_every_sentence_says_what_its_row_holds(ledger, lang):
    rows = LEDGERS[ledger]()
    said = hy.statements(rows, CLAIMS, NAMES[lang], lang)
    assert said.index.equals(rows.index) and said[KEY].equals(rows[KEY].astype(said[KEY].dtypes))
    wrong = []
    for row, told in zip(rows.itertuples(), said.itertuples(), strict=True):
        if bad := unsound(row, told, read(told.sentence, lang), lang):
            wrong.append((bad, told.sentence, tuple(row)[1:7]))
    assert not wrong, f"{len(wrong)} of {len(rows)}: {wrong[:5]}"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("ledger", LEDGERS)
def test_what_a_statement_says_in_pieces_stands_in_its_sentence(ledger, lang):
    said = hy.statements(LEDGERS[ledger](), CLAIMS, NAMES[lang], lang)
    for told in said.itertuples():
        pieces = [
            told.verdict_word,
            told.value,
            told.interval,
            told.when,
            told.place_name if told.place != "county" else "",
        ]
        assert all(piece in told.sentence for piece in pieces), told
        assert told.caution.casefold() in told.sentence.casefold()


def test_how_many_other_ways_give_the_verdict_stands_beside_its_certainty():
    rows = of_demo()
    tried = rows[rows["part"] == "robustness"].set_index(["claim", "place", "wave"])["estimate"]
    told = {
        "zh": r"(?P<n>\d+)种口径.*?(?P<share>[\d.]+)%得出同一结论",
        "en": r"(?P<share>[\d.]+)% of (?P<n>\d+) specifications",
    }
    for lang in LANGUAGES:
        said = hy.statements(rows, CLAIMS, NAMES[lang], lang)
        found = said["certainty"].str.extract(told[lang]).astype(float)
        for row, share, n in zip(said.itertuples(), found["share"], found["n"], strict=True):
            key, is_open = (row.claim, row.place, row.wave), row.verdict == "cannot say" or not row.value
            if row.part or is_open or key not in tried.index:
                assert np.isnan(share), row
            else:
                assert abs(share / 100 - tried[key]) <= 0.005 and n == (3 if row.claim == "P23" else 54), row
        assert found["n"].notna().sum() >= 6


def test_some_towns_is_never_said_of_one_town():
    for lang in LANGUAGES:
        said = hy.statements(LEDGERS["invented"](), CLAIMS, NAMES[lang], lang)
        told = " ".join(said.loc[said["place"].str.startswith("T"), "sentence"])
        assert not any(
            word in told
            for word in ("部分镇街", "各镇街", "镇街都", "Some towns", "some towns", "Every town", "every town")
        )


def test_chinese_has_full_width_punctuation_and_english_no_han():
    for name in LEDGERS:
        said = hy.statements(LEDGERS[name](), CLAIMS, PLACES, "zh")
        told = "\n".join([*said["sentence"], *said["title"], *said["subtitle"], *said["caution"]])
        assert not any(mark in told for mark in (": ", "; ", ", ", "(", ")", "n="))
        english = hy.statements(LEDGERS[name](), CLAIMS, PLACES_EN, "en")
        assert not any(
            "\u4e00" <= letter <= "\u9fff"
            for letter in "".join([*english["sentence"], *english["title"], *english["caution"]])
        )


# --- what a person expects ---------------------------------------------------------------------------------------------------


READ_BY = {"zh": {"county": "甲县", "T01": "东河镇", "T02": "西山街道", "K01": "公安局"},
           "en": {"county": "A County", "T01": "Donghe Town", "T02": "Xishan Subdistrict", "K01": "Public Security Bureau"}}  # fmt: skip


def expected():
    return list(csv.DictReader((HERE / "readings.csv").read_text("utf-8").splitlines()))


def ledger_of(reading):
    """One row of a ledger from a line of readings.csv, where numbers may be blank."""
    row = {name: reading.get(name, "") for name in TEXTS}
    row |= {name: float(reading[name]) if reading.get(name) else np.nan for name in NUMBERS}
    row["verdict"] = row["verdict_family"]
    return pd.DataFrame([row]).assign(is_counted=reading["is_counted"] == "yes")


def test_there_are_sixty_readings_two_of_each_kind_of_claim():
    rows = expected()
    kinds = {CLAIMS[row["claim"]].quantifier for row in rows}
    assert len(rows) * 2 >= 60 and len(
        {(row["claim"], row["place"], row["part"], row["wave"], row["period"]) for row in rows}
    ) == len(rows)
    assert all(sum(CLAIMS[row["claim"]].quantifier == kind for row in rows) >= 2 for kind in kinds)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reading", expected(), ids=lambda row: f"{row['claim']}-{row['place']}-{row['estimate']}")
def test_a_sentence_reads_as_a_person_expects(reading, lang):
    assert hy.statements(ledger_of(reading), CLAIMS, READ_BY[lang], lang)["sentence"].iloc[0] == reading[lang]


# --- changes show ------------------------------------------------------------------------------------------------------------

CHANGES = [("estimate", lambda v: -v), ("unit", lambda v: "points" if v == "share" else "ratio"), ("verdict_family", lambda v: "no baseline"),
           ("n", lambda v: v + 1), ("wave", lambda v: "2031"), ("place", lambda v: "T09" if v != "T09" else "T08"), ("n_of", lambda v: "loans"),
           ("is_counted", lambda v: not v)]  # fmt: skip
CHANGED = [("P16", "T07"), ("P13", "T02"), ("B07", "T01"), ("P15", "T04"), ("S23", "county")]


@pytest.mark.parametrize(("claim", "place"), CHANGED)
@pytest.mark.parametrize(("column", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_a_change_of_a_row_changes_its_sentence(claim, place, column, change):
    rows = of_demo()
    row = (
        rows[(rows["claim"] == claim) & (rows["place"] == place) & (rows["part"] == "")]
        .head(1)
        .astype({"is_counted": object})
    )
    other = row.assign(**{column: [change(row[column].iloc[0])]})
    for lang in LANGUAGES:
        one, two = (hy.statements(made, CLAIMS, NAMES[lang], lang)["sentence"].iloc[0] for made in (row, other))
        assert one != two


def test_the_tables_of_the_reader_hold_the_closed_lists():
    known = tomllib.loads((HERE.parents[1] / "src" / "huying" / "data" / "units.toml").read_text("utf-8"))
    assert set(known["noun"]) == set(NOUNS) and len(known["unit"]) == 10
