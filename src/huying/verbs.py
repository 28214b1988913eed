"""What each verb of the command line does: prints, and returns an exit code; the work lies in the rooms below."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from huying import words
from huying.batch.cluster import run_counties
from huying.batch.jobs import DONE, FAILED, MISSING, STALE, Job, Site
from huying.batch.make import Summary, make
from huying.claims.declared import claims_of, decided_claims
from huying.claims.declared import freeze as freeze_rules
from huying.claims.rules import CANNOT_SAY
from huying.claims.worded import list_claims
from huying.clean.booked import say_rejected
from huying.clean.intake import Intake
from huying.drafting.county import draft_county
from huying.errors import InputError, Place
from huying.estimates import COUNTY
from huying.folder import County, county_folder, every_county, read_county
from huying.notebooks import find_notebooks
from huying.prepare import MADE_FROM, clean_and_mark, codebook_of, derived_of, is_fresh, results_folder
from huying.prepare import prepare as prepare_county
from huying.receipts import faults_of
from huying.report import report_files
from huying.store import locked, read_parquet, write_text
from huying.templates import write_templates
from huying.templates.dictionary import dictionary as text_of_dictionary
from huying.words import say

BAD = 2
CHECKED = {"file": "file", "rows": "n_read", "kept": "n_kept", "rejected": "n_rejected", "cells": "n_cells_set_aside"}
SHOWN = 3  # rejected rows of a file that `check` spells out
PLAIN_S = 10.0  # between two lines of progress where there is no terminal
ORPHAN_S = 3600.0  # the command of a lost worker may still be at work on its county: the next one waits for it
PASSED_ON = ("towns", "notebooks", "wave", "lang", "workers", "time_limit", "memory_limit", "wait")


def county_of(args: argparse.Namespace) -> County:
    """The county named on the command line; its language becomes the session's where none was chosen."""
    folder = county_folder(args.county)
    if not args.lang and "HUYING_LANG" not in os.environ:
        declared = re.search(rb'^\s*lang\s*=\s*"(zh|en)"', (folder / "county.toml").read_bytes(), re.M)
        words.use_language(declared[1].decode() if declared else "zh")  # before anything in the file can be at fault
    return read_county(folder)


def check(args: argparse.Namespace) -> int:
    """Read every file of the county by its contract and say what is wrong with each."""
    county = county_of(args)
    book, _ = codebook_of(county), derived_of(county)
    decided_claims(county)
    intake = Intake(county, book)
    faults = list(intake.try_all())
    lines = [{name: counts[of] for name, of in CHECKED.items()} for counts in intake.counts]
    if args.json:
        print(json.dumps({"files": lines, "errors": [fault.say() for fault in faults]}, ensure_ascii=False))
    else:
        for line, rejected in zip(lines, intake.rejected, strict=True):
            print(say("cli.checked", **line) + why_rejected(line, rejected))
            for entry in rejected[rejected["level"] == "row"].head(SHOWN).to_dict("records"):
                print("  " + say_rejected(entry))
        for fault in faults:
            print(fault.say(), file=sys.stderr)
        print(say("cli.check_done", n=len(lines), faults=len(faults)))
    return BAD if faults else 0


def why_rejected(line: dict[str, Any], rejected: Any) -> str:
    """The most frequent reason for rejected rows, with a warning where more than half of the file is rejected."""
    reasons = rejected.loc[rejected["level"] == "row", "reason"].value_counts()
    if not len(reasons):
        return ""
    most = say("cli.most_rejected", reason=say(f"clean.reason_{reasons.index[0]}"), n=int(reasons.iloc[0]))
    return most + (say("cli.too_many_rejected") if line["rejected"] * 2 > line["rows"] else "")


def prepare(args: argparse.Namespace) -> None:
    """Clean every file and store the result."""
    county = county_of(args)
    with progress(len(county.surveys) + len(county.ledgers), "cli.preparing", args) as bar:
        cleaned = clean_and_mark(county, lambda name: bar.update())
    if args.json:
        print(cleaned.counts.to_json(orient="records", force_ascii=False))
        return
    shown = ["file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags"]
    print(cleaned.counts[shown].to_string(index=False))
    for note in cleaned.notes:
        print(say("cli.silent_town", note=note))
    print(say("cli.prepare_done", folder=results_folder(county) / "data"))


def freeze(args: argparse.Namespace) -> None:
    """Fix the rules, bars and exclusions of a county."""
    print(say("cli.frozen", file=freeze_rules(county_of(args))))


