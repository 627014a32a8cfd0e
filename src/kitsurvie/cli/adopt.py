"""`kitsurvie kit adopt`: what enforcing would change at members that only observe."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from kitsurvie.cli import context as contexts
from kitsurvie.cli import deployment, output, run_lock
from kitsurvie.cli.adoption import Adoption, Machine, Prospect, adoptions, newest
from kitsurvie.cli.context import Context
from kitsurvie.cli.options import Json, Limit, Measures, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.cli.view import HostView
from kitsurvie.model import Mode
from kitsurvie.plan import Due
from kitsurvie.workspace import find

NAMES_SHOWN = 6
CHECKS_SHOWN = 3
HOUR_S = 3600.0


def adopt(
    limit: Limit = None,
    measure: Measures = None,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Add Ansible's own preview on the machines that would change."),
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say what enforcing each measure would change where it is observed, and the line to write.

    From the newest verdicts on record: no machine is asked anything unless --diff is given.
    """
    place = find(workspace)
    world = contexts.prepare(place.root, limit, measure or [])
    with opened(place.ledger_url) as ledger:
        pairs = [
            (item.host, item.measure)
            for items in world.lay_out().items.values()
            for item in items
            if item.mode is Mode.OBSERVE
        ]
        found = adoptions(world, newest(ledger, pairs))
    preview = _preview(world, found) if diff else ""
    if json:
        told = document(world, found)
        output.document("kit_adopt", {**told, "preview": preview} if diff else told)
    else:
        _show(world, found, time.time())
        if preview:
            output.say("\nAnsible's preview (a preview, not a verdict):\n")
            output.say(output.printable(preview, lines=True))
    return 0


def document(world: Context, found: Mapping[str, tuple[Adoption, ...]]) -> dict[str, Any]:
    """The same as the documented JSON says it (docs/reference/json.md)."""
    return {
        "members": [
            {
                "siren": siren,
                "name": world.inventory.members[siren].name,
                "epci": world.inventory.members[siren].epci,
                "measures": [
                    {
                        "id": one.measure.id,
                        "lockout_risk": one.measure.lockout_risk,
                        "reboot": one.measure.reboot,
                        "line": one.line,
                        "write_in": list(one.places),
                        **{
                            prospect.value: [_machine(machine) for machine in one.having(prospect)]
                            for prospect in Prospect
                        },
                    }
                    for one in measures
                ],
            }
            for siren, measures in _ordered(world, found)
        ]
    }


def _machine(machine: Machine) -> dict[str, Any]:
    known = machine.known
    return {
        "host": machine.host.name,
        "seen": datetime.fromtimestamp(known.at, UTC).isoformat() if known else None,
        "run": known.run if known else None,
        "why": machine.why,
        "drifts": [
            {"check": v.check, "found": v.found, "expected": v.expected} for v in machine.drifts
        ],
    }


def _ordered(
    world: Context, found: Mapping[str, tuple[Adoption, ...]]
) -> list[tuple[str, tuple[Adoption, ...]]]:
    """Members by EPCI and name, as everywhere."""

    def key(pair: tuple[str, tuple[Adoption, ...]]) -> tuple[bool, str, str, str]:
        member = world.inventory.members[pair[0]]
        epci = world.inventory.epcis.get(member.epci or "", "")
        return (member.epci is None, epci, member.name, member.siren)

    return sorted(found.items(), key=key)


def _preview(world: Context, found: Mapping[str, tuple[Adoption, ...]]) -> str:
    """Ansible's check mode where a measure would change something."""
    items = world.lay_out().items
    views: dict[str, HostView] = {}
    for name in world.measures:
        for one in (one for measures in found.values() for one in measures):
            for machine in one.having(Prospect.CHANGE) if one.measure.id == name else ():
                host = machine.host
                view = views.setdefault(host.name, HostView(host, items[host.name]))
                view.due = (*view.due, Due(host.name, name, "to be adopted"))
    if not views:
        return ""
    place = world.workspace
    with run_lock.hold(place.lock, "a preview", wait_for_orphan=False, tell=output.complain):
        return deployment.preview(place, views.values())


def _show(world: Context, found: Mapping[str, tuple[Adoption, ...]], now: float) -> None:
    if not found:
        output.say("Nothing is only observed there: every measure is enforced or switched off.")
        return
    console = output.stdout()
    for siren, measures in _ordered(world, found):
        member = world.inventory.members[siren]
        epci = world.inventory.epcis.get(member.epci or "", "")
        head = Text(f"\n{member.name}", style="bold")
        head.append(f"{f' ({epci})' if epci else ''}: {_seen(measures, now)}", style="not bold")
        console.print(head)
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("Measure", no_wrap=True)
        for heading in ("Changes", "Nothing to change", "Unknown"):
            table.add_column(heading, justify="right")
        for heading in ("Mind", "To enforce it", "In"):
            table.add_column(heading, overflow="fold")
        for one in measures:
            counts = [str(len(one.having(prospect)) or "-") for prospect in Prospect]
            table.add_row(one.measure.id, *counts, _mind(one), one.line, "\n".join(one.places))
        console.print(table)
        for one in measures:
            for line in _machines(one):
                console.print(Text(f"  {line}", style="dim"))


def _mind(one: Adoption) -> str:
    risks = {"guarded": one.measure.lockout_risk, "restart": one.measure.reboot}
    return ", ".join(word for word, holds in risks.items() if holds)


def _machines(one: Adoption) -> Iterator[str]:
    """What would change where, and what is not known, while the machines are few."""
    for prospect, verb in ((Prospect.CHANGE, "would change"), (Prospect.UNKNOWN, "is unknown on")):
        machines = one.having(prospect)
        for machine in machines[:NAMES_SHOWN]:
            said = machine.why or _named([v.check for v in machine.drifts])
            yield f"{one.measure.id} {verb} {machine.host.name}: {output.printable(said)}"
        if len(machines) > NAMES_SHOWN:
            left = len(machines) - NAMES_SHOWN
            yield f"{one.measure.id} {verb} {left} more (--json names them all)"


def _named(checks: list[str]) -> str:
    more = len(checks) - CHECKS_SHOWN
    return ", ".join(checks[:CHECKS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _seen(measures: Iterable[Adoption], now: float) -> str:
    """How old what is told is."""
    times = [m.known.at for one in measures for m in one.machines if m.known is not None]
    if not times:
        return "never looked at; look first: kitsurvie compliance run"
    oldest, latest = _age(now - min(times)), _age(now - max(times))
    return f"looked at {latest} ago" + (f" and up to {oldest} ago" if oldest != latest else "")


def _age(seconds: float) -> str:
    if seconds < HOUR_S:
        return f"{max(0, seconds) / 60:.0f} min"
    if seconds < 48 * HOUR_S:
        return f"{seconds / HOUR_S:.0f} h"
    return f"{seconds / (24 * HOUR_S):.0f} days"
