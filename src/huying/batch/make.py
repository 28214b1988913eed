"""A run in its order: what records comes first, its rows are gathered, what reads them comes last; what is whole is left alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from huying.batch.jobs import DONE, Job, Site
from huying.batch.run import run
from huying.claims.verdict import read_recorded, write_evidence


@dataclass
class Summary:
    """How a run ended: jobs done now, jobs that were as they should be, how each of the others failed, claims recorded."""

    done: list[Job] = field(default_factory=list)
    fresh: list[Job] = field(default_factory=list)
    failed: dict[Job, dict[str, Any]] = field(default_factory=dict)
    claims: set[str] = field(default_factory=set)


def make(site: Site, jobs: Sequence[Job], tick: Callable[[], object], **limits: Any) -> Summary:
    """Run what is not as it should be: first what records, whose rows are then gathered, last what reads them."""
    summary = Summary()

    def ended(job: Job, failure: dict[str, Any]) -> None:
        if failure:
            summary.failed[job] = failure
        else:
            summary.done.append(job)
        tick()

    for stage in range(3):
        states = {job: site.state(job) for job in jobs if job.stage == stage}
        for job in (job for job, state in states.items() if state == DONE):
            summary.fresh.append(job)
            tick()
        run(site, [job for job, state in states.items() if state != DONE], ended, **limits)
        if states and stage == 0:
            recorded = [job for job in site.recording(site.speaking) if site.state(job) == DONE]
            rows = read_recorded((job.notebook.name, site.notebook(job.name)) for job in recorded)
            write_evidence(site.evidence, site.receipt("evidence"), rows)
            summary.claims = set(rows["claim"])
    return summary