def run(args: argparse.Namespace) -> int:
    """Make every output that is not fresh, of one county or of many; 1 where one failed."""
    names = every_county() if args.all else [args.county] if isinstance(args.county, str) else args.county
    if args.all or args.scheduler or len(names) > 1:
        return run_many([str(county_folder(name).resolve()) for name in names], args)
    args.county = names[0]
    if args.dry_run:
        return status(args)
    county = county_of(args)
    with locked(results_folder(county), args.wait):
        with progress(len(county.surveys) + len(county.ledgers), "cli.preparing", args) as bar:
            prepare_county(county, lambda name: bar.update())
        site = Site(county)
        jobs = jobs_of(site, args)
        if not args.json:
            left = [notebook.name for notebook in find_notebooks(site.folder) if notebook not in site.speaking]
            if left and not args.notebooks:
                print(say("cli.nothing_to_say", n=len(left), names=", ".join(left)))
            print(say("cli.begin", n=len(jobs), waves=", ".join(dict.fromkeys(job.wave for job in jobs))))
        with progress(len(jobs), "cli.notebooks", args) as bar:
            limits = {"workers": max(1, args.workers), "seconds": args.time_limit, "megabytes": args.memory_limit}
            summary = make(site, jobs, bar.update, **limits)
    return tell(site, summary, args)


def jobs_of(site: Site, args: argparse.Namespace) -> list[Job]:
    """The jobs that the command line asks for."""
    return site.jobs(args.notebooks, args.towns, args.wave, args.lang, args.html)


def progress(total: int, key: str, args: argparse.Namespace) -> Any:
    """A bar on a terminal, a line now and then elsewhere, nothing for a program."""
    pause = 0.1 if sys.stderr.isatty() else PLAIN_S
    return tqdm(total=total, desc=say(key), unit="", disable=args.json, mininterval=pause, miniters=1)


def tell(site: Site, summary: Summary, args: argparse.Namespace) -> int:
    """Print how a run ended, each failure with the command that runs it alone, and the first file to open."""
    made = [*summary.fresh, *summary.done]
    made.sort(key=lambda job: (job.place != COUNTY, -job.stage, job.name.startswith("00")))
    told: dict[str, Any] = {name: len(getattr(summary, name)) for name in ("done", "fresh", "failed", "claims")}
    if any(job.is_recording for job in summary.failed):
        told["lacking"] = " ".join(key for key in claims_of(site.county) if key not in summary.claims)
    told["open"] = "".join(str(site.page(job) if job.has_page else site.notebook(job.name)) for job in made[:1])
    failures = [failure_of(job, failure, args) for job, failure in summary.failed.items()]
    for failure in failures if not args.json else ():
        print(say("cli.failed", **failure), file=sys.stderr)
    lines = [say(f"cli.run_{name}", value=value) for name, value in told.items()]
    return said(args, {**told, "failures": failures}, lines, failures)


