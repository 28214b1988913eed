"""The same code on files that nobody here wrote; says so where they are not there. Run: python .ci/real_input.py FOLDER."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyreadstat

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import huying as hy
from huying import cli, words
from huying.clean.cells import Matcher, bare, squeeze
from huying.clean.flags import find_straight_lines, longest_run
from huying.codebook import Item
from huying.estimates import COUNTY
from huying.sources.exports import read_labelled
from huying.sources.table import read_table
from huying.waiting import waiting_curves
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


def surveys(real: Path) -> None:
    """(a) Exports made by others through `new` and `run`: every topline count equals one made here by plain pandas."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HUYING_HOME": home, "HUYING_RESULTS": f"{home}/results"}
        (Path(home) / "survey_data").mkdir()
        text, number = real / "wjx_800_by_text.xls", real / "wjx_800_by_number.xls"
        for name, files, truth in (
            ("pair", (text, number), words_of_wjx(text)),
            ("words", (text,), words_of_wjx(text)),
            *(
                (file.stem, (file,), labels_of(file))
                for file in sorted(real.glob("*s*.sav"))
                if "test" not in file.stem
            ),
            ("stata", (real / "sample.dta",), labels_of(real / "sample.dta")),
            ("careless", (real / "longstring_careless.csv",), pd.read_csv(real / "longstring_careless.csv", dtype=str)),
        ):
            codes = [cli.main(["new", name, *map(str, files), "--lang", "en"]), cli.main(["run", name, "--lang", "en"])]
            check(f"{name}: new and run", codes, [0, 0])
            survey = hy.county(name, lang="zh").survey("resident")
            wrong = [
                item.name for item in survey.book.form("resident") if counted(survey, item) != expected(truth, item)
            ]
            check(f"{name}: questions whose counts differ, of {len(survey.questions())}", wrong, [])
        del os.environ["HUYING_HOME"], os.environ["HUYING_RESULTS"]


def words_of_wjx(file: Path) -> pd.DataFrame:
    """The answers of an export by text, without the words that were filled in."""
    table = pd.read_excel(file, dtype=str, engine="calamine").fillna("")
    return table.rename(columns=lambda name: " ".join(name.split())).apply(
        lambda c: c.str.replace("〖.*?〗", "", regex=True)
    )


def labels_of(file: Path) -> pd.DataFrame:
    """The answers of a labelled file in words, what it declares as missing left out."""
    read = pyreadstat.read_dta if file.suffix == ".dta" else pyreadstat.read_sav
    table, _ = read(str(file), apply_value_formats=True)
    return table.astype(object)


def counted(survey: hy.survey.Survey, item: Item) -> dict[str, int]:
    """How often each answer occurs by the topline, in the words of the export."""
    named = {option.key: option.text.zh for option in item.options}
    if item.type in ("text", "date", "number", "whole"):
        return {str(n): 0 for n in [survey.frame[item.name].notna().sum()]}
    rows = survey.topline(item.name)
    named |= {column: option.text.zh for column, option in zip(item.columns, item.options, strict=False)}
    return {named[answer]: int(n) for answer, n in zip(rows["answer"], rows["count"], strict=True) if n}


def expected(truth: pd.DataFrame, item: Item) -> dict[str, int]:
    """The same from the file itself."""
    columns = [truth[header].dropna().astype(str).loc[lambda cells: cells != ""] for header in item.headers]
    if item.type in ("text", "date", "number", "whole"):
        return {str(len(columns[0])): 0}
    if item.type == "multi" and len(columns) == 1:
        return columns[0].str.split("┋").explode().value_counts().to_dict()
    if item.type == "multi" and set(pd.concat(columns)) <= {"0.0", "1.0"}:
        return {
            o.text.zh: int((c == "1.0").sum()) for o, c in zip(item.options, columns, strict=True) if (c == "1.0").any()
        }
    people = pd.concat(columns).reset_index().drop_duplicates()
    return people.iloc[:, 1].map(lambda text: text.removesuffix(".0")).value_counts().to_dict()


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
        check("closed before created: the time set aside, the call kept", int((book["reason"] == "before").sum()), 17)
        check(
            "rows", (int(cleaned.counts.iloc[-1]["n_read"]), int(cleaned.counts.iloc[-1]["n_kept"])), (10_000, 10_000)
        )
        evidence = judged("13", folder, draw=True)
        ledger = cleaned.ledgers["calls", "all"]
        check("open calls, censored on the last day", int((ledger["status"] == "open").sum()), 370)
        check("closed calls", int((ledger["status"] == "closed").sum()), 9_630)
        check(
            "calls whose town is blank, counted",
            int(ledger["town_id"].isna().sum()),
            int((raw["neighborhood"] == "").sum()),
        )
        head = evidence[(evidence["claim"] == "B07") & (evidence["place"] == COUNTY) & (evidence["part"] == "")].iloc[0]
        check("B07", (head["verdict"], head["reason"]), ("cannot say", "no response time"))
        curves = waiting_curves(county.ledger("calls").dropna(subset="town_id"))
        curve = curves[curves["kind"] == "closed"]
        at_5 = curve.loc[curve["wait_days"] <= 5, "share"].iloc[-1]
        print(
            f"  closed within 5 weekdays, open calls censored: {at_5:.3f}; departments: {ledger['dept_id'].nunique()}"
        )


def streets(real: Path) -> None:
    """(c) 41,352 real names of towns, each matched within its county; dirty variants never match another town."""
    table = read_table(real / "streets.csv").text
    right = wrong = collide = asked = 0
    for _, part in table.groupby("areaCode"):
        matcher = Matcher({code: [name] for code, name in zip(part["code"], part["name"], strict=True)})
        for code, name in zip(part["code"], part["name"], strict=True):
            right += matcher.find(name)[0] == code
            for dirty in variants(name):
                found, how = matcher.find(dirty)
                wrong += found not in (None, code)
                asked += how in ("unknown", "ambiguous")
        stems = pd.Series([bare(squeeze(name)) for name in part["name"]])
        clash = set(stems[stems.duplicated(keep=False)])
        for stem in clash:
            collide += 1
            found, how = matcher.find(stem)
            assert how == "ambiguous" or (found is not None and squeeze(stem) in matcher.full), (stem, how)
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
        found = read_labelled(real / name, (real / name).read_bytes())
        print(
            f"  {name}: {len(found.values)} rows, labels {len(found.labels)}, user-missing {len(found.missing)}, sets {len(found.sets)}"
        )
    ranges, sets = (
        read_labelled(real / name, (real / name).read_bytes())
        for name in ("sample_missing.sav", "simple_alltypes_mrs.sav")
    )
    check("user-missing of sample_missing", sorted(ranges.missing), ["mylabl", "mynum", "myord"])
    check("sets of simple_alltypes_mrs", sorted(sets.sets), ["categorical_array", "mymrset"])


def main(folder: str) -> int:
    """Run every part on the files in `folder`; 0 when all is as it should be, or when there is no such folder."""
    real = Path(folder)
    words.use_language("en")
    if not real.is_dir():
        print(f"real input: {real} is not there, so this step read nothing")
        return 0
    for part in (surveys, calls, streets, longstring, labelled):
        print(f"real input {(part.__doc__ or '').strip()}")
        part(real)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
