"""What the command line does with a county's jobs: run, status, verify; prints, and returns an exit code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from huying.batch import receipts
from huying.batch.jobs import Job, Site
from huying.batch.receipts import DONE, FAILED, MISSING, PREPARED, STALE, faults_of, notebook_file, output, state_of
from huying.batch.run import Limits, run
from huying.claims.declared import claims_of
from huying.estimates import COUNTY
from huying.folder import County
from huying.notebooks import find_notebooks
from huying.prepare import is_fresh, prepare, results_folder
from huying.store import locked
from huying.words import say

PLAIN_S = 10.0  # between two lines of progress where there is no terminal


@dataclass
class Summary:
    """How a run ended: jobs done now, jobs that were as they should be, how each of the others failed, claims recorded."""

    done: list[Job] = field(default_factory=list)
    fresh: list[Job] = field(default_factory=list)
    failed: dict[Job, dict[str, Any]] = field(default_factory=dict)
    claims: set[str] = field(default_factory=set)


def run_county(county: County, args: argparse.Namespace) -> int:
    """Prepare the county and make every output that is not as it should be; 1 where a job failed."""
    if args.dry_run:
        return show_status(county, args)
    with locked(results_folder(county), args.wait):
        with progress(len(county.surveys) + len(county.ledgers), "cli.preparing", args) as bar:
            prepare(county, lambda name: bar.update())
        site = Site(county)
        jobs = jobs_of(site, args)
        if not args.json:
            left = [notebook.name for notebook in find_notebooks(site.folder) if notebook not in site.speaking]
            if left and not args.notebooks:
                print(say("cli.nothing_to_say", n=len(left), names=", ".join(left)))
            print(say("cli.begin", n=len(jobs), waves=", ".join(dict.fromkeys(job.wave for job in jobs))))
        with progress(len(jobs), "cli.notebooks", args) as bar:
            limits = Limits(max(1, args.workers), args.time_limit, args.memory_limit)
            summary = make(site, jobs, limits, bar.update)
        return tell(site, summary, args)


def jobs_of(site: Site, args: argparse.Namespace) -> list[Job]:
    """The jobs that the command line asks for."""
    return site.jobs(args.notebooks, args.towns, args.wave, args.lang, args.html)


def progress(total: int, key: str, args: argparse.Namespace) -> Any:
    """A bar on a terminal, a line now and then elsewhere, nothing for a program."""
    pause = 0.1 if sys.stderr.isatty() else PLAIN_S
    return tqdm(total=total, desc=say(key), unit="", disable=args.json, mininterval=pause, miniters=1)


def make(site: Site, jobs: Sequence[Job], limits: Limits, tick: Callable[[], object]) -> Summary:
    """Run what is not as it should be: first what records, whose rows are then gathered, last what reads them."""
    summary = Summary()

    def ended(job: Job, failure: dict[str, Any]) -> None:
        if failure:
            summary.failed[job] = failure
        else:
            summary.done.append(job)
        tick()

    for stage in range(3):
        states = {job: state_of(site, job) for job in jobs if job.stage == stage}
        for job in (job for job, state in states.items() if state == DONE):
            summary.fresh.append(job)
            tick()
        run(site, [job for job, state in states.items() if state != DONE], limits, ended)
        if states and stage == 0:
            recorded = [job for job in site.recording(site.speaking) if state_of(site, job) == DONE]
            summary.claims = set(receipts.gather(site, recorded)["claim"])
    return summary


def tell(site: Site, summary: Summary, args: argparse.Namespace) -> int:
    """Print how a run ended, each failure with the command that runs it alone, and the first file to open."""
    made = sorted(
        [*summary.fresh, *summary.done],
        key=lambda job: (job.place != COUNTY, -job.stage, job.name.startswith("00")),
    )
    told: dict[str, Any] = {name: len(getattr(summary, name)) for name in ("done", "fresh", "failed", "claims")}
    if any(job.is_recording for job in summary.failed):
        told["lacking"] = " ".join(key for key in claims_of(site.county) if key not in summary.claims)
    first = [
        output(site, f"html/{job.name}.html") if job.has_page else notebook_file(site, job.name) for job in made[:1]
    ]
    told["open"] = "".join(map(str, first))
    failures = [failure_of(job, failure, args) for job, failure in summary.failed.items()]
    for failure in failures if not args.json else ():
        print(say("cli.failed", **failure), file=sys.stderr)
    lines = [say(f"cli.run_{name}", value=value) for name, value in told.items()]
    return said(args, {**told, "failures": failures}, lines, failures)


def failure_of(job: Job, failure: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Place, notebook, cell and error of a job that failed, and the command that runs it alone."""
    name, wave = f'"{args.county}"' if " " in args.county else args.county, f" --wave {job.wave}" if job.wave else ""
    again = f"python -m huying run {name} --towns {job.place} --notebooks {job.notebook.name}{wave} --lang {job.lang}"
    return {"place": job.place, "notebook": job.notebook.name, **failure, "again": again}


def show_status(county: County, args: argparse.Namespace) -> int:
    """Print how many jobs are done, stale, missing or failed, and which are not done."""
    if not is_fresh(county):
        return said(args, {"county": "stale"}, [say("cli.unprepared")])
    site = Site(county)
    states = {job.name: state_of(site, job) for job in jobs_of(site, args)}
    left = {name: say(f"cli.is_{state}") for name, state in states.items() if state != DONE}
    lines = [say("cli.state", job=name, state=state) for name, state in left.items()]
    totals = {state: list(states.values()).count(state) for state in (DONE, STALE, MISSING, FAILED)}
    return said(args, {**totals, "jobs": states}, [*lines, say("cli.stands", n=len(states), **totals)])


def verify(county: County, args: argparse.Namespace) -> int:
    """Hash every output that has a receipt again; 1 where one is not what its receipt says."""
    site = Site(county)
    names = [file.stem for file in sorted((site.results / "receipts").glob("*.json")) if ".failed" not in file.suffixes]
    names += [PREPARED] if (site.results / "data").is_dir() else []  # what was never made is no fault
    faults = {name: wrong for name in names if (wrong := faults_of(site, name))}
    lines = [say("cli.verify_fault", job=name, what=", ".join(wrong)) for name, wrong in faults.items()]
    lines.append(say("cli.verified", n=len(names), faults=len(faults)))
    return said(args, {"checked": len(names), "faults": faults}, lines, faults)


def said(args: argparse.Namespace, value: Any, lines: Iterable[str], faults: object = ()) -> int:
    """Print for a program or for a person; 1 where there are faults."""
    print(json.dumps(value, ensure_ascii=False) if args.json else "\n".join(lines))
    return int(bool(faults))
