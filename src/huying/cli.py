"""The command line's grammar. Exit codes: 0 done, 1 something failed, 2 bad input or usage, 130 stopped."""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

from huying.words import LANGUAGES, HuyingError, InputError, Place, say, use_language

BAD, STOPPED = 2, 130
OF_FILES = ("check", "prepare", "freeze", "verify", "claims", "templates", "questionnaire")
GIVEN = ("brief", "sheets", "workbook", "page", "slides")  # verbs that make what people are given


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(prog="huying", description=say("cli.about"), epilog=say("cli.codes"))
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in (*OF_FILES, "run", "status"):
        made = verbs.add_parser(verb, help=say(f"cli.{verb}"))
        made.add_argument("county", nargs="*" if verb == "run" else "?", default="demo", help=say("cli.county"))
        made.add_argument("--json", action="store_true", help=say("cli.json"))
    add_run(verbs.choices["run"], verbs.choices["status"])
    read = verbs.add_parser("read-report", help=say("cli.read_report"))
    read.add_argument("file", type=Path, metavar="FILE")
    read.add_argument("-o", "--output", type=Path, default=Path("report_read"), help=say("cli.output"))
    for verb in ("templates", "questionnaire"):
        verbs.choices[verb].add_argument("-o", "--output", type=Path, help=say("cli.output"))
        verbs.choices[verb].add_argument("--force", action="store_true", help=say("cli.force"))
    form = verbs.choices["questionnaire"]
    form.add_argument("--form", default="", help=say("cli.form"))
    for name, usual in (("villages", 6), ("people", 10), ("seed", 1)):
        form.add_argument(f"--{name}", type=whole, default=usual, metavar="N", help=say(f"cli.{name}"))
    new = verbs.add_parser("new", help=say("cli.new"))
    new.add_argument("name", metavar="NAME", help=say("cli.new_name"))
    new.add_argument("export", type=Path, metavar="EXPORT", help=say("cli.new_export"))
    new.add_argument("number", type=Path, nargs="?", metavar="EXPORT_BY_NUMBER", help=say("cli.new_number"))
    new.add_argument("--weight", default="", metavar="COLUMN", help=say("cli.new_weight"))
    new.add_argument("--town", default="", metavar="COLUMN", help=say("cli.new_town"))
    new.add_argument("--codebook", default="", choices=("house",), help=say("cli.new_codebook"))
    for verb in (*OF_FILES, "read-report", "new"):
        verbs.choices[verb].add_argument("--lang", choices=LANGUAGES, help=say("cli.lang"))
    for verb in GIVEN:
        given = verbs.add_parser(verb, help=say(f"cli.{verb}"))
        given.add_argument("county", nargs="?", default="demo", help=say("cli.county"))
        given.add_argument("-o", "--output", type=Path, help=say("cli.output"))
        given.add_argument("--lang", choices=LANGUAGES, nargs="+", help=say("cli.langs"))
        given.add_argument("--evidence", type=Path, metavar="FILE", help=say("cli.evidence"))
        given.add_argument("--json", action="store_true", help=say("cli.json"))
    dictionary = verbs.add_parser("dictionary", help=say("cli.dictionary"))
    dictionary.add_argument("--check", action="store_true", help=say("cli.dictionary_check"))
    dictionary.add_argument("--output", type=Path, default=Path("survey_data/README.md"))
    return top


def add_run(run: argparse.ArgumentParser, status: argparse.ArgumentParser) -> None:
    """Which jobs `run` and `status` are asked for, and how `run` carries them out."""
    for which in (run, status):
        which.add_argument("--lang", choices=LANGUAGES, nargs="+", help=say("cli.langs"))
        which.add_argument("--towns", nargs="+", metavar="ID", help=say("cli.towns"))
        which.add_argument("--notebooks", nargs="+", metavar="NAME", help=say("cli.notebooks_wanted"))
        which.add_argument("--wave", nargs="+", help=say("cli.wave"))
        which.add_argument("--html", action="store_true", help=say("cli.html"))
    run.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help=say("cli.workers"))
    run.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help=say("cli.wait"))
    run.add_argument("--all", action="store_true", help=say("cli.all"))
    run.add_argument("--scheduler", default="", metavar="ADDRESS", help=say("cli.scheduler"))
    run.add_argument("--dry-run", action="store_true", help=say("cli.dry_run"))
    run.add_argument("--time-limit", type=float, default=600.0, metavar="SECONDS", help=say("cli.time_limit"))
    run.add_argument("--memory-limit", type=float, default=4096.0, metavar="MB", help=say("cli.memory_limit"))


def whole(text: str) -> int:
    """A whole number from 1; raises ValueError, which the command line explains."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def main(argv: list[str] | None = None) -> int:
    """Run one verb; a defect of the input is one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    args = parser().parse_args(argv)
    if getattr(args, "lang", None):
        use_language(args.lang[0] if isinstance(args.lang, list) else args.lang)
    try:
        is_of_outputs = args.verb in ("run", "status", "verify", *GIVEN)
        verbs = import_module("huying.outputs" if is_of_outputs else "huying.verbs")  # the grammar needs none of them
        return int(getattr(verbs, args.verb.replace("-", "_"))(args) or 0)
    except HuyingError as error:
        print(error.say(), file=sys.stderr)
        return BAD
    except OSError as error:  # of the disk, where no room below has foreseen it
        why = InputError("store.not_written", Place(str(error.filename or "")), why=error.strerror or str(error))
        print(why.say(), file=sys.stderr)
        return BAD
    except KeyboardInterrupt:
        print(say("cli.stopped"), file=sys.stderr)
        return STOPPED
