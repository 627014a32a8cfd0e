"""What the register holds, as devices: read once for a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from kitsurvie import inventory as inventories
from kitsurvie.assets import discards, packing
from kitsurvie.assets import life as lives
from kitsurvie.assets.crowd import Group
from kitsurvie.assets.devices import Device, adopt
from kitsurvie.assets.identity import Decision, Identity, Ruling, identify
from kitsurvie.assets.life import Life, Step
from kitsurvie.assets.record import (
    Discard,
    Exemption,
    Kind,
    Origin,
    Outcome,
    Program,
    Record,
    SessionDay,
    Source,
)
from kitsurvie.assets.traces import id_of, parts_of_id, record_id
from kitsurvie.assets.use import Use, Window, attach
from kitsurvie.errors import UsageError
from kitsurvie.inventory import consultations, territory
from kitsurvie.inventory.consultations import Consultations
from kitsurvie.ledger.register import Act, Register
from kitsurvie.model import Inventory
from kitsurvie.workspace import Workspace

MERGE, EXEMPT, DISCARD = "merge", "exempt", "discard"


@dataclass(frozen=True)
class Estate:
    """The devices of the register under their lasting ids, and what is known of them."""

    register: Register
    inventory: Inventory
    identity: Identity
    devices: Mapping[str, Device]
    exemptions: tuple[Exemption, ...]
    consulted: Consultations

    def use(self, window: Window) -> Use:
        """Who used which device on which days, where somebody was consulted about it."""
        days = self.register.days(window.start.isoformat(), window.end.isoformat())
        sessions = (
            SessionDay(
                Origin(""), date.fromisoformat(one.day), one.member or None, one.commune or None,
                one.device_name, one.device_serial, one.user,
            )
            for one in days
            if self.consulted.of(one.member or None) is not None
        )  # fmt: skip
        return attach(self.devices.values(), sessions, window)

    @cached_property
    def records(self) -> Mapping[str, Record]:
        """Every record by its id: read where one is asked for, since they are most of the room."""
        return {record_id(one): one for one in _records(self.register)}

    def programs(self) -> Mapping[str, tuple[Program, ...] | None]:
        """The programs of each record by its id, where its source has a list: nothing else kept."""
        return {
            record_id(one): one.condition.programs
            for one in _records(self.register)
            if one.condition.programs is not None
        }

    @cached_property
    def by_record(self) -> Mapping[str, str]:
        """The device of each record, by their ids."""
        return {record: one.id for one in self.devices.values() for record in one.records}

    def device_of(self, host: str) -> str | None:
        """The id of the device that a host of the inventory was seen to be (`assets collect`)."""
        return self.by_record.get(id_of(Source.FLEET.value, "", host))

    def device(self, said: str) -> Device:
        """The device that an id, a serial number or a name means; raises UsageError."""
        if said in self.devices:
            return self.devices[said]
        if said in self.by_record:
            return self.devices[self.by_record[said]]
        wanted = said.casefold()
        found = [
            one
            for one in self.devices.values()
            if wanted in {one.serial.casefold(), one.name.casefold()}
        ] or [
            one
            for one in self.devices.values()
            if wanted in {n.casefold() for n in (*one.names, *one.serials)}
        ]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(f"{one.id} ({self.member(one.member)})" for one in found[:6])
            raise UsageError(
                f"{len(found)} devices are called {said!r}.", remedy=f"Name one by its id: {ids}."
            )
        raise UsageError(
            f"The register has no device {said!r}.",
            remedy="Give an id, a serial number or a name: kitsurvie assets list",
        )

    def member(self, siren: str | None) -> str:
        """The name of a member; its SIREN when nobody knows it, `-` without one."""
        if siren is None or not siren:
            return "-"
        return name_of(self.inventory, siren)

    def small(self, epci: str) -> str:
        """What the small members of an EPCI are called together; those of several without one."""
        return f"{self.member(epci)} (small members)" if epci else "small members elsewhere"

    def group(self, group: Group) -> str:
        """The name of members that are told of together."""
        if len(group.members) == 1:
            return self.member(next(iter(group.members)))
        return self.small(group.epci)

    def epci(self, siren: str) -> str | None:
        """The SIREN of a member's EPCI, None for those in none."""
        known = self.inventory.members.get(siren) or territory.member(siren)
        return known.epci if known else None

    @cached_property
    def lives(self) -> Mapping[str, Life]:
        """What was recorded of the life of devices, by their ids; most have none."""
        steps: dict[str, list[Step]] = {}
        for act in self.register.acts(*lives.KINDS):
            device = self.meant(act.data)
            if device is not None:
                steps.setdefault(device, []).append(step(act))
        for one, found in self._imported:
            if found is not None and not any(s.kind == DISCARD for s in steps.get(found.id, ())):
                day = one.left or one.discarded
                data = {"outcome": one.outcome.value, "discarded": one.discarded.isoformat()}
                steps.setdefault(found.id, []).append(Step(0, one.register, DISCARD, day, data))
        return {device: lives.life(found) for device, found in steps.items()}

    def life(self, device: str) -> Life:
        """What was recorded of the life of a device."""
        return self.lives.get(device, Life())

    def meant(self, data: Mapping[str, Any]) -> str | None:
        """The id of the device that a decision is about, by now; None: the register lost it."""
        found = self.by_record.get(data["record"], data["device"])
        return found if found in self.devices else None

    @cached_property
    def discarded(self) -> tuple[Discard, ...]:
        """What was discarded, once each, whether a table or a decision says so."""
        said = list(self._imported)
        for act in self.register.acts(DISCARD):
            device = self.meant(act.data)
            said.append((discard_of(act), self.devices[device] if device else None))
        return discards.once(
            (discards.name_of(one, device), discards.filled(one, device)) for one, device in said
        )

    @cached_property
    def _imported(self) -> tuple[tuple[Discard, Device | None], ...]:
        unpacked = [packing.unpack("discard", one.data) for one in self.register.entries("discard")]
        listed = [one for one in unpacked if isinstance(one, Discard)]
        finder = discards.Finder(self.devices.values() if listed else ())
        return tuple((one, finder.device(one)) for one in listed)


