"""A run as it is printed, with its exit code."""

from __future__ import annotations

from kitsurvie.cli import output, table, told, view
from kitsurvie.cli.documents import run_document
from kitsurvie.ledger import Outcome


def report(run: view.RunView, *, json: bool, again: str = "") -> int:
    """Print a run as a table or as JSON; gives its exit code."""
    code = view.exit_code(run)
    if json:
        output.document("run", run_document(run))
        return code
    console = output.stdout()
    if run.rejudged:
        output.say(f"{run.rejudged.opening}\n")
    table.show(console, run)
    counts = view.standings(run)
    said = ", ".join(f"{counts[one]} {word}" for one, word in table.WORDS.items() if counts[one])
    counted = told.count(len(run.hosts), "host")
    how = f": {counted} in {run.ended_at - run.started_at:.0f} s"
    if run.rejudged:
        how = f", judged again: {counted}"
    output.say(f"\nRun {run.id}{how}: {said}.")
    output.say(table.score_words(view.score_of(run.hosts)))
    if again and any(host.state not in {Outcome.DONE, Outcome.DRIFT} for host in run.hosts):
        output.say(f"Once it is mended: {again}")
    return code
