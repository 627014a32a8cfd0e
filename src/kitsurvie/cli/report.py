"""A run as it is printed, with its exit code."""

from __future__ import annotations

from kitsurvie.cli import output, table, view
from kitsurvie.ledger import Outcome


def report(run: view.RunView, *, json: bool, again: str = "") -> int:
    """Print a run as a table or as JSON; gives its exit code."""
    code = view.exit_code(run)
    if json:
        output.document("run", view.document(run))
        return code
    console = output.stdout()
    table.show(console, run)
    counts = view.standings(run)
    said = ", ".join(f"{counts[one]} {word}" for one, word in table.WORDS.items() if counts[one])
    took = run.ended_at - run.started_at
    counted = table.hosts(len(run.hosts))
    output.say(f"\nRun {run.id}: {counted} in {took:.0f} s: {said}.")
    output.say(table.score_words(view.score_of(run.hosts)))
    if again and any(host.state not in {Outcome.DONE, Outcome.DRIFT} for host in run.hosts):
        output.say(f"Once it is mended: {again}")
    return code
