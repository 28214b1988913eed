"""The verbs about a county's outputs: run, status, verify, and those that make what people are given; they print, and return an exit code."""

import argparse
import subprocess
import sys
from importlib import import_module
from typing import Any

from huying.batch.cluster import run_counties
from huying.batch.jobs import DONE, FAILED, MISSING, STALE, Job, Site
from huying.batch.run import Summary, make
from huying.claims.declared import claims_of
from huying.counties import county as open_county
from huying.estimates import COUNTY
from huying.folder import county_folder, every_county
from huying.notebooks import find_notebooks
from huying.prepare import MADE_FROM, is_fresh, prepare as prepare_county, results_folder
from huying.store import faults_of, locked
from huying.verbs import county_of, progress, said
from huying.words import CountyError, language, say, use_language

ASKED = ("notebooks", "towns", "wave", "lang", "html")  # which jobs
PASSED_ON = ("towns", "notebooks", "wave", "lang", "workers", "time_limit", "memory_limit", "wait", "html", "dry_run")
ENDINGS = {"brief": "docx", "slides": "pptx", "workbook": "xlsx"}  # of the one file a language


def run(args: argparse.Namespace) -> int:
    """Make every output that is not fresh, of one county or of many; 1 where one failed."""
    names = every_county() if args.all else [args.county] if isinstance(args.county, str) else args.county
    if args.all or args.scheduler or len(names) > 1:
        return run_many([str(county_folder(name).resolve()) for name in names], args)
    args.county = names[0]
    if args.dry_run:
        return status(args)
    county = county_of(args)
    for wave in {*(args.wave or ())} - {*county.waves}:  # before anything is prepared
        raise CountyError("batch.no_wave", name=wave, known=", ".join(county.waves))
    with locked(results_folder(county), args.wait):
        with progress(len(county.surveys) + len(county.ledgers), "cli.preparing", args) as bar:
            prepare_county(county, lambda name: bar.update())
        site = Site(county)
        jobs = site.jobs(*(getattr(args, name) for name in ASKED))
        if not args.json:
            left = [notebook.name for notebook in find_notebooks(site.folder) if notebook not in site.speaking]
            if left and not args.notebooks:
                print(say("cli.nothing_to_say", n=len(left), names=", ".join(left)))
            print(say("cli.begin", n=len(jobs), waves=", ".join(dict.fromkeys(job.wave for job in jobs))))
        with progress(len(jobs), "cli.notebooks", args) as bar:
            limits = {"workers": max(1, args.workers), "seconds": args.time_limit, "megabytes": args.memory_limit}
            summary = make(site, jobs, bar.update, **limits)
    return tell(site, summary, args)


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
    # The command of a lost worker may still be at work on its county: the next one waits for it
    args.wait = args.wait or (3600.0 if args.scheduler else 0)
    options: list[str] = []
    for name in PASSED_ON:
        if value := getattr(args, name):
            values = value if isinstance(value, list) else [] if value is True else [value]
            options += [f"--{name.replace('_', '-')}", *map(str, values)]
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
    states = {job.name: site.state(job) for job in site.jobs(*(getattr(args, name) for name in ASKED))}
    left = {name: say(f"cli.is_{state}") for name, state in states.items() if state != DONE}
    lines = [say("cli.state", job=name, state=state) for name, state in left.items()]
    totals = {state: list(states.values()).count(state) for state in (DONE, STALE, MISSING, FAILED)}
    return said(args, {**totals, "jobs": states}, [*lines, say("cli.stands", n=len(states), **totals)])


def verify(args: argparse.Namespace) -> int:
    """Hash every output that has a receipt again; 1 where one is not what its receipt says."""
    site = Site(county_of(args))
    found = [file for file in sorted((site.results / "receipts").glob("*.json")) if ".failed" not in file.suffixes]
    found += [site.results / MADE_FROM] * (site.results / MADE_FROM).parent.is_dir()  # what was never made is no fault
    faults = {file.stem: wrong for file in found if (wrong := faults_of(file, site.results))}
    lines = [say("cli.verify_fault", job=name, what=", ".join(wrong)) for name, wrong in faults.items()]
    lines.append(say("cli.verified", n=len(found), faults=len(faults)))
    return said(args, {"checked": len(found), "faults": faults}, lines, faults)


# --- what people are given: the county is opened in every language asked for, written, and the files are named ---------


def give(args: argparse.Namespace) -> int:
    """Write what `args.verb` names, by the module of `huying.deliver` that has its name."""
    from huying.deliver.content import Content, read_evidence

    declared, spoken = county_of(args), language()
    opened = [open_county(declared.folder, lang) for lang in args.lang or [spoken]]
    use_language(spoken)  # a county that is opened brings its own
    contents = [Content(one, read_evidence(one, args.evidence)) for one in opened]
    folder = args.output or results_folder(declared) / args.verb
    write = getattr(import_module(f"huying.deliver.{args.verb}"), f"write_{args.verb}")
    if args.verb == "page":
        files = [write(contents, folder)]
    elif args.verb in ENDINGS:
        files = [folder / f"{args.verb}_{content.lang}.{ENDINGS[args.verb]}" for content in contents]
        for content, file in zip(contents, files, strict=True):
            write(content, file)
    else:
        files = [file for content in contents for file in write(content, folder)]
    shown = files if len(files) <= 2 else [folder]  # of more files the folder is named
    return said(args, [str(file) for file in files], [say("deliver.made", n=len(files), file=file) for file in shown])


page = brief = sheets = slides = workbook = give