def failure_of(job: Job, failure: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Place, notebook, cell and error of a job that failed, and the command that runs it alone."""
    which = ["--towns", job.place, "--notebooks", job.notebook.name, *(["--wave", job.wave] if job.wave else [])]
    again = subprocess.list2cmdline(["python", "-m", "huying", "run", args.county, *which, "--lang", job.lang])
    return {"place": job.place, "notebook": job.notebook.name, **failure, "again": again}


def run_many(folders: list[str], args: argparse.Namespace) -> int:
    """Run every county by a command of its own and say how each ended; 1 where one failed."""
    args.wait = args.wait or (ORPHAN_S if args.scheduler else 0)
    options = ["--html"] if args.html else []
    for name in PASSED_ON:
        if value := getattr(args, name):
            options += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
    told = {}
    with progress(len(folders), "cli.counties", args) as bar:
        for folder, found in run_counties(folders, options, args.scheduler):
            told[folder] = found
            bar.update()
            if found["code"] and not args.json:
                again = subprocess.list2cmdline(["python", "-m", "huying", "run", folder, *options])
                print(say("cli.county_failed", county=folder, error=found["error"], again=again), file=sys.stderr)
    failed = [folder for folder, found in told.items() if found["code"]]
    return said(args, told, [say("cli.counties_done", n=len(told), failed=len(failed))], failed)


def status(args: argparse.Namespace) -> int:
    """Print how many jobs are done, stale, missing or failed, and which are not done."""
    county = county_of(args)
    if not is_fresh(county):
        return said(args, {"county": "stale"}, [say("cli.unprepared")])
    site = Site(county)
    states = {job.name: site.state(job) for job in jobs_of(site, args)}
    left = {name: say(f"cli.is_{state}") for name, state in states.items() if state != DONE}
    lines = [say("cli.state", job=name, state=state) for name, state in left.items()]
    totals = {state: list(states.values()).count(state) for state in (DONE, STALE, MISSING, FAILED)}
    return said(args, {**totals, "jobs": states}, [*lines, say("cli.stands", n=len(states), **totals)])


def verify(args: argparse.Namespace) -> int:
    """Hash every output that has a receipt again; 1 where one is not what its receipt says."""
    site = Site(county_of(args))
    found = [file for file in sorted((site.results / "receipts").glob("*.json")) if ".failed" not in file.suffixes]
    prepared = site.results / MADE_FROM
    found += [prepared] if prepared.parent.is_dir() else []  # what was never made is no fault
    faults = {file.stem: wrong for file in found if (wrong := faults_of(file, site.results))}
    lines = [say("cli.verify_fault", job=name, what=", ".join(wrong)) for name, wrong in faults.items()]
    lines.append(say("cli.verified", n=len(found), faults=len(faults)))
    return said(args, {"checked": len(found), "faults": faults}, lines, faults)


def said(args: argparse.Namespace, value: Any, lines: Iterable[str], faults: object = ()) -> int:
    """Print for a program or for a person; 1 where there are faults."""
    print(json.dumps(value, ensure_ascii=False) if args.json else "\n".join(lines))
    return int(bool(faults))


def claims(args: argparse.Namespace) -> None:
    """Every claim by section, with the county's verdict and value, as the last run recorded them."""
    county = county_of(args)
    file = results_folder(county) / "evidence.parquet"
    if not file.is_file():
        raise InputError("cli.no_evidence", Place(str(file)), county=args.county)
    lang = "en" if args.json else words.language()  # a program reads one set of words, whatever the county speaks
    table = list_claims(read_parquet(file), claims_of(county), lang)
    if args.json:
        shown = table[["section", "text", "said", "value", "interval", "n", "reason"]].reset_index()
        print(shown.to_json(orient="records", force_ascii=False))
        return
    silent = table["reason"].str.startswith(("not asked", "no data")) & (table["verdict"] == CANNOT_SAY)
    for section, rows in table[~silent].groupby("section", sort=False):
        print(say("cli.section", section=section, n=len(rows)))
        for key, row in rows.iterrows():
            print(say("cli.claim_line", claim=key, verdict=row["said"], value=row["value"], sentence=row["text"]))
    if silent.any():
        print(say("cli.not_asked", n=int(silent.sum()), claims=" ".join(table.index[silent])))


def templates(args: argparse.Namespace) -> None:
    """An empty workbook for each ledger, with drop-downs, an example row and explanations."""
    county = county_of(args)
    folder = args.output or county.folder / "templates"
    if folder.exists() and any(folder.glob("*.xlsx")) and not args.force:
        raise InputError("cli.exists", Place(str(folder)))
    files = write_templates(county, folder, words.language())
    said(args, [str(file) for file in files], [say("cli.templates_done", n=len(files), folder=folder)])


def read_report(args: argparse.Namespace) -> None:
    """The statements of a report that can be tested, its masks, and what contradicts itself."""
    for kind, file in report_files(args.file, args.output).items():
        print(say(f"cli.report_{kind}", file=file))


def new(args: argparse.Namespace) -> None:
    """Draft a county's folder from an export."""
    made = draft_county(args.name, args.export, args.number, weight=args.weight, town=args.town, codebook=args.codebook)
    for text in made.remarks:
        print(f"- {text(words.language())}")
    told = {"folder": made.folder, "items": made.n_items, "answers": made.n_answers, "name": args.name}
    print(say("cli.new_done", **told, next="check" if args.codebook else "run"))


def dictionary(args: argparse.Namespace) -> int:
    """Write the data dictionary, or compare it with the declarations."""
    text = text_of_dictionary()
    if args.check:
        same = args.output.is_file() and args.output.read_text("utf-8") == text
        print(say("cli.dictionary_same" if same else "cli.dictionary_differs", file=args.output))
        return int(not same)
    write_text(args.output, text)
    print(say("cli.drafted", file=args.output))
    return 0
