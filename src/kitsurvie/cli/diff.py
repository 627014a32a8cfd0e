"""`kitsurvie compliance diff`: what is new since yesterday."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from kitsurvie import inventory as inventories
from kitsurvie import kit
from kitsurvie.cli import acknowledged, output, told, waived
from kitsurvie.cli.context import Context, with_statements
from kitsurvie.cli.difference import (
    COMPLIANCE,
    Difference,
    Entry,
    Silent,
    before_it,
    choose,
    compare,
)
from kitsurvie.cli.documents import waiver_document
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.cli.told import iso
from kitsurvie.cli.view import expected_up
from kitsurvie.errors import ExitCode
from kitsurvie.ledger import Ledger, Run, RunState
from kitsurvie.model import Inventory, Status, Waiver
from kitsurvie.workspace import find

HEAD = 10


def diff(
    from_run: Annotated[
        int | None, typer.Option("--from", metavar="RUN", help="The run to begin with.")
    ] = None,
    to_run: Annotated[
        int | None, typer.Option("--to", metavar="RUN", help="The run to end with.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="All that is new since that day began."),
    ] = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say what is new since yesterday, machine by machine and check by check; ask no machine.

    The newest compliance run that came to its end, against the one of an earlier day. Exit code: 0
    nothing got worse, 1 new drift that is not waived, 3 machines newly silent or in error.
    """
    place = find(workspace)
    begin = None if since is None else told.date_of("--since", since)
    with opened(place.ledger_url) as ledger:
        before, after = choose(ledger, from_run, to_run, begin)
        inventory = inventories.load(place)
        world = with_statements(Context(place, inventory, kit.load(place.roles), ()))
        found = _compared(ledger, before, after, world)
    code = exit_code(found, inventory)
    if json:
        payload = document(found, inventory, days=place.recurrent_days)
        output.document("compliance_diff", payload)
    else:
        show(output.stdout(), found, inventory, days=place.recurrent_days)
    return code


def changes(ledger: Ledger, number: int, world: Context) -> dict[str, Any] | None:
    """What is new in a compliance run, as its page tells it; None when nothing can be compared."""
    run = ledger.run(number)
    ended = run.kind == COMPLIANCE and run.state is RunState.ENDED
    before = before_it(ledger, run) if ended else None
    if before is None:
        return None
    found = _compared(ledger, before, run, world)
    return document(found, world.inventory, days=world.workspace.recurrent_days)


def _compared(ledger: Ledger, before: Run, after: Run, world: Context) -> Difference:
    place = world.workspace
    return compare(
        ledger, before, after, times=place.recurrent_times, days=place.recurrent_days,
        today=date.today(), waived=world.statements.waivers,
    )  # fmt: skip


def exit_code(found: Difference, inventory: Inventory) -> ExitCode:
    """Neither a machine that nobody expects to be up and is silent nor a waived drift counts."""
    silent = [one.host for one in found.newly_absent if _expected_up(inventory, one.host)]
    if silent or found.newly_in_error or found.new_troubles:
        return ExitCode.HOSTS
    worse = found.new_drifts or found.waivers_over or any(one.drifts for one in found.came)
    return ExitCode.DRIFT if worse else ExitCode.COMPLIANT


def _expected_up(inventory: Inventory, host: str) -> bool:
    known = inventory.hosts.get(host)
    return known is not None and expected_up(known)


# -- on a terminal ------------------------------------------------------------------------------


