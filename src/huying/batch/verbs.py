"""What the command line does with a county's outputs: run, plan, status, log, verify, gc; prints, and returns an exit code."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from huying import words
from huying.batch import county_step
from huying.batch.crew import limits_of
from huying.batch.journal import holder, locked
from huying.batch.outputs import faults_of, garbage, is_there, sweep
from huying.batch.plan import FRESH, NEW, STALE, Job
from huying.batch.run import Failed, Hands, Summary, run
from huying.batch.site import Site, check_notebooks, check_towns
from huying.claims import verdict_word
from huying.folder import County
from huying.store import read_parquet
from huying.words import say

DONE, FAILED = 0, 1
SHOWN = 12  # stale jobs that `plan` spells out
PLAIN_S = 5.0  # between two lines of progress where there is no terminal


def jobs_of(site: Site, args: argparse.Namespace) -> list[Job]:
    """The jobs that the command line asks for."""
    waves = args.wave or [min(site.county.waves, default="")]
    notebooks, towns = check_notebooks(site, args.notebooks), check_towns(site, args.towns)
    return site.plan(site.requests(notebooks, towns, waves, args.langs or [words.language()]))


def run_county(county: County, args: argparse.Namespace, crew: Hands | None = None) -> int:
    """Make everything that is not fresh: by `crew`, or by the workers of the scheduler that is named."""
    site = Site(county)
    with locked(site.lock):
        prepare(county, args.json)
        jobs = jobs_of(site, args)
        left = sum(not job.is_fresh for job in jobs)
        with progress(len(jobs), left, args.json) as tick:
            summary = run(site, jobs, crew or afar(site, args), tick)
    tell(site, summary, args)
    return FAILED if summary.failed else DONE


def afar(site: Site, args: argparse.Namespace) -> Hands:
    """Dask's workers."""
    from huying.batch.afar import CrewAfar

    return CrewAfar(site, args.scheduler, args.workers, limits_of(args), args.store or "")


def prepare(county: County, is_quiet: bool) -> None:
    """The county-wide step with its bar."""
    steps = len(county.surveys) + len(county.ledgers) + 2
    with tqdm(total=steps, desc=say("cli.county_step"), disable=is_quiet or None) as bar:
        county_step.prepare(county, lambda name: bar.update())


@contextmanager
def progress(total: int, left: int, is_quiet: bool) -> Iterator[Callable[[Summary], None]]:
    """A bar on a terminal, a plain line now and then elsewhere, nothing for a program."""
    if is_quiet:
        yield lambda summary: None
    elif sys.stderr.isatty():
        with tqdm(total=total, desc=say("cli.notebooks"), unit="") as bar:
            yield lambda summary: _advance(bar, summary)
    else:
        yield Lines(total, left)


def _advance(bar: Any, summary: Summary) -> None:
    bar.n = summary.fresh + summary.done + len(summary.failed)
    bar.set_postfix_str(say("cli.bar", failed=len(summary.failed)))


class Lines:
    """Progress as lines: done, failed, rate, time left."""

    def __init__(self, total: int, left: int) -> None:
        self.total, self.left, self.begun, self.told = total, left, time.monotonic(), 0.0

    def __call__(self, summary: Summary) -> None:
        ended, now = summary.done + len(summary.failed), time.monotonic()
        if not self.left or (now - self.told < PLAIN_S and ended < self.left):
            return
        self.told = now
        rate = ended / max(now - self.begun, 1e-9)
        rest = say("cli.time_left", seconds=f"{(self.left - ended) / rate:.0f}") if ended else ""
        print(say("cli.line", done=summary.fresh + summary.done, total=self.total, failed=len(summary.failed), rate=f"{rate:.2f}", rest=rest),
              file=sys.stderr)  # fmt: skip


def tell(site: Site, summary: Summary, args: argparse.Namespace) -> None:
    """The closing table, and each failure with the command that runs it alone."""
    table = closing(site, summary)
    failures = [failure_of(failed, args) for failed in summary.failed]
    if args.json:
        print(json.dumps(table | {"failures": failures}, ensure_ascii=False))
        return
    print("\n".join(say(f"cli.sum_{key}", value=value) for key, value in table.items() if key != "failed"))
    for failure in failures:
        print(say("cli.failed", **failure), file=sys.stderr)


def failure_of(failed: Failed, args: argparse.Namespace) -> dict[str, Any]:
    """One failure: place, notebook, cell, error, and how to run it alone."""
    request = failed.job.request
    county, wave = (f'"{part}"' if " " in part else part for part in (args.county, request.parameters["wave"]))
    again = f"python -m huying run {county} --towns {request.place} --notebooks {request.notebook} --wave {wave} --langs {request.parameters['lang']}"
    return {
        "place": request.place,
        "notebook": request.notebook,
        "cell": failed.cell or "-",
        "error": failed.error,
        "again": again,
    }


