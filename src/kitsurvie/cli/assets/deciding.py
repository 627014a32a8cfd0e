"""`kitsurvie assets identical`, `merge`, `unmerge`, `exempt`: what people decide, on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from kitsurvie import inventory as inventories
from kitsurvie.assets import acts, life
from kitsurvie.assets.clusters import Conflict
from kitsurvie.assets.identity import Ruling
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock, people
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import MERGE, Estate
from kitsurvie.cli.assets.listing import DeviceName, MemberName, record_of
from kitsurvie.cli.assets.stories import sentence_of
from kitsurvie.cli.context import who
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Ledger
from kitsurvie.ledger.register import Act
from kitsurvie.model import Inventory
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

LINES_SHOWN = 30
CONFLICTS_SHOWN = 10
FORGET = "forget"
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it stays on record with your name.")
]


def identical(
    member: MemberName = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every pair and every conflict, however many.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """List pairs of records that may be one machine, and what does not fit together.

    Nothing is joined by itself on such evidence: `merge` joins two, `unmerge` keeps them apart.
    """
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
    estates.check_member(estate, place, member)
    pairs = [
        link
        for link in estate.identity.proposals
        if member is None or member in _members(estate, link.first, link.second)
    ]
    conflicts = sorted(
        (
            one
            for one in estate.identity.conflicts
            if member is None or member in _members(estate, *one.records)
        ),
        # one machine that does not fit itself is to be looked into; what many share is left out
        key=lambda one: len({estate.by_record[record] for record in one.records}) > 1,
    )
    if json:
        output.document(
            "assets_identical",
            {
                "proposals": [
                    {
                        "first": _side(estate, one.first), "second": _side(estate, one.second),
                        "grade": one.grade.value, "reason": one.reason,
                    }
                    for one in pairs
                ],
                "conflicts": [
                    {"records": list(one.records), "sentence": one.sentence}
                    for one in conflicts
                ],
            },
        )  # fmt: skip
        return 0
    shown = pairs if everything else pairs[:LINES_SHOWN]
    for one in shown:
        output.say(f"{one.grade.value}  {output.printable(one.reason)}")
        for record in (one.first, one.second):
            output.say(f"     {output.printable(_line(estate, record))}")
    if len(pairs) > len(shown):
        more = told.count(len(pairs) - len(shown), "more pair")
        output.say(f"and {more} (--all shows them, or --member)")
    _say_conflicts(conflicts, estate, len(conflicts) if everything else CONFLICTS_SHOWN)
    output.say(
        f"{told.count(len(pairs), 'pair')} to decide, {told.count(len(conflicts), 'conflict')}."
    )
    if pairs:
        first, second = (estate.by_record[record] for record in (pairs[0].first, pairs[0].second))
        output.say(f"One machine: kitsurvie assets merge {first} {second} --reason ...")
        output.say(f"Two machines: kitsurvie assets unmerge {first} {second} --reason ...")
    return 0


def _say_conflicts(conflicts: Sequence[Conflict], estate: Estate, most: int) -> None:
    """What does not fit together, each in its sentence with the records that it is about."""
    if not conflicts:
        return
    output.say("What does not fit together (look into one: kitsurvie assets show RECORD):")
    for one in conflicts[:most]:
        named = [f"{record} ({estate.records[record].name or '-'})" for record in one.records]
        output.say(f"  -  {output.printable(one.sentence)}")
        output.say(f"     {output.printable(told.names(named))}")
    if len(conflicts) > most:
        more = told.count(len(conflicts) - most, "more conflict")
        output.say(f"and {more} (--all shows them, or --member)")


def merge(
    first: DeviceName,
    second: DeviceName,
    reason: Reason,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say that two devices of the register are one machine; it wins over every rule."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        one, other = estate.device(first), estate.device(second)
        if one.id == other.id:
            raise UsageError(
                f"{first} and {second} are one device already.",
                remedy="Show it with: kitsurvie assets show " + one.id,
            )
        pair = (one.records[0], other.records[0])
        return _decide(ledger, place, [pair], Ruling.SAME, reason, json=json)


def unmerge(
    first: DeviceName,
    second: Annotated[
        str, typer.Argument(metavar="OTHER", help="Another device, or a record of the same one.")
    ],
    reason: Reason,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Keep two devices apart, or take a record out of a device; it wins over every rule."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        one = estate.device(first)
        if second in estate.devices and second != one.id:
            other = estate.device(second).records
            pairs = [(a, b) for a in one.records for b in other]
        else:
            record = record_of(estate, second)
            pairs = [(record, b) for b in one.records if b != record]
        if not pairs:
            raise UsageError(
                f"{one.id} has that record alone.", remedy="There is nothing to take it out of."
            )
        return _decide(ledger, place, pairs, Ruling.APART, reason, json=json)


def exempt(
    member: Annotated[str, typer.Option("--member", metavar="SIREN", help="At which member.")],
    reason: Reason,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day.")],
    user: people.Person = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Let somebody have two machines until a day. The login is kept as a pseudonym.

    It is asked for, or read from standard input: arguments are shown to every account.
    """
    last = told.date_of("--until", until)
    if last < clock.today():
        raise UsageError(f"--until {until}: that day is past.", remedy="Name a day to come.")
    why = why_of(reason)
    place = find(workspace)
    estates.known_member(inventories.load(place), place, member)
    person = people.person(user, people.pseudonyms(place))
    one = acts.Exempt(person, member, why, last.isoformat())
    with opened(place.ledger_url) as ledger:
        number = decide(ledger, one)
    if json:
        output.document("assets_exempt", {"decision": number, **acts.data_of(one)})
    else:
        output.say(f"Decision {number}: exempt until {last.isoformat()}. To take it back: "
                   f"kitsurvie assets revoke {number}")  # fmt: skip
    return 0


