"""A run on a terminal: a table by member, then every drift with what proves it, then what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kitsurvie.cli import acknowledged, exceptions, output
from kitsurvie.cli.view import HostView, RunView, member_name
from kitsurvie.converge import State
from kitsurvie.ledger import Outcome
from kitsurvie.model import Action, Mode, Status, Verdict
from kitsurvie.plan import Restart

STYLES = {
    Outcome.DONE: "green",
    Outcome.DRIFT: "yellow",
    Outcome.FAILED: "red",
    Outcome.ERROR: "red",
    Outcome.UNREACHABLE: "magenta",
    Outcome.HELD: "cyan",
    Outcome.PENDING: "dim",
}
WORDS = {
    Outcome.DONE: "compliant",
    Outcome.DRIFT: "drift",
    Outcome.FAILED: "failed",
    Outcome.ERROR: "error",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.HELD: "held",
    Outcome.PENDING: "not begun",
}
LONGEST = 300
NAMES_SHOWN = 6
_HEADS = {Action.APPLY: "Applied", Action.UNDO: "Undone", Action.LEAVE: "Left in place"}


def hosts(count: int) -> str:
    """So many hosts, in words."""
    return "1 host" if count == 1 else f"{count} hosts"


def show(console: Console, run: RunView) -> None:
    """Print the whole run."""
    _members(console, run)
    _mended(console, run)
    exceptions.show(console, run)
    for view in run.hosts:
        _troubles(console, view, run)
    _restarts(console, run)
    for note in run.notes:
        console.print(Text(note))


def _members(console: Console, run: RunView) -> None:
    groups: dict[tuple[str, str], list[HostView]] = {}
    for view in run.hosts:
        epci = run.inventory.epcis.get(view.host.epci or "", view.host.epci or "")
        groups.setdefault((epci, member_name(view, run.inventory)), []).append(view)
    states = [s for s in WORDS if any(v.state is s for v in run.hosts)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("EPCI", "Member"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Hosts", *(WORDS[s] for s in states)):
        table.add_column(heading, justify="right")
    for (epci, member), views in sorted(groups.items()):
        counts = Counter(view.state for view in views)
        cells = [
            Text(str(counts[s] or "-"), style=STYLES[s] if counts[s] else "dim") for s in states
        ]
        table.add_row(Text(epci), Text(member), str(len(views)), *cells)
    console.print(table)


def _mended(console: Console, run: RunView) -> None:
    """What was changed and where: one line a measure, with names while they are few."""
    done: dict[str, dict[str, list[str]]] = {head: {} for head in (*_HEADS.values(), "Restarted")}
    for view in run.hosts:
        actions = {due.measure: due.action for due in view.due}
        for measure, play in view.plays.items():
            action = actions.get(measure, Action.APPLY)
            # what is left in place is changed in nothing, and said all the same
            over = play.state is State.UNCHANGED and action is not Action.APPLY
            if play.state is State.CHANGED or over:
                done[_HEADS[action]].setdefault(measure, []).append(view.host.name)
        if view.restarted and view.state is not Outcome.FAILED:
            done["Restarted"].setdefault("", []).append(view.host.name)
    done = {head: told for head, told in done.items() if told}
    width = max(map(len, done), default=0)
    if done:
        console.print()
    for head, told in done.items():
        for number, (measure, names) in enumerate(told.items()):
            start = f"{head:{width}}" if number == 0 else " " * width
            more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
            what = f"{measure}: " if measure else ""
            console.print(Text(f"{start}  {what}{', '.join(names[:NAMES_SHOWN])}{more}"))


def _restarts(console: Console, run: RunView) -> None:
    """The machines that ask for a restart and were not given one, and why."""
    for view in run.hosts:
        if view.restart is not None:
            console.print(
                Text(f"{view.host.name}: {output.printable(restart_words(view.restart))}")
            )


def restart_words(asked: Restart) -> str:
    """A restart that is asked for, in words."""
    since = datetime.fromtimestamp(asked.since)
    left = f" ({asked.left})" if asked.left else ""
    return f"a restart is wanted by {', '.join(asked.by)} since {since:%a %d %B at %H:%M}{left}"


def _troubles(console: Console, view: HostView, run: RunView) -> None:
    if view.state is Outcome.DONE:
        return
    head = Text("\n")
    head.append(view.host.name, style="bold")
    head.append(f"  {member_name(view, run.inventory)}  ")
    head.append(WORDS[view.state], style=STYLES[view.state])
    if view.detail:
        head.append(f": {output.printable(view.detail)}")
    console.print(head)
    for measure, play in view.plays.items():
        if play.state in {State.FAILED, State.UNREACHABLE}:
            said = f"at “{play.task}”" + (f": {play.message}" if play.message else "")
            console.print(Text(f"  {measure}: Ansible failed {output.printable(said)}"))
        elif play.state is State.NOT_REACHED:
            console.print(Text(f"  {measure}: not reached, since Ansible went no further here"))
    not_reached = {m for m, play in view.plays.items() if play.state is State.NOT_REACHED}
    modes = {item.measure: item.mode for item in view.items}
    for verdict in view.verdicts:
        # of a measure that was not even tried, the reason above says all there is to know
        if verdict.status in _WORTH_READING and verdict.measure not in not_reached:
            later = "left for later" if verdict.measure in view.held else ""
            observed = modes.get(verdict.measure) is Mode.OBSERVE
            untouched = "only observed: nothing is changed here" if observed else later
            console.print(_verdict(verdict, untouched))
            for one in acknowledged.of(view.acknowledged, verdict):
                console.print(Text(f"    {acknowledged.words(one)}", style="cyan"))


_WORTH_READING = frozenset({Status.DRIFT, Status.ERROR, Status.UNKNOWN})


def _verdict(verdict: Verdict, untouched: str) -> Text:
    text = Text(f"  {verdict.measure} / {verdict.check}  ")
    text.append(verdict.status.value, style="yellow" if verdict.status is Status.DRIFT else "red")
    if untouched and verdict.status is Status.DRIFT:
        text.append(f"  ({untouched})", style="dim")
    if verdict.message:
        text.append(f"\n    {output.printable(verdict.message)}")
    if verdict.status is Status.DRIFT:
        text.append(f"\n    expected  {_cut(verdict.expected)}")
        text.append(f"\n    found     {_cut(verdict.found)}")
    for command in _last(verdict.commands):
        text.append(f"\n    command   {_cut(command)}", style="dim")
    return text


def _last(commands: tuple[str, ...]) -> Iterable[str]:
    """The command that was read last is the one whose answer was judged."""
    return commands[-1:]


def _cut(text: str) -> str:
    line = " ⏎ ".join(text.splitlines()) or "(nothing)"
    shown = output.printable(line)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."
