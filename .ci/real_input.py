"""The same code on files that nobody here wrote; says so where they are not there. Run: python .ci/real_input.py FOLDER."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import huying as hy
from huying import words
from huying.clean.answers import clean_answers
from huying.clean.flags import find_straight_lines, longest_run
from huying.codebook import parse_codebook
from huying.contract import clean_text
from huying.estimates import COUNTY, Design, estimate_shares
from huying.folder import Span
from huying.places import Matcher, bare, squeeze
from huying.sources.draft import draft_codebook
from huying.sources.spss import read_labelled
from huying.sources.table import read_table
from huying.sources.wjx import read_wjx
from huying.waiting import waiting_curves
from huying.weights import Margin, rake
from run_notebook import judged

COUNTY_TOML = """[county]
id = "calls"
name_zh = "真实呼叫"
name_en = "Real calls"
lang = "en"
is_synthetic = false
sampling = "convenience"
calendar = "weekdays"

[period.all]
from = 2008-07-01
to = {last}
as_of = {last}

[[ledger]]
table = "towns"
file = "towns.csv"

[[ledger]]
table = "calls"
file = "calls.csv"
period = "all"
columns = {{ call_id = "unique_key", called_at = "created_date", dispatched_at = "created_date", closed_at = "closed_date", dept = "agency_name", town = "neighborhood", status = "status" }}
"""


def check(what: str, found: object, wanted: object) -> None:
    """Print a line and stop where it is not so."""
    print(
        f"  {'ok ' if found == wanted else 'NOT'} {what}: {found}" + ("" if found == wanted else f", wanted {wanted}")
    )
    if found != wanted:
        raise SystemExit(1)


def wjx_pair(real: Path) -> None:
    """(a) A pair of old .xls exports by text and by number, 800 answers."""
    text, number = real / "wjx_800_by_text.xls", real / "wjx_800_by_number.xls"
    items = parse_codebook(draft_codebook(text, number)).form("draft")
    answers = read_wjx(text, number, items)
    multi = [item for item in items if item.type == "multi"]
    check("multi-select cells", sum(len(item.variables) for item in multi) * len(answers.text), 19_200)
    assert answers.codes is not None
    strays = []
    for item in (item for item in items if item.type == "single"):
        pairs = pd.DataFrame(
            {"text": answers.text[item.id].map(clean_text), "code": answers.codes[item.id]}
        ).drop_duplicates()
        strays += [(item.id, code) for code, n in pairs["code"].value_counts().items() if n > 1]
        assert pairs["text"].is_unique, f"{item.id}: one text under two codes"
    check("codes with more than one text", strays, [("Q2", "10")])
    check("fill-in texts kept", int(answers.text.apply(lambda c: c.str.count("〖")).to_numpy().sum()), 9)
    blank = [name for name in answers.meta if (answers.meta[name] == "").all()]
    print(f"  blank columns of the platform: {', '.join(blank)}")
    span = Span(*(pd.Timestamp(day).date() for day in ("2000-01-01", "2030-01-01", "2030-01-01")))
    done = clean_answers(answers, items, form="draft", wave="1", span=span, towns=Matcher({}), town_order=[])
    disagree = int((done.rejected["reason"] == "exports_disagree").sum())
    check("cells that text and number disagree on", disagree, 0)
    check(
        "rows read = kept + rejected",
        (done.counts["rows_in"], len(done.rows) + done.counts["rows_rejected"]),
        (800, 800),
    )
    women = done.rows["Q3"].to_numpy(dtype=float) == 2
    age = done.rows["Q4"].to_numpy(dtype=float)
    ones = np.zeros(len(women), dtype=np.int64)
    simple = Design(ones, np.arange(len(women)), np.ones(len(women)), (COUNTY,))
    table = estimate_shares(simple, pd.DataFrame({"women": women, "30 or older": age >= 5}, dtype=float))
    print(
        table.loc[table["place"] == COUNTY, ["indicator", "estimate", "low", "high", "n"]]
        .drop_duplicates("indicator")
        .to_string(index=False)
    )
    margins = [Margin("sex", women.astype(np.int64), np.array([400.0, 400.0])),
               Margin("age", (age >= 5).astype(np.int64), np.array([500.0, 300.0]))]  # fmt: skip
    weight, sweeps = rake(np.ones(len(women)), margins)
    raked = Design(
        ones,
        np.arange(len(women)),
        weight,
        (COUNTY,),
        margins=tuple(m.category for m in margins),
        base=np.ones(len(women)),
    )
    buys = pd.DataFrame({"one phone": (done.rows["Q1"].to_numpy(dtype=float) == 1).astype(float)})
    row = estimate_shares(raked, buys).query("place == @COUNTY").iloc[-1]
    print(
        f"  raked in {sweeps} sweeps to margins that are ARBITRARY, TO EXERCISE THE CODE: {row['estimate']:.3f} ({row['low']:.3f}-{row['high']:.3f})"
    )


def calls(real: Path) -> None:
    """(b) 10,000 service requests as a call ledger with clocks of weekdays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "calls"
        folder.mkdir()
        shutil.copy(real / "sf311_calls.csv", folder / "calls.csv")
        raw = read_table(folder / "calls.csv").text
        names = sorted(set(raw["neighborhood"]) - {""})
        last = max(raw[c].max() for c in ("created_date", "closed_date", "resolution_action_updated_date"))[:10]
        register = pd.DataFrame({"town_id": [f"N{i:03d}" for i in range(len(names))], "name_zh": names, "name_en": names, "type": "town",
                                 "pop": 1, "adults": 1, "n_villages": 1})  # fmt: skip
        register.to_csv(folder / "towns.csv", index=False)
        (folder / "county.toml").write_text(COUNTY_TOML.format(last=last), encoding="utf-8")
        county = hy.county(folder, lang="en")
        cleaned = county.cleaned
        book = cleaned.rejected
        check("closed before created, set aside", int((book["reason"] == "before").sum()), 17)
        check("rows", (int(cleaned.counts.iloc[-1]["n_read"]), int(cleaned.counts.iloc[-1]["n_kept"])), (10_000, 9_983))
        evidence = judged("13", folder, draw=True)
        ledger = cleaned.ledgers["calls", "all"]
        check("open calls, censored on the last day", int((ledger["status"] == "open").sum()), 370)
        check("closed calls", int((ledger["status"] == "closed").sum()), 9_613)
        check(
            "calls whose town is blank, counted",
            int(ledger["town_id"].isna().sum()),
            int((raw["neighborhood"] == "").sum()) - blank_rejected(raw, book),
        )
        head = evidence[(evidence["claim"] == "B07") & (evidence["place"] == COUNTY) & (evidence["part"] == "")].iloc[0]
        check("B07", (head["verdict"], head["reason"]), ("cannot say", "no response time"))
        curves = waiting_curves(county.ledger("calls").dropna(subset="town_id"))
        curve = curves[curves["kind"] == "closed"]
        at_5 = curve.loc[curve["wait_days"] <= 5, "share"].iloc[-1]
        print(
            f"  closed within 5 weekdays, open calls censored: {at_5:.3f}; departments: {ledger['dept_id'].nunique()}"
        )


