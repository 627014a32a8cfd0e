"""What is switched off in a run, why and until when, and the exceptions that have ended."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from kitsurvie.cli import told
from kitsurvie.cli.view import RunView
from kitsurvie.model import Mode


def show(console: Console, run: RunView) -> None:
    """One line for each measure and reason, with the machines they are of while these are few."""
    hosts: dict[tuple[bool, str, str, str, Mode], list[str]] = {}
    for view in run.hosts:
        for item in view.items:
            off = item.mode is Mode.OFF
            if off or item.until:
                key = (not off, item.measure, item.until, item.reason, item.mode)
                hosts.setdefault(key, []).append(item.host)
    for number, ((ended, measure, until, reason, mode), names) in enumerate(sorted(hosts.items())):
        head = "\nOff      " if number == 0 else "         "
        said = f"{measure}: {told.names(names)}: {_when(ended, until, mode)}"
        console.print(Text(f"{head}{said}" + (f" ({reason})" if reason else "")))


def _when(ended: bool, until: str, mode: Mode) -> str:
    if ended:
        return f"no longer off since {until} is past, mode {mode.value}"
    return f"off until {until}" if until else "off for good"
