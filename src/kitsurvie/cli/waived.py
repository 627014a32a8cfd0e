"""The drifts that somebody answers for, and the waivers that are about to end, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rich.console import Console
from rich.text import Text

from kitsurvie.cli import output
from kitsurvie.cli.view import RunView, ending
from kitsurvie.inventory import waivers
from kitsurvie.model import Status, Waiver

NAMES_SHOWN = 6


def show(console: Console, run: RunView) -> None:
    """A line for each waiver and what drifts under it, then those that end soon."""
    hosts: dict[Waiver, dict[str, list[str]]] = {}
    for view in run.hosts:
        for verdict in view.verdicts:
            waiver = view.waiver(verdict)
            if verdict.status is Status.WAIVED and waiver is not None:
                name = f"{verdict.measure}/{verdict.check}"
                hosts.setdefault(waiver, {}).setdefault(name, []).append(view.host.name)
    head = "\nWaived   "
    for waiver, checks in hosts.items():
        for check, names in checks.items():
            console.print(Text(f"{head}{check}: {_some(names)}: {words(waiver, run.day)}"))
            head = "         "
    for number, line in enumerate(endings(ending(run), run.day)):
        console.print(Text(("\nEnding   " if number == 0 else "         ") + line))


def words(waiver: Waiver, day: date) -> str:
    """Until when, by whom, why; and for how long it is over, when it is."""
    until = f"waived until {waiver.until} by {waiver.owner}"
    ticket = f", {waiver.ticket}" if waiver.ticket else ""
    over = (day - waiver.until).days
    since = f", over for {days(over)}" if over > 0 else ""
    return output.printable(f"{until}{since} ({waiver.reason}{ticket})")


def endings(found: Iterable[Waiver], day: date) -> Iterable[str]:
    """A sentence for each of these waivers: in how many days it ends, whose it is, where."""
    for waiver in found:
        left = (waiver.until - day).days
        when = f"in {days(left)}" if left else "today"
        said = f"{waivers.subject(waiver)} for {waivers.whom(waiver)}: the waiver ends {when}"
        yield output.printable(f"{said}, on {waiver.until} ({waiver.owner}; {waiver.where})")


def days(count: int) -> str:
    """So many days, in words."""
    return "1 day" if count == 1 else f"{count} days"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