def blank_rejected(raw: pd.DataFrame, book: pd.DataFrame) -> int:
    """Rows set aside whose neighbourhood was blank anyway."""
    return int((raw.loc[book["row"].astype(int), "neighborhood"] == "").sum())


def streets(real: Path) -> None:
    """(c) 41,352 real names of towns, each matched within its county; dirty variants never match another town."""
    table = read_table(real / "streets.csv").text
    right = wrong = collide = asked = 0
    for _, part in table.groupby("areaCode"):
        matcher = Matcher({code: [name] for code, name in zip(part["code"], part["name"], strict=True)})
        for code, name in zip(part["code"], part["name"], strict=True):
            right += matcher.find(name)[0] == code
            for dirty in variants(name):
                found, how, _ = matcher.find(dirty)
                wrong += found not in (None, code)
                asked += how in ("unknown", "ambiguous")
        stems = pd.Series([bare(squeeze(name)) for name in part["name"]])
        clash = set(stems[stems.duplicated(keep=False)])
        for stem in clash:
            collide += 1
            found, how, candidates = matcher.find(stem)
            assert how == "ambiguous" or (found is not None and squeeze(stem) in matcher.full), (stem, how, candidates)
    check("full names right", int(right), 41_352)
    check("dirty variants matched to another town", int(wrong), 0)
    print(f"  stems that two towns of a county share, reported as ambiguous: {collide}; variants asked about: {asked}")


def variants(name: str) -> list[str]:
    """The dirt of ledgers: blanks, full width, office after the name, 街办 for 街道, the type left out."""
    dirty = [
        f" {name[0]}\u3000{name[1:]} ",
        f"{name}政府" if name.endswith(("镇", "乡")) else f"{name}办事处",
        f"{name}党委",
        f"{name[:-2]}({name[-2:]})",
    ]
    if name.endswith("街道"):
        dirty.append(name.removesuffix("街道") + "街办")
    return [*dirty, bare(name)]


def longstring(real: Path) -> None:
    """(d) Rows whose longest run of equal answers is known."""
    matrix = read_table(real / "longstring_careless.csv").text.astype(int).to_numpy()
    check("longest runs", longest_run(matrix).tolist(), [10, 20, 30, 40, 50, 60, 70, 80, 90, 10])
    flagged = find_straight_lines([[matrix[:, k] for k in range(matrix.shape[1])]], 50)
    check("flagged at 50", flagged.tolist(), [False] * 4 + [True] * 5 + [False])


def labelled(real: Path) -> None:
    """(e) SPSS and Stata files with labels, user-missing ranges and multiple-response sets."""
    for name in ("missing_test.sav", "sample.sav", "sample.dta", "sample_missing.sav", "simple_alltypes_mrs.sav"):
        found = read_labelled(real / name)
        print(
            f"  {name}: {len(found.values)} rows, labels {len(found.labels)}, user-missing {len(found.missing)}, sets {len(found.sets)}"
        )
    ranges = read_labelled(real / "sample_missing.sav")
    check("user-missing of sample_missing", sorted(ranges.missing), ["mylabl", "mynum", "myord"])
    check(
        "sets of simple_alltypes_mrs",
        sorted(read_labelled(real / "simple_alltypes_mrs.sav").sets),
        ["categorical_array", "mymrset"],
    )


def main(folder: str) -> int:
    """Run every part on the files in `folder`; 0 when all is as it should be, or when there is no such folder."""
    real = Path(folder)
    words.use_language("en")
    if not real.is_dir():
        print(f"real input: {real} is not there, so this step read nothing")
        return 0
    for part in (wjx_pair, calls, streets, longstring, labelled):
        print(f"real input {(part.__doc__ or '').strip()}")
        part(real)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
