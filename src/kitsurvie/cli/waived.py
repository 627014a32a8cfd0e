"""The drifts that somebody answers for, and the waivers that are about to end, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    hosts: dict[Waiver, dict[str, None]] = {}
    checks: dict[Waiver, set[str]] = {}
    for view in run.hosts:
        for verdict in view.verdicts:
            waiver = view.waiver(verdict)
            if verdict.status is Status.WAIVED and waiver is not None:
                hosts.setdefault(waiver, {})[view.host.name] = None
                checks.setdefault(waiver, set()).add(verdict.check)
    for number, (waiver, names) in enumerate(hosts.items()):
        head = "\nWaived   " if number == 0 else "         "
        what = waivers.subject(waiver)
        if not waiver.check:
            what = f"{waiver.measure} ({_count(len(checks[waiver]), 'check')})"
        console.print(Text(f"{head}{what}: {_some(list(names))}: {words(waiver, run.day)}"))
    for number, line in enumerate(endings(ending(run), run.day)):
        console.print(Text(("\nEnding   " if number == 0 else "         ") + line))


def words(waiver: Waiver, day: date) -> str:
    """Until when, by whom, why; and for how long it is over, when it is."""
    until = f"waived until {waiver.until} by {waiver.owner}"
    ticket = f", {waiver.ticket}" if waiver.ticket else ""
    over = (day - waiver.until).days
    since = f", over for {days(over)}" if over > 0 else ""
    return output.printable(f"{until}{since} ({waiver.reason}{ticket})")


def endings(found: Iterable[Waiver], day: date) -> Iterator[str]:
    """A sentence for the waivers that end on one day, for one scope and by one owner."""
    together: dict[tuple[date, str, str], list[Waiver]] = {}
    for waiver in found:
        key = (waiver.until, waivers.whom(waiver), waiver.owner)
        together.setdefault(key, []).append(waiver)
    for (until, whom, owner), ones in together.items():
        left = (until - day).days
        when = f"in {days(left)}" if left else "today"
        ends = "the waiver ends" if len(ones) == 1 else "the waivers end"
        what = _some([waivers.subject(one) for one in ones])
        said = f"{what} for {whom}: {ends} {when}, on {until} ({owner}; {ones[0].where})"
        yield output.printable(said)


def days(count: int) -> str:
    """So many days, in words."""
    return _count(count, "day")


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
