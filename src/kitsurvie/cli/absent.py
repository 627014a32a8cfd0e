"""The machines that did not answer, with what was last known of them and its age, on a terminal."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

from rich.console import Console
from rich.text import Text

from kitsurvie.cli import output
from kitsurvie.cli.standing import Standing
from kitsurvie.cli.view import DAY_S, HostView, RunView, member_name, stand, unseen
from kitsurvie.cli.waived import days
from kitsurvie.model import Status

CHECKS_SHOWN = 4
_HEADS = {Standing.UNSEEN: "Unseen", Standing.ABSENT: "Absent"}


def show(console: Console, run: RunView) -> None:
    """A line for each machine that nobody expects to be up: its silence is no trouble of today.

    A deployment meant to reach it: there it is told among the troubles.
    """
    if run.kind != "compliance":
        return
    for which, head in _HEADS.items():
        away = [v for v in run.hosts if not v.expected_up and stand(v, run) is which]
        away.sort(key=lambda view: -(unseen(view, run) or float("inf")))
        for number, view in enumerate(away):
            start = f"\n{head:9}" if number == 0 else " " * 9
            member = member_name(view, run.inventory)
            console.print(Text(f"{start}{view.host.name} ({member}): {words(view, run)}"))


def words(view: HostView, run: RunView) -> str:
    """When it was last seen, and what drifted then."""
    age = unseen(view, run)
    if view.last is None or age is None:
        return "never seen in the runs on record"
    seen = datetime.fromtimestamp(view.last.at)
    text = f"last seen {_ago(age)}, on {seen:%a %d %B at %H:%M}"
    if age > run.unseen_days:
        text = f"unseen for {days(int(age))}, since {seen:%a %d %B %Y}"
    then = Counter(past.verdict.status for past in view.last.verdicts)
    counted = [f"{then[s]} {s.value}" for s in Status if then[s] and s is not Status.NOT_APPLICABLE]
    drifts = [
        f"{past.verdict.measure}/{past.verdict.check}"
        for past in view.last.verdicts
        if past.verdict.status is Status.DRIFT
    ]
    more = f" and {len(drifts) - CHECKS_SHOWN} more" if len(drifts) > CHECKS_SHOWN else ""
    named = f" ({', '.join(drifts[:CHECKS_SHOWN])}{more})" if drifts else ""
    return output.printable(f"{text}; then {', '.join(counted) or 'nothing judged'}{named}")


def aged(run: int, at: float) -> list[str]:
    """How old the verdicts of a past run are, when that is a day or more."""
    age = (time.time() - at) / DAY_S
    if age < 1:
        return []
    made = datetime.fromtimestamp(at)
    return [f"Run {run} was made {_ago(age)}, on {made:%a %d %B %Y at %H:%M}."]


def _ago(age: float) -> str:
    whole = int(age)
    return f"{days(whole)} ago" if whole else "less than a day ago"
