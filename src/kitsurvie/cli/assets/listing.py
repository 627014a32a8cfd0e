"""`kitsurvie assets list` and `show`: the devices of the register, and where each comes from."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets.devices import Device
from kitsurvie.assets.life import State
from kitsurvie.assets.record import Kind, Record
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.stories import sentence_of, still_lent
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError
from kitsurvie.workspace import find

LINES_SHOWN = 60
STANDS = {
    State.IN_SERVICE: "in service",
    State.STOCK: "in stock",
    State.LENT: "lent",
    State.DISCARDED: "discarded",
}

DeviceName = Annotated[
    str,
    typer.Argument(metavar="DEVICE", help="Its id, its serial number, its name, or a record."),
]
MemberName = Annotated[
    str | None,
    typer.Option("--member", metavar="SIREN", help="The devices of this member alone."),
]


def list_(
    member: MemberName = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Devices of this kind.")] = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """List the devices of the register: what each is, whose, and when it was last seen."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
    estates.check_member(estate, place, member)
    devices = [
        one
        for one in estate.devices.values()
        if (member is None or one.member == member) and (kind is None or one.kind is kind)
    ]
    devices.sort(key=lambda one: (estate.member(one.member), one.kind.value, one.name, one.id))
    if json:
        output.document("assets_list", {"devices": [document(one, estate) for one in devices]})
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "member", "kind", "name", "model", "serial", "last seen"):
        table.add_column(heading, overflow="ellipsis", no_wrap=True)
    for one in devices[:LINES_SHOWN]:
        seen = one.seen.date().isoformat() if one.seen else "on paper"
        cells = (
            one.id, estate.member(one.member), one.kind.value, one.name, one.model, one.serial, seen
        )  # fmt: skip
        table.add_row(*map(output.printable, cells))
    console = output.stdout()
    if devices:
        console.print(table)
    if len(devices) > LINES_SHOWN:
        output.say(f"and {len(devices) - LINES_SHOWN} more (--member, --kind, --json)")
    output.say(f"{told.count(len(devices), 'device')}.")
    return 0


def show(device: DeviceName, json: Json = False, workspace: Workspace = None) -> int:
    """Show a device: its records, why they are one machine, and what does not fit together."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
    one = estate.device(device)
    if json:
        output.document("assets_show", whole(one, estate))
        return 0
    named = one.name or one.serial or one.model
    output.say(output.printable(f"{one.id}  {named}  {one.kind.value}  {one.maker} {one.model}"))
    output.say(f"  member    {output.printable(estate.member(one.member))}")
    output.say(f"  serial    {output.printable(one.serial) or '-'}")
    output.say(f"  seen      {one.seen.date().isoformat() if one.seen else 'never, on paper only'}")
    output.say(f"  bought    {one.bought.isoformat() if one.bought else '-'}")
    life = estate.life(one.id)
    if life.steps:
        output.say(f"  stands    {STANDS[life.state]}")
    for step in life.steps:
        by = f"{step.by_whom}, decision {step.id}" if step.id else "a table that was imported"
        said = f"{sentence_of(step, estate.member)} ({by})"
        output.say(f"  {step.day}  {output.printable(said)}")
    if life.discard is not None and life.open_loan is not None:
        output.say(f"  but       {output.printable(still_lent(one, life, estate))}")
    for record in one.records:
        output.say(f"  record    {output.printable(_record(record, estate.records[record]))}")
    for link in links(one, estate):
        output.say(f"  because   {link['first']} and {link['second']}: {link['reason']}")
    for sentence in conflicts(one, estate):
        output.say(f"  but       {output.printable(sentence)}")
    return 0


def document(one: Device, estate: Estate) -> dict[str, Any]:
    """A device as the documents have it: no person is in it."""
    return {
        "id": one.id,
        "member": {"siren": one.member, "name": estate.member(one.member)} if one.member else None,
        "kind": one.kind.value,
        "name": one.name,
        "maker": one.maker,
        "model": one.model,
        "serial": one.serial,
        "status": one.status,
        "seen": one.seen.isoformat() if one.seen else None,
        "bought": one.bought.isoformat() if one.bought else None,
        "records": list(one.records),
    }


def whole(one: Device, estate: Estate) -> dict[str, Any]:
    """The same, with why its records are one machine."""
    life = estate.life(one.id)
    return {
        **document(one, estate),
        "links": links(one, estate),
        "conflicts": conflicts(one, estate),
        "stands": life.state.value,
        "open_loan": life.open_loan.id if life.open_loan else None,
        "story": [
            {
                "decision": step.id or None, "kind": step.kind, "day": step.day.isoformat(),
                "by": step.by_whom, "data": dict(step.data),
            }
            for step in life.steps
        ],
    }  # fmt: skip


def links(one: Device, estate: Estate) -> list[dict[str, str]]:
    """Why the records of a device are one machine."""
    own = set(one.records)
    return [
        {
            "first": link.first, "second": link.second, "how": link.how.value,
            "grade": link.grade.value, "reason": link.reason,
        }
        for link in estate.identity.links
        if link.first in own and link.second in own
    ]  # fmt: skip


def conflicts(one: Device, estate: Estate) -> list[str]:
    """What does not fit together in the records of a device."""
    own = set(one.records)
    return [c.sentence for c in estate.identity.conflicts if own & set(c.records)]


def record_of(estate: Estate, said: str) -> str:
    """The id of a record that is meant; raises UsageError."""
    if said not in estate.records:
        raise UsageError(
            f"The register has no record {said!r}.",
            remedy="The records of a device are listed by: kitsurvie assets show DEVICE",
        )
    return said


def _record(name: str, record: Record) -> str:
    seen = f", seen {record.seen.date().isoformat()}" if record.seen else ""
    serial = f", serial {record.serial}" if record.serial else ""
    return f"{name}: {record.name}{serial}{seen}"