def show(console: Console, found: Difference, inventory: Inventory, *, days: int) -> None:
    """What got worse first, then what got better, then what is about to."""
    output.say(_opening(found))
    _checks(console, "New drift", found.new_drifts, found, inventory, "yellow")
    _checks(console, "Waivers over, drift again", found.waivers_over, found, inventory, "yellow")
    _checks(console, "New error", found.new_troubles, found, inventory, "red")
    _silent(console, "In error", found.newly_in_error, inventory, "red")
    _silent(console, "Absent", found.newly_absent, inventory, "magenta")
    _often(console, found, inventory, days)
    _checks(console, "New drift, waived", found.newly_waived, found, inventory, "cyan")
    _mended(console, "Mended", found.mended, found, inventory, "green")
    _lines(console, "Back", [_named(inventory, name) for name in found.back], "green")
    _mended(console, "No longer judged", found.no_longer_judged, found, inventory, "dim")
    _lines(console, "New here", [_newcomer(one, inventory) for one in found.came], "cyan")
    _lines(console, "Gone", [_named(inventory, name) for name in found.went], "dim")
    over = [
        f"{a.host}: {a.measure}/{a.check}, {acknowledged.words(a)}"
        for a in found.acknowledgements_over
    ]
    _lines(console, "Acknowledgements over", over, "yellow")
    day = _run_day(found)
    _lines(console, "Waivers about to end", list(waived.endings(found.ending, day)), "yellow")
    if not _any(found):
        output.say("\nNothing is new.")
    worst = (*found.new_drifts, *found.waivers_over, *found.new_troubles)
    if worst:
        first = worst[0]
        check = told.check_name(first.verdict)
        output.say(f"\nWhat proves the first: kitsurvie compliance evidence {first.host} {check}")


def _opening(found: Difference) -> str:
    before, after = found.before, found.after
    hours = (after.started_at - before.started_at) / 3600
    apart = f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
    machines = told.count(found.hosts, "machine")
    return (
        f"Run {after.id} of {told.day(after.started_at)} against run {before.id} of "
        f"{told.day(before.started_at)}, {apart} apart: {told.run_words(after)}, {machines}."
    )


def _any(found: Difference) -> bool:
    return any(
        (
            found.new_drifts, found.newly_waived, found.waivers_over, found.mended,
            found.new_troubles, found.no_longer_judged,
            found.newly_absent, found.newly_in_error, found.back, found.came, found.went,
            found.acknowledgements_over, found.ending,
        )
    )  # fmt: skip


def _heading(console: Console, title: str, counted: str, style: str) -> None:
    head = Text("\n")
    head.append(title, style=f"bold {style}")
    console.print(head.append(f"  {counted}"))


def _checks(
    console: Console,
    title: str,
    entries: Sequence[Entry],
    found: Difference,
    inventory: Inventory,
    style: str,
) -> None:
    """By check: what befalls many machines has one cause, and is told once."""
    if not entries:
        return
    machines = told.count(told.hosts_of(entries), "machine")
    day = _run_day(found)
    _heading(console, title, f"{told.count(len(entries), 'check')} on {machines}", style)
    groups: dict[str, list[Entry]] = {}
    for one in entries:
        groups.setdefault(f"{one.verdict.measure} / {one.verdict.check}", []).append(one)
    for check, of in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        listed = told.names([_marked(inventory, one) for one in of])
        console.print(Text(f"  {check}: {listed}"))
        for one in of:
            if one.acknowledged is not None:
                said = acknowledged.words(one.acknowledged)
                console.print(Text(f"    {one.host}: {said}", style="cyan"))
        for waiver, those in _by_waiver(of).items():
            said = f"{told.names(those)}: {waived.words(waiver, day)}"
            console.print(Text(f"    {said}", style="cyan"))
        first = of[0].verdict
        if first.message:
            console.print(Text(f"    {told.cut(first.message)}"))
        if first.status is Status.DRIFT:
            console.print(Text(f"    expected  {told.cut(first.expected)}"))
            where = f"  ({of[0].host})" if len({one.verdict.found for one in of}) > 1 else ""
            console.print(Text(f"    found     {told.cut(first.found)}{where}"))


def _by_waiver(entries: Iterable[Entry]) -> dict[Waiver, list[str]]:
    hosts: dict[Waiver, list[str]] = {}
    for one in entries:
        if one.waiver is not None:
            hosts.setdefault(one.waiver, []).append(one.host)
    return hosts


def _run_day(found: Difference) -> date:
    return date.fromtimestamp(found.after.started_at)


def _marked(inventory: Inventory, one: Entry) -> str:
    again = f", {one.again} times lately" if one.again else ""
    return f"{one.host} ({told.member(inventory, one.host)}{again})"


def _named(inventory: Inventory, host: str) -> str:
    return f"{host} ({told.member(inventory, host)})"


