"""Verbs only: what each does lies in the rooms below. Exit codes: 0 done, 1 something failed, 2 bad input or usage."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from huying import words
from huying.errors import HuyingError, InputError, Place
from huying.folder import County, county_folder, read_county
from huying.words import say

DONE, FAILED, BAD, STOPPED = 0, 1, 2, 130
JOBS = ("run", "status")  # verbs about jobs
SHOWN = 3  # rejected rows of a file that `check` spells out


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(prog="huying", description=say("cli.about"), epilog=say("cli.codes"))
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in ("check", "prepare", "freeze", "run", "status", "verify", "claims", "templates"):
        made = verbs.add_parser(verb, help=say(f"cli.{verb}"))
        made.add_argument("county", nargs="?", default="demo", help=say("cli.county"))
        made.add_argument("--json", action="store_true", help=say("cli.json"))
    for verb in JOBS:
        which = verbs.choices[verb]
        which.add_argument("--lang", choices=words.LANGUAGES, nargs="+", help=say("cli.langs"))
        which.add_argument("--towns", nargs="+", metavar="ID", help=say("cli.towns"))
        which.add_argument("--notebooks", nargs="+", metavar="NAME", help=say("cli.notebooks_wanted"))
        which.add_argument("--wave", nargs="+", help=say("cli.wave"))
        which.add_argument("--html", action="store_true", help=say("cli.html"))
    run = verbs.choices["run"]
    run.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help=say("cli.workers"))
    run.add_argument("--dry-run", action="store_true", help=say("cli.dry_run"))
    run.add_argument("--time-limit", type=float, default=600.0, metavar="SECONDS", help=say("cli.time_limit"))
    run.add_argument("--memory-limit", type=float, default=4096.0, metavar="MB", help=say("cli.memory_limit"))
    read = verbs.add_parser("read-report", help=say("cli.read_report"))
    read.add_argument("file", type=Path, metavar="FILE")
    for made, default in ((verbs.choices["templates"], None), (read, Path("report_read"))):
        made.add_argument("-o", "--output", type=Path, default=default, help=say("cli.output"))
        made.add_argument("--force", action="store_true", help=say("cli.force"))
    new = verbs.add_parser("new", help=say("cli.new"))
    new.add_argument("name", metavar="NAME", help=say("cli.new_name"))
    new.add_argument("export", type=Path, metavar="EXPORT", help=say("cli.new_export"))
    new.add_argument("number", type=Path, nargs="?", metavar="EXPORT_BY_NUMBER", help=say("cli.new_number"))
    new.add_argument("--weight", default="", metavar="COLUMN", help=say("cli.new_weight"))
    new.add_argument("--town", default="", metavar="COLUMN", help=say("cli.new_town"))
    new.add_argument("--codebook", default="", choices=("house",), help=say("cli.new_codebook"))
    for verb in ("check", "prepare", "freeze", "verify", "claims", "templates", "read-report", "new"):
        verbs.choices[verb].add_argument("--lang", choices=words.LANGUAGES, help=say("cli.lang"))
    dictionary = verbs.add_parser("dictionary", help=say("cli.dictionary"))
    dictionary.add_argument("--check", action="store_true", help=say("cli.dictionary_check"))
    dictionary.add_argument("--output", type=Path, default=Path("survey_data/README.md"))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; a defect of the input is one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    args = parser().parse_args(argv)
    if getattr(args, "lang", None):
        words.use_language(args.lang[0] if isinstance(args.lang, list) else args.lang)
    try:
        return int(globals()[f"do_{args.verb.replace('-', '_')}"](args))
    except HuyingError as error:
        print(error.say(), file=sys.stderr)
        return BAD
    except KeyboardInterrupt:
        print(say("cli.stopped"), file=sys.stderr)
        return STOPPED


def county_of(args: argparse.Namespace) -> County:
    """The county named on the command line; its language becomes the session's where none was chosen."""
    folder = county_folder(args.county)
    if not args.lang and "HUYING_LANG" not in os.environ:
        declared = re.search(rb'^\s*lang\s*=\s*"(zh|en)"', (folder / "county.toml").read_bytes(), re.M)
        words.use_language(declared[1].decode() if declared else "zh")  # before anything in the file can be at fault
    return read_county(folder)


def do_check(args: argparse.Namespace) -> int:
    """Read every file of the county by its contract and say what is wrong with each."""
    from huying.claims.decided import decided_claims
    from huying.clean.booked import say_rejected
    from huying.clean.intake import Intake
    from huying.prepare import codebook_of, derived_of

    county = county_of(args)
    book, _ = codebook_of(county), derived_of(county)
    decided_claims(county)
    intake = Intake(county, book)
    faults = list(intake.try_all())
    lines = [{"file": c["file"], "rows": c["n_read"], "kept": c["n_kept"], "rejected": c["n_rejected"], "cells": c["n_cells_set_aside"]}
             for c in intake.counts]  # fmt: skip
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
    return BAD if faults else DONE


