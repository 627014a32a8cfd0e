"""`consultations.yml`: at which members the use of equipment may be looked at, as was consulted on.

Who used which machine on which day says something of how people work: it is not collected at a
member before its staff's body was consulted, which this file says with the day and the body.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kitsurvie.inventory import territory
from kitsurvie.inventory.entries import Entry, Form, Reader, read
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.model import Inventory
from kitsurvie.workspace import Workspace

SCOPES = ("member", "epci", "all")
FORM = Form(
    file="consultations.yml",
    heading="consultations",
    noun="consultation",
    keys={
        "member": "Write the SIREN of a member, between quotes.",
        "epci": "Write the SIREN of an EPCI, between quotes.",
        "all": "Write `all: true` where one body speaks for every member.",
        "body": "Say who was consulted: the social committee of the management centre.",
        "on": 'Write the day of the consultation, between quotes: "2026-03-12".',
        "evidence": "Say what shows it: a document's reference.",
    },
    one_of=(SCOPES,),
    optional=("evidence",),
)


@dataclass(frozen=True, slots=True)
class Consultation:
    """A body that was consulted for a member, an EPCI or all (`name` empty) on a day."""

    where: str
    scope: str
    name: str
    body: str
    on: date


@dataclass(frozen=True, slots=True)
class Consultations:
    """Every consultation that is on record."""

    listed: tuple[Consultation, ...]
    epcis: dict[str, str]

    def of(self, member: str | None) -> Consultation | None:
        """The one that covers a member (SIREN), the nearest first; None: its use is not to be read.

        Of what belongs to no member nobody can say who was consulted, unless all were.
        """
        names = {"member": member, "epci": self.epcis.get(member or ""), "all": ""}
        for scope in SCOPES:
            for one in self.listed:
                if one.scope == scope and one.name == names[scope]:
                    return one
        return None


def load(workspace: Workspace, inventory: Inventory, today: date | None = None) -> Consultations:
    """The consultations of a workspace. Raises InventoryError at the first that is wrong."""
    members = ((one.siren, one.epci) for one in inventory.members.values())
    found, problems = read_for(workspace, members, inventory.epcis, today or date.today())
    for problem in problems:
        if problem.severity is Severity.ERROR:
            raise problem.error()
    return found


def read_for(
    workspace: Workspace,
    members: Iterable[tuple[str, str | None]],
    epcis: Iterable[str],
    today: date,
) -> tuple[Consultations, list[Problem]]:
    """The sound consultations, and what is wrong with the others.

    `members` are those of the inventory by SIREN, each with its EPCI; `epcis` the EPCI it names.
    """
    entries, reader = read(workspace.inventory, FORM)
    known_members = {one.siren: one.epci for one in territory.members()} | dict(members)
    above = {siren: epci for siren, epci in known_members.items() if epci}
    known = {"member": set(known_members), "epci": {*above.values(), *epcis}}
    sound = []
    for entry in entries:
        before = len(reader.problems)
        scope, name = _whom(entry, known, reader)
        on = reader.day_of(entry, "on")
        if on is not None and on > today:
            reader.wrong(entry.at("on"), f"on is {on}, which is still to come.", key="on")
        if entry.sound and on is not None and len(reader.problems) == before:
            sound.append(Consultation(entry.where, scope, name, entry.texts["body"], on))
    return Consultations(tuple(sound), above), reader.told()


def _whom(entry: Entry, known: dict[str, set[str]], reader: Reader) -> tuple[str, str]:
    scope = next((one for one in SCOPES if one in entry.texts), "")
    name = entry.texts.get(scope, "")
    if scope == "all":
        if name != "true":
            reader.wrong(entry.at(scope), f"all is {name!r}.", key=scope)
        return scope, ""
    if scope and name not in known[scope]:
        reader.no_such(entry, scope)
    return scope, name
