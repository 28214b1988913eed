"""The verbs about a county's files: each prints, may return an exit code, and imports what is slow to import where it needs it."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tqdm import tqdm

from huying.clean.flags import say_note, say_rejected
from huying.clean.intake import Intake
from huying.folder import County, county_folder, read_county
from huying.labels import COUNTY
from huying.prepare import clean_and_mark, codebook_of, results_folder
from huying.store import read_parquet, write_text
from huying.words import HuyingError, InputError, Place, language, say, use_language
from huying.workdays import calendar

CHECKED = {"file": "file", "rows": "n_read", "kept": "n_kept", "rejected": "n_rejected", "cells": "n_cells_set_aside"}


def county_of(args: argparse.Namespace) -> County:
    """The county named on the command line; its language becomes the session's where none was chosen."""
    folder = county_folder(args.county)
    if not args.lang and "HUYING_LANG" not in os.environ:
        declared = re.search(rb'^\s*lang\s*=\s*"(zh|en)"', (folder / "county.toml").read_bytes(), re.M)
        use_language(declared[1].decode() if declared else "zh")  # before anything in the file can be at fault
    return read_county(folder)


def check(args: argparse.Namespace) -> int:
    """Read every file of the county by its contract and say what is wrong with each."""
    from huying.claims.declared import decided_claims
    from huying.surveys import find_shortfalls

    county = county_of(args)
    decided_claims(county)
    intake = Intake(county, codebook_of(county))
    faults = [fault.say() for fault in (*intake.try_all(), *look_further(county, intake))]
    cleaned = intake.gather() if intake.counts else None
    short = find_shortfalls(cleaned, county, intake.book).to_dict("records") if cleaned and not faults else []
    faults += [say("cli.shortfall", **row) for row in short if row["is_fault"]]
    notes = intake.noted().to_dict("records")
    told = [say_note(note) for note in notes] + [say("cli.shortfall", **row) for row in short if not row["is_fault"]]
    lines = [{name: counts[of] for name, of in CHECKED.items()} for counts in intake.counts]
    if args.json:
        print(json.dumps({"files": lines, "notes": notes, "errors": faults}, ensure_ascii=False))
    else:
        for line, rejected in zip(lines, intake.rejected, strict=True):
            print(say("cli.checked", **line) + why_rejected(line, rejected))
            # So many rejected rows of a file are spelt out.
            for entry in rejected[rejected["level"] == "row"].head(3).to_dict("records"):
                print("  " + say_rejected(entry))
        print(*told, sep="\n", end="\n" * bool(told))
        print(*faults, sep="\n", end="\n" * bool(faults), file=sys.stderr)
        print(say("cli.check_done", n=len(lines), faults=len(faults)))
    return 2 * bool(faults)


def look_further(county: County, intake: Intake) -> Iterator[HuyingError]:
    """What else a run would stumble over: the calendar, the frozen rules, the report, the evidence, the county's own variables."""
    from huying.claims.declared import read_freeze
    from huying.report import check_quotes, read_report as text_of_report
    from huying.surveys import check_variables

    file = results_folder(county) / "evidence.parquet"
    looks: dict[Callable[..., object], tuple[Any, ...]] = {calendar: (county.calendar, county.calendar_file)}
    looks |= {read_freeze: (county,), check_variables: (county, intake.book, intake.ledgers)}
    looks |= {text_of_report: (county.report,)} if county.report else {}
    looks |= {check_quotes: (county,)} | ({read_parquet: (file,)} if file.is_file() else {})
    for look, what in looks.items():
        try:
            look(*what)
        except HuyingError as error:
            yield error


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
    print(cleaned.counts[shown].to_string(index=False), *map(say_note, cleaned.notes.to_dict("records")), sep="\n")
    print(say("cli.prepare_done", folder=results_folder(county) / "data"))


def freeze(args: argparse.Namespace) -> None:
    """Fix the rules, thresholds and exclusions of a county."""
    from huying.claims.declared import freeze as freeze_rules

    print(say("cli.frozen", file=freeze_rules(county_of(args))))


def progress(total: int, key: str, args: argparse.Namespace) -> Any:
    """A bar on a terminal, a line now and then elsewhere, nothing for a program."""
    # The longer pause is for lines of progress where there is no terminal.
    pause = 0.1 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, desc=say(key), unit="", disable=args.json, mininterval=pause, miniters=1)


