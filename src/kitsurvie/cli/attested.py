"""`kitsurvie compliance attestations`: what somebody states of the rules no command can check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kitsurvie import inventory as inventories
from kitsurvie import kit
from kitsurvie.cli import output, stated
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.errors import UsageError
from kitsurvie.inventory.attestations import Standing
from kitsurvie.kit import Covered, How
from kitsurvie.model import Attestation, Inventory, Member
from kitsurvie.workspace import find

WORDS = {
    Standing.ATTESTED: "attested",
    Standing.ENDING: "about to end",
    Standing.EXPIRED: "expired",
    Standing.MISSING: "missing",
}
STYLES = {
    Standing.ATTESTED: "green",
    Standing.ENDING: "cyan",
    Standing.EXPIRED: "yellow",
    Standing.MISSING: "dim",
}
Stands = Mapping[str, tuple[Standing, Attestation | None]]


def attestations(
    member: Annotated[
        list[str] | None,
        typer.Option("--member", metavar="SIREN", help="Only this member, rule by rule."),
    ] = None,
    lang: Annotated[
        Literal["fr", "en"], typer.Option(help="The language of what is attested.")
    ] = "en",
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """List, member by member, which rules somebody attests, and what ends, has ended or is missing.

    The rules are those that `kit coverage` calls attested: no command can check them.
    """
    place = find(workspace)
    measures, found = kit.load(place.roles), inventories.load(place)
    covered = kit.coverage(measures.values(), place.roles)
    rules = [one for one in covered if one.how is How.ATTESTED]
    members = _chosen(found, member)
    known = stated.known(measures, place.roles)
    statements = inventories.load_statements(place, found, measures, known)
    today, names = date.today(), [one.rule.id for one in rules]
    stands = {one.siren: statements.attestations.of(one, names, today) for one in members}
    if json:
        output.document("attestations", document(members, rules, stands))
        return 0
    console = output.stdout()
    _table(console, found, members, stands)
    if member:
        for one in members:
            _rule_by_rule(console, one, rules, stands[one.siren], lang)
    else:
        for line in _summary(members, stands):
            console.print(Text(line))
    return 0


def document(
    members: Sequence[Member], rules: Sequence[Covered], stands: Mapping[str, Stands]
) -> dict[str, Any]:
    """The payload of the command's JSON (docs/reference/json.md)."""
    titles = {one.rule.id: one for one in rules}
    return {
        "members": [
            {
                "siren": one.siren,
                "name": one.name,
                "epci": one.epci,
                "summary": _counts(stands[one.siren]),
                "rules": [
                    {
                        "rule": rule,
                        "title": titles[rule].rule.title,
                        "standing": how.value,
                        **_attestation(by),
                    }
                    for rule, (how, by) in stands[one.siren].items()
                ],
            }
            for one in members
        ]
    }


def _attestation(one: Attestation | None) -> dict[str, Any]:
    return {
        "scope": one.scope if one else None,
        "by": one.by if one else None,
        "on": one.on.isoformat() if one else None,
        "until": one.until.isoformat() if one else None,
        "evidence": one.evidence if one else None,
        "where": one.where if one else None,
    }


def _chosen(found: Inventory, sirens: Sequence[str] | None) -> list[Member]:
    """The members meant, by EPCI and name. Raises UsageError for one that is not served."""
    for siren in sirens or ():
        if siren not in found.members:
            raise UsageError(
                f"The inventory holds no member {siren!r}.",
                remedy="Give its SIREN, as `kitsurvie inventory show` prints it.",
            )
    members = [one for one in found.members.values() if not sirens or one.siren in sirens]
    return sorted(members, key=lambda one: (found.epcis.get(one.epci or "", ""), one.name))


def _counts(stands: Stands) -> dict[str, int]:
    counted = Counter(how for how, _ in stands.values())
    return {how.value: counted[how] for how in Standing}


def _table(
    console: Console, found: Inventory, members: Sequence[Member], stands: Mapping[str, Stands]
) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("EPCI", "Member"):
        table.add_column(heading, no_wrap=True)
    for how in Standing:
        table.add_column(WORDS[how], justify="right")
    for one in members:
        counts = _counts(stands[one.siren])
        cells = [Text(str(counts[how] or "-"), style=STYLES[how]) for how in Standing]
        table.add_row(Text(found.epcis.get(one.epci or "", "")), Text(one.name), *cells)
    console.print(table)


def _summary(members: Sequence[Member], stands: Mapping[str, Stands]) -> Iterator[str]:
    """What has ended and what ends, by statement; then the rules that are stated nowhere."""
    for how, head in ((Standing.EXPIRED, "Expired"), (Standing.ENDING, "Ending")):
        of: dict[Attestation, list[str]] = {}
        for one in members:
            for standing, by in stands[one.siren].values():
                if standing is how and by is not None:
                    of.setdefault(by, []).append(one.name)
        for number, (by, names) in enumerate(sorted(of.items(), key=lambda pair: pair[0].until)):
            start = f"\n{head:9}" if number == 0 else " " * 9
            whom = names[0] if len(names) == 1 else f"{len(names)} members"
            yield start + output.printable(
                f"{by.rule} at {whom}: until {by.until}, attested by {by.by} on {by.on} "
                f"({by.evidence}; {by.where})"
            )
    missing = Counter(
        rule
        for one in members
        for rule, (standing, _) in stands[one.siren].items()
        if standing is Standing.MISSING
    )
    nowhere = [rule for rule, count in missing.items() if count == len(members)]
    if nowhere:
        yield f"\nMissing at every member: {', '.join(nowhere)}"
    for rule, count in missing.items():
        if count < len(members):
            yield f"Missing at {count} of {len(members)} members: {rule}"


def _rule_by_rule(
    console: Console, member: Member, rules: Sequence[Covered], stands: Stands, lang: str
) -> None:
    console.print(Text(f"\n{member.name}", style="bold"))
    for one in rules:
        how, by = stands[one.rule.id]
        line = Text(f"  {one.rule.id}  ")
        line.append(WORDS[how], style=STYLES[how])
        if one.text is not None:
            line.append(f"  {getattr(one.text, lang)}")
        if by is not None:
            said = f"by {by.by} on {by.on}, until {by.until}: {by.evidence} ({by.where})"
            line.append(f"\n      {output.printable(said)}", style="dim")
        console.print(line)
