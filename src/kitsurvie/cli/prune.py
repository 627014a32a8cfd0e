"""`kitsurvie compliance prune`: keep the ledger's past for as long as was decided."""

from __future__ import annotations

import dataclasses
import time
from typing import Annotated

import typer

from kitsurvie.cli import output, told
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.cli.told import DAY_S
from kitsurvie.errors import RunError
from kitsurvie.ledger import Ledger, Pruned, Retention
from kitsurvie.workspace import find

WORDS = {
    "looks": "looks at machines",
    "intervals": "verdicts that are over",
    "runs": "runs",
    "run_hosts": "lines of where a machine stood in a run",
    "outcomes": "lines of what Ansible did",
    "acknowledgements": "acknowledgements that are over",
    "contents": "texts that nothing says any more",
    "answers": "answers",
    "readings": "readings of probes",
}


def prune(
    verdicts_days: Annotated[
        int | None,
        typer.Option(
            "--verdicts-days", min=1, help="Keep verdicts for so many days (kitsurvie.toml: 400)."
        ),
    ] = None,
    evidence_days: Annotated[
        int | None,
        typer.Option(
            "--evidence-days", min=1, help="Keep the answers that prove them (kitsurvie.toml: 90)."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; take nothing away.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Take away verdicts and evidence that are older than they have to be kept.

    What stands is never taken: verdicts that hold, and the last look at each machine with its
    evidence. May be interrupted, and run beside a night.
    """
    place = find(workspace)
    verdicts = verdicts_days or place.verdicts_days
    # evidence of a verdict that is gone proves nothing
    evidence = min(evidence_days or place.evidence_days, verdicts)
    with opened(place.ledger_url) as ledger:
        now = time.time()
        _refuse_strange_clock(ledger, now, place.ledger_url)
        keep = Retention(now - verdicts * DAY_S, now - evidence * DAY_S)
        if dry_run:
            gone, before = ledger.prunable(keep), ledger.size()
            after = before
        else:
            gone = ledger.prune(keep)
            before, after = ledger.give_back()
    if json:
        payload = {
            "verdicts_days": verdicts, "evidence_days": evidence, "dry_run": dry_run,
            "removed": dataclasses.asdict(gone),
            "size_before": before, "size_after": after,
        }  # fmt: skip
        output.document("compliance_prune", payload)
    else:
        _show(gone, before, after, verdicts, evidence, dry_run=dry_run)
    return 0


def _refuse_strange_clock(ledger: Ledger, now: float, place: str) -> None:
    """A clock that is wrong would keep everything, or nothing."""
    for run in ledger.runs(limit=1):
        if run.started_at > now + DAY_S:
            raise RunError(
                f"This machine's clock says {told.day(now)}, and run {run.id} was made "
                f"{told.day(run.started_at)}.",
                where=place,
                remedy="Set the clock right, then prune again; nothing was taken away.",
            )


def _show(
    gone: Pruned, before: int, after: int, verdicts: int, evidence: int, *, dry_run: bool
) -> None:
    output.say(
        f"Verdicts are kept for {told.count(verdicts, 'day')}, evidence for "
        f"{told.count(evidence, 'day')}."
    )
    counts = {word: getattr(gone, name) for name, word in WORDS.items()}
    would = "Would go" if dry_run else "Gone"
    if not any(counts.values()):
        output.say("Nothing is older than that.")
    for word, number in counts.items():
        if number:
            size = f" ({_size(gone.answers_bytes)})" if word == WORDS["answers"] else ""
            output.say(f"  {would}: {number} {word}{size}")
    if dry_run:
        output.say(f"The ledger has {_size(before)}. Nothing was taken away.")
    else:
        output.say(f"The ledger had {_size(before)}, and has {_size(after)}.")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