def closing(site: Site, summary: Summary) -> dict[str, Any]:
    """The closing table: places, claims, verdicts by word, rows, notebooks, and where to look."""
    evidence, counts = (
        read_parquet(site.folder / "evidence.parquet"),
        read_parquet(site.folder / "data" / "counts.parquet"),
    )
    judged = evidence[evidence["verdict"] != ""]
    rows = {key: int(counts[key].astype(int).sum()) for key in ("n_read", "n_kept", "n_rejected")}
    return {
        "places": len(site.towns), "claims": judged["claim"].nunique(),
        "verdicts": ", ".join(f"{verdict_word(v, words.language())} {n}" for v, n in judged["verdict"].value_counts().items()),
        "rows": f"{rows['n_read']} = {rows['n_kept']} + {rows['n_rejected']}", "notebooks": summary.done, "fresh": summary.fresh,
        "failed": len(summary.failed), "where": str(site.folder),
    }  # fmt: skip


def show_plan(county: County, args: argparse.Namespace) -> int:
    """Print what a run would do."""
    if not county_step.is_fresh(county):
        return said({"county_step": "stale"}, args, [say("cli.plan_county_step")])
    jobs = jobs_of(Site(county), args)
    count = Counter(job.state for job in jobs)
    seconds = sum(job.seconds for job in jobs if not job.is_fresh) / max(1, args.workers)
    lines = [
        say(
            "cli.planned",
            total=len(jobs),
            fresh=count[FRESH],
            stale=count[STALE],
            new=count[NEW],
            seconds=f"{seconds:.0f}",
        )
    ]
    stale = [job for job in jobs if job.state == STALE]
    lines += [say("cli.plan_stale", job=job.request.name, why=why(job)) for job in stale[:SHOWN]]
    lines += [say("cli.plan_more", n=len(stale) - SHOWN)] if len(stale) > SHOWN else []
    listed = [
        {"job": job.request.name, "state": job.state, "why": job.why, "key": job.key, "seconds": job.seconds}
        for job in jobs
    ]
    return said({"jobs": listed, "seconds": round(seconds, 1)}, args, lines)


def why(job: Job, most: int = 3) -> str:
    """Why a job is stale, in short."""
    names = [say("cli.plan_code") if name == "code" else name for name in job.why]
    return ", ".join(names[:most]) + (f" (+{len(names) - most})" if len(names) > most else "")


def said(value: Any, args: argparse.Namespace, lines: Sequence[str]) -> int:
    """Print for a program or for a person."""
    print(json.dumps(value, ensure_ascii=False) if args.json else "\n".join(lines))
    return DONE


def show_status(county: County, args: argparse.Namespace) -> int:
    """Print what is whole, stale, missing or failed."""
    site = Site(county)
    held = holder(site.lock)
    lines = [say("cli.status_at_work", pid=held["pid"], host=held["host"])] if held else []
    if not county_step.is_fresh(county):
        return said({"county_step": "stale", "at_work": held}, args, [*lines, say("cli.plan_county_step")])
    jobs = jobs_of(site, args)
    last = {event["job"]: event for event in site.journal.events() if event["event"] in ("done", "failed")}
    failed = [
        job.request.name for job in jobs if not job.is_fresh and last.get(job.request.name, {}).get("event") == "failed"
    ]
    count = Counter(job.state for job in jobs)
    lines += [
        say("cli.stands", total=len(jobs), fresh=count[FRESH], stale=count[STALE], new=count[NEW], failed=len(failed))
    ]
    lines += [
        say("cli.status_failed", job=name, cell=last[name]["cell"] or "-", error=last[name]["error"]) for name in failed
    ]
    value = {"fresh": count[FRESH], "stale": count[STALE], "new": count[NEW], "failed": failed, "at_work": held}
    return said(value, args, lines)


def show_log(county: County, args: argparse.Namespace) -> int:
    """Print the journal, of one place or of all."""
    events = [event for event in Site(county).journal.events() if args.place in (None, event.get("place"))]
    lines = []
    for event in events:
        detail = {key: value for key, value in event.items() if key not in ("at", "event", "traceback")}
        lines.append(" ".join([event["at"], event["event"], *(f"{key}={value}" for key, value in detail.items())]))
        lines += event.get("traceback", []) if args.place else []
    return said(events, args, lines or [say("cli.log_empty")])


def verify(county: County, args: argparse.Namespace) -> int:
    """Hash every output that is there again; 1 where one is not what its receipt says."""
    site = Site(county)
    jobs = [job for job in jobs_of(site, args) if is_there(site.shelf, job.request.name)]
    faults = {job.request.name: found for job in jobs if (found := faults_of(site.shelf, job.request.name))}
    lines = [say("cli.verify_fault", job=name, what=", ".join(found)) for name, found in faults.items()]
    said({"checked": len(jobs), "faults": faults}, args, [*lines, say("cli.verified", n=len(jobs), faults=len(faults))])
    return FAILED if faults else DONE


def collect(county: County, args: argparse.Namespace) -> int:
    """List what no pointer names, and delete it only when asked to."""
    site = Site(county)
    with locked(site.lock):
        found = garbage(site.shelf)
        size = sum(file.stat().st_size for folder in found for file in Path(folder).rglob("*") if file.is_file())
        if args.delete:
            sweep(found)
    key = "cli.gc_done" if args.delete else "cli.gc_dry"
    value = {"folders": [str(folder) for folder in found], "bytes": size, "deleted": args.delete}
    return said(value, args, [*(str(folder) for folder in found), say(key, n=len(found), mb=f"{size / 1e6:.1f}")])