def name_of(inventory: Inventory, siren: str) -> str:
    """The name of a member, a commune or an EPCI; its SIREN when nobody knows it."""
    known = inventory.members.get(siren) or territory.member(siren)
    if known:
        return known.name
    return inventory.epcis.get(siren) or territory.epci(siren) or siren


def is_epci(inventory: Inventory, siren: str) -> bool:
    """Whether that is the SIREN of an EPCI, which is a member too."""
    return siren in inventory.epcis or territory.epci(siren) is not None


def known_member(inventory: Inventory, place: Workspace, siren: str) -> str:
    """The SIREN of a member that there is, or of the syndicate itself. Raises UsageError."""
    if siren != place.syndicate and name_of(inventory, siren) == siren:
        raise UsageError(
            f"There is no member {siren!r}.",
            remedy="Give the SIREN of a commune, an EPCI or a member of the inventory.",
        )
    return siren


def check_member(estate: Estate, place: Workspace, siren: str | None) -> None:
    """Raises UsageError for a member that there is not; None means all of them."""
    if siren is not None and not any(one.member == siren for one in estate.devices.values()):
        known_member(estate.inventory, place, siren)


def step(act: Act) -> Step:
    """A decision on a machine as a step of its life."""
    return Step(act.id, act.by_whom, act.kind, date.fromisoformat(act.data["day"]), act.data)


def discard_of(act: Act) -> Discard:
    """What was decided to be discarded, as a table would say it."""
    data = act.data
    return Discard(
        Origin(""), f"decision {act.id}", data["member"] or None,
        date.fromisoformat(data["discarded"]), Outcome(data["outcome"]),
        kind=Kind(data["kind"]), name=data["name"], maker=data["maker"], model=data["model"],
        serial=data["serial"],
        bought=date.fromisoformat(data["bought"]) if data["bought"] else None,
        left=date.fromisoformat(data["left"]) if data["left"] else None,
        recipient=data["recipient"], proof=data["proof"], excluded=data["excluded"],
        small=data["small"],
    )  # fmt: skip


def load(register: Register, place: Workspace) -> Estate:
    """Everything that stands in the register, identified."""
    identity = identify(_records(register), decisions(register))
    former: dict[str, list[str]] = {}
    for (source, name, key), device in register.devices().items():
        former.setdefault(device, []).append(id_of(source, name, key))
    devices = {one.id: one for one in adopt(identity.devices, former)}
    inventory = inventories.load(place)
    return Estate(
        register, inventory, identity, devices, _exemptions(register),
        consultations.load(place, inventory),
    )  # fmt: skip


def _records(register: Register) -> Iterator[Record]:
    for entry in register.entries("record"):
        one = packing.unpack("record", entry.data)
        if isinstance(one, Record):
            yield one


def settle(estate: Estate) -> None:
    """Keep which record is of which device, so that ids last."""
    estate.register.set_devices(
        {parts_of_id(record): one.id for one in estate.devices.values() for record in one.records}
    )


def decisions(register: Register) -> list[Decision]:
    """What people decided of two records, in order."""
    return [
        Decision(act.data["a"], act.data["b"], Ruling(act.data["ruling"]), act.data["reason"])
        for act in register.acts(MERGE)
    ]


def _exemptions(register: Register) -> tuple[Exemption, ...]:
    found = [packing.unpack("exemption", one.data) for one in register.entries("exemption")]
    said = [
        Exemption(
            Origin(""), act.data["member"], None, act.data["user"], act.data["reason"],
            date.fromisoformat(act.data["until"]),
        )
        for act in register.acts(EXEMPT)
        if act.data["user"]  # else that person was forgotten
    ]  # fmt: skip
    return (*(one for one in found if isinstance(one, Exemption)), *said)
