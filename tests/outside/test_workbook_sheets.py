"""Every sheet of the workbook as LibreOffice shows it, cell by cell against the evidence ledger, read by code of its own. Run by `make outside`."""

import csv
import functools
import io
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from delivered import COUNTIES, DATA, DEMO, RESULTS, claims, folder, ledger, names, words
from reading import MULTIPLIED, NOUNS, NUMBER, UNITS, VERDICTS, is_as, noun_of

LANGUAGES = ("zh", "en")
# Comma, quote, UTF-8, from the first line; numbers as they are shown; a file for each sheet.
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
SHEETS = {
    "demo": ["evidence", "towns_value", "towns_verdict", "departments_value", "departments_verdict", "topline", "counts", "rejected", "flags", "dictionary"],
    "invented": ["evidence", "towns_value", "towns_verdict", "counts", "dictionary"],  # no headline is a department's
}  # fmt: skip
UNIT_WORDS = {
    "zh": {"share": "%", "points": "个百分点", "per_thousand": "每千人人", "ratio": "倍", "days": "天", "months": "个月", "score": "分",
           "score_points": "分差", "index": ""},
    "en": {"share": "%", "points": "percentage points", "per_thousand": "per thousand residents", "ratio": "times", "days": "days",
           "months": "months", "score": "points", "score_points": "score points", "index": ""},
}  # fmt: skip
WHEN = {"zh": {"wave": "{}年调查", "period": "{}年台账"}, "en": {"wave": "{} survey", "period": "{} ledgers"}}
VERDICT_WORDS = {lang: {verdict: word for word, verdict in told.items()} for lang, told in VERDICTS.items()}


def book(county, lang):
    return folder(county) / "workbook" / f"workbook_{lang}.xlsx"


@functools.cache
def sheets(county, lang):
    """The cells of every sheet as LibreOffice shows them, by the sheet's key; the first two rows are its heading and its link."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.fail("no LibreOffice on this computer: install it (Debian: apt-get install libreoffice-calc)")
    made = Path(tempfile.mkdtemp(prefix="sheets-"))
    command = [office, "--headless", f"-env:UserInstallation=file://{made}/profile", "--convert-to", FILTER]
    subprocess.run(
        [*command, "--outdir", str(made), str(book(county, lang))], check=True, timeout=240, capture_output=True
    )
    titles = {one[lang]: key for key, one in words("workbook").items() if not key.startswith(("about", "column"))}
    found = {titles[file.stem.partition("-")[2]]: file for file in made.glob("*.csv")}
    return {key: list(csv.reader(io.StringIO(file.read_text("utf-8"), newline=""))) for key, file in found.items()}


def table(county, lang, sheet):
    """The rows below the header of a sheet by the key of their column, the id of a claim where the column is one's."""
    _, _, heads, *rows = sheets(county, lang)[sheet]
    keys = {
        one[lang]: name.removeprefix("column_") for name, one in words("workbook").items() if name.startswith("column_")
    }
    named = [keys.get(head) or head.split(" ")[0] for head in heads]
    assert len(named) == len(set(named))
    return [dict(zip(named, row, strict=True)) for row in rows]


def is_number(cell, value, unit):
    """Whether a cell shows a number, a per cent with its sign, rounded to the digits that it has."""
    shown = cell.removesuffix("%")
    return bool(re.fullmatch(NUMBER, shown)) and cell.endswith("%") == (unit == "share") and is_as(shown, value, unit)


def is_stated(row):
    return pd.notna(row["estimate"]) and row["reliability"] != "too few answers"


def shows(cell, row, value):
    """Whether a cell shows a value of a row: a number; an asterisk where too few answered; nothing where there is none."""
    if pd.isna(value):
        return cell == ""
    return is_number(cell, value, row["unit"]) if is_stated(row) else cell == "*"


def limits_of(row):
    own = (row["low_family"], row["high_family"])
    return (row["low"], row["high"]) if all(map(pd.isna, own)) else own


def thresholds_of(row):
    """What may stand in the rule of a row, in per cent where the rule is of a share."""
    claim = claims()[row["claim"]]
    rules = [claim, *claim.get("subs", {}).values()]
    found = {float(rule[key]) for rule in rules for key in ("threshold", "town_threshold", "least") if key in rule}
    return found | {round(100 * one, 9) for one in found} | {1.0}


