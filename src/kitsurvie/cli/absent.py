"""The machines that did not answer, with what was last known of them and its age, on a terminal."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

from rich.console import Console
from rich.text import Text

from kitsurvie.cli import output, told
from kitsurvie.cli.standing import Standing
from kitsurvie.cli.told import DAY_S
from kitsurvie.cli.view import HostView, RunView, member_name, stand, unseen
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
    text = f"last seen {_ago(age)}, on {told.day(view.last.at)}"
    if age > run.unseen_days:
        since = datetime.fromtimestamp(view.last.at)
        text = f"unseen for {told.count(int(age), 'day')}, since {since:%a %d %B %Y}"
    then = Counter(past.verdict.status for past in view.last.verdicts)
    counted = [f"{then[s]} {s.value}" for s in Status if then[s] and s is not Status.NOT_APPLICABLE]
    drifts = [
        told.check_name(past.verdict)
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
    return [f"Run {run} was made {_ago(age)}, on {told.day(at)}."]


def _ago(age: float) -> str:
    whole = int(age)
    return f"{told.count(whole, 'day')} ago" if whole else "less than a day ago"