def journal(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were taken back.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """List what people decided of equipment: by whom, when and why."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        decided = ledger.register.acts(undone=everything)
    if json:
        output.document("assets_journal", {"decisions": [_document(one) for one in decided]})
        return 0
    inventory = inventories.load(place)
    for one in decided:
        undone = f" (taken back on {told.day(one.undone_at)})" if one.undone_at is not None else ""
        output.say(
            output.printable(
                f"{one.id}  {told.day(one.at)}  {one.by_whom}  {_said(one, inventory)}{undone}"
            )
        )
    output.say(f"{told.count(len(decided), 'decision')}.")
    return 0


def revoke(
    numbers: Annotated[
        list[int], typer.Argument(metavar="N...", help="The decisions, by their numbers.")
    ],
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Take decisions back. They stay on record, with who took them back."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        if any(one.id in numbers for one in ledger.register.acts(FORGET)):
            raise UsageError(
                "That somebody was forgotten cannot be taken back: nothing of them is kept.",
                remedy="What an export still says of them comes back with its next import.",
            )
        standing = {one.id for one in ledger.register.acts()}
        # one that does not stand is refused before any other is taken back
        ordered = sorted(dict.fromkeys(numbers), key=lambda number: number in standing)
        taken = [ledger.register.revoke(who(), number) for number in ordered]
        estates.settle(estates.load(ledger.register, place))
    if json:
        output.document("assets_revoke", {"decisions": [_document(act) for act in taken]})
        return 0
    inventory = inventories.load(place)
    for act in taken:
        output.say(f"Decision {act.id} is taken back: {output.printable(_said(act, inventory))}.")
    return 0


def decide(ledger: Ledger, one: acts.Decided) -> int:
    """Put a decision on record, with who made it and when; gives its number."""
    return ledger.register.decide(who(), acts.kind_of(one), acts.data_of(one))


def _decide(
    ledger: Ledger,
    place: Place,
    pairs: list[tuple[str, str]],
    ruling: Ruling,
    reason: str,
    *,
    json: bool,
) -> int:
    why = why_of(reason)
    numbers = [decide(ledger, acts.Merge(a, b, ruling.value, why)) for a, b in pairs]
    estate = estates.load(ledger.register, place)
    estates.settle(estate)
    devices = sorted({estate.by_record[record] for pair in pairs for record in pair})
    if json:
        output.document("assets_decision", {"decisions": numbers, "devices": devices})
    else:
        told_as = "One machine" if ruling is Ruling.SAME else "Apart"
        back = " ".join(map(str, numbers))
        output.say(f"{told_as}: {', '.join(devices)}. To take it back: "
                   f"kitsurvie assets revoke {back}")  # fmt: skip
    return 0


def why_of(reason: str) -> str:
    """The reason on one line. Raises UsageError when there is none."""
    why = " ".join(reason.split())
    if not why:
        raise UsageError("The reason is empty.", remedy="Say why: whoever reads it has no other.")
    return why


def _said(act: Act, inventory: Inventory) -> str:
    data = act.data
    if act.kind in life.KINDS:
        said = sentence_of(estates.step(act), partial(estates.name_of, inventory))
        return f"{data['device']} on {data['day']}: {said}"
    if act.kind == MERGE:
        word = "one machine" if data["ruling"] == Ruling.SAME.value else "two machines"
        return f"{data['a']} and {data['b']}: {word}: {data['reason']}"
    return f"{act.kind}: {', '.join(f'{key} {value}' for key, value in data.items() if value)}"


def _document(act: Act) -> dict[str, Any]:
    return {
        "decision": act.id,
        "at": told.iso(act.at),
        "by": act.by_whom,
        "kind": act.kind,
        "undone": told.iso(act.undone_at) if act.undone_at is not None else None,
        "data": dict(act.data),
    }


def _members(estate: Estate, *records: str) -> set[str | None]:
    return {estate.records[record].member for record in records}


def _side(estate: Estate, record: str) -> Mapping[str, Any]:
    one = estate.records[record]
    return {
        "record": record, "device": estate.by_record[record], "name": one.name,
        "serial": one.serial, "member": one.member,
    }  # fmt: skip


def _line(estate: Estate, record: str) -> str:
    one = estate.records[record]
    serial = f", serial {one.serial}" if one.serial else ""
    device = estate.by_record[record]
    return f"{device}  {record}: {one.name}, {one.model}{serial} ({estate.member(one.member)})"