def faults_of(cells, row, county, lang):
    """The cells of a line of the evidence that say otherwise than the row of the ledger."""
    claim, (low, high) = claims()[row["claim"]], limits_of(row)
    nouns = {
        claim.get("counts", ""),
        row["n_of"],
        noun_of(cells["unit"], lang) if row["part"] else "",
    }  # a part may count something else
    unit = UNIT_WORDS[lang].get(row["unit"])
    when = ("wave", row["wave"]) if row["wave"] else ("period", row["period"])
    interval = re.sub("95%(?=置信| CI)", "", cells["interval"])
    told_interval = sorted(float(one) for one in re.findall(NUMBER, interval))
    nouns_of = "|".join(both[lang == "en"] for both in NOUNS.values())
    pattern = {**UNITS[lang], "count": f" ?(?:{nouns_of})"}.get(row["unit"], "人")  # 每千人3人
    in_units = re.findall(rf"{NUMBER}(?:{pattern})", interval)
    known = sorted(one * MULTIPLIED.get(row["unit"], 1) for one in (low, high) if pd.notna(one))
    has_text = row["part"] or row["place"] == "county" or "town" not in claim
    right = {
        "claim": cells["claim"] == row["claim"],
        "place": cells["place"] == row["place"],
        "place_name": cells["place_name"] == names(county, lang).get(row["place"], row["place"]),
        "text": bool(cells["text"]) if has_text else cells["place_name"] in cells["text"],
        "when": cells["when"] == (WHEN[lang][when[0]].format(when[1]) if when[1] else ""),
        "value": shows(cells["value"], row, row["estimate"]),
        "low": shows(cells["low"], row, low),
        "high": shows(cells["high"], row, high),
        "unit": cells["unit"] == unit if unit is not None else noun_of(cells["unit"], lang) in nouns,
        "n": float(cells["n"] or "nan") == row["n"] if pd.notna(row["n"]) else cells["n"] == "",
        "n_of": noun_of(cells["n_of"], lang) == row["n_of"],
        "verdict": cells["verdict"] == VERDICT_WORDS[lang].get(row["verdict_family"] or row["verdict"], ""),
        "unit of the interval": len(in_units) == len(told_interval),
        "interval": not told_interval
        or all(abs(a - b) <= 0.5 for a, b in zip(told_interval, known, strict=len(told_interval) == 2)),
        "threshold": {float(one) for one in re.findall(NUMBER, cells["threshold"])} <= thresholds_of(row),
        "base": not claim.get("base") or bool(cells["base"]),
        "measure": bool(cells["measure"]),
        "source": bool(cells["source"]),
        "caution": bool(cells["caution"]) or not (row["reason"] or row["remark"]),
        "rule_frozen_on": cells["rule_frozen_on"] == row.get("rule_frozen_on", ""),
    }
    return [(name, cells.get(name, interval)) for name, is_right in right.items() if not is_right]


def faults(county, lang, rows):
    """The faults of the sheet of evidence against a ledger."""
    told = table(county, lang, "evidence")
    assert len(told) == len(rows)
    pairs = zip(told, rows.to_dict("records"), strict=True)
    return [(n, bad) for n, (cells, row) in enumerate(pairs) if (bad := faults_of(cells, row, county, lang))]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_every_cell_of_the_evidence_is_the_ledgers(county, lang):
    found = faults(county, lang, ledger(county))
    assert not found, (len(found), found[:8])


def other(value):
    return value * 0.9 + 0.0123 if isinstance(value, float) else "supported" if value == "cannot say" else "cannot say"


@pytest.mark.parametrize("column", ["estimate", "low_family", "n", "unit", "n_of", "verdict_family", "wave", "place"])
def test_one_changed_cell_of_the_ledger_is_found(column):
    rows = ledger("demo").copy()
    is_one = (rows["claim"] == "P16") & (rows["place"] == "T07") & (rows["part"] == "") & (rows["wave"] == "2023")
    (at,) = rows.index[is_one]
    changed = {"unit": "ratio", "n_of": "loans", "wave": "2031", "place": "T08"}
    rows.loc[at, column] = changed.get(column) or other(rows.loc[at, column])
    for lang in LANGUAGES:
        assert [n for n, _ in faults("demo", lang, rows)] == [rows.index.get_loc(at)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["towns", "departments"])
@pytest.mark.parametrize("county", COUNTIES)
def test_places_across_claims_are_the_ledgers(county, kind, lang):
    """Each cell: the claim's latest headline at the place that has a value, its number as it is, its verdict after the adjustment."""
    heads = ledger(county)
    heads = heads[heads["part"] == ""]
    heads = heads.assign(
        at=heads["wave"].where(heads["wave"] != "", heads["period"]), has=heads.apply(is_stated, axis=1)
    )
    heads = heads.sort_values(["has", "at"], kind="stable")
    latest = {(row["claim"], row["place"]): row for row in heads.to_dict("records")}
    letter, wrong, n = kind[0].replace("d", "k").upper(), [], 0
    places = [key for key in names(county, lang) if key[0] == letter]
    if not (known := {claim for claim, place in latest if place in places}):
        assert not {f"{kind}_value", f"{kind}_verdict"} & set(sheets(county, lang))
        return
    values, verdicts = (table(county, lang, f"{kind}_{one}") for one in ("value", "verdict"))
    assert [row["place"] for row in values] == [*places, "county"] == [row["place"] for row in verdicts]
    for value, verdict in zip(values, verdicts, strict=True):
        place = value["place"]
        assert set(value) - {"place", "place_name"} == known == set(verdict) - {"place", "place_name"}
        assert value["place_name"] == verdict["place_name"] == names(county, lang)[place]
        for claim in known:
            row, n = latest.get((claim, place)), n + 1
            if row is None:
                wrong += [(place, claim)] * bool(value[claim] or verdict[claim])
                continue
            word = VERDICT_WORDS[lang].get(row["verdict_family"] or row["verdict"], "")
            if not (shows(value[claim], row, row["estimate"]) and verdict[claim] == word):
                wrong.append((place, claim, value[claim], row["estimate"], verdict[claim], word))
    assert n > 20 and not wrong, (len(wrong), wrong[:8])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("county", COUNTIES)