def said(args: argparse.Namespace, value: Any, lines: Iterable[str], faults: object = ()) -> int:
    """Print for a program or for a person; 1 where there are faults."""
    print(json.dumps(value, ensure_ascii=False) if args.json else "\n".join(lines))
    return int(bool(faults))


def claims(args: argparse.Namespace) -> None:
    """Every claim by section, with the county's verdict and value, as the last run recorded them."""
    from huying.claims.declared import claims_of
    from huying.claims.verdict import list_claims, say_silent

    county = county_of(args)
    file = results_folder(county) / "evidence.parquet"
    if not file.is_file():
        raise InputError("cli.no_evidence", Place(str(file)), county=args.county)
    lang = "en" if args.json else language()  # a program reads one set of words, whatever the county speaks
    table = list_claims(read_parquet(file), claims_of(county), {COUNTY: county.name}, lang)
    if args.json:
        shown = ["section", "text", "said", "value", "interval", "n", "reason", "remark", "same_as"]
        print(table[shown].reset_index().to_json(orient="records", force_ascii=False))
        return
    for section, rows in table[~table["is_silent"]].groupby("section", sort=False):
        print(say("cli.section", section=section, n=int((rows["same_as"] == "").sum())))
        for key, row in rows.iterrows():
            around = [row["interval"], row["why"]]
            told = {"value": row["value"], "notes": "".join(say("cli.claim_note", note=one) for one in around if one)}
            print(say("cli.claim_line", claim=key, verdict=row["said"], sentence=row["text"], **told))
    if silent := say_silent(table, lang):
        print(silent)


def templates(args: argparse.Namespace) -> None:
    """An empty workbook for each ledger, with drop-downs, an example row and explanations."""
    from huying.templates import write_templates

    county = county_of(args)
    folder = args.output or county.folder / "templates"
    if folder.exists() and any(folder.glob("*.xlsx")) and not args.force:
        raise InputError("cli.exists", Place(str(folder)))
    files = write_templates(county, folder, language())
    said(args, [str(file) for file in files], [say("cli.templates_done", n=len(files), folder=folder)])


def questionnaire(args: argparse.Namespace) -> int:
    """Each form for the field, and the villages to go to; 1 where one of several forms could not be made."""
    from huying.deliver.questionnaire import read_lists, write_forms, write_sample

    county = county_of(args)
    folder, lists = args.output or county.folder / "questionnaire", read_lists(county)
    if folder.exists() and any(folder.iterdir()) and not args.force:
        raise InputError("cli.exists", Place(str(folder)))
    files, faults = write_forms(county, lists, folder, args.form)
    drawn = write_sample(county, lists, folder / "sampling.xlsx", args.villages, args.people, args.seed)
    print(*faults, sep="\n", end="\n" * bool(faults), file=sys.stderr)
    lines = [say("questionnaire.made", file=file) for file in (*files, *drawn)]
    lines += [say("questionnaire.no_villages")] * (not drawn)
    return said(args, [str(file) for file in (*files, *drawn)], lines, faults)


def read_report(args: argparse.Namespace) -> None:
    """The statements of a report that can be tested, its masks, and what contradicts itself."""
    from huying.report import report_files

    for kind, file in report_files(args.file, args.output).items():
        print(say(f"cli.report_{kind}", file=file))


def new(args: argparse.Namespace) -> None:
    """Draft a county's folder from an export."""
    from huying.drafting.county import draft_county

    made = draft_county(args.name, args.export, args.number, weight=args.weight, town=args.town, codebook=args.codebook)
    for text in made.remarks:
        print(f"- {text(language())}")
    told = {"folder": made.folder, "items": made.n_items, "answers": made.n_answers, "name": args.name}
    print(say("cli.new_done", **told, next="check" if args.codebook else "run"))


def dictionary(args: argparse.Namespace) -> int:
    """Write the data dictionary, or compare it with the declarations."""
    from huying.templates import dictionary as text_of_dictionary

    text, same = text_of_dictionary(), True
    if args.check:
        same = args.output.is_file() and args.output.read_text("utf-8") == text
    else:
        write_text(args.output, text)
    told = "drafted" if not args.check else "dictionary_same" if same else "dictionary_differs"
    print(say(f"cli.{told}", file=args.output))
    return int(not same)
