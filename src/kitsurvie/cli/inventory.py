"""`kitsurvie inventory`: whom we serve, with which machines, and what is wrong with that list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kitsurvie import inventory, kit, workspace
from kitsurvie.cli import output, stated
from kitsurvie.errors import ExitCode
from kitsurvie.inventory import Problem, Severity
from kitsurvie.model import Host, Inventory, Measure, Mode

app = typer.Typer(help="The machines, the members they belong to, and what is wrong with the list.")

WARNINGS_SHOWN = 20

WorkspaceDir = Annotated[
    Path | None,
    typer.Option("--workspace", metavar="DIR", help="The workspace; else this folder or above."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@app.command()
def show(
    place: WorkspaceDir = None,
    limit: Annotated[
        str | None, typer.Option("--limit", metavar="PATTERN", help="An Ansible host pattern.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the machines by EPCI and member, and how far the kit goes on each."""
    where = workspace.find(place)
    found = inventory.load(where)
    measures = kit.load(where.roles)
    named = inventory.select(found, limit) if limit is not None else tuple(found.hosts)
    hosts = [found.hosts[name] for name in named]
    if as_json:
        known = inventory.pinned(where)
        listed = [_host(host, found, measures, host.name in known) for host in hosts]
        output.document("inventory_show", {"hosts": listed})
        return
    for line in _lines(hosts, found, measures):
        output.say(line)
    members = len({host.member for host in hosts})
    output.say(f"\n{len(hosts)} hosts of {members} members.")


@app.command()
def check(place: WorkspaceDir = None, as_json: AsJson = False) -> None:
    """Say everything that is wrong with the inventory; exit 2 when a run would refuse it."""
    where = workspace.find(place)
    measures = kit.load(where.roles)
    problems = inventory.check(where, measures, known=stated.known(measures, where.roles))
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if as_json:
        listed = [
            {"severity": p.severity.value, "where": p.where, "what": p.what, "remedy": p.remedy}
            for p in problems
        ]
        output.document("inventory_check", {"problems": listed})
    else:
        _say(problems, errors)
    if errors:
        raise typer.Exit(ExitCode.CONFIGURATION)


def _say(problems: list[Problem], errors: int) -> None:
    shown = problems[: errors + WARNINGS_SHOWN]
    for problem in shown:
        output.say(f"{problem.severity.value}: {problem.what}")
        output.say(f"  Where: {problem.where}")
        output.say(f"  What to do: {problem.remedy}")
    if len(problems) > len(shown):
        output.say(f"and {len(problems) - len(shown)} more warnings; --json lists them all.")
    output.say(f"{errors} errors, {len(problems) - errors} warnings.")


def _epci(host: Host, found: Inventory) -> str:
    return found.epcis[host.epci] if host.epci else ""


def _member(host: Host, found: Inventory) -> tuple[str, str]:
    return found.members[host.member].name, host.member


def _lines(hosts: list[Host], found: Inventory, measures: Mapping[str, Measure]) -> Iterator[str]:
    """A table with the EPCI and the member as headings; names are never cut."""
    hosts.sort(key=lambda host: (host.epci is None, _epci(host, found), _member(host, found)))
    head = ("host", "address", "profile", "mode", "enforced", "observed", "off")
    rows = [head, *(_row(host, measures) for host in hosts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    yield lines[0].rstrip()
    epci = member = None
    for host, line in zip(hosts, lines[1:], strict=True):
        if (place := _epci(host, found) or "Outside any EPCI") != epci:
            epci = place
            yield f"\n{place}"
        if host.member != member:
            member = host.member
            of = found.members[member]
            yield f"  {of.name} ({of.kind.value}, SIREN {of.siren}, INSEE {of.insee})"
        yield line.rstrip()


def _modes(host: Host, measures: Mapping[str, Measure]) -> dict[str, Mode]:
    """The mode of every measure that is for this machine's profile."""
    return {
        name: kit.mode(measure, host.variables)
        for name, measure in measures.items()
        if host.profile in measure.profiles
    }


def _row(host: Host, measures: Mapping[str, Measure]) -> tuple[str, ...]:
    counts = Counter(_modes(host, measures).values())
    general = host.variables.get("kit__mode", Mode.OBSERVE.value)
    port = "" if host.port == 22 else f" port {host.port}"
    behind = f" behind {host.jump}" if host.jump else ""
    return (
        host.name,
        f"{host.address}{port}{behind}",
        host.profile.value,
        str(general or Mode.OFF.value),
        *(str(counts[mode]) for mode in (Mode.ENFORCE, Mode.OBSERVE, Mode.OFF)),
    )


def _host(
    host: Host, found: Inventory, measures: Mapping[str, Measure], enrolled: bool
) -> dict[str, Any]:
    member = found.members[host.member]
    return {
        "name": host.name,
        "address": host.address,
        "port": host.port,
        "user": host.user,
        "jump": host.jump,
        "enrolled": enrolled,
        "profile": host.profile.value,
        "insee": host.insee,
        "member": {"siren": member.siren, "name": member.name, "kind": member.kind.value},
        "epci": {"siren": host.epci, "name": _epci(host, found)} if host.epci else None,
        "modes": {name: mode.value for name, mode in _modes(host, measures).items()},
        "variables": {
            name: [
                {
                    "name": one.name,
                    "value": one.value,
                    "scope": one.origin.scope.value,
                    "set_for": one.origin.name,
                    "where": one.origin.where,
                }
                for one in kit.values(measure, host)
                if not one.default
            ]
            for name, measure in measures.items()
            if host.profile in measure.profiles
        },
    }