def _silent(
    console: Console, title: str, silent: Sequence[Silent], inventory: Inventory, style: str
) -> None:
    lines = []
    for one in silent:
        last = "never seen" if one.last is None else f"last judged {told.day(one.last)}"
        detail = f": {output.printable(one.detail)}" if one.detail else ""
        lines.append(f"{_named(inventory, one.host)}, {last}{detail}")
    _lines(console, title, lines, style)


def _often(console: Console, found: Difference, inventory: Inventory, days: int) -> None:
    lines = [told.recurs(one, inventory, days) for one in found.again]
    _lines(console, "Again and again", lines, "yellow")


def _mended(
    console: Console,
    title: str,
    entries: Iterable[Entry],
    found: Difference,
    inventory: Inventory,
    style: str,
) -> None:
    lines = [
        f"{one.verdict.measure} / {one.verdict.check}: {_named(inventory, one.host)}, "
        f"{one.verdict.status.value} since {told.day(one.since)}, "
        f"until {told.by_run(found.runs, one.run)}"
        for one in entries
    ]
    _lines(console, title, lines, style)


def _newcomer(one: Any, inventory: Inventory) -> str:
    drifts = told.count(len(one.drifts), "drift") if one.drifts else "no drift"
    return f"{_named(inventory, one.host)}, {drifts}"


def _lines(console: Console, title: str, lines: Sequence[str], style: str) -> None:
    """A line each while they are few; the document has them all."""
    if not lines:
        return
    _heading(console, title, str(len(lines)), style)
    for line in lines[:HEAD]:
        console.print(Text(f"  {line}"))
    if len(lines) > HEAD:
        console.print(Text(f"  and {len(lines) - HEAD} more (--json has them all)", style="dim"))


# -- the document -------------------------------------------------------------------------------


def document(found: Difference, inventory: Inventory, *, days: int) -> dict[str, Any]:
    """The difference as docs/reference/json.md says it."""
    day = _run_day(found)

    def entries(of: Iterable[Entry]) -> list[dict[str, Any]]:
        return [_entry(one, found, inventory) for one in of]

    def silent(of: Iterable[Silent]) -> list[dict[str, Any]]:
        return [
            {**_host(inventory, one.host), "detail": one.detail, "last_judged": iso(one.last)}
            for one in of
        ]

    return {
        "from": told.run_document(found.before),
        "to": told.run_document(found.after),
        "hosts": found.hosts,
        "exit_code": int(exit_code(found, inventory)),
        "new_drift": entries(found.new_drifts),
        "newly_waived": entries(found.newly_waived),
        "waivers_over": entries(found.waivers_over),
        "mended": entries(found.mended),
        "new_error": entries(found.new_troubles),
        "no_longer_judged": entries(found.no_longer_judged),
        "newly_absent": silent(found.newly_absent),
        "newly_in_error": silent(found.newly_in_error),
        "back": [_host(inventory, name) for name in found.back],
        "came": [
            {**_host(inventory, one.host), "drifts": [told.check_name(v) for v in one.drifts]}
            for one in found.came
        ],
        "went": [_host(inventory, name) for name in found.went],
        "again_and_again": [told.recurrent_document(one, inventory, days) for one in found.again],
        "acknowledgements_over": [
            {
                **_host(inventory, a.host), "measure": a.measure, "check": a.check,
                "acknowledged": acknowledged.document(a),
            }
            for a in found.acknowledgements_over
        ],
        "waivers_ending": [waiver_document(one, day) for one in found.ending],
    }  # fmt: skip


def _host(inventory: Inventory, name: str) -> dict[str, Any]:
    return {"host": name, "member": told.of_member(inventory, name)}


def _entry(one: Entry, found: Difference, inventory: Inventory) -> dict[str, Any]:
    verdict = one.verdict
    return {
        **_host(inventory, one.host),
        "measure": verdict.measure,
        "check": verdict.check,
        "status": verdict.status.value,
        "was": one.was.value if one.was else None,
        "since": iso(one.since),
        "changed_in": told.run_reference(found.runs, one.run),
        "found": verdict.found,
        "expected": verdict.expected,
        "message": verdict.message,
        "times_lately": one.again,
        "acknowledged": acknowledged.document(one.acknowledged),
        "waiver": None if one.waiver is None else waiver_document(one.waiver, _run_day(found)),
    }