def why_rejected(line: dict[str, Any], rejected: Any) -> str:
    """The most frequent reason for rejected rows, with a warning where more than half of the file is rejected."""
    reasons = rejected.loc[rejected["level"] == "row", "reason"].value_counts()
    if not len(reasons):
        return ""
    most = say("cli.most_rejected", reason=say(f"clean.reason_{reasons.index[0]}"), n=int(reasons.iloc[0]))
    return most + (say("cli.too_many_rejected") if line["rejected"] * 2 > line["rows"] else "")


def do_prepare(args: argparse.Namespace) -> int:
    """Clean every file and store the result."""
    from huying.prepare import clean_and_mark, results_folder

    county = county_of(args)
    total = len(county.surveys) + len(county.ledgers)
    with tqdm(total=total, desc=say("cli.preparing"), disable=args.json or None) as bar:
        cleaned = clean_and_mark(county, lambda name: bar.update())
    if args.json:
        print(cleaned.counts.to_json(orient="records", force_ascii=False))
        return DONE
    shown = ["file", "n_read", "n_kept", "n_rejected", "n_cells_set_aside", "n_flags"]
    print(cleaned.counts[shown].to_string(index=False))
    for note in cleaned.notes:
        print(say("cli.silent_town", note=note))
    print(say("cli.prepare_done", folder=results_folder(county) / "data"))
    return DONE


def do_freeze(args: argparse.Namespace) -> int:
    """Fix the rules, bars and exclusions of a county."""
    from huying.claims.frozen import freeze

    print(say("cli.frozen", file=freeze(county_of(args))))
    return DONE


def do_outputs(args: argparse.Namespace) -> int:
    """Make every output that is not fresh (`run`), count them by their state (`status`), or hash them again (`verify`)."""
    from huying.batch import verbs

    do = {"run": verbs.run_county, "status": verbs.show_status, "verify": verbs.verify}[args.verb]
    return do(county_of(args), args)


do_run = do_status = do_verify = do_outputs


def do_claims(args: argparse.Namespace) -> int:
    """Every claim by section, with the county's verdict and value, as the last run recorded them."""
    from huying.claims.declared import claims_of
    from huying.claims.judged import CANNOT_SAY
    from huying.claims.listing import list_claims
    from huying.prepare import results_folder
    from huying.store import read_parquet

    county = county_of(args)
    file = results_folder(county) / "evidence.parquet"
    if not file.is_file():
        raise InputError("cli.no_evidence", Place(str(file)), county=args.county)
    lang = "en" if args.json else words.language()  # a program reads one set of words, whatever the county speaks
    table = list_claims(read_parquet(file), claims_of(county), lang)
    if args.json:
        shown = table[["section", "text", "said", "value", "interval", "n", "reason"]].reset_index()
        print(shown.to_json(orient="records", force_ascii=False))
        return DONE
    silent = table["reason"].str.startswith(("not asked", "no data")) & (table["verdict"] == CANNOT_SAY)
    for section, rows in table[~silent].groupby("section", sort=False):
        print(say("cli.section", section=section, n=len(rows)))
        for key, row in rows.iterrows():
            print(say("cli.claim_line", claim=key, verdict=row["said"], value=row["value"], sentence=row["text"]))
    if silent.any():
        print(say("cli.not_asked", n=int(silent.sum()), claims=" ".join(table.index[silent])))
    return DONE


def do_templates(args: argparse.Namespace) -> int:
    """An empty workbook for each ledger, with drop-downs, an example row and explanations."""
    from huying.templates import write_templates

    county = county_of(args)
    folder = args.output or county.folder / "templates"
    if folder.exists() and any(folder.glob("*.xlsx")) and not args.force:
        raise InputError("cli.exists", Place(str(folder)))
    files = write_templates(county, folder, words.language())
    done = say("cli.templates_done", n=len(files), folder=folder)
    print(json.dumps([str(file) for file in files]) if args.json else done)
    return DONE


def do_read_report(args: argparse.Namespace) -> int:
    """The statements of a report that can be tested, its masks, and what contradicts itself."""
    from huying.report import report_files

    if args.output.exists() and any(args.output.iterdir()) and not args.force:
        raise InputError("cli.exists", Place(str(args.output)))
    for kind, file in report_files(args.file, args.output).items():
        print(say(f"cli.report_{kind}", file=file))
    return DONE


def do_new(args: argparse.Namespace) -> int:
    """Draft a county's folder from an export."""
    from huying.drafting.county import draft_county

    made = draft_county(args.name, args.export, args.number, weight=args.weight, town=args.town, codebook=args.codebook)
    for text in made.remarks:
        print(f"- {text(words.language())}")
    told = {"folder": made.folder, "items": made.n_items, "answers": made.n_answers, "name": args.name}
    print(say("cli.new_done", **told, next="check" if args.codebook else "run"))
    return DONE


def do_dictionary(args: argparse.Namespace) -> int:
    """Write the data dictionary, or compare it with the declarations."""
    from huying.store import write_text
    from huying.templates.dictionary import dictionary

    text = dictionary()
    if args.check:
        same = args.output.is_file() and args.output.read_text("utf-8") == text
        print(say("cli.dictionary_same" if same else "cli.dictionary_differs", file=args.output))
        return DONE if same else FAILED
    write_text(args.output, text)
    print(say("cli.drafted", file=args.output))
    return DONE
