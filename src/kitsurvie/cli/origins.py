"""What differs from the kit's defaults, on which machines, and the line that says so."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kitsurvie import kit
from kitsurvie.cli import output
from kitsurvie.cli.view import RunView
from kitsurvie.model import Inventory, Scope, Setting

NAMES_SHOWN = 3
LONGEST = 60


def show(console: Console, run: RunView) -> None:
    """A row for each value and the place it comes from: machines that share both share the row."""
    hosts: dict[tuple[str, str, str, str, str], list[str]] = {}
    for view in run.hosts:
        for item in view.items:
            for one in kit.values(run.measures[item.measure], view.host):
                if not one.default:
                    told = json.dumps(one.value, ensure_ascii=False)
                    who = said_by(one.origin, run.inventory)
                    # what the kit says of every measure is said once, not once a measure
                    measure = "(all)" if one.name.startswith("kit__") else item.measure
                    key = (measure, one.name, told, who, one.origin.where)
                    names = hosts.setdefault(key, [])
                    if view.host.name not in names:
                        names.append(view.host.name)
    if not hosts:
        output.say("\nEvery value is the kit's default.")
        return
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Measure", "Variable", "Value", "Set for", "Where", "Machines"):
        # a place cut in two cannot be copied: the value, which is one's own, gives way
        rows.add_column(heading, overflow="fold", max_width=32 if heading == "Value" else None)
    for (measure, name, value, who, where), names in hosts.items():
        rows.add_row(measure, name, Text(_cut(value)), Text(who), Text(where), Text(_named(names)))
    console.print()
    console.print(rows)


def said_by(origin: Setting, inventory: Inventory) -> str:
    """Who says it, in words: the name of the EPCI or member where there is one."""
    siren = origin.name.partition("_")[2]
    if origin.scope is Scope.EPCI:
        return f"EPCI {inventory.epcis.get(siren, siren)}"
    if origin.scope is Scope.MEMBER:
        member = inventory.members.get(siren)
        return f"member {member.name if member else siren}"
    if origin.scope in (Scope.GROUP, Scope.HOST):
        return f"{origin.scope.value} {origin.name}"
    return origin.scope.value


def _named(names: list[str]) -> str:
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    return f"{len(names)}: {', '.join(names[:NAMES_SHOWN])}..."


def _cut(text: str) -> str:
    shown = output.printable(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