def test_no_formula_and_every_number_is_held_whole(county, lang):
    held = openpyxl.load_workbook(book(county, lang))
    assert [
        cell.coordinate for page in held for line in page.iter_rows() for cell in line if cell.data_type == "f"
    ] == []
    assert set(sheets(county, lang)) == {"cover", "notes", *SHEETS[county]}
    page = held[words("workbook")["evidence"][lang]]
    heads = {cell.value: n for n, cell in enumerate(page[3])}
    at = heads[words("workbook")["column_value"][lang]]
    for line, row in zip(page.iter_rows(min_row=4, values_only=True), ledger(county).to_dict("records"), strict=True):
        if is_stated(row):
            times = 100 if row["unit"] == "points" else 1
            assert line[at] == pytest.approx(row["estimate"] * times, rel=1e-12, abs=1e-15), (line[:4], row["estimate"])


def stored(name):
    return list(csv.DictReader((RESULTS / f"{name}.csv").read_text("utf-8-sig").splitlines()))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_accounts_are_those_of_the_run(lang):
    rows = stored("counts")
    told = table("demo", lang, "counts")
    assert [[cell for cell in row.values() if re.fullmatch(r"\d+", cell)] for row in told] == [
        [cell for cell in row.values() if cell.isdigit()] for row in rows
    ]
    assert [row["file"] for row in told] == [row["file"] for row in rows]
    for name, keys in (("rejected", ("file", "reason", "level")), ("flags", ("file", "flag"))):
        wanted = Counter(tuple(row[key] for key in keys) for row in stored(name))
        told = table("demo", lang, name)
        assert Counter((row["file"], int(row["count"])) for row in told) == Counter(
            (key[0], n) for key, n in wanted.items()
        )
        if lang == "zh":
            assert not any(re.search("[a-z]{3}", row[key]) for row in told for key in keys[1:])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_topline_is_counted_from_the_forms(lang):
    """The count of every answer of a single choice, of the wave's forms that no flag excludes; wording and answer are those of the form."""
    items = tomllib.loads((DATA / "codebook.toml").read_text("utf-8"))["item"]
    items = {(words("labels")[f"form_{item['form']}"][lang], item["name"]): item for item in items}
    excluded = tomllib.loads((DEMO / "county.toml").read_text("utf-8"))["exclude"]["flags"]
    gone = {row["row_id"] for row in stored("flags") if row["flag"] in excluded}
    told, checked = table("demo", lang, "topline"), 0
    for row in told:
        item, at = items[row["form"], row["question"]], (row["form"], row["question"], row["answer"])
        ends = [float(row[key].removesuffix("%")) for key in ("low", "share", "high") if row[key] not in ("", "*")]
        assert ends == sorted(ends) and row["text"] == item[lang], at
        own = {option[lang]: option["code"] for option in item.get("options", ())}
        assert row["answer"] in own or "options_from" in item or "scale" in item["type"], at
        if item["type"] == "single" and row["count"]:  # leaders' counts that would tell who answered are left out
            frame = pd.read_parquet(RESULTS / "data" / "forms" / f"{item['form']}.parquet")
            frame = frame[frame["wave"].astype(str).eq(row["wave"]) & ~frame["row_id"].isin(gone)]
            frame = frame[frame["disposition"] == "complete"]
            assert int(row["count"]) == frame[item["id"]].astype(float).eq(own[row["answer"]]).sum(), at
            checked += 1
    assert len(told) > 200 and checked > 60


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_dictionary_holds_every_question_and_option(lang):
    items = tomllib.loads((DATA / "codebook.toml").read_text("utf-8"))["item"]
    told = table("demo", lang, "dictionary")
    assert list(dict.fromkeys(row["item"] for row in told)) == [item["id"] for item in items]
    for item in items:
        rows = [row for row in told if row["item"] == item["id"]]
        assert all(item[lang] == row["text"] for row in rows)
        assert all(f"{option['key']}: {option[lang]}" in rows[0]["answer"] for option in item.get("options", []))
